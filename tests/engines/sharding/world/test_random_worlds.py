"""Random worlds under random hands: no check turns red where no rule is broken.

A world is a function of its number: variant, settings, what happens and when. Clocks are right and rules are on, so
whatever turns red here is a fault of the protocol or of the check.
"""

from collections.abc import Callable
from random import Random
from typing import Any, Final

import pytest

from engines.errors import UserError
from engines.sharding.pattern import PATTERN
from engines.sharding.world import commands as c
from engines.sharding.world.options import WORKLOADS
from engines.sim import faults
from engines.sim.timeline import Timeline

VARIANTS: Final = tuple(variant.name for variant in PATTERN.variants)
NODES: Final = ("n1", "n2", "n3", "n4", "n5")
SERVERS: Final = (*NODES, "cfg")
EVERYONE: Final = (*SERVERS, "c1", "you", "*")
KEYS: Final = ("cart:1", "{a}x", "{a}y", "k", "hot")
IN_TEST, IN_SOAK = 300, 10_000
BATCH: Final = 50

Make = Callable[[Random], Any]


def _link(r: Random) -> tuple[str, str]:
    return r.choice(EVERYONE), r.choice(EVERYONE)


HARM: Final[tuple[Make, ...]] = (
    lambda r: faults.Crash(r.choice(SERVERS)),
    lambda r: faults.Restart(r.choice(SERVERS)),
    lambda r: faults.Freeze(r.choice(SERVERS)),
    lambda r: faults.Thaw(r.choice(SERVERS)),
    lambda r: faults.Isolate(r.choice(SERVERS)),
    lambda r: faults.Reconnect(r.choice(SERVERS)),
    lambda r: faults.Cut(*_link(r)),
    lambda r: faults.Mend(*_link(r)),
    lambda r: faults.Lose(*_link(r), r.choice((0, 200_000, 700_000))),
    lambda r: faults.Slow(*_link(r), r.choice((0, 50_000, 400_000)), r.choice((0, 30_000, 300_000))),
    lambda r: faults.Duplicate(*_link(r), 300_000),
    lambda r: faults.Reorder(*_link(r), 300_000),
    lambda r: faults.Clog(*_link(r)),
    lambda r: faults.Unclog(*_link(r)),
    lambda r: faults.SlowDisk(r.choice(SERVERS), r.choice((0, 20_000, 250_000, 400_000))),
    lambda r: faults.Heal(),
)
ORDERS: Final[tuple[Make, ...]] = (
    lambda r: c.AddNode(r.choice(("", "n7", "n2"))),
    lambda r: c.RemoveNode(r.choice(NODES)),
    lambda r: c.Get(r.choice(KEYS), r.choice(("", *NODES))),
    lambda r: c.Put(r.choice(KEYS), r.randrange(99), r.choice(("", *NODES))),
    lambda r: c.MultiGet(tuple(r.choice(KEYS) for _ in range(r.randint(1, 3)))),
    lambda r: c.SetVnodes(r.choice((1, 8, 40))),
    lambda r: c.SetReplication(r.randint(1, 3)),
    lambda r: c.SetRackAware(r.random() < 0.5),
    lambda r: c.Bound(r.choice((100, 125, 300))),
    lambda r: c.SetBandwidth(r.choice((5, 60, 2_000))),
    lambda r: c.SetFullCoverage(r.random() < 0.5, r.random() < 0.5),
    lambda r: c.MoveSlot(r.choice((0, 7_629, 15_495)), r.choice(("cold", *NODES))),
    lambda r: c.MoveChunk(r.choice(("hot", "last", "")), r.choice(NODES)),
    lambda r: c.SplitChunk(r.choice(("hot", "last", ""))),
    lambda r: c.MergeChunks(r.choice(("hot", ""))),
    lambda r: c.SetBalancer(r.random() < 0.5),
    lambda r: c.SplitForHeat(r.random() < 0.5),
    lambda r: c.SetWorkload(r.choice(WORKLOADS), 110, r.choice((2, 10))),
    lambda r: c.Salt(r.choice(KEYS), r.randint(1, 4)),
)


def world(number: int) -> Timeline[Any, Any]:
    """The world of this number, at its end."""
    r = Random(number)
    config = {
        "keys": r.choice((20, 60)), "nodes": 5, "vnodes": r.choice((1, 8, 40)), "rf": r.randint(1, 3),
        "rack_aware": r.random() < 0.3, "clients": r.randint(1, 2), "rate": r.choice((2, 10)),
        "workload": r.choice(WORKLOADS), "bandwidth": r.choice((5, 60, 2_000)), "router": r.random() < 0.2,
        "chunks": r.choice((1, 3)),
    }  # fmt: skip
    run: Timeline[Any, Any] = Timeline(
        PATTERN.variant(VARIANTS[number % len(VARIANTS)]), number, tuple(config.items()), keep_checkpoints=False
    )
    for _ in range(r.randint(4, 14)):
        run.advance(run.now_us + r.choice((0, 60_000, 300_000, 1_000_000, 2_500_000)))
        try:
            run.submit(r.choice(HARM if r.random() < 0.5 else ORDERS)(r))
        except UserError:
            continue
    run.submit(faults.Heal())
    run.advance(run.now_us + 3_000_000)
    return run


def red(numbers: range) -> list[str]:
    """The worlds in which a check is red."""
    found = []
    for number in numbers:
        bad = [f"{check.name}: {check.detail}" for check in world(number).check() if not check.ok]
        if bad:
            found.append(f"world {number}: {bad}")
    return found


@pytest.mark.parametrize("start", range(0, IN_TEST, BATCH))
def test_no_check_is_red_in_a_random_world(start: int) -> None:
    assert red(range(start, start + BATCH)) == []


@pytest.mark.soak
@pytest.mark.parametrize("start", range(IN_TEST, IN_SOAK, 20 * BATCH))
def test_no_check_is_red_in_thousands(start: int) -> None:
    assert red(range(start, min(start + 20 * BATCH, IN_SOAK))) == []
