"""Spans held small: some ninety bytes each instead of a thousand, and whole again when somebody looks.

A file holds a million spans, and most of what they say they say again and again. So a span is a few numbers: its ids
and its times as they are, and for all else a place in a table. The *head* is what an operation has in common wherever
it runs: name, service, kind, status, resource, scope. An attribute is one number. What is met once only, as the id of
an order or a long text, is *loose*: it stands behind the numbers as bytes, as events and links do, so the tables stay
small whatever a file holds. A span that is like no other (an id of other digits, a time beyond 64 bits) is kept whole.

Equal is not the same: 1, 1.0 and True are equal, and each comes back as it came.
"""

import marshal
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Final, overload

from engines.tracing.cohorts import FACT_LENGTH
from engines.tracing.spans import Attributes, Link, Scope, Span, SpanEvent, Value, made_of, plain, said

_FIXED: Final = "<8s8sQQIII"
"""Its id, its parent's, start, end; its head, how many attributes, how many bytes behind them."""
_LENGTH: Final = struct.calcsize(_FIXED)
_NUMBER: Final = struct.Struct("<I")
_COUNTS: Final = struct.Struct("<II")
_COUNTS_AT: Final = _LENGTH - _COUNTS.size
_ABSENT: Final = bytes(8)
_LOOSE: Final = (1 << 32) - 1
"""An attribute whose pair stands behind the numbers."""
_WHOLE: Final = (1 << 32) - 1
"""The head of a span that is kept as it is."""
_PLAIN: Final = (str, int, bool)
"""Types whose equal values of one type are the same."""
VALUES_MAX: Final = 1_000
"""An attribute with more values than this is loose from then on."""
PAIRS_MAX: Final = 1 << 17
LOOSE_LENGTH: Final = 200
"""Texts from here on are loose."""
SEEN_MAX: Final = 1 << 14
UNPACKED_MAX: Final = 32
"""Traces kept as spans because somebody looked at them just now."""

Pair = tuple[str, Value]


@cache
def _record(attributes: int) -> struct.Struct:
    return struct.Struct(f"{_FIXED}{attributes}I")


@cache
def _numbers(attributes: int) -> struct.Struct:
    return struct.Struct(f"<{attributes}I")


