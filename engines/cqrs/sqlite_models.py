"""Read models in one SQLite file, beside the events or far from them: rows, position and checkpoint in one transaction.

Everything in this file can be thrown away and folded again, so it is written with ``synchronous=NORMAL``: a power cut
may take the last commits, and takes the position with them, so nothing is lost and nothing counted twice. Inside a
transaction, rows are kept in memory and written at its end, many to a statement: a page of events costs one commit.

A version of a projection has a table of its own (``order_summary_v1``), and one row of ``served`` says which is read:
a swap is one update. One process writes; others read with ``read_only`` and see each commit as a whole (``reading``).
``inbox`` notes (consumer, message id) in the transaction of the effect, for effects that are rows of this file.
"""

import base64
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, get_type_hints

from engines.cqrs.deployment import Deployment
from engines.cqrs.errors import CqrsError, NotReadModels, UnknownProjection
from engines.cqrs.projections import Model, Projection, Row
from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.subscriptions import Parked

APPLICATION_ID: Final = 0x64706371
"""``dpcq`` in the header of the file."""
SCHEMA: Final = 1
TABLES: Final = (
    "CREATE TABLE models (name TEXT, version INTEGER, position INTEGER NOT NULL, PRIMARY KEY (name, version))",
    "CREATE TABLE served (name TEXT PRIMARY KEY, version INTEGER NOT NULL)",
    "CREATE TABLE seen (model TEXT, stream TEXT, revision INTEGER NOT NULL, PRIMARY KEY (model, stream)) WITHOUT ROWID",
    "CREATE TABLE parked (number INTEGER PRIMARY KEY, model TEXT NOT NULL, event TEXT NOT NULL, error TEXT NOT NULL, "
    "attempts INTEGER NOT NULL)",
    "CREATE TABLE held (model TEXT, stream TEXT, revision INTEGER NOT NULL, PRIMARY KEY (model, stream)) WITHOUT ROWID",
    "CREATE TABLE inbox (consumer TEXT, message TEXT, PRIMARY KEY (consumer, message)) WITHOUT ROWID",
)
_KINDS: Final = {int: "INTEGER", str: "TEXT"}


