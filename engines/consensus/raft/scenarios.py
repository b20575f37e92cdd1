"""The stories of Raft, as scripts: commands at their times, and what a lecturer says in between.

A script names servers by their role where it can (``leader``, ``f1``): names are resolved when a line is played.
Times leave room: nothing here depends on a message winning a race.
"""

from typing import Final

from engines.consensus.raft.checks import COMPLETENESS, ELECTION_SAFETY, STABILITY, STATE_MACHINE, TERMS, UNDONE
from engines.consensus.raft.commands import Propose, SetTiming
from engines.sim.faults import (
    Clog,
    Crash,
    Cut,
    ExpireTimers,
    Heal,
    Isolate,
    Mend,
    Partition,
    Reconnect,
    Restart,
    Unclog,
)
from engines.sim.pattern import Config, Scenario, Step
from engines.sim.script import at, say
from engines.units import US_PER_MS

ELECTION: Final = "election"
ALL_FIVE: Final = ("n1", "n2", "n3", "n4", "n5")


def _once(key: str, value: int, node: str) -> Propose:
    """A client that asks one server, once."""
    return Propose("set", key, value, node, insist=False)


def _campaign(ms: int, node: str) -> Step:
    """The election timer of one server runs out now."""
    return Step(ms * US_PER_MS, ExpireTimers((node,), ELECTION, 0))


def _quiet(config: Config = ()) -> Config:
    """A cluster in which only the script asks for anything."""
    return (("clients", 0), *config)


FIRST_ELECTION: Final = Scenario(
    name="election",
    title="First election, a crash, the next election",
    summary="Five servers start as followers. One times out first and is elected; it dies; the others notice.",
    variant="raft",
    end_us=3_500 * US_PER_MS,
    script=(
        *say(1, "Five servers, all followers. Each waits for a leader, for a time it drew between 150 and 300 ms. "
                "Whoever drew the shortest asks first."),
        *say(700, "It has a leader: 3 of 5 votes are enough. Its heartbeats reset every other timer. "
                  "Next, we kill it."),
        *at(1_200, Crash("leader")),
        *say(1_205, "Nobody knows yet. A crash is only silence, and silence is only a timeout."),
        *say(1_500, "A new leader, in a higher term, with every committed entry: a voter refuses a candidate whose "
                    "log is behind its own. Next, the dead server comes back."),
        *at(2_300, Restart("n1"), Restart("n2"), Restart("n3"), Restart("n4"), Restart("n5")),
        *say(2_500, "It came back with its term, its vote and its log from disk, found a higher term, and follows. "
                    "What it had missed was sent to it."),
    ),
)  # fmt: skip

SPLIT_VOTE: Final = Scenario(
    name="split-vote",
    title="Split vote: why timeouts are random",
    summary="Four followers time out at one moment, each votes for itself, nobody wins; random timeouts end it.",
    variant="raft",
    config=(("pre_vote", False),),
    end_us=2_500 * US_PER_MS,
    script=(
        *say(1_000, "A leader and four followers. It is killed, and all four remaining timers are set to run out "
                    "at the same moment. Pre-vote is off, so each candidacy costs a term."),
        *at(1_010, Crash("leader")),
        *at(1_060, ExpireTimers(ALL_FIVE, ELECTION, 40 * US_PER_MS)),
        *say(1_165, "Four candidates in one term, four servers that voted for themselves: one vote each, three are "
                    "needed. Nobody can win this term."),
        *say(1_450, "Each drew a new timeout between 150 and 300 ms. Sooner or later one is alone long enough to be "
                    "elected: randomness is the cure, no clock and no ranking is needed."),
    ),
)  # fmt: skip