class Codec:
    """Turns spans into bytes and back; all spans of a file share its tables. With ``lean`` only what the analysis
    looks at comes back. ``heard`` is told whatever the bytes of a span do not say by themselves, before they are made,
    so both together are the span."""

    def __init__(self, lean: bool = False, heard: Callable[[object], None] | None = None) -> None:
        self.lean = lean
        self.heard = heard
        self.heads: list[tuple[Any, ...]] = []
        self.pairs: list[Pair] = []
        self.loose: dict[str, None] = {}
        """Attributes that were loose anywhere."""
        self.odd: list[Any] = []
        """Whole spans, and what stands behind a span and cannot be written as bytes."""
        self._head_of: dict[tuple[Any, ...], int] = {}
        self._pair_of: dict[object, int] = {}
        self._values: dict[str, int] = {}
        self._by_id: dict[int, int] = {}
        """The number of a pair by its address: readers share equal pairs."""
        self._seen: list[Pair] = []
        """Those pairs, so that no address is used twice."""
        self._context_of: dict[object, int] = {}
        self._contexts: list[tuple[Attributes, Scope]] = []
        self._resource: Attributes | None = None
        self._scope: Scope | None = None
        self._context = 0

    # -- in ------------------------------------------------------------------------------------------------------

    def pack(self, span: Span) -> bytes:
        """A span without its trace id."""
        (_, span_id, parent_id, name, service, kind, start_ns, end_ns, status, message, attributes, resource, events,
         links, state, scope, flags, lost_attributes, lost_events, lost_links) = span  # fmt: skip
        if resource is not self._resource or scope is not self._scope:
            self._turn_to(resource, scope)
        key = (name, service, kind, status, message, self._context, state, flags, lost_attributes, lost_events,
               lost_links)  # fmt: skip
        head = self._head_of.get(key)
        if head is None:
            head = self._head(key)
        numbers: list[int | None] = list(map(self._by_id.get, map(id, attributes)))
        loose = self._look_up(attributes, numbers) if None in numbers else None
        more = self._behind(span, loose or ()) if loose or events or links else b""
        try:
            own, above = bytes.fromhex(span_id), bytes.fromhex(parent_id) if parent_id else _ABSENT
            strange = own.hex() != span_id or (parent_id and (above.hex() != parent_id or above == _ABSENT))
            if len(own) == len(above) == 8 and not strange:
                count = len(numbers)
                return _record(count).pack(own, above, start_ns, end_ns, head, count, len(more), *numbers) + more
        except (ValueError, struct.error):
            pass
        self.odd.append(span)
        self._tell(span)
        return _record(0).pack(_ABSENT, _ABSENT, 0, 0, _WHOLE, 0, _NUMBER.size) + _NUMBER.pack(len(self.odd) - 1)

    def _tell(self, what: object) -> None:
        if self.heard is not None:
            self.heard(what)

    def _turn_to(self, resource: Attributes, scope: Scope) -> None:
        """The resource and scope of the spans that come now."""
        self._resource, self._scope = resource, scope
        pairs = (*resource, *scope.attributes)
        alike = all(type(value) in _PLAIN for _, value in pairs)
        key = (resource, scope, tuple([type(value) for _, value in pairs])) if alike else ascii((resource, scope))
        found = self._context_of.get(key)
        if found is None:
            found = self._context_of[key] = len(self._contexts)
            self._contexts.append((resource, scope))
            self._tell((resource, tuple(scope)))
        self._context = found

    def _head(self, key: tuple[Any, ...]) -> int:
        found = self._head_of[key] = len(self.heads)
        name, service, kind, status, message, context, *rest = key
        resource, scope = self._contexts[context]
        self.heads.append((name, service, kind, status, message, resource, scope, *rest))
        self._tell((*key[:2], int(kind), int(status), *key[4:]))
        return found

    def _look_up(self, attributes: Attributes, numbers: list[int | None]) -> list[Pair]:
        """Fill in the numbers of pairs that were met as other objects, or never; returns those without one."""
        loose = []
        for at, found in enumerate(numbers):
            if found is None:
                pair = attributes[at]
                numbers[at] = number = self._number(pair)
                if number == _LOOSE:
                    loose.append(pair)
                else:
                    if len(self._seen) >= SEEN_MAX:
                        self._seen.clear()
                        self._by_id.clear()
                    self._seen.append(pair)
                    self._by_id[id(pair)] = number
        return loose

    def _number(self, pair: Pair) -> int:
        key, value = pair
        kind = type(value)
        if kind is str and len(value) >= LOOSE_LENGTH:
            self.loose[key] = None
            return _LOOSE
        same = (kind, pair) if kind in _PLAIN else (key, ascii(value))
        found = self._pair_of.get(same)
        if found is None:
            values = self._values.get(key, 0)
            if values >= VALUES_MAX or len(self.pairs) >= PAIRS_MAX:
                self.loose[key] = None
                return _LOOSE
            self._values[key] = values + 1
            found = self._pair_of[same] = len(self.pairs)
            self.pairs.append(pair)
            self._tell(pair)
        return found

    def _behind(self, span: Span, loose: Sequence[Pair]) -> bytes:
        """Loose attributes, events and links as bytes."""
        events, links = span.events, span.links
        if self.heard is not None:
            self.heard((loose, tuple(map(tuple, events)), tuple(map(tuple, links))))
        kept: Sequence[Pair | None] = loose
        if self.lean:
            kept = [pair if type(pair[1]) is not str or len(pair[1]) <= FACT_LENGTH else None for pair in loose]
            events, links = _exceptions(events) if span.is_error else (), ()
            if not (any(kept) or events):
                return b""
        what = tuple(kept), tuple(map(tuple, events)), tuple(map(tuple, links))
        try:
            return marshal.dumps(what)  # type: ignore[arg-type]
        except ValueError:  # a record within an attribute
            self.odd.append(what)
            return _NUMBER.pack(len(self.odd) - 1)

    # -- out -----------------------------------------------------------------------------------------------------

    def unpack(self, trace_id: str, data: bytes | bytearray) -> list[Span]:
        """The spans of a trace, in the order in which they came."""
        found: list[Span] = []
        take, pair, at, end = _record(0).unpack_from, self.pairs.__getitem__, 0, len(data)
        while at < end:
            own, above, start_ns, end_ns, head, count, more = take(data, at)
            at += _LENGTH
            events: tuple[SpanEvent, ...] = ()
            links: tuple[Link, ...] = ()
            numbers = _numbers(count).unpack_from(data, at)
            at += 4 * count
            if head == _WHOLE:
                found.append(self.odd[_NUMBER.unpack_from(data, at)[0]])
                at += more
                continue
            if more:
                attributes, events, links = self._apart(numbers, data[at : at + more])
                at += more
            elif _LOOSE in numbers:  # left out, because it is lean
                attributes = tuple([self.pairs[each] for each in numbers if each != _LOOSE])
            else:
                attributes = tuple(map(pair, numbers))
            name, service, kind, status, message, resource, scope, state, flags, *lost = self.heads[head]
            found.append(made_of((
                trace_id, own.hex(), "" if above == _ABSENT else above.hex(), name, service, kind, start_ns, end_ns,
                status, message, attributes, resource, events, links, state, scope, flags, *lost,
            )))  # fmt: skip
        return found

    def _apart(
        self, numbers: Sequence[int], more: bytes | bytearray
    ) -> tuple[Attributes, tuple[SpanEvent, ...], tuple[Link, ...]]:
        loose, events, links = (
            self.odd[_NUMBER.unpack(more)[0]] if len(more) == _NUMBER.size else marshal.loads(more)
        )  # fmt: skip
        rest = iter(loose)
        pairs = (next(rest, None) if number == _LOOSE else self.pairs[number] for number in numbers)
        attributes = tuple([each for each in pairs if each is not None])
        return attributes, tuple(map(SpanEvent._make, events)), tuple(map(Link._make, links))


