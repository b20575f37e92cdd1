"""The user's events: our store, the SQLite files of two other libraries (read-only), JSON lines and CloudEvents."""

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from engines.errors import UserError
from engines.event_sourcing.demo import EVENTS, batches
from engines.event_sourcing.events import Broken, ChainCheck, RecordedEvent
from engines.event_sourcing.formats import from_emmett, from_eventsourcing, read_lines
from engines.event_sourcing.recorded import GAPLESS, INTACT, VARIANT, source
from engines.event_sourcing.sqlite_store import APPLICATION_ID, SqliteStore, library_report
from engines.event_sourcing.sqlite_wal import wal_damage
from engines.event_sourcing.store import Integrity
from engines.sim.digest import Digest
from engines.sim.pattern import Check
from tui.kit.words import plural
from tui.options import DataOptions
from tui.progress import Progress
from tui.userdata.common import (
    Hashed,
    Opening,
    check_lines,
    echo_json,
    head_json,
    name_of,
    open_data,
    size_of,
)

MINE: Final = ("--skip-bad",)
MAGIC: Final = b"SQLite format 3\0"
KINDS: Final = "a store of this program, of the eventsourcing package (stored_events) or of Emmett (emt_messages)"
SHOWN: Final = 12
DEMO_BATCH: Final = 200
_EMMETT: Final = (
    "global_position", "stream_id", "stream_position", "message_id", "message_type", "message_schema_version",
    "message_data", "message_metadata", "created",
)  # fmt: skip


def _accept(options: DataOptions) -> None:
    others = [name for name in options.given if name not in MINE]
    if options.nodes is not None:
        others.insert(0, "--nodes")
    if others:
        raise UserError(f"{others[0]}: a file of events takes {', '.join(MINE)}")


class Found(NamedTuple):
    """A file, opened: what it is and its events, as they are read."""

    kind: str
    events: Iterator[RecordedEvent]
    chained: bool
    """Whether they carry checksums."""
    library: str


class Skips:
    """How many bad lines were left out."""

    def __init__(self) -> None:
        self.count = 0

    def one(self) -> None:
        """One more."""
        self.count += 1


@contextlib.contextmanager
def opened(file: str, options: DataOptions, skips: Skips) -> Iterator[tuple[Found, Hashed | None]]:
    """The events of a FILE. UserError if it is none of the kinds that are read."""
    _accept(options)
    name = name_of(file)
    if file != "-" and is_sqlite(file):
        with open_sqlite(file) as found:
            yield found, None
        return
    with Progress(name, "bytes", size_of(file)) as progress, open_data(file) as stream:
        hashed = Hashed(stream, progress)
        _check_text(hashed.stream, name)
        yield Found("JSON lines", read_lines(hashed.stream, name, options.skip_bad, skips.one), False, ""), hashed


def _check_text(stream: Any, name: str) -> None:
    """UserError unless the stream begins as JSON does."""
    start = stream.peek(16)[:16]
    if start.startswith(MAGIC):
        raise UserError(f"{name}: a SQLite file cannot be read from a pipe: name the file")
    if start and not start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        raise UserError(
            f"{name}: byte 0: neither a SQLite file nor JSON (it begins with {start[:8]!r}): JSON lines, CloudEvents, "
            f"or {KINDS} is read"
        )


def is_sqlite(file: str) -> bool:
    """Whether a FILE is a database."""
    with open_data(file) as stream:
        return stream.read(16) == MAGIC


