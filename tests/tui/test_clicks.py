"""What can be selected can be clicked, in the pictures as they are drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.monkey import screen
from tui.canvas import Canvas
from tui.glyphs import BRAILLE
from tui.kit import clicks
from tui.panel import Focus
from tui.registry import PANELS
from tui.session import Session


def test_names_are_found_as_whole_words_wherever_they_stand() -> None:
    canvas = Canvas(30, 3)
    canvas.put(2, 0, "n1 n10 xn1 api api>n1", "text")
    canvas.put(0, 2, "n1", "text")
    names = {"n1": Focus(node="n1"), "n10": Focus(node="n10"), "api": Focus(node="api")}
    hits = clicks.named(canvas, names)
    assert [(hit.x, hit.y, hit.width, hit.focus.node) for hit in hits] == [
        (1, 0, 4, "n1"), (4, 0, 5, "n10"), (12, 0, 5, "api"), (0, 2, 3, "n1"),
    ]  # fmt: skip


def test_rows_of_a_list_are_counted_from_the_selected_one() -> None:
    canvas = Canvas(10, 5)
    canvas.put(0, 2, BRAILLE.mark_left, "text")
    hits = clicks.rows(canvas, BRAILLE, 0, 10, lambda step: Focus(node=str(step)) if -1 <= step <= 1 else None)
    assert [(hit.y, hit.focus.node) for hit in hits] == [(1, "-1"), (2, "0"), (3, "1")]
    assert clicks.rows(Canvas(10, 5), BRAILLE, 0, 10, lambda step: Focus()) == ()


def opened(pattern: str, ms: int = 3_000, size: tuple[int, int] = (120, 36)) -> Session:
    session = Session(PANELS, pattern, sandbox=True)
    session.resize(*size)
    session.scene.player.seek_time(0)
    session.scene.timeline.advance(ms * 1_000)
    session.scene.player.pause()
    return session


def click(session: Session, text: str, *, after: str = "", before: int = 0) -> None:
    """Click on the first place where a text stands in the picture, so many cells before it."""
    session._touch()
    lines = screen(session).split("\n")
    for y, line in enumerate(lines[2:], 2):
        at = line.find(text, line.find(after) + 1 if after and after in line else 0)
        if at >= 0 and (not after or after in line):
            session.click(at - before, y)
            return
    raise AssertionError(f"{text!r} is not on the screen:\n" + "\n".join(lines))


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
def test_a_server_is_clicked(size: tuple[int, int]) -> None:
    session = opened("raft", size=size)
    for name in ("n4", "n2", "n5"):
        click(session, f"{name} ")
        assert (session.scene.focus.node, session.scene.focus.chosen) == (name, True)


def test_nodes_services_edges_and_spans_are_clicked() -> None:
    session = opened("sharding")
    click(session, "n3")
    assert session.scene.focus.node == "n3"
    session = opened("resilience")
    click(session, "catalog", after="├")
    assert session.scene.focus.node == "catalog"
    click(session, "catalog", after="├", before=3)
    assert session.scene.focus.node == "api>catalog"
    session = opened("tracing", 6_000)
    snapshot = session.scene.timeline.snapshot()
    click(session, "catalog-cache")
    before = session.scene.focus
    session._touch()
    lit = [line for line in screen(session).split("\n") if BRAILLE.mark_left in line]
    assert any("catalog-cache" in line.rpartition(BRAILLE.mark_left)[2] for line in lit), lit
    lines = screen(session).split("\n")
    y = next(y for y, line in enumerate(lines) if "/cart" in line[:26])
    session.click(5, y)
    row = snapshot.trace(session.scene.focus.node)
    assert session.scene.focus.node != before.node
    assert row is not None
    assert row.operation.endswith("/cart")


def test_a_click_on_nothing_selects_nothing() -> None:
    session = opened("raft")
    layout = session.layout
    session.render()
    focus = replace(session.scene.focus, area="picture")
    assert layout.picture is not None
    session.click(layout.picture.x + layout.picture.width - 3, layout.picture.y + 3)
    assert session.scene.focus == focus


def test_events_are_clicked_and_walked_through() -> None:
    session = opened("events", 5_000)
    session.press("end")
    lines = screen(session).split("\n")
    marked = next(y for y, line in enumerate(lines) if line[1:2] == BRAILLE.mark_left)
    session.click(6, marked - 2)
    session._touch()
    lines = screen(session).split("\n")
    assert [y for y, line in enumerate(lines) if line[1:2] == BRAILLE.mark_left]
    before = session.scene.focus
    session.press("k")
    assert session.scene.focus != before
    session.press("j")
    assert session.scene.focus == before
    assert not session.scene.timeline.branch.log


@pytest.mark.parametrize(("pattern", "name"), [("pbft", "r2"), ("consistency", "r2")])
def test_replicas_are_clicked(pattern: str, name: str) -> None:
    session = opened(pattern)
    click(session, f"{name} ")
    assert (session.scene.focus.node, session.scene.focus.chosen) == (name, True)
