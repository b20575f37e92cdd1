"""How many checks and stories the README says there are, against those there are."""

import re
from pathlib import Path
from typing import Final

import pytest

from engines.consensus.pattern import PATTERN as CONSENSUS
from engines.sim.history import CLIENT_HISTORY, History
from engines.sim.pattern import Pattern, Variant
from tests.patterns import PATTERNS
from tui.judging import judged

README: Final = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
ROWS: Final = [line for line in README.splitlines() if re.match(r"\| `[1-7]` \|", line)]
NUMBERS: Final = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip


def number(word: str) -> int:
    """What a numeral says, in digits or in words."""
    return int(word) if word.isdigit() else NUMBERS.index(word)


def counted(what: str, text: str) -> list[int]:
    """All the numbers of such things that a text names."""
    return [number(word) for word in re.findall(rf"\b(\d+|{'|'.join(NUMBERS)}) {what}", text)]


def row_of(title: str) -> str:
    """The row of a pattern in the table of the seven."""
    return next(row for row in ROWS if f"| {title} |" in row)


def checks_of(pattern: Pattern, variant: str = "") -> int:
    """After every event: of a variant, or of the variant that has most."""
    return max(len(each.make(1, ()).check()) for each in pattern.variants if variant in ("", each.name))


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_the_table_of_the_seven_counts_checks_and_stories_as_they_are(pattern: Pattern) -> None:
    if pattern is CONSENSUS:
        return
    row = row_of(pattern.title)
    assert counted("stories", row) == [len(pattern.scenarios)]
    assert counted("checks after every event", row) in ([], [checks_of(pattern)])


def test_raft_and_pbft_have_as_many_checks_as_the_readme_says() -> None:
    raft, pbft = checks_of(CONSENSUS, "raft"), checks_of(CONSENSUS, "pbft")
    assert counted("checks after every event", row_of("Consensus")) == [raft, pbft]
    (raft_row,) = re.findall(r"^\| Raft, 5 nodes under load, .*", README, re.M)
    (pbft_row,) = re.findall(r"^\| PBFT, 4, 7 and 10 replicas under load, .*", README, re.M)
    assert (counted("checks after", raft_row), counted("checks after", pbft_row)) == ([raft], [pbft])
    stories = [len([each for each in CONSENSUS.scenarios if each.variant == name]) for name in ("raft", "pbft")]
    assert stories[0] > 30
    assert counted("stories", row_of("Consensus"))[-1] == stories[1]


@pytest.mark.parametrize("variant", CONSENSUS.variants, ids=lambda variant: variant.name)
def test_beside_the_checks_there_is_one_verdict_on_the_client_history(variant: Variant) -> None:
    """So a screen of Raft shows 20, and one of PBFT 10."""
    engine = variant.make(1, ())
    assert isinstance(engine.history, History)
    assert [check.name for check in judged(engine)] == [CLIENT_HISTORY]
    assert CLIENT_HISTORY not in [check.name for check in engine.check()]
