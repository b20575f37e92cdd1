"""The stories of event sourcing, as scripts: commands at their times, and what a lecturer says in between."""

from typing import Final

from engines.event_sourcing.world.checks import BALANCE, CHAIN, GAPLESS, ONCE, SKIPPED
from engines.event_sourcing.world.commands import (
    Act,
    ChangeSchema,
    Compact,
    HoldCommit,
    Poison,
    Race,
    Release,
    ReplayParked,
    SetOption,
    Tamper,
    Verify,
)
from engines.sim.faults import Crash, Lose, Restart
from engines.sim.pattern import Config, Scenario
from engines.sim.script import at, say
from engines.units import US_PER_MS


def _quiet(*more: tuple[str, object]) -> Config:
    """A bank in which only the script asks for anything."""
    return (("rate", 0), *more)


REPLAY: Final = Scenario(
    name="account-replayed",
    title="An account, replayed",
    summary="The balance is not stored. It is the sum of what happened, and can be had at every revision.",
    variant="store",
    config=_quiet(),
    end_us=5_000 * US_PER_MS,
    script=(
        *say(300, "Four accounts, each opened with 100: two events a stream. Nothing else is stored, no balance "
                  "anywhere. Three movements follow on account-1."),
        *at(400, Act("t1", "deposit", 1, 50)),
        *at(900, Act("t2", "withdraw", 1, 30)),
        *at(1_400, Act("t3", "deposit", 1, 5)),
        *say(2_000, "account-1 stands at revision 4: opened, +100, +50, -30, +5. The fold says 125. Move through the "
                    "stream with up and down: at every event the state is folded anew, with the difference it made."),
        *at(2_100, Act("t1", "transfer", 1, 25, 2)),
        *say(3_000, "A transfer: t1 wrote the withdrawal, the desk read that event and wrote the deposit to account-2. "
                    "Two events of one story: v shows the tree, command, event, command, event."),
        *at(3_100, Crash("store")),
        *at(3_300, Restart("store")),
        *say(3_800, "The store lost its power and came back. It read its log, 13 events, verified every checksum, and "
                    "is where it was: account-1 holds 100, account-2 holds 125."),
    ),
)  # fmt: skip

TELLERS: Final = Scenario(
    name="two-tellers",
    title="Two tellers race for one account",
    summary="Both read 100 and withdraw 80. The expected revision lets one through: 20 are left, never -60.",
    variant="store",
    config=_quiet(),
    end_us=3_500 * US_PER_MS,
    script=(
        *say(300, "account-1 holds 100 at revision 1. Two customers ask for 80 at two desks at the same moment."),
        *at(400, Race(1, 80)),
        *say(1_200, "Both had read revision 1 and sent an append that expects it. One is revision 2 now; the other was "
                    "told: expected 1, actual 2. It loaded again, found 20, and refused. 20 are left, never -60."),
        *at(1_300, Act("t1", "deposit", 2, 10), Act("t2", "deposit", 2, 20), Act("t3", "deposit", 2, 30)),
        *say(2_400, "Three deposits to account-2 at once: each conflict costs a reload and another try, and all three "
                    "arrive: 160. A check before the write alone would not do: the key (stream, revision) is unique. "
                    "Try b, check_expected off, and race again."),
    ),
)  # fmt: skip

TRAVEL: Final = Scenario(
    name="time-travel",
    title="Back to the day of the error",
    summary="A balance is wrong. The stream says which event made it so, who wrote it, and what was true before.",
    variant="store",
    config=_quiet(),
    end_us=8_000 * US_PER_MS,
    script=(
        *at(300, Act("t1", "deposit", 3, 40)),
        *at(1_000, Act("t2", "deposit", 2, 15)),
        *at(2_000, Act("t3", "withdraw", 3, 90)),
        *at(3_000, Act("t1", "deposit", 3, 20)),
        *at(4_000, Act("t2", "withdraw", 2, 5)),
        *at(5_000, Act("t1", "deposit", 3, 10)),
        *say(5_600, "The customer of account-3 calls: 80, it should be 161. A table of balances knows only that it is "
                    "80. Here are 14 events of all streams; account-3 has six of them."),
        *say(6_000, "Walk back in the stream: revision 3, written by t3 at 2 s, took 90. The slip says 9. Before it "
                    "the account held 140. Who, when and because of what stand beside every event: that is the audit."),
        *at(6_100, Act("t3", "deposit", 3, 81)),
        *say(7_000, "History is not edited: t3 wrote a correction of 81, and account-3 holds 161. Press A and type "
                    "'at 3.5s': this account (v: all balances) as of then. The error is still there, because it was."),
    ),
)  # fmt: skip

