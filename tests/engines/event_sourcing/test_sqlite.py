"""The SQLite store: what it writes, what it refuses, who waits for whom."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engines.event_sourcing import (
    ACCOUNT,
    ANY,
    EXISTS,
    NO_STREAM,
    BusyStore,
    Conflict,
    CorruptStore,
    EventStore,
    EventTooLarge,
    FullStore,
    MemoryStore,
    Metadata,
    NewerStore,
    NewEvent,
    NotAStore,
    ReadOnlyStore,
    Repository,
    Snapshot,
    SqliteStore,
    StreamClosed,
    close,
)
from engines.event_sourcing.account import Deposit, OpenAccount
from engines.event_sourcing.append import ExpectedRevision
from engines.event_sourcing.errors import StaleCheckpoint
from engines.event_sourcing.sqlite_store import APPLICATION_ID, PAGE_BYTES, SCHEMA, TABLES, TABLES_OF, library_report
from engines.event_sourcing.sqlite_wal import wal_damage
from tests.engines.event_sourcing.stores import filled, ids, new


def test_what_is_written_is_read_by_another_process(tmp_path: Path) -> None:
    path = str(tmp_path / "s.db")
    with SqliteStore(path, clock=lambda: 77) as store:
        meta = Metadata("Ada", 5, "c1", "story", "Do", "e0")
        store.save_events("s", [NewEvent("a", "T", {"x": "\u00e4\n\x00"}, 3, meta), NewEvent("b", "U", b"\x00\xff")])
        code = (
            "import sys; from engines.event_sourcing import SqliteStore as S\n"
            "s = S(sys.argv[1], read_only=True)\n"
            "for e in s.read_all(): print(ascii((e.position, e.revision, e.data, e.version, tuple(e.metadata))))"
        )
        out = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True).stdout
    assert out.splitlines() == [
        ascii((1, 0, {"x": "\u00e4\n\x00"}, 3, tuple(meta))),
        ascii((2, 1, b"\x00\xff", 1, tuple(Metadata(at_us=77)))),
    ]


def test_the_journal_is_a_wal_and_every_commit_is_synced(tmp_path: Path) -> None:
    with SqliteStore(str(tmp_path / "s.db")) as store:
        assert store._one("PRAGMA journal_mode") == "wal"
        assert store._one("PRAGMA synchronous") == 2
        assert store._one("PRAGMA mmap_size") == 0


@pytest.mark.parametrize(
    ("version", "race"),
    [
        ((3, 6, 9), False),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
    ],
)
def test_the_integrity_report_names_the_library_and_its_wal_reset_race(version: tuple[int, ...], race: bool) -> None:
    assert ("WAL-reset race" in library_report(version)) == race
    assert "SQLite " + ".".join(map(str, sqlite3.sqlite_version_info)) in SqliteStore(":memory:").integrity().library


def test_a_store_in_memory_leaves_nothing_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with SqliteStore(":memory:") as store:
        store.save_events("s", new("a"), NO_STREAM)
        assert ids(store) == ["a"]
    assert not list(tmp_path.iterdir())


def test_readers_never_checkpoint_and_never_wait_for_a_writer(tmp_path: Path) -> None:
    path = str(tmp_path / "s.db")
    seen: list[tuple[list[str], int]] = []

    def look(point: str) -> None:
        if point == "written":
            with SqliteStore(path, read_only=True, timeout_s=0.01) as reader:
                seen.append((ids(reader), os.path.getsize(path + "-wal")))

    with SqliteStore(path, on_point=look) as store:
        store.save_events("s", new("a"), NO_STREAM)
        store.save_events("s", new("b"), 0)
        assert [names for names, _ in seen] == [[], ["a"]], "a reader sees what is committed"
        assert seen[0][1] > 0, "and leaves the log where it is"


def test_a_writer_that_waits_too_long_is_told_so(tmp_path: Path) -> None:
    path = str(tmp_path / "s.db")
    with SqliteStore(path) as holder, SqliteStore(path, timeout_s=0.05) as other, holder._turn("resting"):
        with pytest.raises(BusyStore, match=r"another writer held it for 0\.05 s; nothing was written"):
            other.save_events("s", new("a"))
        assert other.head() == 0


def test_a_database_that_another_program_has_locked_is_told_so(tmp_path: Path) -> None:
    path = str(tmp_path / "s.db")
    with SqliteStore(path, timeout_s=0.05) as store:
        stranger = sqlite3.connect(path, isolation_level=None)
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusyStore, match="writing to stream 's': database is locked: another connection holds it"):
            store.save_events("s", new("a"))
        stranger.execute("ROLLBACK")
        stranger.close()
        store.save_events("s", new("a"))
        assert ids(store) == ["a"]


def test_two_writers_with_the_same_expectation_one_writes_and_one_conflicts(tmp_path: Path) -> None:
    path = str(tmp_path / "s.db")
    with SqliteStore(path) as one, SqliteStore(path) as two:
        filled(one)
        results: list[object] = []
        start = threading.Barrier(2)

        def write(store: SqliteStore, id: str) -> None:
            start.wait()
            try:
                results.append(store.save_events("s", new(id), 2).positions)
            except Conflict as conflict:
                results.append(conflict.actual)

        threads = [threading.Thread(target=write, args=pair) for pair in ((one, "x"), (two, "y"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results, key=str) == [(4,), 3]
        assert one.integrity().ok


def test_stream_and_revision_are_unique_in_the_database_too(tmp_path: Path) -> None:
    with SqliteStore(str(tmp_path / "s.db")) as store:
        filled(store)
        row = list(store.read_all()[0])
        row[0] = 9
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
            store._db.execute(f"INSERT INTO events VALUES ({','.join('?' * len(row))})", row)


def test_a_full_disk_refuses_the_batch_and_loses_nothing(tmp_path: Path) -> None:
    with SqliteStore(str(tmp_path / "s.db")) as store:
        filled(store)
        store._db.execute(f"PRAGMA max_page_count={store._one('PRAGMA page_count')}")
        with pytest.raises(FullStore, match=r"writing to stream 's'.*full: nothing of it was written"):
            store.save_events("s", [NewEvent("big", "T", "x" * 500_000)], 2)
        assert ids(store) == ["a", "b", "c"]
        store._db.execute("PRAGMA max_page_count=100000")
        store.save_events("s", new("d"), 2)
        assert store.integrity().ok


def test_an_event_of_10_mb_names_stream_and_revision(tmp_path: Path) -> None:
    with SqliteStore(str(tmp_path / "s.db")) as store:
        filled(store)
        for data in ("x" * 10_000_000, b"x" * 10_000_000, "\u00e4" * 600_000):
            with pytest.raises(
                EventTooLarge, match=r"stream 's' revision 4: an event of 1\d?,\d+,\d+ bytes: at most 1,048,576"
            ):
                store.save_events("s", [*new("d"), NewEvent("big", "T", data)], 2)
        assert ids(store) == ["a", "b", "c"]


def test_a_reader_does_not_write(tmp_path: Path) -> None:
    path = str(tmp_path / "s.db")
    with SqliteStore(path) as store:
        filled(store)
    with SqliteStore(path, read_only=True) as reader, pytest.raises(ReadOnlyStore, match="opened for reading"):
        reader.save_events("s", new("d"))


def bad_text(path: Path) -> None:
    path.write_text("not a database at all")


def bad_empty_database(path: Path) -> None:
    sqlite3.connect(path).close()
    path.touch()


def bad_other_program(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE bookmarks (url TEXT)")
    db.commit()
    db.close()


def bad_newer(path: Path) -> None:
    SqliteStore(str(path)).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=3")
    db.close()


def bad_truncated(path: Path) -> None:
    with SqliteStore(str(path)) as store:
        for number in range(200):
            store.save_events("s", new(f"e{number}"))
    os.truncate(path, path.stat().st_size // 2)


def bad_pages(path: Path) -> None:
    with SqliteStore(str(path)) as store:
        for number in range(200):
            store.save_events("s", new(f"e{number}"))
    raw = path.read_bytes()
    half = len(raw) // 2
    path.write_bytes(raw[:half] + raw[half + 16 :] + bytes(16))


def bad_tables(path: Path) -> None:
    SqliteStore(str(path)).close()
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE extra (x)")
    db.close()


def bad_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "error", "said"),
    [
        (bad_text, NotAStore, r"byte 0: not a SQLite file \(it begins with b'not a da'\)"),
        (bad_empty_database, NotAStore, "an empty database"),
        (bad_other_program, NotAStore, "another program's database"),
        (bad_newer, NewerStore, "written by a newer version .schema 3, known is 2"),
        (bad_truncated, CorruptStore, "malformed|damaged"),
        (bad_pages, CorruptStore, "the database is damaged: .*; Page"),
        (bad_tables, CorruptStore, "its tables are not those of schema 2"),
        (bad_folder, NotAStore, "a directory"),
        (lambda path: None, NotAStore, "no such file"),
    ],
)
def test_a_file_that_is_no_store_is_refused_by_name_and_left_as_it_is(
    spoil: Callable[[Path], None], error: type[Exception], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "s.db"
    spoil(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(error, match=said) as raised:
        SqliteStore(str(path), read_only=True)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert (path.read_bytes() if path.is_file() else b"") == before
    if path.exists() and spoil is not bad_empty_database:
        with pytest.raises(error, match=said):
            SqliteStore(str(path))
        assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_damaged_name_in_the_schema_is_reported_though_sqlite_quotes_it(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    SqliteStore(str(path)).close()
    whole = path.read_bytes()
    at = whole.index(b"CREATE UNIQUE INDEX events_by_revision")
    path.write_bytes(whole[:at] + b"CREATE UNIQUE INDEX \xd5" + whole[at + 21 :])
    for read_only in (True, False):
        with pytest.raises(CorruptStore, match=r"opening it: .*nothing was changed"):
            SqliteStore(str(path), read_only=read_only)


def test_a_changed_event_is_found_by_the_chain_with_its_place(tmp_path: Path) -> None:
    path = str(tmp_path / "s.db")
    with SqliteStore(path) as store:
        filled(store)
    db = sqlite3.connect(path)
    db.execute('UPDATE events SET body = \'{"id":"z"}\' WHERE position = 2')
    db.commit()
    db.close()
    with pytest.raises(
        CorruptStore, match=r"position 2 \(stream 's' revision 1\): its checksum does not fit"
    ) as raised:
        SqliteStore(path)
    assert "1 events before it are intact" in str(raised.value)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DELETE FROM events WHERE position=2", "position 3 .*: position 2 is missing"),
        ("UPDATE events SET who='Eve' WHERE position=3", "position 3 .*checksum"),
        ("UPDATE events SET at_us=1 WHERE position=1", "position 1 .*checksum"),
        ("UPDATE events SET checksum='00' WHERE position=1", "position 1 .*checksum"),
        ("UPDATE events SET stream='t' WHERE position=2", "position 2 .*revision 0 was expected"),
        ("UPDATE events SET body=CAST(body AS BLOB) WHERE position=2", "position 2 .*checksum"),
        ("UPDATE checkpoints SET position=9", "checkpoint 'mail': its checksum"),
    ],
)
def test_every_field_is_covered(sql: str, said: str, tmp_path: Path) -> None:
    path = str(tmp_path / "s.db")
    with SqliteStore(path) as store:
        filled(store)
        store.save_batches([], {"mail": 2})
    db = sqlite3.connect(path)
    db.execute(sql)
    db.commit()
    db.close()
    with pytest.raises(CorruptStore, match=said):
        SqliteStore(path)
    with SqliteStore(path, verify="none") as store:
        assert not store.integrity().ok


def test_a_store_that_was_cut_off_has_an_intact_chain_and_fails_its_anchor(tmp_path: Path) -> None:
    path = str(tmp_path / "s.db")
    with SqliteStore(path) as store:
        filled(store)
        report = store.integrity()
        store.save_events("s", new("d"))
        assert store.integrity(anchor=(report.position, report.checksum)).ok
    db = sqlite3.connect(path)
    db.execute("DELETE FROM events WHERE position >= 3")
    db.commit()
    db.close()
    with SqliteStore(path) as store:
        assert store.integrity().ok
        cut = store.integrity(anchor=(report.position, report.checksum))
        assert not cut.ok
        assert "position 3, is not in this chain" in cut.detail


def test_the_tail_is_verified_from_the_last_verified_point(tmp_path: Path) -> None:
    path = str(tmp_path / "s.db")
    with SqliteStore(path) as store:
        filled(store)
    SqliteStore(path).close()
    with SqliteStore(path, verify="tail") as store:
        store.save_events("s", new("d"))
        assert store.integrity(tail=True).detail == "4 events, chain intact from position 3 on"


def test_a_torn_tail_of_the_log_is_dropped_and_a_damaged_middle_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    store = SqliteStore(str(path))
    for number in range(6):
        store.save_events("s", new(f"e{number}"))
    copy = tmp_path / "copy"
    for end in ("", "-wal"):
        shutil.copy(f"{path}{end}", f"{copy}{end}")
    log = Path(f"{copy}-wal")
    whole = log.read_bytes()
    store.close()
    assert wal_damage(str(copy)) == ""
    log.write_bytes(whole[:-100])
    assert wal_damage(str(copy)) == ""
    with SqliteStore(str(copy), read_only=True) as torn:
        assert ids(torn) == [f"e{number}" for number in range(5)], "the last commit was cut off: a torn tail"
    middle = bytearray(whole)
    middle[len(whole) // 2] ^= 1
    log.write_bytes(middle)
    with pytest.raises(CorruptStore, match=r"-wal: byte \d+: a frame is damaged, and an acknowledged commit stands"):
        SqliteStore(str(copy), read_only=True)
    header = bytearray(whole)
    header[20] ^= 1
    log.write_bytes(header)
    with pytest.raises(CorruptStore, match="its header is damaged"):
        SqliteStore(str(copy), read_only=True)


def test_a_snapshot_that_is_not_what_was_kept_is_ignored(tmp_path: Path) -> None:
    path = str(tmp_path / "s.db")
    with SqliteStore(path) as store:
        accounts = Repository(store, ACCOUNT, store, 2)
        for index, command in enumerate([OpenAccount("Ada"), Deposit(5), Deposit(6), Deposit(7)]):
            accounts.execute("account-1", command, f"c{index}")
        assert accounts.load("account-1")[1:] == (3, 0, 3)
        store._db.execute('UPDATE snapshots SET state=\'["Eve",1000000,"open",1]\'')
        loaded = accounts.load("account-1")
        assert (loaded.state.balance, loaded.snapshot) == (18, -1)
        store.save_snapshot(Snapshot("account-1", 1, 1, '["Ada",5,"open",1]'))
        assert accounts.load("account-1")[1:] == (3, 2, 1)


def test_events_and_a_checkpoint_in_one_transaction(tmp_path: Path) -> None:
    with SqliteStore(str(tmp_path / "s.db")) as store:
        assert store.checkpoint("mail") is None
        store.save_batches([("s", new("a"), NO_STREAM), ("t", new("b"), NO_STREAM)], {"mail": 4})
        with pytest.raises(StaleCheckpoint, match="'mail' stands at 4: 4 is not beyond it"):
            store.save_batches([("s", new("c"), 0)], {"mail": 4})
        assert ids(store) == ["a"]
        with pytest.raises(Conflict):
            store.save_batches([("s", new("c"), 0), ("t", new("d"), NO_STREAM)], {"mail": 5})
        assert (ids(store), store.checkpoint("mail"), store.head()) == (["a"], 4, 2)


def test_following_goes_from_history_to_live_without_a_hole(tmp_path: Path) -> None:
    path = str(tmp_path / "s.db")
    with SqliteStore(path) as writer, SqliteStore(path, read_only=True) as reader:
        filled(writer)
        got: list[int] = []

        def watch() -> None:
            for event in reader.follow(0, 0.001):
                got.append(event.position)
                if len(got) == 40:
                    return

        thread = threading.Thread(target=watch)
        thread.start()
        for number in range(37):
            writer.save_events("t", new(f"n{number}"), ANY)
            time.sleep(0.0005)
        thread.join()
        assert got == list(range(1, 41))


def test_a_path_with_signs_of_its_own(tmp_path: Path) -> None:
    path = str(tmp_path / "a b?c#d%e.db")
    with SqliteStore(path) as store:
        filled(store)
    assert os.path.exists(path)
    with SqliteStore(path, read_only=True) as store:
        assert ids(store) == ["a", "b", "c"]


def test_heads_kept_in_mind_are_those_of_all_writers(tmp_path: Path) -> None:
    path = str(tmp_path / "s.db")
    with SqliteStore(path) as one, SqliteStore(path) as two:
        one.save_events("s", new("a"), NO_STREAM)
        two.save_events("s", new("b"), 0)
        with pytest.raises(Conflict) as conflict:
            one.save_events("s", new("x"), 0)
        assert conflict.value.actual == 1
        one.save_events("s", new("c"), 1)
        close(two, "s", "end")
        with pytest.raises(StreamClosed, match="closed at revision 3"):
            one.save_events("s", new("x"), 2)
        assert ids(one) == ["a", "b", "c", "end"]


def test_heads_of_a_batch_that_was_undone_are_forgotten(tmp_path: Path) -> None:
    with SqliteStore(str(tmp_path / "s.db")) as store:
        store.save_events("s", new("a"), NO_STREAM)
        with pytest.raises(Conflict):
            store.save_batches([("s", new("b", "c"), 0), ("t", new("d"), 4)])
        assert store.save_events("s", new("b"), 0).revisions == (1,)
        store.save_batches([("s", new("c"), 1)], {"x": 1})
        with pytest.raises(StaleCheckpoint):
            store.save_batches([("s", new("d"), 2), ("u", new("e"), NO_STREAM)], {"x": 1})
        assert store.save_events("s", new("d"), 2).position == 4
        assert store.integrity().ok


def test_heads_kept_in_mind_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.event_sourcing.sqlite_store.HEADS", 5)
    with SqliteStore(str(tmp_path / "s.db")) as store:
        for turn in range(3):
            for number in range(20):
                store.save_events(f"s{number}", new(f"e{turn}-{number}"), turn - 1 if turn else NO_STREAM)
                assert len(store._heads) <= 7
        assert store.integrity().ok


@pytest.mark.parametrize("size", [512, 4_096, 65_536])
def test_a_file_with_other_pages_is_read_and_written_as_it_is(size: int, tmp_path: Path) -> None:
    path = str(tmp_path / "s.db")
    db = sqlite3.connect(path, isolation_level=None)
    for statement in (f"PRAGMA page_size={size}", "PRAGMA journal_mode=WAL", "BEGIN", *TABLES):
        db.execute(statement)
    db.execute(f"PRAGMA application_id={APPLICATION_ID}")
    db.execute(f"PRAGMA user_version={SCHEMA}")
    db.execute("COMMIT")
    db.close()
    with SqliteStore(path) as store:
        filled(store)
        assert store._one("PRAGMA page_size") == size
    with SqliteStore(path, read_only=True) as store:
        assert ids(store) == ["a", "b", "c"]


def first_schema(path: Path) -> str:
    """An empty store as the first version made it."""
    db = sqlite3.connect(path, isolation_level=None)
    for statement in ("PRAGMA journal_mode=WAL", "BEGIN", *TABLES_OF[1]):
        db.execute(statement)
    db.execute(f"PRAGMA application_id={APPLICATION_ID}")
    db.execute("PRAGMA user_version=1")
    db.execute("COMMIT")
    db.close()
    return str(path)


def told(store: EventStore, stream: str, events: list[NewEvent], expected: ExpectedRevision) -> object:
    try:
        return store.save_events(stream, events, expected)[1:]
    except Conflict as conflict:
        return conflict.actual


@pytest.mark.parametrize("every", [1, 5, 256])
@pytest.mark.parametrize("schema", [1, 2])
def test_ids_are_found_wherever_they_are_kept(
    schema: int, every: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every expectation, repeats, ids that come again: two writers of one file answer as the store in memory does."""
    monkeypatch.setattr("engines.event_sourcing.sqlite_store.IDS_EVERY", every)
    path = first_schema(tmp_path / "s.db") if schema == 1 else str(tmp_path / "s.db")
    memory, draw = MemoryStore(), random.Random(every)
    with SqliteStore(path) as one, SqliteStore(path) as two:
        for _ in range(400):
            stream = f"s{draw.randrange(3)}"
            events = [NewEvent(f"e{draw.randrange(40)}-{n}", "T", {}) for n in range(draw.randrange(3))]
            newest = memory.revision(stream)
            ways: list[ExpectedRevision] = [ANY, ANY, ANY, EXISTS, NO_STREAM, max(newest, 0), max(newest - 2, 0)]
            expected = draw.choice(ways)
            writer = one if draw.random() < 0.7 else two
            assert told(writer, stream, events, expected) == told(memory, stream, events, expected)
        assert one.head() == memory.head() > 100
        assert one.integrity().ok
    with SqliteStore(path) as again:
        assert again._one("PRAGMA user_version") == schema
        assert [event.id for event in again.read_all()] == [event.id for event in memory.read_all()]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM ids WHERE revision=3",
        "UPDATE ids SET id='x' WHERE revision=3",
        "UPDATE ids SET stream='x' WHERE revision=3",
        "INSERT INTO ids VALUES ('x', 's', 3)",
        "UPDATE verified SET position=7 WHERE point=1",
        "DELETE FROM verified WHERE point=1",
    ],
)
def test_a_table_of_ids_that_is_not_that_of_the_events_is_reported(
    sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engines.event_sourcing.sqlite_store.IDS_EVERY", 5)
    path = str(tmp_path / "s.db")
    with SqliteStore(path) as store:
        for number in range(12):
            store.save_events("s", new(f"e{number}"))
    db = sqlite3.connect(path)
    db.execute(sql)
    db.commit()
    db.close()
    with pytest.raises(CorruptStore, match="the table of ids is not that of the events"):
        SqliteStore(path)


def test_an_append_that_expects_a_revision_writes_two_pages(tmp_path: Path) -> None:
    """The table and the key (stream, revision); the ids are written now and then."""
    path = tmp_path / "s.db"
    with SqliteStore(str(path)) as store:
        grew = []
        for number in range(200):
            before = Path(f"{path}-wal").stat().st_size if number else 0
            store.save_events("s", new(f"e{number}"), number - 1 if number else NO_STREAM)
            grew.append((Path(f"{path}-wal").stat().st_size - before) // (PAGE_BYTES + 24))
        assert sorted(grew)[100] == 2
        assert store.integrity().ok
