"""The user's traces as records that can be played: one record is one trace, and it happens when its last span ends.

Everything that can be known of a trace by itself is worked out once, when the file is opened, and shared by all
checkpoints of the run: playing, stepping and seeking only change how many records have happened.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, overload

from engines.tracing.aggregate import Group, groups_of
from engines.tracing.analysis import Analysis, held
from engines.tracing.cohorts import Book, TraceSummary
from engines.tracing.critical import critical_path, fault_of, self_times
from engines.tracing.spans import Kind, Span
from engines.tracing.split import Choice, Cohort, Where
from engines.tracing.symptoms import Symptoms, symptoms_of
from engines.tracing.tree import Tree, trees
from engines.tracing.unfelt import Site, own_of
from engines.tracing.world.events import Most
from engines.tracing.world.snapshot import TraceEntry, TraceRow

EDGE: Final = "edge"
DOMAIN: Final = "domain"
DATA: Final = "data"
LAYERS: Final = (EDGE, DOMAIN, DATA)
PPM: Final = 1_000_000


class Calls(NamedTuple):
    """The calls of one trace from one service into another; ``src`` is empty where they came from outside, or where
    their caller is missing."""

    src: str
    dst: str
    asynchronous: bool
    durations_us: Sequence[int]
    errors: int


class Record(NamedTuple):
    """A trace, and all that is known of it by itself. Times are microseconds since the data begin."""

    at_us: int
    """When its last span ends."""
    row: TraceRow
    entry: TraceEntry
    analysis: Analysis
    summary: TraceSummary
    groups: tuple[Group, ...]
    calls: tuple[Calls, ...]
    symptoms: Symptoms
    most: Most
    fault: str
    """Why its critical path is no partition; empty: it is one."""


class Records(Sequence[Record]):
    """All traces of a file, by the time when they were complete."""

    def __init__(
        self,
        spans: Iterable[Span],
        notices: tuple[str, ...] = (),
        progress: Callable[[int, int], None] | None = None,
        baseline: Iterable[Span] | None = None,
        root: tuple[str, str] | None = None,
        choice: Choice | None = None,
    ) -> None:
        self.choice = choice
        """Which traces are set against the others from the start; None: none."""
        self.root = root
        """The root operation whose latency is diagnosed; None: all."""
        self.notices = notices
        """What the reader found odd about the file, in words."""
        traces: dict[str, list[Span]] = {}
        for span in spans:
            traces.setdefault(span.trace_id, []).append(span)
        found = []
        for each in traces.values():
            found.append(held(tuple(each)))
            if progress is not None:
                progress(len(found), len(traces))
        self.begin_us = min((min(each.tree.start_us) for each in found), default=0)
        """When the data begin: what time 0 of the run is, since 1970."""
        self.book = Book(max(1, len(found)))
        self.baseline = _sample(baseline, self.book) if baseline is not None else None
        """The traces of a better time."""
        sites: dict[tuple[Site, ...], tuple[Site, ...]] = {}
        made = [_record(each, tuple(each.spans), self.begin_us, self.book, sites) for each in found]
        made.sort(key=lambda record: (record.at_us, record.row.start_us, record.row.trace_id))
        self._records = tuple(made)
        self._by_id = {record.row.trace_id: record for record in made}
        self.overviews: dict[Any, Any] = {}
        """What some of the first traces say together, by their number: worked out elsewhere, remembered here."""
        self._having: dict[Where, frozenset[str]] = {}
        self.layers = _layers(made)
        """The layer of every service, edge first, then by name."""

    def spans_of(self, trace_id: str) -> Sequence[Span]:
        """The spans of a trace."""
        return self._by_id[trace_id].entry.spans

    def having(self, choice: Choice) -> frozenset[str]:
        """The ids of the traces with a span that has an attribute; of another choice none."""
        if not isinstance(choice, Where):
            return frozenset()
        found = self._having.get(choice)
        if found is None:
            found = self._having[choice] = frozenset(
                record.row.trace_id for record in self._records if any(map(choice.matches, record.analysis.spans))
            )
        return found

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


def _record(
    analysis: Analysis, spans: tuple[Span, ...], begin_us: int, book: Book,
    sites: dict[tuple[Site, ...], tuple[Site, ...]],
) -> Record:  # fmt: skip
    """What is known of one trace."""
    tree, path = analysis.tree, analysis.path
    root = tree.spans[tree.root]
    row = TraceRow(
        tree.trace_id,
        root.service,
        root.name,
        tree.start_us[tree.root] - begin_us,
        tree.duration_us,
        tree.real,
        analysis.services,
        analysis.errors,
        tree.missing_parents,
        True,
        None,
        0,
        tree.notes[0] if tree.notes else path.reason,
        tree.extent_us,
    )
    most = max(analysis.on_path, key=lambda row: (analysis.on_path[row], tree.spans[row].service, tree.spans[row].name))
    return Record(
        max(tree.end_us) - begin_us,
        row,
        TraceEntry(tree.trace_id, spans),
        analysis,
        book.add(tree, path),
        _packed(groups_of(tree, path, analysis.self_us)),
        _calls(tree),
        symptoms_of(tree, own_of(tree, analysis.self_us, sites)),
        Most(tree.spans[most].service, tree.spans[most].name, analysis.on_path[most]),
        fault_of(tree, path),
    )


def _packed(groups: Iterable[Group]) -> tuple[Group, ...]:
    """The groups in a quarter of the room, to be kept for as long as the file is open."""
    return tuple(
        each._replace(durations_us=array("q", each.durations_us), self_us=array("q", each.self_us)) for each in groups
    )


def _sample(spans: Iterable[Span], book: Book) -> Cohort:
    made = trees(spans)
    sites: dict[tuple[Site, ...], tuple[Site, ...]] = {}
    return Cohort(
        [book.add(tree, critical_path(tree)) for tree in made],
        [symptoms_of(tree, own_of(tree, self_times(tree), sites)) for tree in made],
    )


def _calls(tree: Tree) -> tuple[Calls, ...]:
    """The calls into services, as far as the spans tell: an entry span has its parent in another service.

    Whoever sends no spans is no service here, as in the report: an address that is called names nobody for sure.
    """
    found: dict[tuple[str, str, bool], tuple[array[int], list[int]]] = {}
    for row in range(tree.real):
        span, above = tree.spans[row], tree.parent[row]
        src = tree.spans[above].service if 0 <= above < tree.real else ""
        if src == span.service and 0 <= above < tree.real:
            continue
        key = src, span.service, span.kind == Kind.CONSUMER
        lasted, errors = found.get(key) or found.setdefault(key, (array("q"), [0]))
        lasted.append(tree.end_us[row] - tree.start_us[row])
        errors[0] += span.is_error
    return tuple(Calls(*key, lasted, errors[0]) for key, (lasted, errors) in found.items())


def _layers(records: Iterable[Record]) -> dict[str, str]:
    """Edge: what is called from outside. Data: what calls nobody."""
    entered: dict[str, None] = {}
    calling: dict[str, None] = {}
    seen: dict[str, None] = {}
    for record in records:
        tree = record.analysis.tree
        entered.update(dict.fromkeys(tree.spans[row].service for row in tree.roots if row < tree.real))
        for call in record.calls:
            seen[call.dst] = None
            if call.src:
                calling[call.src] = None
    layers = {name: EDGE if name in entered else DOMAIN if name in calling else DATA for name in seen}
    return dict(sorted(layers.items(), key=lambda each: (LAYERS.index(each[1]), each[0])))


__all__ = ["Calls", "Record", "Records"]
