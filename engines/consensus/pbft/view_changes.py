"""The VIEW-CHANGEs a replica has seen, and what they oblige it to do (paper 4.4, 4.5.2)."""

from typing import Final

from engines.consensus.pbft.certificates import Group
from engines.consensus.pbft.messages import ViewChange

VIEWS_MAX: Final = 8
"""Views kept per replica, the highest: a traitor that asks for many displaces its own only."""


class ViewChanges:
    """One valid VIEW-CHANGE per (view, replica)."""

    __slots__ = ("by_view", "group")

    def __init__(self, group: Group) -> None:
        self.group = group
        self.by_view: dict[int, dict[str, ViewChange]] = {}

    def add(self, m: ViewChange) -> None:
        """Keep a valid one."""
        self.by_view.setdefault(m.view, {})[m.i] = m
        views = sorted(view for view, found in self.by_view.items() if m.i in found)
        for view in views[:-VIEWS_MAX]:
            del self.by_view[view][m.i]
            if not self.by_view[view]:
                del self.by_view[view]

    def at(self, view: int) -> dict[str, ViewChange]:
        """replica -> its VIEW-CHANGE for this view."""
        return self.by_view.get(view, {})

    def to_join(self, view: int, me: str) -> int | None:
        """The view to move to because f+1 *other* replicas want one above ``view``: the smallest of those.

        At least one of them is correct, so the complaint is real; one traitor alone moves nobody.
        """
        wanted: dict[str, int] = {}
        for above in sorted(each for each in self.by_view if each > view):
            for replica in self.by_view[above]:
                if replica != me:
                    wanted.setdefault(replica, above)
        return min(wanted.values()) if len(wanted) >= self.group.weak else None

    def chosen(self, view: int, me: str) -> tuple[ViewChange, ...]:
        """V, once there are enough: the new primary's own VIEW-CHANGE and 2f of others."""
        found = self.at(view)
        others = [found[each] for each in self.group.replicas if each in found and each != me]
        return (found[me], *others[: self.group.quorum - 1])

    def forget_below(self, view: int) -> None:
        """Views that are over."""
        for old in [each for each in self.by_view if each < view]:
            del self.by_view[old]


__all__ = ["VIEWS_MAX", "ViewChanges"]
