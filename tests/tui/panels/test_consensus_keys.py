"""Every verb means something the engine accepts, or says why not; the selection never holds what is gone."""

from typing import Any

import pytest

from engines.consensus.raft.commands import Propose, SetRule
from engines.consensus.raft.snapshot import Snapshot
from engines.errors import UserError
from engines.sim import faults
from engines.sim.timeline import Timeline
from tests.tui.panels.consensus_runs import run
from tui.kit.selection import OnMessage
from tui.panel import Focus, Offer, Refuse
from tui.panels.consensus import PANEL
from tui.panels.consensus.queries import OnEntry
from tui.scrubber import weight


def built_by(offer: Offer) -> Any:
    """The command of an offer without parameters."""
    return offer.build({})


ARROWS = ("left", "right", "up", "down")
KEYS: dict[str, Any] = {key.key: key for key in PANEL.keys}


def press(timeline: Timeline[Any, Snapshot], key: str, focus: Focus) -> Any:
    return KEYS[key].act(timeline.snapshot(), focus)


def test_the_first_focus_is_the_leader() -> None:
    assert PANEL.fit(run(1_000).snapshot(), Focus()).node == "n3"


def test_arrows_walk_servers_messages_and_entries_and_come_back() -> None:
    snapshot = run(2_000).snapshot()
    flight = snapshot.flights[0]
    focus = PANEL.move(snapshot, Focus(node="n5"), "right")
    assert focus.node == "n1"
    focus = PANEL.move(snapshot, Focus(node=flight.dst), "up")
    assert focus.pick == OnMessage(flight.id)
    assert PANEL.move(snapshot, focus, "down").pick is None
    focus = PANEL.move(snapshot, Focus(node="n2"), "down")
    last = snapshot.window[1]
    assert (focus.node, focus.pick) == ("n2", OnEntry(last))
    assert PANEL.move(snapshot, focus, "left").pick == OnEntry(last - 1)
    assert PANEL.move(snapshot, focus, "down").node == "n3"
    assert PANEL.move(snapshot, focus, "right").pick is None


def test_on_a_message_k_drops_it_and_x_l_d_act_on_its_link_alone() -> None:
    timeline = run(2_000)
    flight = timeline.snapshot().flights[0]
    focus = Focus(node=flight.dst, pick=OnMessage(flight.id))
    assert press(timeline, "k", focus) == faults.Drop(flight.id)
    assert press(timeline, "x", focus) == faults.Cut(flight.src, flight.dst)
    assert press(timeline, "l", focus) == (faults.Lose(flight.src, flight.dst, 100_000),)
    assert press(timeline, "d", focus) == (faults.Slow(flight.src, flight.dst, 45_000, 30_000),)
    assert isinstance(press(timeline, "z", focus), Refuse)


@pytest.mark.parametrize(
    ("key", "levels"),
    [
        ("l", [100_000, 300_000, 600_000, 1_000_000, 0]),
        ("d", [45_000, 150_000, 15_000]),
    ],
)
def test_levels_go_round(key: str, levels: list[int]) -> None:
    timeline = run(1_000)
    focus = Focus(node="n2")
    for level in levels:
        commands = press(timeline, key, focus)
        assert {getattr(each, "ppm", getattr(each, "latency_us", None)) for each in commands} == {level}
        for command in commands:
            timeline.submit(command)
    assert not timeline.snapshot().links


def test_toggles_come_back() -> None:
    timeline = run(1_000)
    focus = Focus(node="n2")
    for key, there, back in (
        ("k", faults.Crash, faults.Restart),
        ("z", faults.Freeze, faults.Thaw),
        ("x", faults.Isolate, faults.Reconnect),
    ):
        for kind in (there, back):
            command = press(timeline, key, focus)
            assert command == kind("n2")
            timeline.submit(command)
    clocks = []
    for _ in range(4):
        command = press(timeline, "c", focus)
        clocks.append((command.offset_us, command.drift_ppm))
        timeline.submit(command)
        timeline.advance(timeline.now_us + 20_000)
    assert clocks == [(200_000, 0), (0, 200_000), (0, -200_000), (0, 0)]


def test_a_crashed_server_takes_no_proposal_and_says_so() -> None:
    timeline = run(1_500, (1_000, faults.Crash("n2")))
    outcome = press(timeline, "a", Focus(node="n2"))
    assert isinstance(outcome, Refuse)
    assert "crashed" in outcome.why


def test_proposals_follow_from_the_snapshot_alone() -> None:
    timeline = run(1_000)
    assert press(timeline, "a", Focus(node="n3")) == Propose("set", "x", 1, "n3")
    timeline.submit(Propose("set", "x", 1, "n3"))
    timeline.advance(1_400_000)
    assert press(timeline, "a", Focus(node="n3")) == Propose("set", "y", 2, "n3")


def test_typed_commands_are_parsed_and_nonsense_is_refused_with_what_would_do() -> None:
    snapshot = run(1_000).snapshot()
    assert PANEL.client(snapshot, Focus(node="n1"), "y+=2") == Propose("add", "y", 2, "n1")
    with pytest.raises(UserError, match="y=3"):
        PANEL.client(snapshot, Focus(), "make tea")


def test_rules_know_their_state_and_offer_the_opposite() -> None:
    snapshot = run(1_000, (900, SetRule("pre_vote", False))).snapshot()
    built = [(offer.on, built_by(offer)) for offer in PANEL.rules(snapshot, Focus())]
    states = {command.rule: (on, command.on) for on, command in built}
    assert states["pre_vote"] == (False, True)
    assert states["check_quorum"] == (True, False)


def test_what_breaks_something_covers_a_proposal_beside_it_on_the_scrubber() -> None:
    propose = PANEL.mark(Propose("set", "x", 1))
    assert propose is not None
    for fault in (
        faults.Partition((("n1",), ("n2",))),
        faults.Crash("n1"),
        faults.Cut("n1", "n2"),
        faults.Freeze("n1"),
    ):
        mark = PANEL.mark(fault)
        assert mark is not None
        assert weight(mark[1], True) > weight(propose[1], False)


def test_the_workload_goes_round() -> None:
    timeline = run(1_000)
    seen = []
    for _ in range(4):
        command = press(timeline, "w", Focus())
        seen.append(command.level)
        timeline.submit(command)
    assert seen == ["busy", "flood", "off", "light"]
