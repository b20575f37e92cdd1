"""A script whose next line has become impossible, because a person changed the world before it."""

from engines.sim import faults
from tests.toy import TOY


def test_a_refused_line_of_the_script_becomes_words_and_the_story_goes_on() -> None:
    timeline = TOY.timeline(seed=7, scenario="fall")
    timeline.advance(800_000)
    said = [entry.command for entry in timeline.branch.log if isinstance(entry.command, faults.Narrate)]
    assert "The story wanted Greet here, but it cannot be: p2 is crashed" in said[-1].text
    assert not timeline.pending
    assert timeline.now_us == 800_000


def test_such_a_run_seeks_and_replays_like_any_other() -> None:
    timeline = TOY.timeline(seed=7, scenario="fall")
    timeline.advance(800_000)
    end = timeline.snapshot(), timeline.position, timeline.digest()
    timeline.seek(3)
    timeline.seek(1 << 40)
    assert (timeline.snapshot(), timeline.position, timeline.digest()) == end
