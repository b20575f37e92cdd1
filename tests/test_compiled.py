"""Compiled engines are the same engines: equal transcripts of all stories, and hunts that judge the same."""

import ast
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.compiling import ROOT, build, marked, modules

TRANSCRIPTS = [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("tests/engines/**/test_transcripts.py"))]


def test_what_is_compiled_is_there_and_nothing_of_the_world_outside() -> None:
    names = modules()
    assert {"engines/sim/kernel.py", "engines/consensus/raft/node.py", "engines/sharding/world/node.py"} < set(names)
    assert not [name for name in names if "sqlite" in name or name.startswith("engines/live/")]


def test_a_class_says_that_it_may_have_heirs_and_a_dataclass_that_it_is_an_ordinary_class() -> None:
    text = (
        '"""A module."""\n\nclass Node:\n    pass\n\n@dataclass(frozen=True)\nclass Config:\n    pass\n\n'
        "class Seen(NamedTuple):\n    at_us: int\n\nclass Lost(UserError):\n    pass\n"
    )
    said = {
        each.name: [ast.unparse(one) for one in each.decorator_list]
        for each in ast.parse(marked(text)).body
        if isinstance(each, ast.ClassDef)
    }
    assert said == {
        "Node": ["mypyc_attr(allow_interpreted_subclasses=True, serializable=True)"],
        "Config": ["mypyc_attr(native_class=False)", "dataclass(frozen=True)"],
        "Seen": [],
        "Lost": [],
    }


@pytest.fixture(scope="session")
def place() -> Path:
    if find_spec("mypyc") is None or find_spec("setuptools") is None:
        pytest.skip("mypy and setuptools are not installed")
    return build()


@pytest.mark.soak
def test_the_stories_happen_as_before_on_compiled_engines(place: Path) -> None:
    """But for CQRS and tracing: interpreted worlds on a compiled kernel, whose own fields no checkpoint holds yet."""
    command = [
        sys.executable,
        "-P",
        "-m",
        "pytest",
        "-q",
        "-n",
        "2",
        "-o",
        f"pythonpath={place} .",
        *TRANSCRIPTS,
        "-k",
        "not tracing and not cqrs",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3_000:]


@pytest.mark.soak
def test_a_compiled_hunt_judges_the_same_seeds_the_same_way(place: Path) -> None:
    said = []
    for home in (ROOT, place):
        environment = os.environ | {"PYTHONPATH": f"{home}{os.pathsep}{ROOT}"}
        command = [sys.executable, "-P", "-m", "tests.engines.hunt.judged"]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
        said.append(done.stdout.split("\n"))
    assert (said[0][0], said[1][0]) == ("interpreted", "compiled")
    assert said[0][1:] == said[1][1:]
