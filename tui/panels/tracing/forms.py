"""What the dialogues offer: all faults with their parameters, ways to split the system, rules, numbers, requests."""

from collections.abc import Callable
from typing import Final

from engines.errors import UserError
from engines.sim import faults
from engines.sim.rules import SetRule
from engines.tracing.split import Choice, Where, parse_choice
from engines.tracing.world import commands as c
from engines.tracing.world.options import ATTEMPTS_MAX
from engines.tracing.world.snapshot import ServiceView, Snapshot, Study
from engines.units import PPM, US_PER_MS
from tui.kit import forms as kit
from tui.kit.forms import Number, Values
from tui.kit.verbs import RECORDED
from tui.kit.words import PPM_PER_PERCENT
from tui.panel import Ask, Focus, Offer, Outcome, Param, Refuse
from tui.panels.tracing.keys import DELAYS_US, SHAPES
from tui.panels.tracing.select import analysis_at, choose, machine_of, read, span_of

RULES: Final = {
    "continue_trace": ("a server's span continues the trace it extracted",
                       "off: the parent is extracted and never used, as in the article: every service begins a trace"),
    "fresh_span_id": ("a child span gets an id of its own", "off: it keeps its parent's; the tree becomes a riddle"),
    "inject_own": ("a call carries the context of its own span",
                   "off: the headers that came in are passed on; everybody becomes a child of the edge"),
    "own_context": ("the current span belongs to one request",
                    "off: to the process; requests that overlap mix up their spans"),
    "parent_decides": ("a service keeps what its caller keeps", "off: each decides for itself; traces have holes"),
    "same_coin": ("the root decides by the randomness in the trace id",
                  "off: by a coin of its own; a lower ratio is no subset of a higher one"),
    "whole_traces": ("a full store gives up whole traces", "off: the oldest spans, and leaves halves behind"),
    "tail_waits": ("the tail sampler waits for the whole trace", "off: it decides by what comes first"),
    "late_joins": ("a late span joins its trace", "off: it is thrown away, and its children are orphans"),
}  # fmt: skip
"""What each rule says, and what happens without it."""


# -- faults ----------------------------------------------------------------------------------------------------------


