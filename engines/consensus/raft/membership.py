"""How a cluster changes its members while it works: dissertation, chapter 4. A room of the server (node.py).

A configuration is an entry of the log. The newest one *in the log* rules, from the moment it is appended, committed or
not; if the entry is truncated, the one before it rules again (4.1). There is one change at a time: the next is taken
only after the former has committed, and only by a leader that has committed an entry of its own term (the mend of 2015
to the dissertation: without it two leaders can change the same configuration in two ways, whose majorities are apart).

A simple change takes one voter. Before a new one counts it is brought up to date in rounds (progress.py, 4.2.1). Any
other change goes by a joint configuration, in which both majorities must agree; once that has committed, the leader
leaves it by itself (``auto_leave``) or when it is told to (4.3). A joint change is appended at once, as etcd does it:
whoever wants its new voters caught up adds them as learners first, and promotes them by the joint change.

A leader that is in no configuration any more leads until that has committed, without counting itself, then steps down.
A removed server may still stand for election as long as it does not know its removal committed: it may be the only one
that can finish the change (4.2.2). A learner gets the log, does not count and does not stand, but *votes when asked*:
its promotion may have committed elsewhere.

With the option ``config_from=apply`` a configuration rules once it is applied, as in etcd, and with etcd's guards: a
new leader takes it that a change may be pending up to its last index, and which configuration was applied is durable.
With the rule ``config_from_append`` off the same, without the guards.
"""

from typing import Final

from engines.consensus.raft import change_events as c
from engines.consensus.raft import events as e
from engines.consensus.raft.election import Elections
from engines.consensus.raft.messages import ChangeReply, ChangeRequest, Entry, LogSnapshot, Refusal
from engines.consensus.raft.ports import Disk, Effects
from engines.consensus.raft.progress import PeerProgress, Round, Rounds
from engines.consensus.raft.quorum import Act, Configuration, Refused, enter_joint, leave_joint, simple
from engines.consensus.raft.roles import LEADER
from engines.consensus.raft.rules import ALL_ON, RaftRules, Sizes, Timing
from engines.consensus.raft.state import PAPER_TIMING, USUAL

SILENCE: Final = 10
"""So many longest election timeouts without an answer, and a new server is given up."""


class CatchUp:
    """A new server that is being brought up to date, and what is to become of it."""

    __slots__ = ("asked_by", "heard_us", "request", "rounds", "server")

    def __init__(self, server: str, request: ChangeRequest, asked_by: str, rounds: Rounds, now_us: int) -> None:
        self.server = server
        self.request = request
        self.asked_by = asked_by
        self.rounds = rounds
        self.heard_us = now_us


