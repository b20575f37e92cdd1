"""Every verb means something the engine accepts, or says why not; the selection never holds what is gone."""

from dataclasses import replace
from typing import Any

import pytest

from engines.errors import UserError
from engines.sharding.world import commands as c
from engines.sim import faults
from engines.sim.rules import SetRule
from tests.tui.panels.sharding_runs import Run, run, standing
from tui.kit.selection import OnMessage
from tui.panel import Ask, Do, Focus, Offer, Refuse
from tui.panels.sharding import PANEL
from tui.panels.sharding.select import OnKey, OnUnit, chart_of, choose, read


def built_by(offer: Offer) -> Any:
    """The command of an offer without parameters."""
    return offer.build({})


ARROWS = ("left", "right", "up", "down")
KEYS: dict[str, Any] = {key.key: key for key in PANEL.keys}


def press(timeline: Run, key: str, focus: Focus) -> Any:
    return KEYS[key].act(timeline.snapshot(), focus)


def accepted(timeline: Run, outcome: Any) -> bool:
    """Whether an outcome is a command, or commands, that the engine takes now, or something of the screen."""
    if isinstance(outcome, Focus | Ask | Do | Refuse):
        return True
    for command in outcome if isinstance(outcome, tuple) else (outcome,):
        assert isinstance(command, c.COMMANDS)
        timeline.engine.validate(timeline.engine.resolve(command))
    return bool(outcome) or outcome == ()


def values(offer: Offer) -> dict[str, Any]:
    return {param.name: param.value for param in offer.params}


@pytest.mark.parametrize("fault", [faults.Crash("cfg"), faults.Freeze("cfg")])
def test_without_the_coordinator_orders_are_refused_with_the_reason(fault: Any) -> None:
    timeline = run(2_000, (1_000, fault), variant="slots")
    snapshot = timeline.snapshot()
    for key in ("j", "J"):
        outcome = press(timeline, key, Focus())
        assert isinstance(outcome, Refuse)
        assert "cfg is" in outcome.why
    for offer in PANEL.tune(snapshot, Focus()):
        assert accepted(timeline, offer.build(values(offer))), offer.title


def test_with_twelve_nodes_what_cannot_be_ordered_is_the_engines_to_say() -> None:
    timeline = run(500, config=(("nodes", 12),))
    with pytest.raises(UserError, match="12 nodes"):
        accepted(timeline, press(timeline, "j", Focus()))


def test_arrows_walk_nodes_keys_and_messages_and_come_back() -> None:
    snapshot = standing("ring")
    assert PANEL.move(snapshot, Focus(node="n6"), "right").node == "n1"
    assert PANEL.move(snapshot, Focus(node="n1"), "left").node == "n6"
    down = PANEL.move(snapshot, Focus(node="n1"), "down")
    what = read(down).what
    assert isinstance(what, OnKey)
    key = snapshot.key(what.name)
    assert key is not None
    assert down.node == key.owner
    first = PANEL.fit(snapshot, choose(Focus(), what=OnKey(snapshot.keys[0].key)))
    assert read(PANEL.move(snapshot, first, "right")).what == OnKey(snapshot.keys[1].key)
    assert read(PANEL.move(snapshot, first, "up")).what is None
    flight = snapshot.flights[0]
    node = flight.src if snapshot.node(flight.src) else flight.dst
    up = PANEL.move(snapshot, Focus(node=node), "up")
    assert isinstance(read(up).what, OnMessage)
    assert read(PANEL.move(snapshot, up, "down")).what is None


def test_the_selection_follows_a_key_to_its_new_owner() -> None:
    timeline = run(2_000)
    timeline.submit(c.AddNode())
    timeline.advance(12_000_000)
    snapshot = timeline.snapshot()
    for key in snapshot.keys:
        assert PANEL.fit(snapshot, choose(Focus(node="n1"), what=OnKey(key.key))).node == key.owner


def test_find_selects_the_key_it_names_once() -> None:
    snapshot = standing("ring")
    key = snapshot.keys[1].key
    focus = PANEL.fit(snapshot, Focus(node="n1", find=key))
    assert read(focus).what == OnKey(key)
    left = PANEL.fit(snapshot, choose(focus, what=None))
    assert read(left).what is None, "the search was followed already"
    assert read(PANEL.fit(snapshot, Focus(find="no such key"))).what is None
    assert read(PANEL.fit(snapshot, replace(left, find=""))).found == ""


def test_g_goes_to_the_hottest_key_and_then_to_its_cures() -> None:
    timeline = run(3_000)
    snapshot = timeline.snapshot()
    focus = press(timeline, "g", Focus())
    assert read(focus).what == OnKey(snapshot.balance.hottest)
    assert press(timeline, "g", focus) == Ask("tune")
    first = PANEL.tune(snapshot, focus)[0]
    assert first.title == f"salt {snapshot.balance.hottest}"
    assert first.build(values(first)) == c.Salt(snapshot.balance.hottest, 4)
    assert isinstance(press(run(1_000, config=(("workload", "off"),)), "g", Focus()), Refuse)


