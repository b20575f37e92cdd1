"""Keys, pastes and reports out of bytes: whatever a terminal answers, however torn, no part of it is a key."""

from __future__ import annotations

import random

import pytest

from tui.terminal.scanner import HELD_S, PASTE_SILENCE_S, Key, Paste, Report, Scanner, Token

PATIENCE_S = 0.2

REPLIES = {
    "cursor": (b"\x1b[2;3R", [Report("cursor", (2, 3))]),
    "foreground": (b"\x1b]10;rgb:dcdc/dcdc/cccc\x1b\\", [Report("colour", (10, 0xDCDC, 0xDCDC, 0xCCCC))]),
    "background": (b"\x1b]11;rgb:ff/ff/ff\x07", [Report("colour", (11, 65535, 65535, 65535))]),
    "palette": (b"\x1b]4;1;rgb:cdcd/0000/0000\x1b\\", []),
    "clipboard": (b"\x1b]52;c;a2trcmhS\x07", []),
    "title": (b"\x1b]lkRqm\x1b\\", []),
    "version": (b"\x1bP>|XTerm(390) kqRm\x1b\\", []),
    "setting": (b"\x1bP1$r0m\x1b\\", []),
    "capability": (b"\x1bP1+r4b=71\x1b\\", []),
    "graphics": (b"\x1b_Gi=31;OK kq\x1b\\", []),
    "attributes": (b"\x1b[?64;1;2;6;9;15;16;17;18;21;22;28c", []),
    "attributes 2": (b"\x1b[>41;354;0c", []),
    "keyboard flags": (b"\x1b[?25u", []),
    "status": (b"\x1b[0n", []),
    "size in cells": (b"\x1b[8;24;80t", []),
    "size in band": (b"\x1b[48;24;80;480;800t", [Report("size", (24, 80, 480, 800))]),
    "mode": (b"\x1b[?2026;2$y", [Report("mode", (2026, 2))]),
    "focus in": (b"\x1b[I", [Report("focus", (1,))]),
    "focus out": (b"\x1b[O", [Report("focus", (0,))]),
    "release": (b"\x1b[107;1:3u", []),
    "release of an arrow": (b"\x1b[1;1:3A", []),
    "mouse": (b"\x1b[<35;10;5M", [Report("mouse", raw="\x1b[<35;10;5M")]),
    "mouse of old": (b"\x1b[M qk", []),
    "unknown": (b"\x1b[1;2;3;4;5;6;7;8 q", []),
}


def scan(*chunks: bytes, gap_s: float = 0.0, patience_s: float = PATIENCE_S, held_s: float = HELD_S) -> list[Token]:
    """Every token of some chunks, each so much later than the one before."""
    scanner, now_s, tokens = Scanner(), 0.0, list[Token]()
    for chunk in chunks:
        tokens += scanner.tick(now_s, patience_s, held_s)
        tokens += scanner.feed(chunk, now_s)
        now_s += gap_s
    return tokens + scanner.tick(now_s + max(PATIENCE_S, held_s), PATIENCE_S, held_s)


def typed(text: str) -> list[Token]:
    return [Key(char, char) for char in text]


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_is_what_it_says_and_no_key(name: str) -> None:
    reply, tokens = REPLIES[name]
    assert scan(reply) == tokens
    assert scan(reply + b"k") == [*tokens, *typed("k")]
    assert scan(b"k" + reply + reply + b"q") == [*typed("k"), *tokens, *tokens, *typed("q")]


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_torn_at_any_byte_is_the_same_however_late_the_rest_is(name: str) -> None:
    reply, tokens = REPLIES[name]
    for cut in range(2, len(reply)):
        assert scan(reply[:cut], reply[cut:], b"k", gap_s=60.0) == [*tokens, *typed("k")], cut
    assert scan(*(bytes((byte,)) for byte in reply), b"k", gap_s=0.1) == [*tokens, *typed("k")]


@pytest.mark.parametrize("name", REPLIES)
def test_torn_behind_its_first_byte_it_is_at_most_an_escape(name: str) -> None:
    reply, tokens = REPLIES[name]
    assert scan(reply[:1], reply[1:], b"k", gap_s=0.5) == [Key("escape"), *tokens, *typed("k")]
    assert scan(reply[:1], reply[1:], b"k", gap_s=0.5, patience_s=1.0) == [*tokens, *typed("k")]


def test_keys_are_keys() -> None:
    assert scan(b"kR q\r\t\x7f\x08\x03\x0c") == [
        *typed("kR"), Key("space", " "), *typed("q"), Key("enter"), Key("tab"), Key("backspace"), Key("backspace"),
        Key("ctrl+c"), Key("ctrl+l"),
    ]  # fmt: skip
    names = {
        b"\x1b[A": "up", b"\x1bOB": "down", b"\x1b[1;5C": "right", b"\x1b[H": "home", b"\x1b[1~": "home",
        b"\x1b[F": "end", b"\x1b[4~": "end", b"\x1b[5~": "pageup", b"\x1b[6~": "pagedown", b"\x1b[Z": "shift+tab",
        b"\x1bOP": "f1", b"\x1b[11~": "f1", b"\x1b[[A": "f1", b"\x1b[3~": "delete", b"\x1b[27u": "escape",
        b"\x1b[13u": "enter", b"\x1b[9;2u": "shift+tab", b"\x1b[108;5u": "ctrl+l", b"\x1b[1;1:2B": "down",
        b"\x1b[27;5;99~": "ctrl+c",
    }  # fmt: skip
    for raw, name in names.items():
        assert scan(raw) == [Key(name)], raw


