"""What the program shows of consensus: the variants, their stories, and what is modelled."""

from typing import Final

from engines.consensus.raft.commands import COMMANDS
from engines.consensus.raft.engine import RaftEngine
from engines.consensus.raft.options import SETTINGS
from engines.consensus.raft.scenarios import SCENARIOS
from engines.sim.pattern import Pattern, Variant

RAFT: Final = Variant(
    name="raft",
    title="Raft",
    summary="an elected leader replicates a log; survives crashes of a minority",
    make=RaftEngine,
    commands=COMMANDS,
    settings=SETTINGS,
    engine_version=4,
    fidelity=(
        ("modelled", "leader election with random timeouts, log replication, the commit rule of 5.4.2, persistence"),
        ("modelled", "pre-vote, check-quorum, fast backtracking, pipelining, client sessions, the no-op of a new term"),
        ("modelled", "disks with a sync latency: what was not synced is lost in a crash, messages wait for the sync"),
        ("simplified", "a message takes its latency whatever its size; servers compute in no time"),
        ("simplified", "client sessions never expire; a client has one command outstanding"),
        ("left out", "snapshots and log compaction, membership changes, read-only queries, leadership transfer"),
    ),
)

PATTERN: Final = Pattern(
    number=2,
    name="consensus",
    title="Consensus",
    question="How do nodes agree?",
    variants=(RAFT,),
    scenarios=SCENARIOS,
    speed=(1, 20),
    aliases=(("raft", "raft"),),
    notes=(
        "Raft's parts are election, replication and safety. Membership change is an extension. None of them are "
        "phases that follow each other: a cluster elects and replicates at any time.",
        "A sketch of an election that has no persistence, no test of how up-to-date a log is, no random timeout and "
        "no stepping down is not an election: switch each of them off with b, or play the scenarios.",
        "A majority is floor(n/2)+1: 3 of 5. That is for servers that crash. Servers that lie need 3f+1 replicas and "
        "quorums of 2f+1: three nodes tolerate no traitor, four tolerate one.",
        "Four servers survive no more failures than three, one; five survive two: a majority of 4 is 3, of 5 it is 3.",
        "Raft, which etcd and CockroachDB run, is for servers that crash; PBFT is for servers that lie.",
    ),
)
