"""What a call meets on its way: the order of the layers, faults, deadlines, budgets, caps, fallbacks, hedges."""

from dataclasses import replace
from typing import Any

import pytest

from engines.resilience.order import ORDER
from engines.resilience.world import commands as c
from engines.resilience.world import events as e
from engines.resilience.world.messages import Outcome
from engines.sim import faults
from engines.sim.rules import SetRule
from tests.engines.resilience.world.lab import after, breaker, edge, happened, red, world

S = 1_000_000
OUTSIDE = ("timeout", "retry", "breaker", "limiter", "bulkhead")


def test_a_timeout_inside_the_breaker_is_a_failure_to_it() -> None:
    run = world()
    assert breaker(after(run, 8, faults.Crash("catalog"))).state == "open"


def test_a_timeout_outside_the_breaker_is_never_seen_by_it() -> None:
    run = world()
    seen = after(run, 12, c.SetOrder("api>catalog", OUTSIDE), faults.Crash("catalog"))
    assert breaker(seen).state == "closed"
    assert breaker(seen).calls == 0
    assert edge(seen).errors_ppm == 1_000_000


def test_a_retry_outside_the_breaker_shows_it_every_attempt_and_inside_only_the_last() -> None:
    outside, inside = (
        world(("retry_at", "api"), ("retries", 2), ("preset", "resilience4j"), ("backoff_ms", 1)) for _ in range(2)
    )
    inside.submit(c.SetOrder("api>catalog", ("breaker", "retry", "limiter", "timeout", "bulkhead")))
    counts = [breaker(after(run, 3, c.Abort("api>catalog", 100))).calls for run in (outside, inside)]
    assert counts[0] == pytest.approx(3 * counts[1], abs=6)


def test_an_order_that_leaves_a_layer_out_is_refused() -> None:
    run = world()
    with pytest.raises(Exception, match="each of retry, breaker, limiter, timeout, bulkhead is needed once"):
        run.submit(c.SetOrder("api>catalog", ORDER[:4]))


def test_istio_delays_and_aborts_so_many_percent_independently() -> None:
    run = world(("preset", "none"), ("rate", 100), ("workers", 100), ("api_workers", 100))
    seen = after(run, 20, c.Delay("api>catalog", 50, 300_000), c.Abort("api>catalog", 20, 500))
    assert edge(seen).errors_ppm == pytest.approx(200_000, abs=60_000)
    assert edge(seen).p99_us > 400_000
    assert edge(seen).p50_us < 400_000
    found = edge(seen)
    assert (found.delay_percent, found.delay_us, found.abort_percent, found.abort_status) == (50, 300_000, 20, 500)
    assert found.ailing
    assert not edge(after(run, 3, faults.Heal())).ailing


def test_without_a_deadline_a_callee_works_for_callers_that_have_left() -> None:
    run = world(("preset", "none"), ("workers", 1), ("timeout_ms", 500))
    run.submit(c.SetOption("api>catalog", "deadline", 0))
    told_nothing = after(run, 10, c.SlowService("catalog", 1_000)).service("catalog")
    assert told_nothing is not None
    run = world(("preset", "none"), ("workers", 1), ("timeout_ms", 500))
    run.submit(c.SetOption("api>catalog", "deadline", 1))
    told_all = after(run, 10, c.SlowService("catalog", 1_000)).service("catalog")
    assert told_all is not None
    assert told_nothing.wasted > 20
    assert Outcome.EXPIRED in [each.why for each in happened(run, e.RequestRefused)]


def test_a_deadline_travels_down_and_shortens_every_timeout_below() -> None:
    run = world(("preset", "none"), ("client_timeout_ms", 400), ("timeout_ms", 0), ("deadline", True))
    seen = after(run, 5, faults.Crash("catalog-db"))
    assert edge(seen, "catalog>catalog-db").p99_us < 400_000
    assert edge(seen, "catalog>catalog-db").running <= 4


