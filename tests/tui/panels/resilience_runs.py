"""Runs of the service world for the tests of its panel, and that they are what their names say."""

from collections.abc import Callable
from functools import cache
from typing import Any

from engines.resilience.calllog import LoggedCall
from engines.resilience.pattern import PATTERN
from engines.resilience.recorded import VARIANT, CallLog
from engines.resilience.world import commands as c
from engines.resilience.world.snapshot import Snapshot
from engines.sim import faults
from engines.sim.pattern import Config
from engines.sim.rules import SetRule
from engines.sim.source import Source
from engines.sim.timeline import Timeline
from engines.units import US_PER_MS
from tui.glyphs import BRAILLE, Glyphs
from tui.layout import arrange
from tui.panel import Focus, Frame
from tui.panels.resilience import PANEL

FOCUS = Focus()
LOW = arrange(60, 16).sizes()
SMALL = arrange(80, 24).sizes()
OVER = arrange(80, 24, inspector=True).sizes()
USUAL = arrange(120, 36).sizes()
LARGE = arrange(200, 50).sizes()
BUSY: Config = (("rate", 40),)

Run = Timeline[Any, Snapshot]


def run(until_ms: int, *inputs: tuple[int, Any], variant: str = "breaker", config: Config = (), seed: int = 42) -> Run:
    """A run with these commands at these milliseconds."""
    timeline: Run = Timeline(PATTERN.variant(variant), seed, config)
    for at_ms, command in inputs:
        timeline.advance(at_ms * US_PER_MS)
        timeline.submit(command)
    timeline.advance(until_ms * US_PER_MS)
    return timeline


def story(name: str, until_ms: int) -> Run:
    """A scenario up to this time."""
    scenario = PATTERN.scenario(name)
    timeline: Run = Timeline(PATTERN.variant(scenario.variant), scenario.seed, scenario.config, scenario)
    timeline.advance(until_ms * US_PER_MS)
    return timeline


def recorded(until_ms: int = 60_000) -> Run:
    """Somebody's calls: fine for ten seconds, then nearly all of them fail, then fine again."""
    calls = [
        LoggedCall(i * 100_000, not 100 <= i < 180 or i % 10 == 0, 20_000 + i % 7 * 1_000)
        for i in range(600)
    ]  # fmt: skip
    source = Source("calls.jsonl", "0" * 64, CallLog(calls))
    timeline: Run = Timeline(VARIANT.on(source), 0, ())
    timeline.advance(until_ms * US_PER_MS)
    return timeline


@cache
def standing(name: str) -> Snapshot:
    """Moments that the tests look at again and again; a snapshot never changes."""
    return MOMENTS[name]().snapshot()


def stricken() -> Run:
    """Nearly every fault there is, at once."""
    return run(
        9_000,
        (1_000, c.Delay("api>catalog", 50, 400_000)), (1_100, c.Abort("api>auth", 30)),
        (1_200, faults.Crash("cart")), (1_300, faults.Freeze("payment-1")), (1_400, c.SickHost("payment-2", 100)),
        (1_500, c.SlowService("payment-db", 1_000)), (1_600, faults.Cut("catalog", "catalog-db")),
        (1_700, faults.Lose("clients", "api", 100_000)), (1_800, faults.Slow("auth", "auth-db", 300_000, 10_000)),
        (1_900, faults.Duplicate("api", "auth", 300_000)), (2_000, c.SetPreset("api>auth", "resilience4j")),
        (2_100, c.SetOption("*", "bulkhead", 4)), (2_200, c.SetOption("*", "limit_per_s", 30)),
        (2_300, c.SetOption("*", "budget_ppm", 200_000)), (2_400, c.SetOption("*", "hedge_ppm", 950_000)),
        (2_500, c.SetOption("*", "fallback", 1)), (2_600, c.SetOption("*", "outlier", 1)),
        (2_700, SetRule("count_waste", False)), (2_800, c.Call("buy")), (3_000, faults.Skew("auth", 200_000, 0)),
        config=(*BUSY, ("payment_hosts", 5)),
    )  # fmt: skip


