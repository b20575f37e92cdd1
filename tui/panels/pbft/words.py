"""The journal of PBFT: what happened, and why, as a lecturer would say it; and messages in words.

A kind of event without a sentence is a type error. Numbers are said in full: not *enough* but *3 of 4, 3 are needed*.
"""

from typing import Any, Final, TypeAlias

from engines import units
from engines.consensus.operations import written
from engines.consensus.pbft import events as e
from engines.consensus.pbft import messages as m
from engines.consensus.pbft.acts import OUTCOME
from engines.rules import RuleSwitched
from engines.sim.events import Event
from tui.canvas import Ink
from tui.kit.kernel_words import KernelWords, is_kernel, tell
from tui.kit.words import by, names, plural
from tui.panel import Line

Said: TypeAlias = tuple[str, Ink]

LETTERS: Final[dict[type, str]] = {
    m.Request: "R", m.PrePrepare: "O", m.Prepare: "P", m.Commit: "C", m.Reply: "r", m.Checkpoint: "K", m.Proof: "K",
    m.ViewChange: "V", m.NewView: "N", m.Status: "s", m.FetchState: "f", m.State: "S", m.FetchBody: "f", m.Body: "b",
}  # fmt: skip
"""R request, O order (pre-prepare), P prepare, C commit, r reply, K checkpoint, V view change, N new view, s status."""


def letter(message: Any) -> str:
    """A message in one letter."""
    return LETTERS[type(message)]


def asked(request: m.Request | None) -> str:
    """A request as people write it: ``x=2``; ``null`` for none."""
    return written(request.op, request.key, request.value) if request else "null"


def value(result: int | None) -> str:
    """What a request came to."""
    return "no such key" if result is None else str(result)


def words(message: Any) -> str:
    """A message in a few words."""
    match message:
        case m.Request(client=client, t=t):
            return f"request {asked(message)} ({client} #{t})"
        case m.PrePrepare(view=view, n=n):
            return f"PRE-PREPARE {n} of view {view}"
        case m.Prepare(view=view, n=n):
            return f"PREPARE {n} of view {view}"
        case m.Commit(view=view, n=n):
            return f"COMMIT {n} of view {view}"
        case m.Reply(t=t, result=result):
            return f"reply to #{t}: {value(result)}"
        case m.Checkpoint(n=n):
            return f"CHECKPOINT {n}"
        case m.ViewChange(view=view):
            return f"VIEW-CHANGE for view {view}"
        case m.NewView(view=view):
            return f"NEW-VIEW {view}"
        case m.Proof(c=c):
            return f"proof of checkpoint {c[0].n if c else 0}"
        case m.Status(view=view, executed=executed):
            return f"status: view {view}, executed {executed}"
        case m.FetchState(n=n):
            return f"question for the state at {n}"
        case m.State(n=n):
            return f"state at {n}"
        case m.FetchBody() | m.Body():
            return "question for a request" if isinstance(message, m.FetchBody) else "request by its digest"
    raise AssertionError(f"no words for {message!r}")


def in_full(message: Any) -> str:
    """A message with its digest and its signature."""
    digest = getattr(message, "digest", "")
    forged = "" if m.genuine(message) else "; the signature is not the sender's"
    return f"{words(message)}{f', digest {digest}' if digest else ''}{forged}"


def narrate(event: Event) -> Line:
    """Who, and what and why."""
    if is_kernel(event):
        return tell(event, WORLD)
    what: e.PbftEvent = event.what
    text, ink = _said(what)
    if isinstance(what, e.ActSwitched):
        return Line(event.node, text, ink)
    who = "you" if isinstance(what, RuleSwitched | e.WorkloadSet | e.TimeoutSet) else event.node
    return Line(who, by(event.node, text), "you" if who == "you" else ink)


