"""The stories of every pattern, event by event, as they were when somebody last looked at them.

Raft, PBFT and the service world keep theirs beside their own tests.
"""

from enum import Enum
from pathlib import Path
from typing import Any, Final

import pytest

from engines.sim.pattern import Pattern, Scenario
from tests.patterns import PATTERNS
from tests.transcripts import golden, quiet_events_told, transcript

GOLDEN: Final = Path(__file__).parent / "golden"
ELSEWHERE: Final = ("consensus", "resilience")
STORIES: Final = [
    pytest.param(pattern, scenario, id=f"{pattern.name}-{scenario.name}")
    for pattern in PATTERNS
    if pattern.name not in ELSEWHERE
    for scenario in pattern.scenarios
]


def short(value: Any) -> str:
    """A value in a line of a transcript: records without the names of their fields."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        name = type(value).__name__ if hasattr(value, "_fields") else ""
        return f"{name}({', '.join(map(short, value))})"
    return str(value)


@pytest.mark.parametrize(("pattern", "scenario"), STORIES)
def test_a_story_happens_as_before(pattern: Pattern, scenario: Scenario) -> None:
    text = transcript(pattern, scenario, value=short)
    assert golden(GOLDEN / pattern.name, scenario, text) == text
    assert not quiet_events_told(pattern, scenario)


def test_no_transcript_is_left_over() -> None:
    there = {(path.parent.name, path.stem) for path in GOLDEN.glob("*/*.txt")}
    stories = {(pattern.name, story.name) for pattern in PATTERNS for story in pattern.scenarios}
    assert there == {each for each in stories if each[0] not in ELSEWHERE}
