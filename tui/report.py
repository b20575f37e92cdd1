"""A run without a screen: the same timeline, its end as JSON or as a page of text.

The JSON is a contract that other programs read: ``pattern variant seed virtual_time_us events digest checks[]
snapshot``, ``scenario`` where one was played, and ``figures``: the numbers that sum the run up, by name.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from engines.sim.codec import to_json
from engines.sim.digest import Digest
from engines.sim.pattern import Check, Config, Scenario, Variant
from engines.sim.timeline import Timeline
from engines.units import stamp, when
from tui.judging import judged
from tui.kit.words import plural
from tui.panel import Figure, Panel

JOURNAL_LINES: Final = 12
FIGURES_A_ROW: Final = 3


class Counting(Digest):
    """A digest that counts what it is fed: how many events of each kind there were."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: Counter[str] = Counter()

    def feed(self, events: Iterable[Any]) -> None:
        """Add events as the engine records them: position, time, node, then the record or the name of its kind."""
        records = tuple(events)
        self.kinds.update(what if type(what := record[3]) is str else type(what).__name__ for record in records)
        super().feed(records)


@dataclass(frozen=True, slots=True)
class Report:
    """The end of a run."""

    panel: Panel
    variant: Variant
    seed: int
    scenario: Scenario | None
    timeline: Timeline[Any, Any]
    digest: str
    kinds: Counter[str]
    """How many events of each kind there were, by its name."""
    verdicts: tuple[Check, ...] = ()
    """What a judge from outside says of the clients' history."""

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The numbers that sum the run up."""
        counted = tuple(Figure(name, self.kinds[kind.__name__]) for name, kind in self.panel.counted)
        return counted + self.panel.figures(self.timeline.snapshot())

    @property
    def checks(self) -> tuple[Check, ...]:
        """All guarantees."""
        return self.timeline.check() + self.verdicts

    def expected(self, check: Check) -> bool:
        """Whether the scenario breaks this check on purpose."""
        return self.scenario is not None and check.name in self.scenario.breaks

    @property
    def holds(self) -> bool:
        """Whether all checks hold."""
        return all(check.ok for check in self.checks)

    def as_json(self) -> str:
        """One object."""
        data = {
            "pattern": self.panel.pattern.name,
            "variant": self.variant.name,
            "seed": self.seed,
            "scenario": self.scenario.name if self.scenario else None,
            "virtual_time_us": self.timeline.now_us,
            "events": self.timeline.engine.events_total,
            "digest": self.digest,
            "checks": [self._check(check) for check in self.checks],
            "figures": {each.name: each.value for each in self.figures},
            "snapshot": to_json(self.timeline.snapshot()),
        }
        return json.dumps(data)

    def _check(self, check: Check) -> dict[str, Any]:
        row: dict[str, Any] = {
            "name": check.name,
            "ok": check.ok,
            "detail": check.detail,
            "witness": list(check.witness),
        }
        if check.at_us is not None:
            row["since_us"] = check.at_us
        if not check.ok and self.expected(check):
            row["expected"] = True
        return row

    def as_text(self) -> str:
        """A page for people."""
        timeline = self.timeline
        snapshot = timeline.snapshot()
        lines = [
            f"{self.panel.pattern.title}: {self.variant.title}   {self.panel.status(snapshot)}   seed {self.seed}",
            f"ran {stamp(timeline.now_us)} of virtual time, {plural(timeline.engine.events_total, 'event')}",
            f"digest {self.digest}",
        ]
        if self.scenario:
            lines.append(f"scenario {self.scenario.name}: {self.scenario.title}")
        told = timeline.engine.told(JOURNAL_LINES)
        lines += ["", "the last of the journal"] if told else []
        for event in told:
            who, text, _ = self.panel.narrate(event)
            lines.append(f"  {stamp(event.at_us)}  {who:8} {text}")
        lines += _figure_lines(self.figures)
        lines += ["", "checks"]
        for check in self.checks:
            mark = "ok    " if check.ok else "FAILED"
            note = "  (the scenario shows this)" if not check.ok and self.expected(check) else ""
            lines.append(f"  {mark}  {check.name}{when(check.at_us, ' ')}: {check.detail}{note}")
            lines.extend(f"          {line}" for line in check.witness)
        return "\n".join(lines)


def run(panel: Panel, variant: Variant, seed: int, config: Config, scenario: Scenario | None, until_us: int) -> Report:
    """Execute a run to its end, through the same timeline that the app uses."""
    timeline: Timeline[Any, Any] = Timeline(variant, seed, config, scenario, keep_checkpoints=False)
    digest = timeline.engine.digest = Counting()
    timeline.advance(until_us)
    closed = digest.close(timeline.snapshot())
    return Report(panel, variant, seed, scenario, timeline, closed, digest.kinds, judged(timeline.engine))


def _title(figure: Figure) -> str:
    """Its name for people; a unit in the name belongs to the bare number, not to the text."""
    return (figure.name.removesuffix("_us") if figure.text else figure.name).replace("_", " ")


def _figure_lines(figures: tuple[Figure, ...]) -> list[str]:
    """Figures in columns, as people read them."""
    cells = [(_title(each), each.text or _said(each.value)) for each in figures]
    wide = max((len(f"{name} {text}") for name, text in cells), default=0) + 4
    rows = [cells[at : at + FIGURES_A_ROW] for at in range(0, len(cells), FIGURES_A_ROW)]
    lines = ["  " + "".join(f"{name} {text}".ljust(wide) for name, text in row).rstrip() for row in rows]
    return ["", "figures", *lines] if lines else []


def _said(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"
