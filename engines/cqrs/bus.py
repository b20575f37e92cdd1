"""The command bus: validate, load, decide, append with the revision that was seen; and every command once.

Dedupe needs no table of its own. Every event names the command that caused it, so the order's stream is the list of
commands that were executed, written in the same append as their effects; a command that changed nothing leaves an
event that says so (``CommandAnswered``). A repeat therefore finds its answer wherever it arrives, also after a crash,
and two nodes that execute the same command at once race for one revision: the loser reloads and finds the answer.

``Execution`` is the command's way as a state machine that does no I/O: whoever drives it (``CommandBus`` here, a node
on a simulated network) brings events and outcomes.

    decide(events) -> Append | Answer      appended(...) -> Answer      conflicted(...) -> Answer | None: load again
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple

from engines.cqrs.commands import CANCEL_ORDER, PAY_ORDER, RESERVE_STOCK, SHIP_ORDER, Command, parse
from engines.event_sourcing.aggregate import Refused
from engines.event_sourcing.append import NO_STREAM, Appended, ExpectedRevision
from engines.event_sourcing.errors import Conflict
from engines.event_sourcing.events import Metadata, NewEvent, RecordedEvent
from engines.event_sourcing.order import ANSWERED, ORDER, SILENT, Order
from engines.event_sourcing.store import EventStore

ATTEMPTS: Final = 5
"""How often a command decides anew after a conflict, before the conflict is its answer."""


class Status(Enum):
    """How a command was answered."""

    ACCEPTED = "accepted"
    NOTHING = "nothing to do"
    REFUSED = "refused"
    STALE = "stale version"
    CONFLICT = "conflict"
    """Others were always faster. Nothing was recorded: the same id may be sent again."""


class Answer(NamedTuple):
    """What a command's sender is told."""

    command_id: str
    name: str
    order: str
    status: Status
    version: int
    """Of the order: the revision of the newest event that changed it; -1 if there is none."""
    position: int
    """Of the command's last event: a reader who has seen it has seen this command. 0: nothing was recorded."""
    why: str = ""
    repeated: bool = False
    """The command was executed before, and this is the answer it got then."""

    @property
    def ok(self) -> bool:
        """Whether what was wanted is so."""
        return self.status in (Status.ACCEPTED, Status.NOTHING)


class Append(NamedTuple):
    """What a command wants to be written."""

    stream: str
    events: tuple[NewEvent, ...]
    expected: ExpectedRevision


_GOALS: Final[Mapping[str, tuple[str, ...]]] = {
    RESERVE_STOCK: ("reserved", "paid", "shipped"),
    PAY_ORDER: ("paid", "shipped"),
    SHIP_ORDER: ("shipped",),
    CANCEL_ORDER: ("cancelled",),
}
"""The states in which nothing of a command is left to do."""


def _reached(state: Order, name: str) -> bool:
    return state.status in _GOALS.get(name, ())


def version_of(events: Sequence[RecordedEvent]) -> int:
    """The version of an order. Notes and refusals do not change what is decided, so they make no version stale."""
    return next((event.revision for event in reversed(events) if event.type not in SILENT), -1)


def answer_in(events: Sequence[RecordedEvent], command: Command) -> Answer | None:
    """The answer this command got, if it was executed before; its stream tells."""
    mine = [event for event in events if event.causation_id == command.id]
    if not mine:
        return None
    if mine[0].command and mine[0].command != command.name:
        why = f"the id {command.id!r} was used for {mine[0].command}: every command needs an id of its own"
        return Answer(command.id, command.name, command.order, Status.REFUSED, version_of(events), 0, why)
    last = mine[-1]
    version = version_of(events[: events.index(last) + 1])
    if last.type != ANSWERED:
        return Answer(command.id, command.name, command.order, Status.ACCEPTED, version, last.position, "", True)
    data = last.data
    status, why = Status(data["status"]), data["why"]
    return Answer(command.id, command.name, command.order, status, version, last.position, why, True)


