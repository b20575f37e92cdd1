"""A circuit breaker: one state machine that can be any of the common ones.

    CLOSED      calls pass; their results fill a window; a rate at its threshold trips the breaker
    OPEN        calls are rejected at once, until the waiting is over
    HALF_OPEN   a few probes pass; their results decide

The machine is the table ``TRANSITIONS``; ``Breaker._move`` is its only door, and it knows no edge that the table does
not have:

    closed      failure rate, slow call rate ---------------------------------> open
    open        wait over ----------------------------------------------------> half_open
    half_open   probe succeeded, late success, rates below thresholds --------> closed
    half_open   probe failed, probe abandoned, late failure, failure rate,
                slow call rate, a call was turned away, half-open too long ---> open
    any state   reset --------------------------------------------------------> closed
    any state   disable ------------------------------------------------------> disabled
    any state   metrics only -------------------------------------------------> metrics_only
    any state   force open ---------------------------------------------------> forced_open

How the edges are reached is told by ``BreakerOptions``. Time is passed in, in microseconds that never
decrease; the breaker fetches nothing and starts nothing. ``poll`` makes the changes that time alone brings about, and
the other calls poll first, so a caller that never polls misses no change: it only hears of it later, with the time at
which it was due.

A permit is a number, the *era* in which it was given. Every transition begins a new era, so a result whose permit is
of an older one is late, and a permit of a half-open era is a probe. The admitted call costs nothing but that number;
reasons are built for rejections and transitions.

Source: M. Nygard, Release It! (2nd ed.), chapter 5; the libraries named in ``presets.py``.
"""

from collections import deque
from typing import Final

from engines.resilience.explain import Rejection, Transition, Why
from engines.resilience.policy import (
    PPM,
    Boundary,
    BreakerOptions,
    HalfOpenRule,
    JudgedOn,
    LateRule,
    ReleaseRule,
    Waiting,
    WindowKind,
)
from engines.resilience.presets import preset
from engines.resilience.states import ORDERS, TRANSITIONS, Cause, Permit, State
from engines.resilience.window import (
    NEVER,
    CountWindow,
    FiresWindow,
    PollyWindow,
    TickWindow,
    TimeWindow,
    Window,
)

HISTORY_MAX: Final = 32
"""Transitions that a breaker remembers."""


def make_window(options: BreakerOptions, now_us: int) -> Window:
    """The window that the options describe, empty."""
    match options.window:
        case WindowKind.COUNT:
            return CountWindow(options.size)
        case WindowKind.TIME:
            return TimeWindow(options.window_us, options.buckets, now_us)
        case WindowKind.FIRES:
            return FiresWindow(options.window_us, options.buckets, now_us, origin_us=now_us)
        case WindowKind.TICK:
            return TickWindow(options.window_us, options.buckets, now_us)
        case WindowKind.POLLY:
            return PollyWindow(options.window_us, now_us)


