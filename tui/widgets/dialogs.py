"""The dialogues that are lists, lines and pages; forms have a file of their own. `open_view` makes the right one.

`esc` closes every one of them; `q` closes those that take no typing, and never more than the dialogue.
"""

from __future__ import annotations

from collections.abc import Mapping

from engines.errors import UserError
from tui.canvas import clip, wrap
from tui.dialogs import Choice, Dialogue, Form, Pages, Pick, Prompt
from tui.glyphs import Glyphs
from tui.panel import Refuse
from tui.widgets.form import FormView
from tui.widgets.lineedit import LineEdit, Runs
from tui.widgets.sheet import Answer, Close, Give, Sheet, View, arrows, columns, hint, paragraph


def open_view(dialogue: Dialogue) -> View:
    """The view of a dialogue, fresh."""
    match dialogue:
        case Pick():
            return PickView(dialogue)
        case Form():
            return FormView(dialogue)
        case Prompt():
            return PromptView(dialogue)
        case Pages():
            return PagesView(dialogue)


SEARCH_FROM = 6
"""Rows from which on it is said that ``/`` searches."""
FUZZY = 10
"""Ranks below this are those of rows that have the words."""


class PickView(View):
    """A list. A row that would be refused can be selected, to read why, but not chosen."""

    def __init__(self, pick: Pick) -> None:
        super().__init__()
        self.pick = pick
        self.filter = LineEdit()
        self.searching = pick.filterable
        self.shown = pick.choices
        self.index = max(0, min(pick.at, len(pick.choices) - 1))
        self._title = max((len(choice.title) for choice in pick.choices), default=0)
        self._note = max((len(choice.note) for choice in pick.choices), default=0)

    @property
    def typing(self) -> bool:
        """While one searches."""
        return self.searching

    def press(self, key: str) -> Answer:
        """Move, type into the filter, choose, leave."""
        if key == "esc" and self.searching and not self.pick.filterable:
            self.searching = False
            self.filter = LineEdit()
            self._search()
            return None
        if key == "esc" or (key == "q" and not self.typing):
            return Close()
        if key == "enter":
            return self.choose(self.index)
        self.error = ""
        if not self.typing:
            key = {"j": "down", "k": "up"}.get(key, key)
            self.searching = key == "/"
        if self._move(key) or not self.typing or (key == "/" and not self.pick.filterable and not self.filter.text):
            return None
        if self.filter.press(key):
            self._search()
        return None

    def paste(self, text: str) -> None:
        """Into the filter."""
        if self.typing:
            self.filter.insert(text)
            self._search()

    def choose(self, row: int) -> Answer:
        """Take the row, unless it is refused: then its reason is shown as an error."""
        if not 0 <= row < len(self.shown):
            return None
        self.index = row
        outcome = self.shown[row].outcome
        if isinstance(outcome, Refuse):
            self.error = outcome.why
            return None
        return Give(outcome)

    def sheet(self, width: int, glyphs: Glyphs) -> Sheet:
        """Title and note side by side, the help of the selected row below."""
        title = min(self._title, max(12, width - min(self._note, width // 2) - 2))
        note = min(self._note, width - title - 2)
        rest = width - title - note - 4
        body: list[Runs] = []
        for choice in self.shown:
            refusal = choice.outcome.why if isinstance(choice.outcome, Refuse) else ""
            inks = ("dim", "dim") if refusal else ("bright", "dim")
            cells = [(choice.title, title, inks[0]), ("", 2, "dim"), (choice.note, note, inks[1])]
            if rest > 12:
                cells += [("", 2, "dim"), (refusal, rest, "dim")]
            body.append(columns(*cells))
        if not body:
            body.append((("nothing here is called that", "dim"),))
        return Sheet(
            self.pick.title,
            head=self._head(width),
            body=body,
            foot=self._foot(width),
            body_rows=len(self.pick.choices),
            most_rows=16 if self.pick.filterable else 24,
            lit=self.index if self.shown else None,
            keys=(*self._find_keys(), (arrows(glyphs), "select"), ("enter", "choose"), ("esc", "close")),
        )

    def _find_keys(self) -> tuple[tuple[str, str], ...]:
        return () if self.typing or len(self.pick.choices) < SEARCH_FROM else (("/", "find"),)

    def _head(self, width: int) -> list[Runs]:
        head = hint(self.pick.hint, width)
        if self.typing:
            head += [(("/ ", "key"), *self.filter.runs(width - 2)), ()]
        return head

    def _foot(self, width: int) -> list[Runs]:
        """As many rows as the longest help needs (at most three), so that moving along moves nothing else."""
        helps = [_reason(choice) or choice.help for choice in self.pick.choices]
        rows = min(3, max((len(wrap(text, width)) for text in helps if text), default=0))
        if not rows or not self.shown:
            return [()] * rows
        choice = self.shown[self.index]
        if self.error:
            return paragraph(f"no: {self.error}", width, "bad", rows)
        reason = _reason(choice)
        return paragraph(reason or choice.help, width, "warn" if reason else "text", rows)

    def _move(self, key: str) -> bool:
        last = max(0, len(self.shown) - 1)
        steps = {"up": -1, "down": 1, "pageup": -self.page, "pagedown": self.page, "tab": 1, "shift+tab": -1}
        if key in steps:
            step = steps[key]
            around = abs(step) == 1 and not 0 <= self.index + step <= last
            self.index = (0 if step > 0 else last) if around else max(0, min(last, self.index + step))
        elif key in ("home", "end") and not self.filter.text:
            self.index = 0 if key == "home" else last
        else:
            return False
        return True

    def _search(self) -> None:
        """Every word must be somewhere in the row; rows whose title begins with the text come first, and last those in
        whose title its letters stand in this order (``svsp`` finds "Split votes, random timeouts": fuzzy)."""
        text = self.filter.text.strip().lower()
        words = text.split()
        ranked = []
        for place, choice in enumerate(self.pick.choices):
            if all(word in _searched(choice) for word in words):
                ranked.append((_rank(choice, text), place, choice))
            elif (spread := _spread(choice.title.lower(), "".join(words))) is not None:
                ranked.append((FUZZY + spread, place, choice))
        self.shown = tuple(choice for _, _, choice in sorted(ranked, key=lambda row: row[:2]))
        self.index = self.top = 0


def _spread(title: str, letters: str) -> int | None:
    """How many letters lie between those that are looked for, which begin words or follow each other as they can; None:
    they do not all stand there in this order."""
    best: int | None = None
    for start in (n for n, letter in enumerate(title) if letters.startswith(letter)):
        at = start
        for letter in letters[1:]:
            at = title.find(letter, at + 1)
            if at < 0:
                break
        else:
            spread = at - start + 1 - len(letters) + (0 if start == 0 or title[start - 1] == " " else len(title))
            best = spread if best is None else min(best, spread)
    return best


def _searched(choice: Choice) -> str:
    return f"{choice.title} {choice.note} {choice.help}".lower()


def _rank(choice: Choice, text: str) -> int:
    title = choice.title.lower()
    if title.startswith(text) or choice.note.lower() == text:
        return 0
    if f" {text}" in title:
        return 1
    return 2 if text in title else 3


def _reason(choice: Choice) -> str:
    return f"not now: {choice.outcome.why}" if isinstance(choice.outcome, Refuse) else ""


class PromptView(View):
    """A line to type. What is wrong with it is said below it, and it stays as it was."""

    wide = 68

    def __init__(self, prompt: Prompt) -> None:
        super().__init__()
        self.prompt = prompt
        self.line = LineEdit(prompt.prefill)

    @property
    def typing(self) -> bool:
        """Always."""
        return True

    def press(self, key: str) -> Answer:
        """Everything but `enter` and `esc` is typing."""
        if key == "esc":
            return Close()
        if key == "enter":
            return self._submit()
        if self.line.press(key):
            self.error = ""
        return None

    def paste(self, text: str) -> None:
        """At the cursor, the first line only."""
        self.line.insert(text)
        self.error = ""

    def sheet(self, width: int, glyphs: Glyphs) -> Sheet:
        """Hint, line, error."""
        error = paragraph(self.error, width - 2, "bad")
        return Sheet(
            self.prompt.title,
            head=hint(self.prompt.hint, width),
            body=[(("> ", "key"), *self.line.runs(width - 2))],
            foot=[(("! " if n == 0 else "  ", "bad"), *runs) for n, runs in enumerate(error)],
            keys=(("enter", "ok"), ("ctrl+u", "clear"), ("esc", "close")),
        )

    def _submit(self) -> Answer:
        self.error = ""
        try:
            outcome = self.prompt.submit(self.line.text)
        except UserError as error:
            self.error = str(error)
            return None
        if isinstance(outcome, Refuse):
            self.error = outcome.why
            return None
        return Give(outcome)


class PagesView(View):
    """Something to read. Tables of keys stand first, in two columns where there is room; `/` searches in it."""

    def __init__(self, pages: Pages) -> None:
        super().__init__()
        self.pages = pages
        self.wide = 116 if len(pages.tables) > 1 else 80
        self.find = LineEdit()
        self.searching = False
        self._laid: tuple[tuple[int, str], list[Runs]] = ((0, ""), [])

    @property
    def typing(self) -> bool:
        """While one searches."""
        return self.searching

    def press(self, key: str) -> Answer:
        """Scroll, search, leave; leaving the search comes first."""
        if self.searching:
            if key in ("esc", "enter"):
                self.searching = False
                self.find = LineEdit() if key == "esc" else self.find
                self.top = 0
                return None
            if self.find.press(key):
                self.top = 0
                return None
        elif key == "esc" and self.find.text:
            self.find = LineEdit()
            self.top = 0
            return None
        elif key in ("esc", "q", "enter", "?", "f1"):
            return Close()
        elif key == "/":
            self.searching = True
            return None
        rows = len(self._laid[1])
        steps = {"up": -1, "down": 1, "k": -1, "j": 1, "pageup": -self.page, "pagedown": self.page, "space": self.page}
        steps |= {"home": -self.top, "end": rows, "tab": self.page, "shift+tab": -self.page}
        self.top = max(0, min(self.top + steps.get(key, 0), rows - self.page))
        return None

    def paste(self, text: str) -> None:
        """Into what is searched for."""
        if self.searching:
            self.find.insert(text)

    def sheet(self, width: int, glyphs: Glyphs) -> Sheet:
        """Tables, then paragraphs; of both only what has the words that are searched for."""
        text = self.find.text.strip().lower()
        if self._laid[0] != (width, text):
            self._laid = ((width, text), self._lay(width, text))
        shown = self.searching or text
        return Sheet(
            self.pages.title,
            head=[(("/ ", "key"), *self.find.runs(width - 2)), ()] if shown else [],
            body=self._laid[1],
            keys=(("esc", "all again" if shown else "close"),),
            scroll_keys=(("space", "next page"), ("/", "find"), (arrows(glyphs), "scroll")),
        )

    def _lay(self, width: int, text: str) -> list[Runs]:
        words = text.split()

        def has(*texts: str) -> bool:
            whole = " ".join(texts).lower()
            return all(word in whole for word in words)

        tables = [
            (heading, found)
            for heading, lines in self.pages.tables
            if (found := tuple(line for line in lines if has(heading, *line)))
        ]
        rows: list[Runs] = []
        half = (width - 4) // 2
        idle = dict(self.pages.refused)
        if width >= 92 and len(tables) > 1:
            rows += [*_side_by_side([_table(heading, lines, half, idle) for heading, lines in tables], half), ()]
        else:
            for heading, lines in tables:
                rows += [*_table(heading, lines, width, idle), ()]
        for paragraph_text in self.pages.paragraphs:
            if has(paragraph_text):
                rows += [*paragraph(paragraph_text, min(width, 96)), ()]
        while rows and not rows[-1]:
            rows.pop()
        return rows or [((f"nothing here has {self.find.text.strip()!r}", "dim"),)]


def _table(heading: str, lines: tuple[tuple[str, str], ...], width: int, idle: Mapping[str, str]) -> list[Runs]:
    """A heading, then key and meaning; what means nothing now is dim, with its reason."""
    rows: list[Runs] = [((clip(heading, width), "title"),)] if heading else []
    first = min(max((len(key) for key, _ in lines), default=0), width // 3)
    for key, meaning in lines:
        able = key not in idle
        said = meaning if able else f"{meaning} (not now: {idle[key]})"
        for n, text in enumerate(wrap(said, width - first - 3) or [""]):
            name = columns((key if n == 0 else "", first, "key" if able else "dim"), ("", 3, "text"))
            rows.append((*name, (text, "text" if able else "dim")))
    return rows


def _side_by_side(tables: list[list[Runs]], half: int) -> list[Runs]:
    """Two columns of about the same height, the tables in reading order: down the left one, then the right one."""
    heights = [len(rows) + 1 for rows in tables]
    cut = min(range(len(tables) + 1), key=lambda n: max(sum(heights[:n]), sum(heights[n:])))
    left, right = ([row for rows in part for row in (*rows, ())] for part in (tables[:cut], tables[cut:]))
    length = max(len(left), len(right))
    left += [()] * (length - len(left))
    right += [()] * (length - len(right))
    return [_padded(one, half + 4) + two for one, two in zip(left, right, strict=True)]


def _padded(runs: Runs, width: int) -> Runs:
    return (*runs, (" " * (width - sum(len(text) for text, _ in runs)), "text"))
