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

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from engines.consistency.configurations import Linearizer, OutOfBudgetError, Path, length, longer, unwound, value_of
from engines.consistency.history import Call, History, Operation, Status
from engines.consistency.models import REFUSED, Model
from engines.consistency.verdict import BUDGET, OK, Answer, Budget, Verdict, Why, unknown, violation


class Step(NamedTuple):
    """An invocation or a return, with all that will ever be known of its operation."""

    operation: Operation
    returns: bool


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
        useful = [each for each in doubtful if value_of(each) in wanted]
        doubtful = [each for each in doubtful if value_of(each) not in wanted]
        grown = bool(useful)
        kept += useful
        wanted |= {wants(each) for each in useful}
    return kept


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
        writers = [each for each in operations if each.call is not Call.READ and value_of(each) == wanted]
        writers = [each for each in writers if each.status is not Status.FAIL and each.start < (last.end or 0)]
        if writers:
            shown.append(writers[-1].number)
    over = [each for each in order if each.call is not Call.READ and each.number not in shown]
    if over:
        shown.append(over[-1].number)
        over_value = value_of(over[-1])
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
                best = max((best, *_ways(judge, chosen)), key=length)
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
                yield longer(chosen.number, path)


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
