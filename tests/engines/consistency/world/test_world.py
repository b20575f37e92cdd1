"""The designs: what each promises holds, what each rule keeps breaks without it, and the stories say what is so."""

import os
from typing import Any

import pytest

from engines.consistency.hybrid import Stamp
from engines.consistency.pattern import PATTERN
from engines.consistency.world.checks import PROMISES
from engines.consistency.world.commands import Perform, SetPreset
from engines.consistency.world.dynamo import DynamoReplica
from engines.consistency.world.engine import ConsistencyEngine
from engines.consistency.world.mongo import MongoReplica
from engines.consistency.world.snapshot import Snapshot
from engines.consistency.world.table import TABLE, Row, trial
from engines.errors import UserError
from engines.sim import faults
from engines.sim.timeline import Timeline
from engines.units import US_PER_MS

SKEWED = ("causal",)
SOAK_SEEDS = int(os.environ.get("SOAK_SEEDS", "2000"))
"""Of the soak; fewer where there is little time."""


def row_name(row: Row) -> str:
    return "-".join((row.variant, row.rule or str(row.also[0][1])))


def held(variant: str, names: tuple[str, ...], seeds: range, config: tuple[tuple[str, Any], ...] = ()) -> None:
    for seed in seeds:
        found = trial(variant, seed, config, skew=variant in SKEWED)
        assert [name for name in names if not found[name]] == [], (variant, config, seed)


@pytest.mark.parametrize("variant", PROMISES)
def test_under_any_fault_a_design_keeps_its_promises(variant: str) -> None:
    held(variant, PROMISES[variant], range(12))


@pytest.mark.soak
@pytest.mark.parametrize("variant", PROMISES)
def test_under_any_fault_a_design_keeps_its_promises_for_long(variant: str) -> None:
    held(variant, PROMISES[variant], range(SOAK_SEEDS))


@pytest.mark.parametrize("row", TABLE, ids=row_name)
def test_without_a_rule_the_rest_still_holds(row: Row) -> None:
    held(row.variant, row.holds, range(6), row.config)


@pytest.mark.soak
@pytest.mark.parametrize("row", TABLE, ids=row_name)
def test_without_a_rule_the_rest_still_holds_and_the_first_breaks(row: Row) -> None:
    first: dict[str, int] = {}
    for seed in range(SOAK_SEEDS):
        found = trial(row.variant, seed, row.config, skew=row.skew)
        assert [name for name in row.holds if not found[name]] == [], seed
        for name in row.breaks:
            if not found[name]:
                first.setdefault(name, seed + 1)
    assert set(first) == set(row.breaks)
    assert max(first.values(), default=0) <= row.within


@pytest.mark.parametrize("row", [row for row in TABLE if row.breaks and row.within <= 20], ids=row_name)
def test_without_a_rule_the_first_breaks_soon(row: Row) -> None:
    left = set(row.breaks)
    for seed in range(row.within):
        found = trial(row.variant, seed, row.config, skew=row.skew)
        left -= {name for name in left if not found[name]}
        if not left:
            return
    raise AssertionError(f"{left} held for {row.within} seeds")


# -- where reads of a replica set go -----------------------------------------------------------------------------


def replica_set(preference: str, **more: Any) -> ConsistencyEngine:
    engine = ConsistencyEngine("mongodb", 1, (("clients", 0), ("preference", preference), *more.items()))
    engine.run(2_000 * US_PER_MS, 1 << 30)
    return engine


def read_at(engine: ConsistencyEngine, home: str) -> tuple[str, str]:
    """Who answered a read of a client at this member, and how it ended."""
    engine.apply(Perform("you", False, "x", home))
    answered = ""
    for _ in range(4_000):
        engine.step()
        flights = [each for each in engine.flights() if each.dst == "you" and type(each.message).__name__ == "Reply"]
        answered = flights[0].src if flights else answered
        if not engine.book.is_open("you"):
            break
    return answered, engine.book.judge.build.operations[-1].status.value


@pytest.mark.parametrize(
    ("preference", "from_primary", "from_secondary"),
    [
        ("primary", "primary", "primary"),
        ("primaryPreferred", "primary", "primary"),
        ("secondary", "secondary", "itself"),
        ("secondaryPreferred", "secondary", "itself"),
        ("nearest", "itself", "itself"),
    ],
)
def test_a_read_preference_says_who_answers(preference: str, from_primary: str, from_secondary: str) -> None:
    for at_primary, wanted in ((True, from_primary), (False, from_secondary)):
        engine = replica_set(preference)
        primary = engine.leader()
        home = primary if at_primary else next(each for each in engine.servers if each != primary)
        answered, status = read_at(engine, home)
        assert status == "ok"
        kinds = {"primary": answered == primary, "secondary": answered not in ("", primary), "itself": answered == home}
        assert kinds[wanted], (preference, home, answered)


