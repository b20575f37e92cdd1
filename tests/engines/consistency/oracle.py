"""Second opinions: each model straight from its definition, by trying everything. Slow, and for small histories
only."""

import random
from collections.abc import Iterator, Sequence
from itertools import pairwise, permutations
from typing import Any

from engines.consistency import Call, History, Model, Operation, Status
from engines.consistency.models import REFUSED


def wing_gong(history: History, model: Model) -> bool:
    """Linearizability as in Wing and Gong 1993, with memory; an unknown operation may take effect any time, or
    never."""
    groups = history.keys().values() if model.per_key else [list(history.operations)]
    return all(_wing_gong(list(group), model, history.initial) for group in groups)


def _wing_gong(group: list[Operation], model: Model, initial: Any) -> bool:
    ops = [op for op in group if op.status is not Status.FAIL]
    ops = [op for op in ops if op.status is Status.OK or op.call is not Call.READ]
    must = sum(1 << at for at, op in enumerate(ops) if op.status is Status.OK)
    seen: set[Any] = set()
    stack = [(0, model.start(initial, group))]
    while stack:
        done, state = stack.pop()
        if done & must == must:
            return True
        if (done, state) in seen:
            continue
        seen.add((done, state))
        first_end = min(op.end for at, op in enumerate(ops) if op.end is not None and not done >> at & 1)
        for at, op in enumerate(ops):
            if not done >> at & 1 and op.start < first_end:
                after = model.step(state, op)
                if after is not REFUSED:
                    stack.append((done | 1 << at, after))
    return False


def gibbons_korach(history: History) -> bool:
    """Linearizability of registers with unique values: no two forward zones overlap, none contains a backward one."""
    from engines.consistency.regular import zones_of

    for operations in history.keys().values():
        zones, impossible = zones_of(operations, history.initial)
        if impossible:
            return False
        forward = [(z.earliest_end, z.latest_start) for z in zones if z.earliest_end < z.latest_start]
        backward = [(z.latest_start, z.earliest_end) for z in zones if z.earliest_end >= z.latest_start]
        forward.sort()
        if any(one[1] > other[0] for one, other in pairwise(forward)):
            return False
        if any(low < inner[0] and inner[1] < high for low, high in forward for inner in backward):
            return False
    return True


def _counted(history: History) -> list[Operation]:
    """What happened, and unknown writes that somebody read."""
    read = {(op.key, op.value) for op in history.operations if op.call is Call.READ and op.done}
    return [
        op
        for op in history.operations
        if op.done or (op.status is Status.INFO and op.call is Call.WRITE and (op.key, op.value) in read)
    ]


def _relation(ops: Sequence[Operation], initial: Any, rf_into: str | None = None) -> dict[int, set[int]] | None:
    """PO u RF, closed: for each operation what is before it. None if it has a cycle or a read from nowhere."""
    before: dict[int, set[int]] = {op.number: set() for op in ops}
    for op in ops:
        for other in ops:
            if other.process == op.process and other.number < op.number and other.done:
                before[op.number].add(other.number)
        if op.call is Call.READ and (rf_into is None or op.process == rf_into):
            writer = [w for w in ops if w.call is Call.WRITE and (w.key, w.value) == (op.key, op.value)]
            if writer:
                before[op.number].add(writer[0].number)
            elif op.value != initial:
                return None
    grown = True
    while grown:
        grown = False
        for past in before.values():
            more = {far for near in past for far in before[near]} - past
            if more:
                past |= more
                grown = True
    return None if any(number in past for number, past in before.items()) else before


def _legal_order(
    ops: Sequence[Operation], before: dict[int, set[int]], checked: set[int], initial: Any
) -> Iterator[list[Operation]]:
    """Orders of the operations along a relation in which the checked reads return the last write."""

    def go(done: list[Operation], left: list[Operation], state: dict[Any, Any]) -> Iterator[list[Operation]]:
        if not left:
            yield done
        rest = {op.number for op in left}
        for op in left:
            if before[op.number] & rest:
                continue
            if op.call is Call.READ:
                if op.number in checked and state.get(op.key, initial) != op.value:
                    continue
                after = state
            else:
                after = {**state, op.key: op.value}
            yield from go([*done, op], [each for each in left if each is not op], after)

    return go([], list(ops), {})


def weak_causal(history: History) -> bool:
    """CC: each operation, with its causal past in some order, is legal."""
    ops = _counted(history)
    before = _relation(ops, history.initial)
    if before is None:
        return False
    for op in ops:
        past = [each for each in ops if each.number in before[op.number] or each is op]
        if not any(True for _ in _legal_order(past, before, {op.number}, history.initial)):
            return False
    return True


def causal_memory(history: History) -> bool:
    """CM: as CC, and the session's own earlier operations are legal in the same order."""
    ops = _counted(history)
    before = _relation(ops, history.initial)
    if before is None:
        return False
    for op in ops:
        past = [each for each in ops if each.number in before[op.number] or each is op]
        own = {each.number for each in past if each.process == op.process}
        if not any(True for _ in _legal_order(past, before, own, history.initial)):
            return False
    return True


