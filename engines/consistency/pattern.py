"""The pattern as data: its variants, stories, and where what is commonly said about it is too simple."""

from functools import partial
from typing import Final

from engines.consistency.recorded import RECORDED
from engines.consistency.world.chaos import chaos_of
from engines.consistency.world.commands import COMMANDS
from engines.consistency.world.engine import ConsistencyEngine
from engines.consistency.world.options import SETTINGS
from engines.consistency.world.scenarios import SCENARIOS
from engines.sim.pattern import Pattern, Variant

FIDELITY: Final = (
    ("modelled", "clients ask by messages and are answered by messages; what became of an unanswered write is unknown"),
    (
        "modelled",
        "ABD for several writers; total order broadcast; causal broadcast with vectors; N, R, W with stand-ins",
    ),
    (
        "modelled",
        "hints, read repair, Merkle trees of eight leaves; last writer wins by plain or hybrid time; siblings",
    ),
    (
        "modelled",
        "a replica set: elections, five read preferences, write and read concern, rollback to the last common point",
    ),
    ("modelled", "verdicts come from what clients saw, over the whole history, never from looking into a replica"),
    ("simplified", "the sequencer of the total order is fixed: while it is down, nobody writes"),
    ("simplified", "the ring has no virtual nodes, every machine knows all others, none joins or leaves"),
    ("simplified", "of siblings a client shows the one with the largest dot; its next write replaces all it has read"),
    ("simplified", "in a replica set the member a client is at routes its reads; in MongoDB the driver does"),
    ("simplified", "MongoDB's causal sessions do not carry a cluster time: a client is bound to its member instead"),
    ("left out", "transactions, conditional writes (SERIAL), deletes and tombstones, log compaction"),
)

VARIANTS: Final = tuple(
    Variant(
        name,
        title,
        summary,
        partial(ConsistencyEngine, name),
        COMMANDS,
        SETTINGS[name],
        version,
        FIDELITY,
        chaos=chaos_of(name),
    )
    for name, version, title, summary in (
        ("eventual", 6, "Eventual", "N replicas, R answers, W acknowledgements; hints, read repair and Merkle trees"),
        ("linearizable", 6, "Linearizable", "ABD: every read and write asks a majority twice"),
        ("sequential", 6, "Sequential", "all writes in one order; reads are answered where the client is"),
        ("causal", 7, "Causal", "a write arrives after everything it depends on"),
        ("weak", 6, "Weak", "caches that push a write once and forget it"),
        ("mongodb", 6, "Replica set", "a primary, its log, read and write concerns, failover and rollback"),
    )
)

PATTERN: Final = Pattern(
    number=1,
    name="consistency",
    title="Consistency",
    question="When is my read fresh?",
    variants=VARIANTS,
    scenarios=SCENARIOS,
    speed=(1, 20),
    recorded=RECORDED,
    notes=(
        "There are not five levels. Models form a partial order: causal memory and causal convergence cannot be "
        "compared, and eventual consistency is of another kind: something happens some day (liveness).",
        "Strong and sequential differ by real time alone: a sequential store may answer with the past, as long as "
        "everybody sees one order. Only linearizability forbids reading old after new.",
        "Two vector clocks are concurrent if neither is before the other. The test vc1 > vc2 and vc2 > vc1 is never "
        "true. On receipt clocks are merged, entry by entry; without the merge they tell nothing.",
        "R + W > N is not linearizability: a write that is still on its way is seen by one read, missed by the next.",
        "MongoDB is not tuned by its read preference, which is routing. Read concern and write concern decide.",
        "Cassandra's level is chosen per request, and a write goes to all replicas at any level.",
    ),
)
