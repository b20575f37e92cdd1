"""Sequential consistency: one order of all operations, keys together, that keeps each session's order and is legal.

NP-complete, so: saturate, then search on a budget. Saturation adds what must hold in any such order, until nothing new
follows, and stops at a cycle: with r reading w, another write w' of the key that is before r is before w, and one
that is after w is after r. What remains is searched depth first. A read is taken as soon as it may be. A write may be
taken only when nobody still has to read the value it replaces, so which operations are done says all about what is
still possible, and that is what is remembered.

Without unique values (or for objects that are no registers) nothing is saturated; states are remembered, too.

Source: Lamport 1979; complexity: Gibbons and Korach, "Testing shared memories", 1997; saturation: Biswas and Enea,
"On the complexity of checking transactional consistency", OOPSLA 2019.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from engines.consistency.history import Call, History, Operation, Status
from engines.consistency.models import REFUSED, Model
from engines.consistency.verdict import BUDGET, OK, Budget, Verdict, Why, unknown, violation

Place = tuple[tuple[int, ...], int, Any, Any, int]
"""Of the search: how far each session is, unknown operations used, states, the way here, operations taken."""


def bits(mask: int) -> Iterator[int]:
    """The set bits of a mask, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class Serial:
    """Registers with unique values: what must be before what, as bit masks over the operations that count."""

    def __init__(self, operations: Sequence[Operation], initial: Any) -> None:
        read = {(each.key, each.value) for each in operations if each.call is Call.READ and each.status is Status.OK}
        self.operations = [each for each in operations if _counts(each, read)]
        size = len(self.operations)
        self.after: list[int] = [0] * size
        """Direct edges."""
        self.writes: dict[Any, int] = {}
        self.write_of: list[int | None] = [None] * size
        """For each read, the write it reads; None: the initial value (or not a read)."""
        self.readers: list[int] = [0] * size
        self.reads: list[int] = []
        self.thin_air: int | None = None
        self.initial = initial
        writer = {(each.key, each.value): at for at, each in enumerate(self.operations) if each.call is Call.WRITE}
        last: dict[str, int] = {}
        for at, operation in enumerate(self.operations):
            if operation.process in last:
                self.after[last[operation.process]] |= 1 << at
            if operation.status is Status.OK:
                last[operation.process] = at
            if operation.call is Call.WRITE:
                self.writes[operation.key] = self.writes.get(operation.key, 0) | 1 << at
                continue
            self.reads.append(at)
            found = writer.get((operation.key, operation.value))
            if found is not None:
                self.write_of[at] = found
                self.readers[found] |= 1 << at
                self.after[found] |= 1 << at
            elif operation.value != initial:
                self.thin_air = operation.number
        for at in self.reads:
            if self.write_of[at] is None:
                self.after[at] |= self.writes.get(self.operations[at].key, 0)

    def order(self) -> list[int] | None:
        """An order along the edges; None if there is a cycle."""
        into = [0] * len(self.operations)
        for mask in self.after:
            while mask:  # ``bits``, written out: here and below a generator costs as much as the work
                low = mask & -mask
                into[low.bit_length() - 1] += 1
                mask ^= low
        ready = [at for at, count in enumerate(into) if not count]
        found = []
        while ready:
            at = ready.pop()
            found.append(at)
            mask = self.after[at]
            while mask:
                low = mask & -mask
                mask ^= low
                later = low.bit_length() - 1
                into[later] -= 1
                if not into[later]:
                    ready.append(later)
        return found if len(found) == len(self.operations) else None

    def saturate(self) -> bool:
        """Add what follows until nothing does; False if that is a cycle."""
        while True:
            order = self.order()
            if order is None:
                return False
            later = [0] * len(self.operations)
            for at in reversed(order):
                mask = self.after[at]
                behind, left = 0, mask
                while left:
                    low = left & -left
                    if not behind & low:
                        behind |= later[low.bit_length() - 1]
                    left ^= low
                later[at] = behind | mask
            earlier = [0] * len(self.operations)
            for at in order:
                mine = earlier[at] | 1 << at
                for each in bits(self._direct(at, later)):
                    earlier[each] |= mine
            if not self._add(later, earlier):
                return True

    def _direct(self, at: int, later: list[int]) -> int:
        """Only edges that no other implies: the reduction keeps the next round cheap."""
        mask = self.after[at]
        for each in bits(mask):
            if mask >> each & 1:
                mask &= ~later[each]
        self.after[at] = mask
        return mask

    def _add(self, later: list[int], earlier: list[int]) -> bool:
        added = False
        for read in self.reads:
            write = self.write_of[read]
            if write is None:
                continue
            writes = self.writes[self.operations[read].key] & ~(1 << write)
            new = writes & later[write] & ~later[read]
            if new:
                self.after[read] |= new
                added = True
            for other in bits(writes & earlier[read] & ~earlier[write]):
                self.after[other] |= 1 << write
                added = True
        return added

    def cycle(self) -> tuple[int, ...]:
        """The operations of a shortest cycle through some operation, by index in the history."""
        best: list[int] = []
        into = [0] * len(self.operations)
        left = (1 << len(self.operations)) - 1
        for at in range(len(into)):
            for later in bits(self.after[at]):
                into[later] |= 1 << at
        pruned = True
        while pruned:
            pruned = False
            for at in bits(left):
                if not self.after[at] & left or not into[at] & left:
                    left &= ~(1 << at)
                    pruned = True
        for start in list(bits(left))[:50]:
            found = self._around(start, left)
            if found and (not best or len(found) < len(best)):
                best = found
        return tuple(sorted(self.operations[at].number for at in best))

    def _around(self, start: int, left: int) -> list[int]:
        came = {start: start}
        queue = [start]
        for at in queue:
            for later in bits(self.after[at] & left):
                if later == start:
                    path = [at]
                    while path[-1] != start:
                        path.append(came[path[-1]])
                    return path
                if later not in came:
                    came[later] = at
                    queue.append(later)
        return []

    def search(self, budget: Budget) -> tuple[list[int] | None, list[int], Why | None]:
        """(an order, or None; the longest legal beginning; what ran out)."""
        size = len(self.operations)
        needs = [0] * size
        for at in range(size):
            for later in bits(self.after[at]):
                needs[later] |= 1 << at
        everything = (1 << size) - 1
        path: list[int] = []
        longest: list[int] = []
        seen: set[int] = set()
        stack: list[tuple[int, int, dict[Any, int]]] = []
        done, current = self._reads(0, {}, needs, path)
        steps = 0
        choices = self._choices(done, current, needs)
        while True:
            if len(path) > len(longest):
                longest = list(path)
            if done == everything:
                return path, path, None
            if not choices:
                if not stack:
                    return None, longest, None
                done, choices, current = stack.pop()
                del path[done.bit_count() :]
                continue
            chosen = choices & -choices
            choices ^= chosen
            at = chosen.bit_length() - 1
            stack.append((done, choices, current))
            path.append(at)
            after, now = self._reads(done | chosen, {**current, self.operations[at].key: at}, needs, path)
            steps += 1
            if steps > budget.steps or len(seen) > budget.memory:
                return None, longest, Why.STEPS if steps > budget.steps else Why.MEMORY
            if after in seen:
                done, choices, current = stack.pop()
                del path[done.bit_count() :]
                continue
            seen.add(after)
            done, current = after, now
            choices = self._choices(done, current, needs)

    def _reads(
        self, done: int, current: dict[Any, int], needs: list[int], path: list[int]
    ) -> tuple[int, dict[Any, int]]:
        """Take every read that may be taken."""
        grown = True
        while grown:
            grown = False
            for at in self.reads:
                if done >> at & 1 or needs[at] & ~done:
                    continue
                operation = self.operations[at]
                if current.get(operation.key) == self.write_of[at]:
                    done |= 1 << at
                    path.append(at)
                    grown = True
        return done, current

    def _choices(self, done: int, current: dict[Any, int], needs: list[int]) -> int:
        """Writes that may be next."""
        found = 0
        for key, writes in self.writes.items():
            now = current.get(key)
            if now is not None and self.readers[now] & ~done:
                continue
            for at in bits(writes & ~done):
                if not needs[at] & ~done:
                    found |= 1 << at
        return found


