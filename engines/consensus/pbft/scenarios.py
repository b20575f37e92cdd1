"""The stories of PBFT, as scripts: commands at their times, and what a lecturer says in between.

Replica r0 leads view 0. Times leave room: a request takes about 0.1 s from client to client, T is 400 ms, and nothing
here depends on a message winning a race.
"""

from typing import Final

from engines.consensus.pbft.checks import AGREEMENT, CERTIFICATES, LIVENESS, ONE_DIGEST
from engines.consensus.pbft.commands import Ask, SetAct
from engines.consensus.pbft.rules import Act
from engines.sim.faults import Crash, Heal, Isolate, Reconnect, Restart
from engines.sim.pattern import Config, Scenario
from engines.sim.rules import SetRule
from engines.sim.script import at, say
from engines.units import US_PER_MS


def _quiet(*config: tuple[str, object]) -> Config:
    """Only the script asks for anything."""
    return (("clients", 0), *config)


def _does(node: str, *acts: Act, client: str = "") -> tuple[SetAct, ...]:
    return tuple(SetAct(node, act.value, True, client) for act in acts)


def _sets(value: int) -> Ask:
    return Ask("set", "x", value)


FAULT_FREE: Final = Scenario(
    name="pbft-request",
    title="One request, three phases",
    summary="A client asks the primary; pre-prepare, prepare, commit; f+1 equal replies are believed.",
    variant="pbft",
    config=_quiet(),
    end_us=1_400 * US_PER_MS,
    script=(
        *say(100, "Four replicas, one of which may lie: n = 3f+1 with f = 1. r0 leads view 0. The client asks it."),
        *at(200, _sets(1)),
        *say(245, "PRE-PREPARE: r0 has given the request number 1 and told the three backups. Each of them will say "
                  "to all which request it got: a primary that tells two stories is found out by that."),
        *say(600, "Done. Two PREPAREs beside the pre-prepare made a certificate, three COMMITs made it final, and the "
                  "client believed the first two equal replies: one of any two replicas is correct. 24 messages "
                  "between the replicas, 2n(n-1); Raft with four servers needs 6."),
        *at(700, Ask("add", "x", 5)),
        *say(1_200, "The same again. No replica ever trusted another: it counted. A majority of 3 in 4 would do for "
                    "crashes alone; against liars it takes 2f+1 = 3 of 3f+1 = 4, so that any two quorums share a "
                    "correct replica."),
    ),
)  # fmt: skip

SILENT_PRIMARY: Final = Scenario(
    name="pbft-silent-primary",
    title="The primary falls silent: a view change",
    summary="Backups that know of a request wait T for it, then move to the next view together.",
    variant="pbft",
    config=_quiet(),
    end_us=3_000 * US_PER_MS,
    script=(
        *at(100, _sets(1)),
        *say(400, "r0 leads view 0, and request 1 is executed everywhere. Next, r0 goes silent: it hears all and says "
                  "nothing. To the others that is the same as a crash."),
        *at(500, *_does("r0", Act.SILENT)),
        *at(550, _sets(2)),
        *say(900, "The client had no answer in 250 ms and asked everybody. Each backup passed the request on to the "
                  "primary and started its timer: it does not know who is at fault, only that it waits."),
        *say(1_600, "The timers ran out, three VIEW-CHANGEs for view 1 met, and r1 leads it. Each VIEW-CHANGE carried "
                    "the certificates of its sender, so what may have been executed is taken over."),
        *say(2_600, "r0 still hears and still executes. A silent backup costs nothing but the messages it does not "
                    "send."),
    ),
)  # fmt: skip

EQUIVOCATION: Final = Scenario(
    name="pbft-equivocation",
    title="A primary that tells two stories",
    summary="One number, two requests: neither half is enough for a certificate, or only one of them is.",
    variant="pbft",
    config=_quiet(),
    end_us=4_500 * US_PER_MS,
    script=(
        *at(100, _sets(1)),
        *say(400, "x = 1 is executed. From now on r0 gives each number to the new request for r1 and r2, and to an "
                  "older one, which the client signed as well, for r3."),
        *at(500, *_does("r0", Act.EQUIVOCATE)),
        *at(550, _sets(2)),
        *say(900, "r1 and r2 prepared the new request: their own PREPARE and the other's are 2f = 2. r3 has one "
                  "PREPARE for its request, its own, and two for another: never enough. With r0's COMMIT the two "
                  "executed it, and the client has its f+1 replies."),
        *say(1_900, "r3 does not complain: the client has its answer, and what r3 was told to do was done before. It "
                    "cannot execute number 2 and waits; it will follow by a checkpoint. No correct replica executed "
                    "anything else at number 2."),
        *at(2_000, *(_sets(value) for value in (3, 4, 5))),
        *say(4_200, "Number 5 was a checkpoint: r3 saw it certified by others, fetched the state and verified its "
                    "digest. All correct replicas hold the same."),
    ),
)  # fmt: skip

