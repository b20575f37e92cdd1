"""Resilience as the program shows it: variants, stories, what is modelled, and where common statements are wrong."""

from functools import partial
from typing import Final

from engines.resilience.recorded import VARIANT as RECORDED
from engines.resilience.world.chaos import CHAOS
from engines.resilience.world.commands import COMMANDS
from engines.resilience.world.engine import ResilienceEngine
from engines.resilience.world.options import SETTINGS
from engines.resilience.world.scenarios import SCENARIOS
from engines.sim.pattern import Pattern, Variant

FIDELITY: Final = (
    ("modelled", "breakers of six kinds as their libraries have them: windows, boundaries, lazy or timed waiting, "
                 "probes, late results, slow calls"),
    ("modelled", "Hystrix's known fault since 1.5.13 (#1853, #1861): a call turned away while the probe is out opens "
                 "the breaker again; one number of it switches that off"),
    ("modelled", "pipelines in any order; a timeout cuts off what is inside it, permits come back through each layer"),
    ("modelled", "a worker is held for the whole of a job, also while it waits for another service"),
    ("modelled", "Istio's delays and aborts on every edge, sampled independently; Envoy's caps and outlier detection"),
    ("modelled", "deadlines travel as the time that is left, as in gRPC"),
    ("simplified", "a caller that gives up tells nobody: there is no cancellation besides the deadline"),
    ("simplified", "a crashed machine is silent: its callers wait for their timeouts, no connection is refused"),
    ("simplified", "all clients are one machine with one pipeline; every call is a fresh one, no connections are kept"),
    ("simplified", "timeouts, windows and deadlines run on monotonic clocks: a wrong wall clock does nothing here"),
    ("simplified", "Envoy's success-rate ejection needs 100 requests in 10 s to 5 hosts: at this load it stays silent"),
    ("left out", "timeouts that libraries bring along (Hystrix 1 s, opossum 10 s): timeouts are a layer of their own"),
    ("left out", "connection pools, priorities, adaptive concurrency limits, caches other than the last good answer"),
)  # fmt: skip

VARIANTS: Final = tuple(
    Variant(name, title, summary, partial(ResilienceEngine, name), COMMANDS, SETTINGS, 7, FIDELITY, chaos=CHAOS)
    for name, title, summary in (
        ("breaker", "Circuit breakers", "a state machine on every edge into a service; its preset can be changed live"),
        ("envoy", "Envoy's way", "no state machine: caps on what is under way, and bad hosts are ejected"),
    )
)

PATTERN: Final = Pattern(
    number=4,
    name="resilience",
    title="Resilience",
    question="How do I survive failures?",
    variants=VARIANTS,
    scenarios=SCENARIOS,
    speed=(1, 1),
    aliases=(("faults", "breaker"),),
    recorded=RECORDED,
    notes=(
        "50 % of the calls in 10 s, 30 s open: these numbers are no standard. Hystrix waits 5 s, resilience4j looks at "
        "100 calls and waits 60 s, Polly trips at 10 % of 100 calls in 30 s; opossum is the one with these numbers.",
        "A rate without a minimum volume trips on the first failed call: 1 of 1 is 100 %. The article names none; "
        "20 calls are required here.",
        "A breaker protects the caller and gives the callee rest. It limits neither how long a call may take (that is "
        "the timeout) nor how many wait at once (that is the bulkhead); alone it has saved nobody.",
        "Retries alone amplify: r retries at each of L layers make (1 + r) ^ L attempts of one call. Retry at one "
        "layer, with jitter and within a budget.",
        "A retry budget is no cure by itself: what it leaves must fit into the capacity; 20 % at 90 % load is 0.9 x 1.2"
        " = 1.08. A breaker empties the line, and whether it stays empty is a matter of head room; shedding removes "
        "what feeds the storm.",
        "What Envoy calls circuit breaking are caps on concurrency: nothing opens and nothing closes. Its counterpart "
        "of a breaker is outlier detection, host by host; with 10 % at most, of 2 to 9 hosts nobody is ejected.",
        "Istio's delays and aborts are a test tool: they are faults, not protection.",
    ),
)
