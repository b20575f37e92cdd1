"""What the spans of one trace say about the system beyond time: calls without an answer, roots where none should be.

A tree with a hole has many possible reasons, and one trace cannot tell them apart. Counted over the newest traces they
can be told: whoever drops headers has callees that start traces; whoever loses spans has orphans. Nothing here knows
more than the spans.
"""

from collections import Counter
from typing import Final, NamedTuple

from engines.tracing.spans import Kind, Span
from engines.tracing.tree import Tree

SKEW_MIN_US: Final = 2_000
"""A server that starts this long before its caller, or ends this long after it, has another clock."""

Pairs = tuple[tuple[str, str, int], ...]


class Study(NamedTuple):
    """One trace. Pairs are (caller, called, how often)."""

    trace_id: str
    root: str
    """The service of the root; empty if the root is missing."""
    last_us: int
    """When the last of its spans ended."""
    edges: Pairs
    """Calls that both sides tell of."""
    handed: Pairs
    """Messages of a queue that both sides tell of: (producer, consumer, how many)."""
    silent: Pairs
    """Calls that went well, of which the called service tells nothing."""
    vanished: Pairs
    """Calls that were not answered in time, of which the called service knows nothing."""
    skewed: Pairs
    """Calls whose two sides cannot have the same clock."""
    orphans_own: tuple[tuple[str, int], ...]
    """Spans whose missing parent is of their own service, by service."""
    orphans: tuple[tuple[str, int], ...]
    """Requests served whose caller's span is missing, by the service that served."""
    errors: tuple[tuple[str, int], ...]
    """Failures that begin in this service: nothing it called had failed."""
    resends: tuple[tuple[str, int], ...]
    """Calls that were made again, by the service called."""
    hits: tuple[tuple[str, int], ...]
    misses: tuple[tuple[str, int], ...]


def study(trace_id: str, tree: Tree) -> Study:
    """Look at one trace."""
    edges: Counter[tuple[str, str]] = Counter()
    handed: Counter[tuple[str, str]] = Counter()
    silent: Counter[tuple[str, str]] = Counter()
    vanished: Counter[tuple[str, str]] = Counter()
    skewed: Counter[tuple[str, str]] = Counter()
    own: Counter[str] = Counter()
    orphans: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    resends: Counter[str] = Counter()
    lookups: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for index in range(tree.real):
        span = tree.spans[index]
        kids = tree.children[index]
        parent = tree.parent[index]
        if parent >= 0 and tree.is_missing(parent):
            (orphans if span.kind in (Kind.SERVER, Kind.CONSUMER) else own)[span.service] += 1
        if span.kind == Kind.CLIENT:
            peer = str(span.get("server.address") or "")
            if span.get("http.request.resend_count"):
                resends[peer] += 1
            if kids:
                edges[span.service, peer] += 1
                skewed[span.service, peer] += any(_skewed(span, tree.spans[kid]) for kid in kids)
            elif span.get("error.type") == "timeout":
                vanished[span.service, peer] += 1
            elif not span.is_error:
                silent[span.service, peer] += 1
        elif span.kind == Kind.PRODUCER:
            for kid in kids:
                handed[span.service, tree.spans[kid].service] += 1
        elif span.kind == Kind.SERVER:
            hit = span.get("cache.hit")
            if hit is not None:
                lookups[bool(hit)][span.service] += 1
            if span.is_error and not any(tree.spans[kid].is_error for kid in kids):
                errors[span.service] += 1
    root = tree.spans[tree.root]
    return Study(
        trace_id, "" if tree.is_missing(tree.root) else root.service, max(tree.end_us), _pairs(edges), _pairs(handed),
        _pairs(silent), _pairs(vanished), _pairs(skewed), _counts(own), _counts(orphans), _counts(errors),
        _counts(resends), _counts(lookups[1]), _counts(lookups[0]),
    )  # fmt: skip


def _skewed(caller: Span, called: Span) -> bool:
    """Whether a server's span sticks out of its caller's in a way no timeout explains."""
    if called.start_us < caller.start_us - SKEW_MIN_US:
        return True
    return called.end_us > caller.end_us + SKEW_MIN_US and not caller.is_error


def _pairs(counter: Counter[tuple[str, str]]) -> Pairs:
    return tuple((src, dst, count) for (src, dst), count in sorted(counter.items()) if count)


def _counts(counter: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple((name, count) for name, count in sorted(counter.items()) if count)
