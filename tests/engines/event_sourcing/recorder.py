"""Our SQLite store as a recorder of the ``eventsourcing`` package, so that its own contract tests can judge it.

Originators are streams. Their numbers begin at 0 or 1; which of the two is kept as the version of the (opaque) data.
Each event gets an id of its own, since a repeat that our store would recognise is an IntegrityError there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    IntegrityError,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    Tracking,
)

from engines.event_sourcing import NO_STREAM, BadEvent, Conflict, NewEvent, RecordedEvent, SqliteStore
from engines.event_sourcing.errors import StaleCheckpoint


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (Conflict, BadEvent, StaleCheckpoint) as error:
        raise IntegrityError(str(error)) from error


def _stream(originator_id: UUID | str) -> str:
    return originator_id.hex if isinstance(originator_id, UUID) else originator_id


class OurAggregateRecorder(AggregateRecorder):
    def __init__(self, store: SqliteStore) -> None:
        self.store = store

    def _insert(self, stored: Sequence[StoredEvent], tracking: Tracking | None = None) -> list[int]:
        batches: list[Any] = []
        for stream, group in groupby(stored, key=lambda each: _stream(each.originator_id)):
            events = list(group)
            first = self.store.get_events(stream, 0, 1)
            base = first[0].version if first else events[0].originator_version
            revision = events[0].originator_version - base
            if [each.originator_version for each in events] != list(
                range(base + revision, base + revision + len(events))
            ):
                raise IntegrityError(f"{stream}: versions have a gap or a repeat")
            if base not in (0, 1) or revision < 0:
                raise IntegrityError(f"{stream}: versions begin with 0 or 1")
            new = [NewEvent(uuid4().hex, each.topic, each.state, base) for each in events]
            batches.append((stream, new, revision - 1 if revision else NO_STREAM))
        checkpoints = {tracking.application_name: tracking.notification_id} if tracking else None
        with _translated():
            saved = self.store.save_batches(batches, checkpoints)
        return [position for each in saved for position in each.positions]

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        self._insert(stored_events)
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        found = self.store.get_events(_stream(originator_id), -1 if desc else 0, backward=desc)
        wanted = [
            event
            for event in found
            if (gt is None or event.revision + event.version > gt)
            and (lte is None or event.revision + event.version <= lte)
        ]
        return [
            StoredEvent(originator_id, event.revision + event.version, event.type, event.data)
            for event in wanted[:limit]
        ]


class OurApplicationRecorder(OurAggregateRecorder, ApplicationRecorder):
    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        return self._insert(stored_events, kwargs.get("tracking"))

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = (start or 0) - (1 if inclusive_of_start and start else 0)
        found: list[Notification] = []
        while len(found) < limit:
            page = self.store.read_all(after, limit)
            if not page:
                break
            after = page[-1].position
            found.extend(
                _notification(event)
                for event in page
                if (stop is None or event.position <= stop) and (not topics or event.type in topics)
            )
        return found[:limit]

    def max_notification_id(self) -> int | None:
        return self.store.head() or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        return OurSubscription(self, gt, topics)


def _notification(event: RecordedEvent) -> Notification:
    return Notification(UUID(event.stream), event.revision + event.version, event.type, event.data, event.position)


class OurSubscription(Subscription[ApplicationRecorder]):
    def __next__(self) -> Notification:
        while not self._has_been_stopped:
            found = self._recorder.select_notifications(
                self._last_notification_id, 1, topics=self._topics, inclusive_of_start=False
            )
            if found:
                self._last_notification_id = found[0].id
                return found[0]
            time.sleep(0.005)
        raise StopIteration


class OurProcessRecorder(OurApplicationRecorder, ProcessRecorder):
    def insert_tracking(self, tracking: Tracking) -> None:
        self._insert([], tracking)

    def max_tracking_id(self, application_name: str) -> int | None:
        return self.store.checkpoint(application_name)
