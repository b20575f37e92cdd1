"""A recorded call log, and what a breaker would have made of it.

One call a line: ``{"at_ms": 1200, "ok": false, "duration_ms": 35}``. ``at_ms`` is when the call started; starts never
decrease. Its result arrived at ``at_ms + duration_ms``. Blank lines and other fields are ignored.

A replay asks the breaker at every start and tells it every result, in the order of time. At equal times timers come
first, then results, then starts; results of one moment come in the order of their lines. What happened to a call that
the breaker rejects is ignored, since it would not have happened. The log ends with its last result; a timer that is
due later is not waited for.

Nothing is kept but the calls under way, so a log may be longer than memory. One byte a call remembers who was admitted.
"""

import json
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import heappop, heappush
from typing import Any, BinaryIO, Final, NamedTuple

from engines.errors import UserError
from engines.resilience.breaker import Breaker
from engines.resilience.explain import Transition
from engines.resilience.laws import Laws, ms_word
from engines.resilience.presets import Preset
from engines.resilience.states import State
from engines.sim.pattern import Check

LINE_MAX: Final = 1 << 20
"""Bytes of the longest line."""
MS_MAX: Final = 10**14
"""The latest time and the longest duration: beyond the year 5000."""
FIELDS: Final = '{"at_ms": 1200, "ok": false, "duration_ms": 35}'
CHUNK: Final = 4_096


class LoggedCall(NamedTuple):
    """A line of the log."""

    at_us: int
    ok: bool
    duration_us: int


class _Bad(Exception):
    """A line that is no call: what, and at which column if one can be named."""

    def __init__(self, what: str, column: int = 0) -> None:
        super().__init__(what)
        self.column = column


class CallReader:
    """The calls of a stream, one by one; ``skipped`` counts bad lines if they may be skipped.

    Iterating raises UserError with the line (and column) of the first bad one, or if there is no call at all. With
    ``sort`` they may stand in any order, such as that in which they ended, and come in the order of their starts:
    that takes 17 bytes a call, and no call comes before the last line was read.
    """

    def __init__(self, stream: BinaryIO, name: str, *, skip_bad: bool = False, sort: bool = False) -> None:
        self.stream = stream
        self.name = name
        self.skip_bad = skip_bad
        self.sort = sort
        self.skipped = 0
        self.calls = 0

    def __iter__(self) -> Iterator[LoggedCall]:
        return self._sorted() if self.sort else self._as_they_stand()

    def _sorted(self) -> Iterator[LoggedCall]:
        starts, durations, fine = array("q"), array("q"), bytearray()
        for call in self._as_they_stand():
            starts.append(call.at_us)
            durations.append(call.duration_us)
            fine.append(call.ok)
        for index in sorted(range(len(starts)), key=starts.__getitem__):
            yield LoggedCall(starts[index], bool(fine[index]), durations[index])

    def _as_they_stand(self) -> Iterator[LoggedCall]:
        last_us, last_line = 0, 0
        for number, line in enumerate(self._lines(), 1):
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not line or line.isspace():
                continue
            try:
                call = parse(line)
                if call.at_us < last_us and not self.sort:
                    raise _Bad(
                        f"at_ms {ms_word(call.at_us)} is before the {ms_word(last_us)} of line {last_line}: "
                        "starts that never decrease are accepted, and any order with --sort"
                    )
            except _Bad as bad:
                if not self.skip_bad:
                    place = f"line {number}" + (f", column {bad.column}" if bad.column else "")
                    raise UserError(f"{self.name}: {place}: {bad}") from None
                self.skipped += 1
                continue
            last_us, last_line = call.at_us, number
            self.calls += 1
            yield call
        if not self.calls:
            only = f" but {self.skipped} bad lines" if self.skipped else ""
            raise UserError(f"{self.name}: holds no calls{only}: one a line is needed, such as {FIELDS}")

    def _lines(self) -> Iterator[bytes]:
        """Lines; of one that is too long only the beginning, which no parser takes."""
        while line := self.stream.readline(LINE_MAX + 1):
            yield line
            while len(line) > LINE_MAX and not line.endswith(b"\n"):
                line = self.stream.readline(LINE_MAX + 1)


def _constant(text: str) -> Any:
    raise _Bad(f"{text} is no number of JSON")


_DECODE = json.JSONDecoder(parse_constant=_constant).decode


