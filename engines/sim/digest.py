"""A digest of a run: equal runs have equal digests, on every machine and every supported Python.

It is a BLAKE2b chain over the ``ascii`` of every event in order, closed by the ``ascii`` of the final snapshot.
Events and snapshots hold only integers, strings, booleans, None and tuples or records of those, whose ``ascii``
depends neither on the hash seed nor on the version of Python. (``repr`` does: each version knows more characters
that can be printed.)
"""

from collections.abc import Iterable
from hashlib import blake2b


class Digest:
    """A running digest."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=16)

    def feed(self, events: Iterable[object]) -> None:
        """Add events, in their order."""
        self._hash.update("\n".join(map(ascii, events)).encode())
        self._hash.update(b"\n")

    def close(self, snapshot: object) -> str:
        """The digest in hex, with the final snapshot included. More events may still follow."""
        final = self._hash.copy()
        final.update(ascii(snapshot).encode())
        return final.hexdigest()
