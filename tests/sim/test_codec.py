"""Commands as JSON, both ways, and every way in which the input may be wrong."""

import json
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.consensus.raft.commands import COMMANDS, Propose
from engines.errors import UserError
from engines.sim import faults
from engines.sim.codec import decode_command, encode_command, to_json

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "str": st.text(max_size=5),
    "int": st.integers(-(1 << 63) + 1, (1 << 63) - 1),
    "bool": st.booleans(),
    "tuple[str, ...]": st.lists(st.text(max_size=3), max_size=3).map(tuple),
    "tuple[tuple[str, ...], ...]": st.lists(st.lists(st.text(max_size=3), max_size=3).map(tuple), max_size=3).map(
        tuple
    ),
}


def commands(kind: type) -> st.SearchStrategy[Any]:
    """Any command of a kind; a field of a new type needs a line above."""
    return st.builds(kind, **{each.name: VALUES[_words(each.type)] for each in fields(kind)})


def _words(annotation: Any) -> str:
    return annotation.__name__ if annotation in (str, int, bool) else str(annotation)


@pytest.mark.parametrize("kind", COMMANDS)
def test_every_command_survives_the_way_through_json(kind: type) -> None:
    @given(commands(kind))
    def survives(command: Any) -> None:
        text = json.dumps(encode_command(command))
        assert decode_command(json.loads(text), COMMANDS, "here") == command

    survives()


def test_every_fault_is_listed() -> None:
    kinds = {kind for kind in vars(faults).values() if isinstance(kind, type) and kind.__module__ == faults.__name__}
    assert set(faults.FAULTS) == kinds


def test_a_field_with_a_default_may_be_left_out() -> None:
    data = {"kind": "Propose", "op": "set", "key": "x", "value": 1}
    assert decode_command(data, COMMANDS, "here") == Propose("set", "x", 1, "", True)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (None, "here: not a command: an object"),
        ([], "here: not a command: an object"),
        ("Crash", "here: not a command: an object"),
        ({}, "here: not a command: an object"),
        ({"kind": 7}, "here: not a command: an object"),
        ({"kind": "Explode"}, "here: unknown command 'Explode': one of "),
        ({"kind": "__class__"}, "here: unknown command '__class__'"),
        ({"kind": "Crash"}, "here: Crash lacks its field 'node'"),
        ({"kind": "Crash", "node": "n1", "why": ""}, "here: Crash has no field 'why': node are accepted"),
        ({"kind": "Crash", "node": 1}, "here: Crash.node: a value of type str is needed, not 1"),
        ({"kind": "Crash", "node": None}, "here: Crash.node: a value of type str is needed, not None"),
        ({"kind": "Crash", "node": ["n1"]}, r"here: Crash.node: a value of type str is needed, not \['n1'\]"),
        ({"kind": "Drop", "message": "1"}, "here: Drop.message: a value of type int is needed, not '1'"),
        ({"kind": "Drop", "message": 1.0}, "here: Drop.message: a value of type int is needed, not 1.0"),
        ({"kind": "Drop", "message": True}, "here: Drop.message: a value of type int is needed, not True"),
        ({"kind": "Drop", "message": 1 << 63}, "here: Drop.message: a value of type int is needed"),
        ({"kind": "Narrate", "text": "a", "pause": 1}, "here: Narrate.pause: a value of type bool is needed, not 1"),
        ({"kind": "Partition", "sides": "n1"}, "here: Partition.sides: a list is needed, not 'n1'"),
        ({"kind": "Partition", "sides": ["n1"]}, r"here: Partition.sides\[0\]: a list is needed, not 'n1'"),
        ({"kind": "Partition", "sides": [["a"], ["b", 2]]}, r"here: Partition.sides\[1\]\[1\]: a value of type str"),
    ],
)
def test_bad_input_is_refused_with_its_place(data: Any, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        decode_command(data, COMMANDS, "here")


def test_a_complaint_about_something_huge_stays_short() -> None:
    with pytest.raises(UserError) as caught:
        decode_command({"kind": "Crash", "node": ["x" * 100_000]}, COMMANDS, "here")
    assert len(str(caught.value)) <= 300


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner)
                    | st.dictionaries(st.sampled_from(("kind", "node", "src", "sides", "ppm")), inner)))  # fmt: skip
def test_no_input_gets_through_as_anything_but_a_command(data: Any) -> None:
    complaint, command = "", None
    try:
        command = decode_command(data, COMMANDS, "here")
    except UserError as error:
        complaint = str(error)
    assert complaint.startswith("here: ") or isinstance(command, COMMANDS)


class Colour(Enum):
    RED = "red"


class Point(NamedTuple):
    x: int
    colour: Colour


@dataclass(frozen=True, slots=True)
class Picture:
    points: tuple[Point, ...]
    title: str | None


def test_records_named_tuples_tuples_and_enums_become_json() -> None:
    picture = Picture((Point(1, Colour.RED),), None)
    assert to_json(picture) == {"points": [{"x": 1, "colour": "red"}], "title": None}


@pytest.mark.parametrize("value", [{1}, {"a": 1}, object(), b"x", lambda: None])
def test_what_has_no_place_in_a_snapshot_is_a_bug_of_ours(value: object) -> None:
    with pytest.raises(TypeError, match="has no place"):
        to_json(value)
