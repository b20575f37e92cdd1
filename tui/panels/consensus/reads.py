"""How a server answers questions now: the round it waits for, its lease as a bar, and what waits."""

from typing import Final

from engines.consensus.raft.snapshot import Acknowledged, Question, Server, Snapshot
from engines.units import span
from tui.glyphs import Glyphs
from tui.kit.sheet import Fact, Facts, fact
from tui.kit.words import names
from tui.plot import bar

CELLS: Final = 12


def facts(snapshot: Snapshot, server: Server, glyphs: Glyphs) -> Facts:
    """Nothing where questions go through the log and none waits."""
    if server.rounds is not None and snapshot.reads != "log" and server.status == "up":
        yield _round(server.rounds)
        if snapshot.reads == "lease":
            yield _lease(server.rounds, glyphs)
    yield from [_waiting(each) for each in server.questions]


def _round(rounds: Acknowledged) -> Fact:
    """How far a majority has acknowledged."""
    said = [peer for peer, number in rounds.acked if number >= rounds.newest]
    if rounds.confirmed >= rounds.newest:
        return fact("round", f"{rounds.newest} is acknowledged: a majority obeyed when it was sent", "good")
    by = f"acknowledged by {names(said)}" if said else "nobody has acknowledged it yet"
    majority = f"; a majority up to {rounds.confirmed}"
    return fact("round", f"{rounds.newest} is under way: {by}", "text", (majority, "dim"))


def _lease(rounds: Acknowledged, glyphs: Glyphs) -> Fact:
    """What is left of the lease, as a bar."""
    if not rounds.lease_left_us:
        return fact("lease", bar(0, CELLS, glyphs), "dim", ("none: a question takes a round", "text"))
    left = f"{span(rounds.lease_left_us)} of {span(rounds.lease_us)}, by its own clock"
    return fact("lease", bar(rounds.lease_left_us / max(1, rounds.lease_us), CELLS, glyphs), "good", (left, "text"))


def _waiting(question: Question) -> Fact:
    if question.needs < 0:
        what = "an entry of its own term must commit first"
    elif question.round:
        what = f"for round {question.round}, then as of entry {question.needs}"
    else:
        what = f"until it has applied entry {question.needs}"
    return fact("question", f"{question.key}? of {question.client} waits: {what}", "warn")


__all__ = ["facts"]
