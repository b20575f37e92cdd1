"""The laws every pattern keeps: determinism, time travel, independence of draws, bounded growth.

One list (``tests/patterns.py``) names the patterns; every law below is tried on each of their variants and scenarios.
"""

import functools
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import FunctionType, GeneratorType, MethodType
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from engines.consensus.raft.checks import RaftChecks
from engines.errors import UserError
from engines.sim import faults, timeline
from engines.sim.events import JOURNAL_EVENTS, RING_EVENTS
from engines.sim.history import HISTORY_MAX, History, RecentHistory, tape_numbered
from engines.sim.host import Host
from engines.sim.pattern import Config, Pattern, Scenario, Variant
from engines.sim.random import Stream
from engines.sim.recording import read, record
from engines.sim.timeline import Timeline
from engines.sim.world import World
from tests.engines.consensus.pbft import strategies as pbft
from tests.engines.consensus.raft import strategies as raft
from tests.engines.consistency.world import strategies as consistency
from tests.engines.cqrs.world import strategies as cqrs
from tests.engines.event_sourcing.world import strategies as events
from tests.engines.resilience.world import strategies as resilience
from tests.engines.sharding.world import strategies as sharding
from tests.engines.tracing.world import strategies as tracing
from tests.patterns import PATTERNS, SPECIMENS, Specimen
from tui.judging import judged

Run = Timeline[Any, Any]

COMMANDS: Final[dict[str, st.SearchStrategy[Any]]] = {
    "consensus": raft.commands,
    "consistency": consistency.commands,
    "cqrs": cqrs.commands,
    "events": events.commands,
    "pbft": pbft.commands,
    "resilience": resilience.commands,
    "sharding": sharding.commands,
    "tracing": tracing.commands,
}
"""What a person may do to each pattern, or to a variant that is a system of its own, at random."""

VARIANTS: Final = [
    pytest.param(specimen, variant, id=f"{specimen.pattern.name}-{variant.name}")
    for specimen in SPECIMENS
    for variant in specimen.pattern.variants
]
STORIES: Final = [
    pytest.param(pattern, scenario, id=f"{pattern.name}-{scenario.name}")
    for pattern in PATTERNS
    for scenario in pattern.scenarios
]
STORM_SEED: Final = 20_001
PATIENCE_S: Final = 1_800
"""For another process to execute all stories: nine seconds on a quiet machine."""
WALKS: Final = 200
"""Random walks through every pattern, shared by its variants; ``make soak`` takes many more through each of them."""


def told(pattern: Pattern, scenario: Scenario) -> Run:
    """A scenario at its end."""
    run: Run = Timeline(pattern.variant(scenario.variant), scenario.seed, scenario.config, scenario)
    run.advance(scenario.end_us)
    return run


class Finished(NamedTuple):
    """A story at its end: run once, and looked at by several tests, none of which moves it."""

    pattern: Pattern
    scenario: Scenario
    run: Run


@pytest.fixture(name="finished", scope="module")
def _finished(request: pytest.FixtureRequest) -> Finished:
    pattern, scenario = request.param
    return Finished(pattern, scenario, told(pattern, scenario))


each_finished = pytest.mark.parametrize(
    "finished",
    [
        pytest.param((pattern, story), id=f"{pattern.name}-{story.name}")
        for pattern in PATTERNS
        for story in pattern.scenarios
    ],
    indirect=True,
    scope="module",
)
"""pytest lets those of one story follow each other."""


def neighbours(engine: Any, name: str) -> list[str]:
    """The servers that a server has links to."""
    return [other for other in engine.hosts[name].links if other in engine.servers]


