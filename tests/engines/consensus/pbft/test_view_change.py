"""View changes, as the paper's sections 4.4 and 4.5.2 state them."""

import pytest

from engines.consensus.pbft.events import (
    Cause,
    Executed,
    Rejected,
    ViewChangeSeen,
    ViewChangeStarted,
    ViewEntered,
    Why,
)
from engines.consensus.pbft.messages import (
    NULL,
    Commit,
    FetchState,
    NewView,
    Prepare,
    ViewChange,
    digest_of,
    signed,
)
from engines.consensus.pbft.rules import PbftRules, Sizes
from engines.consensus.pbft.view_changes import VIEWS_MAX, ViewChanges
from tests.engines.consensus.pbft.replica import (
    FOUR,
    SEVEN,
    Bench,
    certificate,
    checkpoint,
    commit,
    new_view,
    pre_prepare,
    prepare,
    request,
    view_change,
)

A = request()
DA = digest_of(A)


def test_a_backup_whose_timer_runs_out_asks_for_the_next_view() -> None:
    bench = Bench("r2")
    bench.hears(A)
    (said,) = bench.fires("request")
    assert said == view_change(1, "r2")
    assert bench.noted(ViewChangeStarted) == [ViewChangeStarted(1, Cause.TIMEOUT, 400_000, 0, ())]


def test_its_view_change_carries_what_prepared_here_and_its_stable_checkpoint_with_proof() -> None:
    bench = Bench("r2")
    for n in range(1, 6):
        bench.orders(n, request(t=n))
    digest = bench.state_digest(5)
    bench.hears(checkpoint(5, digest, "r0"), checkpoint(5, digest, "r1"))
    bench.hears(pre_prepare(6, request(t=6)), prepare(6, digest_of(request(t=6)), "r1"))
    (said,) = bench.fires("request")
    assert said.n == 5
    assert {each.i for each in said.c} == {"r0", "r1", "r2"}
    assert [(each.n, each.pre_prepare.request) for each in said.p] == [(6, None)]


def test_while_it_changes_views_it_accepts_no_request_phase() -> None:
    bench = Bench("r2")
    bench.hears(A)
    bench.fires("request")
    assert bench.hears(pre_prepare(1, A), pre_prepare(1, A, 1), prepare(1, DA, "r1"), A) == []
    assert "request" not in bench.ctx.timers


@pytest.mark.parametrize(("views", "joined"), [((5, 4, 7), 4), ((5, 4), None)])
def test_f_plus_1_view_changes_above_mine_make_me_join_the_smallest(views: tuple[int, ...], joined: int | None) -> None:
    bench = Bench("r6", SEVEN)
    bench.hears(A)
    for view in (1, 2):
        bench.hears(
            new_view(view, tuple(view_change(view, each, group=SEVEN) for each in SEVEN.replicas[:5]), (), SEVEN)
        )
    assert bench.replica.view == 2
    bench.hears(*(view_change(view, f"r{i}", group=SEVEN) for i, view in enumerate(views)))
    assert bench.replica.view == (joined or 2)
    assert bench.replica.changing == bool(joined)


def test_one_traitor_that_asks_for_many_views_moves_nobody() -> None:
    bench = Bench("r2")
    bench.hears(*(view_change(view, "r3") for view in range(1, 40)))
    assert (bench.replica.view, bench.replica.changing) == (0, False)
    assert len(bench.replica.view_changes.by_view) <= 8


def test_a_view_change_without_proof_is_not_believed() -> None:
    bench = Bench("r2")
    forged = view_change(1, "r3", p=(certificate(1, "A")._replace(prepares=()),))
    bench.hears(forged, view_change(1, "r0"))
    assert bench.replica.view == 0
    assert [each.why for each in bench.noted(Rejected)] == [Why.UNPROVEN]


def test_the_new_primary_opens_the_view_with_its_own_and_2f_view_changes_of_others() -> None:
    bench = Bench("r1")
    said = bench.hears(view_change(1, "r2"), view_change(1, "r3", p=(certificate(1, DA),)))
    assert [type(each) for each in said] == [ViewChange, NewView]
    sent = bench.ctx.sent[-1].message
    assert [each.i for each in sent.v] == ["r1", "r2", "r3"]
    assert [(each.n, each.digest) for each in sent.o] == [(1, DA)]
    assert bench.replica.next_n == 2


