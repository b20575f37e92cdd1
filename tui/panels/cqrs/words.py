"""The journal: what happened, and why, one line an event, as a lecturer would say it."""

from collections.abc import Sequence
from typing import Any, Final, assert_never

from engines.cqrs.bus import Status
from engines.cqrs.queries import Freshness
from engines.cqrs.saga import Phase
from engines.cqrs.world import events as e
from engines.cqrs.world import messages as m
from engines.sim.events import Event
from engines.sim.rules import RuleSwitched
from engines.units import span
from tui.canvas import Ink
from tui.kit.kernel_words import KernelWords, is_kernel, tell
from tui.kit.words import plural
from tui.panel import Line

YOU: Final = (RuleSwitched, e.OptionSet, e.Deployed, e.Widened, e.NodeAdded, e.NodeRemoved)
SHORT: Final = {"order_summary": "summaries", "customer_history": "histories", "revenue_by_day": "revenue"}
"""The projections as the journal calls them."""
STAGES: Final = {"commands": "command node", "projectors": "projector", "replicas": "read replica"}


def narrate(event: Event) -> Line:
    """Who, and what and why."""
    if is_kernel(event):
        return tell(event, WORLD)
    text, ink = said(event.what)
    return Line("you" if isinstance(event.what, YOU) else event.node or "world", text, ink)


def said(what: e.CqrsEvent) -> tuple[str, Ink]:
    """The sentence, and the ink of the name before it."""
    match what:
        case (
            e.Appended()
            | e.Conflicted()
            | e.CommandDone()
            | e.CommandRepeated()
            | e.CommandRefused()
            | e.CommandInvalid()
            | (e.StoreFull() | e.TurnedAway())
        ):
            return _of_writing(what)
        case (
            e.SentAgain()
            | e.GaveUp()
            | e.QueryFailed()
            | e.OwnWriteMissed()
            | e.OwnWriteSeen()
            | e.AnswerStale()
            | (e.QueryWaits() | e.QueryTimedOut())
        ):
            return _of_asking(what)
        case e.EventEarly() | e.EventAgain() | e.RepeatIgnored() | e.EventParked() | e.ParkedReplayed():
            return _of_projecting(what)
        case (
            e.RebuildBegan()
            | e.RebuildStopped()
            | e.CaughtUp()
            | e.Swapped()
            | e.ReadersMoved()
            | (e.ProjectionMoved() | e.ProjectionLeft() | e.Deployed() | e.Widened())
        ):
            return _of_building(what)
        case (
            e.SagaBegan()
            | e.SagaAsksAgain()
            | e.SagaTurned()
            | e.SagaEnded()
            | e.StepServed()
            | (e.StepUndone() | e.StepDeclined())
        ):
            return _of_the_saga(what)
        case e.NodeAdded(stage=stage, machines=machines):
            return f"one {STAGES[stage]} more: {machines} now", "good"
        case e.NodeRemoved(stage=stage, machines=machines):
            return f"the newest {STAGES[stage]} is switched off: {machines} left", "warn"
        case RuleSwitched(rule=rule, on=on):
            name = rule.replace("_", " ")
            return (f"the rule '{name}' holds again", "good") if on else (f"the rule '{name}' is switched off", "bad")
        case e.OptionSet(name=name, value=value):
            return f"{name.replace('_', ' ')} is '{value}' from now on", "accent"
        case _:
            assert_never(what)


