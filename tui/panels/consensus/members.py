"""Who counts, and how many of them: the sums of the configuration, as all parts of the picture say them.

A mark behind the letter of a server says what it is: ``~`` a learner, ``+`` only on the new side of a joint
configuration, or on its way to be a voter; ``-`` only on the old side or no member at all. Nothing: a voter like any
other.
"""

from collections.abc import Callable, Iterable

from engines import units
from engines.consensus.raft.quorum import Configuration, majority
from engines.consensus.raft.snapshot import Server, Snapshot
from tui.kit.sheet import Facts, fact
from tui.kit.words import names


def voters(snapshot: Snapshot) -> list[Server]:
    """The servers that count, on either side."""
    return [each for each in snapshot.servers if snapshot.configuration.votes(each.id)]


def up(snapshot: Snapshot) -> list[str]:
    """Those of them that run."""
    return [each.id for each in voters(snapshot) if each.status == "up"]


def by_side(configuration: Configuration, say: Callable[[tuple[str, ...]], str]) -> str:
    """What is to be said of those who decide: of the voters, and while it is joint of the old ones before them."""
    sides = [side for side in (configuration.outgoing, configuration.voters) if side] or [()]
    return " and ".join(say(tuple(map(str, side))) for side in sides)


def majorities(configuration: Configuration) -> str:
    """``3 of 5``, ``2 of 3 and 3 of 5``."""
    return by_side(configuration, lambda side: f"{majority(len(side))} of {len(side)}")


def wanted(configuration: Configuration) -> str:
    """How many it takes, by sides: ``3``, ``2 and 3``."""
    return by_side(configuration, lambda side: str(majority(len(side))))


def needs(configuration: Configuration) -> str:
    """Who decides: ``2 of n1 n2 n3``, or two such sides."""
    if not configuration.voters:
        return "nobody: it knows of no configuration"
    return by_side(configuration, lambda side: f"{majority(len(side))} of {names(side)}")


def tally(configuration: Configuration, servers: Iterable[str]) -> str:
    """How many of them count, by sides: ``2 of 5``, ``2 of 3 and 1 of 5`` while the configuration is joint."""
    those = tuple(servers)
    return by_side(configuration, lambda side: f"{sum(each in side for each in those)} of {len(side)}")


def counted(configuration: Configuration, servers: Iterable[str]) -> str:
    """These by sides: ``n1 n2, 2 of 3, and n2 n4 n5, 3 of 5``."""
    those = tuple(servers)

    def say(side: tuple[str, ...]) -> str:
        near = [each for each in those if each in side]
        return f"{names(near)}, {len(near)} of {len(side)}"

    return by_side(configuration, say)


def count(configuration: Configuration, servers: Iterable[str], quorum: int) -> str:
    """How many of these count, and how many are needed: ``3, 2 needed``; both sides while it is joint."""
    if configuration.joint:
        return counted(configuration, servers)
    those = list(servers)
    others = [each for each in those if configuration.voters and not configuration.votes(each)]
    beside = f" ({names(others)} {'does' if len(others) == 1 else 'do'} not count)" if others else ""
    return f"{len(those) - len(others)}, {quorum} needed{beside}"


def missing(configuration: Configuration, servers: Iterable[str]) -> int:
    """How many more it takes at least."""
    those = tuple(servers)
    sides = configuration.outgoing, configuration.voters
    return max(0, *(majority(len(side)) - sum(each in side for each in those) for side in sides))


def whose(snapshot: Snapshot) -> str:
    """Of whom the sums speak, where somebody who is up goes by another configuration."""
    ruling = snapshot.configuration
    others = any(each.status != "crashed" and each.configuration != ruling for each in snapshot.servers)
    return f" ({' '.join(map(str, ruling.voters))})" if others and not ruling.joint else ""


def mark(snapshot: Snapshot, server: Server) -> str:
    """The sign behind its letter."""
    configuration = snapshot.configuration
    if server.id in configuration.voters:
        return "+" if configuration.joint and server.id not in configuration.outgoing else ""
    return "~" if server.id in configuration.learners else "+" if comes(snapshot, server) else "-"


def comes(snapshot: Snapshot, server: Server) -> bool:
    """Whether the leader brings it up to date, to make it a voter then."""
    leader = snapshot.server(snapshot.leader)
    return leader is not None and leader.catching_up is not None and leader.catching_up.server == server.id


def kind(snapshot: Snapshot, server: Server) -> str:
    """What it is, if it is no voter like any other."""
    match mark(snapshot, server):
        case "~":
            return "a learner: it gets the log and does not count"
        case "+" if not snapshot.configuration.joint:
            return "comes in: it gets the log, and counts once it has nearly all of it"
        case "+":
            return "counts on the new side only"
        case "-" if snapshot.configuration.votes(server.id):
            return "counts on the old side only: it leaves"
        case "-" if server.role == "leader" and server.status == "up":
            if server.configuration == snapshot.configuration:
                return "no member: it leads until that has committed, and does not count itself"
            return "no member, and it does not know: it goes by its own configuration"
        case "-" if not snapshot.configured and server.configuration == snapshot.configuration:
            return "left out, but that has not committed: it may still stand for election"
        case "-":
            return "no member: nobody counts it or sends to it"
    return ""


def summed_up(snapshot: Snapshot) -> str:
    """How many servers there are, and of what kind."""
    configuration = snapshot.configuration
    others = len(snapshot.servers) - len(configuration.voters)
    if configuration.joint:
        return f"{len(configuration.outgoing)} > {len(configuration.voters)} voters"
    if not others:
        return f"{len(snapshot.servers)} nodes"
    learners = f" {len(configuration.learners)} learners" if configuration.learners else ""
    voters = "1 voter" if len(configuration.voters) == 1 else f"{len(configuration.voters)} voters"
    return f"{voters}{learners}".replace(" 1 learners", " 1 learner")


def facts(snapshot: Snapshot, server: Server) -> Facts:
    """What the inspector says of the configuration; nothing as long as it is the first one and all go by it."""
    what = kind(snapshot, server)
    if what:
        yield fact("member", what, "stale")
    configuration = snapshot.configuration
    if snapshot.configured_at or configuration.joint or configuration.learners:
        done = ("committed", "good") if snapshot.configured else ("not committed: it rules all the same", "warn")
        at = f"; entry {snapshot.configured_at}," if snapshot.configured_at else ";"
        yield fact("members", str(configuration), "text", (at, "text"), done)
    if server.configuration != configuration:
        own = f"{server.configuration}: {needs(server.configuration)}"
        yield fact("goes by", own if server.configuration.voters else "no configuration yet", "warn")
    if server.status == "up" and server.catching_up is not None:
        it = server.catching_up
        text = f"{it.server}: round {it.round} for {units.span(it.round_us)}, has {it.match} of {it.goal}"
        yield fact("catch-up", text, "text", ("; it counts only then", "dim"))
    if server.status == "up" and server.hands_over_to:
        yield fact("transfer", f"to {server.hands_over_to}: takes no commands", "warn")
