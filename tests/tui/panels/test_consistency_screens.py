"""One screen of consistency says one thing: the axis, its legend, the values beside it, the line about equal replicas
and the strip speak of the same time, and of what is drawn."""

from typing import Any

import pytest

from engines.consistency.world.events import Converged
from engines.consistency.world.snapshot import Snapshot
from engines.sim import faults
from tests.tui.panels.consistency_runs import run, story
from tui.glyphs import ASCII
from tui.panel import Focus, Refuse, Size, Sizes
from tui.panels.consistency import PANEL
from tui.panels.consistency.queries import choose, closed_form
from tui.panels.consistency.spacetime import LETTERS, SHOWN, Window, parts
from tui.panels.consistency.strip import measured

SMALL = Sizes(Size(78, 8), Size(78, 5), Size(44, 14))
DIAGRAM = 78 - 28


def drawn(snapshot: Snapshot) -> tuple[Window, str, list[str]]:
    """The window, the title, and the rows of the diagram."""
    frame = PANEL.view(snapshot, Focus(), SMALL, ASCII)
    rows = [row[:DIAGRAM] for row in frame.picture.text().splitlines()]
    return parts(snapshot, Focus(), DIAGRAM)[0], frame.picture_title, rows


@pytest.mark.parametrize(
    ("at_ms", "newest"), [(800, "hint lost"), (1_500, "hint"), (4_200, "fault"), (6_000, "leaves")]
)
def test_the_axis_stays_with_the_newest_that_happened_be_it_an_operation_a_message_or_a_fault(
    at_ms: int, newest: str
) -> None:
    snapshot = story("convergence", at_ms).snapshot()
    seen, _, rows = drawn(snapshot)
    newest_us = max(
        [each.end_us or snapshot.at_us for each in snapshot.history.operations]
        + [min(each.arrives_us, snapshot.at_us) for each in snapshot.arrows]
        + [each.at_us for each in snapshot.marks]
    )
    assert seen.holds(newest_us)
    assert seen.column(newest_us) - seen.x >= seen.width // 3, "with what led to it"
    letter = {"hint lost": "x", "hint": "H", "leaves": "L"}.get(newest)
    if letter is not None:
        assert any(letter in row[5:] for row in rows[1:])


@pytest.mark.parametrize("name", ["convergence", "sloppy-quorum", "rollback", "siblings", "stale-read", "reply-first"])
def test_the_legend_names_the_letters_that_are_drawn_and_no_other(name: str) -> None:
    for at_ms in range(200, 3_400, 400):
        snapshot = story(name, at_ms).snapshot()
        seen, title, _ = drawn(snapshot)
        there = {
            "x" if each.lost else each.letter
            for each in snapshot.arrows
            if each.arrives_us <= snapshot.at_us and seen.holds(each.arrives_us) and snapshot.replica(each.dst)
        }
        told = {letter for letter in LETTERS if f"  {SHOWN.get(letter, letter)} {LETTERS[letter]}" in title}
        assert told == there, f"{name} at {at_ms} ms: {title}"


def test_the_star_beside_a_replica_is_explained() -> None:
    assert "* primary" in drawn(story("rollback", 500).snapshot())[1]
    assert "* orders writes" in drawn(run("sequential", 100).snapshot())[1]
    assert "*" not in drawn(story("stale-read", 500).snapshot())[1]


def test_a_message_that_left_long_ago_is_drawn_on_its_way() -> None:
    """The update of r1 to r3 takes 900 ms: its line is there all the time, though it began left of the window."""
    snapshot = story("reply-first", 950).snapshot()
    seen, _, rows = drawn(snapshot)
    late = [each for each in snapshot.arrows if each.dst == "r3" and each.departs_us < seen.from_us < each.arrives_us]
    assert {each.letter for each in late} == {"U"}
    assert all(each.arrives_us > snapshot.at_us for each in late)
    assert rows[4][seen.x] != " ", "it comes in at the left edge"


def test_the_axis_begins_at_zero_and_the_values_are_those_of_now() -> None:
    seen, _, rows = drawn(story("stale-read", 300).snapshot())
    assert seen.from_us == 0
    assert rows[0].startswith("time 00:00.000")
    assert rows[0].rstrip().endswith("now")


def test_owners_that_are_equal_while_hints_wait_are_not_called_equal() -> None:
    text = PANEL.view(story("sloppy-quorum", 900).snapshot(), Focus(), SMALL, ASCII).picture.text()
    assert "equal, but 4 hints wait" in text
    assert "replicas are equal" not in text
    text = PANEL.view(story("sloppy-quorum", 2_300).snapshot(), Focus(), SMALL, ASCII).picture.text()
    assert "replicas are equal" in text


