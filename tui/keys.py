"""The keymap as data: one table from which the footer, the help pages and the palette are made.

A pattern brings its verbs through ``Panel.keys``: the shared ones (``k`` is always *crash or the like*) and any free
letter. It may not give a global key another meaning; ``keymap`` asserts that nothing collides.

Key names are single characters as typed, and ``space enter esc tab left right up down home end f1 ctrl+p ctrl+q
ctrl+c``: what every terminal delivers.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final, NamedTuple

from engines import TITLES
from tui.dialogs import Choice
from tui.glyphs import BRAILLE, Glyphs
from tui.panel import Ask, Do, Focus, GoToPattern, Key, Outcome, Panel, Press, Refuse

GROUPS: Final = (
    ("pattern", "this pattern"),
    ("run", "the run"),
    ("look", "looking"),
    ("faults", "faults"),
    ("client", "clients"),
    ("file", "files and the program"),
)
"""The groups of keys and their headings in the help, in their order."""

VERBS: Final = {
    **dict.fromkeys("kzxXlducbhf", "faults"),
    **dict.fromkeys("aAw", "client"),
    **dict.fromkeys("tjJ", "pattern"),
}
"""Letters that mean the same kind of thing in every pattern, and their groups."""

FREE: Final = frozenset("gnopvy%BCDEFGHIKLNOQTUVWYZ")
"""Letters a pattern may use as it likes."""

HIDDEN: Final = 100
"""A key of this rank or more is never in the footer."""

TOGETHER: Final = {".": ", .", "left": "left right", ">": "< >", "+": "+ -"}
"""Keys that the footer shows with their opposites."""


def _always(outcome: Outcome) -> Callable[[Any, Focus], Outcome]:
    return lambda snapshot, focus: outcome


def _do(key: str, label: str, help: str, action: Do, group: str, rank: int = HIDDEN) -> Key:
    return Key(key, label, help, _always(action), group, rank)


def _ask(key: str, label: str, help: str, what: str, group: str, rank: int = HIDDEN) -> Key:
    return Key(key, label, help, _always(Ask(what)), group, rank)


def _zoom(snapshot: Any, focus: Focus) -> Outcome:
    return replace(focus, zoom=True)


def _leave(snapshot: Any, focus: Focus) -> Outcome:
    """Undo the newest kind of looking: zoom, why, inspector, filter, selected line, area."""
    if focus.zoom:
        return replace(focus, zoom=False)
    if focus.why:
        return replace(focus, why=False)
    if focus.inspector:
        return replace(focus, inspector=False)
    if focus.find:
        return replace(focus, find="")
    if focus.event is not None:
        return replace(focus, event=None)
    return replace(focus, area="picture")


_RUN: Final = (
    _do("space", "pause", "run or pause; in the past, replay the recorded future", Do.RUN_PAUSE, "run", 6),
    _do(".", "step", "one event forward, and pause", Do.STEP, "run", 42),
    _do(",", "back", "one event back, and pause", Do.BACK, "run"),
    _do(">", "second", "one second forward", Do.SECOND_FORWARD, "run", 70),
    _do("<", "second back", "one second back", Do.SECOND_BACK, "run"),
    _do("+", "speed", "faster", Do.FASTER, "run", 60),
    _do("-", "slower", "slower", Do.SLOWER, "run"),
    _do("home", "start", "go to the start", Do.START, "run"),
    _do("end", "newest", "go to the newest event", Do.NEWEST, "run"),
    _do(
        "r",
        "again",
        "start again with the same seed and the rules as they are; the old run stays",
        Do.RESTART,
        "run",
        80,
    ),
    _do("R", "new seed", "start again with a new seed; the old run stays", Do.RESEED, "run"),
)
_LOOK: Final = (
    _do(
        "tab",
        "area",
        "the next area: picture, strip, inspector, journal; even one that has no room here",
        Do.NEXT_AREA,
        "look",
        75,
    ),
    Key("enter", "zoom", "let this area fill the screen", _zoom, "look", 72),
    Key("esc", "back", "back: zoom, explanation, inspector, filter, picture", _leave, "look"),
    _do("e", "why", "why: explain the selected event, or one failed check after the other", Do.WHY, "look", 30),
    _do("i", "inspector", "show or hide the inspector", Do.INSPECTOR, "look", 65),
    _ask("/", "find", "find: show only journal lines with these words", "find", "look", 74),
    _ask("?", "help", "what this picture shows, and every key", "help", "look", 50),
    _ask("f1", "help", "the same as ?", "help", "look"),
)
_FILE: Final = (
    _ask("S", "save", "save the run", "save", "file"),
    _do("P", "picture", "save a picture of the screen (SVG)", Do.SCREENSHOT, "file"),
    _ask("ctrl+p", "menu", "every command, by name", "palette", "file", 55),
    _do("q", "quit", "quit; the run is saved and its replay command printed", Do.QUIT, "file", 90),
    _do("ctrl+q", "quit", "the same as q", Do.QUIT, "file"),
    _do("ctrl+c", "quit", "the same as q", Do.QUIT, "file"),
)
_ARROWS: Final = ("left", "right", "up", "down")


def _arrow(panel: Panel, direction: str) -> Key:
    """Arrows belong to the panel, except in the journal; while an explanation is read the session keeps them."""

    def act(snapshot: Any, focus: Focus) -> Outcome:
        if focus.area == "journal":
            return Do[direction.upper()]
        return replace(panel.move(snapshot, focus, direction), why=False)

    rank = 8 if direction == "left" else HIDDEN
    return Key(direction, "select", "select within the area; scroll an explanation, by pages too", act, "look", rank)


def _patterns(panels: Iterable[Panel]) -> list[Key]:
    """One digit a pattern; those of the seven that are not built say so."""
    titles = dict(enumerate(TITLES, 1))
    built = {panel.pattern.number: panel.pattern.title for panel in panels}
    keys = []
    for number, title in sorted({**built, **titles}.items()):
        missing = Refuse(f"{number} {title} is not built yet")
        outcome = GoToPattern(number) if number in built else missing
        keys.append(Key(str(number), title, f"the pattern {title}", _always(outcome), "look", HIDDEN))
    return keys


def _of_pattern(panel: Panel) -> list[Key]:
    """Global keys whose answer depends on what the pattern has to offer."""
    pattern = panel.pattern
    alone = Refuse(f"{pattern.title} has one variant")
    untold = Refuse(f"{pattern.title} has no scenarios")
    several = len(pattern.variants) > 1

    def offers(what: str, none: str, get: Callable[[Any, Focus], tuple[Any, ...]]) -> Callable[[Any, Focus], Outcome]:
        return lambda snapshot, focus: Ask(what) if get(snapshot, focus) else Refuse(none)

    return [
        Key("m", "variant", "the next variant", _always(Do.VARIANT_NEXT if several else alone), "run", 82),
        Key("M", "variant back", "the previous variant", _always(Do.VARIANT_BACK if several else alone), "run"),
        Key("s", "scenarios", "choose a scenario", _always(Ask("scenarios") if pattern.scenarios else untold),
            "run", 9),
        Key("f", "faults", "all faults, with their parameters", offers("faults", "no faults here", panel.faults),
            "faults", 52),
        Key("b", "break a rule", "bad behaviour: rules that can be switched off",
            offers("rules", "no rules to break here", panel.rules), "faults", 40),
        Key("X", "split", "split the cluster: choose the sides; one-way cuts",
            offers("sides", "nothing to split here", panel.sides), "faults", 66),
        Key("t", "tune", "the pattern's own numbers", offers("tune", "nothing to tune here", panel.tune),
            "pattern", 68),
    ]  # fmt: skip


OURS_BY_DEFAULT: Final = frozenset("bXt")
"""Verbs with a meaning of their own that a panel may replace."""


def keymap(panel: Panel, panels: Iterable[Panel] = ()) -> dict[str, Key]:
    """Every key and what it means for this panel; asserts that no key has two meanings."""
    own = {key.key: key for key in panel.keys}
    assert len(own) == len(panel.keys), f"{panel.pattern.name}: a key has two meanings"
    arrows = [_arrow(panel, direction) for direction in _ARROWS]
    common = [*arrows, *_of_pattern(panel), *_RUN, *_LOOK, *_patterns((panel, *panels)), *_FILE]
    table: dict[str, Key] = {}
    for key in panel.keys:
        assert key.key in FREE or key.key in VERBS, f"{panel.pattern.name}: {key.key} is not a pattern's to give"
        table[key.key] = replace(key, group=VERBS[key.key]) if key.group == "pattern" and key.key in VERBS else key
    for key in common:
        if key.key in own and key.key in OURS_BY_DEFAULT:
            continue
        assert key.key not in table, f"{key.key} has two meanings"
        table[key.key] = key
    return table


# -- what is made from the table -------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """One key in the footer."""

    key: str
    shown: str
    label: str
    dim: bool
    rank: int


def shown(key: str, glyphs: Glyphs = BRAILLE) -> str:
    """How a key is written for people."""
    if key in ("left", "left right"):
        return "arrows" if glyphs.name == "ascii" else glyphs.arrow_left + glyphs.arrow_right
    return key.replace("ctrl+", "^").replace("f1", "F1")


def footer(table: dict[str, Key], snapshot: Any, focus: Focus, playing: bool, glyphs: Glyphs = BRAILLE) -> list[Entry]:
    """The keys worth showing, in their order: arrows, the pattern's verbs, the rest. The lowest ranks stay longest."""
    visible = [key for key in table.values() if key.rank < HIDDEN]
    visible.sort(key=lambda key: (key.key != "left", not _is_verb(key), key.rank))
    entries = []
    for key in visible:
        label = ("pause" if playing else "run") if key.key == "space" else key.label
        dim = isinstance(key.act(snapshot, focus), Refuse)
        entries.append(Entry(key.key, shown(TOGETHER.get(key.key, key.key), glyphs), label, dim, key.rank))
    return entries


