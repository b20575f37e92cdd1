"""A saved run: JSON with everything needed to execute it again, and the digest it must come to.

``{"recording": "dp-tui", "format": 1, "pattern", "variant", "engine_version", "seed", "config", "scenario",
"commands": [{"position", "at_us", "scripted", "command"}], "end": {"position", "at_us"}, "events", "digest"}``

A run of several branches names the others in ``"branches"``, one a branch in the order of their numbers: ``{"parent",
"fork": {"position", "at_us"}, "left_at", "seed", "config", "scenario", "commands", "end"}``, with the commands from the
fork on; the one that the rest of the file is about says ``"here": true`` and only where it forks. ``"events"`` and
``"digest"`` are null in a run that was saved in haste: then there is nothing to compare it with.

A run that a hunt has found says what breaks in it: ``"breaks": {"check", "detail", "witness", "position"}``; position
0 stands for its end, where something that was due has not happened.

A run over the user's own data has ``"seed": null`` and ``"source": {"path", "sha256", "skip_bad"}``, and ``"options"``
where they say how it is read; the data itself stays where it is.

Reading one checks every field before anything is executed and never unpickles.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from engines.errors import UserError
from engines.sim.codec import decode_command, encode_command, to_json
from engines.sim.digest import Digest
from engines.sim.pattern import Config, Pattern, Scenario, Setting, Variant
from engines.sim.source import Source
from engines.sim.timeline import Branch, Input, Timeline

FORMAT: Final = 1
_MAX: Final = 1 << 62
POSITION_MAX: Final = 1_000_000_000
"""Steps of a run that is opened: hours of execution. A file cannot ask for more."""
BRANCHES_MAX: Final = 1_000
SILENT_STEPS: Final = 100_000
"""Steps without an event that one command can lead to: whatever waited for frozen servers, thawed and frozen again."""
PROGRESS_STEPS: Final = 50_000
"""Steps between two reports of progress: half a second of work or so."""


class SourceFile(NamedTuple):
    """The user's own data as a saved run names it."""

    path: str
    sha256: str
    skip_bad: bool
    options: tuple[tuple[str, str], ...] = ()
    """How it was read, where that was said."""


class Breaks(NamedTuple):
    """What breaks in a run: the guarantee, what shows it, and the step or command that does it."""

    check: str
    detail: str
    witness: tuple[str, ...]
    position: int
    """0: no step does it; something that was due has not happened at the end."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A run that was saved."""

    pattern: Pattern
    variant: Variant
    seed: int
    config: Config
    scenario: Scenario | None
    log: tuple[Input, ...]
    end_position: int
    end_us: int
    events: int | None
    """None, and an empty digest: it was saved in haste."""
    digest: str
    branches: tuple[Branch, ...] = ()
    """All branches by number, this one among them; none: it is the only one."""
    number: int = 0
    breaks: Breaks | None = None
    """What a hunt has found in it."""

    def open(self, progress: Callable[[int, int], None] | None = None) -> Timeline[Any, Any]:
        """A timeline at the recorded end, with all branches. UserError if the commands cannot be executed so."""
        timeline = self._start(keep_checkpoints=True)
        if self.branches:
            timeline.adopt(self.branches, self.number)
        self._go(timeline, progress)
        return timeline

    def verify(self) -> tuple[bool, str]:
        """Execute it again: whether the digest is the recorded one, and the one it came to."""
        _, same, digest = self.execute()
        return same, digest

    def execute(self, progress: Callable[[int, int], None] | None = None) -> tuple[Timeline[Any, Any], bool, str]:
        """Execute it again: a timeline at its end, whether it is the recorded run, and the digest it came to.

        ``progress``: told now and then how many of how many positions are done. UserError as of ``open``.
        """
        timeline = self._start(keep_checkpoints=False)
        engine = timeline.engine
        engine.digest = Digest()
        self._go(timeline, progress)
        digest = engine.digest.close(timeline.snapshot())
        same = not self.digest or (digest == self.digest and engine.events_total == self.events)
        return timeline, same, digest

    def _go(self, timeline: Timeline[Any, Any], progress: Callable[[int, int], None] | None) -> None:
        """Execute it to its end, telling now and then how far that is."""
        for position in range(PROGRESS_STEPS, self.end_position, PROGRESS_STEPS):
            self._seek(timeline, position)
            if progress is not None:
                progress(position, self.end_position)
        self._seek(timeline, self.end_position)

    def _start(self, keep_checkpoints: bool) -> Timeline[Any, Any]:
        timeline: Timeline[Any, Any] = Timeline(
            self.variant, self.seed, self.config, self.scenario, keep_checkpoints=keep_checkpoints
        )
        timeline.branch.log = list(self.log)
        timeline.branch.end_position, timeline.branch.end_us = self.end_position, self.end_us
        return timeline

    @staticmethod
    def _seek(timeline: Timeline[Any, Any], position: int) -> None:
        try:
            timeline.seek(position)
        except AssertionError as error:
            raise UserError(f"the recording does not fit this engine: {error}") from None


