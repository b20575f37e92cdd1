"""The kernel against SimPy: messages a second of the same 5-node ping/pong, in the same process.

Five nodes, every node plays with every other: 20 balls in the air. Latency 15 ms + [0, 10] ms of jitter, 1 % loss;
a ball that is lost is served again after 100 ms. SimPy is written as its documentation shows, a Store for each node
and a process for each delivery. A second SimPy program uses bare callbacks instead of processes: what a person who
knows its inside could do; it is printed without a target. SimPy records nothing; our event ring is on.
"""

import random
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Final

import simpy

from engines.sim.host import Host
from engines.sim.network import LinkOptions
from engines.sim.node import Context, Node
from engines.sim.world import World

NODES: Final = tuple(f"n{i}" for i in range(1, 6))
LATENCY_US: Final = 15_000
JITTER_US: Final = 10_000
LOSS: Final = 0.01
SERVE_AGAIN_US: Final = 100_000
MESSAGES: Final = 200_000
ROUNDS: Final = 3


class Player:
    """Returns every ball; serves a new one to whoever has not returned his for a while."""

    def __init__(self, peers: tuple[str, ...]) -> None:
        self.peers = peers

    def on_start(self, ctx: Context) -> None:
        """Serve to all."""
        for peer in self.peers:
            ctx.send(peer, "ball")
            ctx.set_timer(peer, SERVE_AGAIN_US)

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """Return it."""
        ctx.send(src, message)
        ctx.set_timer(src, SERVE_AGAIN_US)

    def on_timer(self, ctx: Context, name: str) -> None:
        """It was lost: serve again."""
        ctx.send(name, "ball")
        ctx.set_timer(name, SERVE_AGAIN_US)

    def on_synced(self, ctx: Context) -> None:
        """Nothing is on disk."""


class Table(World):
    """Five players."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, NODES, (), LinkOptions(LATENCY_US, JITTER_US, loss_ppm=10_000))
        self.begin()

    def make_node(self, host: Host) -> Node:
        """A player who knows the others."""
        return Player(tuple(name for name in NODES if name != host.id))


def ours() -> float:
    """Messages a second of our kernel."""
    table = Table(42)
    start = time.perf_counter()
    while table.deliveries < MESSAGES:
        table.run(1 << 60, 512)
    return table.deliveries / (time.perf_counter() - start)


class SimpyTable:
    """The same with a Store for each node and a process for each delivery."""

    def __init__(self) -> None:
        self.env = simpy.Environment()
        self.random = random.Random(42)
        self.stores = {name: simpy.Store(self.env) for name in NODES}
        self.last = {(a, b): 0.0 for a in NODES for b in NODES if a != b}
        self.delivered = 0
        for name in NODES:
            self.env.process(self.player(name))
            for peer in NODES:
                if peer != name:
                    self.send(name, peer)
                    self.env.process(self.server(name, peer))

    def send(self, src: str, dst: str) -> None:
        """Put a ball on its way."""
        if self.random.random() >= LOSS:
            self.env.process(self.deliver(src, dst))

    def deliver(self, src: str, dst: str) -> Generator[Any, Any, None]:
        """A process for one delivery."""
        yield self.env.timeout(LATENCY_US + self.random.randint(0, JITTER_US))
        yield self.stores[dst].put(src)

    def player(self, name: str) -> Generator[Any, Any, None]:
        """Take a ball out of the store, return it."""
        while True:
            src = yield self.stores[name].get()
            self.delivered += 1
            self.last[name, src] = self.env.now
            self.send(name, src)

    def server(self, name: str, peer: str) -> Generator[Any, Any, None]:
        """Serve again when a ball was lost."""
        while True:
            quiet = self.env.now - self.last[name, peer]
            if quiet >= SERVE_AGAIN_US:
                self.last[name, peer] = self.env.now
                self.send(name, peer)
                quiet = 0
            yield self.env.timeout(SERVE_AGAIN_US - quiet)


class SimpyCallbacks(SimpyTable):
    """The same without processes and stores: a callback on each timeout."""

    def send(self, src: str, dst: str) -> None:
        """Put a ball on its way."""
        if self.random.random() >= LOSS:
            timeout = self.env.timeout(LATENCY_US + self.random.randint(0, JITTER_US), (src, dst))
            assert timeout.callbacks is not None
            timeout.callbacks.append(self.arrive)

    def arrive(self, event: Any) -> None:
        """Return it."""
        src, dst = event.value
        self.delivered += 1
        self.last[dst, src] = self.env.now
        self.send(dst, src)


def theirs(table: SimpyTable) -> float:
    """Messages a second of a SimPy program."""
    start = time.perf_counter()
    while table.delivered < MESSAGES // 4:
        table.env.step()
    return table.delivered / (time.perf_counter() - start)


@dataclass(frozen=True, slots=True)
class Kernel:
    """Messages a second, the best of several alternating rounds."""

    ours: float
    simpy: float
    callbacks: float

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"kernel, 5-node ping/pong       {self.ours:>12,.0f} messages/s",
            f"SimPy, store and process       {self.simpy:>12,.0f}            ours is {self.ours / self.simpy:.1f}x"
            "  (target: 3x)",
            f"SimPy, bare callbacks          {self.callbacks:>12,.0f}            ours is "
            f"{self.ours / self.callbacks:.1f}x",
        ]


def measure() -> Kernel:
    """All three, in turns."""
    programs: tuple[Callable[[], float], ...] = (
        ours,
        lambda: theirs(SimpyTable()),
        lambda: theirs(SimpyCallbacks()),
    )
    rounds = [[program() for program in programs] for _ in range(ROUNDS)]
    return Kernel(*(max(column) for column in zip(*rounds, strict=True)))
