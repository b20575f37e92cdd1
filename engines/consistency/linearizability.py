"""Linearizability, just in time: is there an order of the operations, each within its interval, that is legal?

The judge walks through invocations and returns. It keeps every *configuration* the object can be in: a state, and which
open operations have already taken effect. An invocation only opens an operation. At a return, each configuration in
which that operation has not taken effect lets open operations take effect, in any order, until it has; configurations
that cannot are dropped. None left: nothing explains this return.

What keeps the number of configurations small:

- an operation that never changes anything takes effect as soon as it can: waiting gains nothing
- unknown operations (``info``) are open for ever, so equal ones are one with a count
- an unknown write to a register takes effect only just before an open operation that needs its value: earlier gains
  nothing, and one that nobody ever needs need never happen
- states that no read still to come can tell apart are one (``Model.fold``)
- a configuration that got there with fewer unknown operations makes one with more superfluous

A history is linearizable iff it is for each key alone (locality), so keys are judged one by one, in turns, each
within its share of the budget. The model says what an object is; what is judged is the whole history: a window that
lost its prefix would need the set of states it may start in.

Sources: Herlihy and Wing 1990; Lowe, "Testing for linearizability", 2017 (just-in-time linearization); Wing and Gong
1993 and Gibbons and Korach 1997 stand beside it in the tests.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from engines.consistency.history import Call, History, Operation, Status
from engines.consistency.models import MODELS, NOTHING, REFUSED, Model
from engines.consistency.verdict import BUDGET, OK, Answer, Budget, Verdict, Why, unknown, violation

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


class Step(NamedTuple):
    """An invocation or a return, with all that will ever be known of its operation."""

    operation: Operation
    returns: bool


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
        return MODELS[self.kind]

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
                longer = _longer(operation.number, path) if self.trace else None
                yield self._absorbed(after, mask | 1 << slot, used, longer)
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
            longer = _longer(self.members[group][taken], path) if self.trace else None
            yield self._absorbed(after, mask, tuple(counts), longer)

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
                    path = _longer(operation.number, path)
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
        found = [(group, operation, needs.get(_value(operation), 0)) for group, operation in enumerate(self.groups)]
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
        return {used: _longer(index, path) for used, path in ways.items()} if self.trace else ways

    def longest(self) -> tuple[int, ...]:
        """The longest order that explains everything up to the last return that could be explained."""
        paths = [path for ways in self.deepest.values() for path in ways.values()]
        return tuple(unwound(max(paths, key=_length)))


def _longer(index: int, path: Path) -> Path:
    return index, path, _length(path) + 1


def _length(path: Path) -> int:
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


def steps_of(operations: Iterable[Operation]) -> list[Step]:
    """Invocations and returns of one object's operations, in their order; what failed never happened."""
    events = []
    for operation in operations:
        if operation.status is not Status.FAIL:
            events.append((operation.start, operation, False))
            if operation.end is not None:
                events.append((operation.end, operation, True))
    events.sort(key=lambda event: event[0])
    return [Step(operation, returns) for _, operation, returns in events]


def needed(operations: Sequence[Operation], model: Model) -> list[Operation]:
    """Without unknown operations whose effect nobody could notice."""
    wants = model.wants
    if wants is None:
        return [each for each in operations if each.status is not Status.INFO or each.call is not Call.READ]
    kept = [each for each in operations if each.status is Status.OK]
    doubtful = [each for each in operations if each.status is Status.INFO and each.call is not Call.READ]
    wanted = {wants(each) for each in kept}
    grown = True
    while grown and doubtful:
        useful = [each for each in doubtful if _value(each) in wanted]
        doubtful = [each for each in doubtful if _value(each) not in wanted]
        grown = bool(useful)
        kept += useful
        wanted |= {wants(each) for each in useful}
    return kept


def _value(operation: Operation) -> Any:
    return operation.value[1] if operation.call is Call.CAS else operation.value


class _Run:
    """One key on its way through its events."""

    def __init__(self, operations: Sequence[Operation], model: Model, initial: Any, budget: Budget) -> None:
        self.operations = operations
        self.start = model.start(initial, operations)
        self.fold = model.fold(operations) if model.fold is not None else None
        self.judge = Linearizer(model, self.start, budget, fold=self.fold)
        self.steps = steps_of(needed(operations, model))
        self.at = 0
        self.impossible: Operation | None = None

    def go(self, limit: int) -> None:
        """Some events further; OutOfBudgetError if one is too hard."""
        judge, steps = self.judge, self.steps
        end = judge.steps + limit
        while self.at < len(steps) and judge.steps < end:
            operation, returns = steps[self.at]
            self.at += 1
            if not returns:
                judge.invoke(operation)
            elif not judge.returns(operation):
                self.impossible = operation
                return

    @property
    def done(self) -> bool:
        return self.at == len(self.steps) or self.impossible is not None


