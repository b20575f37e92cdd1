"""The configurations an object can be in: a state, and which open operations have already taken effect.

This is the machine of ``linearizability``, which says why it works: an invocation opens an operation; at a return each
configuration lets open operations take effect until this one has; what cannot is dropped.
"""

from collections.abc import Callable, Iterator
from typing import Any

from engines.consistency.history import Call, Operation, Status
from engines.consistency.models import BY_NAME, NOTHING, REFUSED, Model
from engines.consistency.verdict import BUDGET, Budget, Why

Path = Any
"""A linked list of operation indices, newest first: (index, the rest, its length) or None."""

Used = tuple[int, ...]
Config = tuple[Any, int]
"""State, and the open operations that have taken effect as bits of their slots."""


class OutOfBudgetError(Exception):
    """The judge gives up; ``why`` says what ran out."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


class Linearizer:
    """One object, event by event. Plain data: a copy goes on from where it was taken."""

    def __init__(
        self,
        model: Model,
        start: Any,
        budget: Budget = BUDGET,
        trace: bool = False,
        fold: Callable[[Any], Any] | None = None,
    ) -> None:
        self.kind = model.name
        """The model, by name: a judge is plain data."""
        self.fold = fold
        self.budget = budget
        self.trace = trace
        self.steps = 0
        self.slots: list[Operation | None] = []
        self.slot_of: dict[int, int] = {}
        self.pure = 0
        """Slots of open operations that never change anything."""
        self.groups: list[Operation] = []
        """One of each kind of unknown operation."""
        self.group_of: dict[Any, int] = {}
        self.available: list[int] = []
        self.members: list[list[int]] = []
        self.configs: dict[Config, dict[Used, Path]] = {(start, 0): {(): None}}
        self.deepest: dict[Config, dict[Used, Path]] = self.configs
        """What was possible before the return that nothing explained."""

    @property
    def model(self) -> Model:
        """What kind of object it is."""
        return BY_NAME[self.kind]

    def copy(self) -> "Linearizer":
        """The same judge, to look ahead with."""
        other = Linearizer(self.model, None, self.budget, self.trace, self.fold)
        other.steps = self.steps
        other.slots = list(self.slots)
        other.slot_of = dict(self.slot_of)
        other.pure = self.pure
        other.groups = list(self.groups)
        other.group_of = dict(self.group_of)
        other.available = list(self.available)
        other.members = [list(each) for each in self.members]
        other.configs = dict(self.configs)
        other.deepest = other.configs
        return other

    def invoke(self, operation: Operation) -> None:
        """The operation opens."""
        if operation.status is Status.INFO:
            if operation.call is not Call.READ:
                self._open_unknown(operation)
            return
        slot = self.slots.index(None) if None in self.slots else len(self.slots)
        if slot == len(self.slots):
            self.slots.append(None)
        self.slots[slot] = operation
        self.slot_of[operation.number] = slot
        if not self.model.pure(operation):
            return
        self.pure |= 1 << slot
        step, bit = self.model.step, 1 << slot
        changed: dict[Config, dict[Used, Path]] = {}
        for (state, mask), ways in self.configs.items():
            if step(state, operation) == state:
                changed[state, mask | bit] = self._lengthened(ways, operation.number)
            else:
                changed[state, mask] = ways
        self.configs = changed

    def returns(self, operation: Operation) -> bool:
        """The operation returns what it did; False if nothing explains it. OutOfBudgetError if that is too hard."""
        slot = self.slot_of.pop(operation.number)
        bit = 1 << slot
        self.deepest = self.configs
        kept: dict[Config, dict[Used, Path]] = {}
        work: list[tuple[Any, int, Used, Path]] = []
        seen: dict[Config, list[Used]] = {}
        for (state, mask), ways in self.configs.items():
            for used, path in ways.items():
                if mask & bit:
                    _keep(kept, (state, mask & ~bit), used, path)
                elif _fresh(seen, (state, mask), used):
                    work.append((state, mask, used, path))
        useful = self._useful() if self.groups else []
        while work:
            state, mask, used, path = work.pop()
            self.steps += 1
            if self.steps > self.budget.steps:
                raise OutOfBudgetError(Why.STEPS)
            if len(work) + len(kept) > self.budget.memory:
                raise OutOfBudgetError(Why.MEMORY)
            for new in self._successors(state, mask, used, path, useful):
                if new[1] & bit:
                    _keep(kept, (new[0], new[1] & ~bit), new[2], new[3])
                elif _fresh(seen, (new[0], new[1]), new[2]):
                    work.append(new)
        self.slots[slot] = None
        self.pure &= ~bit
        if kept:
            self.configs = kept
        return bool(kept)

    def is_open(self, operation: Operation) -> bool:
        """It is invoked and has not returned."""
        return operation.number in self.slot_of or any(operation.number in each for each in self.members)

    def _successors(
        self, state: Any, mask: int, used: Used, path: Path, useful: list[tuple[int, Operation, int]]
    ) -> Iterator[tuple[Any, int, Used, Path]]:
        step, fold = self.model.step, self.fold
        for slot, operation in enumerate(self.slots):
            if operation is None or mask >> slot & 1:
                continue
            after = step(state, operation)
            if after is not REFUSED:
                after = after if fold is None else fold(after)
                way = longer(operation.number, path) if self.trace else None
                yield self._absorbed(after, mask | 1 << slot, used, way)
        for group, operation, needed_by in useful:
            taken = used[group] if group < len(used) else 0
            if taken == self.available[group] or not needed_by & ~mask:
                continue
            after = step(state, operation)
            after = after if fold is None or after is REFUSED else fold(after)
            if after is REFUSED or after is NOTHING or after == state:
                continue
            counts = list(used) + [0] * (group + 1 - len(used))
            counts[group] += 1
            way = longer(self.members[group][taken], path) if self.trace else None
            yield self._absorbed(after, mask, tuple(counts), way)

    def _absorbed(self, state: Any, mask: int, used: Used, path: Path) -> tuple[Any, int, Used, Path]:
        step = self.model.step
        waiting = self.pure & ~mask
        while waiting:
            bit = waiting & -waiting
            waiting ^= bit
            operation = self.slots[bit.bit_length() - 1]
            if operation is not None and step(state, operation) == state:
                mask |= bit
                if self.trace:
                    path = longer(operation.number, path)
        return state, mask, used, path

    def _useful(self) -> list[tuple[int, Operation, int]]:
        """Kinds of unknown operations that an open one may need, with the slots of those; -1: any."""
        wants = self.model.wants
        if wants is None:
            return [(group, operation, -1) for group, operation in enumerate(self.groups)]
        needs: dict[Any, int] = {}
        for slot, operation in enumerate(self.slots):
            if operation is not None:
                value = wants(operation)
                needs[value] = needs.get(value, 0) | 1 << slot
        for operation in self.groups:
            if operation.call is Call.CAS:
                needs[wants(operation)] = -1
        found = [(group, operation, needs.get(value_of(operation), 0)) for group, operation in enumerate(self.groups)]
        return [each for each in found if each[2]]

    def _open_unknown(self, operation: Operation) -> None:
        kind = (operation.call, operation.value)
        group = self.group_of.get(kind)
        if group is None:
            group = self.group_of[kind] = len(self.groups)
            self.groups.append(operation)
            self.available.append(0)
            self.members.append([])
        self.available[group] += 1
        self.members[group].append(operation.number)

    def _lengthened(self, ways: dict[Used, Path], index: int) -> dict[Used, Path]:
        return {used: longer(index, path) for used, path in ways.items()} if self.trace else ways

    def longest(self) -> tuple[int, ...]:
        """The longest order that explains everything up to the last return that could be explained."""
        paths = [path for ways in self.deepest.values() for path in ways.values()]
        return tuple(unwound(max(paths, key=length)))


def longer(index: int, path: Path) -> Path:
    """The path with one more operation."""
    return index, path, length(path) + 1


def length(path: Path) -> int:
    """How many operations a path has."""
    return 0 if path is None else int(path[2])


def unwound(path: Path) -> list[int]:
    """A path's operations, oldest first."""
    order = []
    while path is not None:
        order.append(path[0])
        path = path[1]
    return order[::-1]


