"""The dialogues, as data: what each of them offers at this moment, and what its rows come to."""

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, Final, Protocol

from engines.errors import UserError
from engines.sim import faults
from engines.sim.timeline import Branch
from engines.units import US_PER_S, percent, span, stamp, when
from tui.dialogs import Choice, Dialogue, Form, Pages, Pick, Prompt
from tui.files import write_new
from tui.keys import help_tables, palette, refused
from tui.panel import Ask, Do, GoToVariant, Offer, Outcome, PlayScenario, Refuse, SeekTime, VisitBranch, Wear
from tui.scene import Scene


class Host(Protocol):
    """What a dialogue needs of the session it belongs to."""

    @property
    def scene(self) -> Scene: ...
    @property
    def sandbox(self) -> bool: ...
    def save(self, path: Path) -> str: ...
    def notify(self, text: str) -> None: ...
    def save_path(self) -> Path: ...


def dialogue(host: Host, what: str) -> Dialogue:
    """The dialogue of this name; KeyError if there is none."""
    return _DIALOGUES[what](host)


# -- lists -----------------------------------------------------------------------------------------------------------


def _scenarios(host: Host) -> Dialogue:
    pattern, now = host.scene.panel.pattern, host.scene.branch.scenario
    here = host.scene.timeline.variant.name
    stories = sorted(pattern.scenarios, key=lambda scenario: scenario.variant != here)
    choices = []
    for scenario in stories:
        note = pattern.variant(scenario.variant).title
        if now is not None and now.name == scenario.name:
            note += ", running"
        text = scenario.summary
        if scenario.breaks:
            text += f" Breaks on purpose: {', '.join(scenario.breaks)}."
        choices.append(Choice(scenario.title, note, text, PlayScenario(scenario.name)))
    free = Choice("No story", "", "The cluster alone, from the start, for you to disturb.", Do.FREE)
    names = [scenario.name for scenario in stories]
    return Pick("scenarios", (*choices, free), at=names.index(now.name) if now is not None else 0)


def _branches(host: Host) -> Dialogue:
    timeline = host.scene.timeline
    choices = []
    for branch in timeline.branches:
        here = branch.number == timeline.branch.number
        note = f"ends {stamp(branch.end_us)}" + (", here" if here else "")
        if branch.parent is None:
            story = branch.scenario.title if branch.scenario else "no story"
            title, text = f"{branch.number + 1}  from the start", f"Seed {branch.seed}, {story}."
            find = host.scene.finds.get(branch.number)
            if find is not None:
                title = f"{branch.number + 1}  found by a hunt, seed {find.seed}"
                text = f"It breaks {find.check}. Made small from a run that this finds again: {find.command}"
        else:
            title = f"{branch.number + 1}  from branch {branch.parent + 1} at {stamp(branch.fork_us)}"
            text = f"It began with: {first_command(branch)}."
            taken = [each for each in timeline.branches[branch.parent].log if each.position == branch.fork_position]
            if taken and not any(entry.position >= branch.fork_position for entry in branch.log):
                text = f"It began without: {command_words(taken[0].command)}."
        choices.append(Choice(title, note, text, VisitBranch(branch.number)))
    only = "" if len(choices) > 1 else "one so far: act in the past, take a deed back, or start again to begin another"
    return Pick("branches", tuple(choices), hint=only, at=timeline.branch.number)


def _checks(host: Host) -> Dialogue:
    """Every check: how it stands, what it demands; choosing one opens its explanation."""
    scene = host.scene
    snapshot, checks = scene.now()
    choices = []
    for check in checks:
        demand = " ".join(scene.panel.explain_check(snapshot, check)[:1])
        outcome = replace(scene.focus, why=True, check=check.name, inspector=True)
        state = "holds" if check.ok else f"FAILED{when(check.at_us, ' ')}"
        choices.append(Choice(check.name, state, demand or check.detail, outcome))
    failed = sum(not check.ok for check in checks)
    state = f"{failed} of {len(checks)} failed" if failed else f"all {len(checks)} hold"
    first = next((n for n, check in enumerate(checks) if not check.ok), 0)
    return Pick("checks", tuple(choices), hint=f"{state}, examined after every event", at=first)


def _looks(host: Host) -> Dialogue:
    """Themes and glyph sets."""
    return Pick("theme and glyphs", tuple(_look_choices()))


