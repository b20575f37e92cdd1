"""A hunt that runs beside the app, in a process of its own: from the present configuration, until it finds something.

The session polls it as time passes; it never waits. What is found is made small by the same process, and then offered.
"""

from collections.abc import Callable
from typing import Final

from engines.errors import UserError
from engines.hunt import Pool, Request, Search, Workers
from engines.hunt.found import Run, run_of
from engines.hunt.search import Found
from engines.sim.pattern import Pattern
from tui.hunt_options import JUDGE, command_of
from tui.kit.words import plural
from tui.scene import Find, Scene

POLL_US: Final = 300_000
"""How often a hunt is looked at."""


class Hunter:
    """One hunt."""

    def __init__(self, scene: Scene, make_workers: Callable[[], Workers] | None = None) -> None:
        """Hunt from the settings, rules and story of a scene. UserError if there is nothing to draw."""
        pattern, variant, branch = scene.panel.pattern, scene.variant, scene.branch
        if variant.source is not None:
            raise UserError("recorded data cannot be hunted: it has no seed to draw another run from")
        self.pattern: Pattern = pattern
        self.variant = variant.name
        story = branch.scenario.name if branch.scenario is not None else ""
        self.first = branch.seed + 1
        self.request = Request(
            pattern.name, variant.name, variant.engine_version, "usual", scene.timeline.config, story, fixed=True,
            judge=JUDGE,
        )  # fmt: skip
        self.run: Run | None = None
        """What it found."""
        self.over = False
        self.wall_us = 0
        self._due_us = 0
        workers = (make_workers or (lambda: Pool(1)))()
        self._search = Search(self.request, workers, self.first, None, stop_at_find=True)

    def poll(self, wall_us: int) -> bool:
        """Time has passed; whether there is something new to say."""
        self.wall_us += wall_us
        if self.over or self.wall_us < self._due_us:
            return False
        self._due_us = self.wall_us + POLL_US
        if not self._search.advance(0):
            self._end()
        return True

    def stop(self) -> None:
        """Give it up."""
        self.over = True
        self._search.stop()

    @property
    def said(self) -> str:
        """How far it is, for the status line."""
        if self.run is not None:
            return "found: H"
        if self._search.shortening:
            half = self._search.shrinking
            return "shrinking" if half is None else f"shrinking {half.left:,}"
        return f"hunt {self._search.tally.seeds:,}"

    @property
    def verdict(self) -> str:
        """What came of it, in a sentence."""
        tally = self._search.tally
        if self.run is None:
            return f"the hunt is over: no check failed in {plural(tally.seeds, 'seed')}"
        commands = plural(self.run.inputs, "command")
        return f"found in seed {self.seed}: {self.run.breaks.check} breaks after {commands}: H opens it"

    @property
    def seed(self) -> int:
        """The seed that failed. The run that it was made small to may be one of another."""
        found: Found = next(iter(self._search.tally.found.values()))
        return found.seed

    @property
    def find(self) -> Find:
        """Where it was found."""
        assert self.run is not None
        return Find(self.seed, self.first, self.run.breaks.check, command_of(self.request, self.seed))

    def _end(self) -> None:
        """Nothing is left to do: what was found becomes a run."""
        self.over = True
        shrunk = next(iter(self._search.shrunk.values()), None)
        if shrunk is not None:
            self.run = run_of(self.pattern.name, shrunk)
        self._search.stop()


__all__ = ["Hunter"]
