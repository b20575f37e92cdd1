"""The three phases, as the paper's section 4.2 states them, one sentence a test."""

from typing import get_args

import pytest

from engines.consensus.pbft.events import (
    Committed,
    Contradicted,
    Equivocated,
    Executed,
    Rejected,
    Relayed,
    Why,
    WindowFull,
)
from engines.consensus.pbft.messages import Commit, FetchBody, Message, Prepare, PrePrepare, Reply, digest_of, signed
from engines.consensus.pbft.node import DONE_MAX
from engines.consensus.pbft.rules import PbftRules, Sizes
from tests.engines.consensus.pbft.replica import (
    SEVEN,
    Bench,
    commit,
    new_view,
    pre_prepare,
    prepare,
    request,
    view_change,
)

A = request()
DA = digest_of(A)
B = request(client="c2", value=9)


def test_the_primary_gives_a_request_the_next_number_and_tells_all() -> None:
    bench = Bench("r0")
    assert bench.hears(A) == [pre_prepare(1, A)]
    assert bench.hears(B) == [pre_prepare(2, B)]
    assert bench.hears(A) == [], "it has its number"


def test_a_backup_relays_a_clients_request_to_the_primary_and_starts_its_timer() -> None:
    bench = Bench("r1")
    assert bench.hears(A) == [A]
    assert bench.ctx.sent[-1].dst == "r0"
    assert bench.noted(Relayed)
    assert bench.ctx.timers["request"] == 400_000


def test_a_backup_accepts_a_pre_prepare_and_tells_all_with_a_prepare() -> None:
    bench = Bench("r1")
    assert bench.hears(pre_prepare(1, A)) == [prepare(1, DA, "r1")]
    assert [sent.dst for sent in bench.ctx.sent] == ["r0", "r2", "r3"]
    assert "request" in bench.ctx.timers


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (pre_prepare(1, A, i="r2"), Why.NOT_PRIMARY),
        (pre_prepare(1, A)._replace(sig="r2"), Why.FORGED),
        (signed(pre_prepare(1, A)._replace(digest="other"), "r0"), Why.WRONG_DIGEST),
        (pre_prepare(0, A), Why.OUTSIDE_WINDOW),
        (pre_prepare(21, A), Why.OUTSIDE_WINDOW),
        (pre_prepare(1, None), Why.NO_BODY),
        (pre_prepare(1, A._replace(sig="r0")), Why.FORGED),
    ],
)
def test_what_a_backup_does_not_accept(message: PrePrepare, why: Why) -> None:
    bench = Bench("r1")
    assert bench.hears(message, src="r0") == []
    assert [each.why for each in bench.noted(Rejected)] == [why]
    assert 1 not in bench.replica.log.slots or bench.replica.log.slots[1].pre_prepare is None


def test_the_last_number_of_the_window_is_accepted() -> None:
    assert Bench("r1").hears(pre_prepare(20, A)) == [prepare(20, DA, "r1")]


def test_no_second_digest_is_accepted_for_a_number_of_a_view() -> None:
    bench = Bench("r1")
    bench.hears(pre_prepare(1, A))
    assert bench.hears(pre_prepare(1, B)) == []
    assert bench.noted(Equivocated) == [Equivocated(0, 1, DA, digest_of(B), "r0")]


def test_that_holds_across_a_crash() -> None:
    bench = Bench("r1")
    bench.hears(pre_prepare(1, A))
    after = bench.restarted()
    assert after.hears(pre_prepare(1, B)) == []
    assert after.noted(Equivocated)


def test_a_message_of_another_view_is_not_accepted() -> None:
    bench = Bench("r2")
    assert bench.hears(pre_prepare(1, A, view=1), pre_prepare(1, A, view=4)) == []
    bench.hears(pre_prepare(1, A), prepare(1, DA, "r1", view=1), prepare(1, DA, "r3", view=1))
    assert not bench.replica.log.slots[1].prepared


def test_prepared_is_the_pre_prepare_and_2f_prepares_of_different_backups_its_own_included() -> None:
    bench = Bench("r1")
    bench.hears(pre_prepare(1, A))
    assert bench.hears(prepare(1, DA, "r0")) == [], "the primary sends none, and one from it is not counted"
    assert bench.hears(prepare(1, DA, "r3")) == [commit(1, DA, "r1")]


def test_the_primary_needs_2f_prepares_of_others() -> None:
    bench = Bench("r0")
    bench.hears(A)
    assert bench.hears(prepare(1, DA, "r1")) == []
    assert bench.hears(prepare(1, DA, "r1")) == [], "the same backup again"
    assert bench.hears(prepare(1, DA, "r2")) == [commit(1, DA, "r0")]


