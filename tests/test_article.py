"""The article that the program illustrates: each of its claims is met somewhere, by a story, a variant or a note.

Where the article is wrong or too simple, what meets the claim says so with the right statement. A pattern that is not
built yet brings its claims to life when it comes.
"""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

import pytest

from engines import NAMES, QUESTIONS, TITLES
from engines.sim.pattern import Pattern

TABLE = """
| Consistency Models | When is my read fresh? | Vector clocks, quorum reads |
| Consensus Algorithms | How do nodes agree? | Raft, PBFT |
| Sharding & Partitioning | How do I scale data? | Consistent hashing, range shards |
| Fault Tolerance | How do I survive failures? | Circuit breakers, retries |
| Event Sourcing | How do I track history? | Append-only event stores |
| CQRS | How do I scale reads separately? | Separate read/write models |
| Distributed Tracing | Why is my request slow? | OpenTelemetry, Jaeger |
"""
"""The article's own, verbatim."""

MODULES = {"events": "event_sourcing"}
"""Where the engine of a pattern is called otherwise than its command."""


class Claim(NamedTuple):
    """What the article says, and where it is met: ``story NAME``, ``variant NAME``, or words of a note (fidelity notes
    and summaries among them)."""

    pattern: str
    says: str
    met_by: str


CLAIMS = (
    Claim("consistency", "five levels", "note There are not five levels"),
    Claim("consistency", "the five: strong", "variant linearizable"),
    Claim("consistency", "sequential", "variant sequential"),
    Claim("consistency", "causal", "variant causal"),
    Claim("consistency", "eventual", "variant eventual"),
    Claim("consistency", "weak", "variant weak"),
    Claim("consistency", "vector clocks detect concurrency", "note vc1 > vc2 and vc2 > vc1 is never true"),
    Claim("consistency", "quorum reads", "note R answers, W acknowledgements"),
    Claim("consistency", "Cassandra is eventual by default", "note Cassandra's level is chosen per request"),
    Claim("consistency", "MongoDB is tunable", "note Read concern and write concern decide"),
    Claim("consensus", "Raft for crash faults: etcd, CockroachDB", "note etcd and CockroachDB run, is for"),
    Claim("consensus", "PBFT for Byzantine faults", "note PBFT is for servers that lie"),
    Claim("consensus", "leader election", "story election"),
    Claim("consensus", "log replication", "story figure-7"),
    Claim("consensus", "membership", "note Membership change is an extension"),
    Claim("consensus", "a majority", "note A majority is floor\\(n/2\\)\\+1"),
    Claim("consensus", "3 survive 1, 5 survive 2", "note than three, one; five survive two"),
    Claim("sharding", "hash % n reshuffles", "story mod-n"),
    Claim("sharding", "ranges A-M and N-Z", "story a-to-m"),
    Claim("sharding", "hotspots", "story monotonic"),
    Claim("sharding", "a ring with 150 virtual nodes", "story virtual-nodes"),
    Claim("sharding", "named node#i", "note n1#0 to n1#149"),
    Claim("sharding", "MongoDB ranges", "note MongoDB also shards by hash"),
    Claim("sharding", "DynamoDB's ring", "note DynamoDB splits ranges of the hashed key"),
    Claim("sharding", "Cassandra's ring", "note Cassandra's ring has 16 tokens"),
    Claim("sharding", "Redis: 16384 slots", "variant slots"),
    Claim("resilience", "CLOSED, OPEN, HALF_OPEN", "story trip-and-recover"),
    Claim("resilience", "50 % over 10 s, 30 s open", "note 50 % of the calls in 10 s, 30 s open"),
    Claim("resilience", "Hystrix", "note Hystrix waits 5 s"),
    Claim("resilience", "Resilience4j", "note resilience4j looks at 100 calls"),
    Claim("resilience", "Polly", "note Polly trips at 10 %"),
    Claim("resilience", "Istio", "note Istio's delays and aborts are a test tool"),
    Claim("resilience", "Envoy", "variant envoy"),
    Claim("resilience", "retries", "story retry-storm"),
    Claim("events", "append-only", "variant store"),
    Claim("events", "replay", "story account-replayed"),
    Claim("events", "a bank balance", "note Balances are stored too"),
    Claim("events", "audit trail", "note the audit trail is not free"),
    Claim("events", "time travel", "story time-travel"),
    Claim("events", "larger storage", "note Larger storage"),
    Claim("events", "eventual consistency", "note Eventual consistency does not come from event sourcing"),
    Claim("events", "complex reads", "note complex reads are the price"),
    Claim("events", "EventStoreDB", "note EventStoreDB"),
    Claim("events", "Axon", "note Axon Server"),
    Claim("events", "Kafka's log", "variant log"),
    Claim("cqrs", "CREATE_ORDER and GET_ORDER_SUMMARY", "note CREATE_ORDER.*GET_ORDER_SUMMARY"),
    Claim("cqrs", "reads and writes scale apart", "note scale"),
    Claim("cqrs", "when to use it and when not", "note does not need event sourcing"),
    Claim("tracing", "one trace id, spans with parents", "note extracted, child, injected"),
    Claim("tracing", "extract and inject", "story unused-parent"),
    Claim("tracing", "70+ services", "story dropped-header"),
    Claim("tracing", "auth is blocking: its pool is exhausted at p99", "story auth-pool-p99"),
    Claim("tracing", "Datadog, Honeycomb, Zipkin, Jaeger", "note OTLP, Jaeger or Zipkin JSON.*Datadog and Honeycomb"),
)  # fmt: skip


def pattern_of(name: str) -> Pattern | None:
    """What a pattern publishes; None if it is not built."""
    module = f"engines.{MODULES.get(name, name)}"
    if find_spec(module) is None or find_spec(f"{module}.pattern") is None:
        return None
    found: Pattern = import_module(f"{module}.pattern").PATTERN
    return found


def words_of(pattern: Pattern) -> str:
    texts = [*pattern.notes]
    for variant in pattern.variants:
        texts += [variant.title, variant.summary, *(what for _, what in variant.fidelity)]
    for story in pattern.scenarios:
        texts += [story.title, story.summary]
    return "\n".join(texts)


def test_the_questions_are_the_articles_verbatim() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in TABLE.strip().splitlines()]
    assert tuple(row[1] for row in rows) == QUESTIONS
    for number, (name, title) in enumerate(zip(NAMES, TITLES, strict=True), 1):
        pattern = pattern_of(name)
        if pattern is not None:
            assert (pattern.number, pattern.name, pattern.title) == (number, name, title)
            assert pattern.question == QUESTIONS[number - 1]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.pattern}: {claim.says}")
def test_each_claim_is_met(claim: Claim) -> None:
    pattern = pattern_of(claim.pattern)
    if pattern is None:
        pytest.skip(f"{claim.pattern} is not built yet")
    kind, _, name = claim.met_by.partition(" ")
    match kind:
        case "story":
            assert name in {story.name for story in pattern.scenarios}
        case "variant":
            assert name in {variant.name for variant in pattern.variants}
        case "note":
            assert re.search(name, words_of(pattern), re.DOTALL), f"no note says {name!r}"
        case _:
            raise AssertionError(kind)


def test_every_pattern_has_claims_to_meet() -> None:
    assert {claim.pattern for claim in CLAIMS} == set(NAMES)
