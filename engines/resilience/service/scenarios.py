"""Stories."""

from typing import Final

from engines.sim.pattern import Scenario

SCENARIOS: Final[tuple[Scenario, ...]] = ()
