"""The verbs: what each letter means for the selected trace, span or service.

A verb returns a command of the engine, several given together, another focus, or a refusal that says why. A recorded
run has no machines: whatever would disturb one is refused there.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from engines.sim import faults
from engines.sim.rules import SetRule
from engines.sim.views import LinkView
from engines.sim.world import ALL
from engines.tracing.world import commands as c
from engines.tracing.world.snapshot import ServiceView, Snapshot, Strayed
from tui.canvas import Ink
from tui.kit import network
from tui.kit.network import next_delay, next_loss, next_shuffle, next_skew
from tui.kit.selection import after
from tui.panel import Ask, Focus, Key, Outcome, Refuse
from tui.panels.tracing.select import (
    HIDE,
    ORDERS,
    VIEWS,
    choose,
    fit,
    machine_of,
    next_column,
    next_row,
    next_trace,
    order_of,
    read,
    rows_of,
    select_span,
    service_of,
    span_of,
    telling,
    view_of,
)
from tui.panels.tracing.verdict_words import oddness_words

RECORDED: Final = "recorded data: faults need a simulation"
SHAPES: Final = ("off", "steady", "bursts", "wave", "ramp")
DELAYS_US: Final = ((500, 300), (20_000, 10_000), (100_000, 50_000))
"""Latency and jitter of a link as it was laid, and two levels of delay."""


def simulated(act: Callable[[Snapshot, Focus], Outcome]) -> Callable[[Snapshot, Focus], Outcome]:
    """A verb that needs machines."""

    def guarded(snapshot: Snapshot, focus: Focus) -> Outcome:
        return Refuse(RECORDED) if snapshot.recorded else act(snapshot, focus)

    return guarded


def on_machine(act: Callable[[Snapshot, ServiceView], Outcome]) -> Callable[[Snapshot, Focus], Outcome]:
    """A verb that acts on the selected span's service."""

    def verb(snapshot: Snapshot, focus: Focus) -> Outcome:
        focus = fit(snapshot, focus)
        machine = machine_of(snapshot, focus)
        if machine is None:
            return Refuse(f"{service_of(snapshot, focus) or 'the missing span'} is no machine of this system")
        return act(snapshot, machine)

    return simulated(verb)


# -- faults ----------------------------------------------------------------------------------------------------------


def _crash(snapshot: Snapshot, machine: ServiceView) -> Outcome:
    return faults.Restart(machine.name) if machine.status == "crashed" else faults.Crash(machine.name)


def _freeze(snapshot: Snapshot, machine: ServiceView) -> Outcome:
    if machine.status == "crashed":
        return Refuse(f"{machine.name} is crashed: nothing of it runs that could freeze")
    return faults.Thaw(machine.name) if machine.status == "frozen" else faults.Freeze(machine.name)


def _cut(snapshot: Snapshot, machine: ServiceView) -> Outcome:
    return faults.Reconnect(machine.name) if machine.cut_from else faults.Isolate(machine.name)


def links_of(snapshot: Snapshot, name: str) -> tuple[list[LinkView], tuple[tuple[str, str], ...]]:
    """The changed links of a service, and how a command names all its links."""
    return [link for link in snapshot.links if name in (link.src, link.dst)], ((name, ALL), (ALL, name))


def _lose(snapshot: Snapshot, machine: ServiceView) -> Outcome:
    return next_loss(*links_of(snapshot, machine.name))


def _delay(snapshot: Snapshot, machine: ServiceView) -> Outcome:
    return next_delay(*links_of(snapshot, machine.name), DELAYS_US)


def _shuffle(snapshot: Snapshot, machine: ServiceView) -> Outcome:
    return next_shuffle(*links_of(snapshot, machine.name))


def _skew(snapshot: Snapshot, machine: ServiceView) -> Outcome:
    return next_skew(machine.name, machine.clock_off_us, machine.drift_ppm)


