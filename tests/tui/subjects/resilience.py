"""The panel of resilience."""

from functools import partial

from engines.resilience.calllog import LoggedCall
from engines.resilience.recorded import VARIANT, CallLog
from engines.resilience.world import commands as c
from engines.resilience.world.checks import DEMANDS
from engines.resilience.world.rules import ResilienceRules
from engines.resilience.world.snapshot import Snapshot
from engines.sim import faults
from engines.sim.rules import SetRule
from engines.sim.source import Source
from tests.tui.panels.resilience_runs import ALL, BUSY, Run, recorded, run, standing
from tests.tui.subjects.subject import Subject
from tui.panel import Focus
from tui.panels.resilience import PANEL
from tui.panels.resilience.select import CHARTS, Chart
from tui.session import Session


def selections(snapshot: Snapshot) -> list[Focus]:
    """Edges, services and every chart."""
    found = [Focus(), *(Focus(node=edge.id) for edge in snapshot.edges[:6])]
    found += [Focus(node=service.id) for service in snapshot.services[:6]]
    return found + [Focus(pick=Chart(chart)) for chart in CHARTS]


def present(snapshot: Snapshot, focus: Focus) -> bool:
    """Whether what the focus names exists."""
    return snapshot.edge(focus.node) is not None or snapshot.service(focus.node) is not None


def troubled() -> list[Run]:
    """Every fault, every setting, every order of a person; a breaker's life; Envoy; a recorded log."""
    first = run(
        8_000,
        (300, c.Call("buy")), (400, c.Burst(100, "browse")), (500, faults.Lose("api", "auth", 300_000)),
        (600, faults.Slow("api", "cart", 50_000, 1_000)), (610, faults.Duplicate("api", "cart", 500_000)),
        (620, faults.Reorder("api", "cart", 500_000)), (630, faults.Clog("api", "catalog")),
        (900, faults.Unclog("api", "catalog")), (910, faults.Skew("auth", 200_000, 0)),
        (915, faults.Skew("auth", 0, 0)),
        (920, faults.SlowDisk("cart", 40_000)), (1_000, faults.Crash("cart")), (1_100, faults.Freeze("payment-1")),
        (1_150, c.SetBreaker("api>auth", "reset")), (1_160, c.SetBreaker("api>auth", "disable")),
        (1_170, c.SetBreaker("api>auth", "metrics_only")), (1_180, c.SetBreaker("api>auth", "force_open")),
        (1_190, c.SetBreaker("api>auth", "reset")), (1_200, c.Delay("api>auth", 50, 900_000)),
        (1_300, c.Abort("api>catalog", 60)), (1_400, c.SickHost("payment-2", 100)),
        (1_450, c.SetOption("api>payment", "outlier", 1)), (1_460, c.SetOption("api>payment", "eject_one", 1)),
        (1_470, c.SetOption("api>payment", "eject_us", 1_000_000)), (1_500, c.SlowService("payment-db", 1_000)),
        (1_510, c.SetOption("*", "hedge_ppm", 900_000)), (1_520, c.SetOption("*", "fallback", 1)),
        (1_530, c.SetOption("*", "bulkhead", 2)), (1_540, c.SetOption("api>cart", "limit_per_s", 1)),
        (1_600, faults.Cut("catalog", "catalog-db")), (3_000, faults.Mend("catalog", "catalog-db")),
        (3_100, faults.Restart("cart")), (3_200, faults.Thaw("payment-1")), (3_300, faults.Isolate("auth")),
        (3_500, faults.Reconnect("auth")), (3_600, faults.Partition((("cart",), ("cart-db",)))),
        (4_000, faults.Heal()), (4_100, c.Delay("api>auth", 0, 0)), (4_110, c.Abort("api>catalog", 0)),
        (4_120, c.SickHost("payment", 0)), (4_130, c.SlowService("payment", 100)), (4_140, faults.Drop(1)),
        (4_150, faults.Narrate("Look.")), (4_160, faults.ExpireTimers(("api",), "agenda", 1_000)),
        *((4_200 + i, c.SetPreset("*", name)) for i, name in enumerate(
            ("hystrix", "resilience4j", "resilience4j-time", "polly", "opossum", "none", "article"))),
        (4_300, c.SetBackoff("*", "fixed", 100_000, 100_000)), (4_310, c.SetBackoff("*", "full-jitter", 100_000)),
        (4_320, c.SetOrder("*", ("breaker", "retry", "limiter", "timeout", "bulkhead"))),
        *((4_400 + i, c.Cure("payment", name)) for i, name in enumerate(
            ("breaker", "budget", "shedding", "deadline"))),
        *((4_500 + i, c.SetService("payment", name, value)) for i, (name, value) in enumerate(
            (("workers", 4), ("queue_max", 8), ("shed_us", 0), ("shed_us", 300_000), ("newest_first", 1)))),
        (4_600, c.SetLoad("pulse", 20, 60, 2)), (4_610, c.SetLoad("off", 0)), (4_620, c.SetLoad("wave", 20, 80, 4)),
        (4_630, c.SetMix("buy")), (4_640, c.SetOption("*", "budget_ppm", -1)),
        (4_650, c.SetOption("*", "timeout_us", 0)), (4_660, c.SetOption("*", "timeout_us", 300_000)),
        *((4_700 + i, SetRule(name, i > 3)) for i, name in enumerate(ResilienceRules.names())),
        config=(("rate", 60), ("payment_hosts", 5), ("queue", 4)),
    )  # fmt: skip
    trip = run(
        9_000,
        (500, c.SetOption("*", "breaker.wait_us", 1_000_000)), (1_000, c.SickHost("cart", 100)),
        (3_500, c.SickHost("cart", 0)),
        config=(*BUSY, ("mix", "cart"), ("budget", 5), ("retries", 3)),
    )  # fmt: skip
    hasty = run(
        4_000, (500, c.SetOption("*", "breaker.minimum", 0)), (1_000, c.SickHost("cart", 100)),
        config=(("rate", 2), ("mix", "cart"), ("retries", 0)),
    )  # fmt: skip
    envoy = run(
        5_000, (500, c.SetOption("*", "max_requests", 2)), (1_000, c.SickHost("payment-1", 100)),
        variant="envoy", config=(*BUSY, ("mix", "payment")),
    )  # fmt: skip
    return [first, trip, hasty, envoy, recorded()]