def record(pattern: Pattern, timeline: Timeline[Any, Any], *, haste: bool = False, breaks: Breaks | None = None) -> str:
    """The whole current branch, wherever in it one stands, and all others, as the text of a recording.

    ``haste``: without the digest, for which the run is executed once more. ``breaks``: what a hunt has found in it.
    """
    head = document(pattern, timeline, haste=haste)
    if breaks is not None:
        head["breaks"] = to_json(breaks)
    branch = timeline.branch
    if len(timeline.branches) > 1:
        head["branches"] = [_branch(each, here=each is branch) for each in timeline.branches]
    return json.dumps(head, indent=1) + "\n"


def document(pattern: Pattern, timeline: Timeline[Any, Any], *, haste: bool = False) -> dict[str, Any]:
    """The JSON object of the current branch alone."""
    branch, source = timeline.branch, timeline.variant.source
    if source is not None and not source.path:
        raise UserError(f"a run over {source.name} cannot be saved: its data could not be read again")
    digest, events = (None, None) if haste else timeline.digest()
    head = {
        "recording": "dp-tui",
        "format": FORMAT,
        "pattern": pattern.name,
        "variant": timeline.variant.name,
        "engine_version": timeline.variant.engine_version,
        **_settings(branch),
        "commands": _commands(branch.log),
        "end": {"position": branch.end_position, "at_us": branch.end_us},
        "events": events,
        "digest": digest,
    }
    if source is not None:
        head["seed"] = None
        head["source"] = {"path": source.path, "sha256": source.sha256, "skip_bad": source.skipped > 0}
        if source.options:
            head["source"]["options"] = dict(source.options)
    return head


def _settings(branch: Branch) -> dict[str, Any]:
    return {
        "seed": branch.seed,
        "config": {name: to_json(value) for name, value in branch.config},
        "scenario": branch.scenario.name if branch.scenario else None,
    }


def _commands(log: Iterable[Input]) -> list[dict[str, Any]]:
    return [
        {"position": each.position, "at_us": each.at_us, "scripted": each.scripted,
         "command": encode_command(each.command)}
        for each in log
    ]  # fmt: skip


def _branch(branch: Branch, *, here: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "parent": branch.parent,
        "fork": {"position": branch.fork_position, "at_us": branch.fork_us},
    }
    if here:
        return {"here": True, **row}
    own = [each for each in branch.log if branch.parent is None or each.position >= branch.fork_position]
    return {
        **row,
        **_settings(branch),
        "left_at": branch.left_at,
        "commands": _commands(own),
        "end": {"position": branch.end_position, "at_us": branch.end_us},
    }


