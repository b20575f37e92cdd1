"""The layers around a call: their order, what it means, and that it is what happens."""

from collections.abc import Callable
from itertools import combinations, permutations
from typing import Any

import pytest

from engines.errors import UserError
from engines.resilience import Breaker, Bulkhead, FixedBackoff, Rejected, Retry, TimedOut, TokenBucket, guard
from engines.resilience.layers import Layer, Limiting, Retrying, Timing, Walling
from engines.resilience.order import ORDER, PAIRS, accept_order, meanings, nesting
from engines.sim.random import Stream
from tests.engines.resilience.drive import MS, S, options


class Clock:
    """Stands still, but for what the test and the sleeps add."""

    def __init__(self) -> None:
        self.us = S
        self.read = 0

    def __call__(self) -> int:
        self.read += 1
        return self.us * 1_000

    def sleep(self, us: int) -> None:
        self.us += us


class Pipeline:
    """Layers put around a function in an order."""

    def __init__(self, layers: list[Layer]) -> None:
        self.layers = layers

    def call(self, function: Callable[[], Any]) -> Any:
        for layer in reversed(self.layers):
            function = layer(function)
        return function()


def pipeline(clock: Clock, order: tuple[str, ...] = ORDER, **parts: Any) -> Pipeline:
    made: dict[str, Callable[[Any], Layer]] = {
        "retry": lambda policy: Retrying(policy, clock.sleep, Stream(1, "pipeline").between),
        "breaker": lambda breaker: guard(breaker, clock=clock),
        "limiter": lambda bucket: Limiting(bucket, clock),
        "timeout": lambda timeout_us: Timing(timeout_us, clock),
        "bulkhead": Walling,
    }
    return Pipeline([made[name](parts[name]) for name in order if name in parts])


def failing(times: int, then: str = "ok") -> Callable[[], str]:
    left = [times]

    def call() -> str:
        if left[0]:
            left[0] -= 1
            raise OSError("down")
        return then

    return call


# -- the order -------------------------------------------------------------------------------------------------------


def test_the_default_nesting_is_resilience4j_s() -> None:
    assert nesting(ORDER) == "Retry(CircuitBreaker(RateLimiter(TimeLimiter(Bulkhead(f)))))"
    assert nesting(("breaker",)) == "CircuitBreaker(f)"
    assert nesting(()) == "f"


def test_every_pair_of_layers_has_a_meaning_either_way() -> None:
    assert {frozenset(pair[:2]) for pair in PAIRS} == {frozenset(pair) for pair in combinations(ORDER, 2)}
    for order in permutations(ORDER):
        assert len(meanings(order)) == len(PAIRS)
    assert "the breaker counts every attempt" in meanings(ORDER)
    assert "the breaker counts one result for all attempts" in meanings(ORDER[::-1])
    assert meanings(("breaker",)) == ()


@pytest.mark.parametrize(("order", "message"), [(("cache",), "no layer 'cache'"), (("retry", "retry"), "retry twice")])
def test_an_order_that_is_none_is_refused(order: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        accept_order(order)


def test_an_order_that_must_be_whole_may_leave_no_layer_out() -> None:
    assert accept_order(ORDER[::-1], whole=True) == ORDER[::-1]
    with pytest.raises(UserError, match="each of retry, breaker, limiter, timeout, bulkhead is needed once"):
        accept_order(ORDER[:4], whole=True)


# -- each layer ------------------------------------------------------------------------------------------------------


def test_a_breaker_counts_and_then_rejects_without_calling() -> None:
    clock, breaker = Clock(), Breaker(options("article"))
    line = pipeline(clock, breaker=breaker)
    for _ in range(20):
        with pytest.raises(OSError, match="down"):
            line.call(failing(1))
    called: list[int] = []
    with pytest.raises(Rejected, match="breaker: open: failure rate, 30 s left") as rejected:
        line.call(lambda: called.append(1))
    assert not called
    assert rejected.value.layer == "breaker"
    clock.sleep(30 * S)
    assert line.call(failing(0)) == "ok"
    assert breaker.state.value == "closed"


def test_a_guard_is_a_decorator_and_can_be_called_through() -> None:
    protect = guard(Breaker.of("article"), clock=Clock())

    @protect
    def fetch(url: str, *, times: int = 1) -> str:
        """Get it."""
        return url * times

    assert (fetch("x", times=3), protect.call(fetch, "y")) == ("xxx", "y")
    assert (fetch.__name__, fetch.__doc__) == ("fetch", "Get it.")
    assert protect.breaker.window.counts(S).calls == 3


def test_a_breaker_of_no_preset_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UserError, match="unknown preset 'netflix': one of article, hystrix"):
        Breaker.of("netflix")


def test_a_guard_tells_the_duration_to_a_breaker_that_judges_slowness() -> None:
    clock = Clock()
    breaker = Breaker(options("article", slow_us=10 * MS, slow_ppm=500_000, minimum=2))
    protect = guard(breaker, clock=clock)
    for took_us in (10 * MS, 10 * MS, 11 * MS, 11 * MS):
        protect.call(clock.sleep, took_us)
    assert breaker.state.value == "open"
    assert "2 of 4 (50 %) took longer than 10 ms" in breaker.history[-1].why


