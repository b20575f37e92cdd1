"""The stories of members and of handing over: sections 3.10 and 4 of the dissertation."""

from typing import Final

from engines.consensus.raft.checks import COMPLETENESS, LEADER_IN_TIME, STABILITY, STATE_MACHINE, UNDONE
from engines.consensus.raft.commands import (
    AddServer,
    ChangeJoint,
    LeaveJoint,
    Propose,
    RemoveServer,
    SetTiming,
    Transfer,
)
from engines.sim.faults import Crash, Cut, ExpireTimers, Isolate, Mend, Reconnect, Restart, Slow
from engines.sim.pattern import Scenario, Step
from engines.sim.script import at, say
from engines.units import US_PER_MS

ELECTION: Final = "election"


def _first(*servers: str) -> tuple[Step, ...]:
    """These servers time out first of all: one after the other, one takes the office."""
    return at(5, *(ExpireTimers((server,), ELECTION, 5 * US_PER_MS) for server in servers))


def _stands(ms: int, server: str) -> tuple[Step, ...]:
    """The election timer of a server runs out now."""
    return at(ms, ExpireTimers((server,), ELECTION, 0))


JOINT: Final = Scenario(
    name="joint",
    title="Three become five, and the leader is not one of them",
    summary="A joint configuration: both majorities must agree, then the new one rules alone, and its leader goes.",
    variant="raft",
    config=(("nodes", 3),),
    end_us=3_000 * US_PER_MS,
    script=(
        *_first("n1"),
        *say(900, "Three servers, n1 leads. They are to become five, n2 to n6, and n1 is to go. From three to five at "
                  "once, the old and the new majority need not share a server. So there is a time with both."),
        *at(910, ChangeJoint(("n4", "n5", "n6"), ("n1",))),
        *say(970, "The joint configuration is an entry, and whoever has it goes by it, committed or not. n2 and n3 "
                  "have it: with n1 that is all of the old side, and 2 of the 3 it takes of the new. The logs of n4, "
                  "n5 and n6 are still empty."),
        *say(1_075, "The new ones hold it as well: both sides agree, it is committed. At once n1 appends the new "
                    "configuration alone, and goes by it: it leads five servers and is none of them."),
        *say(1_300, "n1 led until the new configuration had committed, without counting itself, and then stepped down. "
                    "Nobody leads for an election timeout; a transfer before would have spared that."),
        *say(2_000, "One of the five leads now and needs 3 of 5. n1 keeps its log, knows that its removal has "
                    "committed, and does not stand any more."),
    ),
)  # fmt: skip

SNAPSHOT_JOINT: Final = Scenario(
    name="snapshot-joint",
    title="A snapshot that carries a joint configuration",
    summary="A laggard never saw the entry with the joint configuration. The snapshot says by whom it has to go.",
    variant="raft",
    config=(("clients", 0), ("compact", 6), ("factor", 1), ("nodes", 3), ("piece", 2), ("tail", 2)),
    end_us=4_000 * US_PER_MS,
    script=(
        *_first("n1"),
        *say(700, "Three servers, n1 leads. n3 is cut off. Meanwhile n4 and n5 are to come and n3 is to go, by a joint "
                  "configuration that is not left at once: somebody wants to look first."),
        *at(710, Isolate("n3"), ChangeJoint(("n4", "n5"), ("n3",), auto_leave=False)),
        *(step for number in range(10) for step in at(1_000 + 110 * number, Propose("add", "xyz"[number % 3], 1))),
        *say(2_300, "2 of the old 3 and 3 of the new 4 go on without n3, and drop their old entries for a snapshot. "
                    "The entry with the joint configuration is among those that went. n3 still goes by the three."),
        *at(2_310, Reconnect("n3")),
        *say(2_900, "n3 got the snapshot, and with it the configuration in force at its end: it goes by both sides "
                    "now, and has never seen the entry that says so. A snapshot without it would leave n3 with the "
                    "three."),
        *at(2_910, LeaveJoint()),
        *say(3_500, "Now the joint configuration is left: n1, n2, n4 and n5 remain, and n3 is out."),
    ),
)  # fmt: skip

