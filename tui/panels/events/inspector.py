"""Everything about the event under the cursor: the state, the difference, the audit; or about the selected machine."""

from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.subscriptions import OnPoison
from engines.event_sourcing.world.snapshot import GroupView, Snapshot, SubscriberView, WriterView
from engines.units import span, stamp
from tui.canvas import Canvas
from tui.kit import sheet
from tui.kit.link_faults import Network
from tui.kit.sheet import Fact, Facts, Section, fact
from tui.kit.words import plural
from tui.panel import Focus
from tui.panels.events.queries import aggregate_for, data_of, fold, show
from tui.panels.events.select import current, machines
from tui.panels.events.stream import fields_of, when
from tui.panels.events.strip import group_note

IN_A_GROUP = {
    OnPoison.PARK.value: "parked at once",
    OnPoison.PARK_STREAM.value: "retried, then parked; no stream is held",
    OnPoison.STOP.value: "the group stops",
}
FRESH_US = (3_000, 4_000)


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus) -> str:
    """Draw what is selected; returns the title."""
    if focus.node:
        sheet.draw(canvas, _machine(snapshot, focus.node))
        return focus.node
    event = current(snapshot, focus)
    if event is None:
        canvas.put(1, 0, "nothing is stored yet", "dim")
        return "no event"
    sheet.draw(canvas, [
        Section(0, _state(snapshot, event)), Section(1, _event(snapshot, event)), Section(2, _audit(snapshot, event)),
        Section(3, _readers(snapshot, event)), Section(4, _rules(snapshot)), sheet.of_checks(snapshot.checks, 5),
    ])  # fmt: skip
    return f"{show(event.stream, 20)} @ {event.revision}"


def _state(snapshot: Snapshot, event: RecordedEvent) -> tuple[Fact, ...]:
    folded = fold(snapshot, event.stream, event.position)
    facts = [
        fact(show(name, 9), show(value, 120), "good" if name == "balance" else "bright")
        for name, value in fields_of(folded)
    ]
    if folded.unread:
        facts.append(fact("unreadable", folded.unread, "bad"))
    for change in folded.changes:
        facts.append(fact("changed", f"{change.name}: {show(change.before)} -> {show(change.after)}", "accent"))
    facts.append(fact("fold", f"of {folded.events} event{'' if folded.events == 1 else 's'} of this stream", "dim"))
    return tuple(facts)


def _event(snapshot: Snapshot, event: RecordedEvent) -> Facts:
    yield fact("event", show(event.type, 40), "bright", (f"version {event.version}", "dim"))
    yield fact("data", data_of(event))
    yield fact("position", f"{event.position:,} of all, revision {event.revision} of {show(event.stream, 40)}")
    aggregate = aggregate_for(snapshot, event.stream)
    newest = aggregate.upcasters.types.get(event.type, 0) if aggregate is not None else 0
    if event.version < newest:
        steps = " -> ".join(str(version) for version in range(event.version, newest + 1))
        yield fact("lifted", f"on reading, {steps}; in the store it stays version {event.version}", "stale")


def _audit(snapshot: Snapshot, event: RecordedEvent) -> Facts:
    yield fact("who", show(event.who, 40) or "not said")
    yield fact("when", when(event.at_us, snapshot.recorded) if event.at_us else "not said")
    yield fact("message", show(event.id, 60))
    yield fact("because", show(f"{event.command} {event.causation_id}".strip(), 80) or "not said")
    if event.command_cause:
        yield fact("", f"which reacted to event {show(event.command_cause, 40)}")
    yield fact("story", show(event.correlation_id, 60) or "none")
    if event.checksum:
        yield fact("checksum", event.checksum[:16] + "..", "dim")


def _readers(snapshot: Snapshot, event: RecordedEvent) -> Facts:
    if snapshot.group is not None:
        yield _in_group(snapshot.group, event.position)
        return
    for each in snapshot.subscribers:
        parked = [place for place in each.parked if place[0] == event.position]
        if parked:
            said = "held behind a parked event of its stream" if parked[0][3] else "parked: it could not be read"
            yield fact(each.name, said, "bad")
        elif each.handling == event.position:
            yield fact(each.name, "is handling it", "accent")
        else:
            done = each.checkpoint >= event.position
            yield fact(each.name, "is past it" if done else "has not come to it", "text" if done else "warn")


def _in_group(group: GroupView, position: int) -> Fact:
    """What became of an event in the group."""
    for at, consumer, attempt, _ in group.handed:
        if at == position:
            return fact("group", f"{consumer} holds it{f', retry {attempt}' if attempt else ''}", "accent")
    if position in group.parked:
        return fact("group", "parked: it could not be handled", "bad")
    if position <= group.done_to:
        said = "done" if position <= group.checkpoint else f"done, after the checkpoint {group.checkpoint}"
        return fact("group", said, "text")
    return fact("group", f"not done, or done behind one that is not: done to {group.done_to}", "warn")


