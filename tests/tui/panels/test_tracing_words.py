"""The journal says something of every kind of event, with its reason and its numbers, in plain ASCII."""

import re
from typing import Any, get_args

import pytest

from engines.sim import events as e
from engines.sim.events import Event
from engines.sim.rules import SetRule
from engines.tracing.verdicts import Trouble
from engines.tracing.world import commands as c
from engines.tracing.world import events as t
from engines.tracing.world.checks import DEMANDS
from engines.tracing.world.truth import KINDS
from tests.tui.subjects.tracing import TRACING
from tui.panels.tracing import PANEL
from tui.panels.tracing.lessons import IF_BROKEN, LESSONS, OF_KIND, OF_ORDER
from tui.panels.tracing.words import FAULTS
from tui.theme import known


def told(kind: type, **wanted: Any) -> str:
    """Who and what the journal says of an event of this kind, or of a command of it, with these fields."""
    for event in TRACING.events:
        what = event.what.command if isinstance(event.what, t.Ordered) else event.what
        if isinstance(what, kind) and all(getattr(what, name) == value for name, value in wanted.items()):
            line = PANEL.narrate(event)
            return f"{line.who}: {line.text}"
    raise AssertionError(f"no {kind.__name__} with {wanted}")


def test_every_fault_says_what_follows_and_what_its_end_means() -> None:
    of_machines = {Trouble.LOSS, Trouble.SKEW, Trouble.DOUBLED, Trouble.CRASH, Trouble.FREEZE, Trouble.NETWORK}
    ended = {kind for kind, (_, over) in FAULTS.items() if over}
    assert set(KINDS) - of_machines == ended, "those are told by the network's own words"
    assert all(means for means, _ in FAULTS.values())


def test_every_kind_of_event_and_every_order_has_its_lesson() -> None:
    assert set(OF_KIND) | {t.Ordered} == set(get_args(t.AnyEvent))
    assert set(OF_ORDER) == set(get_args(c.Order))


@pytest.mark.parametrize(
    ("kind", "wanted", "words"),
    [
        (t.TraceJudged, {}, r"collector: (GET|POST) \S+ took [\d.]+ (ms|s|us): \d+ spans of \d+ services"),
        (t.TraceStarted, {}, r"^catalog-ca..: catalog-cache starts a new trace, \w{8}: the call from catalog came with "
                             r"no traceparent header$"),
        (t.PoolWait, {}, r"waits for a connection to \S+: \d+ of 1 connections are in use"),
        (t.LockWait, {}, r"lets SELECT \S+ wait: another query holds the lock"),
        (t.TimedOut, {}, r"gives up on \S+ .*: no answer in \d+ ms; whether it was done is not known"),
        (t.Retried, {}, r"calls \S+ again, attempt \d, (after [\d.]+ ms|at once, without backoff): "),
        (t.BreakerMoved, {}, r"breaker to \S+ is open: .*; calls fail at once now"),
        (c.ShrinkPool, {"size": 1},
         r"you: the pool of auth is cut from \d+ to 1 connections: whoever finds it empty waits"),
        (c.DropHeader, {}, r"you: catalog .* headers on: whom it calls begins a new trace"),
        (c.SlowService, {"percent": 100}, r"you: auth is as fast as ever again"),
        (c.Amplify, {"ppm": 0}, r"you: auth-db answers again"),
        (c.SetLoad, {"shape": "bursts"}, r"you: users come in a bursts stream, 40 requests a second"),
        (c.SetLoad, {"shape": "off"}, r"you: users stop sending requests"),
        (SetRule, {"rule": "late_joins"}, r"you: rule late joins OFF, everywhere at once"),
        (c.Correct, {}, r"clocks are corrected as far as spans betray"),
        (c.SetSampling, {}, r"50 % of the traces are kept by chance"),
        (t.RequestSent, {"operation": "POST /checkout"}, r"you: sends POST /checkout: follow its trace"),
        (e.Skewed, {}, r"cart: its clock jumps by .*: its spans move with it, those of others do not"),
        (e.Crashed, {}, r"catalog: crashes: the requests inside it and its unsent spans are lost"),
        (e.Lost, {"why": e.LossReason.CHANCE},
         r"\S+>auth: .* lost: the link \S+>auth drops 30 % of its messages"),
        (t.Answered, {}, r"you: \S+ \S+ is answered with \d+ after [\d.]+ \w+"),
        (t.VerdictChanged, {}, r"is what the verdict names now: "),
    ],
)  # fmt: skip
def test_lines_carry_reason_and_numbers(kind: type, wanted: dict[str, Any], words: str) -> None:
    assert re.search(words, told(kind, **wanted)), told(kind, **wanted)


def test_what_comes_by_the_dozen_shares_a_line_a_second_and_what_you_do_does_not() -> None:
    folded: dict[str, list[Event]] = {}
    for event in TRACING.events:
        routine = PANEL.routine(event)
        assert not (
            routine and isinstance(event.what, t.RequestSent | t.Answered | t.Ordered | t.VerdictChanged | e.Cue)
        )
        if routine:
            folded.setdefault(routine, []).append(event)
    names = {routine.split()[0] for routine in folded}
    assert {"traffic", "lost", "new_trace"} <= names
    for routine, some in folded.items():
        for count in (2, 3, len(some)):
            line = PANEL.fold(some[:count])
            assert line.text.isascii()
            assert "None" not in line.text
            assert 0 < len(line.who) <= 12
            assert known(line.ink)
            assert len(line.text) <= 260, (routine, line.text)


def test_a_line_of_traffic_counts_everything_once() -> None:
    kinds = [t.PoolWait] * 5 + [t.Retried] * 2 + [t.TraceJudged] * 4
    some = [next(event for event in TRACING.events if isinstance(event.what, kind)) for kind in kinds]
    text = PANEL.fold(some).text
    assert "(5 x)" in text
    assert "2 retries" in text
    assert "4 traces complete, median" in text
    traces = [event for event in TRACING.events if isinstance(event.what, t.TraceJudged) and PANEL.routine(event)][:6]
    wanted = r"6 traces complete, slowest [\d.]+ \w+; median (of \S+ \S+ [\d.]+ \w+(, )?)+"
    assert re.match(wanted, PANEL.fold(traces).text), PANEL.fold(traces).text


def test_the_mistakes_of_the_article_are_named_where_they_are_met() -> None:
    context = " ".join(LESSONS["context"])
    assert "extracts the parent and never uses it" in context
    assert "makes the whole a graph" in " ".join(LESSONS["trace"])
    assert "Not every request is kept" in " ".join(LESSONS["sampling"])
    assert "One trace cannot show what happens at p99" in " ".join(LESSONS["verdict"])
    assert any("One trace cannot show what happens at p99" in paragraph for paragraph in PANEL.help)


def test_every_lesson_is_reached() -> None:
    assert set(OF_KIND.values()) | set(OF_ORDER.values()) == set(LESSONS)


def test_every_check_has_its_paragraph() -> None:
    assert set(IF_BROKEN) == set(DEMANDS)
