"""A breaker in words: why it moved, why it rejects, what would move it on. Numbers first, then what they mean.

Pure functions of the options and of counts; nothing here decides anything.
"""

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from engines.resilience.states import Why


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


def failure_rate(options: BreakerOptions, calls: int, failures: int) -> str:
    """Too many failures."""
    limit = f"{options.failure_at.value} {percent(options.failure_ppm)}"
    return f"{_share(failures, calls)} failed, threshold {limit}"


def slow_rate(options: BreakerOptions, calls: int, slow: int) -> str:
    """Too many slow calls."""
    limit = f">= {percent(options.slow_ppm)}"
    return f"{_share(slow, calls)} took longer than {time_word(options.slow_us)}, threshold {limit}"


def rates_below(options: BreakerOptions, calls: int, failures: int) -> str:
    """The probes were good enough."""
    return f"{_share(failures, calls)} probes failed, below the threshold of {percent(options.failure_ppm)}"


def waited(options: BreakerOptions, waited_us: int) -> str:
    """The waiting is over."""
    if options.waiting is Waiting.TIMER:
        late = f", {time_word(waited_us)} after it opened" if waited_us != options.wait_us else ""
        return f"the timer of {time_word(options.wait_us)} ran out{late}"
    return f"first call after {time_word(options.wait_us)}, {time_word(waited_us)} after it opened"


def decided(late: bool, failed: bool, slow: bool) -> str:
    """One result decided."""
    end = "failed" if failed else "was too slow" if slow else "succeeded"
    if late:
        return f"a call that started before the breaker was half-open {end}"
    return f"the probe {end}"


def abandoned(late: bool) -> str:
    """A call was cancelled."""
    return f"{'an older call' if late else 'the probe'} ended without a result"


def expired(options: BreakerOptions, lasted_us: int, results: int) -> str:
    """Half-open for too long."""
    limit_us = options.half_open_max_us
    over = f", over the {time_word(limit_us)} now allowed," if lasted_us != limit_us else ""
    return f"half-open for {time_word(lasted_us)}{over} with {results} of {options.probes_needed} results"


def ordered(cause: str) -> str:
    """A person wanted it."""
    return f"ordered: {cause}"


def rejection(state: str, cause: str, wait_us: int, probes: int) -> str:
    """Why a call does not pass."""
    if state == "open":
        left = f"{time_word(wait_us)} left" if wait_us else "the waiting ends now"
        return f"open: {cause}, {left}"
    if state == "half_open":
        return f"half-open: {'the probe is' if probes == 1 else f'all {probes} probes are'} out"
    return "forced open"


def outlook(options: BreakerOptions, why: "Why") -> str:
    """What would move a breaker on."""
    match why.state:
        case "closed":
            return _closed(options, why)
        case "open":
            return _open(options, why)
        case "half_open":
            return _half_open(options, why)
        case "forced_open":
            return "stays until it is reset: an order, not a judgement"
        case "disabled":
            return "lets everything through and counts nothing until it is reset"
        case _:
            return "counts and never trips until it is reset"


def _closed(options: BreakerOptions, why: "Why") -> str:
    limit = f"opens when {options.failure_at.value} {percent(options.failure_ppm)} of {span(options)} failed"
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


def _open(options: BreakerOptions, why: "Why") -> str:
    probes = "1 probe passes" if options.probes == 1 else f"{options.probes} probes pass"
    if options.waiting is Waiting.TIMER:
        return f"half-open in {time_word(why.countdown_us)} by a timer, then {probes}"
    if why.countdown_us:
        exactly = "from" if options.wait_at is Boundary.AT else "after"
        return f"the first call {exactly} {time_word(why.countdown_us)} on makes it half-open, then {probes}"
    return f"the waiting is over: the next call makes it half-open, then {probes}"


def _half_open(options: BreakerOptions, why: "Why") -> str:
    end = f"opens again in {time_word(why.countdown_us)}" if options.half_open_max_us else "waits as long as it takes"
    out = f"{why.probes_left} of {why.probes_permitted} probes left, {why.probes_running} running"
    if options.half_open is HalfOpenRule.RATE:
        judged = f"judged when {why.minimum} results are in, {why.calls} so far"
        return f"{judged}: closes if < {percent(options.failure_ppm)} failed; {out}; {end}"
    return f"closes if the next result is a success, opens if it is a failure; {out}; {end}"
