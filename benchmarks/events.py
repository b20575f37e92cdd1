"""The SQLite store against raw SQLite and against the ``eventsourcing`` package, in turns, in one run, on one disk.

All of them append the same event (about 60 bytes of JSON) to files in one folder, in WAL mode. Raw SQLite is one table
with a global position and a key on (stream, revision), ``synchronous=FULL``, BEGIN IMMEDIATE, INSERT, COMMIT: the floor
of a durable append. It keeps three columns; the *equal* one keeps all that ours keeps of an event (id, type, version,
metadata, room for a checksum; 14 columns), made up beforehand, and still looks at nothing. The target is against the
first, which does less.
``eventsourcing`` is its event store as it comes, mapper (JSON) and ``SQLiteApplicationRecorder``: events in, events
out, as with ours, whose part of that is JSON, metadata and checksums. Its ``synchronous`` is asked and printed. Replay
reads every event and looks at its data; what their recorder alone reads, without their mapper, has no target.
Ours verifies the chain when a file is opened: that is printed as well.
"""

import gc
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import UUID, uuid4

from eventsourcing.domain import Aggregate
from eventsourcing.persistence import DatetimeAsISO, EventStore, JSONTranscoder, Mapper, UUIDAsHex
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from engines.event_sourcing import ACCOUNT, ANY, NO_STREAM, MemorySnapshots, NewEvent, Repository, Snapshot, SqliteStore
from engines.event_sourcing.account import Account
from engines.event_sourcing.events import GENESIS
from engines.event_sourcing.sqlite_store import TABLES

ROUNDS: Final = 5
SINGLES: Final = 100
"""Single appends of a turn: so few that all take their turns within one mood of the disk."""
TURNS: Final = 30
BATCH: Final = 1_000
BATCHES: Final = 5
FOLDS: Final = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
EVERY: Final = 100
DATA: Final = {"amount": 42, "currency": "EUR", "note": "a bench"}
TEXT: Final = json.dumps(DATA)
NOW: Final = 1_700_000_000_000_000
TARGETS: Final = {"single": 0.8, "batched": 2.0, "replay": 3.0}


