"""The journal: what happened, and why, one line an event, as a lecturer would say it."""

from collections.abc import Sequence
from typing import Any, Final

from engines.cqrs import Phase, Status
from engines.cqrs.world import events as e
from engines.cqrs.world import messages as m
from engines.sim.events import Event
from engines.sim.rules import RuleSwitched
from engines.units import span
from tui.canvas import Ink
from tui.kit.kernel_words import KernelWords, choice_words, is_kernel, rule_words, tell
from tui.kit.words import plural
from tui.panel import Line

YOU: Final = (RuleSwitched, e.OptionSet, e.Widened, e.Deployed)


def narrate(event: Event) -> Line:
    """Who, and what and why."""
    if is_kernel(event):
        return tell(event, WORLD)
    text, ink = said(event.what)
    return Line("you" if isinstance(event.what, YOU) else event.node[:10] or "world", text, ink)


def said(what: e.CqrsEvent) -> tuple[str, Ink]:
    """The sentence, and the ink of the name before it."""
    match what:
        case e.NodeAdded(stage=stage, machines=machines):
            return f"joins the {stage}: {machines} now", "good"
        case e.NodeRemoved(stage=stage, machines=machines):
            return f"is taken out of the {stage}: {machines} left", "warn"
        case RuleSwitched():
            return rule_words(what)
        case e.OptionSet(name=name, value=value):
            return choice_words(name, value)
        case e.Appended(order=order, first=first, position=position, type=type, who=who, command=command):
            return f"{order} revision {first}, position {position}: {type}, by {command} of {who}", "committed"
        case e.Conflicted(order=order, command=command, expected=expected, actual=actual):
            asked = "no stream" if expected < 0 else f"revision {expected}"
            return f"conflict: {command} expected {asked} of {order}, actual {actual}: loads and decides again", "warn"
        case e.CommandDone(order=order, command=command, version=version, position=position):
            return f"{command} on {order} is recorded: version {version}, position {position}", "client"
        case e.CommandRepeated(order=order, command=command, position=position):
            return f"{command} on {order} was executed before: the same answer again, position {position}", "good"
        case e.CommandRefused(order=order, command=command, status=status, declined=declined):
            why = declined or ("others were always faster" if status is Status.CONFLICT else "the order forbids it now")
            return f"{command} on {order} is refused: {why}", "client"
        case e.CommandInvalid(order=order, command=command):
            return f"{command} on {order} makes no sense in itself: refused before anything is loaded", "bad"
        case e.StoreFull(order=order, command=command):
            return f"{command} on {order} is not written: the store takes no new orders", "bad"
        case e.TurnedAway(waiting=waiting):
            return f"turns requests away: {waiting} wait already", "bad"
    return _of_asking(what)


def _of_asking(what: e.AskingEvent | e.ProjectingEvent | e.SagaEvent) -> tuple[str, Ink]:
    match what:
        case e.SentAgain(order=order, command=command, attempt=attempt):
            return f"no answer to {command} on {order}: sends it to another node, same id, attempt {attempt}", "slow"
        case e.GaveUp(order=order, command=command, attempts=attempts):
            return f"gives up {command} on {order} after {attempts} attempts", "bad"
        case e.QueryFailed(key=key, query=query):
            return f"{query} {key}".rstrip() + " was never answered: no replica is there", "bad"
        case e.OwnWriteMissed(order=order, wrote=wrote, saw=saw):
            seen = f"sees version {saw}" if saw >= 0 else "sees nothing"
            return f"wrote version {wrote} of {order}, reads it and {seen}: the row is not there yet", "warn"
        case e.OwnWriteSeen(order=order, saw=saw, waited_us=waited):
            return f"reads version {saw} of {order}, its own write, after {span(waited)}", "good"
        case e.AnswerStale(key=key, freshness=freshness, waited_us=waited):
            return f"{key} ({freshness.value}): told after {span(waited)} that the answer would be too old", "warn"
        case e.QueryWaits(key=key, position=position):
            return f"holds a question about {key} until its copy has passed position {position}", "dim"
        case e.QueryTimedOut(key=key, wanted=wanted, position=at):
            return f"a question about {key} waited for position {wanted}, the copy is at {at}: says so", "warn"
    return _of_projecting(what)


