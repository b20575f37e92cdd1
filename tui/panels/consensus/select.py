"""What is selected, and where the arrows lead.

Left and right walk the servers clockwise. Up goes to the messages in flight from or to the selected server, and there
left, right and up walk on among them; down comes back. Down from a server enters its log at the newest entry; in the
logs arrows move as the grid is drawn, and right past the newest entry leads back to the server.
"""

from dataclasses import replace

from engines.consensus.raft.snapshot import Server, Snapshot
from tui.panel import Focus
from tui.panels.consensus.facts import entry_at, flight_of, index_of, touching


def fit(snapshot: Snapshot, focus: Focus) -> Focus:
    """The focus with what is gone replaced by what is nearest: the reply of a message, a shorter log's last entry."""
    server = snapshot.server(focus.node)
    if server is None:
        focus = replace(focus, node=snapshot.leader or snapshot.servers[0].id, item="")
        server = snapshot.server(focus.node)
        assert server is not None
    if not focus.item:
        return focus
    if focus.item.startswith("m:"):
        return focus if flight_of(snapshot, focus) else replace(focus, item=_nearest(snapshot, focus))
    index = index_of(focus)
    if index and entry_at(server, index):
        return focus
    return replace(focus, item=_entry(server, index) if index else "")


def _nearest(snapshot: Snapshot, focus: Focus) -> str:
    """The message of the selected server that was sent closest to the one that is gone."""
    gone = int(focus.item[2:]) if focus.item[2:].isdigit() else 0
    others = touching(snapshot, focus.node)
    return f"m:{min(others, key=lambda each: (abs(each.id - gone), each.id)).id}" if others else ""


def _entry(server: Server, index: int) -> str:
    """The item of the entry of a server that is nearest to an index."""
    if not server.log:
        return ""
    return f"e:{max(server.log[0].number, min(index, server.log[-1].number))}"


def move(snapshot: Snapshot, focus: Focus, direction: str) -> Focus:
    """Where an arrow leads from here."""
    focus = fit(snapshot, focus)
    if focus.item.startswith("m:"):
        return _among_messages(snapshot, focus, direction)
    if focus.item.startswith("e:"):
        return _within_logs(snapshot, focus, direction)
    server = snapshot.server(focus.node)
    if direction == "up":
        flights = touching(snapshot, focus.node)
        return replace(focus, item=f"m:{flights[0].id}") if flights else focus
    if direction == "down":
        return replace(focus, item=_entry(server, server.last_index)) if server else focus
    return replace(focus, node=_beside(snapshot, focus.node, 1 if direction == "right" else -1))


def _beside(snapshot: Snapshot, node: str, step: int) -> str:
    ids = [server.id for server in snapshot.servers]
    return ids[(ids.index(node) + step) % len(ids)]


def _among_messages(snapshot: Snapshot, focus: Focus, direction: str) -> Focus:
    if direction == "down":
        return replace(focus, item="")
    items = [f"m:{each.id}" for each in touching(snapshot, focus.node)]
    if focus.item not in items:  # it flies elsewhere: chosen by `n`
        return replace(focus, item=items[0] if items else "")
    return replace(focus, item=items[(items.index(focus.item) + (-1 if direction == "left" else 1)) % len(items)])


def _within_logs(snapshot: Snapshot, focus: Focus, direction: str) -> Focus:
    index = index_of(focus)
    server = snapshot.server(focus.node)
    assert server is not None
    if direction == "right" and index >= server.last_index:
        return replace(focus, item="")
    if direction in ("left", "right"):
        return replace(focus, item=_entry(server, index + (1 if direction == "right" else -1)))
    ids = [each.id for each in snapshot.servers]
    place = ids.index(focus.node) + (1 if direction == "down" else -1)
    if place < 0:
        return replace(focus, item="")
    beside = snapshot.servers[min(place, len(ids) - 1)]
    return replace(focus, node=beside.id, item=_entry(beside, index))
