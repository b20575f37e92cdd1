"""A system of 12 to 200 services, made from a seed: layers, fan-out, caches, databases, queues and their consumers.

The twelve of the core are always there and always do the same; what a seed decides is the rest: which services there
are, who calls them, which of them own a database or a cache, and how long their work takes. A service calls only what
was made after it, so the calls have no cycle, and every service is reached by some request.

Operations are named as OpenTelemetry names spans: ``{method} {route}`` where HTTP is spoken, ``{operation} {table}``
at a database, ``{command} {keyspace}`` at a cache, ``process {message}`` at a consumer.
"""

from functools import lru_cache
from typing import Any, Final, NamedTuple

from engines.sim.random import Stream

SIZE_MIN: Final = 12
SIZE_MAX: Final = 200

EDGE: Final = "edge"
DOMAIN: Final = "domain"
DATA: Final = "data"
LAYERS: Final = (EDGE, DOMAIN, DATA)

GATEWAY: Final = "gateway"
SERVICE: Final = "service"
CONSUMER: Final = "consumer"
CACHE: Final = "cache"
DATABASE: Final = "database"
QUEUE: Final = "queue"

HIT_PPM: Final = 980_000
"""Of a warm cache."""
DENIES_PPM: Final = 5_000
"""Sessions that have run out: auth answers 401."""

NOUNS: Final = (
    "pricing", "inventory", "shipping", "search", "recommend", "reviews", "profile", "promotions", "tax", "fraud",
    "ledger", "currency", "wishlist", "address", "loyalty", "media", "ranking", "geo", "returns", "invoices", "coupons",
    "stock", "routing", "carriers", "banners", "sessions", "consent", "limits", "risk", "wallet", "refunds", "gifts",
    "bundles", "trends", "history", "suggest", "spelling", "images", "videos", "captions", "translate", "seo",
    "experiments", "flags", "segments", "audience", "sizes", "stores", "pickup", "slots", "delivery", "customs",
    "packaging", "suppliers", "contracts", "quotes", "credit", "vouchers", "points", "badges", "questions", "answers",
    "ratings", "moderation", "support", "chat", "tickets", "surveys", "referrals", "partners", "devices", "identity",
    "tokens", "keys", "roles", "teams", "billing", "plans", "usage", "quota", "regions", "holidays", "weather", "rates",
)  # fmt: skip
LISTENERS: Final = (
    "mailer", "analytics", "warehouse", "audit", "indexer", "notifier", "billing-export", "archiver", "webhooks",
    "accounting", "crm-sync", "data-lake",
)  # fmt: skip


class Dependency(NamedTuple):
    """One call of an operation."""

    dst: str
    operation: str
    only_on_miss: bool = False
    """Made only if the cache that was asked in the stage before did not have it."""


class Operation(NamedTuple):
    """What a service does for one kind of request: work of its own, then stages of parallel calls."""

    name: str
    work_us: int
    """The median of its own work."""
    stages: tuple[tuple[Dependency, ...], ...] = ()
    denies_ppm: int = 0
    """How often it refuses a request for good reasons: 401, an error of the client and not of the server."""


class Service(NamedTuple):
    """One of the services, and what it is made of."""

    name: str
    layer: str
    role: str
    workers: int
    queue_max: int
    operations: tuple[Operation, ...]
    pool_of: str = ""
    """The database its connections lead to."""
    pool_size: int = 0
    hit_ppm: int = 0
    """How often a cache has what it is asked for."""
    consumers: tuple[str, ...] = ()
    """Who gets the messages of a queue."""

    def operation(self, name: str) -> Operation:
        """The operation of this name."""
        for each in self.operations:
            if each.name == name:
                return each
        raise KeyError(f"{self.name} {name}")


class Entry(NamedTuple):
    """A request that users send, and how often among all."""

    service: str
    operation: str
    weight: int


