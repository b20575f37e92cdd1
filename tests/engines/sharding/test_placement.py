"""Replicas as Cassandra places them, and what two failures cost."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import UserError
from engines.sharding.placement import NetworkTopology, Place, Risk, risk, simple
from engines.sharding.strategies.circle import Circle
from engines.sharding.strategies.ring import Ring

RING = Circle({"a": [10], "b": [20], "c": [30], "d": [40], "e": [50], "f": [60]})


def test_simple_strategy_takes_distinct_nodes_clockwise() -> None:
    assert simple(RING, 25, 3) == ("c", "d", "e")
    assert simple(RING, 55, 3) == ("f", "a", "b")
    assert simple(Circle({"a": [10, 20, 40], "b": [30]}), 5, 2) == ("a", "b")
    assert simple(RING, 0, 9) == ("a", "b", "c", "d", "e", "f")


def places(**racks: str) -> dict[str, Place]:
    return {node: Place(rack.split(":")[0], rack) for node, rack in racks.items()}


def test_a_new_rack_is_always_taken() -> None:
    topology = NetworkTopology(RING, {"x": 3}, places(a="x:1", b="x:1", c="x:1", d="x:2", e="x:3", f="x:3"))
    assert topology.replicas(5) == ("a", "d", "e")  # rf - racks = 0 repeats


def test_a_repeated_rack_only_while_repeats_are_left() -> None:
    topology = NetworkTopology(RING, {"x": 3}, places(a="x:1", b="x:1", c="x:1", d="x:2", e="x:2", f="x:2"))
    assert topology.replicas(5) == ("a", "b", "d")  # one repeat, which b takes


def test_one_walk_serves_all_data_centres() -> None:
    topology = NetworkTopology(RING, {"x": 2, "y": 1}, places(a="x:1", b="y:1", c="x:1", d="y:2", e="x:2", f="y:1"))
    assert topology.replicas(15) == ("b", "c", "e")
    assert topology.replicas(35) == ("d", "e", "a")


def test_a_small_data_centre_gives_all_it_has() -> None:
    topology = NetworkTopology(RING, {"x": 5, "y": 0}, places(a="x:1", b="y:1", c="x:1", d="y:1", e="y:1", f="y:1"))
    assert topology.replicas(0) == ("a", "c")


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_it_chooses_the_nodes_of_the_older_algorithm(data: st.DataObject) -> None:
    """Cassandra's own test of the rewrite: the same replicas as the version that kept skipped nodes in a queue."""
    nodes = [f"n{i}" for i in range(data.draw(st.integers(1, 12)))]
    tokens = data.draw(st.permutations(range(len(nodes) * 4)))
    ring = Circle({node: tokens[i * 4 : i * 4 + data.draw(st.integers(1, 4))] for i, node in enumerate(nodes)})
    where = {node: Place(data.draw(st.sampled_from("xy")), data.draw(st.sampled_from("123"))) for node in nodes}
    rf = {name: data.draw(st.integers(1, 5)) for name in dict.fromkeys(place.datacenter for place in where.values())}
    for position in range(0, len(nodes) * 4 + 1, 3):
        assert sorted(NetworkTopology(ring, rf, where).replicas(position)) == sorted(_older(ring, rf, where, position))


def _older(ring: Circle, rf: dict[str, int], where: dict[str, Place], position: int) -> list[str]:
    nodes = dict.fromkeys(ring.names)
    racks = {name: {where[node].rack for node in nodes if where[node].datacenter == name} for name in rf}
    wanted = {name: min(rf[name], sum(where[node].datacenter == name for node in nodes)) for name in rf}
    taken: dict[str, list[str]] = {name: [] for name in rf}
    skipped: dict[str, list[str]] = {name: [] for name in rf}
    seen: dict[str, set[str]] = {name: set() for name in rf}
    for node in ring.walk(position):
        name, rack = where[node].datacenter, where[node].rack
        if len(taken[name]) >= wanted[name] or node in taken[name]:
            continue
        if seen[name] == racks[name]:
            taken[name].append(node)
        elif rack in seen[name]:
            if node not in skipped[name]:
                skipped[name].append(node)
        else:
            taken[name].append(node)
            seen[name].add(rack)
            if seen[name] == racks[name]:
                taken[name] += skipped[name][: wanted[name] - len(taken[name])]
    return [node for chosen in taken.values() for node in chosen]


def test_with_one_token_a_node_shares_ranges_with_four_others() -> None:
    """RF 3, quorum 2: fatal pairs are those at distance one or two on the ring, 2n of n (n-1) / 2."""
    ring = Circle({f"n{i}": [i] for i in range(12)})
    assert risk(ring, 3) == Risk(24, 66)
    assert risk(ring, 3).probability == pytest.approx(4 / 11)
    assert risk(ring, 3, needed=1) == Risk(0, 66)
    assert risk(ring, 3, failures=3, needed=1) == Risk(12, 220)
    assert risk(ring, 1, failures=2) == Risk(66, 66)


def test_more_tokens_more_risk() -> None:
    names = tuple(f"n{i}" for i in range(24))
    curve = [risk(Ring(names, v).circle, 3).probability for v in (1, 4, 16, 256)]
    assert curve == sorted(curve)
    assert curve[0] < 0.2
    assert curve[-1] == 1


def test_risk_counts_what_enumeration_finds() -> None:
    from itertools import combinations

    ring = Ring(tuple(f"n{i}" for i in range(9)), 2).circle
    ranges = [simple(ring, token, 3) for token in ring.tokens]
    for failures in (1, 2, 3):
        for needed in (1, 2, 3):
            fatal = sum(
                any(sum(node not in dead for node in replicas) < needed for replicas in ranges)
                for dead in combinations(dict.fromkeys(ring.names), failures)
            )
            assert risk(ring, 3, failures, needed).fatal == fatal, (failures, needed)


def test_impossible_placements() -> None:
    nowhere = places(a="x:1")
    with pytest.raises(UserError, match="'b' has no place"):
        NetworkTopology(RING, {"x": 1}, nowhere)
    here = places(a="x:1", b="x:1", c="x:1", d="x:1", e="x:1", f="z:1")
    with pytest.raises(UserError, match="no node is in data centre 'y'; there are x, z"):
        NetworkTopology(RING, {"y": 1}, here)
    with pytest.raises(UserError, match="-1 replicas"):
        NetworkTopology(RING, {"x": -1}, here)
    with pytest.raises(UserError, match="7 replicas"):
        risk(RING, 7)
    with pytest.raises(UserError, match="4 of 3 replicas needed"):
        risk(RING, 3, needed=4)


def test_replica_load_is_rf_times_the_ring() -> None:
    counts = Counter(node for token in RING.tokens for node in simple(RING, token, 3))
    assert set(counts.values()) == {3}
