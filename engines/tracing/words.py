"""The words of a diagnosis."""

from typing import Final, Protocol

from engines.tracing.waiting import BACKOFF, CALL, LOCK, POOL, QUEUE, UNKNOWN

GUESS: Final = "a guess from the names of spans"
NAMES: Final = {
    QUEUE: "waiting for its workers",
    POOL: "waiting for its pool",
    LOCK: "waiting for its lock",
    BACKOFF: "waiting before it tries again",
    CALL: "calls",
}


class Explained(Protocol):
    """What a sentence is made of; times in microseconds, -1 where something is not known."""

    @property
    def service(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def peer(self) -> str: ...
    @property
    def guess(self) -> bool: ...
    @property
    def ppm(self) -> int: ...
    @property
    def slow_us(self) -> int: ...
    @property
    def fast_us(self) -> int: ...
    @property
    def used(self) -> int: ...
    @property
    def limit(self) -> int: ...
    @property
    def waiting(self) -> int: ...


def percent(ppm: int) -> str:
    """``92 %``, rounded down as whole percents; below one, with a decimal."""
    if abs(ppm) >= 10_000 or ppm == 0:
        return f"{ppm // 10_000} %" if ppm >= 0 else f"-{-ppm // 10_000} %"
    return f"{'-' if ppm < 0 else ''}0.{abs(ppm) // 1_000} %"


def duration(us: int) -> str:
    """``950 us``, ``1.4 ms``, ``1,310 ms``, ``75 s``: to the nearest, half up, as on the screen."""
    if us < 0:
        return f"-{duration(-us)}"
    if us < 1_000:
        return f"{us} us"
    if us < 9_950:
        tenths = (us + 50) // 100
        return f"{tenths // 10}.{tenths % 10} ms"
    if us < 60_000_000:
        return f"{(us + 500) // 1_000:,} ms"
    return f"{(us + 500_000) // 1_000_000:,} s"


def plural(number: int, noun: str) -> str:
    """``1 span``, ``1,200 spans``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def every(traces: int) -> str:
    """``the one trace``, ``each of 1,200 traces``."""
    return "the one trace" if traces == 1 else f"each of {traces:,} traces"


def sentence(cause: Explained) -> str:
    """One sentence: who, what, how much, and what shows it."""
    share = f"{percent(cause.ppm)} of the extra time" if cause.ppm < 1_000_000 else "all of the extra time"
    took = f"{duration(cause.slow_us)} instead of {duration(cause.fast_us) if cause.fast_us else 'nothing'}"
    who = cause.service or "a service without a name"
    if cause.kind == POOL:
        text = f"{who} blocks at p99: {share} is waiting for its {own_name(who, cause.peer)}pool"
        text += evidence(cause, "in use", "waiting")
    elif cause.kind == QUEUE:
        text = f"{who} is overloaded at p99: {share} is waiting for its workers" + evidence(cause, "busy", "queued")
    elif cause.kind == LOCK:
        text = f"{who} blocks at p99: {share} is waiting for its {own_name(who, cause.peer)}lock"
        text += evidence(cause, "held", "waiting")
    elif cause.kind == BACKOFF:
        text = f"{who} tries again and again at p99: {share} is waiting between its attempts ({took})"
    elif cause.kind == CALL:
        text = f"{who} waits at p99: {share} is in its calls to {cause.peer or 'others'}, outside any span of theirs"
        text += f" ({took})"
    else:
        text = f"{who} is slow at p99: {share} is its own work in {cause.operation} ({took})"
    return f"{text}; {GUESS}" if cause.guess else text


def spared(cause: Explained, cache: str, slow_ppm: int, fast_ppm: int) -> str:
    """The sentence about work that comes from a miss: who does it is not to blame."""
    share = f"{percent(cause.ppm)} of the extra time" if cause.ppm < 1_000_000 else "all of the extra time"
    own = f"{cause.service} {cause.operation}".strip()
    work = f"calls to {cause.peer or 'others'}" if cause.kind == CALL else own
    return (
        f"{share} at p99 is what a hit in {cache} would have spared: {work} ({duration(cause.slow_us)}); "
        f"{percent(slow_ppm)} of the slow requests missed, {percent(fast_ppm)} of the fast"
    )


def own_name(service: str, name: str) -> str:
    """``db `` for the pool ``auth-db`` of ``auth``; empty if it has no name."""
    short = name.removeprefix(f"{service}-").removeprefix(f"{service}.")
    return f"{short} " if short else ""


def evidence(cause: Explained, used: str, waiting: str) -> str:
    """How saturated the thing was, as far as the spans tell: `` (10/10 in use, 34 waiting)``."""
    told = []
    if cause.used > UNKNOWN:
        of = f"/{cause.limit}" if cause.limit > UNKNOWN else ""
        told.append(f"{cause.used}{of} {used}")
    if cause.waiting > UNKNOWN:
        told.append(f"{cause.waiting} {waiting}")
    return f" ({', '.join(told)})" if told else ""


def walk_line(service: str, operation: str, ppm: int) -> str:
    """One step of the way from the root."""
    return f"{percent(ppm)} of the extra time arises in {service} {operation} or below"


def consequence(wait: Explained, behind: Explained) -> str:
    """Why the walk goes on from a wait."""
    what = {QUEUE: "workers", POOL: "connections", LOCK: "lock"}.get(wait.kind, "workers")
    verb = "is" if wait.kind == LOCK else "are"
    return (
        f"{wait.service} waits for its {what}, and these {verb} held longer than at p50: "
        f"{behind.service} takes {duration(behind.slow_us)} instead of {duration(behind.fast_us)} ({behind.kind})"
    )


__all__ = [
    "GUESS",
    "consequence",
    "duration",
    "every",
    "evidence",
    "own_name",
    "percent",
    "plural",
    "sentence",
    "spared",
    "walk_line",
]