LYING_BACKUP: Final = Scenario(
    name="pbft-lying-backup",
    title="A lying backup is outvoted",
    summary="Wrong votes, wrong replies, wrong checkpoints: one of four is counted for nothing.",
    variant="pbft",
    config=(("clients", 1), ("workload", "busy")),
    end_us=3_000 * US_PER_MS,
    script=(
        *say(300, "r2 is about to lie about everything it can: votes for other digests, results that are wrong, "
                  "states that nobody has."),
        *at(400, *_does("r2", Act.WRONG_VOTES, Act.WRONG_REPLY, Act.WRONG_CHECKPOINT)),
        *say(1_600, "Nothing happens. Its votes match nothing and count for nothing; r0, r1 and r3 are 2f+1 without "
                    "it. Clients get one wrong reply and at least two equal ones. The checkpoints become stable by "
                    "the other three."),
        *at(1_700, Crash("r3")),
        *say(2_600, "Now r3 is down as well: two of four are at fault, more than f. Nothing wrong is executed, but "
                    "two correct replicas are no quorum: the cluster waits. Safety is kept, progress is not."),
        *at(2_650, Restart("r3")),
        *say(2_950, "r3 is back, with all it had promised on its disk, and the requests go through."),
    ),
)  # fmt: skip

SLOW_PRIMARY: Final = Scenario(
    name="pbft-slow-primary",
    title="Just below the timeout",
    summary="A primary that delays everything a little less than T is never replaced: the known weakness of PBFT.",
    variant="pbft",
    config=(("clients", 1), ("workload", "busy")),
    end_us=6_000 * US_PER_MS,
    script=(
        *say(1_000, "A client works and got six answers in the first second. Next, the primary holds every "
                    "pre-prepare back for 350 ms; the backups wait 400 ms before they complain."),
        *at(1_100, *_does("r0", Act.DELAY)),
        *say(4_000, "Two requests a second instead of six, and no view change: each timer stops just in time. PBFT "
                    "promises safety always and progress in the end; it promises no speed. Later protocols (Aardvark, "
                    "Prime) measure the primary for this."),
        *at(4_100, SetAct("r0", Act.DELAY.value, False)),
        *say(5_800, "An honest primary again, and the old pace."),
    ),
)  # fmt: skip

EXHAUSTION: Final = Scenario(
    name="pbft-exhaustion",
    title="Numbers with holes",
    summary="A primary skips numbers to use them up. The window bounds it; after the view change null fills the holes.",
    variant="pbft",
    config=_quiet(),
    end_us=3_500 * US_PER_MS,
    script=(
        *at(100, _sets(1)),
        *say(400, "Every number a primary gives must lie in the window: above the stable checkpoint h, and not above "
                  "h + 20. So it cannot jump to the end of all numbers. But it can leave holes."),
        *at(500, *_does("r0", Act.SKIP_NUMBERS)),
        *at(550, _sets(2)),
        *at(700, Ask("add", "x", 10)),
        *say(1_000, "Number 2 was ordered as it should: x is 2. Then r0 left 3 and 4 out, and number 5, x+=10, waits "
                    "behind them, committed and not executed: numbers are executed in order."),
        *say(2_600, "The backups timed out. The new primary r1 found a certificate above the hole and none inside it, "
                    "so it proposed null there: a request that changes nothing. Then number 5 was executed: 2 + 10 is "
                    "12."),
        *at(2_700, _sets(3)),
        *say(3_300, "What a traitor wasted were a few numbers and the time of one view change."),
    ),
)  # fmt: skip

