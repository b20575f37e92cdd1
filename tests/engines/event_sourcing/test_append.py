"""The append decision table, row by row and example by example, on every store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.event_sourcing import (
    ANY,
    EXISTS,
    NO_STREAM,
    BadEvent,
    Conflict,
    EventStore,
    MemoryStore,
    Metadata,
    NewEvent,
    SqliteStore,
    StreamClosed,
    close,
    delete,
    hide,
)
from engines.event_sourcing.store import Hiding
from tests.engines.event_sourcing.stores import KINDS, filled, ids, make, new

OK, REPEAT, CONFLICT = "ok", "repeat", "conflict"

TABLE: list[tuple[str, Any, str, Any]] = [
    # (batch, expected, outcome, positions or what the conflict names) on a stream of a b c at revisions 0 1 2
    ("b", 0, REPEAT, (2,)),
    ("bc", 0, REPEAT, (2, 3)),
    ("bd", 0, CONFLICT, 2),
    ("cd", 1, CONFLICT, 2),
    ("a", 2, OK, (4,)),
    ("a", ANY, REPEAT, (1,)),
    ("ae", ANY, CONFLICT, 2),
    ("d", 5, CONFLICT, 2),
    ("d", NO_STREAM, CONFLICT, 2),
    ("", 2, OK, ()),
    # and the rows the examples do not touch
    ("d", 2, OK, (4,)),
    ("de", 2, OK, (4, 5)),
    ("a", NO_STREAM, REPEAT, (1,)),
    ("abc", NO_STREAM, REPEAT, (1, 2, 3)),
    ("abcd", NO_STREAM, CONFLICT, 2),
    ("", 1, CONFLICT, 2),
    ("", 3, CONFLICT, 2),
    ("", NO_STREAM, CONFLICT, 2),
    ("c", 0, CONFLICT, 2),
    ("d", 1, CONFLICT, 2),
    ("d", ANY, OK, (4,)),
    ("da", ANY, OK, (4, 5)),
    ("ca", ANY, REPEAT, (3, 1)),
    ("", ANY, OK, ()),
    ("d", EXISTS, OK, (4,)),
    ("b", EXISTS, REPEAT, (2,)),
    ("be", EXISTS, CONFLICT, 2),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("batch", "expected", "outcome", "what"), TABLE)
def test_the_append_decision_table(
    kind: str, batch: str, expected: Any, outcome: str, what: Any, tmp_path: Path
) -> None:
    store = filled(make(kind, tmp_path, verify="none"))
    if outcome == CONFLICT:
        with pytest.raises(Conflict) as raised:
            store.save_events("s", new(*batch), expected)
        assert raised.value.actual == what
        assert "expected" in str(raised.value)
        assert ids(store) == ["a", "b", "c"]
        return
    appended = store.save_events("s", new(*batch), expected)
    assert appended.positions == what
    assert appended.repeated == (outcome == REPEAT)
    assert ids(store) == [*"abc", *(batch if outcome == OK else "")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("expected", "outcome"), [(NO_STREAM, OK), (ANY, OK), (EXISTS, CONFLICT), (0, CONFLICT), (5, CONFLICT)]
)
def test_the_same_on_a_stream_that_does_not_exist(kind: str, expected: Any, outcome: str, tmp_path: Path) -> None:
    store = make(kind, tmp_path)
    if outcome == CONFLICT:
        with pytest.raises(Conflict) as raised:
            store.save_events("s", new("a"), expected)
        assert raised.value.actual == -1
        assert store.head() == 0
    else:
        assert store.save_events("s", new("a"), expected).revisions == (0,)


@pytest.mark.parametrize("kind", KINDS)
def test_original_positions_are_returned_also_when_later_events_follow(kind: str, tmp_path: Path) -> None:
    store = filled(make(kind, tmp_path))
    store.save_events("other", new("x"), NO_STREAM)
    store.save_events("s", new("d"), 2)
    assert store.save_events("s", new("b", "c"), 0) == ("s", (1, 2), (2, 3), True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("expected", [-1, -2, "any", None, 1.0, True])
def test_a_mode_that_is_not_one_of_the_four_is_refused(kind: str, expected: Any, tmp_path: Path) -> None:
    """A store that takes "no stream" for "any" is worse than one that refuses it."""
    store = filled(make(kind, tmp_path))
    with pytest.raises(BadEvent, match="NO_STREAM, EXISTS or ANY"):
        store.save_events("s", new("d"), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_unique_within_a_batch_not_in_the_store(kind: str, tmp_path: Path) -> None:
    store = filled(make(kind, tmp_path))
    with pytest.raises(BadEvent, match="twice"):
        store.save_events("s", new("d", "d"), 2)
    assert store.save_events("t", new("a"), NO_STREAM).positions == (4,)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_is_atomic(kind: str, tmp_path: Path) -> None:
    store = filled(make(kind, tmp_path))
    with pytest.raises(BadEvent, match="revision 4"):
        store.save_events("s", [*new("d"), NewEvent("e", "Happened", {1, 2})], 2)
    assert ids(store) == ["a", "b", "c"]
    assert store.head() == 3
    assert store.integrity().ok


@pytest.mark.parametrize("kind", KINDS)
def test_positions_have_no_gaps_after_conflicts_and_repeats(kind: str, tmp_path: Path) -> None:
    store = filled(make(kind, tmp_path))
    for expected in (0, 1, ANY, EXISTS):
        try:
            store.save_events("s", new("b", "q"), expected)
        except Conflict:
            continue
    store.save_events("t", new("x", "y"))
    assert [event.position for event in store.read_all()] == list(range(1, store.head() + 1))


@pytest.mark.parametrize("kind", KINDS)
def test_reading_forward_backward_and_bounded(kind: str, tmp_path: Path) -> None:
    store = filled(make(kind, tmp_path))
    store.save_events("t", new("x", "y"))
    assert [e.id for e in store.get_events("s", 1)] == ["b", "c"]
    assert [e.id for e in store.get_events("s", 0, 2)] == ["a", "b"]
    assert [e.id for e in store.get_events("s", -1, backward=True)] == ["c", "b", "a"]
    assert [e.id for e in store.get_events("s", 1, 1, backward=True)] == ["b"]
    assert [e.id for e in store.read_all(2)] == ["c", "x", "y"]
    assert [e.id for e in store.read_all(0, 2, backward=True)] == ["y", "x"]
    assert [e.id for e in store.read_all(3, backward=True)] == ["b", "a"]
    assert [e.id for e in store.replay(3)] == ["x", "y"]
    assert store.streams() == (("s", 2), ("t", 1))
    assert store.get_events("nothing") == ()
    assert store.revision("nothing") == -1


@pytest.mark.parametrize("kind", KINDS)
def test_a_soft_delete_hides_and_the_numbering_goes_on(kind: str, tmp_path: Path) -> None:
    store = filled(make(kind, tmp_path))
    delete(store, "s", "d1")
    assert ids(store) == []
    with pytest.raises(Conflict):
        store.save_events("s", new("e"), EXISTS)
    assert store.save_events("s", new("e"), NO_STREAM).revisions == (3,)
    assert ids(store) == ["e"]
    assert store.save_events("s", new("f"), EXISTS).revisions == (4,)
    assert [event.position for event in store.read_all()] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("kind", KINDS)
def test_a_tombstone_closes_for_ever(kind: str, tmp_path: Path) -> None:
    store = filled(make(kind, tmp_path))
    close(store, "s", "end", 2)
    for expected in (ANY, EXISTS, NO_STREAM, 3):
        with pytest.raises(StreamClosed, match="revision 3"):
            store.save_events("s", new("e"), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_max_count_and_max_age_hide_from_readers_at_once(kind: str, tmp_path: Path) -> None:
    store = make(kind, tmp_path, clock=lambda: 1_000)
    if isinstance(store, MemoryStore):
        store.now_us = 1_000
    filled(store)
    hide(store, "s", "h1", Hiding(max_count=2))
    assert ids(store) == ["b", "c"]
    assert [e.id for e in store.get_events("s", -1, backward=True)] == ["c", "b"]
    store.save_events("s", new("d"), 2)
    assert ids(store) == ["c", "d"]
    hide(store, "s", "h2", Hiding(max_age_us=500))
    store.save_events("s", [NewEvent("old", "Happened", {}, metadata=Metadata(at_us=499))], 3)
    assert ids(store) == ["a", "b", "c", "d"], "the newest rule holds alone, and hides what is older than 500 us"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["", "a\nb", "\x1f", "x" * 600])
def test_names_that_would_forge_lines_are_refused(kind: str, name: str, tmp_path: Path) -> None:
    store = make(kind, tmp_path)
    with pytest.raises(BadEvent, match="printable"):
        store.save_events(name, new("a"))
    with pytest.raises(BadEvent, match="printable"):
        store.save_events("s", new(name))
    assert store.head() == 0


BATCHES = st.lists(
    st.tuples(
        st.sampled_from(["s", "t"]),
        st.lists(st.sampled_from("abcdef"), max_size=3, unique=True),
        st.sampled_from([NO_STREAM, EXISTS, ANY, 0, 1, 2, 3, 5]),
    ),
    max_size=12,
)


@settings(max_examples=40)
@given(BATCHES)
def test_both_stores_answer_alike(batches: list[tuple[str, list[str], Any]]) -> None:
    memory, sqlite = MemoryStore(), SqliteStore(":memory:", verify="none")
    for stream, batch, expected in batches:
        assert _answer(memory, stream, batch, expected) == _answer(sqlite, stream, batch, expected)
    assert [e[:6] for e in memory.read_all()] == [e[:6] for e in sqlite.read_all()]
    assert memory.integrity().ok
    sqlite.close()


def _answer(store: EventStore, stream: str, batch: list[str], expected: Any) -> Any:
    try:
        return store.save_events(stream, new(*batch), expected)
    except Conflict as conflict:
        return str(conflict)
