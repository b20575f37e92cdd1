"""What the panel of consistency shows, says and does, beyond what every panel must."""

import re
from dataclasses import replace
from typing import Any

import pytest

from engines.consistency.world.commands import Perform, SetPreset
from engines.consistency.world.table import TABLE
from engines.sim import faults
from tests.tui.panels.consistency_runs import run, standing, story
from tui.glyphs import ASCII
from tui.panel import Ask, Focus, Frame, Refuse, Size, Sizes
from tui.panels.consistency import PANEL
from tui.panels.consistency.forms import keeps
from tui.panels.consistency.lattice import WIDTH, reason
from tui.panels.consistency.queries import Chosen, choose, chosen, flipped, verdicts_of

USUAL = Sizes(Size(72, 15), Size(72, 6), Size(44, 23))
WIDE = Sizes(Size(142, 24), Size(142, 9), Size(54, 35))
KEYS: dict[str, Any] = {key.key: key for key in PANEL.keys}


def draw(snapshot: Any, focus: Focus = Focus(), sizes: Sizes = USUAL) -> Frame:  # noqa: B008 - frozen
    return PANEL.view(snapshot, focus, sizes, ASCII)


def test_an_operation_is_a_bar_from_its_question_to_its_answer() -> None:
    frame = draw(story("store-back", 850).snapshot())
    rows = frame.picture.text().splitlines()
    reader = next(row for row in rows if row.startswith("C "))
    assert "r x=0" in reader
    writer = next(row for row in rows if row.startswith("A "))
    assert "w x=1" in writer


def test_a_broken_model_lights_the_operations_that_show_it() -> None:
    snapshot = story("store-back", 850).snapshot()
    focus = KEYS["g"].act(snapshot, Focus())
    assert chosen(focus).model == "linearizable"
    frame = draw(snapshot, focus)
    lit = {ink for row in frame.picture.rows() for _, ink in row if ink == "bad!"}
    assert lit
    assert "no order explains" in frame.inspector.text()
    assert frame.picture_note == "witness: linearizable"


def test_the_witness_of_a_check_that_is_explained_is_lit() -> None:
    snapshot = story("store-back", 850).snapshot()
    frame = draw(snapshot, Focus(why=True, check="linearizable"))
    assert any(ink == "bad!" for row in frame.picture.rows() for _, ink in row)
    calm = draw(snapshot, Focus())
    assert not any(ink == "bad!" for row in calm.picture.rows() for _, ink in row)


def test_n_walks_the_models_and_comes_to_an_end() -> None:
    snapshot = standing("steady").snapshot()
    focus = Focus()
    seen = []
    for _ in range(11):
        focus = KEYS["n"].act(snapshot, focus)
        seen.append(chosen(focus).model)
    assert seen == [model.name for model in snapshot.models]
    assert chosen(KEYS["n"].act(snapshot, focus)).model == ""
    assert isinstance(KEYS["g"].act(standing("beginning").snapshot(), Focus()), Refuse)


def test_what_if_moves_a_return_and_the_cells_flip() -> None:
    """B's read of 1 held until C has begun: then C's 0 is no inversion any more."""
    snapshot = story("store-back", 850).snapshot()
    read = next(each for each in snapshot.history.operations if each.process == "B")
    focus = choose(Focus(node="B"), op=read.number)
    focus = KEYS["y"].act(snapshot, focus)
    assert chosen(focus).held == read.end
    assert flipped(snapshot, focus) == []
    for _ in range(2):
        focus = PANEL.move(snapshot, focus, "right")
    assert flipped(snapshot, focus) == ["linearizable"]
    assert verdicts_of(snapshot, focus)["linearizable"].ok
    assert "linearizable" in draw(snapshot, focus).inspector.text()
    assert chosen(KEYS["y"].act(snapshot, focus)).held == -1
    assert snapshot == story("store-back", 850).snapshot(), "the edit lives in the focus alone"


