"""A breaker with a clock in hand, so that a test reads like the sentence that it checks."""

from dataclasses import replace
from typing import Any

from engines.resilience.breaker import Breaker, BreakerOptions, Rejection, Transition
from engines.resilience.policy import WindowKind
from engines.resilience.presets import PRESETS

MS = 1_000
S = 1_000_000


def options(preset: str, **changed: Any) -> BreakerOptions:
    return replace(PRESETS[preset].options, **changed)


class Bench:
    """Calls one after the other; ``now_us`` is where the clock stands."""

    def __init__(self, preset: str, **changed: Any) -> None:
        self.options = options(preset, **changed)
        self.breaker = Breaker(self.options)
        self.now_us = 0

    @property
    def state(self) -> str:
        return self.breaker.state.value

    @property
    def moves(self) -> list[Transition]:
        return list(self.breaker.history)

    def begin(self) -> int:
        """A call starts, and is let through."""
        permit = self.breaker.acquire(self.now_us)
        assert isinstance(permit, int), permit.why
        return permit

    def rejected(self) -> Rejection:
        """A call starts, and is not let through."""
        rejection = self.breaker.acquire(self.now_us)
        assert isinstance(rejection, Rejection), f"admitted in {self.state}"
        return rejection

    def admits(self) -> bool:
        """Whether a call that starts now is let through; it never ends."""
        return isinstance(self.breaker.acquire(self.now_us), int)

    def end(self, permit: int, ok: bool, duration_us: int = 0) -> Transition | None:
        return self.breaker.result(permit, self.now_us, not ok, duration_us)

    def calls(self, outcomes: str, duration_us: int = 0) -> "Bench":
        """Calls that end at once: ``.`` succeeds, ``x`` fails."""
        for outcome in outcomes:
            self.end(self.begin(), outcome == ".", duration_us)
        return self

    def wait(self, us: int) -> "Bench":
        """Time passes, and nobody looks."""
        self.now_us += us
        return self

    def poll(self) -> "Bench":
        self.breaker.poll(self.now_us)
        return self

    def trip(self) -> "Bench":
        """Open it by failures alone, as soon as it may."""
        if self.options.window is WindowKind.TICK:
            self.calls("x" * self.options.needed)
            self.now_us = self.breaker.window.next_us()
            self.poll()
        while self.state == "closed":
            self.calls("x")
        assert self.state == "open"
        return self

    def half_open(self) -> "Bench":
        """Trip it, wait, and let the first probe start; ``probe`` is its permit."""
        self.trip()
        self.now_us = self.breaker.since_us + self.options.wait_us + 1
        self.probe = self.begin()
        assert self.state == "half_open"
        return self
