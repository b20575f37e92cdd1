"""What if a span had taken less: the trace is played again."""

from hypothesis import given, settings
from hypothesis import strategies as st

from engines.tracing.critical import critical_path
from engines.tracing.spans import Kind, Span
from engines.tracing.tree import Tree, build
from engines.tracing.whatif import what_if
from tests.engines.tracing.shapes import defective_traces, span


def row(tree: Tree, name: str) -> int:
    return next(i for i, each in enumerate(tree.spans) if each.name == name)


def saved(spans: list[Span], **cuts: int) -> int:
    tree = build(spans)
    return what_if(tree, {row(tree, name): us for name, us in cuts.items()}).saved_us


def test_time_on_the_path_is_saved_whole_where_nothing_runs_beside_it() -> None:
    assert saved([span("a", "", 0, 100), span("b", "a", 10, 90)], b=50) == 50


def test_what_ran_beside_it_is_then_waited_for() -> None:
    fan = [span("a", "", 0, 100), span("b", "a", 0, 90), span("c", "a", 0, 70)]
    assert saved(fan, b=50) == 20
    assert saved(fan, c=50) == 0
    assert saved(fan, b=50, c=50) == 50


def test_what_came_after_it_comes_sooner() -> None:
    assert saved([span("a", "", 0, 100), span("b", "a", 10, 40), span("c", "a", 45, 95)], b=20) == 20


def test_a_span_waits_for_the_last_of_those_that_ended_together() -> None:
    joined = [span("a", "", 0, 100), span("b", "a", 0, 50), span("c", "a", 10, 50), span("d", "a", 50, 100)]
    assert saved(joined, b=30) == 0
    assert saved(joined, b=30, c=30) == 30


def test_a_saving_reaches_the_root_through_its_ancestors() -> None:
    deep = [span("a", "", 0, 100), span("b", "a", 5, 95), span("c", "b", 10, 90), span("side", "b", 10, 60)]
    assert saved(deep, c=70) == 30


def test_no_span_becomes_shorter_than_nothing() -> None:
    assert saved([span("a", "", 0, 100), span("b", "a", 10, 40)], b=999) == 30


def test_what_does_not_block_saves_nothing() -> None:
    trace = [span("p", "", 0, 50, kind=Kind.PRODUCER), span("c", "p", 0, 50, kind=Kind.CONSUMER)]
    assert saved(trace, c=40) == 0


def test_what_outlasts_its_parent_saves_only_what_lies_inside() -> None:
    trace = [span("a", "", 0, 100), span("b", "a", 0, 150)]
    assert saved(trace, b=50) == 0
    assert saved(trace, b=70) == 20


def test_what_lies_outside_an_ancestor_saves_nothing() -> None:
    assert saved([span("a", "", 100, 200), span("b", "a", 0, 200), span("c", "b", 0, 100)], c=100) == 0


def test_the_root_itself_can_be_cut() -> None:
    assert saved([span("a", "", 0, 100)], a=40) == 40


def test_an_empty_trace_saves_nothing() -> None:
    assert what_if(build([]), {}).saved_us == 0


@settings(max_examples=120, deadline=None)
@given(defective_traces(), st.integers(0, 50))
def test_nothing_cut_reproduces_the_trace_and_no_cut_saves_more_than_it_takes(trace: list[Span], less: int) -> None:
    tree = build(trace)
    every = dict.fromkeys(range(len(tree.spans)), 0)
    assert what_if(tree, every).saved_us == 0
    for i in every:
        found = what_if(tree, {i: less}).saved_us
        assert 0 <= found <= less
    if trace:
        on_path = critical_path(tree).on_path
        assert all(what_if(tree, {i: less}).saved_us == 0 or i in on_path or _has_path_below(tree, i) for i in every)


def _has_path_below(tree: Tree, above: int) -> bool:
    """Whether some span of the critical path hangs below this row."""
    for each in critical_path(tree).on_path:
        while each >= 0:
            if each == above:
                return True
            each = tree.parent[each]
    return False
