"""What a panel is: pure functions from a frozen snapshot to pictures, words and commands, and tables of its keys.

A panel never sees the engine, the terminal or Textual. It is given a snapshot and the focus, which belongs to
the screen, and returns canvases, journal lines, or what a key means. So it can be tested as plain text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias

from engines.errors import UserError
from engines.sim.events import Event
from engines.sim.pattern import Check, Pattern
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
    pick: Any = None
    """What is selected within or beside it and how it is looked at, a record of the panel's own (a message, a log
    entry, a chart); None: nothing in particular. It is compared, so it is frozen."""
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


class Hit(NamedTuple):
    """What can be clicked: some cells inside the border of an area, and the focus that a click on them comes to."""

    x: int
    y: int
    width: int
    height: int
    focus: Focus
    area: str = "picture"

    def holds(self, x: int, y: int) -> bool:
        """Whether a cell lies inside."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


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
    page: int = 0
    """Rows of its list that the picture shows at once, as measured while drawing; 0: it is no list."""
    hits: tuple[Hit, ...] = ()
    """What can be clicked in it; a later one lies over an earlier one."""


class Figure(NamedTuple):
    """A number that sums a run up: ``elections 3``. ``run`` prints it, ``run --json`` has it by its name."""

    name: str
    value: int | float | str
    """In the unit that its name ends with, if any: ``p99_us``, ``goodput_per_s``."""
    text: str = ""
    """How people read it; empty: as the value is."""


class Line(NamedTuple):
    """A line of the journal: who, what and why (plain ASCII), and the ink of the name."""

    who: str
    text: str
    ink: Ink = "bright"


# -- what a key comes to ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refuse:
    """The key means nothing here, and why. The footer dims it, the journal line says it."""

    why: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Open a dialogue, by the name that ``tui.asking`` knows it by."""

    what: str


class Do(Enum):
    """What the player or the frame does itself, without more to say."""

    RUN_PAUSE = auto()
    STEP = auto()
    BACK = auto()
    SECOND_FORWARD = auto()
    SECOND_BACK = auto()
    FASTER = auto()
    SLOWER = auto()
    START = auto()
    NEWEST = auto()
    RESTART = auto()
    RESEED = auto()
    FREE = auto()
    """The pattern alone, from the start, without a story."""
    VARIANT_NEXT = auto()
    VARIANT_BACK = auto()
    NEXT_AREA = auto()
    PREVIOUS_AREA = auto()
    WHY = auto()
    INSPECTOR = auto()
    LEFT = auto()
    RIGHT = auto()
    UP = auto()
    DOWN = auto()
    PAGE_UP = auto()
    PAGE_DOWN = auto()
    FIRST = auto()
    LAST = auto()
    """In a list: by pages, to its ends."""
    TAKE_BACK = auto()
    REPAINT = auto()
    SCREENSHOT = auto()
    COPY_LINE = auto()
    HUNT = auto()
    """Begin a hunt from here, end it, or open what it found."""
    QUIT = auto()
    STAGE = auto()
    """Who watches; from a private branch back to the stage."""


@dataclass(frozen=True, slots=True)
class GoToPattern:
    """Look at another pattern."""

    number: int


@dataclass(frozen=True, slots=True)
class GoToVariant:
    """Look at another variant of this pattern."""

    name: str


@dataclass(frozen=True, slots=True)
class PlayScenario:
    """Begin a story."""

    name: str


@dataclass(frozen=True, slots=True)
class VisitBranch:
    """Go to another future of this run."""

    number: int


@dataclass(frozen=True, slots=True)
class SeekTime:
    """Go to a time of this run."""

    at_us: int


@dataclass(frozen=True, slots=True)
class Wear:
    """Another look: a theme, a set of glyphs; empty: as it is."""

    theme: str = ""
    glyphs: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """Put a text on the clipboard of whoever looks at the screen."""

    text: str


@dataclass(frozen=True, slots=True)
class ThrowOut:
    """End somebody's watching."""

    number: int


@dataclass(frozen=True, slots=True)
class Press:
    """Whatever this key means then."""

    key: str


Action: TypeAlias = Do | GoToPattern | GoToVariant | PlayScenario | VisitBranch | SeekTime | Wear | ThrowOut | Press
"""Something the frame does itself."""
ACTIONS = (Do, GoToPattern, GoToVariant, PlayScenario, VisitBranch, SeekTime, Wear, ThrowOut, Press)


Wish: TypeAlias = Ask | Do | Wear | Copy | ThrowOut | None
"""What is left for the app to do: open a dialogue, quit, take a picture, look otherwise, fill the clipboard, throw
somebody out."""


class Command(Protocol):
    """A frozen record that the engine of the pattern takes."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


Outcome: TypeAlias = Focus | Refuse | Ask | Action | tuple[Action | Command, ...] | Command | None
"""What a key or a row of a dialogue comes to: another focus, a refusal, a dialogue, something the frame does, a command
of the engine or several given together; None: nothing.
"""


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


class Export(NamedTuple):
    """What a panel offers to write into a file of the person's own."""

    what: str
    """``this trace, as OTLP JSON``."""
    name: str
    """The name that is proposed."""
    content: bytes


def _no_export(snapshot: Any, focus: Focus) -> Export:
    raise UserError("nothing here is exported: S saves the run")


