"""The user's call log: what is read, what is refused and where, and what every preset makes of it."""

import io
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import UserError
from engines.resilience import breaker as machine
from engines.resilience import laws
from engines.resilience.breaker import Rejection
from engines.resilience.calllog import LINE_MAX, CallReader, LoggedCall, Replay, judge
from engines.resilience.presets import PRESETS, Preset
from tests.engines.resilience.reference import replay as reference

MS = 1_000
S = 1_000_000
Log = list[tuple[int, bool, int]]


def text(*calls: tuple[float, bool, float]) -> bytes:
    return b"".join(
        json.dumps({"at_ms": at_ms, "ok": ok, "duration_ms": ms}).encode() + b"\n" for at_ms, ok, ms in calls
    )


def read(data: bytes, *, skip_bad: bool = False) -> tuple[list[LoggedCall], int]:
    reader = CallReader(io.BytesIO(data), "calls.jsonl", skip_bad=skip_bad)
    return list(reader), reader.skipped


def play(preset: str, calls: Log, **changed: Any) -> Replay:
    found = Replay(Preset(preset, "", "", replace(PRESETS[preset].options, **changed)))
    for call in calls:
        found.call(*call)
    found.finish()
    return found


# -- reading ---------------------------------------------------------------------------------------------------------


def test_a_line_is_a_call() -> None:
    assert read(text((1200, False, 35))) == ([LoggedCall(1_200_000, False, 35_000)], 0)


def test_fractions_of_a_millisecond_are_microseconds() -> None:
    assert read(text((0.25, True, 1.5)))[0] == [LoggedCall(250, True, 1_500)]


@pytest.mark.parametrize(
    "data",
    [
        b'\xef\xbb\xbf{"at_ms":1,"ok":true,"duration_ms":2}\r\n',
        b'\n  \n{"at_ms":1,"ok":true,"duration_ms":2}',
        b'{"duration_ms":2,"host":"a","ok":true,"at_ms":1.0}\n\n',
    ],
    ids=["byte order mark and CR LF", "blank lines, no last newline", "other fields and orders"],
)
def test_what_is_accepted(data: bytes) -> None:
    assert read(data)[0] == [LoggedCall(1_000, True, 2_000)]


GOOD = b'{"at_ms": 7, "ok": true, "duration_ms": 2}\n'
BAD = [
    (b'{"at_ms": -1, "ok": true, "duration_ms": 2}\n', r"column 2: at_ms is -1: a number of milliseconds from 0"),
    (b'{"at_ms": 8, "ok": true, "duration_ms": -2}\n', r"column 26: duration_ms is -2: a number of milliseconds"),
    (b'{"at_ms": 6, "ok": true, "duration_ms": 2}\n', r"at_ms 6 is before the 7 of line 1: starts that never decrease"),
    (b'{"at_ms": 6.5, "ok": true, "duration_ms": 2}\n', r"at_ms 6.5 is before the 7 of line 1"),
    (b'{"at_ms": NaN, "ok": true, "duration_ms": 2}\n', r"NaN is no number of JSON"),
    (b'{"at_ms": 8, "ok": true, "duration_ms": Infinity}\n', r"Infinity is no number of JSON"),
    (b'{"at_ms": 8, "ok": true, "duration_ms": -Infinity}\n', r"-Infinity is no number of JSON"),
    (b'{"at_ms": 1e400, "ok": true, "duration_ms": 2}\n', r"column 2: at_ms is Infinity: a number"),
    (b'{"at_ms": 100000000000001, "ok": true, "duration_ms": 2}\n', r"at_ms is 100000000000001: .* to 100000000000000"),
    (b'{"at_ms": ' + b"9" * 5_000 + b', "ok": true, "duration_ms": 2}\n', r"a number of too many digits"),
    (b'{"at_ms": ' + b"9" * 80 + b', "ok": true, "duration_ms": 2}\n', r"at_ms is 9{37}\.\.\.: a number"),
    (b'{"at_ms": "8", "ok": true, "duration_ms": 2}\n', r'at_ms is "8": a number of milliseconds'),
    (b'{"at_ms": true, "ok": true, "duration_ms": 2}\n', r"at_ms is true: a number of milliseconds"),
    (b'{"at_ms": 8, "ok": 1, "duration_ms": 2}\n', r"column 14: ok is 1: true or false is accepted"),
    (b'{"at_ms": 8, "ok": null, "duration_ms": 2}\n', r"ok is null: true or false is accepted"),
    (b'{"at_ms": 8, "duration_ms": 2}\n', r"ok is missing: true or false is accepted"),
    (b'{"ok": true, "duration_ms": 2}\n', r"at_ms is missing"),
    (b'{"at_ms": 8, "ok": true}\n', r"duration_ms is missing"),
    (b"[8, true, 2]\n", r"no object: one call a line is accepted, such as \{"),
    (b'{"at_ms": 8\n', r"column 12: no JSON \(Expecting ',' delimiter\)"),
    (b"at_ms=8\n", r"column 1: no JSON \(Expecting value\): one call a line"),
    (b'{"at_ms": 8, "ok": true, "duration_ms": 2} x\n', r"column 44: no JSON \(Extra data\)"),
    (b'{"at_ms": 8, "ok": tr', r"the file ends in the middle of a line: one call a line"),
    (b'{"at_ms": 8, "ok": true, "duration_ms": 2', r"the file ends in the middle of a line"),
    (b'{"at_ms": 8, "ok": true, "dura', r"the file ends in the middle of a line"),
    (b'{"at_ms": 8, "ok": true, "h": "\xff"}\n', r"column 32: byte 0xff is not UTF-8"),
    (b"\x00\x01\x02\n", r"no JSON"),
    (b"[" * 100_000 + b"\n", r"nested too deeply"),
    (b'{"x": "' + b"y" * LINE_MAX + b'"}\n', r"longer than 1048576 bytes"),
]