def _document(text: str, source: str) -> dict[str, Any]:
    """The JSON object of a recording; UserError unless it is one of this format."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(
            f"{source}: line {error.lineno}, column {error.colno}: not JSON ({error.msg}): "
            "the file is truncated or no dp-tui recording"
        ) from None
    except ValueError as error:
        raise UserError(f"{source}: not JSON that can be read ({error})") from None
    except RecursionError:
        raise UserError(f"{source}: nested too deeply to be a dp-tui recording") from None
    if not isinstance(data, dict) or data.get("recording") != "dp-tui":
        raise UserError(f'{source}: not a dp-tui recording: "recording": "dp-tui" is missing')
    if data.get("format") != FORMAT:
        raise UserError(f"{source}: format {data.get('format')!r}: this version reads format {FORMAT}")
    return data


def _variant(reader: "_Reader", patterns: Iterable[Pattern]) -> tuple[Pattern, Variant]:
    """Which pattern and variant it is a run of; UserError if they are unknown or of another version."""
    data, source = reader.data, reader.where
    known = {pattern.name: pattern for pattern in patterns}
    pattern = known.get(reader.text("pattern"))
    if pattern is None:
        raise UserError(f"{source}: unknown pattern {data['pattern']!r}: one of {', '.join(known)} is accepted")
    variants = {variant.name: variant for variant in pattern.variants}
    if pattern.recorded is not None and "source" in data:
        variants = {pattern.recorded.name: pattern.recorded}
    variant = variants.get(reader.text("variant"))
    if variant is None:
        raise UserError(f"{source}: unknown variant {data['variant']!r}: one of {', '.join(variants)} is accepted")
    version = reader.number("engine_version")
    if version != variant.engine_version:
        raise UserError(
            f"{source}: recorded with version {version} of the engine {variant.name!r}; this is version "
            f"{variant.engine_version}, whose runs differ"
        )
    return pattern, variant


def read(
    text: str,
    source: str,
    patterns: Iterable[Pattern],
    reopen: Callable[[str, SourceFile], Source] | None = None,
) -> Recording:
    """Parse a recording. UserError says what is wrong and where.

    ``reopen(pattern, file)`` reads the user's data again, for a run over such data.
    """
    data = _document(text, source)
    reader = _Reader(data, source)
    pattern, variant = _variant(reader, patterns)
    recorded = variant is pattern.recorded
    if recorded:
        origin = reader.inner("source")
        how = origin.inner("options").data if "options" in origin.data else {}
        file = SourceFile(
            origin.text("path"), origin.text("sha256"), origin.data.get("skip_bad") is True,
            tuple((name, str(value)) for name, value in sorted(how.items())),
        )  # fmt: skip
        if reopen is None:
            raise UserError(f"{source}: a run over {file.path}, which cannot be opened here")
        variant = variant.on(reopen(pattern.name, file))
    scenario = _scenario(reader, pattern)
    end = reader.inner("end")
    haste = "digest" in data and data["digest"] is None and data.get("events") is None
    digest, events = ("", None) if haste else (reader.text("digest"), reader.number("events"))
    log = _log(data, variant, source, end.number("position"))
    most = POSITION_MAX if events is None else min(POSITION_MAX, events + SILENT_STEPS * len(log))
    if not recorded and end.number("position") > most:  # the user's own data has an end of its own
        raise UserError(
            f"{source}: end: position {end.number('position'):,} lies beyond the recording: with {events} events and "
            f"{len(log)} commands a run comes to position {most:,} at most"
        )
    seed = 0 if recorded else reader.number("seed", low=-_MAX)
    config = read_config(data.get("config", {}), variant.settings, source)
    here = Branch(
        0, seed, config, scenario, log=list(log), end_position=end.number("position"), end_us=end.number("at_us")
    )
    branches, number = _branches(reader, here, pattern, variant)
    return Recording(
        pattern=pattern,
        variant=variant,
        seed=seed,
        config=config,
        scenario=scenario,
        log=log,
        end_position=here.end_position,
        end_us=here.end_us,
        events=events,
        digest=digest,
        branches=branches,
        number=number,
        breaks=_breaks(reader, here),
    )


def _breaks(reader: "_Reader", here: Branch) -> Breaks | None:
    """What breaks in it, if it says so."""
    if reader.data.get("breaks") is None:
        return None
    row = reader.inner("breaks")
    witness = row.data.get("witness")
    if not isinstance(witness, list) or not all(isinstance(line, str) for line in witness):
        raise UserError(f'{row.where}: "witness" must be a list of strings')
    position = row.number("position")
    if position > here.end_position:
        raise UserError(f"{row.where}: position {position:,} lies beyond the end of the run, {here.end_position:,}")
    return Breaks(row.text("check"), row.text("detail"), tuple(witness), position)


def _scenario(reader: "_Reader", pattern: Pattern) -> Scenario | None:
    if reader.data.get("scenario") is None:
        return None
    scenarios = {each.name: each for each in pattern.scenarios}
    name = reader.text("scenario")
    if name not in scenarios:
        raise UserError(f"{reader.where}: unknown scenario {name!r}: one of {', '.join(scenarios)} is accepted")
    return scenarios[name]


def _branches(reader: "_Reader", here: Branch, pattern: Pattern, variant: Variant) -> tuple[tuple[Branch, ...], int]:
    """All branches of a recording, and the number of the one it is about."""
    rows = reader.data.get("branches")
    if rows is None:
        return (), 0
    if not isinstance(rows, list) or not 0 < len(rows) <= BRANCHES_MAX:
        raise UserError(f'{reader.where}: "branches" must be a list of 1 to {BRANCHES_MAX:,} branches')
    marked = [number for number, row in enumerate(rows) if isinstance(row, dict) and row.get("here") is True]
    if len(marked) != 1:
        raise UserError(f'{reader.where}: exactly one of "branches" must say "here": true')
    branches: list[Branch] = []
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise UserError(f"{reader.where}: branch {number + 1}: an object is needed")
        each = _Reader(row, f"{reader.where}: branch {number + 1}")
        branches.append(_one_branch(each, number, branches, here if number == marked[0] else None, pattern, variant))
    return tuple(branches), marked[0]


def _one_branch(
    row: "_Reader", number: int, before: list[Branch], here: Branch | None, pattern: Pattern, variant: Variant
) -> Branch:
    fork = row.inner("fork")
    position, at_us = fork.number("position"), fork.number("at_us")
    parent = None if row.data.get("parent") is None else row.number("parent")
    if parent is not None and (parent >= number or position > before[parent].end_position):
        raise UserError(f"{row.where}: must fork off an earlier branch, before that one's end")
    if here is not None:
        return replace(here, number=number, parent=parent, fork_position=position, fork_us=at_us)
    end = row.inner("end")
    if not position <= end.number("position") <= POSITION_MAX:
        raise UserError(
            f"{row.where}: ends at position {end.number('position'):,}, before its fork or beyond all bounds"
        )
    own = _log(row.data, variant, row.where, end.number("position"))
    if own and own[0].position < position:
        raise UserError(f"{row.where}: its first command stands before its fork")
    shared = [] if parent is None else [each for each in before[parent].log if each.position < position]
    left_at = None if row.data.get("left_at") is None else row.number("left_at")
    return Branch(
        number,
        0 if variant is pattern.recorded else row.number("seed", low=-_MAX),
        read_config(row.data.get("config", {}), variant.settings, row.where),
        _scenario(row, pattern),
        log=[*shared, *own],
        end_position=end.number("position"),
        end_us=end.number("at_us"),
        left_at=left_at,
        parent=parent,
        fork_position=position,
        fork_us=at_us,
    )


def read_config(data: Any, settings: tuple[Setting, ...], source: str) -> Config:
    """Settings by name, each checked against what the variant accepts."""
    if not isinstance(data, dict):
        raise UserError(f'{source}: "config" must be an object of settings')
    known = {setting.name: setting for setting in settings}
    values: dict[str, Any] = {}
    for name, value in data.items():
        if name not in known:
            raise UserError(f"{source}: unknown setting {name!r}: one of {', '.join(known)} is accepted")
        values[name] = _tuples(value) if isinstance(known[name].default, tuple) else value
        known[name].accept(values[name], source)
    return tuple((name, values[name]) for name in known if name in values)


def _tuples(value: Any) -> Any:
    """Lists as the tuples they were before they became JSON."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


