"""The picture says what the snapshot holds: at every size, in every glyph set, and never one thing over another."""

import re
from dataclasses import replace
from itertools import combinations
from math import hypot
from pathlib import Path
from typing import Any

import pytest

from engines.consensus.pattern import PATTERN
from engines.consensus.raft.commands import Propose
from engines.consensus.raft.messages import AppendEntries
from engines.consensus.raft.state_machine import describe
from engines.sim import faults
from engines.sim.pattern import Check
from engines.units import US_PER_MS
from tests.tui.panels.consensus_runs import MOMENTS, SMALL, USUAL, draw, run, standing, story, text
from tui.glyphs import ASCII
from tui.kit import cluster
from tui.kit.selection import OnMessage
from tui.layout import arrange
from tui.panel import Focus, Size, Sizes
from tui.panels.consensus import PANEL, outlook, ring
from tui.panels.consensus.queries import OnEntry
from tui.panels.consensus.select import move
from tui.panels.consensus.view import plan
from tui.panels.consensus.words import letter

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("nodes", range(3, 10))
def test_no_server_stands_on_another_and_all_are_inside(nodes: int) -> None:
    snapshot = run(600, config=(("nodes", nodes),)).snapshot()
    for width in (56, 58, 72, 78, 98, 118, 142, 170):
        for height in (6, 7, 8, 10, 12, 13, 15, 20, 27, 40, 50):
            blocks = cluster.place([each.id for each in snapshot.servers], width, height)
            assert blocks is not None, f"{nodes} servers find no place in {width}x{height}"
            assert len(blocks) == nodes
            assert all(b.x >= 0 and b.y >= 0 and b.x + b.w <= width and b.y + b.h <= height for b in blocks.values())
            for a, b in combinations(blocks.values(), 2):
                beside = a.x + a.w <= b.x or b.x + b.w <= a.x
                assert beside or a.y + a.h <= b.y or b.y + b.h <= a.y


@pytest.mark.parametrize("height", [3, 5, 6, 8, 13, 20])
@pytest.mark.parametrize("name", MOMENTS)
def test_no_message_or_line_is_drawn_over_a_server(name: str, height: int) -> None:
    snapshot = standing(name).snapshot()
    for width in (58, 72, 142):
        drawn = draw(snapshot, Focus(), Sizes(Size(width, height), Size(0, 0), Size(0, 0))).picture.text()
        if cluster.place([each.id for each in snapshot.servers], width, height) is None and height < len(
            snapshot.servers
        ):
            continue  # a list that is cut off
        for server in snapshot.servers:
            assert f" {server.id} " in drawn
            assert f"t{server.term}" in drawn


def test_a_message_moves_from_its_sender_to_its_receiver() -> None:
    snapshot = standing("steady").snapshot()
    flight = snapshot.flights[0]
    places = []
    for share in (0.0, 0.5, 1.0):
        at = int(flight.departs_us + share * (flight.arrives_us - flight.departs_us))
        alone = replace(snapshot, at_us=at, flights=(flight,))
        rows = draw(alone, Focus(node="n1", pick=OnMessage(flight.id))).picture.text().splitlines()
        found = [(row.index("▌a▐"), y) for y, row in enumerate(rows) if "▌a▐" in row]
        assert len(found) == 1
        places.append(found[0])
    blocks = cluster.place([each.id for each in snapshot.servers], 72, 13)
    assert blocks is not None
    ends = [blocks[flight.src].middle, blocks[flight.dst].middle]

    def near(place: tuple[int, int], end: tuple[int, int]) -> int:
        return abs(place[0] - end[0]) + 2 * abs(place[1] - end[1])

    assert near(places[0], ends[0]) < near(places[1], ends[0]) < near(places[2], ends[0])
    assert near(places[2], ends[1]) < near(places[1], ends[1]) < near(places[0], ends[1])


def test_a_cut_server_shows_its_cuts_and_the_words_say_so() -> None:
    frame = draw(standing("cut").snapshot(), Focus(node="n4"))
    assert frame.picture.text().count("X") == 4
    assert "cut off from all servers" in flat(frame.inspector.text())
    assert "5 behind" in frame.strip.text()


def test_a_one_way_cut_shows_its_direction() -> None:
    drawn = draw(standing("mess").snapshot()).picture.text()
    assert re.search(r"X[←→↑↓]", drawn)
    assert "30%" in drawn
    assert "150ms" in drawn


def test_crashed_and_frozen_are_told_by_letter() -> None:
    drawn = draw(standing("mess").snapshot()).picture.text()
    assert "n5 X t" in drawn
    assert "n2 Z t" in drawn
    assert "waiting" in drawn


