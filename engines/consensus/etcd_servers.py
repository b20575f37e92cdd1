"""The servers of a trace, rebuilt event by event, and Raft's guarantees held against them.

A trace tells of every server its term, vote, commit index, role, last index and configuration at each event, and of
every message its numbers. The *terms of entries* it does not tell; they follow: what a leader appends is of its term,
what a follower accepts is what the leader held when it sent it, and every message names the term before its entries.
Where nothing tells, the term is 0: unknown, and nothing is judged by it.

What a server may lose in a crash (an ``InitState`` after its first) is what it did not persist: etcd persists between
one ``Ready`` and the next, so what stood at the last ``Ready`` but one must survive. ``InitState`` is written before
the server has read its disk (``newRaft`` traces first and calls ``loadState`` later), so it says term 0, no vote and no
voters whatever is on the disk; what it restarts with stands in the ``BecomeFollower`` that follows.
"""

from dataclasses import dataclass, field
from typing import Final

from engines.consensus.etcd_trace import NOBODY, TraceEvent, TraceMessage
from engines.consensus.raft.checks import APPEND_ONLY, COMPLETENESS, ELECTION_SAFETY, LOG_MATCHING, ORDER, TERMS
from engines.consensus.raft.quorum import Configuration, Vote, committed_index, vote_result
from engines.sim.checks import CheckBook

MAJORITY: Final = "majorities decide"
OWN_TERM: Final = "leaders commit their own term"
UNDER_WAY_MAX: Final = 4_096
CARRIED_MAX: Final = 1 << 12
"""Entries of one message whose terms are kept until it arrives; of a longer one, nothing is known."""
AT_ONCE_MAX: Final = 1 << 16
"""Entries that a leader appends between two lines which Log Matching is held against; behind them is one term."""

DEMANDS: Final = {
    ELECTION_SAFETY: "at most one leader is elected in a term",
    TERMS: "the term never goes back, and the vote of a term stays, also in a restart",
    ORDER: "commit <= last index, and the commit index never goes back while a server runs",
    APPEND_ONLY: "the log of a leader never becomes shorter",
    LOG_MATCHING: "entries of one index and term follow entries of one term, as far as terms can be known",
    COMPLETENESS: "a leader's log reaches every entry that a leader before it committed, in the same term",
    OWN_TERM: "what a leader commits is an entry of its own term (5.4.2)",
    MAJORITY: "elections and commitments have the answers of a majority, of both while a configuration is joint",
}


@dataclass(slots=True)
class TracedServer:
    """One server, as the events so far tell."""

    id: str
    term: int = 0
    vote: str = NOBODY
    commit: int = 0
    role: str = "follower"
    log: list[int] = field(default_factory=list)
    """The term of each entry; 0: unknown."""
    voters: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()
    leader: str = ""
    started: bool = False
    loading: bool = False
    """It starts, and has not read its disk yet."""
    since_us: int = 0
    """When it took office."""
    elected_here: bool = False
    """Whether its election is in the trace: only then all answers to it are."""
    asked_here: bool = False
    votes: dict[str, bool] = field(default_factory=dict)
    match: dict[str, int] = field(default_factory=dict)
    next: dict[str, int] = field(default_factory=dict)
    accepting: tuple[int, int, tuple[int, ...]] | None = None
    """Of the entries it is handling: index and term before them, and their terms."""
    ready: tuple[int, str, int] = (0, NOBODY, 0)
    durable: tuple[int, str, int] = (0, NOBODY, 0)
    """Term, vote and commit index that a crash leaves it at least."""

    @property
    def configuration(self) -> Configuration:
        """Who counts, as it has it."""
        return Configuration(self.voters, self.outgoing)

    @property
    def last(self) -> int:
        """Its last index."""
        return len(self.log)