TWO_SERVERS: Final = Scenario(
    name="two-servers",
    title="Only the removed server can finish its removal",
    summary="Of two servers the leader removes itself, and dies with the entry in its log alone. It must lead again.",
    variant="raft",
    config=(("nodes", 2), ("clients", 0)),
    end_us=3_500 * US_PER_MS,
    script=(
        *_first("n1"),
        *say(900, "Two servers, n1 leads, and n1 is to be removed. Its link to n2 breaks just before."),
        *at(910, Cut("n1", "n2"), RemoveServer("n1")),
        *at(1_000, Crash("n1")),
        *say(1_005, "n1 appended the configuration with n2 alone, and died with it: n2 knows nothing of it and still "
                    "goes by both. It needs 2 of 2."),
        *at(1_300, Mend("n1", "n2"), Restart("n1")),
        *say(1_310, "n1 and its link are back. By its own log n1 is no member. But it does not know that "
                    "committed, so it still stands for election: n2 cannot win, for its log is behind that of n1."),
        *say(2_300, "n1 was elected by n2 alone, for its own vote does not count. The entry committed on n2 alone, n1 "
                    "stepped down, and n2 leads itself. Had n1 kept quiet, both would have waited for ever."),
    ),
)  # fmt: skip

_OLD_BUG_WORLD: Final = (("nodes", 4), ("clients", 0), ("pre_vote", False), ("check_quorum", False))
_OLD_BUG_TO_REMOVAL: Final = (
    *at(0, SetTiming(50 * US_PER_MS, 5_000 * US_PER_MS, 6_000 * US_PER_MS)),
    *at(0, ExpireTimers(("n1", "n2", "n3", "n4"), ELECTION, 5_000 * US_PER_MS)),
    *at(5, ExpireTimers(("n1",), ELECTION, 0)),
    *say(600, "Four servers, n1 leads term 1. Timeouts are long, so that the story says who stands. n1 is to add n5. "
              "When it does, it reaches n5 only."),
    *at(610, AddServer("n5")),
    *at(640, *(Cut("n1", node) for node in ("n2", "n3", "n4")), *(Cut(node, "n1") for node in ("n2", "n3", "n4"))),
    *say(900, "n1 and n5 hold the configuration of five: 2 of the 3 it takes. Next, n2 is elected for term 2 by n3 and "
              "n4, who go by the four. n4 votes, and is cut off before the first entry of n2 comes."),
    *_stands(905, "n2"),
    *at(932, Cut("n2", "n4")),
)  # fmt: skip

_REMOVED: Final = (
    *at(5, ExpireTimers(("n4",), ELECTION, 5 * US_PER_MS)),
    *(step for number in range(4) for step in at(
        400 + 150 * number, *(Slow("n4", node, (60 + 70 * number) * US_PER_MS, 0) for node in ("n2", "n3")))),
    *say(990, "Figure 4.7 of the dissertation. n4 leads four servers. What it sends to n2 and n3 takes 270 ms, its "
              "heartbeats too, but they come. Next, n4 is to remove n1."),
    *at(1_000, RemoveServer("n1", "n4")),
)  # fmt: skip

REMOVED_DISTURBS: Final = Scenario(
    name="removed-disturbs",
    title="Figure 4.7: a removed server deposes a working leader, in spite of pre-vote",
    summary="It gets no heartbeats any more and asks for votes. Its log is as good as theirs: pre-vote says yes.",
    variant="raft",
    config=(("clients", 0), ("nodes", 4), ("refuse_while_led", False)),
    end_us=2_200 * US_PER_MS,
    breaks=(STABILITY,),
    script=(
        *_REMOVED,
        *say(1_260, "The removal is in the log of n4 alone. n1 heard nothing for an election timeout and asked n2 and "
                    "n3: their logs are no better than its own, so they said yes, though they hear n4. n1 goes on."),
        *say(1_700, "n1 leads term 2, and n4, which worked and was heard, does not. Its entry without n1 is gone. Pre-"
                    "vote asks about logs; what is missing is to refuse whoever asks while a leader is heard."),
    ),
)  # fmt: skip

