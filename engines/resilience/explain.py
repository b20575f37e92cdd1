"""What a breaker tells of itself: why it moved, why it rejects, what would move it on.

It tells in numbers: ``Rejection``, ``Transition`` and ``Why`` are plain records that can be compared, counted and
saved. Each of them can say its numbers in a sentence (``why``, ``closes``), and these sentences are made here. Nothing
here decides anything.
"""

from typing import NamedTuple

from engines.resilience.policy import (
    PPM,
    Boundary,
    BreakerOptions,
    HalfOpenRule,
    JudgedOn,
    Waiting,
    WindowKind,
    percent,
    time_word,
)
from engines.resilience.states import Cause, State


class Rejection(NamedTuple):
    """A call that was not let through, and why."""

    state: State
    cause: Cause | None
    """What brought the breaker into this state; None: it has never moved."""
    wait_us: int
    """Until a call can be let through; 0: that depends on results, not on time."""
    probes: int
    """Probes that were permitted, all of them given away (half-open)."""

    @property
    def why(self) -> str:
        """In words: ``open: failure rate, 12.4 s left``."""
        if self.state is State.OPEN:
            left = f"{time_word(self.wait_us)} left" if self.wait_us else "the waiting ends now"
            return f"open: {self.cause or ''}, {left}"
        if self.state is State.HALF_OPEN:
            return f"half-open: {'the probe is' if self.probes == 1 else f'all {self.probes} probes are'} out"
        return "forced open"


class Transition(NamedTuple):
    """A change of state, with the numbers that decided it."""

    at_us: int
    src: State
    dst: State
    cause: Cause
    options: BreakerOptions
    """Those in force at that moment."""
    calls: int = 0
    """Results in the window that was judged, or results of probes so far."""
    bad: int = 0
    """How many of them had failed, or were slow where slowness decided."""
    lasted_us: int = 0
    """How long it had been in the state that it left."""

    @property
    def measured(self) -> str:
        """What was measured, in words: ``12 of 20 (60 %) failed``; where no rate decided, all there is to say."""
        match self.cause:
            case Cause.FAILURE_RATE:
                return f"{_share(self.bad, self.calls)} failed"
            case Cause.SLOW_RATE:
                return f"{_share(self.bad, self.calls)} over {time_word(self.options.slow_us)}"
            case Cause.WAIT_OVER if self.options.waiting is Waiting.LAZY:
                return f"a call came, the {time_word(self.options.wait_us)} were over"
            case Cause.HALF_OPEN_EXPIRED:
                return f"{time_word(self.lasted_us)} half-open, limit {time_word(self.options.half_open_max_us)}"
            case _:
                return self.why

    @property
    def why(self) -> str:
        """In words, with the numbers: ``12 of 20 (60 %) failed, threshold >= 50 %``."""
        options = self.options
        match self.cause:
            case Cause.FAILURE_RATE:
                limit = f"{options.failure_at.value} {percent(options.failure_ppm)}"
                return f"{self.measured}, threshold {limit}"
            case Cause.SLOW_RATE:
                longer = f"took longer than {time_word(options.slow_us)}"
                return f"{_share(self.bad, self.calls)} {longer}, threshold >= {percent(options.slow_ppm)}"
            case Cause.RATES_BELOW:
                limit = percent(options.failure_ppm)
                return f"{_share(self.bad, self.calls)} probes failed, below the threshold of {limit}"
            case Cause.WAIT_OVER:
                return _waited(options, self.lasted_us)
            case Cause.HALF_OPEN_EXPIRED:
                limit_us = options.half_open_max_us
                over = f", over the {time_word(limit_us)} now allowed," if self.lasted_us != limit_us else ""
                results = f"{self.calls} of {options.probes_needed} results"
                return f"half-open for {time_word(self.lasted_us)}{over} with {results}"
            case Cause.PROBE_ABANDONED:
                return f"{'an older call' if self.bad else 'the probe'} ended without a result"
            case Cause.PROBE_SUCCEEDED:
                return "the probe succeeded"
            case Cause.PROBE_FAILED:
                return f"the probe {'was too slow' if self.bad else 'failed'}"
            case Cause.LATE_SUCCESS:
                return f"{LATE_CALL} succeeded"
            case Cause.LATE_FAILURE:
                return f"{LATE_CALL} {'was too slow' if self.bad else 'failed'}"
            case Cause.CALL_REJECTED:
                return "a call was turned away while the probe was out, and counts as a failure (Hystrix #1853)"
            case _:
                return f"ordered: {self.cause.value}"


LATE_CALL = "a call that started before the breaker was half-open"