def test_new_requests_start_above_max_s() -> None:
    bench = Bench("r1")
    bench.hears(view_change(1, "r2", p=(certificate(3, DA),)), view_change(1, "r3"))
    assert bench.hears(request(t=2))[0].n == 4
    assert [each.digest for each in bench.replica.new_view.o] == [NULL, NULL, DA]  # type: ignore[union-attr]


def test_a_backup_works_out_o_again_and_prepares_each_entry() -> None:
    bench = Bench("r3")
    v = (view_change(1, "r1", p=(certificate(2, DA),)), view_change(1, "r2"), view_change(1, "r3"))
    assert bench.hears(new_view(1, v, ((1, NULL), (2, DA)))) == [prepare(1, NULL, "r3", 1), prepare(2, DA, "r3", 1)]
    assert bench.noted(ViewEntered) == [ViewEntered(1, "r1", ((1, NULL), (2, DA)))]


def test_a_wrong_o_is_rejected_and_the_timer_goes_on() -> None:
    bench = Bench("r3")
    v = (view_change(1, "r1", p=(certificate(1, DA),)), view_change(1, "r2"), view_change(1, "r3"))
    bench.hears(A, *v[:2])
    due = bench.ctx.timers["new view"]
    assert bench.hears(new_view(1, v, ((1, NULL),))) == []
    assert [each.why for each in bench.noted(Rejected)] == [Why.WRONG_O]
    assert bench.replica.changing
    assert bench.ctx.timers["new view"] == due


def test_numbers_already_executed_run_again_without_being_executed_again() -> None:
    bench = Bench("r3")
    bench.orders(1, request(op="add"))
    digest = digest_of(request(op="add"))
    v = (view_change(1, "r1", p=(certificate(1, digest),)), view_change(1, "r2"), view_change(1, "r3"))
    bench.hears(new_view(1, v, ((1, digest),)))
    assert bench.hears(prepare(1, digest, "r2", 1))[0] == commit(1, digest, "r3", 1)
    bench.hears(commit(1, digest, "r1", 1), commit(1, digest, "r2", 1))
    assert bench.replica.log.slots[1].committed
    assert bench.replica.values == {"x": 7}
    assert len(bench.noted(Executed)) == 1


def test_the_timer_for_the_new_view_starts_with_2f_plus_1_view_changes_and_doubles() -> None:
    bench = Bench("r3")
    bench.hears(A)
    bench.fires("request")
    bench.hears(view_change(1, "r2"))
    assert "new view" not in bench.ctx.timers, "without 2f+1 it does not climb"
    now = bench.ctx.now_us
    bench.hears(view_change(1, "r1"))
    assert bench.ctx.timers["new view"] == now + 400_000
    assert bench.fires("new view") == [view_change(2, "r3")]
    now = bench.ctx.now_us
    bench.hears(view_change(2, "r0"), view_change(2, "r1"))
    assert bench.ctx.timers["new view"] == now + 800_000
    assert bench.noted(ViewChangeStarted)[-1].cause is Cause.NO_NEW_VIEW


def test_a_new_view_that_executes_nothing_new_in_time_is_left_with_twice_the_patience() -> None:
    bench = Bench("r3")
    bench.hears(A)
    bench.fires("request")
    v = tuple(view_change(1, each) for each in ("r1", "r2", "r3"))
    bench.hears(*v[:2])
    bench.hears(new_view(1, v, ()))
    now = bench.ctx.now_us
    assert bench.ctx.timers["request"] == now + 400_000
    bench.fires("request")
    assert bench.replica.view == 2
    assert bench.replica.patience_us == 800_000


def test_progress_resets_the_patience() -> None:
    bench = Bench("r3")
    bench.replica.doublings = 3
    bench.orders(1, A)
    assert bench.replica.patience_us == 400_000


def test_a_view_change_survives_a_crash() -> None:
    bench = Bench("r3")
    bench.hears(A)
    bench.fires("request")
    after = bench.restarted()
    assert (after.replica.view, after.replica.changing) == (1, True)
    assert after.hears(pre_prepare(1, A)) == []


