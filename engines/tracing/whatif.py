"""What if this span had taken less time: how much sooner would the request have been answered?

The time saved on a span is seldom the time saved on the request: something else that ran beside it may be what is then
waited for. So the trace is played again. What is known of a trace is only who ran when; the model takes from it:

- a child starts a fixed time after the sibling that ended last before it started, or after its parent's start if
  there is none;
- a span ends a fixed time after the last of its blocking children.

With nothing cut, this reproduces every interval. Spans are clipped to their ancestors, as on the critical path. Only
the ancestors of what is cut are played again.
"""

from bisect import bisect_right
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from engines.tracing.critical import blocking_children
from engines.tracing.tree import Tree


class WhatIf(NamedTuple):
    """The root's duration as it was and as it would have been."""

    before_us: int
    after_us: int

    @property
    def saved_us(self) -> int:
        """How much sooner the root would have ended."""
        return self.before_us - self.after_us


def what_if(tree: Tree, cuts: Mapping[int, int]) -> WhatIf:
    """What the root would have taken if each of these rows had taken so many microseconds less (never below zero)."""
    before = tree.duration_us
    if tree.root < 0:
        return WhatIf(0, 0)
    rows = _downwards(tree, cuts)
    windows = _windows(tree, rows)
    length: dict[int, int] = {}
    for row in reversed(rows):
        start, end = windows[row]
        saved = end - start - _play(tree, row, start, end, length) + max(0, cuts.get(row, 0))
        saved -= tree.end_us[row] - end  # what is saved outside of the parent does not count
        length[row] = end - start - min(max(0, saved), end - start)
    return WhatIf(before, length.get(tree.root, before))


def _downwards(tree: Tree, cuts: Mapping[int, int]) -> list[int]:
    """The rows that are cut and all their ancestors, parents first."""
    found: dict[int, None] = {}
    for row in cuts:
        while row >= 0 and row not in found:
            found[row] = None
            row = tree.parent[row]
    return sorted(found, key=lambda row: (tree.depth[row], row))


def _windows(tree: Tree, rows: list[int]) -> dict[int, tuple[int, int]]:
    """What of each row lies inside all of its ancestors, as on the critical path; nothing has length zero."""
    windows: dict[int, tuple[int, int]] = {}
    for row in rows:
        start, end = tree.start_us[row], tree.end_us[row]
        above = tree.parent[row]
        if above >= 0:
            start, end = max(start, windows[above][0]), min(end, windows[above][1])
        windows[row] = (start, max(start, end))
    return windows


def _play(tree: Tree, row: int, start: int, end: int, length: Mapping[int, int]) -> int:
    """The length of a span's window when some of its children have another length than they had."""
    kids = [
        (max(tree.start_us[kid], start), min(tree.end_us[kid], end), kid)
        for kid in blocking_children(tree, row)
        if tree.start_us[kid] < end and tree.end_us[kid] > start
    ]
    if not any(kid in length for _, _, kid in kids):
        return end - start
    kids.sort()
    if all(one[1] <= following[0] for one, following in pairwise(kids)):  # one after the other
        return end - start - sum(kid[1] - kid[0] - length.get(kid[2], kid[1] - kid[0]) for kid in kids)
    by_end = sorted(kids, key=lambda kid: (kid[1], kid[0], kid[2]))
    moved: dict[int, int] = {}
    ends, moved_ends = [start], [0]
    # By start, so that whatever had ended when a child started has been played when its turn comes.
    for kid_start, kid_end, kid in kids:
        while (ended := by_end[len(ends) - 1])[1] <= kid_start and ended[2] in moved:
            ends.append(ended[1])
            moved_ends.append(max(moved[ended[2]], moved_ends[-1] if ends[-2] == ended[1] else 0))
        before = bisect_right(ends, kid_start) - 1
        lasts = length.get(kid, kid_end - kid_start)
        moved[kid] = moved_ends[before] + (kid_start - ends[before]) + lasts
    return max(moved.values()) + (end - by_end[-1][1])


__all__ = ["WhatIf", "what_if"]
