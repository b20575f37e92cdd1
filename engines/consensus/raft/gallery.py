"""Bugs that real engines had in 2025 and 2026, each as a run that breaks and then its cure.

Every story names the project and the number of the issue. A rule of this cluster stands for what was missing there; it
is off at first, a check finds what came of it, and then the rule is switched on and the same is done again. (A check
that has failed stays red: it is a fact about the run.)
"""

from typing import Final

from engines.consensus.raft.checks import (
    CATCHES_UP,
    COMPLETENESS,
    DURABLE,
    LEADER_IN_TIME,
    LOG_MATCHING,
    QUIET,
    STATE_MACHINE,
)
from engines.consensus.raft.commands import AddServer, Propose, RemoveServer, SetRule
from engines.sim.faults import (
    Crash,
    Cut,
    Duplicate,
    ExpireTimers,
    Heal,
    Isolate,
    Mend,
    Reconnect,
    Restart,
    Slow,
    SlowDisk,
)
from engines.sim.pattern import Scenario, Step
from engines.sim.script import at, say
from engines.units import US_PER_MS

ELECTION: Final = "election"


def _first(server: str) -> tuple[Step, ...]:
    """This server times out first of all and takes the office."""
    return at(5, ExpireTimers((server,), ELECTION, 5 * US_PER_MS))


def _once(key: str, value: int, server: str) -> Propose:
    """A client that asks one server, once."""
    return Propose("set", key, value, server, insist=False)


HASHI_697: Final = Scenario(
    name="hashi-697",
    title="hashicorp/raft #697: a snapshot beside an entry of another term",
    summary="The follower takes the snapshot and keeps its own entry at that index: all that follows is refused.",
    variant="raft",
    config=(("check_quorum", False), ("clients", 0), ("compact", 6), ("factor", 1), ("nodes", 3), ("piece", 2),
            ("snapshot_replaces_log", False), ("tail", 2)),
    end_us=12_500 * US_PER_MS,
    breaks=(CATCHES_UP,),
    script=(
        *_first("n1"),
        *say(590, "Issue 697 of hashicorp/raft. n1 leads term 1 and is cut off. It takes command after command and "
                  "commits none, while n2 and n3 go on without it."),
        *at(600, Isolate("n1")),
        *(step for number in range(14) for step in at(610 + 25 * number, _once("lost", number, "n1"))),
        *(step for number in range(14) for step in at(1_600 + 100 * number, _once("kept", number, "leader"))),
        *say(3_200, "n2 and n3 dropped the entries that n1 lacks, for a snapshot. So n1 will be sent the snapshot. "
                    "Its own log has entries of term 1 at that index and behind it: they were never committed."),
        *at(3_210, Reconnect("n1")),
        *say(4_200, "n1 took the snapshot and kept its own entry at the last index, of another term. What follows "
                    "builds on the right one, so n1 refuses it; the entry itself is gone, or n1 holds it for "
                    "committed. They go round in circles."),
        *say(10_500, "It never ends. The check that followers catch up is red: no promise of safety is broken, but "
                     "with one more failure nothing commits. Next, the cure, and a new machine: the disk of n1 fits "
                     "no leader."),
        *at(10_510, SetRule("snapshot_replaces_log", True), AddServer("n4")),
        *at(11_300, RemoveServer("n1")),
        *say(12_000, "With the rule of section 7 the whole log goes for the snapshot, unless it holds that very entry. "
                     "n4 came in by a snapshot and counts; n1 is out."),
    ),
)  # fmt: skip

