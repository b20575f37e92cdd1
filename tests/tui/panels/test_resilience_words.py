"""The journal says something of every kind of event, with its reason and its numbers, in plain ASCII."""

import re
from typing import Any

import pytest

from engines.resilience import Cause, Rejection, State
from engines.resilience.pattern import PATTERN
from engines.resilience.states import TRANSITIONS
from engines.resilience.world import commands as c
from engines.resilience.world import messages as m
from engines.resilience.world.checks import DEMANDS
from engines.resilience.world.rules import RULE_NAMES
from engines.sim.events import Event, LinkCut, Note
from engines.sim.pattern import Check
from tests.tui.panels.resilience_runs import standing
from tests.tui.subjects.resilience import RESILIENCE
from tui.panel import Focus
from tui.panels.resilience import HELP, PANEL
from tui.panels.resilience.lessons import IF_BROKEN, LESSONS, OF_CAUSE, OF_CURE, OF_KIND, OF_OUTCOME
from tui.panels.resilience.narration import AFTER
from tui.panels.resilience.offers import RULES

ROOM = 110


def test_every_lesson_is_reached_and_all_outcomes_causes_and_rules_have_theirs() -> None:
    reached = {*OF_KIND.values(), *OF_OUTCOME.values(), *OF_CAUSE.values(), *OF_CURE.values()}
    assert reached == set(LESSONS)
    assert set(OF_CAUSE) == {cause.value for cause in Cause}
    rejected = {m.OPEN, m.LIMITED, m.BULKHEAD, m.CAPPED, m.FULL, m.SHED, m.EXPIRED, m.TIMEOUT, m.ABORTED, m.ERROR}
    assert rejected <= set(OF_OUTCOME)
    assert set(RULES) == set(RULE_NAMES)
    assert set(IF_BROKEN) == set(DEMANDS)


def test_every_explanation_has_its_rule_and_its_source() -> None:
    explained = set()
    for event in RESILIENCE.events:
        if event.kind in explained:
            continue
        explained.add(event.kind)
        words = PANEL.explain(standing("well"), event)
        assert words
        assert not any(PANEL.narrate(event).text in each for each in words), "the sentence stands above"
        assert all(part.isascii() for part in words)
    for name, parts in LESSONS.items():
        assert all(part.isascii() for part in parts)
        assert name in ("fault", "network", "clock", "rule", "setting", "lecture", "forced", "load", "crash") or any(
            part.startswith("Source: ") for part in parts
        ), name


def event(kind: str, why: str = "", **detail: Any) -> Event:
    """An event as an edge or service records it."""
    return Event(7, 12_000_000, "api", Note(kind, why=why, detail=tuple(detail.items())))


def test_a_breaker_that_moves_says_the_numbers_and_what_it_means() -> None:
    why = "64 of 96 (66.6 %) failed, threshold >= 50 %"
    opened = PANEL.narrate(event("breaker", why, edge="api>payment", src="closed", dst="open", cause="failure rate"))
    assert (opened.who, opened.ink) == ("api>payment", "open")
    assert opened.text == f"OPENS: {why}; calls are rejected at once from now on"
    again = PANEL.narrate(event("breaker", "the probe failed", edge="api>cart", src="half_open", dst="open"))
    assert "OPEN again: the probe failed" in again.text
    half = PANEL.narrate(event("breaker", "first call after 30 s", edge="api>cart", src="open", dst="half_open"))
    assert (half.ink, "probes pass" in half.text) == ("half-open", True)
    closed = PANEL.narrate(event("breaker", "the probe succeeded", edge="api>cart", src="half_open", dst="closed"))
    assert (closed.ink, closed.text.startswith("CLOSES: the probe succeeded")) == ("closed", True)


def test_without_a_minimum_one_failed_call_trips_it_and_that_is_said() -> None:
    told = [
        PANEL.narrate(each).text
        for each in RESILIENCE.events
        if each.kind == "breaker" and each.why.startswith("1 of 1")
    ]
    assert told
    assert all("without a minimum of calls one failure is 100 %" in text for text in told)


def test_the_articles_mistakes_are_named_where_one_meets_them() -> None:
    def lesson(kind: str, why: str = "", **detail: Any) -> str:
        return " ".join(PANEL.explain(standing("well"), event(kind, why, **detail)))

    trip = lesson("breaker", "", edge="api>cart", src="closed", dst="open", cause="failure rate")
    assert "50 % over 10 s and 30 s open is no standard" in trip
    assert "without one the first failed call is 100 %" in trip
    assert "A breaker without timeouts, bulkheads and fallbacks" in lesson("rejected", edge="api>cart", state="open")
    assert "a tool for tests" in lesson("delay_fault", "api>cart", percent=50)
    assert "What Envoy calls circuit breaking is something else" in lesson("ejected", edge="api>cart", host="cart-1")
    assert "(1+r)^L" in lesson("retry", edge="api>cart")
    assert "a tool for tests" in PANEL.narrate(event("abort_fault", "api>cart", percent=30, status=503)).text
    assert "no standard" in " ".join(HELP) + " ".join(PATTERN.notes)


