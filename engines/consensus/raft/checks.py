"""The guarantees of Raft, checked after every event, beside the algorithm and not inside it.

The checker sees all servers at once, which no server does. It looks only at what the last event changed, so that
checking everything always costs little:

- an entry is identified by (index, term); Log Matching holds iff that pair determines the command *and* the term of
  the entry before it, in all logs and for ever (by induction this is the paper's statement)
- Leader Completeness is examined when a leader is elected and when an entry commits
- what was applied and committed is remembered for the newest entries, ``KEPT`` of them: what is forgotten is not judged
- a failed check stays failed: it is a fact about the run

Sources: paper, Figure 3 and sections 5.1 to 5.4; Leader Stability after dissertation 4.2.3 and 9.6.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from engines.consensus.raft import durability_checks, liveness, membership_checks, promises
from engines.consensus.raft.folds import Applied, Folds
from engines.consensus.raft.log import RaftLog
from engines.consensus.raft.messages import Entry, LogSnapshot
from engines.consensus.raft.node import RaftNode
from engines.consensus.raft.quorum import Configuration, has_quorum
from engines.consensus.raft.roles import CANDIDATE, FOLLOWER, LEADER, Role
from engines.consensus.raft.state import NEVER
from engines.consensus.raft.state_machine import describe
from engines.sim.checks import CheckBook
from engines.sim.history import History
from engines.sim.host import CRASHED, FROZEN, Host
from engines.units import stamp

ELECTION_SAFETY: Final = "election safety"
APPEND_ONLY: Final = "leader append-only"
LOG_MATCHING: Final = "log matching"
COMPLETENESS: Final = "leader completeness"
STATE_MACHINE: Final = "state machine safety"
TERMS: Final = "terms and votes survive"
ORDER: Final = "applied <= commit <= last"
STABILITY: Final = "leader stability"
DURABLE: Final = durability_checks.DURABLE
SNAPSHOTS: Final = durability_checks.SNAPSHOTS
ONCE: Final = promises.ONCE
ANSWERS: Final = promises.ANSWERS
READS: Final = promises.READS
UNDONE: Final = promises.UNDONE
QUIET: Final = promises.QUIET
ONE_CHANGE: Final = membership_checks.ONE_CHANGE
OVERLAP: Final = membership_checks.OVERLAP
LEADER_IN_TIME: Final = liveness.LEADER_IN_TIME
CATCHES_UP: Final = liveness.CATCHES_UP

DEMANDS: Final = {
    ELECTION_SAFETY: "at most one leader is elected in a term",
    APPEND_ONLY: "a leader never overwrites or deletes entries of its log",
    LOG_MATCHING: "two logs that agree on index and term of an entry agree up to there",
    COMPLETENESS: "a committed entry is in the logs of all leaders of later terms",
    STATE_MACHINE: "no two servers apply different commands at one index",
    TERMS: "the term never goes back, and the vote of a term survives a crash",
    ORDER: "applied <= commit <= last index, and the commit index never goes back",
    **durability_checks.DEMANDS,
    STABILITY: "a leader heard by a quorum in every timeout is not deposed by who cannot win or is no member",
    **promises.DEMANDS,
    **membership_checks.DEMANDS,
    **liveness.DEMANDS,
}
KEPT: Final = 1_024
FORGET_EVERY: Final = 256
CAMPAIGNS_MAX: Final = 64
STATES_MAX: Final = 256


@dataclass(slots=True)
class _Seen:
    """What a server looked like when it was last examined."""

    writes: int = -1
    commit: int = 0
    applied: int = 0
    role: Role = FOLLOWER
    term: int = 0
    vote: str | None = None
    term_written: bool = False
    vote_written: bool = False
    on_disk: bool = False
    """Both of them."""
    truncations: int = 0
    incarnation: int = 0
    length: int = 0
    snapshot: LogSnapshot | None = None
    configuration: Configuration | None = None
    unbroken_us: int = NEVER
    unbroken_since_us: int = NEVER
    """``unbroken_us`` of the node, in true time."""


_State: TypeAlias = tuple[str, dict[str, int], dict[str, tuple[int, int | None]]]
"""Of which server, its values, its sessions. Bare tuples, for there is one of every entry."""
_Committed: TypeAlias = tuple[Entry, str, int, int]
"""The entry, the leader that committed it, in which term, and when."""


class _Campaign(NamedTuple):
    node: str
    start_us: int
    told: bool
    """By the leader, who hands over: it was a member then, though it may be none any more when its votes go out."""
    can_win: bool
    supporters: int


class RaftChecks(CheckBook):
    """The checker of one cluster. Call ``observe`` after every event with the host it happened on."""

    def __init__(self, hosts: dict[str, Host], servers: tuple[str, ...], history: History) -> None:
        super().__init__(DEMANDS)
        self.hosts = hosts
        self.servers = servers
        self.seen = {server: _Seen() for server in servers}
        self.leaders: dict[int, tuple[str, int]] = {}
        self.entries: dict[tuple[int, int], tuple[int, Entry, str]] = {}
        self.committed: dict[int, _Committed] = {}
        self.committed_to = 0
        self.applied: dict[int, Applied] = {}
        self.applied_to = 0
        self.folds: Folds | None = None
        self.states: dict[int, _State] = {}
        """What the state machine held after that many entries, on the first server that stopped there."""
        self.forget_at = KEPT + FORGET_EVERY
        self.floor = 0
        """What stands before it is forgotten."""
        self.campaigns: dict[int, _Campaign] = {}
        self.promises = promises.Promises(self, hosts, history)
        self.liveness = liveness.Liveness(self, hosts)

    def add(self, server: str) -> None:
        """A new server, from now on."""
        self.servers = (*self.servers, server)
        self.seen[server] = _Seen()

    def observe(self, host: Host) -> None:
        """Examine what the last event changed on this host."""
        seen = self.seen.get(host.id)
        if seen is None:
            if self.promises.looked != self.promises.history.length:
                self.promises.look(host)
            return
        node: RaftNode = host.node  # type: ignore[assignment]
        written = seen.writes != host.disk.writes
        committed = seen.commit != node.commit_index
        if seen.unbroken_us != node.unbroken_us or seen.role is not node.role or seen.incarnation != host.incarnation:
            if host.status == CRASHED:
                self._crashed(host, seen)
            else:
                self._changed(host, node, seen)
        elif written:
            self._written(host, node, seen)
            if committed:
                self._committed(host, node, seen)
            seen.configuration = node.configuration
            if seen.snapshot is not node.snapshot:
                self._snapshot(host, node, seen)
            if len(node.log.configurations) > 1:
                membership_checks.examine(self, host.id, node.log, self.committed_to, _at(host))
        elif committed:
            self._committed(host, node, seen)
            seen.configuration = node.configuration

    def fail(self, name: str, detail: str, *witness: str) -> None:
        """It was the event that has just happened."""
        host = self.hosts[self.servers[0]]
        self.position, self.at_us = host.world.position, host.clock.now_us
        super().fail(name, detail, *witness)

    def _changed(self, host: Host, node: RaftNode, seen: _Seen) -> None:
        """Something has changed that seldom does, and maybe the rest as well."""
        if seen.incarnation != host.incarnation:
            self._restarted(host, node, seen)
        if seen.unbroken_us != node.unbroken_us:
            seen.unbroken_us = node.unbroken_us
            seen.unbroken_since_us = host.clock.now_us
        written = seen.writes != host.disk.writes
        if written:
            self._written(host, node, seen)
        if seen.role is not node.role:
            self._role_changed(host, node, seen)
        if seen.commit != node.commit_index:
            self._committed(host, node, seen)
        seen.configuration = node.configuration
        if seen.snapshot is not node.snapshot:
            self._snapshot(host, node, seen)
        if written and len(node.log.configurations) > 1:
            membership_checks.examine(self, host.id, node.log, self.committed_to, _at(host))

    def _written(self, host: Host, node: RaftNode, seen: _Seen) -> None:
        """Its disk was written: the registers, the log, or both."""
        disk, log = host.disk, node.log
        if node.current_term != seen.term or node.voted_for != seen.vote or not seen.on_disk:
            self._terms_and_votes(host, node, seen)
        if disk.truncations != seen.truncations or log.last_index < seen.length:
            self._append_only(host, node, seen)
        if log.base_index + disk.changed_from < seen.applied:
            self.promises.wrote(host, node, seen.applied)
        self._log_matching(host, node)
        seen.writes, seen.length, seen.truncations = disk.writes, log.last_index, disk.truncations

    def _snapshot(self, host: Host, node: RaftNode, seen: _Seen) -> None:
        """It has another snapshot than before, at the latest the empty one it begins with."""
        seen.snapshot = node.snapshot
        if self.folds is None:
            self.folds = Folds(node.snapshot.configuration, node.sizes.session_entries)
            self.promises.expire_after = node.sizes.session_entries
        durability_checks.snapshot(self, host.id, node.snapshot, self.folds, self.applied, _at(host))

    def look(self, now_us: int) -> None:
        """Whether what must happen in time does. Called now and then."""
        self.liveness.look(self.servers, self._is_decided, now_us)

    def _is_decided(self, log: RaftLog, index: int) -> bool:
        """Whether what a log holds at an index is what was committed there, and no entry that will be replaced."""
        known = self.committed.get(index)
        return index <= self.committed_to and (known is None or log.holds(index, known[0].term))

    def raft(self, server: str) -> RaftNode:
        """The node of a server."""
        node = self.hosts[server].node
        assert isinstance(node, RaftNode)
        return node

    # -- crashes -------------------------------------------------------------------------------------------------

    def _crashed(self, host: Host, seen: _Seen) -> None:
        """Unsynced writes are gone, and nobody was told of them: of what had been written, the disk's word counts.

        What the server believed and never wrote is not excused.
        """
        registers = host.disk.registers
        node: RaftNode = host.node  # type: ignore[assignment]
        if seen.incarnation == -1:
            return
        if seen.term == node.current_term and seen.vote != node.voted_for:
            seen.vote, seen.vote_written = node.voted_for, False
        term = registers.get("term", 0)
        if term < seen.term and seen.term_written:
            seen.term, seen.vote = term, registers.get("vote")
        elif term == seen.term and seen.vote_written:
            seen.vote = registers.get("vote")
        seen.writes = host.disk.writes
        seen.incarnation = -1

    def _restarted(self, host: Host, node: RaftNode, seen: _Seen) -> None:
        seen.incarnation = host.incarnation
        seen.commit = seen.applied = node.snapshot.last_index
        seen.snapshot = None
        seen.role = FOLLOWER
        seen.writes = -1
        seen.truncations = host.disk.truncations
        seen.unbroken_us = node.unbroken_us
        seen.unbroken_since_us = NEVER

    # -- elections -----------------------------------------------------------------------------------------------

    def _terms_and_votes(self, host: Host, node: RaftNode, seen: _Seen) -> None:
        if node.current_term < seen.term:
            self.fail(TERMS, f"{host.id} went back from term {seen.term} to {node.current_term}",
                       f"{_at(host)} {host.id} is in term {node.current_term}, it was in term {seen.term}")  # fmt: skip
        elif node.current_term == seen.term and seen.vote is not None and node.voted_for != seen.vote:
            now = node.voted_for or "nobody"
            self.fail(TERMS, f"{host.id} forgot its vote of term {seen.term}",
                       f"{host.id} had voted for {seen.vote} in term {seen.term}",
                       f"{_at(host)} it believes it voted for {now} in that term")  # fmt: skip
        if node.role is CANDIDATE and node.current_term > seen.term:
            self._campaign(host, node)
        seen.term, seen.vote = node.current_term, node.voted_for
        seen.term_written = host.disk.registers.get("term", 0) == seen.term
        seen.vote_written = host.disk.registers.get("vote") == seen.vote
        seen.on_disk = seen.term_written and seen.vote_written

    def _role_changed(self, host: Host, node: RaftNode, seen: _Seen) -> None:
        was, seen.role = seen.role, node.role
        if was is FOLLOWER:
            self.promises.stands(host, node)
        if node.role is LEADER:
            self._elected(host, node)
        elif was is LEADER and node.deposed_by:
            self._deposed(host, node)

    def _campaign(self, host: Host, node: RaftNode) -> None:
        """Whether it can win. Whom a leader told to stand is not asked: it is deposed by its own word, come late."""
        last, last_term = node.log.last_index, node.log.last_term
        supporters = [server for server in self.servers if self.raft(server).log.is_up_to_date(last, last_term)]
        told = node.told_for == node.current_term
        campaign = _Campaign(
            host.id,
            host.clock.now_us - (host.now_us - node.campaign_us),
            told,
            told or has_quorum(node.configuration, supporters),
            len(supporters),
        )
        if campaign.can_win or node.current_term not in self.campaigns:
            self.campaigns[node.current_term] = campaign
        if len(self.campaigns) > CAMPAIGNS_MAX:
            del self.campaigns[min(self.campaigns)]

    def _elected(self, host: Host, node: RaftNode) -> None:
        term = node.current_term
        other = self.leaders.setdefault(term, (host.id, host.clock.now_us))
        if other[0] != host.id:
            self.fail(ELECTION_SAFETY, f"{other[0]} and {host.id} both lead term {term}",
                       f"{stamp(other[1])} {other[0]} was elected in term {term}",
                       f"{_at(host)} {host.id} was elected in term {term}")  # fmt: skip
        self._complete(host, node, self.committed_to)

    def _complete(self, host: Host, node: RaftNode, upto: int) -> None:
        """Leader Completeness for the committed entries up to an index; Log Matching makes the last one enough."""
        log = node.log
        if upto <= log.base_index or log.holds(upto, self.committed[upto][0].term):
            return
        for index, (entry, leader, term, at_us) in self.committed.items():
            if not log.base_index < index <= upto:
                continue
            has = log[index] if index <= log.last_index else None
            if has != entry and term < node.current_term:
                holds = f"holds entry {index} of term {has.term} instead" if has else f"has no entry {index}"
                self.fail(COMPLETENESS, f"the leader of term {node.current_term} lacks the committed entry {index}",
                           f"{stamp(at_us)} {leader}, leader of term {term}, committed entry {index}: {_words(entry)}",
                           f"{_at(host)} {host.id}, leader of term {node.current_term}, {holds}")  # fmt: skip
                return

    def _deposed(self, host: Host, node: RaftNode) -> None:
        """A leader stepped down for a higher term: was it heard, and could the one who raised the term have won?"""
        campaign = self.campaigns.get(node.current_term)
        outside = campaign is not None and not campaign.told and not node.configuration.votes(campaign.node)
        if campaign is None or (campaign.can_win and not outside):
            return
        hearers = [host.id]
        for server in self.servers:
            other = self.hosts[server]
            follower = self.raft(server)
            if (
                server != host.id
                and other.status not in (CRASHED, FROZEN)
                and follower.heard_leader == host.id
                and other.now_us - follower.heard_us < follower.timing.election_min_us
                and self.seen[server].unbroken_since_us <= campaign.start_us
            ):
                hearers.append(server)
        if has_quorum(node.configuration, hearers):
            why, how = "could not win", (f"its log suffices for {campaign.supporters} of {len(self.servers)} votes, "
                                         f"it needs {node.quorum}")  # fmt: skip
            if outside:
                why, how = "is no member any more", f"{host.id} goes by {node.configuration}"
            self.fail(STABILITY, f"{campaign.node} {why}, and deposed the working leader {host.id}",
                       f"{stamp(campaign.start_us)} {campaign.node} campaigned for term {node.current_term}; {how}",
                       f"{_at(host)} {host.id} stepped down for that term, though {', '.join(hearers)} "
                       f"heard it in every election timeout")  # fmt: skip

    # -- logs ----------------------------------------------------------------------------------------------------

    def _append_only(self, host: Host, node: RaftNode, seen: _Seen) -> None:
        """What it is called for: a log was cut, or is shorter than it was."""
        if seen.role is LEADER and node.role is LEADER:
            self.fail(APPEND_ONLY, f"the leader {host.id} deleted entries of its own log",
                       f"{_at(host)} {host.id}, leader of term {node.current_term}, had {seen.length} entries "
                       f"and holds {node.log.last_index}")  # fmt: skip

    def _log_matching(self, host: Host, node: RaftNode) -> None:
        log, disk, entries = node.log, host.disk, self.entries
        place = disk.changed_from
        before = disk.log[place - 1].term if place else log.base_term
        index = log.base_index + place
        for entry in disk.log[place:]:
            index += 1
            term = entry.term
            known = entries.get((index, term))
            if known is None:
                entries[index, term] = before, entry, host.id
            elif known[0] != before or (known[1] is not entry and known[1] != entry):
                self.fail(LOG_MATCHING, f"entry {index} of term {term} differs on {known[2]} and {host.id}",
                           f"on {known[2]} it is {describe(known[1].command)} after an entry of term {known[0]}",
                           f"on {host.id} it is {describe(entry.command)} after an entry of term {before}")  # fmt: skip
            before = term
        disk.changed_from = len(disk.log)

    # -- commitment ----------------------------------------------------------------------------------------------

    def _committed(self, host: Host, node: RaftNode, seen: _Seen) -> None:
        commit, applied, log = node.commit_index, node.last_applied, node.log
        last = log.last_index
        if not applied <= commit <= last or commit < seen.commit:
            self.fail(ORDER, f"{host.id}: applied {applied}, commit {commit}, last index {last}",
                       f"{_at(host)} the commit index of {host.id} was {seen.commit}")  # fmt: skip
        if commit > self.committed_to and node.role is LEADER:
            self._decided(host, node, seen)
        index = max(seen.applied, log.base_index, node.snapshot.last_index)
        for entry in log.slice(index + 1, min(applied, last)):
            index += 1
            if index > self.applied_to:
                self.applied[index] = entry, host.id, host.clock.now_us
                self.applied_to = index
                self.promises.execute(index, entry.command)
            elif (known := self.applied.get(index)) and known[0] is not entry and known[0] != entry:
                first, by, at_us = known
                self.promises.differ = True
                self.fail(STATE_MACHINE, f"{by} and {host.id} applied different commands at index {index}",
                           f"{stamp(at_us)} {by} applied {_words(first)} at index {index}",
                           f"{_at(host)} {host.id} applied {_words(entry)} there")  # fmt: skip
        seen.commit, seen.applied = commit, applied
        self._same_state(host, node)
        if self.applied_to > self.forget_at:
            self._forget()

    def _decided(self, host: Host, node: RaftNode, seen: _Seen) -> None:
        """A leader has committed what nobody had before: for ever, so leaders of later terms must hold it."""
        commit, term, now = node.commit_index, node.current_term, host.clock.now_us
        first = max(self.committed_to + 1, node.log.first_index)
        for index, entry in enumerate(node.log.slice(first, commit), first):
            self.committed[index] = entry, host.id, term, now
        self.committed_to = self.promises.committed = commit
        self._durable(host, node, seen)
        for server in self.servers:
            other = self.hosts[server]
            leader: RaftNode = other.node  # type: ignore[assignment]
            if leader.role is LEADER and leader.current_term > term and other.status != CRASHED:
                self._complete(other, leader, commit)

    def _durable(self, host: Host, node: RaftNode, seen: _Seen) -> None:
        """Whether enough servers hold what was just committed; to look for more of them is to no purpose."""
        index = node.commit_index
        term = node.log.term_at(index)
        ruled = seen.configuration or node.configuration
        among: tuple[str, ...] = self.servers if ruled.outgoing else ruled.voters  # type: ignore[assignment]
        enough = len(among) if ruled.outgoing else len(among) // 2 + 1
        holders = []
        for server in among:
            holder: RaftNode = self.hosts[server].node  # type: ignore[assignment]
            if holder.log.holds_durably(index, term):
                holders.append(server)
                if len(holders) == enough:
                    return
        if not has_quorum(ruled, holders):
            holders = [each for each in self.servers if self.raft(each).log.holds_durably(index, term)]
            durability_checks.durable(self, host.id, node, holders, _at(host))

    def _same_state(self, host: Host, node: RaftNode) -> None:
        """Equal commands in equal order must have made equal state machines, wherever two stopped at one index."""
        kv, applied = node.kv, node.last_applied
        state = self.states.get(applied)
        if state is None:
            self.promises.compare(host, applied, kv)
            self.states[applied] = host.id, kv.values.copy(), kv.sessions.copy()
            if len(self.states) > STATES_MAX:
                del self.states[next(iter(self.states))]
            return
        other, values, sessions = state
        if values != kv.values:
            self.promises.compare(host, applied, kv)
            self.fail(STATE_MACHINE, f"{other} and {host.id} differ after applying {applied} entries",
                       f"{other} had {_pairs(values)} after entry {applied}",
                       f"{_at(host)} {host.id} has {_pairs(kv.values)} there")  # fmt: skip
        elif sessions != kv.sessions:
            self.fail(STATE_MACHINE, f"{other} and {host.id} differ after applying {applied} entries",
                       f"{other} remembered the clients as {sessions} after entry {applied}",
                       f"{_at(host)} {host.id} remembers them as {kv.sessions} there")  # fmt: skip

    def _forget(self) -> None:
        """Keep the newest entries only: what runs for hours must not grow for hours."""
        self.forget_at = self.applied_to + FORGET_EVERY
        floor = min(self.committed_to, self.applied_to) - KEPT
        for index in range(self.floor, floor):
            self.committed.pop(index, None)
            self.applied.pop(index, None)
        self.floor = max(self.floor, floor)
        self.entries = {where: known for where, known in self.entries.items() if where[0] >= floor}


def _pairs(values: dict[str, int]) -> str:
    return " ".join(f"{key}={value}" for key, value in sorted(values.items())) or "nothing"


def _words(entry: Entry) -> str:
    return f"{describe(entry.command)} of term {entry.term}"


def _at(host: Host) -> str:
    return stamp(host.clock.now_us)
