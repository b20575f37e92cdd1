"""The app under Textual's pilot: what reaches the session, what reaches the screen, and that nothing ends it."""

from __future__ import annotations

import xml.dom.minidom
from collections.abc import Sequence
from pathlib import Path

import pytest
from textual import events
from textual.geometry import Region
from textual.pilot import Pilot
from textual.strip import Strip

from tests.toy import TOY
from tests.tui.fake_session import FakeSession
from tui.app import DpTui
from tui.canvas import Canvas
from tui.glyphs import ASCII
from tui.panel import Ask, Press, Wear
from tui.session import Session
from tui.state import State
from tui.still import snapshot_svg
from tui.terminal.capability import detect
from tui.theme import THEMES, Theme, look_for
from tui.widgets.dialogs import PromptView
from tui.widgets.keynames import names_of
from tui.widgets.stage import Stage


def on_screen(app: DpTui) -> str:
    """What Textual would write, as text: the stages as they overlap, not the canvases they were given."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


async def strike(app: DpTui, pilot: Pilot[None], *keys: str) -> None:
    """Keys as fast as a terminal delivers them: all are in the queue before the first is answered."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))
    await pilot.pause()
    await pilot.pause()


class Closed:
    """A terminal that is never ready, until it is."""

    def __init__(self) -> None:
        self.ready = False
        self.refused = 0

    def admit(self, urgent: bool = False) -> bool:
        self.refused += not self.ready
        return self.ready


# -- keys


@pytest.mark.parametrize(
    ("key", "character", "name"),
    [
        ("full_stop", ".", "."), ("comma", ",", ","), ("less_than_sign", "<", "<"), ("greater_than_sign", ">", ">"),
        ("plus", "+", "+"), ("minus", "-", "-"), ("question_mark", "?", "?"), ("percent_sign", "%", "%"),
        ("slash", "/", "/"), ("X", "X", "X"), ("upper_x", "X", "X"), ("x", "x", "x"), ("1", "1", "1"),
        ("space", " ", "space"), ("escape", "\x1b", "esc"), ("enter", "\r", "enter"), ("tab", "\t", "tab"),
        ("shift+tab", None, "shift+tab"), ("f1", None, "f1"), ("ctrl+p", "\x10", "ctrl+p"), ("home", None, "home"),
        ("left", None, "left"), ("backspace", "\x7f", "backspace"), ("pagedown", None, "pagedown"),
        ("full_stop", None, "."), ("question_mark", None, "?"), ("alt+q", None, "esc q"),
        ("alt+full_stop", None, "esc ."), ("alt+left", None, "esc left"),
    ],
)  # fmt: skip
def test_keys_have_the_names_of_the_session(key: str, character: str | None, name: str) -> None:
    assert names_of(events.Key(key, character)) == tuple(name.split())


async def test_keys_reach_the_session_and_are_answered_at_once() -> None:
    app = DpTui(session := FakeSession(), fps=0, strict=True)
    async with app.run_test() as pilot:
        await pilot.press("full_stop", "X", "escape", "tab")
        assert session.keys == [".", "X", "esc", "tab"]
        assert "keys 4" in on_screen(app)
        assert on_screen(app) == app.picture.text()


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_quitting_is_clean(key: str) -> None:
    app = DpTui(FakeSession(), fps=0, strict=True)
    async with app.run_test() as pilot:
        await pilot.press(key)
    assert app.return_code == 0
    assert app.kept.text == "replay it with: dp-tui replay here.json"


async def test_in_a_dialogue_q_closes_it_and_ctrl_c_quits() -> None:
    app = DpTui(session := FakeSession(), fps=0, strict=True)
    async with app.run_test() as pilot:
        await pilot.press("s", "q")
        assert app.view is None
        assert app.is_running
        assert session.keys == ["s"]
        await pilot.press("a", "ctrl+c")
    assert app.return_code == 0


async def test_an_esc_that_came_with_the_next_key_is_an_esc() -> None:
    app = DpTui(session := FakeSession(), fps=0, strict=True)
    async with app.run_test() as pilot:
        await strike(app, pilot, "s", "^", "k", "^", "s", "alt+x")
        assert app.view is None
        assert session.keys == ["s", "k", "esc", "s", "x"]
        await strike(app, pilot, "a", "ctrl+u", *"^=", "enter")
        assert session.performed == [("client", "^=")]


