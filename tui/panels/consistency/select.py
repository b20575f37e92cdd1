"""What is selected, and where the arrows lead.

Up and down walk the rows: clients, then replicas. On a client left and right walk its operations, from the newest
back; on a replica they walk the messages in flight from and to it. While a return is held (y), left and right move it.
"""

from dataclasses import replace

from engines.consistency.smallest import MODELS, SMALLEST
from engines.consistency.world.snapshot import Snapshot
from tui.kit.selection import after
from tui.panel import Focus
from tui.panels.consistency import queries as q
from tui.panels.consistency.queries import Chosen, choose, chosen, rows_of


def fit(snapshot: Snapshot, focus: Focus) -> Focus:
    """The focus with what is gone replaced by what is nearest."""
    rows = rows_of(snapshot)
    now = chosen(focus)
    if focus.node not in rows:
        focus = replace(focus, node=rows[0] if rows else "", pick=None)
        now = Chosen(model=now.model, pair=now.pair)
    found = q.operation(snapshot, focus)
    if snapshot.logged:
        here = any(each.number == now.op and each.host == focus.node for each in snapshot.logged)
        now = now._replace(op=now.op if here else -1, held=-1)
    elif now.op >= 0 and (found is None or found.process != focus.node):
        now = now._replace(op=-1, held=-1)
    if now.held >= 0 and (now.op < 0 or found is None or found.end is None or not q.whole(snapshot)):
        now = now._replace(held=-1)
    if now.held >= 0:
        now = now._replace(held=min(now.held, 2 * snapshot.operations))
    if now.model and q.model_of(snapshot, now.model) is None:
        now = now._replace(model="")
    flight = q.flight_of(snapshot, focus)
    if now.message >= 0 and (flight is None or focus.node not in (flight.src, flight.dst)):
        now = now._replace(message=-1)
    if now.pair >= len(SMALLEST):
        now = now._replace(pair=-1)
    return choose(focus, **now._asdict())


def move(snapshot: Snapshot, focus: Focus, direction: str) -> Focus:
    """Where an arrow leads."""
    now = chosen(focus)
    step = -1 if direction in ("left", "up") else 1
    if now.pair >= 0:
        if direction in ("left", "right"):
            return choose(focus, pair=(now.pair + step) % len(SMALLEST))
        return choose(focus, pair=_row(now.pair, step))
    if direction in ("up", "down"):
        rows = rows_of(snapshot)
        node = after(rows, focus.node, step) if rows else ""
        return choose(replace(focus, node=node), op=-1, held=-1, message=-1)
    if now.held >= 0:
        return fit(snapshot, choose(focus, held=max(0, now.held + step)))
    if snapshot.client(focus.node) is not None or snapshot.logged:
        return _operation(snapshot, focus, step)
    return _message(snapshot, focus, step)


def _row(place: int, step: int) -> int:
    """The pair above or below in the matrix: the same broken model, or the nearest there is."""
    pairs = list(SMALLEST)
    one, other = pairs[place]
    row = after(list(dict.fromkeys(each for each, _ in pairs)), one, step)
    wanted = MODELS.index(other)
    return min(
        (at for at, pair in enumerate(pairs) if pair[0] == row),
        key=lambda at: (abs(MODELS.index(pairs[at][1]) - wanted), at),
    )


def _operation(snapshot: Snapshot, focus: Focus, step: int) -> Focus:
    numbers = [each.number for each in q.operations_of(snapshot, focus.node)]
    numbers += [each.number for each in snapshot.logged if each.host == focus.node]
    now = chosen(focus).op
    if not numbers:
        return focus
    if now < 0:
        return choose(focus, op=numbers[-1])
    place = numbers.index(now) + step if now in numbers else len(numbers) - 1
    if place >= len(numbers):
        return choose(focus, op=-1)
    return choose(focus, op=numbers[max(0, place)])


def _message(snapshot: Snapshot, focus: Focus, step: int) -> Focus:
    ids = [each.id for each in q.touching(snapshot, focus.node)]
    return choose(focus, message=after(ids, chosen(focus).message, step) if ids else -1)
