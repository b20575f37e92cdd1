"""What the paper leaves to us: who says how far it is, and what others send again because of that."""

from typing import Any

import pytest

from engines.consensus.pbft.events import Executed
from engines.consensus.pbft.messages import (
    NULL,
    Body,
    Checkpoint,
    FetchBody,
    FetchState,
    Proof,
    Status,
    digest_of,
    signed,
)
from engines.consensus.pbft.rules import STATUS_ANYWAY, Sizes
from tests.engines.consensus.pbft.replica import (
    Bench,
    certificate,
    checkpoint,
    commit,
    new_view,
    pre_prepare,
    prepare,
    proof,
    request,
    view_change,
)

SMALL = Sizes(2, 4)
A = request()
DA = digest_of(A)
B = request(client="c2", value=9)
DB = digest_of(B)


def ticks(bench: Bench, count: int) -> list[int]:
    """At which of so many ticks, from 1 on, it says how far it is."""
    return [each for each in range(1, count + 1) if any(isinstance(m, Status) for m in bench.fires("status"))]


def told(bench: Bench, message: Any) -> list[Any]:
    """All that it sends on hearing this, one by one, and all of it to who said it."""
    before = len(bench.ctx.sent)
    bench.hears(message)
    sent = bench.ctx.sent[before:]
    assert {each.dst for each in sent} <= {message.i}
    return [each.message for each in sent]


def status(view: int = 0, changing: bool = False, stable: int = 0, executed: int = 0, i: str = "r2") -> Status:
    return signed(Status(view, changing, stable, executed, i), i)


def entered(bench: Bench, view: int, *o: tuple[int, str]) -> Bench:
    """It is told of a view that is open, with this O."""
    p = tuple(certificate(n, digest) for n, digest in o)
    v = tuple(view_change(view, each, p=p) for each in ("r0", "r1", "r2"))
    bench.hears(new_view(view, v, o))
    return bench


# -- how far it is ---------------------------------------------------------------------------------------------------


def test_a_replica_that_lacks_nothing_says_how_far_it_is_at_every_fifth_tick() -> None:
    bench = Bench("r3")
    assert ticks(bench, 3 * STATUS_ANYWAY) == [5, 10, 15]
    bench.orders(1, A)
    assert ticks(bench, STATUS_ANYWAY) == [5]
    assert bench.ctx.sent[-1].message == status(executed=1, i="r3")


def test_its_own_claim_that_others_do_not_share_yet_is_nothing_that_it_lacks() -> None:
    bench = Bench("r3", sizes=SMALL)
    bench.orders(1, A)
    bench.orders(2, B)
    assert 2 in bench.replica.checkpoints.claims
    ticks(bench, 1)
    assert ticks(bench, 3) == []


def changes(bench: Bench) -> None:
    bench.hears(view_change(1, "r0"), view_change(1, "r1"))


def waits(bench: Bench) -> None:
    bench.hears(A)


def fetches(bench: Bench) -> None:
    bench.hears(signed(Proof(proof(10), "r0"), "r0"))
    assert bench.replica.fetching


def holds_a_vote(bench: Bench) -> None:
    bench.hears(prepare(1, DA, "r1"))


def lacks_a_body(bench: Bench) -> None:
    entered(bench, 1, (1, DA))
    bench.hears(prepare(1, DA, "r2", 1), prepare(1, DA, "r0", 1), *(commit(1, DA, each, 1) for each in ("r0", "r1")))
    assert bench.replica.log.slots[1].committed


def runs_again(bench: Bench) -> None:
    """A number that it has executed stands in O of a new view."""
    bench.orders(1, A)
    entered(bench, 1, (1, DA))


def hears_of_a_state(bench: Bench) -> None:
    bench.hears(checkpoint(2, "d", "r0"))


@pytest.mark.parametrize("lacks", [changes, waits, fetches, holds_a_vote, lacks_a_body, runs_again, hears_of_a_state])
def test_where_something_is_unfinished_and_nothing_has_moved_for_a_tick_it_says_so_at_once(lacks: Any) -> None:
    bench = Bench("r3", sizes=SMALL)
    lacks(bench)
    ticks(bench, 1)
    assert ticks(bench, 3) == [1, 2, 3]


