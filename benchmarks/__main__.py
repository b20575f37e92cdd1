"""``make bench``: every figure of the README, as ratios against a peer or a floor of the same run.

``make bench ARGS=kernel`` runs one part: ``kernel raft hour pbft hunt seek screen serving consistency sharding events``
``cqrs resilience tracing``, or what takes minutes and runs only when it is named: ``hunt-rules compiled``
``panels resilience-cures tracing-verdicts tracing-files tracing-real``.
"""

import platform
import sys
from collections.abc import Callable, Iterable

from benchmarks import (
    compiled,
    consistency,
    cqrs,
    cqrs_world,
    cures,
    events,
    hunt_rules,
    hunting,
    kernel,
    pbft,
    raft,
    raft_hour,
    resilience,
    resilience_world,
    screen,
    serving,
    sharding,
    tracing,
    tracing_files,
    tracing_formats,
    tracing_frame,
    tracing_verdicts,
    tracing_world,
)

RESILIENCE: list[Callable[[], list[str]]] = [resilience.lines, resilience_world.lines]
TRACING: list[Callable[[], list[str]]] = [
    tracing.lines,
    tracing_formats.lines,
    tracing_frame.lines,
    tracing_world.lines,
    tracing_files.lines,
]
PARTS: dict[str, Callable[[], Iterable[str]]] = {
    "kernel": lambda: kernel.measure().lines(),
    "raft": lambda: raft.load().lines(),
    "hour": raft_hour.lines,
    "pbft": pbft.lines,
    "hunt": hunting.lines,
    "seek": lambda: raft.seek().lines(),
    "screen": screen.lines,
    "serving": serving.lines,
    "consistency": consistency.lines,
    "sharding": lambda: sharding.measure().lines(),
    "events": events.lines,
    "cqrs": lambda: cqrs.lines() + cqrs_world.lines(),
    "resilience": lambda: [line for part in RESILIENCE for line in part()],
    "tracing": lambda: [line for part in TRACING for line in part()],
}


def _real() -> list[str]:
    """A system of real processes; only this part needs the OpenTelemetry SDK."""
    from benchmarks import tracing_real

    return tracing_real.table()


ASKED: dict[str, Callable[[], Iterable[str]]] = {
    "hunt-rules": hunt_rules.lines,
    "compiled": compiled.lines,
    "panels": serving.panels,
    "resilience-cures": cures.lines,
    "tracing-verdicts": tracing_verdicts.table,
    "tracing-real": _real,
    "tracing-files": tracing_files.table,
}
"""Parts that take minutes: run only when they are named."""


def main(wanted: list[str]) -> int:
    """Run the named parts, or all."""
    unknown = [name for name in wanted if name not in PARTS | ASKED]
    if unknown:
        print(f"no such part: {unknown[0]}; one of {', '.join(PARTS | ASKED)} is accepted", file=sys.stderr)
        return 2
    print(f"Python {platform.python_version()}, {platform.machine()}", flush=True)
    for name, part in (PARTS | ASKED).items():
        if name in wanted or (not wanted and name in PARTS):
            for line in part():
                print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
