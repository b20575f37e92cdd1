"""Faults that wait for their moment.

A fault at a random time seldom meets the few milliseconds in which it matters: between the append of an entry and its
commit, between an election and the first entry of the term. An *ambush* lies in wait for a kind of event, and then
strikes the machine where it happened, or asks something of it. Ambushes stand in chains: the next one is laid when the
one before has struck, so that a leader may be cut off at its append, and its successor killed at its election.

kill        it dies, in that moment or a little later; it comes back at once, after a while, or not
kill both   and the machine that the event was about as well
freeze      it stops for a while
isolate     it is cut off
mute        what it says is lost; it still hears
deafen      what is said to it is lost
one link    it does not reach one other machine, the one that the event was about
one ally    it reaches that one only
clog        what is said to it waits
stale       what is said to it comes late, what it says is lost, and clients go on asking it: a leader of the past
slow disk   its disk, or that of all others, takes its time
ask         somebody asks something of it at once
pester      somebody asks it the same again and again
hazard      whatever else may befall the variant, at this moment

Each strategy is made of faults that the variant survives anyway; without those it is not drawn.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Final, NamedTuple, TypeAlias

from engines.sim import faults
from engines.sim.chaos import After, Hazard, Stage, Theme
from engines.sim.events import kind_of
from engines.sim.random import Stream
from engines.units import US_PER_MS, US_PER_S

IT, PEER, OTHERS = "@it", "@peer", "@others"
"""In the commands of an ambush: where the event happened, whom it was about, and all servers but it; on a side of a
partition, all but these two."""
PEER_FIELDS: Final = ("src", "dst", "to", "server", "holder", "peer")
"""Fields of events that name the other machine."""


class Ambush(NamedTuple):
    """What is done when something happens."""

    name: str
    moment: str
    """The kind of event."""
    after_us: int
    """It is laid so long after the one before it has struck."""
    skip: int
    """So many of these events pass."""
    strikes: tuple[After, ...]
    """Times count from the event."""


Chain: TypeAlias = tuple[Ambush, ...]


class Scene(NamedTuple):
    """What strategies choose from."""

    stage: Stage
    orders: tuple[Hazard, ...]
    hazards: tuple[Hazard, ...]


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to strike."""

    name: str
    needs: tuple[str, ...]
    """Hazards that the variant must survive, by their names."""
    make: Callable[[Stream, Scene], tuple[After, ...]]
    asks: bool = False
    """Whether it takes orders of the variant."""


def _soon(draw: Stream) -> int:
    """In that moment, or before anybody could answer, or about when they do."""
    return draw.pick((0, 0, draw.below(5 * US_PER_MS), draw.below(60 * US_PER_MS)))


def _lasting(draw: Stream, scene: Scene, begin: tuple[Any, ...], end: tuple[Any, ...]) -> tuple[After, ...]:
    """A fault that begins soon, and its end."""
    soon = _soon(draw)
    until = soon + draw.between(1, scene.stage.longest_us or 3 * US_PER_S)
    return *(After(soon, each) for each in begin), *(After(until, each) for each in end)


def _kill(draw: Stream, scene: Scene, *names: str) -> tuple[After, ...]:
    begin = tuple(faults.Crash(name) for name in names)
    end = tuple(faults.Restart(name) for name in names)
    if draw.chance(400_000):  # what was not durable is gone, and nobody noticed the absence
        soon = _soon(draw)
        back = soon + draw.below(20 * US_PER_MS)
        return *(After(soon, each) for each in begin), *(After(back, each) for each in end)
    return _lasting(draw, scene, begin, end)


def _one_link(draw: Stream, scene: Scene) -> tuple[After, ...]:
    ways = draw.pick((((IT, PEER),), ((PEER, IT),), ((IT, PEER), (PEER, IT))))
    return _lasting(draw, scene, tuple(faults.Cut(*way) for way in ways), tuple(faults.Mend(*way) for way in ways))


def _one_ally(draw: Stream, scene: Scene) -> tuple[After, ...]:
    return _lasting(draw, scene, (faults.Partition(((IT, PEER), (OTHERS,))),), (faults.Mend("*", "*"),))