# -- dialogues


async def test_a_dialogue_gives_its_outcome_to_the_session() -> None:
    app = DpTui(session := FakeSession(), fps=0, strict=True)
    async with app.run_test() as pilot:
        await pilot.press("s", "down")
        assert "split vote" in on_screen(app)
        assert on_screen(app) == app.picture.text()
        await pilot.press("enter")
        assert session.performed == [("s2",)]
        assert "split vote" not in on_screen(app)
        assert on_screen(app) == app.picture.text()


async def test_the_palette_is_ours_and_may_lead_on_to_another_dialogue() -> None:
    app = DpTui(session := FakeSession(), fps=0, strict=True)
    async with app.run_test() as pilot:
        await pilot.press("ctrl+p")
        await strike(app, pilot, *"save", "enter")
        assert session.performed == [Ask("client")]
        assert isinstance(app.view, PromptView)
        await strike(app, pilot, "enter", "ctrl+p", *"ber 19", "enter")
        assert session.performed[1:] == [("client", "y=3"), Press("t")]
        assert session.keys == ["ctrl+p", "ctrl+p"]


async def test_what_is_typed_fast_is_typed_into_the_prompt() -> None:
    app = DpTui(session := FakeSession(), fps=0, strict=True)
    async with app.run_test() as pilot:
        await strike(app, pilot, "a", "ctrl+u", *"xk=q", "enter", "k")
        assert session.performed == [("client", "xk=q")]
        assert session.keys == ["a", "k"]


async def test_a_prompt_keeps_its_text_through_errors_and_through_a_screen_too_small() -> None:
    app = DpTui(session := FakeSession(), fps=0, strict=True)
    async with app.run_test() as pilot:
        await strike(app, pilot, "a", "ctrl+u", *"nonsense", "enter")
        assert "'nonsense' is no request" in on_screen(app)
        await pilot.resize_terminal(10, 3)
        assert session.sizes[-1] == (10, 3)
        assert "too small" in on_screen(app)
        assert "nonsense" not in on_screen(app)
        await pilot.resize_terminal(100, 30)
        assert "> nonsense" in on_screen(app)
        assert on_screen(app) == app.picture.text()
        await strike(app, pilot, "ctrl+u", *"impossible", "enter")
        assert "the engine refused: no such node" in on_screen(app)
        await pilot.press("escape")
        assert app.view is None
        assert session.performed == []


async def test_a_paste_is_for_prompts_only() -> None:
    app = DpTui(session := FakeSession(), fps=0, strict=True)
    async with app.run_test() as pilot:
        app.post_message(events.Paste("qqq"))
        await pilot.press("a", "ctrl+u")
        app.post_message(events.Paste("z=1\nq\n"))
        await pilot.press("enter")
        assert session.performed == [("client", "z=1")]
        assert session.keys == ["a"]


# -- the mouse


async def test_clicks_reach_the_session_or_the_dialogue() -> None:
    app = DpTui(session := FakeSession(), fps=0, strict=True)
    async with app.run_test() as pilot:
        await pilot.click(offset=(7, 3))
        assert session.clicks == [(7, 3)]
        await pilot.press("s")
        row = next(y for y, line in enumerate(on_screen(app).split("\n")) if "split vote" in line)
        await pilot.click(offset=(10, row))
        assert session.performed == [("s2",)]
        await pilot.press("s")
        await pilot.click(offset=(0, 0))
        assert app.view is None
        assert session.clicks == [(7, 3)]


async def test_without_a_mouse_clicks_do_nothing() -> None:
    app = DpTui(session := FakeSession(), fps=0, strict=True, mouse=False)
    async with app.run_test() as pilot:
        await pilot.click(offset=(7, 3))
        assert session.clicks == []


# -- pictures


async def test_only_rows_that_changed_are_painted() -> None:
    app = DpTui(FakeSession(), fps=0, strict=True)
    async with app.run_test() as pilot:
        await pilot.press("k")
        before = sum(stage.repainted for stage in app.query(Stage))
        await pilot.press("k")
        assert sum(stage.repainted for stage in app.query(Stage)) == before + 1


