"""``make compiled``: the engines compiled by mypyc from the same source, and a ``dp-tui`` that runs on them.

Everything is put below ``build/compiled``; the source and what is installed stay as they are. What is compiled is a
copy in which each class says that it may have interpreted heirs, so any module can be left out and nothing else
notices. Dataclasses stay ordinary classes, their methods are compiled. A build takes some minutes of a C compiler, and
is made anew only if the engines have changed since.
"""

import ast
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PLACE: Final = ROOT / "build" / "compiled"
STAMP: Final = "made-of.txt"
LEFT: Final = (
    # What describes a world or a command, and is read once.
    r"(__init__|chaos|commands|demo|errors|explain|hazards|options|pattern|presets|rules)\.py",
    r"\w*(gallery|scenarios|configurations)\.py",
    # Records, which are named tuples and gain nothing, and pictures of a world.
    r".*(?<!sim)/\w*events\.py", r".*(?<!pbft)/messages\.py", r".*/(snapshot|views?)\.py",
    # The world outside, and files of users, which are read at the speed of other libraries.
    r".*/formats/.*", r".*sqlite\w*\.py", r"live/.*", r"consensus/etcd_\w+\.py", r".*/recorded\.py",
    r"hunt/(?!bites|coverage|trial).*", r"event_sourcing/formats\.py",
    r"sim/(codec|line|recording|script|source|timeline)\.py",
    # mypyc cannot: weak references, fields that heirs narrow, a float that must stay the whole number it was given,
    # a generic class that is named with its parameter at run time.
    r"sim/history\.py", r"sharding/strategies/(?!circle).*", r"sharding/(batch|compare)\.py",
    r"event_sourcing/aggregate\.py", r"resilience/fallback\.py",
    # Not yet: they end where mypyc holds a value to its type, a number where a field says Status.
    r"(cqrs|tracing)/.*",
)  # fmt: skip
"""Modules that are left interpreted, by paths below ``engines``."""
VALUES: Final = "@dataclass(frozen=True"
"""Left are also modules with such classes: compiled, two of equal fields would be equal only if they are one."""
COMPARED_BY_NOBODY: Final = ("sharding/world/client.py", "sim/network.py", "sim/service.py")
"""But for these."""
FOREIGN: Final = {"Enum", "IntEnum", "IntFlag", "NamedTuple", "Protocol", "StrEnum", "TypedDict"}
"""Bases whose heirs are never compiled classes."""
SETUP: Final = """
import sys
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

from mypyc.build import mypycify
from setuptools import setup
from distutils.ccompiler import CCompiler


def compile(
    self, sources, output_dir=None, macros=None, include_dirs=None, debug=0, extra_preargs=None, extra_postargs=None,
    depends=None,
):  # as in the original, but several files at once
    _, objects, last, options, build = self._setup_compile(
        output_dir, macros, include_dirs, sources, depends, extra_postargs
    )
    first = self._get_cc_args(options, debug, extra_preargs)
    with ThreadPoolExecutor(cpu_count()) as pool:
        list(pool.map(lambda each: self._compile(each, *build[each], first, last, options), objects))
    return objects


CCompiler.compile = compile
files, sys.argv[1:] = sys.argv[1:], ["-q", "build_ext", "--inplace"]
setup(name="engines", ext_modules=mypycify(files, opt_level="1", debug_level="0", multi_file=True))
"""
"""The build itself, in a process of its own."""
LAUNCHER: Final = """#!/bin/sh
# dp-tui on compiled engines.
PYTHONSAFEPATH=1 PYTHONPATH="{place}:{root}${{PYTHONPATH:+:$PYTHONPATH}}" exec "{python}" -m tui "$@"
"""


def modules() -> list[str]:
    """What is compiled, by paths below the root."""
    left = re.compile("|".join(f"(?:{each})" for each in LEFT))
    found = []
    for path in sorted(ROOT.glob("engines/**/*.py")):
        name = path.relative_to(ROOT / "engines").as_posix()
        if left.fullmatch(name) or left.fullmatch(path.name):
            continue
        if name in COMPARED_BY_NOBODY or VALUES not in path.read_text():
            found.append(f"engines/{name}")
    return found


def marked(text: str) -> str:
    """A module whose classes say to mypyc what they are."""
    tree, lines = ast.parse(text), text.split("\n")
    found = False
    for each in reversed(tree.body):
        if not isinstance(each, ast.ClassDef):
            continue
        bases = {ast.unparse(base).partition("[")[0] for base in each.bases}
        if bases & FOREIGN or any(name.endswith(("Error", "Exception")) for name in bases):
            continue
        decorators = [ast.unparse(one) for one in each.decorator_list]
        ordinary = any(one.startswith("dataclass") for one in decorators)
        said = "native_class=False" if ordinary else "allow_interpreted_subclasses=True, serializable=True"
        first = min([each.lineno, *(one.lineno for one in each.decorator_list)])
        lines.insert(first - 1, f"@mypyc_attr({said})")
        found = True
    if found:
        lines.insert(tree.body[0].end_lineno or 0, "from mypy_extensions import mypyc_attr")
    return "\n".join(lines)


def made_of() -> str:
    """A digest of everything that a build depends on."""
    digest = hashlib.sha256(repr((sys.version_info, version("mypy"))).encode())
    for path in (Path(__file__), *sorted(ROOT.glob("engines/**/*.py"))):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def build(place: Path = PLACE) -> Path:
    """Where the compiled engines are; they are built if they are not those of this source. SystemExit, with the last
    words of the compiler, if that fails."""
    stamp, wanted = place / STAMP, made_of()
    if stamp.exists() and stamp.read_text() == wanted:
        return place
    print(f"compiling {len(modules())} modules into {place}: some minutes, once", file=sys.stderr)
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(ROOT / "engines", place / "engines", ignore=shutil.ignore_patterns("__pycache__"))
    for name in modules():
        (place / name).write_text(marked((ROOT / name).read_text()))
    (place / "mypy.ini").write_text("[mypy]\n")  # else mypy looks for one above
    log = place / "build.txt"
    with log.open("w") as out:
        done = subprocess.run([sys.executable, "-c", SETUP, *modules()], cwd=place, stdout=out, stderr=out, check=False)
    if done.returncode:
        sys.exit(f"make: the engines could not be compiled; the end of {log}:\n{log.read_text()[-2_000:]}")
    shutil.rmtree(place / "build")
    launcher = place / "dp-tui"
    launcher.write_text(LAUNCHER.format(place=place, root=ROOT, python=sys.executable))
    launcher.chmod(launcher.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    stamp.write_text(wanted)
    return place


if __name__ == "__main__":
    launcher = str(build() / "dp-tui")
    if sys.argv[1:]:
        os.execv(launcher, [launcher, *sys.argv[1:]])
    print(f"{launcher} runs on compiled engines; so does: make compiled ARGS='hunt raft'")

__all__ = ["build", "made_of", "marked", "modules"]
