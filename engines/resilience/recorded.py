"""A call log as a run: its starts and results are the steps, one after the other, through one breaker.

The order of the steps does not depend on the preset: also a call that the breaker rejects has a second step, at which
the log says how it would have ended; nothing happens then. The picture is that of the service world with one edge.

A log whose clock began long ago (such as 1970) is played from its first second on. Whole seconds are taken off, so
every bucket begins where it did, and the transitions are those of the report.
"""

from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Any, Final, NamedTuple, overload

from engines.errors import UserError
from engines.resilience.breaker import Breaker
from engines.resilience.calllog import LoggedCall
from engines.resilience.explain import Rejection, Transition
from engines.resilience.laws import Laws
from engines.resilience.policy import PPM
from engines.resilience.presets import PRESETS, Preset, preset
from engines.resilience.states import State
from engines.resilience.world.commands import SetPreset
from engines.resilience.world.events import BreakerMoved, CallFailed, CallRejected, PresetChosen
from engines.resilience.world.messages import Origin, Outcome
from engines.resilience.world.snapshot import (
    BreakerView,
    CallView,
    EdgeView,
    HostView,
    Lasted,
    Sample,
    ServiceView,
    Snapshot,
)
from engines.sim.events import Event
from engines.sim.faults import Narrate
from engines.sim.pattern import Check, Config, Setting, Variant, needs_source
from engines.sim.recorded import RecordedEngine
from engines.sim.service import Latencies
from engines.sim.source import Source

CLIENT: Final = "client"
SERVICE: Final = "service"
EDGE: Final = f"{CLIENT}>{SERVICE}"
SAMPLE_US: Final = 500_000
SAMPLES_MAX: Final = 240
RATE_SAMPLES: Final = 3
"""A rate is the mean of so many samples."""
LATENCY_SAMPLES: Final = 10
"""Percentiles of the edge are those of so many samples."""
SECOND_US: Final = 1_000_000
LONG_US: Final = 24 * 3_600 * SECOND_US
"""A log that begins later than this has a clock that began elsewhere."""
CALLS_SHOWN: Final = 12
HISTORY_SHOWN: Final = 16
TELL_US: Final = 1_000_000
"""What happens over and over is told once in this time, with the number of times it happened."""


class LogStep(NamedTuple):
    """A call starts, or its result arrives."""

    at_us: int
    call: int
    """Its place in the log, from 0."""
    ends: bool
    ok: bool
    duration_us: int


class CallLog(Sequence[LogStep]):
    """The steps of a log in the order of time, packed: 33 bytes a call."""

    def __init__(self, calls: Iterable[LoggedCall]) -> None:
        self.origin_us = 0
        """What was taken off all times."""
        self.at_us = array("q")
        self.duration_us = array("q")
        self.ok = bytearray()
        self.order = array("q")
        """Twice the place of the call, plus one for its result."""
        ends: list[tuple[int, int]] = []
        for index, (at_us, ok, duration_us) in enumerate(calls):
            if not index and at_us >= LONG_US:
                self.origin_us = at_us - at_us % SECOND_US
            at_us -= self.origin_us
            self.at_us.append(at_us)
            self.duration_us.append(duration_us)
            self.ok.append(ok)
            while ends and ends[0][0] <= at_us:
                self.order.append(2 * heappop(ends)[1] + 1)
            self.order.append(2 * index)
            heappush(ends, (at_us + duration_us, index))
        while ends:
            self.order.append(2 * heappop(ends)[1] + 1)

    def __len__(self) -> int:
        return len(self.order)

    @overload
    def __getitem__(self, place: int) -> LogStep: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[LogStep, ...]: ...
    def __getitem__(self, place: int | slice) -> LogStep | tuple[LogStep, ...]:
        if isinstance(place, slice):
            return tuple(self[i] for i in range(*place.indices(len(self))))
        call, ends = divmod(self.order[place], 2)
        duration_us = self.duration_us[call]
        at_us = self.at_us[call] + (duration_us if ends else 0)
        return LogStep(at_us, call, bool(ends), bool(self.ok[call]), duration_us)


class Running(NamedTuple):
    """A call that was let through and has not ended."""

    permit: int
    at_us: int


