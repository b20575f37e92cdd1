"""The panel of event sourcing: the slider through time, what stands beside it, what keys and typed words come to."""

from dataclasses import replace
from typing import Any

import pytest

from engines.errors import UserError
from engines.event_sourcing.world import commands as c
from engines.event_sourcing.world.snapshot import Snapshot
from engines.sim import faults
from tests.tui.panels.events_runs import file_run, run, stored, story
from tui.glyphs import ASCII
from tui.kit.memo import FEW, once
from tui.panel import Focus, Frame, Refuse, Size, Sizes
from tui.panels.events import PANEL
from tui.panels.events.queries import balances_at, fold
from tui.panels.events.select import Chosen, current, listed

WIDE = Sizes(Size(110, 24), Size(110, 6), Size(44, 30))
LOW = Sizes(Size(78, 8), Size(78, 6), Size(44, 15))
KEYS: dict[str, Any] = {key.key: key for key in PANEL.keys}


def draw(snapshot: Snapshot, focus: Focus = Focus(), sizes: Sizes = WIDE) -> Frame:  # noqa: B008 - frozen
    return PANEL.view(snapshot, PANEL.fit(snapshot, focus), sizes, ASCII)


def travel() -> Snapshot:
    return story("time-travel", 6_500).snapshot()


def on(position: int, **parts: Any) -> Focus:
    return Focus(pick=Chosen(cursor=position, **parts))


def test_the_cursor_travels_and_everything_is_as_it_was_right_after_that_event() -> None:
    snapshot = travel()
    for position, balance, change in (
        (11, 50, "balance 140 -> 50"),
        (9, 140, "balance 100 -> 140"),
        (15, 161, "80 -> 161"),
    ):
        frame = draw(snapshot, on(position))
        assert f"balance {balance}" in frame.picture.text()
        assert change in frame.picture.text()
        assert f"time: position {position} of 15" in frame.strip_title
        assert change.removeprefix("balance ") in frame.inspector.text()
    assert draw(snapshot, on(11)).strip_note == "the past: the cursor is not at the newest event"
    assert draw(snapshot).strip_note == "now"


def test_up_and_down_move_it_and_at_the_newest_it_follows_what_comes() -> None:
    snapshot = travel()
    focus = PANEL.move(snapshot, Focus(), "up")
    assert focus.pick == Chosen(cursor=14)
    assert PANEL.move(snapshot, focus, "down").pick is None
    first = Focus()
    for _ in range(40):
        first = PANEL.move(snapshot, first, "up")
    assert first.pick == Chosen(cursor=1)
    assert KEYS["g"].act(snapshot, first).pick is None


def test_k_and_j_move_in_the_list_and_act_on_a_selected_machine() -> None:
    snapshot = travel()
    assert KEYS["k"].act(snapshot, Focus()).pick == Chosen(cursor=14)
    assert KEYS["j"].act(snapshot, on(14)).pick is None
    assert KEYS["k"].act(snapshot, Focus(node="store")) == faults.Crash("store")
    assert isinstance(KEYS["x"].act(snapshot, Focus()), Refuse)
    recorded = file_run().snapshot()
    assert KEYS["k"].act(recorded, Focus()).pick == Chosen(cursor=len(stored()) - 1)
    assert isinstance(KEYS["x"].act(recorded, Focus()), Refuse)
    assert isinstance(KEYS["a"].act(recorded, Focus()), Refuse)


def test_left_and_right_walk_the_machines() -> None:
    snapshot = travel()
    focus, seen = Focus(), []
    for _ in range(8):
        focus = PANEL.move(snapshot, focus, "right")
        seen.append(focus.node)
    assert seen == ["t1", "t2", "t3", "desk", "store", "mail", "books", ""]


def test_o_narrows_to_stream_type_category_and_story_and_the_cursor_stays() -> None:
    snapshot = story("account-replayed", 3_100).snapshot()
    focus, found = on(12), []
    for _ in range(5):
        focus = KEYS["o"].act(snapshot, focus)
        chosen = focus.pick
        found.append((chosen.scope, chosen.value, len(listed(snapshot, focus))))
        event = current(snapshot, focus)
        assert event is not None
        assert event.position == 12
    assert found == [
        ("stream", "account-1", 6),
        ("type", "MoneyWithdrawn", 2),
        ("category", "account", 13),
        ("story", "story-t1-2", 2),
        ("all", "", 13),
    ]


def test_a_search_lists_what_it_finds() -> None:
    snapshot = travel()
    focus = replace(Focus(), find="withdrawn")
    assert [event.position for event in listed(snapshot, focus)] == [11, 13]
    assert "2 events" in draw(snapshot, focus).picture_title
    assert "no event has 'gold'" in draw(snapshot, replace(Focus(), find="gold")).picture.text()


def test_audit_columns_say_who_when_and_because_of_what() -> None:
    text = draw(travel(), on(11, audit=True), LOW).picture.text()
    assert "t3" in text
    assert "00:02.0" in text
    assert "t3-1 Withd" in text
    assert "amount=" not in text