class Breaker:
    """The machine. ``acquire`` before a call; then ``result``, or ``release`` or ``refused`` if there was none."""

    __slots__ = (
        "_due_us",
        "_failure_ppm",
        "_judges_success",
        "_minimum",
        "_over",
        "_quick_us",
        "_slow_ppm",
        "_slow_us",
        "_ticks",
        "calm",
        "cause",
        "era",
        "fresh",
        "history",
        "options",
        "probes_left",
        "probes_running",
        "since_us",
        "state",
        "timeless",
        "window",
    )

    def __init__(self, options: BreakerOptions, now_us: int = 0) -> None:
        self.state = State.CLOSED
        self.cause: Cause | None = None
        self.since_us = now_us
        self.era: Permit = 0
        self.probes_left = 0
        self.probes_running = 0
        self.history: deque[Transition] = deque(maxlen=HISTORY_MAX)
        self.fresh: deque[Transition] = deque(maxlen=HISTORY_MAX)
        self._install(options)
        self.window: Window = make_window(options, now_us)
        self._plan()

    @classmethod
    def of(cls, name: str, now_us: int = 0) -> "Breaker":
        """A breaker as a preset has it, by the preset's name. UserError with the names there are."""
        return cls(preset(name).options, now_us)

    def _install(self, options: BreakerOptions) -> None:
        self.options = options
        self._failure_ppm = options.failure_ppm
        self._over = 1 if options.failure_at is Boundary.ABOVE else 0
        self._slow_us = options.slow_us or NEVER
        self._slow_ppm = options.slow_ppm
        self._minimum = options.needed
        self._judges_success = options.judged_on is JudgedOn.RESULT
        self._ticks = options.judged_on is JudgedOn.TICK

    def _plan(self) -> None:
        """When time alone moves the breaker, and until when a call needs no more than the short way.

        ``calm`` is a closed breaker without a timer whose window does not care for starts: every call may start. It
        is ``timeless`` if durations do not matter either, so that nobody need know when a call started. How long the
        results may go the short way too, ``_judged`` says.
        """
        options = self.options
        self._due_us = NEVER
        self._quick_us = -1
        self.calm = self.timeless = False
        match self.state:
            case State.CLOSED:
                self._due_us = self.window.next_us()
                self.calm = options.window not in (WindowKind.TICK, WindowKind.FIRES)
                self.timeless = self.calm and not options.slow_us
            case State.OPEN if options.waiting is Waiting.TIMER:
                self._due_us = self.since_us + options.wait_us
            case State.HALF_OPEN if options.half_open_max_us:
                self._due_us = self.since_us + options.half_open_max_us

    # -- a call ----------------------------------------------------------------------------------------------------

    def acquire(self, now_us: int) -> Permit | Rejection:
        """May a call start now? A permit (an int) or the reason why not."""
        return self.era if self.calm else self._acquire(now_us)

    def _acquire(self, now_us: int) -> Permit | Rejection:
        if now_us >= self._due_us:
            self.poll(now_us)
        if self.state is not State.DISABLED:
            self.window.started(now_us)
        if self.state is State.CLOSED:
            return self.era
        if self.state is State.OPEN and self._waited(now_us):
            self._move(now_us, Cause.WAIT_OVER)
        match self.state:
            case State.HALF_OPEN if self.probes_left:
                self.probes_left -= 1
                self.probes_running += 1
                return self.era
            case State.OPEN | State.HALF_OPEN | State.FORCED_OPEN:
                rejection = Rejection(self.state, self.cause, self.countdown_us(now_us), self.options.probes)
                if self.state is State.HALF_OPEN and self.options.rejection_reopens:
                    self._move(now_us, Cause.CALL_REJECTED)
                return rejection
            case _:
                return self.era

    def _waited(self, now_us: int) -> bool:
        """Whether a call at this moment ends the waiting."""
        if self.options.waiting is Waiting.TIMER:
            return False
        over_us = now_us - self.since_us - self.options.wait_us
        return over_us >= 0 if self.options.wait_at is Boundary.AT else over_us > 0

    def result(self, permit: Permit, now_us: int, failed: bool, duration_us: int = 0) -> Transition | None:
        """A call that was let through ended; the transition that this caused, if it did."""
        if now_us < self._quick_us and not failed and duration_us <= self._slow_us:
            self.window.calls += 1
            return None
        return self._result(permit, now_us, failed, duration_us > self._slow_us)

    def _result(self, permit: Permit, now_us: int, failed: bool, slow: bool) -> Transition | None:
        if now_us >= self._due_us:
            self.poll(now_us)
        if self.state is State.CLOSED:
            self.window.record(now_us, failed, slow)
            return self._judged(now_us, failed)
        late = permit != self.era
        match self.state:
            case State.HALF_OPEN:
                if late and self.options.late is LateRule.IGNORED:
                    return None
                if not late:
                    self.probes_running -= 1
                self.window.record(now_us, failed, slow)
                return self._decide(now_us, failed, slow, late)
            case State.OPEN if self.options.late is LateRule.AS_ANY:
                self.window.record(now_us, failed, slow)
            case State.METRICS_ONLY:
                self.window.record(now_us, failed, slow)
        return None

    def _judged(self, now_us: int, failed: bool) -> Transition | None:
        """A result was counted in a closed breaker: is it judged, and does it trip?

        If it does not, quick successes may follow until the running bucket ends: nothing leaves the window before
        that, so a success can only lower the rates; it could bring the minimum about, but that is reached, or there is
        nothing to judge.
        """
        window = self.window
        if self._ticks:
            self._due_us = window.next_us()
            return None
        enough = window.calls >= self._minimum
        if enough and (failed or self._judges_success):
            moved = self._judge(now_us)
            if moved is not None:
                return moved
        if type(window) is TimeWindow:
            self._quick_us = window.edge_us if enough or not (window.failures or window.slow) else -1
        return None

    def _judge(self, at_us: int) -> Transition | None:
        """Hold the window against the thresholds. Its totals are up to date: something was just recorded."""
        window = self.window
        calls, failures = window.calls, window.failures
        if failures and failures * PPM - self._failure_ppm * calls >= self._over:
            return self._move(at_us, Cause.FAILURE_RATE, calls, failures)
        if window.slow and window.slow * PPM >= self._slow_ppm * calls:
            return self._move(at_us, Cause.SLOW_RATE, calls, window.slow)
        return None

    def _decide(self, at_us: int, failed: bool, slow: bool, late: bool) -> Transition | None:
        """What a result means to a half-open breaker. Where slowness is judged, a slow probe is a bad one."""
        if self.options.half_open is HalfOpenRule.RATE:
            return self._decide_by_rates(at_us)
        if failed or slow:
            return self._move(at_us, Cause.LATE_FAILURE if late else Cause.PROBE_FAILED, bad=int(slow and not failed))
        moved = self._move(at_us, Cause.LATE_SUCCESS if late else Cause.PROBE_SUCCEEDED)
        if self.options.probe_counts:
            self.window.record(at_us, False, False)
            self._plan()
        return moved

    def _decide_by_rates(self, at_us: int) -> Transition | None:
        calls, failures = self.window.calls, self.window.failures
        if calls < self.options.probes_needed:
            return None
        return self._judge(at_us) or self._move(at_us, Cause.RATES_BELOW, calls, failures)

    def release(self, permit: Permit, now_us: int) -> Transition | None:
        """A call that was let through ended without a result: it was cancelled."""
        if now_us >= self._due_us:
            self.poll(now_us)
        match self.options.released:
            case ReleaseRule.SUCCESS:
                return self._result(permit, now_us, False, False)
            case ReleaseRule.FAILURE:
                return self._result(permit, now_us, True, False)
        if self.state is not State.HALF_OPEN:
            return None
        mine = permit == self.era
        if mine:
            self.probes_running -= 1
        if not mine and self.options.late is LateRule.IGNORED:
            return None
        if self.options.released is ReleaseRule.RETURNED:
            self.probes_left += 1
            return None
        return self._move(now_us, Cause.PROBE_ABANDONED, bad=int(not mine))

    def refused(self, permit: Permit, now_us: int) -> Transition | None:
        """A call that was let through here was rejected further in, by a bulkhead or a limiter."""
        if self.options.inner_rejections:
            return self.result(permit, now_us, True, 0)
        return self.release(permit, now_us)

    # -- time ------------------------------------------------------------------------------------------------------

    def next_us(self) -> int | None:
        """When ``poll`` has something to do at the earliest."""
        return None if self._due_us == NEVER else self._due_us

    def poll(self, now_us: int) -> Transition | None:
        """Make the changes that time has brought about; the last transition among them."""
        last = None
        while self._due_us <= now_us:
            last = self._timed(self._due_us) or last
        return last

    def _timed(self, at_us: int) -> Transition | None:
        match self.state:
            case State.OPEN:
                return self._move(at_us, Cause.WAIT_OVER)
            case State.HALF_OPEN:
                results = self.window.calls if self.options.half_open is HalfOpenRule.RATE else 0
                return self._move(at_us, Cause.HALF_OPEN_EXPIRED, results)
        window = self.window
        assert isinstance(window, TickWindow)
        window.tick()
        self._due_us = window.next_us()
        return self._judge(at_us) if window.calls >= self._minimum else None

    # -- orders ----------------------------------------------------------------------------------------------------

    def order(self, cause: Cause, now_us: int) -> Transition:
        """Carry out one of ``ORDERS``: reset, disable, count only, force open."""
        assert cause in ORDERS, cause
        self.poll(now_us)
        return self._move(now_us, cause)

    def retune(self, options: BreakerOptions, now_us: int) -> None:
        """Go on under other options: the state stays, and so does the window if its shape does.

        A half-open breaker whose rule for probes changes begins its round anew; probes that are out count for it.
        A limit on time that is over already acts now: what was is not rewritten.
        """
        self.poll(now_us)
        before = self.options
        self._install(options)
        trial = self.state is State.HALF_OPEN and options.half_open is HalfOpenRule.RATE
        again = (before.half_open, before.probes) != (options.half_open, options.probes)
        if self.state is State.HALF_OPEN and again:
            self.probes_left = max(0, options.probes - self.probes_running)
            self.window = CountWindow(options.probes) if trial else make_window(options, now_us)
        elif not trial and _shape(before) != _shape(options):
            self.window = make_window(options, now_us)
        self._plan()
        self._due_us = max(self._due_us, now_us)
        self.poll(now_us)
        if self.state is State.HALF_OPEN and options.half_open is HalfOpenRule.RATE:
            self._decide_by_rates(now_us)

    def _move(self, at_us: int, cause: Cause, calls: int = 0, bad: int = 0) -> Transition:
        """The only door between states."""
        src = self.state
        dst = TRANSITIONS.get((src, cause))
        assert dst is not None, f"a breaker that is {src.value} cannot be moved by {cause.value!r}"
        moved = Transition(at_us, src, dst, cause, self.options, calls, bad, at_us - self.since_us)
        self.state = dst
        self.cause = cause
        self.since_us = at_us
        self.era += 1
        self.probes_left = self.probes_running = 0
        if dst is State.HALF_OPEN:
            self.probes_left = self.options.probes
            if self.options.half_open is HalfOpenRule.RATE:
                self.window = CountWindow(self.options.probes)
        elif dst is not State.OPEN and self.options.half_open is HalfOpenRule.RATE:
            self.window = make_window(self.options, at_us)
        elif dst is not State.OPEN and (self.options.reset_on_close or cause in ORDERS):
            self.window.reset(at_us)
        self.history.append(moved)
        self.fresh.append(moved)
        self._plan()
        return moved

    def drain(self) -> tuple[Transition, ...]:
        """The transitions since the last time this was asked, oldest first."""
        if not self.fresh:
            return ()
        found = tuple(self.fresh)
        self.fresh.clear()
        return found

    # -- looking ---------------------------------------------------------------------------------------------------

    def countdown_us(self, now_us: int) -> int:
        """How long until time alone, or a call after it, may move the breaker."""
        if self.state is State.OPEN:
            return max(0, self.since_us + self.options.wait_us - now_us)
        if self.state is State.HALF_OPEN and self.options.half_open_max_us:
            return max(0, self.since_us + self.options.half_open_max_us - now_us)
        return 0

    def why(self, now_us: int) -> Why:
        """Everything there is to say about it; changes nothing."""
        calls, failures, slow = self.window.counts(now_us)
        return Why(
            state=self.state,
            since_us=self.since_us,
            last=self.history[-1] if self.history else None,
            options=self.options,
            calls=calls,
            failures=failures,
            slow=slow,
            countdown_us=self.countdown_us(now_us),
            probes_left=self.probes_left,
            probes_running=self.probes_running,
        )


def _shape(options: BreakerOptions) -> tuple[object, ...]:
    if options.window is WindowKind.COUNT:
        return options.window, options.size
    return options.window, options.window_us, options.buckets


__all__ = [
    "ORDERS",
    "TRANSITIONS",
    "Breaker",
    "BreakerOptions",
    "Cause",
    "Permit",
    "Rejection",
    "State",
    "Transition",
    "Why",
    "make_window",
]
