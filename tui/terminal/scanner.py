"""From the bytes a terminal sends to keys, pastes and reports: whole sequences, however they are torn.

A terminal answers in the same stream in which keys arrive, and its answers can be late (a slow line) or torn (a packet
ends in their middle). So nothing here is decided by a clock, with one exception: an `ESC` that stands alone is a key
once nothing has followed it for a while. From the second byte on, a sequence is a sequence until its end.

    ground  --ESC-->  escape  --[-->  csi     parameters, then a final byte: a key, a report, a mouse event
                              --O-->  ss3     one byte: F1 to F4, keypads
                              --]-->  string  OSC, until BEL or ESC \\
                              --P-->  string  DCS; `_ ^`: APC, PM
                              other   alt and that key: `ESC`, then the key

What is understood comes out as a token; the rest is swallowed. Three things keep a person from being locked in by a
sequence that never ends: `ESC` begins anew anywhere, a control key (ctrl+c) breaks off whatever is open, and a string
must look like an answer (OSC begins with a number, DCS with a parameter) or it is none.

An `ESC` that was given as a key although more of its sequence comes later is remembered: what follows as `[...` is then
still swallowed. `O` and `P`, which a hand types too, are held until what comes next says whose they are; a terminal
answers in order, so whoever asks it something meanwhile (`doubts`) soon knows.

Sources: ECMA-48 5.4 and 5.6, xterm's ctlseqs, the kitty keyboard protocol.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

ESC: Final = 0x1B
BEL: Final = 0x07
ETX: Final = 0x03
"""ctrl+c: breaks off a paste that never ends."""
CSI_MOST: Final = 256  # bytes kept of one sequence; a longer one is swallowed whole
HELD_S: Final = 1.0
"""So long a byte is held that may go on with an `ESC` given as a key, where the terminal does not answer."""
STATUS: Final = "\x1b[5n"
"""How are you? What a terminal answers comes behind all that it had begun to say."""
PASTE_MOST: Final = 1 << 20
PASTE_SILENCE_S: Final = 10.0
"""A paste whose end is lost on the way ends by itself after so much silence."""


class Key(NamedTuple):
    """A key: what it types, or its name (`escape`, `up`, `ctrl+a`, `f1`) and an empty character."""

    name: str
    character: str = ""


class Paste(NamedTuple):
    """Text that was pasted, control characters included."""

    text: str


class Report(NamedTuple):
    """A whole sequence that is no key: `mouse`, `focus`, `cursor`, `size`, `mode`, `colour`, with what it says.

    `values`: mouse: nothing, the sequence is in `raw`; focus: 1 or 0; cursor: row, column; size: rows, columns, height
    and width in pixels; mode: its number, its state; colour: the number of the OSC, then red, green, blue of 65535.
    """

    kind: str
    values: tuple[int, ...] = ()
    raw: str = ""


Token: TypeAlias = Key | Paste | Report

_CONTROLS: Final[Mapping[int, Key]] = {
    0x00: Key("ctrl+@"), 0x08: Key("backspace"), 0x09: Key("tab"), 0x0A: Key("ctrl+j"), 0x0D: Key("enter"),
    0x1C: Key("ctrl+backslash"), 0x1D: Key("ctrl+right_square_bracket"), 0x1E: Key("ctrl+circumflex_accent"),
    0x1F: Key("ctrl+underscore"), 0x7F: Key("backspace"), 0x20: Key("space", " "),
    **{code: Key(f"ctrl+{chr(code + 96)}") for code in range(1, 27) if code not in (8, 9, 10, 13)},
}  # fmt: skip
_LETTERS: Final[Mapping[str, str]] = {
    "A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end", "P": "f1", "Q": "f2", "S": "f4",
    "Z": "shift+tab", "E": "",
}  # fmt: skip
_TILDES: Final[Mapping[int, str]] = {
    1: "home", 2: "insert", 3: "delete", 4: "end", 5: "pageup", 6: "pagedown", 7: "home", 8: "end",
    11: "f1", 12: "f2", 13: "f3", 14: "f4", 15: "f5", 17: "f6", 18: "f7", 19: "f8", 20: "f9", 21: "f10", 23: "f11",
    24: "f12",
}  # fmt: skip
_SS3: Final[Mapping[str, Key]] = {
    "A": Key("up"), "B": Key("down"), "C": Key("right"), "D": Key("left"), "H": Key("home"), "F": Key("end"),
    "P": Key("f1"), "Q": Key("f2"), "R": Key("f3"), "S": Key("f4"), "M": Key("enter"),
    "j": Key("*", "*"), "k": Key("+", "+"), "l": Key(",", ","), "m": Key("-", "-"), "n": Key(".", "."),
    "o": Key("/", "/"), "X": Key("=", "="), **{chr(112 + n): Key(str(n), str(n)) for n in range(10)},
}  # fmt: skip
_CODES: Final[Mapping[int, Key]] = {
    27: Key("escape"), 13: Key("enter"), 9: Key("tab"), 127: Key("backspace"), 8: Key("backspace"),
    32: Key("space", " "), **{57399 + n: Key(str(n), str(n)) for n in range(10)},
    57409: Key(".", "."), 57410: Key("/", "/"), 57411: Key("*", "*"), 57412: Key("-", "-"), 57413: Key("+", "+"),
    57414: Key("enter"), 57415: Key("=", "="), 57416: Key(",", ","), 57417: Key("left"), 57418: Key("right"),
    57419: Key("up"), 57420: Key("down"), 57421: Key("pageup"), 57422: Key("pagedown"), 57423: Key("home"),
    57424: Key("end"), 57425: Key("insert"), 57426: Key("delete"),
}  # fmt: skip
"""Keys of the keyboard protocol that have a name; the rest of its private area (modifiers, media) is no key of ours."""
_PRIVATE_AREA: Final = range(57344, 63744)
_RELEASE: Final = 3
_ALT, _CTRL, _SUPER = 2, 4, 8 | 16 | 32


class Scanner:
    """Feed it what was read, as it was read. It never raises, whatever the bytes are."""

    def __init__(self) -> None:
        self._state: Callable[[int], None] = self._ground
        self._out: list[Token] = []
        self._now = 0.0
        self._since = 0.0
        self._alone = False
        self._held = bytearray()
        self._kind = 0
        self._more = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("ignore")

    @property
    def waiting(self) -> bool:
        """Whether an `ESC` waits for what follows it."""
        return self._state in (self._escape, self._doubtful)

    @property
    def doubts(self) -> bool:
        """Whether a byte is held that is a key, or goes on with an `ESC` that was given as one. Any answer of the
        terminal shows which: nothing of the sequence is on its way then."""
        return self._state == self._doubtful

    def feed(self, data: bytes, now_s: float) -> list[Token]:
        """The tokens that are complete with these bytes."""
        self._now, self._out = now_s, []
        for byte in data:
            self._state(byte)
        return self._out

    def tick(self, now_s: float, patience_s: float, held_s: float = HELD_S) -> list[Token]:
        """What the time alone decides: an `ESC` that nothing followed for so long, a byte that was held for so long, a
        paste that does not end."""
        self._out = []
        if self._state == self._escape and now_s - self._since >= patience_s:
            self._state, self._alone = self._ground, True
            self._out.append(Key("escape"))
        elif self._state == self._doubtful and now_s - self._since >= held_s:
            self._state = self._ground
            self._out.append(Key(chr(self._kind), chr(self._kind)))
        elif self._state == self._paste and now_s - self._now >= PASTE_SILENCE_S:
            self._pasted()
        return self._out

    # -- states

    def _ground(self, byte: int) -> None:
        alone, self._alone = self._alone, False
        if byte == ESC:
            self._begin()
        elif byte < 0x21 or byte == 0x7F:
            self._decoder.reset()
            self._out.append(_CONTROLS[byte])
        elif alone and byte in b"[]":
            self._escape(byte)
        elif alone and byte in b"OP_^":
            self._state, self._kind, self._since = self._doubtful, byte, self._now
        else:
            for char in self._decoder.decode(bytes((byte,))):
                if char.isprintable():
                    self._out.append(Key(char, char))

    def _begin(self) -> None:
        self._decoder.reset()
        self._state, self._since, self._alone = self._escape, self._now, False

    def _doubtful(self, byte: int) -> None:
        """The byte after one that may go on with the `ESC` that was given as a key: what a hand does not type tells."""
        held = self._kind
        self._state = self._ground
        goes_on = {"O": chr(byte) in _SS3, "P": byte in b"0123456789>!$+", "_": byte == ord("G"), "^": byte >= 0x21}
        if goes_on[chr(held)]:
            self._escape(held)
            self._state(byte)
        else:
            self._out.append(Key(chr(held), chr(held)))
            self._ground(byte)

    def _escape(self, byte: int) -> None:
        """The byte after `ESC`."""
        if byte == ESC:
            self._out.append(Key("escape"))
            self._since = self._now
        elif byte == ord("["):
            self._held.clear()
            self._state = self._csi
        elif byte == ord("O"):
            self._state = self._ss3
        elif byte in b"]P_^":
            self._held.clear()
            self._kind = byte
            self._state = self._string
        elif byte == ord("\\"):  # the end of a string that is long over
            self._state = self._ground
        else:
            self._state = self._ground
            self._out.append(Key("escape"))
            self._ground(byte)

    def _csi(self, byte: int) -> None:
        if 0x20 <= byte < 0x40:
            self._held.append(byte)
            del self._held[CSI_MOST:]
        elif byte == ord("[") and not self._held:  # the Linux console's F1 to F5
            self._state = self._console
        elif byte == ord("M") and not self._held:  # mouse events of old: three bytes follow
            self._more, self._state = 3, self._skip
        elif 0x40 <= byte < 0x7F:
            self._state = self._ground
            self._final(self._held.decode("ascii"), chr(byte))
        else:
            self._broken_off(byte)

    def _console(self, byte: int) -> None:
        self._state = self._ground
        if ord("A") <= byte <= ord("E"):
            self._out.append(Key(f"f{byte - ord('A') + 1}"))
        elif byte == ESC:
            self._begin()

    def _skip(self, byte: int) -> None:
        self._more -= 1
        if byte == ESC:
            self._begin()
        elif not self._more:
            self._state = self._ground

    def _ss3(self, byte: int) -> None:
        self._state = self._ground
        key = _SS3.get(chr(byte))
        if key is not None:
            self._out.append(key)
        elif byte < 0x20:
            self._ground(byte)

    def _string(self, byte: int) -> None:
        if byte == ESC:
            self._state = self._string_end
        elif byte == BEL:
            self._finish()
        elif byte < 0x20 or not self._answers(byte):
            self._broken_off(byte)
        elif len(self._held) < CSI_MOST:
            self._held.append(byte)

    def _string_end(self, byte: int) -> None:
        if byte == ord("\\"):
            self._finish()
        else:
            self._begin()
            self._escape(byte)

    def _answers(self, byte: int) -> bool:
        """Whether a string with this byte can still be what a terminal answers."""
        if self._kind == ord("]"):
            head = self._held[:6]
            return byte in b"0123456789lLI" if not head else not head.isdigit() or byte in b"0123456789;"
        if self._kind == ord("P"):
            return bool(self._held) or not chr(byte).isalpha()
        return True

    def _finish(self) -> None:
        self._state = self._ground
        if self._kind == ord("]"):
            colour = _colour(self._held.decode("utf-8", "ignore"))
            if colour is not None:
                self._out.append(colour)

    def _broken_off(self, byte: int) -> None:
        """A byte that cannot belong to what is open: that is dropped, and the byte is what it is."""
        self._state = self._ground
        self._ground(byte)

    def _paste(self, byte: int) -> None:
        if byte == ETX:
            self._pasted()
            self._ground(byte)
            return
        if len(self._held) < PASTE_MOST or byte in b"\x1b[201~":
            self._held.append(byte)
        if byte == ord("~") and self._held.endswith(b"\x1b[201~"):
            del self._held[-6:]
            self._pasted()

    def _pasted(self) -> None:
        self._state = self._ground
        self._out.append(Paste(self._held.decode("utf-8", "ignore").replace("\r\n", "\n").replace("\r", "\n")))
        self._held.clear()

    # -- what a whole sequence says

    def _final(self, held: str, final: str) -> None:
        """Parameters and the final byte of a control sequence."""
        if held.startswith("<"):
            if final in "Mm":
                self._out.append(Report("mouse", raw=f"\x1b[{held}{final}"))
            return
        if held.startswith("?") and held.endswith("$") and final == "y":
            mode, _, state = held[1:-1].partition(";")
            if mode.isdecimal() and state.isdecimal():
                self._out.append(Report("mode", (int(mode), int(state))))
            return
        params = _params(held)
        if params is None:
            return
        values = tuple(param[0] for param in params)
        match final, values:
            case "I" | "O", ():
                self._out.append(Report("focus", (int(final == "I"),)))
            case "R", (row, column):
                self._out.append(Report("cursor", (row, column)))
            case "t", (48, rows, columns, height, width):
                self._out.append(Report("size", (rows, columns, height, width)))
            case "~", (200,):
                self._held.clear()
                self._state = self._paste
            case _:
                self._out.extend(_keys(params, final))


def _params(held: str) -> list[tuple[int, ...]] | None:
    """Parameters with their parts, `1:3;65` as ((1, 3), (65,)); None if this is no list of numbers."""
    if not held:
        return []
    params = []
    for param in held.split(";"):
        parts = param.split(":")
        if not all(part.isascii() and (part.isdecimal() or not part) and len(part) < 8 for part in parts):
            return None
        params.append(tuple(int(part or 0) for part in parts))
    return params


def _keys(params: list[tuple[int, ...]], final: str) -> list[Token]:
    """The keys of a sequence; none if it is no key, or its release."""
    codes = params[0] if params else (1,)
    modifiers = params[1] if len(params) > 1 else (1,)
    if len(modifiers) > 1 and modifiers[1] == _RELEASE:
        return []
    held = max(0, modifiers[0] - 1)
    if final == "u" and params:
        return _typed(codes, held, params[2] if len(params) > 2 else ())
    if final == "~" and codes[0] == 27 and len(params) == 3:  # modifyOtherKeys
        return _typed(params[2], held, ())
    name = _TILDES.get(codes[0], "") if final == "~" else _LETTERS.get(final, "")
    if not name or (final != "~" and codes[0] != 1):
        return []
    return [*((Key("escape"),) if held & _ALT else ()), Key(name)]


def _typed(codes: tuple[int, ...], held: int, text: tuple[int, ...]) -> list[Token]:
    """A key of the keyboard protocol: its code (and that with shift), the modifiers held, the text it types."""
    code = codes[0]
    if held & _SUPER:
        return []
    named = _CODES.get(code)
    if named is not None and (named.character == "" or not text):
        name = Key("shift+tab") if named.name == "tab" and held & 1 else named
        return [*((Key("escape"),) if held & _ALT else ()), name]
    if any(text):
        return [Key("space", " ") if char == " " else Key(char, char) for char in map(_char, text) if char]
    char = _char(code)
    if not char or code in _PRIVATE_AREA:
        return []
    if held & _CTRL:
        return [Key(f"ctrl+{char.lower()}")]
    if held & 1:
        char = _char(codes[1]) if len(codes) > 1 and codes[1] else char.upper()
    return [*((Key("escape"),) if held & _ALT else ()), Key(char, char)]


def _char(code: int) -> str:
    char = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else ""
    return char if char.isprintable() else ""


def _colour(text: str) -> Report | None:
    """`11;rgb:ffff/ffff/dddd` as a report; None if it is anything else."""
    number, _, value = text.partition(";")
    parts = value.removeprefix("rgb:").removeprefix("rgba:").split("/")[:3]
    if not number.isdecimal() or not value.startswith("rgb") or len(parts) != 3:
        return None
    try:
        full = [(int(part, 16), 16 ** len(part) - 1) for part in parts if 1 <= len(part) <= 4]
    except ValueError:
        return None
    if len(full) != 3:
        return None
    return Report("colour", (int(number), *(value * 65_535 // most for value, most in full)))
