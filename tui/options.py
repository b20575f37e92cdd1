"""Options of the command line: how lengths of time and speeds are written, and which options belong together."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import click

from engines.errors import DIGITS_MAX
from engines.sim.pattern import Pattern
from engines.units import US_PER_S

SPAN_FORMATS: Final = ("otlp-json", "otlp-lines", "otlp-protobuf", "jaeger", "zipkin")
"""As ``engines.tracing.formats`` calls them; not imported, so that the command line starts fast."""
HISTORY_FORMATS: Final = ("shiviz", "ascii")
HISTORY_MODELS: Final = ("register", "cas-register", "multi-register", "mutex", "kv")
"""As ``engines.consistency.models`` calls them."""


class Duration(click.ParamType[int]):
    """``60s``, ``1500ms``, ``2m`` or plain seconds, as microseconds of virtual time."""

    name = "duration"
    UNITS: Final = (("ms", 1_000), ("us", 1), ("s", US_PER_S), ("m", 60 * US_PER_S), ("", US_PER_S))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse it."""
        if isinstance(value, int):
            return value
        for unit, factor in self.UNITS:
            number = value.removesuffix(unit) if unit else value
            if value.endswith(unit) and number.replace(".", "", 1).isdecimal() and number.isascii():
                if len(number) > DIGITS_MAX:
                    self.fail(f"{value[:12]}...: a number of {len(number):,} digits is longer than a day", param, ctx)
                length = int(Fraction(number) * factor)
                if length <= 24 * 3_600 * US_PER_S:
                    return length
                self.fail(f"{value!r} is longer than a day of virtual time", param, ctx)
        self.fail(f"{value!r} is no length of time: write 60s, 1500ms or 2m", param, ctx)


class Whole(click.ParamType[int]):
    """A whole number, from ``low`` to ``high`` where they are given."""

    name = "number"

    def __init__(self, low: int | None = None, high: int | None = None) -> None:
        self.low, self.high = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse it."""
        low, high = self.low, self.high
        bounds = f" from {low} to {high}" if low is not None and high is not None else ""
        try:
            number = int(value)
        except ValueError:
            self.fail(f"{str(value)[:40]!r} is no whole number: write one{bounds or ', such as 5'}", param, ctx)
        if (low is not None and number < low) or (high is not None and number > high):
            self.fail(f"{number}: a whole number{bounds} is accepted", param, ctx)
        return number


class Speed(click.ParamType[Fraction]):
    """``1/20``, ``0.5``, ``2``: virtual time per wall time, from 1/100 to 10."""

    name = "speed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        """Parse it."""
        if isinstance(value, Fraction):
            return value
        try:
            speed = Fraction(value.removeprefix("x"))
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} is no speed: write 1/20, 0.5 or 2", param, ctx)
        if not Fraction(1, 100) <= speed <= 10:
            self.fail(f"{value!r}: a speed lies between 1/100 and 10", param, ctx)
        return speed


class Fps(Whole):
    """``auto``, or frames a second."""

    def __init__(self) -> None:
        super().__init__(1, 30)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse it; ``auto`` is 0."""
        return 0 if value == "auto" else super().convert(value, param, ctx)


class ScreenSize(click.ParamType[tuple[int, int]]):
    """``120x36``: columns and rows."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Parse it."""
        if isinstance(value, tuple):
            return value
        width, _, height = value.partition("x")
        if width.isdecimal() and height.isdecimal() and value.isascii():
            size = int(width), int(height)
            if 60 <= size[0] <= 500 and 16 <= size[1] <= 200:
                return size
        self.fail(f"{value!r}: columns and rows from 60x16 to 500x200 are accepted, as 120x36", param, ctx)


class KeyAt(click.ParamType[tuple[str, int | None]]):
    """``2s=k``: a key and the virtual time at which it is pressed; ``k`` alone: at the end."""

    name = "[time=]key"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int | None]:
        """Parse it."""
        if isinstance(value, tuple):
            return value
        at, equals, key = value.partition("=")
        if not equals or value == equals:
            return value, None
        if not key:
            self.fail(f"{value!r}: the key is missing, as in 1200ms=k", param, ctx)
        return key, Duration().convert(at, param, ctx)


