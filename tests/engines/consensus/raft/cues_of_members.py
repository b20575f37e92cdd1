"""What must hold where the stories of members say so. See test_cues.py, which holds all cues to such claims."""

from collections.abc import Callable
from typing import Any

from engines.consensus.raft.messages import Command
from engines.consensus.raft.snapshot import Server, Snapshot

Claim = tuple[str, Callable[[Snapshot], Any]]


def soon(_: Snapshot) -> bool:
    """An announcement, or true of any run."""
    return True


def server(s: Snapshot, name: str) -> Server:
    found = s.server(name)
    assert found is not None
    return found


def last(s: Snapshot, *names: str) -> set[int]:
    """Where these logs end."""
    return {server(s, name).last_index for name in names}


def leads(s: Snapshot) -> dict[str, int]:
    """Working leaders and their terms."""
    return {each.id: each.term for each in s.servers if each.role == "leader" and each.status == "up"}


def rules(s: Snapshot, name: str) -> str:
    """The configuration by which a server goes."""
    return str(server(s, name).configuration)


def down(s: Snapshot) -> list[str]:
    return [each.id for each in s.servers if each.status == "crashed"]


def yes(s: Snapshot, name: str) -> set[str]:
    return {voter for voter, granted in server(s, name).votes if granted}


def rule(s: Snapshot, name: str) -> bool:
    return dict(s.rules)[name]


def red(s: Snapshot) -> set[str]:
    return {check.name for check in s.checks if not check.ok}


def holds(s: Snapshot, key: str) -> list[str]:
    """Who has a command about this key in its log."""
    return [each.id for each in s.servers
            if any(isinstance(entry.command, Command) and entry.command.key == key for entry in each.log)]  # fmt: skip


FIVE = "(n2 n3 n4 n5 n6)"
WITH_N5 = "(n1 n2 n3 n4 n5)"

