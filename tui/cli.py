"""The command line: ``dp-tui [PATTERN]``, ``run PATTERN``, ``replay``, ``list``.

The commands of a pattern are made from what it publishes: its variants, its stories and its own options (``options``).

Exit status: 0 all checks hold; 1 a check failed; 2 bad usage or unreadable input, with one line on stderr that says
what, where, and what would be accepted; 130 interrupted. Textual, and what reads data of the user, are imported only
when they are needed: a first picture must be quick.
"""

import io
import json
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from engines import NAMES
from engines.errors import UserError
from engines.sim.line import is_line, line_of, read_line
from engines.sim.pattern import Config, Pattern, Scenario, Variant
from engines.sim.recording import Recording, read
from engines.sim.timeline import Timeline
from engines.units import US_PER_S, stamp, when
from tui import __version__, report
from tui.company import Company
from tui.farewell import sealed
from tui.glyphs import glyphs_for
from tui.judging import judged
from tui.kit.words import plural
from tui.options import (
    DATA_OPTIONS,
    FORMATS,
    DataOptions,
    Duration,
    KeyAt,
    ScreenSize,
    Speed,
    Whole,
    data_options,
    run_options,
    screen_options,
)
from tui.panel import Panel
from tui.progress import Progress
from tui.registry import PANELS, drawing, patterns
from tui.serve import command as serving
from tui.state import State
from tui.terminal.capability import Capability, detect

UNTIL_US: Final = 60 * US_PER_S
RECORD_US: Final = 5 * US_PER_S
RECORDING_BYTES_MAX: Final = 256 << 20

# -- what is asked for ---------------------------------------------------------------------------------------------


def panels_by_name() -> dict[str, tuple[Panel, str]]:
    """Every name a pattern has on the command line, with the variant that the name selects; empty: its first."""
    names: dict[str, tuple[Panel, str]] = {panel.pattern.name: (panel, "") for panel in PANELS}
    for panel in PANELS:
        for alias, variant in panel.pattern.aliases:
            names.setdefault(alias, (panel, variant))
    return names


def find_panel(name: str) -> tuple[Panel, str]:
    """A pattern by name, alias or number."""
    names = panels_by_name()
    if name.isascii() and name.isdecimal() and 0 < int(name) <= len(NAMES):
        name = NAMES[int(name) - 1]
    if name in NAMES and name not in names:
        raise UserError(f"the pattern {name!r} is not built yet: one of {', '.join(names)} is accepted")
    if name not in names:
        raise UserError(f"unknown pattern {name!r}: one of {', '.join(names)} is accepted")
    panel, variant = names[name]
    return panel, variant or panel.pattern.variants[0].name


def find_variant(pattern: Pattern, name: str) -> Variant:
    """A variant by name."""
    try:
        return pattern.variant(name)
    except KeyError:
        known = ", ".join(variant.name for variant in pattern.variants)
        raise UserError(f"{pattern.name} has no variant {name!r}: one of {known} is accepted") from None


def find_scenario(pattern: Pattern, name: str) -> Scenario:
    """A scenario by name."""
    try:
        return pattern.scenario(name)
    except KeyError:
        known = ", ".join(scenario.name for scenario in pattern.scenarios)
        raise UserError(f"{pattern.name} has no scenario {name!r}: one of {known} is accepted") from None


def make_config(variant: Variant, nodes: int | None, scenario: Scenario | None) -> Config:
    """The settings the options ask for."""
    if nodes is None:
        return scenario.config if scenario else ()
    if scenario is not None:
        raise UserError(f"--nodes: the scenario {scenario.name!r} brings its own cluster; leave one of the two out")
    for setting in variant.settings:
        if setting.name == "nodes":
            setting.accept(nodes, "--nodes")
            return (("nodes", nodes),)
    raise UserError(f"--nodes: {variant.name} has no number of nodes to set")


def refuse_file(pattern: Pattern, file: str | None, options: DataOptions) -> None:
    """Patterns that read no data of the user say so, and so do options of data where there is none."""
    if file is None and options.given:
        raise UserError(f"{options.given[0]} is for a FILE of your own data, and none is named")
    if file is not None:
        raise UserError(f"{file}: {pattern.name} takes no data file; a saved run is opened by: dp-tui replay {file}")


