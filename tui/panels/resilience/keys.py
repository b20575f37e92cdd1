"""The verbs: what each letter means for the selected edge or service.

A verb returns a command of the engine, several given together, another focus, or a refusal that says why. On an edge
``x l d u`` act on its links and ``k z c`` on the service it leads to; the cures act on every edge into that service.
"""

from collections.abc import Callable
from typing import Any, Final

from engines.resilience import PRESETS
from engines.resilience.order import ORDER
from engines.resilience.world import commands as c
from engines.resilience.world.options import PRESET_NAMES
from engines.resilience.world.snapshot import EdgeView, HostView, ServiceView, Snapshot
from engines.sim import faults
from engines.sim.rules import SetRule
from tui.canvas import Ink
from tui.kit import network
from tui.panel import Ask, Focus, Key, Outcome, Refuse
from tui.panels.resilience import queries
from tui.panels.resilience.select import edge_of, fit, next_chart, next_edge, service_of

RECORDED: Final = "recorded data: faults need a simulation"
LOADS: Final = (0, 5, 15, 30, 60, 90)
"""Calls a second of the clients."""
DELAYS_US: Final = ((20_000, 10_000), (100_000, 50_000), (400_000, 100_000), (1_500_000, 300_000))
"""Latency and jitter of a fresh link here, and of slower and slower ones."""
WALLS: Final = (0, 4, 16)
SLOW_PERCENT: Final = (100, 300, 1_000)
ORDERS: Final = (
    ORDER,
    ("breaker", "retry", "limiter", "timeout", "bulkhead"),
    ("timeout", "retry", "breaker", "limiter", "bulkhead"),
    ("bulkhead", "retry", "breaker", "limiter", "timeout"),
)
"""Orders that differ in what they do: the usual one, and the breaker, the timeout or the bulkhead outermost."""
SHED_US: Final = 500_000

Act = Callable[[Snapshot, Focus], Outcome]


def live(act: Act) -> Act:
    """A verb that needs a simulation."""
    return lambda snapshot, focus: Refuse(RECORDED) if snapshot.recorded else act(snapshot, focus)


def target(snapshot: Snapshot, focus: Focus) -> ServiceView | None:
    """The selected service, or the one that the selected edge leads to."""
    edge = edge_of(snapshot, focus)
    return service_of(snapshot, focus) or (snapshot.service(edge.dst) if edge else None)


def selected_edge(snapshot: Snapshot, focus: Focus) -> EdgeView | None:
    """The selected edge; None while a service is selected."""
    return snapshot.edge(fit(snapshot, focus).node)


def pairs(snapshot: Snapshot, edge: EdgeView) -> tuple[tuple[str, str], ...]:
    """The links of an edge, there and back."""
    src = snapshot.service(edge.src)
    sources = tuple(host.id for host in src.hosts) if src and src.hosts else (edge.src,)
    there = tuple((one, other) for one in sources for other in edge.hosts)
    return (*there, *((other, one) for one, other in there))


def around(snapshot: Snapshot, focus: Focus) -> tuple[list[EdgeView], tuple[tuple[str, str], ...]]:
    """The edges that a verb for links acts on, and their links: the selected one, or all of the selected service."""
    edge = selected_edge(snapshot, focus)
    service = service_of(snapshot, focus)
    if edge is not None:
        return [edge], pairs(snapshot, edge)
    if service is None:
        return [], ()
    edges = [*queries.into(snapshot, service.id), *queries.out_of(snapshot, service.id)]
    return edges, tuple(pair for each in edges for pair in pairs(snapshot, each))


# -- faults -----------------------------------------------------------------------------------------------------------


def _of_machine(snapshot: Snapshot, focus: Focus, act: Callable[[ServiceView], Outcome]) -> Outcome:
    service = target(snapshot, focus)
    if service is None or service.layer == "client" or not service.hosts:
        return Refuse("clients are many, and outside: w changes their load; select a service")
    return act(service)


def _crash(snapshot: Snapshot, focus: Focus) -> Outcome:
    return _of_machine(snapshot, focus, lambda service: _turn(service, "crashed", faults.Restart, faults.Crash))


