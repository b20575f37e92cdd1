"""A file of traces read, judged and opened, with the memory that takes, beside ``json.load`` of the same file.

    python -m benchmarks tracing-files        (or python -m benchmarks.tracing_files [SPANS ...])

Each program is a process of its own, so its peak is its own. *Judged* is what ``dp-tui run tracing FILE`` does, reading
included; *opened* is what stands before the first picture of ``dp-tui tracing FILE``; both are OTLP JSON by lines, as
the collector's file exporter writes it. The peer holds the same file as the dictionaries of ``json.load`` and has
judged nothing yet.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.tracing_formats import SPANS_A_TRACE, sample
from engines.tracing.formats import Format, write

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
SOON: Final = 100_000
"""Up to here it takes seconds."""


class Cost(NamedTuple):
    """Of one program over one file."""

    seconds: float
    peak_mb: int


def _load(path: str) -> Any:
    with open(path, "rb") as file:
        return [json.loads(line) for line in file]


def _judged(path: str) -> Any:
    from tui.options import DataOptions
    from tui.userdata import tracing

    return tracing.judged(path, DataOptions())


def _opened(path: str) -> Any:
    from tui.options import DataOptions
    from tui.userdata import tracing

    return tracing.opening(path, DataOptions())


PROGRAMS: Final[dict[str, Callable[[str], Any]]] = {"json.load": _load, "judged": _judged, "opened": _opened}


def _alone(program: str, path: Path) -> Cost:
    command = [sys.executable, "-m", "benchmarks.tracing_files", program, str(path)]
    seconds, peak_kb = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return Cost(float(seconds), int(peak_kb) // 1024)


def _inside(program: str, path: str) -> str:
    begin = time.perf_counter()
    kept = PROGRAMS[program](path)
    seconds = time.perf_counter() - begin
    assert kept is not None
    return f"{seconds} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}"


def measure(spans: int, folder: Path) -> dict[str, Cost]:
    """All programs over a file of so many spans."""
    path = folder / f"{spans}.jsonl"
    with path.open("wb") as file:
        for part in write(iter(sample(spans // SPANS_A_TRACE)), Format.OTLP_LINES):
            file.write(part)
    return {program: _alone(program, path) for program in PROGRAMS}


def table(sizes: Sequence[int] = SIZES) -> list[str]:
    """A line for every size."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for spans in sizes:
            costs = measure(spans, Path(folder))
            peer, judged, opened = costs.values()
            found.append(
                f"{spans:>9,} spans: json.load {peer.seconds:.2f} s, {peer.peak_mb} MB; judged {judged.seconds:.2f} s "
                f"({judged.seconds / peer.seconds:.1f}x), {judged.peak_mb} MB; opened {opened.seconds:.2f} s, "
                f"{opened.peak_mb} MB"
            )
    return found


def lines() -> list[str]:
    """What takes seconds."""
    return table([spans for spans in SIZES if spans <= SOON])


if __name__ == "__main__":
    if sys.argv[1] in PROGRAMS:
        print(_inside(sys.argv[1], sys.argv[2]))
    else:
        print("\n".join(table(list(map(int, sys.argv[1:])))))
