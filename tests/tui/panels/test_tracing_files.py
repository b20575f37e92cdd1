"""Files of other tools in the panel: what the rows say, and that looking at a huge trace costs nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engines.tracing import analysis, fold, records, tree
from engines.tracing.formats import Notices, read
from engines.tracing.recorded import VARIANT, source
from engines.tracing.rows import Look
from engines.tracing.spans import Kind, Span, SpanEvent
from engines.tracing.world.snapshot import Strayed
from tests.tui.panels.tracing_runs import LARGE, draw, story
from tui.panel import Focus
from tui.panels.tracing import PANEL
from tui.panels.tracing.select import choose, fit

US = 1_000
CASES = Path(__file__).parents[2] / "engines" / "tracing" / "cases"


def opened(spans: tuple[Span, ...]) -> Any:
    """A run on these spans, at its end."""
    engine: Any = VARIANT.on(source(spans, "x", "0" * 64)).make(0, ())
    while engine.next_us() is not None:
        engine.step()
    return engine


def case(name: str) -> Any:
    with (CASES / f"{name}.json").open("rb") as stream:
        return opened(tuple(read(stream, name, notices=Notices()))).snapshot()


def text_of(snapshot: Any, focus: Focus | None = None) -> str:
    frame = draw(snapshot, focus or fit(snapshot, Focus()), LARGE)
    return "\n".join(line for canvas in (frame.picture, frame.inspector) for line in canvas.text().splitlines())


def test_a_call_and_its_answer_in_one_row_last_as_long_as_the_caller_waited() -> None:
    text = text_of(case("fold-client-vs-server"))
    row = next(line for line in text.splitlines() if "auth verify" in line)
    assert "1.00s" in row
    assert "950ms on the way" in row


def test_an_event_before_its_span_has_one_sign() -> None:
    span = Span("1" * 32, "1" * 16, "", "a", "web", Kind.SERVER, 10_000_000, 5_000_000)
    text = text_of(opened((span._replace(events=(SpanEvent(1_000_000, "queued"),)),)).snapshot())
    assert "-9.0 ms" in text
    assert "+-" not in text


def test_the_table_shows_the_extent_of_a_trace_with_a_straggler() -> None:
    snapshot = case("late-small-root")
    assert snapshot.traces[0].extent_us == 10_001_000
    text = text_of(snapshot, fit(snapshot, choose(Focus(), view="list")))
    assert "9.00 s" in text
    assert "10.00 s with all its spans" in text


def huge(size: int) -> tuple[Span, ...]:
    """A request that fans out: one trace of so many spans, and a small one after it."""
    trace, begin = "a" * 32, 1_700_000_000 * 10**9
    spans = [Span(trace, f"{1:016x}", "", "GET /", "web", Kind.SERVER, begin, begin + size * 100 * US)]
    for number in range(2, size + 1):
        start = begin + (number - 2) * 100 * US
        parent = f"{1 if number % 10 == 2 else number - 1:016x}"
        spans.append(
            Span(trace, f"{number:016x}", parent, f"op {number % 40}", f"s{number % 30}", Kind.INTERNAL, start,
                 start + (10 - (number - 2) % 10) * 90 * US)
        )  # fmt: skip
    after = spans[0]._replace(trace_id="b" * 32, start_ns=spans[0].end_ns + 10**9, end_ns=spans[0].end_ns + 2 * 10**9)
    return (*spans, after)


def test_stepping_over_a_huge_trace_builds_nothing_and_looks_at_no_span(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that can be known of a trace is worked out when the file is read; a step only counts records."""
    monkeypatch.setattr(analysis, "HUGE", 4_000)
    engine: Any = VARIANT.on(source(huge(5_000), "x", "0" * 64)).make(0, ())
    calls: list[str] = []

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            calls.append(name)
            return real(*given, **named)

        return call

    for module, name in (
        (tree, "build"), (analysis, "build"), (analysis, "critical_path"), (analysis, "self_times"),
        (analysis, "visible"), (fold, "visible"), (records, "groups_of"), (analysis, "Rows"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, counted(name, getattr(module, name)))
    engine.step()
    snapshot = engine.snapshot()
    text = text_of(snapshot)
    assert snapshot.traces[0].spans == 5_000
    assert "short spans left out" in draw(snapshot, fit(snapshot, Focus())).picture_note
    assert "GET /" in text
    assert calls == []


def test_the_rows_of_a_huge_trace_are_bounded_and_hold_its_whole_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "HUGE", 4_000)
    monkeypatch.setattr(analysis, "ROWS_MAX", 300)
    found = analysis.Analysis(huge(5_000)[:-1])
    rows = found.rows(Look())
    assert len(rows.items) <= analysis.ROWS_MAX + analysis.ERRORS_MAX + 10
    assert sum(end - start for parts in rows.own.values() for start, end in parts) == found.duration_us
    assert (
        sum(item.hidden + 1 for item in rows.items) + sum(item.through for item in rows.items) >= found.tree.real // 2
    )


def test_a_span_that_may_still_come_is_not_called_missing() -> None:
    """While spans of a trace arrive, a parent that is named and not here is no loss yet."""
    snapshot = story("dropped-header", 1_000).snapshot()
    assert any(not row.complete for row in snapshot.traces)
    for row in (each for each in snapshot.traces if not each.complete):
        drawn = draw(snapshot, Focus(node=row.trace_id, chosen=True), LARGE)
        assert "missing span" not in drawn.picture.text()


def test_what_is_shown_is_what_the_verdict_speaks_of() -> None:
    """At the last cue of the story of the dropped header the picture is a trace that was torn off by catalog."""
    snapshot = story("dropped-header", 11_500).snapshot()
    row = snapshot.trace(fit(snapshot, Focus()).node)
    assert row is not None
    assert isinstance(row.note, Strayed)
    assert row.note.src == snapshot.verdicts[0].service == "catalog"


def test_every_percentile_on_screen_says_what_it_is_of() -> None:
    snapshot = story("auth-pool-p99", 8_300).snapshot()
    assert "last second, 11 requests: p50" in PANEL.status(snapshot)
    frame = draw(snapshot, fit(snapshot, Focus()), LARGE)
    assert "p99 against p50: " in frame.picture.text()
    assert "of the last 10 s" in " ".join(frame.inspector.text().split())
