"""What the article claims of sharding, and where the product meets each claim: a story, a variant or a note."""

from typing import Final

import pytest

from engines.sharding.pattern import FIDELITY, PATTERN
from engines.sharding.world.options import SETTINGS

STORIES: Final = {story.name: f"{story.title} {story.summary}" for story in PATTERN.scenarios}
VARIANTS: Final = {variant.name: variant.summary for variant in PATTERN.variants}
NOTES: Final = " ".join((*PATTERN.notes, *(text for _, text in FIDELITY)))

MET: Final = {
    "How do I scale data?": PATTERN.question,
    "consistent hashing": VARIANTS["ring"],
    "range shards": STORIES["a-to-m"],
    "hash % n reshuffles nearly everything": STORIES["mod-n"],
    "ranges A-M / N-Z": STORIES["a-to-m"],
    "hotspots": STORIES["hot-key"],
    "MongoDB ranges": NOTES,
    "DynamoDB and Cassandra rings": NOTES,
    "Redis 16384 slots": VARIANTS["slots"],
}
"""Claim -> where it is met."""

SAYS: Final = {
    "How do I scale data?": "How do I scale data?",
    "consistent hashing": "consistent hashing with virtual nodes",
    "range shards": "a range is split, moved and merged",
    "hash % n reshuffles nearly everything": "ten of eleven keys change their owner",
    "ranges A-M / N-Z": "A-M here, N-Z there",
    "hotspots": "40 % of all requests are for one key",
    "MongoDB ranges": "MongoDB also shards by hash",
    "DynamoDB and Cassandra rings": "Cassandra's ring has 16 tokens a node since 4.0",
    "Redis 16384 slots": "16384 hash slots and a table, as in Redis Cluster",
}


@pytest.mark.parametrize("claim", MET)
def test_a_claim_of_the_article_is_met(claim: str) -> None:
    assert SAYS[claim] in MET[claim]


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
        "With 150 virtual nodes the spread of a ring is about 7.5 %",
        "the busiest node is about 13 % over the mean",
        "Virtual nodes do nothing for a hot key",
        "A ring has to be kept sorted",
        "DynamoDB splits ranges of the hashed key",
    ],
)
def test_where_the_article_is_simplified_the_right_statement_is_said(right: str) -> None:
    assert right in NOTES
