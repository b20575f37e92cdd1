"""What the screen costs: bytes, the first picture, and a key's way over a slow link.

The app runs as a person starts it, on a real pty; the floor is a bare Textual app, the other side of the comparison
is the same app without frame acknowledgement.
"""

import sys
from typing import Final

from benchmarks.link import first_paint, key_latencies, key_latency, pictures, traffic

APP: Final = [sys.executable, "-m", "tui", "raft", "--sandbox", "--speed", "1/20"]
ROAD_S: Final = 0.5
BUDGETS: Final = {(80, 24): 25_000, (200, 50): 60_000}


def lines() -> list[str]:
    """All figures, for people."""
    found = []
    for size, budget in BUDGETS.items():
        flow = traffic(APP, size=size)
        found.append(
            f"screen {size[0]}x{size[1]}, everything moves   {flow.moving_bytes_per_s / 1e3:>6.1f} kB/s, "
            f"{flow.moving_bytes_per_s / 10:,.0f} bytes a frame, paused {flow.paused_bytes} bytes"
            f"  (budget: {budget / 1e3:.0f} kB/s, paused 0)"
        )
    paint = first_paint(APP)
    found.append(
        f"first picture                  {paint.app_s * 1e3:>9.0f} ms, a bare Textual app {paint.bare_s * 1e3:.0f} ms: "
        f"{paint.ratio:.2f}x  (target: at most 2x)"
    )
    for latency in key_latencies(APP, ("space", "PAUSED"), ("space", "RUN")):
        kind = "with acknowledgement" if latency.acknowledge else "without"
        found.append(
            f"a key at {(latency.rate or 0) / 1e3:.0f} kB/s, {kind:20}  {latency.median_s:>6.2f} s median, "
            f"{latency.worst_s:.2f} s worst"
        )
    for acknowledge in (True, False):
        kind = "with acknowledgement" if acknowledge else "without"
        road = key_latency(
            APP, ("space", "PAUSED"), ("space", "RUN"), rate=None, acknowledge=acknowledge, round_trip_s=ROAD_S
        )
        found.append(
            f"a key on a road of {ROAD_S * 1e3:.0f} ms there and back, {kind:20}  {road.median_s:>6.2f} s median, "
            f"{road.worst_s:.2f} s worst  (budget: {ROAD_S + 0.5:.1f} s)"
        )
    found.append(
        f"pictures a second there, with acknowledgement  {pictures(APP, ROAD_S):.1f} of 10; without a road "
        f"{pictures(APP, 0.0):.1f}  (target: as many)"
    )
    return found
