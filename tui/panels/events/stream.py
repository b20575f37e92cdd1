"""The append-only stream: one row an event, the cursor in it, and below it the state right after that event."""

from collections.abc import Sequence

from engines.event_sourcing.audit import plain
from engines.event_sourcing.events import TOMBSTONE, RecordedEvent
from engines.event_sourcing.world.snapshot import Snapshot
from engines.units import stamp
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.dates import day_and_time
from tui.kit.words import STATUS, chip, plural
from tui.panel import Focus
from tui.panels.events.queries import Folded, data_of, fold, show
from tui.panels.events.select import current, index_of, listed, machines, read

MARKS = 5
STREAM, TYPE, WHO, WHEN = 11, 15, 6, 10
BOTH_FROM = 96
AT_WORK = "* at work"
"""Columns from which data and audit stand side by side."""


def when(at_us: int, recorded: bool) -> str:
    """The time of an event: of the run, or of the day in a file."""
    if not recorded:
        return stamp(at_us)
    return day_and_time(at_us)[-14:]  # the century goes without saying


# -- the machines ----------------------------------------------------------------------------------------------------


def draw_machines(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, y: int = 0) -> None:
    """One row: who is there, what each is at, and which one the verbs act on."""
    x = 1
    status = {host.id: host.status for host in snapshot.hosts}
    for name in machines(snapshot):
        letter, ink = STATUS.get(status.get(name, "up"), ("", "text"))
        text = f"{name}{letter and ' ' + letter}{machine_note(snapshot, name)}"
        if x + len(text) + 2 > canvas.width:
            break
        if name == focus.node:
            x = canvas.put(x, y, f"{glyphs.mark_left}{text}{glyphs.mark_right}", chip("selected"))
        else:
            x = canvas.put(x, y, f" {text} ", ink)
    if snapshot.writers and x + len(AT_WORK) < canvas.width:
        canvas.put_right(canvas.width - 1, y, AT_WORK, "dim")


def machine_note(snapshot: Snapshot, name: str) -> str:
    """What a machine is at, in a few characters."""
    if name == "store":
        store = snapshot.store
        if snapshot.group is not None and snapshot.group.parked:
            return f" {store.head} P{len(snapshot.group.parked)}"
        waiting = f"+{store.written - store.head}" if store.written > store.head and not store.burnt else ""
        return f" {store.head}{waiting}"
    for subscriber in snapshot.subscribers:
        if subscriber.name == name and snapshot.group is not None:
            held = sum(who == name for _, who, _, _ in snapshot.group.handed)
            return f" holds {held}" if held else ""
        if subscriber.name == name:
            parked = f" P{len(subscriber.parked)}" if subscriber.parked else ""
            stopped = " stopped" if subscriber.stopped_at else ""
            return f" {subscriber.checkpoint}{parked}{stopped}"
    writer = next(each for each in snapshot.writers if each.name == name)
    return "*" if writer.command else ""


