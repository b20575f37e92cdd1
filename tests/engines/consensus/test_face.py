"""Consensus as a library: one server by hand, without the simulated world."""

import doctest
import subprocess
import sys

from engines import consensus

LOADED = "import sys, engines.consensus; print(*sorted(name for name in sys.modules if name.startswith('engines')))"


def test_the_example_runs() -> None:
    found = doctest.testmod(consensus)
    assert found.attempted >= 7
    assert found.failed == 0


def test_a_server_is_imported_without_the_world_it_is_simulated_in() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert len(loaded) <= 25
    assert not [name for name in loaded if name.startswith("engines.sim") or name.endswith((".pattern", ".engine"))]


def test_what_is_exported_is_there() -> None:
    assert sorted(consensus.__all__) == sorted(set(consensus.__all__))
    assert all(hasattr(consensus, name) for name in consensus.__all__)
