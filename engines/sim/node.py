"""What a node is, and the effects it may ask for.

A node holds plain data, does no I/O and never looks at another node. It learns of the world by three calls and
acts on it through its context only. What it keeps on ``disk`` survives a crash; the node object itself does
not: a restart builds a new one on the same disk.
"""

from typing import Any, Protocol

from engines.sim.disk import Disk
from engines.sim.random import Stream


class Context(Protocol):
    """The effects a node may ask for."""

    @property
    def now_us(self) -> int:
        """The node's own clock, which may be skewed."""

    def send(self, dst: str, message: object) -> None:
        """Put a message on the link to ``dst``. It leaves once all that was persisted before is durable."""

    def send_at_once(self, dst: str, message: object) -> None:
        """Put a message on the link past all that waits for the disk. It exists to show what that breaks."""

    def set_timer(self, name: str, delay_us: int) -> None:
        """(Re)start the named timer; it runs on the node's own clock."""

    def cancel_timer(self, name: str) -> None:
        """Stop the named timer; no error if it does not run."""

    def persist(self) -> bool:
        """Ask that all writes so far become durable. True if they are; else ``on_synced`` will tell."""

    def knows(self, name: str) -> bool:
        """Whether there is a link to this name."""

    def stream(self, purpose: str) -> Stream:
        """The node's random stream for this purpose."""

    def note(self, what: Any, /) -> None:
        """Record that something happened: a record of its kind (see events.py)."""


class Node(Protocol):
    """A participant: a server, a client, a router."""

    def on_start(self, ctx: Context) -> None:
        """The node begins to live, first or after a crash."""

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """A message arrived from ``src``."""

    def on_timer(self, ctx: Context, name: str) -> None:
        """A timer the node had set ran out."""

    def on_synced(self, ctx: Context) -> None:
        """Writes that had to wait for the disk are durable now."""


__all__ = ["Context", "Disk", "Node"]
