"""Every verb means something the engine accepts, or says why not; the selection never holds what is gone."""

from typing import Any

import pytest

from engines.errors import UserError
from engines.resilience.world import commands as c
from engines.resilience.world.rules import ResilienceRules
from engines.resilience.world.snapshot import Snapshot
from engines.sim import faults
from tests.tui.panels.resilience_runs import Run, recorded, run, standing, state_of, story
from tui.keys import footer, keymap
from tui.kit.verbs import RECORDED
from tui.panel import Ask, Do, Focus, Offer, Refuse
from tui.panels.resilience import PANEL
from tui.panels.resilience.keys import KEYS as OWN
from tui.panels.resilience.keys import ORDERS
from tui.panels.resilience.select import CHARTS, Chart, chart_of, edge_of

ARROWS = ("left", "right", "up", "down")
KEYS: dict[str, Any] = {key.key: key for key in PANEL.keys}
PAYMENT = Focus(node="api>payment")


def press(timeline: Run, key: str, focus: Focus = PAYMENT) -> Any:
    return KEYS[key].act(timeline.snapshot(), focus)


def give(timeline: Run, outcome: Any) -> None:
    """Submit what a key came to."""
    assert not isinstance(outcome, Focus | Ask | Do | Refuse), outcome
    for command in outcome if isinstance(outcome, tuple) else (outcome,):
        timeline.submit(command)


def values(offer: Offer) -> dict[str, Any]:
    return {param.name: param.value for param in offer.params}


def names(snapshot: Snapshot) -> list[str]:
    """Every edge and every service."""
    return [edge.id for edge in snapshot.edges] + [service.id for service in snapshot.services]


def everything(snapshot: Snapshot) -> list[Focus]:
    return [Focus(), *(Focus(node=name) for name in names(snapshot))]


# -- all of them ------------------------------------------------------------------------------------------------------


# -- arrows -----------------------------------------------------------------------------------------------------------


def test_arrows_walk_the_graph_as_it_is_drawn() -> None:
    snapshot = standing("well")

    def walk(start: str, *directions: str) -> str:
        focus = Focus(node=start)
        for direction in directions:
            focus = PANEL.move(snapshot, focus, direction)
        return focus.node

    assert walk("clients>api", "right") == "api"
    assert walk("api>payment", "right") == "payment"
    assert walk("api>payment", "right", "right") == "payment>payment-db"
    assert walk("api>payment", "right", "right", "right", "right") == "payment-db"
    assert walk("api>payment", "left") == "api"
    assert walk("api>payment", "left", "left", "left", "left") == "clients"
    assert walk("api>payment", "up") == "api>cart"
    assert walk("api>payment", "down") == "api>auth"
    assert walk("auth", "down") == "catalog"
    assert walk("auth-db", "up") == "payment-db"
    every = {walk(name, direction) for name in names(snapshot) for direction in ARROWS}
    assert every >= {service.id for service in snapshot.services}


def test_in_the_strip_arrows_change_the_chart() -> None:
    snapshot = standing("well")
    focus = Focus(area="strip")
    seen = []
    for _ in CHARTS:
        seen.append(chart_of(focus))
        focus = PANEL.move(snapshot, focus, "right")
    assert seen == list(CHARTS)
    assert chart_of(focus) == CHARTS[0]
    assert KEYS["v"].act(snapshot, Focus()).pick == Chart(CHARTS[1])


def test_n_goes_to_breakers_that_are_not_closed() -> None:
    assert KEYS["n"].act(standing("open"), Focus(node="api>auth")).node == "api>payment"
    assert isinstance(KEYS["n"].act(standing("well"), Focus(node="clients>api")), Refuse)


def test_g_goes_to_the_edge_that_fails_most() -> None:
    snapshot = standing("open")
    worst = max(snapshot.edges, key=lambda edge: edge.errors_ppm * edge.attempts_per_s)
    assert KEYS["g"].act(snapshot, Focus(node="clients>api")).node == worst.id
    calm = snapshot._replace(edges=tuple(edge._replace(errors_ppm=0) for edge in snapshot.edges))
    assert KEYS["g"].act(calm, Focus()) == Refuse("no call fails now")
    well = standing("well")
    well = well._replace(edges=tuple(edge._replace(errors_ppm=0) for edge in well.edges))
    assert KEYS["n"].act(well, Focus()) == Refuse("every breaker is closed"), "g is not recommended where it is refused"
    bare = run(1_000, variant="envoy").snapshot()
    assert KEYS["n"].act(bare, Focus()) == Refuse("no edge has a breaker")