class SqliteModels:
    """The file."""

    def __init__(self, path: str, *, read_only: bool = False, timeout_s: float = 5.0) -> None:
        """Open or create. NotReadModels if the file is something else."""
        self.path = path
        self.read_only = read_only
        self.writing = False
        """A transaction is open."""
        self._touched: list[SqliteModel] = []
        """Models that the transaction has written to: what they keep in memory is wrong if it is taken back."""
        if "\0" in path or os.path.isdir(path):
            raise NotReadModels(f"{path!r}: a path of a file is needed")
        if read_only and not os.path.exists(path):
            raise NotReadModels(f"{path}: no such file: read models of this program are needed")
        uri = "file:" + path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        with self.told("opening it"):
            self._db = sqlite3.connect(
                uri + ("?mode=ro" if read_only else "?mode=rwc"), uri=True, timeout=timeout_s, isolation_level=None
            )
        try:
            with self.told("opening it"):
                self._check_kind()
        except BaseException:
            self.close()
            raise

    def _check_kind(self) -> None:
        application = self.one("PRAGMA application_id")
        tables = self.one("SELECT count(*) FROM sqlite_master")
        if not tables and not application and not self.read_only:
            self._db.execute("PRAGMA journal_mode=WAL")
            with self.transaction():
                for table in TABLES:
                    self._db.execute(table)
                self._db.execute(f"PRAGMA application_id={APPLICATION_ID}")
                self._db.execute(f"PRAGMA user_version={SCHEMA}")
            application = APPLICATION_ID
        if application != APPLICATION_ID:
            raise NotReadModels(
                f"{self.path}: another program's database (application id {application:#x}): read models of this "
                "program are needed, or a file that does not exist yet"
            )
        version = self.one("PRAGMA user_version")
        if version != SCHEMA:
            raise NotReadModels(
                f"{self.path}: schema {version}, known is {SCHEMA}: delete it and fold the events again"
            )
        if not self.read_only:
            self._db.execute("PRAGMA synchronous=NORMAL")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> "SqliteModels":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- versions --------------------------------------------------------------------------------------------------

    def model(self, projection: Projection) -> "SqliteModel":
        """The rows of a version, empty if they are new."""
        return SqliteModel(self, projection)

    def models(self) -> str:
        """What is in the file, in words."""
        there = self.all("SELECT name, version FROM models ORDER BY name, version")
        return (", ".join(f"{name} version {version}" for name, version in there) or "nothing") + " is there"

    def deployment(self, *versions: Projection) -> Deployment:
        """A projection as it was served last; at first the first of these versions."""
        name = versions[0].name
        with self.told(f"opening {name}"):
            row = self._db.execute("SELECT version FROM served WHERE name=?", (name,)).fetchone()
        known = {each.version: each for each in versions}
        if row is not None and row[0] not in known:
            raise NotReadModels(f"{self.path}: {name} is served in version {row[0]}: {sorted(known)} are known")
        live = self.model(known[row[0]] if row is not None else versions[0])
        if row is None and not self.read_only:
            self.serve(live)
        return Deployment(live, self.model, self.serve)

    def serve(self, model: Model) -> None:
        """From now on readers are sent to this version."""
        with self.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO served VALUES (?,?)", (model.projection.name, model.projection.version)
            )

    def take(self, consumer: str, message: str) -> bool:
        """Note a message in the inbox, in the transaction of its effect. False: it was taken before."""
        assert self.writing, "in the transaction of the effect"
        done = self._db.execute("INSERT OR IGNORE INTO inbox VALUES (?,?)", (consumer, message))
        return done.rowcount == 1

    # -- inside ----------------------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is done inside is durable as a whole, or not at all. Inside another one it is part of that."""
        if self.writing:
            yield
            return
        with self.told("writing"):
            self._db.execute("BEGIN IMMEDIATE")
            self.writing = True
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                for model in self._touched:
                    model.reload()
                raise
            finally:
                self.writing = False
                self._touched = []

    def touch(self, model: "SqliteModel") -> None:
        """This model is part of the transaction."""
        if model not in self._touched:
            self._touched.append(model)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """What is read inside is of one moment: rows and position fit together."""
        if self._db.in_transaction:
            yield
            return
        with self.told("reading"):
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.execute("COMMIT")

    def first(self, sql: str, values: tuple[Any, ...] = ()) -> Any:
        """The first row, or None."""
        try:
            return self._db.execute(sql, values).fetchone()
        except sqlite3.Error:
            with self.told("reading"):
                raise

    def one(self, sql: str, values: tuple[Any, ...] = ()) -> Any:
        """The first field of the first row, or None."""
        row = self._db.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def all(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """Rows."""
        with self.told("reading"):
            return self._db.execute(sql, values).fetchall()

    def run(self, sql: str, values: tuple[Any, ...] = ()) -> None:
        """A statement of a transaction."""
        self._db.execute(sql, values)

    def many(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """A statement of a transaction, for each of many rows."""
        self._db.executemany(sql, rows)

    @contextmanager
    def told(self, doing: str) -> Iterator[None]:
        """What SQLite raises, as what it means."""
        try:
            yield
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "") or ""
            said = f"{self.path}: {doing}: {error}"
            if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                raise CqrsError(f"{said}: another connection holds it; nothing was written, try again") from error
            if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
                raise NotReadModels(f"{said}: a file and folder are needed that may be opened") from error
            if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
                raise CqrsError(f"{said}: nothing of it was written") from error
            raise NotReadModels(
                f"{said}: read models can be thrown away: delete it and fold the events again"
            ) from error


class SqliteModel:
    """The rows of one version of a projection."""

    def __init__(self, file: SqliteModels, projection: Projection) -> None:
        self.file = file
        self.projection = projection
        self.parked: list[Parked] = []
        self.held: dict[str, int] = {}
        self._position = 0
        self._fresh: dict[Any, Row] = {}
        """Rows of the transaction that goes on."""
        self._saw: dict[str, int] = {}
        with file.told(f"opening {projection.name}"):
            self._name()
            if not file.read_only:
                with file.transaction():
                    self._create()
            elif not file.one("SELECT 1 FROM models WHERE name=? AND version=?", (projection.name, projection.version)):
                raise UnknownProjection(
                    f"{file.path}: no {projection.name} version {projection.version}: {file.models()}"
                )
            self.reload()

    def _name(self) -> None:
        columns = self.projection.columns
        table = f"{self.projection.name}_v{self.projection.version}"
        assert all(name.isidentifier() for name in (table, *columns))
        self.table = table
        self._by = f'"{self.projection.by}"'
        self._key = f'"{columns[0]}"'
        self._get = f"SELECT * FROM {table} WHERE {self._key}=?"
        self._put = f"INSERT OR REPLACE INTO {table} VALUES ({','.join('?' * len(columns))})"
        self._row = self.projection.row._make

    def _create(self) -> None:
        kinds = get_type_hints(self.projection.row)
        columns = [f'"{name}" {_KINDS[kinds[name]]} NOT NULL' for name in self.projection.columns]
        self.file.run(
            f"CREATE TABLE IF NOT EXISTS {self.table} ({', '.join(columns)}, PRIMARY KEY ({self._key})) WITHOUT ROWID"
        )
        if self.projection.by:
            self.file.run(f"CREATE INDEX IF NOT EXISTS {self.table}_by ON {self.table} ({self._by}, {self._key})")
        self.file.run("INSERT OR IGNORE INTO models VALUES (?,?,0)", (self.projection.name, self.projection.version))

    def reload(self) -> None:
        """What the file says, of all that is also kept in memory."""
        self._fresh, self._saw = {}, {}
        self._position = self._stored()
        rows = self.file.all("SELECT event, error, attempts FROM parked WHERE model=? ORDER BY number", (self.table,))
        self.parked = [Parked(_event(text), error, attempts) for text, error, attempts in rows]
        self.held = dict(self.file.all("SELECT stream, revision FROM held WHERE model=?", (self.table,)))

    def _stored(self) -> int:
        values = (self.projection.name, self.projection.version)
        return int(self.file.one("SELECT position FROM models WHERE name=? AND version=?", values) or 0)

    @property
    def position(self) -> int:
        """Of the last event that was applied or skipped."""
        return self._stored() if self.file.read_only else self._position

    def advance(self, position: int) -> None:
        """Move the position."""
        self._position = position

    def seen(self, stream: str) -> int:
        """The newest revision that was applied."""
        fresh = self._saw.get(stream)
        if fresh is not None:
            return fresh
        found = self.file.one("SELECT revision FROM seen WHERE model=? AND stream=?", (self.table, stream))
        return -1 if found is None else int(found)

    def saw(self, stream: str, revision: int) -> None:
        """It was applied."""
        self._saw[stream] = revision

    def get(self, key: Any) -> Any:
        """The row, or None."""
        fresh = self._fresh.get(key)
        if fresh is not None:
            return fresh
        found = self.file.first(self._get, (key,))
        return self._row(found) if found is not None else None

    def put(self, row: Row) -> None:
        """Write a row, with the transaction that goes on."""
        assert self.file.writing, "in a transaction"
        self._fresh[row[0]] = row

    def find(self, value: Any) -> tuple[Any, ...]:
        """Rows by the second key."""
        self._flush()
        if not self.projection.by:
            return ()
        found = self.file.all(f"SELECT * FROM {self.table} WHERE {self._by}=? ORDER BY {self._key}", (value,))
        return tuple(map(self._row, found))

    def rows(self) -> tuple[Any, ...]:
        """All rows."""
        self._flush()
        return tuple(map(self._row, self.file.all(f"SELECT * FROM {self.table} ORDER BY {self._key}")))

    def count(self) -> int:
        """How many there are."""
        self._flush()
        return int(self.file.one(f"SELECT count(*) FROM {self.table}"))

    def park(self, parked: Parked, hold: bool) -> None:
        """Put an event aside."""
        self.parked.append(parked)
        values = (self.table, _text(parked.event), parked.error, parked.attempts)
        self.file.run("INSERT INTO parked (model, event, error, attempts) VALUES (?,?,?,?)", values)
        if hold and parked.event.stream not in self.held:
            self.held[parked.event.stream] = parked.event.revision
            self.file.run("INSERT INTO held VALUES (?,?,?)", (self.table, parked.event.stream, parked.event.revision))

    def unpark(self) -> list[Parked]:
        """Take out what was put aside."""
        found, self.parked, self.held = self.parked, [], {}
        for table in ("parked", "held"):
            self.file.run(f"DELETE FROM {table} WHERE model=?", (self.table,))
        return found

    def reset(self, projection: Projection | None = None) -> None:
        """Begin anew: readers see an empty table from here on."""
        with self.file.transaction():
            self.file.run(f"DROP TABLE {self.table}")
            for table in ("seen", "parked", "held"):
                self.file.run(f"DELETE FROM {table} WHERE model=?", (self.table,))
            before = (self.projection.name, self.projection.version)
            self.file.run("DELETE FROM models WHERE name=? AND version=?", before)
            self.projection = projection if projection is not None else self.projection
            self._name()
            self._create()
            served = (self.projection.version, *before)
            self.file.run("UPDATE served SET version=? WHERE name=? AND version=?", served)
        self.reload()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Rows, position and what was seen, durable as a whole."""
        with self.file.transaction():
            self.file.touch(self)
            yield
            self._flush()
            values = (self._position, self.projection.name, self.projection.version)
            self.file.run("UPDATE models SET position=? WHERE name=? AND version=?", values)

    def _flush(self) -> None:
        if self._fresh:
            self.file.many(self._put, list(self._fresh.values()))
            self._fresh = {}
        if self._saw:
            rows = [(self.table, stream, revision) for stream, revision in self._saw.items()]
            self.file.many("INSERT OR REPLACE INTO seen VALUES (?,?,?)", rows)
            self._saw = {}


def _text(event: RecordedEvent) -> str:
    body = event.body
    if isinstance(body, bytes):
        event, body = event._replace(body=""), base64.b64encode(body).decode()
        return json.dumps([*event, body])
    return json.dumps([*event])


def _event(text: str) -> RecordedEvent:
    fields = json.loads(text)
    count = len(RecordedEvent._fields)
    event = RecordedEvent(*fields[:count])
    return event if len(fields) == count else event._replace(body=base64.b64decode(fields[count]))


__all__ = ["APPLICATION_ID", "SqliteModel", "SqliteModels"]