def _log() -> Session:
    calls = [LoggedCall(i * 50_000, i % 200 < 120, 30_000) for i in range(1_000)]
    variant = VARIANT.on(Source("calls.jsonl", "0" * 64, CallLog(calls)))
    return Session((PANEL,), "resilience", recorded=variant, sandbox=True)


HOSTS = (("payment_hosts", 3),)
INPUTS = {
    "": (),
    " stricken": ((1_000, faults.Crash("cart")), (1_001, faults.Freeze("payment-1"))),
    " bare": ((1_000, c.SetPreset("*", "none")),),
}

RESILIENCE = Subject(
    PANEL,
    moments={name: partial(standing, name) for name in ALL},
    selections=selections,
    present=present,
    worlds={
        f"{name}{what}": partial(run, 1_500, *inputs, variant=name, config=HOSTS)
        for name in ("breaker", "envoy") for what, inputs in INPUTS.items()
    },
    troubled=troubled,
    walk=lambda: run(900, config=BUSY),
    wait_us=170_000,
    sessions={
        "breaker": lambda: Session((PANEL,), "resilience", sandbox=True),
        "envoy": lambda: Session((PANEL,), "resilience", variant="envoy", sandbox=True),
        "storm": lambda: Session((PANEL,), "resilience", scenario="retry-storm", sandbox=True),
        "recorded": _log,
    },
    checks=frozenset(DEMANDS),
    broken=lambda: run(1_000, (900, SetRule("count_waste", False)), config=BUSY).snapshot(),
    rule="count waste",
    room=110,
    over=40,
    long=frozenset({"cue", "you_answered", "call_failed"}),
)  # fmt: skip
