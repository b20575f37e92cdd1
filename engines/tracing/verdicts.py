"""The verdict over many traces: what troubles the system, whose trouble it is, and what shows it.

Everything here is told from spans, of a FILE as of a living system, and by the same rules. A trace that is broken
would mislead every analysis of time, so what breaks traces is named first; then what makes calls fail; then where the
time goes. A symptom counts for as much as the number of traces lets it: what may happen by chance to a few of a
hundred thousand proves nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from engines.tracing.diagnosis import Diagnosis
from engines.tracing.gap import Cause
from engines.tracing.symptoms import Held, Symptoms, Unanswered
from engines.tracing.unfelt import Grown
from engines.tracing.waiting import BACKOFF, CALL, EXTRA, LOCK, POOL, QUEUE, SELF, Time

PPM: Final = 1_000_000
RECENT: Final = 120
"""Traces that the numbers below are meant for; of more traces more is asked."""
STRAYS_MIN: Final = 3
EVERYBODY: Final = 3
"""So many callers with silent calls, none of them with less than a third of the most: it is not one of them."""
SKEWED_MIN: Final = 5
FEW: Final = 5
"""Calls that count as sound in advance: two bad ones of two prove less than ninety of a hundred."""
LATE_MIN: Final = 5
HOLES_MIN: Final = 5
UNANSWERED_MIN: Final = 3
DOUBLED_MIN: Final = 5
HELD_TOGETHER: Final = 3
"""Calls that were held up and then served in one moment."""
MOMENT: Final = 8
"""A moment is short: an eighth of the longest of those waits."""
FAILED_MIN: Final = 5
LOOKUPS_MIN: Final = 20
LOOKED_AT: Final = 80
"""A cache warms up fast: only so many traces speak for it."""
COLD_PPM: Final = 500_000
"""A cache that misses more than this is cold."""


class Trouble(StrEnum):
    """What can trouble a system, as far as spans show it."""

    SLOW = "slow"
    POOL = "pool"
    LOCK = "lock"
    QUEUE = "queue"
    CACHE = "cache"
    EXTRA = "extra"
    """Work that a hit in a cache would have spared."""
    NETWORK = "network"
    """The way to a service is long."""
    LOSS = "loss"
    RETRIES = "retries"
    ERRORS = "errors"
    HEADER = "header"
    SKEW = "skew"
    LOST = "lost"
    LATE = "late"
    """Only a receiver sees it: a file does not say when a span arrived."""
    DOUBLED = "doubled"
    CRASH = "crash"
    FREEZE = "freeze"


EVERY_SERVICE: Final = "every service"
OF_TIME: Final[Mapping[Time, Trouble]] = {
    SELF: Trouble.SLOW, POOL: Trouble.POOL, LOCK: Trouble.LOCK, QUEUE: Trouble.QUEUE, BACKOFF: Trouble.RETRIES,
    CALL: Trouble.NETWORK, EXTRA: Trouble.EXTRA,
}  # fmt: skip
"""Kinds of time, as the troubles that cause them are called."""


class LateSpans(NamedTuple):
    """So many spans came when their traces had been judged complete."""

    spans: int


class DroppedHeader(NamedTuple):
    """So many traces begin in a service that this one calls, and so many of its calls lead to no span there."""

    callee: str
    traces: int
    silent: int


class DroppedEverywhere(NamedTuple):
    """Nobody's calls go on: among others not those of these services."""

    services: tuple[str, ...]


class WrongClock(NamedTuple):
    """Of so many calls to it or from it so many begin before they are made, or end after they are answered."""

    skewed: int
    calls: int


class LostSpans(NamedTuple):
    """So many holes are where its spans should be."""

    holes: int


class LostCalls(NamedTuple):
    """Of so many calls so many were not answered, and it has no span of them."""

    lost: int
    calls: int


class Down(NamedTuple):
    """For so long it answered none of so many calls, and served nothing."""

    calls: int
    span_us: int


class Paused(NamedTuple):
    """So many calls that had been made within this time began to be served in one moment."""

    calls: int
    span_us: int


class ServedTwice(NamedTuple):
    """Of so many calls to it or from it so many were served more than once."""

    doubled: int
    calls: int


class Amplified(NamedTuple):
    """It failed so often; so many calls were made again, so many of them to itself."""

    failures: int
    resends: int
    to_itself: int


