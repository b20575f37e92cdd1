"""The house is built as its documents say: rooms are listed, names are used once, nothing goes round in circles."""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
SOURCES: Final = ("engines", "tui")
WORLDS: Final = ("world", "raft", "pbft")
"""Folders in which a pattern lives; what lies beside them is its library."""
CROSSING: Final = frozenset({
    "acts", "change_events", "checks", "commands", "control", "events", "messages", "options", "quorum", "read_events",
    "progress", "roles", "rules", "snapshot", "state_machine", "table", "topology",
})  # fmt: skip
"""What a panel sees of a world: data that crosses, and what it is called. No machine, no book, no engine."""
FILE_MAX: Final = 500
"""Lines of a file. About 400 is what one can hold in the head; one idea that takes more is named below."""
FUNCTION_MAX: Final = 60
LONG: Final = {
    "engines.consensus.pbft.node": "the protocol, phase by phase as in the paper",
    "engines.event_sourcing.sqlite_store": "one store, one file on the disk",
    "engines.sharding.world.events": "a table of records",
    "engines.sharding.world.node": "a machine: serves, redirects, migrates, replicates",
    "tui.cli": "the command line, command by command",
    "tui.session": "all that comes in, and where it goes",
}
SHOWN: Final = ("pattern", "recorded", "records", "clock_log")
"""What of a pattern is for the screen: its record, and a FILE as a run."""
FACES: Final = ("consensus", "consistency", "cqrs", "event_sourcing", "resilience", "sharding", "tracing")


class House:
    """A tree of sources, and what is wrong with it."""

    def __init__(self, root: Path) -> None:
        self.modules: dict[str, Path] = {}
        """Every module by name."""
        for top in SOURCES:
            for path in sorted((root / top).rglob("*.py")):
                parts = path.relative_to(root).with_suffix("").parts
                self.modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
        self.trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in self.modules.items()}

    # -- rooms -----------------------------------------------------------------------------------------------------

    def packages(self) -> list[str]:
        return [name for name, path in self.modules.items() if path.name == "__init__.py" and "." in name]

    def unlisted(self, package: str) -> set[str]:
        """Rooms that only the folder or only the table in the docstring has: rows of ``name name   what they are``."""
        listed: set[str] = set()
        for line in (ast.get_docstring(self.trees[package]) or "").splitlines():
            names, gap, _ = line.strip().partition("  ")
            words = [word.rstrip("/") for word in names.split()]
            if gap and words and all(word.isidentifier() and word == word.lower() for word in words):
                listed |= set(words)
        folder = self.modules[package].parent
        there = {path.stem for path in folder.glob("*.py") if path.stem not in ("__init__", "__main__")}
        return listed ^ (there | {path.parent.name for path in folder.glob("*/__init__.py")})

    # -- imports ---------------------------------------------------------------------------------------------------

    def imported(self, name: str) -> Iterator[str]:
        """The modules of the house that a module imports, also only for its types and inside functions."""
        known = self.modules
        for node in ast.walk(self.trees[name]):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names if alias.name in known)
            elif isinstance(node, ast.ImportFrom) and node.module:
                inner = [f"{node.module}.{alias.name}" for alias in node.names]
                yield from (each for each in inner if each in known)
                if node.module in known and not all(each in known for each in inner):
                    yield node.module

    def circles(self) -> list[list[str]]:
        """Groups of modules that import each other (Tarjan's strongly connected components)."""
        edges = {name: sorted(set(self.imported(name)) - {name}) for name in self.modules}
        index: dict[str, int] = {}
        low: dict[str, int] = {}
        stack: list[str] = []
        found: list[list[str]] = []

        def visit(name: str) -> None:
            index[name] = low[name] = len(index)
            stack.append(name)
            for other in edges[name]:
                if other not in index:
                    visit(other)
                    low[name] = min(low[name], low[other])
                elif other in stack:
                    low[name] = min(low[name], index[other])
            if low[name] == index[name]:
                place = stack.index(name)
                group, stack[place:] = stack[place:], []
                if len(group) > 1:
                    found.append(sorted(group))

        for name in edges:
            if name not in index:
                visit(name)
        return found

    def foreign(self) -> dict[str, set[str]]:
        """Modules of engines that import something besides engines and the standard library."""
        allowed = {"engines", *sys.stdlib_module_names}
        found: dict[str, set[str]] = {}
        for name in self.modules:
            if name.startswith("engines"):
                for node in ast.walk(self.trees[name]):
                    tops = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                    tops += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
                    if strange := {top.split(".")[0] for top in tops} - allowed:
                        found.setdefault(name, set()).update(strange)
        return found

    def worldly(self) -> list[tuple[str, str]]:
        """Library modules that import the world beside them."""
        found = []
        for name in self.modules:
            parts = name.split(".")
            if parts[0] == "engines" and len(parts) == 3 and parts[2] not in ("world", *SHOWN):
                found += [(name, each) for each in self.imported(name) if f"{each}.".startswith(
                    f"engines.{parts[1]}.world.")]  # fmt: skip
        return found

    def peeping(self) -> list[tuple[str, str]]:
        """Panels that import more of a world than what crosses."""
        found = []
        for name in self.modules:
            for each in self.imported(name) if name.startswith("tui.panels.") else ():
                parts = each.split(".")
                if parts[0] == "engines" and len(parts) > 3 and parts[2] in WORLDS and parts[3] not in CROSSING:
                    found.append((name, each))
        return found

    # -- names -----------------------------------------------------------------------------------------------------

    def twice(self) -> dict[str, list[str]]:
        """Class names that one library or one world has two of."""
        homes: dict[tuple[str, str], list[str]] = defaultdict(list)
        for name in self.modules:
            parts = name.split(".")
            if parts[0] == "engines" and len(parts) > 2:
                library = ".".join(parts[:3] if parts[2] in WORLDS else parts[:2])
                for node in self.trees[name].body:
                    if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                        homes[library, node.name].append(name)
        return {name: found for (_, name), found in homes.items() if len(found) > 1}

    # -- lengths ---------------------------------------------------------------------------------------------------

    def long(self) -> list[str]:
        """Files and functions that one cannot see at once."""
        found = []
        for name, path in self.modules.items():
            if path.read_text(encoding="utf-8").count("\n") > FILE_MAX:
                found.append(name)
            for node in ast.walk(self.trees[name]):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    assert node.end_lineno is not None
                    if node.end_lineno - node.lineno + 1 > FUNCTION_MAX:
                        found.append(f"{name}.{node.name}")
        return found