SNAPSHOTS: Final = Scenario(
    name="snapshots",
    title="Snapshots on and off",
    summary="A long stream is folded at every command. A snapshot every ten events bounds the cost and adds no truth.",
    variant="store",
    config=(("accounts", 1), ("poll_ms", 100), ("rate", 30), ("snapshots", 0), ("transfers", False)),
    end_us=9_000 * US_PER_MS,
    script=(
        *say(2_500, "One busy account, no snapshots: every command folds the whole stream. The strip shows the events "
                    "folded for each load: it only grows."),
        *at(2_600, SetOption("snapshots", "10")),
        *say(5_000, "Now a state is kept every ten events. A load begins there and folds the rest: 0 to 9 events by "
                    "the rule, a few more while a new one is on its way. The check folds from zero and compares."),
        *at(5_100, ChangeSchema()),
        *say(5_250, "The layout of the state has changed, so the kept snapshot is of no use. It is ignored, one load "
                    "folds everything again, and a new one is kept. Snapshots can be thrown away; events cannot."),
        *at(5_300, SetOption("snapshots", "0")),
        *say(8_000, "Off again, and the cost is back. Try it: with t snapshots every ten events again, with b "
                    "drop_old_snapshots off, with f another layout: the fold from the snapshot is not the fold from "
                    "zero any more."),
    ),
)  # fmt: skip

CHECKPOINTS: Final = Scenario(
    name="checkpoint-policies",
    title="A crash between effect and checkpoint",
    summary="The same crash three times: the letter is lost, sent twice, or sent once, by what is made durable first.",
    variant="store",
    config=_quiet(("handle_ms", 400), ("idempotent", False), ("policy", "checkpoint first"), ("accounts", 1)),
    breaks=(SKIPPED, ONCE),
    end_us=9_000 * US_PER_MS,
    script=(
        *say(1_200, "mail writes a letter for each event, which takes 400 ms here. It notes its position first and "
                    "writes then. It has done both for the two events of the opening."),
        *at(1_300, Act("t1", "deposit", 1, 10)),
        *at(1_620, Crash("mail")),
        *at(1_800, Restart("mail")),
        *say(2_600, "It died between the two. Its position says 3, the letter of event 3 was never written: lost, and "
                    "nobody will ever miss it by looking at positions."),
        *at(2_700, SetOption("policy", "effect first")),
        *at(2_800, Act("t1", "deposit", 1, 20)),
        *at(3_120, Crash("mail")),
        *at(3_300, Restart("mail")),
        *say(4_600, "The other order: the letter of event 4 was out, the position was not noted, so it was written "
                    "again: twice. At least once means exactly that. A handler that remembers the revisions it has "
                    "seen would have noticed."),
        *at(4_700, SetOption("policy", "one transaction")),
        *at(4_800, Act("t1", "deposit", 1, 30)),
        *at(5_120, Crash("mail")),
        *at(5_300, Restart("mail")),
        *say(6_600, "Effect and position in one transaction: event 5 was done once. That works where the effect is a "
                    "row of the same database. For a letter, choose twice over never, and make twice harmless."),
    ),
)  # fmt: skip

GAP: Final = Scenario(
    name="skipped-gap",
    title="The event that every poller skipped",
    summary="A store takes numbers before it commits. A poller that goes past a gap loses an event; two cures do too.",
    variant="numbered",
    config=_quiet(("cure", "naive"), ("accounts", 3)),
    breaks=(SKIPPED,),
    end_us=13_000 * US_PER_MS,
    script=(
        *say(300, "This store numbers a transaction when it begins, as database sequences do. Six events so far. "
                  "The pollers are naive: they ask for what is above the highest number they have seen."),
        *at(400, HoldCommit(200 * US_PER_MS)),
        *at(410, Act("t1", "deposit", 1, 10)),
        *at(440, Act("t2", "deposit", 2, 20)),
        *say(560, "t1 took 7 and is slow. t2 took 8 and has committed. The pollers have seen 1 to 6 and 8, and "
                  "noted 8."),
        *say(1_200, "7 is committed now, and nobody will ever read it: both stand at 8. No error anywhere, only a "
                    "balance that is wrong for ever."),
        *at(1_300, SetOption("cure", "high-water mark")),
        *at(1_400, HoldCommit(200 * US_PER_MS)),
        *at(1_410, Act("t1", "deposit", 1, 10)),
        *at(1_440, Act("t2", "deposit", 2, 20)),
        *say(1_560, "The same with a high-water mark: 10 is there, 9 is still open, so the pollers wait at 8. They "
                    "pass a gap when no transaction lives that could fill it."),
        *say(2_200, "9 came, and then 10 was read behind it. Nothing is lost; the price: 10 had waited for 9, some "
                    "160 ms."),
        *at(2_300, SetOption("cure", "skip by time")),
        *at(2_400, HoldCommit(350 * US_PER_MS)),
        *at(2_410, Act("t1", "deposit", 1, 10)),
        *at(2_440, Act("t2", "deposit", 2, 20)),
        *say(4_000, "A cure that is none: pass any gap after 150 ms. t1 needed 350 ms, so 11 was passed and is lost. "
                    "A slow commit is not a rollback, and no clock can tell them apart."),
        *at(4_100, SetOption("cure", "restarted timer")),
        *at(4_200, HoldCommit(30 * US_PER_MS, burn=True)),
        *at(4_210, Act("t1", "deposit", 1, 10)),
        *at(4_225, Act("t2", "deposit", 2, 20)),
        *say(6_000, "The other wrong cure: a timer that each poll restarts. 13 was burnt by a rollback, it will never "
                    "come, and the pollers stand at 12 for ever, because they look too often."),
        *at(6_100, SetOption("cure", "high-water mark")),
        *say(7_000, "The high-water mark again: nobody lives who could fill 13, so it is passed. A store with one "
                    "writer at a time, as SQLite is, never has this gap: m shows that one."),
    ),
)  # fmt: skip

