"""What a judge answers: ok, violation or unknown; why; and the witness.

A judge never guesses. ``unknown`` is an answer, and its reason says what would be needed. A violation carries what a
person needs to see it: the operations, the pattern's name, the first return that no order explains, and the longest
prefix of the history that is still legal.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Answer(Enum):
    """The three answers."""

    OK = "ok"
    VIOLATION = "violation"
    UNKNOWN = "unknown"


class Why(Enum):
    """The name of a violation's pattern, or what an ``unknown`` lacks."""

    IMPOSSIBLE_RETURN = "impossible return"
    NO_WRITE_ORDER = "no order of the writes"
    NO_SERIAL_ORDER = "no serial order"
    THIN_AIR = "ThinAirRead"
    CYCLIC_CO = "CyclicCO"
    WRITE_CO_INIT_READ = "WriteCOInitRead"
    WRITE_CO_READ = "WriteCORead"
    CYCLIC_CF = "CyclicCF"
    CYCLIC_HB = "CyclicHB"
    WRITE_HB_INIT_READ = "WriteHBInitRead"
    RYW = "RYW"
    MR = "MR"
    MR_OR_WFR = "MR or WFR"
    MW = "MW"
    WFR = "WFR"
    DIVERGED = "diverged"
    STEPS = "budget of steps"
    MEMORY = "budget of memory"
    NO_REAL_TIME = "no real time"
    VALUES_NOT_UNIQUE = "values not unique"
    INITIAL_WRITTEN = "initial value written"
    NOT_A_REGISTER = "not a register"
    NO_FINAL_READS = "no final reads"
    OPEN_WRITES = "open writes"
    CYCLIC_SESSIONS = "cyclic causality"


@dataclass(frozen=True, slots=True)
class Budget:
    """What a judge may spend. Steps are configurations or orders looked at; memory is how many are kept at once."""

    steps: int = 2_000_000
    memory: int = 400_000


BUDGET: Final = Budget()


@dataclass(frozen=True, slots=True)
class Witness:
    """Why it cannot be. Operations are named by their index in the history."""

    operations: tuple[int, ...]
    impossible: int | None = None
    """The operation whose return is the first that nothing explains."""
    prefix: tuple[int, ...] = ()
    """The longest legal order that was found, before it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One model's answer about one history."""

    answer: Answer
    why: Why | None = None
    witness: Witness | None = None

    @property
    def ok(self) -> bool:
        """The model holds."""
        return self.answer is Answer.OK

    @property
    def broken(self) -> bool:
        """The model does not hold."""
        return self.answer is Answer.VIOLATION


OK = Verdict(Answer.OK)


def unknown(why: Why) -> Verdict:
    """No answer, for this reason."""
    return Verdict(Answer.UNKNOWN, why)


def violation(
    why: Why, operations: tuple[int, ...], impossible: int | None = None, prefix: tuple[int, ...] = ()
) -> Verdict:
    """It does not hold, and this shows it."""
    return Verdict(Answer.VIOLATION, why, Witness(operations, impossible, prefix))


__all__ = ["BUDGET", "OK", "Answer", "Budget", "Verdict", "Why", "Witness", "unknown", "violation"]
