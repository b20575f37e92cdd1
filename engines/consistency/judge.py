"""All judges over one history.

Which judge may answer follows from the history: the causal ones, PRAM, the sessions and the regular register speak of
reads and writes of unique values, whose initial value nobody writes; a cas counts for them as its read, then its write.
Where that does not hold they answer ``unknown`` and say so. ``info`` writes are in the history for every judge.

What one judge knows another uses: a linearizable history is everything else, and what breaks CC, CM or CCv is no
sequential history. The names are those of the command line; ``causal`` is CC.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from engines.consistency.causal import MODELS, CausalJudge
from engines.consistency.history import Call, History, Operation, Status
from engines.consistency.linearizability import linearizable
from engines.consistency.models import MODELS as OBJECTS
from engines.consistency.models import Model, guess
from engines.consistency.outcome import converged
from engines.consistency.regular import regular
from engines.consistency.sequential import sequential_registers, sequential_search
from engines.consistency.sessions import GUARANTEES, SessionJudge
from engines.consistency.verdict import BUDGET, OK, Budget, Verdict, Why, unknown

NAMES: Final = (
    "linearizable", "regular", "sequential", "causal", "ccv", "cm", "pram", "ryw", "mr", "mw", "wfr", "convergence",
)  # fmt: skip

IMPLIES: Final = (
    ("linearizable", "sequential"),
    ("linearizable", "regular"),
    ("sequential", "cm"),
    ("sequential", "ccv"),
    ("cm", "causal"),
    ("ccv", "causal"),
    ("cm", "pram"),
    ("causal", "ryw"),
    ("causal", "mr"),
    ("causal", "mw"),
    ("causal", "wfr"),
)
"""What holds wherever another holds, in the senses judged here. CM and CCv are incomparable; neither CC nor CCv implies
PRAM."""


@dataclass(frozen=True, slots=True)
class Report:
    """Every model's verdict about a history."""

    verdicts: dict[str, Verdict]
    model: Model

    def __getitem__(self, name: str) -> Verdict:
        return self.verdicts[name]


def split_cas(history: History) -> History:
    """Each cas as its read, then its write, in its place in the session; the indices still name the cas."""
    if not any(each.call is Call.CAS for each in history.operations):
        return history
    found: list[Operation] = []
    for each in history.operations:
        if each.call is not Call.CAS:
            found.append(each)
        elif each.status is not Status.FAIL:
            old, new = each.value
            found.append(each._replace(call=Call.READ, value=old))
            found.append(each._replace(call=Call.WRITE, value=new))
    return replace(history, operations=tuple(found))


def lacks(history: History) -> Why | None:
    """What keeps the judges of unique values from answering."""
    written: set[tuple[Any, Any]] = set()
    for each in history.operations:
        if each.call not in (Call.READ, Call.WRITE):
            return Why.NOT_A_REGISTER
        if each.call is Call.WRITE and each.status is not Status.FAIL:
            if each.value == history.initial:
                return Why.INITIAL_WRITTEN
            if (each.key, each.value) in written:
                return Why.VALUES_NOT_UNIQUE
            written.add((each.key, each.value))
    return None


def feed(history: History, wanted: tuple[str, ...] = NAMES) -> tuple[CausalJudge, SessionJudge]:
    """Hand a history of unique values to the judges of causality and of sessions.

    Writes in the order of their invocation, reads in that of their return; a read of a write that is not there yet
    waits, and its session with it. If everybody waits, causality is cyclic: time is set aside, and only PRAM is
    judged on.
    """
    judge = CausalJudge(tuple(name for name in MODELS if name in wanted))
    sessions = SessionJudge(judge.order, tuple(each for each in GUARANTEES if each.value in wanted))
    values = {(each.key, each.value) for each in history.operations if _written(each)}
    queue = sorted((each for each in history.operations if _matters(each)), key=_moment)
    while queue:
        waiting: list[Operation] = []
        blocked: set[str] = set()
        for each in queue:
            if each.process in blocked or not _take(each, history.initial, values, judge, sessions):
                waiting.append(each)
                blocked.add(each.process)
        if len(waiting) == len(queue):
            heads: dict[str, int] = {}
            for each in waiting:
                heads.setdefault(each.process, each.number)
            judge.cyclic(tuple(sorted(heads.values())))
            _go_on(waiting, history.initial, judge)
            break
        queue = waiting
    return judge, sessions