def _no_offers(snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
    return ()


def _no_client(snapshot: Any, focus: Focus, text: str) -> Outcome:
    return Refuse("nobody takes requests here")


def _no_walk(snapshot: Any, focus: Focus, rows: int) -> Focus | None:
    return None


def _no_figures(snapshot: Any) -> tuple[Figure, ...]:
    return ()


def _no_words(snapshot: Any, focus: Focus) -> tuple[str, ...]:
    return ()


def _no_routine(event: Event) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One per pattern and family of variants, listed in the registry. ``snapshot`` is the pattern's own everywhere."""

    pattern: Pattern
    """The pattern it shows."""
    keys: tuple[Key, ...]
    """Its verbs; the global letters among them (k z x X l d u c b h a A w t j J) mean what the keymap says."""
    help: tuple[str, ...]
    """What the picture shows and how to read it. Paragraphs, plain ASCII."""

    view: Callable[[Any, Focus, Sizes, Glyphs], Frame]
    """``view(snapshot, focus, sizes, glyphs)``: draw everything."""
    status: Callable[[Any], str]
    """``status(snapshot)``: the facts of the top line, ``5 nodes  term 5``."""
    move: Callable[[Any, Focus, str], Focus]
    """``move(snapshot, focus, direction)``: arrows in picture, strip or inspector, ``left right up down``."""
    fit: Callable[[Any, Focus], Focus]
    """``fit(snapshot, focus)``: the focus with what is gone (a delivered message) replaced by what is nearest."""

    narrate: Callable[[Event], Line]
    """What happened, and why, as a lecturer would say it. Total over all kinds of events."""
    fold: Callable[[Sequence[Event]], Line]
    """The one line for two or more events of one routine, oldest first. It is the last of them that is explained."""
    explain: Callable[[Any, Event], tuple[str, ...]]
    """``explain(snapshot, event)``: the rule behind it and where it is written; the line itself stands above."""
    explain_check: Callable[[Any, Check], tuple[str, ...]]
    """``explain_check(snapshot, check)``: what a check demands, and if it failed, the witness. Paragraphs."""
    mark: Callable[[Any], tuple[str, Ink] | None]
    """``mark(command)``: the letter that a command leaves on the scrubber."""
    routine: Callable[[Event], str] = _no_routine
    """What routine an event belongs to, if it is nothing to stop at; empty: it has a line of its own. Events that
    follow each other in the journal with the same routine share one line. Cheap: it is asked often."""

    walk: Callable[[Any, Focus, int], Focus | None] = _no_walk
    """``walk(snapshot, focus, rows)``: where what has the focus is a list (traces, a stream), the focus so many
    rows further down, stopping at the ends; None: it is no list. Page keys, home, end, ``j k`` and the wheel use it."""
    figures: Callable[[Any], tuple[Figure, ...]] = _no_figures
    """``figures(snapshot)``: the numbers that sum a run up, for ``run``."""
    counted: tuple[tuple[str, type], ...] = ()
    """Figures that are numbers of events: a name, and the kind that is counted (``elections``, ``Elected``)."""

    faults: Callable[[Any, Focus], tuple[Offer, ...]] = _no_offers
    """``faults(snapshot, focus)``: all faults, with parameters, aimed at what is selected."""
    rules: Callable[[Any, Focus], tuple[Offer, ...]] = _no_offers
    """Rules that can be broken, each with its state."""
    tune: Callable[[Any, Focus], tuple[Offer, ...]] = _no_offers
    """The pattern's own numbers that can be changed while it runs."""
    sides: Callable[[Any, Focus], tuple[Offer, ...]] = _no_offers
    """Sensible ways to split what is shown, around what is selected; none: it cannot be split."""
    present: Callable[[Any, Focus], tuple[str, ...]] = _no_words
    """``present(snapshot, focus)``: what there is to see at this moment, with its numbers and the rule behind it, and
    what to try: what ``e`` tells at a cue. Paragraphs; none: the facts of the top line."""
    client: Callable[[Any, Focus, str], Outcome] = _no_client
    """``client(snapshot, focus, text)``: a typed client request. UserError if it makes no sense."""
    client_hint: str = ""
    """What a client can type: ``y=3   y+=1   del y``."""
    file_hint: str = ""
    """What can be typed where a FILE is shown, if that is something else."""
    export: Callable[[Any, Focus], Export] = _no_export
    """``export(snapshot, focus)``: what is selected, as a file for other programs. UserError if it cannot be."""
    variants: tuple[str, ...] = ()
    """The variants it draws, by name; none: all of its pattern's."""
    strip_least: int = 3
    """Rows that its strip needs, where the screen is low, to say what it has to say."""


def fold_alike(narrate: Callable[[Event], Line]) -> Callable[[Sequence[Event]], Line]:
    """How events share a line where nothing better can be said: the newest line, with the names of all where they say
    the same, else with the number of the others.
    """

    def fold(events: Sequence[Event]) -> Line:
        lines = [narrate(event) for event in events]
        last = lines[-1]
        names = " ".join(dict.fromkeys(line.who for line in lines))
        if names != last.who and all(line.text == last.text for line in lines):
            return last._replace(who=names)
        return last._replace(text=f"{last.text} (and {len(lines) - 1} more before it)")

    return fold
