"""``dp-tui events --writer FILE.db``: a real process, really killed, and its file counted again."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engines.errors import UserError
from engines.event_sourcing import NewEvent, SqliteStore
from engines.live.writer import LiveWriter
from tests.ptyscreen import PATIENCE_S
from tests.tui.test_userdata_events import main_status
from tui.dialogs import Pages, Pick
from tui.glyphs import ASCII
from tui.panel import Ask, Do
from tui.writer import REAL, WriterSession


@pytest.fixture
def session(tmp_path: Path) -> Iterator[WriterSession]:
    made = WriterSession(LiveWriter(str(tmp_path / "w.db")), ASCII)
    yield made
    made.writer.stop()


def until(done: Callable[[], bool], session: WriterSession) -> None:
    end = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < end, session.writer.failed
        session.tick(10_000)
        time.sleep(0.01)


def screen(session: WriterSession) -> str:
    return "\n".join(placed.canvas.text() for placed in session.render())


def test_k_asks_then_kills_and_what_was_acknowledged_is_counted_again(session: WriterSession) -> None:
    until(lambda: len(session.writer.acknowledged) > 20, session)
    first = session.writer.pid
    assert session.press("k") == Ask("kill")
    question = session.dialogue("kill")
    assert isinstance(question, Pick)
    assert str(first) in question.title
    assert [choice.title for choice in question.choices] == ["yes, kill it", "no"]
    assert session.writer.pid == first, "asking kills nobody"
    session.perform(question.choices[0].outcome)
    assert session.writer.pid == 0
    assert session.writer.kills == 1
    (why, found), *_ = session.recounts
    assert why == f"SIGKILL to {first}"
    assert found.whole
    assert found.acknowledged == len(session.writer.acknowledged) > 20
    assert found.more <= 1
    assert "all there" in screen(session)
    assert session.press("k") is None
    assert "no writer runs" in screen(session)
    session.press("a")
    until(lambda: len(session.writer.acknowledged) > found.acknowledged + 5, session)
    session.press("kill")
    assert session.recounts[-1][1].whole
    with SqliteStore(session.writer.path) as store:
        assert store.head() >= len(session.writer.acknowledged)


def test_the_screen_says_that_this_is_real_and_cannot_be_replayed(session: WriterSession) -> None:
    assert "cannot be replayed" in REAL
    for width, height in ((60, 16), (80, 24), (200, 50), (40, 10)):
        session.resize(width, height)
        text = screen(session)
        assert "real" in text or width < 60
        assert text.isascii()
    pages = session.dialogue("help")
    assert isinstance(pages, Pages)
    assert pages.paragraphs[0] == REAL
    assert session.press("q") is Do.QUIT
    pid = session.writer.pid
    assert session.leave().text.endswith(session.writer.path)
    assert pid
    assert session.writer.pid == 0


def test_an_event_that_is_missing_would_be_seen(session: WriterSession) -> None:
    until(lambda: len(session.writer.acknowledged) > 3, session)
    session.writer.acknowledged.append((10_000_000, "never"))
    session.press("kill")
    assert not session.recounts[-1][1].whole
    assert "1 MISSING" in screen(session)


def test_a_file_with_other_events_or_none_that_can_be_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "mine.db")
    with SqliteStore(path) as store:
        store.save_events("account-1", [NewEvent("e", "T", {})])
    with pytest.raises(UserError, match=r"it holds other events \(stream 'account-1'\)"):
        LiveWriter(path)
    (tmp_path / "text").write_text("hello")
    with pytest.raises(UserError, match="not a SQLite file"):
        LiveWriter(str(tmp_path / "text"))
    with pytest.raises(UserError, match="there is no folder"):
        LiveWriter(str(tmp_path / "nowhere" / "w.db"))


def test_it_is_refused_under_sandbox_and_beside_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "w.db")
    assert main_status("events", "--writer", path, "--sandbox") == 2
    assert "no process is started and no file is written" in capsys.readouterr().err
    assert main_status("events", "other.db", "--writer", path) == 2
    assert "leave one of the two out" in capsys.readouterr().err
    assert main_status("events", "--demo-store", str(tmp_path / "d.db"), "--writer", path) == 2
    assert "give one of the two" in capsys.readouterr().err
    assert not (tmp_path / "d.db").exists()
    assert main_status("run", "events", "--writer", path) == 2
    assert not Path(path).exists()
