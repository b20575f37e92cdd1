"""The journal: what happened, and why, one line an event, as a lecturer would say it.

Every kind of event has its sentence in one of the ``match`` statements here; mypy finds a kind that has none. What
happens by the hundred is told now and then with its number: not *retries*, but *38 x*.
"""

from typing import Any, Final, get_args

from engines import units
from engines.resilience import Cause, Rejection, State, Transition
from engines.resilience.policy import percent
from engines.resilience.world import events as e
from engines.resilience.world.messages import Answer, Origin, Outcome, Request
from engines.resilience.world.snapshot import EdgeView, HostView, LoadView, RetryView, ServiceView, Snapshot
from engines.sim.events import Event, Skewed
from engines.sim.rules import RuleSwitched
from engines.sim.views import LinkView
from tui.canvas import Ink
from tui.kit.kernel_words import KernelWords, is_kernel, tell
from tui.kit.words import holding, plural
from tui.panel import Line
from tui.panels.resilience import queries

WHO: Final = 12
"""Columns that the journal has for who it was."""
Told = tuple[str, Ink]

SAID: Final[dict[Outcome, tuple[str, str]]] = {
    Outcome.OK: ("ok", ""),
    Outcome.ERROR: ("the host answered with an error", "{host} answered with an error"),
    Outcome.ABORTED: ("the proxy aborted it (injected)", "the proxy of {edge} aborted it (injected)"),
    Outcome.TIMEOUT: ("no answer in time", "no answer from {host} in time"),
    Outcome.FULL: ("the line at the host was full", "the line at {host} was full"),
    Outcome.SHED: ("the host sheds load: the wait would be too long", "{host} sheds load"),
    Outcome.EXPIRED: ("its deadline was over before the host began", "its deadline was over before {host} began"),
    Outcome.DOWNSTREAM: ("a service behind it failed", ""),
    Outcome.OPEN: ("the breaker says no", "the breaker of {edge} says no"),
    Outcome.LIMITED: ("the limiter had no token", "the limiter of {edge} had no token"),
    Outcome.BULKHEAD: ("the bulkhead was full", "the bulkhead of {edge} was full"),
    Outcome.CAPPED: ("the proxy was at its cap", "the proxy of {edge} was at its cap"),
    Outcome.FALLBACK: ("a fallback was served", ""),
    Outcome.DIED: ("the caller crashed", ""),
    Outcome.LOGGED: ("it failed, the log says", ""),
}
"""How a call ended; and of one that failed somewhere else, which those further up only pass on, where and how."""
OUTCOMES: Final = {outcome: here for outcome, (here, _) in SAID.items()}


def narrate(event: Event, times: int = 0) -> Line:
    """Who, and what and why. ``times``: how many of its kind share the line, if not as many as the event says."""
    what = event.what
    if is_kernel(event):
        return tell(event, WORLD)
    if times and "times" in what._fields:
        what = what._replace(times=times)
    text, ink = told(what)
    return Line(who(event), text, "you" if who(event) == "you" else ink)


