"""What is selected, and where the arrows lead.

Left and right walk the servers clockwise. Up goes to the messages in flight from or to the selected server, and there
left, right and up walk on among them; down comes back. Down from a server enters its log at the newest entry; in the
logs arrows move as the grid is drawn, and right past the newest entry leads back to the server.
"""

from dataclasses import replace

from engines.consensus.raft.snapshot import Server, Snapshot
from tui.kit.selection import OnMessage, after, message_of, there, touching
from tui.panel import Focus
from tui.panels.consensus.queries import OnEntry, index_of


def fit(snapshot: Snapshot, focus: Focus) -> Focus:
    """The focus with what is gone replaced by what is nearest: the reply of a message, a shorter log's last entry."""
    if snapshot.server(focus.node) is None:
        focus = replace(focus, node=snapshot.leader or snapshot.servers[0].id, pick=None)
    match focus.pick:
        case OnMessage() as gone if message_of(snapshot, focus) is None:
            return replace(focus, pick=gone.nearest(touching(snapshot.flights, focus.node)))
        case OnEntry(index):
            return replace(focus, pick=_entry(there(snapshot.server(focus.node)), index))
    return focus


def _entry(server: Server, index: int) -> OnEntry | None:
    """The entry of a server that is nearest to an index."""
    if not server.log:
        return None
    return OnEntry(max(server.log[0].number, min(index, server.log[-1].number)))


def move(snapshot: Snapshot, focus: Focus, direction: str) -> Focus:
    """Where an arrow leads from here."""
    if isinstance(focus.pick, OnMessage):
        return replace(focus, pick=focus.pick.walk(touching(snapshot.flights, focus.node), direction))
    if isinstance(focus.pick, OnEntry):
        return _within_logs(snapshot, focus, direction)
    if direction == "up":
        flights = touching(snapshot.flights, focus.node)
        return replace(focus, pick=OnMessage(flights[0].id)) if flights else focus
    if direction == "down":
        server = there(snapshot.server(focus.node))
        return replace(focus, pick=_entry(server, server.last_index))
    ids = [each.id for each in snapshot.servers]
    return replace(focus, node=after(ids, focus.node, 1 if direction == "right" else -1))


def _within_logs(snapshot: Snapshot, focus: Focus, direction: str) -> Focus:
    index = index_of(focus)
    server = there(snapshot.server(focus.node))
    if direction == "right" and index >= server.last_index:
        return replace(focus, pick=None)
    if direction in ("left", "right"):
        return replace(focus, pick=_entry(server, index + (1 if direction == "right" else -1)))
    ids = [each.id for each in snapshot.servers]
    place = ids.index(focus.node) + (1 if direction == "down" else -1)
    if place < 0:
        return replace(focus, pick=None)
    beside = snapshot.servers[min(place, len(ids) - 1)]
    return replace(focus, node=beside.id, pick=_entry(beside, index))
