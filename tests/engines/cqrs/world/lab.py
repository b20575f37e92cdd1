"""Worlds for tests: one line each."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from engines.cqrs.world import commands as c
from engines.cqrs.world.engine import CqrsEngine
from engines.cqrs.world.rules import SERVICES, STAGES, USERS
from engines.cqrs.world.scenarios import VARIANT
from engines.cqrs.world.table import NAMES
from engines.errors import UserError
from engines.sim import faults as f
from engines.sim.random import Stream

S: Final = 1_000_000
MS: Final = 1_000
QUIET: Final = {"writes": 0, "reads": 0, "sagas": False}


def world(seed: int = 1, **config: Any) -> CqrsEngine:
    return CqrsEngine(VARIANT, seed, tuple(sorted(config.items())))


def go(engine: CqrsEngine, us: int) -> CqrsEngine:
    engine.run(engine.now_us + us, 1 << 40)
    return engine


def failed(engine: CqrsEngine) -> list[str]:
    return [check.name for check in engine.check() if not check.ok]


def told(engine: CqrsEngine, kind: type) -> list[Any]:
    return [event.what for event in engine.told(1 << 20) if type(event.what) is kind]


def acts(stream: Stream, engine: CqrsEngine) -> tuple[Any, ...]:
    """Every fault of the model and everything a person may do, aimed at random."""

    def one(of: Any) -> Any:
        return of[stream.below(len(of))]

    names = [name for name in engine.hosts if name not in engine.retired]
    a, b, user, projection, stage = one(names), one(names), one(USERS), one(NAMES), one(STAGES)
    return (
        f.Lose(a, "*", 200_000), f.Duplicate(a, "*", 300_000), f.Reorder(a, "*", 300_000),
        f.Slow(a, b, 40_000, 30_000), f.Cut(a, b), f.Isolate(a), f.Clog(a, b), f.Unclog("*", "*"), f.Crash(a),
        f.Restart(a), f.Freeze(a), f.Thaw(a), f.SlowDisk(one(("store", "bus", "saga")), 20_000),
        f.Skew(a, -30_000, 100_000), f.Heal(), c.Create(user, 2, 30, "book", True), c.AddTo(user, 1, 5),
        c.Note(user, "hello"), c.Resend(user), c.Poison(user), c.Widen(), c.ReplayParked(projection),
        c.AddNode(stage), c.RemoveNode(stage), c.Rebuild(projection, "in place"), c.Rebuild(projection, "beside"),
        c.Rebuild("order_summary", "beside", "v2"), c.Swap(projection), c.Swap(projection, True),
        c.Decline(one(SERVICES), 1), c.Deploy(projection, "right"),
        c.SetOption("freshness", one(("any", "read your writes", "version token"))),
        c.SetOption("policy", one(("effect first", "one transaction"))),
    )  # fmt: skip


def batter(engine: CqrsEngine, seed: int, times: int = 40) -> dict[str, int]:
    """Do forty of them, then let the world come to rest; how often each was done."""
    stream = Stream(seed, "batter")
    done: dict[str, int] = {}
    for _ in range(times):
        go(engine, stream.below(120 * MS))
        all_acts = acts(stream, engine)
        command = all_acts[stream.below(len(all_acts))]
        with suppress(UserError):
            engine.apply(command)
            done[type(command).__name__] = done.get(type(command).__name__, 0) + 1
    engine.apply(f.Heal())
    engine.apply(c.SetOption("writes", "0"))
    engine.apply(c.SetOption("reads", "2"))
    go(engine, 3 * S)
    for command in (c.Widen(), *(c.ReplayParked(name) for name in NAMES)):
        with suppress(UserError):
            engine.apply(command)
    go(engine, 8 * S)
    return done