class Edge(NamedTuple):
    """A call of the service map."""

    src: str
    dst: str
    asynchronous: bool


class Topology:
    """The system of one seed and size. Equal arguments give the same object, and a checkpoint holds only them."""

    __slots__ = ("by_name", "edges", "entries", "seed", "services", "size")

    seed: int
    size: int
    services: tuple[Service, ...]
    by_name: dict[str, Service]
    entries: tuple[Entry, ...]
    edges: tuple[Edge, ...]

    def __new__(cls, seed: int, size: int) -> "Topology":
        """The one object there is for these arguments."""
        return _made(seed, size)

    def __reduce__(self) -> tuple[Any, ...]:
        return Topology, (self.seed, self.size)

    @property
    def names(self) -> tuple[str, ...]:
        """All services, the edge first."""
        return tuple(self.by_name)


@lru_cache(maxsize=256)
def _made(seed: int, size: int) -> Topology:
    if not SIZE_MIN <= size <= SIZE_MAX:
        raise ValueError(f"{size} services: from {SIZE_MIN} to {SIZE_MAX} can be made")
    self = object.__new__(Topology)
    self.seed, self.size = seed, size
    plan = _Plan(seed)
    plan.core()
    plan.grow(size)
    layers = {layer: number for number, layer in enumerate(LAYERS)}
    self.services = tuple(sorted(plan.finished(), key=lambda service: layers[service.layer]))
    self.by_name = {service.name: service for service in self.services}
    self.entries = tuple(plan.entries)
    self.edges = _edges(self.services)
    return self


def _edges(services: tuple[Service, ...]) -> tuple[Edge, ...]:
    """Who calls whom, each pair once."""
    found: dict[Edge, None] = {}
    for service in services:
        for operation in service.operations:
            for stage in operation.stages:
                for call in stage:
                    found[Edge(service.name, call.dst, call.operation.startswith("publish "))] = None
        for consumer in service.consumers:
            found[Edge(service.name, consumer, True)] = None
    return tuple(found)


class Place(NamedTuple):
    """An operation that may call a new service."""

    service: str
    operation: str
    depth: int


class _Draft:
    """A service that is still being made: its stages are lists."""

    def __init__(self, name: str, layer: str, role: str, workers: int) -> None:
        self.name, self.layer, self.role, self.workers = name, layer, role, workers
        self.operations: dict[str, tuple[int, list[list[Dependency]]]] = {}
        self.pool_of, self.pool_size, self.hit_ppm = "", 0, 0
        self.consumers: list[str] = []
        self.denies: dict[str, int] = {}

    def add(self, name: str, work_us: int, *stages: list[Dependency]) -> "_Draft":
        self.operations[name] = (work_us, list(stages))
        return self

    def finished(self) -> Service:
        operations = tuple(
            Operation(name, work_us, tuple(tuple(stage) for stage in stages if stage), self.denies.get(name, 0))
            for name, (work_us, stages) in self.operations.items()
        )
        return Service(
            self.name, self.layer, self.role, self.workers, 8 * self.workers, operations, self.pool_of,
            self.pool_size, self.hit_ppm, tuple(self.consumers),
        )  # fmt: skip


