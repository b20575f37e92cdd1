"""Streams of keys that any part of can be made at once."""

from collections import Counter
from itertools import islice

import pytest

from engines.errors import UserError
from engines.sharding.workload import HotKey, Monotonic, Uniform, Workload, Zipf, take, zipf_keys

STREAMS: list[Workload] = [Uniform(7, 100), Zipf(7, 1000), Monotonic(5), HotKey(7, 100, 200_000)]


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: type(stream).__name__)
def test_the_nth_key_does_not_depend_on_the_others(stream: Workload) -> None:
    assert list(take(stream, 50, 25)) == list(take(stream, 75))[25:]


def test_seeds_differ_and_repeat() -> None:
    assert list(take(Zipf(1, 1000), 50)) == list(take(Zipf(1, 1000), 50)) != list(take(Zipf(2, 1000), 50))


def test_the_streams_never_change() -> None:
    assert list(take(Uniform(42, 1000), 4)) == [b"k53", b"k514", b"k878", b"k81"]
    assert list(take(Zipf(42, 1000), 4)) == [b"k17", b"k4", b"k5", b"k2"]


def test_uniform_is_uniform() -> None:
    counts = Counter(take(Uniform(3, 10), 20_000))
    assert len(counts) == 10
    assert max(counts.values()) / 2000 == pytest.approx(1, abs=0.1)


def test_zipf_follows_its_law() -> None:
    zipf = Zipf(3, 100_000)
    assert zipf.hottest_share == pytest.approx(0.135, abs=0.001)
    counts = Counter(take(zipf, 50_000))
    assert counts[b"k0"] / 50_000 == pytest.approx(0.135, abs=0.006)
    assert counts[b"k0"] / counts[b"k1"] == pytest.approx(2**1.1, rel=0.06)
    assert counts[b"k0"] / counts[b"k9"] == pytest.approx(10**1.1, rel=0.2)
    assert Zipf(3, 4, 0).hottest_share == 0.25


def test_monotonic_keys_grow_as_bytes() -> None:
    keys = list(take(Monotonic(98), 5))
    assert keys == sorted(keys)
    assert keys[0] == b"00000000000000000098"


def test_the_hot_key_gets_its_share() -> None:
    counts = Counter(take(HotKey(1, 1000, 300_000), 20_000))
    assert counts[b"hot"] / 20_000 == pytest.approx(0.3, abs=0.01)
    assert Counter(take(HotKey(1, 10, 0), 100))[b"hot"] == 0
    assert Counter(take(HotKey(1, 10, 1_000_000), 100))[b"hot"] == 100


def test_expected_load_descends_from_one() -> None:
    keys = zipf_keys(5, 1)
    assert list(islice(keys, 2)) == [b"k0", b"k1"]
    assert [keys.weight(i) for i in range(5)] == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5])


def test_impossible_workloads() -> None:
    for kind in (Uniform, Zipf):
        with pytest.raises(UserError, match="0 different keys: 1 to 10000000"):
            kind(1, 0)
    for skew in (-1, 11, float("nan")):
        with pytest.raises(UserError, match="a skew of"):
            Zipf(1, 10, skew)
    with pytest.raises(UserError, match="a start of -1"):
        Monotonic(-1)
    with pytest.raises(UserError, match="0 to 1000000 is accepted"):
        HotKey(1, 10, 1_000_001)
