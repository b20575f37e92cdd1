"""What the diagnosis needs of every trace, and no more: a book of summaries.

A trace is boiled down to the parts of its critical path. A *part* is a place in the tree of calls (a *chain*: this
operation, called by that one, called by ...) and a kind of time. The parts of a trace add up exactly to its duration,
because the critical path is a partition of it. Beside them stand how saturated the things waited for were, what would
have been saved without each wait, and the attributes met on the path.

Many traces share few chains, parts and attributes, so a summary holds numbers and the book holds what they mean. The
book is bounded: the oldest traces go, and past ``CHAINS_MAX`` or ``FACTS_MAX`` nothing new is learned by heart.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple

from engines.tracing.critical import Path
from engines.tracing.spans import Kind, plain
from engines.tracing.tree import Tree
from engines.tracing.waiting import (
    CALL,
    SELF,
    UNKNOWN,
    Time,
    callee_of,
    saturation,
    spent_on,
    waited_for,
)
from engines.tracing.whatif import what_if

TRACES_MAX: Final = 20_000
CHAINS_MAX: Final = 20_000
DEPTH_MAX: Final = 100
"""Calls below this depth are told apart by their operation alone."""
FACTS_MAX: Final = 20_000
VALUES_MAX: Final = 32
"""An attribute with more values than this tells single requests apart, not slow ones from fast ones."""
FACTS_PER_TRACE: Final = 96
FACT_LENGTH: Final = 60
WORTH_CUTTING: Final = 4
"""What would be saved is worked out for what takes at least a quarter of the trace."""
NUMBERS: Final = ("pool.", "queue.", "workers.", "lock.waiting", "thread.", "net.", "url.", "code.", "retry.attempt")
"""Attributes that only measure, locate or number: no reason by themselves."""


class Chain(NamedTuple):
    """An operation, and the chain of operations that called it (-1: nobody)."""

    parent: int
    service: str
    operation: str


class Part(NamedTuple):
    """Time of one kind at one place."""

    chain: int
    kind: Time
    peer: str
    """The pool or lock waited for, the service called; or empty."""
    guess: bool


class Fact(NamedTuple):
    """An attribute of some span of this service on the critical path."""

    service: str
    key: str
    value: str


class Seen(NamedTuple):
    """How saturated what a part waits for was, when the longest of its waits began; -1: not told."""

    part: int
    used: int
    limit: int
    waiting: int


class TraceSummary(NamedTuple):
    """One trace, boiled down."""

    trace_id: str
    root: int
    """Its chain; the parts are below it."""
    start_us: int
    duration_us: int
    errors: int
    parts: tuple[tuple[int, int], ...]
    """(part, us); they add up exactly to the duration."""
    seen: tuple[Seen, ...]
    saved: tuple[tuple[int, int], ...]
    """(part, us): how much sooner the trace would have ended without this part."""
    facts: tuple[int, ...]


class Book:
    """Summaries of the newest traces. Plain data throughout."""

    def __init__(self, traces_max: int = TRACES_MAX) -> None:
        self.traces_max = traces_max
        self.forgotten = 0
        """Traces that had to go."""
        self.traces: OrderedDict[str, TraceSummary] = OrderedDict()
        self.chains: list[Chain] = []
        self.parts: list[Part] = []
        self.facts: list[Fact] = []
        self._depths: list[int] = []
        self._chain_ids: dict[Chain, int] = {}
        self._part_ids: dict[Part, int] = {}
        self._fact_ids: dict[Fact, int] = {}
        self._values: dict[tuple[str, str], int] = {}

    def __len__(self) -> int:
        """How many traces it holds."""
        return len(self.traces)

    def add(self, tree: Tree, path: Path) -> TraceSummary:
        """Take a trace; one that is known already (late spans have changed it) is replaced."""
        rows = _Rows(self, tree)
        durations: dict[int, int] = {}
        longest: dict[int, tuple[int, int]] = {}
        by_part: dict[int, dict[int, int]] = {}
        for segment in path.segments:
            part, length = rows.part(segment.row), segment.end_us - segment.start_us
            durations[part] = durations.get(part, 0) + length
            cuts = by_part.setdefault(part, {})
            cuts[segment.row] = cuts.get(segment.row, 0) + length
            if length >= longest.get(part, (0, 0))[0]:
                longest[part] = (length, segment.row)
        summary = TraceSummary(
            tree.trace_id,
            rows.chain(tree.root) if tree.root >= 0 else self._chain(-1, "", ""),
            tree.start_us[tree.root] if tree.root >= 0 else 0,
            tree.duration_us,
            tree.errors(),
            tuple(durations.items()),
            self._saturations(tree, longest),
            tuple(
                (part, what_if(tree, cuts).saved_us)
                for part, cuts in by_part.items()
                if durations[part] * WORTH_CUTTING >= tree.duration_us > 0
            ),
            self._facts_of(tree, path),
        )
        self.traces.pop(summary.trace_id, None)
        self.traces[summary.trace_id] = summary
        if len(self.traces) > self.traces_max:
            self.traces.popitem(last=False)
            self.forgotten += 1
        return summary

    def roots(self, among: Iterable[TraceSummary] | None = None) -> tuple[tuple[str, str, int], ...]:
        """(service, operation, traces) of every root operation, those with the most traces first."""
        counts: dict[int, int] = {}
        for summary in self.traces.values() if among is None else among:
            counts[summary.root] = counts.get(summary.root, 0) + 1
        found = [(self.chains[root].service, self.chains[root].operation, count) for root, count in counts.items()]
        return tuple(sorted(found, key=lambda each: (-each[2], each[:2])))

    def of(self, service: str, operation: str, among: Iterable[TraceSummary] | None = None) -> list[TraceSummary]:
        """The traces of one root operation, oldest first; of all, or of those given."""
        root = self._chain_ids.get(Chain(-1, service, operation))
        return [summary for summary in (self.traces.values() if among is None else among) if summary.root == root]

    def _chain(self, parent: int, service: str, operation: str) -> int:
        """The number of a chain. An operation that calls itself stays where it is."""
        if parent >= 0 and self.chains[parent][1:] == (service, operation):
            return parent
        if parent >= 0 and self._depths[parent] >= DEPTH_MAX:
            parent = self.chains[parent].parent
        found = self._chain_ids.get(key := Chain(parent, service, operation))
        if found is None:
            if len(self.chains) >= CHAINS_MAX and parent >= 0:
                return parent
            found = self._chain_ids[key] = len(self.chains)
            self.chains.append(key)
            self._depths.append(self._depths[parent] + 1 if parent >= 0 else 0)
        return found

    def _part(self, part: Part) -> int:
        found = self._part_ids.get(part)
        if found is None:
            found = self._part_ids[part] = len(self.parts)
            self.parts.append(part)
        return found

    def _saturations(self, tree: Tree, longest: dict[int, tuple[int, int]]) -> tuple[Seen, ...]:
        found = []
        for part, (_, row) in longest.items():
            used, limit, waiting = saturation(tree.spans[row], self.parts[part].kind)
            if max(used, limit, waiting) > UNKNOWN:
                found.append(Seen(part, used, limit, waiting))
        return tuple(found)

    def _facts_of(self, tree: Tree, path: Path) -> tuple[int, ...]:
        """The attributes of the spans on the path, without those that differ from request to request."""
        found: dict[int, None] = {}
        for row in dict.fromkeys(segment.row for segment in path.segments):
            span = tree.spans[row]
            for key, value in span.attributes:
                if isinstance(value, (str, bool, int)) and not key.startswith(NUMBERS):
                    fact = self._fact(Fact(span.service, key, str(plain(value))))
                    if fact is not None:
                        found[fact] = None
            if len(found) >= FACTS_PER_TRACE:
                break
        return tuple(found)

    def _fact(self, fact: Fact) -> int | None:
        found = self._fact_ids.get(fact)
        if found is None:
            name = (fact.service, fact.key)
            values = self._values.get(name, 0)
            if values >= VALUES_MAX or len(fact.value) > FACT_LENGTH or len(self.facts) >= FACTS_MAX:
                return None
            self._values[name] = values + 1
            found = self._fact_ids[fact] = len(self.facts)
            self.facts.append(fact)
        return found


class _Rows:
    """The chains and parts of the rows of one tree, worked out once for each."""

    def __init__(self, book: Book, tree: Tree) -> None:
        self.book = book
        self.tree = tree
        self.chains: dict[int, int] = {-1: -1}
        self.parts: dict[int, int] = {}

    def chain(self, row: int) -> int:
        """The chain a row belongs to; a wait belongs to that of the span that waits."""
        todo = []
        while row not in self.chains:
            todo.append(row)
            row = -1 if row == self.tree.root else self.tree.parent[row]
        found = self.chains[row]
        for below in reversed(todo):
            span = self.tree.spans[below]
            if found < 0 or spent_on(span).kind == SELF:
                found = self.book._chain(found, span.service, span.name)
            self.chains[below] = found
        return found

    def part(self, row: int) -> int:
        """The part a row's own time belongs to."""
        found = self.parts.get(row)
        if found is None:
            span = self.tree.spans[row]
            kind, guess = spent_on(span)
            peer = waited_for(span, kind)
            if kind == SELF and span.kind in (Kind.CLIENT, Kind.PRODUCER):
                kind, peer = CALL, callee_of(self.tree, row)
            found = self.parts[row] = self.book._part(Part(self.chain(row), kind, peer, guess))
        return found


__all__ = ["TRACES_MAX", "Book", "Chain", "Fact", "Part", "Seen", "TraceSummary"]
