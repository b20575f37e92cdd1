"""A world of nodes that do nothing but write down what happens to them; tests act through their hosts."""

from typing import Any, TypeVar

from engines.sim.host import Host
from engines.sim.network import LinkOptions
from engines.sim.node import Context
from engines.sim.world import World

K = TypeVar("K")


class Diary:
    """A node that writes down what it hears, with the true time."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.started = 0
        self.heard: list[tuple[int, str, Any]] = []
        self.fired: list[tuple[int, str]] = []
        self.synced: list[int] = []

    def on_start(self, ctx: Context) -> None:
        self.started += 1

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        self.heard.append((self.host.clock.now_us, src, message))

    def on_timer(self, ctx: Context, name: str) -> None:
        self.fired.append((self.host.clock.now_us, name))

    def on_synced(self, ctx: Context) -> None:
        self.synced.append(self.host.clock.now_us)


class Lab(World):
    """Servers a, b, c, d, e."""

    def __init__(self, seed: int = 1, names: str = "abcde", link: LinkOptions | None = None) -> None:
        super().__init__(seed, tuple(names), (), link or LinkOptions())
        self.begin()

    def make_node(self, host: Host) -> Diary:
        return Diary(host)

    def diary(self, name: str) -> Diary:
        node = self.hosts[name].node
        assert isinstance(node, Diary)
        return node

    def heard(self, name: str) -> list[Any]:
        """The messages a node heard, in their order."""
        return [message for _, _, message in self.diary(name).heard]

    def wait(self, span_us: int) -> None:
        """Let time pass, with all that happens in it."""
        until = self.now_us + span_us
        self.run(until, 1 << 60)

    def kinds(self) -> list[str]:
        return [event.kind for event in self.latest(1 << 20)]

    def newest(self, kind: type[K]) -> K:
        """What the newest event of a kind says."""
        found: K = [event.what for event in self.latest(1 << 20) if type(event.what) is kind][-1]
        return found
