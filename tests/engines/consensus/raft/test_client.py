"""Clients: they ask until they are answered, under one number, and one command at a time (section 8)."""

import re

import pytest

from engines.consensus.operations import parse
from engines.consensus.raft.client import PATIENCE_US, Client
from engines.consensus.raft.commands import Propose, SetWorkload
from engines.consensus.raft.engine import RaftEngine
from engines.consensus.raft.messages import ClientReply, ClientRequest, Command
from engines.consensus.raft.state_machine import KeyValueStore, describe
from engines.errors import UserError
from engines.sim import faults
from engines.sim.clock import Clock
from engines.sim.disk import Disk
from engines.sim.history import OK, UNKNOWN, History
from tests.engines.consensus.raft.server import FakeContext, Sent

SERVERS = ("n1", "n2", "n3")


def quiet() -> RaftEngine:
    engine = RaftEngine(42, (("clients", 0),))
    engine.run(1_000_000, 1 << 60)
    return engine


def test_what_was_asked_meanwhile_is_asked_after_a_question_that_was_given_up() -> None:
    """A client that does not insist forgets its own question, not the one that waits behind it."""
    engine = quiet()
    dead = next(server for server in engine.servers if server != engine.leader())
    engine.apply(faults.Crash(dead))
    engine.apply(Propose("set", "x", 1, dead, insist=False))
    engine.apply(Propose("set", "y", 2))
    engine.run(engine.now_us + 2_000_000, 1 << 60)
    assert engine.raft(engine.leader()).kv.values == {"y": 2}


def test_a_refusal_of_a_question_asked_once_lets_the_next_one_go() -> None:
    engine = quiet()
    follower = next(server for server in engine.servers if server != engine.leader())
    engine.apply(Propose("set", "x", 1, follower, insist=False))
    engine.apply(Propose("set", "y", 2))
    engine.run(engine.now_us + 2_000_000, 1 << 60)
    assert engine.raft(engine.leader()).kv.values == {"y": 2}


def test_a_restarted_client_goes_on_counting_where_it_stopped() -> None:
    """A number that was used once means the old command: the cluster would answer without executing anything."""
    engine = quiet()
    for value in (1, 2):
        engine.apply(Propose("set", "x", value))
        engine.run(engine.now_us + 500_000, 1 << 60)
    engine.apply(faults.Crash("you"))
    engine.apply(faults.Restart("you"))
    engine.apply(Propose("set", "x", 3))
    engine.run(engine.now_us + 500_000, 1 << 60)
    assert engine.raft(engine.leader()).kv.values == {"x": 3}


def test_what_a_client_had_asked_when_it_died_stays_unknown() -> None:
    engine = quiet()
    for _ in range(3):
        engine.apply(Propose("set", "x", 1))
        engine.apply(faults.Crash("you"))
        engine.apply(faults.Restart("you"))
    assert [each.status for each in engine.history.operations()] == [UNKNOWN] * 3


@pytest.mark.parametrize(("fault", "word"), [(faults.Crash("you"), "crashed"), (faults.Freeze("you"), "frozen")])
def test_a_client_that_is_not_up_cannot_be_told_to_ask(fault: faults.Fault, word: str) -> None:
    engine = quiet()
    engine.apply(fault)
    with pytest.raises(UserError, match=f"you is {word}"):
        engine.apply(Propose("set", "x", 1))
    engine.apply(faults.Heal())
    engine.apply(Propose("set", "x", 1))


def test_the_workload_of_a_dead_client_changes_when_it_is_back() -> None:
    engine = RaftEngine(42, ())
    engine.apply(faults.Crash("c1"))
    engine.apply(SetWorkload("busy"))
    assert engine.hosts["c1"].timers == {}
    engine.apply(faults.Restart("c1"))
    engine.run(2_000_000, 1 << 60)
    assert len(engine.history.operations()) > 5


# -- one client as a black box -------------------------------------------------------------------------------


