"""The two roads: commands go right along the upper to the store, events and rows left along the lower to readers."""

from collections.abc import Sequence
from typing import Any, Final

from engines.cqrs.verdict import Why
from engines.cqrs.world import messages as m
from engines.cqrs.world.snapshot import Pace, ProjectionView, Snapshot
from engines.units import span, stamp
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.cluster import share as way_of
from tui.kit.words import STATUS, chip, plural
from tui.panel import Focus
from tui.panels.cqrs.queries import brief, machine, noted, share, sides, work_us
from tui.panels.cqrs.select import order_of, projection_of
from tui.plot import bar

LABEL: Final = 8
FIGURES: Final = 15
"""Columns of the figures at the right."""
FEW: Final = 5
"""Of fewer calls a median says nothing that anybody saw."""
LETTERS: Final[dict[type, tuple[str, Ink]]] = {
    m.Submit: ("C", "client"), m.Reply: ("a", "client"), m.Append: ("A", "leader"), m.Publish: ("E", "committed"),
    m.Deliver: ("E", "committed"), m.Rows: ("R", "follower"), m.Question: ("Q", "accent"), m.Told: ("q", "accent"),
    m.Page: ("H", "warn"), m.Perform: ("S", "you"), m.Performed: ("s", "you"),
}  # fmt: skip
DECIDES: Final = {Why.SCALES: ", over its 1 s/s", Why.STALE: "; too stale", Why.FULL: "; both full"}
"""What decides where it is not the smaller of the two sums."""
LEGEND: Final = "C command A append E event R rows Q query H history; small: answers"


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """Roads, saga, table, gaps, and as much more as there is room for."""
    high = canvas.height >= 13
    step = 2 if high else 1
    _road(canvas, snapshot, focus, glyphs, 0, ("users", "commands", "store", "bus"), "write", "command")
    _road(canvas, snapshot, focus, glyphs, step, ("users", "replicas", "projectors", "bus"), "read", "query")
    if high:
        _busy(canvas, snapshot, ("commands", "store"), 1)
        _busy(canvas, snapshot, ("projectors", "replicas"), 3)
    y = 2 * step
    _saga(canvas, snapshot, focus, glyphs, y)
    _crud(canvas, snapshot, focus, glyphs, y + 1)
    draw_gaps(canvas, snapshot, focus, glyphs, y + 2)
    y += 2 + len(snapshot.projections)
    if high:
        draw_sides(canvas, snapshot, focus, y + 1)
        y += 5
        draw_newest(canvas, snapshot, y + 1, canvas.height - y - 2)
        y = max(y, canvas.height - 2) if canvas.height - y > 4 else y
    if y < canvas.height:
        canvas.put(1, canvas.height - 1, clip(LEGEND, canvas.width - 2), "dim")


# -- a road ----------------------------------------------------------------------------------------------------------


def _names(snapshot: Snapshot, stage: str) -> tuple[str, ...]:
    return tuple(each.name for each in snapshot.machines if each.stage == stage)


def _chip(snapshot: Snapshot, name: str) -> tuple[str, Ink]:
    """A machine in a few characters: its name, what is wrong with it, how many wait."""
    view = machine(snapshot, name)
    assert view is not None
    letter, ink = STATUS.get(view.status, ("", "text"))
    waits = f":{view.waiting}" if view.waiting > 1 else ""
    count = {"store": f" {snapshot.store.head}", "bus": f" {snapshot.bus.events}"}.get(name, "")
    return f"{name}{letter}{waits}{count}", ink


def _put(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, x: int, y: int, name: str) -> int:
    """A machine, between two marks if it is the one that the verbs act on; the column of the next."""
    text, ink = _chip(snapshot, name)
    if name != focus.node:
        return canvas.put(x, y, text, ink) + 1
    return canvas.put(x - 1, y, f"{glyphs.mark_left}{text}{glyphs.mark_right}", chip("selected"))


def _station(
    canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, stage: str, x: int, y: int, room: int
) -> None:
    """The machines of a stage, as many as fit; the selected one always."""
    names = list(_names(snapshot, stage))
    texts = {name: _chip(snapshot, name) for name in names}
    shown = list(names)
    while len(shown) > 1 and sum(len(texts[name][0]) + 1 for name in shown) + 3 * (len(shown) < len(names)) > room:
        victim = next(name for name in reversed(shown) if name != focus.node)
        shown.remove(victim)
    for name in shown:
        x = _put(canvas, snapshot, focus, glyphs, x, y, name)
    if len(shown) < len(names):
        canvas.put(x, y, f"+{len(names) - len(shown)}", "dim")


