"""The matrix of smallest histories: each shows what it says, and what is missing is implied."""

import pytest

from engines.consistency import IMPLIES, judge_history
from engines.consistency.smallest import MODELS, SMALLEST, history_of, search

ALSO = (("regular", "ryw"), ("regular", "mw"))
"""Not in the lattice as it is usually drawn, and true here: what a session provably wrote is ordered in time, too."""


def implied() -> set[tuple[str, str]]:
    found = set(IMPLIES) | set(ALSO)
    while True:
        more = {(one, last) for one, other in found for third, last in found if other == third} - found
        if not more:
            return found
        found |= more


@pytest.mark.parametrize("pair", SMALLEST, ids=lambda pair: "-not-".join(pair))
def test_each_history_satisfies_one_and_not_the_other(pair: tuple[str, str]) -> None:
    verdicts = judge_history(history_of(SMALLEST[pair])).verdicts
    assert verdicts[pair[0]].ok
    assert verdicts[pair[1]].broken


def test_what_is_missing_is_implied() -> None:
    missing = {(one, other) for one in MODELS for other in MODELS if one != other} - set(SMALLEST)
    assert missing == implied() - {(one, one) for one in MODELS}


def test_cc_does_not_imply_pram_has_a_witness() -> None:
    assert ("causal", "pram") in SMALLEST


def test_the_search_finds_the_small_ones_again() -> None:
    found = search(range(1, 4), 400)
    assert found
    for pair, lines in found.items():
        verdicts = judge_history(history_of(lines)).verdicts
        assert verdicts[pair[0]].ok
        assert verdicts[pair[1]].broken
