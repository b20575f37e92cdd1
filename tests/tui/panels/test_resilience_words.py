"""The journal says something of every kind of event, with its reason and its numbers, in plain ASCII."""

import re
from typing import Any, get_args

import pytest

from engines.resilience import BreakerOptions, Cause, Rejection, State, Transition
from engines.resilience.outlier import Ejection, EjectionCause
from engines.resilience.pattern import PATTERN
from engines.resilience.states import TRANSITIONS
from engines.resilience.world import commands as c
from engines.resilience.world import events as e
from engines.resilience.world.checks import DEMANDS
from engines.resilience.world.ledger import Ledger
from engines.resilience.world.messages import Origin, Outcome
from engines.resilience.world.rules import ResilienceRules
from engines.sim.events import Event, LinkCut
from engines.sim.pattern import Check
from engines.sim.timeline import Timeline
from engines.units import seconds
from tests.tui.panels.resilience_runs import standing
from tests.tui.subjects.resilience import RESILIENCE
from tui.journal import Told
from tui.panel import Focus
from tui.panels.resilience import HELP, PANEL
from tui.panels.resilience.folding import since_us, times
from tui.panels.resilience.forms import RULES
from tui.panels.resilience.lessons import IF_BROKEN, LESSONS, OF_CAUSE, OF_CURE, OF_KIND, OF_OUTCOME, OF_WORLD
from tui.panels.resilience.words import AFTER, OUTCOMES

ROOM = 110
S = 1_000_000


def test_every_lesson_is_reached_and_all_outcomes_causes_and_rules_have_theirs() -> None:
    assert set(OF_KIND) == set(get_args(e.ResilienceEvent))
    reached = {*OF_KIND.values(), *OF_WORLD.values(), *OF_OUTCOME.values(), *OF_CAUSE.values(), *OF_CURE.values()}
    assert reached == set(LESSONS)
    assert set(OF_CAUSE) == set(Cause)
    assert set(Outcome) - set(OF_OUTCOME) == {Outcome.OK, Outcome.FALLBACK, Outcome.DIED, Outcome.LOGGED}
    assert set(OUTCOMES) == set(Outcome)
    assert set(RULES) == set(ResilienceRules.names())
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


def event(what: Any) -> Event:
    """Something that happened at api."""
    return Event(7, 12_000_000, "api", what)


def said(what: Any) -> str:
    """The line of the journal."""
    return PANEL.narrate(event(what)).text


def move(edge: str, src: State, dst: State, cause: Cause, calls: int = 0, bad: int = 0) -> Event:
    """A breaker with the article's numbers moved, after 30 s."""
    return event(e.BreakerMoved(edge, Transition(12_000_000, src, dst, cause, BreakerOptions(), calls, bad, 30 * S)))


TRIP = move("api>payment", State.CLOSED, State.OPEN, Cause.FAILURE_RATE, 96, 64)
FAILED = e.CallFailed("api>cart", Outcome.TIMEOUT, None, 4, 8)


def test_a_breaker_that_moves_says_the_numbers_and_what_it_means() -> None:
    opened = PANEL.narrate(TRIP)
    assert (opened.who, opened.ink) == ("api>payment", "open")
    why = "64 of 96 (66.6 %) failed, threshold >= 50 %"
    assert opened.text == f"OPENS: {why}; calls are rejected at once from now on"
    again = PANEL.narrate(move("api>cart", State.HALF_OPEN, State.OPEN, Cause.PROBE_FAILED))
    assert "OPEN again: the probe failed" in again.text
    half = PANEL.narrate(move("api>cart", State.OPEN, State.HALF_OPEN, Cause.WAIT_OVER))
    assert (half.ink, "probes pass" in half.text) == ("half-open", True)
    closed = PANEL.narrate(move("api>cart", State.HALF_OPEN, State.CLOSED, Cause.PROBE_SUCCEEDED))
    assert (closed.ink, closed.text.startswith("CLOSES: the probe succeeded")) == ("closed", True)


def test_without_a_minimum_one_failed_call_trips_it_and_that_is_said() -> None:
    single = [
        each for each in RESILIENCE.events
        if isinstance(each.what, e.BreakerMoved) and each.what.moved.calls == each.what.moved.bad == 1
    ]  # fmt: skip
    assert single
    assert all("without a minimum of calls one failure is 100 %" in PANEL.narrate(each).text for each in single)