def test_a_candidate_shows_its_votes() -> None:
    timeline = run(2_000, (1_000, faults.Crash("n3")), config=(("pre_vote", False),))
    while not any(server.role == "candidate" for server in timeline.snapshot().servers):
        timeline.seek(timeline.position - 1)
    snapshot = timeline.snapshot()
    candidate = next(server for server in snapshot.servers if server.role == "candidate")
    yes = sum(granted for _, granted in candidate.votes)
    frame = draw(snapshot, Focus(node=candidate.id))
    assert f"{candidate.id} C t{candidate.term}" in frame.picture.text()
    assert f"{yes}/3 {candidate.id}" in frame.picture.text()
    assert f"{yes} of 5, needs 3" in frame.inspector.text()


def test_committed_and_uncommitted_differ_without_colour() -> None:
    timeline = run(1_000, config=(("clients", 0),))
    timeline.submit(Propose("set", "y", 3, "n3"))
    timeline.advance(timeline.now_us + 30 * US_PER_MS)
    rows = draw(timeline.snapshot(), Focus(node="n3")).strip.text().splitlines()
    assert "1 │(1)" in next(row for row in rows if " n3 L" in row or "n3 L" in row)


def test_a_divergent_follower_is_visible_at_a_glance() -> None:
    frame = draw(story("figure-7", 110).snapshot(), Focus(node="n1"))
    whole = text(frame)
    assert "!7!" in whole
    assert "differs at 11" in whole
    assert "(4)(4)(5)(5)(6)(6)(6)!7!!7!" in whole  # the whole log, not its end


def test_all_seven_logs_of_figure_7_are_shown_on_usual_screens() -> None:
    snapshot = story("figure-7", 110).snapshot()
    for width, height in ((80, 24), (120, 36), (160, 45)):
        frame = draw(snapshot, Focus(), arrange(width, height).sizes())
        logs = frame.picture.text() + frame.strip.text()
        assert all(logs.count(f"n{i} ") >= 2 for i in range(1, 8))


def test_the_newest_entries_are_visible_when_the_log_is_long_and_an_old_one_when_it_is_selected() -> None:
    snapshot = standing("many").snapshot()
    last = snapshot.window[1]
    assert last > 40
    sizes = Sizes(Size(72, 30), Size(72, 6), Size(44, 23))
    assert f"{last}" in draw(snapshot, Focus(), sizes).picture.text()
    old = snapshot.window[0] + 1
    index = next(row for row in draw(snapshot, Focus(node="n1", pick=OnEntry(old)), sizes).picture.text().splitlines()
                 if "index" in row)  # fmt: skip
    assert f"{old}" in index


def test_the_leader_band_names_who_led_and_the_empty_time() -> None:
    timeline = run(3_000, (1_500, faults.Crash("n3")))
    leader = timeline.snapshot().leader
    sizes = Sizes(Size(72, 21), Size(72, 6), Size(44, 23))
    rows = draw(timeline.snapshot(), Focus(), sizes).strip.text().splitlines()
    assert "n3 t1" in rows[0]
    assert f"{leader} t" in rows[0]
    assert "--│" in rows[0]
    assert all(moment in rows[0] for moment in ("│n3 t1", f"│{leader} t"))
    high = timeline.snapshot().commit
    assert rows[1].startswith(f" commit {high:>3} ")
    assert rows[-1].startswith(" time s")


def flat(words: str) -> str:
    """Wrapped text on one line."""
    return " ".join(words.split())


def look(timeline: Any, node: str, pick: Any = None, height: int = 40) -> str:
    sizes = Sizes(Size(72, 15), Size(72, 6), Size(54, height))
    return flat(draw(timeline.snapshot(), Focus(node=node, pick=pick), sizes).inspector.text())


def test_the_inspector_does_the_arithmetic() -> None:
    words = look(standing("cut"), "n3")
    assert "3 = floor(5/2)+1: 5 servers survive 2 failures" in words
    assert "4 of 5 in 300 ms, needs 3: stays leader; counted every 300 ms" in words
    assert "n4 cut next 11, match 5, silent 1.7" in words
    assert "durable term 1, vote n3" in words
    three = run(1_000, config=(("nodes", 3),))
    assert "2 = floor(3/2)+1: 3 servers survive 1 failure" in look(three, "n1")


def test_without_a_majority_it_says_that_nothing_can_commit() -> None:
    timeline = run(1_200, *((1_000 + i, faults.Crash(f"n{i}")) for i in (1, 2, 3)))
    assert "2 of 5 alive: no majority, nothing can commit" in look(timeline, "n4")
    assert "nothing can commit" in draw(timeline.snapshot()).picture_note