def storm(variant: Variant, seed: int = STORM_SEED) -> Run:
    """A run under every fault of the network, of clocks and of disks."""
    run: Run = Timeline(variant, seed)
    stream = Stream(seed, "storm")
    names = run.engine.servers  # type: ignore[attr-defined]
    makes: tuple[Any, ...] = (
        lambda a, b: faults.Lose(a, b, 200_000),
        lambda a, b: faults.Duplicate(a, b, 300_000),
        lambda a, b: faults.Reorder(a, "*", 300_000),
        lambda a, b: faults.Slow(a, b, 40_000, 30_000),
        lambda a, b: faults.Cut(a, b),
        lambda a, b: faults.Clog(a, b),
        lambda a, b: faults.Unclog("*", "*"),
        lambda a, b: faults.Crash(a),
        lambda a, b: faults.Restart(a),
        lambda a, b: faults.Freeze(a),
        lambda a, b: faults.Thaw(a),
        lambda a, b: faults.Skew(a, -30_000, 200_000),
        lambda a, b: faults.SlowDisk(a, 30_000),
        lambda a, b: faults.Narrate("Später \U0002ebf0 \x85 \ud800", pause=False),
        lambda a, b: faults.Heal(),
    )
    for _ in range(60):
        run.advance(run.now_us + stream.below(120_000))
        a = names[stream.below(len(names))]
        near = neighbours(run.engine, a)
        b = near[stream.below(len(near))]
        run.submit(makes[stream.below(len(makes))](a, b))
    run.advance(run.now_us + 500_000)
    return run


def place(run: Run) -> tuple[Any, ...]:
    """All there is to see, and the journal."""
    return run.position, run.now_us, run.snapshot(), run.engine.told(1 << 20), run.engine.told_total, run.check()


def again(run: Run) -> Run:
    """The log of a run, executed from the start to where the run stands."""
    branch = run.branch
    copy: Run = Timeline(run.variant, branch.seed, branch.config, branch.scenario, keep_checkpoints=False)
    copy.branch.log = list(branch.log)
    copy.branch.end_position, copy.branch.end_us = run.position, run.now_us
    copy.seek(run.position)
    return copy


def test_every_panel_keeps_the_contract() -> None:
    from tui.registry import PANELS

    assert {panel.pattern.name for panel in PANELS} <= {pattern.name for pattern in PATTERNS}
    assert set(COMMANDS) - {"pbft"} == {pattern.name for pattern in PATTERNS}


# -- 1: same version + config + seed + inputs => same events, same digest -------------------------------------


