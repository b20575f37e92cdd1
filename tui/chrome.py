"""What stands around a panel: tabs, status line, frames, the narration band, the footer.

Pure functions from facts to canvases. Where there is no room a fact takes a shorter form or goes, the least
important first; nothing is ever cut in the middle of a word.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

from engines.sim.pattern import Check
from engines.units import stamp, when
from tui.canvas import Canvas, Ink, clip, wrap
from tui.glyphs import Glyphs
from tui.journal import MINUTE_US
from tui.journal import stamp as moment
from tui.keys import Entry
from tui.layout import CUE_MAX
from tui.player import speed_name

GO_ON: Final = "space goes on"


class Span(NamedTuple):
    """Columns that can be clicked, and the key that this presses."""

    start: int
    stop: int
    key: str


class Tab(NamedTuple):
    """One pattern in the top line. The number is its place among the seven; those not built are absent."""

    number: int
    title: str


# -- tabs ------------------------------------------------------------------------------------------------------------


def tabs(
    width: int, each: Sequence[Tab], active: int, version: str = "", badge: str = ""
) -> tuple[Canvas, tuple[Span, ...]]:
    """The top line. All titles if they fit, else the title of the active one and the numbers of the others. A badge
    goes before titles, and stands where the program's name does otherwise.
    """
    canvas = Canvas(width, 1)
    name = f"dp-tui {version}".rstrip()
    room = width - 1 - (len(badge) + 2 if badge else 0)
    full = sum(len(f" {tab.number} {tab.title} ") for tab in each) + 1 <= room
    spans = []
    x = 1
    for tab in each:
        start = x
        if tab.number == active:
            x = canvas.put(x, 0, f" {tab.number} {tab.title} ", "tab-active")
        else:
            x = canvas.put(x, 0, f" {tab.number} ", "dim")
            if full:
                x = canvas.put(x, 0, f"{tab.title} ", "tab")
        spans.append(Span(start, x, str(tab.number)))
    for right in (badge,) if badge else (name, "dp-tui"):
        if x + 2 + len(right) + 1 <= width:
            canvas.put_right(width - 1, 0, right, "accent")
            break
    return canvas, tuple(spans)


# -- status ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Facts:
    """What the status line tells."""

    variant: str
    status: str
    seed: int
    playing: bool
    past: bool
    speed: Fraction
    at_us: int
    checks: tuple[Check, ...]
    branch: int = 0
    """The number of the branch where there is more than one, else 0."""
    find: str = ""
    source: str = ""
    """The user's data that is played; empty: a simulation, which has a seed."""
    hunt: str = ""
    """How far a hunt is that runs beside."""


Runs = tuple[tuple[str, Ink], ...]


class Form(NamedTuple):
    """One way to tell a fact; ``weight``: how long it stays where room is short."""

    weight: int
    runs: Runs

    @property
    def width(self) -> int:
        """Columns."""
        return sum(len(text) for text, _ in self.runs)


def status(width: int, facts: Facts) -> Canvas:
    """The status line."""
    ways = _ways(facts)
    help = [Form(45, (("? help  ^p menu", "dim"),)), Form(62, (("? help", "dim"),))]
    chosen = _fit([*ways, (3, help)], width - 2)
    canvas = Canvas(width, 1)
    x = 1
    for (gap, _), form in zip(ways, chosen, strict=False):
        if form is None:
            continue
        x = x + gap if x > 1 else x
        for text, ink in form.runs:
            x = canvas.put(x, 0, text, ink)
    last = chosen[-1]
    if last is not None:
        canvas.put_right(width - 1, 0, last.runs[0][0], "dim")
    return canvas


def _ways(facts: Facts) -> list[tuple[int, list[Form]]]:
    """Every fact at the left: the gap before it and its forms, the fullest first."""
    title = f" {facts.variant}"
    short = title.split("(")[0].rstrip()
    ways = [(0, [Form(60, ((title, "key"),)), Form(85, ((short, "key"),)), Form(90, ((_shortest(short), "key"),))])]
    for index, fact in enumerate(part for part in facts.status.split("  ") if part.strip()):
        ways.append((2, [Form(40 - min(index, 9), ((fact.strip(), "dim"),))]))
    origin = f"data {clip(facts.source, 30)}" if facts.source else f"seed {facts.seed}"
    ways.append((2, [Form(29, ((origin, "dim"),))]))
    if facts.branch:
        ways.append((2, [Form(55, ((f"branch {facts.branch}", "you"),))]))
    ways.append((3, _state(facts)))
    ways.append((3, [Form(94, (("t ", "dim"), (stamp(facts.at_us), "bright")))]))
    if facts.find:
        ways.append((2, [Form(70, ((f"find {clip(facts.find, 20)}", "warn"),))]))
    if facts.hunt:
        ways.append((2, [Form(71, ((facts.hunt, "you"),))]))
    if facts.checks:
        ways.append((3, _verdict(facts.checks)))
    return ways