def test_an_entry_says_what_it_waits_for() -> None:
    timeline = run(1_000, (900, faults.Partition((("n3", "n4"), ("n1", "n2", "n5")))), config=(("clients", 0),))
    timeline.submit(Propose("set", "y", 3, "n3"))
    timeline.advance(timeline.now_us + 80 * US_PER_MS)
    words = look(timeline, "n3")
    assert "entry 2 y=3 confirmed by n3 n4: 2 of 5, needs 3; commits when one of n1 n2 n5 confirms" in words
    assert "1 more copy and it commits" in look(timeline, "n3", OnEntry(2))
    assert "index 2 in the log of n3" in look(timeline, "n3", OnEntry(2))


def test_an_entry_of_an_old_term_says_that_counting_it_proves_nothing() -> None:
    timeline = story("figure-8", 1_050)
    assert "of old term 1: commits only with an entry of term 3" in look(timeline, "n1")


def test_a_message_is_read_field_by_field() -> None:
    snapshot = standing("steady").snapshot()
    timeline = run(1_000, config=(("clients", 0),))
    timeline.submit(Propose("set", "y", 3, "n3"))
    while not any(
        isinstance(each.message, AppendEntries) and each.message.entries for each in timeline.snapshot().flights
    ):
        timeline.step()
    flight = next(
        each for each in timeline.snapshot().flights if isinstance(each.message, AppendEntries) and each.message.entries
    )
    words = look(timeline, "n3", OnMessage(flight.id))
    assert "after 1 of term 1 must match the receiver's log" in words
    assert "entries 2" in words
    assert f"{flight.dst} stores what is new" in words
    assert "counts" in look(standing("steady"), "n3", OnMessage(snapshot.flights[0].id))


def test_a_failed_check_is_in_the_inspector_however_low_it_is() -> None:
    snapshot = standing("steady").snapshot()
    failed = replace(snapshot, checks=(Check("election safety", False, "n1 and n2 both lead term 1"),))
    frame = draw(failed, Focus(node="n3"), SMALL)
    assert "n1 and n2 both lead term 1" in flat(frame.inspector.text())


def test_an_entry_on_a_majority_is_not_safe_for_ever_when_the_rule_is_off() -> None:
    words = look(story("figure-8-broken", 1_160), "n1", OnEntry(1))
    assert "committed known to n2 n3, n1 until it crashed" in words
    assert "not safe: n5 lacks it" in words
    assert "This takes a broken rule: current term commit" in words
    assert "for ever" not in words
    assert "for ever: a majority holds it" in look(standing("steady"), "n3", OnEntry(2))


def test_an_entry_that_is_gone_from_the_logs_is_still_in_the_state_machines() -> None:
    timeline = story("figure-8-broken", 1_500)
    words = look(timeline, "n1", OnEntry(1))
    assert "n2 n3 deleted it since" in words
    assert "applied by n2 n3, n1 until it crashed" in words
    assert "fate broken: it was committed" in words
    other = look(timeline, "n5", OnEntry(1))
    assert "applied by n4 n5" in other
    assert "another entry is committed at this index" in other
    assert "fate broken" in other


def test_an_entry_of_an_old_term_on_a_majority_stays_open_with_the_rule_on() -> None:
    timeline = story("figure-8", 1_080)
    words = look(timeline, "n1", OnEntry(1))
    assert "committed no" in words
    assert "prove nothing; it commits together with an entry of term 3 (5.4.2): with a new command" in words
    assert "no-op off nothing of an old term commits until a new command" in look(timeline, "n1")


@pytest.mark.parametrize(
    "name", [*MOMENTS, "figure-7", "figure-8", "check-quorum", "minority-leader", "disruptive-server"]
)
def test_with_the_safety_rules_on_no_committed_entry_is_called_unsafe(name: str) -> None:
    runs = [standing(name)] if name in MOMENTS else [story(name, at) for at in (150, 800, 1_450, 2_300, 3_900)]
    for snapshot in (timeline.snapshot() for timeline in runs):
        for server in snapshot.servers:
            for entry in server.log:
                said = outlook.outlook(snapshot, server, entry)[0]
                assert "broken" not in said
                assert "not safe" not in said
                counted = any(each.commit >= entry.number and outlook.holds(each, entry) for each in snapshot.servers)
                assert ("for ever" in said) == counted