@pytest.mark.parametrize(
    ("preference", "status"),
    [("primary", "fail"), ("primaryPreferred", "ok"), ("secondary", "ok"), ("secondaryPreferred", "ok"),
     ("nearest", "ok")],
)  # fmt: skip
def test_without_a_primary_only_the_preference_primary_refuses(preference: str, status: str) -> None:
    engine = replica_set(preference, nodes=3)
    primary = engine.leader()
    one, other = (each for each in engine.servers if each != primary)
    engine.apply(faults.Crash(primary))
    engine.apply(faults.Cut(one, other))
    engine.apply(faults.Cut(other, one))
    engine.run(engine.now_us + 3_000 * US_PER_MS, 1 << 30)
    assert read_at(engine, one)[1] == status


@pytest.mark.parametrize(("preference", "status"), [("secondary", "fail"), ("secondaryPreferred", "ok")])
def test_without_a_secondary_the_primary_answers_only_where_it_may(preference: str, status: str) -> None:
    engine = replica_set(preference, nodes=3)
    primary = engine.leader()
    for each in engine.servers:
        if each != primary:
            engine.apply(faults.Crash(each))
    engine.run(engine.now_us + 1_590 * US_PER_MS, 1 << 30)
    node = engine.replica(primary)
    assert isinstance(node, MongoReplica)
    node.heard = dict.fromkeys(node.heard, -(1 << 40))  # they are known to be gone, and it has not stepped down yet
    assert node.leads
    assert read_at(engine, primary)[1] == status


def test_sessions_are_promised_while_the_primary_answers_all_reads() -> None:
    assert {"ryw", "mr", "mw", "wfr"} <= {check.name for check in replica_set("primary").check()}
    elsewhere = replica_set("secondary")
    assert [check.name for check in elsewhere.check()] == ["no lost write", "no thin air"]
    changed = replica_set("primary")
    changed.apply(SetPreset("nearest"))
    changed.apply(SetPreset("primary"))
    assert [check.name for check in changed.check()] == ["no lost write", "no thin air"], "its history has such reads"
    with pytest.raises(UserError, match="no read preference 'quorum': one of primary, primaryPreferred, secondary"):
        changed.validate(SetPreset("quorum"))


# -- the numbers of the stories --------------------------------------------------------------------------------------


def at(name: str, ms: int) -> Snapshot:
    scenario = PATTERN.scenario(name)
    run: Timeline[Any, Snapshot] = Timeline(PATTERN.variant(scenario.variant), scenario.seed, scenario.config, scenario)
    run.advance(ms * US_PER_MS)
    return run.snapshot()


def seen(snapshot: Snapshot) -> list[tuple[str, str, Any, str]]:
    return [(each.process, each.call.value, each.value, each.status.value) for each in snapshot.history.operations]


def values(snapshot: Snapshot, key: str = "x") -> list[list[int]]:
    return [[value for name, value, _ in each.values if name == key] for each in snapshot.replicas]


def broken(snapshot: Snapshot) -> set[str]:
    return {model.name for model in snapshot.models if model.verdict.broken}


def test_stale_read_is_as_told() -> None:
    assert seen(at("stale-read", 300)) == [("A", "write", 1, "ok")]
    middle = at("stale-read", 500)
    assert seen(middle)[1:] == [("B", "read", 1, "ok"), ("C", "read", 0, "ok")]
    assert middle.stale == 1
    end = at("stale-read", 1_300)
    assert seen(end)[-1] == ("C", "read", 1, "ok")
    assert values(end) == [[1], [1], [1]]
    assert (end.r, end.w, end.n) == (1, 1, 3)


def test_in_flight_is_as_told() -> None:
    middle = at("in-flight", 280)
    assert seen(middle) == [("A", "write", 1, "info")]
    assert values(middle) == [[1], [], []]
    end = at("in-flight", 850)
    assert seen(end)[1:] == [("B", "read", 1, "ok"), ("C", "read", 0, "ok")]
    assert "linearizable" in broken(end)
    assert all(check.ok for check in end.checks)


def test_store_back_is_as_told() -> None:
    middle = at("store-back", 680)
    assert values(middle) == [[1], [], []]
    assert seen(middle) == [("A", "write", 1, "info"), ("B", "read", 1, "ok")]
    end = at("store-back", 800)
    assert seen(end)[-1] == ("C", "read", 0, "ok")
    assert broken(end) == {"linearizable"}


def test_sloppy_quorum_is_as_told() -> None:
    middle = at("sloppy-quorum", 900)
    assert seen(middle) == [("A", "write", 1, "ok")]
    assert [each.pending > 0 for each in middle.replicas] == [False, False, False, True, True]
    end = at("sloppy-quorum", 1_300)
    assert seen(end)[-1] == ("B", "read", 0, "ok")
    assert [check.name for check in end.checks if not check.ok] == ["overlap"]
    assert all(each.pending == 0 for each in at("sloppy-quorum", 2_300).replicas)


