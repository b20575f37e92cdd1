"""What is selected, and how it is looked at.

``Focus.node`` is the selected trace. ``Focus.pick`` is a ``Chosen``, which holds the rest: the view of the picture, the
selected span and service, what is hidden, how lists are sorted, the trace to compare with.
Until a person chooses, the trace that tells most is followed, and in it the span that holds the critical path longest.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, NamedTuple

from engines.tracing.analysis import Analysis, analysis_of
from engines.tracing.rows import Look, Rows
from engines.tracing.split import Choice, Where, Window
from engines.tracing.verdicts import Trouble
from engines.tracing.world.snapshot import ServiceView, Snapshot, Strayed, TraceRow
from tui.kit.selection import after, beyond, chooser, reader
from tui.panel import Focus

VIEWS: Final = ("waterfall", "list", "aggregates", "map")
"""What ``v`` walks through; ``headers`` and ``compare`` have keys of their own."""
ORDERS: Final = ("latency", "newest", "errors", "spans")
"""How traces are sorted."""
COLUMNS: Final = ("path", "self", "p99", "calls", "errors", "total")
"""How aggregates are sorted."""
HIDE: Final = (0, 1, 5, 10)
"""Percent of the root's time below which a span is hidden."""


SORTED: Final[dict[str, Callable[[TraceRow], Any]]] = {
    "latency": lambda row: -row.duration_us, "errors": lambda row: (-row.errors, -row.missing, -row.duration_us),
    "spans": lambda row: -row.spans,
}  # fmt: skip
"""What comes first in each of these orders; in none of them: as they came."""


class Chosen(NamedTuple):
    """What is selected beside a trace, and how it is looked at."""

    view: str = VIEWS[0]
    span: str = ""
    service: str = ""
    only_critical: bool = False
    plumbing: bool = False
    correct: bool = False
    """Whether the picture takes the clocks' offsets out, which the analysis of a simulation does by itself."""
    hide: int = 0
    order: str = ORDERS[0]
    other: str = ""
    """The trace to compare with."""
    row: str = ""
    """The row of the aggregates."""
    stop: int = -1
    """Where on the critical path n stands: a span can hold it more than once; -1: nowhere."""
    root: str = ""
    """The span that is looked at as if it were the root; empty: the root itself."""
    folded: tuple[str, ...] = ()
    """The ids of the spans whose subtrees are closed."""
    choice: Choice | None = None
    """Which traces of a FILE are set against the others; None: as the command line says, or the tail."""
    attribute: str = ""
    """The attribute that is a column of the list; empty: none."""
    since_us: int = -1
    """Where a window begins that has no end yet; -1: none is being marked."""
    column: str = COLUMNS[0]


read = reader(Chosen)
choose = chooser(Chosen)


def skew(snapshot: Snapshot, focus: Focus) -> bool:
    """Whether clocks are corrected in the picture."""
    return snapshot.correction or read(focus).correct


# -- traces ----------------------------------------------------------------------------------------------------------


def listed(snapshot: Snapshot, focus: Focus) -> tuple[TraceRow, ...]:
    """The traces as the list shows them: sorted, and only those that the search names, if it names any."""
    rows, wanted = snapshot.traces, focus.find.lower()
    if wanted:
        having = _having(snapshot, focus.find)
        named = (row for row in rows if row.trace_id in having
                 or wanted in f"{row.service} {row.operation} {row.trace_id}".lower())  # fmt: skip
        rows = tuple(named) or rows
    order = SORTED.get(read(focus).order)
    return tuple(sorted(rows, key=order)) if order is not None else rows


def window_of(focus: Focus) -> tuple[int, int]:
    """The window that is marked, or where one begins that has no end yet; (-1, -1): none."""
    part = read(focus)
    if isinstance(part.choice, Window):
        return part.choice.from_us, part.choice.to_us
    return part.since_us, -1


def _having(snapshot: Snapshot, text: str) -> frozenset[str]:
    """The traces with a span that has the attribute which a text names, ``http.status_code=500``."""
    key, equal, value = text.partition("=")
    if not (key and equal):
        return frozenset()
    wanted = Where(key.strip(), value.strip())
    if snapshot.study is not None:
        return snapshot.study.having(wanted)
    return frozenset(each.trace_id for each in snapshot.store.entries if any(map(wanted.matches, each.spans)))


def telling(snapshot: Snapshot) -> str:
    """The trace that tells most: one that shows what the verdict speaks of, else the slowest; empty: there is none."""
    if named := _of_verdict(snapshot):
        return named
    if snapshot.diagnosis is not None and snapshot.trace(snapshot.diagnosis.slow_trace) is not None:
        return snapshot.diagnosis.slow_trace
    found = [row for row in snapshot.traces if row.complete] or list(snapshot.traces)
    if not dict(snapshot.rules).get("parent_decides", True):  # the holes are what it is about
        found = [row for row in found if row.complete and row.missing] or found
    return max(found, key=lambda row: (row.duration_us, row.trace_id)).trace_id if found else ""


def _of_verdict(snapshot: Snapshot) -> str:
    """The newest trace that shows what the first verdict says, where that is not about time; empty: there is none."""
    if not snapshot.verdicts:
        return ""
    first = snapshot.verdicts[0]
    done = [row for row in snapshot.traces if row.complete]
    match first.kind:
        case Trouble.HEADER:
            torn = [(row.note.src != first.service, row.trace_id) for row in done if isinstance(row.note, Strayed)]
            return min(torn, key=lambda each: each[0])[1] if torn else ""
        case Trouble.LOST:
            return next((row.trace_id for row in done if row.missing), "")
        case Trouble.RETRIES | Trouble.ERRORS | Trouble.LOSS | Trouble.CRASH:
            worst = max(done, key=lambda row: (row.errors, row.trace_id), default=None)
            return worst.trace_id if worst is not None and worst.errors else ""
    return ""