def test_a_call_without_any_timeout_waits_for_ever() -> None:
    run = world(("preset", "none"), ("timeout_ms", 0), ("client_timeout_ms", 0), ("api_workers", 500))
    seen = after(run, 20, faults.Crash("catalog"))
    assert edge(seen).running == pytest.approx(200, abs=5)
    assert red(run) == []


def test_what_the_network_delivers_twice_is_served_once() -> None:
    run = world(("preset", "none"))
    run.submit(faults.Duplicate("*", "*", 1_000_000))
    seen = after(run, 5)
    catalog = seen.service("catalog")
    assert catalog is not None
    assert catalog.done == pytest.approx(50, abs=3)
    assert seen.failed == 0
    assert red(run) == []


@pytest.mark.parametrize("preset", ["article", "opossum"])
def test_windows_are_recounted_under_a_heavy_load_too(preset: str) -> None:
    run = world(("preset", preset), ("rate", 200), ("workers", 400), ("api_workers", 400))
    seen = after(run, 7)
    assert breaker(seen).calls > 1_200
    assert red(run) == []


def test_a_limiter_lets_so_many_calls_a_second_through() -> None:
    run = world(("preset", "none"), ("limit", 4))
    seen = after(run, 10)
    assert edge(seen).attempts_per_s == 4
    assert edge(seen).rejected_per_s == 6


def test_a_bulkhead_with_a_line_lets_the_next_in_when_one_leaves() -> None:
    run = world(("preset", "none"), ("bulkhead", 1), ("timeout_ms", 3_900))
    run.submit(c.SetOption("api>catalog", "bulkhead_queue", 50))
    run.submit(c.SetLoad("steady", 4))
    seen = after(run, 0, c.Burst(10, "catalog"))
    run.advance(run.now_us + 200_000)
    seen = run.snapshot()
    found = edge(seen).bulkhead
    assert found is not None
    assert found.busy == 1
    assert found.waiting > 5
    assert after(run, 3).failed == 0
    assert red(run) == []
    after(run, 0, c.Burst(10, "catalog"))
    run.advance(run.now_us + 200_000)
    after(run, 3, c.SetOption("api>catalog", "bulkhead", 0))
    assert run.snapshot().failed == 0
    assert red(run) == []


def test_a_fallback_turns_a_failure_into_an_old_answer() -> None:
    run = world(("fallback", True))
    after(run, 3)
    seen = after(run, 3, c.Abort("api>catalog", 100))
    assert seen.failed == 0
    assert edge(seen).fallbacks >= 25
    assert edge(seen).errors_ppm == 1_000_000
    assert all(0 < each.age_us < 5 * S for each in happened(run, e.FallbackServed))


def test_a_fallback_that_never_saw_a_good_answer_has_none_to_give() -> None:
    run = world(("fallback", True))
    seen = after(run, 3, c.Abort("api>catalog", 100))
    assert edge(seen).fallbacks == 0
    assert seen.failed > 20


def test_envoys_caps_turn_away_what_is_too_much_at_once() -> None:
    run = world(variant="envoy")
    seen = after(run, 6, c.SetOption("api>catalog", "max_requests", 2), c.SlowService("catalog", 3_000))
    caps = {name: (used, cap, over) for name, used, cap, over in edge(seen).caps}
    used, cap, over = caps["requests"]
    assert used <= cap == 2
    assert over > 20
    assert red(run) == []


def test_envoy_allows_three_retries_at_once_where_no_budget_is_set() -> None:
    run = world(("budget", 0), ("retry_at", "api"), ("backoff", "fixed"), ("backoff_ms", 900), variant="envoy")
    seen = after(run, 6, c.Abort("api>catalog", 100))
    caps = {name: (used, cap, over) for name, used, cap, over in edge(seen).caps}
    assert caps["retries"][:2] == (3, 3)
    assert caps["retries"][2] > 10
    assert red(run) == []


