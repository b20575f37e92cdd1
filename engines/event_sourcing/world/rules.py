"""The rules of a store and its readers that can be switched off, and what all machines of a world share."""

from dataclasses import dataclass
from typing import Final

from engines.event_sourcing.account import ACCOUNT, DEPOSITED, UPCASTERS, Account
from engines.event_sourcing.aggregate import Aggregate
from engines.event_sourcing.gaps import Cure
from engines.event_sourcing.subscriptions import CheckpointPolicy, OnPoison
from engines.event_sourcing.upcast import Upcasters
from engines.sim.rules import Rules, rule

CAPACITY: Final = 1_500
"""Events a simulated store holds; then it refuses, as a full disk does."""
TIMEOUT_US: Final = 400_000
"""After which a teller asks again."""
POLL_TIMEOUT_US: Final = 100_000
"""After which a subscriber asks again: a question that was lost costs no more than that."""
ATTEMPTS: Final = 5
PAGE_EVENTS: Final = 20


@dataclass(frozen=True, slots=True)
class StoreRules(Rules):
    """All on: nothing that was acknowledged is lost, and nobody is told what did not happen."""

    sync_first: bool = rule("the store acknowledges an append once it is synced")
    check_expected: bool = rule("the store compares the expected revision with the stream")
    recognise_repeats: bool = rule("a batch that is there already is answered with its positions, not written again")
    whole_batches: bool = rule("recovery drops a batch whose end is missing")
    drop_old_snapshots: bool = rule("a snapshot of another schema is ignored")
    ignore_stale_pages: bool = rule("a subscriber takes only the answer to its newest question")


_NEWER: Final = Upcasters(
    {**UPCASTERS.types, DEPOSITED: 4},
    {**UPCASTERS.steps, (DEPOSITED, 3): lambda data: {**data, "note": ""}},
)
"""What the next release knows: deposits have a note."""


@dataclass(slots=True)
class Control:
    """What all machines share, and a person may change while they run."""

    variant: str
    rules: StoreRules
    policy: CheckpointPolicy = CheckpointPolicy.TOGETHER
    idempotent: bool = True
    poison: OnPoison = OnPoison.PARK_STREAM
    cure: Cure = Cure.HIGH_WATER
    patience_us: int = 150_000
    snapshots_every: int = 10
    """0: none."""
    sync_us: int = 2_000
    commit_us: int = 20_000
    """How long a transaction of the numbered store stays open."""
    handle_us: int = 6_000
    poll_us: int = 20_000
    think_us: int = 350_000
    """Mean time between two commands of a teller; 0: no workload."""
    ack_us: int = 30_000_000
    """How long a consumer of the group may take to answer."""
    retries: int = 10
    """How often the group hands an event out again before it is parked."""
    accounts: int = 4
    transfers: bool = True
    release: int = 3
    """The newest version of a deposit that the programs know."""
    schema: int = 1
    """The version of the account's layout in snapshots."""


def aggregate_of(release: int) -> Aggregate[Account]:
    """The account as the programs of a release see it."""
    return ACCOUNT if release <= UPCASTERS.types[DEPOSITED] else NEWER_ACCOUNT


def account_of(control: Control) -> Aggregate[Account]:
    """The account as the programs see it now."""
    return aggregate_of(control.release)


NEWER_ACCOUNT: Final[Aggregate[Account]] = Aggregate(
    ACCOUNT.category, ACCOUNT.initial, ACCOUNT.evolve, ACCOUNT.decide, _NEWER, 1, ACCOUNT.to_plain, ACCOUNT.from_plain
)

__all__ = [
    "ATTEMPTS", "CAPACITY", "NEWER_ACCOUNT", "PAGE_EVENTS", "POLL_TIMEOUT_US", "TIMEOUT_US", "Control", "StoreRules",
    "account_of", "aggregate_of",
]  # fmt: skip
