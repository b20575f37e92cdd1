"""A service's tracer: contexts from headers, spans from contexts, and the exporter that sends them away.

It does what an OpenTelemetry SDK does in a service: extract at the door, one SERVER span, a CLIENT span and its headers
for every call, INTERNAL spans for waits that have no standard span, and export when the span of the request has ended.
Times are those of the machine's own clock, wrong as it may be. What is not sampled is not recorded, but its context
travels on.
"""

from functools import lru_cache
from typing import Any, Final

from engines.sim.node import Context
from engines.tracing import b3
from engines.tracing.context import NewTrace, TraceContext, extract, inject, root
from engines.tracing.context import span_id as new_span_id
from engines.tracing.sampling import Probability
from engines.tracing.spans import NS_PER_US, Kind, Link, Span, SpanEvent, Status
from engines.tracing.topology import CACHE, CONSUMER, DATABASE, Service
from engines.tracing.world.control import B3, W3C, Condition, Control
from engines.tracing.world.events import TraceStarted
from engines.tracing.world.ledger import Ledger
from engines.tracing.world.messages import Export, Headers, Truth
from engines.units import PPM

COLLECTOR: Final = "collector"

SERVER: Final = int(Kind.SERVER)
CLIENT: Final = int(Kind.CLIENT)
INTERNAL: Final = int(Kind.INTERNAL)
PRODUCER: Final = int(Kind.PRODUCER)
CONSUMED: Final = int(Kind.CONSUMER)
UNSET: Final = int(Status.UNSET)
ERROR: Final = int(Status.ERROR)

Attributes = tuple[tuple[str, Any], ...]


class Open:
    """A span that has begun."""

    __slots__ = ("attributes", "cause", "context", "events", "kind", "links", "message", "name", "start_us", "status")

    def __init__(self, context: TraceContext, name: str, kind: int, start_us: int, attributes: Attributes) -> None:
        self.context = context
        self.name = name
        self.kind = kind
        self.start_us = start_us
        self.attributes = attributes
        self.events: tuple[SpanEvent, ...] = ()
        self.links: tuple[Link, ...] = ()
        self.status = UNSET
        self.message = ""

    def failed(self, why: str, error_type: str) -> None:
        """It ends in an error."""
        self.status, self.message = ERROR, why
        self.attributes += (("error.type", error_type),)


@lru_cache(maxsize=4096)
def server_attributes(role: str, operation: str) -> Attributes:
    """What a SERVER span says of every request of this kind, after the semantic conventions."""
    method, _, target = operation.partition(" ")
    if role in (CACHE, DATABASE):
        system = "redis" if role == CACHE else "postgresql"
        return (("db.system.name", system), ("db.operation.name", method), ("db.collection.name", target))
    if role == CONSUMER:
        return (("messaging.operation.name", method), ("messaging.destination.name", target))
    return (("http.request.method", method), ("http.route", target))


@lru_cache(maxsize=4096)
def client_attributes(role: str, dst: str, operation: str) -> Attributes:
    """The same of a CLIENT or PRODUCER span: the server's role decides what is spoken."""
    method, _, target = operation.partition(" ")
    peer = ("server.address", dst)
    if role in (CACHE, DATABASE):
        system = "redis" if role == CACHE else "postgresql"
        return (peer, ("db.system.name", system), ("db.operation.name", method))
    if method == "publish":
        return (peer, ("messaging.operation.name", method), ("messaging.destination.name", target))
    return (peer, ("http.request.method", method))


