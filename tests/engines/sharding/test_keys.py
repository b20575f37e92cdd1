"""The user's keys: bytes, one a line."""

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import UserError
from engines.sharding.batch import KeySet
from engines.sharding.keys import KEY_MAX, read_keys, show


def read(*lines: bytes, skip_bad: bool = False) -> list[tuple[bytes, float]]:
    keys, _ = read_keys(lines, "keys.txt", skip_bad=skip_bad)
    return [(key, keys.weight(i)) for i, key in enumerate(keys)]


def test_a_key_a_line_and_a_weight_behind_the_last_tab() -> None:
    assert read(b"a\n", b"b\t2.5\n", b"c\td\t1e3\r\n", b" e \n", b"f") == [
        (b"a", 1),
        (b"b", 2.5),
        (b"c\td", 1000),
        (b" e ", 1),
        (b"f", 1),
    ]


def test_a_blank_line_is_the_empty_key() -> None:
    assert read(b"\n", b"\t7\n") == [(b"", 1), (b"", 7)]


def test_any_bytes_are_a_key() -> None:
    assert read(b"\xff\x00\xfe\n", b"a\rb\n") == [(b"\xff\x00\xfe", 1), (b"a\rb", 1)]


@given(st.lists(st.tuples(st.binary(max_size=9), st.sampled_from([1, 0, 2, 0.25]))))
def test_a_set_returns_what_was_added(items: list[tuple[bytes, float]]) -> None:
    keys = KeySet()
    for key, weight in items:
        keys.add(key, weight)
    assert [(keys[i], keys.weight(i)) for i in range(len(keys))] == items
    assert list(keys) == [key for key, _ in items]
    assert keys.total == sum(weight for _, weight in items)
    assert keys.whole == all(weight != 0.25 for _, weight in items)
    assert keys.sample(len(items) + 1) == items
    with pytest.raises(IndexError):
        keys[len(items)]


@pytest.mark.parametrize(
    "weight",
    [b"x", b"", b"-1", b"nan", b"NaN", b"inf", b"-inf", b"1e999", b"1_0", b" 1", b"0x10", b"1,5", b"\xff", b"2e15"],
)
def test_a_bad_weight_names_file_and_line(weight: bytes) -> None:
    with pytest.raises(UserError, match=r"^keys\.txt: line 2: weight '.*' after the tab: a number from 0 to 1e15 is"):
        read(b"a\t1\n", b"b\t" + weight + b"\n")
    assert read(b"a\t1\n", b"b\t" + weight + b"\n", skip_bad=True) == [(b"a", 1)]


def test_bad_lines_are_counted_when_they_are_skipped() -> None:
    keys, skipped = read_keys([b"a\tx", b"b", b"c" * (KEY_MAX + 1), b"d\t-1"], "f", skip_bad=True)
    assert (list(keys), skipped) == ([b"b"], 3)
    with pytest.raises(UserError, match="f: holds no keys but 1 bad lines"):
        read_keys([b"a\tx"], "f", skip_bad=True)


def test_a_key_is_at_most_a_megabyte() -> None:
    assert len(read(b"k" * KEY_MAX + b"\n")) == 1
    with pytest.raises(UserError, match=r"keys\.txt: line 1: a key of 1048577 bytes: at most 1048576 are accepted"):
        read(b"k" * (KEY_MAX + 1))


def test_an_empty_file_and_a_file_without_load() -> None:
    with pytest.raises(UserError, match=r"^keys\.txt: holds no keys: one key a line is needed"):
        read()
    with pytest.raises(UserError, match=r"^keys\.txt: every weight is 0"):
        read(b"a\t0\n", b"b\t-0\n")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (b"user:1", "user:1"),
        ("é€".encode(), "é€"),
        (b"\xff\x00a", "\\xff\\x00a"),
        (b"a\\b", "a\\\\b"),
        (b"\x1b[31m", "\\x1b[31m"),
        (b"\xc2\x9b", "\\xc2\\x9b"),
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
        (b"", ""),
    ],
)
def test_keys_are_shown_without_harm(key: bytes, text: str) -> None:
    assert show(key) == text


@given(st.binary(), st.binary())
def test_different_keys_look_different(one: bytes, other: bytes) -> None:
    assert show(one).isprintable()
    assert (show(one) == show(other)) == (one == other)


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    keys, _ = read_keys([b"\xef\xbb\xbffoo\n", b"bar\n", b"\xef\xbb\xbfbaz\n"], "keys.txt")
    assert list(keys) == [b"foo", b"bar", b"\xef\xbb\xbfbaz"]


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_utf_16_is_named(mark: bytes) -> None:
    with pytest.raises(UserError, match=r"keys.txt: line 1: this is UTF-16: save it as UTF-8"):
        read_keys([mark + "foo".encode("utf-16-le")], "keys.txt")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            gzip.compress(b"a\nb\n", mtime=0),
            "this is a gzip file: keys as text are needed, one a line; gunzip it first",
        ),
        (b"SQLite format 3\0\x10\0", "this is a SQLite database: keys as text are needed"),
        (b"PK\x03\x04...", "a zip archive"),
        (b"PAR1....", "a Parquet file"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_name(data: bytes, said: str) -> None:
    with pytest.raises(UserError, match=f"keys.bin: byte 0: .*{said}"):
        read_keys(io.BytesIO(data), "keys.bin")
    assert list(read_keys([b"PK-1\n", b"a\0b\n"], "keys.txt")[0]) == [b"PK-1", b"a\0b"], (
        "bytes that are no text are keys"
    )
