"""Wall time to virtual time: run, pause, speed, step and seek over a timeline.

The player owns no state of the run, only how it is watched: whether it plays and how fast. Virtual time per wall
time is a fraction, and what does not divide is carried over to the next tick, so an hour of ticks of any length
comes to exactly an hour. The work of one tick is bounded: a machine that cannot keep up sees time move less, never
a frozen screen.
"""

from fractions import Fraction
from typing import Any, Final

from engines.sim.events import Event
from engines.sim.faults import Narrate
from engines.sim.timeline import Input, Timeline
from engines.units import US_PER_S

SPEEDS: Final = tuple(
    Fraction(*each) for each in ((1, 100), (1, 50), (1, 20), (1, 10), (1, 5), (1, 2), (1, 1), (2, 1), (5, 1), (10, 1))
)
"""Virtual time per wall time, slowest first."""
TICK_STEPS: Final = 10_000
"""Steps in one tick at most: about a tenth of a second of work."""
JUMP_STEPS: Final = 100_000
"""Steps of one jump forward at most: a second or two of work."""
TICK_WALL_US: Final = 1_000_000
"""A longer gap between ticks (a suspended process, a laptop's lid) counts as this much."""


class Player:
    """One run as it is watched."""

    def __init__(self, timeline: Timeline[Any, Any], speed: Fraction, playing: bool = True) -> None:
        self.timeline = timeline
        self.playing = playing
        self.speed = speed
        self.stopped_at = ""
        """Why it paused by itself: ``cue``, ``end`` of the scenario or of the ``data``; empty if a person paused it."""
        self._carry = 0
        self._ended: set[int] = set()
        self._joined: list[Input] = []
        """Commands that belong to the one before: the same key gave both."""

    # -- time ------------------------------------------------------------------------------------------------

    def tick(self, wall_us: int, max_steps: int = TICK_STEPS) -> bool:
        """Let this much wall time pass; True if anything may have changed."""
        if not self.playing or wall_us <= 0:
            return False
        scaled = min(wall_us, TICK_WALL_US) * self.speed.numerator + self._carry
        due_us, self._carry = divmod(scaled, self.speed.denominator)
        before = self._place()
        goal_us = self.timeline.now_us + due_us
        self._advance(goal_us, max_steps)
        if self.timeline.now_us < goal_us:
            self._carry = 0
        return self._place() != before or not self.playing

    def forward(self, span_us: int = US_PER_S) -> None:
        """Jump ahead, through the recorded future or beyond it. A cue on the way stops it."""
        self._forget()
        self._advance(self.timeline.now_us + span_us, JUMP_STEPS)

    def rewind(self, span_us: int = US_PER_S) -> None:
        """Jump back."""
        self.seek_time(self.timeline.now_us - span_us)

    def seek_time(self, at_us: int) -> None:
        """Go to a time of this branch, clamped to what it holds."""
        self._forget()
        self.timeline.seek_time(at_us)

    def home(self) -> None:
        """Go to the start."""
        self._forget()
        self.timeline.seek(0)

    def end(self) -> None:
        """Go to the newest place of this branch."""
        self._forget()
        self.timeline.seek(self.timeline.branch.end_position)

    def step(self) -> bool:
        """One event more, and pause. False if nothing is left to happen."""
        self.pause()
        return self.timeline.step()

    def back(self) -> bool:
        """Undo one event, and pause. False at the start."""
        self.pause()
        return self.timeline.back()

    # -- how it is watched -----------------------------------------------------------------------------------

    def play(self) -> None:
        """Go on; in the past this replays the recorded future."""
        self._forget()
        self.playing = True

    def pause(self) -> None:
        """Stand still."""
        self._forget()
        self.playing = False

    def toggle(self) -> None:
        """Run or pause."""
        if self.playing:
            self.pause()
        else:
            self.play()

    def faster(self) -> bool:
        """The next higher level; False at the highest."""
        return self._set_speed(next((level for level in SPEEDS if level > self.speed), None))

    def slower(self) -> bool:
        """The next lower level; False at the lowest."""
        return self._set_speed(next((level for level in reversed(SPEEDS) if level < self.speed), None))

    # -- what a person does to the run -----------------------------------------------------------------------

    def submit(self, command: Any, joined: bool = False) -> tuple[Event, ...]:
        """Give a command now; in the past this starts a branch. UserError if it is refused.

        ``joined``: it is one deed with the command before, and taken back with it.
        """
        events = self.timeline.submit(command)
        if joined:
            self._joined.append(self.timeline.branch.log[-1])
        return events

    def take_back(self, given: int = 0) -> tuple[Input, ...]:
        """Undo the last deed of a person: a new branch begins just before it. Its commands; none if there is none.

        ``given``: so many commands at the start of the log are no deeds.
        """
        timeline = self.timeline
        deeds = [
            entry for entry in timeline.branch.log[given:]
            if entry.position < timeline.position and not (entry.scripted or isinstance(entry.command, Narrate))
        ]  # fmt: skip
        if not deeds:
            return ()
        first = len(deeds) - 1
        while first and deeds[first] in self._joined:
            first -= 1
        self._forget()
        timeline.seek(deeds[first].position)
        timeline.engine.settle(deeds[first].at_us)
        timeline.fork()
        return tuple(deeds[first:])

    # -- inside ----------------------------------------------------------------------------------------------

    def _advance(self, goal_us: int, max_steps: int) -> None:
        """Advance to the goal, but not through a cue, and through the end of the scenario only once told."""
        timeline = self.timeline
        scenario, number = timeline.branch.scenario, timeline.branch.number
        ends = scenario is not None and number not in self._ended and timeline.now_us < scenario.end_us <= goal_us
        if ends and scenario is not None:
            goal_us = scenario.end_us
        if timeline.advance(goal_us, max_steps, stop_at_cues=True):
            self._stop("cue")
        elif ends and timeline.now_us >= goal_us:
            self._ended.add(number)
            self._stop("end")
        elif timeline.variant.source is not None and timeline.engine.next_us() is None:
            self._stop("data")

    def _stop(self, why: str) -> None:
        self.playing, self.stopped_at, self._carry = False, why, 0

    def _forget(self) -> None:
        self.stopped_at, self._carry = "", 0

    def _set_speed(self, level: Fraction | None) -> bool:
        if level is None:
            return False
        self.speed, self._carry = level, 0
        return True

    def _place(self) -> tuple[int, int]:
        return self.timeline.position, self.timeline.now_us


def speed_name(speed: Fraction) -> str:
    """``x1/50``, ``x1``, ``x10``."""
    return f"x{speed}"