OPENRAFT_2080: Final = Scenario(
    name="openraft-2080",
    title="openraft #2080: the bridge that keeps an old leader alive",
    summary="A leader reaches one server of four. That one refuses to elect another, so three that can talk never do.",
    variant="raft",
    config=(("check_quorum", False), ("clients", 1), ("nodes", 4)),
    end_us=10_500 * US_PER_MS,
    breaks=(LEADER_IN_TIME,),
    script=(
        *_first("n1"),
        *say(900, "Issue 2080 of openraft. Four servers, n1 leads. Its links to n3 and n4 break. n2 still reaches all: "
                  "it is a bridge. A leader has no rule here that makes it step down: check-quorum is off."),
        *at(910, *(Cut("n1", other) for other in ("n3", "n4")), *(Cut(other, "n1") for other in ("n3", "n4"))),
        *say(2_500, "n1 commits nothing: it reaches 2 of the 3 it takes. n3 and n4 ask who would vote for them, and n2 "
                    "says no, for it hears a leader. n2, n3 and n4 are a majority and can talk."),
        *say(8_500, "More than six seconds, 20 election timeouts, and a majority that can talk has no leader that "
                    "works: the check of progress is red. Next, the cure: check-quorum."),
        *at(8_510, SetRule("check_quorum", True)),
        *say(9_800, "n1 counted 2 of 4 and stepped down. n2 heard no leader any more and voted; one of the three "
                    "leads, and commands commit again. The cut is still there."),
    ),
)  # fmt: skip

_LATE_ANSWERS: Final = at(
    610, Slow("n2", "n1", 120 * US_PER_MS, 0), Slow("n3", "n1", 120 * US_PER_MS, 0)
)  # fmt: skip

RATIS_2605: Final = Scenario(
    name="ratis-2605",
    title="Ratis 2605: the answer to a heartbeat counts for an entry",
    summary="A success raises match to all that was sent, not to what its message proved: a commit on one server.",
    variant="raft",
    config=(("clients", 0), ("match_proved", False), ("nodes", 3)),
    end_us=3_400 * US_PER_MS,
    breaks=(DURABLE, COMPLETENESS, STATE_MACHINE),
    script=(
        *_first("n1"),
        *say(600, "Ratis 2605. Three servers, n1 leads. The answers of n2 and n3 are slow, 120 ms, so some are always "
                  "on their way. Then the links from n1 break, and n1 is asked for x=1."),
        *_LATE_ANSWERS,
        *at(1_000, Cut("n1", "n2"), Cut("n1", "n3")),
        *at(1_001, _once("x", 1, "n1")),
        *say(1_120, "n1 sent x=1, and it was lost. Then answers came, to heartbeats from before. They prove that the "
                    "logs agree up to entry 1. n1 takes them for all it has sent: x=1 is committed, on n1 alone."),
        *at(1_130, Crash("n1"), Mend("n1", "n2"), Mend("n1", "n3")),
        *say(2_000, "n1 died, one of the others leads, and x=1 is nowhere but on n1's disk, though a client was told "
                    "that it is done. The checks were red before: durable before counted, then leader completeness. "
                    "Next, the cure."),
        *at(2_010, SetRule("match_proved", True), Restart("n1")),
        *at(2_500, *(Slow(each, "f1", 120 * US_PER_MS, 0) for each in ("f2",)), Slow("f1", "leader", 120_000, 0),
            Slow("f2", "leader", 120_000, 0)),
        *at(2_800, Cut("leader", "f1"), Cut("leader", "f2")),
        *at(2_801, _once("y", 2, "leader")),
        *say(2_920, "The same again with the rule: the answers to the heartbeats came, and y=2 is not committed. An "
                    "answer counts for the entries its own message went through, and for no more."),
        *at(2_930, Heal()),
    ),
)  # fmt: skip

YUGABYTE_32875: Final = Scenario(
    name="yugabyte-32875",
    title="YugabyteDB #32875: confirmed before the disk has it",
    summary="A repeated message finds its entry in the log and is answered at once. The sync is still under way.",
    variant="raft",
    config=(("ack_after_sync", False), ("check_quorum", False), ("clients", 0), ("nodes", 3)),
    end_us=3_800 * US_PER_MS,
    breaks=(DURABLE, COMPLETENESS, STATE_MACHINE),
    script=(
        *_first("n1"),
        *say(600, "Issue 32875 of YugabyteDB. The disks of n2 and n3 take 200 ms for a sync, and the network delivers "
                  "what n1 sends twice. n1 is asked for x=1."),
        *at(610, SlowDisk("n2", 200 * US_PER_MS), SlowDisk("n3", 200 * US_PER_MS), Duplicate("n1", "*", 1_000_000)),
        *at(700, _once("x", 1, "n1")),
        *say(800, "n2 and n3 wrote x=1 and wait for their disks. The second copy of the message came, the entry was in "
                  "the log already, nothing was to be written: so they confirmed it at once. n1 committed it."),
        *at(810, Crash("n1"), Crash("n2"), Crash("n3")),
        *at(820, SlowDisk("n2", 0), SlowDisk("n3", 0), Duplicate("n1", "*", 0), Restart("n2"), Restart("n3")),
        *at(900, ExpireTimers(("n2",), ELECTION, 0)),
        *say(1_800, "The power failed. x=1 had not come to two of the three disks, and the servers that lost it "
                    "elected a leader. A client had been told that it is done. Next, the cure, and the same again."),
        *at(1_810, Restart("n1"), SetRule("ack_after_sync", True)),
        *at(2_400, SlowDisk("f1", 200 * US_PER_MS), SlowDisk("f2", 200 * US_PER_MS),
            Duplicate("leader", "*", 1_000_000)),
        *at(2_500, _once("y", 2, "leader")),
        *say(2_620, "Both copies have arrived, and y=2 is not confirmed: also the answer to the second waits until the "
                    "disk has what the first one wrote."),
        *say(3_200, "After the sync it is committed. Whoever says yes has it on disk, however the question came."),
    ),
)  # fmt: skip