@pytest.mark.parametrize(("line", "message"), BAD, ids=[message[:40] for _, message in BAD])
def test_a_bad_line_is_named(line: bytes, message: str) -> None:
    column = ", " if message.startswith("column") else "(, column [0-9]+)?: "
    with pytest.raises(UserError, match=rf"^calls\.jsonl: line 2{column}{message}") as error:
        read(GOOD + line)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("line", "message"), BAD, ids=[message[:40] for _, message in BAD])
def test_a_bad_line_can_be_skipped_and_is_counted(line: bytes, message: str) -> None:
    last = b"" if not line.endswith(b"\n") else GOOD
    calls, skipped = read(GOOD + line + last, skip_bad=True)
    assert skipped == 1
    assert set(calls) == {LoggedCall(7_000, True, 2_000)}
    assert len(calls) == 1 + bool(last)


def test_a_skipped_line_does_not_move_the_time() -> None:
    data = text((5, True, 1), (3, True, 1), (4, True, 1), (5, True, 1))
    assert ([call.at_us for call in read(data, skip_bad=True)[0]], read(data, skip_bad=True)[1]) == ([5_000, 5_000], 2)


@pytest.mark.parametrize("data", [b"", b"\n \n"])
def test_an_empty_log_says_what_is_needed(data: bytes) -> None:
    with pytest.raises(UserError, match=r'^calls\.jsonl: holds no calls: one a line is needed, such as \{"at_ms"'):
        read(data)


def test_a_log_of_bad_lines_only_says_how_many() -> None:
    with pytest.raises(UserError, match=r"holds no calls but 2 bad lines"):
        read(b"x\ny\n", skip_bad=True)


# -- the order of time -----------------------------------------------------------------------------------------------


def test_results_come_before_starts_at_the_same_time() -> None:
    calls: Log = [(0, False, 100 * MS)] * 20 + [(100 * MS, True, 0)]
    assert list(play("article", calls).admitted) == [1] * 20 + [0]


def test_a_call_without_duration_ends_before_the_next_start_at_that_time() -> None:
    assert list(play("article", [(0, False, 0)] * 21).admitted) == [1] * 20 + [0]


def test_the_outcome_of_a_rejected_call_is_ignored() -> None:
    calls: Log = [(0, False, 0)] * 20 + [(S, True, 29 * S + 1)] + [(31 * S, True, 0)]
    found = play("article", calls)
    assert [move.dst.value for move in found.transitions] == ["open", "half_open", "closed"]
    assert found.transitions[1].at_us == 31 * S


def test_a_lazy_transition_is_stamped_with_its_call_and_a_timer_with_its_time() -> None:
    calls: Log = [(0, False, 0)] * 20 + [(45 * S, True, 0)]
    assert play("article", calls).transitions[1].at_us == 45 * S
    assert play("opossum", calls).transitions[1].at_us == 30 * S
    assert play("hystrix", calls).transitions[0].at_us == 500 * MS


