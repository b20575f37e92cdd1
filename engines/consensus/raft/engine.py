"""A Raft cluster with clients in the simulated world.

Besides all faults it understands ``Propose`` (a client asks), ``SetRule`` (a rule on or off, on every server),
``SetWorkload`` and ``SetTiming``. Node names may be ``leader``, or ``f1 f2 ...`` for the other live servers in order:
they are resolved when a command is given, so that what is recorded names servers.
"""

from collections import deque
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from engines.consensus.raft import messages as m
from engines.consensus.raft.client import Client
from engines.consensus.raft.invariants import Invariants
from engines.consensus.raft.node import NEVER, RaftNode, Role
from engines.consensus.raft.rules import RULE_NAMES, Rules, Timing
from engines.consensus.raft.snapshot import (
    ClientState,
    Flight,
    LinkState,
    LogEntry,
    Progress,
    Sample,
    Server,
    Snapshot,
)
from engines.consensus.raft.state_machine import describe
from engines.errors import UserError
from engines.sim import faults
from engines.sim.clock import US_PER_MS, US_PER_S
from engines.sim.history import OK, UNKNOWN, History
from engines.sim.network import LinkOptions
from engines.sim.node import Node
from engines.sim.pattern import Check, Config, Setting
from engines.sim.world import CRASHED, UP, Host, World

YOU: Final = "you"
"""The client that does what a person asks."""
WINDOW: Final = 64
"""Entries of every log that a snapshot shows."""
SERIES_EVERY_US: Final = 100 * US_PER_MS
SERIES_MAX: Final = 600
OPERATIONS_SHOWN: Final = 12

WORKLOADS: Final = {"off": 0, "light": 400 * US_PER_MS, "busy": 60 * US_PER_MS, "flood": -1}
"""Mean time between the commands of a client; -1: the next as soon as the last is answered."""

FIGURE_7: Final = (
    (1, 1, 1, 4, 4, 5, 5, 6, 6, 6),
    (1, 1, 1, 4, 4, 5, 5, 6, 6),
    (1, 1, 1, 4),
    (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6),
    (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7),
    (1, 1, 1, 4, 4, 4, 4),
    (1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3),
)
"""Terms of the entries in the paper's Figure 7: the leader of term 8, then the followers (a) to (f)."""

SETTINGS: Final = (
    Setting("nodes", 5, 3, 9, help="servers"),
    Setting("workload", "light", choices=tuple(WORKLOADS), help="how fast the clients ask"),
    Setting("clients", 1, 0, 8, help="clients that work by themselves"),
    Setting("noop", True, help="a new leader appends an entry without command"),
    Setting("logs", "empty", choices=("empty", "figure-7"), help="the logs to start with"),
    Setting("current_term_commit", True, help="rule: count replicas only for entries of the own term"),
    Setting("persist_vote", True, help="rule: the vote is on disk before it is given"),
    Setting("pre_vote", True, help="rule: ask whether an election could be won before it is started"),
    Setting("check_quorum", True, help="rule: a leader that hears no quorum steps down"),
)


@dataclass(frozen=True, slots=True)
class Propose:
    """A client asks for a command: of the named server, or of the one it believes to lead (no name).

    A client that does not ``insist`` asks once, at once, and forgets what it had asked before.
    """

    op: str
    key: str
    value: int
    node: str = ""
    insist: bool = True


@dataclass(frozen=True, slots=True)
class SetRule:
    """Switch a rule off, or on again, on every server at once."""

    rule: str
    on: bool


@dataclass(frozen=True, slots=True)
class SetWorkload:
    """How fast the clients ask: ``off light busy flood``."""

    level: str


@dataclass(frozen=True, slots=True)
class SetTiming:
    """Other timeouts, on every server, from the next time they are used."""

    heartbeat_us: int
    election_min_us: int
    election_max_us: int


COMMANDS: Final = (*faults.FAULTS, Propose, SetRule, SetWorkload, SetTiming)


