"""How scenarios are written: ``at(1_200, Crash("n1"))``, ``say(1_500, "Now look at n2.")``; times in milliseconds."""

from typing import Any

from engines.sim.faults import Narrate
from engines.sim.pattern import Step
from engines.units import US_PER_MS


def at(ms: int, *commands: Any) -> tuple[Step, ...]:
    """Commands that are given at one moment."""
    return tuple(Step(ms * US_PER_MS, command) for command in commands)


def say(ms: int, text: str, broken: str = "") -> tuple[Step, ...]:
    """What the lecturer says, at a pause of the run; ``broken`` instead once a check has failed."""
    return at(ms, Narrate(text, broken=broken))


__all__ = ["at", "say"]
