"""The library's face: what somebody imports who wants a breaker and never opens the program."""

import doctest
import subprocess
import sys

import pytest

from engines import resilience

LOADED = "import sys, engines.resilience; print(*sorted(name for name in sys.modules if name.startswith('engines')))"


def test_the_example_of_the_package_runs_as_printed() -> None:
    found = doctest.testmod(resilience, optionflags=doctest.ELLIPSIS)
    assert found.attempted >= 6
    assert not found.failed


def test_the_face_loads_no_world_and_no_pattern() -> None:
    loaded = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True).stdout.split()
    assert len(loaded) <= 25
    assert not [name for name in loaded if name.startswith(("engines.sim", "engines.resilience.world"))]
    assert "engines.resilience.pattern" not in loaded


@pytest.mark.parametrize("name", resilience.__all__)
def test_what_it_exports_is_there_and_says_what_it_is(name: str) -> None:
    assert getattr(resilience, name) is not None
