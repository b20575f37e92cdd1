"""``dp-tui hunt``: a hunt on the command line, with a bar while it runs and a summary at its end.

The first ctrl+c ends the hunt with its summary and the command that goes on from there; the second stops at once.
"""

import json
import os
import shlex
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import click

from engines.errors import UserError
from engines.hunt import Search, Shrunk
from engines.hunt.bites import TOUCHES
from engines.hunt.coverage import Reached, reached
from engines.hunt.found import run_of
from engines.hunt.search import BATCH
from engines.hunt.trial import Violation
from engines.sim.hazards import ANYTHING
from engines.units import US_PER_S, stamp
from tui import files
from tui.asking import command_words
from tui.hunt_options import Asked
from tui.kit.words import plural
from tui.progress import Progress
from tui.terminal.signals import SIGNALS, status_of

WAIT_S: Final = 0.2
LEAST: Final = "; no fewer of these will do (breadth-first search)"
SHOWN: Final = 8
"""Items of a list in the summary; more are counted."""
BAR: Final = 16
PIECE_S: Final = 0.25
"""What is handed out at once takes about so long: a hunt that ends by the clock ends soon."""


# -- the hunt ------------------------------------------------------------------------------------------------------


def hunt(asked: Asked) -> int:
    """Hunt, and tell of it. Exit status: 0 nothing found, 1 something, 130 interrupted."""
    asked.check()
    workers = asked.workers()
    search = Search(asked.request(), workers, asked.first, asked.last, asked.until_new or 0, size=1)
    began = time.monotonic()
    interrupt = Interrupt()
    try:
        with interrupt, Progress(asked.variant.title, "seeds") as progress:
            _drive(search, asked, progress, began, interrupt)
    finally:
        if interrupt.came:
            search.stop()
        else:
            workers.close()
    summary = Summary(asked, search, time.monotonic() - began, interrupt.came)
    refused = summary.keep()
    click.echo(summary.as_json() if asked.as_json else summary.as_text())
    if refused is not None:
        raise refused
    return interrupt.status or (1 if search.tally.failures or search.tally.deadly else 0)


class Interrupt:
    """Ctrl+C and its like, which is never lost: the first ends the work at hand, the second the process.

    Python swallows what a signal raises inside a finalizer, so the signal is also written down, and looked at between
    two jobs.
    """

    def __init__(self) -> None:
        """None came yet."""
        self.status = 0
        """The exit status of a program that such a signal ended; 0: none came."""
        self._before: dict[int, Any] = {}

    @property
    def came(self) -> bool:
        """Whether one came."""
        return bool(self.status)

    def __enter__(self) -> Self:
        for name in SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as of a hunt in the background
                self._before[number] = signal.signal(number, self._come)
        self._hook, sys.unraisablehook = sys.unraisablehook, self._swallowed
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        sys.unraisablehook = self._hook
        if not self.came:
            for number, before in self._before.items():
                signal.signal(number, before)
        return kind is KeyboardInterrupt

    def _come(self, number: int, _: object) -> None:
        if self.came:
            os._exit(self.status)
        self.status = status_of(number)
        raise KeyboardInterrupt

    def _swallowed(self, unraisable: "sys.UnraisableHookArgs") -> None:
        if not isinstance(unraisable.exc_value, KeyboardInterrupt):
            self._hook(unraisable)


def _drive(search: Search, asked: Asked, progress: Progress, began: float, interrupt: Interrupt) -> None:
    while not interrupt.came and search.advance(WAIT_S):
        now = time.monotonic()
        done = search.tally.next_seed - asked.first
        if asked.span is not None and now - began >= asked.span / US_PER_S and done:
            search.drop()
        search.size = max(1, min(BATCH, int(PIECE_S * done / max(now - began, 0.001) / search.workers.width)))
        progress.say(bar(search, asked, now - began))


def bar(search: Search, asked: Asked, seconds: float) -> str:
    """How far it is, how fast, and what came of it."""
    tally = search.tally
    done = tally.next_seed - asked.first
    if search.shrinking is not None:
        left, tries, breadth = search.shrinking
        how = (
            f"{plural(left, 'command')} left, try {tries}"
            if breadth < 0
            else f"{left} left, breadth first with {breadth}"
        )
        return f"{plural(done, 'seed')}, {tally.failures:,} failed; shrinking: {how}; ctrl+c"
    if asked.span is not None:
        share = min(1.0, seconds / (asked.span / US_PER_S))
    else:
        share = done / ((asked.last or 0) - asked.first + 1)
    filled = int(BAR * share)
    rate = int(60 * done / max(seconds, 0.001))
    pace = "shrinking" if search.shortening else f"{rate:,}/min"  # both do not fit
    return (
        f"[{'#' * filled}{'-' * (BAR - filled)}] {plural(done, 'seed')}, {pace}, {_millions(tally.checks)} checks, "
        f"{tally.failures:,} failed; ctrl+c"
    )


