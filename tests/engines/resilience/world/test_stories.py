"""The numbers that the stories tell are true. (The storm has a file of its own.)"""

from math import prod

import pytest

from engines.resilience.pattern import PATTERN
from engines.resilience.world import events as e
from engines.resilience.world import topology as t
from engines.resilience.world.commands import SetOption
from engines.resilience.world.messages import Outcome
from engines.resilience.world.snapshot import EdgeView
from engines.sim.faults import Narrate
from engines.sim.timeline import Timeline
from tests.engines.resilience.world.lab import Run, breaker, edge, goodput, happened, red, story, told

S = 1_000_000
AMPLIFIED = ("clients>api", "api>catalog", "catalog>catalog-db")


def states(run: Run, id: str = "api>catalog") -> list[tuple[str, int]]:
    """The states of a breaker, and how many seconds each lasted."""
    return [(each.state, each.lasted_us // S) for each in breaker(run.snapshot(), id).history]


def latency_us(run: Run, quantile: int) -> int:
    found = edge(run.snapshot(), "clients>api")
    return {50: found.p50_us, 99: found.p99_us}[quantile]


@pytest.mark.parametrize("scenario", PATTERN.scenarios, ids=lambda scenario: scenario.name)
def test_a_story_is_short_enough_to_step_through(scenario: object) -> None:
    name = scenario.name  # type: ignore[attr-defined]
    run = told(name)
    assert run.position <= (6_000 if name != "no-head-room" else 11_000), "a storm that comes twice takes its time"
    assert red(run) == []
    cues = [line for line in run.branch.log if isinstance(line.command, Narrate)]
    assert len(cues) >= 3


def test_trip_and_recover_is_open_30_s_twice() -> None:
    run = told("trip-and-recover")
    assert states(run) == [("open", 30), ("half_open", 0), ("open", 30), ("half_open", 0), ("closed", -1)]
    seen = told("trip-and-recover", 11).snapshot()
    assert breaker(seen).why.reason == "29 of 58 (50 %) failed, threshold >= 50 %"
    assert breaker(seen).since_us // 100_000 == 96
    assert seen.service("catalog").arrived_per_s == 0


def test_a_tripped_breaker_answers_in_the_time_of_a_round_trip_to_api() -> None:
    run = told("trip-and-recover", 35)
    assert latency_us(run, 99) < 70_000


def test_stuck_half_open_waits_for_eight_results_that_never_come() -> None:
    run = told("stuck-half-open", 30)
    found = breaker(run.snapshot(), "api>auth")
    assert (found.state, found.options.probes, found.why.probes_left, found.calls) == ("half_open", 10, 0, 2)
    assert found.countdown_us == -1
    assert run.snapshot().service("api").busy == 8
    assert run.snapshot().service("auth").hosts[0].status == "up"
    assert states(told("stuck-half-open"), "api>auth")[1:] == [
        ("half_open", 14),
        ("open", 10),
        ("half_open", 1),
        ("closed", -1),
    ]


def test_a_limit_set_while_half_open_acts_at_once_and_picture_and_journal_agree() -> None:
    run = told("stuck-half-open", 33)
    half_open, still_open = breaker(run.snapshot(), "api>auth").history[-2:]
    assert (half_open.state, half_open.lasted_us // 100_000) == ("half_open", 143)
    assert (still_open.state, still_open.since_us, still_open.lasted_us) == ("open", 31 * S, -1)
    moves = [each.moved for each in happened(run, e.BreakerMoved)]
    assert [event.at_us for event in moves[-2:]] == [half_open.since_us, 31 * S]
    assert moves[-1].why == "half-open for 14.308 s, over the 5 s now allowed, with 2 of 10 results"
    end = breaker(told("stuck-half-open").snapshot(), "api>auth").history[-1]
    assert (end.state, end.since_us < 44 * S) == ("closed", True)


def test_a_limit_set_while_half_open_that_is_not_over_yet_ends_it_to_the_microsecond() -> None:
    run = told("stuck-half-open", 30)
    run.submit(SetOption("api>auth", "breaker.half_open_max_us", 14 * S))
    run.advance(30_900_000)
    half_open, still_open = breaker(run.snapshot(), "api>auth").history[-2:]
    assert (half_open.state, half_open.lasted_us) == ("half_open", 14 * S)
    moved = happened(run, e.BreakerMoved)[-1].moved
    assert moved.at_us == still_open.since_us


def test_slow_calls_trip_it_without_an_error() -> None:
    seen = told("slow-calls", 13).snapshot()
    found = breaker(seen)
    assert (found.state, found.rate_ppm) == ("open", 0)
    assert "took longer than 500 ms" in found.why.reason
    assert [state for state, _ in states(told("slow-calls"))] == ["open", "half_open", "closed"]


def test_the_cascade_stops_the_whole_shop() -> None:
    seen = told("cascade", 30).snapshot()
    api = seen.service("api")
    assert (api.busy, api.workers) == (8, 8)
    assert goodput(seen, 28, 30) == 0
    for idle in ("auth", "catalog", "cart"):
        assert seen.service(idle).busy <= 1
        assert not seen.service(idle).hosts[0].ailing
    assert edge(seen, "api>payment").running >= 6


def test_at_25_s_every_thread_of_api_waits_for_payment_and_the_others_are_idle() -> None:
    seen = told("cascade", 25).snapshot()
    assert edge(seen, "api>payment").running == seen.service("api").busy == 8
    for idle in ("auth", "catalog", "cart"):
        service = seen.service(idle)
        assert (edge(seen, f"api>{idle}").running, service.busy, service.arrived_per_s) == (0, 0, 0)
    assert t.SHOP.count("buy") * 20 == 3 * len(t.SHOP)
    assert goodput(seen, 20, 25) < 4_000
    assert {row.goodput for row in seen.series[-3:]} == {0}


def test_in_the_cascade_calls_fail_and_no_machine_does() -> None:
    run = told("cascade", 30)
    seen = run.snapshot()
    assert seen.failed > 100
    assert {host.status for service in seen.services for host in service.hosts} == {"up"}
    outcomes = {each.why for each in happened(run, e.CallFailed)}
    outcomes |= {each.why for each in happened(run, e.RequestRefused)}
    assert outcomes == {Outcome.TIMEOUT, Outcome.FULL}
    assert [service.id for service in seen.services if service.refused_per_s] == ["api"]


def test_the_bulkhead_leaves_the_rest_of_the_shop_open() -> None:
    seen = told("bulkhead", 22).snapshot()
    payment = edge(seen, "api>payment")
    assert payment.bulkhead is not None
    assert (payment.bulkhead.busy, payment.bulkhead.size) == (2, 2)
    assert payment.bulkhead.refused >= 20
    assert seen.service("api").busy <= 6
    assert goodput(seen, 8, 21) >= 6_000


def test_ten_percent_of_five_hosts_is_nobody_until_one_may_always_go() -> None:
    told_13 = told("outlier", 13)
    assert len(happened(told_13, e.HostKept)) == 2
    assert edge(told_13.snapshot(), "api>payment").errors_ppm == 200_000
    before = edge(told("outlier", 14).snapshot(), "api>payment")
    assert [host.ejected for host in before.outliers] == [False] * 5
    assert before.errors_ppm == pytest.approx(200_000, abs=100_000)
    run = told("outlier", 22)
    out = [host for host in edge(run.snapshot(), "api>payment").outliers if host.ejected]
    assert [host.host for host in out] == ["payment-3"]
    assert edge(run.snapshot(), "api>payment").errors_ppm == 0
    assert "no more than 10 % of 5 hosts may be out" in happened(run, e.HostKept)[-1].ejection.why
    assert "5 errors in a row" in happened(run, e.HostEjected)[0].ejection.why
    end = told("outlier")
    returned = happened(end, e.HostReturned)[0].ejection
    assert returned.at_us == 50 * S


def test_a_herd_in_step_is_served_eight_at_a_time() -> None:
    run = told("thundering-herd")
    seen = run.snapshot()
    assert (seen.offered, seen.good, seen.failed) == (60, 48, 12)
    assert [row.at_us // S for row in seen.series if row.rejected] == [3, 4, 6, 10, 18, 28]


def test_with_jitter_everybody_is_served_within_seconds() -> None:
    seen = told("jitter").snapshot()
    assert (seen.offered, seen.good, seen.failed) == (60, 60, 0)
    assert max(row.at_us for row in seen.series if row.goodput) <= 13 * S


def test_hedging_cuts_p99_to_a_third_for_a_few_percent_of_load() -> None:
    before, after = told("hedging", 16), told("hedging", 32)
    assert latency_us(before, 50) // 1_000 == 221
    assert latency_us(before, 99) // 100_000 == 14
    assert latency_us(after, 99) // 1_000 == 475
    found = edge(after.snapshot())
    assert (found.hedges, found.hedges_won) == (6, 4)
    assert found.hedges * 100 // 150 == 4


def test_a_deadline_saves_18_of_30_jobs_a_second() -> None:
    without, limited = (told("deadline", at_s).snapshot() for at_s in (15, 29))
    assert without.wasted_per_s == pytest.approx(30, abs=1)
    assert without.wasted_per_s == sum(service.wasted_per_s for service in without.services)
    assert limited.wasted_per_s == 12
    assert limited.service("catalog").arrived_per_s == 0


@pytest.mark.parametrize(
    ("name", "at_s", "watch"),
    [
        ("deadline", 4, "api>auth"),
        ("deadline", 29, "api>auth"),
        ("cascade", 10, "api>payment"),
        ("outlier", 22, "api>payment"),
        ("retry-storm", 3, "api>catalog"),
        ("amplification", 20, "api>catalog"),
        ("stuck-half-open", 18, "api>auth"),
    ],
)
def test_the_edge_to_watch_is_the_one_the_story_is_about(name: str, at_s: int, watch: str) -> None:
    seen = told(name, at_s).snapshot()
    assert seen.watch == watch
    assert seen.edge(watch) is not None


def test_three_layers_with_two_retries_make_27_attempts() -> None:
    run = told("amplification", 13)
    seen = run.snapshot()
    database = seen.service("catalog-db")
    assert database.arrived_per_s == pytest.approx(54, abs=2)
    assert (seen.amplified_ppm, seen.peak_edge) == (27_000_000, "catalog>catalog-db")
    assert [edge(seen, id).amplified_ppm for id in AMPLIFIED] == [3_000_000] * 3
    assert sum(row.peak for row in seen.series[-8:]) / 8 == pytest.approx(54, abs=1)
    ended = [call for call in run.snapshot().calls if call.state == "failed"]
    assert max(call.requests for call in ended) == 3 + 9 + 27
    held = told("amplification", 28).snapshot()
    assert held.service("catalog-db").arrived_per_s <= 2 * 1.2**3 + 1
    assert held.amplified_ppm <= 1_728_000


@pytest.mark.parametrize("name", ["retry-storm", "storm-budget", "amplification", "hedging", "thundering-herd"])
def test_what_is_shown_of_attempts_never_exceeds_what_the_check_allows(name: str) -> None:
    run = told(name, 1)
    while run.now_us < story(name).end_us - S:
        run.advance(run.now_us + S // 2)
        seen = run.snapshot()
        allowed = {each.id: attempts_allowed(each) for each in seen.edges}
        assert all(each.amplified_ppm <= allowed[each.id] * S for each in seen.edges)
        way = [seen.peak_edge]
        while (up := next((id for id in allowed if id.endswith(f">{way[0].partition('>')[0]}")), "")) != "":
            way.insert(0, up)
        assert seen.amplified_ppm <= prod(allowed[id] for id in way) * S


def attempts_allowed(each: EdgeView) -> int:
    """Attempts that one call over this edge may make."""
    return (1 + (each.retry.retries if each.retry else 0)) * (2 if each.hedge_ppm else 1)


def test_the_scenarios_of_both_variants_are_told() -> None:
    assert {story.variant for story in PATTERN.scenarios} == {variant.name for variant in PATTERN.variants}


def test_a_kind_of_call_needs_what_its_name_says() -> None:
    assert t.KINDS["fill"] == ("auth", "cart")
    assert t.KINDS["cart"] == ("cart",)
    assert story("cascade").config[-1] == ("workers", 4)


def test_a_sum_of_before_is_told_before_its_breaker_moves() -> None:
    script = story("no-head-room")
    run: Run = Timeline(PATTERN.variant(script.variant), script.seed, script.config, script)
    run.advance(51 * S)
    told = [event.what for event in run.engine.told(1 << 20)]
    moved = [place for place, what in enumerate(told) if isinstance(what, e.BreakerMoved)]
    assert [told[place].moved.dst.value for place in moved] == ["open", "half_open", "closed"]
    refused = [what for what in told[moved[-1] :] if isinstance(what, e.CallFailed) and what.origin is not None
               and what.origin.why is Outcome.OPEN]  # fmt: skip
    assert not refused, "it has closed: nothing is said of its refusals any more"
