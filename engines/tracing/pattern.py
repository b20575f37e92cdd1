"""The pattern: its variants, stories, questions, and what of it is modelled."""

from functools import partial
from typing import Final

from engines.sim.pattern import Pattern, Variant
from engines.tracing.recorded import VARIANT
from engines.tracing.world.chaos import chaos_of
from engines.tracing.world.commands import COMMANDS
from engines.tracing.world.control import HEAD, TAIL
from engines.tracing.world.engine import TracingEngine
from engines.tracing.world.options import SETTINGS
from engines.tracing.world.scenarios import SCENARIOS

FIDELITY: Final = (
    (
        "modelled",
        "every call carries real headers, W3C traceparent, tracestate and baggage: extracted, child, injected",
    ),
    (
        "modelled",
        "spans as OpenTelemetry has them: kinds, names, status, attributes after the semantic conventions, links",
    ),
    ("modelled", "spans travel to the collector in messages: they are lost and late; the store gives up whole traces"),
    ("modelled", "workers, queues, pools of connections and locks that are waited for; retries with backoff, breakers"),
    ("modelled", "consistent probability sampling at the head, policies for errors, latency and a share at the tail"),
    (
        "simplified",
        "databases and caches send spans of their own; real ones seldom do, and the caller's span is a leaf",
    ),
    ("simplified", "an exporter sends when the span of a request has ended, without waiting for an answer"),
    ("simplified", "work and timeouts run on the machine's own clock: a clock that jumps moves what is in progress"),
    (
        "simplified",
        "a service is one machine, so the clock, the pool and the queue of a service are those of that machine",
    ),
    ("left out", "metrics and logs, exemplars, span limits, resource detection, several collectors behind a balancer"),
)

VARIANTS: Final = tuple(
    Variant(name, title, summary, partial(TracingEngine, name), COMMANDS, SETTINGS, 3, FIDELITY, chaos=chaos_of(name))
    for name, title, summary in (
        (HEAD, "Head sampling", "the root decides before anything has happened; at first everything is kept"),
        (TAIL, "Tail sampling", "the collector waits for the whole trace and keeps errors and slow ones"),
    )
)

PATTERN: Final = Pattern(
    number=7,
    name="tracing",
    title="Tracing",
    question="Why is my request slow?",
    variants=VARIANTS,
    scenarios=SCENARIOS,
    recorded=VARIANT,
    speed=(1, 1),
    notes=(
        "A sketch that extracts the parent's context and then starts a span without it breaks the trace at every hop: "
        "the span must be made a child of what was extracted.",
        "Links make the spans of a trace a graph, not a tree: a consumer that works on a batch has many causes and at "
        "most one parent.",
        "Sampling means that not every request is kept. At the head it is decided before anything has happened, so "
        "nine of ten errors leave no trace at a ratio of one in ten.",
        "Traces leave here as OTLP, Jaeger or Zipkin JSON and are read from files of these; Datadog and Honeycomb take "
        "OTLP.",
        "One trace cannot show that auth is blocked at p99. That takes a cohort: the slowest 1 percent against the "
        "faster half, and how full the pool was.",
        "The longest span is not the culprit: what counts is what it adds to the critical path, and whether the extra "
        "time is work or waiting.",
    ),
)
