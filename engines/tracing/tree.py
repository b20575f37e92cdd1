"""The tree of one trace, made of whatever spans arrived, with a note for everything that was wrong with them.

The tree is a set of columns indexed by span, not of node objects: a trace may have 100,000 spans, and 8,000 of them
may form one chain, so nothing here recurses. What can be wrong, and what is made of it:

- *Missing parent* (lost, late or not sampled): a row "missing span" stands for it and has its orphans as children,
  from the first start to the last end among them. Rows are ordered by their start, so this one by its earliest child.
- *Several roots*, or none: the tree has several top rows. ``root``, the one whose time is analysed, is the earliest
  true root, or else the earliest top row.
- *The same span twice* (an exporter that retried): kept once. *Two spans with one id*: both are shown, the earlier one
  keeps the children. The CLIENT and the SERVER half of a call under one id (Zipkin's shared spans) are no mistake: the
  SERVER half goes below the CLIENT half.
- *A cycle of parents*: cut above its earliest span, which becomes a top row.
- *Zero ids*: nobody can be the child of such a span; a parent id of zeros means no parent.
- *End before start*: an interval of length zero at the start. *Start 0* on a span that ends decades later: the start
  was never set; an interval of length zero at the end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import gt, itemgetter
from typing import Final, NamedTuple

from engines.tracing.spans import FOLLOWS_FROM, NS_PER_US, Kind, Span, is_zero

MISSING_PARENT: Final = "missing parent"
SEVERAL_ROOTS: Final = "several roots"
NO_ROOT: Final = "no root"
SAME_SPAN_TWICE: Final = "same span twice"
DUPLICATE_ID: Final = "duplicate id"
CYCLE: Final = "cycle"
ZERO_ID: Final = "zero id"
NEGATIVE: Final = "ends before it starts"
NO_START: Final = "no start time"

MISSING_NAME: Final = "missing span"
NOTES_PER_KIND: Final = 20
"""How many notes of a kind are kept in words; all are counted."""
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
    """One thing that was wrong, and what was made of it."""

    kind: str
    span_id: str
    text: str


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
    counts: dict[str, int] = field(default_factory=dict)
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
        self.counts: dict[str, int] = {}
        self.texts: list[Note] = []

    def add(self, kind: str, span_id: str, text: str) -> None:
        seen = self.counts.get(kind, 0)
        self.counts[kind] = seen + 1
        if seen < NOTES_PER_KIND:
            self.texts.append(Note(kind, span_id, text))


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
    tree.notes, tree.counts = tuple(notes.texts), notes.counts
    return tree


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
    """The same where an id is zero or used twice; drops exact copies from ``found``."""
    _drop_copies(found, notes)
    by_id.clear()
    halves: dict[str, int] = {}
    joined: dict[int, int] = {}
    for i, span in enumerate(found):
        if is_zero(span.span_id):
            notes.add(ZERO_ID, span.span_id, f"{span.label} has no span id: nothing can be its child")
            continue
        first = by_id.setdefault(span.span_id, i)
        if first == i:
            continue
        kinds = (found[first].kind, span.kind)
        if span.span_id in halves or kinds not in ((Kind.CLIENT, Kind.SERVER), (Kind.SERVER, Kind.CLIENT)):
            text = f"{span.label} has the span id of {found[first].label}, which keeps the children"
            notes.add(DUPLICATE_ID, span.span_id, text)
            continue
        client, server = (first, i) if span.kind == Kind.SERVER else (i, first)
        by_id[span.span_id], halves[span.span_id], joined[server] = client, server, client
    parent = _plain_parents(found, by_id)
    for i, span in enumerate(found):
        server = halves.get(span.parent_id, _NONE)
        if i in joined:
            parent[i] = joined[i]
        elif server >= 0 and (span.service == found[server].service or span.service != found[parent[i]].service):
            parent[i] = server
    return parent


def _drop_copies(found: list[Span], notes: _Notes) -> None:
    """Keep one of spans that are equal in everything."""
    kept: list[Span] = []
    same_id: dict[str, list[Span]] = {}
    for span in found:
        others = same_id.setdefault(span.span_id, [])
        if span in others:
            notes.add(SAME_SPAN_TWICE, span.span_id, f"{span.label} arrived twice and is kept once")
            continue
        others.append(span)
        kept.append(span)
    found[:] = kept


def _mend_times(tree: Tree, notes: _Notes) -> None:
    """Give every span an interval that does not run backwards."""
    start_us, end_us = tree.start_us, tree.end_us
    for i, span in enumerate(tree.spans):
        if span.start_ns > 0:
            break
        if span.start_ns == 0 and span.end_ns > UNSET_NS:
            start_us[i] = end_us[i]
            notes.add(NO_START, span.span_id, f"{span.label} has no start time: shown as a moment at its end")
    if not any(map(gt, start_us, end_us)):
        return
    for i, (start, end) in enumerate(zip(start_us, end_us, strict=True)):
        if end < start:
            span, end_us[i] = tree.spans[i], start
            text = f"{span.label} ends {start - end:,} us before it starts: shown as a moment at its start"
            if span.end_ns == 0:
                text = f"{span.label} has no end time: shown as a moment at its start"
            notes.add(NEGATIVE, span.span_id, text)


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
        more = f" and {len(orphans[row]) - 1} more" if len(orphans[row]) > 1 else ""
        notes.add(MISSING_PARENT, span_id, f"span {span_id}, the parent of {child}{more}, is not here")


def _hang_children(tree: Tree) -> None:
    """Fill ``children`` and ``roots``; spans are sorted, so both come out by start but for spans without one."""
    children: list[list[int]] = tree.children  # type: ignore[assignment]
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
            size = "its own parent" if len(cycle) == 1 else f"its own ancestor, through {len(cycle)} spans"
            notes.add(CYCLE, span.span_id, f"{span.label} is {size}: cut off below {above.label}")
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
    true = [i for i in tree.roots if is_zero(tree.spans[i].parent_id) and i < tree.real]
    tree.root = min(true or tree.roots, key=lambda i: (tree.start_us[i], -tree.end_us[i]))
    chosen = tree.spans[tree.root]
    name = f"{MISSING_NAME} {chosen.span_id}" if tree.is_missing(tree.root) else chosen.label
    if not true:
        notes.add(NO_ROOT, chosen.span_id, f"no span is without a parent: {name} stands for the root")
    elif len(true) > 1:
        notes.add(SEVERAL_ROOTS, chosen.span_id, f"{len(true)} spans have no parent: the time of {name} is analysed")


__all__ = [
    "CYCLE",
    "DUPLICATE_ID",
    "MISSING_NAME",
    "MISSING_PARENT",
    "NEGATIVE",
    "NO_ROOT",
    "NO_START",
    "SAME_SPAN_TWICE",
    "SEVERAL_ROOTS",
    "ZERO_ID",
    "Note",
    "Tree",
    "build",
]
