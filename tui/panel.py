"""What a panel is: pure functions from a frozen snapshot to pictures, words and commands.

A panel never sees the engine, the terminal or Textual. It is given a snapshot and the focus, which belongs to
the screen, and returns canvases, journal lines, or what a key means. So it can be tested as plain text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

from engines.sim.pattern import Check, Pattern
from engines.sim.world import Event
from tui.canvas import Canvas, Ink
from tui.glyphs import Glyphs

AREAS = ("picture", "strip", "inspector", "journal")
"""The areas ``tab`` walks through; one without room is shown in place of the picture while it has the focus."""


@dataclass(frozen=True, slots=True)
class Focus:
    """What the person looks at. It never enters the timeline, the digest or a saved run."""

    area: str = "picture"
    node: str = ""
    """The selected node (edge, key, trace ...), by name."""
    chosen: bool = False
    """Whether a person chose it, by moving or by a command. Until then the panel's own choice is followed: what tells
    most at the moment, such as the leader."""
    item: str = ""
    """What is selected within or beside it, as the panel names it (a message, a log entry); empty: nothing."""
    event: int | None = None
    """The selected line of the journal, by its place in the run's count of told events; None: the newest."""
    zoom: bool = False
    """Whether the focused area fills the screen."""
    inspector: bool = False
    """Whether the inspector lies over the picture where there is no room beside it."""
    find: str = ""
    why: bool = False
    """Whether the inspector explains the selected event or a failed check instead of the selected node."""
    check: str = ""
    """The check it explains, by name; empty: the event."""


class Size(NamedTuple):
    """Columns and rows inside the borders of an area."""

    width: int
    height: int


class Sizes(NamedTuple):
    """The room for each canvas a panel draws; a height of 0: not shown."""

    picture: Size
    strip: Size
    inspector: Size


class Frame(NamedTuple):
    """One picture of a panel. Titles stand in the borders, notes at their right ends."""

    picture: Canvas
    strip: Canvas
    inspector: Canvas
    picture_title: str = ""
    picture_note: str = ""
    strip_title: str = ""
    strip_note: str = ""
    inspector_title: str = ""


class Line(NamedTuple):
    """A line of the journal: who, what and why (plain ASCII), and the ink of the name."""

    who: str
    text: str
    ink: Ink = "bright"


@dataclass(frozen=True, slots=True)
class Refuse:
    """The key means nothing here, and why. The footer dims it, the journal line says it."""

    why: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Open a dialogue: ``scenarios faults branches client save help palette tune sides split rules find goto``."""

    what: str


@dataclass(frozen=True, slots=True)
class Do:
    """Something the player or the frame does itself, by name (``run_pause``, ``step``, ``quit`` ...)."""

    what: str


Outcome: TypeAlias = Any
"""A ``Focus``, ``Refuse``, ``Ask`` or ``Do``, a command of the engine, or a tuple of commands given together."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key: what it is called in the footer, what help says, and what it means now."""

    key: str
    label: str
    help: str
    act: Callable[[Any, Focus], Outcome]
    """``act(snapshot, focus)``; pure, so calling it to see whether it refuses does no harm."""
    group: str = "pattern"
    rank: int = 50
    """The footer shows low ranks first and drops high ones where there is no room."""


@dataclass(frozen=True, slots=True)
class Param:
    """A number or choice that a fault, a rule or a setting takes."""

    name: str
    value: Any
    low: int = 0
    high: int = 0
    step: int = 1
    unit: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """One row of a dialogue: its parameters, and what it builds from their values."""

    title: str
    help: str
    build: Callable[[Mapping[str, Any]], Outcome]
    params: tuple[Param, ...] = ()
    on: bool | None = None
    """For rules and switches: whether it is on now."""


class Panel(Protocol):
    """One per pattern and family of variants, listed in the registry.

    Subclass it: ``variants``, ``routine``, ``fold`` and ``sides`` have defaults.
    """

    @property
    def pattern(self) -> Pattern:
        """The pattern it shows."""

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants it draws, by name; none: all of its pattern's."""
        return ()

    @property
    def strip_least(self) -> int:
        """Rows that its strip needs, where the screen is low, to say what it has to say."""
        return 3

    @property
    def keys(self) -> tuple[Key, ...]:
        """Its verbs; the global letters among them (k z x X l d u c b h a A w t j J) mean what the keymap says."""

    def view(self, snapshot: Any, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame:
        """Draw everything."""

    def status(self, snapshot: Any) -> str:
        """The facts of the top line: ``5 nodes  term 5``."""

    def move(self, snapshot: Any, focus: Focus, direction: str) -> Focus:
        """Arrows in picture, strip or inspector: ``left right up down``."""

    def fit(self, snapshot: Any, focus: Focus) -> Focus:
        """The focus with whatever is gone (a delivered message) replaced by what is nearest."""

    def narrate(self, event: Event) -> Line:
        """What happened, and why, as a lecturer would say it. Total over all kinds of events."""

    def routine(self, event: Event) -> str:
        """What routine an event belongs to, if it is nothing to stop at; empty: it has a line of its own.

        Events that follow each other in the journal with the same routine share one line. Cheap: it is asked often.
        """
        return ""

    def fold(self, events: Sequence[Event]) -> Line:
        """The one line for two or more events of one routine, oldest first. It is the last of them that is explained.

        By default the newest line with the names of all where they say the same, else with the number of the others.
        """
        lines = [self.narrate(event) for event in events]
        last = lines[-1]
        names = " ".join(dict.fromkeys(line.who for line in lines))
        if names != last.who and all(line.text == last.text for line in lines):
            return last._replace(who=names)
        return last._replace(text=f"{last.text} (and {len(lines) - 1} more before it)")

    def explain(self, snapshot: Any, event: Event) -> tuple[str, ...]:
        """The same at length: the rule behind it and where it is written. Paragraphs."""

    def explain_check(self, snapshot: Any, check: Check) -> tuple[str, ...]:
        """What a check demands, and if it failed, the witness. Paragraphs."""

    def mark(self, command: Any) -> tuple[str, Ink] | None:
        """The letter a command leaves on the scrubber."""

    def faults(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
        """All faults, with parameters, aimed at what is selected."""

    def rules(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
        """Rules that can be broken, each with its state."""

    def tune(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
        """The pattern's own numbers that can be changed while it runs."""

    def sides(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
        """Sensible ways to split what is shown, around what is selected; none: it cannot be split."""
        return ()

    def client(self, snapshot: Any, focus: Focus, text: str) -> Outcome:
        """A typed client request. UserError if it makes no sense."""

    @property
    def client_hint(self) -> str:
        """What a client can type: ``y=3   y+=1   del y``."""

    @property
    def help(self) -> tuple[str, ...]:
        """What the picture shows and how to read it. Paragraphs, plain ASCII."""