class Why(NamedTuple):
    """Why a breaker is where it is, and what would move it: all numbers as they are at one moment."""

    state: State
    since_us: int
    last: Transition | None
    """What moved it here; None: it has never moved."""
    options: BreakerOptions
    calls: int
    """In its window, and how many of them failed or were slow."""
    failures: int
    slow: int
    countdown_us: int
    """Until time alone may move it; 0: it cannot, or any call does."""
    probes_left: int
    probes_running: int

    @property
    def cause(self) -> Cause | None:
        """What moved it here."""
        return self.last.cause if self.last else None

    @property
    def reason(self) -> str:
        """The same in words."""
        return self.last.why if self.last else ""

    @property
    def judges_probes(self) -> bool:
        """Whether the window holds the results of probes now, to be judged by their rates."""
        return self.state is State.HALF_OPEN and self.options.half_open is HalfOpenRule.RATE

    @property
    def minimum(self) -> int:
        """Results below which nothing is judged."""
        return self.options.probes_needed if self.judges_probes else self.options.needed

    @property
    def rate_ppm(self) -> int:
        """The failures among the calls; -1: there are none."""
        return self.failures * PPM // self.calls if self.calls else -1

    @property
    def slow_ppm(self) -> int:
        """The slow ones among the calls; -1: there are none."""
        return self.slow * PPM // self.calls if self.calls else -1

    @property
    def closes(self) -> str:
        """What would move it on, in words and numbers."""
        return f"opens {self.condition}" if self.state is State.CLOSED else self.condition

    @property
    def condition(self) -> str:
        """The same without where it would go from closed, which is always open."""
        match self.state:
            case State.CLOSED:
                return _closed(self)
            case State.OPEN:
                return _open(self)
            case State.HALF_OPEN:
                return _half_open(self)
            case State.FORCED_OPEN:
                return "stays until it is reset: an order, not a judgement"
            case State.DISABLED:
                return "lets everything through and counts nothing until it is reset"
            case State.METRICS_ONLY:
                return "counts and never trips until it is reset"


# -- the pieces --------------------------------------------------------------------------------------------------


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole}" + (f" ({percent(part * PPM // whole)})" if whole else "")


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"


def span(options: BreakerOptions) -> str:
    """The calls that the window covers."""
    match options.window:
        case WindowKind.COUNT:
            return f"the last {_calls(options.size)}"
        case WindowKind.FIRES:
            return f"the calls asked for in {time_word(options.window_us)}"
        case WindowKind.TICK:
            return f"the calls of {options.buckets} completed buckets of {bucket_word(options)}"
        case _:
            return f"the calls of {time_word(options.window_us)}"


def bucket_word(options: BreakerOptions) -> str:
    """How long one bucket lasts."""
    return time_word(options.window_us // options.buckets)


def _waited(options: BreakerOptions, waited_us: int) -> str:
    if options.waiting is Waiting.TIMER:
        late = f", {time_word(waited_us)} after it opened" if waited_us != options.wait_us else ""
        return f"the timer of {time_word(options.wait_us)} ran out{late}"
    return f"first call after {time_word(options.wait_us)}, {time_word(waited_us)} after it opened"


def _closed(why: Why) -> str:
    options = why.options
    limit = f"when {options.failure_at.value} {percent(options.failure_ppm)} of {span(options)} failed"
    if why.slow:
        limit += f", or >= {percent(options.slow_ppm)} were slow (now {why.slow})"
    now = f"now {_share(why.failures, why.calls)}"
    short = why.minimum - why.calls
    if short > 0:
        return f"{limit}; {now}, {_calls(short)} short of the minimum of {why.minimum}"
    full = options.window is WindowKind.COUNT and why.calls == options.size
    above = options.failure_at is Boundary.ABOVE
    more = failures_to_trip(why.calls, why.failures, options.failure_ppm, above, full)
    if not more:
        return f"{limit}; {now}, and it cannot trip while a success is remembered"
    judged = f", judged every {bucket_word(options)}" if options.judged_on is JudgedOn.TICK else ""
    return f"{limit}; {now}, {more} more {'failure trips' if more == 1 else 'failures in a row trip'} it{judged}"


def failures_to_trip(calls: int, failures: int, threshold_ppm: int, above: bool, full: bool = False) -> int:
    """How many failures in a row, at least one, bring the rate to its threshold if nothing leaves the window.

    In a window by count that is full each of them takes the place of an older result, a success at best.

    The smallest n >= 1 with (failures + n) / (calls + n) >= threshold; 0 if no number does: a threshold of 100 % is
    not met while a success is remembered.
    """
    room = PPM if full else PPM - threshold_ppm
    if room == 0:
        return 1 if failures >= calls and not above else 0
    need = threshold_ppm * calls - failures * PPM + (1 if above else 0)
    return max(1, -(-need // room))


def _open(why: Why) -> str:
    options = why.options
    probes = "1 probe passes" if options.probes == 1 else f"{options.probes} probes pass"
    if options.waiting is Waiting.TIMER:
        return f"half-open in {time_word(why.countdown_us)} by a timer, then {probes}"
    if why.countdown_us:
        left = time_word(why.countdown_us)
        least = f"{left} or more" if options.wait_at is Boundary.AT else f"more than {left}"
        return f"the first call {least} from now makes it half-open, then {probes}"
    return f"the waiting is over: the next call makes it half-open, then {probes}"


def _half_open(why: Why) -> str:
    options = why.options
    limit = "waits for them without a limit" if options.half_open is HalfOpenRule.RATE else "waits without a limit"
    end = f"opens again in {time_word(why.countdown_us)}" if options.half_open_max_us else limit
    if options.rejection_reopens:
        end += "; a call that comes meanwhile is turned away and opens it again (a fault of Hystrix, #1853)"
    out = f"{why.probes_left} of {options.probes} probes left, {why.probes_running} running"
    if options.half_open is HalfOpenRule.RATE:
        judged = f"judged when {why.minimum} results are in, {why.calls} so far"
        return f"{judged}: closes if < {percent(options.failure_ppm)} failed; {out}; {end}"
    return f"closes if the next result is a success, opens if it is a failure; {out}; {end}"


__all__ = ["Rejection", "Transition", "Why", "bucket_word", "failures_to_trip", "span"]
