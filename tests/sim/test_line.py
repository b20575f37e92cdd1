"""A run as one line of text: there and back, and what is said of one that was cut, altered or never whole."""

from typing import Any

import pytest

from engines.consensus.pattern import PATTERN
from engines.consensus.raft.commands import Propose
from engines.errors import UserError
from engines.sim import faults
from engines.sim.line import is_line, line_of, read_line
from engines.sim.recording import Breaks, read, record
from engines.sim.timeline import Timeline


def run() -> Timeline[Any, Any]:
    timeline: Timeline[Any, Any] = Timeline(PATTERN.variant("raft"), 7, (("nodes", 3), ("workload", "busy")))
    timeline.advance(900_000)
    timeline.submit(faults.Crash("n2"))
    timeline.submit(Propose("set", "x", -4))
    timeline.advance(2_000_000)
    timeline.submit(faults.Partition((("n1",), ("n2", "n3"))))
    timeline.advance(3_000_000)
    return timeline


LINE = line_of(PATTERN, run(), Breaks("a check", "what broke it", ("one", "two"), 9))


def test_a_line_is_the_run() -> None:
    recording = read_line(LINE, [PATTERN])
    timeline, same, _ = recording.execute()
    assert same
    assert (timeline.position, timeline.now_us) == (run().position, 3_000_000)
    assert recording.log == tuple(run().branch.log)
    assert recording.breaks == Breaks("a check", "what broke it", ("one", "two"), 9)
    assert line_of(PATTERN, recording.open(), recording.breaks) == LINE


def test_a_line_is_short_and_one_word() -> None:
    assert len(LINE) < 500
    assert LINE.isascii()
    assert not set(LINE) & set(" \n'\"\\$&|<>")
    assert is_line(LINE)
    assert not is_line("run.json")


def test_blanks_and_breaks_that_a_chat_puts_in_do_no_harm() -> None:
    folded = "\n ".join(LINE[at : at + 60] for at in range(0, len(LINE), 60))
    assert read_line(f"  {folded}\n", [PATTERN]).log == tuple(run().branch.log)


@pytest.mark.parametrize("cut", [10, 30, 60, len(LINE) - 8, len(LINE) - 1])
def test_a_line_that_was_cut_says_so(cut: int) -> None:
    with pytest.raises(UserError, match=r"cut or altered.*(CHECKSUM|copy it again)"):
        read_line(LINE[:cut], [PATTERN])


def test_a_line_that_was_altered_anywhere_says_so() -> None:
    for at in range(len("dp-tui:"), len(LINE), 7):
        other = "a" if LINE[at] != "a" else "b"
        with pytest.raises(UserError) as error:
            read_line(LINE[:at] + other + LINE[at + 1 :], [PATTERN])
        assert "cut or altered" in str(error.value)
        assert len(str(error.value)) < 250


def test_a_line_of_another_version_is_refused_by_its_number() -> None:
    version = PATTERN.variant("raft").engine_version
    other = LINE.replace(f"@{version}:", f"@{version + 1}:")
    with pytest.raises(UserError, match="checksum"):
        read_line(other, [PATTERN])


def test_what_is_no_deflated_run_is_refused() -> None:
    from engines.sim.line import _checksum

    text = "dp-tui:consensus/raft@1:AAAA"
    with pytest.raises(UserError, match="no run is in this line"):
        read_line(f"{text}:{_checksum(text)}", [PATTERN])


def test_a_recording_says_what_breaks_in_it() -> None:
    breaks = Breaks("a check", "what broke it", ("w",), 3)
    assert read(record(PATTERN, run(), breaks=breaks), "here", [PATTERN]).breaks == breaks
    assert read(record(PATTERN, run()), "here", [PATTERN]).breaks is None
    with pytest.raises(UserError, match="beyond the end"):
        read(record(PATTERN, run(), breaks=breaks._replace(position=10_000_000)), "here", [PATTERN])
