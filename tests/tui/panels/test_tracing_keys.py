"""Every verb means something the engine accepts, or says why not; the selection never holds what is gone."""

from dataclasses import replace
from typing import Any

import pytest

from engines.errors import UserError
from engines.sim import faults
from engines.sim.rules import SetRule
from engines.tracing.diagnosis import Diagnosis
from engines.tracing.spans import ACQUIRE_CONNECTION
from engines.tracing.world import commands as c
from engines.tracing.world.rules import TracingRules
from engines.tracing.world.snapshot import Snapshot, Strayed
from tests.monkey import screen
from tests.tui.panels.tracing_runs import CHECKOUT, TRACE, flat, holding, run, standing, story
from tests.tui.subjects.tracing import recorded
from tui.keys import FAR
from tui.kit.verbs import RECORDED
from tui.panel import Ask, Focus, Offer, Refuse
from tui.panels.tracing import PANEL
from tui.panels.tracing.forms import RULES
from tui.panels.tracing.select import (
    COLUMNS,
    ORDERS,
    VIEWS,
    analysis_at,
    choose,
    listed,
    read,
    row_of,
    rows_of,
    service_of,
    span_of,
    telling,
)
from tui.session import Session


def built_by(offer: Offer) -> Any:
    """The command of an offer without parameters."""
    return offer.build({})


ARROWS = ("left", "right", "up", "down")
KEYS: dict[str, Any] = {key.key: key for key in PANEL.keys}
BY_HAND = Focus(node=TRACE, chosen=True)


def diagnosis_of(snapshot: Snapshot) -> Diagnosis:
    assert snapshot.diagnosis is not None
    return snapshot.diagnosis


def press(snapshot: Snapshot, key: str, focus: Focus) -> Any:
    return KEYS[key].act(snapshot, focus)


def present(snapshot: Snapshot, focus: Focus) -> bool:
    """Whether what the focus names exists."""
    part = read(focus)
    if snapshot.trace(focus.node) is None:
        return not snapshot.traces and not part.span
    known = {each.name for each in snapshot.services} | {row.service for row in snapshot.aggregates}
    return (
        (not part.span or analysis_at(snapshot, focus).find(part.span) >= 0)
        and (not part.other or snapshot.trace(part.other) is not None)
        and (not part.service or part.service in known)
    )


def values(offer: Offer) -> dict[str, Any]:
    return {param.name: param.value for param in offer.params}


def selected(snapshot: Snapshot, focus: Focus) -> str:
    """The label of the selected span."""
    return analysis_at(snapshot, focus).tree.spans[span_of(snapshot, focus)].label


def test_an_empty_system_refuses_what_needs_a_trace_and_says_why() -> None:
    snapshot = standing("start")
    for key in "nNIgD":
        outcome = press(snapshot, key, Focus())
        assert isinstance(outcome, Refuse)
        assert outcome.why
    for key in "k":
        assert press(snapshot, key, Focus()) == faults.Crash(snapshot.services[0].name)


def test_recorded_data_refuses_faults_with_the_reason_and_still_can_be_looked_at() -> None:
    snapshot = replace(standing("by hand"), recorded=True)
    for key in "kzxlducahwXb":
        assert press(snapshot, key, Focus()) == Refuse(RECORDED), key
    assert [offer.build({}) for offer in PANEL.faults(snapshot, Focus())] == [Refuse(RECORDED)]
    assert PANEL.client(snapshot, Focus(), "POST /checkout") == Refuse(RECORDED)
    assert not PANEL.sides(snapshot, Focus())
    assert PANEL.tune(snapshot, Focus())[0].build({}) == Ask("export")
    assert isinstance(press(snapshot, "p", Focus()), Refuse), "without records there is nothing to choose from"
    assert read(press(snapshot, "C", Focus())).correct
    for key in "noFgvVyBW":
        assert isinstance(press(snapshot, key, BY_HAND), Focus), key


# -- moving ----------------------------------------------------------------------------------------------------------


def test_an_evicted_trace_gives_way_to_the_one_that_tells_most() -> None:
    snapshot = standing("by hand")
    focus = PANEL.fit(snapshot, choose(Focus(node="gone", chosen=True), span="0000000000000004"))
    assert focus.node == telling(snapshot)
    assert not read(focus).span


def test_until_a_person_chooses_the_slow_trace_of_the_verdict_is_shown_and_in_it_what_holds_the_path() -> None:
    snapshot = standing("pool")
    focus = PANEL.fit(snapshot, Focus())
    slow = diagnosis_of(snapshot).slow_trace
    listed_now = [row.trace_id for row in snapshot.traces]
    slowest = max(snapshot.traces, key=lambda row: (row.complete, row.duration_us, row.trace_id)).trace_id
    assert focus.node == (slow if slow in listed_now else slowest)
    assert selected(snapshot, focus) == f"auth/{ACQUIRE_CONNECTION}"
    assert telling(standing("by hand")) in {row.trace_id for row in standing("by hand").traces}


