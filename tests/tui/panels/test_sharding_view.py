"""The picture says what the snapshot holds: at every size, in every glyph set, with every selection."""

import re
from dataclasses import replace
from typing import Any

import pytest

from engines.sharding.pattern import PATTERN
from engines.sharding.world.events import UnitState
from engines.sharding.world.messages import Keys
from engines.sharding.world.snapshot import Snapshot
from engines.sim.pattern import Check
from engines.sim.timeline import Timeline
from tests.tui.panels.sharding_runs import (
    LARGE,
    SMALL,
    USUAL,
    VARIANTS,
    draw,
    flat,
    run,
    standing,
    story,
)
from tui.canvas import Canvas
from tui.glyphs import ASCII, BRAILLE
from tui.kit.selection import OnMessage
from tui.layout import arrange
from tui.panel import Focus, Size, Sizes
from tui.panels.sharding import PANEL, load, maps, ring, traffic
from tui.panels.sharding.describe import describe
from tui.panels.sharding.queries import shown
from tui.panels.sharding.select import OnKey, OnUnit, choose


@pytest.mark.parametrize("name", ["ring", "join ring", "crashed", "mess", "join slots", "join range", "many", "one"])
@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 36), (200, 50)])
def test_every_node_is_seen_on_every_screen(name: str, size: tuple[int, int]) -> None:
    snapshot = standing(name)
    drawn = draw(snapshot, Focus(), arrange(*size).sizes(), ASCII).picture.text()
    nodes = shown(snapshot)
    seen = sum(bool(re.search(rf"\b{node.id}\b", drawn)) for node in nodes)
    assert seen == len(nodes) or (len(nodes) > 8 and re.search(r"\d+ more", drawn)), "what is hidden is counted"


def test_states_are_told_by_letter() -> None:
    drawn = draw(standing("mess")).picture.text()
    assert re.search(r"n4 +Z", drawn)
    assert re.search(r"n6 +X", drawn)
    assert re.search(r"n7 +J", draw(standing("join ring")).picture.text())
    drained = run(1_600, (1_000, _remove("n3"))).snapshot()
    assert re.search(r"n3 +D", draw(drained).picture.text())


def _remove(node: str) -> object:
    from engines.sharding.world.commands import RemoveNode

    return RemoveNode(node)


# -- the ring --------------------------------------------------------------------------------------------------------


def _inks(canvas: Canvas, ink: str) -> int:
    return sum(len(part) for row in canvas.rows() for part, each in row if each == ink)


def test_the_ring_is_coloured_by_owner_and_thicker_where_the_selected_node_owns() -> None:
    snapshot = standing("few tokens")
    sizes = []
    for selected in ("n1", "n2"):
        canvas = Canvas(54, 27)
        ring.draw(canvas, snapshot, selected, BRAILLE)
        sizes.append([_inks(canvas, f"n{i}") for i in range(1, 7)])
    assert all(count > 5 for count in sizes[0])
    assert sizes[0][0] > sizes[1][0]
    assert sizes[0][1] < sizes[1][1]


def test_the_arcs_are_as_long_as_the_snapshot_says() -> None:
    snapshot = standing("few tokens")
    canvas = Canvas(54, 27)
    ring.draw(canvas, snapshot, "", BRAILLE)
    whole = sum(_inks(canvas, f"n{i}") for i in range(1, 7))
    for share in snapshot.shares:
        part = _inks(canvas, share.owner) / whole
        assert abs(part - share.ppm / 1_000_000) < 0.05, share


def test_the_walk_meets_the_nodes_of_the_group_in_their_order() -> None:
    snapshot = standing("few tokens")
    simple = run(2_500, config=(("vnodes", 3), ("rf", 3))).snapshot()
    for key in simple.keys:
        stops = ring.walk(simple, key)
        assert [name for _, name in stops] == list(key.group)
        ways = [(at - key.at_ppm) % 1_000_000 for at, _ in stops]
        assert ways == sorted(ways), "without racks the walk is the order on the ring"
    key = snapshot.keys[0]
    canvas = Canvas(54, 27)
    ring.draw_key(canvas, snapshot, key, ASCII)
    drawn = canvas.text()
    assert "*" in drawn
    assert all(str(number) in drawn for number in (1, 2, 3))


