"""``make bench``: every figure of the README, as ratios against a peer or a floor of the same run.

``make bench ARGS=kernel`` runs one part: ``kernel raft seek screen sharding resilience tracing``.
"""

import platform
import sys
from collections.abc import Callable

from benchmarks import kernel, raft, resilience, screen, sharding, tracing, tracing_formats, tracing_frame

RESILIENCE: list[Callable[[], list[str]]] = [resilience.lines]
TRACING: list[Callable[[], list[str]]] = [tracing.lines, tracing_formats.lines, tracing_frame.lines]
PARTS: dict[str, Callable[[], list[str]]] = {
    "kernel": lambda: kernel.measure().lines(),
    "raft": lambda: raft.load().lines(),
    "seek": lambda: raft.seek().lines(),
    "screen": screen.lines,
    "sharding": lambda: sharding.measure().lines(),
    "resilience": lambda: [line for part in RESILIENCE for line in part()],
    "tracing": lambda: [line for part in TRACING for line in part()],
}


def main(wanted: list[str]) -> int:
    """Run the named parts, or all."""
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        print(f"no such part: {unknown[0]}; one of {', '.join(PARTS)} is accepted", file=sys.stderr)
        return 2
    print(f"Python {platform.python_version()}, {platform.machine()}", flush=True)
    for name, part in PARTS.items():
        if not wanted or name in wanted:
            print("\n".join(part()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
