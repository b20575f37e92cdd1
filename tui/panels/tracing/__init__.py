"""The panel of tracing: a request through many services, where its time went, and why the slow ones are slow."""

from collections.abc import Sequence
from typing import Any, Final

from engines.sim.pattern import Check
from engines.sim.world import Event
from engines.tracing import PATTERN
from tui.canvas import Ink
from tui.glyphs import Glyphs
from tui.panel import Focus, Frame, Line, Offer, Outcome, Panel, Sizes
from tui.panels.tracing import keys, lessons, moves, narration, offers, routines, select, view

HELP: Final = (
    "A request goes through many services. Each makes a span of its part: who, what, from when to when, whose child. "
    "All spans with one id are a trace: a tree, and with its links a graph.",
    "Left the traces, one row each; the bar before the name is the latency on a scale that doubles. Yellow is above "
    "the p90 of its root operation, red from its p99 on, if that is well above the median. ! an error, ? a missing "
    "span, * something odd, . spans still arrive. Left and right walk through them, O sorts, v shows them as a table.",
    "The waterfall: the tree of spans, and their bars on the time of the root. The critical path is lit. A full bar: "
    "here the request was held up. A strong line: it was held up further down. A thin line: beside the path; shorter, "
    "it would save nothing. The full bars of all rows add up to the root, exactly.",
    "Solid blocks are waiting for a pool or a lock, shaded ones for a worker or before another try: time in which "
    "nobody computes. The bar says what it waited for. n and N walk along the path in the order of time.",
    "o shows only the path, % hides what is small, p shows the plumbing: a call and its answer are two spans of one "
    "thing and share a row otherwise. / filters by text. E goes to the next error or missing span.",
    "g is the service map: a row of cells a layer, X crashed, Z frozen, P its pool is exhausted, Q its queue grows, ! "
    "errors; an arrow marks who calls the selected one and whom it calls. Down walks the busiest call, up its caller.",
    "y shows the headers hop by hop: what was on the wire and what was made of it. A service that does not pass them "
    "on splits the trace: what it calls begins a new one, and the hop says so.",
    "The verdict compares the slowest hundredth of a root operation with its faster half, by the mean time each "
    "operation holds the path: that adds up to the gap exactly. V shows all of it, G goes to the span it is about.",
    "One trace cannot show what happens at p99, and not every request is kept: below 100 traces there is no verdict. "
    "In the simulation the verdict is scored against the fault that was injected, which it does not see.",
    "D lays the trace beside the typical one of its kind, or beside the one marked with T. C takes the clocks' offsets "
    "out: a child that starts before its parent has another host's clock.",
    "Verbs act on the service of the selected span: k crash, z freeze, x cut off, l loss, d delay, c clock. f has the "
    "others: slow service, smaller pool, lock, cold cache, retry storm, dropped headers, lost and late spans.",
    "a sends a request like the one selected, w changes how users come, t the numbers, b switches rules off, "
    "s plays scenarios, e explains a line of the journal or a failed check.",
)  # fmt: skip


class TracingPanel(Panel):
    """Simulated systems and recorded traces, drawn and told."""

    pattern = PATTERN
    keys = keys.KEYS
    client_hint = "POST /checkout, or a part of it; empty: any"
    help = HELP

    def view(self, snapshot: Any, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame:
        """Draw everything."""
        return view.view(snapshot, focus, sizes, glyphs)

    def status(self, snapshot: Any) -> str:
        """Services and latency."""
        return view.status(snapshot)

    def move(self, snapshot: Any, focus: Focus, direction: str) -> Focus:
        """Where an arrow leads."""
        return moves.move(snapshot, focus, direction)

    def fit(self, snapshot: Any, focus: Focus) -> Focus:
        """The focus without what is gone."""
        return select.fit(snapshot, focus)

    def narrate(self, event: Event) -> Line:
        """What happened, and why."""
        return narration.narrate(event)

    def routine(self, event: Event) -> str:
        """What an event repeats: traces, waits, retries."""
        return routines.routine(event)

    def fold(self, events: Sequence[Event]) -> Line:
        """One line for many of a kind."""
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
        """The system's numbers."""
        return offers.tune(snapshot, focus)

    def sides(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
        """Ways to split the system."""
        return offers.sides(snapshot, focus)

    def client(self, snapshot: Any, focus: Focus, text: str) -> Outcome:
        """A typed request."""
        return offers.client(snapshot, focus, text)


PANEL: Final = TracingPanel()
"""The one panel of this folder."""
