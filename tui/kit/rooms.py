"""A panel out of its rooms: every panel's folder has the same, and here stands what each of them answers for.

What only some panels have (figures, an export, variants of their own) they add with ``dataclasses.replace``.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from engines.sim.events import Event
from engines.sim.pattern import Check, Pattern
from tui.canvas import Ink
from tui.glyphs import Glyphs
from tui.panel import Focus, Frame, Key, Line, Offer, Outcome, Panel, Sizes


class View(Protocol):
    """Pictures."""

    def view(self, snapshot: Any, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame: ...
    def status(self, snapshot: Any) -> str: ...


class Select(Protocol):
    """What is selected, and where the arrows lead."""

    def move(self, snapshot: Any, focus: Focus, direction: str) -> Focus: ...
    def fit(self, snapshot: Any, focus: Focus) -> Focus: ...


class Words(Protocol):
    """The journal, event by event."""

    def narrate(self, event: Event) -> Line: ...


class Folding(Protocol):
    """The journal, where events share a line."""

    def routine(self, event: Event) -> str: ...
    def fold(self, events: Sequence[Event]) -> Line: ...


class Lessons(Protocol):
    """Why."""

    def explain(self, snapshot: Any, event: Event) -> tuple[str, ...]: ...
    @property
    def explain_check(self) -> Callable[[Any, Check], tuple[str, ...]]: ...


class Keys(Protocol):
    """Verbs, and the marks they leave."""

    @property
    def KEYS(self) -> tuple[Key, ...]: ...
    @property
    def mark(self) -> Callable[[Any], tuple[str, Ink] | None]: ...


class Forms(Protocol):
    """Dialogues."""

    def all_faults(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]: ...
    def rules(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]: ...
    def tune(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]: ...
    def sides(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]: ...
    def client(self, snapshot: Any, focus: Focus, text: str) -> Outcome: ...


class Present(Protocol):
    """What there is to see at this moment."""

    def present(self, snapshot: Any, focus: Focus) -> tuple[str, ...]: ...


def of_rooms(
    pattern: Pattern, help: tuple[str, ...], view: View, select: Select, words: Words, folding: Folding,
    lessons: Lessons, keys: Keys, forms: Forms, present: Present,
) -> Panel:  # fmt: skip
    """The panel of a folder. Every room is given a focus that fits: what is gone was replaced by what is nearest."""

    def fitted(room: Callable[..., Any]) -> Callable[..., Any]:
        return lambda snapshot, focus, *rest: room(snapshot, select.fit(snapshot, focus), *rest)

    return Panel(
        pattern=pattern,
        keys=tuple(replace(key, act=fitted(key.act)) for key in keys.KEYS),
        help=help,
        view=fitted(view.view),
        status=view.status,
        move=fitted(select.move),
        fit=select.fit,
        narrate=words.narrate,
        routine=folding.routine,
        fold=folding.fold,
        explain=lessons.explain,
        explain_check=lessons.explain_check,
        present=fitted(present.present),
        mark=keys.mark,
        faults=fitted(forms.all_faults),
        rules=fitted(forms.rules),
        tune=fitted(forms.tune),
        sides=fitted(forms.sides),
        client=fitted(forms.client),
    )
