"""The stories of questions that are answered without an entry (dissertation 6.4)."""

from typing import Final

from engines.consensus.raft.checks import READS
from engines.consensus.raft.commands import Propose, SetTiming
from engines.consensus.raft.scenarios import ELECTION
from engines.sim.faults import Clog, Crash, Cut, ExpireTimers, Heal, Partition, Skew, Unclog
from engines.sim.history import CLIENT_HISTORY
from engines.sim.pattern import Config, Scenario, Step
from engines.sim.script import at, say
from engines.units import US_PER_MS

OTHERS: Final = ("n2", "n3", "n4", "n5")
ALL: Final = ("n1", *OTHERS)


def _set(value: int, node: str, insist: bool = False) -> Propose:
    return Propose("set", "x", value, node, insist)


def _ask(node: str) -> Propose:
    """A question that is asked once, by somebody who has seen nothing yet."""
    return Propose("get", "x", 0, node, insist=False, client="c1")


def _world(reads: str, *config: tuple[str, bool]) -> Config:
    """Only the script asks, and nothing tells an old leader that it is one unless the story says so."""
    return (("workload", "off"), ("reads", reads), *config)


def _first(ms: int, node: str = "n1") -> Step:
    """Who is to lead first: its timer runs out before any other."""
    return Step(ms * US_PER_MS, ExpireTimers((node,), ELECTION, 0))


_STALE: Final = (
    _first(5),
    *at(400, _set(1, "n1", insist=True)),
    *say(700, "n1 leads, and x=1 is on all five servers. Next, n1 and n2 are cut off from the other three. "
              "Check-quorum is off, so nothing tells n1."),
    *at(710, Partition((("n1", "n2"), ("n3", "n4", "n5")))),
    *at(1_500, _set(2, "leader")),
)  # fmt: skip

STALE_READ: Final = Scenario(
    name="stale-read",
    title="An old leader answers from its memory",
    summary="A leader that was replaced and does not know it tells a client what is no longer so.",
    variant="raft",
    config=_world("index", ("check_quorum", False), ("confirm_reads", False)),
    end_us=2_300 * US_PER_MS,
    breaks=(READS, CLIENT_HISTORY),
    script=(
        *_STALE,
        *say(1_700, "The three have a leader of their own, x=2 is committed there, and the client was told so. n1 "
                    "still leads term 1. The rule that a leader confirms itself is off. Somebody asks n1 what x is."),
        *at(1_710, _ask("n1")),
        *say(1_800, "n1 said 1, at once, though x=2 had been committed before the question. No server did anything "
                    "wrong but to answer. Press e; b switches confirm reads on, and r plays the story with it."),
    ),
)  # fmt: skip

READ_INDEX: Final = Scenario(
    name="read-index",
    title="ReadIndex: ask a majority before you answer",
    summary="The same cut: a leader that cannot confirm itself does not answer; the one that can does, and is right.",
    variant="raft",
    config=_world("index", ("check_quorum", False)),
    end_us=3_000 * US_PER_MS,
    script=(
        *_STALE,
        *say(1_700, "There are two leaders, in two terms, and x=2 is committed by the newer one. Here a leader "
                    "confirms itself before it answers. Somebody asks n1 what x is."),
        *at(1_710, _ask("n1")),
        *say(1_950, "n1 noted its commit index and sent a round of heartbeats. 2 of 5 obey it, 3 are needed: it waits, "
                    "and says nothing. The question costs no entry, and no wrong answer."),
        *at(1_960, _ask("leader")),
        *say(2_150, "The same question to the other leader: a round of heartbeats, a majority answered, and x is 2. "
                    "One round would have served any number of questions."),
        *at(2_160, Heal()),
        *say(2_500, "Healed: n1 met the higher term and stepped down. Whoever still waited there was sent away to ask "
                    "again."),
    ),
)  # fmt: skip

LEASE_SKEW: Final = Scenario(
    name="lease-skew",
    title="A lease rests on clocks",
    summary="A leader whose clock runs at half speed believes in its lease after another leader was elected.",
    variant="raft",
    config=_world("lease"),
    end_us=4_000 * US_PER_MS,
    breaks=(READS, CLIENT_HISTORY),
    script=(
        *at(0, SetTiming(50 * US_PER_MS, 1_000 * US_PER_MS, 1_500 * US_PER_MS)),
        *at(0, ExpireTimers(ALL, ELECTION, 5_000 * US_PER_MS)),
        _first(1_100),
        *at(1_300, _set(1, "n1", insist=True)),
        *say(1_600, "n1 leads, and holds a lease: for 1000 ms after it acknowledged a heartbeat nobody votes for "
                    "another. Clocks are trusted to a quarter, so n1 answers alone for 800 ms from the sending of a "
                    "round."),
        *at(1_605, _ask("n1")),
        *say(1_680, "n1 answered at once: no round was sent for that, its next heartbeat goes out at the usual time. "
                    "Next, it is cut off, and its clock slows down to half speed, which is more than a quarter."),
        *at(1_690, Skew("n1", 0, -500_000), Partition((("n1",), OTHERS))),
        *at(2_800, ExpireTimers(("n3",), ELECTION, 0)),
        *at(2_990, _set(2, "n3")),
        *say(3_100, "After 1000 ms the others could vote again; n3 leads, and x=2 is committed. 800 ms of the lease of "
                    "n1 are 1600 ms for everybody else, so it believes in it still. Somebody asks n1."),
        *at(3_105, _ask("n1")),
        *say(3_180, "n1 said 1, and x=2 had been committed when it was asked. Every rule was kept: the assumption "
                    "about clocks was not. ReadIndex needs no clock."),
    ),
)  # fmt: skip


