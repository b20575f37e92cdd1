"""A Raft cluster with clients in the simulated world.

Besides all faults it understands ``Propose`` (a client asks), ``SetRule`` (a rule on or off, on every server),
``SetWorkload`` and ``SetTiming``. Node names may be ``leader``, or ``f1 f2 ...`` for the other live servers in order:
they are resolved when a command is given, so that what is recorded names servers.
"""

from collections import deque
from dataclasses import replace
from typing import Any, Final

from engines.consensus.operations import OPERATIONS
from engines.consensus.raft import administration
from engines.consensus.raft import change_events as c
from engines.consensus.raft import events as e
from engines.consensus.raft import messages as m
from engines.consensus.raft.checks import RaftChecks
from engines.consensus.raft.client import Client
from engines.consensus.raft.commands import AddServer, Propose, SetReads, SetTiming, SetWorkload
from engines.consensus.raft.node import RaftNode
from engines.consensus.raft.options import FIGURE_7, WORKLOADS, Options
from engines.consensus.raft.quorum import Configuration, has_quorum, majority
from engines.consensus.raft.read_events import ReadsSet
from engines.consensus.raft.roles import LEADER
from engines.consensus.raft.rules import ReadMode, Timing
from engines.consensus.raft.snapshot import (
    CatchingUp,
    ClientState,
    LogEntry,
    Progress,
    Sample,
    Server,
    Snapshot,
)
from engines.consensus.raft.state import NEVER
from engines.consensus.raft.views import acknowledged, cost, questions
from engines.errors import UserError
from engines.rules import RuleSwitched
from engines.sim import faults
from engines.sim.history import OK, UNKNOWN, History
from engines.sim.host import CRASHED, UP, Host
from engines.sim.network import LinkOptions
from engines.sim.node import Node
from engines.sim.options import read
from engines.sim.pattern import Check, Config
from engines.sim.rules import SetRule
from engines.sim.symbols import NODE_FIELDS, Meanings, resolve
from engines.sim.views import changed_links, host_view
from engines.sim.world import World
from engines.units import US_PER_MS, US_PER_S

YOU: Final = "you"
"""The client that does what a person asks."""
WINDOW: Final = 64
"""Entries of every log that a snapshot shows."""
SERIES_EVERY_US: Final = 100 * US_PER_MS
SERIES_MAX: Final = 600
UNDISTURBING: Final = (faults.Narrate, Propose, SetWorkload)
"""Commands after which a cluster is as it was: they ask, or say something."""