def test_of_a_selected_service_the_edge_that_leads_to_it_is_meant() -> None:
    found = edge_of(standing("well"), Focus(node="cart"))
    assert found is not None
    assert found.id == "api>cart"


# -- faults -----------------------------------------------------------------------------------------------------------


def test_k_and_z_turn_a_machine_off_and_on_again() -> None:
    timeline = run(1_000)
    give(timeline, press(timeline, "k"))
    assert timeline.snapshot().service("payment").hosts[0].status == "crashed"  # type: ignore[union-attr]
    assert isinstance(press(timeline, "z"), Refuse)
    give(timeline, press(timeline, "k"))
    assert timeline.snapshot().service("payment").hosts[0].status == "up"  # type: ignore[union-attr]
    give(timeline, press(timeline, "z", Focus(node="cart-db")))
    assert timeline.snapshot().service("cart-db").hosts[0].status == "frozen"  # type: ignore[union-attr]
    give(timeline, press(timeline, "z", Focus(node="cart-db")))
    assert timeline.snapshot().service("cart-db").hosts[0].status == "up"  # type: ignore[union-attr]


def test_clients_cannot_be_crashed_and_it_is_said_why() -> None:
    outcome = press(run(0), "k", Focus(node="clients"))
    assert isinstance(outcome, Refuse)
    assert "w changes their load" in outcome.why


def test_x_l_d_u_act_on_the_links_of_the_edge_and_step_through_levels() -> None:
    timeline = run(1_000)

    def edge() -> Any:
        return timeline.snapshot().edge("api>payment")

    give(timeline, press(timeline, "x"))
    assert edge().cut
    assert not timeline.snapshot().edge("api>cart").cut  # type: ignore[union-attr]
    give(timeline, press(timeline, "x"))
    assert not edge().cut
    losses = []
    for _ in range(5):
        give(timeline, press(timeline, "l"))
        losses.append(edge().loss_ppm)
    assert losses == [100_000, 300_000, 600_000, 1_000_000, 0]
    delays = []
    for _ in range(4):
        give(timeline, press(timeline, "d"))
        delays.append(edge().latency_us)
    assert delays == [100_000, 400_000, 1_500_000, 20_000]
    give(timeline, press(timeline, "u"))
    assert edge().shuffled_ppm == 300_000
    give(timeline, press(timeline, "u"))
    assert edge().shuffled_ppm == 0


def test_on_a_service_x_cuts_all_its_edges() -> None:
    timeline = run(1_000)
    give(timeline, press(timeline, "x", Focus(node="cart")))
    assert {edge.id for edge in timeline.snapshot().edges if edge.cut} == {"api>cart", "cart>cart-db"}


def test_k_capital_slows_a_service_and_h_heals_all() -> None:
    timeline = run(1_000)
    levels = []
    for _ in range(3):
        give(timeline, press(timeline, "K"))
        levels.append(timeline.snapshot().service("payment").hosts[0].slow_percent)  # type: ignore[union-attr]
    assert levels == [300, 1_000, 100]
    give(timeline, press(timeline, "K"))
    give(timeline, press(timeline, "c"))
    for offer in PANEL.faults(timeline.snapshot(), PAYMENT)[:2]:
        give(timeline, offer.build(values(offer)))
    hurt = timeline.snapshot()
    edge = hurt.edge("api>payment")
    assert edge is not None
    assert (edge.delay_percent, edge.abort_percent) == (50, 50)
    assert hurt.service("payment").hosts[0].clock_off_us == 200_000  # type: ignore[union-attr]
    give(timeline, press(timeline, "h"))
    healed = timeline.snapshot()
    assert not any(edge.ailing for edge in healed.edges)
    assert not any(host.ailing for service in healed.services for host in service.hosts)


# -- the breaker and the cures ----------------------------------------------------------------------------------------


def test_C_forces_the_breaker_open_and_resets_it() -> None:
    timeline = run(1_000)
    give(timeline, press(timeline, "C"))
    assert state_of(timeline.snapshot(), "api>payment") == "forced_open"
    give(timeline, press(timeline, "C"))
    assert state_of(timeline.snapshot(), "api>payment") == "closed"
    refused = press(timeline, "C", Focus(node="clients>api"))
    assert isinstance(refused, Refuse)
    assert "p gives it one" in refused.why


def test_p_walks_through_all_presets_and_none() -> None:
    timeline = run(500)
    seen = []
    for _ in range(7):
        give(timeline, press(timeline, "p"))
        edge = timeline.snapshot().edge("api>payment")
        assert edge is not None
        seen.append(edge.breaker.preset if edge.breaker else "none")
    assert seen[-1] == "article"
    assert set(seen) == {"article", "hystrix", "resilience4j", "resilience4j-time", "polly", "opossum", "none"}


