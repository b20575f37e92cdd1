"""The table of the README: every rule that can be switched off was hunted, found, and made small."""

import re
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from benchmarks.hunt_rules import SEEDS, SMALL, Wanted, wanted

ROOT: Final = Path(__file__).parent.parent
SECTION: Final = (ROOT / "README.md").read_text(encoding="utf-8").split("## Hunting")[1].split("\n## ")[0]


class Line(NamedTuple):
    """A row as it is printed."""

    check: str
    seeds: str
    commands: str


ROWS: Final = {
    (variant, rule): Line(check, seeds, commands)
    for variant, rule, check, seeds, commands in re.findall(
        r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]*?) ?\| (\d*) ?\|$", SECTION, re.MULTILINE
    )
}
WANTED: Final = {(hunt.variant.title, hunt.name): hunt for hunt in wanted()}


def test_every_rule_has_its_row_and_no_row_is_of_another_rule() -> None:
    assert "make bench ARGS=hunt-rules" in SECTION
    assert list(ROWS) == list(WANTED)


@pytest.mark.parametrize("hunt", WANTED.values(), ids=lambda hunt: f"{hunt.variant.name}: {hunt.name}")
def test_its_absence_was_found_and_made_small_or_is_said_to_break_nothing(hunt: Wanted) -> None:
    row = ROWS[hunt.variant.title, hunt.name]
    if hunt.why:
        assert row == (f"none: {hunt.why}", "", "")
        return
    checks = [check.name for check in hunt.variant.make(1, ()).check()]
    promise = hunt.variant.chaos.promise if hunt.variant.chaos else ""
    assert row.check in (*checks, promise, "client history")
    assert 0 < int(row.seeds.replace(",", "")) <= SEEDS
    assert int(row.commands) <= SMALL
