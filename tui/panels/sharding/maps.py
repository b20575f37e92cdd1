"""The key space where it is no ring: 16384 slots, chunks of keys in order, or the parts of a hash.

All of them are a long band cut into rows. The part of the selected node is between its marks or named; a letter stands
wherever a colour does.
"""

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate, groupby
from typing import Final

from engines import units
from engines.sharding.world.events import UnitKind, UnitState
from engines.sharding.world.snapshot import ChunkState, KeyState, Snapshot
from engines.units import PPM
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.parts import part
from tui.panels.sharding.queries import ink
from tui.panels.sharding.ring import sign

SLOTS: Final = 16_384
SHARES_MAX: Final = 7
"""Parts that are listed one below the other."""
RULES: Final = {
    "modulo": "owner = hash(key) mod {n}",
    "jump": "owner = bucket jump(hash, {n})",
    "rendezvous": "owner = max of hash(key, node)",
    "maglev": "owner = table[hash mod 65537]",
    "ring": "owner = the next token clockwise",
    "bounded": "owner = the next token with room",
    "slots": "slot = CRC16(key) mod 16384",
    "range": "owner = whose chunk holds the key",
}
"""What decides the owner, in a line."""


def rule(snapshot: Snapshot) -> str:
    """What decides the owner of a key in this variant."""
    now, then = len(snapshot.members), sum(node.role in ("member", "joining") for node in snapshot.nodes)
    return RULES.get(snapshot.variant, "").format(n=now if now == then else f"{now} > {then}")


def owners_in(snapshot: Snapshot, cells: int) -> list[str]:
    """The key space in so many equal parts, and who owns the middle of each: for any variant."""
    if snapshot.chunks:
        widths = chunk_widths(snapshot.chunks, cells)
        spread = [chunk.owner for chunk, width in zip(snapshot.chunks, widths, strict=True) for _ in range(width)]
        return (spread + spread[-1:] * cells)[:cells]
    parts = [(1, each.owner) for each in snapshot.ring]
    parts = parts or [(run.last - run.first + 1, run.owner) for run in snapshot.runs]
    parts = parts or [(share.ppm, share.owner) for share in snapshot.shares if share.ppm > 0]
    ends = list(accumulate(size for size, _ in parts))
    middles = [(2 * i + 1) * ends[-1] / (2 * cells) if ends else 0.0 for i in range(cells)]
    return [parts[bisect_right(ends, middle)][1] if parts else "" for middle in middles]


