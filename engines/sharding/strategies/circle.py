"""A circle of tokens: the ground of every consistent hashing ring.

A token owns the range (previous token, token]; the owner of a position is the node of the first token at or after
it, and after the last token comes the first. What differs from ring to ring is where tokens come from.

Source: Karger et al., "Consistent Hashing and Random Trees", STOC 1997, section 4; Cassandra's ring.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence


class Circle:
    """Sorted tokens and who has them. If two nodes claim one token, the smaller name gets it."""

    __slots__ = ("contested", "names", "tokens")

    def __init__(self, claims: Mapping[str, Iterable[int]]) -> None:
        owner: dict[int, str] = {}
        self.contested: dict[int, None] = {}
        """Tokens that several nodes claim."""
        for name, tokens in claims.items():
            for token in tokens:
                holder = owner.setdefault(token, name)
                if holder != name:
                    self.contested[token] = None
                    owner[token] = min(holder, name)
        self.tokens = sorted(owner)
        """Ascending, all different."""
        self.names = list(map(owner.__getitem__, self.tokens))
        """names[i] has tokens[i]; the first follows once more at the end, which is how the circle closes."""
        if self.names:
            self.names.append(self.names[0])

    def add(self, name: str, tokens: Iterable[int]) -> None:
        """One more name with its tokens: each is searched and inserted, nothing is sorted anew."""
        self.names.pop()
        for token in tokens:
            at = bisect_left(self.tokens, token)
            if at < len(self.tokens) and self.tokens[at] == token:
                if self.names[at] != name:
                    self.contested[token] = None
                    self.names[at] = min(self.names[at], name)
            else:
                self.tokens.insert(at, token)
                self.names.insert(at, name)
        self.names.append(self.names[0])

    def remove(self, name: str, tokens: Iterable[int], others: Mapping[str, Sequence[int]]) -> None:
        """A name goes with its tokens; one that ``others`` claim as well is theirs from now on."""
        self.names.pop()
        for token in dict.fromkeys(tokens):
            at = bisect_left(self.tokens, token)
            if token in self.contested:
                claims = [other for other, claimed in others.items() if token in claimed]
                self.names[at] = min(claims)
                if len(claims) == 1:
                    del self.contested[token]
            else:
                del self.tokens[at], self.names[at]
        self.names.append(self.names[0])

    def __len__(self) -> int:
        return len(self.tokens)

    def index(self, position: int) -> int:
        """The index of the first token at or after a position, 0 behind the last."""
        i = bisect_left(self.tokens, position)
        return i if i < len(self.tokens) else 0

    def owner(self, position: int) -> str:
        """The node of the first token at or after a position."""
        return self.names[bisect_left(self.tokens, position)]

    def owners(self, positions: Iterable[int]) -> list[str]:
        """The same for many positions."""
        tokens, names = self.tokens, self.names
        return [names[bisect_left(tokens, position)] for position in positions]

    def walk(self, position: int) -> Iterator[str]:
        """The nodes of all tokens, clockwise from a position, once around; names repeat."""
        start, count = self.index(position), len(self.tokens)
        for i in range(start, start + count):
            yield self.names[i if i < count else i - count]

    def distinct(self, position: int, count: int) -> tuple[str, ...]:
        """The first ``count`` different nodes of the walk; fewer if there are not so many."""
        found: list[str] = []
        for name in self.walk(position):
            if name not in found:
                found.append(name)
                if len(found) == count:
                    break
        return tuple(found)

    def arcs(self, size: int) -> dict[str, int]:
        """How much of a circle of ``size`` positions each node owns; the sum is ``size``."""
        owned: dict[str, int] = {}
        previous = self.tokens[-1] - size
        for token, name in zip(self.tokens, self.names, strict=False):
            owned[name] = owned.get(name, 0) + token - previous
            previous = token
        return owned
