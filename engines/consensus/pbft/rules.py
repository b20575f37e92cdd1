"""Rules of PBFT that can be switched off on every correct replica, what single replicas may do, sizes and times."""

from dataclasses import dataclass, fields
from enum import Enum
from typing import Final

from engines.sim.clock import US_PER_MS


@dataclass(frozen=True, slots=True)
class Rules:
    """All on: PBFT as in the paper. Off: what happens where a rule was left out."""

    match_digests: bool = True
    """Only votes for the digest that was accepted count (paper 4.2). Off: any vote for the number does."""
    full_quorum: bool = True
    """2f+1 make a certificate. Off: f+1 do, two of which need not share a correct replica."""
    commit_phase: bool = True
    """A request is executed when 2f+1 are prepared. Off: when this replica is, and a view change may undo it."""
    one_digest: bool = True
    """Of one (view, number) one digest is accepted (paper 4.2). Off: the newest."""
    remember: bool = True
    """What was promised is on disk before the message leaves. Off: a crash forgets it: no better than a traitor."""
    recompute_o: bool = True
    """Backups work out O again before they enter a view (paper 4.4). Off: they believe the new primary."""
    verify_proofs: bool = True
    """A VIEW-CHANGE is believed for its proofs only (paper 4.4). Off: for its word."""
    verify_state: bool = True
    """A fetched state is held against its digest. Off: whoever answers is believed."""
    transfer_replies: bool = True
    """A state carries the last reply to each client. Off: a request may run twice."""
    execute_once: bool = True
    """A request that was executed is not executed again. Off: a repetition adds up."""
    wait_for_weak: bool = True
    """A client believes f+1 equal replies (paper 4.1). Off: the first."""

    def items(self) -> tuple[tuple[str, bool], ...]:
        """Names and states."""
        return tuple((field.name, getattr(self, field.name)) for field in fields(self))


RULE_NAMES: Final = tuple(field.name for field in fields(Rules))


class Act(Enum):
    """How a replica may misbehave; ``acts.OUTCOME`` says what each does and what must come of it."""

    EQUIVOCATE = "equivocate"
    SILENT = "silent"
    SILENT_TO_SOME = "silent_to_some"
    CENSOR = "censor"
    DELAY = "delay"
    BAD_DIGEST = "bad_digest"
    BEYOND_WINDOW = "beyond_window"
    SKIP_NUMBERS = "skip_numbers"
    WRONG_VOTES = "wrong_votes"
    EARLY_COMMIT = "early_commit"
    TWO_FACED = "two_faced"
    WRONG_REPLY = "wrong_reply"
    WRONG_STATE = "wrong_state"
    WITHHOLD_BODY = "withhold_body"
    REPLAY = "replay"
    FORGE_PROOF = "forge_proof"
    OMIT_PROOF = "omit_proof"
    LOW_CHECKPOINT = "low_checkpoint"
    WRONG_O = "wrong_o"
    NEW_VIEW_TO_SOME = "new_view_to_some"
    WRONG_CHECKPOINT = "wrong_checkpoint"
    SPAM_VIEWS = "spam_views"
    FORGETFUL = "forgetful"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How often a checkpoint is taken, and how far numbers may run ahead of the stable one (paper 4.3)."""

    every: int = 5
    """K."""
    window: int = 20
    """L, a small multiple of K."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a replica waits before it asks for a new view, and how often it tells others how far it is."""

    timeout_us: int = 400 * US_PER_MS
    """T; doubled for each view in a row that brings no progress."""
    status_us: int = 200 * US_PER_MS


DOUBLINGS_MAX: Final = 4
"""T grows to 16 T and no further: after healing, the next attempt is never far away."""
STATUS_ANYWAY: Final = 5
"""A replica that lacks nothing says so every fifth time only."""
