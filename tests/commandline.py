"""``dp-tui`` in tests: the entry point itself, called in this process, or a process where one is what is tested.

What the command line prints, and with which status, needs no process: loading the program anew takes half a second,
and there are hundreds of such tests. Streams are pipes as far as the program can see, and bytes as they would be.
"""

import io
import os
import subprocess
import sys
from contextlib import ExitStack
from typing import Final
from unittest import mock

from tui.cli import main

ENVIRON: Final = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
PATIENCE_S: Final = 300
"""For machines that are busy."""

Done = subprocess.CompletedProcess[str]


def dp_tui(*args: str, given: str | bytes = b"", env: dict[str, str] | None = None, encoding: str = "utf-8") -> Done:
    """The command without a terminal, in this process; `encoding` is that of its streams."""
    data = given.encode() if isinstance(given, str) else given
    out, err = io.BytesIO(), io.BytesIO()
    streams = {
        "stdin": io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"),
        "stdout": io.TextIOWrapper(out, encoding=encoding),
        "stderr": io.TextIOWrapper(err, encoding=encoding, write_through=True),
    }
    argv = ["dp-tui", *args]
    status: object = None
    with ExitStack() as stack:
        here = {**ENVIRON, "COLUMNS": "80", "LINES": "24", **(env or {})}  # as wide as where nobody can be asked
        stack.enter_context(mock.patch.dict(os.environ, here, clear=True))
        stack.enter_context(mock.patch.object(sys, "argv", argv))
        for name, stream in streams.items():
            stack.enter_context(mock.patch.object(sys, name, stream))
        try:
            main()
        except SystemExit as end:
            status = end.code
        for name in ("stdout", "stderr"):
            streams[name].flush()
    assert isinstance(status, int), "main says with which status it ends"
    return Done(argv, status, out.getvalue().decode(encoding), err.getvalue().decode(encoding))


def dp_tui_process(
    *args: str, given: str | bytes = b"", env: dict[str, str] | None = None, encoding: str = "utf-8"
) -> Done:
    """The command without a terminal, in a process of its own; `encoding` is what its output is read in."""
    data = given.encode() if isinstance(given, str) else given
    done = subprocess.run(
        [sys.executable, "-m", "tui", *args], input=data, capture_output=True, env={**ENVIRON, **(env or {})},
        timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    return Done(done.args, done.returncode, done.stdout.decode(encoding), done.stderr.decode(encoding))
