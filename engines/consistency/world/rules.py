"""The rules of each design, one dataclass a variant; what breaks without them stands in ``table``."""

from dataclasses import dataclass

from engines.rules import Rules, rule


@dataclass(frozen=True, slots=True)
class LinearizableRules(Rules):
    """ABD."""

    store_back: bool = rule("a read stores what it returns at a majority before it returns it")
    remember: bool = rule("a client never returns an older version than it has seen")


@dataclass(frozen=True, slots=True)
class SequentialRules(Rules):
    """Total order broadcast."""

    wait_for_delivery: bool = rule("a write returns when its replica has delivered it, not when it is sent")
    sticky: bool = rule("a client stays with its replica")


@dataclass(frozen=True, slots=True)
class CausalRules(Rules):
    """Causal broadcast."""

    delivery: bool = rule("a write is delivered after everything it depends on")
    hybrid_time: bool = rule("replicas keep the write with the larger hybrid time, not the one that came last")
    client_vector: bool = rule("a client carries what it has seen, and its replica waits for that")
    sticky: bool = rule("a client stays with its replica")


@dataclass(frozen=True, slots=True)
class EventualRules(Rules):
    """Dynamo."""

    strict_quorum: bool = rule("only the N replicas of a key count, no stand-ins")
    hybrid_time: bool = rule("timestamps are hybrid times, not plain clocks")
    send_to_all: bool = rule("a write goes to all N replicas, not only to the W it waits for")
    read_repair: bool = rule("a read brings replicas up to date that answered with less")
    hinted_handoff: bool = rule("a write for a replica that does not answer is kept and handed over")
    anti_entropy: bool = rule("replicas compare Merkle trees and exchange what differs")


@dataclass(frozen=True, slots=True)
class WeakRules(Rules):
    """A cache."""

    push: bool = rule("a write is sent to the other caches, once")


@dataclass(frozen=True, slots=True)
class MongoRules(Rules):
    """A replica set."""

    majority_write: bool = rule("a write is acknowledged by a majority (w: majority), not by the primary alone (w: 1)")
    majority_read: bool = rule("a read returns what a majority has (majority), not what the node has (local)")
    primary_read: bool = rule("reads go where the read preference says, not to the client's own node")


LINEARIZABLE = LinearizableRules()
SEQUENTIAL = SequentialRules()
CAUSAL = CausalRules()
EVENTUAL = EventualRules()
WEAK = WeakRules()
MONGODB = MongoRules()
