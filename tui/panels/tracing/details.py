"""What pictures, inspector and keys all want to know of spans, in one place: kinds of waiting, inks, words."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from engines.tracing import waiting
from engines.tracing.aggregate import P50, P90, P99, percentile
from engines.tracing.spans import Kind, Span
from engines.tracing.world.snapshot import Snapshot
from engines.units import PPM, fixed, percent
from tui.canvas import Ink
from tui.glyphs import Glyphs
from tui.panel import Figure
from tui.panels.tracing.world_words import score_words


class Wait(NamedTuple):
    """A kind of time in which nothing is computed, and how it is drawn."""

    kind: waiting.Time
    ink: Ink
    glyph: str
    """A field of the glyph table."""
    guess: bool = False
    """Whether only the name of the span speaks for it."""


WAITS: Final = {
    waiting.POOL: Wait(waiting.POOL, "bad", "block"),
    waiting.QUEUE: Wait(waiting.QUEUE, "warn", "queued"),
    waiting.LOCK: Wait(waiting.LOCK, "candidate", "block"),
    waiting.BACKOFF: Wait(waiting.BACKOFF, "precandidate", "queued"),
}  # fmt: skip

KINDS: Final = {
    Kind.UNSPECIFIED: "no kind", Kind.INTERNAL: "INTERNAL", Kind.SERVER: "SERVER", Kind.CLIENT: "CLIENT",
    Kind.PRODUCER: "PRODUCER", Kind.CONSUMER: "CONSUMER",
}  # fmt: skip


@lru_cache(maxsize=16)
def _wait(spent: waiting.Spent) -> Wait | None:
    wait = WAITS.get(spent.kind)
    return wait._replace(guess=spent.guess) if wait is not None else None


def wait_of(span: Span) -> Wait | None:
    """What kind of waiting a span is; None: it is work."""
    return _wait(waiting.spent_on(span))


def saturation(span: Span) -> tuple[str, ...]:
    """What a wait saw when it began, the shortest last: ``10/10 in use`` and ``34 waiting``; none: it does not tell."""
    wait = wait_of(span)
    if wait is None:
        return ()
    if wait.kind == waiting.BACKOFF:
        attempt = span.get("retry.attempt")
        return (f"before attempt {attempt}",) if attempt is not None else ()
    used, limit, others = waiting.saturation(span, wait.kind)
    parts = []
    if limit != waiting.UNKNOWN:
        held = "workers busy" if wait.kind == waiting.QUEUE else "in use"
        parts.append(f"{used if used != waiting.UNKNOWN else '?'}/{limit} {held}")
    if others != waiting.UNKNOWN:
        parts.append(f"{others} {'queued' if wait.kind == waiting.QUEUE else 'waiting'}")
    return tuple(parts)


# -- numbers as people say them --------------------------------------------------------------------------------------


def brief(us: int) -> str:
    """The same without the blank, for columns: ``998ms``."""
    return fixed(us).replace(" ", "")


HUNDRED: Final = 100


def tail(count: int) -> str:
    """What the slowest of so many are called, wherever they stand: of fewer than a hundred no percentile speaks."""
    return "p99" if count >= HUNDRED else "max"


class Scale(NamedTuple):
    """What is usual: percentiles of the traces of one root operation, or of all where it has few."""

    p50_us: int
    p90_us: int
    p99_us: int


def scale(values: Sequence[int]) -> Scale:
    """Their percentiles, by nearest rank; zeros of nothing."""
    ordered = sorted(values)
    return Scale(*(percentile(ordered, ppm) for ppm in (P50, P90, P99))) if ordered else Scale(0, 0, 0)


def heat(us: int, usual: Scale) -> Ink:
    """How hot a latency is: warn above p90, bad from p99, unless that is hardly more than the median."""
    if us >= usual.p99_us and us >= 2 * usual.p50_us:
        return "bad"
    return "warn" if us > usual.p90_us and 2 * us >= 3 * usual.p50_us else "good"


def level(us: int, glyphs: Glyphs, low_us: int, high_us: int) -> str:
    """A latency as one character, on a scale that doubles: heat without colour."""
    steps = len(glyphs.levels) - 1
    if us <= low_us or high_us <= low_us:
        return glyphs.levels[1]
    reach = (high_us // max(1, low_us)).bit_length() or 1
    at = (us // max(1, low_us)).bit_length()
    return glyphs.levels[min(steps, 1 + at * (steps - 1) // reach)]


def middle(values: Sequence[int]) -> int:
    """The median; 0 of nothing."""
    return sorted(values)[len(values) // 2] if values else 0


# -- a run summed up -------------------------------------------------------------------------------------------------


def figures(snapshot: Snapshot) -> tuple[Figure, ...]:
    """Requests of the last two minutes, latency of the newest traces that are stored, the collector, the verdict."""
    store, done = snapshot.collector, sorted(row.duration_us for row in snapshot.traces if row.complete)
    requests = sum(sample.requests for sample in snapshot.series)
    errors = sum(sample.errors for sample in snapshot.series)
    p50_us, p99_us = percentile(done, P50), percentile(done, P99)
    judged = score_words(snapshot.score, snapshot.verdicts, snapshot.injected)
    return (
        Figure("requests", requests),
        Figure("requests_failed", errors, f"{errors:,} ({percent(errors * PPM // max(1, requests))})"),
        Figure("traces_stored", store.traces),
        Figure("spans_received", store.received),
        Figure("spans_lost", store.lost_spans),
        Figure("spans_late", store.late_spans),
        Figure("trace_p50_us", p50_us, fixed(p50_us)),
        Figure("trace_p99_us", p99_us, fixed(p99_us)),
        Figure("calls_per_request", round(sum(each.calls for each in snapshot.series) / max(1, requests), 1)),
        *(Figure("verdict", f"{each.kind} {each.service}") for each in snapshot.verdicts[:1]),
        *((Figure("score", snapshot.score.value, judged),) if judged else ()),
    )