class RaftEngine(World):
    """The cluster."""

    def __init__(self, seed: int, config: Config) -> None:
        given = dict(config)
        options = {setting.name: given.get(setting.name, setting.default) for setting in SETTINGS}
        count = len(FIGURE_7) if options["logs"] == "figure-7" else options["nodes"]
        servers = tuple(f"n{i}" for i in range(1, count + 1))
        clients = (*(f"c{i}" for i in range(1, options["clients"] + 1)), YOU)
        super().__init__(seed, servers, clients, LinkOptions(15 * US_PER_MS, 10 * US_PER_MS))
        self.noop: bool = options["noop"]
        self.rules = Rules(**{name: options[name] for name in RULE_NAMES})
        self.timing = Timing()
        self.workload: str = options["workload"]
        self.history = History(self.clock)
        self.invariants = Invariants(self.hosts, servers)
        self.series: deque[Sample] = deque(maxlen=SERIES_MAX)
        self.sample_due_us = 0
        self.cue: tuple[int, str] | None = None
        if options["logs"] == "figure-7":
            self.lay_figure_7()
        self.begin()

    def lay_figure_7(self) -> None:
        """Give the servers the logs of the paper's Figure 7, in the last term any of them knows."""
        for server, terms in zip(self.servers, FIGURE_7, strict=True):
            disk = self.hosts[server].disk
            for index, term in enumerate(terms, 1):
                disk.append(m.Entry(term, m.Command("past", 100 * term + index, "set", "xyzuvw"[index % 6], term)))
            disk.write("term", 7)

    # -- the world's hooks -----------------------------------------------------------------------------------------

    def make_node(self, host: Host) -> Node:
        """A server or a client."""
        if host.id in self.clients:
            interval = 0 if host.id == YOU else WORKLOADS[self.workload]
            return Client(host.id, self.servers, self.history, interval, host.disk)
        peers = tuple(server for server in self.servers if server != host.id)
        return RaftNode(host.id, peers, host.disk, self.rules, self.timing, self.noop)

    def observe(self, host: Host) -> None:
        """Check what the event changed; sample the strip."""
        self.invariants.observe(host)
        if self.clock.now_us >= self.sample_due_us:
            leader = self.leader()
            term = self.raft(leader).current_term if leader else 0
            commit = max(self.raft(server).commit_index for server in self.servers)
            self.series.append(Sample(self.clock.now_us, commit, leader, term))
            self.sample_due_us = self.clock.now_us // SERIES_EVERY_US * SERIES_EVERY_US + SERIES_EVERY_US

    def check(self) -> tuple[Check, ...]:
        """The guarantees."""
        return self.invariants.checks()

    # -- commands ----------------------------------------------------------------------------------------------------

    def raft(self, server: str) -> RaftNode:
        """The node of a server."""
        node = self.hosts[server].node
        assert isinstance(node, RaftNode)
        return node

    def leader(self) -> str:
        """The live leader of the highest term, or nothing. Nobody in the cluster knows this for sure."""
        best, term = "", 0
        for server in self.servers:
            node = self.raft(server)
            if node.role is Role.LEADER and node.current_term > term and self.hosts[server].status != CRASHED:
                best, term = server, node.current_term
        return best

    def resolve(self, command: Any) -> Any:
        """Replace ``leader`` and ``f1 f2 ...`` by the servers they mean now."""
        leader = self.leader()
        others = [each for each in self.servers if each != leader and self.hosts[each].status != CRASHED]
        names = {"leader": leader, **{f"f{i}": each for i, each in enumerate(others, 1)}}

        def mean(value: Any) -> Any:
            if isinstance(value, tuple):
                return tuple(mean(each) for each in value)
            if value == "leader" and not leader:
                raise UserError("there is no leader at this moment")
            return names.get(value, value) if isinstance(value, str) else value

        changed = {
            field.name: mean(getattr(command, field.name))
            for field in fields(command)
            if field.name in ("node", "src", "dst", "nodes", "sides")
        }
        return replace(command, **changed) if changed else command

    def validate(self, command: Any) -> None:
        """Refuse what makes no sense in a Raft cluster."""
        super().validate(command)
        match command:
            case Propose(op=op, key=key) if op not in ("set", "add", "del") or not key.isidentifier():
                raise UserError(f"no such command of the key-value store: {op!r} {key!r}")
            case Propose(node=node) if node and node not in self.servers:
                raise UserError(f"{node} is no server: one of {', '.join(self.servers)} takes proposals")
            case Propose() if self.hosts[YOU].status != UP:
                raise UserError(f"{YOU} is {self.hosts[YOU].status}: nobody is there to ask")
            case SetRule(rule=rule) if rule not in RULE_NAMES:
                raise UserError(f"no rule {rule!r}: one of {', '.join(RULE_NAMES)} can be switched")
            case SetWorkload(level=level) if level not in WORKLOADS:
                raise UserError(f"no workload {level!r}: one of {', '.join(WORKLOADS)} is accepted")
            case SetTiming(heartbeat_us=beat, election_min_us=low, election_max_us=high) if (
                not US_PER_MS <= beat <= 60 * US_PER_S or not beat <= low <= high <= 600 * US_PER_S
            ):
                raise UserError("timing: 1 ms <= heartbeat <= shortest timeout <= longest timeout <= 600 s is needed")
            case faults.Isolate(node=node) | faults.Reconnect(node=node) if node not in self.servers:
                raise UserError(f"{node} is a client: cut its links one by one instead")

    def execute(self, command: Any) -> None:
        """Carry out a valid command."""
        match command:
            case Propose(op=op, key=key, value=value, node=node, insist=insist):
                host = self.hosts[YOU]
                client = host.node
                assert isinstance(client, Client)
                self.record("propose", YOU, node, op=op, key=key, value=value, waiting=client.current is not None)
                client.ask(host, op, key, value, node, insist)
            case SetRule(rule=rule, on=on):
                self.rules = replace(self.rules, **{rule: on})
                for server in self.servers:
                    self.raft(server).rules = self.rules
                self.record("rule", why=rule, on=on)
            case SetWorkload(level=level):
                self.workload = level
                for id in self.clients:
                    client = self.hosts[id].node
                    if id != YOU and isinstance(client, Client) and self.hosts[id].status != CRASHED:
                        client.set_interval(self.hosts[id], WORKLOADS[level])
                self.record("workload", why=level)
            case SetTiming(heartbeat_us=beat, election_min_us=low, election_max_us=high):
                self.timing = Timing(beat, low, high)
                for server in self.servers:
                    self.raft(server).timing = self.timing
                self.record("timing", heartbeat_us=beat, election_min_us=low, election_max_us=high)
            case faults.Narrate(text=text):
                super().execute(command)
                self.cue = (self.clock.now_us, text)
            case _:
                super().execute(command)

    # -- the picture ---------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Everything there is to see."""
        nodes = [self.raft(server) for server in self.servers]
        last = max(len(node.log) for node in nodes)
        first = max(1, last - WINDOW + 1)
        return Snapshot(
            at_us=self.now_us,
            position=self.position,
            seed=self.seed,
            servers=tuple(self._server(self.hosts[server], first) for server in self.servers),
            clients=tuple(self._client(id) for id in self.clients),
            flights=tuple(
                Flight(each.id, each.src, each.dst, *describe_message(each.message), each.departs_us, each.arrives_us)
                for each in self.flights()
            ),
            links=tuple(
                LinkState(
                    link.src, link.dst, link.cut, len(link.held) if link.clogged else 0, link.loss_ppm,
                    link.latency_us, link.jitter_us, link.duplicate_ppm, link.reorder_ppm,
                )
                for host in self.hosts.values()
                for link in host.links.values()
                if link.faulty
            ),
            rules=self.rules.items(),
            noop=self.noop,
            heartbeat_us=self.timing.heartbeat_us,
            election_min_us=self.timing.election_min_us,
            election_max_us=self.timing.election_max_us,
            quorum=len(self.servers) // 2 + 1,
            leader=self.leader(),
            term=max(node.current_term for node in nodes),
            commit=max(node.commit_index for node in nodes),
            window=(first, last),
            series=tuple(self.series),
            workload=self.workload,
            cue=self.cue,
            checks=self.check(),
            events=self.events_total,
        )  # fmt: skip

    def _server(self, host: Host, first: int) -> Server:
        node = self.raft(host.id)
        leading = node.role is Role.LEADER
        now = host.now_us
        return Server(
            id=host.id,
            status=host.status,
            role=node.role.value,
            term=node.current_term,
            voted_for=node.voted_for,
            votes=tuple(node.votes.items()),
            leader=node.leader,
            log=tuple(
                LogEntry(index + 1, node.log[index].term, describe(node.log[index].command))
                for index in range(first - 1, len(node.log))
            ),
            last_index=len(node.log),
            last_term=node.term_at(len(node.log)),
            commit=node.commit_index,
            applied=node.last_applied,
            values=tuple(sorted(node.kv.values.items())),
            timer_left_us=host.timer_left_us("heartbeat" if leading else "election"),
            timer_total_us=self.timing.heartbeat_us if leading else node.election_timeout_us,
            leader_for_us=now - node.leader_since_us if leading else 0,
            progress=tuple(
                Progress(peer, node.next_index[peer], node.match_index[peer], node.probing[peer],
                         now - node.heard_at_us[peer] if peer in node.heard_at_us else None)
                for peer in node.peers
            ) if leading else (),
            heard_ago_us=None if node.heard_us == NEVER else now - node.heard_us,
            deduplicated=node.kv.deduplicated,
            durable_term=host.disk.registers.get("term", 0),
            durable_vote=host.disk.registers.get("vote"),
            unsynced=len(host.disk.undo),
            clock_off_us=now - self.now_us,
            drift_ppm=host.drift_ppm,
            waiting=len(host.inbox),
            faults=self.faults_of(host.id),
            cut_from=tuple(
                other for other in self.servers
                if other != host.id and (host.links[other].cut or self.hosts[other].links[host.id].cut)
            ),
        )  # fmt: skip

    def _client(self, id: str) -> ClientState:
        client = self.hosts[id].node
        assert isinstance(client, Client)
        operations = tuple(each for each in self.history.operations() if each.client == id)[-OPERATIONS_SHOWN:]
        return ClientState(
            id=id,
            target=client.target,
            interval_us=client.interval_us,
            current=describe(client.current) if client.current else "",
            attempts=client.attempts,
            queued=len(client.queue),
            done=self.history.counts.get((id, OK), 0),
            unknown=self.history.counts.get((id, UNKNOWN), 0),
            operations=operations,
        )


