"""The verbs: what each letter means for the selected server, or for the selected message in flight.

A verb returns a command of the engine, several given together, another focus, or a refusal that says why.
"""

from dataclasses import replace
from typing import Final

from engines.consensus.raft import commands as c
from engines.consensus.raft.options import SERVERS_MAX, WORKLOADS
from engines.consensus.raft.snapshot import Snapshot
from engines.sim import faults
from engines.units import US_PER_MS
from tui.kit.selection import after, there
from tui.kit.verbs import ask, at_nodes, marker, next_message, simulated, standard_keys
from tui.panel import Focus, Key, Outcome, Refuse

ELECTION: Final = "election"
TOGETHER_US: Final = 5 * US_PER_MS
"""So soon all election timers run out after ``y``: before the next heartbeat can put many of them off."""


def _propose(snapshot: Snapshot, focus: Focus) -> Outcome:
    server = there(snapshot.server(focus.node))
    if server.status == "crashed":
        return Refuse(f"{server.id} is crashed: it hears no client; A asks whoever leads")
    you = next(client for client in snapshot.clients if client.id == "you")
    number = you.done + you.unknown + you.queued + bool(you.current)
    return c.Propose("set", "xyz"[number % 3], number + 1, server.id, insist=not you.current)


def _leader(snapshot: Snapshot, focus: Focus) -> Outcome:
    if not snapshot.leader:
        return Refuse("nobody leads at this moment")
    return replace(focus, node=snapshot.leader, pick=None, why=False)


def _time_out(snapshot: Snapshot, focus: Focus) -> Outcome:
    server = there(snapshot.server(focus.node))
    if server.status == "crashed" or server.timer_left_us is None:
        return Refuse(f"{server.id} is crashed: no timer runs")
    if server.role == "leader":
        return Refuse(f"{server.id} leads: a leader has no election timer")
    return faults.ExpireTimers((server.id,), ELECTION, 0)


def _split_vote(snapshot: Snapshot, focus: Focus) -> Outcome:
    waiting = tuple(each.id for each in snapshot.servers if each.status != "crashed" and each.role != "leader")
    if len(waiting) < 2:
        return Refuse("fewer than two election timers run: nothing to align")
    return faults.ExpireTimers(waiting, ELECTION, TOGETHER_US)


def _join(snapshot: Snapshot, focus: Focus) -> Outcome:
    server = there(snapshot.server(focus.node))
    back = server.id if not snapshot.configuration.votes(server.id) else ""
    if not back and len(snapshot.servers) >= SERVERS_MAX:
        return Refuse(f"{SERVERS_MAX} machines are the most; select one that is no voter to add it again")
    return c.AddServer(back)


def _leave(snapshot: Snapshot, focus: Focus) -> Outcome:
    server = there(snapshot.server(focus.node))
    if server.id not in snapshot.configuration.everyone:
        return Refuse(f"{server.id} is no member of {snapshot.configuration}")
    return c.RemoveServer(server.id)


def _hand_over(snapshot: Snapshot, focus: Focus) -> Outcome:
    server = there(snapshot.server(focus.node))
    if server.id == snapshot.leader:
        return Refuse(f"{server.id} leads: select the server that is to take over")
    return c.Transfer(server.id)


KEYS: Final = (
    *standard_keys(at_nodes("servers"), "server", guard=simulated),
    Key("a", "propose", "ask the selected server for the next command", simulated(_propose), rank=13),
    Key("A", "ask", "type a command, a question or members: y=3, y+=1, y?, del y, +n6 -n1 ~n4",
        simulated(ask("client")), rank=56),
    Key("j", "add", "add a server; the selected one if it is no voter: it catches up, then it counts", simulated(_join),
        rank=47),
    Key("J", "remove", "remove the selected server from the cluster", simulated(_leave), rank=48),
    Key("L", "hand over", "let the leader hand its office to the selected server", simulated(_hand_over), rank=49),
    Key("w", "workload", "how fast clients ask: off, light, busy, flood",
        simulated(lambda snapshot, focus: c.SetWorkload(after(tuple(WORKLOADS), snapshot.workload))), rank=45),
    Key("g", "leader", "go to the leader", _leader, rank=54),
    Key("n", "message", "the next message to arrive", next_message(1, "servers"), rank=53),
    Key("N", "before", "the previous one", next_message(-1, "servers"), rank=100),
    Key("o", "time out", "let the election timer of the server run out now", simulated(_time_out), rank=44),
    Key("y", "split vote", "let all election timers run out together: a split vote", simulated(_split_vote), rank=46),
)  # fmt: skip

mark: Final = marker({
    faults.ExpireTimers: ("y", "candidate"), c.Propose: ("a", "you"), c.SetRule: ("b", "bad"),
    c.SetWorkload: ("w", "you"), c.SetTiming: ("t", "you"), c.SetReads: ("t", "you"), c.AddServer: ("j", "good"),
    c.RemoveServer: ("J", "warn"), c.ChangeJoint: ("J", "warn"), c.LeaveJoint: ("J", "warn"),
    c.Transfer: ("L", "leader"),
})  # fmt: skip
