"""The pattern: its variants, stories, questions, and what of it is modelled."""

from functools import partial
from typing import Final

from engines.event_sourcing.recorded import VARIANT
from engines.event_sourcing.world.chaos import chaos_of
from engines.event_sourcing.world.commands import COMMANDS
from engines.event_sourcing.world.engine import EventEngine
from engines.event_sourcing.world.group_world import GroupEngine
from engines.event_sourcing.world.options import SETTINGS
from engines.event_sourcing.world.scenarios import SCENARIOS
from engines.sim.pattern import Pattern, Variant

FIDELITY: Final = (
    ("modelled", "the append decision by expected revision, with repeats recognised, exactly as the library decides"),
    ("modelled", "a disk of pages: what was not synced is lost, survives or is torn when the power fails; a chain of "
                 "checksums and marked ends of batches tell what is whole"),
    ("modelled", "process death (SIGKILL) and loss of power, which are not the same"),
    ("modelled", "subscribers with three checkpoint policies, poison events, parking, holding a stream"),
    ("modelled", "a store that numbers before it commits, and five ways to poll it, two of them wrong"),
    ("simplified", "the log is read from its start after every crash; real stores checkpoint into tables"),
    ("simplified", "a subscriber's own database is perfect: effect and checkpoint are one step if that is chosen"),
    ("simplified", "the numbered store syncs at every commit; only the gap in its numbers is of interest"),
    ("simplified", "the store is full after 1,500 events and refuses, as a full disk does"),
    ("left out", "replication of the store, access rights, encryption, deletion by key destruction, scavenging"),
    ("simplified", "the consumers of a persistent group share one database, and the group's checkpoint is durable at "
                   "once"),
)  # fmt: skip

VARIANTS: Final = tuple(
    Variant(name, title, summary, partial(engine, name), COMMANDS, SETTINGS, 3, FIDELITY, chaos=chaos_of(name))
    for engine, name, title, summary in (
        (
            EventEngine,
            "store",
            "Event store",
            "one writer at a time, positions without gaps, durable before it answers",
        ),
        (
            EventEngine,
            "numbered",
            "Numbers before commit",
            "transactions take numbers from a sequence and commit out of order",
        ),
        (
            EventEngine,
            "log",
            "Compacted log",
            "Kafka's cousin: the stream is the key, and compaction keeps its newest event",
        ),
        (
            GroupEngine,
            "group",
            "Persistent group",
            "the store keeps the position, and hands each event to one of two consumers, at least once, in no order",
        ),
    )
)

PATTERN: Final = Pattern(
    number=5,
    name="events",
    title="Events",
    question="How do I track history?",
    variants=VARIANTS,
    scenarios=SCENARIOS,
    recorded=VARIANT,
    speed=(1, 2),
    notes=(
        "saveEvents(aggregate_id, events) without an expected revision loses updates: two writers who read the same "
        "state both write. The expected revision is the third argument that must not be left out.",
        "Balances are stored too: as snapshots and in projections. Both can be thrown away and folded again; the "
        "events cannot.",
        "Eventual consistency does not come from event sourcing. The stream itself is consistent the moment the append "
        "is acknowledged; it is the asynchronous projection that is behind.",
        "Kafka's log replays only within its retention and compaction, in order per partition. It has no expected "
        "revision, so it decides no race between two writers of one entity.",
        "EventStoreDB and Axon Server refuse an append whose expected revision is not the stream's, as the store does "
        "here.",
        "Larger storage and complex reads are the price; the audit trail is not free either: events are never "
        "rewritten, so every old version must be readable for ever.",
        "Time travel is by revision. Time is not order: clocks run back, revisions do not.",
    ),
)

__all__ = ["PATTERN"]
