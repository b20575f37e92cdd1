"""What a person can ask of the world, besides all faults."""

from dataclasses import dataclass
from typing import Final

from engines.sim import faults
from engines.sim.rules import SetRule


@dataclass(frozen=True, slots=True)
class Create:
    """A user creates an order; ``then_read``: and asks for its summary as soon as it is told that it is recorded."""

    user: str
    quantity: int
    price: int
    item: str = "book"
    then_read: bool = False


@dataclass(frozen=True, slots=True)
class AddTo:
    """A user adds a line to its newest order."""

    user: str
    quantity: int
    price: int
    item: str = "pen"
    then_read: bool = False


@dataclass(frozen=True, slots=True)
class Resend:
    """A user sends its newest command again, with the same id: it believes that it was lost."""

    user: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A user asks: ``summary`` of its newest order, ``history`` of its customer, or ``revenue``."""

    user: str
    query: str = "summary"


@dataclass(frozen=True, slots=True)
class AddNode:
    """One machine more in a stage: ``commands``, ``projectors`` or ``replicas``."""

    stage: str


@dataclass(frozen=True, slots=True)
class RemoveNode:
    """The newest machine of a stage is switched off."""

    stage: str


@dataclass(frozen=True, slots=True)
class Note:
    """A user writes a note on its newest order: an event that only release 2 of the summaries knows."""

    user: str
    text: str


@dataclass(frozen=True, slots=True)
class Deploy:
    """New code for a projection: ``buggy`` or ``right``. What it has built stays as it is."""

    projection: str
    release: str


@dataclass(frozen=True, slots=True)
class Rebuild:
    """Build a projection anew from the first event, ``in place`` or ``beside`` the one that serves, by a release."""

    projection: str
    how: str
    release: str = "right"


@dataclass(frozen=True, slots=True)
class Swap:
    """Move readers to the generation that was built beside, or ``back`` to the one before it."""

    projection: str
    back: bool = False


@dataclass(frozen=True, slots=True)
class Poison:
    """An order is written to that projections cannot read: its item's name is too long for a column of theirs."""

    user: str


@dataclass(frozen=True, slots=True)
class Widen:
    """The column is made wide enough, everywhere."""


@dataclass(frozen=True, slots=True)
class ReplayParked:
    """A projector tries what its projections have parked again."""

    projection: str


@dataclass(frozen=True, slots=True)
class Decline:
    """A service declines its next so many requests: ``stock`` is out of goods, the ``bank`` refuses the card."""

    service: str
    times: int


@dataclass(frozen=True, slots=True)
class SetOption:
    """A number or choice that can be changed while it runs, one of ``options.LIVE``."""

    name: str
    value: str


COMMANDS: Final[tuple[type, ...]] = (
    *faults.FAULTS, Create, AddTo, Note, Resend, Ask, AddNode, RemoveNode, Deploy, Rebuild, Swap, Poison, Widen,
    ReplayParked, Decline, SetOption, SetRule,
)  # fmt: skip
