"""How the log of the leader becomes the log of all: the box "AppendEntries RPC" of Figure 2, and what a leader does.

Beyond Figure 2: fast backtracking (end of paper 5.3), and pipelining: the leader counts an entry as sent when it sends
it, within a window, and falls back to one message at a time for a follower that refuses (progress.py). A follower whose
next entry is gone is sent a snapshot instead (compaction.py).
"""

from typing import Final

from engines.consensus.raft import events as e
from engines.consensus.raft.compaction import Compaction
from engines.consensus.raft.messages import AppendEntries, AppendReply, Entry, InstallReply, InstallSnapshot, new
from engines.consensus.raft.ports import Effects
from engines.consensus.raft.progress import PeerProgress, ProgressState
from engines.consensus.raft.quorum import Configuration, committed_index

PROBE: Final = ProgressState.PROBE
REPLICATE: Final = ProgressState.REPLICATE
SNAPSHOT: Final = ProgressState.SNAPSHOT

WATCHED_LONG: Final = 64
"""Somebody has not confirmed the watched entry while so many were appended: its messages are counted no more."""


class Replication(Compaction):
    """Sends, receives, commits."""

    __slots__ = ()

    # -- the leader --------------------------------------------------------------------------------------------------

    def heartbeat(self, ctx: Effects) -> None:
        """Say that the leader lives, and repeat to each follower what it has not confirmed in a while."""
        ctx.set_timer("heartbeat", self.timing.heartbeat_us)
        for peer in self.peers:
            self.send_append(ctx, peer)

    def propose(self, ctx: Effects, entry: Entry, src: str) -> None:
        """Append an entry to the own log, and send it to whoever has all before it."""
        self.append(ctx, (entry,))
        index = self.log.last_index
        if not isinstance(entry.command, Configuration):
            ctx.note(new(e.Appended, (index, entry.term, entry.command, src)))
        if not self.watched or index - self.watched > WATCHED_LONG:
            self.watched, self.exchanged = index, 0
        self.spread(ctx, entry, index)
        self.decide_alone(ctx)

    def spread(self, ctx: Effects, entry: Entry, index: int) -> None:
        """The newest entry of the log goes to whoever has been sent all before it: one message, the same for all."""
        window = self.sizes.window
        previous = index - 1
        m = (self.current_term, previous, self.log.term_at(previous), (entry,), self.commit_index, self.round)
        message = new(AppendEntries, m)
        for peer, progress in self.progress.items():
            if progress.next_index == index and progress.state is REPLICATE and len(progress.inflight) < window:
                progress.sent(index)
                if index == self.watched:
                    self.exchanged += 1
                ctx.send(peer, message)

    def decide_alone(self, ctx: Effects) -> None:
        """A leader that is the only voter waits for nobody's answer."""
        if self.configuration.voters == (self.id,):
            self.advance_commit(ctx)

    def send_append(self, ctx: Effects, peer: str) -> None:
        """AppendEntries with the log from nextIndex on (paper, Rules for Leaders), a bounded batch of it.

        Nothing but a heartbeat while the window is full; a piece of a snapshot if those entries are gone.
        """
        log = self.log
        progress = self.progress[peer]
        if progress.next_index <= log.base_index:
            if self.send_snapshot(ctx, peer, progress):
                return
            progress.probe(log.first_index)
        held = log.entries
        previous = progress.next_index - 1
        place = previous - log.base_index
        term = held[place - 1].term if place else log.base_term
        entries: tuple[Entry, ...] = ()
        if place < len(held):
            last = previous
            if progress.state is PROBE:
                entries = (held[place],)
                last += 1
            elif len(progress.inflight) < self.sizes.window:
                newest = place + 1 == len(held)
                entries = (held[place],) if newest else tuple(held[place : place + self.sizes.batch])
                last += len(entries)
                progress.sent(last)
            if previous < self.watched <= last:
                self.exchanged += 1
        m = (self.current_term, previous, term, entries, self.commit_index, self.round)
        ctx.send(peer, new(AppendEntries, m))

    def send_snapshot(self, ctx: Effects, peer: str, progress: PeerProgress) -> bool:
        """The next piece of a snapshot, if the server was heard lately. False: ask first whether it is there."""
        heard = progress.heard_at_us
        if heard is None or ctx.now_us - heard > self.timing.election_max_us:
            return False
        if progress.snapshot is None:
            progress.transfer(self.snapshot)
            ctx.note(e.SnapshotSent(peer, progress.next_index, self.log.first_index, self.snapshot.last_index,
                                    len(self.snapshot.rows)))  # fmt: skip
        snapshot = progress.snapshot
        assert snapshot is not None
        after = progress.offset + self.sizes.piece
        rows = snapshot.rows[progress.offset : after]
        ctx.send(peer, InstallSnapshot(self.current_term, snapshot.last_index, snapshot.last_term,
                                       snapshot.configuration, progress.offset, rows,
                                       after >= len(snapshot.rows), snapshot.configured_at))  # fmt: skip
        return True

    def on_install_reply(self, ctx: Effects, src: str, m: InstallReply) -> None:
        """The next piece; after the last, see whether it takes the entry behind the snapshot."""
        progress = self.progress.get(src)
        if progress is None or m.term != self.current_term:
            self.disregard(ctx, src, m.term)
            return
        progress.heard_at_us = ctx.now_us
        if progress.snapshot is None or m.last_index != progress.snapshot.last_index:
            return
        if m.done:
            progress.probe(max(progress.match_index, m.last_index) + 1)
            self.send_append(ctx, src)
        elif m.received > progress.offset:
            progress.offset = m.received
            self.send_append(ctx, src)
        else:
            progress.offset = m.received

    def disregard(self, ctx: Effects, src: str, term: int) -> None:
        """An answer of another term, or to nobody who leads, counts for nothing; but a newer term is adopted."""
        if term > self.current_term:
            self.become_follower(ctx, term, e.StepDownReason.HIGHER_TERM, src)

    def update_progress(self, ctx: Effects, src: str, m: AppendReply) -> None:
        """On success update nextIndex and matchIndex; on refusal go back and retry."""
        progress = self.progress.get(src)  # of nobody, unless it leads
        if progress is None or m.term != self.current_term:
            self.disregard(ctx, src, m.term)
            return
        progress.heard_at_us = ctx.now_us
        state = progress.state
        if m.success:
            proved = m.match_index
            if not self.rules.match_proved:
                proved = max(proved, progress.next_index - 1)
            if proved > progress.match_index:
                progress.confirm(proved)
                if proved > self.commit_index:
                    self.advance_commit(ctx)
                    if src not in self.progress:  # the commit took it, or this server, out of the cluster
                        return
            if state is PROBE or (state is SNAPSHOT and progress.match_index >= self.log.base_index):
                progress.replicate()
                ctx.note(e.MatchFound(src, progress.match_index))
            if progress.next_index <= self.log.last_index and progress.state is REPLICATE:
                self.send_append(ctx, src)
        elif m.prev_log_index > progress.match_index and (
            state is REPLICATE or (state is PROBE and m.prev_log_index == progress.next_index - 1)
        ):
            self.backtrack(ctx, src, progress, m)

    def backtrack(self, ctx: Effects, src: str, progress: PeerProgress, m: AppendReply) -> None:
        """Skip back over a whole term per refusal (end of paper 5.3), then probe."""
        before = progress.next_index
        after = m.conflict_index
        if m.conflict_term and m.prev_log_index > self.log.base_index:
            index = self.log.last_of_term(m.prev_log_index, m.conflict_term)
            if self.log.term_at(index) == m.conflict_term:
                after = index + 1
        after = max(progress.match_index + 1, min(after, m.prev_log_index))
        progress.probe(after)
        ctx.note(e.Backtracked(src, m.prev_log_index, before, after, m.conflict_term, m.conflict_index))
        self.send_append(ctx, src)

    def advance_commit(self, ctx: Effects) -> None:
        """If N > commitIndex, a majority of matchIndex >= N, and log[N].term == currentTerm: commitIndex = N."""
        match = {peer: progress.match_index for peer, progress in self.progress.items()}
        match[self.id] = self.log.durable_index()
        majority = committed_index(self.configuration, match)
        if majority <= self.commit_index:
            return
        term = self.log.term_at(majority)
        if self.rules.current_term_commit and term != self.current_term:
            ctx.note(e.CommitWithheld(majority, term, self.current_term))
            return
        del match[self.id]
        holders = tuple([peer for peer, index in match.items() if index >= majority])
        span = (self.commit_index + 1, majority, self.current_term, term)
        ctx.note(new(e.Committed, (*span, holders, self.quorum, self.configuration)))
        self.commit(ctx, majority)

    # -- the follower ------------------------------------------------------------------------------------------------

    def on_append_entries(self, ctx: Effects, src: str, m: AppendEntries) -> None:
        """AppendEntries RPC, receiver implementation 1 to 5 (Figure 2)."""
        term, previous, previous_term, entries, leader_commit, round = m
        if term < self.current_term:
            ctx.note(e.AppendOutdated(src, term, self.current_term))
            ctx.send(src, AppendReply(self.current_term, False, 0, previous, round=round))
            return
        fits = self.log.holds(previous, previous_term)
        self.hear_leader(ctx, src, term, fits)
        if not fits:
            self.refuse_append(ctx, src, m)
            return
        stored = self.store(ctx, src, m) if entries else False
        match = previous + len(entries)
        if leader_commit > self.commit_index < match:
            self.commit(ctx, min(leader_commit, match))
        reply = new(AppendReply, (self.current_term, True, match, previous, 0, 0, round))
        if stored or self.rules.ack_after_sync:
            ctx.send(src, reply)
        else:
            ctx.send_at_once(src, reply)

    def refuse_append(self, ctx: Effects, src: str, m: AppendEntries) -> None:
        """Reply false if the log has no entry at prevLogIndex with prevLogTerm, and say how far to go back."""
        log = self.log
        previous = m.prev_log_index
        last = log.last_index
        if previous > last:
            term, index = 0, last + 1
        else:
            term, index = log.term_at(previous), log.first_of_term(previous)
        why = e.Mismatch.TERM if term else e.Mismatch.GAP
        ctx.note(e.AppendRefused(src, why, previous, m.prev_log_term, last, term, index))
        ctx.send(src, AppendReply(self.current_term, False, 0, previous, term, index, m.round))

    def store(self, ctx: Effects, src: str, m: AppendEntries) -> bool:
        """If an entry conflicts with a new one, delete it and all that follow; append what is new; was there any?"""
        log = self.log
        last = log.last_index
        entries = m.entries
        index = m.prev_log_index + 1
        if index <= last:
            known = 0
            for entry in entries:
                if index > last:
                    break
                old_term = log.term_at(index) if index > log.base_index else entry.term
                if old_term != entry.term:
                    ctx.note(e.Truncated(src, index, last, old_term, entry.term, self.commit_index))
                    self.truncate(ctx, index)
                    break
                index += 1
                known += 1
            entries = entries[known:]
            if not entries:
                return False
        self.append(ctx, entries)
        last = log.last_index
        if index < last or not isinstance(entries[-1].command, Configuration):  # a configuration tells itself
            ctx.note(new(e.Stored, (src, index, last, m.prev_log_index, m.prev_log_term)))
        return True


__all__ = ["Replication"]
