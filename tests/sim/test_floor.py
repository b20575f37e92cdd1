"""What every living world stands on: rules, options, the agenda of a node, the book of checks, names in commands."""

import pickle
from dataclasses import dataclass
from typing import Any

import pytest

from engines.errors import UserError
from engines.rules import Rules, Switch, rule
from engines.sim import faults
from engines.sim.agenda import TIMER, Agenda
from engines.sim.checks import CheckBook
from engines.sim.load import Constant, Curve, Pulse, Ramp, Sine, shaped
from engines.sim.network import LinkOptions
from engines.sim.options import option, read, settings_of
from engines.sim.pattern import Setting
from engines.sim.rules import SetRule
from engines.sim.symbols import Meanings, resolve
from engines.sim.views import changed_links, host_view
from tests.sim.lab import Diary, Lab


@dataclass(frozen=True, slots=True)
class Laws(Rules):
    gravity: bool = rule("what goes up comes down")
    inertia: bool = rule("what moves goes on moving")


@dataclass(frozen=True, slots=True)
class Options:
    nodes: int = option(5, 3, 9, help="servers")
    pace: str = option("slow", choices=("slow", "fast"), help="how fast")
    keys: tuple[str, ...] = option((), help="your own")
    rules: Laws = Laws()


# -- rules and options -----------------------------------------------------------------------------------------


def test_a_rule_is_named_switched_and_refused_in_one_place() -> None:
    laws = Laws()
    assert Laws.names() == ("gravity", "inertia")
    off = laws.switched(SetRule("gravity", False))
    assert off.items() == (("gravity", False), ("inertia", True))
    assert off.switched(SetRule("gravity", True)) == laws
    assert isinstance(SetRule("gravity", False), Switch), "a run that begins anew keeps it"
    with pytest.raises(UserError, match="no rule 'magic': one of gravity, inertia can be switched"):
        laws.validate(SetRule("magic", True))


def test_the_settings_of_a_run_are_the_fields_of_its_options() -> None:
    assert settings_of(Options) == (
        Setting("nodes", 5, 3, 9, help="servers"),
        Setting("pace", "slow", choices=("slow", "fast"), help="how fast"),
        Setting("keys", (), help="your own"),
        Setting("gravity", True, help="rule: what goes up comes down"),
        Setting("inertia", True, help="rule: what moves goes on moving"),
    )


def test_options_are_what_is_given_else_what_the_variant_begins_with_else_the_defaults() -> None:
    assert read(Options, ()) == Options()
    assert read(Options, (("nodes", 7), ("inertia", False)), (("nodes", 4), ("pace", "fast"))) == Options(
        7, "fast", (), Laws(inertia=False)
    )
    with pytest.raises(AssertionError, match="magic: no option"):
        read(Options, (("magic", 1),))


# -- the agenda ------------------------------------------------------------------------------------------------


class Planner(Diary):
    """A node with an agenda; it writes down what was due, and when."""

    def __init__(self, host: Any) -> None:
        super().__init__(host)
        self.agenda: Agenda[str] = Agenda()
        self.done: list[tuple[int, str]] = []

    def on_timer(self, ctx: Any, name: str) -> None:
        assert name == TIMER
        for what in self.agenda.due(ctx):
            self.done.append((self.host.clock.now_us, what))
            if what == "chain":
                self.agenda.add(ctx.now_us, "link")
        self.agenda.arm(ctx)

    def plan(self, *entries: tuple[int, str]) -> list[int]:
        numbers = [self.agenda.add(self.host.now_us + after, what) for after, what in entries]
        self.agenda.arm(self.host)
        return numbers


class Planners(Lab):
    def make_node(self, host: Any) -> Planner:
        return Planner(host)

    def planner(self, name: str = "a") -> Planner:
        node = self.hosts[name].node
        assert isinstance(node, Planner)
        return node