def test_an_operator_can_force_a_breaker_open_disable_and_reset_it() -> None:
    run = world()
    for mode, state in (("force_open", "forced_open"), ("disable", "disabled"), ("metrics_only", "metrics_only"),
                        ("reset", "closed")):  # fmt: skip
        assert breaker(after(run, 2, c.SetBreaker("api>catalog", mode))).state == state
    assert red(run) == []


def test_another_preset_begins_anew_and_a_number_goes_on() -> None:
    run = world()
    after(run, 8, c.Abort("api>catalog", 100))
    assert breaker(after(run, 1, c.SetOption("api>catalog", "breaker.wait_us", 60 * S))).state == "open"
    seen = after(run, 0, c.SetPreset("api>catalog", "polly"))
    assert (breaker(seen).state, breaker(seen).preset, breaker(seen).calls) == ("closed", "polly", 0)


def test_a_crash_forgets_the_breaker_and_a_restart_has_the_options() -> None:
    run = world()
    after(run, 8, c.Abort("api>catalog", 100), c.SetOption("api>catalog", "retries", 3))
    seen = after(run, 0, faults.Crash("api"), faults.Restart("api"))
    assert breaker(seen).history == ()
    assert dict(edge(seen).options)["retries"] == 3
    assert edge(seen).abort_percent == 100


def test_what_a_restart_makes_anew_begins_then() -> None:
    run = world(("preset", "hystrix"), ("outlier", True), ("budget", 20), ("limit", 50))
    run.advance(30_250_000)
    seen = after(run, 2, faults.Crash("api"), faults.Restart("api"))
    assert breaker(seen).since_us == 30_250_000
    assert breaker(seen).buckets[-1].start_us % 500_000 == 250_000
    assert red(run) == []


def test_a_frozen_machine_sends_nothing_whatever_is_tuned() -> None:
    run = world(("preset", "none"), ("bulkhead", 1), ("timeout_ms", 3_900))
    run.submit(c.SetOption("api>catalog", "bulkhead_queue", 50))
    run.submit(c.Burst(10, "catalog"))
    run.advance(200_000)
    run.submit(faults.Freeze("api"))
    run.advance(300_000)
    sent = run.engine.hosts["api"].links["catalog"].sent  # type: ignore[attr-defined]
    for command in (c.SetOption("api>catalog", "bulkhead", 0), c.SetService("api", "workers", 64)):
        run.submit(command)
    run.advance(1_000_000)
    assert run.engine.hosts["api"].links["catalog"].sent == sent  # type: ignore[attr-defined]
    after(run, 3, faults.Thaw("api"))
    assert run.engine.hosts["api"].links["catalog"].sent >= sent + 9  # type: ignore[attr-defined]
    assert red(run) == []


def test_a_wrong_wall_clock_changes_nothing() -> None:
    runs = [world() for _ in range(2)]
    runs[1].submit(faults.Skew("api", -30 * S, 200_000))
    one, other = (after(run, 5) for run in runs)
    assert other.service("api").hosts[0].clock_off_us == -30 * S  # type: ignore[union-attr]
    assert one.calls == other.calls


def test_your_call_is_told_from_beginning_to_end() -> None:
    run = world(("rate", 0))
    seen = after(run, 2, c.Call("buy"))
    assert [(call.client, call.kind, call.state, call.requests) for call in seen.calls] == [("you", "buy", "ok", 7)]
    kinds = [type(event.what) for event in run.engine.told(9)]
    assert kinds == [e.YouCalled, e.YouAnswered, e.ShopServed]


