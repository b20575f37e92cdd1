"""Sharding: data is cut into pieces, and every piece has one node that owns it.

>>> from engines.sharding import Ring, change, compare
>>> ring = Ring(("n1", "n2", "n3"))
>>> ring.owner("user:42")
'n2'
>>> ring.join("n4")
>>> ring.replicas("user:42", rf=2)
('n4', 'n2')
>>> keys = [f"user:{i}" for i in range(10_000)]
>>> for name, outcome in compare(keys, change(10, join=1), ("ring", "modulo")).items():
...     print(f"{name}: {outcome.moved:.1%} of the keys move, {outcome.moved_between_survivors:.1%} for nothing")
ring: 9.2% of the keys move, 0.0% for nothing
modulo: 90.9% of the keys move, 82.2% for nothing

Eight strategies have one interface: ``owner``, ``owners``, ``replicas``, ``join``, ``leave``, ``shares``. Keys are
bytes or text.

    hashing/     keys to numbers, exactly as real systems do it
    strategies/  numbers to nodes, and what a strategy says about itself
    batch        many keys in one block of memory, each hashed once
    placement    replicas by rack and data centre, and what two failures cost
    change       who joins and leaves
    compare      all strategies on the same keys, before and after
    balance      how even a load is, and how even it can be expected to be
    workload     which keys are asked for; salting
    keys         a file of keys
    judge        that file, judged
    locate       where one key lives, also under Cassandra and ketama
    pattern      what the program shows
    world/       all of it alive: machines that hold keys, redirect, and give keys away while clients ask for them
"""

from engines.sharding.balance import Balance, balance
from engines.sharding.batch import Batch, Key, KeySet
from engines.sharding.change import Change, change
from engines.sharding.compare import STRATEGIES, Outcome, compare, make
from engines.sharding.strategies.base import Spot, Strategy
from engines.sharding.strategies.bounded import Bounded
from engines.sharding.strategies.jump import Jump
from engines.sharding.strategies.maglev import Maglev
from engines.sharding.strategies.modulo import Modulo
from engines.sharding.strategies.range import Range
from engines.sharding.strategies.rendezvous import Rendezvous
from engines.sharding.strategies.ring import Ring
from engines.sharding.strategies.slots import Slots

__all__ = [
    "STRATEGIES",
    "Balance",
    "Batch",
    "Bounded",
    "Change",
    "Jump",
    "Key",
    "KeySet",
    "Maglev",
    "Modulo",
    "Outcome",
    "Range",
    "Rendezvous",
    "Ring",
    "Slots",
    "Spot",
    "Strategy",
    "balance",
    "change",
    "compare",
    "make",
]
