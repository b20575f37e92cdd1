"""Queries, and how fresh their answers are.

    ANY        what is there, with the position it is of: it may be behind, and says how far it is
    WAIT       read your writes: the command returned its position p; the reader answers once its model has passed p,
               or, after a time-out, that it has not. Never silently stale
    VERSION    the asker carries the version it has seen (a position as well); a model behind it answers at once that
               it is, so that the asker can go to another replica or to the write model

Reading changes nothing, so a query needs no dedupe. ``Reader`` does no I/O and is told the time: whoever drives it
sends the replies.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, NamedTuple

from engines.cqrs.commands import STREAM, Field, check_fields
from engines.cqrs.deployment import Deployment
from engines.cqrs.errors import BadFields, UnknownProjection, UnknownQuery
from engines.cqrs.projections import Model

GET_ORDER_SUMMARY: Final = "GET_ORDER_SUMMARY"
GET_CUSTOMER_HISTORY: Final = "GET_CUSTOMER_HISTORY"
GET_REVENUE: Final = "GET_REVENUE"
TIMEOUT_US: Final = 1_000_000
"""How long a reader waits for its model to pass a position."""


class Freshness(Enum):
    """What an answer may be."""

    ANY = "any"
    WAIT = "read your writes"
    VERSION = "version token"


class Query(NamedTuple):
    """A question to the read side."""

    id: str
    name: str
    data: dict[str, Any]
    freshness: Freshness = Freshness.ANY
    position: int = 0
    """For WAIT and VERSION: what its answer must include, the position a command or an earlier reply came with."""
    timeout_us: int = TIMEOUT_US


class Outcome(Enum):
    """How a query was answered."""

    OK = "ok"
    TIMED_OUT = "timed out: the read model has not passed the position"
    BEHIND = "the read model is behind the version"
    REBUILDING = "the read model is being rebuilt"


class Reply(NamedTuple):
    """An answer."""

    query_id: str
    outcome: Outcome
    rows: tuple[Any, ...]
    """Empty unless the outcome is OK; in a rebuild, what is there so far."""
    position: int
    """The rows are the fold of the events up to it; a token for the next question."""
    version: int
    """Of the projection that answered."""
    waited_us: int = 0
    percent: int = 100
    """How far a rebuild is."""

    def __str__(self) -> str:
        match self.outcome:
            case Outcome.REBUILDING:
                return f"rebuilding at {self.percent} %"
            case Outcome.TIMED_OUT | Outcome.BEHIND:
                return f"{self.outcome.value} (it is at {self.position})"
            case _:
                return f"{len(self.rows)} rows as of position {self.position}"


class QuerySpec(NamedTuple):
    """Which model answers, and by what."""

    projection: str
    fields: tuple[Field, ...]
    by_key: bool
    """By its key; else by the projection's second key."""


QUERIES: Final[Mapping[str, QuerySpec]] = {
    GET_ORDER_SUMMARY: QuerySpec("order_summary", (Field("order", str),), True),
    GET_CUSTOMER_HISTORY: QuerySpec("customer_history", (Field("customer", str),), False),
    GET_REVENUE: QuerySpec("revenue_by_day", (Field("day", str, ""),), True),
}


def spec_of(query: Query) -> tuple[QuerySpec, str]:
    """How a query is answered, and the key it names (empty: all rows). UnknownQuery, or BadFields."""
    spec = QUERIES.get(query.name)
    if spec is None:
        raise UnknownQuery(f"unknown query {query.name!r}: one of {', '.join(QUERIES)} is accepted")
    values = check_fields(query.name, spec.fields, query.data)
    return spec, str(values[spec.fields[0].name])


def parse_query(text: str) -> Query:
    """A query as a person writes it: ``GET_ORDER_SUMMARY order=order-7``. UnknownQuery, or BadFields."""
    try:
        name, *parts = shlex.split(text) or [""]
    except ValueError as error:
        raise BadFields(f"query {text[:60]!r}: {error}: NAME field=value is accepted") from None
    data = {}
    for part in parts:
        key, equals, value = part.partition("=")
        if not equals:
            raise BadFields(f"{name}: {part[:40]!r} is no field=value")
        data[key] = value
    query = Query(text, name, data)
    spec_of(query)
    return query


