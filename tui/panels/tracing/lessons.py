"""Why: the rule behind an event or a check, why it exists, what would go wrong without it, and where it is written."""

from typing import Final

from engines.sim import events as e
from engines.sim.events import Event
from engines.sim.rules import SetRule
from engines.tracing.world import checks as of
from engines.tracing.world import commands as c
from engines.tracing.world import events as t
from engines.tracing.world.snapshot import Snapshot
from tui.kit import explain as kit

LESSONS: Final[dict[str, tuple[str, ...]]] = {
    "context": (
        "Rule: whoever is called takes the parent out of the headers, makes its own span a child of it, and puts "
        "itself into the headers of every call it makes. One id for the whole request, one parent for each span.",
        "The code of the article this program is about extracts the parent and never uses it: every service then "
        "begins a trace of its own. Switch continue trace off with b to see it.",
        "A service that drops the headers splits the trace: what it calls cannot know that it is part of anything. "
        "The rest of the request is still recorded, in a trace that nobody looks for.",
        "Source: W3C Trace Context, level 2; OpenTelemetry, context propagation.",
    ),
    "trace": (
        "A trace is a tree of spans with one id. A parent is the span that caused this one; links point at causes "
        "beyond the tree, which makes the whole a graph: a consumer is linked to its producer.",
        "Its critical path is a partition of the root's time: every moment belongs to the one span that held the root "
        "up. So the parts add up to the whole exactly, and only what is on the path can make the request faster.",
        "A trace is complete when nothing was heard of it for a while. Nobody knows for sure: a late span still finds "
        "its place, and a missing parent gets a row that says so.",
        "Source: OpenTelemetry, traces; Yang and Miller 1988, critical path analysis.",
    ),
    "verdict": (
        "One trace cannot show what happens at p99: of a hundred requests one is at it, and which one is chance. So "
        "the slowest hundredth is compared with the faster half, by the mean time that each operation holds the path.",
        "Means of a partition add up: the contributions sum to the gap exactly. Percentiles of parts do not.",
        "From the largest contribution the walk goes downstream to where waiting dominates, and quotes what the spans "
        "of the wait saw: how many of how many were in use, and how many waited.",
        "Below a hundred traces of a root operation there is no verdict, and that is said.",
    ),
    "pool": (
        "A pool of connections is a queue in front of the database. While all are in use a request waits, holds its "
        "worker while it waits, and everybody upstream waits with it.",
        "In the trace it looks as if the caller were slow. Its own time is waiting: an INTERNAL span acquire "
        "connection, with what it saw when it began. There is no standard span for it, so it must be made on purpose.",
        "More connections help only while the database has room. The what-if says what would be saved.",
    ),
    "queue": (
        "A service has so many workers. When all are busy, requests wait in its queue, and when that is full they are "
        "refused at once: better a quick no than a late answer that nobody waits for.",
        "The span queue wait shows the time before the work begins. Without it the wait would be nobody's.",
    ),
    "lock": (
        "A table that is locked lets queries through one at a time: each waits for all before it. The database looks "
        "slow, and is not busy.",
    ),
    "retry": (
        "A call that failed is made again. At one layer that cures a hiccup; at every layer it multiplies: with r "
        "retries at L layers one failure can become (1+r)^L calls at the bottom.",
        "In a trace it is seen as siblings of one name, each with its attempt and its error; in the figures as more "
        "calls than requests.",
        "Backoff spreads attempts in time, a budget bounds them, a breaker stops them.",
        "Source: Google SRE book, cascading failures; Amazon Builders' Library, timeouts, retries and jitter.",
    ),
    "timeout": (
        "The caller gave up; whether the called service did the work is not known to it. Its span ends with an error, "
        "while the span below may end later and well: then the child outlives its parent.",
    ),
    "breaker": (
        "Closed, calls go through and are counted; open, they fail at once; half open, a few may try. In a trace an "
        "open breaker is a CLIENT span that is very short and has no child.",
    ),
    "async": (
        "A producer does not wait for the consumer: the message goes into a queue, and the consumer's span begins "
        "later, often after the request was answered. It is in the trace and never on the critical path.",
        "A message that is not acknowledged is delivered again: the work may happen twice, and both show.",
        "Source: OpenTelemetry, semantic conventions for messaging.",
    ),
    "spans": (
        "Spans travel on their own, after the fact, from every service to the collector. They can be lost or late, and "
        "the request knows nothing of it.",
        "A lost span whose children arrived is known from their parent id: its row says missing span. Its time is "
        "not known, so the path takes what its children show.",
    ),
    "sampling": (
        "Not every request is kept. At the head the root decides before anything is known, by the randomness in the "
        "trace id, so that all services decide alike and a lower ratio keeps a subset of a higher one.",
        "At the tail the collector decides when the trace is complete: errors and slow ones stay. It costs memory, "
        "and the whole trace must meet in one place.",
        "Percentiles of sampled traces are those of all requests only if chance alone decides.",
        "Source: OpenTelemetry, probability sampling (tracestate ot=th:..;rv:..); W3C Trace Context, random flag.",
    ),
    "clock": (
        "Every host stamps its spans with its own clock. If they differ a child may start before its parent, or end "
        "after it. That is no causality upside down, only two clocks.",
        "Correction moves a child into the call that caused it, as far as the spans betray the offset. It is off until "
        "C asks for it, says how far it moved what, and never changes the spans.",
    ),
    "cache": (
        "A cold cache misses: every miss becomes a query. The database and its pool carry what the cache carried, and "
        "the trace shows one more call below each lookup.",
    ),
    "fault": (
        "What was injected is the truth that the verdict is scored against. The analysis does not see it: it has the "
        "spans and nothing else.",
        "Faults go away with h, or with the same fault at its usual value.",
    ),
    "machine": (
        "Three faults are easily confused. A crash loses what was in memory; a freeze loses only time; a cut loses "
        "messages. In the spans of the caller all three look alike: no answer.",
        "The spans differ: of a crashed service nothing arrives, a frozen one sends long spans later, a cut one sends "
        "good spans that nobody waited for, if the collector is on its side of the cut.",
    ),
    "network": (
        "The network may lose, delay, repeat and reorder messages. A lost call or answer is a timeout at the caller; "
        "if the call arrived, the called service has a span of it that is fine.",
        "Time on the wire is nobody's span: it is the difference between a CLIENT span and the SERVER span below it.",
    ),
    "rule": (
        "A rule is switched off everywhere at once, to see why it is there: each was once left out by somebody.",
        "The checks in the top line watch all guarantees after every event and name what broke.",
    ),
    "load": (
        "Requests come by chance, as from many users who do not know each other, so many a second on average. What is "
        "fine on average waits in bursts: queues are made of chance.",
    ),
    "lecture": kit.LECTURE,
}  # fmt: skip
"""Lessons by name."""

