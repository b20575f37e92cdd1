"""The state folder: a convenience that never gets in the way."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from tui.picture import write_new
from tui.state import State


def test_the_last_pattern_is_remembered(tmp_path: Path) -> None:
    state = State(folder=tmp_path / "new" / "folder")
    assert state.last_pattern is None
    state.remember_pattern("consensus")
    assert State(folder=tmp_path / "new" / "folder").last_pattern == "consensus"


@pytest.mark.parametrize("garbage", [b"", b"\xff\xfe\x00", b"Not a name\n", b"../../etc/passwd", b"x" * 100_000])
def test_garbage_is_no_pattern(tmp_path: Path, garbage: bytes) -> None:
    (tmp_path / "last-pattern").write_bytes(garbage)
    assert State(folder=tmp_path).last_pattern is None


def test_a_sandbox_touches_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "user_state_path", lambda name: tmp_path / name)
    state = State(sandbox=True)
    state.remember_pattern("consensus")
    assert state.log("text") is None
    assert state.save_folder is None
    assert state.last_pattern is None
    assert not list(tmp_path.iterdir())
    State().remember_pattern("consensus")
    assert (tmp_path / "dp-tui" / "last-pattern").read_text(encoding="utf-8") == "consensus\n"


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here", encoding="utf-8")
    state = State(folder=tmp_path / "file" / "folder")
    state.remember_pattern("consensus")
    assert state.log("text") is None
    assert state.save_folder is None
    assert state.last_pattern is None
    assert write_new(tmp_path / "file", "picture") is None


def test_the_log_of_crashes_does_not_grow_for_ever(tmp_path: Path) -> None:
    state = State(folder=tmp_path)
    for _ in range(5):
        state.log("x" * 100_000)
    assert (tmp_path / "crash.log").stat().st_size <= 300_000
