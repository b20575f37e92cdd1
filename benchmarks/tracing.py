"""The tree and the critical path of one large trace, against a plain prototype in the same run.

The trace is a request that fans out: every span has up to six children, one after the other with small gaps or all at
once, and spans arrive in any order, as they do. The prototype is what one writes first. Tree: an object with a list of
children for every span, sorted by start; it knows no defects, neither orphans nor cycles, doubles or bad times. Path:
the same rules as ours, one after the other, recursive, so that a deep trace exhausts its stack. Ours is to be no
slower. Elsewhere, on a quiet machine, such a prototype took 11 ms for the tree of 10,000 spans and 0.9 ms for a path.

Both take turns; the best of several rounds counts, in time of the processor. Self times, a summary for the diagnosis,
and the rows of a folded view have no peer and are printed as they are; the diagnosis of 1,000 traces stands beside what
looking at each of them takes.
"""

import gc
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from engines.tracing.cohorts import Book
from engines.tracing.critical import critical_path, self_times
from engines.tracing.examination import Cohort, examine
from engines.tracing.fold import RowFilter, visible
from engines.tracing.spans import Kind, Span
from engines.tracing.standing import RESAMPLES
from engines.tracing.symptoms import symptoms_of
from engines.tracing.tree import build
from engines.tracing.unfelt import Site, own_of

SIZES: Final = (1_000, 10_000, 100_000)
SMALL: Final = 20_000
CHILDREN: Final = 6
EPOCH_US: Final = 1_700_000_000 * 10**6
LENGTH_US: Final = 3_600 * 10**6


