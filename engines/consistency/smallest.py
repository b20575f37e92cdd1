"""The smallest history that satisfies one model and not another, for every pair: found by search, shipped as pictures.

``search`` tries histories, smallest first, at random and then exhaustively where one session looks on as another
writes, and keeps the first for each pair. What it found is below, as ASCII timelines of registers that begin with 0; a
pair that is missing is one where the first model implies the second.
"""

import random
from collections.abc import Iterator
from io import BytesIO
from itertools import product
from typing import Final

from engines.consistency.formats.reading import HistoryReader
from engines.consistency.formats.timeline import draw
from engines.consistency.history import Call, History, HistoryBuilder, Status
from engines.consistency.judge import NAMES, judge_history

MODELS: Final = NAMES[:11]


def candidates(size: int, count: int) -> Iterator[History]:
    """Random histories of so many operations; then every one of a writer and a session that looks on."""
    for seed in range(count):
        draw_ = random.Random(size * 1_000_003 + seed)
        sessions, keys = draw_.choice((1, 2, 2, 3)), draw_.choice((1, 1, 2))
        yield _one(draw_, size, "ABC"[:sessions], "xy"[:keys])
    for writes in range(1, min(3, size - 1) + 1):
        yield from _watched(writes, size - writes)


def _watched(writes: int, size: int) -> Iterator[History]:
    """A writes x, y, z once each, as many as there are; B does anything with them, in all ways."""
    keys = "xyz"[:writes]
    steps = [(Call.WRITE, key, 0) for key in keys]
    steps += [(Call.READ, key, which) for key in keys for which in range(3)]
    for program in product(steps, repeat=size):
        build = HistoryBuilder(0)
        for number, key in enumerate(keys, 1):
            build.invoke("A", Call.WRITE, key, number)
            build.complete("A", Status.OK)
        own: dict[str, int] = {}
        for number, (call, key, which) in enumerate(program, writes + 1):
            if call is Call.READ and which == 2 and key not in own:
                break
            build.invoke("B", call, key, number if call is Call.WRITE else None)
            values = (0, keys.index(key) + 1, own.get(key, 0))
            build.complete("B", Status.OK, values[which] if call is Call.READ else None)
            if call is Call.WRITE:
                own[key] = number
        else:
            yield build.build()


def _one(draw_: random.Random, size: int, sessions: str, keys: str) -> History:
    build = HistoryBuilder(0)
    written: dict[str, list[int]] = {key: [0] for key in keys}
    open_: dict[str, tuple[Call, str]] = {}
    begun = 0
    while begun < size or open_:
        session = draw_.choice(sessions)
        if session in open_:
            call, key = open_.pop(session)
            build.complete(session, Status.OK, draw_.choice(written[key]) if call is Call.READ else None)
        elif begun < size:
            begun += 1
            key = draw_.choice(keys)
            call = draw_.choice((Call.READ, Call.WRITE))
            if call is Call.WRITE:
                written[key].append(begun)
            build.invoke(session, call, key, begun if call is Call.WRITE else None)
            open_[session] = call, key
    return build.build()