def _stale(draw: Stream, scene: Scene) -> tuple[After, ...]:
    late_us = draw.between(150, 700) * US_PER_MS
    cut_us = draw.below(120 * US_PER_MS)
    asked = _pester(draw, scene, late_us + 50 * US_PER_MS) if scene.orders else ()
    end_us = 2 * late_us + draw.below(US_PER_S)
    return (
        After(0, faults.Slow(OTHERS, IT, late_us, 0)), *asked, After(cut_us, faults.Cut(IT, OTHERS)),
        After(end_us, faults.Mend(IT, OTHERS)),
    )  # fmt: skip


def _slow_disk(draw: Stream, scene: Scene) -> tuple[After, ...]:
    where = draw.pick((IT, PEER, OTHERS))
    fsync_us = draw.pick((5, 20, 60, 150)) * US_PER_MS
    return _lasting(draw, scene, (faults.SlowDisk(where, fsync_us),), (faults.SlowDisk(where, 0),))


def _ask(draw: Stream, scene: Scene) -> tuple[After, ...]:
    soon = _soon(draw)
    made = draw.pick(scene.orders).make(draw, scene.stage)
    return tuple(After(soon + each.us, _of_it(each.command)) for each in made)


def _pester(draw: Stream, scene: Scene, span_us: int = 0) -> tuple[After, ...]:
    command = _of_it(draw.pick(scene.orders).make(draw, scene.stage)[0].command)
    every_us = draw.between(15, 60) * US_PER_MS
    span_us = span_us or draw.between(2, 12) * every_us
    return tuple(After(us, command) for us in range(0, span_us, every_us))


def _of_it(command: Any) -> Any:
    """An order, asked of the machine where the event happened, if it can be asked of one."""
    return replace(command, node=IT) if hasattr(command, "node") else command


def _hazard(draw: Stream, scene: Scene) -> tuple[After, ...]:
    soon = _soon(draw)
    return tuple(After(soon + us, command) for us, command in draw.pick(scene.hazards).make(draw, scene.stage))


def _cut(begin: Any, end: Any) -> Callable[[Stream, Scene], tuple[After, ...]]:
    return lambda draw, scene: _lasting(draw, scene, (begin,), (end,))


STRATEGIES: Final = (
    Strategy("kill", ("crash",), lambda draw, scene: _kill(draw, scene, IT)),
    Strategy("kill both", ("rack",), lambda draw, scene: _kill(draw, scene, IT, PEER)),
    Strategy("freeze", ("freeze",), _cut(faults.Freeze(IT), faults.Thaw(IT))),
    Strategy("isolate", ("isolate",), _cut(faults.Isolate(IT), faults.Reconnect(IT))),
    Strategy("mute", ("one-way",), _cut(faults.Cut(IT, "*"), faults.Mend(IT, "*"))),
    Strategy("deafen", ("one-way",), _cut(faults.Cut("*", IT), faults.Mend("*", IT))),
    Strategy("one link", ("one-way",), _one_link),
    Strategy("one ally", ("partition",), _one_ally),
    Strategy("clog", ("clog",), _cut(faults.Clog("*", IT), faults.Unclog("*", IT))),
    Strategy("stale", ("one-way", "delay"), _stale),
    Strategy("slow disk", ("slow disk",), _slow_disk),
    Strategy("ask", (), _ask, asks=True),
    Strategy("pester", (), _pester, asks=True),
    Strategy("hazard", (), _hazard),
)


def lay(draw: Stream, scene: Scene, theme: Theme, able: frozenset[str]) -> tuple[Chain, ...]:
    """The chains of a seed: few moments and few ways to strike, again and again."""
    known = [
        each
        for each in STRATEGIES
        if all(need in able for need in each.needs)
        and (scene.orders or not each.asks)
        and (scene.hazards or each.name != "hazard")
    ]
    return tuple(_chain(draw, scene, theme, known) for _ in range(draw.pick((1, 1, 2))))


def _chain(draw: Stream, scene: Scene, theme: Theme, known: list[Strategy]) -> Chain:
    ways = [
        (draw.pick(theme.moments), tuple(draw.pick(known) for _ in range(draw.pick((1, 1, 2)))))
        for _ in range(draw.pick((1, 2, 2, 3)))
    ]
    skips = draw.pick(((0,), (0, 0, 1, 3), (0, 5, 20)))
    rests = draw.pick(((0,), (0, 300 * US_PER_MS), (US_PER_S,)))
    chain = []
    for number in range(draw.between(2, 8)):
        moment, strategies = ways[number % len(ways)]
        strikes = sorted((each for way in strategies for each in way.make(draw, scene)), key=lambda each: each.us)
        name = " and ".join(dict.fromkeys(each.name for each in strategies))
        chain.append(Ambush(name, kind_of(moment), draw.pick(rests), draw.pick(skips), tuple(strikes)))
    return tuple(chain)


