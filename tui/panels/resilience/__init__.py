"""The panel of resilience: breakers that explain themselves, and what retries do to a service that is slow."""

from dataclasses import replace
from typing import Final

from engines.resilience.pattern import PATTERN
from tui.kit.rooms import of_rooms
from tui.panels.resilience import folding, forms, keys, lessons, present, queries, select, view, words

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
    "The strip: offered load, attempts and goodput on one scale, each with its letter at its end. Attempts are those "
    "over the busy edge: in health all three are one line; when they part it is a storm. Below: p99, states of "
    "breakers. v for more charts. A rate is over the newest 1.5 s, p50 and p99 over 10 s: attempts of calls that came "
    "before may fall into it.",
    "Arrows walk the graph: right from an edge to its service and on to its edges, up and down to the next one. n goes "
    "to the next breaker that is not closed. Verbs act on the edge, or on the service it leads to.",
    "Storm: s plays it. Its cures are one key each: B a retry budget, G a breaker, L shedding. W deadlines save work, "
    "not the day. K makes a service slow, which is how most begin; w is the load; p, o, t change what protects.",
    "f has Istio's faults with percentages. They are a tool for tests. What Envoy calls circuit breaking are caps on "
    "concurrency; its breaker is outlier detection, host by host: see the variant Envoy (m).",
    "No number here is a standard: 50 %, 10 s and 30 s are the article's. p walks through the defaults of Hystrix, "
    "resilience4j, Polly and opossum, which differ in each of them, and in what happens exactly at the boundary.",
    "b switches rules off, e explains a line or a check, . and , go one event forward and back.",
)  # fmt: skip


PANEL: Final = replace(
    of_rooms(PATTERN, HELP, view, select, words, folding, lessons, keys, forms, present),
    client_hint="browse   fill   buy   payment   burst 50 buy",
    figures=queries.figures,
)
"""The one panel of this folder."""
