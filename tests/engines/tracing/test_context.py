"""W3C Trace Context: first the 41 behaviours that the specification's conformance suite asks for, then our own."""

import string
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import UserError
from engines.sim.random import Stream
from engines.tracing import context
from engines.tracing.context import Headers, NewTrace, TraceContext, extract, inject, root, serve

TRACE = "12345678901234567890123456789012"
SPAN = "1234567890123456"
GOOD = f"00-{TRACE}-{SPAN}-01"
KEY_CHARS = string.ascii_lowercase + string.digits + "_-*/"
VALUE_CHARS = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in ",=")


def call(headers: Headers, times: int = 1) -> list[TraceContext]:
    """A service receives these headers and calls others: what they are told."""
    span = serve(headers)
    told = [extract(inject(span.child())) for _ in range(times)]
    assert all(each.remote for each in told)
    return told


def parent(value: str) -> TraceContext:
    """What is told after this traceparent."""
    return call([("traceparent", value)])[0]


def state(*values: str, name: str = "tracestate") -> dict[str, str]:
    """What is told of these tracestate headers."""
    told = call([("traceparent", GOOD), *((name, value) for value in values)])[0]
    assert told.trace_id == TRACE
    return dict(told.state)


def restarts(*values: str) -> bool:
    """Does each of these traceparents start a new trace?"""
    return all(parent(value).trace_id != TRACE for value in values)


# -- the 41 cases: traceparent ---------------------------------------------------------------------------------


def test_both_headers_missing_start_a_trace() -> None:
    assert call([])[0].trace_id.strip("0")


def test_a_traceparent_alone_keeps_its_trace_and_gets_a_new_parent() -> None:
    told = parent(GOOD)
    assert (told.trace_id, told.span_id != SPAN) == (TRACE, True)


def test_two_traceparents_start_a_new_trace() -> None:
    other = TRACE[:-1] + "1"
    told = call([("traceparent", f"00-{other}-{SPAN}-01"), ("traceparent", GOOD)])[0]
    assert told.trace_id not in (TRACE, other)


@pytest.mark.parametrize("name", ["trace-parent", "trace.parent"])
def test_traceparent_under_a_wrong_name_is_not_read(name: str) -> None:
    assert call([(name, GOOD)])[0].trace_id != TRACE


@pytest.mark.parametrize("name", ["TraceParent", "TrAcEpArEnT", "TRACEPARENT"])
def test_traceparent_is_read_in_any_case(name: str) -> None:
    assert call([(name, GOOD)])[0].trace_id == TRACE


def test_version_00_must_end_after_its_flags() -> None:
    assert restarts(f"{GOOD}.", f"{GOOD}-what-comes-later")


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    later = f"cc-{TRACE}-{SPAN}-01"
    assert parent(later).trace_id == parent(f"{later}-what-comes-later").trace_id == TRACE
    assert restarts(f"{later}.what-comes-later")


def test_version_ff_starts_a_new_trace() -> None:
    assert restarts(f"ff-{TRACE}-{SPAN}-01")


def test_illegal_characters_in_the_version_start_a_new_trace() -> None:
    assert restarts(f".0-{TRACE}-{SPAN}-01", f"0.-{TRACE}-{SPAN}-01")


def test_a_version_too_long_starts_a_new_trace() -> None:
    assert restarts(f"000-{TRACE}-{SPAN}-01", f"0000-{TRACE}-{SPAN}-01")


def test_a_version_too_short_starts_a_new_trace() -> None:
    assert restarts(f"0-{TRACE}-{SPAN}-01")


def test_a_trace_id_of_zeros_starts_a_new_trace() -> None:
    assert parent(f"00-{'0' * 32}-{SPAN}-01").trace_id != "0" * 32


def test_illegal_characters_in_the_trace_id_start_a_new_trace() -> None:
    for bad in (f".{TRACE[1:]}", f"{TRACE[:-1]}."):
        assert parent(f"00-{bad}-{SPAN}-01").trace_id != bad


