"""Shrinking a big trace: what is hidden is counted, and what is kept is still a tree."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.tracing.critical import Path, critical_path
from engines.tracing.fold import RowFilter, first_segment, next_critical, visible
from engines.tracing.spans import Kind, Span, Status
from engines.tracing.tree import Tree, build
from tests.engines.tracing.shapes import defective_traces, ident, span

TRACE = [
    span("root", "", 0, 1_000, service="web", kind=Kind.SERVER),
    span("call", "root", 100, 900, service="web", kind=Kind.CLIENT),
    span("serve", "call", 110, 890, service="auth", kind=Kind.SERVER),
    span("acquire connection", "serve", 120, 700, service="auth"),
    span("query", "serve", 700, 890, service="auth", kind=Kind.CLIENT, attributes=(("db.name", "Sessions"),)),
    span("tick", "root", 950, 951, service="web"),
]


def seen(view: RowFilter, spans: list[Span] = TRACE) -> list[str]:
    """The rows as ``..name+hidden``, two dots for each step down."""
    tree = build(spans)
    rows = visible(tree, critical_path(tree), view)
    return [f"{'..' * row.depth}{tree.spans[row.row].name}" + (f"+{row.hidden}" if row.hidden else "") for row in rows]


def test_without_a_wish_everything_is_shown() -> None:
    assert seen(RowFilter()) == ["root", "..call", "....serve", "......acquire connection", "......query", "..tick"]


def test_a_closed_subtree_is_counted() -> None:
    assert seen(RowFilter(folded=frozenset({ident("call")}))) == ["root", "..call+3", "..tick"]


def test_plumbing_is_folded_into_what_it_leads_to() -> None:
    assert seen(RowFilter(plumbing=True)) == ["root", "..serve", "....acquire connection", "....query", "..tick"]
    tree = build(TRACE)
    rows = visible(tree, critical_path(tree), RowFilter(plumbing=True))
    assert [row.through for row in rows] == [0, 1, 0, 0, 0]


@pytest.mark.parametrize(
    "instead",
    [
        {"status": Status.ERROR},
        {"kind": Kind.SERVER},
        {"name": "queue wait"},
        {"start_ns": 0},
    ],
)
def test_what_fails_serves_waits_or_works_is_no_plumbing(instead: dict[str, Any]) -> None:
    changed = [each._replace(**instead) if each.name == "call" else each for each in TRACE]
    assert len(seen(RowFilter(plumbing=True), changed)) == 6


def test_siblings_that_are_alike_are_one_row_for_the_longest() -> None:
    fan = [span(f"k{i}", "root", i, i + 5 + (i == 3), name="quote") for i in range(6)]
    odd = span("odd", "root", 9, 10, name="quote", status=Status.ERROR)
    trace = [span("root", "", 0, 100), *fan, odd, span("deep", "k3", 4, 5), span("gone", "k4", 5, 6)]
    tree = build(trace)
    rows = visible(tree, critical_path(tree), RowFilter(alike=True))
    assert [(tree.spans[each.row].span_id, each.times, each.hidden) for each in rows] == [
        (ident("root"), 1, 6),
        (ident("k3"), 6, 0),
        (ident("deep"), 1, 0),
        (ident("odd"), 1, 0),
    ]


def test_three_of_a_kind_are_shown_each() -> None:
    fan = [span(f"k{i}", "root", i, i + 5, name="quote") for i in range(3)]
    assert seen(RowFilter(alike=True), [span("root", "", 0, 100), *fan]) == ["root", "..quote", "..quote", "..quote"]


def test_calls_are_alike_only_if_they_go_to_one_callee() -> None:
    calls = [span(f"k{i}", "root", i, i + 5, name="GET", kind=Kind.CLIENT) for i in range(6)]
    served = [span(f"s{i}", f"k{i}", i, i + 5, service="abbbbc"[i], kind=Kind.SERVER) for i in range(6)]
    tree = build([span("root", "", 0, 100), *calls, *served])
    rows = visible(tree, critical_path(tree), RowFilter(alike=True))
    assert [each.times for each in rows if tree.spans[each.row].name == "GET"] == [1, 4, 1]


def test_small_spans_are_hidden_and_counted_at_the_row_above() -> None:
    assert seen(RowFilter(at_least_ppm=200_000)) == ["root+1", "..call", "....serve+1", "......acquire connection"]


def test_only_the_critical_path() -> None:
    beside = span("beside", "root", 100, 200)
    assert "..beside" not in seen(RowFilter(only_critical=True), [*TRACE, beside])
    assert seen(RowFilter(only_critical=True), [*TRACE, beside])[0] == "root+1"


@pytest.mark.parametrize("text", ["quer", "AUTH query", "sessions", ident("query")])
def test_a_text_finds_services_operations_ids_and_values_and_keeps_the_way_there(text: str) -> None:
    assert seen(RowFilter(text=text)) == ["root+1", "..call", "....serve+1", "......query"]
    tree = build(TRACE)
    rows = visible(tree, critical_path(tree), RowFilter(text=text))
    assert [row.match for row in rows] == [False, False, False, True]


def test_a_text_nobody_has_leaves_the_root() -> None:
    assert seen(RowFilter(text="nothing like it")) == ["root+5"]


def test_wishes_are_taken_together() -> None:
    view = RowFilter(plumbing=True, at_least_ppm=200_000, only_critical=True, text="auth")
    assert seen(view) == ["root+1", "..serve+1", "....acquire connection"]


def path() -> tuple[Tree, Path]:
    tree = build(TRACE)
    return tree, critical_path(tree)


def test_the_next_critical_segment_goes_round() -> None:
    tree, found = path()
    names = [tree.spans[segment.row].name for segment in found.segments]
    assert names[next_critical(found, 0)] == names[1]
    assert next_critical(found, len(names) - 1) == 0
    assert next_critical(found, 0, step=-1) == len(names) - 1
    assert next_critical(Path(()), 0) == -1


def test_the_first_segment_of_a_row() -> None:
    tree, found = path()
    row = next(i for i, each in enumerate(tree.spans) if each.name == "query")
    assert found.segments[first_segment(found, row)].span_id == ident("query")
    assert first_segment(found, 99) == -1


@settings(max_examples=80, deadline=None)
@given(defective_traces(), st.booleans(), st.sampled_from([0, 100_000]), st.booleans(), st.sampled_from(["", "db"]))
def test_what_is_shown_is_still_a_tree_and_nothing_goes_uncounted(
    trace: list[Span], plumbing: bool, least: int, critical: bool, text: str
) -> None:
    tree = build(trace)
    rows = visible(tree, critical_path(tree), RowFilter(frozenset(), plumbing, False, least, critical, text))
    assert [row.depth for row in rows[:1]] == [0] * bool(rows)
    for above, below in pairwise(rows):
        assert below.depth <= above.depth + 1
    order = {row: place for place, row in enumerate(tree.order)}
    places = [order[row.row] for row in rows]
    assert places == sorted(places)
    if not plumbing and len(tree.roots) == 1:
        assert len(rows) + sum(row.hidden for row in rows) == len(tree.spans)
    if trace and rows:
        assert any(row.row == tree.root for row in rows)
