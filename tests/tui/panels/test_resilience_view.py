"""The picture says what the snapshot holds: at every size, in every glyph set, with every selection."""

import re
from dataclasses import replace
from typing import Any

import pytest

from engines import units
from engines.resilience.policy import percent
from engines.resilience.window import Bucket
from engines.resilience.world.snapshot import EdgeView, Lasted, Snapshot
from engines.sim.pattern import Check
from tests.tui.panels.resilience_runs import (
    LARGE,
    OVER,
    SMALL,
    USUAL,
    draw,
    flat,
    recorded,
    standing,
    story,
    text,
)
from tui.canvas import Canvas
from tui.glyphs import ASCII, BRAILLE, GLYPH_SETS
from tui.kit import charts as chart
from tui.kit.service_graph import STEP_US
from tui.layout import arrange
from tui.panel import Focus, Size, Sizes
from tui.panels.resilience import PANEL, card, graph, machine, queries, strip
from tui.panels.resilience.select import Chart, telling


def breaker(snapshot: Snapshot, edge: str) -> Any:
    """The breaker of an edge, which is there."""
    found = snapshot.edge(edge)
    assert found is not None
    assert found.breaker is not None
    return found.breaker


def with_edge(snapshot: Snapshot, edge: EdgeView) -> Snapshot:
    """The snapshot with this edge in the place of the one of its name."""
    return snapshot._replace(edges=tuple(edge if each.id == edge.id else each for each in snapshot.edges))


# -- laws of every picture --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (100, 30), (120, 36), (132, 20), (200, 50), (240, 70)])
@pytest.mark.parametrize("name", ["well", "open", "stricken", "envoy"])
def test_every_service_and_every_breaker_is_seen_on_every_screen(name: str, size: tuple[int, int]) -> None:
    snapshot = standing(name)
    drawn = draw(snapshot, Focus(), arrange(*size).sizes(), ASCII).picture.text()
    for service in snapshot.services:
        label = "db" if service.layer == "database" and size[0] < 110 else service.id
        assert re.search(rf"\b{label}\b", drawn), service.id
    left = "\n".join(line.split(" | ")[0] for line in drawn.splitlines())
    for state in ("closed", "open"):
        there = sum(edge.breaker is not None and edge.breaker.state == state for edge in snapshot.edges)
        assert len(re.findall(rf"(?<![A-Z]){queries.STATES[state].letter}(?![A-Z])", left)) >= there


# -- the graph --------------------------------------------------------------------------------------------------------


def test_states_of_services_are_told_by_letter() -> None:
    drawn = draw(standing("stricken")).picture.text()
    assert re.search(r"cart +X", drawn), "crashed"
    assert re.search(r"payment-db +S", drawn), "slow"
    assert re.search(r"payment +E", drawn), "one of its machines answers errors"


def test_an_open_breaker_interrupts_its_wire() -> None:
    snapshot = standing("open")
    rows = {name: row for row in draw(snapshot, Focus(node="clients>api"), USUAL, ASCII).picture.text().splitlines()
            for name in ("auth", "payment") if re.search(rf"\b{name}\b(?!-)", row) and f"{name}-db" in row}  # fmt: skip
    assert re.search(r"O -( -)* +payment", rows["payment"])
    assert re.search(r"C [->]+ auth", rows["auth"])


def test_faults_stand_on_their_edge_by_letter_and_in_words() -> None:
    snapshot = standing("stricken")
    signs = {edge.id: "".join(sign for sign, _ in graph.troubles(edge)) for edge in snapshot.edges}
    assert signs["api>catalog"] == "d"
    assert signs["api>auth"] == "au"
    assert signs["catalog>catalog-db"] == "x"
    assert signs["clients>api"] == "l"
    assert signs["auth>auth-db"] == "d"
    assert signs["cart>cart-db"] == ""
    drawn = draw(snapshot, Focus(), LARGE).picture.text()
    for words in ("50 % +400", "30 % 503", "cut", "loss 10 %", "link 300ms"):
        assert words in drawn


def test_machines_of_one_service_are_seen_one_by_one() -> None:
    assert re.search(r"w .*\n.*12-45", draw(standing("envoy"), Focus(), USUAL).picture.text())
    assert re.search(r"ZE345", draw(standing("stricken"), Focus(), LARGE).picture.text())


