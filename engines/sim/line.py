"""A run as one line of text, to be pasted into a chat, an issue or a shell.

``dp-tui:consensus/raft@4:PAYLOAD:CHECKSUM``: pattern, variant and version of the engine can be read; the payload is the
recording of one branch (configuration, seed, commands, digest) without what repeats, deflated, in the URL-safe
alphabet of base64; the checksum tells a line that was cut or altered from one of another version. Blanks and line
breaks that a chat has put in are ignored.
"""

import json
import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Final

from engines.errors import UserError
from engines.sim.codec import to_json
from engines.sim.pattern import Pattern
from engines.sim.recording import FORMAT, Breaks, Recording, document, read
from engines.sim.timeline import Timeline

PREFIX: Final = "dp-tui:"
LINE_MAX: Final = 60_000
"""Characters that terminals take for the clipboard; longer runs are for files."""
_UNPACKED_MAX: Final = 64 << 20
_SUM_DIGITS: Final = 8
_FORM: Final = re.compile(r"dp-tui:([a-z_]+)/([A-Za-z0-9_-]+)@(\d{1,6}):([A-Za-z0-9_-]+):([0-9a-f]{8})")
_SAID: Final = ("recording", "format", "pattern", "variant", "engine_version")
"""What the payload leaves out: the head of the line says it."""
_WORDS: Final = (
    '"branches":null"skip_bad":false"source":{"path":"sha256":"workload":"busy""flood""light""clients":"nodes":'
    '"witness":[" voted for in term 00:0"detail":"position":0,"breaks":{"check":""SetRule","rule":","on":false}'
    '"Mend","Reorder","Duplicate","Clog","Unclog","Skew","offset_us":"drift_ppm":0"SlowDisk","fsync_us":"Drop",'
    '"message":"ExpireTimers","nodes":["n1","n2","n3","n4","n5"],"timer":"election","in_us":"Slow","latency_us":'
    '"jitter_us":"Lose","ppm":"Partition","sides":[["Thaw","Freeze","Isolate","Reconnect","Restart","Cut","src":"*",'
    '"dst":"Heal"}]"Crash","node":"n1"}],[{"kind":"seed":42,"config":{},"scenario":null,"commands":[[],"end":'
    '{"position":,"at_us":},"events":,"digest":"'
)
"""What runs are full of, for the deflater; a change of it makes every older line unreadable."""


def line_of(pattern: Pattern, timeline: Timeline[Any, Any], breaks: Breaks | None = None) -> str:
    """The current branch, whole, as a line. UserError for a run over the user's own data, which no line can hold."""
    if timeline.variant.source is not None:
        raise UserError("a run over your own data is no line of text: the data is not in it. S saves it")
    data = document(pattern, timeline)
    variant = f"{data['pattern']}/{data['variant']}@{data['engine_version']}"
    for name in _SAID:
        del data[name]
    data["commands"] = [
        [row["position"], row["at_us"], int(row["scripted"]), row["command"]] for row in data["commands"]
    ]
    if breaks is not None:
        data["breaks"] = to_json(breaks)
    packer = zlib.compressobj(9, zdict=_WORDS.encode())
    packed = packer.compress(json.dumps(data, separators=(",", ":")).encode()) + packer.flush()
    text = f"{PREFIX}{variant}:{urlsafe_b64encode(packed).decode().rstrip('=')}"
    return f"{text}:{_checksum(text)}"


def is_line(text: str) -> bool:
    """Whether it means to be one, rather than the name of a file."""
    return text.lstrip().startswith(PREFIX)


def read_line(text: str, patterns: Iterable[Pattern]) -> Recording:
    """The run of a line. UserError says what is wrong with it."""
    known = tuple(patterns)
    text = "".join(text.split())
    where = f"{text[:32]}..." if len(text) > 35 else text
    form = _FORM.fullmatch(text)
    if form is None:
        raise UserError(
            f"{where}: this line was cut or altered: dp-tui:PATTERN/VARIANT@VERSION:...:CHECKSUM is accepted, whole"
        )
    pattern, variant, version, payload, checksum = form.groups()
    if _checksum(text[: -_SUM_DIGITS - 1]) != checksum:
        raise UserError(f"{where}: this line was cut or altered: its checksum does not fit; copy it again, whole")
    data = _unpack(payload, where)
    rows = data.get("commands")
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 4 for row in rows):
        raise UserError(f'{where}: "commands" must be a list of four things each')
    data["commands"] = [
        {"position": position, "at_us": at_us, "scripted": bool(scripted), "command": command}
        for position, at_us, scripted, command in rows
    ]
    data.pop("branches", None)
    data.pop("source", None)
    head = {
        "recording": "dp-tui", "format": FORMAT, "pattern": pattern, "variant": variant,
        "engine_version": int(version),
    }  # fmt: skip
    return read(json.dumps({**data, **head}), where, known)


def _unpack(payload: str, where: str) -> dict[str, Any]:
    """The JSON object in a payload."""
    try:
        packed = urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        unpacker = zlib.decompressobj(zdict=_WORDS.encode())
        plain = unpacker.decompress(packed, _UNPACKED_MAX)
        data = json.loads(plain) if unpacker.eof else None
    except (Error, zlib.error, ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise UserError(f"{where}: no run is in this line: another version of dp-tui may have written it")
    return data


def _checksum(text: str) -> str:
    return blake2b(text.encode(), digest_size=_SUM_DIGITS // 2).hexdigest()


__all__ = ["LINE_MAX", "PREFIX", "is_line", "line_of", "read_line"]
