"""The diagnosis: contributions that add up exactly, the walk to the cause, and one sentence with its evidence."""

import pickle
from types import NoneType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.tracing import cohorts
from engines.tracing.cohorts import Book
from engines.tracing.critical import critical_path
from engines.tracing.diagnosis import Comparison, Diagnosis, Lack, NoDiagnosis, diagnose
from engines.tracing.gap import GROUPS_MAX, OTHERS
from engines.tracing.spans import Attributes, Kind, Span, is_zero
from engines.tracing.tree import build
from engines.tracing.waiting import BACKOFF, EXTRA, LOCK, POOL, QUEUE, SELF, Time, by_name, may_wait, spent_on
from tests.engines.tracing.requests import MS, Request, book_of, login
from tests.engines.tracing.shapes import defective_traces, span
from tui.userdata.verdict_words import cause_words, step_words

FULL = (("pool.name", "auth-db"), ("pool.in_use", 10), ("pool.max", 10), ("pool.waiting", 34))


def diagnosed(book: Book, service: str = "web", operation: str = "GET /login") -> Diagnosis:
    found = diagnose(book, service, operation)
    assert isinstance(found, Diagnosis), found
    return found


def logins(slow: dict[str, Any], count: int = 200, every: int = 50, **fast: Any) -> Book:
    """Every fiftieth request is slow."""
    return book_of(login(i, **(fast | slow if i % every == 7 else fast)) for i in range(count))


# -- the sentence ------------------------------------------------------------------------------------------------


def test_the_articles_sentence_is_found() -> None:
    found = diagnosed(logins({"pool_us": 1_140 * MS, "auth_us": 90 * MS, "sights": FULL}))
    assert cause_words(found.verdict) == (
        "auth blocks at p99: 92 % of the extra time is waiting for its db pool (10/10 in use, 34 waiting)"
    )
    assert (found.verdict.service, found.verdict.kind, found.verdict.peer) == ("auth", POOL, "auth-db")
    assert (found.traces, found.slow, found.fast) == (200, 4, 196)


def test_the_evidence_is_the_worst_sight_in_the_slow_cohort() -> None:
    calm = (("pool.name", "auth-db"), ("pool.in_use", 2), ("pool.max", 10), ("pool.waiting", 0))
    book = logins({"pool_us": 900 * MS, "sights": FULL}, pool_us=10, sights=calm)
    assert (diagnosed(book).verdict.used, diagnosed(book).verdict.waiting) == (10, 34)


def test_without_evidence_in_the_spans_none_is_claimed() -> None:
    assert cause_words(diagnosed(logins({"pool_us": 900 * MS})).verdict) == (
        "auth blocks at p99: all of the extra time is waiting for its pool; a guess from the names of spans"
    )


def test_a_wait_of_a_foreign_trace_is_recognised_by_name_and_the_verdict_says_it_is_a_guess() -> None:
    found = diagnosed(logins({"pool_us": 900 * MS, "wait_name": "HikariDataSource.getConnection"}))
    assert (found.verdict.kind, found.verdict.guess) == (POOL, True)
    assert cause_words(found.verdict).endswith("; a guess from the names of spans")


def test_slow_work_is_told_with_its_times() -> None:
    assert cause_words(diagnosed(logins({"auth_us": 400 * MS})).verdict) == (
        "auth is slow at p99: all of the extra time is its own work in GET /token (400 ms instead of 2.0 ms)"
    )


def test_a_share_beyond_all_is_told_as_all_and_work_that_fast_requests_do_not_do_as_nothing() -> None:
    found = diagnosed(logins({"auth_us": 400 * MS, "db_us": 0}, auth_us=0))
    assert found.verdict.ppm > 1_000_000
    assert cause_words(found.verdict) == (
        "auth is slow at p99: all of the extra time is its own work in GET /token (400 ms instead of nothing)"
    )


def test_a_callee_that_sends_no_spans_is_told_as_a_call() -> None:
    def request(number: int) -> list[Span]:
        made = Request(number)
        lasts = 500 * MS if number % 50 == 7 else MS
        db = (("db.system.name", "postgresql"),)
        made.spend("api", "GET /x", Kind.SERVER, lambda own: made.spend("api", "SELECT", Kind.CLIENT, lasts, own, db))
        return made.spans

    found = diagnosed(book_of(map(request, range(100))), "api", "GET /x")
    assert cause_words(found.verdict) == (
        "api waits at p99: all of the extra time is in its calls to postgresql, outside any span of theirs "
        "(500 ms instead of 1.0 ms)"
    )


