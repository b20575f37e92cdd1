"""A replica set: one primary writes a log, secondaries copy it; another is elected when it falls silent.

A read preference says *where* a read goes, a read concern *what* it may return, a write concern when a write is
acknowledged; the first is routing, only the other two guarantee anything. A write with ``w: 1`` is acknowledged by the
primary alone. If that primary is cut off and another elected, its last writes are in nobody else's log: when it comes
back, it goes back to the last common point and rolls them back.

The election is that of Raft, as in MongoDB's protocol version 1: a majority of votes, and only for a log that is not
behind. A new primary writes a no-op, so that what it holds is committed in its own term before it is read.
"""

from typing import Any, Final

from engines.consistency.vector import EMPTY, VectorClock
from engines.consistency.world import events as ev
from engines.consistency.world import messages as m
from engines.consistency.world.dynamo import Quorum
from engines.consistency.world.ledger import INITIAL
from engines.consistency.world.messages import Tag
from engines.consistency.world.node import Replica, Seat
from engines.sim.node import Context
from engines.units import US_PER_MS

BEAT_US: Final = 100 * US_PER_MS
ELECTION_US: Final = 600 * US_PER_MS
STEP_DOWN_US: Final = 1_600 * US_PER_MS
"""A primary that hears no majority for so long steps down (MongoDB: 10 s)."""
BATCH: Final = 32