def _freeze(snapshot: Snapshot, focus: Focus) -> Outcome:
    def act(service: ServiceView) -> Outcome:
        if all(host.status == "crashed" for host in service.hosts):
            return Refuse(f"{service.id} is crashed: nothing of it runs that could freeze")
        return _turn(service, "frozen", faults.Thaw, faults.Freeze)

    return _of_machine(snapshot, focus, act)


def _turn(service: ServiceView, status: str, back: type, do: type) -> Outcome:
    """Undo it wherever it is; else do it to the first machine that is up."""
    there = [host for host in service.hosts if host.status == status]
    if there:
        return tuple(back(host.id) for host in there)
    up = next((host for host in service.hosts if host.status == "up"), None)
    return do(up.id) if up else Refuse(f"no machine of {service.id} is up")


def _cut(snapshot: Snapshot, focus: Focus) -> Outcome:
    edges, links = around(snapshot, focus)
    make = faults.Mend if any(edge.cut for edge in edges) else faults.Cut
    return tuple(make(src, dst) for src, dst in links) or Refuse("nothing is selected")


def _lose(snapshot: Snapshot, focus: Focus) -> Outcome:
    edges, links = around(snapshot, focus)
    return network.next_loss(edges, links) or Refuse("nothing is selected")


def _delay(snapshot: Snapshot, focus: Focus) -> Outcome:
    edges, links = around(snapshot, focus)
    return network.next_delay(edges, links, DELAYS_US) or Refuse("nothing is selected")


def _shuffle(snapshot: Snapshot, focus: Focus) -> Outcome:
    edges, links = around(snapshot, focus)
    ppm = 0 if any(edge.shuffled_ppm for edge in edges) else network.SHARE_PPM
    made = tuple(make(src, dst, ppm) for src, dst in links for make in (faults.Duplicate, faults.Reorder))
    return made or Refuse("nothing is selected")


def _skew(snapshot: Snapshot, focus: Focus) -> Outcome:
    def act(service: ServiceView) -> Outcome:
        host: HostView = service.hosts[0]
        return faults.Skew(host.id, 0 if host.clock_off_us else network.OFFSET_US, 0)

    return _of_machine(snapshot, focus, act)


def _slow(snapshot: Snapshot, focus: Focus) -> Outcome:
    """The usual trigger: a service whose own work takes longer."""

    def act(service: ServiceView) -> Outcome:
        now = max(host.slow_percent for host in service.hosts)
        return c.SlowService(service.id, next((level for level in SLOW_PERCENT if level > now), SLOW_PERCENT[0]))

    return _of_machine(snapshot, focus, act)


def _heal(snapshot: Snapshot, focus: Focus) -> Outcome:
    return faults.Heal()


# -- the breaker and its pipeline -------------------------------------------------------------------------------------


def _guarded(snapshot: Snapshot, focus: Focus) -> EdgeView | Refuse:
    edge = edge_of(snapshot, focus)
    if edge is None or edge.breaker is None:
        where = queries.name(edge.id) if edge else "nothing"
        return Refuse(f"{where} has no breaker: p gives it one")
    return edge


def _force(snapshot: Snapshot, focus: Focus) -> Outcome:
    edge = _guarded(snapshot, focus)
    if isinstance(edge, Refuse):
        return edge
    assert edge.breaker is not None
    return c.SetBreaker(edge.id, "force_open" if edge.breaker.state == "closed" else "reset")


def _preset(snapshot: Snapshot, focus: Focus) -> Outcome:
    """The next preset; a log is judged anew by it, and always has a breaker."""
    edge = edge_of(snapshot, focus)
    if edge is None:
        return Refuse("nothing is selected")
    names = tuple(PRESETS) if snapshot.recorded else PRESET_NAMES
    now = edge.breaker.preset if edge.breaker else "none"
    at = names.index(now) if now in names else -1
    return c.SetPreset(edge.id, names[(at + 1) % len(names)])