@dataclass(frozen=True, slots=True)
class DataOption:
    """An option of FILE runs: whose it is, and whether only ``run``, or only the app, has it."""

    flag: str
    patterns: tuple[str, ...]
    help: str
    type: Any = None
    """None: a text; ``bool``: a switch; else a type of click."""
    multiple: bool = False
    run_only: bool = False
    app_only: bool = False

    @property
    def name(self) -> str:
        """Its field of ``DataOptions``."""
        return self.flag.removeprefix("--").replace("-", "_")


PRESETS: Final = "article (default), hystrix, resilience4j, resilience4j-time, polly, opossum"
"""As ``engines.resilience.presets`` calls them."""
DATA_OPTIONS: Final = (
    DataOption("--join", ("sharding",), "FILE: so many nodes join.", Whole()),
    DataOption("--leave", ("sharding",), "FILE: so many nodes leave.", Whole()),
    DataOption("--join-name", ("sharding",), "FILE: a node of this name joins.", multiple=True),
    DataOption("--leave-name", ("sharding",), "FILE: this node leaves.", multiple=True),
    DataOption("--vnodes", ("sharding",), "FILE: virtual nodes of the ring, 1 to 1000 (default 150).", Whole()),
    DataOption("--rf", ("sharding",), "FILE: replicas of a key with --locate (default 3).", Whole(), run_only=True),
    DataOption("--locate", ("sharding",), "FILE: where every key lives (with --json).", bool, run_only=True),
    DataOption("--preset", ("resilience",), f"FILE: the breaker the calls go through, one of: {PRESETS}."),
    DataOption("--compare", ("resilience",), "FILE: all presets side by side.", bool, run_only=True),
    DataOption("--sort", ("resilience",), "FILE: calls in any order, as in that of their ends.", bool),
    DataOption(
        "--to", ("tracing",), "FILE: print its spans in this format.", click.Choice(SPAN_FORMATS), run_only=True
    ),
    DataOption("--baseline", ("tracing",), "FILE: compare with the traces of this other file, of a better time."),
    DataOption("--window", ("tracing",), "FILE: compare this stretch of time with the rest, as 41.2s..72s."),
    DataOption("--where", ("tracing",), "FILE: compare the traces with this attribute with the rest, as version=v2."),
    DataOption("--errors", ("tracing",), "FILE: compare the requests that fail with the rest.", bool),
    DataOption("--root", ("tracing",), 'FILE: diagnose this root operation, as "web GET /login" (default: all).'),
    DataOption("--trace", ("tracing",), "FILE: only the trace whose id begins so.", run_only=True),
    DataOption(
        "--to", ("consistency",), "FILE: print the history in this form.", click.Choice(HISTORY_FORMATS), run_only=True
    ),
    DataOption(
        "--model", ("consistency",), "FILE: what the keys hold (default: by its calls).", click.Choice(HISTORY_MODELS)
    ),
    DataOption("--parser", ("consistency",), "FILE: the regular expression of a ShiViz log."),
    DataOption("--projection", ("cqrs",), "FILE: rebuild this read model only.", run_only=True),
    DataOption("--query", ("cqrs",), 'FILE: ask, as "GET_ORDER_SUMMARY order=order-7".', run_only=True),
    DataOption("--demo-store", ("events", "cqrs"), "Write a store to play with to this file.", app_only=True),
    DataOption("--writer", ("events",), "A real process writes this store; k kills it.", app_only=True),
    DataOption(
        "--skip-bad",
        ("consistency", "consensus", "sharding", "resilience", "events", "cqrs", "tracing"),
        "FILE: skip bad lines and count them.",
        bool,
    ),
)
"""Every option that only some patterns have; a new one is a line here and a field of ``DataOptions``."""


