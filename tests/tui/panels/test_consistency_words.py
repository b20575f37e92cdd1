"""What the panel of consistency says of the machines that crash, and of reads that are judged."""

import pytest

from engines.sim import faults
from tests.tui.panels.consistency_runs import run, story
from tui.panels.consistency import PANEL
from tui.panels.consistency.strip import measured


@pytest.mark.parametrize(
    ("node", "said", "never"),
    [
        ("A", "nobody is there to hear the answer", "disk"),
        ("r1", "what it stored is on disk", "nobody is there"),
    ],
)
def test_a_client_that_crashes_has_no_disk(node: str, said: str, never: str) -> None:
    timeline = run("eventual", 300, (100, faults.Crash(node)), (200, faults.Restart(node)))
    lines = [PANEL.narrate(event) for event in timeline.engine.told(100)]
    mine = " ".join(
        line.text for line in lines if line.who == node and ("crashes" in line.text or "restarts" in line.text)
    )
    assert said in mine
    assert never not in mine


def test_no_read_is_called_fresh_beside_a_model_that_one_of_them_broke() -> None:
    """Stale is measured against acknowledged writes; who saw one that was not, and then an older value, breaks more."""
    assert measured(story("store-back", 850).snapshot()).startswith("0 of 2 reads missed an acknowledged write")
    assert measured(story("stale-read", 500).snapshot()).startswith("1 of 2 reads stale so far: 50 %")
