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

from typing import Final, NamedTuple

from engines.sim.checks import CheckBook

ONE_TRACE: Final = "one trace for a request"
CAUSE: Final = "a span hangs under its cause"
UNIQUE: Final = "span ids are unique"
WHOLE: Final = "every missing span is accounted for"
ADDS_UP: Final = "a critical path adds up to its root"
EVICTION: Final = "no trace is half evicted"
KEEPS_ERRORS: Final = "tail sampling keeps every error"
ALL_OR_NONE: Final = "a trace is kept whole or not at all"
SUBSET: Final = "a lower ratio keeps a subset"

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


class Violation(NamedTuple):
    """A check that does not hold, and what shows it."""

    check: str
    detail: str
    witness: tuple[str, ...]


class Checks(CheckBook):
    """What has failed so far, and the first thing that showed it."""

    def __init__(self) -> None:
        super().__init__(DEMANDS)

    def take(self, violations: list[Violation], position: int, at_us: int) -> None:
        """Violations of the last event."""
        self.position, self.at_us = position, at_us
        for each in violations:
            self.fail(each.check, each.detail, *each.witness)
        violations.clear()
