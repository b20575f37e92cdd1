"""Why requests fail: who fails first, the walk there, and whether it was always so."""

import pytest

from engines.tracing.cohorts import Book
from engines.tracing.critical import critical_path
from engines.tracing.examination import Cohort
from engines.tracing.failures import Beginning, Failures, Passed, failures_of
from engines.tracing.gap import Comparison
from engines.tracing.spans import Attributes, Span, SpanEvent, Status
from engines.tracing.symptoms import error_of, symptoms_of
from engines.tracing.tree import build
from tests.engines.tracing.requests import MS, login
from tui.userdata.verdict_words import failure_step_words, failure_words

TIMEOUT: Attributes = (("error.type", "timeout"),)


def failing(number: int, below: str = "auth-db", attributes: Attributes = TIMEOUT) -> list[Span]:
    """A login that fails in the database, or in auth itself; the callers pass the error on."""
    found = []
    for span in login(number):
        bad = below == "auth-db" or span.service == "web" or span.name == "GET /token"
        own = attributes if span.service == below else ()
        found.append(span._replace(status=Status.ERROR, attributes=(*span.attributes, *own)) if bad else span)
    return found


def cohort(book: Book, traces: list[list[Span]]) -> Cohort:
    trees = [build(each) for each in traces]
    return Cohort([book.add(tree, critical_path(tree)) for tree in trees], [symptoms_of(tree) for tree in trees])


def of(traces: list[list[Span]], before: list[list[Span]] | None = None) -> tuple[Failures, ...]:
    book = Book()
    return failures_of(book, cohort(book, traces), None if before is None else cohort(book, before))


def test_the_deepest_error_without_a_failing_child_is_where_it_begins() -> None:
    (found,) = of([failing(i) for i in range(8)])
    assert (found.traces, found.failed) == (8, 8)
    assert found.beginnings == (Beginning("auth-db", "SELECT tokens", "timeout", 8),)
    assert [(each.service, each.operation) for each in found.walk] == [
        ("web", "GET /login"), ("web", "GET"), ("auth", "GET /token"), ("auth", "SELECT"), ("auth-db", "SELECT tokens"),
    ]  # fmt: skip


def test_of_equally_deep_ones_the_first_counts_and_a_parallel_success_does_not() -> None:
    spans = login(0)
    other = spans[-1]._replace(span_id="f" * 16, name="UPDATE", status=Status.ERROR, start_ns=spans[-1].start_ns - MS)
    tree = build([*(span._replace(status=Status.ERROR) for span in spans), other])
    origin = symptoms_of(tree).origin
    assert origin is not None
    assert (origin.service, origin.operation) == ("auth-db", "UPDATE")


def test_where_failures_begin_in_two_places_the_walk_goes_to_the_more_frequent() -> None:
    (found,) = of([*(failing(i) for i in range(12)), *(failing(20 + i, "auth", ()) for i in range(4))])
    assert [(each.service, each.traces) for each in found.beginnings] == [("auth-db", 12), ("auth", 4)]
    assert found.walk[0] == Passed("web", "GET /login", 16)
    assert found.walk[-1] == Passed("auth-db", "SELECT tokens", 12)


def test_the_rate_before_and_after_a_change() -> None:
    (found,) = of([*(login(i) for i in range(80)), *(failing(80 + i) for i in range(40))])
    assert found.stands_out
    assert (found.before_ppm, found.now_ppm) == (0, 1_000_000)
    assert found.change is not None
    assert found.change.at == 80


def test_a_rate_that_never_changed_is_told_and_does_not_stand_out() -> None:
    (found,) = of([failing(i) if i % 10 == 3 else login(i) for i in range(120)])
    assert not found.stands_out
    assert found.before_ppm == found.now_ppm == 100_000
    assert failure_words(found) == (
        "12 of 120 requests of web GET /login fail, 100 % of them first in auth-db SELECT tokens (timeout); "
        "no more than before"
    )


def test_against_a_baseline_the_rates_of_both_are_told() -> None:
    before = [failing(500 + i) if i % 20 == 3 else login(500 + i) for i in range(100)]
    (found,) = of([failing(i) if i % 3 == 0 else login(i) for i in range(60)], before)
    assert found.stands_out
    assert (found.before_ppm, found.now_ppm) == (50_000, 333_333)
    assert failure_words(found).endswith("; 33 % fail now, 5 % in the baseline")
    (alike,) = of([failing(i) if i % 20 == 3 else login(i) for i in range(100)], before)
    assert not alike.stands_out


def test_a_rate_that_fell_is_told_in_the_order_of_time() -> None:
    (found,) = of([*(failing(i) for i in range(40)), *(login(40 + i) for i in range(80))])
    assert (found.before_ppm, found.now_ppm) == (1_000_000, 0)
    assert failure_words(found).endswith("; 0 % fail now, 100 % before")


@pytest.mark.parametrize(
    ("comparison", "ends"),
    [
        (Comparison.WINDOW, "; 100 % fail in the window, 0 % outside it"),
        (Comparison.ATTRIBUTE, "; 100 % fail in the chosen traces, 0 % in the others"),
        (Comparison.ERRORS, "(timeout)"),
    ],
)
def test_what_is_set_against_what_is_said_in_its_own_words(comparison: Comparison, ends: str) -> None:
    """Those that fail against those that go well: that all of them fail is no news, so they are counted among all."""
    book = Book()
    inside, outside = cohort(book, [failing(i) for i in range(30)]), cohort(book, [login(30 + i) for i in range(70)])
    (found,) = failures_of(book, inside, outside, comparison)
    assert failure_words(found).endswith(ends)
    assert (found.failed, found.traces) == ((30, 100) if comparison is Comparison.ERRORS else (30, 30))


def test_fewer_than_five_failures_have_no_pattern() -> None:
    assert of([failing(i) if i < 4 else login(i) for i in range(50)]) == ()


def test_an_error_below_a_request_that_went_well_is_no_failure() -> None:
    spared = [[span._replace(status=Status.UNSET) if not span.parent_id else span for span in failing(i)]
              for i in range(20)]  # fmt: skip
    assert of(spared) == ()


def test_what_a_span_says_of_its_error() -> None:
    span = login(0)[0]
    event = SpanEvent(0, "exception", (("exception.type", "java.net.SocketTimeoutException"),))
    assert error_of(span._replace(events=(event,))) == "java.net.SocketTimeoutException"
    assert error_of(span._replace(attributes=(("http.status_code", 503),))) == "503"
    assert error_of(span._replace(attributes=(("error.type", "timeout"), ("http.status_code", 503)))) == "timeout"
    assert error_of(span) == ""


def test_a_step_says_its_share() -> None:
    assert failure_step_words(Passed("web", "GET /login", 12), 16) == "75 % of the failures pass web GET /login"