class TracedCluster(CheckBook):
    """All servers of a trace."""

    def __init__(self) -> None:
        super().__init__(DEMANDS)
        self.servers: dict[str, TracedServer] = {}
        self.leaders: dict[int, tuple[str, int]] = {}
        self.before: dict[tuple[int, int], tuple[int, str]] = {}
        """(index, term) -> the term of the entry before, and whose log says so."""
        self.committed = (0, 0, "", 0, 0)
        """The highest committed entry: index, its term, by whom, in which term, at which line."""
        self.under_way: dict[tuple[str, str, int, int, int], tuple[int, ...]] = {}
        """Terms of the entries of messages that were sent, by (from, to, term, index before, how many)."""

    def take(self, event: TraceEvent, position: int, at_us: int) -> None:
        """The next event, which is so many-th, and when it was on the run's own time."""
        server = self.servers.get(event.node)
        if server is None:
            server = self.servers[event.node] = TracedServer(event.node)
        self.position, self.at_us = position, at_us
        if event.name == "InitState" or not server.started:
            self._starts(server)
            server.loading = event.name == "InitState" and (event.term, event.vote) == (0, NOBODY)
            server.commit = event.commit
            if not server.loading:
                self._loaded(server, event)
        elif not server.loading:
            self._goes_on(server, event)
        elif event.name != "ApplyConfChange":
            self._loaded(server, event)
        self._length(server, event)
        self._role(server, event)
        server.term, server.vote, server.role = event.term, event.vote, event.role
        server.voters, server.outgoing = event.voters, event.outgoing
        if event.message is not None:
            self._message(server, event, event.message)
        self._commit(server, event)
        if event.name == "Ready":
            server.durable, server.ready = server.ready, (event.term, event.vote, event.commit)

    # -- terms, votes, commit ----------------------------------------------------------------------------------------

    def _starts(self, server: TracedServer) -> None:
        """A server starts, for the first time in this trace or again."""
        server.started = True
        server.role, server.leader = "follower", ""
        server.votes, server.match, server.elected_here, server.asked_here = {}, {}, False, False
        server.accepting = None
        _forget(server, server.durable[2])

    def _loaded(self, server: TracedServer, event: TraceEvent) -> None:
        """It has read its disk, and says what it found."""
        term, vote, _ = server.durable
        if event.term < term or (event.term == term and vote not in (NOBODY, event.vote)):
            self._terms(server, event, f"its disk held term {term} with a vote for {_voted(vote)}")
        server.loading = False
        server.ready = server.durable = (event.term, event.vote, event.commit)

    def _goes_on(self, server: TracedServer, event: TraceEvent) -> None:
        if event.term < server.term:
            self._terms(server, event, f"it was in term {server.term}")
        elif event.term == server.term and server.vote not in (NOBODY, event.vote):
            self._terms(server, event, f"it had voted for {_voted(server.vote)} in term {server.term}")
        if event.commit < server.commit:
            self.fail(ORDER, f"the commit index of {event.node} went back from {server.commit} to {event.commit}",
                      _where(event))  # fmt: skip

    def _terms(self, server: TracedServer, event: TraceEvent, before: str) -> None:
        self.fail(TERMS, f"{server.id} is in term {event.term} with a vote for {_voted(event.vote)}: {before}",
                  _where(event))  # fmt: skip

    def _commit(self, server: TracedServer, event: TraceEvent) -> None:
        if event.commit > event.last:
            self.fail(ORDER, f"{event.node} committed {event.commit}, and its log ends at {event.last}", _where(event))
        if event.role == "leader" and event.commit > server.commit and event.commit <= len(server.log):
            term = server.log[event.commit - 1]
            if term not in (0, event.term):
                self.fail(OWN_TERM, f"{event.node} leads term {event.term} and committed entry {event.commit} of term "
                                    f"{term} by counting", _where(event))  # fmt: skip
            if server.elected_here:
                match = {**server.match, server.id: server.last}
                held = committed_index(server.configuration, match)
                if held < event.commit:
                    said = ", ".join(f"{peer} up to {index}" for peer, index in sorted(server.match.items()))
                    self.fail(MAJORITY, f"{event.node} committed entry {event.commit}, and a majority confirmed {held}",
                              _where(event), f"confirmed: {said or 'nothing'}")  # fmt: skip
            if event.commit > self.committed[0]:
                self.committed = event.commit, term, event.node, event.term, event.line
        server.commit = event.commit

    # -- roles -------------------------------------------------------------------------------------------------------

    def _role(self, server: TracedServer, event: TraceEvent) -> None:
        if event.name == "BecomeCandidate":
            server.votes, server.asked_here, server.leader = {event.node: True}, True, ""
        elif event.name == "BecomeLeader":
            self._elected(server, event)
        elif event.role == "follower" and server.role == "leader":
            server.leader, server.elected_here = "", False
        if event.term > server.term and event.role == "follower":
            server.leader = ""
        if event.role == "leader":
            server.leader = event.node
            first = self.leaders.setdefault(event.term, (event.node, event.line))
            if first[0] != event.node:
                self.fail(ELECTION_SAFETY, f"{first[0]} and {event.node} both lead term {event.term}",
                          f"line {first[1]}: {first[0]} leads term {event.term}", _where(event))  # fmt: skip

    def _elected(self, server: TracedServer, event: TraceEvent) -> None:
        configuration = Configuration(event.voters, event.outgoing)
        if server.asked_here and vote_result(configuration, server.votes) is not Vote.WON:
            yes = ", ".join(sorted(peer for peer, granted in server.votes.items() if granted))
            self.fail(MAJORITY, f"{event.node} leads term {event.term} with the votes of {yes} only", _where(event),
                      f"the voters are {configuration}")  # fmt: skip
        server.elected_here, server.match, server.next = True, {}, {}
        index, term, by, in_term, line = self.committed
        if in_term < event.term and index:
            holds = server.log[index - 1] if index <= len(server.log) else -1
            if holds < 0 or (term and holds and holds != term):
                what = f"its log ends at {event.last}" if holds < 0 else f"it holds one of term {holds} there"
                self.fail(COMPLETENESS, f"the leader of term {event.term} lacks entry {index}, which {by} committed: "
                                        f"{what}",
                          f"line {line}: {by}, leader of term {in_term}, committed entry {index}",
                          _where(event))  # fmt: skip

    # -- logs --------------------------------------------------------------------------------------------------------

    def _length(self, server: TracedServer, event: TraceEvent) -> None:
        """The log is as long as the event says: what came on top is a leader's own, or unknown."""
        log = server.log
        if event.last > len(log):
            own = server.term if server.role == "leader" and event.name != "InitState" else 0
            first = len(log)
            log.extend([own] * (event.last - len(log)))
            if own:
                for place in range(first, min(event.last, first + AT_ONCE_MAX)):
                    self._matches(server, place, event)
        elif event.last < len(log):
            if server.role == event.role == "leader" and server.term == event.term and event.name != "InitState":
                self.fail(APPEND_ONLY, f"the log of {event.node}, leader of term {event.term}, ends at {event.last}, "
                                       f"and ended at {len(log)}", _where(event))  # fmt: skip
            del log[event.last :]

    def _matches(self, server: TracedServer, place: int, event: TraceEvent) -> None:
        """Log Matching for the entry at a place (from 0), and the one before it."""
        term, previous = server.log[place], server.log[place - 1] if place else 0
        if not term or (place and not previous):
            return
        known = self.before.setdefault((place + 1, term), (previous, server.id))
        if known[0] != previous:
            self.fail(LOG_MATCHING, f"entry {place + 1} of term {term} follows term {known[0]} in the log of "
                                    f"{known[1]}, and term {previous} in that of {server.id}",
                      _where(event))  # fmt: skip

    def _learn(self, server: TracedServer, index: int, term: int, event: TraceEvent) -> None:
        """A message of this server says that its entry ``index`` is of this term."""
        if not 0 < index <= len(server.log) or not term:
            return
        known = server.log[index - 1]
        if known and known != term:
            self.fail(LOG_MATCHING, f"{server.id} says that its entry {index} is of term {term}, and it appended one "
                                    f"of term {known} there", _where(event))  # fmt: skip
        server.log[index - 1] = term
        for place in (index - 1, index):
            if place < len(server.log):
                self._matches(server, place, event)

    # -- messages ----------------------------------------------------------------------------------------------------

    def _message(self, server: TracedServer, event: TraceEvent, m: TraceMessage) -> None:
        match event.name, m.type:
            case "SendAppendEntriesRequest", "MsgApp":
                self._learn(server, m.prev, m.prev_term, event)
                terms = tuple(server.log[m.prev : m.prev + m.entries])
                if len(self.under_way) >= UNDER_WAY_MAX:
                    del self.under_way[next(iter(self.under_way))]
                if len(terms) <= CARRIED_MAX:
                    self.under_way[m.src, m.dst, m.term, m.prev, m.entries] = terms
                server.next[m.dst] = m.prev + m.entries + 1
            case "SendRequestVoteRequest", "MsgVote":
                self._learn(server, m.prev, m.prev_term, event)
            case "ReceiveAppendEntriesRequest", _:
                if m.term >= event.term:
                    server.leader = m.src
                known = self.under_way.get((m.src, m.dst, m.term, m.prev, m.entries))
                server.accepting = (m.prev, m.prev_term, known) if m.type == "MsgApp" and known is not None else None
                if m.type == "MsgSnap":
                    _forget(server, 0)
            case "SendAppendEntriesResponse", "MsgAppResp" if m.src != m.dst:
                self._accepted(server, event, m)
            case "ReceiveAppendEntriesResponse", "MsgAppResp" if not m.reject and m.term == event.term:
                server.match[m.src] = max(server.match.get(m.src, 0), m.prev)
            case "ReceiveRequestVoteResponse", "MsgVoteResp" if m.term == event.term and event.role == "candidate":
                server.votes[m.src] = not m.reject

    def _accepted(self, server: TracedServer, event: TraceEvent, m: TraceMessage) -> None:
        """A follower answers: if it accepted, its log is the leader's up to there."""
        accepting, server.accepting = server.accepting, None
        if m.reject:
            return
        if accepting is None:
            _forget(server, server.commit)
            return
        first, before, terms = accepting
        if m.prev != first + len(terms) or first > len(server.log):
            return
        if first:
            server.log[first - 1] = before
        self._alike(server, self.servers.get(m.dst), first)
        for place, term in enumerate(terms, first):
            if place < len(server.log):
                server.log[place] = term
                self._matches(server, place, event)

    def _alike(self, server: TracedServer, leader: TracedServer | None, upto: int) -> None:
        """Two logs that agree on an entry agree up to there: what one knows the other knows."""
        if leader is None or leader.role != "leader" or len(leader.log) < upto:
            return
        for place in range(upto - 1, -1, -1):
            mine, theirs = server.log[place], leader.log[place]
            if mine and theirs:
                if place < upto - 1:
                    return
            else:
                server.log[place] = leader.log[place] = mine or theirs
                if not mine and not theirs:
                    return


def _forget(server: TracedServer, place: int) -> None:
    """From this place on (from 0), terms are not known any more."""
    server.log[place:] = [0] * len(server.log[place:])


def _voted(vote: str) -> str:
    return "nobody" if vote == NOBODY else vote


def _where(event: TraceEvent) -> str:
    return (
        f"line {event.line}: {event.name} of {event.node}: {event.role} in term {event.term}, vote for "
        f"{_voted(event.vote)}, commit {event.commit}, log to {event.last}"
    )


__all__ = ["DEMANDS", "MAJORITY", "OWN_TERM", "TracedCluster", "TracedServer"]
