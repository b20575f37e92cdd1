"""The journal: what happened, and why, one line an event, as a lecturer would say it.

Every kind of event that the world, the services and the clients record has its sentence here; a test compares the
table with their sources. What happens by the hundred is told now and then with its number: not *retries*, but *38 x*.
"""

from typing import Any, Final

from engines.resilience.policy import percent, time_word
from engines.resilience.world.messages import Answer, Request
from engines.sim.world import Event
from tui.canvas import Ink
from tui.kit.network import TOLD, Say, fixed, lost
from tui.kit.words import ms, plural
from tui.panel import Line
from tui.panels.resilience import facts

STATE: Final = "state"
"""Stands for the ink of the state that a breaker moves to."""

ONE_CALL: Final = "1 of 1"
WHO: Final = 12
"""Columns that the journal has for who it was."""


def narrate(event: Event, total: int = 0) -> Line:
    """Who, and what and why. ``total``: how many of its kind share the line, if not as many as the event says."""
    say, ink = TABLE.get(event.kind, (_unknown, "text"))
    if ink == STATE:
        ink = facts.INKS.get(event.get("dst", ""), "text")
    if total and event.get("count"):
        detail = tuple((name, total if name == "count" else value) for name, value in event.detail)
        event = event._replace(what=event.what._replace(detail=detail))
    return Line(who(event), say(event), "you" if who(event) == "you" else ink)


def who(event: Event) -> str:
    """The edge, service or client it happened to, in at most 12 characters."""
    if event.kind in BY_YOU:
        return "you"
    edge = event.get("edge", "")
    if edge:
        said = facts.name(edge)
        return said if len(said) <= WHO else said.partition(">")[2][:WHO]
    if event.peer and event.kind not in ("isolate", "reconnect", "wasted"):
        return _link(event.peer, event.node)
    return (event.node or ("note" if event.kind == "cue" else "world"))[:12]


def _link(src: str, dst: str) -> str:
    """A link between machines: databases by their short name beside their service."""
    src, dst = ("all" if each == "*" else each for each in (src, dst))
    if dst.startswith(f"{src}-"):
        return f"{src}>{facts.short(src, dst)}"[:12]
    if src.startswith(f"{dst}-"):
        return f"{facts.short(dst, src)}>{dst}"[:12]
    return f"{src}>{dst}"[:12]


def _unknown(event: Event) -> str:
    return f"{event.kind}: {event.why}" if event.why else event.kind


def words(message: Any) -> str:
    """A message in a few words."""
    match message:
        case Request(kind=kind, attempt=attempt):
            return f"a call for {kind}" + (f" (attempt {attempt})" if attempt > 1 else "")
        case Answer(why=why):
            return "an answer" if why == "ok" else f"the answer {why}"
    return "a message"


def _many(e: Event) -> str:
    """How many of the kind since they were told last."""
    count = e.get("count", 1)
    return f" ({count} x)" if isinstance(count, int) and count > 1 else ""


# -- breakers ---------------------------------------------------------------------------------------------------------


def _breaker(e: Event) -> str:
    """A breaker moved: where to, why, and what it means."""
    before, after = e.get("src", ""), e.get("dst", "")
    match after:
        case "open" if before == "half_open":
            return f"OPEN again: {e.why}; it waits once more, and rejects all meanwhile"
        case "open":
            alone = "; without a minimum of calls one failure is 100 %" if e.why.startswith(ONE_CALL) else ""
            return f"OPENS: {e.why}{alone}; calls are rejected at once from now on"
        case "half_open":
            return f"HALF-OPEN: {e.why}; only probes pass until they are judged"
        case "closed" if e.get("cause") == "reset":
            return "CLOSED by order, with an empty window"
        case "closed":
            return f"CLOSES: {e.why}; all calls pass again, and it counts from zero"
        case "forced_open":
            return "FORCED OPEN by order: rejects everything until it is reset; nothing will close it by itself"
        case "disabled":
            return "DISABLED by order: everything passes, nothing is counted"
        case "metrics_only":
            return "METRICS ONLY by order: it counts, and never opens"
    return f"{before} > {after}: {e.why}"


