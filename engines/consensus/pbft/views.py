"""Pictures of one replica and one client."""

from typing import Final

from engines.consensus.pbft.acts import Traitor
from engines.consensus.pbft.client import Client
from engines.consensus.pbft.log import Slot
from engines.consensus.pbft.node import Replica
from engines.consensus.pbft.snapshot import ClientView, ReplicaView, SlotView, Vote
from engines.sim.history import OK, UNKNOWN, History
from engines.sim.views import HostView

SLOTS_SHOWN: Final = 24


def replica_view(node: Traitor, machine: HostView, timer_left_us: int | None) -> ReplicaView:
    """Everything there is to see of a replica."""
    replica = node.replica
    return ReplicaView(
        id=replica.id,
        machine=machine,
        primary=replica.primary == replica.id,
        view=replica.view,
        changing=replica.changing,
        acts=tuple(act.value for act in node.acts),
        bites=node.bites,
        low=replica.log.low,
        high=replica.log.high,
        stable=replica.checkpoints.stable,
        executed=replica.executed,
        values=tuple(sorted(replica.values.items())),
        waiting=tuple(replica.waiting.values()),
        fetching=replica.fetching.n if replica.fetching else 0,
        timer_left_us=timer_left_us,
        patience_us=replica.patience_us,
        doublings=replica.doublings,
        slots=tuple(_slot(replica, replica.log.slots[n]) for n in sorted(replica.log.slots)[-SLOTS_SHOWN:]),
        claims=tuple(
            (n, tuple((each.i, each.digest) for each in claims.values()))
            for n, claims in sorted(replica.checkpoints.claims.items())
        ),
        view_changes=tuple((view, tuple(found)) for view, found in sorted(replica.view_changes.by_view.items())),
        certificates=tuple((n, each.pre_prepare.view) for n, each in sorted(replica.log.certificates.items())),
    )


def _slot(replica: Replica, slot: Slot) -> SlotView:
    return SlotView(
        n=slot.n,
        view=replica.view,
        digest=slot.digest,
        request=replica.bodies.get(slot.digest),
        proposer=slot.pre_prepare.i if slot.pre_prepare else "",
        prepares=tuple(Vote(each.i, each.digest) for each in slot.prepares.values()),
        commits=tuple(Vote(each.i, each.digest) for each in slot.commits.values()),
        prepared=slot.prepared,
        committed=slot.committed,
        executed=slot.n <= replica.executed,
    )


def client_view(client: Client, history: History) -> ClientView:
    """Everything there is to see of a client."""
    current = client.current
    operation = history.open.get((client.id, current.t)) if current else None
    return ClientView(
        id=client.id,
        target=client.group.primary(client.view),
        current=current,
        attempts=client.attempts,
        replies=tuple((each.i, each.result) for each in client.replies.values()),
        needed=client.needed,
        queued=len(client.queue),
        done=history.counts.get((client.id, OK), 0),
        unknown=history.counts.get((client.id, UNKNOWN), 0),
        open_us=operation.invoked_us if operation else 0,
    )
