"""The user's traces, judged: the JSON of the command line, the report, the checks and the digest."""

import json
from collections.abc import Iterator
from itertools import chain as joined

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import UserError
from engines.tracing import judge as judging
from engines.tracing.critical import NoLength, Path, critical_path
from engines.tracing.diagnosis import Lack, NoDiagnosis
from engines.tracing.judge import Judgement, contributions_check, judge
from engines.tracing.spans import Kind, Span, Status
from engines.tracing.tree import Tree, build
from tests.engines.tracing.requests import MS, login
from tests.engines.tracing.shapes import chain, defective_traces, ident, span
from tui.userdata import tracing_report as report

TRACE = [
    span("a", "", 100, 200, service="web", kind=Kind.SERVER),
    span("b", "a", 120, 180, service="db", status=Status.ERROR),
    span("c", "lost", 130, 150, service="db"),
]


def logins(count: int = 120, pool_us: int = 900 * MS) -> list[Span]:
    full = (("pool.name", "auth-db"), ("pool.in_use", 10), ("pool.max", 10), ("pool.waiting", 34))
    return [each for i in range(count) for each in login(i, pool_us=pool_us if i % 50 == 7 else 0, sights=full)]


class Odd:
    def lines(self) -> list[str]:
        return ["3 spans that start at 0, first: x.json: line 7"]


# -- the JSON ----------------------------------------------------------------------------------------------------


def test_a_trace_has_exactly_the_fields_that_were_promised() -> None:
    found = next(report.traces(judge(TRACE, "x.json")))
    assert found == {
        "trace_id": TRACE[0].trace_id,
        "spans": 3,
        "services": 2,
        "errors": 1,
        "missing_parents": 1,
        "duration_us": 100,
        "extent_us": 100,
        "critical_path": [
            {"span_id": ident("a"), "service": "web", "operation": "a", "start_us": 100, "end_us": 120},
            {"span_id": ident("b"), "service": "db", "operation": "b", "start_us": 120, "end_us": 180},
            {"span_id": ident("a"), "service": "web", "operation": "a", "start_us": 180, "end_us": 200},
        ],
        "self_time_us": {"db/b": 60, "web/a": 40, "db/c": 20},
        "root": {"service": "web", "operation": "a", "start_us": 100},
        "notes": [f"missing parent: span {ident('lost')}, the parent of db/c, is not here"],
    }


def test_beside_the_traces_stand_the_services_the_diagnosis_and_a_bounded_summary() -> None:
    found = judge(TRACE, "x.json", Odd())
    told = json.loads(json.dumps(report.head(found)))
    assert told["services"] == ["db", "web"]
    assert told["diagnosis"] is None
    assert told["snapshot"] | {"aggregates": None} == {
        "file": "x.json",
        "spans": 3,
        "traces": 1,
        "services": 2,
        "errors": 1,
        "missing_parents": 1,
        "refused_spans": 0,
        "wrong": {"missing parent": 1},
        "notices": ["3 spans that start at 0, first: x.json: line 7"],
        "aggregates": None,
    }
    assert found.virtual_time_us == 100
    assert found.events == 3


def test_below_100_traces_of_a_root_operation_the_diagnosis_is_null_with_that_reason() -> None:
    told = report.head(judge(logins(99), "x.json"))
    assert told["diagnosis"] is None
    assert told["diagnosis_reason"] == ("99 complete traces of web GET /login: 100 are needed to speak of its p99")


def test_with_100_traces_the_sentence_is_there_with_its_numbers() -> None:
    told = report.head(judge(logins(), "x.json"))["diagnosis"]
    assert told["sentence"] == (
        "auth blocks at p99: all of the extra time is waiting for its db pool (10/10 in use, 34 waiting)"
    )
    assert told["verdict"]["kind"] == "pool"
    assert told["verdict"]["share_ppm"] == 1_000_000
    assert told["cohorts"]["slow"]["traces"] == 3
    assert sum(each["us"] for each in told["contributions"]) == told["gap_us"] == 900 * MS
    assert json.dumps(told)


def test_of_several_root_operations_the_one_with_the_widest_gap_is_diagnosed() -> None:
    other = [each._replace(service=f"{each.service}2", trace_id="f" + each.trace_id[1:]) for each in logins(200, MS)]
    found = judge([*other, *logins()], "x.json").examination.diagnosis
    assert found is not None
    assert (found.service, found.traces) == ("web", 120)


# -- spans in any order ------------------------------------------------------------------------------------------


def test_spans_of_many_traces_may_come_in_any_order() -> None:
    spans = logins()
    in_turn, backwards = judge(spans, "x"), judge(spans[::-1], "x")
    assert sorted(in_turn.traces) == sorted(backwards.traces)
    assert in_turn.examination.verdicts
    assert in_turn.examination.verdicts == backwards.examination.verdicts


def test_past_its_bound_the_oldest_trace_is_judged_before_its_time_and_whole() -> None:
    first, second = login(1), login(2)
    found = judge([*first[:-1], *second, first[-1]], "x", spans_max=len(second) + 1)
    assert [each.spans for each in found.traces] == [len(first) - 1, len(second)]
    assert found.refused_spans == 1
    assert "1 span was too late" in "\n".join(report.lines(found))


def test_what_reading_raises_passes_through() -> None:
    def broken() -> Iterator[Span]:
        yield TRACE[0]
        raise UserError("x.json: line 2: no JSON")

    with pytest.raises(UserError, match="line 2"):
        judge(broken(), "x.json")


# -- odd traces --------------------------------------------------------------------------------------------------


