"""What the tool says of traces, in sentences: verdicts and their evidence, the walk, why there is no diagnosis.

And what was wrong with a trace. The engine knows numbers and names; how they are said is decided here, for the report
and for the panel. It stands beside the report, since that needs no panel, nor the simulation behind it.
"""

from typing import Final

from engines.tracing import verdicts as v
from engines.tracing.critical import NoLength
from engines.tracing.diagnosis import TRACES_MIN, Behind, Diagnosis, Lack, NoDiagnosis, Through, WalkStep
from engines.tracing.failures import Failures, Passed
from engines.tracing.gap import Cause, Comparison
from engines.tracing.split import SAMPLE_MIN, Choice, Failed, Where, Window
from engines.tracing.standing import SURE
from engines.tracing.tree import Flaw, Note
from engines.tracing.unfelt import Grown
from engines.tracing.verdicts import Verdict
from engines.tracing.waiting import UNKNOWN, Time
from engines.units import PPM, fixed, percent, share, stamp
from tui.kit.words import plural

GUESS: Final = "a guess from the names of spans"


# -- verdicts --------------------------------------------------------------------------------------------------------


def sentence(verdict: Verdict) -> str:
    """One sentence: who, what, how much, and what shows it."""
    who, found = verdict.service, verdict.evidence
    match found:
        case Cause():
            return cause_words(found)
        case Grown():
            return _grown_words(who, found)
        case v.LateSpans(spans=spans):
            return f"{who} exports late: {spans} of its spans arrived when their traces had been judged complete"
        case v.DroppedHeader(callee=callee, traces=traces, silent=silent):
            return (
                f"{who} drops the trace headers: {traces} of the newest traces begin in {callee}, which "
                f"{who} calls, and {silent} of its calls lead to no span there"
            )
        case v.DroppedEverywhere(services=services):
            return (
                f"no trace goes on: {', '.join(services[:4])} and those they call all start traces of their own. "
                "Headers are dropped everywhere, or nobody uses what was extracted"
            )
        case v.WrongClock(skewed=skewed, calls=calls):
            return (
                f"the clock of {who} is wrong: {skewed} of {calls} calls to it or from it begin before they are made "
                "or end after they are answered"
            )
        case v.LostSpans(holes=holes):
            return f"spans of {who} are lost: {holes} holes in the newest traces are where its spans should be"
        case v.LostCalls(lost=lost, calls=calls):
            return f"the network loses calls to {who}: {lost} of {calls} timed out, and {who} has no span of them"
        case v.Down(calls=calls, span_us=span_us):
            return (
                f"{who} is down: for {fixed(span_us)} it answered none of {calls} calls, and no span of it shows "
                "that it served anything"
            )
        case v.Paused(calls=calls, span_us=span_us):
            return (
                f"{who} stood still for {fixed(span_us)}: {calls} calls that were made meanwhile began to be "
                "served in one moment, and none before"
            )
        case v.ServedTwice(doubled=doubled, calls=calls):
            return f"calls at {who} are repeated: {doubled} of {calls} to it or from it were served more than once"
        case v.Amplified(failures=failures, resends=resends, to_itself=itself):
            rest = {0: "", 1: ", the other above it"}.get(resends - itself, ", the others above it")
            return (
                f"retries amplify the failures of {who}: it failed {failures} times, and {resends} calls were made "
                f"again, {itself} of them to {who} itself{rest}"
            )
        case v.Failing(failures=failures, traces=traces, failed_traces=failed):
            return (
                f"{who} fails first: {plural(failures, 'failure')} in {plural(traces, 'trace')} begin there, where "
                f"nothing it calls had failed; {plural(failed, 'request')} ended in an error"
            )
        case v.ColdLookups(missed_ppm=ppm, lookups=lookups):
            share = percent(ppm // 10_000 * 10_000)
            return f"{who} is cold: {share} of {lookups} lookups miss, and what is behind it does the work"


def _grown_words(who: str, found: Grown) -> str:
    """What has grown without being felt, in how many traces."""
    works = found.site.kind == Time.SELF
    what = f"its own work in {found.site.operation}" if works else f"its {found.site.operation}"
    return (
        f"{who} {'is slow' if works else 'waits'}, though requests hardly feel it: {what} takes "
        f"{fixed(found.us)} in {plural(found.traces, 'trace')} instead of {fixed(found.usual_us)} in "
        f"{found.others:,}"
    )


def cause_words(cause: Cause) -> str:
    """Where the extra time of slow requests goes."""
    share = _share(cause.ppm)
    took = f"{fixed(cause.slow_us)} instead of {fixed(cause.fast_us) if cause.fast_us else 'nothing'}"
    who, when = cause.service or "a service without a name", WHEN[cause.comparison]
    match cause.kind:
        case Time.POOL:
            text = f"{who} blocks {when}: {share} is waiting for its {_own(who, cause.peer)}pool"
            text += evidence(cause, "in use", "waiting")
        case Time.QUEUE:
            text = f"{who} is overloaded {when}: {share} is waiting for its workers" + evidence(cause, "busy", "queued")
        case Time.LOCK:
            text = f"{who} blocks {when}: {share} is waiting for its {_own(who, cause.peer)}lock"
            text += evidence(cause, "held", "waiting")
        case Time.BACKOFF:
            text = f"{who} tries again and again {when}: {share} is waiting between its attempts ({took})"
        case Time.CALL:
            text = f"{who} waits {when}: {share} is in its calls to {cause.peer or 'others'}, outside any span of "
            text += f"theirs ({took})"
        case Time.SELF:
            text = f"{who} is slow {when}: {share} is its own work in {cause.operation} ({took})"
        case Time.EXTRA:
            return _extra(cause)
    return f"{text}; {GUESS}" if cause.guess else text


def _extra(cause: Cause) -> str:
    """About work that comes from a miss: who does it is not to blame."""
    own = f"{cause.service} {cause.operation}".strip()
    return (
        f"{_share(cause.ppm)} {WHEN[cause.comparison]} is what a hit in {cause.peer} would have spared: {own} "
        f"({fixed(cause.slow_us)}); {percent(cause.missed_slow_ppm)} of the slow requests missed, "
        f"{percent(cause.missed_fast_ppm)} of the fast"
    )


WHEN: Final = {
    Comparison.TAIL: "at p99",
    Comparison.BASELINE: "now",
    Comparison.WINDOW: "in the window",
    Comparison.ATTRIBUTE: "in the chosen traces",
    Comparison.ERRORS: "in requests that fail",
}
THAN: Final = {
    Comparison.TAIL: "at p50",
    Comparison.BASELINE: "in the baseline",
    Comparison.WINDOW: "outside it",
    Comparison.ATTRIBUTE: "in the others",
    Comparison.ERRORS: "in those that go well",
}
"""Which requests are slow, and than which: ``slower now than in the baseline``."""


def ordinary_words(found: Diagnosis) -> str:
    """That nothing stands out, and what the largest part of the difference would be."""
    cause, ratio = found.verdict, times(found.standing.tail_ppm)
    what = {
        Time.SELF: f"own work of {cause.service}",
        Time.EXTRA: f"what misses in {cause.peer} cost",
        Time.CALL: f"in calls of {cause.service} to {cause.peer or 'others'}",
    }.get(cause.kind, f"{cause.service} waiting ({cause.kind})")
    sure = share_words(found)
    if found.comparison is not Comparison.TAIL:
        return (
            f"nothing stands out: {found.service} {found.operation} takes {ratio} times as long "
            f"{WHEN[found.comparison]} as {THAN[found.comparison]}; the largest part of that, {sure}, is {what}"
        )
    return (
        f"an ordinary tail: nothing stands out. The p99 of {found.operation} is {ratio} times its p50; the largest "
        f"part of the difference, {sure}, is {what}"
    )


def share_words(found: Diagnosis) -> str:
    """The share of the named cause with its interval and what it rests on: ``92 % (85 to 97 % ...)``."""
    standing = found.standing
    low, high = percent(standing.low_ppm).removesuffix(" %"), percent(standing.high_ppm)
    return f"{percent(found.verdict.ppm)} ({low} to {high} in 9 of 10 resamples of {plural(found.slow, 'trace')})"


def times(ppm: int) -> str:
    """A ratio: ``1.4``, ``12``."""
    tenths = (ppm + 50_000) // 100_000
    return f"{tenths // 10}.{tenths % 10}" if tenths < 100 else f"{tenths // 10:,}"


def standing_words(found: Diagnosis) -> str:
    """How sure a verdict of time is, and since when."""
    standing, change = found.standing, found.standing.change
    if found.comparison is not Comparison.TAIL:
        text = f"{plural(found.slow, 'trace')} {WHEN[found.comparison]} take {times(standing.tail_ppm)} times as long "
        text += f"as {found.fast:,} {THAN[found.comparison]}"
    else:
        text = f"p99 is {times(standing.tail_ppm)} times p50 over {plural(found.traces, 'trace')}"
    text = f"how sure: {share_words(found)}; {text}"
    if change is not None and change.evidence >= SURE and found.comparison is Comparison.TAIL:
        text += (
            f"; it changed at trace {change.at + 1:,}: {fixed(change.before_us)} before, "
            f"{fixed(change.after_us)} from then on"
        )
    return text


def _share(ppm: int) -> str:
    return f"{percent(ppm)} of the extra time" if ppm < PPM else "all of the extra time"


def _own(service: str, name: str) -> str:
    """``db `` for the pool ``auth-db`` of ``auth``; empty if it has no name."""
    short = name.removeprefix(f"{service}-").removeprefix(f"{service}.")
    return f"{short} " if short else ""


def evidence(cause: Cause, used: str, waiting: str) -> str:
    """How saturated the thing was, as far as the spans say: `` (10/10 in use, 34 waiting)``."""
    parts = []
    if cause.used > UNKNOWN:
        of = f"/{cause.limit}" if cause.limit > UNKNOWN else ""
        parts.append(f"{cause.used}{of} {used}")
    if cause.waiting > UNKNOWN:
        parts.append(f"{cause.waiting} {waiting}")
    return f" ({', '.join(parts)})" if parts else ""


def step_words(step: WalkStep) -> str:
    """One step of the walk from the root to the cause."""
    match step:
        case Through(service=service, operation=operation, ppm=ppm):
            return f"{percent(ppm)} of the extra time arises in {service} {operation} or below"
        case Behind(wait=wait, cause=behind):
            return _consequence(wait, behind)
        case Cause():
            return cause_words(step)


def _consequence(wait: Cause, behind: Cause) -> str:
    """Why the walk goes on from a wait."""
    what = {Time.QUEUE: "workers", Time.POOL: "connections", Time.LOCK: "lock"}.get(wait.kind, "workers")
    verb = "is" if wait.kind == Time.LOCK else "are"
    return (
        f"{wait.service} waits for its {what}, and these {verb} held longer than {THAN[wait.comparison]}: "
        f"{behind.service} takes {fixed(behind.slow_us)} instead of {fixed(behind.fast_us)} ({behind.kind})"
    )


def lack_words(lack: NoDiagnosis | None) -> str:
    """Why there is no diagnosis."""
    if lack is None:
        return ""
    of = f"{lack.service} {lack.operation}".strip()
    match lack.why:
        case Lack.NOTHING:
            return "no trace counts as complete yet: its root is missing, or a span came within the last second"
        case Lack.FEW:
            few = plural(lack.traces, "complete trace")
            return f"{few} of {of}: {TRACES_MIN} are needed to speak of its p99"
        case Lack.FEW_NOW if not lack.traces and lack.comparison is Comparison.ERRORS:
            return "no request fails, so there is nothing to set against those that go well"
        case Lack.FEW_NOW:
            few = plural(lack.traces, "trace") + (f" of {of}" if of else "")
            return f"{few} {WHEN[lack.comparison]}: at least {SAMPLE_MIN} are needed to compare them"
        case Lack.FEW_BEFORE:
            few = plural(lack.traces, "trace")
            return f"{few} of {of} {THAN[lack.comparison]}: at least {SAMPLE_MIN} are needed to compare with"
        case Lack.NOT_SLOWER:
            return f"{of} is no slower {WHEN[lack.comparison]} than {THAN[lack.comparison]}"
        case Lack.NO_TAIL:
            return f"the p99 of {of} is no longer than its p50: nothing to explain"


def failure_words(found: Failures) -> str:
    """What fails, where that begins, and since when or in which requests: one sentence."""
    first = found.first
    where = f"{first.service} {first.operation}".strip()
    error = f" ({first.error})" if first.error else ""
    text = (
        f"{found.failed:,} of {plural(found.traces, 'request')} of {found.service} {found.operation} fail, "
        f"{share(first.traces, found.failed)} of them first in {where}{error}"
    )
    against = found.comparison
    here, there = ("now", "before") if against is Comparison.TAIL else (WHEN[against], THAN[against])
    if found.stands_out:
        return f"{text}; {percent(found.now_ppm)} fail {here}, {percent(found.before_ppm)} {there}"
    return f"{text}; no more than {there}" if found.change is not None else text


def failure_step_words(step: Passed, failed: int) -> str:
    """One step of the walk from the root to where requests begin to fail."""
    return f"{share(step.traces, failed)} of the failures pass {step.service} {step.operation}"


def choice_words(choice: Choice) -> str:
    """Which traces are set against the others."""
    match choice:
        case Window(from_us=low, to_us=high):
            return f"the window {stamp(low)} to {stamp(high)} against the time outside it"
        case Where(key=key, value=value):
            return f"traces with {key}={value} against the others"
        case Failed():
            return "requests that fail against those that go well"


# -- what is wrong with a trace --------------------------------------------------------------------------------------


def flaw_words(note: Note) -> str:
    """What was wrong with a span, and what was made of it."""
    who, other, number = note.who, note.other, note.number
    match note.kind:
        case Flaw.MISSING_PARENT:
            more = f" and {number - 1} more" if number > 1 else ""
            return f"span {other}, the parent of {who}{more}, is not here"
        case Flaw.SEVERAL_ROOTS:
            return f"{number} spans have no parent: the time of {who} is analysed"
        case Flaw.NO_ROOT:
            return f"the span without a parent is not here: {who} stands for the root"
        case Flaw.SAME_SPAN_TWICE:
            return f"{who} arrived twice and is kept once"
        case Flaw.DUPLICATE_ID:
            return f"{who} has the span id of {other}, which keeps the children"
        case Flaw.CYCLE:
            size = "its own parent" if number == 1 else f"its own ancestor, through {number} spans"
            return f"{who} is {size}: cut off below {other}"
        case Flaw.ZERO_ID:
            return f"{who} has no span id: nothing can be its child"
        case Flaw.NEGATIVE:
            return f"{who} ends {number:,} us before it starts: shown as a moment at its start"
        case Flaw.NO_END:
            return f"{who} has no end time: shown as a moment at its start"
        case Flaw.NO_START:
            return f"{who} has no start time: shown as a moment at its end"
        case Flaw.NO_TIME:
            return f"{who} has no time: shown where its parent and children are"


def no_length_words(why: NoLength) -> str:
    """Why a path has no length."""
    match why:
        case NoLength.NO_SPANS:
            return "the trace has no spans"
        case NoLength.NO_TIME:
            return "the root lasts no time: it starts and ends in the same microsecond"
