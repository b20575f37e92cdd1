"""The keymap as data: one table from which the footer, the help pages and the palette are made.

A pattern brings its verbs through ``Panel.keys``: the shared ones (``k`` is always *crash or the like*) and any free
letter. It may not give a global key another meaning; ``keymap`` asserts that nothing collides.

Key names are single characters as typed, and ``space enter esc tab shift+tab left right up down home end pageup
pagedown backspace f1 ctrl+p ctrl+l ctrl+q ctrl+c``: what every terminal delivers.

The free letters have one sense everywhere: ``n N`` the next / previous thing worth seeing, ``g`` go to the one that
matters, ``v V`` next / previous view, ``D`` compare, ``p`` next preset; ``o`` and ``y`` and the free capitals are the
panel's own (``SENSES``). Where a list has the focus, ``j k`` walk through it and the verbs wait.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final, NamedTuple

from engines import TITLES
from engines.sim import faults
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

FREE: Final = frozenset("gnopvy%BCDFGIKLNQVWZ")
"""Letters a pattern may use: those of ``SENSES`` in their sense, the others as it likes."""

SENSES: Final = {
    "n": "the next", "N": "the previous", "g": "go to", "v": "the next view", "V": "the previous view",
    "D": "compare", "p": "the next preset",
}  # fmt: skip
"""What the help of a key begins with, if the key is one of these: the same sense in every panel."""

HIDDEN: Final = 100
"""A key of this rank or more is never in the footer."""
AIMED: Final = {faults.Crash: "crash", faults.Restart: "restart", faults.Thaw: "thaw", faults.Reconnect: "reconnect"}
"""What a verb of the machines is called when it comes to this."""
SHORT_NAME: Final = 8
"""A machine's name that finds room in the footer."""

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
    _do(
        "backspace",
        "take back",
        "take back the last thing you did; the other future stays a branch",
        Do.TAKE_BACK,
        "run",
        78,
    ),
    _ask("U", "branches", "the branches of this run: every future so far", "branches", "run"),
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
    _do("shift+tab", "area back", "the area before", Do.PREVIOUS_AREA, "look"),
    Key("enter", "zoom", "let this area fill the screen", _zoom, "look", 72),
    Key("esc", "back", "back: zoom, explanation, inspector, filter, picture", _leave, "look"),
    _do("e", "why", "why: explain the selected event, or one failed check after the other", Do.WHY, "look", 30),
    _ask("E", "checks", "all checks: what each demands and how it stands", "checks", "look", 71),
    _do(
        "i",
        "inspector",
        "show or hide the inspector; where it is always shown, go to it and back",
        Do.INSPECTOR,
        "look",
        65,
    ),
    _ask("/", "find", "find: show only journal lines with these words", "find", "look", 74),
    _ask("?", "help", "every key, and what this picture shows; / searches in it", "help", "look", 50),
    _ask("f1", "help", "the same as ?", "help", "look"),
)
_FILE: Final = (
    _ask("S", "save", "save the run", "save", "file"),
    _do("Y", "copy", "copy the run as one line of text, for dp-tui replay", Do.COPY_LINE, "file"),
    _do(
        "H",
        "hunt",
        "hunt from here: other seeds, random faults, in a process beside; again: stop, or open the find",
        Do.HUNT,
        "file",
    ),
    _do("P", "picture", "save a picture of the screen (SVG)", Do.SCREENSHOT, "file"),
    _ask("ctrl+p", "menu", "every command, by name", "palette", "file", 55),
    _ask("T", "look", "theme and glyphs", "looks", "file"),
    _do("ctrl+l", "redraw", "draw everything anew", Do.REPAINT, "file"),
    _do(
        "q",
        "quit",
        "quit; this run and all that you touched are saved with their branches, and the replay command printed",
        Do.QUIT,
        "file",
        90,
    ),
    _do("O", "stage", "stage: who watches; take the run over into a private branch, and return", Do.STAGE, "file"),
    _do("ctrl+q", "quit", "the same as q", Do.QUIT, "file"),
    _do("ctrl+c", "quit", "the same as q", Do.QUIT, "file"),
)
_ARROWS: Final = ("left", "right", "up", "down")


FAR: Final = 1 << 30
"""Further than any list is long."""
_LISTED: Final = {
    "home": ("start", "go to the start of the run; in a list: its first line", -FAR, Do.FIRST, Do.START),
    "end": ("newest", "go to the newest event; in a list: its last line", FAR, Do.LAST, Do.NEWEST),
    "pageup": ("page up", "in a list: a page back", 0, Do.PAGE_UP, None),
    "pagedown": ("page down", "in a list: a page on", 0, Do.PAGE_DOWN, None),
}
"""Keys of lists: label, help, rows in a list of the panel (0: a page, which the session measures), what they do in the
journal, and where nothing is a list."""