_EARLY: Final = (
    _first(5),
    *at(400, _set(1, "n1", insist=True)),
    *say(700, "n1 leads, x=1 is committed, and everybody knows. Next n1 commits x=2, answers, and dies before the "
              "others hear that it is committed."),
    *at(710, _set(2, "n1")),
    *at(765, *(Cut("n1", node) for node in OTHERS)),
    *at(850, Crash("n1")),
    *at(855, ExpireTimers(("n2", "n4", "n5"), ELECTION, 2_000 * US_PER_MS)),
    *at(1_010, ExpireTimers(("n3",), ELECTION, 0)),
)  # fmt: skip

EARLY_READ: Final = Scenario(
    name="early-read",
    title="etcd #7331: a new leader answers before it knows",
    summary="A new leader holds a committed entry without knowing that it is committed, and answers without it.",
    variant="raft",
    config=_world("index", ("noop", False), ("read_after_commit", False)),
    end_us=1_900 * US_PER_MS,
    breaks=(READS, CLIENT_HISTORY),
    script=(
        *_EARLY,
        *say(1_200, "n3 leads. x=2 is in its log, as every committed entry is. But its commit index is that of a "
                    "follower, and says x=1. Somebody asks it."),
        *at(1_205, _ask("n3")),
        *say(1_400, "A majority confirmed that n3 leads, and it answered 1, though x=2 was committed and its client "
                    "told. Leading is not enough: it must know what is committed."),
    ),
)  # fmt: skip

LATER_READ: Final = Scenario(
    name="read-after-commit",
    title="The empty entry that a new leader needs",
    summary="The same with the rule and the entry of the own term: the answer waits for it, and is right.",
    variant="raft",
    config=_world("index"),
    end_us=1_900 * US_PER_MS,
    script=(
        *_EARLY,
        *at(1_060, _ask("n3")),
        *say(1_400, "The same deaths. n3 began its term with an empty entry, and what it was asked waited until that "
                    "was committed. With it n3 knew that x=2 is, and said 2."),
    ),
)  # fmt: skip


_RETRY: Final = (
    _first(5),
    *at(400, _set(1, "n1", insist=True)),
    *say(700, "n1 leads, x=1 is committed. Next, the way back to n1 is clogged: what the others send to it is held up. "
              "Somebody asks n1 what x is."),
    *at(710, *(Clog(node, "n1") for node in OTHERS)),
    *at(715, _ask("n1")),
    *at(850, *(Cut("n1", node) for node in OTHERS)),
    *say(855, "n1 sent its round, all four acknowledged it, and the answers are held up. Now n1 is not heard any more "
              "either. The others will elect somebody else."),
    *at(1_500, _set(2, "leader")),
)  # fmt: skip
_RETRY_END: Final = (*at(1_720, *(Unclog(node, "n1") for node in OTHERS)),)

RETRIED_READ: Final = Scenario(
    name="retried-read",
    title="etcd #20418: old answers confirm a repeated question",
    summary="Rounds are told apart by an id that a retry uses again: acknowledgements from before count for it.",
    variant="raft",
    config=_world("index", ("check_quorum", False), ("match_rounds", False)),
    end_us=2_400 * US_PER_MS,
    breaks=(READS, CLIENT_HISTORY),
    script=(
        *_RETRY,
        *say(1_700, "x=2 is committed under the new leader. n1 still leads term 1, and is asked again. It knows rounds "
                    "by who asked what, so the new question waits for the old round. Next, the held answers come."),
        *at(1_705, _ask("n1")),
        *_RETRY_END,
        *say(1_800, "Four acknowledgements came, of a round that was sent before x=2 was written. n1 took them for the "
                    "new question and said 1. Found in etcd in 2025 by pausing a process; the cure is to count by "
                    "position."),
    ),
)  # fmt: skip

RETRY_CURED: Final = Scenario(
    name="retried-read-cured",
    title="The same with rounds that are numbered",
    summary="An acknowledgement counts for the round it answers: the repeated question waits for its own.",
    variant="raft",
    config=_world("index", ("check_quorum", False)),
    end_us=2_400 * US_PER_MS,
    script=(
        *_RETRY,
        *say(1_700, "x=2 is committed under the new leader. n1 still leads term 1, and is asked again. The question "
                    "waits for a round with a higher number. Next, the held answers come."),
        *at(1_705, _ask("n1")),
        *_RETRY_END,
        *say(1_800, "Four acknowledgements came, of an old round: they confirm the old question and not the new one. "
                    "Behind them came a higher term, n1 stepped down, and the client was sent elsewhere."),
    ),
)  # fmt: skip

SCENARIOS: Final = (
    STALE_READ, READ_INDEX, LEASE_SKEW, EARLY_READ, LATER_READ, RETRIED_READ, RETRY_CURED,
)  # fmt: skip

__all__ = ["SCENARIOS"]
