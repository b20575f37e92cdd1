"""A trace as the ``with_tla`` build of etcd-io/raft writes it, line by line, held against what is read of it.

``etcd_raft.ndjson`` has the form of state_trace.go below zap's keys: the fields of ``TracingEvent`` in their order,
what is ``omitempty`` left out where it is empty, names as decimal text, and the events in the order in which raft.go
traces them. In it three servers start, 3 is elected without 2, a learner gets a snapshot and becomes a voter by a
joint configuration while 1 goes, and 2 starts again.
"""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from engines.consensus.etcd_servers import MAJORITY, TracedCluster
from engines.consensus.etcd_trace import TraceEvent, TraceMessage, TraceReader, parse
from engines.consensus.raft.checks import TERMS
from engines.consensus.recorded import Traced
from tests.tui.test_userdata_consensus import status
from tui.panels.consensus.traced import told

FILE: Final = Path(__file__).with_name("etcd_raft.ndjson")
LINES: Final = FILE.read_bytes().splitlines(keepends=True)
EVENTS: Final[list[dict[str, Any]]] = [json.loads(line)["event"] for line in LINES]
ALWAYS: Final = ["name", "nid", "state", "role", "log", "conf"]
MESSAGE: Final = [
    "type", "term", "from", "to", "entries", "logTerm", "index", "commit", "vote", "reject", "rejectHint",
]  # fmt: skip
KINDS: Final = {
    "InitState", "BecomeCandidate", "BecomeFollower", "BecomeLeader", "Commit", "Replicate", "ChangeConf",
    "ApplyConfChange", "Ready", "SendAppendEntriesRequest", "ReceiveAppendEntriesRequest", "SendAppendEntriesResponse",
    "ReceiveAppendEntriesResponse", "SendRequestVoteRequest", "ReceiveRequestVoteRequest", "SendRequestVoteResponse",
    "ReceiveRequestVoteResponse",
}  # fmt: skip
"""All that is ever traced: SendSnapshot and ReceiveSnapshot have names, and nobody writes them."""


def read(lines: list[bytes]) -> list[TraceEvent]:
    found = [parse(line, number) for number, line in enumerate(lines, 1)]
    assert None not in found
    return [each for each in found if each is not None]


def broken(lines: list[bytes]) -> list[str]:
    cluster = TracedCluster()
    for number, event in enumerate(read(lines), 1):
        cluster.take(event, number, event.at_us or 0)
    return [check.name for check in cluster.results() if not check.ok]


def line_of(name: str, nid: str, last: bool = False, **message: Any) -> int:
    """The place of the first such line, or of the last."""
    places = [
        place for place, event in enumerate(EVENTS)
        if (event["name"], event["nid"]) == (name, nid)
        and all(event.get("msg", {}).get(field) == value for field, value in message.items())
    ]  # fmt: skip
    return places[-1 if last else 0]


def said(name: str, nid: str, last: bool = False, **message: Any) -> str:
    event = read([LINES[line_of(name, nid, last, **message)]])[0]
    return told(Traced(event, "follower"))[0].removesuffix("  (line 1)")


def test_the_file_has_every_kind_of_event_with_the_fields_of_the_struct_in_their_order() -> None:
    assert {event["name"] for event in EVENTS} == KINDS
    for event in EVENTS:
        assert [key for key in event if key not in ("msg", "prop")] == ALWAYS
        assert list(event)[len(ALWAYS) :] in ([], ["msg"], ["prop"], ["msg", "prop"])
        assert list(event["state"]) == ["term", "vote", "commit"]
        assert "msg" not in event or list(event["msg"]) == MESSAGE


def test_nothing_is_broken_in_it_and_the_configuration_is_joint_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert broken(LINES) == []
    assert status("run", "consensus", str(FILE), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["events"], list(found["servers"])) == (len(LINES), ["1", "2", "3", "4"])
    with FILE.open("rb") as stream:
        reader = TraceReader(stream, "t")
        last = [*reader][-1]
        assert (reader.skipped, reader.passed) == (0, 0)
    assert (last.voters, last.outgoing) == (("2", "3", "4"), ("1", "2", "3"))


def test_what_a_line_says_of_a_message_is_read_and_a_snapshots_index_stands_in_entries() -> None:
    (append,) = read([LINES[line_of("SendAppendEntriesRequest", "3", to="2", index=6, entries=1)]])
    assert append.message == TraceMessage("MsgApp", 2, "3", "2", 1, 2, 6, 6, False)
    (snapshot,) = read([LINES[line_of("ReceiveAppendEntriesRequest", "4", type="MsgSnap")]])
    assert snapshot.message == TraceMessage("MsgSnap", 2, "3", "4", 5, 0, 0, 0, False)
    assert said("ReceiveAppendEntriesRequest", "4", type="MsgSnap") == "hears from 3 a snapshot in term 2 up to entry 5"
    vote = said("SendRequestVoteRequest", "3", to="1")
    assert vote == "sends 1 RequestVote in term 2, its log ends at 3 of term 1"


def test_a_change_is_told_as_it_is_asked_for_and_as_it_is_applied() -> None:
    assert said("ChangeConf", "3") == "appends a change of the configuration: ~4"
    assert said("ChangeConf", "3", last=True) == "appends a change of the configuration: +4 -1"
    assert said("ApplyConfChange", "3", last=True) == "applies a configuration: the voters are 2 3 4"
    assert said("ApplyConfChange", "4") == "applies a configuration: the voters are nobody"


def test_a_start_says_that_term_and_vote_are_not_read_yet() -> None:
    assert said("InitState", "2", last=True) == "starts, its log to 7; its term and its vote are read next"


def test_a_commitment_in_a_joint_configuration_is_found_to_lack_its_second_majority() -> None:
    """1 and 3 are a majority of the old voters; of the new ones only 3 and 4 together are."""
    confirmed: dict[str, Any] = {"from": "4", "index": 7}
    place = line_of("ReceiveAppendEntriesResponse", "3", **confirmed)
    assert broken([*LINES[:place], *LINES[place + 1 :]]) == [MAJORITY]


def test_a_disk_that_lost_a_term_is_found_by_what_follows_the_start() -> None:
    place = line_of("BecomeFollower", "2", last=True)
    lost = LINES[place].replace(b'"term":2', b'"term":1')
    assert lost != LINES[place]
    assert broken([*LINES[:place], lost, *LINES[place + 1 :]]) == [TERMS]