def told(what: e.ResilienceEvent) -> Told:
    """What happened in the shop, and the ink of the name before it."""
    match what:
        case e.BreakerMoved(moved=moved):
            return _moved(moved), queries.STATES[moved.dst.value].ink
        case e.CallRejected(rejection=rejection, times=times):
            return _rejected(rejection) + many(times), "half-open"
        case e.CallTurnedAway(why=why, times=times):
            meaning = f": {TURNED_AWAY[why]}" if why in TURNED_AWAY else ""
            return f"turns a call away, {OUTCOMES[why]}{meaning}{many(times)}", "warn"
        case e.CallRetried(why=why, delay_us=delay_us, attempt=attempt, times=times):
            return f"tries again in {units.span(delay_us)}, attempt {attempt}: {OUTCOMES[why]}{many(times)}", "warn"
        case e.RetryDenied(grant=grant, times=times):
            return f"does not try again: {grant.why}; the storm ends here{many(times)}", "good"
        case e.CallFailed():
            return _failed(what), "bad"
        case e.FallbackServed(why=why, age_us=age_us, times=times):
            answer = f"the answer of {units.span(age_us)} ago instead"
            return f"serves another answer: {OUTCOMES[why]}: {answer}{many(times)}", "accent"
        case e.CallHedged(quantile_ppm=quantile_ppm, delay_us=delay_us, times=times):
            exactly = f" ({units.span(delay_us)})" if delay_us >= 0 else ""
            slower = f"slower than {percent(quantile_ppm)} of the last calls{exactly}"
            return f"asks a second host, the first answer counts: {slower}{many(times)}", "accent"
        case e.HostEjected(ejection=ejection):
            return f"takes {ejection.host} out: {ejection.why}; its calls go to the others", "open"
        case e.HostKept(ejection=ejection):
            return f"{ejection.host} stays in: {ejection.why}", "warn"
        case e.HostReturned(ejection=ejection):
            return f"takes {ejection.host} back: {ejection.why}; if it is still bad it goes for longer", "good"
        case e.RequestRefused(why=why, waiting=waiting, times=times):
            meaning = f" ({REFUSED[why].format(waiting)})" if why in REFUSED else ""
            return f"refuses a call: {OUTCOMES[why]}{meaning}{many(times)}", "warn"
        case e.WorkWasted(caller=caller, times=times):
            return f"has done work for {caller} for nothing: nobody waits for it any more{many(times)}", "stale"
        case e.YouCalled(what=kind):
            return f"call: {kind}" + (f", that is {KINDS[kind]}" if kind in KINDS else ""), "you"
        case e.YouAnswered():
            return _answered(what), "you"
        case e.ShopServed():
            return _served(what), "bad" if what.failed > what.good else "good"
        case _:
            return _set(what)


def _set(what: e.Setting) -> Told:
    """What a person, or the story for them, has set."""
    match what:
        case e.LoadSet(load=wanted):
            return f"load: {load_words(wanted)}", "you"
        case e.MixSet(mix=mix):
            return f"the clients ask for {mix} from now on", "you"
        case e.BurstMade(calls=calls, what=kind):
            return f"{plural(calls, 'call')} at one moment{f' for {kind}' if kind else ''}", "you"
        case e.DelayInjected(edge=edge, percent=share, delay_us=delay_us):
            if not share or not delay_us:
                return f"no call over {on(edge)} is delayed any more", "slow"
            wait = f"{share} % of the calls over {on(edge)} wait {units.span(delay_us)}"
            return f"inject a delay: {wait} (Istio, a tool for tests)", "slow"
        case e.AbortInjected(edge=edge, percent=share, status=status):
            if not share:
                return f"no call over {on(edge)} is aborted any more", "error"
            return f"inject an abort: {share} % over {on(edge)} get {status} unasked (Istio, a tool for tests)", "error"
        case e.ServiceSlowed(service=service, percent=share):
            if share == 100:
                return f"{service} works as fast as usual again", "slow"
            return f"{service} takes {share / 100:g} times as long for its own work", "slow"
        case e.HostSickened(service=service, percent=share):
            if not share:
                return f"{service} answers no errors of its own any more", "error"
            return f"{service} answers {share} % of its calls with an error, and quickly", "error"
        case e.ServiceTuned(service=service, name=name, value=value):
            return _tuned(service, name, value), "you"
        case e.PresetChosen(edge=edge, preset=preset):
            return _preset(edge, preset), "you"
        case e.BreakerOrdered(edge=edge, order=order):
            return f"{order.value} the breaker of {on(edge)}: {ORDERED.get(order, 'by order')}", "you"
        case e.OptionSet(edge=edge, name=name, value=value):
            return f"{on(edge)}: {_option(name, value)}", "you"
        case e.BackoffSet(edge=edge, backoff=backoff, base_us=base_us, cap_us=cap_us):
            jitter = "jitter" in backoff or backoff == "decorrelated"
            herd = "" if jitter else "; without jitter all come back together"
            return f"retries on {on(edge)} wait {backoff}, {units.span(base_us)} to {units.span(cap_us)}{herd}", "you"
        case e.OrderSet(edge=edge, order=layers):
            return f"order on {on(edge)}, outermost first: {' > '.join(layers)}", "you"
        case e.CureApplied(service=service, cure=cure, number=number):
            said = CURES[cure].format(service=service, time=units.exact(number), share=percent(number))
            return f"cure: {said}", "good"
        case RuleSwitched(rule=rule, on=is_on):
            return f"rule {rule.replace('_', ' ')} {'on again' if is_on else 'OFF'}, everywhere", "warn"


SET: Final[tuple[type, ...]] = get_args(e.Setting)
"""What a person asked for, or the story for them."""


