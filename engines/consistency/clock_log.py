"""A log with vector clocks as a run: every event is a step, and the clocks alone say what was before what.

Such a log has no time. Its events are played in the order of the file if no event stands before one it depends on;
else in the order of how much each has seen, which is an order true to the clocks. An entry for another host that is
larger than in the host's event before tells of a message: it is drawn from that host's event, unless another message
of the same event explains it.
"""

from collections.abc import Sequence
from typing import Final, overload

from engines.consistency.formats.shiviz import ShivizEvent
from engines.consistency.history import History
from engines.consistency.vector import VectorClock
from engines.consistency.world.events import Happened
from engines.consistency.world.snapshot import Arrow, Logged, ReplicaView, Snapshot
from engines.sim.pattern import Check, Config
from engines.sim.recorded import RecordedEngine
from engines.sim.source import Source
from engines.sim.views import HostView
from engines.units import US_PER_MS

SHOWN: Final = 120
"""Events of a snapshot."""
CHECK: Final = "vector clocks"


class ClockLog(Sequence[Logged]):
    """The events in an order true to their clocks, with the messages that the clocks tell of."""

    def __init__(self, events: Sequence[ShivizEvent]) -> None:
        place = {(event.host, event.clock.get(event.host)): at for at, event in enumerate(events)}
        order = list(range(len(events)))
        true = all(place[host, count] <= at for at, event in enumerate(events) for host, count in event.clock if count)
        if not true:
            order.sort(key=lambda at: (sum(count for _, count in events[at].clock), at))
        self.hosts = tuple(dict.fromkeys(events[at].host for at in order))
        number = {(events[at].host, events[at].clock.get(events[at].host)): index for index, at in enumerate(order)}
        self.events: list[Logged] = []
        before: dict[str, VectorClock] = {}
        for index, at in enumerate(order):
            event = events[at]
            known = before.get(event.host, VectorClock())
            raised = [(host, count) for host, count in event.clock if host != event.host and count > known.get(host)]
            causes = tuple(number[each] for each in raised)
            direct = tuple(
                cause for cause, (host, count) in zip(causes, raised, strict=True)
                if not any(other != cause and self.events[other].clock.get(host) >= count for other in causes)
            )  # fmt: skip
            self.events.append(Logged(index, (index + 1) * US_PER_MS, event.host, event.clock, event.text, direct))
            before[event.host] = event.clock

    def __len__(self) -> int:
        return len(self.events)

    @overload
    def __getitem__(self, place: int) -> Logged: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Logged]: ...
    def __getitem__(self, place: int | slice) -> Logged | Sequence[Logged]:
        return self.events[place]


class ClockEngine(RecordedEngine):
    """The engine of a FILE run over such a log."""

    def __init__(self, source: Source, seed: int, config: Config) -> None:
        super().__init__(source, seed, config)
        self.newest: dict[str, int] = {}
        """Host -> its newest event so far."""

    @property
    def records(self) -> ClockLog:
        """The log."""
        records = self.source.records
        assert isinstance(records, ClockLog)
        return records

    def at_us(self, record: Logged) -> int:
        """When it is played."""
        return record.at_us

    def take(self, index: int, record: Logged) -> None:
        """An event happens."""
        self.newest[record.host] = index
        heard = tuple(self.records.events[cause].host for cause in record.causes)
        self.note(Happened(record.text, record.clock, heard), record.host[:12])

    def check(self) -> tuple[Check, ...]:
        """What was held when the file was read."""
        return (Check(CHECK, True, "own entries count 1, 2, 3 ..., and whatever an entry names exists"),)

    def snapshot(self) -> Snapshot:
        """Hosts with their clocks, the newest events, and the messages between them."""
        records = self.records
        before = max(0, self.taken - SHOWN)
        shown = tuple(records.events[before : self.taken])
        arrows = tuple(
            Arrow(
                each.number, records.events[cause].host, each.host, "m", records.events[cause].at_us, each.at_us, False
            )
            for each in shown
            for cause in each.causes
        )
        return Snapshot(
            at_us=self._now_us, position=self.position, seed=0, variant="history",
            replicas=tuple(self._host(name) for name in records.hosts), clients=(), flights=(), links=(), rules=(),
            workload="off", keys="", n=1, r=1, w=1, preset="custom", conflict="lww", models=(),
            history=History((), 0), before=before, whole=(), witness=None, arrows=arrows, marks=(), series=(),
            operations=0, unknown=0, failed=0, reads=0, stale=0, lost=0, differing=(), settled_us=0,
            checks=self.check(), cue=None, recorded=True, logged=shown,
        )  # fmt: skip

    def _host(self, name: str) -> ReplicaView:
        newest = self.newest.get(name)
        clock = VectorClock() if newest is None else self.records.events[newest].clock
        return ReplicaView(HostView(name, "up", 0, 0, 0, 0, 0, ()), 0, clock, (), 0, False, (), 0)


__all__ = ["CHECK", "ClockEngine", "ClockLog"]
