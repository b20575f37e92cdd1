"""Which version of a projection readers see, and how a new one takes its place.

In place      ``reset``: the rows are thrown away and folded again; until that is done readers see a hole, and are told
              "rebuilding at 40 %"
Blue-green    ``begin``: the new version is folded beside the old one, which goes on serving; ``swap`` at lag 0 is one
              step, so nobody ever sees rows of both. The old one is kept, and followed, for the way ``back``
"""

from collections.abc import Callable

from engines.cqrs.errors import NotCaughtUp
from engines.cqrs.projections import MemoryModel, Model, Projection


class Deployment:
    """A projection as it is served."""

    def __init__(
        self,
        live: Model,
        make: Callable[[Projection], Model] = MemoryModel,
        served: Callable[[Model], None] | None = None,
    ) -> None:
        """``make`` makes an empty model of a version; ``served`` notes durably which one readers are sent to."""
        self.live = live
        self.next: Model | None = None
        """The version that is being built."""
        self.old: Model | None = None
        """The version that was served before."""
        self.target = 0
        """In a rebuild in place: the head that must be reached before readers are told no more. A version that is
        swapped in is past it; on the way back to one that is not, readers are told again."""
        self.swaps = 0
        self._make = make
        self._served = served

    @property
    def name(self) -> str:
        """Of the projection."""
        return self.live.projection.name

    def models(self) -> tuple[Model, ...]:
        """All that follow the events: the served one first."""
        return tuple(model for model in (self.live, self.next, self.old) if model is not None)

    # -- in place --------------------------------------------------------------------------------------------------

    def reset(self, head: int, projection: Projection | None = None) -> None:
        """Throw the rows away and fold them again, by the same projection or by one that was mended."""
        self.live.reset(projection)
        self.target = head

    @property
    def rebuilding(self) -> bool:
        """Whether readers see a hole."""
        return self.live.position < self.target

    @property
    def percent(self) -> int:
        """How far the rebuild in place is; 100 if none goes on."""
        return self.live.position * 100 // self.target if self.rebuilding else 100

    # -- blue-green ------------------------------------------------------------------------------------------------

    def begin(self, projection: Projection) -> Model:
        """Build a version beside the one that is served, from zero."""
        self.next = self._make(projection)
        return self.next

    def built_percent(self, head: int) -> int:
        """How far the version is that is being built; 100 if none is."""
        return 100 if self.next is None or not head else min(100, self.next.position * 100 // head)

    def swap(self, head: int) -> None:
        """Serve the new version from now on. NotCaughtUp before its lag is 0."""
        if self.next is None:
            raise NotCaughtUp(f"{self.name}: no new version is being built: begin one first")
        if self.next.position < head:
            raise NotCaughtUp(
                f"{self.name} version {self.next.projection.version}: at {self.next.position} of {head} events: it can "
                "be swapped in when it has caught up"
            )
        if self._served is not None:
            self._served(self.next)
        self.live, self.next, self.old = self.next, None, self.live
        self.swaps += 1

    def abandon(self) -> None:
        """Give up the version that is being built."""
        self.next = None

    def back(self) -> None:
        """Serve the version before again, which has followed the events all the while."""
        if self.old is None:
            raise NotCaughtUp(f"{self.name}: no version was served before this one")
        if self._served is not None:
            self._served(self.old)
        self.live, self.old = self.old, self.live
        self.swaps += 1


__all__ = ["Deployment"]
