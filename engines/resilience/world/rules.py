"""Rules of the service world that can be switched off to see why they are there.

Each stands for a bug that real clients have had, and each has a check that turns red when it is off.
"""

from dataclasses import dataclass

from engines.sim.rules import Rules, rule


@dataclass(frozen=True, slots=True)
class ResilienceRules(Rules):
    """All on: every check holds."""

    open_rejects: bool = rule("open rejects")
    """An open breaker lets nobody through. Off: the rejection is logged, and the call goes out all the same."""
    probe_limit: bool = rule("probe limit")
    """Half-open admits so many probes and no more. Off: everybody is let in at once."""
    count_success: bool = rule("count success")
    """The window counts successes too. Off: only failures are counted, and every rate is 100 percent."""
    retry_limit: bool = rule("retry limit")
    """A call is tried 1 + r times and within the budget. Off: until it works."""
    release_permits: bool = rule("release permits")
    """A call that times out gives its permits back. Off: it forgets them."""
    answer_once: bool = rule("answer once")
    """An answer that comes after the call has ended is dropped. Off: it ends the call again."""
    count_waste: bool = rule("count waste")
    """Work for a caller that has given up is counted as waste. Off: it passes for useful work."""
