"""The critical path of a trace, and the self time of every span.

*Critical path.* A partition of the root's interval: every microsecond between its start and its end belongs to exactly
one span, so the lengths add up exactly to the root's duration. Walk backwards from the end with a cursor. Of the
children that end at or before the cursor, take the one that ends last (of those that end together, the longest): until
it ended, its parent could not go on. The time between its end and the cursor is the parent's own. Do the same inside
the child, in its window, then put the cursor at its start::

    r     |=============================================================|   the cursor begins here
    a        |-----------|                                                  ends before the cursor: taken
    b               |~~~~~~~~~~~~|                                          straddles the cursor: skipped
    c                        |---------------------------|                  touches e: both count
    d                           |-----------|                               inside c
    e                                                    |----------|       ends last: taken first
    path  |r |     a     |r  |c |     d     |     c      |    e     |r  |

The loop keeps a stack: for every span that was entered its window, the cursor in it, and which child to ask next. A
span is entered when a child of its own may hold it up, and left when there are no more of them; then its parent goes on
from its start. What follows from that, or has to be settled beside it:

- A child is clipped to the window of its parent, on both sides, and its own children to what is left of it.
- A child fully outside its parent's window is dropped, with everything below it.
- A child that straddles the cursor ran beside the later sibling already taken; it is skipped.
- Siblings that touch (one ends where the next starts) are both on the path. Jaeger drops one of them.
- A child of length zero holds up nothing. Each child is taken at most once.
- A CONSUMER child of a PRODUCER does not block, nor does one that only follows from it: nobody waits for them.

*Self time* of a span: the part of its interval that no blocking child covers, that is its length minus the length of
the union of their intervals, each clipped to it.
"""

from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import repeat
from typing import Final, NamedTuple

from engines.tracing.spans import FOLLOWS_FROM, Kind, Span
from engines.tracing.tree import Tree


class NoLength(Enum):
    """Why a path has no segment with a length."""

    NO_SPANS = "the trace has no spans"
    NO_TIME = "the root lasts no time: it starts and ends in the same microsecond"


_KIND: Final = Span._fields.index("kind")
_PRODUCER: Final = int(Kind.PRODUCER)
_CONSUMER: Final = int(Kind.CONSUMER)


class Segment(NamedTuple):
    """A stretch of the root's interval, and the span it belongs to."""

    row: int
    """The span's index in the tree's columns."""
    span_id: str
    start_us: int
    end_us: int

    @property
    def duration_us(self) -> int:
        """Its length."""
        return self.end_us - self.start_us


class Step(NamedTuple):
    """The same stretch with the names of its span."""

    service: str
    operation: str
    span_id: str
    start_us: int
    end_us: int

    @property
    def duration_us(self) -> int:
        """Its length."""
        return self.end_us - self.start_us


class Path(NamedTuple):
    """A critical path: segments in time order, each beginning where the one before ended."""

    segments: tuple[Segment, ...]
    reason: NoLength | None = None
    """Why there is no segment with a length; None if there is one."""

    @property
    def total_us(self) -> int:
        """Exactly the root's duration."""
        return self.segments[-1].end_us - self.segments[0].start_us if self.segments else 0

    def steps(self, tree: Tree) -> tuple[Step, ...]:
        """The segments with names instead of rows; ``tree`` is what the path was made of."""
        spans = tree.spans
        return tuple(
            Step(spans[row].service, spans[row].name, span_id, start_us, end_us)
            for row, span_id, start_us, end_us in self.segments
        )

    def by_row(self) -> dict[int, int]:
        """Microseconds on the path by row, of the rows that have any."""
        found: dict[int, int] = {}
        for row, _, start_us, end_us in self.segments:
            found[row] = found.get(row, 0) + end_us - start_us
        return found

    @property
    def on_path(self) -> frozenset[int]:
        """The indices of the spans that own a segment."""
        return frozenset(segment.row for segment in self.segments)


def is_blocking(parent: Span, child: Span) -> bool:
    """Whether the parent can be held up by the child."""
    if child.kind == Kind.CONSUMER and parent.kind == Kind.PRODUCER:
        return False
    return not child.attributes or child.attributes[-1] != FOLLOWS_FROM


def blocking_children(tree: Tree, index: int) -> Sequence[int]:
    """The children that can hold up a span, by start."""
    kids = tree.children[index]
    if tree.spans[index][_KIND] == _PRODUCER:
        kids = [kid for kid in kids if tree.spans[kid][_KIND] != _CONSUMER]
    if tree.follows:
        kids = [kid for kid in kids if kid not in tree.follows]
    return kids


