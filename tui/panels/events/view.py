"""The picture: machines, the stream with its cursor (or tree, balances, machines at work), and the state."""

from engines.event_sourcing.world.snapshot import Snapshot
from tui.canvas import Canvas
from tui.glyphs import Glyphs
from tui.kit import clicks
from tui.kit.memo import once
from tui.kit.words import plural
from tui.panel import Focus, Frame, Hit, Sizes
from tui.panels.events import inspector, pictures, stream, strip
from tui.panels.events.select import at, index_of, listed, read


def view(snapshot: Snapshot, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame:
    """Draw everything."""
    picture, axis, side = (Canvas(*size) for size in sizes)
    chosen = read(focus)
    events = listed(snapshot, focus)
    y, page = 0, 0
    if not snapshot.recorded and picture.height >= 6:
        stream.draw_machines(picture, snapshot, focus, glyphs)
        y = 1
    # In a low picture every row is an event's: the state stands in the strip then.
    below = axis.height >= 6 and picture.height < 10
    state = 2 if picture.height >= 8 and not below and chosen.view in ("stream", "tree") else 0
    rows = picture.height - y - state
    match chosen.view:
        case "tree":
            pictures.draw_tree(picture, snapshot, focus, glyphs, y, rows)
        case "balances":
            pictures.draw_balances(picture, snapshot, focus, glyphs, y, rows)
        case "machines":
            pictures.draw_machines(picture, snapshot, focus, y, rows)
        case _:
            page = stream.draw(picture, snapshot, focus, glyphs, y, rows)
    if state:
        stream.draw_state(picture, snapshot, focus, picture.height - state)
    strip_title, strip_note = strip.draw(axis, snapshot, focus, glyphs, axis.height - 2 * below)
    if below:
        stream.draw_state(axis, snapshot, focus, axis.height - 2)
    title = inspector.draw(side, snapshot, focus) if side.width and side.height else ""
    named = stream.title(snapshot, focus, events)
    following = {"stream": "v: tree", "tree": "v: balances", "balances": "v: machines"}
    if snapshot.recorded:
        del following["balances"]
    note = following.get(chosen.view, "v: stream")
    hits = _hits(picture, snapshot, focus, glyphs, y, rows) if chosen.view == "stream" else ()
    return Frame(picture, axis, side, named, note, strip_title, strip_note, title, page, hits)


def _hits(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, y: int, rows: int) -> tuple[Hit, ...]:
    """The rows of the stream: a click moves the cursor there."""
    events = listed(snapshot, focus)
    here = index_of(events, read(focus).cursor)
    part = Canvas(canvas.width, max(0, rows - 1))  # below its header
    part.blit(canvas, 0, -y - 1)

    def of(step: int) -> Focus | None:
        return at(focus, events, here + step) if 0 <= here + step < len(events) else None

    return tuple(hit._replace(y=hit.y + y + 1) for hit in clicks.rows(part, glyphs, 0, canvas.width, of))


def status(snapshot: Snapshot) -> str:
    """The facts of the top line."""
    events = snapshot.events
    streams = once(events, ("streams",), lambda: len({event.stream for event in events}))
    said = f"{plural(len(snapshot.events), 'event')}  {plural(streams, 'stream')}"
    behind = max((each.behind for each in snapshot.subscribers), default=0)
    return f"{said}  {behind} behind" if snapshot.subscribers else said
