"""The inspector's page for a key, a moving unit and a message in flight."""

import re
from itertools import groupby
from typing import Final

from engines.sharding.world.events import Said, UnitState
from engines.sharding.world.snapshot import KeyState, Lane, Snapshot
from engines.sim.views import Flight
from engines.units import per_s, rounded
from tui.canvas import Ink
from tui.kit import flights
from tui.kit.sheet import Fact, Facts, Section, fact
from tui.kit.words import names, plural
from tui.panels.sharding.describe import MESSAGES, describe
from tui.panels.sharding.maps import rule
from tui.panels.sharding.queries import blocked, ink, network_of

KEYS_SHOWN: Final = 8
CURED_PPM: Final = 50_000
"""A key with a smaller share than this of all requests needs no cure."""


def key(snapshot: Snapshot, state: KeyState) -> list[Section]:
    """Where it is, why there, who has it, how it was reached, and how hot it is."""
    return [
        Section(0, (*placed(snapshot, state), *replicas(snapshot, state))),
        Section(2, copies(state)),
        Section(1, move(snapshot, state)),
        Section(4, path(snapshot, state)),
        Section(3, heat(snapshot, state)),
    ]


def placed(snapshot: Snapshot, state: KeyState) -> Facts:
    """The arithmetic from the key to its owner."""
    yield fact("rule", rule(snapshot), "dim")
    if state.slot >= 0:
        yield fact("slot", str(state.slot), "bright", (f"= CRC16 {state.hashed} mod 16384", "text"))
        if tag := re.match(r"[^{]*{([^}]+)}", state.key):
            yield fact("hash tag", f"only {tag[1]!r} is hashed: keys with this tag share a slot", "text")
    elif snapshot.chunks:
        number = snapshot.chunk_of(state.key)
        chunk = snapshot.chunks[number]
        bounds = f"{chunk.min or '-inf'} <= key < {chunk.max or '+inf'}"
        held = f"{plural(chunk.keys, 'key')}, {per_s(chunk.ops_per_ks)}"
        yield fact("chunk", bounds, "bright", (f": {held}", "text"),
                   ("; jumbo: one key, cannot be split" if chunk.jumbo else "", "bad"))  # fmt: skip
    else:
        yield fact("hash", f"0x{state.hashed:016x}", "text")
    if state.at_ppm >= 0:
        yield fact("on ring", f"{state.at_ppm / 10_000:.1f} % of the way round, next token clockwise:", "text",
                   (state.owner, ink(snapshot, state.owner)))  # fmt: skip


def replicas(snapshot: Snapshot, state: KeyState) -> Facts:
    """Owner and replicas, and why these."""
    alone = ", the only one to have it (RF 1)" if len(state.group) < 2 else ""
    yield fact("owner", state.owner, ink(snapshot, state.owner), (alone, "dim"))
    if alone:
        return
    racks = {node.id: f"{node.dc}:{node.rack}" for node in snapshot.nodes}
    others: list[tuple[str, Ink]] = [(name, ink(snapshot, name)) for name in state.group[1:]]
    used = {racks.get(name, "?") for name in state.group}
    every = {racks[node.id] for node in snapshot.members}
    first = "a rack not used yet goes first" if snapshot.rack_aware else "the next nodes, whatever their rack"
    why = f"{first}: {len(used)} of {len(every)} racks"
    one = "; one rack could take all copies" if len(used) == 1 and len(every) > 1 else ""
    yield Fact("replicas", tuple(others))
    yield fact("why these", why, "text", (one, "bad"))


def copies(state: KeyState) -> Facts:
    """Who stores which version of it."""
    if not state.holders:
        yield fact("stored", "nowhere", "bad" if state.acked else "dim")
        return
    newest = max(version for _, version in state.holders)
    told: list[tuple[str, Ink]] = [
        (f"{name} v{version}", "text" if version == newest else "stale") for name, version in state.holders
    ]
    yield Fact("stored", tuple(told))
    if newest < state.acked:
        yield fact("lost", f"a client was told that version {state.acked} is written", "bad")


def move(snapshot: Snapshot, state: KeyState) -> Facts:
    """The unit it moves in."""
    lane = next((each for each in snapshot.lanes if each.id == state.unit), None)
    if lane is not None:
        here = any(name == lane.target for name, _ in state.holders)
        served = f"already at {lane.target}: {lane.source} answers ASK"
        where = served if here else f"still at {lane.source}, served there"
        yield fact("moves", f"{lane.source} -> {lane.target}, {lane.state.value}", "accent", (f"; {where}", "text"))
    elif state.unit:
        yield fact("moves", f"with {state.unit}", "accent")


