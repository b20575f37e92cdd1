"""Rules of the service world that can be switched off to see why they are there.

Each stands for a bug that real clients have had, and each has a check that turns red when it is off.
"""

from dataclasses import dataclass, fields
from typing import Final


@dataclass(frozen=True, slots=True)
class Rules:
    """All on: every check holds."""

    open_rejects: bool = True
    """An open breaker lets nobody through. Off: the rejection is logged, and the call goes out all the same."""
    probe_limit: bool = True
    """Half-open admits so many probes and no more. Off: everybody is let in at once."""
    count_success: bool = True
    """The window counts successes too. Off: only failures are counted, and every rate is 100 percent."""
    retry_limit: bool = True
    """A call is tried 1 + r times and within the budget. Off: until it works."""
    release_permits: bool = True
    """A call that times out gives its permits back. Off: it forgets them."""
    answer_once: bool = True
    """An answer that comes after the call has ended is dropped. Off: it ends the call again."""
    count_waste: bool = True
    """Work for a caller that has given up is counted as waste. Off: it passes for useful work."""

    def items(self) -> tuple[tuple[str, bool], ...]:
        """Names and states."""
        return tuple((field.name, getattr(self, field.name)) for field in fields(self))


RULE_NAMES: Final = tuple(field.name for field in fields(Rules))
