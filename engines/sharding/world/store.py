"""What a node keeps on its disk: its keys, its map, and which units it is giving and taking."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from engines.sim.disk import Disk

KEY: Final = "k:"


class Cell(NamedTuple):
    """A stored key. ``left``: the plan under which it was handed over, and is kept as a mere copy."""

    version: int
    value: int
    left: int = 0


class Store:
    """Keys, mirrored in memory; a crash rebuilds the mirror from the disk."""

    __slots__ = ("cells", "disk")

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.cells: dict[str, Cell] = {
            name[len(KEY) :]: cell for name, cell in disk.registers.items() if cell.__class__ is Cell
        }

    def __len__(self) -> int:
        return len(self.cells)

    def __contains__(self, key: str) -> bool:
        return key in self.cells

    def __iter__(self) -> Iterator[str]:
        return iter(self.cells)

    def get(self, key: str) -> Cell | None:
        """The key's cell."""
        return self.cells.get(key)

    def put(self, key: str, cell: Cell) -> None:
        """Write it."""
        self.cells[key] = cell
        self.disk.write(KEY + key, cell)

    def drop(self, key: str) -> None:
        """Delete it."""
        del self.cells[key]
        self.disk.write(KEY + key, None)

    def number(self) -> int:
        """A number that was never given before, also not before a crash."""
        self.disk.write("number", None)
        return self.disk.writes

    def read(self, name: str, default: Any) -> Any:
        """A register."""
        return self.disk.registers.get(name, default)

    def write(self, name: str, value: object) -> None:
        """Write a register."""
        self.disk.write(name, value)