def test_a_prepare_for_another_digest_counts_for_nothing() -> None:
    bench = Bench("r1")
    bench.hears(pre_prepare(1, A))
    assert bench.hears(prepare(1, "other", "r2")) == []
    assert bench.hears(prepare(1, DA, "r2")) == [], "its first vote stands"
    assert bench.noted(Contradicted) == [Contradicted("prepare", 0, 1, "r2")]
    assert bench.hears(prepare(1, DA, "r3")) == [commit(1, DA, "r1")]


def test_votes_that_come_before_the_pre_prepare_are_kept() -> None:
    bench = Bench("r1")
    bench.hears(prepare(1, DA, "r2"), *(commit(1, DA, each) for each in ("r0", "r2", "r3")))
    sent = bench.hears(pre_prepare(1, A))
    assert [type(each) for each in sent] == [Prepare, Commit, Reply]


def test_votes_outside_the_window_are_not_kept() -> None:
    bench = Bench("r1")
    bench.hears(prepare(21, DA, "r2"), commit(0, DA, "r2"))
    assert bench.replica.log.slots == {}


def test_committed_is_prepared_and_2f_plus_1_commits_its_own_included() -> None:
    bench = Bench("r1")
    bench.hears(pre_prepare(1, A), prepare(1, DA, "r2"))
    assert bench.hears(commit(1, DA, "r0")) == []
    assert bench.hears(commit(1, DA, "r2")) == [signed(Reply(0, 1, "c1", "r1", 7), "r1")]
    assert bench.noted(Committed)[0].voters == ("r1", "r0", "r2")


def test_commits_without_a_certificate_do_not_execute() -> None:
    bench = Bench("r1")
    bench.hears(pre_prepare(1, A), *(commit(1, DA, each) for each in ("r0", "r2", "r3")))
    assert bench.replica.executed == 0


def test_seven_replicas_need_four_prepares_and_five_commits() -> None:
    bench = Bench("r1", SEVEN)
    bench.hears(pre_prepare(1, A, group=SEVEN), *(prepare(1, DA, each) for each in ("r2", "r3")))
    assert bench.hears(prepare(1, DA, "r4")) == [commit(1, DA, "r1")]
    bench.hears(*(commit(1, DA, each) for each in ("r0", "r2", "r3")))
    assert bench.replica.executed == 0
    bench.hears(commit(1, DA, "r4"))
    assert bench.replica.executed == 1


def test_requests_execute_in_the_order_of_their_numbers() -> None:
    bench = Bench("r1")
    bench.orders(2, B)
    assert bench.replica.executed == 0
    bench.orders(1, A)
    assert [each.n for each in bench.noted(Executed)] == [1, 2]
    assert bench.replica.values == {"x": 9}


def test_a_request_executes_once() -> None:
    bench = Bench("r1")
    bench.orders(1, request(op="add"))
    bench.orders(2, request(op="add"))
    assert bench.replica.values == {"x": 7}
    assert [each.repeated for each in bench.noted(Executed)] == [False, True]


def test_a_request_that_was_executed_is_answered_again_and_an_older_one_is_dropped() -> None:
    bench = Bench("r1")
    bench.orders(1, A)
    assert bench.hears(A) == [signed(Reply(0, 1, "c1", "r1", 7), "r1")]
    bench.orders(2, request(t=3, value=5))
    assert bench.hears(A) == []
    assert "request" not in bench.ctx.timers


def test_the_timer_stops_when_its_request_executes_and_starts_again_for_another() -> None:
    bench = Bench("r1")
    bench.hears(A)
    bench.ctx.now_us = 100_000
    bench.hears(B)
    assert bench.ctx.timers["request"] == 400_000
    bench.ctx.now_us = 200_000
    bench.orders(1, A)
    assert bench.ctx.timers["request"] == 600_000
    bench.orders(2, B)
    assert "request" not in bench.ctx.timers


def test_the_primary_waits_when_the_window_is_full() -> None:
    bench = Bench("r0", sizes=Sizes(2, 4))
    for t in range(1, 5):
        assert bench.hears(request(client=f"c{t}"))
    assert bench.hears(request(client="c9")) == []
    assert bench.noted(WindowFull) == [WindowFull(5, 4)]


def test_a_request_known_by_its_digest_only_is_asked_for() -> None:
    bench = Bench("r1")
    bench.orders(1, A)
    del bench.replica.bodies[DA]
    bench.replica.executed = 0
    bench.replica.execute_ready(bench.ctx)
    assert bench.ctx.sent[-1].message == signed(FetchBody(DA, "r1"), "r1")


