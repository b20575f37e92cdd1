"""Commands: what is refused, and what the others do."""

from dataclasses import replace
from typing import Any

from engines.errors import UserError
from engines.sim.rules import SetRule
from engines.tracing.topology import CACHE, DATABASE, HIT_PPM, QUEUE
from engines.tracing.world import commands as c
from engines.tracing.world.broker import Broker
from engines.tracing.world.options import ATTEMPTS_MAX, RATE_MAX
from engines.tracing.world.system import System
from engines.tracing.world.users import SHAPES
from engines.units import PPM, US_PER_S

SPAN_MAX_US = 60 * US_PER_S
SLOWEST = "slowest"


def check(system: System, command: Any) -> None:
    """UserError if the command makes no sense here."""
    name = getattr(command, "service", None)
    if isinstance(name, str):
        service = system.topology.by_name.get(name)
        if service is None:
            raise UserError(f"no service {name!r} here: one of {', '.join(system.topology.names)}"[:400])
        role = service.role
        match command:
            case c.ShrinkPool() if not service.pool_of:
                raise UserError(f"{name} has no pool of connections: it calls no database of its own")
            case c.Lock() if role != DATABASE:
                raise UserError(f"{name} is a {role}: only the tables of a database can be locked")
            case c.ColdCache() if role != CACHE:
                raise UserError(f"{name} is a {role}: only a cache can be cold")
            case c.SlowService() | c.Amplify() | c.DropHeader() | c.LoseSpans() | c.LateSpans() if role == QUEUE:
                raise UserError(f"{name} is a queue: it has no work of its own and sends no spans")
    ranges: tuple[tuple[str, int, int], ...] = ()
    match command:
        case c.SlowService():
            ranges = (("percent", 1, 100_000),)
        case c.ShrinkPool():
            ranges = (("size", 0, 1_000),)
        case c.Lock():
            ranges = (("hold_us", 0, SPAN_MAX_US),)
        case c.ColdCache() | c.LoseSpans() | c.SetSampling():
            ranges = (("ppm", 0, PPM),)
        case c.Amplify():
            ranges = (("ppm", 0, PPM), ("attempts", 1, ATTEMPTS_MAX))
        case c.SetRetries():
            ranges = (("attempts", 1, ATTEMPTS_MAX),)
        case c.LateSpans():
            ranges = (("delay_us", 0, SPAN_MAX_US),)
        case c.SetLoad(shape=shape):
            ranges = (("rate", 0, RATE_MAX),)
            if shape not in SHAPES:
                raise UserError(f"a load of {shape!r}: one of {', '.join(SHAPES)} is accepted")
        case SetRule():
            system.control.rules.validate(command)
        case c.Request(operation=operation) if operation and operation not in system.operations:
            raise UserError(f"nobody answers {operation!r}: one of {', '.join(system.operations)}")
    for field, low, high in ranges:
        value = getattr(command, field)
        if not low <= value <= high:
            raise UserError(f"{type(command).__name__}: {field} {value}: it must lie between {low} and {high}")


def resolved(system: System, command: Any) -> Any:
    """The command with ``slowest`` replaced by the service that has the highest p99 now."""
    if getattr(command, "service", None) != SLOWEST:
        return command
    able = [name for name in system.topology.names if name in system.rates and _accepts(system, command, name)]
    if not able:
        raise UserError("no service has answered anything yet that could be the slowest")
    return replace(command, service=max(able, key=lambda name: system.rates[name][3]))


def _accepts(system: System, command: Any, name: str) -> bool:
    try:
        check(system, replace(command, service=name))
    except UserError:
        return False
    return True


def carry_out(system: System, command: Any) -> bool:
    """Do what a valid command asks; False if it is not one of tracing's own."""
    control, name = system.control, getattr(command, "service", "")
    match command:
        case c.Request(operation=operation):
            system.ask(operation)
            return True
        case c.SetLoad(shape=shape, rate=rate):
            system.users().load(system.hosts[system.clients[0]], shape, rate)
        case c.SetRetries(attempts=attempts, backoff=backoff):
            control.attempts, control.backoff = attempts, backoff
        case c.SetBreakers(on=on):
            control.breakers = on
            for each in system.topology.names:
                node = system.node(each)
                if not isinstance(node, Broker):
                    node.forget_breakers()
        case c.SetSampling(ppm=ppm):
            control.ppm = ppm
            system.collector().tail = control.tail()
        case c.Correct(on=on):
            control.correct = on
            system.collector().look_again()
        case SetRule(rule=rule, on=on):
            control.rules = control.rules.switched(command)
            if rule == "whole_traces":
                system.collector().evict_whole(on)
        case c.SlowService(percent=percent):
            control.trouble(name).slow_percent = percent
        case c.ShrinkPool(size=size):
            control.trouble(name).pool_size = size
            system.resize(name)
        case c.Lock(hold_us=hold_us):
            control.trouble(name).lock_us = hold_us
        case c.ColdCache(ppm=ppm):
            control.trouble(name).cold_ppm = ppm if ppm < HIT_PPM else 0
            system.warm(name, HIT_PPM if ppm >= HIT_PPM else 0)
        case c.Amplify(ppm=ppm, attempts=attempts):
            control.trouble(name).fail_ppm = ppm
            options = system.options
            control.attempts, control.backoff = (attempts, False) if ppm else (options.attempts, options.backoff)
        case c.DropHeader(on=on):
            control.trouble(name).drops_header = on
        case c.LoseSpans(ppm=ppm):
            control.trouble(name).lose_ppm = ppm
        case c.LateSpans(delay_us=delay_us):
            control.trouble(name).late_us = delay_us
        case _:
            return False
    system.tell(command)
    return True
