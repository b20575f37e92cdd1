"""What all readers of the user's data share: opening it, naming it, hashing it on the way."""

import contextlib
import hashlib
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

import click

from engines.errors import UserError
from engines.sim.pattern import Check, Config, Variant
from engines.units import when
from tui.options import DataOptions
from tui.progress import Progress


class Opening(NamedTuple):
    """How the app begins on a FILE."""

    variant: Variant | None
    """The variant that plays its records, on their source; None: a variant of the simulation that holds the data."""
    config: Config = ()
    commands: tuple[Any, ...] = ()
    """Given at once."""


class Reader(Protocol):
    """A module of this package."""

    def report(self, file: str, options: DataOptions, as_json: bool) -> bool:
        """Judge the data and print a report; whether all checks hold. For ``dp-tui run PATTERN FILE``."""

    def opening(self, file: str, options: DataOptions) -> Opening:
        """Read the data for the app."""


def size_of(file: str) -> int:
    """How many bytes a FILE has; 0 if that cannot be known in advance."""
    try:
        return Path(file).stat().st_size if file != "-" else 0
    except (OSError, ValueError):
        return 0


def name_of(file: str) -> str:
    """What a FILE is called in messages."""
    return "standard input" if file == "-" else file


class _File(io.FileIO):
    """A file whose disk may fail in the middle: that is the input's trouble, not that of the output."""

    def readinto(self, buffer: Any, /) -> int:
        try:
            return super().readinto(buffer)
        except OSError as error:
            raise self._unreadable(error) from None

    def readall(self) -> bytes:
        try:
            return super().readall()
        except OSError as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: OSError) -> UserError:
        return UserError(f"{self.name}: cannot be read: {error.strerror or error}")


@contextlib.contextmanager
def open_data(file: str) -> Iterator[BinaryIO]:
    """The bytes of a file, or of standard input for ``-``. UserError if it cannot be read."""
    if file == "-":
        yield sys.stdin.buffer
        return
    if not file:
        raise UserError("'': the name of a file is accepted, or - for standard input")
    try:
        stream = io.BufferedReader(_File(Path(file)))
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise UserError(f"{file!r}: no name of a file: {error}") from None
    with stream:
        try:
            yield stream
        except (IsADirectoryError, PermissionError) as error:
            raise UserError(f"{file}: cannot be read: {error.strerror or error}") from None


class _Hashing(io.RawIOBase):
    """Passes bytes on and hashes them."""

    def __init__(self, stream: BinaryIO, progress: Progress | None) -> None:
        self.stream = stream
        self.sha256 = hashlib.sha256()
        self.progress = progress
        self.done = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self.stream.read(len(buffer))
        buffer[: len(data)] = data
        self.sha256.update(data)
        self.done += len(data)
        if self.progress is not None:
            self.progress.at(self.done)
        return len(data)


class Hashed:
    """A stream to read from, and the SHA-256 of all that was read."""

    def __init__(self, stream: BinaryIO, progress: Progress | None = None) -> None:
        self._raw = _Hashing(stream, progress)
        self.stream: BinaryIO = io.BufferedReader(self._raw, 1 << 16)

    @property
    def sha256(self) -> str:
        """In hex; complete once the stream was read to its end."""
        return self._raw.sha256.hexdigest()


def head_json(
    pattern: str, variant: str | None, span_us: int, events: int, digest: str, checks: Iterable[Check]
) -> dict[str, Any]:
    """The fields that every ``run --json`` has; what a reader adds comes behind them."""
    return {
        "pattern": pattern,
        "variant": variant,
        "seed": None,
        "virtual_time_us": span_us,
        "events": events,
        "digest": digest,
        "checks": [check_json(each) for each in checks],
    }


def check_json(check: Check) -> dict[str, Any]:
    """A check as ``run --json`` prints it; ``since_us`` where it failed at a time that is known."""
    row = {"name": check.name, "ok": check.ok, "detail": check.detail, "witness": list(check.witness)}
    return row if check.at_us is None else {**row, "since_us": check.at_us}


def check_lines(checks: Iterable[Check]) -> list[str]:
    """The checks, for people."""
    lines = ["", "checks"]
    for check in checks:
        mark = "ok    " if check.ok else "FAILED"
        lines.append(f"  {mark}  {check.name}{when(check.at_us, ' ')}: {check.detail}")
        lines.extend(f"          {line}" for line in check.witness)
    return lines


def echo_json(head: Mapping[str, Any], streamed: str = "", items: Iterable[Any] = ()) -> None:
    """Print one object; its last field, if ``streamed`` names one, is a list printed item by item."""
    text = json.dumps(head)
    if not streamed:
        click.echo(text)
        return
    click.echo(f'{text[:-1]}, "{streamed}": [', nl=False)
    for number, each in enumerate(items):
        click.echo(("," if number else "") + json.dumps(each), nl=False)
    click.echo("]}")
