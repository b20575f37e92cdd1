"""The logs, one row a server: which entries it holds, of which term, how far it knows them committed.

What a snapshot has replaced stands as one bracket across its columns; a bracket after a cell closes what the server's
snapshot covers. A cell is coloured by term and shows it. Committed entries are solid, others stand in parentheses; an
entry that the leader does not hold stands between exclamation marks: it goes if that leader stays. The bar is the
server's own commit index.
"""

from typing import Final, NamedTuple

from engines.consensus.raft.snapshot import LogEntry, Progress, Server, Snapshot
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.parts import place_of, window
from tui.panel import Focus
from tui.panels.consensus import members
from tui.panels.consensus.queries import index_of, letter, role

NAME: Final = 10
NOTES: Final = (
    "colour, number = term   (n) not known committed here   !n! not the leader's",
    "number = term  (n) not known committed here  !n! not the leader's",
    "(n) not known committed here  !n! not the leader's",
    "(n) not known committed here",
)
COMPACTED: Final = "  [ ] snapshot"
"""Said too where a log has been cut."""
WORDS_MIN: Final = 14
"""The column of the state machine gives way down to this, so that cells keep their room."""
VIEW: Final = 12
"""Columns of the leader's view, next and match."""


class Columns(NamedTuple):
    """Where everything stands in a row."""

    first: int
    """Index in the first column of cells."""
    shown: int
    cell: int
    step: int
    """From one cell to the next: with a gap for the commit bar where there is room."""
    view: int
    """Column of next and match; 0: not shown."""
    words: int
    """Column of the state machine or the trouble; 0: not shown."""


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """Header and one row a server; with fewer rows, those around the selected server."""
    if canvas.height < 2 or canvas.width < 20:
        return
    columns = lay_out(snapshot, focus, canvas.width)
    ids = [server.id for server in snapshot.servers]
    header = canvas.height != len(ids)  # where there is room for all of them and not for it, it goes
    shown = [snapshot.servers[at] for at in window(len(ids), place_of(ids, focus.node), canvas.height - header)]
    full = any(server.values for server in snapshot.servers)
    if header:
        _header(canvas, columns, snapshot.window[1], len(ids) - len(shown), full)
    leader = snapshot.server(snapshot.leader)
    views = {each.peer: each for each in leader.progress} if leader else {}
    for row, server in enumerate(shown, int(header)):
        _row(canvas, row, snapshot, server, views.get(server.id), focus, columns, glyphs)


def note(snapshot: Snapshot, width: int) -> str:
    """How to read it, for a border of this width with a title."""
    more = COMPACTED if any(server.snapshot_index for server in snapshot.servers) else ""
    said = next((each for each in NOTES if len(each) + len(more) + 10 <= width), NOTES[-1])
    return said + more if len(said) + len(more) + 10 <= width else said


