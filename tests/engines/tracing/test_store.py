"""The store: bounded by whole traces, oldest first, and never half a trace."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.tracing.spans import Span
from engines.tracing.store import SpanStore


def span(trace: str, number: int = 0) -> Span:
    return Span(trace, f"{number:016x}", "", "work", "web", start_ns=number)


def filled(max_spans: int, arrivals: str) -> SpanStore:
    """A store into which one span arrived for every letter; the letter is the trace."""
    store = SpanStore(max_spans)
    for number, trace in enumerate(arrivals):
        store.add(span(trace, number))
    return store


def test_the_oldest_trace_goes_whole() -> None:
    store = filled(4, "aabb")
    assert store.add(span("c", 9)) == ("a",)
    assert store.trace_ids() == ("b", "c")
    assert len(store) == 3
    assert (store.evicted_traces, store.evicted_spans) == (1, 2)


def test_age_is_the_arrival_of_the_first_span_not_of_the_last() -> None:
    assert filled(4, "abba" + "c").trace_ids() == ("b", "c")


def test_one_span_may_cost_several_traces() -> None:
    store = filled(3, "abc")
    store.add(span("c", 7))
    assert store.add(span("c", 8)) == ("b",)
    assert store.trace_ids() == ("c",)


def test_a_late_span_joins_its_trace() -> None:
    store = filled(9, "aba")
    assert [each.start_ns for each in store.trace("a")] == [0, 2]
    store.add(span("a", 5))
    assert [each.start_ns for each in store.trace("a")] == [0, 2, 5]
    assert store.span_count("a") == 3


def test_a_span_late_for_an_evicted_trace_is_refused_and_counted() -> None:
    store = filled(2, "abb")
    assert store.trace_ids() == ("b",)
    assert store.add(span("a", 9)) == ()
    assert store.trace("a") == ()
    assert "a" not in store
    assert store.refused_spans == 1


def test_a_trace_larger_than_the_store_goes_whole_too() -> None:
    store = filled(3, "aaaa" + "aa" + "b")
    assert store.trace_ids() == ("b",)
    assert store.refused_spans == 2


def test_the_memory_of_evicted_traces_is_bounded() -> None:
    store = SpanStore(5)
    for number in range(1_000):
        store.add(span(f"t{number}", number))
    assert len(pickle.dumps(store)) < 3_000


def test_the_same_tuple_is_handed_out_until_the_trace_changes() -> None:
    store = filled(9, "ab")
    first = store.trace("a")
    store.add(span("b", 4))
    assert store.trace("a") is first
    store.add(span("a", 5))
    assert store.trace("a") is not first


def test_looking_changes_nothing_that_is_pickled() -> None:
    store = filled(9, "abab")
    before = pickle.dumps(store)
    store.trace("a")
    assert pickle.dumps(store) == before
    assert pickle.loads(before).trace("a") == store.trace("a")


def test_the_oldest_trace_can_be_taken_out_whole() -> None:
    store = filled(9, "abab")
    assert [each.start_ns for each in store.pop_oldest()] == [0, 2]
    assert store.trace_ids() == ("b",)
    assert store.add(span("a", 9)) == ()
    assert store.refused_spans == 1
    assert len(store.pop_oldest()) == 2
    assert store.pop_oldest() == ()


def test_a_store_for_no_span_is_a_bug() -> None:
    with pytest.raises(ValueError, match="holds nothing"):
        SpanStore(0)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 12), st.lists(st.integers(0, 8), max_size=60))
def test_it_never_holds_half_a_trace(max_spans: int, arrivals: list[int]) -> None:
    store = SpanStore(max_spans)
    arrived: dict[str, list[Span]] = {}
    gone: set[str] = set()
    for number, trace in enumerate(arrivals):
        made = span(f"t{trace}", number)
        arrived.setdefault(made.trace_id, []).append(made)
        gone.update(store.add(made))
        assert len(store) <= max_spans
        assert len(store) == sum(store.span_count(each) for each in store.trace_ids())
        if len(gone) <= max_spans:
            for each in arrived:
                assert list(store.trace(each)) == ([] if each in gone else arrived[each])
    assert len(store) + store.evicted_spans + store.refused_spans == len(arrivals)
