"""The journal's sentences about members and about handing over."""

from typing import Any, Final, get_args

from engines import units
from engines.consensus.raft import change_events as e
from engines.consensus.raft import messages as m
from engines.consensus.raft.checks import CATCHES_UP, LEADER_IN_TIME, ONE_CHANGE, OVERLAP
from engines.consensus.raft.messages import Refusal
from engines.consensus.raft.progress import ROUNDS_MAX, Round
from engines.consensus.raft.quorum import Change
from tui.canvas import Ink
from tui.panels.consensus.members import majorities


def changes(what: tuple[Change, ...], joint: bool = False) -> str:
    """``+n6 -n1``; nothing named: the way out of a joint configuration."""
    if not what:
        return "to leave the joint configuration"
    return f"{' '.join(map(str, what))}{' by a joint configuration' if joint else ''}"


def message(what: Any) -> str:
    """A message about members or leadership in a few words."""
    match what:
        case m.ChangeRequest(changes=asked, joint=joint):
            return f"request {changes(asked, joint)}"
        case m.ChangeReply(why=why):
            return "the change is committed" if why is None else f"no change: {DENIED[why]}"
        case m.TransferRequest(to=to):
            return f"request to hand over to {to}"
        case m.TransferReply(to=to, why=why):
            return f"{to} takes over" if why is None else f"{to} does not take over"
        case m.TimeoutNow(term=term):
            return f"TimeoutNow t{term}"
    raise AssertionError(f"no words for {what!r}")


DENIED: Final[dict[Refusal, str]] = {
    Refusal.NOT_LEADER: "it does not lead",
    Refusal.EARLY: "it has committed nothing in its term yet, and an earlier change may be alive (2015)",
    Refusal.TRANSFERRING: "it is handing its leadership over",
    Refusal.IMPOSSIBLE: "the configuration does not allow it",
    Refusal.TIMEOUT: "the new server did not catch up",
    Refusal.NO_VOTER: "only a voter can lead",
    Refusal.CHANGED: "it is no voter any more",
    Refusal.DEPOSED: "it was deposed on the way: whether it happens is unknown",
    Refusal.PENDING: "another change is under way, and there is one at a time",
}  # fmt: skip


def denied(what: e.ChangeDenied) -> str:
    """Why a change is not made."""
    asked = changes(what.changes)
    match what.why:
        case Refusal.PENDING if what.entry:
            why = f"{what.configuration}, entry {what.entry}, is not committed yet, and there is one change at a time"
        case Refusal.IMPOSSIBLE:
            why = f"{what.configuration} rules and does not allow it"
        case Refusal.TIMEOUT:
            why = f"in {ROUNDS_MAX} rounds no last one was short enough: it would only hold up commits"
        case _:
            why = DENIED[what.why]
    return f"refuses {what.src} {asked}: {why}"


def of_members(node: str, what: e.MembershipEvent) -> tuple[str, Ink]:
    """A sentence about the configuration, and its ink."""
    match what:
        case e.ServerStarted():
            return "starts with an empty log, and is no member: it waits for a leader to write to it", "follower"
        case e.ChangeAsked(target=target, changes=asked, joint=joint):
            return f"asks {target} for {changes(asked, joint)}" if asked else f"asks {target} {changes(())}", "you"
        case e.ChangeDenied():
            return denied(what), "warn"
        case e.ChangeAnswered(src=src, why=None):
            return f"is told by {src} that the change is committed", "you"
        case e.ChangeAnswered(src=src, why=why, leader=leader):
            assert why is not None
            ask = f"; ask {leader}" if leader and leader != src else ""
            return f"is told by {src}: no change, {DENIED[why]}{ask}", "warn"
        case e.CatchUpBegan(server=server, goal=goal):
            return (f"brings {server} up to date before it counts: round 1, up to entry {goal}. It would hold commits "
                    f"up otherwise", "leader")  # fmt: skip
        case e.RoundEnded():
            return _round(what)
        case e.CatchUpFailed(server=server, silent_us=silent):
            return f"gives {server} up: no answer for {units.span(silent)}. It is not let in", "warn"
        case e.ConfigurationAppended(entry=entry, after=after, at_once=at_once):
            when = "it rules at once" if at_once else "it rules once it is committed"
            return f"appends {after} as entry {entry}: {when}; it takes {majorities(after)}", "leader"
        case e.ConfigurationAdopted(entry=entry, after=after):
            mine = "" if after.votes(node) else "; it is no voter in it"
            return f"goes by {after} from now on, entry {entry}{mine}", "follower"
        case e.ConfigurationFellBack(entry=entry, before=before, after=after):
            return f"lost entry {entry} with {before}: goes by {after} again", "warn"
        case e.ConfigurationCommitted(entry=entry, configuration=configuration):
            then = ": both sides have it, so the old one can be left" if configuration.joint else ": the change is done"
            return f"{configuration}, entry {entry}, is committed{then}", "good"


def _round(what: e.RoundEnded) -> tuple[str, Ink]:
    took = f"round {what.number} took {units.span(what.took_us)}"
    match what.how:
        case Round.CAUGHT_UP:
            return f"{what.server} has caught up: {took}, less than a timeout of {units.span(what.within_us)}", "leader"
        case Round.TOO_SLOW:
            return f"{what.server} is too slow: {took}, and ten are enough. It is not let in", "warn"
        case Round.NEXT | Round.GOING:
            more = what.last - what.goal
            return f"{took} for {what.server}, and {more} more came meanwhile: round {what.number + 1}", "leader"