@dataclass(frozen=True, slots=True)
class DataOptions:
    """The options that only some patterns read; None: not given."""

    nodes: int | None = None
    join: int | None = None
    leave: int | None = None
    join_name: tuple[str, ...] = ()
    leave_name: tuple[str, ...] = ()
    vnodes: int | None = None
    rf: int | None = None
    locate: bool = False
    preset: str | None = None
    compare: bool = False
    sort: bool = False
    skip_bad: bool = False
    to: str | None = None
    model: str | None = None
    parser: str | None = None
    baseline: str | None = None
    window: str | None = None
    where: str | None = None
    errors: bool = False
    root: str | None = None
    trace: str | None = None
    projection: str | None = None
    query: str | None = None
    demo_store: str | None = None
    writer: str | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """The options that were given, besides ``--nodes``."""
        names = dict.fromkeys(each.flag for each in DATA_OPTIONS if getattr(self, each.name) not in (None, (), False))
        return tuple(names)


def run_options(pattern: Pattern, first: str = "") -> list[click.Parameter]:
    """The options that the app and ``run`` share for a pattern: with the values it takes, stories of the variant
    ``first`` before the others.
    """
    variants = ", ".join(variant.name for variant in pattern.variants)
    told = sorted(pattern.scenarios, key=lambda scenario: scenario.variant != first)
    stories = ", ".join(scenario.name for scenario in told)
    sized = any(setting.name == "nodes" for variant in pattern.variants for setting in variant.settings)
    options: list[click.Parameter] = [
        click.Option(["--variant"], metavar="NAME", help=f"One of: {variants}."),
        click.Option(["--scenario"], metavar="NAME", help=f"Play this story: {stories}." if stories else "No stories."),
        click.Option(["--seed"], type=Whole(-(1 << 62), 1 << 62), help="Seed of all randomness (default 42)."),
    ]
    nodes = click.Option(["--nodes"], type=Whole(), help="Machines in the cluster.", hidden=not sized)
    return [*options, nodes]


def data_options(pattern: str, *, run: bool) -> list[click.Parameter]:
    """The options of FILE runs that a pattern has, in the app or in ``run``."""
    return [
        click.Option([each.flag], help=each.help, is_flag=True)
        if each.type is bool
        else click.Option([each.flag], help=each.help, type=each.type, multiple=each.multiple)
        for each in DATA_OPTIONS
        if pattern in each.patterns and not (each.app_only if run else each.run_only)
    ]


def screen_options() -> list[click.Parameter]:
    """The options of the screen."""
    return [
        click.Option(["--speed"], type=Speed(), help="Virtual time per wall time, 1/100 to 10."),
        click.Option(
            ["--fps"],
            type=Fps(),
            default=10,
            show_default=True,
            help="Frames a second, 1 to 30, or auto: what the line and the machine carry.",
        ),
        click.Option(
            ["--theme"],
            metavar="NAME",
            help="dark, light, ansi16, contrast or deuteranopia (default: as the terminal).",
        ),
        click.Option(["--glyphs"], type=click.Choice(["braille", "block", "ascii"]), help="Characters to draw with."),
        click.Option(["--no-mouse"], is_flag=True, help="Leave the mouse to the terminal."),
        click.Option(["--sandbox"], is_flag=True, help="Touch no files: nothing is read or saved."),
    ]


FORMATS: Final[dict[str, tuple[str, ...]]] = {
    "consistency": (
        "client histories: Jepsen/Knossos EDN",
        "INFO jepsen.util lines",
        "Porcupine key-value logs",
        'JSON lines {"process", "type", "f", "key", "value", "time"}',
        "ASCII timelines",
        "ShiViz logs",
    ),
    "consensus": ("traces of etcd-io/raft servers, NDJSON as the with_tla build writes it",),
    "sharding": ("keys, one a line, optional tab and weight",),
    "resilience": ('calls, JSON lines {"at_ms", "ok", "duration_ms"}',),
    "events": (
        "a SQLite event store: ours, of the eventsourcing package, or of Emmett (read-only)",
        "JSON lines, CloudEvents",
    ),
    "cqrs": ("a SQLite event store of ours with orders in it (read-only)",),
    "tracing": ("OTLP JSON, an object or lines", "OTLP protobuf", "Jaeger JSON", "Zipkin v2 JSON"),
}
"""What a FILE may hold, by pattern; ``tui.userdata`` reads them."""