class _Plan:
    """The system while it grows."""

    def __init__(self, seed: int) -> None:
        self.stream = Stream(seed, "topology")
        self.drafts: dict[str, _Draft] = {}
        self.entries: list[Entry] = []
        self.groups: list[tuple[int, list[Place]]] = []
        """Where a new service may be called from, by the kind of request it serves, with weights."""

    def finished(self) -> list[Service]:
        return [draft.finished() for draft in self.drafts.values()]

    def make(self, name: str, layer: str, role: str, workers: int) -> _Draft:
        draft = self.drafts[name] = _Draft(name, layer, role, workers)
        return draft

    def database(self, owner: str, table: str, pool: int, work_us: int = 0) -> Dependency:
        """The owner's database, with a pool of connections to it; what to call."""
        name = f"{owner}-db"
        if name not in self.drafts:
            self.make(name, DATA, DATABASE, 24)
            self.drafts[owner].pool_of, self.drafts[owner].pool_size = name, pool
        self.drafts[name].add(f"SELECT {table}", work_us or self.stream.between(2_000, 6_000))
        return Dependency(name, f"SELECT {table}")

    def cache(self, owner: str, space: str) -> Dependency:
        """The owner's cache; what to call."""
        name = f"{owner}-cache"
        draft = self.make(name, DATA, CACHE, 8).add(f"GET {space}", self.stream.between(300, 600))
        draft.hit_ppm = HIT_PPM
        return Dependency(name, f"GET {space}")

    def core(self) -> None:
        """The twelve that are always there."""
        gateway = self.make("gateway", EDGE, GATEWAY, 64)
        auth = self.make("auth", DOMAIN, SERVICE, 32)
        catalog = self.make("catalog", DOMAIN, SERVICE, 32)
        cart = self.make("cart", DOMAIN, SERVICE, 32)
        payment = self.make("payment", DOMAIN, SERVICE, 32)
        orders = self.make("orders", DOMAIN, SERVICE, 32)
        mailer = self.make("mailer", DOMAIN, CONSUMER, 4).add("process OrderPlaced", 12_000)
        sessions = self.database("auth", "sessions", 20, 8_000)
        accounts = self.database("auth", "accounts", 20, 8_000)
        items = self.database("catalog", "items", 3, 18_000)
        rows = self.database("orders", "orders", 20, 5_000)
        cached = self.cache("catalog", "items")
        queue = self.make("orders-queue", DATA, QUEUE, 16).add("publish OrderPlaced", 200)
        queue.consumers.append(mailer.name)
        fetch = [[cached], [items._replace(only_on_miss=True)]]
        auth.denies["GET /verify"] = DENIES_PPM
        auth.add("GET /verify", 2_000, [sessions]).add("POST /login", 5_000, [accounts])
        catalog.add("GET /items", 2_500, *fetch).add("GET /product", 3_000, *fetch).add("GET /featured", 3_000, *fetch)
        cart.add("GET /cart", 3_000, [Dependency("catalog", "GET /items")])
        payment.add("POST /charge", 9_000)
        orders.add("POST /orders", 4_000, [rows], [Dependency("orders-queue", "publish OrderPlaced")])
        verify, load = Dependency("auth", "GET /verify"), Dependency("cart", "GET /cart")
        charge, place = Dependency("payment", "POST /charge"), Dependency("orders", "POST /orders")
        gateway.add("POST /checkout", 1_500, [verify], [load], [charge], [place])
        gateway.add("GET /product", 1_000, [verify], [Dependency("catalog", "GET /product")])
        gateway.add("GET /home", 1_500, [verify], [Dependency("catalog", "GET /featured"), load])
        gateway.add("GET /cart", 1_000, [verify], [load])
        gateway.add("POST /login", 1_000, [Dependency("auth", "POST /login")])
        for name, weight in (("POST /checkout", 30), ("GET /product", 25), ("GET /home", 20), ("GET /cart", 15),
                             ("POST /login", 10)):  # fmt: skip
            self.entries.append(Entry("gateway", name, weight))
        self.groups += [
            (25, [Place("gateway", "GET /home", 1)] * 2),
            (25, [Place("catalog", "GET /product", 2), Place("gateway", "GET /product", 1)]),
            (30, [Place("payment", "POST /charge", 2), Place("orders", "POST /orders", 2)]),
            (5, [Place("cart", "GET /cart", 2)]),
        ]

    def grow(self, size: int) -> None:
        """Add services until there are ``size``."""
        extras = [self._cart_db, self._payment_db, self._mobile, self._partner]
        due = [13, 14, 24, 44]
        nouns = self.shuffled(tuple(f"{noun}-legacy" for noun in NOUNS)) + self.shuffled(NOUNS)
        listeners = list(LISTENERS[1:])
        while len(self.drafts) < size:
            room = size - len(self.drafts)
            if extras and len(self.drafts) + 1 >= due[0]:
                due.pop(0)
                extras.pop(0)()
            elif listeners and len(self.drafts) % 9 == 8:
                self.consumer(listeners.pop(0))
            else:
                self.domain(nouns.pop(), room)

    def shuffled(self, names: tuple[str, ...]) -> list[str]:
        """The names in an order of the seed."""
        left, order = list(names), []
        while left:
            order.append(left.pop(self.stream.below(len(left))))
        return order

    def _cart_db(self) -> None:
        self.drafts["cart"].operations["GET /cart"][1].insert(0, [self.database("cart", "carts", 16, 3_000)])

    def _payment_db(self) -> None:
        self.drafts["payment"].operations["POST /charge"][1].append([self.database("payment", "payments", 16, 4_000)])

    def _mobile(self) -> None:
        verify, featured = Dependency("auth", "GET /verify"), Dependency("catalog", "GET /featured")
        self.make("mobile", EDGE, GATEWAY, 64).add("GET /m/home", 1_500, [verify], [featured])
        self.entries.append(Entry("mobile", "GET /m/home", 15))
        self.groups.append((10, [Place("mobile", "GET /m/home", 1)]))

    def _partner(self) -> None:
        verify, items = Dependency("auth", "GET /verify"), Dependency("catalog", "GET /items")
        self.make("partner", EDGE, GATEWAY, 64).add("GET /v1/items", 1_500, [verify], [items])
        self.entries.append(Entry("partner", "GET /v1/items", 10))
        self.groups.append((5, [Place("partner", "GET /v1/items", 1)]))

    def consumer(self, name: str) -> None:
        """Somebody more who listens to orders."""
        self.make(name, DOMAIN, CONSUMER, 4).add("process OrderPlaced", self.stream.between(4_000, 20_000))
        self.drafts["orders-queue"].consumers.append(name)

    def domain(self, name: str, room: int) -> None:
        """A service somewhere below the others, perhaps with a database and a cache of its own."""
        places = self.group()
        parent, operation, depth = places[self.stream.below(len(places))]
        draft = self.make(name, DOMAIN, SERVICE, 32)
        stages: list[list[Dependency]] = []
        wants = self.stream.below(100)
        if room > 1 and wants < 55:
            row = self.database(name, name, self.stream.between(8, 20))
            stages.append([row])
            if room > 2 and wants < 20:
                stages[:] = [[self.cache(name, name)], [row._replace(only_on_miss=True)]]
        draft.add(f"GET /{name}", self.stream.between(2_000, 9_000), *stages)
        self.called(parent, operation, Dependency(name, f"GET /{name}"))
        if depth < 4:
            places.append(Place(name, f"GET /{name}", depth + 1))

    def group(self) -> list[Place]:
        """The places of a kind of request, drawn by weight."""
        left = self.stream.below(sum(weight for weight, _ in self.groups))
        for weight, places in self.groups:
            if left < weight:
                return places
            left -= weight
        raise AssertionError("the weights add up")

    def called(self, parent: str, operation: str, call: Dependency) -> None:
        """Let the parent call it: beside others where the last stage fans out over services, else after them."""
        stages = self.drafts[parent].operations[operation][1]
        last = stages[-1] if stages else []
        beside = last and all(self.drafts[each.dst].role == SERVICE for each in last) and len(last) < 10
        if beside and (parent == "gateway" or self.stream.chance(600_000)):
            last.append(call)
        elif self.drafts[parent].role == GATEWAY and len(stages) > 1:
            stages[1].append(call)
        else:
            stages.append([call])


__all__ = ["Dependency", "Edge", "Entry", "Operation", "Service", "Topology"]
