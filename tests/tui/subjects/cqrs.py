"""The panel of CQRS."""

from engines.cqrs.world import commands as c
from engines.cqrs.world.checks import DEMANDS
from engines.cqrs.world.snapshot import Snapshot
from engines.sim import faults
from engines.sim.rules import SetRule
from tests.tui.panels.cqrs_runs import Run, file_run, run, story
from tests.tui.subjects.subject import Subject
from tui.panel import Focus
from tui.panels.cqrs import PANEL
from tui.panels.cqrs.select import VIEWS, Chosen, machines, orders, read
from tui.session import Session

SUMMARY = "order_summary"


def selections(snapshot: Snapshot) -> list[Focus]:
    """Every machine, every view, every projection, an order, a date."""
    found = [Focus(), *(Focus(node=name) for name in machines(snapshot))]
    found += [Focus(pick=Chosen(view=view)) for view in VIEWS]
    found += [Focus(pick=Chosen(view="rows", projection=view.name)) for view in snapshot.projections]
    there = orders(snapshot)
    if there:
        found += [Focus(node="p1", pick=Chosen(view=view, order=there[0])) for view in VIEWS]
        middle = (len(snapshot.events) + 1) // 2
        if snapshot.recorded:
            found.append(Focus(pick=Chosen(view="rows", key=there[0])))
            found.append(Focus(pick=Chosen(view="rows", projection="customer_history", key="ada", at=middle)))
        found += [Focus(pick=Chosen(view=view, projection=each.name, at=middle))
                  for view in ("rows", "tree") for each in snapshot.projections]  # fmt: skip
    return found


def present(snapshot: Snapshot, focus: Focus) -> bool:
    """Whether what the focus names exists."""
    chosen = read(focus)
    known = ("", *(view.name for view in snapshot.projections))
    return (focus.node in ("", *machines(snapshot)) and chosen.projection in known
            and chosen.at <= len(snapshot.events) and chosen.order in ("", *orders(snapshot)))  # fmt: skip


def troubled() -> list[Run]:
    """Runs with every fault and every command."""
    return [
        run(
            9_000,
            (100, c.Create("u1", 2, 15, then_read=True)), (150, c.Resend("u1")), (200, c.AddTo("u1", 1, 5)),
            (250, c.Note("u1", "ring twice")), (300, c.Ask("u1")), (310, c.Ask("u1", "history")),
            (320, c.Ask("u1", "revenue")), (400, faults.Duplicate("*", "*", 300_000)),
            (500, faults.Lose("u1", "c1", 400_000)), (510, faults.Reorder("bus", "p1", 500_000)),
            (600, faults.Slow("bus", "p1", 40_000, 1_000)), (700, c.Create("u2", 1, 10)), (720, c.AddTo("u2", 1, 3)),
            (721, c.AddTo("u2", 1, 4)), (800, faults.Freeze("r1")), (900, faults.Thaw("r1")),
            (950, faults.Crash("store")), (1_100, faults.Restart("store")), (1_150, faults.Heal()),
            (1_200, faults.Skew("c1", -50_000, 100_000)), (1_250, faults.Crash("p1")), (1_400, faults.Restart("p1")),
            (1_500, c.SetOption("freshness", "version token")), (1_600, c.SetOption("apply_us", "60000")),
            (1_700, c.Create("u3", 1, 10, then_read=True)), (1_900, c.SetOption("freshness", "read your writes")),
            (2_000, c.SetOption("patience_ms", "20")), (2_100, c.Create("u3", 1, 10, then_read=True)),
            (2_300, c.SetOption("apply_us", "2000")), (2_400, c.Create("u1", 1, 9)), (2_430, c.Poison("u1")),
            (2_450, c.Decline("bank", 2)), (2_500, c.Create("u2", 1, 7)), (2_900, c.Rebuild(SUMMARY, "beside", "v2")),
            (3_300, c.Widen()), (3_400, c.ReplayParked(SUMMARY)), (3_800, c.Swap(SUMMARY)),
            (4_000, c.Swap(SUMMARY, True)), (4_200, c.AddNode("projectors")), (4_500, c.RemoveNode("projectors")),
            (4_600, c.AddNode("replicas")), (4_700, c.RemoveNode("replicas")), (4_800, c.AddNode("commands")),
            (4_900, c.RemoveNode("commands")), (5_000, c.Deploy(SUMMARY, "buggy")), (5_100, c.Deploy(SUMMARY, "right")),
            (5_200, c.Rebuild(SUMMARY, "in place")), (5_400, faults.Isolate("p1")), (5_500, faults.Reconnect("p1")),
            (5_600, faults.Cut("r1", "p1")), (5_700, faults.Mend("r1", "p1")), (5_800, faults.Clog("u2", "c1")),
            (5_900, faults.Unclog("u2", "c1")), (6_000, faults.Drop(1)), (6_100, faults.SlowDisk("store", 20_000)),
            (6_200, faults.ExpireTimers(("bus",), "again", 1_000)), (6_300, SetRule("dedupe", False)),
            (6_400, faults.Crash("u3")), (6_500, faults.Restart("u3")), (6_600, faults.Cut("bank", "saga")),
            (6_650, c.Create("u1", 1, 9)), (8_800, faults.Partition((("p1",), ("store", "bus")))),
            (8_900, faults.Narrate("Look.")),
            config=(("reads", 30), ("writes", 4)),
        ),
        run(2_500, (200, faults.Crash("r1")), (250, faults.Crash("r2")), (300, faults.Crash("c1")),
            (350, faults.Crash("c2")), (400, c.Create("u1", 1, 10)), config=(("reads", 4), ("writes", 0))),
        run(900, (300, c.SetOption("reads", "400")), config=(("read_us", 60_000), ("reads", 400), ("replicas", 1))),
    ]  # fmt: skip


CQRS = Subject(
    PANEL,
    moments={
        "begin": lambda: run(1).snapshot(),
        "well": lambda: run(5_000).snapshot(),
        "poison": lambda: story("poison", 3_000).snapshot(),
        "rebuild": lambda: story("bug-and-rebuild", 5_500).snapshot(),
        "burst": lambda: story("write-burst", 2_900).snapshot(),
        "file": lambda: file_run().snapshot(),
        "file-parked": lambda: file_run(park=True).snapshot(),
    },
    selections=selections,
    present=present,
    worlds={
        "well": lambda: run(2_500),
        "crashed": lambda: run(2_500, (2_000, faults.Crash("p1")), (2_001, faults.Isolate("r1"))),
        "nobody": lambda: run(2_500, *((2_000 + n, faults.Crash(f"u{n}")) for n in (1, 2, 3))),
        "beside": lambda: run(
            2_500, (1_500, c.Rebuild(SUMMARY, "beside", "v2")), (2_000, c.Swap(SUMMARY)),
            (2_100, c.AddNode("projectors")),
        ),
        "file": file_run,
    },
    troubled=troubled,
    walk=lambda: run(900, config=(("reads", 4), ("replicas", 1), ("writes", 1))),
    wait_us=37_000,
    sessions={"own-write": lambda: Session((PANEL,), "cqrs", scenario="own-write", sandbox=True)},
    checks=frozenset(DEMANDS),
    broken=lambda: run(1_000, (900, SetRule("say_stale", False))).snapshot(),
    rule="say stale",
)  # fmt: skip
