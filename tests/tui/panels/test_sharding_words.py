"""The journal says something of every kind of event, with its reason and its numbers, in plain ASCII."""

import re
from pathlib import Path
from typing import Any

import pytest

import engines
from engines.sharding import PATTERN
from engines.sharding.world import commands as c
from engines.sharding.world.checks import DEMANDS
from engines.sim import faults
from engines.sim.pattern import Check
from engines.sim.timeline import Timeline
from engines.sim.world import QUIET_KINDS, Event
from tests.tui.panels.test_sharding_runs import Run, run, standing, story
from tui.panels.sharding import PANEL
from tui.panels.sharding.lessons import IF_BROKEN, LESSONS, OF_KIND
from tui.panels.sharding.narration import TABLE
from tui.theme import known

ROOM = 100


def kinds_in_the_sources() -> set[str]:
    """Every kind that the world, a machine, ``cfg`` or a client can record."""
    root = Path(engines.__file__).parent
    sources = [root / "sim" / "world.py", *sorted((root / "sharding" / "world").glob("*.py"))]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    found = set(re.findall(r"(?:\bnote|\brecord)\(\s*\"(\w+)\"", code))
    found |= set(re.findall(r"\"(\w+)\" if cut else", code)) | set(re.findall(r"if cut else \"(\w+)\"", code))
    on_links = code[code.index("def execute_on_links") :]
    found |= {
        name.lower() for name in re.findall(r"case faults\.(\w+)\(", on_links[: on_links.index("def links_between")])
    }
    found |= set(re.findall(r"fresh\.append\(\([^)]*?\"(\w+)\"", code))
    found |= set(re.findall(r"kind = \"(\w+)\" if cut\.by_heat", code)) | {"jumbo", "split", "merge"}
    return found


