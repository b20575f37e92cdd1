"""Every story of every panel, played from the picker to its end as a person would, on a small and on a large screen."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from engines.sim.faults import Narrate
from engines.sim.pattern import Scenario
from tests.monkey import screen
from tui.app import DpTui
from tui.cli import commands
from tui.panel import Ask, Focus, Panel
from tui.registry import PANELS
from tui.session import Session

TICK_US = 100_000
TICKS_MAX = 20_000
STORIES = [
    pytest.param(panel, story, id=f"{panel.pattern.name}-{story.name}")
    for panel in PANELS
    for story in panel.pattern.scenarios
    if story.variant in (panel.variants or (story.variant,))
]


def begin(panel: Panel, story: Scenario, size: tuple[int, int]) -> Session:
    """The panel opened, and the story chosen behind ``s``."""
    session = Session(PANELS, panel.pattern.name, sandbox=True)
    session.resize(*size)
    assert session.press("s") == Ask("scenarios")
    picker = session.dialogue("scenarios")
    choice = next(each for each in picker.choices if each.title == story.title)  # type: ignore[union-attr]
    session.perform(choice.outcome)
    return session


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
@pytest.mark.parametrize(("panel", "story"), STORIES)
def test_every_story_plays_from_the_picker_to_its_end(panel: Panel, story: Scenario, size: tuple[int, int]) -> None:
    session = begin(panel, story, size)
    cues = {step.command.text for step in story.script if isinstance(step.command, Narrate) and step.command.pause}
    shown: set[str] = set()
    for _ in range(TICKS_MAX):
        session.tick(TICK_US)
        if session.scene.timeline.now_us >= story.end_us:
            break
        if not session.scene.player.playing:
            told = session.scene.timeline.snapshot().cue
            shown.add(told[1])
            cue = session.scene.cue()
            assert cue is not None, "it stands in a band of its own"
            assert cue.waits
            told_of = panel.fit(session.scene.now().snapshot, Focus()).node
            assert session.scene.focus.node == told_of, "what was selected before the story stays in its own run"
            assert " ".join(told[1].split()[:3]) in " ".join(screen(session).split()), "the narration can be read"
            session.press("space")
    assert session.scene.timeline.now_us >= story.end_us
    assert shown == cues
    checks = session.scene.now().checks
    failed = {check.name for check in checks if not check.ok}
    assert failed == set(story.breaks)
    if failed:
        assert "FAILED" in screen(session)
        session.press("e")
        session.press("i")
        assert "FAILED" in screen(session)
    else:
        assert f"{len(checks)}/{len(checks)}" in screen(session)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.pattern.name)
def test_the_keys_s_and_enter_and_space_play_a_story_through_the_whole_app(panel: Panel, size: tuple[int, int]) -> None:
    session = Session(PANELS, panel.pattern.name, sandbox=True)
    here = session.scene.timeline.variant.name
    story = min(panel.pattern.scenarios, key=lambda each: each.variant != here)  # those of this variant stand first

    async def watch() -> None:
        app = DpTui(session, fps=0, strict=True)
        async with app.run_test(size=size) as pilot:
            await pilot.press("s")
            await pilot.press("enter")
            for _ in range(TICKS_MAX):
                session.tick(TICK_US)
                if session.scene.timeline.now_us >= story.end_us:
                    break
                if not session.scene.player.playing:
                    await pilot.press("space")
            await pilot.pause()
            assert app.is_running

    asyncio.run(watch())
    assert session.scene.timeline.branch.scenario == story
    assert session.scene.timeline.now_us >= story.end_us


@pytest.mark.parametrize(("panel", "story"), STORIES)
def test_every_story_runs_to_its_end_without_a_screen(panel: Panel, story: Scenario) -> None:
    done = CliRunner().invoke(commands, ["run", panel.pattern.name, "--scenario", story.name, "--json"])
    data = json.loads(done.stdout)
    assert (data["variant"], data["virtual_time_us"]) == (story.variant, story.end_us)
    assert {check["name"] for check in data["checks"] if not check["ok"]} == set(story.breaks)
    assert all(check["expected"] for check in data["checks"] if not check["ok"])
    assert done.exit_code == bool(story.breaks)