FORGED_VIEW_CHANGE: Final = Scenario(
    name="pbft-forged-proof",
    title="A forged VIEW-CHANGE",
    summary="A VIEW-CHANGE is believed for the certificates in it, whose signatures only their makers can give.",
    variant="pbft",
    config=_quiet(),
    end_us=3_000 * US_PER_MS,
    script=(
        *at(100, _sets(1)),
        *say(400, "r3 will forge its next VIEW-CHANGE: a certificate for a request of its own invention, with votes "
                  "signed in the others' names. The primary r0 is about to crash."),
        *at(450, *_does("r3", Act.FORGE_PROOF)),
        *at(500, Crash("r0")),
        *at(550, _sets(2)),
        *say(1_500, "r1 and r2 asked for view 1; so did r3, but its certificate is void: what it signed is not what r1 "
                    "signed. Two valid VIEW-CHANGEs are not 2f+1 = 3, so nobody opens the view: with r0 down, two are "
                    "at fault, and f is 1."),
        *at(1_600, Restart("r0")),
        *say(2_800, "r0 is back, learns from the others how far they are, joins them, and the view opens without "
                    "r3's word. The forged request was never near execution."),
    ),
)  # fmt: skip

PARTIAL_NEW_VIEW: Final = Scenario(
    name="pbft-new-view-to-some",
    title="A NEW-VIEW for some only",
    summary="The next primary is a traitor too, with f = 2: it opens its view for half of the replicas.",
    variant="pbft",
    config=_quiet(("nodes", 7)),
    end_us=4_000 * US_PER_MS,
    script=(
        *at(100, _sets(1)),
        *say(400, "Seven replicas survive two traitors, here the first two primaries: r0 will fall silent, and r1 will "
                  "open view 1 for half of the replicas only."),
        *at(450, *_does("r0", Act.SILENT), *_does("r1", Act.NEW_VIEW_TO_SOME)),
        *at(500, _sets(2)),
        *say(1_350, "View 1 is open for some: r2, r3 and r4 take part, r5 and r6 wait for a NEW-VIEW that does not "
                    "come. With r1 those are four of seven; a quorum is five, so nothing commits."),
        *say(3_000, "Whoever waited for the NEW-VIEW, and whoever waited for the request, waited T = 400 ms: then they "
                    "moved on to view 2, whose primary r2 is correct, and executed the request. At most f bad "
                    "primaries follow each other, and each costs one timeout, doubled after every view that brought "
                    "nothing."),
    ),
)  # fmt: skip

CENSORSHIP: Final = Scenario(
    name="pbft-censored-client",
    title="A client that the primary ignores",
    summary="A request is sent to all when the primary does not answer: it cannot be left out for ever.",
    variant="pbft",
    config=(("clients", 1), ("workload", "busy")),
    end_us=3_200 * US_PER_MS,
    script=(
        *say(300, "c1 works. Next, you ask too, for x=7; but the primary will ignore you, and serve c1 as ever."),
        *at(400, *_does("r0", Act.CENSOR, client="you")),
        *at(450, _sets(7)),
        *say(800, "After 250 ms without an answer you asked all replicas. The backups passed x=7 on and wait: a "
                  "request they know of must be executed within T = 400 ms, whoever sent it."),
        *say(1_140, "It was not. The timers of the backups ran out, and they (V) ask for view 1: three VIEW-CHANGEs "
                    "will open it. c1 had no complaint, and has to wait too."),
        *say(1_700, "r1 leads view 1, and x=7 is executed; c1 has set x to 4 since."),
        *say(3_000, "A primary can delay a client by one timeout. Then it is primary no more."),
    ),
)  # fmt: skip

TWO_TRAITORS: Final = Scenario(
    name="pbft-f-plus-1",
    title="f+1 traitors: two truths",
    summary="The primary and one backup lie together: two correct replicas execute different requests.",
    variant="pbft",
    config=_quiet(),
    end_us=2_000 * US_PER_MS,
    breaks=(AGREEMENT, CERTIFICATES),
    script=(
        *at(100, _sets(1)),
        *say(400, "Four replicas survive one traitor. Next, two work together: r0 will give number 2 to the new "
                  "request x=2 for r1 and to the old x=1 for r2, and r3 will say to each what it wants to hear."),
        *at(450, *_does("r0", Act.EQUIVOCATE, Act.TWO_FACED), *_does("r3", Act.TWO_FACED)),
        *at(500, _sets(2)),
        *say(1_400, "Two certificates for number 2, and r0 and r3 are in both: r1 executed x=2, r2 the old x=1. Any "
                    "two quorums of 3 in 4 share two replicas, here the traitors. To r1 only r2 seems to lie, and "
                    "to r2 only r1: one liar is what each of them expects (its x)."),
    ),
)  # fmt: skip