OF_KIND: Final[dict[type, str]] = {
    t.TraceStarted: "context", t.TraceJudged: "trace", t.VerdictChanged: "verdict", t.AllRead: "verdict",
    t.Noticed: "trace", t.PoolWait: "pool", t.QueueWait: "queue", t.Overloaded: "queue", t.LockWait: "lock",
    t.Retried: "retry", t.TimedOut: "timeout", t.UserGone: "timeout", t.BreakerMoved: "breaker",
    t.Redelivered: "async", t.RequestSent: "load", t.Answered: "load",
    **kit.OF_KERNEL, **dict.fromkeys((e.Crashed, e.Restarted, e.Frozen, e.Thawed, e.Waiting), "machine"),
    **dict.fromkeys((e.Isolated, e.Reconnected, e.Partitioned), "network"), e.Synced: "machine",
    e.DiskSlowed: "machine", e.TimerFired: "load", e.TimersExpired: "load",
}  # fmt: skip
"""Kinds of events to the names of their lessons; what a person orders has a table of its own."""
OF_ORDER: Final[dict[type, str]] = {
    c.SlowService: "fault", c.ShrinkPool: "pool", c.Lock: "lock", c.ColdCache: "cache", c.Amplify: "retry",
    c.DropHeader: "context", c.LoseSpans: "spans", c.LateSpans: "spans", c.SetLoad: "load", c.SetRetries: "retry",
    c.SetBreakers: "breaker", c.SetSampling: "sampling", c.Correct: "clock", SetRule: "rule",
}  # fmt: skip
INJECTED: Final = frozenset({
    c.SlowService, c.ShrinkPool, c.Lock, c.ColdCache, c.Amplify, c.DropHeader, c.LoseSpans, c.LateSpans,
})  # fmt: skip
"""Faults whose lesson goes on with what the verdict has to do with them."""


def explain(snapshot: Snapshot, event: Event) -> tuple[str, ...]:
    """The rule behind an event, at length: for a fault that of what it does, and that it is the truth."""
    match event.what:
        case t.Ordered(command=command):
            lesson, injected = LESSONS[OF_ORDER[type(command)]], type(command) in INJECTED
        case what:
            lesson, injected = LESSONS[OF_KIND[type(what)]], isinstance(what, e.Skewed)
    if injected and lesson is not LESSONS["fault"]:
        return (*lesson, LESSONS["fault"][0])
    return (*lesson, LESSONS["verdict"][0]) if isinstance(event.what, t.TraceJudged) else lesson


# -- checks ----------------------------------------------------------------------------------------------------------

IF_BROKEN: Final = {
    of.ONE_TRACE: "If it breaks: one request lies in two traces. Each looks whole, and neither shows why the user "
    "waited. A service dropped the headers, or did not continue what it extracted.",
    of.CAUSE: "If it breaks: the tree is a lie. Spans hang below somebody who did not call them: contexts of two "
    "requests were mixed up, or headers were passed on as they came.",
    of.UNIQUE: "If it breaks: an id names two spans, and whoever has it as parent has two parents.",
    of.ALL_OR_NONE: "If it breaks: traces have holes where a service decided otherwise than its caller.",
    of.SUBSET: "If it breaks: lowering the ratio keeps other traces, not fewer; two services with different ratios "
    "seldom keep the same request.",
    of.ADDS_UP: "If it breaks: the path does not explain the time, and nothing built on it can be trusted.",
    of.WHOLE: "If it breaks: a span has arrived and is not in its trace, or one is missing and nobody knows that.",
    of.EVICTION: "If it breaks: halves of traces stay behind, with orphans whose parents were thrown away.",
    of.KEEPS_ERRORS: "If it breaks: the one trace that somebody will look for was dropped.",
}
"""What a broken guarantee would mean."""


explain_check: Final = kit.checks(of.DEMANDS, IF_BROKEN)
"""What a check demands, and if it failed, the witness."""