def _of_writing(what: Any) -> tuple[str, Ink]:
    match what:
        case e.Appended(order=order, first=first, position=last, type=type, who=who, command=command):
            by = f"{command} of {who}" if who else command
            return f"{order} from revision {first} on, position {last}: {by} ({type})", "committed"
        case e.Conflicted(order=order, command=command, expected=expected, actual=actual):
            said = f"conflict: {command} was decided on {order} at {_revision(expected)}, it is at {_revision(actual)}"
            return f"{said} now: loads and decides again", "warn"
        case e.CommandDone(order=order, command=command, version=version, position=position):
            return f"{command} on {order} is recorded: version {version}, position {position}", "client"
        case e.CommandRepeated(order=order, command=command, position=position):
            return f"{command} on {order} came again: answered as at first (position {position}), not executed", "good"
        case e.CommandRefused(order=order, command=command, declined=declined) if declined:
            return f"{command} on {order} is refused: {declined}", "client"
        case e.CommandRefused(order=order, command=command, status=status):
            reason = {
                Status.STALE: "it was sent for an older version of the order",
                Status.CONFLICT: "others were faster five times",
            }.get(status, "the order's state does not allow it")
            return f"{command} on {order} is refused: {reason}", "client"
        case e.CommandInvalid(order=order, command=command):
            return f"{command} on {order} makes no sense in itself: refused before anything is loaded", "client"
        case e.StoreFull(order=order, command=command):
            return f"{command} on {order} is refused: the store is full", "bad"
    return f"its line is full ({what.waiting} wait): turns one away, its sender will ask again", "slow"


def _of_asking(what: Any) -> tuple[str, Ink]:
    match what:
        case e.SentAgain(order=order, command=command, attempt=attempt):
            return f"no answer about {command} on {order}: sends it again, attempt {attempt}, with the same id", "slow"
        case e.GaveUp(order=order, command=command, attempts=attempts):
            return f"gives up {command} on {order} after {attempts} attempts: whether it happened, it cannot say", "bad"
        case e.QueryFailed(key=key, query=query):
            return f"no answer to {query} {key}".rstrip() + ": gives the question up", "slow"
        case e.OwnWriteMissed(order=order, wrote=wrote, saw=saw, freshness=freshness):
            seen = f"version {saw}" if saw >= 0 else "nothing"
            promised = "it asked for any answer" if freshness is Freshness.ANY else "it was promised to see it"
            ink: Ink = "stale" if freshness is Freshness.ANY else "bad"
            return f"reads its own {order} and sees {seen}, it wrote version {wrote}: {promised}", ink
        case e.OwnWriteSeen(order=order, saw=saw, waited_us=waited):
            after = f" after {span(waited)}" if waited else ""
            return f"reads its own {order} and sees version {saw}, which it wrote{after}", "good"
        case e.AnswerStale(key=key, freshness=Freshness.WAIT, waited_us=waited):
            return f"waited {span(waited)} for {key or 'all'} and is told so: the row is not that new yet", "warn"
        case e.AnswerStale(key=key):
            return (
                f"is told at once that {key or 'the answer'} is older than what it has seen: it can ask elsewhere",
                "warn",
            )
        case e.QueryWaits(key=key, position=position):
            return f"holds the question about {key or 'all'} until it has passed position {position}", "slow"
    return (
        f"answers that it has not passed position {what.wanted} (it is at {what.position}): timed out, not stale",
        "warn",
    )


def _of_projecting(what: Any) -> tuple[str, Ink]:
    match what:
        case e.EventEarly(position=position, order=order, missing=missing):
            return (
                f"event {position} ({order}) came before {missing}: it waits, the bus or the store brings the rest",
                "slow",
            )
        case e.EventAgain(position=position, order=order):
            return f"event {position} ({order}) came again", "dim"
        case e.RepeatIgnored(projection=name, position=position, order=order, revision=number):
            return f"{SHORT[name]}: event {position} again; {order} revision {number} is in it, nothing changes", "good"
        case e.EventParked(projection=name, position=position, order=order, revision=number, held=True):
            return (
                f"{SHORT[name]} park event {position} ({order} revision {number}): it stands behind a parked one",
                "warn",
            )
        case e.EventParked(projection=name, position=position, order=order, revision=number):
            return (
                f"{SHORT[name]} cannot take event {position} ({order} revision {number}): parked, all else goes on",
                "bad",
            )
    return (
        f"{SHORT[what.projection]}: tries what is parked again: {plural(what.done, 'event')} done, {what.left} left",
        "good",
    )


