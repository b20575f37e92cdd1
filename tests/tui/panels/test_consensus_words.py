"""The journal says something of every kind of event, with its reason and its numbers, in plain ASCII."""

import re
from typing import Any, get_args

import pytest

from engines.consensus.raft.checks import DEMANDS
from engines.consensus.raft.events import (
    Elected,
    PreVoteRefused,
    RaftEvent,
    Stored,
    Truncated,
    VoteGranted,
    VoteIgnored,
    VoteReason,
)
from engines.sim.events import Event, KernelEvent
from tests.tui.subjects.consensus import CONSENSUS
from tui.panels.consensus import PANEL
from tui.panels.consensus.lessons import IF_BROKEN, LESSONS, OF_KIND, OF_REASON
from tui.panels.consensus.words import narrate

ROOM = 100


def test_every_kind_has_its_lesson_and_every_lesson_is_reached() -> None:
    assert set(OF_KIND) == {*get_args(KernelEvent), *get_args(RaftEvent)}
    assert set(OF_KIND.values()) | set(OF_REASON.values()) == set(LESSONS)


@pytest.mark.parametrize(
    ("kind", "wanted", "words"),
    [
        ("timed_out", {"why": "silence"}, r"n\d: heard no leader for \d+ ms \(its timeout\): asks who would vote"),
        ("elected", {}, r"n\d: leads term \d+: 3 votes, of n\d n\d n\d; 3 are a majority"),
        ("committed", {"last": 2}, r"n\d: entry 2 is on n\d n\d n\d: 3, 3 needed: committed"),
        ("stored", {"prev": 1}, r"n\d: appends entry 2: its entry 1 has term \d+, as the leader says"),
        ("commit_withheld", {}, r"entry \d+ is of term \d, counting replicas proves nothing for old terms \(5\.4\.2\)"),
        ("lost", {"why": "cut"}, r"n\d>n\d: .* lost: the link n\d>n\d is cut"),
        ("lost", {"why": "loss"}, r"lost: the link n\d>n1 drops 30 % of its messages"),
        ("lost", {"why": "crashed"}, r"lost: n\d is crashed"),
        ("truncated", {}, r"deletes entr.* of term \d+: n\d has term \d+ there; committed is only up to \d+"),
        ("stepped_down", {"why": "no_quorum"}, r"stops leading: it heard no majority"),
        ("quorum_lost", {}, r"heard \d servers in 300 ms, itself included; needs 3 to lead"),
        ("vote_refused", {"why": "voted"}, r"refuses n\d its vote: it voted for n\d in term \d+, and has one"),
        ("proposed", {"op": "add"}, r"you: propose y\+=1"),
        ("redirected", {}, r"does not lead, so it cannot take"),
        ("match_found", {}, r"agrees with its own by now, up to entry \d+: sends whatever follows$"),
        ("crashed", {}, r"crashes: its role, commit index and state machine are gone; term, log and written vote stay"),
        ("partitioned", {}, r"world: the network splits: n\d.* \| n\d"),
        ("rule_switched", {}, r"you: rule pre vote OFF"),
    ],
)  # fmt: skip
def test_lines_carry_reason_and_numbers(kind: str, wanted: dict[str, Any], words: str) -> None:
    assert re.search(words, CONSENSUS.told(kind, **wanted))


def test_deleting_what_was_committed_is_said_loudly() -> None:
    event = next(
        each for each in CONSENSUS.events if isinstance(each.what, Truncated) and each.what.first <= each.what.commit
    )
    assert "deletes COMMITTED entry 1 of term 1" in PANEL.narrate(event).text
    assert "Only a broken rule allows that" in PANEL.narrate(event).text


def test_what_repeats_is_told_in_one_line() -> None:
    stores = [each for each in CONSENSUS.events if isinstance(each.what, Stored) and each.what.first == 3][:4]
    assert len({PANEL.routine(each) for each in stores}) == 1
    line = PANEL.fold(stores)
    assert (line.who, line.text) == ("n2 n5 n4 n1", "append entry 3: their entry 2 has term 1, as the leader says")
    assert not any(
        PANEL.routine(each) for each in CONSENSUS.events if isinstance(each.what, VoteGranted | Elected | Truncated)
    )


def test_every_check_has_its_paragraph() -> None:
    assert set(IF_BROKEN) == set(DEMANDS)


def told(node: str, what: RaftEvent) -> str:
    return narrate(Event(0, 0, node, what)).text


def test_a_leader_that_would_not_vote_says_that_it_leads() -> None:
    refused = PreVoteRefused("n1", VoteReason.LEADER_ALIVE, 2, 1, "n4", 1, 1, 1, 1)
    assert told("n4", refused) == "would not vote for n1: it leads term 1 itself"
    assert told("n2", refused) == "would not vote for n1: it heard its leader n4 within the shortest timeout"
    ignored = VoteIgnored("n1", 2, 1, "n4")
    assert told("n4", ignored) == "ignores n1's RequestVote t2: it leads term 1 itself"