def test_a_selected_key_is_named_within_the_ring_with_its_owner() -> None:
    snapshot = standing("few tokens")
    key = snapshot.keys[0]
    drawn = flat(draw(snapshot, choose(Focus(), what=OnKey(key.key)), LARGE).picture.text())
    assert f"key {key.key}" in drawn
    assert f"owner {key.owner}" in drawn


def test_keys_on_their_way_fly_in_the_colour_of_their_new_owner() -> None:
    timeline = run(3_000)
    timeline.submit(_add())
    while not any(isinstance(each.message, Keys) for each in timeline.snapshot().flights):
        timeline.step()
    snapshot = timeline.snapshot()
    flight = next(each for each in snapshot.flights if isinstance(each.message, Keys))
    frame = draw(snapshot, Focus(), LARGE)
    runs = [part for row in frame.picture.rows() for part, ink in row if ink == f"{flight.dst}!"]
    assert any("K" in part for part in runs)


def _add() -> object:
    from engines.sharding.world.commands import AddNode

    return AddNode()


def test_no_letter_covers_a_name() -> None:
    for name in ("join ring", "join modulo", "mess"):
        snapshot = standing(name)
        canvas = Canvas(60, 20)
        nodes = traffic.place_nodes(snapshot, 6, 2, 48, 16)
        assert len(nodes) == len(shown(snapshot))
        traffic.draw(canvas, snapshot, nodes, traffic.place_clients(snapshot, canvas, 0, 59), Focus(), ASCII)
        drawn = canvas.text()
        assert all(node.id in drawn for node in shown(snapshot))
        assert all(client.id in drawn for client in snapshot.clients)


# -- the other maps --------------------------------------------------------------------------------------------------


def test_slots_are_rows_in_the_colours_of_their_owners_and_moving_ones_are_marked() -> None:
    snapshot = standing("join slots")
    canvas = Canvas(40, 8)
    maps.draw_slots(canvas, snapshot, "n1", None, ASCII)
    rows = canvas.text().splitlines()
    assert rows[0].split()[0] == "0"
    assert "1" in rows[0]
    assert ">" in canvas.text(), "slots on their way"
    plain = Canvas(40, 8)
    maps.draw_slots(plain, standing("slots"), "n1", None, ASCII)
    assert ">" not in plain.text()


def test_chunks_have_their_bounds_and_the_hot_one_is_marked() -> None:
    snapshot = standing("monotonic")
    canvas = Canvas(120, 12)
    maps.draw_chunks(canvas, snapshot, "n1", None, ASCII)
    drawn = canvas.text()
    assert "-inf" in drawn
    assert "!" in drawn
    hot = max(snapshot.chunks, key=lambda chunk: chunk.ops_per_ks)
    assert hot.min.startswith("t"), "keys that only grow all go to one chunk"
    jumbo = replace(snapshot, chunks=tuple(chunk._replace(jumbo=True) for chunk in snapshot.chunks))
    maps.draw_chunks(canvas, jumbo, "n1", None, ASCII)
    assert canvas.text().count("J") >= len(snapshot.chunks) // 2


@pytest.mark.parametrize("name", VARIANTS)
def test_the_key_space_fits_one_row_whatever_the_strategy(name: str) -> None:
    owners = maps.owners_in(standing(name), 60)
    assert len(owners) == 60
    assert {node.id for node in standing(name).nodes} >= set(owners)
    assert len(set(owners)) == 6


