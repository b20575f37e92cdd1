"""The tree of one trace, made of whatever spans arrived, with a note for everything that was wrong with them.

The tree is a set of columns indexed by span, not of node objects: a trace may have 100,000 spans, and 8,000 of them
may form one chain, so nothing here recurses. What can be wrong, and what is made of it:

- *Missing parent* (lost, late or not sampled): a row "missing span" stands for it and has its orphans as children,
  from the first start to the last end among them. Rows are ordered by their start, so this one by its earliest child.
- *Several roots*, or none: the tree has several top rows. ``root``, the one whose time is analysed, is the earliest
  true root; or else the earliest top row, as it is when all true roots begin only after a longer one whose parent is
  missing: a straggler is not what the user waited for.
- *The same span twice* (an exporter that retried): kept once. *A record without a time* beside one of the same id:
  what is known late of that span (Zipkin), and added to it. *Two spans with one id*: both are shown, the earlier one
  keeps the children. The CLIENT and the SERVER half of a call under one id (Zipkin's shared spans) are no mistake: the
  SERVER half goes below the CLIENT half, and where a call was tried again under the same id, below the one around it.
- *A cycle of parents*: cut above its earliest span, which becomes a top row.
- *Zero ids*: nobody can be the child of such a span; a parent id of zeros means no parent.
- *End before start*: an interval of length zero at the start. *Start 0* on a span that ends decades later: the start
  was never set; an interval of length zero at the end. *No time at all* beside spans that have one: as long as its
  children, or else a moment at the start of its parent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import repeat
from operator import gt, itemgetter
from typing import Any, Final, NamedTuple

from engines.tracing.spans import FOLLOWS_FROM, NS_PER_US, Kind, Span, is_zero


class Flaw(StrEnum):
    """What can be wrong with the spans of a trace."""

    MISSING_PARENT = "missing parent"
    """``who`` names ``other`` as its parent, and so do ``number`` - 1 more; it is not here."""
    SEVERAL_ROOTS = "several roots"
    """``number`` spans have no parent; the time of ``who`` is analysed."""
    NO_ROOT = "no root"
    """The span without a parent is not here; ``who`` stands for the root."""
    SAME_SPAN_TWICE = "same span twice"
    """``who`` arrived twice and is kept once."""
    DUPLICATE_ID = "duplicate id"
    """``who`` has the id of ``other``, which keeps the children."""
    CYCLE = "cycle"
    """``who`` is its own ancestor, through ``number`` spans; it was cut off below ``other``."""
    ZERO_ID = "zero id"
    """``who`` has no id: nothing can be its child."""
    NEGATIVE = "ends before it starts"
    """``who`` ends ``number`` us before it starts: it is shown as a moment at its start."""
    NO_END = "no end time"
    NO_START = "no start time"
    """``who`` is shown as a moment at its end."""
    NO_TIME = "no time"
    """``who`` is shown where its parent and children are."""


MISSING_NAME: Final = "missing span"
NOTES_PER_KIND: Final = 20
"""How many notes of a kind are kept in words; all are counted."""
SHARED_MAX: Final = 64
"""More spans than this with one id are no calls that were tried again."""
UNSET_NS: Final = 365 * 86_400 * 10**9
"""A span that starts at 0 and ends after this had no start; a simulation that begins at 0 never lasts as long."""

_SPAN_ID: Final = itemgetter(Span._fields.index("span_id"))
_PARENT_ID: Final = itemgetter(Span._fields.index("parent_id"))
_START_NS: Final = itemgetter(Span._fields.index("start_ns"))
_END_NS: Final = itemgetter(Span._fields.index("end_ns"))
_ATTRIBUTES: Final = itemgetter(Span._fields.index("attributes"))
_NONE: Final = -1
_ORPHAN: Final = -2


class Note(NamedTuple):
    """One thing that was wrong, and what was made of it; ``Flaw`` says what the fields mean."""

    kind: Flaw
    span_id: str
    who: str
    """``service/operation`` of the span it is about."""
    other: str = ""
    number: int = 0


@dataclass(slots=True)
class Tree:
    """The spans of one trace as columns, by index; indices from ``real`` on are rows for missing spans."""

    spans: list[Span]
    """By start, then as they came; the rows for missing spans at the end."""
    real: int
    ids: list[str]
    """Span ids."""
    parent: list[int]
    """-1 for a top row."""
    children: list[Sequence[int]]
    """By start."""
    start_us: list[int]
    end_us: list[int]
    """``start_us[i] <= end_us[i]``, also where the span says otherwise."""
    follows: frozenset[int] = frozenset()
    """Spans that say that they only follow from their parent."""
    depth: list[int] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    """Rows from top to bottom: parents before children, siblings by start."""
    roots: list[int] = field(default_factory=list)
    """Top rows, by start."""
    root: int = _NONE
    """The top row whose time is analysed; -1 if there are no spans."""
    notes: tuple[Note, ...] = ()
    """What was wrong, at most ``NOTES_PER_KIND`` of each kind."""
    counts: dict[Flaw, int] = field(default_factory=dict)
    """How often each kind of thing was wrong."""

    @property
    def trace_id(self) -> str:
        """Empty if there are no spans."""
        return self.spans[0].trace_id if self.spans else ""

    @property
    def duration_us(self) -> int:
        """Of the root; 0 if there are no spans."""
        return self.end_us[self.root] - self.start_us[self.root] if self.root >= 0 else 0

    @property
    def extent_us(self) -> int:
        """From the first start to the last end of all spans; 0 if there are none."""
        return max(self.end_us) - min(self.start_us) if self.spans else 0

    @property
    def missing_parents(self) -> int:
        """How many spans are known only from their children."""
        return len(self.spans) - self.real

    def is_missing(self, index: int) -> bool:
        """Whether the row stands for a span that is not here."""
        return index >= self.real

    def services(self) -> tuple[str, ...]:
        """By the start of their first span."""
        return tuple(dict.fromkeys(span.service for span in self.spans[: self.real]))

    def errors(self) -> int:
        """How many spans have status Error."""
        return sum(span.is_error for span in self.spans)


class _Notes:
    """Collects what is wrong: every case counted, the first of each kind in words."""

    def __init__(self) -> None:
        self.counts: dict[Flaw, int] = {}
        self.kept: list[Note] = []

    def add(self, kind: Flaw, span_id: str, who: str, other: str = "", number: int = 0) -> None:
        seen = self.counts.get(kind, 0)
        self.counts[kind] = seen + 1
        if seen < NOTES_PER_KIND:
            self.kept.append(Note(kind, span_id, who, other, number))


def build(spans: Iterable[Span]) -> Tree:
    """The tree of these spans of one trace. Never fails: what is wrong is noted."""
    notes = _Notes()
    found = sorted(spans, key=_START_NS)
    ids = list(map(_SPAN_ID, found))
    by_id = dict(zip(ids, range(len(ids)), strict=True))
    clean = len(by_id) == len(ids) and not (by_id and is_zero(min(by_id)))
    parent = _plain_parents(found, by_id) if clean else _untangled_parents(found, by_id, notes)
    if len(found) < len(ids):
        ids = list(map(_SPAN_ID, found))
    start_us = [each // NS_PER_US for each in map(_START_NS, found)]
    end_us = [each // NS_PER_US for each in map(_END_NS, found)]
    follows = [i for i, each in enumerate(map(_ATTRIBUTES, found)) if each and each[-1] == FOLLOWS_FROM]
    tree = Tree(found, len(found), ids, parent, [()] * len(found), start_us, end_us, frozenset(follows))
    _mend_times(tree, notes)
    _add_missing(tree, notes)
    _hang_children(tree)
    _walk(tree, tree.roots)
    if len(tree.order) < len(tree.spans):
        _cut_cycles(tree, notes)
    _choose_root(tree, notes)
    tree.notes, tree.counts = tuple(notes.kept), notes.counts
    return tree


def trees(spans: Iterable[Span]) -> list[Tree]:
    """The trees of all traces among these spans, in the order of their first spans."""
    traces: dict[str, list[Span]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    return [build(each) for each in traces.values()]


def _plain_parents(found: list[Span], by_id: dict[str, int]) -> list[int]:
    """The index of every span's parent, where ids are in order; ``_ORPHAN`` if it is not here."""
    by_id[""] = _NONE
    parent = list(map(by_id.get, map(_PARENT_ID, found), repeat(_ORPHAN)))
    if _ORPHAN in parent:
        for i, above in enumerate(parent):
            if above == _ORPHAN and is_zero(found[i].parent_id):
                parent[i] = _NONE
    return parent


