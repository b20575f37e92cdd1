"""Every story of the resilience panel, line by line, as it was when somebody last looked at it."""

from pathlib import Path

import pytest

from engines.resilience.pattern import PATTERN
from engines.sim.pattern import Scenario
from tests.transcripts import golden, quiet_events_told, transcript

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("scenario", PATTERN.scenarios, ids=lambda scenario: scenario.name)
def test_a_story_is_told_as_before(scenario: Scenario) -> None:
    text = transcript(PATTERN, scenario)
    assert golden(GOLDEN, scenario, text) == text


def test_no_transcript_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {scenario.name for scenario in PATTERN.scenarios}


def test_only_events_that_tell_a_story_are_told() -> None:
    for scenario in PATTERN.scenarios:
        assert not quiet_events_told(PATTERN, scenario)