def who(event: Event) -> str:
    """The edge, service or client it happened to, in at most 12 characters."""
    what = event.what
    if isinstance(what, SET):
        return "you"
    if isinstance(what, e.YouCalled | e.YouAnswered):
        return event.node[:WHO]
    if isinstance(what, e.ShopServed):
        return "shop"
    edge: str = getattr(what, "edge", "")
    if edge:
        said = queries.name(edge)
        return said if len(said) <= WHO else said.partition(">")[2][:WHO]
    return event.node[:WHO] or "shop"


def _link(src: str, dst: str) -> str:
    """A link between machines: databases by their short name beside their service."""
    back = src.startswith(f"{dst}-")
    return (f"{queries.short(dst, src)}>{dst}" if back else queries.name(f"{src}>{dst}"))[:WHO]


# -- pieces of sentences ----------------------------------------------------------------------------------------------


def message(found: Any) -> str:
    """A message in a few words."""
    match found:
        case Request(kind=kind, attempt=attempt):
            return f"a call for {kind}" + (f" (attempt {attempt})" if attempt > 1 else "")
        case Answer(why=why):
            return "an answer" if why is Outcome.OK else f"the answer {why.value}"
    return "a message"


def many(times: int) -> str:
    """How many of the kind since they were told last."""
    return f" ({times:,} x)" if times > 1 else ""


def failure(why: Outcome, origin: Origin | None) -> str:
    """Why a call failed; where a service further down did, the place and the cause."""
    there = SAID[origin.why][1] if why is Outcome.DOWNSTREAM and origin is not None else ""
    if origin is None or not there:
        return OUTCOMES[why]
    return there.format(edge=queries.name(origin.edge), host=origin.edge.partition(">")[2])


def on(edge: str) -> str:
    """The edge that a setting is about."""
    return "every edge" if edge in ("*", "") else queries.name(edge)


def load(snapshot: Snapshot) -> str:
    """What the clients do."""
    return f"recorded: {snapshot.log}" if snapshot.load is None else load_words(snapshot.load)


LOADS: Final = {
    "off": "no calls",
    "ramp": "from {per_s} to {to_per_s} a second in {span_s} s, {pace}",
    "pulse": "{to_per_s} a second for {span_s} s, then {per_s}, {pace}",
    "wave": "between {per_s} and {to_per_s} a second, every {span_s} s, {pace}",
    "steady": "{per_s} a second, {pace}",
}
"""A load for people, by its shape."""


def load_words(load: LoadView) -> str:
    """The same of one load."""
    pace = "at random" if load.poisson else "evenly paced"
    return LOADS[load.shape].format(per_s=load.per_s, to_per_s=load.to_per_s, span_s=load.span_s, pace=pace)


def edge_faults(edge: EdgeView) -> tuple[str, ...]:
    """What is wrong on the way: Istio's faults, then the links."""
    injected = holding((
        (edge.delay_percent, f"{edge.delay_percent} % delayed by {units.exact(edge.delay_us)}"),
        (edge.abort_percent, f"{edge.abort_percent} % aborted with {edge.abort_status}"),
    ))  # fmt: skip
    return (*injected, *(f"{what} {link.src}>{link.dst}" for link in edge.links for what in link_faults(link)))


def link_faults(link: LinkView) -> tuple[str, ...]:
    """What is wrong with a link."""
    return holding((
        (link.cut, "cut"),
        (link.clogged, f"clogged with {link.held}"),
        (link.lossy, f"{percent(link.loss_ppm)} loss"),
        (link.slow, f"{units.exact(link.latency_us)} latency"),
        (link.duplicate_ppm != link.laid.duplicate_ppm, f"{percent(link.duplicate_ppm)} twice"),
        (link.reorder_ppm != link.laid.reorder_ppm, f"{percent(link.reorder_ppm)} out of order"),
    ))  # fmt: skip


def host_faults(host: HostView) -> tuple[str, ...]:
    """What is wrong with a machine."""
    return holding((
        (host.status != "up", host.status),
        (host.slow_percent != 100, f"takes {host.slow_percent / 100:g} times its usual time"),
        (host.sick_percent, f"{host.sick_percent} % of its answers are errors"),
        (host.clock_off_us, f"clock {units.exact(host.clock_off_us)} off"),
    ))  # fmt: skip


