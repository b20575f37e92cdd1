"""The user's traces: critical paths and a diagnosis, or the same spans in another format, or a run to step through."""

import contextlib
import gc
import re
import sys
from collections.abc import Iterator
from functools import partial
from typing import Final

import click

from engines import units
from engines.errors import UserError
from engines.tracing.formats import Format, Notices, read, write
from engines.tracing.judge import Judgement, judge
from engines.tracing.packed import Shelf, shelved
from engines.tracing.spans import Span
from engines.tracing.split import Choice, Failed, Where, Window, parse_choice
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

MINE: Final = ("--skip-bad", "--to", "--baseline", "--window", "--where", "--errors", "--root", "--trace")
CHOICES: Final = ("--baseline", "--window", "--where", "--errors")
CHUNK_BYTES: Final = 1 << 16
_UNCLEAR: Final = re.compile(r"[^ -~]")


def _accept(options: DataOptions) -> None:
    """Options of other data are mistakes."""
    others = [name for name in options.given if name not in MINE]
    if options.nodes is not None:
        others.insert(0, "--nodes")
    if others:
        raise UserError(f"{others[0]}: traces take {', '.join(MINE)}")
    chosen = [name for name in options.given if name in CHOICES]
    if len(chosen) > 1:
        raise UserError(f"{' and '.join(chosen)}: one comparison at a time, so one of {', '.join(CHOICES)}")


def _choice(options: DataOptions) -> Choice | None:
    """Which traces are set against the others."""
    for flag, text, kind in (("--window", options.window, Window), ("--where", options.where, Where)):
        if text is not None:
            form = "a stretch of time, as 41.2s..72s or 1m.." if kind is Window else "KEY=VALUE, as version=v2"
            wrong = UserError(f"{flag} {text!r}: {form} is accepted")
            if (".." if kind is Window else "=") not in text:
                raise wrong
            try:
                choice = parse_choice(text)
            except UserError as error:
                raise UserError(f"{flag} {error}") from None
            if not isinstance(choice, kind):
                raise wrong
            return choice
    return Failed() if options.errors else None


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
    notices, root = Notices(), _root(options)
    baseline, choice = _baseline(file, options), _choice(options)
    with _spans(file, options, notices) as (spans, _, progress):
        told = partial(progress.counted, "traces judged")
        found = judge(_chosen(spans, file, options), name_of(file), notices, progress=told, root=root,
                      baseline=baseline, choice=choice)  # fmt: skip
    if root is not None and not any((each.service, each.operation) == root for each in found.traces):
        raise UserError(_no_root(found, options))
    if isinstance(choice, Where) and not found.having:
        values = ", ".join(map(repr, found.values))
        known = f"{_printable(choice.key)} is {_printable(values)} there" if values else "no span has that attribute"
        raise UserError(f"--where {options.where!r}: no trace has it; {known}")
    if isinstance(choice, Window) and choice.from_us >= max(1, found.virtual_time_us):
        lasts = units.exact(found.virtual_time_us // 1_000 * 1_000)
        raise UserError(f"--window {options.window!r}: it begins after the data, which last {lasts}")
    return found


def _root(options: DataOptions) -> tuple[str, str] | None:
    """The service and the operation that ``--root`` names."""
    if options.root is None:
        return None
    service, blank, operation = options.root.partition(" ")
    if not blank:
        raise UserError(f"--root {options.root!r}: a service and an operation are accepted, as 'web GET /login'")
    return service, operation


def _no_root(found: Judgement, options: DataOptions) -> str:
    known = dict.fromkeys(_printable(f"{each.service} {each.operation}") for each in found.traces)
    some = ", ".join(repr(each) for each in list(known)[:5])
    return f"--root {options.root!r}: no trace begins so; of {len(known)} root operations: {some}"


def _baseline(file: str, options: DataOptions) -> Shelf | None:
    """The spans of the other file."""
    if options.baseline is None:
        return None
    if options.baseline == "-" and file == "-":
        raise UserError("--baseline -: standard input is the FILE already; name another file")
    with _spans(options.baseline, options, Notices()) as (spans, _, _):
        return shelved(spans, lean=True)


def _chosen(spans: Iterator[Span], file: str, options: DataOptions) -> Iterator[Span]:
    """The spans of the trace that ``--trace`` names; without it all."""
    if options.trace is None:
        return spans
    wanted = options.trace.strip().lower()
    if not wanted or wanted.strip("0123456789abcdef"):
        raise UserError(f"--trace {options.trace!r}: a trace id or its beginning is accepted, in hex, as 4bf92f")
    held = [span for span in spans if span.trace_id.startswith(wanted) or span.trace_id.lstrip("0") == wanted]
    ids = dict.fromkeys(span.trace_id for span in held)
    if len(ids) != 1:
        more = f"{len(ids):,} traces begin so: {', '.join(list(ids)[:3])} ..." if ids else "no trace begins so"
        raise UserError(f"{name_of(file)}: --trace {options.trace!r}: {more}")
    return iter(held)


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
        for part in write(_chosen(spans, file, options), Format(options.to)):
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
    _root(options)
    baseline, choice = _baseline(file, options), _choice(options)
    path = "" if file == "-" or baseline is not None or choice is not None else file  # a saved run names one file
    with _spans(file, options, notices) as (spans, hashed, progress):
        held = shelved(spans)
        while hashed.stream.read(CHUNK_BYTES):  # behind a broken message nothing is read, but it counts for the hash
            pass
        odd = tuple(_printable(line) for line in notices.lines())
        told = partial(progress.counted, "traces worked out")
        data = source(
            held, name_of(file), hashed.sha256, path, notices.skipped, odd, told, baseline, _root(options), choice
        )
    return Opening(VARIANT.on(data))