def events(timeline: Run) -> list[Event]:
    """All events of a run, quiet ones too."""
    copy: Run = Timeline(timeline.variant, timeline.branch.seed, timeline.branch.config, timeline.branch.scenario)
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
        14_000,
        (300, c.Get("cart:1", "n1")), (400, c.Put("cart:1", 3, "n2")), (500, c.MultiGet(("a", "b"))),
        (600, faults.Lose("*", "n1", 300_000)), (650, faults.Drop(1)), (700, faults.Slow("n1", "n2", 50_000, 1_000)),
        (710, faults.Duplicate("n3", "n4", 500_000)), (720, faults.Reorder("n3", "n4", 500_000)),
        (730, faults.Clog("n4", "n3")), (800, faults.Unclog("n4", "n3")), (810, faults.Skew("n5", 200_000, 0)),
        (820, faults.SlowDisk("n2", 40_000)), (900, c.AddNode()), (910, c.RemoveNode("n2")),
        (1_500, faults.Freeze("n4")), (4_100, faults.Thaw("n4")),
        (4_200, faults.Partition((("n1", "n2", "n3"), ("n4", "n5", "cfg")))), (6_900, faults.Heal()),
        (7_700, faults.Crash("n3")), (9_900, faults.Restart("n3")), (10_000, faults.Isolate("n1")),
        (10_200, faults.Reconnect("n1")), (10_210, faults.Cut("n1", "n2")), (10_220, faults.Mend("n1", "n2")),
        (10_300, faults.ExpireTimers(("n1", "n2"), "beat", 1_000)), (10_400, c.SetRule("lease", False)),
        (10_410, c.SetWorkload("hot")), (10_420, c.Salt("hot", 3)), (10_425, c.SetBandwidth(200)),
        (10_430, faults.Narrate("Look.")), (10_500, c.SetVnodes(16)),
        config=(("rf", 2),),
    )  # fmt: skip
    slots = run(
        12_000,
        (500, c.MultiGet(("a", "b"))), (700, c.SetBalancer(True)), (800, c.SplitForHeat(True)),
        (900, c.SetFullCoverage(True, True)), (1_000, c.AddNode()), (1_200, c.SetRule("ask_redirects", False)),
        (4_000, faults.Crash("n1")), (8_000, c.SetFullCoverage(False)), (8_500, faults.Restart("n1")),
        variant="slots",
    )  # fmt: skip
    ranges = run(
        12_000,
        (500, c.SplitChunk("")), (1_500, c.MergeChunks("")), (2_000, c.SetWorkload("monotonic", 110, 50)),
        (3_000, c.SplitForHeat(True)),
        variant="range",
    )  # fmt: skip
    bare = run(5_000, (1_000, c.SetRule("keep_until_acked", False)), (1_100, c.AddNode()), variant="modulo")
    found = [event for timeline in (troubled, slots, ranges, bare) for event in events(timeline)]
    for scenario in PATTERN.scenarios:
        found += events(story(scenario.name, scenario.end_us // 1000))
    return found


EVERYTHING = everything()


def test_every_kind_in_the_sources_has_its_sentence_and_its_lesson() -> None:
    kinds = kinds_in_the_sources()
    assert {"lost", "moved", "ask_redirect", "keys_sent", "isolate", "clog", "rule", "deliver", "heat_stuck"} <= kinds
    assert kinds - set(TABLE) == set()
    assert kinds - set(OF_KIND) == set()
    assert set(TABLE) >= QUIET_KINDS
    assert set(OF_KIND.values()) == set(LESSONS)


def test_every_event_of_many_runs_is_told_in_ascii_and_nearly_all_in_one_line() -> None:
    seen: dict[str, str] = {}
    for event in EVERYTHING:
        line = PANEL.narrate(event)
        assert line.text.isascii()
        assert line.who.isascii()
        assert 0 < len(line.who) <= 12
        assert "None" not in line.text, line.text
        assert known(line.ink)
        if event.kind not in ("cue", "answered"):
            assert len(line.text) <= ROOM + 30, line.text
        seen[event.kind] = line.text
    assert len(seen) >= 45
    short = [text for kind, text in seen.items() if len(text) <= ROOM]
    assert len(short) >= len(seen) * 0.85


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
        ("moved", {"why": "not_mine"}, r"n\d: answers \w+ MOVED: .* belongs to n\d, as the map of epoch \d+ says"),
        ("ask_redirect", {}, r"n\d+: answers \w+ ASK n\d+: \S+ has left already, though n\d+ still owns"),
        ("follow", {"why": "MOVED"}, r"asks n\d+ for \S+: n\d+ said MOVED; it remembers that"),
        ("follow", {"why": "ASK"}, r"this once: n\d+ said ASK; its map stays as it is"),
        ("order", {}, r"you: orders: n7 joins; cfg plans it"),
        ("plan", {}, r"cfg: plan \d+: n7 joins"),
        ("counted", {}, r"n7 joins: [\d,]+ keys change owner in \d+ units, as the nodes counted them"),
        ("migrating", {}, r"n\d+: MIGRATING .*n\d+: sends [\d,]+ keys?, serves what is still here"),
        ("importing", {}, r"n\d+: IMPORTING .* from n\d+: takes its keys, serves them to who says ASKING"),
        ("keys_sent", {}, r"sends .* to n\d+, \d+ left, at \d+ a second"),
        ("assigned", {}, r"cfg: .* is n\d+'s from epoch \d+ on, no longer n\d+'s: [\d,]+ keys? in"),
        ("plan_done", {}, r"done: .*; [\d,]+ keys? in .*, map \d+; MOVED corrects old ones"),
        ("dead", {"copies": True}, r"cfg: declares n\d dead: no heartbeat for 2\.\d+ s; term \d+"),
        ("dead", {"copies": False}, r"RF 1: nobody else has its keys"),
        ("alive", {}, r"cfg: hears n\d again"),
        ("refused", {"why": "CROSSSLOT"}, r"CROSSSLOT for a and 1 more: these keys are in different slots"),
        ("refused", {"why": "CLUSTERDOWN"}, r"CLUSTERDOWN for \S+: .*n\d .*\(better no answer than a wrong one\)"),
        ("denied", {}, r"there is no \S+: it has left for n\d+, and the rule to say so is off"),
        ("ask", {"why": "put"}, r"you: put cart:1=3: asks n2"),
        ("answered", {"yours": True}, r"you: "),
        ("split", {}, r"cut at \S+, \d+ chunks now; nothing moves"),
        ("salt", {}, r"you: salts \S+: 3 copies, \S+#1 to \S*#3; a read takes one of them, a write all"),
        ("lost", {"why": "loss"}, r"lost: the link \w+>n1 drops 30 % of its messages"),
        ("crash", {}, r"n3: crashes: its keys and its map stay on disk"),
        ("rule", {}, r"you: rule lease OFF"),
    ],
)  # fmt: skip
def test_lines_carry_reason_and_numbers(kind: str, wanted: dict[str, Any], words: str) -> None:
    assert re.search(words, told(kind, **wanted)), told(kind, **wanted)


