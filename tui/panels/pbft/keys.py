"""The verbs: what each letter means for the selected replica, or for the selected message in flight."""

from dataclasses import replace
from typing import Final

from engines.consensus.pbft.commands import Ask, SetAct, SetTimeout, SetWorkload
from engines.consensus.pbft.options import WORKLOADS
from engines.consensus.pbft.snapshot import Snapshot
from engines.sim import faults
from engines.sim.rules import SetRule
from tui.kit.selection import after, there
from tui.kit.verbs import ask, at_nodes, marker, next_message, standard_keys
from tui.panel import Focus, Key, Outcome, Refuse


def _ask(snapshot: Snapshot, focus: Focus) -> Outcome:
    you = next(client for client in snapshot.clients if client.id == "you")
    number = you.done + you.unknown + you.queued + bool(you.current)
    return Ask("set", "xyz"[number % 3], number + 1)


def _workload(snapshot: Snapshot, focus: Focus) -> Outcome:
    return SetWorkload(after(tuple(WORKLOADS), snapshot.workload))


def _primary(snapshot: Snapshot, focus: Focus) -> Outcome:
    return replace(focus, node=snapshot.primary, pick=None, why=False)


def _time_out(snapshot: Snapshot, focus: Focus) -> Outcome:
    replica = there(snapshot.replica(focus.node))
    if replica.status == "crashed" or replica.timer_left_us is None:
        return Refuse(f"no timer of {replica.id} runs: it knows of no request that waits")
    timer = "new view" if replica.changing else "request"
    return faults.ExpireTimers((replica.id,), timer, 0)


KEYS: Final = (
    *standard_keys(at_nodes("replicas"), "replica"),
    Key("a", "ask", "ask the replicas for the next request", _ask, rank=13),
    Key("A", "request", "type a request: y=3, y+=1, del y, y?", ask("client"), rank=56),
    Key("w", "workload", "how fast clients ask: off, light, busy, flood", _workload, rank=45),
    Key("g", "primary", "go to the primary", _primary, rank=54),
    Key("n", "message", "the next message to arrive", next_message(1, "replicas"), rank=53),
    Key("N", "before", "the previous one", next_message(-1, "replicas"), rank=100),
    Key("o", "time out", "let the timer of the replica run out now", _time_out, rank=44),
)

mark: Final = marker({
    faults.ExpireTimers: ("o", "candidate"), Ask: ("a", "you"), SetAct: ("b", "bad"), SetRule: ("b", "bad"),
    SetWorkload: ("w", "you"), SetTimeout: ("t", "you"),
})  # fmt: skip
