"""The rules of frame acknowledgement, one sentence each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.terminal.gate import HOLD_US, MUTE_AFTER, NUMBERS, SLACK_US, WINDOW_MAX, Gate, answer, question


def test_a_picture_is_held_until_the_last_one_was_seen() -> None:
    gate = Gate()
    assert gate.admit(0, 0)
    assert gate.painted(0) == 0
    assert not gate.admit(100_000, 0)
    assert not gate.admit(200_000, 0)
    assert gate.answered(0, 250_000) is None
    assert gate.admit(300_000, 0)
    assert (gate.frames_sent, gate.frames_skipped) == (1, 2)


def test_a_picture_is_held_while_the_system_has_not_taken_the_last_one() -> None:
    gate = Gate()
    assert not gate.ready(0, 1)
    assert gate.ready(0, 0)


def test_a_refusal_is_remembered_until_a_picture_is_admitted() -> None:
    gate = Gate()
    gate.painted(0)
    seen = [gate.withheld]
    gate.admit(1, 0)
    seen.append(gate.withheld)
    gate.answered(0, 2)
    gate.admit(3, 0)
    assert [*seen, gate.withheld] == [False, True, False]


def test_what_is_painted_meanwhile_is_covered_by_one_chase_and_no_second() -> None:
    gate = Gate()
    assert gate.painted(0) == 0
    assert gate.painted(1) is None
    assert gate.painted(2) is None
    assert gate.answered(0, 3) == 1
    assert not gate.ready(4, 0)
    assert gate.painted(5) is None
    assert gate.answered(1, 6) is None
    assert gate.ready(7, 0)


def test_silence_holds_a_picture_for_three_seconds_and_no_longer() -> None:
    gate = Gate()
    gate.painted(0)
    assert not gate.ready(HOLD_US - 1, 0)
    assert gate.ready(HOLD_US, 0)


def test_a_mute_terminal_is_left_in_peace_and_one_late_answer_reopens_the_conversation() -> None:
    gate = Gate()
    for n in range(MUTE_AFTER):
        assert gate.painted(n * HOLD_US) == n
    late = MUTE_AFTER * HOLD_US
    assert gate.painted(late) is None
    assert gate.painted(late + 1) is None
    assert gate.ready(late + 2, 0)
    assert gate.questions == MUTE_AFTER
    assert gate.answered(1, late + 3) is None
    assert gate.painted(late + 4) == MUTE_AFTER


def test_an_answer_to_an_older_question_does_not_release_the_newer_one() -> None:
    gate = Gate()
    gate.painted(0)
    assert gate.painted(HOLD_US) == 1
    gate.answered(0, HOLD_US + 1)
    assert not gate.ready(HOLD_US + 2, 0)
    gate.answered(1, HOLD_US + 3)
    assert gate.ready(HOLD_US + 4, 0)


def test_switched_off_it_asks_nothing() -> None:
    gate = Gate(asking=False)
    assert gate.painted(0) is None
    assert gate.ready(0, 0)


@pytest.mark.parametrize("modifier", range(1, 17))
def test_no_key_is_taken_for_an_answer(modifier: int) -> None:
    """xterm: `CSI 1 ; modifier R` is F3, so a row of 1 never counts."""
    assert answer(modifier - 1, 0) is None


@given(st.integers(0, 10_000))
def test_a_question_is_answered_by_its_own_number(number: int) -> None:
    asked = question(number)
    row, column = asked.removeprefix("\x1b7\x1b[").partition("H")[0].split(";")
    assert answer(int(column) - 1, int(row) - 1) == number % NUMBERS
    assert asked.endswith("\x1b[6n\x1b8")


@given(st.lists(st.tuples(st.sampled_from(["paint", "tick", "reply"]), st.integers(0, 400_000)), max_size=200))
def test_no_more_questions_are_out_than_the_window_holds_and_the_screen_never_starves(
    steps: list[tuple[str, int]],
) -> None:
    """Whatever is painted whenever: replies to the questions asked make room for a picture after one chase."""
    gate, now, out, widest = Gate(), 0, 0, 1
    for what, pause in steps:
        now += pause
        asked: int | None = None
        if what == "paint":
            gave_up = gate.outstanding is not None and now - gate.asked_us >= HOLD_US
            asked = gate.painted(now)
            out = 0 if gave_up else out
        elif what == "tick":
            gate.admit(now, 0)
        elif gate.outstanding is not None:
            out -= 1
            asked = gate.answered(gate.outstanding % NUMBERS, now)
        out += asked is not None
        widest = max(widest, gate.window)
        assert out <= widest <= WINDOW_MAX
        assert (gate.outstanding is not None) == (out > 0)
    for _ in range(2 + out):
        if gate.outstanding is not None:
            gate.answered(gate.outstanding % NUMBERS, now)
    assert gate.ready(now, 0)


def test_the_answer_to_a_key_waits_for_no_question_but_only_once() -> None:
    gate = Gate()
    gate.probe(0)
    gate.answered(0, 20_000)  # a short road, so what comes late is a thin line
    number = gate.painted(0)
    assert number is not None
    assert not gate.admit(1_000, 0)
    assert not gate.admit(1_000, 50, urgent=True), "the system still has bytes to take"
    assert gate.admit(1_000, 0, urgent=True)
    assert gate.painted(1_000) is None, "one question is out"
    assert not gate.admit(2_000, 0, urgent=True), "the next key waits for the answer"
    chase = gate.answered(number % NUMBERS, 500_000)
    assert chase is not None, "what has been painted meanwhile is asked for"
    assert not gate.admit(600_000, 0, urgent=True)
    gate.answered(chase % NUMBERS, 1_000_000)
    assert gate.admit(1_000_000, 0)


# -- the window ------------------------------------------------------------------------------------------------------

TICK_US = 100_000
"""Ten pictures a second are wanted."""


class Road:
    """A line of so many bytes a second, and a road of so many microseconds there and back."""

    def __init__(self, gate: Gate, rate: int, round_trip_us: int, picture: int) -> None:
        self.gate, self.rate, self.round_trip_us, self.picture = gate, rate, round_trip_us, picture
        self.free_us = 0
        """When the last byte written so far has left."""
        self.due: list[tuple[int, int]] = []
        self.pictures: list[int] = []
        self.queued_us = 0
        """The longest that a picture waited for others to leave before it."""

    def write(self, number: int | None, size: int, now_us: int) -> None:
        self.queued_us = max(self.queued_us, self.free_us - now_us)
        self.free_us = max(now_us, self.free_us) + size * 1_000_000 // self.rate
        if number is not None:
            self.due.append((self.free_us + self.round_trip_us, number))

    def paint(self, now_us: int) -> None:
        self.pictures.append(now_us)
        self.write(self.gate.painted(now_us, self.picture), self.picture, now_us)

    def play(self, until_us: int) -> None:
        self.write(self.gate.probe(0), 200, 0)
        for now_us in range(1_000, until_us, 1_000):
            while self.due and self.due[0][0] <= now_us:
                self.write(self.gate.answered(self.due.pop(0)[1] % NUMBERS, now_us), 20, now_us)
                if self.gate.withheld and self.gate.admit(now_us, 0):
                    self.paint(now_us)
            if now_us % TICK_US == 0 and self.gate.admit(now_us, 0):
                self.paint(now_us)

    def per_s(self, since_us: int, until_us: int) -> float:
        return sum(since_us <= at < until_us for at in self.pictures) * 1e6 / (until_us - since_us)


def test_on_a_long_road_the_frame_rate_stays() -> None:
    road = Road(Gate(), 1_000_000, 500_000, 2_500)
    road.play(20_000_000)
    assert road.per_s(4_000_000, 20_000_000) > 9.5
    assert road.gate.window > 5


@pytest.mark.parametrize("picture", [700, 1_200, 2_500, 6_000])
def test_on_a_thin_line_pictures_are_dropped_and_never_queued(picture: int) -> None:
    road = Road(Gate(), 8_000, 20_000, picture)
    road.play(60_000_000)
    assert road.queued_us <= 2 * SLACK_US + 60_000, "a fifth of a second, whatever is learned"
    if picture > 1_000:
        assert road.gate.frames_skipped > 100
        assert 1e6 * len(road.pictures) / 60e6 > 0.9 * 8_000 / (picture + 200), "and the line is not left idle"


def test_a_thin_line_at_the_end_of_a_long_road_gets_both() -> None:
    road = Road(Gate(), 16_000, 400_000, 2_500)
    road.play(60_000_000)
    assert road.queued_us < 600_000
    assert road.per_s(10_000_000, 60_000_000) > 4.5, "6.4 a second is all the line carries; a window of one gives 1.8"


def test_a_window_that_was_wide_closes_when_the_line_becomes_thin() -> None:
    road = Road(Gate(), 1_000_000, 500_000, 2_500)
    road.play(10_000_000)
    assert road.gate.window > 5
    thin = Road(road.gate, 8_000, 500_000, 2_500)
    thin.due, thin.free_us = [(at, number) for at, number in road.due], road.free_us
    for now_us in range(10_000_000, 40_000_000, 1_000):
        while thin.due and thin.due[0][0] <= now_us:
            thin.write(thin.gate.answered(thin.due.pop(0)[1] % NUMBERS, now_us), 20, now_us)
        if now_us % TICK_US == 0 and thin.gate.admit(now_us, 0):
            thin.queued_us = 0
            thin.paint(now_us)
    assert thin.queued_us < 700_000
    assert thin.gate.window <= 3


def test_a_line_without_pressure_keeps_a_window_of_one() -> None:
    gate = Gate()
    for n in range(50):
        number = gate.painted(n * TICK_US, 2_000)
        assert number is not None
        gate.answered(number % NUMBERS, n * TICK_US + 4_000)
    assert gate.window == 1


def test_an_answer_stands_for_the_questions_before_it() -> None:
    gate = Gate()
    gate.window = 4
    for n in range(4):
        gate.painted(n * 1_000)
    gate.answered(2, 10_000)
    assert gate.pictures == 1
    assert gate.outstanding == 3


def test_the_first_question_of_all_holds_no_picture() -> None:
    gate = Gate()
    assert gate.probe(0) == 0
    assert gate.admit(1_000, 0)
    assert gate.painted(1_000, 5_000) == 1
    assert not gate.ready(2_000, 0)
    gate.answered(0, 30_000)
    assert gate.road_us == 30_000
    assert not gate.ready(31_000, 0)


def test_silence_closes_the_window() -> None:
    gate = Gate()
    gate.window = 5
    gate.painted(0)
    gate.painted(HOLD_US)
    assert gate.window == 1


def wide(window: int) -> Gate:
    """A gate whose road is 100 ms long, with a window of this width."""
    gate = Gate()
    gate.probe(0)
    gate.answered(0, 100_000)
    gate.window = window
    return gate


SLACK = SLACK_US + 25_000
"""Of a road of 100 ms."""


@pytest.mark.parametrize(
    ("waited_us", "window"),
    [(0, 8), (SLACK, 8), (SLACK + 1, 7), (2 * SLACK, 7), (2 * SLACK + 1, 4), (10 * SLACK, 4)],
)
def test_the_window_narrows_by_how_long_an_answer_waited(waited_us: int, window: int) -> None:
    gate = wide(8)
    assert gate.painted(1_000_000) == 1
    gate.answered(1, 1_100_000 + waited_us)
    assert gate.waited_us == waited_us
    assert gate.window == window


def test_it_narrows_once_a_round() -> None:
    gate = wide(8)
    for n in range(3):
        gate.painted(1_000_000 + n)
    for n in range(3):
        gate.answered(1 + n, 2_000_000 + n)
    assert gate.window == 4
    gate.painted(2_000_010)
    gate.answered(4, 3_000_000)
    assert gate.window == 2


def test_one_refusal_widens_it_by_one_and_none_beyond_its_most() -> None:
    gate = wide(1)
    gate.painted(200_000)
    gate.admit(210_000, 0)
    gate.answered(1, 300_000)
    assert gate.window == 2
    gate.painted(310_000)
    gate.answered(2, 410_000)
    assert gate.window == 2
    now = 500_000
    for _ in range(100):
        number = gate.painted(now)
        assert number is not None
        gate.withheld = gate._pressed = True
        gate.answered(number % NUMBERS, now + 100_000)
        now += 200_000
    assert gate.window == WINDOW_MAX


def test_a_picture_that_the_system_has_not_taken_is_no_reason_to_widen() -> None:
    gate = wide(1)
    gate.admit(150_000, 500)
    gate.painted(200_000)
    gate.answered(1, 300_000)
    assert gate.window == 1


def test_the_road_is_asked_about_only_while_nothing_else_is() -> None:
    assert Gate(asking=False).probe(0) is None
    gate = Gate()
    gate.painted(0)
    assert gate.probe(1) is None
    assert gate.questions == 1


def test_answers_are_counted_and_places_beside_the_table_are_none() -> None:
    gate = wide(1)
    assert gate.answers == 1
    assert [answer(x, y) for x, y in ((0, 1), (9, 1), (1, 4), (1, 0))] == [None] * 4
    assert (answer(1, 1), answer(8, 3)) == (0, NUMBERS - 1)


def test_after_the_last_answer_nothing_is_left_to_chase() -> None:
    gate = Gate()
    gate.painted(0)
    gate.painted(1)
    chase = gate.answered(0, 2)
    assert chase == 1
    before = (gate.chasing, gate.uncovered, gate.outstanding)
    gate.answered(1, 3)
    assert [before, (gate.chasing, gate.uncovered, gate.outstanding)] == [(True, False, 1), (False, False, None)]
