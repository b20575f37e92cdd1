"""What a lecturer says is true on the screen at which it is said: every number and every name of every cue of Raft.

A claim is a piece of a cue and what must hold of the snapshot at its moment. A cue may not hold a digit that no claim
covers; what only announces what comes next is a claim without a condition.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest

from engines.consensus.pattern import PATTERN
from engines.consensus.raft.snapshot import Server, Snapshot
from engines.sim.faults import Narrate
from engines.sim.pattern import Step
from engines.sim.timeline import Timeline
from tests.engines.consensus.raft import cues_of_members, cues_of_reads, cues_of_snapshots, cues_of_the_gallery

Claim = tuple[str, Callable[[Snapshot], Any]]


def soon(_: Snapshot) -> bool:
    """An announcement, or true of any run."""
    return True


def server(s: Snapshot, name: str) -> Server:
    found = s.server(name)
    assert found is not None
    return found


def terms(s: Snapshot, name: str) -> list[int]:
    """The terms of the entries in a log."""
    return [entry.term for entry in server(s, name).log]


def holds(s: Snapshot, text: str) -> list[str]:
    """Who has this command in its log."""
    return [each.id for each in s.servers if text in [written(entry.command) for entry in each.log if entry.command]]


def written(command: Any) -> str:
    return f"{command.key}={command.value}"


def leads(s: Snapshot) -> dict[str, int]:
    """Working leaders and their terms."""
    return {each.id: each.term for each in s.servers if each.role == "leader" and each.status == "up"}


def crashed(s: Snapshot) -> list[str]:
    return [each.id for each in s.servers if each.status == "crashed"]


def yes(s: Snapshot, name: str) -> list[str]:
    return [voter for voter, granted in server(s, name).votes if granted]


def rule(s: Snapshot, name: str) -> bool:
    return dict(s.rules)[name]


def figure_7(s: Snapshot) -> bool:
    """The seven logs as the paper has them."""
    return ["".join(map(str, terms(s, each.id))) for each in s.servers] == [
        "1114455666", "111445566", "1114", "11144556666", "111445566677", "1114444", "11122233333",
    ]  # fmt: skip


def alone(s: Snapshot) -> Server:
    """The follower that is cut off from all."""
    return next(each for each in s.servers if len(each.cut_from) == len(s.servers) - 1)


CLAIMS: dict[tuple[str, int], tuple[Claim, ...]] = {
    ("election", 1): (
        ("Five servers, all followers", lambda s: [each.role for each in s.servers] == ["follower"] * 5),
        ("between 150 and 300 ms", lambda s: (s.election_min_us, s.election_max_us) == (150_000, 300_000)),
    ),
    ("election", 700): (
        ("It has a leader", leads),
        ("3 of 5 votes are enough", lambda s: (s.quorum, len(s.servers), len(yes(s, s.leader))) == (3, 5, 3)),
        ("Next, we kill it", soon),
    ),
    ("election", 1205): (("A crash is only silence", lambda s: len(crashed(s)) == 1 and not leads(s)),),
    ("election", 1500): (
        ("A new leader, in a higher term", lambda s: list(leads(s).values()) == [2]),
        ("with every committed entry", lambda s: server(s, s.leader).last_index >= s.commit),
    ),
    ("election", 2500): (
        ("and follows", lambda s: server(s, "n3").role == "follower" and server(s, "n3").term == 2),
        ("What it had missed was sent", lambda s: terms(s, "n3") == terms(s, s.leader)),
    ),
    ("split-vote", 1000): (
        ("A leader and four followers", lambda s: sum(each.role == "follower" for each in s.servers) == 4),
        ("Pre-vote is off", lambda s: not rule(s, "pre_vote")),
    ),
    ("split-vote", 1165): (
        (
            "Four candidates in one term",
            lambda s: [each.term for each in s.servers if each.role == "candidate"] == [2] * 4,
        ),
        (
            "one vote each, three are needed",
            lambda s: (
                s.quorum == 3 and all(yes(s, each.id) == [each.id] for each in s.servers if each.role == "candidate")
            ),
        ),
    ),
    ("split-vote", 1450): (
        ("between 150 and 300 ms", lambda s: s.election_max_us == 300_000),
        ("to be elected", leads),
    ),
    ("minority-leader", 1200): (
        (
            "x=1 is committed everywhere",
            lambda s: all(each.commit == 2 for each in s.servers) and len(holds(s, "x=1")) == 5,
        ),
        ("Check-quorum is off", lambda s: not rule(s, "check_quorum")),
    ),
    ("minority-leader", 2230): (
        ("The old leader took x=2", lambda s: "n3" in holds(s, "x=2")),
        ("has it on 2 of 5", lambda s: holds(s, "x=2") == ["n1", "n3"]),
        ("It will never have 3", lambda s: s.quorum == 3),
        ("two leaders, but in two", lambda s: leads(s) == {"n2": 5, "n3": 1}),
    ),
    ("minority-leader", 2700): (
        ("The majority committed x=3", lambda s: holds(s, "x=3") == ["n2", "n4", "n5"] and s.commit == 4),
        ("The old leader still believes", lambda s: "n3" in leads(s)),
        ("x=2 was never told", lambda s: s.clients[-1].unknown == 1),
    ),
    ("minority-leader", 3000): (
        ("stepped down", lambda s: list(leads(s)) == ["n2"]),
        ("its x=2, never committed, was overwritten", lambda s: not holds(s, "x=2")),
    ),
    ("check-quorum", 1200): (
        ("with check-quorum on", lambda s: rule(s, "check_quorum")),
        ("within 300 ms", lambda s: s.election_max_us == 300_000),
    ),
    ("check-quorum", 1800): (
        ("It heard 2 of 5, needed 3", lambda s: s.quorum == 3 and len(server(s, "n3").cut_from) == 3),
        ("stepped down by itself", lambda s: server(s, "n3").role == "follower"),
    ),
    ("check-quorum", 2900): (
        ("Healed", lambda s: not s.links),
        ("nobody is deposed", lambda s: len(leads(s)) == 1 and len({each.term for each in s.servers}) == 1),
    ),
    ("figure-7", 1): (
        ("Figure 7 of the paper", figure_7),
        ("n1 is about to lead term 8", lambda s: server(s, "n1").term == 7),
        ("n2 and n3 lack entries", lambda s: len(terms(s, "n3")) < len(terms(s, "n2")) < len(terms(s, "n1"))),
        ("n4 and n5 have extra ones", lambda s: len(terms(s, "n5")) > len(terms(s, "n4")) > len(terms(s, "n1"))),
        ("n6 has two of term 4 that nobody else got", lambda s: terms(s, "n6").count(4) - terms(s, "n1").count(4) == 2),
        ("n7 has\nterms 2 and 3".replace("\n", " "), lambda s: {2, 3} <= set(terms(s, "n7"))),
    ),
    ("figure-7", 200): (
        ("Elected", lambda s: leads(s) == {"n1": 8}),
        (
            "n2, n3, n6 and n7 find",
            lambda s: set(yes(s, "n1")) <= {"n1", "n2", "n3", "n6", "n7"} and len(yes(s, "n1")) >= 4,
        ),
        ("n1 goes back", soon),
    ),
    ("figure-7", 1000): (
        ("All seven logs are n1's log", lambda s: all(terms(s, each.id) == terms(s, "n1") for each in s.servers)),
        ("the command of term 8 committed everything", lambda s: terms(s, "n1")[-1] == 8 and s.commit == 11),
    ),
    ("forgotten-vote", 1): (
        ("Three servers", lambda s: len(s.servers) == 3),
        ("before it is given is off", lambda s: not rule(s, "persist_vote")),
        ("n1 and n3 are cut from each other", soon),
        ("n3's requests to n2 are held up", soon),
        ("both campaign for term 1", soon),
    ),
    ("forgotten-vote", 121): (
        (
            "n2 voted for n1, and n1 leads term 1 with 2 of 3 votes",
            lambda s: leads(s) == {"n1": 1} and sorted(yes(s, "n1")) == ["n1", "n2"] and len(s.servers) == 3,
        ),
        ("n2 crashed", lambda s: crashed(s) == ["n2"]),
        ("Its vote was only in memory", lambda s: server(s, "n2").durable_vote is None),
        ("n2 restarts, cut from n1", soon),
    ),
    ("forgotten-vote", 200): (
        ("n2 is back", lambda s: server(s, "n2").status == "up"),
        (
            "this is term 1, and believes it never voted",
            lambda s: (server(s, "n2").term, server(s, "n2").voted_for) == (1, None),
        ),
        (
            "the link from n1 is cut",
            lambda s: any((link.src, link.dst, link.cut) == ("n1", "n2", True) for link in s.links),
        ),
        ("n3's request of term 1, held up until now, arrives", soon),
    ),
    ("forgotten-vote", 300): (
        ("Two leaders in term 1", lambda s: leads(s) == {"n1": 1, "n3": 1}),
        ("n2 is in both of them", lambda s: "n2" in yes(s, "n1") and "n2" in yes(s, "n3")),
    ),
    ("disruptive-server", 900): (("A working cluster", leads), ("one follower will be cut off", lambda s: not s.links)),
    ("disruptive-server", 3500): (
        ("two and a half seconds", lambda s: 2_400_000 < s.at_us - 910_000 < 2_700_000),
        ("Look at its term", lambda s: alone(s).term > 5),
        ("entries it does not have", lambda s: alone(s).last_index < s.commit),
    ),
    ("disruptive-server", 4000): (
        ("had to step down", lambda s: "n3" not in leads(s)),
        ("for a server that could not replace it", lambda s: s.leader != "n5"),
    ),
    ("pre-vote", 900): (("A working cluster", leads), ("one follower will be cut off", lambda s: not s.links)),
    ("pre-vote", 3500): (
        ("two and a half seconds", lambda s: 2_400_000 < s.at_us - 910_000 < 2_700_000),
        ("Look at its term", lambda s: alone(s).term == 1),
        ("entries it does not have", lambda s: alone(s).last_index < s.commit),
    ),
    ("pre-vote", 4000): (
        ("With pre-vote", lambda s: rule(s, "pre_vote")),
        ("every 150 to 300 ms", lambda s: (s.election_min_us, s.election_max_us) == (150_000, 300_000)),
        ("its term stayed at 1", lambda s: {each.term for each in s.servers} == {1}),
        ("the log of n5 was completed", lambda s: terms(s, "n5") == terms(s, s.leader)),
    ),
    ("one-way-cut", 900): (("We cut only the way back", soon),),
    ("one-way-cut", 1050): (
        ("none of them campaigns", lambda s: sum(each.role == "follower" for each in s.servers) == 4),
        ("Entries reach all of them", lambda s: all(each.last_index == 4 for each in s.servers)),
        ("none commits", lambda s: s.commit == 3),
    ),
    ("one-way-cut", 1800): (
        (
            "heard 1 of 5 in 300 ms, itself",
            lambda s: len(server(s, "n3").cut_from) == 4 and s.election_max_us == 300_000,
        ),
        ("stepped down", lambda s: server(s, "n3").role != "leader"),
        ("the others elected a leader", lambda s: leads(s) and s.leader != "n3"),
    ),
    ("one-way-cut", 2300): (
        ("The old leader follows", lambda s: server(s, "n3").role == "follower"),
        ("Its uncommitted entries survived", lambda s: terms(s, "n3")[:5] == [1] * 5 and s.commit >= 6),
    ),
}
FIGURE_8: dict[int, tuple[Claim, ...]] = {
    1: (("Figure 8 of the paper", soon), ("n1 is elected in term 1", soon), ("x=1, through to n2 only", soon)),
    311: (
        ("n1 and n2 hold x=1, two of five", lambda s: holds(s, "x=1") == ["n1", "n2"] and len(s.servers) == 5),
        ("not committed", lambda s: s.commit == 0), ("n1 is dead", lambda s: crashed(s) == ["n1"]),
        ("n5 is elected by n3 and n4", soon), ("never saw x=1", soon), ("another entry, x=5", soon),
    ),
    601: (
        ("n5 is dead too, with x=5 of term 2 on its disk",
         lambda s: "n5" in crashed(s) and holds(s, "x=5") == ["n5"] and terms(s, "n5") == [2]),
        ("n1 is back", soon), ("n2 and n3 elect it", soon), ("n3 has not voted in", soon), ("its old x=1", soon),
    ),
    1160: (
        ("n1 dies again", lambda s: "n1" in crashed(s)), ("n5 comes back", soon),
        ("higher than in anyone else's", lambda s: terms(s, "n5")[-1] > max(terms(s, "n2")[-1], terms(s, "n3")[-1])),
        ("n2, n3 and n4 must vote for it", soon),
    ),
}  # fmt: skip
CLAIMS |= {(story, at): claims for story in ("figure-8", "figure-8-broken") for at, claims in FIGURE_8.items()}
CLAIMS |= {
    ("figure-8", 1100): (
        ("x=1 is now on n1, n2 and n3: a majority", lambda s: holds(s, "x=1") == ["n1", "n2", "n3"] and s.quorum == 3),
        ("Its term is old", lambda s: terms(s, "n1") == [1] and server(s, "n1").term == 3 and s.commit == 0),
        ("section 5.4.2 says", soon),
    ),
    ("figure-8", 1650): (
        ("n5 overwrote x=1 on n2 and n3", lambda s: terms(s, "n2") == terms(s, "n3") == terms(s, "n5")),
        ("n1 never said that x=1 was committed", lambda s: server(s, "n1").commit == 0),
        ("current term commit", lambda s: rule(s, "current_term_commit")),
    ),
    ("figure-8-broken", 1100): (
        ("x=1 is now on n1, n2 and n3", lambda s: holds(s, "x=1") == ["n1", "n2", "n3"]),
        ("The rule is off", lambda s: not rule(s, "current_term_commit")),
        ("so n1 counts replicas", lambda s: s.commit == 1),
        ("a majority has x=1, and n1 commits and applies it", lambda s: server(s, "n1").applied == 1),
        ("Section 5.4.2 forbids", soon),
    ),
    ("figure-8-broken", 1330): (
        ("The new leader lacks an entry", lambda s: leads(s) == {"n5": 4} and holds(s, "x=1") != []
         and "n5" not in holds(s, "x=1") and s.commit == 1),
    ),
    ("figure-8-broken", 1420): (
        ("n1, n2 and n3 applied x=1 at index 1", lambda s: [server(s, f"n{i}").applied for i in (1, 2, 3)] == [1] * 3),
        ("n5 applies x=5 there", lambda s: dict(server(s, "n5").values) == {"x": 5}),
    ),
}  # fmt: skip
CLAIMS |= cues_of_members.CLAIMS | cues_of_snapshots.CLAIMS | cues_of_the_gallery.CLAIMS
CLAIMS |= cues_of_reads.CLAIMS
CUES = [
    pytest.param(story.name, step, id=f"{story.name}-{step.at_us // 1_000}")
    for story in PATTERN.scenarios if story.variant == "raft"
    for step in story.script if isinstance(step.command, Narrate)
]  # fmt: skip


@pytest.mark.parametrize(("name", "step"), CUES)
def test_a_cue_is_true_where_it_is_said(name: str, step: Step) -> None:
    story = PATTERN.scenario(name)
    run: Timeline[Any, Snapshot] = Timeline(PATTERN.variant("raft"), story.seed, story.config, story)
    run.advance(step.at_us)
    snapshot, rest = run.snapshot(), step.command.text
    for piece, holds_now in CLAIMS[name, step.at_us // 1_000]:
        assert piece in rest, f"not said: {piece}"
        assert holds_now(snapshot), piece
        rest = rest.replace(piece, "", 1)
    said = re.sub(r"\([a-d]\)", "", rest)
    assert not re.search(r"\d", said), f"no claim covers: {said}"


def test_every_claim_belongs_to_a_cue() -> None:
    said = {(each.values[0], each.values[1].at_us // 1_000) for each in CUES}  # type: ignore[union-attr]
    assert said == set(CLAIMS)
