"""Which edge a run is about, for a picture that can show one of them at length.

The edge that a command names, or the one between ``api`` and the service that a command names: there the breakers
stand. Without a command it is where the calls go.
"""

from typing import Any, Final

from engines.resilience.world.topology import API, SERVICES, Topology, edge_id, route

DEAREST: Final = "payment"
"""Watched while the clients ask for everything: the fewest calls need it, and they are those that pay."""


def first_subject(mix: str) -> str:
    """The edge to look at while nothing has happened: the first that the calls need."""
    return edge_id(API, DEAREST if mix == "shop" else route(API, mix)[0])


def subject(topology: Topology, command: Any) -> str:
    """The edge that a command is about; empty if it is about none, or about all."""
    if (edge := getattr(command, "edge", "*")) != "*":
        return str(edge)
    name = getattr(command, "service", "") or getattr(command, "node", "") or getattr(command, "mix", "")
    for service in topology.services:
        if name == service.id or name in service.hosts:
            behind = service.id.removesuffix("-db")
            return edge_id(API, behind) if behind in SERVICES else ""
    return first_subject(name) if getattr(command, "mix", "") else ""