def test_two_entries_of_one_index_and_term_are_told_apart() -> None:
    timeline = story("hashi-695", 1_800)  # with the rule off, n1 wrote another command there than n2 and n3
    one, other = look(timeline, "n1", OnEntry(2)), look(timeline, "n2", OnEntry(2))
    assert "on n1: 1 of 3" in one
    assert "n2 n3: another entry is committed at this index" in one
    assert "on n2 n3: 2 of 3" in other
    assert "broken: n2 n3 counts this entry as committed, n1 another at the same index" in other


def test_what_is_on_disk_is_not_what_was_only_in_memory() -> None:
    words = look(story("forgotten-vote", 121), "n2")
    assert "vote none (that for n1 was never written)" in words
    assert "its vote for n3: a crash loses it" in look(story("forgotten-vote", 250), "n2")


@pytest.mark.parametrize(
    ("pairs", "label", "words"),
    [
        ((("*", "n1"),), "hears nobody", "hears nobody: all links to it are cut"),
        ((("n1", "*"),), "heard by nobody", "heard by nobody: all links from it are cut"),
        ((("*", "n1"), ("n1", "*")), "cut both ways", "cut off from all servers, both ways"),
    ],
)
def test_a_cut_says_which_way(pairs: tuple[tuple[str, str], ...], label: str, words: str) -> None:
    timeline = run(920, *((910, faults.Cut(*pair)) for pair in pairs), config=(("clients", 0),))
    assert label in draw(timeline.snapshot()).picture.text()
    assert words in look(timeline, "n1")


def test_equal_troubles_are_said_once_and_clocks_without_zeroes() -> None:
    every = (("n1", "*"), ("*", "n1"))
    commands = [make(src, dst, 300_000) for make in (faults.Lose, faults.Duplicate) for src, dst in every]
    timeline = run(950, *((910, each) for each in (*commands, faults.Skew("n1", 200_000, 0))))
    words = look(timeline, "n1")
    assert "clock 200 ms ahead; all links, both ways: 30 % loss, 30 % twice" in words
    assert words.count("30 % loss") == 1


def test_a_timer_set_by_hand_says_so() -> None:
    timeline = run(10, (5, faults.ExpireTimers(("n1",), "election", 5_000_000)))
    assert "(set by hand)" in look(timeline, "n1")
    assert "set by hand" not in look(timeline, "n2")


def test_followers_that_never_answered_a_leader_are_not_counted() -> None:
    timeline = run(1_500, (100, faults.Crash("n5")), config=(("clients", 0),))
    words = look(timeline, timeline.snapshot().leader)
    assert "match 0, not heard yet" in words
    assert "hears 4 of 5 in 300 ms" in words


def test_the_top_line_names_the_terms_leader_and_the_newest_term_apart() -> None:
    assert PANEL.status(standing("steady").snapshot()) == "5 nodes  leader n3 t1"
    later = replace(standing("steady").snapshot(), term=3)
    assert PANEL.status(later) == "5 nodes  leader n3 t1  newest term 3"
    assert PANEL.status(story("forgotten-vote", 300).snapshot()) == "3 nodes  leaders n1 n3 t1"
    assert PANEL.status(standing("leaderless").snapshot()) == "5 nodes  term 0  no leader"


def test_clients_tell_answers_from_silence() -> None:
    snapshot = standing("steady").snapshot()
    client = replace(snapshot.clients[0], current=None, done=2, unknown=1)
    frame = draw(replace(snapshot, clients=(client,)), Focus(node="n3"), Sizes(Size(72, 15), Size(72, 6), Size(54, 40)))
    assert ", 2 done, 1 unknown" in flat(frame.inspector.text())


def test_on_a_usual_screen_the_commit_index_is_drawn_with_its_leaders() -> None:
    rows = draw(standing("steady").snapshot(), Focus(node="n3")).picture.text().splitlines()
    assert [row[:7] for row in rows[-3:]] == [" leader", " commit", " time s"]


def test_the_rows_of_all_parts_fit_their_canvases() -> None:
    for servers in range(3, 10):
        for picture in range(61):
            for strip in range(16):
                above, below = plan(servers, picture, strip)
                assert all(part.rows >= 0 for part in (*above, *below))
                assert sum(part.rows for part in above) <= picture
                assert sum(part.rows for part in below) <= max(strip, 0)


def test_down_leads_to_the_newest_entry_which_is_then_marked() -> None:
    snapshot = standing("steady").snapshot()
    focus = move(snapshot, Focus(node="n2"), "down")
    assert focus.pick == OnEntry(snapshot.window[1])
    assert "▌1▐" in draw(snapshot, focus).strip.text()


