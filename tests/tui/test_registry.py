"""The panels are imported one by one, and what is known of them before that is true."""

import subprocess
import sys
from importlib import import_module

import pytest

from engines import NAMES, QUESTIONS, TITLES
from tui.panel import Panel
from tui.registry import PANELS, patterns


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.pattern.name)
def test_a_cover_says_of_its_pattern_what_the_pattern_says(panel: Panel) -> None:
    real = import_module(f"tui.panels.{panel.pattern.name}").PANEL.pattern
    cover = panel.pattern
    assert (cover.number, cover.name, cover.title, cover.aliases, cover.question) == (
        real.number, real.name, real.title, real.aliases, real.question,
    )  # fmt: skip
    assert (real.title, real.question) == (TITLES[real.number - 1], QUESTIONS[real.number - 1])
    assert cover.variants is real.variants
    assert cover.recorded is real.recorded


def test_the_panels_stand_in_the_order_of_their_numbers() -> None:
    numbers = [panel.pattern.number for panel in PANELS]
    assert numbers == sorted(numbers)
    assert [pattern.number for pattern in patterns()] == sorted(set(numbers))


def test_every_variant_is_drawn_by_one_panel() -> None:
    for pattern in patterns():
        own = [panel for panel in PANELS if panel.pattern.number == pattern.number]
        drawn = [variant for panel in own for variant in panel.variants or [each.name for each in pattern.variants]]
        assert sorted(drawn) == sorted(each.name for each in pattern.variants)


def test_the_first_picture_imports_one_pattern() -> None:
    script = (
        "import sys\n"
        "from tui.registry import PANELS, patterns\n"
        "from tui.session import Session\n"
        "session = Session(PANELS, 'raft', sandbox=True)\n"
        "session.resize(120, 36)\n"
        "session.render()\n"
        "print(*sorted(name for name in sys.modules if name.startswith('engines.') and name.count('.') == 1))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    built = {f"engines.{name}" for name in (*NAMES, "event_sourcing")}
    assert [name for name in done.stdout.split() if name in built] == ["engines.consensus"]
