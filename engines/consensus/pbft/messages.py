"""What PBFT's replicas and clients say to each other, and the digests and signatures in it.

A signature is symbolic: ``sig`` names whoever really signed, and only ``signed`` sets it, with the name of the machine
that calls. A message is *genuine* if its signer is the sender that it claims (``i``, or the client of a request). So a
traitor can sign anything as itself and repeat what others signed, and nothing else: a forged message is one whose
``sig`` is not its ``i``, and everybody sees that. Messages hold the names the paper gives their fields.

Source: Castro and Liskov, "Practical Byzantine Fault Tolerance", OSDI 1999, section 4, cited as *paper*.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from engines.records import new

NULL: Final = "null"
"""The digest of the request that changes nothing; a new view fills gaps with it (paper 4.4)."""


class Request(NamedTuple):
    """<REQUEST, o, t, c>: client ``client`` asks for an operation; ``t`` grows with each of its requests."""

    client: str
    t: int
    op: str
    key: str
    value: int
    read_only: bool = False
    """Answered at once from the present state, without an order, where that optimisation is on (paper 5.1)."""
    sig: str = ""


class PrePrepare(NamedTuple):
    """<PRE-PREPARE, v, n, d>, m: the primary of view ``view`` gives the request of this digest the number ``n``.

    In certificates and new views it travels without the request.
    """

    view: int
    n: int
    digest: str
    i: str
    request: Request | None = None
    sig: str = ""


class Prepare(NamedTuple):
    """<PREPARE, v, n, d, i>: backup ``i`` accepted that pre-prepare."""

    view: int
    n: int
    digest: str
    i: str
    sig: str = ""


class Commit(NamedTuple):
    """<COMMIT, v, n, d, i>: replica ``i`` is prepared: it holds a certificate for that digest at (v, n)."""

    view: int
    n: int
    digest: str
    i: str
    sig: str = ""


class Reply(NamedTuple):
    """<REPLY, v, t, c, i, r>: what replica ``i`` got when it executed the request."""

    view: int
    t: int
    client: str
    i: str
    result: int | None
    sig: str = ""


class Checkpoint(NamedTuple):
    """<CHECKPOINT, n, d, i>: the state of ``i`` after executing number ``n`` has this digest."""

    n: int
    digest: str
    i: str
    sig: str = ""


class Prepared(NamedTuple):
    """A certificate: a pre-prepare without its request, and 2f PREPAREs that match it, of different backups."""

    pre_prepare: PrePrepare
    prepares: tuple[Prepare, ...]

    @property
    def n(self) -> int:
        """The number it is about."""
        return self.pre_prepare.n


class ViewChange(NamedTuple):
    """<VIEW-CHANGE, v, n, C, P, i>: ``i`` wants view ``view``; what it holds.

    ``n``: its stable checkpoint; ``c``: 2f+1 CHECKPOINTs that prove it (none for 0); ``p``: a certificate per number
    above ``n`` that prepared at ``i``, of the highest view.
    """

    view: int
    n: int
    c: tuple[Checkpoint, ...]
    p: tuple[Prepared, ...]
    i: str
    sig: str = ""


class NewView(NamedTuple):
    """<NEW-VIEW, v, V, O>: the primary of view ``view`` opens it: 2f+1 VIEW-CHANGEs, and what follows from them."""

    view: int
    v: tuple[ViewChange, ...]
    o: tuple[PrePrepare, ...]
    i: str
    sig: str = ""


class Status(NamedTuple):
    """How far ``i`` is, so that others can repeat what it lacks. The paper leaves retransmission to us."""

    view: int
    changing: bool
    stable: int
    executed: int
    i: str
    sig: str = ""


class Proof(NamedTuple):
    """2f+1 equal CHECKPOINTs, passed on to whoever is behind. It proves itself, whoever sends it."""

    c: tuple[Checkpoint, ...]
    i: str
    sig: str = ""


class FetchState(NamedTuple):
    """``i`` asks for the state at checkpoint ``n``."""

    n: int
    i: str
    sig: str = ""


class State(NamedTuple):
    """The state at checkpoint ``n``: values, and the last reply to each client, or a request would run twice."""

    n: int
    values: tuple[tuple[str, int], ...]
    replies: tuple[tuple[str, int, int | None], ...]
    """(client, t, result)"""
    i: str
    sig: str = ""


class FetchBody(NamedTuple):
    """``i`` knows a request by its digest only and asks for it."""

    digest: str
    i: str
    sig: str = ""


class Body(NamedTuple):
    """The request that was asked for. Its digest proves it."""

    request: Request
    i: str
    sig: str = ""


Message: TypeAlias = (
    Request | PrePrepare | Prepare | Commit | Reply | Checkpoint | ViewChange | NewView | Status | Proof | FetchState
    | State | FetchBody | Body
)  # fmt: skip

M = TypeVar("M", bound=Any)


def signed(message: M, signer: str) -> M:
    """The message with the signature of the machine that calls; ``signer`` is its own name, never another's."""
    done: M = new(type(message), (*message[:-1], signer))  # the signature stands last, in all of them
    return done


def genuine(message: Any) -> bool:
    """Whether who signed it is who it says."""
    claimed = message.client if type(message) is Request else message.i
    return bool(message.sig == claimed)


@lru_cache(maxsize=4096)
def _digest(content: Any) -> str:
    return blake2b(ascii(content).encode(), digest_size=6).hexdigest()


def digest_of(request: Request | None) -> str:
    """The digest of a request, 12 hex digits; of none, ``null``."""
    return NULL if request is None else _digest(tuple(request))


def digest_of_state(
    n: int, values: tuple[tuple[str, int], ...], replies: tuple[tuple[str, int, int | None], ...]
) -> str:
    """The digest that a CHECKPOINT carries."""
    return _digest((n, values, replies))


__all__ = [
    "NULL", "Body", "Checkpoint", "Commit", "FetchBody", "FetchState", "Message", "NewView", "PrePrepare", "Prepare",
    "Prepared", "Proof", "Reply", "Request", "State", "Status", "ViewChange", "digest_of", "digest_of_state", "genuine",
    "signed",
]  # fmt: skip