def test_the_closed_form_is_not_said_where_it_does_not_hold() -> None:
    """It counts owners alone, and takes the newest write to be kept."""
    assert closed_form(story("sloppy-quorum", 1_300).snapshot()) is None
    assert closed_form(story("clock-skew", 1_000).snapshot()) is None
    assert (
        measured(story("clock-skew", 1_000).snapshot()) == "1 of 1 reads stale so far: 100 %; 1 acknowledged write lost"
    )
    assert closed_form(story("stale-read", 1_300).snapshot()) == (2, 3)


def test_the_age_in_the_strip_is_that_of_the_reads_of_its_column() -> None:
    """C's read of 0 was 101 ms old at 458 ms. The next column has no read, and C's next one was fresh."""
    ages = [each.age_us for each in story("stale-read", 1_300).snapshot().series]
    assert [age for age in ages if age] == [max(ages)]
    assert 100_000 < max(ages) < 102_000


def test_equal_again_is_told_with_the_time_since_the_fault_ended() -> None:
    timeline = story("convergence", 3_200)
    said = [PANEL.narrate(event).text for event in timeline.engine.told(400) if isinstance(event.what, Converged)]
    assert said == [
        "all replicas are equal, 341 ms after the last write and fault",
        "all replicas are equal, 829 ms after the last write and fault",
    ]


def test_a_client_that_is_down_or_cut_off_says_so_in_its_row() -> None:
    for fault, said in ((faults.Crash("A"), "crashed"), (faults.Freeze("A"), "frozen"), (None, "cut off")):
        cuts = [faults.Cut(*pair) for r in ("r1", "r2", "r3") for pair in (("A", r), (r, "A"))]
        wrong = [fault] if fault is not None else cuts
        _, _, rows = drawn(run("causal", 300, *((200, each) for each in wrong)).snapshot())
        assert said in next(row for row in rows if row.startswith("A "))


def test_in_the_matrix_no_verb_acts_on_a_machine_that_is_not_shown() -> None:
    keys = {key.key: key for key in PANEL.keys}
    snapshot = story("stale-read", 600).snapshot()
    shown: Any = keys["v"].act(snapshot, Focus(node="r2"))
    for name in "kzxldaou":
        refused = keys[name].act(snapshot, shown)
        assert isinstance(refused, Refuse), name
        assert "v comes back" in refused.why
        assert not isinstance(keys[name].act(snapshot, Focus(node="r2")), Refuse)


def test_the_title_tells_the_verdicts_while_the_explanation_covers_them() -> None:
    def title(name: str, at_ms: int) -> str:
        return PANEL.view(story(name, at_ms).snapshot(), Focus(why=True), SMALL, ASCII).picture_title

    assert title("stale-read", 600).split("  ") == ["broken: LIN REG", "R request", "G get"]
    assert title("stale-read", 200).split("  ")[0] == "no model is broken"
    assert title("measured", 6_000).split("  ")[0].endswith(" more")


def test_a_model_that_holds_has_no_witness() -> None:
    snapshot = story("stale-read", 600).snapshot()
    notes = {
        model: PANEL.view(snapshot, choose(Focus(), model=model), SMALL, ASCII).picture_note.split("  ")[0]
        for model in ("linearizable", "sequential")
    }
    assert notes == {"linearizable": "witness: linearizable", "sequential": "selected: sequential"}


@pytest.mark.parametrize(
    ("name", "at_ms", "key"), [("clock-skew", 700, "e"), ("rollback", 2_950, "e"), ("store-back", 800, "g")]
)
def test_what_is_recommended_where_a_check_failed_is_not_refused(name: str, at_ms: int, key: str) -> None:
    """A lost write breaks no model of what clients saw: g would find nothing to go to."""
    snapshot = story(name, at_ms).snapshot()
    told = " ".join(PANEL.present(snapshot, Focus()))
    assert f"To try: {key} " in told
    keys = {each.key: each for each in PANEL.keys}
    assert isinstance(keys["g"].act(snapshot, Focus()), Refuse) is (key == "e")


def test_a_stand_in_is_said_to_hold_its_hints() -> None:
    told = " ".join(PANEL.present(story("sloppy-quorum", 900).snapshot(), Focus()))
    assert "r4 holds 3 hints; r5 holds 1 hint" in told
