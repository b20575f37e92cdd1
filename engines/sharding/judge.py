"""The user's keys, judged: what every strategy makes of them when nodes join and leave, and where each key lives.

The checks are the exact laws of the strategies, tried on these keys: a ring, rendezvous hashing and jump hashing
(as long as the last bucket goes) move nothing between nodes that stay.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from engines.sharding.batch import KeySet
from engines.sharding.change import Change
from engines.sharding.compare import Outcome, compare
from engines.sharding.locate import Location, locate
from engines.sim.pattern import Check

EXACT: Final = ("ring", "rendezvous")
"""Strategies that never move a key between survivors, whoever joins or leaves."""
HEAVIEST: Final = 8


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome of one change for all strategies, on these keys."""

    name: str
    keys: KeySet
    skipped: int
    plan: Change
    outcomes: dict[str, Outcome]
    digest: str

    @property
    def checks(self) -> tuple[Check, ...]:
        """The laws of the strategies, tried on these keys."""
        lawful = [*EXACT, *(["jump"] if self._last_go() else [])]
        broken = [each for each in lawful if self.outcomes[each].moved_between_survivors > 0]
        witness = tuple(f"{each}: {self.outcomes[each].moved_between_survivors:.6f} of the keys" for each in broken)
        everywhere = [
            name for name, each in self.outcomes.items() if {node for node, _ in each.loads} - set(self.plan.after)
        ]
        return (
            Check("strategy laws", not broken, f"{', '.join(lawful)} move no key between nodes that stay", witness),
            Check("one owner", not everywhere, "every key has one owner, and it is a member", tuple(everywhere)),
        )

    def _last_go(self) -> bool:
        stay = len(self.plan.survivors)
        return self.plan.survivors == self.plan.nodes[:stay]

    def as_json(self) -> dict[str, Any]:
        """Everything but the placements, under its public names."""
        return {
            "strategies": {name: outcome.to_json() for name, outcome in self.outcomes.items()},
            "snapshot": {
                "file": self.name,
                "keys": len(self.keys),
                "skipped": self.skipped,
                "total_weight": self.keys.total,
                "nodes": list(self.plan.nodes),
                "join": list(self.plan.join),
                "leave": list(self.plan.leave),
                "ideal": self.plan.ideal,
            },
        }

    def placements(self, rf: int, vnodes: int) -> Iterator[Location]:
        """Every key under every strategy, in the cluster as it is before the change."""
        return locate(self.keys, self.plan.nodes, rf=rf, vnodes=vnodes)


def judge(
    keys: KeySet,
    skipped: int,
    name: str,
    plan: Change,
    vnodes: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Judgement:
    """Compare all strategies; the digest is over the keys with their weights, the change and the result."""
    outcomes = compare(keys, plan, vnodes=vnodes, progress=progress)
    digest = blake2b(digest_size=16)
    for key, weight in zip(keys, keys.weights(), strict=True):
        digest.update(b"%d:%b\t%r\n" % (len(key), key, float(weight)))
    digest.update(repr((plan.nodes, plan.join, plan.leave, vnodes)).encode())
    digest.update(repr([(each, outcomes[each].to_json()) for each in outcomes]).encode())
    return Judgement(name, keys, skipped, plan, outcomes, digest.hexdigest())
