"""What a hunt has found, as a run: a timeline one can walk, a recording, a line of text."""

from contextlib import suppress
from typing import Any

from engines.errors import UserError
from engines.hunt.jobs import pattern_of
from engines.hunt.shrink import Shrunk
from engines.sim.line import line_of
from engines.sim.pattern import Pattern
from engines.sim.recording import Breaks, record
from engines.sim.timeline import Timeline


class Run:
    """A shrunk violation, played through the timeline that the app uses."""

    def __init__(self, pattern: Pattern, shrunk: Shrunk) -> None:
        self.pattern = pattern
        self.shrunk = shrunk
        plan, violation = shrunk.plan, shrunk.violation
        self.timeline: Timeline[Any, Any] = Timeline(pattern.variant(plan.variant), plan.seed, plan.config)
        last = 0 if violation.at_end else violation.position
        with suppress(Exception):  # what is found may be that the engine cannot go on: then the run ends there
            self._play(last)
        self.breaks = Breaks(violation.check, violation.detail, violation.witness, last)

    def _play(self, last: int) -> None:
        for step in self.shrunk.plan.inputs:
            self._advance(step.at_us, last)
            if last and self.timeline.position >= last:
                return
            with suppress(UserError):
                self.timeline.submit(step.command)
        self._advance(self.shrunk.plan.end_us, last)

    def _advance(self, until_us: int, last: int) -> None:
        steps = max(0, last - self.timeline.position) if last else 1 << 60
        self.timeline.advance(until_us, max_steps=steps)

    @property
    def inputs(self) -> int:
        """Commands in the run."""
        return len(self.timeline.branch.log)

    def line(self) -> str:
        """As one line of text."""
        return line_of(self.pattern, self.timeline, self.breaks)

    def recording(self) -> str:
        """As the text of a recording."""
        return record(self.pattern, self.timeline, breaks=self.breaks)


def run_of(pattern: str, shrunk: Shrunk) -> Run:
    """The run of what was found in a pattern, by its name."""
    return Run(pattern_of(pattern), shrunk)


__all__ = ["Run", "run_of"]
