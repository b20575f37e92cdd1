"""Questions to a snapshot that several pictures ask, and what is selected."""

from dataclasses import replace
from functools import lru_cache
from math import comb
from typing import Final, NamedTuple

from engines.consistency import Budget, History, Operation, Verdict, judge_history, longest_with
from engines.consistency.models import guess
from engines.consistency.world.snapshot import ClientView, Logged, Model, Snapshot
from engines.sim.views import Flight
from tui.kit.link_faults import networks
from tui.kit.selection import chooser, reader
from tui.panel import Figure, Focus

WHAT_IF: Final = Budget(60_000, 20_000)
TITLES: Final = {
    "linearizable": "linearizable", "regular": "regular", "sequential": "sequential", "causal": "causal CC",
    "ccv": "causal CCv", "cm": "causal CM", "pram": "PRAM", "ryw": "read your writes", "mr": "monotonic reads",
    "mw": "monotonic writes", "wfr": "writes follow reads",
}  # fmt: skip
SHORT: Final = {
    "linearizable": "LIN", "regular": "REG", "sequential": "SEQ", "causal": "CC", "ccv": "CCv", "cm": "CM",
    "pram": "PRAM", "ryw": "RYW", "mr": "MR", "mw": "MW", "wfr": "WFR",
}  # fmt: skip
MODELS: Final = tuple(TITLES)


network_of: Final = networks("replicas")


class Chosen(NamedTuple):
    """What is selected beside a client or replica, and how the picture is looked at."""

    op: int = -1
    """An operation, by its number; -1: none."""
    model: str = ""
    """A cell of the lattice."""
    held: int = -1
    """What-if: the return of the operation stands behind so many other invocations and returns; -1: as it was."""
    message: int = -1
    """A message in flight."""
    pair: int = -1
    """The place in the matrix of smallest histories, which is shown then; -1: the run itself."""


chosen = reader(Chosen)
choose = chooser(Chosen)


def clients_of(snapshot: Snapshot) -> list[str]:
    """Clients that have a row: those that did something, and whoever works."""
    busy = {each.process for each in snapshot.history.operations}
    every = [each.machine.id for each in snapshot.clients]
    return [name for name in every if name in busy or name != "you"] or every


def rows_of(snapshot: Snapshot) -> list[str]:
    """Everything that has a row: clients, then replicas."""
    return [*clients_of(snapshot), *(each.machine.id for each in snapshot.replicas)]


def operations_of(snapshot: Snapshot, client: str) -> list[Operation]:
    """A client's operations, oldest first."""
    return [each for each in snapshot.history.operations if each.process == client]


def operation(snapshot: Snapshot, focus: Focus) -> Operation | None:
    """The selected operation."""
    number = chosen(focus).op
    return next((each for each in snapshot.history.operations if each.number == number), None)


def logged_of(snapshot: Snapshot, focus: Focus) -> Logged | None:
    """The selected event of a log with vector clocks; without one, the newest of the selected host."""
    mine = [each for each in snapshot.logged if each.host == focus.node]
    number = chosen(focus).op
    return next((each for each in mine if each.number == number), mine[-1] if mine else None)


def flight_of(snapshot: Snapshot, focus: Focus) -> Flight | None:
    """The selected message."""
    number = chosen(focus).message
    return next((each for each in snapshot.flights if each.id == number), None)


def touching(snapshot: Snapshot, node: str) -> list[Flight]:
    """Messages in flight from or to a node, in the order of their sending."""
    return [each for each in snapshot.flights if node in (each.src, each.dst)]


def model_of(snapshot: Snapshot, name: str) -> Model | None:
    """A cell of the lattice."""
    return next((each for each in snapshot.models if each.name == name), None)


def whole(snapshot: Snapshot) -> bool:
    """Whether the history is at hand from its beginning: only then can it be judged anew."""
    return len(snapshot.whole) == snapshot.operations


def full(snapshot: Snapshot) -> History:
    """The history from its beginning, where it is at hand; else its newest part."""
    return replace(snapshot.history, operations=snapshot.whole) if whole(snapshot) else snapshot.history


def held_history(snapshot: Snapshot, focus: Focus) -> History | None:
    """The history in which the held return stands where it was moved; None: nothing is held."""
    now = chosen(focus)
    found = operation(snapshot, focus)
    if now.held < 0 or found is None or found.end is None or not whole(snapshot):
        return None
    return full(snapshot).moved(found.number, now.held)


@lru_cache(maxsize=128)
def judged(history: History) -> dict[str, Verdict]:
    """Every model's verdict about a history; remembered, since a picture asks again and again."""
    return judge_history(history, None, WHAT_IF, MODELS).verdicts


@lru_cache(maxsize=128)
def longest(history: History, number: int) -> tuple[int, ...] | None:
    """The longest linearization of its key's operations that contains this one."""
    model = guess({each.call for each in history.operations})
    return None if model is None else longest_with(history, model, number, WHAT_IF)


def verdicts_of(snapshot: Snapshot, focus: Focus) -> dict[str, Verdict]:
    """The verdicts to show: of the history as it is, or as it is held."""
    held = held_history(snapshot, focus)
    if held is not None:
        return judged(held)
    return {each.name: each.verdict for each in snapshot.models}


def flipped(snapshot: Snapshot, focus: Focus) -> list[str]:
    """Models whose answer the held return changes."""
    held = held_history(snapshot, focus)
    if held is None:
        return []
    now = judged(held)
    return [each.name for each in snapshot.models if now[each.name].answer is not each.verdict.answer]


def closed_form(snapshot: Snapshot) -> tuple[int, int] | None:
    """C(N-W,R) of C(N,R): the share of reads that miss the newest write while nothing propagates.

    It speaks of the N owners of a key, and of a newest write that is kept: not of stand-ins, nor once one is lost.
    """
    usual = snapshot.variant == "eventual" and snapshot.preset == "custom" and not snapshot.lost
    if not usual or ("strict_quorum", False) in snapshot.rules:
        return None
    return comb(snapshot.n - snapshot.w, snapshot.r), comb(snapshot.n, snapshot.r)


def open_of(client: ClientView) -> str:
    """What a client is waiting for: ``w x=3``."""
    if not client.busy:
        return ""
    return f"w {client.key}={client.value}" if client.busy == "write" else f"r {client.key}"


def figures(snapshot: Snapshot) -> tuple[Figure, ...]:
    """The numbers that sum a run up."""
    held = [model.name for model in snapshot.models if model.verdict.ok]
    return (
        Figure("operations", snapshot.operations),
        Figure("unknown", snapshot.unknown),
        Figure("failed", snapshot.failed),
        Figure("reads", snapshot.reads),
        Figure("stale_reads", snapshot.stale),
        Figure("acknowledged_writes_lost", snapshot.lost),
        Figure("keys_that_differ", len(snapshot.differing)),
        Figure("models_satisfied", len(held), f"{len(held)} of {len(snapshot.models)}"),
    )
