"""The order of the layers around a call, and what the order means.

    Retry(CircuitBreaker(RateLimiter(TimeLimiter(Bulkhead(f)))))

is resilience4j's default: the outermost comes first in ``ORDER``. The order is no matter of taste: a retry outside the
breaker shows it every attempt, a retry inside shows it one result for all of them; a timeout outside the retry bounds
the whole, inside it bounds each attempt.
"""

from typing import Final

from engines.errors import UserError

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


def accept_order(order: tuple[str, ...], whole: bool = False) -> tuple[str, ...]:
    """The order, if each layer is in it once at most (``whole``: exactly once). UserError."""
    for name in order:
        if name not in ORDER:
            raise UserError(f"order: no layer {name!r}: {', '.join(ORDER)} are accepted")
        if order.count(name) > 1:
            raise UserError(f"order: {name} twice: every layer may come once")
    if whole and len(order) < len(ORDER):
        raise UserError(f"order {', '.join(order)}: each of {', '.join(ORDER)} is needed once")
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
