"""B3, the single header and the five."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.sim.random import Stream
from engines.tracing import b3
from engines.tracing.b3 import B3
from engines.tracing.context import NewTrace, TraceContext

TRACE, SPAN, PARENT = "80f198ee56343ba864fe8b2a57d3eff7", "e457b5a2e4d86bd1", "05e3ac9a4f6e3b90"


def read(*headers: tuple[str, str]) -> B3:
    return b3.extract(headers, Stream(1, "ids"))


def test_the_single_header_names_trace_span_decision_and_parent() -> None:
    context = TraceContext(TRACE, SPAN, True, parent_id=PARENT, remote=True)
    assert read(("b3", f"{TRACE}-{SPAN}-1-{PARENT}")) == B3(context)
    assert read(("B3", f" {TRACE}-{SPAN}-0 ")) == B3(context._replace(sampled=False, parent_id=""))


def test_without_a_decision_it_is_deferred() -> None:
    found = read(("b3", f"{TRACE}-{SPAN}"))
    assert (found.deferred, found.debug, found.context.sampled) == (True, False, True)


def test_debug_is_a_decision() -> None:
    found = read(("b3", f"{TRACE}-{SPAN}-d"))
    assert (found.deferred, found.debug, found.context.sampled) == (False, True, True)


def test_trace_ids_of_64_bits_are_padded_on_the_left() -> None:
    short = TRACE[16:]
    assert read(("b3", f"{short}-{SPAN}-1")).context.trace_id == "0" * 16 + short
    assert read(("x-b3-traceid", short), ("x-b3-spanid", SPAN)).context.trace_id == "0" * 16 + short


def test_the_five_headers_say_the_same() -> None:
    found = read(("X-B3-TraceId", TRACE), ("X-B3-SpanId", SPAN), ("X-B3-ParentSpanId", PARENT), ("X-B3-Sampled", "1"))
    assert found == read(("b3", f"{TRACE}-{SPAN}-1-{PARENT}"))


@pytest.mark.parametrize(("text", "sampled"), [("1", True), ("true", True), ("0", False), ("false", False)])
def test_older_libraries_write_the_decision_as_a_word(text: str, sampled: bool) -> None:
    assert read(("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN), ("x-b3-sampled", text)).context.sampled is sampled


def test_the_debug_flag_outranks_the_decision() -> None:
    found = read(("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN), ("x-b3-sampled", "0"), ("x-b3-flags", "1"))
    assert (found.debug, found.context.sampled, found.deferred) == (True, True, False)


def test_the_single_header_outranks_the_five() -> None:
    found = read(("x-b3-traceid", "1" * 32), ("x-b3-spanid", SPAN), ("b3", f"{TRACE}-{SPAN}-0"))
    assert (found.context.trace_id, found.context.sampled) == (TRACE, False)


@pytest.mark.parametrize(("text", "sampled", "debug"), [("0", False, False), ("1", True, False), ("d", True, True)])
def test_a_decision_alone_starts_a_trace_that_obeys_it(text: str, sampled: bool, debug: bool) -> None:
    found = read(("b3", text))
    assert (found.context.sampled, found.debug, found.context.remote) == (sampled, debug, False)


@pytest.mark.parametrize("text", ["", "x", f"{TRACE}-{SPAN}-2", f"{TRACE[1:]}-{SPAN}-1", f"{TRACE}-{'0' * 16}-1"])
def test_a_bad_header_starts_a_trace_and_says_why(text: str) -> None:
    found = read(("b3", text))
    assert not found.context.remote
    assert found.context.why


def test_five_bad_headers_start_a_trace_and_say_why() -> None:
    assert read(("x-b3-traceid", TRACE)).context.why is NewTrace.B3_DIGITS
    assert read().context.why is NewTrace.NO_B3


def test_debug_and_decision_are_never_sent_together() -> None:
    debug = B3(TraceContext(TRACE, SPAN), debug=True)
    assert b3.inject_several(debug) == [("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN), ("x-b3-flags", "1")]
    assert b3.inject(debug) == [("b3", f"{TRACE}-{SPAN}-d")]


def test_a_child_keeps_debug_and_names_its_parent() -> None:
    child = B3(TraceContext(TRACE, SPAN), debug=True).child(Stream(3, "ids"))
    assert child.debug
    assert b3.inject(child) == [("b3", f"{TRACE}-{child.context.span_id}-d-{SPAN}")]


hexes = st.integers(1, (1 << 64) - 1)


@given(hexes, hexes, st.none() | hexes, st.sampled_from(["1", "0", "d", ""]))
def test_what_is_told_is_what_was_meant(trace: int, span: int, parent: int | None, state: str) -> None:
    above = "" if parent is None else f"{parent:016x}"
    context = TraceContext(f"{trace:032x}", f"{span:016x}", state != "0", parent_id=above, remote=True)
    said = B3(context, state == "d", state == "")
    assert b3.extract(b3.inject_several(said)) == said
    if state:
        assert b3.extract(b3.inject(said)) == said


@given(
    st.lists(st.tuples(st.sampled_from(["b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled"]), st.text(max_size=40)))
)
def test_no_header_however_odd_stops_a_request(headers: list[tuple[str, str]]) -> None:
    assert len(b3.extract(headers).context.trace_id) == 32
