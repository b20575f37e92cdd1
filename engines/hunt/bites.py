"""What faults have touched: the proof that they bit.

A fault that was injected and touched nothing tests nothing, and looks like success. So every kind is held against
what the kernel counted: messages lost, held back, repeated, late; machines killed; timers that ran on a wrong clock.
"""

from collections.abc import Iterable
from typing import Any, Final

from engines.sim import events as e
from engines.sim import faults
from engines.sim.events import LossReason
from engines.sim.host import CRASHED, FROZEN

FAMILY: Final[dict[type, str]] = {
    faults.Crash: "crash", faults.Freeze: "freeze", faults.Skew: "skew", faults.SlowDisk: "slow disk",
    faults.Cut: "cut", faults.Isolate: "cut", faults.Partition: "cut", faults.Lose: "loss", faults.Slow: "delay",
    faults.Duplicate: "duplicate", faults.Reorder: "reorder", faults.Clog: "clog", faults.Drop: "drop",
    faults.ExpireTimers: "timers",
}  # fmt: skip
"""A fault's family: kinds that touch the same things."""
LOST_WRITES: Final = "lost writes"
"""What crashes take with them that no disk had: no family of faults, but worth counting."""
TOUCHES: Final[dict[str, str]] = {
    "crash": "machines killed", "freeze": "things that waited", "skew": "timers on a wrong clock",
    "slow disk": "syncs waited for", "cut": "messages lost at a cut", "loss": "messages lost by chance",
    "delay": "messages over a slow link", "duplicate": "messages repeated", "reorder": "messages overtaken",
    "clog": "messages held back", "drop": "messages taken out of the air", "timers": "timers run out at once",
    LOST_WRITES: "writes lost",
}  # fmt: skip
"""What is counted of each family."""
_LOST: Final = {LossReason.CHANCE: "loss", LossReason.CUT: "cut", LossReason.DROPPED: "drop"}


OF_MACHINES: Final = (
    faults.Crash, faults.Restart, faults.Freeze, faults.Thaw, faults.Skew, faults.SlowDisk, faults.Drop,
    faults.ExpireTimers, faults.Narrate,
)  # fmt: skip
"""What changes no link."""
OF_LINKS: Final = (
    faults.Cut, faults.Mend, faults.Lose, faults.Slow, faults.Duplicate, faults.Reorder, faults.Clog, faults.Unclog,
)  # fmt: skip
"""What changes the links that it names, and no others."""


class Bites:
    """What the faults of one run have touched so far, by family."""

    def __init__(self, engine: Any, own: tuple[tuple[type, str], ...] = ()) -> None:
        self.engine = engine
        self.families = FAMILY | dict(own)
        self.injected: dict[str, int] = {}
        self.counts: dict[str, int] = {}
        self.in_force: tuple[str, ...] = ()
        """The families of the faults that are in force."""
        self.telling = TELLING
        """Kinds of event that tell of a bite, as things are."""
        self._skewed: frozenset[str] = frozenset()
        self._slow: dict[Any, int] = {}
        """Links that are slow, and how much each had carried when it became so."""
        self._links = [link for host in engine.hosts.values() for link in host.links.values()]
        self._ill: dict[Any, tuple[str, ...]] = {}
        """Links that are not as they were laid, by the families of what is wrong with them."""
        self._known = frozenset(self._links)

    def count(self, family: str, more: int) -> None:
        """It has touched so much more."""
        if more:
            self.counts[family] = self.counts.get(family, 0) + more

    def given(self, command: Any) -> None:
        """A command was carried out: what is in force now."""
        family = self.families.get(type(command))
        if family is not None and _injures(command):
            self.injected[family] = self.injected.get(family, 0) + 1
        elif not isinstance(command, faults.FAULTS):
            return
        if isinstance(command, OF_LINKS):
            self._look_at(self.engine.links_between(command.src, command.dst))
        elif not isinstance(command, OF_MACHINES):
            self._look_at(self._links)
        self.look()

    def look(self) -> None:
        """See which faults are in force."""
        force = dict.fromkeys(family for families in dict.fromkeys(self._ill.values()) for family in families)
        skewed = []
        for name, host in self.engine.hosts.items():
            if host.status == CRASHED:
                force["crash"] = None
            elif host.status == FROZEN:
                force["freeze"] = None
            if host.skewed:
                skewed.append(name)
            if host.disk.fsync_us:
                force["slow disk"] = None
        self._skewed = frozenset(skewed)
        self.telling = TELLING | {e.TimerFired} if skewed else TELLING
        if skewed:
            force["skew"] = None
        self.in_force = tuple(sorted(force))

    def _look_at(self, links: Iterable[Any]) -> None:
        """See what is wrong with these links: nothing can have changed at others."""
        ill, known = self._ill, self._known
        for link in links:
            if link.faulty:
                if link in known:
                    self._see(link)
            elif link in ill:
                del ill[link]
                if link in self._slow:
                    self.count("delay", link.sent - self._slow.pop(link))

    def _see(self, link: Any) -> None:
        options = link.options
        families = []
        if link.latency_us != options.latency_us or link.jitter_us != options.jitter_us:
            families.append("delay")
            self._slow.setdefault(link, link.sent)
        elif link in self._slow:
            self.count("delay", link.sent - self._slow.pop(link))
        if link.cut:
            families.append("cut")
        if link.clogged:
            families.append("clog")
        if link.loss_ppm != options.loss_ppm:
            families.append("loss")
        if link.duplicate_ppm != options.duplicate_ppm:
            families.append("duplicate")
        if link.reorder_ppm != options.reorder_ppm:
            families.append("reorder")
        self._ill[link] = tuple(families)

    def event(self, kind: type, node: str, what: Any) -> None:
        """Something happened that tells of a bite: one of those that are ``telling``."""
        if kind is e.Lost or kind is e.LostAgain:
            family = _LOST.get(what.why)
            if family is not None:
                self.count(family, 1)
        elif kind is e.TimerFired:
            if node in self._skewed:
                self.count("skew", 1)
        elif kind is e.Crashed:
            self.count("crash", 1)
            self.count(LOST_WRITES, what.lost_writes)
        elif kind is e.Thawed:
            self.count("freeze", what.waited)
        elif kind is e.Synced:
            self.count("slow disk", 1)
        elif kind is e.TimersExpired:
            self.count("timers", len(what.nodes))

    def close(self) -> None:
        """The run is over: what the links have counted."""
        self._links = [link for host in self.engine.hosts.values() for link in host.links.values()]
        for link in self._links:
            if link in self._slow:
                self.count("delay", link.sent - self._slow.pop(link))
            self.count("duplicate", link.duplicated)
            self.count("reorder", link.reordered)
            self.count("clog", link.held_back)


TELLING: Final[frozenset[type]] = frozenset({e.Lost, e.LostAgain, e.Crashed, e.Thawed, e.Synced, e.TimersExpired})
"""Kinds of event that tell of a bite; timers do only while some clock is wrong."""


def _injures(command: Any) -> bool:
    """Whether a command begins a fault rather than ending one."""
    match command:
        case faults.Lose(ppm=0) | faults.Duplicate(ppm=0) | faults.Reorder(ppm=0) | faults.SlowDisk(fsync_us=0):
            return False
        case faults.Skew(offset_us=0, drift_ppm=0):
            return False
    return True


__all__ = ["FAMILY", "TOUCHES", "Bites"]
