"""The user's client history: which models it satisfies; or a log with vector clocks."""

import json
from dataclasses import replace
from hashlib import blake2b
from io import BytesIO
from typing import Any, BinaryIO, Final

import click

from engines.consistency.explain import SENSES, sentence, witness_lines
from engines.consistency.formats import shiviz
from engines.consistency.formats.reading import ACCEPTED, HistoryReader, detect
from engines.consistency.formats.records import text_of
from engines.consistency.formats.timeline import draw
from engines.consistency.history import Call, History, Operation, Status
from engines.consistency.judge import NAMES, Report, judge_history
from engines.consistency.models import MODELS, Model, guess
from engines.consistency.outcome import staleness
from engines.consistency.recorded import RECORDED, log_of, source_of
from engines.consistency.vector import Order
from engines.consistency.verdict import Answer
from engines.errors import UserError
from engines.sim.pattern import Check
from tui.kit.words import plural
from tui.options import DataOptions
from tui.userdata.common import Hashed, Opening, check_lines, head_json, name_of, open_data

MINE: Final = ("--model", "--parser", "--to", "--skip-bad")
TARGETS: Final = ("shiviz", "ascii")
DRAWN_MAX: Final = 400
HEAD: Final = 1 << 16


def _accept(options: DataOptions) -> None:
    for name in options.given:
        if name not in MINE:
            raise UserError(f"{name}: a client history takes {', '.join(MINE)}")
    if options.nodes is not None:
        raise UserError(f"--nodes: a client history takes {', '.join(MINE)}")
    if options.to is not None and options.to not in TARGETS:
        raise UserError(f"--to {options.to}: a client history is written as {' or '.join(TARGETS)}")


def fit(history: History, name: str, model: str | None, functions: tuple[str, ...]) -> tuple[History, Model]:
    """The history as its model sees it. UserError if they do not go together."""
    calls = {each.call for each in history.operations}
    chosen = MODELS[model] if model else guess(calls)
    if not model and any(f in ("get", "put") for f in functions) and calls <= set(MODELS["kv"].calls):
        chosen = MODELS["kv"]
    if chosen is None:
        found = ", ".join(sorted(call.value for call in calls))
        raise UserError(f"{name}: no model knows all of {found}; --model takes one of {', '.join(MODELS)}")
    if chosen.name == "multi-register" and calls <= {Call.READ, Call.WRITE}:
        return _as_txns(history), chosen
    for call in calls:
        if call not in chosen.calls:
            known = ", ".join(each.value for each in chosen.calls)
            raise UserError(f"{name}: the model {chosen.name} knows {known}, and the history has {call.value}")
    if chosen.name == "kv":
        return _as_texts(history), chosen
    return history, chosen


def _as_txns(history: History) -> History:
    operations = tuple(
        each._replace(call=Call.TXN, key=None, value=((each.call, each.key, each.value),))
        for each in history.operations
    )
    return replace(history, operations=operations)


def _as_texts(history: History) -> History:
    """An empty key-value store answers with an empty text."""

    def text(each: Operation) -> Operation:
        known = each.call is not Call.READ or each.status is Status.OK
        return each._replace(value="" if each.value is None else text_of(each.value)) if known else each

    operations = tuple(text(each) for each in history.operations)
    return replace(history, operations=operations, initial="")


def read(file: str, options: DataOptions) -> tuple[History, Model, int]:
    """History, model, and how many bad lines were skipped."""
    name = name_of(file)
    with open_data(file) as stream:
        return _read(stream, name, options)


def _read(stream: BinaryIO, name: str, options: DataOptions) -> tuple[History, Model, int]:
    reader = HistoryReader(stream, name, skip_bad=options.skip_bad)
    history = reader.read()
    fitted, model = fit(history, name, options.model, tuple(reader.functions))
    return fitted, model, reader.skipped


