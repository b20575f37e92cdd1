"""Random worlds of every variant, drawn as hunts draw them: no guarantee breaks, each promise is kept within its bound.

``make soak`` plays some hundreds of each; ``dp-tui hunt`` plays any number.
"""

from __future__ import annotations

from typing import Any

import pytest

from engines.hunt import Here, hunt, request_for
from engines.sim.pattern import Config, Pattern, Variant
from tests.patterns import PATTERNS

WORLDS = 300
"""Seeds of each pattern in ``make test``, shared by its variants."""
FEWER = {"consensus": 26, "resilience": 10}
"""Of those who have their hundreds of worlds in tests of their own."""
AT_ONCE = 25
"""Seeds of one test, so that several processes share them."""
SMALLER: dict[str, Config] = {"tracing": (("services", 12),)}
"""What takes long is played small, but for the first of a variant."""
IN_SOAK = 400
VARIANTS = [(pattern, variant) for pattern in PATTERNS for variant in pattern.variants]


def shares() -> list[Any]:
    """Pattern, variant, and the seeds of one test: first and how many."""
    found = []
    for pattern, variant in VARIANTS:
        count = -(-FEWER.get(pattern.name, WORLDS) // len(pattern.variants))
        for first in range(0, count, AT_ONCE):
            seeds = min(AT_ONCE, count - first)
            found.append(pytest.param(pattern, variant, first, seeds, id=f"{variant.name}-{first}"))
    return found


def held(
    pattern: Pattern, variant: Variant, first: int, count: int, profile: str = "usual", config: Config = ()
) -> Any:
    request = request_for(pattern, variant.name, profile, config)
    tally = hunt(request, Here(), first, first + count - 1, budget=0).tally
    found = [(each.seed, each.violation.check, each.violation.detail) for each in tally.found.values()]
    assert found == [], f"dp-tui hunt {pattern.name} --variant {variant.name} --seeds {first}..{first + count - 1}"
    return tally


@pytest.mark.parametrize(("pattern", "variant", "first", "count"), shares())
def test_nothing_breaks_and_every_promise_is_kept(pattern: Pattern, variant: Variant, first: int, count: int) -> None:
    assert variant.chaos is not None, "every variant says what it survives"
    tally = held(pattern, variant, first, count, config=SMALLER.get(pattern.name, ()) if first else ())
    assert tally.seeds > count // 2
    assert tally.bites


def test_whoever_has_much_to_move_is_given_the_time_for_it() -> None:
    """Orders to leave for four nodes of six, the last half done 100 s after all was healed."""
    sharding = next(each for each in PATTERNS if each.name == "sharding")
    held(sharding, sharding.variant("slots"), 50_001, 1, "hostile")


@pytest.mark.soak
@pytest.mark.parametrize("profile", ["usual", "hostile"])
@pytest.mark.parametrize(("pattern", "variant"), VARIANTS, ids=lambda each: each.name)
def test_the_same_for_hundreds_of_seeds(pattern: Pattern, variant: Variant, profile: str) -> None:
    held(pattern, variant, 1_000, IN_SOAK, profile)
