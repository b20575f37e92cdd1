"""The other pictures: the causation tree of a story, the balances at a date, and the machines at work."""

from engines.event_sourcing.audit import causation_tree
from engines.event_sourcing.world.snapshot import Snapshot
from engines.units import span
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.words import STATUS, names, plural
from tui.panel import Focus
from tui.panels.events.queries import balances_at, data_of, show
from tui.panels.events.select import current, seen_until
from tui.panels.events.stream import when
from tui.panels.events.strip import group_note
from tui.plot import bar


def draw_tree(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, y: int, rows: int) -> None:
    """Command, event, command, event ...: everything that one story made happen."""
    event = current(snapshot, focus)
    if event is None or not event.correlation_id:
        canvas.put(1, y, "this event names no story: it has no correlation id", "dim")
        return
    tree = causation_tree(snapshot.events, event.correlation_id)
    canvas.put(1, y, f"{'':{max(30, canvas.width // 2)}} {'stream':12} {'rev':>4}  {'when':10}", "dim")
    place = next((row for row, node in enumerate(tree) if node.event is event), 0)
    room = rows - 1
    first = max(0, min(len(tree) - room, place - room // 2))
    for row, node in enumerate(tree[first : first + room]):
        under = node.event is event
        pad = f"{'   ' * (node.depth - 1)}{glyphs.last}{glyphs.horizontal}" if node.depth else ""
        what = f"{pad} {show(node.label, 30)}".strip() if not node.depth else f"{pad} {show(node.label, 30)}"
        ink: Ink = "selected" if under else "bright" if node.event is not None else "you"
        x = canvas.put(1, y + 1 + row, clip(what, max(30, canvas.width // 2)), ink)
        if node.event is None:
            canvas.put(x + 1, y + 1 + row, f"command {show(node.id, 24)}", "dim")
            continue
        canvas.put(x + 1, y + 1 + row, clip(data_of(node.event), max(0, canvas.width // 2 - x)), "dim")
        said = f"{show(node.event.stream, 12):12} {node.event.revision:>4}  {when(node.event.at_us, snapshot.recorded)}"
        canvas.put(max(30, canvas.width // 2) + 2, y + 1 + row, said, "text")


def draw_balances(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, y: int, rows: int) -> None:
    """A projection at a date: what every account held right after the event under the cursor, and what books holds."""
    until = seen_until(snapshot, focus)
    held = balances_at(snapshot, until)
    event = current(snapshot, focus)
    if not held:
        canvas.put(1, y, "no account here: this projection knows streams named account-...", "dim")
        return
    books = next((each for each in snapshot.subscribers if each.name == "books"), None)
    kept = dict(books.balances) if books is not None else {}
    at = f" ({when(event.at_us, snapshot.recorded)})" if event is not None else ""
    total = sum(amount for _, amount in held)
    canvas.put(1, y, f"balances after event {until}{at}: {total:,} in all", "bright")
    if books is not None and rows > 2:
        canvas.put_right(canvas.width - 1, y, f"books is at {books.checkpoint}", "dim")
    most = max(1, *(abs(amount) for _, amount in held))
    for row, (name, amount) in enumerate(held[: rows - 1]):
        mine: Ink = "selected" if event is not None and name == event.stream else "text"
        canvas.put(1, y + 1 + row, f"{show(name, 14):14} {amount:>10,}", mine)
        width = max(0, min(30, canvas.width - 50))
        canvas.put(27, y + 1 + row, bar(abs(amount) / most, width, glyphs), "bad" if amount < 0 else "good")
        if books is not None and until == snapshot.store.head:
            other = kept.get(name, 0)
            said = "as in books" if other == amount else f"books says {other:,}"
            canvas.put(
                29 + width, y + 1 + row, clip(said, canvas.width - 30 - width), "dim" if other == amount else "bad"
            )


def draw_machines(canvas: Canvas, snapshot: Snapshot, focus: Focus, y: int, rows: int) -> None:
    """Who writes, who stores, who reads: one row a machine."""
    if snapshot.recorded:
        canvas.put(1, y, "a file has no machines: v shows its events", "dim")
        return
    status = {host.id: host.status for host in snapshot.hosts}
    lines: list[tuple[str, str, Ink]] = []
    for writer in snapshot.writers:
        doing = "waits for a customer" if writer.name != "desk" else "waits for a transfer"
        if writer.command:
            step = f"appends, expecting revision {writer.expected}" if writer.appending else "loads the stream"
            if writer.name == "desk":
                step = "appends, whatever the revision"
            doing = f"{writer.command} {writer.amount} on {writer.stream}: {step}, attempt {writer.attempt}"
        if status.get(writer.name, "up") != "up":
            doing = f"{status[writer.name]}: does nothing"
        counts = f"{writer.done} done, {plural(writer.conflicts, 'conflict')}, {writer.refused} refused"
        lines.append((writer.name, f"{doing}  ({counts})", "client"))
    store = snapshot.store
    said = f"{store.written} written, readers see {store.head}; {store.waiting_pages} pages wait for a sync of "
    lines.append(
        (
            "store",
            f"{said}{span(store.sync_us)}; {plural(store.conflicts, 'conflict')} in {plural(store.appends, 'append')}",
            "leader",
        )
    )
    for number, who in store.open_transactions:
        lines.append(("", f"number {number} was taken by {who} and is not committed", "warn"))
    for number in store.burnt[-3:]:
        lines.append(("", f"number {number} was burnt by a rollback", "dim"))
    if snapshot.group is not None:
        lines.append(
            ("", f"the group: {group_note(snapshot.group)}; consumers {names(snapshot.group.consumers)}", "text")
        )
    for each in snapshot.subscribers:
        at = f"handles {each.handling}, half done" if each.handling and each.half else (
            f"handles {each.handling}" if each.handling else "waits")  # fmt: skip
        twice = f", {each.twice} twice" if each.twice else ""
        parked = f", {len(each.parked)} parked" if each.parked else ""
        stop = f", stopped at {each.stopped_at}" if each.stopped_at else ""
        if snapshot.group is not None:
            held = [str(position) for position, who, _, _ in snapshot.group.handed if who == each.name]
            text = f"{at}; holds {', '.join(held) or 'nothing'}; {plural(each.effects, 'effect')}"
            lines.append((each.name, text, "follower"))
            continue
        text = (
            f"at {each.checkpoint}, {each.behind} behind; {at}; {plural(each.effects, 'effect')}{twice}{parked}{stop}"
        )
        lines.append((each.name, text, "follower"))
    for row, (name, text, ink) in enumerate(lines[:rows]):
        letter, broken = STATUS.get(status.get(name, "up"), ("", ink))
        canvas.put(1, y + row, f"{name:6}", "selected" if name and name == focus.node else broken)
        canvas.put(8, y + row, letter, broken)
        canvas.put(10, y + row, clip(text, canvas.width - 11), "text" if name else ink)
