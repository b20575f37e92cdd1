"""The service graph of the kit: layers, wires between columns, rows of cells, and the ends of lines in charts."""

from typing import NamedTuple

import pytest

from tui.canvas import Canvas
from tui.glyphs import ASCII
from tui.kit.charts import Line, draw_ends, draw_lines
from tui.kit.service_graph import Cell, Node, Wire, draw_columns, draw_rows, grid_of, hits, into, layers, out_of
from tui.panel import Focus


class Service(NamedTuple):
    """A service of the tests."""

    name: str
    layer: str


class Call(NamedTuple):
    """A call of the tests."""

    src: str
    dst: str


SHOP = (Service("web", "edge"), Service("cart", "domain"), Service("auth", "domain"), Service("bus", "other"))
CALLS = (Call("web", "cart"), Call("web", "auth"))


def columns(**wire: object) -> tuple[str, bool]:
    """One service that calls two others, as text, and whether there was room."""
    canvas = Canvas(40, 6)
    nodes = [[Node(name, f" {name} ", "text", lambda columns, rows: ()) for name in names]
             for names in (("web",), ("cart", "auth"))]  # fmt: skip
    wires = [Wire(f"{src}>{dst}", src, dst, lambda columns, rows: (), **wire) for src, dst in CALLS]  # type: ignore[arg-type]
    done = draw_columns(canvas, nodes, wires, "web>auth", 0, (0, 0), ASCII)
    return canvas.text(), done


def test_layers_keep_their_order_and_what_is_in_no_known_one_comes_last() -> None:
    found = layers(SHOP, ("edge", "domain", "data"))
    assert list(found) == ["edge", "domain", "other"], "a layer without services is none"
    assert [each.name for each in found["domain"]] == ["cart", "auth"]
    assert (into(CALLS, "auth"), out_of(CALLS, "web")) == ((CALLS[1],), CALLS)


def test_a_wire_leads_to_each_service_and_has_its_letter_between_marks_if_it_is_selected() -> None:
    text, done = columns(letter="C")
    assert done
    rows = [line for line in text.splitlines() if " cart" in line or " auth" in line]
    assert ["> C <" in row for row in rows] == [False, True], "only the one that is selected"
    assert all("C" in row for row in rows)


def test_behind_a_breaker_that_is_shut_the_wire_is_interrupted() -> None:
    whole, shut = (columns(letter="O", shut=shut)[0].count("-") for shut in (False, True))
    assert shut < whole


def test_calls_run_along_a_wire_and_come_back_where_they_fail() -> None:
    assert columns(asked=300, sent=300, failing=True)[0].count("<") > columns(asked=300, sent=300)[0].count("<")


def test_without_room_nothing_is_drawn() -> None:
    canvas = Canvas(12, 6)
    nodes = [[Node("a-long-name", " a-long-name ", "text", lambda columns, rows: ())]]
    assert not draw_columns(canvas, [*nodes, *nodes], (), "", 0, (0, 0), ASCII)
    assert canvas.text().strip() == ""


def test_cells_are_as_wide_as_all_fit_and_an_arrow_marks_who_is_called() -> None:
    there = layers(SHOP, ("edge", "domain"))
    grid = grid_of(there, 4, 60, 8)
    assert grid is not None
    canvas = Canvas(60, 8)
    cells = {each.name: Cell(".", "good", "text") for each in SHOP}
    draw_rows(canvas, grid, lambda service: service.name, cells, CALLS, "web", ASCII)
    assert f"{ASCII.mark_left}.web" in canvas.text()
    assert canvas.text().count(f"{ASCII.arrow_down}.") == 2
    assert grid_of(there, 4, 60, 2) is None, "three layers do not fit into two rows"


def test_a_click_on_a_wire_is_one_on_the_call_that_it_is() -> None:
    canvas = Canvas(20, 1)
    canvas.put(0, 0, " web ----> cart")
    found = hits(canvas, {"cart": Focus(node="cart")}, lambda service: Focus(node=f"web>{service.node}"))
    assert [(hit.x, hit.focus.node) for hit in found] == [(3, "web>cart"), (10, "cart")]


@pytest.mark.parametrize("rows", [3, 5, 8])
def test_names_stand_where_lines_end_and_never_on_each_other(rows: int) -> None:
    canvas = Canvas(30, rows)
    lines = [Line(name, (0.0, value), name, "text") for name, value in (("low", 0.0), ("high", 10.0), ("same", 10.0))]
    draw_lines(canvas, 0, 0, 10, rows, lines, ASCII, top=10.0)
    draw_ends(canvas, 12, 0, 10, rows, lines, top=10.0)
    at = {
        name: next(y for y, line in enumerate(canvas.text().splitlines()) if name in line)
        for name in ("low", "high", "same")
    }
    assert (at["high"], at["same"], at["low"]) == (0, 1, rows - 1)