def _of_projecting(what: e.ProjectingEvent | e.SagaEvent) -> tuple[str, Ink]:
    match what:
        case e.EventEarly(position=position, order=order, missing=missing):
            return f"event {position} ({order}) came before event {missing}: it was overtaken, or is lost", "warn"
        case e.EventAgain(position=position, order=order):
            return f"event {position} ({order}) came again", "dim"
        case e.RepeatIgnored(projection=projection, position=position, order=order, revision=revision):
            return f"{projection} knows {order} revision {revision}: event {position} changes nothing", "dim"
        case e.EventParked(projection=projection, position=position, order=order, held=held):
            why = "one before it in its stream is parked" if held else "a name is too long for its column"
            return f"{projection} parks event {position} ({order}): {why}", "warn" if held else "bad"
        case e.ParkedReplayed(projection=projection, done=done, left=left):
            return f"{projection} tries what is parked again: {done} done, {left} left", "good"
        case e.RebuildBegan(projection=projection, beside=True, release=release):
            of = "" if release == "right" else f" of release {release}"
            return f"{projection}: another generation{of} is folded beside the live one", "accent"
        case e.RebuildBegan(projection=projection, release=release):
            return f"{projection}: its rows are thrown away and folded anew ({release}); readers see a hole", "warn"
        case e.RebuildStopped(projection=projection, position=position, generation=generation):
            return f"{projection} generation {generation} stops at event {position}: it cannot be written", "bad"
        case e.CaughtUp(projection=projection, generation=generation, position=position):
            return f"{projection} generation {generation} has read all history, up to {position}", "good"
        case e.Swapped(projection=projection, generation=generation, release=release, back=back):
            way = "back to" if back else "to"
            return f"{projection}: readers are to be moved {way} generation {generation} ({release})", "good"
        case e.ReadersMoved(projection=projection, before=before, generation=generation):
            return f"serves {projection} from generation {generation} on, no more from {before}: one step", "good"
        case e.ProjectionMoved(projection=projection, generation=generation):
            return f"is the home of {projection} now, generation {generation}", "accent"
        case e.ProjectionLeft(projection=projection, to=to):
            return f"gives {projection} up: {to} has it", "dim"
        case e.Deployed(projection=projection, release=release):
            return f"{projection} runs its {release} code now; the rows it has built stay as they are", "warn"
        case e.Widened():
            return "the column takes all names now: what is parked can be replayed", "good"
    return _of_the_saga(what)


def _of_the_saga(what: e.SagaEvent) -> tuple[str, Ink]:
    match what:
        case e.SagaBegan(order=order):
            return f"takes {order} up: reserve, pay, ship", "dim"
        case e.SagaAsksAgain(order=order, step=step, asked=asked):
            return f"no answer about '{step}' of {order}: asks the same again, {asked} times now", "slow"
        case e.SagaTurned(order=order, step=step, silence=silence):
            why = "nobody answered" if silence else "it was refused"
            return f"'{step}' of {order} failed, {why}: what was done is undone in reverse", "warn"
        case e.SagaEnded(order=order, phase=Phase.COMPLETED):
            return f"{order} is completed: reserved, paid, shipped", "good"
        case e.SagaEnded(order=order, phase=phase):
            return f"{order} is {phase.value}: cancelled, and nothing is left behind", "accent"
        case e.StepServed(order=order, command=command, stands=stands):
            again = f", {stands} times now" if stands > 1 else ""
            return f"does its part of {command} for {order}{again}", "bad" if stands > 1 else "dim"
        case e.StepUndone(order=order, command=command):
            return f"takes back what it did for {order}: {command}", "accent"
        case e.StepDeclined(order=order, command=command):
            return f"says no to {command} for {order}", "warn"


