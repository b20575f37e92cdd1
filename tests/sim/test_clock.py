"""Virtual time, and the queue of what happens next."""

from hypothesis import given
from hypothesis import strategies as st

from engines.sim.clock import Clock
from engines.sim.history import FAILED, OK, UNKNOWN, History


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


# -- history: what clients asked and what they were told ---------------------------------------------------------


def test_an_operation_is_invoked_retried_and_returns() -> None:
    clock = Clock()
    history = History(clock)
    history.invoke("c1", 1, "x=1")
    clock.now_us = 30
    history.retry("c1", 1)
    assert history.operations()[0].returned_us is None
    history.finish("c1", 1, OK, 1)
    (operation,) = history.operations()
    assert (operation.invoked_us, operation.returned_us, operation.attempts) == (0, 30, 2)
    assert (operation.status, operation.result) == (OK, 1)


def test_an_operation_that_was_given_up_never_returned() -> None:
    history = History(Clock())
    history.invoke("c1", 1, "x=1")
    history.finish("c1", 1, UNKNOWN)
    assert history.operations()[0].returned_us is None


def test_the_oldest_finished_operations_go_first_and_open_ones_stay() -> None:
    clock = Clock()
    history = History(clock, maximum=3)
    history.invoke("c2", 1, "open")
    for serial in range(10):
        clock.now_us += 1
        history.invoke("c1", serial, "x=1")
        history.finish("c1", serial, FAILED)
    assert [(each.client, each.serial) for each in history.operations()] == [("c2", 1), ("c1", 7), ("c1", 8), ("c1", 9)]
