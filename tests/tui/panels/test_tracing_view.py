"""The picture says what the snapshot holds: at every size, in every glyph set, in every view, with every selection."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines import units
from engines.sim.pattern import Check
from engines.tracing import analysis
from engines.tracing.analysis import analysis_of
from engines.tracing.diagnosis import Lack, NoDiagnosis
from engines.tracing.gap import Cause
from engines.tracing.rows import Look, Rows
from engines.tracing.spans import ACQUIRE_CONNECTION, Kind, Span
from engines.tracing.verdicts import DroppedHeader, LateSpans, Trouble, Verdict
from engines.tracing.waiting import Time
from engines.tracing.world.events import Score
from engines.tracing.world.snapshot import Sample, Snapshot
from engines.units import PPM, percent
from tests.tui.panels.tracing_runs import (
    ALL,
    BROKEN,
    CHECKOUT,
    LARGE,
    SMALL,
    TRACE,
    USUAL,
    VIEWS,
    chain,
    draw,
    flat,
    holding,
    span,
    standing,
    story,
    text,
)
from tests.tui.subjects.tracing import selections
from tui.canvas import Canvas
from tui.glyphs import ASCII, BRAILLE, GLYPH_SETS, Glyphs
from tui.layout import arrange
from tui.panel import Focus, Size, Sizes
from tui.panels.tracing import strip, tracelist
from tui.panels.tracing import verdict as verdict_box
from tui.panels.tracing.details import Scale, heat, saturation, scale, tail
from tui.panels.tracing.select import choose, fit, rows_of
from tui.panels.tracing.world_words import oddness_words
from tui.userdata.verdict_words import flaw_words, lack_words, sentence, step_words

GOLDEN = Path(__file__).parent / "golden"
BY_HAND = Focus(node=TRACE, chosen=True)


# -- the waterfall ---------------------------------------------------------------------------------------------------


def _own(rows: Rows) -> int:
    return sum(end - start for parts in rows.own.values() for start, end in parts)


LOOKS = (
    Look(), Look(plumbing=True), Look(only_critical=True), Look(at_least_ppm=50_000), Look(text="auth"),
    Look(only_critical=True, plumbing=True, at_least_ppm=10_000),
)  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_the_lit_parts_of_all_rows_add_up_to_the_root_whatever_is_hidden(name: str) -> None:
    for entry in standing(name).store.entries[:12]:
        for skew in (False, True):
            made = analysis_of(entry.trace_id, entry.spans, skew)
            for look in LOOKS:
                assert _own(made.rows(look)) == made.duration_us


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 200), st.integers(-5, 120), st.sampled_from(Kind)),
                min_size=1, max_size=30))  # fmt: skip
def test_they_do_so_for_any_spans(drawn: list[tuple[int, int, int, Kind]]) -> None:
    spans = tuple(
        span(number, parent, f"s{number % 3}", f"op{number % 4}", kind, start, start + took)
        for number, (parent, start, took, kind) in enumerate(drawn, 1)
    )
    made = analysis_of("any", spans)
    for look in LOOKS:
        rows = made.rows(look)
        assert _own(rows) == made.duration_us
        assert all(rows.up[number] < number for number in range(len(rows.items)))
        for row, (start, end) in rows.on.items():
            above = rows.up[row]
            assert above < 0 or (rows.on[above][0] <= start and end <= rows.on[above][1])


def test_the_bar_of_a_wait_says_what_it_waited_for() -> None:
    frame = draw(standing("by hand"), BY_HAND, LARGE)
    assert "10/10 in use, 34 waiting" in frame.picture.text()
    assert any("34 waiting" in part and ink == "bad!" for row in frame.picture.rows() for part, ink in row)
    assert "34 waiting" in draw(standing("by hand"), BY_HAND, USUAL).picture.text()


def test_without_colour_path_wait_and_the_rest_differ_in_shape() -> None:
    for glyphs in GLYPH_SETS:
        shapes = [glyphs.span, glyphs.through, glyphs.aside, glyphs.block, glyphs.queued]
        assert len(set(shapes)) == len(shapes)
        lines = draw(standing("by hand"), BY_HAND, LARGE, glyphs).picture.text().splitlines()
        shown = {
            name: next(line for line in lines if name in line) for name in ("auth GET", ACQUIRE_CONNECTION, "cart")
        }
        assert glyphs.through * 5 in shown["auth GET"]
        assert glyphs.block * 5 in shown[ACQUIRE_CONNECTION]
        assert glyphs.aside in shown["cart"]


def test_a_missing_span_an_error_an_early_child_and_a_late_consumer_are_marked() -> None:
    lines = draw(standing("by hand"), BY_HAND, LARGE, ASCII).picture.text().splitlines()
    assert any("? missing span" in line for line in lines)
    assert re.search(r"cart load.*!\|?", "\n".join(line for line in lines if "cart" in line))
    assert any("geo locate" in line and "<" in line for line in lines)
    assert any("process OrderPlaced" in line and line.rstrip().endswith("191ms") and ">" in line for line in lines)


def test_a_call_and_its_answer_share_a_row_until_plumbing_is_shown() -> None:
    snapshot = standing("by hand")
    made, rows = rows_of(snapshot, BY_HAND)
    assert made.find(f"{2:016x}") >= 0
    assert made.find(f"{2:016x}") not in {row.row for row in rows.items}
    assert rows.row_of(made.tree, made.find(f"{2:016x}")) == rows.row_of(made.tree, made.find(f"{3:016x}"))
    _, whole = rows_of(snapshot, choose(BY_HAND, plumbing=True))
    assert len(whole.items) == len(rows.items) + 1


def test_fourteen_like_calls_share_a_row_and_calls_of_others_do_not() -> None:
    calls = [span(1, 0, "web", "GET /", Kind.SERVER, 0, 200)]
    for number in range(14):
        start = 10 + number * 10
        calls.append(span(100 + number, 1, "web", "GET", Kind.CLIENT, start, start + 9))
        calls.append(span(200 + number, 100 + number, "pricing", "GET /quote", Kind.SERVER, start + 1, start + 8))
    calls.append(span(300, 1, "web", "GET", Kind.CLIENT, 160, 190))
    calls.append(span(301, 300, "stock", "GET /left", Kind.SERVER, 161, 189))
    snapshot = holding(standing("calm"), tuple(calls))
    made, rows = rows_of(snapshot, BY_HAND)
    names = [(made.tree.spans[row.row].label, row.times) for row in rows.items]
    assert names == [("web/GET /", 1), ("pricing/GET /quote", 14), ("stock/GET /left", 1)]
    assert sum(end - start for start, end in rows.own[1]) == 14 * 9_000, "all fourteen are lit in their row"
    assert "GET /quote x 14" in draw(snapshot, BY_HAND, LARGE).picture.text()
    assert len(rows_of(snapshot, choose(BY_HAND, plumbing=True))[1].items) == len(calls)


def test_hiding_keeps_the_path_and_says_how_many_rows_are_hidden() -> None:
    snapshot = standing("by hand")
    _, rows = rows_of(snapshot, choose(BY_HAND, hide=10))
    names = [analysis_of(TRACE, CHECKOUT).tree.spans[row.row].name for row in rows.items]
    assert ACQUIRE_CONNECTION in names
    assert "load" not in names
    assert "+" in draw(snapshot, choose(BY_HAND, hide=10), LARGE).picture.text()
    frame = draw(snapshot, choose(BY_HAND, hide=10, only_critical=True))
    assert "only critical" in frame.picture_note
    assert ">= 10 %" in frame.picture_note


def test_a_text_filters_and_one_that_nothing_has_hides_nothing() -> None:
    snapshot = standing("by hand")
    all_rows = len(rows_of(snapshot, BY_HAND)[1].items)
    found = rows_of(snapshot, replace(BY_HAND, find="orderplaced"))[1]
    assert 0 < len(found.items) < all_rows
    assert len(rows_of(snapshot, replace(BY_HAND, find="no such thing"))[1].items) == all_rows


def test_every_defect_of_a_trace_is_told() -> None:
    frame = draw(standing("broken"), BY_HAND, Sizes(LARGE.picture, LARGE.strip, Size(54, 80)))
    words = flat(frame.inspector.text())
    made = analysis_of(TRACE, BROKEN)
    assert {"cycle", "duplicate id", "zero id", "several roots", "missing parent"} <= set(made.tree.counts)
    assert flat(flaw_words(made.tree.notes[0])) in words
    assert "sum 1.31 s = root 1.31 s" in words
    drawn = draw(
        standing("broken"), choose(BY_HAND, plumbing=True), Sizes(Size(142, 40), Size(0, 0), Size(0, 0))
    ).picture.text()
    for wanted in ("in a cycle", "another with the same id", "second root", "zero id", "orphan", "? missing span"):
        assert wanted in drawn


def test_deep_and_long_traces_show_the_selected_row_whatever_its_depth() -> None:
    snapshot = standing("chain")
    made, rows = rows_of(snapshot, BY_HAND)
    for row in (0, 5, len(rows.items) // 2, len(rows.items) - 1):
        focus = choose(BY_HAND, span=made.name(rows.items[row].row))
        name = made.tree.spans[rows.items[row].row].name
        for sizes in (SMALL, USUAL, LARGE):
            marked = [line for line in draw(snapshot, focus, sizes, ASCII).picture.text().splitlines() if "|>" in line]
            assert any(name in line for line in marked), (row, sizes)


def test_a_chain_of_eight_thousand_is_drawn() -> None:
    spans = tuple(span(n, n - 1, "s", f"op{n}", Kind.SERVER, n / 1000, 100 - n / 1000) for n in range(1, 8_001))
    frame = draw(holding(standing("start"), spans), BY_HAND)
    assert "op8000" in frame.picture.text()
    assert frame.picture_title.startswith("op1  8,000 spans")


def test_a_trace_is_built_once_and_again_only_when_its_spans_change() -> None:
    spans = chain(50)
    first = analysis_of("kept", spans)
    assert analysis_of("kept", spans) is first
    assert analysis_of("kept", (*spans[:1], *spans[1:])) is first, "equal spans, as after a rewind"
    longer = (*spans[:-1], spans[-1]._replace(name="another run under the same id"))
    other = analysis_of("kept", longer)
    assert other is not first
    assert other.tree.spans[-1].name == "another run under the same id" or any(
        each.name == "another run under the same id" for each in other.tree.spans
    )
    for number in range(50):
        analysis_of(f"filler {number}", spans)
    assert len(analysis._recent) <= analysis.KEPT


# -- traces ----------------------------------------------------------------------------------------------------------


def test_the_list_has_one_row_a_trace_the_slowest_first_and_marks_what_is_wrong() -> None:
    snapshot = standing("by hand")
    canvas = Canvas(30, len(snapshot.traces) + 1 + tracelist.SPREAD - 8 + 7)
    tracelist.draw_column(canvas, snapshot, BY_HAND, BRAILLE)
    rows = [line for line in canvas.text().splitlines()[1:] if re.search(r"\d+(ms|us|s) ", line)]
    assert rows[0].startswith(f"{BRAILLE.mark_left}{BRAILLE.levels[-1]}!")
    assert "POST /checkout" in rows[0]
    assert "1.31s" in rows[0]
    table = draw(snapshot, choose(BY_HAND, view="list"), LARGE).picture.text()
    assert table.count("1.31 s") == 1
    assert "1 error" in table


def test_heat_is_relative_to_what_is_usual() -> None:
    usual = Scale(100, 300, 800)
    assert [heat(us, usual) for us in (50, 300, 301, 799, 800)] == ["good", "good", "warn", "warn", "bad"]
    assert heat(109, Scale(100, 105, 108)) == "good", "p99, and hardly more than the median"
    assert heat(5, scale([])) != "warn"


def test_the_histogram_counts_every_trace_once() -> None:
    for values in ([5], [100, 200, 300], list(range(1, 5_000, 7)), [10**9, 1]):
        for rows in (2, 5, 8):
            bins = tracelist.spread(values, rows)
            assert sum(count for _, count in bins) == len(values)
            assert len(bins) <= rows


def test_an_empty_system_says_so_in_every_view() -> None:
    snapshot = standing("start")
    assert "No trace yet" in draw(snapshot).picture.text()
    for view in VIEWS:
        assert text(draw(snapshot, choose(Focus(), view=view)))
    assert "No request has been answered yet." in draw(snapshot).strip.text()


def test_what_is_not_there_yet_is_not_said_beside_what_is() -> None:
    """Spans arrive before the first second is over, and traces become complete between two looks at them."""
    early = story("cache-stampede", 500).snapshot()
    assert early.traces
    assert not any(row.complete for row in early.traces)
    assert "No second with an answer in it is over yet." in draw(early).strip.text()
    assert verdict_box.sentence(early)[0].startswith("no trace counts as complete yet")
    later = story("cache-stampede", 1_900).snapshot()
    whole = sum(row.complete for row in later.traces)
    assert whole
    assert later.no_diagnosis == NoDiagnosis(Lack.NOTHING)
    assert verdict_box.sentence(later)[0].startswith(f"{whole} complete traces of gateway GET /product: ")


# -- verdict ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
def test_the_verdict_stands_on_every_screen_with_its_evidence(size: tuple[int, int]) -> None:
    snapshot = standing("pool")
    drawn = flat(draw(snapshot, Focus(), arrange(*size).sizes()).picture.text())
    assert sentence(snapshot.verdicts[0]) in drawn
    if size[0] > 80:
        assert "the verdict names it" in drawn
        assert snapshot.root_operation[1] in drawn


def test_without_enough_traces_the_reason_stands_in_its_place() -> None:
    snapshot = standing("calm")
    assert snapshot.diagnosis is None
    assert lack_words(verdict_box.lacking(snapshot)) in flat(draw(snapshot).picture.text())
    full = flat(draw(snapshot, choose(Focus(), view="verdict"), LARGE).picture.text())
    assert "One trace cannot show what it is made of" in full


def test_the_full_verdict_adds_up_and_walks_downstream() -> None:
    snapshot = standing("pool")
    found = snapshot.diagnosis
    assert found is not None
    assert sum(each.us for each in found.contributions) == found.gap_us
    drawn = flat(draw(snapshot, choose(Focus(), view="verdict"), LARGE).picture.text())
    assert f"+{units.fixed(found.gap_us)}" in drawn
    assert "all add up to the gap, exactly" in drawn
    assert step_words(found.walk[-1])[:40] in drawn
    assert found.contributions[0].service in drawn


def test_a_wrong_verdict_is_shown_as_wrong() -> None:
    wrong = replace(
        standing("pool"), verdicts=(Verdict(Trouble.LATE, "cart", LateSpans(9)),), score=Score.OTHER_SERVICE
    )
    frame = draw(wrong)
    assert any(
        "names cart (late) instead" in part and ink == "warn" for row in frame.picture.rows() for part, ink in row
    )


# -- the other views -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "zoom"), [((80, 24), True), ((120, 36), False), ((200, 50), False)])
def test_all_services_of_the_map_are_named(size: tuple[int, int], zoom: bool) -> None:
    snapshot = standing("calm")
    sizes = arrange(*size, zoom=zoom).sizes()
    drawn = draw(snapshot, choose(Focus(), view="map", service="auth"), sizes, ASCII).picture.text()
    for service in snapshot.services:
        assert service.name[:4] in drawn, service.name
    assert ("called by" in drawn) is zoom, "the inspector tells it where it has room"


def test_where_names_have_no_room_every_service_has_a_cell_and_the_selected_one_its_neighbours() -> None:
    snapshot = standing("calm")
    frame = draw(snapshot, choose(Focus(), view="map", service="auth"), arrange(80, 24).sizes(), ASCII)
    lines = frame.picture.text().splitlines()
    told = next(i for i, line in enumerate(lines) if "called by" in line or "well" in line)
    cells = sum(len(line[8:].split()) for line in lines[:told])
    assert cells == len(snapshot.services)
    assert any("called by" in line and "gateway" in line for line in lines)
    assert any(line.strip().startswith("calls") and "auth-db" in line for line in lines)


def test_a_service_that_is_not_well_is_lit_by_letter_and_chip() -> None:
    frame = draw(standing("mess"), choose(Focus(), view="map", service="auth"), LARGE, ASCII)
    drawn = frame.picture.text()
    for letter, name in (("X", "orders"), ("Z", "payment"), ("x", "catalog")):
        assert re.search(rf"{letter} +{name}\b", drawn), drawn
    chips = {part.strip() for row in frame.picture.rows() for part, ink in row if ink.endswith("!")}
    assert {"orders", "payment", "catalog"} <= chips


def test_aggregates_are_sorted_by_the_chosen_column() -> None:
    snapshot = standing("pool")
    for column, by in (("self", "self_us"), ("p99", "p99_us"), ("calls", "spans")):
        first = max(snapshot.aggregates, key=lambda row: (getattr(row, by), [-ord(c) for c in row.service]))
        line = draw(snapshot, choose(Focus(), view="aggregates", column=column), LARGE).picture.text().splitlines()[1]
        assert first.service in line
        assert first.operation in line


def test_headers_are_shown_as_they_were_sent_and_a_broken_hop_is_told() -> None:
    snapshot = standing("dropped")
    row = next(each for each in snapshot.traces if each.note)
    frame = draw(snapshot, choose(Focus(node=row.trace_id, chosen=True), view="headers"), LARGE)
    assert "no traceparent header" in frame.picture.text()
    assert any("no traceparent" in part and ink == "bad" for line in frame.picture.rows() for part, ink in line)
    good = next(each for each in snapshot.traces if each.services > 3)
    frame = draw(snapshot, choose(Focus(node=good.trace_id, chosen=True), view="headers"), LARGE)
    assert f"traceparent: 00-{good.trace_id}-" in frame.picture.text()
    assert "the trace begins here" in frame.picture.text()


def test_of_spans_alone_the_headers_are_what_they_must_have_been() -> None:
    frame = draw(standing("by hand"), choose(BY_HAND, view="headers", span=f"{3:016x}"), LARGE)
    assert f"traceparent: 00-{TRACE}-{2:016x}-01" in frame.picture.text()
    assert "as the spans tell" in frame.picture.text()


def test_a_comparison_adds_up_to_the_difference() -> None:
    snapshot = standing("by hand")
    other = snapshot.traces[-1]
    focus = choose(BY_HAND, view="compare", other=other.trace_id)
    there = analysis_of(other.trace_id, snapshot.store.spans(other.trace_id))
    diff = analysis.difference(there, analysis_of(TRACE, CHECKOUT))
    assert sum(row.path_diff_us for row in diff.rows) == diff.diff_us
    frame = draw(snapshot, focus, LARGE)
    drawn = frame.picture.text()
    assert "acquire connection" in drawn
    assert "all add up to the difference, exactly" in drawn
    assert frame.picture_title == f"POST /checkout  1.31 s against {other.operation} {units.fixed(other.duration_us)}"


# -- strip and inspector ---------------------------------------------------------------------------------------------


def test_the_strip_names_its_three_lines_and_the_errors() -> None:
    snapshot = standing("storm")
    last = strip.newest(snapshot)
    assert last is not None
    for sizes in (SMALL, USUAL, LARGE):
        frame = draw(snapshot, Focus(), sizes)
        slowest = "p99" if last.requests >= 100 else "max"
        for name, us in (("p50", last.p50_us), ("p90", last.p90_us), (slowest, last.p99_us)):
            assert re.search(rf"{name} +{units.fixed(us)}", frame.strip.text())
        assert "errors" in frame.strip.text()
    failed = percent(last.errors * PPM // last.requests)
    assert draw(snapshot).strip_note == f"newest whole second: {last.requests} requests, {failed} failed"


def test_failed_seconds_show_in_the_strip() -> None:
    failing = (Sample(1_000_000, 10, 0, 1, 1, 1), Sample(2_000_000, 10, 5, 900_000, 900_000, 900_000))
    frame = draw(replace(standing("storm"), series=failing))
    assert any(ink == "error" for row in frame.strip.rows() for _, ink in row)
    assert "50 %" in frame.strip.text()


def look(snapshot: Snapshot, focus: Focus) -> str:
    return flat(draw(snapshot, focus, Sizes(Size(72, 15), Size(72, 6), Size(54, 80))).inspector.text())


def test_the_inspector_does_the_arithmetic_of_a_span() -> None:
    snapshot = standing("by hand")
    words = look(snapshot, choose(BY_HAND, span=f"{4:016x}"))
    assert "INTERNAL waiting: pool" in words
    assert "took 1.14 s from +30 ms, 87 % of the trace" in words
    assert "1.14 s on the path: 87 % of the trace" in words
    assert "half as long: the trace saves 570 ms" in words
    assert "10/10 in use, 34 waiting at auth-db" in words
    assert "not on the path" in look(snapshot, choose(BY_HAND, span=f"{7:016x}"))
    assert "starts 4.0 ms before its parent" in look(snapshot, choose(BY_HAND, span=f"{11:016x}"))
    assert "span 00000000 of this trace" in look(snapshot, choose(BY_HAND, span=f"{9:016x}"))
    assert "not stored" in look(snapshot, choose(BY_HAND, span=f"{9:016x}"))
    assert "call 1.29 s as web saw it: 98 ms on the way" in look(snapshot, choose(BY_HAND, span=f"{3:016x}"))


def test_the_inspector_of_a_missing_span_says_who_names_it() -> None:
    made, rows = rows_of(standing("by hand"), BY_HAND)
    index = next(row.row for row in rows.items if made.tree.is_missing(row.row))
    words = look(standing("by hand"), choose(BY_HAND, span=made.name(index)))
    assert "1 span names it as parent; it is lost, late, or was not sampled" in words


def test_the_inspector_of_a_service_tells_limits_calls_and_troubles() -> None:
    snapshot = standing("pool")
    words = look(snapshot, choose(Focus(), view="map", service="auth"))
    assert "service of the domain layer" in words
    assert re.search(r"auth-db [01]/1", words)
    assert "pool 20 -> 1" in words
    assert "callers gateway" in words


def test_a_correction_is_shown_with_its_delta_and_changes_no_span() -> None:
    snapshot = standing("corrected")
    before = snapshot.store.entries
    moved = next(
        (row.trace_id, name)
        for row in snapshot.traces
        for name, _ in analysis_of(row.trace_id, snapshot.store.spans(row.trace_id), correct=True).deltas.items()
    )
    focus = choose(Focus(node=moved[0], chosen=True), span=moved[1], plumbing=True)
    assert "clock moved by" in look(snapshot, focus)
    assert "corrected" in draw(snapshot, focus).picture_note
    assert snapshot.store.entries is before


def test_a_failed_check_is_in_the_inspector_however_low_it_is() -> None:
    failed = replace(standing("pool"), checks=(Check("span ids are unique", False, "two spans are called 00f0"),))
    assert "two spans are called 00f0" in flat(draw(failed, Focus(), SMALL).inspector.text())


def test_the_saturation_of_foreign_waits_is_only_told_as_far_as_it_is_known() -> None:
    foreign = Span(TRACE, "1" * 16, "", "HikariPool.getConnection", "shop", Kind.INTERNAL, 0, 1_000)
    assert saturation(foreign) == ()
    spans = (
        span(1, 0, "shop", "GET /", Kind.SERVER, 0, 10),
        span(2, 1, "shop", "HikariPool.getConnection", Kind.INTERNAL, 1, 9),
    )
    snapshot = holding(standing("calm"), spans)
    assert "a guess, by its name" in look(snapshot, BY_HAND)


def test_one_rule_says_when_a_percentile_is_shown() -> None:
    assert [tail(count) for count in (0, 8, 99, 100, 10_000)] == ["max", "max", "max", "p99", "p99"]
    for name, at_ms in (("tail-sampling", 13_500), ("torn-traces", 5_500), ("auth-pool-p99", 8_300)):
        snapshot = story(name, at_ms).snapshot()
        for row in snapshot.traces[:4]:
            words = look(snapshot, Focus(node=row.trace_id))
            for count in re.findall(r"stored p50 \S+ \S+ p99 \S+ \S+ of ([\d,]+)", words):
                assert int(count.replace(",", "")) >= 100
                assert snapshot.sampling is None or snapshot.sampling.variant != "tail", (
                    "what is kept is no fair sample"
                )


def test_what_is_stored_is_counted_from_the_traces_beside_it() -> None:
    snapshot = story("head-sampling", 13_500).snapshot()
    row = snapshot.traces[0]
    made = analysis_of(row.trace_id, snapshot.store.spans(row.trace_id))
    payment = next(each.span_id for each in made.tree.spans if each.service == "payment" and each.kind == Kind.SERVER)
    assert f"of {len(snapshot.traces)}" in look(snapshot, choose(Focus(node=row.trace_id), span=payment))


@pytest.mark.parametrize(("name", "at_ms"), [("torn-traces", 1_000), ("tail-sampling", 13_500)])
def test_a_row_that_a_call_shares_with_its_answer_lasts_as_long_as_the_call(name: str, at_ms: int) -> None:
    snapshot = story(name, at_ms).snapshot()
    for row in snapshot.traces:
        made, rows = rows_of(snapshot, Focus(node=row.trace_id))
        tree = made.tree
        for number, item in enumerate(rows.items):
            above = tree.parent[item.row]
            if item.through and tree.spans[above].kind == Kind.CLIENT and tree.spans[item.row].kind == Kind.SERVER:
                start_us, end_us = rows.interval(tree, number)
                assert (start_us, end_us) == (tree.start_us[above], tree.end_us[above])


# -- as a whole ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height", "glyphs"), [(80, 24, BRAILLE), (120, 36, BRAILLE), (120, 36, ASCII)])
def test_the_trace_made_by_hand_looks_as_it_did(width: int, height: int, glyphs: Glyphs) -> None:
    """Look at the file before accepting another picture."""
    snapshot = fit_for_golden()
    frame = draw(snapshot, BY_HAND, arrange(width, height).sizes(), glyphs)
    drawn = "\n".join((frame.picture_title, frame.picture.text(), frame.strip.text(), frame.inspector.text())) + "\n"
    path = GOLDEN / f"tracing-{width}x{height}-{glyphs.name}.txt"
    if not path.exists():
        path.write_text(drawn, encoding="utf-8")
    assert drawn == path.read_text(encoding="utf-8")


def fit_for_golden() -> Snapshot:
    """Nothing in it depends on how the simulation goes."""
    snapshot = holding(standing("start"), CHECKOUT)
    series = tuple(Sample(i * 1_000_000, 20, i > 30, 80_000, 130_000 + i * 3_000, 180_000 + (i > 30) * 1_000_000)
                   for i in range(60))  # fmt: skip
    cause = Cause("auth", "GET /verify", Time.POOL, "auth-db", False, 920_000, 0, 0, 0, -1, 10, 10, 34)
    verdict = Verdict(Trouble.POOL, "auth", cause, 920_000)
    return replace(snapshot, series=series, verdicts=(verdict,), score=Score.RIGHT)


def test_fit_is_stable() -> None:
    for name in ALL:
        for focus in selections(standing(name)):
            once = fit(standing(name), focus)
            assert fit(standing(name), once) == once


# -- the verdict -----------------------------------------------------------------------------------------------------

NAMED = Verdict(Trouble.HEADER, "catalog", DroppedHeader("catalog-cache", 12, 12))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("diagnosed", [True, False])
def test_a_verdict_that_is_no_latency_is_told_in_full_in_every_view(view: str, diagnosed: bool) -> None:
    snapshot = replace(standing("pool"), verdicts=(NAMED,))
    if not diagnosed:
        snapshot = replace(snapshot, diagnosis=None, no_diagnosis=NoDiagnosis(Lack.FEW, "web", "GET /", 12))
    assert flat(draw(snapshot, choose(Focus(), view=view)).picture.text()).count(sentence(NAMED)) == 1


def test_the_verdict_in_full_tells_what_else_is_named_and_why_nothing_of_latency() -> None:
    more = Verdict(Trouble.LATE, "cart", LateSpans(9))
    snapshot = replace(
        standing("pool"), verdicts=(NAMED, more), diagnosis=None, no_diagnosis=NoDiagnosis(Lack.FEW, "web", "GET /", 12)
    )
    shown = flat(draw(snapshot, choose(Focus(), view="verdict")).picture.text())
    assert sentence(more) in shown
    assert "Of latency: 12 complete traces of web GET /" in shown


def test_without_a_verdict_the_reason_is_given_once_and_no_score() -> None:
    snapshot = replace(
        standing("pool"), verdicts=(), diagnosis=None, no_diagnosis=NoDiagnosis(Lack.FEW, "web", "GET /", 32),
        score=Score.NO_VERDICT,
    )  # fmt: skip
    shown = flat(draw(snapshot, Focus()).picture.text())
    assert snapshot.injected
    assert (shown.count("no verdict yet"), shown.count("32 complete traces")) == (1, 1)


def test_the_map_marks_the_service_that_the_verdict_names() -> None:
    snapshot = replace(standing("pool"), verdicts=(NAMED._replace(service="auth"),), map_edges=())
    other = next(each.name for each in snapshot.services if each.name != "auth")
    shown = draw(snapshot, choose(Focus(), view="map", service=other)).picture.text()
    assert re.search(r"V.\s?auth ", shown)
    assert shown.count("V") == 1


def test_what_is_odd_about_a_trace_is_said_once_in_the_inspector() -> None:
    snapshot = standing("mess")
    for row in snapshot.traces:
        shown = flat(draw(snapshot, Focus(node=row.trace_id, chosen=True)).inspector.text())
        assert not row.note or shown.count(oddness_words(row.note)) <= 1


def test_what_else_it_could_be_is_said_whole_or_not_at_all() -> None:
    found = standing("pool").diagnosis
    assert found is not None
    others = tuple(Cause(name, "GET /", Time.SELF, "", False, 40_000, 0, 0, 0, -1, 10, 10, 34) for name in ("a", "bcd"))
    snapshot = replace(standing("pool"), diagnosis=found._replace(alternatives=others))
    told = set()
    for width in range(56, 140):
        canvas = Canvas(width, 12)
        verdict_box.draw(canvas, snapshot, BRAILLE)
        line = next((line for line in canvas.text().splitlines() if "without it" in line), "")
        assert ".." not in line
        told.add("next: " in line)
    assert told == {False, True}


def test_a_call_and_its_answer_by_two_clocks_have_a_row_each_until_they_are_corrected() -> None:
    """A row of both would last longer than the request."""
    skewed, corrected = (story("clock-skew", ms).snapshot() for ms in (7_500, 11_500))
    for snapshot, apart in ((skewed, True), (corrected, False)):
        made, rows = rows_of(snapshot, fit(snapshot, Focus()))
        spans = made.tree.spans
        called = next(n for n, span in enumerate(spans) if span.service == "cart" and span.kind == Kind.SERVER)
        caller = made.tree.parent[called]
        assert (caller in [item.row for item in rows.items]) is apart
        lasted = [end - start for start, end in (rows.interval(made.tree, n) for n in range(len(rows.items)))]
        assert max(lasted) <= made.duration_us
    assert "corrected" not in draw(skewed).picture_note
    assert "corrected: cart +60 ms" in draw(corrected).picture_note


def test_the_slowest_of_few_is_not_called_a_99th() -> None:
    few, enough = (Sample(0, count, 0, 1_000, 2_000, 3_000) for count in (99, 100))
    assert [strip.named(name, few) for name in ("p50", "p99")] == ["p50", "max"]
    assert strip.named("p99", enough) == "p99"


def test_where_each_service_samples_for_itself_a_trace_with_holes_is_selected() -> None:
    snapshot = story("torn-traces", 5_500).snapshot()
    row = snapshot.trace(fit(snapshot, Focus()).node)
    assert row is not None
    assert row.complete
    assert row.missing
    assert any(each.complete and each.duration_us > row.duration_us for each in snapshot.traces), "not the slowest"


@pytest.mark.parametrize(("name", "at_ms"), [("fan-out", 12_050), ("auth-pool-p99", 8_300), ("dropped-header", 3_010)])
@pytest.mark.parametrize("rows", [3, 5, 9])
def test_the_scale_of_the_strip_ends_at_the_highest_value_that_is_drawn(name: str, at_ms: int, rows: int) -> None:
    """A slower trace in the list than the top of the chart of the slowest would be a contradiction."""
    snapshot = story(name, at_ms).snapshot()
    highest = max(sample.p99_us for sample in snapshot.series)
    canvas = Canvas(76, rows)
    strip.draw(canvas, snapshot, ASCII)
    assert canvas.text().splitlines()[0].split()[:2] == units.fixed(highest).split()


@pytest.mark.parametrize(
    ("name", "at_ms", "mark"),
    [("torn-traces", 5_500, "? holes . open"), ("cache-stampede", 500, ". open"),
     ("retry-storm", 7_500, "! error"), ("clock-skew", 11_500, "")],
)  # fmt: skip
def test_the_head_of_the_list_says_what_a_mark_in_it_means(name: str, at_ms: int, mark: str) -> None:
    canvas = Canvas(24, 6)
    tracelist.draw_column(canvas, story(name, at_ms).snapshot(), Focus(), BRAILLE)
    head = canvas.text().splitlines()[0]
    assert head.split("latency")[0].removeprefix(" traces").strip() == mark