def _written(each: Operation) -> bool:
    return each.call is Call.WRITE and each.status is not Status.FAIL


def _matters(each: Operation) -> bool:
    return each.status is Status.OK or _written(each)


def _moment(each: Operation) -> tuple[int, int]:
    if each.call is Call.WRITE or each.end is None:
        return each.start, each.number
    return each.end, each.number


def _take(each: Operation, initial: Any, values: set[Any], judge: CausalJudge, sessions: SessionJudge) -> bool:
    """Hand over one operation; False if it reads a write that is still to come."""
    order = judge.order
    if each.call is Call.WRITE:
        sessions.begins(each.process, each.key, each.value)
        if each.status is Status.INFO:
            order.set_aside(each.number, each.process, each.key, each.value)
            return True
        write = order.write(each.number, each.process, each.key, each.value)
        sessions.wrote(write)
        judge.wrote(each.process, write)
        return True
    known = order.find(each.key, each.value)
    if known is None and each.value != initial:
        if (each.key, each.value) in values:
            return False
        judge.thin_air(each.number)
        return True
    judge.saw(each.number, each.process, each.key, known)
    sessions.saw(each.number, each.process, each.key, known)
    return True


def _go_on(waiting: list[Operation], initial: Any, judge: CausalJudge) -> None:
    """CO is cyclic: put all writes in their chains, then let every session read."""
    for each in waiting:
        if each.call is Call.WRITE:
            if each.status is Status.INFO:
                judge.order.set_aside(each.number, each.process, each.key, each.value)
            else:
                judge.order.write(each.number, each.process, each.key, each.value)
    for each in waiting:
        known = judge.order.find(each.key, each.value)
        if each.call is Call.WRITE:
            if each.status is Status.OK and known is not None:
                judge.wrote(each.process, known)
        elif known is None and each.value != initial:
            judge.thin_air(each.number)
        else:
            judge.saw(each.number, each.process, each.key, known)


def _causal_names(history: History, wanted: tuple[str, ...]) -> dict[str, Verdict]:
    judge, sessions = feed(history, wanted)
    found = dict(judge.verdicts)
    cyclic = judge.cycle
    for guarantee, verdict in sessions.verdicts.items():
        found[guarantee.value] = unknown(Why.CYCLIC_SESSIONS) if cyclic and verdict.ok else verdict
    return {name: found[name] for name in found if name in wanted}


def judge_history(
    history: History, model: Model | None = None, budget: Budget = BUDGET, wanted: tuple[str, ...] = NAMES
) -> Report:
    """Every wanted model's verdict; without a ``model`` the smallest that knows the calls."""
    if model is None:
        model = guess({each.call for each in history.operations}) or OBJECTS["register"]
    found: dict[str, Verdict] = {}
    plain = split_cas(history)
    lacking = lacks(plain)
    judges: dict[str, Callable[[], Verdict]] = {
        "linearizable": lambda: linearizable(history, model, budget),
        "regular": lambda: regular(plain) if lacking is None else unknown(lacking),
        "convergence": lambda: converged(history),
    }
    for name, judge in judges.items():
        if name in wanted:
            found[name] = judge()
    implied = ("causal", "ccv", "cm") if "sequential" in wanted else ()
    causal = tuple(name for name in NAMES[3:11] if name in wanted or name in implied)
    if causal:
        short = lacking or (Why.MEMORY if len(plain.operations) > budget.memory else None)
        found |= _causal_names(plain, causal) if short is None else dict.fromkeys(causal, unknown(short))
    if "sequential" in wanted:
        found["sequential"] = _sequential(history, plain, model, lacking, found, budget)
    return Report({name: found[name] for name in NAMES if name in found and name in wanted}, model)


def _sequential(
    history: History, plain: History, model: Model, lacking: Why | None, found: dict[str, Verdict], budget: Budget
) -> Verdict:
    if "linearizable" in found and found["linearizable"].ok:
        return OK
    for name in ("causal", "cm", "ccv"):
        if name in found and found[name].broken:
            return found[name]
    if len(history.operations) > budget.memory:
        return unknown(Why.MEMORY)
    if lacking is None and plain is history:
        return sequential_registers(history, budget)
    return sequential_search(history, model, budget)


__all__ = ["IMPLIES", "NAMES", "Report", "feed", "judge_history", "lacks", "split_cas"]