@functools.cache
def recordings() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Every story and a storm over every variant, as saved runs, with their digests."""
    texts = [record(pattern, told(pattern, scenario)) for pattern in PATTERNS for scenario in pattern.scenarios]
    texts += [record(pattern, storm(variant)) for pattern in PATTERNS for variant in pattern.variants]
    return tuple(texts), tuple(json.loads(text)["digest"] for text in texts)


def executed_elsewhere(python: str, hash_seed: str) -> tuple[str, ...]:
    script = Path(__file__).with_name("elsewhere.py")
    done = subprocess.run(
        [python, str(script)],
        input=json.dumps(recordings()[0]),
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return tuple(json.loads(done.stdout))


def interpreters(version: str) -> Iterator[str]:
    """Interpreters of this version on the search path or under a version manager, that really start."""
    candidates = [shutil.which(f"python{version}")]
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=False).stdout.strip()
        candidates += map(str, sorted(Path(root).glob(f"versions/{version}.*/bin/python")))
    for candidate in candidates:
        if candidate is None:
            continue
        probe = "import sys; print('%d.%d' % sys.version_info[:2])"
        found = subprocess.run([candidate, "-c", probe], capture_output=True, text=True, check=False)
        if found.returncode == 0 and found.stdout.strip() == version:
            yield candidate


def test_a_run_in_the_same_process_comes_to_the_same_digest() -> None:
    texts, digests = recordings()
    assert [read(text, "memory", PATTERNS).verify() for text in texts] == [(True, digest) for digest in digests]


def test_different_seeds_are_different_runs() -> None:
    for pattern in PATTERNS:
        for variant in pattern.variants:
            assert storm(variant).digest() != storm(variant, STORM_SEED + 1).digest()


@pytest.mark.parametrize(("version", "hash_seed"), [("3.11", "0"), ("3.12", "1"), ("3.13", "4294967295")])
def test_the_digest_depends_neither_on_the_hash_seed_nor_on_the_version_of_python(version: str, hash_seed: str) -> None:
    """This process, whose hash seed is drawn, is the fourth."""
    python = next(interpreters(version), None)
    assert executed_elsewhere(python or sys.executable, hash_seed) == recordings()[1]
    if python is None:
        pytest.skip(f"the digest does not depend on the hash seed, but there is no Python {version} here")


# -- 2: seek equals the first run; looking changes nothing -----------------------------------------------------


@pytest.mark.parametrize(("pattern", "scenario"), STORIES)
def test_a_seek_equals_the_first_run_there(
    pattern: Pattern, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "CHECKPOINT_EVERY", 40)
    run: Run = Timeline(pattern.variant(scenario.variant), scenario.seed, scenario.config, scenario)
    at = [run.now_us]
    while run.step() and run.now_us < scenario.end_us:
        at.append(run.now_us)
    stream = Stream(scenario.seed, "test")
    positions = [stream.below(len(at)) for _ in range(24)]
    times = [stream.below(at[-1]) for _ in range(12)]
    after = [sum(each <= at_us for each in at) for at_us in times]
    visited = places(pattern, scenario, {*positions, *(each - 1 for each in positions), *after})
    for position in positions:
        run.seek(position)
        assert place(run) == visited[position]
        if position and stream.chance(300_000):
            assert run.back()
            assert place(run) == visited[position - 1]
            assert run.step()
            assert place(run) == visited[position]
    for at_us, position in zip(times, after, strict=True):
        run.seek_time(at_us)
        assert run.now_us == at_us
        assert run.position == position - 1
        run.seek(position)
        assert place(run) == visited[position]


def places(pattern: Pattern, scenario: Scenario, wanted: set[int]) -> dict[int, tuple[Any, ...]]:
    """What there is to see at these positions of a story, told step by step for the first time."""
    run: Run = Timeline(
        pattern.variant(scenario.variant), scenario.seed, scenario.config, scenario, keep_checkpoints=False
    )
    found = {0: place(run)}
    while run.position < max(wanted) and run.step():
        if run.position in wanted:
            found[run.position] = place(run)
    return found


@pytest.mark.parametrize(("specimen", "variant"), VARIANTS)
def test_checkpoints_change_nothing(specimen: Specimen, variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    without = storm(variant)
    monkeypatch.setattr(timeline, "CHECKPOINT_EVERY", 3)
    with_many = storm(variant)
    assert place(with_many) == place(without)
    assert with_many.digest() == without.digest()
    for position in (without.position // 2, 1, without.position - 1, without.position):
        without.seek(position)
        with_many.seek(position)
        assert place(with_many) == place(without)


@pytest.mark.parametrize(("specimen", "variant"), VARIANTS)
def test_looking_changes_nothing(specimen: Specimen, variant: Variant) -> None:
    run = storm(variant)
    for _ in range(50):
        before = pickle.dumps(run.engine)
        seen = run.snapshot(), run.check(), run.engine.latest(1 << 20), run.engine.told(1 << 20), run.engine.next_us()
        assert pickle.dumps(run.engine) == before
        hash(seen[0])
        run.step()


# -- 3: one fault does not reshuffle the rest ------------------------------------------------------------------


def fates(
    variant: Variant, config: Config, commands: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> dict[Any, Any]:
    """What befell the n-th message of every link: its latency, or its loss. Queueing behind others is left out."""
    seen: dict[Any, Any] = {}
    send = Host.send

    def spy(host: Host, dst: str, message: object) -> None:
        link, clock = host.links[dst], host.clock
        link.last_arrival_us = 0
        key, before = (host.id, dst, link.sent), clock.seq
        send(host, dst, message)
        sent = [entry for entry in clock.heap if entry[1] == before + 1]
        seen[key] = (sent[0][2], sent[0][0] - sent[0][5]) if sent else "held"

    with monkeypatch.context() as patch:
        patch.setattr(Host, "send", spy)
        run: Run = Timeline(variant, 5, config)
        run.submit(faults.Lose("*", "*", 100_000))
        run.advance(500_000)
        for command in commands:
            run.submit(command)
        run.advance(2_500_000)
    return seen


@pytest.mark.parametrize(("specimen", "variant"), VARIANTS)
def test_a_fault_does_not_reshuffle_the_rest(
    specimen: Specimen, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = variant.make(5, ())
    if not isinstance(engine, World):
        pytest.skip("no network here")
    a = engine.servers[0]
    b = neighbours(engine, a)[0]
    calm = fates(variant, specimen.lively, (), monkeypatch)
    changed = 0
    for command in (faults.Crash(a), faults.Isolate(a), faults.Freeze(a), faults.Lose(a, b, 900_000),
                    faults.Slow(a, b, 90_000, 90_000), faults.Duplicate(a, b, 900_000), faults.Reorder(a, b, 900_000),
                    faults.Skew(a, 100_000, 0), faults.SlowDisk(a, 10_000)):  # fmt: skip
        other = fates(variant, specimen.lively, (command,), monkeypatch)
        changed += other != calm
        common = [key for key in calm if key in other and a not in key[:2]]
        assert len(common) > 150
        assert [other[key] for key in common] == [calm[key] for key in common]
    assert changed >= 2


# -- 4: plain data, integer time -------------------------------------------------------------------------------


NOT_PLAIN: Final[tuple[type, ...]] = (FunctionType, MethodType, GeneratorType, functools.partial, float, complex)


class Census(pickle.Pickler):
    """Sees every object of a state."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), protocol=5)
        self.found: list[object] = []

    def persistent_id(self, obj: object) -> None:
        strings = isinstance(obj, set | frozenset) and any(isinstance(each, str) for each in obj)
        if strings or (isinstance(obj, NOT_PLAIN) and obj is not tape_numbered):  # a tape is referred to by its number
            self.found.append(obj)