def _order(snapshot: Snapshot, focus: Focus) -> Outcome:
    edge = edge_of(snapshot, focus)
    if edge is None:
        return Refuse("nothing is selected")
    at = ORDERS.index(edge.pipeline) if edge.pipeline in ORDERS else -1
    return c.SetOrder(edge.id, ORDERS[(at + 1) % len(ORDERS)])


def _bulkhead(snapshot: Snapshot, focus: Focus) -> Outcome:
    edge = edge_of(snapshot, focus)
    if edge is None:
        return Refuse("nothing is selected")
    now = edge.bulkhead.size if edge.bulkhead else 0
    return c.SetOption(edge.id, "bulkhead", next((size for size in WALLS if size > now), WALLS[0]))


# -- cures ------------------------------------------------------------------------------------------------------------


def _served(snapshot: Snapshot, focus: Focus) -> tuple[ServiceView, tuple[EdgeView, ...]] | Refuse:
    """The service that is to be spared, and the edges into it."""
    service = target(snapshot, focus)
    edges = queries.into(snapshot, service.id) if service else ()
    if service is None or not edges:
        return Refuse("nobody calls the clients: select a service or an edge")
    return service, edges


def _budget(snapshot: Snapshot, focus: Focus) -> Outcome:
    found = _served(snapshot, focus)
    if isinstance(found, Refuse):
        return found
    service, edges = found
    if any(edge.retry and edge.retry.budget_ppm >= 0 for edge in edges):
        return tuple(c.SetOption(edge.id, "budget_ppm", -1) for edge in edges)
    if not any(edge.retry and edge.retry.retries for edge in edges):
        return Refuse(f"nobody retries calls to {service.id}: there is nothing to budget")
    return c.Cure(service.id, "budget")


def _breaker(snapshot: Snapshot, focus: Focus) -> Outcome:
    found = _served(snapshot, focus)
    if isinstance(found, Refuse):
        return found
    service, edges = found
    if all(edge.breaker is not None for edge in edges):
        return tuple(c.SetPreset(edge.id, "none") for edge in edges)
    return c.Cure(service.id, "breaker")


def _shed(snapshot: Snapshot, focus: Focus) -> Outcome:
    found = _served(snapshot, focus)
    if isinstance(found, Refuse):
        return found
    service, _ = found
    return c.SetService(service.id, "shed_us", 0) if service.shed_us else c.Cure(service.id, "shedding")


def _deadline(snapshot: Snapshot, focus: Focus) -> Outcome:
    found = _served(snapshot, focus)
    if isinstance(found, Refuse):
        return found
    service, edges = found
    if all(edge.deadline for edge in edges):
        return tuple(c.SetOption(edge.id, "deadline", 0) for edge in edges)
    return c.Cure(service.id, "deadline")


def _hedge(snapshot: Snapshot, focus: Focus) -> Outcome:
    edge = edge_of(snapshot, focus)
    if edge is None:
        return Refuse("nothing is selected")
    return c.SetOption(edge.id, "hedge_ppm", 0 if edge.hedge_ppm else 950_000)


def _fallback(snapshot: Snapshot, focus: Focus) -> Outcome:
    edge = edge_of(snapshot, focus)
    if edge is None:
        return Refuse("nothing is selected")
    return c.SetOption(edge.id, "fallback", 0 if edge.fallback else 1)


# -- clients and looking ----------------------------------------------------------------------------------------------


def _call(snapshot: Snapshot, focus: Focus) -> Outcome:
    return c.Call()


def _ask(snapshot: Snapshot, focus: Focus) -> Outcome:
    return Ask("client")


def _workload(snapshot: Snapshot, focus: Focus) -> Outcome:
    level = next((each for each in LOADS if each > snapshot.rate_per_s), LOADS[0])
    return c.SetLoad("steady", level) if level else c.SetLoad("off", 0)


def _rules(snapshot: Snapshot, focus: Focus) -> Outcome:
    return Ask("rules")


def _tune(snapshot: Snapshot, focus: Focus) -> Outcome:
    return Ask("tune")


def _chart(snapshot: Snapshot, focus: Focus) -> Outcome:
    return next_chart(focus)


def _next(snapshot: Snapshot, focus: Focus) -> Outcome:
    return next_edge(snapshot, focus)


