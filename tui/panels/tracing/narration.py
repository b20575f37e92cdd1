"""The journal: what happened, and why, one line an event, as a lecturer would say it.

Every kind of event that the world, the services, the users and the collector record has its sentence here; a test
compares the table with their sources. Numbers are said in full.
"""

from collections.abc import Callable
from typing import Any, Final

from engines.sim.world import Event
from engines.tracing.topology import HIT_PPM
from engines.tracing.world.messages import Ack, Call, Deliver, Export, Reply
from tui.canvas import Ink
from tui.kit.network import TOLD, Say, fixed, lost
from tui.kit.words import plural
from tui.panel import Line
from tui.panels.tracing.facts import percent, span_time


def narrate(event: Event) -> Line:
    """Who, and what and why."""
    say, ink = TABLE.get(event.kind, (_unknown, "text"))
    name, said = who(event), say(event)
    if name.endswith(CUT) and not said.startswith(event.node):
        said = f"{event.node} {said}"
    return Line(name, said, "you" if name == "you" else ink)


def who(event: Event) -> str:
    """The service it happened to; of a message or link both ends."""
    if event.kind in BY_YOU:
        return "you"
    if event.peer and event.kind not in ("isolate", "reconnect"):
        return _short(f"{_all(event.peer)}>{_all(event.node)}")
    return _short(event.node) or {"cue": "note", "verdict": "verdict", "notice": "file"}.get(event.kind, "world")


WHO: Final = 12
"""Columns of the journal for a name."""
CUT: Final = ".."
"""How a name ends that is longer; the sentence begins with all of it then."""


