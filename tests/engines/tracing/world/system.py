"""A small traced system for tests: what was sent, what the spans say."""

from collections.abc import Sequence
from typing import Any

from engines.sim.pattern import Check
from engines.tracing.critical import critical_path
from engines.tracing.spans import Kind, Span
from engines.tracing.tree import build
from engines.tracing.world.engine import TracingEngine
from engines.tracing.world.snapshot import Snapshot

MS = 1_000
S = 1_000_000


class System:
    """An engine, and the words tests use."""

    def __init__(self, variant: str = "head", seed: int = 42, **config: Any) -> None:
        given = {"services": 12, "rate": 0, **config}
        self.engine = TracingEngine(variant, seed, tuple(given.items()))

    def run(self, span_us: int) -> "System":
        """Let time pass."""
        until = self.engine.now_us + span_us
        self.engine.run(until, 1 << 60)
        self.engine.settle(until)
        return self

    def do(self, *commands: Any) -> "System":
        """Give commands."""
        for command in commands:
            self.engine.validate(command)
            self.engine.apply(self.engine.resolve(command))
        return self

    @property
    def snapshot(self) -> Snapshot:
        return self.engine.snapshot()

    def traces(self) -> list[tuple[Span, ...]]:
        """All stored traces, oldest first."""
        store = self.engine.collector().store
        return [store.trace(trace_id) for trace_id in store.trace_ids()]

    def only(self) -> tuple[Span, ...]:
        """The one trace there is."""
        (trace,) = self.traces()
        return trace

    def broken(self) -> list[str]:
        """The names of the checks that failed."""
        return [check.name for check in self.engine.check() if not check.ok]

    def check(self, name: str) -> Check:
        """A check by its name."""
        return next(check for check in self.engine.check() if check.name == name)

    def first_verdict(self) -> tuple[str, str]:
        """Kind and service of what the tool names first."""
        self.engine.tick()
        found = self.engine.findings.verdicts
        return (found[0].kind, found[0].service) if found else ("", "")


def named(trace: tuple[Span, ...], service: str, kind: Kind) -> list[Span]:
    """The spans of a service of one kind."""
    return [span for span in trace if span.service == service and span.kind == kind]


def path_of(trace: Sequence[Span]) -> list[str]:
    """The services and operations on the critical path, in order, each once in a row."""
    tree = build(trace)
    labels = [tree.spans[segment.row].label for segment in critical_path(tree).segments]
    return [label for at, label in enumerate(labels) if at == 0 or labels[at - 1] != label]