def parse(line: bytes) -> LoggedCall:
    """One line. ``_Bad`` if it is no call."""
    if len(line) > LINE_MAX:
        raise _Bad(f"longer than {LINE_MAX} bytes: one call a line is accepted, such as {FIELDS}")
    try:
        text = line.rstrip(b"\r\n").decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Bad(f"byte 0x{line[error.start]:02x} is not UTF-8: UTF-8 is accepted", error.start + 1) from None
    try:
        found = _DECODE(text)
    except json.JSONDecodeError as error:
        cut = not line.endswith((b"\n", b"}"))
        what = "the file ends in the middle of a line" if cut else f"no JSON ({error.msg})"
        raise _Bad(f"{what}: one call a line is accepted, such as {FIELDS}", error.colno) from None
    except RecursionError:
        raise _Bad(f"nested too deeply: one call a line is accepted, such as {FIELDS}") from None
    except ValueError:
        raise _Bad(f"a number of too many digits: at most {MS_MAX} is accepted") from None
    if type(found) is not dict:
        raise _Bad(f"no object: one call a line is accepted, such as {FIELDS}")
    ok = found.get("ok")
    if ok is not True and ok is not False:
        raise _Bad(*_wrong(found, "ok", text, "true or false"))
    return LoggedCall(_micros(found, "at_ms", text), ok, _micros(found, "duration_ms", text))


def _micros(found: dict[str, Any], name: str, text: str) -> int:
    """A number of milliseconds as whole microseconds."""
    value = found.get(name)
    if type(value) is int:
        if 0 <= value <= MS_MAX:
            return value * 1_000
    elif type(value) is float and 0 <= value <= MS_MAX:
        return round(value * 1_000)
    raise _Bad(*_wrong(found, name, text, f"a number of milliseconds from 0 to {MS_MAX}"))


def _wrong(found: dict[str, Any], name: str, text: str, wanted: str) -> tuple[str, int]:
    if name not in found:
        return f"{name} is missing: {wanted} is accepted", 0
    shown = json.dumps(found[name])
    if len(shown) > 40:
        shown = shown[:37] + "..."
    return f"{name} is {shown}: {wanted} is accepted", text.find(f'"{name}"') + 1


def ms_json(us: int) -> int | float:
    """Milliseconds as the log writes them: a whole number where it is one."""
    return us // 1_000 if us % 1_000 == 0 else us / 1_000


@dataclass(slots=True)
class Tally:
    """What the breaker did to the calls, counted against what the log says of them."""

    calls: int = 0
    failed: int = 0
    """Calls that failed in the log."""
    admitted: int = 0
    spared: int = 0
    """Rejected calls that failed in the log: the caller was spared the wait."""
    lost: int = 0
    """Rejected calls that had succeeded."""
    trips: int = 0
    late: int = 0
    """Results of calls that started before the last transition."""
    in_state_us: dict[str, int] = field(default_factory=dict)

    @property
    def rejected(self) -> int:
        """Calls that were turned away."""
        return self.calls - self.admitted