def _untangled_parents(found: list[Span], by_id: dict[str, int], notes: _Notes) -> list[int]:
    """The same where an id is zero or used twice; drops copies and late additions from ``found``."""
    _drop_copies(found, notes)
    _merge_untimed(found)
    same_id: dict[str, list[int]] = {}
    for i, span in enumerate(found):
        if is_zero(span.span_id):
            notes.add(Flaw.ZERO_ID, span.span_id, span.label)
        else:
            same_id.setdefault(span.span_id, []).append(i)
    by_id.clear()
    by_id |= {span_id: rows[0] for span_id, rows in same_id.items()}
    shared = {span_id: _Shared(found, rows, notes) for span_id, rows in same_id.items() if len(rows) > 1}
    parent = _plain_parents(found, by_id)
    for i, span in enumerate(found):
        above = shared.get(span.parent_id)
        if above is not None:
            parent[i] = above.parent_of(span)
    for each in shared.values():
        for server, client in each.joined.items():
            parent[server] = client
    return parent


class _Shared:
    """The spans of one id: a call's CLIENT and SERVER halves (Zipkin), once for each try; or a mistake."""

    def __init__(self, found: list[Span], rows: list[int], notes: _Notes) -> None:
        self.found = found
        self.rows = rows
        self.joined: dict[int, int] = {}
        """SERVER half to the CLIENT half it hangs below."""
        free = [row for row in rows if found[row].kind == Kind.CLIENT] if len(rows) <= SHARED_MAX else []
        for row in rows:
            if found[row].kind == Kind.SERVER and free:
                self.joined[row] = client = _around(found, free, found[row])
                free.remove(client)
        halves = frozenset((*self.joined, *self.joined.values()))
        self.first = next((row for row in rows if row in halves and row not in self.joined), rows[0])
        """Who keeps the children that nothing else is known of."""
        for row in rows:
            if row not in halves and row != self.first:
                notes.add(Flaw.DUPLICATE_ID, found[row].span_id, found[row].label, found[self.first].label)

    def parent_of(self, child: Span) -> int:
        """Whose child it is: of the SERVER half what the called service did, of the CLIENT half all else."""
        if not self.joined:
            return self.first
        calling = self.found[self.first].service
        servers = [row for row in self.joined if child.service == self.found[row].service or child.service != calling]
        return _around(self.found, servers or list(self.joined.values()), child)