def test_cells_are_shared_out_to_the_last_one() -> None:
    chunks = standing("range").chunks
    for cells in (len(chunks), 100, 333, 1_000):
        widths = maps.chunk_widths(chunks, cells)
        assert sum(widths) == cells
        assert min(widths) >= 1


# -- load and strip --------------------------------------------------------------------------------------------------


def test_the_load_says_shares_mean_and_spread() -> None:
    snapshot = standing("ring")
    drawn = flat(draw(snapshot).picture.text())
    for node in snapshot.nodes:
        assert f"{node.share_ppm / 10_000:.1f} %" in drawn
    assert f"cv {snapshot.balance.cv_ppm / 1_000_000:.3f} expected 0.0" in drawn
    assert f"hottest {snapshot.balance.hottest}" in drawn


def test_the_comparison_has_all_strategies_on_all_screens() -> None:
    snapshot = standing("join ring")
    assert snapshot.comparison is not None
    for sizes in (SMALL, USUAL, LARGE):
        frame = draw(snapshot, Focus(), sizes)
        drawn = flat(frame.strip.text())
        for row in snapshot.comparison.rows:
            assert row.title in drawn
            assert f"{row.moved_ppm / 10_000:.1f} %" in drawn
        assert frame.strip_title == "the same 2,000 keys: n7 joins, 6 -> 7 nodes"
        assert frame.strip_note == "even share 14.3 %"
        assert "against the even share: ring 150 x0.9" in drawn


def test_in_few_rows_the_present_strategy_and_hash_mod_n_stay() -> None:
    frame = draw(standing("join maglev"), Focus(), Sizes(Size(56, 8), Size(56, 4), Size(0, 0)))
    assert "maglev" in frame.strip.text()
    assert "hash mod n" in frame.strip.text()


def test_y_shows_the_curves_with_the_present_number_of_tokens() -> None:
    snapshot = standing("join ring")
    frame = draw(snapshot, choose(Focus(), chart="curves"), USUAL)
    assert "cv, mean of rings" in frame.strip.text()
    assert "150: .0" in frame.strip.text()
    assert "lose a range" in frame.strip.text()
    time = draw(snapshot, choose(Focus(), chart="time"), USUAL)
    assert "to move" in time.strip.text()
    assert "redirects" in time.strip.text()


def test_a_large_screen_shows_two_charts() -> None:
    drawn = draw(standing("join ring"), Focus(), LARGE).strip.text()
    assert "hash mod n" in drawn
    assert "cv, mean of rings" in drawn
    zoomed = draw(standing("join ring"), Focus(), Sizes(Size(0, 0), Size(78, 18), Size(0, 0))).strip.text()
    assert "hash mod n" in zoomed
    assert "cv, mean of rings" in zoomed


def test_the_note_says_how_far_a_plan_is_or_what_is_down() -> None:
    plan = standing("join ring").plan
    assert plan is not None
    assert draw(standing("join ring")).picture_note.endswith(f"n7 joins: {plan.keys_done} of {plan.keys} keys moved")
    assert draw(standing("down")).picture_note.endswith("cluster down: keys of n2")


# -- the inspector ---------------------------------------------------------------------------------------------------


def look(snapshot: Snapshot, focus: Focus, height: int = 60) -> str:
    sizes = Sizes(Size(72, 15), Size(72, 6), Size(54, height))
    return flat(draw(snapshot, focus, sizes).inspector.text())


def test_the_inspector_does_the_arithmetic_of_a_node() -> None:
    snapshot = standing("ring")
    node = snapshot.nodes[5]
    words = look(snapshot, Focus(node="n6"))
    over = round((node.share_ppm - 166_666) * 100 / 166_666)
    assert f"{node.owned} keys, {node.share_ppm / 10_000:.1f} %, {over} % over its fair share of 16.7 %" in words
    assert "150 of 900" in words
    assert "epoch 1 of 1" in words
    assert "sqrt((n-1)/(n v+1)) = 0.074" in words


