"""The user's keys: one a line, as bytes, with a weight behind a tab if there is one.

A line ends with LF or CR LF; everything else belongs to the key, also bytes that are no text. A byte order mark of
UTF-8 before the first line is no part of it. The weight is behind
the line's last tab. A blank line is the empty key, which is a key like any other.
"""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable
from typing import Final

from engines.errors import UserError
from engines.sharding.batch import KeySet

KEY_MAX: Final = 1 << 20
"""Bytes of the longest key."""
WEIGHT_MAX: Final = 1e15

_NUMBER: Final = re.compile(rb"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
BINARY: Final = (
    (b"\x1f\x8b", "a gzip file", "; gunzip it first"),
    (b"SQLite format 3\0", "a SQLite database", "; select them first (sqlite3 -noheader FILE 'select key from ..')"),
    (b"PK\x03\x04", "a zip archive", "; unzip it first"),
    (b"BZh", "a bzip2 file", "; bunzip2 it first"),
    (b"\xfd7zXZ\0", "an xz file", "; unxz it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "; unzstd it first"),
    (b"PAR1", "a Parquet file", ""),
    (b"\x89PNG", "a PNG picture", ""),
    (b"\x7fELF", "a program", ""),
    (b"%PDF-", "a PDF document", ""),
)
"""What begins like this was not meant as keys."""


def read_keys(lines: Iterable[bytes], name: str, *, skip_bad: bool = False) -> tuple[KeySet, int]:
    """The keys, and how many bad lines were skipped (0 unless ``skip_bad``).

    ``name`` is what messages call the file. UserError with the line's number for a weight that is no finite number
    from 0 to 1e15 and for a key longer than 1 MiB; UserError also if no key is left or all weigh nothing.
    """
    keys = KeySet()
    skipped = 0
    for number, line in enumerate(lines, 1):
        if number == 1:
            line = _first(line, name)
        if line.endswith(b"\n"):
            line = line[:-2] if line.endswith(b"\r\n") else line[:-1]
        key, tab, text = line.rpartition(b"\t")
        if not tab:
            key, weight = line, 1.0
        else:
            parsed = parse_weight(text)
            if parsed is None:
                if skip_bad:
                    skipped += 1
                    continue
                raise UserError(
                    f"{name}: line {number}: weight '{show(text[:40])}' after the tab: "
                    "a number from 0 to 1e15 is accepted, such as 1 or 2.5"
                )
            weight = parsed
        if len(key) > KEY_MAX:
            if skip_bad:
                skipped += 1
                continue
            raise UserError(
                f"{name}: line {number}: a key of {len(key)} bytes: at most {KEY_MAX} are accepted, one key a line"
            )
        keys.add(key, weight)
    if not len(keys):
        only = f" but {skipped} bad lines" if skipped else ""
        raise UserError(f"{name}: holds no keys{only}: one key a line is needed, with a tab and a weight if you like")
    if not keys.total:
        raise UserError(f"{name}: every weight is 0, so there is no load: at least one must be above 0")
    return keys, skipped


def _first(line: bytes, name: str) -> bytes:
    """The first line without the mark of UTF-8. UserError for that of UTF-16: its lines could not be told apart."""
    for magic, what, remedy in BINARY:
        if line.startswith(magic):
            raise UserError(f"{name}: byte 0: this is {what}: keys as text are needed, one a line{remedy}")
    if line.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise UserError(f"{name}: line 1: this is UTF-16: save it as UTF-8 (iconv -f UTF-16 -t UTF-8)")
    return line.removeprefix(BOM_UTF8)


def parse_weight(text: bytes) -> float | None:
    """A plain decimal number from 0 to 1e15, else None."""
    if not _NUMBER.fullmatch(text):
        return None
    weight = float(text)
    return weight if 0 <= weight <= WEIGHT_MAX else None


def show(key: bytes) -> str:
    r"""A key as printable text: UTF-8 where it is that, other bytes and control characters as ``\x00``, ``\`` twice."""
    text = key.decode("utf-8", "surrogateescape")
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(map(_escape, text))


def _escape(char: str) -> str:
    if char == "\\":
        return "\\\\"
    if char.isprintable():
        return char
    raw = char.encode("utf-8", "surrogateescape")
    return "".join(f"\\x{byte:02x}" for byte in raw)
