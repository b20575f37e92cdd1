"""The laws of every strategy, and what it refuses."""

import itertools
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import UserError
from engines.sharding.batch import Batch
from engines.sharding.compare import STRATEGIES, make
from engines.sharding.hashing.fast import hash64
from engines.sharding.locate import LOCATABLE
from engines.sharding.strategies.base import Strategy
from engines.sharding.strategies.bounded import Bounded
from engines.sharding.strategies.cassandra import Cassandra, even_tokens
from engines.sharding.strategies.circle import Circle
from engines.sharding.strategies.jump import Jump, jump
from engines.sharding.strategies.ketama import Ketama
from engines.sharding.strategies.maglev import Maglev
from engines.sharding.strategies.modulo import Modulo
from engines.sharding.strategies.range import Range
from engines.sharding.strategies.ring import Ring, signed

KEYS = [b"user:%d" % i for i in range(2000)]
BATCH = Batch(KEYS)
MINIMAL = ("ring", "rendezvous", "jump", "slots", "range", "cassandra", "ketama")
"""A join moves keys only to the newcomer."""


def build(name: str, nodes: tuple[str, ...]) -> Strategy:
    match name:
        case "cassandra":
            return Cassandra(nodes)
        case "ketama":
            return Ketama(nodes)
        case "ring":
            return Ring(nodes, 20)
        case _:
            return make(name, nodes)


def names(count: int) -> tuple[str, ...]:
    return tuple(f"n{i}" for i in range(1, count + 1))


@pytest.mark.parametrize("name", LOCATABLE)
def test_a_batch_gets_the_owners_that_its_keys_get_one_by_one(name: str) -> None:
    strategy = build(name, names(7))
    owners = strategy.owners(BATCH)
    if name == "bounded":
        strategy = Ring(names(7))  # one key alone is never beyond a bound
        changed = sum(strategy.owner(key) != owner for key, owner in zip(KEYS, owners, strict=True))
        assert changed < len(KEYS) // 20
        return
    assert [strategy.owner(key) for key in KEYS] == owners


@pytest.mark.parametrize("name", LOCATABLE)
def test_replicas_are_distinct_and_begin_with_the_owner(name: str) -> None:
    strategy = build(name, names(5))
    for key in KEYS[:200]:
        for rf in range(1, 6):
            replicas = strategy.replicas(key, rf)
            assert replicas[0] == strategy.owner(key)
            assert len(set(replicas)) == len(replicas) == rf
            assert replicas == strategy.replicas(key, 5)[:rf]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(MINIMAL), st.integers(1, 12), st.text("abcxyz-", min_size=1, max_size=8))
def test_a_join_moves_keys_only_to_the_new_node(name: str, count: int, newcomer: str) -> None:
    strategy = build(name, names(count))
    before = strategy.owners(BATCH)
    strategy.join(newcomer)
    assert all(new in (old, newcomer) for old, new in zip(before, strategy.owners(BATCH), strict=True))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(MINIMAL), st.integers(2, 12), st.data())
def test_a_leave_moves_only_the_leavers_keys(name: str, count: int, data: st.DataObject) -> None:
    strategy = build(name, names(count))
    # of jump buckets only the last can go
    leaver = f"n{count}" if name == "jump" else data.draw(st.sampled_from(names(count)))
    before = strategy.owners(BATCH)
    strategy.leave(leaver)
    after = strategy.owners(BATCH)
    assert leaver not in after
    assert all(old in (new, leaver) for old, new in zip(before, after, strict=True))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["ring", "rendezvous", "jump", "modulo", "maglev", "ketama", "bounded"]), st.integers(1, 10))
def test_a_join_that_leaves_again_was_never_there(name: str, count: int) -> None:
    strategy = build(name, names(count))
    before = strategy.owners(BATCH)
    strategy.join("guest")
    strategy.leave("guest")
    assert strategy.owners(BATCH) == before


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["ring", "rendezvous", "maglev", "ketama", "bounded"]), st.permutations(names(6)))
def test_the_order_of_joining_does_not_matter(name: str, order: list[str]) -> None:
    assert build(name, tuple(order)).owners(BATCH) == build(name, names(6)).owners(BATCH)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.1, 10), st.floats(0.1, 10))
def test_weighted_rings_and_bids_keep_the_law(first: float, second: float) -> None:
    for name in ("ring", "rendezvous"):
        strategy = build(name, names(3))
        strategy.join("a", first)
        before = strategy.owners(BATCH)
        strategy.join("b", second)
        assert all(new in (old, "b") for old, new in zip(before, strategy.owners(BATCH), strict=True))


