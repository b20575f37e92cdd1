"""How many pictures a second, with time as a number."""

from __future__ import annotations

from collections.abc import Callable

from tui.terminal.pace import LEVELS, START, Pace


def play(pace: Pace, seconds: int, carried: Callable[[int], float], cpu_us_a_picture: int = 1_000) -> list[int]:
    """Let so many seconds pass on a line that carries so many pictures of those wanted; the pace after each second."""
    now_us = cpu_us = 0
    pace.start(0, 0)
    paces = []
    for _ in range(seconds):
        end_us, sent, asked = now_us + 1_000_000, 0.0, 0
        while now_us < end_us:
            now_us += 1_000_000 // pace.fps
            asked += 1
            refused = sent + 1 > carried(pace.fps) * asked / pace.fps + 1e-9
            sent += not refused
            cpu_us += 0 if refused else cpu_us_a_picture
            pace.tick(now_us, cpu_us, True, refused)
        paces.append(pace.fps)
    return paces


def test_a_line_that_takes_everything_gets_more_and_a_quick_machine_all() -> None:
    assert play(Pace(), 30, lambda fps: fps)[-1] == LEVELS[-1]


def test_a_thin_line_gets_what_it_carries() -> None:
    paces = play(Pace(), 60, lambda fps: min(fps, 3))
    assert paces[3] < START
    assert set(paces[10:]) <= {2, 5}


def test_a_line_between_two_levels_is_tried_ever_more_seldom() -> None:
    paces = play(Pace(), 300, lambda fps: fps if fps <= 10 else 6)
    changes = [at for at in range(1, len(paces)) if paces[at] > paces[at - 1]]
    assert set(paces) == {10, 15}
    assert 2 <= len(changes) < 12
    assert changes[-1] - changes[-2] > 30


def test_a_machine_that_draws_slowly_draws_less() -> None:
    assert play(Pace(), 20, lambda fps: fps, cpu_us_a_picture=80_000)[-1] == 5
    assert play(Pace(), 30, lambda fps: fps, cpu_us_a_picture=20_000)[-1] == 15


def test_a_still_screen_teaches_nothing() -> None:
    pace = Pace()
    pace.start(0, 0)
    assert not any(pace.tick(n * 100_000, 0, False, False) for n in range(1, 200))
    assert pace.fps == START