def test_what_if_needs_a_return_and_the_whole_history() -> None:
    snapshot = story("store-back", 680).snapshot()
    write = snapshot.history.operations[0]
    refused = KEYS["y"].act(snapshot, choose(Focus(node="A"), op=write.number))
    assert refused == Refuse("it has not returned: there is nothing to move")
    assert isinstance(KEYS["y"].act(snapshot, Focus(node="A")), Refuse)
    long = replace(standing("long").snapshot(), operations=1_200, whole=())
    newest = [each for each in long.history.operations if each.end is not None][-1]
    refused = KEYS["y"].act(long, choose(Focus(node=newest.process), op=newest.number))
    assert "whole history" in refused.why


def test_the_matrix_shows_each_pair_and_comes_back() -> None:
    snapshot = standing("steady").snapshot()
    focus = KEYS["v"].act(snapshot, Focus())
    frame = draw(snapshot, focus)
    assert frame.picture_title == "smallest: regular, not linearizable"
    assert "|--w x=1---" in frame.picture.text()
    assert "LIN" in frame.picture.text()
    down = draw(snapshot, PANEL.move(snapshot, focus, "down"))
    assert down.picture_title == "smallest: sequential, not linearizable"
    moved = PANEL.move(snapshot, focus, "right")
    assert draw(snapshot, moved).picture_title != frame.picture_title
    assert chosen(KEYS["V"].act(snapshot, moved)).pair == -1


def test_replicas_show_what_they_hold_and_their_vectors() -> None:
    text = draw(story("article-clocks", 320).snapshot(), sizes=WIDE).picture.text()
    assert "{r1:1}" in text
    assert "{r2:1}" in text
    frame = draw(story("siblings", 900).snapshot(), Focus(node="r3"), WIDE)
    assert "x=1 x=2" in frame.inspector.text()
    assert "tag 1 by r1" in frame.inspector.text()


def test_the_share_of_stale_reads_stands_beside_the_closed_form() -> None:
    text = draw(story("stale-read", 600).snapshot()).strip.text()
    assert "1 of 2 reads stale so far: 50 %" in text
    assert "C(2,1)/C(3,1) = 67 %" in text


def test_faults_stand_on_the_axis() -> None:
    snapshot = run("causal", 700, (500, faults.Crash("r2"))).snapshot()
    rows = draw(snapshot, sizes=WIDE).picture.text().splitlines()
    assert "crash r2" in rows[0]
    assert any("crashed" in row for row in rows)


def test_a_and_o_ask_at_what_is_selected() -> None:
    snapshot = standing("steady").snapshot()
    assert KEYS["a"].act(snapshot, Focus(node="B")) == Perform("B", True, "x", "")
    assert KEYS["o"].act(snapshot, Focus(node="r2")) == Perform("you", False, "x", "r2")
    assert KEYS["A"].act(snapshot, Focus()) == Ask("client")
    assert PANEL.client(snapshot, Focus(node="B"), "w y r3") == Perform("B", True, "y", "r3")
    assert PANEL.client(snapshot, Focus(), "A r x") == Perform("A", False, "x", "")


def test_a_replica_set_has_read_preferences_for_presets() -> None:
    snapshot = story("rollback", 300).snapshot()
    assert KEYS["p"].act(snapshot, Focus()) == SetPreset("primaryPreferred")
    offers = PANEL.tune(snapshot, Focus())
    assert [offer.title for offer in offers[:5]] == [
        f"read preference {name}"
        for name in ("primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest")
    ]
    assert offers[2].build({}) == SetPreset("secondary")
    assert "reads go to a secondary, or are refused; breaks ryw; still holds: no lost write" in offers[2].help


def test_the_level_is_of_the_eventual_variant() -> None:
    assert KEYS["p"].act(standing("steady").snapshot(), Focus()) == SetPreset("one")
    assert isinstance(KEYS["p"].act(standing("causal").snapshot(), Focus()), Refuse)


