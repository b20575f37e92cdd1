"""The panel of consensus: a Raft cluster, its logs, and what they are for."""

from dataclasses import replace
from typing import Final

from engines.consensus.pattern import PATTERN
from engines.consensus.raft.events import Campaigned, Elected
from tui.kit.rooms import of_rooms
from tui.panels.consensus import folding, forms, keys, lessons, present, queries, select, view, words

HELP: Final = (
    "Servers agree on one log of commands. One of them leads: it takes commands, sends them to the others, and calls "
    "an entry committed once a majority holds it. Then every server executes it.",
    "A chip is a server: name, role, term. F follower, P asks for pre-votes, C candidate, L leader, X crashed, Z "
    "frozen. A term is a number that only grows; each has at most one leader.",
    "The bar below is the election timer and shrinks: whoever runs out of it without hearing a leader stands for "
    "election. A leader's bar runs to its next heartbeat, or, where it holds a lease, to the end of that. 2/3 n1 n4: "
    "two votes, three are needed, from n1 and n4.",
    "Letters fly from server to server. A: AppendEntries, with entries or as heartbeat. V: RequestVote. P: PreVote. "
    "C: a client's request. R: read index. T: take over. Small letters are the answers. What carries news stands on "
    "colour; a plain letter is a heartbeat, its answer, or a refusal.",
    "Behind the letter of a server: ~ a learner, which gets the log and does not count; while a configuration is joint "
    "+ counts on the new side only, - on the old side only; - also marks a server that is no member. j adds a server, "
    "J removes the selected one, L hands the leadership to it; A takes typed changes: +n6 -n1 ~n4 go jointly.",
    "A link is drawn only while something flies on it or something is wrong with it. X: cut both ways; X with an "
    "arrow: cut in that direction only; 30%: so much is lost; 45ms: so slow; 2x: messages repeat and overtake.",
    "The logs: a row a server, a column an index. The number and colour of a cell are the term of the entry. Solid: "
    "committed, as far as that server knows. (4): not known committed here; a crash forgets what was. !4!: the leader "
    "has something else there, or nothing: it goes if that leader stays. The upright bar, where there is room for it, "
    "stands after the last committed entry.",
    "next and match are what the leader believes of each follower: the entry it will send next, and up to where the "
    "logs are known to agree. An entry commits once match reaches it on enough servers.",
    "leader shows who led when, a column for every 100 ms: an upright line, then who and in which term; dashes: nobody "
    "led. commit is how far the cluster got, its height the number beside it: level means that clients wait.",
    "Arrows: left and right walk the servers. Up goes to the messages in flight from or to the selected server: left "
    "and right walk on, down comes back. Down goes into its log: arrows move in the grid, right past the newest entry "
    "comes back. n selects the next message of all, g the leader.",
    "On a message k drops it, x cuts its link, l and d make that link lose or delay. Anywhere else the verbs act on "
    "the selected server.",
    "A crash loses what was in memory, a freeze only time, a cut only messages. To the others all three are silence.",
    "To see why a rule is there, switch it off (b), or play a scenario (s). The checks watch every guarantee after "
    "every event; e explains a failed check, or the selected line of the journal.",
)  # fmt: skip


PANEL: Final = replace(
    of_rooms(PATTERN, HELP, view, select, words, folding, lessons, keys, forms, present),
    client_hint="y=3  y+=1  y?  del y   of the selected server;  members: +n6 -n1 ~n4, leave",
    strip_least=6,
    variants=("raft",),
    figures=queries.figures,
    counted=(("elections_begun", Campaigned), ("elections_won", Elected)),
)
"""The one panel of this folder."""