def test_the_tree_shows_command_event_command_event() -> None:
    snapshot = story("account-replayed", 3_100).snapshot()
    lines = [line.strip() for line in draw(snapshot, on(12, view="tree")).picture.text().splitlines()]
    tree = [line for line in lines if "command " in line or "Money" in line][:4]
    assert tree[0].startswith("Transfer command t1-2")
    assert "MoneyWithdrawn" in tree[1]
    assert "Deposit command desk-12" in tree[2]
    assert "MoneyDeposited" in tree[3]
    indents = [len(line) - len(line.lstrip("`|+\\- ")) for line in tree]
    assert indents == sorted(indents)


def test_balances_are_a_projection_at_the_cursor_and_beside_books() -> None:
    snapshot = travel()
    assert dict(balances_at(snapshot, 11))["account-3"] == 50
    text = draw(snapshot, on(11, view="balances")).picture.text()
    assert "balances after event 11" in text
    assert "as in books" not in text
    assert draw(snapshot, Focus(pick=Chosen(view="balances"))).picture.text().count("as in books") == 4
    poisoned = story("poison", 3_400).snapshot()
    assert "books says" not in draw(poisoned, Focus(pick=Chosen(view="balances"))).picture.text().split("account-3")[1]


def test_what_a_release_cannot_read_is_said_and_the_rest_is_folded() -> None:
    snapshot = story("poison", 3_400).snapshot()
    folded = fold(snapshot, "account-2", 8)
    assert folded.state.balance == 100
    assert "version 4 is newer" in folded.unread
    assert "this release cannot read it" in draw(snapshot, on(8)).picture.text()
    assert "P" in [
        line.split()[-1] for line in draw(snapshot, on(8)).picture.text().splitlines() if " 8 account-2" in line
    ]


def test_the_axis_shows_snapshots_readers_costs_and_conflicts() -> None:
    strip = draw(story("snapshots", 5_000).snapshot()).strip.text()
    assert "S" in strip.splitlines()[1]
    assert "mail 2 behind" in strip or "mail 1 behind" in strip or "mail 3 behind" in strip
    assert "loads, from zero 12,748" in strip
    assert "appends; the last: t" in strip


def test_the_machines_say_what_they_are_at() -> None:
    snapshot = story("skipped-gap", 1_600).snapshot()
    text = draw(snapshot, Focus(pick=Chosen(view="machines"))).picture.text()
    assert "number 9 was taken by t1 and is not committed" in text
    assert "mail     at 8, 1 behind" in text
    assert "high-water mark" in draw(snapshot).inspector.text()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("deposit 1 50", c.Act("t1", "deposit", 1, 50)),
        ("withdraw 2 80", c.Act("t1", "withdraw", 2, 80)),
        ("charge 1 80", c.Act("t1", "charge", 1, 80)),
        ("transfer 1 2 30", c.Act("t1", "transfer", 1, 30, 2)),
        ("race 1 80", c.Race(1, 80)),
        ("at #7", Focus(pick=Chosen(cursor=7))),
        ("at 3.5s", Focus(pick=Chosen(cursor=12))),
    ],
)
def test_typed_words(text: str, meant: Any) -> None:
    assert PANEL.client(travel(), Focus(), text) == meant


@pytest.mark.parametrize(
    "text", ["", "deposit", "deposit 1", "deposit one 5", "steal 1 5", "at", "at noon", "race 1 80 2"]
)
def test_typed_words_that_mean_nothing_say_what_does(text: str) -> None:
    with pytest.raises(UserError, match=r"deposit 1 50|seconds as 3\.5s"):
        PANEL.client(travel(), Focus(), text)


def test_a_file_has_dates_and_no_machines() -> None:
    snapshot = file_run().snapshot()
    frame = draw(snapshot)
    assert "26-01-" in frame.strip_title
    assert "chain intact" in frame.strip.text()
    assert KEYS["V"].act(snapshot, Focus()).pick == Chosen(view="balances")
    assert PANEL.tune(snapshot, Focus()) == ()
    assert isinstance(PANEL.faults(snapshot, Focus())[0].build({}), Refuse)


def test_n_goes_to_what_reacts_is_old_or_parked() -> None:
    snapshot = story("poison", 3_400).snapshot()
    focus, found = on(1), []
    for _ in range(3):
        focus = KEYS["n"].act(snapshot, focus)
        found.append(focus.pick.cursor)
    assert found == [6, 8, 10]
    assert KEYS["N"].act(snapshot, focus).pick.cursor == 8
    assert isinstance(KEYS["n"].act(snapshot, focus), Refuse)


def test_a_state_that_is_worked_out_once_is_the_same_answer() -> None:
    events, counted = [None] * FEW, []

    def work() -> int:
        counted.append(1)
        return len(events)

    many: Any = tuple(events)
    assert [once(many, ("q",), work) for _ in range(3)] == [FEW] * 3
    assert len(counted) == 1
    assert once(many, ("other",), work) == FEW
    assert len(counted) == 2


