"""Event sourcing: append-only streams, and state as what they fold to.

    from engines.event_sourcing import NO_STREAM, Conflict, MemoryStore, NewEvent

    store = MemoryStore()  # or SqliteStore("bank.db"): what it acknowledges is on the disk
    store.save_events("account-7", [NewEvent("e1", "MoneyDeposited", {"amount": 100})], expected=NO_STREAM)
    store.save_events("account-7", [NewEvent("e2", "MoneyWithdrawn", {"amount": 80})], expected=0)
    try:
        store.save_events("account-7", [NewEvent("e3", "MoneyWithdrawn", {"amount": 80})], expected=0)
    except Conflict as conflict:
        print(conflict)  # somebody wrote meanwhile: reload, decide again
    balance = sum(e.data["amount"] * (1 if e.type == "MoneyDeposited" else -1) for e in store.get_events("account-7"))

append             the decision table of an append: all four ways to expect a revision, and repeats
events             what is written, its metadata, the chain of checksums
store              the protocol; hiding and closing streams
memory_store       in memory
sqlite_store       in one SQLite file, durable
sqlite_wal         whether the log beside it was damaged before a commit that was acknowledged
snapshots          states that were kept, so that less must be folded
upcast             old schemas, lifted on reading
aggregate          fold, decide, append, and retry on a conflict
account order      two aggregates
subscriptions      catch-up readers, checkpoint policies, poison events
groups             persistent groups with park and retry
gaps               stores that take numbers before they commit, and pollers that lose events there
log_compaction     Kafka's cousin
audit              differences, dates, the causation tree
errors             what can go wrong, each naming thing, place and remedy
formats            JSON lines, CloudEvents, and the rows of two other stores
demo               a store to play with
pattern recorded   the pattern as the program shows it; a FILE of events as a run
world              all of it alive: a bank on a simulated network and disk
"""

from engines.event_sourcing.account import ACCOUNT, Account
from engines.event_sourcing.aggregate import Aggregate, Decided, Executed, Loaded, Refused, Repository
from engines.event_sourcing.append import ANY, EXISTS, NO_STREAM, Appended, Expected
from engines.event_sourcing.audit import (
    AtDate,
    Balances,
    Change,
    TreeNode,
    at_date,
    balances,
    causation_tree,
    difference,
)
from engines.event_sourcing.errors import (
    BadEvent,
    BusyStore,
    Conflict,
    CorruptStore,
    EventStoreError,
    EventTooLarge,
    FullStore,
    NewerStore,
    NotAStore,
    ReadOnlyStore,
    StreamClosed,
    UnknownEvent,
)
from engines.event_sourcing.events import Metadata, NewEvent, RecordedEvent, category
from engines.event_sourcing.gaps import Cure, NumberedStore, Poller
from engines.event_sourcing.groups import Group, GroupOptions, Nack, Strategy
from engines.event_sourcing.log_compaction import CompactedLog
from engines.event_sourcing.memory_store import MemoryStore, verify
from engines.event_sourcing.order import ORDER, Order
from engines.event_sourcing.snapshots import MemorySnapshots, Snapshot, SnapshotStore
from engines.event_sourcing.sqlite_store import SqliteStore
from engines.event_sourcing.store import EventStore, Hiding, Integrity, close, delete, hide
from engines.event_sourcing.subscriptions import CatchUp, CheckpointPolicy, Durable, OnPoison, Subscriber
from engines.event_sourcing.upcast import Upcasters

__all__ = [
    "ACCOUNT",
    "ANY",
    "EXISTS",
    "NO_STREAM",
    "ORDER",
    "Account",
    "Aggregate",
    "Appended",
    "AtDate",
    "BadEvent",
    "Balances",
    "BusyStore",
    "CatchUp",
    "Change",
    "CheckpointPolicy",
    "CompactedLog",
    "Conflict",
    "CorruptStore",
    "Cure",
    "Decided",
    "Durable",
    "EventStore",
    "EventStoreError",
    "EventTooLarge",
    "Executed",
    "Expected",
    "FullStore",
    "Group",
    "GroupOptions",
    "Hiding",
    "Integrity",
    "Loaded",
    "MemorySnapshots",
    "MemoryStore",
    "Metadata",
    "Nack",
    "NewEvent",
    "NewerStore",
    "NotAStore",
    "NumberedStore",
    "OnPoison",
    "Order",
    "Poller",
    "ReadOnlyStore",
    "RecordedEvent",
    "Refused",
    "Repository",
    "Snapshot",
    "SnapshotStore",
    "SqliteStore",
    "Strategy",
    "StreamClosed",
    "Subscriber",
    "TreeNode",
    "UnknownEvent",
    "Upcasters",
    "at_date",
    "balances",
    "category",
    "causation_tree",
    "close",
    "delete",
    "difference",
    "hide",
    "verify",
]
