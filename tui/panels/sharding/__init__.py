"""The panel of sharding: who owns which keys, how even that is, and what moves when it changes."""

from dataclasses import replace
from typing import Final

from engines.sharding.pattern import PATTERN
from tui.kit.rooms import of_rooms
from tui.panels.sharding import folding, forms, keys, lessons, present, queries, select, view, words

HELP: Final = (
    "Data is cut into pieces, and every piece has one node that owns it. A strategy says which; m goes through all of "
    "them: ring, hash mod n, ranges, slots, jump, rendezvous, maglev, ring with bounded loads.",
    "The picture is the key space in the colours of its owners: a ring, a band of slots or chunks, or parts of a hash. "
    "Where the selected node owns, the ring is thicker and the band solid: walk the nodes to see each one's part. ! is "
    "the chunk whose keys were asked for most of late, whoever answered.",
    "On a ring a key belongs to the next token clockwise. * is the selected key, 1 2 3 are its owner and replicas in "
    "the order of the walk. Ticks outside are virtual nodes, while there are few enough of them.",
    "Chips are nodes: X crashed, Z frozen, J joining, D draining, S missed writes, ! declared dead. Bars are their "
    "parts of the keys; the line in them is the mean. Numbers in red: more than 30 % over a fair part.",
    "cv is the spread of keys over nodes: standard deviation over mean. Expected is what theory promises a ring with "
    "so many tokens. peak/mean is the fullest node. Even keys do not make even requests: see the hottest key.",
    "Letters fly: G get, P put, M several keys. v the value, m MOVED (learn it), a ASK (this once), t TRYAGAIN, x "
    "refused. K keys on their way to a new owner, R a copy for a replica, E a map. A dashed line: keys move there.",
    "moving lists what changes hands: from, to, how many of its keys arrived, what it waits for. n walks through it. A "
    "unit is planned, then IMPORTING at the target, MIGRATING at the source, and assigned when the source is empty.",
    "The strip puts all strategies to the same keys at the last join, leave or crash: how many keys moved, how many of "
    "them between nodes that were there before and after (for nothing), and how even it is afterwards.",
    "v shows other charts: what virtual nodes cost and bring, and the load over time.",
    "Arrows: left and right walk the nodes. Down goes to the tracked keys: the hottest, yours, lost ones; up before "
    "the first comes back. Up from a node goes to messages in flight. / with the name of a tracked key selects it.",
    "j adds a node, J drains the selected one, k crashes it: three ways to lose or win a node, and three prices. g "
    "goes to the hottest key; there g again lists its cures. A asks: get k, put k 3, mget a b, with @n3 at a node.",
    "Clients cache a map and are corrected where it is wrong. While keys move their old owner serves what is left and "
    "names the new one for the rest. b switches such rules off, s plays scenarios, e explains a check or a line.",
)  # fmt: skip


PANEL: Final = replace(
    of_rooms(PATTERN, HELP, view, select, words, folding, lessons, keys, forms, present),
    client_hint="get k   put k 3   mget a b     @n3 at the end asks that node",
    figures=queries.figures,
)
"""The one panel of this folder."""
