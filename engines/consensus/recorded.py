"""A trace of a real etcd-io/raft node set as a run: one line is one step, so pause, step, seek and checks work on it.

The picture is that of the living cluster, with what a trace tells: terms, votes, roles, commit indices, the lengths of
logs and as many terms of entries as can be known, configurations, and what leaders sent and heard. Timers, clocks,
disks and clients are not in a trace.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, overload

from engines.consensus.etcd_servers import TracedCluster, TracedServer
from engines.consensus.etcd_trace import NOBODY, TraceEvent, natural
from engines.consensus.raft.quorum import majority
from engines.consensus.raft.snapshot import LogEntry, Progress, Sample, Server, Snapshot
from engines.sim.faults import Narrate
from engines.sim.pattern import Check, Config, Variant, needs_source
from engines.sim.recorded import RecordedEngine
from engines.sim.source import Source
from engines.units import US_PER_MS

WINDOW: Final = 64
SAMPLES_MAX: Final = 600
SAMPLE_US: Final = 100 * US_PER_MS
UNTIMED_US: Final = US_PER_MS
"""Between two lines that tell no time."""


class Traced(NamedTuple):
    """A line of the trace, and what it changed."""

    event: TraceEvent
    was: str
    """The role of the server before it."""


class Trace(Sequence[TraceEvent]):
    """The events of a file in the order of time, from zero on; lines of one moment stay as they stand."""

    def __init__(self, events: Iterable[TraceEvent]) -> None:
        found = list(events)
        if all(event.at_us is not None for event in found):
            found.sort(key=lambda event: event.at_us or 0)
        self.events = tuple(found)
        self.at: list[int] = []
        first = next((event.at_us for event in found if event.at_us is not None), 0)
        now = 0
        for number, event in enumerate(found):
            if event.at_us is None:
                now += UNTIMED_US if number else 0
            else:
                now = max(now, event.at_us - first)
            self.at.append(now)
        names = {event.node: None for event in found}
        for event in found:
            names |= dict.fromkeys((*event.voters, *event.outgoing))
        self.names = tuple(sorted(names, key=natural))

    def __len__(self) -> int:
        return len(self.events)

    @overload
    def __getitem__(self, place: int) -> TraceEvent: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[TraceEvent, ...]: ...
    def __getitem__(self, place: int | slice) -> TraceEvent | tuple[TraceEvent, ...]:
        return self.events[place]


class RecordedRaft(RecordedEngine):
    """The engine of a trace."""

    def __init__(self, source: Source, seed: int, config: Config) -> None:
        super().__init__(source, seed, config)
        self.cluster = TracedCluster()
        self.series: deque[Sample] = deque(maxlen=SAMPLES_MAX)
        self.sample_due_us = 0

    @property
    def trace(self) -> Trace:
        """The events of the file."""
        found = self.source.records
        assert isinstance(found, Trace)
        return found

    def at_us(self, record: TraceEvent) -> int:
        """When it happened, on the run's own time."""
        return self.trace.at[min(self.taken, len(self.trace) - 1)]

    @property
    def end_us(self) -> int:
        """When the last one happened."""
        return self.trace.at[-1] if self.trace.at else 0

    def take(self, index: int, record: TraceEvent) -> None:
        """One line more."""
        server = self.cluster.servers.get(record.node)
        was = server.role if server else ""
        self.cluster.take(record, self.position, self.now_us)
        self.note(Traced(record, was), record.node)
        if self.now_us >= self.sample_due_us:
            leader = self._leader()
            self.series.append(Sample(self.now_us, self._commit(), leader.id if leader else "",
                                      leader.term if leader else 0))  # fmt: skip
            self.sample_due_us = self.now_us // SAMPLE_US * SAMPLE_US + SAMPLE_US

    def check(self) -> tuple[Check, ...]:
        """Raft's guarantees, so far."""
        return self.cluster.results()

    # -- looking -----------------------------------------------------------------------------------------------------

    def _leader(self) -> TracedServer | None:
        leaders = [each for each in self.cluster.servers.values() if each.role == "leader"]
        return max(leaders, key=lambda each: each.term, default=None)

    def _commit(self) -> int:
        return max((each.commit for each in self.cluster.servers.values()), default=0)

    def snapshot(self) -> Snapshot:
        """The cluster's, as far as it is known."""
        servers = [self.cluster.servers.get(name) or TracedServer(name) for name in self.trace.names]
        leader = self._leader()
        newest = leader or max(servers, key=lambda each: each.term)
        last = max(each.last for each in servers)
        first = max(1, last - WINDOW + 1)
        return Snapshot(
            at_us=self.now_us, position=self.position, seed=0, servers=tuple(_server(each, first) for each in servers),
            clients=(), flights=(), links=(), rules=(), reads="log", noop=True, heartbeat_us=0, election_min_us=0,
            election_max_us=0, quorum=majority(len(newest.voters)), configuration=newest.configuration, configured_at=0,
            configured=True, leader=leader.id if leader else "", term=max(each.term for each in servers),
            commit=self._commit(), window=(first, last), series=tuple(self.series), workload="off", cue=self.cue,
            checks=self.check(), events=self.events_total, recorded=self.source.name,
        )  # fmt: skip


def _server(server: TracedServer, first: int) -> Server:
    leading = server.role == "leader"
    peers = sorted({*server.voters, *server.outgoing} - {server.id}, key=natural)
    return Server(
        id=server.id, status="up" if server.started else "crashed", role=server.role, term=server.term,
        voted_for=None if server.vote == NOBODY else server.vote, votes=tuple(server.votes.items()),
        leader=server.leader or None,
        log=tuple(LogEntry(index, server.log[index - 1], None) for index in range(first, server.last + 1)),
        first_index=1, last_index=server.last, last_term=server.log[-1] if server.log else 0, commit=server.commit,
        applied=server.commit, snapshot_index=0, snapshot_term=0, snapshot_rows=0, values=(), timer_left_us=None,
        timer_total_us=0, leader_for_us=0,
        progress=tuple(
            Progress(peer, server.next.get(peer, 0), server.match.get(peer, 0), "replicate", 0, False, 0, 0, None)
            for peer in peers
        ) if leading else (),
        configuration=server.configuration, configured_at=0, catching_up=None, hands_over_to="", heard_ago_us=None,
        deduplicated=0, questions=(), rounds=None, durable_term=server.durable[0], durable_vote=None, fsync_us=0,
        unsynced=0, clock_off_us=0, drift_ppm=0, waiting=0, cut_from=(),
    )  # fmt: skip


VARIANT: Final = Variant(
    name="recorded",
    title="Recorded Raft",
    summary="a trace of a real etcd-io/raft node set, line by line",
    make=needs_source,
    commands=(Narrate,),
    from_source=RecordedRaft,
    fidelity=(
        ("modelled", "every event that the with_tla build of etcd-io/raft writes, and Raft's guarantees over them"),
        ("simplified", "terms of entries are not written: they follow from who appended and sent them, or are unknown"),
        ("left out", "timers, clocks, disks, clients, and the content of entries: a trace does not tell them"),
    ),
)


def source_of(trace: Trace, name: str, sha256: str, path: str, skipped: int) -> Source:
    """The events of a file as records that can be played."""
    return Source(name, sha256, trace, path, skipped)


__all__ = ["VARIANT", "RecordedRaft", "Trace", "Traced", "source_of"]
