"""Which situations a hunt has reached: a kind of event, at a machine of a role, while a fault was in force.

Lines of code say little about a protocol; that a *leader* received a vote *while the network was cut* says something.
A role is looked at after at most ``LOOK_STEPS`` steps, so at a change of role it may be the new one.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple, TypeAlias, get_args

from engines.hunt.bites import Bites
from engines.sim.chaos import Chaos
from engines.sim.events import Healed, KernelEvent, Raw, kind_of

LOOK_STEPS: Final = 32
NOTHING: Final = "no fault"

Situation: TypeAlias = tuple[str, str, str]
"""Kind of event, role, fault."""


class Watch:
    """Sees every event of a run as it is recorded."""

    def __init__(self, engine: Any, chaos: Chaos, bites: Bites) -> None:
        self.engine = engine
        self.bites = bites
        self.role = chaos.role
        self.situations: dict[Situation, bool] = {}
        self._seen: dict[tuple[Any, str], bool] = {}
        self._told: dict[tuple[Any, str, tuple[str, ...]], bool] = {}

    def take(self, fresh: list[Raw], /) -> None:
        """Records as the engine keeps them: position, time, node, and the record or its kind and fields."""
        seen, telling = self._seen, self.bites.telling
        for raw in fresh:
            what = raw[3]
            kind = what if type(what) is type else type(what)
            seen[kind, raw[2]] = True
            if kind in telling:
                self.bites.event(kind, raw[2], what)

    def look(self) -> None:
        """Take down what was seen since the last look, with roles and faults as they are now."""
        force = self.bites.in_force or (NOTHING,)
        role, engine, told = self.role, self.engine, self._told
        roles: dict[str, str] = {}
        for kind, node in self._seen:
            who = roles.get(node)
            if who is None:
                who = roles[node] = role(engine, node) if role is not None and node in engine.hosts else ""
            if (kind, who, force) not in told:
                told[kind, who, force] = True
                name = kind_of(kind)
                for fault in force:
                    self.situations[name, who, fault] = True
        self._seen.clear()


class Reached(NamedTuple):
    """What a hunt reached, and what it did not."""

    situations: int
    kinds: tuple[str, ...]
    unseen: tuple[str, ...]
    """Kinds of event that never happened."""
    calm: tuple[str, ...]
    """Kinds that happened only while no fault was in force."""
    sheltered: tuple[tuple[str, str], ...]
    """Roles and faults that never met."""


def reached(situations: Iterable[Situation], chaos: Chaos) -> Reached:
    """Sum the situations of a hunt up."""
    kinds: dict[str, set[str]] = {}
    met: dict[tuple[str, str], bool] = {}
    roles: dict[str, bool] = {}
    forces: dict[str, bool] = {}
    count = 0
    for kind, role, fault in sorted(situations):
        count += 1
        kinds.setdefault(kind, set()).add(fault)
        met[role, fault] = True
        if role:
            roles[role] = True
        forces[fault] = True
    known = [kind_of(each) for each in (*chaos.events, *get_args(KernelEvent))]
    return Reached(
        count,
        tuple(kinds),
        tuple(sorted({each for each in known if each not in kinds and each not in ABSENT})),
        tuple(kind for kind, faults in kinds.items() if faults == {NOTHING} and kind not in CALM),
        tuple((role, fault) for role in roles for fault in forces if (role, fault) not in met),
    )


ABSENT: Final = ("cue",)
"""What no hunt reaches: nobody talks to the audience."""
CALM: Final = (kind_of(Healed),)
"""What happens only when no fault is left, by its nature."""

__all__ = ["LOOK_STEPS", "NOTHING", "Reached", "Situation", "Watch", "reached"]