def test_the_articles_mistakes_are_named_where_one_meets_them() -> None:
    def lesson(what: Any) -> str:
        return " ".join(PANEL.explain(standing("well"), what if isinstance(what, Event) else event(what)))

    assert "50 % over 10 s and 30 s open is no standard" in lesson(TRIP)
    assert "without one the first failed call is 100 %" in lesson(TRIP)
    rejected = e.CallRejected("api>cart", Rejection(State.OPEN, Cause.FAILURE_RATE, S, 1))
    assert "A breaker without timeouts, bulkheads and fallbacks" in lesson(rejected)
    assert "a tool for tests" in lesson(e.DelayInjected("api>cart", 50, 500_000))
    ejected = e.HostEjected("api>cart", Ejection(S, "cart-1", True, EjectionCause.ERRORS, 5))
    assert "What Envoy calls circuit breaking is something else" in lesson(ejected)
    assert "(1+r)^L" in lesson(e.CallRetried("api>cart", Outcome.TIMEOUT, 100_000, 2))
    assert "a tool for tests" in said(e.AbortInjected("api>cart", 30, 503))
    assert "no standard" in " ".join(HELP) + " ".join(PATTERN.notes)
    overtaken = lesson(move("api>cart", State.HALF_OPEN, State.OPEN, Cause.CALL_REJECTED))
    assert "why does my Hystrix never close" in overtaken
    assert "1853 and 1861" in overtaken


def test_the_explanation_of_a_breaker_says_where_it_is_now_and_what_would_move_it() -> None:
    words = " ".join(PANEL.explain(standing("open"), TRIP))
    assert re.search(r"Now it is OPEN, for \d+\.\d s: .*then 1 probe passes; it has turned \d+ calls away", words)


def test_what_comes_by_the_dozen_shares_a_line_with_its_sums() -> None:
    one = event(FAILED)
    same = PANEL.fold([one, one._replace(position=8)])
    assert same.who == "api>cart"
    assert same.text == "gives a call up after 4 attempts: no answer in time (16 x)"
    wasted = event(e.WorkWasted("api", 5))
    mixed = PANEL.fold([one, wasted, one])
    assert mixed.who == "calls"
    assert mixed.text == "16 failures, 5 for nobody; the newest at api>cart"
    elsewhere = event(e.CallFailed("api>auth", Outcome.TIMEOUT, None, 1, 2))
    assert PANEL.fold([one, elsewhere]).text == "10 failures; newest: api>auth fails a call: no answer in time (2 x)"
    refused = event(e.RequestRefused(Outcome.FULL, 9, 3))
    assert PANEL.fold([one, wasted, refused]).text == "8 failures, 3 refusals, 5 for nobody"
    assert PANEL.routine(one) == PANEL.routine(wasted) != ""
    assert PANEL.routine(TRIP) == ""
    assert PANEL.routine(event(e.YouAnswered(1, Outcome.OK, None, 5, 5))) == ""


def counted(name: str, at_us: int) -> dict[type, int]:
    """What the engine itself has counted by then, by the kind that tells of it."""
    story = next(each for each in PATTERN.scenarios if each.name == name)
    run: Timeline[Any, Any] = Timeline(PATTERN.variant(story.variant), story.seed, story.config, story)
    run.advance(at_us)
    ledger: Ledger = run.engine.ledger  # type: ignore[attr-defined]
    services = [meter.counts for meter in ledger.services.values()]
    return {
        e.WorkWasted: sum(each["wasted"] for each in services),
        e.RequestRefused: sum(each["refused"] + each["expired"] for each in services),
        e.CallRetried: sum(meter.counts["retried"] for meter in ledger.edges.values()),
    }


