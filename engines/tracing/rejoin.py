"""Traces that a dropped header tore apart, joined again for the diagnosis of time.

A service that drops the headers makes whom it calls begin a trace of its own. The pieces are true and are shown as they
are; but whoever asks where the time of a request went needs both. So a piece that begins in a service which others
call is put below the call that leads to no span there and encloses it. Of several such calls the tightest is taken:
between a caller and who serves it lies the way there and back, and little else. What fits nowhere stays by itself.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from engines.tracing.cohorts import Book
from engines.tracing.critical import critical_path
from engines.tracing.spans import Kind, Span
from engines.tracing.split import Cohort
from engines.tracing.symptoms import SKEW_MIN_US, host_of_call, symptoms_of
from engines.tracing.tree import Tree, build
from engines.tracing.verdicts import callers_of

PIECES_MAX: Final = 20_000


class _Call(NamedTuple):
    """A call of a service that leads to no span of it."""

    trace: int
    span_id: str
    start_us: int
    end_us: int


def rejoined(book: Book, traces: Cohort, spans_of: Callable[[str], Sequence[Span]]) -> Cohort:
    """The same traces with the pieces joined: the summaries of those that changed are new in the book, and whatever was
    a piece of another one is gone. ``spans_of``: the spans of a trace by its id, none where nobody kept them."""
    callers = callers_of(traces.symptoms)
    pieces = [i for i, each in enumerate(traces.symptoms) if each.root in callers][:PIECES_MAX]
    begun = dict.fromkeys(traces.symptoms[i].root for i in pieces)
    calling = [
        i for i, each in enumerate(traces.symptoms) if any(dst in begun for _, dst, _ in each.silent)
    ]  # fmt: skip
    held = ((i, tuple(spans_of(traces.symptoms[i].trace_id))) for i in dict.fromkeys((*pieces, *calling)))
    trees = {i: build(spans) for i, spans in held if spans}
    calls = _calls(trees, [i for i in calling if i in trees], begun)
    homes = _homes(trees, [i for i in pieces if i in trees], calls)
    summaries, symptoms = list(traces.summaries), list(traces.symptoms)
    for top, spans in _joined(trees, homes).items():
        tree = build(spans)
        summaries[top], symptoms[top] = book.add(tree, critical_path(tree)), symptoms_of(tree)
    left = [i for i in range(len(summaries)) if i not in homes]
    return Cohort([summaries[i] for i in left], [symptoms[i] for i in left])


def _calls(trees: dict[int, Tree], calling: Sequence[int], begun: dict[str, None]) -> dict[str, list[_Call]]:
    """The calls into each service that lead to no span of it."""
    found: dict[str, list[_Call]] = {}
    for i in calling:
        tree = trees[i]
        for row in range(tree.real):
            span = tree.spans[row]
            if span.kind == Kind.CLIENT and not tree.children[row] and (name := host_of_call(span)) in begun:
                found.setdefault(name, []).append(_Call(i, span.span_id, tree.start_us[row], tree.end_us[row]))
    return found


def _homes(trees: dict[int, Tree], pieces: Sequence[int], calls: dict[str, list[_Call]]) -> dict[int, _Call]:
    """The call that each piece belongs below, the tightest first, and every call taken once."""
    fits: list[tuple[int, int, int, _Call]] = []
    for i in pieces:
        tree = trees[i]
        start, end = tree.start_us[tree.root], tree.end_us[tree.root]
        for number, call in enumerate(calls.get(tree.spans[tree.root].service, ())):
            if call.start_us - SKEW_MIN_US <= start and end <= call.end_us + SKEW_MIN_US and call.trace != i:
                fits.append((abs(call.end_us - call.start_us - (end - start)), i, number, call))
    homes: dict[int, _Call] = {}
    taken: set[_Call] = set()
    for _, i, _, call in sorted(fits):
        if i not in homes and call not in taken and not _above(homes, call.trace, i):
            homes[i] = call
            taken.add(call)
    return homes


def _above(homes: dict[int, _Call], trace: int, piece: int) -> bool:
    """Whether a trace hangs below this piece already."""
    while trace in homes:
        trace = homes[trace].trace
        if trace == piece:
            return True
    return False


def _joined(trees: dict[int, Tree], homes: dict[int, _Call]) -> dict[int, tuple[Span, ...]]:
    """The spans of every trace that pieces came home to."""
    found: dict[int, list[Span]] = {}
    for i, call in homes.items():
        top = call.trace
        while top in homes:
            top = homes[top].trace
        whole = trees[top]
        spans = found.setdefault(top, list(whole.spans[: whole.real]))
        tree = trees[i]
        for row in range(tree.real):
            span = tree.spans[row]._replace(trace_id=whole.trace_id)
            spans.append(span._replace(parent_id=call.span_id) if row == tree.root else span)
    return {top: tuple(spans) for top, spans in found.items()}


__all__ = ["rejoined"]
