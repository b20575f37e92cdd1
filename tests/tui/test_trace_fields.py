"""Every field of every kind of event in a trace of etcd-io/raft: of another type it is named, and huge it is judged."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from engines.consensus.etcd_servers import AT_ONCE_MAX
from engines.consensus.etcd_trace import LOGS_MAX, TraceReader
from engines.errors import UserError
from tests.monkey import screen
from tests.tui.test_userdata_consensus import NONE, Writer, judged, message, status
from tui.registry import PANELS
from tui.session import Session
from tui.userdata import consensus

NO_TEXT: list[Any] = [
    [],
    {},
    [[]],
    {"a": 1},
    "",
    "x" * 50,
    "\x1b[31m",
    "a\nb",
    "\ud800",
    -1,
    1.5,
    float("nan"),
    True,
    None,
]
NO_NUMBER: list[Any] = [[], {}, [1], {"a": 1}, "", "1", -1, 1 << 70, 10**4000, 1.5, float("inf"), False, None]
NO_CONF: list[Any] = [{}, "", "12", 3, None, [], [[]], [[], [], []], [["1"], None], [["1"], [[]]], [["1", ""], []],
                      [["9" * 5000], []], [[-1], []], [[1.5], []], [[True], []], [["\x1b"], []]]  # fmt: skip
NO_OBJECT: list[Any] = [[], "", "x", 3, -1.5, True, [[1]]]
FIELDS: dict[tuple[str, ...], list[Any]] = {
    ("nid",): NO_TEXT, ("name",): NO_TEXT, ("role",): [*NO_TEXT, 3, "Leader"], ("log",): [*NO_NUMBER, 10**12, 1 << 23],
    ("conf",): NO_CONF, ("state",): [*NO_OBJECT, None, {}], ("state", "term"): NO_NUMBER, ("state", "vote"): NO_TEXT,
    ("state", "commit"): NO_NUMBER, ("msg",): [*NO_OBJECT, {}], ("msg", "type"): NO_TEXT, ("msg", "term"): NO_NUMBER,
    ("msg", "from"): NO_TEXT, ("msg", "to"): NO_TEXT, ("msg", "entries"): NO_NUMBER, ("msg", "logTerm"): NO_NUMBER,
    ("msg", "index"): NO_NUMBER, ("msg", "commit"): NO_NUMBER, ("msg", "reject"): [[], {}, "", "no", 0, 1.5, None],
    ("prop", "cc", "changes"): ["x", 3, True, {"a": 1}, [1], [[]], [{}], [{"nid": []}]],
    ("prop", "cc", "newconf"): ["x", 3, True, {"a": 1}, [[]], [None]],
}  # fmt: skip


def altered(event: dict[str, Any], field: tuple[str, ...], value: Any) -> str:
    """The line with another value in a field."""
    whole = json.loads(json.dumps(event))
    at = whole
    for name in field[:-1]:
        at = at.setdefault(name, {})
    at[field[-1]] = value
    return json.dumps({"event": whole})


def kinds() -> list[tuple[int, dict[str, Any]]]:
    """The first event of each kind, and the place of its line."""
    found: dict[str, tuple[int, dict[str, Any]]] = {}
    for place, line in enumerate(Writer().healthy().lines):
        event = json.loads(line)["event"]
        found.setdefault(event["name"], (place, event))
    return list(found.values())


@pytest.mark.parametrize(("place", "event"), kinds(), ids=lambda it: it["name"] if isinstance(it, dict) else "")
def test_a_field_of_another_type_is_named_with_its_line(place: int, event: dict[str, Any]) -> None:
    lines = Writer().healthy().lines
    for field, values in FIELDS.items():
        for value in values if field[0] != "msg" or len(field) == 1 or "msg" in event else []:
            text = "\n".join([*lines[:place], altered(event, field, value), *lines[place + 1 :]])
            with pytest.raises(UserError, match=f"t: line {place + 1}: ") as caught:
                list(TraceReader(io.BytesIO(text.encode()), "t"))
            assert "accepted" in str(caught.value), (field, value)
            assert len(str(caught.value)) < 400, (field, value)
            assert str(caught.value).isprintable(), (field, value)


@pytest.mark.parametrize(("place", "event"), kinds(), ids=lambda it: it["name"] if isinstance(it, dict) else "")
def test_a_number_that_is_huge_and_a_name_that_is_new_are_judged(place: int, event: dict[str, Any]) -> None:
    lines = Writer().healthy().lines
    numbers = [field for field, values in FIELDS.items() if values is NO_NUMBER]
    texts = [field for field, values in FIELDS.items() if values is NO_TEXT]
    for field, value in [*((each, 1 << 62) for each in numbers), *((each, "new one") for each in texts)]:
        if field[0] != "msg" or "msg" in event:
            writer = Writer()
            writer.lines = [*lines[:place], altered(event, field, value), *lines[place + 1 :]]
            assert judged(writer).results(), field


def test_logs_are_bounded_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer = Writer()
    writer.server("1", 1, "0", 3, "Follower", LOGS_MAX)
    writer.event("InitState", "1")
    writer.server("2", 1, "0", 0, "Follower", 0)
    writer.event("InitState", "2")
    assert len(judged(writer).servers["1"].log) == LOGS_MAX
    writer.server("2", 1, "0", 0, "Follower", 1)
    writer.event("Ready", "2")
    path = writer.file(tmp_path)
    said = 'line 3: "log" is 1, and the other servers\' logs reach 4,194,304: 4,194,304 entries in all logs together'
    assert status("run", "consensus", path) == 2
    assert said in capsys.readouterr().err
    with pytest.raises(UserError, match=re.escape(said)):
        consensus.opening(path, NONE)
    assert status("run", "consensus", path, "--skip-bad", "--json") in (0, 1)
    assert json.loads(capsys.readouterr().out)["snapshot"]["skipped"] == 1


def test_a_leader_whose_log_leaps_is_judged_in_little_memory() -> None:
    writer = Writer().healthy()
    writer.server("2", 2, "2", 4, "Leader", 1 << 20)
    writer.event("Replicate", "2")
    cluster = judged(writer)
    assert cluster.servers["2"].log[-1] == 2
    assert len(cluster.before) <= AT_ONCE_MAX + 10


def test_the_app_draws_what_is_huge(tmp_path: Path) -> None:
    writer = Writer().healthy()
    writer.server("3", 1 << 62, "9" * 19, 1 << 62, "Leader", 1 << 20)
    writer.event("BecomeLeader", "3")
    huge = message("MsgApp", 1 << 62, "3", "1", 1 << 62, 1 << 62, 1 << 62, 1 << 62)
    writer.event("SendAppendEntriesRequest", "3", huge)
    writer.event("ReceiveAppendEntriesResponse", "3", message("MsgAppResp", 1 << 62, "1", "3", index=1 << 62))
    writer.event("Commit", "3")
    session = Session(
        PANELS, "consensus", recorded=consensus.opening(writer.file(tmp_path), NONE).variant, sandbox=True
    )
    for size in ((80, 24), (120, 36)):
        session.resize(*size)
        for key in ("end", "left", "right", "down", "i", "e", "k", "x", "esc", "a", "esc", "j", "esc"):
            session.press(key)
            assert screen(session)
