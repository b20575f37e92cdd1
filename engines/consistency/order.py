"""Causal order, kept as it grows: which writes are before which.

Writes stand in *chains*: the writes of one session, in order. A vector says of each chain how many of its writes are
in the past of something; a session's past is one such vector, and so is a write's. Reading a write takes its past
over. So ``w1 CO w2`` is one comparison of two integers, and a history of n operations in k sessions costs n times k.

An unknown write (``info``) has nothing behind it in its session. Nobody read it: it is set aside, and gets a chain of
its own once somebody does. Somebody did already: the session goes on in a new chain, from the past it had before.
"""

from bisect import bisect_left
from collections.abc import Iterator
from operator import le
from typing import Any, NamedTuple

from engines.consistency.history import Key

Past = tuple[int, ...]


class Write(NamedTuple):
    """One write: its place in the order, and its past, itself included."""

    op: int
    session: str
    chain: int
    at: int
    key: Key
    value: Any
    past: Past
    own: Past
    """Its session's writes up to it."""


def merge(one: Past, other: Past) -> Past:
    """The larger of each."""
    if one == other:
        return one
    if len(one) == len(other):
        return tuple(map(max, one, other))
    if len(one) < len(other):
        one, other = other, one
    return (*map(max, one, other), *one[len(other) :])


def covers(past: Past, chain: int, at: int) -> bool:
    """Whether the ``at``-th write of the chain is in this past."""
    return chain < len(past) and past[chain] > at


def within(one: Past, other: Past) -> bool:
    """Whether everything in ``one`` is in ``other``."""
    if len(one) > len(other) and any(one[len(other) :]):
        return False
    return all(map(le, one, other))


class CausalOrder:
    """The order so far. Values are unique per key; who feeds it sees to that."""

    def __init__(self) -> None:
        self.chains: list[list[Write]] = []
        self.chain_of: dict[str, int] = {}
        self.past_of: dict[str, Past] = {}
        self.own_of: dict[str, Past] = {}
        self.by_value: dict[tuple[Key, Any], Write] = {}
        self.places: dict[Key, dict[int, list[int]]] = {}
        """For each key and chain, where in the chain the key is written."""
        self.read: dict[tuple[int, int], bool] = {}
        """Writes of still unknown outcome (chain, place): whether somebody has read them."""
        self.aside: dict[tuple[Key, Any], tuple[int, str, Past, Past]] = {}
        """Unknown writes nobody has read."""

    def past(self, session: str) -> Past:
        """What the session has seen."""
        return self.past_of.get(session, ())

    def before(self, one: Write, other: Write) -> bool:
        """``one`` CO ``other``."""
        return one is not other and covers(other.past, one.chain, one.at)

    def write(self, op: int, session: str, key: Key, value: Any) -> Write:
        """The session writes."""
        chain = self.chain_of.get(session)
        if chain is None:
            chain = self.chain_of[session] = self._new_chain()
        write = self._append(chain, op, session, key, value, self.past(session), self.own_of.get(session, ()))
        self.past_of[session] = write.past
        self.own_of[session] = write.own
        return write

    def open_write(self, op: int, session: str, key: Key, value: Any) -> None:
        """The session writes, and its outcome is not known yet."""
        write = self.write(op, session, key, value)
        self.read[write.chain, write.at] = False

    def settle(self, session: str, ok: bool) -> None:
        """The outcome of the session's open write is known, or known to stay unknown."""
        chain = self.chain_of[session]
        write = self.chains[chain][-1]
        was_read = self.read.pop((chain, write.at))
        if ok:
            return
        before, own = _without(write.past, chain), _without(write.own, chain)
        self.past_of[session], self.own_of[session] = before, own
        if was_read:
            del self.chain_of[session]
        else:
            self.chains[chain].pop()
            self.places[write.key][chain].pop()
            del self.by_value[write.key, write.value]
            self.aside[write.key, write.value] = write.op, session, before, own

    def set_aside(self, op: int, session: str, key: Key, value: Any) -> None:
        """An unknown write of the session; it counts once somebody reads it."""
        self.aside[key, value] = op, session, self.past(session), self.own_of.get(session, ())

    def find(self, key: Key, value: Any) -> Write | None:
        """The write of this value; an unknown one that was set aside takes its place now."""
        write = self.by_value.get((key, value))
        if write is None and (key, value) in self.aside:
            op, session, past, own = self.aside.pop((key, value))
            write = self._append(self._new_chain(), op, session, key, value, past, own)
        if write is not None and (write.chain, write.at) in self.read:
            self.read[write.chain, write.at] = True
        return write

    def see(self, session: str, write: Write) -> Past:
        """The session reads the write; return its past from now on."""
        past = self.past_of[session] = merge(self.past(session), write.past)
        return past

    def latest(self, key: Key, past: Past) -> Iterator[Write]:
        """For each chain, its last write of the key in this past."""
        for chain, places in self.places.get(key, {}).items():
            if chain < len(past) and past[chain]:
                found = bisect_left(places, past[chain])
                if found:
                    yield self.chains[chain][places[found - 1]]

    def _new_chain(self) -> int:
        self.chains.append([])
        return len(self.chains) - 1

    def _append(self, chain: int, op: int, session: str, key: Key, value: Any, past: Past, own: Past) -> Write:
        at = len(self.chains[chain])
        write = Write(op, session, chain, at, key, value, _with(past, chain, at), _with(own, chain, at))
        self.chains[chain].append(write)
        self.places.setdefault(key, {}).setdefault(chain, []).append(at)
        self.by_value[key, value] = write
        return write


def _with(past: Past, chain: int, at: int) -> Past:
    if chain < len(past):
        return (*past[:chain], at + 1, *past[chain + 1 :])
    return (*past, *(0,) * (chain - len(past)), at + 1)


def _without(past: Past, chain: int) -> Past:
    return (*past[:chain], past[chain] - 1, *past[chain + 1 :])


class Edges:
    """Orders between writes that are added to an order of pasts.

    An edge ``w1 -> w2`` means: whatever has w2 in its past has all of w1's past, too. Per chain the edges are kept in
    the order of the writes they lead to, each with everything the edges up to it bring, so that the closure of a past
    asks each chain once a round.
    """

    def __init__(self) -> None:
        self.at: dict[int, list[int]] = {}
        self.brings: dict[int, list[Past]] = {}

    def closure(self, past: Past) -> Past:
        """The past and all that the edges bring."""
        grown = True
        while grown:
            grown = False
            for chain, places in self.at.items():
                if chain < len(past) and past[chain]:
                    found = bisect_left(places, past[chain])
                    if found and not within(self.brings[chain][found - 1], past):
                        past = merge(past, self.brings[chain][found - 1])
                        grown = True
        return past

    def add(self, past: Past, chain: int, at: int) -> None:
        """Everything in ``past`` is before the ``at``-th write of the chain."""
        places = self.at.setdefault(chain, [])
        brings = self.brings.setdefault(chain, [])
        place = bisect_left(places, at)
        if place == len(places) or places[place] != at:
            places.insert(place, at)
            brings.insert(place, merge(brings[place - 1], past) if place else past)
        for later in range(place, len(places)):
            if within(past, brings[later]):
                if later > place:
                    break
                continue
            brings[later] = merge(brings[later], past)


__all__ = ["CausalOrder", "Edges", "Past", "Write", "covers", "merge", "within"]
