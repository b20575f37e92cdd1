"""What users, machines of both roads, and the services of the saga send each other."""

import json
from typing import Any, NamedTuple, TypeAlias

from engines.cqrs import bus, queries
from engines.cqrs.commands import Command
from engines.cqrs.projections import Row
from engines.cqrs.queries import QUERIES, Freshness, Query
from engines.event_sourcing.append import Appended
from engines.event_sourcing.events import Metadata, RecordedEvent


def plain(data: Any) -> str:
    """Data as JSON text."""
    return json.dumps(data, separators=(",", ":"))


# -- commands ----------------------------------------------------------------------------------------------------


class Submit(NamedTuple):
    """A command on its way: the fields of the library's, its data as JSON text."""

    id: str
    name: str
    order: str
    body: str = "{}"
    who: str = ""
    story: str = ""
    cause: str = ""
    goal: bool = False
    undoes: str = ""
    declined: str = ""
    """What a service has said against it."""

    def command(self) -> Command:
        """As the library takes it."""
        return Command(
            self.id, self.name, self.order, json.loads(self.body), None, self.who, self.story, self.cause, self.goal,
            self.undoes,
        )  # fmt: skip

    @classmethod
    def of(cls, command: Command) -> "Submit":
        """As it travels."""
        return cls(
            command.id, command.name, command.order, plain(command.data), command.who, command.correlation_id,
            command.cause, command.goal, command.undoes,
        )  # fmt: skip


class Reply(NamedTuple):
    """The answer to ``Submit``."""

    answer: bus.Answer


# -- the event store -----------------------------------------------------------------------------------------------


class Draft(NamedTuple):
    """An event to be written; its data as JSON text."""

    id: str
    type: str
    body: str
    version: int
    metadata: Metadata


class Load(NamedTuple):
    """The stream of an order."""

    request: str
    order: str


class Loaded(NamedTuple):
    """The answer to ``Load``."""

    request: str
    order: str
    events: tuple[RecordedEvent, ...]


class Append(NamedTuple):
    """Write what a command decided, and the messages about it. ``expected``: a revision; -1: no stream."""

    request: str
    order: str
    expected: int
    batch: tuple[Draft, ...]


class Saved(NamedTuple):
    """It is written, the messages about it too; or it was before."""

    request: str
    appended: Appended
    events: tuple[RecordedEvent, ...]


class Conflicting(NamedTuple):
    """Somebody wrote to this order meanwhile."""

    request: str
    expected: int
    actual: int


class NotSaved(NamedTuple):
    """The store is full."""

    request: str


class Read(NamedTuple):
    """History, for a read model that is built."""

    projection: str
    generation: int
    after: int


class Page(NamedTuple):
    """The answer to ``Read``."""

    projection: str
    generation: int
    after: int
    events: tuple[RecordedEvent, ...]
    head: int


# -- the bus -------------------------------------------------------------------------------------------------------


class Publish(NamedTuple):
    """An event, to whom it may concern."""

    event: RecordedEvent


class Published(NamedTuple):
    """The bus has it on its disk."""

    position: int


class Deliver(NamedTuple):
    """An event, to one of those who subscribed."""

    event: RecordedEvent


class Taken(NamedTuple):
    """Everything up to this position was handled."""

    position: int


class Subscribe(NamedTuple):
    """From now on, what lies behind this position."""

    position: int


# -- the read side ---------------------------------------------------------------------------------------------------


class Rows(NamedTuple):
    """What has changed in a read model since a replica last heard of it."""

    projection: str
    code: str
    """By which code its rows are made."""
    generation: int
    """A read model that is built anew is another generation."""
    since: int
    stamp: int
    """Counts its changes: the rows are those that changed behind ``since``, up to here."""
    position: int
    rows: tuple[Row, ...]
    parked: tuple[RecordedEvent, ...]
    """Events that are missing in it."""
    swap: int
    """How often readers were moved, and to which generation the last time."""
    serving: int
    target: int
    """Of a rebuild in place: the position from which on it is whole."""
    kept: tuple[int, ...]
    """The generations that there are."""


class Fetch(NamedTuple):
    """A replica misses what has changed behind a stamp."""

    projection: str
    generation: int
    since: int


class Serving(NamedTuple):
    """A projector serves a projection from now on; another that did need not any longer."""

    projection: str
    swap: int


class Question(NamedTuple):
    """A query on its way."""

    id: str
    name: str
    """``GET_ORDER_SUMMARY GET_CUSTOMER_HISTORY GET_REVENUE``."""
    key: str
    freshness: Freshness = Freshness.ANY
    position: int = 0
    """What the answer must include."""
    timeout_us: int = 0

    def query(self) -> Query:
        """As the library takes it."""
        field = QUERIES[self.name].fields[0].name
        data = {field: self.key} if self.key else {}
        return Query(self.id, self.name, data, self.freshness, self.position, self.timeout_us)


class Told(NamedTuple):
    """The answer to ``Question``."""

    name: str
    key: str
    reply: queries.Reply


# -- the saga ------------------------------------------------------------------------------------------------------


class Perform(NamedTuple):
    """A step of an order, or what undoes one, for the service that does it. The id is the saga's command's."""

    id: str
    name: str
    order: str
    undoes: str = ""


class Performed(NamedTuple):
    """What a service did, or did before."""

    id: str
    declined: str
    """Why not; empty: it is done."""


CqrsMessage: TypeAlias = (
    Submit | Reply | Load | Loaded | Append | Saved | Conflicting | NotSaved | Read | Page | Publish | Published
    | Deliver | Taken | Subscribe | Rows | Fetch | Serving | Question | Told | Perform | Performed
)  # fmt: skip
