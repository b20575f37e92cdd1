"""Rules of PBFT that can be switched off on every correct replica, what single replicas may do, sizes and times."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from engines.rules import Rules, rule
from engines.units import US_PER_MS


@dataclass(frozen=True, slots=True)
class PbftRules(Rules):
    """All on: PBFT as in the paper."""

    match_digests: bool = rule("only votes for the digest that was accepted count (paper 4.2)")
    full_quorum: bool = rule("2f+1 make a certificate; f+1 need not share a correct replica (4.2)")
    commit_phase: bool = rule("a request is executed when 2f+1 are prepared, not when this replica is (4.2)")
    one_digest: bool = rule("of one (view, number) one digest is accepted (4.2)")
    remember: bool = rule("what was promised is on disk before the message leaves")
    recompute_o: bool = rule("backups work out O again before they enter a view (4.4)")
    verify_proofs: bool = rule("a VIEW-CHANGE is believed for its proofs only (4.4)")
    verify_state: bool = rule("a fetched state is held against its digest (4.3)")
    transfer_replies: bool = rule("a state carries the last reply to each client (4.3)")
    execute_once: bool = rule("a request that was executed is not executed again (4.1)")
    wait_for_weak: bool = rule("a client believes f+1 equal replies, not the first (4.1)")


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
