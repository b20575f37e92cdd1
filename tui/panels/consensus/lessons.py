"""Why: the rule behind an event or a check, why it exists, what would go wrong without it, and where it is written.

*Paper* is Ongaro and Ousterhout 2014, extended version; *dissertation* is Ongaro 2014.
"""

from enum import Enum
from typing import Any, Final

from engines.consensus.etcd_servers import DEMANDS as TRACED
from engines.consensus.raft import checks as c
from engines.consensus.raft import events as e
from engines.consensus.raft.snapshot import Snapshot
from engines.consensus.recorded import Traced
from engines.rules import RuleSwitched
from engines.sim import events as k
from engines.sim.events import Event
from engines.sim.pattern import Check
from tui.kit import explain as kit
from tui.panels.consensus import change_words, read_words, traced

LESSONS: Final[dict[str, tuple[str, ...]]] = {
    "timeout": (
        "Rule: a follower that hears no leader and gives no vote for its election timeout stands for election. The "
        "timeout is drawn anew each time; the paper suggests 150 to 300 ms.",
        "Why random: with equal timeouts all followers would stand at once, each vote for itself, and nobody would "
        "win; again and again. Drawn at random, one is usually well ahead of the others.",
        "Silence proves nothing: the leader may be dead, frozen, or cut off. An election is safe in all three cases, "
        "because a new term makes the old leader's messages worthless to whoever has seen it.",
        "Source: paper, sections 5.2 and 9.3.",
    ),
    "prevote": (
        "Rule: before a server raises its term it asks whether it could win: would you vote for me? Asking changes "
        "nothing on either side. Only with a majority of yes does it start the real election.",
        "Why: a server that was cut off times out again and again. Without pre-vote each timeout raises its term; when "
        "it comes back, that higher term forces a healthy leader to step down, for nothing.",
        "A voter says no while it hears a leader, or if the asker's log is behind its own.",
        "Source: dissertation, section 9.6.",
    ),
    "vote": (
        "Rule: a server has one vote a term, gives it to the first who asks and whose log is at least as up-to-date as "
        "its own, and writes it to disk before it answers.",
        "Why one: two majorities of the same servers share a server. If each votes once a term, two candidates cannot "
        "both have a majority, so a term has at most one leader.",
        "Why on disk: a server that forgot its vote in a crash could vote again in the same term, and two leaders "
        "could be elected. Switch persist vote off with b to see it.",
        "Source: paper, sections 5.2 and 5.4.1, Figure 2.",
    ),
    "log_up_to_date": (
        "Rule: a voter refuses a candidate whose log is behind its own. Logs are compared by the term of their last "
        "entry, then by length.",
        "Why: a committed entry is on a majority; a candidate needs the votes of a majority; the two share a server, "
        "and that server refuses whoever lacks the entry. So every leader holds every committed entry.",
        "Without it a server with an old log could win and overwrite what clients were told was done.",
        "Source: paper, section 5.4.1.",
    ),
    "leader_alive": (
        "Rule: a server that heard a leader within the shortest election timeout does not help to depose it; it "
        "answers no to a pre-vote and ignores RequestVote.",
        "Why: only servers that miss the leader should elect another. Otherwise one server with a bad link could force "
        "elections on a cluster that works.",
        "Source: dissertation, sections 4.2.3 and 9.6.",
    ),
    "elected": (
        "Rule: a candidate with the votes of a majority leads the term. It sends heartbeats at once, so that nobody "
        "else stands; and it appends an empty entry of its own term.",
        "Why a majority: any two majorities overlap, so no other candidate of this term can have one. 3 of 5 survive "
        "two failures, 2 of 3 survive one; 4 servers survive no more than 3 do.",
        "Why the empty entry: a leader may not count copies of older entries as committed. Committing one entry of its "
        "own term commits all before it.",
        "Source: paper, sections 5.2 and 8; dissertation, section 6.4.",
    ),
    "step_down": (
        "Rule: whoever sees a higher term adopts it and becomes a follower, whatever it was. A candidate also gives up "
        "when it hears from a leader of its own term.",
        "Why: terms are Raft's clock. They tell stale information from new; a leader of an old term that learns of a "
        "newer one knows that it may have been replaced.",
        "Without it two leaders could go on, each believing it is in charge. The old one could not commit anything, "
        "but its clients would wait for ever.",
        "Source: paper, section 5.1.",
    ),
    "check_quorum": (
        "Rule (check-quorum): a leader that did not hear a majority within an election timeout steps down by itself.",
        "Why: cut off with a minority it cannot commit anything, but it cannot know that it was replaced. Clients that "
        "reach it would wait; reads served from its memory would be stale.",
        "Without it the cluster stays safe, nothing wrong is ever committed, but a cut-off leader keeps accepting "
        "commands it can never finish. Switch check quorum off with b and split the cluster with X.",
        "Source: dissertation, section 6.2.",
    ),
    "follow": (
        "Rule: AppendEntries of the current or a newer term comes from that term's only leader: follow it, and set the "
        "election timer back with each one.",
        "Why: heartbeats are how a leader keeps its office. They come every 50 ms, timeouts are at least 150 ms: two "
        "heartbeats in a row may be lost before anyone doubts.",
        "Source: paper, section 5.2.",
    ),
    "append": (
        "Rule: only the leader takes commands. It appends each to its own log first, then sends it to all; it answers "
        "the client once the entry is committed and applied, not before.",
        "Why wait: an entry on one server dies with it. Whoever answers before a majority holds the entry promises "
        "what it cannot keep.",
        "An uncommitted entry may still survive: if its holder is elected later, it goes on replicating it. That is "
        "allowed, for the client was told nothing.",
        "Source: paper, section 5.3.",
    ),
    "store": (
        "Rule: AppendEntries names the entry just before the new ones, by index and term. The follower accepts only if "
        "its log has exactly that entry; then it deletes what conflicts and appends what is new.",
        "Why: by induction, two logs that agree on one entry's index and term agree on everything before it (Log "
        "Matching). The leader never needs to compare whole logs.",
        "Without the test a follower that missed an entry would store the next one in its place, and machines that "
        "apply the same index would do different things.",
        "Source: paper, section 5.3, Figure 2.",
    ),
    "repair": (
        "Rule: a follower that refuses says what it has instead. The leader goes back, a whole term at a time, until "
        "the logs agree, and sends everything from there on. The follower's conflicting entries are deleted.",
        "Why it is safe to delete them: they are not in the leader's log, and the leader has every committed entry. So "
        "what is deleted was never committed, and nobody was told that it was done.",
        "A leader itself never deletes or overwrites: logs flow in one direction only.",
        "Source: paper, section 5.3 and Figure 7.",
    ),
    "commit": (
        "Rule: an entry of the leader's own term is committed once a majority holds it; with it everything before it. "
        "Followers learn the commit index from the next AppendEntries.",
        "Why: from then on every future leader will have it, since one of its voters does and would refuse a log "
        "without it. Only now may the command be executed and the client be told.",
        "Followers lag behind the leader's commit index by half a round trip. That is not an error: they apply the "
        "same commands in the same order, a little later.",
        "Source: paper, sections 5.3 and 5.4.",
    ),
    "commit_withheld": (
        "Rule (5.4.2): a leader counts copies only of entries of its own term. Entries of older terms commit with the "
        "first entry of its own that does.",
        "Why: an old entry on a majority can still be overwritten, by a server whose last entry has a higher term. It "
        "would win the votes of servers that hold the old entry. This is Figure 8 of the paper.",
        "Without the rule a client could be told that a command is done, and the command could vanish. Play the "
        "scenario Figure 8 with the rule off to see State Machine Safety break.",
        "Source: paper, section 5.4.2 and Figure 8.",
    ),
    "client": (
        "Rule: a client sends its command to whom it believes to lead; another server names the leader it knows. "
        "Without an answer the client asks again, under the same number.",
        "Why the number: no answer does not mean not done. The leader may have committed and then died. The state "
        "machine remembers each client's last number and does not execute a command twice.",
        "Without it a repeated y+=1 would count twice.",
        "Source: paper, section 8; dissertation, section 6.3.",
    ),
    "crash": (
        "Durable: current term, vote, and log. They are on disk before a server answers anything that depends on them "
        "(the vote only while the rule persist vote is on). "
        "Volatile: role, commit index, what was applied, next and match of every follower, all timers.",
        "Why this is enough: the commit index is learned again from the leader, and the state machine is built again "
        "by applying the log.",
        "If the term or the vote were forgotten, a server could vote twice in a term; if log entries were, an entry "
        "could count as on a majority that no longer holds it.",
        "Source: paper, Figure 2, state on all servers.",
    ),
    "fault": (
        kit.THREE_FAULTS,
        "Raft promises safety under all of them, and progress while a majority runs and can talk. It never concludes "
        "from silence that a server is dead: it only starts an election, which the silent one may still take part in "
        "later.",
        "Source: paper, sections 2 and 5.4.3.",
    ),
    "network": (
        "The network may lose, delay, repeat and reorder messages; Raft is safe under all of that. Whoever gets no "
        "answer asks again, and every message can be handled twice without harm.",
        "What suffers is progress: with much loss heartbeats go missing and elections start, with delays near the "
        "election timeout no leader lasts. Broadcast time must stay well below the election timeout.",
        "A link has two directions. A leader that is heard but hears nobody commits nothing; check-quorum ends that.",
        "Source: paper, sections 2 and 5.6.",
    ),
    "clock": (
        "Raft's safety depends on no clock. Its progress does: a fast clock times out early and stands for election "
        "without need, a slow one as leader sends its heartbeats late.",
        "Reads that rely on a lease of the leader are the exception: they assume that clocks run at nearly the same "
        "speed. This cluster has leases only where questions are answered by them (t).",
        "Source: paper, section 2; dissertation, section 6.4.1.",
    ),
    "rule": (
        "A rule is switched off on every server at once, to see why it is there. Most are safety rules: without them a "
        "promise to a client can be broken, sooner or later; b says of each which, and where it is written.",
        "Some keep the cluster going: without pre vote, check quorum, learners vote, snapshot replaces log or refusal "
        "resets nothing is lost, but a cluster can be disturbed, or wait for what never comes.",
        "The checks in the top line watch all guarantees after every event and name what broke.",
    ),
    "lecture": kit.LECTURE,
    "workload": (
        "Clients ask for one command at a time; the workload is how soon the next one comes.",
        "In a cluster without faults an entry costs 2(n-1) messages: n-1 that carry it and n-1 answers. The commit "
        "index rides along with what is sent next.",
    ),
    **change_words.LESSONS,
    **read_words.LESSONS,
}  # fmt: skip
"""Lessons by name."""

