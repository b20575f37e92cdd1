"""Sequential specifications: a record of pure functions per object.

``step(state, operation)`` is the state after the operation, or ``REFUSED`` if the operation could not have returned
what it did. ``wants(operation)`` is the value an operation needs to find, for objects whose state is one value: a
judge then knows that an unknown write of something nobody waits for need not happen yet.
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from engines.consistency.history import Call, Operation, Status

State = Hashable


class Never(Enum):
    """States and values that are none."""

    REFUSED = "refused"
    NOTHING = "nothing"


REFUSED: Final = Never.REFUSED
NOTHING: Final = Never.NOTHING


def _reads(operation: Operation) -> bool:
    if operation.call is Call.CAS:
        return bool(operation.value[0] == operation.value[1])
    if operation.call is Call.TXN:
        return all(call is Call.READ for call, _, _ in operation.value)
    return operation.call is Call.READ


@dataclass(frozen=True, slots=True)
class Model:
    """One object type."""

    name: str
    step: Callable[[Any, Operation], Any]
    calls: tuple[Call, ...]
    pure: Callable[[Operation], bool] = _reads
    """Whether an operation never changes anything, whatever the state."""
    initial: State | Never = NOTHING
    """NOTHING: the history's own initial value."""
    wants: Callable[[Operation], Any] | None = None
    fold: Callable[[Iterable[Operation]], Callable[[Any], Any]] | None = None
    """Given all operations of an object: a function that makes states one whose difference nobody will notice."""
    per_key: bool = True
    """Whether every key is an object of its own."""

    def start(self, initial: State, operations: Iterable[Operation] = ()) -> State:
        """The state before anything happened, with this initial value."""
        if self.per_key:
            return initial if self.initial is NOTHING else self.initial
        keys = {key: None for operation in operations for _, key, _ in operation.value}
        return tuple(sorted(((key, initial) for key in keys), key=lambda item: str(item[0])))


def _register(state: Any, operation: Operation) -> Any:
    if operation.call is Call.READ:
        return state if operation.status is not Status.OK or operation.value == state else REFUSED
    if operation.call is Call.WRITE:
        return operation.value
    old, new = operation.value
    return new if old == state else REFUSED


def _wants(operation: Operation) -> Any:
    if operation.call is Call.READ:
        return operation.value if operation.status is Status.OK else NOTHING
    return operation.value[0] if operation.call is Call.CAS else NOTHING


def _mutex(state: Any, operation: Operation) -> Any:
    wanted = operation.call is Call.RELEASE
    return (not wanted) if state is wanted else REFUSED


def _counter(state: Any, operation: Operation) -> Any:
    """A register of integers that can also be added to: an APPEND of (amount, the sum that was told or None)."""
    if operation.call is not Call.APPEND:
        return _register(state, operation)
    amount, told = operation.value
    found = (state or 0) + amount
    return found if told is None or told == found else REFUSED


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _kv(state: Any, operation: Operation) -> Any:
    if state is NOTHING and operation.call is not Call.WRITE:
        return NOTHING if operation.call is Call.APPEND or operation.status is not Status.OK else REFUSED
    if operation.call is Call.READ:
        return state if operation.status is not Status.OK or _text(operation.value) == state else REFUSED
    if operation.call is Call.APPEND:
        return state + _text(operation.value)
    return _text(operation.value)


def _readable(operations: Iterable[Operation]) -> Callable[[Any], Any]:
    """A text that no read's value begins with is as good as any other such: NOTHING."""
    values = sorted({_text(each.value) for each in operations if each.call is Call.READ and each.status is Status.OK})

    def fold(state: Any) -> Any:
        if state is NOTHING:
            return state
        place = bisect_left(values, state)
        return state if place < len(values) and values[place].startswith(state) else NOTHING

    return fold


def _multi(state: Any, operation: Operation) -> Any:
    """State: sorted (key, value) pairs. A micro-operation is (call, key, value)."""
    known = dict(state)
    for call, key, value in operation.value:
        if call is Call.WRITE:
            known[key] = value
        elif operation.status is Status.OK and value is not None and known.get(key) != value:
            return REFUSED
    return tuple(sorted(known.items(), key=lambda item: str(item[0])))


REGISTER: Final = Model("register", _register, (Call.READ, Call.WRITE), wants=_wants)
CAS_REGISTER: Final = Model("cas-register", _register, (Call.READ, Call.WRITE, Call.CAS), wants=_wants)
MUTEX: Final = Model("mutex", _mutex, (Call.ACQUIRE, Call.RELEASE), initial=False)
KV: Final = Model("kv", _kv, (Call.READ, Call.WRITE, Call.APPEND), initial="", fold=_readable)
MULTI_REGISTER: Final = Model("multi-register", _multi, (Call.TXN,), initial=(), per_key=False)

COUNTER: Final = Model("counter", _counter, (Call.READ, Call.WRITE, Call.CAS, Call.APPEND))
"""No object of the formats: a store of integers is judged by it, key by key."""

MODELS: Final = {model.name: model for model in (REGISTER, CAS_REGISTER, MULTI_REGISTER, MUTEX, KV)}


BY_NAME: Final = MODELS | {COUNTER.name: COUNTER}


def guess(calls: set[Call]) -> Model | None:
    """The smallest model that knows all these calls; None if there is none."""
    return next((model for model in MODELS.values() if all(call in model.calls for call in calls)), None)


__all__ = [
    "BY_NAME",
    "CAS_REGISTER",
    "COUNTER",
    "KV",
    "MODELS",
    "MULTI_REGISTER",
    "MUTEX",
    "NOTHING",
    "REFUSED",
    "REGISTER",
    "Model",
    "guess",
]
