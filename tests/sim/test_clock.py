"""Virtual time, and the queue of what happens next."""

from hypothesis import given
from hypothesis import strategies as st

from engines.sim.clock import Clock


@given(st.lists(st.integers(0, 5), max_size=30))
def test_entries_come_out_by_time_and_then_in_the_order_in_which_they_were_asked_for(times: list[int]) -> None:
    clock = Clock()
    for number, at in enumerate(times):
        clock.schedule(at, number)
    expected = sorted(range(len(times)), key=lambda number: (times[number], number))
    assert [entry[2] for entry in sorted(clock.heap)] == expected


@given(st.lists(st.integers(0, 5), max_size=30), st.sets(st.integers(1, 30)))
def test_removed_entries_are_gone_and_the_rest_stays_a_queue(times: list[int], seqs: set[int]) -> None:
    clock = Clock()
    for at in times:
        clock.schedule(at)
    everything = sorted(clock.heap)
    removed = clock.remove(frozenset(seqs))
    assert removed == [entry for entry in everything if entry[1] in seqs]
    assert sorted(clock.heap) == [entry for entry in everything if entry[1] not in seqs]
    assert all(clock.heap[(child - 1) // 2] <= clock.heap[child] for child in range(1, len(clock.heap)))
