"""The journal says something of every kind of event, with its reason and its numbers, in plain ASCII."""

import re
from pathlib import Path
from typing import Any

import pytest

import engines
from engines.consensus import PATTERN
from engines.consensus.raft.engine import Propose, SetRule, SetTiming, SetWorkload
from engines.consensus.raft.invariants import DEMANDS
from engines.sim import faults
from engines.sim.pattern import Check
from engines.sim.timeline import Timeline
from engines.sim.world import QUIET_KINDS, Event
from tests.tui.panels.runs import run, story
from tui.panels.consensus import PANEL
from tui.panels.consensus.lessons import IF_BROKEN, LESSONS, OF_KIND, OF_REASON
from tui.panels.consensus.narration import TABLE
from tui.theme import known

ROOM = 100


def kinds_in_the_sources() -> set[str]:
    """Every kind that the world, a server or a client can record."""
    root = Path(engines.__file__).parent
    sources = [root / "sim" / "world.py", *sorted((root / "consensus" / "raft").glob("*.py"))]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    found = set(re.findall(r"(?:\bnote|\brecord)\(\s*\"(\w+)\"", code))
    found |= set(re.findall(r"\"(\w+)\" if cut else", code)) | set(re.findall(r"if cut else \"(\w+)\"", code))
    on_links = code[code.index("def execute_on_links") :]
    found |= {
        name.lower() for name in re.findall(r"case faults\.(\w+)\(", on_links[: on_links.index("def links_between")])
    }
    found |= set(re.findall(r"fresh\.append\(\([^)]*?\"(\w+)\"", code))
    return found


def events(timeline: Timeline[Any, Any]) -> list[Event]:
    """All events of a run, quiet ones too."""
    copy: Timeline[Any, Any] = Timeline(
        timeline.variant, timeline.branch.seed, timeline.branch.config, timeline.branch.scenario
    )
    copy.branch.log = timeline.branch.log
    copy.branch.end_position, copy.branch.end_us = timeline.branch.end_position, timeline.branch.end_us
    found: list[Event] = list(copy.engine.latest(512))
    while copy.position < timeline.position:
        before = copy.engine.events_total
        copy.seek(copy.position + 1)
        found += copy.engine.latest(copy.engine.events_total - before)
    return found


