"""Films and stills: what they show is what the session shows, and equal seeds give equal bytes."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import UserError
from engines.units import US_PER_MS
from tests.commandline import dp_tui
from tui.ansi import Brush
from tui.canvas import Canvas
from tui.glyphs import ASCII
from tui.recorder import END_US, Pressed, Shot, film, picture, press, still, write
from tui.registry import PANELS
from tui.session import Session
from tui.theme import ROLES, THEMES, theme_for

SIZE = (80, 24)


def raft(**options: Any) -> Session:
    return Session(PANELS, "raft", variant="raft", speed=Fraction(1, 2), sandbox=True, **options)


def shot(until_ms: int, *keys: Pressed) -> Shot:
    return Shot(until_ms * US_PER_MS, SIZE, theme_for("dark", 256), keys)


def shown(text: str) -> list[str]:
    """The screen after a film."""
    screen = pyte.Screen(*SIZE)
    stream = pyte.Stream(screen)
    for line in text.splitlines()[1:]:
        _, kind, data = json.loads(line)
        if kind == "o":
            stream.feed(data)
    return [line.rstrip() for line in screen.display]


def test_a_film_ends_with_what_the_session_shows() -> None:
    session = raft()
    text = film(session, shot(1_500, Pressed("k", 900 * US_PER_MS)))
    screen = raft()
    expected = still(screen, shot(1_500, Pressed("k", 900 * US_PER_MS))).text().split("\n")
    assert shown(text) == expected
    assert any("crashed" in line for line in expected)


def test_equal_seeds_give_equal_bytes_and_others_do_not() -> None:
    one, same, other = (film(raft(seed=seed), shot(800)) for seed in (7, 7, 8))
    assert one == same
    assert one != other


def test_a_film_is_asciicast_with_a_marker_a_fault_in_the_order_of_time() -> None:
    text = film(raft(scenario="election"), shot(1_400))
    header, *events = map(json.loads, text.splitlines())
    assert header["version"] == 2
    assert (header["width"], header["height"]) == SIZE
    assert "timestamp" not in header
    times = [at for at, _, _ in events]
    assert times == sorted(times)
    assert times[0] == 0
    assert {kind for _, kind, _ in events} == {"o", "m"}
    assert [data for _, kind, data in events if kind == "m"] == ["00:01.200 crash n3"]
    assert times[-1] > 1.4 * 2 + END_US / 1e6


def test_a_narration_stays_as_long_as_its_words_take_to_read() -> None:
    text = film(raft(scenario="election"), shot(1_400))
    times = [json.loads(line)[0] for line in text.splitlines()[1:]]
    assert max(after - before for before, after in pairwise(times)) > 3


def test_a_film_in_ascii_is_ascii() -> None:
    text = film(raft(glyphs=ASCII), shot(300))
    assert all(json.loads(line)[2].isascii() for line in text.splitlines()[1:])


def test_a_picture_shows_what_a_dialogue_shows_and_a_film_refuses_it() -> None:
    assert "apply" in picture(raft(), shot(300, Pressed("f", None)))
    with pytest.raises(UserError, match="--press f: it opens a dialogue"):
        press(raft(), "f")


def test_nothing_but_its_own_kind_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.cast"
    write(str(path), film(raft(), shot(100)))
    write(str(path), film(raft(), shot(100)))
    path.write_text("dear diary", encoding="utf-8")
    with pytest.raises(UserError, match="exists, and is not to be written over"):
        write(str(path), "x")
    with pytest.raises(UserError, match="cannot be written"):
        write(str(tmp_path / "no" / "a.cast"), "x")
    assert path.read_text(encoding="utf-8") == "dear diary"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("a.gif", "raft"), "a.gif: FILE.cast"),
        (("a.cast", "raft", "--size", "10x10"), "60x16"),
        (("a.cast", "raft", "--scenario", "nope"), "nope"),
        (("a.cast", "raft", "--press", "soon=k"), "soon"),
        (("a.cast", "raft", "--press", "1s="), "the key is missing"),
        (("a.cast", "raft", "--press", "nosuchkey"), "--press nosuchkey: no key of Consensus; space and these are"),
        (("a.svg", "raft", "--press", "nosuchkey"), "--press nosuchkey: no key of Consensus"),
        (("a.txt", "raft", "--press", "Z"), "--press Z: no key of Consensus"),
        (("a.cast", "raft", "--press", f"{'9' * 5_000}s=k"), "a number of 5,000 digits is longer than a day"),
        (("a.cast", "raft", "--press", "9s=k", "--until", "1s"), "the run ends at 00:01.000"),
        (("a.cast", "raft", "--theme", "pink"), "pink"),
        (("a.cast", "raft", "--until", "2m", "--speed", "1/100"), "more than an hour"),
    ],
)
def test_bad_usage_is_one_line_and_writes_nothing(
    args: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = dp_tui("record", *args)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


# -- the brush -------------------------------------------------------------------------------------------------------

CELLS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 3), st.text("abc x", min_size=1, max_size=6), st.sampled_from(ROLES),
              st.booleans()),
    max_size=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=5), st.sampled_from(THEMES))
def test_what_is_painted_by_differences_is_what_a_whole_painting_gives(pictures: list[Any], theme: Any) -> None:
    def screen() -> tuple[pyte.Screen, pyte.Stream]:
        made = pyte.Screen(10, 4)
        return made, pyte.Stream(made)

    brush = Brush(theme)
    (screen_of_all, stream) = screen()
    for cells in pictures:
        canvas = Canvas(10, 4)
        for x, y, text, role, chip in cells:
            canvas.put(x, y, text, f"{role}!" if chip else role)
        stream.feed(brush.paint(canvas))
        assert brush.paint(canvas) == ""
        fresh, fresh_stream = screen()
        fresh_stream.feed(Brush(theme).paint(canvas))
        assert screen_of_all.display == fresh.display == [row.ljust(10) for row in canvas.text().split("\n")]
        for y in range(4):
            for x in range(10):
                ours, theirs = screen_of_all.buffer[y][x], fresh.buffer[y][x]
                assert (ours.bg, ours.reverse) == (theirs.bg, theirs.reverse)
                assert ours.data == " " or ours == theirs