# -- what happens when it springs ----------------------------------------------------------------------------------


def peer_of(what: Any, it: str, servers: tuple[str, ...]) -> str:
    """The other machine that an event is about: one it names, or the next server."""
    for field in PEER_FIELDS:
        name = getattr(what, field, "")
        if name in servers and name != it:
            return str(name)
    others = [each for each in servers if each != it]
    return others[servers.index(it) % len(others)] if others else it


def bound(command: Any, it: str, peer: str, servers: tuple[str, ...]) -> tuple[Any, ...]:
    """The command, or the several, with everybody called by name."""
    others = tuple(each for each in servers if each != it)
    rest = tuple(each for each in others if each != peer)
    for field in ("src", "dst", "node"):
        if getattr(command, field, "") == OTHERS:
            return tuple(
                each for other in others for each in bound(replace(command, **{field: other}), it, peer, servers)
            )

    def named(value: Any) -> Any:
        if isinstance(value, tuple):
            return rest if value == (OTHERS,) else tuple(map(named, value))
        return {IT: it, PEER: peer}.get(value, value) if isinstance(value, str) else value

    changed = {each.name: named(getattr(command, each.name)) for each in fields(command)}
    if isinstance(command, faults.Partition) and () in changed["sides"]:
        return ()
    return (replace(command, **changed),)


class Lookout:
    """Sees the events of a run as they are recorded, for the ambushes that are laid."""

    def __init__(self, engine: Any, then: Any, kinds: dict[str, type], chains: tuple[Chain, ...]) -> None:
        """``then``: who else watches the run, if anybody. ``kinds``: all kinds of event by name."""
        self.engine = engine
        self.then = then
        self.kinds = kinds
        self.chains = [list(chain) for chain in chains]
        self.due_us = [chain[0].after_us for chain in chains]
        """When the next ambush of each chain is laid."""
        self.passed = [0] * len(chains)
        self.laid: dict[type, list[int]] = {}
        """Kind of event -> the chains whose ambush waits for it."""
        self.sprung: list[tuple[Ambush, str, Any]] = []
        """Ambushes that have what they waited for, where, and the event."""

    def lay(self, now_us: int) -> int | None:
        """Lay what is due; when the next is due that is not laid yet."""
        self.laid.clear()
        later = None
        for number, chain in enumerate(self.chains):
            if chain and self.due_us[number] <= now_us:
                self.laid.setdefault(self.kinds[chain[0].moment], []).append(number)
            elif chain:
                later = self.due_us[number] if later is None else min(later, self.due_us[number])
        return later

    def take(self, fresh: Any, /) -> None:
        """Records as the engine keeps them."""
        for raw in fresh:
            waiting = self.laid.get(type(raw[3]))
            if waiting and raw[2] in self.engine.servers:
                for number in tuple(waiting):
                    self._see(number, raw, waiting)
        if self.then is not None:
            self.then.take(fresh)

    def _see(self, number: int, raw: Any, waiting: list[int]) -> None:
        chain = self.chains[number]
        self.passed[number] += 1
        if self.passed[number] <= chain[0].skip:
            return
        self.passed[number] = 0
        waiting.remove(number)
        self.sprung.append((chain.pop(0), raw[2], raw[3]))
        if chain:
            self.due_us[number] = raw[1] + chain[0].after_us

    def strikes(self, now_us: int) -> list[tuple[int, Any]]:
        """What is to be done about what has sprung: times and commands."""
        found: list[tuple[int, Any]] = []
        servers = self.engine.servers
        for ambush, it, what in self.sprung:
            peer = peer_of(what, it, servers)
            for strike in ambush.strikes:
                found += [(now_us + strike.us, each) for each in bound(strike.command, it, peer, servers)]
        self.sprung.clear()
        return found


__all__ = ["IT", "OTHERS", "PEER", "STRATEGIES", "Ambush", "Chain", "Lookout", "Scene", "Strategy", "bound", "lay",
           "peer_of"]  # fmt: skip
