"""The user's traces as records that can be played: one record is one trace, and it happens when its last span ends.

Everything that can be known of a trace by itself is worked out once, when the file is opened, and shared by all
checkpoints of the run: playing, stepping and seeking only change how many records have happened.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, overload

from engines.tracing.aggregate import Group, Groups, groups_of, narrow, shared
from engines.tracing.analysis import LARGE, Analysis, held
from engines.tracing.cohorts import Book, TraceSummary
from engines.tracing.critical import critical_path, fault_of, self_times
from engines.tracing.packed import Shelf, Trace, shelved
from engines.tracing.spans import Kind, Span
from engines.tracing.split import Choice, Cohort, Where
from engines.tracing.symptoms import Symptoms, symptoms_of
from engines.tracing.tree import Tree, build
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
    summary: TraceSummary
    groups: Iterable[Group]
    calls: Iterable[Calls]
    symptoms: Symptoms
    most: Most
    fault: str
    """Why its critical path is no partition; empty: it is one."""
    analysis: Analysis | None
    """Of a large trace, so that it can be drawn at once; of any other it is worked out when somebody looks."""


class Records(Sequence[Record]):
    """All traces of a file, by the time when they were complete."""

    def __init__(
        self,
        spans: Iterable[Span] | Shelf,
        notices: tuple[str, ...] = (),
        progress: Callable[[int, int], None] | None = None,
        baseline: Iterable[Span] | Shelf | None = None,
        root: tuple[str, str] | None = None,
        choice: Choice | None = None,
    ) -> None:
        self.choice = choice
        """Which traces are set against the others from the start; None: none."""
        self.root = root
        """The root operation whose latency is diagnosed; None: all."""
        self.notices = notices
        """What the reader found odd about the file, in words."""
        self.shelf = shelved(spans)
        self.book = Book(max(1, len(self.shelf)))
        self.baseline = _sample(baseline, self.book) if baseline is not None else None
        """The traces of a better time."""
        maker = _Maker(self.book)
        made = []
        for trace_id in self.shelf.ids():
            made.append(maker.record(self.shelf.trace(trace_id)))
            if progress is not None:
                progress(len(made), len(self.shelf))
        self.begin_us = maker.begin_us or 0
        """When the data begin: what time 0 of the run is, since 1970."""
        made = [_since(each, self.begin_us) for each in made]
        made.sort(key=lambda record: (record.at_us, record.row.start_us, record.row.trace_id))
        self._records = tuple(made)
        self.overviews: dict[Any, Any] = {}
        """What some of the first traces say together, by their number: worked out elsewhere, remembered here."""
        self._having: dict[Where, frozenset[str]] = {}
        self.layers = _layers(made, maker.entered)
        """The layer of every service, edge first, then by name."""

    def spans_of(self, trace_id: str) -> Sequence[Span]:
        """The spans of a trace."""
        return self.shelf.unpack(trace_id)

    def having(self, choice: Choice) -> frozenset[str]:
        """The ids of the traces with a span that has an attribute; of another choice none."""
        if not isinstance(choice, Where):
            return frozenset()
        found = self._having.get(choice)
        if found is None:
            found = self._having[choice] = self.shelf.having(choice.key, choice.value)
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


class _Maker:
    """Makes the records of a file, one after the other, with times since 1970; what many of them have in common is one
    object in all."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.sites: dict[tuple[Site, ...], tuple[Site, ...]] = {}
        self.known: dict[object, object] = {}
        self.entered: dict[str, None] = {}
        """Services at the top of some trace."""
        self.begin_us: int | None = None

    def record(self, spans: Trace) -> Record:
        """What is known of one trace."""
        analysis = held(spans)
        tree, path = analysis.tree, analysis.path
        root, first_us = tree.spans[tree.root], min(tree.start_us)
        self.begin_us = first_us if self.begin_us is None else min(self.begin_us, first_us)
        self.entered.update(dict.fromkeys(tree.spans[row].service for row in tree.roots if row < tree.real))
        row = TraceRow(
            tree.trace_id,
            root.service,
            root.name,
            tree.start_us[tree.root],
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
        by_time, names = analysis.on_path, tree.spans
        most = max(by_time, key=lambda row: (by_time[row], names[row].service, names[row].name))
        return Record(
            max(tree.end_us),
            row,
            TraceEntry(tree.trace_id, spans),
            self.book.add(tree, path),
            Groups(groups_of(tree, path, analysis.self_us), self.known),
            _Called(_calls(tree), self.known),
            symptoms_of(tree, own_of(tree, analysis.self_us, self.sites), self.known),
            Most(names[most].service, names[most].name, by_time[most]),
            fault_of(tree, path),
            analysis if len(tree.spans) >= LARGE else None,
        )


def _since(record: Record, begin_us: int) -> Record:
    """The same with times since the data begin."""
    row = record.row._replace(start_us=record.row.start_us - begin_us)
    return record._replace(at_us=record.at_us - begin_us, row=row)


def _sample(spans: Iterable[Span] | Shelf, book: Book) -> Cohort:
    shelf, summaries, symptoms = shelved(spans, lean=True), [], []
    sites: dict[tuple[Site, ...], tuple[Site, ...]] = {}
    for tree in map(build, map(shelf.unpack, shelf.ids())):
        summaries.append(book.add(tree, critical_path(tree)))
        symptoms.append(symptoms_of(tree, own_of(tree, self_times(tree), sites)))
    return Cohort(summaries, symptoms)


class _Called:
    """The calls of one trace, held small."""

    __slots__ = ("_keys", "_numbers")

    def __init__(self, calls: Iterable[Calls], known: dict[object, object]) -> None:
        calls = tuple(calls)
        numbers: list[int] = []
        for each in calls:
            numbers.extend((len(each.durations_us), each.errors))
            numbers.extend(each.durations_us)
        self._keys: tuple[tuple[str, str, bool], ...] = shared(tuple(each[:3] for each in calls), known)
        self._numbers = narrow(numbers)

    def __iter__(self) -> Iterator[Calls]:
        numbers, at = self._numbers, 0
        for key in self._keys:
            count, errors = numbers[at : at + 2]
            at += 2 + count
            yield Calls(*key, numbers[at - count : at], errors)


def _calls(tree: Tree) -> tuple[Calls, ...]:
    """The calls into services, as far as the spans tell: an entry span has its parent in another service.

    Whoever sends no spans is no service here, as in the report: an address that is called names nobody for sure.
    """
    found: dict[tuple[str, str, bool], tuple[list[int], list[int]]] = {}
    for row in range(tree.real):
        span, above = tree.spans[row], tree.parent[row]
        src = tree.spans[above].service if 0 <= above < tree.real else ""
        if src == span.service and 0 <= above < tree.real:
            continue
        key = src, span.service, span.kind == Kind.CONSUMER
        lasted, errors = found.get(key) or found.setdefault(key, ([], [0]))
        lasted.append(tree.end_us[row] - tree.start_us[row])
        errors[0] += span.is_error
    return tuple(Calls(*key, lasted, errors[0]) for key, (lasted, errors) in found.items())


def _layers(records: Iterable[Record], entered: Collection[str]) -> dict[str, str]:
    """Edge: what is called from outside. Data: what calls nobody."""
    calling: dict[str, None] = {}
    seen: dict[str, None] = {}
    for record in records:
        for call in record.calls:
            seen[call.dst] = None
            if call.src:
                calling[call.src] = None
    layers = {name: EDGE if name in entered else DOMAIN if name in calling else DATA for name in seen}
    return dict(sorted(layers.items(), key=lambda each: (LAYERS.index(each[1]), each[0])))


__all__ = ["Calls", "Record", "Records"]
