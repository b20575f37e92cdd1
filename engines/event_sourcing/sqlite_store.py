"""A store in one SQLite file: what is acknowledged is on the disk.

Durability: WAL with ``synchronous=FULL``: ``save_events`` returns once its commit is synced. A torn tail of the WAL was
never acknowledged and is dropped by SQLite; a WAL that is damaged *before* an acknowledged commit is reported, since
SQLite would drop that too, and silently.

Who may do what at once: any number of processes read while one writes; readers never wait for the writer. Writers take
turns by an exclusive ``flock`` on ``FILE-lock``, held from the first look at the stream to the end of the commit and of
the checkpoint that may follow it. A writer that waits longer than ``timeout_s`` gets BusyStore, and nothing of its
batch was written. The kernel gives the lock back when a process dies. Two writers that both expected revision 3 both
get their turn; the second one gets Conflict. The key (stream, revision) is unique in the database as well.

The WAL-reset race: SQLite 3.7.0 to 3.51.2 can corrupt a WAL database when a checkpoint right after a complete one meets
another connection's commit that resets the WAL (cured in 3.51.3, 3.50.7, 3.44.6). Hence: readers open the file
read-only and so never checkpoint, all writers commit and checkpoint under the one lock above, and there is no mmap. The
version of the library is part of the integrity report.

Opening verifies (``verify="full"``): the database's own structure, indexes and the table of ids included, then the
chain of checksums from the first event. Reads trust what was verified. ``"tail"`` verifies the chain from the point
that the last full verification of this file has noted, ``"none"`` trusts the file.
"""

import fcntl
import os
import sqlite3
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import blake2b
from itertools import chain as chained
from typing import Any, Final, TypeVar

from engines.event_sourcing.append import (
    ANY,
    EXISTS,
    NO_STREAM,
    Appended,
    ExpectedRevision,
    Place,
    check_expected,
    decide,
)
from engines.event_sourcing.errors import (
    BusyStore,
    CorruptStore,
    EventStoreError,
    FullStore,
    NewerStore,
    NotAStore,
    ReadOnlyStore,
    StaleCheckpoint,
    StreamClosed,
)
from engines.event_sourcing.events import (
    GENESIS,
    TOMBSTONE,
    ChainCheck,
    NewEvent,
    RecordedEvent,
    Row,
    check_names,
    rows_of,
)
from engines.event_sourcing.snapshots import Snapshot
from engines.event_sourcing.sqlite_wal import wal_damage
from engines.event_sourcing.store import ALL_LIMIT, SHOWN, Hiding, Integrity, hiding_of

T = TypeVar("T")

