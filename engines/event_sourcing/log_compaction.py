"""A log in Kafka's manner: order within one partition, offsets that never change, and compaction by key.

Compaction keeps the last value of each key in the closed segments; the active one is spared. Order and offsets stay, so
holes appear. A tombstone (a value of None) stays for ``delete_retention_us`` after a pass has cleaned what was before
it, then it goes too: a reader that is slower than that misses the delete. Events that are compacted are history gone.
Source: Kafka's design page, "Log Compaction".
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from engines.event_sourcing.errors import EventStoreError

DELETE_RETENTION_US: Final = 24 * 3_600 * 1_000_000


class LogRecord(NamedTuple):
    """A key and its value at an offset. No value: a tombstone."""

    offset: int
    key: str
    value: str | None
    at_us: int = 0


@dataclass(slots=True)
class Segment:
    """A stretch of the log."""

    base: int
    records: list[LogRecord] = field(default_factory=list)


class CompactedLog:
    """One partition."""

    def __init__(self, segment_records: int = 1_000, delete_retention_us: int = DELETE_RETENTION_US) -> None:
        self.segment_records = segment_records
        self.delete_retention_us = delete_retention_us
        self.segments = [Segment(0)]
        self.next_offset = 0
        self.cleaned: dict[int, int] = {}
        """Offset of a tombstone -> when a pass first found it in a closed segment."""

    def append(self, key: str, value: str | None, at_us: int = 0) -> int:
        """Append; the offset. A full segment is closed first."""
        if len(self.segments[-1].records) >= self.segment_records:
            self.roll()
        self.segments[-1].records.append(LogRecord(self.next_offset, key, value, at_us))
        self.next_offset += 1
        return self.next_offset - 1

    def roll(self) -> None:
        """Close the active segment."""
        if self.segments[-1].records:
            self.segments.append(Segment(self.next_offset))

    def read(self, offset: int, limit: int = 1 << 62) -> tuple[LogRecord, ...]:
        """From an offset on; one that was compacted away gives the next that is there."""
        if offset < 0 or offset > self.next_offset:
            raise EventStoreError(f"offset {offset}: 0 to {self.next_offset} is accepted")
        found = [each for segment in self.segments for each in segment.records if each.offset >= offset]
        return tuple(found[:limit])

    def compact(self, now_us: int) -> int:
        """Clean the closed segments; return how many records went."""
        newest: dict[str, int] = {}
        for segment in self.segments[:-1]:
            for each in segment.records:
                newest[each.key] = each.offset
        gone = 0
        for segment in self.segments[:-1]:
            kept = [each for each in segment.records if self._stays(each, newest, now_us)]
            gone += len(segment.records) - len(kept)
            segment.records = kept
        return gone

    def _stays(self, each: LogRecord, newest: dict[str, int], now_us: int) -> bool:
        if newest[each.key] != each.offset:
            return False
        if each.value is not None:
            return True
        return now_us - self.cleaned.setdefault(each.offset, now_us) < self.delete_retention_us

    def table(self) -> dict[str, str]:
        """What the log says of each key now: the fold that compaction preserves."""
        values: dict[str, str] = {}
        for each in self.read(0):
            if each.value is None:
                values.pop(each.key, None)
            else:
                values[each.key] = each.value
        return values


__all__ = ["DELETE_RETENTION_US", "CompactedLog", "LogRecord", "Segment"]
