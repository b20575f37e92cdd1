"""Tracing: one trace id for a request, spans with parents, and from many of them the reason why it is slow.

    >>> from engines.tracing import critical_path, read, trees
    >>> with open("checkout.json", "rb") as file:
    ...     for tree in trees(read(file, "checkout.json")):
    ...         for step in critical_path(tree).steps(tree):
    ...             print(f"{step.duration_us:>6} us  {step.service} {step.operation}")
     20000 us  shop GET /
     60000 us  shop SELECT
     20000 us  shop GET /

``read`` takes what OpenTelemetry, Jaeger, Zipkin and Tempo write. The steps of a path are in the order of time, each
belongs to the one span that held the request up, and their lengths add up exactly to its duration.

context b3 baggage sampling       what travels with a request
spans formats store packed        what was recorded, in and out; held small
tree critical aggregate whatif    one trace: its tree, its path, and what would be saved
analysis rows                     all of that worked out once, and the rows that show it
fold compare skew                 one trace looked at: what to hide, another beside it, clocks put right
waiting cohorts gap diagnosis     many traces: why the slow ones are slow
split                             which are set against which: a window, an attribute, what fails
failures                          why requests fail, and where that begins
standing                          how sure that is, and whether it stands out at all
unfelt                            what has become slow although no request feels it
rejoin                            what a dropped header tore, joined again
symptoms verdicts examination     and what else troubles the system, named in the order of urgency
judge records recorded            a file of the user's traces, reported or played
topology world                    all of it alive: 72 services, a collector, and faults the spans must explain
pattern                           what the program shows of it
protobuf                          the one room with libraries of others
"""

from engines.tracing.aggregate import Aggregates, aggregate
from engines.tracing.cohorts import Book
from engines.tracing.compare import compare
from engines.tracing.context import TraceContext, extract, inject
from engines.tracing.critical import Path, Segment, Step, critical_path, self_times
from engines.tracing.diagnosis import Diagnosis, NoDiagnosis, diagnose
from engines.tracing.formats import Format, Notices, read, write
from engines.tracing.spans import Kind, Link, Span, SpanEvent, Status
from engines.tracing.tree import Tree, build, trees
from engines.tracing.whatif import what_if

__all__ = [
    "Aggregates",
    "Book",
    "Diagnosis",
    "Format",
    "Kind",
    "Link",
    "NoDiagnosis",
    "Notices",
    "Path",
    "Segment",
    "Span",
    "SpanEvent",
    "Status",
    "Step",
    "TraceContext",
    "Tree",
    "aggregate",
    "build",
    "compare",
    "critical_path",
    "diagnose",
    "extract",
    "inject",
    "read",
    "self_times",
    "trees",
    "what_if",
    "write",
]
