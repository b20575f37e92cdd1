"""The hashes of real systems, with answers that come from those systems."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.sharding.hashing import crc16, fast, ketama, murmur3


@pytest.mark.parametrize(
    ("key", "slot"),
    [
        (b"123456789", 12739),
        (b"foo", 12182),
        (b"{user1000}.x", 3443),
        (b"{user1000}.following", 3443),
        (b"user1000", 3443),
        (b"foo{}{bar}", 8363),
        (b"foo{{bar}}zap", 4015),
        (b"{bar", 4015),
        (b"foo{bar}{zap}", 5061),
        (b"bar", 5061),
        (b"hello", 866),
        (b"", 0),
        (b"\xc3\xa9", 10180),
    ],
)
def test_redis_puts_the_key_into_this_slot(key: bytes, slot: int) -> None:
    assert crc16.slot(key) == slot
    assert crc16.slots([key]) == [slot]


def test_crc16_is_the_xmodem_one() -> None:
    assert crc16.crc16(b"123456789") == 0x31C3


@pytest.mark.parametrize(
    ("key", "tag"),
    [
        (b"{a}b", b"a"),
        (b"x{a}b", b"a"),
        (b"x{}b", b"x{}b"),
        (b"x}{a}", b"a"),
        (b"x{a", b"x{a"),
        (b"{", b"{"),
        (b"}{", b"}{"),
        (b"{{}}", b"{"),
    ],
)
def test_a_hash_tag_ends_at_the_first_brace_after_the_first_brace(key: bytes, tag: bytes) -> None:
    assert crc16.hash_tag(key) == tag


@pytest.mark.parametrize(
    ("key", "token"),
    [
        (b"123", -7468325962851647638),
        (b"\x00\xff\x10\xfa\x99" * 10, 5837342703291459765),
        (b"\xfe" * 8, -8927430733708461935),
        (b"\x10" * 8, 1446172840243228796),
        (b"9223372036854775807", 7162290910810015547),
        (b"a", -8839064797231613815),
        (b"hello", -3758069500696749310),
        (b"user:1", 6120565781388772718),
        (b"\x80", -5284281814142962636),
        (b"0123456789abcdef\xff", -6691489712879347859),
        (b"\xc3\xa9", 5461403030378599040),
        (b"n" * 33, 2280190058705912340),
        (b"", -(2**63)),
    ],
)
def test_cassandra_gives_the_key_this_token(key: bytes, token: int) -> None:
    assert murmur3.token(key) == token


def test_the_reserved_minimum_becomes_the_maximum() -> None:
    assert murmur3._normalise(1 << 63) == 2**63 - 1
    assert murmur3._normalise((1 << 63) + 1) == -(2**63) + 1


@pytest.mark.parametrize(
    ("key", "unsigned"),
    [(b"\xfe" * 8, -3927725473986473217), (b"\x80", 7017059463262962058), (b"\xc3\xa9", -3956277427552623640)],
)
def test_common_libraries_differ_where_the_tail_has_a_high_byte(key: bytes, unsigned: int) -> None:
    assert murmur3.hash128(key)[0] == unsigned % 2**64 != murmur3.token(key) % 2**64


@given(st.binary(min_size=1, max_size=70), st.integers(0, 2**32 - 1))
def test_tails_agree_unless_a_high_byte_is_in_the_last_length_mod_16(key: bytes, seed: int) -> None:
    ascii_tail = key[: len(key) & ~15] + bytes(byte & 0x7F for byte in key[len(key) & ~15 :])
    assert murmur3.hash128(ascii_tail, seed) == murmur3.hash128(ascii_tail, seed, signed_tail=True)


@pytest.mark.parametrize(
    ("key", "position"),
    [(b"hello", 708854109), (b"a", 3111502092), (b"user:1", 282964413), (b"\x80", 2128427405)],
)
def test_ketama_puts_the_key_here(key: bytes, position: int) -> None:
    assert ketama.position(key) == position


def test_ketama_takes_four_points_from_a_digest() -> None:
    assert len(ketama.points("n1")) == 160
    # md5("n1-0") read as four little-endian numbers
    assert ketama.points("n1", 1) == [3956081846, 1613138933, 244348022, 3798853134]


def test_the_default_hash_never_changes() -> None:
    assert fast.hash64(b"hello") == 9022087748821825191
    assert list(fast.hash64_many([b"", b"hello"])) == [fast.hash64(b""), fast.hash64(b"hello")]
    assert fast.hash64_pair("n1") == (5958483299782258348, 579746043129822711)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_fold_stays_within_64_bits(number: int, first: int, second: int) -> None:
    assert 0 <= fast.fold(number, first, second | 1) < 2**64
