"""Times and shares as text: cut off, never rounded up, and what is more than nothing never reads like nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.units import (
    PPM,
    US_PER_S,
    between,
    exact,
    fixed,
    per_s,
    percent,
    rounded,
    seconds,
    share,
    span,
    stamp,
    tenths,
)  # fmt: skip

HOUR_US = 3_600_000_000


MULTIPLE = {"us": 1, "ms": 1_000, "s": 1_000_000}


def worth(text: str) -> float:
    number, unit = text.split()
    return float(number.replace(",", "")) * MULTIPLE[unit]


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "0 ms"), (1, "1 us"), (999, "999 us"), (1_000, "1 ms"), (4_190, "4.1 ms"), (12_500, "12 ms"),
        (243_999, "243 ms"), (999_999, "999 ms"), (1_000_000, "1.00 s"), (1_249_999, "1.24 s"),
        (99_999_999, "99.99 s"), (140_000_000, "140 s"), (3_600 * US_PER_S, "3,600 s"), (-9_000, "-9 ms"),
    ],
)  # fmt: skip
def test_a_measured_time_has_about_three_digits(us: int, text: str) -> None:
    assert span(us) == text


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "0 ms"), (300, "300 us"), (12_500, "12.5 ms"), (12_501, "12.501 ms"), (500_000, "500 ms"),
        (1_250_000, "1.25 s"), (1_250_300, "1250.3 ms"), (30_000_000, "30 s"), (-50_000, "-50 ms"),
    ],
)  # fmt: skip
def test_a_chosen_time_has_the_digits_it_needs(us: int, text: str) -> None:
    assert exact(us).replace(",", "") == text


@given(st.integers(-(10**12), 10**12))
def test_a_chosen_time_can_be_read_back(us: int) -> None:
    assert round(worth(exact(us))) == us


@given(st.integers(1, 10**12))
def test_a_measured_time_is_cut_off_and_never_reads_like_nothing(us: int) -> None:
    assert 0 < worth(span(us)) <= us + 1e-6
    assert worth(span(us)) >= us * 0.9


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_from_nothing_to_nothing_cannot_be_said(low: int, high: int) -> None:
    said = between(min(low, high), max(low, high))
    assert (" to " in said) == (low != high)


@pytest.mark.parametrize(
    ("ppm", "text"),
    [
        (0, "0 %"), (1, "<0.1 %"), (999, "<0.1 %"), (5_000, "0.5 %"), (10_000, "1 %"), (41_900, "4.1 %"),
        (99_999, "9.9 %"), (100_000, "10 %"), (669_999, "66 %"), (PPM - 1, "99 %"), (PPM, "100 %"),
        (12 * PPM, "1,200 %"), (-5_000, "-0.5 %"),
    ],
)  # fmt: skip
def test_a_share_is_a_whole_percent_with_a_tenth_where_it_is_small(ppm: int, text: str) -> None:
    assert percent(ppm) == text


@pytest.mark.parametrize(("ppm", "text"), [(666_999, "66.6 %"), (500_000, "50 %"), (0, "0 %"), (7, "<0.1 %")])
def test_a_share_to_the_tenth(ppm: int, text: str) -> None:
    assert tenths(ppm) == text


def test_a_part_of_nothing_is_nothing() -> None:
    assert (share(1, 3), share(1, 2_000), share(0, 0), share(3, 3)) == ("33 %", "<0.1 %", "0 %", "100 %")


def test_a_rate_has_a_tenth_where_it_is_low() -> None:
    assert [per_s(each) for each in (0, 99, 6_799, 40_900, 1_200_000)] == ["0/s", "<0.1/s", "6.7/s", "40/s", "1,200/s"]


def test_a_moment_of_a_run() -> None:
    assert (stamp(0), stamp(62_345_999)) == ("00:00.000", "01:02.345")
    assert (stamp(HOUR_US - 1), stamp(HOUR_US)) == ("59:59.999", "1:00:00.000")
    assert (stamp(24 * HOUR_US - 1), stamp(24 * HOUR_US)) == ("23:59:59.999", "1d 00:00:00")
    assert stamp((1_234 * 24 + 5) * HOUR_US + 62_345_999) == "1,234d 05:01:02"


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "0 us"), (412, "412 us"), (4_000, "4.0 ms"), (9_949, "9.9 ms"), (9_950, "10 ms"), (33_400, "33 ms"),
        (999_499, "999 ms"), (999_500, "1.00 s"), (1_314_000, "1.31 s"), (139_500_000, "140 s"), (-9_000, "-9.0 ms"),
    ],
)  # fmt: skip
def test_in_a_column_a_time_keeps_its_decimals_and_goes_to_the_nearest(us: int, text: str) -> None:
    assert fixed(us) == text


@pytest.mark.parametrize(
    ("us", "text"),
    [(-1, "0 ms"), (240_900, "240 ms"), (1_200_000, "1.2 s"), (18_000_000, "18.0 s"), (140_900_000, "140 s")],
)
def test_a_countdown_keeps_its_places(us: int, text: str) -> None:
    assert seconds(us) == text


@pytest.mark.parametrize(
    ("ppm", "text"),
    [(-1, "0"), (0, "0"), (499, "<.1 %"), (500, "0.1 %"), (142_857, "14.3 %"), (166_667, "16.7 %"), (PPM, "100 %")],
)
def test_a_share_beside_its_formula_is_the_number_people_know(ppm: int, text: str) -> None:
    assert rounded(ppm) == text