def test_every_rule_says_what_it_keeps() -> None:
    for row in TABLE:
        said = keeps(row)
        assert said.startswith("off") == bool(row.rule)
        assert all(name in said for name in row.breaks)
    offers = PANEL.rules(standing("causal").snapshot(), Focus())
    assert [offer.on for offer in offers] == [True, False, True, True]
    assert all("breaks" in offer.help for offer in offers)


def test_a_client_has_no_machine_to_isolate_but_links() -> None:
    snapshot = standing("steady").snapshot()
    assert KEYS["x"].act(snapshot, Focus(node="A")) == (faults.Cut("A", "*"), faults.Cut("*", "A"))
    assert KEYS["x"].act(snapshot, Focus(node="r1")) == faults.Isolate("r1")


def test_present_tells_the_store_in_numbers() -> None:
    said = " ".join(PANEL.present(story("rollback", 2_600).snapshot(), Focus()))
    assert "r5 holds x=2" in said
    assert "off: majority write, majority read" in said
    assert replace(Focus(), node="r1") == Focus(node="r1")


def test_names_bars_and_cells_can_be_clicked() -> None:
    snapshot = story("store-back", 850).snapshot()
    for sizes in (USUAL, WIDE, Sizes(Size(50, 12), Size(50, 3), Size(40, 10))):
        frame = draw(snapshot, sizes=sizes)
        focuses = [PANEL.fit(snapshot, hit.focus) for hit in frame.hits]
        assert {focus.node for focus in focuses} >= {"A", "B", "C", "r1"}
        assert {chosen(focus).op for focus in focuses} >= {0, 2}
        if sizes.picture.width >= 60:
            assert len({chosen(focus).model for focus in focuses}) == 12
        assert all(hit.x + hit.width <= sizes.picture.width and hit.y < sizes.picture.height for hit in frame.hits)


def test_a_client_that_did_nothing_gives_its_row_to_a_replica() -> None:
    """r5 is whom the story is about, and there are seven rows."""
    frame = draw(story("rollback", 1_200).snapshot(), Focus(), Sizes(Size(78, 8), Size(78, 5), Size(0, 0)))
    shown = [line.split()[0] for line in frame.picture.text().splitlines() if line[:1].strip()]
    assert shown == ["time", "A", "B", "r1", "r2", "r3", "r4", "r5*"]
    assert frame.picture_note == "5 replicas  1 row not shown"


def test_the_window_does_not_run_back_when_nobody_works_any_more() -> None:
    starts = [
        re.search(r"^time ([\d:.]+)", draw(story("stale-read", ms).snapshot()).picture.text())
        for ms in range(1_150, 1_500, 50)
    ]
    seen = [each.group(1) for each in starts if each is not None]
    assert len(seen) == len(starts)
    assert seen == sorted(seen)


def test_a_log_with_vector_clocks_shows_how_events_stand_to_the_selected_one() -> None:
    snapshot = standing("log").snapshot()
    focus = PANEL.fit(snapshot, Focus(node="bob"))
    focus = PANEL.move(snapshot, PANEL.move(snapshot, focus, "left"), "left")
    frame = draw(snapshot, focus, Sizes(Size(78, 8), Size(78, 5), Size(44, 20)))
    rows = {line.split()[0]: line for line in frame.picture.text().splitlines() if line.strip()}
    marks = {name: [char for char in rows[name] if char in "@<>="] for name in ("alice", "bob", "carol")}
    assert marks == {"alice": ["<", "=", ">"], "bob": ["<", "@", ">"], "carol": ["=", ">"]}
    assert frame.inspector_title == "bob, event 2"
    assert "bob thinks" in frame.inspector.text()
    assert "{alice:1, bob:2}" in frame.inspector.text()
    assert "9 of 28 pairs" in frame.strip.text()
    assert PANEL.status(snapshot) == "8 events  3 hosts"
    assert "= concurrent" in frame.picture_title
    assert isinstance(KEYS["y"].act(snapshot, focus), Refuse)


