"""What a key costs in a trace of 10,000 spans: from the key to the rows that changed, without the terminal.

The session is the one people use, with a run of recorded traces. Every key moves the selection (a row, a page, the next
segment of the path, the next trace and back), and every picture is diffed against the one before, as the app does. The
first picture of the trace, in which its tree and path are built, is told apart. Time is that of the processor.
"""

from time import process_time
from typing import Final, NamedTuple

from engines.sim.random import Stream
from engines.tracing import analysis
from engines.tracing.recorded import VARIANT, source
from engines.tracing.spans import Kind, Span
from tui.canvas import Canvas, RowDiff
from tui.glyphs import BRAILLE
from tui.layout import arrange
from tui.panel import Focus
from tui.panels.tracing import PANEL
from tui.session import Session

SPANS: Final = 10_000
KEYS: Final = 400
BUDGET_MS: Final = 50
HUGE: Final = 100_000
STEP_MS: Final = 100
SIZES: Final = ((80, 24), (120, 36), (200, 50))
CYCLE: Final = ("down", "down", "n", "F", "down", "o", "o", "up", "N", "down")
DEPTH_MAX: Final = 30


class Cost(NamedTuple):
    """Milliseconds at one size of the screen."""

    first_ms: float
    median_ms: float
    p99_ms: float


def spans(count: int, seed: int = 7) -> tuple[Span, ...]:
    """A trace of so many spans over 70 services: each within its parent, at most ``DEPTH_MAX`` deep."""
    draw = Stream(seed, "frame")
    made = [Span("ab" * 16, f"{1:016x}", "", "GET /everything", "edge", Kind.SERVER, 0, 10_000_000_000)]
    open_to = [(0, 0)]
    while len(made) < count:
        parent, depth = open_to[-1 - draw.below(min(60, len(open_to)))]
        above = made[parent]
        start = above.start_ns + draw.below(max(1, above.end_ns - above.start_ns))
        end = start + draw.below(max(1, above.end_ns - start)) + 1
        number = len(made) + 1
        kind = (Kind.SERVER, Kind.CLIENT, Kind.INTERNAL)[number % 3]
        made.append(Span(above.trace_id, f"{number:016x}", above.span_id, f"op {number % 40}", f"s{number % 70}", kind,
                         start, end))  # fmt: skip
        if depth < DEPTH_MAX and end - start > 1_000_000:
            open_to.append((number - 1, depth + 1))
    return tuple(made)


def measure(size: tuple[int, int]) -> Cost:
    """The cost of a key on a screen of this size."""
    long = spans(SPANS)
    short = tuple(span._replace(trace_id="00" * 15 + "01", start_ns=span.start_ns // 2, end_ns=span.end_ns // 2)
                  for span in spans(30, 8))  # fmt: skip
    played = VARIANT.on(source((*short, *long), "ten thousand spans", "0" * 64))
    session = Session((PANEL,), "tracing", recorded=played, sandbox=True)
    session.resize(*size)
    snapshot = session.scene.now().snapshot
    shown = snapshot.trace(session.scene.focus.node)
    assert shown is not None
    assert shown.spans == SPANS, "the long trace is the one that is shown"
    analysis.forget()
    diff = RowDiff()
    start = process_time()
    _paint(session, diff)
    first = process_time() - start
    taken = []
    for number in range(KEYS):
        key = CYCLE[number % len(CYCLE)]
        start = process_time()
        session.press(key)
        _paint(session, diff)
        taken.append(process_time() - start)
    taken.sort()
    return Cost(first * 1e3, taken[KEYS // 2] * 1e3, taken[KEYS * 99 // 100] * 1e3)


def _paint(session: Session, diff: RowDiff) -> None:
    """The picture, and what of it changed."""
    whole = Canvas(session.width, session.height)
    for _, x, y, canvas in session.render():
        whole.blit(canvas, x, y)
    diff.changed(whole.rows())


def step_ms() -> float:
    """A step over one trace of ``HUGE`` spans and the picture after it, in milliseconds."""
    long = spans(HUGE)
    begin_ns = long[0].end_ns + 10**9
    after = [long[0]._replace(trace_id=f"{i:032x}", start_ns=begin_ns + i, end_ns=begin_ns + i + 10**6)
             for i in range(1, 4)]  # fmt: skip
    engine = VARIANT.on(source((*long, *after), "a hundred thousand spans", "0" * 64)).make(0, ())
    sizes = arrange(120, 36).sizes()
    start = process_time()
    engine.step()
    snapshot = engine.snapshot()
    PANEL.view(snapshot, Focus(), sizes, BRAILLE)
    taken = process_time() - start
    assert snapshot.traces[0].spans == HUGE
    return taken * 1e3


def lines() -> list[str]:
    """All figures, for people."""
    found = [f"a step over a trace of {HUGE:,} spans, with its picture  {step_ms():>5.0f} ms  (budget: {STEP_MS} ms)"]
    for size in SIZES:
        cost = measure(size)
        found.append(
            f"a key in a trace of {SPANS:,} spans, {size[0]}x{size[1]}  {cost.median_ms:>5.1f} ms median, "
            f"{cost.p99_ms:.1f} ms at p99, first picture {cost.first_ms:.0f} ms  (budget: {BUDGET_MS} ms at p99)"
        )
    return found
