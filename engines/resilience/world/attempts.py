"""The requests of one edge that are on the wire: chosen a host for, counted, hedged, and forgotten when they end."""

from typing import Final

from engines.resilience import deadline
from engines.resilience.deadline import NEVER
from engines.resilience.world import events as e
from engines.resilience.world.agenda import Due, Schedule
from engines.resilience.world.calls import Attempt, InjectedFault, PendingCall
from engines.resilience.world.ledger import Ledger
from engines.resilience.world.messages import Request
from engines.resilience.world.protection import Protection
from engines.sim.clock import Clock
from engines.sim.node import Context

GONE_MAX: Final = 64
SLOTS: Final = 8
"""Attempts are numbered serial * SLOTS + slot of the edge, so that an answer finds its edge."""


class Attempts:
    """Those of one edge."""

    def __init__(
        self, edge: str, slot: int, src: str, serial: int, clock: Clock, agenda: Schedule, ledger: Ledger,
        protection: Protection,
    ) -> None:  # fmt: skip
        self.edge = edge
        self.slot = slot
        self.src = src
        self.serial = serial
        self.clock = clock
        self.agenda = agenda
        self.ledger = ledger
        self.protection = protection
        self.live: dict[int, Attempt] = {}
        self.gone: dict[int, tuple[int, int]] = {}
        """Attempts whose answer will come too late -> (call, job); the newest only."""
        self.fault = InjectedFault()

    def transmit(self, ctx: Context, call: PendingCall, tells: bool, hedge: bool = False) -> bool:
        """Make an attempt: choose a host, pass the proxy's caps and faults. False if a cap does not allow it.

        ``tells``: the request says how long its sender will wait.
        """
        protection, now = self.protection, self.clock.now_us
        if protection.requests.limit and not protection.requests.take():
            return False
        self.serial += 1
        id = self.serial * SLOTS + self.slot
        self.live[id] = Attempt(call.id, protection.pick(), now, hedge, protection.requests.limit > 0)
        call.live[id] = None
        call.attempts += 1
        self.ledger.sent(self.edge, self.src, id, call.id, call.root, hedge)
        if protection.hedge is not None and not hedge:
            protection.hedge.begin()
            if (delay_us := protection.hedge.delay_us()) is not None:
                call.waiting["hedge"] = self.agenda.add(now + delay_us, Due("hedge", self.edge, call.id))
        fault = self.fault
        wait_us = 0
        if fault.delay_percent and ctx.stream(f"delay/{self.edge}").chance(fault.delay_percent * 10_000):
            wait_us = fault.delay_us
            fault.hits += 1
        if fault.abort_percent and ctx.stream(f"abort/{self.edge}").chance(fault.abort_percent * 10_000):
            self.agenda.add(now + wait_us, Due("abort", self.edge, id))
        elif wait_us:
            self.agenda.add(now + wait_us, Due("send", self.edge, id))
        else:
            self.send(ctx, id, call, tells)
        return True

    def send(self, ctx: Context, id: int, call: PendingCall, tells: bool) -> None:
        """Put the request on the wire."""
        attempt = self.live[id]
        until_us = min(call.limit_us, call.deadline_us) if tells else NEVER
        timeout = deadline.header(until_us, self.clock.now_us)
        ctx.send(attempt.host, Request(id, call.root, call.kind, call.attempts, timeout, attempt.hedge))

    def hedge(self, ctx: Context, call: PendingCall, tells: bool) -> None:
        """The call takes longer than most: ask once more, if the share of such calls allows it."""
        hedge = self.protection.hedge
        if hedge is None or not call.live or not hedge.ask().ok:
            return
        self.ledger.edges[self.edge].add("hedges")
        delay_us = hedge.delay_us()
        hedged = e.CallHedged(self.edge, hedge.quantile_ppm, -1 if delay_us is None else delay_us)
        self.ledger.tell(self.src, f"{self.edge}/hedge", hedged)
        self.transmit(ctx, call, tells, hedge=True)

    def drop(self, call: PendingCall, id: int) -> None:
        """Stop waiting for an attempt."""
        if self.live.pop(id).capped:
            self.protection.requests.give()
        del call.live[id]
        self.gone[id] = (call.id, call.job)
        if len(self.gone) > GONE_MAX:
            del self.gone[next(iter(self.gone))]
        self.ledger.settled(self.src, id)
