"""The panel of PBFT."""

from typing import Any

from engines.consensus.pattern import PATTERN
from engines.consensus.pbft.checks import DEMANDS
from engines.consensus.pbft.commands import Ask, SetAct, SetTimeout, SetWorkload
from engines.consensus.pbft.rules import Act
from engines.consensus.pbft.snapshot import Snapshot
from engines.sim import faults
from engines.sim.pattern import Config
from engines.sim.rules import SetRule
from engines.sim.timeline import Timeline
from engines.units import US_PER_MS
from tests.tui.subjects.subject import Run, Subject
from tui.kit.selection import OnMessage
from tui.panel import Focus
from tui.panels.consensus import PANEL as RAFT
from tui.panels.pbft import PANEL
from tui.panels.pbft.queries import OnNumber, numbers
from tui.session import Session


def run(until_ms: int, *inputs: tuple[int, Any], config: Config = ()) -> Run:
    """A run with these commands at these milliseconds."""
    timeline: Run = Timeline(PATTERN.variant("pbft"), 42, config)
    for at_ms, command in inputs:
        timeline.advance(at_ms * US_PER_MS)
        timeline.submit(command)
    timeline.advance(until_ms * US_PER_MS)
    return timeline


def story(name: str, until_ms: int) -> Run:
    """A scenario up to this time."""
    scenario = PATTERN.scenario(name)
    timeline: Run = Timeline(PATTERN.variant(scenario.variant), scenario.seed, scenario.config, scenario)
    timeline.advance(until_ms * US_PER_MS)
    return timeline


def selections(snapshot: Snapshot) -> list[Focus]:
    """Every replica, a number, its messages."""
    found = [Focus()]
    for replica in snapshot.replicas:
        found.append(Focus(node=replica.id))
        found += [Focus(node=replica.id, pick=OnNumber(n)) for n in numbers(snapshot)[:1]]
        flights = [each for each in snapshot.flights if replica.id in (each.src, each.dst)]
        found += [Focus(node=replica.id, pick=OnMessage(each.id)) for each in flights[:2]]
    return found


def present(snapshot: Snapshot, focus: Focus) -> bool:
    """Whether what the focus names exists."""
    if snapshot.replica(focus.node) is None:
        return False
    match focus.pick:
        case OnMessage() as message:
            return message.among(snapshot.flights) is not None
        case OnNumber(n):
            return n in numbers(snapshot)
    return focus.pick is None


def troubled() -> list[Run]:
    """Runs with every fault, every command and every act."""
    busy = (("clients", 2), ("workload", "busy"), ("checkpoint", 2), ("windows", 2))
    acts = [(300 + 150 * place, SetAct("r1", act.value, True)) for place, act in enumerate(Act)]
    rest = [(320 + 150 * place, SetAct("r1", act.value, False)) for place, act in enumerate(Act)]
    return [
        run(
            4_000,
            (200, Ask("set", "y", 3)), (300, faults.Lose("*", "r1", 300_000)), (350, faults.Drop(1)),
            (400, faults.Slow("r1", "r2", 50_000, 1_000)), (410, faults.Duplicate("r3", "r0", 500_000)),
            (420, faults.Reorder("r3", "r0", 500_000)), (430, faults.Clog("r0", "r3")),
            (500, faults.Unclog("r0", "r3")),
            (510, faults.Skew("r2", 200_000, 0)), (520, faults.SlowDisk("r2", 40_000)), (600, faults.Freeze("r3")),
            (800, faults.Thaw("r3")), (900, faults.Partition((("r0", "r1"), ("r2", "r3")))), (1_300, faults.Heal()),
            (1_400, faults.Crash("r0")), (2_400, faults.Restart("r0")), (2_500, faults.Isolate("r1")),
            (2_600, faults.Reconnect("r1")), (2_610, faults.Cut("r1", "r2")), (2_620, faults.Mend("r1", "r2")),
            (2_700, faults.ExpireTimers(("r1", "r2"), "request", 1_000)), (2_800, SetRule("commit_phase", False)),
            (2_810, SetWorkload("busy")), (2_820, SetTimeout(300_000)), (2_830, faults.Narrate("Look.")),
            config=busy,
        ),
        run(5_000, *sorted((*acts, *rest), key=lambda each: each[0]), config=busy),
        run(2_500, (300, SetRule("remember", False)), (600, faults.Crash("r2")), (800, faults.Restart("r2")),
            config=busy),
    ]  # fmt: skip


PBFT = Subject(
    PANEL,
    moments={
        "begin": lambda: run(1).snapshot(),
        "prepared": lambda: story("pbft-request", 270).snapshot(),
        "steady": lambda: run(2_000).snapshot(),
        "changing": lambda: story("pbft-silent-primary", 1_300).snapshot(),
        "two-truths": lambda: story("pbft-f-plus-1", 1_400).snapshot(),
        "seven": lambda: run(1_200, config=(("nodes", 7),)).snapshot(),
        "ten": lambda: run(1_200, (900, faults.Crash("r9")), config=(("nodes", 10),)).snapshot(),
    },
    selections=selections,
    present=present,
    worlds={
        "well": lambda: run(1_500),
        "crashed": lambda: run(1_500, (1_000, faults.Crash("r1"))),
        "frozen": lambda: run(1_500, (1_000, faults.Freeze("r2")), (1_001, faults.Isolate("r3"))),
    },
    troubled=troubled,
    walk=lambda: run(900),
    wait_us=17_000,
    sessions={"two-truths": lambda: Session((RAFT, PANEL), "pbft", scenario="pbft-f-plus-1", sandbox=True)},
    checks=frozenset(DEMANDS),
    broken=lambda: run(1_000, (900, SetRule("commit_phase", False))).snapshot(),
    rule="commit phase",
    room=110,
    over=60,
)
