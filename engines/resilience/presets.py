"""Named breakers: what the article and four libraries do by default, as options of the one machine.

The numbers are the libraries' defaults. Where they differ in more than numbers:

    article          50 %, 10 s, 30 s. It names no minimum; without one a single failed call is 100 % and trips, so
                     20 are required here. Only the probe decides a half-open breaker.
    hystrix          judges on a timer of 500 ms, and only completed buckets, so it trips late. Waits lazily: a call
                     exactly 5 s after opening is still rejected. Any result that arrives while it is half-open
                     decides. A probe that is cancelled opens it again. Closing starts metrics and timer anew, and
                     only then the probe is counted: the window begins with one good call. As 1.5.13 and later have
                     it, a call that is turned away while the probe is out opens it again and starts the wait anew.
                     That is a known fault (Netflix/Hystrix #1853, #1861), and the answer to "why does my Hystrix
                     never close": under steady calls a probe that takes long is always overtaken by one.
    resilience4j     judges every result, also a success; slow calls have a rate of their own. A call exactly 60 s
                     after opening is still rejected. Ten probes fill a window of ten; nothing is decided before all
                     results are in, so a probe that never ends keeps it half-open for ever (no maximum by default).
                     A call of an older state that is cancelled meanwhile gives a permit back here: an eleventh probe.
    resilience4j-time  the same over 100 buckets of a second. Its minimum is not cut to the size of the window.
    polly            trips at 10 %, but only on a failure. A call exactly at the end of the break is the probe. What
                     it does not handle, as a cancellation, counts as a success.
    opossum          its rate is failures by *fires*: calls as they start, also rejected ones and those still running.
                     Needs more than 50 %, judged on failures, from the first call on. A timer ends the waiting. It
                     forgets nothing when it closes. A call that is turned away or aborted further in has failed.

Results of calls that started before a transition and end after it: Hystrix, Polly and opossum look only at the state
that they find, so such a result closes or re-opens a half-open breaker; in resilience4j it is one of the results in
the window of the probes, and in an open breaker it is counted and cannot trip.
"""

from dataclasses import dataclass, replace
from typing import Final

from engines.errors import UserError
from engines.resilience.policy import (
    Boundary,
    BreakerOptions,
    HalfOpenRule,
    JudgedOn,
    LateRule,
    ReleaseRule,
    Waiting,
    WindowKind,
)

SECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Preset:
    """A breaker by name."""

    name: str
    title: str
    summary: str
    options: BreakerOptions


ARTICLE: Final = BreakerOptions()

HYSTRIX: Final = BreakerOptions(
    window=WindowKind.TICK,
    window_us=10 * SECOND,
    buckets=20,
    minimum=20,
    failure_ppm=500_000,
    judged_on=JudgedOn.TICK,
    wait_us=5 * SECOND,
    wait_at=Boundary.ABOVE,
    late=LateRule.AS_ANY,
    released=ReleaseRule.REOPENS,
    inner_rejections=True,
    probe_counts=True,
    rejection_reopens=True,
)

RESILIENCE4J: Final = BreakerOptions(
    window=WindowKind.COUNT,
    size=100,
    minimum=100,
    failure_ppm=500_000,
    slow_us=60 * SECOND,
    slow_ppm=1_000_000,
    wait_us=60 * SECOND,
    wait_at=Boundary.ABOVE,
    probes=10,
    half_open=HalfOpenRule.RATE,
    late=LateRule.AS_ANY,
    released=ReleaseRule.RETURNED,
    inner_rejections=True,
)

POLLY: Final = BreakerOptions(
    window=WindowKind.POLLY,
    window_us=30 * SECOND,
    minimum=100,
    failure_ppm=100_000,
    judged_on=JudgedOn.FAILURE,
    wait_us=5 * SECOND,
    late=LateRule.AS_ANY,
    released=ReleaseRule.SUCCESS,
    inner_rejections=True,
)

OPOSSUM: Final = BreakerOptions(
    window=WindowKind.FIRES,
    window_us=10 * SECOND,
    buckets=10,
    minimum=0,
    failure_ppm=500_000,
    failure_at=Boundary.ABOVE,
    judged_on=JudgedOn.FAILURE,
    wait_us=30 * SECOND,
    waiting=Waiting.TIMER,
    late=LateRule.AS_ANY,
    released=ReleaseRule.FAILURE,
    inner_rejections=True,
    reset_on_close=False,
)

PRESETS: Final[dict[str, Preset]] = {
    each.name: each
    for each in (
        Preset("article", "The article's numbers", "50 % of 20 or more calls in 10 s, 30 s open, 1 probe", ARTICLE),
        Preset("hystrix", "Hystrix 1.5", "50 % of 20 or more in 10 s of completed buckets, 5 s open", HYSTRIX),
        Preset("resilience4j", "resilience4j, by count", "50 % of the last 100, 60 s open, 10 probes", RESILIENCE4J),
        Preset(
            "resilience4j-time",
            "resilience4j, by time",
            "50 % of 100 or more in 100 s, 60 s open, 10 probes",
            replace(RESILIENCE4J, window=WindowKind.TIME, window_us=100 * SECOND, buckets=100),
        ),
        Preset("polly", "Polly v8", "10 % of 100 or more in 30 s, on a failure, 5 s open", POLLY),
        Preset("opossum", "opossum", "more than 50 % of all calls asked for in 10 s, 30 s open", OPOSSUM),
    )
}
"""In the order in which they are compared."""


def preset(name: str) -> Preset:
    """A preset by name. UserError with the names there are."""
    if name not in PRESETS:
        raise UserError(f"unknown preset {name!r}: one of {', '.join(PRESETS)} is accepted")
    return PRESETS[name]
