"""What is wrong with a server and its links, in words: which way a cut goes, and equal troubles said once."""

from typing import Final

from engines.consensus.raft.snapshot import LinkState, Server, Snapshot
from engines.sim.clock import US_PER_MS, format_span
from tui.kit.words import PPM_PER_PERCENT, names, percent

BOTH: Final = "cut both ways"
FRESH_US: Final = 15 * US_PER_MS
FRESH_JITTER_US: Final = 10 * US_PER_MS
"""Latency and jitter of a link as it is laid."""


def cut_ways(snapshot: Snapshot, server: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Other servers it does not hear, and those that do not hear it, because a link is cut."""
    cut = {(link.src, link.dst) for link in snapshot.links if link.cut}
    others = [each.id for each in snapshot.servers if each.id != server]
    return (tuple(each for each in others if (each, server) in cut),
            tuple(each for each in others if (server, each) in cut))  # fmt: skip


def cut_off(snapshot: Snapshot, server: str) -> str:
    """``hears nobody``, ``heard by nobody`` or ``cut both ways``, if all its links are cut so; else nothing."""
    deaf, mute = (len(each) == len(snapshot.servers) - 1 for each in cut_ways(snapshot, server))
    if deaf and mute:
        return BOTH
    return "hears nobody" if deaf else "heard by nobody" if mute else ""


def cut_from(snapshot: Snapshot, server: str, peer: str) -> str:
    """Which way the links between two servers are cut: ``cut both ways``, ``cut n1>n2`` or nothing."""
    deaf, mute = (peer in each for each in cut_ways(snapshot, server))
    if deaf and mute:
        return BOTH
    return f"cut {peer}>{server}" if deaf else f"cut {server}>{peer}" if mute else ""


def cuts(snapshot: Snapshot, server: str) -> list[str]:
    """All cuts of a server, which way each."""
    all_ = cut_off(snapshot, server)
    deaf, mute = cut_ways(snapshot, server)
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


def ailments(snapshot: Snapshot, server: Server) -> list[str]:
    """Everything wrong here: the machine first, then cuts, then what else befalls its messages."""
    found = [server.status] if server.status != "up" else []
    if off := server.clock_off_us:
        found.append(f"clock {format_span(abs(off))} {'ahead' if off > 0 else 'behind'}")
    if drift := server.drift_ppm:
        found.append(f"clock {abs(drift) // PPM_PER_PERCENT} % {'fast' if drift > 0 else 'slow'}")
    found += [each for each in server.faults if each.startswith("a disk sync")]
    return [*found, *cuts(snapshot, server.id), *_of_links(snapshot, server.id)]


def _of_links(snapshot: Snapshot, server: str) -> list[str]:
    """Equal troubles of links said once: ``all links, both ways: 10 % loss, 45 ms``."""
    into = {link.src: text for link in snapshot.links if link.dst == server and (text := link_words(link))}
    out = {link.dst: text for link in snapshot.links if link.src == server and (text := link_words(link))}
    groups: dict[tuple[str, str], list[str]] = {}
    for peer in dict.fromkeys((*into, *out)):
        there, back = out.get(peer, ""), into.get(peer, "")
        for way, text in (("both", there),) if there == back else (("in", back), ("out", there)):
            if text:
                groups.setdefault((way, text), []).append(peer)
    others = {each.id for each in snapshot.servers} - {server}
    found = []
    for (way, text), peers in groups.items():
        here = [peer for peer in peers if peer in others] or peers  # links to clients are said only if nothing else is
        everybody = others <= set(here)
        who = {
            "both": "all links, both ways" if everybody else f"links with {names(here)}, both ways",
            "in": "all links to it" if everybody else f"links from {names(here)}",
            "out": "all links from it" if everybody else f"links to {names(here)}",
        }[way]
        found.append(f"{who}: {text}")
    return found


def link_words(link: LinkState) -> str:
    """What a link does to messages, but for a cut; nothing: empty."""
    found = []
    if link.clogged:
        found.append(f"{link.clogged} held back")
    if link.loss_ppm:
        found.append(f"{percent(link.loss_ppm)} loss")
    if (link.latency_us, link.jitter_us) != (FRESH_US, FRESH_JITTER_US):
        found.append(f"{link.latency_us // US_PER_MS} ms")
    if link.duplicate_ppm:
        found.append(f"{percent(link.duplicate_ppm)} twice")
    if link.reorder_ppm:
        found.append(f"{percent(link.reorder_ppm)} out of order")
    return ", ".join(found)
