"""The verbs: what each letter means for the selected trace, span or service.

A verb returns a command of the engine, several given together, another focus, or a refusal that says why. A recorded
run has no machines: whatever would disturb one is refused there.
"""

from dataclasses import replace
from typing import Final

from engines.errors import UserError
from engines.sim.rules import SetRule
from engines.tracing.formats import Format, write
from engines.tracing.split import Choice, Failed, Window
from engines.tracing.world import commands as c
from engines.tracing.world.snapshot import Snapshot, Strayed
from tui.kit.selection import after
from tui.kit.verbs import Act, Machine, Target, ask, marker, simulated, standard_keys
from tui.panel import Export, Focus, Key, Outcome, Refuse
from tui.panels.tracing import aggregates, headers, servicemap
from tui.panels.tracing import select as s
from tui.panels.tracing.select import VIEWS, analysis_at, choose, read, rows_of, select_span, span_of
from tui.panels.tracing.select import fit as fit
from tui.panels.tracing.world_words import oddness_words

SHAPES: Final = ("off", "steady", "bursts", "wave", "ramp")
DELAYS_US: Final = ((500, 300), (20_000, 10_000), (100_000, 50_000))
"""Latency and jitter of a link as it was laid, and two levels of delay."""


def aim(snapshot: Snapshot, focus: Focus) -> Target | Refuse:
    """What the standard verbs act on: the machine of the selected span."""
    service = s.machine_of(snapshot, focus)
    if service is None:
        return Refuse(f"{s.service_of(snapshot, focus) or 'the missing span'} is no machine of this system")
    return Target.node(Machine.of(service, service.name), snapshot.links)


# -- clients ---------------------------------------------------------------------------------------------------------


def _request(snapshot: Snapshot, focus: Focus) -> Outcome:
    row = snapshot.trace(focus.node)
    return c.Request(row.operation if row is not None and row.operation in snapshot.operations else "")


def _load(snapshot: Snapshot, focus: Focus) -> Outcome:
    load = snapshot.load if snapshot.load in SHAPES else SHAPES[0]
    return c.SetLoad(after(SHAPES, load), snapshot.rate_per_s or 1)


# -- looking ---------------------------------------------------------------------------------------------------------


def _next_critical(step: int) -> Act:
    """The segment of the path after the one that the selected span holds, in the order of time."""

    def act(snapshot: Snapshot, focus: Focus) -> Outcome:
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
    return focus if read(focus).view in ("waterfall", "headers") else choose(focus, view="waterfall")


def _next_error(snapshot: Snapshot, focus: Focus) -> Outcome:
    made, rows = rows_of(snapshot, focus)
    if not rows.wrong:
        return Refuse("no error and no missing span among the rows shown here")
    now = rows.row_of(made.tree, span_of(snapshot, focus))
    row = next((each for each in rows.wrong if each > now), rows.wrong[0])
    return select_span(_in_tree(focus), made, rows.items[row].row)


def _switch(part: str) -> Act:
    return lambda snapshot, focus: choose(_in_tree(focus), **{part: not getattr(read(focus), part)})


def _fold(snapshot: Snapshot, focus: Focus) -> Outcome:
    """Close what is below the selected span, or open it again."""
    focus = _in_tree(focus)
    made, index = analysis_at(snapshot, focus), span_of(snapshot, focus)
    if index < 0 or not made.tree.children[index]:
        return Refuse("nothing is below this span")
    name, folded = made.tree.spans[index].span_id, read(focus).folded
    rest = tuple(each for each in folded if each != name)
    return choose(select_span(focus, made, index), folded=rest if rest != folded else (*folded, name))


def _root(snapshot: Snapshot, focus: Focus) -> Outcome:
    """The selected span as if it were the root: its own path, its own time; again: the whole trace."""
    focus = _in_tree(focus)
    made, index = analysis_at(snapshot, focus), span_of(snapshot, focus)
    if read(focus).root and index == made.tree.root:
        return choose(focus, root="")
    if index < 0 or made.tree.is_missing(index):
        return Refuse("a missing span has no time of its own: it cannot stand for the root")
    if index == made.tree.root:
        return Refuse("this is the root already: select a span below it")
    name = s.whole_at(snapshot, focus).name_of(made.tree.spans[index].span_id)
    return choose(focus, root=name, span="", stop=-1)