def leaves(value: Any) -> Iterator[Any]:
    """The plain values inside a record."""
    if is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from leaves(getattr(value, each.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from leaves(item)
    else:
        yield value


@pytest.mark.parametrize(("specimen", "variant"), VARIANTS)
def test_a_state_holds_no_callables_no_floats_and_no_sets_of_strings(specimen: Specimen, variant: Variant) -> None:
    census = Census()
    census.dump(storm(variant).engine)
    assert census.found == []


@each_finished
def test_snapshots_and_events_hold_only_plain_immutable_values(finished: Finished) -> None:
    run = finished.run
    kinds = {type(leaf) for leaf in leaves((run.snapshot(), run.engine.latest(1 << 20), run.check()))}
    assert {kind for kind in kinds if not issubclass(kind, Enum)} <= {int, str, bool, type(None)}


# -- 5: a saved run is the run ---------------------------------------------------------------------------------


@each_finished
def test_save_and_load_lead_to_the_same_place(finished: Finished) -> None:
    pattern, run = finished.pattern, finished.run
    text = record(pattern, run)
    loaded = read(text, "memory", PATTERNS)
    assert loaded.verify() == (True, json.loads(text)["digest"])
    opened = loaded.open()
    assert place(opened) == place(run)
    assert json.loads(record(pattern, opened)) == json.loads(text)


class Wanderer(RuleBasedStateMachine):
    """A person who walks a run in all directions and meddles with it."""

    specimen: Specimen
    variant: Variant

    def __init__(self) -> None:
        super().__init__()
        self.run: Run = Timeline(self.variant, 11, self.specimen.small, self.story())

    def story(self) -> Scenario | None:
        return next((each for each in self.specimen.pattern.scenarios if each.variant == self.variant.name), None)

    @rule(span_us=st.integers(0, 300_000), stop=st.booleans())
    def advance(self, span_us: int, stop: bool) -> None:
        until = self.run.now_us + span_us
        assert self.run.advance(until, stop_at_cues=stop) or self.run.now_us == until

    @rule(count=st.integers(1, 5))
    def step(self, count: int) -> None:
        for _ in range(count):
            before, moved = self.run.position, self.run.step()
            assert self.run.position == before + moved

    @rule()
    def back_and_step(self) -> None:
        if self.run.back():
            self.run.step()

    @rule()
    def back(self) -> None:
        position = self.run.position
        assert self.run.back() == (position > 0)
        assert self.run.position == max(0, position - 1)

    @rule(data=st.data())
    def submit(self, data: st.DataObject) -> None:
        of = self.variant.name if self.variant.name in COMMANDS else self.specimen.pattern.name
        command = data.draw(COMMANDS[of])
        before, past, branches = place(self.run), self.run.in_past, len(self.run.branches)
        try:
            self.run.submit(command)
        except UserError:
            assert place(self.run) == before
            assert len(self.run.branches) == branches
        else:
            assert len(self.run.branches) == branches + past
            assert self.run.position == before[0] + 1

    @rule(part=st.integers(0, 1_000))
    def seek(self, part: int) -> None:
        position = self.run.branch.end_position * part // 1_000
        self.run.seek(position)
        assert self.run.position == position

    @rule(part=st.integers(0, 1_000))
    def seek_time(self, part: int) -> None:
        at_us = self.run.branch.end_us * part // 1_000
        self.run.seek_time(at_us)
        assert self.run.now_us == at_us

    @rule()
    def fork(self) -> None:
        self.run.fork()

    @rule(number=st.integers(0, 1 << 20))
    def visit(self, number: int) -> None:
        self.run.visit(number % len(self.run.branches))

    @precondition(lambda self: len(self.run.branches) < 4)
    @rule(seed=st.integers(0, 3))
    def restart(self, seed: int) -> None:
        self.run.start(seed, self.specimen.small, self.story() if seed else None)

    @rule()
    def save_and_load(self) -> None:
        loaded = read(record(self.specimen.pattern, self.run), "memory", PATTERNS)
        self.run.seek(self.run.branch.end_position)
        assert place(loaded.open()) == place(self.run)
        assert loaded.verify()[0]

    @invariant()
    def the_log_executed_again_leads_here(self) -> None:
        assert place(again(self.run)) == place(self.run)

    @invariant()
    def positions_make_sense(self) -> None:
        branch = self.run.branch
        positions = [entry.position for entry in branch.log]
        assert positions == sorted(set(positions))
        assert 0 <= self.run.position <= branch.end_position
        assert self.run.now_us <= branch.end_us


def wander(specimen: Specimen, variant: Variant, walks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "CHECKPOINT_EVERY", 25)
    machine = type("Walk", (Wanderer,), {"specimen": specimen, "variant": variant})
    run_state_machine_as_test(machine, settings=settings(max_examples=walks, stateful_step_count=30))


@pytest.mark.parametrize(("specimen", "variant"), VARIANTS)
def test_whatever_a_person_does_the_log_tells_it_all(
    specimen: Specimen, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    wander(specimen, variant, min(100, WALKS // len(specimen.pattern.variants)), monkeypatch)


@pytest.mark.soak
@pytest.mark.parametrize(("specimen", "variant"), VARIANTS)
def test_the_log_tells_it_all_for_hours(specimen: Specimen, variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    wander(specimen, variant, 2_000, monkeypatch)


# -- 6: stories ------------------------------------------------------------------------------------------------


@each_finished
def test_a_story_breaks_exactly_the_checks_it_declares(finished: Finished) -> None:
    scenario, run = finished.scenario, finished.run
    failed = [check for check in (*run.check(), *judged(run.engine)) if not check.ok]
    assert sorted(check.name for check in failed) == sorted(scenario.breaks)
    for check in failed:
        assert check.detail
        assert check.witness
        assert 0 < check.position <= run.position
        assert check.at_us is not None
        assert 0 < check.at_us <= run.now_us


BREAKING = {
    (pattern.name, scenario.variant): (pattern, scenario)
    for pattern in PATTERNS
    for scenario in sorted(pattern.scenarios, key=lambda each: -each.end_us)
    if scenario.breaks
}
"""The shortest story of each variant that breaks something."""


@pytest.mark.parametrize(("pattern", "scenario"), BREAKING.values(), ids=lambda each: each.name)
def test_a_failed_check_says_since_when_it_does_not_hold(pattern: Pattern, scenario: Scenario) -> None:
    run = told(pattern, scenario)
    first = min((check for check in run.check() if not check.ok), key=lambda check: check.position)
    run.seek(first.position)
    assert run.now_us == first.at_us
    assert first in run.check()
    run.seek(first.position - 1)
    assert all(check.ok for check in run.check())


@each_finished
def test_a_story_reaches_its_end_with_all_its_lines(finished: Finished) -> None:
    scenario, run = finished.scenario, finished.run
    assert (run.now_us, run.pending) == (scenario.end_us, ())
    assert len(run.branch.log) == len(scenario.script)
    spoken = [entry.command for entry in run.branch.log if isinstance(entry.command, faults.Narrate)]
    assert [each.text for each in spoken] == [
        line.command.text for line in scenario.script if isinstance(line.command, faults.Narrate)
    ]
    times = [line.at_us for line in scenario.script]
    assert times == sorted(times)
    assert times[-1] < scenario.end_us


@pytest.mark.parametrize(("pattern", "scenario"), STORIES)
def test_what_a_story_says_is_ascii_and_not_empty(pattern: Pattern, scenario: Scenario) -> None:
    cues = [line.command.text for line in scenario.script if isinstance(line.command, faults.Narrate)]
    assert cues
    for text in (scenario.name, scenario.title, scenario.summary, *cues):
        assert text.isascii()
        assert text == text.strip() != ""


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_names_are_unique_and_settings_accept_their_defaults(pattern: Pattern) -> None:
    for names in ([each.name for each in pattern.variants], [each.name for each in pattern.scenarios]):
        assert len(set(names)) == len(names)
    for variant in pattern.variants:
        for setting in variant.settings:
            setting.accept(setting.default, "here")
        assert set(faults.FAULTS) <= set(variant.commands)
    for scenario in pattern.scenarios:
        known = {setting.name: setting for setting in pattern.variant(scenario.variant).settings}
        for name, value in scenario.config:
            known[name].accept(value, "here")


# -- 7: everything that grows is bounded -----------------------------------------------------------------------


@pytest.mark.parametrize(("specimen", "variant"), VARIANTS)
def test_a_long_busy_run_stays_bounded_and_branches_stay_reachable(
    specimen: Specimen, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "CHECKPOINT_EVERY", 400)
    monkeypatch.setattr(timeline, "CHECKPOINTS_MAX", 20)
    run: Run = Timeline(variant, 3, specimen.busiest)
    run.advance(1_000_000)
    first = run.position
    while run.position < 30_000:
        run.advance(run.now_us + 250_000)
    engine = run.engine
    assert engine.events_total > 10 * RING_EVENTS
    assert len(engine.latest(1 << 30)) == RING_EVENTS
    assert len(engine.told(1 << 30)) == JOURNAL_EVENTS
    for value in vars(engine).values():
        if isinstance(value, RecentHistory):
            assert len(value.finished) <= HISTORY_MAX
            open_max = specimen.open_at_once * len(engine.clients)  # type: ignore[attr-defined]
            assert len(value.operations()) <= HISTORY_MAX + open_max
        if isinstance(value, RaftChecks):
            assert max(len(host.disk.log) for host in value.hosts.values()) <= 250
            assert max(len(value.entries), len(value.committed), len(value.applied), len(value.states)) <= 3_000
        if isinstance(value, History):
            assert value.tape.size <= 64 * len(value.operations())
    kept = run.branch.checkpoints
    assert len(kept) <= 20
    assert sum(len(each.blob) for each in kept) <= timeline.CHECKPOINT_BYTES_MAX
    assert all(check.ok for check in run.check())

    end = place(run)
    run.seek(first)
    run.submit(faults.Heal())
    run.advance(run.now_us + 100_000)
    run.visit(0)
    assert place(run) == end