def test_as_long_as_something_moves_it_says_nothing_and_when_it_stops_it_does() -> None:
    bench = Bench("r3")
    bench.hears(A)
    for n, t in enumerate((1, 2, 3), 1):
        bench.orders(n, request(client="c2", t=t))
        assert ticks(bench, 1) == []
    assert ticks(bench, 1) == [1]


def test_at_a_tick_it_fetches_a_proven_state_that_it_has_not_reached() -> None:
    bench = Bench("r3", sizes=SMALL)
    bench.hears(*(checkpoint(2, "d", each) for each in ("r0", "r1", "r2")))
    bench.fires("status")
    assert bench.fires("status") == [status(i="r3"), signed(FetchState(2, "r3"), "r3")]


def test_at_a_tick_it_asks_again_for_a_body_that_nobody_sent() -> None:
    bench = Bench("r3", sizes=SMALL)
    lacks_a_body(bench)
    bench.fires("status")
    assert bench.fires("status") == [status(1, i="r3"), signed(FetchBody(DA, "r3"), "r3")]


# -- bodies ----------------------------------------------------------------------------------------------------------


def test_the_body_of_a_digest_is_sent_to_who_asks_if_it_is_there() -> None:
    bench = Bench("r1")
    bench.hears(pre_prepare(1, A))
    assert told(bench, signed(FetchBody(DA, "r3"), "r3")) == [signed(Body(A, "r1"), "r1")]
    assert told(bench, signed(FetchBody(DB, "r3"), "r3")) == []


def test_a_body_is_taken_for_its_digest_and_the_signature_of_its_client_and_only_if_it_is_needed() -> None:
    bench = Bench("r3")
    lacks_a_body(bench)
    bench.hears(signed(Body(B, "r1"), "r1"))
    assert bench.replica.bodies == {}, "nobody needs it"
    forged = A._replace(sig="r1")
    other = Bench("r3")
    entered(other, 1, (1, digest_of(forged)))
    other.hears(signed(Body(forged, "r1"), "r1"))
    assert other.replica.bodies == {}, "no client asked for that"
    bench.hears(signed(Body(A, "r1"), "r1"))
    assert bench.replica.values == {"x": 7}


# -- what others lack --------------------------------------------------------------------------------------------------


def changing(upto: int) -> Bench:
    """r3 took part in view 4, and now wants the views above it up to this one."""
    bench = entered(Bench("r3"), 4)
    for view in range(5, upto + 1):
        bench.hears(view_change(view, "r0"), view_change(view, "r1"))
    assert (bench.replica.view, bench.replica.changing) == (upto, True)
    bench.ctx.sent.clear()
    return bench


def kinds(sent: list[Any]) -> list[tuple[str, int]]:
    return [(type(each).__name__, each.view) for each in sent]


@pytest.mark.parametrize(
    ("view", "waiting", "expected"),
    [
        (3, True, [("ViewChange", 6), ("NewView", 4)]),
        (3, False, [("ViewChange", 6)]),
        (4, True, [("ViewChange", 6), ("NewView", 4)]),
        (5, True, [("ViewChange", 5), ("ViewChange", 6)]),
        (5, False, [("ViewChange", 6)]),
        (6, True, [("ViewChange", 6)]),
        (7, True, []),
    ],
)
def test_who_changes_views_sends_its_own_view_changes_and_the_new_view_to_who_waits_for_them(
    view: int, waiting: bool, expected: list[tuple[str, int]]
) -> None:
    """Whoever waits in a view below mine for 2f+1 to ask for it is told that I did."""
    assert kinds(told(changing(6), status(view, waiting))) == expected


def test_of_my_own_view_change_for_the_view_i_took_part_in_last_those_who_wait_in_it_are_told() -> None:
    bench = Bench("r3")
    bench.hears(view_change(1, "r0"), view_change(1, "r2"))
    v = tuple(view_change(1, each) for each in ("r0", "r1", "r2"))
    bench.hears(new_view(1, v, ()), view_change(2, "r0"), view_change(2, "r1"))
    assert kinds(told(bench, status(1, True))) == [("ViewChange", 1), ("ViewChange", 2), ("NewView", 1)]
    bench.hears(new_view(2, tuple(view_change(2, each) for each in ("r0", "r1", "r2")), ()))
    assert sorted(bench.replica.asked) == [2]