TAMPERING: Final = Scenario(
    name="tampering",
    title="Somebody edits the file",
    summary="An amount is changed behind the store's back. Every checksum covers the one before it: the chain tells.",
    variant="store",
    config=_quiet(("accounts", 2)),
    breaks=(CHAIN,),
    end_us=5_000 * US_PER_MS,
    script=(
        *at(200, Act("t1", "deposit", 1, 50)),
        *at(700, Act("t2", "withdraw", 2, 40)),
        *at(1_200, Verify()),
        *say(1_400, "Six events, and the chain was just verified: each checksum covers the event and the checksum "
                    "before it. Now somebody with access to the file makes the deposit of 50 one of 5000."),
        *at(1_500, Tamper(5, 5_000)),
        *say(1_700, "No program has noticed. The file is well-formed, the store runs. Go up one event: account-1 "
                    "seems to hold 5100."),
        *at(1_800, Verify()),
        *say(2_200, "The chain breaks at position 5, account-1 revision 2. Whoever wants to hide it must rewrite every "
                    "checksum that follows, and whoever keeps one newer checksum elsewhere will see that too. It is "
                    "reported, not repaired: what was true is not in this file any more."),
    ),
)  # fmt: skip

UPCASTING: Final = Scenario(
    name="upcasting",
    title="An event of ten years ago",
    summary="Old events are never rewritten. They are lifted on reading, version by version.",
    variant="store",
    config=_quiet(("snapshots", 0), ("accounts", 3)),
    end_us=4_000 * US_PER_MS,
    script=(
        *say(300, "The first deposit of account-3, revision 1, is of version 1: it calls the amount 'sum' and names no "
                  "currency. The program of today knows version 3."),
        *at(400, Act("t1", "deposit", 3, 5)),
        *say(1_000, "t1 loaded it all the same: two upcasters, 1 to 2 and 2 to 3, lifted it on the way. account-3 "
                    "holds 105. In the store it is still version 1: history is not edited, not even for tidiness."),
        *at(1_100, Release()),
        *at(1_200, Act("t2", "deposit", 3, 7)),
        *say(2_000, "The next release writes version 4 and brings one step more, 3 to 4. Old events pass through all "
                    "of them: account-3 holds 112. One step a version, for ever: that is the price of an honest log."),
    ),
)  # fmt: skip

COMPACTION: Final = Scenario(
    name="compaction",
    title="Compaction destroys history",
    summary="A log that keeps the newest record of each key is a fine table. Of events it leaves a wrong sum.",
    variant="log",
    config=_quiet(("accounts", 2), ("transfers", False)),
    breaks=(GAPLESS, BALANCE),
    end_us=5_000 * US_PER_MS,
    script=(
        *at(200, Act("t1", "deposit", 1, 50)),
        *at(700, Act("t2", "withdraw", 1, 30)),
        *at(1_200, Act("t3", "deposit", 2, 5)),
        *say(1_900, "Seven events in a log, the stream as the key, as one would put them into Kafka. account-1 holds "
                    "120, account-2 holds 105. Both subscribers have read everything."),
        *at(2_000, Compact()),
        *say(2_400, "Compacted: of each key the newest record is left, 2 of 7, at their old offsets. Whoever was at "
                    "the head has seen it all. Whoever begins now sees -30 for account-1 and calls it a balance."),
        *say(3_200, "A compacted topic is right for states: the newest value of a key is the value. For events it is "
                    "the end of history. Keep events in a topic that keeps everything, and compact what is derived."),
    ),
)  # fmt: skip