def service_time(service: ServiceView) -> str:
    """How long its own work takes, and how that is spread."""
    return f"{units.exact(service.mean_us)}, {service.shape or 'as recorded'}"


def backoff(retry: RetryView) -> str:
    """How long retries wait."""
    upper = "" if retry.backoff == "fixed" else f", up to {units.exact(retry.cap_us)}"
    return f"{retry.backoff}, {units.exact(retry.base_us)}{upper}"


# -- breakers ---------------------------------------------------------------------------------------------------------

AFTER: Final[dict[Cause, str]] = {
    Cause.FAILURE_RATE: "too many failures", Cause.SLOW_RATE: "too many slow calls",
    Cause.PROBE_FAILED: "a failed probe", Cause.PROBE_ABANDONED: "a probe without a result",
    Cause.LATE_FAILURE: "a late failure", Cause.HALF_OPEN_EXPIRED: "too long half-open",
    Cause.CALL_REJECTED: "a call that overtook the probe",
}  # fmt: skip
"""What opened a breaker, after which it is open."""
ORDERED: Final[dict[Cause, str]] = {
    Cause.RESET: "closed, with an empty window", Cause.DISABLE: "all passes, nothing is counted",
    Cause.METRICS: "all passes and is counted", Cause.FORCE_OPEN: "nothing passes",
}  # fmt: skip


def _moved(moved: Transition) -> str:
    """A breaker moved: where to, why, and what it means."""
    match moved.dst:
        case State.OPEN if moved.src is State.HALF_OPEN:
            return f"OPEN again: {moved.why}; it waits once more, and rejects all meanwhile"
        case State.OPEN:
            single = moved.cause is Cause.FAILURE_RATE and moved.calls == moved.bad == 1
            alone = "; without a minimum of calls one failure is 100 %" if single else ""
            return f"OPENS: {moved.why}{alone}; calls are rejected at once from now on"
        case State.HALF_OPEN:
            return f"HALF-OPEN: {moved.why}; only probes pass until they are judged"
        case State.CLOSED if moved.cause is Cause.RESET:
            return "CLOSED by order, with an empty window"
        case State.CLOSED:
            return f"CLOSES: {moved.why}; all calls pass again, and it counts from zero"
        case State.FORCED_OPEN:
            return "FORCED OPEN by order: rejects everything until it is reset; nothing will close it by itself"
        case State.DISABLED:
            return "DISABLED by order: everything passes, nothing is counted"
        case State.METRICS_ONLY:
            return "METRICS ONLY by order: it counts, and never opens"


def _rejected(rejection: Rejection) -> str:
    """The first rejection in a state; those after it are counted in silence."""
    if rejection.state is State.HALF_OPEN:
        return f"rejects calls at once: {rejection.why}; only probes pass"
    if rejection.state is State.OPEN and rejection.cause in AFTER:
        left = f"{units.span(rejection.wait_us)} left" if rejection.wait_us else "the waiting ends now"
        return f"rejects calls at once: open after {AFTER[rejection.cause]}, {left}"
    return f"rejects calls at once: {rejection.why}"


# -- calls ------------------------------------------------------------------------------------------------------------

TURNED_AWAY: Final = {
    Outcome.LIMITED: "so many may begin a second, and no more",
    Outcome.BULKHEAD: "so a slow service cannot take all workers of its caller",
    Outcome.CAPPED: "what Envoy calls circuit breaking: a cap, not a state",
}
REFUSED: Final = {
    Outcome.FULL: "{} wait already",
    Outcome.SHED: "{} wait; better no work than work that comes too late",
    Outcome.EXPIRED: "nobody waits for it any more, so it is not begun",
}
KINDS: Final = {"browse": "auth, then catalog", "fill": "auth, then cart", "buy": "auth, cart, then payment"}


def _failed(what: e.CallFailed) -> str:
    why = failure(what.why, what.origin)
    if what.took_us >= 0:
        why = f"it failed after {units.span(what.took_us)}, the log says"
        why += ", and it started before the last transition" if what.late else ""
    if what.attempts == 1:
        return f"fails a call: {why}{many(what.times)}"
    return f"gives a call up after {plural(what.attempts, 'attempt')}: {why}{many(what.times)}"


