"""Sliding windows: what a breaker remembers of the calls it saw.

Five ways to forget, each as a library does it. All take the time with every record, in integer microseconds that
never decrease, and keep running totals, so that a record costs the same however much is remembered:

    CountWindow    the last N results
    TimeWindow     N buckets aligned to multiples of their width; the running one counts
    FiresWindow    a TimeWindow whose calls are counted when they start, not when they end
    TickWindow     N completed buckets, summed up once a bucket's width; the running one does not count
    PollyWindow    up to ten sub-windows, each starting at the first result that finds the last one too old

``counts`` and ``buckets`` change nothing: a picture of a breaker must not make it forget. What is judged, and when,
is the breaker's business.

Sources: resilience4j (count and time windows), Hystrix (HealthCountsStream), Polly v8 (RollingHealthMetrics and
SingleHealthMetrics), opossum (Status).
"""

from collections import deque
from typing import Final, NamedTuple, Protocol

POLLY_WINDOWS: Final = 10
POLLY_RESOLUTION_US: Final = 20_000
"""Polly divides no window into parts shorter than this."""
NEVER: Final = 1 << 62
"""A time that does not come."""


class Counts(NamedTuple):
    """What a window holds."""

    calls: int
    failures: int
    slow: int


class Bucket(NamedTuple):
    """One part of a window, from ``start_us`` on. A CountWindow has no times: 0."""

    start_us: int
    calls: int
    failures: int
    slow: int


class Window(Protocol):
    """What every window can do."""

    calls: int
    failures: int
    slow: int
    """The totals as they were at the last record; ``counts`` tells them as they are."""

    def started(self, now_us: int) -> None:
        """A call was asked for; only some windows care."""

    def record(self, now_us: int, failed: bool, slow: bool) -> None:
        """A call ended."""

    def counts(self, now_us: int) -> Counts:
        """What a judgement at this moment would be based on."""

    def buckets(self, now_us: int) -> tuple[Bucket, ...]:
        """The parts, oldest first, as they are at this moment."""

    def reset(self, now_us: int) -> None:
        """Forget everything."""

    def next_us(self) -> int:
        """When the window wants to be judged by itself; NEVER for most."""


