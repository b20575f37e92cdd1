"""Two traces side by side."""

from hypothesis import given, settings

from engines.tracing.compare import Diff, compare
from engines.tracing.critical import critical_path
from engines.tracing.spans import Kind, Span
from engines.tracing.tree import build
from tests.engines.tracing.requests import MS, login
from tests.engines.tracing.shapes import defective_traces, span


def diff(one: list[Span], other: list[Span]) -> Diff:
    trees = build(one), build(other)
    return compare((trees[0], critical_path(trees[0])), (trees[1], critical_path(trees[1])))


def test_the_largest_difference_comes_first() -> None:
    found = diff(login(1), login(2, pool_us=900 * MS, db_us=5 * MS))
    assert [(row.service, row.operation, row.path_diff_us) for row in found.largest()] == [
        ("auth", "acquire connection", 900 * MS),
        ("auth-db", "SELECT tokens", MS),
    ]
    assert found.diff_us == 901 * MS


def test_what_only_one_of_them_does_has_an_empty_side() -> None:
    row = next(row for row in diff(login(1), login(2, pool_us=900)).rows if row.operation == "acquire connection")
    assert (row.one.spans, row.other.spans, row.depth) == (0, 1, 3)


def test_siblings_of_one_operation_are_one_row() -> None:
    fan = [span("root", "", 0, 100), *(span(f"k{i}", "root", i, i + 5, name="quote") for i in range(14))]
    found = diff(fan, [span("root", "", 0, 90), span("k", "root", 1, 4, name="quote")])
    assert [(row.operation, row.one.spans, row.other.spans) for row in found.rows] == [("root", 1, 1), ("quote", 14, 1)]


def test_calls_to_different_services_are_different_rows() -> None:
    def calls(*callees: str) -> list[Span]:
        made = [span("root", "", 0, 100)]
        for i, name in enumerate(callees):
            made.append(span(f"k{i}", "root", i, i + 5, name="GET", kind=Kind.CLIENT))
            made.append(span(f"s{i}", f"k{i}", i, i + 5, name="GET /", service=name, kind=Kind.SERVER))
        return made

    found = diff(calls("auth", "cart"), calls("cart", "cart"))
    assert [(row.callee, row.one.spans, row.other.spans) for row in found.rows if row.operation == "GET"] == [
        ("auth", 1, 0),
        ("cart", 1, 2),
    ]


def test_roots_are_paired_whatever_they_are_called() -> None:
    found = diff([span("a", "", 0, 10)], [span("b", "", 0, 30)])
    assert [(row.operation, row.path_diff_us) for row in found.rows] == [("a", 20)]


def test_a_trace_against_nothing_is_all_difference() -> None:
    found = diff([], login(2))
    assert found.one_us == 0
    assert found.diff_us == sum(row.path_diff_us for row in found.rows) > 0


@settings(max_examples=60, deadline=None)
@given(defective_traces(), defective_traces())
def test_the_differences_on_the_path_add_up_exactly(one: list[Span], other: list[Span]) -> None:
    found = diff(one, other)
    assert sum(row.path_diff_us for row in found.rows) == found.diff_us
    assert sum(row.one.spans for row in found.rows) == len(build(one).spans)
    assert sum(row.other.spans for row in found.rows) == len(build(other).spans)