OF_KIND: Final[dict[type, str]] = {
    e.TimedOut: "timeout", e.Campaigned: "timeout", e.TimingSet: "timeout", k.TimersExpired: "timeout",
    k.TimerFired: "timeout", e.PreVoteWon: "prevote", e.PreVoteGranted: "prevote", e.PreVoteRefused: "prevote",
    e.VoteGranted: "vote", e.VoteRefused: "vote", e.VoteIgnored: "leader_alive", e.Elected: "elected",
    e.SteppedDown: "step_down", e.QuorumLost: "check_quorum", e.Followed: "follow",
    e.Appended: "append", e.Stored: "store", e.AppendOutdated: "step_down", e.AppendRefused: "repair",
    e.Backtracked: "repair", e.MatchFound: "repair", e.Truncated: "repair",
    e.Committed: "commit", e.CommitWithheld: "commit_withheld",
    e.Proposed: "client", e.Asked: "client", e.Answered: "client", e.Redirected: "client", e.AnsweredAgain: "client",
    e.Deduplicated: "client", e.GaveUp: "client", RuleSwitched: "rule", e.WorkloadSet: "workload",
    **kit.OF_KERNEL, **change_words.OF_KIND, **read_words.OF_KIND,
}  # fmt: skip
"""Which lesson explains which kind of event."""

