"""The stories. Each shows one thing, and its cues say only what the screen shows at that moment."""

from typing import Final

from engines.consistency.world.commands import Perform, SetQuorum, SetWorkload
from engines.sim import faults
from engines.sim.pattern import Config, Scenario
from engines.sim.rules import SetRule
from engines.sim.script import at, say
from engines.units import US_PER_MS

QUIET: Final[Config] = (("clients", 3), ("keys", 1), ("workload", "off"))
TWO: Final[Config] = (("clients", 3), ("keys", 2), ("workload", "off"))


def w(client: str, key: str, replica: str = "") -> Perform:
    """A client writes; the value is the next number."""
    return Perform(client, True, key, replica)


def r(client: str, key: str, replica: str = "") -> Perform:
    """A client reads."""
    return Perform(client, False, key, replica)


def slow(src: str, dst: str, ms: int) -> faults.Slow:
    """A link that takes exactly so long."""
    return faults.Slow(src, dst, ms * US_PER_MS, 0)


STALE: Final = Scenario(
    "stale-read", "A stale read at R = W = 1",
    "One acknowledgement makes a write, one answer makes a read: nothing says that they meet.",
    "eventual",
    (
        *say(100, "Three replicas, R = W = 1. Next, the links of r1 become slow: what it sends takes 400 ms."),
        *at(110, slow("r1", "r2", 400), slow("r1", "r3", 400)),
        *at(200, w("A", "x", "r1")),
        *say(300, "A wrote x=1 through r1 and has its answer: one acknowledgement was enough, r1's own."),
        *at(310, r("B", "x", "r1"), r("C", "x", "r3")),
        *say(500, "B asked at r1. C asked r3, and nothing has arrived at r3 or r2. Whether a read is fresh depends on "
                  "whom it happens to ask: with nothing propagated, 2 of 3 reads are stale on average: C(2,1) / "
                  "C(3,1)."),
        *at(900, r("C", "x", "r3")),
        *say(1_300, "The write has arrived everywhere. No promise was broken: with R + W <= N nobody promised that "
                    "quorums meet. Try t: with R = W = 2 they do."),
    ),
    1_500 * US_PER_MS, config=(*QUIET, ("nodes", 3), ("read_repair", False)), seed=9,
)  # fmt: skip

INFLIGHT: Final = Scenario(
    "in-flight", "R + W > N, and still not linearizable",
    "A write on its way is seen by one read and missed by the next, though the quorums of both are right.",
    "eventual",
    (
        *at(20, SetRule("hinted_handoff", False), SetRule("anti_entropy", False)),
        *say(100, "N = 3, R = W = 2: any two quorums share a replica. Is every read fresh, then?"),
        *at(110, faults.Lose("r1", "r2", 1_000_000), faults.Lose("r1", "r3", 1_000_000)),
        *at(200, w("A", "x", "r1")),
        *say(280, "A's write is at r1. What r1 sent to r2 and r3 is lost: A waits for a second acknowledgement."),
        *at(290, faults.Lose("r1", "r2", 0), faults.Lose("r1", "r3", 0), r("B", "x", "r2")),
        *at(600, r("C", "x", "r2")),
        *say(850, "B's quorum met r1: it returned x=1. C asked later, its quorum was r2 and r3: it returned 0. New, "
                  "then old: not linearizable. The overlap check is green: it speaks of acknowledged writes."),
        *say(1_300, "A linearizable register stores back what it read before it returns it (see the story store-back). "
                    "R + W > N alone is not enough."),
    ),
    1_500 * US_PER_MS, config=(*QUIET, ("nodes", 3), ("r", 2), ("w", 2), ("read_repair", False)), seed=24,
)  # fmt: skip

INVERSION: Final = Scenario(
    "store-back", "New, then old: a read that does not store back",
    "ABD's read has two rounds. Without the second a value can be seen and then unseen.",
    "linearizable",
    (
        *say(100, "Every read asks a majority, and stores what it found at a majority before it returns. Next, we "
                  "switch store_back off, and make A's messages to r2 and r3 slow."),
        *at(110, SetRule("store_back", False), slow("A", "r2", 300), slow("A", "r3", 300)),
        *at(200, w("A", "x")),
        *at(560, slow("B", "r3", 200), slow("C", "r1", 200)),
        *at(570, r("B", "x")),
        *say(680, "A's write is at r1 only, and not over. B heard from r1 and r2 first, and returned x=1."),
        *at(690, r("C", "x")),
        *say(800, "C heard from r2 and r3 first, after B had its answer, and returned 0. No order of the "
                  "operations explains both: e names the witness, and the diagram lights it."),
        *at(900, SetWorkload("light")),
    ),
    1_200 * US_PER_MS, config=QUIET, breaks=("linearizable",), seed=2,
)  # fmt: skip