AFTER: Final = {
    "failure rate": "too many failures", "slow call rate": "too many slow calls", "probe failed": "a failed probe",
    "probe abandoned": "a probe without a result", "late failure": "a late failure",
    "half-open too long": "too long half-open", "a call was turned away": "a call that overtook the probe",
}  # fmt: skip
"""What opened a breaker, after which it is open."""
SWITCHES: Final = ("deadline", "eject_one", "fallback", "outlier")


def _rejected(e: Event) -> str:
    """The first rejection in a state; those after it are counted in silence."""
    if e.get("state") == "half_open":
        return f"rejects calls at once: {e.why}; only probes pass{_many(e)}"
    cause, _, left = e.why.removeprefix("open: ").rpartition(", ")
    why = f"open after {AFTER.get(cause, cause)}, {left}" if cause else e.why
    return f"rejects calls at once: {why}{_many(e)}"


def _turned_away(e: Event) -> str:
    meaning = {
        "limited": "so many may begin a second, and no more",
        "bulkhead": "so a slow service cannot take all workers of its caller",
        "capped": "what Envoy calls circuit breaking: a cap, not a state",
    }  # fmt: skip
    end = f": {meaning[e.get('outcome')]}" if e.get("outcome") in meaning else ""
    return f"turns a call away, {e.why}{end}{_many(e)}"


# -- retries ----------------------------------------------------------------------------------------------------------


def _retry(e: Event) -> str:
    return f"tries again in {ms(e.get('delay_us', 0))}, attempt {e.get('attempt', 2)}: {e.why}{_many(e)}"


def _denied(e: Event) -> str:
    return f"does not try again: {e.why}; the storm ends here{_many(e)}"


def _failed(e: Event) -> str:
    count = e.get("attempts", 1)
    tried = f"gives a call up after {plural(count, 'attempt')}: {e.why}" if count != 1 else f"fails a call: {e.why}"
    return f"{tried}{_many(e)}"


def _fallback(e: Event) -> str:
    return f"serves another answer: {e.why}{_many(e)}"


def _hedge(e: Event) -> str:
    return f"asks a second host, the first answer counts: {e.why}{_many(e)}"


# -- services ---------------------------------------------------------------------------------------------------------


def _refused(e: Event) -> str:
    waiting = e.get("waiting", 0)
    meaning = {
        "full": f"{waiting} wait already",
        "shed": f"{waiting} wait; better no work than work that comes too late",
        "expired": "nobody waits for it any more, so it is not begun",
    }  # fmt: skip
    end = f" ({meaning[e.get('outcome')]})" if e.get("outcome") in meaning else ""
    return f"refuses a call: {e.why}{end}{_many(e)}"


def _wasted(e: Event) -> str:
    return f"has done work for {e.get('peer') or e.peer or 'its caller'} for nothing: {e.why}{_many(e)}"


def _ejected(e: Event) -> str:
    return f"takes {e.get('host')} out: {e.why}; its calls go to the others"


def _not_ejected(e: Event) -> str:
    return f"{e.get('host')} stays in: {e.why}"


def _returned(e: Event) -> str:
    return f"takes {e.get('host')} back: {e.why}; if it is still bad it goes for longer"


# -- clients ----------------------------------------------------------------------------------------------------------


def _called(e: Event) -> str:
    kinds: dict[str, str] = {
        "browse": "auth, then catalog",
        "fill": "auth, then cart",
        "buy": "auth, cart, then payment",
    }
    return f"call: {e.why}" + (f", that is {kinds[e.why]}" if e.why in kinds else "")


def _answered(e: Event) -> str:
    took, attempts = secs_of(e), plural(e.get("attempts", 0), "attempt")
    outcome: str = e.get("outcome", "")
    if outcome in ("ok", "fallback"):
        other = "" if outcome == "ok" else "; not the real one: a fallback"
        return f"get an answer in {took}, {attempts} in all{other}"
    return f"get no answer after {took} and {attempts} in all: {e.why}"


def secs_of(e: Event) -> str:
    """How long it took."""
    return facts.secs(max(0, e.get("took_us", 0)))