@pytest.mark.parametrize("name", ["ring", "rendezvous", "maglev", "slots", "bounded", "ketama"])
def test_a_node_of_weight_three_gets_three_shares(name: str) -> None:
    strategy = make(name, names(3), 1000) if name in STRATEGIES else build(name, names(3))
    strategy.join("big", 3)
    owners = strategy.owners(Batch([b"%d" % i for i in range(30_000)]))
    assert owners.count("big") / 30_000 == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize("key_and_buckets", [(256, 1024), (2, 100001), (0xDEAD10CC, 666), (10863919174838991, 11)])
def test_jump_grows_one_bucket_at_a_time(key_and_buckets: tuple[int, int]) -> None:
    """The reference: "each step the key jumps with probability 1/n", so it is where its last jump took it."""
    key, buckets = key_and_buckets
    path = [jump(key, n) for n in range(1, buckets + 1)]
    assert path[0] == 0
    assert all(new in (old, n) for n, (old, new) in enumerate(itertools.pairwise(path), 1))


@pytest.mark.parametrize(
    ("key", "buckets", "bucket"),
    [
        (1, 1, 0),
        (42, 57, 43),
        (0xDEAD10CC, 1, 0),
        (0xDEAD10CC, 666, 361),
        (256, 1024, 520),
        (10863919174838991, 11, 6),
        (2016238256797177309, 11, 3),
        (1673758223894951030, 11, 5),
        (2, 100001, 80343),
        (2201, 100001, 22152),
        (2202, 100001, 15018),
    ],
)
def test_jump_agrees_with_other_implementations(key: int, buckets: int, bucket: int) -> None:
    assert jump(key, buckets) == bucket


def test_jump_lets_the_last_node_take_over_the_bucket_of_one_in_the_middle() -> None:
    strategy = Jump(names(10))
    before = strategy.owners(BATCH)
    strategy.leave("n3")
    after = strategy.owners(BATCH)
    assert strategy.nodes == ("n1", "n2", "n10", "n4", "n5", "n6", "n7", "n8", "n9")
    assert all(new == "n10" for old, new in zip(before, after, strict=True) if old == "n3")
    assert all(old == new for old, new in zip(before, after, strict=True) if old not in ("n3", "n10"))
    assert sum(old != new for old, new in zip(before, after, strict=True)) / len(KEYS) == pytest.approx(0.2, abs=0.03)


def test_modulo_is_the_remainder() -> None:
    assert Modulo(names(7)).owner(b"x") == f"n{hash64(b'x') % 7 + 1}"


def test_ring_points_are_the_hashes_of_node_hash_i() -> None:
    ring = Ring(("n1",), 3)
    assert ring.points["n1"] == [hash64(b"n1#0"), hash64(b"n1#1"), hash64(b"n1#2")]


def test_the_signed_circle_is_the_same_circle() -> None:
    ring = Ring(names(5), 30)
    turned = Circle({node: map(signed, points) for node, points in ring.points.items()})
    assert turned.owners(signed(h) for h in BATCH.hashes) == ring.owners(BATCH)


def test_a_token_belongs_to_its_node_and_the_next_position_to_the_next() -> None:
    circle = Circle({"a": [10, 30], "b": [20]})
    assert [circle.owner(p) for p in (0, 10, 11, 20, 21, 30, 31)] == ["a", "a", "b", "b", "a", "a", "a"]
    assert list(circle.walk(11)) == ["b", "a", "a"]
    assert circle.arcs(100) == {"a": 90, "b": 10}
    assert Circle({"b": [7], "a": [7]}).owner(0) == "a"


def test_maglev_entries_differ_by_one_at_most() -> None:
    table = Maglev(names(10)).table
    counts = [table.count(node) for node in names(10)]
    assert sum(counts) == 65_537
    assert max(counts) - min(counts) == 1


def test_maglev_fills_the_table_of_the_paper() -> None:
    """Table 1 of the paper: permutations (3, 0, 4, 1, 5, 2, 6), (0, 2, 4, ...) and (3, 4, 5, ...) of 7 entries."""
    orders = {"B0": (3, 4), "B1": (0, 2), "B2": (3, 1)}
    assert _fill_with(orders, 7) == ["B1", "B0", "B1", "B0", "B2", "B2", "B0"]
    del orders["B1"]
    assert _fill_with(orders, 7) == ["B0", "B0", "B0", "B0", "B2", "B2", "B2"]


