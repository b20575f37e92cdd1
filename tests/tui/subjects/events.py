"""The panel of event sourcing."""

from dataclasses import replace

from engines.event_sourcing.world import commands as c
from engines.event_sourcing.world.checks import DEMANDS
from engines.event_sourcing.world.snapshot import Snapshot
from engines.sim import faults
from engines.sim.rules import SetRule
from tests.tui.panels.events_runs import Run, file_run, run, story
from tests.tui.subjects.subject import Subject
from tui.panel import Focus
from tui.panels.events import PANEL
from tui.panels.events.select import VIEWS, Chosen, belongs, machines, read
from tui.session import Session


def selections(snapshot: Snapshot) -> list[Focus]:
    """Every machine, every view, every scope, a cursor in the past, a search."""
    found = [Focus(), *(Focus(node=name) for name in machines(snapshot))]
    found += [Focus(pick=Chosen(view=view)) for view in VIEWS]
    if snapshot.events:
        middle = snapshot.events[len(snapshot.events) // 2]
        scopes = {"stream": middle.stream, "type": middle.type, "category": middle.category,
                  "story": middle.correlation_id}  # fmt: skip
        found += [Focus(pick=Chosen(scope, value, middle.position)) for scope, value in scopes.items() if value]
        found += [Focus(pick=Chosen(cursor=middle.position, view=view, audit=True)) for view in VIEWS]
        found.append(Focus(node="store" if machines(snapshot) else "", pick=Chosen(cursor=1, audit=True)))
        found.append(replace(Focus(), find="withdrawn"))
    return found


def present(snapshot: Snapshot, focus: Focus) -> bool:
    """Whether what the focus names exists."""
    chosen = read(focus)
    head = snapshot.events[-1].position if snapshot.events else 0
    there = chosen.scope == "all" or any(belongs(event, chosen) for event in snapshot.events)
    return focus.node in ("", *machines(snapshot)) and chosen.cursor <= head and there


def troubled() -> list[Run]:
    """Runs with every fault and every command."""
    return [
        run(
            6_000,
            (300, c.Act("t1", "deposit", 1, 10)), (310, c.Act("t2", "transfer", 1, 20, 2)), (400, c.Race(1, 70)),
            (900, faults.Duplicate("*", "*", 300_000)), (1_000, faults.Lose("t1", "store", 300_000)),
            (1_100, faults.Reorder("store", "mail", 300_000)), (1_200, faults.Slow("store", "t1", 500_000, 1_000)),
            (1_600, faults.Freeze("books")), (1_900, faults.Thaw("books")), (2_000, c.Kill("store")),
            (2_100, faults.Restart("store")), (2_300, faults.Skew("store", -50_000, 100_000)), (2_400, faults.Heal()),
            (2_500, c.SetOption("sync_ms", "300")), (2_700, faults.Crash("store")), (2_900, faults.Restart("store")),
            (3_000, c.SetOption("sync_ms", "2")), (3_100, c.Poison(1, 5)), (3_200, c.SetOption("poison", "stop")),
            (3_300, c.Poison(2, 5)), (3_600, c.Release()), (3_700, c.ReplayParked("mail")),
            (3_710, c.ReplayParked("books")),
            (3_800, c.ChangeSchema()), (3_900, faults.Isolate("mail")), (4_100, faults.Reconnect("mail")),
            (4_200, faults.Cut("mail", "store")), (4_300, faults.Mend("mail", "store")),
            (4_400, faults.Clog("t2", "store")), (4_500, faults.Unclog("t2", "store")),
            (4_600, faults.Drop(1)), (4_700, SetRule("sync_first", False)),
            (4_800, faults.ExpireTimers(("mail",), "poll", 1_000)), (4_900, faults.SlowDisk("mail", 5_000)),
            (5_000, c.Tamper(0, 77)), (5_100, c.Verify()), (5_200, faults.Crash("t3")), (5_300, faults.Restart("t3")),
            (5_400, faults.Partition((("mail",), ("store",)))), (5_500, faults.Narrate("Look.")),
            config=(("rate", 30),),
        ),
        run(3_000, (500, c.HoldCommit(90_000, True)), (700, c.HoldCommit(200_000)),
            (2_000, c.SetOption("cure", "naive")), variant="numbered", config=(("rate", 30),)),
        run(2_000, (1_500, c.Compact()), variant="log"),
        run(
            6_000, (400, faults.Lose("mail", "store", 1_000_000)), (900, faults.Lose("mail", "store", 0)),
            (1_000, faults.Crash("store")), (1_200, faults.Restart("store")), (1_500, c.Poison(2, 5)),
            (2_600, c.SetOption("idempotent", "off")), (2_700, c.Release()), (2_800, c.ReplayParked("mail")),
            (3_000, faults.Crash("post")), (5_400, c.Kill("store")), (5_450, faults.Restart("store")),
            variant="group", config=(("ack_ms", 500), ("handle_ms", 60), ("retries", 2)),
        ),
    ]  # fmt: skip


EVENTS = Subject(
    PANEL,
    moments={
        "begin": lambda: run(1).snapshot(),
        "well": lambda: run(6_000).snapshot(),
        "poison": lambda: story("poison", 3_500).snapshot(),
        "gap": lambda: story("skipped-gap", 1_600).snapshot(),
        "compacted": lambda: story("compaction", 2_500).snapshot(),
        "group": lambda: story("persistent-group", 4_000).snapshot(),
        "file": lambda: file_run().snapshot(),
    },
    selections=selections,
    present=present,
    worlds={
        "well": lambda: run(2_500),
        "crashed": lambda: run(2_500, (2_000, faults.Crash("store")), (2_001, faults.Isolate("mail"))),
        "nobody": lambda: run(
            2_500, *((2_000 + n, faults.Crash(f"t{n}")) for n in (1, 2, 3)), (2_100, faults.Crash("mail"))
        ),
        "numbered": lambda: run(2_500, variant="numbered"),
        "log": lambda: run(2_500, variant="log"),
        "group": lambda: run(2_500, variant="group"),
        "file": file_run,
    },
    troubled=troubled,
    walk=lambda: run(900, config=(("accounts", 2), ("poll_ms", 100))),
    wait_us=37_000,
    sessions={"poison": lambda: Session((PANEL,), "events", scenario="poison", sandbox=True)},
    checks=frozenset(DEMANDS),
    broken=lambda: run(1_000, (900, SetRule("sync_first", False))).snapshot(),
    rule="sync first",
    find="deposit",
)  # fmt: skip