def report(file: str, options: DataOptions, as_json: bool) -> bool:
    """Judge the history and print the verdicts, or write it in another notation."""
    _accept(options)
    name = name_of(file)
    parser = shiviz.expression(options.parser)
    with open_data(file) as stream:
        head = stream.read(HEAD)
        if parser is not None or _is_shiviz(head):
            events = shiviz.parse(_text(head + stream.read(shiviz.TEXT_MAX), name), name, parser)
            return _report_clocks(events, name, options, as_json)
        history, model, skipped = _read(_Joined(head, stream), name, options)
    if options.to:
        _write(history, options.to)
        return True
    found = judge_history(history, model)
    if as_json:
        click.echo(json.dumps(_json(history, found, name, skipped)))
    else:
        click.echo("\n".join(_lines(history, found, name, skipped)))
    return all(check.ok for check in checks_of(history, found))


class _Joined(BytesIO):
    """What was read already, then the rest of the stream."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        super().__init__(head)
        self.rest = stream

    def readline(self, size: int | None = -1, /) -> bytes:
        limit = -1 if size is None else size
        line = super().readline(limit)
        if line.endswith(b"\n") or (limit >= 0 and len(line) >= limit):
            return line
        return line + self.rest.readline(limit - len(line) if limit >= 0 else -1)


def _is_shiviz(head: bytes) -> bool:
    text = head.decode("utf-8", "replace")
    first = next((line for line in text.split("\n") if line.strip()), "")
    return detect(first) in ("", "log") and shiviz.looks_like(text)


def _text(raw: bytes, name: str) -> str:
    if len(raw) > shiviz.TEXT_MAX:
        raise UserError(f"{name}: a log with vector clocks is read up to {shiviz.TEXT_MAX >> 20} MiB")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise UserError(f"{name}: line {line}: not UTF-8") from None


def _write(history: History, target: str) -> None:
    if target == "ascii":
        for line in draw(history):
            click.echo(line)
        return
    for line in shiviz.write(shiviz.from_history(history)):
        click.echo(line)


def checks_of(history: History, found: Report) -> tuple[Check, ...]:
    """The strongest claim, and what is broken, as the checks of the report: one a model that has an answer."""
    rows = []
    for name, verdict in found.verdicts.items():
        if verdict.answer is not Answer.UNKNOWN:
            said = sentence(verdict, history) or SENSES[name]
            rows.append(Check(name, verdict.ok, said, witness_lines(verdict, history)))
    return tuple(rows)


def digest_of(history: History, found: Report) -> str:
    """Over the normalised operations and the verdicts."""
    digest = blake2b(digest_size=16)
    for each in history.operations:
        row = (each.process, each.call.value, text_of(each.key), text_of(_flat(each)), each.status.value)
        digest.update(f"{row} {each.start} {each.end}\n".encode())
    for name, verdict in found.verdicts.items():
        digest.update(f"{name} {verdict.answer.value}\n".encode())
    return digest.hexdigest()


def _flat(each: Operation) -> Any:
    if each.call is Call.TXN:
        return tuple((call.value, key, value) for call, key, value in each.value)
    return each.value


def span_us(history: History) -> int:
    """From the first invocation to the last thing that happened; 0 if the file tells no times."""
    if not history.timed:
        return 0
    ends = [each.end_us if each.end_us is not None else each.start_us for each in history.operations]
    return max(ends) - min(each.start_us for each in history.operations)


def _json(history: History, found: Report, name: str, skipped: int) -> dict[str, Any]:
    total = len(history.operations)
    head = head_json(
        "consistency", found.model.name, span_us(history), total, digest_of(history, found), checks_of(history, found)
    )
    stale = staleness(history) if found.model.name in ("register", "cas-register") else None
    head["snapshot"] = {
        "file": name,
        "skipped": skipped,
        "model": found.model.name,
        "processes": len({each.process for each in history.operations}),
        "keys": len({each.key for each in history.operations}),
        "outcomes": {status.value: sum(each.status is status for each in history.operations) for status in Status},
        "faults": len(history.marks),
        "real_time": history.real_time,
        "stale_reads": len(stale.stale) if stale else None,
        "lost_writes": len(stale.lost) if stale else None,
    }
    head["operations"] = total
    head["models"] = {
        model: {
            "verdict": verdict.answer.value,
            "witness": list(witness_lines(verdict, history)) or None,
            "why": sentence(verdict, history) or None,
        }
        for model, verdict in found.verdicts.items()
    }
    return head


def _lines(history: History, found: Report, name: str, skipped: int) -> list[str]:
    counts = ", ".join(
        f"{sum(each.status is status for each in history.operations):,} {status.value}" for status in Status
    )
    bad = f", {skipped:,} bad lines skipped" if skipped else ""
    lines = [f"{plural(len(history.operations), 'operation')} of {name} as {found.model.name}: {counts}{bad}"]
    lines.append(f"digest {digest_of(history, found)}")
    if not history.real_time:
        lines.append(f"no real time: {history.doubt}")
    lines.append("")
    for model in NAMES:
        verdict = found.verdicts[model]
        mark = {Answer.OK: "ok", Answer.VIOLATION: "NO", Answer.UNKNOWN: "?"}[verdict.answer]
        why = f"{verdict.why.value}: " if verdict.broken and verdict.why else ""
        lines.append(f"  {model:13} {mark:3} {why}{sentence(verdict, history) or SENSES[model]}")
        if verdict.broken:
            lines += [f"  {'':17} {line}" for line in witness_lines(verdict, history)]
    return lines


# -- logs with vector clocks ----------------------------------------------------------------------------------------


def _report_clocks(events: tuple[shiviz.ShivizEvent, ...], name: str, options: DataOptions, as_json: bool) -> bool:
    if options.to:
        if options.to == "ascii":
            raise UserError(f"--to ascii: {name} holds events with clocks, no operations; --to shiviz is accepted")
        for line in shiviz.write((event.host, event.clock, event.text) for event in events):
            click.echo(line)
        return True
    hosts = list(dict.fromkeys(event.host for event in events))
    some = events[:DRAWN_MAX]
    pairs = [one.clock.compare(other.clock) for at, one in enumerate(some) for other in some[at + 1 :]]
    concurrent = sum(order is Order.CONCURRENT for order in pairs)
    many = f"{plural(len(events), 'event')} of {plural(len(hosts), 'host')}"
    said = f"{many}: own entries count 1, 2, 3 ..., and what is named exists"
    checks = (Check("vector clocks", True, said),)
    digest = blake2b(digest_size=16)
    for event in events:
        digest.update(f"{event.host} {event.clock} {event.text}\n".encode())
    if as_json:
        head = head_json("consistency", "shiviz", 0, len(events), digest.hexdigest(), checks)
        head["snapshot"] = {"file": name, "hosts": hosts[:100], "pairs": len(pairs), "concurrent_pairs": concurrent}
        why = f"no client history: {ACCEPTED} is"
        head["operations"] = 0
        head["models"] = {model: {"verdict": "unknown", "witness": None, "why": why} for model in NAMES}
        click.echo(json.dumps(head))
        return True
    share = f"{concurrent:,} of {len(pairs):,} pairs of the first {plural(len(some), 'event')} are concurrent"
    click.echo("\n".join([f"{name}: {said}", f"digest {digest.hexdigest()}", share, *check_lines(checks)]))
    return True


def opening(file: str, options: DataOptions) -> Opening:
    """The history as a run, judged; or the log with vector clocks."""
    _accept(options)
    name, path = name_of(file), "" if file == "-" else file
    parser = shiviz.expression(options.parser)
    how = tuple((each, value) for each in ("model", "parser") if (value := getattr(options, each)) is not None)
    with open_data(file) as stream:
        hashed = Hashed(stream)
        head = hashed.stream.read(HEAD)
        if parser is not None or _is_shiviz(head):
            events = shiviz.parse(_text(head + hashed.stream.read(shiviz.TEXT_MAX), name), name, parser)
            return Opening(RECORDED.on(log_of(events, name, hashed.sha256, path, how)))
        history, model, skipped = _read(_Joined(head, hashed.stream), name, options)
    report = judge_history(history, model)
    return Opening(RECORDED.on(source_of(history, report, name, hashed.sha256, path, skipped, how)))
