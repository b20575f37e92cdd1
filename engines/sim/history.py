"""What clients asked and what they were told: invoke, then return, or unknown for ever.

An operation whose answer never came may or may not have happened, now or later; it is *unknown*, not failed.
The history is bounded: the oldest finished operations go first.
"""

from collections import deque
from typing import Any, Final, NamedTuple

from engines.sim.clock import Clock

HISTORY_MAX: Final = 256

INVOKED: Final = "invoked"
OK: Final = "ok"
FAILED: Final = "fail"
UNKNOWN: Final = "unknown"


class Operation(NamedTuple):
    """One client operation. ``returned_us`` is None while it is open or unknown."""

    client: str
    serial: int
    what: Any
    """What was asked for: text, or a record of the pattern's own."""
    status: str
    invoked_us: int
    returned_us: int | None = None
    result: Any = None
    attempts: int = 1


class History:
    """The newest operations, by (client, serial), oldest first."""

    def __init__(self, clock: Clock, maximum: int = HISTORY_MAX) -> None:
        self.clock = clock
        """Operations are stamped with true time: real-time order is what consistency models speak of."""
        self.finished: deque[Operation] = deque(maxlen=maximum)
        self.open: dict[tuple[str, int], Operation] = {}
        self.counts: dict[tuple[str, str], int] = {}
        """How many operations of a client ended with a status, over the whole run."""

    def invoke(self, client: str, serial: int, what: Any) -> None:
        """The client asks."""
        self.open[client, serial] = Operation(client, serial, what, INVOKED, self.clock.now_us)

    def retry(self, client: str, serial: int) -> None:
        """The client asks again."""
        operation = self.open[client, serial]
        self.open[client, serial] = operation._replace(attempts=operation.attempts + 1)

    def finish(self, client: str, serial: int, status: str, result: Any = None) -> None:
        """The client learns the outcome, or gives up (``unknown``)."""
        operation = self.open.pop((client, serial))
        self.counts[client, status] = self.counts.get((client, status), 0) + 1
        returned = None if status == UNKNOWN else self.clock.now_us
        self.finished.append(operation._replace(status=status, returned_us=returned, result=result))

    def operations(self) -> tuple[Operation, ...]:
        """All that are kept, in the order of their invocation."""
        return tuple(sorted((*self.finished, *self.open.values()), key=lambda each: (each.invoked_us, each.client)))
