"""JSON as a stream: walks into objects and lists, and decodes only the values it is asked for.

``json.load`` turns a file of 200 MB into two gigabytes of dictionaries before the first span is seen. Here a window
of text slides over the file, ``members`` and ``items`` step from value to value, and one span at a time is decoded by
the C scanner of the standard library (``JSONDecoder.raw_decode``). A file may hold several documents, one a line
or simply one after the other.

Every complaint names the line, the byte and the path in the document. Broken syntax is told from a value that the
window has cut by where the scanner stopped; so an error early in a large file is found early.
"""

import json
import re
from collections.abc import Iterator
from json import JSONDecodeError
from typing import Any, BinaryIO, Final

from engines.errors import UserError

CHUNK_BYTES: Final = 1 << 18
VALUE_MAX: Final = 1 << 26
"""Characters of the largest single value that is decoded."""
_NEAR: Final = 16
"""Characters: an error this close to the end of the window may only mean that the value goes on behind it."""

_WORDS: Final = ("true", "false", "null", "NaN", "Infinity", "-Infinity", '"')

_BLANK: Final = re.compile(r"[ \t\n\r]*")
_DOCUMENT: Final = re.compile(r"\n[{\[]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


WHOLE: Final = "A whole document is accepted, or whole lines of them; --skip-bad reads what is whole"
CUT_OFF: Final = f"the file ends inside a value: is it truncated? {WHOLE}"
CUT: Final = object()
"""What ``value_in_window`` says of a value that goes on behind the window."""


class BadInput(UserError):
    """A record that cannot be read; with ``--skip-bad`` it is left out and the rest is read."""


class Json:
    """A cursor on a stream of JSON documents. ``name`` is what messages call the file."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.name = name
        self.path: list[str | int] = []
        """Where in the document the cursor stands."""
        self._stream = stream
        self._text = ""
        self._at = 0
        self._value_at = 0
        """Where the last value began."""
        self._bytes = 0
        """Bytes ahead of the window."""
        self._lines = 0
        self._tail = b""
        """The beginning of a character whose rest is not read yet."""
        self._done = False
        self._decode = json.JSONDecoder().raw_decode

    # -- the window ------------------------------------------------------------------------------------------

    def _more(self) -> bool:
        """Read on, and forget what lies behind the cursor; False at the end of the file."""
        if self._done:
            return False
        behind = self._text[: self._at]
        self._bytes += len(behind) if behind.isascii() else len(_encoded(behind))
        self._lines += behind.count("\n")
        ahead = self._text[self._at :]
        self._value_at -= self._at
        self._at = 0
        if len(ahead) > VALUE_MAX:
            raise self.bad(f"a value of more than {VALUE_MAX >> 20} MB", at=0)
        raw = self._stream.read(max(CHUNK_BYTES, len(ahead)))
        self._done = not raw
        self._text = ahead + self._text_of(self._tail + raw)
        return not self._done

    def _text_of(self, raw: bytes) -> str:
        """As UTF-8; bytes that are none become lone surrogates, and the value they are in is refused."""
        cut = len(raw)
        if not self._done:
            for back in range(1, min(4, cut) + 1):
                byte = raw[-back]
                if byte >= 0xC0:
                    needs = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
                    cut -= back if needs > back else 0
                if byte >= 0xC0 or byte < 0x80:
                    break
        self._tail = raw[cut:]
        return raw[:cut].decode("utf-8", "surrogateescape")

    def peek(self) -> str:
        """The next character that is no blank; empty at the end of the file."""
        if self._at < len(self._text) and (char := self._text[self._at]) not in " \t\n\r":
            return char
        while True:
            found = _BLANK.match(self._text, self._at)
            assert found
            self._at = found.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    # -- values ------------------------------------------------------------------------------------------------

    def value(self) -> Any:
        """Decode the next value."""
        if not self.peek():
            raise self.bad(f"the file ends where a value should be: is it truncated? {WHOLE}")
        self._value_at = self._at
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except JSONDecodeError as error:
                near = error.pos + _NEAR >= len(self._text) or error.msg.startswith("Unterminated")
                if near and self._more():
                    continue
                raise self._syntax(error) from None
            except RecursionError:
                raise self.bad("values nested too deeply") from None
            except ValueError:
                raise self.bad("a number of too many digits") from None
            if end == len(self._text) and self._more():
                continue
            break
        return self._taken(value, end)

    def value_in_window(self) -> Any:
        """Decode the next value if all of it has been read already, else return ``CUT`` and take nothing.

        A small object is decoded faster in one go than walked.
        """
        if not self.peek():
            return CUT
        self._value_at = self._at
        try:
            value, end = self._decode(self._text, self._at)
        except (ValueError, RecursionError):
            return CUT
        return CUT if end == len(self._text) and not self._done else self._taken(value, end)

    def _taken(self, value: Any, end: int) -> Any:
        begin, self._at = self._at, end
        if not self._text.isascii() and (lone := _SURROGATE.search(self._text, begin, end)):
            raise self.bad("bytes that are no UTF-8", at=lone.start())
        if self._text.find("\\u", begin, end) >= 0:
            value = _clean(value)
        return value

    def _syntax(self, error: JSONDecodeError) -> BadInput:
        rest = self._text[error.pos :].strip()
        cut = self._done and (error.msg.startswith("Unterminated") or any(word.startswith(rest) for word in _WORDS))
        if cut:
            return self.bad(CUT_OFF, at=len(self._text))
        return self.bad(f"no JSON: {error.msg}", at=error.pos)

    def members(self) -> Iterator[str]:
        """The keys of the object that begins here; whoever takes a key must take or skip its value. null is empty."""
        if not self._open("{", "an object"):
            return
        if self.peek() == "}":
            self._at += 1
            return
        self.path.append("")
        while True:
            self.path[-1] = ""
            if self.peek() != '"':
                raise self._ended("a key in quotes")
            self.path[-1] = key = self.value()
            self._expect(":")
            yield key
            if not self._goes_on("}"):
                break
        self.path.pop()

    def items(self) -> Iterator[int]:
        """The positions in the list that begins here; whoever takes one must take or skip its value. null is empty."""
        if not self._open("[", "a list"):
            return
        if self.peek() == "]":
            self._at += 1
            return
        self.path.append(0)
        number = 0
        while True:
            yield number
            if not self._goes_on("]"):
                break
            number += 1
            self.path[-1] = number
        self.path.pop()

    def skip(self) -> None:
        """Pass over the next value; one level of it is walked, so a long list needs no memory."""
        match self.peek():
            case "{":
                for _ in self.members():
                    self.value()
            case "[":
                for _ in self.items():
                    self.value()
            case _:
                self.value()

    def next_document(self) -> bool:
        """After an error: go to the next line that begins a document; False if there is none."""
        self.path.clear()
        while True:
            found = _DOCUMENT.search(self._text, self._at)
            if found:
                self._at = found.start() + 1
                return True
            self._at = max(self._at, len(self._text) - 1)
            if not self._more():
                self._at = len(self._text)
                return False

    def _open(self, bracket: str, what: str) -> bool:
        found = self.peek()
        if found == bracket:
            self._at += 1
            return True
        if found == "n" and self.value() is None:
            return False
        raise self._ended(what)

    def _goes_on(self, bracket: str) -> bool:
        found = self.peek()
        if found not in (",", bracket) or not found:
            raise self._ended(f"',' or '{bracket}'")
        self._at += 1
        return found == ","

    def _expect(self, char: str) -> None:
        if self.peek() != char:
            raise self._ended(f"'{char}'")
        self._at += 1

    def _ended(self, wanted: str) -> BadInput:
        if not self.peek():
            return self.bad(f"the file ends where {wanted} should be: is it truncated? {WHOLE}")
        return self.bad(f"{wanted} is expected")

    # -- places ------------------------------------------------------------------------------------------------

    def place(self, field: str = "", at: int | None = None) -> str:
        """Where that is: of the last value, unless a position in the window is given."""
        at = max(0, self._value_at if at is None else at)
        line = self._lines + self._text.count("\n", 0, at) + 1
        byte = self._bytes + len(_encoded(self._text[:at]))
        steps = [f"[{step}]" if isinstance(step, int) else f".{shown(step)}" for step in self.path if step != ""]
        if field:
            steps.append(field if field.startswith("[") else f".{field}")
        path = "".join(steps).lstrip(".")
        return f"line {line}, byte {byte}" + (f", at {path}" if path else "")

    def bad(self, what: str, field: str = "", at: int | None = None) -> BadInput:
        """The error that says what is wrong, and where; at the cursor unless a position is given."""
        return BadInput(f"{self.name}: {self.place(field, self._at if at is None else at)}: {what}")

    def bad_value(self, what: str, field: str = "") -> BadInput:
        """The error about the last value."""
        return self.bad(what, field, self._value_at)


def shown(key: str) -> str:
    """A key for a message of one line."""
    return key[:40] if key.isprintable() else ascii(key[:40])


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _clean(value: Any) -> Any:
    """Escapes may spell half a character, which no terminal can print: it becomes the replacement character."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_clean(each) for each in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(each) for key, each in value.items()}
    return value
