"""W3C Trace Context, level 2: what travels in the headers so that every service writes spans of one trace.

``traceparent`` names the trace and the calling span, ``tracestate`` carries what vendors add. The rules are those of
https://www.w3.org/TR/trace-context-2/, with these consequences:

- A traceparent that cannot be read is as good as none: a new trace starts, and ``why`` says for what reason. Two of
  them are ambiguous, so they count as none as well. Of a version above 00 the part known here is read.
- Without a good traceparent the tracestate means nothing and is dropped. A bad tracestate never spoils a good
  traceparent: one bad member, or more than 32, discard the tracestate alone.
- The random flag says that the last seven bytes of the trace id are random; samplers build on it. It is kept as
  long as the trace id is, and set on ids made here.

Ids come from a source of 64-bit numbers: ``secrets`` unless another is passed in, a simulation passes its stream.
"""

import re
import secrets
from collections.abc import Iterable
from enum import Enum
from typing import Final, NamedTuple, Protocol

from engines.errors import UserError

Headers = Iterable[tuple[str, str]]
State = tuple[tuple[str, str], ...]

SAMPLED: Final = 1
RANDOM: Final = 2
MEMBERS_MAX: Final = 32
"""Members of a tracestate."""
STATE_CHARS: Final = 512
"""Characters of a tracestate as it is sent; whole members are dropped above."""
BIG_MEMBER: Final = 128
"""Members above this many characters are dropped first."""

_OWS: Final = " \t"
_PARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_PARENT_CHARS: Final = 55
_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_\-*/@]{0,255}")
_VALUE: Final = re.compile(r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]")


class Ids(Protocol):
    """Where ids come from: ``engines.sim.random.Stream`` is one."""

    def next(self) -> int:
        """The next number of 64 bits."""


class _Secrets:
    """Numbers nobody can guess."""

    def next(self) -> int:
        """The next number of 64 bits."""
        return secrets.randbits(64)


SECRETS: Final[Ids] = _Secrets()


class NewTrace(Enum):
    """Why a new trace was started instead of going on with what the headers said."""

    NO_HEADER = "no traceparent header"
    SEVERAL = "several traceparent headers"
    SYNTAX = "traceparent is not version-trace id-parent id-flags in lower-case hexadecimal digits"
    FORBIDDEN = "traceparent version ff is forbidden"
    GOES_ON = "traceparent version 00 goes on after its flags"
    NO_DASH = "a traceparent of a later version goes on without a dash after its flags"
    ZERO_TRACE = "traceparent with a trace id of zeros"
    ZERO_PARENT = "traceparent with a parent id of zeros"
    UNUSED = "what was extracted is not used"
    NO_B3 = "no b3 headers"
    B3_SYNTAX = "the b3 header is not trace id-span id-state-parent id"
    B3_DIGITS = "x-b3-traceid and x-b3-spanid are not 32 or 16 and 16 hexadecimal digits"
    B3_ZERO = "b3 ids of zeros"
    B3_DECIDES = "the b3 header only decides about sampling"
    B3_ALL_DECIDE = "the b3 headers only decide about sampling"


class TraceContext(NamedTuple):
    """One span as its callees see it."""

    trace_id: str
    """32 lower-case hexadecimal digits, not all zero."""
    span_id: str
    """16 of them, not all zero."""
    sampled: bool = True
    random: bool = False
    """The last seven bytes of the trace id are random."""
    state: State = ()
    """The members of the tracestate, the latest first."""
    parent_id: str = ""
    """The span this one is a child of; empty for a root, and where the headers do not tell."""
    remote: bool = False
    """Read from headers: the span belongs to the caller."""
    why: NewTrace | None = None
    """Why a new trace was started instead of going on with what the headers said; None: it was not, or a user began."""

    def child(self, ids: Ids = SECRETS) -> "TraceContext":
        """The context of a new span under this one."""
        return self._replace(span_id=span_id(ids), parent_id=self.span_id, remote=False, why=None)

    def get(self, key: str) -> str | None:
        """The value of a member of the tracestate."""
        return next((value for each, value in self.state if each == key), None)

    def put(self, key: str, value: str) -> "TraceContext":
        """Write a member: it moves to the front, and of more than 32 the last goes."""
        if not _KEY.fullmatch(key):
            raise UserError(f"tracestate key {key!r}: a-z, 0-9 first, then also _ - * / @, at most 256 characters")
        if not _VALUE.fullmatch(value):
            raise UserError(
                f"tracestate value {value!r}: 1 to 256 printable ASCII characters but ',' and '=', no blank at the end"
            )
        return self._replace(state=((key, value), *self.drop(key).state)[:MEMBERS_MAX])

    def drop(self, key: str) -> "TraceContext":
        """Without this member of the tracestate."""
        return self._replace(state=tuple(each for each in self.state if each[0] != key))


