"""Aggregates per service and operation; percentiles by nearest rank."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.tracing.aggregate import COLUMNS, P50, P90, P99, aggregate, percentile, rank, sort
from engines.tracing.critical import critical_path
from engines.tracing.spans import Span, Status
from engines.tracing.tree import build
from tests.engines.tracing.shapes import defective_traces, span


def rows_of(*traces: list[Span]):  # type: ignore[no-untyped-def]
    trees = [build(spans) for spans in traces]
    return aggregate((tree, critical_path(tree)) for tree in trees)


def test_a_row_counts_spans_errors_and_times() -> None:
    one = [span("a", "", 0, 100), span("b", "a", 10, 40, status=Status.ERROR)]
    other = [span("a", "", 0, 50), span("b", "a", 10, 30)]
    rows = rows_of(one, other)
    a, b = rows
    assert (a.service, a.operation, a.spans, a.errors) == ("svc", "a", 2, 0)
    assert (a.total_us, a.self_us, a.path_us) == (150, 100, 100)
    assert (b.spans, b.errors, b.total_us, b.self_us, b.p50_us, b.p99_us, b.max_us) == (2, 1, 50, 50, 20, 30, 30)


def test_what_is_missing_is_not_counted_but_its_time_on_the_path_is() -> None:
    missing = next(row for row in rows_of([span("x", "gone", 0, 4), span("y", "gone", 6, 9)]) if row.service == "")
    assert (missing.spans, missing.total_us, missing.path_us) == (0, 0, 2)


@pytest.mark.parametrize("by", COLUMNS)
def test_rows_can_be_sorted_by_every_column(by: str) -> None:
    rows = rows_of([span("a", "", 0, 100), span("b", "a", 10, 40), span("c", "a", 50, 60)])
    up, down = sort(rows, by), sort(rows, by, descending=True)
    assert [getattr(row, by) for row in up] == sorted(getattr(row, by) for row in rows)
    assert [getattr(row, by) for row in down] == sorted((getattr(row, by) for row in rows), reverse=True)


def test_equal_rows_stay_in_the_order_of_their_names() -> None:
    rows = rows_of([span("a", "", 0, 10), span("b", "a", 1, 2), span("c", "a", 3, 4)])
    assert [row.operation for row in sort(rows, "errors", descending=True)] == ["a", "b", "c"]


def test_the_percentile_is_the_value_at_rank_ceil_of_p_times_n() -> None:
    hundred = list(range(1, 101))
    assert [percentile(hundred, ppm) for ppm in (0, P50, P90, P99, 1_000_000)] == [1, 50, 90, 99, 100]
    assert percentile([7], P99) == 7
    assert percentile([1, 2], P50) == 1
    assert percentile([1, 2, 3], P50) == 2
    assert percentile([], P50) == 0
    assert rank(101, P99) == 100


@settings(max_examples=40, deadline=None)
@given(st.lists(defective_traces(), max_size=4))
def test_time_on_critical_paths_adds_up_to_the_durations(traces: list[list[Span]]) -> None:
    rows = rows_of(*traces)
    assert sum(row.path_us for row in rows) == sum(build(trace).duration_us for trace in traces)
    assert sum(row.spans for row in rows) == sum(build(trace).real for trace in traces)
    assert sum(row.errors for row in rows) == sum(build(trace).errors() for trace in traces)
