"""What a reader found odd but handed on: counted, with the place of the first of each kind.

Odd is not wrong. A span without an id, or one that ends before it starts, belongs into the tree, where it is seen;
dropping it in silence would make a gap that nobody can explain. Times in a wrong unit are the treacherous case, since
they are perfectly good numbers: OTLP counts nanoseconds, Jaeger and Zipkin microseconds since 1970. Times are
suspicious if another unit would put most of them between the years 2000 and 2100.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from engines.tracing.spans import Span, is_zero

NS_PER: Final = {"seconds": 1_000_000_000, "milliseconds": 1_000_000, "microseconds": 1_000, "nanoseconds": 1}
YEAR_2000_NS: Final = 946_684_800 * 1_000_000_000
YEAR_2100_NS: Final = 4_102_444_800 * 1_000_000_000
LONGEST_NS: Final = 3_600 * 1_000_000_000
"""A span longer than this, counted in the suspected unit, is no evidence for that unit."""
YEAR_NS: Final = 365 * 86_400 * 1_000_000_000


class Oddity(NamedTuple):
    """A kind of oddity, of one thing and of several."""

    one: str
    many: str


ZERO_ID: Final = Oddity("span with an id of zeros", "spans with an id of zeros")
STARTS_AT_0: Final = Oddity("span that starts at 0", "spans that start at 0")
ENDS_FIRST: Final = Oddity("span that ends before it starts", "spans that end before they start")
UNKNOWN_PROCESS: Final = Oddity("span of an unknown process", "spans of an unknown process")
UNOWNED: Final = Oddity(
    "span without its resource or scope, which is unreadable",
    "spans without their resource or scope, which is unreadable",
)
OLD_MESSAGES: Final = Oddity(
    "group of spans as OTLP had them before 2022, which are not read",
    "groups of spans as OTLP had them before 2022, which are not read",
)


def overlong(years: int) -> Oddity:
    """A span that no clock can have measured."""
    return Oddity(
        f"span that lasts {years:,} years: its exporter miscounted",
        f"spans that last {years:,} years: their exporter miscounted",
    )


def documents_with(key: str) -> Oddity:
    """Documents of another kind in the same file."""
    return Oddity(f"document with {key}, which is no trace", f"documents with {key}, which are no traces")


def misnamed(key: str) -> Oddity:
    """Spans under a key that protobuf has and OTLP JSON has not."""
    hint = "which OTLP JSON calls scopeSpans: not read"
    return Oddity(f"list of spans called {key}, {hint}", f"lists of spans called {key}, {hint}")


_TRACE_ZERO: Final = "0" * 32
_SPAN_ZERO: Final = "0" * 16


class Notices:
    """The oddities of one file."""

    def __init__(self) -> None:
        self.spans = 0
        self.skipped = 0
        """Bad records left out because that was asked for."""
        self.first_skipped = ""
        self._counts: dict[Oddity, int] = {}
        self._places: dict[Oddity, str] = {}
        self._units: dict[str, int] = {}

    def note(self, what: Oddity, place: Callable[[], str]) -> None:
        """Count one oddity; the place is asked for only once."""
        self._counts[what] = self._counts.get(what, 0) + 1
        if what not in self._places:
            self._places[what] = place()

    def skip(self, message: str) -> None:
        """Count a bad record that is left out."""
        self.skipped += 1
        self.first_skipped = self.first_skipped or message

    def look(self, span: Span, unit_ns: int, place: Callable[[], str]) -> None:
        """Note what is odd about a span whose format counts time in ``unit_ns``."""
        self.spans += 1
        start_ns, end_ns = span.start_ns, span.end_ns
        if (
            YEAR_2000_NS <= start_ns <= end_ns <= YEAR_2100_NS
            and end_ns - start_ns <= YEAR_NS
            and span.span_id != _SPAN_ZERO
            and span.trace_id != _TRACE_ZERO
        ):
            return
        if is_zero(span.trace_id) or is_zero(span.span_id):
            self.note(ZERO_ID, place)
        if not span.start_ns:
            self.note(STARTS_AT_0, place)
        if span.end_ns < span.start_ns:
            self.note(ENDS_FIRST, place)
        if span.start_ns and span.end_ns - span.start_ns > YEAR_NS:
            self.note(overlong((span.end_ns - span.start_ns) // YEAR_NS), place)
        start, took = span.start_ns // unit_ns, (span.end_ns - span.start_ns) // unit_ns
        for unit, factor in NS_PER.items():
            if (
                factor != unit_ns
                and YEAR_2000_NS <= start * factor <= YEAR_2100_NS
                and abs(took) * factor <= LONGEST_NS
            ):
                self._units[unit] = self._units.get(unit, 0) + 1

    def lines(self) -> list[str]:
        """One line for each kind of oddity, for people."""
        found = [
            f"{count:,} {what.one if count == 1 else what.many}, first: {self._places[what]}"
            for what, count in self._counts.items()
        ]
        have = "span has" if self.spans == 1 else "spans have"
        found += [
            f"{count:,} of {self.spans:,} {have} times that look like {unit}: nothing was converted"
            for unit, count in self._units.items()
            if 2 * count > self.spans
        ]
        if self.skipped:
            records = "record" if self.skipped == 1 else "records"
            found.append(f"{self.skipped:,} bad {records} skipped, first: {self.first_skipped}")
        return found
