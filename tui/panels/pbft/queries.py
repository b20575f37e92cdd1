"""What the picture, the inspector and the keys all ask of a snapshot of PBFT, answered in one place."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from engines.consensus.pbft import messages as m
from engines.consensus.pbft.snapshot import ClientView, ReplicaView, SlotView, Snapshot
from engines.sim.views import Flight
from tui.canvas import Ink
from tui.kit.link_faults import networks
from tui.panel import Figure, Focus

LETTERS: Final = {"leader": "P", "follower": "B", "candidate": "V", "dead": "X", "frozen": "Z"}
"""P primary, B backup, V changing views, X crashed, Z frozen."""

PHASE_INKS: Final[dict[str, Ink]] = {"pre-prepare": "leader", "prepare": "follower", "commit": "good"}


network_of: Final = networks("replicas")


@dataclass(frozen=True, slots=True)
class OnNumber:
    """A sequence number is selected."""

    n: int


class Cell(NamedTuple):
    """One expected message of the grid: whether it is there, under way, or says something else."""

    state: str
    """``no``, ``flies``, ``yes``, ``wrong``."""
    ink: Ink


def role(replica: ReplicaView) -> str:
    """How its ink is called."""
    if replica.status != "up":
        return {"crashed": "dead", "frozen": "frozen"}[replica.status]
    if replica.changing:
        return "candidate"
    return "leader" if replica.primary else "follower"


def letter(replica: ReplicaView) -> str:
    """Its role in one letter: who sees no colour loses nothing."""
    return LETTERS[role(replica)]


def numbers(snapshot: Snapshot) -> tuple[int, ...]:
    """The numbers that are in progress, or not yet below everybody's stable checkpoint, ascending."""
    return tuple(sorted({slot.n for replica in snapshot.replicas for slot in replica.slots if slot.digest}))


def number_of(snapshot: Snapshot, focus: Focus) -> int:
    """The number that is looked at: the chosen one, else the newest; 0: there is none."""
    known = numbers(snapshot)
    if isinstance(focus.pick, OnNumber) and focus.pick.n in known:
        return focus.pick.n
    return known[-1] if known else 0


def slot_of(replica: ReplicaView, n: int) -> SlotView | None:
    """What a replica has at a number."""
    return next((slot for slot in replica.slots if slot.n == n), None)


def flying(snapshot: Snapshot, kind: type, n: int, src: str, dst: str) -> Flight | None:
    """The message of a phase that is on its way from one replica to another."""
    for each in snapshot.flights:
        if each.src == src and each.dst == dst and type(each.message) is kind and getattr(each.message, "n", 0) == n:
            return each
    return None


def accepted_by_most(snapshot: Snapshot, n: int) -> str:
    """The digest that most correct replicas accepted at a number; empty: none did."""
    found = [slot.digest for replica in snapshot.replicas
             if not replica.acts and (slot := slot_of(replica, n)) and slot.digest]  # fmt: skip
    return max(found, key=lambda each: (found.count(each), each), default="")


def cell(snapshot: Snapshot, n: int, phase: str, sender: str, receiver: ReplicaView) -> Cell:
    """The message that ``receiver`` expects of ``sender`` in a phase of number ``n``."""
    slot = slot_of(receiver, n)
    said = _said(slot, phase, sender) if slot else ""
    if said:
        own = slot.digest if slot and slot.digest else accepted_by_most(snapshot, n)
        return Cell("yes", "good") if said == own or not own else Cell("wrong", "bad")
    kind: Any = {"pre-prepare": m.PrePrepare, "prepare": m.Prepare, "commit": m.Commit}[phase]
    return Cell("flies", "warn") if flying(snapshot, kind, n, sender, receiver.id) else Cell("no", "dim")


def _said(slot: SlotView, phase: str, sender: str) -> str:
    """The digest the sender named in this phase, as far as this replica heard."""
    if phase == "pre-prepare":
        return slot.digest if slot.proposer == sender else ""
    votes = slot.prepares if phase == "prepare" else slot.commits
    return next((vote.digest for vote in votes if vote.i == sender), "")


def counted(slot: SlotView | None, phase: str, needed: int) -> int:
    """How many of the matching votes a replica needs it has; one of the primary's own is no PREPARE."""
    if slot is None or not slot.digest:
        return 0
    votes = slot.prepares if phase == "prepare" else slot.commits
    left_out = slot.proposer if phase == "prepare" else ""
    return min(needed, sum(vote.digest == slot.digest and vote.i != left_out for vote in votes))


def equal(client: ClientView) -> int:
    """How many of the replies a client has say the same: the most that agree."""
    results = [result for _, result in client.replies]
    return max((results.count(each) for each in results), default=0)


def figures(snapshot: Snapshot) -> tuple[Figure, ...]:
    """The numbers that sum a run up."""
    correct = [each for each in snapshot.replicas if each.id not in snapshot.traitors]
    cost = snapshot.cost
    return (
        Figure("view", snapshot.view),
        Figure("primary", snapshot.primary),
        Figure("executed", max((each.executed for each in correct), default=0)),
        Figure("stable_checkpoint", max((each.stable for each in correct), default=0)),
        Figure("requests_answered", sum(client.done for client in snapshot.clients)),
        Figure("traitors", len(snapshot.traitors)),
        Figure("messages_a_request", cost.sent if cost else 0),
    )