def _of_lists(panel: Panel) -> list[Key]:
    """Keys that move in whatever list has the focus."""

    def key(name: str) -> Key:
        label, help, rows, listed, otherwise = _LISTED[name]

        def act(snapshot: Any, focus: Focus) -> Outcome:
            if focus.area == "journal":
                return listed
            there = panel.walk(snapshot, focus, rows)
            if there is not None:
                return replace(there, why=False) if rows else listed
            return otherwise or Refuse(f"{name} moves in lists: tab goes to the journal")

        return Key(name, label, help, act, "look" if otherwise is None else "run", HIDDEN)

    return [key(name) for name in _LISTED]


LINES: Final = {"j": (1, Do.DOWN, "down"), "k": (-1, Do.UP, "up")}
"""What ``j`` and ``k`` are in a list."""


def in_list(panel: Panel, snapshot: Any, focus: Focus) -> bool:
    """Whether ``j`` and ``k`` walk through a list now."""
    return focus.area == "journal" or panel.walk(snapshot, focus, 0) is not None


def _walking(panel: Panel, key: Key) -> Key:
    """``j`` or ``k`` of a panel: where a list has the focus it moves there, else it is the panel's verb."""
    rows, line, _ = LINES[key.key]

    def act(snapshot: Any, focus: Focus) -> Outcome:
        if focus.area == "journal":
            return line
        there = panel.walk(snapshot, focus, rows)
        return key.act(snapshot, focus) if there is None else replace(there, why=False)

    return replace(key, act=act)


def _no_verb(panel: Panel, name: str) -> Key:
    """``j`` or ``k`` where the panel has no such verb."""
    refusal = Refuse(f"{name} means nothing in {panel.pattern.title} but in a list: ? shows every key")
    return Key(name, LINES[name][2], f"in a list: one line {LINES[name][2]}", _always(refusal), "look", HIDDEN)


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
    common = [
        *arrows, *_of_pattern(panel), *_RUN, *_of_lists(panel), *_LOOK, *_patterns((panel, *panels)), *_FILE,
        *(_walking(panel, _no_verb(panel, name)) for name in LINES if name not in own),
    ]  # fmt: skip
    table: dict[str, Key] = {}
    for key in panel.keys:
        assert key.key in FREE or key.key in VERBS, f"{panel.pattern.name}: {key.key} is not a pattern's to give"
        if key.key in LINES:
            key = _walking(panel, key)
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


REFUSED: Final = 1_000
"""What is added to the rank of a key that would be refused."""


def footer(
    table: dict[str, Key], snapshot: Any, focus: Focus, playing: bool, glyphs: Glyphs = BRAILLE, listed: bool = False
) -> list[Entry]:
    """The keys worth showing, in their order: arrows, the pattern's verbs, the rest. The lowest ranks stay longest.

    What would be refused now is dim, and stands only where nothing that acts needs the room.
    ``listed``: a list has the focus, so ``j`` and ``k`` walk through it.
    """
    visible = [key for key in table.values() if key.rank < HIDDEN]
    visible.sort(key=lambda key: (key.key != "left", not _is_verb(key), key.rank))
    entries = []
    for key in visible:
        now = key.act(snapshot, focus)
        label = ("pause" if playing else "run") if key.key == "space" else _aimed(key.label, now)
        dim = isinstance(now, Refuse)
        rank = key.rank + REFUSED * dim
        entry = Entry(key.key, shown(TOGETHER.get(key.key, key.key), glyphs), label, dim, rank)
        if not (listed and key.key in LINES):
            entries.append(entry)
        elif key.key == "k":
            entries.append(entry._replace(shown="j k", label="move"))
    return entries


def _aimed(label: str, now: Any) -> str:
    """What a fault would do now, and whom it would crash: the selection may have moved since somebody looked."""
    label = AIMED.get(type(now), label)
    named = isinstance(now, faults.Crash | faults.Restart) and len(now.node) <= SHORT_NAME
    return f"{label} {now.node}" if named else label


def _is_verb(key: Key) -> bool:
    return key.key in VERBS or key.key in FREE


def help_tables(table: dict[str, Key]) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """A heading and its (key, meaning) rows for every group that has keys."""
    return tuple(
        (heading, rows)
        for group, heading in GROUPS
        if (rows := tuple((_in_help(key.key), key.help) for key in table.values() if key.group == group and _own(key)))
    )


def refused(table: dict[str, Key], snapshot: Any, focus: Focus) -> tuple[tuple[str, str], ...]:
    """(key as in the help, why) of every key that means nothing now."""
    found = []
    for key in table.values():
        now = key.act(snapshot, focus) if _own(key) else None
        if isinstance(now, Refuse):
            found.append((_in_help(key.key), now.why))
    return tuple(found)


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
