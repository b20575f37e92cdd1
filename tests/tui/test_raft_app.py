"""The app with Raft: the promises of the first screen, and whoever plays with the keys."""

import asyncio
import random
import re
from pathlib import Path
from typing import Final

import pytest

from engines.consensus.raft.commands import SetRule
from engines.consensus.raft.rules import RaftRules
from engines.sim.faults import Narrate
from engines.sim.recording import read
from tests.monkey import Monkey, screen
from tests.ptyscreen import PATIENCE_S, PtyApp, python
from tui.app import DpTui
from tui.panel import Do, PlayScenario
from tui.registry import PANELS
from tui.session import Session

TICK_US = 100_000
HEADLESS_KEYS = 20_000
PILOT_KEYS = 1_000
SOAK_KEYS = 20_000
LONG = PATIENCE_S


def raft(scenario: str = "", size: tuple[int, int] = (120, 36)) -> Session:
    session = Session(PANELS, "consensus", scenario=scenario, sandbox=True)
    session.resize(*size)
    return session


def watch(session: Session, until: str, ticks: int = 400) -> str:
    """Let it run until the screen shows this."""
    for _ in range(ticks):
        if re.search(until, screen(session)):
            return screen(session)
        session.tick(TICK_US)
    raise AssertionError(f"{until!r} was not seen:\n{screen(session)}")


# -- the first minute ----------------------------------------------------------------------------------------------


def test_the_first_leader_stands_within_ten_seconds_of_wall_time() -> None:
    session = raft()
    watch(session, r"n\d L t1", ticks=100)


def test_killing_the_leader_shows_the_next_election_and_its_reason() -> None:
    session = raft()
    watch(session, r"n\d L t1")
    session.press("g")
    leader = session.scene.timeline.snapshot().leader
    session.press("k")
    assert f"{leader} X" in screen(session), "the node hit changes its look in the same picture"
    text = watch(session, r"heard no leader for \d+ ms")
    assert re.search(r"n\d +heard no leader for \d+ ms \(its timeout\)", text)
    text = watch(session, r"leader n\d .*t2|n\d L t2")
    snapshot = session.scene.timeline.snapshot()
    assert snapshot.leader != leader
    assert snapshot.term == 2


def test_the_logs_the_journal_and_the_scrubber_tell_one_story() -> None:
    session = raft()
    watch(session, r"n\d L t1")
    session.press("g")
    session.press("k")
    text = watch(session, r"n\d L t2")
    assert re.search(r"━k━|k━", text), "the crash stands on the scrubber"
    snapshot = session.scene.timeline.snapshot()
    dead = next(server for server in snapshot.servers if server.status == "crashed")
    assert re.search(rf"{dead.id} X t1.*crashed", text), "the log grid knows it"


def test_a_key_in_the_past_makes_a_branch_and_both_futures_can_be_visited() -> None:
    session = raft()
    watch(session, r"n\d L t1")
    session.press("g")
    session.press("k")
    watch(session, r"n\d L t2")
    session.press("space")
    end = session.scene.timeline.position
    for _ in range(30):
        session.press(",")
    assert "PAST" in screen(session)
    session.press("x")
    timeline = session.scene.timeline
    assert len(timeline.branches) == 2
    watch_position = timeline.position
    session.press("space")
    for _ in range(20):
        session.tick(TICK_US)
    assert timeline.position > watch_position
    timeline.visit(0)
    assert timeline.branch.end_position >= end
    timeline.visit(1)
    assert timeline.branch.parent == 0


def test_a_rule_can_be_broken_from_the_keyboard() -> None:
    session = raft()
    dialogue = session.dialogue("rules")
    offers = {offer.title: offer for offer in dialogue.offers}  # type: ignore[union-attr]
    assert len(offers) == len(RaftRules.names())
    for offer in offers.values():
        session.perform(offer.build({param.name: param.value for param in offer.params}))
    assert not any(on for _, on in session.scene.timeline.snapshot().rules)


@pytest.mark.parametrize(("nodes", "survive"), [(3, 1), (5, 2), (7, 3), (9, 4)])
def test_the_inspector_says_how_many_failures_a_cluster_survives(nodes: int, survive: int) -> None:
    session = Session(PANELS, "consensus", config=(("nodes", nodes),), sandbox=True)
    session.resize(120, 40)
    text = " ".join(watch(session, r"n\d L t1").split())
    said = " ".join(re.findall(r"│\s*([^│]*?)\s*│?$", line)[-1] for line in screen(session).splitlines() if "│" in line)
    assert f"{nodes // 2 + 1} = floor({nodes}/2)+1" in said, text
    assert re.search(rf"survive {survive} failure", said), said


# -- whoever plays with the keys -----------------------------------------------------------------------------------


def play(session: Session) -> None:
    """To the end of the story, through all its stops."""
    scenario = session.scene.branch.scenario
    assert scenario is not None
    while session.scene.timeline.now_us < scenario.end_us:
        if not session.scene.player.playing:
            session.press("space")
        session.tick(TICK_US)


def cues(session: Session) -> list[str]:
    log = session.scene.branch.log
    return [entry.command.text for entry in log if isinstance(entry.command, Narrate)]


def test_a_rule_switched_off_stays_off_when_the_story_is_played_again() -> None:
    session = raft("figure-8")
    play(session)
    assert all(check.ok for check in session.scene.now().checks)
    assert "then r: the same story without the rule" in cues(session)[-1]
    session.perform(SetRule("current_term_commit", False))
    session.press("r")
    assert session.notice.startswith("from the start with current term commit off; the story is told for")
    assert (session.scene.timeline.now_us, session.scene.branch.scenario is not None) == (0, True)
    play(session)
    assert "state machine safety" in "".join(check.name for check in session.scene.failed())
    assert "a promise is broken" in cues(session)[-1]
    session.perform(SetRule("current_term_commit", True))
    session.press("r")
    assert session.notice == ""
    play(session)
    assert not session.scene.failed()


