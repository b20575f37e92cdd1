"""The journal: what happened, and why, one line an event, as a lecturer would say it; and messages in a few words.

Every kind of event of a traced system has its sentence here: a kind without one is a type error. Verdicts are said in
``verdict_words``. Numbers are said in full.
"""

from typing import Any, Final

from engines.sim import events as e
from engines.sim import faults
from engines.sim.events import Event
from engines.sim.rules import SetRule
from engines.tracing.context import NewTrace
from engines.tracing.topology import HIT_PPM
from engines.tracing.tree import MISSING_NAME
from engines.tracing.verdicts import Trouble
from engines.tracing.world import commands as c
from engines.tracing.world import events as t
from engines.tracing.world.control import HEAD, Sampling
from engines.tracing.world.messages import Ack, Call, Deliver, Export, Reply
from engines.tracing.world.snapshot import Ailing, Fault
from engines.units import PPM, fixed, percent, span
from tui.canvas import Ink
from tui.kit.kernel_words import KernelWords, clock_words, is_kernel, tell
from tui.kit.words import holding, plural
from tui.panel import Line
from tui.panels.tracing.world_words import new_trace_words, oddness_words
from tui.userdata.verdict_words import lack_words, sentence

WHO: Final = 12
"""Columns of the journal for a name."""
CUT: Final = ".."
"""How a name ends that is longer; the sentence begins with all of it then."""


def narrate(event: Event) -> Line:
    """Who, and what and why."""
    if is_kernel(event):
        line = tell(event, WORLD)
        name, said, ink = ("you" if isinstance(event.what, e.Healed) else line.who), line.text, line.ink
    else:
        said, ink = _tracing(event.what)
        name = who(event)
    if name.endswith(CUT) and not said.startswith(event.node):
        said = f"{event.node} {said}"
    return Line(name, said, "you" if name == "you" else ink)


def who(event: Event) -> str:
    """The service it happened to, or who did it."""
    match event.what:
        case t.RequestSent() | t.Answered() | t.Ordered():
            return "you"
        case t.VerdictChanged() | t.AllRead():
            return _short(event.node) or "verdict"
        case t.Noticed():
            return "file"
    return _short(event.node) or "world"


