"""The critical path and self time, rule by rule, and then on random traces with every defect."""

import sys
from itertools import pairwise

from hypothesis import given, settings

from engines.tracing.critical import NoLength, critical_path, fault_of, is_blocking, self_times
from engines.tracing.spans import FOLLOWS_FROM, Kind, Span
from engines.tracing.tree import Tree, build
from tests.engines.tracing.shapes import chain, defective_traces, ident, span


def path(*spans: Span) -> list[tuple[str, int, int]]:
    """The critical path as (name, start, end)."""
    tree = build(spans)
    found = critical_path(tree)
    assert found.total_us == tree.duration_us
    return [(tree.spans[each.row].name, each.start_us, each.end_us) for each in found.segments]


def own(*spans: Span) -> dict[str, int]:
    """Self time by name."""
    tree = build(spans)
    return {tree.spans[i].name: time for i, time in enumerate(self_times(tree))}


# -- the critical path -------------------------------------------------------------------------------------------


def test_a_span_alone_is_the_whole_path() -> None:
    assert path(span("a", "", 0, 10)) == [("a", 0, 10)]


def test_the_gap_around_a_child_is_the_parents_own() -> None:
    assert path(span("a", "", 0, 10), span("b", "a", 2, 7)) == [("a", 0, 2), ("b", 2, 7), ("a", 7, 10)]


def test_take_the_child_that_ends_last() -> None:
    assert path(span("a", "", 0, 10), span("long", "a", 1, 6), span("last", "a", 2, 8)) == [
        ("a", 0, 2),
        ("last", 2, 8),
        ("a", 8, 10),
    ]


def test_siblings_one_after_the_other_are_both_on_the_path() -> None:
    assert path(span("a", "", 0, 10), span("b", "a", 1, 4), span("c", "a", 5, 9)) == [
        ("a", 0, 1),
        ("b", 1, 4),
        ("a", 4, 5),
        ("c", 5, 9),
        ("a", 9, 10),
    ]


def test_touching_siblings_both_count() -> None:
    assert path(span("a", "", 0, 10), span("b", "a", 0, 5), span("c", "a", 5, 10)) == [("b", 0, 5), ("c", 5, 10)]


def test_a_child_straddling_the_cursor_is_overlapped_by_the_later_sibling_and_skipped() -> None:
    assert path(span("a", "", 0, 10), span("b", "a", 0, 6), span("c", "a", 5, 10)) == [("a", 0, 5), ("c", 5, 10)]


def test_of_children_that_end_together_the_longest_is_taken() -> None:
    trace = [span("a", "", 0, 10), span("short", "a", 5, 8), span("long", "a", 1, 8), span("mid", "a", 3, 8)]
    assert path(*trace) == [("a", 0, 1), ("long", 1, 8), ("a", 8, 10)]


def test_clipped_children_end_together_too() -> None:
    trace = [span("a", "", 0, 10), span("short", "a", 5, 99), span("long", "a", 1, 11)]
    assert path(*trace) == [("a", 0, 1), ("long", 1, 10)]


def test_a_zero_length_child_at_the_cursor_is_not_picked_for_ever() -> None:
    trace = [span("a", "", 0, 10), span("z", "a", 10, 10), span("y", "a", 4, 4), span("x", "a", 0, 0)]
    assert path(*trace) == [("a", 0, 10)]


def test_a_zero_length_child_between_touching_siblings_is_passed_over() -> None:
    trace = [span("a", "", 0, 10), span("b", "a", 0, 5), span("z", "a", 5, 5), span("c", "a", 5, 10)]
    assert path(*trace) == [("b", 0, 5), ("c", 5, 10)]


def test_a_child_fully_outside_its_parent_is_dropped_with_its_subtree() -> None:
    trace = [
        span("a", "", 10, 20),
        span("before", "a", 0, 10),
        span("after", "a", 20, 30),
        span("inside", "after", 12, 18),
    ]
    assert path(*trace) == [("a", 10, 20)]


def test_overflow_is_clipped_on_both_sides() -> None:
    assert path(span("a", "", 10, 20), span("b", "a", 5, 25)) == [("b", 10, 20)]


