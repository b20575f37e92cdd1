"""Envoy's two things: caps on what is under way, and the ejection of bad hosts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import UserError
from engines.resilience.outlier import ConcurrencyCaps, Ejection, EjectionCause, OutlierDetector, OutlierOptions

S = 1_000_000


def hosts(count: int) -> tuple[str, ...]:
    return tuple(f"payment-{i + 1}" for i in range(count))


def fail(detector: OutlierDetector, host: str, times: int, now_us: int = 0) -> Ejection | None:
    found = None
    for _ in range(times):
        found = detector.record(host, True, now_us)
    return found


def test_the_defaults_are_envoy_s() -> None:
    options = OutlierOptions()
    assert (options.consecutive, options.interval_us, options.base_us) == (5, 10 * S, 30 * S)
    assert (options.max_us, options.max_percent, options.always_eject_one) == (300 * S, 10, False)
    assert (options.rate_hosts, options.rate_requests, options.sigma_thousandths) == (5, 100, 1_900)


# -- errors in a row -------------------------------------------------------------------------------------------------


def test_the_fifth_error_in_a_row_ejects_at_once() -> None:
    detector = OutlierDetector(OutlierOptions(), hosts(10))
    assert fail(detector, "payment-1", 4) is None
    found = fail(detector, "payment-1", 1, 77)
    assert found == Ejection(77, "payment-1", True, EjectionCause.ERRORS, 5, span_us=30 * S)
    assert found.why == "5 errors in a row: out for 30 s"
    assert detector.usable() == hosts(10)[1:]


def test_a_success_breaks_the_row() -> None:
    detector = OutlierDetector(OutlierOptions(), hosts(10))
    fail(detector, "payment-1", 4)
    detector.record("payment-1", False, 0)
    assert fail(detector, "payment-1", 4) is None
    assert fail(detector, "payment-1", 1) is not None


@pytest.mark.parametrize("count", range(1, 10))
def test_ten_percent_of_up_to_nine_hosts_is_nobody(count: int) -> None:
    detector = OutlierDetector(OutlierOptions(), hosts(count))
    denied = fail(detector, "payment-1", 5)
    assert denied is not None
    assert not denied.out
    assert denied.why == f"5 errors in a row, but no more than 10 % of {count} hosts may be out, 0 are"
    assert detector.usable() == hosts(count)
    assert detector.denied == 1


def test_ten_percent_of_ten_hosts_is_one() -> None:
    detector = OutlierDetector(OutlierOptions(), hosts(10))
    first, second = fail(detector, "payment-1", 5), fail(detector, "payment-2", 5)
    assert first is not None
    assert second is not None
    assert (first.out, second.out) == (True, False)


def test_always_eject_one_ejects_one_of_five_and_not_two() -> None:
    detector = OutlierDetector(OutlierOptions(always_eject_one=True), hosts(5))
    first, second = fail(detector, "payment-1", 5), fail(detector, "payment-2", 5)
    assert first is not None
    assert second is not None
    assert (first.out, second.out) == (True, False)


def test_a_denied_ejection_begins_the_row_anew() -> None:
    detector = OutlierDetector(OutlierOptions(), hosts(5))
    fail(detector, "payment-1", 5)
    assert fail(detector, "payment-1", 4) is None
    assert fail(detector, "payment-1", 1) is not None


# -- coming back -----------------------------------------------------------------------------------------------------


def test_a_host_returns_at_the_first_sweep_after_its_time() -> None:
    detector = OutlierDetector(OutlierOptions(), hosts(10))
    fail(detector, "payment-1", 5, 12 * S)
    assert detector.returns_us("payment-1") == 50 * S, "12 s + 30 s, and the next sweep"
    assert detector.sweep(50 * S - 1) == ()
    back = detector.sweep(50 * S)
    assert [(each.at_us, each.host, each.out) for each in back] == [(50 * S, "payment-1", False)]
    assert detector.returns_us("payment-1") == -1
    assert detector.usable() == hosts(10)


def test_a_sweep_exactly_at_the_end_of_its_time_takes_it_back() -> None:
    detector = OutlierDetector(OutlierOptions(), hosts(10))
    fail(detector, "payment-1", 5, 10 * S)
    assert detector.sweep(39_999_999) == ()
    assert len(detector.sweep(40 * S)) == 1


def test_every_ejection_lasts_longer_up_to_the_maximum() -> None:
    detector = OutlierDetector(OutlierOptions(), hosts(10))
    lasted = []
    now_us = 0
    for _ in range(13):
        ejection = fail(detector, "payment-1", 5, now_us)
        assert ejection is not None
        assert ejection.out
        lasted.append(detector.out_for_us("payment-1") // S)
        now_us = detector.returns_us("payment-1")
        detector.sweep(now_us)
    assert lasted == [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300, 300]


def test_a_quiet_interval_takes_one_ejection_off() -> None:
    detector = OutlierDetector(OutlierOptions(), hosts(10))
    for _ in range(2):
        fail(detector, "payment-1", 5, detector.sweep_us)
        detector.sweep(detector.returns_us("payment-1"))
    assert detector.hosts["payment-1"].backoff == 2
    detector.sweep(detector.sweep_us)
    assert detector.hosts["payment-1"].backoff == 1


def test_less_than_an_interval_inside_takes_nothing_off() -> None:
    detector = OutlierDetector(OutlierOptions(), hosts(10))
    fail(detector, "payment-1", 5)
    detector.healthy("payment-1", 3 * S)
    detector.sweep(10 * S)
    assert detector.hosts["payment-1"].backoff == 1
    detector.sweep(20 * S)
    assert detector.hosts["payment-1"].backoff == 0


def test_a_health_check_takes_an_ejected_host_back_at_once() -> None:
    detector = OutlierDetector(OutlierOptions(), hosts(10))
    fail(detector, "payment-1", 5)
    back = detector.healthy("payment-1", 3 * S)
    assert back is not None
    assert (back.at_us, back.out) == (3 * S, False)
    assert detector.healthy("payment-1", 3 * S) is None


# -- success rates ---------------------------------------------------------------------------------------------------


def requests(detector: OutlierDetector, host: str, good: int, bad: int) -> None:
    """Spread so that no row of errors gets long."""
    for i in range(good + bad):
        detector.record(host, (i + 1) * bad // (good + bad) > i * bad // (good + bad), 0)


def spread(bad: int, *, others: int = 9, each: int = 100) -> OutlierDetector:
    detector = OutlierDetector(OutlierOptions(), hosts(others + 1))
    for host in hosts(others + 1)[1:]:
        requests(detector, host, each, 0)
    requests(detector, "payment-1", each - bad, bad)
    return detector


def test_a_host_far_below_the_others_is_ejected_at_the_sweep() -> None:
    detector = spread(40)
    assert detector.usable() == hosts(10)
    ejected = detector.sweep(10 * S)
    assert [(each.host, each.out) for each in ejected] == [("payment-1", True)]
    assert ejected[0].why == "60 % succeeded, below 73.2 %: out for 30 s", "96 % - 1.9 * 12 %"


def test_the_limit_of_one_host_at_50_percent_among_four_good_ones_is_52() -> None:
    """The example in Envoy's source: mean 90, sigma 20, 90 - 1.9 * 20 = 52."""
    detector = OutlierDetector(OutlierOptions(always_eject_one=True), hosts(5))
    for host in hosts(5)[1:]:
        requests(detector, host, 100, 0)
    requests(detector, "payment-1", 50, 50)
    assert [each.why for each in detector.sweep(10 * S)] == ["50 % succeeded, below 52 %: out for 30 s"]


