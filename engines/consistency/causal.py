"""Causal consistency in its three meanings, and PRAM, as bad patterns: judged as the history grows.

PO is session order, RF leads from a write to its readers, CO = (PO u RF)+. With unique values a history breaks

- CC, weak causal consistency: CyclicCO; ThinAirRead; WriteCOInitRead: w CO r, and r reads the initial value of w's key;
  WriteCORead: w1 CO w2 CO r, one key, r reads w1
- CCv, causal convergence: CC, or CyclicCF: CF u CO has a cycle, where w1 CF w2 iff some r reads w2 and w1 CO r, one key
- CM, causal memory: CC, or a cycle of HB, or an initial read with a write of its key HB-before it. HB of a session p:
  the least transitive order with CO among what is in p's past, and for each read r2 of p that reads w2: w1 HB r2 =>
  w1 HB w2
- PRAM: the same closure for each session p, from PO over all writes and p's operations, and RF into p only

These are the senses of Bouajjani et al., "On verifying causal consistency", POPL 2017, tables 1 to 3. CC and CCv do not
imply PRAM in this sense; CM does.

Each judge takes an operation at a time and stops at the first violation. CC looks at one read only, CCv and HB keep the
orders they add (``Edges``) and look for the cycle that a new one would close.
"""

from typing import Final

from engines.consistency.history import Key
from engines.consistency.order import CausalOrder, Edges, Past, Write, covers, merge, within
from engines.consistency.verdict import OK, Verdict, Why, violation

MODELS: Final = ("causal", "ccv", "cm", "pram")


class SessionOrder:
    """HB of one session: its reads so far, and the orders between writes that they force."""

    def __init__(self, causal: bool) -> None:
        self.causal = causal
        """Whether a write brings its causal past (CM) or only its session's earlier writes (PRAM)."""
        self.edges = Edges()
        self.past: Past = ()
        self.saved: Past = ()
        self.reads: list[tuple[int, Key, Write | None, Past]] = []

    def base(self, write: Write) -> Past:
        """The past of a write before this session's reads are considered."""
        return write.past if self.causal else write.own

    def wrote(self, write: Write) -> None:
        """The session's own write."""
        self.saved = self.past
        if not within(self.past, self.base(write)):
            self.edges.add(self.past, write.chain, write.at)
        self.past = self.edges.closure(merge(self.past, self.base(write)))

    def saw(self, op: int, key: Key, write: Write | None, order: CausalOrder) -> Verdict:
        """The session's own read, of a write or of the initial value."""
        if write is not None:
            self.past = self.edges.closure(merge(self.past, self.base(write)))
        self.reads.append((op, key, write, self.past))
        at = len(self.reads) - 1
        while at < len(self.reads):
            verdict, restart = self._hold(at, order)
            if verdict.broken:
                return verdict
            at = at + 1 if restart is None else restart
        return OK

    def _hold(self, at: int, order: CausalOrder) -> tuple[Verdict, int | None]:
        """One read's demands; the second is the first read to look at again because of what was added."""
        op, key, write, past = self.reads[at]
        grown = self.edges.closure(past)
        if grown is not past:
            self.reads[at] = op, key, write, grown
        for other in order.latest(key, grown):
            if other is write:
                continue
            if write is None:
                return violation(Why.WRITE_HB_INIT_READ, (other.op, op), op), None
            before = self.edges.closure(self.base(write))
            if covers(before, other.chain, other.at):
                continue
            added = self.edges.closure(self.base(other))
            if covers(added, write.chain, write.at):
                return violation(Why.CYCLIC_HB, (other.op, write.op, op), op), None
            self.edges.add(added, write.chain, write.at)
            self.past = self.edges.closure(self.past)
            return OK, self._first_with(write, at)
        return OK, None

    def _first_with(self, write: Write, at: int) -> int:
        """The first read that had the write in its past: what is before the write is new to it."""
        while at and covers(self.reads[at - 1][3], write.chain, write.at):
            at -= 1
        return at