def client() -> tuple[Client, FakeContext, History]:
    history = History(Clock())
    disk = Disk()
    return Client("c1", SERVERS, history, 0, disk), FakeContext(disk), history


def test_silence_makes_it_try_the_next_server_under_the_same_number() -> None:
    asks, ctx, history = client()
    asks.ask(ctx, "set", "x", 1)
    for _ in SERVERS:
        ctx.timers.pop("patience")
        asks.on_timer(ctx, "patience")
    request = ClientRequest(Command("c1", 1, "set", "x", 1))
    assert ctx.sent == [Sent(server, request) for server in ("n1", "n2", "n3", "n1")]
    assert history.operations()[0].attempts == 4
    assert ctx.timers["patience"] == PATIENCE_US


def test_a_refusal_that_names_the_leader_is_followed_at_once() -> None:
    asks, ctx, _ = client()
    asks.ask(ctx, "set", "x", 1)
    asks.on_message(ctx, "n1", ClientReply(1, False, None, "n3"))
    assert ctx.timers.pop("backoff") == 0
    asks.on_timer(ctx, "backoff")
    assert [sent.dst for sent in ctx.sent] == ["n1", "n3"]


def test_an_answer_to_an_older_question_is_ignored() -> None:
    asks, ctx, history = client()
    asks.ask(ctx, "set", "x", 1)
    asks.on_message(ctx, "n1", ClientReply(1, True, 1, "n1"))
    asks.ask(ctx, "set", "x", 2)
    asks.on_message(ctx, "n1", ClientReply(1, True, 1, "n1"))
    assert [each.status for each in history.operations()] == [OK, "invoked"]


def test_one_command_is_outstanding_and_the_rest_waits() -> None:
    asks, ctx, _ = client()
    for value in (1, 2, 3):
        asks.ask(ctx, "set", "x", value)
    assert len(ctx.sent) == 1
    asks.on_message(ctx, "n1", ClientReply(1, True, 1, "n1"))
    assert [sent.message.command.value for sent in ctx.sent] == [1, 2]


# -- the state machine ---------------------------------------------------------------------------------------


def test_the_store_executes_a_number_once() -> None:
    store = KeyValueStore()
    add = Command("c1", 1, "add", "x", 5)
    assert [store.apply(add), store.apply(add)] == [5, 5]
    assert store.apply(add._replace(client="c2")) == 10
    assert store.apply(Command("c1", 2, "del", "x", 0)) == 10
    assert store.apply(Command("c1", 3, "del", "x", 0)) is None
    assert (store.values, store.deduplicated) == ({}, 1)


@pytest.mark.parametrize(
    ("text", "parsed", "words"),
    [("y=3", ("set", "y", 3), "y=3"), (" y += 1 ", ("add", "y", 1), "y+=1"), ("y-=1", ("add", "y", -1), "y+=-1"),
     ("del y", ("del", "y", 0), "del y"), ("long_key=-7", ("set", "long_key", -7), "long_key=-7")],
)  # fmt: skip
def test_what_a_person_types_is_understood(text: str, parsed: tuple[str, str, int], words: str) -> None:
    assert parse(text) == parsed
    assert describe(Command("you", 1, *parsed)) == words


@pytest.mark.parametrize(
    "text", ["", "y", "=3", "y=", "y=x", "9y=1", "y=1.5", "del", "del 9", "y=1000000", "too_long_key=1"]
)
def test_what_a_person_mistypes_is_explained(text: str) -> None:
    with pytest.raises(UserError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [("foobarx=", "'foobarx=' says no number: write y=3"), ("y-=", "'y-=' says no number"), ("=3", "'=3' names no key"),
     ("  ", "nothing is asked: write y=3, y+=1, y-=1 or del y"), ("y", "'y' is no command of the store")],
)  # fmt: skip
def test_what_is_missing_is_what_is_said_to_be_missing(text: str, said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        parse(text)