def describe_message(message: Any) -> tuple[str, str, bool]:
    """Letter, words, and whether it carries nothing new."""
    match message:
        case m.AppendEntries(term, prev, prev_term, entries, commit):
            what = f"+{len(entries)}" if entries else "heartbeat"
            return "A", f"AppendEntries t{term} after {prev}/t{prev_term} {what} commit {commit}", not entries
        case m.AppendReply(term, True, match, prev):
            return "a", f"ok t{term}: matches up to {match}", match == prev
        case m.AppendReply(term, False, _, prev):
            return "a", f"refused t{term}: no match at {prev}", False
        case m.RequestVote(term, index, last):
            return "V", f"RequestVote t{term}, log ends at {index}/t{last}", False
        case m.VoteReply(term, granted):
            return "v", f"vote t{term} {'granted' if granted else 'refused'}", not granted
        case m.PreVote(term, index, last):
            return "P", f"PreVote t{term}, log ends at {index}/t{last}", False
        case m.PreVoteReply(term, granted):
            return "p", f"pre-vote t{term} {'granted' if granted else 'refused'}", not granted
        case m.ClientRequest(command):
            return "C", f"{command.client} #{command.serial} asks {describe(command)}", False
        case m.ClientReply(serial, ok, _, leader):
            return "c", f"#{serial} {'done' if ok else 'not the leader, ask ' + (leader or 'another')}", not ok
    raise AssertionError(f"no words for {message!r}")