def all_faults(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Every fault, aimed at the service of the selected span."""
    if snapshot.recorded:
        return (kit.NO_FAULTS,)
    machine = machine_of(snapshot, focus) or (snapshot.services[0] if snapshot.services else None)
    if machine is None:
        return (kit.HEAL,)
    return (
        *_of_service(snapshot, machine),
        *_of_spans(snapshot, machine),
        *kit.of_machine(machine.name, machine.status, "requests inside it are lost; callers time out",
                            "it starts empty: no request, no connection in use"),
        *kit.of_links(machine.name, linked(snapshot, machine.name), DELAYS_US),
        *kit.of_clock_and_disk(machine.name)[:1],
        kit.HEAL,
    )  # fmt: skip


def linked(snapshot: Snapshot, name: str) -> tuple[str, ...]:
    """Whom a service has a link to: those it calls, those who call it, and the collector."""
    edges = [(edge.src, edge.dst) for edge in snapshot.map_edges if name in (edge.src, edge.dst)]
    return (*dict.fromkeys(src if dst == name else dst for src, dst in edges), "collector")


def _works(service: ServiceView) -> bool:
    """Whether it has work of its own and sends spans: a queue only keeps what others send."""
    return service.role != "queue"


def _of_service(snapshot: Snapshot, machine: ServiceView) -> tuple[Offer, ...]:
    """What can be wrong inside a service: aimed at the selected one if it can, else at the first that can."""

    def offer(title: str, help: str, fits: Callable[[ServiceView], bool], build: Callable[[Values], Outcome],
              *params: Param) -> list[Offer]:  # fmt: skip
        names = tuple(each.name for each in snapshot.services if fits(each))
        first = machine.name if machine.name in names else names[0] if names else ""
        return [Offer(title, help, build, (Param("service", first, choices=names), *params))] if names else []

    return (
        *offer("slow service", "all it does itself takes so much of its usual time; 100 ends it", _works,
               lambda v: c.SlowService(v["service"], v["percent"]), Param("percent", 800, 100, 5_000, 100, "%")),
        *offer("smaller pool", "its pool of database connections holds so many; 0 gives its size back",
               lambda each: each.pool_max > 0, lambda v: c.ShrinkPool(v["service"], v["size"]),
               Param("size", 2, 0, 100, 1)),
        *offer("lock", "a table is locked: queries wait for each other, each holds it so long; 0 ends it",
               lambda each: each.role == "database", lambda v: c.Lock(v["service"], v["hold"] * US_PER_MS),
               Param("hold", 40, 0, 1_000, 10, "ms")),
        *offer("cold cache", "it forgets all it has, and keeps to this share of hits; 0: it warms up again",
               lambda each: each.role == "cache", lambda v: c.ColdCache(v["service"], v["hits"] * PPM_PER_PERCENT),
               Param("hits", 0, 0, 100, 5, "%")),
        *offer("retry storm", "it answers 503 to this share, and everybody tries again at once, at every layer",
               _works, lambda v: c.Amplify(v["service"], v["share"] * PPM_PER_PERCENT, v["attempts"]),
               Param("share", 60, 0, 100, 10, "%"), Param("attempts", 3, 1, ATTEMPTS_MAX)),
    )  # fmt: skip


def _of_spans(snapshot: Snapshot, machine: ServiceView) -> tuple[Offer, ...]:
    """What can be wrong with what it tells."""
    if not _works(machine):
        return ()
    name = machine.name
    drops = machine.ailing.drops_header
    return (
        Offer(f"{name} passes headers on" if drops else f"{name} drops the headers",
              "whom it calls begins a new trace: the rest of the request is elsewhere",
              lambda v: c.DropHeader(name, not drops)),
        Number(f"spans of {name} lost", "its exporter loses this share; 0 ends it", "lose_ppm",
               Param("share", 0, 0, 100, 10, "%")).offer(400_000, lambda v, ppm: c.LoseSpans(name, ppm)),
        Number(f"spans of {name} late", "its exporter holds them back for so long; 0 ends it", "late_us",
               Param("late", 0, 0, 20_000, 500, "ms")).offer(4_000_000, lambda v, us: c.LateSpans(name, us)),
    )  # fmt: skip


def sides(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Ways to split the system around the service of the selected span. Users and the collector are on no side."""
    if snapshot.recorded:
        return ()
    machine, found = machine_of(snapshot, focus), []
    if machine is not None:
        name = machine.name
        found.append(Offer(f"{name} alone", "nobody reaches it", lambda v: faults.Isolate(name)))
        found.append(Offer(f"{name} and the collector", "it works and serves, and no span of it arrives",
                           lambda v: faults.Cut(name, "collector")))  # fmt: skip
    data = tuple(each.name for each in snapshot.services if each.layer == "data")
    rest = tuple(each.name for each in snapshot.services if each.layer != "data")
    help = "no query, no cache: every request fails or waits"
    apart = (kit.split((data, rest), help, "the data layer from the rest"),) if data and rest else ()
    return (*found, *apart)


def rules(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Rules that can be switched off, each with its state."""
    return kit.of_rules(snapshot.rules, RULES, SetRule)


EXPORT: Final = Offer("export", "write this trace into a file, as OTLP JSON", lambda v: Ask("export"))


# -- numbers ---------------------------------------------------------------------------------------------------------


def tune(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """The system's own numbers; of a FILE, the attribute that the list of traces shows."""
    if snapshot.recorded:
        return (EXPORT, *_columns(snapshot, focus))
    load = snapshot.load if snapshot.load in SHAPES else "steady"
    breakers = any(edge.breaker for edge in snapshot.map_edges)
    correct = snapshot.correction
    return (
        Offer("load", "how the users' requests come, and how many a second", lambda v: c.SetLoad(v["shape"], v["rate"]),
              (Param("shape", load, choices=SHAPES), Param("rate", snapshot.rate_per_s or 1, 1, 200, 5, "/s"))),
        Number("sampling", "keep this share of the traces: of all at the head, of those no tail policy wants", "ppm",
               Param("share", 0, 0, 100, 10, "%")).offer(PPM, lambda v, ppm: c.SetSampling(ppm)),
        Offer("retries", "attempts in all before a caller gives up, and whether it backs off between them",
              lambda v: c.SetRetries(v["attempts"], v["backoff"] == "yes"),
              (Param("attempts", 2, 1, ATTEMPTS_MAX), Param("backoff", "yes", choices=("yes", "no")))),
        Offer("circuit breakers", "one in front of every call: it fails at once while the other side is down",
              lambda v: c.SetBreakers(not breakers), on=breakers),
        Offer("correct the clocks", "take offsets out as far as spans betray them; the spans stay as they were sent",
              lambda v: c.Correct(not correct), on=correct),
        *_pool(snapshot, focus),
        EXPORT,
    )  # fmt: skip


def _columns(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """The attributes of the selected span and of whoever sent it, each as a column of the list."""
    made, index, now = analysis_at(snapshot, focus), span_of(snapshot, focus), read(focus).attribute
    if index < 0 or made.tree.is_missing(index):
        return ()
    span = made.tree.spans[index]
    keys = dict.fromkeys(key for key, _ in (*span.attributes, *span.resource))
    return tuple(
        Offer(f"column {key}", "the first value of it in each trace, beside the trace in the list (v)",
              lambda v, key=key: choose(focus, attribute="" if now == key else key, view="list"),  # type: ignore[misc]
              on=now == key)
        for key in keys
    )  # fmt: skip


def _pool(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """The pool of the selected service: what the verdict's what-if proposes can be tried."""
    machine = machine_of(snapshot, focus)
    if machine is None or not machine.pool_max:
        return ()
    name = machine.name
    return (
        Offer(f"pool of {name}", f"connections to {machine.pool_name}; 0 gives its usual size back",
              lambda v: c.ShrinkPool(name, v["size"]), (Param("size", machine.pool_max, 0, 100, 1),)),
    )  # fmt: skip


def _chosen(study: Study, text: str) -> Choice | None:
    """The choice that is typed; empty: none."""
    choice = parse_choice(text) if text.strip() else None
    if isinstance(choice, Where) and not study.having(choice):
        raise UserError(f"{text.strip()!r}: no trace has a span with that; i shows the attributes of the selected one")
    return choice


# -- clients ---------------------------------------------------------------------------------------------------------


def client(snapshot: Snapshot, focus: Focus, text: str) -> Outcome:
    """A typed request: an operation by its name or a part of it. Of a FILE: which traces are set against the others.
    UserError if there is none such."""
    if snapshot.study is not None:
        return choose(focus, since_us=-1, choice=_chosen(snapshot.study, text))
    if snapshot.recorded:
        return Refuse(RECORDED)
    wanted = " ".join(text.split())
    if not wanted:
        return c.Request()
    found = [each for each in snapshot.operations if each.lower() == wanted.lower()]
    found = found or [each for each in snapshot.operations if wanted.lower() in each.lower()]
    if not found:
        raise UserError(f"{wanted!r} is no operation: {', '.join(snapshot.operations) or 'none is known'}")
    return c.Request(found[0])
