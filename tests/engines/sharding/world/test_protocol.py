"""The protocol of Redis Cluster, one sentence each: what a node answers in which state."""

import pytest

from engines.sharding.world import messages as m
from engines.sharding.world.ownership import ShardMap
from engines.sharding.world.rules import LEASE_US
from engines.sim import faults
from tests.engines.sharding.world.lab import OTHER, SLOT, UNIT, A, B, Bench


def test_a_node_serves_the_slots_it_owns() -> None:
    bench = Bench()
    bench.put_on("n1", A)
    assert bench.ask("n1", A) == f"served {A}"


def test_a_key_that_does_not_exist_is_nil() -> None:
    assert Bench().ask("n1", A) == "nil"


def test_a_node_that_does_not_own_the_slot_answers_moved() -> None:
    assert Bench().ask("n2", A) == f"MOVED {SLOT} n1"


def test_keys_of_different_slots_are_crossslot() -> None:
    assert Bench().ask("n1", A, OTHER) == "CROSSSLOT"


def test_keys_of_one_hash_tag_are_served_together() -> None:
    bench = Bench()
    bench.put_on("n1", A, B)
    assert bench.ask("n1", A, B) == f"served {A} {B}"


# -- while a slot migrates -----------------------------------------------------------------------------------


def test_the_source_serves_a_key_that_it_still_has() -> None:
    bench = Bench()
    bench.put_on("n1", A)
    assert bench.migrating().ask("n1", A) == f"served {A}"


def test_the_source_answers_ask_for_a_key_that_is_absent() -> None:
    assert Bench().migrating().ask("n1", A) == f"ASK {SLOT} n3"


def test_a_new_key_of_a_migrating_slot_is_written_at_the_target() -> None:
    bench = Bench().migrating()
    assert bench.ask("n1", A, op="put") == f"ASK {SLOT} n3"
    assert bench.ask("n3", A, op="put", asking=True) == f"served {A}"


def test_several_keys_of_which_some_have_left_are_tryagain() -> None:
    bench = Bench()
    bench.put_on("n1", A)
    assert bench.migrating().ask("n1", A, B) == "TRYAGAIN"


def test_several_keys_that_have_all_left_are_ask() -> None:
    assert Bench().migrating().ask("n1", A, B) == f"ASK {SLOT} n3"


def test_several_keys_that_are_all_still_here_are_served() -> None:
    bench = Bench()
    bench.put_on("n1", A, B)
    assert bench.migrating().ask("n1", A, B) == f"served {A} {B}"


def test_the_target_without_asking_answers_moved_back_to_the_source() -> None:
    bench = Bench().migrating()
    bench.give("n3", A)
    assert bench.ask("n3", A) == f"MOVED {SLOT} n1"


def test_the_target_serves_one_key_after_asking() -> None:
    bench = Bench().migrating()
    bench.give("n3", A)
    assert bench.ask("n3", A, asking=True) == f"served {A}"


def test_the_target_serves_one_key_after_asking_even_if_it_is_absent() -> None:
    assert Bench().migrating().ask("n3", A, asking=True) == "nil"


def test_an_ask_of_a_plan_that_was_called_off_is_moved() -> None:
    bench = Bench().migrating()
    assert bench.ask("n3", A, asking=2) == f"MOVED {SLOT} n1"
    assert bench.ask("n3", A, op="put", asking=2) == f"MOVED {SLOT} n1"
    assert bench.ask("n3", A, asking=1) == "nil"


def test_asking_is_good_for_one_request_only() -> None:
    bench = Bench().migrating()
    bench.give("n3", A)
    assert bench.ask("n3", A, asking=True) == f"served {A}"
    assert bench.ask("n3", A) == f"MOVED {SLOT} n1"


def test_the_target_answers_tryagain_after_asking_if_one_of_several_is_missing() -> None:
    bench = Bench().migrating()
    bench.give("n3", A)
    assert bench.ask("n3", A, B, asking=True) == "TRYAGAIN"


def test_one_key_asked_for_twice_is_one_key_after_asking() -> None:
    """``multiple_keys`` of getNodeByQuery counts keys that differ from the first."""
    assert Bench().migrating().ask("n3", A, A, asking=True) == "nil"


def test_the_target_serves_several_after_asking_if_it_has_all() -> None:
    bench = Bench().migrating()
    bench.give("n3", A, B)
    assert bench.ask("n3", A, B, asking=True) == f"served {A} {B}"


