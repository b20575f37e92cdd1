"""A service world for tests: played, looked at, measured."""

from typing import Any, TypeVar

from engines.resilience.pattern import PATTERN
from engines.resilience.world.snapshot import BreakerView, EdgeView, Snapshot
from engines.sim.pattern import Config, Scenario
from engines.sim.timeline import Timeline
from engines.units import US_PER_S

Run = Timeline[Any, Any]
K = TypeVar("K")

CALM: Config = (("poisson", False), ("rate", 10), ("retry_at", "nowhere"), ("shape", "fixed"), ("mix", "catalog"))


def world(*config: tuple[str, Any], variant: str = "breaker", seed: int = 42) -> Run:
    """A fresh world; what is given overrides an even load of ten calls a second to catalog."""
    return Timeline(PATTERN.variant(variant), seed, tuple({**dict(CALM), **dict(config)}.items()))


def after(run: Run, seconds: int, *commands: Any) -> Snapshot:
    """Give commands, let time pass, look."""
    for command in commands:
        run.submit(command)
    run.advance(run.now_us + seconds * US_PER_S)
    seen = run.snapshot()
    assert isinstance(seen, Snapshot)
    return seen


def edge(seen: Snapshot, id: str = "api>catalog") -> EdgeView:
    """An edge that is there."""
    found = seen.edge(id)
    assert found is not None
    return found


def breaker(seen: Snapshot, id: str = "api>catalog") -> BreakerView:
    """A breaker that is there."""
    found = edge(seen, id).breaker
    assert found is not None
    return found


def happened(run: Run, kind: type[K]) -> list[K]:
    """What has happened of a kind, as far as the journal remembers."""
    return [event.what for event in run.engine.told(1 << 20) if isinstance(event.what, kind)]


def red(run: Run) -> list[str]:
    """The names of the checks that fail."""
    return [check.name for check in run.check() if not check.ok]


def goodput(seen: Snapshot, from_s: int, until_s: int) -> int:
    """Calls that ended well and in time in a stretch of a run, in thousandths a second."""
    rows = [row.goodput for row in seen.series if from_s * US_PER_S < row.at_us <= until_s * US_PER_S]
    assert len(rows) == 2 * (until_s - from_s)
    return sum(rows) * 1_000 // len(rows)


def story(name: str) -> Scenario:
    """A scenario."""
    return PATTERN.scenario(name)


def told(name: str, until_s: int = 0) -> Run:
    """A scenario at its end, or at a time before it."""
    scenario = story(name)
    run: Run = Timeline(PATTERN.variant(scenario.variant), scenario.seed, scenario.config, scenario)
    run.advance(until_s * US_PER_S or scenario.end_us)
    return run
