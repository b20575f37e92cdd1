"""The panel of event sourcing: the stream, a cursor that is a slider through time, and the state it folds to."""

from dataclasses import replace
from typing import Final

from engines.event_sourcing.pattern import PATTERN
from tui.kit.rooms import of_rooms
from tui.panels.events import forms, keys, lessons, present, queries, select, view, words

HELP: Final = (
    "Nothing is stored but what happened: events, appended to streams and never changed. A row is an event: its "
    "position in the whole store, its stream, its revision there, its type, its data. The newest is at the bottom.",
    "The cursor is a slider through time: up and down move it, and the state below, the axis and the inspector are as "
    "they were right after that event, with the difference it made. g goes back to the newest and follows what comes. "
    "A and 'at 3.5s' travel to a date.",
    "Marks at the right: m and b, the subscribers mail and books stand here; S, a snapshot is kept of this revision; "
    "v1, an old version that is lifted on reading; P, parked by a subscriber; T, a tombstone.",
    "o narrows the list to the stream, the type, the category or the story of the event under the cursor, / to a text. "
    "y shows who, when and because of what. n and N go to events that react to others, are old, or are parked.",
    "v shows the causation tree of the story (command, event, command, event), then all balances folded to the cursor "
    "beside what the projection of books says, then the machines at work.",
    "The top row are the machines: t1 t2 t3, tellers that load, decide and append; desk, which carries transfers on; "
    "the store with its head (+2: written, not synced); mail and books, which read everything, with their positions. "
    "X crashed, Z frozen, * at work, P2 two events parked. Left and right select one; the verbs act on it.",
    "The strip: the slider on the whole store, the stream under the cursor with its snapshots (S), where the readers "
    "stand, the events folded at each load, with snapshots and from zero, and the last conflict.",
    "A crash of the store is a power failure: what was not synced is lost, survives, or is torn, page by page. kill "
    "(in f) is SIGKILL: only the process dies. f also has poison events, tampering, slow transactions, compaction.",
    "m selects a store that numbers before it commits, in which pollers lose events, a compacted log, in which "
    "history ends, and a persistent group: the store hands each event to one of two consumers, mail and post, and "
    "again if nobody answers. b switches rules off, t has checkpoint policies and cures, s plays the stories.",
)  # fmt: skip


PANEL: Final = replace(
    of_rooms(PATTERN, HELP, view, select, words, words, lessons, keys, forms, present),
    client_hint=forms.HINT,
    figures=queries.figures,
    walk=select.walk,
)
"""The one panel of this folder."""
