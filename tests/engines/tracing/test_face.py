"""The library without the program: what it offers, what it costs to load, and that its example is true."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

import engines.tracing as face
from engines.tracing import critical
from engines.tracing.spans import Span

CASES = Path(__file__).with_name("cases")
MODULES_MAX = 25


def test_the_example_of_the_package_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checkout.json").write_bytes((CASES / "tempo-api-v1.json").read_bytes())
    monkeypatch.chdir(tmp_path)
    assert face.__doc__ is not None
    example = doctest.DocTestParser().get_doctest(face.__doc__, {}, "engines.tracing", None, 0)
    assert len(example.examples) == 2
    runner = doctest.DocTestRunner()
    runner.run(example)
    assert runner.summarize(verbose=False).failed == 0


def test_it_loads_no_world_no_ground_floor_and_no_pattern() -> None:
    code = "import sys, engines.tracing; print(*[name for name in sys.modules if name.split('.')[0] == 'engines'])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert len(loaded) <= MODULES_MAX, loaded
    assert not [name for name in loaded if re.search(r"\.(sim|world|pattern)\b", name)]


def test_everything_it_offers_is_there() -> None:
    assert sorted(face.__all__) == sorted(set(face.__all__))
    assert all(hasattr(face, name) for name in face.__all__)


def test_the_table_of_rooms_lists_what_is_there() -> None:
    assert face.__doc__ is not None
    table = face.__doc__[face.__doc__.index("context b3") :]
    listed = {name for line in table.splitlines() if "  " in line for name in line.partition("  ")[0].split()}
    folder = Path(face.__file__).parent
    there = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    assert listed == there - {"__init__"}


def test_the_picture_of_the_critical_path_is_one() -> None:
    """The bars of the docstring, a column a microsecond, have the path that is drawn below them."""
    assert critical.__doc__ is not None
    rows = re.findall(r"^    ([rabcde]|path) +(?=\|)(.*)$", critical.__doc__, re.MULTILINE)
    edges = {}
    for line in critical.__doc__.splitlines():
        if (found := re.match(r"    ([rabcde]|path) ", line)) and "|" in line:
            edges[found[1]] = [at - 10 for at, char in enumerate(line) if char == "|"]
    assert len(rows) == len(edges) == 7
    parents = {"r": "", "d": "c"}
    spans = [
        Span("1" * 32, name, parents.get(name, "r"), name, "", start_ns=bar[0] * 1_000, end_ns=bar[-1] * 1_000)
        for name, bar in edges.items()
        if name != "path"
    ]
    path = critical.critical_path(face.build(spans))
    drawn = re.findall(r"\| *(\w+)(?= *\|)", dict(rows)["path"])
    assert [each.span_id for each in path.segments] == drawn
    assert [each.start_us for each in path.segments] == edges["path"][:-1]
