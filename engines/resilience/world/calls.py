"""What the calling side of an edge keeps of every call and every attempt, and of the faults injected into it."""

from typing import Final

from engines.resilience.breaker import Breaker
from engines.resilience.deadline import NEVER
from engines.resilience.retry import ActiveBudget
from engines.resilience.world.messages import Origin

NO_PERMIT: Final = -1


class InjectedFault:
    """Istio's faults on an edge, sampled independently of each other."""

    __slots__ = ("abort_percent", "abort_status", "delay_percent", "delay_us", "hits")

    def __init__(self) -> None:
        self.hits = 0
        """Requests that were delayed or aborted so far."""
        self.clear()

    def clear(self) -> None:
        """None."""
        self.abort_percent = self.delay_percent = self.delay_us = 0
        self.abort_status = 503


class PendingCall:
    """A call on its way through the layers."""

    __slots__ = (
        "acquired_us", "active", "attempts", "began_us", "capped", "deadline_us", "delay_us", "guard", "id", "job",
        "kind", "limit_us", "live", "order", "origin", "permit", "place", "retrying", "root", "tries", "waiting",
    )  # fmt: skip

    def __init__(self, id: int, job: int, root: int, kind: str, order: tuple[str, ...], now_us: int) -> None:
        self.id = id
        self.job = job
        """Whose call it is: a number of the node."""
        self.root = root
        self.kind = kind
        self.order = order
        self.place = -1
        """The innermost layer it has entered."""
        self.began_us = now_us
        self.deadline_us = NEVER
        """When the one on whose behalf it is will have given up, if that is known."""
        self.limit_us = NEVER
        """When its timeout ends it."""
        self.tries = 0
        self.attempts = 0
        self.origin: Origin | None = None
        """Where the failure began that the newest answer told of."""
        self.delay_us = 0
        self.permit = NO_PERMIT
        """Of the breaker."""
        self.guard: Breaker | None = None
        """The breaker that gave it."""
        self.acquired_us = 0
        self.waiting: dict[str, int] = {}
        """Due actions in the agenda by layer: its timeout, its next try, its hedge."""
        self.capped = False
        """Whether it takes a place under the cap on retries."""
        self.active: ActiveBudget | None = None
        """The budget it counts in."""
        self.retrying = False
        self.live: dict[int, None] = {}
        """Attempts that have no answer yet."""


class Attempt:
    """A request that was sent, or is about to be."""

    __slots__ = ("call", "capped", "hedge", "host", "sent_us")

    def __init__(self, call: int, host: str, sent_us: int, hedge: bool, capped: bool) -> None:
        self.call = call
        self.host = host
        self.sent_us = sent_us
        self.hedge = hedge
        self.capped = capped
        """Whether it takes a place under the cap on requests."""