# -- settings ---------------------------------------------------------------------------------------------------------


def _on(edge: str) -> str:
    """The edge that a setting is about."""
    return "every edge" if edge in ("*", "") else facts.name(edge)


def _load(e: Event) -> str:
    return f"load: {e.why}"


def _mix(e: Event) -> str:
    return f"the clients ask for {e.why} from now on"


def _burst(e: Event) -> str:
    return f"{plural(e.get('count', 0), 'call')} at one moment{f' for {e.why}' if e.why else ''}"


def _delay(e: Event) -> str:
    share, span = e.get("percent", 0), e.get("delay_us", 0)
    if not share or not span:
        return f"no call over {_on(e.why)} is delayed any more"
    return f"inject a delay: {share} % of the calls over {_on(e.why)} wait {ms(span)} (Istio, a tool for tests)"


def _abort(e: Event) -> str:
    share = e.get("percent", 0)
    if not share:
        return f"no call over {_on(e.why)} is aborted any more"
    return f"inject an abort: {share} % over {_on(e.why)} get {e.get('status', 503)} unasked (Istio, a tool for tests)"


def _slow_service(e: Event) -> str:
    share = e.get("percent", 100)
    if share == 100:
        return f"{e.why} works as fast as usual again"
    return f"{e.why} takes {share / 100:g} times as long for its own work"


def _sick_host(e: Event) -> str:
    share = e.get("percent", 0)
    if not share:
        return f"{e.why} answers no errors of its own any more"
    return f"{e.why} answers {share} % of its calls with an error, and quickly"


def _service(e: Event) -> str:
    name, value = e.get("service", ""), e.get("value", 0)
    said = {
        "workers": f"{name} has {plural(value, 'worker')} on each machine",
        "queue_max": f"{plural(value, 'call')} may wait at {name}: a longer line is a longer wait",
        "shed_us": f"{name} refuses what waited longer than {ms(value)}" if value else f"{name} sheds nothing",
        "newest_first": f"{name} serves the {'newest' if value else 'oldest'} call first",
    }  # fmt: skip
    return said.get(e.why, f"{name}: {e.why} {value}")


def _preset(e: Event) -> str:
    if e.why == "none":
        return f"no breaker on {_on(e.get('edge', ''))} any more: every call is tried, however many fail"
    meaning = {
        "article": "50 % of 20 calls in 10 s, open 30 s; no standard, and the minimum is ours",
        "hystrix": "50 % of 20 in 10 s of completed half-seconds, open 5 s, a call after that probes",
        "resilience4j": "50 % of the last 100 calls, open 60 s, 10 probes",
        "resilience4j-time": "50 % of 100 calls in 100 s, open 60 s, 10 probes",
        "polly": "10 % of 100 calls in 30 s, open 5 s, 1 probe",
        "opossum": "more than 50 % of what started in 10 s, no minimum, a timer of 30 s",
    }  # fmt: skip
    return f"{_on(e.get('edge', ''))} like {e.why}: {meaning.get(e.why, 'its own numbers')}; the window begins empty"


def _operator(e: Event) -> str:
    meaning = {
        "reset": "closed, with an empty window", "disable": "all passes, nothing is counted",
        "metrics_only": "all passes and is counted", "force_open": "nothing passes",
    }  # fmt: skip
    return f"{e.why.replace('_', ' ')} the breaker of {_on(e.get('edge', ''))}: {meaning.get(e.why, 'by order')}"


def _option(e: Event) -> str:
    name, value = e.why, e.get("value", 0)
    told = str(value)
    if name in SWITCHES:
        told = "on" if value else "off"
    elif name.endswith("_us"):
        told = time_word(value) if value else "off"
    elif name.endswith("_ppm"):
        told = percent(value) if value >= 0 else "none"
    said = name.removesuffix("_us").removesuffix("_ppm").replace("breaker.", "breaker ").replace("_", " ")
    return f"{_on(e.get('edge', ''))}: {said} {told}"


