"""Random worlds: whatever people do to the machines, the network and the services, no check is red without a broken
rule. ``make soak`` plays ten thousand of them, ``make test`` a few dozen with fixed seeds."""

from typing import Any, Final

import pytest

from engines.errors import UserError
from engines.sim import faults
from engines.sim.random import Stream
from engines.tracing.world import commands as c
from engines.tracing.world.checks import ONE_TRACE
from tests.engines.tracing.world.strategies import SERVICES, STORES
from tests.engines.tracing.world.system import MS, System

SOAK: Final = 10_000
SAMPLE: Final = 120
NAMES: Final = (*SERVICES, *STORES)
TRAFFIC: Final = ("mixed", "checkout", "product", "home", "login", "cart")


def deed(draw: Stream) -> Any:
    """Something a person may do; no rule is switched off."""
    one, other = NAMES[draw.below(len(NAMES))], NAMES[draw.below(len(NAMES))]
    share = (0, 100_000, 500_000, 1_000_000)[draw.below(4)]
    choices = (
        faults.Crash(one), faults.Restart(one), faults.Freeze(one), faults.Thaw(one), faults.Isolate(one),
        faults.Reconnect(one), faults.Cut(one, other), faults.Mend(one, "*"), faults.Lose("*", one, share),
        faults.Duplicate(one, "*", share), faults.Reorder("*", one, share),
        faults.Slow(one, "*", draw.below(80_000), 9),
        faults.Clog(one, "*"), faults.Unclog(one, "*"), faults.Crash("collector"), faults.Restart("collector"),
        faults.Skew(one, draw.below(800_000) - 400_000, (0, -500_000, 50_000)[draw.below(3)]), faults.Heal(),
        c.SlowService(one, (50, 100, 800)[draw.below(3)]), c.ShrinkPool(one, draw.below(4)),
        c.Lock(one, (0, 20_000, 200_000)[draw.below(3)]), c.ColdCache(one, share),
        c.Amplify(one, share, 1 + draw.below(5)),
        c.LoseSpans(one, share), c.LateSpans(one, (0, 200_000, 3_000_000)[draw.below(3)]), c.DropHeader(one, share > 0),
        c.Request(), c.SetLoad(("off", "steady", "bursts", "wave", "ramp")[draw.below(5)], draw.below(30)),
        c.SetRetries(1 + draw.below(5), share > 0), c.SetBreakers(share > 0), c.SetSampling(share),
        c.Correct(share > 0),
    )  # fmt: skip
    return choices[draw.below(len(choices))]


def red(seed: int) -> tuple[list[str], bool]:
    """Which checks broke in the world of this seed, and whether somebody dropped headers in it."""
    draw = Stream(seed, "world")
    system = System(
        ("head", "tail")[draw.below(2)], seed, rate=draw.below(25), services=12 + draw.below(3) * 6,
        traffic=TRAFFIC[draw.below(3)], keep_ppm=(1_000_000, 300_000)[draw.below(2)],
        store_spans=(6_000, 400)[draw.below(2)], headers=("w3c", "b3")[draw.below(2)],
    )  # fmt: skip
    dropped = False
    for _ in range(draw.below(12)):
        system.run(draw.below(900) * MS)
        command = deed(draw)
        try:
            system.do(command)
        except UserError:
            continue
        dropped = dropped or isinstance(command, c.DropHeader)
    system.run(2_500 * MS)
    return system.broken(), dropped


def judged(seed: int) -> None:
    broken, dropped = red(seed)
    allowed = {ONE_TRACE} if dropped else set()
    assert set(broken) <= allowed, f"the world of seed {seed}: {broken}"


@pytest.mark.parametrize("block", range(6))
def test_no_check_is_red_without_a_broken_rule(block: int) -> None:
    for seed in range(block * SAMPLE // 6, (block + 1) * SAMPLE // 6):
        judged(seed)


@pytest.mark.soak
def test_in_ten_thousand_worlds_no_check_is_red_without_a_broken_rule() -> None:
    for seed in range(SAMPLE, SOAK):
        judged(seed)