def _answered(what: e.YouAnswered) -> str:
    took, sent = units.seconds(max(0, what.took_us)), plural(what.requests, "request")
    if what.why in (Outcome.OK, Outcome.FALLBACK):
        other = "" if what.why is Outcome.OK else "; not the real one: a fallback"
        return f"get an answer in {took}, {sent} over all edges{other}"
    return f"get no answer after {took} and {sent} over all edges: {failure(what.why, what.origin)}"


def _served(what: e.ShopServed) -> str:
    """What became of the calls of clients in a stretch of time."""
    span = units.exact(what.span_us)
    if not what.good and not what.failed:
        return f"in {span} {plural(what.offered, 'call')} came, none has ended yet"
    ended = f"{what.good + what.failed:,} ended"
    ended += f", {what.failed:,} failed" if what.failed else ", none failed"
    return f"in {span} {plural(what.offered, 'call')} came, {ended}; p99 {units.seconds(what.p99_us)}"


# -- settings ---------------------------------------------------------------------------------------------------------

SWITCHES: Final = (
    "deadline", "eject_one", "fallback", "outlier", "breaker.rejection_reopens", "breaker.probe_counts",
)  # fmt: skip
PRESETS: Final = {
    "article": "50 % of 20 calls in 10 s, open 30 s; no standard, and the minimum is ours",
    "hystrix": "50 % of 20 in 10 s of completed half-seconds, open 5 s, a call after that probes",
    "resilience4j": "50 % of the last 100 calls, open 60 s, 10 probes",
    "resilience4j-time": "50 % of 100 calls in 100 s, open 60 s, 10 probes",
    "polly": "10 % of 100 calls in 30 s, open 5 s, 1 probe",
    "opossum": "more than 50 % of what started in 10 s, no minimum, a timer of 30 s",
}


def _tuned(service: str, name: str, value: int) -> str:
    match name:
        case "workers":
            return f"{service} has {plural(value, 'worker')} on each machine"
        case "queue_max":
            return f"{plural(value, 'call')} may wait at {service}: a longer line is a longer wait"
        case "shed_us":
            refuses = f"refuses what waited longer than {units.span(value)}" if value else "sheds nothing"
            return f"{service} {refuses}"
        case "newest_first":
            return f"{service} serves the {'newest' if value else 'oldest'} call first"
    return f"{service}: {name} {value}"


def _preset(edge: str, preset: str) -> str:
    if preset == "none":
        return f"no breaker on {on(edge)} any more: every call is tried, however many fail"
    return f"{on(edge)} like {preset}: {PRESETS.get(preset, 'its own numbers')}; the window begins empty"


def _option(name: str, value: int) -> str:
    said = str(value)
    if name in SWITCHES:
        said = "on" if value else "off"
    elif name.endswith("_us"):
        said = units.exact(value) if value else "off"
    elif name.endswith("_ppm"):
        said = percent(value) if value >= 0 else "none"
    short = name.removesuffix("_us").removesuffix("_ppm").replace("breaker.", "breaker ").replace("_", " ")
    return f"{short} {said}"


CURES: Final = {
    "shedding": "{service} sheds calls that waited longer than {time}; its line stays short, and what it serves is "
                "served in time",
    "breaker": "a breaker with the article's numbers before {service}; while it is open nothing comes, and the line is "
               "worked off",
    "budget": "retries into {service} may be {share} of the calls; it caps the amplification near 1, whatever happens",
    "deadline": "callers tell {service} how long they wait; it drops what is too late instead of working for nobody",
}  # fmt: skip
"""What each cure does; its number is a time or a share."""


# -- the world --------------------------------------------------------------------------------------------------------


def _clock(what: Skewed) -> str:
    if not what.offset_us:
        return "its wall clock is right again"
    jump = units.span(what.offset_us)
    return f"its wall clock jumps by {jump}: nothing happens, windows and timeouts run on monotonic clocks"


RESTARTS: Final = "restarts with an empty line and closed breakers; those of its callers know nothing of it yet"
WORLD: Final = KernelWords(
    message=message,
    crashes=lambda node: "its line is gone, and callers learn of it by their timeouts only",
    restarts=lambda node: RESTARTS,
    timer=lambda name: f"the next thing in its agenda is due ({name})",
    clock=_clock,
    others="machines",
    healed="links, injected faults, slow and sick machines; frozen ones thaw, dead ones restart",
    name=lambda node: node[:WHO],
    pair=_link,
)
"""What the kernel's events mean to the shop."""
