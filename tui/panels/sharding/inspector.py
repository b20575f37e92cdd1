"""Everything about the selected node, and the arithmetic people otherwise do in their heads."""

from typing import Final

from engines.sharding.world.events import UnitKind, UnitState
from engines.sharding.world.snapshot import WINDOW_S, ClientState, NodeState, Snapshot
from engines.units import PPM, per_s, rounded, span
from tui.canvas import Canvas, Ink
from tui.glyphs import Glyphs
from tui.kit import sheet
from tui.kit.selection import message_of, there
from tui.kit.sheet import Fact, Facts, Section, fact
from tui.kit.words import names, plural
from tui.panel import Focus
from tui.panels.sharding import details
from tui.panels.sharding.describe import MESSAGES, cause, message_letter
from tui.panels.sharding.queries import STANDINGS, blocked, ink, network_of, ratio, state, travels
from tui.panels.sharding.select import key_of, lane_of

UNITS: Final = {"ring": "token", "bounded": "token", "slots": "slot", "range": "chunk"}


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> str:
    """Draw what is selected; returns the title."""
    flight = message_of(snapshot, focus)
    if flight is not None:
        sheet.draw(canvas, details.message(snapshot, flight))
        return f"{flight.src}>{flight.dst}  {MESSAGES[message_letter(flight.message)].name}"
    lane = lane_of(snapshot, focus)
    if lane is not None:
        sheet.draw(canvas, details.unit(snapshot, lane))
        if lane.unit.kind is not UnitKind.LANE:
            return lane.id
        return f"copies of {lane.source}" if lane.source == lane.target else f"lane {lane.id}"
    key = key_of(snapshot, focus)
    if key is not None:
        sheet.draw(canvas, [*details.key(snapshot, key), sheet.of_checks(snapshot.checks, 6)])
        return f"key {key.key}"
    node = there(snapshot.node(focus.node))
    sheet.draw(canvas, sections(snapshot, node))
    return f"{node.id}  {STANDINGS[state(node)].word}"


def sections(snapshot: Snapshot, node: NodeState) -> list[Section]:
    """The facts of a node, in reading order."""
    counts = "  ".join(f"{said.value} {count:,}" for said, count in node.answers)
    return [
        Section(0, (*standing(snapshot, node), *load(snapshot, node))),
        Section(2, knowledge(snapshot, node)),
        Section(1, moves(snapshot, node)),
        Section(5, sheet.listed("answers", [counts] if counts else [])),
        Section(4, troubles(snapshot, node)),
        Section(3, whole(snapshot)),
        Section(7, (_client(each) for each in snapshot.clients if each.done or each.current or each.failed)),
        sheet.of_checks(snapshot.checks, 6),
    ]


def standing(snapshot: Snapshot, node: NodeState) -> Facts:
    """What it is to the cluster, and where it stands."""
    said = state(node)
    if said == "crashed":
        owner = ", they have no owner until it is back" if node.id in snapshot.coordinator.uncovered else ""
        kept = f"; {plural(node.keys, 'key')} on disk"
        yield fact("state", said, "dead", (kept, "text"), (owner, "bad"))
    elif said == "frozen":
        waits = f"; {plural(node.waiting, 'message')} and timers wait"
        yield fact("state", said, said, (waits, "text"))
    elif said:
        known = STANDINGS[said]
        yield fact("state", known.said or known.word, known.ink, (f"; {known.told}", "text"))
    weight = f"weight {node.weight}" if node.weight != 1 else ""
    yield fact("place", f"rack {node.rack} of {node.dc}", "text", (f", {weight}" if weight else "", "dim"))


def load(snapshot: Snapshot, node: NodeState) -> Facts:
    """Its part of keys and requests against the fair part."""
    weights = sum(each.weight for each in snapshot.members)
    fair = node.weight * PPM // max(1, weights) if node in snapshot.members else PPM // (weights + 1)
    over = round((node.share_ppm - fair) * 100 / max(1, fair))
    told = f"{abs(over)} % {'over' if over >= 0 else 'under'} its fair share of {rounded(fair)}"
    share = rounded(node.share_ppm) + (" of the data" if snapshot.sized else "")
    yield fact("owns", plural(node.owned, "key"), "bright", (share, ink(snapshot, node.id)),
               (told, "warn" if abs(over) > 25 else "text"))  # fmt: skip
    unit = UNITS.get(snapshot.variant)
    if unit and node.units:
        whole_ = f"of {sum(each.units for each in snapshot.nodes):,}"
        yield fact(f"{unit}s", f"{node.units:,}", "text", (f"{whole_}, {ranges(snapshot, node.id)}", "dim"))
    copies = node.keys - node.owned
    if snapshot.rf > 1:
        yield fact("stores", plural(node.keys, "copy").replace("copys", "copies"), "text",
                   (f": its own and {copies:,} as a replica of others (RF {snapshot.rf})", "dim"))  # fmt: skip
    elif copies:
        other = f"{-copies:,} of its own have left already" if copies < 0 else f"{copies:,} of them are not its own yet"
        yield fact("stores", plural(node.keys, "key"), "text", (f"; {other}", "dim"))
    busy = node.ops_ppm > fair * 13 // 10
    part = f", {rounded(node.ops_ppm)} of all in {WINDOW_S - 1} to {WINDOW_S} s"
    yield fact("requests", per_s(node.ops_per_ks), "bright", (part, "bad" if busy else "text"))
    if node.hottest:
        part = f", {rounded(node.hottest_ppm)} of its requests"
        yield fact("hottest", node.hottest, "bright", (part, "text"))