def _shortest(title: str) -> str:
    """At most twelve columns of a variant's name: whole words, if there are any."""
    words = title[:13].rpartition(" ")[0].rstrip() if len(title) > 12 else title
    return words or f"{title[:10]}.."


def _state(facts: Facts) -> list[Form]:
    word, ink = ("RUN", "good") if facts.playing else ("PAUSED", "warn")
    speed = f" {speed_name(facts.speed)}"
    if facts.past:
        past = ("PAST ", "you")
        return [
            Form(58, (past, (word, ink), (speed, "text"))),
            Form(80, (past, (word, ink))),
            Form(96, (("PAST", "you"),)),
        ]
    return [Form(80, ((word, ink), (speed, "text"))), Form(96, ((word, ink),))]


def _verdict(checks: tuple[Check, ...]) -> list[Form]:
    failed = tuple(check for check in checks if not check.ok)
    if failed:
        chip, dated = (f" {failure(failed)} ", "bad!"), []
        if failed[0].at_us is not None:
            dated = _dated(failed, failed[0].at_us)
        return [
            *dated,
            Form(82 if dated else 64, (chip, (" e", "key"), (" why", "dim"))),
            Form(83, (chip,)),
            *([Form(88, ((f" {failed_short(failed)} ", "bad!"),))] if len(failed) > 1 else []),
            *(Form(89, ((f" {_first_words(failure(failed), room)} ", "bad!"),)) for room in (40, 30)),
            Form(99, ((f" {failure(failed).partition(':')[0]} ", "bad!"),)),
        ]
    count = f"{len(checks)}/{len(checks)}"
    good: Runs = ((f"{count} ok", "good"),)
    return [Form(50, (("checks ", "dim"), *good)), Form(93, good)]


def _dated(failed: tuple[Check, ...], at_us: int) -> list[Form]:
    """What failed and when, as long as a line can hold both: a failure of long ago is not one of now."""
    long, short = f" {failure(failed, when(at_us, ' '))} ", failure(failed).partition(": ")
    more = f" +{len(failed) - 1}" if len(failed) > 1 else ""
    brief = f"at {moment(at_us, at_us >= MINUTE_US).lstrip()}: {failed[0].name}{more} "
    return [
        Form(63, ((long, "bad!"), (" e", "key"), (" why", "dim"))),
        Form(64, ((long, "bad!"),)),
        Form(81, ((f" {short[0]} at {stamp(at_us)}: {short[2]} ", "bad!"),)),
        Form(81, ((f" CHECK FAILED {brief}", "bad!"), (" e", "key"), (" why", "dim"))),
        Form(81, ((f" CHECK FAILED {brief}", "bad!"),)),
        Form(81, ((f" FAILED {brief}", "bad!"),)),
    ]


def _first_words(text: str, room: int) -> str:
    """As many whole words as fit, and a sign that there are more."""
    if len(text) <= room:
        return text
    return f"{text[: room - 2].rpartition(' ')[0]} .."


def failed_short(failed: tuple[Check, ...]) -> str:
    """``CHECK FAILED: leader completeness +1``."""
    return f"CHECK FAILED: {failed[0].name} +{len(failed) - 1}"


def failure(failed: tuple[Check, ...], dated: str = "") -> str:
    """``CHECK FAILED: leader completeness``, since when, and how many more."""
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return f"CHECK FAILED: {failed[0].name}{dated}{more}"


def _fit(facts: Sequence[tuple[int, Sequence[Form]]], room: int) -> list[Form | None]:
    """One form for each fact, or none: the lightest form gives way until all fit."""
    index = [0] * len(facts)

    def now(n: int) -> Form | None:
        forms = facts[n][1]
        return forms[index[n]] if index[n] < len(forms) else None

    while True:
        chosen = [now(n) for n in range(len(facts))]
        present = [(n, form) for n, form in enumerate(chosen) if form is not None]
        if sum(facts[n][0] + form.width for n, form in present) <= room:
            return chosen
        lightest = min(present, key=lambda each: (each[1].weight, -each[0]))
        index[lightest[0]] += 1


# -- frames ----------------------------------------------------------------------------------------------------------


def frame(
    width: int,
    height: int,
    inner: Canvas,
    title: str,
    note: str,
    glyphs: Glyphs,
    *,
    focused: bool = False,
    failed: bool = False,
    notice: str = "",
    hint: str = "",
    tee: bool = False,
    open_below: bool = False,
) -> Canvas:
    """A canvas in its frame.

    ``tee``: the top border is shared with the area above; ``open_below``: the bottom one with the area below.
    ``failed``: whether a check failed; the frame shows it by its colour, and keeps its legend. ``notice``: told by the
    bottom border, and so is ``hint``, of the narration below.
    """
    canvas = Canvas(width, height)
    ink, title_ink = "line", "selected" if focused else "title"
    if failed:
        ink, title_ink = "bad", "bad!"
    canvas.box(0, 0, width, height + open_below, title, note, ink, title_ink, glyphs)
    if tee:
        canvas.put(0, 0, glyphs.tee_left, ink)
        canvas.put(width - 1, 0, glyphs.tee_right, ink)
    if notice:
        canvas.put(2, height - 1, f" ! {notice} ", "warn")
    if hint:
        canvas.put_right(width - 2, height - 1, f" {hint} ", "cue")
    canvas.blit(inner, 1, 1)
    return canvas


