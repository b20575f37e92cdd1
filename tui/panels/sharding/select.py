"""What is selected, and where the arrows lead.

Left and right walk the nodes. Down goes to the tracked keys: arrows walk on among them, up before the first comes back.
Up goes to the messages in flight from or to the selected node; down comes back. A selected key selects its owner too,
so the verbs act on the node that serves it.

``Focus.item`` holds three things, since the focus is one record for all panels: what is selected (``k:`` key, ``u:``
moving unit, ``m:`` message), which chart the strip shows, and the search text that was already followed.
"""

from dataclasses import replace
from typing import Final, NamedTuple

from engines.sharding.world.snapshot import Flight, KeyState, Lane, Snapshot
from tui.panel import Focus
from tui.panels.sharding.facts import lanes, shown, touching

SEPARATOR: Final = "\x1f"
CHARTS: Final = ("compare", "curves", "time")
"""What the strip can show."""


class Chosen(NamedTuple):
    """The parts of an item."""

    what: str = ""
    chart: str = ""
    found: str = ""


def read(focus: Focus) -> Chosen:
    """The parts of the focus' item."""
    return Chosen(*focus.item.split(SEPARATOR)[:3]) if focus.item else Chosen()


def choose(focus: Focus, what: str | None = None, chart: str | None = None, found: str | None = None) -> Focus:
    """The focus with another part."""
    now = read(focus)
    parts = (
        now.what if what is None else what,
        now.chart if chart is None else chart,
        now.found if found is None else found,
    )
    return replace(focus, item=SEPARATOR.join(parts).rstrip(SEPARATOR))


def key_of(snapshot: Snapshot, focus: Focus) -> KeyState | None:
    """The selected key."""
    what = read(focus).what
    return snapshot.key(what[2:]) if what.startswith("k:") else None


def lane_of(snapshot: Snapshot, focus: Focus) -> Lane | None:
    """The selected moving unit."""
    what = read(focus).what
    if not what.startswith("u:"):
        return None
    return next((lane for lane in lanes(snapshot) if lane.id == what[2:]), None)


def flight_of(snapshot: Snapshot, focus: Focus) -> Flight | None:
    """The selected message."""
    what = read(focus).what
    if not what.startswith("m:"):
        return None
    return next((each for each in snapshot.flights if f"m:{each.id}" == what), None)


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
    there = charts(snapshot)
    return choose(focus, chart=there[(there.index(chart_of(snapshot, focus)) + step) % len(there)])


# -- what is gone ----------------------------------------------------------------------------------------------------


def fit(snapshot: Snapshot, focus: Focus) -> Focus:
    """The focus with what is gone replaced by what is nearest; a new search text selects the key it names."""
    focus = _follow_search(snapshot, focus)
    nodes = [node.id for node in snapshot.nodes]
    if focus.node not in nodes:
        focus = replace(focus, node=nodes[0])
    what = read(focus).what
    if what.startswith("k:"):
        key = key_of(snapshot, focus)
        if key is None:
            return choose(focus, what="")
        return replace(focus, node=key.owner) if key.owner in nodes else focus
    if what.startswith("u:") and lane_of(snapshot, focus) is None:
        return choose(focus, what="")
    if what.startswith("m:") and flight_of(snapshot, focus) is None:
        gone = int(what[2:]) if what[2:].isdigit() else 0
        others = touching(snapshot, focus.node)
        near = min(others, key=lambda each: (abs(each.id - gone), each.id), default=None)
        return choose(focus, what=f"m:{near.id}" if near else "")
    if what and what[:2] not in ("k:", "u:", "m:"):
        return choose(focus, what="")
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
    return choose(focus, what=f"k:{key}") if key else focus


# -- arrows ----------------------------------------------------------------------------------------------------------


def move(snapshot: Snapshot, focus: Focus, direction: str) -> Focus:
    """Where an arrow leads from here."""
    focus = fit(snapshot, focus)
    step = -1 if direction in ("left", "up") else 1
    if focus.area == "strip":
        return next_chart(snapshot, focus, step)
    what = read(focus).what
    if what.startswith("k:"):
        return _among_keys(snapshot, focus, direction, step)
    if what.startswith("u:"):
        if direction in ("up", "down"):
            return choose(focus, what="")
        ids = [lane.id for lane in lanes(snapshot)]
        return choose(focus, what=f"u:{ids[(ids.index(what[2:]) + step) % len(ids)]}")
    if what.startswith("m:"):
        return _among_messages(snapshot, focus, direction, step)
    if direction == "up":
        flights = touching(snapshot, focus.node)
        return choose(focus, what=f"m:{flights[0].id}") if flights else focus
    if direction == "down":
        return first_key(snapshot, focus)
    ids = [node.id for node in shown(snapshot)] or [node.id for node in snapshot.nodes]
    at = ids.index(focus.node) if focus.node in ids else 0
    return replace(focus, node=ids[(at + step) % len(ids)])


def first_key(snapshot: Snapshot, focus: Focus) -> Focus:
    """The first tracked key of the selected node, else the first of all."""
    own = [key for key in snapshot.keys if key.owner == focus.node] or list(snapshot.keys)
    return fit(snapshot, choose(focus, what=f"k:{own[0].key}")) if own else focus


def next_key(snapshot: Snapshot, focus: Focus) -> Focus:
    """The tracked key after the selected one, round and round."""
    names = [key.key for key in snapshot.keys]
    if not names:
        return focus
    now = key_of(snapshot, focus)
    at = names.index(now.key) + 1 if now else 0
    return fit(snapshot, choose(focus, what=f"k:{names[at % len(names)]}"))


def _among_keys(snapshot: Snapshot, focus: Focus, direction: str, step: int) -> Focus:
    names = [key.key for key in snapshot.keys]
    at = names.index(read(focus).what[2:]) + step
    if at < 0 and direction == "up":
        return choose(focus, what="")
    return fit(snapshot, choose(focus, what=f"k:{names[at % len(names)]}"))


def _among_messages(snapshot: Snapshot, focus: Focus, direction: str, step: int) -> Focus:
    if direction == "down":
        return choose(focus, what="")
    items = [f"m:{each.id}" for each in touching(snapshot, focus.node)]
    what = read(focus).what
    if what not in items:
        return choose(focus, what=items[0] if items else "")
    return choose(focus, what=items[(items.index(what) + (-1 if direction == "left" else 1)) % len(items)])