def test_keys_of_the_keyboard_protocol_type_what_they_type() -> None:
    assert scan(b"\x1b[107;;107u") == typed("k")
    assert scan(b"\x1b[107:75;2;75u") == typed("K")
    assert scan(b"\x1b[107;2u") == typed("K")
    assert scan(b"\x1b[55;5u") == [Key("ctrl+7")]
    assert scan(b"\x1b[57441;2u") == []  # shift itself
    assert scan(b"\x1b[107;9u") == []  # with super it belongs to the desktop
    assert scan(b"\x1b[99999999999u\x1b[55296u\x1b[1114112u") == []


def test_an_escape_is_a_key_once_nothing_follows_it() -> None:
    scanner = Scanner()
    assert scanner.feed(b"\x1b", 1.0) == []
    assert scanner.waiting
    assert scanner.tick(1.1, PATIENCE_S) == []
    assert scanner.tick(1.25, PATIENCE_S) == [Key("escape")]
    assert scanner.feed(b"s", 1.3) == typed("s")


STATUS = b"\x1b[0n"


@pytest.mark.parametrize("name", REPLIES)
def test_torn_twice_it_is_at_most_an_escape_however_late_the_rest_is(name: str) -> None:
    """The terminal is asked something once a byte is in doubt, and its answer comes behind all of the sequence."""
    reply, tokens = REPLIES[name]
    for cut in range(2, len(reply)):
        chunks = reply[:1], reply[1:2], reply[2:cut], reply[cut:]
        for gap_s in (0.5, 8.0):
            seen = scan(*(chunk for chunk in chunks if chunk), STATUS, b"k", gap_s=gap_s, held_s=10.0)
            assert seen == [Key("escape"), *tokens, *typed("k")], (cut, gap_s)


@pytest.mark.parametrize(
    ("raw", "key"), [(b"\x1bOP", "f1"), (b"\x1bOS", "f4"), (b"\x1bOM", "enter"), (b"\x1bOA", "up")]
)
def test_a_key_that_is_a_sequence_is_no_letter_however_it_is_torn(raw: bytes, key: str) -> None:
    assert scan(*(bytes((byte,)) for byte in raw), STATUS, gap_s=0.5) == [Key("escape"), Key(key)]


def test_a_hand_that_takes_a_picture_behind_an_escape_waits_for_an_answer_of_the_terminal_at_most_a_second() -> None:
    for letter in "OP":
        scanner = Scanner()
        scanner.feed(b"\x1b", 1.0)
        assert scanner.tick(1.25, PATIENCE_S) == [Key("escape")]
        assert scanner.feed(letter.encode(), 1.3) == []
        assert scanner.doubts
        assert scanner.feed(STATUS, 1.32) == typed(letter)
        scanner.feed(b"\x1b", 2.0)
        scanner.tick(2.25, PATIENCE_S)
        assert scanner.feed(letter.encode(), 2.3) == []
        assert scanner.tick(2.3 + HELD_S, PATIENCE_S) == typed(letter)
        assert scanner.feed(letter.encode(), 4.0) == typed(letter)  # not behind an escape it is never in doubt


def test_escape_and_a_key_close_behind_it_are_two() -> None:
    assert scan(b"\x1bk") == [Key("escape"), *typed("k")]
    assert scan(b"\x1b\x1b[A") == [Key("escape"), Key("up")]


def test_what_cannot_be_read_is_dropped() -> None:
    assert scan(b"a\xe9b") == typed("ab")
    assert scan(b"\xff\xfe\x80k") == typed("k")
    assert scan("\u20ac\u00e9".encode()) == typed("\u20ac\u00e9")
    assert scan(b"\xe2", b"\x82", b"\xac", gap_s=3.0) == typed("\u20ac")
    assert scan(b"\xe2\x82\x1b[A") == [Key("up")]


def test_a_paste_is_text_whatever_is_in_it() -> None:
    assert scan(b"\x1b[200~kq\x1b[Ax\x1bq\r\n\x1b[201~k") == [Paste("kq\x1b[Ax\x1bq\n"), *typed("k")]
    assert scan(b"\x1b[20", b"0~caf\xe9 k", b"\x1b", b"[201", b"~", gap_s=2.0) == [Paste("caf k")]


def test_nobody_is_locked_in() -> None:
    assert scan(b"\x1b[200~kk\x03") == [Paste("kk"), Key("ctrl+c")]
    scanner = Scanner()
    scanner.feed(b"\x1b[200~kk", 0.0)
    assert scanner.tick(PASTE_SILENCE_S, PATIENCE_S) == [Paste("kk")]
    for opened in (b"\x1b]11;rgb:", b"\x1bP>|x", b"\x1b_G", b"\x1b[1;2"):
        assert scan(opened + b"\x03") == [Key("ctrl+c")]
        assert scan(opened + b"\x1b[A") == [Key("up")]
    assert scan(b"\x1b]", b"k", gap_s=1.0) == typed("k")  # alt+] of a hand, then a key
    assert scan(b"\x1bP", b"k", gap_s=1.0) == typed("k")


def test_no_bytes_whatever_end_it() -> None:
    rng = random.Random(7)
    pieces = [reply for reply, _ in REPLIES.values()] + [b"\x1b", b"k", b"\xe9", b"\x1b[200~", b"\x1b[201~"]
    for _ in range(300):
        data = b"".join(rng.choice(pieces)[: rng.randrange(1, 20)] for _ in range(20)) + rng.randbytes(40)
        scanner = Scanner()
        for at in range(0, len(data), 7):
            scanner.feed(data[at : at + 7], float(at))
            scanner.tick(at + 0.5, PATIENCE_S)
        assert scanner.feed(b"\x03\x1b\\\x03", 1e9)[-1:] == [Key("ctrl+c")]
