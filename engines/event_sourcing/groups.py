"""Persistent groups: the server keeps the position, and hands each event to one of several consumers.

At least once, and the order is **not** promised: a retry comes after what was handed out meanwhile. An event that is
not acknowledged in 30 s is tried again, after 10 retries it is parked. The checkpoint says that all below it are done;
it is written after 2 s if at least 10 events were done, and at 1,000 in any case, so a restart hands out again what
lies behind it. Source: KurrentDB, persistent subscriptions; the numbers are its defaults.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from typing import Final, NamedTuple

from engines.event_sourcing.errors import EventStoreError
from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.subscriptions import Parked

BUCKETS: Final = 1_024
"""Pinned streams are spread over so many buckets."""


class Strategy(Enum):
    """Which consumer gets the next event."""

    ROUND_ROBIN = "round robin"
    ONE_CONSUMER = "one consumer"
    PINNED = "pinned by stream"


class Nack(Enum):
    """What a consumer asks for that could not handle an event."""

    PARK = "park"
    RETRY = "retry"
    SKIP = "skip"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class GroupOptions:
    """The numbers of a group."""

    strategy: Strategy = Strategy.ROUND_ROBIN
    timeout_us: int = 30_000_000
    retries: int = 10
    checkpoint_after_us: int = 2_000_000
    checkpoint_least: int = 10
    checkpoint_most: int = 1_000
    buffer: int = 10
    """How many events a consumer may hold unacknowledged."""


class Delivery(NamedTuple):
    """An event handed to a consumer."""

    consumer: str
    event: RecordedEvent
    attempt: int
    """0 at first."""
    due_us: int
    """When it is tried again unless somebody answers."""


class Group:
    """A persistent subscription. It is told the time and holds no clock."""

    def __init__(self, options: GroupOptions | None = None, checkpoint: int = 0, parked: Iterable[Parked] = ()) -> None:
        """Begin, or begin again, behind a checkpoint. What was ``parked`` before is not handed out with the rest."""
        self.options = options or GroupOptions()
        self.checkpoint = checkpoint
        """Written: a restart begins behind it."""
        self.done_to = checkpoint
        """All up to it are done; the next checkpoint."""
        self.fed_to = checkpoint
        self.consumers: list[str] = []
        self.parked: list[Parked] = list(parked)
        self.stopped = False
        self._waiting: deque[RecordedEvent] = deque()
        self._again: deque[tuple[RecordedEvent, int]] = deque()
        """To be handed out before new ones: (event, attempt)."""
        self._out: dict[int, Delivery] = {}
        self._done: dict[int, bool] = {}
        """Positions above ``done_to`` that are done."""
        self._order: deque[int] = deque()
        """Positions that were fed and lie above ``done_to``, in their order."""
        self._next = 0
        self._written_us = 0

    def join(self, consumer: str) -> None:
        """A consumer connects."""
        if consumer in self.consumers:
            raise EventStoreError(f"consumer {consumer!r} is in the group already")
        self.consumers.append(consumer)

    def leave(self, consumer: str, now_us: int) -> None:
        """A consumer is gone: what it held is handed to others."""
        self.consumers.remove(consumer)
        for delivery in [each for each in self._out.values() if each.consumer == consumer]:
            self._retry(delivery, "its consumer left")

    def feed(self, events: Iterable[RecordedEvent]) -> None:
        """Events of the store, in global order, behind those that were fed before."""
        aside = {each.event.position: True for each in self.parked}
        for event in events:
            if event.position > self.fed_to:
                self._order.append(event.position)
                self.fed_to = event.position
                if event.position in aside:
                    self._done[event.position] = True
                else:
                    self._waiting.append(event)

    def dispatch(self, now_us: int) -> tuple[Delivery, ...]:
        """Hand out what consumers have room for."""
        handed = []
        while not self.stopped and (self._again or self._waiting):
            event, attempt = self._again[0] if self._again else (self._waiting[0], 0)
            consumer = self._pick(event)
            if consumer is None:
                break
            if self._again:
                self._again.popleft()
            else:
                self._waiting.popleft()
            delivery = Delivery(consumer, event, attempt, now_us + self.options.timeout_us)
            self._out[event.position] = delivery
            handed.append(delivery)
        return tuple(handed)

    def ack(self, position: int, now_us: int) -> None:
        """An event was handled. A late one, of an event that was handed out again, counts as well."""
        delivery = self._out.pop(position, None)
        if delivery is None:
            self._again = deque(each for each in self._again if each[0].position != position)
        self._finish(position, now_us)

    def nack(self, position: int, what: Nack, why: str, now_us: int) -> None:
        """A consumer could not handle an event."""
        delivery = self._out.get(position)
        if delivery is None:
            raise EventStoreError(f"position {position}: no consumer holds it")
        if what is Nack.RETRY:
            self._retry(delivery, why)
        elif what is Nack.STOP:
            self.stopped = True
        else:
            del self._out[position]
            if what is Nack.PARK:
                self.parked.append(Parked(delivery.event, why, delivery.attempt + 1))
            self._finish(position, now_us)

    def tick(self, now_us: int) -> None:
        """Time has come to ``now_us``: retry what nobody answered, write the checkpoint if it is due."""
        for delivery in [each for each in self._out.values() if each.due_us <= now_us]:
            self._retry(delivery, "no answer in time")
        self._write(now_us)

    def replay_parked(self) -> int:
        """Hand out the parked events once more, before new ones; return how many."""
        count = len(self.parked)
        for parked in reversed(self.parked):
            self._again.appendleft((parked.event, 0))
        self.parked = []
        return count

    def handed(self) -> tuple[Delivery, ...]:
        """What consumers hold, by position."""
        return tuple(self._out[position] for position in sorted(self._out))

    def unacknowledged(self) -> tuple[int, ...]:
        """The positions that consumers hold."""
        return tuple(sorted(self._out))

    def _pick(self, event: RecordedEvent) -> str | None:
        if not self.consumers:
            return None
        room = dict.fromkeys(self.consumers, self.options.buffer)
        for delivery in self._out.values():
            if delivery.consumer in room:
                room[delivery.consumer] -= 1
        if self.options.strategy is Strategy.PINNED:
            bucket = int.from_bytes(blake2b(event.stream.encode(), digest_size=4).digest(), "big") % BUCKETS
            name = self.consumers[bucket * len(self.consumers) // BUCKETS]
            return name if room[name] > 0 else None
        if self.options.strategy is Strategy.ONE_CONSUMER:
            return self.consumers[0] if room[self.consumers[0]] > 0 else None
        for turn in range(len(self.consumers)):
            name = self.consumers[(self._next + turn) % len(self.consumers)]
            if room[name] > 0:
                self._next = (self._next + turn + 1) % len(self.consumers)
                return name
        return None

    def _retry(self, delivery: Delivery, why: str) -> None:
        position = delivery.event.position
        del self._out[position]
        if delivery.attempt >= self.options.retries:
            self.parked.append(Parked(delivery.event, why, delivery.attempt + 1))
            self._finish(position, 0)
        else:
            self._again.append((delivery.event, delivery.attempt + 1))

    def _finish(self, position: int, now_us: int) -> None:
        if position > self.done_to:
            self._done[position] = True
        while self._order and self._order[0] in self._done:
            self.done_to = self._order.popleft()
            del self._done[self.done_to]
        self._write(now_us)

    def _write(self, now_us: int) -> None:
        options, fresh = self.options, self.done_to - self.checkpoint
        due = fresh >= options.checkpoint_least and now_us >= self._written_us + options.checkpoint_after_us
        if due or fresh >= options.checkpoint_most:
            self.checkpoint = self.done_to
            self._written_us = max(self._written_us, now_us)


__all__ = ["BUCKETS", "Delivery", "Group", "GroupOptions", "Nack", "Strategy"]
