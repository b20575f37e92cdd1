"""W3C Baggage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import UserError
from engines.tracing import baggage
from engines.tracing.baggage import Member


def read(*values: str) -> tuple[Member, ...]:
    return baggage.extract([("baggage", value) for value in values])


def test_members_have_keys_values_and_properties() -> None:
    assert read("userId=alice;tier=gold;internal, region=eu") == (
        Member("userId", "alice", (("tier", "gold"), ("internal", None))),
        Member("region", "eu"),
    )


def test_blanks_and_tabs_around_everything_are_ignored() -> None:
    assert read(" key1 =\tvalue1 ; p = v \t,  key2 = value2 ") == (
        Member("key1", "value1", (("p", "v"),)),
        Member("key2", "value2"),
    )


def test_several_headers_are_joined_in_order_and_read_in_any_case() -> None:
    found = baggage.extract([("Baggage", "a=1"), ("x", "c=3"), ("BAGGAGE", "b=2")])
    assert found == (Member("a", "1"), Member("b", "2"))


def test_values_are_percent_encoded_utf_8() -> None:
    assert read("k=%C3%A4%2C%20b+c=d")[0].value == "ä, b+c=d"


def test_octets_that_are_no_utf_8_become_the_replacement_character() -> None:
    assert read("k=a%FFb")[0].value == "a\ufffdb"


@pytest.mark.parametrize("bad", ["novalue", "=1", "a b=1", "k=a b", 'k="x"', "k=a\\b", "k=1;bad prop=2", "k=ä", ""])
def test_a_member_that_cannot_be_read_is_left_out_alone(bad: str) -> None:
    assert read(f"a=1,{bad},b=2") == (Member("a", "1"), Member("b", "2"))


def test_of_two_members_with_one_key_the_last_counts() -> None:
    assert read("a=1,b=2,a=3") == (Member("a", "3"), Member("b", "2"))


def test_an_empty_value_is_a_value() -> None:
    assert read("a=") == (Member("a", ""),)


def test_putting_replaces_a_member_where_it_stands_and_dropping_removes_it() -> None:
    bag = baggage.put(read("a=1,b=2"), "a", "3", (("p", None),))
    assert bag == (Member("a", "3", (("p", None),)), Member("b", "2"))
    assert baggage.drop(bag, "a") == (Member("b", "2"),)


def test_a_key_no_header_has_is_refused() -> None:
    with pytest.raises(UserError, match="baggage key 'a b'"):
        baggage.put((), "a b", "1")


def test_no_baggage_no_header() -> None:
    assert baggage.inject(()) == []


def test_64_members_pass_and_the_65th_does_not() -> None:
    bag = tuple(Member(f"k{n}", "v") for n in range(65))
    assert baggage.extract(baggage.inject(bag)) == bag[:64]


def test_8192_bytes_pass_and_whole_members_beyond_do_not() -> None:
    bag = (Member("a", "x" * 4000), Member("b", "y" * 4187), Member("c", "z"))
    assert sum(len(member.key) + len(member.value) + 1 for member in bag[:2]) + 1 == 8192
    assert baggage.extract(baggage.inject(bag)) == bag[:2]


tokens = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=6)
texts = st.text(st.characters(codec="utf-8"), max_size=12)
members = st.builds(Member, tokens, texts, st.lists(st.tuples(tokens, st.none() | texts), max_size=2).map(tuple))


@given(st.lists(members, max_size=8, unique_by=lambda member: member.key).map(tuple))
def test_what_is_told_is_what_was_meant(bag: tuple[Member, ...]) -> None:
    assert baggage.extract(baggage.inject(bag)) == bag


@given(st.text(max_size=80))
def test_no_header_however_odd_stops_a_request(text: str) -> None:
    told = read(text)
    assert baggage.extract(baggage.inject(told)) == told