def _counts(operation: Operation, read: set[Any]) -> bool:
    if operation.status is Status.OK:
        return True
    return operation.status is Status.INFO and operation.call is Call.WRITE and (operation.key, operation.value) in read


def sequential_registers(history: History, budget: Budget = BUDGET) -> Verdict:
    """The verdict about registers with unique values."""
    serial = Serial(history.operations, history.initial)
    if serial.thin_air is not None:
        return violation(Why.THIN_AIR, (serial.thin_air,), serial.thin_air)
    if len(serial.operations) ** 2 // 64 > budget.memory * 16:
        return unknown(Why.MEMORY)
    if not serial.saturate():
        cycle = serial.cycle()
        reads = [index for index in cycle if history.operations[index].call is Call.READ]
        return violation(Why.NO_SERIAL_ORDER, cycle, max(reads, default=None))
    found, longest, lacking = serial.search(budget)
    if found is not None:
        return OK
    if lacking is not None:
        return unknown(lacking)
    prefix = tuple(serial.operations[at].number for at in longest)
    stuck = _stuck(serial, longest)
    return violation(Why.NO_SERIAL_ORDER, stuck, stuck[0] if stuck else None, prefix)


def _stuck(serial: Serial, longest: list[int]) -> tuple[int, ...]:
    """The first operation of each session that the longest beginning does not reach."""
    done = set(longest)
    first: dict[str, int] = {}
    for at, operation in enumerate(serial.operations):
        if at not in done:
            first.setdefault(operation.process, operation.number)
    return tuple(sorted(first.values()))


