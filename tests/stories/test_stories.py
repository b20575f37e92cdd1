"""Every story reads as it did when somebody last looked at it, and every panel draws as it did."""

import pytest

from tests.stories.pictures import PICTURES, Picture, drawn
from tests.stories.played import GOLDEN, Story, played, reading, stories

STORIES = stories()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.id)
def test_a_story_reads_as_before(story: Story) -> None:
    text = reading(story)
    assert text.isascii()
    assert text == story.path.read_text(encoding="utf-8"), "python -m tests.stories writes it anew, if it was meant"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.id)
def test_a_story_breaks_what_it_says_and_nothing_else(story: Story) -> None:
    assert {check.name for check in played(story).checks if not check.ok} == set(story.scenario.breaks)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.id)
def test_a_panel_is_drawn_as_before(picture: Picture) -> None:
    text = drawn(picture)
    assert text == picture.path.read_text(encoding="utf-8"), "python -m tests.stories writes it anew, if it was meant"


def test_no_file_is_left_over() -> None:
    assert set(GOLDEN.rglob("*.txt")) == {story.path for story in STORIES} | {picture.path for picture in PICTURES}
