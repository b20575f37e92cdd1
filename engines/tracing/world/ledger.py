"""The truth, kept beside the system: what every span was made for, and what became of it.

No service and no analysis looks at it. It holds what the checks compare the traces with: which trace a request is of,
which spans have not reached the collector yet, and which never will. All of it is bounded.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Final

from engines.tracing.context import TraceContext
from engines.tracing.spans import Span
from engines.tracing.world.checks import ALL_OR_NONE, CAUSE, ONE_TRACE, SUBSET, UNIQUE, Violation
from engines.tracing.world.messages import Headers, Truth
from engines.tracing.world.snapshot import HOPS_MAX, Hop

REQUESTS_MAX: Final = 1_000
UNSEEN_MAX: Final = 20_000
HOPPED_MAX: Final = 100
FORGOTTEN_MAX: Final = 4_000
CHANGES_MAX: Final = 64


class Ledger:
    """What really happened."""

    def __init__(self) -> None:
        self.requests = 0
        self.known: OrderedDict[int, tuple[str, bool]] = OrderedDict()
        """request -> (its trace, whether that is kept)"""
        self.unseen: OrderedDict[str, str] = OrderedDict()
        """span -> trace, of spans that have begun and that the collector has not got"""
        self.gone: OrderedDict[str, str] = OrderedDict()
        """The same of spans that it will never get: lost on the wire, by an exporter, or in a crash."""
        self.forgot = False
        """Whether one of the two was full: absence from them proves nothing then."""
        self.forgotten: OrderedDict[str, None] = OrderedDict()
        """Traces that the collector knows no more: it crashed, or too many were evicted or decided against since."""
        self.hops: OrderedDict[str, list[Hop]] = OrderedDict()
        self.version = 0
        """Counts changes of what is known of a trace: its hops, its spans, what was made of them."""
        self.changes: deque[str] = deque(maxlen=CHANGES_MAX)
        """The traces of the newest changes: whoever draws them need not look at all others."""
        self.lost_spans = 0
        self.violations: list[Violation] = []

    def new_request(self) -> Truth:
        """A user's request arrives at the edge."""
        self.requests += 1
        return Truth(self.requests)

    def begun(self, service: str, name: str, context: TraceContext, truth: Truth) -> None:
        """A span begins. ``truth.cause`` is the span it must hang under."""
        known = self.known.get(truth.request)
        if known is None:
            self.known[truth.request] = (context.trace_id, context.sampled)
            if len(self.known) > REQUESTS_MAX:
                self.known.popitem(last=False)
        elif known != (context.trace_id, context.sampled):
            self._torn(service, name, context, truth, *known)
        if truth.cause and context.parent_id != truth.cause and (known is None or known[0] == context.trace_id):
            self.violations.append(Violation(CAUSE, f"{service} {name} hangs under a span that did not cause it", (
                f"request {truth.request}: span {truth.cause} made the call",
                f"{service} {name} is span {context.span_id} and names {context.parent_id or 'nobody'} as its parent",
            )))  # fmt: skip
        if context.sampled:
            if context.span_id in self.unseen:
                self.violations.append(Violation(UNIQUE, f"two spans of {service} have one id", (
                    f"{name} is span {context.span_id} of trace {context.trace_id}",
                    "a span with this id has begun before, and has not been exported yet",
                )))  # fmt: skip
            self.unseen[context.span_id] = context.trace_id
            if len(self.unseen) > UNSEEN_MAX:
                self.unseen.popitem(last=False)
                self.forgot = True

    def _torn(self, service: str, name: str, context: TraceContext, truth: Truth, trace: str, kept: bool) -> None:
        if context.trace_id != trace:
            self.violations.append(Violation(ONE_TRACE, f"{service} {name} is not in the trace of its request", (
                f"request {truth.request} is trace {trace}",
                f"{service} {name} was called for it and writes trace {context.trace_id}"
                + (f": {context.why.value}" if context.why else ""),
            )))  # fmt: skip
        else:
            words = ("dropped", "kept")
            for span_id in (context.parent_id if context.sampled else context.span_id,):
                self.gone[span_id] = trace
            self.violations.append(Violation(ALL_OR_NONE, f"{service} tears trace {trace[:8]} apart", (
                f"the root of request {truth.request} decided that it is {words[kept]}",
                f"{service} {name} decided that it is {words[context.sampled]}",
            )))  # fmt: skip

    def sampled(self, context: TraceContext, ppm: int, kept: bool, kept_at_half: bool) -> None:
        """The root has decided at a ratio; at half of it it would have decided otherwise?"""
        if kept_at_half and not kept:
            self.violations.append(Violation(SUBSET, f"trace {context.trace_id[:8]} is kept at a lower ratio only", (
                f"at a ratio of {ppm // 2} ppm it is kept: its randomness {context.trace_id[-14:]} is high enough",
                f"at a ratio of {ppm} ppm it was dropped",
            )))  # fmt: skip

    def hop(self, at_us: int, src: str, dst: str, operation: str, headers: Headers, context: TraceContext) -> None:
        """A call arrived, and this is the context it led to."""
        if not context.sampled:
            return
        self.changed(context.trace_id)
        hop = Hop(at_us, src, dst, operation, headers, context.why, context.span_id)
        hops = self.hops.get(context.trace_id)
        if hops is None:
            hops = self.hops[context.trace_id] = []
            if len(self.hops) > HOPPED_MAX:
                self.changed(self.hops.popitem(last=False)[0])
        if len(hops) < HOPS_MAX:
            hops.append(hop)

    def changed(self, trace_id: str) -> None:
        """A trace is not what it was."""
        self.version += 1
        self.changes.append(trace_id)

    def received(self, span: Span) -> None:
        """The collector has it."""
        self.unseen.pop(span.span_id, None)

    def lost(self, span_id: str, trace_id: str) -> None:
        """It will never reach the collector."""
        self.unseen.pop(span_id, None)
        if trace_id:
            self.lost_spans += 1
            self.gone[span_id] = trace_id
            if len(self.gone) > UNSEEN_MAX:
                self.gone.popitem(last=False)
                self.forgot = True

    def forget(self, trace_ids: Iterable[str]) -> None:
        """The collector knows nothing of these traces any more; a span that comes late begins them anew."""
        for trace_id in trace_ids:
            self.forgotten[trace_id] = None
            if len(self.forgotten) > FORGOTTEN_MAX:
                self.forgotten.popitem(last=False)
                self.forgot = True

    def accounts_for(self, span_id: str, trace_id: str) -> bool:
        """Whether it is known why the collector has not got this span."""
        return self.forgot or span_id in self.unseen or span_id in self.gone or trace_id in self.forgotten

    def violated(self, check: str, detail: str, *witness: str) -> None:
        """A check does not hold."""
        self.violations.append(Violation(check, detail, witness))
