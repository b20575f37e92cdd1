"""The shop: who calls whom, on which machines, and how long each takes.

    clients > api > auth, catalog, cart, payment > a database each

A call of a client has a kind, which says whom ``api`` needs for it, one after the other. A service holds a worker for
the whole of a job, also while it waits for another service: threads of a pool, the usual design, and the reason why
one slow database can stop everything in front of it.
"""

from functools import lru_cache
from typing import Final, NamedTuple

from engines.sim.network import LinkOptions
from engines.sim.random import Stream
from engines.sim.service import Distribution, Exponential, Fixed, HeavyTail, Pauses, Uniform
from engines.units import US_PER_MS

CLIENTS: Final = "clients"
API: Final = "api"
SERVICES: Final = ("auth", "catalog", "cart", "payment")
REPLICATED: Final = ("catalog", "payment")
"""Services that may run on several machines."""

LINK: Final = LinkOptions(20 * US_PER_MS, 10 * US_PER_MS)

KINDS: Final[dict[str, tuple[str, ...]]] = {
    "browse": ("auth", "catalog"),
    "fill": ("auth", "cart"),
    "buy": ("auth", "cart", "payment"),
    **{name: (name,) for name in SERVICES},
}
"""Whom ``api`` calls for each kind of call."""
MIXES: Final = ("shop", *KINDS)
SHOP: Final = ("browse",) * 12 + ("fill",) * 5 + ("buy",) * 3
"""60 % look, 25 % fill a cart, 15 % buy."""

SHAPES: Final = ("fixed", "uniform", "exponential", "heavy", "wild", "pauses")
"""Shapes of service times: from no spread to a p99 of ten times the median, and pauses of 20 times in 3 % of them."""
USUAL_US: Final = {
    API: 4 * US_PER_MS, "auth": 15 * US_PER_MS, "catalog": 30 * US_PER_MS, "cart": 25 * US_PER_MS,
    "payment": 60 * US_PER_MS, "auth-db": 20 * US_PER_MS, "catalog-db": 30 * US_PER_MS, "cart-db": 20 * US_PER_MS,
    "payment-db": 40 * US_PER_MS,
}  # fmt: skip


class Service(NamedTuple):
    """A service as it is planned."""

    id: str
    layer: str
    hosts: tuple[str, ...]
    needs: tuple[str, ...]
    """Whom it may call."""


class Topology(NamedTuple):
    """All of it, from the clients to the databases."""

    services: tuple[Service, ...]

    def service(self, id: str) -> Service:
        """The service of this name; KeyError if there is none."""
        for service in self.services:
            if service.id == id:
                return service
        raise KeyError(id)

    def of_host(self, host: str) -> Service:
        """Whose machine this is."""
        for service in self.services:
            if host in service.hosts:
                return service
        raise KeyError(host)

    def machines(self) -> tuple[str, ...]:
        """Every machine that serves: ``cart`` first, each next to its database, ``api`` last."""
        names = [each for name in ("cart", "payment", "catalog", "auth") for each in (name, database(name))]
        return tuple(host for name in (*names, API) for host in self.service(name).hosts)


def database(service: str) -> str:
    """The database of a service."""
    return f"{service}-db"


def edge_id(src: str, dst: str) -> str:
    """The name of an edge between services."""
    return f"{src}>{dst}"


@lru_cache(maxsize=32)
def plan(catalog_hosts: int, payment_hosts: int) -> Topology:
    """The shop with so many machines."""
    many = {"catalog": catalog_hosts, "payment": payment_hosts}
    rows = [
        Service(CLIENTS, "client", (CLIENTS,), (API,)),
        Service(API, "edge", (API,), SERVICES),
    ]
    for name in SERVICES:
        count = many.get(name, 1)
        hosts = (name,) if count == 1 else tuple(f"{name}-{i}" for i in range(1, count + 1))
        rows.append(Service(name, "service", hosts, (database(name),)))
    rows += [Service(database(name), "database", (database(name),), ()) for name in SERVICES]
    return Topology(tuple(rows))


def route(service: str, kind: str) -> tuple[str, ...]:
    """Whom a service calls for a call of this kind, one after the other."""
    if service == API:
        return KINDS[kind]
    return (database(service),) if service in SERVICES else ()


def pick(mix: str, stream: Stream) -> str:
    """The kind of the next call."""
    number = stream.below(len(SHOP))
    return SHOP[number] if mix == "shop" else mix


def service_time(mean_us: int, shape: str) -> Distribution:
    """Service times around ``mean_us`` (the median of the heavy-tailed ones)."""
    match shape:
        case "fixed":
            return Fixed(mean_us)
        case "uniform":
            return Uniform(mean_us * 9 // 10, mean_us * 11 // 10)
        case "exponential":
            return Exponential(mean_us)
        case "pauses":
            return Pauses(mean_us, 20 * mean_us, 30_000)
        case _:
            return HeavyTail(mean_us, shape == "wild")
