"""The user's traces as records that can be played: one record is one trace, and it happens when its last span ends.

Everything that can be known of a trace by itself is worked out once, when the file is opened, and shared by all
checkpoints of the run: playing, stepping and seeking only change how many records have happened.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, overload

from engines.tracing.aggregate import Measured, measure
from engines.tracing.cohorts import Book, TraceSummary
from engines.tracing.critical import critical_path, fault_of
from engines.tracing.spans import Kind, Span
from engines.tracing.tree import Tree, build
from engines.tracing.world.snapshot import TraceEntry, TraceRow

EDGE: Final = "edge"
DOMAIN: Final = "domain"
DATA: Final = "data"
LAYERS: Final = (EDGE, DOMAIN, DATA)
PPM: Final = 1_000_000


class Served(NamedTuple):
    """One call from one service into another; ``src`` is empty if it came from outside or its caller is missing."""

    src: str
    dst: str
    asynchronous: bool
    duration_us: int
    error: bool


class Record(NamedTuple):
    """A trace, and all that is known of it by itself. Times are microseconds since the data begin."""

    at_us: int
    """When its last span ends."""
    row: TraceRow
    entry: TraceEntry
    summary: TraceSummary
    measures: tuple[Measured, ...]
    served: tuple[Served, ...]
    fault: str
    """Why its critical path is no partition; empty: it is one."""


class Records(Sequence[Record]):
    """All traces of a file, by the time when they were complete."""

    def __init__(self, spans: Iterable[Span], notices: tuple[str, ...] = ()) -> None:
        self.notices = notices
        """What the reader found odd about the file, in words."""
        traces: dict[str, list[Span]] = {}
        for span in spans:
            traces.setdefault(span.trace_id, []).append(span)
        trees = [build(each) for each in traces.values()]
        self.begin_us = min((min(tree.start_us) for tree in trees), default=0)
        """When the data begin: what time 0 of the run is, since 1970."""
        self.book = Book(max(1, len(trees)))
        made = [_record(tree, traces[tree.trace_id], self.begin_us, self.book) for tree in trees]
        made.sort(key=lambda record: (record.at_us, record.row.start_us, record.row.trace_id))
        self._records = tuple(made)
        self.overviews: dict[int, Any] = {}
        """What some of the first traces say together, by their number: worked out elsewhere, remembered here."""
        self.layers = _layers(trees)
        """The layer of every service, edge first, then by name."""

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Record, ...]: ...
    def __getitem__(self, index: int | slice) -> Record | tuple[Record, ...]:
        return self._records[index]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)


def _record(tree: Tree, spans: list[Span], begin_us: int, book: Book) -> Record:
    """What is known of one trace."""
    path = critical_path(tree)
    root = tree.spans[tree.root]
    row = TraceRow(
        tree.trace_id,
        root.service,
        root.name,
        tree.start_us[tree.root] - begin_us,
        tree.duration_us,
        tree.real,
        len(tree.services()),
        tree.errors(),
        tree.missing_parents,
        True,
        "recorded",
        0,
        tree.notes[0].text if tree.notes else path.reason,
    )
    return Record(
        max(tree.end_us) - begin_us,
        row,
        TraceEntry(tree.trace_id, tuple(spans)),
        book.add(tree, path),
        measure(tree, path),
        tuple(_served(tree)),
        fault_of(tree, path),
    )


def _served(tree: Tree) -> Iterator[Served]:
    """The calls into services, as far as the spans tell: an entry span has its parent in another service.

    Whoever sends no spans is no service here, as in the report: an address that is called names nobody for sure.
    """
    for row in range(tree.real):
        span, above = tree.spans[row], tree.parent[row]
        lasted = tree.end_us[row] - tree.start_us[row]
        if not 0 <= above < tree.real:
            yield Served("", span.service, span.kind == Kind.CONSUMER, lasted, span.is_error)
        elif (src := tree.spans[above].service) != span.service:
            yield Served(src, span.service, span.kind == Kind.CONSUMER, lasted, span.is_error)


def _layers(trees: list[Tree]) -> dict[str, str]:
    """Edge: what is called from outside. Data: what calls nobody."""
    entered: dict[str, None] = {}
    calling: dict[str, None] = {}
    seen: dict[str, None] = {}
    for tree in trees:
        entered.update(dict.fromkeys(tree.spans[row].service for row in tree.roots if row < tree.real))
        for call in _served(tree):
            seen[call.dst] = None
            if call.src:
                calling[call.src] = None
    layers = {name: EDGE if name in entered else DOMAIN if name in calling else DATA for name in seen}
    return dict(sorted(layers.items(), key=lambda each: (LAYERS.index(each[1]), each[0])))


__all__ = ["Record", "Records", "Served"]
