"""The stories tell what they say they tell."""

from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

import pytest

from engines.sharding.pattern import PATTERN
from engines.sharding.world import events as e
from engines.sharding.world.engine import ShardingEngine
from engines.sharding.world.events import Said
from engines.sharding.world.snapshot import Snapshot, Tracked
from engines.sim.events import Cue, Event
from engines.sim.faults import Freeze
from engines.sim.pattern import Scenario
from engines.sim.rules import SetRule
from engines.sim.timeline import Timeline

Run = Timeline[Any, Any]
T = TypeVar("T")
OK = e.Ending.OK
CRASHED, IS_BACK = e.MembershipKind.CRASHED, e.MembershipKind.IS_BACK


def told(name: str, until_ms: int = 0) -> Run:
    """A story up to some time, or to its end."""
    story = PATTERN.scenario(name)
    run: Run = Timeline(PATTERN.variant(story.variant), story.seed, story.config, story, keep_checkpoints=False)
    run.advance(until_ms * 1_000 or story.end_us)
    return run


@cache
def heard(name: str) -> list[Event]:
    """All that a story told, also what the journal has forgotten at its end."""
    run = told(name, 1)
    found = list(run.engine.told(1 << 20))
    end_us = PATTERN.scenario(name).end_us
    while run.now_us < end_us:
        before = run.engine.told_total
        run.advance(min(end_us, run.now_us + 200_000))
        found += run.engine.told(run.engine.told_total - before)
    return found


def heard_of(name: str, kind: type[T]) -> list[T]:
    """What was told of this kind."""
    return [event.what for event in heard(name) if isinstance(event.what, kind)]


@cache
def seen(name: str, until_ms: int = 0) -> Snapshot:
    snapshot = told(name, until_ms).snapshot()
    assert isinstance(snapshot, Snapshot)
    return snapshot


@pytest.mark.parametrize("story", PATTERN.scenarios, ids=lambda story: str(story.name))
def test_a_story_breaks_what_it_declares_and_nothing_else(story: Scenario) -> None:
    run = told(story.name)
    assert tuple(check.name for check in run.check() if not check.ok) == story.breaks
    assert run.position < 5_000
    assert not run.pending
    assert not [cue for cue in heard_of(story.name, Cue) if cue.text.startswith("The story wanted")]


def test_modulo_moves_ten_of_eleven_keys() -> None:
    run = told("mod-n")
    (counted,) = heard_of("mod-n", e.PlanCounted)
    assert counted.keys == 3_668
    assert seen("mod-n", 1_000).balance.cv_ppm // 1_000 == 42
    comparison = run.snapshot().comparison
    assert (comparison.before, comparison.after) == (10, 11)
    rows = {row.strategy: row for row in comparison.rows}
    assert rows["modulo"].between_survivors_ppm > 750_000
    for name in ("ring", "slots", "jump", "rendezvous"):
        assert rows[name].between_survivors_ppm == 0
        assert rows[name].moved_ppm == pytest.approx(1_000_000 / 11, rel=0.06)


