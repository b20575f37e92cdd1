"""Hunts on engines compiled by mypyc, from the same source: seeds a minute of each pattern, and Raft's messages a
second, both in time of the processor.

They are those of ``make compiled``, and are built if there are none of this source. Both hunt the same seeds in turns,
each time in a process of its own; all that was judged must be equal, and the digest of a run under load.
"""

import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.compiling import ROOT, build
from benchmarks.hunting import SUBJECTS, request_of
from engines.consensus.raft.engine import RaftEngine
from engines.hunt.jobs import batch
from engines.sim import kernel
from engines.sim.digest import Digest
from engines.units import US_PER_S

TURNS: Final = 3


def probe() -> dict[str, Any]:
    """What these engines do, whichever they are: of each pattern seconds of a hunt and a digest of what it judged; of
    Raft under load messages a second and the digest of such a run."""
    hunts = {}
    for pattern, variant, seeds in SUBJECTS:
        request = request_of(pattern, variant)
        batch(request, (0,))
        began = time.process_time()
        judged = batch(request, tuple(range(seeds)))
        spent = time.process_time() - began
        hunts[variant] = spent, hashlib.sha256(repr(judged).encode()).hexdigest()
    engine = RaftEngine(42, (("clients", 8), ("workload", "flood")))
    engine.digest = Digest()
    engine.run(2 * US_PER_S, 1 << 30)
    digest = engine.digest.close(engine.snapshot())
    engine.digest = None
    before, began = engine.deliveries, time.process_time()
    engine.run(12 * US_PER_S, 1 << 30)
    messages = (engine.deliveries - before) / (time.process_time() - began)
    compiled = not (kernel.__file__ or "").endswith(".py")
    return {"compiled": compiled, "messages": messages, "digest": digest, "hunts": hunts}


def _probed(path: Path) -> dict[str, Any]:
    """The same, of the engines below ``path``, in a process of its own."""
    environment = os.environ | {"PYTHONPATH": f"{path}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-P", "-m", "benchmarks.compiled"]
    said = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def lines() -> Iterator[str]:
    """The figures: medians of turns of one and the other."""
    place = build()
    turns = [(_probed(ROOT), _probed(place)) for _ in range(TURNS)]
    for pure, fast in turns:
        assert (pure["compiled"], fast["compiled"]) == (False, True), "not the engines that were meant"
        assert pure["digest"] == fast["digest"], "a compiled run is another one"
    one, two = (statistics.median(turn[at]["messages"] for turn in turns) for at in (0, 1))
    yield f"Raft under load: {one:,.0f} messages a second, {two:,.0f} compiled ({two / one:.2f}x); equal digests"
    for _, variant, seeds in SUBJECTS:
        hunts = [[side["hunts"][variant] for side in turn] for turn in turns]
        assert len({judged for turn in hunts for _, judged in turn}) == 1, f"{variant}: compiled, it judges otherwise"
        one, two = (60 * seeds / statistics.median(turn[at][0] for turn in hunts) for at in (0, 1))
        yield f"hunt {variant}: {one:,.0f} seeds a minute, {two:,.0f} compiled ({two / one:.2f}x); all judged the same"


if __name__ == "__main__":
    print(json.dumps(probe()))

__all__ = ["lines", "probe"]