HOUSE: Final = House(ROOT)


@pytest.mark.parametrize("package", [each for each in HOUSE.packages() if each.startswith("engines.")])
def test_a_package_lists_all_its_rooms_and_no_others(package: str) -> None:
    assert HOUSE.unlisted(package) == set(), f"{package}: compare the table in its docstring with the folder"


def test_no_modules_import_each_other_not_even_for_types() -> None:
    assert HOUSE.circles() == []


def test_engines_stand_on_the_standard_library() -> None:
    assert HOUSE.foreign() == {}


def test_a_library_never_imports_its_world() -> None:
    assert HOUSE.worldly() == []


def test_a_panel_sees_of_a_world_only_what_crosses() -> None:
    assert HOUSE.peeping() == []


def test_no_class_name_is_used_twice_in_one_library_or_world() -> None:
    assert HOUSE.twice() == {}


def test_what_is_long_is_named_with_its_reason() -> None:
    assert [each for each in HOUSE.long() if each not in LONG] == []
    assert [each for each in LONG if each not in HOUSE.modules] == []


@pytest.mark.parametrize("pattern", [each for each in FACES if f"engines.{each}" in HOUSE.modules])
def test_a_face_loads_little_and_no_simulated_world(pattern: str) -> None:
    code = f"import sys, engines.{pattern}; print(*[name for name in sys.modules if name.startswith('engines')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = done.stdout.split()
    below = [name for name in loaded if pattern == "cqrs" and name.startswith("engines.event_sourcing")]
    assert len(loaded) - len(below) <= 28  # what a pattern is built on has been counted there
    worlds = ("engines.sim", f"engines.{pattern}.world", f"engines.{pattern}.pattern")
    assert not [name for name in loaded if name.startswith(worlds)]


def test_each_of_these_can_fail(tmp_path: Path) -> None:
    sources = {
        "engines/__init__.py": "",
        "engines/p/__init__.py": '"""A pattern.\n\na    listed\ngone    not there\n"""\n',
        "engines/p/a.py": "import numpy\nfrom engines.p.b import B\nclass Twice: ...\n",
        "engines/p/b.py": "if TYPE_CHECKING:\n    from engines.p import a\nclass Twice: ...\n",
        "engines/p/c.py": "#\n" * 500 + "from engines.p.world.node import Node\n",
        "engines/p/world/__init__.py": "",
        "engines/p/world/node.py": "class Twice: ...\n",
        "tui/__init__.py": "",
        "tui/panels/__init__.py": "",
        "tui/panels/p/__init__.py": "def late():\n    import engines.p.world.node\n",
    }
    for path, text in sources.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    house = House(tmp_path)
    assert house.unlisted("engines.p") == {"gone", "b", "c", "world"}
    assert house.circles() == [["engines.p.a", "engines.p.b"]]
    assert house.foreign() == {"engines.p.a": {"numpy"}}
    assert house.worldly() == [("engines.p.c", "engines.p.world.node")]
    assert house.peeping() == [("tui.panels.p", "engines.p.world.node")]
    assert house.long() == ["engines.p.c"]
    assert house.twice() == {"Twice": ["engines.p.a", "engines.p.b"]}
