"""The guarantees of tracing, each of which a broken rule turns red. A failed check stays failed: it is a fact.

- one trace: all spans of a request have one trace id. A service that drops the headers breaks it, too
- cause: within a trace, a span's parent is the span that caused it
- ids: no two spans have one id
- whole or not: all services keep a trace, or none does
- subset: what is kept at a ratio contains what is kept at half of it
- adds up: the critical path is a partition of the root's interval
- accounted for: a span that is named as a parent and not there is known to be lost or on its way; a span that has
  arrived is in its trace
- eviction: a full store gives up whole traces
- errors: the tail sampler drops no trace whose error has arrived within the time it waits
"""

from typing import Final

from engines.sim.pattern import Check
from engines.tracing.world.ledger import (
    ADDS_UP,
    ALL_OR_NONE,
    CAUSE,
    EVICTION,
    KEEPS_ERRORS,
    ONE_TRACE,
    SUBSET,
    UNIQUE,
    WHOLE,
    Violation,
)

DEMANDS: Final = {
    ONE_TRACE: "all spans of a request have one trace id",
    CAUSE: "the parent of a span is the span that caused it",
    UNIQUE: "no two spans have one id",
    ALL_OR_NONE: "every service keeps a trace, or none does",
    SUBSET: "what is kept at a ratio contains what is kept at half of it",
    ADDS_UP: "the segments of every critical path sum up exactly to the root's duration",
    WHOLE: "spans that are named and not there are known to be lost or on their way",
    EVICTION: "a full store gives up whole traces, the oldest first",
    KEEPS_ERRORS: "no trace with an error is dropped at the tail while spans of it still arrive",
}


class Invariants:
    """What has failed so far, and the first thing that showed it."""

    def __init__(self) -> None:
        self.failed: dict[str, Check] = {}
        self.known: tuple[Check, ...] = ()
        self._renew()

    def take(self, violations: list[Violation], position: int) -> None:
        """Violations of the last event."""
        for each in violations:
            if each.check not in self.failed:
                self.failed[each.check] = Check(each.check, False, each.detail, each.witness, position)
                self._renew()
        violations.clear()

    def checks(self) -> tuple[Check, ...]:
        """All guarantees, in a fixed order."""
        return self.known

    def _renew(self) -> None:
        self.known = tuple(self.failed.get(name) or Check(name, True, demand) for name, demand in DEMANDS.items())
