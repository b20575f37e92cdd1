"""One trace worked out whole: its tree, its critical path, self times, and the rows that show it.

A trace of ten thousand spans takes tens of milliseconds to build, and a picture is drawn ten times a second. So what
was worked out is kept: of a FILE every trace, by whoever holds its records, from the moment it was read; of a living
system the last few. What is kept is a function of the spans alone: they are compared, not only named, because another
branch of a run can hold other spans under the same id.

Of a huge trace only the longest spans get a row of their own, with all that is above them; the others are counted.
"""

from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from heapq import nlargest
from itertools import islice
from typing import Final
from weakref import WeakValueDictionary

from engines.tracing.compare import Diff, compare
from engines.tracing.critical import Segment, critical_path, self_times
from engines.tracing.fold import RowFilter, visible
from engines.tracing.rows import Look, Rows
from engines.tracing.skew import corrected, host_of
from engines.tracing.spans import Span
from engines.tracing.tree import build

KEPT: Final = 12
"""How many traces are kept that nobody else holds."""
LOOKS: Final = 8
"""How many ways to look at each."""
LARGE: Final = 2_000
"""Spans from which a trace that somebody keeps is made ready to be drawn at once."""
HUGE: Final = 20_000
"""Spans above which a trace gets rows for the weighty ones only, unless a text is looked for."""
ROWS_MAX: Final = 3_000
ERRORS_MAX: Final = 200


class Analysis:
    """One trace."""

    def __init__(self, spans: Sequence[Span], correct: bool = False) -> None:
        self.spans = spans
        self.deltas: dict[str, int] = {}
        """How far the correction moved a span, of those it moved."""
        shown: Sequence[Span] = spans
        if correct:
            fixed = corrected(spans)
            shown = fixed.spans
            by_host = {shift.host: shift.delta_us for shift in fixed.shifts}
            moved = ((span.span_id, by_host.get(host_of(span), 0)) for span in spans) if by_host else ()
            self.deltas = {span_id: delta for span_id, delta in moved if delta}
        self.tree = build(shown)
        self.path = critical_path(self.tree)
        self.self_us = self_times(self.tree)
        self.on_path = self.path.by_row()
        """Span to its time on the critical path."""
        self.errors = self.tree.errors()
        self.services = len(self.tree.services())
        self._index = {span.span_id: i for i, span in enumerate(self.tree.spans)}
        self._rows: OrderedDict[Look, Rows] = OrderedDict()
        self._below: dict[str, Analysis] = {}

    @property
    def start_us(self) -> int:
        """Where the time axis begins."""
        return self.tree.start_us[self.tree.root] if self.tree.root >= 0 else 0

    @property
    def end_us(self) -> int:
        """Where it ends: with the root, which is what a person waited for."""
        return self.tree.end_us[self.tree.root] if self.tree.root >= 0 else 0

    @property
    def duration_us(self) -> int:
        """What a person waited for."""
        return self.end_us - self.start_us

    def name(self, index: int) -> str:
        """How a selection names a span: by its id, or by its place where others have the same id."""
        span_id = self.tree.spans[index].span_id
        return span_id if self._index.get(span_id) == index else f"#{index}"

    def name_of(self, span_id: str) -> str:
        """How a selection names the span of this id."""
        index = self._index.get(span_id, -1)
        return self.name(index) if index >= 0 else ""

    def find(self, name: str) -> int:
        """The place of a span by its name; -1: not there."""
        if name.startswith("#"):
            return int(name[1:]) if name[1:].isdigit() and int(name[1:]) < len(self.tree.spans) else -1
        return self._index.get(name, -1)

    def worst(self) -> int:
        """The span with the longest stay on the critical path: what tells most; -1: there is none."""
        longest: Segment | None = None
        for segment in self.path.segments:
            if longest is None or segment.end_us - segment.start_us > longest.end_us - longest.start_us:
                longest = segment
        return self.tree.root if longest is None else longest.row

    @cached_property
    def weighty(self) -> frozenset[int] | None:
        """Of a huge trace the spans worth a row: the longest, errors, and whatever is above them; None: all are."""
        tree = self.tree
        if len(tree.spans) <= HUGE:
            return None
        lasted = [end - start for start, end in zip(tree.start_us, tree.end_us, strict=True)]
        chosen = nlargest(ROWS_MAX, range(len(lasted)), key=lasted.__getitem__)
        chosen += islice((row for row, span in enumerate(tree.spans) if span.is_error), ERRORS_MAX)
        found: set[int] = set()
        for row in chosen:
            while row >= 0 and row not in found:
                found.add(row)
                row = tree.parent[row]
        return frozenset(found)

    def below(self, name: str) -> "Analysis | None":
        """A span and what is below it as a trace of its own; None: there is no such span, or it is missing."""
        index = self.find(name)
        if not 0 <= index < self.tree.real:
            return None
        kept = self._below.get(name)
        if kept is None:
            tree, rows = self.tree, [index]
            for row in rows:
                rows += tree.children[row]
            spans = [tree.spans[row] for row in rows]
            spans[0] = spans[0]._replace(parent_id="")
            kept = self._below[name] = Analysis(tuple(spans))
            if len(self._below) > LOOKS:
                del self._below[next(iter(self._below))]
        return kept

    @property
    def left_out(self) -> int:
        """How many spans of a huge trace have no row of their own."""
        return len(self.tree.spans) - len(self.weighty) if self.weighty is not None else 0

    def rows(self, look: Look) -> Rows:
        """The rows for a way to look at it."""
        rows = self._rows.get(look)
        if rows is None:
            shown = RowFilter(
                folded=frozenset(look.folded),
                plumbing=not look.plumbing,
                alike=not look.plumbing,
                at_least_ppm=look.at_least_ppm,
                only_critical=look.only_critical,
                text=look.text,
            )
            items = visible(self.tree, self.path, shown, None if look.text else self.weighty)
            rows = self._rows[look] = Rows(self.tree, self.path, items, not look.plumbing)
            if len(self._rows) > LOOKS:
                self._rows.popitem(last=False)
        self._rows.move_to_end(look)
        return rows