def _look_choices() -> list[Choice]:
    themes = [Choice(f"theme: {name}", "", text, Wear(theme=name)) for name, text in THEMES.items()]
    return themes + [Choice(f"glyphs: {name}", "", text, Wear(glyphs=name)) for name, text in GLYPHS.items()]


THEMES: Final = {
    "dark": "For dark backgrounds, 256 colours.",
    "light": "For light backgrounds, 256 colours.",
    "ansi16": "The sixteen colours of the terminal's own palette.",
    "contrast": "High contrast on black.",
    "deuteranopia": "No two signs differ in red against green alone.",
    "mono": "No colour at all.",
}
GLYPHS: Final = {
    "braille": "The finest lines; most fonts have them.",
    "block": "Block elements, for fonts without braille.",
    "ascii": "Nothing but ASCII.",
}


def _palette(host: Host) -> Dialogue:
    scene = host.scene
    pattern = scene.panel.pattern
    choices = list(palette(scene.keys, scene.now().snapshot, scene.focus))
    choices.append(Choice("go to a time", "", "type minutes and seconds", Ask("goto")))
    for variant in pattern.variants:
        choices.append(Choice(f"variant: {variant.title}", "m", variant.summary, GoToVariant(variant.name)))
    for scenario in pattern.scenarios:
        choices.append(Choice(f"scenario: {scenario.title}", "s", scenario.summary, PlayScenario(scenario.name)))
    choices += _look_choices()
    return Pick("every command", tuple(choices), filterable=True)


def _sides(host: Host) -> Dialogue:
    scene = host.scene
    offers = scene.panel.sides(scene.now().snapshot, scene.focus)
    choices = [Choice(offer.title, "", offer.help, _built(offer)) for offer in offers]
    typed = Choice("type the sides", "", "any split you like: n1 n2 | n3 n4 n5", Ask("split"))
    return Pick("split the cluster", (*choices, typed))


def _built(offer: Offer) -> Outcome:
    """What an offer comes to with its parameters as they are; a refusal makes the row dim."""
    try:
        return offer.build({param.name: param.value for param in offer.params})
    except UserError as error:
        return Refuse(str(error))


# -- forms -----------------------------------------------------------------------------------------------------------


def _faults(host: Host) -> Dialogue:
    scene = host.scene
    return Form("faults", scene.panel.faults(scene.now().snapshot, scene.focus))


def _rules(host: Host) -> Dialogue:
    scene = host.scene
    return Form("break a rule", scene.panel.rules(scene.now().snapshot, scene.focus))


def _tune(host: Host) -> Dialogue:
    scene = host.scene
    return Form("tune", scene.panel.tune(scene.now().snapshot, scene.focus))


# -- lines to type ---------------------------------------------------------------------------------------------------


def _client(host: Host) -> Dialogue:
    scene = host.scene

    def submit(text: str) -> Outcome:
        return scene.panel.client(scene.now().snapshot, scene.focus, text)

    of_file = scene.timeline.variant.source is not None and scene.panel.file_hint
    return Prompt("act as a client", "", of_file or scene.panel.client_hint, submit)


def _split(host: Host) -> Dialogue:
    def submit(text: str) -> Outcome:
        sides = tuple(tuple(side.replace(",", " ").split()) for side in text.split("|"))
        if len(sides) < 2 or not all(sides):
            raise UserError("two sides or more, with | between them: n1 n2 | n3 n4 n5")
        return faults.Partition(sides)

    return Prompt("split the cluster", "", "n1 n2 | n3 n4 n5   who is on no side keeps all its links", submit)


def _find(host: Host) -> Dialogue:
    scene = host.scene

    def submit(text: str) -> Outcome:
        return replace(scene.focus, find=text.strip(), event=None)

    return Prompt("find in the journal", scene.focus.find, "only lines with these words; empty: all lines", submit)


def _goto(host: Host) -> Dialogue:
    end = stamp(host.scene.branch.end_us)

    def submit(text: str) -> Outcome:
        return SeekTime(parse_time(text))

    return Prompt("go to a time", "", f"12.5 or 1:02.500; the run ends at {end}", submit)


def _save(host: Host) -> Dialogue:
    def submit(text: str) -> Outcome:
        if not text.strip():
            raise UserError("the name of a file is needed")
        host.notify(host.save(Path(text.strip())))
        return None

    if host.sandbox:
        return Pages("save", ("This session runs in a sandbox: it writes no files.",))
    return Prompt("save the run", str(host.save_path()), "a file; dp-tui replay FILE opens it again", submit)


