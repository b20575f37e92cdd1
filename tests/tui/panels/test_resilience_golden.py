"""How the panel looks: one invented moment of the shop, drawn as on three screens, compared to the letter.

The moment is built by hand, so that these pictures change when the drawing does and never when the engine does.
"""

from pathlib import Path
from typing import Any

import pytest

from engines.resilience import BreakerOptions, Cause, State, Transition, Why
from engines.resilience.order import ORDER
from engines.resilience.window import Bucket
from engines.resilience.world.messages import Origin, Outcome
from engines.resilience.world.options import EdgeOptions, numbers
from engines.resilience.world.snapshot import (
    BreakerView,
    BulkheadView,
    CallView,
    EdgeView,
    HostView,
    Lasted,
    LoadView,
    RetryView,
    Sample,
    ServiceView,
    Snapshot,
)
from engines.resilience.world.topology import LINK
from engines.sim.network import Link
from engines.sim.pattern import Check
from engines.sim.views import link_view
from tui.glyphs import ASCII, BRAILLE, Glyphs
from tui.layout import arrange
from tui.panel import Focus
from tui.panels.resilience import PANEL

GOLDEN = Path(__file__).parent / "golden"
NOW = 41_800_000
CUT = link_view(Link(1, "catalog", "catalog-db", LINK))._replace(cut=True)
FAILED = (1, 1, 2, 4, 7, 9, 10, 9, 8, 7)


def moved(at_us: int, src: State, dst: State, cause: Cause, calls: int = 0, bad: int = 0) -> Transition:
    """A transition of an article's breaker."""
    return Transition(at_us, src, dst, cause, BreakerOptions(), calls, bad, 30_000_000)


def breaker(state: str) -> BreakerView:
    """A breaker in a state, with the article's settings."""
    shut, trying = state == "open", state == "half_open"
    failed = FAILED if shut else (0, 0, 1, 0, 0, 0, 1, 0, 0, 0)
    buckets = tuple(Bucket(NOW - 10_000_000 + i * 1_000_000, 12, n, 0) for i, n in enumerate(failed))
    history: tuple[Lasted, ...] = ()
    if shut:
        trip = moved(23_600_000, State.CLOSED, State.OPEN, Cause.FAILURE_RATE, 96, 64)
        history = (Lasted("open", trip.at_us, -1, trip),)
    if trying:
        half = moved(41_600_000, State.OPEN, State.HALF_OPEN, Cause.WAIT_OVER)
        history = (Lasted("open", 11_600_000, 30_000_000, None), Lasted("half_open", half.at_us, -1, half))
    why = Why(
        state=State(state), since_us=history[-1].since_us if history else 0,
        last=history[-1].moved if history else None, options=BreakerOptions(), calls=96 if shut else 120,
        failures=64 if shut else 2, slow=0, countdown_us=11_800_000 if shut else 0, probes_left=0,
        probes_running=int(trying),
    )  # fmt: skip
    return BreakerView("article", why, 1_204 * shut, 1_204 * shut, buckets, history)


def edge(id: str, state: str = "", rate: int = 30, errors_ppm: int = 0, **more: Any) -> EdgeView:
    """An edge; without a state it has no breaker."""
    src, dst = id.split(">")
    view = EdgeView(
        id=id, src=src, dst=dst, hosts=(dst,), order=("retry", "breaker", "timeout", "bulkhead"), pipeline=ORDER,
        breaker=breaker(state) if state else None,
        retry=RetryView(3, "full-jitter", 50_000, 10_000_000, 1_210, 0, -1, -1),
        bulkhead=BulkheadView(5, 20, 0, 5, 3), limiter=None, timeout_us=500_000, deadline=False, hedge_ppm=0,
        hedge_after_us=-1, hedges=0, hedges_won=0, fallback=False, fallbacks=0, outliers=(), caps=(), delay_percent=0,
        delay_us=0, abort_percent=0, abort_status=503, running=5, calls_per_s=rate,
        attempts_per_s=0 if state == "open" else rate, errors_ppm=errors_ppm,
        rejected_per_s=rate if state == "open" else 0, p50_us=12_000, p99_us=240_000,
        options=numbers(EdgeOptions(breaker=BreakerOptions())), amplified_ppm=1_000_000,
    )  # fmt: skip
    return view._replace(**more)


