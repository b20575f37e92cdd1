"""A saved run: what it holds, and every way in which a file may be wrong."""

import json
from typing import Any

import pytest

from engines.consensus.pattern import PATTERN, RAFT
from engines.consensus.raft.commands import Propose, SetRule
from engines.errors import UserError
from engines.sim import faults
from engines.sim.recording import PROGRESS_STEPS, read, record
from engines.sim.timeline import Timeline

SOURCE = "run.json"


def played() -> Timeline[Any, Any]:
    """A run with a scenario, commands of a person and a recorded future."""
    scenario = PATTERN.scenario("election")
    run: Timeline[Any, Any] = Timeline(RAFT, scenario.seed, scenario.config, scenario)
    run.advance(600_000)
    run.submit(Propose("set", "x", 7))
    run.submit(faults.Partition((("n1", "n2"), ("n3", "n4", "n5"))))
    run.advance(1_500_000)
    run.submit(SetRule("pre_vote", False))
    run.advance(2_000_000)
    return run


@pytest.fixture(scope="module")
def text() -> str:
    return record(PATTERN, played())


def changed(text: str, *path: str | int, to: Any) -> str:
    """The recording with one value replaced."""
    data = json.loads(text)
    place = data
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = to
    return json.dumps(data)


def without(text: str, *path: str | int) -> str:
    data = json.loads(text)
    place = data
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    return json.dumps(data)


def test_a_loaded_run_stands_where_the_saved_one_stood(text: str) -> None:
    run = played()
    loaded = read(text, SOURCE, (PATTERN,))
    other = loaded.open()
    assert (other.position, other.now_us, other.snapshot()) == (run.position, run.now_us, run.snapshot())
    assert other.engine.told(1 << 20) == run.engine.told(1 << 20)
    assert loaded.verify() == (True, run.digest()[0])
    assert record(PATTERN, other) == text


def test_a_loaded_run_goes_on_as_the_saved_one_would_have_done(text: str) -> None:
    run, other = played(), read(text, SOURCE, (PATTERN,)).open()
    run.advance(4_000_000)
    other.advance(4_000_000)
    assert other.branch.log == run.branch.log
    assert other.digest() == run.digest()


def test_what_is_saved_in_the_past_is_the_whole_branch() -> None:
    run = played()
    end = run.snapshot()
    run.seek_time(1_000_000)
    loaded = read(record(PATTERN, run), SOURCE, (PATTERN,))
    assert loaded.open().snapshot() == end
    assert loaded.verify()[0]
    assert any(entry.at_us > 1_000_000 for entry in loaded.log)


def test_a_fork_is_saved_as_a_run_of_its_own() -> None:
    run = played()
    run.seek_time(700_000)
    run.submit(faults.Crash("n4"))
    run.advance(1_700_000)
    loaded = read(record(PATTERN, run), SOURCE, (PATTERN,))
    assert loaded.open().snapshot() == run.snapshot()
    assert loaded.verify()[0]


def test_a_run_that_just_began_can_be_saved() -> None:
    run: Timeline[Any, Any] = Timeline(RAFT, -5, (("nodes", 3), ("workload", "busy"), ("pre_vote", False)))
    loaded = read(record(PATTERN, run), SOURCE, (PATTERN,))
    assert loaded.config == (("nodes", 3), ("workload", "busy"), ("pre_vote", False))
    assert loaded.seed == -5
    assert loaded.verify()[0]


def test_a_truncated_file_is_refused_with_line_and_column(text: str) -> None:
    for length in range(0, len(text.rstrip()), 50):
        with pytest.raises(UserError, match=r"^run\.json: line \d+, column \d+: not JSON"):
            read(text[:length], SOURCE, (PATTERN,))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[]", "not a dp-tui recording"),
        ("{}", "not a dp-tui recording"),
        ("null", "not a dp-tui recording"),
        ('{"recording": "other"}', "not a dp-tui recording"),
        ("\x00\x01", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"recording": ' + "1" * 5_000 + "}", "not JSON"),
        ('{"recording": "dp-tui", "format": 2}', "format 2: this version reads format 1"),
        ('{"recording": "dp-tui"}', "format None: this version reads format 1"),
    ],
    ids=["list", "empty", "null", "other", "binary", "deep", "long number", "newer", "no format"],
)
def test_what_is_no_recording_is_refused(content: str, complaint: str) -> None:
    with pytest.raises(UserError, match=rf"^run\.json: .*{complaint}"):
        read(content, SOURCE, (PATTERN,))


