"""Which rows of a big trace are worth a line on the screen.

A view hides rows in six ways, all at once: subtrees folded by hand, plumbing, siblings that are alike, what is shorter
than a share of the root, what is not on the critical path, what does not match a text. A row that is kept keeps its
ancestors, so the picture stays a tree; every kept row tells how many are hidden below it. The tree never changes.

*Plumbing* is a span that only hands on: it has one child, works less than a twentieth of its time itself, waits for
nothing, and reports no error (a client span around its server span, a chain of middleware). *Alike* are four siblings
or more of one service and operation, with one callee if they are calls, without an error; the longest stands for all.
"""

from typing import Final, NamedTuple

from engines.tracing.critical import Path, self_times
from engines.tracing.spans import Kind, plain, said
from engines.tracing.tree import Tree
from engines.tracing.waiting import SELF, by_name, callee_of

PLUMBING_WORK: Final = 20
ALIKE_MIN: Final = 4
PPM: Final = 1_000_000


class RowFilter(NamedTuple):
    """What is to be hidden."""

    folded: frozenset[str] = frozenset()
    """Span ids whose subtrees are closed."""
    plumbing: bool = False
    """Fold what only hands on."""
    alike: bool = False
    """Show one row for siblings that are alike."""
    at_least_ppm: int = 0
    """Hide what takes less than this share of the root."""
    only_critical: bool = False
    text: str = ""
    """Part of ``service operation``, of a span id or of an attribute's value, in any case; or an attribute with its
    value, ``http.status_code=500``."""


EVERYTHING: Final = RowFilter()


class FoldRow(NamedTuple):
    """A row that is shown."""

    row: int
    """The span's index in the tree's columns."""
    depth: int
    """Among the rows that are shown."""
    hidden: int
    """How many rows below it are not."""
    through: int
    """How many plumbing spans stand between it and the row above it."""
    match: bool
    """Whether it is here for itself, not only for something below it."""
    times: int = 1
    """How many siblings that are alike it stands for, itself included."""


def visible(
    tree: Tree, path: Path, view: RowFilter = EVERYTHING, among: frozenset[int] | None = None
) -> tuple[FoldRow, ...]:
    """The rows to show, from top to bottom; only from ``among`` these, if they are given."""
    match = _matches(tree, path, view)
    if among is not None:
        match = [each and row in among for row, each in enumerate(match)]
    wanted = match[:]
    parent = tree.parent
    for row in reversed(tree.order):
        if wanted[row] and parent[row] >= 0:
            wanted[parent[row]] = True
    skipped = _plumbing(tree) if view.plumbing else frozenset()
    alike, stand_ins = _alike(tree, wanted) if view.alike else ({}, frozenset())
    size = len(tree.spans)
    anchor, depth, through, hidden = [-1] * size, [0] * size, [0] * size, [0] * size
    closed = [row in stand_ins for row in range(size)]
    shown: list[int] = []
    for row in tree.order:
        above = parent[row]
        if above >= 0:
            over = anchor[above]
            depth[row] = depth[over] + 1 if over >= 0 else 0
            closed[row] = closed[row] or closed[above] or tree.spans[above].span_id in view.folded
            through[row] = through[above] if above != over else 0
        if closed[row] or not (wanted[row] or row == tree.root):
            anchor[row] = anchor[above] if above >= 0 else -1
            if anchor[row] >= 0:
                hidden[anchor[row]] += 1
        elif row in skipped:
            anchor[row] = anchor[above] if above >= 0 else -1
            through[row] += 1
        else:
            anchor[row] = row
            shown.append(row)
    return tuple(FoldRow(row, depth[row], hidden[row], through[row], match[row], alike.get(row, 1)) for row in shown)


def _matches(tree: Tree, path: Path, view: RowFilter) -> list[bool]:
    """Whether each row is worth showing for itself."""
    match = [True] * len(tree.spans)
    if view.at_least_ppm:
        least = tree.duration_us * view.at_least_ppm
        match = [(end - start) * PPM >= least for start, end in zip(tree.start_us, tree.end_us, strict=True)]
    if view.only_critical:
        on_path = path.on_path
        match = [each and row in on_path for row, each in enumerate(match)]
    if view.text:
        match = [each and has_text(tree, row, view.text) for row, each in enumerate(match)]
    return match


def has_text(tree: Tree, row: int, text: str) -> bool:
    """Whether a row's service, operation, id or an attribute contains the text, in any case."""
    span, wanted = tree.spans[row], text.casefold()
    key, equal, value = text.partition("=")
    if equal and key and plain(said(span, key.strip())) == value.strip():
        return True
    if wanted in f"{span.service} {span.name}".casefold() or span.span_id.startswith(wanted):
        return True
    return any(wanted in str(value).casefold() for _, value in span.attributes)


def _plumbing(tree: Tree) -> frozenset[int]:
    own = self_times(tree)
    found = []
    for row, kids in enumerate(tree.children):
        span = tree.spans[row]
        if (
            len(kids) == 1
            and row != tree.root
            and row < tree.real
            and span.kind in (Kind.INTERNAL, Kind.CLIENT, Kind.UNSPECIFIED)
            and not span.is_error
            and own[row] * PLUMBING_WORK <= tree.end_us[row] - tree.start_us[row]
            and by_name(span.name).kind == SELF
        ):
            found.append(row)
    return frozenset(found)


def _alike(tree: Tree, wanted: list[bool]) -> tuple[dict[int, int], frozenset[int]]:
    """(how many siblings a row stands for, the rows another one stands for)."""
    counts: dict[int, int] = {}
    others: list[int] = []
    for kids in tree.children:
        if len(kids) < ALIKE_MIN:
            continue
        groups: dict[tuple[str, str, str], list[int]] = {}
        for kid in kids:
            span = tree.spans[kid]
            if wanted[kid] and not span.is_error:
                groups.setdefault((span.service, span.name, callee_of(tree, kid)), []).append(kid)
        for group in groups.values():
            if len(group) >= ALIKE_MIN:
                longest = max(group, key=lambda row: (tree.end_us[row] - tree.start_us[row], -row))
                counts[longest] = len(group)
                others += [row for row in group if row != longest]
    return counts, frozenset(others)


def next_critical(path: Path, position: int, step: int = 1) -> int:
    """The place of the next segment of the path (or the one before), round and round; -1 if it has none."""
    return (position + step) % len(path.segments) if path.segments else -1


def first_segment(path: Path, row: int) -> int:
    """The place of a row's first segment on the path; -1 if it has none."""
    return next((place for place, segment in enumerate(path.segments) if segment.row == row), -1)


__all__ = ["EVERYTHING", "FoldRow", "RowFilter", "first_segment", "has_text", "next_critical", "visible"]
