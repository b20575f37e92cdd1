"""How far a plan is, unit by unit, as the coordinator knows it from messages. A table of states:

planned -> importing (the target was told) -> migrating (the source was told) -> empty (nothing left) -> done (assigned)
"""

from dataclasses import dataclass, field

from engines.sharding.world.events import UnitKind, UnitState
from engines.sharding.world.ownership import Plan, Unit


@dataclass(slots=True)
class UnitProgress:
    """One unit."""

    unit: Unit
    keys: int = 0
    """As its source counted them when the plan was announced."""
    state: UnitState = UnitState.PLANNED
    ordered_us: int = -1
    """When its target or source was last sent its order."""
    began_us: int = 0


@dataclass(slots=True)
class Progress:
    """One plan."""

    plan: Plan
    began_us: int
    counted: dict[str, None] = field(default_factory=dict)
    """Nodes that said how many of their keys go where."""
    units: dict[str, UnitProgress] = field(default_factory=dict)
    announced: bool = False

    def count(self, node: str, units: tuple[tuple[str, int], ...]) -> None:
        """A node's own account."""
        self.counted[node] = None
        for id, keys in units:
            if id not in self.units:
                self.units[id] = UnitProgress(self.plan.unit(id))
            self.units[id].keys = max(keys, self.units[id].keys)

    def next_units(self) -> list[UnitProgress]:
        """Who may begin: of lanes all at once; of slots and chunks a node gives or takes one at a time.

        MongoDB: a shard takes part in at most one migration. For slots the source's turn is enough.
        """
        planned = [each for each in self.units.values() if each.state == UnitState.PLANNED]
        if self.plan.kind is UnitKind.LANE:
            return planned
        busy: dict[str, None] = {}
        for each in self.units.values():
            if each.state in (UnitState.IMPORTING, UnitState.MIGRATING, UnitState.EMPTY):
                busy[each.unit.source] = None
                if self.plan.kind is UnitKind.CHUNK:
                    busy[each.unit.target] = None
        chosen = []
        for each in planned:
            ends = (each.unit.source, each.unit.target) if self.plan.kind is UnitKind.CHUNK else (each.unit.source,)
            if not any(end in busy for end in ends):
                busy.update(dict.fromkeys(ends))
                chosen.append(each)
        return chosen

    def keys(self) -> int:
        """All keys that move."""
        return sum(each.keys for each in self.units.values())
