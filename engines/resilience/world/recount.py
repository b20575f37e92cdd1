"""What a window should hold, counted anew from a plain list of results: slow, obvious, taken from the definitions.

A breaker's windows keep running totals in rings. Here nothing is kept but who ended when, and every question goes
through the whole list, so that the two can only agree if both are right.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from engines.resilience.policy import BreakerOptions, WindowKind
from engines.resilience.window import POLLY_RESOLUTION_US, POLLY_WINDOWS, Counts


class Seen(NamedTuple):
    """A result that a breaker was told."""

    at_us: int
    failed: bool
    slow: bool


def shape(options: BreakerOptions) -> tuple[object, ...]:
    """What makes a window another window."""
    if options.window is WindowKind.COUNT:
        return options.window, options.size
    return options.window, options.window_us, options.buckets


def countable(options: BreakerOptions) -> bool:
    """Whether a recount is defined here: not for Polly's tumbling window, whose start no list of results tells."""
    return options.window is not WindowKind.POLLY or options.window_us >= POLLY_WINDOWS * POLLY_RESOLUTION_US


def outdated(options: BreakerOptions, seen: Sequence[Seen], now_us: int, origin_us: int) -> int:
    """How many of the oldest results no window will ever hold again."""
    width_us = options.window_us // options.buckets
    match options.window:
        case WindowKind.COUNT:
            return max(0, len(seen) - options.size)
        case WindowKind.POLLY:
            kept = _polly(options.window_us, seen, now_us)
            return len(seen) - len(kept)
    oldest = (now_us - origin_us) // width_us - options.buckets
    count = 0
    for each in seen:
        if (each.at_us - origin_us) // width_us >= oldest:
            break
        count += 1
    return count


def recount(
    options: BreakerOptions, seen: Sequence[Seen], fires: Iterable[int], now_us: int, origin_us: int
) -> Counts:  # fmt: skip
    """What the window holds now, of everything since it was empty."""
    width_us = options.window_us // options.buckets

    def back(at_us: int) -> int:
        """How many buckets ago that was."""
        return (now_us - origin_us) // width_us - (at_us - origin_us) // width_us

    match options.window:
        case WindowKind.COUNT:
            inside = list(seen)[-options.size :]
        case WindowKind.TIME | WindowKind.FIRES:
            inside = [each for each in seen if back(each.at_us) < options.buckets]
        case WindowKind.TICK:
            inside = [each for each in seen if 1 <= back(each.at_us) <= options.buckets]
        case WindowKind.POLLY:
            inside = _polly(options.window_us, seen, now_us)
    calls = len(inside)
    if options.window is WindowKind.FIRES:
        calls = sum(1 for at_us in fires if back(at_us) < options.buckets)
    return Counts(calls, sum(each.failed for each in inside), sum(each.slow for each in inside))


def _polly(span_us: int, seen: Sequence[Seen], now_us: int) -> list[Seen]:
    """Sub-windows begin with the first result at least a tenth of the span after the last began."""
    inside: list[Seen] = []
    start_us: int | None = None
    for each in seen:
        if start_us is None or each.at_us - start_us >= span_us // POLLY_WINDOWS:
            start_us = each.at_us
        if now_us - start_us < span_us:
            inside.append(each)
    return inside
