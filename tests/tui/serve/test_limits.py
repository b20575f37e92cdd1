"""Who may come in, with time as a number; what is taken of a client's word; what the system keeps from an app."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import UserError
from tests.ptyscreen import ROOT
from tui.serve.credentials import authorized, host_key
from tui.serve.guest import ALLOWED, HEIGHT_MAX, WIDTH_MAX, Sieve, safe_environ, safe_size, safe_term
from tui.serve.house import REPLIES
from tui.serve.limits import ADDRESSES_MAX, Book, Limits
from tui.serve.log import LONGEST, plain
from tui.serve.tokens import same, token

# -- the book ----------------------------------------------------------------------------------------------------------


def test_places_are_counted_in_all_and_by_address() -> None:
    book = Book(Limits(sessions=3, per_address=2))
    assert [book.enter("a"), book.enter("a")] == ["", ""]
    assert book.enter("a").startswith("2 visits from your address")
    assert book.enter("b") == ""
    assert book.enter("c").startswith("all 3 places")
    book.leave("a")
    assert book.enter("c") == ""
    assert book.present == 3
    assert book.opened == 4


def test_who_fails_often_waits_until_that_is_forgotten() -> None:
    book = Book(Limits(failures=3, failure_window_s=60.0))
    for at in (0.0, 10.0, 20.0):
        assert book.knock("a", at) == ""
        book.go()
        book.failed("a", at)
    assert book.knock("a", 30.0) == "too many failed logins from this address"
    assert book.knock("b", 30.0) == ""
    assert book.knock("a", 60.0) == ""


def test_failures_of_many_addresses_take_no_more_memory_than_so_many() -> None:
    book = Book(Limits())
    for n in range(ADDRESSES_MAX + 500):
        book.failed(f"a{n}", 0.0)
    for n in range(ADDRESSES_MAX + 500):
        book.knock(f"b{n}", 0.0)
    assert len(book._failures) <= ADDRESSES_MAX + 1


# -- a client's word ---------------------------------------------------------------------------------------------------


@given(st.integers(0, 1 << 32), st.integers(0, 1 << 32))
def test_every_size_is_brought_into_bounds(width: int, height: int) -> None:
    assert 1 <= safe_size(width, height)[0] <= WIDTH_MAX
    assert 1 <= safe_size(width, height)[1] <= HEIGHT_MAX


@given(st.text(max_size=80))
def test_a_name_of_a_terminal_is_plain_or_xterm(name: str) -> None:
    found = safe_term(name)
    assert found == "xterm" or (found == name and name.isascii() and name.isprintable() and "/" not in name)


@pytest.mark.parametrize("term", ["xterm-kitty", "tmux-256color", "screen.xterm-256color", "linux", "dumb", "st+x"])
def test_names_of_terminals_stay(term: str) -> None:
    assert safe_term(term) == term


@given(st.dictionaries(st.sampled_from([*ALLOWED, "PATH", "LD_PRELOAD"]), st.text(max_size=80)))
def test_of_an_environment_only_what_looks_like_it_crosses(environ: dict[str, str]) -> None:
    found = safe_environ(environ)
    assert set(found) <= set(ALLOWED)
    assert all(value == environ[name] and value.isascii() and len(value) <= 64 for name, value in found.items())
    assert not any(char in value for value in found.values() for char in "\x1b\0\n $/`")


def test_a_sieve_holds_no_more_than_may_cross() -> None:
    sieve = Sieve()
    for n in range(1_000):
        sieve[f"V{n}".encode()] = b"x" * 1_000
    sieve[b"LANG"] = b"de_DE.UTF-8"
    sieve[b"LC_ALL"] = b"x" * 65
    assert dict(sieve) == {b"LANG": b"de_DE.UTF-8"}


def test_what_a_terminal_answers_by_itself_is_no_key() -> None:
    replies = (b"\x1b[3;4R", b"\x1b[?1;2c", b"\x1b]11;rgb:00/00/00\x1b\\", b"\x1b[?2026;2$y", b"\x1b[I")
    assert REPLIES.sub(b"", b"".join(replies)) == b""
    assert REPLIES.sub(b"", b"\x1b[3;4Rq") == b"q"
    assert REPLIES.sub(b"", b"\x1b[A") == b"\x1b[A"


@given(st.text())
def test_a_line_of_the_log_is_one_line_of_plain_text(text: str) -> None:
    line = plain(text)
    assert line.isascii()
    assert line.isprintable() or not line
    assert len(line) <= LONGEST


# -- keys --------------------------------------------------------------------------------------------------------------


def test_a_host_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "serve" / "host_key"
    first = host_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert host_key(path).get_fingerprint() == first.get_fingerprint()


def test_a_host_key_that_cannot_be_trusted_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "host_key"
    host_key(path)
    path.chmod(0o640)
    with pytest.raises(UserError, match=r"mode 0640.*chmod 600"):
        host_key(path)
    path.chmod(0o600)
    path.write_text("-----BEGIN RSA PRIVATE KEY-----\nnonsense", encoding="utf-8")
    with pytest.raises(UserError, match="no private key without a passphrase"):
        host_key(path)
    with pytest.raises(UserError, match="a file of your own is accepted"):
        host_key(tmp_path)


def test_files_of_keys_are_read_as_openssh_has_them(tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    good, bad = tmp_path / "good", tmp_path / "bad"
    line = key.export_public_key().decode()
    good.write_text(f'# people\n\nno-pty,from="10.0.0.0/8" {line}not a key\n{line}', encoding="utf-8")
    bad.write_text("hello\n", encoding="utf-8")
    assert authorized((good,)).validate(key.convert_to_public(), "", "127.0.0.1") is not None
    with pytest.raises(UserError, match="no public key in it"):
        authorized((bad,))
    with pytest.raises(UserError, match=r"--keys .*nowhere: No such file"):
        authorized((tmp_path / "nowhere",))


def test_tokens_are_long_and_their_own() -> None:
    words = {token() for _ in range(100)}
    assert len(words) == 100
    assert min(map(len, words)) >= 32
    assert same("a", "a")
    assert not same("a", "b")
    assert not same("\udc80", "b")


# -- what the system keeps ---------------------------------------------------------------------------------------------


def confined(code: str, cpu_s: int = 60) -> subprocess.CompletedProcess[str]:
    script = f"from tui.serve.visitor import confine; confine({cpu_s}, 256)\n{code}"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)


def test_a_confined_process_writes_no_file_and_takes_no_more_than_its_memory(tmp_path: Path) -> None:
    path = tmp_path / "file"
    done = confined(f"import os; os.write(os.open({str(path)!r}, os.O_CREAT | os.O_WRONLY), b'x')")
    assert "OSError" in done.stderr
    assert not path.exists() or not path.stat().st_size
    assert "MemoryError" in confined("bytearray(300 << 20)").stderr
    assert confined("import os; print(os.nice(0))").stdout == f"{min(19, os.nice(0) + 5)}\n"


def test_a_confined_process_ends_when_its_time_is_used_up() -> None:
    assert confined("while True: pass", 1).returncode == -signal.SIGXCPU