def test_with_fewer_than_five_hosts_success_rates_are_not_compared() -> None:
    detector = OutlierDetector(OutlierOptions(max_percent=100), hosts(4))
    for host in hosts(4)[1:]:
        requests(detector, host, 100, 0)
    requests(detector, "payment-1", 60, 40)
    assert detector.sweep(10 * S) == ()


def test_with_fewer_than_a_hundred_requests_a_host_has_no_success_rate() -> None:
    assert spread(40, each=99).sweep(10 * S) == ()


def test_an_interval_s_requests_do_not_count_in_the_next() -> None:
    detector = spread(40)
    detector.options = OutlierOptions(max_percent=0)
    assert [each.out for each in detector.sweep(10 * S)] == [False]
    detector.options = OutlierOptions()
    assert detector.sweep(20 * S) == ()


def test_equal_hosts_are_not_ejected_however_bad() -> None:
    detector = OutlierDetector(OutlierOptions(max_percent=100), hosts(5))
    for host in hosts(5):
        requests(detector, host, 50, 50)
    assert detector.sweep(10 * S) == ()


# -- panic -----------------------------------------------------------------------------------------------------------


def test_with_fewer_than_half_the_hosts_left_all_are_used() -> None:
    detector = OutlierDetector(OutlierOptions(max_percent=100), hosts(4))
    fail(detector, "payment-1", 5)
    fail(detector, "payment-2", 5)
    half = detector.panics, detector.usable()
    fail(detector, "payment-3", 5)
    fewer = detector.panics, detector.usable()
    assert half == (False, ("payment-3", "payment-4")), "half is not fewer than half"
    assert fewer == (True, hosts(4))


