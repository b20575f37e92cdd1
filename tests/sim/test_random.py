"""Draws are a function of (seed, stream, counter)."""

from hypothesis import given
from hypothesis import strategies as st

from engines.sim.random import AHEAD, MASK64, Stream, draw, draws, stream_key


def test_the_mixer_is_splitmix64() -> None:
    """Its reference implementation, seeded with 0 and 1234567, returns these numbers first."""
    assert [draw(0, n) for n in (1, 2, 3)] == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert [draw(1234567, n) for n in (1, 2)] == [6457827717110365317, 3203168211198807973]


@given(st.integers(0, MASK64), st.integers(0, MASK64))
def test_numbers_made_ahead_are_the_numbers_made_one_by_one(key: int, n: int) -> None:
    assert draws(key, n)[::-1] == [draw(key, n + ahead) for ahead in range(AHEAD)]


def test_known_answers() -> None:
    assert stream_key(42, "link/n1>n2") == 0xAD7B86EA1F031328
    stream = Stream(42, "n1/election")
    assert [stream.between(150_000, 300_000) for _ in range(4)] == [261012, 168194, 181832, 227284]


def test_the_nth_draw_does_not_depend_on_the_draws_before_it() -> None:
    stream = Stream(7, "a")
    in_order = [stream.next() for _ in range(100)]
    assert [draw(stream_key(7, "a"), n) for n in reversed(range(100))] == in_order[::-1]


def test_streams_and_seeds_are_independent() -> None:
    names = [(seed, name) for seed in (0, 1, -1, 1 << 40) for name in ("a", "b", "ab", "a/b")]
    draws = {name: tuple(Stream(*name).next() >> 1 for _ in range(1)) for name in names}
    assert len(set(draws.values())) == len(names)
    one, other = Stream(1, "a"), Stream(1, "b")
    same = sum((one.next() ^ other.next()).bit_count() for _ in range(2_000))
    assert abs(same - 64_000) < 5 * 179  # 128,000 fair bits: five standard deviations


def test_draws_are_uniform() -> None:
    for bound in (2, 7, 100):
        stream = Stream(3, f"below {bound}")
        count = 1_000 * bound
        buckets = [0] * bound
        for _ in range(count):
            buckets[stream.below(bound)] += 1
        chi_squared = sum((found - 1_000) ** 2 / 1_000 for found in buckets)
        assert chi_squared < bound - 1 + 5 * (2 * bound) ** 0.5


@given(st.integers(), st.integers(-1_000, 1_000), st.integers(0, 1_000))
def test_between_includes_both_ends_and_nothing_else(seed: int, low: int, width: int) -> None:
    stream = Stream(seed, "between")
    assert all(low <= stream.between(low, low + width) <= low + width for _ in range(20))
    small = Stream(seed, "small")
    assert {small.between(0, 2) for _ in range(200)} == {0, 1, 2}


def test_chances() -> None:
    stream = Stream(5, "chance")
    assert not any(stream.chance(0) for _ in range(1_000))
    assert all(stream.chance(1_000_000) for _ in range(1_000))
    hits = sum(stream.chance(250_000) for _ in range(10_000))
    assert abs(hits - 2_500) < 5 * 43.3