class MongoReplica(Replica):
    """One member."""

    design = "mongodb"

    def __init__(self, seat: Seat, *, quorum: Quorum) -> None:
        super().__init__(seat)
        self.quorum = quorum
        """Its preset is the read preference."""
        self.primary = ""
        """Whom it believes to lead."""
        self.committed = 0
        self.next: dict[str, int] = {}
        self.match: dict[str, int] = {}
        self.heard: dict[str, int] = {}
        self.votes: dict[str, None] = {}
        self.waiting: dict[int, tuple[str, int, int]] = {}
        """At the primary: log index -> (client, serial, value) of writes that wait for a majority."""
        self.majority_state: dict[str, int] = {}
        self.majority_at = 0
        self.local: dict[str, tuple[int, Tag]] = {}
        for index in range(len(self.disk.log)):
            self._show(index + 1)

    @property
    def term(self) -> int:
        """The newest term it knows."""
        return int(self.disk.registers.get("term", 0))

    @property
    def leads(self) -> bool:
        """It believes to be the primary."""
        return self.primary == self.id

    @property
    def vector(self) -> VectorClock:
        """How long its log is (l), and how much of it a majority has (m)."""
        return VectorClock.of({"l": len(self.disk.log), "m": self.committed})

    @property
    def pending(self) -> int:
        """Writes that wait for a majority."""
        return len(self.waiting)

    @property
    def majority(self) -> int:
        """More than half."""
        return (len(self.peers) + 1) // 2 + 1

    def values(self) -> tuple[tuple[str, int, Tag], ...]:
        """What its log comes to."""
        return tuple((key, value, tag) for key, (value, tag) in sorted(self.local.items()))

    def _last_term(self) -> int:
        return self.disk.log[-1].term if self.disk.log else 0

    def _show(self, index: int) -> None:
        entry = self.disk.log[index - 1]
        if entry.key:
            self.local[entry.key] = entry.value, (index, f"t{entry.term}")

    # -- time --------------------------------------------------------------------------------------------------------

    def on_start(self, ctx: Context) -> None:
        """Wait for a primary. The last member is quicker, so that it usually leads first."""
        self._expect(ctx)
        if not self.term and self.id == max((self.id, *self.peers)):
            ctx.set_timer("election", 20 * US_PER_MS)

    def _expect(self, ctx: Context) -> None:
        ctx.set_timer("election", ctx.stream("election").between(ELECTION_US, 2 * ELECTION_US))

    def on_timer(self, ctx: Context, name: str) -> None:
        """A heartbeat to send, or none heard."""
        if name == "beat":
            if self.leads:
                self._beat(ctx)
        elif not self.leads:
            self._stand(ctx)

    def _stand(self, ctx: Context) -> None:
        self._expect(ctx)
        self.disk.write("term", self.term + 1)
        self.disk.write("voted", self.id)
        ctx.persist()
        self.primary = ""
        self.votes = {self.id: None}
        for peer in self.peers:
            ctx.send(peer, m.Vote(self.term, len(self.disk.log), self._last_term()))

    def _lead(self, ctx: Context) -> None:
        self.primary = self.id
        ctx.cancel_timer("election")
        self.next = dict.fromkeys(self.peers, len(self.disk.log) + 1)
        self.match = dict.fromkeys(self.peers, 0)
        self.heard = dict.fromkeys(self.peers, ctx.now_us)
        self.disk.append(m.OplogEntry(self.term, "", 0))
        ctx.persist()
        ctx.note(ev.Elected(self.term))
        self._beat(ctx)

    def _beat(self, ctx: Context) -> None:
        alive = sum(ctx.now_us - heard < STEP_DOWN_US for heard in self.heard.values())
        if alive + 1 < self.majority:
            self._follow(ctx, self.term, "")
            return
        ctx.set_timer("beat", BEAT_US)
        for peer in self.peers:
            self._send_to(ctx, peer)

    def _send_to(self, ctx: Context, peer: str) -> None:
        before = self.next[peer] - 1
        entries = tuple(self.disk.log[before : before + BATCH])
        term = self.disk.log[before - 1].term if before else 0
        ctx.send(peer, m.Beat(self.term, before, term, entries, self.committed))

    def _follow(self, ctx: Context, term: int, primary: str) -> None:
        if self.leads:
            ctx.note(ev.SteppedDown(term))
            ctx.cancel_timer("beat")
            self.waiting.clear()
        if term > self.term:
            self.disk.write("term", term)
            self.disk.write("voted", "")
            ctx.persist()
        self.primary = primary
        self._expect(ctx)

    # -- messages ----------------------------------------------------------------------------------------------------

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """Clients, heartbeats, votes."""
        match message:
            case m.Request(serial, write, key, value, _):
                if not write:
                    self._route(ctx, src, serial, key)
                elif self.leads:
                    self._serve(ctx, m.Forward(src, serial, write, key, value))
                elif self.primary:
                    ctx.send(self.primary, m.Forward(src, serial, write, key, value))
                else:
                    self._refuse(ctx, src, serial, key, write)
            case m.Forward(client, serial, write, key, _):
                if self.leads:
                    self._serve(ctx, message)
                else:
                    self._refuse(ctx, client, serial, key, write)
            case m.ReadHere(client, serial, key):
                self._read(ctx, client, serial, key)
            case m.Beat():
                self._copy(ctx, src, message)
            case m.BeatAck(term, ok, index):
                self._acked(ctx, src, term, ok, index)
            case m.Vote(term, index, index_term):
                self._vote(ctx, src, term, index, index_term)
            case m.VoteAck(term, granted):
                if granted and term == self.term and not self.leads:
                    self.votes[src] = None
                    if len(self.votes) >= self.majority and self.disk.registers.get("voted") == self.id:
                        self._lead(ctx)
                elif term > self.term:
                    self._follow(ctx, term, "")

    def _route(self, ctx: Context, client: str, serial: int, key: str) -> None:
        """Where a read goes. What it may return there is the read concern's affair."""
        preference = self.quorum.preset if self.rule("primary_read") else "nearest"
        elsewhere = [peer for peer, heard in self.heard.items() if ctx.now_us - heard < STEP_DOWN_US]
        to_primary = preference == "primary" or (preference == "primaryPreferred" and self.primary)
        if to_primary and self.leads:
            self._serve(ctx, m.Forward(client, serial, False, key, 0))
        elif to_primary and self.primary:
            ctx.send(self.primary, m.Forward(client, serial, False, key, 0))
        elif to_primary or (preference == "secondary" and self.leads and not elsewhere):
            self._refuse(ctx, client, serial, key, False)
        elif preference.startswith("secondary") and self.leads and elsewhere:
            ctx.send(elsewhere[ctx.stream("prefer").below(len(elsewhere))], m.ReadHere(client, serial, key))
        else:
            self._read(ctx, client, serial, key)

    def _refuse(self, ctx: Context, client: str, serial: int, key: str, write: bool) -> None:
        ctx.note(ev.Unavailable(key, write, 1, 0))
        ctx.send(client, m.Reply(serial, False, 0, EMPTY))

    def _serve(self, ctx: Context, forward: m.Forward) -> None:
        if not forward.write:
            if self.committed and self.disk.log[self.committed - 1].term == self.term:
                self._read(ctx, forward.client, forward.serial, forward.key)
            else:
                self._refuse(ctx, forward.client, forward.serial, forward.key, False)
            return
        self.disk.append(m.OplogEntry(self.term, forward.key, forward.value))
        ctx.persist()
        index = len(self.disk.log)
        self._show(index)
        self.book.tagged(forward.key, forward.value, (index, f"t{self.term}"))
        if self.rule("majority_write"):
            self.waiting[index] = forward.client, forward.serial, forward.value
        else:
            ctx.send(forward.client, m.Reply(forward.serial, True, forward.value, EMPTY))
        for peer in self.peers:
            self._send_to(ctx, peer)

    def _read(self, ctx: Context, client: str, serial: int, key: str) -> None:
        if self.rule("majority_read"):
            value = self.majority_state.get(key, INITIAL)
        else:
            value = self.local.get(key, (INITIAL, (0, "")))[0]
        ctx.send(client, m.Reply(serial, True, value, EMPTY))

    def _vote(self, ctx: Context, src: str, term: int, index: int, index_term: int) -> None:
        if term > self.term:
            self._follow(ctx, term, "")
        fresh = (index_term, index) >= (self._last_term(), len(self.disk.log))
        granted = term == self.term and fresh and self.disk.registers.get("voted", "") in ("", src) and not self.leads
        if granted:
            self.disk.write("voted", src)
            ctx.persist()
            self._expect(ctx)
        ctx.send(src, m.VoteAck(self.term, granted))

    def _copy(self, ctx: Context, src: str, beat: m.Beat) -> None:
        if beat.term < self.term:
            ctx.send(src, m.BeatAck(self.term, False, 0))
            return
        self._follow(ctx, beat.term, src)
        log = self.disk.log
        if len(log) < beat.place or (beat.place and log[beat.place - 1].term != beat.place_term):
            ctx.send(src, m.BeatAck(self.term, False, min(len(log), beat.place - 1)))
            return
        for place, entry in enumerate(beat.entries, beat.place + 1):
            if place <= len(log) and log[place - 1].term != entry.term:
                self._roll_back(ctx, place)
            if place > len(log):
                self.disk.append(entry)
                self._show(place)
                if entry.key:
                    ctx.note(ev.Applied(entry.key, entry.value, src))
        if beat.entries:
            ctx.persist()
        self._commit(ctx, min(beat.committed, beat.place + len(beat.entries)))
        ctx.send(src, m.BeatAck(self.term, True, beat.place + len(beat.entries)))

    def _roll_back(self, ctx: Context, place: int) -> None:
        undone = [entry for entry in self.disk.log[place - 1 :] if entry.key]
        self.disk.truncate(place - 1)
        self.local = {}
        for index in range(len(self.disk.log)):
            self._show(index + 1)
        for entry in undone:
            self.book.rolled_back(entry.key, entry.value)
        if undone:
            ctx.note(ev.RolledBack(undone[0].key, undone[0].value, len(undone)))

    def _acked(self, ctx: Context, src: str, term: int, ok: bool, index: int) -> None:
        if term > self.term:
            self._follow(ctx, term, "")
        if not self.leads or term < self.term:
            return
        self.heard[src] = ctx.now_us
        if not ok:
            self.next[src] = max(1, min(index + 1, self.next[src] - 1))
            self._send_to(ctx, src)
            return
        self.match[src] = max(self.match[src], index)
        self.next[src] = max(self.next[src], index + 1)
        reached = sorted((len(self.disk.log), *self.match.values()), reverse=True)[self.majority - 1]
        if reached > self.committed and self.disk.log[reached - 1].term == self.term:
            self._commit(ctx, reached)
            for each in [each for each in self.waiting if each <= reached]:
                client, serial, value = self.waiting.pop(each)
                ctx.send(client, m.Reply(serial, True, value, EMPTY))

    def _commit(self, ctx: Context, index: int) -> None:
        self.committed = max(self.committed, index)
        while self.majority_at < self.committed:
            entry = self.disk.log[self.majority_at]
            self.majority_at += 1
            if entry.key:
                self.majority_state[entry.key] = entry.value


__all__ = ["MongoReplica"]
