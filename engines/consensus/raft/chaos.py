"""What a Raft cluster survives, and what it owes a bounded time after all is healed.

Any number of servers may crash, freeze or be cut off, messages may be lost, repeated and out of order, clocks wrong
and disks slow, members change and leaders hand over meanwhile: no guarantee breaks, and once all is well again a leader
commits what it is asked for.
"""

from dataclasses import replace
from typing import Any, Final, get_args

from engines.consensus.raft import change_events as c
from engines.consensus.raft import events as e
from engines.consensus.raft import read_events as r
from engines.consensus.raft.commands import (
    AddServer,
    ChangeJoint,
    LeaveJoint,
    Propose,
    RemoveServer,
    SetWorkload,
    Transfer,
)
from engines.consensus.raft.options import WORKLOADS
from engines.consensus.raft.rules import ReadMode
from engines.sim import faults
from engines.sim.chaos import After, Chaos, Hazard, Stage, Theme, order, some
from engines.sim.hazards import HAZARDS, SKEW, SLOW_DISKS, expire
from engines.sim.random import Stream
from engines.units import US_PER_MS, US_PER_S

MARK: Final = 77
"""What is written after the heal."""


def _propose(draw: Stream, stage: Stage) -> Propose:
    node = draw.pick(("", *stage.servers))
    return Propose(draw.pick(("set", "add", "del")), draw.pick("xy"), draw.between(-9, 9), node, draw.chance(500_000))


def _question(draw: Stream, stage: Stage) -> Propose:
    """Somebody asks one server, once; whoever leads, or who may have led a while ago."""
    client = draw.pick(("", *stage.clients))
    return Propose("get", draw.pick("xy"), 0, draw.pick(("leader", stage.server(draw))), False, client)


