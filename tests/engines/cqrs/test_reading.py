"""Queries and deployments: fresh as was promised, or said so; one version or the other, never a mix."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.cqrs import (
    CUSTOMER_HISTORY,
    ORDER_SUMMARY,
    ORDER_SUMMARY_BUGGY,
    ORDER_SUMMARY_V2,
    REVENUE_BY_DAY,
    BadFields,
    Deployment,
    Freshness,
    MemoryModel,
    NotCaughtUp,
    Outcome,
    Projector,
    Query,
    Reader,
    UnknownProjection,
    UnknownQuery,
    fold,
)
from engines.cqrs.queries import parse_query
from tests.engines.cqrs.shop import log
from tests.engines.cqrs.test_projections import poisoned

EVENTS = log(2)
ORDER = next(event.stream for event in EVENTS if event.type == "OrderShipped")
ASK = Query("q1", "GET_ORDER_SUMMARY", {"order": ORDER})


def reader(position: int = 0) -> Reader:
    served = {}
    for each in (ORDER_SUMMARY, CUSTOMER_HISTORY, REVENUE_BY_DAY):
        served[each.name] = Deployment(fold(each, EVENTS[:position]))
    return Reader(served)


def advance(reader: Reader, to: int) -> None:
    for served in reader.served.values():
        for model in served.models():
            Projector(model).take(EVENTS[model.position : to])


# -- freshness ---------------------------------------------------------------------------------------------------------


def test_any_answers_at_once_and_says_of_which_position() -> None:
    stale = reader(5).ask(ASK, 10)
    assert stale is not None
    assert (stale.outcome, stale.position, stale.version) == (Outcome.OK, 5, 1)
    full = reader(len(EVENTS)).ask(ASK, 10)
    assert full is not None
    assert [row.status for row in full.rows] == ["shipped"]
    assert str(full) == f"1 rows as of position {len(EVENTS)}"


def test_read_your_writes_waits_until_the_projection_has_passed_the_position() -> None:
    side = reader(5)
    query = ASK._replace(freshness=Freshness.WAIT, position=9, timeout_us=1_000)
    assert side.ask(query, 100) is None
    assert side.due_us() == 1_100
    advance(side, 8)
    assert side.replies(500) == ()
    advance(side, 9)
    (reply,) = side.replies(600)
    assert (reply.outcome, reply.position, reply.waited_us) == (Outcome.OK, 9, 500)
    assert (side.waiting, side.due_us()) == ([], None)


def test_or_times_out_and_says_so_never_silently_stale() -> None:
    side = reader(5)
    assert side.ask(ASK._replace(freshness=Freshness.WAIT, position=9, timeout_us=1_000), 100) is None
    assert side.replies(1_099) == ()
    (reply,) = side.replies(1_100)
    assert (reply.outcome, reply.rows, reply.position) == (Outcome.TIMED_OUT, (), 5)
    assert "timed out" in str(reply)
    at_once = side.ask(ASK._replace(freshness=Freshness.WAIT, position=9, timeout_us=0), 100)
    assert at_once is not None
    assert at_once.outcome is Outcome.TIMED_OUT


def test_a_version_token_is_answered_at_once_either_way() -> None:
    side = reader(5)
    behind = side.ask(ASK._replace(freshness=Freshness.VERSION, position=6), 0)
    there = side.ask(ASK._replace(freshness=Freshness.VERSION, position=5), 0)
    assert behind is not None
    assert there is not None
    assert (behind.outcome, behind.rows, there.outcome) == (Outcome.BEHIND, (), Outcome.OK)
    assert side.waiting == []


def test_a_model_that_has_parked_a_write_has_not_passed_it() -> None:
    events = poisoned()
    bad = next(event for event in events if event.id == "bad")
    model = MemoryModel(ORDER_SUMMARY)
    Projector(model).take(events)
    history = MemoryModel(CUSTOMER_HISTORY)
    Projector(history).take(events)
    side = Reader({"order_summary": Deployment(model), "customer_history": Deployment(history)})
    of_all = Query("q", "GET_CUSTOMER_HISTORY", {"customer": "ada"}, Freshness.VERSION, bad.position)
    wants = Query("q", "GET_ORDER_SUMMARY", {"order": "order-1"}, Freshness.VERSION, bad.position)
    replies = [
        side.ask(wants, 0),
        side.ask(wants._replace(position=bad.position - 1), 0),
        side.ask(wants._replace(data={"order": "order-2"}), 0),
        side.ask(wants._replace(freshness=Freshness.WAIT, timeout_us=0), 0),
        side.ask(of_all, 0),
        side.ask(of_all._replace(position=bad.position - 1), 0),
    ]
    outcomes = [reply.outcome for reply in replies if reply is not None]
    assert outcomes == [
        Outcome.BEHIND, Outcome.OK, Outcome.OK, Outcome.TIMED_OUT, Outcome.BEHIND, Outcome.OK,
    ]  # fmt: skip


def test_a_reader_that_promises_nothing_is_stale() -> None:
    side = reader(5)
    side.promises = False
    reply = side.ask(ASK._replace(freshness=Freshness.WAIT, position=9), 0)
    assert reply is not None
    assert (reply.outcome, reply.position) == (Outcome.OK, 5)


def test_queries_by_the_second_key_and_for_everything() -> None:
    side = reader(len(EVENTS))
    history = side.ask(Query("q", "GET_CUSTOMER_HISTORY", {"customer": "ada"}), 0)
    days = side.ask(Query("q", "GET_REVENUE", {}), 0)
    assert history is not None
    assert days is not None
    assert {row.customer for row in history.rows} == {"ada"}
    assert len(days.rows) > 1
    one = side.ask(Query("q", "GET_REVENUE", {"day": days.rows[0].day}), 0)
    none = side.ask(Query("q", "GET_ORDER_SUMMARY", {"order": "order-nobody"}), 0)
    assert one is not None
    assert none is not None
    assert (one.rows, none.rows) == (days.rows[:1], ())


@pytest.mark.parametrize(
    ("query", "error", "said"),
    [
        (Query("q", "GET_WEATHER", {}), UnknownQuery, "unknown query 'GET_WEATHER': one of GET_ORDER_SUMMARY"),
        (Query("q", "GET_ORDER_SUMMARY", {}), BadFields, "the field 'order' is missing"),
        (Query("q", "GET_ORDER_SUMMARY", {"order": 7}), BadFields, "'order' is 7: a text is needed"),
        (Query("q", "GET_REVENUE", {"week": "1"}), BadFields, "unknown field 'week': day (a text) is accepted"),
    ],
)
def test_what_cannot_be_asked(query: Query, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        reader().ask(query, 0)
    assert said in str(caught.value)


def test_a_query_as_a_person_writes_it() -> None:
    written = parse_query("GET_CUSTOMER_HISTORY customer='ada king'")
    assert (written.name, written.data) == ("GET_CUSTOMER_HISTORY", {"customer": "ada king"})
    assert parse_query("GET_REVENUE").data == {}
    assert parse_query("GET_REVENUE day=a=b").data == {"day": "a=b"}
    for text, error, said in (
        ("", UnknownQuery, "unknown query ''"),
        ("GET_REVENUE day", BadFields, "GET_REVENUE: 'day' is no field=value"),
        (
            "GET_REVENUE 'day",
            BadFields,
            'query "GET_REVENUE \'day": No closing quotation: NAME field=value is accepted',
        ),
        ("GET_ORDER_SUMMARY", BadFields, "the field 'order' is missing"),
    ):
        with pytest.raises(error) as caught:
            parse_query(text)
        assert said in str(caught.value)


def test_a_projection_that_is_not_served_here() -> None:
    side = Reader({"revenue_by_day": Deployment(MemoryModel(REVENUE_BY_DAY))})
    with pytest.raises(UnknownProjection, match="no projection 'order_summary' is served here: revenue_by_day can be"):
        side.ask(ASK, 0)


# -- rebuild in place --------------------------------------------------------------------------------------------------


def test_in_place_readers_see_a_hole_and_are_told_how_far_it_is() -> None:
    head = 100
    events = EVENTS[:head]
    served = Deployment(fold(ORDER_SUMMARY_BUGGY, events))
    side = Reader({"order_summary": served})
    served.reset(head, ORDER_SUMMARY)
    assert (served.rebuilding, served.percent) == (True, 0)
    Projector(served.live).take(events[:40])
    reply = side.ask(ASK, 0)
    assert reply is not None
    assert (reply.outcome, reply.percent, str(reply)) == (Outcome.REBUILDING, 40, "rebuilding at 40 %")
    Projector(served.live).take(events[40:])
    after = side.ask(ASK, 0)
    assert after is not None
    assert (after.outcome, after.percent) == (Outcome.OK, 100)
    assert served.live.rows() == fold(ORDER_SUMMARY, events).rows()


# -- blue-green --------------------------------------------------------------------------------------------------------


def test_the_new_version_is_swapped_in_at_lag_0_in_one_step() -> None:
    head = len(EVENTS)
    served = Deployment(fold(ORDER_SUMMARY_BUGGY, EVENTS))
    new = served.begin(ORDER_SUMMARY_V2)
    with pytest.raises(NotCaughtUp, match=f"order_summary version 2: at 0 of {head} events"):
        served.swap(head)
    Projector(new).take(EVENTS[:-1])
    assert (served.built_percent(head), served.percent) == ((head - 1) * 100 // head, 100)
    with pytest.raises(NotCaughtUp):
        served.swap(head)
    Projector(new).take(EVENTS[-1:])
    old = served.live
    served.swap(head)
    assert (served.live, served.old, served.next, served.models()) == (new, old, None, (new, old))
    served.back()
    assert (served.live, served.old, served.swaps) == (old, new, 2)


def test_back_to_a_version_that_is_still_being_rebuilt_readers_are_told() -> None:
    head = len(EVENTS)
    told: list[int] = []
    served = Deployment(MemoryModel(ORDER_SUMMARY_BUGGY), served=lambda model: told.append(model.projection.version))
    assert (served.rebuilding, served.percent, served.built_percent(head)) == (False, 100, 100)
    served.begin(ORDER_SUMMARY_V2)
    assert served.built_percent(0) == 100
    served.reset(head, ORDER_SUMMARY)
    assert served.next is not None
    Projector(served.next).take(EVENTS)
    served.swap(head)
    assert (served.rebuilding, served.percent) == (False, 100)
    served.back()
    assert (served.rebuilding, served.percent, told) == (True, 0, [2, 1])


def test_what_cannot_be_swapped() -> None:
    served = Deployment(MemoryModel(ORDER_SUMMARY))
    with pytest.raises(NotCaughtUp, match="no new version is being built"):
        served.swap(0)
    with pytest.raises(NotCaughtUp, match="no version was served before"):
        served.back()
    served.begin(ORDER_SUMMARY_V2)
    served.abandon()
    assert (served.next, served.built_percent(5)) == (None, 100)


@given(st.integers(0, 10_000))
def test_blue_green_never_serves_a_mix(seed: int) -> None:
    """Every reply is, row by row, the fold of one version up to the position it names."""
    draw = random.Random(seed)
    served = Deployment(MemoryModel(ORDER_SUMMARY_BUGGY))
    side = Reader({"order_summary": served})
    versions = {1: ORDER_SUMMARY_BUGGY, 2: ORDER_SUMMARY_V2}
    head = 0
    for _ in range(60):
        head = min(len(EVENTS), head + draw.randrange(4))
        for model in served.models():
            Projector(model).take(EVENTS[model.position : draw.randint(model.position, head)])
        match draw.randrange(6):
            case 0 if served.next is None:
                served.begin(ORDER_SUMMARY_V2)
            case 1 if served.next is not None and served.next.position >= head:
                served.swap(head)
            case 2 if served.old is not None:
                served.back()
        reply = side.ask(Query("q", "GET_ORDER_SUMMARY", {"order": ORDER}), 0)
        assert reply is not None
        row = fold(versions[reply.version], EVENTS[: reply.position]).get(ORDER)
        assert reply.rows == (() if row is None else (row,))
