"""All strategies on the same keys, before and after nodes join or leave.

A key moves if its owner changes. Ideally only as many move as the newcomers' shares demand: K/(n+1) of K keys for
one join to n nodes, K/n for one leave. What moves from one survivor to another moves for nothing.

Keys go through in batches; each is hashed once and shown to all strategies. A batch is all that is in memory
besides the keys themselves and 8 bytes of each.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Final

from engines.errors import UserError
from engines.sharding.balance import balance
from engines.sharding.batch import BATCH, Batch, Key, KeySet
from engines.sharding.change import Change
from engines.sharding.strategies.base import VNODES_DEFAULT, Assignment, Spec, Strategy
from engines.sharding.strategies.bounded import Bounded, repeated
from engines.sharding.strategies.jump import Jump
from engines.sharding.strategies.maglev import Maglev
from engines.sharding.strategies.modulo import Modulo
from engines.sharding.strategies.range import Range
from engines.sharding.strategies.rendezvous import Rendezvous
from engines.sharding.strategies.ring import Ring
from engines.sharding.strategies.slots import Slots

KINDS: Final[tuple[type[Strategy], ...]] = (Modulo, Range, Ring, Slots, Jump, Rendezvous, Maglev, Bounded)
STRATEGIES: Final = tuple(kind.name for kind in KINDS)
SAMPLE: Final = 65_536
"""Keys that range sharding looks at to choose its chunks."""

BIDS: Final = 1_000_000
"""Rendezvous bids between two looks at ``cancel``: about a quarter of a second."""


class Cancelled(Exception):
    """The caller's ``cancel`` said so."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change did under one strategy. Parts of 1 throughout; the balance is that of the load afterwards."""

    strategy: str
    moved: float
    """Part of the keys (lines) whose owner changed."""
    moved_load: float
    """The same by weight."""
    ideal: float
    moved_between_survivors: float
    """Part of the keys that went from one survivor to another."""
    cv: float
    peak_to_mean: float
    hottest_key_share: float
    """The heaviest key's part of the load, its lines added up."""
    loads: tuple[tuple[str, float], ...]
    """The load of every node afterwards, in the order of ``Change.after``."""
    flows: tuple[tuple[str, str, int], ...]
    """(from, to, keys) of all pairs between which keys moved, the largest first."""

    def to_json(self) -> dict[str, float]:
        """The figures under their public names."""
        return {
            "moved": self.moved,
            "ideal": self.ideal,
            "moved_between_survivors": self.moved_between_survivors,
            "cv": self.cv,
            "peak_to_mean": self.peak_to_mean,
            "hottest_key_share": self.hottest_key_share,
        }


def kind(name: str) -> type[Strategy]:
    """A strategy's class by its name. UserError if there is none."""
    for each in KINDS:
        if each.name == name:
            return each
    raise UserError(f"no strategy is called {name!r}; one of {', '.join(STRATEGIES)} is accepted")


def make(name: str, nodes: tuple[str, ...], vnodes: int = VNODES_DEFAULT, keys: KeySet | None = None) -> Strategy:
    """A strategy by its name. ``vnodes`` is for ring and bounded; range chooses its chunks by a sample of ``keys``."""
    return kind(name).build(nodes, Spec(vnodes, sample=keys.sample(SAMPLE) if keys else ()))


def hottest_share(keys: KeySet, cancel: Callable[[], bool] = lambda: False) -> float:
    """The heaviest key's part of all load; a key on several lines has the sum of their weights."""
    return _hottest_share(keys, _hashes(keys, cancel), cancel)


def _hashes(keys: KeySet, cancel: Callable[[], bool]) -> "array[int]":
    """The hashes of all keys, in order."""
    hashes = array("Q")
    for batch in keys.batches():
        if cancel():
            raise Cancelled
        hashes += batch.hashes
    return hashes


def _hottest_share(keys: KeySet, hashes: "array[int]", cancel: Callable[[], bool]) -> float:
    """The same with the hashes at hand. Keys are told apart by them, and added up some two million at a time."""
    parts = 1 + len(keys) // 2_000_000
    heaviest: float = 0
    for part in range(parts):
        if cancel():
            raise Cancelled
        mine = (h for h in hashes if h % parts == part) if parts > 1 else hashes
        if not keys.weighted:
            heaviest = max(heaviest, max(Counter(mine).values(), default=0))
            continue
        sums: dict[int, float] = {}
        for number, weight in zip(hashes, keys.weights(), strict=True):
            if number % parts == part:
                sums[number] = sums.get(number, 0) + weight
        heaviest = max(heaviest, max(sums.values(), default=0))
    return heaviest / keys.total


