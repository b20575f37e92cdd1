"""Read models on the disk: the same rows as in memory, with their position in one transaction."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.cqrs import (
    CUSTOMER_HISTORY,
    ORDER_SUMMARY,
    ORDER_SUMMARY_BUGGY,
    ORDER_SUMMARY_V2,
    PROJECTIONS,
    REVENUE_BY_DAY,
    CqrsError,
    NotReadModels,
    Projector,
    Revenue,
    SqliteModel,
    SqliteModels,
    UnknownProjection,
    fold,
    rebuilder,
)
from engines.event_sourcing import CheckpointPolicy, MemoryStore, NewEvent, OnPoison
from engines.event_sourcing.subscriptions import Moment, Stopped
from tests.engines.cqrs.shop import log
from tests.engines.cqrs.test_projections import poisoned

EVENTS = log(4)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteModels]:
    with SqliteModels(f"{tmp_path}/rows.db") as opened:
        yield opened


def same(model: SqliteModel, position: int) -> bool:
    right = fold(model.projection, EVENTS[:position])
    return (model.rows(), model.position, model.count()) == (right.rows(), position, right.count())


@pytest.mark.parametrize("name", sorted(PROJECTIONS))
def test_the_rows_are_those_of_memory_event_by_event_and_in_pages(file: SqliteModels, name: str) -> None:
    model = file.model(PROJECTIONS[name])
    projector = Projector(model)
    for event in EVENTS[:60]:
        projector.deliver(event)
    assert same(model, 60)
    projector.take(EVENTS[60:])
    assert same(model, len(EVENTS))
    assert projector.take(EVENTS) == len(EVENTS)
    assert same(model, len(EVENTS)), "applying twice is applying once"


def test_inside_a_transaction_what_was_written_is_read_and_it_comes_with_its_position_or_not_at_all(
    file: SqliteModels,
) -> None:
    model = file.model(CUSTOMER_HISTORY)
    projector = Projector(model)
    projector.take(EVENTS[:30])

    def power_cut() -> None:
        with file.transaction():
            projector.take(EVENTS[30:])
            assert same(model, len(EVENTS))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        power_cut()
    assert same(model, 30)
    projector.take(EVENTS[30:])
    assert same(model, len(EVENTS))


def test_everything_is_there_again_when_the_file_is_opened_again(tmp_path: Path) -> None:
    path = f"{tmp_path}/rows.db"
    events = poisoned()
    with SqliteModels(path) as file:
        projector = Projector(file.model(ORDER_SUMMARY))
        for event in events:
            projector.deliver(event)
        parked, held, rows = list(projector.model.parked), projector.model.held, projector.model.rows()
    with SqliteModels(path) as file:
        model = file.model(ORDER_SUMMARY)
        assert (model.parked, model.held, model.rows(), model.position) == (parked, held, rows, len(events))
        assert [each.event.id for each in model.parked] == ["bad", "later"]
        assert Projector(model).replay_parked() == 0
        assert [each.event.id for each in file.model(ORDER_SUMMARY).parked] == ["bad", "later"]


def test_an_event_of_bytes_is_parked_as_it_is(file: SqliteModels) -> None:
    store = MemoryStore()
    store.save_events("order-1", [NewEvent("raw", "OrderPaid", b"\x00\xff")])
    Projector(file.model(REVENUE_BY_DAY)).deliver(store.events[0])
    (parked,) = file.model(REVENUE_BY_DAY).parked
    assert parked.event == store.events[0]


@pytest.mark.parametrize(
    ("policy", "idempotent", "times"),
    [
        (CheckpointPolicy.CHECKPOINT_FIRST, True, 0),
        (CheckpointPolicy.EFFECT_FIRST, False, 2),
        (CheckpointPolicy.EFFECT_FIRST, True, 1),
        (CheckpointPolicy.TOGETHER, False, 1),
    ],
)
def test_a_crash_between_effect_and_checkpoint(
    tmp_path: Path, policy: CheckpointPolicy, idempotent: bool, times: int
) -> None:
    store = MemoryStore()
    for number in range(1, 6):
        store.save_events(f"order-{number}", [NewEvent(f"e{number}", "OrderPaid", {"amount": 10**number})])
    path = f"{tmp_path}/rows.db"
    with SqliteModels(path) as file:
        projector = Projector(file.model(REVENUE_BY_DAY), policy, idempotent=idempotent)
        for event in store.events[:2]:
            projector.handle(event)
        for moment in projector.moments(store.events[2]):
            if moment is Moment.BETWEEN:
                break
    with SqliteModels(path) as file:
        model = file.model(REVENUE_BY_DAY)
        projector = Projector(model, policy, idempotent=idempotent)
        for event in store.read_all(model.position):
            projector.handle(event)
        wanted = [10**number for number in (1, 2, 4, 5)] + times * [1_000]
        assert model.rows() == (Revenue("1970-01-01", len(wanted), sum(wanted)),)


def test_a_rebuild_stops_at_poison_and_what_came_before_is_kept(file: SqliteModels) -> None:
    events = poisoned()
    bad = next(event for event in events if event.id == "bad")
    model = file.model(ORDER_SUMMARY)
    with pytest.raises(Stopped):
        rebuilder(model).take(events)
    assert model.position == bad.position - 1
    assert model.rows() == fold(ORDER_SUMMARY, events[: bad.position - 1]).rows()
    Projector(model, poison=OnPoison.PARK).take(events)
    assert model.get("order-1").status == "cancelled"


# -- versions ----------------------------------------------------------------------------------------------------------


def test_which_version_is_served_is_remembered(tmp_path: Path) -> None:
    path = f"{tmp_path}/rows.db"
    versions = (ORDER_SUMMARY, ORDER_SUMMARY_V2)
    with SqliteModels(path) as file:
        served = file.deployment(*versions)
        Projector(served.live).take(EVENTS)
        rebuilder(served.begin(ORDER_SUMMARY_V2)).take(EVENTS)
        assert file.deployment(*versions).live.projection.version == 1
        served.swap(len(EVENTS))
    with SqliteModels(path) as file:
        served = file.deployment(*versions)
        assert (served.live.projection.version, served.live.position) == (2, len(EVENTS))
        served.old = file.model(ORDER_SUMMARY)
        served.back()
    with SqliteModels(path, read_only=True) as file:
        assert file.deployment(*versions).live.projection.version == 1
        with pytest.raises(NotReadModels, match=r"order_summary is served in version 1: \[2\] are known"):
            file.deployment(ORDER_SUMMARY_V2)


def test_a_rebuild_in_place_by_the_next_version_leaves_nothing_of_the_old_one(file: SqliteModels) -> None:
    served = file.deployment(ORDER_SUMMARY_BUGGY, ORDER_SUMMARY_V2)
    Projector(served.live).take(EVENTS)
    served.reset(len(EVENTS), ORDER_SUMMARY_V2)
    assert (served.live.count(), served.percent, served.rebuilding) == (0, 0, True)
    rebuilder(served.live).take(EVENTS)
    assert served.live.rows() == fold(ORDER_SUMMARY_V2, EVENTS).rows()
    assert file.deployment(ORDER_SUMMARY_BUGGY, ORDER_SUMMARY_V2).live.projection.version == 2
    assert [row[0] for row in file.all("SELECT name FROM sqlite_master WHERE name LIKE 'order%' AND type='table'")] == [
        "order_summary_v2"
    ]


def test_another_process_reads_each_commit_as_a_whole(tmp_path: Path) -> None:
    path = f"{tmp_path}/rows.db"
    with SqliteModels(path) as writer:
        projector = Projector(writer.model(REVENUE_BY_DAY))
        projector.take(EVENTS[:50])
        with SqliteModels(path, read_only=True) as reader:
            model = reader.model(REVENUE_BY_DAY)
            with reader.reading():
                assert model.position == 50
                projector.take(EVENTS[50:])
                assert (model.position, model.rows()) == (50, fold(REVENUE_BY_DAY, EVENTS[:50]).rows())
            assert (model.position, model.rows()) == (len(EVENTS), fold(REVENUE_BY_DAY, EVENTS).rows())
            with pytest.raises(
                UnknownProjection, match="no order_summary version 1: revenue_by_day version 1 is there"
            ):
                reader.model(ORDER_SUMMARY)


def test_a_message_is_taken_in_with_its_effect(file: SqliteModels) -> None:
    with file.transaction():
        assert file.take("mail", "m1")
        assert not file.take("mail", "m1")

    def power_cut() -> None:
        with file.transaction():
            assert file.take("mail", "m2")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        power_cut()
    with file.transaction():
        assert file.take("mail", "m2"), "its effect was taken back, and so was the note"
        assert not file.take("mail", "m1")


# -- files of others ---------------------------------------------------------------------------------------------------


def test_files_that_are_none_of_ours_are_refused_by_name(tmp_path: Path) -> None:
    text, other, missing = tmp_path / "text", tmp_path / "other.db", tmp_path / "missing"
    text.write_text("not a database, and long enough to be read as one" * 30)
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE t (x)")
    db.close()
    for path, said in (
        (text, "text: opening it: file is not a database"),
        (other, "other.db: another program's database"),
        (tmp_path, "a path of a file is needed"),
    ):
        with pytest.raises(NotReadModels, match=said):
            SqliteModels(str(path))
    with pytest.raises(NotReadModels, match="missing: no such file"):
        SqliteModels(str(missing), read_only=True)
    with SqliteModels(str(missing)) as file:
        file.run("PRAGMA user_version=9")
    with pytest.raises(NotReadModels, match="schema 9, known is 1"):
        SqliteModels(str(missing))


def test_a_second_writer_is_told_that_it_is_busy(tmp_path: Path) -> None:
    path = f"{tmp_path}/rows.db"
    said = "another connection holds it; nothing was written, try again"
    with (
        SqliteModels(path) as one,
        SqliteModels(path, timeout_s=0.01) as two,
        one.transaction(),
        pytest.raises(CqrsError, match=said),
    ):
        two.model(ORDER_SUMMARY)