def _is_verb(key: Key) -> bool:
    return key.key in VERBS or key.key in FREE


def help_tables(table: dict[str, Key]) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """A heading and its (key, meaning) rows for every group that has keys."""
    return tuple(
        (heading, rows)
        for group, heading in GROUPS
        if (rows := tuple((_in_help(key.key), key.help) for key in table.values() if key.group == group and _own(key)))
    )


def _own(key: Key) -> bool:
    """Whether a key has a row of its own: the arrows share one."""
    return key.key not in ("right", "up", "down")


def _in_help(key: str) -> str:
    return "arrows" if key == "left" else shown(key)


def palette(table: dict[str, Key], snapshot: Any, focus: Focus) -> tuple[Choice, ...]:
    """Every command by name; what means nothing now is there too, and says why."""
    headings = dict(GROUPS)
    choices = []
    for key in table.values():
        if key.key in ("f1", "ctrl+p", "ctrl+q", "ctrl+c", *_ARROWS):
            continue
        now = key.act(snapshot, focus)
        help = now.why if isinstance(now, Refuse) else f"{headings[key.group]}: {key.label}"
        outcome = now if isinstance(now, Refuse) else Press(key.key)
        choices.append(Choice(key.help, shown(key.key), help, outcome))
    return tuple(choices)
