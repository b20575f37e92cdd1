"""A panel made of the modules of its folder.

Every folder of ``tui.panels`` has the same inner shape: ``view`` draws, ``select`` walks, ``narration``, ``routines``
and ``lessons`` tell, ``keys`` and ``offers`` act. This is where they become one ``Panel``. The protocols below say
what each module must define; mypy holds the modules to them.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from engines.sim.pattern import Check, Pattern
from engines.sim.world import Event
from tui.canvas import Ink
from tui.glyphs import Glyphs
from tui.panel import Focus, Frame, Key, Line, Offer, Outcome, Panel, Sizes


class Views(Protocol):
    """``view.py``."""

    def view(self, snapshot: Any, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame: ...
    def status(self, snapshot: Any) -> str: ...


class Moves(Protocol):
    """``select.py``, or a module beside it."""

    def move(self, snapshot: Any, focus: Focus, direction: str) -> Focus: ...


class Fits(Protocol):
    """``select.py``."""

    def fit(self, snapshot: Any, focus: Focus) -> Focus: ...


class Narration(Protocol):
    """``narration.py``."""

    def narrate(self, event: Event) -> Line: ...


class Routines(Protocol):
    """``routines.py``."""

    def routine(self, event: Event) -> str: ...
    def fold(self, events: Sequence[Event]) -> Line: ...


class Lessons(Protocol):
    """``lessons.py``."""

    def explain(self, snapshot: Any, event: Event) -> tuple[str, ...]: ...
    def explain_check(self, snapshot: Any, check: Check) -> tuple[str, ...]: ...


class Keys(Protocol):
    """``keys.py``."""

    @property
    def KEYS(self) -> tuple[Key, ...]: ...
    def mark(self, command: Any) -> tuple[str, Ink] | None: ...


class Offers(Protocol):
    """``offers.py``."""

    def all_faults(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]: ...
    def rules(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]: ...
    def tune(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]: ...
    def sides(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]: ...
    def client(self, snapshot: Any, focus: Focus, text: str) -> Outcome: ...


class FolderPanel(Panel):
    """The panel of a folder. ``help``: what the picture shows; ``client_hint``: what a client can type."""

    def __init__(
        self,
        pattern: Pattern,
        *,
        view: Views,
        moves: Moves,
        select: Fits,
        narration: Narration,
        routines: Routines,
        lessons: Lessons,
        keys: Keys,
        offers: Offers,
        help: tuple[str, ...],
        client_hint: str,
        variants: tuple[str, ...] = (),
        strip_least: int = 3,
    ) -> None:
        self._pattern, self._variants, self._strip_least = pattern, variants, strip_least
        self._view, self._moves, self._select = view, moves, select
        self._narration, self._routines, self._lessons = narration, routines, lessons
        self._keys, self._offers = keys, offers
        self._help, self._client_hint = help, client_hint

    @property
    def pattern(self) -> Pattern:
        """What it draws."""
        return self._pattern

    @property
    def variants(self) -> tuple[str, ...]:
        """Which of its variants; none: all."""
        return self._variants

    @property
    def strip_least(self) -> int:
        """Rows that its strip needs."""
        return self._strip_least

    @property
    def keys(self) -> tuple[Key, ...]:
        """Its verbs."""
        return self._keys.KEYS

    @property
    def help(self) -> tuple[str, ...]:
        """How to read it."""
        return self._help

    @property
    def client_hint(self) -> str:
        """What a client can type."""
        return self._client_hint

    def view(self, snapshot: Any, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame:
        """Draw everything."""
        return self._view.view(snapshot, focus, sizes, glyphs)

    def status(self, snapshot: Any) -> str:
        """The facts of the top line."""
        return self._view.status(snapshot)

    def move(self, snapshot: Any, focus: Focus, direction: str) -> Focus:
        """Where an arrow leads."""
        return self._moves.move(snapshot, focus, direction)

    def fit(self, snapshot: Any, focus: Focus) -> Focus:
        """The focus without what is gone."""
        return self._select.fit(snapshot, focus)

    def narrate(self, event: Event) -> Line:
        """What happened, and why."""
        return self._narration.narrate(event)

    def routine(self, event: Event) -> str:
        """What an event repeats."""
        return self._routines.routine(event)

    def fold(self, events: Sequence[Event]) -> Line:
        """One line for many of a kind."""
        return self._routines.fold(events)

    def explain(self, snapshot: Any, event: Event) -> tuple[str, ...]:
        """The rule behind it."""
        return self._lessons.explain(snapshot, event)

    def explain_check(self, snapshot: Any, check: Check) -> tuple[str, ...]:
        """What the check demands, and the witness."""
        return self._lessons.explain_check(snapshot, check)

    def mark(self, command: Any) -> tuple[str, Ink] | None:
        """The letter on the scrubber."""
        return self._keys.mark(command)

    def faults(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
        """All faults, aimed at what is selected."""
        return self._offers.all_faults(snapshot, focus)

    def rules(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
        """Rules that can be switched off."""
        return self._offers.rules(snapshot, focus)

    def tune(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
        """The pattern's own numbers."""
        return self._offers.tune(snapshot, focus)

    def sides(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
        """Ways to split what is shown."""
        return self._offers.sides(snapshot, focus)

    def client(self, snapshot: Any, focus: Focus, text: str) -> Outcome:
        """A typed request."""
        return self._offers.client(snapshot, focus, text)


__all__ = ["FolderPanel"]
