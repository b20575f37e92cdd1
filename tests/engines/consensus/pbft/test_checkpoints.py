"""Checkpoints, watermarks, state transfer: the paper's section 4.3."""

from engines.consensus.pbft.checkpoints import Checkpoints, Target
from engines.consensus.pbft.events import FellBehind, Stable, StateInstalled, WrongState
from engines.consensus.pbft.messages import Checkpoint, FetchState, Proof, State, digest_of_state, signed
from engines.consensus.pbft.rules import PbftRules, Sizes
from tests.engines.consensus.pbft.replica import FOUR, SEVEN, Bench, checkpoint, pre_prepare, proof, request

SMALL = Sizes(2, 4)


def ordered(bench: Bench, last: int) -> Bench:
    for n in range(bench.replica.executed + 1, last + 1):
        bench.orders(n, request(t=n, value=n))
    return bench


def test_a_checkpoint_is_taken_every_k_requests() -> None:
    bench = ordered(Bench("r1", sizes=SMALL), 4)
    taken = list(dict.fromkeys(s.message for s in bench.ctx.sent if isinstance(s.message, Checkpoint)))
    assert [each.n for each in taken] == [2, 4]


def test_it_is_stable_with_2f_plus_1_equal_claims_its_own_among_them() -> None:
    bench = ordered(Bench("r1", sizes=SMALL), 3)
    digest = digest_of_state(2, (("x", 2),), (("c1", 2, 2),))
    bench.hears(checkpoint(2, digest, "r0"))
    assert bench.replica.log.low == 0
    bench.hears(checkpoint(2, digest, "r0"), checkpoint(2, "other", "r2"))
    assert bench.replica.log.low == 0
    bench.hears(checkpoint(2, digest, "r3"))
    assert (bench.replica.log.low, bench.replica.log.high) == (2, 6)
    assert bench.noted(Stable) == [Stable(2, 6, ("r1", "r0", "r3"))]


def test_everything_at_or_below_it_is_dropped() -> None:
    bench = ordered(Bench("r1", sizes=SMALL), 3)
    digest = digest_of_state(2, (("x", 2),), (("c1", 2, 2),))
    bench.hears(checkpoint(2, digest, "r0"), checkpoint(2, digest, "r2"))
    assert sorted(bench.replica.log.slots) == [3]
    assert sorted(bench.replica.log.certificates) == [3]
    assert len(bench.replica.bodies) == 1
    assert sorted(bench.replica.states) == [2]
    assert bench.hears(checkpoint(2, digest, "r3")) == []
    assert bench.replica.checkpoints.claims == {}


def test_a_proof_just_above_my_state_is_no_alarm() -> None:
    bench = ordered(Bench("r1", sizes=SMALL), 1)
    assert bench.hears(*(checkpoint(2, "d", each) for each in ("r0", "r2", "r3"))) == []
    assert bench.replica.log.low == 0


def test_a_replica_that_missed_number_1_fetches_the_state_when_f_plus_1_are_beyond_its_window() -> None:
    bench = Bench("r3", sizes=SMALL)
    for n in range(2, 5):
        bench.orders(n, request(t=n, value=n))
    bench.hears(*(checkpoint(n, "d", each) for n in (2, 4) for each in ("r0", "r1", "r2")))
    assert bench.replica.executed == 0
    digest = digest_of_state(6, (("x", 6),), (("c1", 6, 6),))
    assert bench.hears(checkpoint(6, digest, "r0")) == []
    assert bench.hears(checkpoint(6, digest, "r1")) == [signed(FetchState(6, "r3"), "r3")]
    assert bench.noted(FellBehind) == [FellBehind(6, 0, "r0")]
    bench.hears(signed(State(6, (("x", 6),), (("c1", 6, 6),), "r0"), "r0"))
    assert bench.noted(StateInstalled) == [StateInstalled(6, "r0", 0)]
    ordered(bench, 8)
    reference = ordered(Bench("r2", sizes=Sizes(2, 20)), 8)
    assert bench.state_digest(8) == reference.state_digest(8)
    assert (bench.replica.log.low, bench.replica.log.high) == (6, 10)


def test_a_wrong_state_fails_its_digest_and_another_is_asked() -> None:
    bench = Bench("r3", sizes=SMALL)
    digest = digest_of_state(6, (("x", 6),), ())
    bench.hears(checkpoint(6, digest, "r0"), checkpoint(6, digest, "r1"))
    assert bench.hears(signed(State(6, (("x", 666),), (), "r0"), "r0")) == [signed(FetchState(6, "r3"), "r3")]
    assert bench.ctx.sent[-1].dst == "r1"
    assert bench.noted(WrongState) == [WrongState(6, "r0")]
    bench.hears(signed(State(6, (("x", 6),), (), "r1"), "r1"))
    assert bench.replica.values == {"x": 6}


