"""A message in flight as facts: where it comes from and goes, how far it is, what its link may do to it."""

from typing import Any, Final

from engines import units
from engines.sim.views import Flight
from tui.kit.link_faults import Network
from tui.kit.sheet import Fact, Facts, Section, fact
from tui.kit.words import percent

KEYS: Final = fact("keys", "k drop it   x cut this link   l loss   d delay", "dim")


def page(flight: Flight, now_us: int, network: Network, says: Facts, then: Fact) -> list[Section]:
    """The inspector's page of a message: what it says, how far it is, and what comes of it."""
    return [
        Section(0, says),
        Section(1, (then,)),
        Section(2, way(flight, now_us, network)),
        Section(3, (KEYS,)),
    ]


def way(flight: Any, now_us: int, network: Network) -> tuple[Fact, ...]:
    """``flight`` has ``src dst departs_us arrives_us``. Nobody knows yet whether a link that loses loses this one."""
    flown, whole = max(0, now_us - flight.departs_us), flight.arrives_us - flight.departs_us
    facts = [
        fact("from", flight.src, "bright", (f"to {flight.dst}", "bright")),
        fact("way", f"{units.span(flown)} of {units.span(whole)} flown, {units.span(max(0, whole - flown))} to go"),
    ]
    link = network.between(flight.src, flight.dst)
    if link and link.cut:
        facts.append(fact("link", "cut: it will be lost", "cut"))
    elif link and link.loss_ppm:
        facts.append(fact("link", f"loses {percent(link.loss_ppm)}; nobody knows yet whether this one", "lost"))
    return tuple(facts)
