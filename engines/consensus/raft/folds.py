"""What a snapshot must be: the fold of the applied entries up to its index, made here a second time.

The checks keep the entries that servers applied, the newest of them. From the state machine at one index the one at a
later index follows by applying what lies between, so that checking the snapshots of all servers costs about one more
application of each entry.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from engines.consensus.raft.messages import Command, Entry, Registration, Row
from engines.consensus.raft.quorum import Configuration
from engines.consensus.raft.state_machine import KeyValueStore

FOLDS_MAX: Final = 8


Applied: TypeAlias = tuple[Entry, str, int]
"""An entry, who applied it first, and when. A bare tuple, for there is one of every entry."""


class Fold(NamedTuple):
    """All that the entries up to an index have brought about."""

    last_index: int
    configuration: Configuration
    rows: tuple[Row, ...]


class Folds:
    """The newest folds that were asked for."""

    def __init__(self, configuration: Configuration, expire_after: int) -> None:
        self.expire_after = expire_after
        self.known = [Fold(0, configuration, ())]

    def at(self, index: int, applied: Mapping[int, Applied]) -> Fold | None:
        """The fold of the entries up to an index, or None if too many of them are forgotten."""
        before = next((fold for fold in reversed(self.known) if fold.last_index <= index), None)
        if before is None or before.last_index == index:
            return before
        configuration = before.configuration
        machine = KeyValueStore(self.expire_after)
        machine.load(before.rows)
        for at in range(before.last_index + 1, index + 1):
            known = applied.get(at)
            if known is None:
                return None
            content = known[0].command
            if isinstance(content, Configuration):
                configuration = content
            elif isinstance(content, Command):
                machine.apply(content, at)
            elif isinstance(content, Registration):
                machine.register(content.client, at)
        fold = Fold(index, configuration, machine.rows())
        self.known.append(fold)
        self.known.sort(key=lambda each: each.last_index)
        del self.known[:-FOLDS_MAX]
        return fold


__all__ = ["Applied", "Fold", "Folds"]
