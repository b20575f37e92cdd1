"""A service: workers and a queue before them, perhaps a pool of database connections, and the calls it makes.

A request takes a worker and keeps it until it is answered, as a thread does. The worker works for a while, then makes
its calls stage by stage, those of a stage at the same time. What the request had to wait for is told by spans. How
calls are made is told in ``caller``.
"""

from typing import Any, Final

from engines.sim.node import Context
from engines.sim.service import GRANTED, QUEUED, HeavyTail, Uniform, scaled
from engines.tracing.spans import ACQUIRE_LOCK, QUEUE_WAIT, Link
from engines.tracing.topology import CACHE, CONSUMER, DATABASE, HIT_PPM
from engines.tracing.world.caller import Caller, Job
from engines.tracing.world.events import LockWait, Overloaded, QueueWait
from engines.tracing.world.messages import GATEWAY_TIMEOUT, OK, UNAVAILABLE, Ack, Call, Deliver, Reply, Truth
from engines.tracing.world.telemetry import CONSUMED, SERVER, server_attributes

DENIED: Final = 401
WARMS_BY: Final = 120
"""A miss brings a cold cache by 1/120 of what is left nearer to its usual share of hits."""


class ServiceNode(Caller):
    """One service: what it does for a request."""

    # -- the world's calls ---------------------------------------------------------------------------------------

    def on_start(self, ctx: Context) -> None:
        """Nothing to do until somebody calls."""
        self.resize(ctx)

    def on_synced(self, ctx: Context) -> None:
        """It writes nothing to a disk."""

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """A request, a message of a queue, or the answer to a call."""
        if type(message) is Reply:
            self.answered(ctx, message)
        elif type(message) is Call or type(message) is Deliver:
            self.arrived(ctx, src, message)
        self.agenda.arm(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Something on the agenda is due."""
        for what, subject in self.agenda.due(ctx):
            match what:
                case "worked":
                    self.worked(ctx, self.jobs[subject])
                case "timeout":
                    self.failed(ctx, subject, GATEWAY_TIMEOUT, "timeout")
                case "again":
                    self.again(ctx, subject)
                case "export":
                    self.tracer.export(ctx, self.held.pop(subject))
        self.agenda.arm(ctx)

    def resize(self, ctx: Context) -> None:
        """The pool has its size: its usual one, or that of a fault. Those who can go on do."""
        if self.pool is not None:
            self.pool.size = self.trouble.pool_size or self.service.pool_size
            self.serve_pool(ctx)
            self.agenda.arm(ctx)

    # -- a request ---------------------------------------------------------------------------------------------

    def arrived(self, ctx: Context, src: str, message: Any) -> None:
        """A request is at the door: its span begins, and it waits for a worker if it must."""
        service = self.service
        operation = service.operation(message.operation)
        consumed = type(message) is Deliver
        truth = message.truth if message.truth.request else self.ledger.new_request()
        self.number += 1
        number = self.number
        attributes = server_attributes(service.role, operation.name)
        kind = CONSUMED if consumed else SERVER
        span = self.tracer.serve(ctx, src, message.headers, truth, (operation.name, kind, attributes))
        job = self.jobs[number] = Job(number, src, message, operation, span)
        job.truth = Truth(truth.request, span.context.span_id)
        if consumed:
            span.attributes += (("messaging.queue.wait_us", message.waited_us),)
            if span.context.parent_id:
                span.links = (Link(span.context.trace_id, span.context.parent_id),)
        elif not message.truth.request:
            span.attributes += tuple(_attribute(each) for each in job.baggage)
        got = self.workers.acquire(number, ctx.now_us)
        if got == GRANTED:
            self.begin(ctx, job)
        elif got == QUEUED:
            workers = self.workers
            job.queue = (("queue.depth", len(workers.line)), ("workers.busy", workers.busy),
                         ("workers.max", workers.size))  # fmt: skip
            if len(workers.line) == 1:
                ctx.note(QueueWait(job.operation, workers.size))
        else:
            ctx.note(Overloaded(job.operation, len(self.workers.line)))
            self.finish(ctx, job, UNAVAILABLE, "the queue is full", "overload")

    def begin(self, ctx: Context, job: Job) -> None:
        """A worker takes the request."""
        now = ctx.now_us
        if job.queue:
            self.tracer.waited(ctx, job.span, job.truth, QUEUE_WAIT, (job.arrived_us, now), job.queue)
        if self.trouble.lock_us and self.service.role == DATABASE:
            got = self.lock.acquire(job.number, now)
            if got == QUEUED:
                if len(self.lock.line) == 1:
                    ctx.note(LockWait(job.operation))
                return
            if got != GRANTED:
                self.finish(ctx, job, UNAVAILABLE, "too many wait for the lock", "lock")
                return
        self.work(ctx, job)

    def work(self, ctx: Context, job: Job) -> None:
        """The worker works: services have a long tail, data stores are steadier."""
        operation = self.service.operation(job.operation)
        usual = operation.work_us
        steady = self.service.role in (CACHE, DATABASE)
        times = Uniform(usual * 3 // 4, usual * 5 // 4) if steady else HeavyTail(usual)
        us = times.draw(ctx.stream(f"work {operation.name}"))
        us = scaled(us, self.trouble.slow_percent)
        if job.number in self.lock.held:
            us += self.trouble.lock_us
        self.agenda.add(ctx.now_us + us, ("worked", job.number))

    def worked(self, ctx: Context, job: Job) -> None:
        """Its own work is done: it may have failed, or found nothing; then the calls."""
        if self.lock.release(job.number):
            self.serve_lock(ctx)
        operation = self.service.operation(job.operation)
        fail_ppm = self.trouble.fail_ppm
        if fail_ppm and ctx.stream("fail").chance(fail_ppm):
            self.finish(ctx, job, UNAVAILABLE, "injected failure", "503")
        elif operation.denies_ppm and ctx.stream("deny").chance(operation.denies_ppm):
            self.finish(ctx, job, DENIED, "", "")
        else:
            if self.service.role == CACHE:
                self.look_up(ctx, job)
            self.stage(ctx, job)

    def look_up(self, ctx: Context, job: Job) -> None:
        """Whether the cache has it. A miss makes a cold cache warmer, unless a fault keeps it cold."""
        ppm = self.trouble.cold_ppm or self.hit_ppm
        job.hit = ctx.stream("hit").chance(ppm)
        job.span.attributes += (("cache.hit", job.hit),)
        if not job.hit and self.hit_ppm < HIT_PPM:
            self.hit_ppm += (HIT_PPM - self.hit_ppm) // WARMS_BY + 1

    def stage(self, ctx: Context, job: Job) -> None:
        """The calls of the next stage that has any, or the answer."""
        stages = self.service.operation(job.operation).stages
        while job.stage < len(stages):
            calls = [call for call in stages[job.stage] if not (call.only_on_miss and job.hit)]
            job.stage += 1
            if calls:
                job.pending = len(calls)
                for call in calls:
                    self.call(ctx, job, call, 1)
                return
        self.finish(ctx, job, OK, "", "")

    def finish(self, ctx: Context, job: Job, status: int, why: str, error_type: str) -> None:
        """The answer: the span ends, the worker is free, and what the service recorded is exported."""
        del self.jobs[job.number]
        span, now = job.span, ctx.now_us
        consumer = self.service.role == CONSUMER
        if span.kind == SERVER and self.service.role not in (CACHE, DATABASE):
            span.attributes += (("http.response.status_code", status),)
        if status >= 500:
            span.failed(why, error_type)
        self.tracer.finish(span, now)
        self.served += 1
        self.figures.count(now - span.start_us, status >= 500)
        ctx.send(job.src, Ack(job.reply_number) if consumer else Reply(job.reply_number, status, job.hit))
        self.flush(ctx)
        if self.lock.release(job.number):
            self.serve_lock(ctx)
        if self.workers.release(job.number):
            while (granted := self.workers.grant(now)) is not None:
                self.begin(ctx, self.jobs[granted[0]])

    def flush(self, ctx: Context) -> None:
        """Export, or keep it back for as long as the exporter is late."""
        spans = self.tracer.take(ctx)
        if spans and self.trouble.late_us:
            self.number += 1
            self.held[self.number] = spans
            self.agenda.add(ctx.now_us + self.trouble.late_us, ("export", self.number))
        else:
            self.tracer.export(ctx, spans)

    def serve_lock(self, ctx: Context) -> None:
        """The lock is free: the next query has it."""
        while (granted := self.lock.grant(ctx.now_us)) is not None:
            job = self.jobs[granted[0]]
            attributes = (("lock.name", job.operation.partition(" ")[2]), ("lock.waiting", len(self.lock.line)))
            waited = (ctx.now_us - granted[1], ctx.now_us)
            self.tracer.waited(ctx, job.span, job.truth, ACQUIRE_LOCK, waited, attributes)
            self.work(ctx, job)


def _attribute(header: tuple[str, str]) -> tuple[str, str]:
    """The baggage as an attribute of the span that starts the trace."""
    key, _, value = header[1].partition("=")
    return key, value
