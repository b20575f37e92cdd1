"""One service calling another: the pipeline a call goes through, and what it keeps in mind meanwhile.

A call enters the layers one by one, outermost first, is sent as an *attempt* to a host, and its outcome goes back
through the layers it entered, innermost first. A retry sends it in again from there; a timeout cuts everything inside
it off. So the order of the layers is nothing but a tuple, and every order means what it means in a library that nests
functions: with the timeout outside the breaker, for instance, the breaker never sees a timeout, only calls that vanish.

Nothing is called back: outcomes are collected in ``outcomes``, and the node takes them from there.
"""

from collections import deque
from typing import Final

from engines.resilience import deadline
from engines.resilience.deadline import NEVER
from engines.resilience.explain import Rejection
from engines.resilience.states import Cause, State
from engines.resilience.world import messages as m
from engines.resilience.world import watching
from engines.resilience.world.agenda import Agenda
from engines.resilience.world.gear import Gear
from engines.resilience.world.ledger import Ledger
from engines.resilience.world.options import EdgeOptions
from engines.resilience.world.records import Attempt, InjectedFault, PendingCall
from engines.resilience.world.retrying import again
from engines.resilience.world.rules import Rules
from engines.sim.clock import Clock
from engines.sim.node import Context

GONE_MAX: Final = 64
SLOTS: Final = 8
"""Attempts are numbered serial * SLOTS + slot of the edge, so that an answer finds its edge."""
INNER: Final = (m.LIMITED, m.BULKHEAD, m.CAPPED)
"""Rejections further in than the breaker, in the usual order."""