# -- when there is none ------------------------------------------------------------------------------------------


def test_below_100_traces_there_is_no_diagnosis_and_this_is_the_reason() -> None:
    found = diagnose(logins({"auth_us": 400 * MS}, count=99), "web", "GET /login")
    assert found == NoDiagnosis(Lack.FEW, "web", "GET /login", 99)
    assert isinstance(diagnose(logins({"auth_us": 400 * MS}, count=100), "web", "GET /login"), Diagnosis)


def test_an_operation_nobody_asked_for_has_no_traces() -> None:
    found = diagnose(Book(), "web", "GET /nothing")
    assert isinstance(found, NoDiagnosis)
    assert found == NoDiagnosis(Lack.FEW, "web", "GET /nothing", 0)


def test_where_all_take_the_same_time_there_is_nothing_to_explain() -> None:
    found = diagnose(logins({}), "web", "GET /login")
    assert found == NoDiagnosis(Lack.NO_TAIL, "web", "GET /login", 200)


def test_the_operations_of_others_do_not_count() -> None:
    book = logins({"auth_us": 400 * MS}, count=100)
    tree = build([span("a", "", 0, 10, service="web", trace_id="f" * 32)])
    book.add(tree, critical_path(tree))
    assert book.roots() == (("web", "GET /login", 100), ("web", "a", 1))
    assert diagnosed(book).traces == 100


# -- cohorts and sums --------------------------------------------------------------------------------------------


def test_the_cohorts_are_at_or_above_p99_and_at_or_below_p50() -> None:
    found = diagnosed(book_of(login(i, auth_us=i * MS) for i in range(1, 301)))
    assert (found.slow, found.fast) == (4, 150)
    assert found.p99_us - found.p50_us == (297 - 150) * MS
    assert found.slow_mean_us - found.fast_mean_us == found.gap_us


def test_contributions_name_service_operation_and_kind_and_add_up_exactly() -> None:
    found = diagnosed(book_of(login(i, i * i % 997, 3 * i, i % 13 * 7, 5 * i % 11) for i in range(1, 257)))
    assert sum(each.scaled for each in found.contributions) == found.gap_scaled
    assert sum(each.us for each in found.contributions) == found.gap_us
    assert {each[:3] for each in found.contributions} >= {
        ("auth", "GET /token", POOL),
        ("auth-db", "SELECT tokens", SELF),
        ("web", "GET /login", QUEUE),
    }


def test_more_contributions_than_are_listed_are_summed_in_one_line() -> None:
    def request(number: int) -> list[Span]:
        made = Request(number)

        def web(own: str) -> None:
            for i in range(100):
                made.spend(f"s{i}", "work", Kind.SERVER, (number % 7) * i + number, own)

        made.spend("web", "GET /", Kind.SERVER, web)
        return made.spans

    found = diagnosed(book_of(map(request, range(100))), "web", "GET /")
    assert len(found.contributions) == GROUPS_MAX
    assert found.contributions[-1].service == OTHERS
    assert sum(each.scaled for each in found.contributions) == found.gap_scaled
    assert sum(each.us for each in found.contributions) == found.gap_us


# -- the walk ----------------------------------------------------------------------------------------------------


def test_the_walk_leads_from_the_root_operation_to_the_cause() -> None:
    found = diagnosed(logins({"pool_us": 900 * MS}))
    assert [step[:2] for step in found.walk] == [
        ("web", "GET /login"),
        ("web", "GET"),
        ("auth", "GET /token"),
        ("auth", "GET /token"),
    ]
    assert found.walk[-1] == found.verdict


def test_a_queue_whose_workers_are_held_downstream_is_a_consequence() -> None:
    found = diagnosed(logins({"web_queue_us": 2_000 * MS, "db_us": 500 * MS}, web_queue_us=10))
    assert (found.contributions[0].service, found.contributions[0].kind) == ("web", QUEUE)
    assert (found.verdict.service, found.verdict.kind) == ("auth-db", SELF)
    assert step_words(found.walk[-1]) == (
        "web waits for its workers, and these are held longer than at p50: "
        "auth-db takes 500 ms instead of 4.0 ms (self)"
    )
    assert found.alternatives == (), "the queue is explained by what is below it"


