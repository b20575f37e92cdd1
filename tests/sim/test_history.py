"""What clients asked and were told, kept whole: nothing is dropped, nothing is copied, nothing is mixed up."""

import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.consensus.pattern import PATTERN
from engines.consensus.raft.commands import SetWorkload
from engines.consensus.raft.engine import RaftEngine
from engines.sim import faults, timeline
from engines.sim.clock import Clock
from engines.sim.history import FAILED, OK, UNKNOWN, History, RecentHistory
from engines.sim.timeline import Timeline
from engines.units import US_PER_S


def test_an_operation_is_invoked_retried_and_returns() -> None:
    clock = Clock()
    history = History(clock)
    history.invoke("c1", 1, "set", "x", 1)
    clock.now_us = 30
    history.retry("c1", 1)
    assert history.operations()[0].returned_us is None
    history.finish("c1", 1, OK, 1)
    (operation,) = history.operations()
    assert (operation.f, operation.key, operation.value) == ("set", "x", 1)
    assert (operation.invoked_us, operation.returned_us, operation.attempts) == (0, 30, 2)
    assert (operation.status, operation.result) == (OK, 1)


def test_an_operation_that_was_given_up_never_returned() -> None:
    history = History(Clock())
    history.invoke("c1", 1, "set", "x", 1)
    history.finish("c1", 1, UNKNOWN)
    (operation,) = history.operations()
    assert (operation.status, operation.returned_us, operation.end) == (UNKNOWN, None, None)


def test_what_is_of_one_moment_still_has_an_order() -> None:
    history = History(Clock())
    history.invoke("c1", 1, "set", "x", 1)
    history.finish("c1", 1, OK, 1)
    history.invoke("c2", 1, "get", "x")
    one, two = history.operations()
    assert one.returned_us == two.invoked_us
    assert one.end is not None
    assert one.end < two.start


def test_nothing_is_dropped_however_long_the_run() -> None:
    history = History(Clock())
    for serial in range(5_000):
        history.invoke("c1", serial, "add", "x", 1)
        history.finish("c1", serial, OK, serial + 1)
    assert [each.result for each in history.operations()] == list(range(1, 5_001))
    assert [each.serial for each in history.recent("c1")] == list(range(4_988, 5_000))


def test_an_operation_takes_at_most_64_bytes() -> None:
    history = History(Clock())
    for serial in range(1_000):
        history.invoke("c1", serial, "add", "x", -(1 << 40))
        history.finish("c1", serial, OK, None)
    assert history.tape.size <= 64 * 1_000
    assert history.operations()[-1].value == -(1 << 40)
    assert history.operations()[-1].result is None


def test_a_history_that_nobody_judges_keeps_the_newest_and_what_is_open() -> None:
    clock = Clock()
    history = RecentHistory(clock, maximum=3)
    history.invoke("c2", 1, "set", "x", 1)
    for serial in range(10):
        clock.now_us += 1
        history.invoke("c1", serial, "set", "x", 1)
        history.finish("c1", serial, FAILED)
    assert [(each.client, each.serial) for each in history.operations()] == [("c2", 1), ("c1", 7), ("c1", 8), ("c1", 9)]


# -- checkpoints -------------------------------------------------------------------------------------------------


def test_a_pickle_refers_to_the_tape_by_its_length_and_never_copies_it() -> None:
    history = History(Clock())
    sizes = []
    for serial in range(2_000):
        history.invoke("c1", serial, "add", "x", 1)
        history.finish("c1", serial, OK, 1)
        if serial in (100, 1_999):
            sizes.append(len(pickle.dumps(history, protocol=5)))
    assert sizes[1] - sizes[0] < 64
    copy = pickle.loads(pickle.dumps(history))
    assert copy.tape is history.tape


def test_a_rewind_truncates_and_the_same_future_is_not_written_twice() -> None:
    history = History(Clock())
    history.invoke("c1", 1, "set", "x", 1)
    earlier = pickle.dumps(history)
    history.finish("c1", 1, OK, 1)
    back: History = pickle.loads(earlier)
    assert [each.status for each in back.operations()] == ["invoked"]
    back.finish("c1", 1, OK, 1)
    assert back.tape is history.tape
    assert len(back.tape) == 2


def test_another_future_leaves_the_first_as_it_was() -> None:
    history = History(Clock())
    history.invoke("c1", 1, "get", "x")
    earlier = pickle.dumps(history)
    history.finish("c1", 1, OK, 1)
    back: History = pickle.loads(earlier)
    back.finish("c1", 1, OK, 2)
    assert [each.result for each in back.operations()] == [2]
    assert [each.result for each in history.operations()] == [1]


Deed = tuple[str, int, int]
deeds = st.lists(st.tuples(st.sampled_from(("ask", "told", "lost", "back", "save")), st.integers(0, 2),
                           st.integers(0, 3)), max_size=60)  # fmt: skip


@settings(max_examples=200)
@given(deeds)
def test_it_holds_what_a_list_of_everything_would_hold(deeds: list[Deed]) -> None:
    """Against a model that copies all it knows, through any sequence of rewinds."""
    history = History(Clock())
    model: list[list[Any]] = []
    serial = 0
    saved: list[tuple[History, bytes, list[list[Any]], int]] = [(history, pickle.dumps(history), [], 0)]
    for what, client, value in deeds:
        open_now = [each for each in model if each[0] == f"c{client}" and each[3] == "invoked"]
        if what == "ask" and not open_now:
            serial += 1
            history.invoke(f"c{client}", serial, "set", "xyzw"[value], value)
            model.append([f"c{client}", serial, value, "invoked", None])
        elif what in ("told", "lost") and open_now:
            status = OK if what == "told" else UNKNOWN
            history.finish(f"c{client}", open_now[0][1], status, value if what == "told" else None)
            open_now[0][3:] = [status, value if what == "told" else None]
        elif what == "save":
            saved.append((history, pickle.dumps(history), [list(each) for each in model], serial))
        elif what == "back":
            _, blob, old, serial = saved[value % len(saved)]
            history, model = pickle.loads(blob), [list(each) for each in old]
        found = [[each.client, each.serial, each.value, each.status, each.result] for each in history.operations()]
        assert found == model


def test_the_histories_of_all_branches_stay_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "CHECKPOINT_EVERY", 100)
    variant = PATTERN.variant("raft")
    run: Timeline[Any, Any] = Timeline(variant, 5, (("workload", "busy"),))
    run.advance(4 * US_PER_S)
    whole = run.engine.history.operations()  # type: ignore[attr-defined]
    assert len(whole) > 30
    middle = run.position // 2
    run.seek(middle)
    part = run.engine.history.operations()  # type: ignore[attr-defined]
    assert [each.serial for each in part] == [each.serial for each in whole[: len(part)]]
    run.submit(SetWorkload("off"))
    run.submit(faults.Heal())
    run.advance(run.now_us + US_PER_S)
    other = run.engine.history.operations()  # type: ignore[attr-defined]
    assert len(other) < len(whole)
    run.visit(0)
    assert run.engine.history.operations() == whole  # type: ignore[attr-defined]
    run.seek(middle + 150)
    run.visit(1)
    assert run.engine.history.operations() == other  # type: ignore[attr-defined]


def test_the_history_of_a_run_is_longer_than_any_window() -> None:
    engine = RaftEngine(3, (("workload", "flood"), ("clients", 4)))
    engine.run(8 * US_PER_S, 1 << 60)
    operations = engine.history.operations()
    assert len(operations) > 300
    assert [each.serial for each in operations if each.client == "c1"][:3] == [1, 2, 3]
