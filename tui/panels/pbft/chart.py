"""The sequence chart of PBFT, live: a lane for the client and for each replica, a column for each phase of one number.

An arrow stands where a message has arrived; a letter moves along where one flies; where two contradict each other the
line is red, and a cross stands for the arrow. So the same chart that every lecture shows is filled in by the run
itself.
"""

from typing import Final

from engines import units
from engines.consensus.pbft import messages as m
from engines.consensus.pbft.snapshot import ReplicaView, Snapshot
from engines.sim.views import Flight
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.cluster import share
from tui.kit.selection import message_of
from tui.kit.words import chip
from tui.panel import Focus
from tui.panels.pbft.queries import PHASE_INKS, cell, counted, equal, letter, number_of, role, slot_of
from tui.panels.pbft.words import LETTERS, asked

NAME: Final = 12
"""Columns for the name of a lane."""
PHASES: Final = ("request", "pre-prepare", "prepare", "commit", "reply")
KINDS: Final = {"request": m.Request, "pre-prepare": m.PrePrepare, "prepare": m.Prepare, "commit": m.Commit,
                "reply": m.Reply}  # fmt: skip


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """The whole chart, on the whole canvas."""
    n = number_of(snapshot, focus)
    asker = _asker(snapshot, n)
    lanes = _lanes(snapshot, asker, canvas.height)
    width = max(0, canvas.width - NAME - 1)
    step = width // len(PHASES)
    for y, name in lanes.items():
        _lane(canvas, y, name, snapshot, focus, glyphs)
    for place, phase in enumerate(PHASES):
        if step >= len(phase):
            canvas.put(NAME + place * step + (step - len(phase)) // 2, 0, phase, "dim")
    rows = {name: y for y, name in lanes.items()}
    if not n:
        waiting = any(each.current for each in snapshot.clients)
        told = "no replica has given the request a number yet" if waiting else "nobody waits for anything: a asks"
        canvas.center(canvas.height - 1, told, "dim", NAME)
    else:
        _arrows(canvas, snapshot, n, rows, step, glyphs)
    _flights(canvas, snapshot, focus, n, rows, step)
    if asker in rows:
        _client(canvas, snapshot, n, asker, rows[asker])
    hidden = len(snapshot.replicas) + 1 - len(lanes)
    if lanes and hidden > 0:
        canvas.put_right(canvas.width, max(lanes), f" +{hidden} more ", "dim")


def _lanes(snapshot: Snapshot, asker: str, height: int) -> dict[int, str]:
    """Row -> who stands there; the client on top."""
    names = [asker, *(each.id for each in snapshot.replicas)]
    space = max(1, (height - 2) // len(names)) if height > len(names) else 1
    return {1 + place * space: name for place, name in enumerate(names) if 1 + place * space < height}


def _asker(snapshot: Snapshot, n: int) -> str:
    """The client of whom the chart tells: whose request the number has; nobody's: whoever waits, else you."""
    slots = (slot_of(replica, n) for replica in snapshot.replicas)
    told = next((slot.request.client for slot in slots if slot is not None and slot.request is not None), "")
    known = [each.id for each in snapshot.clients]
    return told if told in known else next((each.id for each in snapshot.clients if each.current), "you")


def _lane(canvas: Canvas, y: int, name: str, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    replica = snapshot.replica(name)
    for x in range(NAME, canvas.width):
        canvas.put(x, y, glyphs.thin, "line")
    if replica is None:
        canvas.put(1, y, clip(f"{name} client", NAME - 2), "you" if name == "you" else "client")
        return
    chosen = focus.node == name
    canvas.put(0, y, glyphs.mark_left if chosen else " ", "bright")
    x = canvas.put(1, y, f" {name} {letter(replica)} v{replica.view} ", chip(role(replica)))
    canvas.put(x, y, glyphs.mark_right if chosen else " ", "bright")
    if replica.acts:
        canvas.put(x + 1 if x + 1 < NAME else x, y, "!", "bad")


def _arrows(canvas: Canvas, snapshot: Snapshot, n: int, rows: dict[str, int], step: int, glyphs: Glyphs) -> None:
    """What has arrived of the three phases; a cross for an arrow at whoever has been told two things."""
    crossed: list[tuple[int, int]] = []
    for place, phase in enumerate(PHASES[1:4], 1):
        for receiver in snapshot.replicas:
            for sender in snapshot.replicas:
                if sender.id == receiver.id or sender.id not in rows or receiver.id not in rows:
                    continue
                found = cell(snapshot, n, phase, sender.id, receiver)
                if found.state in ("yes", "wrong"):
                    ends = _ends(place, step, rows[sender.id], rows[receiver.id])
                    _line(canvas, *ends, found.ink if found.state == "wrong" else PHASE_INKS[phase], glyphs)
                    if found.state == "wrong":
                        crossed.append((ends[2] + 1, ends[3]))
    for x, y in crossed:
        canvas.put(x, y, "x", "bad")


def _ends(place: int, step: int, y0: int, y1: int) -> tuple[int, int, int, int]:
    return NAME + place * step + 1, y0, NAME + (place + 1) * step - 2, y1


def _line(canvas: Canvas, x0: int, y0: int, x1: int, y1: int, ink: Ink, glyphs: Glyphs) -> None:
    canvas.line(x0, y0, x1, y1, ink, False, glyphs)
    canvas.put(x1 + 1, y1, glyphs.arrow_right, ink)


def _flights(canvas: Canvas, snapshot: Snapshot, focus: Focus, n: int, rows: dict[str, int], step: int) -> None:
    """Letters where messages of this number fly."""
    selected = message_of(snapshot, focus)
    for flight in snapshot.flights:
        place = _place(flight, n)
        if place is None or flight.src not in rows or flight.dst not in rows:
            continue
        part = share(flight.departs_us, flight.arrives_us, snapshot.at_us)
        x0, y0, x1, y1 = _ends(place, step, rows[flight.src], rows[flight.dst])
        x, y = round(x0 + (x1 - x0) * part), round(y0 + (y1 - y0) * part)
        canvas.put(x, y, LETTERS[type(flight.message)], "selected" if flight is selected else chip("warn"))


def _place(flight: Flight, n: int) -> int | None:
    """The column of a message; None: it is not about this number."""
    for place, phase in enumerate(PHASES):
        if type(flight.message) is KINDS[phase]:
            about = getattr(flight.message, "n", n)
            return place if about == n else None
    return None


def _client(canvas: Canvas, snapshot: Snapshot, n: int, name: str, y: int) -> None:
    """What the client waits for or was told, at the end of its lane; who else waits, at its beginning."""
    client = next(each for each in snapshot.clients if each.id == name)
    end = canvas.width
    if client.current is not None:
        waits = units.span(snapshot.at_us - client.open_us)
        numbered = any(slot.request == client.current for each in snapshot.replicas for slot in each.slots)
        later = "next: " if n and not numbered and not equal(client) else ""
        then = f", then {client.queued} more" if client.queued else ""
        told = f" {later}{asked(client.current)} {equal(client)}/{client.needed} equal replies, {waits}{then} "
        end -= len(told)
        canvas.put_right(canvas.width, y, told, "you" if name == "you" else "client")
    elif client.done:
        end -= len(told := f" {client.done} answered ")
        canvas.put_right(canvas.width, y, told, "dim")
    other = next((each for each in snapshot.clients if each.current and each.id != name), None)
    if other is not None:
        told = f" {other.id} {'wait' if other.id == 'you' else 'waits'} for {asked(other.current)} "
        if NAME + 1 + len(told) < end:
            canvas.put(NAME + 1, y, told, "you" if other.id == "you" else "client")


def note(snapshot: Snapshot, focus: Focus) -> str:
    """Which number is shown, and what it is."""
    n = number_of(snapshot, focus)
    if not n:
        return ""
    slots = [slot for each in snapshot.replicas if (slot := slot_of(each, n)) and slot.digest]
    said = dict.fromkeys(asked(slot.request) if slot.request or slot.digest == m.NULL else "?" for slot in slots)
    return f"number {n}: {' and '.join(said)}"


def progress(replica: ReplicaView, n: int, snapshot: Snapshot) -> str:
    """How far a replica is with a number: ``2/2 3/3 done``."""
    slot = slot_of(replica, n)
    least = snapshot.quorum - 1
    if slot is None:
        return "done" if n <= replica.executed else "-"
    told = f"{counted(slot, 'prepare', least)}/{least} {counted(slot, 'commit', snapshot.quorum)}/{snapshot.quorum}"
    return f"{told} {'done' if slot.executed else 'final' if slot.committed else ''}".rstrip()