def _of_building(what: Any) -> tuple[str, Ink]:
    match what:
        case e.RebuildBegan(projection=name, beside=True, release=release):
            return f"builds {SHORT[name]} by release '{release}' beside the one that serves", "accent"
        case e.RebuildBegan(projection=name, release=release):
            return f"throws {SHORT[name]} away and folds it again by release '{release}': readers see a hole", "warn"
        case e.RebuildStopped(projection=name, position=position):
            return (
                f"the rebuild of {SHORT[name]} stops at event {position}: it cannot read it, and must not skip it",
                "bad",
            )
        case e.CaughtUp(projection=name, generation=generation, position=position):
            return f"{SHORT[name]} #{generation} has caught up with history, at {position}", "good"
        case e.Swapped(projection=name, generation=generation, release=release, back=back):
            way = "back to" if back else "over to"
            return f"readers of {SHORT[name]} go {way} #{generation} ('{release}'), in one step", "accent"
        case e.ReadersMoved(projection=name, before=before, generation=generation):
            return f"serves {SHORT[name]} #{generation} from now on, #{before} no more", "accent"
        case e.ProjectionMoved(projection=name, generation=generation):
            return f"serves {SHORT[name]} from here on, built anew as #{generation}", "good"
        case e.ProjectionLeft(projection=name, to=to):
            return f"gives {SHORT[name]} up: {to} has it", "dim"
        case e.Deployed(projection=name, release=release):
            return (
                f"{SHORT[name]} run release '{release}' from now on; what was built by another stays as it is",
                "warn",
            )
    return "the column of item names is wide enough now, everywhere; what is parked can be tried again", "good"


def _of_the_saga(what: Any) -> tuple[str, Ink]:
    match what:
        case e.SagaBegan(order=order):
            return f"takes {order} up: reserve, pay, ship", "client"
        case e.SagaAsksAgain(order=order, step=step, asked=asked):
            return f"no answer about '{step}' of {order}: asks the same again ({asked}); silence is no failure", "slow"
        case e.SagaTurned(order=order, step=step, silence=True):
            return f"nobody answers about '{step}' of {order}: undoes it unanswered, and all before it", "warn"
        case e.SagaTurned(order=order, step=step):
            return f"'{step}' of {order} failed, and nothing is final yet: undoes what was done, in reverse", "warn"
        case e.SagaEnded(order=order, phase=Phase.COMPLETED):
            return f"{order} is completed: paid and shipped", "good"
        case e.SagaEnded(order=order):
            return f"{order} is compensated: stock released, order cancelled", "stale"
        case e.StepServed(order=order, command=command):
            return f"does {command} for {order}", "dim"
        case e.StepUndone(order=order, command=command):
            return f"takes its part of {order} back ({command})", "stale"
    return f"says no to {what.command} of {what.order}", "warn"


def _revision(number: int) -> str:
    return f"revision {number}" if number >= 0 else "its beginning"


def words(message: Any) -> str:
    """A message in a few words."""
    match message:
        case m.Submit(name=name, order=order):
            return f"{name} {order}"
        case m.Reply(answer=answer):
            return f"{answer.name} {answer.order}: {answer.status.value}"
        case m.Load(order=order):
            return f"load {order}"
        case m.Loaded(order=order, events=events):
            return f"{order}, {plural(len(events), 'event')}"
        case m.Append(order=order, expected=expected):
            return f"append to {order} expecting {_revision(expected)}"
        case m.Saved(appended=appended):
            return f"saved at {appended.position}"
        case m.Conflicting(expected=expected, actual=actual):
            return f"conflict: expected {_revision(expected)}, actual {_revision(actual)}"
        case m.NotSaved():
            return "not saved: the store is full"
    return _on_the_read_side(message)


