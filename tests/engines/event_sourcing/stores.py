"""Both stores, so that a test is written once; and short ways to write and to look."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engines.event_sourcing import ANY, EventStore, MemoryStore, NewEvent, SqliteStore

KINDS = ("memory", "sqlite")


def make(kind: str, path: Path, **options: Any) -> EventStore:
    return MemoryStore() if kind == "memory" else SqliteStore(str(path / "store.db"), **options)


def new(*ids: str, type: str = "Happened") -> list[NewEvent]:
    return [NewEvent(id, type, {"id": id}) for id in ids]


def ids(store: EventStore, stream: str = "s") -> list[str]:
    return [event.id for event in store.get_events(stream)]


def filled(store: EventStore, events: Sequence[str] = ("a", "b", "c"), stream: str = "s") -> EventStore:
    store.save_events(stream, new(*events), ANY)
    return store
