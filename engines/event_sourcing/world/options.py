"""The settings of a run, and what of them can be changed while it runs."""

from dataclasses import dataclass, field
from typing import Any, Final

from engines.event_sourcing.gaps import Cure
from engines.event_sourcing.subscriptions import CheckpointPolicy, OnPoison
from engines.event_sourcing.world.rules import Control, StoreRules
from engines.sim.options import names, option, read, settings_of
from engines.sim.options import parse as of_live
from engines.sim.pattern import Config
from engines.units import US_PER_MS, US_PER_S

RATE_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of a run."""

    rate: int = option(6, 0, RATE_MAX, help="commands a second, of all tellers; 0: only what is asked for")
    accounts: int = option(4, 1, 9, help="bank accounts")
    transfers: bool = option(True, help="whether some of the money goes on to another account")
    snapshots: int = option(10, 0, 1_000, help="a snapshot every so many events of a stream; 0: none")
    policy: str = option(
        CheckpointPolicy.TOGETHER.value, choices=names(CheckpointPolicy), help="what a subscriber makes durable first"
    )
    idempotent: bool = option(True, help="handlers remember the revisions they have seen")
    poison: str = option(
        OnPoison.PARK_STREAM.value, choices=names(OnPoison), help="what becomes of an event a handler cannot read"
    )
    cure: str = option(Cure.HIGH_WATER.value, choices=names(Cure), help="how subscribers of the numbered store poll")
    sync_ms: int = option(2, 0, 1_000, help="how long a sync of the store's disk takes")
    poll_ms: int = option(20, 1, 10_000, help="how often a subscriber that is idle asks for more")
    handle_ms: int = option(6, 1, 10_000, help="how long a subscriber is busy with an event")
    commit_ms: int = option(20, 1, 1_000, help="how long a transaction of the numbered store stays open, at most")
    ack_ms: int = option(30_000, 1, 600_000, help="how long a consumer of the group may take to acknowledge an event")
    retries: int = option(10, 0, 100, help="how often the group hands an event out again before it is parked")
    rules: StoreRules = field(default=StoreRules())


SETTINGS: Final = settings_of(Options)
LIVE: Final = ("rate", "snapshots", "policy", "idempotent", "poison", "cure", "sync_ms")
"""Settings that can be changed while it runs."""
TELLERS: Final = 3


def control(variant: str, config: Config) -> Control:
    """What all machines share at the start."""
    given = read(Options, config)
    made = Control(variant, given.rules)
    made.accounts, made.transfers = given.accounts, given.transfers
    made.commit_us, made.handle_us = given.commit_ms * US_PER_MS, given.handle_ms * US_PER_MS
    made.ack_us, made.retries = given.ack_ms * US_PER_MS, given.retries
    made.poll_us = given.poll_ms * US_PER_MS
    for name in LIVE:
        _set(made, name, getattr(given, name))
    return made


def parse(name: str, text: str) -> Any:
    """The value of a live setting. UserError that says what would be accepted."""
    return of_live(SETTINGS, LIVE, name, text)


def show(control: Control) -> tuple[tuple[str, str], ...]:
    """The live settings as text."""
    rate = TELLERS * US_PER_S // control.think_us if control.think_us else 0
    values: tuple[Any, ...] = (
        rate, control.snapshots_every, control.policy.value, "on" if control.idempotent else "off",
        control.poison.value, control.cure.value, control.sync_us // US_PER_MS,
    )  # fmt: skip
    return tuple((name, str(value)) for name, value in zip(LIVE, values, strict=True))


def change(control: Control, name: str, text: str) -> None:
    """Change a live setting."""
    _set(control, name, parse(name, text))


def _set(control: Control, name: str, value: Any) -> None:
    match name:
        case "rate":
            control.think_us = TELLERS * US_PER_S // value if value else 0
        case "snapshots":
            control.snapshots_every = value
        case "policy":
            control.policy = CheckpointPolicy(value)
        case "idempotent":
            control.idempotent = value
        case "poison":
            control.poison = OnPoison(value)
        case "cure":
            control.cure = Cure(value)
        case "sync_ms":
            control.sync_us = value * US_PER_MS


__all__ = ["LIVE", "SETTINGS", "change", "control", "parse", "show"]