def trace(size: int, seed: int = 1) -> list[Span]:
    """One request of so many spans over 72 services."""
    draw = random.Random(seed)
    spans = [_span(1, "", EPOCH_US, EPOCH_US + LENGTH_US)]
    at = 0
    while len(spans) < size:
        parent = spans[at]
        at += 1
        many = min(size - len(spans), draw.randint(1 if at < CHILDREN else 0, CHILDREN))
        length = parent.duration_us
        in_turn = draw.random() < 0.8
        for i in range(many):
            share = length // many if in_turn else length
            start = parent.start_us + (i * share if in_turn else 0) + share // 50
            spans.append(
                _span(len(spans) + 1, parent.span_id, start, start + draw.randint(share // 2, share * 9 // 10))
            )
    draw.shuffle(spans)
    return spans


def _span(number: int, parent: str, start_us: int, end_us: int) -> Span:
    kind = (Kind.SERVER, Kind.CLIENT, Kind.INTERNAL)[number % 3]
    times = (start_us * 1_000, end_us * 1_000)
    return Span("ab" * 16, f"{number:016x}", parent, f"operation {number % 50}", f"s{number % 72}", kind, *times)


@dataclass(eq=False)
class Node:
    """The prototype's."""

    span: Span
    children: list["Node"] = field(default_factory=list)
    depth: int = 0


def plain_tree(spans: list[Span]) -> tuple[Node, list[Node]]:
    """The prototype's root, and its rows from top to bottom."""
    nodes = {span.span_id: Node(span) for span in spans}
    roots = []
    for node in nodes.values():
        parent = nodes.get(node.span.parent_id)
        if parent is None:
            roots.append(node)
        else:
            parent.children.append(node)
    for node in nodes.values():
        node.children.sort(key=lambda child: child.span.start_ns)
    rows = []
    stack = [(root, 0) for root in reversed(roots)]
    while stack:
        node, node.depth = stack.pop()
        rows.append(node)
        for child in reversed(node.children):
            stack.append((child, node.depth + 1))
    return roots[0], rows


def plain_path(root: Node) -> list[tuple[Span, int, int]]:
    """The prototype's critical path: the same rules, written down one after the other."""
    found = []

    def walk(node: Node, start: int, end: int) -> None:
        cursor = end
        windows = []
        for child in node.children:
            if node.span.kind == Kind.PRODUCER and child.span.kind == Kind.CONSUMER:
                continue
            windows.append((child, max(child.span.start_us, start), min(child.span.end_us, end)))
        windows.sort(key=lambda window: (-window[2], window[1]))
        for child, child_start, child_end in windows:
            if child_start < child_end <= cursor:
                if child_end < cursor:
                    found.append((node.span, child_end, cursor))
                walk(child, child_start, child_end)
                cursor = child_start
        if start < cursor:
            found.append((node.span, start, cursor))

    walk(root, root.span.start_us, root.span.end_us)
    return found[::-1]


def best(programs: tuple[Callable[[], object], ...], rounds: int) -> list[float]:
    """Seconds of the processor that each takes, the best of several rounds in turns, from a clean heap."""
    columns: list[list[float]] = [[] for _ in programs]
    for _ in range(rounds):
        for column, program in zip(columns, programs, strict=True):
            gc.collect()
            start = time.process_time_ns()
            program()
            column.append((time.process_time_ns() - start) / 1e9)
    return [min(column) for column in columns]


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds for one size."""

    size: int
    segments: int
    tree: float
    plain_tree: float
    path: float
    plain_path: float
    self_times: float
    summary: float
    rows: float


def measure(size: int) -> Figures:
    """One size."""
    spans = trace(size)
    tree, (root, _) = build(spans), plain_tree(spans)
    path = critical_path(tree)
    ours, theirs = path.segments, plain_path(root)
    assert [each[1:] for each in ours] == [(span.span_id, start, end) for span, start, end in theirs]
    times = best(
        (
            lambda: build(spans),
            lambda: plain_tree(spans),
            lambda: critical_path(tree),
            lambda: plain_path(root),
            lambda: self_times(tree),
            lambda: Book().add(tree, path),
            lambda: visible(tree, path, RowFilter(plumbing=True, alike=True, at_least_ppm=10_000)),
        ),
        25 if size <= SMALL else 5,
    )
    return Figures(size, len(ours), *times)


def diagnosis(traces: int = 1_000, size: int = 60) -> tuple[float, float]:
    """The diagnosis over many traces, resampling included; and what their trees, paths and symptoms take before it."""
    whole = []
    for number in range(traces):
        spans = [span._replace(trace_id=f"{number + 1:032x}") for span in trace(size, seed=number % 97)]
        whole.append([span._replace(end_ns=span.end_ns + number) if not span.parent_id else span for span in spans])
    book, sites = Book(), dict[tuple[Site, ...], tuple[Site, ...]]()

    def looked_at() -> Cohort:
        trees = [build(spans) for spans in whole]
        symptoms = [symptoms_of(tree, own_of(tree, self_times(tree), sites)) for tree in trees]
        return Cohort([book.add(tree, critical_path(tree)) for tree in trees], symptoms)

    cohort = looked_at()
    seconds, before = best((lambda: examine(book, cohort), looked_at), 5)
    return seconds, before


def lines() -> list[str]:
    """For people."""
    found = ["one trace of                           1,000 spans  10,000 spans 100,000 spans"]
    figures = [measure(size) for size in SIZES]

    def row(name: str, values: list[str]) -> str:
        return f"{name:<36}" + "".join(f"{value:>14}" for value in values)

    def ms(seconds: float) -> str:
        return f"{seconds * 1000:,.2f} ms"

    seconds, before = diagnosis()
    found += [
        row("tree", [ms(each.tree) for each in figures]),
        row("  plain prototype", [ms(each.plain_tree) for each in figures]),
        row("  ours is  (target: 1x)", [f"{each.plain_tree / each.tree:.2f}x" for each in figures]),
        row("critical path", [ms(each.path) for each in figures]),
        row("  plain prototype", [ms(each.plain_path) for each in figures]),
        row("  ours is  (target: 1x)", [f"{each.plain_path / each.path:.2f}x" for each in figures]),
        row("  segments", [f"{each.segments:,}" for each in figures]),
        row("self times", [ms(each.self_times) for each in figures]),
        row("summary for the diagnosis", [ms(each.summary) for each in figures]),
        row("rows of a folded view", [ms(each.rows) for each in figures]),
        f"diagnosis over 1,000 traces of 60 spans, with {RESAMPLES} resamples: {ms(seconds)}, beside {ms(before)} for "
        f"their trees, paths and symptoms: {seconds / before:.2f}x",
    ]
    return found


if __name__ == "__main__":
    print("\n".join(lines()))
