"""What certificates prove and what a new view must hold: the worked examples of the paper's section 4.4."""

import pytest

from engines.consensus.pbft.certificates import (
    Group,
    plan,
    proves_checkpoint,
    proves_prepared,
    valid_new_view,
    valid_view_change,
)
from engines.consensus.pbft.messages import NULL, Prepare, PrePrepare, signed
from tests.engines.consensus.pbft.replica import (
    FOUR,
    SEVEN,
    certificate,
    checkpoint,
    new_view,
    prepare,
    proof,
    view_change,
)

WINDOW = 20


@pytest.mark.parametrize(
    ("n", "f", "quorum", "weak"), [(4, 1, 3, 2), (7, 2, 5, 3), (10, 3, 7, 4), (5, 1, 4, 2), (6, 1, 4, 2)]
)
def test_a_quorum_is_2f_plus_1_of_3f_plus_1(n: int, f: int, quorum: int, weak: int) -> None:
    group = Group(tuple(f"r{i}" for i in range(n)))
    assert (group.f, group.quorum, group.weak) == (f, quorum, weak)
    assert 2 * group.quorum - n >= f + 1, "two quorums share a correct replica"


def test_the_primary_of_view_v_is_replica_v_mod_n() -> None:
    assert [FOUR.primary(view) for view in range(6)] == ["r0", "r1", "r2", "r3", "r0", "r1"]


def test_o_holds_what_prepared_and_null_for_the_gaps() -> None:
    v = (
        view_change(2, "r1", 4, (certificate(5, "A"), certificate(7, "C"))),
        view_change(2, "r2", 4, (certificate(5, "A"),)),
        view_change(2, "r3"),
    )
    assert plan(v) == (4, 7, ((5, "A"), (6, NULL), (7, "C")))


def test_of_two_certificates_for_a_number_the_one_of_the_higher_view_counts() -> None:
    v = (
        view_change(3, "r1", 4, (certificate(5, "A"), certificate(7, "C"), certificate(6, "B", view=1))),
        view_change(3, "r2", 4, (certificate(6, "B'", view=2),)),
        view_change(3, "r3"),
    )
    assert plan(v).digests == ((5, "A"), (6, "B'"), (7, "C"))
    assert plan(v[::-1]).digests == ((5, "A"), (6, "B'"), (7, "C")), "whoever tells of it first"


def test_all_work_out_the_same_o_for_the_first_of_two_certificates_of_one_view_in_v_counts() -> None:
    """Only f+1 traitors can make two; what a backup works out must not depend on who it is even then."""
    v = (view_change(1, "r1", p=(certificate(1, "A"),)), view_change(1, "r2", p=(certificate(1, "B"),)))
    assert plan((*v, view_change(1, "r3"))).digests == ((1, "A"),)


def test_o_is_empty_where_nothing_prepared() -> None:
    assert plan((view_change(1, "r1", 4), view_change(1, "r2", 4), view_change(1, "r3"))) == (4, 4, ())


def test_max_s_is_min_s_where_nothing_prepared_above_it() -> None:
    v = (view_change(1, "r1", 4), view_change(1, "r2", p=(certificate(2, "A"),)), view_change(1, "r3"))
    assert plan(v) == (4, 4, ())


def test_what_is_at_or_below_the_highest_stable_checkpoint_is_not_ordered_again() -> None:
    v = (
        view_change(1, "r1", 0, (certificate(3, "A"), certificate(5, "B"))),
        view_change(1, "r2", 4),
        view_change(1, "r3"),
    )
    assert plan(v).digests == ((5, "B"),)


def test_a_checkpoint_is_proven_by_2f_plus_1_equal_claims_of_different_replicas() -> None:
    assert proves_checkpoint(FOUR, 4, proof(4))
    assert not proves_checkpoint(FOUR, 4, proof(4)[:2])
    assert not proves_checkpoint(FOUR, 4, (*proof(4)[:2], proof(4)[0]))
    assert not proves_checkpoint(FOUR, 4, (*proof(4)[:2], checkpoint(4, "other", "r2")))
    assert not proves_checkpoint(FOUR, 5, proof(4))
    assert not proves_checkpoint(FOUR, 4, tuple(each._replace(sig="r3") for each in proof(4)))
    assert not proves_checkpoint(FOUR, 4, (*proof(4)[:2], checkpoint(4, "d", "stranger")))
    assert proves_checkpoint(FOUR, 0, ())


