"""What was injected, and when: the truth that the verdict is scored against. No analysis reads it."""

from typing import Any, Final

from engines.sim import faults
from engines.tracing.topology import HIT_PPM, Topology
from engines.tracing.verdicts import Trouble
from engines.tracing.world import commands as c
from engines.tracing.world.rules import LINK_LATENCY_US
from engines.tracing.world.snapshot import Fault

KINDS: Final = (
    Trouble.SLOW, Trouble.POOL, Trouble.LOCK, Trouble.CACHE, Trouble.LOSS, Trouble.RETRIES, Trouble.HEADER,
    Trouble.SKEW, Trouble.LOST, Trouble.LATE, Trouble.DOUBLED, Trouble.CRASH, Trouble.FREEZE, Trouble.ERRORS,
    Trouble.NETWORK,
)  # fmt: skip
"""What a person can inject and spans can show."""


def fault_of(command: Any, topology: Topology, now_us: int) -> tuple[Fault, bool] | None:
    """The fault a command injects, and whether it is in force or ends; None if it is no fault the spans should tell."""

    def fault(kind: Trouble, service: str, on: bool, usual: int = 0) -> tuple[Fault, bool]:
        return Fault(kind, service, now_us, command, usual), on

    match command:
        case c.SlowService(service=name, percent=share):
            return fault(Trouble.SLOW, name, share > 100)
        case c.ShrinkPool(service=name, size=size):
            usual = topology.by_name[name].pool_size
            return fault(Trouble.POOL, name, 0 < size < usual, usual)
        case c.Lock(service=name, hold_us=hold_us):
            return fault(Trouble.LOCK, name, hold_us > 0)
        case c.ColdCache(service=name, ppm=ppm):
            return fault(Trouble.CACHE, name, ppm < HIT_PPM)
        case c.Amplify(service=name, ppm=ppm, attempts=attempts):
            return fault(Trouble.RETRIES if attempts > 1 else Trouble.ERRORS, name, ppm > 0)
        case c.DropHeader(service=name, on=on):
            return fault(Trouble.HEADER, name, on)
        case c.LoseSpans(service=name, ppm=ppm):
            return fault(Trouble.LOST, name, ppm > 0)
        case c.LateSpans(service=name, delay_us=delay_us):
            return fault(Trouble.LATE, name, delay_us > 0)
        case faults.Lose(src=src, dst=dst, ppm=ppm):
            return fault(Trouble.LOSS, src if dst == "*" else dst, ppm > 0)
        case faults.Duplicate(src=src, dst=dst, ppm=ppm):
            return fault(Trouble.DOUBLED, src if dst == "*" else dst, ppm > 0)
        case faults.Slow(src=src, dst=dst, latency_us=latency_us):
            return fault(Trouble.NETWORK, src if dst == "*" else dst, latency_us > LINK_LATENCY_US * 2)
        case faults.Skew(node=name, offset_us=offset_us, drift_ppm=drift_ppm):
            return fault(Trouble.SKEW, name, offset_us != 0 or drift_ppm != 0)
        case faults.Crash(node=name) | faults.Restart(node=name):
            return fault(Trouble.CRASH, name, isinstance(command, faults.Crash))
        case faults.Freeze(node=name) | faults.Thaw(node=name):
            return fault(Trouble.FREEZE, name, isinstance(command, faults.Freeze))
    return None
