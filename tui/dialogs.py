"""Dialogues as data: what the session asks and what an answer means.

The session says *what* is asked, widgets show it, and the answer comes back as an outcome that the session
performs like any key. So a dialogue can be tested without a screen, and every one looks and works alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tui.panel import Offer, Outcome


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of a list."""

    title: str
    note: str
    help: str
    outcome: Outcome
    """Performed when the row is chosen; a ``Refuse`` makes the row dim and says why."""


@dataclass(frozen=True, slots=True)
class Pick:
    """Choose one of several: scenarios, branches, sides of a partition, the palette."""

    title: str
    choices: tuple[Choice, ...]
    hint: str = ""
    filterable: bool = False
    """Whether one types to find a row; otherwise ``/`` begins that, and letters may move."""
    at: int = 0
    """The row that is selected at first."""


@dataclass(frozen=True, slots=True)
class Form:
    """Choose an offer, set its parameters with left and right, apply it with enter: faults, rules, settings."""

    title: str
    offers: tuple[Offer, ...]
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Type a line. ``submit`` returns the outcome, or raises UserError, which is shown while the text stays."""

    title: str
    prefill: str
    hint: str
    submit: Callable[[str], Outcome]


@dataclass(frozen=True, slots=True)
class Pages:
    """Something to read: help, an explanation. ``tables`` of (key, meaning) with a heading come first, then paragraphs;
    ``/`` searches in it."""

    title: str
    paragraphs: tuple[str, ...]
    tables: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    """(key, why): rows that mean nothing at this moment. They are dim, with their reason."""


Dialogue: TypeAlias = Pick | Form | Prompt | Pages
