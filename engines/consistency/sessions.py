"""The four session guarantees, judged from a client history (black box) and kept by vectors (white box).

White box: a server has a version vector, a session carries two. RYW: the session's *write* vector is compared when it
reads. MR: its *read* vector is. WFR: the read vector when it writes. MW: the write vector when it writes. A server that
lacks something waits or refuses.

Black box: a history shows values only, so "older" must be provable: w0 is provably older than w iff w0 is the initial
value or w0 CO w, same key. Then

- RYW: w PO r, and r returns something older than w
- MR: r1 reads w, r1 PO r2, and r2 returns something older than w
- MW: w1 PO w2, someone reads w2 and later in its session something older than w1
- WFR: r reads w0, r PO w1, another reads w1 and later something older than w0

Sound, not complete: what is called broken is broken, but values alone do not show every breach. Where the proof of age
itself runs through another session's read (it read w0, then wrote w), a store that breaks WFR alone looks the same, so
the verdict names both: "MR or WFR".

Sources: Terry, Demers, Petersen, Spreitzer, Theimer, Welch, "Session guarantees for weakly consistent replicated data",
PDIS 1994; Viotti and Vukolic, "Consistency in non-transactional distributed storage systems", 2016.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from engines.consistency.history import Key
from engines.consistency.order import CausalOrder, Write, covers
from engines.consistency.vector import EMPTY, VectorClock
from engines.consistency.verdict import OK, Verdict, Why, violation


class Guarantee(Enum):
    """What a session may ask for."""

    RYW = "ryw"
    MR = "mr"
    MW = "mw"
    WFR = "wfr"


GUARANTEES: Final = tuple(Guarantee)
TITLES: Final = {
    Guarantee.RYW: "read your writes",
    Guarantee.MR: "monotonic reads",
    Guarantee.MW: "monotonic writes",
    Guarantee.WFR: "writes follow reads",
}


@dataclass(slots=True)
class Session:
    """White box: what a client carries from server to server."""

    wanted: tuple[Guarantee, ...] = GUARANTEES
    written: VectorClock = EMPTY
    seen: VectorClock = EMPTY

    def may_read(self, server: VectorClock) -> Guarantee | None:
        """None if this server may answer a read, otherwise the guarantee it would break."""
        if Guarantee.RYW in self.wanted and not self.written <= server:
            return Guarantee.RYW
        if Guarantee.MR in self.wanted and not self.seen <= server:
            return Guarantee.MR
        return None

    def may_write(self, server: VectorClock) -> Guarantee | None:
        """None if this server may take a write, otherwise the guarantee it would break."""
        if Guarantee.MW in self.wanted and not self.written <= server:
            return Guarantee.MW
        if Guarantee.WFR in self.wanted and not self.seen <= server:
            return Guarantee.WFR
        return None

    def has_read(self, server: VectorClock) -> None:
        """A read was answered by a server with this vector."""
        self.seen = self.seen.merge(server)

    def has_written(self, stamp: VectorClock) -> None:
        """A write was taken; ``stamp`` names it."""
        self.written = self.written.merge(stamp)


@dataclass(slots=True)
class _Floor:
    """What a session must not fall below, per guarantee and key; writes none of which is before another."""

    of: dict[tuple[Guarantee, Key], list[Write]] = field(default_factory=dict)

    def raise_to(self, guarantee: Guarantee, write: Write, order: CausalOrder) -> None:
        held = self.of.setdefault((guarantee, write.key), [])
        if any(each is write or order.before(write, each) for each in held):
            return
        held[:] = [each for each in held if not order.before(each, write)]
        held.append(write)


class SessionJudge:
    """All four, black box, over an order that somebody else feeds."""

    def __init__(self, order: CausalOrder, wanted: tuple[Guarantee, ...] = GUARANTEES) -> None:
        self.order = order
        self.verdicts: dict[Guarantee, Verdict] = dict.fromkeys(wanted, OK)
        self.floors: dict[str, _Floor] = {}
        self.logs: dict[str, list[tuple[Guarantee, Write]]] = {}
        self.reach: dict[tuple[Key, Any], int] = {}
        """For each write (key, value): how much of its session's log was before it."""
        self.absorbed: dict[tuple[str, str], int] = {}

    def wrote(self, write: Write) -> None:
        """A write that is certain; it stands in the order."""
        self.floors.setdefault(write.session, _Floor()).raise_to(Guarantee.RYW, write, self.order)
        self.logs.setdefault(write.session, []).append((Guarantee.MW, write))

    def begins(self, session: str, key: Key, value: Any) -> None:
        """A write that may be seen from now on: what its session did before it counts for who reads it."""
        self.reach[key, value] = len(self.logs.get(session, ()))

    def saw(self, op: int, session: str, key: Key, write: Write | None) -> None:
        """A read returned this write, or the initial value."""
        if not self.verdicts:
            return
        floor = self.floors.setdefault(session, _Floor())
        for guarantee in [each for each, verdict in self.verdicts.items() if not verdict.broken]:
            for high in floor.of.get((guarantee, key), ()):
                if high is not write and (write is None or self.order.before(write, high)):
                    self.verdicts[guarantee] = self._breach(guarantee, op, write, high)
                    break
        if write is not None:
            floor.raise_to(Guarantee.MR, write, self.order)
            self.logs.setdefault(session, []).append((Guarantee.WFR, write))
            self._absorb(session, write, floor)

    def _absorb(self, session: str, write: Write, floor: _Floor) -> None:
        """Whoever reads a write is bound by what its session wrote and read before."""
        if write.session == session:
            return
        start = self.absorbed.get((session, write.session), 0)
        end = self.reach.get((write.key, write.value), 0)
        log = self.logs.get(write.session, [])
        for guarantee, seen in log[start:end]:
            if seen is not write:
                floor.raise_to(guarantee, seen, self.order)
        if end > start:
            self.absorbed[session, write.session] = end

    def _breach(self, guarantee: Guarantee, op: int, write: Write | None, high: Write) -> Verdict:
        shown = (high.op, op) if write is None else (write.op, high.op, op)
        why = Why[guarantee.name]
        if guarantee is Guarantee.MR and write is not None and not covers(high.own, write.chain, write.at):
            why = Why.MR_OR_WFR
        return violation(why, shown, op)


__all__ = ["GUARANTEES", "TITLES", "Guarantee", "Session", "SessionJudge"]