KEYS: Final = (
    Key("k", "crash", "crash a machine of the service, or restart it", live(_crash), rank=10),
    Key("K", "slow", "let the service work 3 and 10 times as slowly, or as usual", live(_slow), "faults", 12),
    Key("x", "cut", "cut the edge, or mend it; on a service: all its edges", live(_cut), rank=11),
    Key("d", "delay", "latency of the edge's links: 20, 100, 400, 1500 ms", live(_delay), rank=19),
    Key("g", "force", "force the breaker open, or reset it: closed, with an empty window", live(_force), rank=14),
    Key("p", "preset", "the next preset: article, hystrix, resilience4j, polly, opossum, none", _preset, rank=15),
    Key("B", "budget", "cure: retries only within 5 % of the calls, or without limit", live(_budget), rank=13),
    Key("D", "shed", "cure: the service refuses what it cannot serve in time, or takes all", live(_shed), rank=16),
    Key("G", "breaker", "cure: a breaker before the service, or none", live(_breaker), rank=55),
    Key("T", "deadline", "cure: tell the service how long one waits, or not", live(_deadline), rank=57),
    Key("o", "order", "the next order of the pipeline: what is outermost", live(_order), rank=20),
    Key("y", "bulkhead", "calls at a time over the edge: any number, 4, 16", live(_bulkhead), rank=24),
    Key("H", "hedge", "ask a second time after the 95th percentile of the latency, or not", live(_hedge), rank=64),
    Key("F", "fallback", "serve another answer where the call failed, or not", live(_fallback), rank=76),
    Key("v", "chart", "the next chart: load, breakers, latency, waste", _chart, "look", 21),
    Key("n", "next", "select the next breaker that is not closed", _next, "look", 22),
    Key("z", "freeze", "freeze a machine of the service (a long pause), or thaw it", live(_freeze), rank=26),
    Key("l", "loss", "loss on the edge's links: 0, 10, 30, 60, 100 %", live(_lose), rank=28),
    Key("u", "shuffle", "let 30 % of the edge's messages come twice and out of order, or not", live(_shuffle), rank=63),
    Key(
        "c", "clock", "the service's wall clock: right, or 200 ms ahead; nothing here runs by it", live(_skew), rank=59
    ),
    Key("h", "heal", "heal everything: links, machines, clocks, injected faults", live(_heal), rank=17),
    Key("a", "call", "make one call yourself", live(_call), rank=25),
    Key("A", "ask", "type what you ask for: browse, fill, buy, payment, burst 50", live(_ask), rank=58),
    Key("w", "load", "calls a second of the clients: off, 5, 15, 30, 60, 90", live(_workload), rank=18),
    Key("b", "break a rule", "bad behaviour: rules that can be switched off", live(_rules), rank=40),
    Key("t", "tune", "presets, thresholds, window, wait, retries, timeout, bulkhead, order", live(_tune), rank=23),
)

MARKS: Final[dict[type, tuple[str, Ink]]] = {
    **network.MARKS,
    faults.ExpireTimers: ("f", "accent"),
    c.Call: ("a", "you"), c.Burst: ("A", "warn"), c.SetLoad: ("w", "you"), c.SetMix: ("w", "you"),
    c.Delay: ("f", "slow"), c.Abort: ("f", "error"), c.SlowService: ("K", "slow"), c.SickHost: ("f", "error"),
    c.SetService: ("t", "you"), c.SetPreset: ("p", "accent"), c.SetBreaker: ("g", "open"), c.SetOption: ("t", "you"),
    c.SetBackoff: ("t", "you"), c.SetOrder: ("o", "accent"), c.Cure: ("C", "good"), SetRule: ("b", "bad"),
}  # fmt: skip
CURES: Final = {"budget": "B", "shedding": "D", "breaker": "G", "deadline": "T"}


def mark(command: Any) -> tuple[str, Ink] | None:
    """The letter a command leaves on the scrubber: that of its verb; none for what a lecturer says."""
    if isinstance(command, c.Cure):
        return CURES.get(command.name, "C"), "good"
    return MARKS.get(type(command))
