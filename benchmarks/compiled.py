"""Kernel, servers and checks of Raft compiled by mypyc, from the same source: messages and seeds in processor time.

They are built in a directory that is removed afterwards; nothing that is shipped changes. The run under load is
compared by its digest, the hunt by all that was judged. A build takes a minute or two of a C compiler. The other
patterns cannot run on these engines: an interpreted world cannot be made of a compiled kernel.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.hunting import request_of
from engines.consensus.raft.engine import RaftEngine
from engines.hunt.jobs import batch
from engines.sim.digest import Digest
from engines.units import US_PER_S

ROOT: Final = Path(__file__).resolve().parent.parent
KERNEL: Final = (
    "checks", "clock", "digest", "disk", "events", "host", "kernel", "network", "node", "random", "views", "world",
)  # fmt: skip
"""The rooms of ``engines.sim`` that a step of Raft passes through."""
DESCRIBED: Final = re.compile(r"(__init__|scenarios?|chaos|options|commands|rules|hazards)\.py$")
"""What describes a world, and is read once."""
SEEDS: Final = tuple(range(40))
TURNS: Final = 3
SETUP: Final = """
import sys
from mypyc.build import mypycify
from setuptools import setup
files, sys.argv[1:] = sys.argv[1:], ["build_ext", "--inplace", "-j2"]
setup(name="engines", ext_modules=mypycify(files, opt_level="2", multi_file=True))
"""


def compiled() -> list[str]:
    """What is compiled, by paths below the root."""
    raft = sorted(path for path in (ROOT / "engines/consensus/raft").glob("*.py") if not DESCRIBED.search(path.name))
    return [
        *(f"engines/sim/{name}.py" for name in KERNEL),
        "engines/consensus/asking.py",
        *(path.relative_to(ROOT).as_posix() for path in raft),
    ]


def build(into: Path) -> None:
    """Copy the engines there and compile in place. CalledProcessError if that fails."""
    shutil.copytree(ROOT / "engines", into / "engines", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-c", SETUP, *compiled()], cwd=into, check=True, stdout=subprocess.DEVNULL)


def probe() -> dict[str, Any]:
    """What these engines do, whichever they are: seconds of a hunt and what it judged, messages a second under load,
    and the digest of such a run."""
    request = request_of("consensus", "raft")
    batch(request, SEEDS[:1])
    began = time.process_time()
    judged = batch(request, SEEDS)
    hunted = time.process_time() - began
    engine = RaftEngine(42, (("clients", 8), ("workload", "flood")))
    engine.digest = Digest()
    engine.run(2 * US_PER_S, 1 << 30)
    digest = engine.digest.close(engine.snapshot())
    engine.digest = None
    before, began = engine.deliveries, time.process_time()
    engine.run(12 * US_PER_S, 1 << 30)
    messages = (engine.deliveries - before) / (time.process_time() - began)
    return {"messages": messages, "digest": digest, "hunted": hunted, "judged": repr(judged)}


def _probed(path: Path) -> dict[str, Any]:
    """The same, of the engines below ``path``, in a process of its own."""
    environment = os.environ | {"PYTHONPATH": f"{path}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "benchmarks.compiled"]
    said = subprocess.run(command, cwd=path, env=environment, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def lines() -> Iterator[str]:
    """The figures: medians of turns of one and the other."""
    with TemporaryDirectory() as home:
        build(Path(home))
        turns = [(_probed(ROOT), _probed(Path(home))) for _ in range(TURNS)]
    for pure, fast in turns:
        assert pure["digest"] == fast["digest"], "a compiled run is another one"
        assert pure["judged"] == fast["judged"], "a compiled hunt judges otherwise"
    one, two = (statistics.median(turn[at]["messages"] for turn in turns) for at in (0, 1))
    yield f"Raft under load: {one:,.0f} messages a second, {two:,.0f} compiled ({two / one:.2f}x); equal digests"
    one, two = (60 * len(SEEDS) / statistics.median(turn[at]["hunted"] for turn in turns) for at in (0, 1))
    yield f"hunt raft: {one:,.0f} seeds a minute, {two:,.0f} compiled ({two / one:.2f}x); all judged the same"


if __name__ == "__main__":
    print(json.dumps(probe()))

__all__ = ["build", "compiled", "lines", "probe"]
