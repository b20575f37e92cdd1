"""The layers around a call, in an order that can be changed, and what the order means.

    Retry(CircuitBreaker(RateLimiter(TimeLimiter(Bulkhead(f)))))

is resilience4j's default: the outermost comes first in ``ORDER``. The order is no matter of taste: a retry outside the
breaker shows it every attempt, a retry inside shows it one result for all of them; a timeout outside the retry bounds
the whole, inside it bounds each attempt.

``Pipeline`` carries such an order out for plain functions in one thread. Clock and sleep are passed in. A plain call
cannot be interrupted: the timeout finds out when the call returns, and counts it as failed then.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from engines.errors import UserError
from engines.resilience.breaker import Breaker, Permit, Rejection
from engines.resilience.bulkhead import Bulkhead
from engines.resilience.limiter import TokenBucket
from engines.resilience.retry import Retry
from engines.sim.random import Stream

R = TypeVar("R")
Call = Callable[[], R]
Layer = Callable[[Callable[[], Any]], Any]

ORDER: Final = ("retry", "breaker", "limiter", "timeout", "bulkhead")
"""The outermost first."""
TITLES: Final = {
    "retry": "Retry",
    "breaker": "CircuitBreaker",
    "limiter": "RateLimiter",
    "timeout": "TimeLimiter",
    "bulkhead": "Bulkhead",
}

PAIRS: Final = (
    ("retry", "breaker", "the breaker counts every attempt", "the breaker counts one result for all attempts"),
    ("retry", "timeout", "the timeout bounds each attempt", "the timeout bounds all attempts together"),
    ("retry", "bulkhead", "each attempt takes a permit", "a permit is held through all attempts and their waits"),
    ("retry", "limiter", "each attempt costs a token", "a token pays for all attempts"),
    ("breaker", "timeout", "a timeout is a failure to the breaker", "the breaker does not see timeouts"),
    ("breaker", "bulkhead", "the breaker sees the bulkhead refuse", "an open breaker still takes permits"),
    ("breaker", "limiter", "the breaker sees the limiter refuse", "rejected calls cost tokens"),
    ("timeout", "bulkhead", "the wait for a permit counts towards the timeout", "the timeout starts with the permit"),
    ("limiter", "bulkhead", "a token is spent before a permit is sought", "a permit is held while a token is sought"),
    ("limiter", "timeout", "the timeout starts with the token", "the wait for a token counts towards the timeout"),
)
"""For two layers: what it means if the first is outside, and what if it is inside."""


def accept_order(order: tuple[str, ...]) -> tuple[str, ...]:
    """The order, if each layer is in it once at most. UserError."""
    for name in order:
        if name not in ORDER:
            raise UserError(f"pipeline: no layer {name!r}: {', '.join(ORDER)} are accepted")
        if order.count(name) > 1:
            raise UserError(f"pipeline: {name} twice: every layer may come once")
    return order


def nesting(order: tuple[str, ...]) -> str:
    """As one writes it: ``Retry(CircuitBreaker(f))``."""
    return "(".join([*(TITLES[name] for name in order), "f"]) + ")" * len(order)


def meanings(order: tuple[str, ...]) -> tuple[str, ...]:
    """What follows from the order, a sentence for each pair of layers."""
    place = {name: index for index, name in enumerate(order)}
    return tuple(
        outside if place[first] < place[second] else inside
        for first, second, outside, inside in PAIRS
        if first in place and second in place
    )


class Rejected(Exception):
    """A layer turned the call away. ``layer`` is its name, ``reason`` what it returned."""

    def __init__(self, layer: str, why: str, reason: Any = None) -> None:
        super().__init__(f"{layer}: {why}")
        self.layer = layer
        self.reason = reason


class TimedOut(Exception):
    """The call returned after its time."""


class Guard:
    """A breaker around plain functions; ``clock_ns`` tells nanoseconds, as the clocks of Python do.

    The clock is read once where once is enough: a breaker that lets every call start and does not judge slowness
    need not know when one started.
    """

    __slots__ = ("breaker", "clock_ns", "result")

    def __init__(self, breaker: Breaker, clock_ns: Callable[[], int]) -> None:
        self.breaker = breaker
        self.clock_ns = clock_ns
        self.result = breaker.result

    def __call__(self, call: Callable[[], R]) -> R:
        """Call it, unless the breaker is open. An exception is a failure; what was turned away inside is refused."""
        breaker = self.breaker
        if breaker.timeless:
            permit, start_us = breaker.era, 0
        else:
            start_us = self.clock_ns() // 1_000
            got = breaker.acquire(start_us)
            if isinstance(got, Rejection):
                raise Rejected("breaker", got.why, got)
            permit = got
        try:
            value = call()
        except BaseException as error:
            self._failed(permit, start_us, error)
            raise
        now_us = self.clock_ns() // 1_000
        self.result(permit, now_us, False, now_us - start_us if start_us else 0)
        return value

    def _failed(self, permit: Permit, start_us: int, error: BaseException) -> None:
        now_us = self.clock_ns() // 1_000
        if isinstance(error, Rejected):
            self.breaker.refused(permit, now_us)
        elif isinstance(error, Exception):
            self.result(permit, now_us, True, now_us - start_us if start_us else 0)
        else:
            self.breaker.release(permit, now_us)


class Retrying:
    """Attempts until one succeeds, or the policy says no."""

    __slots__ = ("policy", "sleep_us", "stream")

    def __init__(self, policy: Retry, stream: Stream, sleep_us: Callable[[int], None]) -> None:
        self.policy = policy
        self.stream = stream
        self.sleep_us = sleep_us

    def __call__(self, call: Callable[[], R]) -> R:
        """The first value, or the last exception."""
        try:
            return call()
        except Exception as error:
            last = error
        return self._again(call, last)

    def _again(self, call: Callable[[], R], last: Exception) -> R:
        attempt, delay_us = 1, 0
        while True:
            decision = self.policy.decide(attempt, delay_us, self.stream)
            if not decision.again:
                raise last
            delay_us = decision.delay_us
            self.sleep_us(delay_us)
            try:
                return call()
            except Exception as error:
                last = error
            attempt += 1


class Limiting:
    """A token for each call."""

    __slots__ = ("bucket", "clock_ns")

    def __init__(self, bucket: TokenBucket, clock_ns: Callable[[], int]) -> None:
        self.bucket = bucket
        self.clock_ns = clock_ns

    def __call__(self, call: Callable[[], R]) -> R:
        """Call it if there is a token."""
        taken = self.bucket.take(self.clock_ns() // 1_000)
        if not taken.ok:
            raise Rejected("limiter", taken.why, taken)
        return call()


class Timing:
    """A call that returns too late has failed."""

    __slots__ = ("clock_ns", "timeout_us")

    def __init__(self, timeout_us: int, clock_ns: Callable[[], int]) -> None:
        self.timeout_us = timeout_us
        self.clock_ns = clock_ns

    def __call__(self, call: Callable[[], R]) -> R:
        """Its value, if it came in time."""
        start_ns = self.clock_ns()
        value = call()
        took_us = (self.clock_ns() - start_ns) // 1_000
        if took_us > self.timeout_us:
            raise TimedOut(f"took {took_us} us, {self.timeout_us} allowed")
        return value


class Permitting:
    """A permit of the bulkhead for each call; nobody waits in a single thread."""

    __slots__ = ("bulkhead",)

    def __init__(self, bulkhead: Bulkhead) -> None:
        self.bulkhead = bulkhead

    def __call__(self, call: Callable[[], R]) -> R:
        """Call it if there is a permit."""
        entry = self.bulkhead.acquire()
        if entry.queued:
            self.bulkhead.give_up()
        if not entry.ok:
            raise Rejected("bulkhead", entry.why, entry)
        try:
            return call()
        finally:
            self.bulkhead.release()


class Parts(NamedTuple):
    """What a pipeline is made of; None: that layer is off."""

    retry: Retry | None = None
    breaker: Breaker | None = None
    limiter: TokenBucket | None = None
    timeout_us: int | None = None
    bulkhead: Bulkhead | None = None


class Pipeline:
    """The layers in their order, ready to call functions through."""

    __slots__ = ("layers", "order", "parts")

    def __init__(
        self,
        parts: Parts,
        clock_ns: Callable[[], int],
        sleep_us: Callable[[int], None],
        stream: Stream,
        order: tuple[str, ...] = ORDER,
    ) -> None:
        made: dict[str, Layer] = {}
        if parts.retry is not None:
            made["retry"] = Retrying(parts.retry, stream, sleep_us)
        if parts.breaker is not None:
            made["breaker"] = Guard(parts.breaker, clock_ns)
        if parts.limiter is not None:
            made["limiter"] = Limiting(parts.limiter, clock_ns)
        if parts.timeout_us is not None:
            made["timeout"] = Timing(parts.timeout_us, clock_ns)
        if parts.bulkhead is not None:
            made["bulkhead"] = Permitting(parts.bulkhead)
        self.parts = parts
        self.order = tuple(name for name in accept_order(order) if name in made)
        self.layers = tuple(made[name] for name in self.order)

    def call(self, fn: Callable[[], R]) -> R:
        """Call it through all layers. ``Rejected`` if one turns it away; else what it returns or raises."""
        layers = self.layers
        if len(layers) == 1:
            value: R = layers[0](fn)
            return value
        wrapped: Callable[[], Any] = fn
        for layer in reversed(layers):
            wrapped = _bind(layer, wrapped)
        result: R = wrapped()
        return result


def _bind(layer: Layer, inner: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: layer(inner)
