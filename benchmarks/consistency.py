"""Judging histories, against what one writes first, in the same run.

The plain prototypes: Wing and Gong's search with memory for linearizability; the transitive closure of causality by
sets, then every pair of writes for every read; for sequential consistency a depth-first search that remembers where
it has been and saturates nothing. Each is held to a limit of steps, where it would not come back: then it is shown as
`gave up`, with the time until then. All judge histories generated with fixed seeds, good ones unless said otherwise.
Ours is to be no slower on any line. Both take turns; the best round counts, in time of the processor.

What grows with what is printed below: linearizability by operations and by clients, causality by operations.
"""

import random
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from engines.consistency import (
    CAS_REGISTER,
    KV,
    Call,
    History,
    HistoryBuilder,
    Model,
    Operation,
    Status,
    judge_history,
    linearizable,
    sequential_registers,
)
from engines.consistency.models import REFUSED

ROUNDS: Final = 3
CAUSAL: Final = ("causal", "ccv", "cm", "pram", "ryw", "mr", "mw", "wfr")
PLAIN_STEPS: Final = 1_000_000


def register_history(
    seed: int,
    size: int,
    clients: int,
    keys: int = 1,
    calls: tuple[Call, ...] = (Call.READ, Call.WRITE, Call.CAS),
    unknown: float = 0.0,
    bad_after: int | None = None,
) -> History:
    """Clients of one store that works: each operation takes effect at a moment of its interval.

    ``unknown``: the share of changes whose outcome the client never learns; half of them took effect, and a new
    process goes on. ``bad_after``: the first read after so many operations returns what nobody wrote last.
    """  # fmt: skip
    draw = random.Random(seed)
    build = HistoryBuilder("" if Call.APPEND in calls else None)
    state: dict[str, Any] = {}
    names = [str(number) for number in range(clients)]
    next_name = clients
    open_: dict[int, list[Any]] = {}
    begun = 0
    while begun < size or open_:
        client = draw.randrange(clients)
        if client not in open_:
            if begun < size:
                begun += 1
                call, key = draw.choice(calls), f"k{draw.randrange(keys)}"
                value: Any = None
                if call is Call.CAS:
                    value = (draw.randrange(5), draw.randrange(5))
                elif call is not Call.READ:
                    value = f"x {client} {begun} y" if Call.APPEND in calls else draw.randrange(5)
                build.invoke(names[client], call, key, value)
                open_[client] = [call, key, value, False, None]
            continue
        operation = open_[client]
        call, key, value, effected, _ = operation
        if not effected:
            operation[3] = True
            if call is not Call.READ and draw.random() < unknown:
                build.complete(names[client], Status.INFO)
                names[client] = str(next_name)
                next_name += 1
                del open_[client]
                if draw.random() < 0.5:
                    continue
            old = state.get(key, build.initial)
            operation[4] = old
            if call is Call.WRITE:
                state[key] = value
            elif call is Call.APPEND:
                state[key] = old + value
            elif call is Call.CAS and value[0] == old:
                state[key] = value[1]
            continue
        del open_[client]
        if call is Call.READ:
            seen = operation[4]
            if bad_after is not None and begun > bad_after:
                seen, bad_after = f"{seen}x 0 0 y", None
            build.complete(names[client], Status.OK, seen)
        elif call is Call.CAS and value[0] != operation[4]:
            build.complete(names[client], Status.FAIL)
        else:
            build.complete(names[client], Status.OK)
    return build.build()