def _fill_with(orders: dict[str, tuple[int, int]], size: int) -> list[str]:
    import engines.sharding.strategies.maglev as module

    def pair(name: str) -> tuple[int, int]:
        offset, skip = orders[name]
        return offset, skip - 1

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "hash64_pair", pair)
        return module.fill(dict.fromkeys(orders, 1.0), size)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.sampled_from([1, 10, 150]), st.fractions(1, 3), st.integers(1, 500))
def test_no_load_exceeds_its_bound(count: int, vnodes: int, factor: Fraction, keys: int) -> None:
    bounded = Bounded(names(count), vnodes, factor)
    owners = bounded.owners(Batch(KEYS[:keys]))
    cap = -(-bounded.factor * keys // count)
    assert max(owners.count(node) for node in names(count)) <= cap


def test_a_key_beyond_the_bound_stays_whole_and_the_others_keep_away() -> None:
    keys = [b"hot", *KEYS[:100]]
    bounded = Bounded(names(10))
    filling = bounded.assignment(1100)
    owners = filling.owners(Batch(keys, [1000.0, *[1.0] * 100]))
    assert filling.loads[bounded.owner(b"hot")] == 1000
    assert owners.count(owners[0]) == 1
    assert sum(filling.loads.values()) == 1100


def test_a_heavy_key_walks_to_a_node_that_has_room_for_all_of_it() -> None:
    bounded = Bounded(names(4))
    first, second, *_ = bounded.replicas(b"heavy", 4)
    filling = bounded.assignment(40)  # each may take ceil(1.25 * 40 / 4) = 13
    filling.loads[first] = 6
    assert filling.owners(Batch([b"heavy"], [8.0])) == [second]
    filling.loads.update(dict.fromkeys(names(4), 10.0))
    filling.loads[second] = 9
    assert filling.owners(Batch([b"heavy"], [8.0])) == [second], "if it fits nowhere, to where most room is"


def test_lines_that_repeat_a_key_are_one_key() -> None:
    bounded = Bounded(names(4))
    keys = [b"hot", *KEYS[:10], b"hot", *KEYS[10:20], b"hot"]
    owners = bounded.owners(Batch(keys, [5.0 if key == b"hot" else 1.0 for key in keys]))
    assert len({owner for key, owner in zip(keys, owners, strict=True) if key == b"hot"}) == 1
    assert len({*owners}) == 4


def test_cassandra_nodes_are_evenly_spaced() -> None:
    assert even_tokens(4) == (-(2**63), -(2**62), 0, 2**62)
    ring = Cassandra(names(4))
    assert ring.owner(b"") == "n1"
    assert ring.owner(b"hello") == "n3"  # -3758069500696749310 lies in (-2**62, 0]
    ring.join("n5")
    assert ring.tokens["n5"] == (-(2**63) - 2**61 + 2**64,)


CHANGES: dict[str, Callable[[Strategy], object]] = {
    "'n1' is already a member": lambda s: s.join("n1"),
    "a node needs a name": lambda s: s.join(""),
    "no node is called 'n9'; the members are n1, n2, n3": lambda s: s.leave("n9"),
    "nan: a number above 0": lambda s: s.join("x", float("nan")),
    "inf: a number above 0": lambda s: s.join("x", float("inf")),
    "-1: a number above 0": lambda s: s.join("x", -1),
    "is 0: a number above 0": lambda s: s.join("x", 0),
    "'2': a number above 0": lambda s: s.join("x", "2"),  # type: ignore[arg-type]
    "True: a number above 0": lambda s: s.join("x", True),
    "101: a number above 0, at most 100": lambda s: s.join("x", 101),
    "4 replicas on 3 nodes": lambda s: s.replicas(b"k", 4),
    "0 replicas on 3 nodes": lambda s: s.replicas(b"k", 0),
    "is the last node": lambda s: list(map(s.leave, s.nodes)),
}


@pytest.mark.parametrize("message", CHANGES)
@pytest.mark.parametrize("name", LOCATABLE)
def test_mistakes_name_the_thing_and_the_remedy(name: str, message: str) -> None:
    with pytest.raises(UserError, match=f"^{name}: .*{message}"):
        CHANGES[message](build(name, names(3)))


@pytest.mark.parametrize("name", LOCATABLE)
def test_a_refused_change_changes_nothing(name: str) -> None:
    strategy = build(name, names(3))
    before = strategy.owners(BATCH)
    for change in ("n1", ""):
        with pytest.raises(UserError):
            strategy.join(change)
    assert strategy.owners(BATCH) == before
    assert strategy.nodes == names(3)


@pytest.mark.parametrize("name", ["modulo", "jump", "cassandra"])
def test_equal_shares_refuse_weights(name: str) -> None:
    with pytest.raises(UserError, match="gives every node the same share: leave it at 1, or take ring"):
        build(name, names(3)).join("x", 2)


@pytest.mark.parametrize("vnodes", [0, -1, 1001, 1.5, True, "3"])
def test_virtual_nodes_are_1_to_1000(vnodes: object) -> None:
    for kind in (Ring, Bounded):
        with pytest.raises(UserError, match="a whole number from 1 to 1000 is accepted"):
            kind(names(3), vnodes)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", LOCATABLE)
def test_a_cluster_needs_a_node_and_each_name_once(name: str) -> None:
    with pytest.raises(UserError, match="at least one node is needed"):
        build(name, ())
    with pytest.raises(UserError, match="already a member"):
        build(name, ("a", "a"))


def test_other_mistakes() -> None:
    with pytest.raises(UserError, match="a prime number is needed, such as 65537"):
        Maglev(names(3), 65_536)
    with pytest.raises(UserError, match="take a larger prime"):
        Maglev(names(4), 3)
    with pytest.raises(UserError, match="a number from 1 to 1000"):
        Bounded(names(3), factor=0.9)
    with pytest.raises(UserError, match="both have token 5"):
        Cassandra(names(2), {"n1": (5,), "n2": (5,)})
    with pytest.raises(UserError, match="'n1' has no token"):
        Cassandra(names(2), {"n1": ()})
    with pytest.raises(UserError, match="token 9223372036854775808 of 'n1'"):
        Cassandra(names(2), {"n1": (2**63,)})
    with pytest.raises(UserError, match="which is no member"):
        Range(("a",), Range(("b",)).chunks)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcdefgh")), max_size=24))
def test_a_circle_that_grew_and_shrank_is_the_circle_built_at_once(steps: list[tuple[bool, str]]) -> None:
    claims = {name: [hash64(f"{name}{i}".encode()) % 64 for i in range(5)] for name in "abcdefghz"}  # they collide
    circle, there = Circle({"z": claims["z"]}), {"z": claims["z"]}
    for joins, name in steps:
        if joins and name not in there:
            there[name] = claims[name]
            circle.add(name, claims[name])
        elif not joins and name in there:
            circle.remove(name, there.pop(name), there)
        whole = Circle(there)
        assert (circle.tokens, circle.names, circle.contested) == (whole.tokens, whole.names, whole.contested)


def test_a_ring_join_does_not_build_the_circle_anew() -> None:
    ring = Ring(names(50), 40)
    before = ring.circle
    ring.join("n51")
    assert ring.circle is before
    assert (before.tokens, before.names) == (Ring(names(51), 40).circle.tokens, Ring(names(51), 40).circle.names)


def test_a_change_of_virtual_nodes_keeps_names_weights_and_bound() -> None:
    bounded = Bounded(names(3), 10, Fraction(2))
    bounded.join("n4", 2)
    more = bounded.with_vnodes(20)
    assert (more.weights, more.vnodes, more.factor) == (bounded.weights, 20, Fraction(2))
    assert [more.pieces(node) for node in more.nodes] == [20, 20, 20, 40]


@pytest.mark.parametrize("name", STRATEGIES)
def test_shares_are_parts_of_the_whole_and_pieces_are_counted(name: str) -> None:
    strategy = build(name, names(5))
    assert sum(strategy.shares().values()) == pytest.approx(1)
    assert list(strategy.shares()) == list(strategy.nodes)
    assert (sum(map(strategy.pieces, strategy.nodes)) > 0) == (name in ("ring", "bounded", "slots", "range"))
    assert all(map(strategy.owns_any, strategy.nodes))
    assert not strategy.owns_any("nobody")


@pytest.mark.parametrize("name", STRATEGIES)
def test_replicas_come_in_the_order_of_some_walk_where_walks_can_be_listed(name: str) -> None:
    strategy = build(name, names(4))
    walks = strategy.walks()
    if walks is None:
        assert name in ("rendezvous", "maglev", "bounded")
        return
    listed = set(walks)
    assert all(strategy.replicas(key, 4) in listed for key in KEYS[:300])
