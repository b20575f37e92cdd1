"""What must be true of any breaker, checked from outside: by the transitions it tells and the calls it lets through.

Nothing here asks the breaker for its opinion, so a breaker with a bug cannot talk its way out.
"""

from typing import Final

from engines.resilience.explain import Transition
from engines.resilience.policy import BreakerOptions
from engines.resilience.states import TRANSITIONS, State
from engines.sim.pattern import Check

WITNESSES_MAX: Final = 5


def ms_word(us: int) -> str:
    """Milliseconds, with as many decimals as needed."""
    return str(us // 1_000) if us % 1_000 == 0 else f"{us // 1_000}.{us % 1_000:03}".rstrip("0")


class Laws:
    """Follows one breaker through its life."""

    __slots__ = ("admitted", "broken", "ended", "here", "options", "state")

    def __init__(self, options: BreakerOptions) -> None:
        self.options = options
        self.state = State.CLOSED
        self.here = 0
        """Calls let through since the last transition, while it is not closed."""
        self.admitted = 0
        self.ended = 0
        self.broken: dict[str, list[str]] = {"open rejects": [], "probe limit": [], "state table": []}

    def moved(self, moved: Transition) -> None:
        """It told of a transition."""
        if moved.src is not self.state or TRANSITIONS.get((moved.src, moved.cause)) is not moved.dst:
            where = f"at {ms_word(moved.at_us)} ms, while {self.state.value}"
            self._break("state table", f"{moved.src.value} > {moved.dst.value} by {moved.cause.value} {where}")
        self.state = moved.dst
        self.here = 0

    def passed(self, at_us: int, call: int) -> None:
        """It let a call through."""
        self.admitted += 1
        if self.state is State.CLOSED:
            return
        self.here += 1
        line = f"call {call} at {ms_word(at_us)} ms"
        if self.state is State.OPEN:
            self._break("open rejects", f"{line} passed an open breaker")
        elif self.here > self.options.probes:
            self._break("probe limit", f"{line} is probe {self.here} of {self.options.probes}")

    def _break(self, law: str, witness: str) -> None:
        if len(self.broken[law]) < WITNESSES_MAX:
            self.broken[law].append(witness)

    def checks(self, running: int = 0) -> tuple[Check, ...]:
        """The laws; ``running`` calls have not ended yet."""
        told = {
            "open rejects": "no call passed an open breaker",
            "probe limit": f"half-open let through {self.options.probes} at most",
            "state table": "every transition is an edge of the table",
        }
        found = [Check(name, not self.broken[name], what, tuple(self.broken[name])) for name, what in told.items()]
        ends = f"{self.admitted:,} calls admitted, {self.ended:,} ended" + (f", {running:,} running" if running else "")
        found.append(Check("one end", self.ended + running == self.admitted, ends))
        return tuple(found)
