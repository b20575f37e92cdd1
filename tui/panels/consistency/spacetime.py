"""The space-time diagram: clients, replicas, messages and faults on one axis.

A bar is an operation from its invocation to its return; an arrow's end means that nobody knows the outcome. Lines are
messages. What a witness names is lit; if a model is chosen, the window moves to its witness.
"""

from dataclasses import replace
from typing import Final, NamedTuple

from engines.consistency.formats.timeline import label
from engines.consistency.history import Call, Operation, Status
from engines.consistency.vector import Order
from engines.consistency.world.snapshot import Arrow, Logged, Snapshot
from engines.sim.views import HostView
from engines.units import US_PER_MS, stamp
from tui.canvas import Canvas, Ink
from tui.glyphs import Glyphs
from tui.kit.cluster import share
from tui.kit.parts import gathered
from tui.kit.words import STATUS, plural
from tui.panel import Focus, Hit
from tui.panels.consistency.queries import (
    choose,
    chosen,
    clients_of,
    held_history,
    logged_of,
    operation,
    operations_of,
    rows_of,
    verdicts_of,
)

NAME: Final = 5
NAMES_MAX: Final = 14
ROOM_OF_AN_EVENT: Final = 8
"""Columns an event of a log gets at most."""
SCALES_US: Final[tuple[int, ...]] = tuple(each * 10**power for power in range(1, 8) for each in (1, 2, 5))
VALUES: Final = 15
NARROW: Final = 9
ROOMY: Final = 26


class Window(NamedTuple):
    """Which time the columns show."""

    x: int
    width: int
    from_us: int
    scale_us: int

    def column(self, at_us: int) -> int:
        """Where a moment is drawn, perhaps outside."""
        return self.x + (at_us - self.from_us) // self.scale_us

    def holds(self, at_us: int) -> bool:
        """Whether a moment is drawn."""
        return self.x <= self.column(at_us) < self.x + self.width


def lit(snapshot: Snapshot, focus: Focus) -> set[int]:
    """Operations that the witness names: of the chosen model, or of the failed check that is explained."""
    name = chosen(focus).model or (focus.check if focus.why else "")
    verdict = verdicts_of(snapshot, focus).get(name)
    return set(verdict.witness.operations) if verdict is not None and verdict.witness is not None else set()