def test_a_story_chosen_anew_has_its_own_rules() -> None:
    session = raft("figure-8")
    session.perform(SetRule("current_term_commit", False))
    session.perform(PlayScenario("figure-8"))
    assert dict(session.scene.timeline.snapshot().rules)["current_term_commit"] is True


def test_a_new_seed_and_the_cluster_without_a_story_keep_the_rules_too() -> None:
    session = raft("figure-8")
    session.perform(SetRule("persist_vote", False))
    for what in (Do.RESEED, Do.FREE):
        session.perform(what)
        assert dict(session.scene.timeline.snapshot().rules)["persist_vote"] is False
        assert "persist vote off" in session.notice


def test_a_run_with_a_rule_kept_off_is_saved_and_opens_as_it_was(tmp_path: Path) -> None:
    session = Session(PANELS, "consensus", scenario="figure-8")
    session.perform(SetRule("current_term_commit", False))
    session.press("r")
    play(session)
    session.save(tmp_path / "run.json")
    recording = read((tmp_path / "run.json").read_text(), "run.json", [panel.pattern for panel in PANELS])
    assert dict(recording.config)["current_term_commit"] is False
    assert recording.verify()[0]


MEDDLING: Final = frozenset({"SetRule", "SetTiming", "DropHeader"})
"""Commands that may turn a check red: a rule is switched off, a timing makes no sense, a service breaks its traces."""


def untouched(session: Session) -> bool:
    """Whether nothing was done in this run that may break a guarantee, so that every check must hold."""
    branch = session.scene.timeline.branch
    rules = {each.name for each in session.scene.variant.settings if each.default is True}
    return (
        not (branch.scenario and branch.scenario.breaks)
        and not any(value is False for name, value in branch.config if name in rules)
        and not any(type(entry.command).__name__ in MEDDLING for entry in branch.log)
    )


def judge(session: Session, monkey: Monkey) -> None:
    if untouched(session):
        failed = [check for check in session.scene.timeline.check() if not check.ok]
        assert not failed, (failed, monkey.done[-20:])


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 10))])
def test_twenty_thousand_random_deeds_break_nothing(seed: int) -> None:
    session = raft()
    monkey = Monkey(session, seed)
    for _ in range(HEADLESS_KEYS // 10 // 50):
        monkey.play(50)
        judge(session, monkey)


async def pound(keys: int, seed: int) -> None:
    """Random keys and sizes through the whole app."""
    chance = random.Random(seed)
    session = raft()
    app = DpTui(session, fps=0, strict=True)
    async with app.run_test(size=(80, 24)) as pilot:
        for number in range(keys):
            names = sorted({*session.scene.keys} - {"q", "ctrl+q", "ctrl+c"})
            key = chance.choice([*names, "enter", "escape", "up", "down", "a", "1", "backspace", "space"])
            app.press(key) if chance.random() < 0.8 else await pilot.press(_textual(key))
            session.tick(chance.choice((0, 50_000, 200_000)))
            if number % 50 == 25:
                await pilot.resize_terminal(*chance.choice(((80, 24), (120, 36), (10, 3), (60, 16), (200, 50))))
            if number % 20 == 0:
                await pilot.pause()
            if untouched(session):
                assert all(check.ok for check in session.scene.timeline.check())
        assert app.is_running


def _textual(key: str) -> str:
    names = {"esc": "escape", "pgup": "pageup"}
    signs = {".": "full_stop", ",": "comma", "<": "less_than_sign", ">": "greater_than_sign", "+": "plus",
             "-": "minus", "?": "question_mark", "/": "slash", "%": "percent_sign"}  # fmt: skip
    return names.get(key) or signs.get(key) or key


def test_a_thousand_random_keys_through_the_app() -> None:
    asyncio.run(pound(PILOT_KEYS, 1))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_twenty_thousand_random_keys_through_the_app(seed: int) -> None:
    asyncio.run(pound(SOAK_KEYS // 10, 100 + seed))


# -- on a real terminal --------------------------------------------------------------------------------------------


def test_the_installed_command_on_a_real_pty(tmp_path: Path) -> None:
    """Spawn it, wait for a leader, kill it, see the next election, step back, branch, leave, replay."""
    command = Path(python()[0]).with_name("dp-tui")
    argv = [str(command)] if command.exists() else python("-m", "tui")
    env = {"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    with PtyApp([*argv, "raft", "--speed", "1/5"], size=(120, 36), env=env) as app:
        app.wait_for(" L t1", LONG)
        app.send("g", "k")
        app.wait_for(" X t1", LONG)
        app.wait_for("heard no leader for", LONG)
        app.wait_for(" L t2", LONG)
        app.send("space")
        app.wait_for("PAUSED", LONG)
        app.send(",")
        app.wait_for("PAST", LONG)
        app.send(",", ",", "x")
        app.wait_for("branch", LONG)
        app.resize(10, 3)
        app.wait_for("needs", LONG)
        app.resize(120, 36)
        app.wait_for("journal", LONG)
        app.send("q")
        assert app.wait(LONG) == 0
        app.settle()
        assert "dp-tui replay" in bytes(app.raw).decode(errors="replace")
    runs = list(tmp_path.rglob("*.json"))
    assert len(runs) == 1
    with PtyApp([*argv, "replay", str(runs[0])], size=(120, 36), env=env) as app:
        app.wait_for("PAUSED", LONG)
        app.send("ctrl+c")
        assert app.wait(LONG) == 0