async def test_nothing_is_drawn_while_paused_and_untouched() -> None:
    app = DpTui(session := FakeSession(), fps=50, strict=True)
    async with app.run_test() as pilot:
        await pilot.pause(0.2)
        assert session.wall_us > 0
        await pilot.press("space")
        frames, renders = app.frames, session.renders
        await pilot.pause(0.2)
        assert (app.frames, session.renders) == (frames, renders)
        assert "PAUSED" in on_screen(app)


async def test_a_terminal_that_is_not_ready_gets_only_the_newest_picture() -> None:
    app = DpTui(session := FakeSession(), fps=0, strict=True)
    async with app.run_test() as pilot:
        app._gate = closed = Closed()
        frames = app.frames
        await pilot.press("k", "k", "k")
        assert app.frames == frames
        assert closed.refused == 3
        assert session.dirty
        closed.ready = True
        app._draw_guarded()  # what the driver calls
        await pilot.pause()
        assert app.frames == frames + 1
        assert "keys 3" in on_screen(app)


async def test_an_area_may_lie_over_others_and_vanish() -> None:
    app = DpTui(FakeSession(), fps=0, strict=True)
    async with app.run_test() as pilot:
        await pilot.press("i")
        await pilot.pause()
        assert "over" in on_screen(app)
        assert on_screen(app) == app.picture.text()
        await pilot.press("i")
        await pilot.pause()
        assert "over" not in on_screen(app)
        assert on_screen(app) == app.picture.text()


async def test_resizing_repaints_everything_and_loses_nothing() -> None:
    app = DpTui(session := FakeSession(), fps=0, strict=True)
    async with app.run_test(size=(120, 36)) as pilot:
        for size in ((10, 3), (240, 70), (1, 1), (60, 16)):
            await pilot.resize_terminal(*size)
            for _ in range(100):  # a busy machine passes the news on later
                if session.sizes[-1] == size and on_screen(app) == app.picture.text():
                    break
                await pilot.pause(0.02)
            assert session.sizes[-1] == size
            assert on_screen(app) == app.picture.text()


async def test_a_picture_is_saved_under_a_free_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = DpTui(session := FakeSession(), fps=0, strict=True, state=State(folder=tmp_path / "state"))
    async with app.run_test() as pilot:
        await pilot.press("P", "P")
    assert sorted(path.name for path in tmp_path.glob("*.svg")) == ["dp-tui-1.svg", "dp-tui-2.svg"]
    assert session.notices == ["picture saved as dp-tui-1.svg", "picture saved as dp-tui-2.svg"]
    xml.dom.minidom.parse(str(tmp_path / "dp-tui-1.svg"))


async def test_in_a_sandbox_no_picture_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = DpTui(session := FakeSession(), fps=0, strict=True, state=State(sandbox=True))
    async with app.run_test() as pilot:
        await pilot.press("P")
    assert not list(tmp_path.iterdir())
    assert "sandbox" in session.notices[0]


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
async def test_a_snapshot_is_the_same_every_time_in_every_theme(theme: Theme) -> None:
    async def snapshot(keys: Sequence[str]) -> str:
        return await snapshot_svg(FakeSession(ASCII), (80, 24), theme, keys)

    picture = await snapshot(["f", "down"])
    assert picture == await snapshot(["f", "down"])
    xml.dom.minidom.parseString(picture)
    assert "jitter" in picture
    assert "#{:02x}{:02x}{:02x}".format(*theme.ground) in picture.lower()


def test_the_theme_bows_to_the_terminal() -> None:
    def colours(**environ: str) -> str:
        return look_for("light", detect(environ, True, True, True, "utf-8").colors).name

    assert colours(TERM="xterm-256color") == "light"
    assert colours(TERM="xterm") == "ansi16"
    assert colours(TERM="xterm-256color", NO_COLOR="1") == "mono"
    assert look_for("deuteranopia").name == "deuteranopia"


# -- what is broken