# -- the list --------------------------------------------------------------------------------------------------------


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, y: int, rows: int) -> int:
    """The list, from row ``y`` on; how many events it shows at once."""
    if rows < 2:
        return 0
    events = listed(snapshot, focus)
    chosen = read(focus)
    room = rows - 1
    index = index_of(events, chosen.cursor)
    first = max(0, min(len(events) - room, index - room // 2 if chosen.cursor else len(events) - room))
    _header(canvas, y, snapshot, chosen.audit, events[first : first + room])
    under = events[index] if index >= 0 else None
    if not events:
        canvas.put(1, y + 1, "no event here yet" if not focus.find else f"no event has {show(focus.find, 30)!r}", "dim")
    for row, event in enumerate(events[first : first + room]):
        at_cursor = event is under
        same = under is not None and event.stream == under.stream
        ink: Ink = "bright" if same else "dim"
        if at_cursor:
            canvas.put(0, y + 1 + row, glyphs.mark_left, "selected")
        _row(canvas, y + 1 + row, snapshot, event, chosen.audit, ink)
        if at_cursor:
            canvas.recolor(1, y + 1 + row, canvas.width - 1, "selected")
    return room


def _columns(width: int, audit: bool, recorded: bool) -> list[tuple[str, int]]:
    """Names and widths of the columns behind the place of an event, as they fit."""
    due = 15 if recorded else WHEN
    data = [("data", 0)]
    about = [("who", WHO + 2), ("when", due), ("because of", 0)]
    if width >= BOTH_FROM:
        return [("data", 26), *about]
    return about if audit else data


def _header(canvas: Canvas, y: int, snapshot: Snapshot, audit: bool, shown: Sequence[RecordedEvent]) -> None:
    x = canvas.put(1, y, f"{'#':>5} {'stream':{STREAM}} {'rev':>4} {'event':{TYPE}} ", "dim")
    for name, width in _columns(canvas.width, audit, snapshot.recorded):
        x = canvas.put(x, y, f"{name:{width}} ", "dim")
    legend = "" if snapshot.recorded else _marks_told(snapshot, shown, canvas.width - x - 3)
    if x + len(legend) + 2 < canvas.width:
        canvas.put_right(canvas.width - 1, y, legend, "dim")


def _marks_told(snapshot: Snapshot, shown: Sequence[RecordedEvent], room: int) -> str:
    """What the marks at the right mean that are there now, as far as there is room: ``m b read so far  P parked``."""
    initials = " ".join(each.name[0] for each in snapshot.subscribers)
    long, short = (f"{initials} read so far", f"{initials} read") if initials else ("", "")
    if snapshot.group is not None:
        long, short = f"{initials} checkpoint", f"{initials} checkp."
    parts = ["P parked"] if any(each.parked for each in snapshot.subscribers) else []
    old = next((event.version for event in shown if _old(event)), 0)
    parts += [f"v{old} old"] if old else []
    kept = {(each.stream, each.revision) for each in snapshot.kept}
    parts += ["S snapshot"] if any((event.stream, event.revision) in kept for event in shown) else []
    told = "  ".join((long, *parts))
    while len(told) > room and parts:
        told = "  ".join((short, *parts))
        parts.pop()
    return told


def _old(event: RecordedEvent) -> bool:
    return event.type == "MoneyDeposited" and event.version < 3


def _row(canvas: Canvas, y: int, snapshot: Snapshot, event: RecordedEvent, audit: bool, ink: Ink) -> None:
    stream, type_ = clip(show(event.stream, 40), STREAM), clip(show(event.type, 40), TYPE)
    x = canvas.put(1, y, f"{event.position:>5} {stream:{STREAM}} {event.revision:>4} {type_:{TYPE}} ", ink)
    end = canvas.width - MARKS - 1
    for name, width in _columns(canvas.width, audit, snapshot.recorded):
        room = min(width or end - x, end - x)
        if room < 3:
            break
        text = {"data": data_of, "who": lambda each: show(each.who, 20), "because of": because}.get(name)
        said = text(event) if text is not None else when(event.at_us, snapshot.recorded)
        x = canvas.put(x, y, f"{clip(said, room):{room}} ", ink)
    marks, mark_ink = marks_of(snapshot, event)
    canvas.put_right(canvas.width - 1, y, marks, mark_ink)


def because(event: RecordedEvent) -> str:
    """What caused an event."""
    said = f"{event.causation_id} {event.command}".strip()
    return show(f"{said} < {event.command_cause}" if event.command_cause else said, 60) or "-"


def marks_of(snapshot: Snapshot, event: RecordedEvent) -> tuple[str, Ink]:
    """What is to be said of an event: who stands here, a snapshot, an old version, parked."""
    marks = "".join(each.name[0] for each in snapshot.subscribers if each.checkpoint == event.position)
    ink: Ink = "accent"
    if any((kept.stream, kept.revision) == (event.stream, event.revision) for kept in snapshot.kept):
        marks += "S"
    if event.type == TOMBSTONE:
        marks, ink = marks + "T", "bad"
    if _old(event) and not snapshot.recorded:
        marks, ink = f"{marks}{' ' * (0 < len(marks) < 3)}v{event.version}", "stale"
    if any(place[0] == event.position for each in snapshot.subscribers for place in each.parked):
        marks, ink = marks + "P", "bad"
    return marks[:MARKS], ink


# -- the state -------------------------------------------------------------------------------------------------------


def draw_state(canvas: Canvas, snapshot: Snapshot, focus: Focus, y: int) -> None:
    """Two rows: the state right after the event under the cursor, and what that event changed."""
    event = current(snapshot, focus)
    if event is None:
        return
    folded = fold(snapshot, event.stream, event.position)
    x = canvas.put(1, y, f"{show(event.stream, 24)} @ {event.revision}  ", "bright")
    for name, value in fields_of(folded):
        value = value if value != "" else "-"
        text = f"{name} {show(value, 24)}  "
        if x + len(text) > canvas.width:
            break
        x = canvas.put(x, y, f"{name} ", "dim")
        x = canvas.put(x, y, f"{show(value, 24)}  ", "good" if name == "balance" else "text")
    canvas.put(1, y + 1, clip(changed(folded, event), canvas.width - 2), "bad" if folded.unread else "accent")


def fields_of(folded: Folded) -> list[tuple[str, object]]:
    """The fields of a state; the balance first."""
    fields = list(plain(folded.state).items())
    return sorted(fields, key=lambda each: each[0] != "balance") if folded.kind == "account" else fields


def changed(folded: Folded, event: RecordedEvent) -> str:
    """What an event did to the state, in words."""
    if folded.unread:
        return f"this release cannot read it: {folded.unread}"
    if not folded.changes:
        return f"{show(event.type, 30)} changed nothing that is folded"
    parts = [f"{each.name} {show(each.before, 20)} -> {show(each.after, 20)}" for each in folded.changes]
    return f"this event: {', '.join(parts)}"


def title(snapshot: Snapshot, focus: Focus, events: Sequence[RecordedEvent]) -> str:
    """What is listed."""
    chosen = read(focus)
    what = "all streams" if chosen.scope == "all" else f"{chosen.scope} {show(chosen.value, 28)}"
    found = f", with {show(focus.find, 16)!r}" if focus.find else ""
    head = snapshot.events[-1].position if snapshot.events else 0
    left = (
        f" of {head:,} are left"
        if what == "all streams" and not found and snapshot.variant == "log" and len(events) < head
        else ""
    )
    return f"{what}{found}: {plural(len(events), 'event')}{left}"
