"""The journal says something of every kind of event, with its reason and its numbers, in plain ASCII."""

import re
from pathlib import Path
from typing import Any

import pytest

import engines
from engines.sim import faults
from engines.sim.pattern import Check
from engines.sim.timeline import Timeline
from engines.sim.world import QUIET_KINDS, Event
from engines.tracing.pattern import PATTERN
from engines.tracing.world import commands as c
from engines.tracing.world.invariants import DEMANDS
from engines.tracing.world.truth import KINDS
from tests.tui.panels.test_tracing_runs import FEW, Run, run, standing, story
from tui.panels.tracing import PANEL
from tui.panels.tracing.lessons import IF_BROKEN, LESSONS, OF_KIND
from tui.panels.tracing.narration import MEANS, OVER, TABLE
from tui.theme import known

ROOM = 110


def kinds_in_the_sources() -> set[str]:
    """Every kind that the world, a service, the users or the collector can record."""
    root = Path(engines.__file__).parent
    sources = [root / "sim" / "world.py", *sorted((root / "tracing" / "world").glob("*.py"))]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    found = set(re.findall(r"(?:\bnote|\brecord)\(\s*\"(\w+)\"", code))
    found |= set(re.findall(r"\"(\w+)\" if cut else", code)) | set(re.findall(r"if cut else \"(\w+)\"", code))
    on_links = code[code.index("def execute_on_links") :]
    found |= {
        name.lower() for name in re.findall(r"case faults\.(\w+)\(", on_links[: on_links.index("def links_between")])
    }
    return found


def events(timeline: Run) -> list[Event]:
    """All events of a run, quiet ones too."""
    copy: Run = Timeline(timeline.variant, timeline.branch.seed, timeline.branch.config, timeline.branch.scenario)
    copy.branch.log = timeline.branch.log
    copy.branch.end_position, copy.branch.end_us = timeline.branch.end_position, timeline.branch.end_us
    found: list[Event] = list(copy.engine.latest(512))
    while copy.position < timeline.position:
        before = copy.engine.events_total
        copy.seek(min(timeline.position, copy.position + 40))
        found += copy.engine.latest(min(512, copy.engine.events_total - before))
    return found


