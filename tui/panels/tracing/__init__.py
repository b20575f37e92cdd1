"""The panel of tracing: a request through many services, where its time went, and why the slow ones are slow."""

from dataclasses import replace
from typing import Final

from engines.tracing.pattern import PATTERN
from tui.kit.rooms import of_rooms
from tui.panels.tracing import details, folding, forms, keys, lessons, present, view, words

HELP: Final = (
    "A request goes through many services. Each makes a span of its part: who, what, from when to when, whose child. "
    "All spans with one id are a trace: a tree, and with its links a graph.",
    "Left the traces, one row each; the bar before the name is the latency on a scale that doubles. Yellow is above "
    "the p90 of its root operation, red from its p99 on, if that is well above the median. ! an error, ? a missing "
    "span, * something odd, . spans still arrive. Left and right walk through them, B sorts, v shows them as a table.",
    "The waterfall: the tree of spans, and their bars on the time of the root. The critical path is lit. A full bar: "
    "here the request was held up. A strong line: it was held up further down. A thin line: beside the path; shorter, "
    "it would save nothing. The full bars of all rows add up to the root, exactly.",
    "Solid blocks are waiting for a pool or a lock, shaded ones for a worker or before another try: time in which "
    "nobody computes. The bar says what it waited for. n and N walk along the path in the order of time.",
    "o shows only the path, % hides what is small, F shows the plumbing: a call and its answer are two spans of one "
    "thing and share a row otherwise. / filters by text. I goes to the next error or missing span.",
    "W is the service map: a row of cells a layer, X crashed, Z frozen, P its pool is exhausted, Q its queue grows, ! "
    "errors; V: the verdict names it. An arrow marks who calls the selected one and whom it calls. Down walks the "
    "busiest call, up its caller.",
    "y shows the headers hop by hop: what was on the wire and what was made of it. A service that does not pass them "
    "on splits the trace: what it calls begins a new one, and the hop says so.",
    "The verdict compares the slowest hundredth of a root operation with its faster half, by the mean time each "
    "operation holds the path: that adds up to the gap exactly. G shows all of it, g goes to the span it is about.",
    "One trace cannot show what happens at p99, and not every request is kept: below 100 traces there is no verdict. "
    "In the simulation the verdict is scored against the fault that was injected, which it does not see.",
    "Every system has a tail. Somebody is named only where it stands out: where requests of one part of the time take "
    "longer than the others, or the p99 is four times the p50. Else it says an ordinary tail, and what it is made of; "
    "or who has become slow although requests hardly feel it, beside something slower.",
    "Files: the file exporter of the OpenTelemetry Collector writes OTLP, format json or proto. Jaeger: Trace JSON in "
    "its UI, or curl JAEGER:16686/api/traces/ID. Zipkin: Download JSON, or curl ZIPKIN:9411/api/v2/trace/ID. Tempo: "
    "curl -H Accept:application/json TEMPO:3200/api/traces/ID. Grafana, Kiali: Inspect, Download. --baseline FILE "
    "compares with another; t, or --trace ID --to jaeger, exports one trace.",
    "Of a FILE, p sets other traces against each other: the window that the data propose, what fails. L marks one from "
    "this trace to that; A takes 41s..72s, version=v2, errors. The verdict adds up to their gap just as exactly.",
    "Z closes what is below a span, Q takes it as the root, / finds http.status_code=500; marks on a bar are events. D "
    "lays the trace beside the typical one of its kind, or the one marked with K. C takes the clocks' offsets out.",
    "Verbs act on the service of the selected span: k crash, z freeze, x cut off, l loss, d delay, c clock. f has the "
    "others: slow service, smaller pool, lock, cold cache, retry storm, dropped headers, lost and late spans.",
    "a sends a request like the one selected, w changes how users come, t the numbers, b switches rules off, "
    "s plays scenarios, e explains a line of the journal or a failed check.",
)  # fmt: skip


PANEL: Final = replace(
    of_rooms(PATTERN, HELP, view, keys, words, folding, lessons, keys, forms, present),
    client_hint="POST /checkout, or a part of it; of a FILE what to compare: 41s..72s, version=v2, errors; empty: any",
    figures=details.figures,
    walk=keys.walk,
    export=keys.exported,
)
"""The one panel of this folder."""