REMOVED_REFUSED: Final = Scenario(
    name="removed-refused",
    title="Figure 4.7 with the rule: whoever hears a leader helps nobody to depose it",
    summary="The same removal, the same request, and a refusal: the leader finishes its change.",
    variant="raft",
    config=(("clients", 0), ("nodes", 4)),
    end_us=2_200 * US_PER_MS,
    script=(
        *_REMOVED,
        *say(1_260, "n1 asked as before, and n2 and n3 refused, whatever its log: each heard n4 within the shortest "
                    "election timeout. A transfer of leadership carries a flag that overrides this."),
        *say(1_700, "The removal came to n2 and n3 and committed: n2, n3 and n4 are left. n1 asks on and on, for "
                    "nobody tells it, and disturbs no one."),
    ),
)  # fmt: skip

BUG_2015: Final = Scenario(
    name="bug-2015",
    title="The bug of 2015: two changes of one configuration",
    summary="Single-server changes as in the dissertation: a new leader changes members at once, and an entry is lost.",
    variant="raft",
    config=(*_OLD_BUG_WORLD, ("own_commit_first", False)),
    end_us=2_600 * US_PER_MS,
    breaks=(COMPLETENESS, STATE_MACHINE, STABILITY, UNDONE),
    script=(
        *_OLD_BUG_TO_REMOVAL,
        *at(1_000, RemoveServer("n1", "n2")),
        *say(1_150, "n2 was asked to remove n1 and did so at once: n2, n3 and n4 are left, n2 and n3 hold it, 2 of 3 "
                    "commit it. n1 adds one, n2 removes one: {n1 n4 n5} and {n2 n3} share no server."),
        *at(1_160, *(Mend("n1", node) for node in ("n4",)), *(Mend(node, "n1") for node in ("n4",))),
        *_stands(1_300, "n1"),
        *say(1_500, "n1 went back to n4 and n5, and has 3 of the 5 it goes by: it leads term 3. It has never seen what "
                    "n2 committed. Leader Completeness is broken; press e."),
        *at(1_510, *(Mend("n1", node) for node in ("n2", "n3")), *(Mend(node, "n1") for node in ("n2", "n3")),
            Mend("n2", "n4")),
        *say(2_100, "n1 overwrites what n2 and n3 had committed and applied. The dissertation allowed this; the mend, "
                    "found in 2015, is one condition. Play the next story to see it."),
    ),
)  # fmt: skip

MEND_2015: Final = Scenario(
    name="mend-2015",
    title="The mend of 2015: first an entry of the own term",
    summary="The same with the condition: a leader changes members only after it has committed an entry of its term.",
    variant="raft",
    config=_OLD_BUG_WORLD,
    end_us=2_600 * US_PER_MS,
    script=(
        *_OLD_BUG_TO_REMOVAL,
        *at(1_000, RemoveServer("n1", "n2")),
        *say(1_100, "n2 refuses to remove n1: its first entry is on n2 and n3, 2 of the 3 it takes, and not committed. "
                    "A change of an earlier leader may be alive somewhere, and one is."),
        *at(1_110, Mend("n2", "n4")),
        *at(1_300, RemoveServer("n1", "n2")),
        *say(1_500, "n4 got it too, the entry of term 2 committed on n2, n3 and n4, and only then n1 was removed. Any "
                    "3 of the five that n1 goes by have one of these in it."),
        *at(1_510, Crash("n2"), Mend("n1", "n4"), Mend("n4", "n1")),
        *_stands(1_650, "n1"),
        *say(1_900, "n2 is dead now and n1 stands, with n5. n4 refuses: its log is ahead. n1 has 2 of the 3 votes it "
                    "needs. What was committed stays."),
    ),
)  # fmt: skip

