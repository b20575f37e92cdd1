"""Faults that wait for their moment.

A fault at a random time seldom meets the few milliseconds in which it matters: between the append of an entry and its
commit, between an election and the first entry of the term. An *ambush* lies in wait for a kind of event, and then
strikes the machine where it happened, or asks something of it. Ambushes stand in chains: the next one is laid when the
one before has struck, so that a leader may be cut off at its append, and its successor killed at its election. In some
chains whoever was struck is let go after a time; in others when the next one is struck, so that one machine is out at
any time, and it is always the one that matters.

kill        it dies, in that moment or a little later; it comes back at once, after a while, or not
kill both   and the machine that the event was about as well
freeze      it stops for a while
isolate     it is cut off
mute        what it says is lost; it still hears
deafen      what is said to it is lost
one link    it does not reach one other machine, the one that the event was about
one ally    it reaches that one only
one bridge  the same, but that one still reaches all
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

IT, PEER, OTHERS, REST = "@it", "@peer", "@others", "@rest"
"""In the commands of an ambush: where the event happened, whom it was about, all servers but it, and all but these
two."""
AND: Final = " and "
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
    ends: tuple[Any, ...] = ()
    """Commands that end it when the next of its chain strikes."""
    other: int = 0
    """Whom it is about where the event names nobody: counts the other servers."""


Chain: TypeAlias = tuple[Ambush, ...]


class Scene(NamedTuple):
    """What strategies choose from."""

    stage: Stage
    orders: tuple[Hazard, ...]
    hazards: tuple[Hazard, ...]
    still: bool = False
    """Whether what is done lasts, and little of it is done."""


class Blow(NamedTuple):
    """What is done, and what undoes it if anything does."""

    strikes: tuple[After, ...]
    ends: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to strike."""

    name: str
    needs: tuple[str, ...]
    """Hazards that the variant must survive, by their names."""
    make: Callable[[Stream, Scene], Blow]
    asks: bool = False
    """Whether it takes orders of the variant."""


def _soon(draw: Stream) -> int:
    """In that moment, or before anybody could answer, or about when they do."""
    return draw.pick((0, 0, 0, draw.below(5 * US_PER_MS), draw.below(60 * US_PER_MS)))


def _blow(draw: Stream, begin: tuple[Any, ...], end: tuple[Any, ...]) -> Blow:
    """Something that begins soon."""
    soon = _soon(draw)
    return Blow(tuple(After(soon, each) for each in begin), end)


def _kill(draw: Stream, scene: Scene, *names: str) -> Blow:
    begin, end = tuple(map(faults.Crash, names)), tuple(map(faults.Restart, names))
    blow = _blow(draw, begin, end)
    if scene.still or draw.chance(600_000):
        return blow
    back = blow.strikes[0].us + draw.below(20 * US_PER_MS)  # what was not durable is gone, and nobody noticed
    return Blow((*blow.strikes, *(After(back, each) for each in end)))


def _one_link(draw: Stream, scene: Scene) -> Blow:
    ways = draw.pick((((IT, PEER),), ((PEER, IT),), ((IT, PEER), (PEER, IT))))
    return _blow(draw, tuple(faults.Cut(*way) for way in ways), tuple(faults.Mend(*way) for way in ways))


def _one_bridge(draw: Stream, scene: Scene) -> Blow:
    ways = (IT, REST), (REST, IT)
    return _blow(draw, tuple(faults.Cut(*way) for way in ways), tuple(faults.Mend(*way) for way in ways))


def _stale(draw: Stream, scene: Scene) -> Blow:
    late_us = draw.between(350, 650) * US_PER_MS
    cut_us = draw.between(20, 160) * US_PER_MS
    asked = _pester(draw, scene, late_us).strikes if scene.orders else ()  # the last one is open when answers come
    slow, cut = After(0, faults.Slow(OTHERS, IT, late_us, 0)), After(cut_us, faults.Cut(IT, OTHERS))
    return Blow((slow, *asked, cut), (faults.Mend(IT, OTHERS),))


