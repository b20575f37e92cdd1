"""What ``e`` explains at a line of a story: what has broken since the line before, then the line, then the rest."""

import pytest

from tui.registry import PANELS
from tui.session import Session


def at_cue(pattern: str, scenario: str, cue: int) -> Session:
    """A story, waiting at its nth line."""
    session = Session(PANELS, pattern, scenario=scenario)
    session.resize(120, 36)
    for number in range(cue):
        if number:
            session.press("space")
        while session.scene.cue() is None or session.scene.player.playing:
            session.tick(100_000)
    return session


def pages(session: Session) -> list[tuple[str, str]]:
    """Title and text of each page that ``e`` turns to."""
    found = []
    session.press("e")
    while session.scene.focus.why:
        title, paragraphs = session.scene.explanation()
        found.append((title, " ".join(paragraphs)))
        session.press("e")
    return found


@pytest.mark.parametrize(
    ("pattern", "scenario", "cue", "titles", "off"),
    [
        ("cqrs", "delivery", 1, ["why: 00:01.000"], ""),
        ("cqrs", "delivery", 2, ["why: projection = fold", "why: 00:02.000"], "idempotent"),
        ("cqrs", "delivery", 3, ["why: 00:03.", "why: projection = fold"], "idempotent"),
        (
            "consistency",
            "lost-session",
            2,
            ["why: causal (1 of 3)", "why: ccv (2 of 3)", "why: ryw (3 of 3)", "why: 00:00."],
            "client vector, sticky",
        ),
    ],
)
def test_what_is_new_is_told_first_and_the_rules_are_those_of_its_time(
    pattern: str, scenario: str, cue: int, titles: list[str], off: str
) -> None:
    told = pages(at_cue(pattern, scenario, cue))
    assert len(told) == len(titles)
    assert all(title.startswith(start) for (title, _), start in zip(told, titles, strict=True)), told
    missing = [text for _, text in told if "Switched off before it broke" in text]
    assert bool(missing) == bool(off)
    assert all(text.endswith(f"Switched off before it broke: {off}.") for text in missing)


def test_without_a_rule_the_cause_is_sought_elsewhere() -> None:
    (title, text), *_ = pages(at_cue("cqrs", "checkpoint-policies", 2))
    assert title == "why: projection = fold"
    assert "No rule was off before it broke: a setting of this run (t)" in text
