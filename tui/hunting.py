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
from engines.hunt import PROFILES, Here, Pool, Request, Search, Shrunk, Workers, processors
from engines.hunt.bites import TOUCHES
from engines.hunt.coverage import Reached, reached
from engines.hunt.found import run_of
from engines.hunt.trial import Violation
from engines.sim.hazards import ANYTHING
from engines.sim.pattern import Scenario, Variant
from engines.units import US_PER_S, stamp
from tui import files
from tui.asking import command_words
from tui.kit.words import plural
from tui.options import Duration, Whole
from tui.progress import Progress
from tui.terminal.signals import SIGNALS, status_of

SEED_MAX: Final = 1 << 62
LAST: Final = 999
JOBS_MAX: Final = 256
WAIT_S: Final = 0.2
JUDGE: Final = "tui.judging"
"""Who looks at what clients were told, once a run is over."""
LEAST: Final = "; no fewer of these will do (breadth-first search)"
SHOWN: Final = 8
"""Items of a list in the summary; more are counted."""
BAR: Final = 16


class Seeds(click.ParamType[tuple[int, int | None]]):
    """``A..B``, both included; ``A..`` for a hunt that ends by the clock."""

    name = "seeds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int | None]:
        """Parse it."""
        if isinstance(value, tuple):
            return value[0], value[1]
        start, dots, end = value.partition("..")
        whole = all(each.isascii() and each.isdecimal() and len(each) < 20 for each in (start, end or "0"))
        if not dots or not whole:
            self.fail(f"{value!r} is no range of seeds: write 0..999, or 1000.. with --for", param, ctx)
        first, last = int(start), int(end) if end else None
        if last is not None and last < first:
            self.fail(f"{value!r}: the last seed comes before the first; write {last}..{first}", param, ctx)
        if max(first, last or 0) > SEED_MAX:
            self.fail(f"{value!r}: seeds lie between 0 and {SEED_MAX}", param, ctx)
        return first, last


def hunt_options() -> list[click.Parameter]:
    """The options of a hunt besides those of the pattern."""
    profiles = ", ".join(f"{each.name} ({each.help})" for each in PROFILES.values())
    return [
        click.Option(["--seeds"], type=Seeds(), help="Seeds A..B, both included (default 0..999)."),
        click.Option(["--for", "span"], type=Duration(), help="Hunt for so long instead: 10m, 90s."),
        click.Option(["--jobs"], type=Whole(1, JOBS_MAX), help="Processes (default: one a processor)."),
        click.Option(["--faults"], type=click.Choice(tuple(PROFILES)), default="usual", help=f"Profile: {profiles}."),
        click.Option(["--break", "broken"], multiple=True, metavar="RULE", help="Switch this rule off."),
        click.Option(["--until-new"], type=Whole(1, SEED_MAX), help="Stop when N seeds in a row reach nothing new."),
        click.Option(["--save"], metavar="DIR", help="Save each find as a run that dp-tui replay opens."),
        click.Option(["--cluster"], metavar="ADDRESS", help="Let the workers of this Dask scheduler do it."),
        click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON object."),
    ]