def reading(paragraphs: Iterable[str], width: int, height: int, scroll: int) -> tuple[Canvas, int]:
    """Paragraphs to read, from row ``scroll`` on; and the largest scroll that makes sense."""
    lines = _lines(paragraphs, width)
    canvas = Canvas(width, height)
    last = max(0, len(lines) - height)
    scroll = min(scroll, last)
    more = scroll < last and height > 1
    for y, line in enumerate(lines[scroll : scroll + height - more]):
        canvas.put(1, y, line, "bright" if scroll + y == 0 else "text")
    if more:
        canvas.put_right(width - 1, height - 1, f"{last - scroll + 1} more lines", "dim")
    return canvas, last


def reading_rows(paragraphs: Iterable[str], width: int) -> int:
    """Rows that paragraphs to read need."""
    return len(_lines(paragraphs, width))


def _lines(paragraphs: Iterable[str], width: int) -> list[str]:
    lines: list[str] = []
    for paragraph in paragraphs:
        lines.extend(["", *wrap(paragraph, max(1, width - 2))] if lines else wrap(paragraph, max(1, width - 2)))
    return lines


# -- narration -------------------------------------------------------------------------------------------------------


def cue_rows(text: str, width: int) -> int:
    """Rows the narration band needs."""
    return len(_cue_lines(text, width)) if text else 0


def cue(text: str, width: int, height: int, waits: bool, glyphs: Glyphs) -> Canvas:
    """What the lecturer says, on a lit band; how to go on if there is room for it behind the last word."""
    canvas = Canvas(width, height)
    canvas.fill(0, 0, width, height, " ", "cue")
    for y, line in enumerate(_cue_lines(text, width)[:height]):
        canvas.put(0, y, glyphs.mark_left, "cue")
        canvas.put(2, y, line, "cue")
    if waits and not hint_above(text, width):
        canvas.put_right(width - 2, height - 1, GO_ON, "cue")
    return canvas


def hint_above(text: str, width: int) -> str:
    """How to go on, for the border above the band: where the last row is full, it is worth no row of its own."""
    return GO_ON if len(_cue_lines(text, width)[-1]) > width - 4 - len(GO_ON) - 2 else ""


def _cue_lines(text: str, width: int) -> list[str]:
    lines = wrap(text, max(1, width - 4)) or [""]
    if len(lines) > CUE_MAX:
        lines = [*lines[: CUE_MAX - 1], clip(" ".join(lines[CUE_MAX - 1 :]), max(2, width - 20))]
    return lines


# -- footer ----------------------------------------------------------------------------------------------------------


def footer(width: int, entries: Sequence[Entry]) -> tuple[Canvas, tuple[Span, ...]]:
    """The keys that fit whole, in the order given; the highest ranks go first."""
    room = width - 1
    kept: set[str] = set()
    for entry in sorted(entries, key=lambda entry: entry.rank):
        needed = len(entry.shown) + 1 + len(entry.label) + 2
        if needed <= room:
            room -= needed
            kept.add(entry.key)
    canvas = Canvas(width, 1)
    spans = []
    x = 1
    for entry in entries:
        if entry.key in kept:
            start = x
            x = canvas.put(x, 0, entry.shown, "dim" if entry.dim else "key") + 1
            x = canvas.put(x, 0, entry.label, "line" if entry.dim else "dim")
            spans.append(Span(start, x, entry.key))
            x += 2
    return canvas, tuple(spans)


NOTICE_ROWS: Final = 2
"""A notice takes the footer, and if it must the scrubber; what is longer than both is told by the journal."""


def notice_lines(width: int, text: str) -> list[str]:
    """A notice in rows of the footer's width."""
    return wrap(f"! {text}", max(1, width - 2))


def notice(width: int, text: str) -> Canvas:
    """A notice in place of the footer, and of the scrubber if it needs both."""
    lines = notice_lines(width, text)
    if len(lines) > NOTICE_ROWS:
        lines = [*lines[: NOTICE_ROWS - 1], clip(" ".join(lines[NOTICE_ROWS - 1 :]), width - 2)]
    canvas = Canvas(width, len(lines))
    for y, line in enumerate(lines):
        canvas.put(1, y, line, "warn")
    return canvas


def sorry(width: int, height: int, texts: Sequence[str]) -> Canvas:
    """The screen that is too small: the first text that fits, over as many rows as there are."""
    canvas = Canvas(width, height)
    for text in texts:
        lines = wrap(text, width)
        if len(lines) <= height and max(map(len, text.split())) <= width:
            for y, line in enumerate(lines, (height - len(lines)) // 2):
                canvas.center(y, line, "text")
            break
    return canvas
