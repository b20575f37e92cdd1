"""Every rule switch, hunted: how many seeds until its absence is found, and how many commands are left of the run.

``make bench ARGS=hunt-rules`` prints the table of the README; it takes minutes. A rule whose absence alone breaks no
promise of its variant says why (``Chaos.silent``). PBFT with one traitor too many is hunted beyond its fault model.
"""

import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

from engines.hunt import Here, Pool, Request, Search, processors
from engines.hunt.jobs import pattern_of
from engines.sim.pattern import Pattern, Variant
from tui.hunting import JUDGE
from tui.registry import patterns

SEEDS: Final = 2_000
"""Where a hunt for one rule gives up; a number among the arguments says otherwise."""
ALIKE: Final = {"sharding": ("ring",), "resilience": ("breaker",), "tracing": ("head", "tail")}
"""Variants that stand for the others of their pattern, which have the same rules."""


class Row(NamedTuple):
    """What became of one hunt."""

    variant: str
    rule: str
    check: str
    seeds: int
    inputs: int
    why: str = ""

    @property
    def line(self) -> str:
        """A row of the table."""
        if self.why:
            return f"| {self.variant} | `{self.rule}` | none: {self.why} | | |"
        if not self.check:
            return f"| {self.variant} | `{self.rule}` | not found | more than {self.seeds:,} | |"
        return f"| {self.variant} | `{self.rule}` | {self.check} | {self.seeds:,} | {self.inputs} |"


def rules_of(variant: Variant) -> tuple[str, ...]:
    """The rules that can be switched off."""
    return tuple(each.name for each in variant.settings if each.help.startswith("rule: "))


def variants_of(pattern: Pattern) -> tuple[Variant, ...]:
    """The variants of a pattern whose rules are worth a hunt of their own."""
    names = ALIKE.get(pattern.name)
    return tuple(each for each in pattern.variants if names is None or each.name in names)


def find(request: Request, title: str, rule: str, most: int = SEEDS) -> Row:
    """Hunt until something is found."""
    workers = Pool(processors()) if processors() > 1 else Here()
    search = Search(request, workers, 0, most - 1, stop_at_find=True)
    try:
        while search.advance(None):
            pass
    finally:
        workers.close()
    shrunk = next(iter(search.shrunk.values()), None)
    if shrunk is None:
        return Row(title, rule, "", most, 0)
    return Row(title, rule, shrunk.violation.check, search.tally.next_seed, shrunk.inputs)


def hunts(wanted: tuple[str, ...] = ()) -> Iterator[Row]:
    """A row for every rule, and one for a traitor too many."""
    most = next((int(word) for word in wanted if word.isdecimal()), SEEDS)
    wanted = tuple(word for word in wanted if not word.isdecimal())
    for pattern in patterns():
        for variant in variants_of(pattern):
            silent = dict(variant.chaos.silent) if variant.chaos else {}
            for rule in rules_of(variant):
                if wanted and rule not in wanted and variant.name not in wanted and pattern.name not in wanted:
                    continue
                if rule in silent:
                    yield Row(variant.title, rule, "", 0, 0, silent[rule])
                    continue
                request = Request(
                    pattern.name, variant.name, variant.engine_version, "usual", ((rule, False),), judge=JUDGE
                )
                yield find(request, variant.title, rule, most)
    if not wanted or "pbft" in wanted:
        version = pattern_of("consensus").variant("pbft").engine_version
        yield find(Request("consensus", "pbft", version, "beyond"), "PBFT", "f+1 traitors", most)


def lines(wanted: tuple[str, ...] = ()) -> Iterator[str]:
    """The table, row by row as they come."""
    yield "| variant | rule switched off | check that fails | seeds | commands |"
    yield "|---|---|---|--:|--:|"
    for row in hunts(wanted):
        yield row.line


if __name__ == "__main__":
    for line in lines(tuple(sys.argv[1:])):
        print(line, flush=True)

__all__ = ["Row", "hunts", "lines", "rules_of"]
