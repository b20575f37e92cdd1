"""Every story of Raft and of PBFT, line by line, as it was when somebody last looked at it."""

from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from engines.consensus.pattern import PATTERN
from engines.consensus.raft.messages import Command
from engines.sim.pattern import Scenario
from tests.transcripts import golden, quiet_events_told, transcript

HERE = Path(__file__).parent


def _folder(variant: str) -> Path:
    """Where the transcripts of a variant are."""
    return HERE / variant / "golden"


def _words(value: Any) -> str:
    """A value, short: records as ``Entry(1, None)``."""
    if isinstance(value, tuple):
        name = type(value).__name__ if hasattr(value, "_fields") else ""
        if isinstance(value, Command) and not value.session:
            value = value[:-1]
        return f"{name}({', '.join(map(_words, value))})"
    return str(value.value if isinstance(value, Enum) else value)


@pytest.mark.parametrize("scenario", PATTERN.scenarios, ids=lambda scenario: scenario.name)
def test_a_story_is_told_as_before(scenario: Scenario) -> None:
    text = transcript(PATTERN, scenario, message=_words, value=_words)
    assert golden(_folder(scenario.variant), scenario, text) == text


@pytest.mark.parametrize("variant", ["raft", "pbft"])
def test_no_transcript_is_left_over(variant: str) -> None:
    stories = {scenario.name for scenario in PATTERN.scenarios if scenario.variant == variant}
    assert {path.stem for path in _folder(variant).iterdir()} == stories


def test_only_events_that_tell_a_story_are_told() -> None:
    for scenario in PATTERN.scenarios:
        assert not quiet_events_told(PATTERN, scenario)