def test_certificates_survive_a_crash() -> None:
    bench = Bench("r3")
    bench.hears(pre_prepare(1, A), prepare(1, DA, "r1"))
    after = bench.restarted()
    assert [each.n for each in after.replica.my_view_change().p] == [1]


def test_a_replica_may_be_told_of_a_view_it_never_asked_for() -> None:
    bench = Bench("r3")
    v = tuple(view_change(5, each) for each in ("r0", "r1", "r2"))
    bench.hears(new_view(5, v, ()))
    assert (bench.replica.view, bench.replica.changing) == (5, False)
    assert bench.hears(new_view(5, v, ())) == [], "once"
    assert bench.hears(signed(Prepare(4, 1, DA, "r1"), "r1")) == []


def test_v_is_the_new_primarys_own_view_change_and_2f_of_others_and_no_more() -> None:
    kept = ViewChanges(FOUR)
    for each in ("r0", "r1", "r2", "r3"):
        kept.add(view_change(1, each))
    assert [each.i for each in kept.chosen(1, "r1")] == ["r1", "r0", "r2"]


def test_the_primary_of_the_view_that_is_wanted_gives_no_number_before_it_is_open() -> None:
    bench = Bench("r1")
    bench.hears(A)
    bench.fires("request")
    assert (bench.replica.primary, bench.replica.is_primary) == ("r1", False)
    assert bench.hears(request(client="c2")) == []


def test_a_new_primary_that_restarts_opens_the_view_with_the_view_change_it_sent() -> None:
    bench = Bench("r1")
    bench.hears(A)
    bench.fires("request")
    after = bench.restarted()
    after.hears(view_change(1, "r2"), view_change(1, "r3"))
    assert [each.i for each in after.ctx.sent[-1].message.v] == ["r1", "r2", "r3"]


def test_the_window_and_the_claims_survive_a_crash() -> None:
    bench = Bench("r1")
    for n in range(1, 7):
        bench.orders(n, request(t=n))
    digest = bench.replica.my_checkpoint(5).digest
    bench.hears(checkpoint(5, digest, "r0"), checkpoint(5, digest, "r2"))
    after = bench.restarted().replica
    assert (after.log.low, after.log.high, after.checkpoints.stable, sorted(after.log.slots)) == (5, 25, 5, [6])
    assert after.my_view_change() == bench.replica.my_view_change()


def test_a_restarted_replica_waits_for_the_new_view_from_its_restart_on() -> None:
    bench = Bench("r3")
    bench.hears(A)
    bench.fires("request")
    after = bench.restarted()
    after.ctx.now_us = 5_000_000
    after.replica.on_start(after.ctx)
    after.hears(view_change(1, "r0"), view_change(1, "r2"))
    after.fires("new view")
    assert after.noted(ViewChangeStarted)[-1].waited_us == 400_000


# -- while views change ------------------------------------------------------------------------------------------------


def test_a_view_change_says_how_long_it_was_waited_for() -> None:
    bench = Bench("r3")
    bench.ctx.now_us = 100_000
    bench.hears(A)
    bench.fires("request")
    assert bench.noted(ViewChangeStarted)[-1].waited_us == 400_000
    bench.ctx.now_us = 600_000
    bench.hears(view_change(1, "r0"), view_change(1, "r2"))
    bench.fires("new view")
    assert bench.noted(ViewChangeStarted)[-1].waited_us == 500_000
    bench.hears(view_change(4, "r0"), view_change(4, "r1"))
    assert bench.noted(ViewChangeStarted)[-1] == ViewChangeStarted(4, Cause.OTHERS, 0, 0, (), ("r0", "r1"))


def test_who_joins_a_view_change_stops_its_timers() -> None:
    """'When a backup ... starts a view change it stops accepting messages' (4.4); the old timers mean nothing now."""
    bench = Bench("r3")
    bench.hears(A, view_change(1, "r0"), view_change(1, "r1"))
    assert bench.replica.changing
    assert "request" not in bench.ctx.timers
    assert "new view" in bench.ctx.timers
    bench.hears(view_change(2, "r0"))
    assert "new view" in bench.ctx.timers
    bench.hears(view_change(5, "r1"))
    assert bench.replica.view == 2
    assert "new view" not in bench.ctx.timers, "until 2f+1 want this one"


