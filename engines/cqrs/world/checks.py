"""What must hold, whatever happens. Checks stand beside the machines and look only at what the last step changed."""

from typing import Final

from engines.sim.checks import CheckBook

FOLD: Final = "projection = fold"
SAID: Final = "summaries true"
RYW: Final = "read your writes"
ONCE: Final = "a command once"
SAGA_WHOLE: Final = "saga never half"
MIX: Final = "one generation"
OUTBOX: Final = "no message lost"

DEMANDS: Final = {
    FOLD: "every read model equals a fold of the events up to its position, without what is parked",
    SAID: "no order summary ever shows what no event said: it equals the write model as it was at that version",
    RYW: "an answer that was asked to include a position includes it, or says that it does not",
    ONCE: "what one command decided is written once",
    SAGA_WHOLE: "a saga ends completed or compensated: all services and the order agree, and stay so",
    MIX: "no reader is served rows of two generations of a read model",
    OUTBOX: "every event that is stored is on the bus, or somebody will still bring it there",
}


def book() -> CheckBook:
    """All of them, green."""
    checks = CheckBook(DEMANDS)
    checks.results()
    return checks


__all__ = ["DEMANDS", "FOLD", "MIX", "ONCE", "OUTBOX", "RYW", "SAGA_WHOLE", "SAID", "book"]
