"""What a lecturer says is true on the screen at which it is said: the numbers and names of the cues of PBFT.

A claim is a piece of a cue and what must hold of the snapshot at its moment. What only announces what comes next, or is
true of any run, needs no claim; a cue that states what happened has one.
"""

from collections.abc import Callable
from typing import Any

import pytest

from engines.consensus.pattern import PATTERN
from engines.consensus.pbft.checks import AGREEMENT, CERTIFICATES, LIVENESS, ONE_DIGEST
from engines.consensus.pbft.snapshot import ReplicaView, Snapshot
from engines.sim.faults import Narrate
from engines.sim.timeline import Timeline

Claim = tuple[str, Callable[[Snapshot], Any]]


def replica(s: Snapshot, name: str) -> ReplicaView:
    found = s.replica(name)
    assert found is not None
    return found


def executed(s: Snapshot) -> dict[str, int]:
    return {each.id: each.executed for each in s.replicas}


def value(s: Snapshot, name: str) -> int | None:
    return dict(replica(s, name).values).get("x")


def votes(s: Snapshot, name: str, n: int) -> dict[str, list[str]]:
    """digest -> who told this replica PREPARE for it."""
    slot = next(each for each in replica(s, name).slots if each.n == n)
    return {d: [vote.i for vote in slot.prepares if vote.digest == d] for d in {v.digest for v in slot.prepares}}


def client(s: Snapshot, name: str) -> Any:
    return next(each for each in s.clients if each.id == name)


def red(s: Snapshot) -> set[str]:
    return {check.name for check in s.checks if not check.ok}


def view_of(s: Snapshot) -> dict[str, tuple[int, bool]]:
    return {each.id: (each.view, each.changing) for each in s.replicas}


