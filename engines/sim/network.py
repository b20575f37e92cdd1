"""Directed links. Each owns its stream of draws, so what befalls a message depends on its link alone.

A link delivers in order unless reordering is switched on, as a TCP connection does. One 64-bit draw decides a
message: the low 20 bits whether it is lost, the high 32 bits its jitter. Duplication and reordering take their
draws from streams of their own, so switching them on changes no latency and no loss.
"""

from dataclasses import dataclass
from typing import Any

from engines.sim.random import Stream, stream_key
from engines.state import kept
from engines.units import PPM


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """What a fresh link is like. Times in microseconds, chances in parts per million; all faults are off."""

    latency_us: int = 15_000
    jitter_us: int = 10_000
    loss_ppm: int = 0
    duplicate_ppm: int = 0
    reorder_ppm: int = 0

    def loss_threshold(self) -> int:
        """The loss as a bound on the low 20 bits of a draw."""
        return (self.loss_ppm << 20) // PPM


class Link:
    """The link src -> dst as it is now, and how many messages were sent over it."""

    __slots__ = (
        "_duplicates",
        "_reorders",
        "ahead",
        "clogged",
        "cut",
        "dst",
        "duplicate_ppm",
        "duplicated",
        "held",
        "held_back",
        "jitter_us",
        "key",
        "last_arrival_us",
        "latency_us",
        "loss_ppm",
        "loss_threshold",
        "options",
        "reorder_ppm",
        "reordered",
        "seed",
        "sent",
        "src",
    )

    def __init__(self, seed: int, src: str, dst: str, options: LinkOptions) -> None:
        self.src = src
        self.dst = dst
        self.key = stream_key(seed, f"link/{src}>{dst}")
        self.seed = seed
        self._duplicates: Stream | None = None
        self._reorders: Stream | None = None
        self.options = options
        self.sent = 0
        self.ahead: list[int] = []
        """The draws of the next messages, made some at a time."""
        self.duplicated = self.reordered = self.held_back = 0
        """How many messages its faults have touched so far."""
        self.last_arrival_us = 0
        self.cut = False
        self.clogged = False
        self.held: list[tuple[Any, int, int]] = []
        """What a clogged link keeps back: (message, departs_us, flight_us)."""
        self.heal()

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """What was drawn ahead is drawn again."""
        return kept(self, ahead=[])

    @property
    def duplicates(self) -> Stream:
        """The draws of duplication. Made when first needed: most links of most worlds never do."""
        if self._duplicates is None:
            self._duplicates = Stream(self.seed, f"duplicate/{self.src}>{self.dst}")
        return self._duplicates

    @property
    def reorders(self) -> Stream:
        """The draws of reordering, likewise."""
        if self._reorders is None:
            self._reorders = Stream(self.seed, f"reorder/{self.src}>{self.dst}")
        return self._reorders

    def heal(self) -> None:
        """Back to what the link was when it was laid. Held messages are the world's to release."""
        options = self.options
        self.cut = False
        self.clogged = False
        self.latency_us = options.latency_us
        self.jitter_us = options.jitter_us
        self.duplicate_ppm = options.duplicate_ppm
        self.reorder_ppm = options.reorder_ppm
        self.set_loss(options.loss_ppm)

    def set_loss(self, ppm: int) -> None:
        """Lose this share of the messages."""
        self.loss_ppm = ppm
        self.loss_threshold = (ppm << 20) // PPM

    @property
    def faulty(self) -> bool:
        """Whether anything on it differs from how it was laid."""
        options = self.options
        return (
            self.cut
            or self.clogged
            or self.loss_ppm != options.loss_ppm
            or self.latency_us != options.latency_us
            or self.jitter_us != options.jitter_us
            or self.duplicate_ppm != options.duplicate_ppm
            or self.reorder_ppm != options.reorder_ppm
        )


__all__ = ["Link", "LinkOptions"]
