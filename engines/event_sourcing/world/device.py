"""A simulated disk, and the log a store keeps on it: power can fail between any two steps.

Writes go to pages and wait in the cache of the device until ``sync``. When the power fails, each page that waits is
lost, or survives, or is torn: its first half is new, its second half old. The order of writes does not protect.

The log is a row of frames, each an event with its checksum in the chain; the last frame of a batch says so. Recovery
reads from the start and ends at the first frame that does not fit, then goes back to the end of the last whole batch.
What was cut off was never acknowledged, if the store syncs before it acknowledges.
"""

import json
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from engines.event_sourcing.events import GENESIS, RecordedEvent, chain
from engines.sim.random import Stream

PAGE_BYTES: Final = 256
_EMPTY: Final = bytes(PAGE_BYTES)


class PowerLoss(NamedTuple):
    """What became of the pages that were waiting."""

    lost: int
    survived: int
    torn: int


@dataclass(slots=True)
class Device:
    """Pages by number."""

    durable: dict[int, bytes] = field(default_factory=dict)
    waiting: dict[int, bytes] = field(default_factory=dict)
    """Written, not synced; what a running process reads."""
    syncs: int = 0

    def read(self, page: int) -> bytes:
        """A page as a process sees it."""
        found = self.waiting.get(page)
        return found if found is not None else self.durable.get(page, _EMPTY)

    def write(self, page: int, content: bytes) -> None:
        """Write a page; it waits."""
        self.waiting[page] = content

    def sync(self) -> None:
        """All that waits is durable."""
        self.durable.update(self.waiting)
        self.waiting.clear()
        self.syncs += 1

    def power_loss(self, stream: Stream) -> PowerLoss:
        """Lose, keep or tear each page that waits."""
        lost = survived = torn = 0
        for page, content in self.waiting.items():
            fate = stream.below(3)
            if fate == 0:
                lost += 1
            elif fate == 1:
                survived += 1
                self.durable[page] = content
            else:
                torn += 1
                half = PAGE_BYTES // 2
                self.durable[page] = content[:half] + self.durable.get(page, _EMPTY)[half:]
        self.waiting.clear()
        return PowerLoss(lost, survived, torn)

    def splice(self, offset: int, data: bytes) -> tuple[tuple[int, bytes], ...]:
        """The pages that putting ``data`` at ``offset`` would write, in their order."""
        pages = []
        while data:
            page, start = divmod(offset, PAGE_BYTES)
            part = data[: PAGE_BYTES - start]
            old = self.read(page)
            pages.append((page, old[:start] + part + old[start + len(part) :]))
            offset += len(part)
            data = data[len(part) :]
        return tuple(pages)


class Recovered(NamedTuple):
    """What a log held."""

    events: tuple[RecordedEvent, ...]
    offset: int
    """Where the next frame goes."""
    dropped: int
    """Whole frames behind the last whole batch."""
    broken: bool
    """Whether it ended in a frame that does not fit."""


def frame(event: RecordedEvent, last: bool) -> bytes:
    """An event as bytes; ``last``: of its batch."""
    text = json.dumps([*event, last], separators=(",", ":")).encode()
    return b"%08x" % len(text) + text


def recover(device: Device, *, whole_batches: bool = True) -> Recovered:
    """Read a log from its start."""
    events: list[RecordedEvent] = []
    kept = offset = good = 0
    checksum = GENESIS
    broken = False
    while True:
        head = _bytes(device, offset, 8)
        if head == bytes(8):
            break
        found = _parse(device, offset, head)
        if found is None or found[0].position != len(events) + 1 or not _fits(checksum, found[0]):
            broken = True
            break
        event, last, offset = found
        events.append(event)
        checksum = event.checksum
        if last or not whole_batches:
            kept, good = len(events), offset
    return Recovered(tuple(events[:kept]), good, len(events) - kept, broken)


def _fits(checksum: str, event: RecordedEvent) -> bool:
    """Whether an event continues the chain. Of a torn frame a field may be anything that JSON can say."""
    return isinstance(event.body, str) and chain(checksum, event) == event.checksum


def _parse(device: Device, offset: int, head: bytes) -> tuple[RecordedEvent, bool, int] | None:
    try:
        length = int(head, 16)
        if not 0 < length < 1 << 20:
            return None
        *fields, last = json.loads(_bytes(device, offset + 8, length))
        event = RecordedEvent(*fields)
        return event, last, offset + 8 + length
    except (ValueError, TypeError):
        return None


def _bytes(device: Device, offset: int, length: int) -> bytes:
    first, start = divmod(offset, PAGE_BYTES)
    pages = range(first, (offset + length - 1) // PAGE_BYTES + 1)
    return b"".join(map(device.read, pages))[start : start + length]


__all__ = ["PAGE_BYTES", "Device", "PowerLoss", "Recovered", "frame", "recover"]
