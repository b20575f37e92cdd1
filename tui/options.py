"""Options of the command line: how lengths of time and speeds are written, and which options belong together."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeVar

import click

from engines.sim.clock import US_PER_S

SPAN_FORMATS: Final = ("otlp-json", "otlp-lines", "otlp-protobuf", "jaeger", "zipkin")
"""As ``engines.tracing.formats`` calls them; not imported, so that the command line starts fast."""

F = TypeVar("F", bound=Callable[..., Any])


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


def run_options(command: F) -> F:
    """The options that the app and ``run`` share."""
    for option in (
        click.option("--nodes", type=Whole(), help="Servers in the cluster."),
        click.option("--seed", type=Whole(-(1 << 62), 1 << 62), help="Seed of all randomness (default 42)."),
        click.option("--scenario", help="Play this story."),
        click.option("--variant", help="Variant of the pattern."),
    ):
        command = option(command)
    return command


def screen_options(command: F) -> F:
    """The options of the screen."""
    for option in (
        click.option("--sandbox", is_flag=True, help="Touch no files: nothing is read or saved."),
        click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal."),
        click.option("--glyphs", type=click.Choice(["braille", "block", "ascii"]), help="Characters to draw with."),
        click.option("--theme", help="dark, light, ansi16, contrast or deuteranopia."),
        click.option("--fps", type=Whole(1, 30), default=10, show_default=True, help="Frames a second, 1 to 30."),
        click.option("--speed", type=Speed(), help="Virtual time per wall time, 1/100 to 10."),
    ):
        command = option(command)
    return command


def data_options(command: F) -> F:
    """The options of FILE runs."""
    for option in (
        click.option(
            "--to", type=click.Choice(SPAN_FORMATS), help="tracing FILE: print its spans in this format (run)."
        ),
        click.option("--skip-bad", is_flag=True, help="FILE: skip bad lines and count them."),
        click.option("--compare", is_flag=True, help="resilience FILE: all presets side by side (run)."),
        click.option("--preset", help="resilience FILE: the breaker the calls go through (default article)."),
        click.option("--locate", is_flag=True, help="sharding FILE: where every key lives (run --json)."),
        click.option("--rf", type=Whole(), help="sharding FILE: replicas of a key with --locate (default 3)."),
        click.option(
            "--vnodes", type=Whole(), help="sharding FILE: virtual nodes of the ring, 1 to 1000 (default 150)."
        ),
        click.option("--leave-name", multiple=True, help="sharding FILE: this node leaves."),
        click.option("--join-name", multiple=True, help="sharding FILE: a node of this name joins."),
        click.option("--leave", type=Whole(), help="sharding FILE: so many nodes leave."),
        click.option("--join", type=Whole(), help="sharding FILE: so many nodes join."),
    ):
        command = option(command)
    return command


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
    skip_bad: bool = False
    to: str | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """The options that were given, besides ``--nodes``."""
        names = (
            "join", "leave", "join_name", "leave_name", "vnodes", "rf", "locate", "preset", "compare", "skip_bad",
            "to",
        )  # fmt: skip
        return tuple(f"--{name.replace('_', '-')}" for name in names if getattr(self, name) not in (None, (), False))


FORMATS: Final[dict[str, tuple[str, ...]]] = {
    "sharding": ("keys, one a line, optional tab and weight",),
    "resilience": ('calls, JSON lines {"at_ms", "ok", "duration_ms"}',),
    "tracing": ("OTLP JSON, an object or lines", "OTLP protobuf", "Jaeger JSON", "Zipkin v2 JSON"),
}
"""What a FILE may hold, by pattern; ``tui.userdata`` reads them."""
