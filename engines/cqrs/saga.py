"""The saga of an order: a long transaction as a row of short ones, each of which can be undone until one cannot.

    create  reserve  |  pay  |  ship          compensable steps, then the pivot, then steps that are only retried
    cancel  release  |       |

Until the pivot is done, a failure turns the saga round: what was done is undone in reverse. Once it is done the saga
only goes forward: a step that fails is tried again. So it ends completed or compensated, never half.

Its state is the fold of its own events (stream ``saga-7`` of ``order-7``), so a crash forgets nothing. A request has an
id that is a function of that state: whoever asks again after a time-out asks *the same*, and the order's stream answers
what came of it the first time. A time-out is therefore no failure, it is a question. Only a step that has **failed** is
tried under a new id. A compensable step nobody answers for may be undone all the same: undoing names the id of what it
undoes, and that one is refused should it come after all. The saga is the only one that reserves, pays and ships its
order: what somebody else did beside it counts as done, but a payment nobody told it of cannot be undone.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final, NamedTuple

from engines.cqrs.commands import (
    CANCEL_ORDER,
    CREATE_ORDER,
    PAY_ORDER,
    RELEASE_STOCK,
    RESERVE_STOCK,
    SHIP_ORDER,
    STREAM,
    Command,
)
from engines.event_sourcing.aggregate import Aggregate, Decided, Refused
from engines.event_sourcing.upcast import Upcasters

STARTED: Final = "SagaStarted"
REQUESTED: Final = "StepRequested"
DONE: Final = "StepDone"
FAILED: Final = "StepFailed"
UNDO_REQUESTED: Final = "UndoRequested"
UNDONE: Final = "StepUndone"
COMPLETED: Final = "SagaCompleted"
COMPENSATED: Final = "SagaCompensated"
TYPES: Final = (STARTED, REQUESTED, DONE, FAILED, UNDO_REQUESTED, UNDONE, COMPLETED, COMPENSATED)

CATEGORY: Final = "saga"
TIMEOUT_US: Final = 2_000_000
"""How long an answer is waited for before it is asked again."""
RETRY_US: Final = 1_000_000
"""How long to wait before a step that failed is tried again."""
ASKS: Final = 3
"""How often a compensable step is asked for before it is undone unanswered."""


class Kind(Enum):
    """What a step may do to the saga."""

    COMPENSABLE = "compensable"
    PIVOT = "pivot"
    RETRIED = "retried"


class Step(NamedTuple):
    """One short transaction."""

    name: str
    kind: Kind
    command: str
    undo: str = ""
    """The command that undoes it."""


STEPS: Final = (
    Step("create", Kind.COMPENSABLE, CREATE_ORDER, CANCEL_ORDER),
    Step("reserve", Kind.COMPENSABLE, RESERVE_STOCK, RELEASE_STOCK),
    Step("pay", Kind.PIVOT, PAY_ORDER),
    Step("ship", Kind.RETRIED, SHIP_ORDER),
)
_INDEX: Final = {step.name: index for index, step in enumerate(STEPS)}


class Phase(Enum):
    """Where a saga is."""

    ABSENT = "absent"
    RUNNING = "running"
    COMPENSATING = "compensating"
    COMPLETED = "completed"
    COMPENSATED = "compensated"


@dataclass(frozen=True, slots=True)
class Saga:
    """The state of a saga."""

    phase: Phase = Phase.ABSENT
    order: str = ""
    created_by: str = ""
    """The id of the command that created the order."""
    step: int = 0
    """Of ``STEPS``: what is asked for, or undone, now."""
    attempt: int = 0
    """Counts failures of this step: a new attempt has a new id."""
    asked: int = 0
    """How often this attempt was asked for."""
    at_us: int = 0
    """When it was asked for, or failed, last."""
    waiting: bool = False
    """The last attempt failed: the next one comes after a pause."""
    done: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()
    ids: tuple[tuple[str, str], ...] = ()
    """Step -> the id of the last command that was to do it."""
    why: str = ""
    """What turned it round."""

    @property
    def over(self) -> bool:
        """It has ended."""
        return self.phase in (Phase.COMPLETED, Phase.COMPENSATED)

    @property
    def left(self) -> tuple[str, ...]:
        """Steps that must be undone, the next one first."""
        return tuple(name for name in reversed(self.done) if name not in self.undone)


@dataclass(frozen=True, slots=True)
class Start:
    """An order was created."""

    order: str
    command_id: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a request."""

    command_id: str
    ok: bool
    why: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has come to ``at_us``."""

    at_us: int


class Request(NamedTuple):
    """What the saga wants now, as a command."""

    step: str
    undo: bool
    command: Command
    asked: int


def saga_of(order: str) -> str:
    """The stream of an order's saga: ``saga-7`` for ``order-7``."""
    return f"{CATEGORY}-{order.removeprefix(STREAM)}"


def request(saga: Saga) -> Request | None:
    """What the saga wants now; None: nothing, it waits or has ended. It may be sent at any time, and again."""
    if saga.over or saga.phase is Phase.ABSENT or saga.waiting:
        return None
    step = STEPS[saga.step]
    undo = saga.phase is Phase.COMPENSATING
    id = _id(saga, step.name, undo, saga.attempt)
    undoes = dict(saga.ids).get(step.name, "") if undo else ""
    data = {"reason": saga.why[:120]} if undo and step.undo == CANCEL_ORDER else {}
    command = Command(
        id, step.undo if undo else step.command, saga.order, data, None, CATEGORY, goal=True, undoes=undoes
    )
    return Request(step.name, undo, command, saga.asked)


