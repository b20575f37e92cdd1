"""The toy of the tests: what a new panel has to hold, with the least there can be."""

from engines.sim import faults
from engines.sim.timeline import Timeline
from tests import toy
from tests.tui.subjects.subject import Run, Subject
from tui.panel import Focus
from tui.session import Session


def run(*commands: object, until_us: int = 500_000) -> Run:
    """The toy after these commands."""
    timeline: Run = Timeline(toy.PATTERN.variant("ping"), 42)
    timeline.advance(300_000)
    for command in commands:
        timeline.submit(command)
    timeline.advance(until_us)
    return timeline


def selections(snapshot: toy.ToySnapshot) -> list[Focus]:
    """Every node."""
    return [Focus(), *(Focus(node=node.name) for node in snapshot.nodes)]


def present(snapshot: toy.ToySnapshot, focus: Focus) -> bool:
    """Whether the node exists."""
    return focus.node in {node.name for node in snapshot.nodes}


TOY = Subject(
    toy.TOY,
    moments={
        "well": lambda: run().snapshot(),
        "crashed": lambda: run(faults.Crash("p2"), faults.Isolate("p3")).snapshot(),
    },
    selections=selections,
    present=present,
    worlds={"well": run},
    troubled=lambda: [
        run(faults.Crash("p2"), faults.Restart("p2"), toy.Greet("p1"), toy.Lie("p3"), faults.Lose("*", "p1", 300_000))
    ],
    walk=run,
    wait_us=17_000,
    sessions={"ping": lambda: Session((toy.TOY,), "toy", sandbox=True)},
    checks=frozenset({"no answer without a question", "time is kept"}),
    broken=lambda: run(toy.Lie("p1")).snapshot(),
    rule="",
)
