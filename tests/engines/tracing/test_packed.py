"""Spans held small come back as they came, whatever they hold."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.tracing import packed
from engines.tracing.packed import Codec, Shelf, shelved, spoken
from engines.tracing.spans import KeyValues, Kind, Link, Span, SpanEvent, Status
from engines.tracing.split import Where
from tests.engines.tracing import anyspans

PLAIN = Span("ab" * 16, "12" * 8, "", "GET /", "web", Kind.SERVER, 5, 9)


def back(spans: list[Span]) -> list[Span]:
    shelf = shelved(spans)
    return [span for trace_id in shelf.ids() for span in shelf.unpack(trace_id)]


@settings(max_examples=100, deadline=None)
@given(st.lists(anyspans.spans, max_size=8))
def test_every_span_comes_back_as_it_came(spans: list[Span]) -> None:
    by_trace: dict[str, list[Span]] = {}
    for span in spans:
        by_trace.setdefault(span.trace_id, []).append(span)
    # repr: 1, 1.0 and True are equal, and not the same
    assert repr(back(spans)) == repr([span for each in by_trace.values() for span in each])


@pytest.mark.parametrize("odd", [
    {"span_id": "a"}, {"span_id": "AB" * 8}, {"span_id": "ab cd" * 3 + "e"}, {"parent_id": "0" * 16},
    {"parent_id": "what"}, {"start_ns": -1}, {"end_ns": 1 << 64}, {"span_id": ""},
])  # fmt: skip
def test_a_span_like_no_other_is_kept_whole(odd: dict[str, Any]) -> None:
    strange = PLAIN._replace(**odd)
    assert back([PLAIN, strange, PLAIN]) == [PLAIN, strange, PLAIN]


def test_equal_values_of_other_types_are_told_apart() -> None:
    values: list[Any] = [1, True, 1.0, 0.0, -0.0, "1", b"1", (1,), (True,), KeyValues((("a", 1),)),
                         KeyValues((("a", True),)), None]  # fmt: skip
    spans = [PLAIN._replace(attributes=(("k", value),), resource=(("k", value),)) for value in values]
    assert repr(back(spans)) == repr(spans)


def test_what_is_met_once_only_fills_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "VALUES_MAX", 10)
    long = "x" * packed.LOOSE_LENGTH
    spans = [PLAIN._replace(attributes=(("order", f"o{i}"), ("app", "shop"), ("sql", f"{long}{i}"),
                                        ("deep", KeyValues((("n", i),))))) for i in range(50)]  # fmt: skip
    shelf = shelved(spans)
    assert shelf.unpack(PLAIN.trace_id) == spans
    assert len(shelf.codec.pairs) == 10 + 1 + 10


def test_a_span_of_a_file_takes_less_than_a_hundred_bytes() -> None:
    attributes = (("http.request.method", "GET"), ("http.route", "/a"), ("http.response.status_code", 200))
    codec = Codec()
    for at in range(200):
        span = PLAIN._replace(span_id=f"{at + 1:016x}", attributes=attributes, start_ns=at, end_ns=at + 9)
        assert len(codec.pack(span)) <= 60


def test_lean_keeps_what_the_analysis_looks_at() -> None:
    failed = PLAIN._replace(
        status=Status.ERROR,
        attributes=(("sql", "s" * 300), ("a", 1), ("note", "n" * 300), ("b", "c")),
        events=(SpanEvent(7, "exception", (("exception.type", "ValueError"), ("exception.stacktrace", "t" * 900))),
                SpanEvent(8, "cache.miss", (("key", "k"),))),
        links=(Link("cd" * 16, "ef" * 8),),
    )  # fmt: skip
    shelf = shelved([failed, failed._replace(status=Status.OK)], lean=True)
    first, second = shelf.unpack(PLAIN.trace_id)
    assert first.attributes == second.attributes == (("a", 1), ("b", "c"))
    assert first.events == (SpanEvent(7, "exception", (("exception.type", "ValueError"),)),)
    assert (second.events, first.links, second.links) == ((), (), ())


@settings(max_examples=100, deadline=None)
@given(st.lists(anyspans.spans, max_size=6))
def test_who_has_an_attribute_is_found_as_by_looking_at_each(spans: list[Span]) -> None:
    shelf = shelved(spans)
    asked = {(key, str(value)) for span in spans for key, value in (*span.attributes, *span.resource)}
    asked |= {("service", "x"), ("status", "error"), ("operation", ""), ("http.method", "true")}
    for key, value in sorted(asked):
        wanted = Where(key, value)
        assert shelf.having(key, value) == {span.trace_id for span in spans if wanted.matches(span)}


@settings(max_examples=60, deadline=None)
@given(st.lists(anyspans.spans, min_size=1, max_size=4))
def test_what_is_told_and_the_bytes_say_which_spans_they_are(spans: list[Span]) -> None:
    def said(some: list[Span]) -> list[str]:
        told: list[str] = []
        shelf = Shelf(Codec(lean=True, heard=lambda what: told.append(ascii(what))))
        return [f"{span.trace_id} {spoken(shelf.add(span))!r}" for span in some] + told

    assert said(spans) == said(list(spans))
    changes: tuple[tuple[str, Any], ...] = (
        ("name", "other!"), ("end_ns", 77), ("attributes", (("k", 1.5),)), ("flags", 12345),
    )  # fmt: skip
    for name, other in changes:
        changed = spans[0]._replace(**{name: other})
        assert (repr(changed) == repr(spans[0])) == (said([changed, *spans[1:]]) == said(spans))


def test_the_spans_of_a_trace_are_a_sequence_that_compares_as_a_tuple() -> None:
    spans = [PLAIN, PLAIN._replace(span_id="34" * 8), PLAIN._replace(trace_id="cd" * 16)]
    shelf = shelved(spans)
    first, other = shelf.trace("ab" * 16), shelf.trace("cd" * 16)
    assert (len(first), first[1], first[:1], list(other)) == (2, spans[1], (spans[0],), [spans[2]])
    assert first == tuple(spans[:2]) == first
    assert first != other
    assert repr(first) == repr(tuple(spans[:2]))
    assert first == shelved(spans).trace("ab" * 16)
    assert len(shelf.trace("ef" * 16)) == 0
