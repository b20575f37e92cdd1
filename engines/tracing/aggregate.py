"""Aggregates per service and operation, over many traces: how often, how many errors, and where the time goes.

*Percentile*, here and everywhere in tracing: nearest rank. The p-th percentile of n sorted values is the value at rank
ceil(p * n): a value that really occurred, never an average of two, and integer arithmetic decides which.
"""

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from engines.tracing.critical import Path, self_times
from engines.tracing.tree import Tree

T = TypeVar("T")

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


class Group(NamedTuple):
    """The spans of one operation in one trace; times in microseconds. A missing span counts on the path alone."""

    service: str
    operation: str
    durations_us: Sequence[int]
    self_us: Sequence[int]
    path_us: int
    errors: int


class Groups:
    """The groups of one trace in a tenth of the room, to be kept for as long as a file is open."""

    __slots__ = ("_keys", "_numbers")

    def __init__(self, groups: Iterable[Group], known: dict[object, object]) -> None:
        """``known``: what the traces before it share with it."""
        groups = tuple(groups)
        numbers: list[int] = []
        for each in groups:
            numbers.extend((len(each.durations_us), each.path_us, each.errors))
            numbers.extend(each.durations_us)
            numbers.extend(each.self_us)
        self._keys: tuple[tuple[str, str], ...] = shared(
            tuple((each.service, each.operation) for each in groups), known
        )
        self._numbers = narrow(numbers)

    def __iter__(self) -> Iterator[Group]:
        numbers, at = self._numbers, 0
        for service, operation in self._keys:
            count, path_us, errors = numbers[at : at + 3]
            middle, end = at + 3 + count, at + 3 + 2 * count
            yield Group(service, operation, numbers[at + 3 : middle], numbers[middle:end], path_us, errors)
            at = end


def narrow(numbers: Collection[int]) -> Sequence[int]:
    """The same numbers in as little room as they take; a time that no clock measured may need more than 64 bits."""
    for code in "iq":
        try:
            return array(code, numbers)
        except OverflowError:
            continue
    return list(numbers)


def _extended(have: "array[int] | list[int]", more: Sequence[int]) -> "array[int] | list[int]":
    """The numbers with more behind them."""
    count = len(have)
    try:
        have.extend(iter(more))
    except OverflowError:
        return [*have[:count], *more]
    return have


def shared(value: T, known: dict[object, object]) -> T:
    """The first value that was equal to this one."""
    found: Any = known.setdefault(value, value)
    return found  # type: ignore[no-any-return]


def groups_of(tree: Tree, path: Path, own: Sequence[int] | None = None) -> tuple[Group, ...]:
    """What is counted of a trace, by operation; ``own`` are the self times of its rows, if they are known."""
    on_path, own = path.by_row(), self_times(tree) if own is None else own
    found: dict[tuple[str, str], tuple[list[int], list[int], list[int]]] = {}
    for row, span in enumerate(tree.spans):
        key = span.service, span.name
        durations, selves, counts = found.get(key) or found.setdefault(key, ([], [], [0, 0]))
        counts[0] += on_path.get(row, 0)
        if row < tree.real:
            durations.append(tree.end_us[row] - tree.start_us[row])
            selves.append(own[row])
            counts[1] += span.is_error
    return tuple(Group(*key, *each[:2], *each[2]) for key, each in found.items())


class Aggregates:
    """Collects traces; ``rows`` may be asked at any time."""

    def __init__(self) -> None:
        self.traces = 0
        self._durations: dict[tuple[str, str], array[int] | list[int]] = {}
        self._selves: dict[tuple[str, str], array[int] | list[int]] = {}
        self._counts: dict[tuple[str, str], list[int]] = {}
        """[time on the path, errors]; like the others by service and operation."""

    def add(self, tree: Tree, path: Path) -> None:
        """Count a trace."""
        self.take(groups_of(tree, path))

    def take(self, groups: Iterable[Group]) -> None:
        """Count a trace that was grouped before."""
        self.traces += 1
        for service, operation, durations, own, path_us, errors in groups:
            key = service, operation
            counts = self._counts.get(key)
            if counts is None:
                counts = self._counts[key] = [0, 0]
                self._durations[key], self._selves[key] = array("q"), array("q")
            self._durations[key] = _extended(self._durations[key], durations)
            self._selves[key] = _extended(self._selves[key], own)
            counts[0] += path_us
            counts[1] += errors

    def rows(self) -> tuple[Row, ...]:
        """One row per service and operation, those with the most time on critical paths first."""
        found = []
        for key, (path_us, errors) in self._counts.items():
            (service, operation), lasted, worked = key, sorted(self._durations[key]), sorted(self._selves[key])
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
    "Group",
    "Groups",
    "Row",
    "aggregate",
    "groups_of",
    "percentile",
    "rank",
    "sort",
]
