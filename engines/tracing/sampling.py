"""Sampling: which traces are kept, decided at the head (before anything has happened) or at the tail (after all has).

Head sampling is cheap and blind: the root decides once, every service downstream reads the decision from the flags.
It drops the trace with the error as readily as any other. Tail sampling holds a whole trace and looks at it first.

The probability sampler is OpenTelemetry's consistent one (specification, "TraceState: Probability Sampling"). Every
trace has a randomness R of 56 bits, the last seven bytes of its id or ``rv`` in the tracestate's ``ot`` member. A
ratio p has the rejection threshold T = (1 - p) * 2**56, and a trace is kept iff R >= T. All services see the same R,
so of two ratios the lower keeps a subset of what the higher keeps, and no trace is torn. T travels as ``th``, which
tells whoever counts spans how many each one stands for.

Ratios are parts per million and time is integer microseconds, so a decision is the same everywhere.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from engines.tracing.context import SECRETS, Ids, TraceContext
from engines.tracing.spans import Span
from engines.units import US_PER_S

PPM: Final = 1_000_000
RANDOMNESS_BITS: Final = 56
ALL: Final = 1 << RANDOMNESS_BITS
"""How many values R has."""
DIGITS: Final = RANDOMNESS_BITS // 4

_OT: Final = re.compile(r"[a-z][a-z0-9]*:[A-Za-z0-9._-]*(;[a-z][a-z0-9]*:[A-Za-z0-9._-]*)*")
_TH: Final = re.compile(r"[0-9a-f]{1,14}")
_RV: Final = re.compile(r"[0-9a-f]{14}")


# -- the tracestate's ``ot`` member --------------------------------------------------------------------------------


def read_ot(context: TraceContext) -> dict[str, str]:
    """The sub-keys of ``ot``, in order; none if it is missing or malformed."""
    text = context.get("ot")
    if text is None or not _OT.fullmatch(text):
        return {}
    return {key: value for key, _, value in (part.partition(":") for part in text.split(";"))}


def write_ot(context: TraceContext, key: str, value: str | None) -> TraceContext:
    """Set one sub-key, or take it away with None; the others keep their order."""
    parts = read_ot(context)
    if parts.get(key) == value:
        return context
    if value is None:
        del parts[key]
    else:
        parts[key] = value
    text = ";".join(f"{name}:{each}" for name, each in parts.items())
    return context.put("ot", text) if text else context.drop("ot")


def randomness(context: TraceContext) -> int:
    """R: ``rv`` where it is given, else the last seven bytes of the trace id."""
    explicit = read_ot(context).get("rv", "")
    return int(explicit if _RV.fullmatch(explicit) else context.trace_id[-DIGITS:], 16)


def with_randomness(context: TraceContext, ids: Ids = SECRETS) -> TraceContext:
    """Give a trace an explicit R if its id is not said to be random. Only the root may do so."""
    if context.random or _RV.fullmatch(read_ot(context).get("rv", "")):
        return context
    return write_ot(context, "rv", f"{ids.next() % ALL:0{DIGITS}x}")


def threshold(ppm: int) -> int:
    """T for a ratio: of all 2**56 values of R the lowest T are rejected. A lower ratio never has a lower T."""
    assert 0 <= ppm <= PPM
    return (PPM - ppm) * ALL // PPM


def th(limit: int) -> str:
    """A threshold below 2**56 as ``th``: hexadecimal, trailing zeros left out, ``0`` for a ratio of 1."""
    return f"{limit:0{DIGITS}x}".rstrip("0") or "0"


def threshold_of(context: TraceContext) -> int | None:
    """The threshold this span was kept with, if it says so."""
    text = read_ot(context).get("th", "")
    return int(text.ljust(DIGITS, "0"), 16) if _TH.fullmatch(text) else None


# -- at the head ---------------------------------------------------------------------------------------------------


class Decision(NamedTuple):
    """Whether a span is recorded, and what its callees are told."""

    context: TraceContext
    sampled: bool
    why: str


class Sampler(Protocol):
    """Decides for the span of a context, before its work begins."""

    def decide(self, context: TraceContext, now_us: int) -> Decision:
        """Keep it or not."""


def _verdict(context: TraceContext, sampled: bool, why: str) -> Decision:
    return Decision(context._replace(sampled=sampled), sampled, why)


@dataclass(frozen=True, slots=True)
class AlwaysOn:
    """Keeps everything."""

    def decide(self, context: TraceContext, now_us: int) -> Decision:
        """Yes; every span stands for itself."""
        return _verdict(write_ot(context, "th", "0"), True, "everything is kept")


@dataclass(frozen=True, slots=True)
class AlwaysOff:
    """Keeps nothing."""

    def decide(self, context: TraceContext, now_us: int) -> Decision:
        """No."""
        return _verdict(write_ot(context, "th", None), False, "nothing is kept")


@dataclass(frozen=True, slots=True)
class Probability:
    """Keeps a share of the traces, the same ones at every service."""

    ppm: int

    def decide(self, context: TraceContext, now_us: int) -> Decision:
        """Yes iff R >= T."""
        limit = threshold(self.ppm)
        found = randomness(context)
        sampled = found >= limit
        told = write_ot(context, "th", th(limit) if sampled else None)
        why = f"R {found:0{DIGITS}x} {'>=' if sampled else '<'} T {limit:0{DIGITS}x} ({self.ppm} ppm are kept)"
        return _verdict(told, sampled, why)


@dataclass(slots=True)
class Bucket:
    """So many a second, in bursts of at most ``burst``: a token bucket in millionths of a token."""

    per_s: int
    burst: int = 1
    at_us: int = 0
    level: int = field(init=False)

    def __post_init__(self) -> None:
        self.level = self.burst * US_PER_S

    def take(self, now_us: int) -> bool:
        """One token, if there is one."""
        self.level = min(self.burst * US_PER_S, self.level + max(0, now_us - self.at_us) * self.per_s)
        self.at_us = max(self.at_us, now_us)
        if self.level < US_PER_S:
            return False
        self.level -= US_PER_S
        return True


@dataclass(slots=True)
class RateLimited:
    """Keeps at most so many traces a second. What a span stands for is unknown then, so ``th`` is taken away."""

    bucket: Bucket

    def decide(self, context: TraceContext, now_us: int) -> Decision:
        """Yes while the bucket holds a token."""
        sampled = self.bucket.take(now_us)
        why = f"{'within' if sampled else 'above'} {self.bucket.per_s} traces a second"
        return _verdict(write_ot(context, "th", None), sampled, why)


@dataclass(frozen=True, slots=True)
class ParentBased:
    """Does what the caller did; only a root is decided here. So a trace is kept whole or not at all."""

    root: Sampler

    def decide(self, context: TraceContext, now_us: int) -> Decision:
        """The parent's decision, or the root sampler's."""
        if not context.parent_id and not context.remote:
            return self.root.decide(context, now_us)
        return Decision(context, context.sampled, f"its parent was {'kept' if context.sampled else 'dropped'}")


# -- at the tail ---------------------------------------------------------------------------------------------------


class Policy(Protocol):
    """Looks at a whole trace."""

    @property
    def name(self) -> str:
        """How it is called."""

    def keeps(self, spans: Sequence[Span], now_us: int) -> str:
        """Why it keeps this trace; empty if it does not."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Keeps what took long."""

    above_us: int
    name: str = "latency"

    def keeps(self, spans: Sequence[Span], now_us: int) -> str:
        """From the first start to the last end."""
        took_us = max(span.end_us for span in spans) - min(span.start_us for span in spans)
        return f"took {took_us} us, more than {self.above_us}" if took_us > self.above_us else ""