def test_one_more_view_change_does_not_start_the_timer_again() -> None:
    bench = Bench("r3")
    bench.hears(view_change(1, "r0"), view_change(1, "r1"))
    due = bench.ctx.timers["new view"]
    bench.ctx.now_us = 100_000
    bench.hears(view_change(1, "r2"))
    assert bench.ctx.timers["new view"] == due


def test_nothing_that_was_said_in_the_old_view_stands_in_the_new_one() -> None:
    bench = Bench("r3")
    bench.hears(pre_prepare(1, A), view_change(1, "r0"), view_change(1, "r2"))
    bench.hears(new_view(1, tuple(view_change(1, each) for each in ("r0", "r1", "r2")), ()))
    assert bench.hears(pre_prepare(1, request(value=9), 1))[0] == prepare(1, digest_of(request(value=9)), "r3", 1)


def test_view_changes_of_views_that_are_over_are_forgotten() -> None:
    bench = Bench("r3")
    bench.hears(view_change(1, "r0"), view_change(1, "r1"), view_change(4, "r0"), view_change(4, "r1"))
    assert sorted(bench.replica.view_changes.by_view) == [4]
    bench.hears(new_view(5, tuple(view_change(5, each) for each in ("r0", "r1", "r2")), ()))
    assert bench.replica.view_changes.by_view == {}


def test_it_keeps_its_own_view_changes_for_so_many_views() -> None:
    bench = Bench("r3")
    for view in range(1, VIEWS_MAX + 3):
        bench.replica.start_view_change(bench.ctx, view, Cause.NO_NEW_VIEW)
        assert len(bench.replica.asked) == min(view, VIEWS_MAX)
    assert min(bench.replica.asked) == 3


def test_a_view_change_for_a_view_that_is_open_or_over_is_nothing_new_and_no_one_counts_twice() -> None:
    bench = Bench("r3")
    bench.hears(view_change(2, "r0"), view_change(2, "r0"))
    assert bench.noted(ViewChangeSeen) == [ViewChangeSeen(2, "r0", 1)]
    bench.hears(new_view(2, tuple(view_change(2, each) for each in ("r0", "r1", "r2")), ()))
    bench.hears(view_change(2, "r1"), view_change(1, "r1"))
    assert bench.noted(ViewChangeSeen) == [ViewChangeSeen(2, "r0", 1)]


def test_a_view_that_is_open_is_not_opened_again() -> None:
    primary, backup = Bench("r1"), Bench("r3")
    v = tuple(view_change(1, each) for each in ("r1", "r2", "r3"))
    primary.hears(*v[1:])
    backup.hears(*v[:2], new_view(1, v, ()))
    assert primary.hears(view_change(2, "r0")) == []
    backup.hears(view_change(2, "r0"))
    assert "new view" not in backup.ctx.timers


def test_a_new_view_that_is_open_or_over_is_not_entered_again() -> None:
    bench = Bench("r3")
    for view in (1, 2, 1, 2):
        bench.hears(new_view(view, tuple(view_change(view, each) for each in ("r0", "r1", "r2")), ()))
    assert [each.view for each in bench.noted(ViewEntered)] == [1, 2]
    assert bench.replica.view == 2
    bench.hears(view_change(5, "r0"), view_change(5, "r1"))
    bench.hears(new_view(2, tuple(view_change(2, each) for each in ("r0", "r1", "r2")), ()))
    assert (bench.replica.view, bench.replica.changing) == (5, True), "it wants a later one by now"


# -- in the new view ---------------------------------------------------------------------------------------------------


def test_in_a_new_view_the_timers_of_the_old_one_mean_nothing() -> None:
    bench = Bench("r3")
    bench.hears(A)
    bench.ctx.now_us = 300_000
    v = tuple(view_change(1, each) for each in ("r0", "r1", "r2"))
    bench.hears(new_view(1, v, ()))
    assert bench.ctx.timers["request"] == 700_000, "the new primary gets its whole time"
    other = Bench("r3")
    other.hears(*v[:2])
    assert "new view" in other.ctx.timers
    other.hears(new_view(1, v, ()))
    assert "new view" not in other.ctx.timers
    assert "request" not in other.ctx.timers


