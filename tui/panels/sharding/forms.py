"""What the dialogues offer: all faults with their parameters, ways to split the cluster, rules, numbers, cures."""

from collections.abc import Iterator
from typing import Final

from engines import units
from engines.errors import UserError
from engines.sharding.world import commands as c
from engines.sharding.world.rules import ShardRules
from engines.sharding.world.snapshot import KeyState, NodeState, Snapshot
from engines.sim import faults
from engines.sim.rules import SetRule
from tui.kit import forms
from tui.kit.selection import message_of, there
from tui.panel import Focus, Offer, Outcome, Param
from tui.panels.sharding.describe import message_letter
from tui.panels.sharding.keys import DELAYS_US, WORKLOADS, key_at_hand
from tui.panels.sharding.queries import CFG
from tui.panels.sharding.select import key_of
from tui.panels.sharding.words import words


def all_faults(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Every fault, aimed at the selected node or message; and those of ``cfg``."""
    node, flight = there(snapshot.node(focus.node)), message_of(snapshot, focus)
    others = (*(each.id for each in snapshot.nodes if each.id != node.id), CFG,
              *(client.id for client in snapshot.clients))  # fmt: skip
    cfg = snapshot.coordinator.status
    return (
        *(forms.of_message(flight, message_letter(flight.message), words(flight.message)) if flight else ()),
        *forms.of_machine(node.id, node.status, "what is only in memory is lost; keys, map and orders are on disk",
                          "from its disk; a replica that missed writes has to catch up first"),
        *forms.of_clock_and_disk(node.id),
        *forms.of_links(node.id, others, DELAYS_US),
        *forms.of_machine(CFG, cfg, "no map changes any more; all leases run out", "the map is on its disk",
                          "the coordinator pauses"),
        forms.HEAL,
    )  # fmt: skip


def sides(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Ways to split the cluster around the selected node; clients reach all sides."""
    node = there(snapshot.node(focus.node))
    ids = [each.id for each in snapshot.nodes]
    name, others = node.id, tuple(each for each in ids if each != node.id)
    ring = forms.around(ids, name)
    half = max(1, len(ids) // 2)
    found = [
        Offer(f"{name} and {CFG}", "the coordinator does not hear the node, and declares it dead; clients still can",
              lambda v: (faults.Cut(name, CFG), faults.Cut(CFG, name))),
        Offer(f"{name} hears no {CFG}", "its heartbeats arrive, the answers do not: its lease runs out",
              lambda v: faults.Cut(CFG, name)),
        *_rack(snapshot, node),
    ]  # fmt: skip
    if others:
        found.insert(2, forms.split(((name,), (*others, CFG)), f"{name} alone"))
        near, far = ring[:half], ring[half:]
        found += [
            forms.split((near, (*far, CFG)), f"two halves; {CFG} is on the other side"),
            forms.split((far, (*near, CFG)), f"two halves; {CFG} is on the side of {name}"),
            forms.one_link(name, (*others, CFG)),
        ]
    found.append(forms.connect_all((*ids, CFG)))
    return forms.once(found)


def _rack(snapshot: Snapshot, node: NodeState) -> tuple[Offer, ...]:
    """The rack of the node loses its switch."""
    here = tuple(each.id for each in snapshot.nodes if (each.dc, each.rack) == (node.dc, node.rack))
    rest = tuple(each.id for each in snapshot.nodes if each.id not in here)
    if len(here) < 2 or not rest:
        return ()
    return (forms.split((here, (*rest, CFG)), f"rack {node.rack} loses its switch"),)


def rules(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Rules that can be switched off, each with its state."""
    return forms.of_rules(snapshot.rules, ShardRules.texts(), SetRule)


def tune(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """The cluster's own numbers; the cures of a selected key first."""
    key = key_of(snapshot, focus)
    cures = _cures(snapshot, key or key_at_hand(snapshot, focus))
    work, cfg = forms.settings(_work(snapshot)), forms.settings(*_coordinator(snapshot))
    rest = (*forms.settings(*_placement(snapshot)), *_units(snapshot, focus), *cfg, *work)
    if snapshot.coordinator.status != "up":
        rest = work
    return (*cures, *rest) if key else (*rest, *cures)


def _cures(snapshot: Snapshot, key: KeyState | None) -> Iterator[Offer]:
    if key is not None:
        now = f"{units.rounded(key.ops_ppm)} of all requests are for it"
        many = Param("copies", max(4, key.salted), 1, 16)
        yield Offer(f"salt {key.key}", f"{now}: keep copies under other names; a read takes one, a write all",
                    lambda v: c.Salt(key.key, v["copies"]), (many,))  # fmt: skip
    up = snapshot.coordinator.status == "up"
    if up and snapshot.bound:
        percent = Param("percent", snapshot.bound, 100, 400, 5, "%")
        yield from forms.settings(Offer("bound", "no node takes more than this of the mean: what is over walks on",
                                        lambda v: c.Bound(v["percent"]), (percent,)))  # fmt: skip
    if up and snapshot.variant in ("range", "slots"):
        on = snapshot.coordinator.split_for_heat
        yield Offer("split for heat", "cfg splits and moves what is asked for most; one key cannot be split",
                    lambda v: c.SplitForHeat(not on), on=on)  # fmt: skip


def _placement(snapshot: Snapshot) -> Iterator[Offer]:
    if snapshot.vnodes:
        each = Param("each", snapshot.vnodes, 1, 1_000, 10)
        yield Offer("virtual nodes", "tokens of each node: more are smoother, and make more neighbours",
                    lambda v: c.SetVnodes(v["each"]), (each,))  # fmt: skip
    aware, most = snapshot.rack_aware, min(3, len(snapshot.members))
    yield Offer("copies", "how many nodes keep every key (RF)", lambda v: c.SetReplication(v["rf"]),
                (Param("rf", min(snapshot.rf, most), 1, most),))  # fmt: skip
    yield Offer("copies on different racks", "NetworkTopology: a new rack first; off: simply the next nodes",
                lambda v: c.SetRackAware(not aware), on=aware)  # fmt: skip


def _units(snapshot: Snapshot, focus: Focus) -> Iterator[Offer]:
    """Slots and chunks by hand: those of the key at hand."""
    key = key_at_hand(snapshot, focus)
    to = tuple(node.id for node in snapshot.members if node.role == "member")
    if key is None or not to:
        return
    other = next((name for name in to if name != key.owner), to[0])
    if key.slot >= 0:
        yield Offer(f"move slot {key.slot} of {key.key}", "one slot, step by step: MOVED, ASK, TRYAGAIN",
                    lambda v: c.MoveSlot(v["slot"], v["to"]),
                    (Param("slot", key.slot, 0, 16_383), Param("to", other, choices=to)))  # fmt: skip
    if key.slot >= 0 or not snapshot.chunks:
        return
    number = snapshot.chunk_of(key.key)
    chunk = snapshot.chunks[number]
    low = chunk.min
    yield Offer(f"move chunk {low or '-inf'} of {key.key}", "to another node, by hand",
                lambda v: c.MoveChunk(low, v["to"]), (Param("to", other, choices=to),))  # fmt: skip
    if chunk.keys > 1 and not chunk.jumbo:
        yield Offer(f"split chunk {low or '-inf'}", f"at its middle key; it holds {chunk.keys} keys",
                    lambda v: c.SplitChunk(low))  # fmt: skip
    if number + 1 < len(snapshot.chunks) and snapshot.chunks[number + 1].owner == chunk.owner:
        yield Offer(f"merge chunk {low or '-inf'} with the next", "both belong to one node",
                    lambda v: c.MergeChunks(low))  # fmt: skip


def _coordinator(snapshot: Snapshot) -> Iterator[Offer]:
    cfg = snapshot.coordinator
    yield Offer("bandwidth", "keys a second that a node sends to their new owners",
                lambda v: c.SetBandwidth(v["keys"]), (Param("keys", cfg.bandwidth, 1, 5_000, 20, "/s"),))  # fmt: skip
    if snapshot.variant == "slots":
        reads = Param("reads", "yes" if cfg.reads_when_down else "no", choices=("no", "yes"))
        cover = Param("coverage", "full" if cfg.full_coverage else "partial", choices=("full", "partial"))
        yield Offer("full coverage", "one slot without an owner takes all down; reads may go on",
                    lambda v: c.SetFullCoverage(v["coverage"] == "full", v["reads"] == "yes"),
                    (cover, reads))  # fmt: skip
    if snapshot.variant in ("range", "slots"):
        on = cfg.balancer
        yield Offer("balancer", "cfg moves units from the fullest to the emptiest node by itself",
                    lambda v: c.SetBalancer(not on), on=on)  # fmt: skip


def _work(snapshot: Snapshot) -> Offer:
    kinds = Param("kind", snapshot.workload, choices=WORKLOADS)
    skew = Param("skew", snapshot.skew, 0, 300, 10, "/100")
    rate = Param("rate", snapshot.rate, 1, 50, 5, "/s")
    return Offer("workload", "which keys the clients ask for, how skewed (zipf), how often each asks",
                 lambda v: c.SetWorkload(v["kind"], v["skew"], v["rate"]), (kinds, skew, rate))  # fmt: skip


NONSENSE: Final = "type get k, put k 3 or mget a b; @n3 at the end asks that node"


def client(snapshot: Snapshot, focus: Focus, text: str) -> Outcome:
    """A typed request. UserError if it makes no sense."""
    words = text.split()
    node = words.pop()[1:] if words and words[-1].startswith("@") else ""
    if node and snapshot.node(node) is None:
        raise UserError(f"no node {node!r}: one of {', '.join(each.id for each in snapshot.nodes)} can be asked")
    match words:
        case ["get", key]:
            return c.Get(key, node)
        case ["put", key, value] if value.lstrip("-").isdecimal() and value.isascii():
            return c.Put(key, int(value), node)
        case ["put", key]:
            known = snapshot.key(key)
            return c.Put(key, known.acked + 1 if known else 1, node)
        case ["mget", *keys] if keys:
            return c.MultiGet(tuple(keys), node)
        case ["put", _, value]:
            raise UserError(f"{value!r} is no number: {NONSENSE}")
    raise UserError(f"{text.strip()!r} is no request: {NONSENSE}" if text.strip() else f"nothing is asked: {NONSENSE}")
