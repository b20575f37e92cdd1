"""What is selected, and where the arrows lead.

Left and right walk the replicas, down goes to older numbers, up to newer ones and past the newest to the messages in
flight from or to the selected replica, where left and right walk on among them; down comes back.
"""

from dataclasses import replace

from engines.consensus.pbft.snapshot import Snapshot
from tui.kit.selection import OnMessage, after, message_of, touching
from tui.panel import Focus
from tui.panels.pbft.queries import OnNumber, number_of, numbers


def fit(snapshot: Snapshot, focus: Focus) -> Focus:
    """The focus with what is gone replaced by what is nearest."""
    if snapshot.replica(focus.node) is None:
        focus = replace(focus, node=snapshot.primary, pick=None)
    match focus.pick:
        case OnMessage() as pick if message_of(snapshot, focus) is None:
            return replace(focus, pick=pick.nearest(touching(snapshot.flights, focus.node)))
        case OnNumber(n) if n not in numbers(snapshot):
            return replace(focus, pick=None)
    return focus


def move(snapshot: Snapshot, focus: Focus, direction: str) -> Focus:
    """Where an arrow leads from here."""
    if isinstance(focus.pick, OnMessage):
        return replace(focus, pick=focus.pick.walk(touching(snapshot.flights, focus.node), direction))
    if direction in ("left", "right"):
        ids = [each.id for each in snapshot.replicas]
        return replace(focus, node=after(ids, focus.node, 1 if direction == "right" else -1))
    known = numbers(snapshot)
    now = number_of(snapshot, focus)
    if direction == "down":
        older = [n for n in known if n < now]
        return replace(focus, pick=OnNumber(older[-1])) if older else focus
    newer = [n for n in known if n > now]
    if newer:
        return replace(focus, pick=None if newer[0] == known[-1] else OnNumber(newer[0]))
    flights = touching(snapshot.flights, focus.node)
    return replace(focus, pick=OnMessage(flights[0].id)) if flights else focus