FROM_APPLY: Final = Scenario(
    name="config-from-apply",
    title="Members that count from the commit on, and a restart that forgets it",
    summary="What was applied is in memory only. Two removed servers restart, go by the old members, elect a leader.",
    variant="raft",
    config=(("clients", 0), ("config_from_append", False), ("nodes", 3)),
    end_us=2_600 * US_PER_MS,
    breaks=(COMPLETENESS, STATE_MACHINE, STABILITY, UNDONE),
    script=(
        *_first("n1"),
        *say(600, "Three servers, n1 leads. The rule that a configuration counts from its append on is off: here it "
                  "counts once it is committed and applied. n3 is to go, then n2."),
        *at(610, RemoveServer("n3")),
        *at(900, RemoveServer("n2")),
        *at(1_300, Propose("set", "x", 1, "n1", insist=False)),
        *say(1_700, "n1 alone is left, and committed x=1 alone, as it may. n2 and n3 are out and still run. Which "
                    "entries are committed is known in memory only; a restarted server learns it anew."),
        *at(1_710, Crash("n2"), Crash("n3")),
        *at(1_720, Restart("n2"), Restart("n3")),
        *_stands(1_800, "n2"),
        *say(1_950, "n2 and n3 came back, did not know that anything had committed, and so went by the first three: "
                    "2 of 3 elected n2 for term 2. n1 obeyed, and deleted x=1, which it had committed and applied."),
        *say(2_400, "etcd lets configurations count from apply on as well, but keeps on disk what was applied: the "
                    "option config from, apply, is that. With the rule on, n2 goes by the newest in its log, n1 "
                    "alone, and cannot win without it."),
    ),
)  # fmt: skip

LEARNER: Final = Scenario(
    name="learner",
    title="A learner catches up, and counts only when it is promoted",
    summary="A new server gets the log as a learner: it raises no quorum and helps to reach none, until it is a voter.",
    variant="raft",
    config=(("nodes", 3),),
    end_us=4_200 * US_PER_MS,
    script=(
        *_first("n1"),
        *say(900, "Three servers, n1 leads. n4 is new, its log is empty. As a voter it would raise the quorum to 3 of "
                  "4 before it can help to reach it. So it comes in as a learner."),
        *at(910, AddServer("n4", learner=True)),
        *say(1_300, "n4 has the log and gets every entry. The quorum is still 2 of 3: a learner does not count, and "
                    "does not stand for election."),
        *at(1_310, Crash("n2"), Crash("n3")),
        *at(1_320, Propose("set", "q", 1, "n1", insist=False)),
        *say(1_500, "n2 and n3 are down. q=1 is on n1 and on the learner, and does not commit: of the 2 copies it "
                    "takes there is 1 that counts."),
        *at(1_510, Restart("n2"), Restart("n3")),
        *say(2_600, "n2 and n3 are back. Next, n4 is to become a voter. It has everything, so one round is enough."),
        *at(2_610, AddServer("n4")),
        *say(3_000, "Four voters, and a quorum of 3. Four survive no more failures than three do: one. That is why "
                    "clusters have odd sizes, and why four is a step on the way to five."),
    ),
)  # fmt: skip

_PROMOTION: Final = (
    *_first("n1"),
    *at(600, AddServer("n3", learner=True)),
    *say(1_200, "Two voters, n1 leads, and n3 is a learner. It is promoted next. The word of it will not reach n3."),
    *at(1_210, AddServer("n3")),
    *at(1_255, Cut("n1", "n3")),
    *at(1_345, Crash("n1")),
    *say(1_350, "n1 and n2 hold the configuration of three, 2 of 3: committed. n1 is dead. n2 needs 2 of 3 votes, its "
                "own and that of n3. But n3 still takes itself for a learner."),
)  # fmt: skip