def half_open() -> Run:
    """Half-open, with the one probe under way to a frozen service."""
    timeline = run(
        5_000,
        (1_000, c.SetOption("api>cart", "breaker.wait_us", 1_000_000)), (1_100, c.SetOption("api>cart", "retries", 0)),
        (1_200, faults.Crash("cart")),
        config=(*BUSY, ("mix", "cart")),
    )  # fmt: skip
    while (edge := timeline.snapshot().edge("api>cart")) and edge.breaker and edge.breaker.state != "half_open":
        timeline.step()
    return timeline


MOMENTS: dict[str, Callable[[], Run]] = {
    "start": lambda: run(0),
    "well": lambda: run(12_000, config=BUSY),
    "open": lambda: run(
        12_000, (2_000, c.SickHost("payment", 100)), config=(("rate", 60), ("mix", "payment"), ("retries", 3))
    ),
    "slow": lambda: run(7_000, (2_000, c.SlowService("payment", 1_000)), config=(("rate", 60), ("mix", "payment"))),
    "storm": lambda: story("retry-storm", 24_000),
    "everywhere": lambda: run(3_000, config=(*BUSY, ("retry_at", "everywhere"), ("retries", 3))),
    "half-open": half_open,
    "stricken": stricken,
    "forced": lambda: run(
        4_000, (1_000, c.SetBreaker("api>auth", "force_open")), (1_100, c.SetBreaker("api>cart", "disable")),
        (1_200, c.SetBreaker("api>catalog", "metrics_only")), config=BUSY,
    ),
    "bare": lambda: run(4_000, config=(*BUSY, ("preset", "none"))),
    "envoy": lambda: run(
        9_000, (1_000, c.SetOption("*", "eject_one", 1)), (1_500, c.SickHost("payment-3", 100)),
        variant="envoy", config=(*BUSY, ("mix", "payment"), ("payment_hosts", 5)),
    ),
    "hystrix": lambda: run(
        12_000, (2_000, c.SickHost("auth", 100)), config=(*BUSY, ("preset", "hystrix"), ("mix", "auth"))
    ),
    "resilience4j": lambda: run(12_000, (2_000, c.SickHost("auth", 60)), config=(*BUSY, ("preset", "resilience4j"))),
    "polly": lambda: run(8_000, config=(*BUSY, ("preset", "polly"))),
    "opossum": lambda: run(8_000, config=(*BUSY, ("preset", "opossum"))),
    "recorded": recorded,
    "recorded open": lambda: recorded(19_000),
}  # fmt: skip
ALL = tuple(MOMENTS)


def draw(snapshot: Snapshot, focus: Focus = FOCUS, sizes: Any = USUAL, glyphs: Glyphs = BRAILLE) -> Frame:
    """The panel's frame."""
    return PANEL.view(snapshot, PANEL.fit(snapshot, focus), sizes, glyphs)


def text(frame: Frame) -> str:
    """All of a frame as text."""
    head = f"{frame.picture_title} / {frame.picture_note} / {frame.strip_title} / {frame.strip_note}"
    parts = (head, frame.inspector_title, frame.picture.text(), frame.strip.text(), frame.inspector.text())
    return "\n".join(parts)


def flat(words: str) -> str:
    """Wrapped text on one line."""
    return " ".join(words.split())


def state_of(snapshot: Snapshot, edge: str) -> str:
    """Where the breaker of an edge stands."""
    found = snapshot.edge(edge)
    return found.breaker.state if found and found.breaker else "none"


def test_the_moments_are_what_they_are_called() -> None:
    assert state_of(standing("well"), "api>payment") == "closed"
    assert state_of(standing("open"), "api>payment") == "open"
    assert state_of(standing("half-open"), "api>cart") == "half_open"
    assert state_of(standing("hystrix"), "api>auth") in ("open", "half_open")
    assert state_of(standing("forced"), "api>auth") == "forced_open"
    assert state_of(standing("bare"), "api>auth") == "none"
    assert state_of(standing("recorded open"), "client>service") == "open"
    assert standing("recorded").recorded
    envoy = standing("envoy").edge("api>payment")
    assert envoy is not None
    assert any(each.ejected for each in envoy.outliers)
    assert any(edge.cut for edge in standing("stricken").edges)
