"""What the spans of one trace say about the system beyond time: calls without an answer, roots where none should be.

A tree with a hole has many possible reasons, and one trace cannot tell them apart. Counted over many traces they can
be told: whoever drops headers has callees that start traces, whoever loses spans has orphans, whoever was frozen
answers many calls in the same moment. Nothing here knows more than the spans; ``verdicts`` does the counting.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias, overload

from engines.tracing.aggregate import narrow, shared
from engines.tracing.spans import Kind, Span
from engines.tracing.tree import Tree
from engines.tracing.unfelt import NO_OWN, Own
from engines.tracing.waiting import callee

SKEW_MIN_US: Final = 2_000
"""A server that starts this long before its caller, or ends this long after it, has another clock."""
HELD_MIN_US: Final = 150_000
"""A call that takes so long to begin to be served was held up by more than a network."""
TIMEOUTS: Final = frozenset({"timeout", "deadline_exceeded", "DEADLINE_EXCEEDED", "504", "408", "TimeoutError"})
"""Values of ``error.type`` that say that nobody answered in time."""
REFUSED: Final = frozenset({
    "ConnectionRefusedError", "ConnectError", "ECONNREFUSED", "connection_refused", "java.net.ConnectException",
    "UNAVAILABLE",
})  # fmt: skip
"""Values that say that nobody was there to take the call."""
_RESENDS: Final = frozenset({"http.request.resend_count", "http.resend_count", "retry.count"})

Pairs: TypeAlias = tuple[tuple[str, str, int], ...]
Counts: TypeAlias = tuple[tuple[str, int], ...]


class Held(NamedTuple):
    """A call that began to be served long after it was made."""

    src: str
    dst: str
    made_us: int
    served_us: int


class Unanswered(NamedTuple):
    """A call that was not answered in time, or refused, of which the called service knows nothing."""

    src: str
    dst: str
    made_us: int


class Origin(NamedTuple):
    """Where a trace begins to fail: the deepest error below which nothing failed, of equally deep ones the first."""

    service: str
    operation: str
    error: str
    """What its span says of it; empty: nothing."""
    way: tuple[tuple[str, str], ...]
    """(service, operation) from the root to it, without those who repeat their caller."""


class Symptoms(NamedTuple):
    """Of one trace. Pairs are (caller, called, how often)."""

    trace_id: str
    root: str
    """The service of the root; empty if the root is missing."""
    start_us: int
    last_us: int
    """When the last of its spans ended."""
    failed: bool
    """Whether the root ended in an error."""
    edges: Pairs
    """Calls that both sides tell of."""
    handed: Pairs
    """Messages of a queue that both sides tell of: (producer, consumer, how many)."""
    silent: Pairs
    """Calls that went well, of which the called service tells nothing."""
    unanswered: tuple[Unanswered, ...]
    skewed: Pairs
    """Calls whose two sides cannot have the same clock."""
    doubled: Pairs
    """Calls that were served more than once."""
    held: tuple[Held, ...]
    served: Sequence[tuple[str, int, int]]
    """(service, when it first began to serve something, when it last did)."""
    orphans_own: Counts
    """Spans whose missing parent is of their own service, by service."""
    orphans: Counts
    """Requests served whose caller's span is missing, by the service that served."""
    errors: Counts
    """Failures that begin in this service: nothing it called had failed."""
    origin: Origin | None
    """Of a trace with an error."""
    resends: Counts
    """Calls that were made again, by the service called."""
    hits: Counts
    misses: Counts
    own: Own = NO_OWN
    """Where its time was spent, on the critical path or off it; none: nobody worked it out."""


def symptoms_of(tree: Tree, own: Own = NO_OWN, known: dict[object, object] | None = None) -> Symptoms:
    """Look at one trace. ``known``: what the traces before it share with it."""
    found = _Look(tree)
    for index in range(tree.real):
        found.take(index)
    root = tree.spans[tree.root]
    made = Symptoms(
        tree.trace_id,
        "" if tree.is_missing(tree.root) else root.service,
        tree.start_us[tree.root],
        max(tree.end_us),
        root.is_error,
        _pairs(found.edges),
        _pairs(found.handed),
        _pairs(found.silent),
        tuple(found.unanswered),
        _pairs(found.skewed),
        _pairs(found.doubled),
        tuple(found.held),
        tuple((name, *when) for name, when in sorted(found.served.items())),
        _counts(found.orphans_own),
        _counts(found.orphans),
        _counts(found.errors),
        _origin(tree),
        _counts(found.resends),
        _counts(found.lookups[True]),
        _counts(found.lookups[False]),
        own,
    )
    return made if known is None else _small(made, known)


def _small(found: Symptoms, known: dict[object, object]) -> Symptoms:
    """The same, to be kept for a million spans: what is as it was in a trace before is the same object."""
    return found._replace(
        edges=shared(found.edges, known),
        handed=shared(found.handed, known),
        silent=shared(found.silent, known),
        errors=shared(found.errors, known),
        served=Served(found.served, known),
        origin=shared(found.origin, known),
        hits=shared(found.hits, known),
        misses=shared(found.misses, known),
    )


