"""A log with vector clocks as a run: an order true to the clocks, and the messages they tell of."""

from __future__ import annotations

import pytest

from engines.consistency.clock_log import SHOWN, ClockEngine, ClockLog
from engines.consistency.formats import shiviz
from engines.consistency.recorded import RECORDED, log_of
from engines.consistency.vector import Order
from engines.consistency.world.events import Happened

LOG = """hello
alice {"alice": 1}
got it
bob {"bob": 1, "alice": 1}
alone
alice {"alice": 2}
tells carol
bob {"bob": 2, "alice": 1}
hears bob, and so of alice
carol {"carol": 1, "bob": 2, "alice": 1}
"""


def log(text: str = LOG) -> ClockLog:
    return ClockLog(shiviz.parse(text, "f"))


def test_messages_are_those_that_nothing_else_explains() -> None:
    found = log()
    assert [(each.host, each.text) for each in found][:2] == [("alice", "hello"), ("bob", "got it")]
    assert [each.causes for each in found] == [(), (0,), (), (), (3,)], "carol heard of alice through bob"


def test_a_log_that_tells_effects_first_is_played_causes_first() -> None:
    pairs = [LOG.splitlines()[at : at + 2] for at in range(0, 10, 2)]
    turned = log("\n".join(line for pair in reversed(pairs) for line in pair))
    seen: set[tuple[str, int]] = set()
    for each in turned:
        seen.add((each.host, each.clock.get(each.host)))
        assert all((host, count) in seen for host, count in each.clock)
    assert {(each.host, each.text) for each in turned} == {(each.host, each.text) for each in log()}


def test_it_plays_event_by_event_and_ends() -> None:
    engine = RECORDED.on(log_of(shiviz.parse(LOG, "f"), "f", "0" * 64, "f")).make(0, ())
    assert isinstance(engine, ClockEngine)
    assert [each.machine.id for each in engine.snapshot().replicas] == ["alice", "bob", "carol"]
    for _ in range(3):
        engine.step()
    early = engine.snapshot()
    assert [str(each.vector) for each in early.replicas] == ["{alice:2}", "{alice:1, bob:1}", "{}"]
    assert early.logged[1].clock.compare(early.logged[2].clock) is Order.CONCURRENT
    engine.run(engine.end_us, 100)
    assert engine.next_us() is None
    assert [(each.src, each.dst) for each in engine.snapshot().arrows] == [("alice", "bob"), ("bob", "carol")]
    told = [each.what for each in engine.told(10) if isinstance(each.what, Happened)]
    assert told[-1].heard == ("bob",)
    assert [check.ok for check in engine.check()] == [True]


@pytest.mark.parametrize("count", [1, 5_000])
def test_what_is_shown_is_bounded(count: int) -> None:
    text = "".join(f'e{n}\nh {{"h": {n}}}\n' for n in range(1, count + 1))
    engine = RECORDED.on(log_of(shiviz.parse(text, "f"), "f", "0" * 64, "f")).make(0, ())
    engine.run(engine.end_us, count + 1)
    shown = engine.snapshot().logged
    assert len(shown) == min(count, SHOWN)
    assert shown[-1].number == count - 1
