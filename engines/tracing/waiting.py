"""What kind of time a stretch of the critical path is: work, or waiting, and for what.

A span's own time is *self*: it works. Where nothing works, spans tell what is waited for: our own wait spans by their
exact names (``tracing.spans``), those of others by what such names look like, and then it is marked as a guess.
A CLIENT span's own time is *call*: it is spent on the way to the callee, or inside a callee that sends no spans itself.
"""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from engines.tracing.spans import (
    ACQUIRE_CONNECTION,
    ACQUIRE_LOCK,
    QUEUE_WAIT,
    RETRY_BACKOFF,
    Kind,
    Span,
)
from engines.tracing.tree import Tree


class Time(StrEnum):
    """A kind of time."""

    SELF = "self"
    QUEUE = "queue"
    POOL = "pool"
    LOCK = "lock"
    BACKOFF = "backoff"
    CALL = "call"
    EXTRA = "extra"
    """Work that fast requests do not do at all, because a cache had what they asked for. Known from cohorts only."""


SELF: Final = Time.SELF
QUEUE: Final = Time.QUEUE
POOL: Final = Time.POOL
LOCK: Final = Time.LOCK
BACKOFF: Final = Time.BACKOFF
CALL: Final = Time.CALL
EXTRA: Final = Time.EXTRA
HELD: Final = (QUEUE, POOL, LOCK)
"""Waits for something that others hold: who holds it so long is the next question."""

OURS: Final = {ACQUIRE_CONNECTION: POOL, QUEUE_WAIT: QUEUE, ACQUIRE_LOCK: LOCK, RETRY_BACKOFF: BACKOFF}
LOOKS_LIKE: Final = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (BACKOFF, r"back[ _-]?off|retry[ _.-]*(wait|delay|sleep)|(wait|sleep)\w*[ _.-].{0,12}retry"),
        (QUEUE, r"queue[ _.-]*(wait|time|delay)|wait\w*[ _.-].{0,12}(queue|worker|thread)|\bqueued\b|in[ _.-]queue"),
        (LOCK, r"(acquir|wait|obtain|take)\w*[ _.-].{0,16}(?<![a-z])(lock|mutex|semaphore|latch)"),
        (LOCK, r"(?<![a-z])(lock|mutex|semaphore|latch)[ _.-]*(wait|acqui|content)"),
        (POOL, r"(acquir|obtain|borrow|check ?out|get|wait)\w*[ _.-]?.{0,16}(connection|pool)"),
        (POOL, r"(connection|pool)[ _.-]*(acqui|checkout|wait|get|connect|borrow)"),
    )
)
"""How waits are called elsewhere: ``HikariDataSource.getConnection``, ``pg-pool.connect``, ``db.pool.wait`` ..."""

_POOL_NAMES: Final = ("pool.name", "db.client.connection.pool.name", "db.client.connections.pool.name")
_CALLEES: Final = ("peer.service", "server.address", "net.peer.name", "db.system.name", "db.system", "messaging.system")
_SATURATION: Final = {
    POOL: ("pool.in_use", "pool.max", "pool.waiting"),
    QUEUE: ("workers.busy", "workers.max", "queue.depth"),
    LOCK: ("", "", "lock.waiting"),
}
_EVIDENCE: Final = {
    POOL: ("pool.", "db.client.connection"),
    QUEUE: ("queue.", "workers."),
    LOCK: ("lock.",),
    BACKOFF: ("retry.",),
}
"""How attributes begin that only whoever measures such a wait can give."""
UNKNOWN: Final = -1


class Spent(NamedTuple):
    """A kind of time, and whether it is only guessed from a name."""

    kind: Time
    guess: bool = False


WORK: Final = Spent(SELF)


@lru_cache(maxsize=4_096)
def by_name(name: str) -> Spent:
    """What a span of this name waits for; ``WORK`` if it does not look like waiting."""
    if name in OURS:
        return Spent(OURS[name])
    for kind, pattern in LOOKS_LIKE:
        if pattern.search(name):
            return Spent(kind, guess=True)
    return WORK


def spent_on(span: Span) -> Spent:
    """What kind of time a span's own time is. Our names say so for sure only beside our attributes: others may use
    the same words."""
    if not may_wait(span):
        return WORK
    found = by_name(span.name)
    if found.kind == SELF or found.guess:
        return found
    ours = any(key.startswith(_EVIDENCE[found.kind]) for key, _ in span.attributes)
    return found if ours else found._replace(guess=True)


def may_wait(span: Span) -> bool:
    """Whether a span of its kind can stand for waiting: what serves or produces something works, whatever its name."""
    return span.kind in (Kind.INTERNAL, Kind.UNSPECIFIED, Kind.CLIENT)


def waited_for(span: Span, kind: Time) -> str:
    """The name of the pool or lock, as far as the span tells."""
    if kind == POOL:
        return next((str(value) for name in _POOL_NAMES if (value := span.get(name))), "")
    return str(span.get("lock.name", "")) if kind == LOCK else ""


def callee(span: Span) -> str:
    """Whom a CLIENT span says it calls; empty if it does not say."""
    return next((str(value) for name in _CALLEES if (value := span.get(name))), "")


def callee_of(tree: Tree, row: int) -> str:
    """Whom a CLIENT span calls: the service that served it, or else whom it says; of a PRODUCER span, the queue that it
    names; empty for all other spans."""
    span = tree.spans[row]
    if span.kind == Kind.PRODUCER:
        return callee(span)
    if span.kind != Kind.CLIENT:
        return ""
    for kid in tree.children[row]:
        if tree.spans[kid].kind == Kind.SERVER:
            return tree.spans[kid].service
    return callee(span)


def saturation(span: Span, kind: Time) -> tuple[int, int, int]:
    """(in use, of how many, how many wait), -1 where the span does not tell; read from a wait span's attributes."""
    names = _SATURATION.get(kind)
    if names is None:
        return UNKNOWN, UNKNOWN, UNKNOWN
    found = [span.get(name) if name else None for name in names]
    used, limit, waiting = (int(each) if isinstance(each, int) and each >= 0 else UNKNOWN for each in found)
    return used, limit, waiting


__all__ = [
    "BACKOFF",
    "CALL",
    "EXTRA",
    "HELD",
    "LOCK",
    "POOL",
    "QUEUE",
    "SELF",
    "UNKNOWN",
    "WORK",
    "Spent",
    "Time",
    "by_name",
    "callee",
    "callee_of",
    "may_wait",
    "saturation",
    "spent_on",
    "waited_for",
]
