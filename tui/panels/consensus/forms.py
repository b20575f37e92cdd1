"""What the dialogues offer: all faults with their parameters, ways to split the cluster, rules to break, timing."""

from typing import Any, Final

from engines.consensus.operations import parse
from engines.consensus.raft import commands as c
from engines.consensus.raft.options import WORKLOADS
from engines.consensus.raft.rules import RaftRules
from engines.consensus.raft.snapshot import Server, Snapshot
from engines.errors import UserError
from engines.sim import faults
from engines.units import US_PER_MS
from tui.kit import forms
from tui.kit.selection import message_of, there
from tui.panel import Focus, Offer, Outcome, Param
from tui.panels.consensus.keys import ELECTION
from tui.panels.consensus.read_words import MODES
from tui.panels.consensus.words import in_full, letter


@forms.simulated
def all_faults(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Every fault, aimed at the selected server or message."""
    server, flight = there(snapshot.server(focus.node)), message_of(snapshot, focus)
    others = tuple(each.id for each in snapshot.servers if each.id != server.id)
    return (
        *(forms.of_message(flight, letter(flight.message), in_full(flight.message)) if flight else ()),
        *forms.of_machine(server.id, server.status, "what is only in memory is lost; term, log and written vote stay",
                          "from its disk, as a follower"),
        *forms.of_clock_and_disk(server.id),
        *forms.of_links(server.id, others),
        *_of_timers(snapshot, server),
        forms.HEAL,
    )  # fmt: skip


def _of_timers(snapshot: Snapshot, server: Server) -> tuple[Offer, ...]:
    """Election timers, of one server or aligned."""
    waiting = tuple(each.id for each in snapshot.servers if each.status != "crashed" and each.role != "leader")
    soon = Param("in", 5, 0, 1_000, 5, "ms")

    def expire(nodes: tuple[str, ...]) -> Any:
        return lambda v: faults.ExpireTimers(nodes, ELECTION, v["in"] * US_PER_MS)

    return (
        Offer(f"time out {server.id}", "its election timer runs out then", expire((server.id,)), (soon,)),
        Offer("align all election timers", "they run out together: a split vote", expire(waiting), (soon,)),
    )


@forms.simulated
def sides(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Ways to split the cluster around the selected server."""
    server = there(snapshot.server(focus.node))
    ids = [each.id for each in snapshot.servers]
    ring = forms.around(ids, server.id)
    less = len(ids) - snapshot.quorum
    name, others = server.id, ring[1:]
    half = len(ids) // 3 or 1
    offers = [
        forms.split((ring[:less], ring[less:]), f"{name} on the smaller side: {less} of {len(ids)} cannot commit"),
        forms.split((ring[: snapshot.quorum], ring[snapshot.quorum :]), f"{name} on the larger side, a majority"),
        forms.split(((name,), others), f"{name} alone"),
        forms.split((ring[:half], ring[half : 2 * half], ring[2 * half :]), "three sides"),
        *forms.one_way(name, others),
        forms.connect_all(ids),
    ]  # fmt: skip
    leader = snapshot.leader
    if leader and leader != name:
        rest = tuple(each for each in ids if each != leader)
        offers.insert(2, forms.split(((leader,), rest), f"the leader {leader} alone"))
    return forms.once(offers)


MEMBERS: Final = "+-~"
"""A voter, out, a learner."""


def _members(words: list[str]) -> c.AddServer | c.RemoveServer | c.ChangeJoint:
    """The change that is written so: ``+n6 -n1 ~n4``."""
    wrong = next((word for word in words if word[0] not in MEMBERS or not word[1:].isidentifier()), "")
    if wrong:
        raise UserError(f"{wrong!r} is no change of members: +n6 a voter, ~n6 a learner, -n6 out; several go jointly")
    if len(words) == 1:
        mark, name = words[0][0], words[0][1:]
        return c.RemoveServer(name) if mark == "-" else c.AddServer(name, learner=mark == "~")
    named = {mark: tuple(word[1:] for word in words if word[0] == mark) for mark in MEMBERS}
    return c.ChangeJoint(named["+"], named["-"], named["~"])


@forms.simulated
def rules(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Rules that can be switched off, each with its state."""
    return forms.of_rules(snapshot.rules, RaftRules.texts(), c.SetRule)


@forms.simulated
def tune(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Timeouts and workload."""

    def timing(heartbeat: int, low: int, high: int) -> c.SetTiming:
        return c.SetTiming(heartbeat * US_PER_MS, low * US_PER_MS, max(low, high) * US_PER_MS)

    spans = snapshot.heartbeat_us, snapshot.election_min_us, snapshot.election_max_us
    beat, low, high = (span // US_PER_MS for span in spans)
    return forms.settings(
        Offer("timing", "heartbeats, and the range from which election timeouts are drawn",
              lambda v: timing(v["heartbeat"], v["shortest"], v["longest"]),
              (Param("heartbeat", beat, 5, 2_000, 5, "ms"), Param("shortest", low, 10, 5_000, 10, "ms"),
               Param("longest", high, 10, 5_000, 10, "ms"))),
        Offer("as in the paper", "heartbeats every 50 ms, timeouts of 150 to 300 ms", lambda v: timing(50, 150, 300)),
        Offer("no randomness", "all timeouts are 150 ms: watch votes split, again and again",
              lambda v: timing(50, 150, 150)),
        Offer("impatient", "timeouts of 30 to 60 ms, hardly longer than a round trip: no leader lasts",
              lambda v: timing(25, 30, 60)),
        Offer("questions", "how they are answered: " + "; ".join(f"{k}: {v}" for k, v in MODES.items()),
              lambda v: c.SetReads(v["by"]), (Param("by", snapshot.reads, choices=tuple(MODES)),)),
        Offer("workload", "how fast the clients ask", lambda v: c.SetWorkload(v["level"]),
              (Param("level", snapshot.workload, choices=tuple(WORKLOADS)),)),
    )  # fmt: skip


def client(snapshot: Snapshot, focus: Focus, text: str) -> Outcome:
    """A typed command, asked of the selected server; of whoever leads if that one is crashed. Or a change of members:
    one server a simple one, several a joint one; ``leave`` a joint configuration."""
    if text.strip() == "leave":
        return c.LeaveJoint()
    if text.strip()[:1] in MEMBERS and text.strip():
        return _members(text.split())
    op, key, value = parse(text, reads=True)
    server = there(snapshot.server(focus.node))
    return c.Propose(op, key, value, "" if server.status == "crashed" else server.id)
