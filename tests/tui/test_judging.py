"""The judge from outside: what clients were told must fit one order in real time."""

import pytest

from engines.consensus.raft.commands import Propose
from engines.consensus.raft.engine import RaftEngine
from engines.sim.clock import Clock
from engines.sim.history import CLIENT_HISTORY, OK, UNKNOWN, History
from engines.sim.pattern import Check
from engines.units import US_PER_S, stamp
from tui.judging import Verdicts, explained, judged
from tui.linearizable import linearizable_store
from tui.registry import PANELS
from tui.session import Session

Row = tuple[str, str, int | None, int | None]
"""Client, operation, value, and what it was told; it returns before the next one is asked."""


def one_by_one(*rows: Row) -> History:
    """A history of one key in which nothing overlaps."""
    history = History(Clock())
    for serial, (client, f, value, told) in enumerate(rows, 1):
        history.clock.now_us += 1_000
        history.invoke(client, serial, f, "x", value)
        history.clock.now_us += 1_000
        history.finish(client, serial, OK, told)
    return history


def verdict(history: History) -> Check:
    return linearizable_store(history.operations())


def test_what_one_machine_would_have_said_is_accepted() -> None:
    seen = one_by_one(("a", "set", 1, 1), ("b", "add", 4, 5), ("a", "get", None, 5), ("b", "del", 0, 5),
                      ("a", "get", None, None), ("a", "del", 0, None), ("b", "add", 2, 2))  # fmt: skip
    assert verdict(seen) == Check(
        CLIENT_HISTORY, True, "what clients were told fits one order in real time: 7 operations judged"
    )


@pytest.mark.parametrize(
    "rows",
    [
        (("a", "set", 1, 1), ("b", "get", None, None)),
        (("a", "set", 1, 1), ("a", "set", 2, 2), ("b", "get", None, 1)),
        (("a", "set", 1, 1), ("b", "del", 0, None)),
        (("a", "set", 1, 1), ("b", "del", 0, 1), ("a", "get", None, 1)),
        (("a", "add", 1, 1), ("b", "add", 1, 3)),
        (("a", "add", 1, 1), ("b", "add", 1, 1)),
        (("a", "add", 1, 2),),
        (("a", "set", 5, 5), ("b", "add", 1, 6), ("a", "get", None, 5)),
    ],
    ids=["lost write", "stale read", "del misses", "read after del", "added twice", "lost add", "twice", "stale sum"],
)  # fmt: skip
def test_what_one_machine_would_never_say_is_found(rows: tuple[Row, ...]) -> None:
    found = verdict(one_by_one(*rows))
    assert not found.ok
    assert "nothing explains what" in found.detail
    assert found.witness
    assert explained(found)[1] == f"FAILED at t {stamp(found.at_us or 0)}: {found.detail}."


def test_the_witness_names_who_asked_what_and_when_and_what_was_told() -> None:
    found = verdict(one_by_one(("a", "set", 1, 1), ("a", "set", 2, 2), ("b", "get", None, 1)))
    assert found.detail == "nothing explains what b was told of x"
    assert "b asked x? at 00:00.005 and was told 1 at 00:00.006" in found.witness
    assert "a asked x=2 at 00:00.003 and was told 2 at 00:00.004" in found.witness


def test_what_was_never_answered_may_have_happened_late_or_never() -> None:
    for told in (None, 7):
        history = History(Clock())
        history.invoke("a", 1, "set", "x", 7)
        history.finish("a", 1, UNKNOWN)
        history.invoke("b", 1, "get", "x")
        history.finish("b", 1, OK, None)
        history.invoke("b", 2, "get", "x")
        history.finish("b", 2, OK, told)
        assert verdict(history).ok, told


def test_an_addition_that_was_never_answered_counts_at_most_once() -> None:
    for told, ok in ((1, True), (2, True), (3, False)):
        history = History(Clock())
        history.invoke("a", 1, "add", "x", 1)
        history.finish("a", 1, UNKNOWN)
        history.invoke("b", 1, "add", "x", 1)
        history.finish("b", 1, OK, told)
        assert verdict(history).ok == ok, told


def test_two_reads_of_one_moment_are_ordered_as_they_returned() -> None:
    history = History(Clock())
    history.invoke("a", 1, "set", "x", 1)
    for serial, told in ((1, 1), (2, None)):
        history.invoke("b", serial, "get", "x")
        history.finish("b", serial, OK, told)
    assert not verdict(history).ok


def test_a_cluster_is_judged_by_whoever_runs_it_and_the_engine_knows_nothing_of_it() -> None:
    engine = RaftEngine(42, (("workload", "flood"), ("clients", 3)))
    engine.run(2 * US_PER_S, 1 << 60)
    engine.apply(Propose("add", "x", 5))
    engine.run(3 * US_PER_S, 1 << 60)
    before = engine.snapshot()
    (found,) = judged(engine)
    assert found.ok
    assert int(found.detail.split(": ")[1].split()[0]) > 50
    assert engine.snapshot() == before
    assert CLIENT_HISTORY not in {check.name for check in engine.check()}


def test_a_watched_run_is_judged_anew_when_it_stands_and_seldom_while_it_runs() -> None:
    engine = RaftEngine(42, (("workload", "flood"),))
    watched = Verdicts()
    seen = []
    for second in range(1, 40):
        engine.run(second * 100_000, 1 << 60)
        seen.append(watched.of(engine, True))
    assert 3 < len(set(seen)) < 20
    assert watched.of(engine, False) == judged(engine)


def test_a_world_without_a_whole_history_has_no_verdict() -> None:
    assert judged(object()) == ()


def test_every_part_of_the_screen_counts_the_same_checks() -> None:
    session = Session(PANELS, "consensus", sandbox=True)
    session.resize(120, 36)
    for _ in range(20):
        session.press(".")
    moment = session.scene.now()
    assert moment.checks[-1].name == CLIENT_HISTORY
    assert moment.snapshot.checks == moment.checks
    shown = {area.name: area.canvas.text() for area in session.render()}
    count = len(moment.checks)
    assert f"{count}/{count} ok" in shown["status"]
    assert f"{count} of {count} ok" in shown["inspector"]
