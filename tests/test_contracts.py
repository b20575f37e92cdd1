"""Every import contract has been seen red: a module that breaks it is put into a copy of the sources."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parent.parent
LINT: Final = Path(sys.executable).parent / "lint-imports"

VIOLATIONS: Final = {
    "tui stands on engines, never the reverse": ("engines/bad_floor.py", "import tui.canvas"),
    "engines know no screen": ("engines/sim/bad_screen.py", "import textual"),
    "engines know no wall clock and no outside world": ("engines/resilience/bad_clock.py", "from time import sleep"),
    "the ground floor knows no pattern, and patterns stand side by side": (
        "engines/sharding/bad_neighbour.py", "import engines.consensus.raft.node",
    ),
    "tracing knows no pattern but resilience": ("engines/tracing/bad_ground.py", "import engines.sharding.batch"),
    "cqrs knows no pattern but event sourcing": ("engines/cqrs/bad_ground.py", "import engines.sharding.batch"),
    "panels do not import each other": ("tui/panels/sharding/bad_panel.py", "from tui.panels.consensus import words"),
    "the kit knows no pattern and no panel": ("tui/kit/bad_kit.py", "import engines.sharding.batch"),
    "textual and rich only where the screen is": ("tui/bad_session.py", "import textual.app"),
    "the network only where visitors come in": ("tui/bad_network.py", "import asyncssh"),
    "pictures are plain Python, testable as text": ("tui/kit/bad_picture.py", "import tui.theme"),
}  # fmt: skip
"""Contract -> a module that breaks it, and what it says."""


def contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    return found


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the linter says of each contract, all of which are broken at once."""
    copy = tmp_path_factory.mktemp("broken")
    for top in ("engines", "tui"):
        shutil.copytree(ROOT / top, copy / top, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for path, code in VIOLATIONS.values():
        (copy / path).write_text(f"{code}\n", encoding="utf-8")
    done = subprocess.run([LINT, "--no-cache"], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    details = done.stdout.split("Broken contracts", 1)[1]
    found: dict[str, str] = {}
    name = ""
    lines = details.splitlines()
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if line and below and set(below) == {"-"}:
            name = line
        found[name] = f"{found.get(name, '')}\n{line}"
    return found


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_contract_is_seen_red(report: dict[str, str], name: str) -> None:
    module = VIOLATIONS[name][0].removesuffix(".py").replace("/", ".")
    assert module in report.get(name, ""), report


def test_there_is_a_violation_for_every_contract() -> None:
    assert [each["name"] for each in contracts()] == list(VIOLATIONS)


def test_contracts_name_only_rooms_that_are_there() -> None:
    named: set[str] = set()
    for contract in contracts():
        for key in ("source_modules", "forbidden_modules", "modules", "layers", "ignore_imports"):
            for text in contract.get(key, ()):
                names = text.split(" -> ")[0] if key == "ignore_imports" else text
                prefix = "engines." if contract.get("containers") else ""
                named |= {prefix + each.strip() for each in names.split("|")}
    ours = {each.removesuffix(".*").replace(".", "/") for each in named if each.split(".")[0] in ("engines", "tui")}
    assert not [each for each in sorted(ours) if not (ROOT / each).is_dir() and not (ROOT / f"{each}.py").is_file()]
