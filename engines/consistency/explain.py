"""Verdicts in words, for reports and for whoever uses the library.

A verdict carries a code and operation numbers; here they become a sentence that names the operations as a person would:
``B read x=1``. The sense in which a model is meant stands beside its name: the literature uses the same words for
different things.
"""

from typing import Final

from engines.consistency.formats.records import text_of
from engines.consistency.formats.timeline import label
from engines.consistency.history import Call, History, Operation, Status
from engines.consistency.verdict import Answer, Verdict, Why

SENSES: Final = {
    "linearizable": "one order of all operations of a key, each within its interval",
    "regular": "one order of the writes, true to time; each read alone sees the last or an overlapping one",
    "sequential": "one order of all operations, keys together, along every session",
    "causal": "CC: each operation alone is explained by its causal past, in some order",
    "ccv": "CC, and all agree on one order of the writes",
    "cm": "CC, and each session's operations together are explained by one order of its past",
    "pram": "each session can put all writes and its own reads in one order",
    "ryw": "read your writes, as far as values show it",
    "mr": "monotonic reads, as far as values show it",
    "mw": "monotonic writes, as far as values show it",
    "wfr": "writes follow reads, as far as values show it",
    "convergence": "the last reads agree, once all writes are over",
}


RETURN_BY_RETURN: Final = (
    Why.THIN_AIR, Why.WRITE_CO_INIT_READ, Why.WRITE_CO_READ, Why.CYCLIC_CF, Why.CYCLIC_HB, Why.WRITE_HB_INIT_READ,
    Why.RYW, Why.MR, Why.MR_OR_WFR, Why.MW, Why.WFR,
)  # fmt: skip


def named(operation: Operation) -> str:
    """``B r x=1``."""
    tail = {Status.OK: "", Status.FAIL: " (failed)", Status.INFO: " (unanswered)"}[operation.status]
    who = operation.process
    return f"{'p' if who[:1].isdigit() else ''}{who} {label(operation)}{tail}"


def timed(operation: Operation, history: History) -> str:
    """The operation with its place in time, where that is known."""
    if not history.real_time or not history.timed:
        return named(operation)
    if operation.end is None:
        return f"{named(operation)}  from {_moment(operation.start_us)} on"
    return f"{named(operation)}  {_moment(operation.start_us)} to {_moment(operation.end_us or 0)}"


def _moment(us: int) -> str:
    if us < 1_000:
        return f"{us} us"
    whole, part = divmod(us, 1_000)
    return f"{whole}.{part:03d}".rstrip("0").rstrip(".") + " ms"


def sentence(verdict: Verdict, history: History) -> str:
    """Why the answer is what it is; empty for a plain ok."""
    if verdict.answer is Answer.OK or verdict.why is None:
        return ""
    if verdict.answer is Answer.UNKNOWN:
        return _lacking(verdict.why, history)
    assert verdict.witness is not None
    shown = [history.operations[number] for number in verdict.witness.operations]
    last = verdict.witness.impossible
    impossible = history.operations[last] if last is not None else None
    return _broken(verdict.why, shown, impossible)


def _lacking(why: Why, history: History) -> str:
    match why:
        case Why.NO_REAL_TIME:
            return f"real time is not known: {history.doubt or 'only the order of each session is'}"
        case Why.VALUES_NOT_UNIQUE:
            return "a value was written twice to one key, so a read does not tell which write it saw"
        case Why.INITIAL_WRITTEN:
            return "somebody wrote the initial value, so a read of it does not tell what it saw"
        case Why.NOT_A_REGISTER:
            return "this model speaks of reads and writes only"
        case Why.STEPS | Why.MEMORY:
            return f"too hard to decide within the {why.value}"
        case Why.NO_FINAL_READS:
            return "no two sessions read the same key after all writes were over"
        case Why.OPEN_WRITES:
            return "the outcome of a write is unknown, so the writes are never over"
        case Why.CYCLIC_SESSIONS:
            return "causality has a cycle, so nothing is older than anything"
        case _:
            return str(why.value)


def _broken(why: Why, shown: list[Operation], impossible: Operation | None) -> str:
    last = named(impossible) if impossible is not None else ""
    others = [named(each) for each in shown if each is not impossible]
    names = ", ".join(others)
    match why:
        case Why.IMPOSSIBLE_RETURN:
            if impossible is not None and impossible.call is Call.READ and others:
                return f"nothing explains that {last} returned what it did, after {names}"
            return f"no order of the operations explains {last}{', after ' + names if others else ''}"
        case Why.NO_WRITE_ORDER:
            return f"no order of the writes explains all of {', '.join(named(each) for each in shown)}"
        case Why.NO_SERIAL_ORDER:
            return f"these cannot stand in one order: {', '.join(named(each) for each in shown)}"
        case Why.THIN_AIR:
            return f"{last}: nobody wrote that"
        case Why.CYCLIC_CO:
            return f"each is caused by another: {', '.join(named(each) for each in shown)}"
        case Why.WRITE_CO_INIT_READ | Why.WRITE_HB_INIT_READ:
            return f"{last} returned the initial value, although {names} was before it"
        case Why.WRITE_CO_READ:
            return f"{last} returned what it did, although {others[-1]} had overwritten it, causally before the read"
        case Why.CYCLIC_CF:
            return f"{names} are each ordered before the other, once with {last}"
        case Why.CYCLIC_HB:
            return f"for session {shown[-1].process} {names} are each before the other, once with {last}"
        case Why.RYW | Why.MR | Why.MR_OR_WFR | Why.MW | Why.WFR:
            newer = others[-1] if others else ""
            return f"{last} returned something older than {newer}, which its session had {_owed(why)}"
        case Why.DIVERGED:
            return f"after the last write {names} and {last} differ"
        case _:
            return str(why.value)


def _owed(why: Why) -> str:
    match why:
        case Why.RYW:
            return "written itself"
        case Why.MR | Why.MR_OR_WFR:
            return "read before"
        case Why.MW:
            return "to see behind a later write of the same session"
        case _:
            return "to see behind a write that followed reading it"


def legal_prefix(verdict: Verdict, history: History) -> tuple[int, ...]:
    """The longest legal beginning.

    A judge of one order names that order. The judges of causality and of sessions take returns one by one, so for
    them it is all that had returned before the first that nothing explains, in the order of the returns.
    """
    witness = verdict.witness
    if witness is None or witness.prefix or verdict.why not in RETURN_BY_RETURN or not history.real_time:
        return () if witness is None else witness.prefix
    last = None if witness.impossible is None else history.operations[witness.impossible].end
    if last is None:
        return ()
    before = [each for each in history.operations if each.done and each.end is not None and each.end < last]
    return tuple(each.number for each in sorted(before, key=lambda each: each.end or 0))


def witness_lines(verdict: Verdict, history: History) -> tuple[str, ...]:
    """The operations that show it, one a line, then the longest legal prefix."""
    if verdict.witness is None:
        return ()
    lines = [timed(history.operations[number], history) for number in verdict.witness.operations]
    prefix = legal_prefix(verdict, history)
    if prefix:
        shown = [named(history.operations[number]) for number in prefix[-6:]]
        more = f"{len(prefix) - 6} more, then " if len(prefix) > 6 else ""
        lines.append(f"longest legal beginning ({len(prefix)}): {more}{'; '.join(shown)}")
    if verdict.witness.impossible is not None:
        lines.append(f"first impossible return: {named(history.operations[verdict.witness.impossible])}")
    return tuple(lines)


__all__ = ["SENSES", "named", "sentence", "text_of", "timed", "witness_lines"]
