"""What has become slow although requests hardly feel it; and whose change it is, if the tail has another reason."""

from typing import Any

from engines.sim.random import Stream
from engines.tracing.gap import Comparison
from engines.tracing.judge import Judgement, judge
from engines.tracing.spans import Kind, Span
from engines.tracing.unfelt import Grown, Own, Site, grown
from engines.tracing.verdicts import Trouble
from engines.tracing.waiting import LOCK, POOL, QUEUE, SELF
from tests.engines.tracing.requests import MS, Request, login

CHAT = Site("chat", "GET /chat", SELF)


def beside(number: int, chat_us: int, slowest_us: int) -> list[Span]:
    """web GET /home asks chat and news at once; whoever takes longer holds it up."""
    request = Request(number, number * 10_000 * MS)

    def home(own: str) -> None:
        begin_us = request.now_us
        ends = []
        for service, takes_us in (("chat", chat_us), ("news", slowest_us)):
            request.now_us = begin_us

            def served(call: str, service: str = service, takes_us: int = takes_us) -> None:
                request.spend(service, f"GET /{service}", Kind.SERVER, takes_us, call)

            request.spend("web", "GET", Kind.CLIENT, served, own, (("server.address", service),))
            ends.append(request.now_us)
        request.now_us = max(ends)

    request.spend("web", "GET /home", Kind.SERVER, home)
    return request.spans


def homes(chat_us: list[int], seed: int = 1) -> Judgement:
    draw = Stream(seed, "homes")
    traces = [beside(at, us + draw.below(300), 20 * MS + draw.below(MS)) for at, us in enumerate(chat_us)]
    return judge((span for each in traces for span in each), "x")


def test_a_service_that_is_slow_beside_a_slower_one_is_named_last_of_all() -> None:
    found = homes([1 * MS] * 80 + [10 * MS] * 40).examination
    assert found.diagnosis is not None
    assert not found.diagnosis.standing.stands_out
    (verdict,) = found.verdicts
    assert (verdict.kind, verdict.service) == (Trouble.SLOW, "chat")
    assert isinstance(verdict.evidence, Grown)
    assert verdict.evidence.site == CHAT
    assert (verdict.evidence.traces, verdict.evidence.others) == (40, 80)
    assert 10 * MS <= verdict.evidence.us < 10_300
    assert 1 * MS <= verdict.evidence.usual_us < 1_300


def test_whoever_works_as_always_is_not_named() -> None:
    assert all(homes([1 * MS] * 120, seed).examination.verdicts == () for seed in range(20))


def test_a_few_microseconds_more_are_nothing_to_tell_however_sure() -> None:
    assert homes([1 * MS] * 80 + [1_350] * 40).examination.verdicts == ()


def test_what_requests_feel_is_told_by_the_diagnosis_alone() -> None:
    found = homes([1 * MS] * 80 + [90 * MS] * 40).examination
    assert [(each.kind, each.service) for each in found.verdicts[:1]] == [(Trouble.SLOW, "chat")]
    assert not any(isinstance(each.evidence, Grown) for each in found.verdicts)


def own(**us: int) -> Own:
    kinds = {"work": SELF, "pool": POOL, "queue": QUEUE, "lock": LOCK}
    return Own(tuple(Site("auth", name, kinds[name]) for name in us), tuple(us.values()))


def named(traces: list[Own], before: list[Own] | None = None) -> list[tuple[str, int, int]]:
    return [(each.site.operation, each.us, each.usual_us) for each in grown(traces, before)]


def test_who_does_not_wait_waits_for_nothing() -> None:
    assert named([own(work=5)] * 60 + [own(work=5, pool=9_000)] * 60) == [("pool", 9_000, 0)]


def test_a_queue_is_named_only_where_nothing_else_of_its_service_has_grown() -> None:
    calm = [own(work=5, pool=0, queue=0)] * 60
    assert named([*calm, *[own(work=5, pool=9_000, queue=80_000)] * 60]) == [("pool", 9_000, 0)]
    assert named([*calm, *[own(work=5, pool=0, queue=80_000)] * 60]) == [("queue", 80_000, 0)]


def test_the_work_of_whoever_holds_a_lock_that_is_waited_for_is_called_lock() -> None:
    calm, ill = [own(work=1_000, lock=0)] * 60, [own(work=30_000, lock=9_000)] * 60
    assert named([*calm, *ill]) == [("lock", 9_000, 0)]


def test_with_a_baseline_it_is_now_against_before() -> None:
    assert named([own(work=2_000)] * 60, [own(work=1_000)] * 60) == [("work", 2_000, 1_000)]
    assert named([own(work=1_000)] * 60, [own(work=2_000)] * 60) == []
    assert named([own(work=2_000)] * 19, [own(work=1_000)] * 500) == []


def two_reasons(**late: Any) -> list[Span]:
    """Every fiftieth login has a very slow database, as always; since login 200 something else is different."""
    draw = Stream(4, "two reasons")
    traces = [
        login(
            i, auth_us=2 * MS + draw.below(MS), db_us=40 * MS if i % 50 == 7 else 8 * MS + draw.below(2 * MS),
            **(late if i >= 200 else {}),
        )
        for i in range(400)
    ]  # fmt: skip
    return [span for each in traces for span in each]


def test_a_change_is_explained_by_what_has_changed_and_not_by_who_fills_the_tail_as_ever() -> None:
    full = (("pool.name", "auth-db"), ("pool.in_use", 1), ("pool.max", 1), ("pool.waiting", 9))
    found = judge(two_reasons(pool_us=8 * MS, sights=full), "x").examination
    assert found.diagnosis is not None
    assert found.diagnosis.comparison is Comparison.WINDOW
    assert [(each.kind, each.service) for each in found.verdicts[:1]] == [(Trouble.POOL, "auth")]
    assert (found.diagnosis.slow, found.diagnosis.fast) == (200, 200)


def test_a_tail_without_a_change_stays_a_tail() -> None:
    found = judge(two_reasons(), "x").examination
    assert found.diagnosis is not None
    assert found.diagnosis.comparison is Comparison.TAIL