def test_a_cluster_looks_like_this() -> None:
    drawn = text(draw(standing("cut").snapshot(), Focus(node="n3"), SMALL)) + "\n"
    assert drawn == (GOLDEN / "raft-80x24.txt").read_text(encoding="utf-8")


def test_the_pattern_is_the_one_that_is_published() -> None:
    assert PATTERN.name == "consensus"


def test_the_chart_tells_one_leader_of_one_term_while_a_lone_server_counts_its_own_terms_up() -> None:
    snapshot = story("disruptive-server", 3_500).snapshot()
    leader = snapshot.server(snapshot.leader)
    assert leader is not None
    assert snapshot.term > leader.term
    strip = draw(snapshot, Focus(), USUAL._replace(strip=Size(78, 12))).strip.text()
    row = next(line for line in strip.splitlines() if "leader" in line)
    assert re.findall(r"n\d t\d+", row) == [f"{leader.id} t{leader.term}"]
    assert len(re.findall(r"t\d+", row)) == 1


@pytest.mark.parametrize(("width", "height"), [(72, 15), (78, 8), (98, 12), (142, 27)])
def test_a_link_that_passes_a_server_keeps_near_the_straight_line(width: int, height: int) -> None:
    """Distances as the eye sees them: a cell is twice as high as it is wide."""
    snapshot = standing("steady").snapshot()
    placed = cluster.place([each.id for each in snapshot.servers], width, height)
    assert placed is not None
    spots = ((each, placed[each.id]) for each in snapshot.servers)
    texts = {each.id: ring.block_text(snapshot, each, spot.w, spot.h, ASCII) for each, spot in spots}
    blocks = {name: cluster.fitted(placed[name], texts[name], height) for name in placed}
    clients = [
        cluster.Client(each.id, describe(each.current) if each.current else "", right=each.id == "you")
        for each in snapshot.clients
    ]
    blocks |= cluster.place_clients(clients, placed, width, height)
    for one, other in combinations(blocks, 2):
        (x0, y0), (x1, y1) = blocks[one].middle, blocks[other].middle
        across, up = x1 - x0, 2 * (y1 - y0)
        cells = cluster.path(one, other, blocks, width, height)
        aside = [abs(across * 2 * (y - y0) - up * (x - x0)) / hypot(across, up) for x, y in cells]
        assert max(aside, default=0) <= 0.25 * hypot(across, up), (one, other)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 36), (200, 50)])
def test_the_letters_that_fly_are_explained_beside_the_title(width: int, height: int) -> None:
    frame = draw(standing("steady").snapshot(), Focus(), arrange(width, height).sizes())
    assert "A append V vote" in frame.picture_note
    assert any(words in frame.picture_note for words in ("small: answers", "a reply"))
    assert any(words in frame.picture_note for words in ("C client", "C cmd")) == (width != 120), "room is short"
    assert len(frame.picture_note) + len(frame.picture_title) + 6 <= frame.picture.width


def test_a_large_picture_explains_all_its_signs_in_its_corners() -> None:
    drawn = draw(standing("steady").snapshot(), Focus(), arrange(200, 50).sizes()).picture.text()
    for line in ring.LEGEND:
        assert line in drawn


def test_at_a_cue_all_logs_of_figure_7_are_seen_on_a_small_screen() -> None:
    snapshot = story("figure-7", 110).snapshot()
    frame = draw(snapshot, Focus(), arrange(80, 24, cue=3).sizes())
    logs = frame.picture.text() + frame.strip.text()
    assert all(logs.count(f"n{i} ") >= 2 for i in range(1, 8))


def test_servers_that_find_no_row_are_counted() -> None:
    snapshot = story("figure-7", 110).snapshot()
    assert "+3 more" in draw(snapshot, Focus(), Sizes(Size(58, 4), Size(0, 0), Size(0, 0))).picture.text()


@pytest.mark.parametrize(("name", "ms", "words"), [
    ("disruptive-server", 3_500, {"a reply"}), ("snapshot", 2_945, {"S snapshot", "a reply"}),
    ("transfer", 1_275, {"V vote", "a reply"}),
])  # fmt: skip
def test_what_flies_is_explained_first_where_there_is_no_room_for_all_letters(
    name: str, ms: int, words: set[str]
) -> None:
    snapshot = story(name, ms).snapshot()
    assert {letter(flight.message) for flight in snapshot.flights} >= {each[0] for each in words}
    note = draw(snapshot, Focus(), arrange(80, 24).sizes()).picture_note
    assert not {each for each in words if each not in note}, note