def _covers(one: Used, other: Used) -> bool:
    """``one`` used no unknown operation more often than ``other``."""
    if not one or one == other:
        return True
    if len(one) > len(other) and any(one[len(other) :]):
        return False
    for mine, theirs in zip(one, other, strict=False):  # noqa: SIM110  (all() makes a generator, and this is hot)
        if mine > theirs:
            return False
    return True


def _fresh(seen: dict[Config, list[Used]], config: Config, used: Used) -> bool:
    """Whether nothing at least as good has been here; remember this."""
    known = seen.get(config)
    if known is None:
        seen[config] = [used]
        return True
    if any(_covers(each, used) for each in known):
        return False
    known.append(used)
    return True


def _keep(kept: dict[Config, dict[Used, Path]], config: Config, used: Used, path: Path) -> None:
    ways = kept.get(config)
    if ways is None:
        kept[config] = {used: path}
    elif used not in ways and not any(_covers(each, used) for each in ways):
        for each in [each for each in ways if _covers(used, each)]:
            del ways[each]
        ways[used] = path


def value_of(operation: Operation) -> Any:
    """What a change leaves in a register."""
    return operation.value[1] if operation.call is Call.CAS else operation.value


__all__ = ["Linearizer", "OutOfBudgetError", "Path", "length", "longer", "unwound", "value_of"]
