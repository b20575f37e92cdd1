"""The user's orders: read models, rebuilt from a store of ``engines.event_sourcing``, and queries to them."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from engines.cqrs.demo import EVENTS, batches
from engines.cqrs.errors import NotOrders
from engines.cqrs.queries import Query, parse_query, rows_for, spec_of
from engines.cqrs.read_models import PROJECTIONS, projection
from engines.cqrs.rebuild import SHOWN, Rebuild
from engines.cqrs.recorded import VARIANT, OrderRecords, source
from engines.errors import UserError
from engines.event_sourcing.append import NO_STREAM
from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.sqlite_store import SqliteStore
from engines.sim.pattern import Check
from engines.units import span as time_span
from tui.kit.words import plural
from tui.options import DataOptions
from tui.userdata.common import Opening, check_lines, echo_json, head_json, name_of
from tui.userdata.events import DEMO_BATCH, Found, Judge, is_sqlite, open_sqlite, sha256_of

MINE: Final = ("--projection", "--query", "--skip-bad")
NEEDED: Final = "a store of this program with the order's events (OrderCreated, LineAdded ...) is needed"
HELP: Final = "dp-tui cqrs --demo-store FILE writes one"
READABLE: Final = "every event could be read"
AGREES: Final = "summaries agree with the write model"
ROWS_SHOWN: Final = 12
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _accept(options: DataOptions) -> None:
    others = [name for name in options.given if name not in MINE]
    if options.nodes is not None:
        others.insert(0, "--nodes")
    if others:
        raise UserError(f"{others[0]}: a store of orders takes {', '.join(MINE)}")


@contextlib.contextmanager
def _opened(file: str) -> Iterator[Found]:
    """The events of a store of ours. NotOrders names what it is instead."""
    if file == "-":
        raise NotOrders(f"standard input: {NEEDED}, and a SQLite file cannot be read from a pipe: name the file")
    if not is_sqlite(file):
        raise NotOrders(f"{file}: byte 0: not a SQLite file: {NEEDED}; {HELP}")
    with open_sqlite(file, f"{NEEDED}; {HELP}") as found:
        if not found.chained:
            raise NotOrders(f"{file}: a store of {found.kind}: {NEEDED}; {HELP}")
        yield found


def _rebuilt(file: str, options: DataOptions, keep: list[RecordedEvent] | None = None) -> tuple[Judge, Rebuild]:
    """Read a store once: judged and folded. NotOrders if there is no order in it."""
    _accept(options)
    names = (projection(options.projection),) if options.projection else tuple(PROJECTIONS.values())
    with _opened(file) as found:
        judge, rebuild = Judge(found), Rebuild(names, park=options.skip_bad)
        for event in found.events:
            if not judge.take(event):
                break
            rebuild.take(event)
            if keep is not None:
                keep.append(event)
    if not rebuild.orders and judge.broken is None:
        there = ", ".join(sorted(judge.types)[:4]) or "it holds no events"
        raise NotOrders(f"{name_of(file)}: its events are not the order's ({there}): {NEEDED}; {HELP}")
    return judge, rebuild


def _checks(judge: Judge, rebuild: Rebuild) -> tuple[Check, ...]:
    stops, wrong, parked = rebuild.unreadable(), rebuild.disagreements(), rebuild.parked()
    aside = f"; {len(parked):,} were put aside" if parked else ""
    said = stops[0] if stops else f"{plural(rebuild.events, 'event')}{aside}"
    agrees = wrong[0] if wrong else "customer, status, lines and total of every order"
    return (
        *judge.checks(),
        Check(READABLE, not stops, said, stops),
        Check(AGREES, not wrong, agrees, wrong[:SHOWN]),
    )


def _asked(rebuild: Rebuild, options: DataOptions) -> tuple[Query, tuple[Any, ...]] | None:
    """The answer to ``--query``. UnknownQuery, BadFields, or UserError if its projection was left out."""
    if options.query is None:
        return None
    query = parse_query(options.query)
    name = spec_of(query)[0].projection
    model = rebuild.models.get(name)
    if model is None:
        raise UserError(
            f"--query {query.name} is answered by {name}, but --projection {options.projection} leaves it out"
        )
    return query, rows_for(model, query)


def report(file: str, options: DataOptions, as_json: bool) -> bool:
    """Print how far each read model is, and what was asked of them."""
    if options.query is not None:
        spec_of(parse_query(options.query))  # a question nobody can answer is told before a store is read
    judge, rebuild = _rebuilt(file, options)
    answer = _asked(rebuild, options)
    checks = _checks(judge, rebuild)
    span = max(0, judge.last_us - judge.first_us)
    rows = {name: model.rows() for name, model in rebuild.models.items()}
    digest = judge.digest.close(tuple((name, each) for name, each in sorted(rows.items())))
    if as_json:
        _echo(file, judge, rebuild, answer, head_json("cqrs", None, span, judge.total, digest, checks))
    else:
        click.echo("\n".join(_lines(file, rebuild, answer, digest) + check_lines(checks)))
    return all(check.ok for check in checks)


def _echo(
    file: str, judge: Judge, rebuild: Rebuild, answer: tuple[Query, tuple[Any, ...]] | None, head: dict[str, Any]
) -> None:
    head["snapshot"] = {
        "file": name_of(file), "kind": judge.found.kind, "streams": len(judge.heads), "order_events": rebuild.orders,
        "other_events": dict(sorted(rebuild.others.items())[:100]), "skipped": len(rebuild.parked()),
        "types": dict(sorted(rebuild.types.items())[:100]),
        "newest": {
            name: [row._asdict() for row in model.rows()[-ROWS_SHOWN:]] for name, model in rebuild.models.items()
        },
    }  # fmt: skip
    head["projections"] = {}
    for name, model in rebuild.models.items():
        lag = rebuild.lag(name)
        head["projections"][name] = {
            "position": model.position, "lag": lag.events, "rows": model.count(), "age_us": lag.age_us,
            "version": model.projection.version,
        }  # fmt: skip
    if answer is not None:
        query, rows = answer
        head["query"] = {"name": query.name, **query.data, "rows": [row._asdict() for row in rows]}
    echo_json(head)


def _lines(file: str, rebuild: Rebuild, answer: tuple[Query, tuple[Any, ...]] | None, digest: str) -> list[str]:
    others = ", ".join(f"{count:,} of {kind or 'no category'}" for kind, count in sorted(rebuild.others.items()))
    lines = [
        f"{plural(rebuild.orders, 'event')} of orders in {name_of(file)}{f'; skipped: {others}' if others else ''}",
        f"digest {digest}",
        "",
        f"{'projection':<20}{'position':>10}{'behind':>8}{'oldest':>10}{'rows':>8}",
    ]
    for name, model in rebuild.models.items():
        lag = rebuild.lag(name)
        age = time_span(lag.age_us) if lag.events else "-"
        lines.append(f"{name:<20}{model.position:>10,}{lag.events:>8,}{age:>10}{model.count():>8,}")
    if answer is not None:
        query, rows = answer
        lines += ["", " ".join([query.name, *(f"{key}={value}" for key, value in query.data.items())])]
        lines += _table(rows) if rows else ["  no row"]
    return lines


def _table(rows: tuple[Any, ...]) -> list[str]:
    """Rows under their names, oldest orders first; times as dates of UTC."""
    names = rows[0]._fields
    if "placed_us" in names:
        rows = tuple(sorted(rows, key=lambda row: (row.placed_us, row[0])))
    cells = [tuple(name.removesuffix("_us") for name in names)]
    cells += [tuple(map(_cell, names, row)) for row in rows]
    widths = [max(len(each) for each in column) for column in zip(*cells, strict=True)]
    return [
        "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    ]


def _cell(name: str, value: Any) -> str:
    if not name.endswith("_us"):
        return str(value)
    try:
        return f"{EPOCH + timedelta(microseconds=value):%Y-%m-%d %H:%M}" if value else "-"
    except OverflowError:  # a clock that was nowhere near the year 9999
        return str(value)


def opening(file: str, options: DataOptions) -> Opening:
    """The store as a run, one event a step."""
    events: list[RecordedEvent] = []
    judge, rebuild = _rebuilt(file, options, events)
    if not events:
        raise UserError(f"{file}: {judge.broken}")
    checks = _checks(judge, rebuild)
    records = OrderRecords(events, judge.found.kind, judge.integrity(), checks, park=options.skip_bad)
    made = source(records, name_of(file), sha256_of(file), file, len(rebuild.parked()))
    return Opening(VARIANT.on(made))


def write_demo(file: str) -> str:
    """Write a store of orders to play with; what was written. UserError if the file is there already."""
    if Path(file).exists():
        raise UserError(f"{file}: it is there already: name a file that does not exist")
    with SqliteStore(file) as store:
        pending: list[Any] = []
        heads: dict[str, int] = {}
        for stream, events in batches(EVENTS):
            pending.append((stream, events, heads.get(stream, NO_STREAM)))
            heads[stream] = heads.get(stream, -1) + len(events)
            if len(pending) == DEMO_BATCH:
                store.save_batches(pending)
                pending = []
        store.save_batches(pending)
        count, streams = store.head(), len(store.streams())
    Path(f"{file}-lock").unlink(missing_ok=True)
    return f"{file}: {plural(count, 'event')} in {plural(streams, 'stream')}. Look at it with: dp-tui cqrs {file}"


__all__ = ["opening", "report", "write_demo"]