def _short(name: str) -> str:
    """A name in the journal's column; of a link both ends stay to be seen."""
    if len(name) <= WHO:
        return name
    src, arrow, dst = name.partition(">")
    if not arrow:
        return name[: WHO - len(CUT)] + CUT
    left = max(WHO - 1 - len(dst), (WHO - 1) // 2)
    return f"{src[:left]}>{dst[: WHO - 1 - min(left, len(src))]}"


def _all(node: str) -> str:
    return "all" if node == "*" else node


def _unknown(event: Event) -> str:
    return f"{event.kind}: {event.why}" if event.why else event.kind


def words(message: Any) -> str:
    """A message in a few words."""
    match message:
        case Call(operation=operation):
            return f"the call {operation}"
        case Reply(status=status):
            return f"the answer {status}"
        case Deliver(operation=operation):
            return f"the message for {operation}"
        case Ack():
            return "the acknowledgement"
        case Export(spans=spans):
            return f"an export of {plural(len(spans), 'span')}"
    return "a message"


# -- requests --------------------------------------------------------------------------------------------------------


def _new_trace(e: Event) -> str:
    return (
        f"starts a new trace, {str(e.get('trace', ''))[:8]}: the call from {e.get('src', '?')} came with {_lack(e.why)}"
    )


def _lack(why: str) -> str:
    return "no traceparent header" if why.startswith("no ") or not why else f"headers it cannot use ({why})"


def _trace(e: Event) -> str:
    parts = [f"{e.get('operation')} took {span_time(e.get('duration_us', 0))}:",
             f"{plural(e.get('spans', 0), 'span')} of {plural(e.get('services', 0), 'service')}"]  # fmt: skip
    if e.get("errors"):
        parts.append(f", {plural(e.get('errors'), 'error')}")
    if e.get("missing"):
        parts.append(f", {plural(e.get('missing'), 'missing span')}")
    text = f"{parts[0]} {parts[1]}{''.join(parts[2:])}"
    return f"{text}; {e.why}" if e.why and not e.get("missing") else text


def _timeout(e: Event) -> str:
    tried = f", attempt {e.get('attempt')}" if e.get("attempt", 1) > 1 else ""
    return f"gives up on {e.get('dst')} {e.get('operation')}{tried}: {e.why}; whether it was done is not known"


def _retry(e: Event) -> str:
    after = f"after {span_time(e.get('delay_us', 0))}" if e.get("delay_us") else "at once, without backoff"
    return f"calls {e.get('dst')} again, attempt {e.get('attempt')}, {after}: {e.why}"


def _breaker(e: Event) -> str:
    meaning = {
        "open": "calls fail at once now", "half_open": "a few calls may try", "closed": "all calls go through again",
    }  # fmt: skip
    state = str(e.get("state", ""))
    return f"breaker to {e.get('dst')} is {state.replace('_', '-')}: {e.why}; {meaning.get(state, '')}".rstrip("; ")


# -- what you do -----------------------------------------------------------------------------------------------------

OVER: Final = {
    "slow": "is as fast as ever again",
    "pool": "has its pool at its usual size again",
    "lock": "has no locked table any more",
    "cache": "is warm again",
    "retries": "answers again, and callers try as often as before",
    "header": "passes the trace headers on again",
    "lost": "loses no spans any more",
    "late": "sends its spans at once again",
}  # fmt: skip
"""What it means that a fault of each kind ends."""
MEANS: Final = {
    "slow": "its callers wait with it",
    "pool": "whoever finds it empty waits, and holds its worker while it waits",
    "lock": "they pass one at a time",
    "cache": "every miss becomes a query of the database",
    "retries": "one request becomes many calls",
    "header": "whom it calls begins a new trace",
    "skew": "its spans move with it, those of others do not",
    "lost": "their children become orphans; requests are not touched",
    "late": "their traces look whole before they are",
}  # fmt: skip
"""What will follow from it."""


def _fault(kind: str, ends: Callable[[Event], bool]) -> Say:
    """A fault of a service: what it is and what follows, or that it is over."""

    def say(e: Event) -> str:
        if ends(e):
            return f"{e.node or e.get('service')} {OVER[kind]}"
        return f"{e.why}: {MEANS[kind]}"

    return say


def _none(name: str) -> Callable[[Event], bool]:
    """Whether a number of the command is 0: the fault ends."""
    return lambda e: not e.get(name)


def _set_load(e: Event) -> str:
    if e.get("shape") == "off":
        return "users stop sending requests"
    return f"users come in a {e.get('shape')} stream, {e.get('rate')} requests a second on average"


def _set_retries(e: Event) -> str:
    again = "with backoff" if e.get("backoff") else "at once"
    return f"a call is made {e.get('attempts')} times at most, again {again}"


def _set_breakers(e: Event) -> str:
    return "a breaker stands in front of every call now" if e.get("on") else "there are no breakers any more"


def _set_sampling(e: Event) -> str:
    return f"{percent(e.get('ppm', 0))} of the traces are kept by chance from now on"


def _correct(e: Event) -> str:
    if e.get("on"):
        return "clocks are corrected as far as spans betray their offsets; the spans stay as they were sent"
    return "times are taken as they were sent, wrong clocks and all"


def _set_rule(e: Event) -> str:
    return f"rule {str(e.get('rule', '')).replace('_', ' ')} {'on' if e.get('on') else 'OFF'}, everywhere at once"


def _request(e: Event) -> str:
    return f"sends {e.get('operation')}: follow its trace, it comes when its spans have arrived"


def _verdict(e: Event) -> str:
    """While a system runs the verdict can change; of a file there is one, or the reason why there is none."""
    return f"is what the verdict names now: {e.why}" if e.node else f"all traces are read: {e.why}"


def _answered(e: Event) -> str:
    good = e.why.isdigit() and int(e.why) < 400
    return f"{e.get('operation')} is answered with {e.why} after {span_time(e.get('duration_us', 0))}" + (
        "" if good else ": follow its trace to see where it failed"
    )


def _skew(e: Event) -> str:
    return f"{TOLD['skew'][0](e).partition(':')[0]}: {MEANS['skew']}"


def _ask(e: Event) -> str:
    return f"sends {e.message}: follow its trace, it comes when its spans have arrived"


TABLE: Final[dict[str, tuple[Say, Ink]]] = {
    **TOLD,
    "crash": (fixed("crashes: the requests inside it and its unsent spans are lost; callers will time out"), "dead"),
    "restart": (fixed("starts again, empty: no request, no connection in use"), "good"),
    "lost": (lost(words), "lost"),
    "lost_again": (lost(words), "lost"),
    "deliver": (lambda e: f"{words(e.message)} arrives", "dim"),
    "timer": (fixed("a timer is due"), "dim"),
    "wait": (lambda e: f"{words(e.message) if e.message is not None else 'a timer'} waits: it is frozen", "frozen"),
    "skew": (_skew, "warn"),
    "new_trace": (_new_trace, "bad"),
    "trace": (_trace, "accent"),
    "pool_wait": (lambda e: f"waits for a connection to {e.get('pool')}: {e.why}", "bad"),
    "queue_wait": (lambda e: f"lets {e.get('operation')} wait in its queue: {e.why}", "warn"),
    "overload": (lambda e: f"refuses {e.get('operation')} with 503, the queue is full: {e.why}", "error"),
    "lock_wait": (lambda e: f"lets {e.get('operation')} wait: {e.why}", "candidate"),
    "timeout": (_timeout, "error"),
    "retry": (_retry, "precandidate"),
    "breaker": (_breaker, "open"),
    "redelivered": (lambda e: f"hands {e.get('dst')} a message again: {e.why}; the work may happen twice", "warn"),
    "gave_up": (lambda e: f"gives up on {e.get('operation')}: {e.why}", "error"),
    "verdict": (_verdict, "bright"),
    "notice": (lambda e: f"looks odd: {e.why}", "warn"),
    "request": (_request, "you"),
    "answered": (_answered, "you"),
    "slow_service": (_fault("slow", lambda e: e.get("percent", 0) <= 100), "slow"),
    "shrink_pool": (_fault("pool", _none("size")), "bad"),
    "lock": (_fault("lock", _none("hold_us")), "bad"),
    "cold_cache": (_fault("cache", lambda e: e.get("ppm", 0) >= HIT_PPM), "slow"),
    "amplify": (_fault("retries", _none("ppm")), "bad"),
    "drop_header": (_fault("header", _none("on")), "lost"),
    "lose_spans": (_fault("lost", _none("ppm")), "lost"),
    "late_spans": (_fault("late", _none("delay_us")), "stale"),
    "set_load": (_set_load, "you"),
    "set_retries": (_set_retries, "you"),
    "set_breakers": (_set_breakers, "you"),
    "set_sampling": (_set_sampling, "you"),
    "correct": (_correct, "you"),
    "set_rule": (_set_rule, "bad"),
}  # fmt: skip
"""Kinds of events to their sentences and inks."""

BY_YOU: Final = frozenset({
    "request", "answered", "slow_service", "shrink_pool", "lock", "cold_cache", "amplify", "drop_header", "lose_spans",
    "late_spans", "set_load", "set_retries", "set_breakers", "set_sampling", "correct", "set_rule", "heal",
})  # fmt: skip
"""What a person does, not a service."""
