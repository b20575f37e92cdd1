"""The panel of consistency: what clients saw, on one axis with what happened to the machines."""

from dataclasses import replace
from typing import Final

from engines.consistency.pattern import PATTERN
from tui.kit.rooms import of_rooms
from tui.panels.consistency import folding, forms, keys, lessons, present, queries, select, view, words

HELP: Final = (
    "Clients read and write keys that are stored on several replicas. What they may rely on is not said here but "
    "measured: judges read the history of what clients asked and were told, while it grows.",
    "The diagram: time runs to the right. A bar is an operation, from the question to the answer: w x=1 wrote, r x=0 "
    "read. A bar that ends in an arrow has no answer: it may have happened, or may yet. Faults stand on the time axis.",
    "Below the clients stand the replicas, with what they hold and their vectors at the right. Lines are messages, a "
    "letter is where one arrived, x one that was lost. * leads: it orders the writes.",
    "C request, c answer; Q query, S store (ABD); F O order; U update; P put, G get, H hint, L leaves; V vote, B "
    "heartbeat.",
    "The lattice at the right: ok, NO, or ? where no judge can say. * is promised by the design. Bright names are "
    "promised, dim ones not. NO is for good: a history does not heal. What each model means is in the inspector.",
    "n and N walk the models; a broken one lights its witness in the diagram. g goes to a broken one. e explains.",
    "Arrows: up and down walk clients and replicas; left and right the operations of a client, or the messages of a "
    "replica.",
    "What if (y): take hold of the selected return and move it with the arrows. The cells flip as it crosses others. "
    "Nothing of it enters the run.",
    "v shows, for each pair of models, the smallest history that satisfies one and not the other.",
    "Below: how old the values were that clients read, and the share of stale reads, beside the closed form "
    "C(N-W,R)/C(N,R) for N, R and W while nothing propagates.",
    "t sets N, R and W while it runs, p a level of Cassandra. b switches rules off, each with what it keeps. m is "
    "the next design.",
    "A log with vector clocks (ShiViz) opens in the same diagram: hosts with their clocks, events as marks that say "
    "how each stands to the selected one: < before it, > after it, = concurrent. Lines are the messages that the "
    "clocks tell of.",
    "The verbs act on the selected machine; on a message k drops it, x cuts its link. a writes and o reads.",
)  # fmt: skip


PANEL: Final = replace(
    of_rooms(PATTERN, HELP, view, select, words, folding, lessons, keys, forms, present),
    client_hint="A w x r1   you r y   w x     client, write or read, key, replica",
    figures=queries.figures,
)
"""The one panel of this folder."""
