"""``dp-tui run cqrs FILE``: read models from somebody's store, queries to them, and every file that is refused."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from engines.cqrs import BadFields, CommandBus, NotOrders, UnknownProjection, UnknownQuery, fold
from engines.cqrs.read_models import PROJECTIONS
from engines.errors import UserError
from engines.event_sourcing import ANY, NewEvent, SqliteStore
from engines.event_sourcing.demo import BEGIN_US
from engines.sim.recording import SourceFile
from engines.sim.timeline import Timeline
from tests.engines.cqrs.shop import commands, create, step
from tui.glyphs import BRAILLE
from tui.layout import arrange
from tui.options import DataOptions
from tui.panel import Focus
from tui.panels.cqrs import PANEL
from tui.panels.cqrs.select import Chosen
from tui.userdata import cqrs, events, reader, reopen
from tui.userdata.cqrs import AGREES, READABLE

NONE = DataOptions()


def shop(path: Path, seed: int = 1) -> str:
    with SqliteStore(str(path)) as store:
        bus = CommandBus(store)
        for command in commands(seed, 60):
            bus.send(command)
    return str(path)


def reported(capsys: pytest.CaptureFixture[str], file: str, options: DataOptions = NONE) -> tuple[bool, dict[str, Any]]:
    ok = cqrs.report(file, options, as_json=True)
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    return ok, data


def check(data: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in data["checks"] if each["name"] == name)
    return found


def test_the_read_models_are_the_folds_of_the_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = shop(tmp_path / "shop.db")
    ok, data = reported(capsys, file)
    with SqliteStore(file, read_only=True) as store:
        log = tuple(store.replay())
    models = {name: fold(each, log) for name, each in PROJECTIONS.items()}
    assert ok
    assert (data["pattern"], data["seed"], data["events"]) == ("cqrs", None, len(log))
    assert data["projections"] == {
        name: {"position": len(log), "lag": 0, "rows": model.count(), "age_us": 0, "version": 1}
        for name, model in models.items()
    }
    newest = [row._asdict() for row in models["order_summary"].rows()]
    assert data["snapshot"]["newest"]["order_summary"] == newest[-12:]
    assert [each["ok"] for each in data["checks"]] == [True] * 4


def test_a_store_is_only_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = shop(tmp_path / "shop.db")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    _, one = reported(capsys, file)
    _, two = reported(capsys, file)
    assert one == two
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_query_is_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with SqliteStore(str(tmp_path / "shop.db"), clock=lambda: BEGIN_US) as store:
        CommandBus(store).send(create())
    file = str(tmp_path / "shop.db")
    _, data = reported(capsys, file, DataOptions(query="GET_ORDER_SUMMARY order=order-7"))
    (row,) = data["query"].pop("rows")
    assert data["query"] == {"name": "GET_ORDER_SUMMARY", "order": "order-7"}
    assert (row["customer"], row["total"], row["version"]) == ("ada", 4_100, 2)
    assert cqrs.report(file, DataOptions(query="GET_CUSTOMER_HISTORY customer=ada"), as_json=False)
    said = capsys.readouterr().out
    assert "GET_CUSTOMER_HISTORY customer=ada" in said
    assert "order    customer  status   total  placed            paid" in said
    assert "order-7  ada       created  4100   2026-01-01 09:00  -" in said
    assert cqrs.report(file, DataOptions(query="GET_CUSTOMER_HISTORY customer=nobody"), as_json=False)
    assert "  no row" in capsys.readouterr().out


def test_one_projection_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = shop(tmp_path / "shop.db")
    _, data = reported(capsys, file, DataOptions(projection="revenue_by_day"))
    assert list(data["projections"]) == ["revenue_by_day"]
    with pytest.raises(UserError, match="answered by order_summary, but --projection revenue_by_day leaves it out"):
        cqrs.report(file, DataOptions(projection="revenue_by_day", query="GET_ORDER_SUMMARY order=x"), as_json=True)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        (DataOptions(projection="orders"), UnknownProjection, "no projection 'orders': one of order_summary"),
        (DataOptions(query="GET_WEATHER"), UnknownQuery, "unknown query 'GET_WEATHER': one of GET_ORDER_SUMMARY"),
        (DataOptions(query=""), UnknownQuery, "unknown query ''"),
        (DataOptions(query="GET_ORDER_SUMMARY"), BadFields, "the field 'order' is missing"),
        (DataOptions(query="GET_ORDER_SUMMARY order"), BadFields, "GET_ORDER_SUMMARY: 'order' is no field=value"),
        (DataOptions(query="GET_ORDER_SUMMARY 'order"), BadFields, "No closing quotation: NAME field=value"),
        (DataOptions(nodes=3), UserError, "--nodes: a store of orders takes --projection, --query, --skip-bad"),
        (DataOptions(preset="article"), UserError, "--preset: a store of orders takes"),
    ],
)
def test_what_cannot_be_asked(tmp_path: Path, options: DataOptions, error: type[Exception], said: str) -> None:
    file = shop(tmp_path / "shop.db")
    with pytest.raises(error) as caught:
        cqrs.report(file, options, as_json=True)
    assert said in str(caught.value)


def test_an_event_nobody_can_read_stops_its_projections_and_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = shop(tmp_path / "shop.db")
    with SqliteStore(file) as store:
        bad = store.save_events("order-bad", [NewEvent("bad", "LineAdded", {"item": "pen"})], ANY).position
        bus = CommandBus(store)
        for number, command in enumerate((create(), step("x", "RESERVE_STOCK"), step("x", "PAY_ORDER"))):
            bus.send(command._replace(id=f"late-{number}"))
        head = store.head()
    ok, data = reported(capsys, file)
    assert not ok
    found = {name: (each["position"], each["lag"]) for name, each in data["projections"].items()}
    behind = (bad - 1, head - bad + 1)
    assert found == {"order_summary": behind, "customer_history": behind, "revenue_by_day": (head, 0)}
    assert f"order_summary stops at position {bad}: stream 'order-bad' revision 0" in check(data, READABLE)["detail"]
    ok, data = reported(capsys, file, DataOptions(skip_bad=True))
    assert ok
    assert data["snapshot"]["skipped"] == 2
    assert data["projections"]["order_summary"]["position"] == head


def test_a_summary_that_no_event_told_would_be_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from engines.cqrs import ORDER_SUMMARY_BUGGY

    file = shop(tmp_path / "shop.db")
    monkeypatch.setitem(PROJECTIONS, "order_summary", ORDER_SUMMARY_BUGGY)
    ok, data = reported(capsys, file)
    assert not ok
    assert "the summary says" in check(data, AGREES)["detail"]


def test_events_of_others_in_the_same_store_are_counted_and_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "bank.db")
    events.write_demo(file)
    ok, data = reported(capsys, file)
    assert ok
    assert data["snapshot"]["other_events"]["account"] > 1_000
    assert data["projections"]["order_summary"]["rows"] > 50
    assert cqrs.report(file, NONE, as_json=False)
    assert "; skipped: 1,062 of account" in capsys.readouterr().out


def test_the_store_to_play_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "demo.db")
    said = cqrs.write_demo(file)
    assert said.endswith(f"Look at it with: dp-tui cqrs {file}")
    ok, data = reported(capsys, file)
    assert ok
    assert data["projections"]["revenue_by_day"]["rows"] > 2
    assert {"NoteAdded", "CommandAnswered", "SagaCompensated"} <= set(data["snapshot"]["types"])
    with pytest.raises(UserError, match="it is there already"):
        cqrs.write_demo(file)


# -- in the app --------------------------------------------------------------------------------------------------------


def in_panel(file: str, options: DataOptions = NONE) -> Timeline[Any, Any]:
    opening = cqrs.opening(file, options)
    assert opening.variant is not None
    run: Timeline[Any, Any] = Timeline(opening.variant, 0, opening.config)
    run.advance(10**16)
    return run


def drawn(run: Timeline[Any, Any], focus: Focus) -> str:
    sizes = arrange(120, 36, inspector=True, strip_least=3).sizes()
    frame = PANEL.view(run.snapshot(), PANEL.fit(run.snapshot(), focus), sizes, BRAILLE)
    return frame.picture.text()


def asked(run: Timeline[Any, Any], text: str) -> str:
    focus = PANEL.client(run.snapshot(), Focus(), text)
    assert isinstance(focus, Focus), focus
    return drawn(run, focus)


def test_a_store_opens_in_the_panel_and_its_read_models_are_asked(tmp_path: Path) -> None:
    file = str(tmp_path / "demo.db")
    cqrs.write_demo(file)
    run = in_panel(file)
    short = asked(run, "summary order-7")
    assert "order-7, now, at position 2000: 1 row" in short
    assert "2026-01-01" in short
    assert asked(run, "GET_ORDER_SUMMARY order=order-7") == short
    history = asked(run, "history ada")
    assert "ada, now, at position 2000: 30 rows" in history
    assert "grace" not in history
    assert "2026-01-02  " in asked(run, "revenue 2026-01-02")
    assert len(asked(run, "revenue").strip().splitlines()) > len(asked(run, "revenue 2026-01-02").strip().splitlines())
    assert "no row" in asked(run, "summary order-nobody")
    run.seek(40)
    assert "order-100, now, at position 40: 0 rows" in asked(run, "summary order-100")
    assert drawn(run, Focus(pick=Chosen(view="tree"))).strip()


def test_its_read_models_at_a_date(tmp_path: Path) -> None:
    file = str(tmp_path / "demo.db")
    cqrs.write_demo(file)
    run = in_panel(file)
    assert "2026-01-02 00:0" in asked(run, "at 2026-01-02") or "2026-01-01 23:5" in asked(run, "at 2026-01-02")
    assert "right after event 12 of 2000" in asked(run, "at #12")
    for text, said in (
        ("at teatime", "a date as 2026-01-05"),
        ("at 2020-01-01", "nothing had happened yet"),
        ("at #9999", "#1 to #2000 is accepted"),
        ("create 2 15", "a file is asked, not changed: write one of: summary order-7"),
        ("summary", "the field 'order' is missing"),
        ("GET_ORDER_SUMMARY ada", "'ada' is no field=value"),
    ):
        with pytest.raises(UserError) as caught:
            PANEL.client(run.snapshot(), Focus(), text)
        assert said in str(caught.value)


def test_what_is_parked_is_in_no_answer(tmp_path: Path) -> None:
    file = shop(tmp_path / "shop.db")
    with SqliteStore(file) as store:
        bus = CommandBus(store)
        bus.send(create("good", "order-bad"))
        store.save_events("order-bad", [NewEvent("bad", "LineAdded", {"item": "pen"})], ANY)
        store.save_events("order-bad", [NewEvent("late", "OrderCancelled", {"reason": ""})], ANY)
    stopped, parked = in_panel(file), in_panel(file, DataOptions(skip_bad=True))
    assert stopped.snapshot().projections[0].behind == 2
    assert parked.snapshot().projections[0].behind == 0
    for run in (stopped, parked):
        assert "created" in asked(run, "summary order-bad")


def test_a_saved_run_finds_its_store_again_or_says_that_it_was_changed(tmp_path: Path) -> None:
    file = shop(tmp_path / "shop.db")
    opening = cqrs.opening(file, NONE)
    assert opening.variant is not None
    assert opening.variant.source is not None
    found = opening.variant.source.sha256
    assert reopen("cqrs", SourceFile(file, found, False)).sha256 == found
    with SqliteStore(file) as store:
        CommandBus(store).send(create("late", "order-late"))
    with pytest.raises(UserError, match="changed since the run was saved"):
        reopen("cqrs", SourceFile(file, found, False))


# -- files of others ---------------------------------------------------------------------------------------------------


def accounts(path: Path) -> str:
    with SqliteStore(str(path)) as store:
        store.save_events("account-1", [NewEvent("e1", "AccountOpened", {"owner": "ada"})])
    return str(path)


def table(path: Path, sql: str) -> str:
    db = sqlite3.connect(path)
    db.execute(sql)
    db.commit()
    db.close()
    return str(path)


def test_stores_without_orders_are_refused_by_name(tmp_path: Path) -> None:
    empty = tmp_path / "empty.db"
    SqliteStore(str(empty)).close()
    lines = tmp_path / "lines.jsonl"
    lines.write_text('{"stream": "order-1"}\n')
    theirs = table(
        tmp_path / "theirs.db",
        "CREATE TABLE stored_events (originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB)",
    )
    other = table(tmp_path / "other.db", "CREATE TABLE customers (id)")
    for file, said in (
        (accounts(tmp_path / "a.db"), "a.db: its events are not the order's (AccountOpened)"),
        (str(empty), "empty.db: its events are not the order's (it holds no events)"),
        (theirs, "theirs.db: a store of eventsourcing: a store of this program with the order's events"),
        (
            other,
            "other.db: another program's database (tables customers): a store of this program with the order's events",
        ),
        (str(lines), "lines.jsonl: byte 0: not a SQLite file"),
        ("-", "standard input: a store of this program"),
        (str(tmp_path / "gone.db"), "gone.db: cannot be read: No such file"),
    ):
        with pytest.raises(UserError) as caught:
            cqrs.report(file, NONE, as_json=True)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(NotOrders):
        cqrs.report(theirs, NONE, as_json=True)


def test_a_changed_byte_is_a_failed_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = shop(tmp_path / "shop.db")
    db = sqlite3.connect(file)
    db.execute("UPDATE events SET body = replace(body, '1900', '1901') WHERE position = 2")
    db.execute("UPDATE events SET body = '{}' WHERE position = 3")
    db.commit()
    db.close()
    ok, data = reported(capsys, file)
    assert not ok
    assert not check(data, "integrity")["ok"]


def test_the_reader_is_found() -> None:
    assert reader("cqrs").report is cqrs.report
