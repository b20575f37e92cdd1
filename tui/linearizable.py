"""The judge of client histories, for worlds whose clients were promised linearizability.

An engine keeps its history and knows no judge; whoever runs it asks this one at the end. The judges themselves are
those of ``engines.consistency``: here a history of a store of integers is put into their words. Every key is a
register: ``set`` writes it, ``get`` reads it, ``del`` exchanges what it takes away for nothing, and ``add`` adds.
"""

from collections.abc import Sequence
from typing import Any, Final

from engines.consensus.operations import written
from engines.consistency import CAS_REGISTER, Budget, Call, Verdict, linearizable
from engines.consistency import History as Judged
from engines.consistency import Operation as Judgeable
from engines.consistency import Status as Outcome
from engines.consistency.models import COUNTER
from engines.consistency.verdict import OK as LEGAL
from engines.sim.history import CLIENT_HISTORY, FAILED, OK, Operation
from engines.sim.pattern import Check
from engines.units import stamp

BUDGET: Final = Budget(steps=400_000, memory=50_000)
"""What a verdict may cost: a second or so."""
_OUTCOMES: Final = {OK: Outcome.OK, FAILED: Outcome.FAIL}


def _call(each: Operation) -> tuple[Call, Any]:
    """What an operation does to its key, and what is known of its values."""
    match each.f:
        case "get":
            return Call.READ, each.result
        case "add":
            return Call.APPEND, (each.value, each.result)
        case "del" if each.status == OK:
            return Call.CAS, (each.result, None)
        case "del":
            return Call.WRITE, None
        case _:
            return Call.WRITE, each.value


def _judgeable(number: int, each: Operation) -> Judgeable:
    call, value = _call(each)
    return Judgeable(
        number, each.client, call, each.key, value, _OUTCOMES.get(each.status, Outcome.INFO), each.start, each.end,
        each.invoked_us, each.returned_us,
    )  # fmt: skip


def _told(each: Operation) -> str:
    asked = f"{each.client} asked {written(each.f, each.key, each.value or 0)} at {stamp(each.invoked_us)}"
    if each.returned_us is None:
        return f"{asked} and was never answered"
    return f"{asked} and was told {'nothing' if each.result is None else each.result} at {stamp(each.returned_us)}"


def _check(operations: Sequence[Operation], verdict: Verdict) -> Check:
    count = "1 operation" if len(operations) == 1 else f"{len(operations):,} operations"
    if verdict.ok:
        return Check(CLIENT_HISTORY, True, f"what clients were told fits one order in real time: {count} judged")
    if not verdict.broken:
        why = verdict.why.value if verdict.why else "budget"
        return Check(CLIENT_HISTORY, True, f"no verdict on {count}: too many orders for the judge's {why}")
    assert verdict.witness is not None
    impossible = verdict.witness.impossible
    assert impossible is not None
    shown = sorted({*verdict.witness.operations, impossible})
    detail = f"nothing explains what {operations[impossible].client} was told of {operations[impossible].key}"
    told = tuple(_told(operations[number]) for number in shown)
    return Check(CLIENT_HISTORY, False, detail, told, at_us=operations[impossible].returned_us)


def linearizable_store(operations: Sequence[Operation]) -> Check:
    """Whether the clients of a store of integers saw it as if it were one machine."""
    added = {each.key for each in operations if each.f == "add"}
    found = LEGAL
    for model in (CAS_REGISTER, COUNTER):
        chosen = tuple(
            _judgeable(number, each)
            for number, each in enumerate(operations)
            if (each.key in added) == (model is COUNTER)
        )
        verdict = linearizable(Judged(chosen), model, BUDGET)
        if verdict.broken or not verdict.ok:
            found = verdict
        if found.broken:
            break
    return _check(operations, found)


__all__ = ["BUDGET", "linearizable_store"]
