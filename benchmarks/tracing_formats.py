"""Spans a second read from each format, attributes and all.

The spans are as instrumentation writes them, about 600 bytes of JSON each: six attributes, an event on every tenth,
25 of a trace over twelve services; and they come as a collector batches them, ten traces of a service together. Every
format holds the same spans, Zipkin and Jaeger only what they can say. What is timed is reading bytes from memory into
spans, as ``dp-tui tracing FILE`` does, in time of the processor.

The peer of the same run is ``json.loads`` of the same bytes, which makes dictionaries and no spans; it is asked twice:
as anybody calls it, and with the garbage collector off, which otherwise walks those dictionaries again and again. For
protobuf it is the plain prototype: the messages of the library, with every field of every span looked at once.
"""

import gc
import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, BinaryIO, Final, cast

from engines.tracing.formats import Format, read, write
from engines.tracing.spans import Kind, Link, Span, SpanEvent, Status

TRACES: Final = 800
SPANS_A_TRACE: Final = 25
BATCH: Final = 10
ROUNDS: Final = 3
TARGETS: Final = {Format.OTLP_JSON: "0.85", Format.OTLP_LINES: "0.85"}
"""Of the speed of the peer."""


def sample(traces: int = TRACES) -> list[Span]:
    """The spans."""
    found = []
    for trace in range(traces):
        trace_id = f"{trace + 1:032x}"
        start_ns = 1_700_000_000_000_000_000 + trace * 1_000_000
        for at in range(SPANS_A_TRACE):
            service = f"service-{at % 12}"
            attributes = (
                ("http.request.method", "GET"),
                ("http.route", f"/api/v1/items/{at}"),
                ("http.response.status_code", 200),
                ("server.address", f"{service}.default.svc.cluster.local"),
                ("server.port", 8080),
                ("retry", False),
            )
            events = (SpanEvent(start_ns + at, "cache.miss", (("key", f"item:{at}"),)),) if at % 10 == 0 else ()
            found.append(
                Span(
                    trace_id,
                    f"{at + 1:016x}",
                    f"{at // 3 + 1:016x}" if at else "",
                    f"GET /api/v1/items/{at}",
                    service,
                    Kind.SERVER if at % 2 else Kind.CLIENT,
                    start_ns + at * 1_000,
                    start_ns + 900_000 - at * 1_000,
                    Status.ERROR if at == 24 else Status.UNSET,
                    attributes=attributes,
                    resource=(("host.name", f"node-{at % 4}"), ("telemetry.sdk.language", "python")),
                    events=events,
                    links=(Link(trace_id, "1".zfill(16)),) if at == 20 else (),
                )
            )
    return sorted(found, key=lambda span: (int(span.trace_id, 16) // BATCH, span.service))


def said(spans: list[Span], form: Format) -> list[Span]:
    """As another program would have written them in this format, without our own tag for what it cannot say."""
    if form not in (Format.JAEGER, Format.ZIPKIN):
        return spans
    plain = [each._replace(links=()) for each in spans]
    if form is Format.JAEGER:
        return plain
    return [
        each._replace(
            attributes=tuple((key, str(value)) for key, value in each.attributes),
            resource=(),
            events=tuple(event._replace(attributes=()) for event in each.events),
        )
        for each in plain
    ]


def _best(work: Callable[[], object]) -> float:
    found = []
    for _ in range(ROUNDS):
        gc.collect()
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def _count(data: bytes) -> int:
    return sum(1 for _ in read(cast(BinaryIO, io.BytesIO(data)), "memory"))


def _parse_alone(form: Format, data: bytes) -> Callable[[], object]:
    if form is Format.OTLP_PROTOBUF:
        return lambda: _look_at_all(data)
    if form is Format.OTLP_LINES:
        return lambda: [json.loads(line) for line in data.splitlines()]
    return lambda: json.loads(data)


def _look_at_all(data: bytes) -> int:
    """The plain prototype for protobuf: what a span holds, from the messages of the library."""

    def pairs(found: Any) -> list[tuple[str, Any]]:
        return [(each.key, getattr(each.value, each.value.WhichOneof("value"))) for each in found]

    messages: Any = import_module("opentelemetry.proto.trace.v1.trace_pb2")
    count = 0
    for group in messages.TracesData.FromString(data).resource_spans:
        pairs(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                count += 1
                _ = (
                    *(span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), span.name, span.kind),
                    *(span.start_time_unix_nano, span.end_time_unix_nano, span.status.code, span.status.message),
                    *(pairs(span.attributes), span.trace_state, span.flags),
                    [(each.time_unix_nano, each.name, pairs(each.attributes)) for each in span.events],
                    [(each.trace_id.hex(), each.span_id.hex(), pairs(each.attributes)) for each in span.links],
                )
    return count


@dataclass(frozen=True, slots=True)
class Reading:
    """One format."""

    form: Format
    spans: int
    size: int
    seconds: float
    peer_seconds: float
    resting_seconds: float
    """The peer's without garbage collection."""

    def line(self) -> str:
        """For people."""
        rate = self.spans / self.seconds
        peer = "looking at the library's messages" if self.form is Format.OTLP_PROTOBUF else "json.loads"
        target = TARGETS.get(self.form)
        goal = f"  (target: {target})" if target else ""
        return (
            f"read {self.form.label:<24} {rate:>12,.0f} spans/s  {self.size / self.seconds / 1e6:>6.1f} MB/s  "
            f"{self.peer_seconds / self.seconds:.2f} of the speed of {peer}, "
            f"{self.resting_seconds / self.seconds:.2f} without garbage collection{goal}"
        )


def measure() -> list[Reading]:
    """Every format, from the same spans."""
    spans = sample()
    gc.freeze()  # these are no work for the collector of a peer
    found = []
    for form in Format:
        data = b"".join(write(said(spans, form), form))
        assert _count(data) == len(spans)
        seconds = _best(lambda data=data: _count(data))  # type: ignore[misc]
        peer = _best(_parse_alone(form, data))
        gc.disable()
        try:
            resting = _best(_parse_alone(form, data))
        finally:
            gc.enable()
        found.append(Reading(form, len(spans), len(data), seconds, peer, resting))
    gc.unfreeze()
    return found


def lines() -> list[str]:
    """For ``make bench``."""
    return [reading.line() for reading in measure()]
