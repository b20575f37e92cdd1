"""In which order the coordinator speaks: who has to know before whom, and what counts."""

from typing import Any

import pytest

from engines.errors import UserError
from engines.sharding.world import commands as c
from engines.sharding.world import messages as m
from engines.sharding.world.coordinator import QUEUE_MAX
from engines.sharding.world.events import ChangeKind
from tests.engines.sharding.world.lab import SLOT, UNIT, Bench

ALL = ("n1", "n2", "n3")
Said = list[tuple[str, Any]]


def told(said: Said, kind: type) -> list[str]:
    """Who was sent such a message."""
    return [to for to, message in said if isinstance(message, kind)]


def planned(**config: Any) -> Bench:
    """A plan is announced: slot 3443 goes to n3."""
    bench = Bench(**config)
    assert told(bench.command(c.MoveSlot(SLOT, "n3")), m.MapUpdate) == list(ALL)
    return bench


def count(bench: Bench, *nodes: str) -> Said:
    """These nodes know the newest map and have counted what they give."""
    said: Said = []
    for node in nodes:
        epoch = bench.engine.cluster.cfg().map.epoch
        said += bench.tell_all("cfg", node, m.MapAck(epoch, 1, ((UNIT, 2),) if node == "n1" else ()))
    return said


def empty(bench: Bench) -> Said:
    """The slot is on its way, until its source has nothing left."""
    count(bench, *ALL)
    bench.tell_all("cfg", "n3", m.ImportOk(1, UNIT))
    return bench.tell_all("cfg", "n1", m.UnitEmpty(1, UNIT))


def test_a_plan_begins_when_every_live_node_has_counted() -> None:
    bench = planned()
    assert count(bench, "n1", "n2") == []
    assert told(count(bench, "n3"), m.Import) == ["n3"]


def test_the_target_imports_before_the_source_migrates() -> None:
    bench = planned()
    said = count(bench, *ALL)
    assert (told(said, m.Import), told(said, m.Migrate)) == (["n3"], [])
    assert told(bench.tell_all("cfg", "n3", m.ImportOk(1, UNIT)), m.Migrate) == ["n1"]


def test_a_new_owner_is_told_before_all_others() -> None:
    bench = planned()
    assert told(empty(bench), m.MapUpdate) == ["n3"]
    epoch = bench.engine.cluster.cfg().map.epoch
    said = bench.tell_all("cfg", "n3", m.MapAck(epoch, 1, ()))
    assert [to for to, message in said if message == m.MapUpdate(epoch)] == ["n1", "n2"]


def test_nobody_else_can_fetch_a_map_that_its_new_owner_does_not_know() -> None:
    bench = planned()
    empty(bench)
    assert bench.tell_all("cfg", "n2", m.WantMap()) == []
    said = bench.tell_all("cfg", "n2", m.Heartbeat(0, 1, 0, 0, (), ()))
    assert (told(said, m.MapUpdate), told(said, m.HeartbeatAck)) == ([], ["n2"])


def test_reports_of_another_plan_count_for_nothing() -> None:
    bench = planned()
    count(bench, *ALL)
    assert bench.tell_all("cfg", "n3", m.ImportOk(9, UNIT)) == []
    bench.tell_all("cfg", "n3", m.ImportOk(1, UNIT))
    epoch = bench.engine.cluster.cfg().map.epoch
    assert bench.tell_all("cfg", "n1", m.UnitEmpty(9, UNIT)) == []
    assert bench.engine.cluster.cfg().map.epoch == epoch


def test_a_unit_is_not_assigned_before_its_source_is_empty() -> None:
    bench = planned()
    count(bench, *ALL)
    bench.tell_all("cfg", "n3", m.ImportOk(1, UNIT))
    bench.fire("cfg", "tick")
    assert bench.engine.cluster.cfg().map.done == ()
    bench.tell_all("cfg", "n1", m.UnitEmpty(1, UNIT))
    assert bench.engine.cluster.cfg().map.done == (UNIT,)


def test_a_plan_with_copies_is_called_off_before_anybody_is_promoted() -> None:
    bench = Bench(rf=2)
    bench.command(c.MoveSlot(SLOT, "n3"))
    host, cfg = bench.engine.hosts["cfg"], bench.engine.cluster.cfg()
    cfg.handle_silence(host, ("n2",))
    assert (cfg.map.off, cfg.map.dead, cfg.map.term) == (True, (), 1)
    bench.sent()
    cfg.handle_silence(host, ("n2",))
    assert cfg.map.dead == (), "not before every target knows that it answers for nothing"
    for node in cfg.first:
        bench.tell_all("cfg", node, m.MapAck(cfg.map.epoch, 1, ()))
    cfg.handle_silence(host, ("n2",))
    now = bench.engine.cluster.cfg().map
    assert (now.off, now.dead, now.term) == (False, ("n2",), 2)
    assert now.plan is None


def test_a_promotion_begins_a_new_term() -> None:
    bench = Bench(rf=2)
    cfg = bench.engine.cluster.cfg()
    cfg.handle_silence(bench.engine.hosts["cfg"], ("n2",))
    assert (cfg.map.term, cfg.map.placement.stale) == (2, ("n2",))


def test_who_missed_writes_catches_up_before_it_counts() -> None:
    bench = Bench(rf=2)
    cfg = bench.engine.cluster.cfg()
    cfg.handle_silence(bench.engine.hosts["cfg"], ("n2",))
    for node in cfg.first:
        bench.tell_all("cfg", node, m.MapAck(cfg.map.epoch, 0, ()))
    bench.tell_all("cfg", "n2", m.Heartbeat(0, 1, 5, 0, (), ()))
    assert (cfg.map.dead, cfg.map.placement.stale) == ((), ("n2",))
    bench.fire("cfg", "tick")
    assert cfg.running is not None
    assert (cfg.running.kind, cfg.running.cause.node) == (ChangeKind.RECOVER, "n2")


def test_a_lease_is_given_in_the_present_term_for_the_heartbeat_that_asked() -> None:
    bench = Bench(rf=2)
    (ack,) = (each for _, each in bench.tell_all("cfg", "n1", m.Heartbeat(77, 1, 0, 0, (), ())))
    assert (ack.at_us, ack.term) == (77, 1)


def test_what_the_balancer_finds_has_to_wait_while_orders_do() -> None:
    bench = planned()
    for _ in range(QUEUE_MAX):
        bench.command(c.MoveSlot(SLOT, "n2"))
    cfg = bench.engine.cluster.cfg()
    assert len(cfg.queue) == QUEUE_MAX
    with pytest.raises(UserError, match="32 changes wait already"):
        bench.command(c.MoveSlot(SLOT, "n2"))
    cfg.progress = None  # as after a plan, while its map is on its way
    bench.tell_all("cfg", "n1", m.Cut("", "k", 9, 9, False))
    assert len(cfg.queue) == QUEUE_MAX
