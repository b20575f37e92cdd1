"""Everything about the selected replica, and the arithmetic people otherwise do in their heads."""

from engines.consensus.pbft.acts import OUTCOME
from engines.consensus.pbft.rules import Act
from engines.consensus.pbft.snapshot import ClientView, ReplicaView, Snapshot
from engines.sim.views import Flight
from engines.units import span
from tui.canvas import Canvas
from tui.glyphs import Glyphs
from tui.kit import flights, sheet
from tui.kit.selection import message_of, there
from tui.kit.sheet import Fact, Facts, Section, fact
from tui.kit.words import by, names, plural
from tui.panel import Focus
from tui.panels.pbft.chart import progress
from tui.panels.pbft.queries import network_of, number_of, role, slot_of
from tui.panels.pbft.words import asked, in_full, words

WORDS = {"leader": "primary", "follower": "backup", "candidate": "changing views", "dead": "crashed"}


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> str:
    """Draw what is selected; returns the title."""
    flight = message_of(snapshot, focus)
    if flight is not None:
        sheet.draw(canvas, message(snapshot, flight))
        return f"{flight.src}>{flight.dst}  {words(flight.message)}"
    replica = there(snapshot.replica(focus.node))
    sheet.draw(canvas, sections(snapshot, replica, focus))
    return f"{replica.id}  {WORDS.get(role(replica), role(replica))}, view {replica.view}"


def message(snapshot: Snapshot, flight: Flight) -> list[Section]:
    """A message in flight."""
    signed = fact("signed by", getattr(flight.message, "sig", "") or "nobody")
    says = (fact("message", in_full(flight.message), "bright"),)
    return flights.page(flight, snapshot.at_us, network_of(snapshot), says, signed)


def sections(snapshot: Snapshot, replica: ReplicaView, focus: Focus) -> list[Section]:
    """The facts of a replica, in reading order."""
    return [
        Section(0, _office(snapshot, replica)),
        Section(1, _quorums(snapshot)),
        Section(2, _number(snapshot, replica, focus)),
        Section(4, _log(replica)),
        Section(5, _changes(snapshot, replica)),
        Section(3, _troubles(snapshot, replica)),
        Section(7, tuple(_client(snapshot, each) for each in snapshot.clients if each.current or each.done)),
        Section(8, (fact("state", " ".join(f"{key}={value}" for key, value in replica.values) or "empty"),)),
        sheet.of_checks(snapshot.checks, 6),
    ]


def _office(snapshot: Snapshot, replica: ReplicaView) -> Facts:
    kind = role(replica)
    leads = "leads this view" if kind == "leader" else f"; view {replica.view} is led by {_primary(snapshot, replica)}"
    yield fact("role", WORDS.get(kind, kind), kind, (leads, "text"))
    for act in replica.acts:
        yield fact("traitor", OUTCOME[Act(act)][0], "bad")
    if replica.acts:
        yield fact("", f"{plural(replica.bites, 'message')} changed or withheld", "dim")
    if replica.timer_left_us is not None:
        waits = "for a NEW-VIEW" if replica.changing else f"for {', '.join(asked(each) for each in replica.waiting)}"
        doubled = f" = T x {1 << replica.doublings}" if replica.doublings else " = T"
        yield fact("timer", f"{span(replica.timer_left_us)} of {span(replica.patience_us)}{doubled}", "warn",
                   (waits, "text"))  # fmt: skip


def _primary(snapshot: Snapshot, replica: ReplicaView) -> str:
    first = snapshot.replicas[replica.view % len(snapshot.replicas)]
    return first.id if first.status == "up" else f"{first.id}, {first.status}"


def _quorums(snapshot: Snapshot) -> Facts:
    count, f = len(snapshot.replicas), snapshot.f
    fault = [each.id for each in snapshot.replicas if each.status != "up" or each.id in snapshot.traitors]
    ink = "bad" if len(fault) > f else "text"
    model = "more than f, progress is not promised" if len(fault) > f else "within the fault model"
    model = "beyond the fault model" if snapshot.beyond else model
    yield fact("quorum", f"{snapshot.quorum} = 2f+1 of {count} = 3f+1, f = {f}", "text",
               (f"; {names(fault)} at fault" + (f": {model}" if fault else ""), ink))  # fmt: skip
    if snapshot.cost is not None:
        cost = snapshot.cost
        most = "at most " if snapshot.traitors else ""
        same = "as" if cost.sent == cost.formula else "against"
        took = f"number {cost.n} took {most}{cost.sent} messages without repeats, {same} 2n(n-1) = {cost.formula}"
        yield fact("cost", took, "text",
                   (f"; Raft with {count}: {2 * (count - 1)}", "dim"))  # fmt: skip


def _number(snapshot: Snapshot, replica: ReplicaView, focus: Focus) -> Facts:
    n = number_of(snapshot, focus)
    if not n:
        return
    slot = slot_of(replica, n)
    told = progress(replica, n, snapshot)
    if slot is None or not slot.digest:
        gone = n <= replica.executed
        yield fact(f"number {n}", "below its checkpoint: done and dropped" if gone else "not heard of it", "dim")
        return
    what = asked(slot.request) if slot.request else slot.digest
    wrong = [vote.i for vote in (*slot.prepares, *slot.commits) if vote.digest != slot.digest]
    yield fact(f"number {n}", f"{what} of {slot.proposer}", "bright", (told, "text"))
    if wrong:
        yield fact("", f"{names(dict.fromkeys(wrong))} voted for something else", "bad")


def _log(replica: ReplicaView) -> Facts:
    window = f"h {replica.low} < n <= H {replica.high}"
    yield fact("window", window, "text", (f"executed {replica.executed}", "good"))
    held = ", ".join(f"{n}@v{view}" for n, view in replica.certificates)
    yield fact("prepared", held or "no certificate above the checkpoint", "text" if held else "dim")
    for n, claims in replica.claims[-2:]:
        kinds = dict.fromkeys(digest for _, digest in claims)
        told = "; ".join(f"{digest[:4]} {names(i for i, each in claims if each == digest)}" for digest in kinds)
        yield fact(f"state {n}", told, "warn" if len(kinds) > 1 else "text")
    if replica.fetching:
        yield fact("fetches", f"the state at {replica.fetching}", "stale")


def _changes(snapshot: Snapshot, replica: ReplicaView) -> tuple[Fact, ...]:
    return tuple(
        fact(f"view {view}", f"{len(who)} of {snapshot.quorum} ask for it: {names(who)}", "candidate")
        for view, who in replica.view_changes[-2:]
        if view > replica.view or replica.changing
    )


def _troubles(snapshot: Snapshot, replica: ReplicaView) -> tuple[Fact, ...]:
    faults = sheet.of_host(replica.machine, network_of(snapshot), snapshot.replicas)
    if replica.acts and faults.parts[0][0] == "none":
        faults = fact("faults", "none beside its lies", "dim")
    return faults, *sheet.of_rules(snapshot.rules)


def _client(snapshot: Snapshot, client: ClientView) -> Fact:
    ink = "you" if client.id == "you" else "client"
    if client.current is None:
        return fact(client.id, f"{client.done} answered", ink)
    tries = f", attempt {client.attempts}" if client.attempts > 1 else ""
    then = f"; then {client.queued} more" if client.queued else ""
    replies = f"{len(client.replies)} replies, {client.needed} equal ones needed{then}"
    waits = f"waits for {asked(client.current)} since {span(snapshot.at_us - client.open_us)}{tries}"
    return fact(client.id, by(client.id, waits), ink, (replies, "dim"))
