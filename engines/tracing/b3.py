"""B3, Zipkin's headers (https://github.com/openzipkin/b3-propagation), for callers that speak nothing else.

One header, ``b3: trace id-span id-state-parent id``, or five that start with ``x-b3-``. The single one wins where
both are there, and it is what we send unless asked otherwise. Three things W3C headers do not have are kept beside
the context: the parent's id, *debug* (keep it whatever a sampler says) and *deferred* (nobody has decided yet).
Trace ids of 64 bits are padded on the left.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from engines.tracing.context import SECRETS, Ids, NewTrace, TraceContext, root

_SINGLE: Final = re.compile(
    r"([0-9a-f]{32}|[0-9a-f]{16})-([0-9a-f]{16})(?:-([01d])(?:-([0-9a-f]{16}))?)?", re.IGNORECASE
)
_TRACE: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{16}", re.IGNORECASE)
_SPAN: Final = re.compile(r"[0-9a-f]{16}", re.IGNORECASE)
_SAMPLED: Final = {"1": True, "true": True, "0": False, "false": False}


class B3(NamedTuple):
    """A context and what only B3 says of it."""

    context: TraceContext
    debug: bool = False
    deferred: bool = False
    """Nobody upstream has decided about sampling; ``context.sampled`` is true until somebody does."""

    def child(self, ids: Ids = SECRETS) -> "B3":
        """A new span under this one."""
        return self._replace(context=self.context.child(ids))


def extract(headers: Iterable[tuple[str, str]], ids: Ids = SECRETS) -> B3:
    """What the caller said; the root of a new trace, with the reason in ``context.why``, where that is no span."""
    found: dict[str, str] = {}
    for name, value in headers:
        found.setdefault(name.lower(), value.strip(" \t"))
    if "b3" in found:
        return _single(found["b3"], ids)
    return _several(found, ids)


def _single(text: str, ids: Ids) -> B3:
    if text.lower() in ("0", "1", "d"):
        debug = text.lower() == "d"
        return B3(root(ids, sampled=text != "0", why=NewTrace.B3_DECIDES), debug)
    parts = _SINGLE.fullmatch(text)
    if not parts:
        return _none(ids, NewTrace.B3_SYNTAX)
    trace, span, state, parent = (part.lower() for part in parts.groups(default=""))
    return _known(trace, span, parent, {"1": True, "d": True, "0": False}.get(state), state == "d", ids)


def _several(found: dict[str, str], ids: Ids) -> B3:
    trace, span = found.get("x-b3-traceid", ""), found.get("x-b3-spanid", "")
    debug = found.get("x-b3-flags") == "1"
    sampled = True if debug else _SAMPLED.get(found.get("x-b3-sampled", "").lower())
    if not trace and not span:
        why = NewTrace.NO_B3 if sampled is None else NewTrace.B3_ALL_DECIDE
        return B3(root(ids, sampled=sampled is not False, why=why), debug, deferred=sampled is None)
    if not _TRACE.fullmatch(trace) or not _SPAN.fullmatch(span):
        return _none(ids, NewTrace.B3_DIGITS)
    parent = found.get("x-b3-parentspanid", "")
    return _known(trace.lower(), span.lower(), parent.lower() if _SPAN.fullmatch(parent) else "", sampled, debug, ids)


def _known(trace: str, span: str, parent: str, sampled: bool | None, debug: bool, ids: Ids) -> B3:
    if not trace.strip("0") or not span.strip("0"):
        return _none(ids, NewTrace.B3_ZERO)
    context = TraceContext(trace.zfill(32), span, sampled is not False, parent_id=parent, remote=True)
    return B3(context, debug, deferred=sampled is None)


def _none(ids: Ids, why: NewTrace) -> B3:
    return B3(root(ids, why=why), deferred=True)


def inject(b3: B3) -> list[tuple[str, str]]:
    """The single header."""
    context = b3.context
    parts = [context.trace_id, context.span_id]
    if not b3.deferred or b3.debug:
        parts.append("d" if b3.debug else "1" if context.sampled else "0")
        parts += [context.parent_id] if context.parent_id else []
    return [("b3", "-".join(parts))]


def inject_several(b3: B3) -> list[tuple[str, str]]:
    """The five headers. Debug implies a decision, so the two are never sent together."""
    context = b3.context
    headers = [("x-b3-traceid", context.trace_id), ("x-b3-spanid", context.span_id)]
    if context.parent_id:
        headers.append(("x-b3-parentspanid", context.parent_id))
    if b3.debug:
        headers.append(("x-b3-flags", "1"))
    elif not b3.deferred:
        headers.append(("x-b3-sampled", "1" if context.sampled else "0"))
    return headers