def test_a_fetched_state_holds_the_last_reply_of_each_client_or_a_request_would_run_twice() -> None:
    bench = Bench("r3", sizes=SMALL)
    replies = (("c1", 5, 50),)
    digest = digest_of_state(6, (("x", 50),), replies)
    bench.hears(checkpoint(6, digest, "r0"), checkpoint(6, digest, "r1"))
    bench.hears(signed(State(6, (("x", 50),), replies, "r0"), "r0"))
    bench.orders(7, request(t=5, op="add", value=10))
    assert bench.replica.values == {"x": 50}


def test_f_plus_1_claims_that_differ_are_no_target() -> None:
    bench = Bench("r3", sizes=SMALL)
    assert bench.hears(checkpoint(6, "d", "r0"), checkpoint(6, "e", "r1")) == []


def test_a_silent_holder_is_left_for_the_next_at_the_tick() -> None:
    bench = Bench("r3", sizes=SMALL)
    bench.hears(checkpoint(6, "d", "r0"), checkpoint(6, "d", "r1"))
    bench.ctx.sent.clear()
    bench.fires("status")
    assert [s.dst for s in bench.ctx.sent if isinstance(s.message, FetchState)] == ["r1"]


def test_the_state_is_sent_to_who_asks_and_if_it_is_gone_the_present_claim() -> None:
    bench = ordered(Bench("r1", sizes=SMALL), 4)
    (state,) = bench.hears(signed(FetchState(2, "r3"), "r3"))
    assert digest_of_state(2, state.values, state.replies) == bench.replica.my_checkpoint(2).digest
    digest = bench.replica.my_checkpoint(4).digest
    bench.hears(checkpoint(4, digest, "r0"), checkpoint(4, digest, "r2"))
    claim, proof = bench.hears(signed(FetchState(2, "r3"), "r3"))
    assert claim == checkpoint(4, digest, "r1")
    assert {each.i for each in proof.c} == {"r0", "r1", "r2"}


def test_a_proof_stands_for_itself_though_a_traitor_in_it_claimed_something_else_to_me() -> None:
    bench = ordered(Bench("r1", sizes=SMALL), 2)
    digest = bench.replica.my_checkpoint(2).digest
    bench.hears(checkpoint(2, "a lie", "r3"), checkpoint(2, digest, "r2"))
    assert bench.replica.log.low == 0
    c = tuple(checkpoint(2, digest, each) for each in ("r1", "r2", "r3"))
    bench.hears(signed(Proof(c[:2], "r2"), "r2"))
    assert bench.replica.log.low == 0
    bench.hears(signed(Proof(c, "r2"), "r2"))
    assert bench.replica.log.low == 2
    assert bench.replica.checkpoints.proof == c


def test_claims_of_one_traitor_are_bounded() -> None:
    bench = Bench("r1")
    bench.hears(*(checkpoint(n, "d", "r3") for n in range(100, 200)))
    assert len(bench.replica.checkpoints.claims) == 8
    assert bench.replica.fetching is None


# -- who claims what -----------------------------------------------------------------------------------------------


def claimed(*claims: tuple[int, str, str]) -> Checkpoints:
    """What was claimed, as (number, digest, by whom)."""
    checkpoints = Checkpoints(FOUR)
    for n, digest, i in claims:
        checkpoints.add(checkpoint(n, digest, i))
    return checkpoints


def test_the_first_claim_of_a_replica_for_a_number_stands() -> None:
    checkpoints = Checkpoints(FOUR)
    assert checkpoints.add(checkpoint(2, "d", "r0"))
    assert not checkpoints.add(checkpoint(2, "e", "r0"))
    assert checkpoints.claims[2]["r0"].digest == "d"


def test_a_stranger_claims_nothing() -> None:
    checkpoints = Checkpoints(FOUR)
    assert not checkpoints.add(checkpoint(2, "d", "stranger"))
    assert checkpoints.claims == {}


def test_what_is_proven_is_the_highest_number_with_2f_plus_1_equal_claims() -> None:
    everybody = [(n, f"d{n}", i) for n in (1, 2) for i in ("r0", "r1", "r2")]
    assert claimed(*everybody[:3]).proven() == Target(1, "d1", ("r0", "r1", "r2"))
    assert claimed(*everybody).proven() == Target(2, "d2", ("r0", "r1", "r2"))
    assert claimed(*everybody[:5]).proven() == Target(1, "d1", ("r0", "r1", "r2"))


