"""The panel of PBFT: the sequence chart, the message grid, and the traitors."""

from dataclasses import replace
from typing import Final

from engines.consensus.pattern import PATTERN
from engines.consensus.pbft.events import ViewChangeStarted
from tui.kit.rooms import of_rooms
from tui.panels.pbft import folding, forms, keys, lessons, present, queries, select, view, words

HELP: Final = (
    "3f+1 replicas agree on an order of requests though f of them may lie. The primary of a view gives numbers; three "
    "phases make them final. Nobody trusts anybody: everybody counts.",
    "The chart: a lane for the client and for each replica, a column for each phase of one number. An arrow has "
    "arrived; a letter is on its way; a red arrow says something else than what its receiver accepted.",
    "A chip is a replica: name, role, view. P primary, B backup, V changing views, X crashed, Z frozen; ! a traitor.",
    "Messages: a row a replica, a cell for every message that the number takes: . not there yet, ~ on its way, filled: "
    "arrived, o its own, x for another digest. Beside them the counters: PREPAREs of 2f, COMMITs of 2f+1; h, the "
    "highest number executed, H, and the stable checkpoint. In a wide window the whole grid stands beside the chart.",
    "h and H are the window: a number is accepted only between the stable checkpoint and the same plus L.",
    "Letters: R request, O order (pre-prepare), P prepare, C commit, r reply, K checkpoint, V view change, N new view.",
    "Arrows: left and right walk the replicas, down goes to older numbers, up to newer ones, then to the messages in "
    "flight. n selects the next message to arrive, g the primary.",
    "b on a replica opens its acts: how it may lie. Several replicas may, and each in several ways; up to f nothing "
    "breaks. Below the acts stand the rules of the correct replicas, to be switched off.",
    "A crash loses the votes a replica had heard and keeps what it promised. One that forgets counts as a traitor.",
)  # fmt: skip

PANEL: Final = replace(
    of_rooms(PATTERN, HELP, view, select, words, folding, lessons, keys, forms, present),
    client_hint="y=3   y+=1   y-=1   del y   y?     asked of the primary",
    strip_least=6,
    variants=("pbft",),
    figures=queries.figures,
    counted=(("view_changes_asked", ViewChangeStarted),),
)
"""The panel of the Byzantine half of consensus."""
