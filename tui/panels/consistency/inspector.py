"""Everything about what is selected: a model and its witness, an operation, a client, a replica, a message."""

from typing import Final

from engines.consistency.explain import SENSES, named, sentence, witness_lines
from engines.consistency.history import Call, Operation
from engines.consistency.judge import IMPLIES
from engines.consistency.vector import Order
from engines.consistency.world.snapshot import WHOLE_MAX, ClientView, Logged, ReplicaView, Snapshot
from engines.units import span, stamp
from tui.canvas import Canvas
from tui.glyphs import Glyphs
from tui.kit import sheet
from tui.kit.sheet import Fact, Section, fact
from tui.kit.words import names, plural
from tui.panel import Focus
from tui.panels.consistency import lattice
from tui.panels.consistency import queries as q
from tui.panels.consistency.queries import SHORT, TITLES, chosen, network_of, whole
from tui.panels.consistency.strip import measured
from tui.panels.consistency.words import message, pattern

NAMES: Final = (
    "LIN linearizable, REG regular, SEQ sequential, CC causal, CCv its convergence, CM its memory, RYW read your "
    "writes, MR MW monotonic reads, writes, WFR writes follow reads"
)
"""What the lattice abbreviates where it is low."""
LOW_PAGE: Final = 20
"""Fewer rows: the lattice beside it has no room for whole names."""


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> str:
    """Draw what is selected; returns the title."""
    title, sections = _selected(snapshot, focus)
    if chosen(focus).pair < 0:
        sections += [sheet.of_checks(snapshot.checks, 7)]
        if canvas.height < LOW_PAGE and not snapshot.recorded:
            sections.append(Section(9, (fact("models", NAMES, "dim"),)))
    sheet.draw(canvas, sections)
    return title


def _selected(snapshot: Snapshot, focus: Focus) -> tuple[str, list[Section]]:
    """The title, and the sections below it."""
    now = chosen(focus)
    if now.pair >= 0:
        return "smallest histories", _pair(focus)
    if flight := q.flight_of(snapshot, focus):
        facts = fact("message", message(flight.message), "bright"), fact("arrives", stamp(flight.arrives_us))
        return f"{flight.src} > {flight.dst}", [Section(0, facts)]
    if now.model:
        return TITLES[now.model], _model(snapshot, focus, now.model)
    if found := q.operation(snapshot, focus):
        return named(found), _operation(snapshot, focus, found)
    if event := q.logged_of(snapshot, focus):
        return f"{event.host}, event {event.clock.get(event.host)}", _logged(snapshot, event)
    if replica := snapshot.replica(focus.node):
        return f"{focus.node}  {'leads' if replica.leads else 'replica'}", _replica(snapshot, replica)
    if client := snapshot.client(focus.node):
        return f"client {focus.node}", _client(snapshot, client)
    return "", []


def _logged(snapshot: Snapshot, event: Logged) -> list[Section]:
    """An event of a log: its clock, and how the others stand to it."""
    orders = [each.clock.compare(event.clock) for each in snapshot.logged]
    facts = [fact("event", event.text or "(no text)", "bright"), fact("clock", str(event.clock))]
    for cause in event.causes:
        other = next((each for each in snapshot.logged if each.number == cause), None)
        said = f"{other.host}, event {other.clock.get(other.host)}: {other.text}" if other else "an event long ago"
        facts.append(fact("heard of", said, "good"))
    counts = [
        fact("before it", f"{orders.count(Order.BEFORE)} of the newest {plural(len(orders), 'event')}", "good"),
        fact("after it", f"{orders.count(Order.AFTER)}", "accent"),
        fact("unordered", f"{orders.count(Order.CONCURRENT)}: neither clock is before the other", "warn"),
    ]
    return [Section(0, tuple(facts)), Section(1, tuple(counts))]


def _model(snapshot: Snapshot, focus: Focus, name: str) -> list[Section]:
    verdict = q.verdicts_of(snapshot, focus)[name]
    model = q.model_of(snapshot, name)
    said, ink = lattice.word(verdict)
    facts = [fact("verdict", said, ink, ("(promised here)" if model and model.promised else "(not promised)", "dim"))]
    facts.append(fact("means", SENSES[name]))
    stronger = [SHORT[one] for one, other in IMPLIES if other == name]
    weaker = [SHORT[other] for one, other in IMPLIES if one == name]
    facts.append(fact("lattice", f"implied by {names(stronger)}; implies {names(weaker)}", "dim"))
    found = [Section(0, tuple(facts))]
    held = q.held_history(snapshot, focus)
    history = held or q.full(snapshot)
    if verdict.why is not None and verdict.broken and whole(snapshot):
        lines = [fact("why", f"{pattern(verdict.why)}: {sentence(verdict, history)}", "bad")]
        lines += [fact("", line) for line in witness_lines(verdict, history)]
        found.append(Section(1, tuple(lines)))
    elif verdict.broken and verdict.why is not None:
        found.append(Section(1, (fact("why", f"{pattern(verdict.why)}, long ago", "bad"), *_old(snapshot, verdict))))
    elif verdict.why is not None:
        found.append(Section(1, (fact("why", sentence(verdict, history), "warn"),)))
    return found