class Failing(NamedTuple):
    """It failed so often, in so many traces, and nothing it called had failed; so many of all traces ended in error."""

    failures: int
    traces: int
    failed_traces: int


class ColdLookups(NamedTuple):
    """So large a share of so many lookups missed."""

    missed_ppm: int
    lookups: int


Evidence: TypeAlias = (
    LateSpans | DroppedHeader | DroppedEverywhere | WrongClock | LostSpans | LostCalls | Down | Paused | ServedTwice
    | Amplified | Failing | ColdLookups | Cause | Grown
)  # fmt: skip


class Verdict(NamedTuple):
    """What the tool says from the spans alone."""

    kind: Trouble
    service: str
    evidence: Evidence
    ppm: int = 0
    """Its share of the gap between the slow and the fast, where it speaks of time."""


Callers: TypeAlias = Mapping[str, Mapping[str, None]]
"""Who was ever seen to call a service, or to send it messages."""


def callers_of(symptoms: Iterable[Symptoms]) -> dict[str, dict[str, None]]:
    """Who calls whom in these traces."""
    found: dict[str, dict[str, None]] = {}
    for each in symptoms:
        add_callers(found, each)
    return found


def add_callers(known: dict[str, dict[str, None]], symptoms: Symptoms) -> None:
    """Take up who calls whom in one trace more."""
    for caller, called, _ in (*symptoms.edges, *symptoms.handed, *symptoms.silent):
        known.setdefault(called, {})[caller] = None


def verdicts(
    recent: Sequence[Symptoms],
    settled: Sequence[Symptoms],
    callers: Callers,
    diagnosis: Diagnosis | None,
    late_of: Mapping[str, int] | None = None,
) -> tuple[Verdict, ...]:
    """All that the spans say, the most urgent first. In ``settled`` traces no span is awaited any more: only of these
    a hole is one. ``late_of``: spans that came too late, by service, where somebody saw them come."""
    found = (
        _late(late_of or {}), _down(settled), _header(recent, callers), _paused(recent), _doubled(recent),
        _skew(recent), _lost(settled, callers), _loss(settled), _retries(recent), _cache(recent),
    )  # fmt: skip
    named = [each for each in found if each is not None]
    if diagnosis is not None and diagnosis.standing.stands_out:  # an ordinary tail is nobody's trouble
        causes = (diagnosis.verdict, *diagnosis.alternatives)
        named += [_of_cause(cause, causes) for cause in causes]
    return tuple(named)


def _of_cause(cause: Cause, causes: Sequence[Cause]) -> Verdict:
    """A cause of the diagnosis. Of a long way, whoever is at an end of all the long ways is named."""
    service = cause.service
    if cause.kind == CALL and cause.peer:
        ends: Counter[str] = Counter()
        for each in causes:
            if each.kind == CALL and each.peer:
                ends[each.service] += each.ppm
                ends[each.peer] += each.ppm
        service = max((cause.peer, cause.service), key=lambda name: ends[name])
    return Verdict(OF_TIME[cause.kind], service, cause, cause.ppm)


