"""One service calling another: the layers a call goes through, and what the edge keeps of it meanwhile.

A call enters the layers one by one, outermost first, is sent as an *attempt* to a host, and its outcome goes back
through the layers it entered, innermost first. A retry sends it in again from there; a timeout cuts everything inside
it off. So the order of the layers is nothing but a tuple, and every order means what it means in a library that nests
functions: with the timeout outside the breaker, for instance, the breaker never sees a timeout, only calls that vanish.

Nothing is called back: outcomes are collected in ``outcomes``, and the node takes them from there. ``attempts.py`` is
the edge's other half: the requests on the wire.
"""

from collections import deque
from typing import NamedTuple

from engines.resilience import deadline
from engines.resilience.deadline import NEVER
from engines.resilience.explain import Rejection
from engines.resilience.states import Cause, State
from engines.resilience.world import events as e
from engines.resilience.world.agenda import Due, Schedule
from engines.resilience.world.attempts import Attempts
from engines.resilience.world.calls import NO_PERMIT, PendingCall
from engines.resilience.world.ledger import Ledger
from engines.resilience.world.messages import BLAMED, INNER, REJECTED, SERVED, Answer, Origin, Outcome
from engines.resilience.world.options import EdgeOptions
from engines.resilience.world.protection import Protection
from engines.resilience.world.rules import ResilienceRules
from engines.sim.clock import Clock
from engines.sim.node import Context


class Ended(NamedTuple):
    """A call is over: whose it was, how it ended, and where a failure began."""

    job: int
    why: Outcome
    origin: Origin | None


