"""What a person may do to a PBFT cluster, besides all faults."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ask:
    """The client ``you`` asks for an operation: ``set add del get``."""

    op: str
    key: str
    value: int


@dataclass(frozen=True, slots=True)
class SetAct:
    """A replica begins or ceases to misbehave in one way."""

    node: str
    act: str
    on: bool
    client: str = ""
    """Whom a censor ignores; empty: the first client."""


@dataclass(frozen=True, slots=True)
class SetWorkload:
    """How fast the clients ask: ``off light busy flood``."""

    level: str


@dataclass(frozen=True, slots=True)
class SetTimeout:
    """Another T, on every replica, from the next time it is used."""

    timeout_us: int