def _slow_disk(draw: Stream, scene: Scene) -> Blow:
    where = draw.pick((IT, PEER, OTHERS))
    fsync_us = draw.pick((5, 20, 60, 150)) * US_PER_MS
    return _blow(draw, (faults.SlowDisk(where, fsync_us),), (faults.SlowDisk(where, 0),))


def _ask(draw: Stream, scene: Scene) -> Blow:
    soon = _soon(draw)
    made = draw.pick(scene.orders).make(draw, scene.stage)
    return Blow(tuple(After(soon + each.us, _of_it(each.command)) for each in made))


def _pester(draw: Stream, scene: Scene, span_us: int = 0) -> Blow:
    command = _of_it(draw.pick(scene.orders).make(draw, scene.stage)[0].command)
    every_us = draw.between(15, 60) * US_PER_MS
    span_us = span_us or draw.between(2, 12) * every_us
    return Blow(tuple(After(us, command) for us in range(0, span_us, every_us)))


def _of_it(command: Any) -> Any:
    """An order, asked of the machine where the event happened, if it can be asked of one."""
    return replace(command, node=IT) if hasattr(command, "node") else command


def _hazard(draw: Stream, scene: Scene) -> Blow:
    soon = _soon(draw)
    return Blow(tuple(After(soon + us, each) for us, each in draw.pick(scene.hazards).make(draw, scene.stage)))


def _fault(begin: Any, end: Any) -> Callable[[Stream, Scene], Blow]:
    return lambda draw, scene: _blow(draw, (begin,), (end,))


ALLIES: Final = faults.Partition(((IT, PEER), (REST,)))

STRATEGIES: Final = (
    Strategy("kill", ("crash",), lambda draw, scene: _kill(draw, scene, IT)),
    Strategy("kill both", ("rack",), lambda draw, scene: _kill(draw, scene, IT, PEER)),
    Strategy("freeze", ("freeze",), _fault(faults.Freeze(IT), faults.Thaw(IT))),
    Strategy("isolate", ("isolate",), _fault(faults.Isolate(IT), faults.Reconnect(IT))),
    Strategy("mute", ("one-way",), _fault(faults.Cut(IT, "*"), faults.Mend(IT, "*"))),
    Strategy("deafen", ("one-way",), _fault(faults.Cut("*", IT), faults.Mend("*", IT))),
    Strategy("one link", ("one-way",), _one_link),
    Strategy("one ally", ("partition",), _fault(ALLIES, faults.Mend("*", "*"))),
    Strategy("one bridge", ("one-way",), _one_bridge),
    Strategy("clog", ("clog",), _fault(faults.Clog("*", IT), faults.Unclog("*", IT))),
    Strategy("stale", ("one-way", "delay"), _stale),
    Strategy("slow disk", ("slow disk",), _slow_disk),
    Strategy("ask", (), _ask, asks=True),
    Strategy("pester", (), _pester, asks=True),
    Strategy("hazard", (), _hazard),
)


def lay(draw: Stream, scene: Scene, theme: Theme, able: frozenset[str]) -> tuple[Chain, ...]:
    """The chains of a seed: few moments and few ways to strike, again and again. ``able``: hazards that are allowed."""
    known = {
        each.name: each
        for each in STRATEGIES
        if all(need in able for need in each.needs)
        and (scene.orders or not each.asks)
        and (scene.hazards or each.name != "hazard")
    }
    given = [(moment, tuple(way.split(AND))) for moment, way in theme.ways]
    ways = [(moment, way) for moment, way in given if all(name in known for name in way)]
    if theme.moments:
        ways += [
            (draw.pick(theme.moments), tuple(draw.pick(tuple(known)) for _ in range(draw.pick((1, 1, 2)))))
            for _ in range(draw.between(1, 3))
        ]
    if not ways:
        return ()
    chosen = [(moment, tuple(known[name] for name in way)) for moment, way in ways]
    return tuple(_chain(draw, scene, chosen) for _ in range(draw.pick((1, 1, 2))))


