"""The rules of consensus whose absence needs a moment that chance seldom meets: a seed finds it, from the defaults.

The seeds are the first of the theme that is made for the rule, so a change of what is drawn may need others: play the
seeds from 0 on whose ``Plan.note`` is the theme. ``make bench ARGS=hunt-rules`` prints the table of all rules.
"""

import pytest

from engines.consensus.pattern import PATTERN
from engines.hunt import request_for
from engines.hunt.trial import play

FOUND = {
    "raft": {
        "check_quorum": ("bridges", 94, "a leader in time"),
        "current_term_commit": ("terms", 38, "leader completeness"),
        "own_commit_first": ("rivals", 199, "leader completeness"),
        "config_from_append": ("removals", 209, "leader completeness"),
        "learners_vote": ("learners", 109, "a leader in time"),
        "snapshot_replaces_log": ("snapshots", 145, "applied entries stay"),
        "read_after_commit": ("newcomers", 42, "reads are current"),
        "match_rounds": ("retries", 615, "reads are current"),
        "ack_after_sync": ("disks", 303, "durable before counted"),
    },
    "pbft": {
        "verify_state": ("states", 38, "equal checkpoints"),
        "execute_once": ("primaries", 315, "executed once, in order"),
        "wait_for_weak": ("clients", 37, "clients are told the truth"),
    },
}
ROWS = [(variant, rule, *found) for variant, rules in FOUND.items() for rule, found in rules.items()]


@pytest.mark.parametrize(("variant", "rule", "theme", "seed", "check"), ROWS, ids=lambda each: str(each))
def test_a_seed_finds_it_within_the_fault_model(variant: str, rule: str, theme: str, seed: int, check: str) -> None:
    plan = request_for(PATTERN, variant, broken=(rule,)).plan(seed)
    assert plan.note == theme
    violation = play(plan, PATTERN.variant(variant), watch=False).violation
    assert violation is not None
    assert violation.check == check
    assert play(request_for(PATTERN, variant).plan(seed), PATTERN.variant(variant), watch=False).violation is None