SLICE: Final = 2_000
"""How many configurations a key looks at before the next has its turn."""


def linearizable(history: History, model: Model, budget: Budget = BUDGET) -> Verdict:
    """The verdict, with a witness if it is a violation."""
    if not history.real_time:
        return unknown(Why.NO_REAL_TIME)
    groups = history.keys().values() if model.per_key else [list(history.operations)]
    runs = [_Run(operations, model, history.initial, budget) for operations in groups if operations]
    lacking: Why | None = None
    spent = 0
    while runs:
        rest = []
        for run in runs:
            before = run.judge.steps
            try:
                run.go(SLICE)
            except OutOfBudgetError as error:
                lacking = error.why
                continue
            spent += run.judge.steps - before
            if run.impossible is not None:
                return _explain(run, model, budget)
            if not run.done:
                rest.append(run)
        runs = rest
        if spent > budget.steps and runs:
            lacking = Why.STEPS
            break
    return OK if lacking is None else unknown(lacking)


def _explain(run: _Run, model: Model, budget: Budget) -> Verdict:
    """Walk once more, this time remembering the way, and say what stands against the return."""
    assert run.impossible is not None
    last = run.impossible
    judge = Linearizer(model, run.start, Budget(2 * budget.steps, budget.memory), True, run.fold)
    for operation, returns in run.steps[: run.at]:
        if not returns:
            judge.invoke(operation)
        elif not judge.returns(operation):
            break
    prefix = judge.longest()
    return violation(Why.IMPOSSIBLE_RETURN, _against(last, prefix, run.operations), last.number, prefix)


def _against(last: Operation, prefix: tuple[int, ...], operations: Sequence[Operation]) -> tuple[int, ...]:
    """The few operations that show it: the writer of what was returned, and what was between it and the return."""
    by_index = {operation.number: operation for operation in operations}
    order = [by_index[index] for index in prefix]
    shown = [last.number]
    wanted = last.value[0] if last.call is Call.CAS else last.value
    if last.call in (Call.READ, Call.CAS):
        writers = [each for each in operations if each.call is not Call.READ and _value(each) == wanted]
        writers = [each for each in writers if each.status is not Status.FAIL and each.start < (last.end or 0)]
        if writers:
            shown.append(writers[-1].number)
    over = [each for each in order if each.call is not Call.READ and each.number not in shown]
    if over:
        shown.append(over[-1].number)
        over_value = _value(over[-1])
        readers = [each for each in order if each.call is Call.READ and each.value == over_value and each.before(last)]
        if readers and not over[-1].before(last):
            shown.append(readers[0].number)
    return tuple(sorted(shown))


def longest_with(history: History, model: Model, index: int, budget: Budget = BUDGET) -> tuple[int, ...] | None:
    """The longest linearization of its key's operations that contains this one; None if the budget does not do.

    A whole order if the key is linearizable, otherwise the longest legal beginning in which the operation took effect;
    empty if there is none.
    """
    chosen = history.operations[index]
    operations = [each for each in history.operations if each.key == chosen.key] if model.per_key else None
    run = _Run(operations or list(history.operations), model, history.initial, budget)
    judge = Linearizer(model, run.start, budget, True, run.fold)
    best: Path = None
    try:
        for operation, returns in run.steps:
            if not returns:
                judge.invoke(operation)
            elif not judge.returns(operation):
                break
            if returns or operation.number == index:
                best = max((best, *_ways(judge, chosen)), key=_length)
    except OutOfBudgetError:
        return None
    return tuple(unwound(best))


def _ways(judge: Linearizer, chosen: Operation) -> Iterator[Path]:
    """Paths that contain the operation, or can be made to by letting it take effect last."""
    for (state, _), ways in judge.configs.items():
        after = judge.model.step(state, chosen)
        for path in ways.values():
            if chosen.number in unwound(path):
                yield path
            elif after is not REFUSED and judge.is_open(chosen):
                yield _longer(chosen.number, path)


__all__ = [
    "Answer",
    "Linearizer",
    "OutOfBudgetError",
    "Step",
    "linearizable",
    "longest_with",
    "needed",
    "steps_of",
]