def test_marks_run_along_an_edge_as_time_goes_by() -> None:
    snapshot = standing("well")._replace(flights=())
    now = draw(snapshot, Focus(), USUAL, ASCII).picture.text()
    later = snapshot._replace(now_us=snapshot.now_us + STEP_US)
    assert draw(later, Focus(), USUAL, ASCII).picture.text() != now
    still = snapshot._replace(edges=tuple(edge._replace(calls_per_s=0, attempts_per_s=0) for edge in snapshot.edges))
    gone = still._replace(now_us=still.now_us + STEP_US)
    assert draw(still, Focus(), USUAL, ASCII).picture.text() == draw(gone, Focus(), USUAL, ASCII).picture.text()


def test_the_selected_edge_and_service_are_marked() -> None:
    snapshot = standing("well")
    assert "> C <" in draw(snapshot, Focus(node="api>cart"), USUAL, ASCII).picture.text()
    assert "> cart <" in draw(snapshot, Focus(node="cart"), USUAL, ASCII).picture.text()


def test_without_room_for_a_graph_there_is_a_row_an_edge() -> None:
    drawn = draw(standing("open"), Focus(), Sizes(Size(30, 9), Size(0, 0), Size(0, 0)), ASCII).picture.text()
    assert re.search(r"O api>payment", drawn)
    assert len(drawn.splitlines()) == 9


# -- the machine ------------------------------------------------------------------------------------------------------


def lit(canvas: Canvas) -> list[str]:
    """What stands on chips."""
    return [part.strip() for row in canvas.rows() for part, ink in row if ink.endswith("!") and part.strip()]


@pytest.mark.parametrize(("width", "height"), [(30, 1), (33, 4), (44, 4), (64, 12)])
@pytest.mark.parametrize("state", ["closed", "open", "half_open"])
def test_exactly_the_present_state_is_lit(state: str, width: int, height: int) -> None:
    arrow = machine.Arrow("a rate of 50 %", ">= 50 %", 500_000, False)
    canvas = Canvas(width, height)
    machine.draw(canvas, 0, 0, width, height, machine.Machine(state, arrow, arrow, arrow, arrow), BRAILLE)
    expected = queries.STATES[state].name
    assert len(lit(canvas)) == 1
    assert expected.startswith(lit(canvas)[0])


def test_an_arrow_fills_up_as_its_condition_comes_nearer() -> None:
    lengths = []
    for near in (0, 300_000, 900_000):
        arrow = machine.Arrow("", "", near, True)
        idle = machine.Arrow("", "", 0, False)
        canvas = Canvas(44, 4)
        machine.draw(canvas, 0, 0, 44, 4, machine.Machine("closed", arrow, idle, idle, idle), ASCII)
        lengths.append(canvas.text().count("="))
    assert lengths == sorted(lengths)
    assert lengths[0] == 0
    assert lengths[2] > lengths[1] > 0


@pytest.mark.parametrize("glyphs", GLYPH_SETS)
@pytest.mark.parametrize("sizes", [SMALL, OVER, USUAL, LARGE])
def test_the_machine_is_drawn_with_its_conditions_on_every_screen_that_has_room(sizes: Sizes, glyphs: Any) -> None:
    drawn = flat(text(draw(standing("open"), Focus(), sizes, glyphs)))
    assert "CLOSED" in drawn
    assert "OPEN" in drawn
    assert "HALF" in drawn
    assert re.search(r">= ?50 ?% of 20", drawn)
    assert "30 s" in drawn
    assert re.search(r"1 succeeds|the probe succeeds", drawn)
    assert "1 fails" in drawn


def test_conditions_are_the_presets_own() -> None:
    def words(name: str, edge: str) -> str:
        made = card.machine_of(standing(name), breaker(standing(name), edge))
        return " / ".join(arrow.long for arrow in (made.trip, made.wait, made.close, made.reopen))

    assert words("well", "api>auth").startswith(">= 50 % of 20 calls or more failed within 10 s / a call after 30 s")
    assert "a call after 5 s" in words("hystrix", "api>cart")
    fourj = words("resilience4j", "api>cart")
    assert ">= 50 % of 100 calls or more failed within the last 100 calls, or 100 % slower than 60 s" in fourj
    assert "< 50 % of 10 probes fail" in fourj
    assert ">= 10 % of 100" in words("polly", "api>cart")
    opossum = words("opossum", "api>cart")
    assert "> 50 % of 0" in opossum
    assert "the timer of 30 s" in opossum


def test_a_state_beside_the_three_is_named() -> None:
    snapshot = standing("forced")
    for edge, said in (("api>auth", "FORCED OPEN"), ("api>cart", "DISABLED"), ("api>catalog", "METRICS ONLY")):
        assert said in draw(snapshot, Focus(node=edge), USUAL).inspector.text()
        assert said in draw(snapshot, Focus(node=edge), SMALL).picture_note