def test_up_and_down_walk_every_row_and_left_and_right_the_traces() -> None:
    snapshot = standing("by hand")
    made, rows = rows_of(snapshot, BY_HAND)
    focus = choose(BY_HAND, span=made.name(rows.items[0].row))
    walked = [row_of(snapshot, focus)]
    for _ in range(len(rows.items)):
        focus = PANEL.move(snapshot, focus, "down")
        walked.append(row_of(snapshot, focus))
    assert walked == [*range(len(rows.items)), len(rows.items) - 1]
    assert row_of(snapshot, PANEL.move(snapshot, focus, "up")) == len(rows.items) - 2
    order = [row.trace_id for row in listed(snapshot, BY_HAND)]
    at = order.index(TRACE)
    assert PANEL.move(snapshot, BY_HAND, "right").node == order[at + 1]
    assert PANEL.move(snapshot, PANEL.move(snapshot, BY_HAND, "right"), "left").node == TRACE
    assert not read(PANEL.move(snapshot, focus, "right")).span


def test_spans_with_one_id_are_walked_one_by_one() -> None:
    snapshot = standing("broken")
    focus = PANEL.fit(snapshot, BY_HAND)
    _, rows = rows_of(snapshot, focus)
    for _ in range(len(rows.items)):
        focus = PANEL.move(snapshot, focus, "up")
    seen = set()
    for _ in range(len(rows.items)):
        seen.add(row_of(snapshot, focus))
        focus = PANEL.move(snapshot, PANEL.fit(snapshot, focus), "down")
    assert seen == set(range(len(rows.items)))


def test_in_the_list_right_opens_a_trace() -> None:
    snapshot = standing("by hand")
    focus = PANEL.move(snapshot, choose(BY_HAND, view="list"), "down")
    assert focus.node != TRACE
    opened = PANEL.move(snapshot, focus, "right")
    assert read(opened).view == "waterfall"
    assert opened.node == focus.node


def test_in_the_map_down_goes_to_the_busiest_called_and_up_to_a_caller() -> None:
    snapshot = standing("calm")
    focus = choose(Focus(), view="map", service="gateway")
    down = read(PANEL.move(snapshot, focus, "down")).service
    edges = [edge for edge in snapshot.map_edges if edge.src == "gateway"]
    assert down == max(edges, key=lambda edge: (edge.calls_per_s, edge.calls)).dst
    called = PANEL.move(snapshot, choose(focus, service="auth-db"), "up")
    assert any(edge.src == read(called).service and edge.dst == "auth-db" for edge in snapshot.map_edges)
    layer = [each.name for each in snapshot.services if each.layer == "edge"]
    assert read(PANEL.move(snapshot, focus, "left")).service == layer[-1]


# -- looking ---------------------------------------------------------------------------------------------------------


def test_n_walks_the_path_in_the_order_of_time_and_back() -> None:
    snapshot = standing("by hand")
    made, rows = rows_of(snapshot, BY_HAND)
    assert len(rows.stops) >= 5
    focus = choose(BY_HAND, span=made.name(rows.items[rows.stops[0]].row), stop=0)
    walked = []
    for _ in range(len(rows.stops)):
        focus = PANEL.fit(snapshot, press(snapshot, "n", focus))
        walked.append(row_of(snapshot, focus))
    assert walked == [*rows.stops[1:], rows.stops[0]]
    back = press(snapshot, "N", focus)
    assert row_of(snapshot, back) == rows.stops[-1]
    assert read(press(snapshot, "n", choose(BY_HAND, view="map"))).view == "waterfall"


def test_o_and_percent_and_F_change_which_rows_there_are() -> None:
    snapshot = standing("by hand")
    usual = len(rows_of(snapshot, BY_HAND)[1].items)
    assert len(rows_of(snapshot, press(snapshot, "o", BY_HAND))[1].items) < usual
    assert len(rows_of(snapshot, press(snapshot, "F", BY_HAND))[1].items) > usual
    focus, seen = BY_HAND, []
    for _ in range(4):
        focus = press(snapshot, "%", focus)
        seen.append((read(focus).hide, len(rows_of(snapshot, focus)[1].items)))
    assert [hide for hide, _ in seen] == [1, 5, 10, 0]
    assert seen[0][1] >= seen[1][1] >= seen[2][1]
    assert seen[3][1] == usual


def test_v_walks_the_views_and_W_y_G_come_back() -> None:
    snapshot = standing("by hand")
    focus, seen = BY_HAND, []
    for _ in VIEWS:
        focus = press(snapshot, "v", focus)
        seen.append(read(focus).view)
    assert seen == [*VIEWS[1:], VIEWS[0]]
    for key, view in (("W", "map"), ("y", "headers"), ("G", "verdict")):
        there = press(snapshot, key, BY_HAND)
        assert read(there).view == view
        assert read(press(snapshot, key, there)).view == "waterfall"
    assert read(press(snapshot, "W", BY_HAND)).service == service_of(snapshot, BY_HAND)


