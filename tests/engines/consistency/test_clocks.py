"""Clocks: the four verdicts, merge, dots, hybrid time, pruning; their laws on any input."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.consistency import (
    ClockTooFarAheadError,
    Dot,
    HybridClock,
    Order,
    Siblings,
    Stamp,
    VectorClock,
    both_greater,
    prune,
)

CLOCKS = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3)).map(VectorClock.of)


@given(CLOCKS, CLOCKS)
def test_one_of_four_verdicts_and_its_mirror(one: VectorClock, other: VectorClock) -> None:
    mirror = {Order.BEFORE: Order.AFTER, Order.AFTER: Order.BEFORE}
    verdict = one.compare(other)
    assert other.compare(one) is mirror.get(verdict, verdict)
    assert (verdict is Order.EQUAL) == (one == other)
    nodes = "abcd"
    less = all(one.get(node) <= other.get(node) for node in nodes)
    more = all(one.get(node) >= other.get(node) for node in nodes)
    assert (verdict is Order.CONCURRENT) == (not less and not more)


@given(CLOCKS, CLOCKS)
def test_that_each_of_two_clocks_is_greater_is_never_true(one: VectorClock, other: VectorClock) -> None:
    assert not both_greater(one, other)


@given(CLOCKS, CLOCKS, CLOCKS)
def test_merge_is_the_least_upper_bound(one: VectorClock, other: VectorClock, bound: VectorClock) -> None:
    merged = one.merge(other)
    assert one <= merged
    assert other <= merged
    assert merged == other.merge(one)
    assert one.merge(one) == one
    assert one.merge(other).merge(bound) == one.merge(other.merge(bound))
    if one <= bound and other <= bound:
        assert merged <= bound


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=12))
def test_the_verdict_is_reachability(steps: list[tuple[int, int]]) -> None:
    """Each step: a node acts, having heard from another (or from itself: nothing new)."""
    clocks = [VectorClock() for _ in range(3)]
    newest: list[int | None] = [None] * 3
    events: list[tuple[VectorClock, set[int]]] = []
    for node, heard in steps:
        past: set[int] = set()
        for each in (newest[node], newest[heard]):
            if each is not None:
                past |= events[each][1] | {each}
        clocks[node] = clocks[node].merge(clocks[heard]).tick(str(node))
        events.append((clocks[node], past))
        newest[node] = len(events) - 1
    for at, (one, _) in enumerate(events):
        for later, (other, past) in enumerate(events):
            if later > at:
                assert one.compare(other) is (Order.BEFORE if at in past else Order.CONCURRENT)


def test_an_entry_that_is_missing_is_zero() -> None:
    assert VectorClock.of({"a": 0, "b": 1}) == VectorClock.of({"b": 1})
    assert VectorClock.of({"a": 1}).compare(VectorClock.of({"b": 1})) is Order.CONCURRENT
    assert str(VectorClock.of({"b": 2, "a": 1})) == "{a:1, b:2}"


def test_dynamo_figure_3() -> None:
    d1 = VectorClock().tick("x")
    d2 = d1.tick("x")
    d3, d4 = d2.tick("y"), d2.tick("z")
    assert d3.compare(d4) is Order.CONCURRENT
    assert d2.compare(d3) is d2.compare(d4) is Order.BEFORE
    assert d3.merge(d4).tick("x") == VectorClock.of({"x": 3, "y": 1, "z": 1})


def test_pruning_makes_false_concurrency() -> None:
    old = VectorClock.of({f"n{i}": 1 for i in range(10)})
    new = old.tick("n10")
    touched = {f"n{i}": i for i in range(11)}
    cut = prune(new, touched)
    assert len(cut) == 10
    assert cut.get("n0") == 0
    assert old.compare(new) is Order.BEFORE
    assert old.compare(cut) is Order.CONCURRENT
    assert prune(old, touched) == old


def test_dots_keep_what_the_client_has_not_seen() -> None:
    """Put a blind, b blind, then c with context {A:1}: a goes, b and c stay."""
    one = Siblings().put("A", "a")
    two = one.put("A", "b")
    assert two.values == ((Dot("A", 1), "a"), (Dot("A", 2), "b"))
    three = two.put("A", "c", VectorClock.of({"A": 1}))
    assert three.values == ((Dot("A", 2), "b"), (Dot("A", 3), "c"))
    assert three.put("A", "d", three.context).read() == ("d",)


def test_two_equal_puts_are_two_dots() -> None:
    assert Siblings().put("A", "v").put("A", "v").read() == ("v", "v")


PUTS = st.lists(st.tuples(st.sampled_from("AB"), st.booleans(), st.booleans()), max_size=8)


@given(PUTS)
def test_merging_siblings_is_a_least_upper_bound(puts: list[tuple[str, bool, bool]]) -> None:
    held = {"A": Siblings(), "B": Siblings()}
    for number, (server, informed, sync) in enumerate(puts):
        context = held[server].context if informed else VectorClock()
        held[server] = held[server].put(server, number, context)
        if sync:
            held["A"] = held["B"] = held["A"].merge(held["B"])
    one, other = held["A"], held["B"]
    merged = one.merge(other)
    assert merged == other.merge(one) == merged.merge(one) == merged.merge(merged)
    assert set(merged.read()) <= set(one.read()) | set(other.read())


@pytest.mark.parametrize(
    ("last", "wall", "stamp", "expected"),
    [
        (Stamp(10, 0), 12, Stamp(11, 3), Stamp(12, 0)),
        (Stamp(12, 0), 9, Stamp(12, 5), Stamp(12, 6)),
        (Stamp(10, 0), 10, None, Stamp(10, 1)),
        (Stamp(12, 6), 8, None, Stamp(12, 7)),
        (Stamp(12, 2), 9, Stamp(11, 5), Stamp(12, 3)),
        (Stamp(10, 2), 9, Stamp(11, 5), Stamp(11, 6)),
    ],
)
def test_hybrid_time_by_hand(last: Stamp, wall: int, stamp: Stamp | None, expected: Stamp) -> None:
    clock = HybridClock(last)
    assert (clock.send(wall) if stamp is None else clock.receive(wall, stamp)) == expected


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20), st.booleans()), max_size=20))
def test_hybrid_time_grows_with_causality_and_never_lags(steps: list[tuple[int, int, bool]]) -> None:
    clocks = [HybridClock(), HybridClock()]
    sent = Stamp(0)
    for node, wall, receive in steps:
        before = clocks[node].last
        stamp = clocks[node].receive(wall, sent) if receive else clocks[node].send(wall)
        assert stamp > before
        assert stamp.l_us >= wall
        if receive:
            assert stamp > sent
        sent = stamp


def test_a_stamp_from_too_far_ahead_is_refused_and_changes_nothing() -> None:
    clock = HybridClock(Stamp(10, 1), bound_us=5)
    with pytest.raises(ClockTooFarAheadError, match="at most 5 are accepted"):
        clock.receive(10, Stamp(16))
    assert clock.last == Stamp(10, 1)
    assert clock.receive(10, Stamp(15)) == Stamp(15, 1)