def test_a_node_says_what_it_gives_and_takes() -> None:
    snapshot = standing("join ring")
    assert snapshot.plan is not None
    lane = next(each for each in snapshot.plan.lanes if each.state is UnitState.MIGRATING)
    assert f"gives {lane.moved} of {lane.total} keys to {lane.target}" in look(snapshot, Focus(node=lane.source))
    assert f"keys from {lane.source}" in look(snapshot, Focus(node="n7"))


def test_a_dead_owner_without_replicas_is_said_to_take_its_keys_along() -> None:
    snapshot = standing("down")
    assert "they have no owner until it is back" in look(snapshot, Focus(node="n2"))
    assert "the whole cluster is down (full coverage)" in look(snapshot, Focus(node="n1"))
    crashed = look(standing("crashed"), Focus(node="n3"))
    assert "as a replica of others (RF 2)" in crashed
    assert "left; serves until then without hearing cfg" in crashed


def test_a_key_says_why_it_is_where_it_is_and_what_cures_its_heat() -> None:
    snapshot = standing("few tokens")
    words = look(snapshot, choose(Focus(), what=OnKey(snapshot.balance.hottest)))
    assert "of the way round, next token clockwise" in words
    assert "a rack not used yet goes first: 3 of 3 racks" in words
    assert "salt it: 4 copies leave" in words
    assert "more virtual nodes: one key has one owner" in words
    slots = standing("slots")
    key = slots.keys[0]
    assert f"slot {key.slot} = CRC16" in look(slots, choose(Focus(), what=OnKey(key.key)))
    ranges = standing("range")
    assert "<= key <" in look(ranges, choose(Focus(), what=OnKey(ranges.keys[0].key)))


def test_a_key_shows_its_way_answer_by_answer() -> None:
    from engines.sharding.world.commands import Get

    timeline = run(3_000)
    key = timeline.snapshot().keys[0]
    wrong = next(node.id for node in timeline.snapshot().nodes if node.id != key.owner)
    timeline.submit(Get(key.key, wrong))
    timeline.advance(timeline.now_us + 600_000)
    words = look(timeline.snapshot(), choose(Focus(), what=OnKey(key.key)))
    assert f"last way {wrong} MOVED {key.owner} {key.owner} served" in words


def test_a_moving_unit_says_which_step_comes_next() -> None:
    snapshot = standing("join slots")
    assert snapshot.plan is not None
    lane = next(each for each in snapshot.plan.lanes if each.state is UnitState.MIGRATING)
    words = look(snapshot, choose(Focus(), what=OnUnit(lane.id)))
    assert "3 of 4" in words
    assert "answers ASK for the rest" in words
    assert f"{lane.moved} of {lane.total} arrived" in words


def test_a_message_is_explained() -> None:
    snapshot = standing("join ring")
    flight = next(each for each in snapshot.flights if isinstance(each.message, Keys))
    words = look(snapshot, choose(Focus(), what=OnMessage(flight.id)))
    assert describe(flight.message).text in words
    assert "the target writes them down and says so" in words


def test_a_failed_check_is_in_the_inspector_however_low_it_is() -> None:
    failed = replace(standing("ring"), checks=(Check("one owner", False, "n1 and n2 both answer for k7"),))
    frame = draw(failed, Focus(node="n3"), SMALL)
    assert "n1 and n2 both answer for k7" in flat(frame.inspector.text())


def test_the_pattern_is_the_one_that_is_published() -> None:
    assert PATTERN.name == "sharding"
    assert len(VARIANTS) == 8


def told(name: str, until_ms: int) -> Snapshot:
    """A story up to some time."""
    story = PATTERN.scenario(name)
    found: Timeline[Any, Any] = Timeline(PATTERN.variant(story.variant), story.seed, story.config, story)
    found.advance(until_ms * 1_000)
    snapshot = found.snapshot()
    assert isinstance(snapshot, Snapshot)
    return snapshot


