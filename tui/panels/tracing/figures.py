"""The numbers that sum a run up: what ``dp-tui run tracing`` prints beside the checks."""

from engines import units
from engines.tracing.aggregate import P50, P99, percentile
from engines.tracing.world.snapshot import Snapshot
from engines.units import PPM, percent
from tui.panel import Figure
from tui.panels.tracing.verdict_words import score_words


def figures(snapshot: Snapshot) -> tuple[Figure, ...]:
    """Requests of the last two minutes, latency of the newest traces that are stored, the collector, the verdict."""
    store, done = snapshot.collector, sorted(row.duration_us for row in snapshot.traces if row.complete)
    requests = sum(sample.requests for sample in snapshot.series)
    errors = sum(sample.errors for sample in snapshot.series)
    p50_us, p99_us = percentile(done, P50), percentile(done, P99)
    found = [
        Figure("requests", requests),
        Figure("requests_failed", errors, f"{errors:,} ({percent(errors * PPM // max(1, requests))})"),
        Figure("traces_stored", store.traces),
        Figure("spans_received", store.received),
        Figure("spans_lost", store.lost_spans),
        Figure("spans_late", store.late_spans),
        Figure("trace_p50_us", p50_us, units.fixed(p50_us)),
        Figure("trace_p99_us", p99_us, units.fixed(p99_us)),
        Figure("calls_per_request", round(sum(each.calls for each in snapshot.series) / max(1, requests), 1)),
    ]
    if snapshot.verdicts:
        first = snapshot.verdicts[0]
        found.append(Figure("verdict", f"{first.kind} {first.service}"))
    if judged := score_words(snapshot.score, snapshot.verdicts, snapshot.injected):
        found.append(Figure("score", snapshot.score.value, judged))
    return tuple(found)