def _around(found: list[Span], rows: list[int], span: Span) -> int:
    """The one of these rows that encloses a span; else the last that began before it, else the first."""
    enclosing = [row for row in rows if found[row].start_ns <= span.start_ns and span.end_ns <= found[row].end_ns]
    earlier = [row for row in rows if found[row].start_ns <= span.start_ns]
    return (enclosing or earlier[-1:] or rows)[0]


def _merge_untimed(found: list[Span]) -> None:
    """What became known of a span late comes as a record without a time (Zipkin): it is added to the span itself."""
    if not found or found[0].start_ns:
        return
    timed: dict[tuple[str, str, Kind], int] = {}
    for i, span in enumerate(found):
        if span.start_ns or span.end_ns:
            for kind in (span.kind, Kind.UNSPECIFIED):
                timed.setdefault((span.span_id, span.service, kind), i)
    left_out = []
    for i, late in enumerate(found):
        if late.start_ns or late.end_ns:
            break
        whole = timed.get((late.span_id, late.service, late.kind))
        if whole is not None and not is_zero(late.span_id):
            found[whole] = _added(found[whole], late)
            left_out.append(i)
    for i in reversed(left_out):
        del found[i]


def _added(span: Span, late: Span) -> Span:
    known = frozenset(key for key, _ in span.attributes)
    return span._replace(
        name=span.name or late.name,
        status=max(span.status, late.status),
        status_message=span.status_message or late.status_message,
        attributes=(*(pair for pair in late.attributes if pair[0] not in known), *span.attributes),
        events=(*span.events, *late.events),
    )