def search(sizes: range, count: int, models: tuple[str, ...] = MODELS) -> dict[tuple[str, str], tuple[str, ...]]:
    """(satisfied, broken) -> the smallest history found, drawn."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for size in sizes:
        for seen in candidates(size, count):
            verdicts = judge_history(seen, wanted=models).verdicts
            good = [name for name in models if verdicts[name].ok]
            bad = [name for name in models if verdicts[name].broken]
            for pair in ((one, other) for one in good for other in bad):
                if pair not in found:
                    found[pair] = tuple(draw(seen))
    return found


def history_of(lines: tuple[str, ...]) -> History:
    """A picture as a history; the initial value is 0."""
    from dataclasses import replace

    text = "\n".join(lines) + "\n"
    return replace(HistoryReader(BytesIO(text.encode()), "smallest").read(), initial=0)


# -- found ------------------------------------------------------------------------------------------------------------

PICTURES: Final[tuple[tuple[str, ...], ...]] = (
    (
        "A |--w x=1------|",
        "B  |--r x=1--| |--r x=0--|",
    ),
    (
        "A |--r x=4-------| |--r y=0--|",
        "B  |--w y=2-------------------|",
        "C   |--r y=2--| |--w x=4--|",
    ),
    (
        "A |--w x=1--|",
        "B            |--r x=0--|",
    ),
    (
        "C |--w x=1--| |--r x=2------|",
        "B  |--w x=2----| |--r x=1--|",
    ),
    (
        "A |--w x=1--| |--r x=2--| |--r x=1--|",
        "B            |--w x=2--|",
    ),
    (
        "B |--w y=1----|           |--r x=0--|",
        "A  |--w x=2--| |--r y=0--|",
    ),
    (
        "A |--w x=1--| |--w y=2--| |--w z=3--|",
        "B                                    |--w y=4--| |--r x=0--| |--r z=3--| |--r y=4--|",
    ),
    (
        "B |--w x=1----| |--r x=1--|",
        "A  |--r x=1--|    |--w x=5--------------|",
        "C                |--r x=5--| |--r x=1--|",
    ),
    (
        "C |--w x=1--|",
        "B  |--r x=0-------------| |--r x=4--| |--w x=6--| |--r x=1--|",
        "A            |--r x=1--| |--w x=4----|",
    ),
    (
        "B |--r x=3--| |--w x=4--| |--w x=5--------|",
        "A  |--r x=5----------------| |--r x=3----|",
        "C   |--w x=3---|              |--r x=5--|",
    ),
    (
        "C |--r y=2----| |--w x=4----|",
        "A  |--w y=2--|",
        "B              |--r x=4--| |--r y=0--|",
    ),
    (
        "A |--w x=1--| |--w x=2--|",
        "B              |--r x=2--| |--r x=0--|",
    ),
    (
        "B |--r x=2--| |--w x=4--|",
        "C  |--w x=2----|",
        "A   |--r x=4----| |--r x=0--|",
    ),
    ("A |--w x=1--| |--r x=0--|",),
    (
        "B |--w y=1--| |--w x=3--|",
        "A  |--r x=3--------------| |--r y=0--|",
    ),
    (
        "B |--w y=1--|   |--r x=3--------------| |--r y=0--|",
        "A  |--r y=1--| |--w x=3--| |--r x=0--| |--r x=0--|",
    ),
    ("A |--w x=1--| |--r x=1--| |--r x=0--|",),
)

PAIRS: Final[tuple[tuple[tuple[str, str], ...], ...]] = (
    (
        ("regular", "linearizable"),
        ("regular", "sequential"),
        ("regular", "causal"),
        ("regular", "ccv"),
        ("regular", "cm"),
        ("regular", "pram"),
        ("regular", "mr"),
        ("ryw", "sequential"),
        ("ryw", "causal"),
        ("ryw", "ccv"),
        ("ryw", "cm"),
        ("ryw", "pram"),
        ("ryw", "mr"),
    ),
    (("regular", "wfr"),),
    (
        ("sequential", "linearizable"),
        ("sequential", "regular"),
        ("causal", "linearizable"),
        ("causal", "regular"),
        ("ccv", "linearizable"),
        ("ccv", "regular"),
        ("cm", "linearizable"),
        ("cm", "regular"),
        ("pram", "linearizable"),
        ("pram", "regular"),
        ("ryw", "linearizable"),
        ("ryw", "regular"),
        ("mr", "linearizable"),
        ("mr", "regular"),
        ("mw", "linearizable"),
        ("mw", "regular"),
        ("wfr", "linearizable"),
        ("wfr", "regular"),
    ),
    (
        ("causal", "sequential"),
        ("causal", "ccv"),
        ("cm", "sequential"),
        ("cm", "ccv"),
        ("pram", "sequential"),
        ("pram", "ccv"),
    ),
    (
        ("causal", "cm"),
        ("causal", "pram"),
    ),
    (("ccv", "sequential"),),
    (
        ("ccv", "cm"),
        ("ccv", "pram"),
    ),
    (
        ("pram", "causal"),
        ("pram", "cm"),
        ("pram", "mr"),
    ),
    (("pram", "ryw"),),
    (("pram", "mw"),),
    (("pram", "wfr"),),
    (
        ("ryw", "mw"),
        ("wfr", "mw"),
    ),
    (
        ("ryw", "wfr"),
        ("mw", "wfr"),
    ),
    (
        ("mr", "sequential"),
        ("mr", "causal"),
        ("mr", "ccv"),
        ("mr", "cm"),
        ("mr", "pram"),
        ("mr", "ryw"),
        ("mw", "sequential"),
        ("mw", "causal"),
        ("mw", "ccv"),
        ("mw", "cm"),
        ("mw", "pram"),
        ("mw", "ryw"),
        ("wfr", "sequential"),
        ("wfr", "causal"),
        ("wfr", "ccv"),
        ("wfr", "cm"),
        ("wfr", "pram"),
        ("wfr", "ryw"),
    ),
    (("mr", "mw"),),
    (("mr", "wfr"),),
    (
        ("mw", "mr"),
        ("wfr", "mr"),
    ),
)
"""By picture: (satisfied, broken)."""

FOUND: Final = {pair: PICTURES[at] for at, pairs in enumerate(PAIRS) for pair in pairs}
SMALLEST: Final = {(one, other): FOUND[one, other] for one in MODELS for other in MODELS if (one, other) in FOUND}
"""In the order of the models."""

__all__ = ["MODELS", "SMALLEST", "history_of", "search"]
