"""What a judge from outside says of a run: the verdict on its clients' history, beside the engine's own checks.

An engine keeps the history and knows no judge; ``run``, ``replay``, the app and the tests pass it to one.
"""

from dataclasses import replace
from typing import Any

from engines.sim.history import CLIENT_HISTORY, History
from engines.sim.pattern import Check
from engines.units import when


def judged(engine: Any) -> tuple[Check, ...]:
    """The verdict on the client history of an engine that keeps one whole; nothing for others."""
    history = getattr(engine, "history", None)
    if not isinstance(history, History):
        return ()
    if not history.counts:
        return (Check(CLIENT_HISTORY, True, "no client was told anything yet"),)
    from tui.linearizable import linearizable_store  # the judges are loaded for whoever needs them

    check = linearizable_store(history.operations())
    # a verdict is about all that was heard: where it fails, the run stood where it was passed
    return (check if check.ok else replace(check, position=engine.position),)


def explained(check: Check) -> tuple[str, ...]:
    """What is demanded of the history, and if it does not hold, the operations that show it. Paragraphs."""
    demand = (
        "Every answer a client was given must fit one order of all operations in which each takes effect once, between "
        "its question and its answer: as if the cluster were one machine (linearizability). What was never answered "
        "may have happened or not."
    )
    if check.ok:
        return demand, check.detail
    broken = "Somebody was told what one machine would never say. The algorithm's own checks may all hold."
    return demand, f"FAILED{when(check.at_us, ' ')}: {check.detail}.", *check.witness, broken


class Verdicts:
    """The verdict on a run that somebody watches, kept while its history grows by little."""

    def __init__(self) -> None:
        self.judged = -1, 0
        """The tape that was judged last, and how much of it."""
        self.found: tuple[Check, ...] = ()

    def of(self, engine: Any, playing: bool) -> tuple[Check, ...]:
        """What is known of this engine's history: of all of it while the run stands, else of nine tenths or more."""
        history = getattr(engine, "history", None)
        if not isinstance(history, History):
            return ()
        tape, length = self.judged
        grown = history.length - length
        if tape != history.tape.number or grown < 0 or grown > (length // 10 + 8 if playing else 0):
            self.judged = history.tape.number, history.length
            self.found = judged(engine)
        return self.found


__all__ = ["Verdicts", "explained", "judged"]