class CausalJudge:
    """CC, CCv, CM and PRAM of a history that arrives operation by operation.

    The order of arrival keeps session order, and a write comes before its reads: who feeds it sees to that, or says
    that there is none (``cyclic``).
    """

    def __init__(self, models: tuple[str, ...] = MODELS) -> None:
        self.order = CausalOrder()
        self.verdicts: dict[str, Verdict] = dict.fromkeys(models, OK)
        self.cycle = False
        """CO has a cycle: nothing is before anything."""
        self.conflicts = Edges()
        self.cm: dict[str, SessionOrder] = {}
        self.pram: dict[str, SessionOrder] = {}

    def wrote(self, session: str, write: Write) -> None:
        """The session's write is in the order; it may still be open."""
        if self._stands("cm"):
            self._hb(self.cm, session, True).wrote(write)
        if self._stands("pram"):
            self._hb(self.pram, session, False).wrote(write)

    def settled(self, session: str, ok: bool) -> None:
        """The outcome of the session's open write; if that stays unknown, its past is without it."""
        self.order.settle(session, ok)
        for orders in (self.cm, self.pram):
            if not ok and session in orders:
                orders[session].past = orders[session].saved

    def thin_air(self, op: int) -> None:
        """A read of a value nobody wrote."""
        for name in MODELS:
            self._break(name, violation(Why.THIN_AIR, (op,), op))

    def cyclic(self, ops: tuple[int, ...]) -> None:
        """CO has a cycle through these operations."""
        self.cycle = True
        for name in ("causal", "ccv", "cm"):
            self._break(name, violation(Why.CYCLIC_CO, ops, ops[-1]))

    def saw(self, op: int, session: str, key: Key, write: Write | None) -> None:
        """A read: of a write that is in the order, or of the initial value."""
        past = self.order.see(session, write) if write is not None else self.order.past(session)
        if self._stands("causal"):
            self._weak(op, key, write, past)
        if self._stands("ccv") and write is not None:
            self._convergent(op, key, write, past)
        for name, orders, causal in (("cm", self.cm, True), ("pram", self.pram, False)):
            if self._stands(name):
                verdict = self._hb(orders, session, causal).saw(op, key, write, self.order)
                if verdict.broken:
                    self._break(name, verdict)

    def _weak(self, op: int, key: Key, write: Write | None, past: Past) -> None:
        for other in self.order.latest(key, past):
            if other is write:
                continue
            if write is None:
                return self._break_causal(violation(Why.WRITE_CO_INIT_READ, (other.op, op), op))
            if self.order.before(write, other):
                return self._break_causal(violation(Why.WRITE_CO_READ, (write.op, other.op, op), op))
        return None

    def _convergent(self, op: int, key: Key, write: Write, past: Past) -> None:
        for other in self.order.latest(key, past):
            if other is write or covers(self.conflicts.closure(write.past), other.chain, other.at):
                continue
            added = self.conflicts.closure(other.past)
            if covers(added, write.chain, write.at):
                self._break("ccv", violation(Why.CYCLIC_CF, (other.op, write.op, op), op))
                return
            self.conflicts.add(added, write.chain, write.at)

    def _break_causal(self, verdict: Verdict) -> None:
        for name in ("causal", "ccv", "cm"):
            self._break(name, verdict)

    def _break(self, name: str, verdict: Verdict) -> None:
        if self._stands(name):
            self.verdicts[name] = verdict

    def _stands(self, name: str) -> bool:
        return name in self.verdicts and not self.verdicts[name].broken

    @staticmethod
    def _hb(orders: dict[str, SessionOrder], session: str, causal: bool) -> SessionOrder:
        found = orders.get(session)
        if found is None:
            found = orders[session] = SessionOrder(causal)
        return found


__all__ = ["MODELS", "CausalJudge", "SessionOrder"]
