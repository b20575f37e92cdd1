"""Spans: whole microseconds that still add up, and what a span says of itself."""

import pickle

from engines.tracing.spans import KeyValues, Kind, Link, Span, SpanEvent, Status, is_zero, said
from engines.tracing.waiting import LOCK, POOL, QUEUE, SELF, callee, saturation, waited_for
from tests.engines.tracing.shapes import span

SPAN = Span("a" * 32, "b" * 16, "", "GET /", "web", Kind.SERVER, 1_999, 4_001)


def test_times_are_rounded_down_so_that_touching_spans_still_touch() -> None:
    following = SPAN._replace(start_ns=4_001, end_ns=9_999)
    assert (SPAN.start_us, SPAN.end_us, SPAN.duration_us) == (1, 4, 3)
    assert SPAN.end_us == following.start_us
    assert SPAN.duration_us + following.duration_us == following.end_us - SPAN.start_us


def test_a_span_that_ends_before_it_starts_says_so() -> None:
    assert SPAN._replace(end_ns=0).duration_us == -1


def test_attributes_are_looked_up_in_the_span_and_then_in_its_resource() -> None:
    made = SPAN._replace(attributes=(("a", 1),), resource=(("a", 2), ("b", 3)))
    assert (made.get("a"), made.get("b"), made.get("c"), made.get("c", 7)) == (1, 3, None, 7)


def test_error_is_a_status_and_a_label_is_service_and_operation() -> None:
    assert SPAN._replace(status=Status.ERROR).is_error
    assert SPAN._replace(status=2).is_error  # type: ignore[arg-type]
    assert not SPAN._replace(status=Status.OK).is_error
    assert SPAN.label == "web/GET /"


def test_an_id_is_absent_if_it_is_empty_or_all_zeros() -> None:
    assert [is_zero(each) for each in ("", "0", "0" * 16, "0" * 32, "00000001", "a")] == [True] * 4 + [False] * 2


def test_spans_are_plain_data() -> None:
    made = SPAN._replace(
        attributes=(("list", (1, 2)), ("map", KeyValues((("k", b"v"),)))),
        events=(SpanEvent(2_000, "retry"),),
        links=(Link("c" * 32, "d" * 16),),
    )
    assert pickle.loads(pickle.dumps(made)) == made
    assert hash(made) == hash(pickle.loads(pickle.dumps(made)))


def test_how_saturated_the_thing_waited_for_is_stands_in_the_attributes() -> None:
    pool = span("p", "", 0, 1, attributes=(("pool.in_use", 10), ("pool.max", 12), ("pool.waiting", 34)))
    queue = span("q", "", 0, 1, attributes=(("workers.busy", 8), ("queue.depth", 3)))
    lock = span("l", "", 0, 1, attributes=(("lock.waiting", 5), ("lock.name", "stock")))
    assert saturation(pool, POOL) == (10, 12, 34)
    assert saturation(queue, QUEUE) == (8, -1, 3)
    assert saturation(lock, LOCK) == (-1, -1, 5)
    assert saturation(pool, SELF) == (-1, -1, -1)
    assert waited_for(lock, LOCK) == "stock"


def test_nonsense_in_these_attributes_is_no_evidence() -> None:
    odd = span("p", "", 0, 1, attributes=(("pool.in_use", "many"), ("pool.max", -3), ("pool.waiting", 2.5)))
    assert saturation(odd, POOL) == (-1, -1, -1)


def test_pools_and_callees_are_named_as_the_conventions_name_them() -> None:
    pool = span("p", "", 0, 1, attributes=(("db.client.connection.pool.name", "main"),))
    assert waited_for(pool, POOL) == "main"
    assert (
        callee(span("c", "", 0, 1, attributes=(("db.system", "mysql"), ("server.address", "10.0.0.7")))) == "10.0.0.7"
    )
    assert callee(span("c", "", 0, 1)) == ""


def test_a_service_is_asked_for_by_its_short_name_or_by_that_of_its_attribute() -> None:
    one = Span("a" * 32, "b" * 16, "", "GET /", "web")
    assert said(one, "service") == said(one, "service.name") == "web"
