"""The panel of tracing."""

from functools import partial

from engines.sim import faults
from engines.sim.rules import SetRule
from engines.tracing.recorded import VARIANT, source
from engines.tracing.spans import Kind, Status
from engines.tracing.world import commands as c
from engines.tracing.world.checks import DEMANDS
from engines.tracing.world.snapshot import Snapshot
from tests.tui.panels.tracing_runs import ALL, FEW, VIEWS, Run, run, standing
from tests.tui.subjects.subject import Subject
from tui.panel import Focus
from tui.panels.tracing import PANEL
from tui.panels.tracing.select import analysis_at, choose, read
from tui.session import Session


def selections(snapshot: Snapshot) -> list[Focus]:
    """Every view, with and without what hides rows, on several traces, spans and services."""
    nodes = [row.trace_id for row in (*snapshot.traces[:1], *snapshot.traces[-1:])] or [""]
    found = [choose(Focus(node=node), view=view) for node in nodes for view in VIEWS]
    found += [
        choose(Focus(node=node), **{part: True}) for node in nodes for part in ("only_critical", "plumbing", "correct")
    ]
    found += [choose(Focus(node=nodes[0]), hide=5), choose(Focus(), view="compare", other=nodes[-1])]
    found += [Focus(find="auth"), choose(Focus(find="nothing has this name"), order="errors")]
    return found + [choose(Focus(), view="map", service=each.name) for each in snapshot.services[:1]]


def present(snapshot: Snapshot, focus: Focus) -> bool:
    """Whether what the focus names exists."""
    part = read(focus)
    if snapshot.trace(focus.node) is None:
        return not snapshot.traces and not part.span
    known = {each.name for each in snapshot.services} | {row.service for row in snapshot.aggregates}
    return (
        (not part.span or analysis_at(snapshot, focus).find(part.span) >= 0)
        and (not part.other or snapshot.trace(part.other) is not None)
        and (not part.service or part.service in known)
    )


def troubled() -> list[Run]:
    """A run with every fault and every command."""
    return [run(
        9_000,
        (300, c.Request("POST /checkout")), (310, c.Request()), (400, c.SetLoad("bursts", 40)),
        (450, c.Lock("auth-db", 60_000)), (460, c.DropHeader("catalog")), (500, faults.Lose("*", "auth", 300_000)),
        (600, faults.Drop(1)), (610, faults.Slow("auth", "*", 50_000, 1_000)),
        (620, faults.Duplicate("cart", "*", 300_000)), (630, faults.Reorder("cart", "*", 300_000)),
        (640, faults.Clog("cart", "catalog")), (900, faults.Unclog("cart", "catalog")),
        (910, faults.Skew("cart", 200_000, 0)), (920, faults.SlowDisk("cart", 40_000)), (990, c.Lock("auth-db", 0)),
        (1_000, c.ShrinkPool("auth", 1)), (1_100, c.SlowService("auth-db", 900)),
        (1_300, c.ColdCache("catalog-cache", 0)), (1_500, c.LoseSpans("cart", 400_000)),
        (1_600, c.LateSpans("mailer", 3_000_000)), (1_700, faults.Freeze("payment")), (2_900, faults.Thaw("payment")),
        (3_000, faults.Isolate("orders")), (3_800, faults.Reconnect("orders")), (3_900, faults.Crash("catalog")),
        (4_500, faults.Restart("catalog")), (4_600, faults.Partition((("auth",), ("auth-db",)))),
        (5_000, faults.Heal()), (5_100, c.SetBreakers(True)), (5_110, c.Amplify("auth-db", 600_000, 4)),
        (6_000, c.Amplify("auth-db", 0)), (6_010, c.SetRetries(3, True)), (6_020, c.SetSampling(500_000)),
        (6_030, c.Correct(True)), (6_040, SetRule("late_joins", False)), (6_050, faults.Narrate("Look.")),
        (6_060, faults.Cut("auth", "auth-db")), (6_070, faults.Mend("auth", "auth-db")), (6_080, c.SetLoad("off", 0)),
        (6_090, c.SlowService("auth", 300)), (6_100, c.SlowService("auth", 100)),
        (6_110, faults.ExpireTimers(("auth",), "due", 1_000)),
    )]  # fmt: skip


def recorded() -> Session:
    """The traces of a run, as a file would give them."""
    entries = standing("pool").store.entries
    spans = tuple(each._replace(kind=Kind(each.kind), status=Status(each.status)) for entry in entries
                  for each in entry.spans)  # fmt: skip
    return Session((PANEL,), "tracing", recorded=VARIANT.on(source(spans, "calls.json", "0" * 64)), sandbox=True)


TRACING = Subject(
    PANEL,
    moments={name: partial(standing, name) for name in ALL},
    selections=selections,
    present=present,
    worlds={
        "well": lambda: run(3_000),
        "stricken": lambda: run(
            3_000, (1_000, faults.Freeze("auth")), (1_001, c.DropHeader("cart")), (1_002, c.ShrinkPool("auth", 2))
        ),
        "down": lambda: run(
            3_000, (1_000, faults.Crash("catalog")), (1_001, faults.Isolate("orders")), (1_002, c.SetBreakers(True))
        ),
        "empty": lambda: run(0),
    },
    troubled=troubled,
    walk=lambda: run(1_500),
    wait_us=700_000,
    sessions={
        "few": lambda: Session((PANEL,), "tracing", config=FEW, sandbox=True),
        "all": lambda: Session((PANEL,), "tracing", sandbox=True),
        "recorded": recorded,
    },
    checks=frozenset(DEMANDS),
    broken=lambda: run(1_000, (900, SetRule("continue_trace", False)), config=FEW).snapshot(),
    rule="continue trace",
    find="auth",
    room=110,
    over=40,
    long=frozenset({"cue", "verdict_changed", "all_read"}),
)