APPLICATION_ID: Final = 0x64706573
"""``dpes`` in the header of the file: ours, and nobody else's."""
SCHEMA: Final = 2
"""The version of the tables, ``user_version`` of the file. Files of the first one, which has an index in the place of
``ids``, are read and written as they are."""
_EVENTS: Final = (
    "CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT NOT NULL, revision INTEGER NOT NULL, "
    "id TEXT NOT NULL, type TEXT NOT NULL, version INTEGER NOT NULL, body NOT NULL, who TEXT NOT NULL, "
    "at_us INTEGER NOT NULL, causation_id TEXT NOT NULL, correlation_id TEXT NOT NULL, command TEXT NOT NULL, "
    "command_cause TEXT NOT NULL, checksum TEXT NOT NULL)",
    "CREATE UNIQUE INDEX events_by_revision ON events (stream, revision)",
)
_BESIDE: Final = (
    "CREATE TABLE snapshots (stream TEXT PRIMARY KEY, revision INTEGER NOT NULL, schema INTEGER NOT NULL, "
    "state TEXT NOT NULL, checksum TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE checkpoints (name TEXT PRIMARY KEY, position INTEGER NOT NULL, checksum TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE verified (point INTEGER PRIMARY KEY, position INTEGER NOT NULL, checksum TEXT NOT NULL)",
)
TABLES_OF: Final = {
    1: (*_EVENTS, "CREATE INDEX events_by_id ON events (stream, id)", *_BESIDE),
    2: (
        *_EVENTS,
        "CREATE TABLE ids (id TEXT NOT NULL, stream TEXT NOT NULL, revision INTEGER NOT NULL, "
        "PRIMARY KEY (id, stream, revision)) WITHOUT ROWID",
        *_BESIDE,
    ),
}
"""By schema. An id is looked for only where a writer expects no revision, so ``ids`` is written now and then, in the
transaction of an append: a durable append touches a page less. What is newer than ``ids`` is looked through."""
TABLES: Final = TABLES_OF[SCHEMA]
MEMORY: Final = ":memory:"
"""The path of a store that is kept in memory: no file, and no lock beside one."""
IDS_EVERY: Final = 256
"""Events that may be newer than ``ids``."""
_IDS_TO: Final = 1
"""The point in ``verified`` that says up to which position ``ids`` goes; 0 is that of the last full verification."""
PAGE_BYTES: Final = 2_048
"""Of a page of a new file. A commit writes a page of the table and one of its key: in half of SQLite's usual size these
are 4 KB instead of 8. Files with other pages are read and written as they are.
"""
HEADS: Final = 4_096
"""Heads of streams a writer keeps in mind."""
PAGE: Final = 250
"""Events a replay fetches at a time: so few that they are gone again before the collector looks at them."""
_COLUMNS: Final = len(RecordedEvent._fields)
TOGETHER: Final = 50
"""Rows of one statement: 700 values, and every SQLite takes 999."""
_ROW: Final = f"({','.join('?' * _COLUMNS)})"
_INSERT: Final = f"INSERT INTO events VALUES {_ROW}"
_INSERT_MANY: Final = f"INSERT INTO events VALUES {','.join([_ROW] * TOGETHER)}"
_LAST: Final = "SELECT position, checksum FROM events ORDER BY position DESC LIMIT 1"
_NEWEST: Final = "SELECT revision, type FROM events WHERE stream=? ORDER BY revision DESC LIMIT 1"
_FIND_NEWER: Final = (
    "SELECT id, revision, position FROM events NOT INDEXED WHERE position>? AND stream=? AND id=? "
    "ORDER BY position DESC LIMIT 1"
)
_FIND: Final = "SELECT id, revision, position FROM events WHERE stream=? AND id=? ORDER BY revision DESC LIMIT 1"
_FIND_OLDER: Final = (
    "SELECT e.id, e.revision, e.position FROM ids i CROSS JOIN events e ON e.stream=i.stream AND e.revision=i.revision "
    "WHERE i.stream=? AND i.id=? ORDER BY i.revision DESC LIMIT 1"
)
_IDS: Final = "SELECT id, stream, revision FROM events NOT INDEXED WHERE position>? AND position<=? ORDER BY id, stream"
_IDS_WRONG: Final = (
    "SELECT (SELECT count(*) FROM ids) IS NOT coalesce((SELECT position FROM verified WHERE point=1), 0) OR "
    "(SELECT count(*) FROM ids i CROSS JOIN events e ON e.stream=i.stream AND e.revision=i.revision "
    "WHERE i.id IS e.id) IS NOT (SELECT count(*) FROM ids)"
)
"""Each row of ``ids`` is that of an event, and there are as many as it says: so it has all of them."""
_recorded: Final[Callable[[Any], RecordedEvent]] = partial(tuple.__new__, RecordedEvent)
"""A row as an event, without a call of Python."""
_DAMAGE: Final = (sqlite3.Error, OverflowError, struct.error, UnicodeDecodeError)
"""What a damaged file makes of a statement; the last one where SQLite's own message quotes a damaged name."""
_CURED: Final = ((3, 51, 3), (3, 50, 7), (3, 44, 6))