def test_a_guard_reads_the_clock_no_more_than_it_must() -> None:
    clock = Clock()
    guard(Breaker.of("article"), clock).call(lambda: None)
    assert clock.read == 1
    clock = Clock()
    guard(Breaker.of("resilience4j"), clock).call(lambda: None)
    assert clock.read == 2


def test_a_call_that_is_interrupted_is_no_result() -> None:
    breaker = Breaker(options("article"))

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        guard(breaker, Clock()).call(interrupted)
    assert breaker.window.counts(S).calls == 0


@pytest.mark.parametrize(("preset", "counted"), [("article", 0), ("hystrix", 1)])
def test_a_rejection_further_in_is_what_the_preset_says(preset: str, counted: int) -> None:
    breaker, bulkhead = Breaker(options(preset)), Bulkhead(1)
    bulkhead.acquire()
    with pytest.raises(Rejected, match="bulkhead full: 1 of 1"):
        pipeline(Clock(), breaker=breaker, bulkhead=bulkhead).call(failing(0))
    assert breaker.window.counts(3 * S).failures == counted


def test_a_retry_sleeps_and_returns_the_first_value() -> None:
    clock = Clock()
    assert pipeline(clock, retry=Retry(3, FixedBackoff(50 * MS))).call(failing(2)) == "ok"
    assert clock.us == S + 100 * MS


def test_a_retry_raises_what_the_last_attempt_raised() -> None:
    with pytest.raises(OSError, match="down"):
        pipeline(Clock(), retry=Retry(2, FixedBackoff(0))).call(failing(3))


def test_a_limiter_rejects_without_a_token() -> None:
    line = pipeline(Clock(), limiter=TokenBucket(10, 1, S))
    line.call(failing(0))
    with pytest.raises(Rejected, match="limiter: no token: 10 a second, the next one in 100000 us"):
        line.call(failing(0))


@pytest.mark.parametrize(("took_us", "late"), [(100 * MS, False), (100 * MS + 1, True)])
def test_a_timeout_finds_out_when_the_call_returns(took_us: int, late: bool) -> None:
    clock = Clock()
    line = pipeline(clock, timeout=100 * MS)
    if late:
        with pytest.raises(TimedOut, match="took 100001 us, 100000 allowed"):
            line.call(lambda: clock.sleep(took_us))
    else:
        line.call(lambda: clock.sleep(took_us))


def test_a_bulkhead_gives_its_permit_back_whatever_happens() -> None:
    bulkhead = Bulkhead(1, 5)
    line = pipeline(Clock(), bulkhead=bulkhead)
    with pytest.raises(OSError, match="down"):
        line.call(failing(1))
    with pytest.raises(Rejected):
        line.call(lambda: line.call(failing(0)))
    assert (bulkhead.used, bulkhead.waiting) == (0, 0)


# -- what the order does ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "counted"), [(("retry", "breaker"), 4), (("breaker", "retry"), 1)], ids=["outside", "inside"]
)
def test_a_breaker_inside_a_retry_counts_every_attempt(order: tuple[str, ...], counted: int) -> None:
    breaker = Breaker(options("article"))
    with pytest.raises(OSError, match="down"):
        pipeline(Clock(), order, retry=Retry(3, FixedBackoff(0)), breaker=breaker).call(failing(9))
    assert breaker.window.counts(S).failures == counted


@pytest.mark.parametrize(
    ("order", "left"), [(("retry", "limiter"), 6), (("limiter", "retry"), 9)], ids=["outside", "inside"]
)
def test_a_limiter_inside_a_retry_charges_every_attempt(order: tuple[str, ...], left: int) -> None:
    bucket = TokenBucket(1, 10, S)
    with pytest.raises(OSError, match="down"):
        pipeline(Clock(), order, retry=Retry(3, FixedBackoff(0)), limiter=bucket).call(failing(9))
    assert bucket.tokens(S) == left


@pytest.mark.parametrize(
    ("order", "fine"), [(("retry", "timeout"), True), (("timeout", "retry"), False)], ids=["each", "all"]
)
def test_a_timeout_inside_a_retry_bounds_each_attempt_and_outside_all_of_them(
    order: tuple[str, ...], fine: bool
) -> None:
    clock = Clock()
    line = pipeline(clock, order, retry=Retry(3, FixedBackoff(60 * MS)), timeout=100 * MS)
    if fine:
        assert line.call(failing(2)) == "ok"
    else:
        with pytest.raises(TimedOut):
            line.call(failing(2))


@pytest.mark.parametrize(
    ("order", "failures"), [(("breaker", "timeout"), 1), (("timeout", "breaker"), 0)], ids=["inside", "outside"]
)
def test_a_breaker_sees_a_timeout_only_if_it_is_inside(order: tuple[str, ...], failures: int) -> None:
    clock, breaker = Clock(), Breaker(options("article"))
    with pytest.raises(TimedOut):
        pipeline(clock, order, breaker=breaker, timeout=MS).call(lambda: clock.sleep(S))
    assert breaker.window.counts(clock.us).failures == failures