def refuse_simulation(file: str, **options: Any) -> None:
    """What is for the simulation means nothing where a FILE says what happened."""
    for name, value in options.items():
        if value is not None:
            raise UserError(f"--{name} is for the simulation, but {file} brings its own data; leave one of the two out")


def read_recording(file: str) -> Recording:
    """A saved run from a file, from standard input for ``-``, or from a line of text, which may stand in either."""
    if not file:
        raise UserError(
            "'': the name of a saved run, - for standard input, or a line that begins with dp-tui: is needed"
        )
    if is_line(file):
        return read_line(file, patterns())
    try:
        if file == "-":
            raw = sys.stdin.buffer.read(RECORDING_BYTES_MAX + 1)
        else:
            with Path(file).open("rb") as stream:
                raw = stream.read(RECORDING_BYTES_MAX + 1)
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror or error}") from None
    if len(raw) > RECORDING_BYTES_MAX:
        raise UserError(f"{file}: larger than {RECORDING_BYTES_MAX >> 20} MiB: no recording of dp-tui is")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{file}: byte {error.start}: not UTF-8, so no recording of dp-tui") from None
    if is_line(text):
        return read_line(text, patterns())
    from tui.userdata import reopen

    return read(text, file, patterns(), reopen)


def choose(
    pattern: Pattern, variant: str | None, scenario: str | None, default: str
) -> tuple[Variant, Scenario | None]:
    """Variant and story by name; a story belongs to one variant."""
    story = find_scenario(pattern, scenario) if scenario else None
    if story is not None and not variant and default not in (pattern.variants[0].name, story.variant):
        raise UserError(
            f"--scenario {story.name}: this story is one of {story.variant}, and {default} has others; "
            f"ask for {story.variant} instead, or leave the story out"
        )
    if not variant and default != pattern.variants[0].name:
        variant = default  # it was asked for by a name of its own: dp-tui pbft
    chosen = find_variant(pattern, variant or (story.variant if story else default))
    if story is not None and story.variant != chosen.name:
        raise UserError(
            f"--variant {chosen.name}: the scenario {story.name!r} is one of {story.variant!r}; leave one out"
        )
    return chosen, story


# -- the commands of a pattern -------------------------------------------------------------------------------------

