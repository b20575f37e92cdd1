"""Members and transfers in the panel: keys, typed changes, marks and sums."""

from typing import Any

import pytest

from engines.consensus.pattern import PATTERN
from engines.consensus.raft.commands import AddServer, ChangeJoint, LeaveJoint, RemoveServer, Transfer
from engines.consensus.raft.quorum import Configuration
from engines.consensus.raft.snapshot import Snapshot
from engines.errors import UserError
from engines.sim.timeline import Timeline
from tui.glyphs import ASCII
from tui.layout import arrange
from tui.panel import Focus, Refuse
from tui.panels.consensus import PANEL, members
from tui.panels.consensus.forms import client
from tui.panels.consensus.keys import KEYS


def at(story: str, ms: int) -> Snapshot:
    scenario = PATTERN.scenario(story)
    run: Timeline[Any, Snapshot] = Timeline(PATTERN.variant("raft"), scenario.seed, scenario.config, scenario)
    run.advance(ms * 1_000)
    return run.snapshot()


def press(key: str, snapshot: Snapshot, node: str) -> Any:
    act = next(each.act for each in KEYS if each.key == key)
    assert act is not None
    return act(snapshot, Focus(node=node))


JOINT = at("joint", 980)
LEARNING = at("learner", 1_300)
OUT = at("joint", 2_000)


def test_j_adds_the_next_server_or_the_selected_one_if_it_is_no_voter() -> None:
    assert press("j", LEARNING, "n2") == AddServer("")
    assert press("j", LEARNING, "n4") == AddServer("n4")
    assert press("j", OUT, "n1") == AddServer("n1")


def test_J_removes_the_selected_member() -> None:
    assert press("J", LEARNING, "n4") == RemoveServer("n4")
    assert press("J", OUT, "n1") == Refuse("n1 is no member of (n2 n3 n4 n5 n6)")


def test_L_hands_over_to_the_selected_server() -> None:
    assert press("L", LEARNING, "n3") == Transfer("n3")
    assert press("L", LEARNING, "n1") == Refuse("n1 leads: select the server that is to take over")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("+n6", AddServer("n6")), ("~n6", AddServer("n6", learner=True)), ("-n2", RemoveServer("n2")),
        ("+n6 +n7 -n1 ~n2", ChangeJoint(("n6", "n7"), ("n1",), ("n2",))), ("leave", LeaveJoint()),
    ],
)  # fmt: skip
def test_changes_of_members_are_typed(text: str, command: Any) -> None:
    assert client(LEARNING, Focus(node="n1"), text) == command


@pytest.mark.parametrize("text", ["+", "+n6 y=3", "-n1 n2"])
def test_what_is_no_change_says_what_is(text: str) -> None:
    with pytest.raises(UserError, match="is no change of members"):
        client(LEARNING, Focus(node="n1"), text)


def test_marks_say_what_a_server_is() -> None:
    assert {each.id: members.mark(JOINT, each) for each in JOINT.servers} == {
        "n1": "-", "n2": "", "n3": "", "n4": "+", "n5": "+", "n6": "+",
    }  # fmt: skip
    assert {each.id: members.mark(LEARNING, each) for each in LEARNING.servers} == {
        "n1": "", "n2": "", "n3": "", "n4": "~",
    }  # fmt: skip


def test_both_majorities_are_counted_while_a_configuration_is_joint() -> None:
    configuration = Configuration(("n2", "n3", "n4", "n5", "n6"), ("n1", "n2", "n3"))
    assert members.tally(configuration, ("n1", "n2")) == "2 of 3 and 1 of 5"
    assert members.wanted(configuration) == "2 and 3"
    assert members.missing(configuration, ("n1", "n2")) == 2
    assert members.missing(configuration, ("n2", "n3", "n4")) == 0


def test_the_top_line_counts_voters_and_learners() -> None:
    assert PANEL.status(JOINT).startswith("3 > 5 voters")
    assert PANEL.status(LEARNING).startswith("3 voters 1 learner")
    assert PANEL.status(at("learner", 500)).startswith("3 nodes")


@pytest.mark.parametrize(("ms", "wanted"), [(900, 2), (1_005, 2), (1_310, 2), (2_300, 1)])
def test_the_header_counts_by_those_who_can_lead_and_not_by_what_a_dead_server_wrote_last(ms: int, wanted: int) -> None:
    """n1 died with the entry that leaves n2 alone: n2 still needs both, as the story says beside it."""
    snapshot = at("two-servers", ms)
    assert snapshot.quorum == wanted
    note = PANEL.view(snapshot, Focus(), arrange(80, 24).sizes(), ASCII).picture_note
    assert f"quorum {wanted} of {wanted}" in note or note.endswith("1 of 2 voters alive, quorum 2: nothing can commit")


def test_a_removed_server_that_stands_with_an_old_log_does_not_say_what_the_quorum_is() -> None:
    """n2 died with the entry that left three; n1 goes by five still, and nobody who has that entry elects it."""
    snapshot = at("mend-2015", 1_900)
    assert (snapshot.leader, snapshot.term) == ("", 3)
    assert [each.id for each in snapshot.servers if each.role == "candidate" and each.term == 3] == ["n1"]
    assert (str(snapshot.configuration), snapshot.quorum) == ("(n2 n3 n4)", 2)
    frame = PANEL.view(snapshot, Focus(node="n1"), arrange(120, 36).sizes(), ASCII)
    assert "quorum 2 of 3 (n2 n3 n4)" in frame.picture_note
    assert "2 = floor(3/2)+1 (n2 n3 n4): 3 servers survive 1 failure" in " ".join(frame.inspector.text().split())
    assert "goes by" in frame.inspector.text()


def test_a_server_that_is_brought_up_to_date_is_no_stranger() -> None:
    run: Timeline[Any, Snapshot] = Timeline(PATTERN.variant("raft"), 42, ())
    run.advance(2_000_000)
    run.submit(AddServer("n6"))
    run.advance(2_100_000)
    snapshot = run.snapshot()
    leader, new = snapshot.server(snapshot.leader), snapshot.server("n6")
    assert leader is not None
    assert new is not None
    assert leader.catching_up is not None
    assert members.mark(snapshot, new) == "+"
    assert members.kind(snapshot, new).startswith("comes in: it gets the log")