def _old(snapshot: Snapshot, verdict: object) -> tuple[Fact, ...]:
    if snapshot.witness is None:
        return ()
    return tuple(fact("", f"{named(each)} {stamp(each.start_us)}") for each in snapshot.witness.operations[:4])


def _operation(snapshot: Snapshot, focus: Focus, each: Operation) -> list[Section]:
    until, ink = "never answered", "warn"
    if each.end_us is not None:
        until, ink = f"{stamp(each.end_us)} ({span(each.end_us - each.start_us)})", "text"
    facts = fact("asked", stamp(each.start_us)), fact("answered", until, ink), fact("outcome", each.status.value, ink)
    found = [Section(0, facts)]
    if chosen(focus).held >= 0:
        changed = [TITLES[name] for name in q.flipped(snapshot, focus)]
        found.append(Section(1, (
            fact("what if", "its return is held: left and right move it, y lets go", "warn"),
            fact("flips", ", ".join(changed) if changed else "nothing yet", "warn" if changed else "dim"),
        )))  # fmt: skip
    else:
        found.append(Section(2, (_longest(snapshot, each),)))
    writers = [other for other in snapshot.history.operations
               if other.call is Call.WRITE and (other.key, other.value) == (each.key, each.value)]  # fmt: skip
    if each.call is Call.READ and writers:
        found.append(Section(3, (fact("reads from", named(writers[0])),)))
    return found


def _longest(snapshot: Snapshot, each: Operation) -> Fact:
    """The longest linearization of its key's operations that contains this one."""
    if not whole(snapshot):
        return fact("longest", f"linearization: worked out up to {WHOLE_MAX:,} operations in all", "dim")
    history = q.full(snapshot)
    order = q.longest(history, each.number)
    if order is None:
        return fact("longest", "linearization: too hard to work out here", "dim")
    if not order:
        return fact("longest", "no legal order of its key's operations contains it", "bad")
    shown = "; ".join(named(history.operations[number]) for number in order[-5:])
    return fact("longest", f"{plural(len(order), 'operation')}: {'.. ' if len(order) > 5 else ''}{shown}")


def _client(snapshot: Snapshot, client: ClientView) -> list[Section]:
    facts = []
    if not snapshot.recorded:
        if client.machine.status != "up":
            facts.append(fact("machine", client.machine.status, "dead"))
        facts.append(fact("asks", client.home or "all replicas", "bright"))
        facts.append(fact("open", q.open_of(client) or "nothing", "text"))
        if client.seen.entries:
            facts.append(fact("has seen", str(client.seen)))
    mine = [each for each in snapshot.history.operations if each.process == client.machine.id]
    if mine and mine[-1].end is None and q.open_of(client):  # it is told as open
        mine.pop()
    facts.append(fact("newest", named(mine[-1]) if mine else "nothing yet"))
    return [Section(0, tuple(facts)), _freshness(snapshot)]


def _freshness(snapshot: Snapshot) -> Section:
    counts = f"{plural(snapshot.operations, 'operation')}, {snapshot.unknown} unknown, {snapshot.failed} failed"
    return Section(4, (fact("history", counts), fact("reads", measured(snapshot))))


def _replica(snapshot: Snapshot, replica: ReplicaView) -> list[Section]:
    facts = [fact("vector", str(replica.vector) if replica.vector.entries else "{}", "bright")]
    held = " ".join(f"{key}={value}" for key, value, _ in replica.values)
    facts.append(fact("holds", held or "nothing", "stale" if replica.behind else "text"))
    for key, value, tag in replica.values[:3]:
        facts.append(fact("", f"{key}={value} tag {tag[0]}{f' by {tag[1]}' if tag[1] else ''}", "dim"))
    if replica.behind:
        behind = f"in {replica.behind} of {len(snapshot.keys)} keys another has a newer version"
        facts.append(fact("behind", behind, "stale"))
    if replica.pending:
        facts.append(fact("waiting", f"{replica.pending}: hints, updates or operations for others", "warn"))
    if replica.suspects:
        facts.append(fact("suspects", f"{names(replica.suspects)}: no answer lately", "warn"))
    if replica.centre or any(each.centre for each in snapshot.replicas):
        facts.append(fact("centre", f"data centre {replica.centre + 1}"))
    faults = sheet.of_host(replica.machine, network_of(snapshot))
    return [Section(0, tuple(facts)), Section(1, (faults,)), _freshness(snapshot)]


def _pair(focus: Focus) -> list[Section]:
    one, other = lattice.pair_at(chosen(focus).pair)
    return [Section(0, (
        fact("holds", f"{TITLES[one]}: {SENSES[one]}", "good"),
        fact("not", f"{TITLES[other]}: {SENSES[other]}", "bad"),
        fact("", "the smallest history found that shows the difference; arrows walk the pairs, v comes back", "dim"),
        fact("missing", "a pair without one: the first model implies the second", "dim"),
    ))]  # fmt: skip
