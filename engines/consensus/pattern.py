"""What the program shows of consensus: the variants, their stories, and what is modelled."""

from typing import Final

from engines.consensus.pbft.chaos import CHAOS as PBFT_CHAOS
from engines.consensus.pbft.engine import COMMANDS as PBFT_COMMANDS
from engines.consensus.pbft.engine import PbftEngine
from engines.consensus.pbft.options import SETTINGS as PBFT_SETTINGS
from engines.consensus.pbft.scenarios import SCENARIOS as PBFT_SCENARIOS
from engines.consensus.raft.chaos import CHAOS as RAFT_CHAOS
from engines.consensus.raft.commands import COMMANDS
from engines.consensus.raft.engine import RaftEngine
from engines.consensus.raft.gallery import SCENARIOS as GALLERY
from engines.consensus.raft.membership_scenarios import SCENARIOS as OF_MEMBERS
from engines.consensus.raft.options import SETTINGS
from engines.consensus.raft.read_scenarios import SCENARIOS as OF_READS
from engines.consensus.raft.scenarios import SCENARIOS
from engines.consensus.raft.snapshot_scenarios import SCENARIOS as OF_SNAPSHOTS
from engines.consensus.recorded import VARIANT as RECORDED
from engines.sim.pattern import Pattern, Variant

RAFT: Final = Variant(
    name="raft",
    title="Raft",
    summary="an elected leader replicates a log; survives crashes of a minority",
    make=RaftEngine,
    commands=COMMANDS,
    settings=SETTINGS,
    engine_version=11,
    chaos=RAFT_CHAOS,
    fidelity=(
        ("modelled", "leader election with random timeouts, log replication, the commit rule of 5.4.2, persistence"),
        ("modelled", "pre-vote, check-quorum, fast backtracking, a window of messages under way, the no-op of a term"),
        ("modelled", "snapshots of each server alone, with configuration and sessions, and their transfer in pieces"),
        ("modelled", "client sessions, by name or opened by an entry; those expire by the log, alike everywhere"),
        (
            "modelled",
            "members one by one or by a joint configuration, learners, leadership transfer; reads through the "
            "log, by ReadIndex, by lease, and without any check",
        ),
        (
            "modelled",
            "disks with a sync latency: what was not synced is lost in a crash, messages wait for the sync, "
            "and one sync covers all that was written before it began",
        ),
        ("simplified", "a message takes its latency whatever its size; servers compute in no time"),
        (
            "simplified",
            "a new voter catches up in rounds before it counts; in a joint change only who was made a learner first",
        ),
        ("simplified", "a client has one command outstanding; a RequestVote is not repeated within an election"),
    ),
)

PBFT: Final = Variant(
    name="pbft",
    title="PBFT",
    summary="3f+1 replicas agree though f of them lie: three phases, view changes, checkpoints",
    make=PbftEngine,
    commands=PBFT_COMMANDS,
    settings=PBFT_SETTINGS,
    chaos=PBFT_CHAOS,
    engine_version=5,
    fidelity=(
        ("modelled", "the paper's version with signatures: three phases, checkpoints, watermarks, state transfer, "
                     "view changes with proofs and null requests, doubling timeouts; what it leaves open: durability, "
                     "retransmission by status messages"),
        ("modelled", "23 acts of a traitor, several at once on any replica, and the read-only optimisation"),
        ("simplified", "a signature is a symbol that only its owner can produce; a digest is a hash of 48 bits"),
        ("simplified", "a message takes its latency whatever its size; one request a number, no batches"),
        ("left out", "the variant with MACs of 2002, tentative execution, recovery of replicas before they are known "
                     "to be bad"),
    ),
)  # fmt: skip

PATTERN: Final = Pattern(
    number=2,
    name="consensus",
    title="Consensus",
    question="How do nodes agree?",
    variants=(RAFT, PBFT),
    recorded=RECORDED,
    scenarios=(*SCENARIOS, *OF_SNAPSHOTS, *OF_MEMBERS, *OF_READS, *GALLERY, *PBFT_SCENARIOS),
    speed=(1, 20),
    aliases=(("raft", "raft"), ("pbft", "pbft")),
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
