"""A client history from a stream of bytes: which format it is, and its records one by one.

Formats: EDN maps as Jepsen and Knossos write them, with or without a vector around them; Porcupine's key-value logs,
which are EDN with a ``:key``; ``INFO jepsen.util - P :invoke ...`` lines; JSON lines; the ASCII timeline of
``timeline``. The first line that is not blank decides. Lines are read as they come, so a file may be much larger than
its history.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final

from engines.consistency.formats.edn import EdnError, Keyword, Map, Parser, Symbol
from engines.consistency.formats.records import Assembler, BadLineError, Record
from engines.consistency.formats.timeline import parse as parse_timeline
from engines.consistency.history import History
from engines.errors import UserError, too_many_digits

LINE_MAX: Final = 1 << 20
LOOKED_AT: Final = 4_096
"""Of a line that long so many bytes tell its notation."""
LOG: Final = re.compile(r"jepsen\.util\s+-\s+(\S+)\s+(:\S+)\s+(:\S+)\s*(.*)$")
FAST: Final = re.compile(
    r"^[\s\[(]*\{:process (-?\d+), :type :(\w+), :f :([\w-]+)(?:, :key \"([^\"\\]*)\")?, "
    r":value (?:(-?\d+)|(nil)|\"([^\"\\]*)\")(?:, :time (\d+))?\}\s*$"
)
"""The commonest lines, read without the parser."""
ACCEPTED: Final = (
    "Jepsen or Knossos EDN, INFO jepsen.util lines, a Porcupine key-value log, JSON lines "
    '{"process", "type", "f", "key", "value", "time"}, or an ASCII timeline'
)


class HistoryReader:
    """Reads a stream once; ``skipped`` counts bad lines if they may be skipped."""

    def __init__(self, stream: BinaryIO, name: str, *, skip_bad: bool = False) -> None:
        self.stream = stream
        self.name = name
        self.skip_bad = skip_bad
        self.skipped = 0
        self.format = ""
        self.assembler = Assembler()
        self.functions: dict[str, None] = {}

    def read(self) -> History:
        """The history. UserError with the line of what is wrong."""
        try:
            return self._read()
        except BadLineError as error:
            raise UserError(f"{self.name}: {error}") from None

    def _read(self) -> History:
        lines = self._lines()
        first = next(((number, line) for number, line in lines if line.strip()), None)
        if first is None:
            raise UserError(f"{self.name}: empty: {ACCEPTED} is accepted")
        self.format = detect(first[1])
        if not self.format:
            raise UserError(f"{self.name}: line {first[0]}: no client history: {ACCEPTED} is accepted")
        rest = self._again(first, lines)
        if self.format == "timeline":
            return parse_timeline(rest, self.name)
        take = {"edn": self._edn, "json": self._json, "log": self._log}[self.format]
        self._all(rest, take)
        try:
            return self.assembler.history()
        except UserError as error:
            raise UserError(f"{self.name}: {error}") from None

    def _all(self, lines: Iterator[tuple[int, str]], take: Callable[[str], Iterator[Record]]) -> None:
        number = 1
        self.parser = Parser()
        for number, line in lines:
            try:
                for record in take(line):
                    self.functions[record.f] = None
                    self.assembler.take(record, number)
            except (UserError, ValueError) as error:
                said = str(error) if isinstance(error, UserError) else too_many_digits(line)
                if not said:
                    raise
                if not self.skip_bad:
                    mixed = self._mixed(line)
                    raise UserError(f"{self.name}: line {number}: {said}{mixed}") from None
                self.skipped += 1
                self.parser = Parser()
        try:
            self.parser.end()
        except EdnError as error:
            if not self.skip_bad:
                raise UserError(f"{self.name}: line {number}: {error}") from None
            self.skipped += 1

    def _mixed(self, line: str) -> str:
        other = detect(line)
        return f"; the file began as {self.format}, this looks like {other}" if other not in ("", self.format) else ""

    def _edn(self, line: str) -> Iterator[Record]:
        if not self.parser.inside:
            match = FAST.match(line)
            if match is not None and line.lstrip()[0] == "{":
                process, type_, f, key, number, _, text, time = match.groups()
                value = int(number) if number is not None else text
                yield Record(int(process), type_, f, value, key, None if time is None else int(time))
                return
        for form in self.parser.feed(line):
            if not isinstance(form, Map):
                raise BadLineError("a history is made of maps such as {:process 0, :type :invoke, :f :read}")
            yield _of_map(form)

    def _json(self, line: str) -> Iterator[Record]:
        if not line.strip():
            return
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise BadLineError(f"no JSON: column {error.colno}: {error.msg}") from None
        except RecursionError:
            raise BadLineError("no JSON: too many levels") from None
        if not isinstance(row, dict):
            raise BadLineError('an object {"process", "type", "f", "key", "value", "time"} is accepted')
        for name in ("process", "type", "f"):
            if name not in row:
                raise BadLineError(f"the field {name!r} is missing")
        process, type_, f, time = row["process"], row["type"], row["f"], row.get("time")
        if isinstance(process, bool) or not isinstance(process, int | str):
            raise BadLineError("process: a number or a name is accepted")
        if not isinstance(type_, str) or not isinstance(f, str):
            raise BadLineError("type and f: names are accepted")
        if time is not None and (isinstance(time, bool) or not isinstance(time, int | float) or time != time):
            raise BadLineError("time: a number is accepted")
        yield Record(process, type_, f, _frozen(row.get("value")), _frozen(row.get("key")), _whole(time))

    def _log(self, line: str) -> Iterator[Record]:
        match = LOG.search(line)
        if match is None:
            if detect(line) in ("edn", "json"):
                raise BadLineError("no log line: INFO jepsen.util - P :invoke :f value is accepted")
            return
        process, type_, f, rest = match.groups()
        value = next(iter(list(Parser().feed(f"({rest})"))), None)
        who: Any = int(process) if process.lstrip("-").isdecimal() else Keyword(process.removeprefix(":"))
        yield Record(who, type_[1:], f[1:], value)

    def _lines(self) -> Iterator[tuple[int, str]]:
        number = 0
        while raw := self.stream.readline(LINE_MAX):
            number += 1
            if number == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            if len(raw) == LINE_MAX and not raw.endswith(b"\n") and b"\n" not in raw:
                yield from self._long(number, raw)
                continue
            try:
                yield number, raw.decode("utf-8")
            except UnicodeDecodeError as error:
                if not self.skip_bad:
                    raise UserError(f"{self.name}: line {number}, byte {error.start + 1}: not UTF-8") from None
                self.skipped += 1

    def _long(self, number: int, raw: bytes) -> Iterator[tuple[int, str]]:
        """A line longer than the limit is read in pieces that end between forms' parts; EDN does not mind."""
        notation = self.format or detect(raw[:LOOKED_AT].decode("utf-8", "replace"))
        while True:
            cut = max(raw.rfind(b" "), raw.rfind(b","), raw.rfind(b"}"))
            if cut < 0 or notation != "edn":
                raise UserError(
                    f"{self.name}: line {number}: longer than {LINE_MAX >> 20} MiB; shorter lines are accepted"
                )
            try:
                yield number, raw[: cut + 1].decode("utf-8")
            except UnicodeDecodeError as error:
                raise UserError(f"{self.name}: line {number}, byte {error.start + 1}: not UTF-8") from None
            raw = raw[cut + 1 :]
            more = self.stream.readline(LINE_MAX)
            raw += more
            if not more or more.endswith(b"\n"):
                yield number, raw.decode("utf-8", "replace")
                return

    @staticmethod
    def _again(first: tuple[int, str], lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        yield first
        yield from lines


def detect(line: str) -> str:
    """``edn``, ``json``, ``log``, ``timeline``, or empty."""
    text = line.lstrip()
    if re.match(r"\{\s*\"", text):
        return "json"
    if re.match(r"(\[|\(|#_|#?[\w./]*\{|;)", text):
        return "edn"
    if LOG.search(text):
        return "log"
    if re.match(r"\S.*\|-", text):
        return "timeline"
    return "log" if re.search(r"\bjepsen\.\w+", text) else ""


FIELDS: Final = tuple(Keyword(name) for name in ("process", "type", "f", "value", "key", "time"))


def _of_map(form: Map) -> Record:
    fields = dict(form)
    process, type_, f, value, key, time = (fields.get(name) for name in FIELDS)
    for name, found in zip(FIELDS[:3], (process, type_, f), strict=False):
        if found is None:
            raise BadLineError(f"the field :{name.name} is missing")
    if not isinstance(type_, Keyword) or not isinstance(f, Keyword | Symbol | str):
        raise BadLineError(":type and :f: keywords are accepted")
    if isinstance(process, bool) or not isinstance(process, int | str | Keyword | Symbol):
        raise BadLineError(":process: a number or a name is accepted")
    if time is not None and not isinstance(time, int | float):
        raise BadLineError(":time: a number of nanoseconds is accepted")
    return Record(process, type_.name, f if isinstance(f, str) else f.name, value, key, _whole(time))


def _whole(time: Any) -> int | None:
    if time is None or abs(time) > 1 << 62:
        return None
    return int(time)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value


__all__ = ["ACCEPTED", "HistoryReader", "detect"]
