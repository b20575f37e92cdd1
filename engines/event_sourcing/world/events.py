"""What happens in a world of event sourcing, one record a kind."""

from enum import Enum
from typing import NamedTuple, TypeAlias

from engines.sim.rules import RuleSwitched


class Appended(NamedTuple):
    """The store wrote a batch; it is durable."""

    stream: str
    first: int
    revision: int
    position: int
    who: str
    command: str


class Repeated(NamedTuple):
    """A batch that was there already was recognised."""

    stream: str
    position: int
    who: str


class Conflicted(NamedTuple):
    """The store refused a batch: somebody wrote meanwhile."""

    stream: str
    expected: int
    actual: int
    who: str


class CommandDone(NamedTuple):
    """A teller was told that its command is recorded."""

    stream: str
    command: str
    amount: int
    balance: int
    attempts: int


class RefusalReason(Enum):
    """Why an account refuses a command."""

    FUNDS = "not enough money"
    STATE = "not open"


class CommandRefused(NamedTuple):
    """The account does not allow a command."""

    stream: str
    command: str
    amount: int
    balance: int
    attempts: int
    why: RefusalReason


class CommandFailed(NamedTuple):
    """A teller gave up."""

    stream: str
    command: str
    why: "FailureReason"
    revision: int = -1
    """Of the event that it cannot read."""


class FailureReason(Enum):
    """Why a teller gives up."""

    CONFLICTS = "too many conflicts"
    UNREADABLE = "an event nobody can read"
    FULL = "the store is full"
    CLOSED = "the stream is closed"


class AskedAgain(NamedTuple):
    """No answer came: the same message goes out once more."""

    stream: str
    request: str


class SnapshotKept(NamedTuple):
    """A state was kept, so that less must be folded."""

    stream: str
    revision: int
    schema: int


class SnapshotIgnored(NamedTuple):
    """A snapshot of an older schema was ignored."""

    stream: str
    revision: int
    schema: int


class EventLifted(NamedTuple):
    """An old event was lifted to the newest version on reading."""

    stream: str
    revision: int
    type: str
    version: int
    newest: int


class EffectDone(NamedTuple):
    """A subscriber did what an event asks for."""

    position: int
    stream: str
    revision: int


class EffectRepeated(NamedTuple):
    """A subscriber did what an event asks for once more."""

    position: int
    stream: str
    revision: int
    times: int


class EventSkipped(NamedTuple):
    """A subscriber's position went past an event it never handled."""

    position: int
    stream: str
    revision: int


class EventParked(NamedTuple):
    """A subscriber put an event aside."""

    position: int
    stream: str
    revision: int
    held: bool
    """It is sound, but stands behind a parked one in its stream."""
    attempts: int


class ParkedReplayed(NamedTuple):
    """What was parked was tried again."""

    done: int
    left: int


class HandedAgain(NamedTuple):
    """The group hands an event out once more."""

    position: int
    stream: str
    revision: int
    consumer: str
    attempt: int
    """0: the group began again behind its checkpoint, and does not know that it did so before."""


class EffectKnown(NamedTuple):
    """A consumer was handed an event whose effect is done, and only acknowledged it."""

    position: int
    stream: str
    revision: int


class ConsumerJoined(NamedTuple):
    """A consumer is in the group."""

    consumer: str
    members: int


class ConsumerGone(NamedTuple):
    """The group has not heard from a consumer: what it held goes to others."""

    consumer: str
    held: int


class GroupCheckpoint(NamedTuple):
    """Everything up to a position is done, and the group wrote that down."""

    position: int
    before: int


class GroupBegan(NamedTuple):
    """The group began again behind its checkpoint."""

    checkpoint: int
    head: int


class ParkedHanded(NamedTuple):
    """The group hands out again what it had parked, before new events."""

    events: int


class SubscriberStopped(NamedTuple):
    """A subscriber stands still at an event it cannot handle."""

    position: int
    stream: str
    revision: int


class StalePage(NamedTuple):
    """A page came twice or late and was ignored."""

    after: int


class GapPassed(NamedTuple):
    """A poller gave a number up."""

    number: int
    cure: str


class GapFilled(NamedTuple):
    """A number that others had passed was committed late."""

    number: int
    stream: str


class RolledBack(NamedTuple):
    """A transaction ended without a row: its number is burnt."""

    number: int


class StoreRecovered(NamedTuple):
    """The store read its log again after it died."""

    events: int
    dropped: int
    broken: bool


class PowerFailed(NamedTuple):
    """The power failed: of the pages that waited for a sync so many were lost, survived or were torn."""

    lost: int
    survived: int
    torn: int


class ProcessKilled(NamedTuple):
    """The process died; what it had written is in the machine's cache and survives."""

    pages: int


class EventTampered(NamedTuple):
    """Somebody changed an event in the file."""

    position: int
    stream: str
    revision: int
    before: int
    after: int


class ChainVerified(NamedTuple):
    """The chain was verified; ``position`` is where it breaks, 0: nowhere."""

    events: int
    position: int
    stream: str
    revision: int


class LogCompacted(NamedTuple):
    """All but the newest event of each stream are gone."""

    removed: int
    kept: int


class Released(NamedTuple):
    """New programs run that know a newer event version."""

    version: int


class SchemaChanged(NamedTuple):
    """The layout of the account's snapshots changed."""

    schema: int


class OptionSet(NamedTuple):
    """A number or choice of the run was changed."""

    name: str
    value: str


WritingEvent: TypeAlias = Appended | Repeated | Conflicted | CommandDone | CommandRefused | CommandFailed | AskedAgain
FoldingEvent: TypeAlias = SnapshotKept | SnapshotIgnored | EventLifted
ReadingEvent: TypeAlias = (
    EffectDone | EffectRepeated | EventSkipped | EventParked | ParkedReplayed | SubscriberStopped | StalePage
    | GapPassed | GapFilled | RolledBack
)  # fmt: skip
GroupEvent: TypeAlias = (
    HandedAgain | EffectKnown | ConsumerJoined | ConsumerGone | GroupCheckpoint | GroupBegan | ParkedHanded
)
FileEvent: TypeAlias = StoreRecovered | PowerFailed | ProcessKilled | EventTampered | ChainVerified | LogCompacted
RunEvent: TypeAlias = Released | SchemaChanged | RuleSwitched | OptionSet
StoreEvent: TypeAlias = WritingEvent | FoldingEvent | ReadingEvent | GroupEvent | FileEvent | RunEvent

QUIET_HERE = frozenset({EventLifted, SnapshotKept, EffectDone})
"""Routine."""
