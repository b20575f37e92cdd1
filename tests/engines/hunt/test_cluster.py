"""Hunting on a cluster: a real scheduler of Dask and real workers, started here as processes of their own."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engines.consensus.pattern import PATTERN
from engines.errors import UserError
from engines.hunt import Here, Search, hunt, request_for
from engines.hunt.cluster import Cluster

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("distributed") is None,
        reason="the extra `cluster` is not installed (Dask distributed)",
    ),
    pytest.mark.filterwarnings("ignore"),  # Dask's own
]

ROOT = Path(__file__).parents[3]
WORKERS = 2
UP_S = 300
"""For machines that are busy; five seconds on a quiet one."""
REQUEST = request_for(PATTERN, "raft", broken=("pre_vote",))
LAST = 63


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def start(*args: str) -> subprocess.Popen[bytes]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "20s"}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli." + args[0], *args[1:]], env=environ, stdout=quiet, stderr=quiet
    )


def _up(there: str) -> bool:
    """Whether a scheduler answers, and all workers have come."""
    try:
        cluster = Cluster(there)
    except UserError:
        return False
    try:
        width: int = cluster.width
        return width == WORKERS
    finally:
        cluster.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    there = f"tcp://127.0.0.1:{free_port()}"
    folder = str(tmp_path_factory.mktemp("dask"))
    scheduler = start("dask_scheduler", "--host", there, "--no-dashboard", "--no-show")
    workers = [
        start("dask_worker", there, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", folder)
        for _ in range(WORKERS)
    ]
    try:
        deadline = time.monotonic() + UP_S
        while not _up(there):
            assert time.monotonic() < deadline, "no cluster came up"
            time.sleep(0.2)
        yield there, workers
    finally:
        for each in (*workers, scheduler):
            each.kill()
            each.wait()


def outcome(search: Search) -> Any:
    tally = search.tally
    shrunk = {kind: (each.plan, each.violation) for kind, each in search.shrunk.items()}
    return tally.seeds, tally.next_seed, tally.steps, tally.counts, tally.found, sorted(tally.situations), shrunk


@pytest.fixture(scope="module")
def alone() -> Any:
    return outcome(hunt(REQUEST, Here(), 0, LAST, budget=60))


def test_a_cluster_finds_what_one_process_finds(address: Any, alone: Any) -> None:
    cluster = Cluster(address[0])
    try:
        assert cluster.width == WORKERS
        assert outcome(hunt(REQUEST, cluster, 0, LAST, budget=60)) == alone
    finally:
        cluster.close()


def test_a_worker_that_is_killed_in_the_middle_loses_no_seed(address: Any, alone: Any) -> None:
    there, workers = address
    cluster = Cluster(there)
    try:
        search = Search(REQUEST, cluster, 0, LAST, budget=60)
        search.advance(None)
        workers[0].send_signal(signal.SIGKILL)
        while search.advance(None):
            pass
        assert outcome(search) == alone
    finally:
        cluster.close()


def test_where_nobody_answers_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.hunt.cluster.PATIENCE_S", 1)
    there = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(UserError, match=f"--cluster {there}: no scheduler of Dask answers there"):
        Cluster(there)
    with pytest.raises(UserError, match="an address as tcp://host:8786 is accepted"):
        Cluster("nonsense://x:1")


@pytest.mark.parametrize(
    "there", ["zzz", "", "tcp://", "host:", ":8786", "tcp://:8786", "host:0", "host:70000", "a b:1"]
)
def test_what_is_no_address_is_refused_at_once(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.hunt.cluster.import_module", lambda _: pytest.fail("nobody needs to be asked"))
    with pytest.raises(UserError, match=r"no address with a host and a port: an address as tcp://host:8786 is"):
        Cluster(there)


def test_one_that_could_not_begin_leaves_no_complaint() -> None:
    given = [sys.executable, "-m", "tui", "hunt", "raft", "--seeds", "0..1", "--cluster", "nonsense://x:1"]
    done = subprocess.run(given, cwd=ROOT, capture_output=True, text=True, timeout=UP_S, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("dp-tui: --cluster nonsense://x:1: no scheduler of Dask answers there")
    assert done.stderr.count("\n") == 1, done.stderr