def test_on_a_small_screen_numbers_outlive_names() -> None:
    snapshot = told("rack-loss", 4_500)
    drawn = flat(draw(snapshot, Focus(), SMALL).picture.text())
    assert "fatal pairs: 15 of 15" in drawn
    assert re.search(r"hot user:5532 20\.0 % n2", drawn)
    line = flat(draw(snapshot, Focus(), Sizes(Size(78, 6), Size(78, 4), Size(0, 0))).picture.text())
    assert "hot user:5532 20.0 % n2" in line


def test_what_a_dead_node_served_is_said_to_be_past_and_then_only_that_it_is_dead() -> None:
    snapshot = told("full-coverage", 4_500)
    assert sum(node.ops_ppm for node in snapshot.nodes) == pytest.approx(1_000_000, abs=3)
    for at_ms, ending in ((4_500, "was 14 %"), (9_000, "crashed")):
        for width in (78, 110, 200):
            canvas = Canvas(width, 7)
            load.draw_rows(canvas, told("full-coverage", at_ms), "n1", BRAILLE, 7)
            row = flat(canvas.text().splitlines()[2])
            assert row.startswith("n2 X")
            assert row.endswith(ending)


def test_a_small_past_share_stays_apart_from_the_share_of_the_keys() -> None:
    snapshot = told("full-coverage", 4_500)
    nodes = tuple(node._replace(ops_ppm=9_000) if node.id == "n2" else node for node in snapshot.nodes)
    canvas = Canvas(46, 7)
    load.draw_rows(canvas, replace(snapshot, nodes=nodes), "n1", BRAILLE, 7)
    assert re.search(r"% was <1 %$", flat(canvas.text().splitlines()[2]))


def test_only_the_node_that_is_isolated_and_the_links_that_are_cut_are_called_so() -> None:
    isolated = draw(told("deposed-owner", 5_500), Focus(), arrange(80, 24).sizes())
    assert "cut off: n2" in isolated.picture_note
    rows = [flat(row) for row in isolated.picture.text().splitlines()]
    assert [row for row in rows if re.search(r"\bcut\b", row)] == [row for row in rows if "n2 !" in row]
    link = draw(told("not-kept", 6_500), Focus(), arrange(80, 24).sizes())
    assert link.picture_note.startswith("cut: n1>n7")
    assert re.search(r"n1 ▐ \S+ 13\.7 % 14\.8 %", flat(link.picture.text())), "it serves its clients as ever"


def test_the_node_that_answers_all_requests_is_never_the_row_that_is_left_out() -> None:
    frame = draw(told("monotonic", 17_000), Focus(), arrange(80, 24).sizes())
    assert re.search(r"and n3 .*n4 .* 46\.4 % 100 %", flat(frame.picture.text()))


def test_a_mark_of_a_key_is_whole_or_absent() -> None:
    for name, at_ms in (("hot-key", 19_000), ("slot-migration", 4_000)):
        snapshot = told(name, at_ms)
        for width in range(56, 110):
            drawn = draw(snapshot, Focus(), Sizes(Size(width, 10), Size(width, 4), Size(0, 0))).picture.text()
            assert not re.search(r" you\d| yours?\d|x8 s[alt]*e?\d|%[a-z]|req\. ?\d?\.?\d?\.\.", drawn), drawn


def test_the_spread_of_a_handful_of_requests_is_no_warning() -> None:
    snapshot = told("mod-n", 1_000)
    assert (snapshot.balance.ops_peak_ppm, snapshot.balance.ops_per_ks) == (2_500_000, 4_000)
    assert "bad" not in {ink for pieces in load.figures(snapshot) for _, ink in pieces}
    assert "bad" in {ink for pieces in load.figures(told("hot-key", 7_000)) for _, ink in pieces}


