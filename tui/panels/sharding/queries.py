"""What the pictures, the inspector and the keys all want to know of a snapshot, worked out in one place."""

import re
from typing import Final, NamedTuple

from engines.sharding.world.messages import is_routine
from engines.sharding.world.snapshot import Lane, NodeState, Snapshot
from engines.sim.views import Flight
from engines.units import PPM, per_s, rounded
from tui.canvas import Ink
from tui.kit import selection
from tui.kit.link_faults import networks
from tui.panel import Figure

CFG: Final = "cfg"


network_of: Final = networks("nodes", CFG)


class Standing(NamedTuple):
    """What a node can be, other than a member that is well: a letter (who sees no colour loses nothing), and words."""

    letter: str
    word: str
    ink: Ink = "text"
    told: str = ""
    """What that means."""
    said: str = ""
    """The word at more length, if it is another."""


STANDINGS: Final = {
    "crashed": Standing("X", "crashed"),
    "frozen": Standing("Z", "frozen"),
    "joining": Standing("J", "joining", "good", "pulls its keys, owns each unit once that is here"),
    "leaving": Standing("D", "draining", "warn", "gives all it has to the others, then leaves"),
    "left": Standing("-", "no member", "dim", "it left, or has not begun to join"),
    "stale": Standing("S", "missed writes", "stale", "missed writes, no replica until it caught up", "out of date"),
    "dead": Standing("!", "declared dead", "bad", "cfg does not hear it, it may well be alive"),
    "": Standing("", "member"),
}
NUMBERED: Final = re.compile(r"[a-zA-Z]+(\d+)")


def colour(name: str, place: int = 0) -> Ink:
    """The ink of a node: its number's, so that the same node has the same colour in every run."""
    numbered = NUMBERED.fullmatch(name)
    number = int(numbered[1]) if numbered else place + 1
    return f"n{max(1, number)}"


def ink(snapshot: Snapshot, name: str) -> Ink:
    """The ink of a node of this snapshot."""
    if NUMBERED.fullmatch(name):
        return colour(name)
    return colour(name, next((i for i, node in enumerate(snapshot.nodes) if node.id == name), 0))


def state(node: NodeState) -> str:
    """What is worth saying of a node before all else; nothing: it is a member and well."""
    if node.status in ("crashed", "frozen"):
        return node.status
    if node.dead:
        return "dead"
    if node.role != "member":
        return node.role
    return "stale" if node.stale else ""


def letter(node: NodeState) -> str:
    """Its letter, or nothing."""
    return STANDINGS[state(node)].letter


def chip_ink(snapshot: Snapshot, node: NodeState) -> Ink:
    """The ink of a node's chip: its own, unless it is out of order."""
    special = {"crashed": "dead!", "frozen": "frozen!", "left": "dim"}
    return special.get(state(node), ink(snapshot, node.id) + "!")


def shown(snapshot: Snapshot) -> tuple[NodeState, ...]:
    """Nodes worth a row: all but those that left and are empty."""
    return tuple(node for node in snapshot.nodes if node.role != "left" or node.keys)


def travels(snapshot: Snapshot) -> str:
    """What the numbers of a plan count: with several copies of a key more travels than its owner changes."""
    return "copies" if snapshot.rf > 1 else "keys"


def blocked(snapshot: Snapshot, lane: Lane) -> str:
    """What keeps a unit from moving: ``n3 is crashed``; or nothing."""
    node = snapshot.node(lane.blocked_by)
    return f"{node.id} is {node.status}" if node is not None else ""


def touching(snapshot: Snapshot, node: str) -> list[Flight]:
    """Messages from or to this node: what is no routine first, then by arrival."""
    return sorted(selection.touching(snapshot.flights, node), key=lambda each: is_routine(each.message))


def alone(snapshot: Snapshot) -> tuple[str, ...]:
    """Nodes, or ``cfg``, all of whose links are cut."""
    network = network_of(snapshot)
    return tuple(each for each in network.names if network.cut_off(each))


def cuts(snapshot: Snapshot) -> str:
    """Who is cut off, and which other links are cut: ``cut off: n2``, ``cut: n1>n7``."""
    by_itself = alone(snapshot)
    others = set(network_of(snapshot).names) - set(by_itself)
    rest = [f"{each.src}>{each.dst}" for each in snapshot.links if each.cut and {each.src, each.dst} <= others]
    said = [f"cut off: {' '.join(by_itself)}"] if by_itself else []
    if rest:
        said.append(f"cut: {' '.join(rest)}" if len(rest) < 3 else f"{len(rest)} links cut")
    return "  ".join(said)


def ratio(ppm: int, places: int = 3) -> str:
    """``0.073``."""
    return f"{ppm / PPM:.{places}f}"


def short(ppm: int) -> str:
    """A ratio without its leading zero: ``.073``, ``1.02``."""
    return ratio(ppm, 3 if ppm < PPM else 2).removeprefix("0")


def figures(snapshot: Snapshot) -> tuple[Figure, ...]:
    """The numbers that sum a run up."""
    clients, balance = snapshot.clients, snapshot.balance
    asked = [client for client in clients if client.id != "router"]
    followers = [client for client in clients if client.id == "router"] or asked
    return (
        Figure("requests_served", sum(client.done for client in asked)),
        Figure("requests_given_up", sum(client.failed for client in asked)),
        Figure("requests_per_s", balance.ops_per_ks / 1_000, per_s(balance.ops_per_ks)),
        Figure("moved_followed", sum(client.moved for client in followers)),
        Figure("ask_followed", sum(client.asked for client in followers)),
        Figure("keys", balance.keys),
        Figure("keys_moved", snapshot.keys_moved),
        Figure("map_epoch", snapshot.coordinator.epoch),
        Figure("cv", balance.cv_ppm / PPM, ratio(balance.cv_ppm)),
        Figure("peak_to_mean", balance.peak_ppm / PPM, ratio(balance.peak_ppm, 2)),
        Figure("hottest_key_share", balance.hottest_ppm / PPM,
               f"{rounded(balance.hottest_ppm)} {balance.hottest}".strip()),
    )  # fmt: skip
