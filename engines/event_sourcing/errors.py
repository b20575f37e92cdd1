"""What can go wrong with a store of events. Each error names the thing, the place and the remedy."""

from engines.errors import UserError


class EventStoreError(UserError):
    """A store refuses, or cannot be used."""


class Conflict(EventStoreError):
    """The stream is not where the writer believed it to be. Reload, decide again, retry a bounded number of times."""

    def __init__(self, stream: str, expected: str, actual: int, why: str) -> None:
        super().__init__(f"stream {stream!r}: expected {expected}, actual {describe_revision(actual)}: {why}")
        self.stream = stream
        self.expected = expected
        self.actual = actual
        """The revision of the newest event; -1 without a stream."""
        self.why = why


class StreamClosed(EventStoreError):
    """A tombstone closes a stream for ever."""


class EventTooLarge(EventStoreError):
    """An event is larger than a store accepts."""


class BadEvent(EventStoreError):
    """An event that cannot be stored: a name with control characters, data that is no JSON, a repeated id."""


class StaleCheckpoint(EventStoreError):
    """A checkpoint only grows: somebody else of that name is further."""


class UnknownEvent(EventStoreError):
    """Nobody knows how to read an event of this type or version."""

    def __init__(self, stream: str, revision: int, why: str) -> None:
        super().__init__(f"stream {stream!r} revision {revision}: {why}")
        self.why = why


class CorruptStore(EventStoreError):
    """What is in the store is not what was written."""


class NotAStore(EventStoreError):
    """The file is no store of ours."""


class NewerStore(NotAStore):
    """The file was written by a newer version."""


class BusyStore(EventStoreError):
    """Another writer held the store for longer than this one was told to wait."""


class FullStore(EventStoreError):
    """There is no room on the disk. Nothing of the batch was written."""


class ReadOnlyStore(EventStoreError):
    """The store was opened for reading."""


def describe_revision(revision: int) -> str:
    """A revision in words."""
    return "no stream" if revision < 0 else f"revision {revision}"


__all__ = [
    "BadEvent",
    "BusyStore",
    "Conflict",
    "CorruptStore",
    "EventStoreError",
    "EventTooLarge",
    "FullStore",
    "NewerStore",
    "NotAStore",
    "ReadOnlyStore",
    "StaleCheckpoint",
    "StreamClosed",
    "UnknownEvent",
    "describe_revision",
]
