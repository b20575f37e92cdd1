"""What must happen in time while nothing is in the way. Raft promises no more: FLP allows no more.

*Undisturbed* is a group of servers that run, with clocks that are right and disks that do not wait, and whose links
among themselves are as they were laid, since the last command that changed any machine, link, rule or member. If such a
group is a quorum of every configuration that may be in force, then within twenty of the longest election timeouts

- it has a leader that hears a quorum and is heard by it, whatever the servers outside do; where several such groups
  overlap, since single links are cut, a leader of one of them will do, and so will one that talks to a quorum whose
  members cannot all talk among themselves, and one that works in spite of what was done to it: who is slow and in
  office need not be deposed
- each member that is in the group with that leader holds what the leader had committed so long ago

The span is virtual time, and generous: elections are drawn at random, and a check that turned red by bad luck would be
worth nothing. No judgement is passed on a cluster whose timeouts do not suit its links (paper 5.6).
"""

from collections.abc import Callable, Iterable
from itertools import combinations
from typing import Final, NamedTuple

from engines.consensus.raft.log import RaftLog
from engines.consensus.raft.node import RaftNode
from engines.consensus.raft.quorum import Configuration, has_quorum
from engines.consensus.raft.roles import LEADER
from engines.sim.checks import CheckBook
from engines.sim.host import UP, Host
from engines.units import span, stamp

LEADER_IN_TIME: Final = "a leader in time"
CATCHES_UP: Final = "followers catch up"
TIMEOUTS: Final = 20
NOBODY: Final = (0, Configuration())

DEMANDS: Final = {
    LEADER_IN_TIME: "a quorum that can talk undisturbed has a working leader within 20 election timeouts",
    CATCHES_UP: "a member that its leader reaches undisturbed has within 20 timeouts what was committed",
}


class _Goal(NamedTuple):
    """A member is to hold this entry of the leader, of this term."""

    entry: int
    term: int
    since_us: int