CLAIMS: dict[tuple[str, int], tuple[Claim, ...]] = {
    ("pbft-request", 100): (("Four replicas", lambda s: len(s.replicas) == 4 and s.f == 1 and s.primary == "r0"),),
    ("pbft-request", 245): (("r0 has given the request number 1", lambda s: executed(s)["r0"] == 0
                             and replica(s, "r0").slots[0].n == 1),),
    ("pbft-request", 600): (
        ("24 messages", lambda s: s.cost and (s.cost.n, s.cost.sent, s.cost.formula) == (1, 24, 24)),
        ("the first two equal replies", lambda s: len(client(s, "you").replies) == 2 == client(s, "you").needed),
        ("three COMMITs made it final", lambda s: all(len(each.slots[0].commits) >= 3 for each in s.replicas)),
    ),
    ("pbft-request", 1200): (("3 in 4", lambda s: s.quorum == 3 and set(executed(s).values()) == {2}),),
    ("pbft-silent-primary", 400): (("request 1 is executed everywhere", lambda s: set(executed(s).values()) == {1}),),
    ("pbft-silent-primary", 900): (("asked everybody", lambda s: client(s, "you").attempts == 2
                                    and all(replica(s, r).timer_left_us for r in ("r1", "r2", "r3"))),),
    ("pbft-silent-primary", 1600): (("r1 leads it", lambda s: s.view == 1 and s.primary == "r1"
                                     and set(executed(s).values()) == {2}),),
    ("pbft-silent-primary", 2600): (("r0 still hears and still executes", lambda s: executed(s)["r0"] == 2),),
    ("pbft-equivocation", 400): (("x = 1 is executed", lambda s: value(s, "r3") == 1),),
    ("pbft-equivocation", 900): (
        ("r1 and r2 prepared the new request", lambda s: (value(s, "r1"), value(s, "r2")) == (2, 2)),
        ("r3 has one PREPARE for its request, its own, and two for another",
         lambda s: sorted(map(len, votes(s, "r3", 2).values())) == [1, 2]),
        ("the client has its f+1 replies", lambda s: client(s, "you").done == 2),
    ),
    ("pbft-equivocation", 1900): (("r3 does not complain", lambda s: view_of(s)["r3"] == (0, False)
                                   and executed(s)["r3"] == 1),),
    ("pbft-equivocation", 4200): (("Number 5 was a checkpoint", lambda s: replica(s, "r3").stable == 5
                                   and value(s, "r3") == value(s, "r1") == 5),),
    ("pbft-lying-backup", 1600): (("Nothing happens", lambda s: replica(s, "r2").bites > 0 and not red(s)
                                   and replica(s, "r0").stable >= 5),),
    ("pbft-lying-backup", 2600): (("two of four are at fault", lambda s: replica(s, "r3").status == "crashed"
                                   and client(s, "c1").current is not None and not red(s)),),
    ("pbft-lying-backup", 2950): (("the requests go through", lambda s: executed(s)["r3"] >= 11),),
    ("pbft-slow-primary", 1000): (("six answers in the first second", lambda s: client(s, "c1").done == 6),),
    ("pbft-slow-primary", 4000): (("Two requests a second", lambda s: s.view == 0 and client(s, "c1").done == 12),),
    ("pbft-exhaustion", 1000): (
        ("Number 2 was ordered as it should: x is 2", lambda s: {value(s, each.id) for each in s.replicas} == {2}),
        ("number 5, x+=10, waits behind them", lambda s: [slot.n for slot in replica(s, "r1").slots] == [1, 2, 5]),
    ),
    ("pbft-exhaustion", 2600): (
        ("The new primary r1", lambda s: s.primary == "r1" and value(s, "r2") == 12),
        ("number 5 was executed: 2 + 10 is 12", lambda s: set(executed(s).values()) == {5}),
    ),
    ("pbft-forged-proof", 1500): (("r1 and r2 asked for view 1", lambda s: view_of(s)["r1"] == (1, True)
                                   and replica(s, "r1").view_changes == ((1, ("r1", "r2")),)),),
    ("pbft-forged-proof", 2800): (("the view opens", lambda s: s.view == 1 and value(s, "r0") == 2),),
    ("pbft-new-view-to-some", 400): (("Seven replicas survive two traitors", lambda s: len(s.replicas) == 7),),
    ("pbft-new-view-to-some", 1350): (
        ("r2, r3 and r4 take part", lambda s: [view_of(s)[f"r{i}"] for i in (2, 3, 4)] == [(1, False)] * 3),
        ("r5 and r6 wait", lambda s: [view_of(s)[f"r{i}"] for i in (5, 6)] == [(1, True)] * 2),
        ("a quorum is five", lambda s: s.quorum == 5),
    ),
    ("pbft-new-view-to-some", 3000): (("view 2, whose primary r2 is correct", lambda s: s.view == 2
                                       and s.primary == "r2" and value(s, "r6") == 2),),
    ("pbft-censored-client", 800): (("you asked all replicas", lambda s: client(s, "you").attempts == 2
                                     and s.view == 0),),
    ("pbft-censored-client", 1700): (("r1 leads view 1", lambda s: s.view == 1 and client(s, "you").done == 1),),
    ("pbft-f-plus-1", 1400): (
        ("Two certificates for number 2", lambda s: {AGREEMENT, CERTIFICATES} == red(s)),
        ("r1 executed x=2, r2 the old x=1", lambda s: (value(s, "r1"), value(s, "r2")) == (2, 1)),
        ("share two replicas, here the traitors", lambda s: s.traitors == ("r0", "r3") and s.beyond),
    ),
    ("pbft-laggard", 2000): (("asked for view 1, all alone", lambda s: view_of(s)["r3"] == (1, True)
                              and replica(s, "r0").low > replica(s, "r3").high),),
    ("pbft-laggard", 3400): (
        ("asked another where it did not fit", lambda s: replica(s, "r1").bites > 0),
        ("It still waits for view 1", lambda s: view_of(s)["r3"] == (1, True) and executed(s)["r3"] >= 12),
    ),
    ("pbft-forgetful", 1000): (("nothing executed, nothing promised", lambda s: executed(s)["r3"] == 0
                                and not replica(s, "r3").slots),),
    ("pbft-forgetful", 2200): (("it has promised number 2 twice", lambda s: red(s) == {ONE_DIGEST}),),
    ("pbft-read-only", 700): (("2f+1 = 3 equal replies", lambda s: client(s, "you").needed == 3
                               and client(s, "you").done == 2),),
    ("pbft-read-only", 2000): (
        ("r1 and r2 are content: 2 equal replies", lambda s: [r for _, r in client(s, "you").replies].count(2) == 2),
        ("asks for view 1, alone", lambda s: view_of(s)["r3"] == (1, True)),
    ),
    ("pbft-read-only", 27500): (("It still waits", lambda s: red(s) == {LIVENESS}),),
}  # fmt: skip


@pytest.mark.parametrize(("name", "ms"), CLAIMS)
def test_a_cue_is_true_where_it_is_said(name: str, ms: int) -> None:
    story = PATTERN.scenario(name)
    text = next(
        step.command.text for step in story.script if isinstance(step.command, Narrate) and step.at_us == ms * 1_000
    )
    run: Timeline[Any, Snapshot] = Timeline(PATTERN.variant("pbft"), story.seed, story.config, story)
    run.advance(ms * 1_000)
    snapshot = run.snapshot()
    for piece, holds in CLAIMS[name, ms]:
        assert piece in text, f"not said: {piece}"
        assert holds(snapshot), piece


def test_every_story_has_a_cue_that_is_tested() -> None:
    assert {name for name, _ in CLAIMS} == {story.name for story in PATTERN.scenarios if story.variant == "pbft"}