def replicated_history(seed: int, size: int, sessions: int, keys: int, ordered: bool) -> History:
    """Unique writes, applied at each replica in causal order, or everywhere in one order (``ordered``)."""
    draw = random.Random(seed)
    build = HistoryBuilder(0)
    log: list[tuple[str, int, int, tuple[int, ...]]] = []
    at = [0] * sessions
    held: list[dict[str, int]] = [{} for _ in range(sessions)]
    clock = [[0] * sessions for _ in range(sessions)]
    queues: list[list[int]] = [[] for _ in range(sessions)]
    for number in range(size):
        me = draw.randrange(sessions)
        name, key = f"s{me}", f"k{draw.randrange(keys)}"
        if ordered:
            for _ in range(draw.randrange(4)):
                if at[me] < len(log):
                    held[me][log[at[me]][0]] = log[at[me]][1]
                    at[me] += 1
        else:
            for _ in range(draw.randrange(4)):
                _deliver(queues[me], log, clock[me], held[me])
        if draw.random() < 0.4:
            build.invoke(name, Call.WRITE, key, number + 1)
            if ordered:
                log.append((key, number + 1, me, ()))
                for entry in log[at[me] :]:
                    held[me][entry[0]] = entry[1]
                at[me] = len(log)
            else:
                clock[me][me] += 1
                held[me][key] = number + 1
                log.append((key, number + 1, me, tuple(clock[me])))
                for other in range(sessions):
                    if other != me:
                        queues[other].append(len(log) - 1)
            build.complete(name, Status.OK)
        else:
            build.invoke(name, Call.READ, key)
            build.complete(name, Status.OK, held[me].get(key, 0))
    return build.build()


def _deliver(queue: list[int], log: list[Any], clock: list[int], held: dict[str, int]) -> None:
    for place, number in enumerate(queue):
        key, value, source, stamp = log[number]
        if all(seen <= clock[each] + (each == source) for each, seen in enumerate(stamp)):
            clock[source] += 1
            held[key] = value
            del queue[place]
            return


def wing_gong(history: History, model: Model) -> bool | None:
    """The prototype: try what may be next, remember where it has been. None: it gave up."""
    groups = history.keys().values() if model.per_key else [list(history.operations)]
    steps = 0
    for group in groups:
        ops = [op for op in group if op.status is not Status.FAIL]
        must = sum(1 << at for at, op in enumerate(ops) if op.status is Status.OK)
        seen: set[Any] = set()
        stack = [(0, model.start(history.initial, group))]
        while stack:
            done, state = stack.pop()
            if done & must == must:
                break
            if (done, state) in seen:
                continue
            seen.add((done, state))
            steps += 1
            if steps > PLAIN_STEPS // 10:
                return None
            first_end = min(op.end for at, op in enumerate(ops) if op.end is not None and not done >> at & 1)
            for at, op in enumerate(ops):
                if not done >> at & 1 and op.start < first_end:
                    after = model.step(state, op)
                    if after is not REFUSED:
                        stack.append((done | 1 << at, after))
        else:
            return False
    return True


def closure(history: History) -> bool:
    """The prototype: what is before each operation as a set, then WriteCORead and WriteCOInitRead by the definition."""
    ops = history.operations
    writer = {(op.key, op.value): op.number for op in ops if op.call is Call.WRITE}
    before: list[set[int]] = []
    last: dict[str, int] = {}
    for op in ops:
        past: set[int] = set()
        near = [last[op.process]] if op.process in last else []
        if op.call is Call.READ and (op.key, op.value) in writer:
            near.append(writer[op.key, op.value])
        for each in near:
            past |= before[each]
            past.add(each)
        before.append(past)
        last[op.process] = op.number
    for op in ops:
        if op.call is Call.READ:
            own = writer.get((op.key, op.value))
            for each in before[op.number]:
                other = ops[each]
                newer = other.call is Call.WRITE and other.key == op.key and each != own
                if newer and (own is None or own in before[each]):
                    return False
    return True


def plain_serial(history: History) -> bool | None:
    """The prototype: a depth-first search over how far each session is. None: it gave up."""
    sessions = list(history.sessions().values())
    stack: list[tuple[tuple[int, ...], tuple[tuple[Any, Any], ...]]] = [((0,) * len(sessions), ())]
    seen = set()
    ends = tuple(len(session) for session in sessions)
    while stack:
        place = stack.pop()
        if place[0] == ends:
            return True
        if place in seen:
            continue
        seen.add(place)
        if len(seen) > PLAIN_STEPS // 4:
            return None
        at, state = place
        held = dict(state)
        for number, session in enumerate(sessions):
            if at[number] < ends[number]:
                operation: Operation = session[at[number]]
                moved = (*at[:number], at[number] + 1, *at[number + 1 :])
                if operation.call is Call.WRITE:
                    stack.append((moved, tuple(sorted({**held, operation.key: operation.value}.items()))))
                elif held.get(operation.key, 0) == operation.value:
                    stack.append((moved, state))
    return False