LAGGARD: Final = Scenario(
    name="pbft-laggard",
    title="A replica that was cut off catches up",
    summary="Checkpoints let the others forget; who missed them fetches the state and verifies its digest.",
    variant="pbft",
    config=(("clients", 1), ("workload", "busy"), ("checkpoint", 2), ("windows", 2)),
    end_us=4_200 * US_PER_MS,
    script=(
        *at(300, Isolate("r3")),
        *say(350, "r3 is cut off. A checkpoint is taken every 2 requests here, and once 2f+1 replicas claim the same "
                  "state, everything before it is dropped."),
        *say(2_000, "The others have moved on and thrown away what r3 would need: no log reaches back that far. r3 "
                    "knew of one request that did not come through and asked for view 1, all alone."),
        *at(2_050, *_does("r1", Act.WRONG_STATE)),
        *at(2_100, Reconnect("r3")),
        *say(2_110, "r3 is connected again. And r1, which it may ask for the state, is going to lie."),
        *say(3_400, "r3 saw a certified checkpoint above its window, asked for that state, held it against the "
                    "digest, and asked another where it did not fit. With it came the last reply to each client: no "
                    "request runs twice. It still waits for view 1, alone, and follows from checkpoint to "
                    "checkpoint."),
        *at(3_450, Heal()),
    ),
)  # fmt: skip

FORGETFUL: Final = Scenario(
    name="pbft-forgetful",
    title="A replica that forgets counts as a traitor",
    summary="A promise that a crash can erase is none: the same number is promised to another request.",
    variant="pbft",
    config=_quiet(),
    end_us=2_600 * US_PER_MS,
    breaks=(ONE_DIGEST,),
    script=(
        *at(100, _sets(1)),
        *say(400, "What a replica promises must be on its disk before the message leaves. Next, that rule goes "
                  "off on all correct replicas, and r0 tells r3 another story."),
        *at(450, SetRule("remember", False), *_does("r0", Act.EQUIVOCATE)),
        *at(500, _sets(2)),
        *at(700, Crash("r3")),
        *at(710, SetAct("r0", Act.EQUIVOCATE.value, False)),
        *at(720, Restart("r3")),
        *say(1_000, "r3 had accepted an old request at number 2 and told all so. It crashed and came back without a "
                    "memory: view 0, nothing executed, nothing promised."),
        *say(2_200, "Now r0 repeated what it had told the others, and r3 accepted that as well: it has promised "
                    "number 2 twice. To the others there is no difference between that and a lie. So traitors and "
                    "forgetful replicas together may be f."),
    ),
)  # fmt: skip

READ_ONLY: Final = Scenario(
    name="pbft-read-only",
    title="Fast reads that cost liveness",
    summary="Reads without an order need 2f+1 equal replies, and so do writes then: one left behind can stall them.",
    variant="pbft",
    config=_quiet(("read_only", True)),
    end_us=28_000 * US_PER_MS,
    breaks=(LIVENESS,),
    script=(
        *at(100, _sets(1)),
        *at(400, Ask("get", "x", 0)),
        *say(700, "Reads are answered at once, by everybody, without an order: one round trip. For that to be right a "
                  "client must hear 2f+1 = 3 equal replies, to its writes as well: else a read could miss a write "
                  "that f+1 confirmed."),
        *at(800, *_does("r0", Act.SILENT_TO_SOME, Act.WRONG_REPLY)),
        *at(850, _sets(2)),
        *say(2_000, "r0 leaves r3 out and lies to the client. r0, r1 and r2 order and execute the write, so r1 and r2 "
                    "are content: 2 equal replies. r3 knows the request, times out and asks for view 1, alone: one is "
                    "not f+1. The client needs 3 and will wait for ever."),
        *say(27_500, "It still waits. With f+1 replies PBFT is live here; with 2f+1 it is not. (Berger, Reiser and "
                     "Bessani showed this in 2021, twenty-two years after the paper.)"),
    ),
)  # fmt: skip

SCENARIOS: Final = (
    FAULT_FREE, SILENT_PRIMARY, EQUIVOCATION, LYING_BACKUP, SLOW_PRIMARY, EXHAUSTION, FORGED_VIEW_CHANGE,
    PARTIAL_NEW_VIEW, CENSORSHIP, TWO_TRAITORS, LAGGARD, FORGETFUL, READ_ONLY,
)  # fmt: skip
