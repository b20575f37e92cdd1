"""A partition holds 10 GB and serves 3000 reads and 1000 writes; one hot item stays hot."""

import pytest

from engines.errors import UserError
from engines.sharding.hashing.fast import hash64
from engines.sharding.heat import HASHES, Item, Partition, salt, salted, split, split_for_heat, table

MANY = [Item(b"%d" % i, size_bytes=10**8, read_units=50, write_units=5) for i in range(400)]


def test_partitions_split_until_they_are_cool_and_small_enough() -> None:
    parts = split_for_heat([table(MANY)])
    assert all(part.heat <= 1 for part in parts)
    assert 7 <= len(parts) <= 16  # 20,000 reads need 7 at least
    assert [part.low for part in parts] == [0, *(part.high for part in parts[:-1])]
    assert parts[-1].high == HASHES
    assert sum(len(part.items) for part in parts) == 400
    assert all(part.low <= hash64(item.key) < part.high for part in parts for item in part.items)


def test_size_alone_splits_too() -> None:
    parts = split_for_heat([table([Item(b"%d" % i, size_bytes=6 * 10**9) for i in range(4)])])
    assert len(parts) == 4
    assert table([Item(b"a", size_bytes=10 * 10**9)]).heat == 1


def test_one_hot_item_cannot_exceed_one_partition() -> None:
    parts = split_for_heat([table([*MANY, Item(b"hot", read_units=9000, write_units=1500)])])
    (hot,) = [part for part in parts if part.heat > 1]
    assert [item.key for item in hot.items] == [b"hot"]
    assert not hot.divisible
    assert split(hot) == (hot,)
    assert (hot.throttled_reads, hot.throttled_writes) == (6000, 500)
    assert hot.heat == 3


def test_salt_cures_hot_writes() -> None:
    copies = salt(Item(b"hot", size_bytes=11, write_units=4000), 5)
    assert [item.key for item in copies] == [b"hot#0", b"hot#1", b"hot#2", b"hot#3", b"hot#4"]
    assert sum(item.size_bytes for item in copies) == 11
    parts = split_for_heat([table(copies)])
    assert sum(part.throttled_writes for part in parts) == 0
    assert len(parts) == 5


def test_salt_multiplies_reads() -> None:
    assert sum(item.read_units for item in salt(Item(b"hot", read_units=100), 4)) == 400


def test_a_split_is_where_the_hotter_half_is_coolest() -> None:
    left, right = split(table(MANY))
    assert left.high == right.low
    assert max(left.heat, right.heat) == pytest.approx(table(MANY).heat / 2, rel=0.01)
    assert Partition(0, HASHES, ()).heat == 0


def test_impossible_tables() -> None:
    with pytest.raises(UserError, match="b'a' is there twice"):
        table([Item(b"a"), Item(b"a")])
    with pytest.raises(UserError, match="negative size or traffic"):
        table([Item(b"a", read_units=-1)])
    with pytest.raises(UserError, match="0 salted copies of a key: 1 to 1000"):
        salted(b"k", 0)
