"""Which keys are asked for, and what salting calls its copies."""

from collections import Counter
from itertools import islice
from random import Random

import pytest

from engines.errors import UserError
from engines.sharding.hashing.crc16 import slot
from engines.sharding.workload import Workload, copy_name, growing, weighted, zipf, zipf_keys

KEYS = tuple(f"k{i}" for i in range(1_000))


def drawn(workload: Workload, count: int, seed: int = 3) -> Counter[str]:
    below = Random(seed).randrange
    return Counter(workload.pick(below) for _ in range(count))


def test_keys_are_asked_for_by_their_weights() -> None:
    counts = drawn(weighted([("a", 1), ("b", 3), ("c", 0)]), 20_000)
    assert [counts[key] / 20_000 for key in "abc"] == pytest.approx([0.2, 0.6, 0.2], abs=0.01)


def test_zipf_follows_its_law() -> None:
    counts = drawn(zipf(KEYS), 50_000)
    assert counts["k0"] / counts["k1"] == pytest.approx(2**1.1, rel=0.06)
    assert counts["k0"] / counts["k9"] == pytest.approx(10**1.1, rel=0.2)
    even = drawn(zipf(KEYS[:10], 0), 20_000)
    assert max(even.values()) / 2_000 == pytest.approx(1, abs=0.1)


def test_the_hot_key_gets_its_share() -> None:
    counts = drawn(weighted([(key, 1) for key in KEYS], hot_ppm=300_000), 20_000)
    assert counts["k0"] / 20_000 == pytest.approx(0.3, abs=0.01)


def test_the_hottest_of_a_hundred_thousand_keys_has_13_5_percent() -> None:
    keys = zipf_keys(100_000)
    assert keys.weight(0) / keys.total == pytest.approx(0.135, abs=0.001)


def test_expected_load_descends_from_one() -> None:
    keys = zipf_keys(5, 1)
    assert list(islice(keys, 2)) == [b"k0", b"k1"]
    assert [keys.weight(i) for i in range(5)] == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5])


def test_growing_keys_grow_as_bytes() -> None:
    keys = [growing(number, "c1").encode() for number in range(98, 103)]
    assert keys == sorted(keys)


def test_salted_copies_lie_in_different_slots_even_of_a_tagged_key() -> None:
    copies = [copy_name("{user1}.cart", number) for number in range(1, 9)]
    assert copies[0] == "(user1).cart#1"
    assert len({slot(copy.encode()) for copy in copies}) == 8


def test_impossible_workloads() -> None:
    with pytest.raises(UserError, match="0 different keys: 1 to 10000000"):
        zipf(())
    for skew in (-1, 11, float("nan")):
        with pytest.raises(UserError, match="a skew of"):
            zipf(KEYS, skew)