def causal_convergence(history: History) -> bool:
    """CCv: one arbitration of the writes along CO; each read returns the last write of its causal past."""
    ops = _counted(history)
    before = _relation(ops, history.initial)
    if before is None:
        return False
    writes = [op for op in ops if op.call is Call.WRITE]
    for order in permutations(writes):
        place = {op.number: at for at, op in enumerate(order)}
        if any(place[early] > at for late, at in place.items() for early in before[late] if early in place):
            continue
        for read in ops:
            if read.call is Call.READ:
                seen = [w for w in order if w.number in before[read.number] and w.key == read.key]
                if (seen[-1].value if seen else history.initial) != read.value:
                    break
        else:
            return True
    return False


def pram(history: History) -> bool:
    """Each session can serialise all writes and its own reads."""
    ops = _counted(history)
    for process in dict.fromkeys(op.process for op in ops):
        seen = [op for op in ops if op.call is Call.WRITE or op.process == process]
        before = _relation(seen, history.initial, process)
        if before is None:
            return False
        reads = {op.number for op in seen if op.call is Call.READ}
        if not any(True for _ in _legal_order(seen, before, reads, history.initial)):
            return False
    return True


def sequential(history: History) -> bool:
    """One order of all operations along the sessions."""
    ops = _counted(history)
    before = _relation(ops, history.initial)
    if before is None:
        return False
    reads = {op.number for op in ops if op.call is Call.READ}
    return any(True for _ in _legal_order(ops, before, reads, history.initial))


def regular(history: History) -> bool:
    """One order of the writes true to time, in which each read alone has a place."""
    for operations in history.keys().values():
        reads = [op for op in operations if op.call is Call.READ and op.done]
        values = {read.value for read in reads}
        writes = [op for op in operations if op.call is Call.WRITE and (op.done or op.value in values)]
        writes = [op for op in writes if op.status is not Status.FAIL]
        if not any(_explains(order, reads, history.initial) for order in permutations(writes)):
            return False
    return True


def _explains(order: tuple[Operation, ...], reads: list[Operation], initial: Any) -> bool:
    if any(later.before(early) for at, early in enumerate(order) for later in order[at + 1 :]):
        return False
    return all(_has_place(order, read, initial) for read in reads)


def _has_place(order: tuple[Operation, ...], read: Operation, initial: Any) -> bool:
    for place in range(len(order) + 1):
        value = order[place - 1].value if place else initial
        early = any(read.before(write) for write in order[:place])
        late = any(write.before(read) for write in order[place:])
        if value == read.value and not early and not late:
            return True
    return False


def random_history(draw: random.Random, size: int, sessions: int = 3, keys: int = 2, unknown: bool = True) -> History:
    """A few sessions that write unique values and read any value of the key, or the initial one."""
    from engines.consistency import HistoryBuilder

    build = HistoryBuilder(0)
    written: dict[str, list[int]] = {}
    value = 0
    open_: dict[str, tuple[Call, str]] = {}
    planned = {f"x{key}": [0] for key in range(keys)}
    for number in range(size):
        planned[f"x{draw.randrange(keys)}"].append(number + 1)
    left = size
    dead: set[str] = set()
    while left or open_:
        process = "ABCDE"[draw.randrange(sessions)]
        if process in open_:
            call, key = open_.pop(process)
            if call is Call.WRITE:
                if unknown and draw.random() < 0.15:
                    build.complete(process, Status.INFO)
                else:
                    build.complete(process, Status.OK)
            else:
                build.complete(process, Status.OK, draw.choice([0, *written.get(key, [])]))
        elif left and process not in dead:
            left -= 1
            key = f"x{draw.randrange(keys)}"
            if draw.random() < 0.5:
                value += 1
                written.setdefault(key, []).append(value)
                build.invoke(process, Call.WRITE, key, value)
                open_[process] = Call.WRITE, key
            else:
                build.invoke(process, Call.READ, key)
                open_[process] = Call.READ, key
    return build.build()


def random_cas(draw: random.Random, size: int, sessions: int = 4) -> History:
    """A cas register with few values and unknown outcomes, mostly believable."""
    from engines.consistency import HistoryBuilder

    build = HistoryBuilder(None)
    state: Any = None
    open_: dict[str, tuple[Call, Any]] = {}
    done = 0
    while done < size or open_:
        process = "ABCDE"[draw.randrange(sessions)]
        if process not in open_:
            if done >= size:
                continue
            done += 1
            kind = draw.choice([Call.READ, Call.WRITE, Call.CAS])
            value: Any = None
            if kind is Call.WRITE:
                value = draw.randrange(3)
            elif kind is Call.CAS:
                value = (draw.randrange(3), draw.randrange(3))
            build.invoke(process, kind, "x", value)
            open_[process] = kind, value
            continue
        kind, value = open_.pop(process)
        if kind is Call.READ:
            build.complete(process, Status.OK, state if draw.random() < 0.85 else draw.randrange(3))
        elif draw.random() < 0.2:
            if draw.random() < 0.5 and (kind is Call.WRITE or value[0] == state):
                state = value if kind is Call.WRITE else value[1]
            build.complete(process, Status.INFO)
        elif kind is Call.WRITE:
            state = value
            build.complete(process, Status.OK)
        elif value[0] == state:
            state = value[1]
            build.complete(process, Status.OK)
        else:
            build.complete(process, Status.FAIL)
    return build.build()
