"""The panel of CQRS says what is in the snapshot: the gap, both models, the verdict, causes and dates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engines.cqrs import FORMULA, ORDER_SUMMARY, fold, weigh
from engines.cqrs.pattern import PATTERN
from engines.cqrs.world import commands as c
from engines.cqrs.world.messages import Deliver
from engines.cqrs.world.snapshot import Snapshot
from engines.sim import faults
from engines.units import exact, span
from tests.tui.panels.cqrs_runs import run, story
from tui.canvas import Canvas
from tui.glyphs import ASCII, BRAILLE
from tui.keys import keymap
from tui.layout import arrange
from tui.panel import Focus, Refuse
from tui.panels.cqrs import PANEL, strip
from tui.panels.cqrs.queries import sides
from tui.panels.cqrs.roads import verdict_line
from tui.panels.cqrs.select import Chosen, choose, follow, move, newest, order_of, read
from tui.registry import PANELS


def drawn(snapshot: Snapshot, focus: Focus | None = None, size: tuple[int, int] = (120, 36)) -> dict[str, str]:
    sizes = arrange(*size, inspector=True, strip_least=PANEL.strip_least).sizes()
    frame = PANEL.view(snapshot, PANEL.fit(snapshot, focus or Focus()), sizes, BRAILLE)
    return {"picture": frame.picture.text(), "strip": frame.strip.text(), "inspector": frame.inspector.text()}


def press(key: str, snapshot: Snapshot, focus: Focus | None = None) -> Any:
    return keymap(PANEL, PANELS)[key].act(snapshot, focus or Focus())


def test_the_gap_is_two_figures_for_each_projection_and_a_chart() -> None:
    snapshot = story("write-burst", 2_900).snapshot()
    shown = drawn(snapshot)
    assert max(view.behind for view in snapshot.projections) > 20
    for view in snapshot.projections:
        line = next(row for row in shown["picture"].splitlines() if view.name in row)
        assert f"{view.behind} behind" in line
        assert span(view.age_us) in line
        assert f"{view.behind} behind, {span(view.age_us)}" in shown["strip"]


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
def test_the_same_question_is_answered_by_both_models_and_the_table(size: tuple[int, int]) -> None:
    late = story("own-write", 324).snapshot()
    assert sides(late, "order-101").stale
    assert "order-101: read nothing | write created 30 v1 | crud created 30" in drawn(late, size=size)["strip"]
    done = story("own-write", 700).snapshot()
    assert "read model = write model: created 30 v1; crud created 30" in drawn(done, size=size)["strip"]


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
def test_an_event_counted_twice_is_no_read_model_that_equals_the_write_model(size: tuple[int, int]) -> None:
    twice = story("checkpoint-policies", 2_400).snapshot()
    both = sides(twice, "order-101")
    assert both.read is not None
    assert both.write is not None
    assert both.read.version == both.write.version
    assert (both.read.total, both.write.total) == (70, 60)
    assert both.failing == "wrong"
    shown = drawn(twice, size=size)
    assert "order-101: read created 70 v3, wrong | write created 60 v3 | " in shown["strip"]
    if size[0] == 80:
        assert "| crud created 60" in shown["strip"]
    else:
        assert any("read model" in line and line.rstrip().endswith("wrong") for line in shown["picture"].splitlines())


def test_where_nothing_was_asked_there_is_no_verdict_and_no_reason_for_one() -> None:
    empty = story("own-write", 200).snapshot()
    told = " ".join(PANEL.present(empty, Focus()))
    assert "The verdict of this moment: nothing to weigh yet: nobody asks." in told
    assert "costs less" not in told
    shown = drawn(empty)
    assert "verdict: nothing to weigh yet" in shown["strip"]
    assert "because" not in shown["inspector"]


def test_the_verdict_is_the_library_s_formula_on_the_run_s_own_numbers_and_help_prints_it() -> None:
    for at_ms in (2_500, 5_200):
        costs = story("small-crud", at_ms).snapshot().costs
        assert costs.verdict == weigh(costs.load)
        word = "pays" if costs.verdict.pays else "does not pay"
        shown = drawn(story("small-crud", at_ms).snapshot())
        assert f"{word}; demand: two roads {span(costs.verdict.cqrs_us)}/s," in shown["strip"]
        assert costs.verdict.why.value.split(":")[0] in " ".join(shown["inspector"].split())
    assert {" ".join(line.split()) for line in FORMULA} <= set(PANEL.help)


def test_a_verdict_that_the_sums_do_not_decide_says_what_does() -> None:
    snapshot = story("write-burst", 3_000).snapshot()
    verdict = snapshot.costs.verdict
    assert verdict.pays
    assert verdict.cqrs_us > verdict.crud_us
    assert "demand: two roads 1.08 s/s, one table 1.05 s/s, over its 1 s/s" in drawn(snapshot)["strip"]


def test_the_tree_leads_from_the_command_to_the_row_it_changed() -> None:
    shown = drawn(story("saga-compensates", 700).snapshot(), Focus(pick=Chosen(view="tree")), (200, 50))["picture"]
    assert "CREATE_ORDER > OrderCreated #1" in shown
    assert "PAY_ORDER > OrderPaid #4" in shown
    paid = next(line for line in shown.splitlines() if "OrderPaid" in line)
    assert "summary: paid 30 v3" in paid
    assert "revenue: 1 orders 30" in paid


def test_a_read_model_at_a_date_is_the_fold_of_what_had_happened_by_then() -> None:
    snapshot = story("own-write", 3_700).snapshot()
    focus = press("y", snapshot)
    assert read(focus).at == len(snapshot.events)
    for _ in range(2):
        focus = move(snapshot, focus, "left")
    at = read(focus).at
    wanted = fold(ORDER_SUMMARY, snapshot.events[:at]).get("order-101")
    shown = drawn(snapshot, focus)["picture"]
    assert f"right after event {at} of {len(snapshot.events)}" in shown
    row = next(line for line in shown.splitlines() if "order-101" in line and "created" in line and "total" not in line)
    assert str(wanted.total) in row.split()
    assert read(press("y", snapshot, focus)).at == 0
    typed = PANEL.client(snapshot, Focus(), "at #2")
    assert isinstance(typed, Focus)
    assert read(typed).at == 2


def test_each_stage_scales_by_itself_and_what_is_one_of_a_kind_says_so() -> None:
    snapshot = run(500).snapshot()
    for node, stage in (("c1", "commands"), ("p1", "projectors"), ("r2", "replicas"), ("", "projectors")):
        assert press("j", snapshot, Focus(node=node)) == c.AddNode(stage)
    assert press("J", snapshot, Focus(node="r1")) == c.RemoveNode("replicas")
    assert isinstance(press("J", snapshot, Focus(node="p1")), Refuse)
    for node in ("store", "bus", "crud", "saga", "u1"):
        assert isinstance(press("j", snapshot, Focus(node=node)), Refuse)


def test_b_builds_beside_and_swaps_once_it_has_caught_up() -> None:
    assert press("B", run(500).snapshot()) == c.Rebuild("order_summary", "beside", "v2")
    built = run(2_500, (600, c.Rebuild("order_summary", "beside", "v2"))).snapshot()
    assert press("B", built) == c.Swap("order_summary")
    held = run(2_000, (100, c.Create("u1", 1, 5)), (200, c.Poison("u1")), (500, c.Rebuild("order_summary", "beside")),
               config=(("reads", 0), ("sagas", False), ("writes", 0))).snapshot()  # fmt: skip
    assert isinstance(press("B", held), Refuse)
    assert "stopped at" in drawn(held)["picture"]


def test_the_first_screen_lives_and_explains_itself() -> None:
    snapshot = run(1_500).snapshot()
    shown = drawn(snapshot, size=(80, 24))
    assert "C command A append E event" in shown["picture"]
    assert len(snapshot.events) > 10
    assert "demand: two roads" in shown["strip"]


def test_what_befalls_a_machine_is_seen_on_its_road() -> None:
    snapshot = run(900, (600, faults.Crash("p1")), (610, faults.Freeze("r2"))).snapshot()
    picture = drawn(snapshot)["picture"]
    assert "p1X" in picture
    assert "r2Z" in picture
    assert "crashed" in next(line for line in picture.splitlines() if "order_summary" in line)


def test_arrows_walk_along_the_roads_and_through_the_projections() -> None:
    snapshot = run(900).snapshot()
    focus = Focus()
    seen = []
    for _ in range(len(snapshot.machines)):
        focus = move(snapshot, focus, "right")
        seen.append(focus.node)
    assert seen[:8] == ["u1", "u2", "u3", "c1", "c2", "store", "bus", "p1"]
    assert sorted(seen) == sorted(machine.name for machine in snapshot.machines)
    assert read(move(snapshot, Focus(), "down")).projection == "customer_history"
    assert move(snapshot, move(snapshot, Focus(), "down"), "up") == replace(Focus(), pick=None)


@pytest.mark.parametrize(
    ("until_ms", "size", "columns"), [(200, (80, 24), 5), (6_000, (80, 24), 46), (6_000, (120, 36), 86)]
)
def test_the_chart_says_how_much_of_the_run_it_draws(until_ms: int, size: tuple[int, int], columns: int) -> None:
    snapshot = story("own-write", until_ms).snapshot()
    canvas = Canvas(size[0] - 2, 5)
    note = strip.draw(canvas, snapshot, Focus(), BRAILLE)[1]
    row = canvas.text().splitlines()[0]
    assert sum("▁" <= each <= "█" for each in row) == columns
    assert note == f"last {exact((columns - 1) * 50_000)}"


def test_a_road_shows_what_the_slowest_of_a_few_calls_took() -> None:
    for until_ms, took in ((700, "6 ms"), (1_700, "46 ms"), (2_700, "51 ms"), (3_700, "51 ms")):
        snapshot = story("own-write", until_ms).snapshot()
        assert f"slowest {took:>6}" in next(
            line for line in drawn(snapshot)["picture"].splitlines() if " read " in line
        )


def test_an_order_that_the_story_names_is_followed_until_it_speaks_of_something_else() -> None:
    assert order_of(story("bug-and-rebuild", 3_000).snapshot(), Focus()) == "order-101"
    later = story("bug-and-rebuild", 3_000 + 599).snapshot()
    assert order_of(later, Focus()) == "order-101"
    assert order_of(story("bug-and-rebuild", 4_990).snapshot(), Focus()) == newest(
        story("bug-and-rebuild", 4_990).snapshot()
    )
    assert order_of(later, choose(Focus(), order="order-201")) == "order-201", "a person's choice goes before"
    assert read(follow(later, Focus(), "order-101")).order == ""
    assert read(follow(later, Focus(), newest(later))).order == newest(later) != "order-101"


def test_a_row_that_is_up_to_date_and_wrong_is_not_called_the_write_model_s() -> None:
    shown = drawn(story("bug-and-rebuild", 3_000).snapshot(), size=(80, 24))["strip"]
    assert "order-101: read shipped 10 v4, wrong | write shipped 30 v4" in shown
    shown = drawn(story("bug-and-rebuild", 5_000).snapshot(), size=(80, 24))["strip"]
    assert "order-101: read model = write model: shipped 30 v4" in shown
    shown = drawn(story("bug-and-rebuild", 7_600).snapshot(), size=(80, 24))["strip"]
    assert "order-103: read shipped 96 v4, note: leave it at the door" in shown


def test_the_verdict_tells_a_run_that_has_not_begun_from_one_that_has_gone_quiet() -> None:
    assert "nothing to weigh yet" in verdict_line(story("own-write", 200).snapshot())[0]
    assert "nothing came in the last 2 s" in verdict_line(story("own-write", 6_000).snapshot())[0]


def test_windows_are_named_and_commands_of_the_saga_are_told_from_those_of_users() -> None:
    """The road says how many commands users got answers to, the strip how many were decided, for sagas too."""
    snapshot = story("write-burst", 3_000).snapshot()
    frame = PANEL.view(snapshot, Focus(), arrange(120, 36).sizes(), ASCII)
    assert frame.picture_title == "two roads   figures of the last 2 s"
    users = next(each for each in snapshot.paces if each.road == "command").per_s
    assert f"{users}/s" in frame.picture.text()
    assert f"{snapshot.costs.load.writes}/s commands (saga's too)" in frame.strip.text()
    assert snapshot.costs.load.writes > users
    projection = PANEL.view(snapshot, choose(Focus(), projection="order_summary"), arrange(120, 36).sizes(), ASCII)
    assert "generation 1 of release 'right'" in " ".join(projection.inspector.text().split())


def test_a_generation_built_beside_is_named_as_the_journal_and_the_lecturer_name_it() -> None:
    text = drawn(story("poison", 3_600).snapshot())["picture"]
    assert "gen 4 stopped at 5" in text
    assert "beside right" not in text
    assert "beside v2 39 %" in drawn(story("bug-and-rebuild", 5_500).snapshot())["picture"]


def test_an_event_that_waits_for_a_lost_one_is_sent_again_and_the_lecturer_says_so() -> None:
    """Its letter on the road is a message that is on its way: the bus repeats it, since nobody could take it."""
    for at_ms in (4_500, 6_000, 9_000):
        snapshot = story("outbox-off", at_ms).snapshot()
        sent = [each.message for each in snapshot.flights if (each.src, each.dst) == ("bus", "p1")]
        assert [each.event.position for each in sent if isinstance(each, Deliver)] == [5]
    cues = [step.command for step in PATTERN.scenario("outbox-off").script]
    assert any("sends 5 again and again" in cue.text for cue in cues if isinstance(cue, faults.Narrate))


@pytest.mark.parametrize("name", ["u1", "c2", "store", "bus", "r2", "p1", "saga", "bank", "crud"])
def test_the_selected_machine_is_marked_without_a_colour(name: str) -> None:
    text = drawn(story("saga-compensates", 700).snapshot(), Focus(node=name), (80, 24))["picture"]
    marked = {
        part.split(BRAILLE.mark_right)[0] for part in text.split(BRAILLE.mark_left)[1:] if BRAILLE.mark_right in part
    }
    assert {each.split()[0] for each in marked} == {name}


def test_a_command_node_that_is_taken_out_leaves_its_work_in_the_figures() -> None:
    timeline = run(4_000, config=(("writes", 10),))
    before = timeline.snapshot().costs.load.writes
    timeline.submit(c.RemoveNode("commands"))
    assert before
    assert timeline.snapshot().costs.load.writes == before, "what was decided in the last two seconds was decided"


def test_a_row_with_a_note_that_the_write_model_does_not_keep_is_not_called_wrong() -> None:
    both = sides(story("bug-and-rebuild", 7_600).snapshot(), "order-103")
    assert both.read != both.write, "release 2 changed its row when the note came"
    assert both.failing == ""
    assert sides(story("bug-and-rebuild", 3_000).snapshot(), "order-101").failing == "wrong"


def test_what_a_projection_has_passed_and_lacks_is_wrong_and_not_late() -> None:
    lost = story("checkpoint-policies", 1_700).snapshot()
    both = sides(lost, "order-101")
    assert lost.projections[0].behind == 0
    assert both.read is not None
    assert both.write is not None
    assert both.read.version < both.write.version
    assert both.failing == "wrong"
