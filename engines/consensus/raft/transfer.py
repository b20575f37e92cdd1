"""How a leader hands its office over: dissertation 3.10. A room of the server (node.py).

The leader takes no more commands, brings its successor to the end of its log, and tells it to stand for election now.
The successor asks for votes at once, without pre-vote, with a flag that overrides the refusal of those who hear a
leader. If no new leader appears within an election timeout the old one goes on, and takes commands again; so it does if
the successor is no voter any more.
"""

from engines.consensus.raft import change_events as c
from engines.consensus.raft import events as e
from engines.consensus.raft.membership import Membership
from engines.consensus.raft.messages import ChangeRequest, Refusal, TimeoutNow, TransferReply, TransferRequest
from engines.consensus.raft.ports import Disk, Effects
from engines.consensus.raft.quorum import Configuration
from engines.consensus.raft.roles import FOLLOWER, LEADER
from engines.consensus.raft.rules import ALL_ON, RaftRules, Sizes, Timing
from engines.consensus.raft.state import NEVER, PAPER_TIMING, USUAL


class Transfers(Membership):
    """Hands over, takes over."""

    __slots__ = ("hand_over_for", "hand_over_to", "hand_over_us", "told_for", "told_us")

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
        self.hand_over_to = ""
        """As leader: the successor; nobody: no transfer is under way."""
        self.hand_over_for = ""
        """Who asked for it."""
        self.hand_over_us = 0
        """When it began."""
        self.told_us = NEVER
        """When the successor was told to stand."""
        self.told_for = 0
        """The term for which a leader told it to stand."""
        super().__init__(id, peers, disk, rules, timing, noop, sizes)

    # -- the leader --------------------------------------------------------------------------------------------------

    def on_transfer_request(self, ctx: Effects, src: str, m: TransferRequest) -> None:
        """Begin to hand over, or say why not."""
        why = self.keeps_office(m.to)
        if why is not None:
            ctx.note(c.TransferDenied(src, m.to, why))
            ctx.send(src, TransferReply(m.to, why, self.leader or ""))
            return
        self.hand_over(ctx, m.to, src)

    def hand_over(self, ctx: Effects, to: str, asked_by: str) -> None:
        """Bring the successor to the end of the log, then tell it to stand."""
        self.hand_over_to, self.hand_over_for = to, asked_by
        self.hand_over_us, self.told_us = ctx.now_us, NEVER
        timeout = self.timing.election_max_us
        match, last = self.progress[to].match_index, self.log.last_index
        ctx.set_timer("transfer", timeout)
        ctx.note(c.TransferBegan(to, match, last, timeout))
        if match < last:
            self.send_append(ctx, to)
        else:
            self.tell_to_stand(ctx)

    def keeps_office(self, to: str) -> Refusal | None:
        """Why it does not hand over to this server; None: it does."""
        if self.role is not LEADER:
            return Refusal.NOT_LEADER
        if self.hand_over_to:
            return Refusal.TRANSFERRING
        if to not in self.configuration.voters or to not in self.progress:
            return Refusal.NO_VOTER
        return None

    def tell_to_stand(self, ctx: Effects) -> None:
        """The successor holds the whole log; should the word get lost it is said again with a later answer."""
        if ctx.now_us - self.told_us >= self.timing.heartbeat_us:
            self.told_us = ctx.now_us
            ctx.note(c.TimeoutNowSent(self.hand_over_to, self.log.last_index))
            ctx.send(self.hand_over_to, TimeoutNow(self.current_term))

    def attend(self, ctx: Effects, src: str) -> None:
        """The successor may have come to the end of the log."""
        super().attend(ctx, src)
        if self.hand_over_to == src and self.progress[src].match_index == self.log.last_index:
            self.tell_to_stand(ctx)

    def give_up_transfer(self, ctx: Effects, why: Refusal) -> None:
        """Go on as before."""
        to, asked_by = self.hand_over_to, self.hand_over_for
        self.hand_over_to = self.hand_over_for = ""
        ctx.cancel_timer("transfer")
        ctx.note(c.TransferAborted(to, why, ctx.now_us - self.hand_over_us))
        if asked_by:
            ctx.send(asked_by, TransferReply(to, why, self.id))

    def reconfigured(self, ctx: Effects, before: Configuration) -> None:
        """A successor that is no voter any more cannot lead."""
        super().reconfigured(ctx, before)
        if self.hand_over_to and self.hand_over_to not in self.configuration.voters:
            self.give_up_transfer(ctx, Refusal.CHANGED)

    @property
    def retires(self) -> bool:
        """Whether it takes nothing new: it hands over, or is no voter any more and ought to (etcd drops proposals)."""
        return bool(self.hand_over_to) or (self.from_apply and not self.configuration.votes(self.id))

    def refuses(self, m: ChangeRequest) -> Refusal | None:
        """No change while it hands over."""
        return Refusal.TRANSFERRING if self.role is LEADER and self.retires else super().refuses(m)

    def leave_office(self, ctx: Effects) -> None:
        """Where configurations rule once applied it must not just go: the others may not know the commit, and may need
        its vote. It hands over, and tries again with a later commit if nobody takes over."""
        heirs = [peer for peer in self.progress if peer in self.configuration.voters]
        if not self.from_apply or not self.rules.config_from_append:
            super().leave_office(ctx)
        elif not self.hand_over_to:
            self.hand_over(ctx, max(heirs, key=lambda peer: self.progress[peer].match_index), "")

    def free_to_leave(self) -> bool:
        """A joint configuration is left after the transfer, by whoever leads then."""
        return super().free_to_leave() and not self.hand_over_to

    def become_follower(self, ctx: Effects, term: int, why: e.StepDownReason, src: str = "") -> None:
        """The successor stands, or somebody else deposed it on the way."""
        to, asked_by = self.hand_over_to, self.hand_over_for
        self.hand_over_to = self.hand_over_for = ""
        super().become_follower(ctx, term, why, src)
        if to:
            ctx.cancel_timer("transfer")
            if src == to:
                ctx.note(c.HandedOver(to, term))
            if asked_by:
                ctx.send(asked_by, TransferReply(to, None if src == to else Refusal.DEPOSED, ""))

    # -- the successor -----------------------------------------------------------------------------------------------

    def on_timeout_now(self, ctx: Effects, src: str, m: TimeoutNow) -> None:
        """Stand for election at once, if this is the leader's word of this term."""
        if m.term == self.current_term and self.role is FOLLOWER and self.may_stand():
            ctx.note(c.ToldToStand(src, m.term + 1))
            self.campaign_us = ctx.now_us
            self.told_for = m.term + 1
            self.become_candidate(ctx, transfer=True)


__all__ = ["Transfers"]