class Replay:
    """One preset on one log. Feed ``call`` in order, then ``finish``."""

    __slots__ = (
        "_heap",
        "_laws",
        "_since_us",
        "_state",
        "admitted",
        "breaker",
        "end_us",
        "preset",
        "tally",
        "transitions",
    )

    def __init__(self, preset: Preset) -> None:
        self.preset = preset
        self.breaker = Breaker(preset.options)
        self.admitted = bytearray()
        self.transitions: list[Transition] = []
        self.tally = Tally()
        self.end_us = 0
        self._heap: list[tuple[int, int, int, bool, int]] = []
        self._state = State.CLOSED
        self._since_us = -1
        self._laws = Laws(preset.options)

    def call(self, at_us: int, ok: bool, duration_us: int) -> bool:
        """A call starts; everything that happened before it has happened. Whether it is admitted."""
        heap, breaker, tally = self._heap, self.breaker, self.tally
        while heap and heap[0][0] <= at_us:
            self._result()
        if self._since_us < 0:
            self._since_us = at_us
        permit = breaker.acquire(at_us)
        if breaker.fresh:
            self._follow()
        if at_us > self.end_us:
            self.end_us = at_us
        tally.calls += 1
        tally.failed += not ok
        if type(permit) is not int:
            self.admitted.append(0)
            if ok:
                tally.lost += 1
            else:
                tally.spared += 1
            return False
        self.admitted.append(1)
        tally.admitted += 1
        heappush(heap, (at_us + duration_us, tally.calls, permit, not ok, duration_us))
        self._laws.passed(at_us, tally.calls)
        return True

    def _result(self) -> None:
        """The next result arrives."""
        at_us, _, permit, failed, duration_us = heappop(self._heap)
        breaker = self.breaker
        if permit != breaker.era:
            self.tally.late += 1
        breaker.result(permit, at_us, failed, duration_us)
        self._laws.ended += 1
        if at_us > self.end_us:
            self.end_us = at_us
        if breaker.fresh:
            self._follow()

    def _follow(self) -> None:
        """Note the transitions that the breaker made."""
        for moved in self.breaker.drain():
            self._laws.moved(moved)
            self._leave(moved.at_us)
            self.tally.trips += moved.src is State.CLOSED
            self._state = moved.dst
            self.transitions.append(moved)

    def _leave(self, at_us: int) -> None:
        spent = self.tally.in_state_us
        spent[self._state.value] = spent.get(self._state.value, 0) + at_us - self._since_us
        self._since_us = at_us

    def finish(self) -> None:
        """The log is over: the calls under way end."""
        while self._heap:
            self._result()
        self.breaker.poll(self.end_us)
        self._follow()
        self._leave(self.end_us)

    def checks(self) -> tuple[Check, ...]:
        """The laws, for this log."""
        return self._laws.checks()

    def transitions_json(self) -> list[dict[str, Any]]:
        """The transitions under their public names."""
        return [
            {"at_ms": ms_json(each.at_us), "from": each.src.value, "to": each.dst.value, "why": each.why}
            for each in self.transitions
        ]

    def summary_json(self) -> dict[str, Any]:
        """A bounded summary."""
        tally = self.tally
        why = self.breaker.why(self.end_us)
        return {
            "calls": tally.calls,
            "failed": tally.failed,
            "admitted": tally.admitted,
            "rejected": tally.rejected,
            "failures_spared": tally.spared,
            "successes_lost": tally.lost,
            "late_results": tally.late,
            "trips": tally.trips,
            "state": why.state.value,
            "closes": why.closes,
            "in_state_ms": {name: ms_json(us) for name, us in tally.in_state_us.items()},
        }


@dataclass(frozen=True, slots=True)
class Judgement:
    """A log, played through one preset or several."""

    name: str
    skipped: int
    first_us: int
    replays: tuple[Replay, ...]
    digest: str

    @property
    def calls(self) -> int:
        """Calls in the log."""
        return self.replays[0].tally.calls

    @property
    def end_us(self) -> int:
        """When the last result arrived that some preset let happen."""
        return max(replay.end_us for replay in self.replays)

    @property
    def checks(self) -> tuple[Check, ...]:
        """The laws. With several presets they hold if they hold for each; a witness names its preset."""
        if len(self.replays) == 1:
            return self.replays[0].checks()
        found = []
        for same in zip(*(replay.checks() for replay in self.replays), strict=True):
            witness = tuple(
                f"{replay.preset.name}: {line or check.detail}"
                for replay, check in zip(self.replays, same, strict=True)
                if not check.ok
                for line in check.witness or ("",)
            )
            held = sum(check.ok for check in same)
            found.append(Check(same[0].name, not witness, f"holds for {held} of {len(same)} presets", witness))
        return tuple(found)


def judge(reader: CallReader, presets: Iterable[Preset]) -> Judgement:
    """Play all of the log through the presets, side by side, in one pass.

    The digest is over the normalised calls, the transitions and who was admitted.
    """
    replays = tuple(Replay(preset) for preset in presets)
    hashed = blake2b(digest_size=16)
    first_us = -1
    chunk: list[str] = []
    for call in reader:
        if first_us < 0:
            first_us = call.at_us
        at_us, ok, duration_us = call
        for replay in replays:
            replay.call(at_us, ok, duration_us)
        chunk.append(f"{at_us} {ok:d} {duration_us}\n")
        if len(chunk) == CHUNK:
            hashed.update("".join(chunk).encode())
            chunk.clear()
    hashed.update("".join(chunk).encode())
    for replay in replays:
        replay.finish()
        moves = [(each.at_us, each.src.value, each.dst.value, each.why) for each in replay.transitions]
        hashed.update(repr((replay.preset.name, moves)).encode())
        hashed.update(replay.admitted)
    return Judgement(reader.name, reader.skipped, first_us, replays, hashed.hexdigest())