SLOPPY: Final = Scenario(
    "sloppy-quorum", "A sloppy quorum voids the overlap",
    "Stand-ins keep writes alive in a partition, and the promise R + W > N with them goes.",
    "eventual",
    (
        *say(100, "Five machines; x lives on r1, r2, r3. R = W = 2. Quorums are strict: only those three count."),
        *at(110, SetRule("strict_quorum", False)),
        *at(120, faults.Partition((("r1", "r2", "r3"), ("r4", "r5")))),
        *at(130, w("A", "x", "r4")),
        *say(900, "Now they are sloppy, and r4 and r5 are cut off from the others. A wrote through r4: after 250 ms "
                  "without an answer r4 and r5 stood in, with hints for the owners, 3 at r4 and 1 at r5. A was told: "
                  "done."),
        *at(910, r("B", "x", "r1")),
        *say(1_300, "B asked two of the real owners and returned 0. W = 2 machines had the write, R = 2 were asked, "
                    "and they "
             "did not meet: the check of the overlap failed."),
        *at(1_310, faults.Heal()),
        *say(2_300, "Healed: the hints went home. Sloppy quorums buy availability; freshness is what they cost."),
    ),
    2_500 * US_PER_MS, config=(*QUIET, ("nodes", 5), ("r", 2), ("w", 2)), breaks=("overlap",), seed=5,
)  # fmt: skip

SKEW: Final = Scenario(
    "clock-skew", "A fast clock loses an acknowledged write",
    "Last writer wins, and the last writer is whose clock says so.",
    "eventual",
    (
        *at(50, SetRule("hybrid_time", False), faults.Skew("r1", 5_000_000, 0)),
        *say(100, "Timestamps are plain clocks here, and r1's is 5 s ahead. R = W = 2 of 3: any two quorums meet."),
        *at(110, w("A", "x", "r1")),
        *at(400, w("B", "x", "r2")),
        *say(700, "A wrote x=1, then B wrote x=2, and both were told that it is done. But x=1 carries a time 5 s "
                  "from now: "
             "every replica keeps it, and x=2 is gone."),
        *at(710, r("C", "x", "r3")),
        *say(1_000, "C reads 1. An acknowledged write is lost, with nobody crashed and nothing cut. R + W > N promises "
                    "that quorums meet, not which of two writes wins: that is up to clocks. Hybrid time (b) would "
                    "have given B's write the larger stamp: r2 had heard of A's."),
    ),
    1_300 * US_PER_MS, config=(*QUIET, ("nodes", 3), ("r", 2), ("w", 2)), breaks=("no lost write",), seed=4,
)  # fmt: skip

REPLY: Final = Scenario(
    "reply-first", "The reply is seen before its question",
    "Causal broadcast without its delivery rule: an effect overtakes its cause.",
    "causal",
    (
        *at(90, SetRule("delivery", False)),
        *say(100, "A asks a question (x), B reads it and replies (y). The delivery rule is off: r3 shows whatever "
                  "arrives. Next, the link r1 > r3 becomes slow."),
        *at(110, slow("r1", "r3", 900), slow("r1", "r2", 20), slow("r2", "r3", 20)),
        *at(200, w("A", "x", "r1")),
        *at(300, r("B", "x", "r2")),
        *at(450, w("B", "y", "r2")),
        *at(600, r("C", "y", "r3")),
        *at(750, r("C", "x", "r3")),
        *say(950, "C read the reply, y=2, and then looked for the question: x is still 0 at r3. Writes follow reads no "
             "more, "
             "and causality with it."),
        *say(1_100, "With the rule, r3 would have held y back: the vector of y names r1's first write, and r3 lacked "
                    "it. "
             "Switch it on (b) and play again."),
    ),
    1_500 * US_PER_MS, config=TWO, breaks=("causal", "ccv", "wfr"), seed=6,
)  # fmt: skip

