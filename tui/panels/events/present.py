"""What there is to see at this moment, in numbers, and what to try: what ``e`` tells at a cue."""

from engines.event_sourcing.world.snapshot import Snapshot, SubscriberView
from tui.kit.explain import in_force, unsafe_policy, unwell
from tui.kit.words import names, plural
from tui.panel import Focus
from tui.panels.events.queries import fold
from tui.panels.events.select import current, read
from tui.panels.events.strip import group_note


def present(snapshot: Snapshot, focus: Focus) -> tuple[str, ...]:
    """The store, the stream under the cursor, the readers, what is wrong, what to try. Paragraphs."""
    wrong = in_force([*unsafe_policy(snapshot), *unwell(snapshot)], snapshot.rules)
    said = (f"Now: {_store(snapshot)}.", _stream(snapshot, focus), _readers(snapshot), wrong,
            f"To try: {_experiment(snapshot)}")  # fmt: skip
    return tuple(text for text in said if text)


def _store(snapshot: Snapshot) -> str:
    """What is written, and what is not safe yet."""
    streams = len({event.stream for event in snapshot.events})
    text = f"{plural(len(snapshot.events), 'event')} in {plural(streams, 'stream')}"
    store = snapshot.store
    if store.written > store.head:
        text += f"; {store.written - store.head} more are written and not synced, nobody was told of them"
    if store.conflicts:
        text += f"; {plural(store.conflicts, 'append')} did not find the revision expected"
    if store.open_transactions:
        text += f"; taken and not committed: {names([f'{number} by {who}' for number, who in store.open_transactions])}"
    return text


def _stream(snapshot: Snapshot, focus: Focus) -> str:
    """The event under the cursor, and what its stream folds to there."""
    event = current(snapshot, focus)
    if event is None:
        return ""
    folded = fold(snapshot, event.stream, event.position)
    where = "under the cursor" if read(focus).cursor else "the newest"
    if folded.unread:
        return f"{event.stream}: event {event.position}, {where}, cannot be read by release {snapshot.release}."
    changes = [f"{each.name} {each.before} -> {each.after}" for each in folded.changes[:2]]
    changed = f": {', '.join(changes)}" if changes else ""
    return (f"{event.stream}: event {event.position}, {where}, is its revision {event.revision}, {event.type}; the "
            f"fold of {plural(folded.events, 'event')}{changed}.")  # fmt: skip


def _readers(snapshot: Snapshot) -> str:
    if snapshot.group is not None:
        return f"The group: {group_note(snapshot.group)}."
    return f"Readers: {'; '.join(_reader(each) for each in snapshot.subscribers)}." if snapshot.subscribers else ""


def _reader(reader: SubscriberView) -> str:
    text = f"{reader.name} stands at {reader.checkpoint}" + (f", {reader.behind} behind" if reader.behind else "")
    if reader.parked:
        text += f", {len(reader.parked)} parked"
    if reader.twice:
        text += f", {plural(reader.twice, 'effect')} done again"
    return text


def _experiment(snapshot: Snapshot) -> str:
    """One thing worth doing in just this situation."""
    failed = next((check.name for check in snapshot.checks if not check.ok), "")
    if failed:
        return f"e on the failed check ({failed}) shows which events prove it; r plays the story anew."
    if any(each.parked for each in snapshot.subscribers):
        return "n goes to what is parked; f has the next release, which can read it, and trying it again."
    if snapshot.store.status == "crashed":
        return "k on the store: it reads its log, verifies every checksum, and says what it dropped."
    if snapshot.group is not None and snapshot.group.done_to > snapshot.group.checkpoint:
        return "k on the store, twice: what came after the checkpoint is handed out again; idempotent off in t first."
    if any(each.command_cause for each in snapshot.events[-3:]):
        return "v shows which command caused which event; up and down travel through the stream, state and all."
    return "up and down travel through the stream, state and all; k on the store is a power failure."