def test_a_trace_id_too_long_starts_a_new_trace() -> None:
    assert parent(f"00-{TRACE}3-{SPAN}-01").trace_id not in (TRACE, f"{TRACE}3", f"{TRACE}3"[1:])


def test_a_trace_id_too_short_starts_a_new_trace() -> None:
    assert parent(f"00-{TRACE[:-1]}-{SPAN}-01").trace_id not in (TRACE[:-1], f"0{TRACE[:-1]}")


def test_a_parent_id_of_zeros_starts_a_new_trace() -> None:
    assert restarts(f"00-{TRACE}-{'0' * 16}-01")


def test_illegal_characters_in_the_parent_id_start_a_new_trace() -> None:
    assert restarts(f"00-{TRACE}-.{SPAN[1:]}-01", f"00-{TRACE}-{SPAN[:-1]}.-01")


def test_a_parent_id_too_long_starts_a_new_trace() -> None:
    assert restarts(f"00-{TRACE}-{SPAN}7-01")


def test_a_parent_id_too_short_starts_a_new_trace() -> None:
    assert restarts(f"00-{TRACE}-{SPAN[:-1]}-01")


def test_illegal_characters_in_the_flags_start_a_new_trace() -> None:
    assert restarts(f"00-{TRACE}-{SPAN}-.0", f"00-{TRACE}-{SPAN}-0.")


def test_flags_too_long_start_a_new_trace() -> None:
    assert restarts(f"00-{TRACE}-{SPAN}-001")


def test_flags_too_short_start_a_new_trace() -> None:
    assert restarts(f"00-{TRACE}-{SPAN}-1")


def test_blanks_and_tabs_around_a_traceparent_are_ignored() -> None:
    for value in (f" {GOOD}", f"\t{GOOD}", f"{GOOD} ", f"{GOOD}\t", f"\t {GOOD} \t"):
        assert parent(value).trace_id == TRACE


# -- the 41 cases: tracestate ----------------------------------------------------------------------------------


def test_a_tracestate_without_a_traceparent_is_discarded() -> None:
    assert not call([("tracestate", "foo=1")])[0].state
    assert not call([("tracestate", "foo=1,bar=2")])[0].state


def test_a_tracestate_with_its_traceparent_is_inherited() -> None:
    assert state("foo=1,bar=2") == {"foo": "1", "bar": "2"}


def test_tracestate_under_a_wrong_name_is_not_read() -> None:
    assert state("foo=1", name="trace-state") == state("foo=1", name="trace.state") == {}


def test_tracestate_is_read_in_any_case() -> None:
    for name in ("TraceState", "TrAcEsTaTe", "TRACESTATE"):
        assert state("foo=1", name=name) == {"foo": "1"}


def test_an_empty_tracestate_is_legal_and_is_not_sent() -> None:
    assert state("") == {}
    assert state("foo=1", "") == state("", "foo=1") == {"foo": "1"}
    assert len(inject(serve([("traceparent", GOOD), ("tracestate", "")]))) == 1


def test_several_tracestates_are_joined_in_order() -> None:
    joined = state("foo=1,bar=2", "rojo=1,congo=2", "baz=3")
    assert list(joined.items()) == [("foo", "1"), ("bar", "2"), ("rojo", "1"), ("congo", "2"), ("baz", "3")]


@pytest.mark.parametrize("values", [("foo=1,foo=1",), ("foo=1,foo=2",), ("foo=1", "foo=1"), ("foo=1", "foo=2")])
def test_of_two_members_with_one_key_the_later_entry_is_told(values: tuple[str, ...]) -> None:
    told = call([("traceparent", GOOD), *(("tracestate", value) for value in values)])[0]
    assert told.state == (("foo", "1"),)


