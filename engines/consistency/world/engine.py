"""Clients and replicas of one design in the simulated world, judged by what the clients see.

Besides all faults it understands ``Perform`` (a client reads or writes), ``SetRule``, ``SetQuorum``, ``SetPreset`` and
``SetWorkload``. Node names may be ``leader``: the sequencer or the primary of this moment.
"""

from collections import deque
from typing import Any, Final

from engines.consistency.history import Call, History
from engines.consistency.world import events as ev
from engines.consistency.world.checks import SESSIONS, Checks
from engines.consistency.world.client import AbdClient, Client, Wish
from engines.consistency.world.commands import Perform, SetPreset, SetQuorum, SetWorkload
from engines.consistency.world.dynamo import DynamoReplica, Quorum
from engines.consistency.world.ledger import Ledger
from engines.consistency.world.messages import (
    Beat,
    BeatAck,
    Digest,
    Forward,
    Get,
    Got,
    HandOff,
    HandOffAck,
    Leaves,
    Missing,
    Ordered,
    Push,
    Put,
    PutAck,
    Query,
    ReadHere,
    Reply,
    Request,
    Store,
    Stored,
    Tagged,
    Tree,
    Update,
    Vote,
    VoteAck,
)
from engines.consistency.world.mongo import MongoReplica
from engines.consistency.world.node import AbdReplica, CacheReplica, CausalReplica, OrderedReplica, Replica, Seat
from engines.consistency.world.options import KEYS, OPTIONS, PREFERENCES, PRESETS, WORKLOADS
from engines.consistency.world.snapshot import WHOLE_MAX, Arrow, ClientView, Mark, Model, ReplicaView, Sample, Snapshot
from engines.errors import UserError
from engines.rules import RuleSwitched
from engines.sim import faults
from engines.sim.events import LossReason
from engines.sim.host import CRASHED, DELIVER, LOST, UP, Host
from engines.sim.network import Link, LinkOptions
from engines.sim.node import Node
from engines.sim.options import read
from engines.sim.pattern import Check, Config
from engines.sim.rules import SetRule
from engines.sim.symbols import resolve
from engines.sim.views import changed_links, host_view
from engines.sim.world import World
from engines.units import US_PER_MS

YOU: Final = "you"
NEAR: Final = LinkOptions(10 * US_PER_MS, 50 * US_PER_MS)
UNEVEN: Final = LinkOptions(10 * US_PER_MS, 120 * US_PER_MS)
CLOSE: Final = LinkOptions(3 * US_PER_MS, 4 * US_PER_MS)
FAR: Final = LinkOptions(60 * US_PER_MS, 20 * US_PER_MS)
SHOWN: Final = 120
"""Operations of a snapshot."""
ARROWS_MAX: Final = 400
MARKS_MAX: Final = 64
SAMPLE_US: Final = 100 * US_PER_MS
SERIES_MAX: Final = 600

DESIGNS: Final[dict[str, type[Replica]]] = {
    "linearizable": AbdReplica,
    "sequential": OrderedReplica,
    "causal": CausalReplica,
    "eventual": DynamoReplica,
    "weak": CacheReplica,
    "mongodb": MongoReplica,
}
LETTERS: Final[dict[type, str]] = {
    Request: "C", Reply: "c", Query: "Q", Tagged: "q", Store: "S", Stored: "s", Forward: "F", Ordered: "O",
    Missing: "m", Update: "U", Digest: "d", Put: "P", PutAck: "p", Get: "G", Got: "g", HandOff: "H", HandOffAck: "h",
    Tree: "T", Leaves: "L", Push: "P", ReadHere: "F", Beat: "B", BeatAck: "b", Vote: "V", VoteAck: "v",
}  # fmt: skip
"""One letter a message; answers are small."""
ROUTINE: Final = frozenset("mdTbBhpqsgv")