def test_entries_come_by_time_and_at_one_moment_in_their_order() -> None:
    lab = Planners()
    lab.planner().plan((30, "late"), (10, "first"), (10, "second"), (20, "chain"))
    lab.wait(100)
    assert lab.planner().done == [(10, "first"), (10, "second"), (20, "chain"), (20, "link"), (30, "late")]
    assert len(lab.planner().agenda) == 0


def test_what_is_cancelled_costs_no_step() -> None:
    lab = Planners()
    first, second = lab.planner().plan((10, "a"), (20, "b"))
    lab.planner().agenda.cancel(first)
    lab.planner().agenda.cancel(first)
    lab.planner().agenda.arm(lab.hosts["a"])
    lab.wait(15)
    assert lab.position == 0
    lab.planner().agenda.cancel(second)
    lab.planner().agenda.arm(lab.hosts["a"])
    lab.wait(100)
    assert lab.position == 0


def test_a_timer_that_is_run_out_by_hand_or_by_a_slow_clock_still_does_what_it_stood_for() -> None:
    lab = Planners()
    lab.planner().plan((50_000, "x"), (90_000, "y"))
    lab.apply(faults.ExpireTimers(("a",), TIMER, 1_000))
    lab.wait(2_000)
    assert lab.planner().done == [(1_000, "x")]
    lab.apply(faults.Skew("a", 0, -333_333))
    lab.wait(200_000)
    assert [what for _, what in lab.planner().done] == ["x", "y"]


def test_an_agenda_is_plain_data() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.add(5, "x")
    copy = pickle.loads(pickle.dumps(agenda))
    assert (copy.next_us(), copy.entries) == (5, {1: "x"})


# -- checks ----------------------------------------------------------------------------------------------------


def test_a_check_that_failed_stays_failed_with_its_first_witness() -> None:
    book = CheckBook({"one": "there is one", "two": "there are two"})
    before = book.results()
    assert [(check.name, check.ok, check.detail) for check in before] == [
        ("one", True, "there is one"), ("two", True, "there are two"),
    ]  # fmt: skip
    assert book.results() is before
    book.position = 7
    book.fail("two", "there are three", "a", "b", "c")
    book.position = 9
    book.fail("two", "there are four")
    assert [(check.ok, check.detail, check.witness, check.position) for check in book.results()] == [
        (True, "there is one", (), 0), (False, "there are three", ("a", "b", "c"), 7),
    ]  # fmt: skip
    book.demand("one", "not demanded here")
    assert book.results()[0].detail == "not demanded here"
    with pytest.raises(AssertionError, match="no check 'three'"):
        book.fail("three", "")


# -- names -----------------------------------------------------------------------------------------------------


def nobody() -> str:
    raise UserError("there is no leader at this moment")


def test_a_symbolic_name_is_replaced_wherever_a_command_names_nodes() -> None:
    meanings: Meanings = {"leader": "n3", "f1": lambda: "n1"}
    assert resolve(faults.Crash("leader"), meanings) == faults.Crash("n3")
    assert resolve(faults.Cut("f1", "*"), meanings) == faults.Cut("n1", "*")
    sides = (("leader", "f1"), ("n2",))
    assert resolve(faults.Partition(sides), meanings) == faults.Partition((("n3", "n1"), ("n2",)))
    assert resolve(faults.Heal(), meanings) == faults.Heal()
    assert resolve(faults.Narrate("leader"), meanings) == faults.Narrate("leader")
    assert resolve(faults.Narrate("leader"), meanings, ("text",)) == faults.Narrate("n3")


def test_a_name_that_means_nobody_is_refused_only_where_it_is_used() -> None:
    assert resolve(faults.Crash("n1"), {"leader": nobody}) == faults.Crash("n1")
    with pytest.raises(UserError, match="no leader"):
        resolve(faults.Crash("leader"), {"leader": nobody})


# -- views -----------------------------------------------------------------------------------------------------


