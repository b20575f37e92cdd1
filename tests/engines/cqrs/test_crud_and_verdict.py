"""The twin without the pattern, and the arithmetic of when the pattern pays."""

import pytest

from engines.cqrs import (
    CUSTOMER_HISTORY,
    ORDER_SUMMARY,
    REVENUE_BY_DAY,
    CommandBus,
    CrudStore,
    Load,
    Query,
    fold,
    weigh,
)
from engines.cqrs.verdict import FORMULA, FULL_US, Why, break_even_reads
from engines.event_sourcing import MemoryStore
from tests.engines.cqrs.shop import CUSTOMERS, HOUR_US, commands, create, step


@pytest.mark.parametrize("seed", range(8))
def test_both_say_the_same_under_the_same_commands(seed: int) -> None:
    store, crud = MemoryStore(), CrudStore()
    bus = CommandBus(store)
    for command in commands(seed, 120):
        store.now_us += HOUR_US
        answer = bus.send(command)
        other, _ = crud.execute(command, store.now_us)
        assert (other.status, other.repeated) == (answer.status, answer.repeated), command
    summaries, history, days = (fold(each, store.events) for each in (ORDER_SUMMARY, CUSTOMER_HISTORY, REVENUE_BY_DAY))
    for row in summaries.rows():
        ((mine,), touched) = crud.query(Query("q", "GET_ORDER_SUMMARY", {"order": row.order}))
        assert mine[:6] == row[:6]
        assert touched.all == 1 + row.lines, "an order is joined with its lines"
    for customer in CUSTOMERS:
        rows, touched = crud.query(Query("q", "GET_CUSTOMER_HISTORY", {"customer": customer}))
        assert rows == history.find(customer)
        assert touched.read > len(rows)
    assert crud.query(Query("q", "GET_REVENUE", {}))[0] == days.rows()


def test_it_touches_rows_where_the_pattern_touches_one() -> None:
    crud = CrudStore()
    _, touched = crud.execute(create(), 0)
    assert (touched.read, touched.written) == (0, 4), "an order, two lines, the command's id"
    _, touched = crud.execute(step("c2", "RESERVE_STOCK"), 0)
    assert (touched.read, touched.written) == (3, 2)
    _, touched = crud.execute(step("c2", "RESERVE_STOCK"), 0)
    assert (touched.read, touched.written) == (1, 0)


def test_its_versions_and_refusals() -> None:
    crud = CrudStore()
    crud.execute(create(), 0)
    stale, _ = crud.execute(step("c2", "RESERVE_STOCK", 5), 0)
    assert stale.why == "RESERVE_STOCK: sent for version 5, it is at 0"
    declined, _ = crud.execute(step("c3", "RESERVE_STOCK", 0), 0, "no stock")
    assert (declined.why, declined.ok) == ("no stock", False)
    assert crud.query(Query("q", "GET_ORDER_SUMMARY", {"order": "order-1"}))[0] == ()


LOAD = Load(
    reads=100, writes=10, projections=3, join_us=900, write_us=500, command_us=600, apply_us=200, row_us=100,
    staleness_us=50_000, accepted_us=200_000,
)  # fmt: skip


def test_the_formula_worked_out() -> None:
    """CRUD = 100 x 900 + 10 x 500; CQRS = 10 x (600 + 3 x 200) + 100 x 100."""
    found = weigh(LOAD)
    assert (found.crud_us, found.cqrs_us) == (95_000, 22_000)
    assert (found.write_us, found.project_us, found.read_us) == (6_000, 6_000, 10_000)
    assert (found.pays, found.why, found.ratio_permille) == (True, Why.CHEAPER, 231)


@pytest.mark.parametrize(
    ("load", "pays", "why"),
    [
        (LOAD._replace(accepted_us=49_999), False, Why.STALE),
        (LOAD._replace(accepted_us=50_000), True, Why.CHEAPER),
        (LOAD._replace(reads=8), False, Why.DEARER),
        (LOAD._replace(reads=9), True, Why.CHEAPER),
        (LOAD._replace(reads=0, writes=2_001), False, Why.FULL),
        (LOAD._replace(reads=0, writes=2_001, command_servers=2), True, Why.SCALES),
        (LOAD._replace(reads=0, writes=2_000, command_servers=2), False, Why.DEARER),
        (LOAD._replace(reads=20_000, replicas=1), False, Why.FULL),
        (LOAD._replace(reads=20_000, replicas=2), True, Why.CHEAPER),
    ],
)  # fmt: skip
def test_when_it_pays(load: Load, pays: bool, why: Why) -> None:
    found = weigh(load)
    assert (found.pays, found.why) == (pays, why)


def test_more_reads_a_write_than_break_even_are_cheaper_and_fewer_are_not() -> None:
    assert break_even_reads(LOAD) == 88, "0.88 reads a write"
    assert weigh(LOAD._replace(writes=100, reads=88)).why is Why.CHEAPER
    assert weigh(LOAD._replace(writes=100, reads=87)).why is Why.DEARER
    assert break_even_reads(LOAD._replace(write_us=5_000)) == 0
    assert break_even_reads(LOAD._replace(row_us=900)) is None


def test_the_formula_is_there_to_be_read() -> None:
    assert FORMULA[0].startswith("CRUD = reads x join + writes x write")
    assert [line.split()[0] for line in FORMULA] == ["CRUD", "CQRS", "pays:", "scales:", "not:"]
    assert FULL_US == 1_000_000
    assert weigh(LOAD._replace(reads=0, writes=0)).ratio_permille == 0