def test_the_clip_is_inherited() -> None:
    trace = [span("a", "", 10, 20), span("b", "a", 5, 25), span("c", "b", 18, 24), span("d", "b", 6, 12)]
    assert path(*trace) == [("d", 10, 12), ("b", 12, 18), ("c", 18, 20)]


def test_a_grandchild_outside_the_clipped_window_is_dropped_though_inside_its_parent() -> None:
    assert path(span("a", "", 10, 20), span("b", "a", 15, 30), span("c", "b", 22, 28)) == [("a", 10, 15), ("b", 15, 20)]


def test_a_consumer_below_a_producer_does_not_block() -> None:
    producer = span("publish", "a", 2, 9, kind=Kind.PRODUCER)
    assert path(span("a", "", 0, 10), producer, span("consume", "publish", 3, 8, kind=Kind.CONSUMER)) == [
        ("a", 0, 2),
        ("publish", 2, 9),
        ("a", 9, 10),
    ]


def test_a_consumer_below_anything_else_blocks_and_so_does_anything_else_below_a_producer() -> None:
    producer, consumer = span("p", "", 0, 1, kind=Kind.PRODUCER), span("c", "", 0, 1, kind=Kind.CONSUMER)
    server = span("s", "", 0, 1, kind=Kind.SERVER)
    assert not is_blocking(producer, consumer)
    assert is_blocking(server, consumer)
    assert is_blocking(producer, server)


def test_a_child_that_only_follows_from_its_parent_does_not_block() -> None:
    follower = span("later", "a", 2, 9, attributes=(("peer", "x"), FOLLOWS_FROM))
    assert path(span("a", "", 0, 10), follower) == [("a", 0, 10)]
    assert own(span("a", "", 0, 10), follower)["a"] == 10
    assert not is_blocking(span("a", "", 0, 10), follower)


def test_a_span_that_ends_before_it_starts_holds_up_nothing() -> None:
    assert path(span("a", "", 0, 10), span("b", "a", 6, 3)) == [("a", 0, 10)]


def test_a_missing_root_owns_what_its_children_leave() -> None:
    assert path(span("x", "gone", 3, 5), span("y", "gone", 7, 9)) == [
        ("x", 3, 5),
        ("missing span", 5, 7),
        ("y", 7, 9),
    ]


def test_no_spans_have_no_path_and_the_reason_is_said() -> None:
    assert critical_path(build([])) == ((), NoLength.NO_SPANS)


def test_a_root_without_a_length_has_one_segment_and_the_reason_is_said() -> None:
    found = critical_path(build([span("a", "", 4, 4), span("b", "a", 4, 9)]))
    assert [(each.span_id, each.duration_us) for each in found.segments] == [(ident("a"), 0)]
    assert found.reason == NoLength.NO_TIME


def test_any_span_can_be_asked_for_its_own_path() -> None:
    tree = build([span("a", "", 0, 10), span("b", "a", 2, 7), span("c", "b", 3, 7)])
    found = critical_path(tree, root=1)
    assert [(tree.spans[each.row].name, each.start_us, each.end_us) for each in found.segments] == [
        ("b", 2, 3),
        ("c", 3, 7),
    ]


def test_a_chain_of_8000_spans_does_not_exhaust_the_stack() -> None:
    tree = build(chain(8_000))
    assert sys.getrecursionlimit() < 8_000
    found = critical_path(tree)
    assert found.total_us == tree.duration_us
    assert tree.spans[max(found.on_path, key=lambda row: tree.depth[row])].span_id == f"{8_000:016x}"


def test_a_path_that_is_no_partition_is_found_out() -> None:
    tree = build([span("a", "", 0, 10), span("b", "a", 2, 7)])
    good = critical_path(tree)
    first, second, third = good.segments
    assert fault_of(tree, good) == ""
    for broken in (
        (first, third),
        (first, second),
        (second, third),
        (first, second, second, third),
        (first, second, third._replace(end_us=11)),
        (),
    ):
        assert fault_of(tree, good._replace(segments=broken))
    assert fault_of(build([]), critical_path(build([]))) == ""
    assert fault_of(build([]), good)


