"""What the dialogues offer: faults, splits, rules with what they keep, N R W, and operations as text."""

from typing import Final

from engines.consistency.world.commands import Perform, SetPreset, SetQuorum, SetWorkload
from engines.consistency.world.options import PRESETS, WORKLOADS
from engines.consistency.world.rules import CAUSAL, EVENTUAL, LINEARIZABLE, MONGODB, SEQUENTIAL, WEAK
from engines.consistency.world.snapshot import Snapshot
from engines.consistency.world.table import Row, preference_row, row_of
from engines.errors import UserError
from engines.sim.rules import SetRule
from tui.kit import forms
from tui.panel import Focus, Offer, Outcome, Param
from tui.panels.consistency.queries import flight_of
from tui.panels.consistency.words import PREFERENCE, message

ALL_RULES: Final = {
    "linearizable": LINEARIZABLE, "sequential": SEQUENTIAL, "causal": CAUSAL, "eventual": EVENTUAL, "weak": WEAK,
    "mongodb": MONGODB,
}  # fmt: skip


def all_faults(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Every fault, aimed at what is selected."""
    if snapshot.recorded:
        return ()
    flight = flight_of(snapshot, focus)
    view = snapshot.replica(focus.node) or snapshot.client(focus.node)
    assert view is not None
    name = view.machine.id
    others = tuple(each.machine.id for each in snapshot.replicas if each.machine.id != name)
    return (
        *(forms.of_message(flight, "message", message(flight.message)) if flight else ()),
        *forms.of_machine(name, view.machine.status, "what it stored is on disk; what it has in hand is lost",
                          "from its disk"),
        *forms.of_clock_and_disk(name),
        *forms.of_links(name, others),
        forms.HEAL,
    )  # fmt: skip


def sides(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Ways to split the replicas."""
    ids = [each.machine.id for each in snapshot.replicas]
    if snapshot.recorded or len(ids) < 2:
        return ()
    name = focus.node if focus.node in ids else ids[0]
    ring = forms.around(ids, name)
    half = len(ids) // 2
    found = [
        forms.split(((name,), ring[1:]), f"{name} alone"),
        forms.split((ring[: half + 1], ring[half + 1 :]), f"{name} on the larger side"),
        *([forms.split((ring[:half], ring[half:]), f"{name} on the smaller side")] if half else []),
        *forms.one_way(name, ring[1:]),
        forms.connect_all(ids),
    ]
    return forms.once(found)


def rules(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """The design's rules, each with what it keeps."""
    if snapshot.recorded:
        return ()
    texts = {
        name: (help[:1].upper() + help[1:], keeps(row_of(snapshot.variant, name)))
        for name, help in ALL_RULES[snapshot.variant].helps()
    }
    return forms.of_rules(snapshot.rules, texts, SetRule)


def keeps(row: Row | None) -> str:
    """What the table says of a rule: ``off: breaks ryw; still holds mr``."""
    if row is None:
        return "no row in the table"
    breaks = f"breaks {', '.join(row.breaks)}" if row.breaks else "breaks nothing by itself"
    rules = dict(ALL_RULES[row.variant].items())
    also = ", ".join(f"{name} {value}" for name, value in row.also if name in rules)
    off = f"off{f' (with {also})' if also else ''}: " if row.rule else ""
    return f"{off}{breaks}; still holds: {', '.join(row.holds[:4]) or 'none'}"


def tune(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """N, R, W; Cassandra's levels; the workload."""
    if snapshot.recorded:
        return ()
    work = Offer("workload", "how fast the clients work", lambda v: SetWorkload(v["level"]),
                 (Param("level", snapshot.workload, choices=tuple(WORKLOADS)),))  # fmt: skip
    if snapshot.variant == "mongodb":
        return (*(_preference(name, text) for name, text in PREFERENCE.items()), work)
    if snapshot.variant != "eventual":
        return (work,)
    count = len(snapshot.replicas)

    def quorum(n: int, r: int, w: int) -> SetQuorum:
        return SetQuorum(n, min(r, n), min(w, n))

    most = min(3, count)
    return (
        Offer("N R W", "replicas of a key, answers of a read, acknowledgements of a write",
              lambda v: quorum(v["N"], v["R"], v["W"]),
              (Param("N", snapshot.n, 1, count), Param("R", snapshot.r, 1, count), Param("W", snapshot.w, 1, count))),
        Offer("one and one", f"N={most} R=1 W=1: fast, and often stale", lambda v: quorum(most, 1, 1)),
        Offer("quorums", f"N={most} R=2 W=2: they meet", lambda v: quorum(most, 2, 2)),
        Offer("read one", f"N={most} R=1 W={most}: every write waits for all", lambda v: quorum(most, 1, most)),
        Offer("level", "Cassandra's consistency level, for reads and writes", lambda v: SetPreset(v["level"]),
              (Param("level", snapshot.preset, choices=PRESETS),)),
        work,
    )  # fmt: skip


def _preference(name: str, text: str) -> Offer:
    help = f"reads go {text}; {keeps(preference_row(name))}"
    return Offer(f"read preference {name}", help, lambda v: SetPreset(name))


def client(snapshot: Snapshot, focus: Focus, text: str) -> Outcome:
    """``A w x r1``, ``r y``: client (or the selected one, or you), w or r, key, replica. UserError if it makes none."""
    words = text.replace("=", " ").split()
    names = [each.machine.id for each in snapshot.clients]
    who = focus.node if focus.node in names else "you"
    if words and words[0] in names:
        who = words.pop(0)
    if not words or words[0] not in ("w", "r", "write", "read"):
        raise UserError("write or read: A w x r1 is client A writing x at r1; client and replica may be left out")
    write = words.pop(0)[0] == "w"
    key = words.pop(0) if words else snapshot.keys[0]
    replica = words.pop(0) if words else ""
    if words or key not in tuple(snapshot.keys):
        raise UserError(f"{text!r}: one of the keys {' '.join(snapshot.keys)} is accepted, then a replica")
    if replica and snapshot.replica(replica) is None:
        raise UserError(f"{replica!r} is no replica")
    return Perform(who, write, key, replica)
