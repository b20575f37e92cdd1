"""What is selected, and where the arrows lead.

Left and right walk the servers clockwise. Up goes to the messages in flight from or to the selected server, and there
left, right and up walk on among them; down comes back. Down from a server enters its log at the newest entry; in the
logs arrows move as the grid is drawn, and right past the newest entry leads back to the server.
"""

from dataclasses import replace

from engines.consensus.raft.snapshot import Server, Snapshot
from tui.kit.selection import OnMessage, after, touching
from tui.panel import Focus
from tui.panels.consensus.queries import OnEntry, entry_at, flight_of, index_of


def fit(snapshot: Snapshot, focus: Focus) -> Focus:
    """The focus with what is gone replaced by what is nearest: the reply of a message, a shorter log's last entry."""
    server = snapshot.server(focus.node)
    if server is None:
        focus = replace(focus, node=snapshot.leader or snapshot.servers[0].id, pick=None)
        server = snapshot.server(focus.node)
        assert server is not None
    if focus.pick is None:
        return focus
    if isinstance(focus.pick, OnMessage):
        flies = flight_of(snapshot, focus) is not None
        return focus if flies else replace(focus, pick=focus.pick.nearest(touching(snapshot.flights, focus.node)))
    index = index_of(focus)
    return focus if entry_at(server, index) else replace(focus, pick=_entry(server, index))


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
    server = snapshot.server(focus.node)
    if direction == "up":
        flights = touching(snapshot.flights, focus.node)
        return replace(focus, pick=OnMessage(flights[0].id)) if flights else focus
    if direction == "down":
        return replace(focus, pick=_entry(server, server.last_index)) if server else focus
    ids = [each.id for each in snapshot.servers]
    return replace(focus, node=after(ids, focus.node, 1 if direction == "right" else -1))


def _within_logs(snapshot: Snapshot, focus: Focus, direction: str) -> Focus:
    index = index_of(focus)
    server = snapshot.server(focus.node)
    assert server is not None
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