LEARNER_VOTES: Final = Scenario(
    name="learner-votes",
    title="The vote of a learner saves the cluster",
    summary="A learner does not know that it was promoted. It votes when asked, so there is a leader.",
    variant="raft",
    config=(("nodes", 2), ("clients", 0)),
    end_us=3_000 * US_PER_MS,
    script=(
        *_PROMOTION,
        *say(2_000, "n3 was asked and voted, learner or not: whoever asks knows better who counts. n2 leads, and told "
                    "n3 that it is a voter."),
    ),
)  # fmt: skip

LEARNER_REFUSES: Final = Scenario(
    name="learner-refuses",
    title="A learner that refuses to vote: nobody can ever lead",
    summary="The same with the rule off: the only vote that is missing is that of a server that thinks it has none.",
    variant="raft",
    config=(("nodes", 2), ("clients", 0), ("learners_vote", False)),
    end_us=8_500 * US_PER_MS,
    breaks=(LEADER_IN_TIME,),
    script=(
        *_PROMOTION,
        *say(3_000, "n3 refuses: learners do not vote, it thinks. n2 asks again and again and gets 1 of the 2 it "
                    "needs. Two of three voters are up and can talk."),
        *say(8_000, "Nothing is lost, and nothing goes on: after 20 election timeouts the check of progress is red. "
                    "Press b to switch learners vote on, and r to play it with the rule."),
    ),
)  # fmt: skip

TRANSFER: Final = Scenario(
    name="transfer",
    title="A leader hands over under load",
    summary="It takes no more commands, brings its successor to the end of the log, and tells it to stand at once.",
    variant="raft",
    config=(("workload", "busy"),),
    end_us=2_600 * US_PER_MS,
    script=(
        *_first("n1"),
        *say(1_200, "n1 leads five servers under load and is to be stopped for maintenance. A crash would cost an "
                    "election timeout of silence. It hands over to n3 instead."),
        *at(1_210, Transfer("n3")),
        *say(1_275, "n1 takes no commands now, and has told n3 to stand: n3 holds its whole log. n3 does not wait and "
                    "asks no pre-vote, and a flag lets voters answer though they hear n1."),
        *say(1_500, "n3 leads term 2. The clients had to ask again, once. No committed entry can be missing: n3 was "
                    "told to stand only when it had all of them, and its voters looked."),
    ),
)  # fmt: skip

TRANSFER_ABORTED: Final = Scenario(
    name="transfer-aborted",
    title="The successor dies, and the leader goes on",
    summary="A transfer that leads to no new leader within an election timeout is given up, and commands are taken.",
    variant="raft",
    config=(("workload", "busy"),),
    end_us=2_800 * US_PER_MS,
    script=(
        *_first("n1"),
        *say(1_200, "n1 is to hand over to n3 again. This time n3 dies just before the word to stand reaches it."),
        *at(1_210, Transfer("n3"), Crash("n3")),
        *say(1_400, "n1 waits and takes no commands. It does not know that n3 is dead: silence looks the same as a "
                    "slow link. It waits for one election timeout, 300 ms."),
        *say(1_700, "Nobody took over, so n1 goes on in the same term, and takes commands again. Handing over can "
                    "fail; it cannot harm."),
        *at(1_710, Restart("n3")),
    ),
)  # fmt: skip

SCENARIOS: Final = (
    LEARNER, JOINT, SNAPSHOT_JOINT, TWO_SERVERS, REMOVED_DISTURBS, REMOVED_REFUSED, BUG_2015, MEND_2015, FROM_APPLY,
    LEARNER_VOTES, LEARNER_REFUSES, TRANSFER, TRANSFER_ABORTED,
)  # fmt: skip

__all__ = ["SCENARIOS"]