def test_o_walks_through_the_orders() -> None:
    timeline = run(500)
    seen = []
    for _ in ORDERS:
        give(timeline, press(timeline, "o"))
        seen.append(timeline.snapshot().edge("api>payment").pipeline)  # type: ignore[union-attr]
    assert seen == [*ORDERS[1:], ORDERS[0]]


def test_every_cure_is_one_key_and_can_be_taken_back() -> None:
    timeline = run(500, config=(("preset", "none"), ("retries", 3)))

    def edge() -> Any:
        return timeline.snapshot().edge("api>payment")

    give(timeline, press(timeline, "B"))
    assert edge().retry.budget_ppm == 50_000
    give(timeline, press(timeline, "B"))
    assert edge().retry.budget_ppm == -1
    give(timeline, press(timeline, "G"))
    assert edge().breaker.preset == "article"
    give(timeline, press(timeline, "G"))
    assert edge().breaker is None
    give(timeline, press(timeline, "L"))
    assert timeline.snapshot().service("payment").shed_us == 500_000  # type: ignore[union-attr]
    give(timeline, press(timeline, "L"))
    assert timeline.snapshot().service("payment").shed_us == 0  # type: ignore[union-attr]
    give(timeline, press(timeline, "W"))
    assert edge().deadline
    give(timeline, press(timeline, "W"))
    assert not edge().deadline
    assert isinstance(press(timeline, "B", Focus(node="clients>api")), Refuse), "nobody retries there"
    assert isinstance(press(timeline, "L", Focus(node="clients")), Refuse)


def test_each_cure_ends_the_storm_with_one_key_and_without_one_it_goes_on() -> None:
    def goodput(key: str, later_ms: int) -> float:
        timeline = story("retry-storm", 25_000)
        focus = PANEL.fit(timeline.snapshot(), Focus())
        assert focus.node == "api>catalog"
        assert sum(sample.goodput for sample in timeline.snapshot().series[-8:]) == 0
        if key:
            give(timeline, press(timeline, key, focus))
        timeline.advance(timeline.now_us + later_ms * 1_000)
        return sum(sample.goodput for sample in timeline.snapshot().series[-8:]) / 8

    assert goodput("", 45_000) == 0
    assert goodput("B", 30_000) >= 5
    assert goodput("G", 45_000) >= 5
    assert goodput("L", 12_000) >= 5


def test_y_Z_and_F_switch_parts_of_the_pipeline() -> None:
    timeline = run(500)
    sizes = []
    for _ in range(3):
        give(timeline, press(timeline, "y"))
        walls = timeline.snapshot().edge("api>payment").bulkhead  # type: ignore[union-attr]
        sizes.append(walls.size if walls else 0)
    assert sizes == [4, 16, 0]
    give(timeline, press(timeline, "Z"))
    give(timeline, press(timeline, "F"))
    edge = timeline.snapshot().edge("api>payment")
    assert edge is not None
    assert edge.hedge_ppm == 950_000
    assert edge.fallback


def test_w_steps_through_the_load_and_a_makes_a_call() -> None:
    timeline = run(500)
    rates = []
    for _ in range(6):
        give(timeline, press(timeline, "w"))
        rates.append(timeline.snapshot().rate_per_s)
    assert sorted(rates) == [0, 5, 15, 30, 60, 90]
    give(timeline, press(timeline, "a"))
    assert any(call.client == "you" for call in timeline.snapshot().calls)


# -- dialogues --------------------------------------------------------------------------------------------------------


def test_every_rule_can_be_switched_off_and_on() -> None:
    timeline = run(100)
    offers = PANEL.rules(timeline.snapshot(), Focus())
    assert len(offers) == len(ResilienceRules.names())
    for offer in offers:
        assert offer.on
        give(timeline, offer.build({}))
    assert not any(on for _, on in timeline.snapshot().rules)
    for offer in PANEL.rules(timeline.snapshot(), Focus()):
        assert offer.help.startswith("off:")
        give(timeline, offer.build({}))
    assert all(on for _, on in timeline.snapshot().rules)


def test_faults_have_istios_percentages_and_every_number_can_be_tuned() -> None:
    titles = " ".join(offer.title for offer in PANEL.faults(standing("well"), PAYMENT))
    for said in (
        "delay on api>payment",
        "abort on api>payment",
        "cut",
        "loss",
        "latency",
        "slow payment",
        "sick",
        "burst",
    ):
        assert said in titles
    tuned = " ".join(offer.title for offer in PANEL.tune(standing("well"), PAYMENT))
    for said in ("preset", "order", "threshold", "minimum", "window", "wait", "probes", "slow call", "retries",
                 "backoff", "budget", "timeout", "bulkhead", "limiter", "hedging", "workers", "line", "shedding",
                 "load", "mix"):  # fmt: skip
        assert said in tuned, said


