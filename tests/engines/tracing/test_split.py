"""One part of the traces against the rest: windows, attributes, failures, and the window that the data propose."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.sim.random import Stream
from engines.tracing.cohorts import Book
from engines.tracing.critical import critical_path
from engines.tracing.diagnosis import Lack, NoDiagnosis
from engines.tracing.examination import Cohort, compare, propose
from engines.tracing.gap import Comparison
from engines.tracing.judge import judge
from engines.tracing.spans import Span, Status
from engines.tracing.split import SURE, Failed, Where, Window, proposed, split, stretch_of
from engines.tracing.symptoms import symptoms_of
from engines.tracing.tree import build
from engines.tracing.verdicts import Trouble
from tests.engines.tracing.requests import MS, login

EVERY_US = 10_000 * MS
"""A login begins every ten seconds."""


def logins(count: int, seed: int = 1, since: int = 0, **steps: Any) -> list[list[Span]]:
    draw = Stream(seed, "logins")
    return [login(since + i, auth_us=2 * MS + draw.below(MS), **steps) for i in range(count)]


def incident() -> list[list[Span]]:
    """Logins 100 to 139 of 200 find a slow database on host h2."""
    return [
        *logins(100), *logins(40, 2, 100, db_us=60 * MS, host="h2"), *logins(60, 3, 140),
    ]  # fmt: skip


def held(traces: list[list[Span]]) -> tuple[Book, Cohort]:
    book, trees = Book(), [build(each) for each in traces]
    return book, Cohort([book.add(tree, critical_path(tree)) for tree in trees], [symptoms_of(tree) for tree in trees])


def flat(traces: list[list[Span]]) -> list[Span]:
    return [span for each in traces for span in each]


# -- cohorts ---------------------------------------------------------------------------------------------------------


def test_a_window_takes_the_traces_that_begin_in_it_and_not_the_one_at_its_end() -> None:
    _, traces = held(logins(10))
    inside, outside = split(Window(2 * EVERY_US, 5 * EVERY_US), traces, 0)
    assert [each.start_us // EVERY_US for each in inside.summaries] == [2, 3, 4]
    assert len(outside.summaries) == len(outside.symptoms) == 7


def test_of_a_choice_with_hardly_a_trace_it_is_said_how_many_it_has() -> None:
    book, traces = held(logins(60))
    assert compare(book, traces, Failed(), 0).lack == NoDiagnosis(Lack.FEW_NOW, "", "", 0, Comparison.ERRORS)
    few = NoDiagnosis(Lack.FEW_NOW, "web", "GET /login", 7, Comparison.WINDOW)
    assert compare(book, traces, Window(0, 7 * EVERY_US), 0).lack == few


def test_a_window_counts_from_where_the_data_begin() -> None:
    _, traces = held(logins(10, since=1_000))
    inside, _ = split(Window(0, EVERY_US), traces, 1_000 * EVERY_US)
    assert [each.start_us // EVERY_US for each in inside.summaries] == [1_000]


@pytest.mark.parametrize(
    ("key", "value", "matches"),
    [
        ("host.name", "h1", True), ("host.name", "h2", False), ("service", "auth", True), ("operation", "SELECT", True),
        ("status", "error", False), ("status", "unset", True), ("nothing", "x", False),
    ],
)  # fmt: skip
def test_an_attribute_is_looked_for_on_any_span(key: str, value: str, matches: bool) -> None:
    assert any(map(Where(key, value).matches, login(0))) is matches


def test_a_number_and_a_truth_are_compared_as_people_write_them() -> None:
    span = login(0)[0]._replace(attributes=(("http.status_code", 500), ("cache.hit", True)), resource=(("version", 2),))
    assert all(each.matches(span) for each in (Where("http.status_code", "500"), Where("cache.hit", "true")))
    assert Where("version", "2").matches(span)
    assert not Where("cache.hit", "1").matches(span)


@given(st.integers(2, 60), st.integers(0, 60), st.integers(1, 60))
def test_contributions_add_up_exactly_whatever_the_window(count: int, low: int, length: int) -> None:
    book, traces = held([login(i, db_us=(i * 7919 % 13) * MS) for i in range(max(count, 45))])
    found = compare(book, traces, Window(low * EVERY_US, (low + length) * EVERY_US), 0)
    for each in found.diagnoses:
        assert sum(part.scaled for part in each.contributions) == each.gap_scaled
        assert sum(part.us for part in each.contributions) == each.gap_us


# -- through the whole analysis --------------------------------------------------------------------------------------


def test_a_window_is_explained_against_the_time_outside_it() -> None:
    found = judge(flat(incident()), "x", choice=Window(100 * EVERY_US, 140 * EVERY_US)).examination
    assert found.diagnosis is not None
    assert (found.diagnosis.comparison, found.diagnosis.slow, found.diagnosis.fast) == (Comparison.WINDOW, 40, 160)
    assert (found.verdicts[0].kind, found.verdicts[0].service) == (Trouble.SLOW, "auth-db")


def test_an_attribute_is_explained_against_the_traces_without_it() -> None:
    judged = judge(flat(incident()), "x", choice=Where("host.name", "h2"))
    assert judged.having == 40
    found = judged.examination
    assert found.diagnosis is not None
    assert found.diagnosis.comparison is Comparison.ATTRIBUTE
    assert (found.verdicts[0].kind, found.verdicts[0].service) == (Trouble.SLOW, "auth-db")


def test_the_other_way_round_the_others_are_no_slower() -> None:
    found = judge(flat(incident()), "x", choice=Where("host.name", "h1")).examination
    assert found.lack is not None
    assert (found.lack.why, found.lack.comparison) == (Lack.NOT_SLOWER, Comparison.ATTRIBUTE)


def test_of_an_attribute_that_no_trace_has_the_values_there_are_are_known() -> None:
    judged = judge(flat(incident()), "x", choice=Where("host.name", "h3"))
    assert (judged.having, judged.values) == (0, ("h1", "h2"))


def test_failing_requests_are_explained_against_those_that_go_well() -> None:
    slow = [
        [span._replace(status=Status.ERROR) if not span.parent_id else span for span in each]
        for each in logins(30, 2, 100, db_us=80 * MS)
    ]
    found = judge(flat([*logins(100), *slow]), "x", choice=Failed()).examination
    assert found.diagnosis is not None
    assert (found.diagnosis.comparison, found.diagnosis.slow) == (Comparison.ERRORS, 30)
    assert (found.diagnosis.verdict.service, found.diagnosis.verdict.us) == ("auth-db", 76 * MS)


# -- the window that the data propose --------------------------------------------------------------------------------


def test_an_incident_is_proposed_as_the_window_and_explained() -> None:
    book, traces = held(incident())
    found = propose(book, traces, 0)
    assert found is not None
    assert abs(found.window.from_us // EVERY_US - 100) <= 4
    assert abs(found.window.to_us // EVERY_US - 139) <= 4
    assert (found.examination.verdicts[0].kind, found.examination.verdicts[0].service) == (Trouble.SLOW, "auth-db")


def test_a_window_of_failures_is_proposed_too() -> None:
    failing = [[span._replace(status=Status.ERROR) for span in each] for each in logins(30, 2, 100)]
    _, traces = held([*logins(100), *failing, *logins(60, 3, 130)])
    window = proposed(traces, 0)
    assert window is not None
    assert (window.from_us // EVERY_US, window.to_us // EVERY_US) == (100, 129)


def test_operations_that_take_different_times_are_ranked_among_their_kind() -> None:
    """First only quick requests, then only long ones: nothing became slower."""
    long = [[span._replace(name="GET /report") if not span.parent_id else span for span in each]
            for each in logins(80, 2, 80, db_us=90 * MS)]  # fmt: skip
    _, traces = held([*logins(80), *long])
    assert proposed(traces, 0) is None


def test_of_300_series_in_which_nothing_changes_none_proposes_a_window() -> None:
    for seed in range(300):
        draw = Stream(seed, "noise")
        found = stretch_of([1_000 + draw.below(200) * (20 if draw.below(20) == 0 else 1) for _ in range(150)])
        assert found is None or found.evidence < SURE, seed


@given(st.lists(st.integers(0, 50), min_size=2, max_size=40))
def test_the_stretch_is_the_best_of_all_stretches(values: list[int]) -> None:
    n = len(values)
    above = [2 * (sum(b < a for b in values) + sum(b <= a for b in values) + 1) // 2 - (n + 1) for a in values]
    best = max(sum(above[i:j]) for i in range(n) for j in range(i + 1, n + 1))
    found = stretch_of(values)
    assert (found is None) == (best <= 0)
    if found is not None:
        assert sum(above[found.first : found.end]) == best
        assert found.evidence == 6_000 * best * best // (n**3 + n**2)