def path(snapshot: Snapshot, state: KeyState) -> Facts:
    """The way of the newest request, answer by answer."""
    if not state.hops:
        yield fact("last way", "you have not asked for it yet: a asks", "dim")
        return
    ways = groupby(state.hops, key=lambda hop: (hop.node, hop.said.value, hop.to))
    for number, (_, group) in enumerate(ways):
        same = list(group)
        hop = same[0]
        good = hop.said in (Said.SERVED, Said.MISSING)
        told = f"{hop.said.value} {hop.to}".strip() + (f" x{len(same)}" if len(same) > 1 else "")
        yield fact("last way" if not number else "", hop.node, ink(snapshot, hop.node),
                   (told, "good" if good else "warn"))  # fmt: skip


def heat(snapshot: Snapshot, state: KeyState) -> Facts:
    """Its share of all requests, and which cure would help."""
    count = max(1, len(snapshot.members))
    share = state.ops_ppm
    hot = share >= CURED_PPM
    yield fact("requests", f"{rounded(share)} of all{',' if hot else ''}", "bad" if hot else "text",
               (f"a node's fair part is {rounded(1_000_000 // count)}" if hot else "", "dim"))  # fmt: skip
    if state.salted:
        yield fact("salted", f"{state.salted} copies: a read takes one, a write all", "good")
    if hot and not state.salted:
        salt = f"salt it: 4 copies leave {rounded(share // 4)} on a node; writes cost 4"
        yield fact("cure 1", salt, "good")
        yield fact("cure 2", *_second(snapshot, state))
        yield fact("cure 3", "cache it at the clients or the router: stale for as long as the cache lives")
        yield fact("no cure", "more virtual nodes: one key has one owner, wherever its tokens lie", "dim")


def _second(snapshot: Snapshot, state: KeyState) -> tuple[str, Ink]:
    """What this strategy can do about load by itself."""
    if snapshot.variant == "bounded":
        return f"lower the bound ({snapshot.bound} %): other keys leave its node, the key itself stays", "text"
    if snapshot.variant in ("range", "slots"):
        what = "chunk" if snapshot.variant == "range" else "slot"
        return f"split for heat: its {what} gets alone; one key is the end of that", "text"
    return "bounded loads (m): other keys leave its node; the key itself stays", "text"


def unit(snapshot: Snapshot, lane: Lane) -> list[Section]:
    """How far it is, which step comes next, what it waits for."""
    pace = snapshot.coordinator.bandwidth
    left = max(0, lane.total - lane.moved)
    if lane.source == lane.target:
        return [Section(0, (fact("owner", lane.source, ink(snapshot, lane.source)),
                            fact("step", "only replicas change; the owner stays"),
                            fact("keys", f"{lane.moved} of {lane.total} arrived", "bright")))]  # fmt: skip
    steps = {
        UnitState.PLANNED: "1 of 4: waits; nothing has changed for anybody",
        UnitState.IMPORTING: f"2 of 4: {lane.target} is told IMPORTING, and takes requests that say ASKING",
        UnitState.MIGRATING: f"3 of 4: {lane.source} sends keys; it serves what is left, and answers ASK for the rest",
        UnitState.DONE: f"4 of 4: assigned; {lane.target} owns it, old maps are corrected by MOVED",
    }
    facts = [
        fact("from", lane.source, ink(snapshot, lane.source), ("to", "dim"), (lane.target, ink(snapshot, lane.target))),
        fact("step", steps[lane.state]),
        fact("keys", f"{lane.moved} of {lane.total} arrived", "bright", (f", {lane.in_flight} in the air", "text")),
    ]
    if left and lane.state is UnitState.MIGRATING:
        facts.append(fact("pace", f"at most {pace} keys/s a node: {left / max(1, pace):.1f} s or longer", "text"))
    if lane.blocked_by:
        facts.append(fact("waits", blocked(snapshot, lane), "warn"))
    elif lane.state is UnitState.PLANNED:
        facts.append(fact("waits", "its turn", "warn"))
    mine = [state.key for state in snapshot.keys if state.unit == lane.id]
    if mine:
        facts.append(fact("of yours", names(mine), "text"))
    law = (
        "While it moves a request that asks for several of its keys gets TRYAGAIN if only some have left. Third nodes "
        "go on naming the old owner until the new map reaches them."
    )
    return [Section(0, tuple(facts)), Section(2, (fact("note", law, "dim"),))]


def message(snapshot: Snapshot, flight: Flight) -> list[Section]:
    """What it says, what it carries, how far it is, and what the receiver will do."""
    told = describe(flight.message)
    says = [fact("says", told.text, "bright")]
    if told.keys and told.letter in "KM":
        more = len(told.keys) - KEYS_SHOWN
        says.append(fact("keys", names(told.keys[:KEYS_SHOWN]) + (f" and {more} more" if more > 0 else "")))
    return flights.page(flight, snapshot.at_us, network_of(snapshot), says, fact("then", MESSAGES[told.letter].then))
