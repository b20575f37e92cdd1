"""Whether a failed call is tried again: the retries, the cap, the budget, and the time that is left."""

from typing import TYPE_CHECKING, Final

from engines.resilience.deadline import NEVER
from engines.resilience.world import messages as m
from engines.resilience.world.records import PendingCall
from engines.sim.clock import US_PER_MS
from engines.sim.node import Context

if TYPE_CHECKING:
    from engines.resilience.world.edge import Edge

UNLIMITED_US: Final = 50 * US_PER_MS
"""Between attempts that no rule limits."""


def again(edge: "Edge", ctx: Context, call: PendingCall, at: int, why: str) -> bool:
    """Whether the call is tried again, later."""
    if why in (m.OK, m.OPEN):
        return False
    now = edge.clock.now_us
    left_us = call.deadline_us - now if call.deadline_us < NEVER else None
    draw = ctx.stream(f"backoff/{edge.id}").between
    decision = edge.gear.retry.decide(call.tries, call.delay_us, draw, left_us)
    strict = edge.rules.retry_limit
    if strict and not decision.again:
        return False
    denied = _denied(edge, call)
    if strict and denied:
        edge.meter.add("denied")
        if count := edge.ledger.may_tell(f"{edge.id}/denied"):
            ctx.note("denied", denied, edge=edge.id, count=count)
        return False
    delay_us = decision.delay_us if decision.again else max(edge.options.base_us, UNLIMITED_US)
    call.tries += 1
    call.delay_us = delay_us
    call.place = at
    call.waiting["retry"] = edge.agenda.add(now + delay_us, "retry", edge.id, call.id)
    edge.meter.add("retried")
    edge.ledger.facts.append(("retried", edge.id, edge.src, call.id))
    if count := edge.ledger.may_tell(f"{edge.id}/retry"):
        ctx.note("retry", m.WORDS[why], edge=edge.id, delay_us=delay_us, attempt=call.tries, count=count)
    return True


def _denied(edge: "Edge", call: PendingCall) -> str:
    """Why cap and budget do not allow another retry; nothing if they do."""
    gear = edge.gear
    if gear.retries.limit and not call.capped:
        if why := gear.retries.take():
            return why
        call.capped = True
    if call.active is not None:
        call.active.end(call.retrying)
        grant = call.active.withdraw()
        call.retrying = grant.ok
        if not grant.ok:
            call.active.begin()
        return "" if grant.ok else grant.why
    if gear.budget is not None:
        paid = gear.budget.withdraw(edge.clock.now_us)
        return "" if paid.ok else paid.why
    return ""