def _short(name: str) -> str:
    """A name in the journal's column; of a link both ends stay to be seen."""
    if len(name) <= WHO:
        return name
    src, arrow, dst = name.partition(">")
    if not arrow:
        return name[: WHO - len(CUT)] + CUT
    left = max(WHO - 1 - len(dst), (WHO - 1) // 2)
    return f"{src[:left]}>{dst[: WHO - 1 - min(left, len(src))]}"


# -- messages --------------------------------------------------------------------------------------------------------


def words(message: Any) -> str:
    """A message in a few words, with its article."""
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


# -- events ----------------------------------------------------------------------------------------------------------


def _tracing(what: t.TracingEvent) -> tuple[str, Ink]:
    """An event of tracing in a sentence."""
    match what:
        case t.RequestSent(operation=operation):
            return f"sends {operation}: follow its trace, it comes when its spans have arrived", "you"
        case t.Answered(operation=operation, status=status, duration_us=us):
            rest = "" if status < 400 else ": follow its trace to see where it failed"
            return f"{operation} is answered with {status} after {fixed(us)}{rest}", "you"
        case t.UserGone(operation=operation):
            return f"gives up on {operation}: no answer in time", "error"
        case t.TraceStarted(src=src, trace_id=trace_id, why=why):
            return f"starts a new trace, {trace_id[:8]}: the call from {src} came with {_lack(why)}", "bad"
        case t.PoolWait(pool=pool, in_use=used, size=size):
            return f"waits for a connection to {pool}: {used} of {size} connections are in use", "bad"
        case t.QueueWait(operation=operation, workers=workers):
            return f"lets {operation} wait in its queue: all {workers} workers are busy", "warn"
        case t.LockWait(operation=operation):
            return f"lets {operation} wait: another query holds the lock", "candidate"
        case t.Overloaded(operation=operation, waiting=waiting):
            return f"refuses {operation} with 503, the queue is full: {waiting} wait already", "error"
        case t.TimedOut(dst=dst, operation=operation, attempt=attempt, waited_us=us):
            tried = f", attempt {attempt}" if attempt > 1 else ""
            said = f"gives up on {dst} {operation}{tried}: no answer in {us // 1_000} ms"
            return f"{said}; whether it was done is not known", "error"
        case t.Retried(dst=dst, attempt=attempt, delay_us=us):
            after = f"after {fixed(us)}" if us else "at once, without backoff"
            return f"calls {dst} again, attempt {attempt}, {after}: {_failure(what)}", "precandidate"
        case t.BreakerMoved(dst=dst, moved=moved):
            state = moved.dst.value
            meaning = BREAKER.get(state, "")
            return f"breaker to {dst} is {state.replace('_', '-')}: {moved.why}; {meaning}".rstrip("; "), "open"
        case t.Redelivered(dst=dst, after_us=us):
            said = f"hands {dst} a message again: not acknowledged in {us // 1_000_000} s"
            return f"{said}; the work may happen twice", "warn"
        case t.TraceJudged():
            return _judged(what), "accent"
        case t.VerdictChanged(verdict=verdict):
            return f"is what the verdict names now: {sentence(verdict)}", "bright"
        case t.AllRead():
            return f"all traces are read: {_of_all(what)}", "bright"
        case t.Noticed(text=text):
            return f"looks odd: {text}", "warn"
        case t.Ordered(command=command, usual=usual):
            return order_words(command, usual)


BREAKER: Final = {
    "open": "calls fail at once now", "half_open": "a few calls may try", "closed": "all calls go through again",
}  # fmt: skip
"""What a breaker's new state means."""


def _lack(why: NewTrace) -> str:
    return new_trace_words(why) if why in LACKS else f"headers it cannot use ({new_trace_words(why)})"


LACKS: Final = (NewTrace.NO_HEADER, NewTrace.NO_B3)


def _failure(retried: t.Retried) -> str:
    match retried.why:
        case t.Failure.TIMEOUT:
            return "no answer in time"
        case t.Failure.STATUS:
            return f"{retried.dst} answered {retried.status}"
        case t.Failure.POOL_FULL:
            return "too many wait for a connection"
        case t.Failure.CIRCUIT_OPEN:
            return "the breaker is open"


def _judged(what: t.TraceJudged) -> str:
    took = "a trace without its root lasted" if what.operation == MISSING_NAME else f"{what.operation} took"
    text = f"{took} {fixed(what.duration_us)}: {plural(what.spans, 'span')} of "
    text += plural(what.services, "service")
    text += f", {plural(what.errors, 'error')}" if what.errors else ""
    text += f", {plural(what.missing, 'missing span')}" if what.missing else ""
    why = oddness_words(what.note) or (most_words(what.most, what.duration_us) if what.most else "")
    return f"{text}; {why}" if why and not what.missing else text


def most_words(most: t.Most, duration_us: int) -> str:
    """Where most of a trace's time went."""
    if not duration_us:
        return ""
    share = percent(most.path_us * 1_000_000 // duration_us)
    where = f"{most.service} {most.operation}".strip()
    return f"{share} of its critical path, {fixed(most.path_us)}, is {where}"


def _of_all(what: t.AllRead) -> str:
    if what.verdict is not None:
        return sentence(what.verdict)
    return lack_words(what.lack) or "an ordinary tail: nothing stands out"


# -- what people do --------------------------------------------------------------------------------------------------


def order_words(command: c.Order, usual: int) -> tuple[str, Ink]:
    """A command as it was carried out: of a fault what it is and what follows, or that it is over."""
    match command:
        case c.SlowService(service=name, percent=share):
            return _fault(Trouble.SLOW, name, share > 100, command, usual), "slow"
        case c.ShrinkPool(service=name, size=size):
            return _fault(Trouble.POOL, name, size > 0, command, usual), "bad"
        case c.Lock(service=name, hold_us=hold_us):
            return _fault(Trouble.LOCK, name, hold_us > 0, command, usual), "bad"
        case c.ColdCache(service=name, ppm=ppm):
            return _fault(Trouble.CACHE, name, ppm < HIT_PPM, command, usual), "slow"
        case c.Amplify(service=name, ppm=ppm, attempts=attempts):
            return _fault(Trouble.RETRIES if attempts > 1 else Trouble.ERRORS, name, ppm > 0, command, usual), "bad"
        case c.DropHeader(service=name, on=on):
            return _fault(Trouble.HEADER, name, on, command, usual), "lost"
        case c.LoseSpans(service=name, ppm=ppm):
            return _fault(Trouble.LOST, name, ppm > 0, command, usual), "lost"
        case c.LateSpans(service=name, delay_us=delay_us):
            return _fault(Trouble.LATE, name, delay_us > 0, command, usual), "stale"
        case c.SetLoad(shape=shape, rate=rate):
            if shape == "off":
                return "users stop sending requests", "you"
            return f"users come in a {shape} stream, {rate} requests a second on average", "you"
        case c.SetRetries(attempts=attempts, backoff=backoff):
            return f"a call is made {attempts} times at most, again {'with backoff' if backoff else 'at once'}", "you"
        case c.SetBreakers(on=on):
            return "a breaker stands in front of every call now" if on else "there are no breakers any more", "you"
        case c.SetSampling(ppm=ppm):
            return f"{percent(ppm)} of the traces are kept by chance from now on", "you"
        case c.Correct(on=True):
            said = "clocks are corrected as far as spans betray their offsets; the spans stay as they were sent"
            return said, "you"
        case c.Correct():
            return "times are taken as they were sent, wrong clocks and all", "you"
        case SetRule(rule=rule, on=on):
            return f"rule {rule.replace('_', ' ')} {'on' if on else 'OFF'}, everywhere at once", "bad"


FAULTS: Final = {
    Trouble.SLOW: ("its callers wait with it", "is as fast as ever again"),
    Trouble.POOL: ("whoever finds it empty waits, and holds its worker while it waits",
                   "has its pool at its usual size again"),
    Trouble.LOCK: ("they pass one at a time", "has no locked table any more"),
    Trouble.CACHE: ("every miss becomes a query of the database", "is warm again"),
    Trouble.RETRIES: ("one request becomes many calls", "answers again, and callers try as often as before"),
    Trouble.ERRORS: ("whoever calls it fails with it", "answers again"),
    Trouble.HEADER: ("whom it calls begins a new trace", "passes the trace headers on again"),
    Trouble.SKEW: ("its spans move with it, those of others do not", ""),
    Trouble.LOST: ("their children become orphans; requests are not touched", "loses no spans any more"),
    Trouble.LATE: ("their traces look whole before they are", "sends its spans at once again"),
}  # fmt: skip
"""What will follow from a fault of each kind, and what it means that it ends."""


def _fault(kind: Trouble, name: str, on: bool, command: c.Order, usual: int) -> str:
    if not on:
        return f"{name} {FAULTS[kind][1]}"
    return f"{fault_words(Fault(kind, name, 0, command, usual))}: {FAULTS[kind][0]}"


def fault_words(fault: Fault) -> str:
    """What was injected: the truth beside a verdict."""
    name = fault.service
    match fault.command:
        case c.SlowService(percent=share):
            return f"{name} takes {share / 100:.4g} times as long"
        case c.ShrinkPool(size=size):
            return f"the pool of {name} is cut from {fault.usual} to {size} connections"
        case c.Lock(hold_us=hold_us):
            return f"queries of {name} hold a lock for {span(hold_us)}"
        case c.ColdCache(ppm=ppm):
            return f"{name} is cold" + (f": {tenths(ppm)} hits" if ppm else "")
        case c.Amplify(ppm=ppm, attempts=attempts):
            again = f"everybody tries {attempts} times" if attempts > 1 else "nobody tries again"
            return f"{name} fails {tenths(ppm)} of its calls, {again}"
        case c.DropHeader():
            return f"{name} does not pass the trace headers on"
        case c.LoseSpans(ppm=ppm):
            return f"the exporter of {name} loses {tenths(ppm)} of its spans"
        case c.LateSpans(delay_us=delay_us):
            return f"the exporter of {name} is {span(delay_us)} late"
        case faults.Lose(ppm=ppm):
            return f"the network loses {tenths(ppm)} on its way to {name}"
        case faults.Duplicate(ppm=ppm):
            return f"the network doubles {tenths(ppm)} of the messages of {name}"
        case faults.Slow(latency_us=latency_us):
            return f"a message takes {span(latency_us)} to {name}"
        case faults.Skew(offset_us=offset_us):
            return f"the clock of {name} is {span(offset_us)} off"
        case faults.Crash():
            return f"{name} crashed"
        case faults.Freeze():
            return f"{name} froze"
    raise AssertionError(f"no words for {fault!r}")


def tenths(ppm: int) -> str:
    """A share, with a decimal where it is no whole percent."""
    return f"{ppm // 10_000} %" if ppm % 10_000 == 0 else f"{ppm // 10_000}.{ppm // 1_000 % 10} %"


def ailing_words(ailing: Ailing) -> tuple[str, ...]:
    """What was done to a service, one thing after the other."""
    return holding((
        (ailing.slow_percent != 100, f"slow x{ailing.slow_percent // 100}.{ailing.slow_percent % 100 // 10}"),
        (ailing.pool_size, f"pool {ailing.pool_usual} -> {ailing.pool_size}"),
        (ailing.lock_us, f"lock held {ailing.lock_us // 1_000} ms"),
        (ailing.hits_ppm >= 0, f"cold cache, {tenths(ailing.hits_ppm // 10_000 * 10_000)} hits"),
        (ailing.fail_ppm, f"fails {tenths(ailing.fail_ppm)}"),
        (ailing.drops_header, "drops the trace headers"),
        (ailing.lose_ppm, f"loses {tenths(ailing.lose_ppm)} of its spans"),
        (ailing.late_us, f"exports {ailing.late_us // 1_000} ms late"),
    ))  # fmt: skip


def sampling_words(sampling: Sampling) -> str:
    """What is kept: ``every trace``, ``head 10 %``, ``tail: errors, slower than 800 ms, 5 % of the rest``."""
    if sampling.policy:
        return f"tail: {sampling.policy}"
    share = f"{sampling.ppm // 10_000} %"
    if sampling.variant == HEAD:
        return "every trace" if sampling.ppm == PPM else f"head {share}"
    return f"tail: errors, slower than {sampling.slow_us // 1_000} ms, {share} of the rest"


# -- machines and links ----------------------------------------------------------------------------------------------

WORLD: Final = KernelWords(
    message=words,
    crashes=lambda node: "the requests inside it and its unsent spans are lost; callers will time out",
    restarts=lambda node: "starts again, empty: no request, no connection in use",
    timer=lambda name: "a timer is due",
    clock=lambda what: clock_words(what, FAULTS[Trouble.SKEW][0]),
    others="servers",
    name=_short,
    pair=lambda src, dst: _short(f"{src}>{dst}"),
)
"""What befalls machines and links, where tracing has words of its own for it."""
