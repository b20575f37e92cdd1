"""The guarantees of PBFT over the correct replicas, checked after every event, beside the algorithm.

The checker sees all replicas at once, which none of them does, and examines what the last event changed on one.
Nothing is promised of traitors and of replicas that forget, so they are not examined. A failed check stays failed.

Sources: paper, sections 3 and 4.5; Liskov's and Castro's invariants as in heidihoward/pbft-tlaplus.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from engines.consensus.pbft.certificates import Group, plan
from engines.consensus.pbft.client import Believed, Client
from engines.consensus.pbft.messages import NewView, Prepared, digest_of_state
from engines.consensus.pbft.node import Done, Replica
from engines.consensus.pbft.rules import DOUBLINGS_MAX, Timing

AGREEMENT: Final = "agreement"
CERTIFICATES: Final = "one certificate per number"
SURVIVAL: Final = "what committed survives"
CHECKPOINTS: Final = "equal checkpoints"
ONCE: Final = "executed once, in order"
WINDOW: Final = "h <= executed <= H"
ONE_DIGEST: Final = "one digest per number and view"
RESULTS: Final = "clients are told the truth"
LIVENESS: Final = "every client is answered"

DEMANDS: Final = {
    AGREEMENT: "correct replicas execute the same request at the same number, in whatever views",
    CERTIFICATES: "no two certificates for different requests at one (view, number)",
    SURVIVAL: "what one correct replica committed is in every later new view, or below its checkpoint",
    CHECKPOINTS: "correct replicas have the same state after the same number",
    ONCE: "a request takes effect once, and numbers are executed in order",
    WINDOW: "h does not fall while a replica runs, and what is executed lies between h and H",
    ONE_DIGEST: "a correct replica accepts one request for a number in a view, also across a crash",
    RESULTS: "the result a client believes is the one that correct replicas got",
    LIVENESS: "within the fault model and with working links, every request is answered in bounded time",
}
KEPT: Final = 512
"""Numbers, views and requests remembered, the newest: more than any replica can be behind and still take part."""


class Finding(NamedTuple):
    """A guarantee that does not hold."""

    name: str
    detail: str
    witness: tuple[str, ...]


@dataclass(slots=True)
class _Seen:
    """What a replica looked like when it was last examined."""

    changes: int = -1
    done: int = 0
    low: int = 0
    view: int = -1
    incarnation: int = 0
    next_n: int = 1
    states: tuple[int, ...] = ()


class _Executed(NamedTuple):
    done: Done
    node: str


class _Certificate(NamedTuple):
    certificate: Prepared
    node: str


class _Entered(NamedTuple):
    min_s: int
    o: dict[int, str]
    node: str


@dataclass(slots=True)
class _Known:
    """What correct replicas did, by what it is about; the oldest go first."""

    executed: dict[int, _Executed] = field(default_factory=dict)
    certificates: dict[tuple[int, int], _Certificate] = field(default_factory=dict)
    accepted: dict[tuple[str, int, int], tuple[str, int]] = field(default_factory=dict)
    """(replica, view, n) -> the digest, and from when on a crash cannot take it back"""
    states: dict[int, tuple[str, str]] = field(default_factory=dict)
    ran: dict[tuple[str, int], _Executed] = field(default_factory=dict)
    views: dict[int, _Entered] = field(default_factory=dict)
    committed: dict[int, tuple[int, str, str]] = field(default_factory=dict)
    """n -> (view, digest, replica)"""

    def forget(self) -> None:
        """Keep the newest."""
        tables: tuple[dict[object, object], ...] = (
            self.executed,
            self.certificates,
            self.accepted,
            self.states,
            self.ran,
            self.views,
            self.committed,
        )  # type: ignore[assignment]
        for table in tables:
            while len(table) > KEPT * 4:
                del table[next(iter(table))]


class Checker:
    """Examines one group. Call it with what the last event touched; it returns what it found broken."""

    def __init__(self, group: Group, timing: Timing) -> None:
        self.group = group
        self.timing = timing
        self.known = _Known()
        self.seen = {each: _Seen() for each in group.replicas}
        self.believed: dict[str, Believed] = {}

    def crashed(self, replica: str, now_us: int) -> None:
        """What it accepted and had not on disk, it had told nobody either: it may accept something else there."""
        for key, (_, durable_us) in tuple(self.known.accepted.items()):
            if key[0] == replica and durable_us > now_us:
                del self.known.accepted[key]

    def replica(self, replica: Replica, incarnation: int, durable_us: int) -> list[Finding]:
        """Examine a correct replica that is up; what it did last is on disk from ``durable_us`` on."""
        seen = self.seen[replica.id]
        if seen.changes == replica.changes and seen.incarnation == incarnation:
            return []
        findings: list[Finding] = []
        if seen.incarnation != incarnation:
            first = replica.done[0].n if replica.done else replica.executed + 1
            self.seen[replica.id] = seen = _Seen(incarnation=incarnation, next_n=first)
        findings += self._accepted(replica, durable_us)
        findings += self._certificates(replica)
        findings += self._executed(replica, seen)
        findings += self._states(replica, seen)
        findings += self._window(replica, seen)
        findings += self._views(replica, seen)
        seen.changes = replica.changes
        self.known.forget()
        return findings

    def excuse(self, replica: str) -> None:
        """Nothing is demanded of this one, now or for what it did before it became correct again."""
        self.seen[replica] = _Seen()
        for key in [key for key in self.known.accepted if key[0] == replica]:
            del self.known.accepted[key]

    # -- what is accepted, prepared, committed ---------------------------------------------------------------------

    def _accepted(self, replica: Replica, durable_us: int) -> list[Finding]:
        findings = []
        for n, slot in replica.log.slots.items():
            if slot.pre_prepare is None:
                continue
            key = (replica.id, slot.pre_prepare.view, n)
            before, _ = self.known.accepted.setdefault(key, (slot.digest, durable_us))
            if before != slot.digest:
                findings.append(
                    Finding(
                        ONE_DIGEST,
                        f"{replica.id} accepted two requests for number {n} of view {key[1]}",
                        (
                            f"{replica.id} had accepted {before} at ({key[1]}, {n})",
                            f"{replica.id} accepted {slot.digest} there",
                        ),
                    )
                )
                self.known.accepted[key] = slot.digest, durable_us
            if slot.committed:
                findings += self._committed(n, replica.view, slot.digest, replica.id)
        return findings

    def _certificates(self, replica: Replica) -> list[Finding]:
        findings = []
        for n, certificate in replica.log.certificates.items():
            key = (certificate.pre_prepare.view, n)
            other = self.known.certificates.setdefault(key, _Certificate(certificate, replica.id))
            mine, theirs = certificate.pre_prepare.digest, other.certificate.pre_prepare.digest
            if mine != theirs:
                findings.append(
                    Finding(
                        CERTIFICATES,
                        f"two certificates for number {n} of view {key[0]}",
                        (
                            _told(other.node, other.certificate),
                            _told(replica.id, certificate),
                            f"in both: {' '.join(_shared(other.certificate, certificate))}",
                        ),
                    )
                )
        return findings

    def _committed(self, n: int, view: int, digest: str, node: str) -> list[Finding]:
        """Against every view that was entered above the one in which it committed."""
        if n not in self.known.committed:
            self.known.committed[n] = (view, digest, node)
            for later, entered in self.known.views.items():
                if later > view and (broken := _missing(n, view, digest, node, later, entered)):
                    return [broken]
        return []

    def _views(self, replica: Replica, seen: _Seen) -> list[Finding]:
        """A view that is entered keeps what committed below it."""
        if replica.changing or replica.view == seen.view:
            return []
        seen.view = replica.view
        new_view: NewView | None = replica.new_view
        if new_view is None:
            return []
        entered = _Entered(plan(new_view.v).min_s, {each.n: each.digest for each in new_view.o}, replica.id)
        self.known.views.setdefault(replica.view, entered)
        for n, (view, digest, node) in self.known.committed.items():
            if view < replica.view and (broken := _missing(n, view, digest, node, replica.view, entered)):
                return [broken]
        return []

    # -- what is executed ----------------------------------------------------------------------------------------------

    def _executed(self, replica: Replica, seen: _Seen) -> list[Finding]:
        new = replica.done_total - seen.done
        seen.done = replica.done_total
        findings: list[Finding] = []
        for done in list(replica.done)[max(0, len(replica.done) - new) :] if new else ():
            findings += self._agrees(replica.id, done)
            if done.n < seen.next_n:
                findings.append(
                    Finding(
                        ONCE,
                        f"{replica.id} executed number {done.n} after {seen.next_n - 1}",
                        (f"{replica.id} executed {done.n}, {seen.next_n - 1} was executed before",),
                    )
                )
            seen.next_n = done.n + 1
            if done.ran:
                findings += self._once(replica.id, done)
        seen.next_n = max(seen.next_n, replica.executed + 1)
        return findings

    def _agrees(self, node: str, done: Done) -> list[Finding]:
        other = self.known.executed.setdefault(done.n, _Executed(done, node))
        if other.done.digest == done.digest:
            return []
        witness = [
            f"{each.node} executed {each.done.digest} at {each.done.n}, in view {each.done.view}"
            for each in (other, _Executed(done, node))
        ]
        return [Finding(AGREEMENT, f"{other.node} and {node} executed different requests at {done.n}", tuple(witness))]

    def _once(self, node: str, done: Done) -> list[Finding]:
        assert done.request is not None
        key = (done.request.client, done.request.t)
        other = self.known.ran.setdefault(key, _Executed(done, node))
        if other.done.n == done.n:
            return []
        return [
            Finding(
                ONCE,
                f"request {key[1]} of {key[0]} took effect twice",
                (f"{other.node} executed it at {other.done.n}", f"{node} executed it at {done.n}"),
            )
        ]

    def _states(self, replica: Replica, seen: _Seen) -> list[Finding]:
        numbers = tuple(replica.states)
        if numbers == seen.states:
            return []
        seen.states = numbers
        findings = []
        for n, state in replica.states.items():
            digest = digest_of_state(n, state.values, state.replies)
            known, node = self.known.states.setdefault(n, (digest, replica.id))
            if known != digest:
                findings.append(
                    Finding(
                        CHECKPOINTS,
                        f"{node} and {replica.id} have different states after {n}",
                        (f"{node}: {known}", f"{replica.id}: {digest}, {_values(state.values)}"),
                    )
                )
        return findings

    def _window(self, replica: Replica, seen: _Seen) -> list[Finding]:
        low, high, executed = replica.log.low, replica.log.high, replica.executed
        was, seen.low = seen.low, low
        if low >= was and low <= executed <= high:
            return []
        return [
            Finding(
                WINDOW,
                f"{replica.id}: h {low}, executed {executed}, H {high}",
                (f"h was {was} before",) if low < was else (),
            )
        ]

    # -- clients -------------------------------------------------------------------------------------------------------

    def client(self, client: Client) -> list[Finding]:
        """Examine the newest answer of a client."""
        believed = client.believed
        if believed is None or self.believed.get(client.id) is believed:
            return []
        self.believed[client.id] = believed
        request = believed.request
        if request.read_only:
            return []
        truth = self.known.ran.get((request.client, request.t))
        if truth is not None and truth.done.result == believed.result:
            return []
        got = f"{truth.node} got {truth.done.result} at {truth.done.n}" if truth else "no correct replica executed it"
        return [
            Finding(
                RESULTS,
                f"{client.id} was told {believed.result} for its request {request.t}",
                (f"{client.id} believed {' '.join(believed.voters)}", got),
            )
        ]

    @property
    def bound_us(self) -> int:
        """How long a request may take once all is well: f+1 bad primaries in a row, at the longest patience."""
        return (self.group.f + 2) * (self.timing.timeout_us << DOUBLINGS_MAX)

    def late(self, client: str, waited_us: int) -> list[Finding]:
        """A request was open for so long while all was well."""
        if waited_us <= self.bound_us:
            return []
        return [
            Finding(
                LIVENESS,
                f"no answer for {client}",
                (f"{client}: {waited_us // 1_000_000} s without one, with at most f replicas at fault",),
            )
        ]


def _missing(n: int, view: int, digest: str, node: str, later: int, entered: _Entered) -> Finding | None:
    """Whether a view that was entered lost what had committed."""
    held = entered.o.get(n)
    if n <= entered.min_s or held == digest:
        return None
    return Finding(
        SURVIVAL,
        f"number {n}, committed in view {view}, is lost in view {later}",
        (
            f"{node} committed {digest} at ({view}, {n})",
            f"{entered.node} entered view {later} with {held or 'nothing'} at {n}, checkpoint {entered.min_s}",
        ),
    )


def _told(node: str, certificate: Prepared) -> str:
    (view, n, digest, primary, *_), prepares = certificate
    voters = " ".join(each.i for each in prepares)
    return f"{node}: {digest} at ({view}, {n}), {primary} proposed, {voters} prepared"


def _shared(one: Prepared, other: Prepared) -> tuple[str, ...]:
    """Who stands behind both: a correct replica would not."""
    first = {one.pre_prepare.i, *(each.i for each in one.prepares)}
    return tuple(sorted({other.pre_prepare.i, *(each.i for each in other.prepares)} & first))


def _values(values: tuple[tuple[str, int], ...]) -> str:
    return " ".join(f"{key}={value}" for key, value in values)


__all__ = ["DEMANDS", "Checker", "Finding"]
