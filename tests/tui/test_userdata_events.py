"""``dp-tui run events FILE`` and ``dp-tui events FILE``: every form that is read, and every file that is refused."""

import io
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from engines.errors import UserError
from engines.event_sourcing import NO_STREAM, Metadata, NewEvent, SqliteStore
from engines.sim.recording import SourceFile
from engines.sim.timeline import Timeline
from tui.cli import main
from tui.glyphs import BRAILLE
from tui.kit.words import plural
from tui.layout import arrange
from tui.options import DataOptions
from tui.panel import Focus
from tui.panels.events import PANEL
from tui.panels.events.select import Chosen
from tui.userdata import events, reopen

NONE = DataOptions()


def ours(path: Path, count: int = 5) -> str:
    with SqliteStore(str(path)) as store:
        for number in range(count):
            meta = Metadata("ada", 1_767_258_000_000_000 + number * 1_000_000, f"c{number}", "story", "Deposit")
            kind, data = ("AccountOpened", {"owner": "ada"}) if not number else ("MoneyDeposited", {"amount": 10})
            version = 3 if number else 1
            store.save_events("account-1", [NewEvent(f"e{number}", kind, data, version, meta)])
        store.save_events("order-1", [NewEvent("o", "OrderCreated", {"customer": "ada"})], NO_STREAM)
    return str(path)


def eventsourcing(path: Path) -> str:
    datastore = SQLiteDatastore(str(path))
    recorder = SQLiteApplicationRecorder(datastore)
    recorder.create_table()
    stamp = {"_type_": "datetime_iso", "_data_": "2026-01-02T03:04:05.000006+00:00"}
    for originator, version in ((uuid4(), 1), (uuid4(), 1)):
        for number in range(3):
            state = json.dumps({"timestamp": stamp, "amount": number}).encode()
            topic = "bank.domain:BankAccount.TransactionAppended"
            recorder.insert_events([StoredEvent(originator, version + number, topic, state)])
    recorder.insert_events([StoredEvent(uuid4(), 1, "bank.domain:Opaque", b"\x78\x9c\x00\xff")])
    datastore.close()
    return str(path)


EMMETT = """CREATE TABLE emt_messages (
 stream_id TEXT NOT NULL, stream_position BIGINT NOT NULL, partition TEXT NOT NULL,
 message_kind CHAR(1) NOT NULL, message_data JSON NOT NULL, message_metadata JSON NOT NULL,
 message_schema_version TEXT NOT NULL, message_type TEXT NOT NULL, message_id TEXT NOT NULL,
 is_archived BOOLEAN NOT NULL DEFAULT FALSE, global_position INTEGER PRIMARY KEY,
 created DATETIME DEFAULT CURRENT_TIMESTAMP, UNIQUE (stream_id, stream_position, partition, is_archived))"""


def emmett(path: Path) -> str:
    db = sqlite3.connect(path)
    db.execute(EMMETT)
    for number in (1, 2, 3):
        db.execute(
            "INSERT INTO emt_messages (stream_id, stream_position, partition, message_kind, message_data, "
            "message_metadata, message_schema_version, message_type, message_id, created) VALUES (?,?,?,?,?,?,?,?,?,?)",
            ("cart-7", number, "emt:default", "E", json.dumps({"item": number}),
             json.dumps({"correlationId": "s", "causationId": "c"}), "1", "ItemAdded", f"m{number}",
             "2026-01-02 03:04:05"),
        )  # fmt: skip
    db.commit()
    db.close()
    return str(path)


def json_lines(path: Path) -> str:
    path.write_text(
        '\ufeff{"stream": "account-1", "type": "AccountOpened", "data": {"owner": "ada"}, "at_us": 1000000}\n\n'
        '{"stream": "account-1", "type": "MoneyDeposited", "version": 3, "data": {"amount": 5, "currency": "EUR"}, '
        '"metadata": {"who": "ada", "causation_id": "c1", "correlation_id": "s1"}, "time": "2026-01-02T03:04:05Z"}\n',
        encoding="utf-8",
    )
    return str(path)


def cloud_events(path: Path) -> str:
    event = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "com.shop.order", "subject": "order-1",
             "time": "2026-01-02T03:04:05.5+01:00", "data": {"total": 5}, "correlationid": "s1"}  # fmt: skip
    other = {**event, "id": "2", "data_base64": "AAH/"}
    del other["data"]
    path.write_text(json.dumps([event, other]), encoding="utf-8")
    return str(path)