def library_report(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> str:
    """The version of SQLite, and whether the WAL-reset race is in it."""
    said = "SQLite " + ".".join(map(str, version))
    if version < (3, 7, 0) or version >= _CURED[0] or any(version[:2] == c[:2] and version >= c for c in _CURED[1:]):
        return said
    return said + ", has the WAL-reset race: only writers checkpoint, under one lock"


class SqliteStore:
    """Events in a SQLite file. Safe to use from several threads, which take turns."""

    def __init__(
        self,
        path: str,
        *,
        timeout_s: float = 5.0,
        read_only: bool = False,
        immutable: bool = False,
        verify: str = "full",
        clock: Callable[[], int] | None = None,
        on_point: Callable[[str], None] | None = None,
    ) -> None:
        """Open or create a store. ``clock`` gives microseconds since 1970; ``on_point`` is told of each point a
        batch passes (``locked written committed``), so that a test can end the process there. ``immutable``, of a
        reader: nobody writes while it is open, so nothing is put beside the file.
        """
        if verify not in ("full", "tail", "none"):
            raise EventStoreError(f"verify {verify!r}: full, tail or none is accepted")
        self.path = path
        self.read_only = read_only or immutable
        self.immutable = immutable
        self.timeout_s = timeout_s
        self._clock = clock or (lambda: time.time_ns() // 1_000)
        self._point = on_point
        self._lock_fd = -1
        """Where writers take turns; -1: there is none but this one, for it only reads or keeps its store in memory."""
        self._mutex = threading.RLock()
        self._last: tuple[int, str] | None = None
        """The newest event when this writer committed last. The checksum of an event covers all before it: while the
        same one is the newest, nobody else has written, and the heads below are what they were."""
        self._indexed = False
        """Whether ids have an index instead of a table: schema 1."""
        self._ids_to = -1
        """Up to which position ``ids`` goes; -1: not known."""
        self._heads: dict[str, tuple[int, bool]] = {}
        """Of streams: the newest revision, and whether it closed the stream."""
        self._db = self._open(path)
        self._read = self._db.execute
        self._hand = self._db.cursor().execute
        """For what a writer does one after the other: a statement ends where the next one begins."""
        try:
            with _told(path, "opening it"):
                self._check_kind(create=not read_only)
                self._check_verified(verify)
        except BaseException:
            self.close()
            raise

    # -- opening ---------------------------------------------------------------------------------------------

    def _open(self, path: str) -> sqlite3.Connection:
        if "\0" in path:
            raise NotAStore(f"{path!r}: a path holds no zero byte")
        missing = not os.path.exists(path)
        if missing and self.read_only:
            raise NotAStore(f"{path}: no such file: a SQLite event store is needed")
        if os.path.isdir(path):
            raise NotAStore(f"{path}: a directory: a SQLite event store is needed")
        if not missing:
            _check_magic(path)
            damage = wal_damage(path)
            if damage:
                raise CorruptStore(f"{path}-wal: {damage}. Nothing was changed; restore the file from a copy")
        if not self.read_only and path != MEMORY:
            with _told_os(path):
                self._lock_fd = os.open(path + "-lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        uri = "file:" + path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        uri += "?mode=ro" if self.read_only else "?mode=rwc"
        uri += "&immutable=1" if self.immutable else ""
        with _told(path, "opening it"):
            db = sqlite3.connect(
                uri,
                uri=True,
                timeout=self.timeout_s,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=64,
            )
            db.execute("PRAGMA mmap_size=0")
            return db

    def _check_kind(self, create: bool) -> None:
        """Whether this file is ours. A new file becomes ours."""
        application, version = self._one("PRAGMA application_id"), self._one("PRAGMA user_version")
        tables = self._one("SELECT count(*) FROM sqlite_master")
        if not tables and not application and create:
            with self._turn("creating it"):
                if not self._one("SELECT count(*) FROM sqlite_master"):
                    self._create()
            application, version = APPLICATION_ID, SCHEMA
        if application != APPLICATION_ID:
            said = "another program's database" if tables else "an empty database"
            raise NotAStore(f"{self.path}: {said} (application id {application:#x}): a file of this store is needed")
        if version > SCHEMA:
            raise NewerStore(f"{self.path}: written by a newer version (schema {version}, known is {SCHEMA})")
        found = [row[0] for row in self._read("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")]
        if tuple(found) != TABLES_OF.get(version):
            raise CorruptStore(f"{self.path}: page 1: its tables are not those of schema {version}")
        self._indexed = version == 1
        if not self.read_only:
            self._read("PRAGMA journal_mode=WAL")
            self._read("PRAGMA synchronous=FULL")

    def _create(self) -> None:
        self._read(f"PRAGMA page_size={PAGE_BYTES}")
        self._read("PRAGMA journal_mode=WAL")
        self._read("PRAGMA synchronous=FULL")
        self._read("BEGIN IMMEDIATE")
        for statement in TABLES:
            self._read(statement)
        self._read(f"PRAGMA application_id={APPLICATION_ID}")
        self._read(f"PRAGMA user_version={SCHEMA}")
        self._read("COMMIT")

    def _check_verified(self, verify: str) -> None:
        if verify == "none":
            return
        report = self.integrity(tail=verify == "tail")
        if not report.ok:
            raise CorruptStore(
                f"{self.path}: {report.detail}. {report.events} events before it are intact; nothing was changed"
            )
        if verify == "full" and not self.read_only and report.position:
            point = (report.position, report.checksum)
            with suppress(BusyStore, FullStore):
                insert = "INSERT OR REPLACE INTO verified VALUES (0, ?, ?)"
                self._write("noting what was verified", lambda: self._read(insert, point))

    def close(self) -> None:
        """Close the file. The last writer to go puts the WAL into it, under the lock like any checkpoint."""
        with self._mutex:
            db = getattr(self, "_db", None)
            try:
                if db is not None and self._lock_fd >= 0:
                    with suppress(BusyStore), self._turn("closing it"):
                        db.close()
                if db is not None:
                    db.close()
            finally:
                if self._lock_fd >= 0:
                    os.close(self._lock_fd)
                    self._lock_fd = -1

    def __del__(self) -> None:
        with suppress(Exception):
            self.close()

    def __enter__(self) -> "SqliteStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- writing ---------------------------------------------------------------------------------------------

    def save_events(self, aggregate_id: str, events: Sequence[NewEvent], expected: ExpectedRevision = ANY) -> Appended:
        """Append a batch, all of it or nothing; it is on the disk when this returns."""
        return self.save_batches([(aggregate_id, events, expected)])[0]

    def save_batches(
        self,
        batches: Sequence[tuple[str, Sequence[NewEvent], ExpectedRevision]],
        checkpoints: Mapping[str, int] | None = None,
    ) -> tuple[Appended, ...]:
        """Append to several streams, and move checkpoints, in one transaction: all of it or nothing.

        So a subscriber whose effect is events does each once. StaleCheckpoint if one would not grow.
        """
        for stream, events, expected in batches:
            check_expected(expected)
            check_names(stream, events)
        doing = f"writing to stream {batches[0][0]!r}" if batches else "writing"
        saved = self._write(doing, lambda: self._save(batches, checkpoints))
        self._at("committed")
        return saved

    def _save(
        self,
        batches: Sequence[tuple[str, Sequence[NewEvent], ExpectedRevision]],
        checkpoints: Mapping[str, int] | None,
    ) -> tuple[Appended, ...]:
        self._at("locked")
        last = self._hand(_LAST).fetchone()
        if last != self._last or len(self._heads) > HEADS:
            self._heads.clear()
            self._ids_to = -1
        position, checksum = last or (0, GENESIS)
        saved = []
        for stream, events, expected in batches:
            result, position, checksum = self._append(stream, events, expected, position, checksum)
            saved.append(result)
        self._last = (position, checksum)
        if not self._indexed and position - self._ids_known() >= IDS_EVERY:
            self._read("INSERT INTO ids " + _IDS, (self._ids_to, position))
            self._read("INSERT OR REPLACE INTO verified VALUES (?, ?, '')", (_IDS_TO, position))
            self._ids_to = position
        for name, at in (checkpoints or {}).items():
            self._move(name, at)
        self._at("written")
        return tuple(saved)

    def _append(
        self, stream: str, events: Sequence[NewEvent], expected: ExpectedRevision, position: int, checksum: str
    ) -> tuple[Appended, int, str]:
        current, closed = self._head(stream)
        if closed:
            raise StreamClosed(f"stream {stream!r} was closed at revision {current}: nothing can follow")

        def after(revision: int, limit: int) -> list[Place]:
            rows = self._read(
                "SELECT id, revision, position FROM events WHERE stream=? AND revision>? ORDER BY revision LIMIT ?",
                (stream, revision, limit),
            )
            return [Place(*row) for row in rows]

        asks = expected is NO_STREAM or expected is EXISTS  # only these two ask whether anything can be seen
        gone = asks and current >= 0 and self._hiding(stream).before > current
        repeat = decide(
            stream, expected, current, [event.id for event in events], after, partial(self._find, stream), gone
        )
        if repeat is not None:
            revisions, positions = tuple(each.revision for each in repeat), tuple(each.position for each in repeat)
            return Appended(stream, revisions, positions, True), position, checksum
        rows = rows_of(stream, current, position, events, checksum, self._clock())
        if not rows:
            return Appended(stream, (), (), False), position, checksum
        self._insert(rows)
        count = len(rows)
        self._heads[stream] = (current + count, rows[-1][4] == TOMBSTONE)
        revisions = tuple(range(current + 1, current + 1 + count))
        positions = tuple(range(position + 1, position + 1 + count))
        return Appended(stream, revisions, positions, False), position + count, rows[-1][-1]

    def _find(self, stream: str, id: str) -> Place | None:
        """The newest event of this id in a stream."""
        if self._indexed:
            row = self._read(_FIND, (stream, id)).fetchone()
            return Place(*row) if row else None
        row = self._read(_FIND_NEWER, (self._ids_known(), stream, id)).fetchone()
        row = row or self._read(_FIND_OLDER, (stream, id)).fetchone()
        return Place(*row) if row else None

    def _ids_known(self) -> int:
        """Up to which position ``ids`` goes."""
        if self._ids_to < 0:
            row = self._read("SELECT position FROM verified WHERE point=?", (_IDS_TO,)).fetchone()
            self._ids_to = row[0] if row else 0
        return self._ids_to

    def _head(self, stream: str) -> tuple[int, bool]:
        """The newest revision of a stream, -1 without one, and whether the stream is closed."""
        known = self._heads.get(stream)
        if known is None:
            row = self._hand(_NEWEST, (stream,)).fetchone()
            known = self._heads[stream] = (row[0], row[1] == TOMBSTONE) if row else (-1, False)
        return known

    def _insert(self, rows: Sequence[Row]) -> None:
        """Write rows, many at a time where there are many: a statement costs more than a row."""
        rest = len(rows) % TOGETHER
        for begin in range(0, len(rows) - rest, TOGETHER):
            self._read(_INSERT_MANY, tuple(chained.from_iterable(rows[begin : begin + TOGETHER])))
        for row in rows[len(rows) - rest :]:
            self._hand(_INSERT, row)

    def _move(self, name: str, position: int) -> None:
        """A checkpoint, further on."""
        known = self._checkpoint(name)
        if known is not None and position <= known:
            raise StaleCheckpoint(f"{self.path}: checkpoint {name!r} stands at {known}: {position} is not beyond it")
        row = (name, position, _sum(name, position))
        self._read("INSERT OR REPLACE INTO checkpoints VALUES (?,?,?)", row)

    def checkpoint(self, name: str) -> int | None:
        """Where a subscriber stands; None if it never moved."""
        with self._reading(f"reading checkpoint {name!r}"):
            return self._checkpoint(name)

    def _checkpoint(self, name: str) -> int | None:
        row = self._read("SELECT position, checksum FROM checkpoints WHERE name=?", (name,)).fetchone()
        if row is None:
            return None
        if row[1] != _sum(name, row[0]):
            raise CorruptStore(f"{self.path}: checkpoint {name!r}: its checksum does not fit; nothing was changed")
        return int(row[0])

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot beside the events. It is disposable, and none of the events."""
        row = (*snapshot, self._snapshot_checksum(snapshot))
        insert = "INSERT OR REPLACE INTO snapshots VALUES (?,?,?,?,?)"
        self._write(f"keeping a snapshot of stream {snapshot.stream!r}", lambda: self._read(insert, row))

    def snapshot(self, stream: str) -> Snapshot | None:
        """The newest snapshot of a stream; None if there is none, or if it is not what was kept."""
        with self._reading(f"reading the snapshot of stream {stream!r}"):
            row = self._read("SELECT * FROM snapshots WHERE stream=?", (stream,)).fetchone()
            if row is None:
                return None
            found = Snapshot(*row[:4])
            return found if self._snapshot_checksum(found) == row[4] else None

    def _snapshot_checksum(self, snapshot: Snapshot) -> str:
        """Covers the snapshot and, by its checksum, the event it stands on."""
        row = self._read(
            "SELECT checksum FROM events WHERE stream=? AND revision=?", (snapshot.stream, snapshot.revision)
        ).fetchone()
        return _sum(row[0] if row else "", *snapshot)

    # -- reading ---------------------------------------------------------------------------------------------

    def get_events(
        self, aggregate_id: str, first: int = 0, limit: int = ALL_LIMIT, *, backward: bool = False
    ) -> tuple[RecordedEvent, ...]:
        """A stream from a revision on, without what is hidden."""
        with self._reading(f"reading stream {aggregate_id!r}"):
            hiding = self._hiding(aggregate_id)
            newest = self._revision(aggregate_id) if hiding is not SHOWN or backward else 0
            lowest = hiding.first_seen(0 if backward else first, newest) if hiding is not SHOWN else first
            if backward:
                rows = self._read(
                    "SELECT * FROM events WHERE stream=? AND revision BETWEEN ? AND ? ORDER BY revision DESC LIMIT ?",
                    (aggregate_id, max(lowest, 0) if hiding is not SHOWN else 0, newest if first < 0 else first, limit),
                )
            else:
                rows = self._read(
                    "SELECT * FROM events WHERE stream=? AND revision>=? ORDER BY revision LIMIT ?",
                    (aggregate_id, lowest, limit),
                )
            found = tuple(map(_recorded, rows))
            if hiding.max_age_us:
                now = self._clock()
                return tuple(event for event in found if hiding.shows(event, newest, now))
            return found

    def read_all(self, after: int = 0, limit: int = ALL_LIMIT, *, backward: bool = False) -> tuple[RecordedEvent, ...]:
        """All streams in global order."""
        with self._reading("reading all streams"):
            if backward:
                rows = self._read(
                    "SELECT * FROM events WHERE position<? ORDER BY position DESC LIMIT ?", (after or ALL_LIMIT, limit)
                )
            else:
                rows = self._read("SELECT * FROM events WHERE position>? ORDER BY position LIMIT ?", (after, limit))
            return tuple(map(_recorded, rows))

    def replay(self, after: int = 0) -> Iterator[RecordedEvent]:
        """All streams in global order, a page at a time: a million events need no memory for a million."""
        while True:
            page = self.read_all(after, PAGE)
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].position

    def follow(self, after: int = 0, poll_s: float = 0.01, stop: Callable[[], bool] = bool) -> Iterator[RecordedEvent]:
        """History, then what comes, without a hole between: it ends when ``stop`` says so (by default never)."""
        while not stop():
            page = self.read_all(after, PAGE)
            yield from page
            if page:
                after = page[-1].position
            else:
                time.sleep(poll_s)

    def revision(self, aggregate_id: str) -> int:
        """The newest revision, -1 without a stream."""
        with self._reading(f"reading stream {aggregate_id!r}"):
            return self._revision(aggregate_id)

    def head(self) -> int:
        """The newest position."""
        with self._reading("reading its head"):
            return int(self._one("SELECT max(position) FROM events") or 0)

    def streams(self) -> tuple[tuple[str, int], ...]:
        """Every stream and its newest revision."""
        with self._reading("listing streams"):
            return tuple(self._read("SELECT stream, max(revision) FROM events GROUP BY stream ORDER BY stream"))

    def integrity(self, *, tail: bool = False, anchor: tuple[int, str] | None = None) -> Integrity:
        """Read everything and verify it, or what follows the point a full verification has noted.

        ``anchor`` is a head (position, checksum) somebody kept elsewhere: a store that was cut off before it, or
        rewritten as a whole, has a chain that is intact and still not this one.
        """
        library = library_report()
        with self._reading("verifying it"):
            try:
                self.structure()
            except CorruptStore as error:
                return Integrity(False, str(error).removeprefix(f"{self.path}: "), 0, 0, "", library)
            check, anchored = ChainCheck(), anchor is None or anchor[0] == 0
            for name, position, kept in self._read("SELECT name, position, checksum FROM checkpoints").fetchall():
                if kept != _sum(name, position):
                    return Integrity(False, f"checkpoint {name!r}: its checksum does not fit", 0, 0, "", library)
            point = self._read("SELECT position, checksum FROM verified WHERE point=0").fetchone() if tail else None
            if point is not None:
                check = ChainCheck(*point)
            for event in self._rows_after(check.position):
                broken = check.feed(event)
                if broken is not None:
                    return Integrity(False, str(broken), check.position, check.position, check.checksum, library)
                anchored = anchored or (check.position, check.checksum) == anchor
        if not anchored and anchor is not None:
            said = f"the head that was kept elsewhere, position {anchor[0]}, is not in this chain"
            return Integrity(False, said, check.position, check.position, check.checksum, library)
        since = f" from position {point[0]} on" if point is not None else ""
        said = f"{check.position} events, chain intact{since}"
        return Integrity(True, said, check.position, check.position, check.checksum, library)

    def structure(self) -> str:
        """Verify the structure of the database, its indexes included; the library it was done with. CorruptStore."""
        with self._reading("verifying its structure"):
            rows = (str(row[0]) for row in self._read("PRAGMA integrity_check(5)"))
            wrong = "; ".join(line for row in rows for line in row.splitlines())  # one row may be several lines
            if wrong != "ok":
                raise CorruptStore(f"{self.path}: the database is damaged: {wrong}"[:500])
            if not self._indexed and self._one(_IDS_WRONG):
                raise CorruptStore(f"{self.path}: the table of ids is not that of the events")
        return library_report()

    def _rows_after(self, position: int) -> Iterator[RecordedEvent]:
        self._db.text_factory = _text
        try:
            cursor = self._read("SELECT * FROM events NOT INDEXED WHERE position>? ORDER BY position", (position,))
            while rows := cursor.fetchmany(PAGE):
                yield from map(RecordedEvent._make, rows)
        finally:
            self._db.text_factory = str

    # -- inside ----------------------------------------------------------------------------------------------

    def _one(self, sql: str) -> Any:
        return self._read(sql).fetchone()[0]

    def _at(self, point: str) -> None:
        if self._point is not None:
            self._point(point)

    def _revision(self, stream: str) -> int:
        found = self._read("SELECT max(revision) FROM events WHERE stream=?", (stream,)).fetchone()[0]
        return -1 if found is None else int(found)

    def _hiding(self, stream: str) -> Hiding:
        """What ``$$stream`` says. Streams of that kind stand together in the index, so "none at all" is one look."""
        if self._read("SELECT 1 FROM events WHERE stream>='$$' AND stream<'$%' LIMIT 1").fetchone() is None:
            return SHOWN
        row = self._read(
            "SELECT * FROM events WHERE stream=? ORDER BY revision DESC LIMIT 1", ("$$" + stream,)
        ).fetchone()
        return hiding_of(RecordedEvent._make(row) if row else None)

    @contextmanager
    def _reading(self, doing: str) -> Iterator[None]:
        with self._mutex, _told(self.path, doing):
            yield

    def _take_turn(self, doing: str) -> None:
        """Wait for this writer's turn among all processes. BusyStore if it does not come."""
        deadline = 0.0
        while self._lock_fd >= 0:
            try:
                fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                now = time.monotonic()
                deadline = deadline or now + self.timeout_s
                if now >= deadline:
                    raise BusyStore(
                        f"{self.path}: {doing}: another writer held it for {self.timeout_s:g} s; nothing was written, "
                        "try again"
                    ) from None
                time.sleep(0.0005)

    @contextmanager
    def _turn(self, doing: str) -> Iterator[None]:
        self._take_turn(doing)
        try:
            yield
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        if self._lock_fd >= 0:
            fcntl.flock(self._lock_fd, fcntl.LOCK_UN)

    def _write(self, doing: str, work: Callable[[], T]) -> T:
        """A transaction: this writer's turn, from the first look to the end of the commit.

        One function and no context managers: between two syncs of the disk their generators are a cost.
        """
        if self.read_only:
            raise ReadOnlyStore(f"{self.path}: {doing}: the store was opened for reading")
        with self._mutex:
            try:
                self._take_turn(doing)
                try:
                    self._hand("BEGIN IMMEDIATE")
                    result = work()
                    self._hand("COMMIT")
                    return result
                except BaseException:
                    self._last = None  # what is kept in mind may be of this transaction
                    if self._db.in_transaction:
                        self._hand("ROLLBACK")
                    raise
                finally:
                    self._end_turn()
            except sqlite3.ProgrammingError:
                raise
            except _DAMAGE as error:
                raise _meaning(error, self.path, doing) from error


def _sum(*fields: object) -> str:
    return blake2b("\x1f".join(map(str, fields)).encode(errors="replace"), digest_size=16).hexdigest()


def _text(raw: bytes) -> str | bytes:
    """Text as it is verified: what was damaged is no reason to fail before the chain can say where. It stays bytes, and
    does not fit.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


@contextmanager
def _told_os(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotAStore(
            f"{path}: {error.strerror}: a writer needs a folder that exists and that it may write to, also for the "
            f"lock beside the file"
        ) from error


@contextmanager
def _told(path: str, doing: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # a closed store, a mistake of the caller: nothing is wrong with the file
    except _DAMAGE as error:
        raise _meaning(error, path, doing) from error


def _meaning(error: Exception, path: str, doing: str) -> Exception:
    """What SQLite raises, as what it means."""
    said = f"{path}: {doing}: {error}"
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return BusyStore(f"{said}: another connection holds it; nothing was written, try again")
    if name.startswith("SQLITE_FULL") or name == "SQLITE_IOERR_WRITE":
        return FullStore(f"{said}: nothing of it was written, what was acknowledged before is safe")
    if name.startswith("SQLITE_NOTADB"):
        return NotAStore(f"{path}: not a SQLite file: a SQLite event store is needed")
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
        return ReadOnlyStore(f"{said}: a file and folder are needed that may be opened")
    return CorruptStore(f"{said}; nothing was changed")


def _check_magic(path: str) -> None:
    with _told_os(path), open(path, "rb") as file:
        start = file.read(16)
    if start and start != b"SQLite format 3\0":
        raise NotAStore(f"{path}: byte 0: not a SQLite file (it begins with {start[:8]!r}): an event store is needed")


__all__ = ["APPLICATION_ID", "SCHEMA", "SqliteStore", "library_report"]