def test_the_explanation_of_a_breaker_says_where_it_is_now_and_what_would_move_it() -> None:
    told = event("breaker", "29 of 56 failed", edge="api>payment", src="closed", dst="open", cause="failure rate")
    words = " ".join(PANEL.explain(standing("open"), told))
    assert re.search(r"Now it is OPEN, for \d+\.\d s: .*then 1 probe passes; it has turned \d+ calls away", words)


def test_what_comes_by_the_dozen_shares_a_line_with_its_sums() -> None:
    one = event("failed", "no answer in time", edge="api>cart", outcome="timeout", attempts=4, count=8)
    same = PANEL.fold([one, one._replace(position=8)])
    assert same.who == "api>cart"
    assert same.text == "gives a call up after 4 attempts: no answer in time (16 x)"
    wasted = event("wasted", "nobody waits for it any more", peer="api", count=5)
    mixed = PANEL.fold([one, wasted, one])
    assert mixed.who == "calls"
    assert mixed.text == "16 failed, 5 done for nobody; newest: api>cart"
    elsewhere = event("failed", "no answer in time", edge="api>auth", attempts=1, count=2)
    assert PANEL.fold([one, elsewhere]).text == "10 failed; newest: api>auth fails a call: no answer in time (2 x)"
    refused = event("refused", "the line is full", outcome="full", waiting=9, count=3)
    assert PANEL.fold([one, wasted, refused]).text == "8 failed, 5 done for nobody, 3 refused"
    assert PANEL.routine(one) == PANEL.routine(wasted) != ""
    assert PANEL.routine(event("breaker", edge="api>cart", src="closed", dst="open")) == ""
    assert PANEL.routine(event("answered", outcome="ok")) == ""


def test_both_directions_of_a_link_share_a_line() -> None:
    there = Event(1, 0, "cart", LinkCut("api"))
    back = Event(2, 0, "api", LinkCut("cart"))
    assert "and the way back too" in PANEL.fold([there, back]).text
    many = [Event(3 + i, 0, f"payment-{i}", LinkCut("api")) for i in range(5)]
    assert PANEL.fold(many).who == "5 links"


@pytest.mark.parametrize("name", sorted(DEMANDS))
def test_every_check_is_explained_and_a_failed_one_shows_its_witness(name: str) -> None:
    snapshot = standing("stricken")
    well = PANEL.explain_check(snapshot, Check(name, True, "fine"))
    assert any("It holds" in part for part in well)
    broken = PANEL.explain_check(snapshot, Check(name, False, "call 7 did", ("call 7: api>cart",)))
    assert "FAILED: call 7 did." in broken
    assert "call 7: api>cart" in broken
    assert any("Switched off in this run: count waste." in part for part in broken)
    assert any(part.rstrip().endswith("off?") for part in broken), "the rule to look at"
    assert all(part.isascii() for part in (*well, *broken))


def test_help_is_plain_and_tells_every_sign() -> None:
    words = " ".join(HELP)
    assert words.isascii()
    for said in ("C closed", "O open", "half-open", "x cut", "X crashed", "w workers", "q calls that wait", "goodput"):
        assert said in words


def test_a_rejection_says_after_what_the_breaker_is_open_and_until_when() -> None:
    why = Rejection(State.OPEN, Cause.FAILURE_RATE, 29_833_000, 0).why
    told = PANEL.narrate(event("rejected", why, edge="api>catalog", state="open")).text
    assert told == "rejects calls at once: open after too many failures, 29.833 s left"
    opening = {cause for (_, cause), after in TRANSITIONS.items() if after is State.OPEN}
    assert opening - {Cause.FORCE_OPEN} == set(AFTER)
    probing = Rejection(State.HALF_OPEN, Cause.WAIT_OVER, 0, 10).why
    told = PANEL.narrate(event("rejected", probing, edge="api>catalog", state="half_open")).text
    assert told == "rejects calls at once: half-open: all 10 probes are out; only probes pass"
    assert PANEL.narrate(event("rejected", "forced open", edge="api>catalog", state="forced_open")).text.endswith(
        "at once: forced open"
    )


def test_the_name_before_a_line_is_never_cut() -> None:
    assert PANEL.narrate(event("failed", "no answer in time", edge="client>service", attempts=1)).who == "service"
    assert (
        PANEL.narrate(event("failed", "no answer in time", edge="payment>payment-db", attempts=1)).who == "payment>db"
    )


def test_switches_are_on_or_off_in_words() -> None:
    told = PANEL.narrate(event("option", "eject_one", edge="api>payment", value=1)).text
    assert told == "api>payment: eject one on"
    offers = {offer.title: offer for offer in PANEL.tune(standing("well"), Focus(node="api>cart"))}
    deadline = offers["deadline"]
    assert (deadline.params[0].value, deadline.params[0].choices) == ("off", ("off", "on"))
    assert deadline.build({"told": "on", "where": deadline.params[1].value}) == c.SetOption("api>cart", "deadline", 1)
