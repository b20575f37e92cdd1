"""The stories tell what they say they tell."""

from typing import Any

import pytest

from engines.sharding import PATTERN
from engines.sharding.cluster.snapshot import Snapshot
from engines.sim.pattern import Scenario
from engines.sim.timeline import Timeline
from engines.sim.world import Event

Run = Timeline[Any, Any]


def told(name: str, until_ms: int = 0) -> Run:
    """A story up to some time, or to its end."""
    story = PATTERN.scenario(name)
    run: Run = Timeline(PATTERN.variant(story.variant), story.seed, story.config, story, keep_checkpoints=False)
    run.advance(until_ms * 1_000 or story.end_us)
    return run


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
    assert not [event for event in heard(story.name) if event.why.startswith("The story wanted")]


def test_modulo_moves_ten_of_eleven_keys() -> None:
    run = told("mod-n")
    (counted,) = [event for event in heard("mod-n") if event.kind == "counted"]
    assert 0.87 < counted.get("keys") / 800 < 0.94
    comparison = run.snapshot().comparison
    assert (comparison.before, comparison.after) == (10, 11)
    rows = {row.strategy: row for row in comparison.rows}
    assert rows["modulo"].between_survivors_ppm > 750_000
    assert rows["ring"].between_survivors_ppm == rows["jump"].between_survivors_ppm == 0


def test_more_virtual_nodes_spread_the_keys_better() -> None:
    spreads = [seen("virtual-nodes", ms).balance.cv_ppm for ms in (900, 4_400, 7_900, 11_400)]
    assert spreads == sorted(spreads, reverse=True)
    assert seen("virtual-nodes").vnodes == 1_000


def test_salting_melts_the_peak_and_tokens_do_not() -> None:
    plain, tokens, bound, salted = (seen("hot-key", ms).balance for ms in (2_900, 6_900, 11_900, 21_000))
    assert min(plain.ops_peak_ppm, tokens.ops_peak_ppm, bound.ops_peak_ppm) > 2_200_000
    assert salted.ops_peak_ppm < 1_900_000
    hot = seen("hot-key", 11_900)
    owner = hot.key(bound.hottest).owner  # type: ignore[union-attr]
    assert min(hot.nodes, key=lambda node: node.owned).id == owner


def test_a_client_learns_by_moved_and_never_by_ask() -> None:
    run = told("slot-migration", 7_300)
    you = run.snapshot().clients[-1]
    assert (you.asked, you.learned) == (4, 1)
    follows = [event for event in run.engine.told(1 << 20) if event.kind == "follow"]
    assert [event.get("learned") for event in follows if event.why == "ASK"] == [False] * 4
    run.advance(9_000_000)
    assert [hop.answer for hop in run.snapshot().key("{user1000}.following").hops] == ["served"]


def test_every_answer_of_the_protocol_is_heard() -> None:
    run = told("slot-migration")
    answers = dict.fromkeys(name for node in run.snapshot().nodes for name, count in node.answers if count)
    assert sorted(answers) == ["ASK", "CROSSSLOT", "MOVED", "TRYAGAIN", "served"]


def test_the_article_s_ranges_are_split_moved_and_merged() -> None:
    def chunks(until_ms: int) -> list[tuple[str, str, str, int]]:
        return [(each.min, each.max, each.owner, each.keys) for each in seen("a-to-m", until_ms).chunks]

    assert chunks(1_400) == [("", "N", "n1", 16), ("N", "", "n2", 19)]
    assert chunks(6_400) == [("", "N", "n1", 16), ("N", "S", "n2", 5), ("S", "", "n2", 14)]
    assert chunks(11_900) == [("", "N", "n1", 16), ("N", "S", "n2", 5), ("S", "", "n3", 14)]
    assert chunks(13_000)[:2] == [("", "G", "n1", 7), ("G", "N", "n1", 9)]
    assert chunks(16_900) == chunks(11_900)
    done = [event.get("keys") for event in heard("a-to-m") if event.kind == "plan_done"]
    assert done == [0, 14], "the join and the edits moved nothing, the move all names from S on"


def test_growing_keys_are_all_written_to_one_node() -> None:
    snapshot = seen("monotonic", 16_000)
    assert sorted(node.ops_per_s > 0 for node in snapshot.nodes) == [False, False, False, True]
    assert len(snapshot.chunks) > 16


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
    kinds = [event.kind for event in heard("failover")]
    assert kinds.index("plan_off") < kinds.index("dead") < kinds.index("plan_done")
    assert kinds.count("plan") == 3


def test_the_lost_keys_are_named() -> None:
    snapshot = seen("not-kept")
    lost = [key for key in snapshot.keys if key.why == "lost"]
    assert lost
    assert any(not key.holders for key in lost)
