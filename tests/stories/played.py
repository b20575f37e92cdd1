"""Every story as a person reads it: its journal with what the panel folds, and how its checks stand at the end.

The files beside this one are the net for every change of engines, events and words: they may differ only where a
sentence or a number was meant to. After such a change ``python -m tests.stories`` writes them again (with names of
stories: only those); read the difference before it is committed.
"""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from engines.sim.events import Event
from engines.sim.pattern import Check, Scenario
from engines.sim.timeline import Timeline
from tui.journal import Told, stamp
from tui.judging import judged
from tui.panel import Panel
from tui.registry import PANELS, drawing, patterns

GOLDEN = Path(__file__).parent / "golden"
CHUNK_US = 50_000
"""Virtual time between two looks at the record of events, which keeps the newest 512."""
MINUTE_US = 60_000_000


class Played(NamedTuple):
    """A story that was run to its end."""

    events: tuple[Event, ...]
    """All that is told, oldest first."""
    checks: tuple[Check, ...]
    now_us: int


class Story(NamedTuple):
    """A story and the panel that tells it, by their names."""

    pattern: str
    name: str

    @property
    def id(self) -> str:
        """For people: ``consensus-election``."""
        return f"{self.pattern}-{self.name}"

    @property
    def panel(self) -> Panel:
        """The panel that tells it."""
        pattern = next(each for each in patterns() if each.name == self.pattern)
        return drawing(PANELS, self.pattern, pattern.scenario(self.name).variant)

    @property
    def scenario(self) -> Scenario:
        """The script."""
        return self.panel.pattern.scenario(self.name)

    @property
    def path(self) -> Path:
        """Its file."""
        return GOLDEN / self.pattern / f"{self.name}.txt"


def stories() -> list[Story]:
    """All stories of all panels."""
    return [Story(pattern.name, story.name) for pattern in patterns() for story in pattern.scenarios]


@cache
def played(story: Story) -> Played:
    """The story run to its end; once, however many tests ask for it."""
    script = story.scenario
    run: Timeline[Any, Any] = Timeline(story.panel.pattern.variant(script.variant), script.seed, script.config, script)
    events = list(run.engine.told(1 << 20))
    while run.now_us < script.end_us:
        before = run.engine.told_total
        run.advance(min(script.end_us, run.now_us + CHUNK_US))
        count = run.engine.told_total - before
        newest = run.engine.told(count) if count else ()
        assert len(newest) == count, f"{story.id}: more events in {CHUNK_US} us than the record keeps"
        events += newest
    return Played(tuple(events), (*run.check(), *judged(run.engine)), run.now_us)


def reading(story: Story) -> str:
    """The journal, a line each as it is folded, and the checks with their witnesses."""
    panel = story.panel
    run = played(story)
    told = Told(run.events, 1, panel.narrate, panel.routine, panel.fold)
    minutes = run.now_us >= MINUTE_US
    lines = []
    for fold in told.folds():
        line = told.line(fold)
        lines.append(f"{stamp(told.event(fold).at_us, minutes)} {line.who:12} {line.text}")
    for check in run.checks:
        lines.append(f"{'ok    ' if check.ok else 'FAILED'} {check.name}: {check.detail}")
        lines += [f"       {witness}" for witness in check.witness]
    return "\n".join(line.rstrip() for line in lines) + "\n"
