"""The journal says something of every kind of event, with its reason and its numbers, in plain ASCII."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import engines
from engines.resilience import Cause, Rejection, State
from engines.resilience.pattern import PATTERN
from engines.resilience.states import TRANSITIONS
from engines.resilience.world import commands as c
from engines.resilience.world import messages as m
from engines.resilience.world.checks import DEMANDS
from engines.resilience.world.rules import RULE_NAMES
from engines.sim import faults
from engines.sim.pattern import Check
from engines.sim.timeline import Timeline
from engines.sim.world import QUIET_KINDS, Event
from tests.tui.panels.test_resilience_runs import BUSY, Run, recorded, run, standing
from tui.panel import Focus
from tui.panels.resilience import HELP, PANEL
from tui.panels.resilience.lessons import IF_BROKEN, LESSONS, OF_CAUSE, OF_CURE, OF_KIND, OF_OUTCOME
from tui.panels.resilience.narration import AFTER, BY_YOU, TABLE
from tui.panels.resilience.offers import RULES
from tui.panels.resilience.routines import COUNTED
from tui.theme import known

ROOM = 110


def kinds_in_the_sources() -> set[str]:
    """Every kind that the world, a machine, the clients or a recorded log can record."""
    root = Path(engines.__file__).parent
    folder = root / "resilience"
    sources = [root / "sim" / "world.py", folder / "recorded.py", *sorted((folder / "world").glob("*.py"))]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    found = set(re.findall(r"(?:\bnote|\brecord)\(\s*\"(\w+)\"", code))
    found |= set(re.findall(r"\"(\w+)\" if cut else", code)) | set(re.findall(r"if cut else \"(\w+)\"", code))
    on_links = code[code.index("def execute_on_links") :]
    found |= {
        name.lower() for name in re.findall(r"case faults\.(\w+)\(", on_links[: on_links.index("def links_between")])
    }
    found |= set(re.findall(r"fresh\.append\(\([^)]*?\"(\w+)\"", code))
    found |= {"ejected", "not_ejected", "returned", "preset", "option", "backoff", "order"}
    return found


def events(timeline: Run) -> list[Event]:
    """The events of a run, quiet ones too."""
    copy: Run = Timeline(timeline.variant, timeline.branch.seed, timeline.branch.config, timeline.branch.scenario)
    copy.branch.log = timeline.branch.log
    copy.branch.end_position, copy.branch.end_us = timeline.branch.end_position, timeline.branch.end_us
    found: list[Event] = list(copy.engine.latest(512))
    while copy.position < timeline.position:
        before = copy.engine.events_total
        copy.seek(min(timeline.position, copy.position + 50))
        found += copy.engine.latest(min(512, copy.engine.events_total - before))
    return found


@cache
def everything() -> tuple[Event, ...]:
    """Runs in which nearly all there is happens."""
    first = run(
        8_000,
        (300, c.Call("buy")), (400, c.Burst(100, "browse")), (500, faults.Lose("api", "auth", 300_000)),
        (600, faults.Slow("api", "cart", 50_000, 1_000)), (610, faults.Duplicate("api", "cart", 500_000)),
        (620, faults.Reorder("api", "cart", 500_000)), (630, faults.Clog("api", "catalog")),
        (900, faults.Unclog("api", "catalog")), (910, faults.Skew("auth", 200_000, 0)),
        (915, faults.Skew("auth", 0, 0)),
        (920, faults.SlowDisk("cart", 40_000)), (1_000, faults.Crash("cart")), (1_100, faults.Freeze("payment-1")),
        (1_150, c.SetBreaker("api>auth", "reset")), (1_160, c.SetBreaker("api>auth", "disable")),
        (1_170, c.SetBreaker("api>auth", "metrics_only")), (1_180, c.SetBreaker("api>auth", "force_open")),
        (1_190, c.SetBreaker("api>auth", "reset")), (1_200, c.Delay("api>auth", 50, 900_000)),
        (1_300, c.Abort("api>catalog", 60)), (1_400, c.SickHost("payment-2", 100)),
        (1_450, c.SetOption("api>payment", "outlier", 1)), (1_460, c.SetOption("api>payment", "eject_one", 1)),
        (1_470, c.SetOption("api>payment", "eject_us", 1_000_000)), (1_500, c.SlowService("payment-db", 1_000)),
        (1_510, c.SetOption("*", "hedge_ppm", 900_000)), (1_520, c.SetOption("*", "fallback", 1)),
        (1_530, c.SetOption("*", "bulkhead", 2)), (1_540, c.SetOption("api>cart", "limit_per_s", 1)),
        (1_600, faults.Cut("catalog", "catalog-db")), (3_000, faults.Mend("catalog", "catalog-db")),
        (3_100, faults.Restart("cart")), (3_200, faults.Thaw("payment-1")), (3_300, faults.Isolate("auth")),
        (3_500, faults.Reconnect("auth")), (3_600, faults.Partition((("cart",), ("cart-db",)))),
        (4_000, faults.Heal()), (4_100, c.Delay("api>auth", 0, 0)), (4_110, c.Abort("api>catalog", 0)),
        (4_120, c.SickHost("payment", 0)), (4_130, c.SlowService("payment", 100)), (4_140, faults.Drop(1)),
        (4_150, faults.Narrate("Look.")), (4_160, faults.ExpireTimers(("api",), "agenda", 1_000)),
        *((4_200 + i, c.SetPreset("*", name)) for i, name in enumerate(
            ("hystrix", "resilience4j", "resilience4j-time", "polly", "opossum", "none", "article"))),
        (4_300, c.SetBackoff("*", "fixed", 100_000, 100_000)), (4_310, c.SetBackoff("*", "full-jitter", 100_000)),
        (4_320, c.SetOrder("*", ("breaker", "retry", "limiter", "timeout", "bulkhead"))),
        *((4_400 + i, c.Cure("payment", name)) for i, name in enumerate(
            ("breaker", "budget", "shedding", "deadline"))),
        *((4_500 + i, c.SetService("payment", name, value)) for i, (name, value) in enumerate(
            (("workers", 4), ("queue_max", 8), ("shed_us", 0), ("shed_us", 300_000), ("newest_first", 1)))),
        (4_600, c.SetLoad("pulse", 20, 60, 2)), (4_610, c.SetLoad("off", 0)), (4_620, c.SetLoad("sine", 20, 80, 4)),
        (4_630, c.SetMix("buy")), (4_640, c.SetOption("*", "budget_ppm", -1)),
        (4_650, c.SetOption("*", "timeout_us", 0)), (4_660, c.SetOption("*", "timeout_us", 300_000)),
        *((4_700 + i, c.SetRule(name, i > 3)) for i, name in enumerate(RULE_NAMES)),
        config=(("rate", 60), ("payment_hosts", 5), ("queue", 4)),
    )  # fmt: skip
    trip = run(
        9_000,
        (500, c.SetOption("*", "breaker.wait_us", 1_000_000)), (1_000, c.SickHost("cart", 100)),
        (3_500, c.SickHost("cart", 0)),
        config=(*BUSY, ("mix", "cart"), ("budget", 5), ("retries", 3)),
    )  # fmt: skip
    hasty = run(
        4_000, (500, c.SetOption("*", "breaker.minimum", 0)), (1_000, c.SickHost("cart", 100)),
        config=(("rate", 2), ("mix", "cart"), ("retries", 0)),
    )  # fmt: skip
    envoy = run(
        5_000, (500, c.SetOption("*", "max_requests", 2)), (1_000, c.SickHost("payment-1", 100)),
        variant="envoy", config=(*BUSY, ("mix", "payment")),
    )  # fmt: skip
    found = [event for timeline in (first, trip, hasty, envoy, recorded()) for event in events(timeline)]
    for scenario in PATTERN.scenarios:
        story: Run = Timeline(PATTERN.variant(scenario.variant), scenario.seed, scenario.config, scenario)
        story.advance(scenario.end_us)
        found += story.engine.told(512)
    return tuple(found)


def test_every_kind_in_the_sources_has_its_sentence_and_its_lesson() -> None:
    kinds = kinds_in_the_sources()
    assert {"lost", "breaker", "rejected", "wasted", "isolate", "clog", "rule", "deliver", "cure", "burst"} <= kinds
    assert kinds - set(TABLE) == set()
    assert kinds - set(OF_KIND) == set()
    assert set(TABLE) >= QUIET_KINDS
    assert set(TABLE) >= BY_YOU
    assert set(COUNTED) <= set(TABLE)


def test_every_lesson_is_reached_and_all_outcomes_causes_and_rules_have_theirs() -> None:
    reached = {*OF_KIND.values(), *OF_OUTCOME.values(), *OF_CAUSE.values(), *OF_CURE.values()}
    assert reached == set(LESSONS)
    assert set(OF_CAUSE) == {cause.value for cause in Cause}
    rejected = {m.OPEN, m.LIMITED, m.BULKHEAD, m.CAPPED, m.FULL, m.SHED, m.EXPIRED, m.TIMEOUT, m.ABORTED, m.ERROR}
    assert rejected <= set(OF_OUTCOME)
    assert set(RULES) == set(RULE_NAMES)
    assert set(IF_BROKEN) == set(DEMANDS)


def test_every_event_of_many_runs_is_told_in_ascii_and_nearly_all_in_one_line() -> None:
    seen: dict[str, str] = {}
    for event in everything():
        line = PANEL.narrate(event)
        assert line.text.isascii(), line.text
        assert line.who.isascii()
        assert 0 < len(line.who) <= 12, line.who
        assert "None" not in line.text, line.text
        assert known(line.ink)
        if event.kind not in ("cue", "answered"):
            assert len(line.text) <= ROOM + 40, line.text
        seen[event.kind] = line.text
    assert len(seen) >= 45, sorted(set(TABLE) - set(seen))
    short = [text for kind, text in seen.items() if len(text) <= ROOM]
    assert len(short) >= len(seen) * 0.85


def test_every_explanation_has_its_rule_and_its_source() -> None:
    explained = set()
    for event in everything():
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
    return Event(7, 12_000_000, kind, "api", why=why, detail=tuple(detail.items()))


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
        PANEL.narrate(each).text for each in everything() if each.kind == "breaker" and each.why.startswith("1 of 1")
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
    elsewhere = one._replace(
        detail=event("failed", edge="api>auth", attempts=1, count=2).detail, why="no answer in time"
    )
    assert PANEL.fold([one, elsewhere]).text == "10 failed; newest: api>auth fails a call: no answer in time (2 x)"
    refused = event("refused", "the line is full", outcome="full", waiting=9, count=3)
    assert PANEL.fold([one, wasted, refused]).text == "8 failed, 5 done for nobody, 3 refused"
    assert PANEL.routine(one) == PANEL.routine(wasted) != ""
    assert PANEL.routine(event("breaker", edge="api>cart", src="closed", dst="open")) == ""
    assert PANEL.routine(event("answered", outcome="ok")) == ""


def test_both_directions_of_a_link_share_a_line() -> None:
    there = Event(1, 0, "cut", "cart", "api")
    back = Event(2, 0, "cut", "api", "cart")
    assert "and the way back too" in PANEL.fold([there, back]).text
    many = [Event(3 + i, 0, "cut", f"payment-{i}", "api") for i in range(5)]
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
