"""What must hold where the story of snapshots says so. See test_cues.py, which holds all cues to such claims."""

from engines.consensus.raft.snapshot import Progress, Snapshot
from tests.engines.consensus.raft.cues_of_members import Claim, last, leads, server, soon


def to_n5(s: Snapshot) -> Progress:
    """What n3 knows of n5."""
    return next(each for each in server(s, "n3").progress if each.peer == "n5")


OTHERS = ("n1", "n2", "n3", "n4")

CLAIMS: dict[tuple[str, int], tuple[Claim, ...]] = {
    ("snapshot", 900): (
        ("Five servers, n3 leads", lambda s: (len(s.servers), leads(s)) == (5, {"n3": 1})),
        ("after 8 entries", soon), ("keeps the last 2", soon), ("n5 is cut off, and 14 commands follow", soon),
    ),
    ("snapshot", 2800): (
        ("The four others have a snapshot up to entry 8",
         lambda s: {server(s, n).snapshot_index for n in OTHERS} == {8}),
        ("their logs begin with entry 7", lambda s: {server(s, n).first_index for n in OTHERS} == {7}),
        ("The log of n5 ends at 1", lambda s: last(s, "n5") == {1}),
        ("entry 2", lambda s: to_n5(s).match_index == 1),
        ("n5 comes back", soon),
    ),
    ("snapshot", 2945): (
        ("n5 refused", lambda s: leads(s) == {"n3": 1}),
        ("n3 would have to send entry 2 and has dropped it",
         lambda s: (to_n5(s).next_index, server(s, "n3").first_index) == (2, 7)),
        ("4 rows, 2 in a message", lambda s: (to_n5(s).rows, to_n5(s).state) == (4, "snapshot")),
        ("n5 has 2 of them", lambda s: to_n5(s).sent_rows == 2),
    ),
    ("snapshot", 3300): (
        ("n5 has x, y and z",
         lambda s: server(s, "n5").values == server(s, "n3").values == (("x", 5), ("y", 5), ("z", 4))),
        ("Its log begins with 9", lambda s: server(s, "n5").first_index == 9),
        ("up to 15", lambda s: last(s, "n5", "n3") == {15}),
    ),
}  # fmt: skip
