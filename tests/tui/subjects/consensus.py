"""The panel of Raft."""

from functools import partial

from engines.consensus.raft.checks import DEMANDS
from engines.consensus.raft.commands import Propose, SetReads, SetRule, SetTiming, SetWorkload
from engines.consensus.raft.snapshot import Snapshot
from engines.sim import faults
from tests.tui.panels.consensus_runs import MOMENTS as NAMES
from tests.tui.panels.consensus_runs import Run, run, standing
from tests.tui.subjects.subject import Subject
from tui.kit.selection import OnMessage
from tui.panel import Focus
from tui.panels.consensus import PANEL
from tui.panels.consensus.queries import OnEntry
from tui.panels.pbft import PANEL as PBFT
from tui.session import Session


def _moment(name: str) -> Snapshot:
    return standing(name).snapshot()


def selections(snapshot: Snapshot) -> list[Focus]:
    """Every server, some entries of its log, its messages."""
    found = [Focus()]
    for server in snapshot.servers:
        found.append(Focus(node=server.id))
        found += [Focus(node=server.id, pick=OnEntry(entry.number)) for entry in server.log[-1:]]
        flights = [each for each in snapshot.flights if server.id in (each.src, each.dst)]
        found += [Focus(node=server.id, pick=OnMessage(each.id)) for each in flights[:2]]
    return found


def present(snapshot: Snapshot, focus: Focus) -> bool:
    """Whether what the focus names exists."""
    server = snapshot.server(focus.node)
    if server is None:
        return False
    match focus.pick:
        case OnMessage() as message:
            return message.among(snapshot.flights) is not None
        case OnEntry(index):
            return server.entry(index) is not None
    return focus.pick is None


def troubled() -> list[Run]:
    """A run with every fault and every command."""
    return [run(
        3_000,
        (300, Propose("set", "y", 3, "n3")), (500, Propose("add", "y", 1)), (501, Propose("del", "y", 0, "n1")),
        (510, SetReads("index")), (520, Propose("get", "y", 0)), (560, SetReads("lease")),
        (590, Propose("get", "x", 0)),
        (600, faults.Lose("*", "n1", 300_000)), (650, faults.Drop(1)), (700, faults.Slow("n1", "n2", 50_000, 1_000)),
        (710, faults.Duplicate("n3", "n4", 500_000)), (720, faults.Reorder("n3", "n4", 500_000)),
        (730, faults.Clog("n4", "n3")), (800, faults.Unclog("n4", "n3")), (810, faults.Skew("n5", 200_000, 0)),
        (820, faults.SlowDisk("n2", 40_000)), (900, faults.Freeze("n4")), (1_100, faults.Thaw("n4")),
        (1_200, faults.Partition((("n1", "n2", "n3"), ("n4", "n5")))), (1_600, faults.Heal()),
        (1_700, faults.Crash("n3")), (1_900, faults.Restart("n3")), (2_000, faults.Isolate("n1")),
        (2_200, faults.Reconnect("n1")), (2_210, faults.Cut("n1", "n2")), (2_220, faults.Mend("n1", "n2")),
        (2_300, faults.ExpireTimers(("n1", "n2"), "election", 1_000)), (2_400, SetRule("pre_vote", False)),
        (2_410, SetWorkload("busy")), (2_420, SetTiming(50_000, 200_000, 400_000)), (2_430, faults.Narrate("Look.")),
    )]  # fmt: skip


CONSENSUS = Subject(
    PANEL,
    moments={name: partial(_moment, name) for name in NAMES},
    selections=selections,
    present=present,
    worlds={
        "well": lambda: run(1_500),
        "crashed": lambda: run(1_500, (1_000, faults.Crash("n1"))),
        "frozen": lambda: run(1_500, (1_000, faults.Freeze("n2")), (1_001, faults.Isolate("n4"))),
    },
    troubled=troubled,
    walk=lambda: run(900),
    wait_us=17_000,
    sessions={"figure-8": lambda: Session((PANEL, PBFT), "raft", scenario="figure-8", sandbox=True)},
    checks=frozenset(DEMANDS),
    broken=lambda: run(1_000, (900, SetRule("persist_vote", False))).snapshot(),
    rule="persist vote",
    typed=frozenset("AjJ"),
    long=frozenset({"cue", "crashed"}),  # all that a crash loses, writes and messages included
)
