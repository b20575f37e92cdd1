"""Rules of Raft that can be switched off, to see why they are there, and the timing of a cluster."""

from dataclasses import dataclass, fields

from engines.sim.clock import US_PER_MS


@dataclass(frozen=True, slots=True)
class Rules:
    """All on: Raft. Two are safety rules, whose absence breaks a guarantee; two keep a working leader in office."""

    current_term_commit: bool = True
    """A leader counts replicas only for entries of its own term (paper 5.4.2)."""
    persist_vote: bool = True
    """The vote is on disk before it is given (paper, Figure 2)."""
    pre_vote: bool = True
    """Ask first whether an election could be won at all (dissertation 9.6)."""
    check_quorum: bool = True
    """A leader that hears no quorum steps down (dissertation 6.2); voters who hear one ignore RequestVote (4.2.3)."""

    def items(self) -> tuple[tuple[str, bool], ...]:
        """Names and states."""
        return tuple((field.name, getattr(self, field.name)) for field in fields(self))


@dataclass(frozen=True, slots=True)
class Timing:
    """Election timeouts are drawn from [election_min_us, election_max_us] (paper 9.3: 150 to 300 ms)."""

    heartbeat_us: int = 50 * US_PER_MS
    election_min_us: int = 150 * US_PER_MS
    election_max_us: int = 300 * US_PER_MS


RULE_NAMES = tuple(field.name for field in fields(Rules))