MINORITY_LEADER: Final = Scenario(
    name="minority-leader",
    title="A leader in the minority keeps accepting and never commits",
    summary="With check-quorum off, a cut-off leader takes proposals that can never commit; healing erases them.",
    variant="raft",
    config=_quiet((("check_quorum", False),)),
    end_us=3_800 * US_PER_MS,
    script=(
        *at(800, Propose("set", "x", 1, "leader")),
        *say(1_200, "x=1 is committed everywhere. Next, the leader is left with one follower, on the smaller side of a "
                    "partition. Check-quorum is off: nothing tells it."),
        *at(1_210, Partition((("leader", "f1"), ("f2", "f3", "f4")))),
        *at(1_220, _once("x", 2, "leader")),
        *say(2_230, "The old leader took x=2 and has it on 2 of 5. It will never have 3. Meanwhile the other side "
                    "elects a leader of its own: two leaders, but in two terms."),
        *at(2_600, _once("x", 3, "leader")),
        *say(2_700, "The majority committed x=3. The old leader still believes, but whoever asked it for x=2 was "
                    "never told that it happened. That silence is what keeps the promise."),
        *at(2_710, Heal()),
        *say(3_000, "Healed: the old leader saw the higher term and stepped down; its x=2, never committed, was "
                    "overwritten by what the majority had agreed on."),
    ),
)  # fmt: skip

CHECK_QUORUM: Final = Scenario(
    name="check-quorum",
    title="The same partition with check-quorum",
    summary="A leader that hears no majority for an election timeout steps down instead of deceiving its clients.",
    variant="raft",
    config=_quiet(),
    end_us=3_800 * US_PER_MS,
    script=(
        *at(800, Propose("set", "x", 1, "leader")),
        *say(1_200, "The same cut as before, with check-quorum on: a leader counts who answered it within 300 ms."),
        *at(1_210, Partition((("leader", "f1"), ("f2", "f3", "f4")))),
        *at(1_220, Propose("set", "x", 2, "leader")),
        *say(1_800, "It heard 2 of 5, needed 3, and stepped down by itself. Clients that reach it are sent on "
                    "instead of waiting for an answer that cannot come."),
        *at(2_600, Heal()),
        *say(2_900, "Healed. The minority could not raise its term in the meantime: pre-vote never found a majority, "
                    "so nobody is deposed when it comes back."),
    ),
)  # fmt: skip

FIGURE_7: Final = Scenario(
    name="figure-7",
    title="Figure 7: six followers, six kinds of damage, one repair",
    summary="The leader of term 8 meets missing, extra and conflicting entries, and makes every log equal to its own.",
    variant="raft",
    config=(("logs", "figure-7"), ("clients", 0), ("noop", False)),
    end_us=2_000 * US_PER_MS,
    script=(
        *say(1, "Figure 7 of the paper. n1 is about to lead term 8. n2 and n3 lack entries, n4 and n5 have extra "
                "ones, n6 has two of term 4 that nobody else got, n7 has terms 2 and 3, which nobody else saw."),
        *at(5, ExpireTimers(("n1",), ELECTION, 10 * US_PER_MS)),
        *say(200, "Elected: n2, n3, n6 and n7 find its log at least as up-to-date as theirs. Now every follower that "
                  "refuses says where its log went wrong, and n1 goes back a whole term at a time."),
        *at(700, Propose("set", "x", 8, "leader")),
        *say(1_000, "All seven logs are n1's log, and the command of term 8 committed everything before it. What was "
                    "deleted had never been on a majority."),
    ),
)  # fmt: skip