def of_transfer(what: e.TransferEvent) -> tuple[str, Ink]:
    """A sentence about handing over, and its ink."""
    match what:
        case e.TransferAsked(target=target, to=to):
            return f"asks {target} to hand its leadership to {to}", "you"
        case e.TransferBegan(to=to, match=match, last=last, within_us=within):
            lacks = "one entry" if last - match == 1 else f"{last - match} entries"
            gap = f"{to} gets what it lacks first, {lacks}" if match < last else f"{to} has all it has"
            return f"hands over to {to}: takes no more commands, {gap}; gives up after {units.span(within)}", "leader"
        case e.TransferDenied(src=src, to=to, why=why):
            return f"refuses {src} the transfer to {to}: {DENIED[why]}", "warn"
        case e.TimeoutNowSent(to=to, last=last):
            return f"{to} holds the log up to {last}, its end: tells it to stand for election now", "leader"
        case e.TransferAborted(to=to, why=why, after_us=after):
            because = DENIED[why] if why is not Refusal.TIMEOUT else "no new leader appeared"
            gives_up = f"gives the transfer to {to} up after {units.span(after)}"
            return f"{gives_up}: {because}. It takes commands again", "warn"
        case e.HandedOver(to=to, term=term):
            return f"handed over: {to} stands in term {term}", "good"
        case e.ToldToStand(src=src, term=term):
            return (f"is told by {src} to take over: stands for term {term} at once, without pre-vote, and voters may "
                    f"not ignore it", "candidate")  # fmt: skip
        case e.TransferAnswered(src=src, to=to, why=None):
            return f"is told by {src} that {to} takes over", "you"
        case e.TransferAnswered(src=src, to=to, why=why):
            assert why is not None
            because = DENIED[why] if why is not Refusal.TIMEOUT else "it did not take over in time"
            return f"is told by {src}: {to} does not take over, {because}", "warn"
        case e.Held(src=src, serial=serial, to=to):
            stays = f"it hands over to {to}" if to else "it is no voter any more"
            return f"does not take #{serial} of {src}: {stays}", "follower"


LESSONS: Final[dict[str, tuple[str, ...]]] = {
    "membership": (
        "Rule: a configuration is an entry of the log, and the newest one in a server's log rules it from the moment "
        "it is appended, committed or not. If the entry is deleted, the one before it rules again.",
        "Why not wait for the commit: the change itself is then committed by the new majority, which so has the entry. "
        "Whoever counts by the old one and lacks the entry cannot win a vote of the others.",
        "One voter at a time: any majority of the old shares a server with any majority of the new. More at once need "
        "a joint configuration, in which both majorities must agree.",
        "Source: dissertation, sections 4.1 and 4.3.",
    ),
    "one_change": (
        "Rule: there is one change at a time. A leader takes the next only after the former has committed, and only "
        "once it has committed an entry of its own term.",
        "Why: two changes of one configuration, made by two leaders that do not know of each other, can have "
        "majorities without a common server. The second half of the rule was found missing in 2015, a year after the "
        "dissertation. Play the scenario with the rule off.",
        "Source: dissertation, section 4.1; raft-dev, 2015: bug in single-server membership changes.",
    ),
    "catch_up": (
        "Rule: a new server gets the log before it counts, in rounds. A round sends all that the leader had at its "
        "start. When one takes less than an election timeout, the server is let in; after ten it is turned away.",
        "Why: a voter with an empty log raises the majority and cannot help to reach it: until it has caught up the "
        "cluster may commit nothing.",
        "A learner is the same without an end: it gets everything and counts for nothing. But it votes when asked, "
        "since its promotion may have committed without its knowledge.",
        "Source: dissertation, section 4.2.1.",
    ),
    "joint": (
        "Rule: while a configuration is joint, an election and a commitment need a majority of the old voters and one "
        "of the new. Once the joint entry has committed, the leader appends the new configuration alone.",
        "Why: no moment exists at which the old or the new could decide alone, so no two leaders can be elected in "
        "one term. Any server of either side may lead meanwhile.",
        "A leader that is not part of the new configuration leads until that has committed, without counting itself, "
        "and then steps down.",
        "The new voters count from the first moment. Let them catch up before, as learners (~n6 ~n7), and promote them "
        "together (+n6 +n7), as users of etcd do.",
        "Source: dissertation, section 4.3.",
    ),
    "transfer": (
        "Rule: a leader that hands over takes no more commands, brings its successor to the end of its log, and tells "
        "it to stand at once. If no new leader appears within an election timeout it goes on as before.",
        "Why: a planned stop need not cost an election timeout of silence. The successor has the whole log, so it "
        "wins; a flag in its request overrides the rule that whoever hears a leader ignores a candidate.",
        "Source: dissertation, section 3.10.",
    ),
}  # fmt: skip

OF_KIND: Final[dict[type, str]] = {
    **dict.fromkeys(get_args(e.MembershipEvent), "membership"), **dict.fromkeys(get_args(e.TransferEvent), "transfer"),
    e.ServerStarted: "catch_up", e.ChangeDenied: "one_change", e.CatchUpBegan: "catch_up", e.RoundEnded: "catch_up",
    e.CatchUpFailed: "catch_up", e.ConfigurationCommitted: "joint",
}  # fmt: skip
"""Which lesson explains which kind of event."""

IF_BROKEN: Final = {
    ONE_CHANGE: "Two changes that are both under way may each have a majority without a server of the other's: one "
                "change, commit it, then the next (dissertation 4.1).",
    OVERLAP: "Two majorities without a common server can elect two leaders of one term and commit two entries at one "
             "index. One voter at a time, or a joint configuration (dissertation 4.1, 4.3).",
    LEADER_IN_TIME: "Nothing is lost, and nothing goes on: a cluster whose majority can talk should find a leader. "
                    "Safety says nothing about it, people who wait do (paper 5.6).",
    CATCHES_UP: "A follower that never catches up is a failure that nobody sees, until one more server fails.",
}  # fmt: skip
