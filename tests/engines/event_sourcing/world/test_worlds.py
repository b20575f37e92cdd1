"""Random worlds under every fault of the model: no check fails, subscribers catch up, and every fault has bitten.

They are those of hunts; ``tests/engines/hunt/test_worlds.py`` soaks them.
"""

from __future__ import annotations

import pytest

from engines.event_sourcing.pattern import PATTERN
from engines.event_sourcing.world.checks import CHECKS_OF
from engines.hunt import Here, hunt, request_for
from tests.engines.event_sourcing.world.lab import world

VARIANTS = ("store", "numbered", "log", "group")
FAMILIES = {"crash", "freeze", "skew", "cut", "loss", "delay", "duplicate", "reorder", "clog"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_whatever_happens_no_check_fails_and_every_fault_bites(variant: str) -> None:
    tally = hunt(request_for(PATTERN, variant, "hostile"), Here(), 100, 109, budget=0).tally
    assert [(each.seed, each.violation.detail) for each in tally.found.values()] == []
    assert set(tally.injected) == FAMILIES
    assert min(tally.bites[family] for family in FAMILIES) > 0


def test_every_variant_makes_its_promises() -> None:
    for variant in VARIANTS:
        assert tuple(check.name for check in world(variant).check()) == CHECKS_OF[variant]
