"""Spans with anything a span may hold, for the laws of the formats."""

from hypothesis import strategies as st

from engines.tracing.spans import NO_SCOPE, KeyValues, Kind, Link, Scope, Span, SpanEvent, Status

ZEROS = "0" * 32


def ids(digits: int) -> st.SearchStrategy[str]:
    return st.integers(0, 16**digits - 1).map(lambda number: f"{number:0{digits}x}")


texts = st.text(st.characters(codec="utf-8"), max_size=8)
int64 = st.integers(-(1 << 63), (1 << 63) - 1)
uint32 = st.integers(0, (1 << 32) - 1)
scalars = st.none() | texts | st.booleans() | int64 | st.floats(allow_nan=False) | st.binary(max_size=6)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.lists(st.tuples(texts, inner), max_size=3).map(lambda pairs: KeyValues(tuple(pairs)))
    ),
    max_leaves=5,
)
keys = texts | st.sampled_from(
    ["http.method", "error", "span.kind", "otel.status_code", "peer.service", "event", "dp-tui.rest", "w3c.tracestate"]
)
attributes = st.lists(st.tuples(keys, values), max_size=4).map(tuple)
resources = st.lists(st.tuples(texts, values), max_size=2).map(tuple)
counts = st.just(0) | uint32
times = st.just(0) | st.integers(0, (1 << 64) - 1) | st.integers(0, 1 << 50).map(lambda us: us * 1000)
scopes = st.just(NO_SCOPE) | st.builds(Scope, texts, texts, attributes, counts)
spans = st.builds(
    Span,
    trace_id=ids(32) | st.just(ZEROS),
    span_id=ids(16) | st.just(ZEROS[:16]),
    parent_id=st.just("") | ids(16),
    name=texts,
    service=texts,
    kind=st.sampled_from(Kind),
    start_ns=times,
    end_ns=times,
    status=st.sampled_from(Status),
    status_message=st.just("") | texts,
    attributes=attributes,
    resource=resources,
    events=st.lists(st.builds(SpanEvent, times, texts, attributes, counts), max_size=2).map(tuple),
    links=st.lists(st.builds(Link, ids(32), ids(16), texts, attributes, counts, counts), max_size=2).map(tuple),
    trace_state=st.just("") | texts,
    scope=scopes,
    flags=counts,
    dropped_attributes=counts,
    dropped_events=counts,
    dropped_links=counts,
)
traces = st.lists(spans, min_size=1, max_size=5)