class RecordedCalls(RecordedEngine):
    """The log through one preset."""

    def __init__(self, source: Source, seed: int, config: Config) -> None:
        super().__init__(source, seed, config)
        self.seed = seed
        self.start_us = self.at_us(source.records[0]) if source.records else 0
        self._begin(preset(dict(config).get("preset", "article")))

    def _begin(self, preset: Preset) -> None:
        """Through this preset, from the first call on."""
        self.preset = preset
        self.breaker = Breaker(preset.options)
        self.breaker.since_us = self.start_us
        self.laws = Laws(preset.options)
        self.running: dict[int, Running] = {}
        self.recent: deque[CallView] = deque(maxlen=CALLS_SHOWN)
        self.offered = self.good = self.failed = self.rejected = self.rejected_here = 0
        self.here = [0, 0, 0, 0, 0]
        """Of the running sample: offered, admitted, good, failed, rejected."""
        self.past: deque[tuple[int, ...]] = deque(maxlen=RATE_SAMPLES)
        self.latency = Latencies()
        self.latencies: deque[Latencies] = deque(maxlen=LATENCY_SAMPLES)
        self.series: deque[Sample] = deque(maxlen=SAMPLES_MAX)
        self.sample_us = 0
        """When the running sample ends; 0 before the first call."""
        self.lately: dict[str, tuple[int, int]] = {}
        """When something was last told, and how often it has happened since."""

    # -- another preset --------------------------------------------------------------------------------------------

    def validate(self, command: Any) -> None:
        """Narration, and another preset for the breaker."""
        if isinstance(command, SetPreset):
            if command.edge not in (EDGE, "*"):
                raise UserError(f"edge {command.edge!r}: one of {EDGE}, * is accepted")
            preset(command.preset)
        else:
            super().validate(command)

    def apply(self, command: Any) -> tuple[Event, ...]:
        """Judge all calls so far anew, through another preset; or say what the lecturer says."""
        if not isinstance(command, SetPreset):
            return super().apply(command)
        self.validate(command)
        before = self.events_total
        self.position += 1
        now_us, told = self._now_us, len(self.fresh)
        self._begin(preset(command.preset))
        for index in range(self.taken):
            record = self.source.records[index]
            self._now_us = self.at_us(record)
            self.take(index, record)
        self._now_us = now_us
        del self.fresh[told:]
        self.note(PresetChosen(EDGE, self.preset.name), CLIENT)
        self.drain()
        return self.latest(self.events_total - before)

    # -- steps -----------------------------------------------------------------------------------------------------

    def at_us(self, record: LogStep) -> int:
        """When the step happens."""
        return record.at_us

    def take(self, index: int, record: LogStep) -> None:
        """A call asks the breaker, or a result reaches it."""
        now_us = record.at_us
        self._sample(now_us)
        if record.ends:
            self._end(record, now_us)
        else:
            self._start(record, now_us)
        self.breaker.poll(now_us)
        self._moved()

    def _start(self, step: LogStep, now_us: int) -> None:
        self.offered += 1
        self.here[0] += 1
        permit = self.breaker.acquire(now_us)
        self._moved()
        if isinstance(permit, Rejection):
            self.rejected += 1
            self.rejected_here += 1
            self.here[4] += 1
            origin = Origin(Outcome.OPEN, EDGE)
            self.recent.append(CallView(step.call + 1, CLIENT, "call", now_us, "failed", 0, 0, Outcome.OPEN, origin))
            if times := self._may_tell("rejected"):
                self.note(CallRejected(EDGE, permit, times), CLIENT)
            return
        self.here[1] += 1
        self.laws.passed(now_us, step.call + 1)
        self.running[step.call] = Running(permit, now_us)
        self.recent.append(CallView(step.call + 1, CLIENT, "call", now_us, "running", -1, 1, None, None))

    def _end(self, step: LogStep, now_us: int) -> None:
        call = self.running.pop(step.call, None)
        if call is None:
            return
        self.laws.ended += 1
        self.latency.record(step.duration_us)
        late = call.permit != self.breaker.era
        self.breaker.result(call.permit, now_us, not step.ok, step.duration_us)
        self.good += step.ok
        self.failed += not step.ok
        self.here[2 if step.ok else 3] += 1
        for place, view in enumerate(self.recent):
            if view.id == step.call + 1:
                self.recent[place] = view._replace(
                    state="ok" if step.ok else "failed", took_us=step.duration_us,
                    why=None if step.ok else Outcome.LOGGED,
                )  # fmt: skip
        if not step.ok and (times := self._may_tell("failed")):
            self.note(CallFailed(EDGE, Outcome.LOGGED, None, 1, times, step.duration_us, late), CLIENT)
        self._moved()

    def _moved(self) -> None:
        for each in self.breaker.drain():
            self.laws.moved(each)
            self.rejected_here = 0
            self.lately.clear()
            self.note(BreakerMoved(EDGE, each), CLIENT)

    def _may_tell(self, what: str) -> int:
        """How often it has happened since it was last told, this time included; 0: not yet."""
        last_us, count = self.lately.get(what, (-TELL_US, 0))
        if self.now_us - last_us < TELL_US:
            self.lately[what] = last_us, count + 1
            return 0
        self.lately[what] = self.now_us, 0
        return count + 1

    def _sample(self, now_us: int) -> None:
        """Close the samples that are over. After a long silence only those that are still shown."""
        if not self.sample_us:
            self.sample_us = now_us - now_us % SAMPLE_US + SAMPLE_US
        over = (now_us - self.sample_us) // SAMPLE_US - SAMPLES_MAX
        if over > 0:
            self._close()
            self.sample_us += over * SAMPLE_US
        while now_us >= self.sample_us:
            self._close()

    def _close(self) -> None:
        offered, admitted, good, failed, rejected = (count * 1_000_000 // SAMPLE_US for count in self.here)
        latency = self.latency
        self.series.append(
            Sample(
                self.sample_us, offered, admitted, good, failed, rejected, 0, latency.quantile_us(500_000),
                latency.quantile_us(990_000), int(self.breaker.state is State.OPEN), admitted,
            )
        )  # fmt: skip
        self.past.append(tuple(self.here))
        self.latencies.append(latency)
        self.latency = Latencies()
        self.here = [0, 0, 0, 0, 0]
        self.sample_us += SAMPLE_US

    # -- looking ---------------------------------------------------------------------------------------------------

    def check(self) -> tuple[Check, ...]:
        """The laws of a breaker, for this log."""
        return self.laws.checks(len(self.running))

    def _per_s(self, which: int) -> int:
        count = sum(each[which] for each in self.past)
        return count * 1_000_000 // (SAMPLE_US * max(1, len(self.past)))

    def snapshot(self) -> Snapshot:
        """The service world's, with one edge."""
        edge = self._edge()
        busy = len(self.running)
        hosts = (HostView(SERVICE, "up", busy, busy, 0, 0, 0, 100, 0),)
        caller = (HostView(CLIENT, "up", 0, 0, 0, 0, 0, 100, 0),)
        return Snapshot(
            now_us=self.now_us,
            seed=self.seed,
            variant="recorded",
            preset=self.preset.name,
            you=CLIENT,
            services=(
                ServiceView(CLIENT, "client", caller, 0, 0, 0, 0, "", 0, 0, False, self._per_s(0), 0, 0, 0, 0, 0),
                ServiceView(
                    SERVICE, "service", hosts, busy, busy, 0, 0, "", edge.p50_us, 0, False, self._per_s(1),
                    self._per_s(2) + self._per_s(3), 0, 0, 0, self.good + self.failed,
                ),
            ),
            edges=(edge,),
            flights=(),
            calls=tuple(self.recent),
            series=tuple(self.series),
            load=None,
            rate_per_s=self._per_s(0),
            mix=SERVICE,
            offered=self.offered,
            good=self.good,
            failed=self.failed + self.rejected,
            rules=(),
            checks=self.check(),
            cue=None,
            log=self.source.name,
        )  # fmt: skip

    def _edge(self) -> EdgeView:
        latency = Latencies()
        for each in (*self.latencies, self.latency):
            latency.add(each)
        ended = self._per_s(2) + self._per_s(3)
        return EdgeView(
            id=EDGE, src=CLIENT, dst=SERVICE, hosts=(SERVICE,), order=("breaker",), pipeline=("breaker",),
            breaker=self._breaker(), retry=None, bulkhead=None, limiter=None, timeout_us=0, deadline=False,
            hedge_ppm=0, hedge_after_us=-1, hedges=0, hedges_won=0, fallback=False, fallbacks=0, outliers=(), caps=(),
            delay_percent=0, delay_us=0, abort_percent=0, abort_status=0, running=len(self.running),
            calls_per_s=self._per_s(0), attempts_per_s=self._per_s(1),
            errors_ppm=self._per_s(3) * PPM // ended if ended else 0, rejected_per_s=self._per_s(4),
            p50_us=latency.quantile_us(500_000), p99_us=latency.quantile_us(990_000), options=(),
        )  # fmt: skip

    def _breaker(self) -> BreakerView:
        breaker, now_us = self.breaker, self.now_us
        return BreakerView(
            preset=self.preset.name,
            why=breaker.why(now_us),
            rejected=self.rejected,
            rejected_here=self.rejected_here,
            buckets=breaker.window.buckets(now_us),
            history=self._history(),
        )

    def _history(self) -> tuple[Lasted, ...]:
        """How long each state lasted."""
        moves = list(self.breaker.history)
        whole = len(moves) < (self.breaker.history.maxlen or 0)
        began: list[tuple[str, int, Transition | None]] = [("closed", self.start_us, None)] if whole else []
        began += [(move.dst.value, move.at_us, move) for move in moves]
        ends = [at_us for _, at_us, _ in began[1:]]
        lasted = [
            Lasted(state, at_us, end_us - at_us if end_us >= 0 else -1, moved)
            for (state, at_us, moved), end_us in zip(began, [*ends, -1], strict=True)
        ]
        return tuple(lasted[-HISTORY_SHOWN:])


VARIANT: Final = Variant(
    "recorded",
    "a recorded call log",
    "your own calls, through the breaker of your choice",
    needs_source,
    (Narrate, SetPreset),
    settings=(Setting("preset", "article", choices=tuple(PRESETS), help="The breaker."),),
    fidelity=(
        ("modelled", "the breaker, with every rule of the preset, at the times of the log"),
        ("simplified", "the outcome of a rejected call is dropped: the log cannot know what less load would have done"),
        ("left out", "retries, timeouts and bulkheads: the log says what happened with those that were there"),
    ),
    engine_version=3,
    from_source=RecordedCalls,
)
