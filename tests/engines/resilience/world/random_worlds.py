"""Worlds by number: what befalls a shop, how it is tuned and for how long are drawn from the number alone.

``python -m tests.engines.resilience.world.random_worlds FIRST COUNT`` prints those in which a check is red.
"""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from engines.errors import UserError
from engines.resilience.order import ORDER
from engines.resilience.pattern import PATTERN
from engines.resilience.world import commands as c
from engines.resilience.world import topology as t
from engines.resilience.world.options import BREAKER_NUMBERS, NUMBERS, PRESET_NAMES
from engines.sim import faults
from engines.sim.pattern import Check
from engines.sim.timeline import Timeline
from tests.engines.resilience.world.lab import Run

HOSTS = ("clients", "api", "auth", "auth-db", "catalog", "catalog-db", "cart", "payment", "payment-1", "payment-db")
EDGES = ("clients>api", "api>auth", "api>catalog", "api>cart", "api>payment", "catalog>catalog-db", "*")
SERVICES = ("api", "auth", "catalog", "payment", "payment-db", "payment-2")
WAITS_US = (1_000, 30_000, 300_000, 1_000_000, 4_000_000)
LONG_WAITS_US = (12_000_000, 40_000_000, 130_000_000)
"""Once in a while: what a check forgets shows only after that."""


def config_of(draw: random.Random) -> dict[str, Any]:
    """Settings, a few of them other than usual."""
    settings: dict[str, tuple[Any, ...]] = {
        "preset": PRESET_NAMES,
        "retry_at": ("clients", "api", "everywhere", "nowhere"),
        "retries": (1, 2, 3, 10),
        "bulkhead": (0, 1, 3),
        "limit": (0, 5),
        "hedge": (0, 50, 95),
        "budget": (0, 5, 10, 20),
        "deadline": (False, True),
        "fallback": (False, True),
        "workers": (1, 2, 8),
        "queue": (0, 4, 32),
        "catalog_hosts": (1, 3),
        "outlier": (False, True),
        "timeout_ms": (0, 40, 1_000),
        "client_timeout_ms": (0, 300, 4_000),
        "mix": ("shop", "catalog", "buy"),
        "rate": (4, 10, 25),
        "poisson": (False, True),
        "shape": ("uniform", "heavy", "pauses"),
    }
    return {name: draw.choice(values) for name, values in settings.items() if draw.random() < 0.4}


def commands(draw: random.Random) -> Iterator[Any]:
    """Anything but broken rules, for ever; now and then all is healed."""
    of = draw.choice
    percent = (0, 30, 100)
    ppm = (0, 50_000, 300_000, 800_000)
    numbers = (*NUMBERS, *(f"breaker.{name}" for name in BREAKER_NUMBERS))
    made: tuple[Callable[[], Any], ...] = (
        lambda: faults.Crash(of(HOSTS)),
        lambda: faults.Restart(of(HOSTS)),
        lambda: faults.Freeze(of(HOSTS)),
        lambda: faults.Thaw(of(HOSTS)),
        lambda: faults.Isolate(of(HOSTS)),
        lambda: faults.Reconnect(of(HOSTS)),
        lambda: faults.Skew(of(HOSTS), draw.randint(-400_000, 400_000), 0),
        lambda: faults.Cut(of(HOSTS), of(HOSTS)),
        lambda: faults.Lose(of(HOSTS), of((*HOSTS, "*")), of(ppm)),
        lambda: faults.Duplicate("*", "*", of(ppm)),
        lambda: faults.Reorder("*", "*", of(ppm)),
        lambda: faults.Slow(of(HOSTS), "*", draw.randint(0, 400_000), draw.randint(0, 80_000)),
        lambda: faults.Clog(of(HOSTS), of(HOSTS)),
        lambda: faults.Unclog("*", "*"),
        lambda: faults.Heal(),
        lambda: faults.Heal(),
        lambda: c.Call(of(("", *t.KINDS))),
        lambda: c.Burst(draw.randint(1, 60), of(("", "buy", "catalog"))),
        lambda: c.SetLoad(of(("steady", "ramp", "pulse", "wave")), draw.randint(0, 40), draw.randint(0, 60), 2),
        lambda: c.SetMix(of(t.MIXES)),
        lambda: c.Delay(of(EDGES), of(percent), draw.randint(0, 2_000_000)),
        lambda: c.Abort(of(EDGES), of(percent)),
        lambda: c.SlowService(of(SERVICES), of((50, 1_000, 10_000))),
        lambda: c.SickHost(of(SERVICES), of(percent)),
        lambda: c.SetService(of(SERVICES), of(("workers", "queue_max", "shed_us")), of((0, 1, 2, 400_000))),
        lambda: c.SetPreset(of(EDGES), of(PRESET_NAMES)),
        lambda: c.SetBreaker(of(EDGES), of(("reset", "disable", "metrics_only", "force_open"))),
        lambda: c.SetBreaker(of(EDGES), "reset"),
        lambda: c.SetOption(of(EDGES), of(numbers), of((-1, 0, 1, 2, 3, 50_000, 200_000, 1_000_000))),
        lambda: c.SetOption(
            of(EDGES), of(("budget_ppm", "budget_active", "retries", "outlier")), of((0, 1, 3, 50_000))
        ),
        lambda: c.SetOrder(of(EDGES), tuple(draw.sample(ORDER, len(ORDER)))),
        lambda: c.Cure(of(SERVICES), of(("breaker", "budget", "shedding", "deadline"))),
    )
    while True:
        yield of(made)()


def played(number: int) -> Run:
    """The world of this number at its end."""
    draw = random.Random(number)
    variant = "envoy" if draw.random() < 0.3 else "breaker"
    run: Run = Timeline(PATTERN.variant(variant), number, tuple(config_of(draw).items()), keep_checkpoints=False)
    long = draw.random() < 0.03
    endless = commands(draw)
    for _ in range(draw.randint(5, 40)):
        waits = LONG_WAITS_US if long and draw.random() < 0.1 else WAITS_US
        run.advance(run.now_us + draw.randint(1, draw.choice(waits)))
        with suppress(UserError):
            run.submit(next(endless))
    run.advance(run.now_us + 1_500_000)
    return run


def failures(number: int) -> list[Check]:
    """The checks that are red there."""
    return [check for check in played(number).check() if not check.ok]


def main(first: int, count: int) -> None:
    """Print every red world."""
    red = 0
    for number in range(first, first + count):
        for check in failures(number):
            red += 1
            print(number, check.name, "|", check.detail, "|", *check.witness, flush=True)
    print(f"{red} red of {count}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