def test_what_the_first_cause_leaves_is_explained_again() -> None:
    found = diagnosed(logins({"db_us": 500 * MS, "auth_us": 300 * MS}))
    assert (found.verdict.service, found.verdict.kind) == ("auth-db", SELF)
    assert [(each.service, each.kind) for each in found.alternatives] == [("auth", SELF)]
    assert found.verdict.us + found.alternatives[0].us == found.gap_us


def test_a_queue_is_named_once_with_both_causes_behind_it() -> None:
    found = diagnosed(logins({"web_queue_us": 2_000 * MS, "db_us": 500 * MS, "auth_us": 400 * MS}, web_queue_us=10))
    named = [found.verdict, *found.alternatives]
    assert [(each.service, each.kind) for each in named] == [("auth-db", SELF), ("auth", SELF)]


def test_a_pool_behind_which_all_is_as_fast_as_ever_is_the_cause_itself() -> None:
    found = diagnosed(logins({"web_queue_us": 2_000 * MS, "pool_us": 900 * MS}, web_queue_us=10))
    assert (found.verdict.service, found.verdict.kind) == ("auth", POOL)


def test_a_queue_with_nothing_grown_behind_it_is_overload() -> None:
    found = diagnosed(logins({"web_queue_us": 2_000 * MS}, web_queue_us=10))
    assert (
        cause_words(found.verdict)
        == "web is overloaded at p99: all of the extra time is waiting for its workers (8/8 busy)"
    )


def test_a_little_growth_of_everything_is_only_how_slow_requests_were_picked() -> None:
    found = diagnosed(logins({"pool_us": 900 * MS, "db_us": 9 * MS}, pool_us=5))
    assert (found.verdict.service, found.verdict.kind) == ("auth", POOL)


def test_a_pool_that_is_empty_because_the_database_is_slow_blames_the_database() -> None:
    found = diagnosed(logins({"pool_us": 900 * MS, "db_us": 80 * MS}, pool_us=5))
    assert (found.verdict.service, found.verdict.kind) == ("auth-db", SELF)


# -- beside the verdict ------------------------------------------------------------------------------------------


def test_alternatives_are_ranked_and_the_verdict_is_not_among_them() -> None:
    found = diagnosed(logins({"pool_us": 900 * MS, "auth_us": 100 * MS, "db_us": 5 * MS}))
    assert [(each.service, each.kind) for each in found.alternatives] == [("auth", SELF)]
    assert found.alternatives[0].ppm < found.verdict.ppm


def test_what_would_be_saved_without_the_wait_is_worked_out_per_trace() -> None:
    assert diagnosed(logins({"pool_us": 900 * MS})).verdict.saved_us == 900 * MS


def test_attributes_that_tell_slow_from_fast_requests_are_named() -> None:
    found = diagnosed(logins({"auth_us": 400 * MS, "host": "h2"}))
    assert [(each.service, each.key, each.value, each.slow_ppm, each.fast_ppm) for each in found.differences] == [
        ("auth", "host.name", "h1", 0, 1_000_000),
        ("auth", "host.name", "h2", 1_000_000, 0),
    ]


def test_attributes_with_many_values_tell_nothing_and_are_forgotten() -> None:
    book = book_of(login(i, auth_us=i * MS, host=f"pod-{i}") for i in range(1, 301))
    assert sum(fact.key == "host.name" for fact in book.facts) == cohorts.VALUES_MAX
    assert diagnosed(book).differences == ()


def test_it_names_a_trace_at_p99_and_one_at_p50() -> None:
    book = book_of(login(i, auth_us=i * MS) for i in range(1, 101))
    found = diagnosed(book)
    assert book.traces[found.slow_trace].duration_us == found.p99_us
    assert book.traces[found.median_trace].duration_us == found.p50_us


# -- the book ----------------------------------------------------------------------------------------------------


def test_the_parts_of_a_summary_add_up_to_the_duration() -> None:
    summary = next(iter(book_of([login(1, pool_us=5, web_queue_us=3)]).traces.values()))
    assert sum(length for _, length in summary.parts) == summary.duration_us


def test_a_trace_that_late_spans_change_is_counted_once() -> None:
    spans = login(1, pool_us=900)
    book = book_of([spans[:-1], spans])
    assert len(book) == 1
    parts = {book.parts[part].kind: length for part, length in book.traces[spans[0].trace_id].parts}
    assert parts[POOL] == 900


