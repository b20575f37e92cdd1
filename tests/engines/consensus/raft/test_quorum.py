"""Quorum arithmetic, by the worked examples of the dissertation's chapter 4 and of etcd's words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.consensus.raft.quorum import (
    NO_LIMIT,
    Change,
    Configuration,
    Refused,
    Vote,
    add,
    committed_index,
    enter_joint,
    has_quorum,
    learn,
    leave_joint,
    majority,
    overlap,
    remove,
    simple,
    vote_result,
)

servers = st.integers(1, 7)
groups = st.sets(servers, min_size=1, max_size=7).map(tuple)


@pytest.mark.parametrize(("count", "needed"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (9, 5)])
def test_a_majority_is_half_rounded_down_plus_one(count: int, needed: int) -> None:
    assert majority(count) == needed


def test_a_joint_configuration_commits_the_lower_of_its_sides() -> None:
    joint = Configuration(voters=(2, 3, 4, 5, 6), outgoing=(1, 2, 3))
    match = {1: 9, 2: 7, 3: 5, 4: 9, 5: 4, 6: 3}
    assert committed_index(Configuration((1, 2, 3)), match) == 7
    assert committed_index(Configuration((2, 3, 4, 5, 6)), match) == 5
    assert committed_index(joint, match) == 5


def test_an_empty_side_is_no_limit() -> None:
    assert committed_index(Configuration(), {}) == NO_LIMIT
    assert committed_index(Configuration((1,)), {1: 4}) == 4


def test_a_joint_election_needs_both_sides() -> None:
    joint = Configuration(voters=(3, 4, 5), outgoing=(1, 2, 3))
    assert vote_result(joint, {1: True, 2: True, 3: False, 4: True, 5: True}) is Vote.WON
    assert vote_result(joint, {1: True, 3: False, 4: True, 5: True}) is Vote.PENDING
    assert vote_result(joint, {1: True, 2: False, 3: False, 4: True, 5: True}) is Vote.LOST


def test_three_to_nine_needs_two_of_three_and_five_of_nine() -> None:
    joint = enter_joint(Configuration((1, 2, 3)), *(add(i) for i in range(4, 10)))
    assert has_quorum(joint, (1, 2, 4, 5, 6))
    assert not has_quorum(joint, (1, 2, 4, 5))
    assert not has_quorum(joint, (1, 4, 5, 6, 7, 8, 9))


def test_a_voter_that_becomes_a_learner_waits_until_the_joint_configuration_is_left() -> None:
    joint = enter_joint(Configuration((1, 2)), add(3), learn(2))
    assert joint == Configuration(voters=(1, 3), outgoing=(1, 2), learners_next=(2,))
    assert str(joint) == "(1 3) && (1 2) learners next (2)"
    assert leave_joint(joint) == Configuration(voters=(1, 3), learners=(2,))


def test_auto_leave_is_part_of_the_joint_configuration_only() -> None:
    joint = enter_joint(Configuration((1,)), add(2), auto_leave=True)
    assert joint.auto_leave
    assert not leave_joint(joint).auto_leave


def test_a_simple_change_takes_one_voter() -> None:
    three = Configuration((1, 2, 3))
    assert simple(three, add(4)).voters == (1, 2, 3, 4)
    assert simple(three, remove(3)).voters == (1, 2)
    assert simple(three, learn(7), learn(8)).learners == (7, 8)
    assert simple(Configuration((1,), learners=(2,)), add(2)) == Configuration((1, 2))
    with pytest.raises(Refused, match="4, 5: 2 voters at once need a joint configuration"):
        simple(three, add(4), add(5))


@pytest.mark.parametrize(
    ("before", "change", "said"),
    [
        (Configuration((1, 2)), add(2), "2 is a voter already"),
        (Configuration((1,), learners=(2,)), learn(2), "2 is a learner already"),
        (Configuration((1, 2)), remove(3), "3 is no member of (1 2)"),
        (Configuration((1,)), remove(1), "the last voter cannot be removed"),
        (Configuration((1,)), learn(1), "the last voter cannot be removed"),
    ],
)
def test_what_changes_nothing_or_leaves_nobody_is_refused(before: Configuration, change: Change, said: str) -> None:
    for make in (simple, enter_joint):
        with pytest.raises(Refused) as caught:
            make(before, change)
        assert said in str(caught.value)


def test_one_change_at_a_time() -> None:
    joint = enter_joint(Configuration((1, 2, 3)), add(4))
    with pytest.raises(Refused, match="joint already"):
        enter_joint(joint, add(5))
    with pytest.raises(Refused, match="leave it first"):
        simple(joint, add(5))
    with pytest.raises(Refused, match="not joint"):
        leave_joint(Configuration((1,)))
    with pytest.raises(Refused, match="without voters"):
        enter_joint(Configuration(), add(1))
    with pytest.raises(Refused, match="named twice"):
        enter_joint(Configuration((1,)), add(2), remove(2))


def test_servers_are_sorted_and_named_once() -> None:
    assert Configuration(("n10", "n2", "n2")).voters == ("n2", "n10")


@given(groups, groups)
def test_quorums_of_a_joint_configuration_meet_those_of_both_its_neighbours(
    old: tuple[int, ...], new: tuple[int, ...]
) -> None:
    joint = Configuration(new, old)
    everyone = range(1, 8)
    for mask in range(1 << 7):
        chosen = tuple(each for each in everyone if mask >> each - 1 & 1)
        if has_quorum(joint, chosen):
            rest = tuple(each for each in everyone if each not in chosen)
            assert not has_quorum(Configuration(old), rest)
            assert not has_quorum(Configuration(new), rest)


@given(groups, st.dictionaries(servers, st.integers(0, 9)))
def test_the_committed_index_is_the_highest_that_a_quorum_holds(voters: tuple[int, ...], match: dict[int, int]) -> None:
    configuration = Configuration(voters)
    index = committed_index(configuration, match)
    assert has_quorum(configuration, (each for each in voters if match.get(each, 0) >= index))
    assert not has_quorum(configuration, (each for each in voters if match.get(each, 0) > index))


@given(groups, groups)
def test_two_configurations_overlap_iff_no_two_quorums_are_apart(old: tuple[int, ...], new: tuple[int, ...]) -> None:
    one, other = Configuration(old), Configuration(new)
    masks = range(1 << 7)
    chosen = [tuple(each for each in range(1, 8) if mask >> each - 1 & 1) for mask in masks]
    apart = any(has_quorum(one, chosen[mask]) and has_quorum(other, chosen[127 - mask]) for mask in masks)
    assert overlap(one, other) is not apart


def test_a_change_of_two_voters_at_once_lets_two_majorities_decide_apart() -> None:
    three = Configuration((1, 2, 3))
    assert overlap(three, simple(three, add(4)))
    assert not overlap(three, Configuration((1, 2, 3, 4, 5))), "1 2 of three, 3 4 5 of five"
    joint = enter_joint(three, add(4), add(5))
    assert overlap(three, joint)
    assert overlap(joint, leave_joint(joint))


def test_a_learner_can_be_removed_and_nobody_else_who_is_no_voter() -> None:
    assert simple(Configuration((1, 2), (), (3,)), remove(3)) == Configuration((1, 2))


def test_a_configuration_of_nobody_prints_as_such() -> None:
    assert str(Configuration()) == "()"