def _on_the_read_side(message: Any) -> str:
    match message:
        case m.Read(projection=name, after=after):
            return f"history of {SHORT[name]} behind {after}"
        case m.Page(projection=name, events=events):
            return f"{plural(len(events), 'event')} for {SHORT[name]}"
        case m.Publish(event=event) | m.Deliver(event=event):
            return f"event {event.position}: {event.type} of {event.stream}"
        case m.Published(position=position):
            return f"event {position} is on the bus"
        case m.Taken(position=position):
            return f"handled up to {position}"
        case m.Subscribe(position=position):
            return f"what comes behind {position}"
        case m.Rows(projection=name, position=position, rows=rows):
            return f"{plural(len(rows), 'row')} of {SHORT[name]} at {position}"
        case m.Fetch(projection=name):
            return f"rows of {SHORT[name]} that are missing"
        case m.Serving(projection=name):
            return f"I serve {SHORT[name]}"
        case m.Question(name=name, key=key):
            return f"{name} {key}".rstrip()
        case m.Told(name=name, key=key, reply=reply):
            return f"{name} {key}: {reply}".replace(" :", ":")
        case m.Perform(name=name, order=order):
            return f"{name} for {order}"
        case m.Performed(declined=declined):
            return f"declined: {declined}" if declined else "done"
    return str(message)


def _crash(node: str) -> str:
    if node == "store":
        return "what was not synced is lost, and nobody was told of it; all else is on its disk"
    if node == "bus":
        return "what it has confirmed is on its disk and is delivered again; what was in its hands is forgotten"
    if node[:1] == "p":
        return "the event in its hands is forgotten; rows and checkpoints are durable, in the order of the policy"
    if node[:1] == "r" and node[1:].isdecimal():
        return "questions that wait are forgotten; its copies are durable, and behind"
    if node == "saga":
        return "nothing of a saga is lost: its state is its own log of events"
    return "what it was doing is forgotten; nothing of it is kept but in the store"


def _restart(node: str) -> str:
    if node == "store":
        return "restarts and reads its log"
    if node == "saga":
        return "restarts, folds its sagas from their events, and asks again what it had asked"
    return "restarts" + (" and goes on behind its checkpoints" if node[:1] == "p" else "")


WORLD: Final = KernelWords(
    message=words,
    crashes=_crash,
    restarts=_restart,
    timer=lambda name: f"its timer {name.partition(':')[0]} runs out",
    others="machines",
    healed="links and clocks; frozen machines thaw, dead ones restart",
)

_ROUTINE: Final = {
    e.CommandDone: "work", e.Appended: "work", e.EventAgain: "again", e.RepeatIgnored: "again", e.QueryWaits: "waits",
    e.OwnWriteSeen: "seen", e.SagaBegan: "saga", e.StepServed: "saga", e.OwnWriteMissed: "missed",
    e.EventEarly: "early", e.TurnedAway: "turned away", e.QueryFailed: "failed", e.AnswerStale: "stale answers",
    e.QueryTimedOut: "timed out", e.ReadersMoved: "moved",
}  # fmt: skip
"""Kinds that share a line with others of their name."""


def routine(event: Event) -> str:
    """What can share a line: appends and answers of quiet times, repeats, questions that wait."""
    name = _ROUTINE.get(type(event.what), "")
    if isinstance(event.what, e.Appended) and event.node == "file":
        return ""  # in a file every event has a line of its own
    if isinstance(event.what, e.SagaEnded) and event.what.phase is Phase.COMPLETED:
        return "saga"
    return name


def fold(events: Sequence[Event]) -> Line:
    """One line for all of them."""
    line = narrate(events[-1])
    more = len(events) - 1
    what = events[-1].what
    if not more:
        return line
    if isinstance(what, e.Appended | e.CommandDone):
        appended = [event for event in events if isinstance(event.what, e.Appended)]
        if not appended or len(events) <= 2:
            return line
        newest = narrate(appended[-1])
        count = len(appended) - 1
        return newest._replace(text=f"{newest.text} (and {count} more before it)") if count else newest
    if isinstance(what, e.SagaBegan | e.StepServed | e.SagaEnded):
        ended = sum(1 for event in events if isinstance(event.what, e.SagaEnded))
        done = f", {plural(ended, 'order')} completed meanwhile" if ended > isinstance(what, e.SagaEnded) else ""
        return line._replace(text=f"{line.text}{done}")
    return line._replace(text=f"{line.text} ({more} more like it)")