def test_all_allowed_characters_pass() -> None:
    for key in (KEY_CHARS, f"{KEY_CHARS}@a-z0-9_-*/"):
        assert state(f"{key}={VALUE_CHARS}") == {key: VALUE_CHARS}


def test_blanks_and_tabs_around_members_are_ignored() -> None:
    three = {"foo": "1", "bar": "2", "baz": "3"}
    assert state("foo=1 \t , \t bar=2, \t baz=3") == state("foo=1\t \t,\t \tbar=2,\t \tbaz=3") == three
    for value in (" foo=1", "\tfoo=1", "foo=1 ", "foo=1\t", "\t foo=1 \t"):
        assert state(value) == {"foo": "1"}


def test_illegal_characters_in_a_key_discard_the_tracestate() -> None:
    assert state("foo =1") == state("FOO=1") == state("foo.bar=1") == {}


def test_an_at_sign_is_legal_in_a_key_but_not_first() -> None:
    assert state("@foo=1,bar=2") == {}
    for key in ("foo@", "foo@@bar", "foo@bar@baz"):
        assert state(f"{key}=1,bar=2") == {key: "1", "bar": "2"}


def test_32_members_are_inherited_and_33_discarded() -> None:
    members = [f"bar{n:02}={n:02}" for n in range(1, 34)]
    assert len(state(*(",".join(members[at : at + 10]) for at in (0, 10, 20)), "bar31=31,bar32=32")) == 32
    assert state(*(",".join(members[at : at + 10]) for at in (0, 10, 20, 30))) == {}


def test_a_key_has_at_most_256_characters() -> None:
    for key in ("z" * 256, "t" * 241 + "@" + "v" * 14, "t" * 242 + "@v", "t@" + "v" * 15):
        assert state("foo=1", f"{key}=1") == {"foo": "1", key: "1"}
    assert state("foo=1", f"{'z' * 257}=1") == {}


def test_illegal_characters_in_a_value_discard_the_tracestate() -> None:
    assert state("foo=bar=baz") == state("foo=,bar=3") == {}


# -- the 41 cases: several calls, and level 2 -------------------------------------------------------------------


def test_several_calls_of_one_request_share_the_trace_and_differ_in_their_parent() -> None:
    told = call([("traceparent", GOOD)], times=3)
    assert {each.trace_id for each in told} == {TRACE}
    assert len({each.span_id for each in told}) == 3


def test_several_calls_without_a_traceparent_differ_in_their_parent() -> None:
    assert len({each.span_id for each in call([], times=3)}) == 3


def test_several_calls_after_an_illegal_traceparent_leave_its_trace() -> None:
    told = call([("traceparent", f"00-{'0' * 32}-{SPAN}-01")], times=3)
    assert "0" * 32 not in {each.trace_id for each in told}
    assert len({each.span_id for each in told}) == 3


def test_the_random_flag_is_propagated() -> None:
    assert parent(f"00-{TRACE}-{SPAN}-02").random
    assert not parent(f"00-{TRACE}-{SPAN}-00").random


# -- beyond the suite --------------------------------------------------------------------------------------------


def test_unknown_flags_are_sent_as_zero() -> None:
    assert inject(extract([("traceparent", f"00-{TRACE}-{SPAN}-ff")])) == [("traceparent", f"00-{TRACE}-{SPAN}-03")]


def test_the_sampled_flag_is_kept_either_way() -> None:
    assert parent(GOOD).sampled
    assert not parent(f"00-{TRACE}-{SPAN}-00").sampled


def test_a_new_trace_says_that_its_id_is_random_and_why_it_was_started() -> None:
    assert extract([]).random
    assert extract([]).why is NewTrace.NO_HEADER
    assert extract([("traceparent", "rubbish")]).why is NewTrace.SYNTAX
    assert extract([("traceparent", GOOD)] * 3).why is NewTrace.SEVERAL


