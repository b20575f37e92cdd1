"""A pattern whose worlds kill the process they run in: seed 5 once, or always, as a file beside says."""

import os
from pathlib import Path
from typing import Any

from engines.sim.pattern import Config, Pattern, Variant
from tests.toy import PATTERN as TOY

SEED = 5


def make(seed: int, config: Config) -> Any:
    mark = Path(os.environ["DEADLY"])
    if seed == SEED and mark.exists():
        if mark.read_text(encoding="utf-8") == "once":
            mark.unlink()
        os._exit(9)
    return TOY.variants[0].make(seed, config)


_FIRST = TOY.variants[0]
PATTERN = Pattern(
    8,
    "deadly",
    "Deadly",
    "Who is left?",
    (Variant("deadly", "Deadly", "", make, _FIRST.commands, _FIRST.settings),),
    (),
)