def test_a_certificate_needs_2f_prepares_of_different_backups() -> None:
    good = certificate(5, "A")
    assert proves_prepared(FOUR, good)
    assert not proves_prepared(FOUR, good._replace(prepares=good.prepares[:1]))
    assert not proves_prepared(FOUR, good._replace(prepares=(good.prepares[0], good.prepares[0])))
    assert not proves_prepared(FOUR, good._replace(prepares=(good.prepares[0], signed(Prepare(0, 5, "A", "r0"), "r0"))))
    assert not proves_prepared(FOUR, good._replace(prepares=(good.prepares[0], signed(Prepare(0, 5, "B", "r2"), "r2"))))
    assert not proves_prepared(FOUR, good._replace(prepares=(good.prepares[0], signed(Prepare(0, 5, "A", "r2"), "r1"))))
    assert not proves_prepared(FOUR, good._replace(pre_prepare=signed(PrePrepare(0, 5, "A", "r1"), "r1")))
    assert not proves_prepared(FOUR, good._replace(pre_prepare=good.pre_prepare._replace(sig="r1")))
    assert not proves_prepared(FOUR, good._replace(prepares=(good.prepares[0], prepare(5, "A", "stranger"))))


def test_a_view_change_is_valid_for_what_it_proves() -> None:
    good = view_change(1, "r2", 4, (certificate(5, "A"),))
    assert valid_view_change(FOUR, good, WINDOW)
    assert not valid_view_change(FOUR, good._replace(sig="r3"), WINDOW)
    assert not valid_view_change(FOUR, signed(good._replace(n=5), "r2"), WINDOW)
    assert not valid_view_change(FOUR, signed(good._replace(view=0), "r2"), WINDOW), "a certificate of its own view"
    assert not valid_view_change(FOUR, view_change(1, "r2", 4, (certificate(5, "A"), certificate(5, "B"))), WINDOW)
    assert not valid_view_change(FOUR, view_change(1, "r2", 4, (certificate(4, "A"),)), WINDOW)
    assert not valid_view_change(FOUR, view_change(1, "r2", 4, (certificate(25, "A"),)), WINDOW)
    assert not valid_view_change(FOUR, view_change(1, "stranger"), WINDOW)
    assert not valid_view_change(FOUR, signed(good._replace(c=good.c[:2]), "r2"), WINDOW)


def test_a_new_view_is_valid_if_o_follows_from_v() -> None:
    v = (view_change(1, "r1", p=(certificate(1, "A"),)), view_change(1, "r2"), view_change(1, "r3"))
    good = new_view(1, v, ((1, "A"),))
    assert valid_new_view(FOUR, good, WINDOW)
    wrong = new_view(1, v, ((1, NULL),))
    assert not valid_new_view(FOUR, wrong, WINDOW)
    assert valid_new_view(FOUR, wrong, WINDOW, recompute=False)
    assert not valid_new_view(FOUR, new_view(1, v[:2], ((1, "A"),)), WINDOW)
    assert not valid_new_view(FOUR, new_view(1, (*v[:2], v[0]), ((1, "A"),)), WINDOW)
    assert not valid_new_view(FOUR, new_view(1, (*v[:2], view_change(2, "r3")), ((1, "A"),)), WINDOW)
    assert not valid_new_view(FOUR, signed(good._replace(i="r2"), "r2"), WINDOW)
    assert not valid_new_view(SEVEN, good, WINDOW)


def test_a_new_view_is_signed_by_its_primary_in_every_part() -> None:
    v = (view_change(1, "r1"), view_change(1, "r2"), view_change(1, "r3", p=(certificate(1, "A"),)))
    good = new_view(1, v, ((1, "A"),))
    assert valid_new_view(FOUR, good, WINDOW)
    assert not valid_new_view(FOUR, good._replace(sig="r2"), WINDOW), "forged"
    of_another = new_view(1, v, ((1, "A"),))._replace(i="r2", o=(signed(PrePrepare(1, 1, "A", "r2"), "r2"),))
    assert not valid_new_view(FOUR, signed(of_another, "r2"), WINDOW), "not the primary of that view"
    for entry in (
        signed(PrePrepare(0, 1, "A", "r1"), "r1"),
        signed(PrePrepare(1, 1, "A", "r2"), "r2"),
        PrePrepare(1, 1, "A", "r1", sig="r2"),
    ):
        assert not valid_new_view(FOUR, signed(good._replace(o=(entry,)), "r1"), WINDOW), "an entry of O"


def test_a_new_view_with_a_view_change_that_proves_nothing_is_not_valid() -> None:
    unproven = view_change(1, "r3", p=(certificate(1, "A")._replace(prepares=()),))
    v = (view_change(1, "r1"), view_change(1, "r2"), unproven)
    assert not valid_new_view(FOUR, new_view(1, v, ((1, "A"),)), WINDOW)