@contextlib.contextmanager
def open_sqlite(file: str, accepted: str = f"{KINDS} is read") -> Iterator[Found]:
    """A database, read-only. Nothing is written beside it if nobody has it open. ``accepted`` ends what is said of one
    that is none of the three."""
    quiet = not os.path.exists(f"{file}-wal") and not os.path.exists(f"{file}-journal")
    uri = "file:" + file.replace("%", "%25").replace("?", "%3f").replace("#", "%23") + "?mode=ro"
    with _told(file):
        db = sqlite3.connect(uri + ("&immutable=1" if quiet else ""), uri=True, timeout=2.0, isolation_level=None)
        try:
            db.execute("PRAGMA mmap_size=0")
            tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY name")]
            application = db.execute("PRAGMA application_id").fetchone()[0]
            if application == APPLICATION_ID:
                with _ours(file, quiet) as found:
                    yield found
            elif "stored_events" in tables:
                yield Found("eventsourcing", from_eventsourcing(_stored_events(db)), False, library_report())
            elif "emt_messages" in tables:
                rows = db.execute(f"SELECT {', '.join(_EMMETT)} FROM emt_messages ORDER BY global_position")
                yield Found("Emmett", from_emmett(rows), False, library_report())
            else:
                has = f"tables {', '.join(tables[:6])}" if tables else "no tables"
                raise UserError(f"{file}: another program's database ({has}): {accepted}")
        finally:
            db.close()


