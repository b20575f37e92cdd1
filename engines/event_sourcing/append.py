"""The append decision, as a table: what happens to a batch, given where its writer believed the stream to be.

Source: KurrentDB, ``IndexWriter.CheckCommit`` and its documentation of idempotence.

| expected E against current C                                        | result                                  |
|---|---|
| E = C (no stream: C = -1)                                           | append, even if the ids were seen before |
| E < C, the batch's ids are those at E+1, E+2 ... in full            | nothing written, the original positions  |
| E < C otherwise, or an empty batch; E > C                           | conflict                                 |
| any: the first id is unknown in the stream                          | append                                   |
| any: all ids are known                                              | nothing written, the original positions  |
| any: some are known, then an unknown one                            | conflict                                 |
| exists: no stream                                                   | conflict; else as any                    |

A store gives two questions to ask: which ids stand after a revision, and where an id stands in the stream.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final, NamedTuple

from engines.event_sourcing.errors import BadEvent, Conflict, describe_revision


class Expected(Enum):
    """Where a writer believes a stream to be, if it does not name a revision."""

    NO_STREAM = "no stream"
    EXISTS = "an existing stream"
    ANY = "any"


NO_STREAM: Final = Expected.NO_STREAM
EXISTS: Final = Expected.EXISTS
ANY: Final = Expected.ANY

ExpectedRevision = int | Expected


class Appended(NamedTuple):
    """What a batch became."""

    stream: str
    revisions: tuple[int, ...]
    positions: tuple[int, ...]
    """Of the batch's events; those of the first time if it was a repeat."""
    repeated: bool
    """Nothing was written: the batch was there already."""

    @property
    def position(self) -> int:
        """Of its last event; 0 if the batch was empty."""
        return self.positions[-1] if self.positions else 0

    @property
    def revision(self) -> int:
        """Of its last event; -1 if the batch was empty."""
        return self.revisions[-1] if self.revisions else -1


class Place(NamedTuple):
    """Where an event stands."""

    id: str
    revision: int
    position: int


def describe_expected(expected: ExpectedRevision) -> str:
    """An expectation in words."""
    return expected.value if isinstance(expected, Expected) else describe_revision(expected)


def check_expected(expected: ExpectedRevision) -> None:
    """BadEvent unless this is one of the four ways to expect."""
    if isinstance(expected, Expected) or (type(expected) is int and expected >= 0):
        return
    raise BadEvent(f"expected {expected!r}: a revision from 0, NO_STREAM, EXISTS or ANY is accepted")


def decide(
    stream: str,
    expected: ExpectedRevision,
    current: int,
    ids: Sequence[str],
    after: Callable[[int, int], Sequence[Place]],
    find: Callable[[str], Place | None],
    gone: bool = False,
) -> tuple[Place, ...] | None:
    """None: append the batch. Places: it is a repeat, and stands there. Raises Conflict.

    ``current`` is the newest revision, -1 without a stream. ``after(revision, limit)`` returns the places that follow
    a revision, ``find(id)`` the newest place of an id in this stream. ``gone`` says that all its events are hidden.
    """
    if not isinstance(expected, Expected):
        return _exact(stream, expected, current, ids, after)
    if expected is NO_STREAM:
        return None if gone else _exact(stream, -1, current, ids, after)
    if expected is EXISTS and (current < 0 or gone):
        raise Conflict(stream, describe_expected(expected), -1, "there is none")
    known = []
    for index, id in enumerate(ids):
        place = find(id)
        if place is None:
            if index == 0:
                return None
            raise Conflict(
                stream, describe_expected(expected), current, f"the id {ids[0]!r} was written before, {id!r} was not"
            )
        known.append(place)
    return tuple(known) if ids else None


def _exact(
    stream: str, expected: int, current: int, ids: Sequence[str], after: Callable[[int, int], Sequence[Place]]
) -> tuple[Place, ...] | None:
    if expected == current:
        return None
    said = describe_revision(expected)
    if expected > current:
        raise Conflict(stream, said, current, "it is not that long")
    if not ids:
        raise Conflict(stream, said, current, "somebody wrote meanwhile")
    places = tuple(after(expected, len(ids)))
    match = sum(1 for id, place in zip(ids, places, strict=False) if id == place.id)
    if match == len(ids):
        return places
    if match and len(places) < len(ids) and match == len(places):
        raise Conflict(stream, said, current, f"only {match} of the {len(ids)} events were written before")
    if match:
        raise Conflict(stream, said, current, f"{match} of the {len(ids)} events were written before, others were not")
    raise Conflict(stream, said, current, "somebody wrote meanwhile")


__all__ = [
    "ANY",
    "EXISTS",
    "NO_STREAM",
    "Appended",
    "Expected",
    "ExpectedRevision",
    "Place",
    "check_expected",
    "decide",
    "describe_expected",
]