def test_clock_skew_is_as_told() -> None:
    middle = at("clock-skew", 700)
    assert seen(middle) == [("A", "write", 1, "ok"), ("B", "write", 2, "ok")]
    assert values(middle) == [[1], [1], [1]]
    assert middle.lost == 1
    assert seen(at("clock-skew", 1_000))[-1] == ("C", "read", 1, "ok")


@pytest.mark.parametrize("remembers", [True, False])
def test_a_machine_that_starts_again_gives_later_stamps_than_what_it_holds(
    remembers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by a hunt, and without it an acknowledged write was lost to a clock that had been fast."""
    if not remembers:
        monkeypatch.setattr(DynamoReplica, "_stamps", lambda replica: [Stamp(0)])
    config = (("nodes", 3), ("n", 3), ("w", 3), ("workload", "off"))
    timeline: Timeline[Any, Snapshot] = Timeline(PATTERN.variant("eventual"), 1, config)
    timeline.submit(faults.Skew("r1", 5_000_000, 0))
    timeline.submit(Perform("A", True, "x", "r1"))
    timeline.advance(200_000)
    timeline.submit(faults.Crash("r2"))
    timeline.submit(faults.Restart("r2"))
    timeline.submit(Perform("B", True, "x", "r2"))
    timeline.advance(600_000)
    assert [check.name for check in timeline.check() if not check.ok] == ([] if remembers else ["no lost write"])


def test_reply_first_is_as_told() -> None:
    assert dict(at("reply-first", 100).rules)["delivery"] is False, "the rule is off when the cue says so"
    end = at("reply-first", 950)
    assert seen(end)[-2:] == [("C", "read", 2, "ok"), ("C", "read", 0, "ok")]
    assert {"causal", "wfr"} <= broken(end)
    assert "pram" not in broken(end)


def test_siblings_are_as_told() -> None:
    middle = at("siblings", 800)
    assert values(middle) == [[1, 2], [1, 2], [1, 2]]
    assert [tag for _, _, tag in middle.replicas[2].values] == [(1, "r1"), (1, "r2")]
    assert str(next(each for each in at("siblings", 1_100).clients if each.machine.id == "C").seen) == "{r1:1, r2:1}"
    assert values(at("siblings", 1_500)) == [[3], [3], [3]]


def test_a_lost_session_is_as_told() -> None:
    middle = at("lost-session", 600)
    assert seen(middle) == [("A", "write", 1, "ok"), ("A", "read", 0, "ok")]
    assert {"ryw", "causal"} <= broken(middle)
    assert at("lost-session", 1_000).client("B").busy == "read"  # type: ignore[union-attr]
    assert seen(at("lost-session", 1_800))[-1] == ("B", "read", 2, "ok")


def test_rollback_is_as_told() -> None:
    assert next(each.machine.id for each in at("rollback", 500).replicas if each.leads) == "r5"
    assert seen(at("rollback", 1_200))[1:] == [("A", "write", 2, "ok"), ("A", "read", 2, "ok")]
    third = at("rollback", 2_600)
    assert seen(third)[-1] == ("B", "write", 3, "ok")
    assert values(third)[:4] == [[3]] * 4
    assert values(third)[4] == [2]
    end = at("rollback", 2_950)
    assert seen(end)[-1] == ("A", "read", 3, "ok")
    assert values(end) == [[3]] * 5
    assert end.lost == 1


def test_convergence_is_as_told() -> None:
    first = at("convergence", 800)
    assert values(first) == [[1], [1], []]
    assert first.replicas[0].pending == 1
    assert values(at("convergence", 1_500)) == [[1], [1], [1]]
    assert values(at("convergence", 3_200)) == [[2], [2], [2]]
    assert values(at("convergence", 4_200)) == [[3], [3], [2]]
    assert values(at("convergence", 6_000)) == [[3], [3], [3]]


def test_the_clocks_of_the_article_are_as_told() -> None:
    assert [str(each.vector) for each in at("article-clocks", 320).replicas] == ["{r1:1}", "{r2:1}", "{}"]
    assert {str(each.vector) for each in at("article-clocks", 1_100).replicas} == {"{r1:1, r2:1}"}
    assert str(at("article-clocks", 1_300).replicas[0].vector) == "{r1:2, r2:1}"


def test_the_share_of_stale_reads_is_near_the_closed_form() -> None:
    middle = at("measured", 6_000)
    assert middle.reads > 30
    share = middle.stale * 100 // middle.reads
    assert 45 <= share <= 80, share
    end = at("measured", 12_000)
    assert end.stale - middle.stale < (end.reads - middle.reads) // 10
