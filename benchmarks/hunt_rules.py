"""Every rule switch, hunted: how many seeds until its absence is found, and how many commands are left of the run.

``make bench ARGS=hunt-rules`` prints the table of the README; it takes minutes. A rule whose absence alone breaks no
promise of its variant says why (``Chaos.silent``); those that stand in for each other are switched off together. PBFT
with one traitor too many is hunted beyond its fault model.
"""

import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

from engines.hunt import Here, Pool, Request, Search, processors
from engines.hunt.jobs import pattern_of
from engines.sim.pattern import Pattern, Variant
from tui.hunt_options import JUDGE
from tui.registry import patterns

SMALL: Final = 12
"""Commands of a find that was made small: a dozen at most."""
FINDS: Final = 6
"""How many finds are made small before the smallest must do."""
TRAITORS: Final = "f+1 traitors"
SEEDS: Final = 2_000
"""Where a hunt for one rule gives up; a number among the arguments says otherwise."""
ALIKE: Final = {"sharding": ("ring",), "resilience": ("breaker",), "tracing": ("head", "tail")}
"""Variants that stand for the others of their pattern, which have the same rules."""


class Wanted(NamedTuple):
    """A hunt that the table has a row for."""

    pattern: str
    variant: Variant
    rules: tuple[str, ...]
    """The rules that are off; none: one traitor too many."""
    why: str = ""
    """Why there is nothing to hunt."""

    @property
    def name(self) -> str:
        """What is switched off."""
        return " and ".join(f"`{rule}`" for rule in self.rules) or TRAITORS

    def named(self, words: tuple[str, ...]) -> bool:
        """Whether somebody who says these words means this one too."""
        return not words or any(word in (self.pattern, self.variant.name, *self.rules) for word in words)

    @property
    def request(self) -> Request:
        """The hunt."""
        variant, off = self.variant, tuple((rule, False) for rule in self.rules)
        profile = "usual" if self.rules else "beyond"
        return Request(
            self.pattern, variant.name, variant.engine_version, profile, off, judge=JUDGE if self.rules else ""
        )


class Row(NamedTuple):
    """What became of one hunt."""

    variant: str
    rule: str
    check: str
    seeds: int
    inputs: int
    why: str = ""
    """Why there is none."""

    @property
    def line(self) -> str:
        """A row of the table."""
        if self.why:
            return f"| {self.variant} | {self.rule} | none: {self.why} | | |"
        if not self.check:
            return f"| {self.variant} | {self.rule} | not found | more than {self.seeds:,} | |"
        return f"| {self.variant} | {self.rule} | {self.check} | {self.seeds:,} | {self.inputs} |"


def rules_of(variant: Variant) -> tuple[str, ...]:
    """The rules that can be switched off."""
    return tuple(each.name for each in variant.settings if each.help.startswith("rule: "))


def variants_of(pattern: Pattern) -> tuple[Variant, ...]:
    """The variants of a pattern whose rules are worth a hunt of their own."""
    names = ALIKE.get(pattern.name)
    return tuple(each for each in pattern.variants if names is None or each.name in names)


def wanted() -> Iterator[Wanted]:
    """Every rule, those that hide each other together, and a traitor too many."""
    for pattern in patterns():
        for variant in variants_of(pattern):
            silent = dict(variant.chaos.silent) if variant.chaos else {}
            for rule in rules_of(variant):
                yield Wanted(pattern.name, variant, (rule,), silent.get(rule, ""))
            for rules in variant.chaos.together if variant.chaos else ():
                yield Wanted(pattern.name, variant, rules)
    yield Wanted("consensus", pattern_of("consensus").variant("pbft"), ())


def find(hunt: Wanted, most: int = SEEDS) -> Row:
    """Hunt until something is found that is small when it is made small; of a few that are not, the smallest."""
    title, rule = hunt.variant.title, hunt.name
    if hunt.why:
        return Row(title, rule, "", 0, 0, hunt.why)
    best = Row(title, rule, "", most, 0)
    first = 0
    for _ in range(FINDS):
        search = _search(hunt.request, first, most - 1)
        shrunk = next(iter(search.shrunk.values()), None)
        if shrunk is None:
            break
        first = search.tally.next_seed
        if not best.check or shrunk.inputs < best.inputs:
            best = Row(title, rule, shrunk.violation.check, first, shrunk.inputs)
        if best.inputs <= SMALL or first >= most:
            break
    return best


def _search(request: Request, first: int, last: int) -> Search:
    workers = Pool(processors()) if processors() > 1 else Here()
    search = Search(request, workers, first, last, stop_at_find=True)
    try:
        while search.advance(None):
            pass
    finally:
        workers.close()
    return search


def hunts(words: tuple[str, ...] = ()) -> Iterator[Row]:
    """The rows, as they come. ``words``: patterns, variants, rules; none: all of them. A number: where to give up."""
    most = next((int(word) for word in words if word.isdecimal()), SEEDS)
    words = tuple(word for word in words if not word.isdecimal())
    for hunt in wanted():
        if hunt.named(words):
            yield find(hunt, most)


def lines(words: tuple[str, ...] = ()) -> Iterator[str]:
    """The table, row by row as they come."""
    yield "| variant | rule switched off | check that fails | seeds | commands |"
    yield "|---|---|---|--:|--:|"
    for row in hunts(words):
        yield row.line


if __name__ == "__main__":
    for line in lines(tuple(sys.argv[1:])):
        print(line, flush=True)

__all__ = ["SEEDS", "SMALL", "TRAITORS", "Row", "Wanted", "find", "hunts", "lines", "rules_of", "wanted"]
