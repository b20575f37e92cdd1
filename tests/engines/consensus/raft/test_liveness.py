"""The checks of progress: red when a cluster that nothing disturbs stands still, and at no other time."""

from typing import Any

import pytest

from engines.consensus.raft.checks import CATCHES_UP, LEADER_IN_TIME
from engines.consensus.raft.commands import SetTiming
from engines.consensus.raft.engine import RaftEngine
from engines.consensus.raft.node import RaftNode
from engines.sim import faults
from engines.units import US_PER_S

Patch = pytest.MonkeyPatch


def red(engine: RaftEngine) -> set[str]:
    return {check.name for check in engine.check() if not check.ok}


def after(seconds: int, *commands: Any, **config: Any) -> RaftEngine:
    """A cluster that works for a second, then these commands, then so many seconds."""
    engine = RaftEngine(1, tuple(sorted({"clients": 0, "nodes": 3, **config}.items())))
    engine.run(US_PER_S, 1 << 60)
    for command in commands:
        engine.apply(engine.resolve(command))
    engine.run(engine.now_us + seconds * US_PER_S, 1 << 60)
    return engine


def nobody_leads(patch: Patch) -> None:
    """Elections that are never won."""
    patch.setattr(RaftNode, "won", lambda node: False)


def test_a_majority_that_can_talk_and_finds_no_leader_is_noticed(monkeypatch: Patch) -> None:
    nobody_leads(monkeypatch)
    assert red(after(4)) == set(), "not before twenty timeouts"
    engine = after(6)
    assert red(engine) == {LEADER_IN_TIME}
    found = next(check for check in engine.check() if not check.ok)
    assert "n1, n2, n3 can talk undisturbed and had no working leader for 6.00 s" in found.detail


@pytest.mark.parametrize(
    "command",
    [
        faults.Partition((("n1",), ("n2",), ("n3",))), faults.Lose("*", "*", 10_000), faults.Slow("*", "*", 90_000, 0),
        faults.Skew("n1", 0, 500_000), SetTiming(25_000, 30_000, 60_000), SetTiming(50_000, 150_000, 150_000),
    ],
    ids=["apart", "lossy", "slow", "skewed", "impatient", "equal timeouts"],
)  # fmt: skip
def test_where_something_is_in_the_way_no_judgement_is_passed(command: Any, monkeypatch: Patch) -> None:
    nobody_leads(monkeypatch)
    others = [faults.Skew(node, 0, 500_000) for node in ("n2", "n3")] if isinstance(command, faults.Skew) else []
    assert LEADER_IN_TIME not in red(after(9, command, *others))


def test_every_disturbance_begins_the_span_anew(monkeypatch: Patch) -> None:
    nobody_leads(monkeypatch)
    engine = after(0)
    for _ in range(4):
        engine.apply(faults.Heal())
        engine.run(engine.now_us + 4 * US_PER_S, 1 << 60)
    assert red(engine) == set()
    engine.run(engine.now_us + 3 * US_PER_S, 1 << 60)
    assert red(engine) == {LEADER_IN_TIME}


def test_a_follower_that_stores_nothing_is_noticed(monkeypatch: Patch) -> None:
    honest = RaftNode.store
    monkeypatch.setattr(RaftNode, "store", lambda node, *rest: node.id != "n3" and honest(node, *rest))
    engine = after(8)
    assert CATCHES_UP in red(engine)


def test_a_minority_owes_nothing() -> None:
    assert red(after(9, faults.Crash("n1"), faults.Crash("n2"))) == set()


def test_a_leader_that_is_heard_and_hears_nobody_does_not_work() -> None:
    cuts = [faults.Cut(f"f{number}", "leader") for number in range(1, 5)]
    assert LEADER_IN_TIME in red(after(8, *cuts, nodes=5, check_quorum=False))
    assert red(after(8, *cuts, nodes=5)) == set()


@pytest.mark.parametrize(
    "command",
    [
        faults.Slow("leader", "*", 45_000, 30_000), faults.Slow("*", "leader", 400_000, 0),
        faults.Lose("leader", "*", 300_000), faults.Skew("leader", 200_000, 0), faults.SlowDisk("leader", 40_000),
    ],
    ids=["slow", "slow to hear", "lossy", "wrong clock", "slow disk"],
)  # fmt: skip
def test_a_leader_that_works_in_spite_of_what_was_done_to_it_need_not_be_deposed(command: Any) -> None:
    assert red(after(9, command, nodes=5, clients=1)) == set()
