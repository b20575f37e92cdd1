"""A machine that serves: a line, workers, work of its own, and calls of others in between.

A worker belongs to a job from its beginning to its answer, also while the job waits for another service. What a caller
that has given up wanted is done all the same, unless the caller said until when it would wait: a machine knows nothing
but what it is told.
"""

from typing import Final

from engines.resilience import deadline
from engines.resilience.shed import WaitLimit
from engines.resilience.world import events as e
from engines.resilience.world.agenda import Due
from engines.resilience.world.caller import Caller, Place
from engines.resilience.world.edge import Edge, Ended
from engines.resilience.world.messages import SERVED, Answer, Origin, Outcome, Request
from engines.resilience.world.shop import ServiceSettings
from engines.resilience.world.topology import route, service_time
from engines.sim.node import Context
from engines.sim.service import GRANTED, QUEUED, Pool, scaled

SEEN_MAX: Final = 256
"""Requests remembered, so that one that the network delivers twice is served once, as over TCP."""


class Job:
    """A request that was taken in."""

    __slots__ = ("deadline_us", "id", "plan", "request", "src", "step")

    def __init__(self, id: int, src: str, request: Request, deadline_us: int, plan: tuple[str, ...]) -> None:
        self.id = id
        self.src = src
        self.request = request
        self.deadline_us = deadline_us
        self.plan = plan
        """Whom to call, one after the other."""
        self.step = -1
        """Which of them is under way; -1: work of its own."""


class ServiceNode(Caller):
    """One machine of a service."""

    def __init__(self, place: Place, settings: ServiceSettings, slow_percent: int, sick_percent: int) -> None:
        super().__init__(place)
        self.pool = Pool(settings.workers, settings.queue_max, settings.newest_first)
        self.shedder = WaitLimit(settings.shed_us) if settings.shed_us else None
        self.usual = service_time(settings.usual_us, settings.shape)
        self.slow_percent = slow_percent
        self.sick_percent = sick_percent
        self.jobs: dict[int, Job] = {}
        self.seen: dict[tuple[str, int], None] = {}
        self.meter = self.ledger.services[self.service]

    def configure(self, settings: ServiceSettings) -> None:
        """Work under other settings from now on."""
        self.pool.size, self.pool.queue_max = settings.workers, settings.queue_max
        self.pool.newest_first = settings.newest_first
        self.shedder = WaitLimit(settings.shed_us) if settings.shed_us else None

    # -- taking in ---------------------------------------------------------------------------------------------

    def asked(self, ctx: Context, src: str, request: Request) -> None:
        """Take the request in, or turn it away."""
        key = (src, request.id)
        if key in self.seen:
            return
        self.seen[key] = None
        if len(self.seen) > SEEN_MAX:
            del self.seen[next(iter(self.seen))]
        self.meter.add("arrived")
        now = self.clock.now_us
        self.serial += 1
        until_us = deadline.received(request.timeout, now)
        job = Job(self.serial, src, request, until_us, route(self.service, request.kind))
        self.jobs[job.id] = job
        got = self.pool.acquire(job.id, now)
        if got == GRANTED:
            self._begin(ctx, job, 0)
        elif got != QUEUED:
            self._refuse(ctx, job, Outcome.FULL)

    def serve_next(self, ctx: Context) -> None:
        """Free workers take the next in line."""
        while (granted := self.pool.grant(self.clock.now_us)) is not None:
            self._begin(ctx, self.jobs[granted[0]], granted[1])

    def _begin(self, ctx: Context, job: Job, waited_us: int) -> None:
        """A worker takes the job: is it still worth doing?"""
        now = self.clock.now_us
        if deadline.expired(job.deadline_us, now):
            self._refuse(ctx, job, Outcome.EXPIRED)
        elif self.shedder is not None and not self.shedder.judge(now, waited_us).ok:
            self._refuse(ctx, job, Outcome.SHED)
        else:
            us = scaled(self.usual.draw(ctx.stream("work")), self.slow_percent)
            self.agenda.add(now + us, Due("work", id=job.id))

    def _refuse(self, ctx: Context, job: Job, why: Outcome) -> None:
        """Not done."""
        self.meter.add("expired" if why is Outcome.EXPIRED else "refused")
        self.ledger.tell(self.host, f"{self.host}/{why}", e.RequestRefused(why, len(self.pool.line)))
        self._answer(ctx, job, why)

    # -- doing -------------------------------------------------------------------------------------------------

    def due(self, ctx: Context, what: str, id: int) -> None:
        """Work of its own is done."""
        job = self.jobs[id]
        if self.sick_percent and ctx.stream("sick").chance(self.sick_percent * 10_000):
            self._done(ctx, job, Outcome.ERROR)
        else:
            self._go_on(ctx, job)
        self.serve_next(ctx)

    def returned(self, ctx: Context, edge: Edge, ended: Ended) -> None:
        """A service it needed has answered, or has not."""
        found = self.jobs.get(ended.job)
        if found is None:
            return
        if ended.why in SERVED:
            self._go_on(ctx, found)
        else:
            self._done(ctx, found, Outcome.DOWNSTREAM, ended.origin)
        self.serve_next(ctx)

    def _go_on(self, ctx: Context, job: Job) -> None:
        """The next service, or the answer."""
        job.step += 1
        if job.step == len(job.plan):
            self._done(ctx, job, Outcome.OK)
        else:
            request = job.request
            self.edges[job.plan[job.step]].begin(ctx, job.id, request.root, request.kind, job.deadline_us)

    def _done(self, ctx: Context, job: Job, why: Outcome, origin: Origin | None = None) -> None:
        """The job is over, one way or the other."""
        if why is not Outcome.OK:
            self.meter.add("failed")
        wanted = self.ledger.worked(self.service, job.src, job.request.id, job.request.root)
        if not wanted:
            self.ledger.tell(self.host, f"{self.host}/wasted", e.WorkWasted(job.src))
        self._answer(ctx, job, why, origin)

    def _answer(self, ctx: Context, job: Job, why: Outcome, origin: Origin | None = None) -> None:
        del self.jobs[job.id]
        self.pool.release(job.id)
        ctx.send(job.src, Answer(job.request.id, why, origin))