def test_B_sorts_traces_and_aggregates() -> None:
    snapshot = standing("storm")
    focus, seen = Focus(), []
    for _ in ORDERS:
        seen.append([row.trace_id for row in listed(snapshot, focus)])
        focus = press(snapshot, "B", focus)
    assert all(sorted(ids) == sorted(seen[0]) for ids in seen)
    assert len({tuple(ids) for ids in seen}) >= 3
    errors = [snapshot.trace(each).errors for each in seen[ORDERS.index("errors")]]  # type: ignore[union-attr]
    assert errors == sorted(errors, reverse=True)
    table = choose(Focus(), view="aggregates")
    assert read(press(snapshot, "B", table)).column == COLUMNS[1]
    assert read(PANEL.move(snapshot, table, "right")).column == COLUMNS[1]


def test_K_and_D_compare_with_the_marked_trace_or_with_the_typical_one() -> None:
    snapshot = standing("pool")
    slow = Focus(node=telling(snapshot), chosen=True)
    compared = press(snapshot, "D", slow)
    assert read(compared).view == "compare"
    if snapshot.trace(diagnosis_of(snapshot).median_trace) is not None:
        assert read(compared).other == diagnosis_of(snapshot).median_trace
    assert read(press(snapshot, "D", compared)).view == "waterfall"
    marked = press(snapshot, "K", Focus(node=snapshot.traces[3].trace_id, chosen=True))
    other = press(snapshot, "D", replace(marked, node=snapshot.traces[5].trace_id))
    assert read(other).other == snapshot.traces[3].trace_id
    assert not read(press(snapshot, "K", marked)).other
    alone = holding(standing("start"), CHECKOUT)
    assert isinstance(press(alone, "D", BY_HAND), Refuse)


def test_g_goes_to_what_the_verdict_names_and_I_to_what_failed() -> None:
    snapshot = standing("pool")
    guilty = press(snapshot, "g", choose(Focus(node=snapshot.traces[-1].trace_id, chosen=True), view="map"))
    assert selected(snapshot, guilty) == f"auth/{ACQUIRE_CONNECTION}"
    torn = standing("dropped")
    headers = press(torn, "g", Focus())
    assert read(headers).view == "headers"
    row = torn.trace(headers.node)
    assert row is not None
    assert isinstance(row.note, Strayed)
    assert row.note.src == "catalog"
    wrong = standing("by hand")
    focus, seen = choose(BY_HAND, span="0000000000000001"), []
    for _ in range(3):
        focus = press(wrong, "I", focus)
        seen.append(selected(wrong, focus))
    assert seen[0] == "cart/load"
    assert "missing span" in seen[1]
    assert seen[2] == seen[0]


def test_C_corrects_the_analysis_of_a_simulation() -> None:
    assert press(standing("skewed"), "C", Focus()) == c.Correct(True)
    assert press(standing("corrected"), "C", Focus()) == c.Correct(False)


def test_the_picture_is_a_list_that_is_walked_through_by_rows_pages_and_to_its_ends() -> None:
    snapshot = standing("chain")
    made, rows = rows_of(snapshot, BY_HAND)
    focus = choose(BY_HAND, span=made.name(rows.items[0].row))
    down = PANEL.walk(snapshot, focus, 15)
    assert down is not None
    assert row_of(snapshot, down) == 15
    for step, there in ((-1, 14), (-FAR, 0), (FAR, len(rows_of(snapshot, down)[1].items) - 1)):
        moved = PANEL.walk(snapshot, down, step)
        assert moved is not None
        assert row_of(snapshot, moved) == there
    assert PANEL.walk(snapshot, choose(focus, view="map"), 1) is None
    assert PANEL.walk(snapshot, replace(focus, area="strip"), 1) is None


# -- acting ----------------------------------------------------------------------------------------------------------


def test_verbs_act_on_the_service_of_the_selected_span() -> None:
    snapshot = standing("pool")
    focus = press(snapshot, "G", Focus())
    assert press(snapshot, "k", focus) == faults.Crash("auth")
    assert press(snapshot, "z", focus) == faults.Freeze("auth")
    assert press(snapshot, "x", focus) == faults.Isolate("auth")
    assert press(snapshot, "c", focus) == faults.Skew("auth", 200_000, 0)
    assert press(snapshot, "l", focus) == (faults.Lose("auth", "*", 100_000), faults.Lose("*", "auth", 100_000))
    on_map = choose(Focus(), view="map", service="cart")
    assert press(snapshot, "k", on_map) == faults.Crash("cart")
    foreign = PANEL.fit(standing("by hand"), choose(BY_HAND, span="0000000000000001"))
    refused = press(standing("by hand"), "k", foreign)
    assert isinstance(refused, Refuse)
    assert "web is no machine" in refused.why


