"""Tracing: one trace id for a request, spans with parents, and from many of them the reason why it is slow."""

from functools import partial
from typing import Final

from engines.sim.pattern import Pattern, Variant
from engines.tracing.world.commands import COMMANDS
from engines.tracing.world.engine import TracingEngine
from engines.tracing.world.options import SETTINGS


FIDELITY: Final = (
    ("modelled", "every call carries real headers: W3C traceparent, tracestate and baggage, extracted and injected at each hop"),
)
