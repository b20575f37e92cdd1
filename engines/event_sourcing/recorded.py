"""The user's own events as a run: one record is one event, in global order, so pause, step and seek work on them."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from engines.event_sourcing.events import RecordedEvent, category
from engines.event_sourcing.store import Integrity
from engines.event_sourcing.world import events as e
from engines.event_sourcing.world.snapshot import FoldCost, Snapshot, StoreView
from engines.event_sourcing.world.snapshot import Source as SourceView
from engines.sim.faults import Narrate
from engines.sim.pattern import Check, Variant, needs_source
from engines.sim.recorded import RecordedEngine
from engines.sim.source import Source

INTACT: Final = "integrity"
GAPLESS: Final = "no gaps"
STREAMS_TOLD: Final = 12


class Records(Sequence[RecordedEvent]):
    """The events of a file, and what is known of it. Times are moved so that the run begins at zero and never goes
    back; the events keep their own."""

    def __init__(self, events: Iterable[RecordedEvent], kind: str, integrity: Integrity) -> None:
        self.events = tuple(events)
        self.kind = kind
        self.integrity = integrity
        self.at: list[int] = []
        first = next((event.at_us for event in self.events if event.at_us), 0)
        now = 0
        for event in self.events:
            now = max(now, event.at_us - first if event.at_us else now)
            self.at.append(now)
        self.heads: dict[str, int] = {}
        self.gaps: list[str] = []
        for event in self.events:
            before = self.heads.get(event.stream)
            if (before is None and event.revision > 1) or (before is not None and event.revision != before + 1):
                wanted = 0 if before is None else before + 1
                said = f"stream {event.stream!r}: revision {event.revision} where {wanted} was expected"
                self.gaps.append(f"{said} (position {event.position})")
            self.heads[event.stream] = event.revision

    def __len__(self) -> int:
        return len(self.events)

    def __getitem__(self, index: Any) -> Any:
        return self.events[index]


class OfRecords(RecordedEngine):
    """The engine of a FILE of events, whatever is made of them."""

    @property
    def records(self) -> Records:
        """The events of the file."""
        found = self.source.records
        assert isinstance(found, Records)
        return found

    def at_us(self, record: RecordedEvent) -> int:
        """When it happened, on the run's own time."""
        return self.records.at[min(self.taken, len(self.records) - 1)]

    @property
    def end_us(self) -> int:
        """When the last one happened."""
        return self.records.at[-1] if self.records.at else 0


class EventsRecorded(OfRecords):
    """The events of a FILE, as they are."""

    def take(self, index: int, record: RecordedEvent) -> None:
        """One event more."""
        what = record.command or record.type
        told = e.Appended(record.stream, record.revision, record.revision, record.position, record.who, what)
        self.note(told, category(record.stream) or "file")

    def check(self) -> tuple[Check, ...]:
        """Whether the file is what was written."""
        integrity, gaps = self.records.integrity, self.records.gaps
        said = gaps[0] if gaps else "the revisions of every stream follow each other"
        return (
            Check(INTACT, integrity.ok, integrity.detail, () if integrity.ok else (integrity.detail,)),
            Check(GAPLESS, not gaps, said, tuple(gaps[:5])),
        )

    def snapshot(self) -> Snapshot:
        """The events so far."""
        records = self.records
        source = SourceView(
            self.source.name, records.kind, len(records), len(records.heads), records.integrity.ok,
            records.integrity.detail,
        )  # fmt: skip
        events = records.events[: self.taken]
        store = StoreView(head=events[-1].position if events else 0, written=len(events))
        return Snapshot(
            self.now_us, 0, "recorded", events, store, (), (), (), 1, 3, FoldCost(0, 0, 0, ()), (), (), (), (), (), (),
            self.check(), self.cue, source,
        )  # fmt: skip


def source(
    events: Iterable[RecordedEvent],
    kind: str,
    integrity: Integrity,
    name: str,
    sha256: str,
    path: str = "",
    skipped: int = 0,
) -> Source:
    """The events of a file as records that can be played."""
    return Source(name, sha256, Records(events, kind, integrity), path, skipped)


VARIANT: Final = Variant(
    "recorded",
    "Recorded events",
    "the events of a file, in their global order",
    needs_source,
    (Narrate,),
    from_source=EventsRecorded,
    fidelity=(
        ("modelled", "every event of the file with its stream, revision, type, data and metadata"),
        ("simplified", "the run's time begins with the first event and never goes back; events keep their own times"),
        ("simplified", "of accounts and orders the state is folded; of other streams, what their data last said"),
    ),
)

__all__ = ["VARIANT", "EventsRecorded", "OfRecords", "Records", "source"]
