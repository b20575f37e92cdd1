"""A run that is still to be made, as data: configuration, seed, and commands with their times.

A plan names times, a recording names positions: a plan can be shortened and still means something. What waits for its
moment (``nemesis``) has no time of its own before the run; a trial tells the plan as it happened, in which it has one.
"""

from dataclasses import dataclass, replace
from typing import Any

from engines.hunt.nemesis import Ambush, Chain
from engines.sim.codec import encode_command
from engines.sim.pattern import Config, Step


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens in one world."""

    variant: str
    seed: int
    config: Config
    inputs: tuple[Step, ...]
    """Commands by time. Those that cannot be given when their time has come are left out."""
    tail: int
    """How many of them, at the end, heal the world and ask for something afterwards."""
    end_us: int
    kinds: tuple[str, ...] = ()
    """The kinds of fault that were drawn."""
    note: str = ""
    chains: tuple[Chain, ...] = ()
    """What waits for its moment, until the heal."""

    @property
    def chaos(self) -> tuple[Step, ...]:
        """What happens before the heal."""
        return self.inputs[: len(self.inputs) - self.tail]

    @property
    def rest(self) -> tuple[Step, ...]:
        """The heal, and what is asked for after it."""
        return self.inputs[len(self.inputs) - self.tail :]

    def with_chaos(self, chaos: tuple[Step, ...]) -> "Plan":
        """This plan with other things before the heal."""
        return replace(self, inputs=(*chaos, *self.rest))

    def until(self, end_us: int) -> "Plan":
        """This plan up to a time; there is no rest any more."""
        kept = tuple(step for step in self.inputs if step.at_us <= end_us)
        return replace(self, inputs=kept, tail=0, end_us=end_us)

    def earlier(self, by_us: int) -> "Plan":
        """This plan with a rest that begins earlier."""
        rest = tuple(Step(step.at_us - by_us, step.command) for step in self.rest)
        return replace(self, inputs=(*self.chaos, *rest), end_us=self.end_us - by_us)

    def parameters(self) -> dict[str, Any]:
        """What was drawn, for people and for JSON."""
        return {
            "seed": self.seed,
            "config": dict(self.config),
            "kinds": list(self.kinds),
            "theme": self.note,
            "inputs": [{"at_us": step.at_us, "command": encode_command(step.command)} for step in self.chaos],
            "ambushes": [[_ambush(each) for each in chain] for chain in self.chains],
            "healed_at_us": self.rest[0].at_us if self.rest else None,
            "end_us": self.end_us,
        }


def _ambush(ambush: Ambush) -> dict[str, Any]:
    return {
        "name": ambush.name,
        "at": ambush.moment,
        "after_us": ambush.after_us,
        "skip": ambush.skip,
        "strikes": [{"after_us": each.us, "command": encode_command(each.command)} for each in ambush.strikes],
        "ends": [encode_command(each) for each in ambush.ends],
    }


__all__ = ["Plan"]