OF_REASON: Final[dict[Enum, str]] = {
    e.VoteReason.LOG_BEHIND: "log_up_to_date", e.VoteReason.LEADER_ALIVE: "leader_alive",
    e.VoteReason.OLD_TERM: "step_down", e.StepDownReason.NO_QUORUM: "check_quorum",
    **read_words.OF_REASON,
}  # fmt: skip
"""A reason that has a lesson of its own, whatever the kind."""

IF_BROKEN: Final = {
    c.ELECTION_SAFETY: "Two leaders of one term could commit different entries at one index. Rules: one vote a term, a "
                       "majority to win, and the vote on disk before it is given (5.2).",
    c.APPEND_ONLY: "A leader that changed its log could drop an entry it had counted as committed (5.3).",
    c.LOG_MATCHING: "It rests on two things: a leader makes one entry per index in a term, and followers test the "
                    "entry before (5.3). Two leaders in one term break it.",
    c.COMPLETENESS: "A leader that lacks a committed entry will overwrite it everywhere. Rules: voters refuse logs "
                    "behind their own (5.4.1), and only entries of the own term are counted (5.4.2).",
    c.STATE_MACHINE: "The one promise everything else serves: all machines do the same. Once broken, clients read "
                     "different values from different servers, for ever (5.4.3).",
    c.TERMS: "A vote that is forgotten can be given twice, and then two leaders share a term (Figure 2).",
    c.ORDER: "Only committed entries may be applied, and what is committed stays so (Figure 2).",
    c.STABILITY: "A promise of pre-vote and check-quorum, not of Raft's core: safety does not need it, people who wait "
                 "for answers do (dissertation 4.2.3, 9.6).",
    **change_words.IF_BROKEN, **read_words.IF_BROKEN,
}  # fmt: skip


def explain(snapshot: Snapshot, event: Event) -> tuple[str, ...]:
    """The lesson behind it; what happened stands above. Paragraphs."""
    if isinstance(event.what, Traced):
        return traced.LESSON
    why: Any = getattr(event.what, "why", None)
    return LESSONS[OF_REASON.get(why) or OF_KIND[type(event.what)]]


def explain_check(snapshot: Snapshot, check: Check) -> tuple[str, ...]:
    """What the check demands; if it failed, who saw what and which rule is missing. Paragraphs."""
    demands, broken = c.DEMANDS, IF_BROKEN
    if snapshot.recorded:
        demands, broken = TRACED, {**IF_BROKEN, **traced.IF_BROKEN}
    return kit.explain_check(check, demands, broken, snapshot.rules)
