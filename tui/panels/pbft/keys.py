"""The verbs: what each letter means for the selected replica, or for the selected message in flight."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from engines.consensus.pbft.commands import Ask, SetAct, SetTimeout, SetWorkload
from engines.consensus.pbft.options import WORKLOADS
from engines.consensus.pbft.snapshot import ReplicaView, Snapshot
from engines.sim import faults
from engines.sim.rules import SetRule
from engines.sim.views import Flight
from tui.kit.selection import OnMessage
from tui.kit.verbs import Machine, Target, ask, marker, standard_keys
from tui.panel import Focus, Key, Outcome, Refuse
from tui.panels.pbft.queries import flight_of
from tui.panels.pbft.select import fit


def chosen(snapshot: Snapshot, focus: Focus) -> tuple[ReplicaView, Flight | None]:
    """The selected replica, and the selected message if there is one."""
    focus = fit(snapshot, focus)
    replica = snapshot.replica(focus.node)
    assert replica is not None
    return replica, flight_of(snapshot, focus)


def aim(snapshot: Snapshot, focus: Focus) -> Target:
    """What the standard verbs act on."""
    replica, flight = chosen(snapshot, focus)
    own = replica.machine
    machine = Machine(replica.id, replica.status, bool(own.cut_from), own.clock_off_us, own.drift_ppm)
    return Target.node(machine, snapshot.links, flight)


def _ask(snapshot: Snapshot, focus: Focus) -> Outcome:
    you = next(client for client in snapshot.clients if client.id == "you")
    number = you.done + you.unknown + you.queued + bool(you.current)
    return Ask("set", "xyz"[number % 3], number + 1)


def _workload(snapshot: Snapshot, focus: Focus) -> Outcome:
    levels = tuple(WORKLOADS)
    return SetWorkload(levels[(levels.index(snapshot.workload) + 1) % len(levels)])


def _primary(snapshot: Snapshot, focus: Focus) -> Outcome:
    return replace(focus, node=snapshot.primary, pick=None, why=False)


def _next_message(step: int) -> Callable[[Snapshot, Focus], Outcome]:
    """The message that arrives after or before the selected one, anywhere in the cluster."""

    def act(snapshot: Snapshot, focus: Focus) -> Outcome:
        flights = sorted(snapshot.flights, key=lambda each: (each.arrives_us, each.id))
        if not flights:
            return Refuse("no message is in flight at this moment")
        now = flight_of(snapshot, focus)
        flight = flights[(flights.index(now) + step) % len(flights)] if now else flights[0 if step > 0 else -1]
        ends = [end for end in (focus.node, flight.src, flight.dst) if end in (flight.src, flight.dst)]
        node = next((end for end in ends if snapshot.replica(end)), focus.node)
        return replace(focus, node=node, pick=OnMessage(flight.id), why=False)

    return act


def _time_out(snapshot: Snapshot, focus: Focus) -> Outcome:
    replica, _ = chosen(snapshot, focus)
    if replica.status == "crashed" or replica.timer_left_us is None:
        return Refuse(f"no timer of {replica.id} runs: it knows of no request that waits")
    timer = "new view" if replica.changing else "request"
    return faults.ExpireTimers((replica.id,), timer, 0)


KEYS: Final = (
    *standard_keys(aim, "replica"),
    Key("a", "ask", "ask the replicas for the next request", _ask, rank=13),
    Key("A", "request", "type a request: y=3, y+=1, del y, y?", ask("client"), rank=56),
    Key("w", "workload", "how fast clients ask: off, light, busy, flood", _workload, rank=45),
    Key("g", "primary", "go to the primary", _primary, rank=54),
    Key("n", "message", "the next message to arrive", _next_message(1), rank=53),
    Key("N", "before", "the previous one", _next_message(-1), rank=100),
    Key("o", "time out", "let the timer of the replica run out now", _time_out, rank=44),
)

mark: Final = marker({
    faults.ExpireTimers: ("o", "candidate"), Ask: ("a", "you"), SetAct: ("b", "bad"), SetRule: ("b", "bad"),
    SetWorkload: ("w", "you"), SetTimeout: ("t", "you"),
})  # fmt: skip
