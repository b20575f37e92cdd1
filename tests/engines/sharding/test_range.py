"""Chunks, what cannot be split, and the balancer's rules."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import UserError
from engines.sharding.batch import Batch
from engines.sharding.strategies.balancer import Balancer, Migration, balance, plan_round
from engines.sharding.strategies.chunks import Chunk, Chunks, autosplit, find, merge, move, presplit, split, split_key
from engines.sharding.strategies.range import Range, from_sample
from engines.sharding.workload import growing

GROWING = [growing(number, "c1").encode() for number in range(1_500)]
TWO = presplit([b"N"], ["one", "two"])


def test_a_to_m_and_n_to_z() -> None:
    letters = Range(("one", "two"))
    assert letters.chunks[0].high == b"N"
    assert [letters.owner(key) for key in (b"Adams", b"Mzz", b"N", b"Zola", b"", b"\xff")] == [
        "one", "one", "two", "two", "one", "two",
    ]  # fmt: skip
    assert [chunk.low for chunk in Range(("a", "b", "c")).chunks] == [b"", b"J", b"S"]
    assert len(Range(tuple(f"n{i}" for i in range(26))).chunks) == 26
    assert len(Range(tuple(f"n{i}" for i in range(1000))).chunks) == 1000


def test_split_merge_move() -> None:
    chunks = split(TWO, b"T")
    assert [(chunk.low, chunk.high, chunk.node) for chunk in chunks] == [
        (b"", b"N", "one"),
        (b"N", b"T", "two"),
        (b"T", None, "two"),
    ]
    moved = move(chunks, 2, "one")
    assert moved[find(moved, b"Tolstoy")].node == "one"
    assert merge(chunks, 1) == TWO


@given(st.lists(st.binary(min_size=1, max_size=4), unique=True), st.binary(max_size=5))
def test_every_key_is_in_exactly_one_chunk(bounds: list[bytes], key: bytes) -> None:
    chunks = presplit(sorted(bounds), ["a", "b"])
    holders = [i for i, chunk in enumerate(chunks) if chunk.low <= key and (chunk.high is None or key < chunk.high)]
    assert holders == [find(chunks, key)]


@given(st.lists(st.tuples(st.binary(max_size=2), st.integers(1, 9)), min_size=1, max_size=60), st.integers(5, 40))
def test_autosplit_leaves_no_large_chunk_but_jumbo_ones(load: list[tuple[bytes, int]], limit: int) -> None:
    load.sort()
    whole: Chunks = (Chunk(b"", None, "a"),)
    chunks = autosplit(whole, 0, load, limit)
    assert [chunk.low for chunk in chunks[1:]] == [chunk.high for chunk in chunks[:-1]]
    assert sum(chunk.size for chunk in chunks) == sum(size for _, size in load)
    for i, chunk in enumerate(chunks):
        inside = [(key, size) for key, size in load if find(chunks, key) == i]
        assert chunk.size == sum(size for _, size in inside)
        assert chunk.jumbo == (chunk.size > limit)
        assert not chunk.jumbo or len({key for key, _ in inside}) == 1


def test_one_key_value_is_the_smallest_unit() -> None:
    assert split_key([(b"k", 5), (b"k", 7)]) is None
    assert split_key([(b"a", 1), (b"b", 1), (b"c", 2)]) == b"c"
    assert split_key([]) is None


def test_monotonic_keys_all_hit_the_last_chunk() -> None:
    loaded = [(key, 1.0) for key in GROWING[:1000]]
    table = Range(("a", "b", "c"), from_sample(loaded, ("a", "b", "c")))
    new = Batch(GROWING[1000:])
    assert set(table.owners(new)) == {"c"}
    assert {table.locate(key).slot for key in new.keys} == {len(table.chunks) - 1}


def test_chunks_by_a_sample_are_even_and_a_heavy_key_is_jumbo() -> None:
    chunks = from_sample([(b"%05d" % i, 1.0) for i in range(10_000)], ["a", "b", "c", "d"])
    assert len(chunks) == 256
    assert {chunk.size for chunk in chunks} == {39, 40}
    counts = Counter(chunk.node for chunk in chunks)
    assert set(counts.values()) == {64}
    heavy = from_sample([(b"a", 1.0), (b"b", 50.0), (b"c", 1.0), (b"d", 1.0)], ["n"])
    assert [(chunk.low, chunk.size, chunk.jumbo) for chunk in heavy] == [
        (b"", 1, False), (b"b", 50, True), (b"c", 2, False),
    ]  # fmt: skip
    assert from_sample([], ["n"]) == (Chunk(b"", None, "n"),)


def cluster(*sizes: int) -> Chunks:
    """Shards s0, s1, ... with so many chunks of size 1."""
    nodes = [f"s{i}" for i, count in enumerate(sizes) for _ in range(count)]
    chunks = presplit([b"%04d" % i for i in range(1, len(nodes))], ["s0"])
    return tuple(Chunk(chunk.low, chunk.high, node, 1) for chunk, node in zip(chunks, nodes, strict=True))


def shards(count: int) -> dict[str, float]:
    return {f"s{i}": 1.0 for i in range(count)}


def test_nothing_moves_below_three_chunk_sizes() -> None:
    assert plan_round(cluster(5, 3), shards(2), 1) == ()
    assert plan_round(cluster(5, 2), shards(2), 1) == (Migration(0, "s0", "s1"),)


def test_it_is_data_that_counts_not_chunks() -> None:
    one_large = tuple(Chunk(c.low, c.high, c.node, 9 if c.node == "s1" else 1) for c in cluster(9, 1))
    assert plan_round(one_large, shards(2), 1) == ()


@given(st.lists(st.integers(0, 12), min_size=2, max_size=9).filter(any))
def test_a_shard_takes_part_in_one_migration_and_half_of_them_run(sizes: list[int]) -> None:
    planned = plan_round(cluster(*sizes), shards(len(sizes)), 1)
    parties = [shard for migration in planned for shard in (migration.source, migration.target)]
    assert len(parties) == len(set(parties))
    assert len(planned) <= len(sizes) // 2


def test_two_pairs_migrate_at_once() -> None:
    assert [(m.source, m.target) for m in plan_round(cluster(9, 9, 0, 0, 4), shards(5), 1)] == [
        ("s1", "s2"),
        ("s0", "s3"),
    ]


def test_it_comes_to_rest_within_the_threshold() -> None:
    chunks = cluster(40, 0, 0, 7)
    balancer = Balancer(chunks, shards(4), 1)
    for migration in balance(chunks, shards(4), 1):
        balancer.apply(migration)
    assert balancer.round() == ()
    assert max(balancer.data.values()) - min(balancer.data.values()) < 3


def test_a_jumbo_chunk_stays() -> None:
    jumbo = (Chunk(b"", b"b", "s0", 100, True), Chunk(b"b", None, "s0", 1))
    assert plan_round(jumbo, shards(2), 1) == (Migration(1, "s0", "s1"),)
    assert balance(jumbo, shards(2), 1) == (Migration(1, "s0", "s1"),)


def test_a_draining_shard_gives_everything() -> None:
    table = Range(("a", "b", "c"), from_sample([(b"%05d" % i, 1.0) for i in range(3000)], ("a", "b", "c")))
    table.leave("b")
    assert {chunk.node for chunk in table.chunks} == {"a", "c"}


def test_impossible_edits() -> None:
    with pytest.raises(UserError, match="a chunk begins there already"):
        split(TWO, b"N")
    with pytest.raises(UserError, match="has no right neighbour"):
        merge(TWO, 1)
    with pytest.raises(UserError, match="move one of them first"):
        merge(TWO, 0)
    with pytest.raises(UserError, match="there is no chunk 2; 0 to 1"):
        move(TWO, 2, "one")
    for bounds in ([b"b", b"a"], [b"a", b"a"], [b""]):
        with pytest.raises(UserError, match="bounds must ascend"):
            presplit(bounds, ["a"])