def timed(action: Callable[[], Any], rounds: int = ROUNDS) -> tuple[float, Any]:
    """(best time in milliseconds, what it returned)."""
    best, found = float("inf"), None
    for _ in range(rounds):
        start = time.process_time()
        found = action()
        best = min(best, (time.process_time() - start) * 1_000)
    return best, found


def _line(what: str, ours: float, theirs: float, gave_up: bool) -> str:
    times = f"{ours:9.2f} ms   prototype {theirs:9.2f} ms{' (gave up)' if gave_up else ''}"
    return f"{what:<52}{times}   {theirs / ours:6.1f}x"


def cas_lines() -> list[str]:
    """A hundred histories of five clients, with unknown outcomes."""
    ours, theirs, gave_up = [], [], 0
    for seed in range(100):
        seen = register_history(seed, 90, 5, unknown=0.12)
        mine, verdict = timed(partial(linearizable, seen, CAS_REGISTER), 1)
        other, plain = timed(partial(wing_gong, seen, CAS_REGISTER), 1)
        assert verdict.ok
        assert plain is not False
        gave_up += plain is None
        ours.append(mine)
        theirs.append(other)
    return [
        _line("linearizable, 100 cas histories, median", statistics.median(ours), statistics.median(theirs), False),
        _line("linearizable, 100 cas histories, worst", max(ours), max(theirs), gave_up > 0),
    ]


def lines() -> list[str]:
    """All of it, as lines of text."""
    out = ["consistency", *cas_lines()]
    calls = (Call.READ, Call.APPEND, Call.APPEND)
    for name, bad in (("good", None), ("bad", 1_500)):
        seen = register_history(7, 1_700, 50, 10, calls, bad_after=bad)
        ours, verdict = timed(partial(linearizable, seen, KV))
        theirs, plain = timed(partial(wing_gong, seen, KV), 1)
        assert verdict.ok is (bad is None)
        assert plain is None or plain is verdict.ok
        out.append(_line(f"linearizable, kv, 1,700 operations, 50 clients, {name}", ours, theirs, plain is None))
    for size in (300, 1_000, 3_000, 10_000):
        seen = replicated_history(1, size, 6, 10, ordered=False)
        ours, report = timed(partial(judge_history, seen, wanted=("causal",)))
        theirs, plain = timed(partial(closure, seen), 1)
        assert report["causal"].ok
        assert plain
        out.append(_line(f"causal (CC), {size:,} operations", ours, theirs, False))
    for size in (100, 200, 400):
        seen = replicated_history(1, size, 5, 5, ordered=True)
        ours, verdict = timed(partial(sequential_registers, seen))
        theirs, plain = timed(partial(plain_serial, seen), 1)
        assert verdict.ok
        assert plain is not False
        out.append(_line(f"sequential, {size} operations", ours, theirs, plain is None))
    return [*out, *growth()]


def growth() -> list[str]:
    """How the cost grows: causality with operations, linearizability with operations and with clients."""
    causal = []
    for size in (300, 1_000, 3_000):
        seen = replicated_history(1, size, 6, 10, ordered=False)
        causal.append(f"{size:,}: {timed(partial(judge_history, seen, wanted=CAUSAL), 1)[0]:.0f} ms")
    sizes = []
    for size in (250, 500, 1_000, 2_000):
        seen = register_history(1, size, 5)
        sizes.append(f"{size:,}: {timed(partial(linearizable, seen, CAS_REGISTER))[0]:.1f} ms")
    clients = []
    for many in (2, 4, 8, 12):
        ms, verdict = timed(partial(linearizable, register_history(1, 500, many), CAS_REGISTER))
        clients.append(f"{many}: {ms:.1f} ms{'' if verdict.ok else ' (unknown)'}")
    return [
        "CC, CCv, CM, PRAM and sessions, by operations: " + ", ".join(causal),
        "linearizable, cas, 5 clients, by operations:   " + ", ".join(sizes),
        "linearizable, cas, 500 operations, by clients: " + ", ".join(clients),
    ]


__all__ = ["lines"]
