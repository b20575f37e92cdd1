"""What happens in a world of CQRS, one record a kind."""

from typing import NamedTuple, TypeAlias

from engines.cqrs.bus import Status
from engines.cqrs.queries import Freshness
from engines.cqrs.saga import Phase
from engines.sim.rules import RuleSwitched

# -- the write side ------------------------------------------------------------------------------------------------


class Appended(NamedTuple):
    """The store wrote what a command decided, and the messages about it."""

    order: str
    first: int
    position: int
    type: str
    who: str
    command: str


class Conflicted(NamedTuple):
    """A command's events were refused: somebody wrote to the order meanwhile."""

    order: str
    command: str
    expected: int
    actual: int


class CommandDone(NamedTuple):
    """A command was executed."""

    order: str
    command: str
    version: int
    position: int


class CommandRepeated(NamedTuple):
    """A command had been executed before; its sender gets the answer it got then."""

    order: str
    command: str
    position: int


class CommandRefused(NamedTuple):
    """An order does not allow a command, or a service has said no."""

    order: str
    command: str
    status: Status
    declined: str


class CommandInvalid(NamedTuple):
    """A command makes no sense in itself."""

    order: str
    command: str


class StoreFull(NamedTuple):
    """The store takes no new orders."""

    order: str
    command: str


class TurnedAway(NamedTuple):
    """A machine's line is full."""

    waiting: int


# -- users ---------------------------------------------------------------------------------------------------------


class SentAgain(NamedTuple):
    """No answer: a user sends the same command to another node."""

    order: str
    command: str
    attempt: int


class GaveUp(NamedTuple):
    """A user sends a command no more."""

    order: str
    command: str
    attempts: int


class QueryFailed(NamedTuple):
    """A question was never answered."""

    key: str
    query: str


class OwnWriteMissed(NamedTuple):
    """A user reads its own order, and does not see what it has written."""

    order: str
    wrote: int
    saw: int
    freshness: Freshness


class OwnWriteSeen(NamedTuple):
    """A user was promised to see what it has written, and does."""

    order: str
    saw: int
    freshness: Freshness
    waited_us: int


class AnswerStale(NamedTuple):
    """An answer says that it is older than what was asked for."""

    key: str
    freshness: Freshness
    waited_us: int


# -- the read side ---------------------------------------------------------------------------------------------------


class QueryWaits(NamedTuple):
    """A replica has not passed a position yet: the question waits."""

    key: str
    position: int
    freshness: Freshness


class QueryTimedOut(NamedTuple):
    """A question has waited long enough, and is told so."""

    key: str
    wanted: int
    position: int


class EventEarly(NamedTuple):
    """An event came ahead of others, which were overtaken or lost."""

    position: int
    order: str
    missing: int
    """The first position that is not there."""


class EventAgain(NamedTuple):
    """An event came that has been here before."""

    position: int
    order: str


class RepeatIgnored(NamedTuple):
    """An event was handled again, and changed nothing: its revision was known."""

    projection: str
    position: int
    order: str
    revision: int


class EventParked(NamedTuple):
    """A projection put an event aside."""

    projection: str
    position: int
    order: str
    revision: int
    held: bool
    """It is sound, but stands behind a parked one."""


class ParkedReplayed(NamedTuple):
    """What was parked was tried again."""

    projection: str
    done: int
    left: int


class RebuildBegan(NamedTuple):
    """A projection is folded anew."""

    projection: str
    beside: bool
    release: str


class RebuildStopped(NamedTuple):
    """A rebuild stands still at an event it cannot read."""

    projection: str
    position: int
    generation: int


class CaughtUp(NamedTuple):
    """A read model has read all of history."""

    projection: str
    generation: int
    position: int


class Swapped(NamedTuple):
    """Readers are to be moved to another generation."""

    projection: str
    generation: int
    release: str
    back: bool


class ReadersMoved(NamedTuple):
    """A replica serves another generation from now on."""

    projection: str
    before: int
    generation: int


class ProjectionMoved(NamedTuple):
    """A projection has a new home."""

    projection: str
    generation: int


class ProjectionLeft(NamedTuple):
    """A projector gave a projection up."""

    projection: str
    to: str


class Deployed(NamedTuple):
    """A projection runs other code."""

    projection: str
    release: str


class Widened(NamedTuple):
    """The column takes all names now."""


# -- the saga ------------------------------------------------------------------------------------------------------


class SagaBegan(NamedTuple):
    """The process takes an order up."""

    order: str


class SagaAsksAgain(NamedTuple):
    """No answer: the saga asks the same once more."""

    order: str
    step: str
    asked: int


class SagaTurned(NamedTuple):
    """A step failed before the pivot: what was done is undone in reverse."""

    order: str
    step: str
    silence: bool
    """Nobody answered; it is undone unanswered."""


class SagaEnded(NamedTuple):
    """A saga is completed or compensated."""

    order: str
    phase: Phase


class StepServed(NamedTuple):
    """A service did its part."""

    order: str
    command: str
    stands: int


class StepUndone(NamedTuple):
    """A service took its part back."""

    order: str
    command: str


class StepDeclined(NamedTuple):
    """A service said no."""

    order: str
    command: str


# -- the run -------------------------------------------------------------------------------------------------------


class NodeAdded(NamedTuple):
    """A stage has one machine more."""

    stage: str
    machines: int


class NodeRemoved(NamedTuple):
    """A machine was switched off."""

    stage: str
    machines: int


class OptionSet(NamedTuple):
    """A number or choice of the run was changed."""

    name: str
    value: str


WritingEvent: TypeAlias = (
    Appended | Conflicted | CommandDone | CommandRepeated | CommandRefused | CommandInvalid | StoreFull | TurnedAway
)
AskingEvent: TypeAlias = (
    SentAgain | GaveUp | QueryFailed | OwnWriteMissed | OwnWriteSeen | AnswerStale | QueryWaits | QueryTimedOut
)
ProjectingEvent: TypeAlias = (
    EventEarly | EventAgain | RepeatIgnored | EventParked | ParkedReplayed | RebuildBegan | RebuildStopped | CaughtUp
    | Swapped | ReadersMoved | ProjectionMoved | ProjectionLeft | Deployed | Widened
)  # fmt: skip
SagaEvent: TypeAlias = SagaBegan | SagaAsksAgain | SagaTurned | SagaEnded | StepServed | StepUndone | StepDeclined
RunEvent: TypeAlias = NodeAdded | NodeRemoved | OptionSet | RuleSwitched
CqrsEvent: TypeAlias = WritingEvent | AskingEvent | ProjectingEvent | SagaEvent | RunEvent

QUIET_HERE = frozenset({Appended, EventAgain, RepeatIgnored, QueryWaits, SagaBegan, StepServed})
"""Routine."""
