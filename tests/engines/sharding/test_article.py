"""Where the article simplifies sharding, the right statement is said (tests/test_article.py holds the claims)."""

from typing import Final

import pytest

from engines.sharding.pattern import FIDELITY, PATTERN
from engines.sharding.world.options import SETTINGS

NOTES: Final = " ".join((*PATTERN.notes, *(text for _, text in FIDELITY)))


def test_a_ring_has_the_article_s_150_virtual_nodes_named_node_hash_i() -> None:
    from engines.sharding import Ring
    from engines.sharding.hashing.fast import hash64

    (vnodes,) = [setting.default for setting in SETTINGS if setting.name == "vnodes"]
    assert vnodes == 150
    assert Ring(("n1",)).points["n1"][:2] == [hash64(b"n1#0"), hash64(b"n1#1")]


@pytest.mark.parametrize(
    "right",
    [
        "hash(key) % n spreads keys, not load, and from 10 to 11 nodes it moves 90.9 % of them",
        "the spread of a ring is about 7.5 % (coefficient of variation)",
        "the busiest node is about 13 % over the mean",
        "Virtual nodes do nothing for a hot key",
        "A ring has to be kept sorted",
        "DynamoDB splits ranges of the hashed key",
    ],
)
def test_where_the_article_is_simplified_the_right_statement_is_said(right: str) -> None:
    assert right in NOTES
