"""``dp-tui run consensus FILE`` and ``dp-tui consensus FILE``: traces of etcd-io/raft, true to the letter, and others.

The lines are made by hand in the form that the with_tla build writes (state_trace.go): the same fields in the same
order, below the keys that zap puts around them.
"""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from engines.consensus.etcd_servers import MAJORITY, OWN_TERM, TracedCluster
from engines.consensus.etcd_trace import TraceReader
from engines.consensus.raft.checks import APPEND_ONLY, COMPLETENESS, ELECTION_SAFETY, LOG_MATCHING, ORDER, TERMS
from engines.consensus.recorded import Trace
from engines.errors import UserError
from engines.sim.recording import SourceFile
from engines.sim.timeline import Timeline
from tests.monkey import screen
from tui.cli import main
from tui.options import DataOptions
from tui.registry import PANELS
from tui.session import Session
from tui.userdata import consensus, reopen

NONE = DataOptions()
VOTERS = ("1", "2", "3")


class Writer:
    """What the loggers of a node set write into one file."""

    def __init__(self, voters: tuple[str, ...] = VOTERS, outgoing: tuple[str, ...] = ()) -> None:
        self.lines: list[str] = []
        self.ts = 1718271672.9694998
        self.voters, self.outgoing = voters, outgoing
        self.state: dict[str, list[Any]] = {}
        self.unread: set[str] = set()
        """Servers that have not read their configuration yet."""

    def server(self, nid: str, term: int = 0, vote: str = "0", commit: int = 0, role: str = "Follower",
               log: int = 0) -> None:  # fmt: skip
        """How a server stands from now on."""
        self.state[nid] = [term, vote, commit, role, log]

    def event(self, name: str, nid: str, msg: dict[str, Any] | None = None, prop: dict[str, Any] | None = None) -> None:
        term, vote, commit, role, log = self.state[nid]
        self.ts += 0.001
        event: dict[str, Any] = {
            "name": name, "nid": nid, "state": {"term": term, "vote": vote, "commit": commit}, "role": f"State{role}",
            "log": log, "conf": [list(self.voters), list(self.outgoing)],
        }  # fmt: skip
        if nid in self.unread:
            event["conf"] = [[], []]
        if msg is not None:
            event["msg"] = msg
        if prop is not None:
            event["prop"] = prop
        head = {
            "level": "debug",
            "ts": self.ts,
            "caller": "rafttest/trace_logger.go:42",
            "msg": "trace",
            "tag": "trace",
        }
        self.lines.append(json.dumps({**head, "event": event}, separators=(",", ":")))

    def begin(self, log: int = 3) -> None:
        """Three servers start with the entries of the first configuration, of term 1, committed."""
        for nid in self.voters:
            self.server(nid)
            self.event("InitState", nid)
            self.event("BecomeFollower", nid)
            self.server(nid, 1, "0", log, "Follower", log)
            self.event("Ready", nid)

    def elect(self, nid: str, voters: tuple[str, ...], term: int = 2, log: int = 3, log_term: int = 1) -> None:
        """One server stands, some vote for it, and it leads."""
        self.server(nid, term, nid, 3, "Candidate", log)
        self.event("BecomeCandidate", nid)
        for other in self.voters:
            if other != nid:
                self.event(
                    "SendRequestVoteRequest", nid, message("MsgVote", term, nid, other, index=log, log_term=log_term)
                )
        self.event("SendRequestVoteResponse", nid, message("MsgVoteResp", term, nid, nid))
        self.event("Ready", nid)
        self.event("ReceiveRequestVoteResponse", nid, message("MsgVoteResp", term, nid, nid))
        for other in voters:
            ask = message("MsgVote", term, nid, other, index=log, log_term=log_term)
            self.event("ReceiveRequestVoteRequest", other, ask)
            self.server(other, term, "0", 3, "Follower", self.state[other][4])
            self.event("BecomeFollower", other)
            self.event("SendRequestVoteResponse", other, message("MsgVoteResp", term, other, nid))
            self.server(other, term, nid, 3, "Follower", self.state[other][4])
            self.event("Ready", other)
            self.event("ReceiveRequestVoteResponse", nid, message("MsgVoteResp", term, other, nid))
        self.server(nid, term, nid, 3, "Leader", log)
        self.event("BecomeLeader", nid)
        self.event("Replicate", nid)
        self.server(nid, term, nid, 3, "Leader", log + 1)
        self.event("SendAppendEntriesResponse", nid, message("MsgAppResp", term, nid, nid, index=log + 1))

    def replicate(self, nid: str, other: str, index: int, prev_term: int, entries: int = 1) -> None:
        """Entries behind ``index`` reach a follower, which accepts them."""
        term, vote, commit, _, _ = self.state[nid]
        app = message("MsgApp", term, nid, other, entries, prev_term, index, commit)
        self.event("SendAppendEntriesRequest", nid, app, {"match": index, "next": index + 1})
        self.event("ReceiveAppendEntriesRequest", other, app)
        self.server(other, term, vote, commit, "Follower", index + entries)
        answer = message("MsgAppResp", term, other, nid, index=index + entries)
        self.event("SendAppendEntriesResponse", other, answer)
        self.event("ReceiveAppendEntriesResponse", nid, answer)

    def restart(self, nid: str, term: int, vote: str, commit: int, log: int) -> None:
        """A server starts again, and then reads on its disk what it knew."""
        self.unread.add(nid)
        self.server(nid, log=log)
        self.event("InitState", nid)
        self.event("ApplyConfChange", nid, prop={"cc": {"newconf": list(self.voters)}})
        self.unread.remove(nid)
        self.server(nid, term, vote, commit, "Follower", log)
        self.event("BecomeFollower", nid)

    def commit(self, nid: str, commit: int) -> None:
        term, vote, _, role, log = self.state[nid]
        self.server(nid, term, vote, commit, role, log)
        self.event("Commit", nid)

    def healthy(self) -> "Writer":
        """An election, one entry, committed."""
        self.begin()
        self.elect("2", ("3",))
        self.replicate("2", "1", 3, 1)
        self.event("Commit", "2")
        self.replicate("2", "3", 3, 1)
        self.commit("2", 4)
        return self

    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    def file(self, tmp_path: Path) -> str:
        path = tmp_path / "trace.ndjson"
        path.write_text(self.text())
        return str(path)