async def test_a_bug_in_a_key_is_said_and_logged_and_ends_nothing(tmp_path: Path) -> None:
    session = FakeSession()
    session.breaks_on = "k"
    app = DpTui(session, fps=0, strict=False, state=State(folder=tmp_path))
    async with app.run_test() as pilot:
        await pilot.press("k")
        await pilot.pause()
        assert "a bug in dp-tui at key k: ZeroDivisionError" in on_screen(app)
        await pilot.press("x")
        await pilot.pause()
        assert "a bug" not in on_screen(app)
        assert session.keys == ["k", "x"]
    assert "ZeroDivisionError: a bug" in (tmp_path / "crash.log").read_text(encoding="utf-8")


async def test_a_bug_in_the_clock_holds_it_until_a_key_is_pressed(tmp_path: Path) -> None:
    session = FakeSession()
    session.breaks_on = "tick"
    app = DpTui(session, fps=50, strict=False, state=State(folder=tmp_path))
    async with app.run_test() as pilot:
        await pilot.pause(0.2)
        assert (tmp_path / "crash.log").read_text(encoding="utf-8").count("Traceback") == 1
        session.breaks_on = ""
        await pilot.press("x")
        await pilot.pause(0.1)
        assert session.wall_us > 0


async def test_tests_see_exceptions() -> None:
    session = FakeSession()
    session.breaks_on = "k"
    app = DpTui(session, fps=0, strict=True)
    with pytest.raises(ZeroDivisionError):
        async with app.run_test() as pilot:
            await pilot.press("k")


# -- with the real session


async def test_the_real_session_lives_under_it() -> None:
    session = Session((TOY,), TOY.pattern.name)
    app = DpTui(session, fps=20, strict=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.3)
        await pilot.press("space")
        paused = on_screen(app)
        frames = app.frames
        await pilot.pause(0.2)
        assert on_screen(app) == paused
        assert app.frames == frames
        for ask in ("?", "ctrl+p", "s", "f", "b", "S", "slash"):
            await pilot.press(ask)
            assert app.view is not None, ask
            assert on_screen(app) == app.picture.text()
            await pilot.press("escape")
            assert app.view is None
        await pilot.resize_terminal(10, 3)
        await pilot.resize_terminal(80, 24)
        await pilot.press("escape")
        assert on_screen(app) == app.picture.text()


# -- stages


async def test_a_stage_that_moves_away_and_back_between_two_layouts_is_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A layout finds it where it was and paints nothing; what the header says and the picture shows must be one."""
    app = DpTui(FakeSession(), fps=0, strict=True)
    async with app.run_test() as pilot:
        await pilot.pause()
        stage = app._stages["picture"]
        x, y, width, height, layer = stage._place  # type: ignore[misc]
        new = Canvas(width, height)
        new.put(0, 3, "the new picture", "bright")
        painted: list[tuple[int, int]] = []
        render_lines = Stage.render_lines

        def watched(self: Stage, crop: Region) -> list[Strip]:
            if self is stage:
                painted.append((crop.y, crop.bottom))
            return render_lines(self, crop)

        monkeypatch.setattr(Stage, "render_lines", watched)
        stage.place(x, y + 1, new, layer)
        stage.place(x, y, new, layer)
        await pilot.pause()
        await pilot.pause()
        assert any(top <= 3 < bottom for top, bottom in painted)
        assert "the new picture" in on_screen(app)
        painted.clear()
        await pilot.pause()
        assert not painted, "once is enough"


async def test_a_theme_is_changed_while_it_runs_and_a_light_terminal_is_recognised() -> None:
    app = DpTui(FakeSession(), fps=0, strict=True, guess=True)
    async with app.run_test() as pilot:
        app._follow(Wear(theme="contrast"))
        await pilot.pause()
        assert {stage.look.name for stage in app._stages.values()} == {"contrast"}
        app._background(0xFFFF, 0xFFFF, 0xF000)
        assert app.look.name == "contrast", "it was chosen"
        app.wear("dark")
        app._background(0x1000, 0x1000, 0x1000)
        assert app.look.name == "dark"
        app._background(0xFFFF, 0xFFFF, 0xF000)
        assert app.look.name == "light"
    chosen = DpTui(FakeSession(), theme="dark", fps=0, strict=True)
    async with chosen.run_test():
        chosen._background(0xFFFF, 0xFFFF, 0xFFFF)
        assert chosen.look.name == "dark"