_held: WeakValueDictionary[tuple[int, bool], Analysis] = WeakValueDictionary()
_recent: OrderedDict[tuple[str, bool], Analysis] = OrderedDict()
_diffs: OrderedDict[tuple[int, int], tuple[Analysis, Analysis, Diff]] = OrderedDict()


def held(spans: Sequence[Span]) -> Analysis:
    """A trace worked out for somebody who keeps it: as long as that lasts, ``analysis_of`` these spans is the same."""
    found = Analysis(spans)
    if len(found.tree.spans) >= LARGE:
        found.rows(Look())
    _held[id(spans), False] = found
    return found


def analysis_of(trace_id: str, spans: Sequence[Span], correct: bool = False) -> Analysis:
    """The analysis of a trace; ``correct``: with the clocks' offsets taken out. Of no spans it is an empty one."""
    by_holder = _held.get((id(spans), correct))
    if by_holder is not None and by_holder.spans is spans:
        return by_holder
    key = trace_id, correct
    kept = _recent.get(key)
    if kept is None or not _same(kept.spans, spans):
        kept = _recent[key] = Analysis(spans, correct)
        if len(_recent) > KEPT:
            _recent.popitem(last=False)
    _recent.move_to_end(key)
    return kept


def forget() -> None:
    """Keep nothing that nobody else holds: the next look builds its trace."""
    _recent.clear()
    _diffs.clear()


def _same(kept: Sequence[Span], spans: Sequence[Span]) -> bool:
    """Whether they are the same spans: nearly always the very same object."""
    return kept is spans or (len(kept) == len(spans) and kept == spans)


def difference(one: Analysis, other: Analysis) -> Diff:
    """Two traces compared: how much longer the other one's path spends where."""
    key = id(one), id(other)
    kept = _diffs.get(key)
    if kept is None or kept[0] is not one or kept[1] is not other:
        kept = _diffs[key] = (one, other, compare((one.tree, one.path), (other.tree, other.path)))
        if len(_diffs) > KEPT:
            _diffs.popitem(last=False)
    return kept[2]


__all__ = ["Analysis", "analysis_of", "difference", "forget", "held"]