def cloud_lines(path: Path) -> str:
    event = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "com.shop.order", "data": {"total": 5}}
    path.write_text(json.dumps(event) + "\n" + json.dumps({**event, "id": "2", "sequence": "1"}) + "\n")
    return str(path)


FORMS: dict[str, tuple[Callable[[Path], str], int, int, str]] = {
    "ours": (ours, 6, 2, "6 events, chain intact; SQLite "),
    "eventsourcing": (eventsourcing, 7, 3, "7 events, eventsourcing: it carries no checksums; SQLite "),
    "emmett": (emmett, 3, 1, "3 events, Emmett: it carries no checksums; SQLite "),
    "json-lines": (json_lines, 2, 1, "2 events, JSON lines: it carries no checksums"),
    "cloud-events": (cloud_events, 2, 1, "2 events, JSON lines: it carries no checksums"),
    "cloud-lines": (cloud_lines, 2, 1, "2 events, JSON lines: it carries no checksums"),
}
each_form = pytest.mark.parametrize("form", FORMS)


def run(capsys: pytest.CaptureFixture[str], file: str, **options: Any) -> dict[str, Any]:
    assert events.report(file, DataOptions(**options), True)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@each_form
def test_every_form_is_read(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, total, streams, said = FORMS[form]
    file = make(tmp_path / "file")
    before = sorted(os.listdir(tmp_path)), Path(file).read_bytes()
    found = run(capsys, file)
    assert list(found)[:8] == [
        "pattern", "variant", "seed", "virtual_time_us", "events", "digest", "checks", "snapshot"
    ]  # fmt: skip
    assert (found["pattern"], found["variant"], found["seed"]) == ("events", None, None)
    assert (found["events_total"], found["streams"], found["events"]) == (total, streams, total)
    assert found["integrity"]["ok"]
    assert found["integrity"]["detail"].startswith(said)
    assert all(check["ok"] for check in found["checks"])
    assert (sorted(os.listdir(tmp_path)), Path(file).read_bytes()) == before, "it is opened read-only"
    assert events.report(file, NONE, False)
    assert f"{plural(total, 'event')} in {plural(streams, 'stream')} of {file}" in capsys.readouterr().out


@each_form
def test_every_form_opens_in_the_panel_and_can_be_travelled(form: str, tmp_path: Path) -> None:
    make, total, _, _ = FORMS[form]
    file = make(tmp_path / "file")
    opening = events.opening(file, NONE)
    assert opening.variant is not None
    run: Timeline[Any, Any] = Timeline(opening.variant, 0, opening.config)
    run.advance(10**16)
    assert len(run.snapshot().events) == total
    for screen in ((80, 24), (120, 36)):
        sizes = arrange(*screen, inspector=True, strip_least=3).sizes()
        for view in ("stream", "tree", "balances"):
            for cursor in (0, 1):
                focus = PANEL.fit(run.snapshot(), Focus(pick=Chosen(cursor=cursor, view=view)))
                assert PANEL.view(run.snapshot(), focus, sizes, BRAILLE).picture.text().strip()
    run.seek(1)
    assert len(run.snapshot().events) == 1
    for command in ("deposit 1 5", "race 1 80"):
        assert "recorded data" in str(PANEL.client(run.snapshot(), Focus(), command))


def test_what_is_said_of_an_event_is_what_the_file_says(tmp_path: Path) -> None:
    def read(make: Callable[[Path], str]) -> Any:
        with events.opened(make(tmp_path / make.__name__), NONE, events.Skips()) as (found, _):
            return list(found.events)

    lines = read(json_lines)
    assert [event.metadata[:4] for event in lines] == [
        ("", 1_000_000, "", ""),
        ("ada", 1_767_323_045_000_000, "c1", "s1"),
    ]
    assert [(event.position, event.revision, event.version) for event in lines] == [(1, 0, 1), (2, 1, 3)]
    cloud = read(cloud_events)
    assert [event.body for event in cloud] == ['{"total":5}', b"\x00\x01\xff"]
    assert (cloud[0].stream, cloud[0].who, cloud[0].at_us) == ("order-1", "/shop", 1_767_319_445_500_000)
    foreign = read(eventsourcing)
    assert foreign[0].type == "BankAccount.TransactionAppended"
    assert foreign[0].at_us == 1_767_323_045_000_006
    assert foreign[-1].body == b"\x78\x9c\x00\xff"
    other = read(emmett)
    assert (other[0].stream, other[0].revision, other[0].causation_id) == ("cart-7", 1, "c")


def test_state_at_a_date_of_a_file(tmp_path: Path) -> None:
    opening = events.opening(ours(tmp_path / "s.db"), NONE)
    assert opening.variant is not None
    run: Timeline[Any, Any] = Timeline(opening.variant, 0, ())
    run.advance(10**16)
    focus = PANEL.client(run.snapshot(), Focus(), "at 2026-01-01T09:00:02")
    assert isinstance(focus, Focus)
    sizes = arrange(80, 24, inspector=True, strip_least=3).sizes()
    frame = PANEL.view(run.snapshot(), focus, sizes, BRAILLE)
    picture = frame.picture.text() + frame.strip.text()
    assert "account-1 @ 2  balance 20" in picture
    with pytest.raises(UserError, match="a date as 2026-01-05"):
        PANEL.client(run.snapshot(), Focus(), "at teatime")
    with pytest.raises(UserError, match="nothing had happened yet"):
        PANEL.client(run.snapshot(), Focus(), "at 2020-01-01")


def test_a_saved_run_finds_its_file_again_or_says_that_it_was_changed(tmp_path: Path) -> None:
    file = ours(tmp_path / "s.db")
    opening = events.opening(file, NONE)
    assert opening.variant is not None
    found = opening.variant.source
    assert found is not None
    assert reopen("events", SourceFile(file, found.sha256, False)).sha256 == found.sha256
    with SqliteStore(file) as store:
        store.save_events("account-1", [NewEvent("late", "MoneyDeposited", {"amount": 1}, 3)])
    with pytest.raises(UserError, match="changed since the run was saved"):
        reopen("events", SourceFile(file, found.sha256, False))


def test_a_store_that_somebody_writes_to_is_read_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.db"
    ours(path)
    with SqliteStore(str(path)) as store:
        store.save_events("account-1", [NewEvent("late", "MoneyDeposited", {"amount": 1}, 3)])
        assert run(capsys, str(path))["events_total"] == 7


def test_the_demonstration_is_written_once_and_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "demo.db")
    assert main_status("events", "--demo-store", file) == 0
    assert "3,002 events in 375 streams" in capsys.readouterr().out
    assert os.listdir(tmp_path) == ["demo.db"]
    found = run(capsys, file)
    assert (found["events_total"], found["streams"], found["integrity"]["ok"]) == (3_002, 375, True)
    assert main_status("events", "--demo-store", file) == 2
    assert "it is there already" in capsys.readouterr().err
    assert main_status("events", "--demo-store", file, "--sandbox") == 2
    assert "no file is written" in capsys.readouterr().err