@pytest.mark.parametrize(
    ("name", "until_s"), [("deadline", 15), ("deadline", 29), ("cascade", 25), ("cascade", 30), ("storm-budget", 16)]
)
def test_the_sums_of_a_line_are_what_was_counted_in_the_time_it_names(name: str, until_s: int) -> None:
    story = next(each for each in PATTERN.scenarios if each.name == name)
    run: Timeline[Any, Any] = Timeline(PATTERN.variant(story.variant), story.seed, story.config, story)
    run.advance(until_s * S)
    told = Told(run.engine.told(1 << 20), 0, PANEL.narrate, PANEL.routine, PANEL.fold)
    lines = [each for each in told.folds() if PANEL.routine(told.event(each)) == "calls" and each.last > each.first]
    newest = lines[-1]
    events = told.events[newest.first : newest.last + 1]
    first_us, last_us = min(map(since_us, events)), events[-1].at_us
    assert f"in {seconds(last_us - first_us)}: " in told.line(newest).text
    before, after = counted(name, first_us - 1), counted(name, last_us)
    sums = {kind: sum(times(each) for each in events if isinstance(each.what, kind)) for kind in before}
    assert sums == {kind: after[kind] - before[kind] for kind in before}
    assert any(sums.values())


def test_what_a_healthy_shop_does_is_told_and_adds_up() -> None:
    one = event(e.ShopServed(5 * S, 60, 58, 0, 40_000, 180_000))
    assert PANEL.narrate(one).who == "shop"
    told = PANEL.narrate(one).text
    assert told == "in 5 s 60 calls came, 58 ended, none failed; p99 180 ms"
    both = PANEL.fold([one, event(e.ShopServed(5 * S, 70, 60, 9, 50_000, 900_000))]).text
    assert both == "in 10 s 130 calls came, 127 ended, 9 failed; p99 900 ms"


def test_a_failure_names_its_cause_where_that_lies_further_down() -> None:
    origin = Origin(Outcome.OPEN, "api>payment")
    told = said(e.CallFailed("clients>api", Outcome.DOWNSTREAM, origin, 1))
    assert told == "fails a call: the breaker of api>payment says no"
    mine = said(e.YouAnswered(3, Outcome.DOWNSTREAM, origin, 24_000, 4))
    assert mine.endswith("4 requests over all edges: the breaker of api>payment says no")


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
    check = Check(name, False, "call 7 did", ("call 7: api>cart",), off=("count_waste",))
    broken = PANEL.explain_check(snapshot, check)
    assert "FAILED: call 7 did." in broken
    assert "call 7: api>cart" in broken
    assert any("Switched off before it broke: count waste." in part for part in broken)
    assert all(part.isascii() for part in (*well, *broken))


def test_help_is_plain_and_tells_every_sign() -> None:
    words = " ".join(HELP)
    assert words.isascii()
    for said in ("C closed", "O open", "half-open", "x cut", "X crashed", "w workers", "q calls that wait", "goodput"):
        assert said in words


def test_a_rejection_says_after_what_the_breaker_is_open_and_until_when() -> None:
    told = said(e.CallRejected("api>catalog", Rejection(State.OPEN, Cause.FAILURE_RATE, 29_833_000, 0)))
    assert told == "rejects calls at once: open after too many failures, 29.83 s left"
    opening = {cause for (_, cause), after in TRANSITIONS.items() if after is State.OPEN}
    assert opening - {Cause.FORCE_OPEN} == set(AFTER)
    told = said(e.CallRejected("api>catalog", Rejection(State.HALF_OPEN, Cause.WAIT_OVER, 0, 10)))
    assert told == "rejects calls at once: half-open: all 10 probes are out; only probes pass"
    told = said(e.CallRejected("api>catalog", Rejection(State.FORCED_OPEN, Cause.FORCE_OPEN, 0, 1)))
    assert told == "rejects calls at once: forced open"


def test_the_name_before_a_line_is_never_cut() -> None:
    assert PANEL.narrate(event(FAILED._replace(edge="client>service"))).who == "service"
    assert PANEL.narrate(event(FAILED._replace(edge="payment>payment-db"))).who == "payment>db"


def test_switches_are_on_or_off_in_words() -> None:
    assert said(e.OptionSet("api>payment", "eject_one", 1)) == "api>payment: eject one on"
    offers = {offer.title: offer for offer in PANEL.tune(standing("well"), Focus(node="api>cart"))}
    deadline = offers["deadline"]
    assert (deadline.params[0].value, deadline.params[0].choices) == ("off", ("off", "on"))
    assert deadline.build({"told": "on", "where": deadline.params[1].value}) == c.SetOption("api>cart", "deadline", 1)
