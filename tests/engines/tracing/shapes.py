"""Traces for tests: written down in one line each, or made at random with every defect a collector meets."""

from typing import Any

from hypothesis import strategies as st

from engines.tracing.spans import NS_PER_US, Kind, Span, Status

TRACE = "0af7651916cd43dd8448eb211c80319c"


def ident(name: str) -> str:
    """A span id that can be told from others when a test fails."""
    return name.encode().hex().rjust(16, "0") if name else ""


def span(name: str, parent: str, start: int, end: int, /, **fields: Any) -> Span:
    """A span whose id is made of its name; times in microseconds. ``service`` is ``svc`` unless given."""
    service = fields.pop("service", "svc")
    trace = fields.pop("trace_id", TRACE)
    fields.setdefault("kind", Kind.INTERNAL)
    made = Span(trace, ident(name), ident(parent), name, service, start_ns=start * NS_PER_US, end_ns=end * NS_PER_US)
    return made._replace(**fields)


def chain(length: int) -> list[Span]:
    """A span within a span within a span."""
    return [
        Span(TRACE, f"{i + 1:016x}", f"{i:016x}" if i else "", f"op{i % 7}", "svc", Kind.INTERNAL, i * 1_000, 10**9 - i)
        for i in range(length)
    ]


def defective_traces(max_spans: int = 24) -> st.SearchStrategy[list[Span]]:
    """Spans of one trace in any order, with orphans, cycles, several roots, bad ids and bad times.

    Eight bytes are a span: many small draws cost more than all that is tested with them.
    """
    counts = st.integers(0, max_spans)
    return counts.flatmap(lambda count: st.binary(min_size=8 * count, max_size=8 * count)).map(_decoded)


def _decoded(data: bytes) -> list[Span]:
    count = len(data) // 8
    made: list[tuple[int, Span]] = []
    for index in range(count):
        who, above, start, length, what, odd, rest, place = data[8 * index : 8 * index + 8]
        own = 0 if who >= 250 else max(index, 1) if who >= 240 else index + 1
        parent = above % (index + 1) if above < 160 else above % (count + 3)
        begin = start % 41
        end = begin + length % (41 - begin) if length < 224 else length % 41
        span = Span(
            TRACE,
            f"{own:016x}",
            "" if parent == 0 and odd % 2 else f"{parent:016x}",
            "abc"[what % 3],
            "web" if what % 2 else "db",
            list(Kind)[what % 6],
            begin * NS_PER_US + rest % 1_000,
            end * NS_PER_US + (rest * 7) % 1_000,
            list(Status)[odd % 3],
        )
        made += [(place, span)] * (2 if odd >= 240 else 1)
    return [span for _, span in sorted(made, key=lambda each: each[0])]