def main_status(*arguments: str) -> int:
    """The command line; its exit status."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["dp-tui", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
    return int(end.value.code or 0)


# -- bad files -------------------------------------------------------------------------------------------------------


def not_sqlite(path: Path) -> None:
    path.write_bytes(b"\x7fELF and so on")


def another_program(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE bookmarks (url TEXT)")
    db.commit()
    db.close()


def truncated(path: Path) -> None:
    ours(path, 200)
    os.truncate(path, path.stat().st_size // 2)


def newer(path: Path) -> None:
    ours(path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=7")
    db.close()


def empty(path: Path) -> None:
    path.touch()


def folder(path: Path) -> None:
    path.mkdir()


def too_deep(path: Path) -> None:
    path.write_text("[" * 100_000)


def too_large(path: Path) -> None:
    path.write_text(json.dumps({"stream": "s", "type": "T", "data": "x" * (17 << 20)}) + "\n")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (not_sqlite, r"byte 0: neither a SQLite file nor JSON \(it begins with b'\\x7fELF and'\)"),
        (another_program, r"another program's database \(tables bookmarks\): a store of this program, of the"),
        (truncated, "damaged|malformed"),
        (newer, r"written by a newer version \(schema 7, known is 2\)"),
        (empty, "it holds no events"),
        (
            lambda path: path.write_text('{"stream": "s", "x": ' + "9" * 5_000 + "}\n"),
            "line 1: column 22: a number of 5,000 digits: at most 4,300 are accepted",
        ),
        (
            lambda path: path.write_text('[{"stream": "s",\n "x": ' + "9" * 5_000 + "}]"),
            "column 7: a number of 5,000 digits: at most 4,300 are accepted",
        ),
        (too_deep, r"nested too deeply: an array of events is needed"),
        (folder, "cannot be read: Is a directory"),
        (lambda path: None, "cannot be read: No such file"),
        (too_large, r"line 1: a line of 17,\d+,\d+ bytes: at most 16,777,216 are accepted"),
        (lambda path: path.write_text('{"stream": "s"}\n'), 'line 1: a JSON object with "stream", "type" and "data"'),
        (lambda path: path.write_text('{"stream": "s", "type": 5}\n'), "line 1: a JSON object"),
        (lambda path: path.write_text('{"stream": "s", "type": "T"}\n{oops}\n'), r"line 2: no JSON \(.*column 2\)"),
        (lambda path: path.write_text("[1, 2]"), "element 0: '1'"),
        (lambda path: path.write_text("{" * 9), "line 1: no JSON"),
        (lambda path: path.write_bytes(b'{"stream": "\xff"}\n'), "line 1: byte 12: not UTF-8"),
        (
            lambda path: path.write_text('{"specversion": "1.0", "type": "T", "id": "1"}'),
            'a CloudEvent without "source"',
        ),
        (lambda path: path.write_text('{"stream": "s", "type": "T", "time": "noon"}'), "'noon' is no time: RFC 3339"),
        (lambda path: path.write_text('{"stream": "s", "type": "T", "revision": -1}'), '"revision": a whole number'),
        (lambda path: path.write_text('{"stream": "s", "type": "T", "who": []}'), '"who": a text is needed'),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line_that_says_what_and_where(
    spoil: Callable[[Path], Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file"
    spoil(path)
    for read in (lambda: events.report(str(path), NONE, True), lambda: events.opening(str(path), NONE)):
        with pytest.raises(UserError, match=said) as raised:
            read()
        assert str(path) in str(raised.value)
    assert main_status("run", "events", str(path)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "Traceback" not in error


def test_a_changed_event_is_a_failed_check_that_names_stream_and_revision(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = ours(tmp_path / "s.db")
    db = sqlite3.connect(file)
    db.execute("UPDATE events SET body='{\"amount\":10000}' WHERE position=3")
    db.commit()
    db.close()
    assert not events.report(file, NONE, True)
    found = json.loads(capsys.readouterr().out)
    assert not found["integrity"]["ok"]
    said = "position 3 (stream 'account-1' revision 2): its checksum does not fit"
    assert found["integrity"]["detail"].startswith(said)
    assert found["events_total"] == 2, "what cannot be trusted is not counted"
    assert main_status("run", "events", file) == 1
    opening = events.opening(file, NONE)
    assert opening.variant is not None
    run: Timeline[Any, Any] = Timeline(opening.variant, 0, ())
    run.advance(10**16)
    assert len(run.snapshot().events) == 2
    assert [check.ok for check in run.check()] == [False, True]


def test_a_locked_file_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    emmett(path)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    holder.execute("UPDATE emt_messages SET partition='x'")
    try:
        with pytest.raises(UserError, match="another program has locked it: try again"):
            events.report(str(path), NONE, True)
    finally:
        holder.execute("ROLLBACK")
        holder.close()


def test_a_gap_in_the_revisions_of_a_foreign_file_is_a_failed_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "gap.jsonl"
    lines = [{"stream": "s", "type": "T", "revision": revision} for revision in (0, 1, 3)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert not events.report(str(path), NONE, True)
    found = json.loads(capsys.readouterr().out)
    assert found["checks"][1]["detail"] == "stream 's': revision 3 where 2 was expected, position 3"


def test_bad_lines_can_be_skipped_and_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "some.jsonl"
    path.write_text('{"stream": "s", "type": "T"}\nnonsense\n{"stream": "s", "type": "T"}\n')
    found = run(capsys, str(path), skip_bad=True)
    assert (found["events_total"], found["snapshot"]["skipped"]) == (2, 1)


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Pipe:
        buffer = io.BytesIO(b'{"stream": "s", "type": "T"}\n')

    monkeypatch.setattr("sys.stdin", Pipe())
    assert run(capsys, "-")["events_total"] == 1


def test_foreign_options_are_refused(tmp_path: Path) -> None:
    file = ours(tmp_path / "s.db")
    for options in (DataOptions(preset="hystrix"), DataOptions(nodes=3)):
        with pytest.raises(UserError, match="a file of events takes --skip-bad"):
            events.report(file, options, True)


def test_an_event_of_a_type_that_nobody_knows_is_shown_as_its_data(tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text('{"stream": "account-1", "type": "MoneyStolen", "data": {"by": "Eve"}}\n')
    opening = events.opening(str(path), NONE)
    assert opening.variant is not None
    run: Timeline[Any, Any] = Timeline(opening.variant, 0, ())
    run.advance(10**16)
    sizes = arrange(80, 24, inspector=True, strip_least=3).sizes()
    frame = PANEL.view(run.snapshot(), Focus(), sizes, BRAILLE)
    picture = frame.picture.text() + frame.strip.text()
    assert "by=Eve" in picture
    assert "this event: type None -> MoneyStolen, by None -> Eve" in picture
