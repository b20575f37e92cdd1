"""What happens inside a PBFT cluster, one record per kind."""

from enum import Enum
from typing import NamedTuple, TypeAlias

from engines.consensus.pbft.messages import Request
from engines.consensus.pbft.rules import Act
from engines.sim.rules import RuleSwitched


class Why(Enum):
    """Why a message was not taken."""

    FORGED = "forged"
    NOT_PRIMARY = "not_primary"
    OLD_VIEW = "old_view"
    OUTSIDE_WINDOW = "outside_window"
    WRONG_DIGEST = "wrong_digest"
    NO_BODY = "no_body"
    UNPROVEN = "unproven"
    WRONG_O = "wrong_o"


class Cause(Enum):
    """Why a replica asks for another view."""

    TIMEOUT = "timeout"
    NO_NEW_VIEW = "no_new_view"
    OTHERS = "others"


class Rejected(NamedTuple):
    """A message was not taken."""

    what: str
    src: str
    why: Why
    view: int = 0
    n: int = 0


class Relayed(NamedTuple):
    """A backup passed a client's request on to the primary."""

    request: Request
    primary: str


class Proposed(NamedTuple):
    """The primary gave a request its number."""

    view: int
    n: int
    request: Request


class WindowFull(NamedTuple):
    """The primary has no number left below H: a checkpoint has to become stable first."""

    n: int
    high: int


class Accepted(NamedTuple):
    """A backup accepted a pre-prepare and said so to all."""

    view: int
    n: int
    digest: str
    primary: str


class Equivocated(NamedTuple):
    """A second pre-prepare for one number with another digest: its primary lies."""

    view: int
    n: int
    first: str
    second: str
    primary: str


class Contradicted(NamedTuple):
    """A replica voted twice for one number, for two digests. The first vote stands."""

    phase: str
    view: int
    n: int
    src: str


class BecamePrepared(NamedTuple):
    """A certificate: the pre-prepare and 2f PREPAREs."""

    view: int
    n: int
    digest: str
    voters: tuple[str, ...]


class Committed(NamedTuple):
    """Prepared, and 2f+1 say so."""

    view: int
    n: int
    digest: str
    voters: tuple[str, ...]


class Executed(NamedTuple):
    """A replica executed a number. ``request``: None for the null request; ``repeated``: it had been executed."""

    n: int
    digest: str
    request: Request | None
    result: int | None
    repeated: bool = False


class BodyMissing(NamedTuple):
    """A number is committed, and its request is known by its digest only."""

    n: int
    digest: str


class CheckpointTaken(NamedTuple):
    """A replica told all the digest of its state."""

    n: int
    digest: str


class Stable(NamedTuple):
    """2f+1 claim the same state: what is below is dropped, the window moves."""

    n: int
    high: int
    voters: tuple[str, ...]


class FellBehind(NamedTuple):
    """A replica cannot reach what others certify from its own log, and asks one of them for the state."""

    n: int
    executed: int
    holder: str


class WrongState(NamedTuple):
    """A fetched state does not have the digest that was certified."""

    n: int
    src: str


class StateInstalled(NamedTuple):
    """A fetched state was verified and taken over."""

    n: int
    src: str
    before: int


class ViewChangeStarted(NamedTuple):
    """A replica stops taking part in a view and asks for another."""

    view: int
    cause: Cause
    waited_us: int
    stable: int
    certificates: tuple[int, ...]
    wanted_by: tuple[str, ...] = ()


class ViewChangeSeen(NamedTuple):
    """A valid VIEW-CHANGE of another replica, and how many there are for that view now."""

    view: int
    src: str
    seen: int


class NewViewSent(NamedTuple):
    """The new primary opens its view: the numbers it takes over, null for gaps."""

    view: int
    min_s: int
    o: tuple[tuple[int, str], ...]
    of: tuple[str, ...]


class ViewEntered(NamedTuple):
    """A replica takes part in a view."""

    view: int
    primary: str
    o: tuple[tuple[int, str], ...]


class Forgot(NamedTuple):
    """A replica came back without what it had promised."""


class Asked(NamedTuple):
    """A client sends its request to the primary it believes in, or to all after a silence."""

    request: Request
    attempt: int
    to: tuple[str, ...]


class Waits(NamedTuple):
    """What a client is told to ask waits until all that it asked before is answered."""

    op: str
    key: str
    value: int
    before: int


class Answered(NamedTuple):
    """A client has enough equal replies of different replicas."""

    request: Request
    result: int | None
    voters: tuple[str, ...]
    attempts: int
    outvoted: tuple[str, ...] = ()
    """Replicas that answered otherwise."""


class ActSwitched(NamedTuple):
    """A replica began or ceased to misbehave; how many do now, of the ``f`` that are survived."""

    act: Act
    on: bool
    at_fault: int
    f: int


class WorkloadSet(NamedTuple):
    """How fast the clients ask."""

    level: str


class TimeoutSet(NamedTuple):
    """T is another one from now on."""

    timeout_us: int


PbftEvent: TypeAlias = (
    Rejected | Relayed | Proposed | WindowFull | Accepted | Equivocated | Contradicted | BecamePrepared | Committed
    | Executed | BodyMissing | CheckpointTaken | Stable | FellBehind | WrongState | StateInstalled | ViewChangeStarted
    | ViewChangeSeen | NewViewSent | ViewEntered | Forgot | Asked | Waits | Answered | ActSwitched | WorkloadSet
    | TimeoutSet | RuleSwitched
)  # fmt: skip
