"""Who decides: majorities, joint configurations, learners. Pure arithmetic, used by servers, checks and screens alike.

A *configuration* names the servers that count. A decision (an election, a commitment) needs a majority of its voters;
while it is *joint* it needs a majority of the old voters (``outgoing``) as well (dissertation 4.3). Learners receive
the log and do not count (4.2.1). The words are those of the dissertation, chapter 4, and of etcd's ``confchange``.

    simple        (1 2 3)                 -> (1 2 3 4)                 one voter at a time
    enter_joint   (1 2 3)                 -> (3 4 5) && (1 2 3)        any change, in two steps
    leave_joint   (3 4 5) && (1 2 3)      -> (3 4 5)

A voter of the old side that is to become a learner waits in ``learners_next`` until the old side is gone: it cannot be
voter and learner at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import repeat
from sys import maxsize
from typing import Any, Final, NamedTuple, TypeAlias

from engines.errors import UserError

Server: TypeAlias = str | int

NO_LIMIT: Final = maxsize
"""What a majority of nobody has committed: everything. The other side of a joint configuration decides."""
_NOTHING: Final = repeat(0)
"""What each server holds of which nothing is known."""


class Refused(UserError):
    """A change of the configuration that must not be made."""


class Vote(Enum):
    """How an election stands."""

    WON = "won"
    PENDING = "pending"
    LOST = "lost"


class Act(Enum):
    """What a change does with a server."""

    VOTER = "voter"
    LEARNER = "learner"
    REMOVE = "remove"


MARKS: Final = {Act.VOTER: "+", Act.LEARNER: "~", Act.REMOVE: "-"}
"""How changes are written: ``+n4`` a voter, ``~n4`` a learner, ``-n4`` removed."""


class Change(NamedTuple):
    """One server becomes a voter, a learner, or nothing."""

    act: Act
    server: Server

    def __str__(self) -> str:
        return f"{MARKS[self.act]}{self.server}"


def add(server: Server) -> Change:
    """The server becomes a voter; a learner is promoted."""
    return Change(Act.VOTER, server)


def learn(server: Server) -> Change:
    """The server becomes a learner; a voter is demoted."""
    return Change(Act.LEARNER, server)


def remove(server: Server) -> Change:
    """The server is no part of the configuration any more."""
    return Change(Act.REMOVE, server)


def _ordered(servers: Iterable[Server]) -> tuple[Server, ...]:
    """Each server once, numbers before names, so that equal configurations are equal and print alike."""
    return tuple(sorted(dict.fromkeys(servers), key=lambda each: (isinstance(each, str), _natural(each))))


def _natural(server: Server) -> tuple[int, Server]:
    """n2 before n10."""
    return (len(server), server) if isinstance(server, str) else (0, server)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Who counts. Any iterable of servers is taken; kept are sorted tuples, each server once.

    ``auto_leave``: the leader proposes the way out of a joint configuration by itself, once the joint one is applied.
    """

    voters: tuple[Server, ...] = ()
    outgoing: tuple[Server, ...] = ()
    """The old voters while the configuration is joint; else nobody."""
    learners: tuple[Server, ...] = ()
    learners_next: tuple[Server, ...] = ()
    """Old voters that will be learners once the joint configuration is left."""
    auto_leave: bool = False

    def __post_init__(self) -> None:
        for name in ("voters", "outgoing", "learners", "learners_next"):
            object.__setattr__(self, name, _ordered(getattr(self, name)))

    @property
    def joint(self) -> bool:
        """Whether two majorities are needed."""
        return bool(self.outgoing)

    @property
    def everyone(self) -> tuple[Server, ...]:
        """Everybody who receives the log: both sides and all learners."""
        return _ordered((*self.voters, *self.outgoing, *self.learners, *self.learners_next))

    def votes(self, server: Server) -> bool:
        """Whether the server counts, on either side."""
        return server in self.voters or server in self.outgoing

    def is_learner(self, server: Server) -> bool:
        """Whether the server receives the log without counting."""
        return server in self.learners

    def __str__(self) -> str:
        sides = [f"({' '.join(map(str, side))})" for side in (self.voters, self.outgoing) if side]
        text = " && ".join(sides) or "()"
        for name, servers in (("learners", self.learners), ("learners next", self.learners_next)):
            if servers:
                text += f" {name} ({' '.join(map(str, servers))})"
        return text


def majority(count: int) -> int:
    """The least number of ``count`` voters that any two groups of share a member: floor(n/2) + 1; 0 of nobody."""
    return count // 2 + 1 if count else 0