CLAIMS: dict[tuple[str, int], tuple[Claim, ...]] = {
    ("joint", 900): (
        ("Three servers, n1 leads", lambda s: (len(s.servers), leads(s)) == (3, {"n1": 1})),
        ("five, n2 to n6, and n1 is to go", soon),
    ),
    ("joint", 970): (
        ("whoever has it goes by it, committed or not", lambda s: s.configuration.joint and not s.configured),
        ("n2 and n3 have it", lambda s: {rules(s, name) for name in ("n1", "n2", "n3")} == {f"{FIVE} && (n1 n2 n3)"}),
        ("with n1 that is all of the old side", lambda s: s.configuration.outgoing == ("n1", "n2", "n3")),
        ("2 of the 3 it takes of the new", lambda s: s.quorum == 3),
        ("The logs of n4, n5 and n6 are still empty", lambda s: last(s, "n4", "n5", "n6") == {0}),
    ),
    ("joint", 1075): (
        ("both sides agree, it is committed", lambda s: server(s, "n1").commit >= 4),
        ("At once n1 appends the new configuration alone", lambda s: rules(s, "n1") == FIVE and not s.configured),
        ("it leads five servers and is none of them", lambda s: s.leader == "n1" and len(s.configuration.voters) == 5),
    ),
    ("joint", 1300): (
        ("n1 led until the new configuration had committed", lambda s: s.configured and rules(s, "n1") == FIVE),
        ("then stepped down", lambda s: server(s, "n1").role == "follower"),
        ("Nobody leads", lambda s: not leads(s)),
    ),
    ("joint", 2000): (
        ("One of the five leads now and needs 3 of 5", lambda s: s.leader != "n1" and s.leader and s.quorum == 3),
        ("n1 keeps its log", lambda s: server(s, "n1").last_index == server(s, "n1").commit == 6),
    ),
    ("two-servers", 900): (
        ("Two servers, n1 leads, and n1 is to be removed", lambda s: (len(s.servers), leads(s)) == (2, {"n1": 1})),
        ("Its link to n2 breaks", soon),
    ),
    ("two-servers", 1005): (
        ("n1 appended the configuration with n2 alone", lambda s: rules(s, "n1") == "(n2)"),
        ("and died with it", lambda s: down(s) == ["n1"]),
        ("n2 knows nothing of it and still goes by both", lambda s: rules(s, "n2") == "(n1 n2)"),
        ("It needs 2 of 2", lambda s: last(s, "n2") == {1} and last(s, "n1") == {2}),
    ),
    ("two-servers", 1310): (
        ("n1 and its link are back", lambda s: not down(s)),
        ("By its own log n1 is no member", lambda s: rules(s, "n1") == "(n2)"),
        ("n2 cannot win, for its log is behind that of n1", lambda s: last(s, "n2") == {1} and last(s, "n1") == {2}),
    ),
    ("two-servers", 2300): (
        ("n1 was elected by n2 alone", lambda s: server(s, "n1").term == 2),
        ("The entry committed on n2 alone", lambda s: s.configured), ("n1 stepped down", lambda s: s.leader != "n1"),
        ("and n2 leads itself", lambda s: leads(s) == {"n2": 3}),
        ("Had n1 kept quiet", soon),
    ),
    ("learner", 900): (
        ("Three servers, n1 leads", lambda s: (len(s.servers), leads(s)) == (3, {"n1": 1})),
        ("n4 is new", soon), ("raise the quorum to 3 of 4", soon),
    ),
    ("learner", 1300): (
        ("n4 has the log", lambda s: last(s, "n4") == last(s, "n1")),
        ("The quorum is still 2 of 3", lambda s: s.quorum == 2 and s.configuration.learners == ("n4",)),
    ),
    ("learner", 1500): (
        ("n2 and n3 are down", lambda s: down(s) == ["n2", "n3"]),
        ("q=1 is on n1 and on the learner", lambda s: holds(s, "q") == ["n1", "n4"]),
        ("and does not commit", lambda s: s.commit < server(s, "n1").last_index),
        ("of the 2 copies it takes there is 1 that counts", lambda s: s.quorum == 2),
    ),
    ("learner", 2600): (
        ("n2 and n3 are back", lambda s: not down(s) and leads(s) == {"n1": 1}),
        ("Next, n4 is to become a voter", soon),
        ("It has everything", lambda s: last(s, "n4") == last(s, "n1")),
    ),
    ("learner", 3000): (
        ("Four voters, and a quorum of 3", lambda s: (len(s.configuration.voters), s.quorum) == (4, 3)),
    ),
    ("learner-votes", 2000): (
        ("n3 was asked and voted", lambda s: yes(s, "n2") == {"n2", "n3"}),
        ("n2 leads, and told n3", lambda s: s.leader == "n2" and rules(s, "n3") == "(n1 n2 n3)"),
    ),
    ("learner-refuses", 3000): (
        ("n3 refuses", lambda s: not rule(s, "learners_vote") and rules(s, "n3") == "(n1 n2) learners (n3)"),
        ("n2 asks again and again and gets 1 of the 2", lambda s: yes(s, "n2") == {"n2"} and s.quorum == 2),
        ("Two of three voters are up", lambda s: down(s) == ["n1"] and len(s.configuration.voters) == 3),
    ),
    ("learner-refuses", 8000): (
        ("nothing goes on", lambda s: not leads(s)),
        ("after 20 election timeouts the check of progress is red", lambda s: red(s) == {"a leader in time"}),
    ),
    ("transfer", 1200): (
        ("n1 leads five servers", lambda s: leads(s) == {"n1": 1} and len(s.servers) == 5),
        ("hands over to n3", soon),
    ),
    ("transfer", 1275): (
        ("n1 takes no commands now, and has told n3 to stand", lambda s: server(s, "n1").hands_over_to == "n3"),
        ("n3 holds its whole log", lambda s: last(s, "n3") == last(s, "n1")),
        ("n3 does not wait and asks no pre-vote", lambda s: server(s, "n3").role == "candidate"),
        ("though they hear n1", lambda s: s.leader == "n1"),
    ),
    ("transfer", 1500): (
        ("n3 leads term 2", lambda s: leads(s) == {"n3": 2}),
        ("n3 was told", soon),
    ),
    ("transfer-aborted", 1200): (("n1 is to hand over to n3", lambda s: s.leader == "n1"), ("n3 dies", soon)),
    ("transfer-aborted", 1400): (
        ("n1 waits", lambda s: server(s, "n1").hands_over_to == "n3"),
        ("n3 is dead", lambda s: down(s) == ["n3"]),
        ("one election timeout, 300 ms", lambda s: s.election_max_us == 300_000),
    ),
    ("transfer-aborted", 1700): (
        ("n1 goes on in the same term", lambda s: leads(s) == {"n1": 1} and not server(s, "n1").hands_over_to),
    ),
    ("bug-2015", 1150): (
        ("n2 was asked to remove n1", lambda s: leads(s)["n2"] == 2 and not rule(s, "own_commit_first")),
        ("n2, n3 and n4 are left", lambda s: str(s.configuration) == "(n2 n3 n4)"),
        ("n2 and n3 hold it", lambda s: last(s, "n2", "n3") == {3}),
        ("2 of 3 commit it", lambda s: s.configured and s.quorum == 2),
        ("n1 adds one, n2 removes one: {n1 n4 n5}", lambda s: rules(s, "n1") == rules(s, "n5") == WITH_N5),
        ("and {n2 n3} share", lambda s: rules(s, "n2") == rules(s, "n3") == "(n2 n3 n4)"),
    ),
    ("bug-2015", 1500): (
        ("n1 went back to n4 and n5, and has 3 of the 5", lambda s: yes(s, "n1") == {"n1", "n4", "n5"}),
        ("it leads term 3", lambda s: leads(s)["n1"] == 3),
        ("what n2 committed", lambda s: server(s, "n2").commit == 3),
        ("Leader Completeness is broken", lambda s: "leader completeness" in red(s)),
    ),
    ("bug-2015", 2100): (
        ("n1 overwrites what n2 and n3 had committed", lambda s: [e.term for e in server(s, "n2").log] == [1, 1, 3]),
        ("found in 2015", lambda s: "state machine safety" in red(s)),
    ),
    ("mend-2015", 1100): (
        ("n2 refuses to remove n1", lambda s: leads(s)["n2"] == 2 and rule(s, "own_commit_first")),
        ("its first entry is on n2 and n3", lambda s: last(s, "n2", "n3") == {2}),
        ("2 of the 3 it takes", lambda s: s.quorum == 3),
        ("and not committed", lambda s: server(s, "n2").commit == 1),
        ("and one is", lambda s: rules(s, "n1") == WITH_N5),
    ),
    ("mend-2015", 1500): (
        ("n4 got it too, the entry of term 2 committed on n2, n3 and n4", lambda s: last(s, "n2", "n3", "n4") == {3}),
        ("only then n1 was removed", lambda s: str(s.configuration) == "(n2 n3 n4)" and s.configured),
        ("Any 3 of the five that n1 goes by", lambda s: rules(s, "n1") == WITH_N5),
    ),
    ("mend-2015", 1900): (
        ("n2 is dead now and n1 stands, with n5", lambda s: down(s) == ["n2"] and yes(s, "n1") == {"n1", "n5"}),
        ("n4 refuses", lambda s: dict(server(s, "n1").votes)["n4"] is False),
        ("n1 has 2 of the 3 votes", lambda s: server(s, "n1").role == "candidate"),
        ("What was committed stays", lambda s: not red(s)),
    ),
}  # fmt: skip
_TO_REMOVAL: dict[int, tuple[Claim, ...]] = {
    600: (
        ("Four servers, n1 leads term 1", lambda s: (len(s.servers), leads(s)) == (4, {"n1": 1})),
        ("Timeouts are long", lambda s: s.election_min_us == 5_000_000),
        ("n1 is to add n5", soon), ("it reaches n5 only", soon),
    ),
    900: (
        ("n1 and n5 hold the configuration of five", lambda s: rules(s, "n1") == rules(s, "n5") == WITH_N5),
        ("2 of the 3 it takes", lambda s: s.quorum == 3 and not s.configured),
        ("Next, n2 is elected for term 2 by n3 and n4", soon), ("who go by the four", soon), ("n4 votes", soon),
        ("the first entry of n2 comes", soon),
    ),
}  # fmt: skip
_PROMOTION: dict[int, tuple[Claim, ...]] = {
    1200: (
        ("Two voters, n1 leads, and n3 is a learner", lambda s: str(s.configuration) == "(n1 n2) learners (n3)"),
        ("will not reach n3", lambda s: s.leader == "n1"),
    ),
    1350: (
        ("n1 and n2 hold the configuration of three", lambda s: rules(s, "n1") == rules(s, "n2") == "(n1 n2 n3)"),
        ("2 of 3: committed. n1 is dead", lambda s: s.configured and down(s) == ["n1"]),
        ("n2 needs 2 of 3 votes, its own and that of n3", lambda s: s.quorum == 2),
        ("But n3 still takes itself for a learner", lambda s: rules(s, "n3") == "(n1 n2) learners (n3)"),
    ),
}
CLAIMS |= {(story, at): claims for story in ("bug-2015", "mend-2015") for at, claims in _TO_REMOVAL.items()}
CLAIMS |= {(story, at): claims for story in ("learner-votes", "learner-refuses") for at, claims in _PROMOTION.items()}
BOTH = "(n1 n2 n4 n5) && (n1 n2 n3)"
CLAIMS |= {
    ("snapshot-joint", 700): (
        ("Three servers, n1 leads", lambda s: (len(s.servers), leads(s)) == (3, {"n1": 1})),
        ("n3 is cut off. Meanwhile n4 and n5 are to come and n3 is to go", soon),
    ),
    ("snapshot-joint", 2300): (
        ("2 of the old 3 and 3 of the new 4", lambda s: str(s.configuration) == BOTH and s.configured),
        ("go on without n3", lambda s: server(s, "n3").last_index == 1 and s.commit > 6),
        ("The entry with the joint configuration is among", lambda s: server(s, "n1").log[0].number > 2),
        ("n3 still goes by the three", lambda s: rules(s, "n3") == "(n1 n2 n3)"),
    ),
    ("snapshot-joint", 2900): (
        ("n3 got the snapshot", lambda s: server(s, "n3").snapshot_index == server(s, "n1").snapshot_index > 2),
        ("it goes by both sides now", lambda s: rules(s, "n3") == BOTH),
        ("never seen the entry that says so", lambda s: server(s, "n3").log[0].number > 2),
        ("would leave n3 with the three", soon),
    ),
    ("snapshot-joint", 3500): (
        ("Now the joint configuration is left", lambda s: s.configured and not s.configuration.joint),
        ("n1, n2, n4 and n5 remain, and n3 is out", lambda s: s.configuration.everyone == ("n1", "n2", "n4", "n5")),
    ),
}  # fmt: skip
CLAIMS |= {
    ("config-from-apply", 600): (
        ("Three servers, n1 leads", lambda s: (len(s.servers), leads(s)) == (3, {"n1": 1})),
        ("is off", lambda s: not rule(s, "config_from_append")), ("n3 is to go, then n2", soon),
    ),
    ("config-from-apply", 1700): (
        ("n1 alone is left", lambda s: str(s.configuration) == "(n1)" and s.configured),
        ("and committed x=1 alone", lambda s: holds(s, "x") == ["n1"] and server(s, "n1").commit == 4),
        ("n2 and n3 are out and still run", lambda s: not down(s)),
    ),
    ("config-from-apply", 1950): (
        ("n2 and n3 came back", lambda s: not down(s)),
        ("2 of 3 elected n2 for term 2", lambda s: {each.term for each in s.servers} == {2}),
        ("n1 obeyed, and deleted x=1", lambda s: not holds(s, "x") and "applied entries stay" in red(s)),
    ),
    ("config-from-apply", 2400): (("n2 goes by the newest in its log, n1 alone", lambda s: rules(s, "n2") == "(n1)"),),
}  # fmt: skip
_REMOVED: tuple[Claim, ...] = (
    ("Figure 4.7", soon), ("n4 leads four servers", lambda s: (leads(s), len(s.servers)) == ({"n4": 1}, 4)),
    ("What it sends to n2 and n3 takes 270 ms", lambda s: {each.latency_us for each in s.links} == {270_000}),
    ("n4 is to remove n1", soon),
)  # fmt: skip
CLAIMS |= {
    ("removed-disturbs", 990): _REMOVED,
    ("removed-refused", 990): _REMOVED,
    ("removed-disturbs", 1260): (
        ("The removal is in the log of n4 alone", lambda s: rules(s, "n4") == "(n2 n3 n4)"
         and rules(s, "n2") == rules(s, "n3") == "(n1 n2 n3 n4)"),
        ("n1 heard nothing", lambda s: server(s, "n1").role in ("candidate", "leader")),
        ("asked n2 and n3", lambda s: {"n2", "n3"} <= yes(s, "n1")),
        ("though they hear n4. n1 goes on", lambda s: not rule(s, "refuse_while_led")),
    ),
    ("removed-disturbs", 1700): (
        ("n1 leads term 2, and n4", lambda s: leads(s) == {"n1": 2} and "leader stability" in red(s)),
        ("Its entry without n1 is gone", lambda s: rules(s, "n4") == "(n1 n2 n3 n4)"),
    ),
    ("removed-refused", 1260): (
        ("n1 asked as before, and n2 and n3 refused", lambda s: server(s, "n1").votes and yes(s, "n1") == {"n1"}),
        ("each heard n4", lambda s: server(s, "n2").leader == server(s, "n3").leader == "n4"),
    ),
    ("removed-refused", 1700): (
        ("The removal came to n2 and n3", lambda s: rules(s, "n2") == rules(s, "n3") == "(n2 n3 n4)"),
        ("and committed: n2, n3 and n4 are left", lambda s: s.configured and str(s.configuration) == "(n2 n3 n4)"),
        ("n1 asks on and on", lambda s: leads(s) == {"n4": 1}),
    ),
}  # fmt: skip