class Edge:
    """The calling side of an edge. All times are those of the world's clock, as a monotonic clock gives them."""

    def __init__(
        self, id: str, slot: int, src: str, hosts: tuple[str, ...], options: EdgeOptions, rules: Rules, serial: int,
        clock: Clock, agenda: Agenda, ledger: Ledger,
    ) -> None:  # fmt: skip
        self.id = id
        self.src = src
        self.slot = slot
        self.clock = clock
        self.agenda = agenda
        self.ledger = ledger
        self.meter = ledger.edges[id]
        self.rules = rules
        self.serial = serial
        self.calls: dict[int, PendingCall] = {}
        self.attempts: dict[int, Attempt] = {}
        self.gone: dict[int, tuple[int, int]] = {}
        """Attempts whose answer will come too late -> (call, job); the newest only."""
        self.outcomes: deque[tuple[int, str]] = deque()
        self.todo: deque[tuple[int, int]] = deque()
        """Calls that may go on -> the layer they enter next."""
        self.fault = InjectedFault()
        self.told = ""
        """The state in which a rejection was told."""
        self.rejected_here = 0
        self.polled = 0
        self.swept = 0
        """Dates of the breaker and of the outlier detector."""
        self.gear = Gear(id, src, hosts, options, ledger)

    @property
    def options(self) -> EdgeOptions:
        """What is in force."""
        return self.gear.options

    def install(self, ctx: Context, options: EdgeOptions) -> None:
        """Work under these options from now on. Calls under way keep the layers they entered; who waited before a
        bulkhead and may go now goes when the machine next runs."""
        before = self.gear.breaker
        for id in self.gear.install(options, self.clock.now_us):
            self._past_bulkhead(id)
        if self.gear.breaker is not before:
            self.told, self.rejected_here = "", 0
        watching.moved(self, ctx)
        watching.watch_breaker(self)
        watching.watch_hosts(self, ctx)

    def order_breaker(self, ctx: Context, cause: Cause) -> None:
        """An operator's hand on the breaker."""
        if self.gear.breaker is not None:
            self.gear.breaker.order(cause, self.clock.now_us)
            watching.moved(self, ctx)

    # -- what the node asks for --------------------------------------------------------------------------------

    def begin(self, ctx: Context, job: int, root: int, kind: str, deadline_us: int) -> None:
        """Make a call; its outcome will be in ``outcomes``."""
        now = self.clock.now_us
        self.serial += 1
        call = PendingCall(self.serial, job, root, kind, self.gear.layers(deadline_us), now)
        call.deadline_us = deadline_us
        self.calls[call.id] = call
        self.meter.add("calls")
        self.ledger.facts.append(("begin", self.id, self.src, call.id, root, self.gear.most_attempts()))
        if "retry" in call.order:
            if self.gear.budget is not None:
                self.gear.budget.deposit(now)
            call.active = self.gear.active
            if call.active is not None:
                call.active.begin()
            self.ledger.facts.append(("deposit", self.id, self.src, call.id))
        self.todo.append((call.id, 0))
        self.pump(ctx)

    def answered(self, ctx: Context, attempt: int, why: str) -> None:
        """An answer has come, perhaps too late."""
        found = self.attempts.get(attempt)
        if found is None:
            self._late(ctx, attempt, why)
            return
        call = self.calls[found.call]
        self._drop_attempt(call, attempt)
        watching.learn(self, ctx, found, why)
        if why != m.OK and call.live:
            return
        if found.hedge and why == m.OK:
            self.meter.add("hedges_won")
        for other in tuple(call.live):
            self._drop_attempt(call, other)
        self._strike(call, "hedge")
        self._up(ctx, call, len(call.order), why)
        self.pump(ctx)

    def date(self, ctx: Context, what: str, id: int) -> None:
        """Something that was put into the agenda is due."""
        match what:
            case "timeout":
                call = self.calls[id]
                at = call.order.index("timeout")
                self._cut(ctx, call, at)
                self._up(ctx, call, at, m.TIMEOUT)
            case "retry":
                call = self.calls[id]
                del call.waiting["retry"]
                self.todo.append((id, call.order.index("retry") + 1))
            case "hedge":
                call = self.calls[id]
                del call.waiting["hedge"]
                self._hedge(ctx, call)
            case "send":
                if id in self.attempts:
                    self._send(ctx, id)
            case "abort":
                if id in self.attempts:
                    self.answered(ctx, id, m.ABORTED)
            case "poll":
                self.polled = 0
                if self.gear.breaker is not None:
                    self.gear.breaker.poll(self.clock.now_us)
                    watching.moved(self, ctx)
                    watching.watch_breaker(self)
            case "sweep":
                watching.sweep(self, ctx)
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
                        self._turn_away(ctx, call, at, m.OPEN)
                        return
                case "limiter":
                    limiter = self.gear.limiter
                    if limiter is not None and not limiter.take(self.clock.now_us).ok:
                        self._turn_away(ctx, call, at, m.LIMITED)
                        return
                case "timeout":
                    if not self._set_timeout(call):
                        self._turn_away(ctx, call, at, m.TIMEOUT)
                        return
                case "bulkhead":
                    if not self._board(ctx, call, at):
                        return
        call.place = len(call.order)
        self._transmit(ctx, call)

    def _admit(self, ctx: Context, call: PendingCall) -> bool:
        """Ask the breaker."""
        breaker, now = self.gear.breaker, self.clock.now_us
        call.permit, call.guard, call.acquired_us = -1, breaker, now
        if breaker is None:
            return True
        got = breaker.acquire(now)
        self.ledger.facts.append(("asked", self.id, self.src))
        watching.moved(self, ctx)
        if isinstance(got, Rejection):
            self.meter.add("turned_away")
            self.rejected_here += 1
            spared = self.rules.probe_limit if got.state is State.HALF_OPEN else self.rules.open_rejects
            if self.told != got.state:
                self.told = got.state
                ctx.note("rejected", got.why, edge=self.id, state=got.state.value)
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
            call.waiting["timeout"] = self.agenda.add(call.limit_us, "timeout", self.id, call.id)
        return True

    def _turn_away(self, ctx: Context, call: PendingCall, at: int, why: str) -> None:
        if why in m.REJECTED:
            self.meter.add("rejected")
            if why != m.OPEN and (count := self.ledger.may_tell(f"{self.id}/{why}")):
                ctx.note("turned_away", m.WORDS[why], edge=self.id, outcome=why, count=count)
        self._up(ctx, call, at, why)

    def _board(self, ctx: Context, call: PendingCall, at: int) -> bool:
        """Take a permit of the bulkhead; False if the call waits in line or is turned away."""
        gear = self.gear
        if gear.bulkhead is None:
            return True
        entry = gear.bulkhead.acquire()
        if entry.ok:
            gear.held[call.id] = None
        elif entry.queued:
            gear.line.append(call.id)
        else:
            self._turn_away(ctx, call, at, m.BULKHEAD)
        return entry.ok

    def _transmit(self, ctx: Context, call: PendingCall, hedge: bool = False) -> None:
        """Make an attempt: choose a host, pass the proxy's caps and faults."""
        gear, now = self.gear, self.clock.now_us
        if gear.requests.limit and gear.requests.take():
            if not hedge:
                self._turn_away(ctx, call, len(call.order), m.CAPPED)
            return
        self.serial += 1
        id = self.serial * SLOTS + self.slot
        self.attempts[id] = Attempt(call.id, gear.pick(), now, hedge, gear.requests.limit > 0)
        call.live[id] = None
        call.attempts += 1
        self.ledger.sent(self.id, self.src, id, call.id, call.root, hedge)
        if gear.hedge is not None and not hedge:
            gear.hedge.begin()
            if (delay_us := gear.hedge.delay_us()) is not None:
                call.waiting["hedge"] = self.agenda.add(now + delay_us, "hedge", self.id, call.id)
        fault = self.fault
        wait_us = 0
        if fault.delay_percent and ctx.stream(f"delay/{self.id}").chance(fault.delay_percent * 10_000):
            wait_us = fault.delay_us
        if fault.abort_percent and ctx.stream(f"abort/{self.id}").chance(fault.abort_percent * 10_000):
            self.agenda.add(now + wait_us, "abort", self.id, id)
        elif wait_us:
            self.agenda.add(now + wait_us, "send", self.id, id)
        else:
            self._send(ctx, id)

    def _hedge(self, ctx: Context, call: PendingCall) -> None:
        """The call takes longer than most: ask once more, if the share of such calls allows it."""
        hedge = self.gear.hedge
        if hedge is None or not call.live:
            return
        permission = hedge.ask()
        if not permission.ok:
            return
        self.meter.add("hedges")
        if count := self.ledger.may_tell(f"{self.id}/hedge"):
            ctx.note("hedge", permission.why, edge=self.id, count=count)
        self._transmit(ctx, call, hedge=True)

    def _send(self, ctx: Context, id: int) -> None:
        attempt = self.attempts[id]
        call = self.calls[attempt.call]
        until_us = min(call.limit_us, call.deadline_us) if self.options.deadline else NEVER
        timeout = deadline.header(until_us, self.clock.now_us)
        ctx.send(attempt.host, m.Request(id, call.root, call.kind, call.attempts, timeout, attempt.hedge))

    # -- outwards ----------------------------------------------------------------------------------------------

    def _up(self, ctx: Context, call: PendingCall, layer: int, why: str) -> None:
        """The outcome goes outwards from this layer; a retry may turn it round."""
        for at in range(layer - 1, -1, -1):
            call.place = at - 1
            match call.order[at]:
                case "bulkhead":
                    self._free(call)
                case "timeout":
                    self._strike(call, "timeout")
                    call.limit_us = NEVER
                case "breaker":
                    self._report(ctx, call, why)
                case "retry":
                    if again(self, ctx, call, at, why):
                        return
        self._end(ctx, call, why)

    def _report(self, ctx: Context, call: PendingCall, why: str) -> None:
        """Tell the breaker how it ended."""
        breaker, now, permit = self.gear.breaker, self.clock.now_us, call.permit
        if breaker is None or breaker is not call.guard or permit < 0:
            return
        call.permit = -1
        failed, duration_us = why != m.OK, now - call.acquired_us
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
        watching.moved(self, ctx)
        if not self.polled:
            watching.watch_breaker(self)

    def _end(self, ctx: Context, call: PendingCall, why: str) -> None:
        """The call is over."""
        del self.calls[call.id]
        if call.capped:
            self.gear.retries.give()
        if call.active is not None:
            call.active.end(call.retrying)
        meter = self.meter
        meter.add("ended")
        meter.add("tries", call.attempts)
        if why not in m.REJECTED:
            self.ledger.latency[self.id].running.record(self.clock.now_us - call.began_us)
        if why == m.OK:
            self.gear.fallback.remember(self.clock.now_us, call.root)
        else:
            meter.add("failed")
            if why not in m.REJECTED and (count := self.ledger.may_tell(f"{self.id}/{why}")):
                ctx.note("failed", m.WORDS[why], edge=self.id, outcome=why, attempts=call.attempts, count=count)
            served = self.gear.fallback.serve(self.clock.now_us, m.WORDS[why])
            if served.ok:
                meter.add("fallbacks")
                if count := self.ledger.may_tell(f"{self.id}/fallback"):
                    ctx.note("fallback", served.why, edge=self.id, count=count)
                why = m.FALLBACK
        self.ledger.facts.append(("end", self.id, self.src, call.id, why))
        self.outcomes.append((call.job, why))

    # -- odds and ends -----------------------------------------------------------------------------------------

    def _cut(self, ctx: Context, call: PendingCall, at: int) -> None:
        """Cut off everything inside layer ``at``: nobody waits for it any more."""
        for id in tuple(call.live):
            watching.judge_host(self, ctx, self.attempts[id].host, failed=True)
            self._drop_attempt(call, id)
        self._strike(call, "hedge")
        for inner in range(min(call.place, len(call.order) - 1), at, -1):
            match call.order[inner]:
                case "bulkhead" if self.rules.release_permits or call.id in self.gear.line:
                    self._free(call)
                case "retry":
                    self._strike(call, "retry")
                case "breaker":
                    self._cancel(ctx, call)
        call.waiting.pop("timeout", None)

    def _cancel(self, ctx: Context, call: PendingCall) -> None:
        """The breaker will never hear how this call ended."""
        breaker, permit, call.permit = self.gear.breaker, call.permit, -1
        if breaker is None or breaker is not call.guard or permit < 0:
            return
        self.ledger.facts.append(("cancelled", self.id, self.src, call.id, permit))
        if self.rules.release_permits:
            breaker.release(permit, self.clock.now_us)
            watching.moved(self, ctx)

    def _drop_attempt(self, call: PendingCall, id: int) -> None:
        """Stop waiting for an attempt."""
        if self.attempts.pop(id).capped:
            self.gear.requests.give()
        del call.live[id]
        self.gone[id] = (call.id, call.job)
        if len(self.gone) > GONE_MAX:
            del self.gone[next(iter(self.gone))]
        self.ledger.settled(self.src, id)

    def _late(self, ctx: Context, attempt: int, why: str) -> None:
        """An answer nobody waits for: dropped, as it must be."""
        call, job = self.gone.pop(attempt, (0, 0))
        if call:
            self.meter.add("late")
        if call and call not in self.calls and not self.rules.answer_once:
            self.ledger.facts.append(("end", self.id, self.src, call, why))
            self.outcomes.append((job, why))

    def _strike(self, call: PendingCall, what: str) -> None:
        if number := call.waiting.pop(what, 0):
            self.agenda.cancel(number)

    def _free(self, call: PendingCall) -> None:
        """Give the place in the bulkhead, or in its line, back and let the next in."""
        gear = self.gear
        if gear.bulkhead is None:
            return
        if call.id in gear.held:
            del gear.held[call.id]
            if gear.bulkhead.release():
                self._past_bulkhead(gear.next_in_line())
        elif call.id in gear.line:
            gear.line.remove(call.id)
            gear.bulkhead.give_up()

    def _past_bulkhead(self, id: int) -> None:
        self.todo.append((id, self.calls[id].order.index("bulkhead") + 1))
