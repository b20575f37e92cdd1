"""The journal says something of every kind of event, with its reason and its numbers, in plain ASCII."""

import re
from typing import Any

import pytest

from engines.sim.events import Event, Note
from engines.tracing.world.invariants import DEMANDS
from engines.tracing.world.truth import KINDS
from tests.tui.subjects.tracing import TRACING
from tui.panels.tracing import PANEL
from tui.panels.tracing.lessons import IF_BROKEN, LESSONS, OF_KIND
from tui.panels.tracing.narration import MEANS, OVER
from tui.theme import known

ROOM = 110


def snake(name: str) -> str:
    """The kind of event that a command of tracing makes."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def test_every_fault_says_what_follows_and_what_its_end_means() -> None:
    assert set(KINDS) - {"loss", "skew"} == set(OVER), "those two are told by the network's own words"
    assert set(OVER) <= set(MEANS)


def test_an_unknown_kind_is_no_error() -> None:
    novelty = Event(0, 0, "n1", Note("novelty", why="somebody added it"))
    assert PANEL.narrate(novelty).text == "novelty: somebody added it"


@pytest.mark.parametrize(
    ("kind", "wanted", "words"),
    [
        ("trace", {}, r"collector: (GET|POST) \S+ took [\d.]+ (ms|s|us): \d+ spans of \d+ services"),
        ("new_trace", {}, r"^catalog-ca..: catalog-cache starts a new trace, \w{8}: the call from catalog came with no "
                          r"traceparent header$"),
        ("pool_wait", {}, r"waits for a connection to \S+: \d+ of 1 connections are in use"),
        ("lock_wait", {}, r"lets SELECT \S+ wait: another query holds the lock"),
        ("timeout", {}, r"gives up on \S+ .*: no answer in \d+ ms; whether it was done is not known"),
        ("retry", {}, r"calls \S+ again, attempt \d, (after [\d.]+ ms|at once, without backoff): "),
        ("breaker", {"state": "open"}, r"breaker to \S+ is open: .*; calls fail at once now"),
        ("shrink_pool", {"size": 1},
         r"you: the pool of auth is cut from \d+ to 1 connections: whoever finds it empty waits"),
        ("drop_header", {}, r"you: catalog .* headers on: whom it calls begins a new trace"),
        ("slow_service", {"percent": 100}, r"you: auth is as fast as ever again"),
        ("amplify", {"ppm": 0}, r"you: auth-db answers again"),
        ("set_load", {"shape": "bursts"}, r"you: users come in a bursts stream, 40 requests a second"),
        ("set_load", {"shape": "off"}, r"you: users stop sending requests"),
        ("set_rule", {"rule": "late_joins"}, r"you: rule late joins OFF, everywhere at once"),
        ("correct", {}, r"clocks are corrected as far as spans betray"),
        ("set_sampling", {}, r"50 % of the traces are kept by chance"),
        ("request", {"operation": "POST /checkout"}, r"you: sends POST /checkout: follow its trace"),
        ("skew", {}, r"cart: its clock jumps by .*: its spans move with it, those of others do not"),
        ("crash", {}, r"catalog: crashes: the requests inside it and its unsent spans are lost"),
        ("lost", {"why": "loss"}, r"\S+>auth: .* lost: the link \S+>auth drops 30 % of its messages"),
        ("answered", {}, r"you: \S+ \S+ is answered with \d+ after [\d.]+ \w+"),
        ("verdict", {}, r"is what the verdict names now: "),
    ],
)  # fmt: skip
def test_lines_carry_reason_and_numbers(kind: str, wanted: dict[str, Any], words: str) -> None:
    assert re.search(words, TRACING.told(kind, **wanted)), TRACING.told(kind, **wanted)


def test_what_comes_by_the_dozen_shares_a_line_a_second_and_what_you_do_does_not() -> None:
    folded: dict[str, list[Event]] = {}
    for event in TRACING.events:
        routine = PANEL.routine(event)
        assert not (routine and event.kind in ("request", "answered", "amplify", "verdict", "cue"))
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
    kinds = ["pool_wait"] * 5 + ["retry"] * 2 + ["trace"] * 4
    some = [next(event for event in TRACING.events if event.kind == kind) for kind in kinds]
    text = PANEL.fold(some).text
    assert "(5 x)" in text
    assert "2 retries" in text
    assert "4 traces complete, median" in text
    traces = [event for event in TRACING.events if event.kind == "trace" and PANEL.routine(event)][:6]
    wanted = r"6 traces complete, medians (\S+ \S+ [\d.]+ \w+(, )?)+; slowest [\d.]+ \w+"
    assert re.match(wanted, PANEL.fold(traces).text), PANEL.fold(traces).text


def test_the_mistakes_of_the_article_are_named_where_they_are_met() -> None:
    context = " ".join(LESSONS["context"])
    assert "extracts the parent and never uses it" in context
    assert "makes the whole a graph" in " ".join(LESSONS["trace"])
    assert "Not every request is kept" in " ".join(LESSONS["sampling"])
    assert "One trace cannot show what happens at p99" in " ".join(LESSONS["verdict"])
    assert any("One trace cannot show what happens at p99" in paragraph for paragraph in PANEL.help)


def test_every_lesson_is_reached() -> None:
    assert set(OF_KIND.values()) == set(LESSONS)


def test_every_check_has_its_paragraph() -> None:
    assert set(IF_BROKEN) == set(DEMANDS)