@dataclass(slots=True)
class Execution:
    """A command on its way. It has been validated: ``Execution.of`` raises what ``parse`` raises."""

    command: Command
    intent: Any
    dedupe: bool = True
    check_version: bool = True
    conflicts: int = 0
    _pending: Answer | None = None
    _version: int = -1
    _own: int = 0
    """How many of the events are its own."""

    @classmethod
    def of(cls, command: Command, *, dedupe: bool = True, check_version: bool = True) -> "Execution":
        """Validate."""
        return cls(command, parse(command), dedupe, check_version)

    @property
    def stream(self) -> str:
        """Whose events it needs, all of them."""
        return self.command.order

    def decide(self, events: Sequence[RecordedEvent], declined: str = "", at_us: int = 0) -> Append | Answer:
        """Decide on the order's events. ``declined``: what somebody outside (a bank, a carrier) has said against it."""
        command = self.command
        if self.dedupe:
            known = answer_in(events, command)
            if known is not None:
                return known
        self._version = version_of(events)
        status, why = Status.ACCEPTED, declined
        new: list[NewEvent] = []
        meta = Metadata(
            command.who, at_us, command.id, command.correlation_id or command.id, command.name, command.cause
        )
        if self.check_version and command.version is not None and command.version != self._version:
            status = Status.STALE
            why = f"{command.name}: sent for version {command.version}, {command.order} is at {self._version}"
        elif declined:
            status = Status.REFUSED
        elif command.goal and _reached(ORDER.fold(events), command.name):
            status = Status.NOTHING
        else:
            state: Order = ORDER.fold(events)
            try:
                decided = ORDER.decide(state, self.intent)
            except Refused as refused:
                status, why = Status.REFUSED, str(refused)
            else:
                status = Status.ACCEPTED if decided else Status.NOTHING
                types = ORDER.upcasters.types
                new = [
                    NewEvent(f"{command.id}/{index}", type_, data, types[type_], meta)
                    for index, (type_, data) in enumerate(decided)
                ]
        if not new:
            new = [NewEvent(f"{command.id}/0", ANSWERED, {"status": status.value, "why": why}, 1, meta)]
        self._own = len(new)
        if command.undoes and not any(event.causation_id == command.undoes for event in events):
            late = {"status": Status.REFUSED.value, "why": f"undone by {command.id} before it came"}
            new.append(
                NewEvent(
                    f"{command.undoes}/undone",
                    ANSWERED,
                    late,
                    1,
                    meta._replace(causation_id=command.undoes, command=""),
                )
            )
        self._pending = Answer(command.id, command.name, command.order, status, self._version, 0, why)
        return Append(command.order, tuple(new), events[-1].revision if events else NO_STREAM)

    def appended(self, appended: Appended) -> Answer:
        """The events are written."""
        answer = self._pending
        assert answer is not None, "decide comes first"
        last = self._own - 1
        version = appended.revisions[last] if answer.status is Status.ACCEPTED else answer.version
        return answer._replace(version=version, position=appended.positions[last], repeated=appended.repeated)

    def conflicted(self, conflict: Conflict) -> Answer | None:
        """Somebody else has written meanwhile. None: load again, and decide again."""
        self.conflicts += 1
        if self.conflicts < ATTEMPTS:
            return None
        command = self.command
        return Answer(command.id, command.name, command.order, Status.CONFLICT, conflict.actual, 0, str(conflict))


Declines = Callable[[Order, Command], str]
"""Somebody outside who may say no: the reason, or nothing."""


class CommandBus:
    """Executes commands on a store."""

    def __init__(self, store: EventStore, declines: Mapping[str, Declines] | None = None) -> None:
        """``declines``: command name -> who is asked before it is executed (a bank before PAY_ORDER). It is asked at
        most once a command that is recorded, and again after a conflict."""
        self.store = store
        self.declines = dict(declines or {})

    def send(self, command: Command) -> Answer:
        """Execute a command once. UnknownCommand or BadFields if it cannot be understood."""
        execution = Execution.of(command)
        while True:
            events = self.store.get_events(execution.stream)
            ask = self.declines.get(command.name)
            declined = ask(ORDER.fold(events), command) if ask and answer_in(events, command) is None else ""
            wanted = execution.decide(events, declined)
            if isinstance(wanted, Answer):
                return wanted
            try:
                return execution.appended(self.store.save_events(*wanted))
            except Conflict as conflict:
                answer = execution.conflicted(conflict)
                if answer is not None:
                    return answer


__all__ = ["ATTEMPTS", "Answer", "Append", "CommandBus", "Declines", "Execution", "Status", "answer_in", "version_of"]