def least(base: int, traces: int) -> int:
    """How often a symptom must be seen among so many traces."""
    return base if traces <= RECENT else -(-base * traces // RECENT)


# -- counting --------------------------------------------------------------------------------------------------------


def _pairs(symptoms: Iterable[Symptoms], field: str) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for each in symptoms:
        for src, dst, count in getattr(each, field):
            found[src, dst] += count
    return found


def _counts(symptoms: Iterable[Symptoms], field: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for each in symptoms:
        for name, count in getattr(each, field):
            found[name] += count
    return found


def _most(counter: Mapping[str, int]) -> tuple[str, int]:
    """The highest count; of equal ones the first by name."""
    return min(counter.items(), key=lambda each: (-each[1], each[0]), default=("", 0))


def _at_ends(calls: Counter[tuple[str, str]], bad: Counter[tuple[str, str]]) -> tuple[str, int, int]:
    """Who is at an end of the most bad calls for all its calls, by rank: (service, bad calls, calls)."""
    seen: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    partners: Counter[str] = Counter()
    for pair, count in calls.items():
        for name in dict.fromkeys(pair):
            seen[name] += count
            wrong[name] += bad[pair]
            partners[name] += bad[pair] * 2 > count
    worst = min(
        wrong, key=lambda name: (-(wrong[name] * 10 // (seen[name] + FEW)), -partners[name], -wrong[name], name)
    )
    return worst, wrong[worst], seen[worst]


# -- what breaks traces ----------------------------------------------------------------------------------------------


def _late(late_of: Mapping[str, int]) -> Verdict | None:
    """Spans that arrive long after they have ended: an exporter is slow."""
    service, count = _most(late_of)
    return Verdict(Trouble.LATE, service, LateSpans(count)) if count >= LATE_MIN else None


def _strays(recent: Sequence[Symptoms], callers: Callers) -> Counter[str]:
    """Traces that begin in a service which others are known to call."""
    return Counter(each.root for each in recent if each.root in callers)


def _header(recent: Sequence[Symptoms], callers: Callers) -> Verdict | None:
    """Traces begin where they should go on, and those who call there hear nothing: the caller drops the headers."""
    strays, silent = _strays(recent, callers), _pairs(recent, "silent")
    votes: Counter[str] = Counter()
    for callee, count in strays.items():
        for caller in callers[callee]:
            votes[caller] += min(count, silent[caller, callee])
    service, count = _most(votes)
    if count < least(STRAYS_MIN, len(recent)):
        return None
    many = sorted(name for name, each in votes.items() if each * EVERYBODY >= count)
    if len(many) >= EVERYBODY:
        return Verdict(Trouble.HEADER, EVERY_SERVICE, DroppedEverywhere(tuple(many)))
    callee = min((each for each in strays if silent[service, each]), key=lambda each: (-strays[each], each))
    return Verdict(Trouble.HEADER, service, DroppedHeader(callee, strays[callee], silent[service, callee]))


def _skew(recent: Sequence[Symptoms]) -> Verdict | None:
    """Servers that begin before they are called, or end after they are answered: somebody's clock is wrong."""
    calls, skewed = _pairs(recent, "edges"), _pairs(recent, "skewed")
    if sum(skewed.values()) < least(SKEWED_MIN, len(recent)):
        return None
    service, bad, seen = _at_ends(calls, skewed)
    return Verdict(Trouble.SKEW, service, WrongClock(bad, seen))


def _doubled(recent: Sequence[Symptoms]) -> Verdict | None:
    """Calls that were served twice: the network, or somebody's client, repeats them."""
    calls, doubled = _pairs(recent, "edges"), _pairs(recent, "doubled")
    if sum(doubled.values()) < least(DOUBLED_MIN, len(recent)):
        return None
    worst = max(doubled[pair] * PPM // (calls[pair] + FEW) for pair in doubled)
    sides: Counter[str] = Counter()
    for pair, count in calls.items():
        if count < FEW:
            continue
        for name in dict.fromkeys(pair):  # whose other calls are served once is not the one
            sides[name] += 1 if doubled[pair] * PPM // (count + FEW) * 3 >= worst else -1
    if not sides:
        return None  # of no pair there are enough calls to tell whose fault it is
    times = {name: sum(count for pair, count in doubled.items() if name in pair) for name in sides}
    service = min(sides, key=lambda name: (-sides[name], -times[name], name))
    seen = sum(count for pair, count in calls.items() if service in pair)
    return Verdict(Trouble.DOUBLED, service, ServedTwice(times[service], seen))


def _lost(settled: Sequence[Symptoms], callers: Callers) -> Verdict | None:
    """Holes in the traces: whose spans are they? Each hole votes for those who could have left it."""
    strays = _strays(settled, callers)
    votes: Counter[str] = Counter()
    for name, count in _counts(settled, "orphans_own").items():
        votes[name] += 12 * count
    served = frozenset(name for each in settled for name, _, _ in each.served)
    for (_, dst), count in _pairs(settled, "silent").items():
        if dst in served:  # who never sends a span has lost none
            votes[dst] += 12 * max(0, count - strays[dst])
    for name, count in _counts(settled, "orphans").items():
        for caller in callers.get(name, ()):
            votes[caller] += 12 * count // len(callers[name])
    service, weight = _most(votes)
    if weight < 12 * least(HOLES_MIN, len(settled)):
        return None
    return Verdict(Trouble.LOST, service, LostSpans(weight // 12))


# -- what stops services ---------------------------------------------------------------------------------------------


def _unanswered(settled: Sequence[Symptoms]) -> dict[str, list[Unanswered]]:
    found: dict[str, list[Unanswered]] = {}
    for each in settled:
        for call in each.unanswered:
            found.setdefault(call.dst, []).append(call)
    return found


def _down(settled: Sequence[Symptoms]) -> Verdict | None:
    """A service that for a while answers nothing and serves nothing: it is not there."""
    votes: dict[str, Down] = {}
    for name, calls in _unanswered(settled).items():
        first, last = min(call.made_us for call in calls), max(call.made_us for call in calls)
        met = any(each_name == name for each in settled for each_name, _, _ in each.served)
        between = any(
            each_name == name and (first < begun < last or first < ended < last)
            for each in settled
            for each_name, begun, ended in each.served
        )
        if met and not between and len(calls) >= least(UNANSWERED_MIN, len(settled)) and last > first:
            votes[name] = Down(len(calls), last - first)
    if not votes:
        return None
    service = min(votes, key=lambda name: (-votes[name].calls, name))
    return Verdict(Trouble.CRASH, service, votes[service])


def _paused(recent: Sequence[Symptoms]) -> Verdict | None:
    """A service that for a while began nothing, and then all at once what had been asked meanwhile."""
    held: dict[str, list[Held]] = {}
    for each in recent:
        for call in each.held:
            held.setdefault(call.dst, []).append(call)
    best: tuple[int, str, Paused] | None = None
    for name, calls in sorted(held.items()):
        calls.sort(key=lambda call: call.served_us)
        longest = max(call.served_us - call.made_us for call in calls)
        for i, first in enumerate(calls):
            group = [call for call in calls[i:] if call.served_us - first.served_us <= longest // MOMENT]
            begun = min(call.made_us for call in group)
            spread = max(call.made_us for call in group) - begun
            if len(group) < HELD_TOGETHER or spread <= longest // MOMENT or _served_in(recent, name, begun, first):
                continue
            if best is None or len(group) > best[0]:
                best = len(group), name, Paused(len(group), first.served_us - begun)
    return Verdict(Trouble.FREEZE, best[1], best[2]) if best is not None else None


def _served_in(recent: Sequence[Symptoms], name: str, begun_us: int, first: Held) -> bool:
    """Whether it began to serve something while the others waited."""
    return any(
        each_name == name and any(begun_us < moment < first.served_us for moment in moments)
        for each in recent
        for each_name, *moments in each.served
    )


# -- what makes calls fail -------------------------------------------------------------------------------------------


def _loss(settled: Sequence[Symptoms]) -> Verdict | None:
    """Calls that are not answered, of which the called service knows nothing: they never arrived."""
    lost = {name: len(calls) for name, calls in _unanswered(settled).items()}
    service, count = _most(lost)
    if count < least(UNANSWERED_MIN, len(settled)):
        return None
    calls = sum(each for (_, dst), each in _pairs(settled, "edges").items() if dst == service)
    return Verdict(Trouble.LOSS, service, LostCalls(count, count + calls))


def _retries(recent: Sequence[Symptoms]) -> Verdict | None:
    """Failures that begin in one service, and calls that are made again because of them, if there are such."""
    failed, resends = _counts(recent, "errors"), _counts(recent, "resends")
    service, count = _most(failed)
    again = sum(resends.values())
    if count < least(FAILED_MIN, len(recent)):
        return None
    if again >= least(FAILED_MIN, len(recent)):
        return Verdict(Trouble.RETRIES, service, Amplified(count, again, resends[service]))
    traces = sum(any(name == service for name, _ in each.errors) for each in recent)
    return Verdict(Trouble.ERRORS, service, Failing(count, traces, sum(each.failed for each in recent)))


def _cache(recent: Sequence[Symptoms]) -> Verdict | None:
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
    return Verdict(Trouble.CACHE, service, ColdLookups(ppm, misses[service] + hits[service]))


__all__ = [
    "EVERY_SERVICE",
    "OF_TIME",
    "Amplified",
    "ColdLookups",
    "Down",
    "DroppedEverywhere",
    "DroppedHeader",
    "Evidence",
    "Failing",
    "LateSpans",
    "LostCalls",
    "LostSpans",
    "Paused",
    "ServedTwice",
    "Trouble",
    "Verdict",
    "WrongClock",
    "add_callers",
    "callers_of",
    "verdicts",
]
