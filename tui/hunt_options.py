"""What a hunt was asked for: the options of ``dp-tui hunt``, and the command that asks for the same again."""

import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from engines.errors import UserError
from engines.hunt import PROFILES, Here, Pool, Request, Workers, processors
from engines.sim.pattern import Config, Scenario, Variant
from engines.units import US_PER_S
from tui import files
from tui.options import Duration, Whole

SEED_MAX: Final = 1 << 62
LAST: Final = 999
JOBS_MAX: Final = 256
JUDGE: Final = "tui.judging"
"""Who looks at what clients were told, once a run is over."""


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
        click.Option(["--set", "settings"], multiple=True, metavar="NAME=VALUE", help="Draw this setting no more."),
        click.Option(["--fixed"], is_flag=True, help="Draw no setting: as --set says, else the default."),
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
    settings: tuple[str, ...] = ()
    """As they are written: ``name=value``."""
    fixed: bool = False
    first: int = 0
    last: int | None = LAST
    folder: Path | None = None
    given: Config = ()
    """The settings, and the broken rules."""

    def check(self) -> None:
        """UserError unless it all goes together."""
        self.broken = tuple(dict.fromkeys(self.broken))
        for rule in self.broken:
            self._check_rule(rule)
        set_ = dict(setting_of(self.variant, each) for each in self.settings)
        self.given = tuple((set_ | dict.fromkeys(self.broken, False)).items())
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
            self.given, self.scenario.name if self.scenario else "", self.fixed, judge=JUDGE,
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
        for setting in self.settings:
            words += ["--set", shlex.quote(setting)]
        words += ["--fixed"] if self.fixed else []
        for flag, value in (("--until-new", self.until_new), ("--save", self.save), ("--cluster", self.cluster)):
            words += [flag, shlex.quote(str(value))] if value is not None else []
        return " ".join([*words, *(["--json"] if self.as_json else [])])


def setting_of(variant: Variant, words: str) -> tuple[str, Any]:
    """A setting as it is written, ``name=value``: its name and its value. UserError if there is none such."""
    name, equals, value = words.partition("=")
    known = {each.name: each for each in variant.settings}
    if not equals or name not in known:
        wanted = f"one of {', '.join(known)} is accepted" if equals else "write NAME=VALUE"
        raise UserError(f"--set {words}: {variant.name} has no setting {name!r}: {wanted}")
    setting = known[name]
    if isinstance(setting.default, bool):
        if value not in SWITCH:
            raise UserError(f"--set {words}: {name} is on or off")
        return name, SWITCH[value]
    try:
        read = value if isinstance(setting.default, str) else _frozen(json.loads(value))
    except ValueError:
        read = value
    setting.accept(read, f"--set {words}")
    return name, read


SWITCH: Final = {"on": True, "off": False}


def setting_words(name: str, value: Any) -> str:
    """A setting as ``--set`` takes it."""
    if isinstance(value, bool):
        return f"{name}={'on' if value else 'off'}"
    return f"{name}={value if isinstance(value, str) else json.dumps(value)}"


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def command_of(request: Request, seed: int) -> str:
    """The command that hunts one seed of a hunt again: it finds the same, and makes it as small."""
    variant = request.find_variant()
    default = {each.name: each.default for each in variant.settings}
    other = [setting_words(name, value) for name, value in request.config if value != default.get(name)]
    if request.scenario:  # it brings settings of its own
        other = [setting_words(name, value) for name, value in request.config]
    return Asked(
        request.pattern, variant, request.find_scenario(), (seed, seed), None, None, request.profile, (), None, None,
        None, False, tuple(other), request.fixed, seed, seed,
    ).again(seed)  # fmt: skip


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


__all__ = ["JUDGE", "Asked", "Seeds", "command_of", "hunt_options"]
