"""The panel of consistency."""

from functools import partial

from engines.consistency.world.checks import DEMANDS
from engines.consistency.world.commands import Perform, SetPreset, SetQuorum, SetWorkload
from engines.consistency.world.snapshot import Snapshot
from engines.sim import faults
from engines.sim.rules import SetRule
from tests.tui.panels.consistency_runs import MOMENTS as NAMES
from tests.tui.panels.consistency_runs import Run, log_run, run, standing
from tests.tui.subjects.subject import Subject
from tui.panel import Focus
from tui.panels.consistency import PANEL
from tui.panels.consistency.queries import (
    choose,
    chosen,
    flight_of,
    model_of,
    operation,
    operations_of,
    rows_of,
    touching,
    whole,
)
from tui.session import Session


def _moment(name: str) -> Snapshot:
    return standing(name).snapshot()


def selections(snapshot: Snapshot) -> list[Focus]:
    """Every row, some operations, held and not, messages, models, the matrix."""
    found = [Focus()]
    for name in rows_of(snapshot):
        row = Focus(node=name)
        found.append(row)
        found += [choose(row, op=each.number) for each in snapshot.logged if each.host == name]
        for each in operations_of(snapshot, name)[-2:]:
            found.append(choose(row, op=each.number))
            if each.end is not None and whole(snapshot):
                found.append(choose(row, op=each.number, held=each.end + 1))
        found += [choose(row, message=each.id) for each in touching(snapshot, name)[:1]]
    found += [choose(Focus(), model=each.name) for each in snapshot.models]
    return [*found, choose(Focus(), pair=0), choose(Focus(), pair=40)]


def present(snapshot: Snapshot, focus: Focus) -> bool:
    """Whether what the focus names exists."""
    now = chosen(focus)
    if focus.node not in rows_of(snapshot):
        return False
    if now.op >= 0 and operation(snapshot, focus) is None and all(each.number != now.op for each in snapshot.logged):
        return False
    if now.message >= 0 and flight_of(snapshot, focus) is None:
        return False
    return not now.model or model_of(snapshot, now.model) is not None


def troubled() -> list[Run]:
    """Every fault, every command."""
    return [
        run(
            "eventual", 3_500,
            (300, Perform("you", True, "x", "r3")), (350, Perform("A", False, "y")),
            (600, faults.Lose("*", "r1", 300_000)), (650, faults.Drop(1)),
            (700, faults.Slow("r1", "r2", 50_000, 1_000)),
            (710, faults.Duplicate("r3", "r4", 500_000)), (720, faults.Reorder("r3", "r4", 500_000)),
            (730, faults.Clog("r4", "r3")), (800, faults.Unclog("r4", "r3")), (810, faults.Skew("r5", 200_000, 0)),
            (820, faults.SlowDisk("r2", 40_000)), (900, faults.Freeze("r4")), (1_100, faults.Thaw("r4")),
            (1_200, faults.Partition((("r1", "r2", "r3"), ("r4", "r5")))), (1_600, faults.Heal()),
            (1_700, faults.Crash("r3")), (1_900, faults.Restart("r3")), (2_000, faults.Isolate("r1")),
            (2_200, faults.Reconnect("r1")), (2_210, faults.Cut("r1", "r2")), (2_220, faults.Mend("r1", "r2")),
            (2_300, faults.ExpireTimers(("r1", "r2"), "compare", 1_000)), (2_400, SetRule("read_repair", False)),
            (2_410, SetWorkload("busy")), (2_420, SetQuorum(3, 2, 2)), (2_430, SetPreset("each_quorum")),
            (2_440, faults.Crash("A")), (2_450, faults.Crash("r1")), (2_460, faults.Crash("r2")),
            (3_000, faults.Narrate("Look.")),
        ),
        run("mongodb", 4_000, (500, faults.Isolate("r5")), (2_500, faults.Heal()), config=(("workload", "busy"),)),
        run("causal", 2_500, (200, faults.Slow("r1", "r3", 400_000, 0)), (210, SetRule("sticky", False)),
            config=(("workload", "busy"),)),
        run("linearizable", 1_500, config=(("workload", "busy"),)),
        run("mongodb", 2_500, (1_500, SetPreset("secondary"))),
        log_run(),
    ]  # fmt: skip


CONSISTENCY = Subject(
    PANEL,
    moments={name: partial(_moment, name) for name in NAMES},
    selections=selections,
    present=present,
    worlds={
        "well": lambda: run("eventual", 1_500),
        "crashed": lambda: run("causal", 1_500, (1_000, faults.Crash("r1"))),
        "log": log_run,
        "frozen": lambda: run("mongodb", 1_500, (1_000, faults.Freeze("r2")), (1_001, faults.Isolate("r4"))),
    },
    troubled=troubled,
    walk=lambda: run("eventual", 900),
    wait_us=17_000,
    sessions={"store-back": lambda: Session((PANEL,), "consistency", scenario="store-back", sandbox=True)},
    checks=frozenset(DEMANDS),
    broken=lambda: run("linearizable", 1_000, (900, SetRule("store_back", False))).snapshot(),
    rule="store back",
    typed=frozenset("A"),
)