class _BeforeAfter:
    """One strategy before and after, and what was counted so far."""

    def __init__(self, name: str, plan: Change, vnodes: int, keys: KeySet, repeats: Mapping[int, float]) -> None:
        self.name = name
        self.before = _owners_of(make(name, plan.nodes, vnodes, keys), keys, repeats)
        changed = make(name, plan.nodes, vnodes, keys)
        for node in plan.leave:
            changed.leave(node)
        for node in plan.join:
            changed.join(node)
        self.after = _owners_of(changed, keys, repeats)
        self.keys: Counter[tuple[str, str]] = Counter()
        self.load: dict[tuple[str, str], float] = {}

    def add(self, batch: Batch) -> None:
        """Count a batch."""
        pairs = list(zip(self.before(batch), self.after(batch), strict=True))
        self.keys.update(pairs)
        if batch.weights is not None:
            load = self.load
            for pair, weight in zip(pairs, batch.weights, strict=True):
                load[pair] = load.get(pair, 0) + weight

    def outcome(self, plan: Change, keys: KeySet, hottest: float) -> Outcome:
        """The figures."""
        load: Mapping[tuple[str, str], float] = self.load if keys.weighted else self.keys
        loads = dict.fromkeys(plan.after, 0.0)
        for (_, to), weight in load.items():
            loads[to] += weight
        moved = {pair: count for pair, count in self.keys.items() if pair[0] != pair[1]}
        survivors = frozenset(plan.survivors)
        for_nothing = sum(n for (a, b), n in moved.items() if a in survivors and b in survivors)
        measured = balance(tuple(loads.values()))
        return Outcome(
            strategy=self.name,
            moved=sum(moved.values()) / len(keys),
            moved_load=fsum(weight for (a, b), weight in load.items() if a != b) / keys.total,
            ideal=plan.ideal,
            moved_between_survivors=for_nothing / len(keys),
            cv=measured.cv,
            peak_to_mean=measured.peak_to_mean,
            hottest_key_share=hottest,
            loads=tuple(loads.items()),
            flows=tuple((a, b, n) for (a, b), n in sorted(moved.items(), key=lambda flow: (-flow[1], flow[0]))),
        )


def assignment(strategy: Strategy, keys: KeySet) -> Assignment | None:
    """Empty nodes that wait for exactly these keys, in order, if the strategy has to know them all."""
    if not strategy.needs_whole_load:
        return None
    return strategy.assignment(
        keys.total, whole=keys.whole, repeats=repeated(_hashes(keys, lambda: False), keys.weights)
    )


def _owners_of(strategy: Strategy, keys: KeySet, repeats: Mapping[int, float]) -> Callable[[Batch], list[str]]:
    """Its ``owners``, or those of an assignment of the whole load."""
    found = strategy.assignment(keys.total, whole=keys.whole, repeats=repeats)
    return strategy.owners if found is None else found.owners


def compare(
    keys: KeySet | Iterable[Key],
    plan: Change,
    strategies: Sequence[str] = STRATEGIES,
    vnodes: int = VNODES_DEFAULT,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancel: Callable[[], bool] = lambda: False,
) -> dict[str, Outcome]:
    """The outcome of a change for every strategy, in the order asked for.

    ``keys`` with weights come as a KeySet; without, anything that lists them will do.
    ``progress`` is told (keys done, all keys) after every batch. ``cancel`` is asked before every batch and
    strategy; if it says True, Cancelled is raised. UserError if there are no keys, or no such strategy.
    """
    keys = keys if isinstance(keys, KeySet) else KeySet(keys)
    if not len(keys) or not keys.total:
        raise UserError("nothing to compare: at least one key with a weight above 0 is needed")
    hashes = _hashes(keys, cancel)
    repeats = repeated(hashes, keys.weights) if any(kind(name).needs_whole_load for name in strategies) else {}
    sides: list[_BeforeAfter] = []
    for name in dict.fromkeys(strategies):
        if cancel():
            raise Cancelled
        sides.append(_BeforeAfter(name, plan, vnodes, keys, repeats))
    done = 0
    size = max(512, min(BATCH, BIDS // len(plan.nodes)))
    for batch in keys.batches(size):
        for side in sides:
            if cancel():
                raise Cancelled
            side.add(batch)
        done += len(batch)
        progress(done, len(keys))
    hottest = _hottest_share(keys, hashes, cancel)
    return {side.name: side.outcome(plan, keys, hottest) for side in sides}
