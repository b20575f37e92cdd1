"""The user's traces: critical paths and a diagnosis, or the same spans in another format, or a run to step through."""

import contextlib
import gc
import re
import sys
from collections.abc import Iterator
from functools import partial
from typing import Final

import click

from engines.errors import UserError
from engines.tracing.formats import Format, Notices, read, write
from engines.tracing.judge import Judgement, judge
from engines.tracing.spans import Span
from tui.options import DataOptions
from tui.progress import Progress
from tui.userdata import tracing_report
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

MINE: Final = ("--skip-bad", "--to")
CHUNK_BYTES: Final = 1 << 16
_UNCLEAR: Final = re.compile(r"[^ -~]")


def _accept(options: DataOptions) -> None:
    """Options of other data are mistakes."""
    others = [name for name in options.given if name not in MINE]
    if options.nodes is not None:
        others.insert(0, "--nodes")
    if others:
        raise UserError(f"{others[0]}: traces take {', '.join(MINE)}")


@contextlib.contextmanager
def _spans(file: str, options: DataOptions, notices: Notices) -> Iterator[tuple[Iterator[Span], Hashed, Progress]]:
    """The spans of a FILE as a stream, what hashes it, and who tells how far that is.

    Meanwhile the garbage collector rests: it would walk all the spans that are held, again and again, and find
    nothing, because no span points back.
    """
    collects = gc.isenabled()
    progress = Progress(name_of(file), "bytes", size_of(file))
    gc.disable()
    try:
        with open_data(file) as stream:
            hashed = Hashed(stream, progress)
            spans = read(hashed.stream, name_of(file), skip_bad=options.skip_bad, notices=notices)
            yield spans, hashed, progress
    finally:
        progress.close()
        if collects:
            gc.enable()


def judged(file: str, options: DataOptions) -> Judgement:
    """The traces of a FILE, judged."""
    _accept(options)
    notices = Notices()
    with _spans(file, options, notices) as (spans, _, progress):
        return judge(spans, name_of(file), notices, progress=partial(progress.counted, "traces judged"))


def report(file: str, options: DataOptions, as_json: bool) -> bool:
    """Print what is slow and why; as JSON every trace, as a stream. With ``--to`` print the spans instead."""
    if options.to is not None:
        _convert(file, options, as_json)
        return True
    found = judged(file, options)
    if as_json:
        head = head_json("tracing", None, found.virtual_time_us, found.events, found.digest, found.checks)
        echo_json(head | tracing_report.head(found), "traces", tracing_report.traces(found))
    else:
        click.echo("\n".join(map(_printable, (*tracing_report.lines(found), *check_lines(found.checks)))))
    return all(check.ok for check in found.checks)


def _printable(text: str) -> str:
    """One line as it is printed. Names come from a file of others: no control character of theirs reaches the terminal,
    and no line break of theirs begins a line of the report."""
    return _UNCLEAR.sub(lambda found: found[0] if found[0].isprintable() else ascii(found[0])[1:-1], text)


def _convert(file: str, options: DataOptions, as_json: bool) -> None:
    """The same spans in another format, on standard output; what was odd about them on the other."""
    _accept(options)
    assert options.to is not None
    if as_json:
        raise UserError("--json and --to: one of the two is accepted; --to prints the spans, not a report")
    notices = Notices()
    out = sys.stdout.buffer
    with _spans(file, options, notices) as (spans, _, _):
        for part in write(spans, Format(options.to)):
            out.write(part)
    out.flush()
    for line in notices.lines():
        click.echo(line, err=True)


def opening(file: str, options: DataOptions) -> Opening:
    """The traces as a run, one trace a step."""
    from engines.tracing.recorded import VARIANT, source

    _accept(options)
    if options.to is not None:
        raise UserError("--to prints the spans in another format: dp-tui run tracing FILE --to jaeger")
    notices = Notices()
    path = "" if file == "-" else file
    with _spans(file, options, notices) as (spans, hashed, progress):
        held = tuple(spans)
        while hashed.stream.read(CHUNK_BYTES):  # behind a broken message nothing is read, but it counts for the hash
            pass
        odd = tuple(_printable(line) for line in notices.lines())
        told = partial(progress.counted, "traces worked out")
        data = source(held, name_of(file), hashed.sha256, path, notices.skipped, odd, progress=told)
    return Opening(VARIANT.on(data))