def test_the_log_ends_with_its_last_result() -> None:
    found = play("hystrix", [(0, False, 0)] * 20)
    assert (found.transitions, found.end_us) == ([], 0), "the timer at 500 ms is not waited for"
    assert len(play("hystrix", [(0, False, 500 * MS)] * 20).transitions) == 0, "500 ms is in the next bucket"
    assert len(play("hystrix", [(0, False, 499 * MS)] * 20 + [(0, True, 500 * MS)]).transitions) == 1


# -- against a second opinion ----------------------------------------------------------------------------------------

GAPS = st.sampled_from([0, 0, 1, 5 * MS, 100 * MS, 499 * MS, 500 * MS, 501 * MS, S, 2 * S, 2 * S + 1, 5 * S])
SMALL: dict[str, dict[str, Any]] = {
    "article": {"minimum": 3, "wait_us": 2 * S},
    "hystrix": {"minimum": 3, "wait_us": 2 * S},
    "resilience4j": {"minimum": 5, "size": 6, "wait_us": 2 * S, "probes": 3, "slow_us": 3 * S},
    "resilience4j-time": {"minimum": 4, "window_us": 3 * S, "buckets": 3, "wait_us": 2 * S, "probes": 3},
    "polly": {"minimum": 3, "window_us": 5 * S, "failure_ppm": 400_000, "wait_us": 2 * S},
    "opossum": {"wait_us": 2 * S, "window_us": 4 * S, "buckets": 4, "minimum": 2},
}


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Calls in order, with gaps and durations that like to fall on boundaries."""
    at_us, calls = draw(st.sampled_from([0, 0, 1_234 * MS])), []
    for gap_us, ok, duration_us in draw(st.lists(st.tuples(GAPS, st.booleans(), GAPS), min_size=1, max_size=80)):
        at_us += gap_us
        calls.append((at_us, ok, duration_us))
    return calls


@pytest.mark.parametrize("preset", PRESETS)
@settings(max_examples=120, deadline=None)
@given(calls=logs())
def test_every_preset_agrees_with_the_naive_one(preset: str, calls: Log) -> None:
    options = replace(PRESETS[preset].options, **SMALL[preset])
    moves, admitted, _ = reference(preset.removesuffix("-time"), options, calls)
    found = play(preset, calls, **SMALL[preset])
    assert [(move.at_us, move.src.value, move.dst.value) for move in found.transitions] == moves
    assert [bool(each) for each in found.admitted] == admitted
    assert all(check.ok for check in found.checks())


@pytest.mark.parametrize("preset", PRESETS)
@settings(max_examples=25, deadline=None)
@given(calls=logs())
def test_a_closed_breaker_s_window_holds_the_calls_it_saw(preset: str, calls: Log) -> None:
    options = replace(PRESETS[preset].options, **SMALL[preset])
    _, _, naive = reference(preset.removesuffix("-time"), options, calls)
    found = play(preset, calls, **SMALL[preset])
    if naive.state != "closed" or preset == "hystrix":
        return
    inside = naive.inside(found.end_us)
    counts = found.breaker.window.counts(found.end_us)
    assert (counts.failures, counts.slow) == (sum(s.failed for s in inside), sum(s.slow for s in inside))
    if preset != "opossum":
        assert counts.calls == len(inside)


@settings(max_examples=30, deadline=None)
@given(logs())
def test_what_a_breaker_does_to_a_log_adds_up(calls: Log) -> None:
    for preset in PRESETS:
        found = play(preset, calls, **SMALL[preset])
        tally = found.tally
        assert tally.calls == len(calls) == len(found.admitted)
        assert tally.admitted == sum(found.admitted)
        assert tally.spared + tally.lost == tally.rejected
        assert sum(tally.in_state_us.values()) == found.end_us - calls[0][0]


# -- the laws can turn red -------------------------------------------------------------------------------------------


def broken(monkeypatch: pytest.MonkeyPatch, calls: Log, **changed: Any) -> list[str]:
    """The checks that fail when the breaker is replaced by one that admits everybody."""

    def leaky(self: Any, now_us: int) -> int:
        found = machine.Breaker._acquire(self, now_us)
        return self.era if isinstance(found, Rejection) else found

    monkeypatch.setattr(machine.Breaker, "acquire", leaky)
    return [check.name for check in play("article", calls, **changed).checks() if not check.ok]


def test_a_call_that_passes_an_open_breaker_turns_a_check_red(monkeypatch: pytest.MonkeyPatch) -> None:
    assert broken(monkeypatch, [(0, False, 0)] * 22) == ["open rejects"]


def test_a_probe_too_many_turns_a_check_red(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Log = [(0, False, 0)] * 20 + [(30 * S, True, S)] * 2
    assert broken(monkeypatch, calls) == ["probe limit"]


def test_a_transition_that_nobody_declared_turns_a_check_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laws, "TRANSITIONS", {})
    names = [check.name for check in play("article", [(0, False, 0)] * 20).checks() if not check.ok]
    assert names == ["state table"]


def test_a_call_that_never_ends_turns_a_check_red() -> None:
    found = Replay(PRESETS["article"])
    found.call(0, True, S)
    assert [check.name for check in found.checks() if not check.ok] == ["one end"]


def test_a_law_that_one_of_several_presets_breaks_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = machine.Breaker.acquire

    def leaky(self: Any, now_us: int) -> Any:
        return self.era if self.options == PRESETS["opossum"].options else real(self, now_us)

    monkeypatch.setattr(machine.Breaker, "acquire", leaky)
    data = text(*[(i, False, 0) for i in range(10)])
    found = judge(CallReader(io.BytesIO(data), "x"), PRESETS.values())
    broken = [check for check in found.checks if not check.ok]
    assert [check.name for check in broken] == ["open rejects"]
    assert broken[0].witness[0] == "opossum: call 2 at 1 ms passed an open breaker"


# -- judging a stream ------------------------------------------------------------------------------------------------


class Endless(io.RawIOBase):
    """A log that is made while it is read: ``count`` calls, 10 ms apart."""

    def __init__(self, count: int) -> None:
        self.lines = self._make(count)

    def _make(self, count: int) -> Iterator[bytes]:
        for i in range(count):
            yield b'{"at_ms": %d, "ok": %s, "duration_ms": 35}\n' % (i * 10, b"false" if i % 500 < 90 else b"true")

    def readline(self, size: int | None = -1, /) -> bytes:
        return next(self.lines, b"")


def test_a_long_log_needs_a_byte_a_call() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        judge(CallReader(Endless(count), "x"), [PRESETS["resilience4j-time"]])  # type: ignore[arg-type]
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(24_000) - peak(4_000) < 20_000 * 4


def test_all_presets_at_once_find_what_each_finds_alone() -> None:
    data = text(*[(i * 20, i % 300 > 120, 30) for i in range(6_000)])

    def run(*names: str) -> Any:
        return judge(CallReader(io.BytesIO(data), "x"), [PRESETS[name] for name in names])

    together = run(*PRESETS)
    for name, found in zip(PRESETS, together.replays, strict=True):
        alone = run(name).replays[0]
        assert found.transitions == alone.transitions
        assert found.admitted == alone.admitted
    assert together.calls == 6_000
    assert len({run(name).digest for name in PRESETS}) == len(PRESETS)
    assert run("polly").digest == run("polly").digest


def test_the_summary_is_made_for_comparing() -> None:
    calls: Log = [(0, False, 0)] * 20 + [(S, True, 0), (2 * S, False, 0), (40 * S, True, 0)]
    found = play("article", calls).summary_json()
    assert {k: found[k] for k in ("calls", "failed", "admitted", "failures_spared", "successes_lost", "trips")} == {
        "calls": 23,
        "failed": 21,
        "admitted": 21,
        "failures_spared": 1,
        "successes_lost": 1,
        "trips": 1,
    }
    assert found["in_state_ms"] == {"closed": 0, "open": 40_000, "half_open": 0}
    assert found["state"] == "closed"


def test_a_log_in_the_order_of_its_ends_is_sorted_if_that_is_asked_for() -> None:
    data = text((0, True, 100), (5, True, 3), (3, False, 200), (4, False, 1))
    with pytest.raises(UserError, match=r"line 3: at_ms 3 is before the 5 of line 2: .* any order with --sort"):
        read(data)
    reader = CallReader(io.BytesIO(data), "calls", sort=True)
    assert [(call.at_us // 1_000, call.ok) for call in reader] == [(0, True), (3, False), (4, False), (5, True)]
    assert reader.calls == 4
