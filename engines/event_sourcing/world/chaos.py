"""What a store and its readers survive, and what they owe afterwards: every subscriber has caught up."""

from dataclasses import replace
from typing import Any, Final, get_args

from engines.event_sourcing.world import commands as c
from engines.event_sourcing.world.events import StoreEvent
from engines.sim import faults
from engines.sim.chaos import After, Chaos, Hazard, Stage, order
from engines.sim.hazards import HAZARDS, SLOW_DISK
from engines.sim.random import Stream
from engines.units import US_PER_MS, US_PER_S

STORE: Final = "store"
ACTIONS: Final = ("deposit", "withdraw", "charge", "transfer")
BEHIND_MAX: Final = 14
"""Events that a subscriber may be behind while work goes on."""


def _kill(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """The process dies; what it gave to the operating system is not lost, unlike with its power."""
    return After(0, c.Kill(STORE)), *stage.until(draw, c.Kill(STORE))


def _power(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """The store loses its power in the middle of some work: what was not synced is gone, whole, or torn."""
    slow = (After(0, c.SetOption("sync_ms", "80")),) if draw.chance(300_000) else ()
    action = draw.pick(ACTIONS)
    asked = tuple(After(0, _act(draw, stage, action)) for _ in range(draw.below(4)))
    down_us = draw.pick((draw.below(60), draw.between(12, 25))) * US_PER_MS  # a load and an append take 12 to 25 ms
    up_us = down_us + draw.between(1, 100) * US_PER_MS
    return *slow, *asked, After(down_us, faults.Crash(STORE)), After(up_us, faults.Restart(STORE))


def _act(draw: Stream, stage: Stage, action: str = "") -> c.Act:
    teller, action = draw.pick(stage.clients), action or draw.pick(ACTIONS)
    amount = draw.below(draw.pick((60, 120)))  # what an account begins with is 100
    return c.Act(teller, action, draw.between(1, 4), amount, draw.between(1, 4))


def missing(engine: Any) -> str:
    """Every subscriber is near the head of the stream."""
    late = [each for each in engine.snapshot().subscribers if each.behind > BEHIND_MAX]
    return ", ".join(f"{each.name} is {each.behind} events behind" for each in late)


def role(engine: Any, node: str) -> str:
    """The store, a subscriber, or who writes."""
    if node == STORE:
        return "store"
    return "writer" if node in engine.clients else "subscriber" if node else ""


_CHAOS: Final = Chaos(
    hazards=(*(each for each in HAZARDS if each is not SLOW_DISK), Hazard("power", _power, 4)),
    orders=(
        order("act", _act, weight=3),
        order("race", lambda draw, stage: c.Race(draw.between(1, 4), draw.between(1, 120)), weight=2),
        order("kill", lambda draw, stage: c.Kill(STORE), weight=2),
        order("schema", lambda draw, stage: c.ChangeSchema()),
        order("hold", lambda draw, stage: c.HoldCommit(draw.pick((50, 200, 400)) * US_PER_MS, draw.chance(300_000))),
        order("verify", lambda draw, stage: c.Verify()),
    ),
    settings=(
        ("rate", (6, 26, 46)),
        ("accounts", (1, 2, 4)),
        ("snapshots", (2, 10, 0)),
        ("sync_ms", (2, 20, 80)),
        ("poll_ms", (20, 100)),
        ("ack_ms", (400, 2_000)),
        ("idempotent", (True, False)),
    ),
    wait_us=300 * US_PER_MS,
    rest=(After(0, c.SetOption("rate", "4")),),
    quiet_us=45 * US_PER_S,  # a consumer of the group may take 30 s to acknowledge before another gets the event
    promise="subscribers catch up",
    missing=missing,
    role=role,
    events=get_args(StoreEvent),
)
_SYNCS: Final = "the numbered store writes and syncs in one step, at every commit"
SILENT: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "numbered": (
        ("sync_first", _SYNCS),
        ("whole_batches", _SYNCS),
        ("ignore_stale_pages", "a look at numbers is taken only as the answer to the newest question, or not at all"),
    ),
    "log": (("drop_old_snapshots", "accounts are folded from what the log has kept, and no snapshot is read"),),
    "group": (("ignore_stale_pages", "consumers are handed events and ask for no pages"),),
}
"""Rules whose absence breaks no promise of the variant."""


def chaos_of(variant: str) -> Chaos:
    """What a variant survives. A group hands an event to another consumer after a time, so its handlers must know what
    they have done."""
    chaos = replace(_CHAOS, silent=SILENT.get(variant, ()))
    if variant != "group":
        return chaos
    return replace(chaos, settings=tuple(each for each in chaos.settings if each[0] != "idempotent"))


__all__ = ["SILENT", "chaos_of", "missing", "role"]