class ConsistencyEngine(World):
    """One variant."""

    QUIET = World.QUIET | {ev.Asked, ev.Applied, ev.StoredBack, ev.Sequenced}

    def __init__(self, variant: str, seed: int, config: Config) -> None:
        self.variant = variant
        options = read(OPTIONS[variant], config)
        self.options = options
        servers = tuple(f"r{i}" for i in range(1, options.nodes + 1))
        clients = (*"ABCDEF"[: options.clients], YOU)
        super().__init__(seed, servers, clients, NEAR)
        self.centres = getattr(options, "centres", 1)
        self._stretch()
        self.rules: Any = options.rules
        self.keys = KEYS[: options.keys]
        self.workload: str = options.workload
        n = min(getattr(options, "n", options.nodes), options.nodes)
        r, w = (min(getattr(options, name, n), n) for name in ("r", "w"))
        preset = getattr(options, "preset", getattr(options, "preference", "custom"))
        self.quorum = Quorum(
            n, r, w, preset, getattr(options, "conflict", "lww"),
            tuple((server, self.centre_of(server)) for server in servers),
        )  # fmt: skip
        self.book = Ledger(self.clock)
        self.checks = Checks(variant)
        self.arrows: deque[Arrow] = deque(maxlen=ARROWS_MAX)
        self.arrow_seq = 0
        self.marks: deque[Mark] = deque(maxlen=MARKS_MAX)
        self.series: deque[Sample] = deque(maxlen=SERIES_MAX)
        self.sample_due_us = 0
        self.sampled = (0, 0)
        self.quiet_from_us = 0
        self.writes_seen = -1
        self.apart = False
        self._count_overlap()
        self.begin()

    def centre_of(self, server: str) -> int:
        """The data centre of a replica."""
        return (int(server[1:]) - 1) % self.centres

    def _stretch(self) -> None:
        """Links between data centres are long; where nobody waits for all replicas, theirs are uneven."""
        for one in self.servers:
            for other in self.servers:
                if one != other and self.centre_of(one) != self.centre_of(other):
                    self.hosts[one].links[other] = Link(self.seed, one, other, FAR)
                elif one != other and self.variant == "eventual":
                    self.hosts[one].links[other] = Link(self.seed, one, other, UNEVEN)
        if self.variant == "eventual":
            for client in self.clients:
                for server in self.servers:
                    self.connect_anew(client, server)

    def connect_anew(self, client: str, server: str) -> None:
        """Clients of a store that answers before it has told everybody are close to it."""
        self.hosts[client].links[server] = Link(self.seed, client, server, CLOSE)
        self.hosts[server].links[client] = Link(self.seed, server, client, CLOSE)

    # -- the world's hooks -------------------------------------------------------------------------------------------

    def make_node(self, host: Host) -> Node:
        """A client or a replica."""
        if host.id in self.clients:
            kind = AbdClient if self.variant == "linearizable" else Client
            home = self.servers[self.clients.index(host.id) % len(self.servers)]
            interval = 0 if host.id == YOU else WORKLOADS[self.workload]
            return kind(host.id, home, self.servers, self.book, host.disk, self.rules, self.keys, interval)
        peers = tuple(server for server in self.servers if server != host.id)
        seat = Seat(host.id, peers, host.disk, self.rules, self.book)
        match self.variant:
            case "eventual":
                return DynamoReplica(seat, quorum=self.quorum)
            case "mongodb":
                return MongoReplica(seat, quorum=self.quorum)
            case "sequential":
                return OrderedReplica(seat, log_reads=self.options.log_reads)
        return DESIGNS[self.variant](seat)

    def observe(self, host: Host) -> None:
        """Judge what clients were told, remember what was sent, sample the strip."""
        self._see_sent()
        self.checks.position, self.checks.at_us = self.position, self.clock.now_us
        for model, verdict in self.checks.look(self.book):
            assert verdict.why is not None
            assert verdict.witness is not None
            last = verdict.witness.operations[-1] if verdict.witness.impossible is None else verdict.witness.impossible
            operation = self.book.judge.build.operations[last]
            value = operation.value if isinstance(operation.value, int) else 0
            self.record(
                ev.ModelBroken(
                    model, verdict.why, operation.process, operation.call is Call.WRITE, str(operation.key), value
                )
            )
        if self.clock.now_us >= self.sample_due_us:
            self._sample()

    def _see_sent(self) -> None:
        """Messages that left since the last look."""
        clock = self.clock
        if clock.seq == self.arrow_seq:
            return
        for entry in clock.heap:
            if entry[1] > self.arrow_seq and entry[2] <= LOST:
                link, lost = entry[3], entry[2] != DELIVER
                letter = LETTERS[type(entry[4])]
                if letter not in ROUTINE:
                    self.arrows.append(Arrow(entry[1], link.src, link.dst, letter, entry[5], entry[0], lost))
        self.arrow_seq = clock.seq

    def lost(self, link: Link, message: object, why: LossReason) -> None:
        """A message that was on its way is gone after all."""
        super().lost(link, message, why)
        letter, now = LETTERS[type(message)], self.clock.now_us
        for at in range(len(self.arrows) - 1, -1, -1):
            arrow = self.arrows[at]
            same = (arrow.src, arrow.dst, arrow.letter) == (link.src, link.dst, letter)
            if same and not arrow.lost and arrow.arrives_us >= now:
                self.arrows[at] = arrow._replace(lost=True, arrives_us=now)
                break

    def _sample(self) -> None:
        now = self.clock.now_us
        judge = self.book.judge
        reads, stale = judge.reads - self.sampled[0], judge.stale - self.sampled[1]
        self.sampled = judge.reads, judge.stale
        self.series.append(Sample(now, reads, stale, self.book.oldest_us))
        self.book.oldest_us = 0
        self.sample_due_us = now // SAMPLE_US * SAMPLE_US + SAMPLE_US
        differing, where = self._differences()
        if self._busy():
            self.quiet_from_us = now
        elif differing:
            self.checks.settled(now - self.quiet_from_us, differing, where)
        if differing and not self.apart:
            self.apart = True
        elif not differing and self.apart:
            self.apart = False
            if self.quiet_from_us < now:
                self.record(ev.Converged(now - self.quiet_from_us))

    def _busy(self) -> bool:
        """Whether a write is open, or was since the last look, or a fault is in force."""
        operations = self.book.judge.build.operations
        writes = self.book.values
        busy = writes != self.writes_seen or any(
            operations[number].call is Call.WRITE for number in self.book.judge.build.open.values()
        )
        self.writes_seen = writes
        return busy or any(
            host.status != UP or host.skewed or any(link.faulty for link in host.links.values())
            for host in self.hosts.values()
        )

    def _responsible(self, key: str) -> list[str]:
        if self.variant == "eventual":
            return self.replica(self.servers[0]).replicas(key)  # type: ignore[attr-defined,no-any-return]
        return list(self.servers)

    def _differences(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(keys in which live replicas differ, who holds what)."""
        held = {server: {key: value for key, value, _ in self.replica(server).values()} for server in self.servers}
        differing, where = [], []
        for key in self.keys:
            names = [name for name in self._responsible(key) if self.hosts[name].status != CRASHED]
            values = [held[name].get(key, 0) for name in names]
            if len(dict.fromkeys(values)) > 1:
                differing.append(key)
                where += [f"{name} holds {key}={value}" for name, value in zip(names, values, strict=True)]
        return tuple(differing), tuple(where)

    def check(self) -> tuple[Check, ...]:
        """The promises."""
        return self.checks.results()

    # -- commands
    # --------------------------------------------------------------------------------------------------------

    def replica(self, name: str) -> Replica:
        """The node of a replica."""
        node = self.hosts[name].node
        assert isinstance(node, Replica)
        return node

    def leader(self) -> str:
        """The sequencer, or the primary of the newest term."""
        if self.variant == "sequential":
            return self.servers[-1]
        best, term = "", -1
        for server in self.servers:
            node = self.replica(server)
            if isinstance(node, MongoReplica) and node.leads and node.term > term:
                best, term = server, node.term
        if not best:
            raise UserError("there is no leader at this moment")
        return best

    def resolve(self, command: Any) -> Any:
        """Replace ``leader``."""
        return resolve(command, {"leader": self.leader})

    def validate(self, command: Any) -> None:
        """Refuse what makes no sense here."""
        super().validate(command)
        match command:
            case Perform(client=client) if client not in self.clients:
                raise UserError(f"no client {client!r}: one of {', '.join(self.clients)} works here")
            case Perform(key=key) if key not in self.keys or len(key) != 1:
                raise UserError(f"no key {key!r}: one of {', '.join(self.keys)} is accepted")
            case Perform(replica=replica) if replica and replica not in self.servers:
                raise UserError(f"no replica {replica!r}: one of {', '.join(self.servers)} is accepted")
            case Perform(client=client) if self.hosts[client].status != UP:
                raise UserError(f"{client} is {self.hosts[client].status}: it asks nothing")
            case SetRule():
                self.rules.validate(command)
            case SetQuorum() if self.variant != "eventual":
                raise UserError("N, R and W are of the eventual variant")
            case SetPreset(name=name) if self.variant == "mongodb":
                if name not in PREFERENCES:
                    raise UserError(f"no read preference {name!r}: one of {', '.join(PREFERENCES)} is accepted")
            case SetPreset() if self.variant != "eventual":
                raise UserError("levels are of the eventual variant, read preferences of the replica set")
            case SetQuorum(n=n, r=r, w=w) if not (1 <= n <= len(self.servers) and 1 <= r <= n and 1 <= w <= n):
                raise UserError(f"N={n} R={r} W={w}: 1 <= R, W <= N <= {len(self.servers)} is accepted")
            case SetPreset(name=name) if name not in PRESETS:
                raise UserError(f"no preset {name!r}: one of {', '.join(PRESETS)} is accepted")
            case SetWorkload(level=level) if level not in WORKLOADS:
                raise UserError(f"no workload {level!r}: one of {', '.join(WORKLOADS)} is accepted")
            case faults.Isolate(node=node) | faults.Reconnect(node=node) if node not in self.servers:
                raise UserError(f"{node} is a client: cut its links one by one instead")

    def execute(self, command: Any) -> None:
        """Carry out a valid command."""
        match command:
            case Perform(client=client, write=write, key=key, replica=replica):
                node = self.hosts[client].node
                assert isinstance(node, Client)
                node.perform(self.hosts[client], Wish(write, key, replica))
            case SetRule(rule=rule, on=on):
                self.rules = self.rules.switched(command)
                for host in self.hosts.values():
                    host.node.rules = self.rules  # type: ignore[attr-defined]
                self._count_overlap()
                self.record(RuleSwitched(rule, on))
                self._mark(f"{rule} {'on' if on else 'off'}", "")
            case SetQuorum(n=n, r=r, w=w):
                self._requorum(self.quorum._replace(n=n, r=r, w=w, preset="custom"))
                self.record(ev.QuorumSet(n, r, w))
                self._mark(f"N={n} R={r} W={w}", "")
            case SetPreset(name=name):
                self._requorum(self.quorum._replace(preset=name))
                chosen = ev.PresetChosen(name, "one" if name == "any" else name, name)
                self.record(ev.PreferenceSet(name) if self.variant == "mongodb" else chosen)
                self._mark(name, "")
            case SetWorkload(level=level):
                self.workload = level
                for id in self.clients:
                    client_node = self.hosts[id].node
                    if id != YOU and isinstance(client_node, Client) and self.hosts[id].status != CRASHED:
                        client_node.set_interval(self.hosts[id], WORKLOADS[level])
                self.record(ev.WorkloadSet(level))
            case faults.Narrate():
                super().execute(command)
            case _:
                super().execute(command)
                self.quiet_from_us = self.clock.now_us  # what was wrong until now may have been healed
                self._mark(type(command).__name__.lower(), getattr(command, "node", "") or getattr(command, "src", ""))

    def _mark(self, what: str, node: str) -> None:
        self.marks.append(Mark(self.clock.now_us, what, node))

    def _requorum(self, quorum: Quorum) -> None:
        self.quorum = quorum
        for server in self.servers:
            self.replica(server).quorum = quorum  # type: ignore[attr-defined]
        self._count_overlap()

    def _count_overlap(self) -> None:
        """Quorums are promised to overlap while R + W > N, sessions to hold while a primary answers all reads."""
        quorum = self.quorum
        if self.variant == "mongodb" and quorum.preset != "primary":
            for name in SESSIONS:
                self.checks.withdraw(name)
        overlaps = {"quorum": True, "all": True, "each_quorum": True}.get(
            quorum.preset, quorum.preset == "custom" and quorum.r + quorum.w > quorum.n
        )
        self.book.restart_overlap(self.variant == "eventual" and overlaps and quorum.conflict == "lww")

    # -- the picture
    # -------------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Everything there is to see."""
        judge = self.book.judge
        operations = judge.build.operations
        before = max(0, len(operations) - SHOWN)
        verdicts = judge.verdicts()
        promised = self.checks.demands
        differing, _ = self._differences()
        quorum = self.quorum
        return Snapshot(
            at_us=self.now_us,
            position=self.position,
            seed=self.seed,
            variant=self.variant,
            replicas=tuple(self._replica(server) for server in self.servers),
            clients=tuple(self._client(id) for id in self.clients),
            flights=self.flights(),
            links=changed_links(self.hosts.values()),
            rules=self.rules.items(),
            workload=self.workload,
            keys=self.keys,
            n=quorum.n,
            r=quorum.r,
            w=quorum.w,
            preset=quorum.preset,
            conflict=quorum.conflict,
            models=tuple(Model(name, verdict, name in promised) for name, verdict in verdicts.items()),
            history=History(tuple(operations[before:]), judge.initial),
            before=before,
            whole=tuple(operations) if len(operations) <= WHOLE_MAX else (),
            witness=self._witnesses(before),
            arrows=tuple(self.arrows),
            marks=tuple(self.marks),
            series=tuple(self.series),
            operations=len(operations),
            unknown=self.book.unknown,
            failed=self.book.failed,
            reads=judge.reads,
            stale=judge.stale,
            lost=self.book.lost_total,
            differing=differing,
            settled_us=max(0, self.now_us - self.quiet_from_us),
            checks=self.checks.results(),
            cue=self.cue,
        )

    def _witnesses(self, before: int) -> History | None:
        """Operations that a witness names and the newest do not show."""
        judge = self.book.judge
        numbers: dict[int, None] = {}
        for verdict in judge.verdicts().values():
            if verdict.witness is not None:
                numbers |= dict.fromkeys(number for number in verdict.witness.operations if number < before)
        if not numbers:
            return None
        return History(tuple(judge.build.operations[number] for number in sorted(numbers)), judge.initial)

    def _replica(self, server: str) -> ReplicaView:
        host, node = self.hosts[server], self.replica(server)
        values = node.values()
        suspects = tuple(node.suspects) if isinstance(node, DynamoReplica) else ()
        leads = (isinstance(node, MongoReplica) and node.leads) or (
            self.variant == "sequential" and server == self.servers[-1]
        )
        newest: dict[str, Any] = {}
        for other in self.servers:
            for key, _, tag in self.replica(other).values():
                newest[key] = max(tag, newest.get(key, tag))
        mine = {key: tag for key, _, tag in values}
        behind = sum(server in self._responsible(key) and mine.get(key, (0, "")) < newest[key] for key in newest)
        return ReplicaView(
            host_view(host, self.hosts, self.servers), self.centre_of(server), node.vector, values, node.pending,
            leads, suspects, behind,
        )  # fmt: skip

    def _client(self, id: str) -> ClientView:
        host = self.hosts[id]
        node = host.node
        assert isinstance(node, Client)
        now = node.current
        busy = "" if now is None else "write" if now.write else "read"
        return ClientView(
            host_view(host, self.hosts, self.servers), node.home if node.asks() else "", busy,
            now.key if now else "", now.value if now else 0, len(node.queue), node.seen,
        )  # fmt: skip


__all__ = ["FAR", "NEAR", "YOU", "ConsistencyEngine"]