def seconds(work: Callable[[], object]) -> float:
    """How long it takes, from a clean heap."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Raw:
    """SQLite and nothing else."""

    TABLE: tuple[str, ...] = (
        "CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT, revision INTEGER, body TEXT, "
        "UNIQUE (stream, revision))",
    )

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=FULL")
        for statement in self.TABLE:
            self.db.execute(statement)
        self.revision = -1

    def append(self, count: int, batch: int) -> None:
        """So many batches."""
        insert = "INSERT INTO events (stream, revision, body) VALUES (?,?,?)"
        for _ in range(count):
            rows = [("s", self.revision + 1 + n, TEXT) for n in range(batch)]
            self.revision += batch
            self.db.execute("BEGIN IMMEDIATE")
            self.db.executemany(insert, rows)
            self.db.execute("COMMIT")


class Equal(Raw):
    """SQLite and nothing else, with as much in a row as ours has."""

    TABLE = TABLES[:2]

    def append(self, count: int, batch: int) -> None:
        """So many batches."""
        insert = f"INSERT INTO events VALUES ({','.join('?' * 14)})"
        for _ in range(count):
            start = self.revision + 1
            rows = [
                (n + 1, "account-1", n, f"e{n}", "MoneyDeposited", 3, TEXT, "", NOW, "", "", "", "", GENESIS)
                for n in range(start, start + batch)
            ]
            self.revision += batch
            self.db.execute("BEGIN IMMEDIATE")
            self.db.executemany(insert, rows)
            self.db.execute("COMMIT")


class Ours:
    """The store."""

    def __init__(self, path: Path) -> None:
        self.store = SqliteStore(str(path))
        self.number = 0
        self.revision = -1

    def append(self, count: int, batch: int) -> None:
        """So many batches, with the expected revision each."""
        for _ in range(count):
            events = [NewEvent(f"e{self.number + n}", "MoneyDeposited", DATA, 3) for n in range(batch)]
            self.number += batch
            self.store.save_events("account-1", events, self.revision if self.revision >= 0 else NO_STREAM)
            self.revision += batch

    def replay(self) -> int:
        """Every event and its data."""
        return sum(event.data["amount"] for event in self.store.replay())


class Deposited(Aggregate.Event):
    """The event, as their users write it."""

    amount: int
    currency: str
    note: str


class Theirs:
    """The ``eventsourcing`` package: its event store, that is its mapper and its recorder."""

    def __init__(self, path: Path) -> None:
        self.datastore = SQLiteDatastore(str(path))
        self.recorder = SQLiteApplicationRecorder(self.datastore)
        self.recorder.create_table()
        transcoder = JSONTranscoder()
        for each in (UUIDAsHex(), DatetimeAsISO()):
            transcoder.register(each)
        self.mapper: Mapper[UUID] = Mapper(transcoder)
        self.store: EventStore[UUID] = EventStore(self.mapper, self.recorder)
        self.id: UUID = uuid4()
        self.version = 0

    @property
    def synchronous(self) -> str:
        """How it syncs."""
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute("PRAGMA synchronous")
            return {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}[cursor.fetchone()[0]]

    def append(self, count: int, batch: int) -> None:
        """So many batches."""
        for _ in range(count):
            self.store.put([
                Deposited(
                    originator_id=self.id, originator_version=self.version + n,
                    timestamp=Deposited.create_timestamp(), **DATA,
                )
                for n in range(batch)
            ])  # fmt: skip
            self.version += batch

    def replay(self) -> int:
        """Every event and its data."""
        events: Any = self.store.get(self.id)
        return sum(event.amount for event in events)

    def rows(self) -> int:
        """The stored rows alone, without the mapper."""
        total, start = 0, 0
        while page := self.recorder.select_notifications(start, 1_000, inclusive_of_start=False):
            total += len(page)
            start = page[-1].id
        return total


@dataclass(frozen=True, slots=True)
class Result:
    """Events a second; the best of several alternating rounds, of single appends of many short ones."""

    single: dict[str, float]
    batched: dict[str, float]
    replay: dict[str, float]
    rows: float
    verify: float
    synchronous: str

    def lines(self) -> list[str]:
        """For people."""
        single = self.single["ours"] / self.single["raw"]
        batched = self.batched["ours"] / self.batched["theirs"]
        replay = self.replay["ours"] / self.replay["theirs"]
        return [
            f"events: single durable appends {self.single['ours']:,.0f}/s, raw SQLite WAL (FULL) "
            f"{self.single['raw']:,.0f}/s: {single:.2f} (target {TARGETS['single']}), with rows as full as ours "
            f"{self.single['equal']:,.0f}/s: {self.single['ours'] / self.single['equal']:.2f}; "
            f"eventsourcing ({self.synchronous}) {self.single['theirs']:,.0f}/s: "
            f"{self.single['ours'] / self.single['theirs']:.2f}x",
            f"events: batches of {BATCH:,}: {self.batched['ours']:,.0f}/s, "
            f"eventsourcing {self.batched['theirs']:,.0f}/s: {batched:.1f}x (target {TARGETS['batched']:g}x); "
            f"raw {self.batched['raw']:,.0f}/s",
            f"events: replay {self.replay['ours']:,.0f}/s, eventsourcing {self.replay['theirs']:,.0f}/s: {replay:.1f}x "
            f"(target {TARGETS['replay']:g}x); its recorder alone {self.rows:,.0f}/s; "
            f"opening verifies {self.verify:,.0f} events/s",
        ]  # fmt: skip


def without_disk() -> str:
    """The same batches where a sync costs nothing: what the programs themselves cost."""
    if not Path("/dev/shm").is_dir():
        return "events: no /dev/shm here: batches without a disk were not measured"
    best: dict[str, float] = {}
    with TemporaryDirectory(dir="/dev/shm") as folder:
        makers: dict[str, Callable[[Path], Any]] = {"ours": Ours, "theirs": Theirs}
        stores = {name: make(Path(folder) / f"{name}.db") for name, make in makers.items()}
        for _ in range(ROUNDS):
            for name, store in stores.items():
                took = seconds(lambda s=store: s.append(BATCHES, BATCH))  # type: ignore[misc]
                best[name] = max(best.get(name, 0), BATCHES * BATCH / took)
        stores["ours"].store.close()
        stores["theirs"].datastore.close()
    return (f"events: batches of {BATCH:,} in memory (/dev/shm): {best['ours']:,.0f}/s, eventsourcing "
            f"{best['theirs']:,.0f}/s: {best['ours'] / best['theirs']:.1f}x")  # fmt: skip


def measure() -> Result:
    """All three, in turns."""
    batched: dict[str, float] = {}
    replay: dict[str, float] = {}
    with TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        makers: dict[str, Callable[[Path], Any]] = {"raw": Raw, "equal": Equal, "ours": Ours, "theirs": Theirs}
        stores = {name: make(Path(folder) / f"{name}.db") for name, make in makers.items()}
        turns: dict[str, list[float]] = {name: [] for name in stores}
        for _ in range(TURNS):
            for name, store in stores.items():
                turns[name].append(seconds(lambda s=store: s.append(SINGLES, 1)))  # type: ignore[misc]
        single = {name: SINGLES / min(each) for name, each in turns.items()}
        for _ in range(ROUNDS):
            for name, store in stores.items():
                took = seconds(lambda s=store: s.append(BATCHES, BATCH))  # type: ignore[misc]
                batched[name] = max(batched.get(name, 0), BATCHES * BATCH / took)
        count = TURNS * SINGLES + ROUNDS * BATCHES * BATCH
        for _ in range(ROUNDS):
            for name in ("ours", "theirs"):
                replay[name] = max(replay.get(name, 0), count / seconds(stores[name].replay))
        verify = count / seconds(lambda: stores["ours"].store.integrity())
        rows = count / seconds(stores["theirs"].rows)
        synchronous = stores["theirs"].synchronous
        stores["ours"].store.close()
        stores["theirs"].datastore.close()
        stores["raw"].db.close()
        stores["equal"].db.close()
    return Result(single, batched, replay, rows, verify, synchronous)


def folding() -> Iterator[str]:
    """What a state costs, with and without snapshots, and the memory of a replay."""
    with TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        path = str(Path(folder) / "long.db")
        with SqliteStore(path, verify="none") as store:
            written = 0
            for size in FOLDS:
                while written < size:
                    count = min(5_000, size - written)
                    events = [NewEvent(f"e{written + n}", "MoneyDeposited", DATA, 3) for n in range(count)]
                    store.save_events("account-1", events, ANY if written else NO_STREAM)
                    written += count
                snapshots = MemorySnapshots()
                bare: Repository[Account] = Repository(store, ACCOUNT)
                kept: Repository[Account] = Repository(store, ACCOUNT, snapshots, EVERY)
                zero = seconds(lambda r=bare: r.load("account-1"))  # type: ignore[misc]
                state = bare.load("account-1").state if size <= 100_000 else Account("", size * 42, "absent", size)
                behind = min(size - 1, EVERY // 2)
                half = Account(state.owner, state.balance - behind * 42, state.status, state.movements - behind)
                plain = json.dumps(ACCOUNT.to_plain(half))
                snapshots.save_snapshot(Snapshot("account-1", size - 1 - behind, 1, plain))
                assert kept.load("account-1").replayed == behind
                short = seconds(lambda r=kept: r.load("account-1"))  # type: ignore[misc]
                yield (f"events: folding {size:>9,} events {zero * 1e3:>9,.2f} ms, with a snapshot every {EVERY} "
                       f"{short * 1e3:.2f} ms")  # fmt: skip
        yield f"events: {memory(path)}"


def memory(path: str) -> str:
    """What a process needs that replays all of it."""
    code = (
        "import sys, time; from engines.event_sourcing import SqliteStore\n"
        "peak = lambda: next(int(l.split()[1]) for l in open('/proc/self/status') if l.startswith('VmHWM'))\n"
        "base = peak()\n"
        "with SqliteStore(sys.argv[1], read_only=True, verify='none') as s:\n"
        "    start = time.perf_counter(); n = sum(1 for _ in s.replay()); took = time.perf_counter() - start\n"
        "print(n, took, base, peak())"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    count, took, base, peak = map(float, done.stdout.split())
    return (
        f"replaying {count:,.0f} events takes {took:.1f} s and {(peak - base) / 1024:.0f} MB above {base / 1024:.0f} MB"
    )


def lines() -> list[str]:
    """Everything."""
    return [*measure().lines(), without_disk(), *folding()]
