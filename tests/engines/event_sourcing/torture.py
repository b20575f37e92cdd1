"""A writer process that says what was acknowledged, and dies where it is told to.

    python -m tests.engines.event_sourcing.torture PATH POINT AFTER

It appends batches of one to four events and prints, for each batch that was acknowledged, its last position and id;
the line is out before the next batch begins. At the named point of batch AFTER it kills itself;
with POINT ``never`` it goes on until somebody else does, and with ``sync`` it says "sync" right before the commit.
"""

from __future__ import annotations

import os
import signal
import sys

from engines.event_sourcing import NewEvent, SqliteStore


def main(path: str, point: str, after: int) -> None:
    batch = 0

    def on_point(name: str) -> None:
        if batch >= after and point == "sync" and name == "written":
            os.write(1, b"sync\n")
        if batch >= after and name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    store = SqliteStore(path, on_point=on_point)
    start = store.head()
    os.write(1, b"ready\n")
    while True:
        batch += 1
        pad = "x" * (batch * 37 % 900)
        events = [NewEvent(f"{start}-{batch}-{n}", "Counted", {"n": n, "pad": pad}) for n in range(batch % 4 + 1)]
        appended = store.save_events(f"s-{batch % 7}", events)
        os.write(1, f"{appended.position} {events[-1].id}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
