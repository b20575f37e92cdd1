"""The stage, with real clients: everybody sees one run, nobody disturbs it, `O` goes into a branch of one's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction
from typing import Any

import pytest

from engines.errors import UserError
from engines.sim.recording import read
from tests.tui.serve.guests import LONG, Client, Server, alive, gone, serving
from tests.tui.test_driver import colour_codes
from tui.company import Alone, Private
from tui.dialogs import Pick
from tui.panel import Do, Refuse, ThrowOut
from tui.registry import PANELS, patterns
from tui.serve.presenter import Presenter
from tui.serve.stage import HINT, Stage
from tui.serve.takeover import present
from tui.session import Session


def raft(**options: Any) -> Session:
    session = Session(PANELS, "raft", variant="raft", speed=Fraction(1, 2), **options)
    session.resize(100, 30)
    return session


def play(session: Session, virtual_ms: int) -> None:
    for _ in range(virtual_ms // 50):
        session.tick(100_000)
    session.render()


@asynccontextmanager
async def staged(session: Session) -> AsyncIterator[tuple[Server, Stage]]:
    """A server whose visitors watch this session."""
    stage = Stage(session, PANELS)
    async with serving() as server:
        server.house.show = stage.watch
        try:
            yield server, stage
        finally:
            stage.stop()
            await server.house.close("over")


async def test_late_comers_get_the_present_state_each_in_her_own_size_colours_and_glyphs() -> None:
    session = raft()
    play(session, 1_000)
    async with (
        staged(session) as (server, stage),
        server.visit((120, 36)) as wide,
        server.visit((80, 24), "linux", {"LANG": "C"}) as plain,
        server.visit((50, 12)) as tiny,
    ):
        status = "leader n3" if "leader n3" in "".join(area.canvas.text() for area in session.render()) else "leader"
        await asyncio.gather(wide.shows(status), plain.shows("logs"), tiny.shows("needs 60x16, is 50x12"))
        assert len(wide.screen.display[0]) == 120
        assert any(code.startswith("38;5") for code in colour_codes(wide.raw))
        assert not any(code.startswith("38") for code in colour_codes(plain.raw))
        assert not [byte for byte in plain.raw if byte > 0x7E]
        assert HINT[0].strip() in wide.text()
        assert (session.width, session.height) == (100, 30), "the stage is never resized"
        assert session.badge == "3 watch, least 50x12"
        play(session, 500)
        session.press("k")
        await asyncio.gather(wide.shows("crashed"), plain.shows("crash"))
        tiny.chan.change_terminal_size(80, 24)
        tiny.screen.resize(24, 80)
        await tiny.shows("crash")
        assert session.badge == "3 watch, least 80x24"
        assert server.children() == []
        assert stage.spent_s > 0


async def alike(one: Client, two: Client) -> None:
    """Wait until two terminals show the same, and go on to."""
    since = asyncio.get_running_loop().time()
    async with asyncio.timeout(LONG):
        while asyncio.get_running_loop().time() - since < 0.3:
            if one.text() != two.text():
                since = asyncio.get_running_loop().time()
            await asyncio.sleep(0.02)


async def test_what_watchers_see_by_differences_is_the_whole_picture() -> None:
    session = raft()
    async with staged(session) as (server, _), server.visit((120, 36)) as one, server.visit((120, 36)) as two:
        await asyncio.gather(one.shows("logs"), two.shows("logs"))
        for n in range(20):
            play(session, 100)
            if n == 10:
                two.send("\x0c")
            await asyncio.sleep(0.03)
        session.press("space")
        await asyncio.gather(one.shows("PAUSED"), two.shows("PAUSED"))
        await alike(one, two)
        two.send("\x0c")
        before = len(two.raw)
        async with asyncio.timeout(LONG):
            while len(two.raw) < before + 1_000:
                await asyncio.sleep(0.02)
        await alike(one, two)


async def test_nothing_a_watcher_presses_reaches_the_run_and_q_leaves() -> None:
    session = raft()
    play(session, 500)
    async with staged(session) as (server, _), server.visit((120, 36)) as client:
        await client.shows("logs")
        before = (session.scene.timeline.position, len(session.scene.branch.log), session.scene.focus)
        client.send("kxzSr R\x1b[A\x1b[B\r?1234567 " + "\x1b[200~kk\x1b[201~")
        client.send(bytes(byte for byte in range(256) if byte not in b"q\x03\x04\x11O"))
        await asyncio.sleep(0.3)
        assert (session.scene.timeline.position, len(session.scene.branch.log), session.scene.focus) == before
        client.send("\x1b\\q")
        assert await client.ends() == 0
        assert b"\x1b[?1049l" in client.raw
        assert session.badge == "nobody watches"


async def test_a_private_branch_begins_where_the_stage_is_and_O_returns() -> None:
    session = raft()
    play(session, 1_200)
    async with staged(session) as (server, stage), server.visit((120, 36)) as client:
        await client.shows("logs")
        client.send("O")
        await client.shows("private branch: O returns")
        await client.shows(f"t 00:0{session.scene.timeline.now_us / 1e6:.3f}")
        (pid,) = [watcher.private.pid for watcher in stage.watchers.values()]
        client.send("k")
        await client.shows("crashed")
        assert not session.scene.branch.log or not any(not each.scripted for each in session.scene.branch.log)
        play(session, 300)
        client.send("O")
        await client.shows("you are watching")
        await gone([pid])
        await client.shows(f"t 00:0{session.scene.timeline.now_us / 1e6:.3f}")
        client.send("O")
        await client.shows("private branch: O returns")
        (pid,) = [watcher.private.pid for watcher in stage.watchers.values()]
        client.chan.get_connection().abort()
        await gone([pid])
        assert not alive(pid)


async def test_the_presenter_sees_who_watches_and_throws_one_out() -> None:
    session = raft()
    async with serving() as server:
        presenter = Presenter(server.house, session, PANELS, ())
        nobody = presenter.stage()
        assert isinstance(nobody, Pick)
        assert isinstance(nobody.choices[0].outcome, Refuse)
        async with server.visit((120, 36)) as one, server.visit((80, 24)) as two:
            await asyncio.gather(one.shows("logs"), two.shows("logs"))
            pick = presenter.stage()
            assert isinstance(pick, Pick)
            assert pick.hint == "2 watch, the smallest screen is 80x24; "
            assert [(choice.note, choice.outcome) for choice in pick.choices] == [
                ("120x36", ThrowOut(1)), ("80x24", ThrowOut(2)),
            ]  # fmt: skip
            assert presenter.throw_out(1) == "#1 is out"
            assert await one.ends() == 0
            assert b"dp-tui: the presenter has ended your visit" in one.raw
            assert presenter.throw_out(1) == "#1 has left"
            await presenter.close()


def test_the_run_that_is_handed_on_holds_nothing_of_the_future() -> None:
    session = raft(scenario="election")
    for _ in range(60):
        if not session.scene.player.playing:
            session.press("space")
        session.tick(100_000)
    end = session.scene.timeline.position
    session.press("<")
    timeline = session.scene.timeline
    assert timeline.position < end
    recording = read(present(session.scene), "the stage", patterns())
    assert recording.end_position == timeline.position
    assert all(each.position < timeline.position for each in recording.log)
    opened = recording.open()
    assert opened.snapshot() == timeline.snapshot()
    opened.advance(opened.now_us + 500_000)


def test_data_of_the_presenters_own_stays_with_her() -> None:
    session = raft()
    session.scene.timeline.variant = type("V", (), {"source": object()})()
    with pytest.raises(UserError, match="stays with her"):
        present(session.scene)


def test_what_O_comes_to_where_there_is_no_stage() -> None:
    said = Alone().stage()
    assert said == "no stage here: dp-tui serve --stage opens one"
    assert Private().stage() == Do.QUIT


async def test_a_dumb_terminal_is_told_why_it_cannot_watch() -> None:
    async with staged(raft()) as (server, _), server.visit(term="dumb") as client:
        assert await client.ends() == 2
        assert b"TERM=dumb cannot place text on the screen" in client.raw
