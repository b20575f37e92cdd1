"""The judges: worked histories, the lattice, and agreement with definitions by brute force."""

import doctest
import random
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

import engines.consistency as face
from engines.consistency import (
    CAS_REGISTER,
    IMPLIES,
    KV,
    MULTI_REGISTER,
    MUTEX,
    REGISTER,
    Answer,
    Budget,
    Call,
    Guarantee,
    History,
    Session,
    Status,
    VectorClock,
    Why,
    history,
    judge_history,
    linearizable,
    longest_with,
    sequential_search,
    staleness,
)
from engines.consistency.explain import legal_prefix
from engines.consistency.live import LiveJudge
from tests.engines.consistency import oracle


def test_the_example_of_the_docstring_runs() -> None:
    assert doctest.testmod(face).failed == 0
    assert doctest.testmod(face).attempted > 3


def test_the_library_loads_no_world() -> None:
    code = "import sys, engines.consistency; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    loaded = [name for name in found if name.startswith("engines.")]
    assert "engines.consistency.judge" in loaded
    assert [name for name in loaded if ".sim" in name or ".world" in name or ".pattern" in name] == []


def sessions(*rows: str) -> History:
    """Sessions from text as in the paper: ``wx1 ry0`` writes 1 to x and reads 0 from y. All overlap."""
    operations: list[tuple[Any, ...]] = []
    for at, row in enumerate(rows):
        for place, word in enumerate(row.split()):
            call = "write" if word[0] == "w" else "read"
            start = place * 100 + at
            operations.append(("p" + "abc"[at], call, word[1], int(word[2:]), start, start + 50))
    return history(*operations)


FIGURE_2 = {
    "a": (("wx1 rx2", "wx2 rx1"), "y n y y n"),
    "b": (("wz1 wx1 wy1", "wx2 rz0 ry1 rx2"), "y y n n n"),
    "c": (("wx1", "wx2 rx1 rx2"), "y n n n n"),
    "d": (("wx1 ry0 wy1 rx1", "wx2 ry0 wy2 rx2"), "y y y y n"),
    "e": (("wx1 wy1", "ry1 wx2", "rx2 rx1"), "n n n y n"),
}


@pytest.mark.parametrize("name", FIGURE_2)
def test_popl_17_figure_2(name: str) -> None:
    rows, expected = FIGURE_2[name]
    report = judge_history(sessions(*rows))
    found = " ".join("y" if report[model].ok else "n" for model in ("causal", "ccv", "cm", "pram", "sequential"))
    assert found == expected


def broken(seen: History, model: Any = None) -> set[str]:
    return {name for name, verdict in judge_history(seen, model).verdicts.items() if verdict.broken}


def test_new_old_inversion_is_sequential_and_not_linearizable() -> None:
    rows = (("A", "write", "x", 1, 0, 100), ("B", "read", "x", 1, 10, 20))
    assert broken(history(*rows, ("C", "read", "x", 0, 30, 40))) == {"linearizable"}
    assert broken(history(*rows, ("C", "read", "x", 0, 15, 40))) == set()
    witness = judge_history(history(*rows, ("C", "read", "x", 0, 30, 40)))["linearizable"].witness
    assert witness is not None
    assert witness.impossible == 2
    assert witness.prefix == (0, 1)


def test_a_fast_clock_loses_the_later_write() -> None:
    rows = [("A", "write", "x", 1, 0, 1), ("B", "write", "x", 2, 2, 3), ("C", "read", "x", 1, 4, 5)]
    assert broken(history(*rows)) == {"linearizable", "regular"}
    assert staleness(history(*rows)).lost == (1,)
    alone = history(*[("A", *row[1:]) for row in rows])
    report = judge_history(alone)
    assert report["causal"].why is Why.WRITE_CO_READ
    assert broken(alone) >= {"linearizable", "sequential", "causal", "ccv", "cm", "pram", "ryw"}


def test_an_unknown_write_is_open_for_ever() -> None:
    rows = [("A", "write", "x", 1, 0, None), ("B", "read", "x", 0, 20, 30), ("B", "read", "x", 1, 40, 50)]
    assert broken(history(*rows)) == set()
    assert broken(history(*rows, ("B", "read", "x", 0, 60, 70))) >= {"linearizable", "mr"}


@pytest.mark.parametrize(("status", "expected"), [("ok", False), ("info", True), ("fail", True)])
def test_a_compare_and_set_of_each_outcome(status: str, expected: bool) -> None:
    seen = history(
        ("A", "write", "x", 1, 0, 10),
        ("A", "cas", "x", (1, 2), 20, 30, status),
        ("B", "cas", "x", (1, 3), 40, 50),
    )
    assert linearizable(seen, CAS_REGISTER).ok is expected
    assert oracle.wing_gong(seen, CAS_REGISTER) is expected


def test_a_reply_seen_before_its_question() -> None:
    report = judge_history(sessions("wq1", "rq1 wa2", "ra2 rq0"))
    assert report["causal"].why is Why.WRITE_CO_INIT_READ
    assert report["wfr"].broken
    assert report["pram"].ok
    assert report["ryw"].ok


