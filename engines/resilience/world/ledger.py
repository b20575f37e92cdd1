"""What happened, counted once for everybody: the numbers of the picture, and the facts the checks recount from.

The ledger sees all machines at once, as a monitoring system would like to. No service decides anything by it. Counters
belong to edges and services; twice a second they become rates. Facts are plain tuples, named by their first item, and
live only until the checks have read them.
"""

from collections import deque
from typing import Any, Final

from engines.resilience.world.events import ShopServed
from engines.resilience.world.messages import SERVED, Origin, Outcome
from engines.sim.clock import Clock
from engines.sim.service import Latencies
from engines.units import PPM, US_PER_MS, US_PER_S

SAMPLE_US: Final = 500 * US_PER_MS
RATE_SAMPLES: Final = 3
"""A rate is the mean of so many samples: a second and a half."""
LATENCY_SAMPLES: Final = 20
"""Percentiles are those of the last ten seconds."""
CALLS_SHOWN: Final = 12
RUNNING_MAX: Final = 2_000
"""Calls of clients under way at most; more fail at once, as a machine without a free port does."""
TELL_US: Final = US_PER_S
"""What happens over and over is told once in this time, with the number of times it happened; as long as it goes on,
after twice that time, and so on up to ``TELL_MAX_US``. All of it is told when any of it is: sums that begin and end at
the same moments can be added up, and compared with the rates of that time."""
TELL_MAX_US: Final = 2 * US_PER_S
SERVED_FIRST_US: Final = 2 * US_PER_S
SERVED_US: Final = 5 * US_PER_S
"""What became of the calls of clients is told so early for the first time, and then in this rhythm."""

Fact = tuple[Any, ...]