def everything() -> list[Event]:
    """Runs in which nearly all there is happens."""
    troubled = run(
        9_000,
        (300, c.Request("POST /checkout")), (310, c.Request()), (400, c.SetLoad("bursts", 40)),
        (450, c.Lock("auth-db", 60_000)), (460, c.DropHeader("catalog")), (500, faults.Lose("*", "auth", 300_000)),
        (600, faults.Drop(1)), (610, faults.Slow("auth", "*", 50_000, 1_000)),
        (620, faults.Duplicate("cart", "*", 300_000)), (630, faults.Reorder("cart", "*", 300_000)),
        (640, faults.Clog("cart", "catalog")), (900, faults.Unclog("cart", "catalog")),
        (910, faults.Skew("cart", 200_000, 0)), (920, faults.SlowDisk("cart", 40_000)), (990, c.Lock("auth-db", 0)),
        (1_000, c.ShrinkPool("auth", 1)), (1_100, c.SlowService("auth-db", 900)),
        (1_300, c.ColdCache("catalog-cache", 0)), (1_500, c.LoseSpans("cart", 400_000)),
        (1_600, c.LateSpans("mailer", 3_000_000)), (1_700, faults.Freeze("payment")), (2_900, faults.Thaw("payment")),
        (3_000, faults.Isolate("orders")), (3_800, faults.Reconnect("orders")), (3_900, faults.Crash("catalog")),
        (4_500, faults.Restart("catalog")), (4_600, faults.Partition((("auth",), ("auth-db",)))),
        (5_000, faults.Heal()), (5_100, c.SetBreakers(True)), (5_110, c.Amplify("auth-db", 600_000, 4)),
        (6_000, c.Amplify("auth-db", 0)), (6_010, c.SetRetries(3, True)), (6_020, c.SetSampling(500_000)),
        (6_030, c.Correct(True)), (6_040, c.SetRule("late_joins", False)), (6_050, faults.Narrate("Look.")),
        (6_060, faults.Cut("auth", "auth-db")), (6_070, faults.Mend("auth", "auth-db")), (6_080, c.SetLoad("off", 0)),
        (6_090, c.SlowService("auth", 300)), (6_100, c.SlowService("auth", 100)),
        (6_110, faults.ExpireTimers(("auth",), "due", 1_000)),
    )  # fmt: skip
    found = events(troubled)
    for scenario in PATTERN.scenarios:
        if dict(scenario.config).get("services", 72) <= 24:
            found += events(story(scenario.name, scenario.end_us // 1000))
    return found


EVERYTHING = everything()


def test_every_kind_in_the_sources_has_its_sentence_and_its_lesson() -> None:
    kinds = kinds_in_the_sources()
    assert {"crash", "trace", "pool_wait", "retry", "new_trace", "answered", "verdict", "isolate", "clog"} <= kinds
    assert kinds - set(TABLE) == set()
    assert kinds - set(OF_KIND) == set()
    assert set(TABLE) >= QUIET_KINDS
    assert set(OF_KIND.values()) == set(LESSONS)
    commands = {snake(command.__name__) for command in c.COMMANDS if command not in faults.FAULTS}
    assert commands <= set(TABLE)
    assert commands <= set(OF_KIND)


def snake(name: str) -> str:
    """The kind of event that a command of tracing makes."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def test_every_fault_says_what_follows_and_what_its_end_means() -> None:
    assert set(KINDS) - {"loss", "skew"} == set(OVER), "those two are told by the network's own words"
    assert set(OVER) <= set(MEANS)


def test_every_event_of_many_runs_is_told_in_ascii_and_nearly_all_in_one_line() -> None:
    seen: dict[str, str] = {}
    for event in EVERYTHING:
        line = PANEL.narrate(event)
        assert line.text.isascii()
        assert line.who.isascii()
        assert 0 < len(line.who) <= 12
        assert "None" not in line.text, line.text
        assert known(line.ink)
        if event.kind not in ("cue", "verdict"):
            assert len(line.text) <= ROOM + 40, line.text
        seen[event.kind] = line.text
    assert len(seen) >= 40, sorted(seen)
    short = [text for kind, text in seen.items() if len(text) <= ROOM]
    assert len(short) >= len(seen) * 0.8


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
        ("trace", {}, r"collector: (GET|POST) \S+ took [\d.]+ (ms|s|us): \d+ spans of \d+ services"),
        ("new_trace", {}, r"^catalog-ca..: catalog-cache starts a new trace, \w{8}: the call from catalog came with no "
                          r"traceparent header$"),
        ("pool_wait", {}, r"waits for a connection to \S+: \d+ of 1 connections are in use"),
        ("lock_wait", {}, r"lets SELECT \S+ wait: another query holds the lock"),
        ("timeout", {}, r"gives up on \S+ .*: no answer in \d+ ms; whether it was done is not known"),
        ("retry", {}, r"calls \S+ again, attempt \d, (after [\d.]+ ms|at once, without backoff): "),
        ("breaker", {"state": "open"}, r"breaker to \S+ is open: .*; calls fail at once now"),
        ("shrink_pool", {"size": 1},
         r"you: the pool of auth is cut from \d+ to 1 connections: whoever finds it empty waits"),
        ("drop_header", {}, r"you: catalog .* headers on: whom it calls begins a new trace"),
        ("slow_service", {"percent": 100}, r"you: auth is as fast as ever again"),
        ("amplify", {"ppm": 0}, r"you: auth-db answers again"),
        ("set_load", {"shape": "bursts"}, r"you: users come in a bursts stream, 40 requests a second"),
        ("set_load", {"shape": "off"}, r"you: users stop sending requests"),
        ("set_rule", {"rule": "late_joins"}, r"you: rule late joins OFF, everywhere at once"),
        ("correct", {}, r"clocks are corrected as far as spans betray"),
        ("set_sampling", {}, r"50 % of the traces are kept by chance"),
        ("request", {"operation": "POST /checkout"}, r"you: sends POST /checkout: follow its trace"),
        ("skew", {}, r"cart: its clock jumps by .*: its spans move with it, those of others do not"),
        ("crash", {}, r"catalog: crashes: the requests inside it and its unsent spans are lost"),
        ("lost", {"why": "loss"}, r"\S+>auth: .* lost: the link \S+>auth drops 30 % of its messages"),
        ("answered", {}, r"you: \S+ \S+ is answered with \d+ after [\d.]+ \w+"),
        ("verdict", {}, r"is what the verdict names now: "),
    ],
)  # fmt: skip
def test_lines_carry_reason_and_numbers(kind: str, wanted: dict[str, Any], words: str) -> None:
    assert re.search(words, told(kind, **wanted)), told(kind, **wanted)


def test_what_comes_by_the_dozen_shares_a_line_a_second_and_what_you_do_does_not() -> None:
    folded: dict[str, list[Event]] = {}
    for event in EVERYTHING:
        routine = PANEL.routine(event)
        assert not (routine and event.kind in ("request", "answered", "amplify", "verdict", "cue"))
        if routine:
            folded.setdefault(routine, []).append(event)
    names = {routine.split()[0] for routine in folded}
    assert {"traffic", "lost", "new_trace"} <= names
    for routine, some in folded.items():
        for count in (2, 3, len(some)):
            line = PANEL.fold(some[:count])
            assert line.text.isascii()
            assert "None" not in line.text
            assert 0 < len(line.who) <= 12
            assert known(line.ink)
            assert len(line.text) <= 260, (routine, line.text)


def test_a_line_of_traffic_counts_everything_once() -> None:
    kinds = ["pool_wait"] * 5 + ["retry"] * 2 + ["trace"] * 4
    some = [next(event for event in EVERYTHING if event.kind == kind) for kind in kinds]
    text = PANEL.fold(some).text
    assert "(5 x)" in text
    assert "2 retries" in text
    assert "4 traces complete, median" in text
    traces = [event for event in EVERYTHING if event.kind == "trace" and PANEL.routine(event)][:6]
    wanted = r"6 traces complete, medians (\S+ \S+ [\d.]+ \w+(, )?)+; slowest [\d.]+ \w+"
    assert re.match(wanted, PANEL.fold(traces).text), PANEL.fold(traces).text


def test_every_event_can_be_explained_at_length() -> None:
    snapshot = standing("pool")
    for event in {event.kind: event for event in EVERYTHING}.values():
        paragraphs = PANEL.explain(snapshot, event)
        assert all(text.isascii() and text for text in paragraphs)
        assert len(paragraphs) >= 1
    assert all(1 <= len(lesson) <= 5 for lesson in LESSONS.values())
    assert all(text.isascii() for lesson in LESSONS.values() for text in lesson)


def test_the_mistakes_of_the_article_are_named_where_they_are_met() -> None:
    context = " ".join(LESSONS["context"])
    assert "extracts the parent and never uses it" in context
    assert "makes the whole a graph" in " ".join(LESSONS["trace"])
    assert "Not every request is kept" in " ".join(LESSONS["sampling"])
    assert "One trace cannot show what happens at p99" in " ".join(LESSONS["verdict"])
    assert any("One trace cannot show what happens at p99" in paragraph for paragraph in PANEL.help)


def test_every_check_says_what_it_demands_and_what_broke() -> None:
    snapshot = run(1_000, (900, c.SetRule("continue_trace", False)), config=FEW).snapshot()
    assert set(IF_BROKEN) == set(DEMANDS)
    assert {check.name for check in snapshot.checks} == set(DEMANDS)
    for check in snapshot.checks:
        if check.ok:
            assert "It holds" in " ".join(PANEL.explain_check(snapshot, check))
        words = " ".join(PANEL.explain_check(snapshot, Check(check.name, False, "it broke", ("auth did it",))))
        assert "FAILED: it broke" in words
        assert "auth did it" in words
        assert "Switched off in this run: continue trace" in words


def test_help_is_short_and_plain() -> None:
    assert 5 <= len(PANEL.help) <= 15
    assert all(paragraph.isascii() and len(paragraph) < 420 for paragraph in PANEL.help)
    assert PANEL.client_hint.isascii()
    assert PANEL.status(standing("calm")).startswith("72 services  now p50 ")