# -- why --------------------------------------------------------------------------------------------------------------


def test_the_card_says_why_it_is_open_and_what_would_close_it() -> None:
    snapshot = standing("open")
    found = breaker(snapshot, "api>payment")
    for sizes, part in ((USUAL, "inspector"), (LARGE, "picture")):
        drawn = flat(getattr(draw(snapshot, Focus(node="api>payment"), sizes), part).text())
        words = re.sub(r"[^\x20-\x7e]+", " ", drawn)
        assert re.search(r"why .*failed, threshold", words)
        assert "then 1 probe" in flat(words)
        assert f"{units.seconds(snapshot.now_us - found.since_us)}" in words
        assert "lasted C" in flat(words)
        assert "article:" in words
        assert "open 30 s" in words


def test_the_small_card_has_rate_volume_countdown_window_and_settings() -> None:
    snapshot = standing("open")
    found = breaker(snapshot, "api>payment")
    closed = breaker(snapshot, "api>auth")
    well = flat(draw(snapshot, Focus(node="api>auth"), SMALL).picture.text())
    assert f"calls {closed.calls}/20" in well
    seen = breaker(standing("well"), "api>auth")
    judged = flat(draw(standing("well"), Focus(node="api>auth"), SMALL).picture.text())
    assert f"rate {percent(seen.rate_ppm)}/50 % calls {seen.calls}/20" in judged
    drawn = flat(draw(snapshot, Focus(node="api>payment"), SMALL).picture.text())
    assert re.search(r"\d+ of \d+ \(\d+.*%\) failed", drawn)
    assert f"{units.seconds(found.countdown_us)} to go, then 1 probe" in drawn
    assert "window" in drawn
    assert "article: >=50% of 20+" in drawn


def test_the_border_says_what_the_selected_breaker_waits_for() -> None:
    assert re.match(r"api>payment OPEN \d+\.\d s: \d+\.\d s to go, then 1 probe", draw(standing("open")).picture_note)
    assert "1 of 1 probes given, 0 left" in draw(standing("half-open")).picture_note
    early = draw(standing("start"), Focus(node="api>auth")).picture_note
    assert "20 calls short of judging" in early
    assert draw(standing("envoy"), Focus(node="api>payment")).picture_note == "api>payment: 1 of 5 hosts out"
    assert draw(standing("envoy"), Focus(node="clients>api")).picture_note == "clients>api: no breaker"
    assert "workers busy" in draw(standing("well"), Focus(node="payment")).picture_note


def test_the_window_has_a_bar_a_bucket_and_its_failures_as_numbers() -> None:
    found = breaker(standing("well"), "api>auth")
    made = found._replace(buckets=tuple(Bucket(i, 10, i, 0) for i in range(10)))
    canvas = Canvas(44, 4)
    card.draw_window(canvas, 0, 0, 44, 4, made, BRAILLE)
    assert re.search(r"failed +0 +1 +2 +3 +4 +5 +6 +7 +8 +9", canvas.text())
    reds = sum(len(part) for row in canvas.rows() for part, ink in row if ink == "error" and part.strip(" 0123456789"))
    greens = sum(len(part) for row in canvas.rows() for part, ink in row if ink == "good")
    assert reds > 0
    assert greens > reds / 2


def test_many_buckets_are_joined_and_none_is_lost() -> None:
    buckets = tuple(Bucket(i, 3, 1, 1) for i in range(100))
    joined = card.joined(buckets, 24)
    assert len(joined) <= 24
    assert sum(each.calls for each in joined) == 300
    assert sum(each.failures for each in joined) == 100


def test_an_edge_without_a_breaker_says_what_is_there_instead() -> None:
    assert "every call is tried" in flat(draw(standing("bare"), Focus(node="api>auth"), USUAL).inspector.text())
    envoy = flat(draw(standing("envoy"), Focus(node="api>payment"), USUAL).inspector.text())
    assert "Envoy: caps and outliers" in envoy
    assert "/1024" in envoy
    assert "ejected" in envoy


# -- the strip --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [SMALL, USUAL, LARGE])
def test_the_load_has_offered_attempts_goodput_latency_and_states(sizes: Sizes) -> None:
    drawn = draw(standing("open"), Focus(node="api>payment"), sizes).strip.text()
    for name in ("offered", "attempts", "goodput", "p99", "api>payment"):
        assert name in drawn
    assert re.search(r"C─+O", drawn), "the band of the breaker"