def _rules(snapshot: Snapshot) -> Facts:
    yield from sheet.of_rules(snapshot.rules)
    if snapshot.options:
        options = dict(snapshot.options)
        said = f"checkpoint: {options['policy']}, idempotent {options['idempotent']}; poison: {options['poison']}"
        if snapshot.group is not None:
            said = f"idempotent {options['idempotent']}; poison: {IN_A_GROUP[options['poison']]}"
        yield fact("readers", said, "dim")
        if snapshot.variant == "numbered":
            yield fact("gaps", options["cure"], "dim")
        every = options["snapshots"]
        yield fact("snapshots", f"every {every} events" if every != "0" else "none", "dim")


# -- machines --------------------------------------------------------------------------------------------------------


def _machine(snapshot: Snapshot, name: str) -> list[Section]:
    own: Facts
    if name == "store":
        own = _store(snapshot)
    elif any(each.name == name for each in snapshot.writers):
        own = _writer(next(each for each in snapshot.writers if each.name == name))
    else:
        own = _reader(snapshot, next(each for each in snapshot.subscribers if each.name == name))
    host = next(each for each in snapshot.hosts if each.id == name)
    host = host._replace(fsync_us=0)  # every sync takes its time here
    faults = sheet.of_host(host, Network(machines(snapshot), snapshot.links, FRESH_US), snapshot.hosts)
    return [Section(0, own), Section(1, (faults,)), Section(2, _rules(snapshot)), sheet.of_checks(snapshot.checks, 3)]


def _store(snapshot: Snapshot) -> Facts:
    store = snapshot.store
    yield fact("readable", plural(store.head, "event"), "bright")
    yield fact("written", f"{store.written}; {store.waiting_pages} pages wait for the sync, which takes "
               f"{span(store.sync_us)}")  # fmt: skip
    yield fact("syncs", f"{store.syncs:,} for {plural(store.appends, 'append')}")
    yield fact("conflicts", f"{store.conflicts}")
    yield fact("room", f"{store.capacity - store.written:,} of {store.capacity:,} events are free")
    if snapshot.group is not None:
        yield fact("group", group_note(snapshot.group), "bright")
        for position, who, attempt, due in snapshot.group.handed[:5]:
            holder = f"{who}{f', retry {attempt}' if attempt else ''}"
            yield fact("", f"{position} is with {holder}; again at {stamp(due)} without an answer")
    for number, who in store.open_transactions:
        yield fact("open", f"number {number}, taken by {who}, not committed", "warn")
    if store.burnt:
        yield fact("burnt", "numbers " + ", ".join(map(str, store.burnt[-6:])), "dim")
    if snapshot.kept:
        kept = ", ".join(f"{each.stream} @ {each.revision}" for each in snapshot.kept[:6])
        yield fact("snapshots", f"{kept}; layout {snapshot.schema}")


def _writer(writer: WriterView) -> Facts:
    doing = "nothing: it waits" if writer.status == "up" else f"nothing: it is {writer.status}"
    if writer.command and writer.status != "crashed":
        doing = f"{writer.command} {writer.amount} on {writer.stream}, attempt {writer.attempt}"
    yield fact("does", doing, "client")
    if writer.command and writer.name != "desk":
        step = "has appended, waits for the answer" if writer.appending else "loads the stream"
        yield fact("step", f"{step}; it has seen revision {writer.expected}")
    yield fact("waiting", f"{writer.waiting} customers")
    yield fact("so far", f"{writer.done} done, {plural(writer.conflicts, 'conflict')}, {writer.refused} refused")


def _does(each: SubscriberView) -> str:
    if each.status != "up":
        return f"nothing: it is {each.status}"
    return f"handles {each.handling}" if each.handling else "waits"


def _reader(snapshot: Snapshot, each: SubscriberView) -> Facts:
    if snapshot.group is None:
        return _subscriber(each)
    held = [str(position) for position, who, _, _ in snapshot.group.handed if who == each.name]
    return (
        fact("holds", ", ".join(held) or "nothing", "bright"),
        fact("does", _does(each), "client"),
        fact("effects", f"{each.effects} done by it; of the group {each.twice} again", "bad" if each.twice else "text"),
        fact("group", group_note(snapshot.group)),
    )


def _subscriber(each: SubscriberView) -> Facts:
    yield fact("stands at", f"{each.checkpoint}, {each.behind} behind", "bright" if not each.behind else "warn")
    yield fact("effects", f"{each.effects} done{f', {each.twice} of them again' if each.twice else ''}",
               "bad" if each.twice else "text")  # fmt: skip
    if each.handling:
        yield fact("handles", f"{each.handling}, {'the first half is done' if each.half else 'just begun'}")
    for position, stream, revision, held in each.parked[:6]:
        why = "held behind it" if held else "cannot be read"
        yield fact("parked", f"{position}: {stream} @ {revision}, {why}", "bad")
    if each.stopped_at:
        yield fact("stopped", f"at {each.stopped_at}: it cannot be read", "bad")
    if each.holes:
        yield fact("holes", "waits for numbers " + ", ".join(map(str, each.holes[:8])), "warn")
    if each.name == "books":
        yield from sheet.listed("holds", (f"{name} {amount:,}" for name, amount in each.balances[:9]))