def _exceptions(events: Iterable[SpanEvent]) -> tuple[SpanEvent, ...]:
    """What events say about an error, and nothing else of them."""
    found = []
    for event in events:
        kept = tuple(pair for pair in event.attributes if pair[0] == "exception.type")
        if kept:
            found.append(SpanEvent(event.time_ns, event.name, kept))
    return tuple(found)


def spoken(data: bytes) -> bytes:
    """The bytes of a span without those of ``marshal``, which are Python's own and no record of what was read."""
    count, more = _COUNTS.unpack_from(data, _COUNTS_AT)
    return data[:_COUNTS_AT] + data[_LENGTH : _LENGTH + 4 * count] if more else data


class Shelf:
    """The spans of a file by trace, oldest first, held as bytes."""

    def __init__(self, codec: Codec | None = None) -> None:
        self.codec = codec or Codec()
        self.spans = 0
        self._traces: dict[str, bytearray] = {}
        self._unpacked: dict[str, tuple[Span, ...]] = {}

    def add(self, span: Span) -> bytes:
        """Take a span; returns the bytes of it."""
        data = self.codec.pack(span)
        held = self._traces.get(span.trace_id)
        if held is None:
            self._traces[span.trace_id] = bytearray(data)
        else:
            held += data
        self.spans += 1
        return data

    def __len__(self) -> int:
        """How many traces it holds."""
        return len(self._traces)

    def ids(self) -> tuple[str, ...]:
        """The traces it holds, in the order of their first spans."""
        return tuple(self._traces)

    def unpack(self, trace_id: str) -> list[Span]:
        """The spans of a trace in the order of their arrival; none if it is not here."""
        return self.codec.unpack(trace_id, self._traces.get(trace_id, b""))

    def trace(self, trace_id: str) -> "Trace":
        """The same, unpacked only when somebody looks."""
        return Trace(self, trace_id)

    def looked_at(self, trace_id: str) -> tuple[Span, ...]:
        """The same, kept for a while."""
        found = self._unpacked.pop(trace_id, None)
        self._unpacked[trace_id] = found = tuple(self.unpack(trace_id)) if found is None else found
        if len(self._unpacked) > UNPACKED_MAX:
            del self._unpacked[next(iter(self._unpacked))]
        return found

    def pop_oldest(self) -> list[Span]:
        """Hand out the oldest trace and forget it; none if there is none."""
        if not self._traces:
            return []
        trace_id = next(iter(self._traces))
        found = self.unpack(trace_id)
        del self._traces[trace_id]
        self.spans -= len(found)
        return found

    def having(self, key: str, value: str) -> frozenset[str]:
        """The traces with a span that says this under this name."""

        def says(span: Span) -> bool:
            return plain(said(span, key)) == value

        codec = self.codec
        needles = [n for n, (name, each) in enumerate(codec.pairs) if name == key and plain(each) == value]
        none = Span("", "", "", "", "")
        for number, (name, service, _, status, _, resource, *_) in enumerate(codec.heads):
            if says(none._replace(name=name, service=service, status=status, resource=resource)):
                needles.append(number)
        wanted = list(map(_NUMBER.pack, dict.fromkeys(needles)))
        everywhere = key in codec.loose or any(isinstance(each, Span) for each in codec.odd)
        return frozenset(
            trace_id
            for trace_id, data in self._traces.items()
            if (everywhere or any(each in data for each in wanted)) and any(map(says, self.unpack(trace_id)))
        )


class Trace(Sequence[Span]):
    """The spans of one trace on a shelf."""

    __slots__ = ("shelf", "trace_id")

    def __init__(self, shelf: Shelf, trace_id: str) -> None:
        self.shelf = shelf
        self.trace_id = trace_id

    @overload
    def __getitem__(self, index: int) -> Span: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Span, ...]: ...
    def __getitem__(self, index: int | slice) -> Span | tuple[Span, ...]:
        return self.shelf.looked_at(self.trace_id)[index]

    def __len__(self) -> int:
        return len(self.shelf.looked_at(self.trace_id))

    def __iter__(self) -> Iterator[Span]:
        return iter(self.shelf.looked_at(self.trace_id))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Trace) and other.shelf is self.shelf:
            return other.trace_id == self.trace_id
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(self.trace_id)

    def __repr__(self) -> str:
        """As a tuple of the spans: nothing of a run may depend on how they are held."""
        return repr(tuple(self))


def shelved(spans: "Iterable[Span] | Shelf", lean: bool = False) -> Shelf:
    """These spans, held small; the same if they are. ``lean``: only what the analysis looks at."""
    if isinstance(spans, Shelf):
        return spans
    shelf = Shelf(Codec(lean))
    for span in spans:
        shelf.add(span)
    return shelf


__all__ = ["Codec", "Shelf", "Trace", "shelved", "spoken"]
