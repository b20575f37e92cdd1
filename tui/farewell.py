"""The way out: every run that a person has touched is saved, first in haste, then with its digest.

A signal, a lost line or the end of a laptop's battery may leave no time, so the commands of all runs are on the disk
before anything else is done (`keep`). Where there is time, once the terminal is itself again, each is executed once
more for the digest that a replay is compared with (`Kept.seal`).
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engines.errors import UserError
from engines.sim.faults import Narrate
from engines.sim.recording import record
from tui import files
from tui.scene import Scene

if TYPE_CHECKING:
    from engines.hunt.found import Run


@dataclass(frozen=True, slots=True)
class Kept:
    """What was saved on the way out, and the one line that says so; empty where there is nothing to say."""

    text: str
    runs: tuple[tuple[Scene, Path], ...] = ()

    @property
    def steps(self) -> int:
        """How many steps `seal` executes."""
        return sum(scene.branch.end_position for scene, _ in self.runs)

    def seal(self) -> None:
        """Add the digests. What cannot be written now stays as it was saved."""
        for scene, path in self.runs:
            files.write(path, record(scene.panel.pattern, scene.timeline))


def touched(scene: Scene) -> bool:
    """Whether a person has done anything to the run; what came with a FILE was no deed."""
    branches = scene.timeline.branches
    return len(branches) > 1 or any(
        not (entry.scripted or isinstance(entry.command, Narrate)) for entry in branches[0].log[scene.given :]
    )


def keep(scenes: Sequence[Scene], on_screen: Scene, folder: Path | None) -> Kept:
    """Save the run on the screen and all that were touched; the first stands first in the command that replays them."""
    chosen = [on_screen, *(scene for scene in scenes if scene is not on_screen and touched(scene))]
    if folder is None:
        return Kept(f"{_them(chosen)} not saved: the folder for saved runs cannot be written")
    kept: list[tuple[Scene, Path]] = []
    failed = ""
    for scene in chosen:
        pattern, timeline = scene.panel.pattern, scene.timeline
        try:
            text = record(pattern, timeline, haste=True)
            kept.append((scene, files.keep(folder, f"{pattern.name}-{timeline.variant.name}", text)))
        except UserError as error:
            failed = failed or f"the run of {scene.variant.title} was not saved: {error}"
    if not kept:
        return Kept(failed)
    said = f"saved {', '.join(_named(scene) for scene, _ in kept)}; replay: {replay([path for _, path in kept])}"
    return Kept(f"{said}; {failed}" if failed else said, tuple(kept))


def keep_find(kept: Kept, run: Run, folder: Path | None) -> Kept:
    """Besides, save what a hunt has found and nobody has opened yet."""
    if folder is None:
        return kept
    try:
        path = files.keep(folder, f"hunt-{run.pattern.name}-{run.timeline.variant.name}", run.recording())
    except UserError as error:
        return replace(kept, text=f"{kept.text}; what the hunt found was not saved: {error}")
    return replace(kept, text=f"{kept.text}; what the hunt found: {replay([path])}")


def replay(paths: Sequence[Path]) -> str:
    """The command that opens recordings, as a shell takes it wherever it stands."""
    return f"{files.program()} replay {' '.join(shlex.quote(str(path.expanduser().absolute())) for path in paths)}"


def sealed(kept: Kept, say: Callable[[str], None], silent_steps: int = 300_000) -> None:
    """Seal what was kept; a wait that can be felt is announced, and ctrl+c ends it."""
    if kept.steps > silent_steps:
        say(f"executing {kept.steps:,} steps once more for the digests; ctrl+c does without")
    try:
        kept.seal()
    except (UserError, KeyboardInterrupt):
        return


def _them(scenes: Sequence[Scene]) -> str:
    return "the run was" if len(scenes) == 1 else f"{len(scenes)} runs were"


def _named(scene: Scene) -> str:
    many = len(scene.timeline.branches)
    return f"{scene.variant.title} ({many} branches)" if many > 1 else scene.variant.title