def test_a_context_passed_on_unchanged_gives_the_same_headers() -> None:
    headers = [("traceparent", GOOD), ("tracestate", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")]
    assert inject(extract(headers)) == headers


def test_a_later_version_is_told_as_version_00() -> None:
    assert inject(extract([("traceparent", f"cc-{TRACE}-{SPAN}-01-more")])) == [("traceparent", GOOD)]


def test_a_child_names_its_parent() -> None:
    above = root(Stream(1, "ids"))
    below = above.child(Stream(2, "ids"))
    assert (below.trace_id, below.parent_id) == (above.trace_id, above.span_id)
    assert serve(inject(above)).parent_id == above.span_id
    assert serve([]).parent_id == ""


def test_ids_come_from_the_source_passed_in() -> None:
    assert serve([], Stream(7, "ids")) == serve([], Stream(7, "ids")) != serve([], Stream(8, "ids"))


def test_zero_is_never_an_id() -> None:
    class Zeros:
        numbers = count()

        def next(self) -> int:
            return max(0, next(self.numbers) - 2)

    fresh = root(Zeros())
    assert (fresh.trace_id.strip("0"), fresh.span_id.strip("0")) == ("1", "2")


def test_a_member_written_moves_to_the_front() -> None:
    told = extract([("traceparent", GOOD), ("tracestate", "rojo=1,congo=2,baz=3")]).put("congo", "4")
    assert told.state == (("congo", "4"), ("rojo", "1"), ("baz", "3"))
    assert told.get("congo") == "4"
    assert told.drop("congo").get("congo") is None


def test_writing_a_member_beside_32_others_drops_the_last() -> None:
    full = extract([("traceparent", GOOD), ("tracestate", ",".join(f"k{n}=1" for n in range(32)))])
    assert len(full.state) == 32
    assert full.put("ours", "x").state == (("ours", "x"), *full.state[:-1])
    assert full.put("k31", "x").state == (("k31", "x"), *full.state[:-1])


@pytest.mark.parametrize(
    ("key", "value"), [("", "1"), ("Foo", "1"), ("foo", ""), ("foo", "a,b"), ("foo", "a "), ("a\n", "1")]
)
def test_a_member_that_must_not_be_written_is_refused(key: str, value: str) -> None:
    with pytest.raises(UserError):
        root().put(key, value)


def test_a_long_tracestate_loses_whole_members_the_big_ones_first() -> None:
    members = (("ours", "1"), ("big", "x" * 200), ("a", "y" * 120), ("b", "y" * 120), ("huge", "x" * 250))
    assert context.write_tracestate(members, 512) == f"ours=1,big={'x' * 200},a={'y' * 120},b={'y' * 120}"
    assert context.write_tracestate(members, 300) == f"ours=1,a={'y' * 120},b={'y' * 120}"
    assert context.write_tracestate(members, 200) == f"ours=1,a={'y' * 120}"
    assert context.write_tracestate(members[1:2], 10) == ""


keys = st.from_regex(r"[a-z0-9][a-z0-9_\-*/@]{0,20}", fullmatch=True)
values = st.text(VALUE_CHARS, max_size=20).map(lambda text: text + "!")


@given(st.lists(st.tuples(keys, values), max_size=32, unique_by=lambda member: member[0]))
def test_what_is_told_is_what_was_received_up_to_the_limit(members: list[tuple[str, str]]) -> None:
    told = extract(inject(TraceContext(TRACE, SPAN, state=tuple(members)))).state
    whole = sum(len(key) + len(value) + 2 for key, value in members) - 1
    assert set(told) <= set(members)
    assert list(told) == [member for member in members if member in told]
    assert (told == tuple(members)) == (whole <= context.STATE_CHARS)


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_header_however_odd_stops_a_request(one: str, two: str) -> None:
    told = call([("traceparent", one), ("tracestate", two), (one, two)])[0]
    assert len(told.trace_id) == 32
