"""The panel of sharding."""

from functools import partial

from engines.sharding.world import commands as c
from engines.sharding.world.checks import DEMANDS
from engines.sharding.world.snapshot import Snapshot
from engines.sim import faults
from engines.sim.rules import SetRule
from tests.tui.panels.sharding_runs import ALL, VARIANTS, Run, run, standing
from tests.tui.subjects.subject import Subject
from tui.kit.selection import OnMessage
from tui.panel import Focus
from tui.panels.sharding import PANEL
from tui.panels.sharding.select import CHARTS, OnKey, OnUnit, choose, read
from tui.session import Session


def selections(snapshot: Snapshot) -> list[Focus]:
    """Nodes, tracked keys, moving units, messages, and every chart."""
    found = [Focus(), Focus(node=snapshot.nodes[0].id), Focus(node=snapshot.nodes[-1].id)]
    found += [choose(Focus(), what=OnKey(key.key)) for key in snapshot.keys[:2]]
    found += [choose(Focus(), what=OnUnit(lane.id)) for lane in (snapshot.plan.lanes[:2] if snapshot.plan else ())]
    found += [choose(Focus(node=each.src), what=OnMessage(each.id)) for each in snapshot.flights[:2]]
    return found + [choose(Focus(), chart=chart) for chart in CHARTS]


def present(snapshot: Snapshot, focus: Focus) -> bool:
    """Whether what the focus names exists."""
    if snapshot.node(focus.node) is None:
        return False
    match read(focus).what:
        case OnKey(name):
            return snapshot.key(name) is not None
        case OnUnit(id):
            return snapshot.plan is not None and any(lane.id == id for lane in snapshot.plan.lanes)
        case OnMessage() as message:
            return message.among(snapshot.flights) is not None
    return True


def troubled() -> list[Run]:
    """A ring with every fault, slots and ranges with what only they have, and a rule broken."""
    ring = run(
        14_000,
        (300, c.Get("cart:1", "n1")), (400, c.Put("cart:1", 3, "n2")), (500, c.MultiGet(("a", "b"))),
        (600, faults.Lose("*", "n1", 300_000)), (650, faults.Drop(1)), (700, faults.Slow("n1", "n2", 50_000, 1_000)),
        (710, faults.Duplicate("n3", "n4", 500_000)), (720, faults.Reorder("n3", "n4", 500_000)),
        (730, faults.Clog("n4", "n3")), (800, faults.Unclog("n4", "n3")), (810, faults.Skew("n5", 200_000, 0)),
        (820, faults.SlowDisk("n2", 40_000)), (900, c.AddNode()), (910, c.RemoveNode("n2")),
        (1_500, faults.Freeze("n4")), (4_100, faults.Thaw("n4")),
        (4_200, faults.Partition((("n1", "n2", "n3"), ("n4", "n5", "cfg")))), (6_900, faults.Heal()),
        (7_700, faults.Crash("n3")), (9_900, faults.Restart("n3")), (10_000, faults.Isolate("n1")),
        (10_200, faults.Reconnect("n1")), (10_210, faults.Cut("n1", "n2")), (10_220, faults.Mend("n1", "n2")),
        (10_300, faults.ExpireTimers(("n1", "n2"), "beat", 1_000)), (10_400, SetRule("lease", False)),
        (10_410, c.SetWorkload("hot")), (10_420, c.Salt("hot", 3)), (10_425, c.SetBandwidth(200)),
        (10_430, faults.Narrate("Look.")), (10_500, c.SetVnodes(16)),
        config=(("rf", 2),),
    )  # fmt: skip
    slots = run(
        12_000,
        (500, c.MultiGet(("a", "b"))), (700, c.SetBalancer(True)), (800, c.SplitForHeat(True)),
        (900, c.SetFullCoverage(True, True)), (1_000, c.AddNode()), (1_200, SetRule("ask_redirects", False)),
        (4_000, faults.Crash("n1")), (8_000, c.SetFullCoverage(False)), (8_500, faults.Restart("n1")),
        variant="slots",
    )  # fmt: skip
    ranges = run(
        12_000,
        (500, c.SplitChunk("")), (1_500, c.MergeChunks("")), (2_000, c.SetWorkload("monotonic", 110, 50)),
        (3_000, c.SplitForHeat(True)),
        variant="range",
    )  # fmt: skip
    bare = run(5_000, (1_000, SetRule("keep_until_acked", False)), (1_100, c.AddNode()), variant="modulo")
    return [ring, slots, ranges, bare]


INPUTS = {
    "": (),
    " joins": ((1_000, c.AddNode()), (1_001, faults.Freeze("n2"))),
    " leaves": ((1_000, faults.Crash("n1")), (1_001, c.RemoveNode("n3"))),
}

SHARDING = Subject(
    PANEL,
    moments={name: partial(standing, name) for name in ALL},
    selections=selections,
    present=present,
    worlds={
        f"{variant}{what}": partial(run, 1_500, *inputs, variant=variant)
        for variant in VARIANTS
        for what, inputs in INPUTS.items()
    },
    troubled=troubled,
    walk=lambda: run(900, variant="slots"),
    wait_us=170_000,
    sessions={
        variant: partial(Session, (PANEL,), "sharding", variant=variant, sandbox=True)
        for variant in ("ring", "slots", "range")
    },
    checks=frozenset(DEMANDS),
    broken=lambda: run(1_000, (900, SetRule("keep_until_acked", False))).snapshot(),
    rule="keep until acked",
    find="user",
    over=30,
    long=frozenset({"cue", "answered"}),
)
