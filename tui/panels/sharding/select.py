"""What is selected, and where the arrows lead.

Left and right walk the nodes. Down goes to the tracked keys: arrows walk on among them, up before the first comes back.
Up goes to the messages in flight from or to the selected node; down comes back. A selected key selects its owner too,
so the verbs act on the node that serves it.

``Focus.pick`` is a ``Chosen``: what is selected, which chart the strip shows, and the search text already followed.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeAlias

from engines.sharding.world.snapshot import KeyState, Lane, Snapshot
from tui.kit.selection import OnMessage, after, chooser, message_of, reader
from tui.panel import Focus
from tui.panels.sharding.queries import shown, touching

CHARTS: Final = ("compare", "curves", "time")
"""What the strip can show."""


@dataclass(frozen=True, slots=True)
class OnKey:
    """A key is selected, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class OnUnit:
    """A unit that moves is selected, by the id of its lane."""

    id: str


What: TypeAlias = OnKey | OnUnit | OnMessage | None


class Chosen(NamedTuple):
    """What is selected beside a node, and how things are looked at."""

    what: What = None
    chart: str = ""
    found: str = ""


read = reader(Chosen)
choose = chooser(Chosen)


def key_of(snapshot: Snapshot, focus: Focus) -> KeyState | None:
    """The selected key."""
    what = read(focus).what
    return snapshot.key(what.name) if isinstance(what, OnKey) else None


def lane_of(snapshot: Snapshot, focus: Focus) -> Lane | None:
    """The selected moving unit."""
    what = read(focus).what
    return next((lane for lane in snapshot.lanes if lane.id == what.id), None) if isinstance(what, OnUnit) else None


def charts(snapshot: Snapshot) -> tuple[str, ...]:
    """The charts there is something to show in, the best first."""
    there = {"compare": snapshot.comparison is not None, "curves": bool(snapshot.curves), "time": True}
    return tuple(chart for chart in CHARTS if there[chart])


def chart_of(snapshot: Snapshot, focus: Focus) -> str:
    """The chart that the strip shows: the one that was chosen, else the first there is."""
    wanted = read(focus).chart
    there = charts(snapshot)
    return wanted if wanted in there else there[0]


def next_chart(snapshot: Snapshot, focus: Focus, step: int = 1) -> Focus:
    """The chart after that."""
    return choose(focus, chart=after(charts(snapshot), chart_of(snapshot, focus), step))


def fit(snapshot: Snapshot, focus: Focus) -> Focus:
    """The focus with what is gone replaced by what is nearest; a new search text selects the key it names."""
    focus = _follow_search(snapshot, focus)
    nodes = [node.id for node in snapshot.nodes]
    if focus.node not in nodes:
        focus = replace(focus, node=nodes[0])
    match read(focus).what:
        case OnKey():
            key = key_of(snapshot, focus)
            if key is None:
                return choose(focus, what=None)
            return replace(focus, node=key.owner) if key.owner in nodes else focus
        case OnUnit() if lane_of(snapshot, focus) is None:
            return choose(focus, what=None)
        case OnMessage() as gone if message_of(snapshot, focus) is None:
            return choose(focus, what=gone.nearest(touching(snapshot, focus.node)))
    return focus


def _follow_search(snapshot: Snapshot, focus: Focus) -> Focus:
    """Once for every new text: the tracked key of that name, or the only one that contains it."""
    text = focus.find.strip()
    if text == read(focus).found:
        return focus
    focus = choose(focus, found=text)
    if not text:
        return focus
    likely = [key.key for key in snapshot.keys if text in key.key]
    exact = snapshot.key(text)
    key = exact.key if exact else likely[0] if len(likely) == 1 else ""
    return choose(focus, what=OnKey(key)) if key else focus


def move(snapshot: Snapshot, focus: Focus, direction: str) -> Focus:
    """Where an arrow leads from here."""
    step = -1 if direction in ("left", "up") else 1
    if focus.area == "strip":
        return next_chart(snapshot, focus, step)
    match read(focus).what:
        case OnKey(name):
            names = [key.key for key in snapshot.keys]
            back = direction == "up" and name == names[0]
            return fit(snapshot, choose(focus, what=None if back else OnKey(after(names, name, step))))
        case OnUnit(lane):
            ids = [each.id for each in snapshot.lanes]
            return choose(focus, what=None if direction in ("up", "down") else OnUnit(after(ids, lane, step)))
        case OnMessage() as message:
            return choose(focus, what=message.walk(touching(snapshot, focus.node), direction))
    if direction == "up":
        flights = touching(snapshot, focus.node)
        return choose(focus, what=OnMessage(flights[0].id)) if flights else focus
    if direction == "down":
        own = [key for key in snapshot.keys if key.owner == focus.node] or list(snapshot.keys)
        return fit(snapshot, choose(focus, what=OnKey(own[0].key))) if own else focus
    ids = [node.id for node in shown(snapshot)] or [node.id for node in snapshot.nodes]
    return replace(focus, node=after(ids, focus.node, step))
