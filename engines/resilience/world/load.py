"""What the clients do: a curve over time, and what they ask for."""

from engines.resilience.world.snapshot import LoadView
from engines.sim.load import Curve, shaped
from engines.units import US_PER_S


class Load:
    """The load in force."""

    __slots__ = ("curve", "mix", "view")

    def __init__(self, view: LoadView, mix: str, now_us: int) -> None:
        self.mix = mix
        self.set(view, now_us)

    def set(self, view: LoadView, now_us: int) -> None:
        """Another one, that begins now."""
        self.view = view
        span_us = view.span_s * US_PER_S
        self.curve: Curve = shaped(view.shape, view.per_s * 1_000, view.to_per_s * 1_000, span_us, now_us)
