"""The guarantees of a world: what each demands, and the first thing that broke it.

Checks stand beside the algorithm and look only at what the last event changed. A check that failed stays failed: it
is a fact about the run. Rewinding takes it back, as it takes back everything.
"""

from collections.abc import Mapping
from typing import Any

from engines.sim.pattern import Check
from engines.state import kept


class CheckBook:
    """All checks of one world, in the order in which they are declared. A checker has one, or is one."""

    def __init__(self, demands: Mapping[str, str]) -> None:
        self.demands = dict(demands)
        """Name -> what holds while the check is green."""
        self.failed: dict[str, Check] = {}
        self.position = 0
        """Where in the run the world stands: set it before looking at an event."""
        self.at_us = 0
        """When that is."""
        self._results: tuple[Check, ...] | None = None

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        return kept(self, _results=None)  # those are from one look to the next: no part of the state

    def fail(self, name: str, detail: str, *witness: str) -> None:
        """This check does not hold: what broke it, and the events that show it. Only the first time counts."""
        assert name in self.demands, f"no check {name!r} was declared"
        if name not in self.failed:
            self.failed[name] = Check(name, False, detail, witness, self.position, self.at_us)
            self._results = None

    def demand(self, name: str, text: str) -> None:
        """What a declared check demands from now on."""
        assert name in self.demands, f"no check {name!r} was declared"
        self.demands[name] = text
        self._results = None

    def withdraw(self, name: str) -> None:
        """Nobody promises this from now on. That it was broken before stays a fact."""
        if name not in self.failed:
            self.demands.pop(name, None)
            self._results = None

    def results(self) -> tuple[Check, ...]:
        """All checks as they stand."""
        if self._results is None:
            self._results = tuple(
                self.failed.get(name) or Check(name, True, demand) for name, demand in self.demands.items()
            )
        return self._results


__all__ = ["CheckBook"]
