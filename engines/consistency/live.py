"""All judges over a history that is still growing.

Each invocation and each return costs what it adds, not what was there before: linearizability keeps the
configurations a key can be in, causality its vectors. Two answers are taken from others while that is possible: what
is linearizable is sequential and regular, and what breaks CC, CM or CCv is not sequential. Where neither says
anything, an order of the writes that the system itself names (its log) is tried as a certificate; without one, an order
is kept and extended (``live_serial``).

An operation that is still open may have happened or not; a read of which nothing is known yet binds nothing. So a
violation is final as soon as it is seen, and never later than at the return that shows it.
"""

from typing import Any, Final

from engines.consistency.causal import CausalJudge
from engines.consistency.configurations import Linearizer, OutOfBudgetError
from engines.consistency.history import Call, History, HistoryBuilder, Key, Operation, Status
from engines.consistency.judge import NAMES
from engines.consistency.linearizability import linearizable
from engines.consistency.live_serial import LiveSerial
from engines.consistency.models import REGISTER
from engines.consistency.regular import regular_zones, zones_of
from engines.consistency.sessions import GUARANTEES, SessionJudge
from engines.consistency.verdict import OK, Answer, Budget, Verdict, Why, unknown, violation

LIVE_BUDGET: Final = Budget(20_000, 5_000)


class LiveKey:
    """Linearizability of one key: what is settled, and what came behind an operation that is still open."""

    def __init__(self, initial: Any) -> None:
        self.settled = Linearizer(REGISTER, initial, LIVE_BUDGET)
        self.waiting: list[tuple[int, bool]] = []
        """(operation, whether it returns), in order, from the first that is still open."""

    def judge(self, operations: list[Operation], open_: dict[str, int]) -> int | None:
        """The operation whose return nothing explains; None if there is none. OutOfBudgetError."""
        still = dict.fromkeys(open_.values())
        while self.waiting and self.waiting[0][0] not in still:
            number, returns = self.waiting.pop(0)
            if not _step(self.settled, operations[number], returns):
                return number
        ahead = self.settled.copy()
        for number, returns in self.waiting:
            if not _step(ahead, operations[number], returns):
                return number
        return None


def _step(judge: Linearizer, operation: Operation, returns: bool) -> bool:
    if operation.status is Status.FAIL:
        return True
    if returns:
        return operation.status is not Status.OK or judge.returns(operation)
    judge.invoke(operation)
    return True


class Fresh:
    """Staleness of one key: completed writes in the order of their returns, each with the latest start so far."""

    def __init__(self) -> None:
        self.ends: list[int] = []
        self.ends_us: list[int] = []
        self.starts: list[int] = []
        self.latest: list[int] = []
        self.place: dict[Any, int] = {}

    def wrote(self, write: Operation) -> None:
        """A write returned."""
        assert write.end is not None
        self.place[write.value] = len(self.ends)
        self.ends.append(write.end)
        self.ends_us.append(write.end_us or 0)
        self.starts.append(write.start)
        self.latest.append(max(write.start, self.latest[-1] if self.latest else -1))

    def age_us(self, read: Operation, initial: Any, open_write: bool) -> int | None:
        """Since when the value a read returned had been overwritten when it began; None: it was fresh."""
        place = self.place.get(read.value)
        if place is None and (read.value != initial or open_write):
            return None
        own_end = -1 if place is None else self.ends[place]
        for at in range(0 if place is None else place + 1, len(self.ends)):
            if self.ends[at] >= read.start:
                return None
            if self.starts[at] > own_end:
                return read.start_us - self.ends_us[at]
        return None


