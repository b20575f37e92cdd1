"""What a lecturer says is true on the screen at which it is said: every number and every name of every cue.

A claim is a piece of a cue and what must hold of the snapshot at its moment. A cue may not hold a digit that no claim
covers; what is true of any run (a formula, a version of Cassandra) is a claim without a condition.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import pytest

from engines.sharding.pattern import PATTERN
from engines.sharding.world import events as e
from engines.sharding.world.events import Said
from engines.sharding.world.snapshot import Snapshot
from engines.sim.faults import Narrate
from tests.engines.sharding.world.test_stories import heard_of, seen

Claim = tuple[str, Callable[[Any], Any]]
"""A piece of the cue, and what must hold of the snapshot: of whatever it has at that moment."""


def always(_: Snapshot) -> bool:
    """True of any run."""
    return True


def node(s: Snapshot, name: str) -> Any:
    """A machine that is there."""
    found = s.node(name)
    assert found is not None
    return found


def key(s: Snapshot, name: str) -> Any:
    """A tracked key."""
    found = s.key(name)
    assert found is not None
    return found


def way(s: Snapshot, name: str) -> tuple[tuple[str, Said], ...]:
    """Who answered what to the newest request for a key."""
    return tuple((hop.node, hop.said) for hop in key(s, name).hops)


def near(ppm: int, wanted: float, digits: int) -> bool:
    """Whether a ratio reads so, with so many digits after the point."""
    return round(ppm / 1_000_000, digits) == wanted or int(ppm / 10 ** (6 - digits)) == round(wanted * 10**digits)


def served(ms: int) -> tuple[int, int]:
    """Requests that the working clients of full-coverage were served, and gave up, by then."""
    workers = [each for each in seen("full-coverage", ms).clients if each.id != "you"]
    return sum(each.done for each in workers), sum(each.failed for each in workers)


TAG: Final = "{user1000}."

CLAIMS: Final[dict[tuple[str, int], tuple[Claim, ...]]] = {
    ("mod-n", 1_000): (
        ("Ten nodes, owner = hash mod 10", lambda s: len(s.nodes) == 10),
        ("cv 0.042", lambda s: near(s.balance.cv_ppm, 0.042, 3)),
        ("sqrt(9/4000) = 0.047", lambda s: s.balance.keys == 4_000 and round((9 / 4_000) ** 0.5, 3) == 0.047),
    ),
    ("mod-n", 1_800): (
        ("hash mod 11 when this is done", lambda s: node(s, "n11").role == "joining" and len(s.nodes) == 11),
        ("1 of 11. So 10 of 11 pack up", always),
        ("3,668 of 4,000", lambda s: (s.plan.keys, s.balance.keys) == (3_668, 4_000)),
        ("9 of 11 travel between", lambda s: 780_000 < s.comparison.rows[0].between_survivors_ppm < 860_000),
    ),
    ("mod-n", 7_000): (
        ("1/11 of the keys, 9.1 %", lambda s: s.comparison.ideal_ppm == 90_909),
        ("nothing between survivors", lambda s: [
            row.between_survivors_ppm for row in s.comparison.rows
            if row.strategy in ("ring", "slots", "jump", "rendezvous")] == [0] * 4),
    ),
    ("virtual-nodes", 1_000): (
        ("Six nodes, one token each", lambda s: (len(s.nodes), s.vnodes) == (6, 1)),
        ("n4 has 40 % of the keys", lambda s: round(node(s, "n4").share_ppm / 10_000) == 40),
        ("n1 0.4 %", lambda s: round(node(s, "n1").share_ppm / 10_000, 1) == 0.4),
        ("(cv) is 0.79", lambda s: near(s.balance.cv_ppm, 0.79, 2)),
        ("sqrt(5/7) = 0.85", lambda s: near(s.balance.expected_cv_ppm, 0.85, 2)),
    ),
    ("virtual-nodes", 4_500): (
        ("16 tokens each: a node owns 16 small", lambda s: s.vnodes == 16),
        ("sqrt(5/97) = 0.23", lambda s: near(s.balance.expected_cv_ppm, 0.23, 2)),
        ("This ring has 0.36", lambda s: near(s.balance.cv_ppm, 0.36, 2)),
    ),
    ("virtual-nodes", 8_000): (
        ("150 each: 0.074 expected", lambda s: s.vnodes == 150 and near(s.balance.expected_cv_ppm, 0.074, 3)),
        ("0.080 here", lambda s: near(s.balance.cv_ppm, 0.080, 3)),
        ("14 % over the mean", lambda s: near(s.balance.peak_ppm, 1.14, 2)),
    ),
    ("virtual-nodes", 11_500): (
        ("1000 each: 0.029 expected", lambda s: s.vnodes == 1_000 and near(s.balance.expected_cv_ppm, 0.029, 3)),
        ("0.033 with these 5,000 keys", lambda s: near(s.balance.cv_ppm, 0.033, 3) and s.balance.keys == 5_000),
        ("Nearly 7 times the tokens, sqrt(7) = 2.6 times", lambda s: 6 < 1_000 / 150 < 7),
        ("any two failures lose something", lambda s: s.curves[-1].loss_ppm == 1_000_000),
        ("from 256 back to 16", always),
    ),
    ("hot-key", 3_000): (("4 of 10 ask for one key on average", lambda s: 300_000 < s.balance.hottest_ppm < 500_000),),
    ("hot-key", 7_000): (
        ("another node glows", lambda s: key(s, s.balance.hottest).owner
         != key(seen("hot-key", 3_000), s.balance.hottest).owner),
        ("2.5 times the mean", lambda s: near(s.balance.ops_peak_ppm, 2.5, 1)),
        ("beyond 1.1 times the mean", lambda s: seen("hot-key", 12_000).bound == 110),
    ),
    ("hot-key", 12_000): (
        ("n6 has 1 key", lambda s: node(s, "n6").owned == 1 and key(s, s.balance.hottest).owner == "n6"),
        ("40 % of the requests", lambda s: round(node(s, "n6").ops_ppm / 10_000) == 40),
        ("2.4 times the mean", lambda s: near(s.balance.ops_peak_ppm, 2.4, 1)),
        ("eight copies", lambda s: seen("hot-key", 19_000).salted[0][1] == 8),
    ),
    ("hot-key", 19_000): (
        ("all six nodes", lambda s: len(s.nodes) == 6),
        ("from 2.4 to 1.4 times the mean", lambda s: near(s.balance.ops_peak_ppm, 1.4, 1)),
        ("59 requests a second instead of 37", lambda s: (s.balance.ops_per_ks // 1_000,
         seen("hot-key", 12_000).balance.ops_per_ks // 1_000) == (59, 37)),
    ),
    ("slot-migration", 1_000): (
        ("hash tag {user1000}: slot 3443, all on n1",
         lambda s: {(each.slot, each.owner) for each in s.keys} == {(3_443, "n1")} and len(s.keys) == 4),
        ("that slot to n3", always),
        ("First n3 is told IMPORTING, then n1 MIGRATING", always),
    ),
    ("slot-migration", 2_050): (
        ("n1 still has the key and served it", lambda s: "n1" in dict(key(s, TAG + "posts").holders)),
        ("n3 was asked too, without ASKING: MOVED, back to n1",
         lambda s: way(s, TAG + "posts")[0] == ("n3", Said.MOVED)),
    ),
    ("slot-migration", 3_150): (
        ("The cart has gone. n1 answers ASK n3",
         lambda s: way(s, TAG + "cart") == (("n1", Said.ASK), ("n3", Said.SERVED))),
    ),
    ("slot-migration", 3_350): (("one here and one there", lambda s: [
        dict(key(s, TAG + name).holders).keys() for name in ("cart", "posts")] == [{"n3"}, {"n1"}]),),
    ("slot-migration", 3_800): (("MOVED to n1", lambda s: key(s, TAG + "posts").owner == "n1"),),
    ("slot-migration", 4_400): (
        ("born on n3", lambda s: set(dict(key(s, TAG + "new").holders)) == {"n3"}),
        ("that is still n1", lambda s: key(s, TAG + "new").owner == "n1"),
    ),
    ("slot-migration", 7_300): (
        ("assigned to n3", lambda s: s.plan is None and key(s, TAG + "cart").owner == "n3"),
        ("asks n1 once more", lambda s: s.clients[-1].behind > 0),
    ),
    ("slot-migration", 8_000): (("MOVED 3443 n3", lambda s: way(s, TAG + "following") == (
        ("n1", Said.MOVED), ("n3", Said.SERVED))),),
    ("slot-migration", 8_600): (("Straight to n3", lambda s: way(s, TAG + "following") == (("n3", Said.SERVED),)),),
    ("a-to-m", 1_500): (("A to M live on n1, from N to Z on n2", lambda s: [
        (chunk.min, chunk.owner) for chunk in s.chunks] == [("", "n1"), ("N", "n2")]),),
    ("a-to-m", 3_000): (
        ("16 of these 35 come before N", lambda s: (s.chunks[0].keys, s.balance.keys) == (16, 35)),
        ("14 from S on", lambda s: seen("a-to-m", 6_400).chunks[2].keys == 14),
    ),
    ("a-to-m", 5_000): (("stay on n2", lambda s: [
        chunk.owner for chunk in seen("a-to-m", 6_400).chunks] == ["n1", "n2", "n2"]),),
    ("a-to-m", 6_500): (("n2 serves those it still has", lambda s: s.chunks[2].owner == "n2"),),
    ("a-to-m", 12_000): (
        ("Three nodes share the names", lambda s: [chunk.owner for chunk in s.chunks] == ["n1", "n2", "n3"]),
        ("of late S was asked for most", lambda s: max(
            s.chunks, key=lambda chunk: chunk.ops_per_ks).min == "S" and node(s, "n1").ops_ppm > node(s, "n3").ops_ppm),
        ("n2 answered a part of that before it moved", lambda s: 0 < s.chunks[2].ops_per_ks - node(
            s, "n3").ops_per_ks == node(s, "n2").ops_per_ks - s.chunks[1].ops_per_ks),
        ("split n1's names at G", lambda s: seen("a-to-m", 13_000).chunks[1].min == "G"),
    ),
    ("a-to-m", 15_500): (("merged without moving a key", lambda s: len(s.chunks) == 3),),
    ("monotonic", 17_000): (
        ("n4 has 46 % of the keys", lambda s: node(s, "n4").share_ppm // 10_000 == 46),
        ("1.9 times the mean", lambda s: near(s.balance.peak_ppm, 1.9, 1)),
        ("takes every write", lambda s: node(s, "n4").ops_ppm == 1_000_000),
    ),
    ("monotonic", 30_000): (
        ("for 13 seconds", lambda s: s.balance.ops_per_ks == 0),
        ("1.16 times the mean", lambda s: near(s.balance.peak_ppm, 1.16, 2)),
    ),
    ("jumbo", 1_000): (
        ("at most 151 documents", lambda s: heard_of("jumbo", e.Indivisible)[0].limit == 151),
        ("India alone has 260", lambda s: next(c.keys for c in s.chunks if c.min == "country:IN") == 260),
    ),
    ("jumbo", 12_000): (
        ("what the fullest node, n2, had beside its jumbo chunk",
         lambda s: [chunk.min for chunk in s.chunks if chunk.owner == "n2"] == ["country:IN"]),
        ("The spread (cv) even rose", lambda s: s.balance.cv_ppm > seen("jumbo", 5_000).balance.cv_ppm),
        ("India alone is 1.61 times that", lambda s: s.balance.peak_ppm // 10_000 == 161),
    ),
    ("rack-loss", 1_000): (
        ("Six nodes in three racks, two copies",
         lambda s: (len(s.nodes), len({each.rack for each in s.nodes}), s.rf) == (6, 3, 2)),
        ("n1 and n4 share rack r1", lambda s: [node(s, name).rack for name in ("n1", "n4")] == ["r1", "r1"]),
    ),
    ("rack-loss", 4_500): (("n1 and n4 are unavailable", lambda s: s.coordinator.uncovered == ("n1", "n4")),),
    ("rack-loss", 16_500): (("two racks now", lambda s: s.rack_aware and s.plan is None),),
    ("rack-loss", 20_500): (("every key has a live owner", lambda s: s.coordinator.covered
                             and [each.id for each in s.nodes if each.dead] == ["n1", "n4"]),),
    ("full-coverage", 1_000): (("Four nodes with a quarter", lambda s: {
        round(share.ppm / 250_000, 2) for share in s.shares} == {1.0}),),
    ("full-coverage", 9_000): (("Reads of living slots are served", lambda s: s.coordinator.reads_when_down),),
    ("full-coverage", 14_000): (
        ("In the last 3 seconds 28 requests were served, and 10 given up", lambda s: tuple(
            now - before for now, before in zip(served(14_000), served(11_000), strict=True)) == (28, 10)),
    ),
    ("failover", 1_000): (("Three copies", lambda s: s.rf == 3),),
    ("failover", 2_000): (("n3 will die", lambda s: s.plan is not None and 0 < s.plan.keys_done < s.plan.keys),),
    ("failover", 5_200): (
        ("n3 was silent for two seconds", lambda s: node(s, "n3").dead),
        ("n3's keys have new owners", lambda s: node(s, "n3").owned == 0 and s.coordinator.term == 2),
        ("the join has begun anew", lambda s: s.plan is not None and s.plan.number == 2),
    ),
    ("failover", 15_000): (("n3 is back with old data", lambda s: node(s, "n3").stale),),
    ("failover", 22_000): (("All is as it should be", lambda s: s.plan is None and s.coordinator.covered),),
    ("not-kept", 1_000): (("the link from n1 to it", always),),
    ("not-kept", 6_500): (("n1 deleted what it sent", lambda s: any(
        not each.holders for each in s.keys if each.why.value == "lost")),),
    ("no-ask", 1_000): (("Slot 3443 moves from n1 to n3", lambda s: key(s, TAG + "cart").owner == "n1"),),
    ("no-ask", 4_000): (("safe on n3", lambda s: "n3" in dict(key(s, TAG + "cart").holders)),),
    ("deposed-owner", 1_000): (("the owner of k, n2", lambda s: key(s, "k").owner == "n2"),),
    ("deposed-owner", 5_500): (
        ("n2 was declared dead", lambda s: node(s, "n2").dead),
        ("its replica n1 was promoted and took k=2", lambda s: key(s, "k").owner == "n1"),
        ("one of them n2 itself", always),
    ),
    ("deposed-owner", 8_000): (
        ("Of six reads n1 answered five, with k=2", lambda s: [
            each.values[0] for each in heard_of("deposed-owner", e.Answered) if each.values].count(("k", 2)) == 6),
        ("n2 has not been told, and still answers k=1", lambda s: ("k", 1) in [
        each.values[0] for each in heard_of("deposed-owner", e.Answered) if each.values][2:]),
    ),
    ("old-permission", 1_000): (
        ("Two copies", lambda s: s.rf == 2),
        ("views=7 is written and lies on n1 and n5", lambda s: key(s, "views").group == ("n1", "n5")),
        ("n7 joins, and n3 dies", always),
    ),
    ("old-permission", 2_300): (
        ("Plan 1: n1 has handed views over to n7", lambda s: s.plan.number == 1
         and "n7" in dict(key(s, "views").holders)),
        ("answers ASK for it. n7 owns nothing yet", lambda s: node(s, "n7").owned == 0),
        ("what you send to n7", always),
        ("waits for the dead n3", lambda s: any(lane.blocked_by == "n3" for lane in s.plan.lanes)),
    ),
    ("old-permission", 3_780): (
        ("n1 told you ASK n7", lambda s: any(link.dst == "n7" and link.held for link in s.links)),
        ("plan 1 was called off, n7 dropped what it had", lambda s: "n7" not in dict(key(s, "views").holders)),
        ("plan 2 began anew: n7 imports again", lambda s: s.plan.number == 2 and bool(node(s, "n7").importing)),
        ("views is back at n1", lambda s: key(s, "views").owner == "n1"),
    ),
    ("old-permission", 4_300): (
        ("n7 took the old ASK for one of plan 2", lambda s: way(s, "views") == (
            ("n1", Said.ASK), ("n7", Said.MISSING))),
        ("n1 has it and answers for it", lambda s: key(s, "views").owner == "n1"),
        ("With the rule n7 says MOVED, and n1 serves views=7", always),
    ),
}  # fmt: skip

CUES: Final = tuple(
    (story.name, step.at_us // 1_000, step.command.text)
    for story in PATTERN.scenarios
    for step in story.script
    if isinstance(step.command, Narrate)
)


@pytest.mark.parametrize(("name", "ms", "text"), CUES, ids=[f"{name}-{ms}" for name, ms, _ in CUES])
def test_a_cue_is_true_at_its_moment(name: str, ms: int, text: str) -> None:
    rest = text
    for words, holds in CLAIMS.get((name, ms), ()):
        assert words in text
        assert holds(seen(name, ms)), words
        rest = rest.replace(words, " ", 1)
    assert not re.search(r"\d", rest), "a number that no claim covers"


def test_every_claim_belongs_to_a_cue() -> None:
    assert set(CLAIMS) <= {(name, ms) for name, ms, _ in CUES}
