"""Client sessions, as section 6.3 of the dissertation states them."""

from typing import Any

import pytest

from engines.consensus.raft import events as e
from engines.consensus.raft.client import Client
from engines.consensus.raft.commands import Propose, SetWorkload
from engines.consensus.raft.engine import RaftEngine
from engines.consensus.raft.messages import (
    ClientReply,
    ClientRequest,
    Command,
    Entry,
    InstallSnapshot,
    Register,
    Registered,
    Registration,
    SessionExpired,
    SessionRow,
    TransferRequest,
    ValueRow,
)
from engines.consensus.raft.quorum import Configuration
from engines.consensus.raft.rules import RaftRules, Sizes
from engines.consensus.raft.state_machine import KeyValueStore
from engines.sim import faults
from engines.sim.history import UNKNOWN
from tests.engines.consensus.raft.server import Sent, Server, append, command


def add(serial: int, session: int = 0, value: int = 1) -> Command:
    return Command("c1", serial, "add", "x", value, session)


# -- the state machine ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "value", "result", "values"),
    [("set", 7, 7, {"x": 7}), ("add", 7, 12, {"x": 12}), ("del", 0, 5, {}), ("get", 0, 5, {"x": 5})],
)
def test_the_client_is_told_the_result_and_not_what_it_asked(
    op: str, value: int, result: int, values: dict[str, int]
) -> None:
    """'The state machine's response' (6.3): of add the sum, of del what was there."""
    server = Server()
    server.lead()
    server.hear("c1", ClientRequest(Command("c1", 1, "set", "x", 5)))
    server.hear("c1", ClientRequest(Command("c1", 2, op, "x", value)))
    first, second = server.accept("n2", 2)
    assert (first.message.result, second.message.result) == (5, result)
    assert server.node.kv.values == values
    assert server.hear("c1", ClientRequest(Command("c1", 2, "set", "x", 99))) == [
        Sent("c1", ClientReply(2, True, result, "n1"))
    ]
    server.hear("c1", ClientRequest(Command("c1", 2, op, "x", value)))
    assert len(server.disk.log) == 2


def test_a_late_copy_of_an_older_command_does_not_run_again() -> None:
    """'If the serial number has already been executed': not only the newest, any that is not newer."""
    store = KeyValueStore()
    assert [store.apply(add(serial)) for serial in (1, 2, 3)] == [1, 2, 3]
    assert (store.apply(add(1)), store.apply(add(3)), store.deduplicated) == (3, 3, 2)
    assert store.values == {"x": 3}


def test_without_the_rule_it_does() -> None:
    store = KeyValueStore()
    assert [store.apply(add(1), once=False) for _ in range(3)] == [1, 2, 3]


def test_an_opened_session_remembers_and_one_that_is_unknown_executes_nothing() -> None:
    """'If the session is unknown, the server must not execute the command' (6.3)."""
    store = KeyValueStore()
    assert (store.apply(add(1, 4), 5), store.expired, store.values) == (None, 1, {})
    store.register("c1", 4)
    assert store.apply(add(1, 4), 5) == 1
    assert (store.apply(add(1, 4), 6), store.deduplicated, store.expired) == (1, 1, 1)
    assert store.apply(add(1, 9), 7) is None
    assert store.values == {"x": 1}


def test_a_session_expires_when_so_many_entries_have_gone_by_since_it_was_used() -> None:
    """'Servers must agree on when to expire a session' (6.3): the log decides, by the entries in it."""
    store = KeyValueStore(expire_after=10)
    store.register("c1", 1)
    assert store.apply(add(1, 1), 11) == 1
    assert store.apply(add(2, 1), 21) == 2
    assert (store.apply(add(3, 1), 32), store.expired, store.values) == (None, 1, {"x": 2})


def test_what_nobody_used_for_long_is_forgotten_when_the_next_session_opens() -> None:
    store = KeyValueStore(expire_after=10)
    store.register("c1", 1)
    store.register("c2", 11)
    assert sorted(store.sessions) == sorted(store.used) == ["c1#1", "c2#11"]
    store.register("c3", 12)
    assert sorted(store.sessions) == sorted(store.used) == ["c2#11", "c3#12"]


def test_sessions_and_when_they_were_used_are_in_the_rows() -> None:
    store = KeyValueStore(expire_after=10)
    store.register("c1", 3)
    store.apply(add(1, 3), 8)
    store.apply(add(7), 9)
    rows = store.rows()
    assert rows == (ValueRow("x", 2), SessionRow("c1", 7, 2), SessionRow("c1#3", 1, 1, 8))
    other = KeyValueStore(expire_after=10)
    other.load(rows)
    assert other.rows() == rows
    assert (other.apply(add(2, 3), 19), other.expired) == (None, 1)


def test_a_session_that_bears_the_name_of_its_client_lasts_also_through_a_snapshot() -> None:
    store = KeyValueStore(expire_after=10)
    store.load((SessionRow("c1", 7, 2), SessionRow("c2#3", 1, 1, 8)))
    store.register("c3", 500)
    assert sorted(store.sessions) == ["c1", "c3#500"]


# -- the server ----------------------------------------------------------------------------------------------


def test_the_index_of_the_entry_is_the_name_of_the_session() -> None:
    """'The leader appends it to its log and replicates it; the client's id is the index of the entry' (6.3)."""
    server = Server()
    server.lead()
    assert server.hear("c1", Register(5))[0].message.entries == (Entry(1, Registration("c1", 5)),)
    assert server.accept("n2", 1) == [Sent("c1", Registered(5, 1, "n1"))]
    server.hear("c1", ClientRequest(add(1, 1)))
    assert server.accept("n2", 2) == [Sent("c1", ClientReply(1, True, 1, "n1"))]
    assert server.hear("c1", ClientRequest(add(1, 1))) == [Sent("c1", ClientReply(1, True, 1, "n1"))]