def test_without_requests_nobody_is_called_the_busiest() -> None:
    snapshot = told("jumbo", 12_000)
    frame = draw(snapshot, choose(Focus(), chart="time"), USUAL)
    (row,) = [flat(row) for row in frame.strip.text().splitlines() if "busiest/mean" in row]
    assert row == "busiest/mean -"
    assert "keys (cv by weight): n4 joins" in draw(snapshot, Focus(), USUAL).strip_title


def test_a_run_is_summed_up_in_figures() -> None:
    snapshot = told("mod-n", 14_000)
    figures = {each.name: each for each in PANEL.figures(snapshot)}
    assert figures["keys_moved"].value == 3_668
    assert figures["keys"].value == 4_000
    assert figures["requests_served"].value == sum(client.done for client in snapshot.clients) > 30
    assert figures["moved_followed"].value == sum(client.moved for client in snapshot.clients) > 0
    assert figures["requests_given_up"].value == 0


def test_rates_are_those_of_the_time_they_took_and_nodes_add_up_to_the_total() -> None:
    timeline = run(0)
    timeline.advance(5_700_000)
    snapshot = timeline.snapshot()
    served = sum(client.done for client in snapshot.clients)
    begun = run(0)
    begun.advance(1_000_000)
    before = sum(client.done for client in begun.snapshot().clients)
    assert snapshot.balance.ops_per_ks == pytest.approx((served - before) / 4.7 * 1_000, rel=0.05)
    assert sum(node.ops_per_ks for node in snapshot.nodes) == pytest.approx(snapshot.balance.ops_per_ks, abs=10)


def test_two_failures_are_counted_with_racks_in_mind() -> None:
    assert told("rack-loss", 10_000).two_failures == (15, 15)
    fatal, pairs = told("rack-loss", 16_500).two_failures
    assert (fatal, pairs) == (12, 15), "two nodes of one rack share nothing"


def test_letters_in_the_picture_are_explained_in_its_border() -> None:
    frame = draw(standing("join ring"))
    assert frame.picture_note.startswith("J joining  G get")
    assert draw(standing("down")).picture_note.startswith("X crashed")
    key = standing("ring").keys[0].key
    assert draw(standing("ring"), choose(Focus(), what=OnKey(key))).picture_note.startswith("* the key")


def test_counts_of_slots_and_chunks_are_those_that_are_drawn() -> None:
    for name in ("join slots", "join range"):
        snapshot = standing(name)
        drawn: dict[str, int] = {}
        for run_ in snapshot.runs:
            drawn[run_.owner] = drawn.get(run_.owner, 0) + run_.last - run_.first + 1
        for chunk in snapshot.chunks:
            drawn[chunk.owner] = drawn.get(chunk.owner, 0) + 1
        assert {node.id: node.units for node in snapshot.nodes if node.units} == drawn


def test_a_node_dies_in_a_join_and_every_number_says_of_what_it_is() -> None:
    before, dead = draw(told("failover", 900)), draw(told("failover", 5_200))
    assert "RF 3: 3 failures lose a range" in before.strip.text()
    assert dead.picture_note.endswith("copies made"), "three copies of a key travel, its owner changes once at most"
    assert "new owner" in dead.strip.text()
    assert "with n3 down" in dead.picture.text(), "the spread counts the dead node, the comparison does not"


def test_ranges_that_a_person_cut_are_not_those_of_the_comparison() -> None:
    table = told("a-to-m", 5_000).comparison
    assert table is not None
    assert not any(row.current for row in table.rows)
    assert any(row.current for row in (told("mod-n", 1_800).comparison or table).rows)


def test_a_comparison_on_other_keys_than_there_are_now_says_so() -> None:
    snapshot = story("old-permission", 3_780).snapshot()
    assert draw(snapshot).strip_title.startswith("240 keys of then laid out anew: n3 crashed")
    assert snapshot.balance.keys == 241
    assert draw(story("rack-loss", 16_500).snapshot()).strip_title.startswith("300 keys laid out anew: ")
