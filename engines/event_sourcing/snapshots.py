"""Snapshots: a folded state kept with the revision it stands at, so that only the rest must be folded.

A snapshot is disposable: fold from zero = snapshot + rest, always. It holds the version of its state's schema and is
ignored if that is old. With one every N events, at most N - 1 are replayed.
"""

import json
from typing import Any, NamedTuple, Protocol


class Snapshot(NamedTuple):
    """A state, and where in its stream it stands."""

    stream: str
    revision: int
    schema: int
    """The version of the state's layout."""
    state: str
    """As JSON."""


class SnapshotStore(Protocol):
    """Where snapshots are kept: one a stream, the newest."""

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep it instead of the one before."""

    def snapshot(self, stream: str) -> Snapshot | None:
        """The newest one of this stream."""


class MemorySnapshots:
    """Snapshots in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Snapshot] = {}

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep it instead of the one before."""
        self.kept[snapshot.stream] = snapshot

    def snapshot(self, stream: str) -> Snapshot | None:
        """The newest one of this stream."""
        return self.kept.get(stream)


def encode_state(state: Any) -> str:
    """A state of plain data, as a snapshot holds it."""
    return json.dumps(state, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


__all__ = ["MemorySnapshots", "Snapshot", "SnapshotStore", "encode_state"]
