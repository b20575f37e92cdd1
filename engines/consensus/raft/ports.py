"""What a server asks of whoever runs it: a disk and a few effects. Both are small enough to be served by hand.

The simulated world serves them with faults; ``Outbox`` and ``MemoryDisk`` serve them to somebody who wants to feed one
server messages and see what it answers.
"""

from collections.abc import Sequence
from random import Random
from typing import Any, Protocol


class Disk(Protocol):
    """Registers and one log; what is in them survives a crash once ``persist`` said so."""

    registers: dict[str, Any]
    log: list[Any]

    def write(self, name: str, value: object) -> None:
        """Set a register."""

    def extend(self, entries: Sequence[object]) -> None:
        """Append these to the log."""

    def truncate(self, length: int) -> None:
        """Drop everything from position ``length`` on."""

    def drop(self, count: int) -> None:
        """Forget the first ``count`` entries of the log; all others move forward by as many positions."""

    def durable_length(self) -> int:
        """How much of the log, from its beginning, a crash would leave as it is."""


class Draws(Protocol):
    """A source of random numbers."""

    def between(self, low: int, high: int) -> int:
        """A number in [low, high], both ends included."""


class Effects(Protocol):
    """The effects a server may ask for, and its clock."""

    @property
    def now_us(self) -> int:
        """The server's own clock."""

    def send(self, dst: str, message: object) -> None:
        """Send a message; it leaves once all that was persisted before is durable."""

    def send_at_once(self, dst: str, message: object) -> None:
        """Send a message before what was persisted is durable, and past all that waits for that. Never do this."""

    def set_timer(self, name: str, delay_us: int) -> None:
        """(Re)start the named timer."""

    def cancel_timer(self, name: str) -> None:
        """Stop the named timer; no error if it does not run."""

    def persist(self) -> bool:
        """Make all writes so far durable, before any message that is sent from now on leaves."""

    def knows(self, name: str) -> bool:
        """Whether a message can be sent to this name."""

    def stream(self, purpose: str) -> Draws:
        """The random numbers for this purpose."""

    def note(self, what: Any, /) -> None:
        """Take note of an event (events.py)."""


class MemoryDisk:
    """A disk that is always in time."""

    def __init__(self) -> None:
        self.registers: dict[str, Any] = {}
        self.log: list[Any] = []

    def write(self, name: str, value: object) -> None:
        """Set a register."""
        self.registers[name] = value

    def extend(self, entries: Sequence[object]) -> None:
        """Append these to the log."""
        self.log.extend(entries)

    def truncate(self, length: int) -> None:
        """Drop everything from position ``length`` on."""
        del self.log[length:]

    def drop(self, count: int) -> None:
        """Forget the first ``count`` entries of the log."""
        del self.log[:count]

    def durable_length(self) -> int:
        """All of it: nothing is ever lost here."""
        return len(self.log)


class RandomDraws:
    """Python's generator as ``Draws``."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def between(self, low: int, high: int) -> int:
        """A number in [low, high], both ends included."""
        return self.random.randint(low, high)


class Outbox:
    """Keeps what a server asked for: messages, timers (name -> due) and events. Whoever runs it moves ``now_us``."""

    def __init__(self, seed: int = 0) -> None:
        self.now_us = 0
        self.sent: list[tuple[str, Any]] = []
        self.timers: dict[str, int] = {}
        self.notes: list[Any] = []
        self.draws = RandomDraws(seed)

    def take(self) -> list[tuple[str, Any]]:
        """The messages since the last time, as (to whom, message)."""
        sent, self.sent = self.sent, []
        return sent

    def send(self, dst: str, message: object) -> None:
        """Keep a message."""
        self.sent.append((dst, message))

    def send_at_once(self, dst: str, message: object) -> None:
        """Keep a message: nothing waits for a disk here."""
        self.send(dst, message)

    def set_timer(self, name: str, delay_us: int) -> None:
        """Keep when it is due."""
        self.timers[name] = self.now_us + delay_us

    def cancel_timer(self, name: str) -> None:
        """Forget it."""
        self.timers.pop(name, None)

    def persist(self) -> bool:
        """Whatever was written is there."""
        return True

    def knows(self, name: str) -> bool:
        """Everybody can be reached."""
        return True

    def stream(self, purpose: str) -> RandomDraws:
        """One generator for everything."""
        return self.draws

    def note(self, what: Any, /) -> None:
        """Keep an event."""
        self.notes.append(what)


__all__ = ["Disk", "Draws", "Effects", "MemoryDisk", "Outbox", "RandomDraws"]
