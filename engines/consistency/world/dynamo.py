"""A replica that is also a coordinator: N, R, W, stand-ins, hints, read repair, Merkle trees.

Any machine coordinates. It sends a write to the N replicas of the key and waits for W acknowledgements, its own
included; it asks R replicas and returns the newest version (or all that none has overwritten). A replica that lets it
wait is suspected until it is heard again. With strict quorums only the N replicas count. With sloppy ones the next
machines of the ring stand in: they keep the write with a hint, and hand it over.

Cassandra's levels are the same with other numbers: the write always goes to all replicas, the level says whose
acknowledgements are counted, and only ANY counts a hint.

Sources: DeCandia et al. 2007, sections 4.3 to 4.7; the documentation of Apache Cassandra 4.1, "Dynamo".
"""

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from engines.consistency.dotted import Dot, Siblings
from engines.consistency.hybrid import HybridClock, Stamp
from engines.consistency.merkle import compare, leaf_of, tree
from engines.consistency.vector import EMPTY
from engines.consistency.world import events as ev
from engines.consistency.world import messages as m
from engines.consistency.world.ledger import INITIAL
from engines.consistency.world.messages import NO_TAG, Version
from engines.consistency.world.node import COUNTS, Replica, Seat
from engines.consistency.world.options import KEYS
from engines.sim.agenda import Agenda
from engines.sim.node import Context
from engines.units import US_PER_MS

SUSPECT_US: Final = 250 * US_PER_MS
"""Who has not acknowledged after this is suspected, and a hint is kept for it."""
FORGET_US: Final = 900 * US_PER_MS
HANDOFF_US: Final = 400 * US_PER_MS
COMPARE_US: Final = 500 * US_PER_MS
HINTS_MAX: Final = 256


class Quorum(NamedTuple):
    """What every coordinator reads from; replaced as a whole."""

    n: int
    r: int
    w: int
    preset: str
    conflict: str
    centres: tuple[tuple[str, int], ...]
    """Machine -> data centre."""


class Due(NamedTuple):
    """A deadline of an operation in hand."""

    op: int
    final: bool


@dataclass(slots=True)
class InHand:
    """An operation this machine coordinates."""

    client: str
    request: m.Request
    held: Any
    asked: dict[str, str] = field(default_factory=dict)
    """Whom it asked; the value names for whom a stand-in keeps it."""
    acks: list[str] = field(default_factory=list)
    hinted: int = 0
    got: dict[str, Any] = field(default_factory=dict)
    answered: bool = False


