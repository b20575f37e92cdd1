"""Every check can fail: with its rule switched off it turns red, names what broke, and no other check does."""

from typing import Any

import pytest

from engines.resilience.pattern import PATTERN
from engines.resilience.world import checks as i
from engines.resilience.world import commands as c
from engines.sim import faults
from engines.sim.rules import SetRule
from engines.sim.timeline import Timeline
from tests.engines.resilience.world.lab import Run, after, breaker, red, world

S = 1_000_000


def broken(rule: str, *config: tuple[str, Any]) -> Run:
    run = world(*config)
    after(run, 4, SetRule(rule, False))
    return run


def assert_only(run: Run, name: str) -> None:
    assert red(run) == [name]
    check = next(check for check in run.check() if not check.ok)
    assert check.detail
    assert check.witness
    assert 0 < check.position <= run.position


def test_an_open_breaker_that_lets_calls_through_is_seen() -> None:
    run = broken("open_rejects")
    after(run, 10, c.SetBreaker("api>catalog", "force_open"))
    assert_only(run, i.OPEN)


def test_a_tripped_breaker_that_lets_calls_through_is_seen() -> None:
    run = broken("open_rejects")
    after(run, 8, c.Abort("api>catalog", 100))
    assert_only(run, i.OPEN)


def test_one_probe_too_many_is_seen() -> None:
    run = broken("probe_limit")
    after(run, 6, c.SetOption("api>catalog", "breaker.wait_us", 3 * S), c.Abort("api>catalog", 100))
    after(run, 3, faults.Heal(), c.SlowService("catalog", 3_000))
    assert_only(run, i.PROBES)


@pytest.mark.parametrize("preset", ["article", "hystrix", "resilience4j", "resilience4j-time", "polly"])
def test_a_window_that_forgets_successes_is_seen(preset: str) -> None:
    run = broken("count_success", ("preset", preset))
    after(run, 3)
    assert_only(run, i.WINDOW)


def test_retries_without_a_limit_are_seen() -> None:
    run = broken("retry_limit", ("retry_at", "api"))
    after(run, 6, c.SetPreset("*", "none"), c.Abort("api>catalog", 100))
    assert_only(run, i.RETRIES)


@pytest.mark.parametrize("active", [0, 1])
def test_a_budget_that_is_overdrawn_is_seen(active: int) -> None:
    run = broken("retry_limit", ("retry_at", "api"), ("retries", 10), ("budget", 10))
    run.submit(c.SetPreset("*", "none"))
    run.submit(c.SetOption("api>catalog", "budget_active", active))
    after(run, 1, c.Abort("api>catalog", 100))
    assert_only(run, i.RETRIES)
    assert "budget" in next(check for check in run.check() if not check.ok).detail


def test_a_permit_of_a_bulkhead_that_a_timeout_forgets_is_seen() -> None:
    run = broken("release_permits", ("bulkhead", 5))
    after(run, 3, faults.Crash("catalog"))
    assert_only(run, i.PERMITS)


def test_a_probe_that_a_timeout_forgets_is_seen() -> None:
    run = broken("release_permits")
    run.submit(c.SetOrder("api>catalog", ("timeout", "retry", "breaker", "limiter", "bulkhead")))
    after(run, 6, c.SetOption("api>catalog", "breaker.wait_us", 3 * S), c.Abort("api>catalog", 100))
    after(run, 5, faults.Heal(), faults.Crash("catalog"))
    assert_only(run, i.PERMITS)


def test_a_late_answer_that_ends_a_call_again_is_seen() -> None:
    run = broken("answer_once")
    after(run, 4, c.SlowService("catalog", 5_000))
    assert_only(run, i.ONCE)


def test_waste_that_passes_for_work_is_seen() -> None:
    run = broken("count_waste")
    after(run, 4, c.SlowService("catalog", 5_000))
    assert_only(run, i.WASTE)


