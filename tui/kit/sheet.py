"""A sheet of facts: labels at the left, values flowing at the right, sections that give way where there is no room."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from engines.sim.pattern import Check
from engines.units import when
from tui.canvas import Canvas, Ink
from tui.kit.explain import rules_off
from tui.kit.link_faults import Network

LABEL = 10


class Fact(NamedTuple):
    """One line or more: a dim label, and its value as pieces of one ink each."""

    label: str
    parts: tuple[tuple[str, Ink], ...]


Facts: TypeAlias = Iterable[Fact]
"""What a page is written of: whoever tells several of them yields one after the other."""


class Section(NamedTuple):
    """Facts that belong together. A low ``rank`` stays when room is short."""

    rank: int
    facts: Facts


Lines = list[tuple[str, list[tuple[str, Ink]]]]


def fact(label: str, text: str, ink: Ink = "text", *more: tuple[str, Ink]) -> Fact:
    """A fact of one piece, or of several."""
    return Fact(label, ((text, ink), *more))


def of_checks(checks: Iterable[Check], rank: int) -> Section:
    """The guarantees: one line while all hold, of this rank; those that do not stand high up, with what broke them."""
    every = list(checks)
    failed = [check for check in every if not check.ok]
    good = len(every) - len(failed)
    facts = [fact("checks", f"{good} of {len(every)} ok", "good" if not failed else "bad")]
    facts += [fact("FAIL", f"{check.name}{when(check.at_us, ' ')}: {check.detail}", "bad") for check in failed]
    return Section(1 if failed else rank, tuple(facts))


def of_faults(found: Sequence[str], elsewhere: Sequence[str] = ()) -> Fact:
    """What is wrong here; if nothing is, where something is."""
    if found:
        return fact("faults", "; ".join(found), "warn")
    if elsewhere:
        return fact("faults", f"none here; some at {' '.join(elsewhere)}", "text")
    return fact("faults", "none", "dim")


def of_host(host: Any, network: Network, hosts: Iterable[Any] = ()) -> Fact:
    """What is wrong with a machine and its links; if nothing is, at which of the others something is."""
    others = (getattr(each, "machine", each) for each in hosts)
    return of_faults(
        network.wrong_with(host), [each.id for each in others if each.id != host.id and network.wrong_with(each)]
    )


def of_rules(rules: Iterable[tuple[str, bool]]) -> tuple[Fact, ...]:
    """The rules that are switched off; none are: no fact."""
    off = rules_off(rules)
    return (fact("rules off", ", ".join(off), "bad"),) if off else ()


def listed(label: str, texts: Iterable[str], ink: Ink = "text") -> list[Fact]:
    """A row for each, under one label."""
    return [fact("" if row else label, text, ink) for row, text in enumerate(texts)]


def draw(canvas: Canvas, sections: list[Section]) -> None:
    """All sections with blank lines between; too high, without the blanks; then without the last facts of the least
    important ones: what there is room for is told."""
    told = [(section.rank, [_lay(each, canvas.width) for each in section.facts]) for section in sections]
    laid = [(rank, facts) for rank, facts in told if facts]
    gap = 1
    if _height(laid, gap) > canvas.height:
        gap = 0
    while _height(laid, gap) > canvas.height and (len(laid) > 1 or len(laid[0][1]) > 1):
        least = max(laid, key=lambda each: each[0])
        least[1].pop()
        if not least[1]:
            laid.remove(least)
    if _height(laid, 1) <= canvas.height:
        gap = 1
    y = 0
    for _, facts in laid:
        for label, pieces in chain.from_iterable(facts):
            canvas.put(1, y, label[: LABEL - 1], "dim")
            x = 1 + LABEL
            for text, ink in pieces:
                x = canvas.put(x, y, text, ink)
            y += 1
        y += gap


def _run_on(before: str, text: str) -> bool:
    """Whether two numbers would read as one where no colour is seen: ``16.1 %`` and ``4 % under its share``."""
    last = "".join(before.split()[-2:])
    return text[:1].isdigit() and any(char.isdigit() for char in last) and last[-1] not in ",;:("


def _height(laid: list[tuple[int, list[Lines]]], gap: int) -> int:
    return sum(len(lines) for _, facts in laid for lines in facts) + gap * max(0, len(laid) - 1)


def _lay(each: Fact, width: int) -> Lines:
    """The lines of a fact: words flow within the width right of the labels."""
    label, parts = each
    room = max(4, width - 2 - LABEL)
    line: list[tuple[str, Ink]] = []
    used = 0
    rows: list[list[tuple[str, Ink]]] = []
    for place, (text, ink) in enumerate(parts):
        if place and line and _run_on(parts[place - 1][0], text):
            line[-1] = f"{line[-1][0]},", line[-1][1]
            used += 1
        for word in text.split():
            if used and used + 1 + len(word) > room:
                rows.append(line)
                line, used = [], 0
            piece = f" {word}" if used and word[0] not in ";,:" else word
            line.append((piece, ink))
            used += len(piece)
    rows.append(line)
    return [(label if i == 0 else "", row) for i, row in enumerate(rows)]