def test_cc_does_not_imply_pram() -> None:
    report = judge_history(sessions("wx1", "wx2 rx1 rx2"))
    assert report["causal"].ok
    assert report["pram"].why is Why.CYCLIC_HB


def test_an_age_proved_through_another_session_names_both() -> None:
    seen = sessions("wx1", "rx1 wx2", "rx2 rx1")
    assert judge_history(seen)["mr"].why is Why.MR_OR_WFR
    assert judge_history(sessions("wx1 wx2", "rx2 rx1"))["mr"].why is Why.MR


def test_monotonic_writes() -> None:
    report = judge_history(sessions("wx1 wy1", "ry1 rx0"))
    assert report["mw"].broken
    assert report["mr"].ok


def test_session_vectors_say_which_guarantee_a_server_would_break() -> None:
    session = Session()
    session.has_written(VectorClock.of({"r1": 1}))
    session.has_read(VectorClock.of({"r2": 1}))
    assert session.may_read(VectorClock.of({"r2": 1})) is Guarantee.RYW
    assert session.may_read(VectorClock.of({"r1": 1})) is Guarantee.MR
    assert session.may_write(VectorClock.of({"r2": 1})) is Guarantee.MW
    assert session.may_write(VectorClock.of({"r1": 1})) is Guarantee.WFR
    both = VectorClock.of({"r1": 1, "r2": 1})
    assert session.may_read(both) is session.may_write(both) is None
    assert Session((Guarantee.MR,), VectorClock.of({"r1": 9})).may_read(VectorClock()) is None


def test_values_that_are_not_unique_are_left_to_the_search() -> None:
    seen = history(("A", "write", "x", 1, 0, 1), ("B", "write", "x", 1, 2, 3), ("B", "read", "x", 1, 4, 5))
    report = judge_history(seen)
    assert report["linearizable"].ok
    assert report["sequential"].ok
    assert report["causal"].why is Why.VALUES_NOT_UNIQUE
    seen = history(("A", "write", "x", 0, 0, 1), ("B", "read", "x", 0, 4, 5))
    assert judge_history(seen)["pram"].why is Why.INITIAL_WRITTEN


def test_mutex_and_multi_register_and_append() -> None:
    locked = [("A", "acquire", None, None, 0, 10), ("B", "acquire", None, None, 5, 20)]
    assert not linearizable(history(*locked), MUTEX).ok
    assert linearizable(history(*locked, ("A", "release", None, None, 12, 14)), MUTEX).ok
    assert linearizable(history(locked[0], (*locked[1][:5], None)), MUTEX).ok
    r, w = Call.READ, Call.WRITE
    txns = [
        ("A", "txn", None, ((w, "x", 1), (w, "y", 1)), 0, 10),
        ("B", "txn", None, ((r, "x", 1), (r, "y", 0)), 5, 9),
    ]
    assert not linearizable(history(*txns), MULTI_REGISTER).ok
    assert linearizable(history(txns[0]), MULTI_REGISTER).ok
    appended = [
        ("A", "append", "k", "a", 0, 10),
        ("B", "append", "k", "b", 0, 10),
        ("C", "read", "k", "ba", 20, 30),
    ]
    assert linearizable(history(*appended, initial=""), KV).ok
    assert not linearizable(history(*appended, ("C", "read", "k", "ab", 40, 50), initial=""), KV).ok


def test_a_history_without_real_time_is_not_linearizable_or_not() -> None:
    report = judge_history(replace(sessions("wx1", "rx1"), real_time=False))
    assert report["linearizable"].answer is Answer.UNKNOWN
    assert report["sequential"].ok
    assert report["causal"].ok


def test_a_budget_that_does_not_do_says_unknown() -> None:
    rows = [(f"p{i}", "append", "k", str(i), 0, 100 + i) for i in range(9)]
    seen = history(*rows, ("q", "read", "k", "876543210x", 200, 210), initial="")
    verdict = linearizable(seen, KV, Budget(steps=500))
    assert verdict.answer is Answer.UNKNOWN
    assert verdict.why is Why.STEPS
    verdict = linearizable(seen, KV, Budget(memory=50))
    assert verdict.why is Why.MEMORY


def test_the_longest_linearization_with_an_operation() -> None:
    rows = [("A", "write", "x", 1, 0, 100), ("B", "read", "x", 1, 10, 20), ("C", "read", "x", 0, 30, 40)]
    seen = history(*rows)
    assert longest_with(seen, REGISTER, 1) == (0, 1)
    assert longest_with(seen, REGISTER, 2) == ()
    good = history(*rows[:2], ("C", "read", "x", 1, 30, 40))
    assert longest_with(good, REGISTER, 2) == (0, 1, 2)


ORACLES = {
    "linearizable": lambda seen: oracle.wing_gong(seen, REGISTER),
    "regular": oracle.regular,
    "sequential": oracle.sequential,
    "causal": oracle.weak_causal,
    "ccv": oracle.causal_convergence,
    "cm": oracle.causal_memory,
    "pram": oracle.pram,
}


