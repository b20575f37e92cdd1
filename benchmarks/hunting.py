"""Hunting: seeds a minute with one process and two, and on two workers of a Dask scheduler; all judged by equal seeds.

What it gains to end a run once its promise is kept is measured on the same seeds, against playing each to its bound, in
time of the processor; so are messages a second. Workers are started before the clock: a hunt of a night starts them
once. What compiled engines gain is measured by ``compiled``.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, Final

from engines.hunt import Here, Pool, Request, Workers, hunt
from engines.hunt.cluster import Cluster
from engines.hunt.jobs import pattern_of
from engines.hunt.trial import play

WARM: Final = 16
SUBJECTS: Final = (
    ("consensus", "raft", 120),
    ("consensus", "pbft", 80),
    ("sharding", "ring", 40),
    ("consistency", "eventual", 40),
    ("events", "store", 120),
    ("cqrs", "sourced", 40),
    ("resilience", "breaker", 40),
    ("tracing", "head", 12),
)
"""Pattern, variant, seeds."""
PIECE: Final = 4
"""Seeds that are handed out at once: few, so that both processes end together."""
PORT: Final = 18_786


def request_of(pattern: str, variant: str) -> Request:
    """The hunt of a variant as the program ships it."""
    return Request(pattern, variant, pattern_of(pattern).variant(variant).engine_version)


def _measured(request: Request, workers: Workers, seeds: int) -> tuple[float, Any]:
    """Seeds a minute, and what was judged: the same for all workers."""
    hunt(request, workers, 0, min(WARM, seeds // 2) - 1, budget=0, size=PIECE)
    began = time.perf_counter()
    tally = hunt(request, workers, 0, seeds - 1, budget=0, size=PIECE).tally
    return 60 * seeds / (time.perf_counter() - began), (tally.seeds, tally.steps, tally.failures, tally.bites)


def _gain(request: Request, seeds: int) -> tuple[float, float]:
    """How much less work a seed is that ends once its promise is kept, against playing each to its bound; and the
    messages that are delivered a second."""
    variant = request.find_variant()
    assert variant.chaos is not None
    patient = replace(variant, chaos=replace(variant.chaos, calm_us=variant.chaos.quiet_us))
    spent, delivered = [], []
    for each in (variant, patient):
        began = time.process_time()
        engines = []
        for seed in range(seeds // 4):
            plan, engine = request.drawn(seed)
            play(plan, each, engine=engine)
            engines.append(engine.deliveries)
        spent.append(time.process_time() - began)
        delivered.append(sum(engines))
    return spent[1] / spent[0], delivered[0] / spent[0]


def _on_cluster(request: Request, seeds: int) -> tuple[float, Any] | None:
    """On two workers of a scheduler of this machine; None where Dask is not installed."""
    if find_spec("distributed") is None:
        return None
    there, quiet = f"tcp://127.0.0.1:{PORT}", subprocess.DEVNULL
    command = [sys.executable, "-m"]
    started = [subprocess.Popen(
        [*command, "distributed.cli.dask_scheduler", "--host", there, "--no-dashboard"], stdout=quiet, stderr=quiet
    )]  # fmt: skip
    started += [
        subprocess.Popen(
            [*command, "distributed.cli.dask_worker", there, "--nthreads", "1", "--no-nanny", "--no-dashboard"],
            stdout=quiet,
            stderr=quiet,
        )
        for _ in range(2)
    ]
    try:
        cluster = _patiently(lambda: Cluster(there))
        try:
            return _measured(request, cluster, seeds)
        finally:
            cluster.close()
    finally:
        for each in reversed(started):
            each.kill()
            each.wait(10)


def _patiently(make: Callable[[], Any]) -> Any:
    for _ in range(40):
        try:
            cluster = make()
        except Exception:
            time.sleep(0.5)
            continue
        if cluster.width == 2:
            return cluster
        cluster.close()
    raise AssertionError("no cluster came up")


def lines() -> Iterator[str]:
    """The figures."""
    for pattern, variant, seeds in SUBJECTS:
        request = request_of(pattern, variant)
        one, judged = _measured(request, Here(), seeds)
        pool = Pool(2)
        try:
            two, same = _measured(request, pool, seeds)
        finally:
            pool.close()
        assert same == judged, "two processes judge otherwise than one"
        gain, messages = _gain(request, seeds)
        text = (
            f"hunt {variant}: {one:,.0f} seeds a minute with 1 job, {two:,.0f} with 2 ({two / one:.2f}x); "
            f"{gain:.1f}x of playing each to its bound; {messages:,.0f} messages a second"
        )
        if variant == "raft":
            text += " in pure Python"
            cluster = _on_cluster(request, seeds)
            if cluster is not None:
                assert cluster[1] == judged, "a cluster judges otherwise than one process"
                text += f"; {cluster[0]:,.0f} on 2 workers of Dask ({cluster[0] / one:.2f}x)"
        yield text


__all__ = ["lines"]