HELP: Final[dict[str, Any]] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class OfPattern(click.Command):
    """A command of one pattern. Options that it does not have are refused with the name of whose they are."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, but for unknown options."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise UserError(self._whose(error.option_name, ctx)) from None

    def _whose(self, flag: str, ctx: click.Context) -> str:
        known = [name for param in self.params for name in param.opts if name.startswith("--")]
        mine = f"{flag}: {ctx.command_path} has no such option"
        for each in DATA_OPTIONS:
            if each.flag == flag and each.run_only and ctx.info_name in panels_by_name() and "run" not in mine:
                return f"{mine}: it is one of dp-tui run {' or '.join(each.patterns)}"
            if each.flag == flag:
                return f"{mine}: it is one of {' and '.join(each.patterns)}"
        return f"{mine}; it has {' '.join(known)}"


class File(click.Argument):
    """FILE, shown only where there is something to read."""

    def __init__(self, shown: bool) -> None:
        self.shown = shown
        super().__init__(["file"], required=False)

    def make_metavar(self, *args: Any) -> str:
        """Nothing, if no file is taken."""
        return "[FILE]" if self.shown else ""


def app_command(name: str) -> click.Command:
    """``dp-tui PATTERN``."""
    panel, default = find_panel(name)
    pattern = panel.pattern
    return OfPattern(
        name,
        context_settings=HELP,
        params=[
            File(pattern.name in FORMATS), *run_options(pattern, default), *data_options(pattern.name, run=False),
            *screen_options(),
        ],
        callback=_ending(partial(open_pattern, panel, default)),
        help=f"{pattern.title}: {pattern.question}\n\nOpen the app on it"
        f"{_data_help(pattern.name, ', paused at its end')}",
    )  # fmt: skip


def run_command(name: str) -> click.Command:
    """``dp-tui run PATTERN``."""
    panel, default = find_panel(name)
    pattern = panel.pattern
    return OfPattern(
        name,
        context_settings=HELP,
        params=[
            File(pattern.name in FORMATS), *run_options(pattern, default), *data_options(pattern.name, run=True),
            click.Option(["--until"], type=Duration(), help="Virtual time (default: to the story's end, or 60s)."),
            click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON object."),
        ],
        callback=_ending(partial(run_pattern, panel, default)),
        help=f"{pattern.title}: {pattern.question}\n\nRun it without a screen and print a report"
        f"{_data_help(pattern.name, '')} Exit status 1 if a check failed.",
    )  # fmt: skip


def _ending(act: Callable[..., int]) -> Callable[..., None]:
    """An action whose result is the exit status."""

    def callback(**options: Any) -> None:
        click.get_current_context().exit(act(**options))

    return callback


def _data_help(pattern: str, how: str) -> str:
    formats = FORMATS.get(pattern)
    return f"; with FILE on your own data{how}: {'; '.join(formats)}." if formats else "."


def hunt_command(name: str) -> click.Command:
    """``dp-tui hunt PATTERN``."""
    from tui.hunt_options import Asked, hunt_options
    from tui.hunting import hunt

    panel, default = find_panel(name)
    pattern = panel.pattern

    def act(variant: str | None, scenario: str | None, **options: Any) -> int:
        chosen, story = choose(pattern, variant, scenario, default)
        return hunt(Asked(pattern.name, chosen, story, **options))

    return OfPattern(
        name,
        context_settings=HELP,
        params=[*run_options(pattern, default)[:2], *hunt_options()],
        callback=_ending(act),
        help=f"{pattern.title}: {pattern.question}\n\nPlay thousands of seeds under random faults and look for a check "
        "that fails. What is found is made small and printed as a run to replay. Exit status 1 if anything was found.",
    )


class Runs(click.Group):
    """``run`` and ``hunt``: one command a pattern."""

    def __init__(self, *args: Any, command: Callable[[str], click.Command], **more: Any) -> None:
        super().__init__(*args, **more)
        self.command_of = command

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The patterns."""
        return [pattern.name for pattern in patterns()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a pattern; UserError if there is none of this name."""
        return self.command_of(cmd_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The pattern comes first, or is found among what does."""
        if not args or args[0].startswith("-"):
            named = next((arg for arg in args if arg in panels_by_name()), None)
            if named is not None:
                args = [named, *(arg for arg in args if arg is not named)]
            elif not set(args) & set(HELP["help_option_names"]):
                raise UserError(f"{self.name}: PATTERN is missing: one of {', '.join(panels_by_name())} is accepted")
        return super().parse_args(ctx, args)


class Commands(click.Group):
    """A first word that is no command is a pattern; without any, the pattern used last is opened."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the pattern in front where none is named."""
        if not args or (args[0].startswith("-") and args[0] not in ("-h", "--help", "--version")):
            last = State(sandbox="--sandbox" in args).last_pattern
            args = [last if last in panels_by_name() else PANELS[0].pattern.name, *args]
        return super().parse_args(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command, or that of a pattern."""
        return super().get_command(ctx, cmd_name) or app_command(cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        """As click does; what is printed leaves here, so that a closed pipe is known here."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            raise ClosedPipe from None
        except click.exceptions.Exit:
            try:
                sys.stdout.flush()
            except BrokenPipeError:
                raise ClosedPipe from None
            raise
        return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The patterns, the commands, and the options that every pattern has."""
        with formatter.section("Patterns, by name or number"):
            rows = []
            for pattern in patterns():
                aliases = "".join(f", {alias}" for alias, _ in pattern.aliases)
                rows.append((f"{pattern.number} {pattern.name}{aliases}", pattern.question))
            formatter.write_dl(rows)
        super().format_commands(ctx, formatter)
        with formatter.section("Options of the app (each pattern has more: dp-tui PATTERN --help)"):
            shared = [*run_options(PANELS[0].pattern)[2:3], *screen_options()]
            formatter.write_dl([row for param in shared if (row := param.get_help_record(ctx))])


@click.group(cls=Commands, context_settings=HELP, subcommand_metavar="[PATTERN | COMMAND] [ARGS]...")
@click.version_option(__version__, prog_name="dp-tui", message="%(prog)s %(version)s")
def commands() -> None:
    """See and break the patterns distributed systems are built from.

    Without a command the app opens, on the pattern that is named or on the one used last. Press ? in it.
    """


commands.add_command(
    Runs("run", context_settings=HELP, help="Run a pattern without a screen and print a report.",
         subcommand_metavar="PATTERN [FILE] [OPTIONS]", command=run_command)
)  # fmt: skip
commands.add_command(
    Runs("hunt", context_settings=HELP, help="Search seeds for broken checks; make what is found small.",
         subcommand_metavar="PATTERN [OPTIONS]", command=hunt_command)
)  # fmt: skip


def open_pattern(
    panel: Panel,
    default: str,
    *,
    file: str | None,
    variant: str | None,
    scenario: str | None,
    seed: int | None,
    nodes: int | None,
    **others: Any,
) -> int:
    """Open the app on a pattern."""
    data = {field.name: others.pop(field.name) for field in fields(DataOptions) if field.name in others}
    screen, options = others, DataOptions(nodes=nodes, **data)
    if options.demo_store is not None:
        if options.writer is not None:
            raise UserError(f"--writer {options.writer}: it opens the app, and --demo-store writes a file and ends; "
                            "give one of the two")  # fmt: skip
        return write_demo(panel.pattern.name, options.demo_store, file, screen["sandbox"])
    if options.writer is not None:
        return open_writer(options.writer, file, screen)
    state = State(sandbox=screen["sandbox"])
    name = panel.pattern.name
    if file is not None and name in FORMATS:
        from tui.userdata import reader

        refuse_simulation(file, scenario=scenario)
        terminal(file)
        file = file if file == "-" else str(Path(file).absolute())  # a saved run must find it from anywhere
        begin = reader(name).opening(file, options)
        if begin.variant is not None:
            refuse_simulation(file, variant=variant, seed=seed)
            return open_app(state, screen, name, file=file, recorded=begin.variant, config=begin.config)
        chosen = find_variant(panel.pattern, variant or default)
        start = 42 if seed is None else seed
        return open_app(
            state, screen, name, begin.commands, file=file, variant=chosen.name, seed=start, config=begin.config
        )
    refuse_file(panel.pattern, file, options)
    chosen, story = choose(panel.pattern, variant, scenario, default)
    return open_app(
        state,
        screen,
        name,
        variant=chosen.name,
        scenario=story.name if story else "",
        seed=seed if seed is not None else story.seed if story else 42,
        config=make_config(chosen, nodes, story),
    )


def write_demo(pattern: str, path: str, file: str | None, sandbox: bool) -> int:
    """Write a store to play with."""
    from tui.userdata import cqrs, events

    if not path:
        raise UserError("--demo-store '': name a file that does not exist")
    if file is not None:
        raise UserError(f"--demo-store {path}: it is written, and {file} would be read; leave one of the two out")
    if sandbox:
        raise UserError(f"--demo-store {path}: with --sandbox no file is written; leave one of the two out")
    click.echo(cqrs.write_demo(path) if pattern == "cqrs" else events.write_demo(path))
    return 0


def open_writer(path: str, file: str | None, screen: dict[str, Any]) -> int:
    """A real writer on a real file, on a screen of its own."""
    if file is not None:
        raise UserError(f"--writer {path}: it is written, and {file} would be read; leave one of the two out")
    if screen["sandbox"]:
        raise UserError(f"--writer {path}: with --sandbox no process is started and no file is written")
    from engines.live.writer import LiveWriter
    from tui.writer import WriterSession

    writer = LiveWriter(path)
    capability = terminal("")
    session = WriterSession(writer, glyphs_for(screen["glyphs"] or capability.glyphs))
    try:
        return farewell(show(session, screen, capability, None))
    finally:
        writer.stop()


def run_pattern(
    panel: Panel,
    default: str,
    *,
    file: str | None,
    variant: str | None,
    scenario: str | None,
    seed: int | None,
    nodes: int | None,
    until: int | None,
    as_json: bool,
    **data: Any,
) -> int:
    """Run a pattern without a screen and print a report; with FILE: judge the data in it."""
    options = DataOptions(nodes=nodes, **data)
    if file is not None and panel.pattern.name in FORMATS:
        from tui.userdata import reader

        refuse_simulation(file, scenario=scenario, variant=variant, seed=seed, until=until)
        return 0 if reader(panel.pattern.name).report(file, options, as_json) else 1
    refuse_file(panel.pattern, file, options)
    chosen, story = choose(panel.pattern, variant, scenario, default)
    result = report.run(
        drawing(PANELS, panel.pattern.name, chosen.name),
        chosen,
        seed if seed is not None else story.seed if story else 42,
        make_config(chosen, nodes, story),
        story,
        until if until is not None else story.end_us if story else UNTIL_US,
    )
    click.echo(result.as_json() if as_json else result.as_text())
    return 0 if result.holds else 1


@commands.command("replay")
@click.argument("files", metavar="FILE|LINE...", nargs=-1, required=True)
@click.option("--headless", is_flag=True, help="Execute it again and compare the digests, without a screen.")
@click.option("--line", is_flag=True, help="Print the run as one line of text.")
@click.pass_context
def replay_command(ctx: click.Context, /, files: tuple[str, ...], headless: bool, line: bool, **screen: Any) -> None:
    """Open saved runs exactly as they were, with their branches; the first is the one on the screen.

    A run is a file, or one line of text that begins with dp-tui: as the app copies it and a hunt prints it.
    """
    ctx.exit(print_lines(files) if line else replay(files, headless, screen))


replay_command.params += screen_options()


def replay(files: tuple[str, ...], headless: bool, screen: dict[str, Any]) -> int:
    """Execute saved runs again, compare their digests, and open the app on them unless it is to be ``headless``."""
    recordings: list[Recording] = []
    failed = False
    if files.count("-") > 1:
        raise UserError("- and -: standard input holds one saved run: name it once, and the others as files")
    for file in files:
        recording = read_recording(file)
        name = shown(file)
        if not headless and any(each.variant.name == recording.variant.name for each in recordings):
            raise UserError(f"{name}: a second run of {recording.variant.title}: one of a kind can be open at a time")
        recordings.append(recording)
        try:
            with Progress(name, "steps") as progress:
                timeline, same, digest = recording.execute(progress.at)
        except UserError as error:
            raise UserError(f"{name}: {error}") from None
        if not same:
            raise UserError(f"{name}: the run comes to digest {digest}, recorded is {recording.digest}: it was changed")
        if headless:
            failed = _tell_replayed(name, recording, timeline, digest) or failed
    if headless:
        return 1 if failed else 0
    first, piped = recordings[0], "-" if "-" in files else ""
    return open_app(
        State(sandbox=screen["sandbox"]), screen, first.pattern.name, file=piped, recordings=tuple(recordings)
    )


def print_lines(files: tuple[str, ...]) -> int:
    """Print saved runs as lines of text, one each."""
    for file in files:
        recording = read_recording(file)
        try:
            timeline = recording.open()
        except UserError as error:
            raise UserError(f"{shown(file)}: {error}") from None
        click.echo(line_of(recording.pattern, timeline, recording.breaks))
    return 0


def shown(file: str) -> str:
    """A file by its name, a line by its beginning."""
    return f"{file[:32]}..." if is_line(file) else file


def _tell_replayed(file: str, recording: Recording, timeline: Timeline[Any, Any], digest: str) -> bool:
    """One line about a run that was executed again, and its failed checks; whether there are any."""
    same = "the same run" if recording.digest else "saved in haste, so there is no digest to compare it with"
    click.echo(f"{file}: {plural(timeline.engine.events_total, 'event')}, digest {digest}: {same}")
    failed = [check for check in timeline.check() + judged(timeline.engine) if not check.ok]
    breaks = recording.breaks
    if breaks is not None and breaks.position:
        click.echo(f"step {breaks.position:,} breaks {breaks.check}")
    elif breaks is not None:
        click.echo(f"FAILED  {breaks.check}: {breaks.detail}")
    for check in failed:
        click.echo(f"FAILED  {check.name}{when(check.at_us, ' ')}: {check.detail}")
        click.echo("".join(f"        {line}\n" for line in check.witness), nl=False)
    return bool(failed) or breaks is not None


@commands.command("list")
@click.option("--fidelity", is_flag=True, help="What is modelled, simplified and left out.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_command(fidelity: bool, as_json: bool) -> None:
    """List patterns, variants, scenarios and data formats."""
    if as_json:
        click.echo(json.dumps({"patterns": [_pattern_json(pattern, fidelity) for pattern in patterns()]}))
        return
    for pattern in patterns():
        aliases = ", ".join(alias for alias, _ in pattern.aliases)
        click.echo(f"{pattern.number} {pattern.name}{f' ({aliases})' if aliases else ''}: {pattern.question}")
        if fidelity:
            click.echo("\n".join(fidelity_lines(pattern)))
            continue
        for variant in pattern.variants:
            click.echo(f"  variant {variant.name}: {variant.summary}")
        for scenario in pattern.scenarios:
            click.echo(f"  scenario {scenario.name}: {scenario.title}")
        click.echo(f"  data: {'; '.join(FORMATS.get(pattern.name, ('none, it runs in the simulation',)))}")


def fidelity_lines(pattern: Pattern) -> list[str]:
    """What is modelled, simplified and left out, each thing once: what holds for all variants first, then what is a
    variant's own."""
    variants = pattern.variants
    shared = [row for row in variants[0].fidelity if all(row in each.fidelity for each in variants)]
    lines = [_fidelity_line(kind, what) for kind, what in shared]
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for variant in variants:
        own = tuple(row for row in variant.fidelity if row not in shared)
        groups.setdefault(own, []).append(variant.name)
    for own, names in groups.items():
        if own:
            lines.append(f"  {', '.join(names)}")
            lines += [_fidelity_line(kind, what) for kind, what in own]
    return lines + [_fidelity_line("note", note) for note in pattern.notes]


def _fidelity_line(kind: str, what: str) -> str:
    return click.wrap_text(what, 100, f"    {kind:10}  ", " " * 16)


def _pattern_json(pattern: Pattern, fidelity: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "number": pattern.number,
        "name": pattern.name,
        "title": pattern.title,
        "question": pattern.question,
        "aliases": dict(pattern.aliases),
        "variants": [{"name": each.name, "title": each.title, "summary": each.summary} for each in pattern.variants],
        "scenarios": [
            {"name": each.name, "title": each.title, "variant": each.variant, "summary": each.summary,
             "breaks": list(each.breaks), "end_us": each.end_us}
            for each in pattern.scenarios
        ],
        "formats": list(FORMATS.get(pattern.name, ())),
    }  # fmt: skip
    if fidelity:
        row["fidelity"] = {
            each.name: [{"kind": kind, "what": what} for kind, what in each.fidelity] for each in pattern.variants
        }
        row["notes"] = list(pattern.notes)
    return row


@commands.command("record", short_help="Write a run as a film or a still picture.")
@click.argument("file", metavar="FILE")
@click.argument("pattern")
@click.option("--variant", metavar="NAME", help="A variant of the pattern.")
@click.option("--scenario", metavar="NAME", help="The story to play.")
@click.option("--seed", type=Whole(-(1 << 62), 1 << 62), help="Seed of all randomness (default: the story's, or 42).")
@click.option("--nodes", type=Whole(), help="Machines in the cluster.")
@click.option("--until", type=Duration(), help="Virtual time (default: to the story's end, or 5s).")
@click.option("--press", type=KeyAt(), multiple=True, help="Press a key, as 1200ms=k; without a time: at the end.")
@click.option("--speed", type=Speed(), help="Virtual time per time of the film (default: the pattern's own).")
@click.option("--size", type=ScreenSize(), default="120x36", show_default=True, help="Columns and rows.")
@click.option("--theme", metavar="NAME", default="dark", show_default=True, help="As of the app.")
@click.option("--glyphs", type=click.Choice(["braille", "block", "ascii"]), default="braille", show_default=True)
def record_command(file: str, pattern: str, **options: Any) -> None:
    """Write a run of PATTERN as FILE.cast (a film, asciicast version 2), FILE.svg or FILE.txt (one still picture).
    Equal seeds give equal bytes; each fault is a marker of the film.
    """
    record(file, pattern, **options)


def record(
    file: str,
    name: str,
    *,
    variant: str | None,
    scenario: str | None,
    seed: int | None,
    nodes: int | None,
    until: int | None,
    press: tuple[tuple[str, int | None], ...],
    speed: Fraction | None,
    size: tuple[int, int],
    theme: str,
    glyphs: str,
) -> None:
    """Play it, and write the film or the picture."""
    from tui import recorder
    from tui.session import Session
    from tui.theme import theme_for

    kind = recorder.kind(file)
    panel, default = find_panel(name)
    chosen, story = choose(panel.pattern, variant, scenario, default)
    if until is None:
        until = story.end_us if story else RECORD_US
    for key, at in press:
        if at is not None and at > until:
            raise UserError(f"--press {key} at {stamp(at)}: the run ends at {stamp(until)}; --until LATER goes on")
    keys = tuple(recorder.Pressed(key, until if at is None and kind == ".cast" else at) for key, at in press)
    title = f"dp-tui: {chosen.title}{f', {story.title}' if story else ''}"
    shot = recorder.Shot(until, size, theme_for(theme, 256), keys, title)
    session = Session(
        PANELS,
        panel.pattern.name,
        variant=chosen.name,
        scenario=story.name if story else "",
        seed=seed,
        config=make_config(chosen, nodes, story),
        speed=speed,
        glyphs=glyphs_for(glyphs),
        sandbox=True,
        version=__version__,
    )
    match kind:
        case ".cast":
            text = recorder.film(session, shot)
        case ".svg":
            text = recorder.picture(session, shot)
        case _:
            text = recorder.still(session, shot).text() + "\n"
    recorder.write(file, text)


@commands.command("serve", short_help="Show the app to others: by SSH, in browsers, on a stage.")
@click.argument("pattern", required=False)
@click.option("--variant", metavar="NAME", help="The variant that visitors get.")
@click.option("--scenario", metavar="NAME", help="The story that visitors get.")
@click.option("--seed", type=Whole(-(1 << 62), 1 << 62), help="The seed that visitors get.")
@click.option("--speed", type=Speed(), help="Virtual time per wall time, 1/100 to 10.")
@click.option("--stage", is_flag=True, help="The app opens here, for you; everybody else watches, and O branches off.")
def serve_command(
    pattern: str | None,
    variant: str | None,
    scenario: str | None,
    seed: int | None,
    speed: Fraction | None,
    stage: bool,
    **options: Any,
) -> None:
    """Every visitor gets the app, on PATTERN, sandboxed: over SSH, with --web in a browser. This machine alone is
    served unless --host names another address, and by SSH people whose keys are known unless --anonymous is given.
    With --stage the app opens here, and everybody watches it.
    """
    panel, default = find_panel(pattern or PANELS[0].pattern.name)
    chosen, story = choose(panel.pattern, variant, scenario, default)
    arguments = [panel.pattern.name, "--variant", chosen.name]
    for name, value in (("--scenario", story and story.name), ("--seed", seed), ("--speed", speed)):
        if value is not None:
            arguments += [name, str(value)]
    wanted = serving.wanted(tuple(arguments), frozenset(panels_by_name()), options)
    if not stage:
        for name in ("theme", "glyphs"):
            if options[name] is not None:
                raise UserError(f"--{name} is for --stage: visitors get what their terminals show")
        click.get_current_context().exit(serving.serve(wanted))
    screen = {"glyphs": options["glyphs"], "theme": options["theme"], "fps": options["fps"], "no_mouse": False}
    story_name = story.name if story else ""
    run = {"variant": chosen.name, "scenario": story_name, "seed": seed, "speed": speed}
    click.get_current_context().exit(open_stage(wanted, screen, panel.pattern.name, run))


serve_command.params += [*serving.options(), *screen_options()[1:4]]


def open_stage(wanted: serving.Wanted, screen: dict[str, Any], pattern: str, run: dict[str, Any]) -> int:
    """The presenter's app, watched by whoever comes. Returns the exit status."""
    from tui.session import Session

    capability = terminal()
    state = State()
    session = Session(
        PANELS,
        pattern,
        glyphs=glyphs_for(screen["glyphs"] or capability.glyphs),
        save_folder=state.save_folder,
        version=__version__,
        **run,
    )
    return farewell(show(session, screen, capability, state, serving.present(wanted, session, PANELS)))


# -- the screen ----------------------------------------------------------------------------------------------------


def terminal(file: str = "") -> Capability:
    """What the terminal can do; UserError if no app can run on it. Data may come through standard input (``-``) if
    there is a terminal to read keys from all the same."""
    keys = sys.stdin.isatty()
    if file == "-" and not keys:
        with suppress(OSError):
            os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
            keys = True
    capability = detect(os.environ, keys, sys.stdout.isatty(), sys.stderr.isatty(), sys.stderr.encoding)
    if not capability.usable:
        raise UserError(capability.reason)
    return capability


def open_app(
    state: State, screen: dict[str, Any], pattern: str, commands: tuple[Any, ...] = (), *, file: str = "", **run: Any
) -> int:
    """Look at the terminal, then open the app on it; ``commands`` are given at once. Returns the exit status."""
    from tui.session import Session

    capability = terminal(file)
    session = Session(
        PANELS,
        pattern,
        glyphs=glyphs_for(screen["glyphs"] or capability.glyphs),
        speed=screen["speed"],
        sandbox=screen["sandbox"],
        save_folder=state.save_folder,
        version=__version__,
        **run,
    )
    session.perform(commands)
    session.scene.given = len(session.scene.branch.log)
    app = show(session, screen, capability, state)
    state.remember_pattern(session.scene.panel.pattern.name)
    return farewell(app)


def show(
    session: Any,
    screen: dict[str, Any],
    capability: Capability,
    state: State | None,
    company: Company | None = None,
) -> Any:
    """The app on this session, until it is left."""
    for name, value in capability.textual_environ().items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    from tui.app import DpTui
    from tui.terminal.pace import Pace
    from tui.theme import theme_for

    theme = theme_for(screen["theme"], capability.colors, os.environ)
    app = DpTui(
        session,
        theme=theme,
        fps=screen["fps"],
        pace=None if screen["fps"] else Pace(),
        capability=capability,
        mouse=not screen["no_mouse"],
        state=state,
        guess=screen["theme"] is None,
        company=company,
    )
    app.run(mouse=not screen["no_mouse"])
    return app


def farewell(app: Any) -> int:
    """The last words of the app; its exit status."""
    from tui.terminal.line import say

    if app.failure:
        say(f"dp-tui: {app.failure}", sys.stderr)
    if app.kept.text:
        say(app.kept.text, sys.stdout)
    if not app.return_code:
        sealed(app.kept, click.echo)
    return app.return_code or 0


class ClosedPipe(Exception):
    """Nobody reads the output any more (``| head``): no fault of the run, and none of the reader. Named anew, because
    click makes exit status 1 of a ``BrokenPipeError``, which here means that a check failed."""


def main() -> None:
    """The command ``dp-tui``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a text never fails for its encoding: what has no place is escaped
            stream.reconfigure(errors="backslashreplace")
    try:
        status = commands.main(prog_name="dp-tui", standalone_mode=False)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except click.ClickException as error:
        _fail(error.format_message().replace("\n", " "))
    except UserError as error:
        _fail(str(error))
    except (ClosedPipe, BrokenPipeError):
        _silence_stdout()
        sys.exit(0)
    except OSError as error:
        _silence_stdout()
        _fail(f"the output cannot be written: {error.strerror or error}; the run itself was not at fault")
    sys.exit(status if isinstance(status, int) else 0)


def _silence_stdout() -> None:
    """What is still buffered goes nowhere, so that the interpreter does not stumble over it on its way out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


LONG_KEPT: Final = 60
_LONG: Final = re.compile(r"(?<=')[^']{160,}(?=')|[^\s']{256,}")
"""What is quoted, or a word, and so long that it would hide what is wrong with it. A path is seldom so long."""


def _fail(message: str) -> None:
    """One line, whatever names and values are quoted in it: what would break it, or command a terminal, is escaped."""
    line = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in message)
    line = _LONG.sub(lambda found: f"{found[0][:LONG_KEPT]}...{found[0][-LONG_KEPT // 4 :]}", line)
    click.echo(f"dp-tui: {line}", err=True)
    sys.exit(2)