def lay_out(snapshot: Snapshot, focus: Focus, width: int) -> Columns:
    """The whole log if it can be had by giving up gaps and the words beside it; else its newest part, and a selected
    older one."""
    first, last = snapshot.window
    cell = max(3, len(str(max((server.last_term for server in snapshot.servers), default=0))) + 2)
    wide = min(34, width // 4) if width >= 56 else 0
    view = VIEW if width >= 48 else 0
    room, length = width - NAME - view, max(1, last - first + 1)
    words, step = wide, cell + 1
    for least, narrow in ((wide, cell + 1), (WORDS_MIN, cell + 1), (WORDS_MIN, cell), (0, cell + 1), (0, cell)):
        if least <= wide and length * narrow + least <= room:
            words, step = min(wide, room - length * narrow) if least else 0, narrow
            break
    shown = max(1, (room - words) // step)
    start = max(first, last - shown + 1)
    index = index_of(focus)
    if index and index < start:
        start = index
    return Columns(start, shown, cell, step, width - words - view if view else 0, width - words if words else 0)


def _header(canvas: Canvas, columns: Columns, last: int, hidden: int, full: bool) -> None:
    canvas.put(1, 0, f"+{hidden} more" if hidden else "index", "dim")
    every = -(-len(str(columns.first + columns.shown)) // columns.cell)
    for place in range(min(columns.shown, last - columns.first + 1)):
        index = columns.first + place
        if index % every == 0 or every == 1:
            canvas.put(NAME + place * columns.step, 0, f"{index:^{columns.cell}}", "dim")
    if columns.view:
        canvas.put(columns.view, 0, "next match", "dim")
    if columns.words and full:
        canvas.put(columns.words, 0, "state machine", "dim")


def _row(
    canvas: Canvas, y: int, snapshot: Snapshot, server: Server, view: Progress | None, focus: Focus,
    columns: Columns, glyphs: Glyphs,
) -> None:  # fmt: skip
    chosen = server.id == focus.node
    canvas.put(0, y, glyphs.mark_left if chosen else " ", "bright")
    x = canvas.put(1, y, f"{server.id} {letter(server)}{members.mark(snapshot, server)}", role(server))
    canvas.put(x + 1, y, f"t{server.term}", "dim")
    _replaced(canvas, y, server, columns)
    for place in range(columns.shown):
        index = columns.first + place
        entry = server.entry(index)
        x = NAME + place * columns.step
        if entry is not None:
            text, ink = _cell(snapshot, server, entry, columns.cell, chosen and index == index_of(focus), glyphs)
            canvas.put(x, y, text, ink)
        if index == server.commit and server.status != "crashed" and columns.step > columns.cell:
            canvas.put(x + columns.cell, y, glyphs.commit, "committed")
        elif index == server.snapshot_index and index >= server.first_index and columns.step > columns.cell:
            canvas.put(x + columns.cell, y, "]", "dim")
    if server.last_index < columns.first and server.status != "crashed":
        ends = f"{glyphs.arrow_left} ends at {server.last_index}" if server.last_index else "empty"
        canvas.put(NAME, y, ends, "stale")
    if columns.view and view is not None:
        canvas.put_right(columns.view + 4, y, str(view.next_index), "stale" if view.probing else "text")
        canvas.put_right(columns.view + 10, y, str(view.match_index), "text")
    if columns.words:
        text, ink = _words(snapshot, server, canvas.width - columns.words)
        canvas.put(columns.words, y, clip(text, canvas.width - columns.words), ink)


def _replaced(canvas: Canvas, y: int, server: Server, columns: Columns) -> None:
    """The bracket across the columns whose entries only a snapshot stands for."""
    end = min(server.first_index, columns.first + columns.shown) - columns.first
    if end <= 0 or not server.snapshot_index:
        return
    room = end * columns.step - (columns.step - columns.cell) - 2
    index = server.snapshot_index
    said = next(each for each in (f"snapshot {index}", f"{index}", "") if len(each) <= room)
    canvas.put(NAME, y, f"[{said:^{room}}]", "dim")


def _cell(
    snapshot: Snapshot, server: Server, entry: LogEntry, width: int, chosen: bool, glyphs: Glyphs
) -> tuple[str, Ink]:
    """Solid, in parentheses, or between exclamation marks; between selection marks if it is selected."""
    term = str(entry.term)
    if chosen:
        return f"{glyphs.mark_left}{term:^{width - 2}}{glyphs.mark_right}", "selected"
    if snapshot.divergent(server, entry.number):
        return f"!{term:^{width - 2}}!", "bad"
    if entry.number > server.commit or server.status == "crashed":  # a crash forgets what was committed
        return f"({term:^{width - 2}})", f"t{entry.term}"
    return f"{term:^{width}}", f"t{entry.term}!"


def _words(snapshot: Snapshot, server: Server, room: int) -> tuple[str, Ink]:
    """What the server made of its log; or what is wrong with it, which matters more."""
    if server.status == "crashed":
        return "crashed, log kept" if room >= 17 else "crashed", "dead"
    wrong = snapshot.first_divergent(server)
    if wrong:
        return f"differs from {wrong} on" if room >= 18 else f"differs at {wrong}", "bad"
    leader = snapshot.server(snapshot.leader)
    if leader is not None and leader.commit - server.last_index > 0:
        return f"{leader.commit - server.last_index} behind  {_values(server, room - 11)}", "stale"
    return _values(server, room), "dim" if leader is None or server.applied >= leader.applied else "text"


def _values(server: Server, room: int) -> str:
    """The store, in whole pairs."""
    text = ""
    for key, value in server.values:
        pair = f"{text} {key}={value}".lstrip()
        if (len(pair) > room - 3 and (key, value) != server.values[-1]) or len(pair) > room:
            return f"{text} .."
        text = pair
    return text