def test_attempts_are_those_of_the_busiest_edge_so_that_health_is_one_line() -> None:
    snapshot = standing("well")
    offered, attempts, goodput = strip.load_lines(snapshot, 10_000_000)
    assert attempts.values[-1] == pytest.approx(offered.values[-1], rel=0.25)
    assert goodput.values[-1] == pytest.approx(offered.values[-1], rel=0.25)
    assert strip.title(snapshot, Focus()) == "load   busy edge: clients>api"
    assert strip.title(standing("recorded"), Focus()) == "load"


def test_a_second_has_one_column_whatever_there_is_to_draw() -> None:
    assert chart.fitted([1.0, 2.0], 4)[2:] == (1.0, 2.0)
    assert all(value != value for value in chart.fitted([1.0, 2.0], 4)[:2])
    assert chart.fitted([1.0, 2.0, 3.0], 2) == (2.0, 3.0)


def test_bands_begin_with_their_letter_and_differ_by_weight() -> None:
    snapshot = standing("open")
    moved = breaker(snapshot, "api>payment")._replace(
        history=(Lasted("closed", 0, 4_000_000, None), Lasted("open", 4_000_000, 4_000_000, None),
                 Lasted("half_open", 8_000_000, 2_000_000, None), Lasted("closed", 10_000_000, -1, None)))  # fmt: skip
    canvas = Canvas(24, 1)
    chart.draw_band(canvas, 0, 0, 24, strip.pieces(snapshot, moved, snapshot.now_us), ASCII)
    assert canvas.text() == "C-------O#######H===C---"


def test_v_shows_all_breakers_latency_and_waste() -> None:
    snapshot = standing("open")
    breakers = draw(snapshot, Focus(pick=Chart("breakers")), USUAL).strip.text()
    for edge in snapshot.edges:
        assert (queries.name(edge.id) in breakers) == (edge.breaker is not None)
    assert "p50" in draw(snapshot, Focus(pick=Chart("latency")), USUAL).strip.text()
    waste = draw(snapshot, Focus(pick=Chart("waste")), USUAL).strip.text()
    for name in ("offered", "attempts", "rejected", "errors", "for nobody", "goodput"):
        assert name in waste


def test_a_storm_that_outlives_its_trigger_is_called_one() -> None:
    assert draw(standing("storm")).strip_title.startswith("a storm, and no fault now: attempts x")
    assert draw(standing("well")).strip_title.startswith("load")
    assert draw(standing("slow")).strip_title.startswith("load"), "its trigger is still there"


def test_nothing_measured_yet_is_said() -> None:
    assert "nothing measured yet" in draw(standing("start"), Focus(), USUAL).strip.text()


# -- the inspector ----------------------------------------------------------------------------------------------------


def look(snapshot: Snapshot, node: str, height: int = 60) -> str:
    sizes = Sizes(Size(72, 15), Size(72, 6), Size(54, height))
    return flat(draw(snapshot, Focus(node=node), sizes).inspector.text())


def test_the_inspector_does_the_arithmetic_of_retries() -> None:
    snapshot = standing("open")
    edge = snapshot.edge("api>payment")
    assert edge is not None
    assert queries.amplification(snapshot.way(edge)) == 4
    assert "up to (1+3) = 4" in look(snapshot, "api>payment")
    assert "none: every failure may be retried" in look(snapshot, "api>payment")
    assert "up to (1+3) x (1+3) x (1+3) = 64" in look(standing("everywhere"), "payment>payment-db")
    assert "with budgets near 1.2" in look(standing("stricken"), "api>catalog")
    assert "nothing: no retries lead here" in look(standing("envoy"), "clients>api")


def test_the_inspector_shows_every_layer_that_is_on() -> None:
    words = look(standing("stricken"), "api>catalog", 80)
    for said in ("pipeline", "retry", "budget 20 %", "timeout 1 s", "bulkhead", "/4 permits", "limiter 30/s",
                 "hedging after p95", "fallback", "50 % delayed by 400 ms", "a test tool (Istio)"):  # fmt: skip
        assert said in words, said


def test_the_inspector_does_the_arithmetic_of_a_queue() -> None:
    snapshot = standing("well")
    service = snapshot.service("payment")
    assert service is not None
    words = look(snapshot, "payment")
    assert f"{service.busy} of {service.workers} busy" in words
    assert f"= {service.arrived_per_s}/s of {queries.rate(snapshot.capacity(service))}: a call holds" in words
    assert f"{service.queue + service.busy} inside" in words


