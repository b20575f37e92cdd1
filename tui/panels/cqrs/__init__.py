"""The panel of CQRS: two roads, the gap between them in two figures, and a CRUD table that needs neither."""

from dataclasses import replace
from typing import Final

from engines.cqrs import FORMULA
from engines.cqrs.pattern import PATTERN
from tui.kit.rooms import of_rooms
from tui.panels.cqrs import forms, keys, lessons, present, queries, select, view, words

HELP: Final = (
    "Commands go right along the upper road: users, command nodes, the event store, the bus. Rows come back left along "
    "the lower: bus, projectors, read replicas, users. Letters on the road are messages: C command, A append, E event, "
    "R rows, Q query, H history, small letters answers. c1:3 means that three wait; X crashed, Z frozen.",
    "Between the roads is the gap, two figures a projection: events that are stored and not applied, and the age of "
    "the oldest of them. One alone says little. The strip shows it over time.",
    "Left and right choose a machine for the verbs, up and down a projection (an order, among causes). j and J add "
    "and remove a machine of the selected stage: commands, projectors and replicas scale apart.",
    "orders: a saga carries each order through stock, bank and dispatch. beside: a CRUD table takes the same commands "
    "and queries; its reads are fresh, and wait in the same line as its writes.",
    "One order as three have it: the read model (a row made beforehand), the write model (the fold of its events), the "
    "CRUD table. v shows what readers were told beside the truth of that moment, the rows of a read model, and the "
    "tree from a command to the rows it changed. o and n choose the order.",
    "y stops at a date: the read model as it was right after an event, folded from the events until then. A and 'at "
    "3.5s' go there at once.",
    "a creates an order and reads it at once. t has the freshness of answers (any, read your writes, version token) "
    "and the checkpoint policy. B builds a projection beside the live one, and swaps when it has caught up.",
    "The verdict is arithmetic on this run's own numbers:",
    *FORMULA,
)


PANEL: Final = replace(
    of_rooms(PATTERN, HELP, view, select, words, words, lessons, keys, forms, present),
    client_hint=forms.HINT,
    figures=queries.figures,
    file_hint=forms.FILE_HINT,
)
"""The one panel of this folder."""
