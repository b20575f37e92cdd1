"""Consistency: clocks that say who has seen what, and judges that say what clients may rely on.

Ten lines tell a stale read:

>>> from engines.consistency import history, judge_history
>>> seen = history(
...     ("A", "write", "x", 1, 0, 100),
...     ("B", "read", "x", 1, 10, 20),
...     ("C", "read", "x", 0, 30, 40),
... )
>>> report = judge_history(seen)
>>> [name for name, verdict in report.verdicts.items() if verdict.broken]
['linearizable']
>>> report["linearizable"].why.value, [str(seen.operations[i].value) for i in report["linearizable"].witness.operations]
('impossible return', ['1', '1', '0'])

vector dotted hybrid merkle     clocks that say who has seen what; trees that say what differs
history models verdict          what clients did; what objects are; what a judge answers
configurations linearizability regular sequential   judges of one order
order causal sessions           judges of causality, kept as the history grows
outcome                         convergence, staleness, lost writes
judge live live_serial explain  all judges over a history, or over one that still grows; verdicts in words
smallest                        for each pair of models the smallest history that tells them apart
formats                         what is read and written: Jepsen, Porcupine, JSON lines, ShiViz, timelines
pattern world recorded clock_log   the designs alive; a history of the user, or a log with vector clocks, as a run
"""

from engines.consistency.dotted import Dot, Siblings
from engines.consistency.history import Call, History, HistoryBuilder, Operation, Status, history
from engines.consistency.hybrid import ClockTooFarAheadError, HybridClock, Stamp
from engines.consistency.judge import IMPLIES, NAMES, Report, judge_history
from engines.consistency.linearizability import linearizable, longest_with
from engines.consistency.models import CAS_REGISTER, KV, MODELS, MULTI_REGISTER, MUTEX, REGISTER, Model
from engines.consistency.outcome import Staleness, converged, replicas_agree, staleness
from engines.consistency.regular import regular
from engines.consistency.sequential import sequential_registers, sequential_search
from engines.consistency.sessions import GUARANTEES, Guarantee, Session
from engines.consistency.vector import Order, VectorClock, both_greater, prune
from engines.consistency.verdict import Answer, Budget, Verdict, Why, Witness

__all__ = [
    "CAS_REGISTER",
    "GUARANTEES",
    "IMPLIES",
    "KV",
    "MODELS",
    "MULTI_REGISTER",
    "MUTEX",
    "NAMES",
    "REGISTER",
    "Answer",
    "Budget",
    "Call",
    "ClockTooFarAheadError",
    "Dot",
    "Guarantee",
    "History",
    "HistoryBuilder",
    "HybridClock",
    "Model",
    "Operation",
    "Order",
    "Report",
    "Session",
    "Siblings",
    "Staleness",
    "Stamp",
    "Status",
    "VectorClock",
    "Verdict",
    "Why",
    "Witness",
    "both_greater",
    "converged",
    "history",
    "judge_history",
    "linearizable",
    "longest_with",
    "prune",
    "regular",
    "replicas_agree",
    "sequential_registers",
    "sequential_search",
    "staleness",
]
