"""Who holds a key: a strategy, copies and who missed writes; and a change of that, unit by unit.

``Placement``  keys to groups: the owner first, then its replicas
``Plan``       from one placement to another, in units: a slot, a chunk, or the lane old owner > new owner
``ShardMap``   what is gossiped: a placement, the plan under way, which of its units are assigned, and an epoch
``Atlas``      the newest maps by epoch: what a message that tells an epoch carries

The first three are immutable once they are published; machines share them as real ones would share equal copies.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from engines.sharding.batch import raw, text
from engines.sharding.placement import NetworkTopology, Place
from engines.sharding.strategies.base import Strategy
from engines.sharding.strategies.circle import Circle
from engines.sharding.world.events import Cause, UnitKind, UnitName
from engines.sharding.world.memo import Memoized

MAPS_MAX: Final = 64
CACHED_MAX: Final = 32_768
SLOTS_AT_ONCE: Final = 128
"""A reshard of many slots moves so many neighbours as one unit."""
PROBES: Final = tuple(f"p{i}" for i in range(1_024))
"""Keys that nobody stores, to ask a placement about its nodes."""
Group: TypeAlias = tuple[str, ...]


@lru_cache(maxsize=32)
def _listed(mark: Hashable, rf: int, rack_aware: bool, places: tuple[tuple[str, Place], ...]) -> dict[str, Group]:
    """The groups that placements of these parameters have worked out so far: whole worlds begin alike."""
    return {}


class Placement(Memoized):
    """Keys to groups of nodes."""

    __slots__ = (
        "_groups", "_listed", "_walks", "_without", "directory", "places", "rack_aware", "rf", "stale", "stale_terms",
        "strategy",
    )  # fmt: skip

    def __init__(
        self, strategy: Strategy, rf: int, rack_aware: bool, places: dict[str, Place],
        stale: Group = (), stale_terms: tuple[int, ...] = (), directory: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.strategy = strategy
        self.rf = rf
        self.rack_aware = rack_aware
        self.places = places
        self.stale = stale
        """Who missed writes. If a whole group did, the first of those who went last still owns: it missed none."""
        self.stale_terms = stale_terms
        """In which term each of them went."""
        self.directory = directory or {}
        """Bounded load only: the owner of every key that was known when it was computed."""
        self.forget()

    def forget(self) -> None:
        """Empty all caches."""
        super().forget()
        self._listed = self._listed_before()
        """Groups with those that are stale, also as an equal placement has worked them out."""
        self._groups: dict[str, Group] = {} if self.stale else self._listed
        self._walks: dict[Group, Group] = {}
        self._without: dict[Group, Group] = {}
        """Groups without those that are stale."""

    def __repr__(self) -> str:
        return f"{self.strategy.name} of {len(self.strategy.nodes)}"

    def but(self, **changes: Any) -> "Placement":
        """The same with something else."""
        return Placement(**{**self.__getstate__(), **changes})

    @property
    def members(self) -> Group:
        """Who takes part."""
        return self.strategy.nodes

    @property
    def copies(self) -> int:
        """How many copies there can be of a key."""
        return self.memo("copies", self._copies)

    def _copies(self) -> int:
        if not self.rack_aware:
            return min(self.rf, len(self.strategy.nodes))
        homes = [self.places[node].datacenter for node in self.strategy.nodes]
        return sum(min(count, homes.count(name)) for name, count in self.by_datacenter().items())

    def owner(self, key: str) -> str:
        """Who serves a key."""
        return self.group(key)[0]

    def group(self, key: str) -> Group:
        """The owner of a key, then its replicas; without those that are out of date, if anyone is left."""
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= CACHED_MAX:
                self._groups.clear()
                self._without.clear()
            listed = self._listed.get(key)
            if listed is None:
                if len(self._listed) >= CACHED_MAX:
                    self._listed.clear()
                listed = self._listed[key] = self._all(key)
            group = self._groups[key] = self._fresh(listed) if self.stale else listed
        return group

    def _listed_before(self) -> dict[str, Group]:
        mark = None if self.directory else self.strategy.mark()
        return {} if mark is None else _listed(mark, self.rf, self.rack_aware, tuple(self.places.items()))

    def _all(self, key: str) -> Group:
        code = raw(key)
        strategy = self.strategy
        owner = self.directory.get(key)
        if self.rf == 1:
            return (owner or strategy.owner(code),)
        if not self.rack_aware and owner is None:
            return strategy.replicas(code, self.copies)
        walk = strategy.replicas(code, len(strategy.nodes))
        if owner is not None:
            walk = (owner, *(node for node in walk if node != owner))
        return self._of_walk(walk)

    def _of_walk(self, walk: Group) -> Group:
        """The group that begins with the first node of a walk over all nodes."""
        if not self.rack_aware:
            return walk[: self.copies]
        group = self._walks.get(walk)
        if group is None:
            circle = Circle({node: (at,) for at, node in enumerate(walk)})
            group = self._walks[walk] = NetworkTopology(circle, self.by_datacenter(), self.places).replicas(0)
        return group

    def only_stale_owners(self) -> Group:
        """Stale nodes that may own something all the same, because their whole group is stale.

        Exact where walks can be listed; elsewhere everybody out of date, once they are enough to fill a group.
        """
        return self.memo("only stale owners", self._only_stale_owners)

    def _only_stale_owners(self) -> Group:
        stale = tuple(node for node in self.stale if node in self.members)
        if self.rf == 1 or len(stale) < self.copies:
            return ()
        walks = self.strategy.walks()
        if walks is None:
            return stale
        owners = {self._fresh(self._of_walk(walk))[0] for walk in dict.fromkeys(walks)}
        return tuple(node for node in stale if node in owners)

    def by_datacenter(self) -> dict[str, int]:
        """Copies in every data centre: as even as can be, the first ones get the rest."""
        names = sorted({self.places[node].datacenter for node in self.strategy.nodes})
        counts = {name: self.rf // len(names) + (i < self.rf % len(names)) for i, name in enumerate(names)}
        return {name: count for name, count in counts.items() if count}

    def _fresh(self, group: Group) -> Group:
        if not self.stale:
            return group
        fresh = self._without.get(group)
        if fresh is None:
            fresh = tuple(node for node in group if node not in self.stale)
            if not fresh:
                went = dict(zip(self.stale, self.stale_terms, strict=True))
                fresh = (max(group, key=lambda node: went[node]),)
            self._without[group] = fresh
        return fresh

    def with_stale(self, nodes: Group, term: int) -> "Placement":
        """These went now, too."""
        fresh = tuple(node for node in nodes if node not in self.stale)
        return self.but(stale=(*self.stale, *fresh), stale_terms=(*self.stale_terms, *(term for _ in fresh)))

    def without_stale(self, node: str) -> "Placement":
        """This one has everything again, or has left."""
        kept = [pair for pair in zip(self.stale, self.stale_terms, strict=True) if pair[0] != node]
        return self.but(stale=tuple(name for name, _ in kept), stale_terms=tuple(term for _, term in kept))


def probes(placement: Placement) -> tuple[str, ...]:
    """Keys that between them meet everything a placement does: one of every chunk, or many that hash anywhere."""
    return tuple(map(text, placement.strategy.probes())) or PROBES


class Unit(NamedTuple):
    """What changes hands at once."""

    id: str
    kind: UnitKind
    source: str
    target: str
    slots: tuple[int, ...] = ()
    low: str = ""
    high: str = ""

    @property
    def name(self) -> UnitName:
        """What there is to say of it."""
        first, last = (self.slots[0], self.slots[-1]) if self.slots else (-1, -1)
        return UnitName(self.kind, self.source, self.target, first, last, self.low)


class Plan(Memoized):
    """A change of ownership."""

    __slots__ = ("_unit_of", "base", "cause", "kind", "lows", "number", "retain", "slot_units", "target", "units")

    def __init__(self, number: int, cause: Cause, base: Placement, target: Placement, kind: UnitKind) -> None:
        self.number = number
        self.cause = cause
        self.base = base
        self.target = target
        self.kind = kind
        self.retain = max(base.rf, target.rf) > 1
        """The old group keeps what moved, and hears every write of it, until the unit is assigned."""
        self.units: dict[str, Unit] = {}
        """Of slots and chunks."""
        self.slot_units: dict[int, str] = {}
        self.lows: tuple[str, ...] = ()
        if kind is UnitKind.SLOTS:
            self._cut_slots()
        elif kind is UnitKind.CHUNK:
            self._cut_chunks()
        self.forget()

    def forget(self) -> None:
        """Empty all caches."""
        super().forget()
        self._unit_of: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"plan {self.number}"

    def unit_of(self, key: str) -> str:
        """The unit a key moves in; nothing if it stays where it is."""
        unit = self._unit_of.get(key)
        if unit is None:
            if len(self._unit_of) >= CACHED_MAX:
                self._unit_of.clear()
            unit = self._unit_of[key] = self._find(key)
        return unit

    def lanes(self) -> dict[str, str]:
        """The lanes that some key could take, also one that nobody stores yet, and where each begins."""
        if self.kind is not UnitKind.LANE:
            return {}
        return self.memo("lanes", self._lanes)

    def _lanes(self) -> dict[str, str]:
        units = dict.fromkeys(map(self.unit_of, probes(self.base)))
        return {unit: self.unit(unit).source for unit in units if unit}

    def _find(self, key: str) -> str:
        if self.kind is UnitKind.SLOTS:
            return self.slot_units.get(self.base.strategy.slot_of(key), "")
        if self.kind is UnitKind.CHUNK:
            at = bisect_right(self.lows, raw(key), key=raw) - 1
            unit = self.units[self.lows_unit(at)] if at >= 0 else None
            return unit.id if unit is not None and (not unit.high or raw(key) < raw(unit.high)) else ""
        old, new = self.base.group(key), self.target.group(key)
        if old == new or (old[0] == new[0] and sorted(old) == sorted(new)):
            return ""
        return f"{old[0]}>{new[0]}"

    def lows_unit(self, at: int) -> str:
        """The name of the chunk unit that begins at the at-th low."""
        return chunk_name(self.lows[at])

    def unit(self, id: str) -> Unit:
        """The unit of this name. Lanes are not listed: there is one wherever a key goes that way."""
        if self.kind is not UnitKind.LANE:
            return self.units[id]
        source, _, target = id.partition(">")
        return Unit(id, UnitKind.LANE, source, target)

    def receivers(self, key: str) -> Group:
        """Who needs a copy of a key that did not have one."""
        old = self.base.group(key)
        return tuple(node for node in self.target.group(key) if node not in old)

    def both(self, key: str) -> Group:
        """The new group, then who is only in the old one."""
        new = self.target.group(key)
        return (*new, *(node for node in self.base.group(key) if node not in new))

    def _cut_slots(self) -> None:
        for move in self.base.strategy.piece_moves(self.target.strategy):
            for start in range(0, len(move.slots), SLOTS_AT_ONCE):
                part = move.slots[start : start + SLOTS_AT_ONCE]
                id = f"slot {part[0]}" if len(part) == 1 else f"slots {part[0]}-{part[-1]}"
                self.units[id] = Unit(id, UnitKind.SLOTS, move.source, move.target, slots=part)
                self.slot_units.update(dict.fromkeys(part, id))

    def _cut_chunks(self) -> None:
        moves = self.base.strategy.piece_moves(self.target.strategy)
        self.lows = tuple(text(move.low) for move in moves)
        for move, low in zip(moves, self.lows, strict=True):
            id = chunk_name(low)
            self.units[id] = Unit(id, UnitKind.CHUNK, move.source, move.target, low=low, high=text(move.high or b""))


def chunk_name(low: str) -> str:
    """What a chunk is called."""
    return f"chunk {low or '-inf'}"


class ShardMap(Memoized):
    """The map as it was at an epoch. Equal epochs are equal maps."""

    __slots__ = (
        "dead", "done", "epoch", "full_coverage", "off", "placement", "plan", "reads_when_down", "term", "uncovered",
    )  # fmt: skip

    def __init__(
        self, epoch: int, term: int, placement: Placement, plan: Plan | None = None, done: Iterable[str] = (),
        dead: Group = (), full_coverage: bool = True, reads_when_down: bool = False, off: bool = False,
    ) -> None:  # fmt: skip
        self.epoch = epoch
        self.term = term
        self.placement = placement
        self.plan = plan
        self.done = tuple(done)
        """Units of the plan that are assigned to their new owners."""
        self.off = off
        """The plan is being called off: its targets answer for nothing any more, so that the sources can again."""
        self.dead = dead
        self.full_coverage = full_coverage
        self.reads_when_down = reads_when_down
        self.uncovered = self._uncovered()
        """Dead nodes that still own something: there was no replica to promote."""
        self.forget()

    def __repr__(self) -> str:
        return f"map {self.epoch}"

    def _uncovered(self) -> Group:
        if not self.dead:
            return ()
        if self.placement.rf > 1:
            only_stale = self.placement.only_stale_owners()
            return tuple(node for node in self.dead if node in only_stale)
        return tuple(node for node in self.dead if self.placement.strategy.owns_any(node))

    @property
    def covered(self) -> bool:
        """Every unit has a live owner, as far as the coordinator knows."""
        return not self.uncovered

    @property
    def nodes(self) -> Group:
        """Everybody the map speaks of: members, and those who are about to become members."""
        members = self.placement.members
        if self.plan is None:
            return members
        return (*members, *(node for node in self.plan.target.members if node not in members))

    def group(self, key: str) -> Group:
        """Owner and replicas."""
        plan = self.plan
        if plan is not None and self.done and plan.unit_of(key) in self.done:
            return plan.target.group(key)
        return self.placement.group(key)

    def owner(self, key: str) -> str:
        """Who serves a key."""
        return self.group(key)[0]

    def moving(self, key: str) -> str:
        """The unit of the plan that a key still waits in, or nothing."""
        if self.plan is None:
            return ""
        unit = self.plan.unit_of(key)
        return "" if unit in self.done else unit


class Atlas:
    """The contents of messages about maps. A message names an epoch, so that events stay plain; the map is found here.

    Only the newest are kept. A message about an older one says nothing, as if it had been lost: a newer will come.
    """

    __slots__ = ("maps",)

    def __init__(self) -> None:
        self.maps: dict[int, ShardMap] = {}

    def add(self, new: ShardMap) -> None:
        """A map is published."""
        self.maps.pop(new.epoch, None)
        self.maps[new.epoch] = new
        while len(self.maps) > MAPS_MAX:
            del self.maps[next(iter(self.maps))]

    def get(self, epoch: int) -> ShardMap | None:
        """The map of this epoch, while it is kept."""
        return self.maps.get(epoch)