def test_the_book_forgets_the_oldest_traces() -> None:
    book = Book(traces_max=3)
    for number in range(5):
        tree = build(login(number))
        book.add(tree, critical_path(tree))
    assert list(book.traces) == [f"{number + 1:032x}" for number in (2, 3, 4)]
    assert book.forgotten == 2


def test_calls_deeper_than_can_be_told_apart_keep_their_own_names() -> None:
    spans = [span(f"{i}", f"{i - 1}" if i else "", i, 10_000 - i, service=f"s{i}") for i in range(400)]
    book = book_of([spans])
    named = {book.chains[part.chain].service for part in book.parts}
    assert named == {f"s{i}" for i in range(400)}
    assert max(book._depths) == cohorts.DEPTH_MAX


def test_past_its_bound_the_book_learns_no_new_chains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cohorts, "CHAINS_MAX", 10)
    book = book_of([[span("r", "", 0, 99), *(span(f"k{i}", "r", i, i + 1) for i in range(50))]])
    assert len(book.chains) == 10
    assert sum(length for _, length in next(iter(book.traces.values())).parts) == 99


def test_a_book_is_plain_data() -> None:
    book = logins({"pool_us": 900 * MS, "sights": FULL})
    assert diagnose(pickle.loads(pickle.dumps(book)), "web", "GET /login") == diagnosed(book)


def leaves(value: object) -> set[type]:
    """The types a diagnosis is made of."""
    if isinstance(value, tuple):
        return {each for part in value for each in leaves(part)}
    return {type(value)}


def test_a_diagnosis_holds_numbers_and_words_only() -> None:
    assert leaves(diagnosed(logins({"pool_us": 900 * MS, "sights": FULL}))) <= {
        int,
        str,
        bool,
        Time,
        Comparison,
        NoneType,
    }


# -- names of waits ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("HikariDataSource.getConnection", POOL),
        ("pg-pool.connect", POOL),
        ("db.pool.wait", POOL),
        ("Acquire connection from pool", POOL),
        ("connection.acquire", POOL),
        ("queue.wait", QUEUE),
        ("waiting in queue", QUEUE),
        ("time in queue", QUEUE),
        ("wait for worker", QUEUE),
        ("acquire mutex", LOCK),
        ("row lock wait", LOCK),
        ("lock.acquire", LOCK),
        ("retry backoff sleep", BACKOFF),
        ("SELECT blocks", SELF),
        ("GET /clock", SELF),
        ("unlock account", SELF),
        ("load pool table", SELF),
        ("publish to queue", SELF),
    ],
)
def test_foreign_waits_are_told_by_their_names(name: str, kind: str) -> None:
    assert by_name(name).kind == kind
    assert by_name(name).guess == (kind != SELF)


def test_what_serves_works_whatever_it_is_called() -> None:
    assert not may_wait(span("GET /queue/wait", "", 0, 1, kind=Kind.SERVER))
    assert may_wait(span("queue wait", "", 0, 1, kind=Kind.INTERNAL))


# -- laws --------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.lists(defective_traces(max_spans=8), min_size=1, max_size=6), st.integers(1, 9_999))
def test_contributions_add_up_to_the_gap_of_the_cohorts(shapes: list[list[Span]], step: int) -> None:
    book = Book()
    for number in range(120):
        trace_id = f"{number:032x}"
        inner = [each._replace(trace_id=trace_id) for each in shapes[number % len(shapes)]]
        start, lasts = number * step % 20_000, 20_000 + number * number * step % 30_000
        root = Span(trace_id, "f" * 16, "", "GET /", "web", Kind.SERVER, start, start + lasts)
        known = {each.span_id for each in inner if not is_zero(each.span_id)}
        inner = [each if each.parent_id in known else each._replace(parent_id=root.span_id) for each in inner]
        tree = build([root, *inner])
        summary = book.add(tree, critical_path(tree))
        assert sum(length for _, length in summary.parts) == summary.duration_us
    found = diagnose(book, "web", "GET /")
    if isinstance(found, NoDiagnosis):
        assert found.why is Lack.NO_TAIL
        return
    durations = sorted(each.duration_us for each in book.of("web", "GET /"))
    slow, fast = [d for d in durations if d >= found.p99_us], [d for d in durations if d <= found.p50_us]
    assert found.gap_scaled == sum(slow) * len(fast) - sum(fast) * len(slow)
    assert sum(each.scaled for each in found.contributions) == found.gap_scaled
    assert sum(each.us for each in found.contributions) == found.gap_us == found.gap_scaled // found.scale


