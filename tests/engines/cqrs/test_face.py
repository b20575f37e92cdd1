"""The face of the library: what it exports, that its example runs, and what it does not load."""

import subprocess
import sys
import textwrap

import pytest

import engines.cqrs


def test_the_example_of_the_docstring_runs(capsys: pytest.CaptureFixture[str]) -> None:
    doc = engines.cqrs.__doc__ or ""
    example = textwrap.dedent("\n".join(line for line in doc.splitlines() if line.startswith("    ")))
    scope: dict[str, object] = {}
    exec(example, scope)
    assert "total=3800" in capsys.readouterr().out
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    answer, again = scope["answer"], scope["again"]
    assert isinstance(answer, engines.cqrs.Answer)
    assert isinstance(again, engines.cqrs.Answer)
    assert again == answer._replace(repeated=True)


def test_the_face_loads_no_world_no_pattern_and_no_ground_floor() -> None:
    code = "import sys, engines.cqrs as e; [getattr(e, name) for name in e.__all__]; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in loaded if name.startswith(("engines.sim", "engines.cqrs.world", "tui"))]
    assert "engines.cqrs.pattern" not in loaded
