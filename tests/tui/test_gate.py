"""The rules of frame acknowledgement, one sentence each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.terminal.gate import HOLD_US, MUTE_AFTER, NUMBERS, Gate, answer, question


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
def test_at_most_one_question_is_out_and_the_screen_never_starves(steps: list[tuple[str, int]]) -> None:
    """Whatever is painted whenever: a reply to the question asked makes room for a picture after one chase."""
    gate, now, out = Gate(), 0, 0
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
        assert out <= 1
        assert (gate.outstanding is not None) == (out == 1)
    for _ in range(2):
        if gate.outstanding is not None:
            gate.answered(gate.outstanding % NUMBERS, now)
    assert gate.ready(now, 0)


def test_the_answer_to_a_key_waits_for_no_question_but_only_once() -> None:
    gate = Gate()
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