@dataclass(frozen=True, slots=True)
class Errors:
    """Keeps what failed somewhere."""

    name: str = "error"

    def keeps(self, spans: Sequence[Span], now_us: int) -> str:
        """Whether any span has the status Error."""
        failed = next((span for span in spans if span.is_error), None)
        return "" if failed is None else f"{failed.label} failed"


@dataclass(frozen=True, slots=True)
class Share:
    """Keeps a share of what is left: the same traces as the probability sampler of this ratio."""

    ppm: int
    name: str = "share"

    def keeps(self, spans: Sequence[Span], now_us: int) -> str:
        """By the trace id alone."""
        kept = int(spans[0].trace_id[-DIGITS:], 16) >= threshold(self.ppm)
        return f"one of {self.ppm} in a million" if kept else ""


@dataclass(slots=True)
class Rate:
    """Keeps so many traces a second of what is left."""

    bucket: Bucket
    name: str = "rate"

    def keeps(self, spans: Sequence[Span], now_us: int) -> str:
        """While the bucket holds a token."""
        return f"within {self.bucket.per_s} traces a second" if self.bucket.take(now_us) else ""


class TailDecision(NamedTuple):
    """What was decided about a trace, by which policy, and why."""

    kept: bool
    policy: str
    why: str


@dataclass(frozen=True, slots=True)
class Tail:
    """Policies in order; the first that wants a trace keeps it, so the rate comes last and spends nothing on errors."""

    policies: tuple[Policy, ...]

    def decide(self, spans: Sequence[Span], now_us: int) -> TailDecision:
        """For a whole trace of at least one span."""
        for policy in self.policies:
            if why := policy.keeps(spans, now_us):
                return TailDecision(True, policy.name, why)
        return TailDecision(False, "", f"no policy of {', '.join(policy.name for policy in self.policies)} wants it")