def test_parcels_redirects_and_losses_share_lines_and_what_happens_to_you_does_not() -> None:
    folded: dict[str, list[Event]] = {}
    for event in EVERYTHING:
        routine = PANEL.routine(event)
        assert not (routine == "redirects" and "you" in (event.node, event.get("client")))
        if routine:
            folded.setdefault(routine.split()[0], []).append(event)
    assert set(folded) >= {"keys_sent", "redirects", "importing", "silence", "lost", "map_learned"}
    for some in folded.values():
        for count in (2, 5, len(some)):
            line = PANEL.fold(some[:count])
            assert line.text.isascii()
            assert "None" not in line.text
            assert 0 < len(line.who) <= 12
            assert known(line.ink)
            assert len(line.text) <= ROOM + 60
    parcels = PANEL.fold(folded["keys_sent"][:3]).text
    assert re.search(r"\d+ keys to n\d+ in 3 parcels; ", parcels)
    assert re.search(r"(is|are) sent on: (MOVED to|ASK) n\d+ \d+ x", PANEL.fold(folded["redirects"][:4]).text)


def test_an_answer_without_redirects_has_a_line_of_its_own() -> None:
    answers = [event for event in EVERYTHING if event.kind == "answered" and event.node != "you" and event.why == "ok"]
    assert {PANEL.routine(event) for event in answers} == {"", "redirects"}
    for event in answers:
        straight = all(answer.endswith(" served") for answer in event.get("answers"))
        assert (PANEL.routine(event) == "") == straight


def test_one_has_and_several_have() -> None:
    folded: dict[str, list[Event]] = {}
    for event in EVERYTHING:
        folded.setdefault(PANEL.routine(event), []).append(event)
    for routine, one, many in (
        ("unit_empty", "has given away", "have given away"),
        ("redirects", r"(is sent on|follows)\b", r"(are sent on|follow)\b"),
    ):
        some = folded[routine]
        alone = [
            event for event in some if (event.get("client") or event.node) == (some[0].get("client") or some[0].node)
        ]
        assert re.match(one, PANEL.fold(alone[:4]).text)
        assert re.match(many, PANEL.fold(some).text)


def test_every_event_can_be_explained_at_length() -> None:
    snapshot = standing("ring")
    for event in {event.kind: event for event in EVERYTHING}.values():
        paragraphs = PANEL.explain(snapshot, event)
        assert all(text.isascii() and text for text in paragraphs)
        assert len(paragraphs) >= 2
    assert all(1 <= len(lesson) <= 4 for lesson in LESSONS.values())


def test_every_check_says_what_it_demands_and_what_broke() -> None:
    snapshot = run(1_000, (900, c.SetRule("keep_until_acked", False))).snapshot()
    assert set(IF_BROKEN) == set(DEMANDS)
    assert {check.name for check in snapshot.checks} == set(DEMANDS)
    for check in snapshot.checks:
        assert "It holds" in " ".join(PANEL.explain_check(snapshot, check))
        words = " ".join(PANEL.explain_check(snapshot, Check(check.name, False, "it broke", ("n1 did it",))))
        assert "FAILED: it broke" in words
        assert "n1 did it" in words
        assert "Switched off in this run: keep until acked" in words


def test_help_is_short_and_plain() -> None:
    assert 5 <= len(PANEL.help) <= 15
    assert all(paragraph.isascii() and len(paragraph) < 420 for paragraph in PANEL.help)
    assert PANEL.client_hint.isascii()
    assert PANEL.status(standing("ring")) == "6 nodes  150 vnodes  RF 1  2,000 keys"
