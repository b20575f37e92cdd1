"""The verbs: what each letter means for the selected edge or service.

A verb returns a command of the engine, several given together, another focus, or a refusal that says why. On an edge
``x l d u`` act on its links and ``k z c`` on the service it leads to; the cures act on every edge into that service.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeAlias

from engines.resilience import PRESETS
from engines.resilience.order import ORDER
from engines.resilience.world import commands as c
from engines.resilience.world.options import PRESET_NAMES
from engines.resilience.world.snapshot import EdgeView, ServiceView, Snapshot
from engines.sim import faults
from engines.sim.rules import SetRule
from tui.canvas import Ink
from tui.kit import verbs
from tui.kit.selection import above, after
from tui.kit.service_graph import into
from tui.kit.verbs import Act, Pairs, Target, ask, marker, simulated, standard_keys
from tui.panel import Focus, Key, Outcome, Refuse
from tui.panels.resilience import queries
from tui.panels.resilience.select import edge_of, next_chart, service_of, stirred

Edges: TypeAlias = tuple[EdgeView, ...]

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
OUTSIDE: Final = "clients are many, and outside: w changes their load; select a service"


def target(snapshot: Snapshot, focus: Focus) -> ServiceView | None:
    """The selected service, or the one that the selected edge leads to."""
    edge = edge_of(snapshot, focus)
    return service_of(snapshot, focus) or (snapshot.service(edge.dst) if edge else None)


def links_of(snapshot: Snapshot, edge: EdgeView) -> Pairs:
    """The links of an edge that carry its requests."""
    src = snapshot.service(edge.src)
    sources = tuple(host.id for host in src.hosts) if src and src.hosts else (edge.src,)
    return tuple((one, other) for one in sources for other in edge.hosts)


def aim(snapshot: Snapshot, focus: Focus) -> Target:
    """What the standard verbs act on: machines of the service; links of the edge, or of all edges of the service."""
    edge, service = snapshot.edge(focus.node), target(snapshot, focus)
    edges = [edge] if edge else [each for each in snapshot.edges if service and service.id in (each.src, each.dst)]
    there = tuple(pair for each in edges for pair in links_of(snapshot, each))
    links = verbs.Links(
        (*there, *((dst, src) for src, dst in there)),
        any(each.cut for each in edges),
        max((each.loss_ppm for each in edges), default=0),
        max((each.latency_us for each in edges), default=0),
        any(each.shuffled_ppm for each in edges),
    )
    hosts = service.hosts if service is not None and service.layer != "client" else ()
    machines = tuple(verbs.Machine(each.id, each.status, clock_off_us=each.clock_off_us) for each in hosts)
    return Target(machines, links, no_machine=OUTSIDE, edge=True)


def _skew(snapshot: Snapshot, focus: Focus) -> Outcome:
    """A wall clock jumps and comes back: nothing runs by it, so how fast it goes makes no difference."""
    machines = aim(snapshot, focus).machines
    if not machines:
        return Refuse(OUTSIDE)
    return faults.Skew(machines[0].name, 0 if machines[0].clock_off_us else verbs.OFFSET_US, 0)


def _slow(snapshot: Snapshot, focus: Focus) -> Outcome:
    """The usual trigger: a service whose own work takes longer."""
    service = target(snapshot, focus)
    if service is None or service.layer == "client" or not service.hosts:
        return Refuse(OUTSIDE)
    return c.SlowService(service.id, above(SLOW_PERCENT, max(host.slow_percent for host in service.hosts)))


# -- the breaker and its pipeline -------------------------------------------------------------------------------------


def _of_edge(build: Callable[[EdgeView], Outcome]) -> Act:
    """A key that does something with the selected edge."""

    def act(snapshot: Snapshot, focus: Focus) -> Outcome:
        edge = edge_of(snapshot, focus)
        return build(edge) if edge is not None else Refuse("nothing is selected")

    return act


def _force(snapshot: Snapshot, focus: Focus) -> Outcome:
    edge = edge_of(snapshot, focus)
    if edge is None or edge.breaker is None:
        where = queries.name(edge.id) if edge else "nothing"
        return Refuse(f"{where} has no breaker: p gives it one")
    return c.SetBreaker(edge.id, "force_open" if edge.breaker.state == "closed" else "reset")


def _preset(snapshot: Snapshot, focus: Focus) -> Outcome:
    """The next preset; a log is judged anew by it, and always has a breaker."""
    names = tuple(PRESETS) if snapshot.recorded else PRESET_NAMES
    choose = _of_edge(lambda edge: c.SetPreset(edge.id, after(names, edge.breaker.preset if edge.breaker else "none")))
    return choose(snapshot, focus)


@_of_edge
def _order(edge: EdgeView) -> Outcome:
    return c.SetOrder(edge.id, after(ORDERS, edge.pipeline))


def _option(name: str, level: Callable[[EdgeView], int]) -> Act:
    """An option of the selected edge, set to what this makes of the edge."""
    return simulated(_of_edge(lambda edge: c.SetOption(edge.id, name, level(edge))))


# -- cures ------------------------------------------------------------------------------------------------------------

CURES: Final = {"budget": "B", "shedding": "L", "breaker": "G", "deadline": "W"}


def _cure(name: str, there: Callable[[ServiceView, Edges], bool], undo: Callable[[ServiceView, Edges], Outcome]) -> Act:
    """A key that spares the service that is called, or takes that back; ``there``: whether it is spared so."""

    def act(snapshot: Snapshot, focus: Focus) -> Outcome:
        service = target(snapshot, focus)
        edges = into(snapshot.edges, service.id) if service else ()
        if service is None or not edges:
            return Refuse("nobody calls the clients: select a service or an edge")
        if there(service, edges):
            return undo(service, edges)
        if name == "budget" and not any(edge.retry and edge.retry.retries for edge in edges):
            return Refuse(f"nobody retries calls to {service.id}: there is nothing to budget")
        return c.Cure(service.id, name)

    return simulated(act)


_budget = _cure("budget", lambda _, edges: any(edge.retry and edge.retry.budget_ppm >= 0 for edge in edges),
                lambda _, edges: tuple(c.SetOption(edge.id, "budget_ppm", -1) for edge in edges))  # fmt: skip
_breaker = _cure("breaker", lambda _, edges: all(edge.breaker is not None for edge in edges),
                 lambda _, edges: tuple(c.SetPreset(edge.id, "none") for edge in edges))  # fmt: skip
_shed = _cure("shedding", lambda service, _: service.shed_us > 0,
              lambda service, _: c.SetService(service.id, "shed_us", 0))  # fmt: skip
_deadline = _cure("deadline", lambda _, edges: all(edge.deadline for edge in edges),
                  lambda _, edges: tuple(c.SetOption(edge.id, "deadline", 0) for edge in edges))  # fmt: skip


# -- clients and looking ----------------------------------------------------------------------------------------------


def _workload(snapshot: Snapshot, focus: Focus) -> Outcome:
    level = above(LOADS, snapshot.rate_per_s)
    return c.SetLoad("steady", level) if level else c.SetLoad("off", 0)


def _next(step: int) -> Act:
    def act(snapshot: Snapshot, focus: Focus) -> Outcome:
        ids = [edge.id for edge in stirred(snapshot)]
        if not ids:
            guarded = any(edge.breaker is not None for edge in snapshot.edges)
            fails = ": g goes to the edge that fails most" if any(edge.errors_ppm for edge in snapshot.edges) else ""
            return Refuse(f"{'every breaker is closed' if guarded else 'no edge has a breaker'}{fails}")
        return replace(focus, node=after(ids, focus.node, step))

    return act


def _worst(snapshot: Snapshot, focus: Focus) -> Outcome:
    """The edge over which most calls a second fail."""
    worst = max(snapshot.edges, key=lambda edge: edge.errors_ppm * edge.attempts_per_s, default=None)
    if worst is None or not worst.errors_ppm:
        return Refuse("no call fails now")
    return replace(focus, node=worst.id, chosen=True, why=False)


KEYS: Final = (
    *standard_keys(
        aim, "service", levels=DELAYS_US, level_words="20, 100, 400, 1500 ms", messages=False, guard=simulated,
        ranks={"x": 11, "h": 17, "d": 19, "z": 26, "l": 28, "c": 59, "u": 63},
        instead={
            "x": ("cut", "cut the edge, or mend it; on a service: all its edges", verbs.verb(aim, verbs.cut)),
            "c": ("clock", "the service's wall clock: right, or 200 ms ahead; nothing here runs by it", _skew),
            "h": ("heal", "heal everything: links, machines, clocks, injected faults", verbs.heal),
        },
    ),
    Key("K", "slow", "let the service work 3 and 10 times as slowly, or as usual", simulated(_slow), "faults", 12),
    Key("C", "force", "force the breaker open, or reset it: closed, with an empty window", simulated(_force), rank=14),
    Key("p", "preset", "the next preset: article, hystrix, resilience4j, polly, opossum, none", _preset, rank=15),
    Key("B", "budget", "cure: retries only within 5 % of the calls, or without limit", _budget, rank=13),
    Key("L", "shed", "cure: the service refuses what it cannot serve in time, or takes all", _shed, rank=16),
    Key("G", "breaker", "cure: a breaker before the service, or none", _breaker, rank=55),
    Key("W", "deadline", "cure: tell the service how long one waits, or not", _deadline, rank=57),
    Key("o", "order", "the next order of the pipeline: what is outermost", simulated(_order), rank=20),
    Key("y", "bulkhead", "calls at a time over the edge: any number, 4, 16",
        _option("bulkhead", lambda edge: above(WALLS, edge.bulkhead.size if edge.bulkhead else 0)), rank=24),
    Key("Z", "hedge", "ask a second time after the 95th percentile of the latency, or not",
        _option("hedge_ppm", lambda edge: 0 if edge.hedge_ppm else 950_000), rank=64),
    Key("F", "fallback", "serve another answer where the call failed, or not",
        _option("fallback", lambda edge: 0 if edge.fallback else 1), rank=76),
    Key("v", "chart", "the next view of the chart: load, breakers, latency, waste", next_chart(1), "look", 21),
    Key("V", "chart back", "the previous view", next_chart(-1), "look", 100),
    Key("n", "next", "the next breaker that is not closed", _next(1), "look", 22),
    Key("N", "before", "the previous one", _next(-1), "look", 100),
    Key("g", "worst", "go to the edge that fails most now", _worst, "look", 30),
    Key("a", "call", "make one call yourself", simulated(lambda snapshot, focus: c.Call()), rank=25),
    Key("A", "ask", "type what you ask for: browse, fill, buy, payment, burst 50", simulated(ask("client")), rank=58),
    Key("w", "load", "calls a second of the clients: off, 5, 15, 30, 60, 90", simulated(_workload), rank=18),
    Key("b", "break a rule", "bad behaviour: rules that can be switched off", simulated(ask("rules")), rank=40),
    Key("t", "tune", "presets, thresholds, window, wait, retries, timeout, bulkhead, order", simulated(ask("tune")),
        rank=23),
)  # fmt: skip

_mark = marker({
    c.Call: ("a", "you"), c.Burst: ("A", "warn"), c.SetLoad: ("w", "you"), c.SetMix: ("w", "you"),
    c.Delay: ("f", "slow"), c.Abort: ("f", "error"), c.SlowService: ("K", "slow"), c.SickHost: ("f", "error"),
    c.SetService: ("t", "you"), c.SetPreset: ("p", "accent"), c.SetBreaker: ("C", "open"), c.SetOption: ("t", "you"),
    c.SetBackoff: ("t", "you"), c.SetOrder: ("o", "accent"), c.Cure: ("C", "good"), SetRule: ("b", "bad"),
})  # fmt: skip


def mark(command: Any) -> tuple[str, Ink] | None:
    """The letter a command leaves on the scrubber: that of its verb; none for what a lecturer says."""
    if isinstance(command, c.Cure):
        return CURES.get(command.name, "C"), "good"
    return _mark(command)