class _Reader:
    """Typed access to the fields of an object, with errors that name the field."""

    def __init__(self, data: dict[str, Any], where: str) -> None:
        self.data = data
        self.where = where

    def text(self, name: str) -> str:
        value = self.data.get(name)
        if not isinstance(value, str):
            raise UserError(f'{self.where}: "{name}" must be a string, not {value!r}'[:300])
        return value

    def number(self, name: str, low: int = 0) -> int:
        value = self.data.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value < _MAX:
            raise UserError(f'{self.where}: "{name}" must be a whole number of at least {low}, not {value!r}'[:300])
        return value

    def inner(self, name: str) -> "_Reader":
        value = self.data.get(name)
        if not isinstance(value, dict):
            raise UserError(f'{self.where}: "{name}" must be an object, not {value!r}'[:300])
        return _Reader(value, f"{self.where}: {name}")


def _log(data: dict[str, Any], variant: Variant, source: str, end: int) -> tuple[Input, ...]:
    rows = data.get("commands")
    if not isinstance(rows, list):
        raise UserError(f'{source}: "commands" must be a list')
    log: list[Input] = []
    for number, row in enumerate(rows, 1):
        where = f"{source}: command {number}"
        if not isinstance(row, dict):
            raise UserError(f"{where}: an object is needed")
        reader = _Reader(row, where)
        position, at_us = reader.number("position"), reader.number("at_us")
        if position >= end or (log and (position <= log[-1].position or at_us < log[-1].at_us)):
            raise UserError(
                f"{where}: at position {position}, {at_us} us: commands must stand in order, before the end"
            )
        command = decode_command(row.get("command"), variant.commands, where)
        log.append(Input(position, at_us, command, row.get("scripted") is True))
    return tuple(log)