def _committed(voters: tuple[Server, ...], match: Mapping[Any, int]) -> int:
    """The highest index that a majority of these voters holds."""
    if not voters:
        return NO_LIMIT
    held = sorted(map(match.get, voters, _NOTHING))
    return held[(len(voters) - 1) // 2]  # it and all above it: a majority


def committed_index(configuration: Configuration, match: Mapping[Any, int]) -> int:
    """The highest index that is committed, by ``match``: server -> the last entry it is known to hold.

    A server that is missing holds nothing. Joint: the lower of the two sides (dissertation 4.3).
    """
    index = _committed(configuration.voters, match)
    return min(index, _committed(configuration.outgoing, match)) if configuration.outgoing else index


def _result(voters: tuple[Server, ...], votes: Mapping[Any, bool]) -> Vote:
    yes = sum(votes.get(voter) is True for voter in voters)
    silent = sum(voter not in votes for voter in voters)
    needed = majority(len(voters))
    if yes >= needed:
        return Vote.WON
    return Vote.PENDING if yes + silent >= needed else Vote.LOST


def vote_result(configuration: Configuration, votes: Mapping[Any, bool]) -> Vote:
    """How an election stands, by the answers so far: server -> granted. Who has not answered is missing.

    Joint: won if both sides are, lost as soon as one is.
    """
    results = (_result(configuration.voters, votes), _result(configuration.outgoing, votes))
    if Vote.LOST in results:
        return Vote.LOST
    return Vote.PENDING if Vote.PENDING in results else Vote.WON


def has_quorum(configuration: Configuration, servers: Iterable[Server]) -> bool:
    """Whether these servers alone can decide."""
    among = frozenset(servers)
    return _enough(configuration.voters, among) and _enough(configuration.outgoing, among)


def _enough(voters: tuple[Server, ...], among: frozenset[Server]) -> bool:
    return len(among.intersection(voters)) > len(voters) // 2 if voters else True


def overlap(one: Configuration, other: Configuration) -> bool:
    """Whether every quorum of the one shares a server with every quorum of the other (dissertation 4.1).

    True as soon as one side of each does: V and W have majorities without a common server iff the voters that only
    one of them has leave so few to be found among the common ones that those suffice for both.
    """
    return any(_share(mine, theirs) for mine in _sides(one) for theirs in _sides(other))


def _sides(configuration: Configuration) -> tuple[tuple[Server, ...], ...]:
    return tuple(side for side in (configuration.voters, configuration.outgoing) if side)


def _share(one: tuple[Server, ...], other: tuple[Server, ...]) -> bool:
    common = sum(server in other for server in one)
    wanted = (max(0, majority(len(side)) - (len(side) - common)) for side in (one, other))
    return sum(wanted) > common


def simple(configuration: Configuration, *changes: Change) -> Configuration:
    """The configuration after changes of at most one voter: old and new majorities overlap (dissertation 4.1).

    Refused: a joint configuration, two voters at once, the last voter's removal, a change that changes nothing.
    """
    if configuration.joint:
        raise Refused(f"{configuration} is joint: leave it first")
    after = _applied(configuration, changes)
    differ = [each for each in after.everyone if (each in after.voters) != (each in configuration.voters)]
    differ += [each for each in configuration.voters if each not in after.everyone]
    if len(differ) > 1:
        names = ", ".join(map(str, _ordered(differ)))
        raise Refused(f"{names}: {len(differ)} voters at once need a joint configuration; a simple change takes one")
    return after


def enter_joint(configuration: Configuration, *changes: Change, auto_leave: bool = False) -> Configuration:
    """The joint configuration C_old,new: its outgoing side is the old one (dissertation 4.3).

    Refused: a configuration that is joint already or has no voters, the last voter's removal, changes of nothing.
    """
    if configuration.joint:
        raise Refused(f"{configuration} is joint already: one change at a time")
    if not configuration.voters:
        raise Refused("a configuration without voters cannot become joint: nobody could decide to leave it")
    joint = Configuration(
        configuration.voters, configuration.voters, configuration.learners, configuration.learners_next, auto_leave
    )
    return _applied(joint, changes)


def leave_joint(configuration: Configuration) -> Configuration:
    """C_new alone. Refused unless the configuration is joint."""
    if not configuration.joint:
        raise Refused(f"{configuration} is not joint: there is nothing to leave")
    return Configuration(configuration.voters, (), (*configuration.learners, *configuration.learners_next))


def _applied(configuration: Configuration, changes: tuple[Change, ...]) -> Configuration:
    """The new side after the changes, one by one."""
    voters, learners, later = [*configuration.voters], [*configuration.learners], [*configuration.learners_next]
    named = [change.server for change in changes]
    for server in named:
        if named.count(server) > 1:
            raise Refused(f"{server} is named twice in one change")
    for act, server in changes:
        known = server in voters or server in learners
        if act is Act.VOTER and server in voters:
            raise Refused(f"{server} is a voter already")
        if act is Act.LEARNER and server in learners:
            raise Refused(f"{server} is a learner already")
        if act is Act.REMOVE and not known:
            raise Refused(f"{server} is no member of {configuration}")
        for group in (voters, learners):
            if server in group:
                group.remove(server)
        if act is Act.VOTER:
            voters.append(server)
        elif act is Act.LEARNER:
            (later if server in configuration.outgoing else learners).append(server)
    if not voters:
        raise Refused("the last voter cannot be removed: nobody could decide anything any more")
    return Configuration(tuple(voters), configuration.outgoing, tuple(learners), tuple(later), configuration.auto_leave)


__all__ = [
    "MARKS", "NO_LIMIT", "Act", "Change", "Configuration", "Refused", "Server", "Vote", "add", "committed_index",
    "enter_joint", "has_quorum", "learn", "leave_joint", "majority", "overlap", "remove", "simple", "vote_result",
]  # fmt: skip