class CountWindow:
    """The last ``size`` results, however old they are."""

    __slots__ = ("at", "calls", "failures", "ring", "size", "slow")

    def __init__(self, size: int) -> None:
        assert size > 0
        self.size = size
        self.reset(0)

    def reset(self, now_us: int) -> None:
        """Forget everything."""
        self.ring = bytearray(self.size)
        self.at = 0
        self.calls = self.failures = self.slow = 0

    def started(self, now_us: int) -> None:
        """Starts are not counted."""

    def record(self, now_us: int, failed: bool, slow: bool) -> None:
        """The newest result takes the place of the oldest."""
        at = self.at
        if self.calls < self.size:
            self.calls += 1
        elif old := self.ring[at]:
            self.failures -= old & 1
            self.slow -= old >> 1
        new = failed + 2 * slow
        self.ring[at] = new
        if new:
            self.failures += failed
            self.slow += slow
        at += 1
        self.at = at if at < self.size else 0

    def counts(self, now_us: int) -> Counts:
        """The totals: time takes nothing away."""
        return Counts(self.calls, self.failures, self.slow)

    def buckets(self, now_us: int) -> tuple[Bucket, ...]:
        """Up to ten parts of the ring, oldest first."""
        order = self.ring[self.at :] + self.ring[: self.at] if self.calls == self.size else self.ring[: self.calls]
        width = max(1, -(-self.size // 10))
        parts = [order[start : start + width] for start in range(0, len(order), width)]
        return tuple(
            Bucket(0, len(part), part.count(1) + part.count(3), part.count(2) + part.count(3)) for part in parts
        )  # 1 has failed, 2 was slow, 3 both

    def next_us(self) -> int:
        """Nothing happens by itself."""
        return NEVER


class TimeWindow:
    """The last ``buckets - 1`` whole buckets and the running one, which all start at multiples of their width.

    The multiples are counted from ``origin_us``: 0 for windows that follow the clock's seconds, the moment of
    construction for those that follow a timer.

    A result is added to the totals only; ``earlier_*`` are the totals as the running bucket found them, and what it
    holds is worked out when it ends. So a success costs one addition.
    """

    __slots__ = (
        "calls",
        "calls_in",
        "earlier_calls",
        "earlier_failures",
        "earlier_slow",
        "edge_us",
        "failures",
        "failures_in",
        "index",
        "many",
        "origin_us",
        "slow",
        "slow_in",
        "width_us",
    )

    def __init__(self, span_us: int, buckets: int, now_us: int = 0, origin_us: int = 0) -> None:
        assert buckets > 0
        assert span_us >= buckets
        self.many = buckets
        self.width_us = span_us // buckets
        self.origin_us = origin_us
        self.reset(now_us)

    def reset(self, now_us: int) -> None:
        """Forget everything."""
        self._clear()
        self.index = 0
        self.edge_us = now_us - (now_us - self.origin_us) % self.width_us + self.width_us

    def _clear(self) -> None:
        self.calls = self.failures = self.slow = 0
        self.earlier_calls = self.earlier_failures = self.earlier_slow = 0
        self.calls_in = [0] * self.many
        self.failures_in = [0] * self.many
        self.slow_in = [0] * self.many

    def started(self, now_us: int) -> None:
        """Starts are not counted."""

    def record(self, now_us: int, failed: bool, slow: bool) -> None:
        """A result falls into the running bucket."""
        if now_us >= self.edge_us:
            self.advance(now_us)
        self.calls += 1
        if failed:
            self.failures += 1
        if slow:
            self.slow += 1

    def advance(self, now_us: int) -> None:
        """Make the bucket of this moment the running one; what is older than the window goes."""
        steps = (now_us - self.edge_us) // self.width_us + 1
        self.edge_us += steps * self.width_us
        if steps >= self.many:
            self._clear()
            return
        index = self.index
        self.calls_in[index] = self.calls - self.earlier_calls
        self.failures_in[index] = self.failures - self.earlier_failures
        self.slow_in[index] = self.slow - self.earlier_slow
        for _ in range(steps):
            self.index = index = (index + 1) % self.many
            self.calls -= self.calls_in[index]
            self.failures -= self.failures_in[index]
            self.slow -= self.slow_in[index]
            self.calls_in[index] = self.failures_in[index] = self.slow_in[index] = 0
        self.earlier_calls, self.earlier_failures, self.earlier_slow = self.calls, self.failures, self.slow

    def counts(self, now_us: int) -> Counts:
        """The sum of what is still inside."""
        if now_us < self.edge_us:
            return Counts(self.calls, self.failures, self.slow)
        parts = self.buckets(now_us)
        return Counts(sum(b.calls for b in parts), sum(b.failures for b in parts), sum(b.slow for b in parts))

    def buckets(self, now_us: int) -> tuple[Bucket, ...]:
        """All parts, oldest first; the last one is running."""
        steps = 0 if now_us < self.edge_us else (now_us - self.edge_us) // self.width_us + 1
        first_us = self.edge_us + (steps - self.many) * self.width_us
        found = []
        for place in range(self.many):
            start_us = first_us + place * self.width_us
            back = self.many - 1 - place - steps
            if back < 0:
                found.append(Bucket(start_us, 0, 0, 0))
            elif back == 0:
                running = (self.calls - self.earlier_calls, self.failures - self.earlier_failures)
                found.append(Bucket(start_us, *running, self.slow - self.earlier_slow))
            else:
                i = (self.index - back) % self.many
                found.append(Bucket(start_us, self.calls_in[i], self.failures_in[i], self.slow_in[i]))
        return tuple(found)

    def next_us(self) -> int:
        """Nothing happens by itself."""
        return NEVER


class FiresWindow(TimeWindow):
    """opossum's: every call counts when it is asked for, also one that is rejected; failures when they arrive.

    A long call may fail after its start has left the window, so failures can outnumber calls.
    """

    __slots__ = ()

    def started(self, now_us: int) -> None:
        """A call was fired."""
        if now_us >= self.edge_us:
            self.advance(now_us)
        self.calls += 1

    def record(self, now_us: int, failed: bool, slow: bool) -> None:
        """Its result adds only what was wrong with it."""
        if now_us >= self.edge_us:
            self.advance(now_us)
        if failed:
            self.failures += 1
        if slow:
            self.slow += 1


class TickWindow:
    """Hystrix's health counts: the last ``buckets`` completed buckets, as they stood at the last tick.

    A reset starts the ticks anew, from the moment of the reset.
    """

    __slots__ = ("calls", "failures", "inner", "slow", "tick_us")

    def __init__(self, span_us: int, buckets: int, now_us: int = 0) -> None:
        width_us = span_us // buckets
        self.inner = TimeWindow(width_us * (buckets + 1), buckets + 1, now_us, origin_us=now_us)
        self._forget()

    def _forget(self) -> None:
        self.calls = self.failures = self.slow = 0
        self.tick_us = NEVER

    def reset(self, now_us: int) -> None:
        """Forget everything; the next tick comes one width from now."""
        self.inner.origin_us = now_us
        self.inner.reset(now_us)
        self._forget()

    def started(self, now_us: int) -> None:
        """Starts are not counted."""

    def record(self, now_us: int, failed: bool, slow: bool) -> None:
        """A result falls into the running bucket and counts from the next tick on."""
        self.inner.record(now_us, failed, slow)
        if self.tick_us == NEVER:
            self.tick_us = self.inner.edge_us

    def tick(self) -> int:
        """Sum up what is completed at the tick that is due; return its time. Without calls the ticks stop."""
        at_us = self.tick_us
        self.calls, self.failures, self.slow = self.counts(at_us)
        left = self.inner.counts(at_us).calls
        self.tick_us = at_us + self.inner.width_us if left else NEVER
        return at_us

    def counts(self, now_us: int) -> Counts:
        """What the last tick saw."""
        parts = self.inner.buckets(now_us)[:-1]
        return Counts(sum(b.calls for b in parts), sum(b.failures for b in parts), sum(b.slow for b in parts))

    def buckets(self, now_us: int) -> tuple[Bucket, ...]:
        """The completed parts and, last, the running one, which does not count."""
        return self.inner.buckets(now_us)

    def next_us(self) -> int:
        """The next tick at which there is anything to see."""
        return self.tick_us


class PollyWindow:
    """Polly's rolling window: sub-windows start when a result finds the last one a tenth of the span old.

    They are not aligned to anything. A sub-window is dropped as a whole when its start is a span ago. A span below
    200 ms is one tumbling window: it starts over with the first result that finds it a span old.
    """

    __slots__ = ("calls", "failures", "parts", "slow", "span_us", "start_us", "tumbling", "width_us")

    def __init__(self, span_us: int, now_us: int = 0) -> None:
        assert span_us > 0
        self.span_us = span_us
        self.tumbling = span_us < POLLY_WINDOWS * POLLY_RESOLUTION_US
        self.width_us = span_us if self.tumbling else span_us // POLLY_WINDOWS
        self.reset(now_us)

    def reset(self, now_us: int) -> None:
        """Forget everything."""
        self.calls = self.failures = self.slow = 0
        self.parts: deque[list[int]] = deque()
        self.start_us = now_us

    def started(self, now_us: int) -> None:
        """Starts are not counted."""

    def record(self, now_us: int, failed: bool, slow: bool) -> None:
        """A result goes into the newest sub-window, or starts one."""
        part = self._current(now_us)
        self.calls += 1
        part[1] += 1
        if failed:
            self.failures += 1
            part[2] += 1
        if slow:
            self.slow += 1
            part[3] += 1

    def _current(self, now_us: int) -> list[int]:
        if self.tumbling:
            if now_us - self.start_us >= self.span_us:
                self.reset(now_us)
            if not self.parts:
                self.parts.append([self.start_us, 0, 0, 0])
            return self.parts[-1]
        if not self.parts or now_us - self.parts[-1][0] >= self.width_us:
            self.parts.append([now_us, 0, 0, 0])
        while now_us - self.parts[0][0] >= self.span_us:
            _, calls, failures, slow = self.parts.popleft()
            self.calls -= calls
            self.failures -= failures
            self.slow -= slow
        return self.parts[-1]

    def counts(self, now_us: int) -> Counts:
        """The sum of the sub-windows that are not too old."""
        parts = self.buckets(now_us)
        return Counts(sum(b.calls for b in parts), sum(b.failures for b in parts), sum(b.slow for b in parts))

    def buckets(self, now_us: int) -> tuple[Bucket, ...]:
        """The sub-windows that are not too old, oldest first."""
        return tuple(Bucket(*part) for part in self.parts if now_us - part[0] < self.span_us)

    def next_us(self) -> int:
        """Nothing happens by itself."""
        return NEVER
