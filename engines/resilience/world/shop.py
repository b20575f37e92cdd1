"""What a person has set: kept by the world, so that a restarted machine gets it again, as configuration is.

``validate`` says what is accepted, ``change`` carries a command out on the configuration and returns what that means
for the machines that run. The engine puts it in force there; nothing here knows a machine.
"""

from dataclasses import replace
from typing import Any, Final, NamedTuple

from engines.errors import UserError
from engines.resilience.order import accept_order
from engines.resilience.policy import TIME_MAX_US
from engines.resilience.retry import BACKOFFS
from engines.resilience.states import Cause
from engines.resilience.world import commands as c
from engines.resilience.world import events as e
from engines.resilience.world import topology as t
from engines.resilience.world.calls import InjectedFault
from engines.resilience.world.load import Load
from engines.resilience.world.options import (
    SERVICE_NUMBERS,
    EdgeOptions,
    Options,
    edge_options,
    with_number,
    with_preset,
)
from engines.resilience.world.snapshot import LoadView
from engines.sim.load import SHAPES
from engines.sim.rules import RuleSwitched, SetRule
from engines.units import US_PER_MS, US_PER_S

RATE_MAX: Final = 500
MODES: Final = {
    "reset": Cause.RESET, "disable": Cause.DISABLE, "metrics_only": Cause.METRICS, "force_open": Cause.FORCE_OPEN,
}  # fmt: skip
CURES: Final = ("breaker", "budget", "shedding", "deadline")
CURE_BUDGET_PPM: Final = 50_000
CURE_SHED_US: Final = 500 * US_PER_MS
DELAY_MAX_US: Final = 60 * US_PER_S


class ServiceSettings:
    """Those of one service."""

    __slots__ = ("newest_first", "queue_max", "shape", "shed_us", "usual_us", "workers")

    def __init__(self, workers: int, queue_max: int, shed_us: int, usual_us: int, shape: str) -> None:
        self.workers = workers
        self.queue_max = queue_max
        self.shed_us = shed_us
        self.newest_first = False
        self.usual_us = usual_us
        self.shape = shape


class Change(NamedTuple):
    """What a command changed: the event that tells of it, and whose configuration is new."""

    event: e.ResilienceEvent
    edges: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    """Machines that became slow, sick or well."""
    order: Cause | None = None
    """An operator's order to the breakers of these edges."""
    rules: bool = False
    load: bool = False


