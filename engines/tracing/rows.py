"""The rows that are shown of one trace, and which part of the critical path each of them holds.

What is hidden is held by the row that stands for it, so the parts of all rows add up to the root, whatever is hidden.
A call and its answer are two spans of one thing and can share a row: it has the name of what served, and lasts as long
as the caller waited; the way there and back lies between the two.
"""

from collections.abc import Sequence
from typing import NamedTuple

from engines.tracing.critical import Path
from engines.tracing.fold import FoldRow
from engines.tracing.spans import Kind
from engines.tracing.tree import Tree
from engines.tracing.waiting import callee_of


class Look(NamedTuple):
    """How a trace is looked at."""

    only_critical: bool = False
    plumbing: bool = False
    """Whether all is shown; else a call and its answer share a row, and so do siblings that are alike."""
    at_least_ppm: int = 0
    text: str = ""
    folded: tuple[str, ...] = ()
    """Span ids whose subtrees are closed."""


class Rows:
    """The rows that are shown of a trace, and which part of the critical path each of them holds."""

    def __init__(self, tree: Tree, path: Path, items: Sequence[FoldRow], pairs: bool) -> None:
        self.callers: dict[int, int] = {}
        """SERVER span to the CLIENT span that shares its row."""
        self.items = items = _paired(tree, items, self.callers) if pairs else items
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

    def interval(self, tree: Tree, number: int) -> tuple[int, int]:
        """From when to when a row lasts: of a call with its answer, as long as both together."""
        index = self.items[number].row
        caller = self.callers.get(index, index)
        return min(tree.start_us[caller], tree.start_us[index]), max(tree.end_us[caller], tree.end_us[index])

    def way_us(self, tree: Tree, number: int) -> int:
        """How much of a call lies between caller and callee, there and back: neither of them worked then."""
        index = self.items[number].row
        caller = self.callers.get(index)
        if caller is None:
            return 0
        lasted = tree.end_us[caller] - tree.start_us[caller]
        return max(0, lasted - (tree.end_us[index] - tree.start_us[index]))

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


def _paired(tree: Tree, items: Sequence[FoldRow], callers: dict[int, int]) -> tuple[FoldRow, ...]:
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
            callers[item.row] = held.row
            held = None
        elif item.through and _one_call(tree, tree.parent[item.row], item.row):
            callers[item.row] = tree.parent[item.row]  # left out before, as it did next to nothing itself
        found.append(item._replace(depth=item.depth - len(left_out), through=through, times=times))
    return tuple(found)


def _one_call(tree: Tree, caller: int, called: int) -> bool:
    """Whether these are the two sides of one call, and agree on how it went, and roughly when."""
    kids = tree.children[caller]
    if len(kids) != 1 or kids[0] != called or tree.is_missing(called) or tree.is_missing(caller):
        return False
    if tree.end_us[called] < tree.start_us[caller] or tree.end_us[caller] < tree.start_us[called]:
        return False  # two clocks: what both together last says nothing of either
    one, other = tree.spans[caller], tree.spans[called]
    return one.kind == Kind.CLIENT and other.kind == Kind.SERVER and one.is_error == other.is_error


def _alike(tree: Tree, row: int) -> tuple[str, str]:
    """What like siblings have in common."""
    return tree.spans[row].label, callee_of(tree, row)


__all__ = ["Look", "Rows"]
