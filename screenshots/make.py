"""Write the pictures and films of this folder: ``make screenshots``. Each is a deterministic run, or a moment of one.

A shot names a pattern, a scenario or a seed, a moment of virtual time, a screen size and the keys pressed there.
"""

import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from engines.units import US_PER_MS
from tui import recorder
from tui.recorder import Pressed, film, picture
from tui.registry import PANELS
from tui.session import Session
from tui.theme import theme_for

FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture."""

    name: str
    pattern: str
    at_ms: int
    size: tuple[int, int] = (120, 36)
    scenario: str = ""
    variant: str = ""
    theme: str = "dark"
    keys: tuple[str, ...] = ()
    """Pressed at that moment, before the picture is taken."""


SHOTS: Final = (
    Shot("consistency", "consistency", 4_330, variant="eventual"),
    Shot("consistency-witness", "consistency", 850, scenario="store-back", keys=("g",)),
    Shot("consistency-80x24", "consistency", 1_000, size=(80, 24), scenario="reply-first"),
    Shot("consistency-200x50", "consistency", 3_000, size=(200, 50), scenario="rollback"),
    Shot("consistency-matrix", "consistency", 1_000, keys=("v",)),
    Shot("raft", "consensus", 2_130, keys=("a",)),
    Shot("raft-80x24", "consensus", 2_130, size=(80, 24)),
    Shot("raft-election", "consensus", 1_450, scenario="election"),
    Shot("raft-figure-7", "consensus", 330, scenario="figure-7"),
    Shot("raft-figure-8-broken", "consensus", 1_600, scenario="figure-8-broken", keys=("e",)),
    Shot("raft-light", "consensus", 2_130, theme="light"),
    Shot("pbft", "consensus", 1_400, size=(150, 40), scenario="pbft-f-plus-1"),
    Shot("pbft-80x24", "consensus", 270, size=(80, 24), scenario="pbft-request"),
    Shot("pbft-view-change", "consensus", 1_250, scenario="pbft-silent-primary"),
    Shot("sharding", "sharding", 1_900, scenario="failover"),
    Shot("sharding-80x24", "sharding", 1_900, size=(80, 24), scenario="failover"),
    Shot("sharding-mod-n", "sharding", 2_000, scenario="mod-n"),
    Shot("sharding-slots", "sharding", 3_330, scenario="slot-migration"),
    Shot("sharding-ranges", "sharding", 8_600, scenario="a-to-m"),
    Shot("resilience", "resilience", 24_000, scenario="retry-storm"),
    Shot("resilience-80x24", "resilience", 30_000, size=(80, 24), scenario="trip-and-recover"),
    Shot("resilience-200x50", "resilience", 41_000, size=(200, 50), scenario="trip-and-recover"),
    Shot("resilience-cure", "resilience", 51_500, scenario="storm-breaker"),
    Shot("resilience-outlier", "resilience", 29_000, scenario="outlier"),
    Shot("events", "events", 3_000, scenario="poison"),
    Shot("events-80x24", "events", 6_414, size=(80, 24)),
    Shot("events-200x50", "events", 9_000, size=(200, 50)),
    Shot("events-travel", "events", 7_000, scenario="time-travel", keys=("up",) * 4),
    Shot("events-gap", "events", 1_600, scenario="skipped-gap", keys=("v", "v", "v")),
    Shot("events-tampering", "events", 2_300, scenario="tampering", keys=("e",)),
    Shot("events-tree", "events", 3_100, scenario="account-replayed", keys=("v",)),
    Shot("cqrs", "cqrs", 2_990, scenario="write-burst"),
    Shot("cqrs-80x24", "cqrs", 3_000, size=(80, 24)),
    Shot("cqrs-200x50", "cqrs", 6_000, size=(200, 50)),
    Shot("cqrs-rebuild", "cqrs", 5_500, scenario="bug-and-rebuild"),
    Shot("cqrs-tree", "cqrs", 700, scenario="saga-compensates", keys=("v", "v", "v")),
    Shot("cqrs-answers", "cqrs", 2_990, scenario="write-burst", keys=("v",)),
    Shot("tracing", "tracing", 8_290, scenario="auth-pool-p99"),
    Shot("tracing-80x24", "tracing", 8_290, size=(80, 24), scenario="auth-pool-p99"),
    Shot("tracing-200x50", "tracing", 12_000, size=(200, 50)),
    Shot("tracing-map", "tracing", 12_000, keys=("g",)),
    Shot("tracing-verdict", "tracing", 8_290, scenario="auth-pool-p99", keys=("V",)),
    Shot("tracing-dropped-header", "tracing", 11_600, scenario="dropped-header", keys=("G",)),
    Shot("tracing-light", "tracing", 8_290, scenario="auth-pool-p99", theme="light"),
)


@dataclass(frozen=True, slots=True)
class Film:
    """One recording."""

    name: str
    pattern: str
    scenario: str
    until_ms: int
    speed: tuple[int, int]
    size: tuple[int, int] = (80, 24)


FILMS: Final = (
    Film("raft-election", "consensus", "election", 1_900, (1, 20)),
    Film("resilience-trip-and-recover", "resilience", "trip-and-recover", 40_000, (1, 1)),
)
"""Short, and small: they are kept in the repository."""


def take(shot: Shot) -> str:
    """The picture as SVG."""
    session = Session(PANELS, shot.pattern, variant=shot.variant, scenario=shot.scenario, sandbox=True)
    keys = tuple(Pressed(key, None) for key in shot.keys)
    return picture(session, recorder.Shot(shot.at_ms * US_PER_MS, shot.size, theme_for(shot.theme, 256), keys))


def shoot(reel: Film) -> str:
    """The recording as asciicast."""
    speed = Fraction(*reel.speed)
    session = Session(PANELS, reel.pattern, scenario=reel.scenario, speed=speed, sandbox=True)
    title = f"dp-tui: {session.scene.branch.scenario.title if session.scene.branch.scenario else reel.pattern}"
    return film(session, recorder.Shot(reel.until_ms * US_PER_MS, reel.size, theme_for("dark", 256), title=title))


def main(wanted: list[str]) -> int:
    """Write the named pictures and films, or all."""
    names = [each.name for each in (*SHOTS, *FILMS)]
    unknown = set(wanted) - set(names)
    if unknown:
        print(f"no such picture: {min(unknown)}; {', '.join(names)} are accepted", file=sys.stderr)
        return 2
    for each in (*SHOTS, *FILMS):
        if not wanted or each.name in wanted:
            path = FOLDER / f"{each.name}{'.svg' if isinstance(each, Shot) else '.cast'}"
            path.write_text(take(each) if isinstance(each, Shot) else shoot(each), encoding="utf-8")
            print(path.relative_to(FOLDER.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
