"""What each cure of a retry storm is worth, and how much that depends on head room.

``python -m benchmarks.cures``, or ``make bench ARGS=resilience-cures``: a few minutes.

The world of the story "retry-storm", under random arrivals, at 80 and at 90 % load. A dip of 10 s makes sure of the
storm; 10 s later one cure is applied. Counted are the calls of clients 60 to 240 s after it: how many were answered.
"""

from typing import Any, Final

from engines.resilience.pattern import PATTERN
from engines.resilience.world.commands import Cure, SlowService
from engines.resilience.world.scenarios import STORM
from engines.sim.timeline import Timeline
from engines.units import US_PER_S

SEEDS: Final = range(1, 5)
RATES: Final = {"80 %": 16, "90 %": 18}
CURES: Final = ("none", "breaker", "budget", "shedding")
DIP_S: Final = (20, 30)
CURE_S: Final = 40
COUNTED_S: Final = (60, 240)


def answered(rate: int, cure: str, seed: int) -> float:
    """The share of the calls that were answered, in percent, in one run."""
    config = tuple({**dict(STORM.config), "rate": rate}.items())
    run: Timeline[Any, Any] = Timeline(PATTERN.variant("breaker"), seed, config, keep_checkpoints=False)
    for at_s, percent in zip(DIP_S, (200, 100), strict=True):
        run.advance(at_s * US_PER_S)
        run.submit(SlowService("catalog", percent))
    run.advance(CURE_S * US_PER_S)
    if cure != "none":
        run.submit(Cure("catalog", cure))
    counts = []
    for after_s in COUNTED_S:
        run.advance((CURE_S + after_s) * US_PER_S)
        seen = run.snapshot()
        counts.append((seen.good, seen.offered))
    (good, offered), (good_end, offered_end) = counts
    return float(100 * (good_end - good) / (offered_end - offered))


def mean(rate: int, cure: str) -> float:
    """Over all seeds."""
    return sum(answered(rate, cure, seed) for seed in SEEDS) / len(SEEDS)


def lines() -> list[str]:
    """A table: cures down, loads across."""
    found = [
        f"answered 60 to 240 s after the cure, {len(SEEDS)} runs each   " + "".join(f"{name:>8}" for name in RATES)
    ]
    for cure in CURES:
        shares = "".join(f"{mean(rate, cure):>6.0f} %" for rate in RATES.values())
        found.append(f"  {cure:<46}{shares}")
    return found


if __name__ == "__main__":
    print("\n".join(lines()))
