"""What there is to see at this moment, in numbers, and what to try: what ``e`` tells at a cue."""

from engines.tracing.verdicts import Trouble
from engines.tracing.world.snapshot import Snapshot, Strayed
from engines.units import fixed, percent, share
from tui.kit.explain import rules_off
from tui.kit.words import plural
from tui.panel import Focus
from tui.panels.tracing.details import HUNDRED
from tui.panels.tracing.select import analysis_at, fit, span_of
from tui.panels.tracing.strip import newest
from tui.panels.tracing.verdict import lacks
from tui.panels.tracing.words import fault_words
from tui.panels.tracing.world_words import score_words
from tui.userdata.verdict_words import sentence


def present(snapshot: Snapshot, focus: Focus) -> tuple[str, ...]:
    """How the users fare, what the selected trace shows, what the tool makes of it, what to try. Paragraphs."""
    focus = fit(snapshot, focus)
    said = (f"Now: {_users(snapshot)}", _trace(snapshot, focus), _verdict(snapshot), f"To try: {_try(snapshot)}")
    return tuple(each for each in said if each)


def _users(snapshot: Snapshot) -> str:
    parts = []
    last = newest(snapshot)
    if last is not None:
        of = "traces" if snapshot.recorded else "requests"
        failed = f", {percent(last.errors * 1_000_000 // last.requests)} of them failed" if last.errors else ""
        parts.append(
            f"in the newest whole second {last.requests} {of} ended, half of them within {fixed(last.p50_us)}, "
            f"{'99 of 100' if last.requests >= HUNDRED else 'all'} within {fixed(last.p99_us)}{failed}"
        )
    store = snapshot.collector
    parts.append(f"the store holds {plural(store.traces, 'trace')}, {plural(store.spans, 'span')} in all")
    if snapshot.injected:
        parts.append(f"in force: {', '.join(fault_words(each) for each in snapshot.injected)}")
    if off := rules_off(snapshot.rules):
        parts.append(f"off: {', '.join(off)}")
    return "; ".join(parts) + "."


def _trace(snapshot: Snapshot, focus: Focus) -> str:
    """The selected trace, and what holds it up longest."""
    row, made = snapshot.trace(focus.node), analysis_at(snapshot, focus)
    if row is None or made.worst() < 0:
        return ""
    worst = made.worst()
    span, on_path = made.tree.spans[worst], made.on_path.get(worst, 0)
    text = (
        f"The trace on screen: {row.operation}, {plural(made.tree.real, 'span')} of "
        f"{plural(made.services, 'service')}, {fixed(made.duration_us)}. "
        "The parts of its critical path add up to that exactly; the largest is "
        f"{span.label or 'a missing span'}, {fixed(on_path)}, {share(on_path, made.duration_us)} of it."
    )
    if isinstance(row.note, Strayed):
        text += f" It begins in {row.note.dst}, called by {row.note.src}, and should have gone on from there."
    chosen = span_of(snapshot, focus)
    if 0 <= chosen != worst and not made.tree.is_missing(chosen):
        text += f" Selected: {made.tree.spans[chosen].label}."
    return text


def _verdict(snapshot: Snapshot) -> str:
    if not snapshot.verdicts:
        return f"No verdict: {lacks(snapshot)}." if snapshot.no_diagnosis is not None else ""
    judged = score_words(snapshot.score, snapshot.verdicts, snapshot.injected)
    scored = f" Compared with the fault that was injected: {judged}." if judged else ""
    return f"The tool says: {sentence(snapshot.verdicts[0])}.{scored}"


def _try(snapshot: Snapshot) -> str:
    """One thing worth doing in just this situation."""
    failed = [check.name for check in snapshot.checks if not check.ok]
    if failed and rules_off(snapshot.rules):
        return f"b switches the rule on again; e on the failed check ({failed[0]}) shows the witness."
    if not snapshot.traces:
        return "a sends a request, w changes how users come, and t how many traces are kept."
    if not snapshot.verdicts:
        return "D lays this trace beside the typical one; n walks along its critical path in the order of time."
    match snapshot.verdicts[0].kind:
        case Trouble.HEADER:
            return "g goes to a trace that was torn off; y shows its headers hop by hop, where they end."
        case Trouble.SKEW:
            return "C takes the clocks' offsets out, as far as spans betray them, and says how far it moved what."
        case Trouble.LOST | Trouble.LATE:
            return "I goes to the missing spans; h heals, and new traces are whole again."
        case Trouble.RETRIES | Trouble.ERRORS | Trouble.LOSS:
            return "B sorts the traces by errors; I goes from error to error in one; t puts breakers in front of calls."
        case Trouble.CRASH | Trouble.FREEZE:
            return f"W shows {snapshot.verdicts[0].service} on the map; k and z act on it; h heals everything."
        case _:
            return "G shows all contributions and the walk; g goes to the span it is about; D compares it with p50."