def test_what_waits_is_sent_to_the_new_primary_and_it_orders_what_waits_with_it() -> None:
    v = tuple(view_change(1, each) for each in ("r1", "r2", "r3"))
    backup = Bench("r3")
    backup.hears(A)
    backup.ctx.sent.clear()
    backup.hears(new_view(1, v, ()))
    assert [(each.dst, each.message) for each in backup.ctx.sent] == [("r1", A)]
    primary = Bench("r1")
    primary.hears(A)
    assert primary.hears(*v[1:])[-1] == pre_prepare(1, A, 1)
    assert "request" not in primary.ctx.timers, "it waits for nobody"


def test_votes_of_the_new_view_that_came_before_it_count() -> None:
    bench = Bench("r3")
    bench.hears(view_change(1, "r0"), view_change(1, "r2"), prepare(1, DA, "r0", 1), prepare(1, DA, "r2", 1))
    v = tuple(view_change(1, each, p=(certificate(1, DA),)) for each in ("r0", "r1", "r2"))
    assert [type(each) for each in bench.hears(new_view(1, v, ((1, DA),)))] == [Prepare, Commit]


def test_a_new_view_survives_a_crash() -> None:
    bench = Bench("r3")
    v = tuple(view_change(1, each, p=(certificate(1, DA),)) for each in ("r0", "r1", "r2"))
    bench.hears(new_view(1, v, ((1, DA),)))
    after = bench.restarted().replica
    assert (after.view, after.changing, after.log.slots[1].digest) == (1, False, DA)


def test_the_checkpoint_of_a_new_view_is_adopted() -> None:
    """'If min-s is greater than its latest stable checkpoint, the replica also adopts it' (4.4)."""
    v = (view_change(1, "r0", 4), view_change(1, "r1"), view_change(1, "r2"))
    there = Bench("r3", sizes=Sizes(2, 8))
    for n in range(1, 5):
        there.orders(n, request(t=n))
    there.hears(new_view(1, v, ()))
    assert there.replica.checkpoints.stable == 4
    behind = Bench("r3", sizes=Sizes(2, 8))
    assert behind.hears(new_view(1, v, ())) == [signed(FetchState(4, "r3"), "r3")]


def test_who_fetches_already_does_not_ask_again_for_a_new_view() -> None:
    bench = Bench("r3", sizes=Sizes(2, 4))
    bench.hears(checkpoint(6, "d", "r0"), checkpoint(6, "d", "r1"))
    bench.ctx.sent.clear()
    v = (view_change(1, "r0", 4), view_change(1, "r1"), view_change(1, "r2"))
    assert bench.hears(new_view(1, v, ())) == []


def test_a_view_that_executed_something_is_left_without_more_patience() -> None:
    bench = Bench("r3")
    bench.hears(new_view(1, tuple(view_change(1, each) for each in ("r0", "r1", "r2")), ()))
    bench.orders(1, A, 1)
    bench.hears(request(t=2))
    bench.fires("request")
    assert bench.replica.patience_us == 400_000


# -- rules that are off ------------------------------------------------------------------------------------------------


def test_with_verify_proofs_off_a_view_change_and_a_new_view_are_believed() -> None:
    bench = Bench("r3", rules=PbftRules(verify_proofs=False))
    forged = view_change(1, "r0", p=(certificate(1, "A")._replace(prepares=()),))
    bench.hears(forged, view_change(1, "r2"))
    assert bench.replica.view == 1
    bench.hears(new_view(1, (forged, view_change(1, "r1"), view_change(1, "r2")), ((1, "A"),)))
    assert bench.noted(Rejected)[-1].why is Why.WRONG_O, "O is still worked out again, of what is valid"
    other = Bench("r3", rules=PbftRules(verify_proofs=False, recompute_o=False))
    other.hears(new_view(1, (forged,), ((1, "A"),)))
    assert other.replica.log.slots[1].digest == "A"


def test_with_recompute_o_off_any_o_is_taken() -> None:
    bench = Bench("r3", rules=PbftRules(recompute_o=False))
    v = tuple(view_change(1, each, p=(certificate(1, DA),)) for each in ("r0", "r1", "r2"))
    bench.hears(new_view(1, v, ((1, NULL),)))
    assert bench.replica.log.slots[1].digest == NULL