def _drop_copies(found: list[Span], notes: _Notes) -> None:
    """Keep one of spans that are equal in everything."""
    kept: list[Span] = []
    same_id: dict[str, list[Span]] = {}
    for span in found:
        others = same_id.setdefault(span.span_id, [])
        if span in others:
            notes.add(Flaw.SAME_SPAN_TWICE, span.span_id, span.label)
            continue
        others.append(span)
        kept.append(span)
    found[:] = kept


def _mend_times(tree: Tree, notes: _Notes) -> None:
    """Give every span an interval that does not run backwards."""
    start_us, end_us = tree.start_us, tree.end_us
    around: dict[int, tuple[int, int]] = {}
    for i, span in enumerate(tree.spans):
        if span.start_ns > 0:
            break
        if span.start_ns == 0 and span.end_ns > UNSET_NS:
            start_us[i] = end_us[i]
            notes.add(Flaw.NO_START, span.span_id, span.label)
        elif span.start_ns == span.end_ns == 0 and tree.spans[-1].start_ns > UNSET_NS:
            start_us[i], end_us[i] = around[i] if around else (around := _around_untimed(tree))[i]
            notes.add(Flaw.NO_TIME, span.span_id, span.label)
    if not any(map(gt, start_us, end_us)):
        return
    for i, (start, end) in enumerate(zip(start_us, end_us, strict=True)):
        if end < start:
            span, end_us[i] = tree.spans[i], start
            kind = Flaw.NEGATIVE if span.end_ns else Flaw.NO_END
            notes.add(kind, span.span_id, span.label, number=start - end if span.end_ns else 0)


def _around_untimed(tree: Tree) -> dict[int, tuple[int, int]]:
    """Where spans without a time must have been: as long as their children, or a moment at their parent's start."""
    spans, start_us, end_us = tree.spans, tree.start_us, tree.end_us
    found: dict[int, tuple[int, int]] = {}
    for i, above in enumerate(tree.parent):
        if spans[i].start_ns and above >= 0 and spans[above].start_ns == spans[above].end_ns == 0:
            first, last = found.get(above, (start_us[i], end_us[i]))
            found[above] = min(first, start_us[i]), max(last, end_us[i])
    begin_us = next(span.start_us for span in spans if span.start_ns)
    for i, span in enumerate(spans):
        if span.start_ns:
            break
        above = tree.parent[i]
        at = start_us[above] if above >= 0 and spans[above].start_ns else begin_us
        found.setdefault(i, (at, at))
    return found


def _add_missing(tree: Tree, notes: _Notes) -> None:
    """A row for every parent that is named and not here, and its orphans below it."""
    if _ORPHAN not in tree.parent:
        return
    rows: dict[str, int] = {}
    orphans: list[list[int]] = []
    for i, above in enumerate(tree.parent):
        if above == _ORPHAN:
            row = rows.setdefault(tree.spans[i].parent_id, len(rows))
            if row == len(orphans):
                orphans.append([])
            orphans[row].append(i)
    trace_id = tree.trace_id
    for span_id, row in rows.items():
        start = min(tree.start_us[i] for i in orphans[row])
        end = max(tree.end_us[i] for i in orphans[row])
        for i in orphans[row]:
            tree.parent[i] = len(tree.spans)
        made = Span(trace_id, span_id, "", MISSING_NAME, "", start_ns=start * NS_PER_US, end_ns=end * NS_PER_US)
        tree.spans.append(made)
        tree.ids.append(span_id)
        tree.parent.append(_NONE)
        tree.children.append(())
        tree.start_us.append(start)
        tree.end_us.append(end)
        child = tree.spans[orphans[row][0]].label
        notes.add(Flaw.MISSING_PARENT, span_id, child, span_id, len(orphans[row]))