@pytest.mark.parametrize(
    ("path", "to", "complaint"),
    [
        (("pattern",), "nonsense", "unknown pattern 'nonsense': one of consensus is accepted"),
        (("pattern",), 7, '"pattern" must be a string, not 7'),
        (("variant",), "paxos", "unknown variant 'paxos': one of raft"),
        (
            ("engine_version",),
            99,
            f"recorded with version 99 of the engine 'raft'; this is version {RAFT.engine_version}",
        ),
        (("engine_version",), "1", '"engine_version" must be a whole number'),
        (("scenario",), "nonsense", "unknown scenario 'nonsense': one of election, "),
        (("scenario",), 3, '"scenario" must be a string, not 3'),
        (("seed",), 1.5, '"seed" must be a whole number'),
        (("seed",), True, '"seed" must be a whole number'),
        (("seed",), 1 << 62, '"seed" must be a whole number'),
        (("config",), [], '"config" must be an object'),
        (("config",), {"knots": 3}, "unknown setting 'knots': one of nodes, "),
        (("config",), {"nodes": "3"}, "setting 'nodes' takes a value of type int, not '3'"),
        (("config",), {"nodes": 99}, "nodes 99: it must lie between 1 and 9"),
        (("config",), {"workload": "mad"}, "workload 'mad': one of off, light, busy, flood is accepted"),
        (("config",), {"noop": 1}, "setting 'noop' takes a value of type bool, not 1"),
        (("end",), 7, '"end" must be an object, not 7'),
        (("end", "position"), -1, 'end: "position" must be a whole number of at least 0, not -1'),
        (("end", "at_us"), None, 'end: "at_us" must be a whole number'),
        (("events",), "many", '"events" must be a whole number'),
        (("digest",), None, '"digest" must be a string'),
        (("commands",), {}, '"commands" must be a list'),
        (("commands", 1), "Crash", "command 2: an object is needed"),
        (("commands", 1, "position"), "x", 'command 2: "position" must be a whole number'),
        (("commands", 1, "position"), 0, "command 2: at position 0, .* commands must stand in order"),
        (("commands", 1, "position"), 1 << 40, "command 2: at position .* before the end"),
        (("commands", 1, "at_us"), 0, "command 2: .* 0 us: commands must stand in order"),
        (("commands", 1, "command"), None, "command 2: not a command"),
        (("commands", 1, "command", "kind"), "Explode", "command 2: unknown command 'Explode'"),
        (("commands", 1, "command", "extra"), 1, "command 2: .* has no field 'extra'"),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else None,
)
def test_a_wrong_value_is_refused_with_its_place(
    text: str, path: tuple[str | int, ...], to: Any, complaint: str
) -> None:
    with pytest.raises(UserError, match=rf"^run\.json: .*{complaint}"):
        read(changed(text, *path, to=to), SOURCE, (PATTERN,))


@pytest.mark.parametrize(
    "name", ["pattern", "variant", "engine_version", "seed", "commands", "end", "events", "digest"]
)
def test_no_field_may_be_missing(text: str, name: str) -> None:
    with pytest.raises(UserError, match=rf'^run\.json: "{name}" must be'):
        read(without(text, name), SOURCE, (PATTERN,))


@pytest.mark.parametrize("name", ["position", "at_us", "command"])
def test_no_field_of_a_command_may_be_missing(text: str, name: str) -> None:
    with pytest.raises(UserError, match=r"^run\.json: command 1"):
        read(without(text, "commands", 0, name), SOURCE, (PATTERN,))


def test_an_end_that_the_run_never_reaches_is_refused() -> None:
    """Nothing happens in a cluster whose servers are all dead."""
    run: Timeline[Any, Any] = Timeline(RAFT, 1, (("clients", 0), ("nodes", 3)))
    for server in ("n1", "n2", "n3"):
        run.submit(faults.Crash(server))
    loaded = read(changed(record(PATTERN, run), "end", "position", to=50), SOURCE, (PATTERN,))
    with pytest.raises(UserError, match="does not fit this engine: the run ends at 3, before position 50"):
        loaded.open()


@pytest.mark.parametrize(
    "command",
    [
        {"kind": "Crash", "node": "n77"},
        {"kind": "Crash", "node": "leader"},
        {"kind": "Crash", "node": "*"},
        {"kind": "Crash", "node": ""},
        {"kind": "Skew", "node": "", "offset_us": 0, "drift_ppm": 0},
        {"kind": "Cut", "src": "", "dst": "n1"},
        {"kind": "Cut", "src": "n1", "dst": ""},
        {"kind": "Partition", "sides": [[""], ["n1"]]},
        {"kind": "Partition", "sides": [["*"], ["n1"]]},
        {"kind": "ExpireTimers", "nodes": ["*"], "timer": "election", "in_us": 0},
        {"kind": "Propose", "op": "explode", "key": "x", "value": 1},
    ],
    ids=str,
)
def test_a_command_that_cannot_be_carried_out_is_the_users_mistake(text: str, command: dict[str, Any]) -> None:
    loaded = read(changed(text, "commands", 1, "command", to=command), SOURCE, (PATTERN,))
    with pytest.raises(UserError):
        loaded.open()


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("digest",), "0" * 32),
        (("events",), 1),
        (("seed",), 43),
        (("config",), {"noop": False}),
        (("commands", 2, "at_us"), 600_001),
        (("commands", 1, "command", "value"), 8),
        (("end", "at_us"), 2_000_001),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else None,
)
def test_a_run_that_was_tampered_with_has_another_digest(text: str, path: tuple[str | int, ...], to: Any) -> None:
    loaded = read(changed(text, *path, to=to), SOURCE, (PATTERN,))
    try:
        same = loaded.verify()[0]
    except UserError:
        same = False
    assert not same