def test_waste_is_told_with_its_share() -> None:
    snapshot = standing("slow")
    wasteful = max(snapshot.services, key=lambda service: service.wasted)
    assert wasteful.wasted
    assert f"{wasteful.wasted:,} so far, {queries.share(wasteful.wasted, wasteful.done)} of its work" in look(
        snapshot, wasteful.id
    )


def test_clients_show_how_their_calls_ended() -> None:
    snapshot = standing("open")
    words = look(snapshot, "clients")
    assert f"{snapshot.offered:,} calls" in words
    assert f"{snapshot.failed:,} failed" in words


def test_a_failed_check_is_in_the_inspector_however_low_it_is() -> None:
    failed = standing("well")._replace(checks=(Check("no call passes an open breaker", False, "call 7 did"),))
    for node in ("api>payment", "payment"):
        frame = draw(failed, Focus(node=node), USUAL)
        assert "call 7 did" in flat(frame.inspector.text())


# -- what is selected by itself, the top line, recorded calls ----------------------------------------------------------


def test_until_a_person_chooses_the_breaker_that_moved_last_is_shown() -> None:
    assert telling(standing("well")) == "api>payment"
    assert telling(standing("half-open")) == "api>cart"
    assert PANEL.fit(standing("open"), Focus(node="gone")).node == "api>payment"


def test_the_top_line_says_the_preset_the_load_and_what_is_open() -> None:
    assert PANEL.status(standing("open")) == "preset article  60/s  1 open"
    assert PANEL.status(standing("half-open")) == "preset article  40/s  1 half-open"
    assert PANEL.status(standing("bare")).startswith("no breakers")
    assert PANEL.status(standing("recorded")).startswith("preset article")


def test_recorded_calls_are_one_edge_with_its_machine() -> None:
    snapshot = standing("recorded open")
    frame = draw(snapshot, Focus(), USUAL, ASCII)
    assert re.search(r"client .*O.* service", frame.picture.text())
    assert "failed, threshold" in flat(frame.inspector.text())
    assert re.search(r"C-+O#+", frame.strip.text())
    whole = recorded().snapshot()
    assert "lasted" in draw(whole, Focus(), USUAL).inspector.text()


def test_a_breaker_that_never_moved_was_closed_all_the_time() -> None:
    found = breaker(standing("well"), "api>auth")
    assert [each.state for each in queries.lives(standing("well"), found)] == ["closed"]
    opened = breaker(standing("open"), "api>payment")
    assert [each.state for each in queries.lives(standing("open"), opened)] == ["closed", "open"]


def test_focus_is_kept_through_frames() -> None:
    focus = replace(Focus(), node="cart", chosen=True)
    assert PANEL.fit(standing("well"), focus) == focus


def test_a_storm_claims_no_more_attempts_a_call_than_there_can_be() -> None:
    snapshot = story("storm-budget", 12_500).snapshot()
    edge = snapshot.edge("api>catalog")
    assert edge is not None
    most = queries.amplification(snapshot.way(edge))
    told = re.search(r"attempts x(\d+)", queries.storm(snapshot))
    assert told is not None
    assert 1 < int(told[1]) <= most == 4


def test_numbers_that_stand_side_by_side_are_two() -> None:
    rows = draw(story("outlier", 4_000).snapshot(), sizes=SMALL).picture.text().splitlines()
    (row,) = [row for row in rows if "12345" in row]
    assert re.search(r"12345 (q0 )? *6/s", row), row


def test_settings_are_told_whole_or_left_out() -> None:
    found = breaker(story("trip-and-recover", 4_000).snapshot(), "api>catalog")
    whole = card.settings_line(found)
    assert whole == "article: >=50% of 20+ in 10 s, open 30 s, 1 probe"
    short = {card.settings_line(found, room) for room in range(29, 60)}
    assert short == {whole, whole.removesuffix(", 1 probe"), whole.removesuffix(", open 30 s, 1 probe")}


def test_a_sign_on_a_wire_is_said_in_words_where_no_legend_has_room() -> None:
    assert draw(story("trip-and-recover", 7_000).snapshot(), sizes=SMALL).picture_note.startswith("a 100 % 503")
    assert draw(story("trip-and-recover", 4_000).snapshot(), sizes=SMALL).picture_note.startswith("api>catalog")
    large = draw(story("trip-and-recover", 7_000).snapshot(), sizes=LARGE)
    assert large.picture_note.startswith("api>catalog")
    assert "100 % 503" in large.picture.text()