def _heal(snapshot: Snapshot, focus: Focus) -> Outcome:
    return faults.Heal()


# -- clients ---------------------------------------------------------------------------------------------------------


def _request(snapshot: Snapshot, focus: Focus) -> Outcome:
    row = snapshot.trace(fit(snapshot, focus).node)
    operation = row.operation if row is not None and row.operation in snapshot.operations else ""
    return c.Request(operation)


def _ask(snapshot: Snapshot, focus: Focus) -> Outcome:
    return Ask("client")


def _dialogue(what: str) -> Callable[[Snapshot, Focus], Outcome]:
    return simulated(lambda snapshot, focus: Ask(what))


def _load(snapshot: Snapshot, focus: Focus) -> Outcome:
    at = SHAPES.index(snapshot.load) if snapshot.load in SHAPES else 0
    return c.SetLoad(SHAPES[(at + 1) % len(SHAPES)], snapshot.rate_per_s or 1)


# -- looking ---------------------------------------------------------------------------------------------------------


def _next_critical(step: int) -> Callable[[Snapshot, Focus], Outcome]:
    """The segment of the path after the one that the selected span holds, in the order of time."""

    def act(snapshot: Snapshot, focus: Focus) -> Outcome:
        focus = fit(snapshot, focus)
        made, rows = rows_of(snapshot, focus)
        stops = rows.stops
        if not stops:
            return Refuse(oddness_words(made.path.reason) or "no trace yet: nothing has a critical path")
        now = rows.row_of(made.tree, span_of(snapshot, focus))
        if now in stops:
            at = (stops.index(now) if step > 0 else len(stops) - 1 - stops[::-1].index(now)) + step
            last = read(focus).stop
            if 0 <= last < len(stops) and stops[last] == now:
                at = last + step
        else:
            at = 0 if step > 0 else len(stops) - 1
        at %= len(stops)
        return choose(select_span(_in_tree(focus), made, rows.items[stops[at]].row), stop=at)

    return act


def _in_tree(focus: Focus) -> Focus:
    """The focus in a view that shows the tree."""
    return focus if view_of(focus) in ("waterfall", "headers") else choose(focus, view="waterfall")


def _next_error(snapshot: Snapshot, focus: Focus) -> Outcome:
    focus = fit(snapshot, focus)
    made, rows = rows_of(snapshot, focus)
    if not rows.wrong:
        return Refuse("no error and no missing span among the rows shown here")
    now = rows.row_of(made.tree, span_of(snapshot, focus))
    row = next((each for each in rows.wrong if each > now), rows.wrong[0])
    return select_span(_in_tree(focus), made, rows.items[row].row)


def _switch(part: str) -> Callable[[Snapshot, Focus], Outcome]:
    def act(snapshot: Snapshot, focus: Focus) -> Outcome:
        focus = _in_tree(fit(snapshot, focus))
        return choose(focus, **{part: not getattr(read(focus), part)})

    return act


def _hide(snapshot: Snapshot, focus: Focus) -> Outcome:
    return choose(_in_tree(fit(snapshot, focus)), hide=after(HIDE, read(focus).hide))


def _correct(snapshot: Snapshot, focus: Focus) -> Outcome:
    """In the simulation the analysis corrects too; of a file only the picture does."""
    return choose(focus, correct=not read(focus).correct) if snapshot.recorded else c.Correct(not snapshot.correction)


def _next_view(step: int) -> Callable[[Snapshot, Focus], Outcome]:
    def act(snapshot: Snapshot, focus: Focus) -> Outcome:
        now = view_of(focus)
        at = VIEWS.index(now) + step if now in VIEWS else 0
        return show(snapshot, focus, VIEWS[at % len(VIEWS)])

    return act


def _view(name: str) -> Callable[[Snapshot, Focus], Outcome]:
    """Another view, and back to the waterfall with the same key."""

    def act(snapshot: Snapshot, focus: Focus) -> Outcome:
        return show(snapshot, focus, "waterfall" if view_of(focus) == name else name)

    return act


