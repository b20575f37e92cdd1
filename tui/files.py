"""Saving a run: whole or not at all."""

import os
import shlex
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

from engines.errors import UserError

HEAD: Final = b'{\n "recording": "dp-tui"'
"""How a recording begins."""


def write(path: Path, text: str) -> None:
    """Write a recording: first beside its place, then moved there, so that no half of one is ever found.

    UserError if the folder cannot be written, or if the place holds something that is no recording.
    """
    path = path.expanduser()
    try:
        if path.is_dir():
            raise UserError(f"{path}: this is a folder; give the name of a file")
        if path.exists() and not _is_recording(path):
            raise UserError(f"{path}: holds something that is no recording; give another name")
        temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}")
        try:
            with temporary.open("x", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
    except ValueError as error:
        raise UserError(f"{str(path)!r}: no name of a file: {error}") from None


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet. UserError if it is, or if it cannot be written."""
    path = path.expanduser()
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise UserError(f"{path}: is there already; give another name") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
    except ValueError as error:
        raise UserError(f"{str(path)!r}: no name of a file: {error}") from None


def keep(folder: Path, stem: str, text: str) -> Path:
    """Write a recording into a folder, which is made if it is missing, under a name with the date and time in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = by_time(folder, stem)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written: {error.strerror or error}") from None
    write(path, text)
    return path


def program() -> str:
    """How this program is called in the shell it was started from: by name where that is found, else by its path."""
    if Path(sys.argv[0]).name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m tui"
    beside = Path(sys.executable).with_name("dp-tui")
    return "dp-tui" if shutil.which("dp-tui") or not beside.exists() else shlex.quote(str(beside))


def by_time(folder: Path, stem: str) -> Path:
    """A name that is not taken yet, with the date and time in it."""
    return free(folder, f"{stem}-{datetime.now():%Y%m%d-%H%M%S}")


def free(folder: Path, stem: str) -> Path:
    """A name that is not taken yet."""
    path = folder / f"{stem}.json"
    number = 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.json"
    return path


def _is_recording(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(HEAD)) == HEAD