_FIGURE_8_WORLD: Final = (("clients", 0), ("noop", False), ("pre_vote", False), ("check_quorum", False))
_FIGURE_8_TO_C: Final = (
    *at(0, SetTiming(50 * US_PER_MS, 5_000 * US_PER_MS, 6_000 * US_PER_MS)),
    *at(0, ExpireTimers(ALL_FIVE, ELECTION, 5_000 * US_PER_MS)),
    *say(1, "Figure 8 of the paper. Timeouts are long here: who campaigns, and when, is the story's choice. "
            "(a): n1 is elected in term 1 and gets an entry, x=1, through to n2 only."),
    _campaign(5, "n1"),
    *at(200, *(Cut("n1", node) for node in ("n3", "n4", "n5"))),
    *at(210, _once("x", 1, "n1")),
    *at(310, Crash("n1")),
    *say(311, "n1 and n2 hold x=1, two of five: not committed. n1 is dead. (b): n5 is elected by n3 and n4, who never "
              "saw x=1, and takes another entry, x=5, for itself alone."),
    *at(350, *(Mend("n1", node) for node in ("n3", "n4", "n5")), Isolate("n2")),
    _campaign(355, "n5"),
    *at(500, Cut("n5", "n3"), Cut("n5", "n4")),
    *at(510, _once("x", 5, "n5")),
    *at(600, Crash("n5")),
    *say(601, "n5 is dead too, with x=5 of term 2 on its disk. (c): n1 is back. n2 and n3 elect it, in a term that n3 "
              "has not voted in, and it goes on replicating its old x=1."),
    *at(650, Mend("n5", "n3"), Mend("n5", "n4"), Reconnect("n2"), Isolate("n4"), Restart("n1")),
    _campaign(655, "n1"),
    _campaign(755, "n1"),
)  # fmt: skip
_FIGURE_8_D: Final = (
    *at(1_110, Crash("n1")),
    *say(1_160, "(d): n1 dies again, n5 comes back. The last term in its log is higher than in anyone else's: n2, n3 "
                "and n4 must vote for it."),
    *at(1_165, Reconnect("n4"), Restart("n5")),
    _campaign(1_170, "n5"),
    _campaign(1_270, "n5"),
)  # fmt: skip

FIGURE_8: Final = Scenario(
    name="figure-8",
    title="Figure 8: an entry on a majority is overwritten, and why that is allowed",
    summary="An entry of an old term reaches a majority and is erased: the leader had rightly not committed it.",
    variant="raft",
    config=_FIGURE_8_WORLD,
    end_us=2_200 * US_PER_MS,
    script=(
        *_FIGURE_8_TO_C,
        *say(1_100, "x=1 is now on n1, n2 and n3: a majority. Is it committed? Its term is old. Counting replicas "
                    "says yes; section 5.4.2 says: not before an entry of the leader's own term is."),
        *_FIGURE_8_D,
        *at(1_510, _once("x", 6, "n5")),
        *say(1_650, "n5 overwrote x=1 on n2 and n3. No promise was broken: n1 never said that x=1 was committed. "
                    "Press b to switch current term commit off, then r: the same story without the rule.",
             broken="n5 overwrote x=1, which n1 had committed and applied: without the rule a promise is broken. "
                    "Press e for the witness. b switches the rule on again, and r plays the story with it."),
    ),
)  # fmt: skip

FIGURE_8_BROKEN: Final = Scenario(
    name="figure-8-broken",
    title="Figure 8 without the rule: State Machine Safety breaks",
    summary="Commit by counting replicas of an old term, and two servers apply different commands at one index.",
    variant="raft",
    config=(*_FIGURE_8_WORLD, ("current_term_commit", False)),
    end_us=2_000 * US_PER_MS,
    breaks=(COMPLETENESS, STATE_MACHINE, UNDONE),
    script=(
        *_FIGURE_8_TO_C,
        *say(1_100, "x=1 is now on n1, n2 and n3. The rule is off, so n1 counts replicas whatever their term: a "
                    "majority has x=1, and n1 commits and applies it. Section 5.4.2 forbids just that."),
        *_FIGURE_8_D,
        *say(1_330, "The new leader lacks an entry that was committed: Leader Completeness is broken. Press e."),
        *say(1_420, "And now State Machine Safety: n1, n2 and n3 applied x=1 at index 1, and n5 applies x=5 there. "
                    "Two histories, from one missing condition."),
    ),
)  # fmt: skip

