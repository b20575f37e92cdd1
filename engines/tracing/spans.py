"""Spans as OpenTelemetry has them: one timed piece of work, who did it, for whom, and how it went.

The fields and their order are those of ``opentelemetry/proto/trace/v1/trace.proto``, with the resource's
``service.name`` lifted out, because everything groups by it. Times are integers: nanoseconds as they came, and whole
microseconds (rounded down) for all analysis, so the parts of an interval always add up to it.

A span is a named tuple: a trace file holds hundreds of thousands, and a frozen dataclass costs four times as much.

Waiting has no standard span. Ours are INTERNAL children with the names and attributes below; on the traces of
others, ``tracing.diagnosis`` recognises waits by their names and says that this is a guess.
"""

from collections.abc import Callable
from enum import IntEnum
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias

Value: TypeAlias = Any
"""An attribute's value: str, bool, int, float, bytes, None, a tuple of values, or a ``KeyValues``."""
Attributes: TypeAlias = tuple[tuple[str, Value], ...]

ACQUIRE_CONNECTION: Final = "acquire connection"
"""Waits for a pool: ``pool.name`` ``pool.in_use`` ``pool.max`` ``pool.waiting``, as they stood when it began."""
QUEUE_WAIT: Final = "queue wait"
"""Waits for a worker: ``queue.depth`` ``workers.busy`` ``workers.max``."""
ACQUIRE_LOCK: Final = "acquire lock"
"""Waits for a lock: ``lock.name`` ``lock.waiting``."""
RETRY_BACKOFF: Final = "retry backoff"
"""Waits before it tries again: ``retry.attempt``."""

FOLLOWS_FROM: Final = ("opentracing.ref_type", "follows_from")
"""The last attribute of a span that names another as its parent and yet did not hold it up (OpenTracing, Jaeger)."""

NS_PER_US: Final = 1_000


class Kind(IntEnum):
    """OTLP's numbers."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class Status(IntEnum):
    """OTLP's numbers. Ok outranks Error, and Error outranks Unset."""

    UNSET = 0
    OK = 1
    ERROR = 2


class KeyValues(NamedTuple):
    """An attribute that is itself a list of attributes (OTLP's ``kvlistValue``)."""

    pairs: Attributes


class Scope(NamedTuple):
    """The instrumentation that made the span."""

    name: str = ""
    version: str = ""
    attributes: Attributes = ()
    dropped_attributes: int = 0


class SpanEvent(NamedTuple):
    """Something that happened at one moment of a span."""

    time_ns: int
    name: str
    attributes: Attributes = ()
    dropped_attributes: int = 0


class Link(NamedTuple):
    """A pointer to a span of this trace or another: causality that is not parenthood."""

    trace_id: str
    span_id: str
    trace_state: str = ""
    attributes: Attributes = ()
    dropped_attributes: int = 0
    flags: int = 0


NO_SCOPE: Final = Scope()


class Span(NamedTuple):
    """One timed piece of work."""

    trace_id: str
    """32 lower-case hex digits."""
    span_id: str
    """16 lower-case hex digits."""
    parent_id: str
    """The same; empty for a root."""
    name: str
    """The operation."""
    service: str
    kind: Kind = Kind.UNSPECIFIED
    start_ns: int = 0
    end_ns: int = 0
    status: Status = Status.UNSET
    status_message: str = ""
    attributes: Attributes = ()
    resource: Attributes = ()
    events: tuple[SpanEvent, ...] = ()
    links: tuple[Link, ...] = ()
    trace_state: str = ""
    scope: Scope = NO_SCOPE
    flags: int = 0
    """Bits 0-7: W3C trace flags; bits 8 and 9: whether the parent is known to be remote."""
    dropped_attributes: int = 0
    dropped_events: int = 0
    dropped_links: int = 0

    @property
    def start_us(self) -> int:
        """Rounded down, like every time, so that touching spans still touch."""
        return self.start_ns // NS_PER_US

    @property
    def end_us(self) -> int:
        """Rounded down."""
        return self.end_ns // NS_PER_US

    @property
    def duration_us(self) -> int:
        """``end_us - start_us``; negative if the span ends before it starts."""
        return self.end_ns // NS_PER_US - self.start_ns // NS_PER_US

    @property
    def is_error(self) -> bool:
        """Whether its status is Error."""
        return self.status == Status.ERROR

    @property
    def label(self) -> str:
        """``service/operation``, the name of its group in aggregates and in ``self_time_us``."""
        return f"{self.service}/{self.name}"

    def get(self, name: str, default: Value = None) -> Value:
        """One attribute, of the span or else of its resource."""
        for key, value in self.attributes:
            if key == name:
                return value
        for key, value in self.resource:
            if key == name:
                return value
        return default


made_of: Final[Callable[[tuple[Any, ...]], Span]] = partial(tuple.__new__, Span)
"""A span of all its fields, in their order: half the price of calling ``Span``, which counts for a million."""


def said(span: Span, key: str) -> object:
    """What a span says under this name; None: nothing."""
    match key:
        case "service" | "service.name":
            return span.service
        case "operation":
            return span.name
        case "status":
            return {Status.ERROR: "error", Status.OK: "ok"}.get(span.status, "unset")
        case _:
            return span.get(key)


def plain(value: object) -> str | None:
    """A value as people write it; None stays None."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def is_zero(identifier: str) -> bool:
    """Whether an id is absent: empty or all zeros, which W3C and OTLP call invalid."""
    return not identifier.strip("0")


__all__ = [
    "ACQUIRE_CONNECTION",
    "ACQUIRE_LOCK",
    "FOLLOWS_FROM",
    "NO_SCOPE",
    "NS_PER_US",
    "QUEUE_WAIT",
    "RETRY_BACKOFF",
    "Attributes",
    "KeyValues",
    "Kind",
    "Link",
    "Scope",
    "Span",
    "SpanEvent",
    "Status",
    "Value",
    "is_zero",
    "made_of",
    "plain",
    "said",
]
