"""A bounded store of spans that never holds half a trace.

Spans arrive one by one, in any order and from many traces at once. When there are too many, whole traces go, the
oldest first, where a trace's age is the arrival of its first span. A span that is late for a trace that is still
here joins it. A span that is late for a trace that was evicted is refused and counted: kept, it would stand for a
trace whose other spans are gone. The store remembers the ids of evicted traces for that, as many as it may hold spans.
"""

from collections import OrderedDict, deque
from typing import Any

from engines.state import kept
from engines.tracing.spans import Span


class SpanStore:
    """Traces by id, oldest first, at most ``max_spans`` spans in all."""

    def __init__(self, max_spans: int) -> None:
        if max_spans < 1:
            raise ValueError(f"a store of {max_spans} spans holds nothing")
        self.max_spans = max_spans
        self.evicted_traces = 0
        self.evicted_spans = 0
        self.refused_spans = 0
        """Late for a trace that had been evicted."""
        self._spans = 0
        # An OrderedDict gives up its oldest entry at once; a dict would walk over every hole left by the ones before.
        self._traces: OrderedDict[str, list[Span]] = OrderedDict()
        self._evicted: OrderedDict[str, None] = OrderedDict()
        self._forgotten: deque[str] = deque(maxlen=max_spans)
        self._frozen: dict[str, tuple[Span, ...]] = {}

    def __len__(self) -> int:
        """How many spans it holds."""
        return self._spans

    def __contains__(self, trace_id: str) -> bool:
        """Whether it holds this trace."""
        return trace_id in self._traces

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """Everything but the shared tuples, which looking makes: looking changes nothing."""
        return kept(self, _frozen={})

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        """As it was, with no tuple handed out yet."""
        for name, value in state[1].items():
            setattr(self, name, value)

    def add(self, span: Span) -> tuple[str, ...]:
        """Take a span; return the ids of the traces that had to go for it."""
        trace_id = span.trace_id
        if trace_id in self._evicted:
            self.refused_spans += 1
            return ()
        self._traces.setdefault(trace_id, []).append(span)
        self._frozen.pop(trace_id, None)
        self._spans += 1
        evicted: list[str] = []
        while self._spans > self.max_spans:
            evicted.append(self._evict_oldest())
        return tuple(evicted)

    def pop_oldest(self) -> tuple[Span, ...]:
        """Evict the oldest trace and hand out its spans; () if there is none."""
        if not self._traces:
            return ()
        spans = self.trace(next(iter(self._traces)))
        self._evict_oldest()
        return spans

    def trace_ids(self) -> tuple[str, ...]:
        """The traces it holds, oldest first."""
        return tuple(self._traces)

    def trace(self, trace_id: str) -> tuple[Span, ...]:
        """The spans of a trace in the order of their arrival; the same object until the trace changes."""
        frozen = self._frozen.get(trace_id)
        if frozen is None:
            spans = self._traces.get(trace_id)
            if spans is None:
                return ()
            frozen = self._frozen[trace_id] = tuple(spans)
        return frozen

    def span_count(self, trace_id: str) -> int:
        """How many spans of a trace have arrived; 0 if it is not here."""
        return len(self._traces.get(trace_id, ()))

    def evicted_ids(self) -> tuple[str, ...]:
        """The evicted traces that it remembers, the first to go first."""
        return tuple(self._evicted)

    def forgotten(self) -> tuple[str, ...]:
        """The evicted traces that it has ceased to remember since this was asked last: a late span begins one anew."""
        found = tuple(self._forgotten)
        self._forgotten.clear()
        return found

    def _evict_oldest(self) -> str:
        trace_id, spans = self._traces.popitem(last=False)
        gone = len(spans)
        self._frozen.pop(trace_id, None)
        self._spans -= gone
        self.evicted_traces += 1
        self.evicted_spans += gone
        self._evicted[trace_id] = None
        if len(self._evicted) > self.max_spans:
            self._forgotten.append(self._evicted.popitem(last=False)[0])
        return trace_id


__all__ = ["SpanStore"]
