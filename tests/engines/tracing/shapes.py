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


@st.composite
def defective_traces(draw: st.DrawFn, max_spans: int = 24) -> list[Span]:
    """Spans of one trace in any order, with orphans, cycles, several roots, bad ids and bad times."""
    count = draw(st.integers(0, max_spans))
    number = st.integers(0, count + 2)
    times = st.integers(0, 40)
    made = []
    for index in range(count):
        own = draw(st.sampled_from([index + 1] * 12 + [0, max(index, 1)]))
        parent = draw(st.one_of(st.integers(0, index), number) if index else number)
        start = draw(times)
        end = draw(st.one_of(st.integers(start, 40), times))
        made.append(
            Span(
                TRACE,
                f"{own:016x}",
                draw(st.sampled_from([f"{parent:016x}", ""])) if parent == 0 else f"{parent:016x}",
                draw(st.sampled_from("abc")),
                draw(st.sampled_from(["web", "db"])),
                draw(st.sampled_from(Kind)),
                start * NS_PER_US + draw(st.integers(0, 999)),
                end * NS_PER_US + draw(st.integers(0, 999)),
                draw(st.sampled_from(Status)),
            )
        )
        if draw(st.integers(0, 15)) == 0:
            made.append(made[-1])
    return draw(st.permutations(made))
