"""The calling side of a service: connections, breakers, timeouts, attempts, and the spans that tell of them.

A call waits for a connection if it goes to the service's database, passes a circuit breaker if there is one, and is
made again after a failure, with backoff. Breakers and backoff are those of ``engines.resilience``, pools those of
``engines.sim.service``.
"""

from typing import Any, Final

from engines.resilience import Breaker, EqualJitter, Rejection
from engines.sim.agenda import Agenda
from engines.sim.node import Context
from engines.sim.service import GRANTED, QUEUED, Pool
from engines.tracing.spans import ACQUIRE_CONNECTION, RETRY_BACKOFF, Span
from engines.tracing.topology import CACHE, DATABASE, Dependency, Operation, Service, Topology
from engines.tracing.world.control import BREAKER, Control
from engines.tracing.world.events import BreakerMoved, Failure, PoolWait, Retried, TimedOut
from engines.tracing.world.figures import Figures
from engines.tracing.world.ledger import Ledger
from engines.tracing.world.messages import OK, UNAVAILABLE, Call, Headers, Reply, Truth
from engines.tracing.world.rules import BACKOFF_MAX_US, BACKOFF_US, POOL_LINE_MAX, TIMEOUT_US
from engines.tracing.world.telemetry import CLIENT, PRODUCER, Attributes, Open, Tracer, client_attributes

BACKOFF: Final = EqualJitter(BACKOFF_US, BACKOFF_MAX_US)
FAILURES: Final = {
    "timeout": Failure.TIMEOUT, "pool_full": Failure.POOL_FULL, "circuit_open": Failure.CIRCUIT_OPEN,
}  # fmt: skip
"""By ``error.type``."""
AT_ONCE: Final = EqualJitter(0, 0)


class Job:
    """A request that is being served."""

    __slots__ = (
        "arrived_us", "baggage", "headers", "hit", "number", "operation", "pending", "queue", "reply_number", "span",
        "src", "stage", "status", "truth",
    )  # fmt: skip

    def __init__(self, number: int, src: str, message: Any, operation: Operation, span: Open) -> None:
        self.number = number
        self.src = src
        self.reply_number: int = message.number
        self.headers: Headers = message.headers
        self.baggage: Headers = tuple(each for each in message.headers if each[0] == "baggage")
        self.truth: Truth = message.truth
        self.operation = operation.name
        self.span = span
        self.arrived_us = span.start_us
        self.stage = 0
        self.pending = 0
        self.status = OK
        self.hit = True
        self.queue: Attributes = ()


class Outgoing:
    """A call that is being made: one attempt of it."""

    __slots__ = ("attempt", "call", "job", "permit", "pool", "sent_us", "since_us", "span", "timeout", "waiting_us")

    def __init__(self, job: int, call: Dependency, attempt: int, now_us: int) -> None:
        self.job = job
        self.call = call
        self.attempt = attempt
        self.since_us = now_us
        self.sent_us = -1
        self.waiting_us = 0
        self.timeout = 0
        self.permit = -1
        self.pool: Attributes = ()
        self.span: Open | None = None


