"""Sampling at the head and at the tail."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.sim.random import Stream
from engines.tracing import sampling
from engines.tracing.context import TraceContext, extract, inject, root
from engines.tracing.sampling import (
    ALL,
    AlwaysOff,
    AlwaysOn,
    Bucket,
    Errors,
    Latency,
    ParentBased,
    Probability,
    Rate,
    RateLimited,
    Share,
    Tail,
)
from engines.tracing.spans import Span, Status

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
"""Its randomness is ce929d0e0e4736."""
HERE = TraceContext(TRACE, "00f067aa0ba902b7", random=True)
ppm = st.integers(0, sampling.PPM)


def span(start_us: int = 0, end_us: int = 10, status: Status = Status.UNSET, trace: str = TRACE) -> Span:
    return Span(trace, "1" * 16, "", "GET", "api", start_ns=start_us * 1000, end_ns=end_us * 1000, status=status)


def test_randomness_is_the_last_seven_bytes_of_the_trace_id() -> None:
    assert sampling.randomness(HERE) == 0xCE929D0E0E4736


def test_an_explicit_rv_outranks_the_trace_id() -> None:
    assert sampling.randomness(HERE.put("ot", "th:0;rv:00000000000001")) == 1


@pytest.mark.parametrize("bad", ["rv:1", "rv:0000000000000g", "rv:000000000000001", "rv", "RV:00000000000001", ";"])
def test_a_malformed_rv_is_ignored(bad: str) -> None:
    assert sampling.randomness(HERE.put("ot", bad)) == 0xCE929D0E0E4736


@pytest.mark.parametrize(("share", "told"), [(1_000_000, "0"), (500_000, "8"), (250_000, "c"), (750_000, "4")])
def test_a_threshold_is_told_without_its_trailing_zeros(share: int, told: str) -> None:
    assert sampling.th(sampling.threshold(share)) == told
    assert sampling.threshold_of(HERE.put("ot", f"th:{told}")) == sampling.threshold(share)


def test_a_malformed_threshold_is_unknown() -> None:
    assert sampling.threshold_of(HERE) is None
    assert sampling.threshold_of(HERE.put("ot", "th:123456789012345")) is None


def test_a_trace_is_kept_if_and_only_if_its_randomness_reaches_the_threshold() -> None:
    edge = HERE.put("ot", "rv:80000000000000")
    assert Probability(500_000).decide(edge, 0).sampled
    below = HERE.put("ot", "rv:7fffffffffffff")
    assert not Probability(500_000).decide(below, 0).sampled


def test_a_kept_span_tells_its_threshold_and_a_dropped_one_takes_it_away() -> None:
    here = HERE.put("rojo", "1").put("ot", "th:4;xy:z")
    kept = Probability(500_000).decide(here, 0)
    assert (kept.sampled, kept.context.sampled) == (True, True)
    assert kept.context.state == (("ot", "th:8;xy:z"), ("rojo", "1"))
    lost = Probability(1).decide(here, 0)
    assert (lost.sampled, lost.context.sampled) == (False, False)
    assert lost.context.state == (("ot", "xy:z"), ("rojo", "1"))
    assert Probability(1).decide(HERE.put("ot", "th:4"), 0).context.state == ()
    assert "<" in lost.why
    assert ">=" in kept.why


def test_the_explicit_randomness_is_never_taken_away() -> None:
    lost = Probability(0).decide(HERE.put("ot", "rv:ffffffffffffff;th:0"), 0)
    assert lost.context.get("ot") == "rv:ffffffffffffff"


@given(ppm, ppm, st.integers(1, (1 << 128) - 1))
def test_a_lower_ratio_keeps_a_subset_of_a_higher_one(one: int, two: int, number: int) -> None:
    low, high = sorted((one, two))
    context = HERE._replace(trace_id=f"{number:032x}")
    if Probability(low).decide(context, 0).sampled:
        assert Probability(high).decide(context, 0).sampled
        assert Share(high).keeps([span(trace=context.trace_id)], 0)


@given(ppm, st.integers(0, 1 << 40))
def test_every_service_decides_alike_from_the_headers(share: int, seed: int) -> None:
    first = Probability(share).decide(root(Stream(seed, "ids")), 0)
    second = Probability(share).decide(extract(inject(first.context)).child(Stream(seed, "more")), 0)
    assert first.sampled == second.sampled


def test_a_ratio_keeps_about_its_share() -> None:
    ids = Stream(42, "ids")
    kept = Counter(Probability(100_000).decide(root(ids), 0).sampled for _ in range(20_000))
    assert 1_850 < kept[True] < 2_150


def test_the_ends_of_the_scale_keep_nothing_and_everything() -> None:
    assert sampling.threshold(0) == ALL
    for rv in ("00000000000000", "ffffffffffffff"):
        context = HERE.put("ot", f"rv:{rv}")
        assert not Probability(0).decide(context, 0).sampled
        assert Probability(sampling.PPM).decide(context, 0).sampled


def test_a_trace_whose_id_is_not_random_gets_an_explicit_randomness_once() -> None:
    given_one = sampling.with_randomness(HERE._replace(random=False), Stream(1, "rv"))
    assert len(sampling.read_ot(given_one)["rv"]) == 14
    assert sampling.with_randomness(given_one, Stream(2, "rv")) == given_one
    assert sampling.with_randomness(HERE, Stream(1, "rv")) == HERE


def test_always_on_says_that_every_span_stands_for_itself() -> None:
    assert AlwaysOn().decide(HERE._replace(sampled=False), 0).context.get("ot") == "th:0"
    assert not AlwaysOff().decide(HERE.put("ot", "th:0"), 0).context.state


def test_with_a_parent_the_parent_decides() -> None:
    sampler = ParentBased(AlwaysOff())
    assert not sampler.decide(HERE, 0).sampled
    child = HERE.child(Stream(1, "ids"))
    assert sampler.decide(child, 0).sampled
    assert not ParentBased(AlwaysOn()).decide(child._replace(sampled=False), 0).sampled
    assert not ParentBased(AlwaysOn()).decide(extract(inject(HERE._replace(sampled=False))), 0).sampled


def test_a_rate_keeps_so_many_a_second_and_bursts_no_further() -> None:
    sampler = RateLimited(Bucket(per_s=10, burst=2))
    kept = [at for at in range(0, 1_000_000, 10_000) if sampler.decide(HERE, at).sampled]
    assert kept[:3] == [0, 10_000, 100_000]
    assert len(kept) == 11
    later = [sampler.decide(HERE, 10_000_000).sampled for _ in range(4)]
    assert later == [True, True, False, False]


def test_a_bucket_gains_nothing_from_time_that_runs_backwards() -> None:
    bucket = Bucket(per_s=1)
    assert [bucket.take(at) for at in (5_000_000, 0, 5_999_999, 6_000_000)] == [True, False, False, True]


def test_the_tail_keeps_slow_traces() -> None:
    tail = Tail((Latency(100),))
    assert tail.decide([span(0, 60), span(50, 101)], 0) == (True, "latency", "took 101 us, more than 100")
    assert not tail.decide([span(0, 60), span(50, 100)], 0).kept


def test_the_tail_keeps_the_error_that_the_head_misses() -> None:
    spans = [span(), span(status=Status.ERROR)]
    assert not Probability(1).decide(HERE, 0).sampled
    assert Tail((Errors(),)).decide(spans, 0) == (True, "error", "api/GET failed")


def test_the_first_policy_that_wants_a_trace_keeps_it_and_the_rate_is_spent_on_the_rest() -> None:
    tail = Tail((Errors(), Rate(Bucket(per_s=1))))
    failed = [span(status=Status.ERROR)]
    assert [tail.decide(failed, 0).policy for _ in range(3)] == ["error"] * 3
    assert [tail.decide([span()], 0).policy for _ in range(2)] == ["rate", ""]
    assert tail.decide([span()], 0).why == "no policy of error, rate wants it"