def test_what_if_holds_a_return_of_a_long_history_and_says_where_it_ends() -> None:
    """Up to a thousand operations; the diagram shows the newest of them."""
    snapshot = run("eventual", 14_000, config=(("workload", "busy"),)).snapshot()
    assert 200 < snapshot.operations < 1_000
    assert snapshot.before > 0
    read = next(each for each in reversed(snapshot.history.operations) if each.end is not None)
    focus = Focus(node=read.process, pick=Chosen(op=read.number))
    held = KEYS["y"].act(snapshot, focus)
    assert isinstance(held, Focus)
    moved = PANEL.move(snapshot, held, "left")
    assert verdicts_of(snapshot, moved).keys() == verdicts_of(snapshot, focus).keys()
    look = draw(snapshot, focus, Sizes(Size(78, 20), Size(78, 5), Size(44, 30))).inspector.text()
    assert "longest" in look
    long = replace(snapshot, operations=1_200, whole=())
    newest = next(each for each in reversed(long.history.operations) if each.end is not None)
    focus = Focus(node=newest.process, pick=Chosen(op=newest.number))
    refused = KEYS["y"].act(long, focus)
    assert isinstance(refused, Refuse)
    assert "up to 1,000 operations" in refused.why
    look = draw(long, focus, Sizes(Size(78, 20), Size(78, 5), Size(44, 30))).inspector.text()
    assert "linearization: worked out" in look
    assert "1,000 operations" in look


def test_letters_of_messages_are_told_in_the_title() -> None:
    frame = draw(standing("steady").snapshot())
    assert "R request" in frame.picture_title
    for letter in re.findall(r"  (.) ", frame.picture_title):
        assert letter in frame.picture.text()
    assert len(frame.picture_title) + len(frame.picture_note) < USUAL.picture.width


@pytest.mark.parametrize("variant", ["eventual", "sequential", "causal", "weak", "mongodb"])
def test_a_broken_model_has_its_reason_beside_it(variant: str) -> None:
    snapshot = run(variant, 500).snapshot()
    off = tuple((name, False) for name, _ in snapshot.rules)
    seen = {
        reason(replace(snapshot, r=r, preset=preset, rules=rules))
        for r in (1, snapshot.n) for preset in (snapshot.preset, "nearest") for rules in (snapshot.rules, off)
    }  # fmt: skip
    assert all(text.isascii() and 0 < len(text) <= WIDTH - 2 for text in seen)
    assert len(seen) == {"eventual": 3, "mongodb": 3}.get(variant, 1)


def test_a_broken_model_beside_checks_that_hold_was_not_promised() -> None:
    snapshot = run("eventual", 3_000, config=(("workload", "busy"),)).snapshot()
    assert any(each.verdict.broken for each in snapshot.models)
    assert all(check.ok for check in snapshot.checks)
    for sizes in (USUAL, WIDE, Sizes(Size(78, 8), Size(78, 5), Size(0, 0))):
        assert "NO: it was not promised" in draw(snapshot, sizes=sizes).picture.text()
    assert "R + W = 2, not > N = 3" in draw(snapshot, sizes=USUAL).picture.text()
    broken = story("store-back", 850).snapshot()
    assert "promised, yet NO: e why" in draw(broken, sizes=WIDE).picture.text()


def test_a_stand_in_that_holds_nothing_but_hints_says_so() -> None:
    """The story says that two machines have the write: they do, for others."""
    snapshot = story("sloppy-quorum", 1_300).snapshot()
    rows = draw(snapshot).picture.text().splitlines()
    held = {row[:2]: row.partition(" hint")[0][-1] for row in rows if row[0] == "r" and " hint" in row}
    assert held == {"r4": "3", "r5": "1"}