def _chain(draw: Stream, scene: Scene, ways: list[tuple[type, tuple[Strategy, ...]]]) -> Chain:
    mixed = draw.chance(400_000)
    skips = draw.pick(((0,), (0, 0, 1, 3), (0, 5, 20))) if mixed else (0,)
    rests = draw.pick(((0,), (0, 300 * US_PER_MS), (US_PER_S,))) if mixed else (0,)
    in_turn = draw.chance(600_000)
    chain = []
    for number in range(draw.between(1, 3) if scene.still else draw.between(2, 10)):
        moment, way = draw.pick(ways) if mixed else ways[number % len(ways)]
        blows = [each.make(draw, scene) for each in way]
        strikes = [strike for blow in blows for strike in blow.strikes]
        ends = tuple(end for blow in blows for end in blow.ends)
        if scene.still:
            ends = ()
        elif not in_turn:
            over_us = max((each.us for each in strikes), default=0) + draw.between(
                1, scene.stage.longest_us or 3 * US_PER_S
            )
            strikes, ends = [*strikes, *(After(over_us, each) for each in ends)], ()
        strikes.sort(key=lambda each: each.us)
        chain.append(Ambush(
            AND.join(dict.fromkeys(each.name for each in way)), kind_of(moment), draw.pick(rests), draw.pick(skips),
            tuple(strikes), ends, draw.below(8),
        ))  # fmt: skip
    return tuple(chain)


# -- what happens when it springs ----------------------------------------------------------------------------------


def peer_of(what: Any, it: str, servers: tuple[str, ...], other: int = 0) -> str:
    """The other machine that an event is about: one it names, or the one that was drawn."""
    for field in PEER_FIELDS:
        name = getattr(what, field, "")
        if name in servers and name != it:
            return str(name)
    others = [each for each in servers if each != it]
    return others[other % len(others)] if others else it


def bound(command: Any, it: str, peer: str, servers: tuple[str, ...]) -> tuple[Any, ...]:
    """The command, or the several, with everybody called by name."""
    others = tuple(each for each in servers if each != it)
    rest = tuple(each for each in others if each != peer)
    several = {OTHERS: others, REST: rest}
    for field in ("src", "dst", "node"):
        name = getattr(command, field, "")
        if name in several:
            return tuple(
                each for one in several[name] for each in bound(replace(command, **{field: one}), it, peer, servers)
            )

    def named(value: Any) -> Any:
        if isinstance(value, tuple):
            return rest if value == (REST,) else tuple(map(named, value))
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
        self.sprung: list[tuple[int, Ambush, str, Any]] = []
        """Ambushes that have what they waited for: of which chain, where, and the event."""
        self.ends: list[tuple[Any, ...]] = [()] * len(chains)
        """What ends the last blow of each chain."""

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
        self.sprung.append((number, chain.pop(0), raw[2], raw[3]))
        if chain:
            self.due_us[number] = raw[1] + chain[0].after_us

    def strikes(self, now_us: int) -> list[tuple[int, Any]]:
        """What is to be done about what has sprung: times and commands."""
        found: list[tuple[int, Any]] = []
        servers = self.engine.servers
        for number, ambush, it, what in self.sprung:
            peer = peer_of(what, it, servers, ambush.other)
            found += [(now_us, each) for each in self.ends[number]]
            for strike in ambush.strikes:
                found += [(now_us + strike.us, each) for each in bound(strike.command, it, peer, servers)]
            self.ends[number] = tuple(one for each in ambush.ends for one in bound(each, it, peer, servers))
        self.sprung.clear()
        return found


__all__ = ["IT", "OTHERS", "PEER", "REST", "STRATEGIES", "Ambush", "Chain", "Lookout", "Scene", "Strategy", "bound",
           "lay", "peer_of"]  # fmt: skip
