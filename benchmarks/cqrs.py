"""Both sides of CQRS: commands, projections and queries a second, and what a rebuild of a million events takes.

Commands are compared with the bare append of the same events to the same kind of store: what remains is reading the
order, deciding and remembering the answer. Projecting is compared with reading the events alone. A query to a read
model in SQLite is compared with the same question put to tables in third normal form, in the same SQLite: one row by
its key against a join, the rows of a customer against a join for each, a day's revenue against a sum over everything.
"""

import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.events import seconds
from engines.cqrs import Command, CommandBus, Deployment, MemoryModel, Projector, Query, Reader, SqliteModels
from engines.cqrs.read_models import DAY_US, PROJECTIONS
from engines.event_sourcing import NO_STREAM, MemoryStore, Metadata, NewEvent, SqliteStore

ROUNDS: Final = 3
ORDERS: Final = 400
CUSTOMERS: Final = 50
PAGE: Final = 1_000
LINES: Final = 3
MILLION: Final = 1_000_000
STEPS: Final = ("RESERVE_STOCK", "PAY_ORDER", "SHIP_ORDER")
_ITEMS: Final = (("book", 1_900), ("lamp", 4_500), ("chair", 12_900), ("pen", 300))


def commands() -> list[Command]:
    """So many orders from their creation to their shipping."""
    draw = random.Random(7)
    found = []
    for number in range(ORDERS):
        order = f"order-{number}"
        lines = []
        for _ in range(LINES):
            item, price = draw.choice(_ITEMS)
            lines.append({"item": item, "quantity": 1 + draw.randrange(3), "price": price})
        data = {"customer": f"customer-{draw.randrange(CUSTOMERS)}", "lines": lines}
        found.append(Command(f"{order}/c", "CREATE_ORDER", order, data))
        found += [Command(f"{order}/{name}", name, order, {}) for name in STEPS]
    return found


def executed() -> MemoryStore:
    """A store in which they were executed, on several days."""
    store = MemoryStore()
    bus = CommandBus(store)
    for number, command in enumerate(commands()):
        store.now_us = number * DAY_US // 100
        assert bus.send(command).ok
    return store


def best(times: int, work: Callable[[], object]) -> float:
    """A second of it, in its best round."""
    return times / min(seconds(work) for _ in range(ROUNDS))


def commanding(folder: Path) -> Iterator[str]:
    """Commands, in memory and on the disk, against bare appends of the same events."""
    todo = commands()
    batches: list[tuple[str, list[NewEvent], Any]] = []
    store = executed()
    for command in todo:
        events = [event for event in store.get_events(command.order) if event.causation_id == command.id]
        expected = events[0].revision - 1 if events[0].revision else NO_STREAM
        bare = [NewEvent(each.id, each.type, each.data, each.version, each.metadata) for each in events]
        batches.append((command.order, bare, expected))
    number = 0

    def disk() -> SqliteStore:
        nonlocal number
        number += 1
        return SqliteStore(str(folder / f"{number}.db"))

    makers: dict[str, Callable[[], Any]] = {"in memory": MemoryStore, "in SQLite, durable": disk}
    for name, make in makers.items():
        ours = floor = 0.0
        for _ in range(ROUNDS):
            bus, raw = CommandBus(make()), make()
            ours = max(ours, len(todo) / seconds(lambda b=bus: [b.send(each) for each in todo]))  # type: ignore[misc]
            floor = max(floor, len(todo) / seconds(lambda r=raw: [r.save_events(*each) for each in batches]))  # type: ignore[misc]
        yield f"cqrs: commands {name} {ours:,.0f}/s, bare appends of their events {floor:,.0f}/s: {ours / floor:.2f}"