def agree(seeds: range) -> None:
    for seed in seeds:
        draw = random.Random(seed)
        seen = oracle.random_history(draw, draw.randint(3, 8), 3, draw.randint(1, 2))
        report = judge_history(seen)
        for name, judge in ORACLES.items():
            assert report[name].ok is judge(seen), (seed, name)
        assert oracle.gibbons_korach(seen) is report["linearizable"].ok, seed
        assert sequential_search(seen, REGISTER).ok is report["sequential"].ok, seed
        for strong, weak in IMPLIES:
            assert report[weak].ok or not report[strong].ok, (seed, strong, weak)


def agree_on_cas(seeds: range) -> None:
    for seed in seeds:
        draw = random.Random(seed)
        seen = oracle.random_cas(draw, draw.randint(3, 12))
        assert linearizable(seen, CAS_REGISTER).ok is oracle.wing_gong(seen, CAS_REGISTER), seed


def test_every_judge_agrees_with_its_definition() -> None:
    agree(range(1_000))


def test_just_in_time_agrees_with_wing_and_gong() -> None:
    agree_on_cas(range(1_000))


@pytest.mark.soak
def test_every_judge_agrees_with_its_definition_on_20_000_histories() -> None:
    agree(range(20_000))


@pytest.mark.soak
def test_just_in_time_agrees_with_wing_and_gong_on_20_000_histories() -> None:
    agree_on_cas(range(20_000))


def test_a_witness_is_a_violation_by_itself() -> None:
    """The operations that are named for CC, CCv, CM and PRAM name a read and only operations of the history."""
    found = 0
    for seed in range(300):
        draw = random.Random(seed)
        seen = oracle.random_history(draw, 8)
        for name, verdict in judge_history(seen).verdicts.items():
            if verdict.broken:
                assert verdict.witness is not None, (seed, name)
                assert verdict.witness.operations, (seed, name)
                last = verdict.witness.impossible
                assert last is not None, (seed, name)
                assert seen.operations[last].call is Call.READ
                found += 1
    assert found > 100


def test_what_had_returned_before_a_broken_promise_kept_it() -> None:
    """The longest legal beginning that is named for causality and sessions satisfies the model by itself."""
    tried = 0
    for seed in range(200):
        seen = oracle.random_history(random.Random(seed), 9, unknown=False)
        for name, verdict in judge_history(seen).verdicts.items():
            kept = legal_prefix(verdict, seen)
            if name in ("causal", "ccv", "cm", "pram", "ryw", "mr", "mw", "wfr") and verdict.broken and kept:
                writes = [each for each in seen.operations if each.call is Call.WRITE]
                rest = {*kept, *(each.number for each in writes)}
                numbers = sorted(rest)
                place = {number: at for at, number in enumerate(numbers)}
                operations = tuple(seen.operations[number]._replace(number=place[number]) for number in numbers)
                assert not judge_history(replace(seen, operations=operations))[name].broken, (seed, name)
                tried += 1
    assert tried > 50


def test_the_prefix_of_a_violation_is_legal_and_true_to_time() -> None:
    for seed in range(300):
        draw = random.Random(seed)
        seen = oracle.random_cas(draw, 10)
        verdict = linearizable(seen, CAS_REGISTER)
        if verdict.witness is None:
            continue
        state: Any = None
        order = [seen.operations[number] for number in verdict.witness.prefix]
        for at, operation in enumerate(order):
            assert not any(later.before(operation) for later in order[at + 1 :])
            state = CAS_REGISTER.step(state, operation)
        finished = [each for each in seen.operations if each.end is not None and each.status is Status.OK]
        last = seen.operations[verdict.witness.impossible or 0]
        assert {each.number for each in finished if (each.end or 0) < (last.end or 0)} <= set(verdict.witness.prefix)


def grown(seen: History) -> LiveJudge:
    """The history, event by event; an unknown outcome is known when its process goes on."""
    judge = LiveJudge(seen.initial)
    events = sorted(
        [(each.start, each.number, False) for each in seen.operations]
        + [(each.end, each.number, True) for each in seen.operations if each.end is not None]
    )
    for at, number, returns in events:
        operation = seen.operations[number]
        value = operation.value if (operation.call is Call.READ) == returns else None
        if returns:
            judge.complete(operation.process, operation.status, value, at)
            continue
        if operation.process in judge.build.open:
            judge.complete(operation.process, Status.INFO, None, at)
        judge.invoke(operation.process, operation.call, operation.key, value, at)
    return judge


def test_a_growing_history_comes_to_the_same_verdicts() -> None:
    for seed in range(400):
        draw = random.Random(seed)
        seen = oracle.random_history(draw, draw.randint(3, 14), 3, draw.randint(1, 2))
        report = judge_history(seen)
        live = grown(seen)
        for name, verdict in live.verdicts().items():
            assert verdict.answer is report[name].answer, (seed, name)
        stale = staleness(seen)
        assert (live.reads, live.stale) == (stale.reads, len(stale.stale)), seed
