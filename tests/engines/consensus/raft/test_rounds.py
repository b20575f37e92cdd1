"""How a new server catches up, sentence by sentence (dissertation 4.2.1)."""

import pytest

from engines.consensus.raft.progress import ROUNDS_MAX, Round, Rounds

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