def _mark_time(snapshot: Snapshot, focus: Focus) -> Outcome:
    """From the start of the selected trace, then to that of another one, then no window."""
    row, part = snapshot.trace(focus.node), read(focus)
    if snapshot.study is None:
        return Refuse(LIVING)
    if row is None:
        return Refuse("no trace yet")
    if part.since_us >= 0:
        low, high = sorted((part.since_us, row.start_us))
        return choose(focus, since_us=-1, choice=Window(low, high + 1))
    if isinstance(part.choice, Window):
        return choose(focus, choice=None)
    return choose(focus, since_us=row.start_us, choice=None)


def _comparison(snapshot: Snapshot, focus: Focus) -> Outcome:
    """The tail, the window that the data propose, what fails: whatever there is, one after the other."""
    if snapshot.study is None:
        return Refuse(LIVING)
    ways: list[Choice | None] = [None]
    ways += [snapshot.proposal.window] if snapshot.proposal is not None else []
    ways += [Failed()] if any(row.errors for row in snapshot.traces) else []
    if len(ways) == 1:
        return Refuse("the data propose no window and nothing fails: L marks one, A takes version=v2")
    now = read(focus).choice
    return choose(focus, since_us=-1, choice=after(ways, now) if now in ways else ways[0])


LIVING: Final = "only traces of a FILE are compared by choice: the simulation says what was injected, and when"


def exported(snapshot: Snapshot, focus: Focus) -> Export:
    """The selected trace as OTLP JSON: what a viewer of others opens. UserError if there is none."""
    node = fit(snapshot, focus).node
    spans = snapshot.store.spans(node)
    if not spans:
        raise UserError("no trace yet: there is nothing to export")
    return Export("this trace, as OTLP JSON", f"trace-{node[:16]}.json", b"".join(write(iter(spans), Format.OTLP_JSON)))


def _next_view(step: int) -> Act:
    def act(snapshot: Snapshot, focus: Focus) -> Outcome:
        now = read(focus).view
        return show(snapshot, focus, after(VIEWS, now, step) if now in VIEWS else VIEWS[0])

    return act


def _view(name: str) -> Act:
    """Another view, and back to the waterfall with the same key."""
    return lambda snapshot, focus: show(snapshot, focus, VIEWS[0] if read(focus).view == name else name)


def show(snapshot: Snapshot, focus: Focus, view: str) -> Focus:
    """The focus in another view; map and aggregates begin at the service of the selected span."""
    service = s.service_of(snapshot, focus) if view in ("map", "aggregates") else ""
    return choose(replace(focus, area="picture"), view=view, service=service, row="")