class Edge:
    """The calling side of an edge. All times are those of the world's clock, as a monotonic clock gives them."""

    def __init__(
        self, id: str, slot: int, src: str, hosts: tuple[str, ...], options: EdgeOptions, rules: ResilienceRules,
        serial: int, clock: Clock, agenda: Schedule, ledger: Ledger,
    ) -> None:  # fmt: skip
        self.id = id
        self.src = src
        self.clock = clock
        self.agenda = agenda
        self.ledger = ledger
        self.meter = ledger.edges[id]
        self.rules = rules
        self.serial = serial
        self.calls: dict[int, PendingCall] = {}
        self.outcomes: deque[Ended] = deque()
        self.todo: deque[tuple[int, int]] = deque()
        """Calls that may go on -> the layer they enter next."""
        self.announced = ""
        """The state in which a rejection was announced."""
        self.rejected_here = 0
        self.polled = 0
        self.swept = 0
        """The scheduled looks at the breaker and at the outlier detector."""
        self.protection = Protection(id, src, hosts, options, ledger)
        self.attempts = Attempts(id, slot, src, serial, clock, agenda, ledger, self.protection)

    @property
    def options(self) -> EdgeOptions:
        """What is in force."""
        return self.protection.options

    def install(self, ctx: Context, options: EdgeOptions) -> None:
        """Work under these options from now on. Calls under way keep the layers they entered; who waited before a
        bulkhead and may go now goes when the machine next runs."""
        before = self.protection.breaker
        for id in self.protection.install(options, self.clock.now_us):
            self._past_bulkhead(id)
        if self.protection.breaker is not before:
            self.announced, self.rejected_here = "", 0
        self._tell_moves()
        self._schedule_poll()
        self.schedule_sweep()

    def order_breaker(self, ctx: Context, cause: Cause) -> None:
        """An operator's hand on the breaker."""
        if self.protection.breaker is not None:
            self.protection.breaker.order(cause, self.clock.now_us)
            self._tell_moves()

    # -- what the node asks for --------------------------------------------------------------------------------

    def begin(self, ctx: Context, job: int, root: int, kind: str, deadline_us: int) -> None:
        """Make a call; its outcome will be in ``outcomes``."""
        now, protection = self.clock.now_us, self.protection
        self.serial += 1
        call = PendingCall(self.serial, job, root, kind, protection.layers(deadline_us), now)
        call.deadline_us = deadline_us
        self.calls[call.id] = call
        self.meter.add("calls")
        self.ledger.facts.append(("begin", self.id, self.src, call.id, root, protection.most_attempts()))
        if "retry" in call.order:
            if protection.budget is not None:
                protection.budget.deposit(now)
            call.active = protection.active
            if call.active is not None:
                call.active.begin()
            self.ledger.facts.append(("deposit", self.id, self.src, call.id))
        self.todo.append((call.id, 0))
        self.pump(ctx)

    def answered(self, ctx: Context, answer: Answer) -> None:
        """An answer has come, perhaps too late."""
        found = self.attempts.live.get(answer.id)
        if found is None:
            self._late(answer)
            return
        call, why = self.calls[found.call], answer.why
        self.attempts.drop(call, answer.id)
        if why is Outcome.OK and self.protection.hedge is not None:
            self.protection.hedge.record(self.clock.now_us - found.sent_us)
        self._judge_host(ctx, found.host, why)
        if why is not Outcome.OK and call.live:
            return
        if found.hedge and why is Outcome.OK:
            self.meter.add("hedges_won")
        for other in tuple(call.live):
            self.attempts.drop(call, other)
        self._cancel(call, "hedge")
        call.origin = answer.origin
        self._up(ctx, call, len(call.order), why)
        self.pump(ctx)

    def due(self, ctx: Context, what: str, id: int) -> None:
        """Something that was scheduled is due."""
        match what:
            case "timeout":
                call = self.calls[id]
                at = call.order.index("timeout")
                self._cut(ctx, call, at)
                self._up(ctx, call, at, Outcome.TIMEOUT)
            case "retry":
                call = self.calls[id]
                del call.waiting["retry"]
                self.todo.append((id, call.order.index("retry") + 1))
            case "hedge":
                call = self.calls[id]
                del call.waiting["hedge"]
                self.attempts.hedge(ctx, call, self.options.deadline > 0)
            case "send" if id in self.attempts.live:
                self.attempts.send(ctx, id, self.calls[self.attempts.live[id].call], self.options.deadline > 0)
            case "abort" if id in self.attempts.live:
                self.answered(ctx, Answer(id, Outcome.ABORTED))
            case "poll":
                self.polled = 0
                if self.protection.breaker is not None:
                    self.protection.breaker.poll(self.clock.now_us)
                    self._tell_moves()
                    self._schedule_poll()
            case "sweep":
                self._sweep(ctx)
        self.pump(ctx)

    def pump(self, ctx: Context) -> None:
        """Let every call go on that may."""
        while self.todo:
            id, layer = self.todo.popleft()
            call = self.calls.get(id)
            if call is not None:
                self._enter(ctx, call, layer)

    # -- inwards -----------------------------------------------------------------------------------------------

    def _enter(self, ctx: Context, call: PendingCall, layer: int) -> None:
        """Go inwards from this layer until the call is sent, waits or is turned away."""
        for at in range(layer, len(call.order)):
            call.place = at
            match call.order[at]:
                case "retry":
                    call.tries = 1
                case "breaker":
                    if not self._admit(ctx, call):
                        self._turn_away(ctx, call, at, Outcome.OPEN)
                        return
                case "limiter":
                    limiter = self.protection.limiter
                    if limiter is not None and not limiter.take(self.clock.now_us).ok:
                        self._turn_away(ctx, call, at, Outcome.LIMITED)
                        return
                case "timeout":
                    if not self._set_timeout(call):
                        self._turn_away(ctx, call, at, Outcome.TIMEOUT)
                        return
                case "bulkhead":
                    if not self._board(ctx, call, at):
                        return
        call.place = len(call.order)
        if not self.attempts.transmit(ctx, call, self.options.deadline > 0):
            self._turn_away(ctx, call, len(call.order), Outcome.CAPPED)

    def _admit(self, ctx: Context, call: PendingCall) -> bool:
        """Ask the breaker."""
        breaker, now = self.protection.breaker, self.clock.now_us
        call.permit, call.guard, call.acquired_us = NO_PERMIT, breaker, now
        if breaker is None:
            return True
        got = breaker.acquire(now)
        self.ledger.facts.append(("asked", self.id, self.src))
        self._tell_moves()
        if isinstance(got, Rejection):
            self.meter.add("turned_away")
            self.rejected_here += 1
            spared = self.rules.probe_limit if got.state is State.HALF_OPEN else self.rules.open_rejects
            if self.announced != got.state:
                self.announced = got.state
                ctx.note(e.CallRejected(self.id, got))
            if spared:
                return False
        else:
            call.permit = got
        self.ledger.facts.append(("admitted", self.id, self.src, call.id, call.permit))
        return True

    def _set_timeout(self, call: PendingCall) -> bool:
        """Start the timeout; False if the time is over already."""
        now = self.clock.now_us
        call.limit_us = deadline.after(now, self.options.timeout_us, call.deadline_us)
        if deadline.expired(call.limit_us, now):
            return False
        if call.limit_us < NEVER:
            call.waiting["timeout"] = self.agenda.add(call.limit_us, Due("timeout", self.id, call.id))
        return True

    def _turn_away(self, ctx: Context, call: PendingCall, at: int, why: Outcome) -> None:
        if why in REJECTED:
            self.meter.add("rejected")
            if why is not Outcome.OPEN:
                self.ledger.tell(self.src, f"{self.id}/{why}", e.CallTurnedAway(self.id, why))
        call.origin = None
        self._up(ctx, call, at, why)

    def _board(self, ctx: Context, call: PendingCall, at: int) -> bool:
        """Take a permit of the bulkhead; False if the call waits in line or is turned away."""
        protection = self.protection
        if protection.bulkhead is None:
            return True
        entry = protection.bulkhead.acquire()
        if entry.ok:
            protection.held[call.id] = None
        elif entry.queued:
            protection.line.append(call.id)
        else:
            self._turn_away(ctx, call, at, Outcome.BULKHEAD)
        return entry.ok

    # -- outwards ----------------------------------------------------------------------------------------------

    def _up(self, ctx: Context, call: PendingCall, layer: int, why: Outcome) -> None:
        """The outcome goes outwards from this layer; a retry may turn it round."""
        for at in range(layer - 1, -1, -1):
            call.place = at - 1
            match call.order[at]:
                case "bulkhead":
                    self._free(call)
                case "timeout":
                    self._cancel(call, "timeout")
                    call.limit_us = NEVER
                case "breaker":
                    self._report(ctx, call, why)
                case "retry":
                    if self._try_again(ctx, call, at, why):
                        return
        self._end(ctx, call, why)

    def _try_again(self, ctx: Context, call: PendingCall, at: int, why: Outcome) -> bool:
        """Whether the call will be tried again; then its next try is scheduled."""
        now, draw = self.clock.now_us, ctx.stream(f"backoff/{self.id}").between
        decision = self.protection.retry_after(call, why, now, draw, self.rules.retry_limit)
        if decision.denied is not None:
            self.meter.add("denied")
            self.ledger.tell(self.src, f"{self.id}/denied", e.RetryDenied(self.id, decision.denied))
        if not decision.again:
            return False
        call.tries += 1
        call.delay_us = decision.delay_us
        call.place = at
        call.waiting["retry"] = self.agenda.add(now + decision.delay_us, Due("retry", self.id, call.id))
        self.meter.add("retried")
        self.ledger.facts.append(("retried", self.id, self.src, call.id))
        retried = e.CallRetried(self.id, why, decision.delay_us, call.tries)
        self.ledger.tell(self.src, f"{self.id}/retry", retried)
        return True

    def _report(self, ctx: Context, call: PendingCall, why: Outcome) -> None:
        """Tell the breaker how it ended."""
        breaker, now, permit = self.protection.breaker, self.clock.now_us, call.permit
        if breaker is None or breaker is not call.guard or permit == NO_PERMIT:
            return
        call.permit = NO_PERMIT
        failed, duration_us = why is not Outcome.OK, now - call.acquired_us
        inner = why in INNER
        facts = self.ledger.facts
        if inner and not breaker.options.inner_rejections:
            facts.append(("cancelled", self.id, self.src, call.id, permit))
            breaker.release(permit, now)
        else:
            facts.append(("result", self.id, self.src, call.id, permit, failed, 0 if inner else duration_us))
            if inner:
                breaker.refused(permit, now)
            elif failed or self.rules.count_success or breaker.state is not State.CLOSED:
                breaker.result(permit, now, failed, duration_us)
        self._tell_moves()
        if not self.polled:
            self._schedule_poll()

    def _end(self, ctx: Context, call: PendingCall, why: Outcome) -> None:
        """The call is over."""
        del self.calls[call.id]
        protection, now = self.protection, self.clock.now_us
        if call.capped:
            protection.retries.give()
        if call.active is not None:
            call.active.end(call.retrying)
        self.meter.add("ended")
        self.meter.add("tries", call.attempts)
        if why not in REJECTED:
            self.ledger.latency[self.id].running.record(now - call.began_us)
        if why is Outcome.OK:
            protection.fallback.remember(now, call.root)
        else:
            self.meter.add("failed")
            why = self._failed(call, why)
        origin: Origin | None = None
        if why not in SERVED:
            passed_on = why is Outcome.DOWNSTREAM and call.origin is not None
            origin = call.origin if passed_on else Origin(why, self.id)
        self.ledger.facts.append(("end", self.id, self.src, call.id, why))
        self.outcomes.append(Ended(call.job, why, origin))

    def _failed(self, call: PendingCall, why: Outcome) -> Outcome:
        """The call failed; perhaps something else is served in its place."""
        if why not in REJECTED:
            failed = e.CallFailed(self.id, why, call.origin, call.attempts)
            self.ledger.tell(self.src, f"{self.id}/{why}", failed)
        served = self.protection.fallback.serve(self.clock.now_us, why)
        if not served.ok:
            return why
        self.meter.add("fallbacks")
        self.ledger.tell(self.src, f"{self.id}/fallback", e.FallbackServed(self.id, why, served.age_us))
        return Outcome.FALLBACK

    # -- odds and ends -----------------------------------------------------------------------------------------

    def _cut(self, ctx: Context, call: PendingCall, at: int) -> None:
        """Cut off everything inside layer ``at``: nobody waits for it any more."""
        call.origin = None
        for id in tuple(call.live):
            self._judge_host(ctx, self.attempts.live[id].host, Outcome.TIMEOUT)
            self.attempts.drop(call, id)
        self._cancel(call, "hedge")
        for inner in range(min(call.place, len(call.order) - 1), at, -1):
            match call.order[inner]:
                case "bulkhead" if self.rules.release_permits or call.id in self.protection.line:
                    self._free(call)
                case "retry":
                    self._cancel(call, "retry")
                case "breaker":
                    self._release_permit(ctx, call)
        call.waiting.pop("timeout", None)

    def _release_permit(self, ctx: Context, call: PendingCall) -> None:
        """The breaker will never hear how this call ended."""
        breaker, permit, call.permit = self.protection.breaker, call.permit, NO_PERMIT
        if breaker is None or breaker is not call.guard or permit == NO_PERMIT:
            return
        self.ledger.facts.append(("cancelled", self.id, self.src, call.id, permit))
        if self.rules.release_permits:
            breaker.release(permit, self.clock.now_us)
            self._tell_moves()

    def _late(self, answer: Answer) -> None:
        """An answer nobody waits for: dropped, as it must be."""
        call, job = self.attempts.gone.pop(answer.id, (0, 0))
        if call:
            self.meter.add("late")
        if call and call not in self.calls and not self.rules.answer_once:
            self.ledger.facts.append(("end", self.id, self.src, call, answer.why))
            self.outcomes.append(Ended(job, answer.why, Origin(answer.why, self.id)))

    def _cancel(self, call: PendingCall, what: str) -> None:
        if number := call.waiting.pop(what, 0):
            self.agenda.cancel(number)

    def _free(self, call: PendingCall) -> None:
        """Give the place in the bulkhead, or in its line, back and let the next in."""
        protection = self.protection
        if protection.bulkhead is None:
            return
        if call.id in protection.held:
            del protection.held[call.id]
            if protection.bulkhead.release():
                self._past_bulkhead(protection.next_in_line())
        elif call.id in protection.line:
            protection.line.remove(call.id)
            protection.bulkhead.give_up()

    def _past_bulkhead(self, id: int) -> None:
        self.todo.append((id, self.calls[id].order.index("bulkhead") + 1))

    # -- what it learns while it works -------------------------------------------------------------------------

    def _tell_moves(self) -> None:
        """Tell of every transition of the breaker, and see to it that it is polled when time moves it."""
        breaker = self.protection.breaker
        if breaker is None or not breaker.fresh:
            return
        for each in breaker.drain():
            self.announced, self.rejected_here = "", 0
            fact = ("moved", self.id, self.src, each.dst.value, breaker.era, each.at_us, each.cause)
            self.ledger.facts.append(fact)
            self.ledger.moves.append((self.src, e.BreakerMoved(self.id, each)))
        self._schedule_poll()

    def _schedule_poll(self) -> None:
        """See to it that the breaker is polled when time alone may move it."""
        self.agenda.cancel(self.polled)
        breaker = self.protection.breaker
        due_us = breaker.next_us() if breaker is not None else None
        self.polled = 0 if due_us is None else self.agenda.add(due_us, Due("poll", self.id, 0))

    def _judge_host(self, ctx: Context, host: str, why: Outcome) -> None:
        """Tell the outlier detector of an answer that speaks for or against the host; a timeout speaks against it."""
        if why is Outcome.OK or why in BLAMED:
            ejection = self.protection.judge_host(host, why is not Outcome.OK, self.clock.now_us)
            if ejection is not None:
                ctx.note((e.HostEjected if ejection.out else e.HostKept)(self.id, ejection))

    def _sweep(self, ctx: Context) -> None:
        """The outlier detector's regular look at all hosts."""
        self.swept = 0
        for ejection, was_out in self.protection.sweep(self.clock.now_us):
            kind = e.HostEjected if ejection.out else e.HostReturned if was_out else e.HostKept
            ctx.note(kind(self.id, ejection))
        self.schedule_sweep()

    def schedule_sweep(self) -> None:
        """Schedule the next one."""
        detector = self.protection.detector
        if detector is not None and not self.swept:
            self.swept = self.agenda.add(detector.next_us(), Due("sweep", self.id, 0))