def _stored_events(db: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    columns = "originator_id, originator_version, topic, state"
    try:
        rows = db.execute(f"SELECT rowid, {columns} FROM stored_events ORDER BY rowid")
    except sqlite3.OperationalError:  # a recorder of aggregates alone: no global order is kept
        rows = db.execute(f"SELECT 0, {columns} FROM stored_events ORDER BY originator_id, originator_version")
    for number, (position, *rest) in enumerate(rows, 1):
        yield (position or number, *rest)


@contextlib.contextmanager
def _ours(file: str, quiet: bool) -> Iterator[Found]:
    damage = wal_damage(file)
    if damage:
        raise UserError(f"{file}-wal: {damage}. Nothing was changed; restore the file from a copy")
    with SqliteStore(file, read_only=True, verify="none", immutable=quiet) as store:
        yield Found("event store", store.replay(), True, store.structure())


@contextlib.contextmanager
def _told(file: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        said = str(error)
        if "locked" in said or "busy" in said:
            raise UserError(f"{file}: another program has locked it: try again when it is done") from None
        raise UserError(f"{file}: damaged: {said}. Nothing was changed; restore the file from a copy") from None


class Judge:
    """Looks at events as they pass: chain, revisions, counts, span. It keeps the heads of streams and nothing else."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.check = ChainCheck()
        self.broken: Broken | None = None
        self.gaps: list[str] = []
        self.heads: dict[str, int] = {}
        self.types: dict[str, int] = {}
        self.total = 0
        self.first_us = self.last_us = 0
        self.digest = Digest()

    def take(self, event: RecordedEvent) -> bool:
        """The next event; False if it cannot be trusted, nor what follows."""
        if self.found.chained:
            self.broken = self.check.feed(event)
            if self.broken is not None:
                return False
        before = self.heads.get(event.stream)
        if (before is None and event.revision > 1) or (before is not None and event.revision != before + 1):
            wanted = 0 if before is None else before + 1
            self.gaps.append(
                f"stream {event.stream!r}: revision {event.revision} where {wanted} was expected, "
                f"position {event.position}"
            )
        self.heads[event.stream] = event.revision
        self.types[event.type] = self.types.get(event.type, 0) + 1
        self.total += 1
        if event.at_us:
            self.first_us = self.first_us or event.at_us
            self.last_us = max(self.last_us, event.at_us)
        self.digest.feed([tuple(event[:6])])
        return True

    def integrity(self) -> Integrity:
        """What came of it."""
        library = self.found.library
        if self.broken is not None:
            are = "is" if self.total == 1 else "are"
            said = f"{self.broken}; {plural(self.total, 'event')} before it {are} intact, nothing was changed"
            return Integrity(False, said, self.total, self.check.position, self.check.checksum, library)
        said = plural(self.total, "event")
        said += ", chain intact" if self.found.chained else f", {self.found.kind}: it carries no checksums"
        return Integrity(True, f"{said}; {library}" if library else said, self.total)

    def checks(self) -> tuple[Check, ...]:
        """As a run has them."""
        integrity = self.integrity()
        said = self.gaps[0] if self.gaps else "the revisions of every stream follow each other"
        return (
            Check(INTACT, integrity.ok, integrity.detail, () if integrity.ok else (integrity.detail,)),
            Check(GAPLESS, not self.gaps, said, tuple(self.gaps[:5])),
        )


def _judged(found: Found, keep: list[RecordedEvent] | None = None) -> Judge:
    judge = Judge(found)
    for event in found.events:
        if not judge.take(event):
            break
        if keep is not None:
            keep.append(event)
    return judge


def report(file: str, options: DataOptions, as_json: bool) -> bool:
    """Print what the file holds and whether it is what was written."""
    skips = Skips()
    with opened(file, options, skips) as (found, _):
        judge = _judged(found)
    if not judge.total and judge.broken is None:
        raise UserError(f"{name_of(file)}: it holds no events")
    checks, integrity = judge.checks(), judge.integrity()
    span = max(0, judge.last_us - judge.first_us)
    digest = judge.digest.close((integrity.ok, len(judge.heads)))
    if as_json:
        head = head_json("events", None, span, judge.total, digest, checks)
        largest = sorted(judge.heads, key=lambda name: (-judge.heads[name], name))[:SHOWN]
        head["snapshot"] = {
            "file": name_of(file), "kind": found.kind, "skipped": skips.count,
            "types": dict(sorted(judge.types.items())[:100]),
            "longest": [{"stream": name, "revision": judge.heads[name]} for name in largest],
        }  # fmt: skip
        head["streams"] = len(judge.heads)
        head["events_total"] = judge.total
        head["integrity"] = {"ok": integrity.ok, "detail": integrity.detail}
        echo_json(head)
    else:
        click.echo("\n".join(_lines(file, found, judge, skips, digest) + check_lines(checks)))
    return all(check.ok for check in checks)


def _lines(file: str, found: Found, judge: Judge, skips: Skips, digest: str) -> list[str]:
    skipped = f", {skips.count:,} bad lines skipped" if skips.count else ""
    lines = [
        f"{plural(judge.total, 'event')} in {plural(len(judge.heads), 'stream')} of {name_of(file)} ({found.kind})"
        f"{skipped}",
        f"digest {digest}",
        "",
        f"{'events':>9}  type",
    ]
    most = sorted(judge.types, key=lambda name: (-judge.types[name], name))
    lines += [f"{judge.types[name]:>9,}  {_printable(name)}" for name in most[:SHOWN]]
    if len(most) > SHOWN:
        lines.append(f"{'':9}  and {len(most) - SHOWN:,} more types")
    return lines


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def opening(file: str, options: DataOptions) -> Opening:
    """The events as a run, one event a step."""
    skips = Skips()
    events: list[RecordedEvent] = []
    with opened(file, options, skips) as (found, hashed):
        judge = _judged(found, events)
        kind = found.kind
    if not events:
        raise UserError(f"{name_of(file)}: it holds no events" if judge.broken is None else f"{file}: {judge.broken}")
    sha256 = hashed.sha256 if hashed is not None else sha256_of(file)
    path = "" if file == "-" else file
    return Opening(VARIANT.on(source(events, kind, judge.integrity(), name_of(file), sha256, path, skips.count)))


def sha256_of(file: str) -> str:
    """Of a FILE, in hex."""
    digest = hashlib.sha256()
    with open_data(file) as stream:
        while part := stream.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def write_demo(file: str) -> str:
    """Write a store to play with; what was written. UserError if the file is there already."""
    if Path(file).exists():
        raise UserError(f"{file}: it is there already: name a file that does not exist")
    with SqliteStore(file) as store:
        pending: list[Any] = []
        for batch in batches(EVENTS):
            pending.append((batch.stream, batch.events, batch.expected))
            if len(pending) == DEMO_BATCH:
                store.save_batches(pending)
                pending = []
        store.save_batches(pending)
        count, streams = store.head(), len(store.streams())
    Path(f"{file}-lock").unlink(missing_ok=True)
    return f"{file}: {plural(count, 'event')} in {plural(streams, 'stream')}. Look at it with: dp-tui events {file}"


__all__ = ["opening", "report", "write_demo"]