def _said(what: e.PbftEvent) -> Said:
    match what:
        case e.Rejected():
            return _rejected(what), "bad"
        case e.Relayed(request=request, primary=primary):
            return f"passes {asked(request)} on to the primary {primary} and waits for it to be executed", "follower"
        case e.Proposed(view=view, n=n, request=request):
            return f"gives {asked(request)} the number {n} in view {view}: a PRE-PREPARE for all backups", "leader"
        case e.WindowFull(n=n, high=high):
            return f"has no number left: {n} is above H = {high}; a checkpoint must become stable first", "warn"
        case e.Accepted(n=n, primary=primary, digest=digest):
            return (f"accepts {_short(digest)} at number {n} from {primary} and tells all: "
                    "it will accept no other there", "follower")  # fmt: skip
        case e.Equivocated(view=view, n=n, primary=primary):
            return (f"is told another request for number {n} of view {view}: {primary} tells two stories; "
                    "the first stands", "bad")  # fmt: skip
        case e.Contradicted(phase=phase, n=n, src=src):
            return f"hears a second {phase} of {src} for number {n}, for another digest: the first stands", "bad"
        case e.BecamePrepared(n=n, voters=voters):
            return (f"is prepared at number {n}: the pre-prepare and {plural(len(voters), 'PREPARE')} of "
                    f"{names(voters)} are a certificate", "candidate")  # fmt: skip
        case e.Committed(n=n, voters=voters):
            return f"number {n} is final: {len(voters)} say they are prepared ({names(voters)})", "committed"
        case e.Executed():
            return _executed(what)
        case e.BodyMissing(n=n, digest=digest):
            return f"knows number {n} by its digest {_short(digest)} only and asks the others for the request", "warn"
        case e.CheckpointTaken(n=n, digest=digest):
            return f"takes a checkpoint after number {n} and tells all its digest {_short(digest)}", "text"
        case e.Stable(n=n, high=high, voters=voters):
            return (f"checkpoint {n} is stable: {len(voters)} claim the same state; everything up to it is dropped, "
                    f"the window ends at {high} now", "good")  # fmt: skip
        case e.FellBehind() | e.WrongState() | e.StateInstalled():
            return _transfer(what)
        case e.ViewChangeStarted() | e.ViewChangeSeen() | e.NewViewSent() | e.ViewEntered():
            return _view(what)
        case e.Forgot():
            return "comes back without a memory: what it had promised is lost, it counts as a traitor", "bad"
        case e.Asked(request=request, attempt=attempt, to=to):
            again = f", attempt {attempt}: no answer in time" if attempt > 1 else ""
            return f"asks {names(to)} for {asked(request)}{again}", "client"
        case e.Waits(op=op, key=key, value=number, before=before):
            return f"{written(op, key, number)} waits until what was asked before is answered: {before}", "client"
        case e.Answered():
            return _answered(what), "client"
        case e.ActSwitched() | RuleSwitched() | e.WorkloadSet() | e.TimeoutSet():
            return _by_hand(what)


def _short(digest: str) -> str:
    return digest if digest == m.NULL else digest[:4]


REASONS: Final = {
    e.Why.FORGED: "its signature is not that of whom it names",
    e.Why.NOT_PRIMARY: "its sender does not lead this view",
    e.Why.OLD_VIEW: "it is of another view",
    e.Why.OUTSIDE_WINDOW: "its number is outside the window",
    e.Why.WRONG_DIGEST: "its digest is not the request's",
    e.Why.NO_BODY: "it names a digest and brings no request",
    e.Why.UNPROVEN: "a certificate in it is void",
    e.Why.WRONG_O: "what it takes over is not what its own VIEW-CHANGEs demand",
}
CALLED: Final = {"PrePrepare": "PRE-PREPARE", "ViewChange": "VIEW-CHANGE", "NewView": "NEW-VIEW"}


def _rejected(what: e.Rejected) -> str:
    number = f" for number {what.n}" if what.n else ""
    return f"rejects a {CALLED.get(what.what, what.what)}{number} from {what.src}: {REASONS[what.why]}"