def test_what_is_promised_is_on_disk_before_it_is_said() -> None:
    bench = Bench("r1")
    bench.orders(1, A)  # the context refuses a message that leaves too early
    after = bench.restarted()
    assert after.replica.executed == 1
    assert after.replica.values == {"x": 7}
    assert after.hears(A) == [signed(Reply(0, 1, "c1", "r1", 7), "r1")]


@pytest.mark.parametrize("size", [4, 7, 10])
def test_a_request_costs_2n_times_n_minus_1_messages(size: int) -> None:
    """(n-1) pre-prepares, (n-1)^2 prepares, n(n-1) commits."""
    from engines.consensus.pbft.certificates import Group

    group = Group(tuple(f"r{i}" for i in range(size)))
    benches = {each: Bench(each, group) for each in group.replicas}
    benches["r0"].hears(A)
    counts = {PrePrepare: 0, Prepare: 0, Commit: 0}
    while any(bench.ctx.sent for bench in benches.values()):
        for src, bench in benches.items():
            sent, bench.ctx.sent = bench.ctx.sent, []
            for dst, message in sent:
                if dst in benches:
                    counts[type(message)] += 1
                    benches[dst].hears(message, src=src)
    assert counts == {PrePrepare: size - 1, Prepare: (size - 1) ** 2, Commit: size * (size - 1)}
    assert all(bench.replica.executed == 1 for bench in benches.values())


# -- what a request is worth -----------------------------------------------------------------------------------------


def test_a_read_only_request_is_answered_at_once_from_the_present_state_and_gets_no_number() -> None:
    """'Read-only operations ... replicas execute the request immediately' (5.1)."""
    bench = Bench("r0")
    bench.orders(1, A)
    question = signed(request(t=2, op="get")._replace(read_only=True), "c1")
    assert bench.hears(question) == [signed(Reply(0, 2, "c1", "r0", 7), "r0")]
    assert bench.replica.waiting == {}


def test_a_read_only_request_is_not_ordered_whatever_the_primary_says() -> None:
    bench = Bench("r1")
    question = signed(request(op="get")._replace(read_only=True), "c1")
    assert bench.hears(pre_prepare(1, question)) == []
    assert [each.why for each in bench.noted(Rejected)] == [Why.FORGED]


def test_of_two_requests_of_one_client_the_newer_waits_and_of_one_t_the_first() -> None:
    """'All requests of a client are totally ordered by their timestamps' (4.1)."""
    bench = Bench("r1")
    bench.hears(request(t=2), request(t=2, value=8))
    assert bench.replica.waiting["c1"].value == 7
    bench.hears(request(t=1, value=9))
    assert bench.replica.waiting["c1"].t == 2
    bench.hears(request(t=3))
    assert bench.replica.waiting["c1"].t == 3


def test_a_primary_that_restarts_gives_no_number_twice() -> None:
    bench = Bench("r0")
    bench.hears(A)
    after = bench.restarted()
    assert after.replica.log.slots[1].digest == DA
    assert after.hears(B) == [pre_prepare(2, B)]


def test_a_primary_counts_the_votes_that_were_there_before_its_pre_prepare() -> None:
    bench = Bench("r0")
    bench.hears(prepare(1, DA, "r1"), prepare(1, DA, "r2"))
    assert bench.hears(A) == [pre_prepare(1, A), commit(1, DA, "r0")]


def test_with_remember_off_nothing_is_on_disk() -> None:
    bench = Bench("r0", rules=PbftRules(remember=False))
    bench.hears(A)
    assert bench.disk.registers == {}


def test_with_one_digest_off_the_second_pre_prepare_takes_the_place_of_the_first() -> None:
    bench = Bench("r1", rules=PbftRules(one_digest=False))
    bench.hears(pre_prepare(1, A))
    assert bench.hears(pre_prepare(1, B)) == [prepare(1, digest_of(B), "r1")]
    assert bench.replica.log.slots[1].digest == digest_of(B)


def test_a_body_that_comes_with_a_repeated_pre_prepare_lets_a_committed_number_execute() -> None:
    """O of a new view carries digests only; the primary sends the request again."""
    bench = Bench("r3")
    v = tuple(view_change(1, each) for each in ("r0", "r1", "r2"))
    bench.hears(new_view(1, v, ()))
    bench.hears(pre_prepare(1, A, 1), *(prepare(1, DA, each, 1) for each in ("r0", "r2")))
    bench.replica.bodies.clear()
    bench.hears(*(commit(1, DA, each, 1) for each in ("r0", "r1", "r2")))
    assert bench.replica.executed == 0
    bench.hears(pre_prepare(1, A, 1))
    assert bench.replica.executed == 1