HASHI_695: Final = Scenario(
    name="hashi-695",
    title="hashicorp/raft #695: an entry with a term its leader never had",
    summary="A leader decides to append, learns of a newer term, and only then writes: under a term that is another's.",
    variant="raft",
    config=(("check_quorum", False), ("clients", 0), ("nodes", 3), ("term_when_decided", False)),
    end_us=3_000 * US_PER_MS,
    breaks=(LOG_MATCHING, STATE_MACHINE),
    script=(
        *_first("n1"),
        *say(600, "Issue 695 of hashicorp/raft. n1 leads term 1, and an entry is written 5 ms after that is decided. "
                  "n1 is cut off, and the others elect a leader that does not know of it."),
        *at(610, Isolate("n1")),
        *say(1_500, "n1 still leads term 1, and n2 leads term 2. The cut heals, and n1 is asked for x=1 at that very "
                    "moment: it decides, hears of term 2 before it writes, and follows."),
        *at(1_510, Reconnect("n1")),
        *at(1_544, _once("x", 1, "n1")),
        *say(1_900, "n1 wrote x=1 as entry 2 of term 2, which it never led. n2 has another entry 2 of term 2. From now "
                    "on the two logs are held to be equal there, and are not: log matching, on which all else rests, "
                    "is broken, and two machines have applied two things."),
        *at(1_910, SetRule("term_when_decided", True)),
        *say(2_500, "The cure: an entry is appended in the moment it is decided, under the term in which its leader "
                    "leads. What is decided by a leader that leads no more is not written at all."),
    ),
)  # fmt: skip

REDPANDA_30817: Final = Scenario(
    name="redpanda-30817",
    title="Redpanda #30817: a storm of pre-votes beside a living leader",
    summary="A refused AppendEntries does not reset the timer: while its log is repaired a follower asks for votes.",
    variant="raft",
    config=(("clients", 0), ("logs", "figure-7"), ("noop", False), ("refusal_resets", False)),
    end_us=3_400 * US_PER_MS,
    breaks=(QUIET,),
    script=(
        *at(1, Slow("n1", "n7", 200 * US_PER_MS, 0), Slow("n7", "n1", 200 * US_PER_MS, 0)),
        *at(5, ExpireTimers(("n1",), ELECTION, 0)),
        *say(400, "Issue 30817 of Redpanda, in the logs of Figure 7. n1 leads term 8. The log of n7 fits nowhere, and "
                  "messages between the two take 200 ms: to find where they agree takes several round trips."),
        *say(600, "n7 hears its leader every 50 ms, and refuses, for its log does not fit. But a refusal does not set "
                  "its election timer back here. So it timed out beside a living leader and asked all for votes."),
        *at(610, SetRule("refusal_resets", True)),
        *say(3_000, "The cure: whoever hears the leader of its term waits, whether the entries fit or not. The logs "
                    "were repaired meanwhile, and n7 asked nobody any more. Many followers like that are a storm."),
    ),
)  # fmt: skip

SCENARIOS: Final = (HASHI_697, OPENRAFT_2080, RATIS_2605, YUGABYTE_32875, HASHI_695, REDPANDA_30817)

__all__ = ["SCENARIOS"]
