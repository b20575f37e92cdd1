"""The verbs: what each letter means for the selected server, or for the selected message in flight.

A verb returns a command of the engine, several given together, another focus, or a refusal that says why.
"""

from dataclasses import replace
from typing import Any, Final

from engines.consensus.raft.engine import WORKLOADS, Propose, SetRule, SetTiming, SetWorkload
from engines.consensus.raft.snapshot import Flight, LinkState, Server, Snapshot
from engines.sim import faults
from engines.sim.clock import US_PER_MS
from engines.sim.world import ALL
from tui.canvas import Ink
from tui.kit import network
from tui.kit.network import next_delay, next_loss, next_shuffle, next_skew
from tui.kit.selection import OnMessage
from tui.panel import Ask, Focus, Key, Outcome, Refuse
from tui.panels.consensus.facts import flight_of, link_of, links_of
from tui.panels.consensus.select import fit

ELECTION: Final = "election"
TOGETHER_US: Final = 5 * US_PER_MS
"""So soon all election timers run out after ``v``: before the next heartbeat can put many of them off."""


def chosen(snapshot: Snapshot, focus: Focus) -> tuple[Server, Flight | None]:
    """The selected server, and the selected message if there is one."""
    focus = fit(snapshot, focus)
    server = snapshot.server(focus.node)
    assert server is not None
    return server, flight_of(snapshot, focus)


def _crash(snapshot: Snapshot, focus: Focus) -> Outcome:
    return network.crash(*chosen(snapshot, focus))


def _freeze(snapshot: Snapshot, focus: Focus) -> Outcome:
    return network.freeze(*chosen(snapshot, focus))


def _cut(snapshot: Snapshot, focus: Focus) -> Outcome:
    server, flight = chosen(snapshot, focus)
    return network.cut(server, flight, link_of(snapshot, flight.src, flight.dst) if flight else None)


def _links(snapshot: Snapshot, focus: Focus) -> tuple[list[LinkState], tuple[tuple[str, str], ...]]:
    """The changed links a verb acts on, and how a command names them: one link, or all of a server."""
    server, flight = chosen(snapshot, focus)
    if flight:
        link = link_of(snapshot, flight.src, flight.dst)
        return ([link] if link else []), ((flight.src, flight.dst),)
    return links_of(snapshot, server.id), ((server.id, ALL), (ALL, server.id))


def _lose(snapshot: Snapshot, focus: Focus) -> Outcome:
    return next_loss(*_links(snapshot, focus))


def _delay(snapshot: Snapshot, focus: Focus) -> Outcome:
    return next_delay(*_links(snapshot, focus))


def _shuffle(snapshot: Snapshot, focus: Focus) -> Outcome:
    return next_shuffle(*_links(snapshot, focus))


def _skew(snapshot: Snapshot, focus: Focus) -> Outcome:
    server, flight = chosen(snapshot, focus)
    if flight:
        return Refuse("a message has no clock: press down to come back to the server")
    return next_skew(server.id, server.clock_off_us, server.drift_ppm)


def _propose(snapshot: Snapshot, focus: Focus) -> Outcome:
    server, _ = chosen(snapshot, focus)
    if server.status == "crashed":
        return Refuse(f"{server.id} is crashed: it hears no client; A asks whoever leads")
    you = next(client for client in snapshot.clients if client.id == "you")
    number = you.done + you.unknown + you.queued + bool(you.current)
    return Propose("set", "xyz"[number % 3], number + 1, server.id, insist=not you.current)


def _workload(snapshot: Snapshot, focus: Focus) -> Outcome:
    levels = tuple(WORKLOADS)
    return SetWorkload(levels[(levels.index(snapshot.workload) + 1) % len(levels)])


def _leader(snapshot: Snapshot, focus: Focus) -> Outcome:
    if not snapshot.leader:
        return Refuse("nobody leads at this moment")
    return replace(focus, node=snapshot.leader, pick=None, why=False)


def _next_message(snapshot: Snapshot, focus: Focus) -> Outcome:
    """The message that arrives after the selected one, anywhere in the cluster."""
    flights = sorted(snapshot.flights, key=lambda each: (each.arrives_us, each.id))
    if not flights:
        return Refuse("no message is in flight at this moment")
    now = flight_of(snapshot, focus)
    flight = flights[(flights.index(now) + 1) % len(flights)] if now else flights[0]
    ends = [end for end in (focus.node, flight.src, flight.dst) if end in (flight.src, flight.dst)]
    node = next(end for end in ends if snapshot.server(end))
    return replace(focus, node=node, pick=OnMessage(flight.id), why=False)


def _time_out(snapshot: Snapshot, focus: Focus) -> Outcome:
    server, _ = chosen(snapshot, focus)
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


def _unbuilt(snapshot: Snapshot, focus: Focus) -> Outcome:
    return Refuse("membership changes are not built yet: the servers of a run are fixed")


def _heal(snapshot: Snapshot, focus: Focus) -> Outcome:
    return faults.Heal()


def _ask(snapshot: Snapshot, focus: Focus) -> Outcome:
    return Ask("client")


KEYS: Final = (
    Key("k", "crash", "crash the server, or restart it; on a message: drop it", _crash, rank=10),
    Key("z", "freeze", "freeze the server (a long pause), or thaw it", _freeze, rank=20),
    Key("x", "isolate", "cut the server off, or connect it again; on a message: cut its link", _cut, rank=11),
    Key("l", "loss", "loss on its links: 0, 10, 30, 60, 100 %; on a message: on its link", _lose, rank=12),
    Key("d", "delay", "latency of its links: x1, x3, x10; on a message: of its link", _delay, rank=22),
    Key("u", "shuffle", "let 30 % of its messages come twice and out of order, or not", _shuffle, rank=62),
    Key("c", "clock", "its clock: right, 200 ms ahead, 20 % fast, 20 % slow", _skew, rank=58),
    Key("h", "heal", "heal everything: links, clocks, frozen and dead servers", _heal, rank=14),
    Key("a", "propose", "ask the selected server for the next command", _propose, rank=13),
    Key("A", "ask", "type a command: y=3, y+=1, del y", _ask, rank=56),
    Key("w", "workload", "how fast clients ask: off, light, busy, flood", _workload, rank=45),
    Key("g", "leader", "go to the leader", _leader, rank=54),
    Key("n", "message", "select the next message to arrive", _next_message, rank=53),
    Key("o", "time out", "let the election timer of the server run out now", _time_out, rank=44),
    Key("v", "split vote", "let all election timers run out together: a split vote", _split_vote, rank=46),
    Key("j", "add", "add a server", _unbuilt, rank=100),
    Key("J", "remove", "remove the server", _unbuilt, rank=100),
)

MARKS: Final[dict[type, tuple[str, Ink]]] = {
    **network.MARKS,
    faults.ExpireTimers: ("v", "candidate"), Propose: ("a", "you"),
    SetRule: ("b", "bad"), SetWorkload: ("w", "you"), SetTiming: ("t", "you"),
}  # fmt: skip


def mark(command: Any) -> tuple[str, Ink] | None:
    """The letter a command leaves on the scrubber: that of its verb; none for what a lecturer says."""
    return MARKS.get(type(command))