class Liveness:
    """Looks now and then; ``disturbed`` after every command that may be in the way."""

    def __init__(self, book: CheckBook, hosts: dict[str, Host]) -> None:
        self.book = book
        self.hosts = hosts
        self.since_us = 0
        """Since when nothing was done to the cluster."""
        self.led_us = 0
        """When a working leader was last seen."""
        self.leader = ""
        self.goals: dict[str, _Goal] = {}
        self.groups: tuple[tuple[str, ...], ...] | None = None
        """The undisturbed groups, as large as can be; none where timeouts do not suit the links, and so no judgement
        is passed. None: not looked at since the last disturbance."""
        self.able: list[tuple[str, ...]] = []
        """Those that are a quorum of every configuration that may be in force."""
        self.newest: list[tuple[int, Configuration]] = []
        """The newest configuration of each log when that was found out, if all of them were decided."""

    def disturbed(self, now_us: int) -> None:
        """Something was done to the cluster: all spans begin anew."""
        self.since_us = self.led_us = now_us
        self.goals.clear()
        self.groups = None
        self.newest = []

    def look(self, servers: tuple[str, ...], committed: Callable[[RaftLog, int], bool], now_us: int) -> None:
        """Judge, as of now; ``committed`` says whether what a log holds at an index is what was decided there."""
        if self.groups is None:
            self.groups = tuple(_cliques(servers, self._talk)) if self._suits(servers) else ()
        nodes: dict[str, RaftNode] = {server: self.hosts[server].node for server in servers}  # type: ignore[misc]
        self._look_who_decides(nodes, self.groups, committed)
        able = self.able
        if not able:
            self.led_us = now_us
            return
        leaders = [server for server in servers if nodes[server].role is LEADER]
        leads = (
            (each, group) for group in able for each in leaders if each in group and self._works(each, group, nodes)
        )
        leader, group = next(leads, ("", able[0]))
        if not leader and any(self._works(each, self._circle(each, servers), nodes) for each in leaders):
            self.led_us = now_us  # from outside: whoever cannot hear that leader may not depose it
            return
        self._judge(leader, group, nodes, now_us, TIMEOUTS * nodes[servers[0]].timing.election_max_us)

    def _look_who_decides(
        self, nodes: dict[str, RaftNode], groups: tuple[tuple[str, ...], ...], committed: Callable[[RaftLog, int], bool]
    ) -> None:
        newest = [node.log.configurations[-1] for node in nodes.values()]
        if newest != self.newest:
            decided = _decided(nodes.values(), committed)
            self.able = [group for group in groups if self._may_decide(group, nodes, decided)]
            settled = all(committed(node.log, node.log.configurations[-1][0]) for node in nodes.values())
            self.newest = newest if settled else []

    def _circle(self, server: str, servers: tuple[str, ...]) -> tuple[str, ...]:
        """Everybody it can talk to undisturbed, whether they can among themselves or not."""
        return tuple(each for each in servers if each == server or self._talk(server, each))

    @staticmethod
    def _may_decide(group: tuple[str, ...], nodes: dict[str, RaftNode], decided: tuple[int, Configuration]) -> bool:
        """Whether it is a quorum of every configuration that may be in force."""
        possible = _possible([nodes[server] for server in group], decided)
        return bool(possible) and all(has_quorum(configuration, group) for configuration in possible)

    def _judge(
        self, leader: str, group: tuple[str, ...], nodes: dict[str, RaftNode], now_us: int, within_us: int
    ) -> None:
        if leader:
            self.led_us = now_us
            self._catching_up(leader, group, nodes, now_us, within_us)
        elif any(self._copes(each, group, nodes) for each in nodes):
            self.led_us = now_us
        elif now_us - max(self.since_us, self.led_us) > within_us:
            self.book.fail(
                LEADER_IN_TIME,
                f"{', '.join(group)} can talk undisturbed and had no working leader for {span(within_us)}",
                f"{stamp(max(self.since_us, self.led_us))} since then nobody leads them",
                *(f"{each}: {nodes[each].role.value} in term {nodes[each].current_term}, follows "
                  f"{nodes[each].leader or 'nobody'}" for each in group),
            )  # fmt: skip

    def _works(self, server: str, group: tuple[str, ...], nodes: dict[str, RaftNode]) -> bool:
        """Whether it leads, and a quorum of the group follows it."""
        node = nodes[server]
        if node.role is not LEADER:
            return False
        behind = [
            each for each in group
            if each == server or (nodes[each].leader == server and nodes[each].current_term == node.current_term)
        ]  # fmt: skip
        return has_quorum(node.configuration, behind)

    def _copes(self, server: str, group: tuple[str, ...], nodes: dict[str, RaftNode]) -> bool:
        """Whether it leads the group from outside, on slow links or by a wrong clock, and hears a quorum even so."""
        host, node = self.hosts[server], nodes[server]
        if host.status != UP or not self._works(server, (server, *group), nodes):
            return False
        heard = [
            peer for peer, progress in node.progress.items()
            if progress.heard_at_us is not None and host.now_us - progress.heard_at_us <= node.timing.election_max_us
        ]  # fmt: skip
        return has_quorum(node.configuration, (server, *heard))

    def _catching_up(
        self, leader: str, group: tuple[str, ...], nodes: dict[str, RaftNode], now_us: int, within_us: int
    ) -> None:
        node = nodes[leader]
        if leader != self.leader:
            self.leader = leader
            self.goals.clear()
        commit = min(max(node.commit_index, node.log.base_index), node.log.last_index)  # the log, where a rule is off
        next_goal = _Goal(commit, node.log.term_at(commit), now_us)
        for each in group:
            if each not in node.peers:
                self.goals.pop(each, None)
                continue
            goal, log = self.goals.get(each), nodes[each].log
            if goal is None or log.holds(goal.entry, goal.term):
                self.goals[each] = next_goal
            elif now_us - goal.since_us > within_us:
                self.book.fail(
                    CATCHES_UP,
                    f"{each} lacks entry {goal.entry} of {leader} for {span(within_us)}, though nothing is in the way",
                    f"{stamp(goal.since_us)} {leader} had committed entry {goal.entry} of term {goal.term}",
                    f"{stamp(now_us)} the log of {each} ends at {log.last_index}, of term {log.last_term}",
                )

    # -- what is undisturbed -----------------------------------------------------------------------------------------

    def _node(self, server: str) -> RaftNode:
        node = self.hosts[server].node
        assert isinstance(node, RaftNode)
        return node

    def _suits(self, servers: tuple[str, ...]) -> bool:
        """Whether messages fly well within the timeouts, and timeouts differ by more than a flight."""
        timing = self._node(servers[0]).timing
        link = next(iter(self.hosts[servers[0]].links.values())).options
        flight = link.latency_us + link.jitter_us
        return (
            timing.election_min_us >= 4 * flight
            and timing.election_max_us - timing.election_min_us >= 4 * flight
            and 2 * timing.heartbeat_us <= timing.election_min_us
        )

    def _talk(self, one: str, other: str) -> bool:
        """Whether both run as they should and the links between them are as they were laid."""
        mine, theirs = self.hosts[one], self.hosts[other]
        if not (_runs(mine) and _runs(theirs)):
            return False
        return one == other or not (mine.links[other].faulty or theirs.links[one].faulty)


def _runs(host: Host) -> bool:
    """Whether it does, by a right clock, and its disk does not wait."""
    return host.status == UP and not host.skewed and not host.disk.fsync_us


def _cliques(servers: tuple[str, ...], talk: Callable[[str, str], bool]) -> list[tuple[str, ...]]:
    """The largest groups in which everybody can talk to everybody, larger ones first."""
    able = tuple(server for server in servers if talk(server, server))
    if able and all(talk(one, other) for one, other in combinations(able, 2)):
        return [able]
    groups: list[tuple[str, ...]] = [()]
    for server in able:
        groups += [(*group, server) for group in groups if all(talk(server, each) for each in group)]
    groups.sort(key=len, reverse=True)
    largest: list[tuple[str, ...]] = []
    for group in groups:
        if group and not any(all(each in other for each in group) for other in largest):
            largest.append(group)
    return largest


def _decided(nodes: Iterable[RaftNode], committed: Callable[[RaftLog, int], bool]) -> tuple[int, Configuration]:
    """The newest configuration that has committed, in whosever log it is."""
    newest = NOBODY
    for node in nodes:
        for known in reversed(node.log.configurations):
            if known[1].voters and committed(node.log, known[0]):
                if known[0] > newest[0] or not newest[1].voters:
                    newest = known
                break
    return newest


def _possible(nodes: list[RaftNode], decided: tuple[int, Configuration]) -> list[Configuration]:
    """The configurations that may be in force: the newest decided one, and all after it in any of these logs."""
    found = [decided[1]] if decided[1].voters else []
    for node in nodes:
        for index, each in reversed(node.log.configurations):
            if index <= decided[0]:
                break
            if each.voters and each not in found:
                found.append(each)
    return found


__all__ = ["CATCHES_UP", "DEMANDS", "LEADER_IN_TIME", "TIMEOUTS", "Liveness"]
