"""What a crash does to the links of a host."""

from typing import Any

from engines.sim import faults
from engines.sim.host import Host
from engines.sim.network import LinkOptions
from engines.sim.node import Context
from engines.sim.world import World


class Writer:
    """Writes before it greets, as often as it is told."""

    def __init__(self, disk: Any) -> None:
        self.disk = disk
        self.heard: list[int] = []

    def greet(self, ctx: Context, dst: str) -> None:
        self.disk.write("x", 1)
        ctx.persist()
        ctx.send(dst, "hello")

    def on_start(self, ctx: Context) -> None:
        pass

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        self.heard.append(ctx.now_us)

    def on_timer(self, ctx: Context, name: str) -> None:
        pass

    def on_synced(self, ctx: Context) -> None:
        pass


class Pair(World):
    """Two of them."""

    def __init__(self) -> None:
        super().__init__(1, ("a", "b"), (), LinkOptions(10_000, 0))
        self.begin()

    def make_node(self, host: Host) -> Writer:
        return Writer(host.disk)


def test_messages_that_a_crash_kept_from_leaving_do_not_hold_up_later_ones() -> None:
    world = Pair()
    world.apply(faults.SlowDisk("a", 1_000_000))
    writer: Any = world.hosts["a"].node
    for _ in range(20):
        writer.greet(world.hosts["a"], "b")
    world.apply(faults.Crash("a"))
    world.apply(faults.SlowDisk("a", 0))
    world.apply(faults.Restart("a"))
    again: Any = world.hosts["a"].node
    again.greet(world.hosts["a"], "b")
    world.run(60_000_000, 1_000)
    listener: Any = world.hosts["b"].node
    assert listener.heard == [10_000]


def test_messages_that_had_left_are_still_not_overtaken() -> None:
    world = Pair()
    world.apply(faults.Slow("a", "b", 500_000, 0))
    writer: Any = world.hosts["a"].node
    writer.greet(world.hosts["a"], "b")
    world.apply(faults.Slow("a", "b", 10_000, 0))
    world.apply(faults.Crash("a"))
    world.apply(faults.Restart("a"))
    again: Any = world.hosts["a"].node
    again.greet(world.hosts["a"], "b")
    world.run(60_000_000, 1_000)
    listener: Any = world.hosts["b"].node
    assert listener.heard == [500_000, 500_000]
