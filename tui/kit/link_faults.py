"""What is wrong with a machine and its links, in words: which way a cut goes, and equal troubles said once.

It reads any snapshot: links that are not as they were laid by the names of their ends, machines by status and clock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from engines.units import US_PER_MS, exact, span
from tui.kit.words import PPM_PER_PERCENT, names, percent

BOTH: Final = "cut both ways"


class Link(Protocol):
    """A link that is not as it was laid."""

    @property
    def src(self) -> str: ...
    @property
    def dst(self) -> str: ...
    @property
    def cut(self) -> bool: ...
    @property
    def clogged(self) -> int: ...
    @property
    def loss_ppm(self) -> int: ...
    @property
    def latency_us(self) -> int: ...
    @property
    def jitter_us(self) -> int: ...
    @property
    def duplicate_ppm(self) -> int: ...
    @property
    def reorder_ppm(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Network:
    """The machines by name, and the links between them that are not as they were laid."""

    names: tuple[str, ...]
    links: Sequence[Link]
    fresh_us: tuple[int, int] = (15 * US_PER_MS, 10 * US_PER_MS)
    """Latency and jitter of a link as it is laid."""

    def of(self, node: str) -> list[Link]:
        """The changed links from or to a node."""
        return [link for link in self.links if node in (link.src, link.dst)]

    def between(self, src: str, dst: str) -> Link | None:
        """The state of a link; None: nothing is wrong with it."""
        return next((link for link in self.links if (link.src, link.dst) == (src, dst)), None)

    def cut_ways(self, node: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Others it does not hear, and those that do not hear it, because a link is cut."""
        cut = {(link.src, link.dst) for link in self.links if link.cut}
        others = [each for each in self.names if each != node]
        return (tuple(each for each in others if (each, node) in cut),
                tuple(each for each in others if (node, each) in cut))  # fmt: skip

    def cut_off(self, node: str) -> str:
        """``hears nobody``, ``heard by nobody`` or ``cut both ways``, if all its links are cut so; else nothing."""
        deaf, mute = (0 < len(self.names) - 1 == len(each) for each in self.cut_ways(node))
        if deaf and mute:
            return BOTH
        return "hears nobody" if deaf else "heard by nobody" if mute else ""

    def apart(self) -> str:
        """Who is cut off from whom: ``the network is split: r1 r2 | r3``, ``cut one way: n3>n1``; empty: nobody."""
        cut = {(link.src, link.dst) for link in self.links if link.cut}
        sides: list[list[str]] = []
        for name in self.names:
            near = [side for side in sides if any((name, each) not in cut or (each, name) not in cut for each in side)]
            sides = [side for side in sides if side not in near] + [[*(each for side in near for each in side), name]]
        said = []
        if len(sides) > 1:
            said.append(f"the network is split: {' | '.join(names(sorted(side)) for side in sorted(sides))}")
        inside = [(src, dst) for src, dst in sorted(cut) if any(src in side and dst in side for side in sides)]
        one_way = [f"{src}>{dst}" for src, dst in inside if (dst, src) not in cut]
        both = [f"{src}-{dst}" for src, dst in inside if src < dst and (dst, src) in cut]
        said += [f"cut {how}: {names(links)}" for how, links in (("one way", one_way), ("both ways", both)) if links]
        return "; ".join(said)

    def cut_from(self, node: str, peer: str) -> str:
        """Which way the links between two machines are cut: ``cut both ways``, ``cut n1>n2`` or nothing."""
        deaf, mute = (peer in each for each in self.cut_ways(node))
        if deaf and mute:
            return BOTH
        return f"cut {peer}>{node}" if deaf else f"cut {node}>{peer}" if mute else ""

    def cuts(self, node: str) -> list[str]:
        """All cuts of a machine, which way each."""
        all_ = self.cut_off(node)
        deaf, mute = self.cut_ways(node)
        if all_ == BOTH:
            return ["cut off from all servers, both ways"]
        found = []
        if all_ == "hears nobody":
            found.append("hears nobody: all links to it are cut")
            deaf = ()
        elif all_:
            found.append("heard by nobody: all links from it are cut")
            mute = ()
        both = [each for each in deaf if each in mute]
        if both:
            found.append(f"cut off from {names(both)}, both ways")
        if one := [each for each in deaf if each not in both]:
            found.append(f"does not hear {names(one)}, whose links to it are cut")
        if one := [each for each in mute if each not in both]:
            found.append(f"not heard by {names(one)}: its links to them are cut")
        return found

    def troubles(self, node: str) -> list[str]:
        """Equal troubles of its links said once: ``all links, both ways: 10 % loss, 45 ms``."""
        into = {link.src: text for link in self.links if link.dst == node and (text := self.words(link))}
        out = {link.dst: text for link in self.links if link.src == node and (text := self.words(link))}
        groups: dict[tuple[str, str], list[str]] = {}
        for peer in dict.fromkeys((*into, *out)):
            there, back = out.get(peer, ""), into.get(peer, "")
            for way, text in (("both", there),) if there == back else (("in", back), ("out", there)):
                if text:
                    groups.setdefault((way, text), []).append(peer)
        others = set(self.names) - {node}
        found = []
        for (way, text), peers in groups.items():
            here = [peer for peer in peers if peer in others] or peers  # links to clients only if nothing else is wrong
            everybody = others <= set(here)
            who = {
                "both": "all links, both ways" if everybody else f"links with {names(here)}, both ways",
                "in": "all links to it" if everybody else f"links from {names(here)}",
                "out": "all links from it" if everybody else f"links to {names(here)}",
            }[way]
            found.append(f"{who}: {text}")
        return found

    def wrong_with(self, host: Any) -> list[str]:
        """All that is wrong with a machine, with its clock and disk, and with its links."""
        own = of_machine(host.status, host.clock_off_us, host.drift_ppm, host.fsync_us)
        return [*own, *self.cuts(host.id), *self.troubles(host.id)]

    def words(self, link: Link) -> str:
        """What a link does to messages, but for a cut; nothing: empty."""
        found = []
        if link.clogged:
            found.append(f"{held_by(link)} held back")
        if link.loss_ppm:
            found.append(f"{percent(link.loss_ppm)} loss")
        if getattr(link, "slow", (link.latency_us, link.jitter_us) != self.fresh_us):
            found.append(f"{link.latency_us // US_PER_MS} ms")
        if link.duplicate_ppm:
            found.append(f"{percent(link.duplicate_ppm)} twice")
        if link.reorder_ppm:
            found.append(f"{percent(link.reorder_ppm)} out of order")
        return ", ".join(found)


def networks(machines: str, *others: str) -> Callable[[Any], Network]:
    """The network of a snapshot: its ``machines``, others by name, and the links that are not as they were laid."""

    def network_of(snapshot: Any) -> Network:
        ids = (getattr(each, "machine", each).id for each in getattr(snapshot, machines))
        return Network((*ids, *others), snapshot.links)

    return network_of


def held_by(link: Link) -> int:
    """How many messages a link holds back."""
    return int(getattr(link, "held", link.clogged))


def of_machine(status: str, clock_off_us: int, drift_ppm: int, fsync_us: int = 0) -> list[str]:
    """What is wrong with the machine itself: its status, its clock, its disk."""
    found = [status] if status != "up" else []
    if clock_off_us:
        found.append(f"clock {span(abs(clock_off_us))} {'ahead' if clock_off_us > 0 else 'behind'}")
    if drift_ppm:
        found.append(f"clock {abs(drift_ppm) // PPM_PER_PERCENT} % {'fast' if drift_ppm > 0 else 'slow'}")
    if fsync_us:
        found.append(f"a disk sync takes {exact(fsync_us)}")
    return found
