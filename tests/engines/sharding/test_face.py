"""The library's face: what somebody imports who wants a ring and never opens the program."""

import doctest
import subprocess
import sys

import pytest

from engines import sharding
from engines.sharding import STRATEGIES, make

LOADED = "import sys, engines.sharding; print(*sorted(name for name in sys.modules if name.startswith('engines')))"


def test_the_example_of_the_package_runs_as_printed() -> None:
    found = doctest.testmod(sharding)
    assert found.attempted >= 7
    assert not found.failed


def test_the_face_loads_no_simulation_no_world_and_no_pattern() -> None:
    loaded = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True).stdout.split()
    assert len(loaded) <= 25
    assert not [name for name in loaded if name.startswith(("engines.sim", "engines.sharding.world"))]
    assert "engines.sharding.pattern" not in loaded


@pytest.mark.parametrize("name", sharding.__all__)
def test_what_it_exports_is_there(name: str) -> None:
    assert getattr(sharding, name) is not None


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("key", ["user:42", "{tag}.x", "\u00fcber", ""])
def test_text_is_a_key_as_its_utf_8_bytes_are(name: str, key: str) -> None:
    strategy = make(name, ("n1", "n2", "n3", "n4", "n5"))
    code = key.encode()
    assert strategy.owner(key) == strategy.owner(code)
    assert strategy.replicas(key, 3) == strategy.replicas(code, 3)
    assert strategy.locate(key) == strategy.locate(code)
    assert strategy.slot_of(key) == strategy.slot_of(code)
