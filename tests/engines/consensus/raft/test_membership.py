"""Which configuration rules and how a server catches up, sentence by sentence (dissertation, chapter 4)."""

import pytest

from engines.consensus.raft.membership import ROUNDS_MAX, Configurations, Round, Rounds
from engines.consensus.raft.quorum import Configuration, enter_joint, leave_joint, remove

THREE = Configuration(("n1", "n2", "n3"))
FOUR = Configuration(("n1", "n2", "n3", "n4"))


def test_the_newest_configuration_in_the_log_rules_committed_or_not() -> None:
    configurations = Configurations(THREE)
    configurations.append(7, FOUR)
    assert (configurations.newest, configurations.index) == (FOUR, 7)


def test_if_the_entry_is_truncated_the_one_before_it_rules_again() -> None:
    configurations = Configurations(THREE)
    configurations.append(7, FOUR)
    assert not configurations.truncate(7)
    assert configurations.truncate(6)
    assert (configurations.newest, configurations.index) == (THREE, 0)
    assert not configurations.truncate(0), "the base stays"


def test_what_ruled_at_the_end_of_a_snapshot_is_the_base_of_the_log_behind_it() -> None:
    configurations = Configurations(THREE)
    configurations.append(4, FOUR)
    configurations.append(9, THREE)
    assert configurations.at(8) == (4, FOUR)
    configurations.compact(6)
    assert configurations.known == [(4, FOUR), (9, THREE)]
    configurations.compact(20)
    assert configurations.known == [(9, THREE)]
    configurations.replace(FOUR, 30)
    assert (configurations.newest, configurations.index) == (FOUR, 30)


def test_a_removed_server_may_stand_until_it_knows_that_its_removal_is_committed() -> None:
    configurations = Configurations(Configuration(("n1", "n2")))
    configurations.append(5, Configuration(("n2",)))
    assert configurations.votes("n1", commit=4)
    assert not configurations.votes("n1", commit=5)
    assert configurations.votes("n2", commit=5)


def test_a_learner_may_stand_as_soon_as_its_promotion_is_in_its_log() -> None:
    configurations = Configurations(Configuration(("n1", "n2"), learners=("n3",)))
    assert not configurations.votes("n3", commit=0)
    configurations.append(3, THREE)
    assert configurations.votes("n3", commit=0)


def test_a_server_of_the_old_side_may_stand_while_the_configuration_is_joint() -> None:
    configurations = Configurations(THREE)
    joint = enter_joint(THREE, remove("n1"))
    configurations.append(2, joint)
    assert configurations.votes("n1", commit=2)
    configurations.append(3, leave_joint(joint))
    assert configurations.votes("n1", commit=2)
    assert not configurations.votes("n1", commit=3)


# -- rounds ----------------------------------------------------------------------------------------------------

T_US = 150_000


def catch_up(link: int, clients: int, log: int = 1_000) -> tuple[Round, int, list[int]]:
    """A leader with so many entries, clients and a link of so many a second: how it ends, and what each round took."""
    now_us = 0
    rounds, took = Rounds(log, now_us), []
    match = 0
    while True:
        now_us += (rounds.goal - match) * 1_000_000 // link
        match = rounds.goal
        how = rounds.reached(match, log + clients * now_us // 1_000_000, now_us, T_US)
        took.append(rounds.took_us)
        if how is not Round.NEXT:
            return how, rounds.number, took


def test_rounds_shorten_while_the_link_is_faster_than_the_clients() -> None:
    assert catch_up(link=500, clients=100) == (Round.CAUGHT_UP, 3, [2_000_000, 400_000, 80_000])


def test_a_server_that_falls_behind_is_turned_away_after_ten_rounds() -> None:
    how, number, took = catch_up(link=90, clients=100)
    assert (how, number, len(took)) == (Round.TOO_SLOW, ROUNDS_MAX, ROUNDS_MAX)
    assert took == sorted(took)


def test_a_round_goes_on_until_the_server_holds_all_that_the_leader_had_at_its_start() -> None:
    rounds = Rounds(10, 0)
    assert rounds.reached(9, 20, 1_000, T_US) is Round.GOING
    assert rounds.reached(10, 20, 1_000, T_US) is Round.CAUGHT_UP


@pytest.mark.parametrize(("took_us", "how"), [(T_US - 1, Round.CAUGHT_UP), (T_US, Round.NEXT)])
def test_the_last_round_must_take_less_than_an_election_timeout(took_us: int, how: Round) -> None:
    rounds = Rounds(10, 0)
    assert rounds.reached(10, 12, took_us, T_US) is how
    assert rounds.goal == (12 if how is Round.NEXT else 10)