def _executed(what: e.Executed) -> Said:
    if what.request is None:
        return f"executes number {what.n}: null, which changes nothing", "dim"
    if what.repeated:
        return (f"number {what.n} is request #{what.request.t} of {what.request.client} again: executed before, "
                "so not again", "dim")  # fmt: skip
    return f"executes number {what.n}: {asked(what.request)}, and replies to {what.request.client}", "good"


def _transfer(what: e.FellBehind | e.WrongState | e.StateInstalled) -> Said:
    match what:
        case e.FellBehind(n=n, executed=executed, holder=holder):
            return (f"is behind: others certify {n}, it has executed {executed} and cannot reach that from its log; "
                    f"it asks {holder} for the state", "stale")  # fmt: skip
        case e.WrongState(n=n, src=src):
            return f"the state at {n} that {src} sent does not have the certified digest: it asks another", "bad"
        case e.StateInstalled(n=n, src=src, before=before):
            return f"takes over the state at {n} from {src}, verified by its digest; it had executed {before}", "good"


CAUSES: Final = {
    e.Cause.TIMEOUT: "a request it knows of was not executed in {}",
    e.Cause.NO_NEW_VIEW: "no valid NEW-VIEW came in {}",
    e.Cause.OTHERS: "f+1 others want it ({}), so one of them is correct",
}


def _view(what: e.ViewChangeStarted | e.ViewChangeSeen | e.NewViewSent | e.ViewEntered) -> Said:
    match what:
        case e.ViewChangeStarted(view=view, cause=cause, waited_us=waited, certificates=held, wanted_by=others):
            why = CAUSES[cause].format(names(others) if cause is e.Cause.OTHERS else units.span(waited))
            with_ = f"; it holds certificates for {names(map(str, held))}" if held else "; it holds no certificate"
            return f"asks for view {view}: {why}{with_}", "candidate"
        case e.ViewChangeSeen(view=view, src=src, seen=seen):
            return f"hears that {src} wants view {view}: {seen} so far", "dim"
        case e.NewViewSent(view=view, min_s=min_s, o=o, of=of):
            return (f"opens view {view} with the VIEW-CHANGEs of {names(of)}: checkpoint {min_s}, {_carried(o)}",
                    "leader")  # fmt: skip
        case e.ViewEntered(view=view, primary=primary, o=o):
            return f"takes part in view {view} of {primary}: {_carried(o)}", "follower"


def _carried(o: tuple[tuple[int, str], ...]) -> str:
    if not o:
        return "nothing to take over"
    return "takes over " + ", ".join(f"{n} {_short(digest)}" for n, digest in o)


def _answered(what: e.Answered) -> str:
    tries = f" after {what.attempts} attempts" if what.attempts > 1 else ""
    wrong = f"; {names(what.outvoted)} said otherwise and is outvoted" if what.outvoted else ""
    told = "say the same" if len(what.voters) > 1 else "alone says so"
    return f"believes {value(what.result)} for {asked(what.request)}: {names(what.voters)} {told}{tries}{wrong}"


def _by_hand(what: e.ActSwitched | RuleSwitched | e.WorkloadSet | e.TimeoutSet) -> Said:
    match what:
        case e.ActSwitched(act=act, on=on, at_fault=count, f=f):
            if not on:
                return f"does no longer: {OUTCOME[act][0]}", "good"
            beyond = f"; {count} at fault, more than f = {f}: beyond the fault model" if count > f else ""
            return f"turns traitor: {OUTCOME[act][0]}{beyond}", "bad"
        case RuleSwitched(rule=rule, on=on):
            return f"the rule {rule.replace('_', ' ')} is {'on again' if on else 'off'}", "bad" if not on else "good"
        case e.WorkloadSet(level=level):
            return f"the clients' workload is {level}", "you"
        case e.TimeoutSet(timeout_us=timeout):
            return f"T is {units.span(timeout)} from now on", "you"


WORLD: Final = KernelWords(
    message=words,
    crashes=lambda node: "what it had promised is on its disk, the votes it had heard are gone",
    restarts=lambda node: "restarts from its disk: what that does not have, the others tell it",
    others="replicas",
)
"""How the kernel's events are told here."""
