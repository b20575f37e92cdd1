"""Aggregates per service and operation, over many traces: how often, how many errors, and where the time goes.

*Percentile*, here and everywhere in tracing: nearest rank. The p-th percentile of n sorted values is the value at rank
ceil(p * n): a value that really occurred, never an average of two, and integer arithmetic decides which.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from engines.tracing.critical import Path, self_times
from engines.tracing.tree import Tree

PPM: Final = 1_000_000
P50: Final = 500_000
P90: Final = 900_000
P99: Final = 990_000


class Row(NamedTuple):
    """What is known of one operation of one service; times in microseconds."""

    service: str
    operation: str
    spans: int
    errors: int
    total_us: int
    """Sum of durations; nested operations count twice, so these do not add up to anything."""
    self_us: int
    """Sum of self times; these do add up, where nothing runs at the same time."""
    path_us: int
    """Sum of the time on critical paths; over all rows, exactly the sum of the root durations."""
    p50_us: int
    p90_us: int
    p99_us: int
    self_p50_us: int
    self_p99_us: int
    max_us: int


COLUMNS: Final = Row._fields
"""What rows can be sorted by."""


class Measured(NamedTuple):
    """What is counted of one span; times in microseconds."""

    service: str
    operation: str
    duration_us: int
    self_us: int
    path_us: int
    """On the critical path."""
    error: bool
    missing: bool
    """A row that stands for a missing span: nobody measured it, so only its time on the path counts."""


def measure(tree: Tree, path: Path) -> tuple[Measured, ...]:
    """What is counted of every span of a trace."""
    on_path: dict[int, int] = {}
    for segment in path.segments:
        on_path[segment.row] = on_path.get(segment.row, 0) + segment.end_us - segment.start_us
    own = self_times(tree)
    lengths = (end - start for start, end in zip(tree.start_us, tree.end_us, strict=True))
    return tuple(
        Measured(span.service, span.name, length, own[i], on_path.get(i, 0), span.is_error, i >= tree.real)
        for i, (span, length) in enumerate(zip(tree.spans, lengths, strict=True))
    )


class Aggregates:
    """Collects traces; ``rows`` may be asked at any time."""

    def __init__(self) -> None:
        self.traces = 0
        self._groups: dict[tuple[str, str], tuple[list[int], list[int], list[int]]] = {}
        """(durations, self times, [errors, time on the path]) by service and operation."""

    def add(self, tree: Tree, path: Path) -> None:
        """Count a trace."""
        self.take(measure(tree, path))

    def take(self, measures: Iterable[Measured]) -> None:
        """Count a trace that was measured before."""
        self.traces += 1
        groups = self._groups
        for service, operation, duration_us, self_us, path_us, error, missing in measures:
            group = groups.get((service, operation))
            if group is None:
                group = groups[service, operation] = ([], [], [0, 0])
            group[2][1] += path_us
            if not missing:
                group[0].append(duration_us)
                group[1].append(self_us)
                group[2][0] += error

    def rows(self) -> tuple[Row, ...]:
        """One row per service and operation, those with the most time on critical paths first."""
        found = []
        for (service, operation), (durations, own, (errors, path_us)) in self._groups.items():
            lasted, worked = sorted(durations), sorted(own)
            found.append(
                Row(
                    service,
                    operation,
                    len(lasted),
                    errors,
                    sum(lasted),
                    sum(worked),
                    path_us,
                    percentile(lasted, P50),
                    percentile(lasted, P90),
                    percentile(lasted, P99),
                    percentile(worked, P50),
                    percentile(worked, P99),
                    lasted[-1] if lasted else 0,
                )
            )
        return sort(found, "path_us", descending=True)


def aggregate(traces: Iterable[tuple[Tree, Path]]) -> tuple[Row, ...]:
    """The rows of these traces."""
    found = Aggregates()
    for tree, path in traces:
        found.add(tree, path)
    return found.rows()


def sort(rows: Iterable[Row], by: str, descending: bool = False) -> tuple[Row, ...]:
    """Rows by one column; equal ones by service and operation, always upwards."""
    column = COLUMNS.index(by)
    named = sorted(rows, key=lambda row: (row.service, row.operation))
    return tuple(sorted(named, key=lambda row: row[column], reverse=descending))


def rank(count: int, ppm: int) -> int:
    """The rank, from 1, of a percentile among ``count`` values: ceil(p * count), at least 1."""
    return max(1, -(-count * ppm // PPM))


def percentile(ordered: Sequence[int], ppm: int) -> int:
    """The value at nearest rank of values in ascending order; 0 if there are none."""
    return ordered[rank(len(ordered), ppm) - 1] if ordered else 0


__all__ = [
    "COLUMNS",
    "P50",
    "P90",
    "P99",
    "PPM",
    "Aggregates",
    "Measured",
    "Row",
    "aggregate",
    "measure",
    "percentile",
    "rank",
    "sort",
]
