"""A client history of the user as a run: every invocation and every return is a step.

It is judged once, when it is opened, over the whole history. While it plays, a model counts as broken from the return
on that shows it: the first that nothing explains. Files without times play a millisecond a line.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, overload

from engines.consistency.clock_log import ClockEngine, ClockLog
from engines.consistency.explain import SENSES, sentence, witness_lines
from engines.consistency.formats.records import text_of
from engines.consistency.formats.shiviz import ShivizEvent
from engines.consistency.formats.timeline import label
from engines.consistency.history import History, Operation, Status
from engines.consistency.judge import NAMES, Report
from engines.consistency.outcome import staleness
from engines.consistency.vector import EMPTY
from engines.consistency.verdict import OK, Answer, Verdict
from engines.consistency.world.events import Began, Ended, VerdictFell
from engines.consistency.world.snapshot import WHOLE_MAX, ClientView, Mark, Model, Sample, Snapshot
from engines.sim.faults import Narrate
from engines.sim.pattern import Check, Config, Variant, needs_source
from engines.sim.recorded import RecordedEngine
from engines.sim.source import Source
from engines.sim.views import HostView
from engines.units import US_PER_MS

SHOWN: Final = 120
SAMPLE_US: Final = 100 * US_PER_MS
SAMPLES_MAX: Final = 600


class HistoryStep(NamedTuple):
    """An operation begins, or it returns."""

    at_us: int
    number: int
    returns: bool


class JudgedHistory(Sequence[HistoryStep]):
    """The steps of a history in their order, with what the judges say of it."""

    def __init__(self, history: History, report: Report) -> None:
        self.history = history
        self.report = report
        events = [(each.start, each.start_us, each.number, False) for each in history.operations]
        events += [(each.end, each.end_us or 0, each.number, True)
                   for each in history.operations if each.end is not None]  # fmt: skip
        events.sort(key=lambda event: event[0])
        plain = history.timed and history.real_time
        first = events[0][1] if events else 0
        last = 0
        self.steps: list[HistoryStep] = []
        self.place: dict[tuple[int, bool], int] = {}
        for position, at_us, number, returns in events:
            last = max(last, at_us - first if plain else position * US_PER_MS)
            self.place[number, returns] = len(self.steps)
            self.steps.append(HistoryStep(last, number, returns))
        stale = staleness(history) if report.model.name in ("register", "cas-register") else None
        self.ages = {each.read: each.age_us for each in stale.stale} if stale else {}
        self.falls = {name: self._fall(verdict) for name, verdict in report.verdicts.items() if verdict.broken}

    def _fall(self, verdict: Verdict) -> int:
        """The step at which a violation shows."""
        assert verdict.witness is not None
        shown = verdict.witness.operations if verdict.witness.impossible is None else (verdict.witness.impossible,)
        return max(self.place.get((number, True), self.place[number, False]) for number in shown)

    def moved(self, operation: Operation) -> Operation:
        """The operation with the times at which it plays."""
        start = self.steps[self.place[operation.number, False]].at_us
        end = self.place.get((operation.number, True))
        return operation._replace(start_us=start, end_us=None if end is None else self.steps[end].at_us)

    def __len__(self) -> int:
        return len(self.steps)

    @overload
    def __getitem__(self, place: int) -> HistoryStep: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[HistoryStep]: ...
    def __getitem__(self, place: int | slice) -> HistoryStep | Sequence[HistoryStep]:
        return self.steps[place]


class HistoryEngine(RecordedEngine):
    """The engine of a FILE run."""

    def __init__(self, source: Source, seed: int, config: Config) -> None:
        super().__init__(source, seed, config)
        self.begun = 0
        self.unknown = 0
        self.failed = 0
        self.reads = 0
        self.stale = 0
        self.series: list[Sample] = []
        self.sampled = (0, 0)
        self.positions: dict[str, tuple[int, int]] = {}
        """The models that do not hold: at which position that showed, and when."""

    @property
    def records(self) -> JudgedHistory:
        """The history and its verdicts."""
        records = self.source.records
        assert isinstance(records, JudgedHistory)
        return records

    def at_us(self, record: HistoryStep) -> int:
        """When it happens."""
        return record.at_us

    def take(self, index: int, record: HistoryStep) -> None:
        """An operation begins or returns; what that shows is told."""
        records = self.records
        operation = records.history.operations[record.number]
        if not record.returns:
            self.begun += 1
            self.unknown += operation.end is None
            asked = operation if operation.call.value != "read" else operation._replace(status=Status.INFO)
            self.note(Began(label(asked)), operation.process[:12])
        else:
            age = records.ages.get(record.number, -1)
            self.failed += operation.status is Status.FAIL
            if operation.call.value == "read" and operation.done:
                self.reads += 1
                self.stale += age >= 0
            self.note(Ended(label(operation), operation.status, age), operation.process[:12])
            self._sample(record.at_us, max(0, age))
        for name, fall in records.falls.items():
            if fall == index:
                verdict = records.report.verdicts[name]
                assert verdict.why is not None
                self.positions[name] = self.position, self.now_us
                self.note(VerdictFell(name, verdict.why, label(operation)), operation.process[:12])

    def _sample(self, at_us: int, age_us: int) -> None:
        reads, stale = self.reads - self.sampled[0], self.stale - self.sampled[1]
        if not self.series or at_us - self.series[-1].at_us >= SAMPLE_US:
            self.series = [*self.series[-SAMPLES_MAX + 1 :], Sample(at_us, reads, stale, age_us)]
            self.sampled = self.reads, self.stale

    def check(self) -> tuple[Check, ...]:
        """One a model that has an answer."""
        records = self.records
        found = []
        for name, verdict in records.report.verdicts.items():
            if verdict.answer is Answer.UNKNOWN:
                continue
            if name in self.positions:
                said = sentence(verdict, records.history)
                lines = witness_lines(verdict, records.history)
                found.append(Check(name, False, said, lines, *self.positions[name]))
            else:
                found.append(Check(name, True, SENSES[name]))
        return tuple(found)

    def _now(self, name: str) -> Verdict:
        verdict = self.records.report.verdicts[name]
        return OK if verdict.broken and name not in self.positions else verdict

    def snapshot(self) -> Snapshot:
        """The newest operations, as far as they are known by now."""
        records = self.records
        history = records.history
        before = max(0, self.begun - SHOWN)
        whole: tuple[Operation, ...] = ()
        if self.begun <= WHOLE_MAX:
            whole = tuple(self._so_far(each) for each in history.operations[: self.begun])
        shown = whole[before:] or tuple(self._so_far(each) for each in history.operations[before : self.begun])
        names = list(dict.fromkeys(each.process for each in shown)) or [history.operations[0].process]
        marks = tuple(
            Mark(records.steps[min(self._step_of(each.at), len(records) - 1)].at_us, text_of(each.text), "")
            for each in history.marks[-64:]
        )
        return Snapshot(
            at_us=self._now_us, position=self.position, seed=0, variant="history", replicas=(),
            clients=tuple(_client(name) for name in names),
            flights=(), links=(), rules=(), workload="off", keys="", n=1, r=1, w=1, preset="custom", conflict="lww",
            models=tuple(
                Model(name, self._now(name), False) for name in NAMES if name in records.report.verdicts
                and name != "convergence"
            ),
            history=History(shown, history.initial, history.real_time, history.doubt, timed=history.timed),
            before=before, whole=whole, witness=self._witnesses(before), arrows=(), marks=marks,
            series=tuple(self.series), operations=self.begun, unknown=self.unknown, failed=self.failed,
            reads=self.reads, stale=self.stale, lost=0, differing=(), settled_us=0, checks=self.check(), cue=None,
            recorded=True,
        )  # fmt: skip

    def _step_of(self, position: int) -> int:
        """The step that comes behind a place in the file."""
        low, high = 0, len(self.records)
        operations = self.records.history.operations
        while low < high:
            middle = (low + high) // 2
            step = self.records.steps[middle]
            each = operations[step.number]
            place = each.end if step.returns else each.start
            if (place or 0) < position:
                low = middle + 1
            else:
                high = middle
        return low

    def _so_far(self, operation: Operation) -> Operation:
        """What is known of it by now: an answer that has not come yet is none."""
        moved = self.records.moved(operation)
        end = self.records.place.get((operation.number, True))
        if end is not None and end >= self.taken:
            value = None if operation.call.value == "read" else operation.value
            return moved._replace(status=Status.INFO, end=None, end_us=None, value=value)
        return moved

    def _witnesses(self, before: int) -> History | None:
        records = self.records
        numbers: dict[int, None] = {}
        for name in self.positions:
            witness = records.report.verdicts[name].witness
            if witness is not None:
                numbers |= dict.fromkeys(number for number in witness.operations if number < before)
        if not numbers:
            return None
        found = tuple(records.moved(records.history.operations[number]) for number in sorted(numbers))
        return History(found, records.history.initial)


def _client(name: str) -> ClientView:
    return ClientView(HostView(name, "up", 0, 0, 0, 0, 0, ()), "", "", "", 0, 0, EMPTY)


def engine_of(source: Source, seed: int, config: Config) -> HistoryEngine | ClockEngine:
    """What plays these records: a history of operations, or a log with vector clocks."""
    kind = ClockEngine if isinstance(source.records, ClockLog) else HistoryEngine
    return kind(source, seed, config)


RECORDED: Final = Variant(
    name="history",
    title="Your history",
    summary="a client history of yours, judged and drawn; or a log with vector clocks",
    make=needs_source,
    commands=(Narrate,),
    from_source=engine_of,
)


def source_of(
    history: History, report: Report, name: str, sha256: str, path: str, skipped: int,
    options: tuple[tuple[str, str], ...] = (),
) -> Source:  # fmt: skip
    """A judged history as the input of a run."""
    return Source(name, sha256, JudgedHistory(history, report), path, skipped, options)


def log_of(
    events: Sequence[ShivizEvent], name: str, sha256: str, path: str, options: tuple[tuple[str, str], ...] = ()
) -> Source:
    """A log with vector clocks as the input of a run."""
    return Source(name, sha256, ClockLog(events), path, 0, options)


__all__ = ["RECORDED", "HistoryEngine", "JudgedHistory", "log_of", "source_of"]