def words(message: Any) -> str:
    """A message in a few words."""
    match message:
        case m.Submit(name=name, order=order):
            return f"{name} {order}"
        case m.Reply(answer=answer):
            return f"{answer.name} {answer.order}: {answer.status.value}"
        case m.Load(order=order) | m.Loaded(order=order):
            return f"the events of {order}"
        case m.Append(order=order, batch=batch):
            return f"{plural(len(batch), 'event')} for {order}"
        case m.Saved(appended=appended):
            return f"saved at {appended.position}"
        case m.Publish(event=event) | m.Deliver(event=event):
            return f"event {event.position} ({event.stream})"
        case m.Published(position=position) | m.Taken(position=position):
            return f"{position} is here"
        case m.Subscribe(position=position):
            return f"send what is behind {position}"
        case m.Rows(projection=projection, rows=rows, position=position):
            return f"{plural(len(rows), 'row')} of {projection} at {position}"
        case m.Question(name=name, key=key):
            return f"{name} {key}".rstrip()
        case m.Told(name=name, reply=reply):
            return f"answer to {name}: {reply.outcome.name.lower().replace('_', ' ')}"
        case m.Perform(name=name, order=order):
            return f"{name} for {order}"
        case m.Performed(declined=declined):
            return declined or "done"
    return _of_history(message)


def _of_history(message: Any) -> str:
    match message:
        case m.Conflicting(expected=expected, actual=actual):
            return f"conflict: expected {expected}, actual {actual}"
        case m.NotSaved():
            return "not saved: full"
        case m.Read(projection=projection, after=after):
            return f"history for {projection} behind {after}"
        case m.Page(projection=projection, events=events):
            return f"{plural(len(events), 'event')} of history for {projection}"
        case m.Fetch(projection=projection, since=since):
            return f"{projection}: what changed since {since}?"
        case m.Serving(projection=projection):
            return f"I serve {projection} now"
    return str(message)


def _crash(node: str) -> str:
    match node[0]:
        case "c" if node != "crud":
            return "what it was deciding is forgotten; the events are in the store"
        case "p":
            return "the event in hand is forgotten; rows and checkpoints are durable"
        case "r":
            return "who was waiting is forgotten; its copies are on its disk"
    return {"store": "its log is on its disk; what was not synced was never told",
            "bus": "what it has confirmed is on its disk; it delivers again from there",
            "saga": "its log says where each order is; it goes on from there"}.get(
        node, "what was in memory is forgotten; what it has done is on its disk")  # fmt: skip


WORLD: Final = KernelWords(
    message=words,
    crashes=_crash,
    restarts=lambda node: "restarts from what is on its disk",
    timer=lambda name: f"its timer {name.partition(':')[0]} runs out",
    others="machines",
    pair=lambda src, dst: f"{src}>{dst}".replace("dispatch", "disp."),
    healed="links, clocks and disks; frozen machines thaw, dead ones restart",
)


def routine(event: Event) -> str:
    """What can share a line: commands and sagas that go well, events that come late, rows that are behind."""
    match event.what:
        case e.Appended() if event.node == "file":  # there every event has a line of its own
            return ""
        case e.CommandDone() | e.SagaEnded(phase=Phase.COMPLETED) | e.Appended():
            return "work"
        case e.StepDeclined() | e.CommandRefused() | e.SagaTurned() | e.StepUndone():
            return f"refused {event.what.order}"
        case e.OwnWriteMissed() | e.OwnWriteSeen():
            return event.kind
        case e.CaughtUp() | e.ProjectionMoved():
            return f"built {event.node}"
        case e.EventEarly() | e.ReadersMoved() | e.Conflicted() | e.QueryTimedOut() | e.AnswerStale():
            return event.kind
        case e.EventParked(projection=projection):
            return f"parked {projection}"
        case e.SentAgain() | e.SagaAsksAgain():
            return "again"
    return ""


def fold(events: Sequence[Event]) -> Line:
    """One line for all of them."""
    line = narrate(events[-1])
    kinds = {type(event.what) for event in events}
    if kinds <= {e.CommandDone, e.SagaEnded, e.Appended}:
        ended = sum(isinstance(event.what, e.SagaEnded) for event in events)
        done = len(events) - ended
        tail = f" ({plural(done, 'command')} recorded, {ended} completed)" if ended else f" (and {done - 1} before it)"
        return line._replace(text=line.text + tail)
    names = " ".join(dict.fromkeys(event.node for event in events))
    who = names if len(names) <= 10 else line.who
    return line._replace(who=who, text=f"{line.text} (and {len(events) - 1} before it)")
