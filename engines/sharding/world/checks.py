"""The guarantees of the cluster, checked after every event, beside the algorithm and not inside it.

The checker sees all machines at once, which none of them does. It looks only at what the last event added: requests
that were served, redirects, a new map. All keys are gone through when a unit or plan is finished. A failed check stays
failed.

- one owner: whenever a node answers for a key, no other live node would answer for it without an ASK
- writes: a read sees at least the newest version acknowledged before it was asked; and when ownership has moved, the
  new owner has at least the newest acknowledged version of every key that moved
- redirects: MOVED and ASK in a row are at most REDIRECTS_MAX
- only what has to: a join moves keys to the newcomer only, a leave moves the leaver's keys only
- copies: outside of moves acknowledged keys x copies <= stored copies <= known keys x copies
"""

from typing import Any, Final

from engines.sharding.world.cluster import Cluster
from engines.sharding.world.coordinator import CFG_ID, Coordinator
from engines.sharding.world.events import Cause, ChangeKind
from engines.sharding.world.ledger import Serve
from engines.sharding.world.messages import count_of
from engines.sharding.world.node import ShardNode
from engines.sharding.world.ownership import Plan, ShardMap
from engines.sharding.world.rules import REDIRECTS_MAX
from engines.sim.checks import CheckBook
from engines.sim.host import UP, Host
from engines.units import stamp

ONE_OWNER: Final = "one owner"
WRITES: Final = "no acknowledged write is lost"
REDIRECTS: Final = "redirects are bounded"
NECESSARY: Final = "only what has to move moves"
COPIES: Final = "every key has its copies"

DEMANDS: Final = {
    ONE_OWNER: "no two live nodes answer for one key without an ASK",
    WRITES: "a read sees every write acknowledged before it, and new owners have them all",
    REDIRECTS: f"a request meets at most {REDIRECTS_MAX} redirects in a row",
    NECESSARY: "a join moves keys to the newcomer only, a leave moves the leaver's keys only",
    COPIES: "outside of moves, copies stored = keys x copies of each",
}
EXEMPT: Final = {
    "modulo": "hash mod n has no such law: it moves nearly all keys, most of them between survivors",
    "maglev": "Maglev evens its table out: a few keys move between survivors",
    "bounded": "a bound on the load moves keys between survivors when the bound itself moves",
    "range": "the balancer levels all nodes when one joins or leaves, survivors too",
}
"""Variants that the law about moves does not hold for, and why."""