def show(snapshot: Snapshot, focus: Focus, view: str) -> Focus:
    """The focus in another view; map and aggregates begin at the service of the selected span."""
    focus = fit(snapshot, focus)
    service = service_of(snapshot, focus) if view in ("map", "aggregates") else ""
    return choose(replace(focus, area="picture"), view=view, service=service, row="")


def _compare(snapshot: Snapshot, focus: Focus) -> Outcome:
    """The selected trace beside the marked one, or beside the typical one of its kind; again: back."""
    focus = fit(snapshot, focus)
    if view_of(focus) == "compare":
        return choose(focus, view=VIEWS[0])
    other = read(focus).other or typical(snapshot, focus.node)
    if not other or other == focus.node:
        return Refuse("nothing to compare with: mark another trace with K, then select this one")
    return choose(focus, view="compare", other=other)


def typical(snapshot: Snapshot, trace_id: str) -> str:
    """The trace of the same root operation with the median latency; empty: there is no other."""
    row, found = snapshot.trace(trace_id), snapshot.diagnosis
    if row is None:
        return ""
    if found is not None and (found.service, found.operation) != (row.service, row.operation):
        found = None
    if found is not None and found.median_trace != trace_id and snapshot.trace(found.median_trace) is not None:
        return str(found.median_trace)
    same = sorted((each for each in snapshot.traces if (each.service, each.operation) == (row.service, row.operation)
                   and each.trace_id != trace_id), key=lambda each: (each.duration_us, each.trace_id))  # fmt: skip
    return same[len(same) // 2].trace_id if same else ""


def _mark(snapshot: Snapshot, focus: Focus) -> Outcome:
    focus = fit(snapshot, focus)
    if not focus.node:
        return Refuse("no trace yet")
    return choose(focus, other="" if read(focus).other == focus.node else focus.node)


def _sort(snapshot: Snapshot, focus: Focus) -> Outcome:
    if view_of(focus) == "aggregates":
        return next_column(focus)
    return choose(focus, order=after(ORDERS, order_of(focus)))


def walk(snapshot: Snapshot, focus: Focus, rows: int) -> Focus | None:
    """So many rows further down in the list of traces, or of spans; None: the picture is no list."""
    if focus.area != "picture" or view_of(focus) not in ("waterfall", "list", "headers"):
        return None
    focus = fit(snapshot, focus)
    return (next_trace if view_of(focus) == "list" else next_row)(snapshot, focus, rows)


def _guilty(snapshot: Snapshot, focus: Focus) -> Outcome:
    """To the trace that tells most, and in it to what the verdict names, or else to what holds the path longest."""
    node = telling(snapshot)
    if not node:
        return Refuse("no trace yet")
    focus = fit(snapshot, choose(replace(focus, node=node, chosen=True), view=VIEWS[0], span="", service=""))
    made, rows = rows_of(snapshot, focus)
    named = snapshot.verdicts[0].service if snapshot.verdicts else ""
    strays = ((row.trace_id, row.note.src) for row in snapshot.traces if isinstance(row.note, Strayed))
    torn = next((trace_id for trace_id, src in strays if src == named), "")
    if torn:  # it is not about time: the headers show it
        return fit(snapshot, choose(replace(focus, node=torn), view="headers"))
    found = [index for index in made.on_path if made.tree.spans[index].service == named]
    index = max(found, key=lambda each: (made.on_path[each], -each)) if found else made.worst()
    return select_span(focus, made, index) if index >= 0 and rows.items else focus


KEYS: Final = (
    Key("n", "next critical", "the next segment of the critical path, by time", _next_critical(1), rank=10),
    Key("N", "previous", "the previous segment of it", _next_critical(-1), rank=84),
    Key("o", "only critical", "only spans on the critical path, or all", _switch("only_critical"), rank=11),
    Key("%", "hide small", "hide spans below 1, 5, 10 % of the root's time, or none", _hide, rank=14),
    Key("F", "plumbing", "show every span, or fold: a call and its answer are one thing, and so are like siblings",
        _switch("plumbing"), rank=21),
    Key("W", "map", "the service map, and back", _view("map"), rank=12),
    Key("v", "view", "the next view: waterfall, traces, aggregates, service map", _next_view(1), rank=13),
    Key("V", "view back", "the previous view", _next_view(-1), rank=100),
    Key("D", "diff", "compare this trace with the marked one, or with the typical one of its kind; and back", _compare,
        rank=15),
    Key("K", "mark", "mark this trace to compare others with it", _mark, rank=78),
    Key("G", "verdict", "the verdict in full: contributions, the walk, what else it could be; and back",
        _view("verdict"), rank=23),
    Key("y", "headers", "the context hop by hop, and back", _view("headers"), rank=16),
    Key("B", "sort", "sort traces by latency, age, errors, spans; aggregates by the next column", _sort, rank=22),
    Key("g", "guilty", "go to the span that the verdict is about", _guilty, rank=20),
    Key("I", "next error", "the next error or missing span", _next_error, rank=41),
    Key("C", "correct", "take the clocks' offsets out, as far as spans betray them, or show times as they were sent",
        _correct, rank=58),
    Key("k", "crash", "crash the span's service, or restart it", on_machine(_crash), rank=24),
    Key("z", "freeze", "freeze the service (a long pause), or thaw it", on_machine(_freeze), rank=43),
    Key("x", "isolate", "cut the service off, or connect it again", on_machine(_cut), rank=26),
    Key("l", "loss", "loss on its links: 0, 10, 30, 60, 100 %", on_machine(_lose), rank=28),
    Key("d", "delay", "latency of its links: as laid, 20 ms, 100 ms", on_machine(_delay), rank=32),
    Key("u", "shuffle", "let 30 % of its messages come twice and out of order, or not", on_machine(_shuffle), rank=62),
    Key("c", "clock", "its clock: right, 200 ms ahead, 20 % fast, 20 % slow: its spans move with it",
        on_machine(_skew), rank=34),
    Key("h", "heal", "heal everything", simulated(_heal), rank=18),
    Key("X", "split", "split the system: a service alone, the data layer from the rest", _dialogue("sides"), rank=67),
    Key("b", "break a rule", "rules of tracing that can be switched off", _dialogue("rules"), rank=40),
    Key("t", "tune", "load, sampling, retries, breakers, pools", _dialogue("tune"), rank=68),
    Key("a", "request", "send one request, of the operation of this trace", simulated(_request), rank=19),
    Key("A", "ask", "type a request: POST /checkout", simulated(_ask), rank=66),
    Key("w", "load", "how users come: off, steady, bursts, wave, ramp", simulated(_load), rank=17),
)  # fmt: skip

MARKS: Final[dict[type, tuple[str, Ink]]] = {
    **network.MARKS,
    faults.ExpireTimers: ("f", "accent"),
    c.Request: ("a", "you"), c.SetLoad: ("w", "you"), c.SlowService: ("f", "slow"), c.ShrinkPool: ("f", "bad"),
    c.Lock: ("f", "bad"), c.ColdCache: ("f", "slow"), c.Amplify: ("f", "bad"), c.SetRetries: ("t", "you"),
    c.SetBreakers: ("t", "you"), c.DropHeader: ("f", "lost"), c.LoseSpans: ("f", "lost"), c.LateSpans: ("f", "stale"),
    c.SetSampling: ("t", "you"), c.Correct: ("C", "you"), SetRule: ("b", "bad"),
}  # fmt: skip


def mark(command: Any) -> tuple[str, Ink] | None:
    """The letter a command leaves on the scrubber: that of its verb; none for what a lecturer says."""
    return MARKS.get(type(command))