class LiveJudge:
    """One history of reads and writes, of values that are unique per key."""

    def __init__(self, initial: Any = 0) -> None:
        self.build = HistoryBuilder(initial)
        self.initial = initial
        self.causal = CausalJudge()
        self.sessions = SessionJudge(self.causal.order)
        self.keys: dict[Key, LiveKey] = {}
        self.of_key: dict[Key, list[int]] = {}
        self.fresh: dict[Key, Fresh] = {}
        self.linear: Verdict = OK
        self.regular: Verdict = OK
        self.serial: Verdict = OK
        self.since: dict[Key, int] = {}
        """How many operations of a key returned since its regularity was judged."""
        self.line = LiveSerial(initial, LIVE_BUDGET)
        self.places: dict[tuple[Key, Any], int] = {}
        """The system's own order of the writes, as far as it named one."""
        self.of_place: dict[Key, list[int]] = {}
        self.cursors: dict[str, int] = {}
        self.certified = True
        """Whether that order explains everything so far."""
        self.reads = 0
        self.stale = 0

    # -- what happens ------------------------------------------------------------------------------------------

    def invoke(self, process: str, call: Call, key: Key, value: Any, at_us: int) -> int:
        """A client asks; return the operation's number."""
        number = self.build.invoke(process, call, key, value, at_us)
        self.of_key.setdefault(key, []).append(number)
        if not self.linear.broken:
            self.keys.setdefault(key, LiveKey(self.initial)).waiting.append((number, False))
        if call is Call.WRITE:
            self.sessions.begins(process, key, value)
            self.line.wrote(number, key, value)
            self.causal.order.open_write(number, process, key, value)
            self.causal.wrote(process, self.causal.order.by_value[key, value])
        return number

    def complete(self, process: str, status: Status, value: Any, at_us: int) -> Operation:
        """A client learns the outcome, or gives up."""
        operation = self.build.complete(process, status, value, at_us)
        ok = status is Status.OK
        if ok:
            self.line.returned(operation)
        if operation.call is Call.WRITE:
            self.causal.settled(process, ok)
            if ok:
                self.sessions.wrote(self.causal.order.by_value[operation.key, operation.value])
                self.fresh.setdefault(operation.key, Fresh()).wrote(operation)
        elif ok:
            self._read(operation)
        if not self.linear.broken:
            live = self.keys[operation.key]
            if ok:
                live.waiting.append((operation.number, True))
            self._linear(operation.key, live)
        self.since[operation.key] = self.since.get(operation.key, 0) + 1
        self._certify(operation)
        self._others()
        return operation

    def place(self, key: Key, value: Any, place: int) -> None:
        """The system orders a write: it stands at this place among all writes, behind every one named before."""
        self.places[key, value] = place
        self.of_place.setdefault(key, []).append(place)

    # -- the judges ----------------------------------------------------------------------------------------------

    def verdicts(self) -> dict[str, Verdict]:
        """Every model's answer so far, but for convergence."""
        found = {"linearizable": self.linear, "regular": self.regular, "sequential": self.serial}
        found |= self.causal.verdicts
        found |= {guarantee.value: self.sessions.verdicts[guarantee] for guarantee in GUARANTEES}
        return {name: found[name] for name in NAMES if name in found}

    def age_us(self, read: Operation) -> int | None:
        """How long the value a read returned had been overwritten when it began; None: it was fresh."""
        fresh = self.fresh.get(read.key)
        open_write = (read.key, read.value) in self.causal.order.by_value and (
            fresh is None or read.value not in fresh.place
        )
        return None if fresh is None else fresh.age_us(read, self.initial, open_write)

    def history(self) -> History:
        """The whole history so far."""
        return self.build.build()

    def _read(self, operation: Operation) -> None:
        self.reads += 1
        if self.age_us(operation) is not None:
            self.stale += 1
        write = self.causal.order.find(operation.key, operation.value)
        if write is None and operation.value != self.initial:
            self.causal.thin_air(operation.number)
            return
        self.causal.saw(operation.number, operation.process, operation.key, write)
        self.sessions.saw(operation.number, operation.process, operation.key, write)

    def _linear(self, key: Key, live: LiveKey) -> None:
        try:
            impossible = live.judge(self.build.operations, self.build.open)
        except OutOfBudgetError as error:
            self.linear = unknown(error.why)
            return
        if impossible is not None:
            self.linear = self._witness(key, impossible)
            self.keys.clear()

    def _witness(self, key: Key, impossible: int) -> Verdict:
        """The same again over the key's whole history, to say what stands against the return."""
        operations = self.build.operations
        mine = tuple(operations[number] for number in self.of_key[key])
        found = linearizable(History(mine, self.initial), REGISTER)
        return found if found.broken else violation(Why.IMPOSSIBLE_RETURN, (impossible,), impossible)

    def _certify(self, operation: Operation) -> None:
        """Whether the system's own order still explains everything: each session moves forward along it."""
        if not self.certified or operation.status is not Status.OK:
            return
        cursor = self.cursors.get(operation.process, -1)
        if operation.call is Call.READ and operation.value == self.initial:
            first = self.of_place.get(operation.key)
            self.certified = not first or cursor < first[0]
            return
        place = self.places.get((operation.key, operation.value))
        if place is None:
            self.certified = False
        elif operation.call is Call.WRITE:
            self.certified = place > cursor
            self.cursors[operation.process] = max(cursor, place)
        else:
            after = next((each for each in reversed(self.of_place[operation.key]) if each <= max(cursor, place)), place)
            self.certified = after == place
            self.cursors[operation.process] = max(cursor, place)

    def _others(self) -> None:
        """Regularity and sequential consistency, once linearizability does not answer for them."""
        if self.linear.ok:
            return
        if self.regular.ok:
            for key, numbers in self.of_key.items():
                since = self.since.get(key, 0)
                if since and since >= len(numbers) // 16:
                    self.since[key] = 0
                    self._regular(key, numbers)
        if self.serial.broken:
            return
        for name in ("causal", "cm", "ccv"):
            if self.causal.verdicts[name].broken:
                self.serial = self.causal.verdicts[name]
                return
        self.serial = OK if self.certified else self.line.judge(self.build.operations)

    def _regular(self, key: Key, numbers: list[int]) -> None:
        zones, impossible = zones_of([self.build.operations[number] for number in numbers], self.initial)
        verdict = impossible or regular_zones(zones)
        if verdict.broken:
            self.regular = verdict


__all__ = ["LIVE_BUDGET", "Answer", "Fresh", "LiveJudge"]
