"""What the picture counts: rates of the last samples, percentiles of the last seconds, attempts of a call."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.resilience.world import commands as c
from engines.resilience.world.ledger import LATENCY_SAMPLES, RATE_SAMPLES, Meter, Percentiles
from engines.resilience.world.subject import first_subject, subject
from engines.resilience.world.topology import plan
from engines.sim import faults
from tests.engines.resilience.world.lab import after, edge, world


@given(st.lists(st.sampled_from((0, 0, 0, 1, 2, 7)), max_size=40))
def test_a_rate_is_the_rounded_mean_of_the_last_samples_also_after_a_rest(counts: list[int]) -> None:
    meter = Meter(("calls", "others"))
    for at, count in enumerate(counts):
        meter.add("calls", count)
        assert meter.sample() == {"calls": count, "others": 0}
        newest = counts[max(0, at + 1 - RATE_SAMPLES) : at + 1]
        doubled = 2 * 2 * sum(newest)
        assert meter.rates == {"calls": (doubled + len(newest)) // (2 * len(newest)), "others": 0}
        assert meter.recent("calls") == sum(newest)


def test_percentiles_forget_after_ten_seconds_and_begin_again() -> None:
    found = Percentiles()
    found.sample()
    found.running.record(1_000)
    found.sample()
    assert found.p99_us >= 1_000
    for _ in range(LATENCY_SAMPLES - 1):
        found.sample()
        assert found.p99_us >= 1_000
    for _ in range(3):
        found.sample()
        assert (found.count, found.p50_us, found.p99_us) == (0, 0, 0)
    found.running.record(5_000)
    found.sample()
    assert (found.count, found.p50_us) == (1, found.p99_us)
    assert found.p50_us >= 5_000


@pytest.mark.parametrize(
    ("command", "edge_id"),
    [
        (c.Abort("api>cart", 100), "api>cart"),
        (c.SetOption("catalog>catalog-db", "retries", 1), "catalog>catalog-db"),
        (c.SetOption("*", "retries", 1), ""),
        (c.SlowService("auth", 1_000), "api>auth"),
        (c.SickHost("payment-2", 100), "api>payment"),
        (c.Cure("catalog", "breaker"), "api>catalog"),
        (c.SetMix("browse"), "api>auth"),
        (c.SetMix("shop"), "api>payment"),
        (faults.Crash("cart-db"), "api>cart"),
        (faults.Crash("api"), ""),
        (faults.Heal(), ""),
        (faults.Narrate("look"), ""),
    ],
)
def test_a_command_says_which_edge_to_watch(command: Any, edge_id: str) -> None:
    assert subject(plan(1, 3), command) == edge_id


def test_without_a_command_the_first_edge_that_the_calls_need_is_watched() -> None:
    assert [first_subject(mix) for mix in ("shop", "buy", "catalog")] == ["api>payment", "api>auth", "api>catalog"]
    assert world(("mix", "browse")).snapshot().watch == "api>auth"


def test_attempts_of_a_call_are_known_when_one_has_ended() -> None:
    run = world(("rate", 1))
    assert edge(run.snapshot()).amplified_ppm == run.snapshot().amplified_ppm == -1
    seen = after(run, 5)
    assert edge(seen).amplified_ppm == seen.amplified_ppm == 1_000_000
    assert edge(seen, "api>auth").amplified_ppm == -1
