"""What if this span had taken less time: how much sooner would the request have been answered?

The time saved on a span is seldom the time saved on the request: something else that ran beside it may be what is then
waited for. So the trace is played again. What is known of a trace is only who ran when; the model takes from it:

- a child starts a fixed time after the sibling that ended last before it started, or after its parent's start if
  there is none;
- a span ends a fixed time after the last of its blocking children.

With nothing cut, this reproduces every interval. Only the ancestors of what is cut are played again.
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
    root = tree.root
    if root < 0:
        return WhatIf(0, 0)
    length: dict[int, int] = {}
    for row in _upwards(tree, cuts):
        played = _play(tree, row, length)
        length[row] = max(0, played - max(0, cuts.get(row, 0)))
    return WhatIf(before, length.get(root, before))


def _upwards(tree: Tree, cuts: Mapping[int, int]) -> list[int]:
    """The rows that are cut and all their ancestors, children first."""
    found: dict[int, None] = {}
    for row in cuts:
        while row >= 0 and row not in found:
            found[row] = None
            row = tree.parent[row]
    return sorted(found, key=lambda row: (-tree.depth[row], row))


def _play(tree: Tree, row: int, length: Mapping[int, int]) -> int:
    """The length of a span when some of its children have another length than they had."""
    start, end = tree.start_us[row], tree.end_us[row]
    kids = [
        (max(tree.start_us[kid], start), min(tree.end_us[kid], end), kid)
        for kid in blocking_children(tree, row)
        if tree.start_us[kid] < end and tree.end_us[kid] > start
    ]
    if not any(kid in length for _, _, kid in kids):
        return end - start
    kids.sort()
    if all(one[1] <= following[0] for one, following in pairwise(kids)):  # one after the other
        return end - start - sum(_shorter(tree, kid, length) for kid in kids)
    by_end = sorted(kids, key=lambda kid: (kid[1], kid[0], kid[2]))
    moved: dict[int, int] = {}
    ends, moved_ends = [start], [0]
    # By start, so that whatever had ended when a child started has been played when its turn comes.
    for window in kids:
        kid_start, kid_end, kid = window
        while (ended := by_end[len(ends) - 1])[1] <= kid_start and ended[2] in moved:
            ends.append(ended[1])
            moved_ends.append(max(moved[ended[2]], moved_ends[-1] if ends[-2] == ended[1] else 0))
        before = bisect_right(ends, kid_start) - 1
        lasts = kid_end - kid_start - _shorter(tree, window, length)
        moved[kid] = moved_ends[before] + (kid_start - ends[before]) + lasts
    return max(moved.values()) + (end - by_end[-1][1])


def _shorter(tree: Tree, window: tuple[int, int, int], length: Mapping[int, int]) -> int:
    """By how much a child now fills less of its window; what it saves outside of its parent does not count."""
    kid_start, kid_end, kid = window
    after = length.get(kid)
    if after is None:
        return 0
    saved = tree.end_us[kid] - tree.start_us[kid] - after - (tree.end_us[kid] - kid_end)
    return min(max(0, saved), kid_end - kid_start)


__all__ = ["WhatIf", "what_if"]