def _road(
    canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, y: int, stages: Sequence[str], label: str,
    pace: str,
) -> None:  # fmt: skip
    """Four stations with lanes between them, and what users get at the right."""
    figures = FIGURES if canvas.width >= 70 else 0
    widths = [9, 12, 11, 8]
    lane = max(2, (canvas.width - LABEL - figures - sum(widths)) // 3)
    canvas.put(1, y, label, "dim")
    x = LABEL
    for place, stage in enumerate(stages):
        _station(canvas, snapshot, focus, glyphs, stage, x, y, widths[place])
        x += widths[place]
        if place < len(stages) - 1:
            up = label == "write"
            _lane(canvas, snapshot, glyphs, x, y, lane - 1, stage, stages[place + 1], up)
            x += lane
    if figures:
        got = next(each for each in snapshot.paces if each.road == pace)
        canvas.put_right(canvas.width - 1, y, _figures(got), "bright")


def _figures(pace: Pace) -> str:
    """What users get: how many a second, half of them within so long; of a few, what the slowest took."""
    if not pace.done:
        return f"{pace.per_s}/s {'-':>6}"
    if pace.done < FEW:
        return f"slowest {span(pace.p99_us):>6}"
    return f"{pace.per_s}/s {span(pace.p50_us):>6}"


def _lane(
    canvas: Canvas, snapshot: Snapshot, glyphs: Glyphs, x: int, y: int, width: int, near: str, far: str, up: bool
) -> None:
    """A stretch of road, with the messages that are on it: those away from users and those towards them."""
    line = glyphs.thin * (width - 1)
    canvas.put(x, y, line + glyphs.arrow_right if up else glyphs.arrow_left + line, "line")
    left, right = _names(snapshot, near), _names(snapshot, far)
    for flight in snapshot.flights:
        forth = flight.src in left and flight.dst in right
        if not forth and not (flight.src in right and flight.dst in left):
            continue
        letter, ink = LETTERS.get(type(flight.message), ("", "dim"))
        if not letter or (isinstance(flight.message, m.Rows) and not flight.message.rows):
            continue
        part = way_of(flight.departs_us, flight.arrives_us, snapshot.now_us)
        place = round((part if forth else 1 - part) * (width - 1))
        canvas.put(x + place, y, letter, ink)


def _busy(canvas: Canvas, snapshot: Snapshot, stages: Sequence[str], y: int) -> None:
    """How busy the machines of a road are."""
    parts = [f"{each.name} {share(each.work.busy_ppm)}" for stage in stages for each in snapshot.machines
             if each.stage == stage]  # fmt: skip
    canvas.put(LABEL, y, clip(f"busy: {'  '.join(parts)}", canvas.width - LABEL - 1), "dim")


# -- beside the roads --------------------------------------------------------------------------------------------------


def _saga(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, y: int) -> None:
    """The process, its services, and how its orders end."""
    canvas.put(1, y, "orders", "dim")
    x = LABEL
    for name in ("saga", *_names(snapshot, "services")):
        x = _put(canvas, snapshot, focus, glyphs, x, y, name)
    ended = dict(snapshot.ended)
    running = [each for each in snapshot.sagas if each.phase.value in ("running", "compensating")]
    said = f"{ended.get('completed', 0)} completed {ended.get('compensated', 0)} compensated {len(running)} open"
    canvas.put_right(canvas.width - 1, y, clip(said, max(0, canvas.width - x - 2)), "text")


def _crud(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, y: int) -> None:
    """The table that does both."""
    canvas.put(1, y, "beside", "dim")
    x = _put(canvas, snapshot, focus, glyphs, LABEL, y, "crud")
    view = machine(snapshot, "crud")
    assert view is not None
    paces = {each.road: each for each in snapshot.paces}
    reads, writes = paces["crud query"], paces["crud command"]
    said = f"one table, busy {share(view.work.busy_ppm)}"
    if reads.done:
        said += f"  query {span(reads.p50_us)}"
    if writes.done:
        said += f"  command {span(writes.p50_us)}"
    canvas.put(x + 1, y, clip(said, max(0, canvas.width - x - 2)), "warn" if view.work.busy_ppm > 900_000 else "text")


def draw_gaps(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, y: int) -> None:
    """The gap, two figures a projection, and what is being done about it."""
    here = projection_of(snapshot, focus)
    most = max((behind for gap in snapshot.gaps for behind, _ in gap.gaps), default=0)
    for row, view in enumerate(snapshot.projections, y):
        mine = here is not None and view.name == here.name
        canvas.put(0, row, glyphs.mark_left if mine else " ", "selected")
        canvas.put(1, row, f"{view.name:17}", "bright" if mine else "text")
        late: Ink = "good" if not view.behind else "warn"
        age = span(view.age_us) if view.behind else "0 ms"
        x = canvas.put(18, row, f"{view.behind:>4} behind {age:>7}", late)
        width = 6 if canvas.width >= 70 else 0
        x = canvas.put(x + 1, row, bar(view.behind / max(8, view.behind, most), width, glyphs) if width else "", late)
        said = state_of(snapshot, view)
        if canvas.width >= 100:
            said += "".join(f"  {name} {position}" for name, position, _ in view.replicas)
        canvas.put(x + 1, row, clip(said, max(0, canvas.width - x - 2)), "text")


def state_of(snapshot: Snapshot, view: ProjectionView) -> str:
    """Where a projection is, and what happens to it."""
    place = f"at {view.position} on {view.home}" if view.home else f"at {view.position}"
    parts = [] if view.status == "up" else [view.status]
    for table in view.tables:
        if table.role == "live" and table.stopped_at:
            parts.append(f"stopped at {table.stopped_at}")
        elif table.role == "live" and table.percent < 100:
            parts.append(f"rebuilding at {table.percent} %")
        elif table.role == "live" and table.release != "right":
            parts.append(table.release)
        elif table.role == "next":
            name = f"gen {table.generation}" if table.release == "right" else table.release
            stopped = f"{name} stopped at {table.stopped_at}"
            parts.append(stopped if table.stopped_at else f"beside {name} {table.percent} %")
    if view.parked:
        parts.append(f"parked {view.parked}")
    if view.moving:
        parts.append("moving")
    return ", ".join([*parts, place])


# -- both models -------------------------------------------------------------------------------------------------------


def draw_sides(canvas: Canvas, snapshot: Snapshot, focus: Focus, y: int) -> None:
    """One order as both models and the table have it, in four rows."""
    order = order_of(snapshot, focus)
    if not order:
        canvas.put(1, y, "no order yet: a creates one", "dim")
        return
    both = sides(snapshot, order)
    canvas.put(1, y, f"{order}, the same question to each", "dim")
    said: tuple[tuple[str, Any, Ink], ...] = (
        ("read model", both.read, "bad" if both.wrong else "warn" if both.stale else "good"),
        ("write model", both.write, "text"),
        ("CRUD table", both.crud, "text"),
    )  # fmt: skip
    for row, (name, found, ink) in enumerate(said, y + 1):
        text = "knows nothing of it"
        if found is not None:
            lines = plural(found.lines, "line")
            version = f"version {found.version}" if name != "CRUD table" else ""
            text = f"{found.status:10} total {found.total:>6}  {lines:8} {version}"
        canvas.put(3, row, f"{name:12}", "dim")
        canvas.put(15, row, clip(text, canvas.width - 16), ink)
        if name == "read model" and both.failing:
            canvas.put_right(canvas.width - 1, row, both.failing, ink)


def draw_newest(canvas: Canvas, snapshot: Snapshot, y: int, rows: int) -> None:
    """The newest answers about orders, beside what the write model said at that moment, the newest at the bottom."""
    if rows < 3:
        return
    canvas.put(1, y, f"{'answered':10} {'order':10} {'read model':19} {'write model':19} behind by", "dim")
    for row, side in enumerate(snapshot.sides[1 - rows :], y + 1):
        told = f"{stamp(side.at_us)} {clip(side.order, 10):10} {clip(brief(side.read), 19):19} "
        x = canvas.put(1, row, f"{told}{clip(brief(side.write), 19):19} ", "text")
        late = side.outcome.name.lower().replace("_", " ") if side.outcome.name != "OK" else (
            span(side.age_us) if side.age_us else "nothing")  # fmt: skip
        canvas.put(x, row, clip(late, max(0, canvas.width - x - 1)), "warn" if late != "nothing" else "good")
    if not snapshot.sides:
        canvas.put(1, y + 1, "nobody has asked about an order yet: a creates one and asks", "dim")


def one_line(snapshot: Snapshot, focus: Focus) -> tuple[str, str]:
    """The same in one line, and in a word how the read model fails: stale, wrong, or empty."""
    order = order_of(snapshot, focus)
    if not order:
        return "no order yet: a creates one", ""
    both = sides(snapshot, order)
    read, write = _plain(both.read, True), _plain(both.write, True)
    note = noted(snapshot, order)
    if both.read is not None and not (both.failing or note):
        return f"{order}: read model = write model: {read}; crud {_plain(both.crud)}", ""
    rest = f"{f', {both.failing}' if both.read and both.failing else ''}{f', note: {note}' if note else ''}"
    return f"{order}: read {read}{rest} | write {write} | crud {_plain(both.crud)}", both.failing


def _plain(found: Any, version: bool = False) -> str:
    if found is None:
        return "nothing"
    return f"{found.status} {found.total}{f' v{found.version}' if version else ''}"


def verdict_line(snapshot: Snapshot) -> tuple[str, Ink]:
    """When the pattern pays, in one line."""
    verdict = snapshot.costs.verdict
    if not verdict.crud_us:
        if any(pace.total for pace in snapshot.paces):
            return "nothing to weigh: nothing came in the last 2 s", "dim"
        return "nothing to weigh yet: nobody asks", "dim"
    word = "pays" if verdict.pays else "does not pay"
    said = f"demand: two roads {work_us(verdict.cqrs_us)}/s, one table {work_us(verdict.crud_us)}/s"
    return f"{word}; {said}{DECIDES.get(verdict.why, '')}", "good" if verdict.pays else "warn"
