"""Why: the rule behind an event or a check, and where it is written."""

from typing import Any, Final

from engines.cqrs.world import events as e
from engines.cqrs.world.checks import DEMANDS, FOLD, MIX, ONCE, OUTBOX, RYW, SAGA_WHOLE, SAID
from engines.cqrs.world.snapshot import Snapshot
from engines.sim.events import Event
from engines.sim.pattern import Check
from engines.sim.rules import RuleSwitched
from tui.kit.explain import explain_check as explain_in_kit
from tui.kit.kernel_words import is_kernel

_COMMAND: Final = (
    "The way of a command: validate it alone, load the order's events, decide on their fold, append with the revision "
    "that was seen. Events come out of it; with event sourcing they are the write model's state.",
    "Dedupe: every event names the command that caused it, so the order's stream is the list of commands that were "
    "executed. A repeat finds its answer there, on whichever node it arrives: same id, same answer, executed once. "
    "A refusal is written down too, else a late repeat might be accepted.",
    "A conflict means that somebody wrote meanwhile: load and decide again, a bounded number of times.",
)
_OUTBOX: Final = (
    "Event and message are written in one transaction: the outbox. A relay sends what the bus has not confirmed, so "
    "each message arrives at least once. Written first and sent afterwards, a crash in between loses the message.",
    "Who receives notes (consumer, message id) with the effect: the inbox. Then at least once does no harm.",
)
_FRESH: Final = (
    "A read model is late, not wrong: an answer is the fold of the events up to its position, and says which.",
    "Read your writes: the command's answer names the position it was written at; the reader waits until its model has "
    "passed that, or times out and says so. A version token is answered at once: here it is, or: I am behind that.",
    "Silence about staleness is the error. Where each read must be fresh, ask the write model, or do without the "
    "pattern.",
)
_PROJECT: Final = (
    "A projection is a fold of events to a position, and must be idempotent: the newest revision of each stream is "
    "kept with the rows, and what is not newer changes nothing. So a bus may repeat.",
    "A bus may also overtake: an event ahead of its turn waits until those before it are there. Positions have no "
    "gaps, so it is known which one is missing.",
    "Checkpoint first: a crash loses an effect. Effect first: it repeats it. One transaction: once.",
)
_POISON: Final = (
    "Live: park the event with its error and hold its stream, since what follows rests on it; everything else goes on. "
    "In a rebuild: stop, because a model with a hole must not take the place of another.",
    "A projector that fails never blocks the write side: it is behind, and that is all.",
)
_BUILD: Final = (
    "A read model can be thrown away: the events are all there is. In place: reset and fold again, readers see a hole "
    "and are told how far it is. Blue-green: fold the new version beside the old one, swap at lag 0 in one step, keep "
    "the old one for the way back. Nobody ever sees rows of both.",
    "An old version skips the types of events that only a newer one knows: so both can follow the same events.",
)
_SAGA: Final = (
    "A saga is a long transaction made of short ones: steps that can be undone, one pivot, then steps that are only "
    "retried. Before the pivot a failure is undone in reverse; behind it the saga only goes forward.",
    "A time-out is not a failure: the step may have happened. Ask the same again, under the same id; the answer is the "
    "one of the first time. Or undo it idempotently: who undoes names what it undoes, so a late step is refused.",
    "Its state is durable by events, so a crash forgets nothing. It ends completed or compensated, never half.",
)
_SCALE: Final = (
    "Each side has machines of its own: command nodes, projectors, replicas. Reads far outnumber writes in most shops, "
    "so replicas are what is added; the append to one stream is the one thing that does not scale this way.",
)

LESSONS: Final[dict[type, tuple[str, ...]]] = {
    **dict.fromkeys(
        (e.Conflicted, e.CommandDone, e.CommandRepeated, e.CommandRefused, e.CommandInvalid, e.SentAgain, e.GaveUp),
        _COMMAND,
    ),
    **dict.fromkeys((e.Appended, e.StoreFull), _OUTBOX),
    **dict.fromkeys(
        (e.QueryFailed, e.OwnWriteMissed, e.OwnWriteSeen, e.AnswerStale, e.QueryWaits, e.QueryTimedOut), _FRESH
    ),
    **dict.fromkeys((e.EventEarly, e.EventAgain, e.RepeatIgnored), _PROJECT),
    **dict.fromkeys((e.EventParked, e.ParkedReplayed, e.RebuildStopped, e.Widened), _POISON),
    **dict.fromkeys(
        (
            e.RebuildBegan,
            e.CaughtUp,
            e.Swapped,
            e.ReadersMoved,
            e.ProjectionMoved,
            e.ProjectionLeft,
            e.Deployed,
        ),
        _BUILD,
    ),
    **dict.fromkeys(
        (
            e.SagaBegan,
            e.SagaAsksAgain,
            e.SagaTurned,
            e.SagaEnded,
            e.StepServed,
            e.StepUndone,
            e.StepDeclined,
        ),
        _SAGA,
    ),
    **dict.fromkeys((e.TurnedAway, e.NodeAdded, e.NodeRemoved), _SCALE),
    RuleSwitched: ("Rules can be switched off, to see what they are for: the checks tell what breaks without them.",),
    e.OptionSet: ("A choice of this run; t shows all of them with what is accepted.",),
}
_KERNEL: Final = (
    "Three faults are easily confused: a crash loses what was in memory (and, of the store, what was not synced), a "
    "freeze only time, a cut only messages. To the others all three are silence.",
)


def explain(snapshot: Snapshot, event: Event) -> tuple[str, ...]:
    """The lesson behind an event."""
    return _KERNEL if is_kernel(event) else LESSONS[type(event.what)]


IF_BROKEN: Final = {
    FOLD: "A row shows what no prefix of history says: an event is missing in it, or counted twice, or out of turn.",
    SAID: "Somebody read something of an order that never was: late is allowed, wrong is not.",
    RYW: "Somebody was promised to see what she wrote, and was shown less, without a word.",
    ONCE: "An answer was lost, the command came again, and was carried out again: two lines, two payments.",
    SAGA_WHOLE: "Money was taken and nothing shipped, or stock is kept for an order that is cancelled.",
    MIX: "One answer came from the old version and one from the new: together they say what neither says.",
    OUTBOX: "The event is in the store, and no reader will ever hear of it: the message about it was never sent.",
}
SUSPECTS: Final = {
    FOLD: "'idempotent' or 'in order'", RYW: "'say stale'", ONCE: "'dedupe'", SAGA_WHOLE: "'ask again' or 'inbox'",
    MIX: "'swap whole'", OUTBOX: "'outbox'", SAID: "'in order' or 'hold stream'",
}  # fmt: skip


def explain_check(snapshot: Snapshot, check: Check) -> tuple[str, ...]:
    """What a check demands; if it failed, the witness."""
    demands: dict[str, Any] = dict(DEMANDS)
    return explain_in_kit(check, demands, IF_BROKEN, snapshot.rules, suspects=SUSPECTS)