class Shop:
    """The configuration of all edges, services and machines."""

    def __init__(self, options: Options, variant: str, topology: t.Topology) -> None:
        self.topology = topology
        self.preset = options.preset
        self.rules = options.rules
        rows = topology.services
        self.edges: dict[str, EdgeOptions] = {
            t.edge_id(row.id, dst): edge_options(options, variant, row.id) for row in rows for dst in row.needs
        }
        slow = dict(options.slow)
        self.services = {
            row.id: ServiceSettings(
                options.api_workers if row.id == t.API else options.workers,
                options.queue,
                options.shed_ms * US_PER_MS,
                slow[row.id] * US_PER_MS if row.id in slow else t.USUAL_US[row.id],
                options.shape,
            )
            for row in rows
            if row.id != t.CLIENTS
        }
        self.slow = {host: 100 for row in rows for host in row.hosts}
        self.sick = {host: 0 for row in rows for host in row.hosts}
        self.injected = {edge: InjectedFault() for edge in self.edges}
        self.load = Load(LoadView("steady", options.rate, 0, 1, options.poisson), options.mix, 0)

    def heal(self) -> None:
        """End injected faults, slowness and sickness."""
        for fault in self.injected.values():
            fault.clear()
        for host in self.slow:
            self.slow[host], self.sick[host] = 100, 0

    # -- what is accepted --------------------------------------------------------------------------------------

    def validate(self, command: Any) -> None:
        """UserError for what makes no sense here."""
        match command:
            case c.Call(what=kind) | c.Burst(what=kind) if kind and kind not in t.KINDS:
                raise UserError(f"call {kind!r}: one of {', '.join(t.KINDS)} is accepted")
            case c.Burst(count=count):
                _within("burst", count, 1, c.BURST_MAX)
            case c.SetLoad(shape=shape, per_s=per_s, to_per_s=to_per_s, span_s=span_s):
                _one_of("load", shape, SHAPES)
                _within("calls a second", per_s, 0, RATE_MAX)
                _within("calls a second", to_per_s, 0, RATE_MAX)
                _within("seconds", span_s, 1, 3_600)
            case c.SetMix(mix=mix):
                _one_of("mix", mix, t.MIXES)
            case c.SlowService(service=service, percent=percent):
                self._machine(service)
                _within("percent", percent, 1, 100_000)
            case c.SickHost(service=service, percent=percent):
                self._machine(service)
                _within("percent", percent, 0, 100)
            case c.SetService(service=service, name=name, value=value):
                _one_of("service", service, tuple(self.services))
                _one_of("setting of a service", name, tuple(SERVICE_NUMBERS))
                _within(name, value, *SERVICE_NUMBERS[name])
            case c.Cure(service=service, name=name):
                _one_of("service", service, tuple(self.services))
                _one_of("cure", name, CURES)
            case SetRule():
                self.rules.validate(command)
            case _ if isinstance(command, EDGE_COMMANDS):
                self._validate_edge(command)

    def _validate_edge(self, command: Any) -> None:
        """The commands that name an edge."""
        edges = self._named(command.edge)
        match command:
            case c.Delay(percent=percent, delay_us=delay_us):
                _within("percent", percent, 0, 100)
                _within("delay", delay_us, 0, DELAY_MAX_US)
            case c.Abort(percent=percent, status=status):
                _within("percent", percent, 0, 100)
                _within("status", status, 400, 599)
            case c.SetBreaker(mode=mode):
                _one_of("mode", mode, tuple(MODES))
                if not any(self.edges[edge].breaker for edge in edges):
                    raise UserError(f"{command.edge}: there is no breaker: give it one with a preset first")
            case c.SetOrder(order=order):
                accept_order(order, whole=True)
            case c.SetBackoff(backoff=kind, base_us=base_us, cap_us=cap_us):
                _one_of("backoff", kind, tuple(BACKOFFS))
                if not 0 <= base_us <= cap_us <= TIME_MAX_US:
                    raise UserError(
                        f"backoff of {base_us} to {cap_us} us: 0 <= base <= cap <= {TIME_MAX_US} is accepted"
                    )
            case _:
                for edge in edges:
                    _changed(self.edges[edge], command)

    def _machine(self, name: str) -> None:
        hosts = (host for row in self.topology.services if row.id != t.CLIENTS for host in row.hosts)
        _one_of("service", name, tuple(dict.fromkeys((*self.services, *hosts))))

    def _named(self, edge: str) -> tuple[str, ...]:
        """The edges that a command means."""
        if edge == "*":
            return tuple(self.edges)
        _one_of("edge", edge, (*self.edges, "*"))
        return (edge,)

    def machines(self, name: str) -> tuple[str, ...]:
        """The hosts of a service, or the one host of this name; KeyError if there is neither."""
        for service in self.topology.services:
            if name == service.id:
                return service.hosts
            if name in service.hosts:
                return (name,)
        raise KeyError(name)

    # -- carrying out ------------------------------------------------------------------------------------------

    def change(self, command: Any, now_us: int) -> Change | None:
        """Carry a valid command out; None if it changes no configuration."""
        match command:
            case c.SetLoad(shape=shape, per_s=per_s, to_per_s=to_per_s, span_s=span_s, poisson=poisson):
                self.load.set(LoadView(shape, per_s, to_per_s, span_s, poisson), now_us)
                return Change(e.LoadSet(self.load.view), load=True)
            case c.SetMix(mix=mix):
                self.load.mix = mix
                return Change(e.MixSet(mix))
            case c.SlowService(service=service, percent=percent):
                hosts = self.machines(service)
                self.slow.update(dict.fromkeys(hosts, percent))
                return Change(e.ServiceSlowed(service, percent), hosts=hosts)
            case c.SickHost(service=service, percent=percent):
                hosts = self.machines(service)
                self.sick.update(dict.fromkeys(hosts, percent))
                return Change(e.HostSickened(service, percent), hosts=hosts)
            case c.SetService(service=service, name=name, value=value):
                self._set_service(service, name, value)
                return Change(e.ServiceTuned(service, name, value), services=(service,))
            case c.Cure(service=service, name=name):
                return self._cure(service, name)
            case SetRule(rule=rule, on=on):
                self.rules = self.rules.switched(command)
                return Change(RuleSwitched(rule, on), rules=True)
            case _ if isinstance(command, EDGE_COMMANDS):
                return self._change_edge(command)
        return None

    def _set_service(self, service: str, name: str, value: int) -> None:
        setattr(self.services[service], name, bool(value) if name == "newest_first" else value)

    def _change_edge(self, command: Any) -> Change:
        """The commands that name an edge."""
        edge, edges = command.edge, self._named(command.edge)
        match command:
            case c.Delay(percent=percent, delay_us=delay_us):
                for each in edges:
                    self.injected[each].delay_percent, self.injected[each].delay_us = percent, delay_us
                return Change(e.DelayInjected(edge, percent, delay_us))
            case c.Abort(percent=percent, status=status):
                for each in edges:
                    self.injected[each].abort_percent, self.injected[each].abort_status = percent, status
                return Change(e.AbortInjected(edge, percent, status))
            case c.SetBreaker(mode=mode):
                return Change(e.BreakerOrdered(edge, MODES[mode]), edges, order=MODES[mode])
        for each in edges:
            self.edges[each] = _changed(self.edges[each], command)
        return Change(self._told(command), edges)

    def _told(self, command: Any) -> e.ResilienceEvent:
        """The event for other options."""
        match command:
            case c.SetPreset(edge=edge, preset=preset):
                if edge == "*":
                    self.preset = preset
                return e.PresetChosen(edge, preset)
            case c.SetOption(edge=edge, name=name, value=value):
                return e.OptionSet(edge, name, value)
            case c.SetBackoff(edge=edge, backoff=kind, base_us=base_us, cap_us=cap_us):
                return e.BackoffSet(edge, kind, base_us, cap_us)
            case c.SetOrder(edge=edge, order=order):
                return e.OrderSet(edge, order)
        raise AssertionError(command)

    def _cure(self, service: str, name: str) -> Change:
        """What ends a retry storm against a service, at the service or at everybody who calls it."""
        if name == "shedding":
            self._set_service(service, "shed_us", CURE_SHED_US)
            return Change(e.CureApplied(service, name, CURE_SHED_US), services=(service,))
        into = tuple(edge for edge in self.edges if edge.endswith(f">{service}"))
        for edge in into:
            options = self.edges[edge]
            if name == "breaker":
                options = with_preset(options, "article")
            elif name == "budget":
                options = replace(options, budget_ppm=CURE_BUDGET_PPM, budget_min=0, budget_active=0)
            else:
                options = replace(options, deadline=1)
            self.edges[edge] = options
        return Change(e.CureApplied(service, name, CURE_BUDGET_PPM if name == "budget" else 0), into)


def _changed(options: EdgeOptions, command: Any) -> EdgeOptions:
    """The options of an edge after a command. UserError if it cannot be. ``*`` passes edges without a breaker by."""
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


def _within(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise UserError(f"{what} {value}: it must lie between {low} and {high}")


def _one_of(what: str, value: str, accepted: tuple[str, ...]) -> None:
    if value not in accepted:
        raise UserError(f"{what} {value!r}: one of {', '.join(accepted)} is accepted")


EDGE_COMMANDS: Final = (c.Delay, c.Abort, c.SetBreaker, c.SetPreset, c.SetOption, c.SetBackoff, c.SetOrder)
