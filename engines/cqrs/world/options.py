"""The settings of a run, and what of them can be changed while it runs."""

from dataclasses import dataclass, field
from typing import Any, Final

from engines.cqrs.queries import Freshness
from engines.cqrs.world.rules import MOST, STAGES, Control, CqrsRules
from engines.event_sourcing.subscriptions import CheckpointPolicy
from engines.sim.options import names, option, read, settings_of
from engines.sim.options import parse as of_live
from engines.sim.pattern import Config
from engines.units import US_PER_MS


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of a run."""

    writes: int = option(2, 0, 40, help="new orders a second, of all users, at random; 0: only what is asked for")
    reads: int = option(40, 0, 400, help="queries a second, of all users, at random")
    commands: int = option(2, 1, MOST["commands"], help="command nodes")
    projectors: int = option(1, 1, MOST["projectors"], help="machines that build read models")
    replicas: int = option(2, 1, MOST["replicas"], help="read replicas")
    freshness: str = option(Freshness.ANY.value, choices=names(Freshness), help="what users ask of answers")
    policy: str = option(
        CheckpointPolicy.TOGETHER.value, choices=names(CheckpointPolicy), help="what a projector makes durable first"
    )
    customers: int = option(4, 1, 9, help="customers")
    sagas: bool = option(True, help="whether orders are carried through stock, bank and dispatch")
    twin: bool = option(True, help="whether a CRUD table takes the same load")
    declines: int = option(10, 0, 100, help="payments of a hundred that the bank declines")
    patience_ms: int = option(300, 1, 10_000, help="how long a query waits for a position")
    decide_us: int = option(1_500, 1, 1_000_000, help="what a command costs a command node")
    apply_us: int = option(2_000, 2, 1_000_000, help="what an event costs a projection")
    read_us: int = option(1_000, 1, 1_000_000, help="what a query costs a replica")
    join_us: int = option(6_000, 1, 1_000_000, help="what a query costs the CRUD table")
    update_us: int = option(4_000, 1, 1_000_000, help="what a command costs the CRUD table")
    accepted_ms: int = option(500, 0, 60_000, help="staleness that readers accept: the verdict asks for it")
    rules: CqrsRules = field(default=CqrsRules())


SETTINGS: Final = settings_of(Options)
LIVE: Final = ("writes", "reads", "freshness", "policy", "patience_ms", "apply_us", "accepted_ms")
"""Settings that can be changed while it runs."""


def control(config: Config) -> Control:
    """What all machines share at the start, and how many machines each stage has."""
    given = read(Options, config)
    made = Control(given.rules)
    for stage in STAGES:
        made.count[stage] = getattr(given, stage)
    made.customers, made.sagas, made.twin = given.customers, given.sagas, given.twin
    made.declines_ppm = given.declines * 10_000
    made.decide_us, made.read_us = given.decide_us, given.read_us
    made.join_us, made.update_us = given.join_us, given.update_us
    for name in LIVE:
        _set(made, name, getattr(given, name))
    return made


def parse(name: str, text: str) -> Any:
    """The value of a live setting. UserError that says what would be accepted."""
    return of_live(SETTINGS, LIVE, name, text)


def show(control: Control) -> tuple[tuple[str, str], ...]:
    """The live settings as text."""
    values: tuple[Any, ...] = (
        control.writes, control.reads, control.freshness.value, control.policy.value, control.patience_us // US_PER_MS,
        control.apply_us, control.accepted_us // US_PER_MS,
    )  # fmt: skip
    return tuple((name, str(value)) for name, value in zip(LIVE, values, strict=True))


def change(control: Control, name: str, text: str) -> None:
    """Change a live setting."""
    _set(control, name, parse(name, text))


def _set(control: Control, name: str, value: Any) -> None:
    match name:
        case "writes":
            control.writes = value
        case "reads":
            control.reads = value
        case "freshness":
            control.freshness = Freshness(value)
        case "policy":
            control.policy = CheckpointPolicy(value)
        case "patience_ms":
            control.patience_us = value * US_PER_MS
        case "apply_us":
            control.apply_us = value
        case "accepted_ms":
            control.accepted_us = value * US_PER_MS


__all__ = ["LIVE", "SETTINGS", "Options", "change", "control", "parse", "show"]
