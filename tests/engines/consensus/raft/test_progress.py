"""What a leader knows of one other server: probe, replicate, snapshot."""

from engines.consensus.raft.messages import LogSnapshot
from engines.consensus.raft.progress import PeerProgress, ProgressState
from engines.consensus.raft.quorum import Configuration

SNAPSHOT = LogSnapshot(4, 1, Configuration(("n1",)), ())


def test_it_begins_in_replicate_and_is_not_heard() -> None:
    progress = PeerProgress(7)
    assert (progress.state, progress.next_index, progress.match_index) == (ProgressState.REPLICATE, 7, 0)
    assert (progress.probing, progress.inflight, progress.snapshot, progress.heard_at_us) == (False, [], None, None)


def test_what_is_confirmed_is_no_longer_under_way() -> None:
    progress = PeerProgress(7)
    progress.inflight = [7, 9, 12]
    progress.confirm(9)
    assert (progress.match_index, progress.inflight) == (9, [12])
    progress.confirm(20)
    assert (progress.match_index, progress.inflight) == (20, [])


def test_a_refusal_leads_to_probe_and_nothing_is_under_way() -> None:
    progress = PeerProgress(7)
    progress.inflight = [7]
    progress.probe(3)
    assert (progress.state, progress.probing, progress.next_index, progress.inflight) == (
        ProgressState.PROBE, True, 3, [],
    )  # fmt: skip


def test_a_snapshot_begins_at_its_beginning_and_ends_in_probe_or_replicate() -> None:
    progress = PeerProgress(3)
    progress.inflight, progress.offset = [3], 5
    progress.transfer(SNAPSHOT)
    assert (progress.state, progress.snapshot, progress.offset, progress.inflight) == (
        ProgressState.SNAPSHOT, SNAPSHOT, 0, [],
    )  # fmt: skip
    progress.probe(5)
    assert (progress.state, progress.snapshot) == (ProgressState.PROBE, None)
    progress.transfer(SNAPSHOT)
    progress.confirm(6)
    progress.inflight = [6]
    progress.replicate()
    assert (progress.state, progress.snapshot, progress.next_index, progress.inflight) == (
        ProgressState.REPLICATE, None, 7, [],
    )  # fmt: skip
