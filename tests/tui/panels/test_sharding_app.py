"""The app with sharding: what a person sees when a node joins or dies, and whoever plays with the keys."""

import re

import pytest

from engines.sharding.pattern import PATTERN
from engines.sharding.world.messages import Keys
from engines.sharding.world.rules import ShardRules
from engines.sim.faults import Skew
from engines.sim.rules import SetRule
from tests.monkey import Monkey, screen
from tui.registry import PANELS
from tui.session import Session

TICK_US = 100_000
VARIANTS = [variant.name for variant in PATTERN.variants]


def sharding(variant: str = "ring", size: tuple[int, int] = (120, 36)) -> Session:
    session = Session(PANELS, "sharding", variant=variant, sandbox=True)
    session.resize(*size)
    return session


def watch(session: Session, until: str, ticks: int = 400) -> str:
    """Let it run until the screen shows this."""
    for _ in range(ticks):
        if re.search(until, screen(session)):
            return screen(session)
        session.tick(TICK_US)
    raise AssertionError(f"{until!r} was not seen:\n{screen(session)}")


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_join_compares_all_strategies_and_its_keys_arrive(variant: str, size: tuple[int, int]) -> None:
    session = sharding(variant, size)
    session.tick(1_000_000)
    session.press("j")
    text = watch(session, r"[\d,]+ of [\d,]+ keys moved")
    assert "the same 2,000 keys: n7 joins, 6 -> 7 nodes" in text
    assert "even share 14.3 %" in text
    for title in ("hash mod n", "even ranges", "ring 150", "slots", "jump", "rendezvous", "maglev", "bounded"):
        assert title in text
    for _ in range(600):
        session.tick(TICK_US)
        if session.scene.timeline.snapshot().node("n7").owned > 200:
            break
    snapshot = session.scene.timeline.snapshot()
    assert snapshot.node("n7").owned > 200
    assert "5/5" in screen(session)


def test_keys_are_seen_on_their_way_in_every_variant() -> None:
    for variant in VARIANTS:
        session = sharding(variant)
        session.press("j")
        for _ in range(200):
            session.tick(TICK_US)
            if any(isinstance(flight.message, Keys) for flight in session.scene.timeline.snapshot().flights):
                break
        board = "\n".join(line[:72] for line in screen(session).splitlines()[2:18])
        assert "K" in board, (variant, board)


@pytest.mark.parametrize("variant", VARIANTS)
def test_keys_are_seen_on_their_way_on_a_small_screen(variant: str) -> None:
    session = sharding(variant, (80, 24))
    session.press("j")
    for _ in range(200):
        session.tick(TICK_US // 5)
        picture = screen(session).splitlines()[2:12]
        if any(re.search(r"n\d+>n7 .*K", line) for line in picture):
            return
    raise AssertionError("\n".join(picture))


def test_eleven_nodes_still_show_what_travels() -> None:
    session = Session(PANELS, "sharding", scenario="mod-n", sandbox=True)
    session.resize(120, 36)
    for _ in range(60):
        session.tick(TICK_US)
        if not session.scene.player.playing:
            session.press("space")
        if sum(isinstance(flight.message, Keys) for flight in session.scene.timeline.snapshot().flights) > 5:
            break
    picture = "\n".join(line[:36] for line in screen(session).splitlines()[2:18])
    assert picture.count("K") > 5
    assert all(f"n{number}" in picture for number in range(1, 12))


def test_a_crash_changes_the_look_and_says_what_it_means() -> None:
    session = sharding()
    session.tick(1_000_000)
    session.press("k")
    text = screen(session)
    assert "n1 X" in text
    assert "crashed" in text
    text = watch(session, r"no owner: keys of n1")
    assert re.search(r"n1 crashed, 6 -> 5 nodes", text)


def test_both_curves_are_on_the_first_screen_with_the_expected_line() -> None:
    text = screen(sharding())
    assert "cv, mean of rings" in text
    assert "2 failures lose a range" in text
    assert re.search(r"150: \.\d+ exp\. \.074", text)


@pytest.mark.parametrize(("seed", "variant"), list(enumerate(VARIANTS)))
def test_random_deeds_break_nothing(seed: int, variant: str) -> None:
    session = sharding(variant, (80, 24))
    monkey = Monkey(session, seed)
    for _ in range(8):
        monkey.play(40)
        branch = session.scene.timeline.branch
        rules = dict(branch.config)
        sane = all(rules.get(name, True) for name in ShardRules.names())
        if sane and not any(isinstance(entry.command, SetRule | Skew) for entry in branch.log):
            failed = [check for check in session.scene.timeline.check() if not check.ok]
            assert session.scene.panel.pattern.name != "sharding" or not failed, (failed, monkey.done[-20:])
