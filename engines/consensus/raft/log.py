"""A server's log, with the indices of the paper: 1-based, and the first that is kept need not be 1.

What lies before is known by its last index and term, the *base* (0 and 0 before anything was dropped), so that an
AppendEntries that begins right behind it can be tested. A configuration stands in the log as an entry, and the newest
one rules from the moment it is appended, committed or not (dissertation 4.1): the log knows it, and falls back to the
one before when it is truncated.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from engines.consensus.raft.messages import Entry
from engines.consensus.raft.ports import Disk
from engines.consensus.raft.quorum import Configuration

BASE: Final = "base"


class Base(NamedTuple):
    """What is known of the last entry that was dropped. It is a register of the disk, written as the log is cut."""

    last_index: int
    last_term: int
    configuration: Configuration
    """The one in force there."""
    configured_at: int = 0
    """The entry that brought it; 0: none, it is the first."""


class RaftLog:
    """Reads and writes the log of a disk. ``log[i]`` is entry i, and i must lie behind the base."""

    __slots__ = ("base_index", "base_term", "configurations", "disk", "entries", "first", "last_index")

    def __init__(self, disk: Disk, configuration: Configuration) -> None:
        """``configuration``: the one that is in force before the first entry of a log that is whole."""
        self.first = configuration
        self.disk = disk
        self.entries: list[Entry] = disk.log
        self.base_index: int
        self.base_term: int
        self.last_index: int
        """Index of the last entry."""
        self.configurations: list[tuple[int, Configuration]]
        """Entry and configuration, oldest first; the first is the one in force at the base."""
        self.reread()

    def reread(self) -> None:
        """Look at the disk again, which somebody else has changed: a crash takes back what was not synced."""
        base = self.disk.registers.get(BASE) or Base(0, 0, self.first)
        self.base_index, self.base_term = base.last_index, base.last_term
        self.last_index = base.last_index + len(self.entries)
        self.configurations = [(base.configured_at, base.configuration)]
        for index, entry in enumerate(self.entries, self.first_index):
            if isinstance(entry.command, Configuration):
                self.configurations.append((index, entry.command))

    # -- reading -----------------------------------------------------------------------------------------------------

    @property
    def first_index(self) -> int:
        """Index of the first entry that is kept, or would be."""
        return self.base_index + 1

    @property
    def last_term(self) -> int:
        """Its term."""
        return self.entries[-1].term if self.entries else self.base_term

    @property
    def configuration(self) -> Configuration:
        """The newest, which rules."""
        return self.configurations[-1][1]

    def __getitem__(self, index: int) -> Entry:
        place = index - self.base_index - 1
        assert place >= 0, f"entry {index} is gone: the log begins behind {self.base_index}"
        return self.entries[place]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def slice(self, first: int, last: int) -> list[Entry]:
        """The entries from ``first``, which is kept, to ``last``, or to the end of the log; none if that is before."""
        base = self.base_index
        return self.entries[first - base - 1 : last - base] if first <= last else []

    def term_at(self, index: int) -> int:
        """Term of an entry, of the base as well."""
        place = index - self.base_index - 1
        return self.base_term if place == -1 else self.entries[place].term

    def holds(self, index: int, term: int) -> bool:
        """Whether the log contains an entry at this index with this term (the test of AppendEntries, Figure 2).

        What lies before the base was committed: it is there, whatever term is asked for; no leader asks for another.
        """
        place = index - self.base_index - 1
        if place < 0:
            return place < -1 or term == self.base_term
        return place < len(self.entries) and self.entries[place].term == term

    def holds_durably(self, index: int, term: int) -> bool:
        """Whether it holds that entry, and would after a crash."""
        place = index - self.base_index - 1
        return place < 0 or (place < self.disk.durable_length() and self.entries[place].term == term)

    def is_up_to_date(self, last_index: int, last_term: int) -> bool:
        """Whether a log that ends so is at least as up-to-date as this one (paper 5.4.1)."""
        mine = self.last_term
        return last_term > mine or (last_term == mine and last_index >= self.last_index)

    def first_of_term(self, index: int) -> int:
        """The first index that is kept with the term of ``index``."""
        term = self.term_at(index)
        while index > self.first_index and self.term_at(index - 1) == term:
            index -= 1
        return index

    def last_of_term(self, index: int, term: int) -> int:
        """The last index up to ``index`` whose term is not newer than ``term``; the base if there is none."""
        while index > self.base_index and self.term_at(index) > term:
            index -= 1
        return index

    def durable_index(self) -> int:
        """The last index up to which a crash would leave the log as it is."""
        return self.base_index + self.disk.durable_length()

    def configured_at(self, index: int) -> tuple[int, Configuration]:
        """The newest configuration up to an index, and the entry that brought it; 0: it is the first."""
        return next(each for each in reversed(self.configurations) if each[0] <= index)

    def configuration_at(self, index: int) -> Configuration:
        """The newest configuration up to an index."""
        return self.configured_at(index)[1]

    # -- writing; the caller persists --------------------------------------------------------------------------------

    def append(self, entries: tuple[Entry, ...]) -> None:
        """Append entries."""
        self.disk.extend(entries)
        index = self.last_index
        for entry in entries:
            index += 1
            if type(entry.command) is Configuration:
                self.configurations.append((index, entry.command))
        self.last_index = index

    def truncate(self, first: int) -> None:
        """Delete the entry ``first`` and all that follow it."""
        self.disk.truncate(first - self.base_index - 1)
        self.last_index = first - 1
        while self.configurations[-1][0] >= first:
            self.configurations.pop()

    def compact(self, index: int) -> None:
        """Drop everything up to an index; it becomes the base."""
        at, configuration = self.configured_at(index)
        base = Base(index, self.term_at(index), configuration, at)
        self.disk.write(BASE, base)
        self.disk.drop(index - self.base_index)
        self.base_index, self.base_term = base.last_index, base.last_term
        self.configurations = [each for each in self.configurations if each[0] >= at]

    def restart_at(self, base: Base) -> None:
        """Drop the whole log, and go on behind this base."""
        self.disk.write(BASE, base)
        self.disk.truncate(0)
        self.reread()


__all__ = ["BASE", "Base", "RaftLog"]
