"""Made small: by dropping, by simpler settings, by breadth-first search; what is left breaks the same guarantee."""

from collections.abc import Sequence

from engines.consensus.pattern import PATTERN
from engines.hunt import Here, Search, hunt, request_for
from engines.hunt.jobs import shortened
from engines.hunt.minimal import minimal
from engines.hunt.plan import Plan
from engines.hunt.search import Shrinking
from engines.hunt.shrink import SLICE, minimise, shrink, simpler
from engines.hunt.trial import play
from engines.sim import faults
from engines.sim.pattern import Step

RAFT = PATTERN.variant("raft")
NO_PRE_VOTE = (("nodes", 3), ("pre_vote", False))


def test_delta_debugging_keeps_what_is_needed_and_nothing_else() -> None:
    tries = 0

    def fails(items: Sequence[int]) -> Sequence[int] | None:
        nonlocal tries
        tries += 1
        return items if {3, 17, 42} <= set(items) else None

    assert minimise(tuple(range(64)), fails) == (3, 17, 42)
    assert tries < 60
    assert minimise((1, 2, 3), lambda items: items) == ()


def test_a_find_becomes_a_few_commands_with_the_same_class_of_witness() -> None:
    request = request_for(PATTERN, "raft", broken=("pre_vote",))
    search = hunt(request, Here(), 0, 11, budget=0)
    found = next(iter(search.tally.found.values()))
    shrunk = shortened(request, found.seed, 400)
    assert shrunk.violation.kind == found.violation.kind
    assert shrunk.inputs <= 4 < shrunk.before
    again = play(shrunk.plan, RAFT)
    assert again.violation == shrunk.violation
    assert dict(shrunk.plan.config)["pre_vote"] is False, "what was asked for stays"


def test_it_says_how_far_it_is_and_can_be_stopped_with_what_there_is() -> None:
    request = request_for(PATTERN, "raft", broken=("pre_vote",))
    search = Search(request, Here(), 0, 11, stop_at_find=True)
    told: list[Shrinking] = []
    while search.advance(None):
        if search.shrinking is not None:
            told.append(search.shrinking)
    (whole,) = search.shrunk.values()
    dropping = [each for each in told if each.breadth < 0]
    assert len(dropping) >= 2
    assert [each.left for each in told] == sorted((each.left for each in told), reverse=True)
    assert [each.runs for each in dropping] == [1 + SLICE * (number + 1) for number in range(len(dropping))]
    assert [each.breadth for each in told[len(dropping) :]] == list(range(len(told) - len(dropping)))
    assert search.shrinking is None
    assert whole == shortened(request, next(iter(search.tally.found.values())).seed)

    again = Search(request, Here(), 0, 11, stop_at_find=True)
    while again.shrinking is None:
        again.advance(None)
    again.stop()
    (half,) = again.shrunk.values()
    assert half.runs < whole.runs
    assert whole.inputs <= half.inputs < half.before
    assert play(half.plan, RAFT).violation == half.violation


def test_a_setting_becomes_its_default_or_less_and_never_more() -> None:
    nodes = next(each for each in RAFT.settings if each.name == "nodes")
    assert nodes.default == 5
    assert next(simpler((("nodes", 7),), nodes)) == ()
    assert all(0 < dict(config)["nodes"] < 4 for config in simpler((("nodes", 4),), nodes))
    drawn = request_for(PATTERN, "raft", broken=("persist_vote",))
    assert shortened(drawn, 0).runs < 100, "it does not go back and forth until the budget is used up"


def test_fewer_commands_are_tried_under_other_seeds() -> None:
    """Which pages the power leaves is drawn anew at each start of the store: earlier failures decide over the last."""
    from engines.event_sourcing.pattern import PATTERN as EVENTS

    request = request_for(EVENTS, "store", broken=("whole_batches",))
    seed = next(seed for seed in range(170, 400) if play(request.plan(seed), EVENTS.variant("store")).violation)
    shrunk = shortened(request, seed)
    assert shrunk.plan.seed != seed
    assert shrunk.inputs <= 6 < shrunk.before


def test_links_that_are_cut_at_one_moment_become_one_cut() -> None:
    others = ("n2", "n3", "n4", "n5")
    cuts = tuple(Step(500_000, faults.Cut(*way)) for other in others for way in (("n1", other), (other, "n1")))
    plan = Plan("raft", 1, (("pre_vote", False),), (*cuts, Step(2_000_000, faults.Mend("*", "*"))), 0, 4_000_000)
    assert play(plan, RAFT).violation is not None
    shrunk = shrink(plan, RAFT, budget=150)
    assert shrunk.inputs <= 2


def test_a_promise_that_is_not_kept_keeps_its_heal() -> None:
    down = tuple(Step(100_000 * number, faults.Crash(f"n{number}")) for number in (1, 2, 3))
    noise = tuple(Step(50_000 + 100_000 * number, faults.Lose("n4", "n5", 100_000)) for number in range(5))
    drawn = request_for(PATTERN, "raft").plan(1)
    stuck = Plan("raft", 1, (), (*sorted((*down, *noise), key=lambda step: step.at_us), *drawn.rest[1:]),
                 len(drawn.rest) - 1, drawn.end_us)  # fmt: skip
    shrunk = shrink(stuck, RAFT, budget=120)
    assert shrunk.violation.at_end
    assert shrunk.plan.rest
    assert [type(step.command) for step in shrunk.plan.chaos] == [faults.Crash] * 2 or len(shrunk.plan.chaos) <= 3


def test_breadth_first_finds_fewer_commands_than_dropping_can() -> None:
    """Each of these four is needed where it stands; two of them, at other moments, do as well."""
    cut, mend = faults.Cut("n1", "n2"), faults.Mend("n1", "n2")
    plan = Plan("raft", 12, NO_PRE_VOTE, (Step(0, cut), Step(600_000, mend)), 0, 900_000)
    violation = play(plan, RAFT).violation
    assert violation is not None
    longer = Plan("raft", 12, NO_PRE_VOTE, (Step(0, cut), Step(0, mend), Step(0, cut), Step(600_000, mend)), 0, 900_000)
    assert play(longer, RAFT).violation is not None
    least = minimal(longer, violation, RAFT)
    assert least is not None
    assert least.proven
    assert len(least.plan.inputs) <= 2
    assert play(least.plan, RAFT).violation == least.violation
    assert least.violation.kind == violation.kind


def test_a_search_that_finds_nothing_smaller_has_proven_that() -> None:
    cut, mend = faults.Cut("n1", "n2"), faults.Mend("n1", "n2")
    plan = Plan("raft", 12, NO_PRE_VOTE, (Step(0, cut), Step(600_000, mend)), 0, 900_000)
    violation = play(plan, RAFT).violation
    assert violation is not None
    least = minimal(plan, violation, RAFT)
    assert least is not None
    assert least.proven
    assert least.plan == plan or len(least.plan.inputs) == 1
    five = Plan("raft", 12, (("pre_vote", False),), plan.inputs, 0, 900_000)
    assert minimal(five, violation, RAFT) is None, "too many machines for a search"
