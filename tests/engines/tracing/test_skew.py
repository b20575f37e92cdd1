"""Clock skew: one shift per host, told, and never applied to the originals."""

from hypothesis import given, settings

from engines.tracing.critical import critical_path
from engines.tracing.skew import Shift, corrected, host_of
from engines.tracing.spans import NS_PER_US, Kind, Span, SpanEvent, Status
from engines.tracing.tree import build
from tests.engines.tracing.shapes import defective_traces, span

CALL = span("call", "", 100, 200, service="web", kind=Kind.CLIENT)


def serve(start: int, end: int, parent: str = "call", service: str = "db", **fields: object) -> Span:
    return span(f"serve{start}", parent, start, end, service=service, kind=Kind.SERVER, **fields)


def shifts(*spans: Span) -> list[tuple[str, int]]:
    return [(shift.host, shift.delta_us) for shift in corrected(spans).shifts]


def test_a_child_within_its_caller_is_left_alone() -> None:
    assert shifts(CALL, serve(110, 130)) == []


def test_a_child_that_starts_before_it_was_called_is_shifted_into_the_middle_of_the_call() -> None:
    found = corrected([CALL, serve(40, 120)])
    assert found.shifts == (Shift("db", 70, 1),)
    assert (found.spans[1].start_us, found.spans[1].end_us) == (110, 190)
    assert found.spans[0] is CALL


def test_a_child_that_ends_after_its_caller_had_the_answer_is_shifted_back() -> None:
    assert shifts(CALL, serve(300, 380)) == [("db", -190)]


def test_the_originals_are_never_changed() -> None:
    spans = [CALL, serve(40, 120)]
    before = list(spans)
    corrected(spans)
    assert spans == before


def test_a_host_has_one_clock_so_all_its_spans_are_shifted_alike() -> None:
    below = span("disk", "serve40", 50, 60, service="db", events=(SpanEvent(55_000, "seek"),))
    other = serve(105, 108)
    found = corrected([CALL, serve(40, 80), below, other])
    assert found.shifts == (Shift("db", 76, 2),)
    assert [each.start_us for each in found.spans] == [100, 116, 126, 181]
    assert found.spans[2].events[0].time_ns == 55_000 + 76 * NS_PER_US


def test_what_a_shifted_host_calls_is_measured_against_the_shifted_call() -> None:
    onward = span("on", "serve40", 50, 110, service="db", kind=Kind.CLIENT)
    last = serve(130, 150, parent="on", service="disk")
    assert shifts(CALL, serve(40, 120), onward, last) == [("db", 70)]


def test_a_caller_that_gave_up_says_nothing_about_the_end() -> None:
    gave_up = CALL._replace(status=Status.ERROR)
    assert shifts(gave_up, serve(150, 380)) == []
    assert shifts(gave_up, serve(90, 380)) == [("db", 10)]


def test_a_consumer_may_end_whenever_it_likes_but_not_start_before_it_was_sent_for() -> None:
    publish = span("publish", "", 100, 110, service="web", kind=Kind.PRODUCER)
    consume = span("consume", "publish", 500, 900, service="mail", kind=Kind.CONSUMER)
    early = span("consume", "publish", 80, 900, service="mail", kind=Kind.CONSUMER)
    assert shifts(publish, consume) == []
    assert shifts(publish, early) == [("mail", 20)]


def test_bounds_that_contradict_each_other_move_nothing_before_its_call() -> None:
    assert shifts(CALL, serve(50, 300)) == [("db", 50)]
    assert shifts(CALL, serve(110, 300)) == []


def test_a_host_is_named_by_its_resource_or_else_its_service() -> None:
    assert host_of(CALL._replace(resource=(("host.name", "h7"),))) == "h7"
    assert host_of(CALL) == "web"


def test_two_services_on_one_host_have_one_clock() -> None:
    one = (("host.name", "h1"),)
    assert shifts(CALL._replace(resource=one), serve(40, 120, resource=one)) == []


def test_the_correction_tells_the_shift_of_every_span() -> None:
    found = corrected([CALL, serve(40, 120)])
    assert [found.delta_us(each) for each in found.spans] == [0, 70]


def test_the_critical_path_finds_the_child_again() -> None:
    spans = [CALL, serve(10, 90)]
    assert len(critical_path(build(spans)).segments) == 1
    assert len(critical_path(build(corrected(spans).spans)).segments) == 3


@settings(max_examples=60, deadline=None)
@given(defective_traces())
def test_a_shift_changes_nothing_but_when_a_span_was(trace: list[Span]) -> None:
    found = corrected(trace)
    assert len(found.spans) == len(trace)
    for before, after in zip(trace, found.spans, strict=True):
        assert after.duration_us == before.duration_us
        assert after.start_us - before.start_us == found.delta_us(before)
        assert after._replace(start_ns=before.start_ns, end_ns=before.end_ns) == before
