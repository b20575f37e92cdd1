"""Cassandra's ring: signed 64-bit Murmur3 tokens; range (previous, token], owner = first token >= the key's.

Without tokens given, nodes get one each, evenly spaced as an operator would set ``initial_token``:
token i of n is -2**63 + i * floor(2**64 / n). A newcomer then splits the widest range, a leaver's range falls to
the next node, and nobody else is touched: the even spacing is lost, which is why virtual nodes came.

Source: Cassandra, "Dynamo: dataset partitioning"; ``num_tokens`` is 16 since 4.0, 256 before.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from engines.errors import UserError
from engines.sharding.batch import Batch, Key, raw
from engines.sharding.hashing import murmur3
from engines.sharding.hashing.murmur3 import MAX_TOKEN, MIN_TOKEN
from engines.sharding.strategies.base import Spot, Strategy
from engines.sharding.strategies.circle import Circle

TOKENS: Final = 1 << 64


def even_tokens(count: int) -> tuple[int, ...]:
    """Evenly spaced signed tokens, the first -2**63."""
    return tuple(MIN_TOKEN + i * (TOKENS // count) for i in range(count))


class Cassandra(Strategy):
    """A token ring; ``tokens`` of each node may be given, as ``nodetool ring`` shows them."""

    name = "cassandra"
    takes_weights = False
    circle: Circle

    def __init__(self, nodes: tuple[str, ...], tokens: Mapping[str, Sequence[int]] | None = None) -> None:
        super().__init__(nodes)
        for node in nodes:
            self.check_join(node, 1)
            self.weights[node] = 1
        self.tokens: dict[str, tuple[int, ...]] = {}
        """The tokens of every node, signed 64-bit."""
        for node, even in zip(nodes, even_tokens(len(nodes)), strict=True):
            self.tokens[node] = tuple(tokens[node]) if tokens is not None and node in tokens else (even,)
        self._check()
        self.circle = Circle(self.tokens)

    def owner(self, key: Key) -> str:
        """The node of the first token at or after the key's."""
        return self.circle.owner(murmur3.token(raw(key)))

    def owners(self, batch: Batch) -> list[str]:
        """The owner of every key."""
        return self.circle.owners(map(murmur3.token, batch.keys))

    def replicas(self, key: Key, rf: int) -> tuple[str, ...]:
        """SimpleStrategy: the first ``rf`` different nodes clockwise."""
        self.check_rf(rf)
        return self.circle.distinct(murmur3.token(raw(key)), rf)

    def join(self, node: str, weight: float = 1) -> None:
        """Give the node a token in the middle of the widest range, of several the first."""
        self.check_join(node, weight)
        tokens = self.circle.tokens
        widths = [(token - tokens[i - 1]) % TOKENS or TOKENS for i, token in enumerate(tokens)]
        widest = widths.index(max(widths))
        middle = tokens[widest] - widths[widest] // 2
        self.weights[node] = weight
        self.tokens[node] = (middle if middle >= MIN_TOKEN else middle + TOKENS,)
        self.circle = Circle(self.tokens)

    def leave(self, node: str) -> None:
        """Take the node's tokens off the ring."""
        self.check_leave(node)
        del self.weights[node], self.tokens[node]
        self.circle = Circle(self.tokens)

    def locate(self, key: Key) -> Spot:
        """The key's token, signed."""
        return Spot(token=murmur3.token(raw(key)))

    def _check(self) -> None:
        seen: dict[int, str] = {}
        for node, tokens in self.tokens.items():
            if not tokens:
                raise UserError(f"cassandra: {node!r} has no token; one to 256 signed 64-bit numbers are accepted")
            for token in tokens:
                if not MIN_TOKEN <= token <= MAX_TOKEN:
                    raise UserError(f"cassandra: token {token} of {node!r}: {MIN_TOKEN} to {MAX_TOKEN} are accepted")
                if seen.setdefault(token, node) != node:
                    raise UserError(f"cassandra: {seen[token]!r} and {node!r} both have token {token}; change one")
