"""Hybrid logical clocks: close to the wall, and never against causality.

A stamp is (l, c): the largest wall time heard of, and a counter among events that share it. Causality orders the
stamps; l is never behind the wall and, as long as clocks are honest, at most the skew ahead. A message from further
ahead than the bound is refused: otherwise one bad clock drags everybody along.

Source: Kulkarni, Demirbas, Madappa, Avva, Leone, "Logical physical clocks", OPODIS 2014, figure 5.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from engines.errors import UserError


class Stamp(NamedTuple):
    """A hybrid time; compared l first, then c."""

    l_us: int
    c: int = 0


ZERO: Final = Stamp(0)


class ClockTooFarAheadError(UserError):
    """A stamp lies further ahead of the local wall clock than the bound allows."""


@dataclass(slots=True)
class HybridClock:
    """One node's clock; it is told the wall time."""

    last: Stamp = ZERO
    bound_us: int | None = None
    """How far a stamp may lie ahead of the local wall clock; None accepts any."""

    def send(self, wall_us: int) -> Stamp:
        """The stamp of a local event or of a message that leaves."""
        l_us = max(self.last.l_us, wall_us)
        self.last = Stamp(l_us, self.last.c + 1 if l_us == self.last.l_us else 0)
        return self.last

    def receive(self, wall_us: int, stamp: Stamp) -> Stamp:
        """The stamp of a message's receipt. ClockTooFarAheadError, and nothing changed, if it is beyond the bound."""
        if self.bound_us is not None and stamp.l_us > wall_us + self.bound_us:
            ahead = stamp.l_us - wall_us
            raise ClockTooFarAheadError(
                f"stamp {stamp.l_us} us: {ahead} us ahead; at most {self.bound_us} are accepted"
            )
        mine = self.last
        l_us = max(mine.l_us, stamp.l_us, wall_us)
        if l_us == mine.l_us == stamp.l_us:
            c = max(mine.c, stamp.c) + 1
        elif l_us == mine.l_us:
            c = mine.c + 1
        elif l_us == stamp.l_us:
            c = stamp.c + 1
        else:
            c = 0
        self.last = Stamp(l_us, c)
        return self.last


__all__ = ["ClockTooFarAheadError", "HybridClock", "Stamp"]