SIBLINGS: Final = Scenario(
    "siblings", "Siblings, and their merge",
    "Two writes that do not know of each other both stay, until somebody who has read both writes.",
    "eventual",
    (
        *say(100, "Conflicts are kept here, not decided: siblings with dotted version vectors. R = W = 2 of 3."),
        *at(110, slow("r1", "r2", 100), slow("r2", "r1", 100), slow("r1", "r3", 100), slow("r2", "r3", 100)),
        *at(150, w("A", "x", "r1"), w("B", "x", "r2")),
        *say(800, "A and B wrote at the same time through r1 and r2. Neither had seen the other: dots (r1,1) and "
                  "(r2,1), "
                  "concurrent. Every replica holds both."),
        *at(810, r("C", "x", "r3")),
        *say(1_100, "C read, and was given both values with the context {r1:1, r2:1}. The history is one of single "
                    "values, so it names one of them, x=2."),
        *at(1_110, w("C", "x", "r3")),
        *say(1_500, "C's write carried that context: it replaces both, and one value is left. Had C written blind, "
                    "there "
                    "would be three."),
    ),
    1_800 * US_PER_MS, config=(*QUIET, ("nodes", 3), ("r", 2), ("w", 2), ("conflict", "siblings")), seed=7,
)  # fmt: skip

MOVED: Final = Scenario(
    "lost-session", "A session that changes its replica",
    "What a client has seen and written is at one replica; at another it may not be.",
    "causal",
    (
        *say(100, "A client usually stays with one replica. Next, it may move (rule sticky off), and nothing of what "
                  "it saw travels with it (client_vector off)."),
        *at(110, SetRule("client_vector", False), SetRule("sticky", False)),
        *at(120, slow("r1", "r3", 900), slow("r1", "r2", 900)),
        *at(200, w("A", "x", "r1")),
        *at(400, r("A", "x", "r3")),
        *say(600, "A wrote x=1 at r1 and then read x at r3: 0. It does not read its own writes, and a session that "
                  "does not "
             "is not causal either."),
        *at(610, SetRule("client_vector", True)),
        *at(620, w("B", "x", "r1")),
        *at(800, r("B", "x", "r3")),
        *say(1_000, "client_vector is on again. B wrote x=2 at r1 and asks r3: r3 lets it wait until r1's "
                    "writes come."),
        *say(1_800, "They came, and B was answered with its own write, x=2: the vector costs time, and keeps the "
                    "promise."),
    ),
    2_000 * US_PER_MS, config=QUIET, breaks=("causal", "ccv", "ryw"), seed=8,
)  # fmt: skip

ROLLBACK: Final = Scenario(
    "rollback", "A replica set rolls back a write of w:1",
    "Acknowledged by the primary alone, gone with it.",
    "mongodb",
    (
        *at(50, SetRule("majority_write", False), SetRule("majority_read", False)),
        *say(500, "r5 is the primary. Writes are acknowledged by it alone (w:1), reads return what it has (local)."),
        *at(510, w("A", "x", "r5")),
        *at(800, faults.Isolate("r5")),
        *at(810, w("A", "x", "r5")),
        *at(1_000, r("A", "x", "r5")),
        *say(1_200, "r5 is cut off. A, on its side, wrote x=2 and read it back: r5 does not know yet that nobody "
                    "follows it."),
        *at(2_200, w("B", "x", "r2")),
        *say(2_600, "The others have elected a new primary, and B wrote x=3 there. x=2 is in nobody's log but r5's."),
        *at(2_610, faults.Reconnect("r5")),
        *at(2_750, r("A", "x", "r5")),
        *say(2_950, "r5 is back, and A reads x=3 there. Its log and the new primary's part after x=1: r5 rolled x=2 "
                    "back, which A was told is done, and had read. With w: majority A would not have been told."),
    ),
    3_600 * US_PER_MS, config=QUIET, breaks=("no lost write",), seed=3,
)  # fmt: skip