def test_a_proof_of_a_higher_number_outdoes_the_claims_and_those_outdo_a_lower_or_equal_one() -> None:
    claims = claimed(*((4, "d", i) for i in ("r1", "r2", "r3")))
    mine = Target(4, "d", ("r1", "r2", "r3"))
    assert claims.adopt(proof(2))
    assert claims.proven() == mine
    assert claims.adopt(proof(4))
    assert claims.proven() == mine
    assert claims.adopt(proof(6))
    assert claims.proven() == Target(6, "d", ("r0", "r1", "r2"))


def test_a_proof_is_kept_only_if_it_is_of_a_higher_number() -> None:
    checkpoints = Checkpoints(FOUR)
    assert checkpoints.adopt(proof(4))
    assert not checkpoints.adopt(proof(4))
    assert not checkpoints.adopt(proof(2))
    assert checkpoints.certified == proof(4)
    assert not Checkpoints(FOUR).adopt(())


def test_beyond_the_window_is_what_lies_above_h() -> None:
    """At H itself a number may still be in progress: no reason to fetch."""
    checkpoints = claimed((4, "d", "r0"), (4, "d", "r1"), (6, "e", "r0"), (6, "e", "r1"))
    assert checkpoints.ahead(4) == Target(6, "e", ("r0", "r1"))
    assert checkpoints.ahead(5) == Target(6, "e", ("r0", "r1"))
    assert checkpoints.ahead(6) is None


def test_the_proof_of_the_stable_checkpoint_is_of_its_own_number() -> None:
    checkpoints = claimed(*((4, "d", i) for i in ("r1", "r2", "r3")))
    checkpoints.adopt(proof(2))
    checkpoints.stabilise(4)
    assert [each.n for each in checkpoints.proof] == [4, 4, 4]


# -- stable, and behind ------------------------------------------------------------------------------------------------


def test_my_own_claim_may_be_the_one_that_makes_it_stable() -> None:
    bench = ordered(Bench("r1", sizes=SMALL), 1)
    digest = digest_of_state(2, (("x", 2),), (("c1", 2, 2),))
    bench.hears(checkpoint(2, digest, "r0"), checkpoint(2, digest, "r2"))
    ordered(bench, 2)
    assert bench.replica.checkpoints.stable == 2


def test_the_primary_gives_numbers_again_when_the_window_moves() -> None:
    bench = Bench("r0", sizes=SMALL)
    ordered(bench, 4)
    assert bench.hears(request(t=5, value=5)) == []
    digest = bench.replica.my_checkpoint(4).digest
    assert bench.hears(checkpoint(4, digest, "r1"), checkpoint(4, digest, "r2")) == [
        pre_prepare(5, request(t=5, value=5))
    ]


def test_a_proof_beyond_my_window_makes_me_fetch_once() -> None:
    bench = Bench("r3", sizes=SMALL)
    assert bench.hears(signed(Proof(proof(6), "r0"), "r0")) == [signed(FetchState(6, "r3"), "r3")]
    assert bench.hears(signed(Proof(proof(8), "r0"), "r0")) == []
    assert bench.hears(checkpoint(8, "d", "r0"), checkpoint(8, "d", "r1")) == [], "one at a time"


def test_what_proves_nothing_is_ignored() -> None:
    bench = Bench("r3", sizes=SMALL)
    assert bench.hears(signed(Proof((), "r0"), "r0"), signed(Proof(proof(6)[:1], "r0"), "r0")) == []


def test_a_newer_target_takes_the_place_of_one_that_was_asked_for_in_vain() -> None:
    claims = Bench("r3", sizes=SMALL)
    claims.hears(*(checkpoint(n, "d", each) for n in (6, 8) for each in ("r0", "r1")))
    claims.fires("status")
    assert claims.fires("status")[-1] == signed(FetchState(8, "r3"), "r3")
    proofs = Bench("r3", sizes=SMALL)
    proofs.hears(*(signed(Proof(proof(n), "r0"), "r0") for n in (6, 8)))
    proofs.fires("status")
    assert proofs.fires("status")[-1] == signed(FetchState(8, "r3"), "r3")


def test_the_holders_of_a_state_are_asked_in_turn() -> None:
    bench = Bench("r3", sizes=SMALL)
    bench.hears(checkpoint(6, "d", "r0"), checkpoint(6, "d", "r1"))
    for _ in range(4):
        bench.fires("status")
    asked = [each.dst for each in bench.ctx.sent if isinstance(each.message, FetchState)]
    assert asked == ["r0", "r1", "r0", "r1", "r0"]


