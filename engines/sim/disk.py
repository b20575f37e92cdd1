"""What survives a crash: named registers and one append-only log, with writes that are lost until synced.

A node reads its own writes at once (the page cache). With a sync latency of zero every write is durable when
it is made. With a latency, each write leaves an undo record until ``synced`` is called for it, and so does every
write behind an unsynced one; a crash plays the undo records backwards. Everything a node does *not* keep here is
volatile by construction, because a restarted node is a new object that is handed this disk and nothing else.

A register is written as careful programs write a file: to a temporary one, which is synced and takes the other's name.
That is one durable step, and a crash in the middle of it keeps what was there before.
"""

from collections.abc import Sequence
from typing import Any, Final

_REGISTER: Final = 0
_APPEND: Final = 1
_TRUNCATE: Final = 2
_CREATE: Final = 3
_DROP: Final = 4


class Disk:
    """Registers and a log. ``log`` is 0-based; values must be immutable."""

    __slots__ = ("changed_from", "fsync_us", "log", "registers", "truncations", "undo", "writes")

    def __init__(self) -> None:
        self.registers: dict[str, Any] = {}
        self.log: list[Any] = []
        self.fsync_us = 0
        self.undo: list[tuple[int, int, Any, Any]] = []
        """(writes before it, what was done, where, what was there), oldest first."""
        self.writes = 0
        """Counts writes: whoever watches the disk compares it to know that something changed."""
        self.truncations = 0
        self.changed_from = 0
        """The lowest log position written since the watcher last set it to ``len(log)``."""

    def write(self, name: str, value: object) -> None:
        """Set a register."""
        if self.fsync_us or self.undo:
            what = _REGISTER if name in self.registers else _CREATE
            self.undo.append((self.writes, what, name, self.registers.get(name)))
        self.registers[name] = value
        self.writes += 1

    def append(self, *entries: object) -> None:
        """Append to the log."""
        self.extend(entries)

    def extend(self, entries: Sequence[object]) -> None:
        """Append all of these to the log, as one write."""
        if self.fsync_us or self.undo:
            self.undo.append((self.writes, _APPEND, len(self.log), None))
        self.log.extend(entries)
        self.writes += 1

    def truncate(self, length: int) -> None:
        """Drop everything from position ``length`` on."""
        if self.fsync_us or self.undo:
            self.undo.append((self.writes, _TRUNCATE, length, tuple(self.log[length:])))
        del self.log[length:]
        if length < self.changed_from:
            self.changed_from = length
        self.writes += 1
        self.truncations += 1

    def drop(self, count: int) -> None:
        """Forget the first ``count`` entries of the log; all others move forward by as many positions."""
        if self.fsync_us or self.undo:
            self.undo.append((self.writes, _DROP, count, tuple(self.log[:count])))
        del self.log[:count]
        self.changed_from = max(0, self.changed_from - count)
        self.writes += 1

    def durable_length(self) -> int:
        """How much of the log, from its beginning, a crash would leave as it is."""
        length = len(self.log)
        if not self.undo:
            return length
        dropped = 0
        for _, what, where, _ in self.undo[::-1]:
            if what == _DROP:
                dropped += where
            elif what in (_APPEND, _TRUNCATE):
                length = min(length, max(0, where - dropped))
        return length

    def synced(self, writes: int) -> None:
        """All but the writes made since the counter stood at ``writes`` are durable now."""
        self.undo = [record for record in self.undo if record[0] >= writes]

    def crash(self) -> int:
        """Lose what is not durable; return the number of lost writes."""
        lost = len(self.undo)
        for _, what, where, old in self.undo[::-1]:
            if what == _REGISTER:
                self.registers[where] = old
            elif what == _CREATE:
                del self.registers[where]
            elif what == _APPEND:
                del self.log[where:]
                self.changed_from = min(self.changed_from, where)
            elif what == _DROP:
                self.log[:0] = old
                self.changed_from += where
            else:
                self.changed_from = min(self.changed_from, len(self.log))
                self.log.extend(old)
        self.undo.clear()
        self.writes += 1
        return lost
