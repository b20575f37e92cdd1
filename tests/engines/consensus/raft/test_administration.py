"""What a person asks of the cluster itself: what is refused, in which words, and that nothing is lost by it."""

from typing import Any

import pytest

from engines.consensus.raft.change_events import ChangeAnswered, ChangeAsked, TransferAborted, TransferAnswered
from engines.consensus.raft.commands import AddServer, ChangeJoint, LeaveJoint, Propose, RemoveServer, Transfer
from engines.consensus.raft.engine import RaftEngine
from engines.consensus.raft.messages import Refusal
from engines.errors import UserError
from engines.sim import faults
from engines.units import US_PER_S


def cluster(nodes: int = 3, *commands: Any) -> RaftEngine:
    """A cluster that works, after these commands, a second each."""
    engine = RaftEngine(1, (("clients", 0), ("nodes", nodes)))
    engine.run(US_PER_S, 1 << 60)
    for command in commands:
        engine.apply(engine.resolve(command))
        engine.run(engine.now_us + US_PER_S, 1 << 60)
    return engine


def told(engine: RaftEngine, kind: type) -> list[Any]:
    return [event.what for event in engine.told(1 << 30) if isinstance(event.what, kind)]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (AddServer("n2"), "n2 is a voter already"),
        (AddServer("n4", learner=True), "n4 is a learner already"),
        (AddServer("x6"), "'x6' is no name of a server: n1 to n99 are"),
        (AddServer("you"), "'you' is no name of a server"),
        (AddServer("n5", node="n9"), "no node 'n9' in this cluster"),
        (AddServer("n5", node="you"), "you is no server: one of n1, n2, n3, n4 can be asked"),
        (RemoveServer("n9"), "n9 is no server: the cluster has n1, n2, n3, n4"),
        (ChangeJoint(), "a joint change needs servers"),
        (ChangeJoint(("n5",), (), ("n5",)), "n5 is named twice in one change"),
        (ChangeJoint(("n5", "n6", "n7", "n8", "n9", "n10"), ()), "4 machines are there, 9 is the most"),
        (ChangeJoint((), ("n1", "n2", "n3")), "the last voter cannot be removed"),
        (LeaveJoint(), "is not joint: there is nothing to leave"),
        (Transfer("n4"), "n4 is a learner: only a voter can lead"),
        (Transfer("n9"), "n9 is no voter of (n1 n2 n3) learners (n4)"),
        (Transfer("leader"), "leads already"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_has_changed(command: Any, said: str) -> None:
    engine = cluster(3, AddServer("n4", learner=True))
    before = engine.snapshot()
    with pytest.raises(UserError) as caught:
        engine.apply(engine.resolve(command))
    assert said in str(caught.value)
    assert engine.snapshot() == before


def test_the_last_voter_stays() -> None:
    engine = cluster(1)
    with pytest.raises(UserError, match="the last voter cannot be removed"):
        engine.apply(RemoveServer("n1"))


def test_a_second_change_while_one_is_pending_is_refused_by_the_leader() -> None:
    engine = cluster(3)
    engine.apply(AddServer("n4"))
    engine.run(engine.now_us + 5_000, 1 << 60)
    engine.apply(AddServer("n5"))
    engine.run(engine.now_us + US_PER_S, 1 << 60)
    assert [each.why for each in told(engine, ChangeAnswered)] == [Refusal.PENDING, None]
    assert engine.configuration().voters == ("n1", "n2", "n3", "n4")


def test_a_transfer_to_a_dead_server_is_given_up_and_nothing_is_lost() -> None:
    engine = cluster(3)
    others = [each for each in engine.servers if each != engine.leader()]
    leader = engine.leader()
    engine.apply(faults.Crash(others[0]))
    engine.apply(Transfer(others[0]))
    engine.apply(Propose("set", "x", 7))
    engine.run(engine.now_us + 2 * US_PER_S, 1 << 60)
    assert [each.why for each in told(engine, TransferAborted)] == [Refusal.TIMEOUT]
    assert [each.why for each in told(engine, TransferAnswered)] == [Refusal.TIMEOUT]
    assert engine.leader() == leader
    assert engine.raft(leader).kv.values == {"x": 7}


def test_who_does_not_lead_is_passed_by_and_the_leader_is_found() -> None:
    engine = RaftEngine(1, (("clients", 0), ("nodes", 5)))
    engine.apply(engine.resolve(AddServer()))
    engine.run(3 * US_PER_S, 1 << 60)
    assert len(told(engine, ChangeAsked)) > 1
    assert [each.why for each in told(engine, ChangeAnswered)] == [None]
    assert len(engine.configuration().voters) == 6


def test_without_a_leader_it_gives_up_and_says_so() -> None:
    engine = cluster(3, faults.Partition((("n1",), ("n2",), ("n3",))))
    engine.apply(Transfer("n2") if engine.leader() != "n2" else Transfer("n3"))
    engine.run(engine.now_us + 3 * US_PER_S, 1 << 60)
    assert [each.why for each in told(engine, TransferAnswered)] == [Refusal.NOT_LEADER]


def test_a_name_left_out_is_the_next_free_one() -> None:
    engine = cluster(3, AddServer(), AddServer(learner=True))
    assert str(engine.configuration()) == "(n1 n2 n3 n4) learners (n5)"
    assert {each.changes[0].server for each in told(engine, ChangeAsked)} == {"n4", "n5"}


def test_a_removed_server_can_come_back() -> None:
    engine = cluster(3, RemoveServer("f1"), AddServer("n2"))
    assert engine.configuration().voters == ("n1", "n2", "n3")
    assert len(engine.servers) == 3


def test_start_with_one_server_and_add() -> None:
    engine = cluster(1, AddServer(), AddServer(), Transfer("n3"), Propose("set", "x", 1))
    assert engine.configuration().voters == ("n1", "n2", "n3")
    assert engine.leader() == "n3"
    assert [engine.raft(each).kv.values for each in engine.servers] == [{"x": 1}] * 3


def test_many_at_once_go_by_a_joint_configuration_and_leave_it() -> None:
    engine = cluster(3, ChangeJoint(("n4", "n5"), ("n1",)))
    assert str(engine.configuration()) == "(n2 n3 n4 n5)"
    assert [each.ok for each in engine.check()] == [True] * len(engine.check())


def test_who_died_asking_asks_nothing() -> None:
    engine = cluster(3, faults.Crash("you"))
    with pytest.raises(UserError, match="you is crashed: nobody is there to ask"):
        engine.apply(AddServer("n4"))
