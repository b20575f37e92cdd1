"""The panel of resilience: breakers that explain themselves, and what retries do to a service that is slow."""

from collections.abc import Sequence
from typing import Any, Final

from engines.resilience import PATTERN
from engines.sim.pattern import Check
from engines.sim.world import Event
from tui.canvas import Ink
from tui.glyphs import Glyphs
from tui.panel import Focus, Frame, Line, Offer, Outcome, Panel, Sizes
from tui.panels.resilience import keys, lessons, narration, offers, routines, select, view

HELP: Final = (
    "Clients call api, api calls auth, catalog, cart and payment, each of these its database. Every call passes the "
    "edge's pipeline: retry, breaker, limiter, timeout, bulkhead. On the edges from api stands a breaker.",
    "The letter on an edge is its breaker: C closed, all pass; O open, nobody passes and the wire is interrupted; H "
    "half-open, a few probes pass. F forced open, D disabled and M metrics only are orders of a person.",
    "> are calls, as many as there are; < in red are answers that failed. Letters behind the breaker are faults: x "
    "cut, l loss, d delay, a abort, u shuffled. Beneath an edge: attempts a second, and the part that failed.",
    "Beneath a service: w workers that are busy, q calls that wait. A chip in red: the line is nearly full; X crashed, "
    "Z frozen, S slow, E answers errors. Where a service has several machines each is a number; - is ejected.",
    "The machine has its state lit. An arrow fills up as its condition comes nearer: the error rate on its threshold, "
    "the wait on its end, the probes on their number. Its settings in force stand below the window.",
    "The window is what the breaker remembers, bucket by bucket: failed calls in red, and as numbers. rate and calls "
    "are what it is judged by: too few calls, and it does not judge, however many of them fail.",
    "The strip: offered load, attempts and goodput on one scale. Attempts are drawn over what one call needs, so in "
    "health all three are one line; when they part it is a storm. Below: p99, states of breakers. v for more charts.",
    "Arrows walk the graph: right from an edge to its service and on to its edges, up and down to the next one. n goes "
    "to the next breaker that is not closed. Verbs act on the edge, or on the service it leads to.",
    "Storm: s plays it. Its cures are one key each: B a retry budget, G a breaker, D shedding. T deadlines save work, "
    "not the day. K makes a service slow, which is how most begin; w is the load; p, o, t change what protects.",
    "f has Istio's faults with percentages. They are a tool for tests. What Envoy calls circuit breaking are caps on "
    "concurrency; its breaker is outlier detection, host by host: see the variant Envoy (m).",
    "No number here is a standard: 50 %, 10 s and 30 s are the article's. p walks through the defaults of Hystrix, "
    "resilience4j, Polly and opossum, which differ in each of them, and in what happens exactly at the boundary.",
    "b switches rules off, e explains a line or a check, . and , go one event forward and back.",
)  # fmt: skip


class ResiliencePanel(Panel):
    """Every variant, and recorded calls, drawn and told."""

    pattern = PATTERN
    keys = keys.KEYS
    client_hint = "browse   fill   buy   payment   burst 50 buy"
    help = HELP

    def view(self, snapshot: Any, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame:
        """Draw everything."""
        return view.view(snapshot, focus, sizes, glyphs)

    def status(self, snapshot: Any) -> str:
        """What is set, and how many breakers are open."""
        return view.status(snapshot)

    def move(self, snapshot: Any, focus: Focus, direction: str) -> Focus:
        """Where an arrow leads."""
        return select.move(snapshot, focus, direction)

    def fit(self, snapshot: Any, focus: Focus) -> Focus:
        """The focus without what is not there."""
        return select.fit(snapshot, focus)

    def narrate(self, event: Event) -> Line:
        """What happened, and why."""
        return narration.narrate(event)

    def routine(self, event: Event) -> str:
        """What an event repeats: retries, rejections, failures, losses."""
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
        """Every number of the edge, the service and the load."""
        return offers.tune(snapshot, focus)

    def sides(self, snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
        """Ways to split the shop."""
        return offers.sides(snapshot, focus)

    def client(self, snapshot: Any, focus: Focus, text: str) -> Outcome:
        """A typed request."""
        return offers.client(snapshot, focus, text)


PANEL: Final = ResiliencePanel()
"""The one panel of this folder."""