def critical_path(tree: Tree, root: int | None = None) -> Path:
    """The critical path below ``root``, by default the tree's root."""
    top = tree.root if root is None else root
    if top < 0:
        return Path((), NoLength.NO_SPANS)
    start_us, end_us = tree.start_us, tree.end_us
    if start_us[top] == end_us[top]:
        return Path((Segment(top, tree.spans[top].span_id, start_us[top], end_us[top]),), NoLength.NO_TIME)
    # From the end backwards: whose the stretch is, and where it starts; it ends where the one before it starts.
    rows: list[int] = []
    starts: list[int] = []
    children, owner, begins = tree.children, rows.append, starts.append
    index, start, end = top, start_us[top], end_us[top]
    cursor = end
    kids = _from_the_end(tree, index, end)
    above: list[tuple[int, int, int, int, Iterator[int]]] = []
    while True:
        for kid in kids:
            kid_start, kid_end = start_us[kid], end_us[kid]
            if kid_end > cursor:
                if cursor < end or kid_start >= end:  # straddles the cursor, or lies outside
                    continue
                kid_end = end
            if kid_start < start:
                kid_start = start
            if kid_start >= kid_end:
                continue
            if kid_end < cursor:
                owner(index)
                begins(kid_end)
            cursor = kid_start
            if children[kid]:
                above.append((index, start, end, cursor, kids))
                index, start, end, cursor = kid, kid_start, kid_end, kid_end
                kids = _from_the_end(tree, index, end)
                break
            owner(kid)
            begins(kid_start)
        else:
            if start < cursor:
                owner(index)
                begins(start)
            if not above:
                break
            index, start, end, cursor, kids = above.pop()
    rows.reverse()
    starts.reverse()
    fields = zip(rows, map(tree.ids.__getitem__, rows), starts, [*starts[1:], end_us[top]], strict=True)
    return Path(tuple(map(tuple.__new__, repeat(Segment), fields)))


def _from_the_end(tree: Tree, index: int, end: int) -> Iterator[int]:
    """The blocking children of a span in the order in which they are asked whether they are on the path.

    That is by their end, the last first, and of those that end together, the longest first; whatever outlasts the
    window of its parent is clipped, so all of these end together, with it.
    """
    kids = tree.children[index]
    if tree.spans[index][_KIND] == _PRODUCER or tree.follows:
        kids = blocking_children(tree, index)
    if len(kids) > 1:
        end_us = tree.end_us
        by_end = sorted(kids, key=end_us.__getitem__, reverse=True)  # kids are by start, and sorting keeps that order
        if end_us[by_end[1]] >= end:
            longest = next(kid for kid in kids if end_us[kid] >= end)
            by_end.remove(longest)
            by_end.insert(0, longest)
        return iter(by_end)
    return iter(kids)


def fault_of(tree: Tree, path: Path) -> str:
    """Why this is no partition of the root's interval; empty if it is one."""
    if tree.root < 0:
        return "" if not path.segments and path.reason else "an empty trace has a path, or no reason for having none"
    cursor, end = tree.start_us[tree.root], tree.end_us[tree.root]
    for segment in path.segments:
        if segment.start_us != cursor or segment.end_us < cursor:
            return f"span {segment.span_id} owns {segment.start_us} to {segment.end_us} us, but {cursor} us is next"
        cursor = segment.end_us
    if cursor != end or not path.segments:
        return f"the path ends at {cursor} us, and the root at {end} us"
    return ""


def self_times(tree: Tree) -> list[int]:
    """The self time of every span in microseconds, by index."""
    start_us, end_us, children = tree.start_us, tree.end_us, tree.children
    own = [end - start for start, end in zip(start_us, end_us, strict=True)]
    for index, kids in enumerate(children):
        if not kids:
            continue
        cursor, end = start_us[index], end_us[index]
        for kid in blocking_children(tree, index):
            kid_start, kid_end = start_us[kid], end_us[kid]
            if kid_end > end:
                kid_end = end
            if kid_start > cursor:
                cursor = kid_start
            if kid_end > cursor:
                own[index] -= kid_end - cursor
                cursor = kid_end
    return own


__all__ = [
    "NoLength",
    "Path",
    "Segment",
    "Step",
    "blocking_children",
    "critical_path",
    "fault_of",
    "is_blocking",
    "self_times",
]