def test_a_row_that_nobody_changed_shows_how_it_is_and_does_nothing() -> None:
    timeline = run(500)
    for offer in PANEL.tune(timeline.snapshot(), PAYMENT):
        assert offer.build(values(offer)) == Refuse("it is so already: left and right choose another value"), (
            offer.title
        )
    timeline.submit(c.SetLoad("pulse", 10, 40, 20, poisson=False))
    load = next(offer for offer in PANEL.tune(timeline.snapshot(), PAYMENT) if offer.title == "load")
    assert values(load) == {"shape": "pulse", "rate": 10, "to": 40, "span": 20, "random": "no"}


def test_a_tuned_number_is_in_force_at_once() -> None:
    timeline = run(500)
    offers = {offer.title: offer for offer in PANEL.tune(timeline.snapshot(), PAYMENT)}
    for title, change in (("threshold", {"failed": 25}), ("wait", {"wait": 7}), ("minimum", {"calls": 3}),
                          ("retries", {"retries": 5}), ("retry budget", {"budget": 10}), ("timeout", {"timeout": 700}),
                          ("order", {"outermost": "timeout"})):  # fmt: skip
        give(timeline, offers[title].build({**values(offers[title]), **change}))
    edge = timeline.snapshot().edge("api>payment")
    assert edge is not None
    assert edge.breaker is not None
    assert edge.breaker.options.failure_ppm == 250_000
    assert edge.breaker.options.wait_us == 7_000_000
    assert edge.breaker.minimum == 3
    assert edge.retry is not None
    assert (edge.retry.retries, edge.retry.budget_ppm, edge.timeout_us) == (5, 100_000, 700_000)
    assert edge.pipeline[0] == "timeout"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", c.Call()),
        ("buy", c.Call("buy")),
        (" payment ", c.Call("payment")),
        ("burst 50", c.Burst(50)),
        ("burst 50 buy", c.Burst(50, "buy")),
    ],
)
def test_requests_can_be_typed(typed: str, expected: Any) -> None:
    assert PANEL.client(standing("well"), Focus(), typed) == expected


@pytest.mark.parametrize("typed", ["sell", "burst", "burst x", "burst 0", "burst 999999", "burst 5 sell", "buy now"])
def test_nonsense_says_what_would_be_accepted(typed: str) -> None:
    with pytest.raises(UserError, match=r"browse|accepted"):
        PANEL.client(standing("well"), Focus(), typed)


# -- recorded calls ---------------------------------------------------------------------------------------------------


def test_recorded_calls_take_no_faults_and_say_so() -> None:
    snapshot = recorded(5_000).snapshot()
    for key in KEYS:
        outcome = KEYS[key].act(snapshot, Focus())
        if key in "vVnNg":
            assert outcome != Refuse(RECORDED)
        elif key == "p":
            assert outcome == c.SetPreset("client>service", "hystrix"), "the log is judged anew"
        else:
            assert outcome == Refuse(RECORDED), key
    assert PANEL.faults(snapshot, Focus())[0].build({}) == Refuse(RECORDED)
    assert not PANEL.rules(snapshot, Focus())
    assert not PANEL.tune(snapshot, Focus())
    assert not PANEL.sides(snapshot, Focus())
    with pytest.raises(UserError, match="recorded data"):
        PANEL.client(snapshot, Focus(), "buy")


# -- footer and scrubber ----------------------------------------------------------------------------------------------


def test_what_means_nothing_now_is_dim_in_the_footer() -> None:
    table = keymap(PANEL)
    dims = {entry.key: entry.dim for entry in footer(table, standing("bare"), Focus(node="api>auth"), playing=True)}
    assert dims["C"]
    assert not dims["p"]
    assert all(len(key.label) <= 12 for key in OWN), "labels are a word"


def test_every_command_leaves_a_letter_on_the_scrubber() -> None:
    silent = {faults.Narrate}
    for kind in c.COMMANDS:
        made: Any = object.__new__(kind)
        if kind is c.Cure:
            assert PANEL.mark(c.Cure("payment", "budget")) == ("B", "good")
            assert PANEL.mark(c.Cure("payment", "shedding")) == ("L", "good")
        else:
            assert (PANEL.mark(made) is None) == (kind in silent), kind
