"""What may befall a world at random, as its variant publishes it: the fault model, the work, the bound on recovery.

A ``Hazard`` draws one fault, with its end where it has one, or one order of a person. ``Chaos`` is the list of those
that a variant survives, the settings that are worth varying, and what must be so again a bounded time after all is
healed. Hunts and tests draw from it; so what counts as the fault model is said in one place, beside the variant.

What befalls any machine and any link is in ``hazards``. A pattern leaves out what it does not survive, or marks it as
``beyond`` its model, and adds its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from engines.sim.random import Stream
from engines.units import US_PER_MS, US_PER_S

MILD, USUAL, HARSH = 0, 1, 2


class After(NamedTuple):
    """A command, so long after something else."""

    us: int
    command: Any


class Stage(NamedTuple):
    """Whom a fault may befall: the machines of a world and its links, and how hard faults hit."""

    servers: tuple[str, ...]
    clients: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    config: tuple[tuple[str, Any], ...] = ()
    severity: int = USUAL
    """``MILD``, ``USUAL`` or ``HARSH``."""
    longest_us: int = 2 * US_PER_S
    """A fault ends by itself within this time; 0: it lasts until all is healed."""
    lot: int = 0
    """A number of this seed's: for what must be the same in all its draws, such as who is a traitor."""

    def setting(self, name: str, default: Any = None) -> Any:
        """A setting of this world, if it is not the variant's default."""
        return dict(self.config).get(name, default)

    def server(self, draw: Stream) -> str:
        """Any server."""
        return draw.pick(self.servers)

    def machine(self, draw: Stream) -> str:
        """Any machine: now and then a client's."""
        return draw.pick(self.clients) if self.clients and not draw.below(10) else draw.pick(self.servers)

    def link(self, draw: Stream) -> tuple[str, str]:
        """Any link, by its ends; now and then all links of one machine, or all there are."""
        src, dst = draw.pick(self.links)
        match draw.below(8):
            case 0:
                return src, "*"
            case 1:
                return "*", dst
            case 2:
                return "*", "*"
        return src, dst

    def until(self, draw: Stream, end: Any) -> tuple[After, ...]:
        """The command that ends a fault, after a while; none if faults last."""
        return (After(draw.between(1, self.longest_us), end),) if self.longest_us else ()


Make: TypeAlias = Callable[[Stream, Stage], tuple[After, ...]]
"""Draws commands; their times count from when the fault begins."""


@dataclass(frozen=True, slots=True)
class Hazard:
    """One kind of thing that may happen."""

    name: str
    make: Make
    weight: int = 1
    beyond: bool = False
    """Whether the variant does not promise to survive it."""


@dataclass(frozen=True, slots=True)
class Theme:
    """One corner of a variant, for seeds that look into it and nowhere else: when to strike, and with what around it.

    A fault at a random moment seldom meets the few milliseconds in which it matters. A seed with a theme lies in wait
    for such moments (``engines/hunt/nemesis.py``), in a world that is set up for them.
    """

    name: str
    moments: tuple[type, ...] = ()
    """Kinds of event at which anything may be done to whoever recorded it ..."""
    ways: tuple[tuple[type, str], ...] = ()
    """... or what is done at which of them, in this order or mixed: strategies by name, several at once by ``and``."""
    orders: tuple[str, ...] = ()
    """What is asked for meanwhile, by the names of the variant's orders."""
    hazards: tuple[str, ...] = ()
    """What else befalls it; none named: some of all."""
    settings: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    """Settings that are drawn from these in every seed of the theme."""
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Chaos:
    """Everything that may befall a variant, and what it owes afterwards."""

    hazards: tuple[Hazard, ...]
    orders: tuple[Hazard, ...] = ()
    """What a person may ask for meanwhile. It is no fault."""
    settings: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    """Settings that a seed may choose differently, and what it chooses from."""
    themes: tuple[Theme, ...] = ()
    """What some seeds keep to; none: no seed lies in wait."""
    wait_us: int = 300 * US_PER_MS
    """The longest wait between two faults, at the usual pace."""
    pause_us: int = 3 * US_PER_S
    """The longest that nothing is done in between, in seeds that know pauses."""
    rest: tuple[After, ...] = ()
    """What is asked for once all is healed; times count from there."""
    quiet_us: int = 5 * US_PER_S
    """The bound: so long after healing the promise is kept."""
    calm_us: int = US_PER_S
    """So long after the last of ``rest`` a run goes on at least; then it ends as soon as the promise is kept."""
    promise: str = ""
    """Liveness, as a check is named: what works again by then."""
    missing: Callable[[Any], str] | None = None
    """What of the promise the engine does not keep at the end; empty if it does."""
    role: Callable[[Any, str], str] | None = None
    """What a machine of this engine is at the moment, for the situations that a hunt counts."""
    faults: tuple[tuple[type, str], ...] = ()
    """The variant's own commands that are faults, and the families that ``bites`` counts them by."""
    bites: Callable[[Any], dict[str, int]] | None = None
    """How much the variant's own faults have touched, by their names."""
    events: tuple[type, ...] = ()
    """Every kind of event that the variant may record, for what a hunt never reached."""
    silent: tuple[tuple[str, str], ...] = ()
    """Rules whose absence breaks no promise by itself, and why."""
    together: tuple[tuple[str, ...], ...] = ()
    """Rules that stand in for each other: with all of them off a promise breaks."""


def some(draw: Stream, of: tuple[str, ...]) -> tuple[str, ...]:
    """Some of them, at least one and not all, in their order."""
    if len(of) < 2:
        return of
    mask = draw.between(1, (1 << len(of)) - 2)
    return tuple(each for bit, each in enumerate(of) if mask >> bit & 1)


def order(name: str, *makes: Callable[[Stream, Stage], Any], weight: int = 1, beyond: bool = False) -> Hazard:
    """One of some commands, at once: ``order("propose", lambda draw, stage: Propose(...))``."""

    def make(draw: Stream, stage: Stage) -> tuple[After, ...]:
        return (After(0, draw.pick(makes)(draw, stage)),)

    return Hazard(name, make, weight, beyond)


__all__ = ["HARSH", "MILD", "USUAL", "After", "Chaos", "Hazard", "Make", "Stage", "Theme", "order", "some"]