def projecting(folder: Path) -> Iterator[str]:
    """Events through all three projections, in memory and in SQLite, in pages and one by one."""
    log = executed().events
    reading = best(len(log), lambda: [event.data for event in log])

    def memory() -> None:
        for projection in PROJECTIONS.values():
            Projector(MemoryModel(projection)).take(log)

    number = 0

    def disk(page: int) -> None:
        nonlocal number
        number += 1
        with SqliteModels(str(folder / f"rows-{number}.db")) as file:
            projectors = [Projector(file.model(projection)) for projection in PROJECTIONS.values()]
            for begin in range(0, len(log), page):
                with file.transaction():
                    for projector in projectors:
                        projector.take(log[begin : begin + page])

    kept, pages, single = best(len(log), memory), best(len(log), lambda: disk(PAGE)), best(len(log), lambda: disk(1))
    yield (
        f"cqrs: events through three projections: in memory {kept:,.0f}/s (reading alone {reading:,.0f}/s: "
        f"{kept / reading:.2f}), in SQLite {pages:,.0f}/s in pages of {PAGE:,}, {single:,.0f}/s one by one"
    )


def normal_form(path: Path, log: Any) -> sqlite3.Connection:
    """The same orders in tables without the pattern."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("CREATE TABLE orders (name TEXT PRIMARY KEY, customer TEXT, status TEXT, paid_us INTEGER)")
    db.execute("CREATE TABLE lines (name TEXT, number INTEGER, item TEXT, quantity INTEGER, price INTEGER, "
               "PRIMARY KEY (name, number)) WITHOUT ROWID")  # fmt: skip
    db.execute("CREATE INDEX by_customer ON orders (customer)")
    db.execute("BEGIN")
    for event in log:
        data = event.data
        if event.type == "OrderCreated":
            db.execute("INSERT INTO orders VALUES (?,?,'created',0)", (event.stream, data["customer"]))
        elif event.type == "LineAdded":
            row = (event.stream, event.revision, data["item"], data["quantity"], data["price"])
            db.execute("INSERT INTO lines VALUES (?,?,?,?,?)", row)
        elif event.type == "OrderPaid":
            db.execute("UPDATE orders SET status='paid', paid_us=? WHERE name=?", (event.at_us, event.stream))
    db.execute("COMMIT")
    return db


JOINS: Final = {
    "GET_ORDER_SUMMARY": "SELECT o.name, customer, status, count(*), sum(quantity), sum(quantity*price) FROM orders o "
    "JOIN lines USING (name) WHERE o.name=? GROUP BY o.name",
    "GET_CUSTOMER_HISTORY": "SELECT o.name, customer, status, sum(quantity*price) FROM orders o "
    "JOIN lines USING (name) WHERE customer=? GROUP BY o.name",
    "GET_REVENUE": "SELECT paid_us/86400000000, count(DISTINCT o.name), sum(quantity*price) FROM orders o "
    "JOIN lines USING (name) WHERE status IN ('paid','shipped') AND paid_us/86400000000=? GROUP BY 1",
}


def asking(folder: Path) -> Iterator[str]:
    """Queries to read models in memory and in SQLite, against joins."""
    log = executed().events
    draw = random.Random(3)
    db = normal_form(folder / "normal.db", log)
    with SqliteModels(str(folder / "rows.db")) as file:
        served, stored = {}, {}
        for name, projection in PROJECTIONS.items():
            served[name], stored[name] = Deployment(MemoryModel(projection)), Deployment(file.model(projection))
            Projector(served[name].live).take(log)
            Projector(stored[name].live).take(log)
        days = [row.day for row in served["revenue_by_day"].live.rows()]
        keys: dict[str, tuple[str, Callable[[], Any], int]] = {
            "GET_ORDER_SUMMARY": ("order", lambda: f"order-{draw.randrange(ORDERS)}", 4_000),
            "GET_CUSTOMER_HISTORY": ("customer", lambda: f"customer-{draw.randrange(CUSTOMERS)}", 1_000),
            "GET_REVENUE": ("day", lambda: draw.randrange(len(days)), 300),
        }
        for name, (field, key, times) in keys.items():
            drawn = [key() for _ in range(times)]
            asked = [Query("q", name, {field: days[each] if name == "GET_REVENUE" else each}) for each in drawn]
            memory, disk = Reader(served), Reader(stored)
            fast = best(times, lambda r=memory, a=asked: [r.ask(each, 0) for each in a])  # type: ignore[misc]
            rows = best(times, lambda r=disk, a=asked: [r.ask(each, 0) for each in a])  # type: ignore[misc]
            sql = JOINS[name]
            join = best(times, lambda s=sql, d=drawn: [db.execute(s, (each,)).fetchall() for each in d])  # type: ignore[misc]
            yield (
                f"cqrs: {name} in memory {fast:,.0f}/s, in SQLite {rows:,.0f}/s, a join in SQLite {join:,.0f}/s: "
                f"{rows / join:.1f}x"
            )
    db.close()


def million(path: Path) -> None:
    """A store of a million events: orders of six."""
    with SqliteStore(str(path), verify="none") as store:
        pending: list[Any] = []
        for number in range(MILLION // 6):
            meta = Metadata("shop", 1 + number * DAY_US // 5_000, f"c{number}", f"order-{number}")
            item, price = _ITEMS[number % 4]
            quantity = 1 + number % 3
            line = {"item": item, "quantity": quantity, "price": price}
            told: list[tuple[str, dict[str, Any]]] = [
                ("OrderCreated", {"customer": f"customer-{number % 5_000}"}),
                ("LineAdded", line),
                ("LineAdded", line),
                ("StockReserved", {}),
                ("OrderPaid", {"amount": 2 * quantity * price}),
                ("OrderShipped", {}),
            ]
            events = [NewEvent(f"{number}/{n}", type_, data, 1, meta) for n, (type_, data) in enumerate(told)]
            pending.append((f"order-{number}", events, NO_STREAM))
            if len(pending) == 2_000:
                store.save_batches(pending)
                pending = []
        store.save_batches(pending)


_REBUILD: Final = """
import sys, time
from itertools import islice
from engines.cqrs import PROJECTIONS, MemoryModel, SqliteModels, rebuilder
from engines.event_sourcing import SqliteStore
peak = lambda: next(int(l.split()[1]) for l in open('/proc/self/status') if l.startswith('VmHWM'))
base = peak()
file = SqliteModels(sys.argv[2]) if len(sys.argv) > 2 else None
models = [file.model(each) if file else MemoryModel(each) for each in PROJECTIONS.values()]
projectors = [rebuilder(each) for each in models]
with SqliteStore(sys.argv[1], read_only=True, verify='none') as store:
    start = time.perf_counter()
    events = store.replay()
    while page := list(islice(events, 5_000)):
        for projector in projectors:
            projector.take(page)
    took = time.perf_counter() - start
print(models[0].position, took, base, peak(), sum(each.count() for each in models))
"""


def rebuilding(folder: Path) -> Iterator[str]:
    """All three read models from a million events, in a process of its own."""
    path = folder / "million.db"
    million(path)
    for name, more in (("in memory", ()), ("in SQLite", (str(folder / "million-rows.db"),))):
        done = subprocess.run(
            [sys.executable, "-c", _REBUILD, str(path), *more], capture_output=True, text=True, check=True
        )
        count, took, base, peak, rows = map(float, done.stdout.split())
        yield (
            f"cqrs: rebuilding three read models {name} from {count:,.0f} events takes {took:.1f} s "
            f"({count / took:,.0f}/s) and {(peak - base) / 1024:.0f} MB above {base / 1024:.0f} MB for {rows:,.0f} rows"
        )


def lines() -> list[str]:
    """Everything."""
    found: list[str] = []
    with TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as name:
        folder = Path(name)
        for part in (commanding, projecting, asking, rebuilding):
            found += part(folder)
    return found