def everything() -> list[Event]:
    """Runs in which nearly all there is happens."""
    troubled = run(
        3_000,
        (300, Propose("set", "y", 3, "n3")), (500, Propose("add", "y", 1)), (501, Propose("del", "y", 0, "n1")),
        (600, faults.Lose("*", "n1", 300_000)), (650, faults.Drop(1)), (700, faults.Slow("n1", "n2", 50_000, 1_000)),
        (710, faults.Duplicate("n3", "n4", 500_000)), (720, faults.Reorder("n3", "n4", 500_000)),
        (730, faults.Clog("n4", "n3")), (800, faults.Unclog("n4", "n3")), (810, faults.Skew("n5", 200_000, 0)),
        (820, faults.SlowDisk("n2", 40_000)), (900, faults.Freeze("n4")), (1_100, faults.Thaw("n4")),
        (1_200, faults.Partition((("n1", "n2", "n3"), ("n4", "n5")))), (1_600, faults.Heal()),
        (1_700, faults.Crash("n3")), (1_900, faults.Restart("n3")), (2_000, faults.Isolate("n1")),
        (2_200, faults.Reconnect("n1")), (2_210, faults.Cut("n1", "n2")), (2_220, faults.Mend("n1", "n2")),
        (2_300, faults.ExpireTimers(("n1", "n2"), "election", 1_000)), (2_400, SetRule("pre_vote", False)),
        (2_410, SetWorkload("busy")), (2_420, SetTiming(50_000, 200_000, 400_000)), (2_430, faults.Narrate("Look.")),
    )  # fmt: skip
    found = events(troubled)
    for scenario in PATTERN.scenarios:
        found += events(story(scenario.name, scenario.end_us // 1000))
    return found


EVERYTHING = everything()


def test_every_kind_in_the_sources_has_its_sentence_and_its_lesson() -> None:
    kinds = kinds_in_the_sources()
    assert {"lost", "commit", "store", "ask", "isolate", "reconnect", "clog", "rule", "deliver", "wait"} <= kinds
    assert kinds - set(TABLE) == set()
    assert kinds - set(OF_KIND) == set()
    assert set(TABLE) >= QUIET_KINDS
    assert set(OF_KIND.values()) | set(OF_REASON.values()) == set(LESSONS)


def test_every_event_of_many_runs_is_told_in_ascii_and_nearly_all_in_one_line() -> None:
    seen: dict[str, str] = {}
    for event in EVERYTHING:
        line = PANEL.narrate(event)
        assert line.text.isascii()
        assert line.who.isascii()
        assert 0 < len(line.who) <= 8
        assert "None" not in line.text, line.text
        assert known(line.ink)
        if event.kind != "cue":
            assert len(line.text) <= ROOM + 20, line.text
        seen[event.kind] = line.text
    assert len(seen) >= 45
    short = [text for kind, text in seen.items() if len(text) <= ROOM]
    assert len(short) >= len(seen) * 0.9


def test_an_unknown_kind_is_no_error() -> None:
    assert PANEL.narrate(Event(0, 0, "novelty", "n1", why="somebody added it")).text == "novelty: somebody added it"


def told(kind: str, **wanted: Any) -> str:
    event = next(each for each in EVERYTHING if each.kind == kind and all(
        (each.why if name == "why" else each.get(name)) == value for name, value in wanted.items()))  # fmt: skip
    line = PANEL.narrate(event)
    return f"{line.who}: {line.text}"


@pytest.mark.parametrize(
    ("kind", "wanted", "words"),
    [
        ("timeout", {"why": "silence"}, r"n\d: heard no leader for \d+ ms \(its timeout\): asks who would vote for it"),
        ("elected", {}, r"n\d: leads term \d+: 3 votes, of n\d n\d n\d; 3 are a majority"),
        ("commit", {"index": 2}, r"n\d: entry 2 is on n\d n\d n\d: 3, 3 needed: committed"),
        ("store", {"prev": 1}, r"n\d: stores entry 2: its entry 1 has term \d+, as the leader says"),
        ("commit_withheld", {}, r"entry \d+ is of term \d, counting replicas proves nothing for old terms \(5\.4\.2\)"),
        ("lost", {"why": "cut"}, r"n\d>n\d: .* lost: the link n\d>n\d is cut"),
        ("lost", {"why": "loss"}, r"lost: the link n\d>n1 drops 30 % of its messages"),
        ("lost", {"why": "crashed"}, r"lost: n\d is crashed"),
        ("truncate", {}, r"deletes entr.* of term \d+: n\d has term \d+ there; committed is only up to \d+"),
        ("step_down", {"why": "no_quorum"}, r"stops leading: it heard no majority"),
        ("quorum_lost", {}, r"heard \d servers in 300 ms, itself included; needs 3 to lead"),
        ("vote_refused", {"why": "voted"}, r"refuses n\d its vote: it voted for n\d in term \d+, and has one"),
        ("propose", {"op": "add"}, r"you: propose y\+=1"),
        ("redirect", {}, r"does not lead, so it cannot take"),
        ("crash", {}, r"crashes: its role, commit index and state machine are gone; term, log and written vote stay"),
        ("partition", {}, r"world: the network splits: n\d.* \| n\d"),
        ("rule", {}, r"you: rule pre vote OFF"),
    ],
)  # fmt: skip
def test_lines_carry_reason_and_numbers(kind: str, wanted: dict[str, Any], words: str) -> None:
    assert re.search(words, told(kind, **wanted))


def test_deleting_what_was_committed_is_said_loudly() -> None:
    event = next(each for each in EVERYTHING if each.kind == "truncate" and each.get("first") <= each.get("commit"))
    assert "deletes COMMITTED entry 1 of term 1" in PANEL.narrate(event).text
    assert "Only a broken rule allows that" in PANEL.narrate(event).text


def test_what_repeats_is_told_in_one_line() -> None:
    stores = [each for each in EVERYTHING if each.kind == "store" and each.get("first") == 3][:4]
    assert len({PANEL.routine(each) for each in stores}) == 1
    line = PANEL.fold(stores)
    assert (line.who, line.text) == ("n2 n5 n4 n1", "store entry 3: their entry 2 has term 1, as the leader says")
    seen = set()
    routine: list[Event] = []
    for event in (each for each in EVERYTHING if each.kind not in QUIET_KINDS):
        if routine and PANEL.routine(event) != PANEL.routine(routine[0]):
            if len(routine) > 1:
                line = PANEL.fold(routine)
                seen.add(routine[0].kind)
                assert line.text.isascii()
                assert known(line.ink)
                assert len(line.who) <= 11
                assert len(line.text) <= ROOM + 20, line.text
            routine = []
        if PANEL.routine(event):
            routine.append(event)
    assert {"store", "lost", "prevote_granted"} <= seen
    assert not any(PANEL.routine(each) for each in EVERYTHING if each.kind in ("vote_granted", "elected", "truncate"))


def test_every_event_can_be_explained_at_length() -> None:
    snapshot = run(1_000).snapshot()
    for event in {event.kind: event for event in EVERYTHING}.values():
        paragraphs = PANEL.explain(snapshot, event)
        assert all(text.isascii() and text for text in paragraphs)
        assert len(paragraphs) >= 2
    assert all(2 <= len(lesson) <= 4 for name, lesson in LESSONS.items() if name != "lecture")


def test_every_check_says_what_it_demands_and_what_broke() -> None:
    snapshot = run(1_000, (900, SetRule("persist_vote", False))).snapshot()
    assert set(IF_BROKEN) == set(DEMANDS)
    for check in snapshot.checks:
        assert "It holds" in " ".join(PANEL.explain_check(snapshot, check))
        words = " ".join(PANEL.explain_check(snapshot, Check(check.name, False, "it broke", ("n1 did it",))))
        assert "FAILED: it broke" in words
        assert "n1 did it" in words
        assert "Switched off in this run: persist vote" in words


def test_help_is_short_and_plain() -> None:
    assert 5 <= len(PANEL.help) <= 15
    assert all(paragraph.isascii() and len(paragraph) < 420 for paragraph in PANEL.help)
    assert PANEL.client_hint.isascii()
    assert "5 nodes" in PANEL.status(run(1_000).snapshot())
