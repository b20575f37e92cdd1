"""The beginning of a visitor's app: it limits itself, then becomes `dp-tui ... --sandbox`.

    python -m tui.serve.visitor CPU_S MEMORY_MB [ARGUMENTS OF dp-tui ...]

It runs as a child of the server, so what it takes from itself the system keeps: processor time, address space, open
files, and the writing of files altogether (a limit of 0 bytes; a terminal is none). No code of ours runs between fork
and exec for that, which threads would make a gamble.
"""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import sys
import termios
from contextlib import suppress
from typing import Final

FILES_MAX: Final = 128
NICE: Final = 5
"""The server goes before its visitors."""
MB: Final = 1 << 20
GRACE_S: Final = 5
"""Between SIGXCPU, which says why, and SIGKILL."""


def confine(cpu_s: int, memory_mb: int) -> None:
    """Take from this process what a visitor must not have."""
    limits = (
        (resource.RLIMIT_CPU, cpu_s, GRACE_S),
        (resource.RLIMIT_AS, memory_mb * MB, 0),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, FILES_MAX, 0),
    )
    for kind, most, grace in limits:
        _, hard = resource.getrlimit(kind)
        end = most + grace if hard == resource.RLIM_INFINITY else min(most + grace, hard)
        resource.setrlimit(kind, (min(most, end), end))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing a file is an error then, and no death
    os.nice(NICE)


def arguments(rest: list[str]) -> list[str]:
    """The command line of the app: the operator's part, and what makes it safe for a stranger."""
    return ["dp-tui", *rest, "--sandbox"]


def main() -> None:
    """Become the app. It ends at once when it is over: it has saved nothing, and nothing waits for what is tidied
    up."""
    try:
        become()
        status: object = 0
    except SystemExit as end:
        status = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 0 if status is None else 1)


def become() -> None:
    """Confined, the app or a private branch."""
    cpu_s, memory_mb, *rest = sys.argv[1:]
    with suppress(OSError):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    confine(int(cpu_s), int(memory_mb))
    if rest[:1] == ["--take-over"]:
        from tui.serve.private import open_private

        sys.exit(open_private(int(rest[1]), rest[2]))
    sys.argv = arguments(rest)
    from tui.cli import main as app

    app()


if __name__ == "__main__":
    main()
