"""What was injected, in words, and when: the truth that the verdict is scored against. No analysis reads it."""

from typing import Any

from engines.sim import faults
from engines.sim.clock import format_span
from engines.tracing.topology import HIT_PPM, Topology
from engines.tracing.world import commands as c
from engines.tracing.world.snapshot import Fault

SLOW, POOL, LOCK, CACHE, LOSS = "slow", "pool", "lock", "cache", "loss"
RETRIES, HEADER, SKEW, LOST, LATE = "retries", "header", "skew", "lost", "late"
KINDS = (SLOW, POOL, LOCK, CACHE, LOSS, RETRIES, HEADER, SKEW, LOST, LATE)


def percent(ppm: int) -> str:
    """A share in words."""
    return f"{ppm // 10_000} %" if ppm % 10_000 == 0 else f"{ppm // 10_000}.{ppm // 1_000 % 10} %"


def fault_of(command: Any, topology: Topology, now_us: int) -> tuple[Fault, bool] | None:
    """The fault a command injects, and whether it is in force or ends; None if it is no fault the spans should tell."""
    match command:
        case c.SlowService(service=name, percent=share):
            text = f"{name} takes {share // 100}.{share % 100 // 10} times as long"
            return Fault(SLOW, name, text, now_us), share > 100
        case c.ShrinkPool(service=name, size=size):
            usual = topology.by_name[name].pool_size
            text = f"the pool of {name} is cut from {usual} to {size} connections"
            return Fault(POOL, name, text, now_us), 0 < size < usual
        case c.Lock(service=name, hold_us=hold_us):
            return Fault(LOCK, name, f"queries of {name} hold a lock for {format_span(hold_us)}", now_us), hold_us > 0
        case c.ColdCache(service=name, ppm=ppm):
            text = f"{name} is cold" + (f": {percent(ppm)} hits" if ppm else "")
            return Fault(CACHE, name, text, now_us), ppm < HIT_PPM
        case c.Amplify(service=name, ppm=ppm, attempts=attempts):
            again = f"everybody tries {attempts} times" if attempts > 1 else "nobody tries again"
            text = f"{name} fails {percent(ppm)} of its calls, {again}"
            return Fault(RETRIES, name, text, now_us), ppm > 0
        case c.DropHeader(service=name, on=on):
            return Fault(HEADER, name, f"{name} does not pass the trace headers on", now_us), on
        case c.LoseSpans(service=name, ppm=ppm):
            return Fault(LOST, name, f"the exporter of {name} loses {percent(ppm)} of its spans", now_us), ppm > 0
        case c.LateSpans(service=name, delay_us=delay_us):
            text = f"the exporter of {name} is {format_span(delay_us)} late"
            return Fault(LATE, name, text, now_us), delay_us > 0
        case faults.Lose(src=src, dst=dst, ppm=ppm):
            name = src if dst == "*" else dst
            return Fault(LOSS, name, f"the network loses {percent(ppm)} on its way to {name}", now_us), ppm > 0
        case faults.Skew(node=name, offset_us=offset_us, drift_ppm=drift_ppm):
            text = f"the clock of {name} is {format_span(offset_us)} off"
            return Fault(SKEW, name, text, now_us), offset_us != 0 or drift_ppm != 0
    return None
