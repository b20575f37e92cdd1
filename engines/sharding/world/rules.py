"""Rules of the cluster that can be switched off to see why they are there, and its times."""

from dataclasses import dataclass
from typing import Final

from engines.rules import Rules, rule
from engines.units import US_PER_MS


@dataclass(frozen=True, slots=True)
class ShardRules(Rules):
    """All on: no acknowledged write is lost. Each of them is a rule that somebody once left out."""

    keep_until_acked: bool = rule(
        "the source keeps a key until the target has it",
        "off: it deletes as it sends; one lost message, and acknowledged writes are gone",
    )
    ask_redirects: bool = rule(
        "for a key that has left the source answers ASK",
        "off: it says that there is no such key, while the key is well on the target",
    )
    ask_names_plan: bool = rule(
        "an ASK is good under the plan that gave it",
        "off: a target honours one of a plan that was called off, and has not the key yet",
    )
    lease: bool = rule(
        "with copies, an owner that cfg does not hear stops serving",
        "off: it goes on beside the one that was promoted, and both answer for one key",
    )


ALL_ON: Final = ShardRules()

HEARTBEAT_US: Final = 500 * US_PER_MS
LEASE_US: Final = 1_500 * US_PER_MS
"""From the *sending* of the newest heartbeat that was answered; shorter than DEAD_US, which counts from a receipt."""
DEAD_US: Final = 2_000 * US_PER_MS
"""A node whose heartbeats stay out for so long is declared dead."""
TICK_US: Final = 100 * US_PER_MS
"""The pace of migration and of the coordinator."""
AGAIN_US: Final = 400 * US_PER_MS
"""What was not acknowledged is sent again."""
BALANCE_US: Final = 2_000 * US_PER_MS
"""The balancer looks at the cluster this often."""

REDIRECTS_MAX: Final = 5
"""MOVED and ASK in a row that a request may meet. A MOVED always names a node that knows of its ownership, so epochs
grow along a chain: more hops than this need more reassignments of one key than some node has slept through."""
