"""The rule behind each event and each check."""

from typing import Final

from engines.cqrs.world import checks as c
from engines.cqrs.world import events as e
from engines.cqrs.world.snapshot import Snapshot
from engines.sim.events import Event
from engines.sim.rules import RuleSwitched
from tui.kit import explain as kit
from tui.kit.kernel_words import is_kernel

_COMMAND: Final = (
    "Command: validate (needs no store), load the order's events, decide, append with the revision that was seen; on a "
    "conflict all of it again. The same id is the same command: it is executed once, and a repeat, wherever it "
    "arrives, gets the answer the first one got, because the order's own stream holds it.",
)
_OWN: Final = (
    "Read your writes: the command came back with its position p. Either the query waits until the read model has "
    "passed p, or, after a time-out, says that it has not; or it carries p as a token, and a replica that is behind "
    "says so at once. Never silently stale.",
    "Where any answer is good enough, the reader may miss its own write: that is no fault, it is what was asked for.",
)
_BUS: Final = (
    "A bus delivers at least once, in any order. A projector applies events in the order of their positions and knows "
    "each by stream and revision: what comes early waits, what comes again changes nothing.",
)
_POISON: Final = (
    "An event a projection cannot write: live, it is parked with what follows in its stream, and everything else goes "
    "on; in a rebuild the projection stops, for a read model with a hole must not take the place of another. Commands "
    "never notice either.",
)
_BUILD: Final = (
    "A read model is a fold of the events and can be thrown away. In place: readers see a hole, and how far it is "
    "filled. Blue-green: the new generation is folded beside the old one, readers are moved at lag 0 in one step, and "
    "the old one is kept and fed for the way back. A projection that moves to another machine is built there likewise.",
)
_SAGA: Final = (
    "create, reserve | pay | ship: compensable steps, the pivot, then steps that are only retried. Before the pivot a "
    "failure turns the saga round, and what was done is undone in reverse; behind it there is only forward. A time-out "
    "is not a failure but a question: the same request again, under the same id, and the service's inbox answers.",
)
_SCALE: Final = (
    "Each side scales by itself: command nodes keep nothing, so another one simply joins; a replica fetches copies; a "
    "projector takes a projection over by building it from the events.",
)

LESSONS: Final[dict[type, tuple[str, ...]]] = {
    **dict.fromkeys(
        (e.Appended, e.Conflicted, e.CommandDone, e.CommandRepeated, e.CommandRefused, e.CommandInvalid, e.SentAgain,
         e.GaveUp), _COMMAND,
    ),
    **dict.fromkeys(
        (e.OwnWriteMissed, e.OwnWriteSeen, e.AnswerStale, e.QueryWaits, e.QueryTimedOut, e.QueryFailed), _OWN
    ),
    **dict.fromkeys((e.EventEarly, e.EventAgain, e.RepeatIgnored), _BUS),
    **dict.fromkeys((e.EventParked, e.ParkedReplayed, e.RebuildStopped, e.Widened), _POISON),
    **dict.fromkeys(
        (e.RebuildBegan, e.CaughtUp, e.Swapped, e.ReadersMoved, e.ProjectionMoved, e.ProjectionLeft, e.Deployed), _BUILD
    ),
    **dict.fromkeys(
        (e.SagaBegan, e.SagaAsksAgain, e.SagaTurned, e.SagaEnded, e.StepServed, e.StepUndone, e.StepDeclined), _SAGA
    ),
    **dict.fromkeys((e.NodeAdded, e.NodeRemoved, e.TurnedAway), _SCALE),
    e.StoreFull: ("The simulated store holds 2,000 events; then it takes no new orders, as a full disk does.",),
    RuleSwitched: kit.RULE,
    e.OptionSet: kit.CHOICE,
}  # fmt: skip
_KERNEL: Final = (
    "Three faults are easily confused: a crash loses what was in memory, a freeze only time, a cut only messages. The "
    "sides are apart: whatever befalls the read side, commands go on, and the gap grows.",
)


def explain(snapshot: Snapshot, event: Event) -> tuple[str, ...]:
    """The lesson behind an event."""
    return _KERNEL if is_kernel(event) else LESSONS[type(event.what)]


IF_BROKEN: Final = {
    c.FOLD: "The rows are no function of the events any more: only folding them anew makes them right.",
    c.SAID: "A reader was shown an order that never was. It is not late, it is wrong: the code has a bug, or the "
    "stream of a parked event was not held.",
    c.RYW: "Somebody relied on seeing what was written, did not, and was not told.",
    c.ONCE: "An answer was lost, the command came again, and was executed again.",
    c.SAGA_WHOLE: "Goods, money and parcel disagree, and nobody is left to notice.",
    c.MIX: "Two rows of one answer come from different code: no moment was ever like that.",
    c.OUTBOX: "The event is stored, and those who live on messages will never know.",
}
explain_check: Final = kit.checks(c.DEMANDS, IF_BROKEN)
"""What a check demands; if it failed, the witness."""