def test_who_never_took_part_in_a_new_view_has_none_to_send() -> None:
    bench = Bench("r3")
    bench.hears(view_change(1, "r0"), view_change(1, "r2"))
    assert kinds(told(bench, status(1, True))) == [("ViewChange", 1)]
    assert told(Bench("r3"), status(-1)) == []


@pytest.mark.parametrize(
    ("view", "waiting", "sent"),
    [(1, False, True), (1, True, True), (2, True, True), (2, False, False), (3, True, False)],
)
def test_the_new_view_is_sent_to_who_is_not_in_it_yet(view: int, waiting: bool, sent: bool) -> None:
    assert kinds(told(entered(Bench("r3"), 2), status(view, waiting))) == [("NewView", 2)] * sent


def test_a_backup_repeats_its_prepare_and_its_commit_for_what_the_other_has_not_executed() -> None:
    bench = Bench("r1")
    bench.hears(pre_prepare(1, A), pre_prepare(2, B), prepare(2, DB, "r2"), prepare(3, DA, "r2"))
    assert told(bench, status()) == [prepare(1, DA, "r1"), prepare(2, DB, "r1"), commit(2, DB, "r1")]
    assert told(bench, status(executed=1)) == [prepare(2, DB, "r1"), commit(2, DB, "r1")]
    assert told(bench, status(executed=2)) == []


@pytest.mark.parametrize("elsewhere", [status(1), status(0, True)])
def test_the_phases_are_repeated_to_who_is_in_the_same_view_only(elsewhere: Status) -> None:
    bench = Bench("r1")
    bench.hears(pre_prepare(1, A))
    assert told(bench, elsewhere) == []


def test_the_primary_repeats_its_pre_prepare_with_the_request() -> None:
    bench = Bench("r0")
    bench.hears(A)
    assert told(bench, status()) == [pre_prepare(1, A)]
    bench.replica.bodies.clear()
    assert told(bench, status()) == [], "what it does not have it cannot send"


def test_of_what_is_final_everybodys_commit_is_passed_on_but_to_who_said_it() -> None:
    """Signed, they prove that it is final."""
    bench = Bench("r1")
    bench.orders(1, A)
    assert told(bench, status()) == [prepare(1, DA, "r1"), *(commit(1, DA, each) for each in ("r1", "r0", "r3"))]


def test_my_claims_above_its_stable_checkpoint_and_the_proof_of_mine_are_sent_to_who_is_behind() -> None:
    bench = Bench("r1", sizes=SMALL)
    for n in range(1, 5):
        bench.orders(n, request(t=n))
    first, second = (bench.replica.my_checkpoint(n) for n in (2, 4))
    bench.hears(checkpoint(2, first.digest, "r0"), checkpoint(2, first.digest, "r2"))
    assert bench.replica.checkpoints.stable == 2

    def claims(stable: int, executed: int) -> list[Any]:
        sent = told(bench, status(0, False, stable, executed))
        return [each for each in sent if isinstance(each, Checkpoint | Proof)]

    mine = signed(Proof(bench.replica.checkpoints.proof, "r1"), "r1")
    assert claims(0, 0) == [first, second, mine]
    assert claims(0, 4) == [first, second, mine], "its checkpoint is older"
    assert claims(2, 3) == [second], "it has executed less"
    assert claims(2, 4) == []


def test_a_null_request_executes_without_a_body_and_changes_nothing() -> None:
    bench = entered(Bench("r3"), 1, (1, NULL))
    bench.hears(prepare(1, NULL, "r2", 1), *(commit(1, NULL, each, 1) for each in ("r0", "r1")))
    assert [(each.n, each.request, each.ran) for each in bench.replica.done] == [(1, None, False)]
    assert bench.noted(Executed) == [Executed(1, NULL, None, None, False)]
    assert (bench.replica.values, bench.replica.replies) == ({}, {})
    assert not any(isinstance(each.message, FetchBody) for each in bench.ctx.sent)


def test_a_request_for_which_it_voted_is_there_after_a_view_change_and_a_crash() -> None:
    """Its certificate names a digest: should the others have died, nobody else could send the request."""
    bench = Bench("r3")
    bench.hears(pre_prepare(1, A), prepare(1, DA, "r1"), view_change(1, "r0"), view_change(1, "r2"))
    after = bench.restarted()
    assert told(after, signed(FetchBody(DA, "r1"), "r1")) == [signed(Body(A, "r3"), "r3")]
