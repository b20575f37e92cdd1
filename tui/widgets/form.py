"""Forms: offers with parameters. Up and down choose the offer, tab the parameter, left and right change it.

A number can also be typed; it is brought into its range when it is left or applied. The selected offer unfolds, the
others show their values in a word.
"""

from __future__ import annotations

from typing import Any

from engines.errors import UserError
from tui.canvas import clip, wrap
from tui.dialogs import Form
from tui.glyphs import Glyphs
from tui.panel import Offer, Param, Refuse
from tui.widgets.lineedit import Runs
from tui.widgets.sheet import Answer, Close, Give, Sheet, View, arrows, columns, hint, paragraph

GAUGE = 10
"""Cells of the bar that shows where a number stands in its range."""


class FormView(View):
    """A form in use: the values of every offer are kept while one looks at others."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form = form
        self.index = 0
        self.param = 0
        self.values: list[dict[str, Any]] = [{p.name: p.value for p in offer.params} for offer in form.offers]
        self._typed = ""
        self._name = max((len(p.name) for offer in form.offers for p in offer.params), default=0)

    @property
    def offer(self) -> Offer | None:
        """The selected offer; None in an empty form."""
        return self.form.offers[self.index] if self.form.offers else None

    @property
    def typing(self) -> bool:
        """At a parameter that is text."""
        return bool(self.offer and self.offer.params and _is_text(self.offer.params[self.param]))

    def press(self, key: str) -> Answer:
        """Move, change, apply, leave."""
        if key == "esc":
            return Close()
        offer = self.offer
        if offer is None:
            return Close() if key in ("q", "enter") else None
        if key == "enter":
            return self._apply(offer)
        param = offer.params[self.param] if offer.params else None
        if key == "q" and not self.typing:
            return Close()
        self.error = ""
        if self._move(key, offer):
            return None
        if param is not None:
            self._change(param, key)
        return None

    def paste(self, text: str) -> None:
        """Into a parameter that is typed, as far as it fits."""
        for char in (text.splitlines() or [""])[0][:64]:
            if char != "q" or self.typing:
                self.press(char)

    def choose(self, row: int) -> Answer:
        """A click selects an offer or a parameter; a click on the selected offer applies it."""
        unfolded = len(self.offer.params) if self.offer else 0
        if self.index < row <= self.index + unfolded:
            self._settle()
            self.param = row - self.index - 1
            return None
        row -= unfolded if row > self.index else 0
        if not 0 <= row < len(self.form.offers):
            return None
        if row == self.index and self.offer is not None:
            return self._apply(self.offer)
        self._settle()
        self.index, self.param = row, 0
        return None

    def sheet(self, width: int, glyphs: Glyphs) -> Sheet:
        """The offers, the selected one with its parameters beneath it, its help below."""
        title = min(max((len(offer.title) for offer in self.form.offers), default=0), width - 6)
        switches = any(offer.on is not None for offer in self.form.offers)
        body: list[Runs] = []
        for index, offer in enumerate(self.form.offers):
            switch = "" if offer.on is None else "[on]" if offer.on else "[off]"
            cells = [(switch, 6 if switches else 0, "good" if offer.on else "dim"), (offer.title, title, "bright")]
            rest = width - title - (6 if switches else 0) - 2
            if index != self.index and rest > 8:
                said = ", ".join(self._said(index, param) for param in offer.params)
                cells += [("", 2, "dim"), (said, rest, "dim")]
            body.append(columns(*cells))
            if index == self.index:
                body += [self._unfolded(n, param, width, glyphs) for n, param in enumerate(offer.params)]
        if not body:
            body.append((("nothing to choose here", "dim"),))
        return Sheet(
            self.form.title,
            head=hint(self.form.hint, width),
            body=body,
            foot=self._foot(width),
            body_rows=len(self.form.offers) + max((len(offer.params) for offer in self.form.offers), default=0),
            lit=self.index if self.form.offers else None,
            keys=self._keys(glyphs),
        )

    def _keys(self, glyphs: Glyphs) -> tuple[tuple[str, str], ...]:
        params = len(self.offer.params) if self.offer else 0
        change = ((arrows(glyphs, across=True), "change"),) if params else ()
        tab = (("tab", "next value"),) if params > 1 else ()
        verb = "apply" if self.offer is None or self.offer.on is None else "switch"
        return ((arrows(glyphs), "select"), *change, *tab, ("enter", verb), ("esc", "close"))

    def _foot(self, width: int) -> list[Runs]:
        rows = min(3, max((len(wrap(offer.help, width)) for offer in self.form.offers if offer.help), default=0))
        if self.error:
            return paragraph(self.error, width, "bad", max(rows, 1))
        return paragraph(self.offer.help if self.offer else "", width, "text", rows)

    def _unfolded(self, number: int, param: Param, width: int, glyphs: Glyphs) -> Runs:
        """One parameter of the selected offer: name, value between arrows if it is the one that changes, range."""
        here = number == self.param
        said = self._typed if here and self._typed else _shown(self._value(param))
        params = self.form.offers[self.index].params
        unit = max(len(other.unit) for other in params)
        wide = max(len(said), *(len(_shown(self._value(other))) for other in params))
        left, right = (glyphs.arrow_left, glyphs.arrow_right) if here else (" ", " ")
        runs: list[tuple[str, str]] = [
            ("    ", "text"),
            (clip(param.name, self._name).ljust(self._name + 2), "bright" if here else "text"),
            (left, "key"),
            (f" {said} ", "accent!" if here else "accent"),
            (right, "key"),
            (f" {param.unit}".ljust(unit + 3 + wide - len(said)), "dim"),
        ]
        value = self._value(param)
        if param.choices:
            runs.append((" ".join(param.choices), "dim"))
        elif param.high > param.low and isinstance(value, int):
            full = round(GAUGE * (value - param.low) / (param.high - param.low))
            full = max(0, min(GAUGE, full))
            runs.append((glyphs.bar_full * full, "accent"))
            runs.append((glyphs.bar_empty * (GAUGE - full), "line"))
            runs.append((f"  {param.low} to {param.high}", "dim"))
        room = width
        fitted: list[tuple[str, str]] = []
        for text, ink in runs:
            fitted.append((clip(text, room), ink))
            room -= len(fitted[-1][0])
        return tuple(fitted)

    def _said(self, index: int, param: Param) -> str:
        value = self.values[index][param.name]
        return f"{param.name} {_shown(value)}{' ' + param.unit if param.unit else ''}"

    # -- changing

    def _value(self, param: Param) -> Any:
        return self.values[self.index][param.name]

    def _move(self, key: str, offer: Offer) -> bool:
        count = len(self.form.offers)
        if key in ("tab", "shift+tab") and len(offer.params) < 2:
            key = "down" if key == "tab" else "up"
        if not self.typing:
            key = {"j": "down", "k": "up"}.get(key, key)
        if key in ("up", "down"):
            self._settle()
            self.index, self.param = (self.index + (1 if key == "down" else -1)) % count, 0
        elif key in ("pageup", "pagedown"):
            self._settle()
            there = self.index + (self.page if key == "pagedown" else -self.page)
            self.index, self.param = max(0, min(count - 1, there)), 0
        elif key in ("home", "end"):
            self._settle()
            self.index, self.param = (0 if key == "home" else count - 1), 0
        elif key in ("tab", "shift+tab"):
            self._settle()
            self.param = (self.param + (1 if key == "tab" else -1)) % len(offer.params)
        else:
            return False
        return True

    def _change(self, param: Param, key: str) -> None:
        value = self._value(param)
        step = {"left": -1, "right": 1, "-": -1, "+": 1, "space": 1}.get(key, 0)
        if param.choices:
            at = param.choices.index(value) if value in param.choices else -1 if step > 0 else 0
            self._set(param, param.choices[(at + step) % len(param.choices)] if step else value)
        elif isinstance(value, bool):
            self._set(param, value ^ bool(step))
        elif isinstance(value, int):
            self._number(param, key, step if key in ("left", "right", "+") or not _signed(param) else 0)
        elif _is_text(param):
            char = " " if key == "space" else key
            if key == "backspace":
                self._set(param, value[:-1])
            elif len(char) == 1 and char.isprintable():
                self._set(param, value + char)

    def _number(self, param: Param, key: str, step: int) -> None:
        if key == "backspace":
            self._typed = (self._typed or str(self._value(param)))[:-1]
        elif key.isdecimal() or (key == "-" and _signed(param) and not self._typed):
            self._typed = (self._typed + key)[:12]
        elif step and key != "space":
            self._settle()
            self._set(param, _bounded(param, self._value(param) + step * max(1, param.step)))

    def _settle(self) -> None:
        """Make a number of what was typed."""
        typed, self._typed = self._typed, ""
        if typed.removeprefix("-").isdecimal() and self.offer and self.offer.params:
            param = self.offer.params[self.param]
            self._set(param, _bounded(param, int(typed)))

    def _set(self, param: Param, value: Any) -> None:
        self.values[self.index][param.name] = value

    def _apply(self, offer: Offer) -> Answer:
        self._settle()
        self.error = ""
        try:
            outcome = offer.build(dict(self.values[self.index]))
        except UserError as error:
            self.error = str(error)
            return None
        if isinstance(outcome, Refuse):
            self.error = outcome.why
            return None
        return Give(outcome)


def _is_text(param: Param) -> bool:
    return isinstance(param.value, str) and not param.choices


def _signed(param: Param) -> bool:
    return param.low < 0


def _bounded(param: Param, value: int) -> int:
    """Into the range; a range without an upper end has only a lower one."""
    value = max(param.low, value)
    return min(param.high, value) if param.high > param.low else value


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