def test_only_links_that_differ_are_shown_with_what_they_were() -> None:
    lab = Lab()
    assert changed_links(lab.hosts.values()) == ()
    lab.apply(faults.Lose("a", "b", 300_000))
    lab.apply(faults.Cut("b", "c"))
    lab.apply(faults.Slow("c", "d", 1, 2))
    lossy, cut, slow = changed_links(lab.hosts.values())
    assert (lossy.src, lossy.dst, lossy.loss_ppm, lossy.lossy, lossy.cut) == ("a", "b", 300_000, True, False)
    assert (cut.src, cut.dst, cut.cut, cut.lossy, cut.slow, cut.shuffled) == ("b", "c", True, False, False, False)
    assert (slow.latency_us, slow.jitter_us, slow.slow, slow.laid) == (1, 2, True, LinkOptions())


def test_a_machine_shows_what_is_wrong_with_it() -> None:
    lab = Lab()
    lab.apply(faults.Skew("a", 200, 5_000))
    lab.apply(faults.SlowDisk("a", 40_000))
    lab.apply(faults.Cut("c", "a"))
    lab.apply(faults.Freeze("a"))
    view = host_view(lab.hosts["a"], lab.hosts, lab.servers)
    assert (view.status, view.clock_off_us, view.drift_ppm, view.fsync_us) == ("frozen", 200, 5_000, 40_000)
    assert view.cut_from == ("c",)
    lab.apply(faults.Heal())
    assert host_view(lab.hosts["a"], lab.hosts, lab.servers) == ("a", "up", 0, 0, 0, 0, 0, ())


# -- hosts that join, and sparse links -------------------------------------------------------------------------


def test_a_machine_that_joins_is_linked_to_all_and_lives() -> None:
    lab = Lab()
    lab.wait(1_000)
    lab.add_host("f")
    assert lab.servers == ("a", "b", "c", "d", "e", "f")
    assert lab.diary("f").started == 1
    lab.hosts["f"].send("a", "hello")
    lab.hosts["b"].send("f", "welcome")
    lab.wait(100_000)
    assert (lab.heard("a"), lab.heard("f")) == (["hello"], ["welcome"])


def test_a_machine_that_joins_changes_no_draw_of_the_others() -> None:
    def times(lab: Lab) -> list[int]:
        for n in range(20):
            lab.hosts["a"].send("b", n)
        lab.wait(100_000)
        return [at for at, _, _ in lab.diary("b").heard]

    with_more = Lab()
    with_more.add_host("f", links=("a",))
    assert times(with_more) == times(Lab())


class Line(Lab):
    """a - b - c and nothing else."""

    def __init__(self) -> None:
        super(Lab, self).__init__(1, tuple("abc"), (), LinkOptions(), links=(("a", "b"), ("b", "c")))
        self.begin()


def test_links_are_laid_only_where_they_are_wanted() -> None:
    line = Line()
    assert {name: tuple(host.links) for name, host in line.hosts.items()} == {
        "a": ("b",), "b": ("a", "c"), "c": ("b",),
    }  # fmt: skip
    assert not line.hosts["a"].knows("c")
    line.apply(faults.Isolate("b"))
    assert all(link.cut for link in line.hosts["b"].links.values())
    line.apply(faults.Heal())
    line.apply(faults.Partition((("a",), ("b", "c"))))
    assert [line.hosts["b"].links[name].cut for name in "ac"] == [True, False]
    line.apply(faults.Lose("*", "b", 500_000))
    assert [view.src for view in changed_links(line.hosts.values()) if view.lossy] == ["a", "c"]
    with pytest.raises(UserError, match="no link from a to c: it has links to b"):
        line.apply(faults.Cut("a", "c"))


# -- load ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "curve"),
    [
        ("off", Constant(0)), ("steady", Constant(10)), ("ramp", Ramp(10, 30, 5, 12)), ("pulse", Pulse(10, 30, 5, 7)),
        ("wave", Sine(20, 10, 7)),
    ],
)  # fmt: skip
def test_a_load_has_a_shape_by_name(shape: str, curve: Curve) -> None:
    assert shaped(shape, 10, 30, 7, 5) == curve