def test_no_spans_are_judged_too() -> None:
    found = judge([], "x.json")
    assert (found.traces, found.virtual_time_us, found.examination.diagnosis) == ((), 0, None)
    assert found.examination.lack == NoDiagnosis(Lack.NOTHING)
    assert "0 spans of x.json" in "\n".join(report.lines(found))


def test_a_path_without_a_length_has_its_reason() -> None:
    found = judge([span("a", "", 5, 5)], "x").traces[0]
    assert [each[3:] for each in found.critical_path] == [(5, 5)]
    assert found.no_length is NoLength.NO_TIME
    assert report.trace_json(found)["notes"] == [f"critical path: {NoLength.NO_TIME.value}"]


def test_a_trace_id_of_zeros_is_told() -> None:
    found = judge([span("a", "", 1, 5, trace_id="0" * 32)], "x").traces[0]
    assert report.trace_json(found)["notes"] == ["trace id of zeros: these spans need not belong together"]


def test_calls_served_twice_of_many_pairs_that_call_seldom_name_nobody() -> None:
    """So few calls of each pair say that something repeats them, and not who."""
    spans: list[Span] = []
    for i in range(6):
        trace_id = f"{i + 1:032x}"
        call = span("a", "", 0, 50, service=f"web{i}", kind=Kind.CLIENT, trace_id=trace_id)
        served = [
            span(name, "a", start, start + 10, service=f"db{i}", kind=Kind.SERVER, trace_id=trace_id)
            for name, start in (("b", 5), ("c", 20))
        ]
        spans += [call, *served]
    assert judge(spans, "x").examination.verdicts == ()


def test_traces_without_a_root_are_not_diagnosed_as_if_they_had_one() -> None:
    found = judge([each for spans in (login(i) for i in range(120)) for each in spans[1:]], "x")
    assert found.examination.diagnosis is None
    assert found.examination.lack == NoDiagnosis(Lack.NOTHING)


def test_a_chain_of_8000_spans_is_judged() -> None:
    found = judge(chain(8_000), "x").traces[0]
    assert sum(end - start for *_, start, end in found.critical_path) == found.duration_us == 1_000_000


# -- the report, the checks, the digest --------------------------------------------------------------------------


def test_the_report_says_what_is_slow_in_words() -> None:
    text = "\n".join(report.lines(judge(logins(), "x.json", Odd())))
    assert "120 traces, 3 services" in text
    assert "auth blocks at p99: all of the extra time is waiting for its db pool" in text
    assert "what if: without it the slow ones would take 900 ms less" in text
    assert "3 spans that start at 0" in text
    assert "99 % auth acquire connection" in text
    assert text.isascii()


def holds(found: Judgement) -> list[bool]:
    return [check.ok for check in found.checks]


def test_the_checks_hold() -> None:
    assert holds(judge(logins(), "x")) == [True, True]


def test_a_path_that_is_no_partition_turns_the_check_red(monkeypatch: pytest.MonkeyPatch) -> None:
    def gappy(tree: Tree) -> Path:
        whole = critical_path(tree)
        return whole._replace(segments=whole.segments[1:])

    monkeypatch.setattr(judging, "critical_path", gappy)
    check = judge(TRACE, "x").checks[0]
    assert not check.ok
    assert TRACE[0].trace_id in check.witness[0]


def test_contributions_that_miss_the_gap_turn_the_check_red() -> None:
    found = judge(logins(), "x").examination.diagnosis
    assert found is not None
    assert contributions_check(found).ok
    first, *others = found.contributions
    off = found._replace(contributions=(first._replace(scaled=first.scaled + 1), *others))
    assert not contributions_check(off).ok
    off = found._replace(contributions=(first._replace(us=first.us - 1), *others))
    assert contributions_check(off).witness[1] == "as shown, by -1 us"


def test_equal_data_have_equal_digests_and_every_field_counts() -> None:
    digest = judge(TRACE, "x").digest
    assert judge(list(TRACE), "y").digest == digest
    for changed in (
        {"name": "other"},
        {"end_ns": 200_001},
        {"status": Status.OK},
        {"attributes": (("k", "v"),)},
        {"resource": (("host.name", "h1"),)},
        {"trace_state": "a=b"},
        {"flags": 1},
        {"dropped_links": 1},
    ):
        assert judge([TRACE[0]._replace(**changed), *TRACE[1:]], "x").digest != digest


def test_the_digest_counts_whose_resource_a_span_has() -> None:
    one, other = (("host.name", "h1"),), (("host.name", "h2"),)
    a, b = span("a", "", 0, 9), span("b", "a", 1, 2)
    digests = {
        judge([a._replace(resource=first), b._replace(resource=second)], "x").digest
        for first in (one, other)
        for second in (one, other)
    }
    assert len(digests) == 4


@settings(max_examples=40, deadline=None)
@given(st.lists(defective_traces(max_spans=12), max_size=4))
def test_whatever_comes_is_judged_with_a_path_or_a_reason(traces: list[list[Span]]) -> None:
    made = [[each._replace(trace_id=f"{n + 1:032x}") for each in spans] for n, spans in enumerate(traces)]
    found = judge(joined.from_iterable(made), "x")
    assert all(holds(found))
    assert len(found.traces) == sum(bool(spans) for spans in made)
    for result, spans in zip(found.traces, (spans for spans in made if spans), strict=True):
        assert sum(end - start for *_, start, end in result.critical_path) == result.duration_us
        assert result.critical_path
        assert result.duration_us or result.no_length is NoLength.NO_TIME
        assert result.spans == build(spans).real
    assert "\n".join(report.lines(found))
    assert json.dumps([report.head(found), *report.traces(found)])