def message(
    kind: str, term: int, src: str, dst: str, entries: int = 0, log_term: int = 0, index: int = 0, commit: int = 0,
    reject: bool = False,
) -> dict[str, Any]:  # fmt: skip
    return {
        "type": kind, "term": term, "from": src, "to": dst, "entries": entries, "logTerm": log_term, "index": index,
        "commit": commit, "vote": "0", "reject": reject, "rejectHint": 0,
    }  # fmt: skip


def status(*arguments: str) -> int:
    """The exit status of the command line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["dp-tui", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
    assert isinstance(left.value.code, int)
    return left.value.code


def judged(writer: Writer) -> TracedCluster:
    cluster = TracedCluster()
    for number, event in enumerate(TraceReader(io.BytesIO(writer.text().encode()), "t"), 1):
        cluster.take(event, number, event.at_us or 0)
    return cluster


def broken(writer: Writer) -> set[str]:
    return {check.name for check in judged(writer).results() if not check.ok}


# -- what a trace shows ------------------------------------------------------------------------------------------------


def test_a_healthy_trace_breaks_nothing_and_its_logs_are_rebuilt() -> None:
    cluster = judged(Writer().healthy())
    assert all(check.ok for check in cluster.results())
    assert {name: each.log for name, each in cluster.servers.items()} == {
        "1": [0, 0, 1, 2], "2": [0, 0, 1, 2], "3": [0, 0, 1, 2],
    }  # fmt: skip
    assert (cluster.servers["2"].role, cluster.servers["2"].commit, cluster.servers["2"].match["1"]) == ("leader", 4, 4)


def test_run_json_names_the_servers_and_counts_the_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer = Writer().healthy()
    assert status("run", "consensus", writer.file(tmp_path), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["servers"] == ["1", "2", "3"]
    assert found["events"] == len(writer.lines)
    assert found["seed"] is None
    assert {check["name"] for check in found["checks"]} >= {ELECTION_SAFETY, LOG_MATCHING, COMPLETENESS, MAJORITY}
    assert status("run", "consensus", writer.file(tmp_path)) == 0
    assert "2 in term 2" in capsys.readouterr().out


def test_lines_of_something_else_and_what_stands_before_the_brace_are_passed_over(tmp_path: Path) -> None:
    writer = Writer().healthy()
    writer.lines.insert(3, '{"level":"info","ts":1718271672.97,"msg":"raft.node: 2 elected leader"}')
    writer.lines[5] = f"2024-06-13T09:41:12Z n1 {writer.lines[5]}"
    trace, reader, _ = consensus.read(writer.file(tmp_path), NONE)
    assert (len(trace), reader.passed) == (len(writer.lines) - 1, 1)


def test_lines_are_put_in_the_order_of_their_time_as_validate_sh_does() -> None:
    writer = Writer().healthy()
    reader = TraceReader(io.BytesIO("\n".join(reversed(writer.lines)).encode()), "t")
    trace = Trace(reader)
    assert [event.name for event in trace][:2] == ["InitState", "BecomeFollower"]
    assert trace.at[0] == 0
    assert trace.at == sorted(trace.at)


def test_events_without_the_keys_around_them_and_without_a_time_are_read() -> None:
    writer = Writer().healthy()
    bare = "\n".join(json.dumps(json.loads(line)["event"]) for line in writer.lines)
    trace = Trace(TraceReader(io.BytesIO(bare.encode()), "t"))
    assert len(trace) == len(writer.lines)
    assert trace.at[:3] == [0, 1_000, 2_000]


# -- what it breaks ----------------------------------------------------------------------------------------------------


def test_two_leaders_of_one_term_are_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer = Writer().healthy()
    writer.server("3", 2, "2", 3, "Leader", 4)
    writer.event("BecomeLeader", "3")
    assert ELECTION_SAFETY in broken(writer)
    assert status("run", "consensus", writer.file(tmp_path)) == 1
    assert f"line {len(writer.lines)}: BecomeLeader of 3" in capsys.readouterr().out


def test_a_term_that_goes_back_is_found() -> None:
    writer = Writer().healthy()
    writer.server("1", 1, "0", 3, "Follower", 4)
    writer.event("Ready", "1")
    assert broken(writer) == {TERMS}


def test_a_second_vote_in_a_term_is_found() -> None:
    writer = Writer().healthy()
    writer.server("3", 2, "1", 3, "Follower", 4)
    writer.event("Ready", "3")
    assert broken(writer) == {TERMS}


def test_a_restart_may_lose_what_was_not_persisted_yet_and_nothing_else() -> None:
    for term, vote, found in ((2, "2", set()), (2, "1", set()), (1, "0", set()), (0, "0", {TERMS})):
        writer = Writer().healthy()
        writer.restart("3", term, vote, 3, 4)
        assert broken(writer) == found, (term, vote)


def test_a_vote_that_was_persisted_survives_a_restart() -> None:
    writer = Writer().healthy()
    for _ in range(2):
        writer.event("Ready", "3")
    writer.restart("3", 2, "1", 3, 4)
    assert broken(writer) == {TERMS}


def test_a_server_that_starts_has_not_read_its_disk_yet() -> None:
    """``newRaft`` traces ``InitState`` before it loads term, vote and commit index: that it says 0 is no loss."""
    writer = Writer().healthy()
    for _ in range(2):
        writer.event("Ready", "3")
    writer.restart("3", 2, "2", 4, 4)
    writer.replicate("2", "3", 4, 2, entries=0)
    cluster = judged(writer)
    assert [check.name for check in cluster.results() if not check.ok] == []
    restarted = cluster.servers["3"]
    assert (restarted.term, restarted.vote, restarted.commit, restarted.voters) == (2, "2", 4, VOTERS)


def test_a_commit_index_that_goes_back_is_found_and_a_restart_excuses_it() -> None:
    writer = Writer().healthy()
    writer.server("2", 2, "2", 3, "Leader", 4)
    writer.event("SendAppendEntriesRequest", "2", message("MsgHeartbeat", 2, "2", "1"))
    assert broken(writer) == {ORDER}
    writer = Writer().healthy()
    writer.server("2", 2, "2", 3, "Follower", 4)
    writer.event("InitState", "2")
    assert broken(writer) == set()


def test_a_commit_beyond_the_log_is_found() -> None:
    writer = Writer().healthy()
    writer.server("1", 2, "2", 9, "Follower", 4)
    writer.event("Ready", "1")
    assert broken(writer) == {ORDER}


def test_a_leader_that_shortens_its_log_is_found() -> None:
    writer = Writer().healthy()
    writer.server("2", 2, "2", 4, "Leader", 3)
    writer.event("Ready", "2")
    assert broken(writer) == {APPEND_ONLY, ORDER}


def test_a_commitment_without_a_majority_is_found() -> None:
    writer = Writer()
    writer.begin()
    writer.elect("2", ("3",))
    writer.commit("2", 4)
    assert broken(writer) == {MAJORITY}


def test_while_a_configuration_is_joint_both_majorities_must_confirm() -> None:
    writer = Writer(("2", "3", "4"), ("1", "2", "3"))
    writer.begin()
    writer.server("1", 1, "0", 3, "Follower", 3)
    writer.elect("2", ("3",))
    writer.replicate("2", "4", 3, 1)
    writer.commit("2", 4)
    assert broken(writer) == {MAJORITY}


def test_an_election_without_a_majority_is_found() -> None:
    writer = Writer()
    writer.begin()
    writer.elect("2", ())
    assert broken(writer) == {MAJORITY}


def test_a_leader_that_lacks_what_was_committed_is_found() -> None:
    writer = Writer()
    writer.begin()
    writer.elect("2", ("3",))
    writer.replicate("2", "1", 3, 1)
    writer.commit("2", 4)
    writer.elect("3", ("1",), term=3, log=3)
    found = judged(writer)
    assert {check.name for check in found.results() if not check.ok} == {COMPLETENESS}
    assert "2 committed" in next(check.detail for check in found.results() if not check.ok)


def test_a_leader_that_commits_an_older_term_by_counting_is_found() -> None:
    writer = Writer()
    writer.begin()
    writer.elect("2", ("3",))
    writer.replicate("2", "3", 3, 1)
    writer.elect("3", ("1",), term=3, log=4, log_term=2)
    writer.replicate("3", "1", 3, 1)
    writer.commit("3", 4)
    assert broken(writer) == {OWN_TERM}


def test_an_entry_that_follows_two_terms_is_found() -> None:
    writer = Writer().healthy()
    writer.replicate("2", "1", 4, 2, entries=0)
    writer.server("3", 2, "2", 4, "Follower", 4)
    writer.event("SendRequestVoteRequest", "3", message("MsgVote", 3, "3", "1", index=4, log_term=1))
    assert broken(writer) == {LOG_MATCHING}


# -- bad files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello\n", "holds no event of a raft node but 1 line of something else"),
        ('{"level":"info",', "line 1: the line is cut off"),
        ('{"level" info}', "line 1: no JSON"),
        ('n1 {"nid":"1"} x', "line 1: no JSON (Extra data)"),
        ('{"event":{"name":"Ready","nid":"1",', "line 1: the line is cut off"),
        ('{"event":{"name":"Ready","nid":"1","state":3}}', '"state" is no object'),
        ('{"event":{"name":"Ready","nid":"1","state":{"term":-1,"vote":"0","commit":0},"role":"StateLeader","log":0,'
         '"conf":[[],[]]}}', '"term" is -1: a whole number from 0 to 4611686018427387904 is accepted'),
        ('{"event":{"name":"Ready","nid":"1","state":{"term":1,"vote":"0","commit":0},"role":"Leader","log":0,'
         '"conf":[[],[]]}}', '"role" is "Leader": one of StateFollower'),
        ('{"event":{"name":"Ready","nid":"1","state":{"term":1,"vote":"0","commit":0},"role":"StateLeader","log":0,'
         '"conf":["1"]}}', '"conf" is no pair'),
        ('{"at_ms":1,"ok":true,"duration_ms":3}\n', "holds no event of a raft node but 1 line of something else"),
        ("", "holds no event of a raft node"),
        ("\xff\xfe", "is not UTF-8"),
    ],
)  # fmt: skip
def test_what_is_no_trace_is_one_clear_line_and_status_2(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.ndjson"
    path.write_bytes(text.encode("latin-1"))
    assert status("run", "consensus", str(path)) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert "accepted" in error


def test_lines_of_plain_text_are_passed_over_and_counted_and_one_that_was_cut_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = Writer().healthy()
    plain = ["I0613 raft.go info", "map{1 2 3}", '2024 request {"header":1} took 3ms', "[1, 2]"]
    writer.lines[3:3] = plain
    path = writer.file(tmp_path)
    assert status("run", "consensus", path, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["snapshot"]["passed"], found["events"]) == (len(plain), len(writer.lines) - len(plain))
    for length in (2, 30, 130, 200, len(writer.lines[-1]) - 1):
        Path(path).write_text("\n".join([*writer.lines[:-1], writer.lines[-1][:length]]))
        assert status("run", "consensus", path) == 2, length
        assert f"line {len(writer.lines)}: the line is cut off" in capsys.readouterr().err


def test_bad_lines_are_skipped_and_counted_if_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = Writer().healthy()
    writer.lines.insert(2, writer.lines[2][:80])
    path = writer.file(tmp_path)
    assert status("run", "consensus", path) == 2
    assert "line 3: the line is cut off" in capsys.readouterr().err
    assert status("run", "consensus", path, "--skip-bad", "--json") == 0
    assert json.loads(capsys.readouterr().out)["snapshot"]["skipped"] == 1


def test_one_is_not_told_as_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer = Writer(("1",))
    writer.server("1")
    writer.event("InitState", "1")
    writer.lines += ["info", '{"cut']
    assert status("run", "consensus", writer.file(tmp_path), "--skip-bad") == 0
    said = capsys.readouterr().out
    assert said.startswith("1 event of 1 server (1) in ")
    assert ", 1 bad line skipped, 1 line of something else passed over" in said


def test_options_of_other_data_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Writer().healthy().file(tmp_path)
    with pytest.raises(UserError, match="a trace takes --skip-bad"):
        consensus.read(path, DataOptions(nodes=3))
    assert status("run", "consensus", path, "--seed", "3") == 2
    assert capsys.readouterr().err.count("\n") >= 1


# -- as a run ----------------------------------------------------------------------------------------------------------


def test_it_is_stepped_through_backwards_and_forwards(tmp_path: Path) -> None:
    writer = Writer().healthy()
    opening = consensus.opening(writer.file(tmp_path), NONE)
    assert opening.variant is not None
    run: Timeline[Any, Any] = Timeline(opening.variant, 0)
    run.advance(1 << 40)
    assert run.position == len(writer.lines)
    end = run.snapshot()
    assert (end.leader, end.term, end.commit) == ("2", 2, 4)
    run.seek(3)
    assert run.snapshot().leader == ""
    run.seek(1 << 30)
    assert run.snapshot() == end


def test_a_saved_run_opens_the_same_file_again(tmp_path: Path) -> None:
    path = Writer().healthy().file(tmp_path)
    source = consensus.opening(path, NONE).variant.source  # type: ignore[union-attr]
    assert source is not None
    assert reopen("consensus", SourceFile(path, source.sha256, False)).sha256 == source.sha256
    Path(path).write_text(Writer().healthy().text() + "\n\n")
    with pytest.raises(UserError, match="changed since"):
        reopen("consensus", SourceFile(path, source.sha256, False))


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
def test_the_panel_shows_ring_logs_and_what_each_line_says(tmp_path: Path, size: tuple[int, int]) -> None:
    opening = consensus.opening(Writer().healthy().file(tmp_path), NONE)
    session = Session(PANELS, "consensus", recorded=opening.variant, sandbox=True)
    session.resize(*size)
    shown = screen(session)
    assert "Recorded Raft" in shown
    assert "leader 2 t2" in shown or size == (80, 24)
    assert "has looked what a majority holds: committed up to 4" in shown
    for key in ("right", "down", "i", "e", "k", "x", "a", "j", "t", "esc", "f", "esc", "b", "esc", ",", ",", "."):
        session.press(key)
        assert screen(session)