POISON: Final = Scenario(
    name="poison",
    title="A poison event, and the stream behind it",
    summary="An event nobody can read is parked, and so is what follows in its stream. The others go on.",
    variant="store",
    config=_quiet(("accounts", 3)),
    end_us=8_000 * US_PER_MS,
    script=(
        *at(200, Act("t1", "deposit", 1, 10)),
        *say(700, "All is well: both subscribers have handled the seven events. A program of the next release is "
                  "about to write a deposit to account-2, of a version that nobody here knows."),
        *at(800, Poison(2, 60)),
        *at(1_200, Act("t1", "transfer", 1, 15, 2)),
        *at(1_600, Act("t2", "deposit", 3, 20)),
        *say(2_600, "Event 8 is poison: tried 3 times, then parked with its error. Event 10, the desk's deposit, is "
                    "sound but comes after it in account-2: it is parked as well, or it would be handled out of "
                    "order. account-1 and account-3 go on: neither subscriber has anything left to read."),
        *at(2_700, Act("t3", "withdraw", 2, 1)),
        *say(3_400, "Commands that need the state of account-2 are refused, too: t3 cannot fold over an event it "
                    "cannot read, and says which: revision 2. Guessing would be worse. The desk's deposit, event 10, "
                    "needed no state, so it could be written."),
        *at(3_500, Release()),
        *at(3_700, ReplayParked("mail"), ReplayParked("books")),
        *say(4_200, "The next release is installed everywhere, and what was parked is replayed, in its order: both "
                    "events are handled, nothing is parked, and books has 175 for account-2."),
    ),
)  # fmt: skip

GROUP: Final = Scenario(
    name="persistent-group",
    title="A group of two, and a restart",
    summary="The store keeps the position and hands events out, again if nobody answers: at least once, in no order.",
    variant="group",
    config=_quiet(("handle_ms", 100)),
    end_us=11_600 * US_PER_MS,
    script=(
        *say(1_200, "mail and post are one group: the store keeps its position and hands each event to one of them. "
                    "mail came first and wrote the eight letters of the opening; while both are there, they take "
                    "turns. No checkpoint is written yet: that takes ten events and two seconds."),
        *at(1_300, Act("t1", "deposit", 1, 10), Act("t2", "deposit", 2, 20)),
        *say(2_800, "Ten are done, and the checkpoint is written: 10. Four deposits come now, 11 to 14, and the answer "
                    "to 11 will be lost on its way."),
        *at(2_900, Lose("mail", "store", 1_000_000)),
        *at(2_910, Act("t1", "deposit", 1, 1), Act("t2", "deposit", 2, 2), Act("t3", "deposit", 3, 3)),
        *at(3_000, Act("t1", "deposit", 4, 4)),
        *at(3_090, Lose("mail", "store", 0)),
        *say(4_000, "12, 13 and 14 are acknowledged, 11 is not, though its letter is written. All up to a checkpoint "
                    "must be done, so it stays at 10. A consumer may take 30 s to answer, then the store would hand "
                    "11 out again. But before that, the store is going to restart."),
        *at(4_100, Crash("store")),
        *at(4_300, Restart("store")),
        *say(5_600, "The store knows its checkpoint, 10, and no more: it handed out 11 to 14 again, all to post, the "
                    "first to join. mail and post share the box of written letters: post found all four there, also "
                    "the one mail wrote for 11, and only acknowledged. With idempotent off each would be there twice."),
        *at(5_700, Poison(2, 60), Act("t3", "withdraw", 1, 5)),
        *say(6_100, "Event 15 cannot be read by this release. Whoever gets it asks for another try, and it comes "
                    "again behind newer events. 16 is done meanwhile: a group promises no order and holds no stream."),
        *say(7_600, "After ten retries 15 is parked, and the group goes on. Nobody waits for it."),
        *at(7_700, Release()),
        *at(7_800, ReplayParked("mail")),
        *at(8_300, Act("t1", "deposit", 1, 7), Act("t2", "deposit", 3, 8), Act("t3", "deposit", 4, 9)),
        *at(8_380, Crash("post")),
        *say(11_200, "The next release reads 15, and it was handed out again. Then post died with an event in hand. "
                     "A consumer that is silent for two seconds is taken for dead, and what it holds is not left to it "
                     "for 30 s: mail got it."),
    ),
)  # fmt: skip

SCENARIOS: Final = (
    REPLAY, TELLERS, TRAVEL, SNAPSHOTS, CHECKPOINTS, GAP, TAMPERING, UPCASTING, COMPACTION, POISON, GROUP,
)  # fmt: skip