def draw_line(canvas: Canvas, snapshot: Snapshot, selected: str, key: KeyState | None, glyphs: Glyphs, y: int) -> None:
    """The whole key space in one row: what there is room for on a small screen."""
    width = canvas.width - 2
    if width < 4:
        return
    with part(canvas, 1, y, width, 1) as band:
        _draw_owners(band, snapshot, owners_in(snapshot, width), selected, glyphs)
    if key is not None and (at := place_of(snapshot, key)) >= 0:
        canvas.put(1 + min(width - 1, at * width // PPM), y, "*", "selected")


def _draw_owners(
    canvas: Canvas, snapshot: Snapshot, owners: list[str], selected: str, glyphs: Glyphs,
    moving: Mapping[int, str] | None = None,
) -> None:  # fmt: skip
    """A cell an owner, row by row: solid where the selected node owns, an arrow where it moves (to whom, by cell)."""
    to = moving or {}
    for at, owner in enumerate(owners):
        solid = owner == selected or glyphs.name == "ascii"
        text = (sign(owner, glyphs) if solid else glyphs.span) if owner else " "
        ink_ = ink(snapshot, owner)
        if at in to:
            text, ink_ = glyphs.arrow_right, ink(snapshot, to[at]) + "!"
        canvas.put(at % canvas.width, at // canvas.width, text, ink_)
    resting = ["" if at in to else owner for at, owner in enumerate(owners)]
    for y in range(canvas.height):
        _names(canvas, snapshot, resting[y * canvas.width : (y + 1) * canvas.width], y)


def place_of(snapshot: Snapshot, key: KeyState) -> int:
    """Where in the key space a key lies, in ppm of it; -1 where it has no place."""
    if key.at_ppm >= 0:
        return key.at_ppm
    if key.slot >= 0:
        return key.slot * PPM // SLOTS
    if snapshot.chunks:
        number = snapshot.chunk_of(key.key)
        widths = chunk_widths(snapshot.chunks, 4_096)
        return (sum(widths[:number]) + widths[number] // 2) * PPM // max(1, sum(widths)) if number >= 0 else -1
    return -1


def _names(canvas: Canvas, snapshot: Snapshot, owners: list[str], y: int) -> None:
    """Names on the runs that are long enough for them."""
    x = 0
    for name, run in groupby(owners):
        length = len(list(run))
        if name and length >= len(name) + 4:
            canvas.put(x + (length - len(name) - 2) // 2, y, f" {name} ", ink(snapshot, name) + "!")
        x += length


def draw_slots(canvas: Canvas, snapshot: Snapshot, selected: str, key: KeyState | None, glyphs: Glyphs) -> None:
    """Rows of slots with the first slot of each at the left; what moves is marked, and so is the key's slot."""
    gutter = 6
    width, rows = canvas.width - gutter - 1, canvas.height
    cells = width * rows
    if width < 8 or rows < 1:
        return
    moved: dict[int, str] = {}
    for lane in snapshot.moving:
        if lane.unit.kind is UnitKind.SLOTS and lane.state is not UnitState.PLANNED:
            first, last = (slot * cells // SLOTS for slot in (lane.unit.first, lane.unit.last))
            moved |= dict.fromkeys(range(first, last + 1), lane.target)
    for row in range(rows):
        canvas.put_right(gutter - 1, row, str(row * width * SLOTS // cells), "dim")
    with part(canvas, gutter, 0, width, rows) as band:
        _draw_owners(band, snapshot, owners_in(snapshot, cells), selected, glyphs, moved)
        if key is not None and key.slot >= 0:
            at = min(cells - 1, key.slot * cells // SLOTS)
            band.put(at % width, at // width, "*", "selected")


def chunk_widths(chunks: tuple[ChunkState, ...], cells: int) -> list[int]:
    """So many cells shared out by keys, at least one each; larger chunks lose first where there are not enough."""
    whole = sum(chunk.keys for chunk in chunks) + 2 * len(chunks)
    spare = max(0, cells - len(chunks))
    widths, used, seen = [], 0, 0
    for chunk in chunks:
        seen += chunk.keys + 2
        upto = spare * seen // max(1, whole)
        widths.append(1 + upto - used)
        used = upto
    return widths


def draw_chunks(canvas: Canvas, snapshot: Snapshot, selected: str, key: KeyState | None, glyphs: Glyphs) -> None:
    """Chunks in the order of their keys: bounds where they fit, J jumbo, ! the one with the most requests."""
    width, rows = canvas.width - 2, canvas.height
    if width < 8 or rows < 1 or not snapshot.chunks:
        return
    cells = width * rows
    chunks = snapshot.chunks
    hot = max(chunks, key=lambda chunk: chunk.ops_per_ks)
    target = {lane.unit.low: lane.target for lane in snapshot.moving if lane.unit.kind is UnitKind.CHUNK}
    home = snapshot.chunk_of(key.key) if key is not None else -1
    at, before = 0, ""
    for number, (chunk, size) in enumerate(zip(chunks, chunk_widths(chunks, cells), strict=True)):
        marks = ("J" if chunk.jumbo else "") + ("!" if chunk is hot and chunk.ops_per_ks else "")
        marks += f"{glyphs.arrow_right}{target[chunk.min]}" if chunk.min in target else ""
        marks += "*" if number == home else ""
        low = chunk.min or "-inf"
        kind = low.rpartition(":")[0]
        label = low.rpartition(":")[2] if kind and kind == before else low
        before = kind
        ink_ = ink(snapshot, chunk.owner) + "!"
        for i in range(at, min(at + size, cells)):
            canvas.put(1 + i % width, i // width, " ", ink_)
        edge = glyphs.mark_left if chunk.owner == selected else glyphs.vertical
        canvas.put(1 + at % width, at // width, edge, ink_)
        _label(canvas, at + 1, at + size, width, marks, label, ink_)
        at += size


def _label(canvas: Canvas, start: int, end: int, width: int, marks: str, label: str, ink_: Ink) -> None:
    """Marks and lower bound of a chunk in its cells, never across the end of a row."""
    rooms = [(start, min(end, (start // width + 1) * width))]
    if end > rooms[0][1]:
        rooms.append((rooms[0][1], end))
    most = max(min(stop - begin, width) for begin, stop in rooms) - len(marks) - bool(marks)
    tail = f"..{label[len(label) - most + 2 :]}" if most >= 6 else ""
    full = (f"{marks} {each}".strip() for each in (label, label.rpartition(":")[2], tail))
    for text in (*full, marks):
        for begin, stop in rooms:
            if text and len(text) <= min(stop - begin, width):
                x = canvas.put(1 + begin % width, begin // width, text, ink_)
                for i, char in enumerate(marks):
                    if char in "J!":
                        canvas.put(x - len(text) + i, begin // width, char, "bad!")
                return


def draw_shares(canvas: Canvas, snapshot: Snapshot, selected: str, key: KeyState | None, glyphs: Glyphs) -> None:
    """The key space as one band in rows, each part with its owner and its size, and the rule below."""
    rows = canvas.height - 1 if canvas.height >= 3 else canvas.height
    width = canvas.width - 2
    if width < 8:
        return
    columns = share_columns(snapshot, canvas.width, rows)
    down = -(-len(snapshot.shares) // columns)
    if 0 < down <= rows:
        room = (width + 1) // columns - (columns > 1)
        top = max(share.ppm for share in snapshot.shares) or 1
        per, numbered = rows // down, snapshot.variant in ("modulo", "jump")
        for number, share in enumerate(snapshot.shares):
            x, y = 1 + number // down * (room + 1), number % down * per
            size = max(1, round(share.ppm / top * room))
            title = f" {f'{number}: ' * numbered}{share.owner} {units.rounded(share.ppm)} "
            for row in range(per):
                edge = glyphs.mark_left if share.owner == selected else " "
                text = (edge + title[1:] if row == 0 else edge).ljust(size)[:size]
                canvas.put(x, y + row, text, ink(snapshot, share.owner) + "!")
        y = down * per
    else:
        with part(canvas, 1, 0, width, rows) as band:
            _draw_owners(band, snapshot, owners_in(snapshot, width * rows), selected, glyphs)
        y = rows
    canvas.put(1, y, clip(rule(snapshot), width), "dim")


def share_columns(snapshot: Snapshot, width: int, rows: int = SHARES_MAX) -> int:
    """In how many columns the parts are listed: two where they are many, so that the nodes below keep their room."""
    return 2 if len(snapshot.shares) > min(rows, SHARES_MAX) and width >= 2 * 16 else 1


def key_lines(snapshot: Snapshot, key: KeyState) -> list[list[tuple[str, Ink]]]:
    """A key in three lines: its name, where the strategy puts it, who has it and why these."""
    where = f"slot {key.slot}" if key.slot >= 0 else ""
    if snapshot.chunks:
        chunk = snapshot.chunks[snapshot.chunk_of(key.key)]
        where = f"[{chunk.min or '-inf'}, {chunk.max or '+inf'})"
    if key.slot < 0 and key.hashed >= 0:
        digits = f"{key.hashed:016x}"
        where = f"0x{digits[:6]}..{digits[-2:]}"
    then = "  then" if len(key.group) > 1 else ""
    group = [("owner ", "dim"), (key.owner, ink(snapshot, key.owner)), (then, "dim")]
    group += [(f" {name}", ink(snapshot, name)) for name in key.group[1:]]
    return [[("key ", "dim"), (key.key, "bright")], [(where, "dim")], group]


def key_line(snapshot: Snapshot, key: KeyState) -> list[tuple[str, Ink]]:
    """The same in one line: its place last, since that may be cut off."""
    name, where, group = key_lines(snapshot, key)
    return [piece for line in (name, group, where) for piece in (*line, ("  ", "dim"))]
