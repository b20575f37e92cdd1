"""Which traces are set against which, by the choice of a person or as the data propose it.

A tail explains itself: the slowest hundredth against the faster half. An incident needs another comparison: the time of
the trouble against the rest, the new version against the old one, what fails against what goes well. Whatever the
choice, the cohorts are two lists of traces, and the same arithmetic tells them apart.

If nobody chooses, the data may: a stretch of time in which requests rank slower among those of their kind than outside
it. The sum of centred ranks over the best stretch is the range of a cumulative sum (Kuiper, 1960; ranks as in Pettitt,
1979), so a few very slow requests make no window, and the chance of one is bounded without any simulation.
"""

import re
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple, TypeAlias

from engines.errors import UserError
from engines.tracing.aggregate import PPM
from engines.tracing.cohorts import TraceSummary
from engines.tracing.gap import Comparison
from engines.tracing.spans import Span, plain, said
from engines.tracing.standing import of_marks, ranks, stretch_of
from engines.tracing.symptoms import Symptoms

SAMPLE_MIN: Final = 20
"""Traces of either side of a comparison."""
SURE: Final = 14_000
"""Thousandths of a nat: by chance a stretch is this clear once in 20,000 times."""


class Window(NamedTuple):
    """The traces that begin in this stretch of time, against all others. Microseconds since the data begin."""

    from_us: int
    to_us: int
    """The first moment after it."""


class Where(NamedTuple):
    """The traces with a span that has this attribute, against all others."""

    key: str
    """An attribute of a span or of its resource; or ``service``, ``operation``, ``status``."""
    value: str

    def matches(self, span: Span) -> bool:
        """Whether a span has it."""
        return plain(said(span, self.key)) == self.value


class Failed(NamedTuple):
    """The traces whose root failed, against those that went well."""


Choice: TypeAlias = Window | Where | Failed


class Cohort(NamedTuple):
    """Traces to examine, or to compare with: a summary and the symptoms of each."""

    summaries: Sequence[TraceSummary]
    symptoms: Sequence[Symptoms]


_TIME: Final = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)(us|ms|s|m|h|)")
_UNITS: Final = {"us": 1, "ms": 1_000, "s": 1_000_000, "": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
END_US: Final = 1 << 62
"""After any data."""
ACCEPTED: Final = "a window since the data begin, as 41.2s..72s or 1m.., an attribute, as version=v2, or errors"


def parse_choice(text: str) -> Choice:
    """A choice as a person writes it: ``41.2s..72s``, ``version=v2``, ``errors``. UserError if it is none."""
    text = text.strip()
    low, dots, high = text.partition("..")
    if dots and "=" not in low:
        from_us, to_us = _moment(low, 0, text), _moment(high, END_US, text)
        if from_us >= to_us:
            wrong = "is empty" if from_us == to_us else "ends before it begins"
            raise UserError(f"{text!r}: the window {wrong}: 41.2s..72s, 1m.. or ..30s is accepted")
        return Window(from_us, to_us)
    key, equal, value = text.partition("=")
    if equal and key.strip():
        return Where(key.strip(), value.strip())
    if text in ("error", "errors"):
        return Failed()
    raise UserError(f"{text!r} chooses no traces: {ACCEPTED} are accepted")


def _moment(text: str, missing: int, whole: str) -> int:
    if not text.strip():
        return missing
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise UserError(f"{whole!r}: {text.strip()!r} is no length of time; 41.2s, 1500ms or 2m is one")
    seconds, _, rest = found[1].partition(".")
    return (int(seconds) * 1_000_000 + int(rest.ljust(6, "0") or 0)) * _UNITS[found[2]] // 1_000_000


def comparison_of(choice: Choice) -> Comparison:
    """What a choice sets against what."""
    match choice:
        case Window():
            return Comparison.WINDOW
        case Where():
            return Comparison.ATTRIBUTE
        case Failed():
            return Comparison.ERRORS


def split(choice: Choice, traces: Cohort, begin_us: int, having: Collection[str] = ()) -> tuple[Cohort, Cohort]:
    """The chosen traces, and the others. ``begin_us``: when the data begin; ``having``: the ids of the traces with a
    span that ``Where`` matches."""
    sides: tuple[tuple[list[TraceSummary], list[Symptoms]], ...] = (([], []), ([], []))
    for summary, symptoms in zip(traces.summaries, traces.symptoms, strict=True):
        match choice:
            case Window(from_us=low, to_us=high):
                inside = low <= summary.start_us - begin_us < high
            case Where():
                inside = summary.trace_id in having
            case Failed():
                inside = symptoms.failed
        side = sides[0 if inside else 1]
        side[0].append(summary)
        side[1].append(symptoms)
    return Cohort(*sides[0]), Cohort(*sides[1])


def proposed(traces: Cohort, begin_us: int) -> Window | None:
    """The stretch of time in which requests are slower than outside it, or fail more often; None: there is none that
    chance does not explain as well."""
    order = sorted(
        range(len(traces.summaries)), key=lambda i: (traces.summaries[i].start_us, traces.summaries[i].trace_id)
    )
    kinds: dict[int, list[int]] = {}
    for i in order:
        kinds.setdefault(traces.summaries[i].root, []).append(i)
    slowness: dict[int, int] = {}
    for members in kinds.values():
        if len(members) >= SAMPLE_MIN:
            places = ranks([traces.summaries[i].duration_us for i in members])
            slowness |= {i: place * PPM // len(members) for i, place in zip(members, places, strict=True)}
    ranked = [i for i in order if i in slowness]
    failed = [int(traces.symptoms[i].failed) for i in order]
    for seen, values in ((ranked, [slowness[i] for i in ranked]), (order, failed)):
        found = stretch_of(values)
        if found is None or (of_marks(found.evidence, values) if values is failed else found.evidence) < SURE:
            continue
        inside = found.end - found.first
        if min(inside, len(seen) - inside) >= SAMPLE_MIN:
            first, last = (traces.summaries[seen[at]].start_us - begin_us for at in (found.first, found.end - 1))
            return Window(first, last + 1)
    return None


__all__ = [
    "ACCEPTED",
    "END_US",
    "SAMPLE_MIN",
    "Choice",
    "Cohort",
    "Failed",
    "Where",
    "Window",
    "comparison_of",
    "parse_choice",
    "proposed",
    "split",
    "stretch_of",
]
