"""What is said of a network with cuts: who is apart from whom, and never more than is true."""

from dataclasses import dataclass

import pytest

from tui.kit.link_faults import Network


@dataclass(frozen=True)
class Cut:
    src: str
    dst: str
    cut: bool = True
    clogged: int = 0
    loss_ppm: int = 0
    latency_us: int = 15_000
    jitter_us: int = 10_000
    duplicate_ppm: int = 0
    reorder_ppm: int = 0


def both(*pairs: str) -> list[str]:
    return [way for a, b in map(str.split, pairs) for way in (f"{a} {b}", f"{b} {a}")]


@pytest.mark.parametrize(
    ("cuts", "said"),
    [
        ([], ""),
        (both("a d", "b d", "c d"), "the network is split: a b c | d"),
        (both("a c", "a d", "b c", "b d"), "the network is split: a b | c d"),
        (["a b"], "cut one way: a>b"),
        (both("a b"), "cut both ways: a-b"),
        ([*both("a d", "b d", "c d"), "a b"], "the network is split: a b c | d; cut one way: a>b"),
    ],
)
def test_the_one_that_is_cut_off_is_named_and_not_everybody_at_the_other_ends(cuts: list[str], said: str) -> None:
    links = [Cut(src, dst) for src, dst in map(str.split, cuts)]
    assert Network(("a", "b", "c", "d"), links).apart() == said
