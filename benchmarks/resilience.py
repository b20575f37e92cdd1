"""What a breaker and a retry cost a call that succeeds, against pybreaker, purgatory and tenacity.

The same function is called bare, through our breaker and through theirs, in turns in the same process; the bare time
is taken off. Ours has the article's window, ten buckets of a second, and a real clock. What the others keep is less:
pybreaker and purgatory count failures in a row and know no window. pybreaker locks, ours leaves that to its caller
(it is a state machine that is told the time), so ours with a lock around is printed too. purgatory is asked the
quickest way it has, as a context manager that is made once; its decorator is printed without a target.

The retry is a call that succeeds at once: what everybody pays for a policy that is rarely needed.
"""

import gc
import importlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from engines.resilience import PRESETS, Breaker, FullJitter, Guard, Retry, Retrying, guard
from engines.sim.random import Stream

CALLS: Final = 100_000
ROUNDS: Final = 9


def work() -> int:
    """The call that is guarded."""
    return 1


def seconds(program: Callable[[], object]) -> float:
    """How long so many calls take."""
    span = range(CALLS)
    gc.collect()
    gc.disable()
    start = time.perf_counter()
    for _ in span:
        program()
    spent = time.perf_counter() - start
    gc.enable()
    return spent


def overheads(programs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Nanoseconds a call above the bare one: the best of several rounds, in turns."""
    best = dict.fromkeys(["bare", *programs], float("inf"))
    for _ in range(ROUNDS):
        for name, program in {"bare": work, **programs}.items():
            best[name] = min(best[name], seconds(program))
    return {name: (best[name] - best["bare"]) / CALLS * 1e9 for name in programs}


def our_guard(preset: str) -> Guard:
    """One of the presets around a call."""
    return guard(Breaker.of(preset), clock=time.perf_counter_ns)


def breakers() -> dict[str, Callable[[], object]]:
    """Ours and theirs, closed."""
    pybreaker: Any = importlib.import_module("pybreaker").CircuitBreaker(fail_max=5, reset_timeout=30)
    factory: Any = importlib.import_module("purgatory").SyncCircuitBreakerFactory(default_threshold=5, default_ttl=30)
    context: Any = factory.get_breaker("context")
    decorated: Any = factory("decorator")(work)
    mine, locked, lock = our_guard("article"), our_guard("article")(work), threading.RLock()

    def purgatory_context() -> int:
        with context:
            return work()

    def ours_locked() -> int:
        with lock:
            return locked()

    found: dict[str, Callable[[], object]] = {
        "ours": mine(work),
        "ours, locked": ours_locked,
        "pybreaker": lambda: pybreaker.call(work),
        "purgatory": purgatory_context,
        "purgatory, decorator": decorated,
    }
    for name in list(PRESETS)[1:]:
        found[name] = our_guard(name)(work)
    return found


def retries() -> dict[str, Callable[[], object]]:
    """Ours and tenacity's, three retries with jitter, on a call that succeeds at once."""
    tenacity: Any = importlib.import_module("tenacity")
    theirs: Any = tenacity.Retrying(stop=tenacity.stop_after_attempt(4), wait=tenacity.wait_random_exponential(0.1, 10))
    stream = Stream(1, "benchmark")

    def pause(us: int) -> None:
        time.sleep(us / 1e6)

    retry = Retry(3, FullJitter(100_000, 10_000_000))
    mine = Retrying(retry, pause, stream.between)
    return {
        "ours": mine(work),
        "ours with a breaker": mine(our_guard("article")(work)),
        "tenacity": lambda: theirs(work),
    }


@dataclass(frozen=True, slots=True)
class Resilience:
    """Nanoseconds above the bare call, by name."""

    breakers: dict[str, float]
    retries: dict[str, float]

    def lines(self) -> list[str]:
        """For people."""
        mine, theirs = self.breakers["ours"], self.breakers["pybreaker"]
        lines = [
            f"breaker, 10 buckets of 1 s     {mine:>12,.0f} ns a guarded call",
            f"the same with a lock           {self.breakers['ours, locked']:>12,.0f}",
            f"pybreaker                      {theirs:>12,.0f}            ours is {mine / theirs:.2f} of it"
            "  (target: at most 1, goal 0.5)",
            f"purgatory, with                {self.breakers['purgatory']:>12,.0f}            ours is "
            f"{mine / self.breakers['purgatory']:.2f} of it",
            f"purgatory, decorator           {self.breakers['purgatory, decorator']:>12,.0f}            ours is "
            f"{mine / self.breakers['purgatory, decorator']:.2f} of it",
        ]
        for name in list(PRESETS)[1:]:
            lines.append(f"  as {name:<27} {self.breakers[name]:>11,.0f}")
        lines += [
            f"retry, first attempt succeeds  {self.retries['ours']:>12,.0f} ns a call",
            f"retry around a breaker         {self.retries['ours with a breaker']:>12,.0f}",
            f"tenacity                       {self.retries['tenacity']:>12,.0f}            ours is "
            f"{self.retries['ours'] / self.retries['tenacity']:.2f} of it",
        ]
        return lines


def measure() -> Resilience:
    """All of it, a few seconds."""
    return Resilience(overheads(breakers()), overheads(retries()))


def lines() -> list[str]:
    """For ``make bench``."""
    return measure().lines()
