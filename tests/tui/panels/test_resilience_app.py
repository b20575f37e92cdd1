"""The app with resilience: what a person sees when a service gets slow, a breaker trips and a rule is broken."""

import re

import pytest

from engines.sim.rules import SetRule
from tests.monkey import screen
from tui.registry import PANELS
from tui.session import Session

TICK_US = 100_000
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")


def shop(size: tuple[int, int] = (120, 36), scenario: str = "") -> Session:
    session = Session(PANELS, "resilience", scenario=scenario, config=(("rate", 40), ("mix", "payment")), sandbox=True)
    session.resize(*size)
    return session


def watch(session: Session, until: str, looks: int = 160) -> str:
    """Let it run until the screen shows this; it is looked at twice a second."""
    for _ in range(looks):
        if re.search(until, text := screen(session)):
            return text
        for _ in range(5):
            session.tick(TICK_US)
    raise AssertionError(f"{until!r} was not seen:\n{screen(session)}")


@SIZES
def test_the_first_screen_lives(size: tuple[int, int]) -> None:
    session = shop(size)
    first = screen(session)
    session.tick(2_000_000)
    later = screen(session)
    assert later != first
    assert "CLOSED" in later
    assert "goodput" in later


@SIZES
def test_a_slow_service_trips_its_breaker_which_says_why_and_closes_after_its_probe(size: tuple[int, int]) -> None:
    session = shop(size)
    session.tick(3_000_000)
    session.press("K")
    session.press("K")
    assert re.search(r"payment ?S", screen(session)), "the service hit changes its look in the same picture"
    text = watch(session, r"payment OPEN")
    assert re.search(r"\d+ of \d+ \(\d+(\.\d)? %\)\s+failed", text)
    assert re.search(r"\d+\.\d s to go, then 1 probe", text)
    session.press("h")
    assert not re.search(r"payment ?S", screen(session))
    text = watch(session, r"payment CLOSED \d+")
    states = [each.state for each in session.scene.timeline.snapshot().edge("api>payment").breaker.history]
    assert states == ["open", "half_open", "closed"]


def test_the_order_and_the_preset_change_while_it_runs() -> None:
    session = shop()
    session.tick(1_000_000)
    session.press("p")
    session.press("o")
    text = screen(session)
    assert "hystrix" in text
    assert re.search(r"breaker > retry", text)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
def test_a_broken_rule_turns_the_frame_red_and_e_shows_the_witness(size: tuple[int, int]) -> None:
    session = shop(size)
    session.perform(SetRule("open_rejects", False))
    session.press("C")
    watch(session, "FAILED: no call passes an open breaker")
    session.press("e")
    text = " ".join(screen(session).split())
    assert "FAILED" in text
    assert re.search(r"open\W+rejects", text)


def test_a_cut_edge_looks_cut_and_the_journal_says_so_once_for_both_directions() -> None:
    session = shop()
    session.tick(1_000_000)
    session.press("x")
    text = screen(session)
    assert re.search(r"x ─|─x|x━|━x", text)
    assert "and the way back too" in text
    session.press("x")
    assert "and the way back too" in screen(session)


@SIZES
def test_the_charts_of_the_strip_are_reached_by_v(size: tuple[int, int]) -> None:
    session = shop(size)
    session.tick(5_000_000)
    for title in ("breakers", "latency", "where attempts go", "load"):
        session.press("v")
        assert re.search(rf"[─├] {title}", screen(session)), title