def test_every_strategy_offers_the_cure_it_has() -> None:
    for variant, wanted in (("bounded", "bound"), ("range", "split for heat"), ("slots", "split for heat")):
        assert wanted in [offer.title for offer in PANEL.tune(standing(variant), Focus())]


def test_virtual_nodes_go_up_and_down_and_say_where_there_are_none() -> None:
    timeline = run(1_000)
    assert press(timeline, "y", Focus()) == c.SetVnodes(300)
    assert press(timeline, "L", Focus()) == c.SetVnodes(64)
    refused = press(run(500, variant="slots"), "y", Focus())
    assert isinstance(refused, Refuse)
    assert "no virtual nodes" in refused.why
    assert isinstance(press(run(500, config=(("vnodes", 1),)), "L", Focus()), Refuse)


def test_get_and_put_ask_for_the_selected_key() -> None:
    timeline = run(2_000)
    key = timeline.snapshot().keys[2]
    focus = choose(Focus(), what=OnKey(key.key))
    assert press(timeline, "a", focus) == c.Get(key.key)
    assert press(timeline, "o", focus) == c.Put(key.key, key.acked + 1)


def test_n_walks_through_what_moves_and_v_through_the_charts() -> None:
    snapshot = standing("join ring")
    assert snapshot.plan is not None
    first = KEYS["n"].act(snapshot, Focus())
    assert isinstance(read(first).what, OnUnit)
    assert read(KEYS["n"].act(snapshot, first)).what != read(first).what
    assert isinstance(KEYS["n"].act(standing("ring"), Focus()), Refuse)
    charts = []
    focus = Focus()
    for _ in range(3):
        charts.append(chart_of(snapshot, focus))
        focus = KEYS["v"].act(snapshot, focus)
    assert charts == ["compare", "curves", "time"]
    assert chart_of(snapshot, PANEL.move(snapshot, Focus(node="n1", area="strip"), "right")) == "curves"
    assert isinstance(KEYS["v"].act(standing("jump"), Focus()), Refuse)


def test_on_a_message_k_drops_it_and_x_l_d_act_on_its_link_alone() -> None:
    timeline = run(2_000)
    flight = timeline.snapshot().flights[0]
    node = flight.src if timeline.snapshot().node(flight.src) else flight.dst
    focus = choose(Focus(node=node), what=OnMessage(flight.id))
    assert press(timeline, "k", focus) == faults.Drop(flight.id)
    assert press(timeline, "x", focus) == faults.Cut(flight.src, flight.dst)
    assert press(timeline, "l", focus) == (faults.Lose(flight.src, flight.dst, 100_000),)
    assert press(timeline, "d", focus) == (faults.Slow(flight.src, flight.dst, 150_000, 90_000),)
    assert isinstance(press(timeline, "z", focus), Refuse)
    assert isinstance(press(timeline, "c", focus), Refuse)


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
    for key, levels in (("l", 5), ("d", 3), ("u", 2), ("c", 4)):
        for _ in range(levels):
            outcome = press(timeline, key, focus)
            for command in outcome if isinstance(outcome, tuple) else (outcome,):
                timeline.submit(command)
            timeline.advance(timeline.now_us + 20_000)
    assert not timeline.snapshot().links


def test_the_workload_goes_round() -> None:
    timeline = run(1_000)
    seen = []
    for _ in range(5):
        command = press(timeline, "w", Focus())
        seen.append(command.pattern)
        timeline.submit(command)
    assert seen == ["monotonic", "hot", "off", "uniform", "zipf"]


def test_typed_requests_are_parsed_and_nonsense_is_refused_with_what_would_do() -> None:
    snapshot = standing("ring")
    assert PANEL.client(snapshot, Focus(), "get cart:1") == c.Get("cart:1")
    assert PANEL.client(snapshot, Focus(), " put cart:1 -3 @n2 ") == c.Put("cart:1", -3, "n2")
    assert PANEL.client(snapshot, Focus(), "mget a b c") == c.MultiGet(("a", "b", "c"))
    assert PANEL.client(snapshot, Focus(), "put fresh") == c.Put("fresh", 1)
    for nonsense in ("", "make tea", "get", "put k tea", "mget"):
        with pytest.raises(UserError, match="get k"):
            PANEL.client(snapshot, Focus(), nonsense)
    with pytest.raises(UserError, match="n1, n2"):
        PANEL.client(snapshot, Focus(), "get k @n77")


def test_rules_know_their_state_and_offer_the_opposite() -> None:
    snapshot = run(1_000, (900, SetRule("lease", False))).snapshot()
    built = [(offer.on, built_by(offer)) for offer in PANEL.rules(snapshot, Focus())]
    states = {command.rule: (on, command.on) for on, command in built}
    assert states["lease"] == (False, True)
    assert states["ask_redirects"] == (True, False)


def test_sides_offer_the_split_that_leases_are_for() -> None:
    titles = [offer.title for offer in PANEL.sides(standing("ring"), Focus(node="n3"))]
    assert titles[0] == "n3 and cfg"
    assert "n3 | cfg n1 n2 n4 n5 n6" in titles
    assert any(offer.help.startswith("rack ") for offer in PANEL.sides(standing("ring"), Focus(node="n3")))