def fetching(*, first: int = 0, **rules: bool) -> Bench:
    """r0 at number ``first``, and its two backups r1 and r2 claim a state at 6 where x is 6."""
    bench = Bench("r0", sizes=SMALL, rules=PbftRules(**rules))
    ordered(bench, first)
    digest = digest_of_state(6, (("x", 6),), (("c1", 6, 6),))
    bench.hears(checkpoint(6, digest, "r1"), checkpoint(6, digest, "r2"))
    assert bench.replica.fetching
    return bench


SIX = signed(State(6, (("x", 6),), (("c1", 6, 6),), "r1"), "r1")
LIE = signed(State(6, (("x", 666),), (("c1", 6, 6),), "r1"), "r1")


def test_a_state_that_was_not_asked_for_is_not_taken_over() -> None:
    bench = Bench("r0", sizes=SMALL)
    bench.hears(SIX)
    other = fetching()
    assert other.hears(signed(SIX._replace(n=8), "r1")) == []
    assert bench.replica.executed == other.replica.executed == 0


def test_who_takes_a_state_over_claims_it_too_and_goes_on_from_there() -> None:
    bench = fetching()
    mine = checkpoint(6, digest_of_state(6, SIX.values, SIX.replies), "r0")
    assert bench.hears(SIX)[0] == mine
    assert bench.noted(Stable) == [Stable(6, 10, ("r1", "r2", "r0"))], "with its own claim there are 2f+1"
    assert bench.replica.fetching is None
    assert bench.hears(request(t=7)) == [pre_prepare(7, request(t=7))], "as primary"


def test_a_state_that_is_taken_over_survives_a_crash() -> None:
    bench = Bench("r3", sizes=SMALL)
    digest = digest_of_state(6, SIX.values, SIX.replies)
    bench.hears(signed(Proof(tuple(checkpoint(6, digest, each) for each in ("r0", "r1", "r2")), "r1"), "r1"))
    bench.replica.checkpoints.certified = ()  # so that nothing else is written down after it
    bench.hears(SIX)
    after = bench.restarted().replica
    assert (after.executed, after.values, after.log.low, sorted(after.states)) == (6, {"x": 6}, 6, [6])


def test_the_window_moves_with_a_state_though_it_is_not_stable_here_yet() -> None:
    bench = Bench("r0", SEVEN, sizes=SMALL)
    digest = digest_of_state(6, SIX.values, SIX.replies)
    bench.hears(*(checkpoint(6, digest, each) for each in ("r1", "r2", "r3")))
    bench.hears(SIX)
    assert (bench.replica.checkpoints.stable, bench.replica.log.low) == (0, 6)


def test_a_request_that_a_fetched_state_has_answered_is_waited_for_no_longer() -> None:
    bench = Bench("r3", sizes=SMALL)
    bench.hears(request(t=6))
    digest = digest_of_state(6, SIX.values, SIX.replies)
    bench.hears(checkpoint(6, digest, "r0"), checkpoint(6, digest, "r1"), SIX)
    assert bench.replica.waiting == {}
    assert "request" not in bench.ctx.timers


def test_what_had_committed_above_a_fetched_state_executes_at_once() -> None:
    bench = Bench("r3", sizes=SMALL)
    bench.orders(3, request(t=3, value=3))
    digest = digest_of_state(2, (("x", 2),), (("c1", 2, 2),))
    bench.hears(*(checkpoint(2, digest, each) for each in ("r0", "r1", "r2")))
    for _ in range(2):
        bench.fires("status")
    bench.hears(signed(State(2, (("x", 2),), (("c1", 2, 2),), "r0"), "r0"))
    assert (bench.replica.executed, bench.replica.values) == (3, {"x": 3})


def test_a_state_that_was_reached_meanwhile_is_not_taken_over() -> None:
    bench = fetching(first=4)
    digest = bench.replica.my_checkpoint(4).digest
    bench.hears(checkpoint(4, digest, "r1"), checkpoint(4, digest, "r2"))
    ordered(bench, 6)
    assert bench.replica.executed == 6
    for _ in range(2):
        bench.fires("status")  # it goes on asking, for nothing newer is to be had
    bench.hears(SIX)
    assert bench.noted(StateInstalled) == []
    assert bench.replica.fetching is None


def test_with_verify_state_off_a_lie_is_taken_over() -> None:
    bench = fetching(verify_state=False)
    bench.hears(LIE)
    assert bench.replica.values == {"x": 666}


def test_with_transfer_replies_off_a_state_has_none_and_is_not_held_against_its_digest() -> None:
    bench = fetching(transfer_replies=False)
    bench.hears(signed(SIX._replace(replies=()), "r1"))
    assert (bench.replica.executed, bench.replica.replies) == (6, {})
    (sent,) = bench.hears(signed(FetchState(6, "r3"), "r3"))
    assert sent.replies == ()
