"""What must hold where the stories of questions say so. See test_cues.py, which holds all cues to such claims."""

from engines.consensus.raft.snapshot import Snapshot
from tests.engines.consensus.raft.cues_of_members import Claim, leads, server, soon


def told(s: Snapshot, client: str = "c1") -> list[int | None]:
    """What a client was told to its questions."""
    found = next(each for each in s.clients if each.id == client)
    return [each.result for each in found.operations if each.f == "get" and each.status == "ok"]


def done(s: Snapshot) -> list[int | None]:
    """The values whose writer was answered."""
    found = next(each for each in s.clients if each.id == "you")
    return [each.value for each in found.operations if each.status == "ok"]


def x(s: Snapshot) -> dict[str, int | None]:
    return {each.id: dict(each.values).get("x") for each in s.servers}


def rule(s: Snapshot, name: str) -> bool:
    return dict(s.rules)[name]


def everywhere(s: Snapshot, value: int) -> bool:
    return set(x(s).values()) == {value}


def two_leaders(s: Snapshot) -> bool:
    """n1 leads term 1 still, and another leads a newer term."""
    found = leads(s)
    return found["n1"] == 1 and len(found) == 2 and max(found.values()) > 1


STALE: tuple[Claim, ...] = (
    ("n1 leads", lambda s: leads(s) == {"n1": 1}),
    ("x=1 is on all five servers", lambda s: everywhere(s, 1)),
    ("n1 and n2 are cut off from the other three", soon),
    ("nothing tells n1", lambda s: not rule(s, "check_quorum")),
)
EARLY: tuple[Claim, ...] = (
    ("n1 leads, x=1 is committed", lambda s: leads(s) == {"n1": 1} and everywhere(s, 1)),
    ("n1 commits x=2", soon),
)
RETRY_BEGINS: tuple[Claim, ...] = (
    ("n1 leads, x=1 is committed", lambda s: leads(s) == {"n1": 1} and everywhere(s, 1)),
    ("the way back to n1 is clogged", soon),
    ("n1 what x is", soon),
)
RETRY_CUT: tuple[Claim, ...] = (
    ("n1 sent its round", lambda s: [each.client for each in server(s, "n1").questions] == ["c1"]),
    ("the answers are held up", lambda s: told(s) == []),
    ("n1 is not heard any more", lambda s: len(server(s, "n1").cut_from) == 4),
)

CLAIMS: dict[tuple[str, int], tuple[Claim, ...]] = {
    ("stale-read", 700): STALE,
    ("read-index", 700): STALE,
    ("stale-read", 1700): (
        ("The three have a leader of their own, x=2 is committed there", two_leaders),
        ("the client was told so", lambda s: done(s) == [1, 2]),
        ("n1 still leads term 1", lambda s: leads(s)["n1"] == 1),
        ("a leader confirms itself is off", lambda s: not rule(s, "confirm_reads")),
        ("n1 what x is", soon),
    ),
    ("stale-read", 1800): (
        ("n1 said 1", lambda s: told(s) == [1]),
        ("x=2 had been committed", lambda s: done(s) == [1, 2]),
    ),
    ("read-index", 1700): (
        ("two leaders, in two terms, and x=2 is committed", lambda s: two_leaders(s) and done(s) == [1, 2]),
        ("a leader confirms itself", lambda s: rule(s, "confirm_reads")),
        ("n1 what x is", soon),
    ),
    ("read-index", 1950): (
        ("n1 noted its commit index", lambda s: [each.needs for each in server(s, "n1").questions] == [2]),
        ("2 of 5 obey it, 3 are needed",
         lambda s: s.quorum == 3 and [each.id for each in s.servers if each.leader == "n1"] == ["n1", "n2"]),
        ("says nothing", lambda s: told(s) == []),
    ),
    ("read-index", 2150): (
        ("x is 2", lambda s: told(s) == [2]),
    ),
    ("read-index", 2500): (
        ("n1 met the higher term and stepped down", lambda s: "n1" not in leads(s)),
        ("sent away", lambda s: server(s, "n1").questions == ()),
    ),
    ("lease-skew", 1600): (
        ("n1 leads, and holds a lease", lambda s: server(s, "n1").rounds.lease_left_us > 0),  # type: ignore[union-attr]
        ("for 1000 ms after", lambda s: s.election_min_us == 1_000_000),
        ("to a quarter, so n1 answers alone for 800 ms",
         lambda s: server(s, "n1").rounds.lease_us == 800_000),  # type: ignore[union-attr]
    ),
    ("lease-skew", 1680): (
        ("n1 answered at once", lambda s: told(s) == [1]),
    ),
    ("lease-skew", 3100): (
        ("After 1000 ms the others could vote again; n3 leads", lambda s: "n3" in leads(s)),
        ("x=2 is committed", lambda s: done(s) == [1, 2]),
        ("800 ms of the lease of n1 are 1600 ms", lambda s: server(s, "n1").drift_ppm == -500_000),
        ("it believes in it still", lambda s: server(s, "n1").rounds.lease_left_us > 0),  # type: ignore[union-attr]
        ("n1.", soon),
    ),
    ("lease-skew", 3180): (
        ("n1 said 1", lambda s: told(s) == [1, 1]), ("x=2 had been committed", lambda s: done(s) == [1, 2]),
    ),
    ("early-read", 700): EARLY,
    ("read-after-commit", 700): EARLY,
    ("early-read", 1200): (
        ("n3 leads. x=2 is in its log", lambda s: "n3" in leads(s) and server(s, "n3").last_index == 2),
        ("says x=1", lambda s: server(s, "n3").commit == 1),
    ),
    ("early-read", 1400): (
        ("n3 leads, and it answered 1", lambda s: told(s) == [1]),
        ("x=2 was committed and its client told", lambda s: done(s) == [1, 2]),
    ),
    ("read-after-commit", 1400): (
        ("n3 began its term with an empty entry", lambda s: server(s, "n3").log[-1].command is None),
        ("n3 knew that x=2 is, and said 2", lambda s: told(s) == [2]),
    ),
    ("retried-read", 700): RETRY_BEGINS,
    ("retried-read-cured", 700): RETRY_BEGINS,
    ("retried-read", 855): RETRY_CUT,
    ("retried-read-cured", 855): RETRY_CUT,
    ("retried-read", 1700): (
        ("x=2 is committed under the new leader", lambda s: two_leaders(s) and done(s) == [1, 2]),
        ("n1 still leads term 1", two_leaders),
        ("It knows rounds by who asked what", lambda s: not rule(s, "match_rounds")),
    ),
    ("retried-read", 1800): (
        ("sent before x=2 was written", soon),
        ("n1 took them for the new question and said 1", lambda s: told(s) == [1]),
        ("in 2025", soon),
    ),
    ("retried-read-cured", 1700): (
        ("x=2 is committed under the new leader", lambda s: two_leaders(s) and done(s) == [1, 2]),
        ("n1 still leads term 1", lambda s: rule(s, "match_rounds")),
    ),
    ("retried-read-cured", 1800): (
        ("n1 stepped down", lambda s: "n1" not in leads(s)), ("the client was sent elsewhere", lambda s: told(s) == []),
    ),
}  # fmt: skip
