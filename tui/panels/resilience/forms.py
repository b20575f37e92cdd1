"""What the dialogues offer: all faults with their parameters, ways to split, rules, every number there is, requests."""

from dataclasses import replace
from typing import Final

from engines.errors import UserError
from engines.resilience.order import ORDER
from engines.resilience.retry import BACKOFFS
from engines.resilience.world import commands as c
from engines.resilience.world.commands import BURST_MAX
from engines.resilience.world.options import PRESET_NAMES
from engines.resilience.world.snapshot import EdgeView, ServiceView, Snapshot
from engines.resilience.world.topology import KINDS, MIXES
from engines.sim import faults
from engines.sim.load import SHAPES
from engines.sim.rules import SetRule
from engines.units import US_PER_MS
from tui.kit import forms
from tui.kit.forms import Number, Values
from tui.kit.service_graph import out_of
from tui.kit.verbs import RECORDED
from tui.kit.words import PPM_PER_PERCENT
from tui.panel import Focus, Offer, Outcome, Param
from tui.panels.resilience import queries
from tui.panels.resilience.keys import DELAYS_US, ORDERS, links_of, target
from tui.panels.resilience.select import edge_of

HERE, EVERYWHERE = "this edge", "all edges"

RULES: Final = {
    "open_rejects": ("an open breaker lets nobody through",
                     "off: the rejection is written down, and the call goes out all the same"),
    "probe_limit": ("half-open lets so many probes through and no more",
                    "off: everybody at once, and the service that has just recovered is knocked down again"),
    "count_success": ("the window counts successes too",
                      "off: only failures are in it, so every rate is 100 % and the first one trips"),
    "retry_limit": ("a call is tried 1 + r times, within the budget",
                    "off: until it works; nothing ends the storm"),
    "release_permits": ("a call that times out gives its permits back",
                        "off: it forgets them; a bulkhead fills up for ever, a half-open breaker never probes again"),
    "answer_once": ("an answer that comes after its call has ended is dropped",
                    "off: it ends the call a second time"),
    "count_waste": ("work for a caller that has given up is counted as waste",
                    "off: it passes for useful work, and the service looks busy and well"),
}  # fmt: skip
"""What each rule demands, and what happens without it."""


# -- faults -----------------------------------------------------------------------------------------------------------