def _compare(snapshot: Snapshot, focus: Focus) -> Outcome:
    """The selected trace beside the marked one, or beside the typical one of its kind; again: back."""
    if read(focus).view == "compare":
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
    kind = row.service, row.operation
    median = found.median_trace if found is not None and (found.service, found.operation) == kind else trace_id
    if median != trace_id and snapshot.trace(median) is not None:
        return median
    same = sorted((each.duration_us, each.trace_id) for each in snapshot.traces
                  if (each.service, each.operation) == kind and each.trace_id != trace_id)  # fmt: skip
    return same[len(same) // 2][1] if same else ""


def _mark(snapshot: Snapshot, focus: Focus) -> Outcome:
    if not focus.node:
        return Refuse("no trace yet")
    return choose(focus, other="" if read(focus).other == focus.node else focus.node)


def _sort(snapshot: Snapshot, focus: Focus) -> Outcome:
    if read(focus).view == "aggregates":
        return s.next_column(focus)
    return choose(focus, order=after(s.ORDERS, read(focus).order))


def move(snapshot: Snapshot, focus: Focus, direction: str) -> Focus:
    """Where an arrow leads: up and down in what is shown, left and right to the next trace, column or service."""
    step = 1 if direction in ("down", "right") else -1
    across = direction in ("left", "right")
    match read(focus).view:
        case "map":
            return servicemap.move(snapshot, focus, direction)
        case "aggregates":
            return s.next_column(focus, step) if across else aggregates.move(snapshot, focus, step)
        case "list":
            if direction == "right":
                return choose(focus, view="waterfall")
            return focus if across else s.next_trace(snapshot, focus, step)
        case "headers":
            return s.next_trace(snapshot, focus, step) if across else headers.move(snapshot, focus, step)
    return s.next_trace(snapshot, focus, step) if across else s.next_row(snapshot, focus, step)


def walk(snapshot: Snapshot, focus: Focus, rows: int) -> Focus | None:
    """So many rows further down in the list of traces, or of spans; None: the picture is no list."""
    if focus.area != "picture" or read(focus).view not in ("waterfall", "list", "headers"):
        return None
    focus = fit(snapshot, focus)
    return (s.next_trace if read(focus).view == "list" else s.next_row)(snapshot, focus, rows)


def _guilty(snapshot: Snapshot, focus: Focus) -> Outcome:
    """To the trace that tells most, and in it to what the verdict names, or else to what holds the path longest."""
    snapshot = s.seen(snapshot, focus)
    node = s.telling(snapshot)
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
    Key("%", "hide small", "hide spans below 1, 5, 10 % of the root's time, or none",
        lambda snapshot, focus: choose(_in_tree(focus), hide=after(s.HIDE, read(focus).hide)), rank=14),
    Key("Z", "fold", "close what is below this span, or open it again", _fold, rank=29),
    Key("Q", "as root", "this span as if it were the root, with a path of its own; on the root: the whole trace", _root,
        rank=30),
    Key("p", "compare by", "the next preset: the tail, the window that the data propose, what fails (of a FILE)",
        _comparison, rank=27),
    Key("L", "window", "mark a window of time: from this trace, to this trace, no window (of a FILE)", _mark_time,
        rank=31),
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
        lambda snapshot, focus: choose(focus, correct=not read(focus).correct) if snapshot.recorded  # of the picture
        else c.Correct(not snapshot.correction), rank=58),
    *standard_keys(
        aim, "service", levels=DELAYS_US, level_words="as laid, 20 ms, 100 ms", messages=False, guard=simulated,
        ranks={"k": 24, "z": 43, "x": 26, "l": 28, "d": 32, "u": 62, "c": 34, "h": 18},
    ),
    Key("X", "split", "split the system: a service alone, the data layer from the rest", simulated(ask("sides")),
        rank=67),
    Key("b", "break a rule", "rules of tracing that can be switched off", simulated(ask("rules")), rank=40),
    Key("t", "tune", "load, sampling, retries, pools; of a FILE columns of the list; export of this trace",
        ask("tune"), rank=68),
    Key("a", "request", "send one request, of the operation of this trace", simulated(_request), rank=19),
    Key("A", "ask", "type a request, POST /checkout; of a FILE what to compare: 41s..72s, version=v2, errors",
        ask("client"), rank=66),
    Key("w", "load", "how users come: off, steady, bursts, wave, ramp", simulated(_load), rank=17),
)  # fmt: skip

mark = marker({
    c.Request: ("a", "you"), c.SetLoad: ("w", "you"), c.SlowService: ("f", "slow"), c.ShrinkPool: ("f", "bad"),
    c.Lock: ("f", "bad"), c.ColdCache: ("f", "slow"), c.Amplify: ("f", "bad"), c.SetRetries: ("t", "you"),
    c.SetBreakers: ("t", "you"), c.DropHeader: ("f", "lost"), c.LoseSpans: ("f", "lost"), c.LateSpans: ("f", "stale"),
    c.SetSampling: ("t", "you"), c.Correct: ("C", "you"), SetRule: ("b", "bad"),
})  # fmt: skip
"""The letter a command leaves on the scrubber."""
