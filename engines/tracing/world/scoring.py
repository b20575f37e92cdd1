"""What the tool makes of the spans, and how that compares with what was injected.

``verdicts`` sees spans and nothing else: the diagnosis of latency and what the newest traces say
beyond time (``study``). A trace that is broken would mislead every analysis of time, so what breaks traces is named
first; then what makes calls fail; then where the time goes. ``score`` alone looks at the truth.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from engines.sim.clock import US_PER_S
from engines.sim.network import PPM
from engines.tracing.aggregate import aggregate
from engines.tracing.critical import critical_path
from engines.tracing.diagnosis import Cause, Diagnosis, diagnose
from engines.tracing.tree import MISSING_NAME, build
from engines.tracing.waiting import EXTRA
from engines.tracing.world.collector import Collector
from engines.tracing.world.snapshot import Fault, Verdict
from engines.tracing.world.study import Study
from engines.tracing.world.truth import CACHE, HEADER, LATE, LOCK, LOSS, LOST, POOL, RETRIES, SKEW, SLOW, percent

RECENT: Final = 120
"""Traces that speak for the present."""
SETTLED_US: Final = 4 * US_PER_S
"""Holes in a trace count only so long after its last span: until then its missing spans may still come."""
STRAYS_MIN: Final = 3
EVERYBODY: Final = 3
"""So many callers with silent calls, none of them with less than a third of the most: it is not one of them."""
SKEWED_MIN: Final = 5
FEW: Final = 5
"""Calls that count as sound in advance: two bad ones of two prove less than ninety of a hundred."""
LATE_MIN: Final = 5
HOLES_MIN: Final = 5
VANISHED_MIN: Final = 3
FAILED_MIN: Final = 5
LOOKUPS_MIN: Final = 20
LOOKED_AT: Final = 80
"""A cache warms up fast: only so many traces speak for it."""
COLD_PPM: Final = 500_000
"""A cache that misses more than this is cold."""
AGGREGATED: Final = 60
"""The newest traces, which the table of operations is made of."""
KINDS: Final = {"self": SLOW, "pool": POOL, "lock": LOCK, "queue": "queue", "backoff": RETRIES, "call": "network"}
FELT_PPM: Final = 50_000
"""A fault that takes less than this of the extra time is not felt."""
"""Kinds of time, as the faults that cause them are called."""


Callers = dict[str, dict[str, None]]


class Findings(NamedTuple):
    """What is known at the latest tick."""

    diagnosis: Any = None
    reason: str = "no trace has been quiet for a second yet: only then does it count as complete"
    root: str = ""
    verdicts: tuple[Verdict, ...] = ()
    score: str = ""
    aggregates: tuple[Any, ...] = ()


NOTHING: Final = Findings()


def find(collector: Collector, now_us: int, injected: tuple[Fault, ...], before: Findings, table: bool) -> Findings:
    """Look at the spans that are there now. The ``table`` of operations is renewed if asked for."""
    diagnosis, reason, root = diagnosed(collector)
    named = verdicts(collector, now_us, diagnosis)
    rows = operations(collector) if table else before.aggregates
    return Findings(diagnosis, reason, root, named, score(named, injected, diagnosis), rows)


def diagnosed(collector: Collector) -> tuple[Diagnosis | None, str, str]:
    """The diagnosis of the root operation with the most traces, or why there is none."""
    roots = [root for root in collector.book.roots() if root[1] != MISSING_NAME]
    if not roots:
        return None, NOTHING.reason, ""
    service, operation, _ = roots[0]
    found = diagnose(collector.book, service, operation)
    root = f"{service} {operation}"
    return (found, "", root) if isinstance(found, Diagnosis) else (None, found.reason, root)


def operations(collector: Collector) -> tuple[Any, ...]:
    """Where the newest traces spend their time, by operation."""
    newest = [each for each in collector.store.trace_ids() if each in collector.judged][-AGGREGATED:]
    trees = [build(collector.store.trace(trace_id)) for trace_id in newest]
    return aggregate((tree, critical_path(tree)) for tree in trees)


def score(named: tuple[Verdict, ...], injected: tuple[Fault, ...], diagnosis: Diagnosis | None = None) -> str:
    """The first verdict against the newest fault."""
    if not injected:
        return ""
    if not named:
        return "the tool has no verdict yet"
    fault, first = injected[-1], named[0]
    if names(first, fault):
        return "the verdict names it"
    if diagnosis is not None and first.kind == EXTRA and (fault.kind, fault.service) == (CACHE, diagnosis.verdict.peer):
        return "the verdict names its misses"
    if diagnosis is not None and fault.kind in KINDS.values() and not _felt(fault, diagnosis):
        return f"what was injected ({fault.kind} of {fault.service}) is not felt: under 5 % of the extra time"
    if first.service == fault.service:
        return f"the verdict names {first.service}, but as {first.kind} instead of {fault.kind}"
    return f"the verdict names {first.service} ({first.kind}) instead of {fault.service} ({fault.kind})"


def _felt(fault: Fault, diagnosis: Diagnosis) -> bool:
    """Whether slow requests spend more on it than fast ones."""
    ppm = sum(
        each.ppm for each in diagnosis.contributions
        if each.service == fault.service and KINDS.get(each.kind) == fault.kind
    )  # fmt: skip
    return ppm >= FELT_PPM


def names(verdict: Verdict, fault: Fault) -> bool:
    """Whether it names the right service and the right kind."""
    return verdict.service == fault.service and verdict.kind == fault.kind


def verdicts(collector: Collector, now_us: int, diagnosis: Diagnosis | None) -> tuple[Verdict, ...]:
    """All that the spans say, the most urgent first."""
    studies, callers = tuple(collector.studies.values()), collector.callers
    recent = studies[-RECENT:]
    settled = tuple(study for study in studies if now_us - study.last_us > SETTLED_US)[-RECENT:]
    found = (
        _late(collector.late_of), _header(recent, callers), _skew(recent), _lost(settled, callers), _loss(settled),
        _retries(recent), _cache(recent),
    )  # fmt: skip
    named = [each for each in found if each is not None]
    if diagnosis is not None:
        named += [_of_cause(cause) for cause in (diagnosis.verdict, *diagnosis.alternatives)]
    return tuple(named)


def _of_cause(cause: Cause) -> Verdict:
    service = cause.peer if cause.kind == "call" and cause.peer else cause.service
    return Verdict(KINDS.get(cause.kind, cause.kind), service, cause.sentence, cause.ppm)


# -- what breaks traces ----------------------------------------------------------------------------------------------


def _pairs(studies: Iterable[Study], field: str) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for study in studies:
        for src, dst, count in getattr(study, field):
            found[src, dst] += count
    return found


def _counts(studies: Iterable[Study], field: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for study in studies:
        for name, count in getattr(study, field):
            found[name] += count
    return found


def _most(counter: Counter[str]) -> tuple[str, int]:
    """The highest count; of equal ones the first by name."""
    return min(counter.items(), key=lambda each: (-each[1], each[0]), default=("", 0))


def _late(late_of: dict[str, int]) -> Verdict | None:
    """Spans that arrive long after they have ended: an exporter is slow."""
    service, count = _most(Counter(late_of))
    if count < LATE_MIN:
        return None
    text = f"{service} exports late: {count} of its spans arrived when their traces had been judged complete"
    return Verdict(LATE, service, text)


def _strays(recent: tuple[Study, ...], callers: Callers) -> Counter[str]:
    """Traces that begin in a service which others are known to call."""
    return Counter(study.root for study in recent if study.root in callers)


def _header(recent: tuple[Study, ...], callers: Callers) -> Verdict | None:
    """Traces begin where they should go on, and those who call there hear nothing: the caller drops the headers."""
    strays, silent = _strays(recent, callers), _pairs(recent, "silent")
    votes: Counter[str] = Counter()
    for callee, count in strays.items():
        for caller in callers[callee]:
            votes[caller] += min(count, silent[caller, callee])
    service, count = _most(votes)
    if count < STRAYS_MIN:
        return None
    many = sorted(name for name, each in votes.items() if each * EVERYBODY >= count)
    if len(many) >= EVERYBODY:
        text = (f"no trace goes on: {', '.join(many[:4])} and those they call all start traces of their own. Headers "
                "are dropped everywhere, or nobody uses what was extracted")  # fmt: skip
        return Verdict(HEADER, "every service", text)
    callee = min((each for each in strays if silent[service, each]), key=lambda each: (-strays[each], each))
    text = (f"{service} drops the trace headers: {strays[callee]} of the newest traces begin in {callee}, which "
            f"{service} calls, and {silent[service, callee]} of its calls lead to no span there")  # fmt: skip
    return Verdict(HEADER, service, text)


def _skew(recent: tuple[Study, ...]) -> Verdict | None:
    """Servers that begin before they are called, or end after they are answered: somebody's clock is wrong."""
    calls, skewed = _pairs(recent, "edges"), _pairs(recent, "skewed")
    if sum(skewed.values()) < SKEWED_MIN:
        return None
    seen: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    partners: Counter[str] = Counter()
    for pair, count in calls.items():
        for name in pair:
            seen[name] += count
            bad[name] += skewed[pair]
            partners[name] += skewed[pair] * 2 > count
    service = min(bad, key=lambda name: (-(bad[name] * 10 // (seen[name] + FEW)), -partners[name], -bad[name], name))
    text = (f"the clock of {service} is wrong: {bad[service]} of {seen[service]} calls to it or from it begin before "
            f"they are made or end after they are answered")  # fmt: skip
    return Verdict(SKEW, service, text)


def _lost(settled: tuple[Study, ...], callers: Callers) -> Verdict | None:
    """Holes in the traces: whose spans are they? Each hole votes for those who could have left it."""
    strays = _strays(settled, callers)
    votes: Counter[str] = Counter()
    for name, count in _counts(settled, "orphans_own").items():
        votes[name] += 12 * count
    for (_, dst), count in _pairs(settled, "silent").items():
        votes[dst] += 12 * max(0, count - strays[dst])
    for name, count in _counts(settled, "orphans").items():
        for caller in callers.get(name, ()):
            votes[caller] += 12 * count // len(callers[name])
    service, weight = _most(votes)
    if weight < 12 * HOLES_MIN:
        return None
    text = f"spans of {service} are lost: {weight // 12} holes in the newest traces are where its spans should be"
    return Verdict(LOST, service, text)


# -- what makes calls fail -------------------------------------------------------------------------------------------


def _loss(settled: tuple[Study, ...]) -> Verdict | None:
    """Calls that are not answered, of which the called service knows nothing: they never arrived."""
    vanished: Counter[str] = Counter()
    for (_, dst), count in _pairs(settled, "vanished").items():
        vanished[dst] += count
    service, count = _most(vanished)
    if count < VANISHED_MIN:
        return None
    calls = sum(each for (_, dst), each in _pairs(settled, "edges").items() if dst == service)
    text = (f"the network loses calls to {service}: {count} of {count + calls} timed out, and {service} has no span "
            "of them")  # fmt: skip
    return Verdict(LOSS, service, text)


def _retries(recent: tuple[Study, ...]) -> Verdict | None:
    """Failures that begin in one service, and calls that are made again because of them."""
    failed, resends = _counts(recent, "errors"), _counts(recent, "resends")
    service, count = _most(failed)
    again = sum(resends.values())
    if count < FAILED_MIN or again < FAILED_MIN:
        return None
    text = (f"retries amplify the failures of {service}: it failed {count} times, and {again} calls were made again, "
            f"{resends[service]} of them to {service} itself, the others above it")  # fmt: skip
    return Verdict(RETRIES, service, text)


def _cache(recent: tuple[Study, ...]) -> Verdict | None:
    """A cache that has little of what it is asked for."""
    newest = recent[-LOOKED_AT:]
    hits, misses = _counts(newest, "hits"), _counts(newest, "misses")
    cold = Counter({
        name: count * PPM // (count + hits[name]) for name, count in misses.items()
        if count + hits[name] >= LOOKUPS_MIN
    })  # fmt: skip
    service, ppm = _most(cold)
    if ppm < COLD_PPM:
        return None
    text = (f"{service} is cold: {percent(ppm // 10_000 * 10_000)} of {misses[service] + hits[service]} lookups miss, "
            "and what is behind it does the work")  # fmt: skip
    return Verdict(CACHE, service, text)
