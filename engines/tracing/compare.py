"""Two traces side by side: what one does that the other does not, and where it spends more.

Both trees are merged from the root down: the children of one group that share service and operation, and the callee if
they are calls, make a group.
Because critical paths are partitions, the differences on the path add up exactly to the difference of the durations.
"""

from typing import NamedTuple

from engines.tracing.critical import Path, self_times
from engines.tracing.tree import Tree
from engines.tracing.waiting import callee_of


class Side(NamedTuple):
    """What a group of spans is in one of the traces; microseconds."""

    spans: int = 0
    total_us: int = 0
    self_us: int = 0
    path_us: int = 0
    errors: int = 0


class DiffRow(NamedTuple):
    """A group of spans of both traces."""

    depth: int
    service: str
    operation: str
    callee: str
    """Whom a call goes to; empty for all else."""
    one: Side
    other: Side

    @property
    def path_diff_us(self) -> int:
        """How much longer the other one's critical path spends here."""
        return self.other.path_us - self.one.path_us


class Diff(NamedTuple):
    """The comparison, from top to bottom."""

    one_us: int
    other_us: int
    rows: tuple[DiffRow, ...]

    @property
    def diff_us(self) -> int:
        """How much longer the other trace took: exactly the sum of ``path_diff_us`` over the rows."""
        return self.other_us - self.one_us

    def largest(self) -> tuple[DiffRow, ...]:
        """The rows by how much they differ on the critical path, those that do not differ left out."""
        found = [row for row in self.rows if row.path_diff_us]
        return tuple(sorted(found, key=lambda row: (-abs(row.path_diff_us), row.service, row.operation)))


class _Side:
    """One of the traces, with the times of its spans worked out."""

    def __init__(self, tree: Tree, path: Path) -> None:
        self.tree = tree
        self.own = self_times(tree)
        self.on_path: dict[int, int] = {}
        for segment in path.segments:
            self.on_path[segment.row] = self.on_path.get(segment.row, 0) + segment.end_us - segment.start_us

    def sum(self, rows: list[int]) -> Side:
        tree = self.tree
        return Side(
            len(rows),
            sum(tree.end_us[row] - tree.start_us[row] for row in rows),
            sum(self.own[row] for row in rows),
            sum(self.on_path.get(row, 0) for row in rows),
            sum(tree.spans[row].is_error for row in rows),
        )


def compare(one: tuple[Tree, Path], other: tuple[Tree, Path]) -> Diff:
    """Merge two traces; the roots are paired, whatever they are called. Groups come in the order of their start."""
    sides = (_Side(*one), _Side(*other))
    trees = (one[0], other[0])
    tops = tuple([tree.root] if tree.root >= 0 else [] for tree in trees)
    rest = tuple([row for row in tree.roots if row != tree.root] for tree in trees)
    found: list[DiffRow] = []
    stack = [*reversed(_grouped(trees, rest, 0))]
    if tops[0] or tops[1]:
        stack.append((0, tops))
    while stack:
        depth, rows = stack.pop()
        tree, first = (trees[0], rows[0][0]) if rows[0] else (trees[1], rows[1][0])
        named = tree.spans[first]
        sums = (sides[0].sum(rows[0]), sides[1].sum(rows[1]))
        found.append(DiffRow(depth, named.service, named.name, callee_of(tree, first), *sums))
        kids = tuple([kid for row in rows[i] for kid in trees[i].children[row]] for i in (0, 1))
        stack += reversed(_grouped(trees, kids, depth + 1))
    return Diff(one[0].duration_us, other[0].duration_us, tuple(found))


def _grouped(
    trees: tuple[Tree, Tree], rows: tuple[list[int], ...], depth: int
) -> list[tuple[int, tuple[list[int], ...]]]:
    """Rows of both traces by service and operation; first the groups of the one trace, then what only the other has."""
    groups: dict[tuple[str, str, str], tuple[list[int], list[int]]] = {}
    for i in (0, 1):
        for row in sorted(rows[i], key=lambda each: (trees[i].start_us[each], each)):
            span = trees[i].spans[row]
            groups.setdefault((span.service, span.name, callee_of(trees[i], row)), ([], []))[i].append(row)
    return [(depth, group) for group in groups.values()]


__all__ = ["Diff", "DiffRow", "Side", "compare"]
