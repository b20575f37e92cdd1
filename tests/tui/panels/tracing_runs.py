"""Runs of a traced system for the tests of its panel, and one trace made by hand; and that they are what they say."""

from dataclasses import replace
from functools import cache
from typing import Any

from engines.sim import faults
from engines.sim.pattern import Config
from engines.sim.timeline import Timeline
from engines.tracing.critical import critical_path
from engines.tracing.pattern import PATTERN
from engines.tracing.spans import ACQUIRE_CONNECTION, QUEUE_WAIT, Kind, Link, Span, SpanEvent, Status
from engines.tracing.tree import build
from engines.tracing.world import commands as c
from engines.tracing.world.events import Score
from engines.tracing.world.snapshot import Snapshot, SpanTable, TraceEntry, TraceRow
from engines.units import US_PER_MS
from tui.glyphs import BRAILLE, Glyphs
from tui.panel import Focus, Frame, Size, Sizes
from tui.panels.tracing import PANEL

FOCUS = Focus()
SMALL = Sizes(Size(78, 8), Size(78, 6), Size(44, 14))
"""As on a screen of 80x24, with the inspector."""
USUAL = Sizes(Size(72, 15), Size(72, 6), Size(44, 23))
"""As on a screen of 120x36."""
LARGE = Sizes(Size(142, 27), Size(142, 8), Size(54, 36))
"""As on a screen of 200x50."""
FEW: Config = (("services", 12),)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"

Run = Timeline[Any, Snapshot]


def run(until_ms: int, *inputs: tuple[int, Any], variant: str = "head", config: Config = FEW, seed: int = 42) -> Run:
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


@cache
def standing(name: str) -> Snapshot:
    """Moments that the tests look at again and again; a snapshot never changes."""
    return MOMENTS[name]()


# -- by hand ---------------------------------------------------------------------------------------------------------


def span(number: int, parent: int, service: str, name: str, kind: Kind, start_ms: float, end_ms: float, **rest: Any
         ) -> Span:  # fmt: skip
    """A span of the trace made by hand, by its number and its parent's."""
    return Span(TRACE, f"{number:016x}", f"{parent:016x}" if parent else "", name, service, kind,
                round(start_ms * 1e6), round(end_ms * 1e6), **rest)  # fmt: skip


CHECKOUT = (
    span(1, 0, "web", "POST /checkout", Kind.SERVER, 0, 1310),
    span(2, 1, "web", "POST", Kind.CLIENT, 10, 1300, attributes=(("server.address", "auth"),)),
    span(3, 2, "auth", "GET /verify", Kind.SERVER, 20, 1212, attributes=(("http.route", "/verify"),)),
    span(4, 3, "auth", ACQUIRE_CONNECTION, Kind.INTERNAL, 30, 1170, attributes=(
        ("pool.name", "auth-db"), ("pool.in_use", 10), ("pool.max", 10), ("pool.waiting", 34))),
    span(5, 3, "auth-db", "SELECT session", Kind.SERVER, 1172, 1205),
    span(6, 3, "auth", QUEUE_WAIT, Kind.INTERNAL, 20, 28, attributes=(
        ("queue.depth", 3), ("workers.busy", 8), ("workers.max", 8))),
    span(7, 1, "cart", "load", Kind.SERVER, 12, 51, status=Status.ERROR, status_message="no such cart",
         events=(SpanEvent(30_000_000, "exception"),)),
    span(8, 1, "orders", "publish OrderPlaced", Kind.PRODUCER, 1301, 1308),
    span(9, 8, "mailer", "process OrderPlaced", Kind.CONSUMER, 1309, 1500,
         links=(Link(TRACE, f"{8:016x}"), Link("00" * 15 + "ff", "00000000000000aa"))),
    span(10, 99, "audit", "write", Kind.SERVER, 1250, 1290),
    span(11, 1, "geo", "locate", Kind.SERVER, -4, 6),
)  # fmt: skip
"""The mock's trace: a pool at its limit, an error, a consumer that nobody waits for, a missing span, a wrong clock."""
BROKEN = (
    *CHECKOUT[:3],
    CHECKOUT[2]._replace(name="another with the same id"),
    span(20, 21, "a", "in a cycle", Kind.INTERNAL, 5, 9), span(21, 20, "b", "in a cycle", Kind.INTERNAL, 6, 8),
    span(22, 1, "c", "ends before it starts", Kind.INTERNAL, 50, 40),
    span(0, 1, "d", "zero id", Kind.INTERNAL, 60, 70), span(23, 0, "e", "second root", Kind.SERVER, 2000, 2100),
    span(24, 1, "", "", Kind.UNSPECIFIED, 80, 90), span(25, 77, "f", "orphan", Kind.SERVER, 3, 4),
    CHECKOUT[6], CHECKOUT[6],
)  # fmt: skip
"""Everything that can be wrong with a trace."""


