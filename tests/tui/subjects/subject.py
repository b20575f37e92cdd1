"""A panel as the contract sees it: moments to draw, worlds to press keys in, runs in which nearly all there is happens.

Everything is made when it is first asked for, and once.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, cached_property
from typing import Any

from engines.sim.events import Event
from engines.sim.timeline import Timeline
from tests.stories.played import Story, played
from tui.panel import Focus, Panel
from tui.session import Session

Run = Timeline[Any, Any]
STEP = 40
"""Steps between two looks at the record of events, quiet ones too, which keeps the newest 512."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A panel and its worlds."""

    panel: Panel
    moments: Mapping[str, Callable[[], Any]]
    """Snapshots to draw, by name."""
    selections: Callable[[Any], list[Focus]]
    """One of everything that can be selected in a snapshot, and every view and chart."""
    present: Callable[[Any, Focus], bool]
    """Whether what a focus names exists."""
    worlds: Mapping[str, Callable[[], Run]]
    """Runs in which every key and every row of a dialogue is tried."""
    troubled: Callable[[], Iterable[Run]]
    """Runs in which nearly everything happens that can; the stories are added to them."""
    walk: Callable[[], Run]
    """A run to walk about in at random."""
    wait_us: int
    """How long a walk stands still now and then."""
    sessions: Mapping[str, Callable[[], Session]]
    """Whole screens for random hands."""
    checks: frozenset[str]
    """The names of all checks that can be explained."""
    broken: Callable[[], Any]
    """A snapshot in which a rule is off, and the rule as people write it."""
    rule: str
    find: str = ""
    """What a walk looks for now and then."""
    room: int = 100
    """Characters of a line of the journal that most lines keep to."""
    over: int = 20
    """How many more the longest may have, but for what a person said or is told."""
    long: frozenset[str] = frozenset({"cue"})
    """Kinds of events whose lines are as long as they are."""
    typed: frozenset[str] = field(default=frozenset("A"))
    """Keys that a walk leaves out."""

    @property
    def name(self) -> str:
        """The pattern's."""
        return self.panel.pattern.name

    @cache  # noqa: B019 - a subject lives as long as the tests
    def moment(self, name: str) -> Any:
        """A snapshot; it never changes."""
        return self.moments[name]()

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """Everything that happens in the troubled runs, quiet events too, and all that the stories tell."""
        found = [event for run in self.troubled() for event in all_events(run)]
        for scenario in self.panel.pattern.scenarios:
            if self.name != "toy" and scenario.variant in (self.panel.variants or (scenario.variant,)):
                found += played(Story(self.name, scenario.name)).events
        return tuple(found)

    def event(self, kind: str, **wanted: Any) -> Event:
        """The first event of a kind with this reason or these details."""
        return next(
            each for each in self.events
            if each.kind == kind
            and all(_plain(getattr(each.what, name, None)) == _plain(value) for name, value in wanted.items())
        )  # fmt: skip

    def told(self, kind: str, **wanted: Any) -> str:
        """How that event is told: ``n1: crashes ...``."""
        line = self.panel.narrate(self.event(kind, **wanted))
        return f"{line.who}: {line.text}"


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def all_events(run: Run) -> list[Event]:
    """All events of a run, quiet ones too: its commands are given to another, which is looked at as it goes."""
    branch = run.branch
    copy: Run = Timeline(run.variant, branch.seed, branch.config, branch.scenario)
    copy.branch.log = branch.log
    copy.branch.end_position, copy.branch.end_us = branch.end_position, branch.end_us
    found: list[Event] = list(copy.engine.latest(512))
    while copy.position < run.position:
        before = copy.engine.events_total
        copy.seek(min(run.position, copy.position + STEP))
        found += copy.engine.latest(min(512, copy.engine.events_total - before))
    return found
