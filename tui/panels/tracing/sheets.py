"""A trace made ready to be drawn: its tree, its critical path, and the rows that are shown of it.

A trace of ten thousand spans takes tens of milliseconds to build, and a picture is drawn ten times a second. So the
last few traces are kept here, and of each the last few ways to look at it. What is kept is a function of the spans
alone: they are compared, not only named, because another branch of a run can hold other spans under the same id.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

from engines.tracing.compare import Diff, compare
from engines.tracing.critical import Path, Segment, critical_path, self_times
from engines.tracing.fold import FoldRow, RowFilter, visible
from engines.tracing.skew import corrected, host_of
from engines.tracing.spans import Kind, Span
from engines.tracing.tree import Tree, build
from engines.tracing.waiting import callee_of
from engines.tracing.world.snapshot import Hop

SHEETS: Final = 12
"""How many traces are kept."""
LOOKS: Final = 8
"""How many ways to look at each."""


class Look(NamedTuple):
    """How a trace is looked at."""

    only_critical: bool = False
    plumbing: bool = False
    """Whether all is shown; else a call and its answer share a row, and so do siblings that are alike."""
    at_least_ppm: int = 0
    text: str = ""


class Rows:
    """The rows that are shown of a trace, and which part of the critical path each of them holds."""

    def __init__(self, tree: Tree, path: Path, items: Sequence[FoldRow], pairs: bool) -> None:
        self.items = items = _paired(tree, items) if pairs else items
        self.at = {row.row: number for number, row in enumerate(items)}
        """Where a span stands: in a row of its own, or for plumbing in that of the span it leads to."""
        for number, item in enumerate(items):
            above = item.row
            for _ in range(item.through):
                above = tree.parent[above]
                self.at.setdefault(above, number)
        self._stand_in(tree)
        self.up: list[int] = []
        """The row of the nearest ancestor that is shown; -1: none."""
        self.more: list[bool] = [False] * len(items)
        """Whether a row has a later sibling: its rail goes on."""
        self._family()
        self.own: dict[int, list[tuple[int, int]]] = {}
        """Row to the parts of the path that run in it, or in what it hides."""
        self.on: dict[int, tuple[int, int]] = {}
        """Row to the whole of the path that runs in it or below it."""
        self.matched = any(row.match for row in items)
        """Whether any row is there for itself."""
        self.stops: list[int] = []
        """The rows that hold the path one after the other, in the order of time."""
        self._share_out(tree, path)
        spans = tree.spans
        self.wrong = [number for number, row in enumerate(items) if spans[row.row].is_error or tree.is_missing(row.row)]
        """Rows of errors and missing spans."""

    def _stand_in(self, tree: Tree) -> None:
        """Siblings that a row stands for are found in it, every family walked once."""
        families: dict[int, dict[tuple[str, str], int]] = {}
        for number, item in enumerate(self.items):
            top = item.row
            for _ in range(item.through + 1 if item.times > 1 else 0):
                above = tree.parent[top]
                if above >= 0:
                    families.setdefault(above, {})[_alike(tree, top)] = number
                top = above
        for above, stand_ins in families.items():
            for kid in tree.children[above]:
                number = stand_ins.get(_alike(tree, kid), -1)
                if number >= 0:
                    self.at.setdefault(kid, number)

    def row_of(self, tree: Tree, index: int) -> int:
        """The row that shows a span: its own, or that of the nearest ancestor that has one; -1: none."""
        while index >= 0:
            row = self.at.get(index)
            if row is not None:
                return row
            index = tree.parent[index]
        return -1

    def _family(self) -> None:
        stack: list[int] = []
        eldest: dict[int, int] = {}
        for number, row in enumerate(self.items):
            while stack and self.items[stack[-1]].depth >= row.depth:
                stack.pop()
            above = stack[-1] if stack else -1
            self.up.append(above)
            before = eldest.get(above)
            if before is not None:
                self.more[before] = True
            eldest[above] = number
            stack.append(number)

    def _share_out(self, tree: Tree, path: Path) -> None:
        """Every segment belongs to exactly one row, so the lit parts add up to the root, whatever is hidden."""
        for segment in path.segments:
            row = self.row_of(tree, segment.row)
            if row < 0:
                continue
            if not self.stops or self.stops[-1] != row:
                self.stops.append(row)
            parts = self.own.setdefault(row, [])
            if parts and parts[-1][1] == segment.start_us:
                parts[-1] = (parts[-1][0], segment.end_us)
            else:
                parts.append((segment.start_us, segment.end_us))
        for row in range(len(self.items) - 1, -1, -1):
            if row in self.own:
                self._widen(row, self.own[row][0][0], self.own[row][-1][1])
            if row in self.on and self.up[row] >= 0:
                self._widen(self.up[row], *self.on[row])

    def _widen(self, row: int, start_us: int, end_us: int) -> None:
        had = self.on.get(row, (start_us, end_us))
        self.on[row] = min(had[0], start_us), max(had[1], end_us)


def _paired(tree: Tree, items: Sequence[FoldRow]) -> tuple[FoldRow, ...]:
    """The rows with each call and its answer in one: a CLIENT span is seen only around its SERVER span, unless one of
    the two failed and the other did not."""
    found: list[FoldRow] = []
    left_out: list[int] = []  # the depths of the rows left out above the present one
    held: FoldRow | None = None
    for number, item in enumerate(items):
        while left_out and item.depth <= left_out[-1]:
            left_out.pop()
        following = items[number + 1] if number + 1 < len(items) else None
        if following is not None and _one_call(tree, item.row, following.row):
            left_out.append(item.depth)
            held = item
            continue
        through, times = item.through, item.times
        if held is not None:
            through, times = through + held.through + 1, max(times, held.times)
            held = None
        found.append(item._replace(depth=item.depth - len(left_out), through=through, times=times))
    return tuple(found)


def _one_call(tree: Tree, caller: int, called: int) -> bool:
    """Whether these are the two sides of one call, and agree on how it went."""
    kids = tree.children[caller]
    if len(kids) != 1 or kids[0] != called or tree.is_missing(called) or tree.is_missing(caller):
        return False
    one, other = tree.spans[caller], tree.spans[called]
    return one.kind == Kind.CLIENT and other.kind == Kind.SERVER and one.is_error == other.is_error


def _alike(tree: Tree, row: int) -> tuple[str, str]:
    """What like siblings have in common."""
    return tree.spans[row].label, callee_of(tree, row)


class Sheet:
    """One trace."""

    def __init__(self, spans: Sequence[Span], skew: bool) -> None:
        self.spans = spans
        self.deltas: dict[str, int] = {}
        """How far the correction moved a span, of those it moved."""
        shown: Sequence[Span] = spans
        if skew:
            fixed = corrected(spans)
            shown = fixed.spans
            by_host = {shift.host: shift.delta_us for shift in fixed.shifts}
            moved = ((span.span_id, by_host.get(host_of(span), 0)) for span in spans) if by_host else ()
            self.deltas = {span_id: delta for span_id, delta in moved if delta}
        self.tree = build(shown)
        self.path = critical_path(self.tree)
        self.self_us = self_times(self.tree)
        self.on_path: dict[int, int] = {}
        """Span to its time on the critical path."""
        for segment in self.path.segments:
            spent = segment.end_us - segment.start_us
            self.on_path[segment.row] = self.on_path.get(segment.row, 0) + spent
        self.errors = self.tree.errors()
        self.services = len(self.tree.services())
        self._index = {span.span_id: i for i, span in enumerate(self.tree.spans)}
        self.hops: tuple[Hop, ...] | None = None
        """The headers as the spans tell, once somebody has asked for them."""
        self._rows: OrderedDict[Look, Rows] = OrderedDict()

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

    def rows(self, look: Look) -> Rows:
        """The rows for a way to look at it."""
        rows = self._rows.get(look)
        if rows is None:
            view = RowFilter(
                plumbing=not look.plumbing,
                alike=not look.plumbing,
                at_least_ppm=look.at_least_ppm,
                only_critical=look.only_critical,
                text=look.text,
            )
            rows = self._rows[look] = Rows(self.tree, self.path, visible(self.tree, self.path, view), not look.plumbing)
            if len(self._rows) > LOOKS:
                self._rows.popitem(last=False)
        self._rows.move_to_end(look)
        return rows


_KEPT: OrderedDict[tuple[str, bool], Sheet] = OrderedDict()
_DIFFS: OrderedDict[tuple[int, int], tuple[Sheet, Sheet, Diff]] = OrderedDict()


def sheet(trace_id: str, spans: Sequence[Span], skew: bool = False) -> Sheet:
    """The sheet of a trace; ``skew``: with the clocks corrected. An empty trace has an empty one."""
    key = trace_id, skew
    kept = _KEPT.get(key)
    if kept is None or not _same(kept.spans, spans):
        kept = _KEPT[key] = Sheet(spans, skew)
        if len(_KEPT) > SHEETS:
            _KEPT.popitem(last=False)
    _KEPT.move_to_end(key)
    return kept


def forget() -> None:
    """Keep nothing: the next picture builds its trace."""
    _KEPT.clear()
    _DIFFS.clear()


def _same(kept: Sequence[Span], spans: Sequence[Span]) -> bool:
    """Whether they are the same spans: nearly always the very same object."""
    return kept is spans or (len(kept) == len(spans) and kept == spans)


def difference(one: Sheet, other: Sheet) -> Diff:
    """Two traces compared: how much longer the other one's path spends where."""
    key = id(one), id(other)
    kept = _DIFFS.get(key)
    if kept is None or kept[0] is not one or kept[1] is not other:
        kept = _DIFFS[key] = (one, other, compare((one.tree, one.path), (other.tree, other.path)))
        if len(_DIFFS) > SHEETS:
            _DIFFS.popitem(last=False)
    return kept[2]