def test_panic_can_be_switched_off() -> None:
    detector = OutlierDetector(OutlierOptions(max_percent=100, panic_percent=0), hosts(2))
    fail(detector, "payment-1", 5)
    fail(detector, "payment-2", 5)
    assert detector.usable() == ()


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 15)), max_size=150),
    st.integers(0, 100),
    st.booleans(),
)
def test_never_more_are_out_than_may_be_and_everybody_returns(
    steps: list[tuple[int, bool, int]], percent: int, one: bool
) -> None:
    options = OutlierOptions(max_percent=percent, always_eject_one=one, consecutive=2)
    detector, now_us = OutlierDetector(options, hosts(5)), 0
    most = max(percent * 5 // 100, int(one))
    for host, failed, gap in steps:
        now_us += gap * S
        detector.sweep(now_us)
        detector.record(hosts(5)[host], failed, now_us)
        assert sum(each.out for each in detector.hosts.values()) <= most
    detector.sweep(now_us + 320 * S)
    assert not any(each.out for each in detector.hosts.values())


# -- caps ------------------------------------------------------------------------------------------------------------


def test_a_cap_counts_what_is_under_way_and_what_was_too_much() -> None:
    caps = ConcurrencyCaps(retries=2)
    assert [cap.limit for cap in caps.all()] == [1_024, 1_024, 1_024, 2]
    assert [caps.retries.take() for _ in range(3)] == [True, True, False]
    caps.retries.give()
    assert caps.retries.take()
    assert (caps.retries.used, caps.retries.overflows) == (2, 1)


def test_the_defaults_of_the_caps_are_envoy_s() -> None:
    caps = ConcurrencyCaps()
    assert [(cap.name, cap.limit) for cap in caps.all()] == [
        ("connections", 1_024),
        ("pending", 1_024),
        ("requests", 1_024),
        ("retries", 3),
    ]


@pytest.mark.parametrize("changed", [{"consecutive": 0}, {"max_percent": 101}, {"interval_us": 0}], ids=str)
def test_numbers_out_of_range_are_refused(changed: dict[str, int]) -> None:
    with pytest.raises(UserError, match="outlier: "):
        OutlierOptions(**changed)  # type: ignore[arg-type]


def test_a_cap_below_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="cap retries"):
        ConcurrencyCaps(retries=-1)
