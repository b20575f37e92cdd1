"""When may the next picture leave? The rules of frame acknowledgement, without a terminal and without a clock.

A slow link is a long queue: whoever keeps painting fills it, and every key is then answered behind seconds of stale
pictures. So a picture is followed by a question every terminal answers (`CSI 6n`, where is the cursor?); the answer
travels behind the picture, and until it is back the next picture is not *made*. Nothing that was rendered is ever
thrown away: the source is held, so the screen is always complete and only intermediate pictures are missing.

    ready(now)  =  (no question outstanding, or it is HOLD_US old)  and  the system has taken all bytes written

- **At most one question is outstanding.** A paint while one is out (a modal screen opening) is covered by one more
  question after the answer, a *chase*; just one, or a busy screen on a long road would shut pictures out for good.
- **A key does not wait for an answer.** Its picture may leave while one question is out, once: on a long road it is
  there one round trip sooner, on a slow one it stands behind a single picture.
- **Silence is not death.** After `HOLD_US` the picture goes anyway; after `MUTE_AFTER` silences in a row no more
  questions are put, and only the second half of the formula is left. One late answer reopens the conversation.
- **Answers are numbered**, because late ones exist, and because shift+F3 on an old xterm sends `CSI 1;2R`, which reads
  as a cursor report from row 1. A question parks the cursor at row 2, column 2 + its number modulo `NUMBERS`: no key
  says that. Cursor position and attributes are saved before and restored after (`DECSC`, `DECRC`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

HOLD_US: Final = 3_000_000
"""How long a picture is held for an answer that does not come."""
MUTE_AFTER: Final = 3
"""Questions in a row without an answer, after which the terminal counts as mute."""
NUMBERS: Final = 8
"""Questions are told apart modulo this: answers up to 24 s late, in columns that every usable screen has."""


def question(number: int) -> str:
    """The bytes that ask for cursor report `number` and leave the cursor where it was."""
    return f"\x1b7\x1b[2;{2 + number % NUMBERS}H\x1b[6n\x1b8"


def answer(x: int, y: int) -> int | None:
    """Which question (modulo `NUMBERS`) a report of column `x`, row `y` (from 0) answers; `None`: not one of ours."""
    return x - 1 if y == 1 and 1 <= x <= NUMBERS else None


class Admission(Protocol):
    """What the screen asks before it takes a picture. See `tui.terminal.driver.admission`."""

    @property
    def ready(self) -> bool:
        """Would a picture be admitted now? Asking changes nothing."""
        ...

    def admit(self, urgent: bool = False) -> bool:
        """May the newest picture be drawn now? `False` counts as a skipped frame and promises a call when it may.
        `urgent`: somebody waits for it, who has pressed a key."""
        ...


@dataclass(slots=True)
class Gate:
    """The state of the conversation. All times are integer microseconds of any monotonic clock."""

    asking: bool = True
    """Are questions put at all? Set by the person, cleared on a mute terminal."""
    hold_us: int = HOLD_US
    frames_sent: int = 0
    frames_skipped: int = 0
    questions: int = 0
    answers: int = 0
    silences: int = 0
    """Questions in a row that were given up."""
    outstanding: int | None = None
    asked_us: int = 0
    uncovered: bool = False
    """Has something been painted since the outstanding question was put?"""
    chasing: bool = False
    withheld: bool = False
    """Was a picture refused that somebody should be called back for?"""

    def painted(self, now_us: int) -> int | None:
        """A paint has been written. Returns the number of the question to write behind it, if any."""
        self.frames_sent += 1
        if self.outstanding is not None and now_us - self.asked_us < self.hold_us:
            self.uncovered = True
            return None
        if self.outstanding is not None:
            self._give_up()
        return self._ask(now_us) if self.asking else None

    def answered(self, number: int, now_us: int) -> int | None:
        """An answer has come. Returns the number of the chasing question to write, if any."""
        self.answers += 1
        self.silences = 0
        self.asking = True
        if self.outstanding is None or self.outstanding % NUMBERS != number:
            return None
        self.outstanding = None
        if self.uncovered and not self.chasing:
            self.chasing = True
            return self._ask(now_us)
        self.uncovered = self.chasing = False
        return None

    def ready(self, now_us: int, backlog: int, urgent: bool = False) -> bool:
        """`backlog`: characters written that the system has not taken yet. `urgent`: it is the answer to a key."""
        held = self.outstanding is not None and now_us - self.asked_us < self.hold_us
        return backlog == 0 and (not held or (urgent and not self.uncovered and not self.chasing))

    def admit(self, now_us: int, backlog: int, urgent: bool = False) -> bool:
        """Ask before a picture is made; a refusal is counted and remembered."""
        if self.ready(now_us, backlog, urgent):
            self.withheld = False
            return True
        self.frames_skipped += 1
        self.withheld = True
        return False

    def reset(self, asking: bool) -> None:
        """Forget what is outstanding: the terminal was left or taken again. Counters stay."""
        self.asking = asking
        self.outstanding = None
        self.silences = 0
        self.uncovered = self.chasing = self.withheld = False

    def _ask(self, now_us: int) -> int:
        self.outstanding = self.questions
        self.questions += 1
        self.asked_us = now_us
        self.uncovered = False
        return self.outstanding

    def _give_up(self) -> None:
        self.outstanding = None
        self.uncovered = self.chasing = False
        self.silences += 1
        if self.silences >= MUTE_AFTER:
            self.asking = False