class _Objects:
    """Any objects together: sessions, unknown operations, and how one step of the search goes on."""

    def __init__(self, history: History, model: Model) -> None:
        self.model = model
        found: dict[str, list[Operation]] = {}
        self.loose = [each for each in history.operations if each.status is Status.INFO and each.call is not Call.READ]
        for each in history.operations:
            if each.status is Status.OK:
                found.setdefault(each.process, []).append(each)
        self.sessions = list(found.values())
        names = list(found)
        self.home = [names.index(each.process) if each.process in found else -1 for each in self.loose]
        self.behind = [
            sum(1 for each in found.get(loose.process, ()) if each.number < loose.number) for loose in self.loose
        ]
        groups = history.keys() if model.per_key else {None: list(history.operations)}
        self.places = {key: at for at, key in enumerate(groups)}
        self.start = tuple(model.start(history.initial, group) for group in groups.values())
        self.total = sum(len(session) for session in self.sessions)

    def after(self, state: Any, operation: Operation) -> Any:
        """All objects after the operation; REFUSED if it could not have returned what it did."""
        place = self.places[operation.key if self.model.per_key else None]
        new = self.model.step(state[place], operation)
        return REFUSED if new is REFUSED else (*state[:place], new, *state[place + 1 :])

    def options(self, place: Place) -> list[Place]:
        """Where the search may go on; an operation that changes nothing is taken at once, alone."""
        at, used, state, path, count = place
        found: list[Place] = []
        for number, session in enumerate(self.sessions):
            if at[number] < len(session):
                operation = session[at[number]]
                new = self.after(state, operation)
                if new is not REFUSED:
                    moved = (*at[:number], at[number] + 1, *at[number + 1 :])
                    found.append((moved, used, new, (operation.number, path), count + 1))
                    if self.model.pure(operation):
                        return found[-1:]
        for number, operation in enumerate(self.loose):
            waits = self.home[number] >= 0 and at[self.home[number]] < self.behind[number]
            if used >> number & 1 or waits:
                continue
            new = self.after(state, operation)
            if new is not REFUSED and new != state:
                found.append((at, used | 1 << number, new, (operation.number, path), count))
        return found


def sequential_search(history: History, model: Model, budget: Budget = BUDGET) -> Verdict:
    """The verdict about any objects, by search alone: keys together, states remembered."""
    objects = _Objects(history, model)
    stack: list[Place] = [((0,) * len(objects.sessions), 0, objects.start, None, 0)]
    seen: set[Any] = set()
    longest: tuple[int, Any] = (-1, None)
    steps = 0
    while stack:
        place = stack.pop()
        if place[4] > longest[0]:
            longest = place[4], place[3]
        if place[4] == objects.total:
            return OK
        for option in objects.options(place):
            steps += 1
            if steps > budget.steps or len(seen) > budget.memory:
                return unknown(Why.STEPS if steps > budget.steps else Why.MEMORY)
            if option[:3] not in seen:
                seen.add(option[:3])
                stack.append(option)
    prefix: list[int] = []
    path = longest[1]
    while path is not None:
        prefix.append(path[0])
        path = path[1]
    reached = set(prefix)
    stuck = [
        next((each.number for each in session if each.number not in reached), None) for session in objects.sessions
    ]
    shown = tuple(sorted(number for number in stuck if number is not None))
    return violation(Why.NO_SERIAL_ORDER, shown, shown[0] if shown else None, tuple(prefix[::-1]))


__all__ = ["Serial", "bits", "sequential_registers", "sequential_search"]
