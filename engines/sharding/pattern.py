"""Sharding as the program shows it: variants, stories, settings, and what is true of the model."""

from functools import partial
from typing import Final

from engines.sharding.world.chaos import CHAOS
from engines.sharding.world.commands import COMMANDS
from engines.sharding.world.engine import ShardingEngine
from engines.sharding.world.options import SETTINGS
from engines.sharding.world.scenarios import SCENARIOS
from engines.sim.pattern import Pattern, Variant

FIDELITY: Final = (
    ("modelled", "redirection and migration as Redis Cluster has them: MOVED, ASK, TRYAGAIN, CROSSSLOT, CLUSTERDOWN"),
    ("modelled", "keys travel in acknowledged batches at a bounded pace; the source keeps a key until it is confirmed"),
    ("modelled", "a map with epochs, told to a new owner first; clients cache it and learn by MOVED only"),
    ("modelled", "an ASK is good for the plan that gave it; Redis's ASKING names none, and may outlive a reshard"),
    ("modelled", "copies: a write is acknowledged when every replica that is not declared dead has it; leases"),
    ("simplified", "the coordinator is one machine with a disk, where real systems have a consensus group or gossip"),
    ("simplified", "a write of a key in the air waits for it; Redis blocks the whole source for as long"),
    (
        "simplified",
        "a replica that was declared dead copies everything anew; a client's repeated write may happen twice",
    ),
    ("simplified", "bounded load keeps a directory of the keys it knew when it was computed; new keys go by the ring"),
    ("simplified", "a request costs a node no time: load is counted, and slows nobody down"),
    ("left out", "deletes, expiry, transactions, quorum reads, hinted handoff, read repair, anti-entropy"),
)

VARIANTS: Final = tuple(
    Variant(name, title, summary, partial(ShardingEngine, name), COMMANDS, SETTINGS, 7, FIDELITY, chaos=CHAOS)
    for name, title, summary in (
        ("ring", "Ring", "consistent hashing with virtual nodes: a join moves keys to the newcomer only"),
        ("modulo", "Hash mod n", "the best spread there is, and the worst change"),
        ("range", "Range", "neighbours live together in chunks that are split and moved"),
        ("slots", "Slots", "16384 hash slots and a table, as in Redis Cluster"),
        ("jump", "Jump hash", "no table at all; only the last bucket can go"),
        ("rendezvous", "Rendezvous", "every node bids for every key, the highest bid wins"),
        ("maglev", "Maglev", "a table that the nodes fill in turns"),
        ("bounded", "Bounded loads", "a ring on which nobody takes more than c times the mean"),
    )
)

PATTERN: Final = Pattern(
    number=3,
    name="sharding",
    title="Sharding",
    question="How do I scale data?",
    variants=VARIANTS,
    scenarios=SCENARIOS,
    speed=(1, 1),
    notes=(
        "hash(key) % n spreads keys, not load, and from 10 to 11 nodes it moves 90.9 % of them (10/11), 81.8 % between "
        "nodes that were there before and after. The newcomer's even share is 1/11, 9.1 %.",
        "With 150 virtual nodes (n1 has the points n1#0 to n1#149) the spread of a ring is about 7.5 % (coefficient of "
        "variation) and the busiest node is about 13 % over the mean: good, not even. More of them smooth the load and "
        "make more pairs of nodes neighbours, so that more double failures lose a range.",
        "Virtual nodes do nothing for a hot key: all its requests go to one owner wherever its tokens lie. Copies "
        "under other names (salting) help; a bound on the load only sends the other keys of its node elsewhere.",
        "Ranges such as A-M and N-Z keep neighbours together, so scans are cheap; but names are not spread like "
        "letters, and keys that only grow (timestamps) all hit the last range. A cut can be moved; one key has no "
        "inside to cut.",
        "A ring has to be kept sorted, and the key's hash is looked for in it by bisection; a sketch that does neither "
        "is no ring.",
        "MongoDB also shards by hash; Cassandra's ring has 16 tokens a node since 4.0, 256 before; Redis Cluster has "
        "no ring but a table of 16384 slots; DynamoDB splits ranges of the hashed key when they get hot. Range and "
        "hash are two ways to cut, and many systems have both.",
    ),
)
