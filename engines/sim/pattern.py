"""The records a pattern publishes, and the protocol of its engine.

A pattern is data: what it is called, which question it answers, its variants, its scenarios, its checks. The
app, the command line and the contract tests know patterns by these records alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from engines.errors import UserError
from engines.sim.chaos import Chaos
from engines.sim.digest import Digest
from engines.sim.events import Event
from engines.sim.source import Source

C = TypeVar("C")
S_co = TypeVar("S_co", covariant=True)

Config = tuple[tuple[str, Any], ...]
"""Names and values in a fixed order; values are int, bool, str or tuples of those."""


@dataclass(frozen=True, slots=True)
class Check:
    """A guarantee, and whether it holds. A failed one carries the events or operations that break it."""

    name: str
    ok: bool
    detail: str
    witness: tuple[str, ...] = ()
    position: int = 0
    """Where in the run it broke."""
    at_us: int | None = field(default=None, repr=False)
    """When it broke; None: nobody says, as of a FILE without times. It follows from the position, so a digest, which
    reads the repr, leaves it out."""
    off: tuple[str, ...] = field(default=(), repr=False)
    """The rules that had been off in this run until it broke: said by who shows it, who knows the run."""


class Engine(Protocol[C, S_co]):
    """A deterministic run of one variant. Plain data throughout: a checkpoint is its pickle."""

    position: int
    events_total: int
    told_total: int
    """How many events that tell a story there were so far, also those that ``told`` no longer holds."""
    digest: Digest | None

    @property
    def now_us(self) -> int:
        """Virtual time."""

    def next_us(self) -> int | None:
        """When the next step is due at the earliest; None if nothing will ever happen by itself."""

    def run(self, until_us: int, max_steps: int) -> int:
        """Execute up to ``max_steps`` steps due until then; return how many there were."""

    def step(self) -> tuple[Event, ...]:
        """Execute exactly one step; return its events."""

    def settle(self, at_us: int) -> None:
        """Let time pass to ``at_us`` without a step."""

    def validate(self, command: C) -> None:
        """UserError if the command cannot be applied now."""

    def apply(self, command: C) -> tuple[Event, ...]:
        """Apply a command now; return its events. UserError, and nothing changed, if it cannot be."""

    def resolve(self, command: C) -> C:
        """The command with symbolic names (``leader``) replaced by what they mean at this moment."""

    def snapshot(self) -> S_co:
        """A frozen picture of everything there is to see. No side effect."""

    def check(self) -> tuple[Check, ...]:
        """The state of every guarantee."""

    def latest(self, count: int) -> tuple[Event, ...]:
        """The newest events, oldest first."""

    def told(self, count: int) -> tuple[Event, ...]:
        """The newest events that tell a story, oldest first."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One number of a variant that a person may choose: its name, default and what is accepted."""

    name: str
    default: Any
    low: int = 0
    high: int = 0
    choices: tuple[str, ...] = ()
    help: str = ""

    def accept(self, value: Any, where: str) -> None:
        """UserError unless the value is of the default's type and within the bounds."""
        if type(value) is not type(self.default):
            wanted = type(self.default).__name__
            raise UserError(f"{where}: setting {self.name!r} takes a value of type {wanted}, not {value!r}")
        if isinstance(value, bool):
            return
        if self.choices and value not in self.choices:
            raise UserError(f"{where}: {self.name} {value!r}: one of {', '.join(self.choices)} is accepted")
        if not self.choices and isinstance(value, int) and not self.low <= value <= self.high:
            raise UserError(f"{where}: {self.name} {value}: it must lie between {self.low} and {self.high}")


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to build the pattern."""

    name: str
    title: str
    summary: str
    make: Callable[[int, Config], Any]
    """``make(seed, config)`` returns a fresh engine; ``config`` overrides settings by name."""
    commands: tuple[type, ...]
    """The commands its engine accepts, for saved runs."""
    settings: tuple[Setting, ...] = ()
    engine_version: int = 1
    """Raised when the transcript of an unchanged input changes."""
    fidelity: tuple[tuple[str, str], ...] = ()
    """(``modelled`` | ``simplified`` | ``left out``, what) in words."""
    from_source: Callable[[Source, int, Config], Any] | None = None
    """For a variant that plays a FILE: ``from_source(source, seed, config)`` returns a fresh engine."""
    source: Source | None = None
    """The FILE it plays."""
    chaos: Chaos | None = None
    """What may befall it within its fault model, and what it owes afterwards; None: anything, and only its checks."""

    def on(self, source: Source) -> "Variant":
        """This variant, playing these records."""
        assert self.from_source is not None
        return replace(self, make=partial(self.from_source, source), source=source)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a scenario's script."""

    at_us: int
    command: Any


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story: a world, a script of commands and narration cues, and what it shows."""

    name: str
    title: str
    summary: str
    variant: str
    script: tuple[Step, ...]
    end_us: int
    seed: int = 42
    config: Config = ()
    breaks: tuple[str, ...] = ()
    """Checks that this story breaks on purpose."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One of the seven."""

    number: int
    name: str
    title: str
    question: str
    variants: tuple[Variant, ...]
    scenarios: tuple[Scenario, ...]
    speed: tuple[int, int] = (1, 1)
    """Virtual time per wall time by default, as a fraction."""
    aliases: tuple[tuple[str, str], ...] = ()
    """(other name on the command line, the variant it selects)."""
    notes: tuple[str, ...] = field(default=())
    """Where what is commonly said about the pattern is wrong or simplified, and the right statement."""
    recorded: Variant | None = None
    """The variant that plays the user's own data; it needs a source, so it is not among ``variants``."""

    def variant(self, name: str) -> Variant:
        """The variant of this name; KeyError if there is none."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        raise KeyError(name)

    def scenario(self, name: str) -> Scenario:
        """The scenario of this name; KeyError if there is none."""
        for scenario in self.scenarios:
            if scenario.name == name:
                return scenario
        raise KeyError(name)


def needs_source(seed: int, config: Config) -> Any:
    """The ``make`` of a variant that plays a FILE, until it is put ``on`` one."""
    raise AssertionError("this variant plays a FILE: put it on a source first")


__all__ = ["Check", "Config", "Engine", "Pattern", "Scenario", "Setting", "Step", "Variant", "needs_source"]
