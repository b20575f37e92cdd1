"""The user's own data as a run: every record is a step, nothing can be injected, and a saved run names its file."""

import json
import pickle
from typing import Any, NamedTuple

import pytest

from engines.errors import UserError
from engines.sim.events import Cue
from engines.sim.faults import Crash, Narrate
from engines.sim.pattern import Check, Config, Pattern, Variant, needs_source
from engines.sim.recorded import RECORDED, RecordedEngine
from engines.sim.recording import SourceFile, read, record
from engines.sim.source import Source
from engines.sim.timeline import Timeline

Run = Timeline[Any, Any]


class Added(NamedTuple):
    number: int
    sum: int


class Sums(RecordedEngine):
    """Records are (time, number); the state is their sum."""

    def __init__(self, source: Source, seed: int, config: Config) -> None:
        super().__init__(source, seed, config)
        self.sum = 0

    def at_us(self, record: Any) -> int:
        return int(record[0])

    def take(self, index: int, record: Any) -> None:
        self.sum += record[1]
        self.note(Added(record[1], self.sum), f"r{index}")

    def snapshot(self) -> tuple[int, int]:
        return self.now_us, self.sum

    def check(self) -> tuple[Check, ...]:
        return (Check("positive", self.sum >= 0, "the sum never falls below zero"),)


VARIANT = Variant("recorded", "recorded", "sums", needs_source, (Narrate,), from_source=Sums)
PATTERN = Pattern(8, "sums", "Sums", "How much is it?", (), (), recorded=VARIANT)
RECORDS = tuple((1_000 * (i // 3), i) for i in range(5_000))


def source(records: Any = RECORDS, path: str = "numbers.txt") -> Source:
    return Source(path or "standard input", "ab" * 32, records, path)


def run(records: Any = RECORDS, path: str = "numbers.txt") -> Run:
    return Timeline(VARIANT.on(source(records, path)), 0)


def test_every_record_is_one_step_and_can_be_undone() -> None:
    timeline = run()
    assert timeline.step()
    assert timeline.step()
    assert timeline.position == 2
    assert timeline.snapshot() == (0, 1)
    assert timeline.back()
    assert timeline.snapshot() == (0, 0)
    assert timeline.engine.told(9)[-1].what == Added(0, 0)


def test_a_seek_equals_the_first_run_there() -> None:
    timeline = run()
    seen = {}
    while timeline.step():
        seen[timeline.position] = timeline.snapshot(), timeline.engine.told(600), timeline.engine.told_total
    timeline = run()
    timeline.advance(1 << 50)
    assert timeline.branch.checkpoints, "long enough to need checkpoints"
    for position in (4_999, 17, 2_500, 1, 5_000):
        timeline.seek(position)
        assert (timeline.snapshot(), timeline.engine.told(600), timeline.engine.told_total) == seen[position]


def test_time_never_passes_the_last_record() -> None:
    timeline = run()
    timeline.advance(1 << 50)
    assert timeline.now_us == RECORDS[-1][0] == timeline.engine.end_us  # type: ignore[attr-defined]
    assert timeline.engine.next_us() is None
    assert not timeline.step()


def test_an_empty_file_is_a_run_of_nothing() -> None:
    timeline = run(())
    timeline.advance(1 << 50)
    assert (timeline.now_us, timeline.position) == (0, 0)


def test_a_checkpoint_holds_no_records() -> None:
    timeline = run()
    timeline.advance(100_000)
    assert len(pickle.dumps(timeline.engine)) < len(pickle.dumps(RECORDS)) / 2
    copy = pickle.loads(pickle.dumps(timeline.engine))
    assert copy.source is timeline.variant.source


def test_nothing_can_be_injected_into_what_has_happened() -> None:
    timeline = run()
    with pytest.raises(UserError, match=RECORDED):
        timeline.submit(Crash("n1"))
    assert timeline.position == 0
    timeline.submit(Narrate("Look here."))
    assert timeline.engine.told(1)[0].what == Cue("Look here.", True)


def test_a_saved_run_names_its_file_and_is_replayed_on_it() -> None:
    timeline = run()
    timeline.advance(200_000)
    text = record(PATTERN, timeline)
    data = json.loads(text)
    assert data["seed"] is None
    assert data["source"] == {"path": "numbers.txt", "sha256": "ab" * 32, "skip_bad": False}
    asked: list[tuple[str, SourceFile]] = []

    def reopen(pattern: str, file: SourceFile) -> Source:
        asked.append((pattern, file))
        return source()

    recording = read(text, "run.json", (PATTERN,), reopen)
    assert asked == [("sums", SourceFile("numbers.txt", "ab" * 32, False))]
    assert recording.verify() == (True, data["digest"])
    assert recording.open().snapshot() == timeline.snapshot()


def test_a_changed_record_changes_the_digest() -> None:
    text = record(PATTERN, run())
    timeline = run()
    timeline.advance(200_000)
    text = record(PATTERN, timeline)
    other = ((0, 7), *RECORDS[1:])
    recording = read(text, "run.json", (PATTERN,), lambda pattern, file: source(other))
    assert recording.verify()[0] is False


def test_a_run_over_standard_input_cannot_be_saved() -> None:
    with pytest.raises(UserError, match="standard input cannot be saved"):
        record(PATTERN, run(path=""))


def test_a_saved_run_whose_file_cannot_be_opened_here_says_so() -> None:
    with pytest.raises(UserError, match=r"a run over numbers\.txt"):
        read(record(PATTERN, run()), "run.json", (PATTERN,))


def test_a_variant_that_plays_a_file_needs_one() -> None:
    with pytest.raises(AssertionError, match="put it on a source"):
        VARIANT.make(0, ())
