"""A run without a screen: the same timeline, its end as JSON or as a page of text.

The JSON is a contract that other programs read: ``pattern variant seed virtual_time_us events digest checks[]
snapshot``, and ``scenario`` where one was played.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from engines.sim.clock import format_time
from engines.sim.codec import to_json
from engines.sim.digest import Digest
from engines.sim.pattern import Check, Config, Scenario, Variant
from engines.sim.timeline import Timeline
from tui.panel import Panel

JOURNAL_LINES: Final = 12


@dataclass(frozen=True, slots=True)
class Report:
    """The end of a run."""

    panel: Panel
    variant: Variant
    seed: int
    scenario: Scenario | None
    timeline: Timeline[Any, Any]
    digest: str

    @property
    def checks(self) -> tuple[Check, ...]:
        """All guarantees."""
        return self.timeline.check()

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
        if not check.ok and self.expected(check):
            row["expected"] = True
        return row

    def as_text(self) -> str:
        """A page for people."""
        timeline = self.timeline
        snapshot = timeline.snapshot()
        lines = [
            f"{self.panel.pattern.title}: {self.variant.title}   {self.panel.status(snapshot)}   seed {self.seed}",
            f"ran {format_time(timeline.now_us)} of virtual time, {timeline.engine.events_total:,} events",
            f"digest {self.digest}",
        ]
        if self.scenario:
            lines.append(f"scenario {self.scenario.name}: {self.scenario.title}")
        told = timeline.engine.told(JOURNAL_LINES)
        lines += ["", "the last of the journal"] if told else []
        for event in told:
            who, text, _ = self.panel.narrate(event)
            lines.append(f"  {format_time(event.at_us)}  {who:8} {text}")
        lines += ["", "checks"]
        for check in self.checks:
            mark = "ok    " if check.ok else "FAILED"
            note = "  (the scenario shows this)" if not check.ok and self.expected(check) else ""
            lines.append(f"  {mark}  {check.name}: {check.detail}{note}")
            lines.extend(f"          {line}" for line in check.witness)
        return "\n".join(lines)


def run(panel: Panel, variant: Variant, seed: int, config: Config, scenario: Scenario | None, until_us: int) -> Report:
    """Execute a run to its end, through the same timeline that the app uses."""
    timeline: Timeline[Any, Any] = Timeline(variant, seed, config, scenario, keep_checkpoints=False)
    digest = timeline.engine.digest = Digest()
    timeline.advance(until_us)
    return Report(panel, variant, seed, scenario, timeline, digest.close(timeline.snapshot()))