# -- self time ---------------------------------------------------------------------------------------------------


def test_self_time_is_what_no_blocking_child_covers() -> None:
    trace = [
        span("a", "", 0, 10),
        span("b", "a", 1, 4),
        span("c", "a", 3, 6),
        span("d", "a", 8, 9),
        span("e", "b", 2, 9),
    ]
    assert own(*trace) == {"a": 4, "b": 1, "c": 3, "d": 1, "e": 7}


def test_self_time_clips_children_on_both_sides() -> None:
    trace = [span("a", "", 10, 20), span("b", "a", 5, 12), span("c", "a", 19, 30), span("out", "a", 30, 40)]
    assert own(*trace)["a"] == 7


def test_a_consumer_takes_nothing_from_its_producers_self_time() -> None:
    trace = [span("p", "", 0, 10, kind=Kind.PRODUCER), span("c", "p", 2, 9, kind=Kind.CONSUMER)]
    assert own(*trace) == {"p": 10, "c": 7}


# -- laws --------------------------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(defective_traces())
def test_the_path_is_an_exact_partition_of_the_roots_interval(trace: list[Span]) -> None:
    tree = build(trace)
    found = critical_path(tree)
    if not trace:
        assert found == ((), NoLength.NO_SPANS)
        return
    assert fault_of(tree, found) == ""
    assert sum(each.duration_us for each in found.segments) == tree.duration_us
    assert found.segments[0].start_us == tree.start_us[tree.root]
    assert found.segments[-1].end_us == tree.end_us[tree.root]
    for one, following in pairwise(found.segments):
        assert one.end_us == following.start_us
    for each in found.segments:
        assert tree.start_us[each.row] <= each.start_us <= each.end_us <= tree.end_us[each.row]
        assert each.span_id == tree.spans[each.row].span_id
        assert each.duration_us > 0 or found.reason == NoLength.NO_TIME


def by_the_rules(tree: Tree, row: int, start: int, end: int) -> list[tuple[int, int, int]]:
    """The rules as they are written: from the end backwards, children clipped to the window, each taken once."""
    found: list[tuple[int, int, int]] = []
    cursor = end
    left = {
        kid: (max(tree.start_us[kid], start), min(tree.end_us[kid], end))
        for kid in tree.children[row]
        if is_blocking(tree.spans[row], tree.spans[kid])
    }
    while True:
        able = [kid for kid, (begins, ends) in left.items() if begins < ends <= cursor]
        if not able:
            break
        last = max(able, key=lambda kid: (left[kid][1], -left[kid][0], -kid))
        begins, ends = left.pop(last)
        found = [*by_the_rules(tree, last, begins, ends), *[(row, ends, cursor)] * (ends < cursor), *found]
        cursor = begins
    return [*[(row, start, cursor)] * (start < cursor), *found]


@settings(max_examples=300, deadline=None)
@given(defective_traces())
def test_the_path_is_what_the_rules_written_out_come_to(trace: list[Span]) -> None:
    tree = build(trace)
    found = critical_path(tree)
    if tree.duration_us:
        plain = by_the_rules(tree, tree.root, tree.start_us[tree.root], tree.end_us[tree.root])
        assert [(each.row, each.start_us, each.end_us) for each in found.segments] == plain


@settings(max_examples=200, deadline=None)
@given(defective_traces())
def test_every_span_on_the_path_is_reached_through_blocking_children(trace: list[Span]) -> None:
    tree = build(trace)
    for row in critical_path(tree).on_path:
        while row != tree.root:
            above = tree.parent[row]
            assert is_blocking(tree.spans[above], tree.spans[row])
            row = above


@settings(max_examples=200, deadline=None)
@given(defective_traces())
def test_self_time_counts_the_microseconds_no_blocking_child_covers(trace: list[Span]) -> None:
    tree = build(trace)
    for i, time in enumerate(self_times(tree)):
        kids = [kid for kid in tree.children[i] if is_blocking(tree.spans[i], tree.spans[kid])]
        instants = range(tree.start_us[i], tree.end_us[i])
        assert time == sum(not any(tree.start_us[k] <= at < tree.end_us[k] for k in kids) for at in instants)
