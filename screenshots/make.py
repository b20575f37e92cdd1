"""Write the pictures of this folder: ``make screenshots``. Every one is a moment of a deterministic run.

A shot names a pattern, a scenario or a seed, a moment of virtual time, a screen size and the keys pressed there.
"""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engines.units import US_PER_MS
from tui.registry import PANELS
from tui.session import Session
from tui.still import snapshot_svg

TICK_US: Final = 100 * US_PER_MS
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
    Shot("tracing", "tracing", 8_290, scenario="auth-pool-p99"),
    Shot("tracing-80x24", "tracing", 8_290, size=(80, 24), scenario="auth-pool-p99"),
    Shot("tracing-200x50", "tracing", 12_000, size=(200, 50)),
    Shot("tracing-map", "tracing", 12_000, keys=("g",)),
    Shot("tracing-verdict", "tracing", 8_290, scenario="auth-pool-p99", keys=("V",)),
    Shot("tracing-dropped-header", "tracing", 11_600, scenario="dropped-header", keys=("G",)),
    Shot("tracing-light", "tracing", 8_290, scenario="auth-pool-p99", theme="light"),
)


def play(session: Session, until_us: int) -> None:
    """Let the run go on to a moment, past every cue; it stands there."""
    player = session.scene.player
    while player.timeline.now_us < until_us:
        if not player.playing:
            session.press("space")
        session.tick(min(TICK_US, int((until_us - player.timeline.now_us) / player.speed) + 1))
    if player.playing:
        session.press("space")


def take(shot: Shot) -> str:
    """The picture as SVG."""
    session = Session(PANELS, shot.pattern, variant=shot.variant, scenario=shot.scenario, sandbox=True)
    session.resize(*shot.size)
    play(session, shot.at_ms * US_PER_MS)
    return asyncio.run(snapshot_svg(session, shot.size, shot.theme, shot.keys))


def main(wanted: list[str]) -> int:
    """Write the named pictures, or all."""
    unknown = set(wanted) - {shot.name for shot in SHOTS}
    if unknown:
        print(
            f"no such picture: {min(unknown)}; {', '.join(shot.name for shot in SHOTS)} are accepted", file=sys.stderr
        )
        return 2
    for shot in SHOTS:
        if not wanted or shot.name in wanted:
            path = FOLDER / f"{shot.name}.svg"
            path.write_text(take(shot), encoding="utf-8")
            print(path.relative_to(FOLDER.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