def _backoff(e: Event) -> str:
    span = f"{ms(e.get('base_us', 0))} to {ms(e.get('cap_us', 0))}"
    herd = "" if "jitter" in e.why or e.why == "decorrelated" else "; without jitter all come back together"
    return f"retries on {_on(e.get('edge', ''))} wait {e.why}, {span}{herd}"


def _order(e: Event) -> str:
    return f"order on {_on(e.get('edge', ''))}, outermost first: {e.why}"


def _cure(e: Event) -> str:
    meaning = {
        "breaker": "while it is open nothing comes, and the line is worked off",
        "budget": "it caps the amplification near 1, whatever happens",
        "shedding": "its line stays short, and what it serves is served in time",
        "deadline": "it drops what is too late instead of working for nobody",
    }  # fmt: skip
    return f"cure: {e.why}; {meaning.get(e.get('name', ''), 'see whether it helps')}"


def _rule(e: Event) -> str:
    return f"rule {e.why.replace('_', ' ')} {'on again' if e.get('on') else 'OFF'}, everywhere"


# -- the world --------------------------------------------------------------------------------------------------------


def _deliver(e: Event) -> str:
    return f"{words(e.message)} arrives"


def _wait(e: Event) -> str:
    return f"{words(e.message)} waits: {e.node} is frozen"


def _crash(e: Event) -> str:
    unsent = e.get("unsent", 0)
    extra = f"; {plural(unsent, 'message')} never left" if unsent else ""
    return f"crashes: its line is gone, and callers learn of it by their timeouts only{extra}"


def _skew(e: Event) -> str:
    offset = e.get("offset_us", 0)
    if not offset:
        return "its wall clock is right again"
    return f"its wall clock jumps by {ms(offset)}: nothing happens, windows and timeouts run on monotonic clocks"


def _timer(e: Event) -> str:
    return f"the next thing in its agenda is due ({e.why})" if e.why else "the next thing in its agenda is due"


TABLE: Final[dict[str, tuple[Say, Ink]]] = {
    **TOLD,
    "breaker": (_breaker, STATE), "rejected": (_rejected, "half-open"), "turned_away": (_turned_away, "warn"),
    "retry": (_retry, "warn"), "denied": (_denied, "good"), "failed": (_failed, "bad"),
    "fallback": (_fallback, "accent"), "hedge": (_hedge, "accent"), "refused": (_refused, "warn"),
    "wasted": (_wasted, "stale"), "ejected": (_ejected, "open"), "not_ejected": (_not_ejected, "warn"),
    "returned": (_returned, "good"), "called": (_called, "you"), "answered": (_answered, "you"),
    "load": (_load, "you"), "mix": (_mix, "you"), "burst": (_burst, "you"), "delay_fault": (_delay, "slow"),
    "abort_fault": (_abort, "error"), "slow_service": (_slow_service, "slow"), "sick": (_sick_host, "error"),
    "service": (_service, "you"), "preset": (_preset, "you"), "operator": (_operator, "you"),
    "option": (_option, "you"),
    "backoff": (_backoff, "you"), "order": (_order, "you"), "cure": (_cure, "good"), "rule": (_rule, "warn"),
    "skew": (_skew, "warn"), "deliver": (_deliver, "dim"), "wait": (_wait, "frozen"), "lost": (lost(words), "lost"),
    "lost_again": (lost(words), "lost"), "timer": (_timer, "dim"), "crash": (_crash, "dead"),
    "restart": (fixed("restarts with an empty line and closed breakers; those of its callers know nothing of it yet"),
                "good"),
    "isolate": (fixed("is cut off from all other machines, in both directions"), "cut"),
    "reconnect": (fixed("is connected to all other machines again"), "good"),
    "heal": (fixed("everything is healed: links, injected faults, slow and sick machines; frozen ones thaw, dead ones "
                   "restart"), "good"),
}  # fmt: skip
"""Every kind of event: how it is said, and the ink of the name before it."""

BY_YOU: Final = frozenset({
    "load", "mix", "burst", "delay_fault", "abort_fault", "slow_service", "sick", "service", "preset", "operator",
    "option", "backoff", "order", "cure", "rule",
})  # fmt: skip
"""What a person asked for, or the story for them."""
