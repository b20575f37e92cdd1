"""What each rule keeps: the strongest verdicts that still hold without it, and the first that break.

Each row is found and held by search: ``trial`` runs a busy world under random faults, and the tests run it over many
seeds. A verdict under ``breaks`` is broken by some of them, within ``within`` seeds; one under ``holds`` by none.
What stands in neither was broken by some seeds as a consequence, or is implied.
"""

from typing import Final, NamedTuple

from engines.consistency.world.commands import SetWorkload
from engines.consistency.world.engine import ConsistencyEngine
from engines.sim import faults
from engines.sim.random import Stream
from engines.units import US_PER_MS


class Row(NamedTuple):
    """One switch of one design. ``also``: settings besides, such as another rule that would hide the effect."""

    variant: str
    rule: str
    """Empty: no rule is off, the settings of ``also`` are what is tried."""
    breaks: tuple[str, ...]
    holds: tuple[str, ...]
    within: int
    also: tuple[tuple[str, object], ...] = ()
    skew: bool = False
    """Whether clocks are wrong in the trials, too."""

    @property
    def config(self) -> tuple[tuple[str, object], ...]:
        """The settings of a trial."""
        return (*self.also, (self.rule, False)) if self.rule else self.also


def trial(variant: str, seed: int, config: tuple[tuple[str, object], ...] = (), skew: bool = False) -> dict[str, bool]:
    """Which models and promises hold at the end of a busy run with faults, and after it was healed and had its rest."""
    engine = ConsistencyEngine(variant, seed, (("workload", "busy"), *config))
    stream = Stream(seed, "trial")
    servers = engine.servers
    for _ in range(8):
        _run(engine, stream.between(200, 900) * US_PER_MS)
        one, other = servers[stream.below(len(servers))], servers[stream.below(len(servers))]
        anybody = (*servers, *engine.clients)[stream.below(len(servers) + len(engine.clients))]
        match stream.below(10 if skew else 9):
            case 0:
                engine.apply(faults.Isolate(one))
            case 1 if one != other:
                engine.apply(faults.Slow(one, other, 300 * US_PER_MS, 200 * US_PER_MS))
            case 2 if one != other:
                engine.apply(faults.Lose(one, other, 500_000))
            case 3:
                engine.apply(faults.Partition((servers[:1], servers[1:])))
            case 4:
                engine.apply(faults.Crash(one))
            case 5 | 6 if anybody != one:
                engine.apply(faults.Slow(anybody, one, 700 * US_PER_MS, 200 * US_PER_MS))
            case 7:
                for each in servers:
                    if each != one:
                        engine.apply(faults.Slow(engine.clients[0], each, 300 * US_PER_MS, 100 * US_PER_MS))
            case 9:
                engine.apply(faults.Skew(one, 3_000 * US_PER_MS, 0))
            case _:
                engine.apply(faults.Heal())
    engine.apply(faults.Heal())
    engine.apply(SetWorkload("off"))
    _run(engine, 6_000 * US_PER_MS)
    found = {name: not verdict.broken for name, verdict in engine.book.judge.verdicts().items()}
    return found | {check.name: check.ok for check in engine.check()}


def _run(engine: ConsistencyEngine, span_us: int) -> None:
    engine.run(engine.now_us + span_us, 1 << 30)


EVERYTHING: Final = ("causal", "ccv", "cm", "pram", "ryw", "mr", "mw", "wfr")
ONE_KEY: Final = (("clients", 6), ("keys", 1))
TWO: Final = (("clients", 2), ("keys", 1))

TABLE: Final = (
    Row("linearizable", "store_back", ("linearizable",), ("ryw", "mr", "mw", "wfr"), 50, ONE_KEY),
    Row("linearizable", "remember", (), ("linearizable", "regular", "sequential", *EVERYTHING), 0),
    Row("linearizable", "store_back", ("linearizable", "mr"), ("ryw", "mw"), 200, (*TWO, ("remember", False))),
    Row("sequential", "wait_for_delivery", ("ryw", "sequential", "causal"), ("mr",), 10),
    Row("sequential", "sticky", ("ryw", "mr", "causal"), (), 20),
    Row("causal", "delivery", ("wfr", "causal"), ("ryw", "mr"), 100, skew=True),
    Row("causal", "hybrid_time", ("ccv",), ("causal", "cm", "pram", "ryw", "mr", "mw", "wfr"), 20, skew=True),
    Row("causal", "sticky", (), ("causal", "ccv", "ryw", "mr", "mw", "wfr"), 0, skew=True),
    Row("causal", "client_vector", ("ryw", "mr", "causal"), (), 20, (("sticky", False),), skew=True),
    Row("eventual", "strict_quorum", ("overlap",), ("converged", "no thin air"), 20, (("r", 2), ("w", 2))),
    Row("eventual", "hybrid_time", ("no lost write",), ("converged", "no thin air"), 20, skew=True),
    Row("eventual", "send_to_all", (), ("converged", "overlap", "no thin air"), 0, (("r", 2), ("w", 2))),
    Row("eventual", "read_repair", (), ("converged", "overlap", "no thin air"), 0, (("r", 2), ("w", 2))),
    Row("eventual", "hinted_handoff", (), ("converged", "overlap", "no thin air"), 0, (("r", 2), ("w", 2))),
    Row("eventual", "anti_entropy", ("converged",), ("no thin air",), 20, (("hinted_handoff", False),)),
    Row("weak", "push", (), ("no thin air", "ryw", "mr", "mw"), 0),
    Row("mongodb", "majority_write", ("no lost write", "ryw"), ("mr", "wfr"), 20),
    Row("mongodb", "majority_read", ("linearizable", "mr"), ("ryw", "mw", "wfr", "no lost write"), 100, ONE_KEY),
    Row("mongodb", "primary_read", ("ryw",), ("no lost write",), 20),
    Row("mongodb", "", (), (*EVERYTHING[4:], "no lost write"), 0, (("preference", "primary"),)),
    Row("mongodb", "", ("ryw",), ("no lost write",), 200, (("preference", "primaryPreferred"),)),
    Row("mongodb", "", ("ryw",), ("no lost write",), 20, (("preference", "secondary"),)),
    Row("mongodb", "", ("ryw",), ("no lost write",), 20, (("preference", "secondaryPreferred"),)),
    Row("mongodb", "", ("ryw",), ("no lost write",), 20, (("preference", "nearest"),)),
)
"""What the sheet of a rule shows: all rows are found by search."""


def preference_row(name: str) -> Row:
    """The row of a read preference."""
    return next(row for row in TABLE if ("preference", name) in row.also)


def row_of(variant: str, rule: str) -> Row | None:
    """The first row of a rule."""
    return next((row for row in TABLE if (row.variant, row.rule) == (variant, rule)), None)