def ranges(snapshot: Snapshot, name: str) -> str:
    """Which parts of the key space are its own, in words; the longest first where there are many."""
    if snapshot.runs or snapshot.chunks:
        own = [f"{run.first}-{run.last}" for run in snapshot.runs if run.owner == name]
        own += [f"{chunk.min or '-inf'}.." for chunk in snapshot.chunks if chunk.owner == name]
        return " ".join(own[:3]) + (f" and {len(own) - 3} more" if len(own) > 3 else "")
    arcs = sum(segment.owner == name and snapshot.ring[i - 1].owner != name for i, segment in enumerate(snapshot.ring))
    return f"{arcs} arcs a degree or longer" if arcs else "no arc as long as a degree"


def knowledge(snapshot: Snapshot, node: NodeState) -> Facts:
    """Which map it has, and whether it may serve."""
    newest = snapshot.coordinator.epoch
    old = (f"{plural(node.behind, 'epoch')} old: it may send clients astray", "warn")
    yield fact("map", f"epoch {node.epoch}", "text", (f"of {newest}", "dim"), old if node.behind else ("", "dim"))
    if node.lease_left_us >= 0:
        left = f"{span(node.lease_left_us)} left"
        end = "serves until then without hearing cfg" if node.lease_left_us else "run out: it may not serve"
        told, how = (left, "text") if node.lease_left_us else ("none", "bad")
        yield fact("lease", told, how, (f"; {end}", "dim"))
    if node.pending:
        yield fact("writes", f"{node.pending} wait for replicas", "slow")


def moves(snapshot: Snapshot, node: NodeState) -> Facts:
    """What it gives and takes, and what that waits for."""
    own = [lane for lane in snapshot.moving if node.id in (lane.source, lane.target)]
    for lane in own[:4]:
        gives = lane.source == node.id
        peer = lane.target if gives else lane.source
        name = "" if lane.unit.kind is UnitKind.LANE else f"{lane.id}: "
        told = f"{name}{lane.moved} of {lane.total} keys {'to' if gives else 'from'}"
        verb = "gives" if gives else "takes"
        if lane.source == lane.target:  # it goes on owning them, and somebody becomes their replica
            verb, told = "copies", f"{lane.moved} of {lane.total} keys to new replicas, owner is still"
        why = blocked(snapshot, lane) or ("its turn" if lane.state is UnitState.PLANNED else "")
        waits = f"; {lane.state.value}, waits: {why}" if why else f"; {lane.state.value}"
        air = f", {lane.in_flight} in the air" if lane.in_flight else ""
        yield fact(verb, told, "text", (peer, ink(snapshot, peer)),
                   (waits + air, "warn" if lane.blocked_by else "dim"))  # fmt: skip


def troubles(snapshot: Snapshot, node: NodeState) -> Facts:
    """Faults in force here, and rules that are off everywhere."""
    if found := network_of(snapshot).wrong_with(node):
        yield sheet.of_faults(found)
    if node.unsynced:
        yield fact("unsynced", f"{plural(node.unsynced, 'write')}: a crash now would lose them", "slow")
    yield from sheet.of_rules(snapshot.rules)


def whole(snapshot: Snapshot) -> Facts:
    """How even it is and what the coordinator does."""
    balance, cfg = snapshot.balance, snapshot.coordinator
    formula = f", expected sqrt((n-1)/(n v+1)) = {ratio(balance.expected_cv_ppm)}"
    expected: list[tuple[str, Ink]] = [(formula, "text")] if balance.expected_cv_ppm >= 0 else []
    yield fact("cv", ratio(balance.cv_ppm), "bright", *expected)
    if cfg.status != "up":
        yield fact("cfg", cfg.status, "bad", ("; no map changes, and leases run out", "text"))
    else:
        told = f"epoch {cfg.epoch}, term {cfg.term}; {cfg.informed} of {cfg.nodes} nodes know it"
        yield fact("cfg", told, "text" if cfg.informed >= cfg.nodes else "warn")
    if cfg.uncovered:
        down = snapshot.variant == "slots" and cfg.full_coverage
        rest = "so the whole cluster is down (full coverage)" if down else "the rest is served"
        whose = f"the keys of {names(cfg.uncovered)} have no live owner;"
        yield fact("uncovered", whose, "bad", (rest, "text"))
    plan = snapshot.plan
    if plan is not None:
        done = f"{plan.units_done} of {plan.units} units, {plan.keys_done:,} of {plan.keys:,} {travels(snapshot)}"
        pace = f", at {cfg.bandwidth} keys/s a node"
        yield fact("plan", f"{cause(plan.cause)}: {done}", "accent", (pace, "dim"))
        if plan.queued:
            yield fact("then", "; ".join(map(cause, plan.queued)))
    switches = [name for name, on in (("balancer", cfg.balancer), ("split for heat", cfg.split_for_heat)) if on]
    if switches:
        yield fact("on", ", ".join(switches), "good")


def _client(client: ClientState) -> Fact:
    """How much it has done, with which map, and how often it was sent on."""
    ink_ = "you" if client.id == "you" else "client"
    old = f", map {client.behind} behind" if client.behind else ""
    sent = ((client.moved, "MOVED"), (client.asked, "ASK"), (client.tried_again, "TRYAGAIN"))
    met = ", ".join(f"{count:,} {what}" for count, what in sent if count)
    told = f"{client.done:,} done{old}" + (f"; {met}" if met else "")
    if client.id == "you" and client.current:
        told = f"{client.current} at {client.waiting_for}; {told}"
    failed = (f"; {client.failed} failed", "bad") if client.failed else ("", "dim")
    return fact(client.id, told, ink_, failed)