def analysis_at(snapshot: Snapshot, focus: Focus) -> Analysis:
    """The selected trace, or what is below the span that stands for its root; an empty one where there is none."""
    made, root = whole_at(snapshot, focus), read(focus).root
    return (made.below(root) if root else None) or made


def whole_at(snapshot: Snapshot, focus: Focus) -> Analysis:
    """All of the selected trace."""
    return analysis_of(focus.node, snapshot.store.spans(focus.node), skew(snapshot, focus))


def seen(snapshot: Snapshot, focus: Focus) -> Snapshot:
    """What is seen of the snapshot: with the verdict over the traces that the person set against the others."""
    choice = read(focus).choice
    if choice is None or snapshot.study is None:
        return snapshot
    found = snapshot.study.examine(choice)
    worst = found.diagnosis
    return replace(
        snapshot, verdicts=found.verdicts, diagnosis=worst, no_diagnosis=found.lack, failures=found.failures,
        root_operation=(worst.service, worst.operation) if worst is not None else ("", ""), proposal=None,
    )  # fmt: skip


def look_of(focus: Focus) -> Look:
    """How it is looked at."""
    part = read(focus)
    return Look(part.only_critical, part.plumbing, part.hide * 10_000, focus.find, part.folded)


def rows_of(snapshot: Snapshot, focus: Focus) -> tuple[Analysis, Rows]:
    """The sheet and its rows. A text that no span has hides nothing."""
    made, look = analysis_at(snapshot, focus), look_of(focus)
    rows = made.rows(look)
    return made, made.rows(look._replace(text="")) if look.text and not rows.matched else rows


def span_of(snapshot: Snapshot, focus: Focus) -> int:
    """The selected span by its place in the tree, or what is shown in its place; -1: there is no trace."""
    row = row_of(snapshot, focus)
    return rows_of(snapshot, focus)[1].items[row].row if row >= 0 else -1


def row_of(snapshot: Snapshot, focus: Focus) -> int:
    """The row of the selected span, or the one that shows it; -1: nothing is shown."""
    made, rows = rows_of(snapshot, focus)
    if not rows.items:
        return -1
    chosen = read(focus).span
    index = made.find(chosen) if chosen else -1
    return max(0, rows.row_of(made.tree, index if index >= 0 else made.worst()))


# -- services --------------------------------------------------------------------------------------------------------


def service_of(snapshot: Snapshot, focus: Focus) -> str:
    """The service that verbs act on: that of the map or the aggregates, else that of the selected span."""
    part = read(focus)
    if read(focus).view in ("map", "aggregates") and part.service:
        return part.service
    made, index = analysis_at(snapshot, focus), span_of(snapshot, focus)
    own = made.tree.spans[index].service if 0 <= index < len(made.tree.spans) else ""
    return own or part.service or (snapshot.services[0].name if snapshot.services else "")


def machine_of(snapshot: Snapshot, focus: Focus) -> ServiceView | None:
    """The same as a machine of the simulation; None: no such machine."""
    return snapshot.service(service_of(snapshot, focus))


# -- what is gone ----------------------------------------------------------------------------------------------------


def fit(snapshot: Snapshot, focus: Focus) -> Focus:
    """The focus with what is gone replaced: an evicted trace by the one that tells most."""
    if snapshot.trace(focus.node) is None:
        focus = choose(replace(focus, node=telling(snapshot)), span="", root="")
    if read(focus).root and whole_at(snapshot, focus).find(read(focus).root) < 0:
        focus = choose(focus, root="")
    part = read(focus)
    if part.span and analysis_at(snapshot, focus).find(part.span) < 0:
        focus = choose(focus, span="")
    if part.other and snapshot.trace(part.other) is None:
        focus = choose(focus, other="", view=VIEWS[0] if part.view == "compare" else part.view)
    names = {each.name for each in snapshot.services} | {row.service for row in snapshot.aggregates}
    return choose(focus, service="") if part.service and snapshot.services and part.service not in names else focus


# -- the next one ----------------------------------------------------------------------------------------------------


def next_trace(snapshot: Snapshot, focus: Focus, step: int) -> Focus:
    """The trace so many places further down the list; at its ends nothing moves."""
    ids = [row.trace_id for row in listed(snapshot, focus)]
    node = beyond(ids, focus.node, step) if focus.node in ids else next(iter(ids), None)
    return choose(replace(focus, node=node, chosen=True), span="", root="") if node is not None else focus


def next_row(snapshot: Snapshot, focus: Focus, step: int) -> Focus:
    """The span so many rows further down."""
    made, rows = rows_of(snapshot, focus)
    if not rows.items:
        return focus
    at = max(0, min(len(rows.items) - 1, row_of(snapshot, focus) + step))
    return select_span(focus, made, rows.items[at].row)


def select_span(focus: Focus, made: Analysis, index: int) -> Focus:
    """The focus on this span, by its place in the tree."""
    return choose(replace(focus, chosen=True), span=made.name(index), service="")


def next_column(focus: Focus, step: int = 1) -> Focus:
    """The aggregates sorted by the next column."""
    return choose(focus, column=after(COLUMNS, read(focus).column, step))