def rows_for(model: Model, query: Query) -> tuple[Any, ...]:
    """The rows that answer a query."""
    return _rows(model, *spec_of(query))


def _rows(model: Model, spec: QuerySpec, key: str) -> tuple[Any, ...]:
    if not key:
        return model.rows()
    if spec.by_key:
        row = model.get(key)
        return () if row is None else (row,)
    return model.find(key)


def lacks(model: Model, query: Query) -> bool:
    """Whether an event the answer must include is parked: the model is past its position, and the rows are not. Of a
    question about one order only its own events count."""
    if not model.parked:
        return False
    _, key = spec_of(query)
    return any(
        parked.event.position <= query.position and (parked.event.stream == key or not key.startswith(STREAM))
        for parked in model.parked
    )


class Waiting(NamedTuple):
    """A query that waits for its model."""

    query: Query
    asked_us: int
    spec: QuerySpec
    key: str

    @property
    def due_us(self) -> int:
        """When it has waited long enough."""
        return self.asked_us + self.query.timeout_us


@dataclass(slots=True)
class Reader:
    """Answers queries from the models that are served here."""

    served: dict[str, Deployment]
    """Projection -> as it is served."""
    promises: bool = True
    """Off: WAIT is answered at once with what is there, as a reader that knows no positions does."""
    waiting: list[Waiting] = field(default_factory=list)

    def deployment(self, name: str) -> Deployment:
        """A projection as it is served here. UnknownProjection."""
        found = self.served.get(name)
        if found is None:
            there = ", ".join(self.served) or "none"
            raise UnknownProjection(f"no projection {name!r} is served here: {there} can be asked")
        return found

    def ask(self, query: Query, now_us: int) -> Reply | None:
        """The answer; None: it waits, and comes from ``replies``. UnknownQuery, BadFields, UnknownProjection."""
        waiting = Waiting(query, now_us, *spec_of(query))
        reply = self._try(waiting, now_us)
        if reply is None:
            self.waiting.append(waiting)
        return reply

    def replies(self, now_us: int) -> tuple[Reply, ...]:
        """The answers of those that waited and need not wait any longer. Call it when a model has moved, and at
        ``due_us``."""
        found, still = [], []
        for waiting in self.waiting:
            reply = self._try(waiting, now_us)
            if reply is None:
                still.append(waiting)
            else:
                found.append(reply)
        self.waiting = still
        return tuple(found)

    def due_us(self) -> int | None:
        """When the first of those that wait has waited long enough."""
        return min((waiting.due_us for waiting in self.waiting), default=None)

    def _try(self, waiting: Waiting, now_us: int) -> Reply | None:
        query, asked_us, spec, key = waiting
        served = self.deployment(spec.projection)
        model = served.live
        position = model.position
        wants = query.freshness if self.promises else Freshness.ANY
        if wants is not Freshness.ANY and (position < query.position or lacks(model, query)):
            if wants is Freshness.WAIT and now_us < waiting.due_us:
                return None
            outcome, rows = Outcome.BEHIND if wants is Freshness.VERSION else Outcome.TIMED_OUT, ()
        else:
            outcome, rows = Outcome.REBUILDING if served.rebuilding else Outcome.OK, _rows(model, spec, key)
        version, waited = model.projection.version, now_us - asked_us
        return Reply(query.id, outcome, rows, position, version, waited, served.percent)


__all__ = [
    "GET_CUSTOMER_HISTORY",
    "GET_ORDER_SUMMARY",
    "GET_REVENUE",
    "QUERIES",
    "TIMEOUT_US",
    "Freshness",
    "Outcome",
    "Query",
    "QuerySpec",
    "Reader",
    "Reply",
    "Waiting",
    "lacks",
    "parse_query",
    "rows_for",
    "spec_of",
]