def service(id: str, layer: str, busy: int, workers: int, queue: int, most: int) -> ServiceView:
    """A service of one machine."""
    host = HostView(id, "up", busy, workers, queue, most, 900_000 if queue else 0, 100, 0)
    return ServiceView(id, layer, (host,), busy, workers, queue, most, "heavy", 20_000, 0, False, 30, 28, 0,
                       20 if queue > 100 else 0, 140 if queue > 100 else 0, 1_000)  # fmt: skip


def sample(at: int) -> Sample:
    """Half a second: well for 18 s, then a storm, which the breaker ends at 24 s."""
    attempts = 480 if at < 36 else min(1_600, 480 + (at - 36) * 100) if at < 48 else 560
    good = 90 if at < 36 else max(4, 90 - (at - 36) * 12) if at < 48 else min(70, 4 + (at - 48) * 3)
    return Sample(at * 500_000, 90, attempts, good, 90 - good, 0, 0, 12_000, 240_000 if at < 40 else 900_000, at >= 48,
                  peak=attempts * 3 // 16)  # fmt: skip


def moment() -> Snapshot:
    """18 s after the breaker to payment opened; the database of catalog is cut off, that of cart is slow."""
    services = [service("clients", "client", 0, 0, 0, 0), service("api", "edge", 14, 50, 0, 100)]
    services += [service("auth", "service", 2, 10, 0, 50), service("catalog", "service", 4, 10, 0, 50),
                 service("cart", "service", 3, 10, 1, 50), service("payment", "service", 10, 10, 200, 200)]  # fmt: skip
    services += [service(f"{name}-db", "database", 1, 10, 0, 50) for name in ("auth", "catalog", "cart", "payment")]
    edges = (
        edge("clients>api", rate=90, errors_ppm=120_000, amplified_ppm=1_400_000), edge("api>auth", "closed", 88),
        edge("api>catalog", "closed", 60), edge("api>cart", "half_open", 30),
        edge("api>payment", "open", 28, 670_000, abort_percent=30),
        edge("auth>auth-db", rate=88), edge("catalog>catalog-db", rate=60, links=(CUT,)),
        edge("cart>cart-db", rate=30, delay_percent=50, delay_us=400_000),
        edge("payment>payment-db", rate=12, errors_ppm=200_000),
    )  # fmt: skip
    calls = (CallView(41, "clients", "buy", 41_000_000, "failed", 500_000, 7, Outcome.DOWNSTREAM,
                      Origin(Outcome.OPEN, "api>payment")),
             CallView(42, "you", "browse", 41_200_000, "ok", 143_000, 5, None, None))  # fmt: skip
    return Snapshot(
        now_us=NOW, seed=7, variant="breaker", preset="article", you="you", services=tuple(services), edges=edges,
        flights=(), calls=calls, series=tuple(map(sample, range(84))), load=LoadView("steady", 90, 0, 1, True),
        rate_per_s=90,
        mix="shop", offered=3_762, good=2_100, failed=1_600, rules=(("open_rejects", True),),
        checks=(Check("every call ends exactly once", True, "none vanished"),), cue=None, peak_edge="clients>api",
    )  # fmt: skip


def drawn(size: tuple[int, int], glyphs: Glyphs) -> str:
    """The three canvases with their titles, as one text."""
    frame = PANEL.view(moment(), Focus(), arrange(*size).sizes(), glyphs)
    heads = (f"{frame.picture_title} | {frame.picture_note}", f"{frame.strip_title} | {frame.strip_note}")
    parts = (heads[0], frame.picture.text(), heads[1], frame.strip.text(), frame.inspector_title)
    return "\n".join((*parts, frame.inspector.text())).rstrip() + "\n"


@pytest.mark.parametrize(
    ("name", "size", "glyphs"),
    [
        ("resilience-60x16", (60, 16), ASCII),
        ("resilience-80x24", (80, 24), ASCII),
        ("resilience-120x36", (120, 36), BRAILLE),
        ("resilience-200x50", (200, 50), BRAILLE),
    ],
)
def test_the_shop_looks_like_this(name: str, size: tuple[int, int], glyphs: Glyphs) -> None:
    assert drawn(size, glyphs) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
