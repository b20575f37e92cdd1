"""When may the next picture leave? The rules of frame acknowledgement, without a terminal and without a clock.

A slow link is a long queue: whoever keeps painting fills it, and every key is then answered behind seconds of stale
pictures. So a picture is followed by a question every terminal answers (`CSI 6n`, where is the cursor?); the answer
travels behind the picture, and while `window` of them are out the next picture is not *made*. Nothing that was rendered
is ever thrown away: the source is held, so the screen is always complete and only intermediate pictures are missing.

    ready(now)  =  (fewer than `window` questions out, or the oldest is HOLD_US old)
                   and  the system has taken all bytes written

*A thin line and a long road* look alike to whoever counts answers a second: both answer late. They differ in why. On a
thin line an answer is late because of the pictures in front of it, so nothing may be put in front of the next one; on a
long road it is late whatever is in front, and a window of one would halve the frame rate for nothing. So the window is
that of a congestion control by delay (Brakmo and Peterson 1995, TCP Vegas):

    waited  =  time of an answer - the shortest there was           slack  =  SLACK_US + a quarter of the shortest
    waited <= slack, and a picture was refused        window + 1
    waited > slack                                    window - 1, once a round
    waited > 2 slack                                  window / 2, once a round

The shortest is learned from questions with nothing in front of them: one at the very start, before the first picture,
and every small paint on an idle line. Otherwise the pictures' own time would in the end be taken for the road's.

- **At most `window` questions are out.** A paint while as many are (a modal screen opening) is covered by one more
  question after the answer, a *chase*; just one, or a busy screen on a long road would shut pictures out for good.
- **A key does not wait for an answer.** Its picture may leave beyond the window, once: on a long road it is
  there one round trip sooner, on a slow one it stands behind a single picture.
- **Silence is not death.** After `HOLD_US` the picture goes anyway; after `MUTE_AFTER` silences in a row no more
  questions are put, and only the second half of the formula is left. One late answer reopens the conversation.
- **Answers are numbered**, because late ones exist, and because shift+F3 on an old xterm sends `CSI 1;2R`, which reads
  as a cursor report from row 1. A question parks the cursor at a place that tells its number modulo `NUMBERS`, from row
  2 on: no key says that. An answer stands for all questions before it, since terminals answer in turn. Cursor position
  and attributes are saved before and restored after (`DECSC`, `DECRC`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

HOLD_US: Final = 3_000_000
"""How long a picture is held for an answer that does not come."""
MUTE_AFTER: Final = 3
"""Questions in a row without an answer, after which the terminal counts as mute."""
COLUMNS: Final = 8
"""Questions that are told apart by their column; every usable screen has so many."""
NUMBERS: Final = 3 * COLUMNS
"""Questions are told apart modulo this: more than are ever out, and the late answers of some before them."""
WINDOW_MAX: Final = 12
"""Pictures on their way at most: ten a second on a road of more than a second."""
SLACK_US: Final = 80_000
"""How long an answer may wait behind pictures before they count as a queue."""
SMALL: Final = 256
"""Bytes that hold an answer up so little that its time is that of the road."""
CLEAN: Final = 8
"""The shortest time is the least of so many clean samples, so that a road that became longer is believed in the end."""


def question(number: int) -> str:
    """The bytes that ask for cursor report `number` and leave the cursor where it was."""
    row, column = divmod(number % NUMBERS, COLUMNS)
    return f"\x1b7\x1b[{2 + row};{2 + column}H\x1b[6n\x1b8"


def answer(x: int, y: int) -> int | None:
    """Which question (modulo `NUMBERS`) a report of column `x`, row `y` (from 0) answers; `None`: not one of ours."""
    if not (1 <= x <= COLUMNS and 1 <= y <= NUMBERS // COLUMNS):
        return None
    return (y - 1) * COLUMNS + x - 1


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


class Asked(NamedTuple):
    """A question that is out. `probe`: put with no picture before it; `clean`: with little in front of it."""

    number: int
    at_us: int
    clean: bool
    probe: bool


@dataclass(slots=True)
class Gate:
    """The state of the conversation. All times are integer microseconds of any monotonic clock."""

    asking: bool = True
    """Are questions put at all? Set by the person, cleared on a mute terminal."""
    hold_us: int = HOLD_US
    window: int = 1
    """Pictures that may be on their way."""
    frames_sent: int = 0
    frames_skipped: int = 0
    questions: int = 0
    answers: int = 0
    silences: int = 0
    """Questions in a row that were given up."""
    uncovered: bool = False
    """Has something been painted for which no question was put?"""
    chasing: bool = False
    withheld: bool = False
    """Was a picture refused that somebody should be called back for?"""
    waited_us: int = 0
    """How long the newest answer waited behind pictures."""
    _out: deque[Asked] = field(default_factory=deque)
    _clean: deque[int] = field(default_factory=lambda: deque(maxlen=CLEAN))
    _least_us: int | None = None
    _pressed: bool = False
    """Was a picture refused since the window was widened?"""
    _narrowed_us: int = 0

    @property
    def outstanding(self) -> int | None:
        """The number of the oldest question that is out."""
        return self._out[0].number if self._out else None

    @property
    def asked_us(self) -> int:
        """When the oldest question that is out was put."""
        return self._out[0].at_us if self._out else 0

    @property
    def pictures(self) -> int:
        """Questions out that follow a picture."""
        return sum(not asked.probe for asked in self._out)

    @property
    def road_us(self) -> int | None:
        """The shortest time of an answer: that of the road, if nothing is in front."""
        return self._least_us

    def probe(self, now_us: int) -> int | None:
        """Before anything is painted: how long is the road? Returns the number of the question to write, if any."""
        return self._ask(now_us, clean=True, probe=True) if self.asking and not self._out else None

    def painted(self, now_us: int, size: int = SMALL + 1) -> int | None:
        """A paint of `size` bytes has been written. Returns the number of the question to write behind it, if any."""
        self.frames_sent += 1
        if self._overdue(now_us):
            self._give_up()
        elif self.pictures >= self.window:
            self.uncovered = True
            return None
        return self._ask(now_us, clean=size <= SMALL and not self._out) if self.asking else None

    def answered(self, number: int, now_us: int) -> int | None:
        """An answer has come. Returns the number of the chasing question to write, if any."""
        self.answers += 1
        self.silences = 0
        self.asking = True
        place = next((at for at, asked in enumerate(self._out) if asked.number % NUMBERS == number), None)
        if place is None:
            return None
        for _ in range(place):
            self._out.popleft()
        self._learn(self._out.popleft(), now_us)
        if self.uncovered and not self.chasing:
            self.chasing = True
            return self._ask(now_us, clean=False)
        if not self._out:
            self.uncovered = self.chasing = False
        return None

    def ready(self, now_us: int, backlog: int, urgent: bool = False) -> bool:
        """`backlog`: characters written that the system has not taken yet. `urgent`: it is the answer to a key."""
        held = self.pictures >= self.window and not self._overdue(now_us)
        return backlog == 0 and (not held or (urgent and not self.uncovered and not self.chasing))

    def admit(self, now_us: int, backlog: int, urgent: bool = False) -> bool:
        """Ask before a picture is made; a refusal is counted and remembered."""
        if self.ready(now_us, backlog, urgent):
            self.withheld = False
            return True
        self.frames_skipped += 1
        self.withheld = True
        self._pressed = self._pressed or backlog == 0
        return False

    def reset(self, asking: bool) -> None:
        """Forget what is outstanding: the terminal was left or taken again. Counters stay."""
        self.asking = asking
        self.silences = 0
        self.window = 1
        self.uncovered = self.chasing = self.withheld = self._pressed = False
        self._out.clear()
        self._clean.clear()
        self._least_us = None

    def _ask(self, now_us: int, *, clean: bool, probe: bool = False) -> int:
        number = self.questions
        self.questions += 1
        if not probe:
            self.uncovered = False
        self._out.append(Asked(number, now_us, clean, probe))
        return number

    def _overdue(self, now_us: int) -> bool:
        return bool(self._out) and now_us - self._out[0].at_us >= self.hold_us

    def _give_up(self) -> None:
        self._out.clear()
        self.uncovered = self.chasing = False
        self.window = 1
        self.silences += 1
        if self.silences >= MUTE_AFTER:
            self.asking = False

    def _learn(self, asked: Asked, now_us: int) -> None:
        """Widen or narrow the window by what an answer took."""
        took_us = max(0, now_us - asked.at_us)
        if asked.clean:
            self._clean.append(took_us)
            self._least_us = min(self._clean)
        elif self._least_us is None or took_us < self._least_us:
            self._least_us = took_us
        assert self._least_us is not None
        self.waited_us = took_us - self._least_us
        slack_us = SLACK_US + self._least_us // 4
        if self.waited_us <= slack_us:
            if self._pressed and self.window < WINDOW_MAX:
                self.window += 1
            self._pressed = False
        elif asked.at_us >= self._narrowed_us:
            self._narrowed_us = now_us
            self.window = max(1, self.window // 2 if self.waited_us > 2 * slack_us else self.window - 1)
