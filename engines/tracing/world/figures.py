"""Figures of the last five to ten seconds: a window that is being filled, and the one before it."""

from engines.sim.service import Latencies
from engines.units import PPM


class Figures:
    """Calls, errors and durations of one service, of one edge of the map, or of all users."""

    __slots__ = ("before", "calls", "errors", "now", "total")

    def __init__(self) -> None:
        self.total = 0
        """Calls in all."""
        self.calls = [0, 0]
        """In this window, in the one before."""
        self.errors = [0, 0]
        self.now = Latencies()
        self.before = Latencies()

    def count(self, us: int, failed: bool) -> None:
        """A call has ended."""
        self.total += 1
        self.calls[0] += 1
        self.errors[0] += failed
        self.now.record(max(0, us))

    def roll(self) -> None:
        """This window becomes the one before."""
        self.calls = [0, self.calls[0]]
        self.errors = [0, self.errors[0]]
        self.now, self.before = Latencies(), self.now

    def per_s(self, span_us: int) -> int:
        """Calls a second, over the time that both windows cover so far."""
        return round_div((self.calls[0] + self.calls[1]) * 1_000_000, span_us)

    def errors_ppm(self) -> int:
        """The share of calls that failed."""
        calls = self.calls[0] + self.calls[1]
        return (self.errors[0] + self.errors[1]) * PPM // calls if calls else 0

    def quantiles_us(self, *ppm: int) -> tuple[int, ...]:
        """Durations that this share of the calls does not exceed; 0 if there are none."""
        both = Latencies()
        both.add(self.before)
        both.add(self.now)
        return tuple(both.quantile_us(each) for each in ppm)


def round_div(a: int, b: int) -> int:
    """a / b, to the nearest whole number; 0 if b is."""
    return (a + b // 2) // b if b else 0