CONVERGE: Final = Scenario(
    "convergence", "Three ways to become equal again",
    "After a partition: hints, read repair and Merkle trees, one after the other.",
    "eventual",
    (
        *at(20, SetRule("read_repair", False), SetRule("anti_entropy", False)),
        *say(100, "Three replicas, R = W = 1. Only hinted handoff is on. r3 will be cut off while A writes."),
        *at(110, faults.Isolate("r3"), w("A", "x", "r1")),
        *say(800, "x=1 is at r1 and r2. r1 had no answer from r3 within 250 ms: it keeps a hint for r3."),
        *at(810, faults.Reconnect("r3")),
        *say(1_500, "Hinted handoff: r1 handed the write over and deleted the hint. It repairs only what a living "
                    "coordinator saw fail."),
        *at(1_510, SetRule("hinted_handoff", False), SetRule("read_repair", True), SetQuorum(3, 3, 1)),
        *at(1_520, faults.Isolate("r3"), w("A", "x", "r1")),
        *at(2_200, faults.Reconnect("r3")),
        *at(2_700, r("B", "x", "r2")),
        *say(3_200, "Read repair, with no hints: B's read asked all three, saw that r3 had less and sent it the "
                    "newer one. "
                    "It repairs only what is read, where it is read."),
        *at(3_210, SetRule("read_repair", False), SetQuorum(3, 1, 1)),
        *at(3_220, faults.Isolate("r3"), w("A", "x", "r1")),
        *at(3_900, faults.Reconnect("r3")),
        *say(4_200, "Nobody reads, no hints are kept: without a third way r3 would differ for ever."),
        *at(4_210, SetRule("anti_entropy", True)),
        *say(6_000, "Anti-entropy: two Merkle trees of eight leaves, equal but for one leaf: seven comparisons, one "
                    "key "
                    "sent. It finds everything, and is the slowest."),
    ),
    6_300 * US_PER_MS, config=(*QUIET, ("nodes", 3)), seed=2,
)  # fmt: skip

CLOCKS: Final = Scenario(
    "article-clocks", "When are two vector clocks concurrent?",
    "The comparison that is often printed can never be true.",
    "causal",
    (
        *say(100, "Three replicas, each with a vector: how many writes of each it has seen. All are {} now."),
        *at(110, slow("r1", "r2", 500), slow("r2", "r1", 500), slow("r1", "r3", 500), slow("r2", "r3", 700)),
        *at(200, w("A", "x", "r1"), w("B", "x", "r2")),
        *say(320, "r1 has {r1:1}, r2 has {r2:1}. Often printed: concurrent if vc1 > vc2 and vc2 > vc1. But r1's "
                  "entry is "
                  "larger here and r2's there: neither clock is greater, so that test says no, as it always does."),
        *say(420, "The right test: neither is before the other, entry by entry. {r1:1} is not <= {r2:1} and {r2:1} "
                  "is not "
                  "<= {r1:1}: concurrent. Four verdicts: equal, before, after, concurrent."),
        *say(1_100, "On receipt clocks are merged, the larger of each entry: all have {r1:1, r2:1}. That merge is "
                    "often "
                    "left out, and without it no clock ever learns of another."),
        *at(1_110, w("A", "x", "r1")),
        *say(1_300, "A wrote again: {r1:2, r2:1}. It is after both others: the verdict tells cause from coincidence."),
    ),
    2_000 * US_PER_MS, config=QUIET, seed=1,
)  # fmt: skip

BUSY: Final = Scenario(
    "measured", "Stale reads, counted",
    "The closed form C(N-W,R) / C(N,R) beside what clients saw.",
    "eventual",
    (
        *at(10, SetRule("send_to_all", False), SetRule("read_repair", False), SetRule("anti_entropy", False),
            SetRule("hinted_handoff", False)),
        *say(100, "No propagation at all: a write goes to W replicas, a read asks R, both drawn at random. N = 3."),
        *at(110, SetWorkload("light")),
        *say(6_000, "R = W = 1: the formula says 2 of 3 reads miss the newest write. What was measured stands over "
                    "the chart, and is less: a read beside a write that is still under way counts as fresh."),
        *at(6_010, SetQuorum(3, 2, 2)),
        *say(12_000, "From 6 s on R = W = 2, where the formula says 0. One more read was stale, just after: the write "
                     "it missed was still made with W = 1. The share is that of the whole run, and falls."),
    ),
    12_500 * US_PER_MS, config=(("clients", 2), ("keys", 1), ("workload", "off"), ("nodes", 3)), seed=11,
)  # fmt: skip

SCENARIOS: Final = (
    STALE, INFLIGHT, INVERSION, SLOPPY, SKEW, REPLY, SIBLINGS, MOVED, ROLLBACK, CONVERGE, CLOCKS, BUSY,
)  # fmt: skip
