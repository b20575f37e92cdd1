"""EDN, as far as histories need it: small, exact, and read line by line.

Values become plain and hashable: a vector or list is a tuple, a set a frozenset, a map a ``Map``; keywords and symbols
keep apart from strings and from each other. A tag (``#inst``, ``#jepsen.history.Op``) is read and set aside, ``#_``
drops the next form. Only the innermost open form is in memory, so a vector around a whole history costs nothing.

Source: github.com/edn-format/edn.
"""

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, Final, NamedTuple

from engines.errors import UserError

DEPTH_MAX: Final = 100
FORM_MAX: Final = 1 << 20
"""Tokens of one form, and characters of one string."""


class Keyword(NamedTuple):
    """``:name``."""

    name: str

    def __str__(self) -> str:
        return self.name


class Symbol(NamedTuple):
    """``name``."""

    name: str

    def __str__(self) -> str:
        return self.name


class Map(tuple[tuple[Any, Any], ...]):
    """The pairs of a map, in their order; hashable."""

    __slots__ = ()

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of a key."""
        for name, value in self:
            if name == key:
                return value
        return default


class EdnError(UserError):
    """What is wrong, and at which column."""

    def __init__(self, what: str, column: int) -> None:
        super().__init__(f"column {column}: {what}")


TOKEN: Final = re.compile(
    r"(?P<skip>[\s,]+|;.*)"
    r"|(?P<open>\#\{|[\[({])"
    r"|(?P<close>[\])}])"
    r'|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<drop>\#_)"
    r"|(?P<tag>\#[A-Za-z][\w./+!?*$%&=<>-]*)"
    r'|(?P<char>\\(?:[^\s,;"\[\](){}\\]+|.))'
    r'|(?P<word>[^\s,;"\[\](){}\\]+)'
    r'|(?P<torn>")'
)
CLOSES: Final = {"[": "]", "(": ")", "{": "}", "#{": "}"}
ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "b": "\b", "f": "\f"}
NUMBER: Final = re.compile(r"[+-]?\d+N?$")
RATIO: Final = re.compile(r"[+-]?\d+/\d+$")
DECIMAL: Final = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?M?$")
NAMED_CHARS: Final = {
    "newline": "\n", "space": " ", "tab": "\t", "return": "\r", "backspace": "\b", "formfeed": "\f",
}  # fmt: skip
CODE: Final = re.compile(r"u(?P<hex>[0-9a-fA-F]{4})|o(?P<octal>[0-3]?[0-7]{1,2})")
"""A character by its number."""
ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|[0-3]?[0-7]{1,2}|.)", re.DOTALL)
SURROGATE: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]|(?P<half>[\ud800-\udfff])")


class _Level:
    __slots__ = ("drops", "items", "kind", "tag")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.items: list[Any] = []
        self.drops = 0
        self.tag = False


class Parser:
    """Takes lines, gives forms. A vector or list around everything is transparent: its elements are the forms."""

    def __init__(self) -> None:
        self.levels = [_Level("")]
        self.torn = ""
        """The beginning of a string whose end is on a later line."""
        self.size = 0
        self.wrapped = False

    @property
    def inside(self) -> bool:
        """Whether a form is open."""
        return bool(self.torn) or len(self.levels) > (2 if self.wrapped else 1)

    def feed(self, line: str) -> Iterator[Any]:
        """The forms that end on this line. EdnError names the column of what is wrong."""
        offset = len(self.torn)
        if self.torn:
            line, self.torn = self.torn + line, ""
        at = 0
        while at < len(line):
            match = TOKEN.match(line, at)
            if match is None:
                raise EdnError(f"{line[at]!r} cannot stand here", at + 1 - offset)
            column = at + 1 - offset
            kind, text = match.lastgroup, match.group()
            at = match.end()
            if kind == "skip":
                continue
            self.size += 1
            if self.size > FORM_MAX:
                raise EdnError(f"a form of more than {FORM_MAX:,} parts", column)
            match kind:
                case "open":
                    self._open(text, column)
                case "close":
                    yield from self._close(text, column)
                case "drop":
                    self.levels[-1].drops += 1
                case "tag":
                    self.levels[-1].tag = True
                case "torn":
                    self.torn = line[match.start() :] + "\n"
                    if len(self.torn) > FORM_MAX:
                        raise EdnError(f"a string of more than {FORM_MAX:,} characters", column)
                    return
                case _:
                    yield from self._put(_atom(kind, text, column))

    def end(self) -> None:
        """EdnError if a form is still open."""
        if self.inside or len(self.levels) > 1:
            wanted = '"' if self.torn else CLOSES[self.levels[-1].kind]
            raise EdnError(f"the end, but {wanted!r} is still missing", 1)

    def _open(self, text: str, column: int) -> None:
        if len(self.levels) > DEPTH_MAX:
            raise EdnError(f"more than {DEPTH_MAX} levels deep", column)
        if len(self.levels) == 1 and text in "[(":
            self.wrapped = True
        self.levels.append(_Level(text))

    def _close(self, text: str, column: int) -> Iterator[Any]:
        level = self.levels[-1]
        if len(self.levels) == 1 or CLOSES[level.kind] != text:
            wanted = f", {CLOSES[level.kind]!r} is open" if level.kind else ""
            raise EdnError(f"{text!r} closes nothing{wanted}", column)
        self.levels.pop()
        if len(self.levels) == 1 and self.wrapped:
            self.wrapped = False
            return
        if level.kind == "{":
            if len(level.items) % 2:
                raise EdnError("a map with a key and no value", column)
            yield from self._put(Map(zip(level.items[::2], level.items[1::2], strict=True)))
        elif level.kind == "#{":
            yield from self._put(frozenset(level.items))
        else:
            yield from self._put(tuple(level.items))

    def _put(self, value: Any) -> Iterator[Any]:
        level = self.levels[-1]
        level.tag = False
        if level.drops:
            level.drops -= 1
            return
        if len(self.levels) == (2 if self.wrapped else 1):
            self.size = 0
            yield value
        else:
            level.items.append(value)


def _atom(kind: str | None, text: str, column: int) -> Any:
    if kind == "string":
        return _string(text, column)
    if kind == "char":
        return _char(text, column)
    return _word(text, column)


def _char(text: str, column: int) -> str:
    name = text[1:]
    if len(name) == 1:
        return name
    if name in NAMED_CHARS:
        return NAMED_CHARS[name]
    code = CODE.fullmatch(name)
    if code is None:
        known = r"\a, \newline, \u0041 or \o101 is accepted"
        raise EdnError(f"{text[:40]} is no character: one such as {known}", column)
    found = chr(int(code["hex"], 16) if code["hex"] else int(code["octal"], 8))
    if SURROGATE.match(found):
        raise EdnError(f"{text} is half of a pair (a surrogate), so no character", column)
    return found


def _string(text: str, column: int) -> str:
    def unescape(match: re.Match[str]) -> str:
        code = match.group(1)
        if len(code) == 5:
            return chr(int(code[1:], 16))
        if code[0] in "01234567":
            return chr(int(code, 8))
        if code not in ESCAPES:
            known = r": \n, \t, \r, \b, \f, \", \\ or \u with four hexadecimal digits is accepted"
            raise EdnError(f"\\{code} is no escape{known}", max(1, column + 1 + match.start()))
        return ESCAPES[code]

    def whole(match: re.Match[str]) -> str:
        if match["half"]:
            raise EdnError(f"\\u{ord(match['half']):04x} in a string is half of a pair (a surrogate): both halves, one "
                           "behind the other, are accepted", max(1, column))  # fmt: skip
        return match[0].encode("utf-16", "surrogatepass").decode("utf-16")

    body = text[1:-1]
    return SURROGATE.sub(whole, ESCAPE.sub(unescape, body)) if "\\" in body else body


CONSTANTS: Final[dict[str, Any]] = {"nil": None, "true": True, "false": False}


def _word(text: str, column: int) -> Any:
    if text in CONSTANTS:
        return CONSTANTS[text]
    if text[0] == ":":
        if len(text) == 1 or text[1] == ":":
            raise EdnError(f"{text} is no keyword", column)
        return Keyword(text[1:])
    if text[0].isdigit() or (text[0] in "+-" and text[1:2].isdigit()):
        if len(text) > 400:
            raise EdnError("a number of more than 400 digits", column)
        if NUMBER.match(text):
            return int(text.removesuffix("N"))
        if RATIO.match(text) and int(text.split("/")[1]):
            return Fraction(text)
        if DECIMAL.match(text):
            return float(text.removesuffix("M"))
        raise EdnError(f"{text[:40]} is no number", column)
    return Symbol(text)


def forms(lines: Iterable[str]) -> Iterator[tuple[int, Any]]:
    """(line at which it ends, form) for each form. UserError with line and column."""
    parser = Parser()
    number = 0
    for number, line in enumerate(lines, 1):
        try:
            for form in parser.feed(line):
                yield number, form
        except EdnError as error:
            raise UserError(f"line {number}, {error}") from None
    try:
        parser.end()
    except EdnError as error:
        raise UserError(f"line {max(number, 1)}, {error}") from None


__all__ = ["EdnError", "Keyword", "Map", "Parser", "Symbol", "forms"]