class Membership(Elections):
    """Changes the configuration, one change at a time."""

    __slots__ = ("asked_by", "catching", "own_change", "settled")

    def __init__(
        self,
        id: str,
        peers: tuple[str, ...] | Configuration,
        disk: Disk,
        rules: RaftRules = ALL_ON,
        timing: Timing = PAPER_TIMING,
        noop: bool = True,
        sizes: Sizes = USUAL,
    ) -> None:
        self.catching: CatchUp | None = None
        self.asked_by = ""
        """As leader: who waits for the change to commit."""
        self.own_change = 0
        """As leader: up to here changes may be pending, as far as it knows without looking into its log."""
        self.settled: Configuration | None = None
        """As leader: the newest configuration of which it has said that it is committed."""
        super().__init__(id, peers, disk, rules, timing, noop, sizes)

    # -- which configuration rules -----------------------------------------------------------------------------------

    @property
    def at_once(self) -> bool:
        """Whether a configuration rules from the moment it is appended."""
        return self.rules.config_from_append and not self.from_apply

    def ruling(self) -> Configuration:
        """The newest in the log, or the newest that is applied."""
        return self.log.configuration if self.at_once else self.log.configuration_at(self.applied_upto)

    @property
    def applied_upto(self) -> int:
        """Up to here configurations are known to be applied: what a restarted server remembers of that is a guard."""
        return max(self.last_applied, self.disk.registers.get("configured", 0) if self.from_apply else 0)

    @property
    def configured_at(self) -> int:
        """The entry with the configuration that rules; 0: none, it is the first."""
        upto = self.log.last_index if self.at_once else self.applied_upto
        return next(index for index, _ in reversed(self.log.configurations) if index <= upto)

    def configure(self) -> None:
        """Obey the configuration that rules; a server that is catching up gets the log as well."""
        super().configure()
        if self.catching is not None and self.catching.server not in self.peers:
            self.peers = (*self.peers, self.catching.server)
            self.progress.setdefault(self.catching.server, PeerProgress(max(self.log.first_index, self.log.last_index)))

    def truncate(self, ctx: Effects, first: int) -> None:
        """Delete; a configuration among what is deleted rules no more."""
        before, index = self.configuration, self.log.configurations[-1][0]
        super().truncate(ctx, first)
        if self.configuration is not before:
            ctx.note(c.ConfigurationFellBack(index, before, self.configuration))

    def reconfigured(self, ctx: Effects, before: Configuration) -> None:
        """Another configuration rules, for an entry was appended or applied."""
        if self.role is not LEADER:
            ctx.note(c.ConfigurationAdopted(self.log.configurations[-1][0], before, self.configuration))

    def install(self, ctx: Effects, src: str, snapshot: LogSnapshot) -> None:
        """A snapshot brings the configuration at its index with it."""
        before = self.configuration
        super().install(ctx, src, snapshot)
        if self.configuration != before:
            self.reconfigured(ctx, before)

    def committed(self, ctx: Effects) -> None:
        """Where configurations rule once applied, another may rule now; the leader looks whether a change is done."""
        if not self.at_once:
            before = self.configuration
            self.configure()
            if self.configuration is not before:
                if self.from_apply:
                    self.disk.write("configured", self.configured_at)
                    ctx.persist()
                self.reconfigured(ctx, before)
        if self.role is LEADER:
            self.settle(ctx)

    # -- who may stand, who may vote ---------------------------------------------------------------------------------

    def may_stand(self) -> bool:
        """Whether it counts in a configuration that may be in force: the newest known committed one, or one after.

        From apply on: whether it counts in the one that rules, or did and holds entries that it does not know
        committed: others may need its vote, which it cannot give to a shorter log.
        """
        known = self.log.configurations
        if not self.at_once:
            unfinished = self.from_apply and self.commit_index < self.log.last_index
            return self.configuration.votes(self.id) or (unfinished and any(each.votes(self.id) for _, each in known))
        first = max(index for index, _ in known if index <= self.commit_index)
        return any(configuration.votes(self.id) for index, configuration in known if index >= first)

    def on_election_timeout(self, ctx: Effects) -> None:
        """A server that counts nowhere waits on."""
        if self.may_stand():
            super().on_election_timeout(ctx)
        else:
            self.reset_election_timer(ctx, redraw=True)

    # -- a change ----------------------------------------------------------------------------------------------------

    def become_leader(self, ctx: Effects) -> None:
        """Upon election, what an earlier leader began is pending."""
        index, newest = self.log.configurations[-1]
        self.own_change = self.log.last_index if self.from_apply else 0
        self.settled = newest if index <= self.commit_index else None
        super().become_leader(ctx)

    def on_change_request(self, ctx: Effects, src: str, m: ChangeRequest) -> None:
        """Refuse it, or bring the new voter up to date first, or append."""
        why = self.refuses(m)
        if why is not None:
            self.deny(ctx, src, m, why)
            return
        new = [str(change.server) for change in m.changes if change.act is Act.VOTER]
        if not m.joint and new:
            self.catch_up(ctx, src, new[0], m)
        else:
            self.change(ctx, self.changed(m), src)

    def refuses(self, m: ChangeRequest) -> Refusal | None:
        """Why this change must not be made now; None: it may."""
        if self.role is not LEADER:
            return Refusal.NOT_LEADER
        if self.rules.one_change and (self.catching is not None or self.pending()):
            return Refusal.PENDING
        if self.rules.own_commit_first and self.log.term_at(self.commit_index) != self.current_term:
            return Refusal.EARLY
        try:
            self.changed(m)
        except Refused:
            return Refusal.IMPOSSIBLE
        return None

    def pending(self) -> int:
        """The entry of a change that has not committed; 0: none. Without the log's word: as far as it knows."""
        index = self.log.configurations[-1][0] if self.at_once else self.own_change
        return index if index > self.commit_index else 0

    def changed(self, m: ChangeRequest) -> Configuration:
        """The configuration after the change. Refused if there can be none."""
        if not m.changes:
            return leave_joint(self.configuration)
        if not m.joint:
            return simple(self.configuration, *m.changes)
        joint = enter_joint(self.configuration, *m.changes, auto_leave=m.auto_leave)
        return joint if self.rules.joint_consensus else leave_joint(joint)

    def deny(self, ctx: Effects, src: str, m: ChangeRequest, why: Refusal) -> None:
        """Say no, and why."""
        ctx.note(c.ChangeDenied(src, m.changes, why, self.pending(), self.log.configuration))
        ctx.send(src, ChangeReply(False, why, self.leader or ""))

    def change(self, ctx: Effects, after: Configuration, asked_by: str) -> None:
        """Append the configuration and send it to everybody who is or was to have the log."""
        before = self.configuration
        self.asked_by = asked_by
        self.own_change = self.log.last_index + 1
        ctx.note(c.ConfigurationAppended(self.own_change, self.current_term, before, after, self.at_once))
        self.propose(ctx, Entry(self.current_term, after), asked_by)

    def settle(self, ctx: Effects) -> None:
        """The newest configuration may be committed: say so, leave a joint one, or leave office."""
        index, newest = self.log.configurations[-1]
        if index > self.commit_index:
            return
        if newest is not self.settled:
            self.settled = newest
            ctx.note(c.ConfigurationCommitted(index, newest))
            if not newest.joint and self.asked_by:
                ctx.send(self.asked_by, ChangeReply(True, None, self.id))
                self.asked_by = ""
        if newest.auto_leave and self.free_to_leave():
            self.change(ctx, leave_joint(newest), self.asked_by)
        elif not newest.votes(self.id):
            self.leave_office(ctx)

    def leave_office(self, ctx: Effects) -> None:
        """The leader is no voter any more, and that has committed: its work is done."""
        self.become_follower(ctx, self.current_term, e.StepDownReason.REMOVED)

    def free_to_leave(self) -> bool:
        """Whether nothing stands in the way of leaving a joint configuration."""
        return True

    # -- catching up -------------------------------------------------------------------------------------------------

    def catch_up(self, ctx: Effects, src: str, server: str, m: ChangeRequest) -> None:
        """Send the log to a server that does not count yet."""
        last = self.log.last_index
        self.catching = CatchUp(server, m, src, Rounds(last, ctx.now_us), ctx.now_us)
        ctx.note(c.CatchUpBegan(server, last))
        self.configure()
        self.send_append(ctx, server)

    def attend(self, ctx: Effects, src: str) -> None:
        """An answer of the server that is catching up may end a round."""
        catching = self.catching
        if catching is not None and catching.server == src:
            catching.heard_us = ctx.now_us
            self.end_round(ctx, catching)

    def end_round(self, ctx: Effects, catching: CatchUp) -> None:
        """Let it in, turn it away, or begin the next round, if it holds what this one was about."""
        rounds, timeout = catching.rounds, self.timing.election_min_us
        number, goal = rounds.number, rounds.goal
        how = rounds.reached(self.progress[catching.server].match_index, self.log.last_index, ctx.now_us, timeout)
        if how is Round.GOING:
            return
        ctx.note(c.RoundEnded(catching.server, number, goal, rounds.took_us, timeout, how, self.log.last_index))
        if how is Round.TOO_SLOW:
            self.turn_away(ctx, catching, Refusal.TIMEOUT)
        elif how is Round.CAUGHT_UP:
            self.catching = None
            try:
                after = self.changed(catching.request)
            except Refused:
                self.turn_away(ctx, catching, Refusal.IMPOSSIBLE)
            else:
                self.change(ctx, after, catching.asked_by)

    def turn_away(self, ctx: Effects, catching: CatchUp, why: Refusal) -> None:
        """The server is not let in."""
        self.catching = None
        self.configure()
        self.deny(ctx, catching.asked_by, catching.request, why)

    def heartbeat(self, ctx: Effects) -> None:
        """Beside the heartbeats: give up who does not answer, leave a joint configuration that could not be left."""
        super().heartbeat(ctx)
        catching = self.catching
        if catching is not None:
            silent = ctx.now_us - catching.heard_us
            if silent > SILENCE * self.timing.election_max_us:
                ctx.note(c.CatchUpFailed(catching.server, silent))
                self.turn_away(ctx, catching, Refusal.TIMEOUT)
        if self.log.configuration.joint or not self.log.configuration.votes(self.id):
            self.settle(ctx)

    def become_follower(self, ctx: Effects, term: int, why: e.StepDownReason, src: str = "") -> None:
        """Whoever waits for a change is told that its outcome is unknown."""
        waits = self.catching.asked_by if self.catching is not None else self.asked_by
        if waits:
            ctx.send(waits, ChangeReply(False, Refusal.DEPOSED, ""))
        self.catching, self.asked_by = None, ""
        super().become_follower(ctx, term, why, src)
        if waits:
            self.configure()


__all__ = ["SILENCE", "CatchUp", "Membership"]
