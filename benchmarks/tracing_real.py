"""How often the verdict is right on a real system: five processes, the OpenTelemetry SDK, faults that really happen.

    python -m benchmarks tracing-real        (or python -m benchmarks.tracing_real RUNS [FAULT ...])

Every run starts the shop of ``benchmarks.otel_shop`` anew on loopback, sends requests, switches one fault on half way,
stops everything, and hands the files that the SDK wrote to ``engines.tracing.judge``, as ``dp-tui run tracing FILE``
does. Counted is whether the first verdict names the service and the kind.
"""

import contextlib
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple
from urllib.request import Request, urlopen

from benchmarks.otel_shop import CALLS, HOST, ROUTES
from engines.tracing.formats import read
from engines.tracing.judge import Judgement, judge
from engines.tracing.verdicts import Trouble

RUNS: Final = 20
REQUESTS: Final = 240
PER_S: Final = 40
DOWN_S: Final = 1.0
"""How long a crashed service is away."""


class Fault(NamedTuple):
    """A fault, where it is switched on, and what the verdict should name."""

    title: str
    service: str
    kind: Trouble
    named: str


FAULTS: Final = {
    "slow": Fault("slow handler, 60 ms", "catalog", Trouble.SLOW, "catalog"),
    "pool": Fault("a pool of one", "auth", Trouble.POOL, "auth"),
    "crash": Fault("killed, back after 1 s", "catalog", Trouble.CRASH, "catalog"),
    "errors": Fault("40 % errors", "stock", Trouble.ERRORS, "stock"),
    "header": Fault("lost header", "auth", Trouble.HEADER, "auth"),
}


class Shop:
    """The processes of one run."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.ports = {name: _free_port() for name in CALLS}
        self.processes = {name: self._start(name) for name in CALLS}
        for process in self.processes.values():
            _ready(process)

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        ports = [f"{each}={port}" for each, port in self.ports.items()]
        command = [sys.executable, "-m", "benchmarks.otel_shop", name, *ports, str(self.out)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def switch(self, name: str, fault: str) -> None:
        """A fault on; a crash is a real one, and somebody starts the service again."""
        if fault != "crash":
            urlopen(Request(f"http://{HOST}:{self.ports[name]}/fault/{fault}", method="POST"), timeout=10).read()
            return
        with self.processes[name] as process:  # which closes its pipes
            process.kill()
        time.sleep(DOWN_S)
        self.processes[name] = self._start(name)
        _ready(self.processes[name])

    def ask(self) -> None:
        """One request, whatever comes of it."""
        with contextlib.suppress(OSError):
            urlopen(f"http://{HOST}:{self.ports['gateway']}{ROUTES['gateway']}", timeout=10).read()

    def close(self) -> None:
        """Nobody is left."""
        for process in self.processes.values():
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            process.wait(timeout=10)
            process.stdout.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _ready(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    if process.stdout.readline() != b"ready\n":
        raise RuntimeError("a service of the shop did not start")


@contextlib.contextmanager
def shop() -> Iterator[Shop]:
    """A shop, and its folder, as long as it is used."""
    with tempfile.TemporaryDirectory() as folder:
        opened = Shop(Path(folder))
        try:
            yield opened
        finally:
            opened.close()


def trial(fault: str, seed: int, requests: int = REQUESTS) -> Judgement:
    """One run: traffic, half of it with the fault, judged from the files."""
    found = FAULTS[fault]
    draw = random.Random(seed)
    with shop() as opened:
        asked: list[threading.Thread] = []
        trouble = threading.Thread(target=opened.switch, args=(found.service, fault))
        for number in range(requests):
            if number == requests // 2:
                trouble.start()
            asked.append(threading.Thread(target=opened.ask))
            asked[-1].start()
            time.sleep(draw.expovariate(PER_S))
        for thread in (*asked, trouble):
            thread.join()
        opened.close()
        whole = opened.out / "all.pb"
        whole.write_bytes(b"".join((opened.out / f"{name}.pb").read_bytes() for name in CALLS))
        with whole.open("rb") as stream:
            return judge(read(stream, "all.pb"), "all.pb")


def right(fault: str, judged: Judgement) -> bool:
    """Whether the first verdict names it."""
    found, named = FAULTS[fault], judged.examination.verdicts
    return bool(named) and (named[0].kind, named[0].service) == (found.kind, found.named)


def table(runs: int = RUNS, faults: tuple[str, ...] = tuple(FAULTS)) -> list[str]:
    """The table for the README."""
    lines = [f"| fault in a real system, {runs} runs | first verdict right |", "| --- | ---: |"]
    for fault in faults:
        good = 0
        for seed in range(runs):
            judged = trial(fault, seed)
            good += right(fault, judged)
            named = [(str(each.kind), each.service) for each in judged.examination.verdicts[:2]]
            print(f"  {fault} {seed}: {named}", file=sys.stderr, flush=True)
        lines.append(f"| {FAULTS[fault].title} | {good} |")
    return lines


if __name__ == "__main__":
    print("\n".join(table(int(sys.argv[1]) if sys.argv[1:] else RUNS, tuple(sys.argv[2:]) or tuple(FAULTS))))
