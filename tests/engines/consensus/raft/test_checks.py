"""The checks themselves: each turns red for what it forbids, and for nothing else."""

from engines.consensus.raft.checks import TERMS
from engines.consensus.raft.commands import RemoveServer, Transfer
from engines.consensus.raft.engine import RaftEngine
from engines.consensus.raft.messages import AppendEntries, RequestVote
from engines.sim import faults
from engines.sim.faults import SlowDisk
from engines.sim.rules import SetRule
from engines.units import US_PER_MS, US_PER_S


def broken(engine: RaftEngine) -> tuple[str, ...]:
    """The names of the checks that are red."""
    return tuple(check.name for check in engine.check() if not check.ok)


def hear(engine: RaftEngine, server: str, src: str, message: object) -> None:
    """Let a server receive a message at once."""
    host = engine.hosts[server]
    host.node.on_message(host, src, message)
    engine.observe(host)


def in_term_one(persist_vote: bool) -> RaftEngine:
    """A cluster in which n1 knows of term 1 and has not voted in it."""
    engine = RaftEngine(1, (("clients", 0), ("persist_vote", persist_vote)))
    hear(engine, "n1", "n2", AppendEntries(1, 0, 0, (), 0))
    return engine


# -- what a crash may take -----------------------------------------------------------------------------------


def test_a_vote_that_was_still_waiting_for_the_disk_may_be_lost() -> None:
    engine = in_term_one(persist_vote=True)
    engine.apply(faults.SlowDisk("n1", 50_000))
    hear(engine, "n1", "n3", RequestVote(1, 0, 0))
    assert engine.raft("n1").voted_for == "n3"
    engine.apply(faults.Crash("n1"))
    engine.apply(faults.Restart("n1"))
    assert engine.raft("n1").voted_for is None
    assert broken(engine) == ()


def test_a_vote_that_was_never_written_may_not_be_lost() -> None:
    engine = in_term_one(persist_vote=False)
    hear(engine, "n1", "n3", RequestVote(1, 0, 0))
    engine.apply(faults.Crash("n1"))
    engine.apply(faults.Restart("n1"))
    assert broken(engine) == (TERMS,)


def test_a_rule_that_is_switched_off_in_a_running_cluster_leaves_no_earlier_vote_on_the_disk() -> None:
    """Else a restarted server believes in a vote of another term, and the witness speaks of that."""
    engine = in_term_one(persist_vote=True)
    hear(engine, "n1", "n3", RequestVote(1, 0, 0))
    assert engine.hosts["n1"].disk.registers["vote"] == "n3"
    engine.apply(SetRule("persist_vote", False))
    hear(engine, "n1", "n4", RequestVote(2, 0, 0, True))
    assert (engine.raft("n1").voted_for, engine.hosts["n1"].disk.registers["vote"]) == ("n4", None)
    engine.apply(faults.Crash("n1"))
    engine.apply(faults.Restart("n1"))
    assert engine.raft("n1").voted_for is None
    assert broken(engine) == (TERMS,)
    witness = next(check.witness for check in engine.check() if not check.ok)
    assert "n1 had voted for n4 in term 2" in witness[0]
    assert "nobody" in witness[1]


def test_whoever_was_a_member_when_the_leader_told_it_to_campaign_may_depose_it_later() -> None:
    """A slow disk holds its votes back until the transfer is given up and the server is removed."""
    engine = RaftEngine(1, (("clients", 0), ("nodes", 5)))
    engine.run(US_PER_S, 1 << 60)
    leader = engine.leader()
    heir = next(each for each in engine.servers if each != leader)
    for command, ms in (
        (SlowDisk(heir, 700 * US_PER_MS), 10),
        (Transfer(heir), 400),
        (RemoveServer(heir), 300),
        (SlowDisk(heir, 0), 2_000),
    ):
        engine.apply(engine.resolve(command))
        engine.run(engine.now_us + ms * US_PER_MS, 1 << 60)
    assert engine.leader() not in ("", leader, heir)
    assert broken(engine) == ()