def test_a_third_node_answers_moved_to_the_source_until_the_slot_is_assigned() -> None:
    bench = Bench().migrating()
    assert bench.ask("n2", A) == f"MOVED {SLOT} n1"
    now = bench.engine.cluster.node("n2").map
    bench.teach("n2", ShardMap(3, 1, now.placement, now.plan, ("slot 3443",)))
    assert bench.ask("n2", A) == f"MOVED {SLOT} n3"


def test_asking_at_a_node_that_imports_nothing_is_moved() -> None:
    assert Bench().migrating().ask("n2", A, asking=True) == f"MOVED {SLOT} n1"


def test_crossslot_comes_before_everything_else() -> None:
    assert Bench().migrating().ask("n1", A, OTHER) == "CROSSSLOT"
    assert Bench().migrating().ask("n3", A, OTHER, asking=True) == "CROSSSLOT"


# -- keys on their way ---------------------------------------------------------------------------------------


def test_a_key_in_the_air_is_still_served_by_the_source() -> None:
    bench = Bench(bandwidth=5_000)
    bench.put_on("n1", A)
    assert [type(each) for each in bench.migrating().tick()] == [m.Keys]
    assert bench.ask("n1", A) == f"served {A}"


def test_a_write_of_a_key_in_the_air_waits_and_goes_where_the_key_went() -> None:
    bench = Bench(bandwidth=5_000)
    bench.put_on("n1", A)
    (parcel,) = bench.migrating().tick()
    assert bench.ask("n1", A, op="put") == "waits"
    said = bench.tell("n1", "n3", m.KeysAck(parcel.plan, parcel.unit, parcel.number))
    assert [(type(each), each.owner) for each in said] == [(m.Ask, "n3")]


def test_the_source_keeps_a_key_until_it_is_acknowledged() -> None:
    bench = Bench(bandwidth=5_000)
    bench.put_on("n1", A)
    (parcel,) = bench.migrating().tick()
    assert A in bench.engine.cluster.node("n1").store
    bench.tell("n1", "n3", m.KeysAck(parcel.plan, parcel.unit, parcel.number))
    assert A not in bench.engine.cluster.node("n1").store


def test_a_parcel_that_comes_twice_does_not_undo_a_write_between() -> None:
    bench = Bench().migrating()
    bench.give("n3", A)
    bench.ask("n3", A, op="put", asking=True)
    before = bench.engine.cluster.node("n3").store.get(A)
    bench.give("n3", A)
    assert bench.engine.cluster.node("n3").store.get(A) == before


def test_the_bandwidth_bounds_what_a_tick_sends() -> None:
    bench = Bench(bandwidth=20)
    bench.put_on("n1", *(f"{{user1000}}.{i}" for i in range(30)))
    bench.migrating()
    sent = [sum(len(each.items) for each in bench.tick() if isinstance(each, m.Keys)) for _ in range(10)]
    assert sum(sent) == 20


# -- a cluster that is down ----------------------------------------------------------------------------------


def down(bench: Bench, full_coverage: bool, reads: bool = False) -> Bench:
    """n2 is dead, and everybody knows."""
    for node in ("n1", "n3"):
        placement = bench.engine.cluster.node(node).map.placement
        news = ShardMap(9, 2, placement, dead=("n2",), full_coverage=full_coverage, reads_when_down=reads)
        bench.teach(node, news)
    return bench


def test_one_dead_master_takes_the_whole_cluster_down() -> None:
    assert down(Bench(), True).ask("n1", A) == "CLUSTERDOWN"


def test_crossslot_is_decided_before_clusterdown() -> None:
    assert down(Bench(), True).ask("n1", A, OTHER) == "CROSSSLOT"


def test_an_option_lets_reads_through() -> None:
    bench = Bench()
    bench.put_on("n1", A)
    down(bench, True, reads=True)
    assert bench.ask("n1", A) == f"served {A}"
    assert bench.ask("n1", A, op="put") == "CLUSTERDOWN"


def test_without_full_coverage_only_the_dead_masters_slots_are_missing() -> None:
    bench = Bench()
    bench.put_on("n1", A)
    down(bench, False)
    assert bench.ask("n1", A) == f"served {A}"
    lost = next(key for key in map(str, range(1_000)) if bench.engine.cluster.node("n1").map.owner(key) == "n2")
    assert bench.ask("n1", lost).startswith("MOVED")
    assert bench.ask("n1", lost).endswith("n2")


# -- copies --------------------------------------------------------------------------------------------------