def all_faults(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Every fault, aimed at the selected edge and the service it leads to, or at the selected service."""
    if snapshot.recorded:
        return (forms.NO_FAULTS,)
    edge, service = snapshot.edge(focus.node), target(snapshot, focus)
    found: tuple[Offer, ...] = ()
    if edge is not None:
        found += _injected(edge) + forms.of_edge(queries.name(edge.id), links_of(snapshot, edge), DELAYS_US)
    if service is not None and service.layer != "client":
        found += _of_service(service)
    return (*found, _burst(), forms.HEAL)


def _injected(edge: EdgeView) -> tuple[Offer, ...]:
    """Istio's two faults: a test tool, drawn independently for every call."""
    name = queries.name(edge.id)
    delay = edge.delay_us // US_PER_MS if edge.delay_us else 500
    return (
        Offer(f"delay on {name}", "Istio: this part of the calls waits so long before it leaves; 0 % ends it",
              lambda v: c.Delay(edge.id, v["share"], v["delay"] * US_PER_MS),
              (Param("share", edge.delay_percent or 50, 0, 100, 10, "%"),
               Param("delay", delay, 0, 10_000, 100, "ms"))),
        Offer(f"abort on {name}", "Istio: this part of the calls is answered with the status, without asking",
              lambda v: c.Abort(edge.id, v["share"], v["status"]),
              (Param("share", edge.abort_percent or 50, 0, 100, 10, "%"),
               Param("status", edge.abort_status or 503, 400, 599, 1))),
    )  # fmt: skip


def _of_service(service: ServiceView) -> tuple[Offer, ...]:
    """A service, or one of its machines."""
    names = tuple(host.id for host in service.hosts)
    host = Param("machine", names[0], choices=names)
    where = Param("where", service.id, choices=tuple(dict.fromkeys((service.id, *names))))
    slow = max(300, *(each.slow_percent for each in service.hosts))
    return (
        Offer(f"slow {service.id}", "its own work takes this part of the usual time; 100 % ends it",
              lambda v: c.SlowService(v["where"], v["time"]), (Param("time", slow, 100, 5_000, 100, "%"), where)),
        Offer(f"sick {service.id}", "it answers this part of its calls with an error, and quickly; 0 ends it",
              lambda v: c.SickHost(v["where"], v["share"]), (Param("share", 100, 0, 100, 10, "%"), where)),
        Offer(f"crash {service.id}", "its line is lost; callers learn by their timeouts",
              lambda v: faults.Crash(v["machine"]), (host,)),
        Offer(f"restart {service.id}", "with an empty line", lambda v: faults.Restart(v["machine"]), (host,)),
        Offer(f"freeze {service.id}", "it keeps everything and does nothing: a long pause",
              lambda v: faults.Freeze(v["machine"]), (host,)),
        Offer(f"thaw {service.id}", "it answers all that waited, for callers that have gone",
              lambda v: faults.Thaw(v["machine"]), (host,)),
        Offer(f"clock of {service.id}", "a jump from true time, and a rate; 0 and 0: right again",
              lambda v: faults.Skew(v["machine"], v["jump"] * US_PER_MS, v["drift"] * PPM_PER_PERCENT),
              (host, Param("jump", 200, -2_000, 2_000, 50, "ms"), Param("drift", 0, -80, 300, 10, "%"))),
    )  # fmt: skip


def _burst() -> Offer:
    kind = Param("kind", next(iter(KINDS)), choices=tuple(KINDS))
    return Offer("burst", "so many calls at one moment: a push message, the end of an outage",
                 lambda v: c.Burst(v["calls"], v["kind"]), (Param("calls", 100, 1, BURST_MAX, 50), kind))  # fmt: skip


def _sides(groups: tuple[tuple[str, ...], ...], help: str) -> Offer:
    title = " | ".join(group[0] if len(group) == 1 else f"{group[0]} ... {group[-1]}" for group in groups)
    return forms.split(groups, help, title)


def sides(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Ways to split the shop."""
    layers = {layer: tuple(host.id for each in snapshot.services if each.layer == layer for host in each.hosts)
              for layer in queries.LAYERS}  # fmt: skip
    if snapshot.recorded or not layers["service"] or not layers["edge"]:
        return ()
    clients = layers["client"]
    front, back = (*clients, *layers["edge"]), (*layers["service"], *layers["database"])
    found = [
        _sides((front, back), "api alone: it reaches nobody"),
        _sides(((*front, *layers["service"]), layers["database"]), "all databases cut off"),
    ]
    service = target(snapshot, focus)
    if service is not None and service.layer == "service":
        mine = tuple(host.id for host in service.hosts)
        mine += tuple(host.id for edge in out_of(snapshot.edges, service.id)
                      for each in snapshot.services if each.id == edge.dst for host in each.hosts)  # fmt: skip
        rest = tuple(host.id for each in snapshot.services for host in each.hosts if host.id not in mine)
        found.append(_sides((mine, rest), f"{service.id} and its database cut off from the rest"))
    return tuple(found)


def rules(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """The rules, each with its state."""
    if snapshot.recorded:
        return ()
    return forms.of_rules(snapshot.rules, RULES, SetRule)


# -- numbers ----------------------------------------------------------------------------------------------------------


def tune(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Everything that can be changed while it works: the breaker first, then the pipeline, service and load."""
    if snapshot.recorded:
        return ()
    edge, service = edge_of(snapshot, focus), target(snapshot, focus)
    found: tuple[Offer, ...] = ()
    own = edge is not None and edge.breaker is not None and edge.breaker.preset not in PRESET_NAMES
    if edge is not None:
        preset, *order = _preset(edge)
        found += (*((preset,) if own else forms.settings(preset)),  # it shows none, and there is one
                  *forms.settings(*order, *_breaker(edge), *_pipeline(edge)))  # fmt: skip
    if service is not None and service.layer != "client":
        found += forms.settings(*_service(service))
    return (*found, *forms.settings(*_load(snapshot)))


WHERE: Final = Param("where", HERE, choices=(HERE, EVERYWHERE))


def _at(edge: EdgeView, v: Values) -> str:
    return "*" if v["where"] == EVERYWHERE else edge.id


def _preset(edge: EdgeView) -> tuple[Offer, ...]:
    now = edge.breaker.preset if edge.breaker and edge.breaker.preset in PRESET_NAMES else "none"
    return (
        Offer("preset", "the breaker as this library has it, with its boundaries; none: no breaker",
              lambda v: c.SetPreset(_at(edge, v), v["preset"]), (Param("preset", now, choices=PRESET_NAMES), WHERE)),
        Offer("order", "what is outermost: there it sees all that those inside do",
              lambda v: c.SetOrder(_at(edge, v), _order(v["outermost"], edge.pipeline)),
              (Param("outermost", edge.pipeline[0] if edge.pipeline else ORDER[0], choices=ORDER), WHERE)),
    )  # fmt: skip


def _order(outermost: str, now: tuple[str, ...]) -> tuple[str, ...]:
    """The pipeline with this layer moved to the outside; the usual order if it is there already."""
    rest = now if set(now) == set(ORDER) else ORDERS[0]
    return (outermost, *(layer for layer in rest if layer != outermost))


def _breaker(edge: EdgeView) -> tuple[Offer, ...]:
    """The numbers of the breaker; all belong to this edge alone, since others may have another preset."""
    known = {name.removeprefix("breaker."): value for name, value in edge.options}
    return forms.of_numbers(OF_BREAKER if edge.breaker is not None else (), known.__getitem__,
                 lambda v, name, number: c.SetOption(edge.id, f"breaker.{name}", number))  # fmt: skip


OF_BREAKER: Final = (
    Number("threshold", "this part of the calls in the window failed: it opens", "failure_ppm",
           Param("failed", 0, 1, 100, 5, "%")),
    Number("minimum", "calls in the window below which it does not judge; without, the first failure trips it",
           "minimum", Param("calls", 0, 0, 500, 5)),
    Number("window", "what it remembers, if its window is one of time", "window_us",
           Param("length", 0, 1, 120, 1, "s")),
    Number("window by count", "what it remembers, if its window counts calls", "size", Param("calls", 0, 1, 1_000, 10)),
    Number("wait", "how long it is open before a probe may pass", "wait_us", Param("wait", 0, 1, 300, 1, "s")),
    Number("probes", "calls that pass while it is half-open", "probes", Param("probes", 0, 1, 100, 1)),
    Number("slow call", "a call that takes longer is slow; 0: slowness is not judged", "slow_us",
           Param("from", 0, 0, 10_000, 100, "ms")),
    Number("slow threshold", "this part of the calls was slow: it opens", "slow_ppm", Param("slow", 0, 1, 100, 5, "%")),
    Number("half-open at most", "then it opens again; 0: for ever, as resilience4j does by default", "half_open_max_us",
           Param("longest", 0, 0, 300, 1, "s")),
    Number("rejection reopens", "a call turned away while the probe is out opens it again: Hystrix since 1.5.13, a "
           "fault", "rejection_reopens", Param("reopens", 0, 0, 1)),
    Number("probe counts", "the probe that closed it is the first call in the empty window, as in Hystrix",
           "probe_counts", Param("counts", 0, 0, 1)),
)  # fmt: skip
OF_PIPELINE: Final = (
    Number("retries", "attempts after the first; over L layers (1+r)^L", "retries", Param("retries", 0, 0, 10)),
    Number("retry budget", "retries in percent of the calls; -1: as many as they like", "budget_ppm",
           Param("budget", 0, -1, 100, 1, "%")),
    Number("timeout", "how long one waits for an answer; 0: for ever", "timeout_us",
           Param("timeout", 0, 0, 60_000, 100, "ms")),
    Number("deadline", "on: the callee is told how long one waits, and drops what is too late", "deadline",
           Param("told", 0, 0, 1)),
    Number("bulkhead", "calls at a time; 0: any number", "bulkhead", Param("permits", 0, 0, 200)),
    Number("bulkhead line", "calls that may wait for a permit", "bulkhead_queue", Param("places", 0, 0, 200, 5)),
    Number("limiter", "calls a second; 0: any number", "limit_per_s", Param("calls", 0, 0, 500, 5, "/s")),
    Number("hedging", "ask again after this quantile of the latency; 0: never", "hedge_ppm",
           Param("after", 0, 0, 99, 1, "%")),
    Number("fallback", "on: another answer where the call failed", "fallback", Param("on", 0, 0, 1)),
    Number("outlier detection", "on: hosts with errors in a row are ejected (Envoy)", "outlier", Param("on", 0, 0, 1)),
    Number("outlier errors", "errors in a row that eject a host", "outlier_errors", Param("errors", 0, 1, 50)),
    Number("most ejected", "of the hosts at most; Envoy's 10 % is nobody of 2 to 9", "eject_percent",
           Param("hosts", 0, 0, 100, 5, "%")),
)  # fmt: skip
OF_SERVICE: Final = (
    Number("workers", "calls it works on at a time, each machine", "workers", Param("workers", 0, 1, 500)),
    Number("line", "calls that may wait, each machine; a longer line is a longer wait", "queue_max",
           Param("places", 0, 0, 1_000, 8)),
    Number("shedding", "refuse what would wait longer; 0: never", "shed_us", Param("wait", 0, 0, 10_000, 100, "ms")),
    Number("newest first", "on: the newest call is served first: under overload the others are lost anyway",
           "newest_first", Param("on", 0, 0, 1)),
)  # fmt: skip


def _pipeline(edge: EdgeView) -> tuple[Offer, ...]:
    known = dict(edge.options)
    first, *rest = forms.of_numbers((row for row in OF_PIPELINE if row.name in known), known.__getitem__,
                         lambda v, name, number: c.SetOption(_at(edge, v), name, number), WHERE)  # fmt: skip
    base, cap = known["base_us"] // US_PER_MS, known["cap_us"] // US_PER_MS
    backoff = Offer(
        "backoff", "how long retries wait; the last three with jitter, or all come back at once",
        lambda v: c.SetBackoff(_at(edge, v), v["kind"], v["base"] * US_PER_MS, max(v["base"], v["cap"]) * US_PER_MS),
        (Param("kind", _backoff(edge), choices=tuple(BACKOFFS)), Param("base", base, 0, 10_000, 50, "ms"),
         Param("cap", cap, 0, 60_000, 500, "ms"), WHERE),
    )  # fmt: skip
    return (first, backoff, *rest)


def _backoff(edge: EdgeView) -> str:
    """The kind in force, as the words of the edge begin with it."""
    words = edge.retry.backoff.replace(" ", "-") if edge.retry else ""
    return next((kind for kind in sorted(BACKOFFS, key=len, reverse=True) if kind in words), "full-jitter")


def _service(service: ServiceView) -> tuple[Offer, ...]:
    host = max(1, len(service.hosts))
    now = {"workers": service.workers // host, "queue_max": service.queue_max // host, "shed_us": service.shed_us,
           "newest_first": int(service.newest_first)}  # fmt: skip
    rows = forms.of_numbers(OF_SERVICE, now.__getitem__, lambda v, name, number: c.SetService(service.id, name, number))
    return tuple(replace(row, title=f"{row.title} of {service.id}") for row in rows)


def _load(snapshot: Snapshot) -> tuple[Offer, ...]:
    now = snapshot.load
    assert now is not None
    return (
        Offer("load", "calls of the clients: steady, or a shape up to the second rate within the span",
              lambda v: c.SetLoad(v["shape"], v["rate"], v["to"], v["span"], v["random"] == "yes"),
              (Param("shape", now.shape, choices=SHAPES), Param("rate", min(200, now.per_s), 0, 200, 5, "/s"),
               Param("to", min(200, max(1, now.to_per_s or 2 * now.per_s)), 0, 200, 5, "/s"),
               Param("span", min(120, max(1, now.span_s or 10)), 1, 120, 5, "s"),
               Param("random", "yes" if now.poisson else "no", choices=("yes", "no")))),
        Offer("mix", "what the clients ask for", lambda v: c.SetMix(v["mix"]),
              (Param("mix", snapshot.mix if snapshot.mix in MIXES else MIXES[0], choices=MIXES),)),
    )  # fmt: skip


# -- clients ----------------------------------------------------------------------------------------------------------

NONSENSE: Final = "type browse, fill, buy or the name of a service; burst 50 makes 50 calls at once"


def client(snapshot: Snapshot, focus: Focus, text: str) -> Outcome:
    """A typed request. UserError if it makes no sense."""
    if snapshot.recorded:
        raise UserError(RECORDED)
    kinds = tuple(KINDS)
    match text.split():
        case []:
            return c.Call()
        case [kind] if kind in kinds:
            return c.Call(kind)
        case ["burst", count, *kind] if count.isascii() and count.isdecimal() and len(kind) <= 1 and len(count) <= 5:
            if kind and kind[0] not in kinds:
                raise UserError(f"{kind[0]!r} is nothing to ask for: {', '.join(kinds)} are")
            if not 1 <= int(count) <= BURST_MAX:
                raise UserError(f"burst {count}: 1 to {BURST_MAX} calls are accepted")
            return c.Burst(int(count), kind[0] if kind else "")
    raise UserError(f"{text.strip()!r} is no request: {NONSENSE}")
