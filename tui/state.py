"""The few files the app keeps for a person: the last pattern, saved runs, a log of a crash.

They are a convenience. Where they cannot be read or written (a read-only home, a sandbox, garbage in a file) the app
works without them and says nothing.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

import platformdirs

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,40}")
_LOG_MOST: Final = 200_000  # bytes; an older log is dropped


class State:
    """The state folder. Under `sandbox` there is none, and nothing is ever read or written."""

    def __init__(self, *, sandbox: bool = False, folder: Path | None = None) -> None:
        self.sandbox = sandbox
        self.folder: Path | None = None
        if not sandbox:
            with suppress(OSError, RuntimeError):  # no home at all
                self.folder = folder or platformdirs.user_state_path("dp-tui")

    @property
    def last_pattern(self) -> str | None:
        """The pattern used last, if that was ever written and still reads like a name."""
        if self.folder is None:
            return None
        try:
            text = (self.folder / "last-pattern").read_text(encoding="utf-8")[:64].strip()
        except (OSError, ValueError):
            return None
        return text if _NAME.fullmatch(text) else None

    def remember_pattern(self, name: str) -> None:
        """Begin with it next time."""
        self.write("last-pattern", f"{name}\n")

    @property
    def save_folder(self) -> Path | None:
        """Where runs are saved, created; None where nothing can be written."""
        return self._made("runs")

    def write(self, name: str, text: str) -> Path | None:
        """Write a file of the state folder; None where that cannot be."""
        folder = self._made("")
        if folder is None:
            return None
        with suppress(OSError):
            (folder / name).write_text(text, encoding="utf-8")
            return folder / name
        return None

    def log(self, text: str) -> Path | None:
        """Add to the crash log; None where there can be none."""
        folder = self._made("")
        if folder is None:
            return None
        path = folder / "crash.log"
        with suppress(OSError):
            large = path.exists() and path.stat().st_size > _LOG_MOST
            with path.open("w" if large else "a", encoding="utf-8") as file:
                file.write(text)
            return path
        return None

    def _made(self, name: str) -> Path | None:
        if self.folder is None:
            return None
        folder = self.folder / name
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            return folder if os.access(folder, os.W_OK) else None
        return None