def chain(count: int) -> tuple[Span, ...]:
    """A chain of so many spans, each below the one before, each with a sibling beside it."""
    made = []
    for number in range(1, count + 1):
        share = 1000 * (count - number) / count
        made.append(span(number, number // 2, f"s{number % 9}", f"op{number % 5}", Kind.SERVER, 1000 - share, 2000))
    return tuple(made)


def holding(snapshot: Snapshot, spans: tuple[Span, ...]) -> Snapshot:
    """The snapshot with this trace as the newest."""
    tree = build(spans)
    root = tree.spans[tree.root]
    row = TraceRow(TRACE, root.service, root.name, tree.start_us[tree.root], tree.duration_us, len(spans),
                   len(tree.services()), tree.errors(), tree.missing_parents, True, None)  # fmt: skip
    return replace(
        snapshot, traces=(row, *snapshot.traces), store=SpanTable((TraceEntry(TRACE, spans), *snapshot.store.entries))
    )


MOMENTS = {
    "start": lambda: run(0).snapshot(),
    "calm": lambda: run(6_000, config=()).snapshot(),
    "pool": lambda: story("auth-pool-p99", 10_300).snapshot(),
    "dropped": lambda: story("dropped-header", 11_500).snapshot(),
    "storm": lambda: story("retry-storm", 7_400).snapshot(),
    "skewed": lambda: story("clock-skew", 7_400).snapshot(),
    "corrected": lambda: story("clock-skew", 8_600).snapshot(),
    "async": lambda: story("async-consumer", 9_400).snapshot(),
    "tail": lambda: story("tail-sampling", 9_000).snapshot(),
    "mess": lambda: run(
        9_000,
        (500, c.SetLoad("steady", 30)), (900, faults.Lose("auth", "*", 300_000)),
        (1_000, c.LoseSpans("cart", 400_000)),
        (1_100, faults.Freeze("payment")), (1_200, faults.Isolate("catalog")), (1_300, faults.Crash("orders")),
        (1_400, faults.Skew("auth", 200_000, 0)), (1_500, c.SetBreakers(True)),
        (1_600, c.LateSpans("mailer", 4_000_000)),
    ).snapshot(),
    "by hand": lambda: holding(standing("pool"), CHECKOUT),
    "broken": lambda: holding(standing("calm"), BROKEN),
    "chain": lambda: holding(standing("calm"), chain(3_000)),
}  # fmt: skip
ALL = tuple(MOMENTS)
VIEWS = ("", "list", "aggregates", "map", "headers", "verdict", "compare")


def draw(snapshot: Snapshot, focus: Focus = FOCUS, sizes: Sizes = USUAL, glyphs: Glyphs = BRAILLE) -> Frame:
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


# -- they are what they are called -----------------------------------------------------------------------------------


def test_the_moments_are_what_they_are_called() -> None:
    assert not standing("start").traces
    assert len(standing("calm").services) == 72
    assert standing("pool").diagnosis is not None
    assert standing("pool").score is Score.RIGHT
    assert any(row.note for row in standing("dropped").traces)
    assert any(row.errors for row in standing("storm").traces)
    assert standing("corrected").correction
    assert not standing("skewed").correction
    assert any(row.missing for row in standing("mess").traces)
    assert {each.status for each in standing("mess").services} == {"up", "frozen", "crashed"}


def test_the_trace_made_by_hand_has_the_path_of_the_mock() -> None:
    tree = build(CHECKOUT)
    path = critical_path(tree)
    longest = max(path.segments, key=lambda segment: segment.duration_us)
    assert tree.spans[longest.row].name == ACQUIRE_CONNECTION
    assert longest.duration_us == 1_140_000
    assert path.total_us == 1_310_000
