"""The systems that seeds make."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.tracing.topology import CACHE, DATABASE, LAYERS, QUEUE, SIZE_MAX, SIZE_MIN, Topology

CORE = (
    "gateway", "auth", "catalog", "cart", "payment", "orders", "mailer", "auth-db", "catalog-db", "orders-db",
    "catalog-cache", "orders-queue",
)  # fmt: skip
topologies = st.builds(Topology, st.integers(0, 1 << 32), st.integers(SIZE_MIN, SIZE_MAX))


def reached(topology: Topology) -> set[str]:
    """All services that some request meets, consumers included. Endless if the calls had a cycle."""
    todo = [(entry.service, entry.operation) for entry in topology.entries]
    found = set()
    for steps, (service, operation) in enumerate(iter_calls(topology, todo)):
        assert steps < 10_000, f"{service} {operation} calls itself in the end"
        found.add(service)
    return found


def iter_calls(topology: Topology, todo: list[tuple[str, str]]) -> list[tuple[str, str]]:
    for service, operation in todo:
        for stage in topology.by_name[service].operation(operation).stages:
            for call in stage:
                todo.append((call.dst, call.operation))
                consumed = f"process {call.operation.partition(' ')[2]}"
                todo += [(name, consumed) for name in topology.by_name[call.dst].consumers]
        assert len(todo) < 10_000
    return todo


@settings(max_examples=60, deadline=None)
@given(topologies)
def test_it_has_the_size_that_was_asked_for_and_the_twelve_of_the_core(topology: Topology) -> None:
    assert len(topology.services) == topology.size
    assert set(CORE) <= set(topology.names)


@settings(max_examples=60, deadline=None)
@given(topologies)
def test_every_service_is_met_by_some_request_and_no_request_goes_in_circles(topology: Topology) -> None:
    assert reached(topology) == set(topology.names)


@settings(max_examples=60, deadline=None)
@given(topologies)
def test_calls_go_down_the_layers_and_lead_to_operations_that_are_there(topology: Topology) -> None:
    depth = {layer: number for number, layer in enumerate(LAYERS)}
    for service in topology.services:
        for operation in service.operations:
            for stage in operation.stages:
                assert stage
                for call in stage:
                    called = topology.by_name[call.dst]
                    assert depth[called.layer] >= depth[service.layer]
                    assert called.operation(call.operation)


@settings(max_examples=60, deadline=None)
@given(topologies)
def test_a_database_has_one_owner_with_a_pool_and_a_cache_stands_before_one(topology: Topology) -> None:
    for store in topology.services:
        callers = {edge.src for edge in topology.edges if edge.dst == store.name}
        if store.role == DATABASE:
            (owner,) = callers
            assert topology.by_name[owner].pool_of == store.name
            assert topology.by_name[owner].pool_size > 0
        elif store.role == CACHE:
            (owner,) = callers
            assert topology.by_name[owner].pool_of
            assert 0 < store.hit_ppm < 1_000_000
        elif store.role == QUEUE:
            assert store.consumers


def test_the_same_seed_makes_the_same_system_and_another_one_another() -> None:
    assert Topology(7, 72) is Topology(7, 72)
    assert Topology(7, 72).names != Topology(8, 72).names


def test_a_checkpoint_holds_a_seed_and_a_size_and_not_the_system() -> None:
    blob = pickle.dumps(Topology(7, 200))
    assert len(blob) < 100
    assert pickle.loads(blob) is Topology(7, 200)


@pytest.mark.parametrize("size", [0, SIZE_MIN - 1, SIZE_MAX + 1])
def test_sizes_beyond_the_bounds_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="services"):
        Topology(1, size)