def due_us(saga: Saga) -> int | None:
    """When time alone changes something: the answer is asked for again, or a failed step tried again."""
    if saga.over or saga.phase is Phase.ABSENT:
        return None
    return saga.at_us + (RETRY_US if saga.waiting else TIMEOUT_US)


def _id(saga: Saga, step: str, undo: bool, attempt: int) -> str:
    return f"{saga_of(saga.order)}/{step}{'/undo' if undo else ''}/{attempt}"


def evolve(saga: Saga, type: str, data: Any) -> Saga:
    """The fold."""
    match type:
        case "SagaStarted":
            created = STEPS[0].name
            return Saga(
                Phase.RUNNING, data["order"], data["command_id"], 0, at_us=data["at_us"], done=(created,),
                ids=((created, data["command_id"]),),
            )  # fmt: skip
        case "StepRequested" | "UndoRequested":
            index, undo = _INDEX[data["step"]], type == UNDO_REQUESTED
            ids = saga.ids
            if not undo:
                mine = (data["step"], _id(saga, data["step"], False, data["attempt"]))
                ids = (*(each for each in ids if each[0] != data["step"]), mine)
            phase = Phase.COMPENSATING if undo else Phase.RUNNING
            return replace(
                saga, phase=phase, step=index, attempt=data["attempt"], asked=data["asked"], at_us=data["at_us"],
                waiting=False, ids=ids,
            )  # fmt: skip
        case "StepDone":
            return replace(saga, done=(*saga.done, data["step"]))
        case "StepFailed":
            # A step nobody answered for may have happened: it is undone with the others.
            done = (*saga.done, data["step"]) if data["unknown"] else saga.done
            return replace(saga, done=done, why=data["why"], at_us=data["at_us"], waiting=True)
        case "StepUndone":
            return replace(saga, undone=(*saga.undone, data["step"]))
        case "SagaCompleted":
            return replace(saga, phase=Phase.COMPLETED)
        case _:
            return replace(saga, phase=Phase.COMPENSATED)


def decide(saga: Saga, command: Any) -> tuple[Decided, ...]:
    """The rules. What comes late, twice, or for a step that is over, changes nothing."""
    match command:
        case Start(order=order, command_id=id, at_us=at_us):
            if saga.phase is not Phase.ABSENT:
                return ()
            start = Decided(STARTED, {"order": order, "command_id": id, "at_us": at_us})
            return (start, _ask(STEPS[1].name, False, 0, 1, at_us))
        case Answered(command_id=id, ok=ok, why=why, at_us=at_us):
            wanted = request(saga)
            if wanted is None or wanted.command.id != id:
                return ()
            return _forward(saga, ok, why, at_us) if not wanted.undo else _back(saga, ok, why, at_us)
        case Tick(at_us=at_us):
            due = due_us(saga)
            if due is None or at_us < due:
                return ()
            return _ticked(saga, at_us)
        case _:
            raise Refused(f"a saga knows no command {type(command).__name__}")


def _ask(step: str, undo: bool, attempt: int, asked: int, at_us: int) -> Decided:
    data = {"step": step, "attempt": attempt, "asked": asked, "at_us": at_us}
    return Decided(UNDO_REQUESTED if undo else REQUESTED, data)


def _failed(saga: Saga, why: str, at_us: int, unknown: bool = False) -> Decided:
    return Decided(FAILED, {"step": STEPS[saga.step].name, "why": why, "unknown": unknown, "at_us": at_us})


def _forward(saga: Saga, ok: bool, why: str, at_us: int) -> tuple[Decided, ...]:
    step = STEPS[saga.step]
    if ok:
        done = Decided(DONE, {"step": step.name, "at_us": at_us})
        if saga.step + 1 < len(STEPS):
            return (done, _ask(STEPS[saga.step + 1].name, False, 0, 1, at_us))
        return (done, Decided(COMPLETED, {"at_us": at_us}))
    failed = _failed(saga, why, at_us)
    if step.kind is Kind.RETRIED:
        return (failed,)
    return (failed, _undo_next(saga.left, at_us))


def _back(saga: Saga, ok: bool, why: str, at_us: int) -> tuple[Decided, ...]:
    if not ok:
        return (_failed(saga, why, at_us),)
    undone = Decided(UNDONE, {"step": STEPS[saga.step].name, "at_us": at_us})
    return (undone, _undo_next(saga.left[1:], at_us))


def _undo_next(left: tuple[str, ...], at_us: int) -> Decided:
    return _ask(left[0], True, 0, 1, at_us) if left else Decided(COMPENSATED, {"at_us": at_us})


def _ticked(saga: Saga, at_us: int) -> tuple[Decided, ...]:
    step, undo = STEPS[saga.step], saga.phase is Phase.COMPENSATING
    if saga.waiting:
        return (_ask(step.name, undo, saga.attempt + 1, 1, at_us),)
    if not undo and step.kind is Kind.COMPENSABLE and saga.asked >= ASKS:
        unknown = _failed(saga, f"no answer to {step.command} after {saga.asked} questions", at_us, unknown=True)
        return (unknown, _undo_next((step.name, *saga.left), at_us))
    return (_ask(step.name, undo, saga.attempt, saga.asked + 1, at_us),)


SAGA: Final[Aggregate[Saga]] = Aggregate(CATEGORY, Saga(), evolve, decide, Upcasters(dict.fromkeys(TYPES, 1)))

__all__ = [
    "ASKS",
    "CATEGORY",
    "RETRY_US",
    "SAGA",
    "STEPS",
    "TIMEOUT_US",
    "TYPES",
    "Answered",
    "Kind",
    "Phase",
    "Request",
    "Saga",
    "Start",
    "Step",
    "Tick",
    "due_us",
    "request",
    "saga_of",
]