def _export(host: Host) -> Dialogue:
    if host.sandbox:
        return Pages("export", ("This session runs in a sandbox: it writes no files.",))
    scene = host.scene
    try:
        offered = scene.panel.export(scene.now().snapshot, scene.focus)
    except UserError as error:
        return Pages("export", (str(error),))

    def submit(text: str) -> Outcome:
        if not text.strip():
            raise UserError("the name of a file is needed")
        path = Path(text.strip()).absolute()
        write_new(path, offered.content)
        host.notify(f"written: {path.name}, {len(offered.content):,} bytes, in {path.parent}")
        return None

    return Prompt(f"export {offered.what}", offered.name, "a file that is not there yet", submit)


# -- pages -----------------------------------------------------------------------------------------------------------


def _help(host: Host) -> Dialogue:
    panel = host.scene.panel
    variant = host.scene.variant
    idle = refused(host.scene.keys, host.scene.now().snapshot, host.scene.focus)
    paragraphs = [panel.pattern.question, f"{variant.title}: {variant.summary}", *panel.help]
    if panel.pattern.notes:
        paragraphs.append("Where common wisdom is wrong:")
        paragraphs.extend(f"- {note}" for note in panel.pattern.notes)
    return Pages(f"help: {panel.pattern.title}", tuple(paragraphs), help_tables(host.scene.keys), idle)


_DIALOGUES: Final[dict[str, Callable[[Host], Dialogue]]] = {
    "scenarios": _scenarios,
    "branches": _branches,
    "checks": _checks,
    "looks": _looks,
    "palette": _palette,
    "sides": _sides,
    "split": _split,
    "faults": _faults,
    "rules": _rules,
    "tune": _tune,
    "client": _client,
    "find": _find,
    "goto": _goto,
    "save": _save,
    "export": _export,
    "help": _help,
}

DIALOGUES: Final = tuple(_DIALOGUES)
"""The names of all dialogues."""


# -- words -----------------------------------------------------------------------------------------------------------


def first_command(branch: Branch) -> str:
    """The command that made a branch differ from the one it left."""
    for entry in branch.log:
        if entry.position >= branch.fork_position:
            return command_words(entry.command)
    return "nothing yet"


def command_words(command: Any) -> str:
    """A command as a line: ``crash n3``, ``lose n1 > n2 30 %``, ``set rule store back off``."""
    words = [_parted(type(command).__name__)]
    if is_dataclass(command):
        words.extend(_field(field.name, getattr(command, field.name)) for field in fields(command))
    return " ".join(word for word in words if word)


def _parted(name: str) -> str:
    """``SetRule`` and ``store_back`` as words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()


def _field(name: str, value: Any) -> str:
    """The value of a field in words; a number says what it is of."""
    match value:
        case bool():
            return ("on" if value else "off") if name == "on" else _parted(name) if value else f"no {_parted(name)}"
        case int() if name.endswith("_us"):
            return f"{_parted(name.removesuffix('_us'))} {span(value)}" if value else ""
        case int() if name.endswith("ppm"):
            return percent(value)
        case int() if name not in ("value", "amount", "n", "r", "w"):
            return f"{_parted(name)} {value:,}" if value else ""
        case str() if name == "dst":
            return f"> {'all' if value == '*' else value}"
        case str() if name in ("rule", "name"):
            return _parted(value)
        case Enum():
            return _parted(str(value.value))
    return _word(value)


def _word(value: Any) -> str:
    if isinstance(value, tuple):
        return "(" + " ".join(_word(each) for each in value) + ")"
    return "all" if value == "*" else str(value)


def parse_time(text: str) -> int:
    """``12.5`` or ``1:02.500`` in microseconds. UserError otherwise."""
    minutes, _, seconds = text.strip().rpartition(":")
    whole, _, part = seconds.partition(".")
    digits = (minutes or "0", whole or "0", part or "0")
    if not seconds or not all(each.isascii() and each.isdigit() and len(each) <= 9 for each in digits):
        raise UserError(f"{text.strip()!r} is no time: type seconds (12.5) or minutes and seconds (1:02.500)")
    return (int(digits[0]) * 60 + int(digits[1])) * US_PER_S + int(f"{part:0<6}"[:6])