class Caller:
    """What a service is made of, and how it calls others. What it does for a request is its subclass's business."""

    def __init__(self, service: Service, topology: Topology, control: Control, ledger: Ledger, life: int) -> None:
        self.id = service.name
        self.topology = topology
        self.control = control
        self.ledger = ledger
        self.trouble = control.trouble(service.name)
        self.tracer = Tracer(service, control, ledger)
        self.agenda: Agenda[tuple[str, int]] = Agenda()
        self.workers = Pool(service.workers, service.queue_max)
        self.pool = Pool(service.pool_size, POOL_LINE_MAX) if service.pool_of else None
        self.lock = Pool(1, POOL_LINE_MAX)
        self.jobs: dict[int, Job] = {}
        self.calls: dict[int, Outgoing] = {}
        self.held: dict[int, tuple[Span, ...]] = {}
        """Spans that a slow exporter keeps back."""
        self.breakers: dict[str, Breaker] = {}
        self.figures = Figures()
        self.edges: dict[str, Figures] = {}
        self.served = 0
        self.number = life << 32
        """Numbers calls and jobs; a restarted service counts on from another place."""
        self.hit_ppm = service.hit_ppm
        self.latest_us = 0

    @property
    def service(self) -> Service:
        """What it is made of."""
        return self.topology.by_name[self.id]

    def stage(self, ctx: Context, job: Job) -> None:
        """All calls of a stage are done: go on with the request."""
        raise NotImplementedError

    def finish(self, ctx: Context, job: Job, status: int, why: str, error_type: str) -> None:
        """Answer the request."""
        raise NotImplementedError

    def call(self, ctx: Context, job: Job, call: Dependency, attempt: int) -> None:
        """Make a call, the first or a later attempt: a breaker may refuse it, a pool may let it wait."""
        now = ctx.now_us
        self.number += 1
        number = self.number
        out = self.calls[number] = Outgoing(job.number, call, attempt, now)
        if self.control.breakers:
            breaker = self.breakers.setdefault(call.dst, Breaker(BREAKER, self.clock(ctx)))
            answer = breaker.acquire(self.clock(ctx))
            if isinstance(answer, Rejection):
                self.send(ctx, number, ("circuit_open", answer.why))
                return
            out.permit = answer
        pool = self.pool if call.dst == self.service.pool_of else None
        if pool is not None:
            before = len(pool.line), pool.busy
            got = pool.acquire(number, now)
            if got == QUEUED:
                out.waiting_us = now
                out.pool = (("pool.name", call.dst), ("pool.in_use", before[1]), ("pool.max", pool.size),
                            ("pool.waiting", before[0] + 1))  # fmt: skip
                if not before[0]:
                    ctx.note(PoolWait(call.dst, before[1], pool.size))
                return
            if got != GRANTED:
                self.send(ctx, number, ("pool_full", "too many wait for a connection"))
                return
        self.send(ctx, number)

    def send(self, ctx: Context, number: int, refused: tuple[str, str] | None = None) -> None:
        """The CLIENT span begins, and the request goes out with its headers, unless it is refused right here."""
        out = self.calls[number]
        job, call, now = self.jobs[out.job], out.call, ctx.now_us
        if out.pool:
            self.tracer.waited(ctx, job.span, job.truth, ACQUIRE_CONNECTION, (out.waiting_us, now), out.pool)
        published = call.operation.startswith("publish ")
        role, layer = self.topology.by_name[call.dst].role, self.topology.by_name[call.dst].layer
        attributes = client_attributes(role, call.dst, call.operation)
        if out.attempt > 1:
            attributes += (("http.request.resend_count", out.attempt - 1),)
        data = role in (CACHE, DATABASE) or published
        name = call.operation if data else call.operation.partition(" ")[0]
        kind = PRODUCER if published else CLIENT
        out.span = self.tracer.child(ctx, job.span, job.truth, name, kind, attributes)
        out.sent_us = now
        if refused is not None:
            self.failed(ctx, number, UNAVAILABLE, *refused)
            return
        headers = self.tracer.headers(out.span, job.headers, job.baggage)
        truth = Truth(job.truth.request, out.span.context.span_id)
        ctx.send(call.dst, Call(number, call.operation, headers, truth))
        out.timeout = self.agenda.add(now + TIMEOUT_US[layer], ("timeout", number))

    def answered(self, ctx: Context, reply: Reply) -> None:
        """A reply: to a call that still waits for it, or too late."""
        out = self.calls.get(reply.number)
        if out is None or out.span is None:
            return
        if reply.status >= 500:
            self.failed(ctx, reply.number, reply.status, str(reply.status))
            return
        self.ended(ctx, reply.number, out, reply.status)
        job = self.jobs.get(out.job)
        if job is not None:
            job.hit = reply.hit
            if reply.status >= 400:
                job.status = reply.status
            self.settled(ctx, job)

    def failed(self, ctx: Context, number: int, status: int, error_type: str, why: str = "") -> None:
        """An attempt failed. It is tried again if it may be, else the request fails with it."""
        out = self.calls[number]
        assert out.span is not None
        text = why or ("no answer in time" if error_type == "timeout" else f"{out.call.dst} answered {status}")
        out.span.failed(text, error_type)
        self.ended(ctx, number, out, status)
        job = self.jobs.get(out.job)
        if job is None:
            return
        if error_type == "timeout":
            ctx.note(TimedOut(out.call.dst, out.call.operation, out.attempt, ctx.now_us - out.sent_us))
        if out.attempt < self.control.attempts and error_type != "circuit_open":
            backoff = BACKOFF if self.control.backoff else AT_ONCE
            delay_us = backoff.delay_us(out.attempt, 0, ctx.stream("backoff").between)
            again = Outgoing(job.number, out.call, out.attempt + 1, ctx.now_us)
            self.number += 1
            self.calls[self.number] = again
            ctx.note(Retried(out.call.dst, again.attempt, delay_us, FAILURES.get(error_type, Failure.STATUS), status))
            if delay_us:
                self.agenda.add(ctx.now_us + delay_us, ("again", self.number))
            else:
                self.again(ctx, self.number)
            return
        job.status = UNAVAILABLE if status >= 500 else status
        self.settled(ctx, job)

    def again(self, ctx: Context, number: int) -> None:
        """The backoff is over."""
        out = self.calls.pop(number)
        job = self.jobs.get(out.job)
        if job is not None:
            attributes = (("retry.attempt", out.attempt), ("server.address", out.call.dst))
            waited = (out.since_us, ctx.now_us)
            self.tracer.waited(ctx, job.span, job.truth, RETRY_BACKOFF, waited, attributes)
            self.call(ctx, job, out.call, out.attempt)

    def ended(self, ctx: Context, number: int, out: Outgoing, status: int) -> None:
        """The CLIENT span ends; connection and permit are given back."""
        del self.calls[number]
        span, now = out.span, ctx.now_us
        assert span is not None
        if 400 <= status < 500:
            span.failed("", str(status))
        if span.attributes[1][0] == "http.request.method" and "timeout" not in span.attributes[-1]:
            span.attributes += (("http.response.status_code", status),)
        self.tracer.finish(span, now)
        self.agenda.cancel(out.timeout)
        figures = self.edges.get(out.call.dst)
        if figures is None:
            figures = self.edges[out.call.dst] = Figures()
        figures.count(now - out.sent_us, status >= 500)
        if out.permit >= 0:
            moved = self.breakers[out.call.dst].result(out.permit, self.clock(ctx), status >= 500, now - out.sent_us)
            if moved is not None:
                ctx.note(BreakerMoved(out.call.dst, moved))
        if self.pool is not None and self.pool.release(number):
            self.serve_pool(ctx)

    def serve_pool(self, ctx: Context) -> None:
        """Connections are free: those who waited longest have them."""
        pool = self.pool
        while pool is not None and (granted := pool.grant(ctx.now_us)) is not None:
            if self.calls[granted[0]].job in self.jobs:
                self.send(ctx, granted[0])
            else:
                del self.calls[granted[0]]
                pool.release(granted[0])

    def settled(self, ctx: Context, job: Job) -> None:
        """One of the calls of a stage is done. A failure is told when all of them are."""
        job.pending -= 1
        if job.pending == 0:
            if job.status == OK:
                self.stage(ctx, job)
            else:
                text = "" if job.status < 500 else "a service it needs failed"
                self.finish(ctx, job, job.status, text, str(job.status))

    def forget_breakers(self) -> None:
        """There are none any more; permits of theirs mean nothing."""
        self.breakers.clear()
        for out in self.calls.values():
            out.permit = -1

    def clock(self, ctx: Context) -> int:
        """The machine's clock for the breakers, which never goes back."""
        self.latest_us = max(self.latest_us, ctx.now_us)
        return self.latest_us
