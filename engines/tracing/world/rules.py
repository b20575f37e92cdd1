"""Rules of tracing that can be switched off to see why they are there, and the times of the system.

Every one of them is a mistake that somebody once made. The first is that of the article this program is about: it
extracts the caller's context and then never uses it.
"""

from dataclasses import dataclass
from typing import Final

from engines.rules import Rules, rule
from engines.units import US_PER_MS


@dataclass(frozen=True, slots=True)
class TracingRules(Rules):
    """All on: every check holds, whatever breaks in the system itself."""

    continue_trace: bool = rule("a server's span is a child of the context it extracted")
    """Off: it is extracted, and a new trace is started."""
    fresh_span_id: bool = rule("a child span gets an id of its own")
    """Off: it keeps the id of its parent."""
    inject_own: bool = rule("a call carries the context of its own CLIENT span")
    """Off: the headers that came in are passed on as they are."""
    own_context: bool = rule("the current span belongs to one request, not to the process")
    """Off: requests at the same time mix it up."""
    parent_decides: bool = rule("a service keeps what its caller keeps")
    """Off: every service decides for itself."""
    same_coin: bool = rule("the root decides by the randomness in the trace id")
    """Off: by a coin of its own."""
    whole_traces: bool = rule("a full store gives up whole traces")
    """Off: the oldest spans, whatever trace they are of."""
    tail_waits: bool = rule("the tail sampler waits for the whole trace")
    """Off: it decides by the first spans that come."""
    late_joins: bool = rule("a late span joins its trace")
    """Off: nobody waits for it, and it is thrown away."""


ALL_ON: Final = TracingRules()
LINK_LATENCY_US: Final = 300
LINK_JITTER_US: Final = 300

TIMEOUT_OF_USERS_US: Final = 5_000 * US_PER_MS
TIMEOUT_US: Final = {"edge": 3_000 * US_PER_MS, "domain": 1_500 * US_PER_MS, "data": 800 * US_PER_MS}
"""How long a caller waits for a service of this layer; the edge is waited for by users only."""
BACKOFF_US: Final = 50 * US_PER_MS
BACKOFF_MAX_US: Final = 400 * US_PER_MS

QUIET_US: Final = 1_000 * US_PER_MS
"""A trace that got no span for so long is judged: it counts as complete, and the tail sampler decides."""
TICK_US: Final = 1_000 * US_PER_MS
"""The strip, the figures of the map and the diagnosis are renewed this often."""
WINDOW_TICKS: Final = 5
"""Figures cover the last five to ten seconds: a window of five ticks and the one before."""
REDELIVER_US: Final = 4_000 * US_PER_MS
"""A message that no consumer acknowledged is delivered again."""
PREFETCH: Final = 4
"""Messages a consumer may have at a time."""
BACKLOG_MAX: Final = 500
"""Messages a queue keeps for a consumer; the oldest go first."""
POOL_LINE_MAX: Final = 400
"""Who may wait for a connection."""