@pytest.mark.parametrize("variant", ["breaker", "envoy"])
def test_with_all_rules_on_none_of_these_breaks_anything(variant: str) -> None:
    run = world(("retry_at", "everywhere"), ("bulkhead", 5), ("budget", 10), variant=variant)
    after(run, 8, c.Abort("api>catalog", 60), c.SlowService("auth", 5_000))
    after(run, 8, faults.Crash("catalog"), c.SetOption("*", "breaker.wait_us", 3 * S))
    after(run, 8, faults.Heal(), c.SetMix("shop"))
    assert red(run) == []


@pytest.mark.parametrize(("service", "seed"), [("auth", 1), ("catalog", 2)])
def test_two_minutes_of_a_frozen_service_and_its_thaw_break_nothing(service: str, seed: int) -> None:
    run: Run = Timeline(PATTERN.variant("breaker"), seed, (("rate", 30),))
    after(run, 5)
    after(run, 120, faults.Freeze(service))
    after(run, 20, faults.Thaw(service))
    assert red(run) == []


@pytest.mark.parametrize("preset", ["opossum", "hystrix", "article"])
def test_a_breaker_that_is_reset_off_a_whole_second_keeps_or_begins_its_buckets_as_its_library_does(
    preset: str,
) -> None:
    run = world(("preset", preset))
    run.advance(2_370_000)
    run.submit(c.SetBreaker("api>catalog", "reset"))
    after(run, 15, c.Abort("api>catalog", 20))
    assert red(run) == []


def test_calls_under_way_keep_the_budget_under_which_they_began() -> None:
    run = world(("budget", 20), ("retry_at", "api"), ("retries", 3), ("rate", 30), variant="envoy")
    after(run, 2, c.Abort("api>catalog", 80))
    for name, value in (("budget_active", 0), ("budget_ppm", 50_000), ("budget_active", 1), ("budget_min", 0)):
        run.submit(c.SetOption("api>catalog", name, value))
        run.advance(run.now_us + 400_000)
        assert red(run) == [], name


def test_an_older_call_that_is_cancelled_may_add_a_probe_where_the_library_lets_it() -> None:
    run = world(("preset", "resilience4j"), ("timeout_ms", 3_000), ("workers", 50), ("api_workers", 300), ("rate", 40))
    run.submit(c.SetOrder("api>catalog", ("timeout", "retry", "breaker", "limiter", "bulkhead")))
    run.submit(c.SetOption("api>catalog", "breaker.wait_us", S))
    run.submit(c.SetOption("api>catalog", "breaker.size", 10))
    after(run, 1)
    run.submit(faults.Cut("catalog", "api"))
    after(run, 1)
    run.submit(c.Abort("api>catalog", 100))
    run.advance(run.now_us + 400_000)
    assert breaker(run.snapshot()).state == "open"
    run.submit(c.Abort("api>catalog", 0))
    run.advance(run.now_us + 1_900_000)
    book = run.engine.invariants.books["api>catalog", "api"]  # type: ignore[attr-defined]
    assert breaker(run.snapshot()).state == "half_open"
    assert book.given > 0
    assert red(run) == []


def test_a_worker_that_is_never_given_back_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from engines.sim.service import Pool

    run = world()
    after(run, 2)
    release = Pool.release
    monkeypatch.setattr(Pool, "release", lambda pool, holder: holder % 7 == 0 or release(pool, holder))
    after(run, 2)
    assert red(run) == [i.PERMITS]


def test_a_call_that_vanishes_is_seen() -> None:
    run = world()
    after(run, 2)
    edge = run.engine.caller("api").edges["catalog"]  # type: ignore[attr-defined]
    after(run, 1, c.SlowService("catalog", 5_000))
    _, call = edge.calls.popitem()
    edge.agenda.cancel(call.waiting["timeout"])
    run.advance(run.now_us + 200_000)
    assert red(run) == [i.ONCE]
