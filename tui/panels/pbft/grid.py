"""The message grid: a cell for every message that one number takes, dark until it arrives, red where two contradict.

Where there is room, rows are phases and senders and columns are receivers, with the counters below that fill up to 2f
and 2f+1. Where there is not, a row is a receiver: the same cells, and beside them how far it is in all.
"""

from typing import Final

from engines.consensus.pbft.messages import NULL
from engines.consensus.pbft.snapshot import ReplicaView, Snapshot
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.words import chip
from tui.panel import Focus
from tui.panels.pbft.queries import PHASE_INKS, accepted_by_most, cell, counted, letter, number_of, role, slot_of

PHASES: Final = ("pre-prepare", "prepare", "commit")
TRAITOR: Final = "traitor: "
"""Before its act; where there is no room for all of them a mark as in the chart."""
MARKS: Final = {"no": ".", "flies": "~", "wrong": "x"}


def height(snapshot: Snapshot) -> int:
    """Rows of the whole grid."""
    count = len(snapshot.replicas)
    return 1 + 1 + (count - 1) + count + 3


def width(snapshot: Snapshot) -> int:
    """Columns of the whole grid."""
    return 16 + 5 * len(snapshot.replicas)


def senders(snapshot: Snapshot, phase: str, primary: str) -> tuple[str, ...]:
    """Who says something in a phase: the primary, the backups, everybody."""
    everyone = tuple(each.id for each in snapshot.replicas)
    if phase == "pre-prepare":
        return (primary,)
    return everyone if phase == "commit" else tuple(each for each in everyone if each != primary)


def primary_of(snapshot: Snapshot, n: int) -> str:
    """Who proposed what most have at this number; else who leads now."""
    digest = accepted_by_most(snapshot, n)
    found = (slot.proposer for each in snapshot.replicas if (slot := slot_of(each, n)) and slot.digest == digest)
    return next((each for each in found if each), snapshot.primary)


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """Phases and senders down, receivers across."""
    n = number_of(snapshot, focus)
    primary = primary_of(snapshot, n)
    x0 = 16
    for place, receiver in enumerate(snapshot.replicas):
        ink = chip(role(receiver)) if receiver.id == focus.node else role(receiver)
        canvas.put(x0 + 5 * place, 0, f" {receiver.id} ", ink)
    y = 1
    for phase in PHASES:
        for place, sender in enumerate(senders(snapshot, phase, primary)):
            canvas.put(1, y, phase if not place else "", "dim")
            liar = snapshot.replica(sender)
            canvas.put(13, y, sender, "bad" if liar and liar.acts else "text")
            for column, receiver in enumerate(snapshot.replicas):
                _cell(canvas, x0 + 5 * column + 2, y, snapshot, n, phase, sender, receiver, glyphs)
            y += 1
    for label, phase, least in (("prepared", "prepare", snapshot.quorum - 1), ("committed", "commit", snapshot.quorum)):
        canvas.put(1, y, label, "dim")
        for column, receiver in enumerate(snapshot.replicas):
            found = counted(slot_of(receiver, n), phase, least)
            canvas.put(x0 + 5 * column + 1, y, f"{found}/{least}", "good" if found >= least else "warn")
        y += 1


def _cell(
    canvas: Canvas, x: int, y: int, snapshot: Snapshot, n: int, phase: str, sender: str, receiver: ReplicaView,
    glyphs: Glyphs,
) -> None:  # fmt: skip
    own = sender == receiver.id
    if own and phase == "pre-prepare":
        canvas.put(x, y, "o" if n else ".", "dim")
        return
    found = cell(snapshot, n, phase, sender, receiver)
    mark = ("o" if own else glyphs.block) if found.state == "yes" else MARKS[found.state]
    canvas.put(x, y, mark, found.ink if found.state != "yes" else PHASE_INKS[phase])


def draw_rows(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """A row a receiver: its cells, its counters, how far it is in all."""
    n = number_of(snapshot, focus)
    primary = primary_of(snapshot, n)
    x0 = 12
    columns: list[tuple[int, str, str]] = []
    x = x0
    for phase in PHASES:
        for sender in senders(snapshot, phase, primary):
            columns.append((x, phase, sender))
            x += 2
        x += 1
    if canvas.height > len(snapshot.replicas):
        for phase in PHASES:
            first = next(at for at, of, _ in columns if of == phase)
            room = 2 * sum(of == phase for _, of, _ in columns)
            name = phase if len(phase) <= room else {"pre-prepare": "O", "prepare": "prep", "commit": "comm"}[phase]
            canvas.put(first, 0, name, "dim")
        canvas.put(x, 0, f"2f={snapshot.quorum - 1} 2f+1={snapshot.quorum}   h  exec  H   stable", "dim")
        top = 1
    else:
        top = 0
    room = canvas.width - x - 26
    whole = all(len(_standing(each, n, TRAITOR)[0]) <= room for each in snapshot.replicas if each.acts)
    for row, receiver in enumerate(snapshot.replicas[: canvas.height - top], top):
        chosen = receiver.id == focus.node
        canvas.put(0, row, glyphs.mark_left if chosen else " ", "bright")
        canvas.put(1, row, f" {receiver.id} {letter(receiver)} v{receiver.view} ", chip(role(receiver)))
        for at, phase, sender in columns:
            _cell(canvas, at, row, snapshot, n, phase, sender, receiver, glyphs)
        _sums(canvas, x, row, snapshot, n, receiver, TRAITOR if whole else "!")
    if hidden := max(0, len(snapshot.replicas) - canvas.height + top):
        canvas.put_right(canvas.width, canvas.height - 1, f" +{hidden} more ", "dim")


def _sums(canvas: Canvas, x: int, y: int, snapshot: Snapshot, n: int, receiver: ReplicaView, liar: str) -> None:
    slot = slot_of(receiver, n)
    least = snapshot.quorum - 1
    prepares, commits = counted(slot, "prepare", least), counted(slot, "commit", snapshot.quorum)
    at = canvas.put(x, y, f"{prepares}/{least}", "good" if prepares >= least else "warn")
    canvas.put(at + 2, y, f"{commits}/{snapshot.quorum}", "good" if commits >= snapshot.quorum else "warn")
    canvas.put(x + 10, y, f"{receiver.low:>3} {receiver.executed:>4} {receiver.high:>4}", "text")
    said, ink = _standing(receiver, n, liar)
    canvas.put(x + 26, y, clip(said, canvas.width - x - 26), ink)


def _standing(receiver: ReplicaView, n: int, liar: str) -> tuple[str, Ink]:
    """What is worth a word about a replica; of a traitor its first act, and how many more."""
    if receiver.status != "up":
        return receiver.status, role(receiver)
    if receiver.acts:
        more = f" +{len(receiver.acts) - 1}" if len(receiver.acts) > 1 else ""
        return f"{receiver.stable}  {liar}{receiver.acts[0].replace('_', ' ')}{more}", "bad"
    if receiver.changing:
        return f"{receiver.stable}  asks for view {receiver.view}", "candidate"
    if receiver.fetching:
        return f"{receiver.stable}  fetches the state at {receiver.fetching}", "stale"
    slot = slot_of(receiver, n)
    if slot is None:
        return f"{receiver.stable}{'  executed, log cut' if 0 < n <= receiver.low else ''}", "text"
    word = "executed" if slot.executed else "final" if slot.committed else "prepared" if slot.prepared else "accepted"
    null = " null" if slot.digest == NULL else ""
    return (f"{receiver.stable}  {word}{null}" if slot.digest else f"{receiver.stable}"), "text"
