"""Snapshots instead of old entries (paper, section 7; dissertation, chapter 5).

Each server alone takes a snapshot of what it has applied, and drops the log up to there but for a tail. What is in it
is all that the dropped entries have brought about: values, client sessions, and the configuration. A follower that
needs an entry its leader has dropped is sent the leader's snapshot in pieces.

A snapshot replaces the one before in one durable step (engines/sim/disk.py); the log is cut in the same breath.
"""

from engines.consensus.raft import events as e
from engines.consensus.raft.log import Base
from engines.consensus.raft.messages import InstallReply, InstallSnapshot, LogSnapshot, Row
from engines.consensus.raft.ports import Effects
from engines.consensus.raft.roles import LEADER
from engines.consensus.raft.state import SNAPSHOT, ServerState


class Compaction(ServerState):
    """Takes snapshots, and receives them."""

    __slots__ = ()

    # -- taking one --------------------------------------------------------------------------------------------------

    def commit(self, ctx: Effects, index: int) -> None:
        """The entries up to an index are committed; if the log has grown long, a snapshot comes first."""
        if self.last_applied >= self.snapshot_due:
            self.take_snapshot(ctx)
        self.commit_index = index
        self.apply_committed(ctx)
        if self.role is LEADER or self.from_apply or not self.rules.config_from_append:
            self.committed(ctx)
        self.applied(ctx)

    def take_snapshot(self, ctx: Effects) -> None:
        """Write down what was applied, and drop the entries that brought it about, but for a tail."""
        index = self.last_applied
        log = self.log
        at, configuration = log.configured_at(index)
        self.keep(LogSnapshot(index, log.term_at(index), configuration, self.kv.rows(), at))
        first = max(log.first_index, index - self.sizes.tail + 1)
        if first > log.first_index:
            log.compact(first - 1)
        ctx.persist()
        ctx.note(e.SnapshotTaken(index, self.snapshot.last_term, len(self.snapshot.rows), log.first_index))

    def keep(self, snapshot: LogSnapshot) -> None:
        """Put a snapshot in the place of the one before."""
        self.snapshot = snapshot
        self.disk.write(SNAPSHOT, snapshot)
        self.schedule_snapshot()

    # -- receiving one -----------------------------------------------------------------------------------------------

    def on_install_snapshot(self, ctx: Effects, src: str, m: InstallSnapshot) -> None:
        """InstallSnapshot RPC, receiver implementation (Figure 13)."""
        if m.term < self.current_term:
            ctx.note(e.AppendOutdated(src, m.term, self.current_term))
            ctx.send(src, InstallReply(self.current_term, m.last_index, 0, False))
            return
        self.hear_leader(ctx, src, m.term)
        if m.last_index <= self.commit_index:
            ctx.note(e.SnapshotIgnored(src, m.last_index, self.commit_index))
            ctx.send(src, InstallReply(self.current_term, m.last_index, m.offset + len(m.rows), True))
            return
        rows = self.gather(m)
        if rows is not None:
            self.install(ctx, src, LogSnapshot(m.last_index, m.last_term, m.configuration, rows, m.configured_at))
        ctx.send(src, InstallReply(self.current_term, m.last_index, len(self.incoming[1]), rows is not None))

    def gather(self, m: InstallSnapshot) -> tuple[Row, ...] | None:
        """Put a piece behind those that came before it; all rows once the last is there."""
        which = (m.last_index, m.last_term)
        if m.offset == 0 or self.incoming[0] != which:
            self.incoming = (which, ())
        if m.offset != len(self.incoming[1]):
            return None
        rows = (*self.incoming[1], *m.rows)
        self.incoming = (which, rows)
        return rows if m.done else None

    def install(self, ctx: Effects, src: str, snapshot: LogSnapshot) -> None:
        """An own entry of that index and term: keep what follows it. Else the whole log goes, for the snapshot."""
        log = self.log
        index, term = snapshot.last_index, snapshot.last_term
        before = log.last_index
        if log.holds(index, term):
            self.commit(ctx, index)
            self.keep(snapshot)
            log.compact(index)
        else:
            self.keep(snapshot)
            if not self.rules.snapshot_replaces_log and before >= index:
                log.compact(index - 1)
            else:
                log.restart_at(Base(index, term, snapshot.configuration, snapshot.configured_at))
            self.kv.load(snapshot.rows)
            self.commit_index = self.last_applied = index
            self.configure()
        ctx.persist()
        ctx.note(e.SnapshotInstalled(src, index, term, len(snapshot.rows), before, log.last_index))


__all__ = ["Compaction"]