def test_a_write_is_acknowledged_when_every_replica_has_it() -> None:
    bench = Bench(rf=3)
    host = bench.engine.hosts["n1"]
    bench.tell("n1", "cfg", m.HeartbeatAck(host.now_us, 1, 60))
    said = bench.tell("n1", "you", m.Request(1, "put", (A,), 5))
    assert [type(each) for each in said] == [m.Replicate, m.Replicate]
    assert bench.tell("n1", "n2", m.ReplicateAck(said[0].ticket, True, 1)) == []
    (answer,) = bench.tell("n1", "n3", m.ReplicateAck(said[0].ticket, True, 1))
    assert isinstance(answer, m.Answer)


def test_an_owner_that_was_never_heard_does_not_serve_where_others_could_be_promoted() -> None:
    assert Bench(rf=2).ask("n1", A) == "NOLEASE"


def test_a_lease_of_another_term_counts_for_nothing() -> None:
    bench = Bench(rf=2)
    bench.tell("n1", "cfg", m.HeartbeatAck(0, 5, 60))
    assert bench.ask("n1", A) == "NOLEASE"


def test_a_replica_refuses_a_write_of_an_older_term() -> None:
    bench = Bench(rf=2)
    now = bench.engine.cluster.node("n2").map
    bench.teach("n2", ShardMap(5, 4, now.placement))
    (ack,) = bench.tell("n2", "n1", m.Replicate(3, 1, 1, m.Item(A, 1, 1)))
    assert (ack.ok, ack.term) == (False, 4)
    assert A not in bench.engine.cluster.node("n2").store


@pytest.mark.parametrize("on", [True, False])
def test_the_rule_about_ask_can_be_broken(on: bool) -> None:
    assert Bench(ask_redirects=on).migrating().ask("n1", A) == (f"ASK {SLOT} n3" if on else "nil")


# -- orders and keys of other plans --------------------------------------------------------------------------


def test_keys_of_another_plan_are_not_stored() -> None:
    bench = Bench().migrating()
    assert bench.tell("n3", "n1", m.Keys(9, UNIT, 1, (m.Item(A, 1 << 32 | 1, 1),))) == []
    assert A not in bench.engine.cluster.node("n3").store


def test_orders_of_another_plan_are_not_carried_out() -> None:
    bench = Bench().migrating()
    assert bench.tell("n2", "cfg", m.Import(9, UNIT)) == [m.WantMap()]
    assert bench.tell("n2", "cfg", m.Migrate(9, UNIT)) == [m.WantMap()]
    assert (bench.engine.cluster.node("n2").importing, bench.engine.cluster.node("n2").migrating) == ((), ())


def test_a_target_serves_nobody_while_its_plan_is_called_off() -> None:
    bench = Bench().migrating()
    bench.give("n3", A)
    now = bench.engine.cluster.node("n3").map
    bench.teach("n3", ShardMap(3, 1, now.placement, now.plan, off=True))
    assert bench.ask("n3", A, asking=True) == "TRYAGAIN"


def test_an_older_map_is_not_learned() -> None:
    bench = Bench().migrating()
    now = bench.engine.cluster.node("n2").map
    bench.teach("n2", ShardMap(1, 1, now.placement))
    assert bench.engine.cluster.node("n2").map is now


def test_a_lease_counts_from_when_its_heartbeat_was_sent() -> None:
    bench = Bench(rf=2)
    bench.tell("n1", "cfg", m.HeartbeatAck(300_000, 1, 60))
    assert bench.engine.cluster.node("n1").lease_until_us == 300_000 + LEASE_US


def test_an_older_copy_does_not_undo_a_newer_one() -> None:
    bench = Bench(rf=3)
    for version in (5, 4):
        (ack,) = bench.tell("n2", "n1", m.Replicate(1, 1, version, m.Item(A, 1 << 32 | version, version)))
        assert ack.ok
    cell = bench.engine.cluster.node("n2").store.get(A)
    assert cell is not None
    assert cell.value == 5


def test_the_owner_has_no_answer_for_a_deposed_write() -> None:
    """A replica of a newer term refuses it: the owner fetches the map instead of acknowledging."""
    bench = Bench(rf=2)
    bench.tell("n1", "cfg", m.HeartbeatAck(0, 1, 60))
    (copy,) = bench.tell("n1", "you", m.Request(1, "put", (A,), 5))
    assert bench.tell("n1", "n2", m.ReplicateAck(copy.ticket, False, 2)) == [m.WantMap()]


def test_a_restarted_source_still_keeps_what_was_not_acknowledged() -> None:
    bench = Bench(bandwidth=5_000)
    bench.put_on("n1", A)
    bench.migrating().tick()
    bench.engine.apply(faults.Crash("n1"))
    bench.engine.apply(faults.Restart("n1"))
    bench.sent()
    assert bench.ask("n1", A) == f"served {A}"