# -- a miss that only slow requests have -------------------------------------------------------------------------


def products(
    count: int = 200,
    every: int = 50,
    misses: str = "catalog-cache",
    hit_key: str = "cache.hit",
    query_ms: int = 80,
    clients: bool = True,
) -> Book:
    """catalog asks its cache, then its database if that is slow's lot; ``misses`` says who tells of the miss."""

    def request(number: int) -> list[Span]:
        slow = number % every == 7
        made = Request(number, number * 10_000 * MS)

        def web(own: str) -> None:
            made.spend("catalog", "GET /items", Kind.SERVER, catalog, own)

        def catalog(own: str) -> None:
            made.now_us += 5 * MS + number % 7
            told = ((hit_key, not slow),) if misses == "catalog-cache" else ()
            if clients:
                made.spend("catalog", "GET", Kind.CLIENT, lambda call: cache(call, told), own)
            else:
                cache(own, told)
            if slow and clients:
                made.spend("catalog", "SELECT", Kind.CLIENT, database, own)
            elif slow:
                database(own)

        def cache(own: str, told: Attributes) -> None:
            made.spend("catalog-cache", "GET items", Kind.SERVER, 1 * MS, own, told)

        def database(own: str) -> None:
            made.spend("catalog-db", "SELECT items", Kind.SERVER, query_ms * MS, own)

        def edge(own: str) -> None:
            if misses == "elsewhere":
                made.spend("session-cache", "GET session", Kind.SERVER, 1 * MS, own, ((hit_key, not slow),))
            made.spend("web", "render", Kind.INTERNAL, web, own)

        made.spend("web", "GET /product", Kind.SERVER, edge)
        return made.spans

    return book_of(request(number) for number in range(count))


@pytest.mark.parametrize("clients", [True, False])
@pytest.mark.parametrize("hit_key", ["cache.hit", "cache_hit"])
def test_a_query_after_a_miss_that_fast_requests_do_not_have_is_no_slow_database(hit_key: str, clients: bool) -> None:
    found = diagnosed(products(hit_key=hit_key, clients=clients), operation="GET /product")
    assert (found.verdict.kind, found.verdict.service, found.verdict.peer) == (EXTRA, "catalog-db", "catalog-cache")
    assert found.walk[-1] == found.verdict
    assert cause_words(found.verdict) == (
        "99 % of the extra time at p99 is what a hit in catalog-cache would have spared: catalog-db SELECT items "
        "(80 ms); 100 % of the slow requests missed, 0 % of the fast"
    )
    assert sum(each.scaled for each in found.contributions) == found.gap_scaled


@pytest.mark.parametrize("misses", ["elsewhere", "nobody"])
def test_without_a_miss_of_the_cache_beside_it_the_work_itself_is_named(misses: str) -> None:
    found = diagnosed(products(misses=misses), operation="GET /product")
    assert (found.verdict.kind, found.verdict.service) == (SELF, "catalog-db")


def test_work_that_fast_requests_do_as_well_is_slow_whatever_the_caches_say() -> None:
    found = diagnosed(logins({"db_us": 400 * MS, "sights": (("cache.hit", False),), "pool_us": 10}))
    assert (found.verdict.kind, found.verdict.service) == (SELF, "auth-db")


@pytest.mark.parametrize(
    ("name", "kind", "evidence"),
    [
        ("acquire connection", POOL, ("pool.max", 10)),
        ("queue wait", QUEUE, ("workers.max", 8)),
        ("acquire lock", LOCK, ("lock.waiting", 3)),
        ("retry backoff", BACKOFF, ("retry.attempt", 2)),
    ],
)
def test_even_our_name_of_a_wait_is_a_guess_without_an_attribute_that_measures_it(
    name: str, kind: str, evidence: tuple[str, int]
) -> None:
    bare = span("wait", "", 0, 9)._replace(name=name)
    assert spent_on(bare) == (kind, True)
    assert spent_on(bare._replace(attributes=(("thread.id", 4), evidence))) == (kind, False)
