"""Random worlds under every fault of the model: no check fails, and every fault has bitten."""

from __future__ import annotations

import pytest

from engines.event_sourcing.world.checks import CHECKS_OF
from tests.engines.event_sourcing.world.lab import batter, failed, world

VARIANTS = ("store", "numbered", "log", "group")


def battered(seeds: range) -> dict[str, int]:
    bitten: dict[str, int] = {}
    for seed in seeds:
        for variant in VARIANTS:
            engine = world(variant, seed, rate=6 + seed % 3 * 20, **({"ack_ms": 900} if variant == "group" else {}))
            for name, count in batter(engine, seed).items():
                bitten[name] = bitten.get(name, 0) + count
            assert failed(engine) == [], f"{variant}, seed {seed}: {engine.check()}"
            for subscriber in engine.snapshot().subscribers:
                assert subscriber.behind < 15, f"{variant}, seed {seed}: {subscriber.name} does not catch up"
    return bitten


def test_whatever_happens_no_check_fails() -> None:
    bitten = battered(range(25))
    assert len(bitten) >= 13
    assert min(bitten.values()) > 20


@pytest.mark.soak
def test_whatever_happens_in_2000_seeds_no_check_fails() -> None:
    battered(range(1_000, 3_000))


def test_every_variant_makes_its_promises() -> None:
    for variant in VARIANTS:
        assert tuple(check.name for check in world(variant).check()) == CHECKS_OF[variant]
