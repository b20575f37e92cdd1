"""A file of traces read, judged and opened, with the memory that takes, beside ``json.load`` of the same file.

    python -m benchmarks tracing-files        (or python -m benchmarks.tracing_files [SPANS ...])

Each program is a process of its own, so its peak is its own; so is the one that writes the file, because Linux counts
the memory of whoever starts a process as a peak of the process. Time is that of the processor, from the first import
of the program on. *Read* are the spans one by one, each forgotten; *judged* is what ``dp-tui run tracing FILE`` does,
reading included; *opened* is what stands before the first picture of ``dp-tui tracing FILE``. The file is OTLP JSON by
lines, as the collector's file exporter writes it, and at ``FORMATS_AT`` spans every other format beside it. The peer
holds the same file as the dictionaries of ``json.load``, protobuf as the messages of the library, and has judged
nothing yet.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

from engines.tracing.formats import Format

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
SOON: Final = 100_000
"""Up to here it takes seconds."""
FORMATS_AT: Final = 100_000
KB: Final = 1 if sys.platform == "darwin" else 1024
"""What ``ru_maxrss`` counts in."""


class Cost(NamedTuple):
    """Of one program over one file."""

    seconds: float
    peak_mb: int


def _load(path: str) -> Any:
    with open(path, "rb") as file:
        if path.endswith(Format.OTLP_LINES.value):
            return [json.loads(line) for line in file]
        if path.endswith(Format.OTLP_PROTOBUF.value):
            messages: Any = import_module("opentelemetry.proto.trace.v1.trace_pb2")
            return messages.TracesData.FromString(file.read())
        return json.load(file)


def _read(path: str) -> Any:
    from engines.tracing.formats import read

    with open(path, "rb") as file:
        return sum(1 for _ in read(file, path))


def _judged(path: str) -> Any:
    from tui.options import DataOptions
    from tui.userdata import tracing

    return tracing.judged(path, DataOptions())


def _opened(path: str) -> Any:
    from tui.options import DataOptions
    from tui.userdata import tracing

    return tracing.opening(path, DataOptions())


def _write(path: str) -> Any:
    """A file whose name is a number of spans and a format."""
    from benchmarks.tracing_formats import SPANS_A_TRACE, said, sample
    from engines.tracing.formats import write

    spans, _, form = Path(path).name.partition(".")
    with open(path, "wb") as file:
        for part in write(iter(said(sample(int(spans) // SPANS_A_TRACE), Format(form))), Format(form)):
            file.write(part)
    return path


PROGRAMS: Final[dict[str, Callable[[str], Any]]] = {
    "parsed": _load,
    "read": _read,
    "judged": _judged,
    "opened": _opened,
}
WRITE: Final = "written"


def _alone(program: str, path: Path) -> Cost:
    command = [sys.executable, "-m", "benchmarks.tracing_files", program, str(path)]
    seconds, peak_kb = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return Cost(float(seconds), int(peak_kb) * KB // (1024 * 1024))


def _inside(program: str, path: str) -> str:
    begin = time.process_time()
    kept = (PROGRAMS | {WRITE: _write})[program](path)
    seconds = time.process_time() - begin
    assert kept is not None
    return f"{seconds} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}"


def measure(spans: int, folder: Path, form: Format = Format.OTLP_LINES) -> dict[str, Cost]:
    """All programs over a file of so many spans."""
    path = folder / f"{spans}.{form.value}"
    _alone(WRITE, path)
    found = {program: _alone(program, path) for program in PROGRAMS}
    path.unlink()
    return found


def _line(spans: int, form: Format, folder: Path) -> str:
    costs = measure(spans, folder, form)
    peer = costs.pop("parsed")
    name = "the library" if form is Format.OTLP_PROTOBUF else "json.load"
    ours = (
        f"{program} {each.seconds:.2f} s ({each.seconds / peer.seconds:.1f}x), {each.peak_mb} MB"
        f" ({each.peak_mb / peer.peak_mb:.2f}x)"
        for program, each in costs.items()
    )
    return f"{spans:>9,} spans, {form.label}: {name} {peer.seconds:.2f} s, {peer.peak_mb} MB; {'; '.join(ours)}"


def table(sizes: Sequence[int] = SIZES) -> list[str]:
    """A line for every size, and for every format."""
    with tempfile.TemporaryDirectory() as folder:
        found = [_line(spans, Format.OTLP_LINES, Path(folder)) for spans in sizes]
        if FORMATS_AT in sizes:
            others = (form for form in Format if form is not Format.OTLP_LINES)
            found += [_line(FORMATS_AT, form, Path(folder)) for form in others]
    return found


def lines() -> list[str]:
    """What takes seconds."""
    return table([spans for spans in SIZES if spans <= SOON])


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in (*PROGRAMS, WRITE):
        print(_inside(sys.argv[1], sys.argv[2]))
    else:
        print("\n".join(table(list(map(int, sys.argv[1:])) or SIZES)))
