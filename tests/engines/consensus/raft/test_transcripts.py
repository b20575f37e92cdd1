"""Every story of the Raft panel, line by line, as it was when somebody last looked at it."""

from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from engines.consensus.pattern import PATTERN
from engines.consensus.raft.messages import Command
from engines.sim.pattern import Scenario
from tests.transcripts import golden, quiet_events_told, transcript

GOLDEN = Path(__file__).parent / "golden"
STORIES = [scenario for scenario in PATTERN.scenarios if scenario.variant == "raft"]


def _words(value: Any) -> str:
    """A value, short: records as ``Entry(1, None)``."""
    if isinstance(value, tuple):
        name = type(value).__name__ if hasattr(value, "_fields") else ""
        if isinstance(value, Command) and not value.session:
            value = value[:-1]
        return f"{name}({', '.join(map(_words, value))})"
    return str(value.value if isinstance(value, Enum) else value)


@pytest.mark.parametrize("scenario", STORIES, ids=lambda scenario: scenario.name)
def test_a_story_is_told_as_before(scenario: Scenario) -> None:
    text = transcript(PATTERN, scenario, message=_words, value=_words)
    assert golden(GOLDEN, scenario, text) == text


def test_no_transcript_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {scenario.name for scenario in STORIES}


def test_only_events_that_tell_a_story_are_told() -> None:
    for scenario in STORIES:
        assert not quiet_events_told(PATTERN, scenario)
