"""The axis: the whole store from left to right, the cursor as a slider on it, who stands where, and what loads cost."""

from engines.event_sourcing.world.snapshot import GroupView, Snapshot
from tui.canvas import Canvas, clip
from tui.glyphs import Glyphs
from tui.kit.memo import of_stream
from tui.kit.parts import fitting
from tui.kit.words import plural
from tui.panel import Focus
from tui.panels.events.queries import show
from tui.panels.events.select import current, read, seen_until
from tui.panels.events.stream import when
from tui.plot import sparkline

LABEL = 12


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, height: int) -> tuple[str, str]:
    """Draw it in the upper ``height`` rows; title and note."""
    head = snapshot.events[-1].position if snapshot.events else 0
    event = current(snapshot, focus)
    at = seen_until(snapshot, focus)
    date = f"  {when(event.at_us, snapshot.recorded)}" if event is not None else ""
    title = f"time: position {at} of {head}{date}"
    told = "S snapshot  " if event is not None and any(each.stream == event.stream for each in snapshot.kept) else ""
    past = ("the past: the cursor is not at the newest event", "the past; readers and loads: now", "the past")
    ways = [f"{told}{way}" for way in (past if read(focus).cursor else ("now",))]
    note = fitting(ways, canvas.width - len(title) - 5)
    width = canvas.width - LABEL - 2
    if width < 8 or not head:
        return title, note
    rows = [_axis, _marks, _readers, _cost, _conflicts]
    if snapshot.recorded:
        rows = [_axis, _marks, _file]
    for y, row in enumerate(rows[:height]):
        row(canvas, snapshot, focus, glyphs, y, width)
    return title, note


def _x(position: int, head: int, width: int) -> int:
    return min(width - 1, (position - 1) * (width - 1) // max(1, head - 1))


def _axis(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, y: int, width: int) -> None:
    head, at = snapshot.events[-1].position, seen_until(snapshot, focus)
    canvas.put(1, y, "slider", "dim")
    place = _x(at, head, width)
    canvas.put(LABEL, y, glyphs.played * place, "accent")
    canvas.put(LABEL + place, y, glyphs.marker, "selected")
    canvas.put(LABEL + place + 1, y, glyphs.unplayed * (width - place - 1), "dim")


def _marks(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, y: int, width: int) -> None:
    """The stream under the cursor on the axis, its snapshots as S."""
    event = current(snapshot, focus)
    if event is None:
        return
    head = snapshot.events[-1].position
    canvas.put(1, y, clip(show(event.stream, 20), LABEL - 1), "dim")
    kept = {each.revision for each in snapshot.kept if each.stream == event.stream}
    for each in of_stream(snapshot.events, event.stream):
        mark, ink = ("S", "accent") if each.revision in kept else (glyphs.bar_full, "text")
        if canvas.char_at(LABEL + _x(each.position, head, width), y) != "S":
            canvas.put(LABEL + _x(each.position, head, width), y, mark, ink)


def _readers(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, y: int, width: int) -> None:
    """Where the subscribers stand, and how far behind that is."""
    head = max(1, snapshot.events[-1].position)
    canvas.put(1, y, "readers", "dim")
    notes = [group_note(snapshot.group)] if snapshot.group is not None else []
    for each in snapshot.subscribers:
        place = LABEL + _x(max(1, min(each.checkpoint, head)), head, width)
        beside = canvas.char_at(place, y) not in (" ", each.name[0])
        canvas.put(max(LABEL, place - beside), y, each.name[0], "dead" if each.status == "crashed" else "follower")
        if snapshot.group is not None:
            continue
        parked = f", {len(each.parked)} parked" if each.parked else ""
        notes.append(f"{each.name} {each.behind} behind{parked}")
    text = "  ".join(notes)
    while text:  # left of the marks, or right of them, and less of it where that is needed
        for x in (LABEL, LABEL + width - len(text)):
            if all(canvas.char_at(x + step, y) == " " for step in range(-1, len(text) + 1)):
                canvas.put(x, y, text, "dim")
                return
        text = text.rpartition(", " if ", " in text else "  ")[0]


def group_note(group: GroupView) -> str:
    """Where a group stands."""
    parked = f", {len(group.parked)} parked" if group.parked else ""
    return f"checkpoint {group.checkpoint}, done to {group.done_to}, {len(group.handed)} handed out{parked}"


def _cost(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, y: int, width: int) -> None:
    """Events folded at each load, with and without snapshots."""
    cost = snapshot.cost
    canvas.put(1, y, "folded", "dim")
    newest = [each.folded for each in cost.newest]
    room = min(30, width // 3)
    canvas.put(LABEL, y, sparkline(newest, room, glyphs, 0) if newest else "", "warn")
    long, short = "nothing was loaded yet", ""
    if newest:
        last, zero = newest[-1], f"from zero {cost.without:,}"
        long = f"{last} at the last load; {cost.folded:,} in {plural(cost.loads, 'load')}, {zero}"
        short = f"last {last:,}, all {cost.folded:,}, {zero}"
    canvas.put(LABEL + room + 2, y, long if len(long) <= width - room - 2 else short, "text")


def _conflicts(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, y: int, width: int) -> None:
    canvas.put(1, y, "conflicts", "dim")
    said = f"{snapshot.store.conflicts} of {snapshot.store.appends + snapshot.store.conflicts} appends"
    if snapshot.conflicts:
        _, stream, expected, actual, who = snapshot.conflicts[-1]
        said += f"; the last: {who} expected {_revision(expected)} of {stream}, actual {_revision(actual)}"
    canvas.put(LABEL, y, clip(said, width), "text")


def _revision(revision: int) -> str:
    return "no stream" if revision == -1 else "any" if revision < -1 else str(revision)


def _file(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, y: int, width: int) -> None:
    source = snapshot.source
    assert source is not None
    canvas.put(1, y, "file", "dim")
    many = f"{plural(source.events_total, 'event')} in {plural(source.streams_total, 'stream')}"
    said = f"{source.kind}, {many}; {source.integrity}"
    canvas.put(LABEL, y, clip(said, width), "text" if source.integrity_ok else "bad")
