"""What the dialogues offer: faults, the acts of a traitor, rules to break, ways to split the cluster, T."""

from typing import Final

from engines.consensus.operations import parse
from engines.consensus.pbft.acts import OUTCOME
from engines.consensus.pbft.commands import Ask, SetAct, SetTimeout, SetWorkload
from engines.consensus.pbft.options import WORKLOADS
from engines.consensus.pbft.rules import Act, PbftRules
from engines.consensus.pbft.snapshot import Snapshot
from engines.sim import faults
from engines.sim.rules import SetRule
from engines.units import US_PER_MS
from tui.kit import forms
from tui.kit.selection import message_of, there
from tui.panel import Focus, Offer, Outcome, Param
from tui.panels.pbft.words import in_full, letter

RULES: Final = {name: (name.replace("_", " "), help) for name, help in PbftRules.helps()}


def all_faults(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Every fault, aimed at the selected replica or message."""
    replica, flight = there(snapshot.replica(focus.node)), message_of(snapshot, focus)
    others = tuple(each.id for each in snapshot.replicas if each.id != replica.id)
    timer = "new view" if replica.changing else "request"
    soon = Param("in", 5, 0, 1_000, 5, "ms")
    return (
        *(forms.of_message(flight, letter(flight.message), in_full(flight.message)) if flight else ()),
        *forms.of_machine(replica.id, replica.status, "the votes it heard are lost; what it promised is on its disk",
                          "from its disk, with its promises"),
        *forms.of_clock_and_disk(replica.id),
        *forms.of_links(replica.id, others),
        Offer(f"time out {replica.id}", "the timer it runs goes off then",
              lambda v: faults.ExpireTimers((replica.id,), timer, v["in"] * US_PER_MS), (soon,)),
        forms.HEAL,
    )  # fmt: skip


def rules(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """The acts of the selected replica first, then the rules of all."""
    replica = there(snapshot.replica(focus.node))

    def act(each: Act) -> Offer:
        on = each.value in replica.acts
        does, outcome = OUTCOME[each]
        client = Param("client", snapshot.clients[0].id, choices=tuple(one.id for one in snapshot.clients))
        params = (client,) if each is Act.CENSOR and not on else ()
        return Offer(f"{replica.id} {does}", outcome,
                     lambda v: SetAct(replica.id, each.value, not on, v.get("client", "")), params, on=on)  # fmt: skip

    return (*(act(each) for each in Act), *forms.of_rules(snapshot.rules, RULES, SetRule))


def tune(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """The timeout and the workload. Sizes are settings: a run begins with them."""
    return forms.settings(
        Offer("timeout T", "how long a backup waits for a request it knows of",
              lambda v: SetTimeout(v["T"] * US_PER_MS),
              (Param("T", snapshot.timeout_us // US_PER_MS, 50, 60_000, 50, "ms"),)),
        Offer("workload", "how fast the clients ask", lambda v: SetWorkload(v["level"]),
              (Param("level", snapshot.workload, choices=tuple(WORKLOADS)),)),
    )  # fmt: skip


def sides(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Ways to split the cluster around the selected replica."""
    replica = there(snapshot.replica(focus.node))
    ids = [each.id for each in snapshot.replicas]
    ring = forms.around(ids, replica.id)
    name, others, q = replica.id, ring[1:], snapshot.quorum
    half = len(ids) // 2
    return forms.once((
        forms.split(((name,), others), f"{name} alone; the others are {len(others)}, a quorum is {q}"),
        forms.split((ring[:q], ring[q:]), f"{name} with a quorum of {q}"),
        forms.split((ring[:half], ring[half:]), f"halves: neither side has a quorum of {q}, nothing commits"),
        *forms.one_way(name, others),
        forms.connect_all(ids),
    ))  # fmt: skip


def client(snapshot: Snapshot, focus: Focus, text: str) -> Outcome:
    """A typed request."""
    return Ask(*parse(text, reads=True))