def _burst(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """Command after command to one server, from somebody who waits for no answer: it may lead, or have led."""
    node = stage.server(draw)
    every_us = draw.between(1, 8) * US_PER_MS
    count = draw.pick((draw.between(3, 12), draw.between(20, 60)))
    return tuple(After(every_us * i, Propose("set", draw.pick("xyz"), i, node, False)) for i in range(count))


def _load(draw: Stream, stage: Stage) -> SetWorkload:
    return SetWorkload(draw.pick(tuple(WORKLOADS)))


def _member(draw: Stream, stage: Stage) -> str:
    """A server that may come, or one of this cluster."""
    count = len(stage.servers)
    return draw.pick((f"n{count + 1}", f"n{count + 2}", stage.server(draw)))


def _asked(draw: Stream, stage: Stage) -> str:
    """Whoever leads, or any server: a client may be wrong about that."""
    return draw.pick(("", "", "", stage.server(draw)))


def _joint(draw: Stream, stage: Stage) -> ChangeJoint:
    """One comes and one goes; or several go at once."""
    if draw.chance(300_000):
        return ChangeJoint((), some(draw, stage.servers), (), draw.chance(800_000), _asked(draw, stage))
    add, remove = _member(draw, stage), stage.server(draw)
    return ChangeJoint((add,), (remove,) if remove != add else (), (), draw.chance(800_000), _asked(draw, stage))


def _removal(draw: Stream, stage: Stage) -> RemoveServer | ChangeJoint:
    """One goes, or several at once."""
    if draw.chance(500_000):
        return ChangeJoint((), some(draw, stage.servers), (), True, _asked(draw, stage))
    return RemoveServer(stage.server(draw), _asked(draw, stage))


def _voter(draw: Stream, stage: Stage) -> AddServer | RemoveServer:
    """One more voter, or one less."""
    if draw.chance(400_000):
        return AddServer(f"n{len(stage.servers) + draw.between(1, 2)}", False, _asked(draw, stage))
    return RemoveServer(stage.server(draw), _asked(draw, stage))


def _learner(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """A new server learns, and is promoted a while later."""
    new = f"n{len(stage.servers) + draw.between(1, 2)}"
    return After(0, AddServer(new, True)), After(draw.between(100, 900) * US_PER_MS, AddServer(new))


def _strike(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """Something befalls whoever leads at that moment, for a while."""
    end = draw.between(1, stage.longest_us) if stage.longest_us else 0
    everybody: tuple[Any, ...]
    match draw.below(5):
        case 0:
            strike: Any = faults.Crash("leader")
            everybody = tuple(faults.Restart(each) for each in stage.servers)
        case 1:
            strike, everybody = faults.Freeze("leader"), tuple(faults.Thaw(each) for each in stage.servers)
        case 2:
            strike, everybody = faults.Isolate("leader"), (faults.Mend("*", "*"),)
        case 3:
            strike, everybody = faults.Cut("leader", "*"), (faults.Mend("*", "*"),)
        case _:
            strike, everybody = faults.Cut("*", "leader"), (faults.Mend("*", "*"),)
    return After(0, strike), *(After(end, each) for each in everybody if end)


def _skew(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """A wrong clock. Leases trust clocks to differ by little in pace, and not to jump."""
    if stage.setting("reads") != ReadMode.LEASE.value:
        return SKEW.make(draw, stage)
    node = stage.server(draw)
    drift = draw.pick((-100_000, -20_000, 20_000, 100_000))
    return After(0, faults.Skew(node, 0, drift)), *stage.until(draw, faults.Skew(node, 0, 0))


THEMES: Final = (
    Theme(
        "anything",
        (e.Elected, e.Committed, e.Appended, e.Stored, e.VoteGranted, e.SteppedDown, e.Truncated, e.MatchFound),
        orders=("propose", "burst", "question", "members", "joint", "transfer"),
    ),
    Theme(  # leaders that come and go before their entries are everywhere: Figure 8
        "terms",
        ways=(
            (e.Appended, "isolate"),
            (e.Elected, "isolate"),
            (e.Committed, "isolate"),
            (e.Elected, "isolate"),
            (e.Elected, "kill"),
        ),
        orders=("propose",),
        settings=(("nodes", (3, 3, 3, 5)), ("workload", ("off", "light", "busy"))),
        weight=2,
    ),
    Theme(  # two leaders, each with a change of the same members: the bug of 2015
        "rivals",
        ways=(
            (c.ConfigurationAppended, "isolate"),
            (e.Elected, "one ally and ask"),
            (e.Elected, "one link and ask"),
        ),
        orders=("voter",),
        settings=(("nodes", (4, 4, 4, 6)), ("workload", ("off", "light")), ("noop", (True, True, False))),
        weight=2,
    ),
    Theme(  # a leader without a majority, and a server between it and those who want another
        "bridges",
        ways=((e.Elected, "one bridge"), (e.Committed, "one bridge")),
        settings=(("nodes", (4,)), ("workload", ("off", "light"))),
    ),
    Theme(  # servers that were members, and do not know it any more
        "removals",
        ways=(
            (c.ConfigurationCommitted, "kill"),
            (c.ConfigurationCommitted, "isolate"),
            (c.ConfigurationAdopted, "kill"),
            (c.ConfigurationAdopted, "isolate"),
            (e.Elected, "kill both"),
        ),
        orders=("removal", "propose"),
        hazards=("crash", "restart", "rack"),
        settings=(("nodes", (3, 3, 4, 5)), ("workload", ("off", "light", "busy"))),
    ),
    Theme(  # a promotion that has not come to everybody when the leader dies
        "learners",
        ways=((c.RoundEnded, "one link"), (c.ConfigurationCommitted, "kill")),
        orders=("learner",),
        hazards=("loss",),
        settings=(("nodes", (2, 2, 3)), ("workload", ("off", "light"))),
    ),
    Theme(  # logs that end in entries nobody else has, when a snapshot comes
        "snapshots",
        ways=(
            (e.Appended, "isolate and ask"),
            (e.Committed, "isolate and ask"),
            (e.SnapshotTaken, "isolate and ask"),
            (e.SnapshotSent, "kill"),
            (e.SnapshotInstalled, "kill"),
        ),
        orders=("burst",),
        settings=(
            ("nodes", (3, 3, 5)),
            ("compact", (1, 3, 5)),
            ("factor", (1,)),
            ("tail", (0, 0, 3)),
            ("workload", ("light", "busy", "busy")),
        ),
    ),
    Theme(  # a new leader is asked before it knows what is committed
        "newcomers",
        ways=((e.Committed, "kill"), (e.Elected, "pester"), (e.Committed, "mute"), (e.Elected, "ask")),
        orders=("question",),
        settings=(
            ("nodes", (3, 5)),
            ("workload", ("light", "light", "busy")),
            ("noop", (True, False, False)),
            ("reads", (ReadMode.INDEX.value, ReadMode.INDEX.value, ReadMode.LEASE.value)),
            ("read_percent", (0, 30, 60)),
        ),
    ),
    Theme(  # a leader of the past is asked again what it was asked before
        "retries",
        ways=((r.ReadWaits, "stale"), (e.Elected, "pester"), (r.ReadServed, "stale"), (e.Committed, "isolate")),
        orders=("question",),
        settings=(
            ("nodes", (3, 5)),
            ("workload", ("off", "light", "light", "busy")),
            ("reads", (ReadMode.INDEX.value, ReadMode.INDEX.value, ReadMode.LEASE.value)),
            ("read_percent", (0, 30, 60)),
        ),
    ),
    Theme(  # what was said before the disk had it
        "disks",
        ways=(
            (e.Stored, "kill"),
            (e.VoteGranted, "kill"),
            (e.Committed, "kill both"),
            (e.Appended, "slow disk"),
            (e.Elected, "isolate"),
            (e.SnapshotInstalled, "kill"),
        ),
        orders=("propose",),
        hazards=("slow disk", "slow disks", "crash", "restart", "rack", "isolate", "duplicate"),
        settings=(("nodes", (3, 3, 5)), ("workload", ("light", "busy", "flood"))),
    ),
)


def missing(engine: Any) -> str:
    """A leader, and the write that was asked for at every member that counts.

    A leader that writes no empty entry commits nothing of before until it is asked for something. If it took over after
    the write was answered, nobody asks: then it is enough that all logs are like its own.
    """
    leader = engine.leader()
    if not leader:
        return "there is no leader"
    node = engine.raft(leader)
    idle = not engine.noop and 0 < node.log.last_term < node.current_term
    members = [each for each in engine.servers if node.configuration.votes(each)]
    behind = []
    for each in members:
        log, values = engine.raft(each).log, engine.raft(each).kv.values
        alike = (log.last_index, log.last_term) == (node.log.last_index, node.log.last_term)
        if values.get("q") != MARK and not (idle and alike):
            behind.append(each)
    if behind:
        return f"the write asked for after the heal has not been applied by {', '.join(behind)}"
    return ""


def role(engine: Any, node: str) -> str:
    """Leader, follower, candidate ... or client."""
    if node not in engine.servers:
        return "client" if node else ""
    return str(engine.raft(node).role.value)


CHAOS: Final = Chaos(
    hazards=(
        *(replace(each, make=_skew) if each is SKEW else each for each in HAZARDS),
        SLOW_DISKS,
        expire("election", "heartbeat", "quorum"),
        Hazard("leader", _strike, 4),
    ),
    orders=(
        order("propose", _propose, weight=3),
        order("question", _question),
        Hazard("burst", _burst),
        order("workload", _load),
        order(
            "members",
            lambda draw, stage: AddServer(_member(draw, stage), draw.chance(200_000), _asked(draw, stage)),
            lambda draw, stage: RemoveServer(stage.server(draw), _asked(draw, stage)),
            weight=2,
        ),
        order("joint", _joint, _joint, lambda draw, stage: LeaveJoint(_asked(draw, stage)), weight=2),
        order("voter", _voter),
        order("removal", _removal),
        Hazard("learner", _learner),
        order("transfer", lambda draw, stage: Transfer(stage.server(draw), _asked(draw, stage))),
    ),
    themes=THEMES,
    settings=(
        ("nodes", (3, 4, 5, 5, 7)),
        ("workload", ("light", "busy", "flood")),
        ("clients", (1, 2, 4)),
        ("noop", (True, False)),
        ("reads", tuple(mode.value for mode in ReadMode)),
        ("read_percent", (0, 30, 60)),
        ("forward", (True, False)),
        ("compact", (100, 5, 12)),
        ("factor", (1, 4)),
        ("tail", (50, 0, 3)),
        ("piece", (8, 1)),
        ("window", (16, 1, 2)),
    ),
    wait_us=150 * US_PER_MS,
    pause_us=10 * US_PER_S,
    rest=(After(0, SetWorkload("off")), After(1_500 * US_PER_MS, Propose("set", "q", MARK))),
    quiet_us=8 * US_PER_S,
    calm_us=500 * US_PER_MS,
    promise="the cluster works again",
    missing=missing,
    role=role,
    events=get_args(e.RaftEvent),
)

__all__ = ["CHAOS", "MARK", "missing", "role"]