def test_toggles_come_back() -> None:
    timeline = run(1_000)
    focus = choose(Focus(), view="map", service="auth")
    for key, there, back in (("k", faults.Crash, faults.Restart), ("z", faults.Freeze, faults.Thaw),
                             ("x", faults.Isolate, faults.Reconnect)):  # fmt: skip
        for kind in (there, back):
            command = press(timeline.snapshot(), key, focus)
            assert command == kind("auth")
            timeline.submit(command)
    for key, levels in (("l", 5), ("d", 3), ("u", 2), ("c", 4)):
        for _ in range(levels):
            outcome = press(timeline.snapshot(), key, focus)
            for command in outcome if isinstance(outcome, tuple) else (outcome,):
                timeline.submit(command)
    snapshot = timeline.snapshot()
    assert not [link for link in snapshot.links if link.loss_ppm or link.duplicate_ppm or link.reorder_ppm]
    auth = snapshot.service("auth")
    assert auth is not None
    assert (auth.clock_off_us, auth.drift_ppm) == (0, 0)


def test_a_sends_a_request_like_the_one_selected_and_A_takes_a_part_of_a_name() -> None:
    snapshot = standing("pool")
    row = snapshot.traces[0]
    assert press(snapshot, "a", Focus(node=row.trace_id, chosen=True)) == c.Request(row.operation)
    assert press(snapshot, "A", Focus()) == Ask("client")
    assert PANEL.client(snapshot, Focus(), "post /checkout") == c.Request("POST /checkout")
    assert PANEL.client(snapshot, Focus(), "check") == c.Request("POST /checkout")
    assert PANEL.client(snapshot, Focus(), " ") == c.Request()
    with pytest.raises(UserError, match="POST /checkout"):
        PANEL.client(snapshot, Focus(), "make tea")


def test_the_load_goes_round() -> None:
    timeline = run(1_000)
    seen = []
    for _ in range(5):
        command = press(timeline.snapshot(), "w", Focus())
        seen.append(command.shape)
        timeline.submit(command)
    assert sorted(seen) == ["bursts", "off", "ramp", "steady", "wave"]
    assert timeline.snapshot().rate_per_s > 0


def test_faults_are_aimed_at_what_they_can_hit() -> None:
    snapshot = standing("calm")
    by_title = {offer.title: offer for offer in PANEL.faults(snapshot, choose(Focus(), view="map", service="auth"))}
    assert by_title["smaller pool"].params[0].value == "auth"
    roles = {each.name: each.role for each in snapshot.services}
    assert {roles[name] for name in by_title["lock"].params[0].choices} == {"database"}
    assert {roles[name] for name in by_title["cold cache"].params[0].choices} == {"cache"}
    assert "queue" not in {roles[name] for name in by_title["slow service"].params[0].choices}
    assert by_title["auth drops the headers"].build({}) == c.DropHeader("auth", True)


def test_rules_know_their_state_and_offer_the_opposite() -> None:
    snapshot = run(1_000, (900, SetRule("inject_own", False))).snapshot()
    built = [(offer.on, built_by(offer)) for offer in PANEL.rules(snapshot, Focus())]
    states = {command.rule: (on, command.on) for on, command in built}
    assert set(states) == set(TracingRules.names()) == set(RULES)
    assert states["inject_own"] == (False, True)
    assert states["continue_trace"] == (True, False)


# -- in the frame ----------------------------------------------------------------------------------------------------


def test_the_users_traces_are_drawn_by_the_same_panel() -> None:
    session = recorded()
    session.resize(120, 36)
    shown = screen(session)
    assert "Recorded traces" in shown
    assert "acquire connection" in shown
    assert "latency of traces" in shown
    assert "all traces are read: " in shown
    session.press("z")
    assert session.notice == RECORDED
    snapshot = session.scene.timeline.snapshot()
    assert snapshot.recorded
    assert "as the spans tell" in flat(screen(pressed(session, "y")))
    assert {each.name for each in snapshot.services} >= {"gateway", "auth", "auth-db"}
    assert "auth-db" in screen(pressed(session, "W"))


def pressed(session: Session, key: str) -> Session:
    """The session after a key."""
    session.press(key)
    return session


def test_a_story_can_be_looked_at_in_every_view_while_it_plays() -> None:
    timeline = story("dropped-header", 6_000)
    snapshot = timeline.snapshot()
    focus = PANEL.fit(snapshot, Focus())
    for _ in range(8):
        focus = PANEL.fit(snapshot, press(snapshot, "v", focus))
        assert present(snapshot, focus)
