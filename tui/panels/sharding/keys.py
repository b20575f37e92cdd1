"""The verbs: what each letter means for the selected node, key or message in flight.

A verb returns a command of the engine, several given together, another focus, or a refusal that says why.
"""

from collections.abc import Callable
from typing import Final

from engines.sharding.world import commands as c
from engines.sharding.world.snapshot import KeyState, Snapshot
from engines.sim.rules import SetRule
from tui.kit.selection import after, there
from tui.kit.verbs import Act, ask, at_nodes, marker, standard_keys
from tui.panel import Ask, Focus, Key, Outcome, Refuse
from tui.panels.sharding import select as s
from tui.panels.sharding.select import OnKey, OnUnit, choose, fit, key_of

WORKLOADS: Final = ("off", "uniform", "zipf", "monotonic", "hot")
VNODES: Final = (1, 4, 16, 64, 150, 300, 1_000)
DELAYS_US: Final = ((50_000, 30_000), (150_000, 90_000), (500_000, 300_000))
"""Latency and jitter of a fresh link here, three and ten times as much."""


def key_at_hand(snapshot: Snapshot, focus: Focus) -> KeyState | None:
    """The selected key; else the first tracked key of the selected node; else the first of all."""
    own = (key for key in snapshot.keys if key.owner == focus.node)
    return key_of(snapshot, focus) or next(own, None) or next(iter(snapshot.keys), None)


def _order(snapshot: Snapshot, command: Outcome) -> Outcome:
    """The command, if the coordinator is there to take it."""
    status = snapshot.coordinator.status
    return command if status == "up" else Refuse(f"cfg is {status}: nobody takes the order")


def _leave(snapshot: Snapshot, focus: Focus) -> Outcome:
    node = there(snapshot.node(focus.node))
    if snapshot.coordinator.status != "up":
        return _order(snapshot, None)
    if node.role != "member":
        return Refuse(f"{node.id} is no full member: it is {node.role}")
    if node.status == "crashed" and snapshot.rf == 1:
        only = f"{node.id} is down and has the only copy of its keys"
        return Refuse(f"{only}: nobody could give them away; k restarts it")
    if len([each for each in snapshot.members if each.role == "member"]) < 2:
        return Refuse("the last node cannot leave: its keys would have no owner; j adds another")
    return c.RemoveNode(node.id)


def _vnodes(step: int) -> Act:
    """The next level of virtual nodes, or the one before."""

    def act(snapshot: Snapshot, focus: Focus) -> Outcome:
        level = next((each for each in VNODES[::step] if (each - snapshot.vnodes) * step > 0), 0)
        if not snapshot.vnodes:
            return Refuse(f"{snapshot.variant} has no virtual nodes: m chooses a ring")
        if not level:
            return Refuse(f"{snapshot.vnodes} virtual nodes each: that is the end of the scale")
        return _order(snapshot, c.SetVnodes(level))

    return act


def _of_key(does: str, build: Callable[[KeyState], Outcome]) -> Act:
    """A key that does something with the tracked key at hand."""

    def act(snapshot: Snapshot, focus: Focus) -> Outcome:
        key = key_at_hand(snapshot, focus)
        return build(key) if key else Refuse(f"no key is tracked yet: A {does} by name")

    return act


def _next_key(snapshot: Snapshot, focus: Focus) -> Outcome:
    if not snapshot.keys:
        return Refuse("no key is tracked yet: A asks for one by name")
    following = after(snapshot.keys, key_of(snapshot, focus))
    return fit(snapshot, choose(focus, what=OnKey(following.key)))


def _hot(snapshot: Snapshot, focus: Focus) -> Outcome:
    """Go to the hottest key; from there, to its cures."""
    key = snapshot.key(snapshot.balance.hottest)
    if key is None:
        return Refuse("no key is hot: nobody asks for any; w chooses a workload")
    now = key_of(snapshot, focus)
    if now is not None and now.key == key.key:
        return Ask("tune")
    return fit(snapshot, choose(focus, what=OnKey(key.key)))


def _next_unit(step: int) -> Act:
    def act(snapshot: Snapshot, focus: Focus) -> Outcome:
        found = snapshot.moving or snapshot.lanes
        if not found:
            return Refuse("nothing moves now: j adds a node, J drains one")
        return choose(focus, what=OnUnit(after(found, s.lane_of(snapshot, focus), step).id))

    return act


def _chart(step: int) -> Act:
    def act(snapshot: Snapshot, focus: Focus) -> Outcome:
        if len(s.charts(snapshot)) < 2:
            return Refuse("one chart so far: j or J compares all strategies, and a ring has its curves")
        return s.next_chart(snapshot, focus, step)

    return act


RANKS: Final = {"k": 11, "x": 16, "h": 17, "z": 22, "l": 24, "d": 26}
KEYS: Final = (
    *standard_keys(at_nodes("nodes"), "node", levels=DELAYS_US, ranks=RANKS),
    Key("j", "add node", "add a node: see which keys have to move, and which need not",
        lambda snapshot, focus: _order(snapshot, c.AddNode()), rank=10),
    Key("J", "drain", "drain the node: it gives its keys away and leaves", _leave, rank=12),
    Key("g", "hot key", "go to the hottest key; again: its cures", _hot, rank=13),
    Key("y", "vnodes", "more virtual nodes: 1, 4, 16, 64, 150, 300, 1000 each", _vnodes(1), rank=14),
    Key("L", "fewer", "fewer virtual nodes", _vnodes(-1), rank=72),
    Key("K", "next key", "select the next tracked key", _next_key, rank=20),
    Key("n", "next move", "the next unit that moves", _next_unit(1), rank=41),
    Key("N", "before", "the previous one", _next_unit(-1), rank=100),
    Key("v", "chart", "the next view of the chart: comparison, virtual nodes, load over time", _chart(1), rank=15),
    Key("V", "chart back", "the previous view", _chart(-1), rank=100),
    Key("a", "get", "read the selected key, or the first of the node, as a client with a cached map",
        _of_key("asks for one", lambda key: c.Get(key.key)), rank=18),
    Key("o", "put", "write the selected key",
        _of_key("writes one", lambda key: c.Put(key.key, key.acked + 1)), "client", rank=28),
    Key("A", "ask", "type a request: get k, put k 3, mget a b", ask("client"), rank=56),
    Key("w", "workload", "what clients ask: off, uniform, zipf, monotonic, hot", lambda snapshot, focus: c.SetWorkload(
        after(WORKLOADS, snapshot.workload), snapshot.skew, snapshot.rate), rank=19),
)  # fmt: skip

mark: Final = marker({
    c.AddNode: ("j", "good"), c.RemoveNode: ("J", "warn"), c.Get: ("a", "you"), c.Put: ("p", "you"),
    c.MultiGet: ("A", "you"), c.SetVnodes: ("v", "accent"), c.SetWorkload: ("w", "you"), c.Salt: ("o", "good"),
    **dict.fromkeys((c.MoveSlot, c.MoveChunk, c.SplitChunk, c.MergeChunks), ("t", "accent")), SetRule: ("b", "bad"),
    **dict.fromkeys((c.SetReplication, c.SetRackAware, c.SplitForHeat, c.Bound, c.SetBandwidth, c.SetFullCoverage,
                     c.SetBalancer), ("t", "you")),
})  # fmt: skip
