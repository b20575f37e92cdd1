"""Numbers that agree: one for one thing on the screen at one time, and those that a story speaks of are to be seen."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.resilience import BreakerOptions, State
from engines.resilience.pattern import PATTERN
from engines.sim.faults import Narrate
from engines.sim.service import Latencies
from tests.tui.panels.resilience_runs import ALL, FOCUS, draw, flat, standing, story
from tui.canvas import Canvas
from tui.glyphs import ASCII
from tui.kit import charts as chart
from tui.kit.parts import wrapped
from tui.layout import arrange
from tui.panel import Focus
from tui.panels.resilience import PANEL, card, graph
from tui.picture import compose
from tui.session import Session


def seen(session: Session) -> str:
    """All that stands on the screen."""
    width, height = session.width, session.height
    return compose(width, height, ((each.x, each.y, each.canvas) for each in session.render())).text()


def at_note(name: str, said: str, size: tuple[int, int] = (80, 24)) -> str:
    """The screen while a story stands at the note with these words."""
    steps = PATTERN.scenario(name).script
    until_us = next(s.at_us for s in steps if isinstance(s.command, Narrate) and said in s.command.text)
    session = Session((PANEL,), "resilience", scenario=name, sandbox=True)
    session.resize(*size)
    player = session.scene.player
    while player.timeline.now_us < until_us:
        if not player.playing:
            session.press("space")
        session.tick(min(100_000, int((until_us - player.timeline.now_us) / player.speed) + 1))
    assert not player.playing, "it waits at its note"
    return seen(session)


def test_a_storm_has_one_number_of_attempts_on_the_whole_screen() -> None:
    screen = at_note("retry-storm", "still nothing")
    offered, attempts = (re.search(rf"{name} +(\d+)/s", screen) for name in ("offered", "attempts"))
    assert offered
    assert attempts
    assert re.search(rf"\D{offered[1]}/s ", screen), "the same number beneath clients>api"
    assert re.search(rf"\D{attempts[1]}/s [^\n]*q3[56]", screen), "the same number beneath api>catalog"
    assert "attempts x4 a call, goodput 0 %" in screen
    assert "attempts x4 of x4" in screen
    assert "35 wait at catalog: 1.8 s" in screen


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
def test_the_window_of_a_rate_stands_beside_it(size: tuple[int, int]) -> None:
    assert "rates over 1.5 s" in at_note("retry-storm", "catalog has 6 threads", size)


def test_what_a_note_speaks_of_stands_beside_it_on_a_small_screen() -> None:
    assert re.search(r"5[3-5]/s", at_note("amplification", "27 times")), "attempts at the database"
    cascade = at_note("cascade", "All 8 threads")
    assert "8/8" in cascade, "the threads of api"
    line = re.search(r"(\d+) wait at payment: (\d+\.\d) s", cascade)
    assert line
    assert float(line[2]) == pytest.approx(int(line[1]) * 8.13 / 4, abs=0.1), "4 threads, each held for 8.13 s a call"
    assert f"q{line[1]} " in cascade
    slow = at_note("slow-calls", "threads of api")
    assert re.search(r"slow \d+(\.\d)? %/50 %", slow)
    assert re.search(r"\d+/32", slow), "the threads of api, that the note points at"
    assert re.search(r"p99 \d", slow), "and the latency"
    assert re.search(r"for nobody +31/s", at_note("deadline", "a second wasted"))
    outlier = at_note("outlier", "still in")
    assert "none of 5 hosts out" in outlier
    assert all(f"payment-{number}" in outlier for number in range(1, 6))


def test_a_line_of_calls_takes_as_long_as_its_threads_are_held_by_what_they_call() -> None:
    snapshot = story("cascade", 30_000).snapshot()
    payment, catalog = snapshot.service("payment"), snapshot.service("catalog")
    assert payment is not None
    assert catalog is not None
    assert 8_000_000 < snapshot.held_us(payment) < 8_300_000
    assert snapshot.drain_us(payment) == payment.queue * snapshot.held_us(payment) // 4
    assert 50_000 < snapshot.held_us(catalog) < 200_000


def test_a_timeout_limits_how_long_a_thread_is_held_and_retries_multiply_it() -> None:
    snapshot = story("retry-storm", 10_000).snapshot()
    api = snapshot.service("api")
    assert api is not None
    held = snapshot.held_us(api)
    assert 4_000_000 <= held < 4_100_000, "four attempts of a second each"


def test_the_rate_that_is_said_is_the_one_nearest_to_its_threshold() -> None:
    edge = standing("well").edge("api>auth")
    assert edge is not None
    assert edge.breaker is not None
    options = BreakerOptions(slow_us=500_000, slow_ppm=500_000, minimum=20)
    why = edge.breaker.why._replace(state=State.CLOSED, options=BreakerOptions(), calls=1_000, failures=292, slow=0)
    made = edge.breaker._replace(why=why)
    assert card.next_words(made) == "opens at 50 %"
    slow = made._replace(why=why._replace(options=options, slow=400))
    assert card.next_words(slow) == "opens at 50 % slow"
    assert "".join(text for text, _ in card.rate_words(slow, 60)).startswith("slow 40 %/50 %  calls 1000/20")
    late = made._replace(why=why._replace(options=replace(options, slow_ppm=1_000_000), slow=400))
    assert late.pressing.name == "rate", "40 of 100 is further away than 29 of 50"


def test_all_states_that_fit_are_listed_with_how_long_they_lasted() -> None:
    snapshot = story("trip-and-recover", 78_000).snapshot()
    sizes = arrange(120, 36).sizes()
    words = flat(draw(snapshot, Focus(node="api>catalog"), sizes).inspector.text())
    assert re.search(r"lasted C 9\.\d s -> O 30\.\d s -> H \d+ ms -> O 30\.\d s -> H \d+ ms -> C 7\.\d s so far", words)


def test_a_number_stays_on_the_line_of_its_unit() -> None:
    assert wrapped("attempts x1, budget 20 %", 22) == ["attempts x1, budget", "20 %"]
    assert wrapped("it took 1.8 s of work", 12) == ["it took", "1.8 s of", "work"]


def test_lines_can_be_told_apart_without_colours_by_the_letters_at_their_ends() -> None:
    canvas = Canvas(40, 4)
    levels = (("offered", 6.0), ("attempts", 24.0), ("goodput", 6.0))
    lines = [chart.Line(name, (level,) * 9, "", "text", name[0]) for name, level in levels]
    chart.draw_lines(canvas, 0, 0, 30, 4, lines, ASCII)
    ends = [row[30:].rstrip() for row in canvas.text().splitlines()]
    assert "a" in ends[0]
    assert "og" in ends


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
def test_no_curve_runs_through_the_number_of_its_scale(size: tuple[int, int]) -> None:
    snapshot = story("trip-and-recover", 73_000).snapshot()
    first = draw(snapshot, FOCUS, arrange(*size).sizes()).strip.text().splitlines()[0]
    assert re.match(r" *\d+/s +\S", first), first


def test_a_latency_is_said_whole_or_not_at_all() -> None:
    edge = standing("well").edge("api>auth")
    assert edge is not None
    slow = edge._replace(p50_us=8_126_000, p99_us=8_912_000)
    assert [graph.latency(slow, room) for room in (12, 9, 5, 3)] == ["8.1/8.9 s", "8.1/8.9 s", "8.9 s", ""]
    quick = edge._replace(p50_us=139_000, p99_us=152_000)
    assert [graph.latency(quick, room) for room in (12, 10, 7, 6)] == ["139/152 ms", "139/152 ms", "152 ms", "152 ms"]


@pytest.mark.parametrize("name", ["well", "storm", "everywhere", "envoy"])
def test_the_attempts_of_the_strip_are_those_of_the_edge_it_names(name: str) -> None:
    snapshot = standing(name)
    edge = snapshot.busiest
    assert edge is not None
    assert edge.attempts_per_s >= 0.9 * max(each.attempts_per_s for each in snapshot.edges)
    words = draw(snapshot, Focus(), arrange(120, 36).sizes()).strip.text()
    assert re.search(rf"attempts +{edge.attempts_per_s}/s", words)


@given(st.lists(st.integers(1, 20_000_000), min_size=1, max_size=30), st.integers(1, 20_000_000))
def test_no_percentile_is_above_a_higher_one_or_above_the_timeout(took_us: list[int], timeout_us: int) -> None:
    edge = standing("well").edge("api>auth")
    assert edge is not None
    found = Latencies()
    for us in took_us:
        found.record(min(us, timeout_us))
    p50_us, p99_us = found.quantile_us(500_000), found.quantile_us(990_000)
    view = edge._replace(p50_us=p50_us, p99_us=p99_us, timeout_us=timeout_us, retry=None, hedge_ppm=0)
    assert view.median_us <= view.slowest_us <= timeout_us


def test_calls_that_hang_are_no_calls_without_errors() -> None:
    for said in ("payment-db takes 8 s", "All 8 threads"):
        screen = at_note("cascade", said)
        assert "edge: errors 0 %" not in screen
    snapshot = story("cascade", 25_000).snapshot()
    words = flat(draw(snapshot, Focus(node="api>payment"), arrange(120, 36).sizes()).inspector.text())
    assert "no call ended in 1.5 s" in words
    assert "p50 10.0 s, p99 10.0 s of those that ended" in words


@pytest.mark.parametrize("until_ms", [3_500, 9_500, 11_000, 21_500])
def test_the_words_and_the_strip_round_a_rate_alike(until_ms: int) -> None:
    snapshot = story("retry-storm", until_ms).snapshot()
    words = " ".join(PANEL.present(snapshot, FOCUS))
    told = re.search(r"(\d+)/s came and (\d+)/s were answered", words)
    drawn = draw(snapshot, FOCUS, arrange(120, 36).sizes()).strip.text()
    shown = [re.search(rf"{name} +(\d+)/s", drawn) for name in ("offered", "goodput")]
    assert told
    assert [each and each[1] for each in shown] == list(told.groups())


def test_a_sign_is_explained_only_where_it_stands() -> None:
    assert "E errors" in at_note("outlier", "still in")
    assert "E errors" not in at_note("retry-storm", "catalog has 6 threads")
    assert not re.search(r"window .*\d+s", at_note("slow-calls", "half of the calls slow"))
    assert re.search(r"window .* s s .*12s", at_note("slow-calls", "about a second"))


@pytest.mark.parametrize(("name", "said", "shown"), [
    ("bulkhead", "Two threads", r"bulkhead 2/2, \d+ refused"), ("hedging", "Users see", r"asks a second host after"),
    ("storm-budget", "It took 7 s", "budget 5 %"),
])  # fmt: skip
def test_the_layer_in_force_stands_beside_its_edge(name: str, said: str, shown: str) -> None:
    assert re.search(shown, at_note(name, said))


def test_who_is_down_can_do_nothing() -> None:
    snapshot = story("stuck-half-open", 18_000).snapshot()
    words = " ".join(PANEL.present(snapshot, Focus(node="api>auth")))
    assert "auth is crashed and does nothing; it is sent 5/s" in words
    auth = snapshot.service("auth")
    assert auth is not None
    assert snapshot.capacity(auth) == 0


def test_the_calls_of_an_edge_are_those_that_go_over_it() -> None:
    words = flat(draw(story("cascade", 5_000).snapshot(), Focus(node="api>payment"), arrange(200, 50).sizes())
                 .inspector.text())  # fmt: skip
    assert "browse" not in words


def test_the_shedding_in_force_stands_beside_its_edge() -> None:
    assert "catalog sheds who waited" in at_note("no-head-room", "All is well again")


def test_no_call_has_no_latency_rather_than_one_of_nothing() -> None:
    assert re.search(
        r"p99 -", draw(story("thundering-herd", 2_000).snapshot(), FOCUS, arrange(80, 24).sizes()).strip.text()
    )


def test_the_window_counts_slow_calls_where_these_are_nearer_to_opening_it() -> None:
    snapshot = story("slow-calls", 9_000).snapshot()
    edge = snapshot.edge("api>catalog")
    assert edge is not None
    assert edge.breaker is not None
    canvas = Canvas(60, 4)
    card.draw_window(canvas, 0, 0, 60, 4, edge.breaker, ASCII)
    counts = [int(count) for count in re.findall(r"\d+", canvas.text().splitlines()[3].partition("slow")[2])]
    assert sum(counts[: len(edge.breaker.buckets)]) == sum(each.slow for each in edge.breaker.buckets) > 0
    assert any(ink == "slow" for row in canvas.rows() for _, ink in row)
    assert not any(ink == "error" for row in canvas.rows() for _, ink in row)


@pytest.mark.parametrize("name", sorted(ALL))
def test_no_median_is_above_its_p99_and_none_is_above_the_timeout(name: str) -> None:
    for edge in standing(name).edges:
        assert edge.median_us <= edge.slowest_us, edge.id
    first = standing(name).edges[0]
    late = first._replace(p50_us=10_500_000, p99_us=11_000_000, timeout_us=10_000_000, retry=None, hedge_ppm=0)
    assert late.median_us == late.slowest_us == 10_000_000