@pytest.mark.parametrize(
    ("load", "rates"),
    [
        (c.SetLoad("ramp", 0, 20, 10, False), (1, 9, 20)),
        (c.SetLoad("pulse", 2, 30, 5, False), (30, 2, 2)),
        (c.SetLoad("wave", 0, 20, 8, False), (17, 3, 0)),
        (c.SetLoad("off", 0), (0, 0, 0)),
    ],
)
def test_a_load_follows_its_curve(load: c.SetLoad, rates: tuple[int, ...]) -> None:
    run = world()
    run.submit(load)
    for second, rate in zip((1, 5, 14), rates, strict=True):
        run.advance(second * S)
        assert run.snapshot().rate_per_s == pytest.approx(rate, abs=2)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (c.Call("steal"), "one of browse, fill, buy"),
        (c.Burst(0), "burst 0: it must lie between 1 and 500"),
        (c.SetLoad("flood", 1), "one of off, steady, ramp, pulse, wave"),
        (c.SetLoad("steady", 501), "between 0 and 500"),
        (c.SetMix("none"), "one of shop"),
        (c.Delay("api>nobody", 5, 5), "edge 'api>nobody': one of clients>api"),
        (c.Delay("api>catalog", 101, 5), "percent 101: it must lie between 0 and 100"),
        (c.Delay("api>catalog", 5, -1), "delay -1"),
        (c.Abort("api>catalog", 5, 200), "status 200: it must lie between 400 and 599"),
        (c.SlowService("nobody", 100), "service 'nobody': one of api"),
        (c.SlowService("api", 0), "percent 0"),
        (c.SickHost("api", -1), "percent -1"),
        (c.SetService("api", "colour", 1), "one of workers, queue_max"),
        (c.SetService("api", "workers", 0), "workers 0: it must lie between 1 and 500"),
        (c.SetPreset("api>catalog", "best"), "unknown preset 'best': one of article"),
        (c.SetBreaker("clients>api", "reset"), "there is no breaker"),
        (c.SetBreaker("api>catalog", "smash"), "one of reset, disable"),
        (c.SetOption("api>catalog", "colour", 1), "option 'colour': one of retries"),
        (c.SetOption("api>catalog", "retries", 11), "retries 11: it must lie between 0 and 10"),
        (c.SetOption("api>catalog", "breaker.colour", 1), "breaker.window_us"),
        (c.SetOption("api>catalog", "breaker.failure_ppm", 0), "failure_ppm 0"),
        (c.SetOption("clients>api", "breaker.minimum", 1), "this edge has no breaker"),
        (c.SetOption("api>catalog", "cap_us", 1), "the base of the backoff must not exceed its cap"),
        (c.SetBackoff("api>catalog", "none", 1), "backoff 'none': one of fixed"),
        (c.SetBackoff("api>catalog", "fixed", 9, 8), "0 <= base <= cap"),
        (c.Cure("clients", "budget"), "service 'clients'"),
        (c.Cure("api", "prayer"), "cure 'prayer': one of breaker"),
        (SetRule("fairness", True), "rule 'fairness': one of open_rejects"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words_and_changes_nothing(command: Any, words: str) -> None:
    from engines.errors import UserError

    run = world()
    run.advance(S)
    before = run.snapshot()
    with pytest.raises(UserError) as refused:
        run.submit(command)
    assert words in str(refused.value)
    assert run.snapshot() == before


def test_settings_that_make_no_sense_are_refused() -> None:
    from engines.errors import UserError

    with pytest.raises(UserError, match="pairs of a service and 1 to 60000 milliseconds"):
        world(("slow", (("catalog", 0),)))


def test_options_of_an_edge_are_values() -> None:
    run = world()
    options = run.engine.shop.edges["api>catalog"]  # type: ignore[attr-defined]
    assert replace(options) == options
    assert hash(options) == hash(replace(options))


def test_a_breaker_that_judges_at_ticks_trips_at_the_tick_and_is_told_then_even_if_nobody_calls_any_more() -> None:
    run = world(("preset", "hystrix"))
    run.advance(2_500_000)
    run.submit(c.Abort("api>catalog", 100))
    run.advance(3_800_000)
    assert breaker(after(run, 6, c.SetLoad("off", 0))).state == "closed"
    found = breaker(after(run, 2))
    moves = happened(run, e.BreakerMoved)
    assert (found.state, found.since_us % 500_000) == ("open", 0)
    assert [each.moved.at_us for each in moves] == [found.since_us]
    assert red(run) == []
