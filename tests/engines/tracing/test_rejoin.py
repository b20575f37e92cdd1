"""What a dropped header tore apart is joined again before anybody asks where the time went."""

from engines.tracing.cohorts import Book
from engines.tracing.critical import critical_path
from engines.tracing.judge import judge
from engines.tracing.rejoin import rejoined
from engines.tracing.spans import NS_PER_US, Kind, Span
from engines.tracing.split import Cohort
from engines.tracing.symptoms import symptoms_of
from engines.tracing.tree import build
from engines.tracing.verdicts import Trouble
from tests.engines.tracing.requests import MS, login


def torn(number: int, db_us: int = 4 * MS) -> list[list[Span]]:
    """A login of which everything from auth on is a trace of its own."""
    whole = login(number, db_us=db_us)
    named = [whole[0], whole[1]._replace(attributes=(("peer.service", "auth"),))]
    other = f"{number + 1_000_001:032x}"
    rest = [span._replace(trace_id=other) for span in whole[2:]]
    return [named, [rest[0]._replace(parent_id=""), *rest[1:]]]


def cohort(book: Book, traces: list[list[Span]]) -> Cohort:
    trees = [build(tuple(each)) for each in traces]
    return Cohort([book.add(tree, critical_path(tree)) for tree in trees], [symptoms_of(tree) for tree in trees])


def joined(traces: list[list[Span]]) -> Cohort:
    book = Book()
    by_id = {each[0].trace_id: each for each in traces}
    return rejoined(book, cohort(book, traces), by_id.__getitem__)


def test_a_piece_comes_below_the_call_that_encloses_it() -> None:
    found = joined([login(0), *torn(1)])
    assert len(found.summaries) == 2
    book = Book()
    (whole,) = cohort(book, [login(1)]).summaries
    assert found.summaries[1].duration_us == whole.duration_us
    assert found.symptoms[1].edges == symptoms_of(build(tuple(login(1)))).edges


def test_of_several_calls_the_tightest_is_taken_and_every_call_once() -> None:
    """Two logins at one time, of which the second waits longer: each piece finds its own call."""
    first, second = torn(1), torn(1, db_us=40 * MS)
    second = [[span._replace(trace_id=f"{int(span.trace_id, 16) + 5:032x}") for span in each] for each in second]
    found = joined([login(0), *first, *second])
    assert len(found.summaries) == 3
    parts = [dict(each.parts) for each in found.summaries[1:]]
    assert max(parts[0].values()) == 4 * MS
    assert max(parts[1].values()) == 40 * MS


def test_what_fits_nowhere_stays_by_itself() -> None:
    late = [[span._replace(start_ns=span.start_ns + 10**12, end_ns=span.end_ns + 10**12) for span in torn(1)[1]]]
    found = joined([login(0), torn(1)[0], *late])
    assert len(found.summaries) == 3


def test_a_call_that_is_too_short_for_the_piece_is_not_its_caller() -> None:
    caller, piece = torn(1)
    short = caller[1]._replace(end_ns=caller[1].start_ns + 3 * MS * NS_PER_US)
    assert len(joined([login(0), [caller[0], short], piece]).summaries) == 3


def test_the_diagnosis_sees_through_a_dropped_header() -> None:
    """From login 120 on web drops the header, and the database below is slow."""
    spans = [span for i in range(120) for span in login(i)]
    spans += [span for i in range(120, 240) for each in torn(i, db_us=90 * MS) for span in each]
    named = judge(spans, "x").examination.verdicts
    assert [(each.kind, each.service) for each in named[:2]] == [(Trouble.HEADER, "web"), (Trouble.SLOW, "auth-db")]


def test_without_a_dropped_header_nothing_is_joined() -> None:
    spans = [span for i in range(120) for span in login(i, db_us=90 * MS if i > 60 else 4 * MS)]
    own = [Span(f"{9_000 + i:032x}", "1" * 16, "", "cron", "auth", Kind.SERVER, i * 10**10, i * 10**10 + 10**6)
           for i in range(20)]  # fmt: skip
    found = judge([*spans, *own], "x")
    assert len(found.traces) == 140
    assert [each.kind for each in found.examination.verdicts] == [Trouble.SLOW]