def _millions(number: int) -> str:
    return f"{number / 1e6:,.1f}M" if number >= 1_000_000 else f"{number:,}"


# -- what is told of it --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Find:
    """A kind of violation, as it is told."""

    violation: Violation
    seed: int
    seeds: int
    drawn: dict[str, Any]
    shrunk: Shrunk | None
    inputs: int = 0
    line: str = ""
    text: str = ""
    path: Path | None = None


@dataclass(slots=True)
class Summary:
    """A hunt that is over."""

    asked: Asked
    search: Search
    seconds: float
    interrupted: bool
    finds: list[Find] = field(default_factory=list)

    def __post_init__(self) -> None:
        request = self.search.request
        for kind, found in self.search.tally.found.items():
            shrunk = self.search.shrunk.get(kind)
            drawn = request.plan(found.seed).parameters()
            find = Find(found.violation, found.seed, self.search.tally.counts[kind], drawn, shrunk)
            if shrunk is not None:
                run = run_of(request.pattern, shrunk)
                find.violation, find.inputs, find.line = shrunk.violation, run.inputs, run.line()
                find.text = run.recording() if self.asked.folder is not None else ""
            self.finds.append(find)

    def keep(self) -> UserError | None:
        """Save what was found, where that was asked for. Why not, if the folder has gone meanwhile: the report can
        still be printed, with the lines that replay it."""
        folder, refused = self.asked.folder, None
        for find in self.finds:
            if folder is not None and find.text:
                name = find.violation.check.replace(" ", "-").replace("<=", "le").replace("'", "")
                path = files.free(folder, f"hunt-{self.asked.variant.name}-{name}-seed{find.seed}")
                try:
                    files.write(path, find.text)
                    find.path = path
                except UserError as error:
                    refused = refused or error
        return refused

    @property
    def reached(self) -> Reached:
        """The situations."""
        return reached(self.search.tally.situations, self.asked.variant.chaos or ANYTHING)

    def as_json(self) -> str:
        """One object."""
        tally, there = self.search.tally, self.reached
        return json.dumps({
            "pattern": self.asked.pattern,
            "variant": self.asked.variant.name,
            "engine_version": self.asked.variant.engine_version,
            "scenario": self.asked.scenario.name if self.asked.scenario else None,
            "faults": self.asked.faults,
            "broken": list(self.asked.broken),
            "settings": dict(self.search.request.config),
            "fixed": self.asked.fixed,
            "first_seed": self.asked.first,
            "next_seed": tally.next_seed,
            "seeds": tally.seeds,
            "idle": tally.idle,
            "deadly": tally.deadly,
            "steps": tally.steps,
            "checks": tally.checks,
            "failures": tally.failures,
            "found": [self._find_json(find) for find in self.finds],
            "injected": tally.injected,
            "bites": tally.bites,
            "inert": list(tally.inert),
            "situations": there.situations,
            "never": {
                "events": list(there.unseen),
                "under_any_fault": list(there.calm),
                "roles": [list(pair) for pair in there.sheltered],
            },
            "interrupted": self.interrupted,
            "seconds": round(self.seconds, 3),
            "go_on": self.go_on or None,
        })  # fmt: skip

    @staticmethod
    def _find_json(find: Find) -> dict[str, Any]:
        return {
            "check": find.violation.check,
            "detail": find.violation.detail,
            "witness": list(find.violation.witness),
            "liveness": find.violation.at_end,
            "seeds": find.seeds,
            "seed": find.seed,
            "drawn": find.drawn,
            "inputs": find.inputs if find.shrunk else None,
            "minimal": find.shrunk.minimal if find.shrunk else None,
            "shrinking_runs": find.shrunk.runs if find.shrunk else None,
            "line": find.line or None,
            "file": str(find.path) if find.path else None,
        }

    @property
    def go_on(self) -> str:
        """The command that goes on where it was interrupted; empty if no seed is left."""
        seed, last = self.search.tally.next_seed, self.asked.last
        return self.asked.again(seed) if self.interrupted and (last is None or seed <= last) else ""

    def as_text(self) -> str:
        """A page for people."""
        tally = self.search.tally
        rate = int(60 * tally.seeds / max(self.seconds, 0.001))
        broken = f", without {', '.join(self.asked.broken)}" if self.asked.broken else ""
        given = f", with {', '.join(self.asked.settings)}" if self.asked.settings else ""
        story = f", in the story {self.asked.scenario.name}" if self.asked.scenario else ""
        lines = [
            f"{self.asked.variant.title}: {plural(tally.seeds, 'seed')} with {self.asked.faults} faults"
            f"{broken}{given}{story}, {rate:,} a minute",
            f"  {plural(tally.steps, 'step')}, {plural(tally.checks, 'check')} evaluated, "
            f"{plural(tally.failures, 'seed')} failed",
            *self._bitten(),
            *self._situations(),
        ]
        for find in self.finds:
            lines += ["", *self._find_lines(find)]
        if tally.deadly:
            lines += ["", f"seeds whose worker died every time: {', '.join(map(str, tally.deadly))}"]
        if self.go_on:
            lines += ["", f"interrupted before seed {tally.next_seed:,}; go on with:", self.go_on]
        elif self.interrupted:
            lines += ["", "interrupted after the last seed, while finds were made small"]
        return "\n".join(lines)

    def _bitten(self) -> list[str]:
        tally = self.search.tally
        touched = [f"{TOUCHES.get(name, name)} {tally.bites[name]:,}" for name in tally.bites]
        lines = [click.wrap_text(f"faults touched: {', '.join(touched) or 'nothing'}", 100, "  ", "    ")]
        if tally.inert:
            lines.append(f"  injected, and touched nothing: {', '.join(tally.inert)}")
        if tally.idle:
            few = ", ".join(map(str, tally.idle[:SHOWN])) + (" ..." if len(tally.idle) > SHOWN else "")
            more = "1 seed more is" if len(tally.idle) == 1 else f"{len(tally.idle):,} seeds more are"
            lines.append(f"  {more} not counted, the faults touched nothing: {few}")
        return lines

    def _situations(self) -> list[str]:
        there = self.reached
        lines = [f"  {plural(there.situations, 'situation')} reached (kind of event, role, fault in force)"]
        sheltered = [f"a {role} under {fault}" for role, fault in there.sheltered]
        for text, names in (
            ("events never seen", there.unseen),
            ("seen only while nothing was wrong", there.calm),
            ("never met", tuple(sheltered)),
        ):
            if names:
                more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
                lines.append(click.wrap_text(f"{text}: {', '.join(names[:SHOWN])}{more}", 100, "  ", "    "))
        return lines

    def _find_lines(self, find: Find) -> list[str]:
        violation = find.violation
        lines = [
            f"CHECK FAILED  {violation.check}: {violation.detail}",
            *(f"  {line}" for line in violation.witness),
            f"  in {plural(find.seeds, 'seed')}, first in {find.seed}, which drew {_drawn(find.drawn)}",
        ]
        if find.shrunk is None:
            return [*lines, "  not made smaller"]
        least = find.shrunk.minimal
        lines.append(
            f"  made small: the {plural(find.shrunk.before, 'command')} of the run, with what lay in wait and the "
            f"heal, to {find.inputs}, in {plural(find.shrunk.runs, 'run')}{LEAST * least}"
        )
        steps = find.shrunk.plan.inputs
        lines += [f"    {stamp(step.at_us)}  {command_words(step.command)}" for step in steps[: SHOWN * 2]]
        if len(steps) > SHOWN * 2:
            lines.append(f"    and {len(steps) - SHOWN * 2} more")
        if find.path is not None:
            lines.append(f"  open it: {files.program()} replay {shlex.quote(str(find.path))}")
        return [*lines, f"  as one line: {files.program()} replay '{find.line}'"]


def _drawn(parameters: dict[str, Any]) -> str:
    config = ", ".join(f"{name} {value}" for name, value in parameters["config"].items()) or "the default settings"
    kinds = ", ".join(parameters["kinds"])
    return f"{config}; {kinds}; {plural(len(parameters['inputs']), 'command')}, each at its time"


__all__ = ["Summary", "bar", "hunt"]
