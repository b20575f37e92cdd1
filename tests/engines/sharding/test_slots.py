"""The slot table of a Redis cluster."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import UserError
from engines.sharding.hashing.crc16 import SLOTS
from engines.sharding.strategies.slots import Slots, plan, quotas


def runs(table: list[str]) -> list[tuple[str, int, int]]:
    cuts = [i for i in range(SLOTS) if i == 0 or table[i] != table[i - 1]]
    return [(table[a], a, b - 1) for a, b in zip(cuts, [*cuts[1:], SLOTS], strict=True)]


def test_three_masters_get_what_redis_cli_gives_them() -> None:
    assert runs(Slots(("a", "b", "c")).slot_table) == [("a", 0, 5460), ("b", 5461, 10922), ("c", 10923, 16383)]


def test_a_fourth_takes_exactly_its_quota() -> None:
    slots = Slots(("a", "b", "c"))
    before = list(slots.slot_table)
    slots.join("d")
    changed = [i for i in range(SLOTS) if before[i] != slots.slot_table[i]]
    assert len(changed) == SLOTS // 4
    assert {slots.slot_table[i] for i in changed} == {"d"}
    assert {slots.slot_table.count(node) for node in "abcd"} == {4096}


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.lists(st.one_of(st.floats(0.1, 9), st.none()), max_size=4))
def test_any_history_of_changes_is_balanced_and_minimal(count: int, history: list[float | None]) -> None:
    slots = Slots(tuple(f"n{i}" for i in range(count)))
    for step, weight in enumerate(history):
        before = list(slots.slot_table)
        if weight is not None:
            slots.join(f"m{step}", weight)
            goal = quotas(before, slots.weights)
            assert {node: slots.slot_table.count(node) for node in slots.nodes} == goal
            moved = sum(old != new for old, new in zip(before, slots.slot_table, strict=True))
            assert moved == sum(max(0, quota - before.count(node)) for node, quota in goal.items())
        elif len(slots.nodes) > 1:
            leaver = slots.nodes[0]
            slots.leave(leaver)
            assert leaver not in slots.slot_table
        total = sum(slots.weights.values())
        for node, share in slots.weights.items():
            assert abs(slots.slot_table.count(node) - SLOTS * share / total) < 1.001
    assert plan(slots.slot_table, slots.weights) == ()


def test_a_slot_can_be_assigned() -> None:
    slots = Slots(("a", "b"))
    slots.assign(0, "b")
    assert slots.owner(b"") == "b"
    with pytest.raises(UserError, match="no slot 16384; 0 to 16383"):
        slots.assign(16384, "a")
    with pytest.raises(UserError, match="no node is called 'x'; the members are a, b"):
        slots.assign(0, "x")