def test_a_living_run_goes_on_behind_the_cursor() -> None:
    timeline = run(2_000)
    before = timeline.snapshot()
    focus = on(before.events[5].position)
    timeline.advance(4_000_000)
    after = timeline.snapshot()
    assert len(after.events) > len(before.events)
    assert current(after, focus) == current(before, focus)


def test_conflicts_are_counted_of_all_that_was_tried() -> None:
    """One of the two who race is refused and tries again, in vain: two appends, of which one did not fit."""
    snapshot = story("two-tellers", 1_200).snapshot()
    assert (snapshot.store.conflicts, snapshot.store.appends) == (1, 1)
    assert "1 of 2 appends; the last: " in draw(snapshot).strip.text() + draw(snapshot).picture.text()


def test_the_marks_at_the_right_are_told_above_them() -> None:
    narrow = Sizes(Size(78, 10), Size(78, 4), Size(0, 0))
    parked, calm = (draw(story("poison", ms).snapshot(), sizes=narrow).picture.text() for ms in (2_600, 700))
    assert "m b read  P parked  v1 old" in parked, "what does not fit is shortened, and a mark that is there is told"
    assert "m b read so far" in calm
    assert "P parked" not in calm
    late = story("snapshots", 5_000).snapshot()
    kept = max(
        each.position
        for each in late.events
        if any((one.stream, one.revision) == (each.stream, each.revision) for one in late.kept)
    )
    assert "snapshot" not in draw(late, sizes=narrow).picture.text(), "one is kept, of none of the events shown"
    there = draw(late, on(kept), narrow).picture.text().splitlines()
    assert "S snapshot" in there[1]
    assert any(row.rstrip().endswith("S") for row in there[2:])


def test_a_compacted_log_says_how_many_of_its_events_are_left() -> None:
    """The axis counts positions, of which there were seven."""
    frame = draw(story("compaction", 3_200).snapshot())
    assert frame.picture_title == "all streams: 2 events of 7 are left"
    assert frame.strip_title.startswith("time: position 7 of 7")
    assert draw(story("compaction", 1_700).snapshot()).picture_title == "all streams: 7 events"


def test_behind_counts_events_and_no_number_that_nobody_filled() -> None:
    """13 was burnt by a rollback: behind 12 stand 14 and 15, two events."""
    snapshot = story("skipped-gap", 6_000).snapshot()
    assert {each.behind for each in snapshot.subscribers} == {2}
    assert [event.position for event in snapshot.events if event.position > 12] == [14, 15]
    assert "mail 2 behind  books 2 behind" in draw(snapshot).strip.text()


@pytest.mark.parametrize("at_ms", [1_200, 2_800, 4_000, 6_100, 7_600, 11_200])
def test_where_a_group_stands_is_said_wherever_its_marks_are(at_ms: int) -> None:
    small = Sizes(Size(78, 8), Size(78, 5), Size(44, 14))
    snapshot = story("persistent-group", at_ms).snapshot()
    assert snapshot.group is not None
    readers = draw(snapshot, sizes=small).strip.text().splitlines()[2]
    assert f"checkpoint {snapshot.group.checkpoint}, done to {snapshot.group.done_to}" in readers


def test_the_cost_of_loads_is_said_whole_on_a_small_screen() -> None:
    small = Sizes(Size(78, 8), Size(78, 5), Size(44, 14))
    for at_ms in (2_500, 5_000, 8_000):
        cost = story("snapshots", at_ms).snapshot().cost
        folded = draw(story("snapshots", at_ms).snapshot(), sizes=small).strip.text().splitlines()[3].rstrip()
        assert folded.endswith(f"last {cost.newest[-1].folded}, all {cost.folded:,}, from zero {cost.without:,}")


def test_a_mark_and_an_old_version_are_two_words() -> None:
    rows = draw(story("upcasting", 300).snapshot()).picture.text().splitlines()
    assert any(row.rstrip().endswith("mb v1") for row in rows)


def test_a_machine_that_is_down_is_not_said_to_wait() -> None:
    snapshot = run(700, (500, faults.Crash("t1"))).snapshot()
    text = draw(snapshot, Focus(pick=Chosen(view="machines"))).picture.text()
    row = next(line for line in text.splitlines() if line.startswith(" t1 ") and "done" in line)
    assert "crashed: does nothing" in row
    assert "waits" not in row


def test_the_past_is_named_however_little_room_there_is() -> None:
    small = Sizes(Size(78, 8), Size(78, 5), Size(44, 14))
    note = draw(story("snapshots", 5_000).snapshot(), on(100), sizes=small).strip_note
    assert note.startswith("S snapshot  the past")
    frame = draw(story("snapshots", 5_000).snapshot(), on(100), sizes=small)
    assert len(frame.strip_title) + len(note) + 4 < 78


@pytest.mark.parametrize("name", ["t1", "mail"])
def test_the_inspector_of_a_machine_that_is_down_says_that_it_does_nothing(name: str) -> None:
    snapshot = run(700, (500, faults.Crash(name)), variant="group").snapshot()
    text = " ".join(draw(snapshot, Focus(node=name)).inspector.text().split())
    assert "does nothing: it is crashed" in text
