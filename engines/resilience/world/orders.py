"""The commands of a person: what is accepted, and what each does."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from engines.errors import UserError
from engines.resilience.order import accept_order
from engines.resilience.policy import TIME_MAX_US
from engines.resilience.retry import BACKOFFS
from engines.resilience.shed import WaitLimit
from engines.resilience.states import Cause
from engines.resilience.world import commands as c
from engines.resilience.world import topology as t
from engines.resilience.world.client import YOU, curve
from engines.resilience.world.edge import Edge
from engines.resilience.world.node import ServiceNode
from engines.resilience.world.options import (
    SERVICE_NUMBERS,
    EdgeOptions,
    with_number,
    with_preset,
)
from engines.resilience.world.rules import RULE_NAMES
from engines.sim.clock import US_PER_MS, US_PER_S, format_span
from engines.sim.world import CRASHED, UP, Host

if TYPE_CHECKING:
    from engines.resilience.world.engine import ResilienceEngine

LOADS: Final = ("steady", "ramp", "pulse", "sine", "off")
RATE_MAX: Final = 500
BURST_MAX: Final = 500
MODES: Final = {
    "reset": Cause.RESET, "disable": Cause.DISABLE, "metrics_only": Cause.METRICS, "force_open": Cause.FORCE_OPEN,
}  # fmt: skip
CURES: Final = ("breaker", "budget", "shedding", "deadline")
CURE_BUDGET_PPM: Final = 50_000
CURE_SHED_US: Final = 500 * US_PER_MS
DELAY_MAX_US: Final = 60 * US_PER_S


def check(engine: "ResilienceEngine", command: Any) -> None:
    """UserError for what makes no sense here."""
    match command:
        case c.Call(what=kind) | c.Burst(what=kind) if kind and kind not in t.KINDS:
            raise UserError(f"call {kind!r}: one of {', '.join(t.KINDS)} is accepted")
        case c.Call() | c.Burst() if engine.hosts[t.CLIENTS].status != UP:
            raise UserError(f"the clients are {engine.hosts[t.CLIENTS].status}: they cannot call")
        case c.Burst(count=count):
            _within("burst", count, 1, BURST_MAX)
        case c.SetLoad(shape=shape, per_s=per_s, to_per_s=to_per_s, span_s=span_s):
            _one_of("load", shape, LOADS)
            _within("calls a second", per_s, 0, RATE_MAX)
            _within("calls a second", to_per_s, 0, RATE_MAX)
            _within("seconds", span_s, 1, 3_600)
        case c.SetMix(mix=mix):
            _one_of("mix", mix, t.MIXES)
        case c.SlowService(service=service, percent=percent):
            _machine(engine, service)
            _within("percent", percent, 1, 100_000)
        case c.SickHost(service=service, percent=percent):
            _machine(engine, service)
            _within("percent", percent, 0, 100)
        case c.SetService(service=service, name=name, value=value):
            _service(engine, service)
            _one_of("setting of a service", name, tuple(SERVICE_NUMBERS))
            _within(name, value, *SERVICE_NUMBERS[name])
        case c.Cure(service=service, name=name):
            _service(engine, service)
            _one_of("cure", name, CURES)
        case c.SetRule(rule=rule):
            _one_of("rule", rule, RULE_NAMES)
        case _ if isinstance(command, EDGE_COMMANDS):
            _check_edge(engine, command)


def _check_edge(engine: "ResilienceEngine", command: Any) -> None:
    """The commands that name an edge."""
    edges = _edges(engine, command.edge)
    match command:
        case c.Delay(percent=percent, delay_us=delay_us):
            _within("percent", percent, 0, 100)
            _within("delay", delay_us, 0, DELAY_MAX_US)
        case c.Abort(percent=percent, status=status):
            _within("percent", percent, 0, 100)
            _within("status", status, 400, 599)
        case c.SetBreaker(mode=mode):
            _one_of("mode", mode, tuple(MODES))
            if not any(engine.edges[edge].breaker for edge in edges):
                raise UserError(f"{command.edge}: there is no breaker: give it one with a preset first")
        case c.SetOrder(order=order):
            accept_order(order, whole=True)
        case c.SetBackoff(backoff=kind, base_us=base_us, cap_us=cap_us):
            _one_of("backoff", kind, tuple(BACKOFFS))
            if not 0 <= base_us <= cap_us <= TIME_MAX_US:
                raise UserError(f"backoff of {base_us} to {cap_us} us: 0 <= base <= cap <= {TIME_MAX_US} is accepted")
        case _:
            for edge in edges:
                changed(engine.edges[edge], command)


def _within(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise UserError(f"{what} {value}: it must lie between {low} and {high}")


def _one_of(what: str, value: str, accepted: tuple[str, ...]) -> None:
    if value not in accepted:
        raise UserError(f"{what} {value!r}: one of {', '.join(accepted)} is accepted")


def _service(engine: "ResilienceEngine", name: str) -> None:
    _one_of("service", name, tuple(engine.dials))


def _machine(engine: "ResilienceEngine", name: str) -> None:
    names = tuple(dict.fromkeys((*engine.dials, *engine.servers)))
    _one_of("service", name, names)


def _edges(engine: "ResilienceEngine", edge: str) -> tuple[str, ...]:
    """The edges that a command means. For options of breakers ``*`` means those that have one."""
    if edge == "*":
        return tuple(engine.edges)
    _one_of("edge", edge, (*engine.edges, "*"))
    return (edge,)


def changed(options: EdgeOptions, command: Any) -> EdgeOptions:
    """The options of an edge after a command."""
    match command:
        case c.SetPreset(preset=preset):
            return with_preset(options, preset)
        case c.SetOption(edge="*", name=name) if name.startswith("breaker.") and options.breaker is None:
            return options
        case c.SetOption(name=name, value=value):
            return with_number(options, name, value)
        case c.SetBackoff(backoff=kind, base_us=base_us, cap_us=cap_us):
            return replace(options, backoff=kind, base_us=base_us, cap_us=cap_us)
        case c.SetOrder(order=order):
            return replace(options, order=order)
    return options


# -- carrying out ----------------------------------------------------------------------------------------------


def carry_out(engine: "ResilienceEngine", command: Any) -> bool:
    """Do it; False for what the world does itself."""
    match command:
        case c.Call() | c.Burst() | c.SetLoad() | c.SetMix():
            _load(engine, command)
        case c.Delay(edge=edge, percent=percent, delay_us=delay_us):
            for each in _edges(engine, edge):
                engine.istio[each].delay_percent, engine.istio[each].delay_us = percent, delay_us
            engine.record("delay_fault", why=edge, percent=percent, delay_us=delay_us)
        case c.Abort(edge=edge, percent=percent, status=status):
            for each in _edges(engine, edge):
                engine.istio[each].abort_percent, engine.istio[each].abort_status = percent, status
            engine.record("abort_fault", why=edge, percent=percent, status=status)
        case c.SlowService(service=service, percent=percent):
            for host in engine.machines(service):
                engine.slow[host] = percent
                engine.pass_on(host)
            engine.record("slow_service", why=service, percent=percent)
        case c.SickHost(service=service, percent=percent):
            for host in engine.machines(service):
                engine.sick[host] = percent
                engine.pass_on(host)
            engine.record("sick", why=service, percent=percent)
        case c.SetService(service=service, name=name, value=value):
            set_service(engine, service, name, value)
        case c.SetBreaker(edge=edge, mode=mode):
            engine.record("operator", why=mode, edge=edge)
            for where, live in _live(engine, edge):
                live.order_breaker(where, MODES[mode])
                engine.caller(where.id).settle(where)
        case c.Cure(service=service, name=name):
            _cure(engine, service, name)
        case c.SetRule(rule=rule, on=on):
            engine.rules = replace(engine.rules, **{rule: on})
            engine.ledger.count_waste = engine.rules.count_waste
            for id in engine.hosts:
                engine.caller(id).obey(engine.rules)
            engine.record("rule", why=rule, on=on)
        case c.SetPreset() | c.SetOption() | c.SetBackoff() | c.SetOrder():
            _tune(engine, command)
        case _:
            return False
    return True


def _load(engine: "ResilienceEngine", command: Any) -> None:
    """What the clients do."""
    host, client = engine.hosts[t.CLIENTS], engine.client()
    load = engine.load
    match command:
        case c.Call(what=kind):
            client.call(host, kind or t.pick(load.mix, host.stream("your kinds")), YOU)
        case c.Burst(count=count, what=kind):
            engine.record("burst", t.CLIENTS, why=kind or load.mix, count=count)
            for _ in range(count):
                client.call(host, kind or t.pick(load.mix, host.stream("kinds")), t.CLIENTS)
        case c.SetMix(mix=mix):
            load.mix = mix
            engine.record("mix", t.CLIENTS, why=mix)
        case c.SetLoad(shape=shape, per_s=per_s, to_per_s=to_per_s, span_s=span_s, poisson=poisson):
            load.curve = curve(shape, per_s, to_per_s, span_s, engine.now_us)
            load.poisson = poisson
            load.words = load_words(command)
            engine.record("load", t.CLIENTS, why=load.words, per_s=per_s)
            if host.status != CRASHED:
                client.next_arrival(host)
    if host.status != CRASHED:
        client.settle(host)


def load_words(load: c.SetLoad) -> str:
    """A load for people."""
    pace = "at random" if load.poisson else "evenly paced"
    match load.shape:
        case "off":
            return "no calls"
        case "ramp":
            return f"from {load.per_s} to {load.to_per_s} a second in {load.span_s} s, {pace}"
        case "pulse":
            return f"{load.to_per_s} a second for {load.span_s} s, then {load.per_s}, {pace}"
        case "sine":
            return f"between {load.per_s} and {load.to_per_s} a second, every {load.span_s} s, {pace}"
    return f"{load.per_s} a second, {pace}"


def set_service(engine: "ResilienceEngine", service: str, name: str, value: int) -> None:
    """Change a service on all its machines."""
    dials = engine.dials[service]
    setattr(dials, name, bool(value) if name == "newest_first" else value)
    engine.record("service", why=name, service=service, value=value)
    for id in engine.topology.service(service).hosts:
        host, node = engine.hosts[id], engine.hosts[id].node
        assert isinstance(node, ServiceNode)
        node.pool.size, node.pool.queue_max = dials.workers, dials.queue_max
        node.pool.newest_first = dials.newest_first
        node.shedder = WaitLimit(dials.shed_us) if dials.shed_us else None
        if host.status == UP:
            node.serve_next(host)
            node.settle(host)


def _live(engine: "ResilienceEngine", edge: str) -> list[tuple[Host, Edge]]:
    """The calling sides of an edge on machines that run, with their hosts."""
    found = []
    for host in engine.hosts.values():
        if host.status != CRASHED:
            found += [(host, each) for each in engine.caller(host.id).by_slot if edge in ("*", each.id)]
    return found


def _tune(engine: "ResilienceEngine", command: Any) -> None:
    """Other options for one edge or all."""
    kind, why, detail = _tuned(command)
    engine.record(kind, why=why, edge=command.edge, **detail)
    for edge in _edges(engine, command.edge):
        install(engine, edge, changed(engine.edges[edge], command))
    if isinstance(command, c.SetPreset) and command.edge == "*":
        engine.preset = command.preset


def _tuned(command: Any) -> tuple[str, str, dict[str, Any]]:
    """What the journal says of it: kind, words, numbers."""
    match command:
        case c.SetPreset(preset=preset):
            return "preset", preset, {}
        case c.SetOption(name=name, value=value):
            return "option", name, {"value": value}
        case c.SetBackoff(backoff=kind, base_us=base_us, cap_us=cap_us):
            return "backoff", kind, {"base_us": base_us, "cap_us": cap_us}
    return "order", " > ".join(command.order), {}


def install(engine: "ResilienceEngine", edge: str, options: EdgeOptions) -> None:
    """Put options of an edge in force on every machine that runs."""
    engine.edges[edge] = options
    for host, each in _live(engine, edge):
        each.install(host, options)
        if host.status == UP:
            engine.caller(host.id).settle(host)


def _cure(engine: "ResilienceEngine", service: str, name: str) -> None:
    """What ends a retry storm against a service, at the service or at everybody who calls it."""
    into = [edge for edge in engine.edges if edge.endswith(f">{service}")]
    match name:
        case "shedding":
            why = f"{service} sheds calls that waited longer than {format_span(CURE_SHED_US)}"
            engine.record("cure", why=why, service=service, name=name)
            set_service(engine, service, "shed_us", CURE_SHED_US)
            return
        case "breaker":
            why = f"a breaker with the article's numbers before {service}"
        case "budget":
            why = f"retries into {service} may be {CURE_BUDGET_PPM // 10_000} % of the calls"
        case _:
            why = f"callers tell {service} how long they wait"
    engine.record("cure", why=why, service=service, name=name)
    for edge in into:
        options = engine.edges[edge]
        if name == "breaker":
            options = with_preset(options, "article")
        elif name == "budget":
            options = replace(options, budget_ppm=CURE_BUDGET_PPM, budget_min=0, budget_active=0)
        else:
            options = replace(options, deadline=1)
        install(engine, edge, options)


EDGE_COMMANDS: Final = (c.Delay, c.Abort, c.SetBreaker, c.SetPreset, c.SetOption, c.SetBackoff, c.SetOrder)
__all__ = ["BURST_MAX", "CURES", "LOADS", "MODES", "RATE_MAX", "carry_out", "check"]