class Tracer:
    """The tracer and the exporter of one service."""

    __slots__ = ("buffer", "control", "current", "ledger", "resource", "service", "trouble")

    def __init__(self, service: Service, control: Control, ledger: Ledger) -> None:
        self.service = service.name
        self.resource: Attributes = (("service.namespace", service.layer), ("service.version", "1.0.0"))
        self.control = control
        self.trouble: Condition = control.trouble(service.name)
        self.ledger = ledger
        self.buffer: list[Span] = []
        self.current: TraceContext | None = None
        """The span last begun, where contexts are mixed up (a rule)."""

    # -- beginning -----------------------------------------------------------------------------------------------

    def serve(self, ctx: Context, src: str, headers: Headers, truth: Truth, open_as: tuple[str, int, Attributes]
              ) -> Open:  # fmt: skip
        """The span of a request that arrived."""
        ids, rules = ctx.stream("ids"), self.control.rules
        context = extract(headers, ids) if self.control.headers == W3C else b3.extract(headers, ids).context
        if context.remote and rules.continue_trace:
            context = context.child(ids) if rules.fresh_span_id else context._replace(parent_id=context.span_id)
        elif context.remote:
            context = root(ids, why=NewTrace.UNUSED)
        elif truth.cause:
            assert context.why is not None
            ctx.note(TraceStarted(src, context.trace_id, context.why))
        context = self._decide(ctx, context)
        name, kind, attributes = open_as
        self.ledger.hop(ctx.now_us, src, self.service, name, headers, context)
        return self._begin(ctx, context, truth, name, kind, attributes)

    def child(self, ctx: Context, parent: Open, truth: Truth, name: str, kind: int, attributes: Attributes) -> Open:
        """A span under one of this service."""
        rules, context = self.control.rules, parent.context
        if not rules.own_context and self.current is not None:
            context = self.current
        ids = ctx.stream("ids")
        if rules.fresh_span_id:
            context = TraceContext(context.trace_id, new_span_id(ids), context.sampled, context.random, context.state,
                                   context.span_id)  # fmt: skip
        else:
            context = context._replace(parent_id=context.span_id, remote=False)
        cause = parent.context.span_id
        return self._begin(ctx, context, Truth(truth.request, cause), name, kind, attributes)

    def _begin(
        self, ctx: Context, context: TraceContext, truth: Truth, name: str, kind: int, attributes: Attributes
    ) -> Open:
        self.ledger.begun(self.service, name, context, truth)
        if not self.control.rules.own_context:
            self.current = context
        return Open(context, name, kind, ctx.now_us, attributes)

    def _decide(self, ctx: Context, context: TraceContext) -> TraceContext:
        """Keep this span or not: as its parent, or as the sampler of the root."""
        control = self.control
        ppm = control.head_ppm
        if context.parent_id and control.rules.parent_decides:
            return context
        if context.parent_id or not control.rules.same_coin:
            kept = ctx.stream("coin").chance(ppm)
            told = context._replace(sampled=kept)
        else:
            told = Probability(ppm).decide(context, ctx.now_us).context
        if not context.parent_id:
            half = Probability(ppm // 2).decide(context, ctx.now_us).sampled
            self.ledger.sampled(context, ppm, told.sampled, half)
        return told

    def headers(self, of: Open, received: Headers, baggage: Headers) -> Headers:
        """What a call made in this span carries."""
        if self.trouble.drops_header:
            return ()
        if not self.control.rules.inject_own and any(name in ("traceparent", "b3") for name, _ in received):
            return received
        if self.control.headers == B3:
            return (*b3.inject(b3.B3(of.context)), *baggage)
        return (*inject(of.context), *baggage)

    # -- ending --------------------------------------------------------------------------------------------------

    def waited(
        self, ctx: Context, parent: Open, truth: Truth, name: str, waited: tuple[int, int], attributes: Attributes
    ) -> None:
        """A wait that is over: an INTERNAL span under ``parent``, from when to when on this clock."""
        if waited[1] > waited[0]:
            span = self.child(ctx, parent, truth, name, INTERNAL, attributes)
            span.start_us = waited[0]
            self.finish(span, waited[1])

    def finish(self, span: Open, end_us: int) -> None:
        """The span has ended: it waits for the next export."""
        context = span.context
        if context.sampled:
            self.buffer.append(Span(
                context.trace_id, context.span_id, context.parent_id, span.name, self.service,
                span.kind, max(0, span.start_us) * NS_PER_US, max(0, end_us) * NS_PER_US,  # type: ignore[arg-type]
                span.status, span.message, span.attributes, self.resource, span.events, span.links,  # type: ignore[arg-type]
            ))  # fmt: skip

    def take(self, ctx: Context) -> tuple[Span, ...]:
        """What is to be exported now. An exporter that loses spans does so here, and tells nobody."""
        spans, self.buffer = self.buffer, []
        lose_ppm = self.trouble.lose_ppm
        if not lose_ppm:
            return tuple(spans)
        kept = []
        stream = ctx.stream("exporter")
        for span in spans:
            if stream.below(PPM) < lose_ppm:
                self.ledger.lost(span.span_id, span.trace_id)
            else:
                kept.append(span)
        return tuple(kept)

    @staticmethod
    def export(ctx: Context, spans: tuple[Span, ...]) -> None:
        """Send spans to the collector."""
        if spans:
            ctx.send(COLLECTOR, Export(spans))