def trace_id(ids: Ids = SECRETS) -> str:
    """A new trace id, never all zero."""
    while not (number := ids.next() << 64 | ids.next()):
        pass
    return f"{number:032x}"


def span_id(ids: Ids = SECRETS) -> str:
    """A new span id, never all zero."""
    while not (number := ids.next()):
        pass
    return f"{number:016x}"


def root(ids: Ids = SECRETS, *, sampled: bool = True, why: NewTrace | None = None) -> TraceContext:
    """The first span of a new trace."""
    return TraceContext(trace_id(ids), span_id(ids), sampled, random=True, why=why)


def extract(headers: Headers, ids: Ids = SECRETS) -> TraceContext:
    """The caller's context (``remote``), or the root of a new trace with the reason in ``why``."""
    parents: list[str] = []
    states: list[str] = []
    for name, value in headers:
        match name.lower():
            case "traceparent":
                parents.append(value)
            case "tracestate":
                states.append(value)
    if not parents:
        return root(ids, why=NewTrace.NO_HEADER)
    if len(parents) > 1:
        return root(ids, why=NewTrace.SEVERAL)
    parent = read_traceparent(parents[0])
    if isinstance(parent, NewTrace):
        return root(ids, why=parent)
    return parent._replace(state=read_tracestate(states)) if states else parent


def serve(headers: Headers, ids: Ids = SECRETS) -> TraceContext:
    """The context of the span that serves a request: a child of the caller's span, or the root of a new trace."""
    context = extract(headers, ids)
    return context.child(ids) if context.remote else context


def inject(context: TraceContext) -> list[tuple[str, str]]:
    """The headers of a call made from this span. The version is 00; flags unknown to it are sent as 0."""
    flags = (SAMPLED if context.sampled else 0) | (RANDOM if context.random else 0)
    headers = [("traceparent", f"00-{context.trace_id}-{context.span_id}-{flags:02x}")]
    if state := write_tracestate(context.state):
        headers.append(("tracestate", state))
    return headers


def read_traceparent(text: str) -> TraceContext | NewTrace:
    """The context a traceparent holds, or what is wrong with it."""
    text = text.strip(_OWS)
    found = _PARENT.match(text)
    if not found:
        return NewTrace.SYNTAX
    version, trace, parent, flags = found.groups()
    rest = text[_PARENT_CHARS:]
    if version == "ff":
        return NewTrace.FORBIDDEN
    if rest and version == "00":
        return NewTrace.GOES_ON
    if rest and not rest.startswith("-"):
        return NewTrace.NO_DASH
    if not trace.strip("0"):
        return NewTrace.ZERO_TRACE
    if not parent.strip("0"):
        return NewTrace.ZERO_PARENT
    bits = int(flags, 16)
    return TraceContext(trace, parent, bool(bits & SAMPLED), bool(bits & RANDOM), remote=True)


def read_tracestate(values: Iterable[str]) -> State:
    """The members of all tracestate headers in their order; nothing if one is bad or there are more than 32.

    Of two members with one key the first stays: it is the later entry, since entries are added at the front.
    """
    members: dict[str, str] = {}
    count = 0
    for member in ",".join(values).split(","):
        member = member.strip(_OWS)
        if not member:
            continue
        count += 1
        key, equals, value = member.partition("=")
        if count > MEMBERS_MAX or not equals or not _KEY.fullmatch(key) or not _VALUE.fullmatch(value):
            return ()
        members.setdefault(key, value)
    return tuple(members.items())


def write_tracestate(state: State, limit: int = STATE_CHARS) -> str:
    """The members as one header, cut to ``limit`` characters: big members first, then from the end."""
    members = [f"{key}={value}" for key, value in state[:MEMBERS_MAX]]
    length = sum(map(len, members)) + max(0, len(members) - 1)
    for size in (BIG_MEMBER, 0):
        at = len(members)
        while length > limit and at:
            at -= 1
            if len(members[at]) > size:
                length -= len(members.pop(at)) + 1
    return ",".join(members)