class RaftEngine(World):
    """The cluster."""

    def __init__(self, seed: int, config: Config) -> None:
        options = read(Options, config)
        clients = (*(f"c{i}" for i in range(1, options.clients + 1)), YOU)
        super().__init__(seed, options.servers, clients, LinkOptions(15 * US_PER_MS, 10 * US_PER_MS))
        self.founders = self.servers
        """The servers of the first configuration."""
        self.noop = options.noop
        self.from_apply = options.config_from == "apply"
        self.rules = options.rules
        self.timing = Timing()
        self.sizes = options.sizes
        self.opens_sessions = options.sessions == "opened"
        self.reading = options.reading
        self.read_percent = options.read_percent
        self.workload = options.workload
        self.history = History(self.clock)
        self.checks = RaftChecks(self.hosts, self.servers, self.history)
        self.series: deque[Sample] = deque(maxlen=SERIES_MAX)
        self.sample_due_us = 0
        if options.logs == "figure-7":
            self.lay_figure_7()
        self.begin()

    def lay_figure_7(self) -> None:
        """Give the servers the logs of the paper's Figure 7, in the last term any of them knows."""
        asked: dict[int, m.Command] = {}
        for server, terms in zip(self.servers, FIGURE_7, strict=True):
            disk = self.hosts[server].disk
            for index, term in enumerate(terms, 1):
                command = m.Command("past", 100 * term + index, "set", "xyzuvw"[index % 6], term)
                disk.append(m.Entry(term, command))
                asked[command.serial] = command
            disk.write("term", 7)
        for serial, command in asked.items():
            self.history.invoke(command.client, serial, command.op, command.key, command.value)
            self.history.finish(command.client, serial, UNKNOWN)

    # -- the world's hooks -----------------------------------------------------------------------------------------

    def make_node(self, host: Host) -> Node:
        """A server or a client."""
        if host.id in self.clients:
            interval = 0 if host.id == YOU else WORKLOADS[self.workload]
            client = Client(host.id, self.servers, self.history, interval, host.disk)
            client.read_percent = self.read_percent
            client.opens = self.opens_sessions
            return client
        first = Configuration(self.founders)  # every log begins with it, also that of a server which comes later
        node = RaftNode(host.id, first, host.disk, self.rules, self.timing, self.noop, self.sizes)
        node.reading = self.reading
        node.from_apply = self.from_apply
        node.configure()
        return node

    def add_server(self, id: str) -> None:
        """A new machine with an empty log, of which nobody knows yet."""
        self.add_host(id)
        self.checks.add(id)
        self.record(c.ServerStarted(), id)
        for name in self.clients:
            client = self.hosts[name].node
            assert isinstance(client, Client)
            client.servers = self.servers

    def observe(self, host: Host) -> None:
        """Check what the event changed; sample the strip."""
        self.checks.observe(host)
        if self.clock.now_us >= self.sample_due_us:
            leader = self.leader()
            term = self.raft(leader).current_term if leader else 0
            commit = max(self.raft(server).commit_index for server in self.servers)
            self.series.append(Sample(self.clock.now_us, commit, leader, term))
            self.checks.look(self.clock.now_us)
            self.sample_due_us = self.clock.now_us // SERIES_EVERY_US * SERIES_EVERY_US + SERIES_EVERY_US

    def check(self) -> tuple[Check, ...]:
        """The guarantees."""
        return self.checks.results()

    def crash(self, host: Host) -> None:
        """What is left of a server is its disk."""
        super().crash(host)
        if isinstance(host.node, RaftNode):
            host.node.log.reread()

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
            if node.role is LEADER and node.current_term > term and self.hosts[server].status != CRASHED:
                best, term = server, node.current_term
        return best

    def configuration(self) -> Configuration:
        """Who counts, as the working leader has it; without one, as whoever can lead next has it."""
        return self.ruling().configuration

    def ruling(self) -> RaftNode:
        """The server whose configuration that is. Without a leader: of those who are up, and may vote by what they
        know themselves, the one that could be elected; a removed server whose log is behind cannot, whatever its term.
        What only the dead know binds nobody now."""
        leader = self.leader()
        if leader:
            return self.raft(leader)
        up = [each for each in self.servers if self.hosts[each].status != CRASHED] or self.servers
        able = [each for each in up if self.raft(each).configuration.votes(each)] or up

        def rank(server: str) -> tuple[bool, int, int, int]:
            node = self.raft(server)
            last, term = node.log.last_index, node.log.last_term
            voters = [each for each in up if self.raft(each).log.is_up_to_date(last, term)]
            return has_quorum(node.configuration, voters), term, last, node.current_term

        return self.raft(max(able, key=rank))

    def resolve(self, command: Any) -> Any:
        """Replace ``leader`` and ``f1 f2 ...`` by the servers they mean now."""
        leader = self.leader()
        others = [each for each in self.servers if each != leader and self.hosts[each].status != CRASHED]
        if isinstance(command, AddServer) and not command.server:
            command = replace(command, server=administration.free_name(self))
        meanings: Meanings = {"leader": self.leader_named, **{f"f{i}": each for i, each in enumerate(others, 1)}}
        return resolve(command, meanings, (*NODE_FIELDS, "server", "add", "remove", "learn"))

    def leader_named(self) -> str:
        """The leader; UserError if there is none."""
        leader = self.leader()
        if not leader:
            raise UserError("there is no leader at this moment")
        return leader

    def validate(self, command: Any) -> None:
        """Refuse what makes no sense in a Raft cluster."""
        super().validate(command)
        match command:
            case Propose(op=op, key=key) if op not in OPERATIONS or not key.isidentifier():
                raise UserError(f"no such command of the key-value store: {op!r} {key!r}")
            case Propose(node=node) if node and node not in self.servers:
                raise UserError(f"{node} is no server: one of {', '.join(self.servers)} takes proposals")
            case Propose(client=asks) if asks and asks not in self.clients:
                raise UserError(f"{asks!r} is no client: {', '.join(self.clients)} ask")
            case Propose(client=asks) if (status := self.hosts[asks or YOU].status) != UP:
                raise UserError(f"{asks or YOU} is {status}: nobody is there to ask")
            case SetRule():
                self.rules.validate(command)
            case _ if isinstance(command, administration.CHANGES):
                administration.validate(self, command, YOU)
            case SetWorkload(level=level) if level not in WORKLOADS:
                raise UserError(f"no workload {level!r}: one of {', '.join(WORKLOADS)} is accepted")
            case SetReads(mode=mode) if mode not in {each.value for each in ReadMode}:
                modes = ", ".join(each.value for each in ReadMode)
                local = "; without any check it is with the rule confirm_reads off" if mode == "local" else ""
                raise UserError(f"no way to answer questions is called {mode!r}: one of {modes} is accepted{local}")
            case SetTiming(heartbeat_us=beat, election_min_us=low, election_max_us=high) if (
                not US_PER_MS <= beat <= 60 * US_PER_S or not beat <= low <= high <= 600 * US_PER_S
            ):
                raise UserError("timing: 1 ms <= heartbeat <= shortest timeout <= longest timeout <= 600 s is needed")
            case faults.Isolate(node=node) | faults.Reconnect(node=node) if node not in self.servers:
                raise UserError(f"{node} is a client: cut its links one by one instead")

    def execute(self, command: Any) -> None:
        """Carry out a valid command."""
        if not isinstance(command, UNDISTURBING):
            self.checks.liveness.disturbed(self.clock.now_us)
        match command:
            case faults.ExpireTimers(nodes=nodes):
                self.checks.promises.excuse(*nodes)
                super().execute(command)
            case faults.Skew() | faults.Heal():
                self.checks.promises.clocks_set(self.servers)
                super().execute(command)
            case Propose(op=op, key=key, value=value, node=node, insist=insist, client=asks):
                host = self.hosts[asks or YOU]
                client = host.node
                assert isinstance(client, Client)
                if host.id == YOU:
                    self.record(e.Proposed(op, key, value, node, client.current is not None), YOU)
                client.ask(host, op, key, value, node, insist)
            case SetRule(rule=rule, on=on):
                self.rules = self.rules.switched(command)
                for server in self.servers:
                    self.raft(server).rules = self.rules
                self.record(RuleSwitched(rule, on))
            case SetWorkload(level=level):
                self.workload = level
                for id in self.clients:
                    client = self.hosts[id].node
                    if id != YOU and isinstance(client, Client) and self.hosts[id].status != CRASHED:
                        client.set_interval(self.hosts[id], WORKLOADS[level])
                self.record(e.WorkloadSet(level))
            case SetTiming(heartbeat_us=beat, election_min_us=low, election_max_us=high):
                self.timing = Timing(beat, low, high)
                self.checks.promises.excuse(*self.servers)
                for server in self.servers:
                    self.raft(server).timing = self.timing
                    self.raft(server).end_lease()
                self.record(e.TimingSet(beat, low, high))
            case _ if isinstance(command, administration.CHANGES):
                administration.execute(self, command, YOU)
            case SetReads(mode=mode):
                self.reading = replace(self.reading, mode=ReadMode(mode))
                for server in self.servers:
                    self.raft(server).reading = self.reading
                    self.raft(server).end_lease()
                self.record(ReadsSet(mode))
            case _:
                super().execute(command)

    # -- the picture ---------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Everything there is to see."""
        nodes = [self.raft(server) for server in self.servers]
        ruling = self.ruling()
        last = max(node.log.last_index for node in nodes)
        first = max(1, last - WINDOW + 1)
        return Snapshot(
            at_us=self.now_us,
            position=self.position,
            seed=self.seed,
            servers=tuple(self._server(self.hosts[server], first) for server in self.servers),
            clients=tuple(self._client(id) for id in self.clients),
            flights=self.flights(),
            links=changed_links(self.hosts.values()),
            rules=self.rules.items(),
            reads=self.reading.mode.value,
            noop=self.noop,
            heartbeat_us=self.timing.heartbeat_us,
            election_min_us=self.timing.election_min_us,
            election_max_us=self.timing.election_max_us,
            quorum=majority(len(ruling.configuration.voters)),
            configuration=ruling.configuration,
            configured_at=ruling.configured_at,
            configured=ruling.configured_at <= max(node.commit_index for node in nodes),
            leader=self.leader(),
            term=max(node.current_term for node in nodes),
            commit=max(node.commit_index for node in nodes),
            window=(first, last),
            series=tuple(self.series),
            workload=self.workload,
            cue=self.cue,
            checks=self.check(),
            events=self.events_total,
            cost=cost(self.raft(leader)) if (leader := self.leader()) else None,
        )  # fmt: skip

    def _server(self, host: Host, first: int) -> Server:
        node = self.raft(host.id)
        machine = host_view(host, self.hosts, self.servers)
        leading = node.role is LEADER
        now = host.now_us
        catching = node.catching
        shown = max(first, node.log.first_index)
        return Server(
            id=host.id,
            status=host.status,
            role=node.role.value,
            term=node.current_term,
            voted_for=node.voted_for,
            votes=tuple(node.votes.items()),
            leader=node.leader,
            log=tuple(
                LogEntry(index, entry.term, entry.command)
                for index, entry in enumerate(node.log.slice(shown, node.log.last_index), shown)
            ),
            first_index=node.log.first_index,
            last_index=node.log.last_index,
            last_term=node.log.last_term,
            commit=node.commit_index,
            applied=node.last_applied,
            snapshot_index=node.snapshot.last_index,
            snapshot_term=node.snapshot.last_term,
            snapshot_rows=len(node.snapshot.rows),
            values=tuple(sorted(node.kv.values.items())),
            timer_left_us=host.timer_left_us("heartbeat" if leading else "election"),
            timer_total_us=self.timing.heartbeat_us if leading else node.election_timeout_us,
            leader_for_us=now - node.leader_since_us if leading else 0,
            progress=tuple(
                Progress(peer, each.next_index, each.match_index, each.state.value, len(each.inflight),
                         len(each.inflight) >= self.sizes.window, each.offset,
                         len(each.snapshot.rows) if each.snapshot else 0,
                         None if each.heard_at_us is None else now - each.heard_at_us)
                for peer, each in node.progress.items()
            ) if leading else (),
            configuration=node.configuration,
            configured_at=node.configured_at,
            catching_up=None if catching is None else CatchingUp(
                catching.server, catching.rounds.number, catching.rounds.goal,
                node.progress[catching.server].match_index, now - catching.rounds.since_us),
            hands_over_to=node.hand_over_to,
            heard_ago_us=None if node.heard_us == NEVER else now - node.heard_us,
            deduplicated=node.kv.deduplicated,
            questions=questions(node),
            rounds=acknowledged(node, now),
            durable_term=host.disk.registers.get("term", 0),
            durable_vote=host.disk.registers.get("vote"),
            fsync_us=machine.fsync_us,
            unsynced=machine.unsynced,
            clock_off_us=machine.clock_off_us,
            drift_ppm=machine.drift_ppm,
            waiting=machine.waiting,
            cut_from=machine.cut_from,
        )  # fmt: skip

    def _client(self, id: str) -> ClientState:
        client = self.hosts[id].node
        assert isinstance(client, Client)
        return ClientState(
            id=id,
            target=client.target,
            interval_us=client.interval_us,
            current=client.current,
            attempts=client.attempts,
            queued=len(client.queue),
            done=self.history.counts.get((id, OK), 0),
            unknown=self.history.counts.get((id, UNKNOWN), 0),
            operations=self.history.recent(id),
        )