def test_a_follower_opens_no_session_and_names_the_leader() -> None:
    server = Server(term=1)
    server.hear("n2", append(1, 0, 0))
    assert server.hear("c1", Register(1)) == [Sent("c1", Registered(1, 0, "n2"))]
    assert server.disk.log == []


def test_a_command_of_an_unknown_session_is_told_so_and_not_executed() -> None:
    server = Server(sizes=Sizes(session_entries=2))
    server.lead()
    server.hear("c1", Register(1))
    for serial in (1, 2):
        server.hear("c1", ClientRequest(command(serial)))
    server.hear("c1", ClientRequest(add(3, 1)))
    assert server.accept("n2", 4)[-1] == Sent("c1", SessionExpired(3))
    assert "x" not in server.node.kv.values
    assert server.ctx.notes[-1] == e.SessionRefused(4, "c1", 3, 1)


def test_a_retry_after_a_snapshot_of_its_session_is_applied_once() -> None:
    three = Configuration(("n1", "n2", "n3"))
    rows = (ValueRow("x", 5), SessionRow("c1#2", 4, 5, 8))
    server = Server(term=3, sizes=Sizes(session_entries=10))
    server.hear("n2", InstallSnapshot(3, 9, 3, three, 0, rows, True))
    server.boot()
    server.hear("n2", append(3, 9, 3, Entry(3, add(4, 2)), Entry(3, add(5, 2)), commit=11))
    assert (server.node.kv.values, server.node.kv.deduplicated) == ({"x": 6}, 1)


def test_a_server_that_knows_no_leader_names_none() -> None:
    assert Server(term=1).hear("c1", Register(1)) == [Sent("c1", Registered(1, 0, ""))]


def test_a_leader_that_hands_over_opens_no_session() -> None:
    server = Server()
    server.lead()
    server.hear("you", TransferRequest("n3"))
    assert server.hear("c1", Register(1)) == [Sent("c1", Registered(1, 0, ""))]
    assert server.disk.log == []


def test_with_once_off_a_retry_goes_into_the_log_again() -> None:
    server = Server(rules=RaftRules(check_quorum=False, pre_vote=False, once=False))
    server.lead()
    server.hear("c1", ClientRequest(add(1)))
    server.accept("n2", 1)
    server.hear("c1", ClientRequest(add(1)))
    assert server.accept("n2", 2)[-1] == Sent("c1", ClientReply(1, True, 2, "n1"))


def test_a_command_that_stands_in_the_log_twice_is_told_as_a_repetition_by_the_leader() -> None:
    server = Server()
    server.lead()
    for _ in range(2):
        server.hear("c1", ClientRequest(add(1)))
    server.accept("n2", 2)
    assert [note for note in server.ctx.notes if isinstance(note, e.Deduplicated)] == [e.Deduplicated(2, "c1", 1)]


# -- clients and clusters ------------------------------------------------------------------------------------


def cluster(**config: Any) -> RaftEngine:
    return RaftEngine(3, tuple(sorted({"sessions": "opened", **config}.items())))


def test_clients_open_a_session_before_their_first_command() -> None:
    engine = cluster(clients=2, workload="busy")
    engine.run(4_000_000, 1 << 60)
    sessions = {}
    for name in ("c1", "c2"):
        client = engine.hosts[name].node
        assert isinstance(client, Client)
        assert client.session > 0
        sessions[name] = client.session
    assert len(set(sessions.values())) == 2
    store = engine.raft(engine.leader()).kv
    assert sorted(store.used) == sorted(f"{name}#{session}" for name, session in sessions.items())
    assert [check.name for check in engine.check() if not check.ok] == []
    assert engine.history.counts["c1", "ok"] > 20


def test_a_client_whose_session_expired_opens_another_and_does_not_know_what_became_of_its_command() -> None:
    engine = cluster(clients=1, expire=20, workload="off")
    engine.run(1_500_000, 1 << 60)
    engine.apply(Propose("set", "x", 1))
    engine.run(2_500_000, 1 << 60)
    engine.apply(SetWorkload("busy"))
    engine.run(6_000_000, 1 << 60)
    engine.apply(Propose("add", "x", 1))
    engine.run(7_000_000, 1 << 60)
    engine.apply(Propose("add", "q", 5))
    engine.run(8_000_000, 1 << 60)
    assert engine.history.counts["you", UNKNOWN] == 1
    assert engine.raft(engine.leader()).kv.values["q"] == 5
    assert [check.name for check in engine.check() if not check.ok] == []


def test_every_server_ends_the_same_session_at_the_same_entry_whatever_fails() -> None:
    for seed in range(6):
        config = (("clients", 3), ("compact", 10), ("expire", 15), ("sessions", "opened"), ("workload", "busy"))
        engine = RaftEngine(seed, config)
        for number in range(12):
            victim = f"n{number % 5 + 1}"
            engine.run(engine.now_us + 400_000, 1 << 60)
            engine.apply(faults.Crash(victim) if number % 2 else faults.Isolate(victim))
            engine.run(engine.now_us + 300_000, 1 << 60)
            engine.apply(faults.Heal())
        engine.apply(SetWorkload("off"))
        engine.run(engine.now_us + 3_000_000, 1 << 60)
        stores = {engine.raft(server).kv.rows() for server in engine.servers}
        assert len(stores) == 1
        assert [check.name for check in engine.check() if not check.ok] == []
