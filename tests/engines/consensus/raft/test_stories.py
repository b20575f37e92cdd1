"""What the stories of Raft say is so, also where a person has changed them on the way."""

from typing import Any

from engines.consensus.pattern import PATTERN, RAFT
from engines.consensus.raft.commands import SetRule
from engines.consensus.raft.messages import Command
from engines.consensus.raft.options import FIGURE_7
from engines.consensus.raft.snapshot import Snapshot
from engines.sim.faults import Narrate
from engines.sim.pattern import Config
from engines.sim.timeline import Timeline
from engines.units import US_PER_MS


def told(name: str, *inputs: tuple[int, Any], config: Config = ()) -> Timeline[Any, Snapshot]:
    """A story to its end, with commands at these milliseconds and settings over its own."""
    scenario = PATTERN.scenario(name)
    settings = tuple({**dict(scenario.config), **dict(config)}.items())
    timeline: Timeline[Any, Snapshot] = Timeline(RAFT, scenario.seed, settings, scenario)
    for at_ms, command in inputs:
        timeline.advance(at_ms * US_PER_MS)
        timeline.submit(command)
    timeline.advance(scenario.end_us)
    return timeline


def words(timeline: Timeline[Any, Snapshot]) -> list[str]:
    """What the lecturer said."""
    return [each.command.text for each in timeline.branch.log if isinstance(each.command, Narrate)]


def test_figure_8_says_that_no_promise_was_broken_where_none_was() -> None:
    run = told("figure-8")
    assert all(check.ok for check in run.check())
    assert "No promise was broken" in words(run)[-1]
    assert run.snapshot().servers[0].log[0].command == Command("you", 1, "set", "x", 1), "n1 is dead and keeps it"


def test_figure_8_with_the_rule_switched_off_on_the_way_says_that_a_promise_is_broken() -> None:
    run = told("figure-8", (700, SetRule("current_term_commit", False)))
    assert [check.name for check in run.check() if not check.ok]
    assert "No promise was broken" not in " ".join(words(run))
    assert "without the rule a promise is broken" in words(run)[-1]


def test_what_was_said_instead_is_said_again_in_a_replay() -> None:
    run = told("figure-8", config=(("current_term_commit", False),))
    before = words(run), run.snapshot(), run.digest()
    run.seek(0)
    run.seek(1 << 40)
    assert (words(run), run.snapshot(), run.digest()) == before
    assert not any(each.command.broken for each in run.branch.log[-1:] if isinstance(each.command, Narrate))


def test_figure_8_without_the_rule_says_at_c_that_n1_commits_and_it_does() -> None:
    scenario = PATTERN.scenario("figure-8-broken")
    run: Timeline[Any, Snapshot] = Timeline(RAFT, scenario.seed, scenario.config, scenario)
    run.advance(1_105 * US_PER_MS)
    assert "n1 commits and applies it" in words(run)[-1]
    assert run.snapshot().servers[0].applied == 1


def test_figure_7_has_the_damage_its_first_words_name() -> None:
    logs = {f"n{number}": terms for number, terms in enumerate(FIGURE_7, 1)}
    others = {term for name, terms in logs.items() if name != "n7" for term in terms}
    assert set(logs["n7"]) - others == {2, 3}
    fours = {name: terms.count(4) for name, terms in logs.items()}
    assert fours.pop("n6") == max(fours.values()) + 2
    leader = logs["n1"]
    assert all(logs[name] == leader[: len(logs[name])] != leader for name in ("n2", "n3"))
    assert all(logs[name][: len(leader)] == leader != logs[name] for name in ("n4", "n5"))


def test_the_series_holds_the_term_that_the_leader_leads_whatever_term_a_lone_server_is_in() -> None:
    scenario = PATTERN.scenario("disruptive-server")
    run: Timeline[Any, Snapshot] = Timeline(RAFT, scenario.seed, scenario.config, scenario)
    run.advance(3_500 * US_PER_MS)
    snapshot = run.snapshot()
    assert snapshot.term > 2
    assert {(each.leader, each.term) for each in snapshot.series if each.at_us > 1_000_000} == {(snapshot.leader, 1)}
    assert {each.term for each in snapshot.series if not each.leader} == {0}