FORGOTTEN_VOTE: Final = Scenario(
    name="forgotten-vote",
    title="A vote that is not on disk is given twice",
    summary="With vote persistence off, a crash lets one server vote for two candidates of one term: two leaders.",
    variant="raft",
    config=(("clients", 0), ("noop", False), ("persist_vote", False), ("pre_vote", False), ("nodes", 3)),
    end_us=1_500 * US_PER_MS,
    breaks=(TERMS, ELECTION_SAFETY),
    script=(
        *say(1, "Three servers; the rule that a vote is written to disk before it is given is off. Next, n1 and n3 are "
                "cut from each other, n3's requests to n2 are held up on the way, and both campaign for term 1."),
        *at(5, Cut("n1", "n3"), Cut("n3", "n1"), Clog("n3", "n2")),
        *at(10, ExpireTimers(("n1", "n3"), ELECTION, 10 * US_PER_MS)),
        *at(22, ExpireTimers(("n3",), ELECTION, 1_400 * US_PER_MS)),
        *at(120, Crash("n2")),
        *say(121, "n2 voted for n1, and n1 leads term 1 with 2 of 3 votes. Then n2 crashed. Its vote was only in "
                  "memory: gone. Next, n2 restarts, cut from n1."),
        *at(122, Cut("n1", "n2"), Restart("n2")),
        *say(200, "n2 is back; the link from n1 is cut. It knows that this is term 1, and believes it never voted. "
                  "Next, n3's request of term 1, held up until now, arrives."),
        *at(201, Unclog("n3", "n2")),
        *say(300, "Two leaders in term 1. Each has a majority, and n2 is in both of them. Press e for the witness."),
    ),
)  # fmt: skip

_DISRUPTION: Final = (
    *say(900, "A working cluster. Next, one follower will be cut off from all others: it will hear no leader, "
              "and try to be elected."),
    *at(910, Isolate("f4")),
    *say(3_500, "It has been alone for two and a half seconds. Look at its term. The others committed entries it does "
                "not have: it cannot win any election. Next, it comes back."),
    *at(3_510, Heal()),
)  # fmt: skip

DISRUPTIVE: Final = Scenario(
    name="disruptive-server",
    title="A server that rejoins deposes a healthy leader",
    summary="Without pre-vote a cut-off server raises its term again and again; its return forces an election.",
    variant="raft",
    config=(("pre_vote", False),),
    end_us=5_000 * US_PER_MS,
    breaks=(STABILITY,),
    script=(
        *_DISRUPTION,
        *say(4_000, "The leader met a higher term and had to step down, for a server that could not replace it. "
                    "Nothing was lost, but the cluster stood still. Press e; then play the same with pre-vote."),
    ),
)  # fmt: skip

PRE_VOTE: Final = Scenario(
    name="pre-vote",
    title="The same with pre-vote: it comes back quietly",
    summary="A server that cannot win never raises its term, because it asks before it starts an election.",
    variant="raft",
    end_us=5_000 * US_PER_MS,
    script=(
        *_DISRUPTION,
        *say(4_000, "With pre-vote a server asks first whether it could win, here every 150 to 300 ms. Nobody "
                    "answered, so its term stayed at 1. The leader was not disturbed; the log of n5 was completed."),
    ),
)  # fmt: skip

ONE_WAY: Final = Scenario(
    name="one-way-cut",
    title="A leader that is heard but hears nobody",
    summary="All links to the leader are cut, those from it work: followers stay loyal, nothing commits.",
    variant="raft",
    end_us=3_200 * US_PER_MS,
    script=(
        *say(900, "Links have two directions. We cut only the way back: every follower hears the leader's heartbeats, "
                  "the leader hears nobody."),
        *at(910, *(Cut(f"f{i}", "leader") for i in range(1, 5))),
        *say(1_050, "The followers' timers are reset by every heartbeat, so none of them campaigns. Entries reach "
                    "all of them, none commits: no confirmation arrives. Without check-quorum this lasts for ever."),
        *say(1_800, "Check-quorum: the leader heard 1 of 5 in 300 ms, itself, and stepped down. Its heartbeats "
                    "stopped, and the others elected a leader they can talk to."),
        *at(2_000, Heal()),
        *say(2_300, "Healed. The old leader follows. Its uncommitted entries survived: the new leader had received "
                    "them too, and committed them with an entry of its own term. Uncommitted means no promise, not "
                    "no future."),
    ),
)  # fmt: skip

SCENARIOS: Final = (
    FIRST_ELECTION, SPLIT_VOTE, MINORITY_LEADER, CHECK_QUORUM, FIGURE_7, FIGURE_8, FIGURE_8_BROKEN,
    FORGOTTEN_VOTE, DISRUPTIVE, PRE_VOTE, ONE_WAY,
)  # fmt: skip