def window(snapshot: Snapshot, focus: Focus, x: int, width: int) -> Window:
    """The newest time in which something happened; or what is selected, with room around it."""
    numbers = lit(snapshot, focus)
    chosen_op = operation(snapshot, focus)
    known = (*(snapshot.witness.operations if snapshot.witness else ()), *snapshot.history.operations)
    shown = [each for each in known if each.number in numbers]
    if chosen_op is not None:
        shown.append(chosen_op)
    scale = 10_000
    end_us = snapshot.at_us
    if snapshot.logged:
        event = logged_of(snapshot, focus)
        scale = US_PER_MS // max(1, min(ROOM_OF_AN_EVENT, (width - 2) // len(snapshot.logged)))
        if event is not None and event.at_us < end_us - (width - 2) * scale:
            end_us = event.at_us + width * scale // 2
    elif snapshot.recorded and snapshot.history.operations:
        first = min(each.start_us for each in snapshot.history.operations[-60:])
        scale = _scale(end_us - first, width)
    elif not shown:  # stay with the operation, message or fault that was the last
        ends = [end_us if each.end_us is None else each.end_us for each in snapshot.history.operations[-12:]]
        ends += [each.arrives_us for each in snapshot.arrows[-40:]] + [each.at_us for each in snapshot.marks[-1:]]
        end_us = min(end_us, max(ends, default=end_us) + width * scale // 2)
    if shown:
        first = min(each.start_us for each in shown)
        last = max(each.end_us or each.start_us for each in shown)
        scale = max(scale, _scale((last - first) * 5 // 4, width)) if not snapshot.recorded else scale
        if first < end_us - width * scale:
            end_us = min(snapshot.at_us, last + (width * scale - (last - first)) // 2)
    from_us = end_us - (width - 1) * scale
    return Window(x, width, from_us if snapshot.recorded else max(0, from_us), scale)


def _scale(span_us: int, width: int) -> int:
    return next((each for each in SCALES_US if span_us <= each * max(1, width - 2)), SCALES_US[-1])


def parts(snapshot: Snapshot, focus: Focus, width: int) -> tuple[Window, int]:
    """What of ``width`` columns is time, and how many are for the values."""
    values = 0
    if snapshot.replicas and width >= 42:
        values = NARROW if width < 52 else VALUES if width < 90 else ROOMY
    left = NAME
    if snapshot.recorded:  # names of a file are as long as people made them
        left = min(NAMES_MAX, max((len(name) for name in rows_of(snapshot)), default=0)) + 1
    return window(snapshot, focus, left, width - left - values), values


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, width: int) -> list[Hit]:
    """On the left ``width`` columns; returns the names and bars, which can be clicked."""
    space = canvas.height - 1
    if space < 1 or width < 14:
        return []
    seen, values = parts(snapshot, focus, width)
    shown = visible(snapshot, focus, canvas.height)
    stride = 2 if len(shown) * 2 <= space else 1
    place = {name: 1 + at * stride for at, name in enumerate(shown)}
    top = Canvas(width, canvas.height)
    _axis(top, snapshot, seen, glyphs)
    if values and not snapshot.recorded:
        top.put_right(seen.x + seen.width + values - 1, 0, "now", "dim")
    numbers = lit(snapshot, focus)
    clients = clients_of(snapshot)
    _arrows(top, snapshot, seen, place, glyphs)
    hits: list[Hit] = []
    for name, y in place.items():
        row = choose(replace(focus, node=name, why=False), op=-1, held=-1, message=-1)
        hits.append(Hit(0, y, seen.x, 1, row))
        if name in clients:
            hits += _client(top, snapshot, focus, glyphs, seen, name, y, numbers)
        else:
            _replica(top, snapshot, focus, glyphs, seen, name, y, values)
    canvas.blit(top, 0, 0)
    return hits


LETTERS: Final = {
    "C": "request", "Q": "query", "S": "store", "F": "forward", "O": "order", "m": "missing",
    "U": "update", "P": "put", "G": "get", "H": "hint", "L": "leaves", "V": "vote", "x": "lost",
}  # fmt: skip
SHOWN: Final = {"C": "R"}
"""Letters that would read as the name of a client."""


def legend(snapshot: Snapshot, seen: Window, room: int) -> str:
    """What the letters in the window mean, as far as there is room: ``C request  P put  G get  x lost``."""
    there = {each.machine.id for each in snapshot.replicas}
    now = [each for each in snapshot.arrows if each.arrives_us <= snapshot.at_us and seen.holds(each.arrives_us)]
    letters = {"x" if each.lost else each.letter for each in now if each.dst in there}
    told = [f"{SHOWN.get(letter, letter)} {said}" for letter, said in LETTERS.items() if letter in letters]
    leads = any(each.leads for each in snapshot.replicas)
    star = "* primary" if snapshot.variant == "mongodb" else "* orders writes"
    return gathered([*told, star] if leads else told, room + 2).rstrip()


def visible(snapshot: Snapshot, focus: Focus, height: int) -> list[str]:
    """As many rows as there is room for below the axis: clients that did nothing so far give way to replicas."""
    rows, space = rows_of(snapshot), max(0, height - 1)
    worked = {each.process for each in snapshot.history.operations}
    idle = [name for name in clients_of(snapshot) if name not in worked and name != focus.node]
    while len(rows) > space and idle:
        rows.remove(idle.pop())
    return _around(rows, focus.node, space)


def _around(rows: list[str], node: str, space: int) -> list[str]:
    """As many rows as there is room for, with the selected one."""
    if len(rows) <= space:
        return rows
    at = rows.index(node) if node in rows else 0
    first = max(0, min(at - space + 1, len(rows) - space)) if at >= space else 0
    return rows[first : first + space]


def _axis(canvas: Canvas, snapshot: Snapshot, seen: Window, glyphs: Glyphs) -> None:
    canvas.put(0, 0, "time", "dim")
    canvas.put(seen.x, 0, glyphs.thin * seen.width, "line")
    text = stamp(max(0, seen.from_us))
    end = stamp(seen.from_us + seen.width * seen.scale_us)
    if snapshot.logged:  # such a log has no time: the steps are counted
        text = f"event {max(1, seen.from_us // US_PER_MS)}"
        end = str(min(snapshot.logged[-1].number + 1, (seen.from_us + seen.width * seen.scale_us) // US_PER_MS))
    canvas.put(seen.x, 0, text, "dim")
    canvas.put_right(seen.x + seen.width, 0, end, "dim")
    free = seen.x + len(text) + 1
    for mark in snapshot.marks:
        x = seen.column(mark.at_us)
        said = f"{mark.what} {mark.node}".strip()
        if free <= x and x + len(said) < seen.x + seen.width - len(end):
            free = canvas.put(x, 0, said, "warn") + 1


def _name(canvas: Canvas, focus: Focus, name: str, y: int, ink: Ink, width: int = NAME) -> None:
    canvas.put(0, y, f"{name[: width - 1]:<{width - 1}}", "selected" if name == focus.node else ink)


def _client(
    canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, seen: Window, name: str, y: int, numbers: set[int]
) -> list[Hit]:
    view = snapshot.client(name)
    ink = STATUS.get(view.machine.status, ("", "text"))[1] if view and not snapshot.recorded else "bright"
    _name(canvas, focus, name, y, ink, seen.x)
    held = held_history(snapshot, focus)
    now = chosen(focus)
    operations = operations_of(snapshot, name)
    if snapshot.witness is not None and numbers:
        operations = [each for each in snapshot.witness.operations if each.process == name] + operations
    hits = []
    for each in operations:
        end_us = each.end_us
        if held is not None and each.number == now.op:
            end_us = _moved_us(snapshot, now.held, each)
        x, width = _bar(canvas, snapshot, glyphs, seen, each, end_us, y, _ink(each, numbers, now.op, held is not None))
        if width and each.number >= snapshot.before:
            there = choose(replace(focus, node=name, why=False), op=each.number, held=-1, message=-1)
            hits.append(Hit(x, y, width, 1, there))
    if view is not None and not snapshot.recorded:
        _status(canvas, view.machine, seen, y, len(view.machine.cut_from) >= len(snapshot.replicas) > 0)
    return hits


def _status(canvas: Canvas, machine: HostView, seen: Window, y: int, alone: bool) -> None:
    """What is wrong with a machine now, at the right end of its row."""
    said = machine.status if machine.status != "up" else "cut off" if alone else ""
    if said:
        canvas.put_right(seen.x + seen.width, y, f" {said} ", STATUS.get(machine.status, ("", "cut"))[1])


def _moved_us(snapshot: Snapshot, held: int, each: Operation) -> int:
    """Where a held return is drawn: just behind the event it stands behind."""
    times = [(other.start, other.start_us) for other in snapshot.whole]
    times += [(other.end, other.end_us or 0) for other in snapshot.whole if other.end is not None]
    times = sorted(time for time in times if time[0] != each.end)
    if not times:
        return each.start_us
    return max(each.start_us, times[max(0, min(held, len(times)) - 1)][1])


def _ink(each: Operation, numbers: set[int], selected: int, held: bool) -> Ink:
    if each.number == selected:
        return "warn!" if held else "selected"
    if each.number in numbers:
        return "bad!"
    if each.status is not Status.OK:
        return "lost" if each.status is Status.FAIL else "warn"
    return "accent" if each.call is not Call.READ else "text"


def _bar(
    canvas: Canvas, snapshot: Snapshot, glyphs: Glyphs, seen: Window, each: Operation, end_us: int | None, y: int,
    ink: Ink,
) -> tuple[int, int]:  # fmt: skip
    """Returns the first column and the width; 0: it is outside."""
    right = seen.x + seen.width
    first = seen.column(each.start_us)
    last = seen.column(snapshot.at_us if end_us is None else end_us)
    if last < seen.x or first >= right:
        return 0, 0
    text = label(each).removesuffix("=?").removesuffix(" ?")
    begin, stop = max(seen.x, first), min(right - 1, last)
    room = stop - begin + 1
    inner = glyphs.thin * max(0, room - 2)
    left = glyphs.tee_left if first >= seen.x else glyphs.thin
    end = glyphs.arrow_right if end_us is None else glyphs.tee_right if last < right else glyphs.thin
    bar = (left + inner + end)[:room] if room > 1 else glyphs.vertical
    canvas.put(begin, y, bar, ink)
    short = text if len(text) <= room - 2 else _short(each)
    if len(short) <= room - 1:
        canvas.put(begin + (room - len(short) + 1) // 2, y, short, ink)
    return begin, room


def _short(each: Operation) -> str:
    """``w=1``, ``r=0`` (``r1`` is a replica), or one letter."""
    if each.call is Call.READ:
        return f"r={each.value}" if each.status is Status.OK and isinstance(each.value, int) else "r"
    return f"w={each.value}" if each.call is Call.WRITE and isinstance(each.value, int) else each.call.value[0]


def _replica(
    canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, seen: Window, name: str, y: int, values: int
) -> None:
    view = snapshot.replica(name)
    assert view is not None
    status = view.machine.status
    _name(canvas, focus, f"{name}{'*' * view.leads}", y, STATUS.get(status, ("", "client"))[1], seen.x)
    for arrow in () if snapshot.logged else snapshot.arrows:
        if arrow.dst == name and arrow.arrives_us <= snapshot.at_us and seen.holds(arrow.arrives_us):
            letter, ink = ("x", "lost") if arrow.lost else (SHOWN.get(arrow.letter, arrow.letter), "bright")
            canvas.put(seen.column(arrow.arrives_us), y, letter, ink)
    _status(canvas, view.machine, seen, y, 0 < len(snapshot.replicas) - 1 == len(view.machine.cut_from))
    for each in snapshot.logged:
        if each.host == name and seen.holds(each.at_us):
            mark, ink = _beside(snapshot, focus, each)
            canvas.put(seen.column(each.at_us), y, mark, ink)
    if values:
        vector = str(view.vector) if view.vector.entries else ""
        held = " ".join(f"{key}={value}" for key, value, _ in view.values)
        both = f"{held} {vector}".strip()
        text = both if len(both) < values else held if values == NARROW else vector or held
        behind = view.behind and not snapshot.recorded
        hints = plural(view.pending, "hint") if view.pending and snapshot.variant == "eventual" else "{}"
        canvas.put(seen.x + seen.width + 1, y, (text or hints)[: values - 1], "stale" if behind else "text")


BESIDE: Final[dict[Order, tuple[str, Ink]]] = {
    Order.EQUAL: ("@", "selected"), Order.BEFORE: ("<", "good"), Order.AFTER: (">", "accent"),
    Order.CONCURRENT: ("=", "warn"),
}  # fmt: skip
"""How an event of a log stands to the selected one: before it, after it, concurrent."""
RELATIONS: Final = "@ selected  < before it  > after it  = concurrent"


def _beside(snapshot: Snapshot, focus: Focus, each: Logged) -> tuple[str, Ink]:
    """The mark of an event."""
    selected = logged_of(snapshot, focus)
    return ("o", "text") if selected is None else BESIDE[each.clock.compare(selected.clock)]


def _arrows(canvas: Canvas, snapshot: Snapshot, seen: Window, place: dict[str, int], glyphs: Glyphs) -> None:
    """Messages between rows that are shown, beneath everything else."""
    for arrow in snapshot.arrows:
        until_us = min(snapshot.at_us, seen.from_us + seen.width * seen.scale_us - 1)
        first, last = max(arrow.departs_us, seen.from_us), min(arrow.arrives_us, until_us)
        if arrow.src in place and arrow.dst in place and first <= last:
            (x0, y0), (x1, y1) = ((seen.column(at_us), _height(arrow, place, at_us)) for at_us in (first, last))
            canvas.line(x0, y0, x1, y1, "lost" if arrow.lost else "line", dashed=arrow.lost, glyphs=glyphs)


def _height(arrow: Arrow, place: dict[str, int], at_us: int) -> int:
    """The row at which a message is at a moment."""
    src, dst = place[arrow.src], place[arrow.dst]
    return src + round((dst - src) * share(arrow.departs_us, arrow.arrives_us, at_us))