def test_the_messages_of_the_three_phases_are_counted_by_number_as_they_are_first_sent() -> None:
    bench = Bench("r0")
    bench.orders(1, A)
    assert bench.replica.sendings == {1: 6}
    backup = Bench("r1")
    for n in range(1, DONE_MAX + 2):
        backup.replica.say(backup.ctx, prepare(n, DA, "r1"))
        assert len(backup.replica.sendings) == min(n, DONE_MAX)
    assert min(backup.replica.sendings) == 2


def test_whoever_watches_sees_that_something_was_promised_and_what_was_executed() -> None:
    bench = Bench("r1")
    before = bench.replica.changes
    bench.hears(pre_prepare(1, A))
    assert bench.replica.changes != before
    bench.orders(1, A)
    assert (bench.replica.done_total, [each.n for each in bench.replica.done]) == (1, [1])


# -- execution and the timer -------------------------------------------------------------------------------------------


def test_committed_is_said_once() -> None:
    bench = Bench("r1")
    bench.orders(1, A)
    assert len(bench.noted(Committed)) == 1, "the last COMMIT came after 2f+1 others"


def test_what_is_accepted_and_not_committed_does_not_execute_when_the_next_number_commits() -> None:
    bench = Bench("r1")
    bench.hears(pre_prepare(1, A))
    bench.orders(2, B)
    assert bench.replica.executed == 0


def test_a_repetition_gets_a_number_and_no_answer_and_is_no_progress() -> None:
    """'Each request is executed exactly once' (4.1), though it may stand at two numbers."""
    bench = Bench("r1")
    bench.orders(1, request(t=2, op="add"))
    bench.ctx.sent.clear()
    bench.orders(2, request(t=2, op="add"))
    bench.orders(3, request(t=1, op="add"))
    assert not any(isinstance(each.message, Reply) for each in bench.ctx.sent)
    assert [(each.result, each.ran) for each in bench.replica.done] == [(7, True), (7, False), (None, False)]
    assert bench.replica.done_total == 3


def test_with_execute_once_off_it_runs_again() -> None:
    bench = Bench("r1", rules=PbftRules(execute_once=False))
    bench.orders(1, request(op="add"))
    bench.orders(2, request(op="add"))
    assert bench.replica.values == {"x": 14}
    assert [each.ran for each in bench.replica.done] == [True, True]


def test_with_commit_phase_off_what_is_prepared_executes() -> None:
    bench = Bench("r1", rules=PbftRules(commit_phase=False))
    bench.hears(pre_prepare(1, A), prepare(1, DA, "r2"))
    assert bench.replica.executed == 1


def test_with_match_digests_off_votes_for_anything_count() -> None:
    bench = Bench("r1", rules=PbftRules(match_digests=False))
    bench.hears(pre_prepare(1, A))
    assert bench.hears(prepare(1, "other", "r2")) == [commit(1, DA, "r1")]


def test_a_restarted_backup_has_the_body_of_what_it_accepted() -> None:
    bench = Bench("r1")
    bench.hears(pre_prepare(1, A))
    after = bench.restarted()
    after.hears(*(prepare(1, DA, each) for each in ("r2", "r3")), *(commit(1, DA, each) for each in ("r0", "r2")))
    assert after.replica.values == {"x": 7}


def test_a_vote_of_a_stranger_counts_for_nothing() -> None:
    bench = Bench("r1")
    bench.hears(pre_prepare(1, A))
    assert bench.hears(prepare(1, DA, "stranger")) == []


def test_a_request_that_was_executed_is_not_waited_for_when_it_is_ordered_again() -> None:
    bench = Bench("r1")
    bench.orders(1, A)
    bench.hears(pre_prepare(2, A))
    assert bench.replica.waiting == {}
    assert "request" not in bench.ctx.timers


def test_what_is_ordered_does_not_displace_a_newer_request_of_its_client_that_waits_nor_one_of_its_t() -> None:
    bench = Bench("r1")
    newer = request(t=5)
    bench.hears(newer)
    bench.hears(pre_prepare(1, request(t=4)), pre_prepare(2, request(t=5, value=8)))
    assert bench.replica.waiting == {"c1": newer}
    bench.hears(pre_prepare(3, request(t=6)))
    assert bench.replica.waiting == {"c1": request(t=6)}


def test_the_timer_goes_on_while_others_requests_execute() -> None:
    """'It stops the timer when it is no longer waiting to execute the request' (4.4)."""
    bench = Bench("r1")
    bench.hears(A)
    bench.ctx.now_us = 300_000
    bench.orders(1, B)
    assert bench.ctx.timers["request"] == 400_000


def test_the_signature_is_the_last_field_of_every_message() -> None:
    for kind in get_args(Message):
        assert kind._fields[-1] == "sig", f"{kind.__name__}: signed() writes over the last field"
