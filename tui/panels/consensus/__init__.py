"""The panel of consensus: a Raft cluster, its logs, and what they are for."""

from collections.abc import Sequence
from typing import Any, Final

from engines.consensus import PATTERN
from engines.sim.pattern import Check
from engines.sim.world import Event
from tui.canvas import Ink
from tui.glyphs import Glyphs
from tui.panel import Focus, Frame, Line, Offer, Outcome, Panel, Sizes
from tui.panels.consensus import keys, lessons, narration, offers, routines, select, view

HELP: Final = (
    "Servers agree on one log of commands. One of them leads: it takes commands, sends them to the others, and calls "
    "an entry committed once a majority holds it. Then every server executes it.",
    "A chip is a server: name, role, term. F follower, P asks for pre-votes, C candidate, L leader, X crashed, Z "
    "frozen. A term is a number that only grows; each has at most one leader.",
    "The bar below is the election timer and shrinks: whoever runs out of it without hearing a leader stands for "
    "election. A leader's bar runs to its next heartbeat. 2/3 n1 n4: two votes, three are needed, from n1 and n4.",
    "Letters fly from server to server. A: AppendEntries, with entries or as heartbeat. V: RequestVote. P: PreVote. "
    "C: a client's request. Small letters are the answers. What carries news stands on colour; a plain letter is a "
    "heartbeat, its answer, or a refusal.",
    "A link is drawn only while something flies on it or something is wrong with it. X: cut both ways; X with an "
    "arrow: cut in that direction only; 30%: so much is lost; 45ms: so slow; 2x: messages repeat and overtake.",
    "The logs: a row a server, a column an index. The number and colour of a cell are the term of the entry. Solid: "
    "committed, as far as that server knows. (4): not known committed here; a crash forgets what was. !4!: the leader "
    "has something else there, or nothing: it will be deleted. The upright bar, where there is room for it, stands "
    "after the last committed entry.",
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


class RaftPanel(Panel):
    """Raft, drawn and told."""

    pattern = PATTERN
    variants = ("raft",)
    keys = keys.KEYS
    client_hint = "y=3   y+=1   y-=1   del y     asked of the selected server"
    help = HELP

    def view(self, snapshot: Any, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame:
        """Draw everything."""
        return view.view(snapshot, focus, sizes, glyphs)

    def status(self, snapshot: Any) -> str:
        """Servers, term, leader."""
        return view.status(snapshot)

    def move(self, snapshot: Any, focus: Focus, direction: str) -> Focus:
        """Where an arrow leads."""
        return select.move(snapshot, focus, direction)

    def fit(self, snapshot: Any, focus: Focus) -> Focus:
        """The focus without what is gone."""
        return select.fit(snapshot, focus)

    def narrate(self, event: Event) -> Line:
        """What happened, and why."""
        return narration.narrate(event)

    def routine(self, event: Event) -> str:
        """What an event repeats: copies of an entry, or losses for one reason."""
        return routines.routine(event)

    def fold(self, events: Sequence[Event]) -> Line:
        """One line for all who stored the same, or for all that was lost."""
        return routines.fold(events)

    def explain(self, snapshot: Any, event: Event) -> tuple[str, ...]:
        """The rule behind it."""
        return lessons.explain(snapshot, event)

    def explain_check(self, snapshot: Any, check: Check) -> tuple[str, ...]:
        """What the check demands, and the witness."""
        return lessons.explain_check(snapshot, check)

    def mark(self, command: Any) -> tuple[str, Ink] | None:
        """The letter on the scrubber."""
        return keys.mark(command)

    def faults(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
        """All faults, aimed at what is selected."""
        return offers.all_faults(snapshot, focus)

    def rules(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
        """Rules that can be switched off."""
        return offers.rules(snapshot, focus)

    def tune(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
        """Timing and workload."""
        return offers.tune(snapshot, focus)

    def sides(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
        """Ways to split the cluster."""
        return offers.sides(snapshot, focus)

    def client(self, snapshot: Any, focus: Focus, text: str) -> Outcome:
        """A typed command."""
        return offers.client(snapshot, focus, text)


PANEL: Final = RaftPanel()
"""The one panel of this folder."""