class ClusterChecks(CheckBook):
    """The checker of one cluster. Call ``observe`` after every event."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(DEMANDS)
        self.cluster = cluster
        self.hosts = cluster.hosts
        self.ledger = cluster.ledger
        if cluster.variant in EXEMPT:
            self.demand(NECESSARY, f"not demanded here: {EXEMPT[cluster.variant]}")
        self.epoch = 0
        self.done: tuple[str, ...] = ()
        self.plan: Plan | None = None

    def observe(self, host: Host) -> None:
        """Examine what the last event added."""
        ledger = self.ledger
        self.position, self.at_us = host.world.position, host.clock.now_us
        if ledger.fresh:
            for serve in ledger.fresh:
                self._one_owner(serve)
            ledger.fresh.clear()
        if ledger.misses:
            for miss in ledger.misses:
                self._missed(*miss)
            ledger.misses.clear()
        if ledger.long_chains:
            for client, key, chain in ledger.long_chains:
                self.fail(REDIRECTS, f"{client} met {len(chain)} redirects for {key} in a row", *chain)
            ledger.long_chains.clear()
        if host.id == CFG_ID:
            node: Coordinator = host.node  # type: ignore[assignment]
            if node.map.epoch != self.epoch:
                self._new_map(node.map)

    def _now(self) -> str:
        return stamp(self.ledger.clock.now_us)

    # -- one owner -------------------------------------------------------------------------------------------

    def _one_owner(self, serve: Serve) -> None:
        for id, host in self.hosts.items():
            node: Any = host.node
            if id == serve.node or host.status != UP or not isinstance(node, ShardNode):
                continue
            if self._would_serve(host, node, serve.key):
                one: Any = self.hosts[serve.node].node
                self.fail(ONE_OWNER, f"{serve.node} and {id} both answer for {serve.key}",
                           f"{self._now()} {serve.node} answers a {serve.op} of {serve.key}; its map is of epoch "
                           f"{one.map.epoch}, term {one.map.term}",
                           f"{id} would answer too; its map is of epoch {node.map.epoch}, term {node.map.term}, and "
                           f"says that {node.map.owner(serve.key)} owns it")  # fmt: skip

    @staticmethod
    def _would_serve(host: Host, node: ShardNode, key: str) -> bool:
        now = node.map
        if now.owner(key) != host.id or not node.may_serve(host):
            return False
        unit, plan = now.moving(key), now.plan
        if plan is None or not unit or unit not in node.migrating or plan.target.owner(key) == host.id:
            return True
        return node.has(key, plan)

    # -- writes ----------------------------------------------------------------------------------------------

    def _missed(self, client: str, node: str, key: str, found: int, floor: int) -> None:
        read = f"version {count_of(found)}" if found else "no such key"
        self.cluster.lose(key)
        self.fail(WRITES, f"{client} read {key} on {node} and missed an acknowledged write",
                   f"version {count_of(floor)} of {key} was acknowledged before the read was asked",
                   f"{self._now()} {node} answered {client}: {read}")  # fmt: skip

    def _handed_over(self, now: ShardMap, units: tuple[str, ...], plan: Plan) -> None:
        """Ownership of these units has moved: do the new owners have all that was acknowledged?"""
        for key, version in self.ledger.acked.items():
            if plan.unit_of(key) not in units:
                continue
            for node in plan.target.group(key):
                found = self.cluster.version_at(node, key)
                if found < version:
                    self.cluster.lose(key)
                    has = f"version {count_of(found)} of it" if found else "nothing of it"
                    self.fail(WRITES, f"{key} was lost on its way to {node}",
                               f"version {count_of(version)} of {key} was acknowledged",
                               f"{self._now()} {plan.unit_of(key)} is assigned in epoch {now.epoch}; {node} has {has}",
                               f"the change: {named(plan.cause)}")  # fmt: skip

    # -- maps ------------------------------------------------------------------------------------------------

    def _new_map(self, now: ShardMap) -> None:
        old, done = self.plan, self.done
        self.epoch, self.done, self.plan = now.epoch, now.done, now.plan
        if old is not None:
            over = now.plan is None or now.plan.number != old.number
            if not over:
                fresh = tuple(unit for unit in now.done if unit not in done)
                if fresh:
                    self._handed_over(now, fresh, old)
            elif now.placement is old.target:
                left = {old.unit_of(key): None for key in self.ledger.acked}
                self._handed_over(now, tuple(unit for unit in left if unit and unit not in done), old)
        if now.plan is not None and now.plan is not old:
            self._necessary(now.plan)

    def _necessary(self, plan: Plan) -> None:
        before, after = plan.base.members, plan.target.members
        joined = tuple(node for node in after if node not in before)
        left = tuple(node for node in before if node not in after)
        lawful = plan.base.strategy.moves_least(left)
        if not lawful or len(joined) + len(left) != 1 or plan.base.stale or plan.target.stale:
            return
        for key in self.ledger.stored:
            old, new = plan.base.owner(key), plan.target.owner(key)
            if old != new and new not in joined and old not in left:
                who = f"{joined[0]} joins" if joined else f"{left[0]} leaves"
                self.fail(NECESSARY, f"{who}, and {key} goes from {old} to {new}",
                           f"{self._now()} epoch {self.epoch}: {named(plan.cause)}",
                           f"{old} and {new} are members before and after")  # fmt: skip
                return

    def settled(self, cfg: Coordinator, nodes: tuple[ShardNode, ...], all_up: bool) -> None:
        """Look at the numbers of copies, if nothing is moving. Called now and then."""
        now = cfg.map
        quiet = all_up and now.plan is None and not now.placement.stale and not now.dead
        if not quiet or any(node.map is not now or node.pending for node in nodes):
            return
        copies = now.placement.copies
        stored = sum(len(node.store) for node in nodes)
        low, high = len(self.ledger.acked) * copies, len(self.ledger.stored) * copies
        if not low <= stored <= high:
            each = tuple(f"{node.id} stores {len(node.store)}" for node in nodes)
            self.fail(COPIES, f"{stored} copies are stored of {high // copies} keys with {copies} each",
                       f"{self._now()} epoch {now.epoch}, nothing moves", *each)  # fmt: skip


def named(cause: Cause) -> str:
    """A change for a witness: who joins or leaves, or what is changed."""
    verb = {ChangeKind.JOIN: "joins", ChangeKind.LEAVE: "leaves", ChangeKind.RECOVER: "catches up"}.get(cause.kind)
    return f"{cause.node} {verb}" if verb else f"of {cause.kind.value}"