@dataclass(slots=True)
class Asked:
    """A hunt as it was asked for."""

    pattern: str
    variant: Variant
    scenario: Scenario | None
    seeds: tuple[int, int | None] | None
    span: int | None
    jobs: int | None
    faults: str
    broken: tuple[str, ...]
    until_new: int | None
    save: str | None
    cluster: str | None
    as_json: bool
    first: int = 0
    last: int | None = LAST
    folder: Path | None = None

    def check(self) -> None:
        """UserError unless it all goes together."""
        self.broken = tuple(dict.fromkeys(self.broken))
        for rule in self.broken:
            self._check_rule(rule)
        if self.seeds is not None:
            self.first, self.last = self.seeds
        if self.span is not None:
            if self.seeds is not None and self.last is not None:
                raise UserError(
                    "--for ends by the clock and --seeds A..B by number; leave one out, or write --seeds A.."
                )
            if not self.span:
                raise UserError("--for 0s: a hunt needs some time; write 10m or 90s")
            self.last = None
        elif self.seeds is not None and self.last is None:
            raise UserError(f"--seeds {self.first}.. has no end: write {self.first}..{self.first + LAST}, or add --for")
        if self.cluster is not None and self.jobs is not None:
            raise UserError(
                "--jobs is for processes of this machine, and --cluster brings its own workers; leave one out"
            )
        if self.save is not None:
            self.folder = _writable(self.save)

    def _check_rule(self, rule: str) -> None:
        settings = {each.name: each for each in self.variant.settings}
        rules = [each.name for each in settings.values() if each.help.startswith("rule: ")]
        if rule not in rules:
            known = f"one of {', '.join(rules)} is accepted" if rules else "it has none"
            raise UserError(f"--break {rule}: {self.variant.name} has no such rule: {known}")

    def request(self) -> Request:
        """What workers need to know."""
        return Request(
            self.pattern, self.variant.name, self.variant.engine_version, self.faults,
            tuple((rule, False) for rule in self.broken), self.scenario.name if self.scenario else "",
            judge=JUDGE,
        )  # fmt: skip

    def workers(self) -> Workers:
        """Who does it. UserError if a cluster does not answer."""
        if self.cluster is not None:
            from engines.hunt.cluster import Cluster

            return Cluster(self.cluster)
        jobs = processors() if self.jobs is None else self.jobs
        return Here() if jobs == 1 else Pool(jobs)

    def again(self, first: int) -> str:
        """The command that goes on from a seed."""
        words = [files.program(), "hunt", self.pattern, "--variant", self.variant.name]
        words += ["--scenario", self.scenario.name] if self.scenario else []
        words += ["--seeds", f"{first}..{'' if self.last is None else self.last}"]
        words += ["--for", f"{self.span // US_PER_S}s"] if self.span is not None else []
        words += ["--jobs", str(self.jobs)] if self.jobs is not None else []
        words += ["--faults", self.faults] if self.faults != "usual" else []
        for rule in self.broken:
            words += ["--break", rule]
        for flag, value in (("--until-new", self.until_new), ("--save", self.save), ("--cluster", self.cluster)):
            words += [flag, shlex.quote(str(value))] if value is not None else []
        return " ".join([*words, *(["--json"] if self.as_json else [])])


def _writable(folder: str) -> Path:
    """A folder to save in, made if it is missing; UserError, before the hunt, if nothing can be written there."""
    if not folder.strip():
        raise UserError(f"--save {folder!r}: name a folder; it is made if it is missing")
    path = Path(folder).expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".hunt-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(f"--save {folder}: cannot be written: {error.strerror or error}; name another folder") from None
    return path


# -- the hunt ------------------------------------------------------------------------------------------------------


def hunt(asked: Asked) -> int:
    """Hunt, and tell of it. Exit status: 0 nothing found, 1 something, 130 interrupted."""
    asked.check()
    workers = asked.workers()
    search = Search(asked.request(), workers, asked.first, asked.last, asked.until_new or 0)
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
    summary.keep()
    click.echo(summary.as_json() if asked.as_json else summary.as_text())
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
        if asked.span is not None and now - began >= asked.span / US_PER_S:
            search.finish()
        progress.say(bar(search, asked, now - began))


def bar(search: Search, asked: Asked, seconds: float) -> str:
    """How far it is, how fast, and what came of it."""
    tally = search.tally
    done = tally.next_seed - asked.first
    if search.shrinking is not None:
        left, tries = search.shrinking
        commands = "1 command" if left == 1 else f"{left:,} commands"
        return f"{plural(done, 'seed')}, {tally.failures:,} failed; shrinking: {commands} left, try {tries}; ctrl+c"
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

    def keep(self) -> None:
        """Save what was found, where that was asked for."""
        folder = self.asked.folder
        for find in self.finds:
            if folder is not None and find.text:
                name = find.violation.check.replace(" ", "-").replace("<=", "le").replace("'", "")
                find.path = files.free(folder, f"hunt-{self.asked.variant.name}-{name}-seed{find.seed}")
                files.write(find.path, find.text)

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
        story = f", in the story {self.asked.scenario.name}" if self.asked.scenario else ""
        lines = [
            f"{self.asked.variant.title}: {plural(tally.seeds, 'seed')} with {self.asked.faults} faults"
            f"{broken}{story}, {rate:,} a minute",
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
            more = "seed more is not counted, its" if len(tally.idle) == 1 else "seeds more are not counted, their"
            lines.append(f"  {len(tally.idle):,} {more} faults touched nothing: {few}")
        return lines

    def _situations(self) -> list[str]:
        there = self.reached
        lines = [f"  {there.situations:,} situations reached (kind of event, role, fault in force)"]
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
            f"  in {find.seeds:,} of the seeds, first in {find.seed}, which drew {_drawn(find.drawn)}",
        ]
        if find.shrunk is None:
            return [*lines, "  not made smaller"]
        least = find.shrunk.minimal
        lines.append(
            f"  made small: the {find.shrunk.before} commands of the run, with what lay in wait and the heal, "
            f"to {find.inputs}, in {find.shrunk.runs} runs{LEAST * least}"
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
    return f"{config}; {kinds}; {len(parameters['inputs'])} commands at their times"


__all__ = ["Asked", "Seeds", "Summary", "bar", "hunt", "hunt_options"]
