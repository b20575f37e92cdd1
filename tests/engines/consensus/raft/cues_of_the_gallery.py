"""What must hold where the stories of the gallery say so. See test_cues.py."""

from engines.consensus.raft.snapshot import Snapshot
from tests.engines.consensus.raft.cues_of_members import (
    Claim,
    down,
    holds,
    last,
    leads,
    red,
    rule,
    server,
    soon,
)


def terms(s: Snapshot, name: str) -> list[int]:
    return [entry.term for entry in server(s, name).log]


def done(s: Snapshot) -> int:
    """How many commands the person was told are done."""
    return s.clients[-1].done


CLAIMS: dict[tuple[str, int], tuple[Claim, ...]] = {
    ("hashi-697", 590): (
        ("Issue 697", soon), ("n1 leads term 1", lambda s: leads(s) == {"n1": 1}), ("while n2 and n3 go on", soon),
    ),
    ("hashi-697", 3200): (
        ("n2 and n3 dropped the entries that n1 lacks", lambda s: server(s, "n2").snapshot_index > 6
         and server(s, "n3").snapshot_index > 6),
        ("So n1 will be sent", lambda s: server(s, "n1").commit == 1),
        ("entries of term 1", lambda s: server(s, "n1").last_term == 1 and server(s, "n1").last_index > 10),
    ),
    ("hashi-697", 4200): (
        ("n1 took the snapshot", lambda s: server(s, "n1").snapshot_index == server(s, "n2").snapshot_index),
        ("kept its own entry", lambda s: server(s, "n1").last_term == 1 and not rule(s, "snapshot_replaces_log")),
        ("so n1 refuses it", soon), ("or n1 holds it for committed", lambda s: server(s, "n1").commit > 6),
    ),
    ("hashi-697", 10500): (
        ("followers catch up is red", lambda s: red(s) == {"followers catch up"}),
        ("the disk of n1 fits no leader", lambda s: server(s, "n1").last_term == 1),
    ),
    ("hashi-697", 12000): (
        ("With the rule of section 7", lambda s: rule(s, "snapshot_replaces_log")),
        ("n4 came in by a snapshot and counts", lambda s: "n4" in s.configuration.voters and s.configured),
        ("n1 is out", lambda s: str(s.configuration) == "(n2 n3 n4)"),
    ),
    ("openraft-2080", 900): (
        ("Issue 2080", soon),
        ("Four servers, n1 leads", lambda s: (len(s.servers), leads(s)) == (4, {"n1": 1})),
        ("Its links to n3 and n4 break. n2 still", soon),
        ("check-quorum is off", lambda s: not rule(s, "check_quorum")),
    ),
    ("openraft-2080", 2500): (
        ("n1 commits nothing", lambda s: s.commit == 3 and server(s, "n1").last_index > 3),
        ("it reaches 2 of the 3 it takes", lambda s: s.quorum == 3),
        ("n3 and n4 ask", lambda s: {server(s, "n3").role, server(s, "n4").role} <= {"precandidate", "follower"}),
        ("n2 says no", lambda s: server(s, "n2").leader == "n1"), ("n2, n3 and n4 are a majority", soon),
    ),
    ("openraft-2080", 8500): (
        ("More than six seconds, 20 election timeouts", lambda s: s.at_us - 910_000 > 20 * s.election_max_us),
        ("has no leader that works", lambda s: leads(s) == {"n1": 1}),
        ("the check of progress is red", lambda s: red(s) == {"a leader in time"}),
    ),
    ("openraft-2080", 9800): (
        ("n1 counted 2 of 4 and stepped down. n2 heard", lambda s: "n1" not in leads(s) and rule(s, "check_quorum")),
        ("one of the three leads", lambda s: list(leads(s)) == ["n2"]),
        ("commands commit again", lambda s: s.commit > 3),
        ("The cut is still there", lambda s: s.links),
    ),
    ("ratis-2605", 600): (
        ("Ratis 2605", soon), ("Three servers, n1 leads", lambda s: (len(s.servers), leads(s)) == (3, {"n1": 1})),
        ("The answers of n2 and n3 are slow, 120 ms", soon), ("the links from n1 break, and n1 is asked for x=1", soon),
    ),
    ("ratis-2605", 1120): (
        ("n1 sent x=1, and it was lost", lambda s: holds(s, "x") == ["n1"]),
        ("the logs agree up to entry 1", lambda s: last(s, "n2", "n3") == {1}),
        ("n1 takes them for all it has sent", lambda s: not rule(s, "match_proved")),
        ("x=1 is committed, on n1 alone", lambda s: server(s, "n1").commit == 2),
    ),
    ("ratis-2605", 2000): (
        ("n1 died", lambda s: down(s) == ["n1"]), ("one of the others leads", lambda s: len(leads(s)) == 1),
        ("x=1 is nowhere but on n1's disk", lambda s: holds(s, "x") == ["n1"]),
        ("that it is done", lambda s: done(s) == 1),
        ("durable before counted, then leader completeness",
         lambda s: {"durable before counted", "leader completeness"} <= red(s)),
    ),
    ("ratis-2605", 2920): (
        ("The same again with the rule", lambda s: rule(s, "match_proved")),
        ("y=2 is not committed", lambda s: len(holds(s, "y")) == 1 and s.commit == 2),
    ),
    ("yugabyte-32875", 600): (
        ("Issue 32875", soon), ("The disks of n2 and n3 take 200 ms", soon), ("what n1 sends twice", soon),
        ("n1 is asked for x=1", lambda s: leads(s) == {"n1": 1}),
    ),
    ("yugabyte-32875", 800): (
        ("n2 and n3 wrote x=1 and wait", lambda s: len(holds(s, "x")) == 3 and server(s, "n2").unsynced),
        ("so they confirmed it at once", lambda s: not rule(s, "ack_after_sync")),
        ("n1 committed it", lambda s: server(s, "n1").commit == 2),
    ),
    ("yugabyte-32875", 1800): (
        ("The power failed. x=1 had not come", lambda s: holds(s, "x") == ["n1"]),
        ("elected a leader", lambda s: leads(s) == {"n2": 2}), ("that it is done", lambda s: done(s) == 1),
    ),
    ("yugabyte-32875", 2620): (
        ("y=2 is not confirmed", lambda s: len(holds(s, "y")) == 3 and s.commit == 2 and rule(s, "ack_after_sync")),
    ),
    ("yugabyte-32875", 3200): (("After the sync it is committed", lambda s: s.commit == 3 and done(s) == 2),),
    ("hashi-695", 600): (
        ("Issue 695", soon), ("n1 leads term 1", lambda s: leads(s) == {"n1": 1}),
        ("an entry is written 5 ms after", lambda s: not rule(s, "term_when_decided")), ("n1 is cut off", soon),
    ),
    ("hashi-695", 1500): (
        ("n1 still leads term 1, and n2 leads term 2", lambda s: leads(s) == {"n1": 1, "n2": 2}),
        ("n1 is asked for x=1", soon), ("hears of term 2", soon),
    ),
    ("hashi-695", 1900): (
        ("n1 wrote x=1 as entry 2 of term 2", lambda s: terms(s, "n1") == [1, 2] and holds(s, "x") == ["n1"]),
        ("which it never led. n2 has another entry 2 of term 2", lambda s: terms(s, "n2") == [1, 2]),
        ("log matching", lambda s: red(s) == {"log matching", "state machine safety"}),
    ),
    ("hashi-695", 2500): (("The cure", lambda s: rule(s, "term_when_decided")),),
}  # fmt: skip
CLAIMS |= {
    ("redpanda-30817", 400): (
        ("Issue 30817", soon), ("Figure 7. n1 leads term 8", lambda s: leads(s) == {"n1": 8}),
        ("The log of n7 fits nowhere", lambda s: terms(s, "n7")[3] == 2), ("take 200 ms", lambda s: len(s.links) == 2),
    ),
    ("redpanda-30817", 600): (
        ("n7 hears its leader every 50 ms", lambda s: s.heartbeat_us == 50_000),
        ("But a refusal does not set", lambda s: not rule(s, "refusal_resets")),
        ("So it timed out beside a living leader", lambda s: red(s) == {"no campaign beside a leader"}),
    ),
    ("redpanda-30817", 3000): (
        ("The cure", lambda s: rule(s, "refusal_resets")),
        ("The logs were repaired meanwhile", lambda s: terms(s, "n7") == terms(s, "n1")),
        ("n7 asked nobody", lambda s: server(s, "n7").term == 8),
    ),
}  # fmt: skip
