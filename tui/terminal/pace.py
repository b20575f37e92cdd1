"""How many pictures a second: as many as the line and the machine carry (`--fps auto`). No terminal, no clock.

Once a second it looks at what came of the last one. Pictures that the line refused, or a processor that is busy with
drawing, mean fewer; a line that took every picture, and a processor that could draw the next level's, mean more. Where
nothing moves nothing is learned. It goes up by one level after `CALM` good seconds, so that a line whose limit lies
between two levels is not tried all the time, and down at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LEVELS: Final = (2, 5, 10, 15, 20, 30)
START: Final = 10
ROUND_US: Final = 1_000_000
CALM: Final = 3
"""Good seconds in a row before more pictures are tried; after each attempt that failed, twice as many."""
CALM_MAX: Final = 60
REFUSED: Final = 3
"""One picture in so many refused is too many."""
BUSY_PERCENT: Final = 50
"""A processor that is busier than this is not there for drawing alone."""
ROOM_PERCENT: Final = 35


@dataclass(slots=True)
class Pace:
    """`fps` is what to draw now."""

    fps: int = START
    _since_us: int = 0
    _cpu_us: int = 0
    _wanted: int = 0
    _refused: int = 0
    _calm: int = 0
    _patience: int = CALM
    _tried: bool = False

    def start(self, now_us: int, cpu_us: int) -> None:
        """Begin to count at this moment, of the wall clock and of the processor's time."""
        self._since_us, self._cpu_us, self._wanted, self._refused = now_us, cpu_us, 0, 0

    def tick(self, now_us: int, cpu_us: int, wanted: bool, refused: bool) -> bool:
        """A tick has passed; was a picture `wanted`, and was it `refused`? Returns whether `fps` changed."""
        self._wanted += wanted
        self._refused += refused
        span_us = now_us - self._since_us
        if span_us < ROUND_US:
            return False
        before = self.fps
        if self._wanted * 2 * ROUND_US >= self.fps * span_us:  # it moved for half of the time at least
            self._judge((cpu_us - self._cpu_us) * 100 // span_us)
        self.start(now_us, cpu_us)
        return self.fps != before

    def _judge(self, busy_percent: int) -> None:
        level = LEVELS.index(self.fps)
        if self._refused * REFUSED > self._wanted or busy_percent > BUSY_PERCENT:
            if self._tried:
                self._patience = min(2 * self._patience, CALM_MAX)
            self.fps, self._calm, self._tried = LEVELS[max(0, level - 1)], 0, False
            return
        self._calm = 0 if self._refused else self._calm + 1
        if self._calm < self._patience or level + 1 == len(LEVELS):
            return
        if busy_percent * LEVELS[level + 1] <= ROOM_PERCENT * self.fps:
            self.fps, self._calm, self._tried = LEVELS[level + 1], 0, True