class Meter:
    """Counters by name, and how fast each grew in the last samples."""

    __slots__ = ("before", "counts", "grown", "idle", "rates")

    def __init__(self, names: tuple[str, ...]) -> None:
        self.counts = dict.fromkeys(names, 0)
        self.before = dict(self.counts)
        self.grown: deque[dict[str, int]] = deque(maxlen=RATE_SAMPLES)
        self.rates = dict(self.counts)
        """A second, rounded, as of the last sample."""
        self.idle = 0
        """Samples in which nothing was counted, up to now."""

    def add(self, name: str, count: int = 1) -> None:
        """Count."""
        self.counts[name] += count

    def sample(self) -> dict[str, int]:
        """How much each has grown since the last sample."""
        self.idle = self.idle + 1 if self.counts == self.before else 0
        grown = {name: count - self.before[name] for name, count in self.counts.items()}
        self.grown.append(grown)
        if self.idle > RATE_SAMPLES:
            return grown
        self.before = dict(self.counts)
        span_us = len(self.grown) * SAMPLE_US
        totals = map(sum, zip(*(each.values() for each in self.grown), strict=True))
        self.rates = {
            name: (total * US_PER_S + span_us // 2) // span_us for name, total in zip(grown, totals, strict=True)
        }
        return grown

    def share_ppm(self, part: str, whole: str) -> int:
        """How much of one counter another was in the last samples."""
        wholes = self.recent(whole)
        return self.recent(part) * PPM // wholes if wholes else 0

    def recent(self, name: str) -> int:
        """How much it has grown in the last samples."""
        return sum(each[name] for each in self.grown)


class Percentiles:
    """Latencies of the last few seconds."""

    __slots__ = ("count", "p50_us", "p99_us", "recent", "running")

    def __init__(self) -> None:
        self.running = Latencies()
        self.recent: deque[Latencies] = deque(maxlen=LATENCY_SAMPLES)
        self.count = self.p50_us = self.p99_us = 0

    def sample(self) -> None:
        """Close the running half second and compute anew. Where nothing was measured for long, nothing changes."""
        if not self.count and not self.running.count:
            return
        self.recent.append(self.running)
        self.running = Latencies()
        whole = Latencies()
        for part in self.recent:
            whole.add(part)
        self.count = whole.count
        self.p50_us, self.p99_us = whole.quantile_us(500_000), whole.quantile_us(990_000)


EDGE_COUNTS: Final = (
    "calls", "ended", "attempts", "failed", "rejected", "fallbacks", "retried", "denied", "hedges", "hedges_won",
    "turned_away", "late", "tries", "reached",
)  # fmt: skip
"""``tries``: attempts of the calls that ended; ``reached``: attempts on behalf of calls of clients that ended. They are
counted at the end, so that attempts over calls never exceed what the retries allow, as two rates of a second may."""
SERVICE_COUNTS: Final = ("arrived", "done", "failed", "refused", "expired", "wasted")


class Untold:
    """Something that happens often: the newest of it, and how often it has happened since it was told."""

    __slots__ = ("count", "due_us", "event", "first_us", "last_us", "node", "pause_us")

    def __init__(self, event: Any, node: str) -> None:
        self.event = event
        self.node = node
        self.count = 0
        self.due_us = self.first_us = self.last_us = 0
        """When it may be told again, when it first happened since it was told, and when it happened last."""
        self.pause_us = TELL_US


class ClientCall:
    """A call of a client as the picture shows it."""

    __slots__ = ("at_us", "client", "kind", "origin", "reached", "requests", "root", "state", "took_us", "why")

    def __init__(self, root: int, client: str, kind: str, at_us: int) -> None:
        self.root = root
        self.client = client
        self.kind = kind
        self.at_us = at_us
        self.state = "running"
        self.took_us = -1
        self.requests = 0
        """Sent to any service on its behalf."""
        self.reached: dict[str, int] = {}
        """The same by edge."""
        self.why: Outcome | None = None
        self.origin: Origin | None = None


class Ledger:
    """Shared by all nodes of a world; written by them and read by the picture and the checks."""

    def __init__(self, clock: Clock, edges: tuple[str, ...], services: tuple[str, ...]) -> None:
        self.clock = clock
        self.edges = {edge: Meter(EDGE_COUNTS) for edge in edges}
        self.latency = {edge: Percentiles() for edge in edges}
        self.services = {service: Meter(SERVICE_COUNTS) for service in services}
        self.whole = Meter(("offered", "good", "failed", "ended"))
        self.facts: list[Fact] = []
        self.awaited: dict[tuple[str, int], None] = {}
        """Attempts whose caller still waits, by (host, attempt)."""
        self.running: dict[int, ClientCall] = {}
        self.ended: deque[ClientCall] = deque(maxlen=CALLS_SHOWN)
        self.untold: dict[str, Untold] = {}
        """What happens often."""
        self.due = False
        """Whether it is time to tell of it."""
        self.moves: list[tuple[str, Any]] = []
        """Moves of breakers with the machine of each, which the world tells of behind the sums of before."""
        self.served_due_us, self.served_us = SERVED_FIRST_US, 0
        self.served_before = dict(self.whole.counts)
        self.count_waste = True
        self.amplified = dict.fromkeys(edges, -1)
        """Attempts per call in parts per million, over the calls of an edge that ended in the last samples."""
        self.peak, self.peak_ppm = edges[0], -1
        """The edge that is reached most, and its attempts per call of a client that ended in the last samples."""

    # -- calls of clients --------------------------------------------------------------------------------------

    def offered(self, root: int, client: str, kind: str) -> None:
        """A client makes a call."""
        self.whole.add("offered")
        self.running[root] = ClientCall(root, client, kind, self.clock.now_us)

    def returned(self, root: int, why: Outcome, origin: Origin | None = None) -> ClientCall | None:
        """It has its answer; None if it had one before."""
        call = self.running.pop(root, None)
        if call is None:
            return None
        call.took_us = self.clock.now_us - call.at_us
        call.state = why.value if why in SERVED else "failed"
        call.why, call.origin = why, origin
        self.whole.add("failed" if call.state == "failed" else "good")
        self.whole.add("ended")
        for edge, attempts in call.reached.items():
            self.edges[edge].add("reached", attempts)
        self.ended.append(call)
        return call

    # -- attempts ----------------------------------------------------------------------------------------------

    def sent(self, edge: str, src: str, attempt: int, call: int, root: int, hedge: bool) -> None:
        """A caller makes an attempt and waits for it."""
        self.edges[edge].add("attempts")
        self.awaited[src, attempt] = None
        client = self.running.get(root)
        if client is not None:
            client.requests += 1
            client.reached[edge] = client.reached.get(edge, 0) + 1
        self.facts.append(("sent", edge, src, attempt, call, root, hedge))

    def settled(self, src: str, attempt: int) -> None:
        """The caller does not wait for it any more."""
        self.awaited.pop((src, attempt), None)
        self.facts.append(("settled", src, attempt))

    def worked(self, service: str, src: str, attempt: int, root: int) -> bool:
        """A service has done the work of an attempt: whether its caller, and the client behind it, still wait."""
        wanted = (src, attempt) in self.awaited and root in self.running
        self.services[service].add("done")
        if not wanted and self.count_waste:
            self.services[service].add("wasted")
        self.facts.append(("worked", service, src, attempt, root))
        return wanted

    def died(self, host: str) -> None:
        """A machine crashed: nobody waits there any more."""
        for key in [key for key in self.awaited if key[0] == host]:
            del self.awaited[key]
        self.facts.append(("died", host))

    # -- telling -----------------------------------------------------------------------------------------------

    def tell(self, node: str, what: str, event: Any) -> None:
        """Something happened that comes by the hundred: count it; if it is time, all that is untold is told next."""
        now = self.clock.now_us
        entry = self.untold.get(what)
        if entry is None:
            entry = self.untold[what] = Untold(event, node)
        if now - entry.last_us > 2 * TELL_US:
            entry.due_us, entry.pause_us = now, TELL_US
        if not entry.count:
            entry.first_us = now
        entry.event, entry.node, entry.last_us = event, node, now
        entry.count += 1
        self.due = self.due or now >= entry.due_us

    def flush(self) -> list[tuple[Any, str]]:
        """What has not been told yet, with its node: told now, all of it."""
        now, found = self.clock.now_us, []
        self.due = False
        for entry in self.untold.values():
            if not entry.count:
                continue
            found.append((entry.event._replace(times=entry.count, since_us=entry.first_us), entry.node))
            entry.count = 0
            entry.due_us = now + entry.pause_us
            entry.pause_us = min(2 * entry.pause_us, TELL_MAX_US)
        return found

    def ceased(self) -> bool:
        """Whether something untold has not happened for a while: it would be told much too late."""
        return any(entry.count and self.clock.now_us - entry.last_us >= TELL_US for entry in self.untold.values())

    def served(self, at_us: int) -> ShopServed | None:
        """Now and then: what became of the calls of clients since the last time."""
        if at_us < self.served_due_us:
            return None
        now, before, since_us = self.whole.counts, self.served_before, self.served_us
        self.served_before, self.served_us, self.served_due_us = dict(now), at_us, at_us + SERVED_US
        offered, good, failed = (now[name] - before[name] for name in ("offered", "good", "failed"))
        if not offered and not good and not failed:
            return None
        latency = next(iter(self.latency.values()))
        return ShopServed(at_us - since_us, offered, good, failed, latency.p50_us, latency.p99_us)

    # -- time --------------------------------------------------------------------------------------------------

    def sample(self) -> dict[str, dict[str, int]]:
        """Twice a second: rates and percentiles anew; how much everything has grown."""
        for percentiles in self.latency.values():
            percentiles.sample()
        grown = {edge: meter.sample() for edge, meter in self.edges.items()}
        grown.update({service: meter.sample() for service, meter in self.services.items()})
        grown[""] = self.whole.sample()
        self._amplify()
        return grown

    def _amplify(self) -> None:
        """How many attempts became of a call, edge by edge, and where they are most; nothing ended: not known."""
        for edge, meter in self.edges.items():
            self.amplified[edge] = meter.share_ppm("tries", "ended") if meter.recent("ended") else -1
        ended = self.whole.recent("ended")
        self.peak = max(self.edges, key=lambda edge: self.edges[edge].recent("reached" if ended else "attempts"))
        self.peak_ppm = self.edges[self.peak].recent("reached") * PPM // ended if ended else -1