class DynamoReplica(Replica):
    """One machine."""

    design = "eventual"

    def __init__(self, seat: Seat, *, quorum: Quorum) -> None:
        super().__init__(seat)
        self.quorum = quorum
        self.all = tuple(sorted((self.id, *self.peers)))
        self.clock = HybridClock(max(self.disk.registers.get("hybrid", Stamp(0)), *self._stamps()))
        self.agenda: Agenda[Due] = Agenda()
        self.starts: int = self.disk.registers.get("starts", 0)
        self.ops = self.starts << 32
        """The operation begun last: numbers never come again, or an answer to a former life would count in this one."""
        self.hand: dict[int, InHand] = {}
        self.suspects: dict[str, None] = {}
        self.turn = 0

    def _stamps(self) -> list[Stamp]:
        """The hybrid times of all that is here: whoever starts again must not fall behind what it has taken in."""
        held = [self.held(key) for key in KEYS]
        return [Stamp(*divmod(each.tag[0], COUNTS)) for each in held if isinstance(each, Version)] or [Stamp(0)]

    # -- who is responsible ----------------------------------------------------------------------------------------

    def ring(self, key: str) -> list[str]:
        """All machines in the order of the ring, from the key's place on."""
        start = KEYS.index(key) * 2 % len(self.all)
        return [*self.all[start:], *self.all[:start]]

    def replicas(self, key: str) -> list[str]:
        """The N replicas of a key."""
        return self.ring(key)[: self.quorum.n]

    def enough(self, key: str, names: list[str], write: bool, hinted: int = 0) -> bool:
        """Whether these acknowledgements or answers satisfy the level."""
        quorum = self.quorum
        n = len(self.replicas(key))
        match quorum.preset:
            case "custom":
                return len(names) >= min(n, quorum.w if write else quorum.r)
            case "one":
                return len(names) >= 1
            case "any":
                return len(names) + (hinted if write else 0) >= 1
            case "quorum":
                return len(names) >= n // 2 + 1
            case "all":
                return len(names) >= n
        centre = dict(quorum.centres)
        wanted = [centre[self.id]] if quorum.preset == "local_quorum" else sorted(dict.fromkeys(centre.values()))
        for each in wanted:
            total = sum(centre[name] == each for name in self.replicas(key))
            have = sum(centre[name] == each for name in names)
            if have < (total // 2 + 1 if total else 0):
                return False
        return bool(names)

    @property
    def pending(self) -> int:
        """Hints, and operations in hand."""
        return len(self.hints)

    @property
    def hints(self) -> tuple[tuple[str, str, Any], ...]:
        """(owner, key, what) kept for others."""
        return tuple(self.disk.registers.get("hints", ()))

    def values(self) -> tuple[tuple[str, int, m.Tag], ...]:
        """Newest value of each key."""
        found = []
        for key in KEYS:
            held = self.held(key)
            if isinstance(held, Version):
                found.append((key, held.value, held.tag))
            elif isinstance(held, Siblings):
                found += [(key, value, (dot.number, dot.server)) for dot, value in held.values]
        return tuple(found)

    # -- the machine -------------------------------------------------------------------------------------------------

    def on_start(self, ctx: Context) -> None:
        """Hints and trees from time to time."""
        self.disk.write("starts", self.starts + 1)
        ctx.persist()
        stream = ctx.stream("start")
        ctx.set_timer("handoff", stream.between(HANDOFF_US // 2, HANDOFF_US))
        ctx.set_timer("compare", stream.between(COMPARE_US // 2, COMPARE_US))

    def on_timer(self, ctx: Context, name: str) -> None:
        """What is due."""
        if name == "handoff":
            ctx.set_timer("handoff", HANDOFF_US)
            if self.rule("hinted_handoff"):
                for owner, key, held in self.hints[:16]:
                    ctx.send(owner, m.HandOff(key, held))
        elif name == "compare":
            ctx.set_timer("compare", COMPARE_US)
            if self.rule("anti_entropy"):
                self.turn += 1
                peer = self.peers[self.turn % len(self.peers)]
                ctx.send(peer, m.Tree(self._tree(peer)))
        else:
            for due in self.agenda.due(ctx):
                self._late(ctx, due)
            self.agenda.arm(ctx)

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """Clients, replicas, repairs."""
        self.suspects.pop(src, None)
        match message:
            case m.Request(_, write, _, _, _):
                self._write(ctx, src, message) if write else self._read(ctx, src, message)
            case m.Put(op, key, held, owner):
                if owner:
                    self._hint(ctx, owner, key, held, False)
                else:
                    self._merge(ctx, key, held, src, None if op else ev.Repair.READ_REPAIR)
                if op:
                    ctx.send(src, m.PutAck(op))
            case m.PutAck(op):
                self._acked(ctx, op, src)
            case m.Get(op, key):
                ctx.send(src, m.Got(op, key, self.held(key)))
            case m.Got(op, _, held):
                self._got(ctx, op, src, held)
            case m.HandOff(key, held):
                self._merge(ctx, key, held, src, ev.Repair.HINT)
                ctx.send(src, m.HandOffAck(key, held))
            case m.HandOffAck(key, held):
                if (src, key, held) in self.hints:
                    self.disk.write("hints", tuple(each for each in self.hints if each != (src, key, held)))
                    ctx.note(ev.HintDone(key, src))
            case m.Tree(hashes):
                self._compare(ctx, src, hashes)
            case m.Leaves(held, leaves, answer):
                for key, each in held:
                    self._merge(ctx, key, each, src, ev.Repair.ANTI_ENTROPY)
                if answer:
                    ctx.send(src, m.Leaves(self._leaves(src, leaves), leaves, False))
        self.agenda.arm(ctx)

    # -- writes --------------------------------------------------------------------------------------------------------

    def _write(self, ctx: Context, client: str, request: m.Request) -> None:
        key = request.key
        wanted = self.replicas(key)
        alive = [name for name in wanted if name not in self.suspects]
        if not self.rule("strict_quorum"):
            alive += [name for name in self.ring(key)[len(wanted) :] if name not in self.suspects]
            alive = alive[: len(wanted)]
        hinted = len(wanted) - len([name for name in alive if name in wanted])
        if not self.enough(key, alive, True, hinted if self.rule("hinted_handoff") else 0):
            self._refuse(ctx, client, request, alive)
            return
        held = self._new(ctx, request)
        self.ops += 1
        mine = self.hand[self.ops] = InHand(client, request, held)
        targets = self._write_targets(ctx, key, alive)
        spare = [name for name in wanted if name not in targets]
        for name in targets:
            owner = spare.pop(0) if name not in wanted and spare else ""
            mine.asked[name] = owner
            if name == self.id:
                if owner:
                    self._hint(ctx, owner, key, held, True)
                else:
                    self._merge(ctx, key, held, self.id, None)
                mine.acks.append(name)
            else:
                ctx.send(name, m.Put(self.ops, key, held, owner))
        if self.rule("send_to_all"):
            for name in spare:
                self._missed(ctx, mine, name)
        self.agenda.add(ctx.now_us + SUSPECT_US, Due(self.ops, False))
        self.agenda.add(ctx.now_us + FORGET_US, Due(self.ops, True))
        self._done(ctx, self.ops)

    def _write_targets(self, ctx: Context, key: str, alive: list[str]) -> list[str]:
        if self.rule("send_to_all"):
            return alive
        return _draw(ctx, "targets", alive, min(self.quorum.w, len(alive)))

    def _missed(self, ctx: Context, mine: InHand, name: str) -> None:
        """A replica does not take the write: keep it for later."""
        if self.rule("hinted_handoff"):
            counts = self.quorum.preset == "any"
            self._hint(ctx, name, mine.request.key, mine.held, counts)
            mine.hinted += counts

    def _new(self, ctx: Context, request: m.Request) -> Any:
        """The new version."""
        key, value = request.key, request.value
        if self.quorum.conflict == "siblings":
            held = self.held(key) if isinstance(self.held(key), Siblings) else Siblings()
            made = held.put(self.id, value, request.seen)
            dot = Dot(self.id, made.seen.get(self.id))
            self.book.tagged(key, value, (dot.number, dot.server))
            return made
        if self.rule("hybrid_time"):
            stamp = self.clock.send(ctx.now_us)
            self.disk.write("hybrid", stamp)
            number = stamp.l_us * COUNTS + stamp.c
        else:
            number = max(0, ctx.now_us) * COUNTS
        tag = number, self.id
        self.book.tagged(key, value, tag)
        return Version(tag, value)

    def _acked(self, ctx: Context, op: int, src: str) -> None:
        mine = self.hand.get(op)
        if mine is not None and src not in mine.acks:
            mine.acks.append(src)
            self._done(ctx, op)

    def _done(self, ctx: Context, op: int) -> None:
        mine = self.hand[op]
        if not mine.answered and self.enough(mine.request.key, mine.acks, True, mine.hinted):
            mine.answered = True
            seen = mine.held.context if isinstance(mine.held, Siblings) else EMPTY
            ctx.send(mine.client, m.Reply(mine.request.serial, True, mine.request.value, seen))
        if len(mine.acks) == len(mine.asked):
            del self.hand[op]

    def _refuse(self, ctx: Context, client: str, request: m.Request, alive: list[str]) -> None:
        ctx.note(ev.Unavailable(request.key, request.write, self._needs(request.write), len(alive)))
        ctx.send(client, m.Reply(request.serial, False, 0, EMPTY))

    def _needs(self, write: bool) -> int:
        quorum = self.quorum
        n = quorum.n
        named = {"one": 1, "any": 1, "quorum": n // 2 + 1, "all": n, "local_quorum": 2, "each_quorum": n // 2 + 1}
        return named.get(quorum.preset, quorum.w if write else quorum.r)

    # -- reads ---------------------------------------------------------------------------------------------------------

    def _read(self, ctx: Context, client: str, request: m.Request) -> None:
        key = request.key
        wanted = self.replicas(key)
        alive = [name for name in wanted if name not in self.suspects]
        if not self.enough(key, alive, False):
            if not self.rule("strict_quorum"):
                alive += [name for name in self.ring(key)[len(wanted) :] if name not in self.suspects]
                alive = alive[: len(wanted)]
            if not self.enough(key, alive, False):
                self._refuse(ctx, client, request, alive)
                return
        self.ops += 1
        mine = self.hand[self.ops] = InHand(client, request, None)
        targets = alive
        if self.quorum.preset == "custom":
            targets = _draw(ctx, "targets", alive, min(self.quorum.r, len(alive)))
        elif self.quorum.preset in ("one", "any"):
            targets = _draw(ctx, "targets", alive, 1)
        for name in targets:
            mine.asked[name] = ""
            if name != self.id:
                ctx.send(name, m.Get(self.ops, key))
        self.agenda.add(ctx.now_us + SUSPECT_US, Due(self.ops, False))
        self.agenda.add(ctx.now_us + FORGET_US, Due(self.ops, True))
        if self.id in mine.asked:
            self._got(ctx, self.ops, self.id, self.held(key))

    def _got(self, ctx: Context, op: int, src: str, held: Any) -> None:
        mine = self.hand.get(op)
        if mine is None or src in mine.got:
            return
        mine.got[src] = held
        key = mine.request.key
        if not mine.answered and self.enough(key, list(mine.got), False):
            mine.answered = True
            self._answer(ctx, mine)
        if mine.answered and self.rule("read_repair"):
            self._repair(ctx, key, mine.got)
        if len(mine.got) == len(mine.asked):
            del self.hand[op]

    def _answer(self, ctx: Context, mine: InHand) -> None:
        best = _newest(list(mine.got.values()))
        value, seen = INITIAL, EMPTY
        if isinstance(best, Version):
            value = best.value
        elif isinstance(best, Siblings):
            seen = best.context
            if len(best.values) > 1:
                ctx.note(ev.SiblingsSeen(mine.request.key, best.read()))
            value = max(best.values)[1] if best.values else INITIAL
        ctx.send(mine.client, m.Reply(mine.request.serial, True, value, seen))

    def _repair(self, ctx: Context, key: str, got: dict[str, Any]) -> None:
        """Bring those up to date that answered with less; only replicas of the key."""
        best = _newest(list(got.values()))
        for name, held in got.items():
            if best is not None and held != best and name in self.replicas(key):
                got[name] = best
                if name == self.id:
                    self._merge(ctx, key, best, self.id, ev.Repair.READ_REPAIR)
                else:
                    ctx.send(name, m.Put(0, key, best, ""))

    # -- what is late ----------------------------------------------------------------------------------------------

    def _late(self, ctx: Context, due: Due) -> None:
        mine = self.hand.get(due.op)
        if mine is None:
            return
        if due.final:
            del self.hand[due.op]
            return
        key = mine.request.key
        for name, owner in list(mine.asked.items()):
            if name in mine.acks or name in mine.got:
                continue
            self.suspects[name] = None
            if mine.request.write:
                self._missed(ctx, mine, owner or name)
        if mine.request.write:
            if not self.rule("strict_quorum") and not mine.answered:
                self._stand_in(ctx, due.op, mine)
            if due.op in self.hand:
                self._done(ctx, due.op)
        elif not mine.answered:
            for name in self.replicas(key):
                if name not in mine.asked:
                    mine.asked[name] = ""
                    if name == self.id:
                        self._got(ctx, due.op, name, self.held(key))
                    else:
                        ctx.send(name, m.Get(due.op, key))

    def _stand_in(self, ctx: Context, op: int, mine: InHand) -> None:
        """Machines beyond the N take the place of those that do not answer."""
        key = mine.request.key
        missing = [name for name in mine.asked if name not in mine.acks and name in self.replicas(key)]
        others = [name for name in self.ring(key)[self.quorum.n :] if name not in mine.asked]
        for owner, name in zip(missing, [each for each in others if each not in self.suspects], strict=False):
            mine.asked[name] = owner
            if name == self.id:
                self._hint(ctx, owner, key, mine.held, True)
                mine.acks.append(name)
            else:
                ctx.send(name, m.Put(op, key, mine.held, owner))

    # -- repairs ---------------------------------------------------------------------------------------------------

    def _merge(self, ctx: Context, key: str, held: Any, src: str, how: ev.Repair | None) -> None:
        """Take a version in, unless what is here covers it."""
        if held is None:
            return
        old = self.held(key)
        new = _newest([old, held])
        if isinstance(held, Version) and self.rule("hybrid_time"):
            self.clock.receive(ctx.now_us, Stamp(held.tag[0] // COUNTS, held.tag[0] % COUNTS))
        if new == old:
            if isinstance(held, Version) and isinstance(old, Version) and held.tag < old.tag and how is None:
                ctx.note(ev.Outdated(key, held.value, old.value))
            return
        self.keep(key, new)
        ctx.persist()
        value = held.value if isinstance(held, Version) else max(held.values)[1] if held.values else INITIAL
        if how is not None:
            ctx.note(ev.Repaired(key, value, src, how))
        elif src != self.id:
            ctx.note(ev.Applied(key, value, src))

    def _hint(self, ctx: Context, owner: str, key: str, held: Any, counts: bool) -> None:
        """Keep a write for its owner; an older one for the same owner and key is covered."""
        kept = [each for each in self.hints if each[:2] != (owner, key)]
        old = [each[2] for each in self.hints if each[:2] == (owner, key)]
        if owner == self.id:
            self._merge(ctx, key, held, self.id, None)
            return
        self.disk.write("hints", (*kept, (owner, key, _newest([*old, held])))[-HINTS_MAX:])
        ctx.persist()
        ctx.note(ev.HintKept(key, owner, counts))

    def _shared(self, peer: str) -> dict[str, Any]:
        keys = [key for key in KEYS if {self.id, peer} <= set(self.replicas(key))]
        return {key: self.held(key) for key in keys}

    def _tree(self, peer: str) -> tuple[int, ...]:
        return tree({leaf_of(key, KEYS): held for key, held in self._shared(peer).items()})

    def _leaves(self, peer: str, leaves: tuple[int, ...]) -> tuple[tuple[str, Any], ...]:
        return tuple((key, held) for key, held in self._shared(peer).items() if leaf_of(key, KEYS) in leaves)

    def _compare(self, ctx: Context, src: str, hashes: tuple[int, ...]) -> None:
        if not self.rule("anti_entropy"):
            return
        differing, comparisons = compare(self._tree(src), hashes)
        if differing:
            ctx.note(ev.TreesCompared(src, comparisons, len(differing)))
            ctx.send(src, m.Leaves(self._leaves(src, differing), differing, True))


def _newest(held: list[Any]) -> Any:
    """What several replicas hold, as one: the version with the largest tag, or all siblings that nobody has
    overwritten."""
    found = [each for each in held if each is not None]
    if not found:
        return None
    siblings = [each for each in found if isinstance(each, Siblings)]
    if siblings:
        best = siblings[0]
        for each in siblings[1:]:
            best = best.merge(each)
        return best
    return max(found, key=lambda each: each.tag if each is not None else NO_TAG)


def _draw(ctx: Context, purpose: str, names: list[str], count: int) -> list[str]:
    """Some of the names, at random."""
    stream = ctx.stream(purpose)
    left, found = list(names), []
    for _ in range(count):
        found.append(left.pop(stream.below(len(left))))
    return found


__all__ = ["DynamoReplica", "Quorum"]