class Served(Sequence[tuple[str, int, int]]):
    """When services first and last began to serve something, held small."""

    __slots__ = ("_moments", "_names")

    def __init__(self, served: Sequence[tuple[str, int, int]], known: dict[object, object]) -> None:
        self._names = shared(tuple([name for name, _, _ in served]), known)
        self._moments = narrow([moment for _, *both in served for moment in both])

    @overload
    def __getitem__(self, index: int) -> tuple[str, int, int]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[tuple[str, int, int], ...]: ...
    def __getitem__(self, index: int | slice) -> tuple[str, int, int] | tuple[tuple[str, int, int], ...]:
        return tuple(self)[index]

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[tuple[str, int, int]]:
        return zip(self._names, self._moments[::2], self._moments[1::2], strict=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


class _Look:
    """Counts over the spans of one tree."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.edges: Counter[tuple[str, str]] = Counter()
        self.handed: Counter[tuple[str, str]] = Counter()
        self.silent: Counter[tuple[str, str]] = Counter()
        self.skewed: Counter[tuple[str, str]] = Counter()
        self.doubled: Counter[tuple[str, str]] = Counter()
        self.unanswered: list[Unanswered] = []
        self.held: list[Held] = []
        self.served: dict[str, tuple[int, int]] = {}
        self.orphans_own: Counter[str] = Counter()
        self.orphans: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.resends: Counter[str] = Counter()
        self.lookups: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}

    def take(self, index: int) -> None:
        """One span more."""
        tree = self.tree
        span, above = tree.spans[index], tree.parent[index]
        if above >= 0 and tree.is_missing(above):
            serves = span.kind in (Kind.SERVER, Kind.CONSUMER)
            (self.orphans if serves else self.orphans_own)[span.service] += 1
        match span.kind:
            case Kind.CLIENT:
                self._call(index, span)
            case Kind.PRODUCER:
                for kid in tree.children[index]:
                    self.handed[span.service, tree.spans[kid].service] += 1
            case Kind.SERVER:
                self._serve(index, span)

    def _serve(self, index: int, span: Span) -> None:
        tree = self.tree
        for key, value in span.attributes:
            if key == "cache.hit":
                self.lookups[value is True or str(value).lower() == "true"][span.service] += 1
                break
        if span.is_error and not any(tree.spans[kid].is_error for kid in tree.children[index]):
            self.errors[span.service] += 1
        start_us = tree.start_us[index]
        first, last = self.served.get(span.service, (start_us, start_us))
        self.served[span.service] = min(first, start_us), max(last, start_us)

    def _call(self, index: int, span: Span) -> None:
        tree = self.tree
        servers = [kid for kid in tree.children[index] if tree.spans[kid].kind == Kind.SERVER]
        peer = tree.spans[servers[0]].service if servers else host_of_call(span)
        for key, value in span.attributes:
            if key in _RESENDS and value:
                self.resends[peer] += 1
                break
        if servers:
            self.edges[span.service, peer] += 1
            if len(servers) > 1:
                self.doubled[span.service, peer] += 1
            else:  # the second time a call is served may be long after its answer, with all clocks right
                self.skewed[span.service, peer] += _skewed(span, tree.spans[servers[0]])
            made_us, served_us = tree.start_us[index], tree.start_us[servers[0]]
            if served_us - made_us >= HELD_MIN_US:
                self.held.append(Held(span.service, peer, made_us, served_us))
        elif tree.children[index] or not peer:
            return
        elif str(span.get("error.type", "")) in TIMEOUTS | REFUSED:
            self.unanswered.append(Unanswered(span.service, peer, tree.start_us[index]))
        elif not span.is_error:
            self.silent[span.service, peer] += 1


def _origin(tree: Tree) -> Origin | None:
    if not tree.errors():
        return None
    best: tuple[int, int, int] | None = None
    for index in range(tree.real):
        if not tree.spans[index].is_error or any(tree.spans[kid].is_error for kid in tree.children[index]):
            continue
        depth, above = 0, tree.parent[index]
        while above >= 0:
            depth, above = depth + 1, tree.parent[above]
        best = min(best or (1, 0, 0), (-depth, tree.start_us[index], index))
    if best is None:
        return None
    span = tree.spans[best[2]]
    way: list[tuple[str, str]] = []
    row = best[2]
    while row >= 0:
        here = tree.spans[row].service, tree.spans[row].name
        if not tree.is_missing(row) and (not way or way[-1] != here):
            way.append(here)
        row = tree.parent[row]
    return Origin(span.service, span.name, error_of(span), tuple(reversed(way)))


def error_of(span: Span) -> str:
    """What a span says about its error: ``error.type``, the type of an exception event, a status code; or nothing."""
    for key in ("error.type", "exception.type"):
        if value := span.get(key):
            return str(value)
    for event in span.events:
        for key, value in event.attributes:
            if key == "exception.type" and value:
                return str(value)
    for key in ("http.response.status_code", "http.status_code", "rpc.grpc.status_code"):
        if (value := span.get(key)) is not None:
            return str(value)
    return ""


def host_of_call(span: Span) -> str:
    """Whom a CLIENT span says it calls, without a port; empty if it does not say."""
    name = callee(span)
    host, colon, port = name.rpartition(":")
    return host if colon and port.isdecimal() else name


def _skewed(caller: Span, called: Span) -> bool:
    """Whether a server's span sticks out of its caller's in a way no timeout explains."""
    if called.start_us < caller.start_us - SKEW_MIN_US:
        return True
    return called.end_us > caller.end_us + SKEW_MIN_US and not caller.is_error


def _pairs(counter: Counter[tuple[str, str]]) -> Pairs:
    return tuple((src, dst, count) for (src, dst), count in sorted(counter.items()) if count)


def _counts(counter: Counter[str]) -> Counts:
    return tuple((name, count) for name, count in sorted(counter.items()) if count)


__all__ = ["Held", "Origin", "Symptoms", "Unanswered", "error_of", "host_of_call", "symptoms_of"]