def branched() -> Timeline[Any, Any]:
    """Three branches: the story, what became of it from its middle on, and a new root; the second is looked at."""
    run = played()
    run.seek_time(1_000_000)
    run.submit(faults.Crash("n2"))
    run.advance(1_800_000)
    run.start(5, (("nodes", 3),))
    run.advance(400_000)
    run.submit(faults.Crash("n1"))
    run.visit(1)
    return run


def test_a_run_is_saved_with_its_branches() -> None:
    run = branched()
    text = record(PATTERN, run)
    loaded = read(text, SOURCE, (PATTERN,))
    assert loaded.verify() == (True, loaded.digest)
    other = loaded.open()
    assert other.branch.number == 1
    assert [each.parent for each in other.branches] == [None, 0, None]
    for number in (1, 0, 2, 1):
        run.visit(number)
        other.visit(number)
        run.seek(run.branch.end_position)
        other.seek(other.branch.end_position)
        assert other.branch.log == run.branch.log
        assert (other.position, other.now_us, other.snapshot()) == (run.position, run.now_us, run.snapshot())
    assert record(PATTERN, other) == record(PATTERN, run)


def test_a_run_saved_in_haste_is_opened_and_compared_with_nothing() -> None:
    run = branched()
    text = record(PATTERN, run, haste=True)
    assert json.loads(text)["digest"] is None
    loaded = read(text, SOURCE, (PATTERN,))
    assert loaded.events is None
    same, digest = loaded.verify()
    assert (same, digest) == (True, run.digest()[0])
    assert loaded.open().snapshot() == run.snapshot()


@pytest.mark.parametrize(
    ("path", "to", "complaint"),
    [
        (("branches",), {}, '"branches" must be a list'),
        (("branches",), [], '"branches" must be a list'),
        (("branches", 1, "here"), False, 'exactly one of "branches"'),
        (("branches", 1), 7, "exactly one|an object is needed"),
        (("branches", 0, "parent"), 0, "branch 1: must fork off an earlier branch"),
        (("branches", 1, "parent"), 2, "branch 2: must fork off an earlier branch"),
        (("branches", 1, "fork", "position"), 1 << 30, "branch 2: must fork off an earlier branch, before"),
        (("branches", 0, "end", "position"), 1 << 40, "branch 1: ends at position .* beyond all bounds"),
        (("branches", 0, "scenario"), "nothing", "branch 1: unknown scenario 'nothing'"),
        (("branches", 2, "commands", 0, "command", "kind"), "Explode", "branch 3: command 1: unknown command"),
        (("branches", 2, "config"), {"nodes": 99}, "branch 3"),
    ],
)
def test_a_wrong_branch_is_refused_with_its_place(path: tuple[str | int, ...], to: Any, complaint: str) -> None:
    text = record(PATTERN, branched(), haste=True)
    with pytest.raises(UserError, match=rf"^run\.json: .*({complaint})"):
        read(changed(text, *path, to=to), SOURCE, (PATTERN,))


def test_a_file_cannot_ask_for_a_run_without_end(text: str) -> None:
    huge = changed(changed(text, "events", to=10**12), "end", "position", to=10**12)
    with pytest.raises(UserError, match="a run comes to position 1,000,000,000 at most"):
        read(huge, SOURCE, (PATTERN,))
    long = changed(changed(text, "events", to=10**8), "end", "position", to=10**8)  # but it ends where its time ends
    with pytest.raises(UserError, match="does not fit this engine: the run ends at"):
        read(long, SOURCE, (PATTERN,)).verify()


def test_a_long_replay_tells_how_far_it_is_and_can_be_interrupted() -> None:
    run: Timeline[Any, Any] = Timeline(RAFT, 42)
    run.advance(100_000)
    text = record(PATTERN, run)
    data = changed(changed(changed(text, "events", to=10**8), "end", "position", to=10**8), "end", "at_us", to=1 << 50)

    def stop(done: int, of: int) -> None:
        assert (done % PROGRESS_STEPS, of) == (0, 10**8)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read(data, SOURCE, (PATTERN,)).execute(stop)
    with pytest.raises(KeyboardInterrupt):
        read(data, SOURCE, (PATTERN,)).open(stop)
