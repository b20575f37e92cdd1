"""Why: the rule behind an event or a check, and where it is written."""

from typing import Final

from engines.event_sourcing.world import checks as c
from engines.event_sourcing.world import events as e
from engines.event_sourcing.world.snapshot import Snapshot
from engines.sim.events import Event
from engines.sim.rules import RuleSwitched
from tui.kit import explain as kit
from tui.kit.kernel_words import is_kernel

_APPEND: Final = (
    "Rule: an append names the revision its writer has seen. Expected = current: append. Behind it: a repeat, if the "
    "ids are those that follow, and it is answered with its original positions; else a conflict. Ahead: a conflict.",
    "Why: between reading and writing somebody else may write. Without the expectation both would write, each right by "
    "what it had read, and together wrong. The key (stream, revision) is unique in the store as well.",
    "After a conflict: load again, decide again, a bounded number of times. What was allowed may be refused now.",
    "Source: KurrentDB's documentation and append check; Emmett; Marten.",
)
_DURABLE: Final = (
    "Rule: acknowledged means synced. The store writes the batch, syncs its disk, and only then answers; appends that "
    "come meanwhile share the next sync.",
    "A process that dies (SIGKILL) loses nothing it has written: the machine's cache survives. A power failure loses "
    "what was not synced, page by page, in any order, and may tear a page in two.",
    "Recovery reads the log, verifies the chain, and drops what is behind the last whole batch: nobody was told of it.",
)
_CHECKPOINT: Final = (
    "A crash between effect and checkpoint: with the checkpoint first the effect is lost; with the effect first it is "
    "repeated; in one transaction it is done once.",
    "At least once is what most can have. Make the repeat harmless: remember, with the effect, the newest revision of "
    "each stream that was handled.",
)
_POISON: Final = (
    "Live: try a few times, then park the event with its error and go on. A handler that must keep the order parks the "
    "rest of that stream too. In a rebuild: stop, because skipping would make the projection wrong for good.",
    "A reader that fails never blocks the writers. What is parked can be replayed once it can be read.",
)
_GAP: Final = (
    "A store that takes numbers before it commits shows 1 2 4 while 3 is in flight. Whoever notes 4 never sees 3.",
    "High-water mark: read only below the lowest number that a living transaction may fill; pass a burnt number when "
    "nobody lives who began before it was first missed. Gap-aware token: a position, and holes that are asked for.",
    "Wrong: to pass a gap after a fixed time (a commit may be slower), or by a timer that each poll restarts (it never "
    "runs out). Source: Marten's and Axon's code and issues.",
)
_CHAIN: Final = (
    "Each checksum covers the event and the checksum before it, so a change anywhere shows there and in all that "
    "follows. It proves that the file is what it was, not that what was written is true.",
    "Whoever can rewrite the whole file can rewrite the chain. Keep a newer checksum elsewhere, and that shows too.",
)
_GROUP: Final = (
    "A persistent group keeps the position on the server and hands each event to one of its consumers. Whoever does "
    "not acknowledge in time, or asks for it, makes the event come again; after ten retries it is parked.",
    "The checkpoint says that all up to it are done. It is written now and then, so a restart hands out again what "
    "lies behind it: at least once. A retry comes after what was handed out meanwhile: the order is not promised.",
    "Source: KurrentDB, persistent subscriptions; 30 s, ten retries, two seconds and ten events are its defaults.",
)
_FOLD: Final = (
    "State = fold of the stream. A snapshot is a state that was kept with its revision, so that only the rest must be "
    "folded; it is disposable, holds the version of its layout, and is ignored if that is old.",
    "Old events are lifted on reading, version by version, and never rewritten.",
)
_COMPACTION: Final = (
    "Kafka's compaction keeps the newest record of each key in the closed segments. For states that is right: the "
    "newest value is the value. Events are differences: what is compacted away is history gone.",
    "Source: Kafka's design page, Log Compaction.",
)

LESSONS: Final[dict[type, tuple[str, ...]]] = {
    **dict.fromkeys((e.Appended, e.Repeated, e.Conflicted, e.CommandDone, e.CommandRefused, e.CommandFailed,
                     e.AskedAgain), _APPEND),
    **dict.fromkeys((e.StoreRecovered, e.PowerFailed, e.ProcessKilled), _DURABLE),
    **dict.fromkeys((e.EffectDone, e.EffectRepeated, e.EventSkipped, e.StalePage), _CHECKPOINT),
    **dict.fromkeys((e.EventParked, e.ParkedReplayed, e.SubscriberStopped, e.Released), _POISON),
    **dict.fromkeys((e.HandedAgain, e.EffectKnown, e.ConsumerJoined, e.ConsumerGone, e.GroupCheckpoint, e.GroupBegan,
                     e.ParkedHanded), _GROUP),
    **dict.fromkeys((e.GapPassed, e.GapFilled, e.RolledBack), _GAP),
    **dict.fromkeys((e.EventTampered, e.ChainVerified), _CHAIN),
    **dict.fromkeys((e.SnapshotKept, e.SnapshotIgnored, e.EventLifted, e.SchemaChanged), _FOLD),
    e.LogCompacted: _COMPACTION,
    RuleSwitched: kit.RULE,
    e.OptionSet: kit.CHOICE,
}  # fmt: skip
_KERNEL: Final = (
    "Three faults are easily confused: a crash loses what was in memory (and, of the store, what was not synced), a "
    "freeze only time, a cut only messages. To the others all three are silence.",
)


def explain(snapshot: Snapshot, event: Event) -> tuple[str, ...]:
    """The lesson behind an event."""
    if is_kernel(event):
        return _DURABLE if event.node == "store" and type(event.what).__name__ == "Crashed" else _KERNEL
    if event.what.__class__ is e.EventSkipped and snapshot.variant == "numbered":
        return _GAP
    return LESSONS[type(event.what)]


IF_BROKEN: Final = {
    c.DURABLE: "A customer was told that the money is booked, and the booking is gone.",
    c.GAPLESS: "A reader cannot tell an event that is not there yet from one that will never come.",
    c.SKIPPED: "The event is in the store, and this subscriber will never know: its position says it does.",
    c.SNAPSHOTS: "Whoever loads through the snapshot decides on a state that never was.",
    c.BALANCE: "Two decisions were each right and together wrong, or events are missing from the sum.",
    c.ONCE: "A letter was sent twice, a sum was added twice: at least once means that, unless the handler remembers.",
    c.COMMANDS: "An answer was lost and the command was carried out again: the customer paid twice.",
    c.BATCHES: "What belongs together is half there: no command ever decided that.",
    c.CHAIN: "Somebody changed what was written, or the disk did.",
}
explain_check: Final = kit.checks(c.DEMANDS, IF_BROKEN)
"""What a check demands; if it failed, the witness."""