def test_more_virtual_nodes_spread_the_keys_better() -> None:
    spreads = [seen("virtual-nodes", ms).balance for ms in (1_000, 4_500, 8_000, 11_500)]
    assert [each.cv_ppm // 1_000 for each in spreads] == [787, 362, 79, 33]
    assert [round(each.expected_cv_ppm / 1_000) for each in spreads] == [845, 227, 74, 29]
    assert [each.share_ppm // 1_000 for each in seen("virtual-nodes", 1_000).nodes[::3]] == [4, 397]
    assert spreads[2].peak_ppm // 10_000 == 113
    assert seen("virtual-nodes").vnodes == 1_000
    curve = {each.vnodes: each for each in seen("virtual-nodes").curves}
    assert all(each.cv_ppm == pytest.approx(each.expected_ppm, rel=0.3) for each in curve.values())
    assert (curve[1].loss_ppm, curve[1_000].loss_ppm) == (400_000, 1_000_000)


def test_salting_melts_the_peak_and_tokens_do_not() -> None:
    tokens, bound, salted = (seen("hot-key", ms) for ms in (7_000, 12_000, 19_000))
    assert [each.balance.ops_peak_ppm // 100_000 for each in (tokens, bound, salted)] == [24, 24, 13]
    hot = tokens.balance.hottest
    assert seen("hot-key", 3_000).key(hot).owner != tokens.key(hot).owner  # type: ignore[union-attr]
    owner = bound.key(hot).owner  # type: ignore[union-attr]
    busy = next(node for node in bound.nodes if node.id == owner)
    assert (busy.id, busy.owned, round(busy.ops_ppm / 10_000)) == ("n6", 1, 40)
    assert (bound.balance.ops_per_ks // 1_000, salted.balance.ops_per_ks // 1_000) == (37, 59)
    run = told("hot-key", 19_000)
    assert isinstance(run.engine, ShardingEngine)
    owners = [run.engine.cluster.cfg().map.owner(f"{hot}#{number}") for number in range(1, 9)]
    assert len({*owners}) == 6
    assert max(map(owners.count, owners)) == 2


def test_under_a_bound_other_nodes_stay_within_it_and_the_hot_key_stays_whole() -> None:
    snapshot = seen("hot-key", 12_000)
    *others, hottest = sorted(node.ops_ppm for node in snapshot.nodes)
    assert hottest > 2 * others[-1]
    assert max(others) < 1_100_000 // 6


def test_a_client_learns_by_moved_and_never_by_ask() -> None:
    run = told("slot-migration", 7_300)
    you = run.snapshot().clients[-1]
    assert (you.asked, you.learned) == (4, 1)
    follows = [event.what for event in run.engine.told(1 << 20) if isinstance(event.what, e.Followed)]
    assert [each.said for each in follows].count(Said.ASK) == 4
    run.advance(9_000_000)
    assert [hop.said for hop in run.snapshot().key("{user1000}.following").hops] == [Said.SERVED]


def test_every_answer_of_the_protocol_is_heard() -> None:
    run = told("slot-migration")
    answers = dict.fromkeys(said.value for node in run.snapshot().nodes for said, count in node.answers if count)
    assert sorted(answers) == ["ASK", "CROSSSLOT", "MOVED", "TRYAGAIN", "served"]


def test_the_article_s_ranges_are_split_moved_and_merged() -> None:
    def chunks(until_ms: int) -> list[tuple[str, str, str, int]]:
        return [(each.min, each.max, each.owner, each.keys) for each in seen("a-to-m", until_ms).chunks]

    assert chunks(1_400) == [("", "N", "n1", 16), ("N", "", "n2", 19)]
    assert chunks(6_400) == [("", "N", "n1", 16), ("N", "S", "n2", 5), ("S", "", "n2", 14)]
    assert chunks(11_900) == [("", "N", "n1", 16), ("N", "S", "n2", 5), ("S", "", "n3", 14)]
    assert chunks(13_000)[:2] == [("", "G", "n1", 7), ("G", "N", "n1", 9)]
    assert chunks(16_900) == chunks(11_900)
    done = [each.keys for each in heard_of("a-to-m", e.PlanDone)]
    assert done == [0, 14], "the join and the edits moved nothing, the move all names from S on"


def test_growing_keys_are_all_written_to_one_node() -> None:
    snapshot = seen("monotonic", 17_000)
    assert sorted(node.ops_per_ks > 0 for node in snapshot.nodes) == [False, False, False, True]
    assert len(snapshot.chunks) > 16
    n4 = snapshot.nodes[3]
    assert (n4.ops_ppm, n4.share_ppm // 10_000, snapshot.balance.peak_ppm // 100_000) == (1_000_000, 46, 18)


def test_the_balancer_levels_the_data_once_the_writes_stop() -> None:
    snapshot = seen("monotonic", 30_000)
    assert snapshot.plan is None
    assert (snapshot.balance.ops_per_ks, round(snapshot.balance.peak_ppm / 10_000)) == (0, 116)


@pytest.mark.parametrize("frozen_ms", [50, 780])
def test_a_node_of_which_the_balancer_knows_nothing_is_not_empty(frozen_ms: int) -> None:
    run: Run = Timeline(PATTERN.variant("range"), 42, (("nodes", 6), ("keys", 2_000)), keep_checkpoints=False)
    run.advance(frozen_ms * 1_000)
    run.submit(Freeze("n1"))
    run.advance(6_000_000)
    assert not [each for each in run.engine.told(1 << 20) if isinstance(each.what, e.PlanAnnounced)]


def test_nobody_is_the_busiest_without_a_request() -> None:
    snapshot = seen("jumbo", 15_900)
    assert snapshot.balance.ops_peak_ppm == 0
    assert {sample.peak_ppm for sample in snapshot.series} == {0}


def test_a_jumbo_chunk_is_measured_in_documents() -> None:
    (jumbo,) = heard_of("jumbo", e.Indivisible)
    assert (jumbo.keys, jumbo.limit, jumbo.documents) == (260, 151, True)


def ended(ms: int) -> tuple[int, int]:
    """Requests that the clients were served, and those they gave up."""
    clients = [client for client in seen("full-coverage", ms).clients if client.id != "you"]
    return sum(client.done for client in clients), sum(client.failed for client in clients)


def test_without_full_coverage_three_quarters_of_all_requests_succeed() -> None:
    (done, failed), (later_done, later_failed) = ended(11_000), ended(14_000)
    assert (later_done - done, later_failed - failed) == (28, 10)


def test_a_cluster_that_is_down_serves_nobody_and_reads_when_they_may_pass() -> None:
    assert ended(4_500)[0] == ended(6_500)[0]
    assert ended(9_000)[0] > ended(6_500)[0]
    down = [event.what for event in heard("full-coverage") if 4_500_000 < event.at_us < 9_000_000]
    assert not [each for each in down if isinstance(each, e.Answered) and each.op == "put" and each.why is OK]
    assert ended(21_500)[1] == ended(16_000)[1], "whole again, it serves everybody"


def test_a_cluster_that_is_down_is_believed_after_three_more_tries() -> None:
    (end,) = [each for each in heard_of("full-coverage", e.Answered) if each.keys == ("cart:1",)]
    assert [hop.said for hop in end.hops] == [Said.CLUSTERDOWN] * 4
    assert end.why is e.Ending.FAIL


def test_a_write_that_met_silence_may_have_happened() -> None:
    ends = [each for each in heard_of("full-coverage", e.Answered) if each.why is not OK]
    silent = [each for each in ends if each.op == "put" and any(hop.said is Said.TIMEOUT for hop in each.hops)]
    assert silent
    assert {each.why for each in silent} == {e.Ending.UNKNOWN}
    assert max(sum(hop.said is Said.TIMEOUT for hop in each.hops) for each in ends) == 4


def test_a_crash_and_a_return_are_compared_among_those_that_run() -> None:
    def compared(ms: int) -> tuple[e.Membership, int, int, int]:
        found = seen("rack-loss", ms).comparison
        assert found is not None
        return found.cause, found.before, found.after, found.ideal_ppm

    assert compared(4_500) == (e.Membership(CRASHED, ("n4",)), 5, 4, 200_000)
    assert compared(10_500) == (e.Membership(IS_BACK, ("n4",)), 5, 6, 166_667)
    last = seen("failover").comparison
    assert last is not None
    assert (last.cause, last.before, last.after) == (e.Membership(IS_BACK, ("n3",)), 6, 7)


def test_a_jumbo_chunk_stays() -> None:
    (jumbo,) = [chunk for chunk in seen("jumbo").chunks if chunk.jumbo]
    assert jumbo.min == "country:IN"
    assert jumbo.owner == next(chunk.owner for chunk in seen("jumbo", 900).chunks if chunk.min == jumbo.min)


def test_a_jumbo_chunk_weighs_what_it_holds() -> None:
    snapshot = seen("jumbo", 15_900)
    assert snapshot.sized
    (jumbo,) = [chunk for chunk in snapshot.chunks if chunk.jumbo]
    owner = snapshot.node(jumbo.owner)
    assert owner is not None
    assert (owner.owned, jumbo.keys) == (1, 260)
    whole = sum(chunk.keys for chunk in snapshot.chunks)
    assert owner.share_ppm == 260 * 1_000_000 // whole > 400_000
    assert snapshot.balance.peak_ppm > 1_600_000


def test_racks_save_what_neighbours_lose() -> None:
    assert seen("rack-loss", 4_400).coordinator.uncovered == ("n1", "n4")
    later = seen("rack-loss", 20_400)
    assert later.coordinator.covered
    assert [node.id for node in later.nodes if node.dead] == ["n1", "n4"]


def test_a_join_is_called_off_and_begun_anew() -> None:
    kinds = [type(event.what) for event in heard("failover")]
    assert kinds.index(e.PlanCalledOff) < kinds.index(e.DeclaredDead) < kinds.index(e.PlanDone)
    assert kinds.count(e.PlanAnnounced) == 3


def test_with_the_rule_an_old_permission_is_answered_moved_and_nothing_breaks() -> None:
    story = PATTERN.scenario("old-permission")
    script = tuple(step for step in story.script if not isinstance(step.command, SetRule))
    run: Run = Timeline(PATTERN.variant("ring"), story.seed, story.config, replace(story, script=script, breaks=()))
    run.advance(story.end_us)
    assert all(check.ok for check in run.check())
    you = run.snapshot().key("views")
    assert [hop.said for hop in you.hops] == [Said.ASK, Said.MOVED, Said.SERVED]
    hops = seen("old-permission").key("views")
    assert hops is not None
    assert [hop.said for hop in hops.hops] == [Said.ASK, Said.MISSING]


def test_the_lost_keys_are_named() -> None:
    snapshot = seen("not-kept")
    lost = [key for key in snapshot.keys if key.why is Tracked.LOST]
    assert lost
    assert any(not key.holders for key in lost)