def _hang_children(tree: Tree) -> None:
    """Fill ``children`` and ``roots``; spans are sorted, so both come out by start but for spans without one."""
    children: list[Any] = tree.children  # lists while they grow, and the empty tuple of a leaf
    roots = tree.roots
    for i, above in enumerate(tree.parent):
        if above < 0:
            roots.append(i)
        elif kids := children[above]:
            kids.append(i)
        else:
            children[above] = [i]
    start_us = tree.start_us
    roots.sort(key=start_us.__getitem__)
    if tree.spans and tree.spans[0].start_ns <= 0:
        for i, kids in enumerate(children):
            if len(kids) > 1:
                children[i] = sorted(kids, key=start_us.__getitem__)


def _walk(tree: Tree, roots: Sequence[int]) -> None:
    """Append the rows below these roots to ``order`` and note their depth."""
    if not tree.depth:
        tree.depth = [0] * len(tree.spans)
    depth, children, order = tree.depth, tree.children, tree.order
    stack = list(reversed(roots))
    while stack:
        i = stack.pop()
        order.append(i)
        kids = children[i]
        if kids:
            below = depth[i] + 1
            for kid in kids:
                depth[kid] = below
            stack += kids if len(kids) == 1 else kids[::-1]


def _cut_cycles(tree: Tree, notes: _Notes) -> None:
    """What no root reaches hangs below a cycle of parents: cut each above its earliest span."""
    parent = tree.parent
    state = [0] * len(tree.spans)
    for i in tree.order:
        state[i] = 2
    heads: list[int] = []
    for i in range(len(tree.spans)):
        chain: list[int] = []
        while state[i] == 0:
            state[i] = 1
            chain.append(i)
            i = parent[i]
        if state[i] == 1:
            cycle = chain[chain.index(i) :]
            head = min(cycle, key=lambda each: (tree.start_us[each], each))
            heads.append(head)
            span, above = tree.spans[head], tree.spans[parent[head]]
            notes.add(Flaw.CYCLE, span.span_id, span.label, above.label, len(cycle))
        for each in chain:
            state[each] = 2
    for head in heads:
        tree.children[parent[head]] = [each for each in tree.children[parent[head]] if each != head]
        parent[head] = _NONE
    tree.roots = sorted([*tree.roots, *heads], key=tree.start_us.__getitem__)
    tree.order.clear()
    tree.depth.clear()
    _walk(tree, tree.roots)


def _choose_root(tree: Tree, notes: _Notes) -> None:
    """The earliest true root, the longest of those that start together; or else the earliest top row."""
    if not tree.roots:
        return
    start_us, end_us = tree.start_us, tree.end_us
    true = [i for i in tree.roots if is_zero(tree.spans[i].parent_id) and i < tree.real]
    first = min(tree.roots, key=lambda i: (start_us[i], -end_us[i]))
    lasts_us = end_us[first] - start_us[first]
    if all(start_us[i] >= end_us[first] and end_us[i] - start_us[i] < lasts_us for i in true):
        true = []  # stragglers: all of them begin when the first has ended, and are shorter
    tree.root = min(true or tree.roots, key=lambda i: (start_us[i], -end_us[i]))
    chosen = tree.spans[tree.root]
    name = f"{MISSING_NAME} {chosen.span_id}" if tree.is_missing(tree.root) else chosen.label
    if not true:
        notes.add(Flaw.NO_ROOT, chosen.span_id, name)
    elif len(true) > 1:
        notes.add(Flaw.SEVERAL_ROOTS, chosen.span_id, name, number=len(true))


__all__ = ["MISSING_NAME", "Flaw", "Note", "Tree", "build", "trees"]
