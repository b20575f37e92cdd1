"""One node on a bench: it hears a message, and the test sees what it said."""

from typing import Any

from engines.sharding.world import messages as m
from engines.sharding.world.changes import Known, PlacementChange, changed
from engines.sharding.world.engine import ShardingEngine
from engines.sharding.world.events import Cause, ChangeKind, UnitKind
from engines.sharding.world.ownership import Plan, ShardMap

A, B, C = "{user1000}.a", "{user1000}.b", "{user1000}.c"
"""Three keys of slot 3443, which n1 owns in a cluster of three."""
OTHER = "cart:7"
"""A key of another slot."""
SLOT = 3443
UNIT = f"slot {SLOT}"


class Bench:
    """Three nodes with slots and no clients at work. Nothing is delivered by itself: the test plays the network."""

    def __init__(self, **config: Any) -> None:
        settings = {"nodes": 3, "keys": 10, "clients": 0, "workload": "off", **config}
        self.engine = ShardingEngine("slots", 7, tuple(settings.items()))
        self.engine.clock.heap.clear()
        self.serial = 0

    def put_on(self, node: str, *keys: str) -> None:
        """The node has these keys."""
        for key in keys:
            self.tell(node, "you", m.Request(0, "put", (key,), 1))

    def give(self, node: str, *keys: str) -> None:
        """These keys arrive at an importing node."""
        plan = self.engine.cluster.node(node).map.plan
        assert plan is not None
        self.tell(node, "n1", m.Keys(plan.number, UNIT, 1, tuple(m.Item(key, 1 << 32 | 1, 1) for key in keys)))

    def tell(self, node: str, src: str, message: Any) -> list[Any]:
        """Deliver a message; what the node said in return, in order."""
        return [said for _, said in self.tell_all(node, src, message)]

    def tell_all(self, node: str, src: str, message: Any) -> list[tuple[str, Any]]:
        """The same, and to whom."""
        host = self.engine.hosts[node]
        host.node.on_message(host, src, message)
        return self.sent()

    def fire(self, node: str, timer: str) -> list[tuple[str, Any]]:
        """A timer of the node runs out; what it sent, and to whom."""
        host = self.engine.hosts[node]
        host.node.on_timer(host, timer)
        return self.sent()

    def command(self, command: Any) -> list[tuple[str, Any]]:
        """A person's command; what was sent, and to whom."""
        self.engine.apply(command)
        return self.sent()

    def sent(self) -> list[tuple[str, Any]]:
        """What is in the air, in the order in which it was sent; it is taken out."""
        said = [
            (entry[3].dst, entry[4])
            for entry in sorted(self.engine.clock.heap, key=lambda entry: entry[1])
            if entry[2] == 0
        ]
        self.engine.clock.heap.clear()
        return said

    def ask(self, node: str, *keys: str, op: str = "", asking: bool | int = False) -> str:
        """A client's request, and the node's answer as Redis would write it. ``asking``: True, or under which plan."""
        self.serial += 1
        kind = op or ("mget" if len(keys) > 1 else "get")
        said = self.tell(node, "you", m.Request(self.serial, kind, keys, 1, int(asking)))
        (answer,) = said or [None]
        match answer:
            case m.Answer(items=items):
                return "served " + " ".join(item.key for item in items) if items else "nil"
            case m.Moved(slot=slot, owner=owner):
                return f"MOVED {slot} {owner}"
            case m.Ask(slot=slot, owner=owner):
                return f"ASK {slot} {owner}"
            case m.Refusal(said=code):
                return code.value
        return "waits"

    def migrating(self) -> "Bench":
        """Slot 3443 moves from n1 to n3: both know, n2 only knows that there is a plan."""
        cfg = self.engine.cluster.cfg()
        base = cfg.map.placement
        cause = Cause(ChangeKind.SLOTS, node="n3", number=SLOT)
        target = changed(base, PlacementChange(cause, moves=((str(SLOT), "n3"),)), Known((), {}, 0, {}))
        plan = Plan(1, cause, base, target, UnitKind.SLOTS)
        for node in ("n1", "n2", "n3"):
            self.teach(node, ShardMap(2, 1, base, plan))
        self.tell("n3", "cfg", m.Import(1, UNIT))
        self.tell("n1", "cfg", m.Migrate(1, UNIT))
        return self

    def teach(self, node: str, news: ShardMap) -> None:
        """The node hears of a newer map."""
        self.engine.cluster.atlas.add(news)
        self.tell(node, "cfg", m.MapUpdate(news.epoch))

    def tick(self) -> list[Any]:
        """The source's next tick of migration; what it sent."""
        return [said for _, said in self.fire("n1", "move")]

    def leave(self, *keys: str) -> None:
        """These keys were handed over and acknowledged."""
        node = self.engine.cluster.node("n1")
        for key in keys:
            node.store.drop(key)
